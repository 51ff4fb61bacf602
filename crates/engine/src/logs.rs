//! Execution logs: history events of state machines that ask for it, handed to a sink once they are durable.
//!
//! At least once: the step that adds events of a Standard execution also adds a row that says that they are to be
//! logged, and the row goes when the sink has taken them; after a crash what is left is handed over again. Events of
//! Express executions, which are rows nowhere, are logged as long as the process lives.
//!
//! A sink that does not keep up is cut off: past `LOG_QUEUE_EVENTS_MAX` events or [`LOG_QUEUE_BYTES_MAX`] bytes that
//! wait, further ones are dropped, and the sink is told how many once it is back.

use std::{collections::VecDeque, future::Future, pin::Pin, sync::Arc, time::Instant};

use parking_lot::{Condvar, Mutex};
use stepwell_expr::Value;
use stepwell_machine::{HistoryEvent, Identity, Step, history::Detail, state::StateType};
use stepwell_store::Batch;
use tokio::{runtime::Handle, sync::Notify};

use crate::{
    committer::{CommitQueue, Message, Submission},
    handle::GetHistory,
    limits::{
        LOG_BATCH_BYTES_MAX, LOG_BATCH_EVENTS_MAX, LOG_FLUSH_TIME_MAX, LOG_MARKS_MAX, LOG_QUEUE_BYTES_MAX,
        LOG_RETRY_AFTER, LOG_RETRY_AFTER_MAX, PAGE_MAX,
    },
    record::{self, ExecutionId, LogMark},
    registry::log_down,
    shared::Shared,
    timeline::Timeline,
};

/// Takes log entries to wherever they are kept.
pub trait LogSink: Send + Sync + 'static {
    /// Takes all entries, in their order, or none that will not be given again.
    ///
    /// After an error the same entries are given again, so that one may be kept twice.
    fn take(&self, entries: Arc<[LogEntry]>) -> Pin<Box<dyn Future<Output = Result<(), LogError>> + Send + '_>>;
}

/// Why a sink did not take entries, in its own words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct LogError(pub String);

/// What a sink is given.
#[derive(Clone, Debug)]
pub enum LogEntry {
    Event(LoggedEvent),
    /// So many events were dropped before what comes next, since the sink did not keep up.
    Gap {
        dropped: u64,
    },
}

/// An event of an execution whose state machine asks for it.
#[derive(Clone, Debug)]
pub struct LoggedEvent {
    pub logging: Arc<Logging>,
    pub about: Arc<About>,
    pub event: HistoryEvent,
}

/// The execution that an event is of.
#[derive(Clone, Debug)]
pub struct About {
    pub execution_arn: Arc<str>,
    pub state_machine_name: Arc<str>,
    /// Of its state machine, whose right it is to log.
    pub role_arn: Arc<str>,
    /// When it was started, in milliseconds since 1970.
    pub start_ms: i64,
    pub redrive_count: u64,
    /// Of a child execution of a Map Run.
    pub map_run_arn: Option<Arc<str>>,
}

/// What a state machine's `loggingConfiguration` asks for. Never `OFF`.
#[derive(Debug, PartialEq, Eq)]
pub struct Logging {
    pub level: LogLevel,
    pub include_data: bool,
    /// ARN of the log group, `…:log-group:NAME:*`.
    pub log_group_arn: Arc<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    All,
    Error,
    Fatal,
}

impl Logging {
    /// Of the API's block; `None` where nothing is to be logged.
    pub(crate) fn of(block: &Value) -> Option<Arc<Logging>> {
        let level = match block.get("level")?.as_str()? {
            "ALL" => LogLevel::All,
            "ERROR" => LogLevel::Error,
            "FATAL" => LogLevel::Fatal,
            _ => return None,
        };
        let include_data = matches!(block.get("includeExecutionData"), Some(Value::Bool(true)));
        let destination = block.get("destinations")?.as_array()?.first()?;
        let log_group_arn = destination.get("cloudWatchLogsLogGroup")?.get("logGroupArn")?.as_str()?.into();
        Some(Arc::new(Logging { level, include_data, log_group_arn }))
    }

    fn wants(&self, detail: &Detail) -> bool {
        match self.level {
            LogLevel::All => true,
            LogLevel::Error => severity(detail) >= Severity::Error,
            LogLevel::Fatal => severity(detail) >= Severity::Fatal,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Severity {
    Usual,
    Error,
    Fatal,
}

/// From which level on an event is logged. Source: Step Functions guide, "Log levels for Step Functions execution events".
fn severity(detail: &Detail) -> Severity {
    match detail {
        Detail::ExecutionFailed(_) | Detail::ExecutionAborted(_) | Detail::ExecutionTimedOut(_) => Severity::Fatal,
        Detail::StateEntered { kind: StateType::Fail, .. }
        | Detail::LambdaFunctionFailed(_)
        | Detail::LambdaFunctionTimedOut(_)
        | Detail::ActivityFailed(_)
        | Detail::ActivityTimedOut(_)
        | Detail::TaskFailed { .. }
        | Detail::TaskTimedOut { .. }
        | Detail::TaskStateAborted
        | Detail::WaitStateAborted
        | Detail::ParallelStateFailed
        | Detail::ParallelStateAborted
        | Detail::MapStateFailed
        | Detail::MapStateAborted
        | Detail::MapIterationFailed { .. }
        | Detail::MapIterationAborted { .. }
        | Detail::MapRunFailed(_)
        | Detail::MapRunAborted
        | Detail::EvaluationFailed { .. } => Severity::Error,
        Detail::ExecutionStarted { .. }
        | Detail::ExecutionSucceeded { .. }
        | Detail::ExecutionRedriven { .. }
        | Detail::StateEntered { .. }
        | Detail::StateExited { .. }
        | Detail::LambdaFunctionScheduled { .. }
        | Detail::LambdaFunctionStarted
        | Detail::LambdaFunctionSucceeded { .. }
        | Detail::ActivityScheduled { .. }
        | Detail::ActivityStarted { .. }
        | Detail::ActivitySucceeded { .. }
        | Detail::TaskScheduled { .. }
        | Detail::TaskStarted { .. }
        | Detail::TaskSubmitted { .. }
        | Detail::TaskSucceeded { .. }
        | Detail::ParallelStateStarted
        | Detail::ParallelStateSucceeded
        | Detail::MapStateStarted { .. }
        | Detail::MapStateSucceeded
        | Detail::MapIterationStarted { .. }
        | Detail::MapIterationSucceeded { .. }
        | Detail::MapRunStarted { .. }
        | Detail::MapRunSucceeded
        | Detail::MapRunRedriven { .. } => Severity::Usual,
    }
}

/// The events of one step that are to be logged.
pub(crate) struct Logged {
    events: Vec<LoggedEvent>,
    bytes: usize,
    /// Of a Standard execution: its row, to be deleted once they have been taken.
    pub(crate) mark: Option<LogMark>,
}

impl Logged {
    /// `None`: the level asks for none of them.
    pub(crate) fn of(logging: &Arc<Logging>, identity: &Identity, step: &Step) -> Option<Logged> {
        let about = About {
            execution_arn: identity.arn.clone(),
            state_machine_name: identity.state_machine_name.clone(),
            role_arn: identity.role_arn.clone(),
            start_ms: identity.start_ms,
            redrive_count: step.header.redrives.count,
            map_run_arn: identity.child.as_ref().map(|child| child.map_run_arn.clone()),
        };
        Logged::of_events(logging, &Arc::new(about), &step.history)
    }

    fn of_events(logging: &Arc<Logging>, about: &Arc<About>, events: &[HistoryEvent]) -> Option<Logged> {
        let mut bytes = 0;
        let logged = |event: &HistoryEvent| {
            bytes += size_of::<LoggedEvent>();
            if logging.include_data {
                event.detail.for_each_payload(&mut |payload| bytes += payload.bytes());
            }
            LoggedEvent { logging: logging.clone(), about: about.clone(), event: event.clone() }
        };
        let events: Vec<LoggedEvent> = events.iter().filter(|event| logging.wants(&event.detail)).map(logged).collect();
        (!events.is_empty()).then_some(Logged { events, bytes, mark: None })
    }

    /// With the row that says so.
    pub(crate) fn marked(mut self, execution: ExecutionId) -> Logged {
        let [first_event, last_event] =
            [self.events.first(), self.events.last()].map(|logged| logged.map_or(0, |logged| logged.event.id));
        let redrive_count = self.events.first().map_or(0, |logged| logged.about.redrive_count);
        self.mark = Some(LogMark { execution, first_event, last_event, redrive_count });
        self
    }
}

/// What waits to be taken.
enum Waiting {
    Here(Logged),
    /// Left by a process before this one; its events are read when their turn comes.
    Stored(LogMark),
}

/// The queue to the sink.
pub(crate) struct Logs {
    state: Mutex<State>,
    /// Something waits, or the queue closes.
    work: Notify,
    /// The sink has taken something, or has been given up.
    taken: Condvar,
    events_max: usize,
    queue: CommitQueue,
    timeline: Arc<Timeline>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    /// Of what waits and is here.
    events: usize,
    bytes: usize,
    /// Events that were dropped since the sink was told last.
    dropped: u64,
    /// Rows of what was dropped, not deleted yet.
    dropped_marks: Vec<LogMark>,
    /// The sink has been given something.
    taking: bool,
    has_sink: bool,
    closing: bool,
}

/// A batch for the sink.
struct Turn {
    entries: Arc<[LogEntry]>,
    marks: Vec<LogMark>,
}

impl Logs {
    /// `left`: what a process before this one did not log any more.
    pub(crate) fn new(left: Vec<LogMark>, events_max: usize, queue: CommitQueue, timeline: Arc<Timeline>) -> Logs {
        let state = State { waiting: left.into_iter().map(Waiting::Stored).collect(), ..State::default() };
        Logs { state: Mutex::new(state), work: Notify::new(), taken: Condvar::new(), events_max, queue, timeline }
    }

    /// The events of a step that is durable, or of an Express execution.
    pub(crate) fn put(&self, logged: Logged) {
        let mut to_forget = Vec::new();
        {
            let mut state = self.state.lock();
            let count = logged.events.len();
            let full = state.events + count > self.events_max || state.bytes + logged.bytes > LOG_QUEUE_BYTES_MAX;
            if full {
                if state.dropped == 0 {
                    tracing::warn!("the log sink does not keep up: execution log events are dropped");
                }
                state.dropped += count as u64;
                state.dropped_marks.extend(logged.mark);
                if state.dropped_marks.len() >= LOG_MARKS_MAX {
                    to_forget = std::mem::take(&mut state.dropped_marks);
                }
            } else {
                state.events += count;
                state.bytes += logged.bytes;
                state.waiting.push_back(Waiting::Here(logged));
            }
        }
        self.forget(&to_forget);
        self.work.notify_one();
    }

    /// Starts to hand over to a sink, until the queue closes.
    pub(crate) fn start(&self, shared: &Arc<Shared>, sink: Arc<dyn LogSink>, runtime: &Handle) {
        self.state.lock().has_sink = true;
        drop(runtime.spawn(run(shared.clone(), sink)));
    }

    /// Waits, for a bounded time, until the sink has taken what it was to be given. Blocks.
    pub(crate) fn finish(&self) {
        let until = Instant::now() + LOG_FLUSH_TIME_MAX;
        let mut state = self.state.lock();
        state.closing = true;
        self.work.notify_one();
        while state.has_sink && (state.taking || !state.waiting.is_empty()) {
            if self.taken.wait_until(&mut state, until).timed_out() {
                tracing::warn!("the log sink did not take everything in time");
                return;
            }
        }
    }

    fn is_closing(&self) -> bool {
        self.state.lock().closing
    }

    /// False if the queue closed before the sink took it.
    async fn hand_over(&self, sink: &dyn LogSink, turn: &Turn) -> bool {
        let mut after = LOG_RETRY_AFTER;
        while let Err(error) = sink.take(turn.entries.clone()).await {
            if self.is_closing() {
                return false;
            }
            tracing::warn!(error = error.to_string(), "execution logs cannot be delivered: tried again later");
            let closed = async {
                while !self.is_closing() {
                    self.work.notified().await;
                }
            };
            // Whether it closed or not, it is tried once more.
            drop(tokio::time::timeout(after, closed).await);
            after = (after * 2).min(LOG_RETRY_AFTER_MAX);
        }
        true
    }

    /// The next batch; `None`: nothing waits. Reads the disk where events are in rows only.
    fn turn(&self, shared: &Shared) -> Option<Turn> {
        let mut entries = Vec::new();
        let mut marks = Vec::new();
        let mut bytes = 0;
        while entries.len() < LOG_BATCH_EVENTS_MAX && bytes < LOG_BATCH_BYTES_MAX {
            let Some(waiting) = self.next(&mut entries, &mut marks) else { break };
            let logged = match waiting {
                Waiting::Here(logged) => {
                    marks.extend(logged.mark);
                    Some(logged)
                }
                Waiting::Stored(mark) => {
                    marks.push(mark);
                    read(shared, mark)
                }
            };
            if let Some(logged) = logged {
                bytes += logged.bytes;
                entries.extend(logged.events.into_iter().map(LogEntry::Event));
            }
        }
        if entries.is_empty() {
            self.done(&marks);
            return None;
        }
        Some(Turn { entries: entries.into(), marks })
    }

    /// What was dropped had come behind all that waits.
    fn next(&self, entries: &mut Vec<LogEntry>, marks: &mut Vec<LogMark>) -> Option<Waiting> {
        let mut state = self.state.lock();
        state.taking = true;
        let waiting = state.waiting.pop_front();
        match &waiting {
            Some(Waiting::Here(logged)) => {
                state.events -= logged.events.len();
                state.bytes -= logged.bytes;
            }
            Some(Waiting::Stored(_)) => {}
            None if state.dropped > 0 => {
                entries.push(LogEntry::Gap { dropped: std::mem::take(&mut state.dropped) });
                marks.append(&mut state.dropped_marks);
            }
            None => {}
        }
        waiting
    }

    /// The sink has taken what it was given: the rows of it go.
    fn done(&self, marks: &[LogMark]) {
        self.forget(marks);
        self.state.lock().taking = false;
        self.taken.notify_all();
    }

    fn forget(&self, marks: &[LogMark]) {
        if marks.is_empty() {
            return;
        }
        let mut batch = Batch::default();
        marks.iter().for_each(|mark| record::forget_log(mark, &mut batch));
        let submission = Submission::of_rows(batch, Vec::new(), self.timeline.begin());
        // Where the committer has gone, the rows stay, and what they tell of is logged again.
        drop(self.queue.send(Message::Commit(Box::new(submission))));
    }

    fn give_up(&self) {
        let mut state = self.state.lock();
        state.taking = false;
        state.has_sink = false;
        drop(state);
        self.taken.notify_all();
    }
}

/// Hands over whatever comes, until the queue has closed and is empty.
async fn run(shared: Arc<Shared>, sink: Arc<dyn LogSink>) {
    let logs = shared.logs.clone();
    loop {
        let reading = shared.clone();
        let Ok(turn) = tokio::task::spawn_blocking(move || reading.logs.turn(&reading)).await else { break };
        match turn {
            Some(turn) => {
                if !logs.hand_over(sink.as_ref(), &turn).await {
                    break;
                }
                logs.done(&turn.marks);
            }
            None if logs.is_closing() => break,
            None => logs.work.notified().await,
        }
    }
    logs.give_up();
}

/// The events that a row tells of; `None` if they cannot be read, or are not to be logged after all.
fn read(shared: &Shared, mark: LogMark) -> Option<Logged> {
    let store = shared.store.as_ref();
    let row = record::summary(store, mark.execution).map_err(log_down).ok()??;
    let machine = shared.registry.revision(row.revision).map_err(log_down).ok()?;
    let logging = Logging::of(&machine.logging)?;
    let mut events = Vec::new();
    let mut after = mark.first_event.checked_sub(1).filter(|after| *after > 0);
    loop {
        let get = GetHistory {
            execution_arn: row.summary.arn.clone(),
            reverse: false,
            with_data: logging.include_data,
            limit: PAGE_MAX,
            after,
        };
        let page = record::history(store, &get).map_err(log_down).ok()??;
        events.extend(page.events.into_iter().take_while(|event| event.id <= mark.last_event));
        after = page.last.filter(|last| *last < mark.last_event);
        if after.is_none() {
            break;
        }
    }
    let about = About {
        execution_arn: row.summary.arn,
        state_machine_name: machine.name.clone(),
        role_arn: machine.role_arn.clone(),
        start_ms: row.summary.start_ms,
        redrive_count: mark.redrive_count,
        map_run_arn: row.summary.child.map(|child| child.map_run_arn.clone()),
    };
    Logged::of_events(&logging, &Arc::new(about), &events)
}

#[cfg(test)]
mod tests {
    use stepwell_expr::json;

    use super::*;

    #[test]
    fn blocks_that_ask_for_logs() {
        let of = |level: &str, more: &str| {
            let group = r#"{"cloudWatchLogsLogGroup":{"logGroupArn":"arn:g:*"}}"#;
            let block = format!(r#"{{"level":"{level}","destinations":[{group}]{more}}}"#);
            Logging::of(&json::parse(&block).unwrap()).map(|logging| (logging.level, logging.include_data))
        };
        assert_eq!(of("ALL", ""), Some((LogLevel::All, false)));
        assert_eq!(of("ERROR", r#","includeExecutionData":true"#), Some((LogLevel::Error, true)));
        assert_eq!(of("FATAL", ""), Some((LogLevel::Fatal, false)));
        assert_eq!(of("OFF", ""), None);
        assert_eq!(Logging::of(&json::parse(r#"{"level":"ALL","destinations":[]}"#).unwrap()), None);
        assert_eq!(Logging::of(&Value::empty_object()), None);
    }
}
