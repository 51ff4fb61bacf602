//! Executions as stored: steps to rows, rows back to executions, and all reads over executions.
//!
//! Formats are types and versions of their own, apart from the machine's types in memory. Writing: [`record_start`],
//! then [`record_step`] for each step; both only fill a batch. Reading, for drivers: [`load`], [`fill`], and the
//! queues [`timers`], [`intents`], [`offers`], [`runnable`]; for callers: [`summary`], [`history`], [`list`].

//!
//! [`key`] says which rows there are. A pure execution, which ends in its first step, writes three: summary, history
//! chunk and listing.

mod codec;
mod events;
mod examine;
mod frames;
mod history;
mod key;
mod listing;
mod load;
mod map_run;
mod marks;
mod newest;
mod queues;
mod remove;
mod running;
mod stops;
mod summary;
mod texts;
mod wrecks;
mod write;

#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, fmt, sync::Arc};

use sha2::{Digest, Sha256};
use stepwell_expr::Payload;
use stepwell_machine::{Execution, FrameId, Identity, Redrives, TaskId};
use stepwell_store::{Direction, Space, Store, Visit};

pub use examine::{Broken, Examined, examine};
pub use history::history;
pub use listing::{count, list};
pub use load::{load, load_wrecked};
pub use map_run::{
    ChildOutcome, ExpressOutcome, ExpressOutcomes, ItemCursor, MapRunMark, MapRunPlace, MapRunRow, ended_children,
    express_outcomes, last_outcome, map_run, map_run_marks, map_run_place, map_run_places, map_runs,
    mark as mark_map_run, outcomes, put as put_map_run, put_outcome, unmark as unmark_map_run,
};
pub use marks::{forget_log, forget_status, log_marks, mark_log, mark_status, status_marks};
pub use newest::{from_start, newest};
pub use queues::{Behind, Waiting, intents, offers, runnable, timers, waiting};
pub use remove::{Expired, Removal, expired, keep_used, remove};
pub use running::Running;
pub use stops::{forget_stop, note_stop, stops};
pub(crate) use summary::status_name;
pub use summary::summary;
pub use texts::fill;
pub use wrecks::sweep_wrecks;
pub use write::{record_start, record_step};

use crate::{
    handle::{StatusName, Summary},
    limits::{REDRIVE_TOKENS_MAX, SHARDS},
};

/// First 16 bytes of the SHA-256 of the execution's ARN: uniqueness of the name, look-up and routing in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutionId(pub [u8; 16]);

impl ExecutionId {
    pub fn of_arn(arn: &str) -> ExecutionId {
        let mut id = [0; 16];
        id.copy_from_slice(&Sha256::digest(arn.as_bytes())[..16]);
        ExecutionId(id)
    }

    pub fn of(identity: &Identity) -> ExecutionId {
        ExecutionId(identity.id)
    }

    /// The id, as a number, modulo [`SHARDS`].
    pub fn shard(self) -> u32 {
        let number = u128::from_be_bytes(self.0) % u128::from(SHARDS);
        u32::try_from(number).expect("less than SHARDS")
    }
}

impl fmt::Display for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The shards that one driver owns: those with `shard % drivers == driver`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shards {
    driver: u32,
    drivers: u32,
}

impl Shards {
    pub const ALL: Shards = Shards { driver: 0, drivers: 1 };

    /// `driver` counts from 0. Panics if `drivers` is 0 or `driver` is not below it.
    pub fn of_driver(driver: u32, drivers: u32) -> Shards {
        assert!(driver < drivers, "drivers are counted from 0");
        Shards { driver, drivers }
    }

    pub fn contains(self, shard: u32) -> bool {
        shard % self.drivers == self.driver
    }

    pub fn iter(self) -> impl Iterator<Item = u32> {
        (0..SHARDS).filter(move |shard| self.contains(*shard))
    }
}

/// What the recorder must know about an execution beside the execution itself: mostly, which rows are there.
///
/// Invariant: describes the store as it is once every batch that was filled so far is committed. After a failed commit
/// it is dropped together with its execution.
#[derive(Clone, Debug)]
pub struct Books {
    /// The immutable revision of the state machine that it runs.
    pub revision: u64,
    pub trace_header: Option<Arc<str>>,
    input_hash: [u8; 32],
    /// The header as stored, without the frame in its row; empty before the first step and after the last.
    header: Vec<u8>,
    /// The frame that is beside the header.
    lone: Option<FrameId>,
    /// Header and frame are part of the summary row, and there is no header row.
    in_summary: bool,
    /// All events so far, if they are part of the summary row; `None`: they have rows.
    first_events: Option<events::FirstEvents>,
    /// The due time of the timer row, in milliseconds since 1970.
    timer_ms: Option<i64>,
    /// The status under which it is listed; `None` before the first step.
    listed: Option<StatusName>,
    /// True if the wake row is there.
    waking: bool,
    /// Tasks that may have an intent or offer row.
    queued: BTreeSet<TaskId>,
    /// Ids of texts known to be stored under this execution.
    texts: BTreeSet<u64>,
    /// Redrives as of the summary row.
    redrives: u64,
    /// Of the last redrives, the oldest first.
    redrive_tokens: Vec<RedriveToken>,
}

/// A client token that an execution was redriven with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedriveToken {
    hash: [u8; 16],
    redrive_ms: i64,
}

impl Books {
    /// True if it was started with this text as input.
    pub fn same_input(&self, input: &Payload) -> bool {
        self.input_hash == input_hash(input)
    }

    /// When the execution was redriven with this client token, if that was after `after_ms`, milliseconds since 1970.
    pub fn redriven_with(&self, token: &str, after_ms: Option<i64>) -> Option<i64> {
        let hash = token_hash(token);
        let is_it =
            |known: &&RedriveToken| known.hash == hash && after_ms.is_none_or(|after_ms| known.redrive_ms > after_ms);
        self.redrive_tokens.iter().find(is_it).map(|known| known.redrive_ms)
    }

    /// To be told before the step of a redrive is recorded.
    pub fn note_redrive(&mut self, token: &str, now_ms: i64) {
        if self.redrive_tokens.len() >= REDRIVE_TOKENS_MAX {
            self.redrive_tokens.remove(0);
        }
        self.redrive_tokens.push(RedriveToken { hash: token_hash(token), redrive_ms: now_ms });
    }
}

fn token_hash(token: &str) -> [u8; 16] {
    let mut hash = [0; 16];
    hash.copy_from_slice(&Sha256::digest(token.as_bytes())[..16]);
    hash
}

fn input_hash(input: &Payload) -> [u8; 32] {
    Sha256::digest(input.text().as_bytes()).into()
}

/// An execution as stored, to be stepped on. Long payloads are absent.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub execution: Execution,
    pub books: Books,
}

/// A summary row. Its input and output may be absent.
#[derive(Clone, Debug)]
pub struct SummaryRow {
    pub summary: Summary,
    pub revision: u64,
    pub input_hash: [u8; 32],
}

/// The earliest deadline of a waiting execution. Ordered by due time, then id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timer {
    /// Milliseconds since 1970.
    pub due_ms: i64,
    pub execution: ExecutionId,
}

/// A task that has been scheduled and whose run has not ended; after a crash it is run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Intent {
    /// Time of the step that scheduled it.
    pub since_ms: i64,
    pub execution: ExecutionId,
    pub task: TaskId,
}

/// An activity's task that no worker has taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Offer {
    /// Time of the step that scheduled it.
    pub since_ms: i64,
    pub execution: ExecutionId,
    pub task: TaskId,
    pub activity_arn: Arc<str>,
}

/// That events of an execution are to be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogMark {
    pub execution: ExecutionId,
    pub first_event: u64,
    pub last_event: u64,
    /// Redrives before these events.
    pub redrive_count: u64,
}

/// That the status of an execution has changed, which is to be announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusMark {
    pub execution: ExecutionId,
    /// The event that tells of it.
    pub event: u64,
    /// As they were then.
    pub redrives: Redrives,
}

#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error(transparent)]
    Store(#[from] stepwell_store::Error),
    #[error("the {row} of execution {execution} is damaged: {reason}")]
    Damaged { row: &'static str, execution: String, reason: &'static str },
    #[error(
        "the {row} of execution {execution} has format {found}, this program reads up to {known}: use a newer release"
    )]
    NewerFormat { row: &'static str, execution: String, found: u8, known: u8 },
}

/// Takes a row's key and value.
type Visitor<'a> = dyn FnMut(&[u8], &[u8]) -> Result<Visit, RecordError> + 'a;

/// Visits the rows of a range; the visitor's error ends the scan.
fn scan(
    store: &dyn Store,
    space: Space,
    range: &key::Range,
    direction: Direction,
    visit: &mut Visitor<'_>,
) -> Result<(), RecordError> {
    let mut failed = None;
    store.scan(space, &range.from, &range.to, direction, &mut |key, value| match visit(key, value) {
        Ok(visit) => visit,
        Err(error) => {
            failed = Some(error);
            Visit::Break(())
        }
    })?;
    failed.map_or(Ok(()), Err)
}
