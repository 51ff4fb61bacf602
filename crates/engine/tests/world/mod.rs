//! An engine in a world of its own: memory store, virtual time, scripted tasks.

mod shelf;

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use stepwell_engine::{
    ActivityTask, Bounds, Clock, Config, CreateStateMachine, Engine, GetHistory, MapItems, OpenError, Owner, Quotas,
    StartExecution, StartExecutionError, StartedExecution, StateMachine, Summary, TaskRunner,
};
use stepwell_expr::{Payload, Value};
use stepwell_machine::{
    Failure, HistoryEvent, Status, TaskOutcome, TaskRequest, definition::MachineType, effect::TaskTarget,
};
use stepwell_store::{Store, memory::Memory};
use tokio::runtime::Runtime;

use self::shelf::{OnShelf, Shelf};

/// Milliseconds since 1970 at which every world begins.
pub(crate) const BEGINNING_MS: i64 = 1_700_000_000_000;

/// A hang is a failure; nothing here takes that long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Virtual time does not jump further than this at once: the end of a year stays out of reach.
const JUMP_MS_MAX: i64 = 100 * 86_400_000;

/// Time that jumps when nothing is under way, unless it is held.
pub(crate) struct VirtualClock {
    now_ms: AtomicI64,
    held: AtomicBool,
}

impl Clock for VirtualClock {
    fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    fn jump_to(&self, deadline_ms: i64) -> bool {
        if self.held.load(Ordering::SeqCst) || deadline_ms - self.now_ms() > JUMP_MS_MAX {
            return false;
        }
        self.now_ms.fetch_max(deadline_ms, Ordering::SeqCst);
        true
    }
}

/// Runs tasks by the name of their function: `echo`, `fail`, `fails_once`, `panic`, `never`, and `gate`, which waits to be opened.
/// Jobs that were submitted never end by themselves.
#[derive(Default)]
pub(crate) struct Script {
    /// What was asked to be stopped, by its input, and how often.
    pub(crate) stops: Mutex<BTreeMap<String, usize>>,
    /// So often stopping fails before it succeeds.
    pub(crate) failing_stops: AtomicUsize,
    /// How often each input was run.
    pub(crate) runs: Mutex<BTreeMap<String, usize>>,
    /// Items of Map Runs and their results.
    pub(crate) shelf: Arc<Shelf>,
    gate: Arc<tokio::sync::Notify>,
    open: AtomicBool,
    /// The threads that looked at parameters, of which nothing is known before the first has.
    pub(crate) looked_at_by: Mutex<Vec<String>>,
}

impl Script {
    pub(crate) fn runs_of(&self, input: &str) -> usize {
        self.runs.lock().unwrap().get(input).copied().unwrap_or(0)
    }

    pub(crate) fn stops_of(&self, input: &str) -> usize {
        self.stops.lock().unwrap().get(input).copied().unwrap_or(0)
    }

    pub(crate) fn open_gate(&self) {
        self.open.store(true, Ordering::SeqCst);
        self.gate.notify_waiters();
    }
}

/// The script as a task runner.
pub(crate) struct Scripted(pub(crate) Arc<Script>);

impl TaskRunner for Scripted {
    fn map_items(&self) -> Arc<dyn MapItems> {
        Arc::new(OnShelf(self.0.shelf.clone()))
    }

    fn knows_parameters(&self, _service: &str, _action: &str) -> bool {
        !self.0.looked_at_by.lock().unwrap().is_empty()
    }

    fn parameters_problem(&self, _service: &str, _action: &str, parameters: &Payload) -> Option<String> {
        let thread = std::thread::current().name().unwrap_or_default().to_owned();
        self.0.looked_at_by.lock().unwrap().push(thread);
        parameters.value().get("Wrong").map(|_| "`Wrong` is no parameter".to_owned())
    }

    fn run(&self, request: TaskRequest) -> Pin<Box<dyn Future<Output = TaskOutcome> + Send + 'static>> {
        let script = self.0.clone();
        let runs = {
            let mut runs = script.runs.lock().unwrap();
            let runs = runs.entry(request.input.text().to_string()).or_default();
            *runs += 1;
            *runs
        };
        let name = match &request.target {
            TaskTarget::LambdaFunction { arn } => arn.rsplit(':').next().unwrap_or_default().to_owned(),
            TaskTarget::Service { action, .. } => action.to_string(),
        };
        let name = if request.submitted.is_some() { "never".to_owned() } else { name };
        Box::pin(async move {
            match name.as_str() {
                "fails_once" if runs > 1 => TaskOutcome::Succeeded { output: request.input },
                "fail" | "fails_once" => TaskOutcome::Failed(Failure::new("Scripted", "it was to fail")),
                "panic" => panic!("it was to panic"),
                "never" => std::future::pending().await,
                "gate" => {
                    let opened = script.gate.notified();
                    if !script.open.load(Ordering::SeqCst) {
                        opened.await;
                    }
                    TaskOutcome::Succeeded { output: request.input }
                }
                _ => TaskOutcome::Succeeded { output: request.input },
            }
        })
    }

    fn stop_job(&self, request: TaskRequest) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'static>> {
        *self.0.stops.lock().unwrap().entry(request.input.text().to_string()).or_default() += 1;
        let left = self.0.failing_stops.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        let stopped = left.map_or(Ok(()), |_| Err("it was to fail".to_owned()));
        Box::pin(std::future::ready(stopped))
    }
}

pub(crate) struct World {
    pub(crate) runtime: Runtime,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) script: Arc<Script>,
    pub(crate) bounds: Bounds,
    pub(crate) drivers: usize,
    pub(crate) engine: Engine,
}

pub(crate) fn config(clock: Arc<VirtualClock>, drivers: usize) -> Config {
    Config {
        account: "123456789012".into(),
        region: "us-east-1".into(),
        drivers,
        clock,
        announces_status: false,
        quotas: Quotas::default(),
    }
}

impl World {
    pub(crate) fn new() -> World {
        World::with(Arc::new(Memory::new()), Bounds::default(), 2)
    }

    /// In which time stands still until [`World::release_time`].
    pub(crate) fn held() -> World {
        let world = World::new();
        world.hold_time();
        world
    }

    pub(crate) fn with(store: Arc<dyn Store>, bounds: Bounds, drivers: usize) -> World {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let clock = Arc::new(VirtualClock { now_ms: AtomicI64::new(BEGINNING_MS), held: AtomicBool::new(false) });
        let script = Arc::new(Script::default());
        let engine = Engine::open_within(
            store.clone(),
            config(clock.clone(), drivers),
            Arc::new(Scripted(script.clone())),
            runtime.handle().clone(),
            bounds,
        );
        World { engine: engine.unwrap(), runtime, store, clock, script, bounds, drivers }
    }

    /// Ends the engine and opens another one on `store`.
    pub(crate) fn restart_on(self, store: Arc<dyn Store>) -> World {
        let World { runtime, clock, script, bounds, drivers, engine, .. } = self;
        runtime.block_on(engine.shut_down());
        drop(engine);
        let opened = open(&store, &clock, &script, &runtime, bounds, drivers);
        World { engine: opened.unwrap(), runtime, store, clock, script, bounds, drivers }
    }

    /// Restarts on the same store, with other quotas.
    pub(crate) fn restart_with(self, quotas: Quotas) -> World {
        self.restart_as(|config| Config { quotas, ..config })
    }

    /// Restarts on the same store, with another configuration.
    pub(crate) fn restart_as(self, change: impl FnOnce(Config) -> Config) -> World {
        let World { runtime, store, clock, script, bounds, drivers, engine } = self;
        runtime.block_on(engine.shut_down());
        drop(engine);
        let config = change(config(clock.clone(), drivers));
        let tasks = Arc::new(Scripted(script.clone()));
        let opened = Engine::open_within(store.clone(), config, tasks, runtime.handle().clone(), bounds);
        World { engine: opened.unwrap(), runtime, store, clock, script, bounds, drivers }
    }

    pub(crate) fn restart(self) -> World {
        let store = self.store.clone();
        self.restart_on(store)
    }

    /// Runs a future to its end.
    pub(crate) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(async { tokio::time::timeout(PATIENCE, future).await.expect("it hangs") })
    }

    pub(crate) fn hold_time(&self) {
        self.clock.held.store(true, Ordering::SeqCst);
    }

    /// Time jumps again whenever nothing is under way.
    pub(crate) fn release_time(&self) {
        self.clock.held.store(false, Ordering::SeqCst);
        self.engine.clock_changed();
    }

    pub(crate) fn pass_seconds(&self, seconds: i64) {
        self.clock.now_ms.fetch_add(seconds * 1000, Ordering::SeqCst);
        self.engine.clock_changed();
    }

    pub(crate) fn create(&self, name: &str, definition: &str) -> StateMachine {
        self.run(self.engine.create_state_machine(machine(name, definition))).unwrap().machine
    }

    pub(crate) fn try_start(
        &self,
        name: &str,
        execution: &str,
        input: &str,
    ) -> Result<StartedExecution, StartExecutionError> {
        self.run(self.engine.start_execution(start(&self.engine, name, execution, input)))
    }

    /// Starts an execution; answers its ARN.
    pub(crate) fn start(&self, name: &str, execution: &str, input: &str) -> Arc<str> {
        self.try_start(name, execution, input).unwrap().arn
    }

    pub(crate) fn describe(&self, arn: &str) -> Summary {
        self.run(self.engine.execution(arn)).unwrap()
    }

    /// The summary once `ready` holds.
    pub(crate) fn wait_until(&self, arn: &str, ready: impl Fn(&Summary) -> bool) -> Summary {
        self.run(async {
            loop {
                let summary = self.engine.execution(arn).await.unwrap();
                if ready(&summary) {
                    return summary;
                }
                self.engine.clock_changed();
                tokio::task::yield_now().await;
            }
        })
    }

    /// Waits until no execution is counted as open: the count follows the commit that ends one.
    pub(crate) fn wait_until_all_closed(&self) {
        self.run(async {
            while self.engine.health().open_executions != 0 {
                tokio::task::yield_now().await;
            }
        });
    }

    /// `SUCCEEDED output`, `FAILED error: cause`, ... once it has ended.
    pub(crate) fn end(&self, arn: &str) -> String {
        outcome(&self.wait_until(arn, |summary| !matches!(summary.status, Status::Running)).status)
    }

    /// Waits until the history has an event of this type.
    pub(crate) fn wait_for_event(&self, arn: &str, name: &str) {
        self.run(async {
            loop {
                let page = self.engine.history(whole(arn)).await.unwrap();
                if page.events.iter().any(|event| event_name(event).starts_with(name)) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        });
    }

    /// Waits until a task with this input has been run.
    pub(crate) fn wait_for_run(&self, input: &str) {
        self.run(async {
            while self.script.runs_of(input) == 0 {
                tokio::task::yield_now().await;
            }
        });
    }

    pub(crate) fn history(&self, arn: &str) -> Vec<HistoryEvent> {
        self.run(self.engine.history(whole(arn))).unwrap().events
    }

    /// The types of all events in order.
    pub(crate) fn events(&self, arn: &str) -> String {
        self.history(arn).iter().map(event_name).collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn take_task(&self, activity: &str, worker: &str) -> ActivityTask {
        let task = self.run(self.engine.activity_task(activity, Some(worker.into())));
        task.unwrap().expect("a task was waiting")
    }
}

pub(crate) fn open(
    store: &Arc<dyn Store>,
    clock: &Arc<VirtualClock>,
    script: &Arc<Script>,
    runtime: &Runtime,
    bounds: Bounds,
    drivers: usize,
) -> Result<Engine, OpenError> {
    let tasks = Arc::new(Scripted(script.clone()));
    Engine::open_within(store.clone(), config(clock.clone(), drivers), tasks, runtime.handle().clone(), bounds)
}

pub(crate) fn machine(name: &str, definition: &str) -> CreateStateMachine {
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

pub(crate) fn start(engine: &Engine, name: &str, execution: &str, input: &str) -> StartExecution {
    StartExecution {
        test_case: None,
        state_machine_arn: format!("{}:stateMachine:{name}", engine.arn_prefix()).into(),
        name: Some(execution.into()),
        input: Payload::from_checked_text(input),
        trace_header: None,
        origin: None,
    }
}

pub(crate) fn whole(arn: &str) -> GetHistory {
    GetHistory { execution_arn: arn.into(), reverse: false, with_data: true, limit: 1000, after: None }
}

pub(crate) fn outcome(status: &Status) -> String {
    let failed = |name: &str, failure: &Failure| {
        let (error, cause) = (failure.error.as_deref(), failure.cause.as_deref());
        format!("{name} {}: {}", error.unwrap_or("-"), cause.unwrap_or("-"))
    };
    match status {
        Status::Running => "RUNNING".to_owned(),
        Status::Succeeded { output, .. } => format!("SUCCEEDED {}", output.text()),
        Status::Failed { failure, .. } => failed("FAILED", failure),
        Status::TimedOut { failure, .. } => failed("TIMED_OUT", failure),
        Status::Aborted { failure, .. } => failed("ABORTED", failure),
    }
}

/// The variant of the event's detail.
pub(crate) fn event_name(event: &HistoryEvent) -> String {
    let text = format!("{:?}", event.detail);
    text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

/// A machine with one Task state on a function of the script.
pub(crate) fn function(name: &str) -> String {
    let resource = format!("arn:aws:lambda:us-east-1:123456789012:function:{name}");
    format!(r#"{{"StartAt":"T","States":{{"T":{{"Type":"Task","Resource":"{resource}","End":true}}}}}}"#)
}

/// A machine with one Task state on an activity; `more` are further fields, each with a comma at its end.
pub(crate) fn activity(arn: &str, more: &str) -> String {
    format!(r#"{{"StartAt":"T","States":{{"T":{{"Type":"Task","Resource":"{arn}",{more}"End":true}}}}}}"#)
}

pub(crate) const WAIT_30_DAYS: &str =
    r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":2592000,"Next":"S"},"S":{"Type":"Succeed"}}}"#;
pub(crate) const PASS: &str = r#"{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}"#;
