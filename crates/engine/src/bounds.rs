//! The bounds of memory that a test may want smaller than they are.

use crate::limits::{
    CACHE_BYTES_MAX, EXPRESS_RUNS_MAX, INBOX_BYTES_MAX, INBOX_EVENTS_MAX, LOG_QUEUE_EVENTS_MAX, SLICES_MAX,
    STATUS_QUEUE_MAX, TASK_RUNS_MAX, TIMERS_MAX, WAITING_MAX,
};

/// How much an engine keeps in memory of what is also in rows.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes of idle executions, over all drivers.
    pub cache_bytes: usize,
    /// Timers of each driver.
    pub timers: usize,
    /// Tasks that run at the same time.
    pub task_runs: usize,
    /// Ids of tasks that wait to be run; as many again of tasks that wait for workers. Others are rows only.
    pub waiting: usize,
    /// Ids of executions that wait for their turn, of each driver; others are rows only.
    pub slices: usize,
    /// Express executions that run at the same time.
    pub express_runs: usize,
    /// Log entries that wait for the sink.
    pub log_events: usize,
    /// Status changes that wait for the sink; others are rows only.
    pub status_changes: usize,
    /// Calls that wait for one driver.
    pub inbox_calls: usize,
    /// Bytes of the calls that wait for one driver.
    pub inbox_bytes: usize,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            cache_bytes: CACHE_BYTES_MAX,
            timers: TIMERS_MAX,
            task_runs: TASK_RUNS_MAX,
            waiting: WAITING_MAX,
            slices: SLICES_MAX,
            express_runs: EXPRESS_RUNS_MAX,
            log_events: LOG_QUEUE_EVENTS_MAX,
            status_changes: STATUS_QUEUE_MAX,
            inbox_calls: INBOX_EVENTS_MAX,
            inbox_bytes: INBOX_BYTES_MAX,
        }
    }
}
