//! Steps that need more fuel than a driver's slice: run by a few threads of their own, with full fuel.
//!
//! The driver marks the execution busy and goes on with others; what comes for the busy one waits in it. Here is also
//! the one place where a panic of the machine is caught, and where a step that does not end is given up.

use std::{
    cell::Cell,
    collections::{BTreeMap, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Instant,
};

use parking_lot::{Condvar, Mutex, MutexGuard};
use stepwell_expr::Payload;
use stepwell_machine::{
    Event, Execution, Moment, Program, Stepped,
    limits::{FUEL_EVALUATION, Limits},
    step,
};
use tokio::sync::oneshot;

use crate::{
    activities::Activities,
    inbox::Inboxes,
    limits::{SLOW_LOST_AFTER, SLOW_LOST_MAX, SLOW_NICE, SLOW_THREADS_MAX},
    record::ExecutionId,
    task_runner::TaskRunner,
    timeline::UnderWay,
};

/// A step to run.
pub(crate) struct Job {
    pub(crate) to: Whom,
    pub(crate) work: Work,
}

/// What is to be run.
pub(crate) struct Work {
    pub(crate) execution: Execution,
    pub(crate) program: Arc<Program>,
    pub(crate) event: Event,
    pub(crate) granted: Granted,
    pub(crate) under_way: UnderWay,
}

/// Who is told how a step went.
pub(crate) enum Whom {
    /// The driver that owns the execution.
    Driver(ExecutionId),
    /// The task that runs an Express execution; it has gone where nobody waits for it any more.
    Express(oneshot::Sender<Attempt>),
}

/// A step that was run.
pub(crate) struct Thought {
    pub(crate) execution: ExecutionId,
    pub(crate) granted: Granted,
    pub(crate) attempt: Attempt,
}

#[expect(clippy::large_enum_variant, reason = "it is taken apart where it arrives, and nearly always a step")]
pub(crate) enum Attempt {
    Stepped(Stepped),
    /// The machine has a bug; its own words.
    Panicked(String),
    /// It did not come back.
    Lost,
}

/// What the machine is told of the world besides the time.
pub(crate) struct Surroundings {
    pub(crate) activities: Arc<Activities>,
    pub(crate) runner: Arc<dyn TaskRunner>,
    pub(crate) limits: Limits,
}

/// What one step is given besides its event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Milliseconds since 1970.
    pub now_ms: i64,
    /// States that it may run, as [`Moment::transitions_max`].
    pub transitions_max: u32,
}

/// Calls the machine.
pub(crate) fn attempt(
    program: &Program,
    execution: &Execution,
    event: Event,
    granted: Granted,
    surroundings: &Surroundings,
    fuel: u64,
) -> Attempt {
    let Surroundings { activities, runner, limits } = surroundings;
    let Granted { now_ms, transitions_max } = granted;
    // Whoever steps with a slice of fuel does not wait for what is to be read: such a step is run again with full fuel.
    let (may_wait, would_wait) = (fuel >= FUEL_EVALUATION, Cell::new(false));
    let parameters_problem = |service: &str, action: &str, parameters: &Payload| {
        if !may_wait && !runner.knows_parameters(service, action) {
            would_wait.set(true);
            return None;
        }
        runner.parameters_problem(service, action, parameters)
    };
    let moment = Moment {
        now_ms,
        activity_exists: &|arn| activities.exists(arn),
        parameters_problem: &parameters_problem,
        limits,
        transitions_max,
    };
    // A step changes nothing that it is given, so whatever a panic leaves behind is not seen by anybody.
    match catch_unwind(AssertUnwindSafe(|| step(program, execution, event, moment, fuel))) {
        Ok(Stepped::Done(_)) if would_wait.get() => Attempt::Stepped(Stepped::Slow),
        Ok(stepped) => Attempt::Stepped(stepped),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Attempt::Panicked(text.unwrap_or_default())
        }
    }
}

/// Jobs that wait, and the threads that run them.
///
/// Fair by state machine: each that has jobs gets its turn, however many another one has. The threads yield to the
/// drivers and to whatever else answers callers.
pub(crate) struct SlowLane {
    state: Mutex<State>,
    /// There is a job, or the lane has closed.
    work: Condvar,
    /// A job runs, or the lane has closed.
    watch: Condvar,
    inboxes: Arc<Inboxes>,
    surroundings: Arc<Surroundings>,
}

#[derive(Default)]
struct State {
    waiting: Turns<Box<Job>>,
    /// What runs, by the number of the thread.
    running: BTreeMap<usize, Running>,
    threads_made: usize,
    lost: usize,
    closed: bool,
}

struct Running {
    to: Whom,
    granted: Granted,
    since: Instant,
}

/// As many as leave a processor to those that answer callers, if there is more than one: a thread that wakes up for a caller
/// waits for the end of a time slice, some milliseconds, where every processor is evaluating, whatever the priorities.
fn threads() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, |count| count.get());
    (processors - 1).clamp(1, SLOW_THREADS_MAX)
}

/// Queues that are served in turn.
struct Turns<T> {
    queues: BTreeMap<Arc<str>, VecDeque<T>>,
    /// The keys of `queues`; the first is next.
    order: VecDeque<Arc<str>>,
}

impl<T> Default for Turns<T> {
    fn default() -> Turns<T> {
        Turns { queues: BTreeMap::new(), order: VecDeque::new() }
    }
}

impl<T> Turns<T> {
    fn put(&mut self, key: &Arc<str>, item: T) {
        let queue = self.queues.entry(key.clone()).or_default();
        if queue.is_empty() {
            self.order.push_back(key.clone());
        }
        queue.push_back(item);
    }

    fn take(&mut self) -> Option<T> {
        let key = self.order.pop_front()?;
        let queue = self.queues.get_mut(&key)?;
        let item = queue.pop_front();
        if queue.is_empty() {
            self.queues.remove(&key);
        } else {
            self.order.push_back(key);
        }
        item
    }
}

impl SlowLane {
    pub(crate) fn new(inboxes: Arc<Inboxes>, surroundings: Arc<Surroundings>) -> SlowLane {
        SlowLane { state: Mutex::default(), work: Condvar::new(), watch: Condvar::new(), inboxes, surroundings }
    }

    /// Starts the threads and their keeper.
    pub(crate) fn start(self: &Arc<SlowLane>) -> std::io::Result<()> {
        for _ in 0..threads() {
            self.start_thread()?;
        }
        let lane = self.clone();
        std::thread::Builder::new().name("stepwell-slow-keeper".to_owned()).spawn(move || lane.keep()).map(drop)
    }

    fn start_thread(self: &Arc<SlowLane>) -> std::io::Result<()> {
        let number = {
            let mut state = self.state.lock();
            state.threads_made += 1;
            state.threads_made
        };
        let lane = self.clone();
        let builder = std::thread::Builder::new().name(format!("stepwell-slow-{number}"));
        builder.spawn(move || lane.run(number)).map(drop)
    }

    /// Dropped once the lane has closed: nobody would see what comes of it.
    pub(crate) fn send(&self, job: Job) {
        let mut state = self.state.lock();
        if !state.closed {
            let job = Box::new(job);
            state.waiting.put(&job.work.execution.identity.state_machine_arn.clone(), job);
            self.work.notify_one();
        }
    }

    /// Drops what waits; what runs ends by itself.
    pub(crate) fn close(&self) {
        let dropped = {
            let mut state = self.state.lock();
            state.closed = true;
            std::mem::take(&mut state.waiting)
        };
        drop(dropped);
        self.work.notify_all();
        self.watch.notify_all();
    }

    /// One thread: runs jobs until the lane closes, or until it was given up.
    fn run(&self, number: usize) {
        if let Err(error) = rustix::process::nice(SLOW_NICE) {
            tracing::warn!(error = error.to_string(), "the threads for slow evaluations have the usual priority");
        }
        while let Some(work) = self.next(number) {
            let Work { execution, program, event, granted, under_way } = *work;
            let attempt = attempt(&program, &execution, event, granted, &self.surroundings, FUEL_EVALUATION);
            let Some(running) = self.state.lock().running.remove(&number) else { return };
            self.tell(running, attempt);
            drop(under_way);
        }
    }

    fn tell(&self, running: Running, attempt: Attempt) {
        let Running { to, granted, .. } = running;
        match to {
            Whom::Driver(execution) => self.inboxes.post_thought(Thought { execution, granted, attempt }),
            Whom::Express(to) => drop(to.send(attempt)),
        }
    }

    fn next(&self, number: usize) -> Option<Box<Work>> {
        let mut state = self.state.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(job) = state.waiting.take() {
                let Job { to, work } = *job;
                state.running.insert(number, Running { to, granted: work.granted, since: Instant::now() });
                self.watch.notify_one();
                return Some(Box::new(work));
            }
            self.work.wait(&mut state);
        }
    }

    /// Gives up a thread that has not come back for far longer than any evaluation may take, and starts another one; its
    /// execution ends.
    fn keep(self: &Arc<SlowLane>) {
        let mut state = self.state.lock();
        while !state.closed {
            if state.running.is_empty() {
                self.watch.wait(&mut state);
                continue;
            }
            self.watch.wait_for(&mut state, SLOW_LOST_AFTER);
            let room = SLOW_LOST_MAX.saturating_sub(state.lost);
            let lost = state.running.extract_if(.., |_, running| running.since.elapsed() > SLOW_LOST_AFTER).take(room);
            let lost: Vec<Running> = lost.map(|(_, running)| running).collect();
            state.lost += lost.len();
            for running in lost {
                tracing::error!("an evaluation does not end: its thread is given up");
                self.tell(running, Attempt::Lost);
                if let Err(error) = MutexGuard::unlocked(&mut state, || self.start_thread()) {
                    tracing::error!(error = error.to_string(), "cannot start a thread for slow evaluations");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_machine_has_its_turn() {
        let [busy, calm] = ["busy", "calm"].map(Arc::<str>::from);
        let mut turns = Turns::default();
        for number in 1..=3 {
            turns.put(&busy, number);
        }
        assert_eq!(turns.take(), Some(1));
        turns.put(&calm, 10);
        turns.put(&calm, 11);
        turns.put(&busy, 4);
        let rest: Vec<i32> = std::iter::from_fn(|| turns.take()).collect();
        assert_eq!(rest, [2, 10, 3, 11, 4]);
    }
}
