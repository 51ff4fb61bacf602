//! State machines: create, update, delete, describe, list.

use std::sync::{Arc, atomic::Ordering};

use stepwell_expr::Value;
use stepwell_machine::{
    Diagnostic, Failure, Program,
    definition::{Compiled, Lone, LoneError, MachineType},
};
use tokio::sync::oneshot;

use super::{Cursor, Engine, ExecutionError, Listed, Page, StatusName, Tags, Unavailable};
use crate::{
    inbox::Errand,
    limits::SWEEP_PAGE,
    owner::Owner,
    record::{self, ExecutionId},
    registry::log_down,
    shared::Shared,
};

/// A state machine as it is now, or the revision of it that an execution runs.
#[derive(Clone, Debug)]
pub struct StateMachine {
    pub arn: Arc<str>,
    pub name: Arc<str>,
    pub owner: Owner,
    pub machine_type: MachineType,
    pub definition: Arc<str>,
    pub role_arn: Arc<str>,
    /// The API's own JSON blocks, as they were given or by AWS's defaults.
    pub logging: Value,
    pub tracing: Value,
    pub encryption: Value,
    /// `None` on a machine that was never updated.
    pub revision_id: Option<Arc<str>>,
    pub created_ms: i64,
    pub updated_ms: i64,
    pub deleting: bool,
    /// Compiled once per revision and kept.
    pub program: Arc<Program>,
}

#[derive(Clone, Debug)]
pub struct CreateStateMachine {
    pub name: Arc<str>,
    pub owner: Owner,
    pub machine_type: MachineType,
    pub definition: Arc<str>,
    pub role_arn: Arc<str>,
    pub logging: Value,
    pub tracing: Value,
    pub encryption: Value,
    pub tags: Tags,
    /// Publishes a version at once.
    pub publish: Option<Publish>,
}

/// That a call is to publish a version, and how it is described.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publish {
    pub description: Option<Arc<str>>,
}

#[derive(Clone, Debug)]
pub struct CreatedStateMachine {
    pub machine: StateMachine,
    /// Of the version that was published.
    pub version_arn: Option<Arc<str>>,
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum CreateStateMachineError {
    #[error("a state machine of this name and other content exists: {arn}")]
    AlreadyExists { arn: Arc<str> },
    #[error("the state machine is being deleted: {arn}")]
    Deleting { arn: Arc<str> },
    #[error("the definition has problems")]
    InvalidDefinition(Vec<Diagnostic>),
    #[error("the account has too many state machines in this region")]
    TooMany,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// `None`: leave as it is.
#[derive(Clone, Debug)]
pub struct UpdateStateMachine {
    pub arn: Arc<str>,
    pub definition: Option<Arc<str>>,
    pub role_arn: Option<Arc<str>>,
    pub logging: Option<Value>,
    pub tracing: Option<Value>,
    pub encryption: Option<Value>,
    /// Publishes a version of what comes out.
    pub publish: Option<Publish>,
}

/// What an update answers: `revision_id` is absent while the machine still is at its first revision.
#[derive(Clone, Debug)]
pub struct UpdatedStateMachine {
    pub updated_ms: i64,
    pub revision_id: Option<Arc<str>>,
    /// Of the version that was published.
    pub version_arn: Option<Arc<str>>,
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum UpdateStateMachineError {
    #[error("the state machine has too many versions")]
    TooManyVersions,
    #[error("the state machine does not exist")]
    DoesNotExist,
    #[error("the state machine is being deleted")]
    Deleting,
    #[error("the definition has problems")]
    InvalidDefinition(Vec<Diagnostic>),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Engine {
    /// Compiles a definition and changes nothing. Blocks for as long as that takes.
    pub fn check_definition(&self, definition: &str, machine_type: MachineType) -> Compiled {
        self.0.shared.registry.check(definition, machine_type)
    }

    /// Compiles a definition of one state, or, with `name`, a whole one to find the state in, and changes nothing. Blocks
    /// for as long as that takes.
    pub fn check_state(&self, definition: &str, name: Option<&str>) -> Result<Lone, LoneError> {
        self.0.shared.registry.check_state(definition, name)
    }

    /// Idempotent: the same name and content answers the existing machine.
    pub async fn create_state_machine(
        &self,
        new: CreateStateMachine,
    ) -> Result<CreatedStateMachine, CreateStateMachineError> {
        self.blocking(|shared| shared.registry.create_machine(new)).await?
    }

    pub async fn update_state_machine(
        &self,
        update: UpdateStateMachine,
    ) -> Result<UpdatedStateMachine, UpdateStateMachineError> {
        self.blocking(|shared| shared.registry.update_machine(update)).await?
    }

    /// Also true for one that is not there. Running executions are stopped at their next transition.
    pub async fn delete_state_machine(&self, arn: &str) -> Result<(), Unavailable> {
        let arn: Arc<str> = arn.into();
        let ends = {
            let arn = arn.clone();
            self.blocking(move |shared| -> Result<bool, Unavailable> {
                if !shared.registry.begin_deletion(&arn)? {
                    return Ok(true);
                }
                wait_for_starts(shared)?;
                let open = running(shared, &arn)?;
                if open.is_empty() {
                    shared.registry.end_deletion(&arn)?;
                }
                Ok(open.is_empty())
            })
            .await??
        };
        if !ends {
            self.sweep(arn);
        }
        Ok(())
    }

    pub fn state_machine(&self, arn: &str) -> Option<Arc<StateMachine>> {
        let registry = &self.0.shared.registry;
        let revision = registry.current(arn).map_err(log_down).ok()??;
        match revision.deleting.load(Ordering::SeqCst) {
            false => Some(revision.machine),
            true => Some(Arc::new(StateMachine { deleting: true, ..(*revision.machine).clone() })),
        }
    }

    /// In creation order.
    pub fn list_state_machines(&self, owner: &Owner, limit: usize, after: Option<&Cursor>) -> Page<Listed> {
        self.0.shared.registry.list_machines(owner, limit, after)
    }

    /// The revision that an execution runs.
    pub async fn state_machine_of(&self, execution_arn: &str) -> Result<StateMachine, ExecutionError> {
        let id = ExecutionId::of_arn(execution_arn);
        self.blocking(move |shared| {
            let row = record::summary(shared.store.as_ref(), id).map_err(log_down)?;
            let row = row.ok_or(ExecutionError::DoesNotExist)?;
            let machine = shared.registry.revision(row.revision).map_err(log_down)?;
            Ok((*machine).clone())
        })
        .await?
    }

    /// Goes on with deletions that a restart interrupted.
    pub(crate) fn resume_deletions(&self) {
        for arn in self.0.shared.registry.deletions() {
            self.sweep(arn);
        }
    }

    /// Stops everything that runs on a machine, then removes it.
    fn sweep(&self, arn: Arc<str>) {
        let shared = self.0.shared.clone();
        self.0.runtime.spawn_blocking(move || {
            // An engine that goes down in between sweeps on when it is opened again.
            let _: Result<(), Unavailable> = sweep(&shared, &arn);
        });
    }
}

fn sweep(shared: &Shared, arn: &str) -> Result<(), Unavailable> {
    wait_for_starts(shared)?;
    loop {
        let open = running(shared, arn)?;
        if open.is_empty() {
            return shared.registry.end_deletion(arn);
        }
        let stop = |execution: &ExecutionId| {
            let (to, answer) = oneshot::channel();
            let failure = Failure { error: None, cause: None };
            shared.inboxes.post(*execution, Errand::Stop { failure, to });
            answer
        };
        let answers: Vec<_> = open.iter().map(stop).collect();
        for answer in answers {
            match answer.blocking_recv() {
                Ok(Ok(_) | Err(ExecutionError::DoesNotExist)) => {}
                Ok(Err(ExecutionError::Unavailable(why))) => return Err(why),
                Err(_) => return Err(Unavailable::Down),
            }
        }
    }
}

/// Every start that was accepted before is durable, or has failed, when this returns.
fn wait_for_starts(shared: &Shared) -> Result<(), Unavailable> {
    for answer in shared.inboxes.fence() {
        answer.blocking_recv().unwrap_or(Err(Unavailable::Down))?;
    }
    Ok(())
}

/// Some of the executions of a machine that run.
fn running(shared: &Shared, arn: &str) -> Result<Vec<ExecutionId>, Unavailable> {
    let store = shared.store.as_ref();
    let page = record::list(store, Some(&shared.committer.running), arn, Some(StatusName::Running), SWEEP_PAGE, None);
    Ok(page.map_err(log_down)?.items.iter().map(|listed| ExecutionId::of_arn(&listed.arn)).collect())
}
