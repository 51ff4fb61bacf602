//! Executions in memory: those that are being stepped, and as many idle ones as fit. One that only sleeps is not kept.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use stepwell_expr::Payload;
use stepwell_machine::{
    Event, Execution, Frame, FrameId, Program, Step,
    execution::{Phase, TaskWait, Wreck},
};

use super::Then;
use crate::{
    handle::StateMachine,
    inbox::Errand,
    logs::Logging,
    lru::Lru,
    record::{Books, ExecutionId},
    timeline::UnderWay,
};

/// Estimated bytes of an execution without frames, and of a frame without payloads.
const EXECUTION_BYTES: usize = 2 * 1024;
const FRAME_BYTES: usize = 1024;

/// One execution in memory.
pub(crate) struct Resident {
    pub(crate) id: ExecutionId,
    pub(crate) execution: Execution,
    pub(crate) books: Books,
    pub(crate) program: Arc<Program>,
    /// What its state machine wants to be logged.
    pub(crate) logging: Option<Arc<Logging>>,
    /// Number of the last batch that has rows of it; 0 for none since it was loaded.
    pub(crate) batch: u64,
    /// The step that is being run away from the driver.
    pub(crate) thinking: Option<Thinking>,
    /// What came in the meantime.
    pub(crate) waiting: VecDeque<(Errand, UnderWay)>,
    /// Frames whose heartbeat moved since they were recorded.
    pub(crate) beaten: BTreeSet<FrameId>,
    /// Estimated bytes of the results it has gathered.
    results_bytes: usize,
}

pub(crate) struct Thinking {
    pub(crate) event: Event,
    pub(crate) then: Then,
}

impl Resident {
    pub(crate) fn new(id: ExecutionId, execution: Execution, books: Books, machine: &StateMachine) -> Resident {
        let results_bytes = execution.results.values().map(|chunk| chunk_bytes(chunk)).sum();
        Resident {
            id,
            execution,
            books,
            program: machine.program.clone(),
            logging: Logging::of(&machine.logging),
            batch: 0,
            thinking: None,
            waiting: VecDeque::new(),
            beaten: BTreeSet::new(),
            results_bytes,
        }
    }

    /// A step is about to be applied: counts the results that it brings and takes away.
    pub(crate) fn weigh(&mut self, step: &Step) {
        for (key, chunk) in &step.results {
            let old = self.execution.results.get(key).map_or(0, |chunk| chunk_bytes(chunk));
            let new = chunk.as_ref().map_or(0, |chunk| chunk_bytes(chunk));
            self.results_bytes = (self.results_bytes + new).saturating_sub(old);
        }
    }

    /// True if it may leave memory: nothing of it is under way.
    fn is_idle(&self, committed: u64) -> bool {
        self.batch <= committed && self.thinking.is_none() && self.waiting.is_empty()
    }

    /// True if nothing but the clock will move it before `until_ms`, and not the clock either.
    fn sleeps(&self, until_ms: i64) -> bool {
        let execution = &self.execution;
        let wakes_later = execution.deadline_ms().is_some_and(|due_ms| due_ms > until_ms);
        wakes_later && !execution.is_ready() && execution.tasks().next().is_none()
    }

    /// A step that only records the heartbeats that moved.
    pub(crate) fn heartbeats(&mut self) -> Step {
        let frames = std::mem::take(&mut self.beaten);
        let known = |id: FrameId| self.execution.frames.get(&id).map(|frame| (id, Some(frame.clone())));
        Step {
            header: self.execution.header.clone(),
            frames: frames.into_iter().filter_map(known).collect(),
            results: Default::default(),
            history: Vec::new(),
            effects: Vec::new(),
            ran: 0,
        }
    }

    fn bytes(&self) -> usize {
        let frames: usize = self.execution.frames.values().map(|frame| frame_bytes(frame)).sum();
        EXECUTION_BYTES + frames + self.results_bytes
    }
}

/// The frame with a full heartbeat interval from `since_ms` on; `None` if its last known beat is not older.
pub(crate) fn renewed(frame: &Frame, since_ms: i64) -> Option<Frame> {
    let Phase::Task(wait) = &frame.phase else { return None };
    let (seconds, due_ms) = wait.heartbeat?;
    let interval_ms = i64::try_from(seconds).ok()?.checked_mul(1000)?;
    let renewed_ms = since_ms.checked_add(interval_ms)?;
    if due_ms? >= renewed_ms {
        return None;
    }
    let wait = TaskWait { heartbeat: Some((seconds, Some(renewed_ms))), ..wait.clone() };
    Some(Frame { phase: Phase::Task(wait), ..frame.clone() })
}

fn chunk_bytes(chunk: &[Option<Payload>]) -> usize {
    chunk.iter().map(|result| 16 + result.as_ref().map_or(0, |payload| payload.bytes())).sum()
}

fn frame_bytes(frame: &Frame) -> usize {
    let variables: usize = frame.variables.values().map(|payload| payload.bytes()).sum();
    let phase = match &frame.phase {
        Phase::Map(wait) | Phase::Failed { wreck: Wreck::Map(wait), .. } | Phase::Wrecked(Wreck::Map(wait)) => {
            wait.items.bytes() + wait.effective_input.bytes()
        }
        Phase::Task(wait) => wait.input.bytes(),
        Phase::MapRun(wait)
        | Phase::Failed { wreck: Wreck::MapRun(wait), .. }
        | Phase::Wrecked(Wreck::MapRun(wait)) => wait.payloads().map(Payload::bytes).sum(),
        Phase::Enter
        | Phase::Run
        | Phase::Backoff { .. }
        | Phase::Wait { .. }
        | Phase::Parallel(_)
        | Phase::Failed { wreck: Wreck::Enter | Wreck::Run | Wreck::Parallel(_), .. }
        | Phase::Wrecked(Wreck::Enter | Wreck::Run | Wreck::Parallel(_)) => 0,
    };
    FRAME_BYTES + frame.input.bytes() + variables + phase
}

pub(crate) struct Residents {
    lru: Lru<ExecutionId, Box<Resident>>,
    /// Executions that have ended, in the order of the batches whose commit lets them go.
    ended: VecDeque<(u64, ExecutionId)>,
    /// Executions that may have gone to sleep, likewise.
    asleep: VecDeque<(u64, ExecutionId)>,
    bytes_max: usize,
}

/// How many executions one look for idle ones passes over.
const LOOKED_AT_MAX: usize = 256;

impl Residents {
    pub(crate) fn new(bytes_max: usize) -> Residents {
        Residents { lru: Lru::new(), ended: VecDeque::new(), asleep: VecDeque::new(), bytes_max }
    }

    /// Takes an execution out, to be changed and put back.
    pub(crate) fn take(&mut self, id: ExecutionId) -> Option<Box<Resident>> {
        self.lru.remove(&id)
    }

    pub(crate) fn put(&mut self, resident: Box<Resident>) {
        if !resident.execution.is_running() && resident.thinking.is_none() {
            self.ended.push_back((resident.batch, resident.id));
        } else if resident.sleeps(i64::MIN) {
            self.asleep.push_back((resident.batch, resident.id));
        }
        let bytes = resident.bytes();
        self.lru.insert(resident.id, resident, bytes);
    }

    /// Batches up to `committed` are durable: executions that ended with them are forgotten, and so are those that sleep
    /// beyond `until_ms`: their rows are all they need until then.
    pub(crate) fn settle(&mut self, committed: u64, until_ms: i64) {
        while let Some((_, id)) = self.asleep.pop_front_if(|(batch, _)| *batch <= committed) {
            let resident = self.lru.peek(&id);
            if resident.is_some_and(|resident| resident.is_idle(committed) && resident.sleeps(until_ms)) {
                self.lru.remove(&id);
            }
        }
        while let Some((_, id)) = self.ended.pop_front_if(|(batch, _)| *batch <= committed) {
            // One that was redriven may have ended again, in a batch that is not durable yet.
            let is_over = |resident: &Resident| !resident.execution.is_running() && resident.batch <= committed;
            if self.lru.peek(&id).is_some_and(|resident| is_over(resident)) {
                self.lru.remove(&id);
            }
        }
    }

    /// Idle executions that are to leave, those used longest ago first, until the rest fits.
    pub(crate) fn surplus(&mut self, committed: u64) -> Vec<Resident> {
        let mut surplus = Vec::new();
        if self.lru.weight() <= self.bytes_max {
            return surplus;
        }
        let oldest = self.lru.oldest().take(LOOKED_AT_MAX);
        let idle: Vec<ExecutionId> =
            oldest.filter_map(|(id, resident)| resident.is_idle(committed).then_some(*id)).collect();
        for id in idle {
            if self.lru.weight() <= self.bytes_max {
                break;
            }
            surplus.extend(self.lru.remove(&id).map(|resident| *resident));
        }
        surplus
    }

    /// The deadline of an execution in memory, if it is there.
    pub(crate) fn deadline_ms(&self, id: ExecutionId) -> Option<Option<i64>> {
        self.lru.peek(&id).map(|resident| resident.execution.deadline_ms())
    }

    pub(crate) fn deadlines(&self) -> impl Iterator<Item = (ExecutionId, Option<i64>)> {
        self.lru.oldest().map(|(id, resident)| (*id, resident.execution.deadline_ms()))
    }

    pub(crate) fn clear(&mut self) {
        self.lru.clear();
        self.ended.clear();
        self.asleep.clear();
    }
}
