//! Wires the engine's task runs to the integrations, which do not know each other.

use std::{future::Future, pin::Pin, sync::Arc};

use stepwell_api::Api;
use stepwell_engine::{Engine, TaskRunner};
use stepwell_functions::Functions;
use stepwell_integrations::{
    Catalogue, Endpoints, HttpTasks, Integrations, Pace, Settings, StepFunctions, StepFunctionsAnswer,
};
use stepwell_machine::{TaskOutcome, TaskRequest, root::Root};

use crate::config::{Config, Identity};

pub(crate) struct Tasks {
    integrations: Integrations,
    catalogue: Arc<Catalogue>,
}

impl Tasks {
    /// Endpoints from the options, AWS's own environment variables and profiles, else from the file.
    pub(crate) fn new(identity: &Identity, config: &Config, functions: Functions) -> Tasks {
        let mut endpoints = Endpoints::from_environment();
        endpoints.all = endpoints.all.or_else(|| config.aws.endpoint_url.clone());
        for (service, url) in &config.aws.endpoints {
            endpoints.services.entry(service.clone()).or_insert_with(|| url.clone());
        }
        if let Some(url) = &identity.lambda_endpoint {
            endpoints.services.insert("lambda".to_owned(), url.clone());
        }
        let settings = Settings {
            region: identity.region.as_str().into(),
            endpoints,
            assumes_execution_role: identity.assume_roles,
            pace: Pace::default(),
        };
        let http = HttpTasks {
            region: identity.region.clone(),
            connections: config.connections.clone(),
            plain_hosts: config.plain_hosts.clone(),
        };
        let catalogue = Arc::new(Catalogue::embedded());
        Tasks { integrations: Integrations::new(settings, catalogue.clone(), functions, http), catalogue }
    }

    /// Gives nested starts the engine, which is opened with these tasks.
    pub(crate) fn start_executions_in(&self, engine: &Engine) {
        self.integrations.start_executions_by(Arc::new(Own(Api::new(engine.clone()))));
    }

    /// Tells where this server answers, once it does.
    pub(crate) fn answer_states_at(&self, url: String) {
        self.integrations.answer_states_at(url);
    }
}

impl TaskRunner for Tasks {
    fn run(&self, request: TaskRequest) -> Pin<Box<dyn Future<Output = TaskOutcome> + Send + 'static>> {
        let integrations = self.integrations.clone();
        Box::pin(async move { integrations.run(request).await })
    }

    fn stop_job(&self, request: TaskRequest) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        let integrations = self.integrations.clone();
        Box::pin(async move { integrations.stop_job(request).await })
    }

    fn knows(&self, service: &str, action: &str) -> bool {
        self.catalogue.knows(service, action)
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
