//! Tags of state machines and activities.

use std::{collections::BTreeMap, sync::Arc};

use super::{Engine, Unavailable};

/// Tag key -> value.
pub type Tags = BTreeMap<Arc<str>, Arc<str>>;

#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum TagError {
    #[error("the resource does not exist")]
    ResourceNotFound,
    #[error("more than {most} tags")]
    TooMany { most: usize },
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Engine {
    /// Tags of a state machine or an activity.
    pub fn tags(&self, arn: &str) -> Result<Tags, TagError> {
        self.0.shared.registry.tags(arn)
    }

    pub async fn tag(&self, arn: &str, tags: Tags) -> Result<(), TagError> {
        let arn: Arc<str> = arn.into();
        self.blocking(move |shared| shared.registry.change_tags(&arn, |now| now.extend(tags))).await?
    }

    pub async fn untag(&self, arn: &str, keys: &[Arc<str>]) -> Result<(), TagError> {
        let (arn, keys): (Arc<str>, Vec<Arc<str>>) = (arn.into(), keys.to_vec());
        self.blocking(move |shared| shared.registry.change_tags(&arn, |now| now.retain(|key, _| !keys.contains(key))))
            .await?
    }
}
