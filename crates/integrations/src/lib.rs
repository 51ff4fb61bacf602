//! Task resources: what a Task state can call.
//!
//! [`Integrations::run`] takes a [`TaskRequest`] to its [`TaskOutcome`]. Any AWS action is called through one client
//! ([`aws`]); optimised integrations are tables over it, with a file of their own where they are more than a call; functions on this
//! machine and HTTP Tasks stand beside it.

mod apigateway;
pub mod aws;
mod bedrock;
mod connection;
mod eks;
mod emr;
mod failure;
mod http;
mod http_task;
mod job;
mod lambda;
pub mod limits;
mod local;
pub mod map_items;
mod metadata;
mod optimised;
mod parameters;
mod states;

use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};
use stepwell_expr::{Payload, Value};
use stepwell_functions::Functions;
use stepwell_machine::{
    Failure, TaskOutcome, TaskRequest,
    effect::{Exchange, TaskTarget},
    program::ServicePattern,
};

use crate::{
    aws::{Aws, CallError, Caller, credentials::Chain, node::ParameterError, node::Spelling},
    http::HttpClient,
    http_task::HttpTask,
    map_items::MapItems,
    optimised::Action,
};
pub use crate::{
    aws::{
        catalogue::{ActionFields, Catalogue, CatalogueError, Field},
        endpoint::Endpoints,
        gate::Pace,
    },
    connection::{ApiKey, Authorization, Connection, HttpParameter, OAuth, Secret},
    http_task::HttpTasks,
    optimised::repeatable_actions,
    parameters::Parameters,
    states::{StepFunctions, StepFunctionsAnswer},
};

/// What integrations are told at their start; credentials come from the environment and from profiles.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where calls are made that no execution makes.
    pub region: Arc<str>,
    pub endpoints: Endpoints,
    /// Calls are made by the role of the state machine, assumed with the server's own credentials.
    pub assumes_execution_role: bool,
    /// Of each service by itself.
    pub pace: Pace,
    /// Folders whose files distributed Maps may read and write.
    pub file_roots: map_items::FileRoots,
}

/// All integrations; a clone shares their connections and sessions.
#[derive(Clone)]
pub struct Integrations(Arc<Inner>);

struct Inner {
    aws: Aws,
    functions: Functions,
    http_task: HttpTask,
    settings: Settings,
    /// Known once the engine is there, which runs its tasks by these integrations.
    step_functions: OnceLock<Arc<dyn StepFunctions>>,
}

/// One task to run, with what it is run by.
pub(crate) struct Work<'a> {
    inner: &'a Inner,
    pub(crate) request: &'a TaskRequest,
}

impl Integrations {
    pub fn new(
        settings: Settings,
        catalogue: Arc<Catalogue>,
        functions: Functions,
        http_tasks: HttpTasks,
    ) -> Integrations {
        let http = HttpClient::new();
        let http_task = HttpTask::new(http.clone(), http_tasks);
        let aws = Aws::new(catalogue, http, settings.endpoints.clone(), settings.pace, Chain::from_environment());
        Integrations(Arc::new(Inner { aws, functions, http_task, settings, step_functions: OnceLock::new() }))
    }

    /// Gives nested starts the executions of this very server.
    pub fn start_executions_by(&self, step_functions: Arc<dyn StepFunctions>) {
        // Said once, when the engine is open.
        drop(self.0.step_functions.set(step_functions));
    }

    /// Where this server itself answers the Step Functions API, which `aws-sdk:sfn` tasks call.
    pub fn answer_states_at(&self, url: String) {
        self.0.aws.answer_states_at(url);
    }

    /// False if [`Integrations::parameters_problem`] has to read a model first, which takes some milliseconds.
    pub fn knows_parameters(&self, service: &str, action: &str) -> bool {
        match service.strip_prefix("aws-sdk:") {
            Some(service) => self.0.aws.has_read(service),
            None => Action::of(service, action).is_none_or(|action| self.0.aws.has_read(action.calls.0)),
        }
    }

    /// Why a task of a service cannot be started with these parameters, as far as it is seen without a call.
    pub fn parameters_problem(&self, service: &str, action: &str, parameters: &Value) -> Option<String> {
        let problem = match (service, action) {
            ("lambda", "invoke") => lambda::problem(parameters),
            ("states", "startExecution") => states::problem(parameters),
            ("apigateway", "invoke") => return apigateway::problem(parameters),
            (service, action) => match service.strip_prefix("aws-sdk:") {
                Some(service) => self.0.aws.problem(service, action, parameters),
                None => Action::of(service, action)?.problem(&self.0.aws, parameters),
            },
        };
        problem.map(|problem| problem.to_string())
    }

    /// Items and results of distributed Maps, by the same connections and sessions.
    pub fn map_items(&self) -> MapItems {
        MapItems::new(self.0.clone())
    }

    /// Runs a task to its outcome, or watches the job that it submitted. Dropping the future closes the connection.
    pub async fn run(&self, request: TaskRequest) -> TaskOutcome {
        let work = Work { inner: &self.0, request: &request };
        match work.run().await {
            Ok(output) => TaskOutcome::Succeeded { output },
            Err(failure) => TaskOutcome::Failed(failure),
        }
    }
}

impl Integrations {
    /// [`Integrations::run`]; of an HTTP Task also what was sent and answered, its secrets where `reveals_secrets`.
    pub async fn run_shown(&self, request: TaskRequest, reveals_secrets: bool) -> (TaskOutcome, Option<Box<Exchange>>) {
        let is_http = matches!(
            &request.target,
            TaskTarget::Service { service, action, .. } if (&**service, &**action) == ("http", "invoke")
        );
        if !is_http {
            return (self.run(request).await, None);
        }
        let mut shown = None;
        let region = Work { inner: &self.0, request: &request }.caller().region;
        let http_task = &self.0.http_task;
        let outcome = match http_task.invoke_shown(&request.input, &region, reveals_secrets, &mut shown).await {
            Ok(output) => TaskOutcome::Succeeded { output },
            Err(failure) => TaskOutcome::Failed(failure),
        };
        (outcome, shown.map(Box::new))
    }

    /// Stops the job that the request names as submitted. An error says why it is to be tried again.
    pub async fn stop_job(&self, request: TaskRequest) -> Result<(), String> {
        let work = Work { inner: &self.0, request: &request };
        let (TaskTarget::Service { service, action, .. }, Some(submitted)) = (&request.target, &request.submitted)
        else {
            return Ok(());
        };
        match Action::of(service, action) {
            _ if &**service == "states" => states::stop(&work, submitted.value()).await,
            Some(action) => job::stop(&work, action, submitted.value()).await,
            None => Ok(()),
        }
    }
}

impl Work<'_> {
    async fn run(&self) -> Result<Payload, Failure> {
        if let (TaskTarget::Service { service, action, .. }, Some(submitted)) =
            (&self.request.target, &self.request.submitted)
        {
            return match Action::of(service, action) {
                _ if &**service == "states" => states::watch(self, submitted.value()).await,
                _ if (&**service, &**action) == ("eks", "runJob") => eks::watch(self, submitted.value()).await,
                Some(action) => job::watch(self, action, submitted.value()).await,
                None => Err(not_supported(service, action)),
            };
        }
        match &self.request.target {
            TaskTarget::LambdaFunction { arn } => lambda::invoke_function(self, arn).await,
            TaskTarget::Service { service, action, .. } => match (&**service, &**action) {
                ("lambda", "invoke") => lambda::invoke(self).await,
                ("states", "startExecution") => states::start(self).await,
                ("http", "invoke") => self.inner.http_task.invoke(self.parameters(), &self.caller().region).await,
                ("apigateway", "invoke") => apigateway::invoke(self).await,
                ("eks", "call") => eks::call(self).await,
                ("eks", "runJob") => eks::run_job(self).await,
                (service, action) => match service.strip_prefix("aws-sdk:") {
                    Some(service) => self.call_sdk(service, action).await,
                    None => match Action::of(service, action) {
                        Some(known) if service == "bedrock" && action == "invokeModel" => {
                            bedrock::invoke_model(self, known).await
                        }
                        Some(known) if action.starts_with("modifyInstance") => emr::modify_by_name(self, known).await,
                        Some(known) => known.run(self).await,
                        None => Err(not_supported(service, action)),
                    },
                },
            },
        }
    }

    /// `aws-sdk:SERVICE:ACTION`: the result is the service's, without metadata.
    async fn call_sdk(&self, service: &str, action: &str) -> Result<Payload, Failure> {
        let reply = self.aws().call(&self.caller(), service, action, self.parameters().value(), Spelling::Sdk).await;
        match reply {
            Ok(reply) => Ok(Payload::from_value(reply.result)),
            Err(error) => {
                let prefix = self.aws().prefix(service);
                let parameters = self.parameters().text();
                Err(match self.request.is_of_server() {
                    true => failure::of_server(&prefix, &error, parameters),
                    false => failure::of_sdk(&prefix, &error, parameters, self.execution_role()),
                })
            }
        }
    }

    pub(crate) fn aws(&self) -> &Aws {
        &self.inner.aws
    }

    fn step_functions(&self) -> Option<&Arc<dyn StepFunctions>> {
        self.inner.step_functions.get()
    }

    /// `None`: a Lambda function that is named directly.
    fn pattern(&self) -> Option<ServicePattern> {
        match &self.request.target {
            TaskTarget::LambdaFunction { .. } => None,
            TaskTarget::Service { pattern, .. } => Some(*pattern),
        }
    }

    fn parameter_failure(&self, error: &ParameterError) -> Failure {
        self.any_failure(&CallError::Parameters(error.clone()))
    }

    fn any_failure(&self, error: &CallError) -> Failure {
        failure::of_any(error, self.parameters().text(), self.execution_role())
    }

    /// Those on this machine.
    fn functions(&self) -> &Functions {
        &self.inner.functions
    }

    pub(crate) fn parameters(&self) -> &Payload {
        &self.request.input
    }

    pub(crate) fn execution_role(&self) -> &str {
        &self.request.role_arn
    }

    /// True if the task goes on after its call: it waits for a job, or for its token.
    pub(crate) fn is_job(&self) -> bool {
        self.pattern().is_some_and(|pattern| pattern != ServicePattern::RequestResponse)
    }

    pub(crate) fn caller(&self) -> Caller {
        // What the server calls for itself has no role.
        let assumes = self.inner.settings.assumes_execution_role && !self.request.role_arn.is_empty();
        let own = assumes.then(|| self.request.role_arn.clone());
        let roles = own.into_iter().chain(self.request.credentials_role.clone()).collect();
        Caller::of_execution(&self.request.execution_arn, &self.inner.settings.region, roles, self.token())
    }

    /// In the form of a UUID, and the same for every run of this attempt.
    fn token(&self) -> Arc<str> {
        let hash = Sha256::digest(self.request.origin.0);
        let hex: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]).into()
    }
}

fn not_supported(service: &str, action: &str) -> Failure {
    Failure::new("Stepwell.NotSupported", format!("the integration `{service}:{action}` is not supported by Stepwell"))
}
