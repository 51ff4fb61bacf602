//! Versions and aliases of state machines.

use std::sync::Arc;

pub use stepwell_machine::Qualifier;
use stepwell_machine::definition::MachineType;

use super::{Cursor, Engine, Page, StateMachine, Unavailable};
use crate::registry::log_down;

#[derive(Clone, Debug)]
pub struct PublishVersion {
    /// The machine's own ARN.
    pub state_machine_arn: Arc<str>,
    /// The revision that the caller takes for the current one; `INITIAL` before the first update.
    pub revision_id: Option<Arc<str>>,
    pub description: Option<Arc<str>>,
}

#[derive(Clone, Debug)]
pub struct PublishedVersion {
    pub arn: Arc<str>,
    pub created_ms: i64,
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum PublishVersionError {
    #[error("the state machine does not exist")]
    DoesNotExist,
    #[error("the state machine is being deleted")]
    Deleting,
    #[error("the current revision is {current}")]
    OtherRevision { current: Arc<str> },
    #[error("the state machine has too many versions")]
    TooMany,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum DeleteVersionError {
    /// By aliases, oldest first.
    #[error("aliases refer to the version")]
    Referenced { aliases: Vec<Arc<str>> },
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// A version and the revision that it names.
#[derive(Clone, Debug)]
pub struct Version {
    pub machine: StateMachine,
    pub description: Option<Arc<str>>,
    /// When it was published.
    pub created_ms: i64,
}

/// One row of ListStateMachineVersions.
#[derive(Clone, Debug)]
pub struct ListedVersion {
    pub arn: Arc<str>,
    pub created_ms: i64,
}

/// A version and its share of what is started through an alias, in percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    pub version: u64,
    pub weight: u8,
}

#[derive(Clone, Debug)]
pub struct Alias {
    pub arn: Arc<str>,
    pub name: Arc<str>,
    pub description: Option<Arc<str>>,
    pub routes: Vec<Route>,
    pub created_ms: i64,
    pub updated_ms: i64,
}

#[derive(Clone, Debug)]
pub struct CreateAlias {
    /// The machine's own ARN.
    pub state_machine_arn: Arc<str>,
    pub name: Arc<str>,
    pub description: Option<Arc<str>>,
    /// Distinct versions of the machine, with weights that make 100 together.
    pub routes: Vec<Route>,
}

#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum CreateAliasError {
    #[error("the state machine or one of the versions does not exist")]
    ResourceNotFound,
    #[error("the state machine is being deleted")]
    Deleting,
    #[error("an alias of this name and other content exists")]
    Conflict,
    #[error("the state machine has too many aliases")]
    TooMany,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// `None`: leave as it is.
#[derive(Clone, Debug)]
pub struct UpdateAlias {
    /// The machine's own ARN.
    pub state_machine_arn: Arc<str>,
    pub name: Arc<str>,
    pub description: Option<Arc<str>>,
    pub routes: Option<Vec<Route>>,
}

#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum AliasError {
    #[error("the alias or one of the versions does not exist")]
    ResourceNotFound,
    #[error("the state machine is being deleted")]
    Deleting,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Engine {
    /// Idempotent: a revision has one version at most.
    pub async fn publish_version(&self, publish: PublishVersion) -> Result<PublishedVersion, PublishVersionError> {
        self.blocking(|shared| shared.registry.publish(publish)).await?
    }

    /// Also true for one that is not there.
    pub async fn delete_version(&self, state_machine_arn: &str, version: u64) -> Result<(), DeleteVersionError> {
        let arn: Arc<str> = state_machine_arn.into();
        self.blocking(move |shared| shared.registry.delete_version(&arn, version)).await?
    }

    pub async fn version(&self, state_machine_arn: &str, version: u64) -> Result<Option<Version>, Unavailable> {
        let arn: Arc<str> = state_machine_arn.into();
        self.blocking(move |shared| shared.registry.version(&arn, version).map_err(log_down)).await?
    }

    /// Newest first. `None`: there is no such machine.
    pub fn list_versions(
        &self,
        state_machine_arn: &str,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Option<Page<ListedVersion>> {
        self.0.shared.registry.list_versions(state_machine_arn, limit, after)
    }

    /// The type of what the ARN of a machine, a version or an alias names. `None`: there is no such thing.
    pub fn machine_type(&self, arn: &str) -> Option<MachineType> {
        self.0.shared.registry.machine_type(arn)
    }

    /// Idempotent: the same name and content answers the existing alias.
    pub async fn create_alias(&self, new: CreateAlias) -> Result<Alias, CreateAliasError> {
        self.blocking(|shared| shared.registry.create_alias(new)).await?
    }

    /// Answers the date of the update.
    pub async fn update_alias(&self, update: UpdateAlias) -> Result<i64, AliasError> {
        self.blocking(|shared| shared.registry.update_alias(update)).await?
    }

    /// Also true for one that is not there.
    pub async fn delete_alias(&self, state_machine_arn: &str, name: &str) -> Result<(), Unavailable> {
        let (arn, name): (Arc<str>, Arc<str>) = (state_machine_arn.into(), name.into());
        self.blocking(move |shared| shared.registry.delete_alias(&arn, &name)).await?
    }

    pub fn alias(&self, state_machine_arn: &str, name: &str) -> Option<Alias> {
        self.0.shared.registry.alias(state_machine_arn, name)
    }

    /// Oldest first; of one version those that route to it. `None`: there is no such machine.
    pub fn list_aliases(
        &self,
        state_machine_arn: &str,
        version: Option<u64>,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Option<Page<Alias>> {
        self.0.shared.registry.list_aliases(state_machine_arn, version, limit, after)
    }
}
