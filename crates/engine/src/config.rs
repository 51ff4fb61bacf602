//! What the engine is told at its start.

use std::sync::Arc;

/// Account, region and clock of an engine.
#[derive(Clone)]
pub struct Config {
    /// Twelve digits; the account of every ARN.
    pub account: Arc<str>,
    pub region: Arc<str>,
    /// Drivers, each one thread; at least 1.
    pub drivers: usize,
    pub clock: Arc<dyn Clock>,
}

/// The time that executions live in.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since 1970 in UTC.
    fn now_ms(&self) -> i64;
    /// True if the clock may jump to `deadline` once nothing else is under way (virtual time).
    fn jump_to(&self, _deadline_ms: i64) -> bool {
        false
    }
}

/// The wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
    }
}
