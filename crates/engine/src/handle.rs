//! The door of the engine: one method for each thing a caller can want, with its own request, answer and error.
//!
//! Names and texts are checked by the caller (`api`); what needs the stored state is decided here.

mod activities;
mod executions;
mod express;
mod machines;
mod map_runs;
mod redrive;
mod survey;
mod tags;
mod tasks;
mod versions;

use std::sync::{Arc, atomic::Ordering};

use parking_lot::Mutex;
use stepwell_machine::definition::MachineType;
use tokio::runtime::Handle;

pub use self::{
    activities::*, executions::*, express::*, machines::*, map_runs::*, redrive::*, survey::*, tags::*, tasks::*,
    versions::*,
};
use crate::{
    config::Quotas,
    limits::SMALL_READ_ROWS_MAX,
    logs::LogSink,
    open::{Threads, stop},
    owner::Owner,
    shared::Shared,
    status_changes::StatusSink,
};

/// One row of ListStateMachines or ListActivities.
#[derive(Clone, Debug)]
pub struct Listed {
    pub arn: Arc<str>,
    pub name: Arc<str>,
    /// Of state machines only.
    pub machine_type: Option<MachineType>,
    pub created_ms: i64,
}

/// A page of a list and where the next one begins.
#[derive(Clone, Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Opaque, to be given to the same call again; `None` at the end.
    pub next: Option<Cursor>,
}

/// Where a list goes on. The API turns it into a token and back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub Vec<u8>);

impl Cursor {
    /// Of a list that is ordered by numbers: the last one that was shown.
    pub(crate) fn of_number(number: u64) -> Cursor {
        Cursor(number.to_be_bytes().to_vec())
    }

    /// `None`: it was made by another list.
    pub(crate) fn number(&self) -> Option<u64> {
        self.0.as_slice().try_into().ok().map(u64::from_be_bytes)
    }
}

/// The engine cannot take the call now; nothing has happened.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum Unavailable {
    /// Inboxes are full: `ThrottlingException`.
    #[error("rate exceeded")]
    Throttled,
    /// The store refuses writes, or the engine is shutting down: `ServiceUnavailable`.
    #[error("the engine is not available")]
    Down,
}

/// What `/health` tells.
#[derive(Clone, Debug)]
pub struct Health {
    /// Why writes are refused, if they are.
    pub poisoned: Option<String>,
    pub open_executions: u64,
}

/// How much there is of what is bounded.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    pub state_machines: usize,
    pub activities: usize,
    pub open_executions: u64,
    /// Express executions that run.
    pub express_running: usize,
    /// Ended Express executions that can be looked at.
    pub express_kept: usize,
    /// When this process took the store over, in milliseconds since 1970.
    pub opened_ms: i64,
    pub quotas: Quotas,
}

/// The engine, as its callers hold it. A clone is a pointer; the last one dropped stops the engine.
#[derive(Clone)]
pub struct Engine(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) shared: Arc<Shared>,
    /// Where tasks run, and calls that block.
    pub(crate) runtime: Handle,
    pub(crate) threads: Mutex<Threads>,
}

/// Waits for the commit in flight. [`Engine::shut_down`] does so without blocking an async worker.
impl Drop for Inner {
    fn drop(&mut self) {
        stop(&self.shared, &self.threads);
    }
}

impl Engine {
    /// What there may be of each thing, and how large executions may get.
    pub fn quotas(&self) -> &Quotas {
        &self.0.shared.registry.quotas
    }

    /// The engine's own account and region.
    pub fn owner(&self) -> &Owner {
        &self.0.shared.registry.owner
    }

    /// An account in a region; what is not given is the engine's own.
    pub fn owner_of(&self, region: Option<&str>, account: Option<&str>) -> Owner {
        self.0.shared.registry.owner_of(region, account)
    }

    /// Who has state machines or activities, in the order of their ARNs, and the engine's own in any case.
    pub fn owners(&self) -> Vec<Owner> {
        self.0.shared.registry.owners()
    }

    /// `arn:PARTITION:states:REGION:ACCOUNT` of the engine's own account and region.
    pub fn arn_prefix(&self) -> &str {
        self.owner().arn_prefix()
    }

    pub fn health(&self) -> Health {
        let ledger = &self.0.shared.ledger;
        let poisoned = ledger.poison.get().cloned().or_else(|| self.0.shared.store.poisoned());
        Health { poisoned, open_executions: ledger.open_executions.load(Ordering::Relaxed) }
    }

    /// State machines and activities are those of `owner`.
    pub fn usage(&self, owner: &Owner) -> Usage {
        let shared = &self.0.shared;
        let (state_machines, activities) = shared.registry.counts(owner);
        let (express_running, express_kept) = shared.express.counts();
        Usage {
            state_machines,
            activities,
            open_executions: shared.ledger.open_executions.load(Ordering::Relaxed),
            express_running,
            express_kept,
            opened_ms: shared.opened_ms,
            quotas: shared.registry.quotas,
        }
    }

    /// Gives execution logs to a sink from now on, those first that a process before this one did not log any more. To be
    /// called once; what comes before waits.
    pub fn log_to(&self, sink: Arc<dyn LogSink>) {
        self.0.shared.logs.start(&self.0.shared, sink, &self.0.runtime);
    }

    /// Gives status changes to a sink from now on, those first that a process before this one did not hand over any more.
    /// To be called once, and where [`crate::Config::announces_status`] is set; what comes before waits.
    pub fn announce_to(&self, sink: Arc<dyn StatusSink>) {
        self.0.shared.status_changes.start(&self.0.shared, sink, &self.0.runtime);
    }

    /// To be called after a clock that does not run by itself was moved, or may jump again.
    pub fn clock_changed(&self) {
        self.0.shared.timeline.clock_changed();
    }

    /// Stops taking calls, finishes the commit in flight, ends all threads.
    pub async fn shut_down(&self) {
        let inner = self.0.clone();
        // The work was done even if the runtime is going down and cannot tell.
        drop(self.0.runtime.spawn_blocking(move || stop(&inner.shared, &inner.threads)).await);
    }

    /// Runs what blocks (the disk, a compilation) away from the async workers, to its end even if nobody waits.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> T + Send + 'static,
    ) -> Result<T, Unavailable> {
        let shared = self.0.shared.clone();
        self.0.runtime.spawn_blocking(move || work(&shared)).await.map_err(|_| Unavailable::Down)
    }

    /// Runs what reads some `rows` of the store: a few of them here while that is quick, else like [`Engine::blocking`].
    pub(crate) async fn reading<T: Send + 'static>(
        &self,
        rows: usize,
        work: impl FnOnce(&Shared) -> T + Send + 'static,
    ) -> Result<T, Unavailable> {
        let shared = &self.0.shared;
        if rows <= SMALL_READ_ROWS_MAX && shared.small_reads.are_quick() {
            return Ok(shared.small_reads.here(|| work(shared)));
        }
        self.blocking(work).await
    }
}
