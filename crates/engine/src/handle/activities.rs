//! Activities: create, delete, describe, list, and the workers that poll them.

use std::sync::Arc;

use stepwell_expr::{Payload, Value};
use stepwell_machine::TaskId;
use tokio::time::{Instant, timeout_at};

use super::{Cursor, Engine, Listed, Page, Tags, Unavailable};
use crate::{
    activities::{Activities, Place},
    inbox::Errand,
    owner::Owner,
    record,
    registry::log_down,
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
    #[error("the account has too many activities in this region")]
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

/// The two sides of an activity: what waits for a worker, and who waits for a task.
#[derive(Clone, Debug)]
pub struct ActivityQueue {
    /// Tasks that wait for a worker.
    pub count: usize,
    /// There may be others, which are read when a worker comes.
    pub more: bool,
    /// The executions and ids of the first [`QUEUE_SHOWN_MAX`](crate::limits::QUEUE_SHOWN_MAX), in their order.
    pub waiting: Vec<(Arc<str>, TaskId)>,
    /// Workers that poll.
    pub polling: usize,
    /// The names of the first [`QUEUE_SHOWN_MAX`](crate::limits::QUEUE_SHOWN_MAX) of them; `None`: it gave none.
    pub workers: Vec<Option<Arc<str>>>,
}

impl Engine {
    /// Idempotent by owner and name.
    pub async fn create_activity(
        &self,
        owner: &Owner,
        name: &str,
        encryption: Value,
        tags: Tags,
    ) -> Result<Activity, CreateActivityError> {
        let (owner, name) = (owner.clone(), name.to_owned());
        self.blocking(move |shared| shared.registry.create_activity(&owner, &name, &encryption, &tags)).await?
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
    pub fn list_activities(&self, owner: &Owner, limit: usize, after: Option<&Cursor>) -> Page<Listed> {
        self.0.shared.registry.list_activities(owner, limit, after)
    }

    /// How its queue stands now; `None`: there is no such activity.
    pub async fn activity_queue(&self, arn: &str) -> Result<Option<ActivityQueue>, Unavailable> {
        let Some(look) = self.0.shared.activities.look(arn) else { return Ok(None) };
        self.blocking(move |shared| {
            let mut waiting = Vec::new();
            for (execution, task) in look.first {
                // What has ended in the meantime is left out.
                let row = record::summary(shared.store.as_ref(), execution).map_err(log_down)?;
                waiting.extend(row.map(|row| (row.summary.arn, task)));
            }
            let (count, more, polling, workers) = (look.waiting, look.more, look.polling, look.workers);
            Ok(Some(ActivityQueue { count, more, waiting, polling, workers }))
        })
        .await?
    }

    /// Tasks that wait for a worker, and workers that wait for a task; `None`: there is no such activity.
    pub fn activity_counts(&self, arn: &str) -> Option<(usize, usize)> {
        self.0.shared.activities.look(arn).map(|look| (look.waiting, look.polling))
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
