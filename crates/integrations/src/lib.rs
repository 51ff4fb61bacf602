//! Task resources: what a Task state can call.
//!
//! [`Integrations::run`] takes a [`TaskRequest`] to its [`TaskOutcome`]; one file per service. Today: Lambda. Other
//! services answer a failure that says so. Nothing here keeps state but a pool of connections.

mod http;
mod lambda;
pub mod limits;

use stepwell_machine::{Failure, TaskOutcome, TaskRequest, effect::TaskTarget};

use crate::{http::HttpClient, lambda::Lambda};

/// Where services answer.
#[derive(Clone, Debug, Default)]
pub struct Endpoints {
    /// `AWS_ENDPOINT_URL_LAMBDA`, else `AWS_ENDPOINT_URL`: an `http://` address without a path.
    pub lambda: Option<String>,
}

/// All integrations; a clone shares their connections.
#[derive(Clone)]
pub struct Integrations {
    lambda: Lambda,
}

impl Integrations {
    pub fn new(endpoints: Endpoints) -> Integrations {
        Integrations { lambda: Lambda::new(HttpClient::new(), endpoints.lambda) }
    }

    /// Runs a task to its outcome. Dropping the future closes the call's connection.
    pub async fn run(&self, request: TaskRequest) -> TaskOutcome {
        let done = match &request.target {
            TaskTarget::LambdaFunction { arn } => self.lambda.invoke_function(arn, &request.input).await,
            TaskTarget::Service { service, action, .. } if &**service == "lambda" && &**action == "invoke" => {
                self.lambda.invoke(&request.input).await
            }
            TaskTarget::Service { service, action, .. } => Err(not_supported(service, action)),
        };
        match done {
            Ok(output) => TaskOutcome::Succeeded { output },
            Err(failure) => TaskOutcome::Failed(failure),
        }
    }
}

fn not_supported(service: &str, action: &str) -> Failure {
    Failure::new(
        "Stepwell.NotSupported",
        format!("the integration `{service}:{action}` is not supported by Stepwell yet"),
    )
}
