//! The one way to durability: steps of all drivers in one commit, and only then answers and effects.
//!
//! Invariant: no reply leaves and no effect starts before the store has answered `Ok`. While a commit is under way the
//! next one gathers. After an error nothing is written any more: replies say that the engine is down, effects are
//! dropped (their rows were not written).
//!
//! A driver that has nothing else to do commits on its own thread ([`Committer::try_commit`]): to wake another one costs
//! more than most steps. Otherwise, and for the registry, the committing thread does.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, AtomicU64, Ordering},
    mpsc::{Receiver, Sender},
};

use parking_lot::Mutex;
use stepwell_machine::Effect;
use stepwell_store::{Batch, Space, Store};

use crate::{
    activities::Activities,
    handle::Unavailable,
    inbox::{Errand, Inboxes},
    limits::{COMMIT_BYTES_MAX, COMMIT_STEPS_MAX},
    logs::{Logged, Logs},
    map_runs::{Mail, MapRuns},
    record::{ExecutionId, Running},
    registry::rows,
    reply::Reply,
    stops::Stops,
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

impl Submission {
    /// Rows that come from no step of an execution.
    pub(crate) fn of_rows(batch: Batch, replies: Vec<Reply>, under_way: UnderWay) -> Submission {
        Submission { batch, steps: 1, replies, effects: Vec::new(), logs: Vec::new(), opened: 0, from: None, under_way }
    }
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

/// Who writes.
pub(crate) struct Committer {
    /// Held during a commit. Submissions of one driver keep their order, since it commits by itself only while none
    /// of them is queued; those of different origin need none.
    pub(crate) turn: Mutex<()>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) tasks: Arc<Tasks>,
    pub(crate) stops: Arc<Stops>,
    pub(crate) activities: Arc<Activities>,
    pub(crate) inboxes: Arc<Inboxes>,
    pub(crate) timeline: Arc<Timeline>,
    /// What lists of running executions read.
    pub(crate) running: Running,
    pub(crate) logs: Arc<Logs>,
    pub(crate) map_runs: Arc<MapRuns>,
}

impl Committer {
    /// The committing thread: commits until it is told to stop. What is queued behind that is refused.
    pub(crate) fn run(&self, queue: &Receiver<Message>) {
        let alarm = Alarm(self);
        let mut carried = None;
        while let Some(first) = carried.take().or_else(|| queue.recv().ok()) {
            let Message::Commit(first) = first else { break };
            // The group is what has gathered when its turn has come.
            let _turn = self.turn.lock();
            let group = gather(*first, queue, &mut carried);
            self.commit(group, true);
        }
        while let Ok(message) = queue.try_recv() {
            if let Message::Commit(submission) = message {
                refuse(*submission);
            }
        }
        drop(alarm);
    }

    /// Commits what is queued, without waiting for more. False if there was nothing.
    pub(crate) fn commit_queued(&self, queue: &Receiver<Message>, carried: &mut Option<Message>) -> bool {
        let Some(Message::Commit(first)) = carried.take().or_else(|| queue.try_recv().ok()) else { return false };
        self.commit(gather(*first, queue, carried), true);
        true
    }

    /// Commits at once, on the thread of the driver that calls; gives the submission back if another commit is under way.
    pub(crate) fn try_commit(&self, submission: Submission) -> Option<Submission> {
        let Some(_turn) = self.turn.try_lock() else { return Some(submission) };
        self.commit(vec![submission], false);
        None
    }

    /// `ring`: the drivers are to be woken, to learn of it.
    fn commit(&self, mut group: Vec<Submission>, ring: bool) {
        let mut batches = group.iter_mut().map(|submission| std::mem::take(&mut submission.batch));
        let mut batch = batches.next().unwrap_or_default();
        batches.for_each(|next| batch.append(next));
        let opened: i64 = group.iter().map(|submission| submission.opened).sum();
        let open = self.ledger.open_executions.load(Ordering::Relaxed).saturating_add_signed(opened);
        if opened != 0 {
            batch.put(Space::Meta, rows::OPEN_EXECUTIONS_KEY, rows::encode(&open));
        }
        let running = Running::changes(&batch);
        match self.write(batch) {
            Ok(()) => {
                self.running.apply(running);
                self.ledger.open_executions.store(open, Ordering::Relaxed);
                for submission in group {
                    self.release(submission, ring);
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
    fn release(&self, submission: Submission, ring: bool) {
        for (execution, effect) in submission.effects {
            match effect {
                Effect::RunTask(request) => self.tasks.run(execution, request),
                Effect::OfferTask { task, activity_arn, .. } => {
                    if !self.activities.offer(&activity_arn, execution, task) {
                        self.inboxes.post(execution, Errand::Orphaned { task, activity_arn });
                    }
                }
                Effect::RunMapRun(wait) => self.map_runs.run(execution, wait.task, wait.arn, wait.redrives),
                Effect::StopMapRun { arn, .. } => _ = self.map_runs.tell(&arn, Mail::Stop),
                Effect::StopJob(request) => self.stops.stop(execution, request),
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
            if ring {
                progress.bell.ring();
            }
        }
        drop(submission.under_way);
    }
}

/// Everything that is queued, within the bounds of one commit. What did not fit any more is `carried` to the next group.
fn gather(first: Submission, queue: &Receiver<Message>, carried: &mut Option<Message>) -> Vec<Submission> {
    let (mut steps, mut bytes) = (first.steps, first.batch.bytes());
    let mut group = vec![first];
    while let Ok(message) = queue.try_recv() {
        match message {
            Message::Commit(next)
                if steps + next.steps <= COMMIT_STEPS_MAX && bytes + next.batch.bytes() <= COMMIT_BYTES_MAX =>
            {
                steps += next.steps;
                bytes += next.batch.bytes();
                group.push(*next);
            }
            other => {
                *carried = Some(other);
                break;
            }
        }
    }
    group
}

/// A committing thread that panics would leave the drivers waiting for ever.
struct Alarm<'a>(&'a Committer);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.timeline.freeze();
            self.0.ledger.refuse_writes("the committer panicked".to_owned());
        }
    }
}

fn refuse(submission: Submission) {
    submission.replies.into_iter().for_each(|reply| reply.refuse(Unavailable::Down));
}

/// Where submissions go in.
pub(crate) type CommitQueue = Sender<Message>;
