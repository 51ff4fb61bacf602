//! An execution that is fed events, in one of several ways that must not make a difference.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use proptest::{collection::vec, prelude::*, sample::select};
use stepwell_expr::Payload;
use stepwell_machine::{
    Effect, Event, Execution, Failure, Frame, HistoryEvent, Identity, Moment, Program, Status, Step, Stepped, TaskId,
    TaskOutcome,
    execution::{Phase, Wreck},
    history::Detail,
    limits::{FUEL_EVALUATION, FUEL_SLICE, Limits},
    root::Root,
};

use crate::programs::INPUT;

const START_MS: i64 = 1_700_000_000_000;

/// More steps than any script of a small program takes.
const STEPS_MAX: usize = 20_000;

/// An execution with a longer history is not run to its end: a loop may write 25,000 events of 256 KiB, as on AWS.
const HISTORY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Something that happens to an execution from outside.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    /// Time passes, and is noticed.
    Passes {
        ms: i64,
    },
    /// Time passes, and whatever comes next comes before its timers.
    Unnoticed {
        ms: i64,
    },
    /// `task`: of those that are waited for, or of none.
    Returned {
        task: u8,
        outcome: Outcome,
    },
    Answered {
        task: u8,
        outcome: Outcome,
    },
    Started {
        task: u8,
    },
    Heartbeat {
        task: u8,
    },
    /// A start that comes again.
    StartedAgain,
    /// Somebody thought that it was ready.
    Continued,
    Stopped,
    /// It goes on, if it had ended unsuccessfully.
    Redriven,
}

/// A text, or an error name.
pub(crate) type Outcome = Result<&'static str, Option<&'static str>>;

pub(crate) fn script() -> impl Strategy<Value = Vec<Happening>> {
    let results = [r#"{ "x" : 1 }"#, "[]", "null", r#""text""#, r#"{"n":2,"s":"E"}"#];
    let errors = [Some("E"), Some("F"), Some("States.Timeout"), None];
    let outcome = prop_oneof![
        3 => select(results.to_vec()).prop_map(Ok),
        1 => select(errors.to_vec()).prop_map(Err),
    ];
    let happening = prop_oneof![
        6 => (0..6_000_i64).prop_map(|ms| Happening::Passes { ms }),
        6 => (any::<u8>(), outcome.clone()).prop_map(|(task, outcome)| Happening::Returned { task, outcome }),
        6 => (any::<u8>(), outcome).prop_map(|(task, outcome)| Happening::Answered { task, outcome }),
        4 => any::<u8>().prop_map(|task| Happening::Started { task }),
        1 => any::<u8>().prop_map(|task| Happening::Heartbeat { task }),
        1 => (0..6_000_i64).prop_map(|ms| Happening::Unnoticed { ms }),
        1 => Just(Happening::StartedAgain),
        1 => Just(Happening::Continued),
        3 => Just(Happening::Redriven),
    ];
    let stop = prop_oneof![9 => Just(Vec::new()), 1 => Just(vec![Happening::Stopped])];
    (vec(happening, 0..40), stop).prop_map(|(happenings, stop)| [happenings, stop].concat())
}

/// How an execution is driven.
pub(crate) struct Manner {
    /// Fuel of one step after another, in turn.
    pub(crate) fuel: Vec<u64>,
    /// States that one step after another may run, in turn; one that only goes on may always run one.
    pub(crate) transitions: Vec<u32>,
    /// Payloads are taken away before each step, and given back when asked for.
    pub(crate) absent: bool,
    /// Every step is taken twice.
    pub(crate) twice: bool,
    /// Each timer is noticed at its very time, not later: how many steps that takes shows in no timestamp.
    pub(crate) punctual: bool,
}

impl Manner {
    pub(crate) fn plain() -> Manner {
        Manner { fuel: vec![FUEL_SLICE], transitions: vec![u32::MAX], absent: false, twice: false, punctual: false }
    }
}

pub(crate) struct Run<'p> {
    program: &'p Program,
    manner: Manner,
    execution: Execution,
    now_ms: i64,
    steps: usize,
    /// Texts of payloads that were taken away, by id.
    texts: BTreeMap<u64, Arc<str>>,
    /// Tasks that effects asked to be run or offered, and not yet to be dropped.
    tasks: BTreeSet<TaskId>,
    /// History as text.
    pub(crate) history: Vec<String>,
    history_bytes: usize,
    last_event: u64,
    last_event_ms: i64,
    /// The event that ended the execution was seen.
    ended: bool,
}

/// What an execution came to.
#[derive(Debug, PartialEq)]
pub(crate) struct Outline {
    history: Vec<String>,
    status: String,
    is_cut: bool,
}

impl Outline {
    pub(crate) fn events(&self) -> usize {
        self.history.len()
    }

    /// It was not run to its end, and other ways may have left it elsewhere.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut
    }
}

/// Runs a script to its end, and on in time until nothing more happens by itself.
pub(crate) fn run(program: &Program, script: &[Happening], manner: Manner) -> Outline {
    let mut run = Run::begin(program, manner);
    run.feed(Event::Started);
    for happening in script {
        if run.is_cut() {
            break;
        }
        run.happens(happening);
    }
    run.pass_time(run.now_ms + 60_000);
    let status = format!("{:?}", run.status());
    Outline { is_cut: run.is_cut(), history: run.history, status }
}

fn identity() -> Identity {
    let prefix = "arn:aws:states:us-east-1:123456789012";
    Identity {
        arn: format!("{prefix}:execution:machine:run").into(),
        name: "run".into(),
        state_machine_arn: format!("{prefix}:stateMachine:machine").into(),
        state_machine_name: "machine".into(),
        role_arn: "arn:aws:iam::123456789012:role/role".into(),
        region: "us-east-1".into(),
        id: [7; 16],
        root: Root([1; 32]),
        start_ms: START_MS,
        input: Payload::from_checked_text(INPUT),
        test_case: None,
        workflow: stepwell_machine::Workflow::Standard,
        child: None,
        qualifier: None,
    }
}

impl<'p> Run<'p> {
    fn begin(program: &'p Program, manner: Manner) -> Run<'p> {
        Run {
            program,
            manner,
            execution: Execution::new(Arc::new(identity())),
            now_ms: START_MS,
            steps: 0,
            texts: BTreeMap::new(),
            tasks: BTreeSet::new(),
            history: Vec::new(),
            history_bytes: 0,
            last_event: 0,
            last_event_ms: START_MS,
            ended: false,
        }
    }

    fn happens(&mut self, happening: &Happening) {
        let tasks: Vec<TaskId> = self.tasks.iter().copied().collect();
        let pick = |task: u8| match tasks.len() {
            0 => TaskId(u64::from(task)),
            // One in sixteen is none that is waited for.
            _ if task < 16 => TaskId(u64::from(task)),
            count => tasks[usize::from(task) % count],
        };
        let outcome = |outcome: &Outcome| match outcome {
            Ok(text) => TaskOutcome::Succeeded { output: Payload::from_checked_text(*text) },
            Err(error) => TaskOutcome::Failed(Failure { error: error.map(Into::into), cause: None }),
        };
        let event = match happening {
            Happening::Passes { ms } => return self.pass_time(self.now_ms + ms),
            Happening::Unnoticed { ms } if self.manner.punctual => return self.pass_time(self.now_ms + ms),
            Happening::Unnoticed { ms } => {
                self.now_ms += ms;
                return;
            }
            Happening::Returned { task, outcome: of } => {
                Event::TaskReturned { task: pick(*task), outcome: outcome(of) }
            }
            Happening::Answered { task, outcome: of } => {
                Event::TaskAnswered { task: pick(*task), outcome: outcome(of) }
            }
            Happening::Started { task } => Event::TaskStarted { task: pick(*task), worker: None },
            Happening::Heartbeat { task } => Event::TaskHeartbeat { task: pick(*task) },
            Happening::StartedAgain => Event::Started,
            Happening::Continued => Event::Continued,
            Happening::Stopped => Event::Stopped(Failure::named("Stop")),
            Happening::Redriven => Event::Redriven,
        };
        self.feed(event);
    }

    fn pass_time(&mut self, to_ms: i64) {
        if !self.manner.punctual {
            self.now_ms = to_ms;
        }
        while let Some(due_ms) = self.execution.deadline_ms().filter(|due_ms| *due_ms <= to_ms && !self.is_cut()) {
            self.now_ms = self.now_ms.max(due_ms);
            self.feed(Event::TimePassed);
        }
        self.now_ms = to_ms;
        self.feed(Event::TimePassed);
    }

    /// One event, and as many further slices as it takes.
    fn feed(&mut self, event: Event) {
        self.advance(event);
        while self.execution.is_ready() && !self.is_cut() {
            self.advance(Event::Continued);
        }
    }

    fn is_cut(&self) -> bool {
        self.history_bytes > HISTORY_BYTES_MAX
    }

    fn advance(&mut self, event: Event) {
        self.steps += 1;
        assert!(self.steps < STEPS_MAX, "the execution goes on for ever");
        if self.manner.absent {
            self.hollow();
        }
        let was_running = self.execution.is_running();
        let step = self.step(&event);
        if self.manner.twice {
            assert_eq!(format!("{step:?}"), format!("{:?}", self.step(&event)), "the same step twice");
        }
        let goes_on = matches!(event, Event::Redriven) && self.execution.is_redrivable();
        if !was_running && !goes_on {
            let changes = step.history.len() + step.effects.len() + step.frames.len() + step.results.len();
            assert_eq!(changes, 0, "an execution that has ended changes no more");
        }
        self.execution.apply(&step);
        for event in &step.history {
            self.note(event);
        }
        self.carry_out(&step.effects);
        self.check();
    }

    fn step(&mut self, event: &Event) -> Step {
        let mut fuel = self.manner.fuel[self.steps % self.manner.fuel.len()];
        let throttled = self.manner.transitions[self.steps % self.manner.transitions.len()];
        let goes_on = matches!(event, Event::Continued);
        let exists = |arn: &str| !arn.ends_with(":gone");
        let moment = Moment {
            now_ms: self.now_ms,
            activity_exists: &exists,
            parameters_problem: &|_, _, _| None,
            limits: &Limits::default(),
            transitions_max: throttled.max(u32::from(goes_on)),
        };
        for _ in 0..STEPS_MAX {
            match stepwell_machine::step(self.program, &self.execution, event.clone(), moment, fuel) {
                Stepped::Done(step) => return step,
                Stepped::Slow => {
                    assert!(fuel < FUEL_EVALUATION, "full fuel suffices");
                    fuel = FUEL_EVALUATION;
                }
                Stepped::Needs(payloads) => {
                    assert!(!payloads.is_empty() && payloads.iter().all(Payload::is_absent));
                    payloads.iter().for_each(|payload| self.fill(payload));
                }
            }
        }
        panic!("the step needs ever more");
    }

    fn fill(&self, payload: &Payload) {
        if payload.is_absent() {
            let id = payload.id().expect("an absent payload has an id");
            payload.fill(self.texts[&id].clone());
        }
    }

    /// Takes all payloads away.
    fn hollow(&mut self) {
        let texts = &mut self.texts;
        let mut hollow = |payload: &Payload| {
            if payload.is_absent() {
                return payload.clone();
            }
            let id = payload.assign_id(texts.len() as u64 + 1);
            texts.insert(id, payload.text().clone());
            Payload::absent(id, payload.bytes())
        };
        let execution = &mut self.execution;
        let mut identity = Identity::clone(&execution.identity);
        identity.input = hollow(&identity.input);
        execution.identity = Arc::new(identity);
        for frame in execution.frames.values_mut() {
            let mut hollowed = Frame::clone(frame);
            hollowed.input = hollow(&hollowed.input);
            let variables = hollowed.variables.iter().map(|(name, value)| (name.clone(), hollow(value)));
            hollowed.variables = Arc::new(variables.collect());
            match &mut hollowed.phase {
                Phase::Task(wait) => {
                    wait.input = hollow(&wait.input);
                    if let Some(TaskOutcome::Succeeded { output }) = &mut wait.early_answer {
                        *output = hollow(output);
                    }
                }
                Phase::Map(wait) | Phase::Wrecked(Wreck::Map(wait)) | Phase::Failed { wreck: Wreck::Map(wait), .. } => {
                    wait.items = hollow(&wait.items);
                    wait.effective_input = hollow(&wait.effective_input);
                }
                _ => {}
            }
            *frame = Arc::new(hollowed);
        }
        for chunk in execution.results.values_mut() {
            *chunk = Arc::new(chunk.iter().map(|result| result.as_ref().map(&mut hollow)).collect());
        }
    }

    /// Numbers without gaps, each linked to one before it, in order of time; one event ends the execution, the last.
    fn note(&mut self, event: &HistoryEvent) {
        let redriven = matches!(event.detail, Detail::ExecutionRedriven { .. });
        assert_eq!(self.ended, redriven, "after the end, or before it: {event:?}");
        self.ended = matches!(
            event.detail,
            Detail::ExecutionSucceeded { .. }
                | Detail::ExecutionFailed(_)
                | Detail::ExecutionAborted(_)
                | Detail::ExecutionTimedOut(_)
        );
        payloads(&event.detail).into_iter().for_each(|payload| self.fill(payload));
        self.history.push(format!("{event:?}"));
        self.history_bytes += self.history.last().map_or(0, String::len);
        assert_eq!(event.id, self.last_event + 1, "{event:?}");
        assert!(event.previous < event.id, "{event:?}");
        assert!(event.timestamp_ms >= self.last_event_ms, "{event:?}");
        self.last_event = event.id;
        self.last_event_ms = event.timestamp_ms;
    }

    /// Each task is begun once and dropped once, and no task but those is waited for.
    fn carry_out(&mut self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::RunTask(request) => {
                    let is_new = self.tasks.insert(request.task);
                    assert_eq!(is_new, request.submitted.is_none(), "{effect:?}");
                }
                Effect::OfferTask { task, .. } => assert!(self.tasks.insert(*task), "{effect:?}"),
                Effect::DropTask { task } => assert!(self.tasks.remove(task), "{effect:?}"),
                Effect::StopJob(request) => assert!(request.submitted.is_some(), "{effect:?}"),
                Effect::RunMapRun(wait) => {
                    let given_up =
                        effects.iter().any(|of| matches!(of, Effect::StopMapRun { task, .. } if *task == wait.task));
                    assert_ne!(self.waits_for_map_run(wait.task), given_up, "{effect:?}");
                }
                Effect::StopMapRun { task, .. } => assert!(!self.waits_for_map_run(*task), "{effect:?}"),
            }
        }
        let waited_for: BTreeSet<TaskId> = self.execution.tasks().map(|wait| wait.task).collect();
        assert_eq!(waited_for, self.tasks);
    }

    fn waits_for_map_run(&self, task: TaskId) -> bool {
        self.execution.map_runs().any(|wait| wait.task == task)
    }

    fn check(&self) {
        let execution = &self.execution;
        assert_eq!(execution.header.next_event, self.last_event + 1);
        assert_eq!(self.ended, !execution.is_running());
        if !execution.is_running() {
            let wrecked = |frame: &Arc<Frame>| matches!(frame.phase, Phase::Wrecked(_));
            assert!(execution.frames.values().all(wrecked), "nothing runs after the end");
            assert_eq!(execution.frames.is_empty(), !execution.is_redrivable(), "what is left is left for a redrive");
            assert!(execution.header.ready.is_empty() && execution.deadline_ms().is_none());
        }
        let ready: BTreeSet<_> = execution.header.ready.iter().copied().collect();
        assert_eq!(ready.len(), execution.header.ready.len(), "a frame is ready once");
        assert!(ready.iter().all(|id| execution.frames.contains_key(id)));
        for (id, frame) in &execution.frames {
            let waits = match &frame.phase {
                Phase::Enter | Phase::Run | Phase::Failed { .. } => false,
                Phase::Backoff { .. }
                | Phase::Wait { .. }
                | Phase::Task(_)
                | Phase::Parallel(_)
                | Phase::Map(_)
                | Phase::MapRun(_)
                | Phase::Wrecked(_) => true,
            };
            assert_ne!(waits, ready.contains(id), "frame {id:?} waits or is ready: {frame:?}");
            let children = execution.frames.values().filter(|frame| frame.parent.is_some_and(|(of, _)| of == *id));
            let expected = match &frame.phase {
                Phase::Parallel(wait)
                | Phase::Wrecked(Wreck::Parallel(wait))
                | Phase::Failed { wreck: Wreck::Parallel(wait), .. } => wait.branches - wait.ended,
                Phase::Map(wait) | Phase::Wrecked(Wreck::Map(wait)) | Phase::Failed { wreck: Wreck::Map(wait), .. } => {
                    wait.next - wait.ended
                }
                _ => 0,
            };
            assert_eq!(children.count() as u32, expected, "children of {id:?}: {frame:?}");
            let owner = self.program.scope(frame.scope).owner;
            let parent = frame.parent.map(|(parent, _)| execution.frames[&parent].state);
            assert_eq!(parent, owner, "frame {id:?} runs the scope of its parent's state");
        }
        for (container, _) in execution.results.keys() {
            let phase = &execution.frames[container].phase;
            let gathers = match phase {
                Phase::Parallel(_) | Phase::Map(_) => true,
                Phase::Wrecked(wreck) | Phase::Failed { wreck, .. } => {
                    matches!(wreck, Wreck::Parallel(_) | Wreck::Map(_))
                }
                _ => false,
            };
            assert!(gathers, "results of {phase:?}");
        }
    }

    fn status(&self) -> &Status {
        if let Status::Succeeded { output, .. } = &self.execution.header.status {
            self.fill(output);
        }
        &self.execution.header.status
    }
}

fn payloads(detail: &Detail) -> Vec<&Payload> {
    match detail {
        Detail::ExecutionStarted { input, .. }
        | Detail::StateEntered { input, .. }
        | Detail::LambdaFunctionScheduled { input, .. }
        | Detail::ActivityScheduled { input, .. }
        | Detail::TaskScheduled { parameters: input, .. } => vec![input],
        Detail::ExecutionSucceeded { output }
        | Detail::LambdaFunctionSucceeded { output }
        | Detail::ActivitySucceeded { output }
        | Detail::TaskSubmitted { output, .. }
        | Detail::TaskSucceeded { output, .. } => vec![output],
        Detail::StateExited { output, assigned, .. } => {
            assigned.iter().map(|(_, value)| value).chain([output]).collect()
        }
        _ => Vec::new(),
    }
}
