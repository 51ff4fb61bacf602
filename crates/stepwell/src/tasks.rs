//! Wires the engine's task runs to the integrations, which do not know each other.

use std::{future::Future, pin::Pin};

use stepwell_engine::TaskRunner;
use stepwell_functions::Functions;
use stepwell_integrations::{Endpoints, HttpTasks, Integrations};
use stepwell_machine::{TaskOutcome, TaskRequest};

use crate::config::{Config, Identity};

pub(crate) struct Tasks(Integrations);

impl Tasks {
    pub(crate) fn new(identity: &Identity, config: &Config, functions: Functions) -> Tasks {
        let endpoints = Endpoints { lambda: identity.lambda_endpoint.clone() };
        let http = HttpTasks {
            region: identity.region.clone(),
            connections: config.connections.clone(),
            plain_hosts: config.plain_hosts.clone(),
        };
        Tasks(Integrations::new(endpoints, functions, http))
    }
}

impl TaskRunner for Tasks {
    fn run(&self, request: TaskRequest) -> Pin<Box<dyn Future<Output = TaskOutcome> + Send + 'static>> {
        let integrations = self.0.clone();
        Box::pin(async move { integrations.run(request).await })
    }
}
