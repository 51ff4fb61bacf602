//! What comes out of the machine: wishes that the engine carries out once the step is durable.

use std::sync::Arc;

use stepwell_expr::Payload;

use crate::{execution::TaskId, failure::Failure, program::ServicePattern};

#[derive(Clone, Debug)]
pub enum Effect {
    /// Run a task; its end comes back as `TaskReturned`.
    RunTask(TaskRequest),
    /// Hand the task to a worker that polls the activity; `TaskStarted` when one took it.
    OfferTask { task: TaskId, activity_arn: Arc<str>, input: Payload },
    /// The execution no longer waits for this task, however it ended: forget its intent, cancel its run.
    DropTask { task: TaskId },
}

/// Everything that an integration needs to run a task.
#[derive(Clone, Debug)]
pub struct TaskRequest {
    pub task: TaskId,
    pub target: TaskTarget,
    /// The payload or the parameters, evaluated.
    pub input: Payload,
    /// The role of the task's `Credentials`.
    pub credentials_role: Option<Arc<str>>,
    pub execution_arn: Arc<str>,
    pub state_machine_arn: Arc<str>,
    pub role_arn: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskTarget {
    /// A Lambda function named directly by `Resource`, by its ARN.
    LambdaFunction { arn: Arc<str> },
    /// `arn:aws:states:::SERVICE:ACTION[.PATTERN]`; `service` is `lambda`, `sqs`, `aws-sdk:s3`, `http`, ...
    Service { service: Arc<str>, action: Arc<str>, pattern: ServicePattern },
}

#[derive(Clone, Debug)]
pub enum TaskOutcome {
    Succeeded { output: Payload },
    Failed(Failure),
}
