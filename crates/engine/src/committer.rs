//! The one way to durability: steps of all drivers in one commit, and only then answers and effects.
//!
//! Invariant: no reply leaves and no effect starts before the store has answered `Ok`. While a commit is under way the
//! next one gathers; there is no timer. After an error nothing is written any more: replies say that the engine is
//! down, effects are dropped (their rows were not written).

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, AtomicU64, Ordering},
    mpsc::{Receiver, Sender, TryRecvError},
};

use stepwell_machine::Effect;
use stepwell_store::{Batch, Space, Store};

use crate::{
    activities::Activities,
    handle::Unavailable,
    inbox::{Errand, Inboxes},
    limits::{COMMIT_BYTES_MAX, COMMIT_STEPS_MAX},
    logs::{Logged, Logs},
    record::ExecutionId,
    registry::rows,
    reply::Reply,
    tasks::Tasks,
    timeline::{Bell, Timeline, UnderWay},
};

/// What one driver, or the registry, wants to be made durable.
pub(crate) struct Submission {
    pub(crate) batch: Batch,
    pub(crate) steps: usize,
    pub(crate) replies: Vec<Reply>,
    pub(crate) effects: Vec<(ExecutionId, Effect)>,
    pub(crate) logs: Vec<Logged>,
    /// Executions begun, less executions ended.
    pub(crate) opened: i64,
    /// The driver that is told, and its number for this batch.
    pub(crate) from: Option<(usize, u64)>,
    pub(crate) under_way: UnderWay,
}

pub(crate) enum Message {
    Commit(Box<Submission>),
    Stop,
}

/// How far the batches of one driver have come.
pub(crate) struct Progress {
    /// Number of the last batch that is durable.
    pub(crate) committed: AtomicU64,
    pub(crate) bell: Arc<Bell>,
}

/// What the committer tells everybody.
pub(crate) struct Ledger {
    pub(crate) poison: OnceLock<String>,
    pub(crate) poisoned: AtomicBool,
    pub(crate) open_executions: AtomicU64,
    /// One per driver.
    pub(crate) progress: Vec<Progress>,
}

impl Ledger {
    pub(crate) fn new(open_executions: u64, bells: &[Arc<Bell>]) -> Ledger {
        let progress = |bell: &Arc<Bell>| Progress { committed: AtomicU64::new(0), bell: bell.clone() };
        Ledger {
            poison: OnceLock::new(),
            poisoned: AtomicBool::new(false),
            open_executions: AtomicU64::new(open_executions),
            progress: bells.iter().map(progress).collect(),
        }
    }

    /// From now on nothing is written; all drivers drop what they hold. The first reason stays.
    pub(crate) fn refuse_writes(&self, reason: String) {
        if self.poison.set(reason.clone()).is_ok() {
            tracing::error!(reason, "nothing is written any more");
        }
        self.poisoned.store(true, Ordering::SeqCst);
        self.progress.iter().for_each(|progress| progress.bell.ring());
    }
}

/// The thread that writes.
pub(crate) struct Committer {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) queue: Receiver<Message>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) tasks: Arc<Tasks>,
    pub(crate) activities: Arc<Activities>,
    pub(crate) inboxes: Arc<Inboxes>,
    pub(crate) timeline: Arc<Timeline>,
    pub(crate) logs: Arc<Logs>,
}

impl Committer {
    /// Commits until it is told to stop. What is queued behind that is refused.
    pub(crate) fn run(&self) {
        let mut carried = None;
        while let Some(group) = self.gather(&mut carried) {
            self.commit(group);
        }
        while let Ok(message) = self.queue.try_recv() {
            if let Message::Commit(submission) = message {
                refuse(*submission);
            }
        }
    }

    /// Commits what is queued, without waiting for more. False if there was nothing.
    pub(crate) fn commit_queued(&self, carried: &mut Option<Message>) -> bool {
        *carried = carried.take().or_else(|| self.queue.try_recv().ok());
        match carried.is_some().then(|| self.gather(carried)).flatten() {
            Some(group) => {
                self.commit(group);
                true
            }
            None => false,
        }
    }

    /// Everything that is queued, within the bounds of one commit; waits for the first.
    ///
    /// What did not fit any more is `carried` to the next group. `None`: stop.
    fn gather(&self, carried: &mut Option<Message>) -> Option<Vec<Submission>> {
        let mut group = Vec::new();
        let (mut steps, mut bytes) = (0, 0);
        let mut next = match carried.take() {
            Some(message) => message,
            None => self.queue.recv().ok()?,
        };
        loop {
            match next {
                Message::Stop if group.is_empty() => return None,
                Message::Stop => {
                    *carried = Some(Message::Stop);
                    return Some(group);
                }
                Message::Commit(submission) => {
                    let full = steps + submission.steps > COMMIT_STEPS_MAX
                        || bytes + submission.batch.bytes() > COMMIT_BYTES_MAX;
                    if full && !group.is_empty() {
                        *carried = Some(Message::Commit(submission));
                        return Some(group);
                    }
                    steps += submission.steps;
                    bytes += submission.batch.bytes();
                    group.push(*submission);
                }
            }
            next = match self.queue.try_recv() {
                Ok(message) => message,
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return Some(group),
            };
        }
    }

    fn commit(&self, mut group: Vec<Submission>) {
        let mut batch = Batch::default();
        for submission in &mut group {
            batch.append(std::mem::take(&mut submission.batch));
        }
        let opened: i64 = group.iter().map(|submission| submission.opened).sum();
        let open = self.ledger.open_executions.load(Ordering::Relaxed).saturating_add_signed(opened);
        if opened != 0 {
            batch.put(Space::Meta, rows::OPEN_EXECUTIONS_KEY, rows::encode(&open));
        }
        match self.write(batch) {
            Ok(()) => {
                self.ledger.open_executions.store(open, Ordering::Relaxed);
                for submission in group {
                    self.release(submission);
                }
            }
            Err(reason) => {
                self.timeline.freeze();
                self.ledger.refuse_writes(reason);
                group.into_iter().for_each(refuse);
            }
        }
    }

    /// A batch without rows is answered in its turn, without a write.
    fn write(&self, batch: Batch) -> Result<(), String> {
        if let Some(reason) = self.ledger.poison.get() {
            return Err(reason.clone());
        }
        if batch.is_empty() {
            return Ok(());
        }
        self.store.commit(batch).map_err(|error| error.to_string())
    }

    /// Lets the world see what is durable now.
    fn release(&self, submission: Submission) {
        for (execution, effect) in submission.effects {
            match effect {
                Effect::RunTask(request) => self.tasks.run(execution, request),
                Effect::OfferTask { task, activity_arn, .. } => {
                    if !self.activities.offer(&activity_arn, execution, task) {
                        self.inboxes.post(execution, Errand::Orphaned { task, activity_arn });
                    }
                }
                Effect::DropTask { task } => {
                    self.tasks.cancel(execution, task);
                    self.activities.withdraw(execution, task);
                }
            }
        }
        submission.logs.into_iter().for_each(|logged| self.logs.put(logged));
        submission.replies.into_iter().for_each(Reply::send);
        if let Some((driver, number)) = submission.from {
            let progress = &self.ledger.progress[driver];
            progress.committed.store(number, Ordering::SeqCst);
            progress.bell.ring();
        }
        drop(submission.under_way);
    }
}

/// A committer that panics would leave its drivers waiting for ever.
impl Drop for Committer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.timeline.freeze();
            self.ledger.refuse_writes("the committer panicked".to_owned());
        }
    }
}

fn refuse(submission: Submission) {
    submission.replies.into_iter().for_each(|reply| reply.refuse(Unavailable::Down));
}

/// Where submissions go in.
pub(crate) type CommitQueue = Sender<Message>;
