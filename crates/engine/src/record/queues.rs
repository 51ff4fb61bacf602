//! The queues over open executions, as drivers read them after a start and when time passes.

use std::sync::Arc;

use stepwell_machine::TaskId;
use stepwell_store::{Direction, Space, Store, Visit};

use super::{
    ExecutionId, Intent, Offer, RecordError, Shards, Timer,
    codec::{Fault, Reader, Writer},
    key, scan,
};

const TASK_VERSION: u8 = 1;
/// Of rows whose key says everything.
const MARK_VERSION: u8 = 1;

/// Who is to have a task that waits.
pub(super) enum Queued {
    /// An integration.
    Intent,
    /// A worker of an activity.
    Offer { activity_arn: Arc<str> },
}

const INTENT: u8 = 1;
const OFFER: u8 = 2;

pub(super) fn encode_task(queued: &Queued, since_ms: i64) -> Writer {
    let mut out = Writer::row(TASK_VERSION);
    out.signed(since_ms);
    match queued {
        Queued::Intent => out.byte(INTENT),
        Queued::Offer { activity_arn } => {
            out.byte(OFFER);
            out.text(activity_arn);
        }
    }
    out
}

fn decode_task(row: &[u8]) -> Result<(i64, Queued), Fault> {
    let mut row = Reader::row(row, TASK_VERSION)?;
    let since_ms = row.signed()?;
    let queued = match row.byte()? {
        INTENT => Queued::Intent,
        OFFER => Queued::Offer { activity_arn: row.text()? },
        _ => return Err(Fault::Damaged("it is of unknown kind")),
    };
    row.end()?;
    Ok((since_ms, queued))
}

pub(super) fn encode_mark() -> Writer {
    Writer::row(MARK_VERSION)
}

fn check_mark(row: &[u8]) -> Result<(), Fault> {
    Reader::row(row, MARK_VERSION)?.end()
}

/// The execution to name where a key does not tell it.
const UNKNOWN: ExecutionId = ExecutionId([0; 16]);
const UNKNOWN_KEY: Fault = Fault::Damaged("its key is unknown");

/// The next timers of `shards` behind `after` that are due at or before `until_ms`: earliest first, at most `limit`.
///
/// Reads on past the timers of other shards, at a cost of one row each.
pub fn timers(
    store: &dyn Store,
    shards: Shards,
    after: Option<Timer>,
    until_ms: i64,
    limit: usize,
) -> Result<Vec<Timer>, RecordError> {
    const ROW: &str = "timer";
    let mut found = Vec::new();
    if limit == 0 {
        return Ok(found);
    }
    scan(store, Space::Open, &key::timers(after, until_ms), Direction::Forward, &mut |key, row| {
        let timer = key::parse_timer(key).ok_or_else(|| UNKNOWN_KEY.of(ROW, UNKNOWN))?;
        if shards.contains(timer.execution.shard()) {
            check_mark(row).map_err(|fault| fault.of(ROW, timer.execution))?;
            found.push(timer);
        }
        Ok(if found.len() < limit { Visit::Continue(()) } else { Visit::Break(()) })
    })?;
    Ok(found)
}

/// All intents of `shards`, oldest first.
pub fn intents(store: &dyn Store, shards: Shards) -> Result<Vec<Intent>, RecordError> {
    let mut found = Vec::new();
    tasks(store, shards, &mut |since_ms, execution, task, queued| match queued {
        Queued::Intent => found.push(Intent { since_ms, execution, task }),
        Queued::Offer { .. } => {}
    })?;
    found.sort_unstable();
    Ok(found)
}

/// All offers of `shards`, oldest first.
pub fn offers(store: &dyn Store, shards: Shards) -> Result<Vec<Offer>, RecordError> {
    let mut found = Vec::new();
    tasks(store, shards, &mut |since_ms, execution, task, queued| match queued {
        Queued::Intent => {}
        Queued::Offer { activity_arn } => found.push(Offer { since_ms, execution, task, activity_arn }),
    })?;
    found.sort_unstable();
    Ok(found)
}

/// A task that waits, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Time of the step that scheduled it.
    pub since_ms: i64,
    pub execution: ExecutionId,
    pub task: TaskId,
    /// `None`: for a run.
    pub activity_arn: Option<Arc<str>>,
}

/// The task behind which the rows of tasks are read on.
pub type Behind = (ExecutionId, TaskId);

/// Up to `limit` of the tasks behind `after` that are `wanted`, in the order of their keys; and behind which to read on.
/// `None`: that were all.
pub fn waiting(
    store: &dyn Store,
    after: Option<Behind>,
    limit: usize,
    wanted: &dyn Fn(Option<&Arc<str>>) -> bool,
) -> Result<(Vec<Waiting>, Option<Behind>), RecordError> {
    const ROW: &str = "task";
    let (mut found, mut more) = (Vec::new(), None);
    scan(store, Space::Open, &key::tasks_behind(after), Direction::Forward, &mut |key, row| {
        let (execution, task) = key::parse_task(key).ok_or_else(|| UNKNOWN_KEY.of(ROW, UNKNOWN))?;
        let (since_ms, queued) = decode_task(row).map_err(|fault| fault.of(ROW, execution))?;
        let activity_arn = match queued {
            Queued::Intent => None,
            Queued::Offer { activity_arn } => Some(activity_arn),
        };
        if wanted(activity_arn.as_ref()) {
            found.push(Waiting { since_ms, execution, task, activity_arn });
        }
        if found.len() >= limit {
            more = Some((execution, task));
            return Ok(Visit::Break(()));
        }
        Ok(Visit::Continue(()))
    })?;
    Ok((found, more))
}

fn tasks(
    store: &dyn Store,
    shards: Shards,
    visit: &mut dyn FnMut(i64, ExecutionId, TaskId, Queued),
) -> Result<(), RecordError> {
    const ROW: &str = "task";
    for shard in shards.iter() {
        scan(store, Space::Open, &key::tasks(shard), Direction::Forward, &mut |key, row| {
            let (execution, task) = key::parse_task(key).ok_or_else(|| UNKNOWN_KEY.of(ROW, UNKNOWN))?;
            let (since_ms, queued) = decode_task(row).map_err(|fault| fault.of(ROW, execution))?;
            visit(since_ms, execution, task, queued);
            Ok(Visit::Continue(()))
        })?;
    }
    Ok(())
}

/// Up to `limit` of the executions of `shards` behind `after` whose last step yielded, in the order of their keys:
/// `Event::Continued` comes next.
pub fn runnable(
    store: &dyn Store,
    shards: Shards,
    after: Option<ExecutionId>,
    limit: usize,
) -> Result<Vec<ExecutionId>, RecordError> {
    const ROW: &str = "wake";
    let mut found = Vec::new();
    let behind = |shard: u32| after.is_none_or(|after| shard >= after.shard());
    for shard in shards.iter().filter(|shard| behind(*shard)) {
        if found.len() >= limit {
            break;
        }
        let after = after.filter(|after| after.shard() == shard);
        scan(store, Space::Open, &key::wakes(shard, after), Direction::Forward, &mut |key, row| {
            let execution = key::parse_wake(key).ok_or_else(|| UNKNOWN_KEY.of(ROW, UNKNOWN))?;
            check_mark(row).map_err(|fault| fault.of(ROW, execution))?;
            found.push(execution);
            Ok(if found.len() < limit { Visit::Continue(()) } else { Visit::Break(()) })
        })?;
    }
    Ok(found)
}
