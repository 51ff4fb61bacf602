//! What comes out of the machine: wishes that the engine carries out once the step is durable.

use std::sync::Arc;

use stepwell_expr::{Payload, Value};

use crate::{execution::TaskId, failure::Failure, map_run::MapRunWait, program::ServicePattern, root::Root};

#[derive(Clone, Debug)]
pub enum Effect {
    /// Run a task, or watch the job that it submitted; either end comes back as `TaskReturned`.
    RunTask(TaskRequest),
    /// Hand the task to a worker that polls the activity; `TaskStarted` when one took it.
    OfferTask { task: TaskId, activity_arn: Arc<str>, input: Payload },
    /// The execution no longer waits for this task, however it ended: forget its intent, cancel its run.
    DropTask { task: TaskId },
    /// The execution gave up a task whose job runs: stop that. Payloads of the request may be absent.
    StopJob(TaskRequest),
    /// Carry out a Map Run ([`Execution::map_run_request`]), or go on with it after a redrive; its end comes back as
    /// `MapRunEnded`.
    ///
    /// [`Execution::map_run_request`]: crate::Execution::map_run_request
    RunMapRun(Box<MapRunWait>),
    /// The execution no longer waits for this Map Run: stop it and its child executions. One that has ended stays as it is. It
    /// may come in the step that begins the Map Run, which then is to be seen as aborted.
    StopMapRun { task: TaskId, arn: Arc<str> },
}

/// Everything that an integration needs to run a task.
#[derive(Clone, Debug)]
pub struct TaskRequest {
    pub task: TaskId,
    pub target: TaskTarget,
    /// The payload or the parameters, evaluated.
    pub input: Payload,
    /// What the submission of a job (`.sync`) answered: the job is to be watched until it ends.
    pub submitted: Option<Payload>,
    /// The same in every run of this attempt, and a secret: what a repeated submission is known by.
    pub origin: Root,
    /// The role of the task's `Credentials`.
    pub credentials_role: Option<Arc<str>>,
    pub execution_arn: Arc<str>,
    pub state_machine_arn: Arc<str>,
    pub role_arn: Arc<str>,
}

impl TaskRequest {
    /// A call that the server makes for itself and not for a task, e.g. `aws-sdk:kms`, `decrypt`.
    ///
    /// `role_arn` may be assumed for it, if it is not empty; `region` is the server's own if it is empty. Repeating it
    /// must start nothing twice: all of these have the same origin.
    pub fn of_server(service: &str, action: &str, parameters: Value, role_arn: Arc<str>, region: &str) -> TaskRequest {
        TaskRequest {
            task: TaskId(0),
            target: TaskTarget::Service {
                service: service.into(),
                action: action.into(),
                pattern: ServicePattern::RequestResponse,
            },
            input: Payload::from_value(parameters),
            submitted: None,
            origin: Root([0; 32]),
            credentials_role: None,
            // Calls go to the region of the execution that makes them.
            execution_arn: if region.is_empty() { "".into() } else { format!("arn:aws:states:{region}").into() },
            state_machine_arn: "".into(),
            role_arn,
        }
    }

    /// True of a call that the server makes for itself; events, by which tasks are known, count from 1.
    pub fn is_of_server(&self) -> bool {
        self.task == TaskId(0)
    }

    /// Payloads that are to be filled before the request can be run.
    pub fn absent(&self) -> Vec<Payload> {
        let payloads = [Some(&self.input), self.submitted.as_ref()];
        payloads.into_iter().flatten().filter(|payload| payload.is_absent()).cloned().collect()
    }

    /// True of a call that submits a job, not yet of the job itself.
    pub fn submits_job(&self) -> bool {
        let is_job =
            matches!(&self.target, TaskTarget::Service { pattern: ServicePattern::Sync | ServicePattern::Sync2, .. });
        is_job && self.submitted.is_none()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskTarget {
    /// A Lambda function named directly by `Resource`, by its ARN.
    LambdaFunction { arn: Arc<str> },
    /// `arn:aws:states:::SERVICE:ACTION[.PATTERN]`; `service` is `lambda`, `sqs`, `aws-sdk:s3`, `http`, ...
    Service { service: Arc<str>, action: Arc<str>, pattern: ServicePattern },
}

/// What an HTTP Task sent and was answered, for whoever tests it.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub sent: Sent,
    /// `None`: there was no answer.
    pub received: Option<Received>,
}

#[derive(Clone, Debug)]
pub struct Sent {
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

#[derive(Clone, Debug)]
pub struct Received {
    pub status: u16,
    pub reason: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

#[derive(Clone, Debug)]
pub enum TaskOutcome {
    Succeeded { output: Payload },
    Failed(Failure),
}
