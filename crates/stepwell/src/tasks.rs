//! Wires the engine's task runs to the integrations, which do not know each other.

use std::{future::Future, pin::Pin};

use stepwell_engine::TaskRunner;
use stepwell_integrations::{Endpoints, Integrations};
use stepwell_machine::{TaskOutcome, TaskRequest};

use crate::cli::IdentityOptions;

pub(crate) struct Tasks(Integrations);

impl Tasks {
    /// Endpoints from the options, else from AWS's own environment variable for all services.
    pub(crate) fn new(options: &IdentityOptions) -> Tasks {
        let lambda = options.lambda_endpoint.clone().or_else(|| std::env::var("AWS_ENDPOINT_URL").ok());
        Tasks(Integrations::new(Endpoints { lambda }))
    }
}

impl TaskRunner for Tasks {
    fn run(&self, request: TaskRequest) -> Pin<Box<dyn Future<Output = TaskOutcome> + Send + 'static>> {
        let integrations = self.0.clone();
        Box::pin(async move { integrations.run(request).await })
    }
}
