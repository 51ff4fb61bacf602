//! Wires the engine's task runs to the integrations, which do not know each other.

use std::{future::Future, pin::Pin, sync::Arc};

use stepwell_api::Api;
use stepwell_engine::{Engine, MapItems, Shown, TaskRunner};
use stepwell_expr::Payload;
use stepwell_functions::Functions;
use stepwell_integrations::{
    Catalogue, Endpoints, HttpTasks, Integrations, Pace, Settings, StepFunctions, StepFunctionsAnswer,
};
use stepwell_machine::{TaskOutcome, TaskRequest, root::Root};
use tokio::sync::SetOnce;

use crate::{
    config::{Config, Identity},
    map_items::OwnItems,
};

pub(crate) struct Tasks {
    integrations: Integrations,
    catalogue: Arc<Catalogue>,
    /// Tasks wait for it: an engine that opens runs at once those that a process before it did not end, and some of them
    /// call this very server.
    ready: Arc<SetOnce<()>>,
}

impl Tasks {
    /// Endpoints from the options, AWS's own environment variables and profiles, else from the file.
    pub(crate) fn new(identity: &Identity, config: &Config, functions: Functions) -> Tasks {
        let file = &config.aws;
        let mut endpoints = Endpoints::from_environment().last(file.endpoint_url.clone(), file.endpoints.clone());
        if let Some(url) = &identity.lambda_endpoint {
            endpoints = endpoints.first("lambda", url.clone());
        }
        let settings = Settings {
            region: identity.region.as_str().into(),
            endpoints,
            assumes_execution_role: identity.assume_roles,
            pace: Pace::default(),
            file_roots: config.file_roots.as_slice().into(),
        };
        let http = HttpTasks {
            connections: config.connections.clone(),
            plain_hosts: config.plain_hosts.clone(),
            time_max: config.limits.http_task_time,
        };
        let catalogue = Arc::new(Catalogue::embedded());
        let integrations = Integrations::new(settings, catalogue.clone(), functions, http);
        Tasks { integrations, catalogue, ready: Arc::default() }
    }

    pub(crate) fn catalogue(&self) -> Arc<Catalogue> {
        self.catalogue.clone()
    }

    /// Makes a call before tasks run: it must not be one of this very server.
    pub(crate) async fn call(&self, request: TaskRequest) -> TaskOutcome {
        self.integrations.run(request).await
    }

    /// Lets tasks run. To be called once, with the engine, which is opened with these tasks and in which they start
    /// executions, and the URL at which this process answers the API, if it does.
    pub(crate) fn begin(&self, engine: &Engine, url: Option<String>) {
        self.integrations.start_executions_by(Arc::new(Own(Api::new(engine.clone()))));
        if let Some(url) = url {
            self.integrations.answer_states_at(url);
        }
        // Said once.
        drop(self.ready.set(()));
    }
}

impl TaskRunner for Tasks {
    fn run(&self, request: TaskRequest) -> Pin<Box<dyn Future<Output = TaskOutcome> + Send + 'static>> {
        let (integrations, ready) = (self.integrations.clone(), self.ready.clone());
        Box::pin(async move {
            ready.wait().await;
            integrations.run(request).await
        })
    }

    fn run_shown(&self, request: TaskRequest, reveals_secrets: bool) -> Shown {
        let (integrations, ready) = (self.integrations.clone(), self.ready.clone());
        Box::pin(async move {
            ready.wait().await;
            integrations.run_shown(request, reveals_secrets).await
        })
    }

    fn stop_job(&self, request: TaskRequest) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'static>> {
        let (integrations, ready) = (self.integrations.clone(), self.ready.clone());
        Box::pin(async move {
            ready.wait().await;
            integrations.stop_job(request).await
        })
    }

    fn map_items(&self) -> Arc<dyn MapItems> {
        Arc::new(OwnItems(self.integrations.map_items()))
    }

    fn knows(&self, service: &str, action: &str) -> bool {
        self.catalogue.knows(service, action)
    }

    fn knows_parameters(&self, service: &str, action: &str) -> bool {
        self.integrations.knows_parameters(service, action)
    }

    fn parameters_problem(&self, service: &str, action: &str, parameters: &Payload) -> Option<String> {
        self.integrations.parameters_problem(service, action, parameters.value())
    }
}

/// The API of this process, for tasks that start executions.
struct Own(Api);

impl StepFunctions for Own {
    fn call(&self, action: &'static str, body: String, origin: Option<Root>) -> StepFunctionsAnswer {
        let api = self.0.clone();
        Box::pin(async move { api.call_within(&format!("AWSStepFunctions.{action}"), body.as_bytes(), origin).await })
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use stepwell_engine::{Config as EngineConfig, Quotas, SystemClock};
    use stepwell_expr::{Payload, Value};
    use stepwell_machine::{TaskId, effect::TaskTarget, program::ServicePattern};
    use stepwell_store::memory::Memory;

    use super::*;
    use crate::{function, serve::runtime};

    #[test]
    fn a_task_of_an_engine_that_opens_waits_for_what_it_calls() {
        let identity = Identity {
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            lambda_endpoint: None,
            assume_roles: false,
        };
        let functions = function::host(&identity, Vec::new());
        let tasks = Arc::new(Tasks::new(&identity, &Config::default(), functions));
        let machine = "arn:aws:states:us-east-1:123456789012:stateMachine:absent";
        let mut run = tasks.run(TaskRequest {
            task: TaskId(0),
            target: TaskTarget::Service {
                service: "states".into(),
                action: "startExecution".into(),
                pattern: ServicePattern::RequestResponse,
            },
            input: Payload::from_value(Value::object([("StateMachineArn", Value::from(machine))])),
            submitted: None,
            origin: Root([0; 32]),
            credentials_role: None,
            execution_arn: "".into(),
            state_machine_arn: "".into(),
            role_arn: "".into(),
        });
        assert!(run.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());

        let runtime = runtime().unwrap();
        let config = EngineConfig {
            account: identity.account.as_str().into(),
            region: identity.region.as_str().into(),
            drivers: 1,
            clock: Arc::new(SystemClock),
            announces_status: false,
            quotas: Quotas::default(),
        };
        let engine = Engine::open(Arc::new(Memory::new()), config, tasks.clone(), runtime.handle().clone()).unwrap();
        tasks.begin(&engine, None);
        let TaskOutcome::Failed(failure) = runtime.block_on(run) else { panic!("there is no such state machine") };
        assert_eq!(failure.error.as_deref(), Some("StepFunctions.StateMachineDoesNotExistException"));
        runtime.block_on(engine.shut_down());
    }
}
