//! Jobs that nobody waits for any more, until they are stopped.
//!
//! That one is to be stopped is a row since the commit that gave it up; the row goes once the job is stopped, or cannot
//! be. So a crash forgets none, and may stop one twice, which services take. A service that cannot be reached is asked
//! again, later and later, `JOB_STOP_TRIES_MAX` times in the life of a process.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
    mpsc::Sender,
};

use stepwell_machine::{TaskId, TaskRequest};
use stepwell_store::{Batch, Store};
use tokio::{
    runtime::Handle,
    sync::{Notify, Semaphore},
};

use crate::{
    committer::{Message, Submission},
    limits::{
        JOB_STOP_AGAIN_AFTER, JOB_STOP_AGAIN_AFTER_MAX, JOB_STOP_TRIES_MAX, JOB_STOPS_AT_ONCE_MAX, JOBS_WATCHED_MAX,
    },
    record::{self, ExecutionId, RecordError},
    task_runner::TaskRunner,
    timeline::Timeline,
};

pub(crate) struct Stops {
    store: Arc<dyn Store>,
    runner: Arc<dyn TaskRunner>,
    runtime: Handle,
    queue: Sender<Message>,
    timeline: Arc<Timeline>,
    at_once: Semaphore,
    closed: AtomicBool,
    closing: Notify,
}

impl Stops {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        runner: Arc<dyn TaskRunner>,
        runtime: Handle,
        queue: Sender<Message>,
        timeline: Arc<Timeline>,
    ) -> Arc<Stops> {
        let at_once = Semaphore::new(JOB_STOPS_AT_ONCE_MAX);
        let (closed, closing) = (AtomicBool::new(false), Notify::new());
        Arc::new(Stops { store, runner, runtime, queue, timeline, at_once, closed, closing })
    }

    /// After a start: what was to be stopped before it still is. As many jobs as may be watched at a time.
    pub(crate) fn resume(self: &Arc<Self>) -> Result<(), RecordError> {
        for (execution, request) in record::stops(self.store.as_ref(), JOBS_WATCHED_MAX)? {
            self.stop(execution, request);
        }
        Ok(())
    }

    /// Stops a job; that it is to be stopped is durable.
    pub(crate) fn stop(self: &Arc<Self>, execution: ExecutionId, request: TaskRequest) {
        if self.closed.load(Ordering::SeqCst) {
            return;
        }
        let stops = self.clone();
        self.runtime.spawn(async move {
            let task = request.task;
            if stops.try_to_stop(execution, request).await {
                stops.forget(execution, task);
            }
        });
    }

    /// Stops a job that became known after its task had been given up.
    pub(crate) fn note_and_stop(self: &Arc<Self>, execution: ExecutionId, request: TaskRequest) {
        let mut batch = Batch::default();
        record::note_stop(execution, &request, &mut batch);
        self.commit(batch);
        self.stop(execution, request);
    }

    /// What was not stopped is stopped after the next start.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.closing.notify_waiters();
    }

    /// True once there is nothing more to do for it; false if the engine closed before.
    async fn try_to_stop(&self, execution: ExecutionId, request: TaskRequest) -> bool {
        let arn = request.execution_arn.clone();
        let mut after = JOB_STOP_AGAIN_AFTER;
        for tries in 1..=JOB_STOP_TRIES_MAX {
            let Err(reason) = self.try_once(execution, request.clone()).await else { return true };
            if self.closed.load(Ordering::SeqCst) {
                return false;
            }
            tracing::warn!(arn = &*arn, reason, tries, "a job could not be stopped");
            if tries < JOB_STOP_TRIES_MAX {
                // However the pause ends: a closed engine asks no more.
                drop(tokio::time::timeout(after, self.closing.notified()).await);
                after = (after * 2).min(JOB_STOP_AGAIN_AFTER_MAX);
                if self.closed.load(Ordering::SeqCst) {
                    return false;
                }
            }
        }
        tracing::error!(arn = &*arn, "a job that nobody waits for any more goes on: it could not be stopped");
        true
    }

    async fn try_once(&self, execution: ExecutionId, request: TaskRequest) -> Result<(), String> {
        // Never closed.
        let _permit = self.at_once.acquire().await;
        let absent = request.absent();
        if !absent.is_empty() {
            let store = self.store.clone();
            let filled = tokio::task::spawn_blocking(move || record::fill(store.as_ref(), execution, &absent)).await;
            match filled {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Err(error.to_string()),
                Err(error) => return Err(error.to_string()),
            }
        }
        self.runner.stop_job(request).await
    }

    fn forget(&self, execution: ExecutionId, task: TaskId) {
        let mut batch = Batch::default();
        record::forget_stop(execution, task, &mut batch);
        self.commit(batch);
    }

    fn commit(&self, batch: Batch) {
        let submission = Submission::of_rows(batch, Vec::new(), self.timeline.begin());
        // Where the committer has gone, the row stays as it was.
        drop(self.queue.send(Message::Commit(Box::new(submission))));
    }
}
