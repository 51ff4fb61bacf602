//! Every bound of this crate. MiB here is 1,048,576 bytes.

use std::time::Duration;

/// Longest key. Source: the journal of the embedded store keeps the length of a key in 16 bits.
pub const KEY_BYTES_MAX: usize = 65_535;

/// Most bytes of keys and values in one batch. Ours: eight times what the engine gathers for one commit.
pub const BATCH_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Most writes in one batch. Ours: far above what fits into a commit of the engine.
pub const BATCH_WRITES_MAX: usize = 1024 * 1024;

/// Rows that a scan of the memory store takes at a time, so that it never holds the lock for long.
pub(crate) const MEMORY_SCAN_ROWS: usize = 128;

/// Superseded rows that the memory store gathers under long scans before it looks which of them it can forget.
pub(crate) const MEMORY_STALE_ROWS: usize = 1024;

/// Journals above this make the embedded store flush what holds the oldest one back. It bounds the replay at open.
pub(crate) const JOURNALS_BYTES_MAX: u64 = 128 * 1024 * 1024;

/// Rows of one space in memory, in bytes, before they become a table. They take half as much again: so those of all spaces
/// are below 1 KiB for each of 200,000 executions that sleep. 16 MiB doubled the cost of a commit, when that was tried.
pub(crate) const MEMTABLE_BYTES_MAX: u64 = 24 * 1024 * 1024;

/// Blocks of tables kept in memory, in bytes, for all spaces together.
pub(crate) const CACHE_BYTES: u64 = 64 * 1024 * 1024;

/// Threads that flush and compact. At least two: with one, a flush can wait behind a long compaction.
pub(crate) const WORKERS: usize = 2;

/// Full memtables of one space that may wait to be flushed before a commit waits. One below the number at which the
/// engine underneath waits by itself, which it would do for ever after a failed flush.
pub(crate) const SEALED_MEMTABLES_MAX: usize = 3;

/// How often a commit that waits for a flush looks again.
pub(crate) const ROOM_POLL: Duration = Duration::from_millis(2);

/// How often it looks before it gives up (2 minutes), which poisons the store.
pub(crate) const ROOM_POLLS_MAX: u32 = 60_000;

/// Framing of one write in a journal, in bytes, without key and value.
pub(crate) const JOURNAL_WRITE_OVERHEAD: usize = 21;

/// Framing of one batch in a journal, in bytes: its start and its end.
pub(crate) const JOURNAL_BATCH_OVERHEAD: usize = 13 + 13;

/// Longest unfinished commit that a crash can leave at the end of a journal, in bytes.
pub(crate) const TORN_BYTES_MAX: usize =
    BATCH_BYTES_MAX + BATCH_WRITES_MAX * JOURNAL_WRITE_OVERHEAD + JOURNAL_BATCH_OVERHEAD;

/// Blocks of the journal that are written ahead of the commits, in bytes: a few commits' worth, so that none waits long.
pub(crate) const AHEAD_BYTES: u64 = 128 * 1024;

/// Longest commit, in bytes, that blocks are written ahead for.
pub(crate) const AHEAD_COMMIT_BYTES_MAX: u64 = AHEAD_BYTES / 4;

/// Bytes parsed in search of a whole batch behind a broken one. Passing it counts as having found one.
pub(crate) const JOURNAL_SEARCH_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Largest manifest of a keyspace that is read, in bytes: about a million tables.
pub(crate) const MANIFEST_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Largest outline of a table or manifest, in bytes. It has about eight short entries.
pub(crate) const OUTLINE_BYTES_MAX: u128 = 64 * 1024;

/// Bytes that are gathered before they are written when a damaged folder is read into a sound one.
pub(crate) const SALVAGE_BATCH_BYTES: usize = 4 * 1024 * 1024;

/// How often reading a space begins anew around what cannot be read. Ours: a few dozen broken blocks.
pub(crate) const SALVAGE_PROBES_MAX: u32 = 512;
