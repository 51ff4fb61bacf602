//! Every bound of this crate.

use std::time::Duration;

/// Most steps in one commit. Ours (architecture: group commit by back-pressure).
pub const COMMIT_STEPS_MAX: usize = 1_024;
/// Most bytes of rows in one commit. Ours.
pub const COMMIT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of events up to which they are part of the summary row, so that each step writes them again. Ours: as much again as the
/// rest of such a row may be.
pub const FIRST_EVENTS_BYTES_MAX: usize = 1024;
/// Events in one history chunk, at most. Part of the record format.
pub const CHUNK_EVENTS_MAX: usize = 64;
/// Events after which a new history chunk begins. Ours: the last ten events are then a tenth of the reading of a long page, and
/// a long step hardly notices twice as many rows.
pub const CHUNK_EVENTS: usize = 32;
/// Bytes of one history chunk after which a new one begins. Part of the record format.
pub const CHUNK_BYTES_MAX: usize = 32 * 1024;
/// Texts longer than this are rows of their own. Part of the record format.
pub const INLINE_TEXT_BYTES_MAX: usize = 4 * 1024;
/// Bytes of input and names up to which the summary row of an execution also holds what it is about, so that each step
/// writes it again. Ours: a row of the size of most others.
pub const STATE_IN_SUMMARY_BYTES_MAX: usize = 1024;
/// Shards of a store, fixed when it is made. Part of the record format.
pub const SHARDS: u32 = 256;
/// Tags of one resource, unless set otherwise. Source: Step Functions quotas.
pub const TAGS_MAX: usize = 50;
/// How long GetActivityTask waits for a task. Source: Step Functions API.
pub const ACTIVITY_POLL_SECONDS: u64 = 60;
/// Pollers that one activity may have at once, unless set otherwise. Source: Step Functions quotas.
pub const ACTIVITY_POLLERS_MAX: usize = 1_000;
/// Rows in one page of a list. Source: Step Functions API model.
pub const PAGE_MAX: usize = 1_000;
/// Bytes of texts in one page of history. Ours: a page of 1,000 events of 256 KiB each must not fill memory.
pub const PAGE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes of a region's name. Ours: AWS's are up to 14 long, and ARNs are part of keys and rows.
pub const REGION_BYTES_MAX: usize = 32;
/// Owners that may have state machines or activities in one store; others get none. Ours: what each may have is bounded, and so
/// all of it is.
pub const OWNERS_MAX: usize = 1_000;
/// Events from the API that wait for one driver; past it the caller is throttled.
pub const INBOX_EVENTS_MAX: usize = 65_536;
/// Bytes of the events that wait for one driver; past it the caller is throttled.
pub const INBOX_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Tasks that are run at the same time; further ones wait as rows.
pub const TASK_RUNS_MAX: usize = 10_000;
/// The runs of one service are at most all runs divided by this, so that a dead one leaves room for the others. Ours.
pub const TASK_RUNS_SERVICE_SHARE: usize = 4;
/// Jobs that are watched at the same time, beside the runs; further ones wait as rows.
pub const JOBS_WATCHED_MAX: usize = 100_000;
/// Jobs that are stopped at the same time. Ours.
pub const JOB_STOPS_AT_ONCE_MAX: usize = 100;
/// The first pause before a job that could not be stopped is asked to stop again; each further one is twice as long. Ours.
pub const JOB_STOP_AGAIN_AFTER: Duration = Duration::from_millis(200);
/// The longest such pause. Ours.
pub const JOB_STOP_AGAIN_AFTER_MAX: Duration = Duration::from_secs(300);
/// How often a job is asked to stop before it is left alone: about an hour. Ours.
pub const JOB_STOP_TRIES_MAX: u32 = 22;
/// Bytes of waiting executions kept in memory; others are read back when something happens to them.
pub const CACHE_BYTES_MAX: usize = 512 * 1024 * 1024;
/// An execution that only waits for a time further away than this leaves memory; reading it back takes tens of microseconds.
pub const NAP_MS_MAX: i64 = 1_000;
/// Rows of running executions that are kept in memory for the lists of all state machines, about 120 bytes each.
pub const RUNNING_ROWS_MAX: usize = 2_000_000;
/// State machines, versions and aliases whose running executions are kept so. Ours: as many as AWS allows state machines.
pub const RUNNING_LISTS_MAX: usize = 100_000;
/// Ids of stored texts that are remembered for one execution; past it a shared text may be written again.
pub const STORED_TEXTS_MAX: usize = 4_096;
/// Batches of one driver that may be on their way to the store at once: it steps on top of the one being committed.
pub const COMMITS_OUTSTANDING_MAX: usize = 2;
/// Longest that a driver waits for the callers of its last commit to call again; see `driver/pace.rs`. Ours: about one
/// sync of a fast disk.
pub const GATHER_PAUSE_MAX: Duration = Duration::from_micros(200);
/// A pause shorter than this is left out: the sleep itself takes half as long again, in which a fast disk would have synced.
pub const GATHER_PAUSE_MIN: Duration = Duration::from_micros(120);
/// Callers that have not come back within this are not waited for.
pub const GATHER_RECENT_MAX: Duration = Duration::from_millis(5);
/// Executions that go on with a further slice in one batch; the others wait their turn, so that no batch gets long.
pub const SLICES_PER_BATCH_MAX: usize = 16;
/// Executions of one driver that wait for such a turn and are known in memory, about 60 bytes each; further ones are rows
/// alone.
pub const SLICES_MAX: usize = 100_000;
/// Timers that one driver keeps in memory; later ones stay rows until their time comes near.
pub const TIMERS_MAX: usize = 100_000;
/// Timers that are read from rows at once.
pub const TIMERS_READ_MAX: usize = 10_000;
/// With fewer timers than this in memory, the next ones are read from their rows.
pub const TIMERS_READ_BELOW: usize = 1_000;
/// Longest sleep of a driver that has timers: bounds how late they fire after the wall clock was set.
pub const DRIVER_SLEEP_MS_MAX: i64 = 1_000;
/// How often one step may ask for absent payloads before it is taken for broken.
pub const FILLS_PER_STEP_MAX: usize = 4_096;
/// Most threads that run evaluations which need more than a driver's slice of fuel.
pub const SLOW_THREADS_MAX: usize = 2;
/// By how much those threads yield to the others, as `nice` counts. Ours: a tenth of a core that everybody wants.
pub const SLOW_NICE: i32 = 10;
/// After that long a step on those threads is given up. Ours: several times what an evaluation may take.
pub const SLOW_LOST_AFTER: Duration = Duration::from_secs(15);
/// Threads that may be given up in the life of a process: each may go on burning its processor.
pub const SLOW_LOST_MAX: usize = 16;
/// Bytes of definitions, with their programs as estimated, that are kept compiled.
pub const REVISIONS_BYTES_MAX: usize = 256 * 1024 * 1024;
/// A compiled program takes about this many times the bytes of its definition.
pub const PROGRAM_BYTES_PER_TEXT_BYTE: usize = 8;
/// Executions that the end of a state machine stops at a time.
pub const SWEEP_PAGE: usize = 256;
/// How often ended executions are looked for that are to be removed.
pub const RETENTION_EVERY: Duration = Duration::from_secs(60);
/// Executions that are removed at a time.
pub const RETENTION_AT_ONCE: usize = 64;
/// Rows of one execution that are removed at a time: no commit gets long.
pub const RETENTION_ROWS: usize = 64;
/// Summaries that are looked at at a time for the revisions that they name.
pub const RETENTION_LOOKED_AT: usize = 1_000;
/// Times that the removal rests as long as it has worked.
pub const RETENTION_REST: u32 = 4;
/// Longest rest of it.
pub const RETENTION_PAUSE_MAX: Duration = Duration::from_secs(1);
/// Times that a group is asked for more of its rows in one pass: more than the largest history has.
pub const RETENTION_ROUNDS_MAX: usize = 4_096;
/// Ids of tasks that wait to be run, and of tasks that wait for workers, that are kept in memory; further ones are rows
/// alone, and are read when there is room.
pub const WAITING_MAX: usize = 100_000;
/// Tasks of one activity that are read from rows at once, when a worker waits and none is in memory.
pub const OFFERS_READ_MAX: usize = 1_000;
/// Rows of one list that are read at once where several lists are shown in one order. Ours.
pub const NEWEST_READ_MAX: usize = 256;
/// State machines that one call of a search looks at. Ours: each costs a few reads before the first execution is seen.
pub const SEARCH_MACHINES_MAX: usize = 500;
/// Executions that one call of a search looks at. Ours: some tens of milliseconds.
pub const SEARCH_EXAMINED_MAX: u64 = 20_000;
/// Executions whose error, input or output one call of a search reads. Ours.
pub const SEARCH_READ_MAX: usize = 2_000;
/// Bytes of inputs and outputs after which one call of a search reads no more. Ours.
pub const SEARCH_READ_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Executions of one state machine in one status that are counted; beyond, there are more. Ours.
pub const COUNTED_MAX: usize = 1_000;
/// Running executions that one call for waiting tasks looks at. Ours.
pub const HELD_EXAMINED_MAX: u64 = 1_000;
/// Waiting tasks of one execution that are told: a Map may have as many as it has iterations. Ours.
pub const HELD_OF_ONE_MAX: usize = 200;
/// Largest input of a waiting task that is read to be told, in bytes; the history has it in any case. Ours.
pub const HELD_INPUT_BYTES_MAX: usize = 16 * 1024;
/// Tasks and workers of one activity that are told. Ours.
pub const QUEUE_SHOWN_MAX: usize = 100;
/// Express executions that run at the same time; past it the caller is throttled.
pub const EXPRESS_RUNS_MAX: usize = 10_000;
/// Events that are kept of one Express execution; AWS has no such bound. Later ones are not kept.
pub const EXPRESS_EVENTS_MAX: usize = 25_000;
/// Bytes of the histories of all Express executions that run; past it further events are not kept, and callers are
/// throttled.
pub const EXPRESS_HISTORY_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Express executions that run and are listed, the newest of them. Ours.
pub const EXPRESS_OPEN_SHOWN_MAX: usize = 1_000;
/// Ended Express executions that are kept in memory, to be looked at.
pub const EXPRESS_ENDED_MAX: usize = 1_000;
/// Bytes of the ended Express executions that are kept.
pub const EXPRESS_ENDED_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How long an execution that ended unsuccessfully may be redriven, in milliseconds. Source: Step Functions guide.
pub const REDRIVE_PERIOD_MS: i64 = 14 * 24 * 60 * 60 * 1_000;
/// Client tokens of redrives that an execution remembers. Source: Step Functions guide.
pub const REDRIVE_TOKENS_MAX: usize = 10;
/// How long a client token of a redrive is valid, in milliseconds. Source: Step Functions guide.
pub const REDRIVE_TOKEN_MS_MAX: i64 = 15 * 60 * 1_000;
/// What is kept for redrives and has expired: executions that one further unsuccessful end in their shard cleans up.
pub const WRECKS_SWEPT_MAX: usize = 2;
/// Log entries that wait for the sink; past it further ones are dropped, and the gap is told.
pub const LOG_QUEUE_EVENTS_MAX: usize = 200_000;
/// Bytes of the log entries that wait for the sink.
pub const LOG_QUEUE_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Log entries that a sink is given at a time, before what one step adds to them.
pub const LOG_BATCH_EVENTS_MAX: usize = 1_000;
/// Bytes of the log entries that a sink is given at a time, before what one step adds to them.
pub const LOG_BATCH_BYTES_MAX: usize = 512 * 1024;
/// Rows of dropped log entries that are deleted together.
pub const LOG_MARKS_MAX: usize = 256;
/// How long after an error a sink is tried again; then twice as long, up to [`LOG_RETRY_AFTER_MAX`].
pub const LOG_RETRY_AFTER: Duration = Duration::from_millis(500);
pub const LOG_RETRY_AFTER_MAX: Duration = Duration::from_secs(30);
/// How long a stop waits for the sink.
pub const LOG_FLUSH_TIME_MAX: Duration = Duration::from_secs(5);
/// Status changes that wait for the sink in memory; further ones wait as rows. Ours.
pub const STATUS_QUEUE_MAX: usize = 10_000;
/// Status changes that a sink is given at a time. Ours.
pub const STATUS_BATCH_MAX: usize = 100;
/// How long after an error the sink is tried again; then twice as long, up to [`STATUS_RETRY_AFTER_MAX`]. Ours.
pub const STATUS_RETRY_AFTER: Duration = Duration::from_millis(500);
pub const STATUS_RETRY_AFTER_MAX: Duration = Duration::from_secs(30);
/// Map Runs that are looked at where an ARN names a few bytes of one. Ours.
pub const MAP_RUN_PLACES_MAX: usize = 4;
/// Child executions of one Map Run that run at the same time. Source: Step Functions guide.
pub const MAP_RUN_CONCURRENCY_MAX: u64 = 10_000;
/// Starts of child executions that one Map Run has under way, so that other calls find their turn. Ours.
pub const MAP_RUN_STARTS_MAX: usize = 512;
/// Bytes of the inputs of those that run as Express executions, which memory alone holds. Ours.
pub const MAP_RUN_OPEN_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Items that are read at a time, and bytes of them.
pub const MAP_RUN_READ_ITEMS_MAX: usize = 1_000;
pub const MAP_RUN_READ_BYTES_MAX: usize = 1024 * 1024;
/// Inputs of child executions that are made at a time, and bytes of them.
pub const MAP_RUN_FED_MAX: usize = 1_000;
pub const MAP_RUN_FED_BYTES_MAX: usize = 1024 * 1024;
/// Child executions that wait to be started, below which further items are read.
pub const MAP_RUN_FEED_BELOW: usize = 1_000;
/// Letters that an actor of a Map Run takes at a time.
pub const MAP_RUN_LETTERS_MAX: usize = 1_024;
/// Rows of ended Express child executions that one page of a list looks at. Ours: some tens of milliseconds.
pub const MAP_RUN_CHILDREN_LOOKED_AT: usize = 10_000;
/// Rows of ended child executions that are read at a time.
pub const MAP_RUN_OUTCOMES_READ_MAX: usize = 1_000;
/// Bytes of such rows, after which no more are read, and of the inputs and outputs that are read to make results of them.
pub const MAP_RUN_OUTCOMES_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long an Express child execution for which there is no place is left waiting. Ours.
pub const MAP_RUN_THROTTLE_PAUSE: Duration = Duration::from_millis(50);
/// Rows of an answer, or pages of that many, that are read on the thread of the caller while such reads are quick. Ours.
pub const SMALL_READ_ROWS_MAX: usize = 100;
/// How long such a read takes at most; after a longer one they go to threads that may wait. Ours.
pub const SMALL_READ_TIME_MAX: Duration = Duration::from_millis(1);
/// For how long they do. Ours.
pub const SMALL_READ_SHUNNED: Duration = Duration::from_secs(1);
