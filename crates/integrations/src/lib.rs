//! Task resources: what a Task state can call.
//!
//! [`Integrations::run`] takes a [`TaskRequest`] to its [`TaskOutcome`]; one file per service. Today: Lambda
//! (functions on this machine first) and HTTP Tasks. Other
//! services answer a failure that says so. Nothing here keeps state but a pool of connections.

mod connection;
mod http;
mod http_task;
mod lambda;
pub mod limits;
mod local;

pub use connection::{ApiKey, Authorization, Connection, HttpParameter, OAuth, Secret};
pub use http_task::HttpTasks;
use stepwell_functions::Functions;
use stepwell_machine::{Failure, TaskOutcome, TaskRequest, effect::TaskTarget};

use crate::{http::HttpClient, http_task::HttpTask, lambda::Lambda};

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
    http_task: HttpTask,
}

impl Integrations {
    pub fn new(endpoints: Endpoints, functions: Functions, http_tasks: HttpTasks) -> Integrations {
        let http = HttpClient::new();
        Integrations {
            lambda: Lambda::new(http.clone(), endpoints.lambda, functions),
            http_task: HttpTask::new(http, http_tasks),
        }
    }

    /// Runs a task to its outcome. Dropping the future closes the call's connection.
    pub async fn run(&self, request: TaskRequest) -> TaskOutcome {
        let done = match &request.target {
            TaskTarget::LambdaFunction { arn } => self.lambda.invoke_function(arn, &request.input).await,
            TaskTarget::Service { service, action, .. } if &**service == "lambda" && &**action == "invoke" => {
                self.lambda.invoke(&request.input).await
            }
            TaskTarget::Service { service, action, .. } if &**service == "http" && &**action == "invoke" => {
                self.http_task.invoke(&request.input).await
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
