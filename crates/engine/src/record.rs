//! Executions as stored: steps to rows, rows back to executions, and all reads over executions.
//!
//! Formats are types and versions of their own, apart from the machine's types in memory. Writing: [`record_start`],
//! then [`record_step`] for each step; both only fill a batch. Reading, for drivers: [`load`], [`fill`], and the
//! queues [`timers`], [`intents`], [`offers`], [`runnable`]; for callers: [`summary`], [`history`], [`list`].

use std::{collections::BTreeSet, sync::Arc};

use sha2::{Digest, Sha256};
use stepwell_expr::Payload;
use stepwell_machine::{Execution, Identity, Step, TaskId};
use stepwell_store::{Batch, Store};

use crate::{
    handle::{Cursor, GetHistory, HistoryPage, ListedExecution, Page, StatusName, Summary},
    limits::SHARDS,
};

/// First 16 bytes of the SHA-256 of the execution's ARN: uniqueness of the name, look-up and routing in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutionId(pub [u8; 16]);

impl ExecutionId {
    pub fn of_arn(arn: &str) -> ExecutionId {
        ExecutionId(digest(arn.as_bytes()))
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

fn digest(bytes: &[u8]) -> [u8; 16] {
    let mut id = [0; 16];
    id.copy_from_slice(&Sha256::digest(bytes)[..16]);
    id
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
    /// The header row as stored; empty before the first step and after the last.
    header: Vec<u8>,
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
}

impl Books {
    /// True if it was started with this text as input.
    pub fn same_input(&self, input: &Payload) -> bool {
        self.input_hash == input_hash(input)
    }
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

impl SummaryRow {
    /// True if it was started with this text as input.
    pub fn same_input(&self, input: &Payload) -> bool {
        self.input_hash == input_hash(input)
    }

    /// Input and output, as far as they are absent: to be [`fill`]ed before their texts are read.
    pub fn absent(&self) -> Vec<Payload> {
        unimplemented!()
    }
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

/// The books of an execution that has not begun. Nothing is written before its first step.
pub fn record_start(_execution: &Execution, _revision: u64, _trace_header: Option<Arc<str>>) -> Books {
    unimplemented!()
}

/// Adds the rows of one step to `batch`: `after` is `before` with `step` applied.
///
/// Steps of one execution are recorded in their order; several may go into one batch. A step that changed nothing
/// adds nothing. A step that ended the execution removes all but summary, history and listing.
pub fn record_step(_books: &mut Books, _before: &Execution, _step: &Step, _after: &Execution, _batch: &mut Batch) {
    unimplemented!()
}

/// The execution as last committed; one that has ended comes without frames. `None`: there is none.
pub fn load(_store: &dyn Store, _id: ExecutionId) -> Result<Option<Loaded>, RecordError> {
    unimplemented!()
}

/// Gives those of `payloads` that are absent their texts.
pub fn fill(_store: &dyn Store, _id: ExecutionId, _payloads: &[Payload]) -> Result<(), RecordError> {
    unimplemented!()
}

pub fn summary(_store: &dyn Store, _id: ExecutionId) -> Result<Option<SummaryRow>, RecordError> {
    unimplemented!()
}

/// A page of at most `get.limit` events and `PAGE_BYTES_MAX` bytes of texts, but at least one event.
///
/// `last` is `None` if nothing comes after the page. A page costs the same at any depth. `None`: no such execution.
pub fn history(_store: &dyn Store, _get: &GetHistory) -> Result<Option<HistoryPage>, RecordError> {
    unimplemented!()
}

/// A page of the executions of a state machine, newest start first; at most `limit` and `PAGE_MAX` of them.
///
/// A page costs the same at any depth. A cursor that this function did not make gives an empty page.
pub fn list(
    _store: &dyn Store,
    _state_machine_arn: &str,
    _status: Option<StatusName>,
    _limit: usize,
    _after: Option<&Cursor>,
) -> Result<Page<ListedExecution>, RecordError> {
    unimplemented!()
}

/// The next timers of `shards` behind `after` that are due at or before `until_ms`: earliest first, at most `limit`.
pub fn timers(
    _store: &dyn Store,
    _shards: Shards,
    _after: Option<Timer>,
    _until_ms: i64,
    _limit: usize,
) -> Result<Vec<Timer>, RecordError> {
    unimplemented!()
}

/// All intents of `shards`, oldest first.
pub fn intents(_store: &dyn Store, _shards: Shards) -> Result<Vec<Intent>, RecordError> {
    unimplemented!()
}

/// All offers of `shards`, oldest first.
pub fn offers(_store: &dyn Store, _shards: Shards) -> Result<Vec<Offer>, RecordError> {
    unimplemented!()
}

/// Executions of `shards` whose last step yielded: `Event::Continued` comes next.
pub fn runnable(_store: &dyn Store, _shards: Shards) -> Result<Vec<ExecutionId>, RecordError> {
    unimplemented!()
}
