//! The state of an execution: a header, the frames that run, and the results they gather.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use stepwell_expr::Payload;

use crate::{
    effect::{TaskOutcome, TaskRequest},
    failure::Failure,
    history::EventId,
    limits::Limits,
    map_run::MapRunWait,
    mock::TestCase,
    program::{Program, ScopeId, StateId},
    root::Root,
    state::Kind,
    step::Step,
};

/// A task attempt: the id of its Scheduled event. A retry has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub u64);

/// A running scope; 0 is the top level. Never used twice in an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameId(pub u32);

/// What never changes in an execution.
#[derive(Clone, Debug)]
pub struct Identity {
    pub arn: Arc<str>,
    pub name: Arc<str>,
    pub state_machine_arn: Arc<str>,
    pub state_machine_name: Arc<str>,
    pub role_arn: Arc<str>,
    pub region: Arc<str>,
    /// First 16 bytes of the SHA-256 of `arn`.
    pub id: [u8; 16],
    pub root: Root,
    /// Milliseconds since 1970 in UTC.
    pub start_ms: i64,
    pub input: Payload,
    /// Answers tasks in place of their services.
    pub test_case: Option<Arc<TestCase>>,
    pub workflow: Workflow,
    /// Of a child execution of a Map Run.
    pub child: Option<Arc<Child>>,
    /// Through which version it was started, if through one.
    pub qualifier: Option<Qualifier>,
}

/// Through which version, and which alias, of its state machine an execution was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qualifier {
    pub version: u64,
    /// The alias that chose the version.
    pub alias: Option<Arc<str>>,
}

impl Qualifier {
    /// The ARNs of the version and of the alias.
    pub fn arns(&self, state_machine_arn: &str) -> (String, Option<String>) {
        let version = format!("{state_machine_arn}:{}", self.version);
        (version, self.alias.as_ref().map(|alias| format!("{state_machine_arn}:{alias}")))
    }
}

/// What a child execution is of its Map Run. Its state machine's ARN and name end with the label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Child {
    pub map_run_arn: Arc<str>,
    /// Position among the child executions, from 0.
    pub index: u64,
    /// Items in its input.
    pub items: u64,
    /// The item processor, where it begins.
    pub scope: ScopeId,
}

impl Identity {
    /// Where the execution begins.
    pub fn scope(&self) -> ScopeId {
        self.child.as_ref().map_or(ScopeId(0), |child| child.scope)
    }
}

/// How an execution is run, as far as the language itself can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workflow {
    Standard,
    Express(ExpressStart),
}

/// How an Express execution was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpressStart {
    /// StartExecution.
    Asynchronous,
    /// StartSyncExecution, whose caller waits.
    Synchronous,
}

impl Workflow {
    /// How long an execution may run. Source: Step Functions quotas.
    pub(crate) fn seconds_max(self, limits: &Limits) -> u64 {
        match self {
            Workflow::Standard => limits.execution_seconds,
            Workflow::Express(_) => limits.express_seconds,
        }
    }

    /// The last id that an event may have. Source: Step Functions quotas; Express has no such bound.
    pub(crate) fn events_max(self, limits: &Limits) -> EventId {
        match self {
            Workflow::Standard => limits.history_events,
            Workflow::Express(_) => EventId::MAX,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Execution {
    pub identity: Arc<Identity>,
    pub header: Header,
    pub frames: BTreeMap<FrameId, Arc<Frame>>,
    /// Results of Parallel branches and Map iterations: (frame of the state, chunk number) -> results in order.
    pub results: BTreeMap<(FrameId, u32), ResultChunk>,
}

/// Up to `RESULTS_PER_CHUNK` results; `None` where a branch or an iteration has not ended.
pub type ResultChunk = Arc<Vec<Option<Payload>>>;

/// The small part of an execution that every step writes anew.
#[derive(Clone, Debug)]
pub struct Header {
    pub status: Status,
    /// The id that the next history event gets; 1 before the start.
    pub next_event: EventId,
    pub next_frame: u32,
    /// Time of the last event, in milliseconds since 1970.
    pub last_event_ms: i64,
    /// When the whole execution times out.
    pub deadline_ms: Option<i64>,
    pub redrives: Redrives,
    /// Frames that can go on, in turn.
    pub ready: VecDeque<FrameId>,
}

/// How often an execution was redriven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Redrives {
    pub count: u64,
    /// When it was redriven last, in milliseconds since 1970.
    pub last_ms: Option<i64>,
}

#[derive(Clone, Debug)]
pub enum Status {
    Running,
    Succeeded { output: Payload, stop_ms: i64 },
    Failed { failure: Failure, stop_ms: i64 },
    TimedOut { failure: Failure, stop_ms: i64 },
    Aborted { failure: Failure, stop_ms: i64 },
}

impl Status {
    /// Why it ended unsuccessfully, if it did.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Status::Running | Status::Succeeded { .. } => None,
            Status::Failed { failure, .. } | Status::TimedOut { failure, .. } | Status::Aborted { failure, .. } => {
                Some(failure)
            }
        }
    }
}

/// One running `States` scope: the top level, a Parallel branch or a Map iteration.
#[derive(Clone, Debug)]
pub struct Frame {
    pub scope: ScopeId,
    /// The frame of the Parallel or Map state, and the branch's or iteration's index in it.
    pub parent: Option<(FrameId, u32)>,
    /// The state that it is in, or enters next.
    pub state: StateId,
    /// The state's raw input.
    pub input: Payload,
    /// Id of the state's Entered event, and what that one's `previous` was.
    pub entered: EventId,
    pub before_entered: EventId,
    /// Milliseconds since 1970.
    pub entered_ms: i64,
    /// The `previous` of this frame's next event.
    pub last_event: EventId,
    /// Retries made so far in this visit, one count for each retrier of the state.
    pub retries: Vec<u64>,
    /// Variables of this scope; outer ones are found through `parent`.
    pub variables: Arc<BTreeMap<Arc<str>, Payload>>,
    pub phase: Phase,
}

/// What a frame does, or waits for.
#[derive(Clone, Debug)]
pub enum Phase {
    /// Ready: enters its state.
    Enter,
    /// Ready: does its state's work (also again, after a retry's delay).
    Run,
    /// A retry's delay.
    Backoff {
        until_ms: i64,
    },
    /// A Wait state.
    Wait {
        until_ms: i64,
    },
    Task(TaskWait),
    Parallel(ParallelWait),
    Map(MapWait),
    MapRun(Box<MapRunWait>),
    /// Ready: it failed in a way its own state did not handle; the parent is told next.
    Failed {
        failure: Failure,
        in_task: bool,
        wreck: Wreck,
    },
    /// It failed or was aborted, and nothing that could handle that has been found yet, or there is nothing. It waits
    /// for nothing; a redrive goes on from it.
    Wrecked(Wreck),
}

/// Where a redrive goes on in a frame that has ended unsuccessfully.
#[derive(Clone, Debug)]
pub enum Wreck {
    /// Its state had not been entered.
    Enter,
    /// Its state's work is done once more.
    Run,
    /// In the branches that had not succeeded.
    Parallel(ParallelWait),
    /// In the iterations that had not succeeded or had not begun.
    Map(MapWait),
    /// In the Map Run.
    MapRun(Box<MapRunWait>),
}

impl Phase {
    /// What is left of a frame in this phase that ends unsuccessfully now.
    pub(crate) fn wreck(&self) -> Wreck {
        match self {
            Phase::Enter => Wreck::Enter,
            Phase::Parallel(wait) => Wreck::Parallel(wait.clone()),
            Phase::Map(wait) => Wreck::Map(wait.clone()),
            Phase::MapRun(wait) => Wreck::MapRun(wait.clone()),
            Phase::Failed { wreck, .. } | Phase::Wrecked(wreck) => wreck.clone(),
            Phase::Run | Phase::Backoff { .. } | Phase::Wait { .. } | Phase::Task(_) => Wreck::Run,
        }
    }
}

/// A task that has been scheduled.
#[derive(Clone, Debug)]
pub struct TaskWait {
    pub task: TaskId,
    /// The payload or the parameters, evaluated.
    pub input: Payload,
    /// The role of the task's `Credentials`.
    pub credentials_role: Option<Arc<str>>,
    pub deadline_ms: Option<i64>,
    /// Seconds between heartbeats, and when the next one is due; due only once the clock runs.
    pub heartbeat: Option<(u64, Option<i64>)>,
    /// The call came back (callback pattern, job), or a worker took it (activity).
    pub under_way: bool,
    /// What the submission of a job answered, from then on.
    pub submitted: Option<Payload>,
    /// An answer with the token that came before the call had come back.
    pub early_answer: Option<TaskOutcome>,
}

#[derive(Clone, Debug)]
pub struct ParallelWait {
    pub branches: u32,
    pub ended: u32,
}

#[derive(Clone, Debug)]
pub struct MapWait {
    /// The array of items; each iteration takes its own.
    pub items: Payload,
    /// What the item selector is applied to.
    pub effective_input: Payload,
    pub length: u32,
    /// The next item that has not begun.
    pub next: u32,
    pub ended: u32,
    pub concurrency: u32,
}

impl Execution {
    /// Takes over what a step changed.
    pub fn apply(&mut self, step: &Step) {
        self.header = step.header.clone();
        for (id, frame) in &step.frames {
            match frame {
                Some(frame) => self.frames.insert(*id, frame.clone()),
                None => self.frames.remove(id),
            };
        }
        for (key, chunk) in &step.results {
            match chunk {
                Some(chunk) => self.results.insert(*key, chunk.clone()),
                None => self.results.remove(key),
            };
        }
    }

    /// An execution that has not begun: `Event::Started` comes next.
    pub fn new(identity: Arc<Identity>) -> Execution {
        let header = Header {
            status: Status::Running,
            next_event: 1,
            next_frame: 0,
            last_event_ms: identity.start_ms,
            deadline_ms: None,
            redrives: Redrives::default(),
            ready: VecDeque::new(),
        };
        Execution { identity, header, frames: BTreeMap::new(), results: BTreeMap::new() }
    }

    pub fn is_running(&self) -> bool {
        matches!(self.header.status, Status::Running)
    }

    /// True if it ended unsuccessfully and left what `Event::Redriven` goes on from.
    pub fn is_redrivable(&self) -> bool {
        let ended = match self.header.status {
            Status::Running | Status::Succeeded { .. } => false,
            Status::Failed { .. } | Status::TimedOut { .. } | Status::Aborted { .. } => true,
        };
        ended && !self.frames.is_empty()
    }

    /// What is left of its frames if it ends unsuccessfully now, by no step of the machine.
    pub fn wrecks(&self) -> BTreeMap<FrameId, Option<Arc<Frame>>> {
        let wrecked = |frame: &Frame| Arc::new(Frame { phase: Phase::Wrecked(frame.phase.wreck()), ..frame.clone() });
        self.frames.iter().map(|(id, frame)| (*id, Some(wrecked(frame)))).collect()
    }

    /// True if a step would go on without an event from outside: feed it `Event::Continued`.
    pub fn is_ready(&self) -> bool {
        self.is_running() && !self.header.ready.is_empty()
    }

    /// When the earliest timer is due, in milliseconds since 1970; `None` if nothing is timed.
    pub fn deadline_ms(&self) -> Option<i64> {
        if !self.is_running() {
            return None;
        }
        let frames = self.frames.values().filter_map(|frame| frame.deadline_ms());
        frames.chain(self.header.deadline_ms).min()
    }

    /// The tasks that it waits for.
    pub fn tasks(&self) -> impl Iterator<Item = &TaskWait> {
        self.frames.values().filter_map(|frame| match &frame.phase {
            Phase::Task(wait) => Some(wait),
            _ => None,
        })
    }

    /// The request of a task that an integration runs, e.g. to run it again after a restart. `None` for a task that is
    /// not waited for, that is an activity's, or that waits for its token alone.
    pub fn task_request(&self, program: &Program, task: TaskId) -> Option<TaskRequest> {
        let waits_for = |frame: &&Arc<Frame>| matches!(&frame.phase, Phase::Task(wait) if wait.task == task);
        self.frames.values().find(waits_for)?.task_request(program, &self.identity)
    }

    /// True while an answer with the token of `task` would be taken.
    pub fn awaits(&self, task: TaskId) -> bool {
        self.is_running() && self.tasks().any(|wait| wait.task == task && wait.early_answer.is_none())
    }
}

impl Frame {
    /// See [`Execution::task_request`].
    pub(crate) fn task_request(&self, program: &Program, identity: &Identity) -> Option<TaskRequest> {
        let (Phase::Task(wait), Kind::Task(state)) = (&self.phase, &program.state(self.state).kind) else {
            return None;
        };
        if wait.under_way && wait.submitted.is_none() {
            return None;
        }
        let target = state.resource.target()?;
        Some(TaskRequest {
            task: wait.task,
            target,
            input: wait.input.clone(),
            submitted: wait.submitted.clone(),
            origin: identity.root.origin(wait.task),
            credentials_role: wait.credentials_role.clone(),
            execution_arn: identity.arn.clone(),
            state_machine_arn: identity.state_machine_arn.clone(),
            role_arn: identity.role_arn.clone(),
        })
    }

    /// When this frame's earliest timer is due.
    pub fn deadline_ms(&self) -> Option<i64> {
        match &self.phase {
            Phase::Backoff { until_ms } | Phase::Wait { until_ms } => Some(*until_ms),
            Phase::Task(wait) => {
                let heartbeat = wait.heartbeat.and_then(|(_, due)| due);
                wait.deadline_ms.into_iter().chain(heartbeat).min()
            }
            Phase::Enter
            | Phase::Run
            | Phase::Parallel(_)
            | Phase::Map(_)
            | Phase::MapRun(_)
            | Phase::Failed { .. }
            | Phase::Wrecked(_) => None,
        }
    }
}
