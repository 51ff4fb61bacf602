//! Express executions: the same machine, driven in a task of their own; nothing is committed.
//!
//! A synchronous one runs in its caller's task, so that a caller who goes away ends it; an asynchronous one in a task
//! of the runtime, until its end or the engine's. Its tasks run below it and end with it. What a crash interrupts is
//! lost: nothing is begun again.
//!
//! Memory is bounded: by the number of executions that run, by what their histories hold together, and by the number
//! and size of those that ended and are kept to be looked at, as those that run are.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet, VecDeque},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use stepwell_expr::Payload;
use stepwell_machine::{
    Effect, Event, Execution, ExpressStart, Failure, HistoryEvent, Identity, Program, Qualifier, Status, Step, Stepped,
    TaskId, TaskOutcome, TaskRequest, TestCase, Workflow, limits::FUEL_SLICE, root::Root,
};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, oneshot},
    task::{AbortHandle, Id, JoinSet},
};

use crate::{
    bounds::Bounds,
    driver::{BROKEN, ENDLESS, broken},
    handle::{StartedExecution, StateMachine, Unavailable},
    limits::{
        EXPRESS_ENDED_BYTES_MAX, EXPRESS_ENDED_MAX, EXPRESS_EVENTS_MAX, EXPRESS_HISTORY_BYTES_MAX,
        EXPRESS_OPEN_SHOWN_MAX,
    },
    logs::{Logged, Logging},
    map_runs::{Order, express_arn::express_arn},
    record::ExecutionId,
    registry::Revision,
    shared::Shared,
    slow::{Attempt, Granted, Job, Whom, Work, attempt},
    task_runner::TaskRunner,
    timeline::{NEVER, Timeline, UnderWay},
};

/// An Express execution: one that has ended, or how one that runs is just now.
#[derive(Debug)]
pub struct ExpressExecution {
    pub arn: Arc<str>,
    pub name: Arc<str>,
    pub state_machine_arn: Arc<str>,
    pub status: Status,
    pub start_ms: i64,
    /// Of one that runs, its start.
    pub stop_ms: i64,
    pub input: Payload,
    pub trace_header: Option<Arc<str>>,
    /// From the beginning on, as far as it was kept.
    pub history: Vec<HistoryEvent>,
    /// Events that were not kept, since there were too many or they were too large.
    pub history_missing: u64,
    /// About the bytes that it held at its end; 0 while it runs.
    pub bytes: usize,
}

impl ExpressExecution {
    pub fn is_running(&self) -> bool {
        matches!(self.status, Status::Running)
    }
}

/// All Express executions of an engine.
pub(crate) struct Express {
    runner: Arc<dyn TaskRunner>,
    /// Tasks that may run at the same time; the others wait in order.
    slots: Arc<Semaphore>,
    runs_max: usize,
    runs: AtomicUsize,
    /// Bytes of the histories of those that run.
    history_bytes: AtomicUsize,
    numbers: AtomicU64,
    /// Deadlines of those that wait for nothing but time, with their numbers.
    asleep: Mutex<BTreeSet<(i64, u64)>>,
    /// Those that run, by their numbers, to be looked at.
    open: Mutex<BTreeMap<u64, Arc<Open>>>,
    ended: Mutex<Ended>,
    /// Those that nobody waits for; `None` once the engine stops.
    spawned: Mutex<Option<JoinSet<()>>>,
}

/// What others may see of one that runs.
struct Open {
    identity: Arc<Identity>,
    trace_header: Option<Arc<str>>,
    kept: Mutex<Kept>,
}

/// Its history, as far as it is kept.
#[derive(Default)]
struct Kept {
    history: Vec<HistoryEvent>,
    /// Events that are not.
    missing: u64,
}

impl Open {
    fn look(&self, with_history: bool) -> ExpressExecution {
        let identity = &self.identity;
        let kept = self.kept.lock();
        ExpressExecution {
            arn: identity.arn.clone(),
            name: identity.name.clone(),
            state_machine_arn: identity.state_machine_arn.clone(),
            status: Status::Running,
            start_ms: identity.start_ms,
            stop_ms: identity.start_ms,
            input: identity.input.clone(),
            trace_header: self.trace_header.clone(),
            history: if with_history { kept.history.clone() } else { Vec::new() },
            history_missing: kept.missing,
            bytes: 0,
        }
    }
}

/// The last that ended, the newest at the back.
#[derive(Default)]
struct Ended {
    executions: VecDeque<Arc<ExpressExecution>>,
    bytes: usize,
}

impl Express {
    pub(crate) fn new(runner: Arc<dyn TaskRunner>, bounds: Bounds) -> Express {
        Express {
            runner,
            slots: Arc::new(Semaphore::new(bounds.task_runs)),
            runs_max: bounds.express_runs,
            runs: AtomicUsize::new(0),
            history_bytes: AtomicUsize::new(0),
            numbers: AtomicU64::new(0),
            asleep: Mutex::default(),
            open: Mutex::default(),
            ended: Mutex::default(),
            spawned: Mutex::new(Some(JoinSet::new())),
        }
    }

    /// An execution that is ready to run. Names may repeat: its ARN ends with a UUID of its own.
    pub(crate) fn begin(
        &self,
        shared: &Arc<Shared>,
        revision: &Revision,
        how: ExpressStart,
        name: Option<Arc<str>>,
        input: Payload,
        trace_header: Option<Arc<str>>,
    ) -> Result<Run, Unavailable> {
        let place = self.place(shared)?;
        let machine = &revision.machine;
        let name = name.unwrap_or_else(|| uuid::Uuid::new_v4().to_string().into());
        let prefix = machine.owner.arn_prefix();
        let arn: Arc<str> = format!("{prefix}:express:{}:{name}:{}", machine.name, uuid::Uuid::new_v4()).into();
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|error| {
            tracing::error!(error = error.to_string(), "the system gives no random numbers");
            Unavailable::Down
        })?;
        let id = ExecutionId::of_arn(&arn).0;
        let execution = Execution::new(Arc::new(Identity {
            arn,
            name,
            state_machine_arn: machine.arn.clone(),
            state_machine_name: machine.name.clone(),
            role_arn: machine.role_arn.clone(),
            region: machine.owner.region().clone(),
            id,
            root: Root(secret),
            start_ms: shared.timeline.now_ms(),
            input,
            test_case: None,
            workflow: Workflow::Express(how),
            child: None,
            qualifier: None,
        }));
        Ok(Run::new(place, machine, execution, trace_header))
    }

    /// A child execution of a Map Run, ready to run.
    pub(crate) fn begin_child(
        &self,
        shared: &Arc<Shared>,
        order: &Order,
        redrives: u64,
        index: u64,
        items: u64,
        input: Payload,
    ) -> Result<Run, Unavailable> {
        let place = self.place(shared)?;
        let (request, machine) = (&order.request, &order.revision.machine);
        let (name, machine_name) = (request.child_name(index), request.child_machine_name());
        let prefix = machine.owner.arn_prefix();
        let arn = express_arn(prefix, &machine_name, &name, (&request.wait.arn, index), redrives);
        let execution = Execution::new(Arc::new(Identity {
            id: ExecutionId::of_arn(&arn).0,
            arn,
            name,
            state_machine_arn: request.child_machine_arn().into(),
            state_machine_name: machine_name.into(),
            role_arn: machine.role_arn.clone(),
            region: machine.owner.region().clone(),
            root: request.child_root(index),
            start_ms: shared.timeline.now_ms(),
            input,
            test_case: request.identity.test_case.clone(),
            workflow: Workflow::Express(ExpressStart::Asynchronous),
            child: Some(Arc::new(request.child(index, items))),
            qualifier: None,
        }));
        Ok(Run::new(place, machine, execution, None))
    }

    fn place(&self, shared: &Arc<Shared>) -> Result<Place, Unavailable> {
        if shared.stopping.load(Ordering::SeqCst) {
            return Err(Unavailable::Down);
        }
        // The place gives back what it took also where it is refused.
        let taken = self.runs.fetch_add(1, Ordering::Relaxed);
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let place = Place { shared: shared.clone(), number, history_bytes: 0, asleep_until_ms: None };
        let full = taken >= self.runs_max || self.history_bytes.load(Ordering::Relaxed) > EXPRESS_HISTORY_BYTES_MAX;
        if full { Err(Unavailable::Throttled) } else { Ok(place) }
    }

    /// Runs an execution that nobody waits for, until its end or the engine's.
    pub(crate) fn spawn(&self, run: Run, runtime: &Handle) {
        if let Some(spawned) = &mut *self.spawned.lock() {
            while spawned.try_join_next().is_some() {}
            spawned.spawn_on(async move { drop(run.end().await) }, runtime);
        }
    }

    /// Ends all that nobody waits for.
    pub(crate) fn close(&self) {
        let spawned = self.spawned.lock().take();
        drop(spawned);
    }

    /// Those that run, without their histories, newest start first, at most [`EXPRESS_OPEN_SHOWN_MAX`]; then those that have
    /// ended.
    pub(crate) fn all(&self, state_machine_arn: Option<&str>) -> Vec<Arc<ExpressExecution>> {
        let of_machine =
            |open: &&Arc<Open>| state_machine_arn.is_none_or(|arn| *open.identity.state_machine_arn == *arn);
        let open: Vec<Arc<Open>> =
            self.open.lock().values().rev().filter(of_machine).take(EXPRESS_OPEN_SHOWN_MAX).cloned().collect();
        let ended = self.ended(state_machine_arn);
        // One that ends just now is in both.
        let has_ended: HashSet<&Arc<str>> = ended.iter().map(|ended| &ended.arn).collect();
        let open = open.iter().filter(|open| !has_ended.contains(&open.identity.arn));
        let open: Vec<Arc<ExpressExecution>> = open.map(|open| Arc::new(open.look(false))).collect();
        open.into_iter().chain(ended.iter().cloned()).collect()
    }

    /// The one of this ARN, with its history, if it runs or is kept.
    pub(crate) fn one(&self, arn: &str) -> Option<Arc<ExpressExecution>> {
        let open = self.open.lock().values().find(|open| *open.identity.arn == *arn).cloned();
        let ended = self.ended.lock().executions.iter().rev().find(|ended| *ended.arn == *arn).cloned();
        ended.or_else(|| open.map(|open| Arc::new(open.look(true))))
    }

    pub(crate) fn ended(&self, state_machine_arn: Option<&str>) -> Vec<Arc<ExpressExecution>> {
        let ended = self.ended.lock();
        let of_machine = |execution: &&Arc<ExpressExecution>| {
            state_machine_arn.is_none_or(|arn| *execution.state_machine_arn == *arn)
        };
        ended.executions.iter().rev().filter(of_machine).cloned().collect()
    }

    /// Executions that run, and ended ones that are kept.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.runs.load(Ordering::Relaxed), self.ended.lock().executions.len())
    }

    fn keep(&self, execution: Arc<ExpressExecution>) {
        let mut forgotten = Vec::new();
        let mut ended = self.ended.lock();
        ended.bytes += execution.bytes;
        ended.executions.push_back(execution);
        while ended.executions.len() > EXPRESS_ENDED_MAX || ended.bytes > EXPRESS_ENDED_BYTES_MAX {
            let Some(oldest) = ended.executions.pop_front() else { break };
            ended.bytes -= oldest.bytes;
            forgotten.push(oldest);
        }
        // Freed without the lock.
        drop(ended);
        drop(forgotten);
    }

    /// Virtual time must not pass the deadlines of executions that sleep.
    fn publish(&self, asleep: &BTreeSet<(i64, u64)>, timeline: &Timeline) {
        timeline.publish_express(asleep.first().map_or(NEVER, |(due_ms, _)| *due_ms));
    }
}

/// One of the places for Express executions; given back when it is dropped.
struct Place {
    shared: Arc<Shared>,
    number: u64,
    /// What its history takes of the bytes for all.
    history_bytes: usize,
    asleep_until_ms: Option<i64>,
}

impl Place {
    fn express(&self) -> &Express {
        &self.shared.express
    }

    /// True if there is room for so many further bytes of history.
    fn take_bytes(&mut self, bytes: usize) -> bool {
        let held = self.express().history_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.history_bytes += bytes;
        held.saturating_add(bytes) <= EXPRESS_HISTORY_BYTES_MAX
    }

    /// The execution waits for nothing but this time.
    fn fall_asleep(&mut self, due_ms: i64) {
        self.asleep_until_ms = Some(due_ms);
        let mut asleep = self.express().asleep.lock();
        asleep.insert((due_ms, self.number));
        self.express().publish(&asleep, &self.shared.timeline);
    }

    fn wake_up(&mut self) {
        if let Some(due_ms) = self.asleep_until_ms.take() {
            let mut asleep = self.express().asleep.lock();
            asleep.remove(&(due_ms, self.number));
            self.express().publish(&asleep, &self.shared.timeline);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.wake_up();
        self.express().open.lock().remove(&self.number);
        self.express().history_bytes.fetch_sub(self.history_bytes, Ordering::Relaxed);
        self.express().runs.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One Express execution on its way. Dropped, it ends without a trace.
pub(crate) struct Run {
    place: Place,
    program: Arc<Program>,
    logging: Option<Arc<Logging>>,
    execution: Execution,
    open: Arc<Open>,
    /// Its tasks that run.
    tasks: JoinSet<TaskOutcome>,
    running: BTreeMap<TaskId, AbortHandle>,
    /// Outcomes that it has not been told yet.
    returned: VecDeque<(TaskId, TaskOutcome)>,
}

impl Run {
    fn new(place: Place, machine: &StateMachine, execution: Execution, trace_header: Option<Arc<str>>) -> Run {
        let open = Arc::new(Open { identity: execution.identity.clone(), trace_header, kept: Mutex::default() });
        place.express().open.lock().insert(place.number, open.clone());
        Run {
            place,
            program: machine.program.clone(),
            logging: Logging::of(&machine.logging),
            execution,
            open,
            tasks: JoinSet::new(),
            running: BTreeMap::new(),
            returned: VecDeque::new(),
        }
    }

    /// Its tasks are answered by this test case; before it begins.
    pub(crate) fn mocked(mut self, test_case: Option<Arc<TestCase>>) -> Run {
        if test_case.is_some() {
            Arc::make_mut(&mut self.execution.identity).test_case = test_case;
        }
        self
    }

    /// It is started through this version, or the alias that chose it; before it begins.
    pub(crate) fn qualified(mut self, qualifier: Option<Qualifier>) -> Run {
        Arc::make_mut(&mut self.execution.identity).qualifier = qualifier;
        self
    }

    pub(crate) fn started(&self) -> StartedExecution {
        let identity = &self.execution.identity;
        StartedExecution { arn: identity.arn.clone(), start_ms: identity.start_ms }
    }

    /// `None`: the engine stops.
    pub(crate) async fn end(mut self) -> Option<Arc<ExpressExecution>> {
        let mut under_way = Some(self.timeline().begin());
        let mut event = Event::Started;
        loop {
            let step = self.step(event).await?;
            self.take_over(step);
            if !self.execution.is_running() {
                let ended = Arc::new(self.outcome());
                self.place.express().keep(ended.clone());
                return Some(ended);
            }
            event = self.next(&mut under_way).await;
        }
    }

    fn timeline(&self) -> &Arc<Timeline> {
        &self.place.shared.timeline
    }

    /// Calls the machine. A step that needs more than a slice of fuel is run on the threads for those.
    async fn step(&self, event: Event) -> Option<Step> {
        let shared = &self.place.shared;
        let now_ms = self.timeline().now_ms().max(self.execution.header.last_event_ms);
        // Express executions are not throttled. Source: Step Functions quotas.
        let granted = Granted { now_ms, transitions_max: u32::MAX };
        let (program, execution) = (&self.program, &self.execution);
        let tried = attempt(program, execution, event.clone(), granted, &shared.surroundings, FUEL_SLICE);
        let tried = match tried {
            Attempt::Stepped(Stepped::Slow) => {
                let (to, answer) = oneshot::channel();
                let work = Work {
                    execution: execution.clone(),
                    program: program.clone(),
                    event,
                    granted,
                    under_way: self.timeline().begin(),
                };
                shared.slow.send(Job { to: Whom::Express(to), work });
                // Dropped only where the lane has closed.
                answer.await.ok()?
            }
            tried => tried,
        };
        Some(match tried {
            Attempt::Stepped(Stepped::Done(step)) => step,
            // Nothing of it is ever anywhere but in memory.
            Attempt::Stepped(Stepped::Needs(_) | Stepped::Slow) => broken(execution, now_ms, BROKEN.to_owned()),
            Attempt::Panicked(panic) => {
                tracing::error!(arn = %execution.identity.arn, panic, "a step panicked");
                broken(execution, now_ms, BROKEN.to_owned())
            }
            Attempt::Lost => broken(execution, now_ms, ENDLESS.to_owned()),
        })
    }

    fn take_over(&mut self, step: Step) {
        self.execution.apply(&step);
        let logged = self.logging.as_ref().and_then(|logging| Logged::of(logging, &self.execution.identity, &step));
        if let Some(logged) = logged {
            self.place.shared.logs.put(logged);
        }
        for effect in step.effects {
            match effect {
                Effect::RunTask(request) => self.run_task(request),
                Effect::DropTask { task } => {
                    if let Some(run) = self.running.remove(&task) {
                        run.abort();
                    }
                }
                // The definition was checked: Express has no activities, no jobs and no Map Runs.
                Effect::OfferTask { .. } | Effect::StopJob(_) | Effect::RunMapRun(_) | Effect::StopMapRun { .. } => {}
            }
        }
        let mut kept = self.open.kept.lock();
        for event in step.history {
            let mut bytes = size_of::<HistoryEvent>();
            event.detail.for_each_payload(&mut |payload| bytes += payload.bytes());
            if kept.history.len() < EXPRESS_EVENTS_MAX && kept.missing == 0 && self.place.take_bytes(bytes) {
                kept.history.push(event);
            } else {
                kept.missing += 1;
            }
        }
    }

    fn run_task(&mut self, request: TaskRequest) {
        let express = self.place.express();
        let (runner, slots) = (express.runner.clone(), express.slots.clone());
        let task = request.task;
        let run = self.tasks.spawn(async move {
            // The slots are never closed; without one the task would only run beside too many others.
            let _slot = slots.acquire().await;
            runner.run(request).await
        });
        self.running.insert(task, run);
    }

    /// Waits for something to tell the machine: what is due first, then what goes on, then outcomes.
    ///
    /// Virtual time stands still (`under_way`) but where nothing other than time is waited for.
    async fn next(&mut self, under_way: &mut Option<UnderWay>) -> Event {
        loop {
            let deadline_ms = self.execution.deadline_ms().unwrap_or(NEVER);
            let now_ms = self.timeline().now_ms();
            if deadline_ms <= now_ms {
                return Event::TimePassed;
            }
            if self.execution.is_ready() {
                tokio::task::yield_now().await;
                return Event::Continued;
            }
            if let Some((task, outcome)) = self.returned.pop_front() {
                return Event::TaskReturned { task, outcome };
            }
            let timeline = self.timeline().clone();
            let mut rung = pin!(timeline.express.notified());
            // From here on no bell is missed.
            rung.as_mut().enable();
            if self.running.is_empty() {
                self.place.fall_asleep(deadline_ms);
                *under_way = None;
            }
            let left_ms = deadline_ms.saturating_sub(now_ms).unsigned_abs();
            tokio::select! {
                Some(ended) = self.tasks.join_next_with_id() => self.task_ended(ended),
                () = tokio::time::sleep(Duration::from_millis(left_ms)) => {}
                () = rung => {}
            }
            if under_way.is_none() {
                *under_way = Some(timeline.begin());
            }
            self.place.wake_up();
        }
    }

    /// One that was dropped in the meantime is waited for no more.
    fn task_ended(&mut self, ended: Result<(Id, TaskOutcome), tokio::task::JoinError>) {
        let id = ended.as_ref().map_or_else(|error| error.id(), |(id, _)| *id);
        let Some(task) = self.running.iter().find(|(_, run)| run.id() == id).map(|(task, _)| *task) else { return };
        self.running.remove(&task);
        let outcome = ended.map(|(_, outcome)| outcome).unwrap_or_else(|_| {
            TaskOutcome::Failed(Failure::new("States.Runtime", "The run of the task ended without an outcome."))
        });
        self.returned.push_back((task, outcome));
    }

    fn outcome(&mut self) -> ExpressExecution {
        let identity = &self.execution.identity;
        let texts = [&identity.arn, &identity.name, &identity.state_machine_arn];
        let output = match &self.execution.header.status {
            Status::Succeeded { output, .. } => output.bytes(),
            Status::Running | Status::Failed { .. } | Status::TimedOut { .. } | Status::Aborted { .. } => 0,
        };
        let bytes = size_of::<ExpressExecution>()
            + texts.iter().map(|text| text.len()).sum::<usize>()
            + identity.input.bytes()
            + output
            + self.place.history_bytes;
        let Kept { history, missing } = std::mem::take(&mut *self.open.kept.lock());
        ExpressExecution {
            arn: identity.arn.clone(),
            name: identity.name.clone(),
            state_machine_arn: identity.state_machine_arn.clone(),
            status: self.execution.header.status.clone(),
            start_ms: identity.start_ms,
            stop_ms: self.execution.header.last_event_ms,
            input: identity.input.clone(),
            trace_header: self.open.trace_header.clone(),
            history,
            history_missing: missing,
            bytes,
        }
    }
}
