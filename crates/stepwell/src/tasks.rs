//! Wires the engine's task runs to the integrations, which do not know each other.

use std::{future::Future, pin::Pin, sync::Arc};

use stepwell_engine::TaskRunner;
use stepwell_integrations::{Catalogue, Endpoints, Integrations, Settings};
use stepwell_machine::{TaskOutcome, TaskRequest};

use crate::cli::IdentityOptions;

pub(crate) struct Tasks {
    integrations: Integrations,
    catalogue: Arc<Catalogue>,
}

impl Tasks {
    /// Endpoints from the options, else from AWS's own environment variables and profiles.
    pub(crate) fn new(options: &IdentityOptions) -> Tasks {
        let mut endpoints = Endpoints::from_environment();
        if let Some(url) = &options.lambda_endpoint {
            endpoints.services.insert("lambda".to_owned(), url.clone());
        }
        let settings = Settings { endpoints, assumes_execution_role: options.assume_roles };
        let catalogue = Arc::new(Catalogue::embedded());
        Tasks { integrations: Integrations::new(settings, catalogue.clone()), catalogue }
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

    fn knows(&self, service: &str, action: &str) -> bool {
        self.catalogue.knows(service, action)
    }
}
