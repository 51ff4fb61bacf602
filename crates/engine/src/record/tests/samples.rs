//! Executions made by hand, one that holds everything that a record can hold, and pictures to compare them by.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use stepwell_expr::Payload;
use stepwell_machine::{
    Effect, Execution, Failure, Frame, FrameId, HistoryEvent, Identity, Redrives, StateId, Status, Step, TaskId,
    TaskOutcome, TaskRequest,
    effect::TaskTarget,
    execution::{MapWait, ParallelWait, Phase, TaskWait, Wreck},
    history::{Detail, ServiceResource},
    program::ScopeId,
    root::Root,
    state::StateType,
};
use stepwell_store::{Batch, Direction, Memory, Space, Store, Visit};

use crate::{
    limits::INLINE_TEXT_BYTES_MAX,
    record::{Books, ExecutionId, Loaded, fill, load, record_start, record_step},
};

pub(super) const START_MS: i64 = 1_700_000_000_000;
pub(super) const MACHINE: &str = "arn:aws:states:us-east-1:123456789012:stateMachine:orders";

pub(super) fn identity(name: &str, start_ms: i64, input: Payload) -> Identity {
    let arn = format!("arn:aws:states:us-east-1:123456789012:execution:orders:{name}");
    Identity {
        id: ExecutionId::of_arn(&arn).0,
        arn: arn.into(),
        name: name.into(),
        state_machine_arn: MACHINE.into(),
        state_machine_name: "orders".into(),
        role_arn: "arn:aws:iam::123456789012:role/r".into(),
        region: "us-east-1".into(),
        root: Root([7; 32]),
        start_ms,
        input,
        test_case: None,
        workflow: stepwell_machine::Workflow::Standard,
        child: None,
        qualifier: None,
    }
}

pub(super) fn json(text: &str) -> Payload {
    Payload::from_checked_text(text)
}

/// A JSON string that gets a row of its own, other for each `letter`.
pub(super) fn long(letter: char) -> Payload {
    let text: String = std::iter::repeat_n(letter, INLINE_TEXT_BYTES_MAX).collect();
    json(&format!("\"{text}\""))
}

/// An execution with its books and its store; each [`Run::step`] is a commit.
pub(super) struct Run<'a> {
    pub(super) store: &'a Memory,
    pub(super) execution: Execution,
    pub(super) books: Books,
}

impl<'a> Run<'a> {
    pub(super) fn new(store: &'a Memory, identity: Identity) -> Run<'a> {
        let execution = Execution::new(Arc::new(identity));
        let books = record_start(&execution, 42, Some("Root=1-2-3".into()));
        Run { store, execution, books }
    }

    pub(super) fn id(&self) -> ExecutionId {
        ExecutionId::of(&self.execution.identity)
    }

    /// Records `step` and makes it durable; answers how many rows were written or deleted.
    pub(super) fn step(&mut self, step: &Step) -> usize {
        let before = self.execution.clone();
        self.execution.apply(step);
        let mut batch = Batch::default();
        record_step(&mut self.books, &before, step, &self.execution, &mut batch);
        let writes = batch.writes().len();
        self.store.commit(batch).unwrap();
        writes
    }

    /// An empty step from here on.
    pub(super) fn next(&self) -> Step {
        Step {
            header: self.execution.header.clone(),
            frames: BTreeMap::new(),
            results: BTreeMap::new(),
            history: Vec::new(),
            effects: Vec::new(),
            ran: 0,
        }
    }

    /// A step that adds `details` to the history, each a millisecond after the other.
    pub(super) fn events(&self, details: Vec<Detail>) -> Step {
        let mut step = self.next();
        for detail in details {
            let id = step.header.next_event;
            step.header.next_event += 1;
            step.header.last_event_ms += 1;
            let timestamp_ms = step.header.last_event_ms;
            step.history.push(HistoryEvent { id, previous: id - 1, timestamp_ms, detail });
        }
        step
    }

    pub(super) fn end(&self, status: Status) -> Step {
        let mut step = self.events(vec![Detail::ExecutionSucceeded { output: json("{}") }]);
        step.header.status = status;
        step.frames = self.execution.frames.keys().map(|id| (*id, None)).collect();
        step.results = self.execution.results.keys().map(|key| (*key, None)).collect();
        step
    }

    pub(super) fn loaded(&self) -> Loaded {
        load(self.store, self.id()).unwrap().unwrap()
    }
}

/// The first step of an execution with one frame, which waits.
pub(super) fn waiting(run: &Run<'_>, input: &str) -> Step {
    let started = Detail::ExecutionStarted {
        input: run.execution.identity.input.clone(),
        role_arn: run.execution.identity.role_arn.clone(),
        version_arn: None,
        alias_arn: None,
    };
    let entered = Detail::StateEntered { kind: StateType::Wait, name: "Wait".into(), input: json(input) };
    let mut step = run.events(vec![started, entered]);
    let top = Frame { parent: None, ..frame(Phase::Wait { until_ms: START_MS + 60_000 }) };
    step.frames.insert(FrameId(0), Some(Arc::new(top)));
    step
}

pub(super) fn succeeded(output: Payload) -> Status {
    Status::Succeeded { output, stop_ms: START_MS + 9 }
}

pub(super) fn frame(phase: Phase) -> Frame {
    Frame {
        scope: ScopeId(1),
        parent: Some((FrameId(0), 3)),
        state: StateId(4),
        input: json("{\"n\":1}"),
        entered: 5,
        before_entered: 4,
        entered_ms: START_MS + 5,
        last_event: 6,
        retries: vec![0, 2],
        variables: Arc::default(),
        phase,
    }
}

pub(super) fn task(id: u64) -> TaskWait {
    TaskWait {
        task: TaskId(id),
        input: json("[1,2]"),
        credentials_role: None,
        deadline_ms: None,
        heartbeat: None,
        under_way: false,
        submitted: None,
        early_answer: None,
    }
}

fn map() -> MapWait {
    MapWait { items: long('i'), effective_input: json("null"), length: 300, next: 41, ended: 1, concurrency: 40 }
}

/// What is left of frames that ended unsuccessfully.
pub(super) fn wrecks() -> Vec<Wreck> {
    vec![Wreck::Enter, Wreck::Run, Wreck::Parallel(ParallelWait { branches: 3, ended: 1 }), Wreck::Map(map())]
}

/// A frame in every phase of the first format, and all that phases can hold.
pub(super) fn phases() -> Vec<Phase> {
    let answered = |outcome: TaskOutcome| TaskWait { early_answer: Some(outcome), ..task(21) };
    vec![
        Phase::Enter,
        Phase::Run,
        Phase::Backoff { until_ms: START_MS + 7_000 },
        Phase::Wait { until_ms: START_MS + 8_000 },
        Phase::Task(task(20)),
        Phase::Task(TaskWait {
            credentials_role: Some("arn:aws:iam::123456789012:role/other".into()),
            deadline_ms: Some(START_MS + 60_000),
            heartbeat: Some((30, Some(START_MS + 30_000))),
            under_way: true,
            ..task(22)
        }),
        Phase::Task(answered(TaskOutcome::Succeeded { output: long('a') })),
        Phase::Task(answered(TaskOutcome::Failed(Failure::new("Custom", "why")))),
        Phase::Task(TaskWait { heartbeat: Some((30, None)), ..task(23) }),
        Phase::Parallel(ParallelWait { branches: 3, ended: 1 }),
        Phase::Map(map()),
        Phase::Failed { failure: Failure { error: None, cause: None }, in_task: true, wreck: Wreck::Run },
        Phase::Failed { failure: Failure::named("States.Timeout"), in_task: false, wreck: Wreck::Run },
    ]
}

/// A step that ends an execution unsuccessfully and leaves wrecks of every kind, also such that were told nobody yet.
pub(super) fn wrecked(run: &Run<'_>) -> Step {
    let mut step = run.events(vec![Detail::ExecutionFailed(Failure::named("Error"))]);
    for (index, wreck) in (0..).zip(wrecks()) {
        step.frames.insert(FrameId(index), Some(Arc::new(frame(Phase::Wrecked(wreck)))));
    }
    step.results.insert((FrameId(3), 0), Some(Arc::new(vec![None, Some(json("1"))])));
    step.header.status = Status::Failed { failure: Failure::named("Error"), stop_ms: START_MS + 9 };
    step
}

/// A step that redrives an execution, with frames that failed again.
pub(super) fn redriven(run: &Run<'_>) -> Step {
    let mut step = run.events(vec![Detail::ExecutionRedriven { count: 1 }]);
    for (index, wreck) in (0..).zip(wrecks()) {
        let failure = Failure::named("Error");
        let phase = Phase::Failed { failure, in_task: false, wreck };
        step.frames.insert(FrameId(index), Some(Arc::new(frame(phase))));
    }
    step.header.status = Status::Running;
    step.header.redrives = Redrives { count: 1, last_ms: Some(START_MS + 20) };
    step.header.ready = (0..).map(FrameId).take(wrecks().len()).collect();
    step
}

/// An event of every type of the first format.
pub(super) fn details() -> Vec<Detail> {
    let failure = || Failure::new("Error", "the cause");
    let service = || ServiceResource { kind: "lambda".into(), action: "invoke.waitForTaskToken".into() };
    let shared = long('s');
    let output = json("{\"out\":[]}");
    vec![
        Detail::ExecutionStarted { input: json("{}"), role_arn: "role".into(), version_arn: None, alias_arn: None },
        Detail::StateEntered { kind: StateType::Pass, name: "Pass".into(), input: long('p') },
        Detail::StateExited {
            kind: StateType::Pass,
            name: "Pass".into(),
            output: output.clone(),
            assigned: Arc::new([("a".into(), json("1")), ("b".into(), long('b'))]),
        },
        Detail::StateEntered { kind: StateType::Task, name: "Täsk".into(), input: output },
        Detail::LambdaFunctionScheduled {
            resource: "arn:lambda".into(),
            input: shared.clone(),
            timeout_seconds: Some(60),
            credentials_role: Some("role".into()),
        },
        Detail::LambdaFunctionStarted,
        Detail::LambdaFunctionSucceeded { output: shared.clone() },
        Detail::LambdaFunctionFailed(failure()),
        Detail::LambdaFunctionTimedOut(Failure::named("States.Timeout")),
        Detail::ActivityScheduled {
            resource: "arn:activity".into(),
            input: shared.clone(),
            timeout_seconds: None,
            heartbeat_seconds: Some(1),
        },
        Detail::ActivityStarted { worker: Some("w".into()) },
        Detail::ActivityStarted { worker: None },
        Detail::ActivitySucceeded { output: shared.clone() },
        Detail::ActivityFailed(Failure { error: None, cause: None }),
        Detail::ActivityTimedOut(failure()),
        Detail::TaskScheduled {
            resource: service(),
            region: "us-east-1".into(),
            parameters: json("{\"p\":1}"),
            timeout_seconds: Some(99_999_999),
            heartbeat_seconds: None,
            credentials_role: None,
        },
        Detail::TaskStarted { resource: service() },
        Detail::TaskSubmitted { resource: service(), output: shared.clone() },
        Detail::TaskSucceeded { resource: service(), output: shared },
        Detail::TaskFailed { resource: service(), failure: failure() },
        Detail::TaskTimedOut { resource: service(), failure: failure() },
        Detail::TaskStateAborted,
        Detail::WaitStateAborted,
        Detail::ParallelStateStarted,
        Detail::ParallelStateSucceeded,
        Detail::ParallelStateFailed,
        Detail::ParallelStateAborted,
        Detail::MapStateStarted { length: 300 },
        Detail::MapStateSucceeded,
        Detail::MapStateFailed,
        Detail::MapStateAborted,
        Detail::MapIterationStarted { name: "Map".into(), index: 0 },
        Detail::MapIterationSucceeded { name: "Map".into(), index: 1 },
        Detail::MapIterationFailed { name: "Map".into(), index: 2 },
        Detail::MapIterationAborted { name: "Map".into(), index: 299 },
        Detail::EvaluationFailed { failure: failure(), location: Some("Output".into()), state: "Pass".into() },
        Detail::ExecutionFailed(failure()),
        Detail::ExecutionAborted(Failure { error: None, cause: None }),
        Detail::ExecutionTimedOut(Failure::named("States.Timeout")),
        Detail::ExecutionSucceeded { output: json("\"end\"") },
    ]
}

/// The step that makes an execution hold everything: all phases, variables, results, events, a task of each kind.
pub(super) fn everything(run: &Run<'_>) -> Step {
    let mut step = run.events(details());
    for (index, phase) in phases().into_iter().enumerate() {
        step.frames.insert(FrameId(index as u32), Some(Arc::new(frame(phase))));
    }
    let variables = [("small".into(), json("{\"a\":true}")), ("large".into(), long('v'))].into_iter().collect();
    let top = Frame { parent: None, variables: Arc::new(variables), ..frame(Phase::Enter) };
    step.frames.insert(FrameId(0), Some(Arc::new(top)));
    step.results.insert((FrameId(10), 0), Some(Arc::new(vec![Some(json("0")), None, Some(long('r'))])));
    step.results.insert((FrameId(10), 1), Some(Arc::new(vec![Some(json("256"))])));
    step.effects.push(run_task(run, TaskId(20)));
    let activity_arn = "arn:aws:states:us-east-1:123456789012:activity:a".into();
    step.effects.push(Effect::OfferTask { task: TaskId(23), activity_arn, input: json("{}") });
    step.header.next_frame = 99;
    step.header.deadline_ms = Some(START_MS + 90_000);
    step.header.ready = VecDeque::from([FrameId(1), FrameId(0)]);
    step
}

pub(super) fn run_task(run: &Run<'_>, task: TaskId) -> Effect {
    let identity = &run.execution.identity;
    Effect::RunTask(TaskRequest {
        submitted: None,
        origin: Root([9; 32]),
        task,
        target: TaskTarget::LambdaFunction { arn: "arn:lambda".into() },
        input: json("{}"),
        credentials_role: None,
        execution_arn: identity.arn.clone(),
        state_machine_arn: identity.state_machine_arn.clone(),
        role_arn: identity.role_arn.clone(),
    })
}

/// Fills a loaded execution and shows it; the same for an execution that never left memory.
pub(super) fn picture(store: &dyn Store, execution: &Execution) -> String {
    let payloads = payloads(execution);
    fill(store, ExecutionId::of(&execution.identity), &payloads).unwrap();
    payloads.iter().for_each(|payload| assert!(!payload.text().is_empty()));
    format!("{:?} {execution:#?}", execution.identity.root.0)
}

pub(super) fn payloads(execution: &Execution) -> Vec<Payload> {
    let mut payloads = vec![execution.identity.input.clone()];
    if let Status::Succeeded { output, .. } = &execution.header.status {
        payloads.push(output.clone());
    }
    for frame in execution.frames.values() {
        payloads.push(frame.input.clone());
        payloads.extend(frame.variables.values().cloned());
        match &frame.phase {
            Phase::Map(wait) | Phase::Wrecked(Wreck::Map(wait)) | Phase::Failed { wreck: Wreck::Map(wait), .. } => {
                payloads.extend([wait.items.clone(), wait.effective_input.clone()])
            }
            Phase::Task(wait) => {
                payloads.push(wait.input.clone());
                if let Some(TaskOutcome::Succeeded { output }) = &wait.early_answer {
                    payloads.push(output.clone());
                }
            }
            _ => {}
        }
    }
    payloads.extend(execution.results.values().flat_map(|chunk| chunk.iter().flatten().cloned()));
    payloads
}

/// All rows of a store, by space and key.
pub(super) fn rows(store: &dyn Store) -> Vec<(Space, Vec<u8>, Vec<u8>)> {
    let mut rows = Vec::new();
    for space in Space::ALL {
        let mut visit = |key: &[u8], value: &[u8]| {
            rows.push((space, key.to_vec(), value.to_vec()));
            Visit::Continue(())
        };
        store.scan(space, &[], &[], Direction::Forward, &mut visit).unwrap();
    }
    rows
}

pub(super) fn count(store: &dyn Store, space: Space) -> usize {
    rows(store).iter().filter(|row| row.0 == space).count()
}
