//! Executions: start, stop, describe, list, history.

use std::sync::{Arc, atomic::Ordering};

use stepwell_expr::Payload;
use stepwell_machine::{
    Child, Failure, HistoryEvent, Redrives, Status, TestCase, definition::MachineType, mock::MockError, root::Root,
};
use tokio::sync::oneshot;

use super::{Cursor, Engine, Page, Qualifier, Unavailable};
use crate::{
    inbox::{Errand, Start, Starter},
    record::{self, ExecutionId},
    registry::{Chosen, Revision, log_down},
};

/// About the memory of a call without its texts, in bytes.
pub(super) const CALL_BYTES: usize = 512;

#[derive(Clone, Debug)]
pub struct StartExecution {
    /// The ARN of the state machine, of a version or of an alias; an alias chooses one of its versions.
    pub state_machine_arn: Arc<str>,
    /// `None`: a UUID is drawn.
    pub name: Option<Arc<str>>,
    /// Checked JSON text, as it was sent.
    pub input: Payload,
    pub trace_header: Option<Arc<str>>,
    /// Of a start by a task: [`stepwell_machine::TaskRequest::origin`]. The same origin finds its execution, running or
    /// ended, so that a call that is repeated after a crash starts nothing twice.
    pub origin: Option<Root>,
    /// Answers tasks in place of their services.
    pub test_case: Option<Arc<TestCase>>,
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
    #[error("too many executions run")]
    TooManyOpen,
    #[error(transparent)]
    TestCase(#[from] MockError),
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
    pub qualifier: Option<Qualifier>,
    /// Events so far; while it runs, of when it started or was redriven.
    pub events: u64,
    pub redrives: Redrives,
    /// Of a child execution of a Map Run.
    pub child: Option<Arc<Child>>,
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
    /// Of a state machine, a version or an alias, or of a Map Run.
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
    pub qualifier: Option<Qualifier>,
    pub redrives: Redrives,
    /// Items in the input of a child execution.
    pub items: Option<u64>,
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

/// Events in one answer of GetExecutionHistory; `last` is given back as `after` for the next page.
#[derive(Clone, Debug)]
pub struct HistoryPage {
    pub events: Vec<HistoryEvent>,
    pub last: Option<u64>,
}

impl Engine {
    pub async fn start_execution(&self, start: StartExecution) -> Result<StartedExecution, StartExecutionError> {
        let StartExecution { state_machine_arn, name, input, trace_header, origin, test_case } = start;
        let registry = &self.0.shared.registry;
        let (revision, qualifier) = self.startable(&state_machine_arn).await?;
        if let Some(test_case) = &test_case {
            test_case.check(&revision.machine.program)?;
        }
        match revision.machine.machine_type {
            MachineType::Standard => {}
            MachineType::Express => {
                return self.start_express(revision, qualifier, name, input, trace_header, test_case);
            }
        }
        let open = self.0.shared.ledger.open_executions.load(Ordering::Relaxed);
        if open >= registry.quotas.open_executions {
            return Err(StartExecutionError::TooManyOpen);
        }
        let name = name.unwrap_or_else(|| uuid::Uuid::new_v4().to_string().into());
        let arn: Arc<str> = {
            let machine = &revision.machine;
            format!("{}:execution:{}:{name}", machine.owner.arn_prefix(), machine.name).into()
        };
        let mocks_bytes = test_case.as_ref().map_or(0, |test_case| test_case.text().len());
        let bytes = CALL_BYTES + input.bytes() + mocks_bytes;
        let (to, answer) = oneshot::channel();
        let id = ExecutionId::of_arn(&arn);
        let to = Starter::Caller(to);
        let start = Start { arn, name, revision, input, trace_header, qualifier, origin, test_case, child: None, to };
        self.0.shared.inboxes.call(id, Errand::Start(Box::new(start)), bytes)?;
        answer.await.unwrap_or(Err(Unavailable::Down.into()))
    }

    /// The revision that an execution of this machine, version or alias starts with now.
    pub(super) async fn startable(
        &self,
        state_machine_arn: &Arc<str>,
    ) -> Result<(Revision, Option<Qualifier>), StartExecutionError> {
        let registry = &self.0.shared.registry;
        let chosen = registry.choose(state_machine_arn).ok_or(StartExecutionError::StateMachineDoesNotExist)?;
        let Chosen { key, deleting, qualifier } = chosen;
        let machine = match registry.in_memory(key) {
            Some(machine) => machine,
            None => self.blocking(move |shared| shared.registry.revision(key).map_err(log_down)).await??,
        };
        let revision = Revision { key, machine, deleting };
        if revision.deleting.load(Ordering::SeqCst) {
            return Err(StartExecutionError::StateMachineDeleting);
        }
        Ok((revision, qualifier))
    }

    /// Answers the stop date; of an execution that has ended, its own.
    pub async fn stop_execution(&self, arn: &str, failure: Failure) -> Result<i64, ExecutionError> {
        let texts = [&failure.error, &failure.cause];
        let bytes = CALL_BYTES + texts.iter().filter_map(|text| text.as_ref()).map(|text| text.len()).sum::<usize>();
        let (to, answer) = oneshot::channel();
        self.0.shared.inboxes.call(ExecutionId::of_arn(arn), Errand::Stop { failure, to }, bytes)?;
        answer.await.unwrap_or(Err(Unavailable::Down.into()))
    }

    pub async fn execution(&self, arn: &str) -> Result<Summary, ExecutionError> {
        let id = ExecutionId::of_arn(arn);
        self.reading(1, move |shared| {
            let store = shared.store.as_ref();
            let row = record::summary(store, id).map_err(log_down)?.ok_or(ExecutionError::DoesNotExist)?;
            record::fill(store, id, &row.absent()).map_err(log_down)?;
            Ok(row.summary)
        })
        .await?
    }

    /// Newest first.
    pub async fn list_executions(&self, list: ListExecutions) -> Result<Page<ListedExecution>, Unavailable> {
        self.reading(list.limit, move |shared| {
            let ListExecutions { state_machine_arn, status, limit, after } = list;
            let (store, running) = (shared.store.as_ref(), Some(&shared.committer.running));
            record::list(store, running, &state_machine_arn, status, limit, after.as_ref()).map_err(log_down)
        })
        .await?
    }

    pub async fn history(&self, get: GetHistory) -> Result<HistoryPage, ExecutionError> {
        self.reading(get.limit, move |shared| {
            let page = record::history(shared.store.as_ref(), &get).map_err(log_down)?;
            page.ok_or(ExecutionError::DoesNotExist)
        })
        .await?
    }
}
