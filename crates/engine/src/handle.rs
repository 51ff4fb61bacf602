//! The door of the engine: one method for each thing a caller can want, with its own request, answer and error.
//!
//! Names and texts are checked by the caller (`api`); what needs the stored state is decided here.

use std::{collections::BTreeMap, sync::Arc};

use stepwell_expr::{Payload, Value};
use stepwell_machine::{Diagnostic, Failure, HistoryEvent, Program, Status, definition::MachineType};

/// A state machine as it is now, or the revision of it that an execution runs.
#[derive(Clone, Debug)]
pub struct StateMachine {
    pub arn: Arc<str>,
    pub name: Arc<str>,
    pub machine_type: MachineType,
    pub definition: Arc<str>,
    pub role_arn: Arc<str>,
    /// The API's own JSON blocks, as they were given or by AWS's defaults.
    pub logging: Value,
    pub tracing: Value,
    pub encryption: Value,
    /// `None` on a machine that was never updated.
    pub revision_id: Option<Arc<str>>,
    pub created_ms: i64,
    pub updated_ms: i64,
    pub deleting: bool,
    /// Compiled once per revision and kept.
    pub program: Arc<Program>,
}

#[derive(Clone, Debug)]
pub struct CreateStateMachine {
    pub name: Arc<str>,
    pub machine_type: MachineType,
    pub definition: Arc<str>,
    pub role_arn: Arc<str>,
    pub logging: Value,
    pub tracing: Value,
    pub encryption: Value,
    pub tags: Tags,
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum CreateStateMachineError {
    #[error("a state machine of this name and other content exists: {arn}")]
    AlreadyExists { arn: Arc<str> },
    #[error("the state machine is being deleted: {arn}")]
    Deleting { arn: Arc<str> },
    #[error("the definition has problems")]
    InvalidDefinition(Vec<Diagnostic>),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// `None`: leave as it is.
#[derive(Clone, Debug)]
pub struct UpdateStateMachine {
    pub arn: Arc<str>,
    pub definition: Option<Arc<str>>,
    pub role_arn: Option<Arc<str>>,
    pub logging: Option<Value>,
    pub tracing: Option<Value>,
    pub encryption: Option<Value>,
}

/// What an update answers: `revision_id` is absent while the machine still is at its first revision.
#[derive(Clone, Debug)]
pub struct UpdatedStateMachine {
    pub updated_ms: i64,
    pub revision_id: Option<Arc<str>>,
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum UpdateStateMachineError {
    #[error("the state machine does not exist")]
    DoesNotExist,
    #[error("the state machine is being deleted")]
    Deleting,
    #[error("the definition has problems")]
    InvalidDefinition(Vec<Diagnostic>),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// One row of ListStateMachines or ListActivities.
#[derive(Clone, Debug)]
pub struct Listed {
    pub arn: Arc<str>,
    pub name: Arc<str>,
    /// Of state machines only.
    pub machine_type: Option<MachineType>,
    pub created_ms: i64,
}

/// A page of a list and where the next one begins.
#[derive(Clone, Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Opaque, to be given to the same call again; `None` at the end.
    pub next: Option<Cursor>,
}

/// Where a list goes on. The API turns it into a token and back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub Vec<u8>);

#[derive(Clone, Debug)]
pub struct StartExecution {
    /// The plain ARN of the state machine.
    pub state_machine_arn: Arc<str>,
    /// `None`: a UUID is drawn.
    pub name: Option<Arc<str>>,
    /// Checked JSON text, as it was sent.
    pub input: Payload,
    pub trace_header: Option<Arc<str>>,
}

#[derive(Clone, Debug)]
pub struct StartedExecution {
    pub arn: Arc<str>,
    pub start_ms: i64,
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum StartExecutionError {
    #[error("the state machine does not exist")]
    StateMachineDoesNotExist,
    #[error("the state machine is being deleted")]
    StateMachineDeleting,
    #[error("an execution of this name exists with another input, or has ended: {arn}")]
    AlreadyExists { arn: Arc<str> },
    /// Express is started by StartSyncExecution, which is not here yet.
    #[error("express state machines cannot be started yet")]
    ExpressNotSupported,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// An execution's summary row.
#[derive(Clone, Debug)]
pub struct Summary {
    pub arn: Arc<str>,
    pub name: Arc<str>,
    pub state_machine_arn: Arc<str>,
    pub status: Status,
    pub start_ms: i64,
    pub input: Payload,
    pub trace_header: Option<Arc<str>>,
}

#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum ExecutionError {
    #[error("the execution does not exist")]
    DoesNotExist,
    #[error("the engine is not available")]
    Unavailable(#[from] Unavailable),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusName {
    Running,
    Succeeded,
    Failed,
    TimedOut,
    Aborted,
}

#[derive(Clone, Debug)]
pub struct ListExecutions {
    pub state_machine_arn: Arc<str>,
    pub status: Option<StatusName>,
    pub limit: usize,
    pub after: Option<Cursor>,
}

/// One row of ListExecutions.
#[derive(Clone, Debug)]
pub struct ListedExecution {
    pub arn: Arc<str>,
    pub name: Arc<str>,
    pub status: StatusName,
    pub start_ms: i64,
    pub stop_ms: Option<i64>,
}

#[derive(Clone, Debug)]
pub struct GetHistory {
    pub execution_arn: Arc<str>,
    pub reverse: bool,
    /// False: texts are not read; payloads in the answer may be absent.
    pub with_data: bool,
    pub limit: usize,
    /// The last event id of the page before.
    pub after: Option<u64>,
}

#[derive(Clone, Debug)]
pub struct Activity {
    pub arn: Arc<str>,
    pub name: Arc<str>,
    pub created_ms: i64,
    pub encryption: Value,
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum CreateActivityError {
    #[error("an activity of this name and another encryption exists")]
    AlreadyExists { arn: Arc<str> },
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum ActivityError {
    #[error("the activity does not exist")]
    DoesNotExist,
    #[error("too many workers poll this activity")]
    TooManyPollers,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

#[derive(Clone, Debug)]
pub struct ActivityTask {
    pub token: String,
    pub input: Payload,
}

/// Why a task token was refused.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum TokenError {
    /// Not a token that this server gave out.
    #[error("invalid token")]
    Invalid,
    /// Its task has ended, timed out or been dropped.
    #[error("the task does not exist anymore")]
    TaskTimedOut,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// The engine cannot take the call now; nothing has happened.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum Unavailable {
    /// Inboxes are full: `ThrottlingException`.
    #[error("rate exceeded")]
    Throttled,
    /// The store refuses writes, or the engine is shutting down: `ServiceUnavailable`.
    #[error("the engine is not available")]
    Down,
}

/// Tag key -> value.
pub type Tags = BTreeMap<Arc<str>, Arc<str>>;

#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum TagError {
    #[error("the resource does not exist")]
    ResourceNotFound,
    #[error("too many tags")]
    TooMany,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// What `/health` tells.
#[derive(Clone, Debug)]
pub struct Health {
    /// Why writes are refused, if they are.
    pub poisoned: Option<String>,
    pub open_executions: u64,
}

/// Events in one answer of GetExecutionHistory; `last` is given back as `after` for the next page.
#[derive(Clone, Debug)]
pub struct HistoryPage {
    pub events: Vec<HistoryEvent>,
    pub last: Option<u64>,
}

/// How an answer with a task token ends the task.
#[derive(Clone, Debug)]
pub enum Answer {
    Success(Payload),
    Failure(Failure),
}

/// The engine, as its callers hold it. A clone is a pointer; the last one dropped stops the engine.
#[derive(Clone)]
pub struct Engine {}

#[expect(clippy::unused_async, reason = "the bodies are being written")]
impl Engine {
    /// `arn:aws:states:REGION:ACCOUNT`, the beginning of every ARN.
    pub fn arn_prefix(&self) -> &str {
        unimplemented!()
    }

    /// Idempotent: the same name and content answers the existing machine.
    pub async fn create_state_machine(
        &self,
        _new: CreateStateMachine,
    ) -> Result<StateMachine, CreateStateMachineError> {
        unimplemented!()
    }

    pub async fn update_state_machine(
        &self,
        _update: UpdateStateMachine,
    ) -> Result<UpdatedStateMachine, UpdateStateMachineError> {
        unimplemented!()
    }

    /// Also true for one that is not there. Running executions are stopped at their next transition.
    pub async fn delete_state_machine(&self, _arn: &str) -> Result<(), Unavailable> {
        unimplemented!()
    }

    pub fn state_machine(&self, _arn: &str) -> Option<Arc<StateMachine>> {
        unimplemented!()
    }

    /// In creation order.
    pub fn list_state_machines(&self, _limit: usize, _after: Option<&Cursor>) -> Page<Listed> {
        unimplemented!()
    }

    /// The revision that an execution runs.
    pub async fn state_machine_of(&self, _execution_arn: &str) -> Result<StateMachine, ExecutionError> {
        unimplemented!()
    }

    pub async fn start_execution(&self, _start: StartExecution) -> Result<StartedExecution, StartExecutionError> {
        unimplemented!()
    }

    /// Answers the stop date; of an execution that has ended, its own.
    pub async fn stop_execution(&self, _arn: &str, _failure: Failure) -> Result<i64, ExecutionError> {
        unimplemented!()
    }

    pub async fn execution(&self, _arn: &str) -> Result<Summary, ExecutionError> {
        unimplemented!()
    }

    /// Newest first.
    pub async fn list_executions(&self, _list: ListExecutions) -> Result<Page<ListedExecution>, Unavailable> {
        unimplemented!()
    }

    pub async fn history(&self, _get: GetHistory) -> Result<HistoryPage, ExecutionError> {
        unimplemented!()
    }

    /// Idempotent by name.
    pub async fn create_activity(
        &self,
        _name: &str,
        _encryption: Value,
        _tags: Tags,
    ) -> Result<Activity, CreateActivityError> {
        unimplemented!()
    }

    pub async fn delete_activity(&self, _arn: &str) -> Result<(), Unavailable> {
        unimplemented!()
    }

    pub fn activity(&self, _arn: &str) -> Option<Activity> {
        unimplemented!()
    }

    /// In creation order.
    pub fn list_activities(&self, _limit: usize, _after: Option<&Cursor>) -> Page<Listed> {
        unimplemented!()
    }

    /// Waits up to `ACTIVITY_POLL_SECONDS`; `None` if no task came. Dropping the future takes the poller away.
    pub async fn activity_task(
        &self,
        _arn: &str,
        _worker: Option<Arc<str>>,
    ) -> Result<Option<ActivityTask>, ActivityError> {
        unimplemented!()
    }

    pub async fn answer_task(&self, _token: &str, _answer: Answer) -> Result<(), TokenError> {
        unimplemented!()
    }

    pub async fn heartbeat(&self, _token: &str) -> Result<(), TokenError> {
        unimplemented!()
    }

    /// Tags of a state machine or an activity.
    pub fn tags(&self, _arn: &str) -> Result<Tags, TagError> {
        unimplemented!()
    }

    pub async fn tag(&self, _arn: &str, _tags: Tags) -> Result<(), TagError> {
        unimplemented!()
    }

    pub async fn untag(&self, _arn: &str, _keys: &[Arc<str>]) -> Result<(), TagError> {
        unimplemented!()
    }

    pub fn health(&self) -> Health {
        unimplemented!()
    }

    /// Stops taking calls, finishes the commit in flight, ends all threads.
    pub async fn shut_down(&self) {
        unimplemented!()
    }
}
