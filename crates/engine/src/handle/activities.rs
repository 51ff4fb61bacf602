//! Activities: create, delete, describe, list, and the workers that poll them.

use std::sync::Arc;

use stepwell_expr::{Payload, Value};
use tokio::time::{Instant, timeout_at};

use super::{Cursor, Engine, Listed, Page, Tags, Unavailable};
use crate::{
    activities::{Activities, Place},
    inbox::Errand,
};

#[derive(Clone, Debug)]
pub struct Activity {
    pub arn: Arc<str>,
    pub name: Arc<str>,
    pub created_ms: i64,
    pub encryption: Value,
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum CreateActivityError {
    #[error("an activity of this name and another encryption exists")]
    AlreadyExists { arn: Arc<str> },
    #[error("the account has too many activities")]
    TooMany,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum ActivityError {
    #[error("the activity does not exist")]
    DoesNotExist,
    #[error("too many workers poll this activity")]
    TooManyPollers,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

#[derive(Clone, Debug)]
pub struct ActivityTask {
    pub token: String,
    pub input: Payload,
}

impl Engine {
    /// Idempotent by name.
    pub async fn create_activity(
        &self,
        name: &str,
        encryption: Value,
        tags: Tags,
    ) -> Result<Activity, CreateActivityError> {
        let name = name.to_owned();
        self.blocking(move |shared| shared.registry.create_activity(&name, &encryption, &tags)).await?
    }

    /// Also true of one that is not there. Tasks that wait for a worker of it fail.
    pub async fn delete_activity(&self, arn: &str) -> Result<(), Unavailable> {
        let arn: Arc<str> = arn.into();
        self.blocking(move |shared| {
            for (execution, task) in shared.registry.delete_activity(&arn)? {
                shared.inboxes.post(execution, Errand::Orphaned { task, activity_arn: arn.clone() });
            }
            Ok(())
        })
        .await?
    }

    pub fn activity(&self, arn: &str) -> Option<Activity> {
        self.0.shared.registry.activity(arn)
    }

    /// In creation order.
    pub fn list_activities(&self, limit: usize, after: Option<&Cursor>) -> Page<Listed> {
        self.0.shared.registry.list_activities(limit, after)
    }

    /// Waits up to `ACTIVITY_POLL_SECONDS`; `None` if no task came. Dropping the future takes the poller away.
    pub async fn activity_task(
        &self,
        arn: &str,
        worker: Option<Arc<str>>,
    ) -> Result<Option<ActivityTask>, ActivityError> {
        let activities = &self.0.shared.activities;
        let (place, mut answer) = activities.poll(arn, worker)?;
        let leaving = Leaving { activities, place };
        let down = |_| Err(Unavailable::Down.into());
        match timeout_at(Instant::from_std(leaving.place.until), &mut answer).await {
            Ok(answer) => answer.unwrap_or_else(down),
            Err(_) if activities.leave(&leaving.place) => Ok(None),
            // It is being given a task right now; or it is told that none is left.
            Err(_) => answer.await.unwrap_or_else(down),
        }
    }
}

/// Takes a poller away when its caller has gone.
struct Leaving<'a> {
    activities: &'a Activities,
    place: Place,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.activities.leave(&self.place);
    }
}
