//! What the threads of one engine have in common.

use std::sync::{Arc, atomic::AtomicBool};

use stepwell_machine::limits::Limits;
use stepwell_store::Store;

use crate::{
    activities::Activities,
    by_hand::Witness,
    committer::{CommitQueue, Committer, Ledger},
    express::Express,
    handle::Unavailable,
    inbox::Inboxes,
    logs::Logs,
    map_items::MapItems,
    map_runs::MapRuns,
    registry::Registry,
    slow::{SlowLane, Surroundings},
    small_reads::SmallReads,
    status_changes::StatusChanges,
    tasks::Tasks,
    throttle::Throttle,
    timeline::{Bell, Timeline},
};

pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    /// Who reads items and writes results.
    pub(crate) map_items: Arc<dyn MapItems>,
    pub(crate) timeline: Arc<Timeline>,
    pub(crate) inboxes: Arc<Inboxes>,
    pub(crate) registry: Registry,
    pub(crate) tasks: Arc<Tasks>,
    pub(crate) activities: Arc<Activities>,
    pub(crate) express: Express,
    pub(crate) map_runs: Arc<MapRuns>,
    pub(crate) logs: Arc<Logs>,
    pub(crate) status_changes: Arc<StatusChanges>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) committer: Committer,
    /// To the committing thread.
    pub(crate) queue: CommitQueue,
    /// To the threads for slow steps.
    pub(crate) slow: Arc<SlowLane>,
    /// How many states all executions together may run.
    pub(crate) throttle: Throttle,
    pub(crate) small_reads: SmallReads,
    /// What the machine is told.
    pub(crate) surroundings: Arc<Surroundings>,
    /// No calls are taken any more; drivers end once what they hold is durable.
    pub(crate) stopping: AtomicBool,
    /// When this process took the store over, in milliseconds since 1970.
    pub(crate) opened_ms: i64,
    /// Wakes the thread that removes what ended long ago.
    pub(crate) sweeping: Bell,
    /// Of simulations only.
    pub(crate) witness: Option<Arc<dyn Witness>>,
}

impl Shared {
    /// Runs what blocks away from the async workers; in a simulation at once, so that its seed gives the same run again.
    pub(crate) async fn away<T: Send + 'static>(
        self: &Arc<Shared>,
        work: impl FnOnce(&Arc<Shared>) -> T + Send + 'static,
    ) -> Result<T, Unavailable> {
        if self.witness.is_some() {
            return Ok(work(self));
        }
        let shared = self.clone();
        tokio::task::spawn_blocking(move || work(&shared)).await.map_err(|_| Unavailable::Down)
    }

    /// What the machine keeps executions within.
    pub(crate) fn limits(&self) -> &Limits {
        &self.registry.quotas.limits
    }
}
