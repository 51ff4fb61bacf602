//! An engine without threads of its own: whoever holds it says whose turn it is. For simulations.
//!
//! What the threads of an engine do in rounds is done here one round at a time, on the thread of the caller. So the
//! order in which drivers and committer come to work, and where a crash cuts it off, is a choice that can be repeated.
//! Steps that need the slow lane do not come back, and no driver commits by itself.

use std::sync::{Arc, mpsc::Receiver};

use stepwell_machine::{Event, TaskRequest};
use stepwell_store::{Batch, Store};
use tokio::runtime::Handle;

use crate::{
    bounds::Bounds,
    committer::Message,
    config::Config,
    driver::{Cycle, Driver},
    handle::Engine,
    open::{OpenError, Parts, assemble},
    record::ExecutionId,
    retention::next_group,
    shared::Shared,
    slow::Granted,
    task_runner::TaskRunner,
};

/// Sees everything that an execution takes, in order.
///
/// What it puts into the batch becomes durable together with what came of the event, or not at all.
pub trait Witness: Send + Sync {
    /// The execution has taken `event`, granted so much.
    fn took(&self, execution: ExecutionId, event: &Event, granted: Granted, batch: &mut Batch);
    /// The execution was read from its rows; each of its tasks has a full heartbeat interval from `opened_ms` on.
    fn renewed(&self, execution: ExecutionId, opened_ms: i64, batch: &mut Batch);
}

/// The drivers and the committer of an engine. Dropping it is a crash: what was not committed is lost.
pub struct ByHand {
    /// `None`: it has ended, since the store has failed.
    drivers: Vec<Option<Driver>>,
    submissions: Receiver<Message>,
    /// What did not fit into the last commit any more.
    carried: Option<Message>,
    shared: Arc<Shared>,
}

impl Engine {
    /// [`Engine::open_within`] without threads, seen by `witness`.
    pub fn open_by_hand(
        store: Arc<dyn Store>,
        config: Config,
        tasks: Arc<dyn TaskRunner>,
        runtime: Handle,
        bounds: Bounds,
        witness: Arc<dyn Witness>,
    ) -> Result<(Engine, ByHand), OpenError> {
        let Parts { inner, drivers, submissions, opening } =
            assemble(store, config, tasks, runtime, bounds, Some(witness))?;
        let drivers = drivers.into_iter().map(Some).collect();
        let by_hand = ByHand { drivers, submissions, carried: None, shared: inner.shared.clone() };
        drop(opening);
        Ok((Engine(Arc::new(inner)), by_hand))
    }
}

impl ByHand {
    /// One round of a driver, counted from 0. False if it had nothing to do.
    pub fn drive(&mut self, driver: usize) -> bool {
        let Some(place) = self.drivers.get_mut(driver) else { return false };
        match place.as_mut().map(Driver::cycle) {
            Some(Cycle::Busy) => true,
            Some(Cycle::Idle { .. }) | None => false,
            Some(Cycle::Ended) => {
                *place = None;
                false
            }
        }
    }

    /// One commit of what the drivers have submitted, with its replies and effects. False if that was nothing.
    pub fn commit(&mut self) -> bool {
        self.shared.committer.commit_queued(&self.submissions, &mut self.carried)
    }

    /// Asks for the removal of some executions that ended before `before_ms`, milliseconds since 1970, as retention does.
    pub fn sweep(&self, before_ms: i64) {
        for expired in next_group(&self.shared, before_ms, None).unwrap_or_default() {
            drop(self.shared.inboxes.expire(expired.execution, before_ms));
        }
    }

    /// Runs a task that nobody asked for, as an engine with a bug would.
    pub fn run_task(&self, execution: ExecutionId, request: TaskRequest) {
        self.shared.tasks.run(execution, request);
    }
}
