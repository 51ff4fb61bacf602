//! Durable rows.
//!
//! A [`Store`] keeps ordered byte keys in a few named [`Space`]s. One [`Batch`] is one atomic, durable commit. Two
//! stores implement the trait: [`memory`] (keeps nothing) and [`embedded`] (fjall); both pass [`contract`].
//! Absent on purpose: transactions that read, secondary indexes, any knowledge of executions.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod embedded;
#[cfg(any(test, feature = "contract"))]
pub mod faulty;
pub mod limits;
pub mod memory;
pub mod sealed;

pub use embedded::Embedded;
pub use memory::Memory;

use std::ops::ControlFlow;

/// A named set of rows, ordered by key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    /// State machines, revisions, activities, tags, the format and the account of this store.
    Meta,
    /// One row per execution.
    Summary,
    /// History chunks and the long texts that they name.
    History,
    /// Frames of executions that have not ended.
    Frames,
    /// Queues over open executions: earliest timer, task intents, runnable, waiting activity tasks.
    Open,
    /// The orders in which executions are listed.
    Listing,
}

impl Space {
    pub const ALL: [Space; 6] =
        [Space::Meta, Space::Summary, Space::History, Space::Frames, Space::Open, Space::Listing];

    /// The space of that name.
    pub fn of_name(name: &str) -> Option<Space> {
        Space::ALL.into_iter().find(|space| space.name() == name)
    }

    /// The place in [`Space::ALL`].
    pub(crate) fn index(self) -> usize {
        self as usize
    }

    /// Part of the format of the embedded store and of exports.
    pub fn name(self) -> &'static str {
        match self {
            Space::Meta => "meta",
            Space::Summary => "summary",
            Space::History => "history",
            Space::Frames => "frames",
            Space::Open => "open",
            Space::Listing => "listing",
        }
    }
}

/// Writes that become durable together or not at all; a later write of one key wins over an earlier one.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    writes: Vec<Write>,
    bytes: usize,
}

#[derive(Clone, Debug)]
pub struct Write {
    pub space: Space,
    pub key: Vec<u8>,
    /// `None` deletes the row; deleting one that is not there is no error.
    pub value: Option<Vec<u8>>,
}

impl Batch {
    pub fn put(&mut self, space: Space, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.push(Write { space, key: key.into(), value: Some(value.into()) });
    }

    pub fn delete(&mut self, space: Space, key: impl Into<Vec<u8>>) {
        self.push(Write { space, key: key.into(), value: None });
    }

    fn push(&mut self, write: Write) {
        self.bytes += write.key.len() + write.value.as_ref().map_or(0, Vec::len);
        self.writes.push(write);
    }

    pub fn append(&mut self, mut other: Batch) {
        self.writes.append(&mut other.writes);
        self.bytes += other.bytes;
    }

    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    pub fn into_writes(self) -> Vec<Write> {
        self.writes
    }

    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Bytes of keys and values.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Refuses what no store takes, before anything is written: see [`limits`]. Such a refusal is a mistake of the
    /// caller and does not poison the store.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.writes.len() > limits::BATCH_WRITES_MAX || self.bytes > limits::BATCH_BYTES_MAX {
            let reason = format!("a batch of {} writes and {} bytes is too large", self.writes.len(), self.bytes);
            return Err(Error::Failed { reason });
        }
        match self.writes.iter().find(|write| write.key.is_empty() || write.key.len() > limits::KEY_BYTES_MAX) {
            Some(write) => Err(Error::Failed { reason: format!("a key of {} bytes is not allowed", write.key.len()) }),
            None => Ok(()),
        }
    }
}

/// The order in which [`Store::scan`] visits rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Backward,
}

/// What a visitor answers: go on, or stop the scan.
pub type Visit = ControlFlow<()>;

/// Takes a row of any space, and says whether to go on.
pub type RowVisitor<'a> = dyn FnMut(Space, &[u8], &[u8]) -> Visit + 'a;

/// Durable rows. All calls block; a commit is called from one writer thread, never from an async worker.
pub trait Store: Send + Sync + 'static {
    /// Makes the whole batch durable, then answers; atomic also through a crash.
    ///
    /// Invariant: after an error of a write or a sync the store is poisoned, and every later commit answers
    /// [`Error::Poisoned`]; what was acknowledged before stays readable. An empty batch is durable at once. Keys have
    /// 1 to [`limits::KEY_BYTES_MAX`] bytes; a batch outside [`limits`] is refused whole, without poison.
    fn commit(&self, batch: Batch) -> Result<(), Error>;

    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, Error>;

    /// Visits the rows with `from <= key < to` in `direction`, until the visitor breaks. Sees one consistent
    /// state of the space: no commit that comes in between.
    ///
    /// An empty `to` means "to the end" (so the answer of [`prefix_end`] can be handed on as it is); a `to` that is
    /// not after `from` is an empty range. The visitor may itself read, scan and commit.
    fn scan(
        &self,
        space: Space,
        from: &[u8],
        to: &[u8],
        direction: Direction,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> Visit,
    ) -> Result<(), Error>;

    /// Visits every row of every space, as of one commit: spaces in the order of [`Space::ALL`], rows by key. What is
    /// committed meanwhile is not seen, and is not held up.
    fn snapshot(&self, visit: &mut RowVisitor<'_>) -> Result<(), Error>;

    /// Why commits are refused, if they are.
    fn poisoned(&self) -> Option<String>;
}

/// What the operator must look at.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the data folder `{path}` is in use by another process")]
    Locked { path: String },
    #[error("the data folder `{path}` has format {found}, this program reads up to {known}: use a newer release")]
    NewerFormat { path: String, found: u32, known: u32 },
    #[error("the data folder `{path}` is damaged: {reason}")]
    Damaged { path: String, reason: String },
    #[error("cannot {doing} `{path}`: {source}")]
    Io { doing: &'static str, path: String, source: std::io::Error },
    #[error("the store refuses writes since an earlier write failed: {reason}")]
    Poisoned { reason: String },
    #[error("the store failed: {reason}")]
    Failed { reason: String },
}

/// The first key after all keys that begin with `prefix`; empty (no such key) only for a prefix of `0xff` bytes.
pub fn prefix_end(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < 0xff {
            end.push(last + 1);
            break;
        }
    }
    end
}
