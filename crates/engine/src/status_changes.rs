//! Status changes of Standard executions, handed to a sink once they are durable: what EventBridge is told.
//!
//! At least once: the step that starts, ends or redrives an execution also adds a row that says so, and the row goes when
//! the sink has taken the change; after a crash what is left is handed over again. What a change tells is read from the
//! execution's own rows when its turn comes, so that what waits costs next to no memory: past a bound a
//! change waits as its row alone, and nothing is ever slowed down or lost by a sink that does not keep up.
//!
//! An engine that announces nothing writes none of these rows.

use std::{
    collections::{BTreeSet, VecDeque},
    future::Future,
    pin::Pin,
    sync::Arc,
};

use parking_lot::Mutex;
use stepwell_machine::{Status, history::Detail};
use stepwell_store::Batch;
use tokio::{runtime::Handle, sync::Notify, sync::oneshot};

use crate::{
    committer::{CommitQueue, Message, Submission},
    handle::{GetHistory, Summary},
    limits::{STATUS_BATCH_MAX, STATUS_RETRY_AFTER, STATUS_RETRY_AFTER_MAX},
    logs::LogError,
    record::{self, StatusMark},
    registry::log_down,
    reply::Reply,
    shared::Shared,
    timeline::Timeline,
};

/// Tells the world of status changes.
pub trait StatusSink: Send + Sync + 'static {
    /// Takes all changes, in their order, or none that will not be given again.
    ///
    /// After an error the same changes are given again, so that one may be told twice.
    fn take(&self, changes: Arc<[StatusChange]>) -> Pin<Box<dyn Future<Output = Result<(), LogError>> + Send + '_>>;
}

/// An execution as it was right after its status had changed.
#[derive(Clone, Debug)]
pub struct StatusChange {
    pub execution: Summary,
    /// When it changed, in milliseconds since 1970.
    pub at_ms: i64,
}

/// The queue to the sink.
pub(crate) struct StatusChanges {
    is_on: bool,
    state: Mutex<State>,
    /// Something waits, or the queue closes.
    work: Notify,
    queued_max: usize,
    queue: CommitQueue,
    timeline: Arc<Timeline>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<StatusMark>,
    /// There may be rows that are not among those that wait.
    has_rows: bool,
    closing: bool,
}

impl StatusChanges {
    /// What a process before this one did not hand over is found among the rows.
    pub(crate) fn new(is_on: bool, queued_max: usize, queue: CommitQueue, timeline: Arc<Timeline>) -> StatusChanges {
        let state = State { has_rows: true, ..State::default() };
        StatusChanges { is_on, state: Mutex::new(state), work: Notify::new(), queued_max, queue, timeline }
    }

    /// Whether changes are announced at all.
    pub(crate) fn is_on(&self) -> bool {
        self.is_on
    }

    /// A change that is durable, with its row.
    pub(crate) fn put(&self, mark: StatusMark) {
        let mut state = self.state.lock();
        if state.waiting.len() < self.queued_max {
            state.waiting.push_back(mark);
        } else {
            state.has_rows = true;
        }
        drop(state);
        self.work.notify_one();
    }

    /// Starts to hand over to a sink, until the queue closes.
    pub(crate) fn start(&self, shared: &Arc<Shared>, sink: Arc<dyn StatusSink>, runtime: &Handle) {
        drop(runtime.spawn(run(shared.clone(), sink)));
    }

    /// What waits is handed over by the next process.
    pub(crate) fn close(&self) {
        self.state.lock().closing = true;
        self.work.notify_one();
    }

    fn is_closing(&self) -> bool {
        self.state.lock().closing
    }

    /// The next changes, and their rows. Reads the disk.
    fn turn(&self, shared: &Shared) -> (Vec<StatusChange>, Vec<StatusMark>) {
        let marks = match self.pop() {
            marks if !marks.is_empty() => marks,
            _ => {
                self.refill(shared);
                self.pop()
            }
        };
        let changes = marks.iter().filter_map(|mark| read(shared, mark)).collect();
        (changes, marks)
    }

    fn pop(&self) -> Vec<StatusMark> {
        let mut state = self.state.lock();
        let count = state.waiting.len().min(STATUS_BATCH_MAX);
        state.waiting.drain(..count).collect()
    }

    /// Queues changes that wait as rows. To be called when the rows of all that was taken are gone.
    fn refill(&self, shared: &Shared) {
        if !std::mem::take(&mut self.state.lock().has_rows) {
            return;
        }
        let Ok(rows) = record::status_marks(shared.store.as_ref(), self.queued_max).map_err(log_down) else { return };
        let mut state = self.state.lock();
        let queued: BTreeSet<_> = state.waiting.iter().map(|mark| (mark.execution, mark.event)).collect();
        state.has_rows |= rows.len() >= self.queued_max;
        state.waiting.extend(rows.into_iter().filter(|mark| !queued.contains(&(mark.execution, mark.event))));
    }

    /// False if the queue closed before the sink took it.
    async fn hand_over(&self, sink: &dyn StatusSink, changes: Arc<[StatusChange]>) -> bool {
        let mut after = STATUS_RETRY_AFTER;
        while let Err(error) = sink.take(changes.clone()).await {
            if self.is_closing() {
                return false;
            }
            tracing::warn!(error = error.to_string(), "status changes cannot be announced: tried again later");
            let closed = async {
                while !self.is_closing() {
                    self.work.notified().await;
                }
            };
            drop(tokio::time::timeout(after, closed).await);
            after = (after * 2).min(STATUS_RETRY_AFTER_MAX);
        }
        true
    }

    /// Deletes the rows of what was handed over; comes back once they are gone. False: the engine ends.
    async fn forget(&self, marks: &[StatusMark]) -> bool {
        let mut batch = Batch::default();
        marks.iter().for_each(|mark| record::forget_status(mark, &mut batch));
        let (to, forgotten) = oneshot::channel();
        let submission = Submission::of_rows(batch, vec![Reply::Done(to)], self.timeline.begin());
        // Where the committer has gone, the rows stay, and what they tell of is announced again.
        self.queue.send(Message::Commit(Box::new(submission))).is_ok() && matches!(forgotten.await, Ok(Ok(())))
    }
}

/// Hands over whatever comes, until the queue closes.
async fn run(shared: Arc<Shared>, sink: Arc<dyn StatusSink>) {
    let changes = shared.status_changes.clone();
    while !changes.is_closing() {
        let reading = shared.clone();
        let turn = tokio::task::spawn_blocking(move || reading.status_changes.turn(&reading)).await;
        let Ok((told, marks)) = turn else { return };
        if marks.is_empty() {
            changes.work.notified().await;
            continue;
        }
        let taken = told.is_empty() || changes.hand_over(sink.as_ref(), told.into()).await;
        if !taken || !changes.forget(&marks).await {
            return;
        }
    }
}

/// The execution as it was; `None` if it cannot be read, or is not there any more.
fn read(shared: &Shared, mark: &StatusMark) -> Option<StatusChange> {
    let store = shared.store.as_ref();
    let mut execution = record::summary(store, mark.execution).map_err(log_down).ok()??.summary;
    let get = GetHistory {
        execution_arn: execution.arn.clone(),
        reverse: false,
        with_data: true,
        limit: 1,
        after: mark.event.checked_sub(1).filter(|after| *after > 0),
    };
    let event = record::history(store, &get).map_err(log_down).ok()??.events.into_iter().next()?;
    let stop_ms = event.timestamp_ms;
    execution.status = match event.detail {
        Detail::ExecutionSucceeded { output } => Status::Succeeded { output, stop_ms },
        Detail::ExecutionFailed(failure) => Status::Failed { failure, stop_ms },
        Detail::ExecutionAborted(failure) => Status::Aborted { failure, stop_ms },
        Detail::ExecutionTimedOut(failure) => Status::TimedOut { failure, stop_ms },
        _ => Status::Running,
    };
    execution.events = mark.event;
    execution.redrives = mark.redrives;
    Some(StatusChange { execution, at_ms: event.timestamp_ms })
}
