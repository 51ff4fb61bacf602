//! One life of an engine, from its opening to its crash, and what is done to it.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    task::Poll,
};

use stepwell_engine::{
    ActivityError, ActivityTask, Answer, Bounds, Clock, Config, CreateStateMachine, Engine, ExecutionError, MapItems,
    NotRedrivable, Owner, Quotas, RedriveError, StartExecution, StartExecutionError, StartedExecution, TaskRunner,
    TokenError,
    by_hand::ByHand,
    record::{self, ExecutionId, Shards},
};
use stepwell_expr::{Payload, Value};
use stepwell_machine::{
    Failure, Status, TaskId, TaskOutcome, TaskRequest,
    definition::MachineType,
    root::{self, Root},
};
use stepwell_store::Store;
use tokio::{runtime::Runtime, sync::oneshot};

use crate::{checks::Checks, dice::Dice, disk::Failing, journal::Journal, shelf::OnShelf};

const BEGINNING_MS: i64 = 1_700_000_000_000;
const HOUR_MS: u64 = 3_600_000;
/// Workers that poll at once.
const POLLS_MAX: usize = 4;
/// More rounds than any number of executions here takes to end.
const ROUNDS_MAX: usize = 5_000;

/// Moves only when it is moved.
pub(crate) struct HeldClock(AtomicI64);

impl HeldClock {
    pub(crate) fn new() -> HeldClock {
        HeldClock(AtomicI64::new(BEGINNING_MS))
    }

    pub(crate) fn set(&self, now_ms: i64) {
        self.0.store(now_ms, Ordering::SeqCst);
    }
}

impl Clock for HeldClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Calls that were made of tasks, and that the simulation answers when it likes.
struct Calls {
    store: Arc<dyn Store>,
    journal: Arc<Journal>,
    open: Mutex<Vec<Call>>,
    wrong: Mutex<Option<String>>,
}

struct Call {
    execution: ExecutionId,
    request: TaskRequest,
    to: oneshot::Sender<TaskOutcome>,
}

impl TaskRunner for Calls {
    fn map_items(&self) -> Arc<dyn MapItems> {
        Arc::new(OnShelf(Arc::default()))
    }

    fn run(&self, request: TaskRequest) -> Pin<Box<dyn Future<Output = TaskOutcome> + Send + 'static>> {
        let execution = ExecutionId::of_arn(&request.execution_arn);
        if let Err(why) = self.check(execution, request.task) {
            *self.wrong.lock().unwrap() = Some(format!("{}: task {} {why}", request.execution_arn, request.task.0));
        }
        let (to, outcome) = oneshot::channel();
        self.open.lock().unwrap().push(Call { execution, request, to });
        Box::pin(async move {
            match outcome.await {
                Ok(outcome) => outcome,
                Err(_) => std::future::pending().await,
            }
        })
    }
}

impl Calls {
    /// Whoever is called can read in the record that he is to be.
    fn check(&self, execution: ExecutionId, task: TaskId) -> Result<(), String> {
        if self.journal.has_returned(execution, task) {
            return Err("is run again though its outcome is recorded".to_owned());
        }
        let loaded = record::load(self.store.as_ref(), execution).map_err(|error| error.to_string())?;
        let waits = loaded.is_some_and(|loaded| loaded.execution.awaits_call(task));
        if waits { Ok(()) } else { Err("is run though no record waits for it".to_owned()) }
    }
}

trait AwaitsCall {
    fn awaits_call(&self, task: TaskId) -> bool;
}

impl AwaitsCall for stepwell_machine::Execution {
    fn awaits_call(&self, task: TaskId) -> bool {
        self.is_running() && self.tasks().any(|wait| wait.task == task && !wait.under_way)
    }
}

/// What a caller of the API waits for.
enum Told {
    Start(Arc<str>, Result<StartedExecution, StartExecutionError>),
    Stop(Arc<str>, Result<i64, ExecutionError>),
    Redrive(Arc<str>, Result<i64, RedriveError>),
    Answer(String, Result<(), TokenError>),
    Beat,
    Polled(Result<Option<ActivityTask>, ActivityError>),
}

type Waiting = Pin<Box<dyn Future<Output = Told>>>;

pub(crate) struct Life<'a> {
    // Dropped in this order: callers first, the engine last.
    waiting: Vec<Waiting>,
    polls: usize,
    by_hand: ByHand,
    calls: Arc<Calls>,
    engine: Engine,
    store: Arc<dyn Store>,
    pub(crate) world: &'a mut World,
}

/// What outlives an engine, but for its disk.
pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) runtime: Runtime,
    pub(crate) clock: Arc<HeldClock>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) checks: Checks,
    pub(crate) machines: Vec<(&'static str, String)>,
    pub(crate) activity_arn: Arc<str>,
    pub(crate) bounds: Bounds,
    pub(crate) quotas: Quotas,
    pub(crate) drivers: usize,
    /// Of tasks that somebody was given, also long ago.
    pub(crate) tokens: Vec<String>,
    pub(crate) starts: u64,
    /// The first request that was answered, for an engine that runs it again.
    pub(crate) answered: Option<(ExecutionId, TaskRequest)>,
}

impl<'a> Life<'a> {
    pub(crate) fn begin(world: &'a mut World, store: Arc<Failing>) -> Result<Life<'a>, String> {
        let calls = Arc::new(Calls {
            store: store.clone(),
            journal: world.journal.clone(),
            open: Mutex::default(),
            wrong: Mutex::default(),
        });
        let config = Config {
            account: "123456789012".into(),
            region: "us-east-1".into(),
            drivers: world.drivers,
            clock: world.clock.clone(),
            announces_status: false,
            quotas: world.quotas,
        };
        let opened = Engine::open_by_hand(
            store.clone(),
            config,
            calls.clone(),
            world.runtime.handle().clone(),
            world.bounds,
            world.journal.clone(),
        );
        let (engine, by_hand) = opened.map_err(|error| error.to_string())?;
        for (name, _) in &world.machines {
            // Compiled now, so that no start has to wait for a thread.
            engine.state_machine(&format!("{}:stateMachine:{name}", engine.arn_prefix()));
        }
        Ok(Life { waiting: Vec::new(), polls: 0, by_hand, calls, engine, store, world })
    }

    /// Makes what all lives need.
    pub(crate) fn set_up(&mut self) {
        let engine = self.engine.clone();
        let (machines, arn) = (self.world.machines.clone(), self.world.activity_arn.clone());
        let task = self.world.runtime.spawn(async move {
            let created = engine.create_activity(engine.owner(), "a", Value::empty_object(), BTreeMap::new()).await;
            assert_eq!(created.unwrap().arn, arn);
            for (name, definition) in machines {
                engine.create_state_machine(machine(name, &definition)).await.unwrap();
            }
        });
        while !task.is_finished() {
            self.by_hand.commit();
            self.run_tasks();
            std::thread::yield_now();
        }
        self.world.runtime.block_on(task).unwrap();
    }

    /// One thing that happens, whatever it is.
    pub(crate) fn happen(&mut self) -> Result<(), String> {
        match self.world.dice.roll(24) {
            0..=7 => {
                let driver = self.world.dice.place(self.world.drivers).unwrap_or(0);
                let worked = self.by_hand.drive(driver);
                self.world.dice.note(u64::from(worked));
            }
            8..=11 => {
                let worked = self.by_hand.commit();
                self.world.dice.note(u64::from(worked));
            }
            12 | 13 => self.start(),
            14 if self.world.dice.once_in(2) => self.redrive(),
            14 => self.stop(),
            15 | 16 => self.poll(),
            17 | 18 => self.end_a_call(false),
            19 => self.answer(),
            20 => self.beat(),
            21 | 22 => self.pass_time(),
            23 if self.world.dice.once_in(3) => self.sweep(),
            _ => self.turn_the_clock(),
        }
        self.settle()
    }

    /// Everything that is open comes to its end.
    pub(crate) fn finish(&mut self) -> Result<(), String> {
        for _ in 0..ROUNDS_MAX {
            let mut worked = false;
            for driver in 0..self.world.drivers {
                worked |= self.by_hand.drive(driver);
            }
            worked |= self.by_hand.commit();
            self.settle()?;
            if worked {
                continue;
            }
            let marks = record::map_run_marks(self.store.as_ref()).map_err(|error| error.to_string())?;
            if self.engine.health().open_executions == 0 && marks.is_empty() {
                return Ok(());
            }
            self.poll();
            if !self.calls.open.lock().unwrap().is_empty() {
                self.end_a_call(true);
            } else if !self.answer_all() {
                self.pass_time();
            }
        }
        let marks = record::map_run_marks(self.store.as_ref()).map_err(|error| error.to_string())?;
        let open = self.engine.health().open_executions;
        Err(format!("{open} executions never end, nor do the Map Runs of {marks:?}"))
    }

    /// A bug of ours: a task is run whose outcome is recorded.
    pub(crate) fn run_a_task_again(&mut self) -> Result<(), String> {
        if let Some((execution, request)) = &self.world.answered {
            self.by_hand.run_task(*execution, request.clone());
        }
        self.settle()
    }

    pub(crate) fn open_executions(&self) -> u64 {
        self.engine.health().open_executions
    }

    fn settle(&mut self) -> Result<(), String> {
        self.run_tasks();
        for told in self.listen() {
            self.hear(told)?;
        }
        self.calls.wrong.lock().unwrap().take().map_or(Ok(()), Err)
    }

    /// The process dies. What ran on its runtime is gone with it.
    pub(crate) fn crash(self) {
        let Life { world, engine, by_hand, calls, waiting, .. } = self;
        drop((waiting, by_hand, engine, calls));
        run_tasks(&world.runtime);
        world.runtime = runtime();
    }

    fn run_tasks(&self) {
        run_tasks(&self.world.runtime);
    }

    /// What callers have been told.
    fn listen(&mut self) -> Vec<Told> {
        let waiting = &mut self.waiting;
        self.world.runtime.block_on(std::future::poll_fn(|context| {
            let mut told = Vec::new();
            waiting.retain_mut(|call| match call.as_mut().poll(context) {
                Poll::Ready(answer) => {
                    told.push(answer);
                    false
                }
                Poll::Pending => true,
            });
            Poll::Ready(told)
        }))
    }

    fn hear(&mut self, told: Told) -> Result<(), String> {
        let checks = &mut self.world.checks;
        match told {
            Told::Start(arn, Ok(_)) => {
                checks.started.insert(arn);
            }
            Told::Start(_, Err(StartExecutionError::Unavailable(_) | StartExecutionError::AlreadyExists { .. })) => {}
            Told::Start(arn, Err(error)) => return Err(format!("{arn}: {error}")),
            Told::Stop(arn, Ok(_)) => {
                // A Map Run may redrive its child executions.
                if !checks.redriven.contains(&arn) && !checks.children.contains_key(&arn) {
                    checks.stopped.insert(arn);
                }
            }
            Told::Stop(arn, Err(ExecutionError::DoesNotExist))
                if checks.started.contains(&arn) && !checks.expired.contains(&arn) =>
            {
                return Err(format!("{arn}: it cannot be stopped, as if it did not exist"));
            }
            Told::Stop(_, Err(_)) => {}
            Told::Redrive(arn, Err(_)) if checks.expired.contains(&arn) => {}
            Told::Redrive(arn, Err(RedriveError::DoesNotExist)) if checks.started.contains(&arn) => {
                return Err(format!("{arn}: it cannot be redriven, as if it did not exist"));
            }
            Told::Redrive(arn, Err(RedriveError::NotRedrivable(NotRedrivable::BeforeRedrives))) => {
                return Err(format!("{arn}: what a redrive of it needs is lost"));
            }
            Told::Redrive(_, Ok(_) | Err(_)) => {}
            Told::Answer(token, Ok(())) => {
                let (arn, task) = self.named(&token)?;
                if !self.world.checks.answered.insert((arn.clone(), task)) {
                    return Err(format!("{arn}: task {} took two answers", task.0));
                }
            }
            Told::Answer(token, Err(TokenError::Invalid)) => {
                let (arn, _) = self.named(&token)?;
                if !self.world.checks.expired.contains(&arn) {
                    return Err(format!("the true token {token} is refused as invalid"));
                }
            }
            Told::Answer(_, Err(_)) | Told::Beat => {}
            Told::Polled(polled) => {
                self.polls -= 1;
                if let Ok(Some(task)) = polled {
                    let (arn, id) = self.named(&task.token)?;
                    if !self.world.checks.taken.insert((arn.clone(), id)) {
                        return Err(format!("{arn}: two workers have task {}", id.0));
                    }
                    self.world.tokens.push(task.token);
                }
            }
        }
        Ok(())
    }

    /// The task of a token.
    fn named(&mut self, token: &str) -> Result<(Arc<str>, TaskId), String> {
        let (id, task, _) = root::parse_token(token).ok_or("a token has a wrong form")?;
        let of =
            |checks: &Checks| checks.attempted.keys().find(|arn| ExecutionId::of_arn(arn) == ExecutionId(id)).cloned();
        let mut arn = of(&self.world.checks);
        if arn.is_none() {
            self.world.checks.find_children(self.store.as_ref())?;
            arn = of(&self.world.checks);
        }
        Ok((arn.ok_or("a token is of no execution")?, task))
    }

    fn find_children(&mut self) {
        if let Err(why) = self.world.checks.find_children(self.store.as_ref()) {
            *self.calls.wrong.lock().unwrap() = Some(why);
        }
    }

    fn start(&mut self) {
        let place = self.world.dice.place(self.world.machines.len()).unwrap_or(0);
        // Its history costs as much as those of a hundred others.
        let place = if self.world.machines[place].0 == "long-map" && !self.world.dice.once_in(6) { 0 } else { place };
        let machine = self.world.machines[place].0;
        // A name that comes twice is refused, or answered as before.
        let again = self.world.dice.once_in(8) && self.world.starts > 0;
        let number = if again { self.world.dice.roll(self.world.starts) } else { self.world.starts };
        self.world.starts += u64::from(!again);
        let arn: Arc<str> = format!("{}:execution:{machine}:x{number}", self.engine.arn_prefix()).into();
        // Long texts are rows of their own.
        let long = if number % 3 == 0 { "x".repeat(5_000) } else { String::new() };
        let mut secret = [0; 32];
        secret[..8].copy_from_slice(&number.to_be_bytes());
        let start = StartExecution {
            test_case: None,
            state_machine_arn: format!("{}:stateMachine:{machine}", self.engine.arn_prefix()).into(),
            name: Some(format!("x{number}").into()),
            input: Payload::from_checked_text(format!(
                r#"{{"n":{number},"items":[1,2,3,4],"pair":[1,2],"long":"{long}"}}"#
            )),
            trace_header: None,
            // Tokens, Map Runs and child executions are called the same in each run of a seed.
            origin: Some(Root(secret)),
        };
        if self.world.checks.expired.contains(&arn) {
            // Its name may be free again; what was noted of it is not.
            return;
        }
        self.world.checks.attempted.insert(arn.clone(), machine);
        let engine = self.engine.clone();
        self.call(async move { Told::Start(arn, engine.start_execution(start).await) });
    }

    fn stop(&mut self) {
        let Some(place) = self.world.dice.place(self.world.checks.attempted.len()) else { return };
        // Stops are rare, or nothing else would ever end.
        if !self.world.dice.once_in(2) {
            return;
        }
        let Some(arn) = self.world.checks.attempted.keys().nth(place).cloned() else { return };
        let engine = self.engine.clone();
        self.call(async move {
            let answer = engine.stop_execution(&arn, Failure::new("Stop", "by the dice")).await;
            Told::Stop(arn, answer)
        });
    }

    fn redrive(&mut self) {
        let Some(place) = self.world.dice.place(self.world.checks.attempted.len()) else { return };
        let Some(arn) = self.world.checks.attempted.keys().nth(place).cloned() else { return };
        if self.world.checks.children.contains_key(&arn) {
            // The API refuses it: their Map Run alone redrives them.
            return;
        }
        // The same token twice redrives once.
        let token = self.world.dice.once_in(4).then(|| "token".into());
        // From now on it may run again, whether anybody hears of it or not.
        self.world.checks.stopped.remove(&arn);
        self.world.checks.redriven.insert(arn.clone());
        let engine = self.engine.clone();
        self.call(async move {
            let answer = engine.redrive_execution(&arn, token).await;
            Told::Redrive(arn, answer)
        });
    }

    fn poll(&mut self) {
        if self.polls >= POLLS_MAX {
            return;
        }
        self.polls += 1;
        let (engine, arn) = (self.engine.clone(), self.world.activity_arn.clone());
        self.call(async move { Told::Polled(engine.activity_task(&arn, Some("w".into())).await) });
    }

    /// One of the calls that were made comes back; `well`: it must not stay away.
    fn end_a_call(&mut self, well: bool) {
        let mut open = self.calls.open.lock().unwrap();
        open.retain(|call| !call.to.is_closed());
        let Some(place) = self.world.dice.place(open.len()) else { return };
        let outcome = match self.world.dice.roll(8) {
            0 | 1 => TaskOutcome::Failed(Failure::new("Scripted", "it was to fail")),
            // It never comes back, and whoever waits for it has to give up.
            2 if !well => return,
            _ => TaskOutcome::Succeeded { output: Payload::from_checked_text(r#"{"ok":true}"#) },
        };
        let Call { execution, request, to } = open.swap_remove(place);
        drop(open);
        if let Some(token) = token_in(&request) {
            self.world.tokens.push(token);
        }
        // One that was cancelled meanwhile.
        drop(to.send(outcome));
        self.world.answered.get_or_insert((execution, request));
    }

    /// Somebody who holds a token answers, maybe for the second time.
    fn answer(&mut self) {
        let Some(place) = self.world.dice.place(self.world.tokens.len()) else { return };
        let token = self.world.tokens[place].clone();
        self.send_answer(token);
    }

    fn send_answer(&mut self, token: String) {
        let answer = match self.world.dice.roll(4) {
            0 => Answer::Failure(Failure::new("Scripted", "it was to fail")),
            _ => Answer::Success(Payload::from_checked_text(r#"{"answered":true}"#)),
        };
        let engine = self.engine.clone();
        self.call(async move {
            let told = engine.answer_task(&token, answer).await;
            Told::Answer(token, told)
        });
    }

    fn beat(&mut self) {
        let Some(place) = self.world.dice.place(self.world.tokens.len()) else { return };
        let (engine, token) = (self.engine.clone(), self.world.tokens[place].clone());
        self.call(async move {
            // Beats promise nothing.
            let _unknown = engine.heartbeat(&token).await;
            Told::Beat
        });
    }

    /// Answers every task that waits for it, by the tokens that the records give. False if there is none.
    fn answer_all(&mut self) -> bool {
        let mut tokens = Vec::new();
        self.find_children();
        for arn in self.world.checks.attempted.keys() {
            let Ok(Some(loaded)) = record::load(self.store.as_ref(), ExecutionId::of_arn(arn)) else { continue };
            let execution = loaded.execution;
            let waits = execution.tasks().filter(|wait| wait.under_way && execution.awaits(wait.task));
            tokens.extend(waits.map(|wait| root::token(&execution.identity, wait.task)));
        }
        let any = !tokens.is_empty();
        tokens.into_iter().for_each(|token| self.send_answer(token));
        any
    }

    /// To the next deadline, and sometimes well past it; a little, where an execution is throttled.
    fn pass_time(&mut self) {
        let store = self.store.as_ref();
        let next = record::timers(store, Shards::ALL, None, i64::MAX, 1);
        let Some(next) = next.ok().and_then(|timers| timers.first().copied()) else { return };
        let ready = record::runnable(store, Shards::ALL, None, 1).unwrap_or_default();
        let throttled = self.world.quotas.state_transitions.is_some() && !ready.is_empty();
        let due_ms = if throttled { next.due_ms.min(self.world.clock.now_ms() + 100) } else { next.due_ms };
        let late = if self.world.dice.once_in(4) { self.world.dice.roll(90_000) } else { 0 };
        let now_ms = self.world.clock.now_ms().max(due_ms) + late.cast_signed();
        self.world.clock.set(now_ms);
        self.engine.clock_changed();
    }

    /// Some of what has ended is old enough to go.
    fn sweep(&mut self) {
        let age_ms = self.world.dice.roll(2 * HOUR_MS).cast_signed();
        let before_ms = self.world.clock.now_ms() - age_ms;
        self.find_children();
        for arn in self.world.checks.attempted.keys() {
            let loaded = record::load(self.store.as_ref(), ExecutionId::of_arn(arn));
            let status = loaded.ok().flatten().map(|loaded| loaded.execution.header.status);
            let stop_ms = match status {
                None | Some(Status::Running) => continue,
                Some(
                    Status::Succeeded { stop_ms, .. }
                    | Status::Failed { stop_ms, .. }
                    | Status::Aborted { stop_ms, .. }
                    | Status::TimedOut { stop_ms, .. },
                ) => stop_ms,
            };
            if stop_ms < before_ms {
                self.world.checks.expired.insert(arn.clone());
            }
        }
        self.by_hand.sweep(before_ms);
    }

    /// Somebody sets the clock: far ahead, or back.
    fn turn_the_clock(&mut self) {
        let by_ms = self.world.dice.roll(HOUR_MS).cast_signed();
        let by_ms = if self.world.dice.once_in(2) { -by_ms } else { by_ms };
        self.world.clock.set(self.world.clock.now_ms() + by_ms);
        self.engine.clock_changed();
    }

    fn call(&mut self, call: impl Future<Output = Told> + 'static) {
        self.waiting.push(Box::pin(call));
    }
}

/// Of one life: the turns that it gives depend on all it has done, and to set things up takes as many as it takes.
pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A few turns of everything that can go on.
fn run_tasks(runtime: &Runtime) {
    runtime.block_on(async {
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
    });
}

/// The token that a callback task sends along.
fn token_in(request: &TaskRequest) -> Option<String> {
    let text = request.input.text();
    let (_, rest) = text.split_once(r#""token":""#)?;
    Some(rest.split_once('"')?.0.to_owned())
}

fn machine(name: &str, definition: &str) -> CreateStateMachine {
    CreateStateMachine {
        name: name.into(),
        owner: Owner::new("us-east-1", "123456789012"),
        machine_type: MachineType::Standard,
        definition: definition.into(),
        role_arn: "arn:aws:iam::123456789012:role/r".into(),
        logging: Value::empty_object(),
        tracing: Value::empty_object(),
        encryption: Value::empty_object(),
        tags: BTreeMap::new(),
        publish: None,
    }
}
