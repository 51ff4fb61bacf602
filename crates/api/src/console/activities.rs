//! Both sides of activities: tasks that wait for a worker, and workers that wait for a task.

use stepwell_engine::{ActivityQueue, Owner};

use crate::{arn, error::Error, http::Api, limits, writer::Writer};

/// `{"activities": [{"activityArn", "name", "creationDate", "waiting", "workers"}]}`: the first of them, in creation order.
pub(super) fn list(api: &Api, owner: &Owner) -> String {
    let page = api.engine.list_activities(owner, limits::CONSOLE_ACTIVITIES_MAX, None);
    let mut answer = Writer::object();
    answer.objects("activities", &page.items, |activity, listed| {
        activity.string("activityArn", &listed.arn);
        activity.string("name", &listed.name);
        activity.timestamp("creationDate", listed.created_ms);
        let (waiting, workers) = api.engine.activity_counts(&listed.arn).unwrap_or_default();
        activity.number("waiting", waiting as u64);
        activity.number("workers", workers as u64);
    });
    answer.bool("more", page.next.is_some());
    answer.end()
}

/// `{"waiting": n, "more": bool, "tasks": [{"executionArn", "task"}], "polling": n, "workers": [name]}`
pub(super) async fn one(api: &Api, activity_arn: &str) -> Result<String, Error> {
    arn::activity(activity_arn)?;
    let queue = api.engine.activity_queue(activity_arn).await?;
    let queue = queue.ok_or_else(|| Error::ActivityDoesNotExist(activity_arn.into()))?;
    Ok(write(&queue))
}

fn write(queue: &ActivityQueue) -> String {
    let mut answer = Writer::object();
    answer.number("waiting", queue.count as u64);
    answer.bool("more", queue.more);
    answer.objects("tasks", &queue.waiting, |task, (execution_arn, id)| {
        task.string("executionArn", execution_arn);
        task.number("task", id.0);
    });
    answer.number("polling", queue.polling as u64);
    answer.strings("workers", queue.workers.iter().map(|worker| worker.as_deref().unwrap_or("")));
    answer.end()
}
