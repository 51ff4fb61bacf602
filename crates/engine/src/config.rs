//! What the engine is told at its start.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use stepwell_machine::limits::Limits;

use crate::{
    bucket::Rate,
    limits::{ACTIVITY_POLLERS_MAX, TAGS_MAX},
};

/// The engine's own account and region, its clock and its quotas.
#[derive(Clone)]
pub struct Config {
    /// Twelve digits; whose everything is that nobody else is named for. Fixed with the first start on a store, like
    /// the region.
    pub account: Arc<str>,
    pub region: Arc<str>,
    /// Drivers, each one thread; at least 1.
    pub drivers: usize,
    pub clock: Arc<dyn Clock>,
    /// Status changes of Standard executions are kept until a sink has taken them: [`crate::Engine::announce_to`].
    pub announces_status: bool,
    pub quotas: Quotas,
}

/// How many of each thing there may be, and how large executions. The default is AWS's.
///
/// Source: Step Functions quotas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// State machines of an account in a region.
    pub state_machines: usize,
    /// Activities of an account in a region.
    pub activities: usize,
    /// Versions of one state machine.
    pub versions: usize,
    /// Aliases of one state machine.
    pub aliases: usize,
    /// Standard executions of the engine that run at the same time.
    pub open_executions: u64,
    /// Map Runs of the engine that are open at the same time; further ones wait.
    pub open_map_runs: usize,
    /// Tags of one resource.
    pub tags: usize,
    /// Workers that poll one activity at the same time.
    pub activity_pollers: usize,
    /// States that all Standard executions together may run; those that come too soon wait. `None`: as many as they like.
    pub state_transitions: Option<Rate>,
    /// What the machine keeps executions within.
    pub limits: Limits,
}

impl Default for Quotas {
    fn default() -> Quotas {
        Quotas {
            state_machines: 100_000,
            activities: 100_000,
            versions: 1_000,
            aliases: 100,
            open_executions: 1_000_000,
            open_map_runs: 1_000,
            tags: TAGS_MAX,
            activity_pollers: ACTIVITY_POLLERS_MAX,
            // Differs from AWS: its bucket is of the account, for all customers' sake.
            state_transitions: None,
            limits: Limits::default(),
        }
    }
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

/// The wall clock, which skips what is only waited for: it runs while anything is under way, a call of a task for example, and
/// is put ahead to the next deadline when nothing is. Task tokens and activities do not hold it.
#[derive(Debug, Default)]
pub struct SkippingClock {
    ahead_ms: AtomicI64,
}

impl Clock for SkippingClock {
    fn now_ms(&self) -> i64 {
        SystemClock.now_ms().saturating_add(self.ahead_ms.load(Ordering::SeqCst))
    }

    fn jump_to(&self, deadline_ms: i64) -> bool {
        self.ahead_ms.fetch_max(deadline_ms.saturating_sub(SystemClock.now_ms()), Ordering::SeqCst);
        true
    }
}
