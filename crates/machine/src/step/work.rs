//! The workbench of one step: what it changes lies over the execution that it was given.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use stepwell_expr::{Fuel, Payload};

use crate::{
    chance::Chance,
    data::{Fault, ItemFrom, MapItem, Scene},
    effect::Effect,
    event::Moment,
    execution::{Execution, Frame, FrameId, Header, Phase, Status, TaskId, Workflow},
    failure::Failure,
    history::{Detail, EventId, HistoryEvent},
    limits,
    program::Program,
    state::{Kind, State},
    step::Step,
};

/// Why a step stopped without an answer; nothing of it has happened.
pub(super) enum Interrupt {
    Needs(Vec<Payload>),
    Slow,
}

pub(super) type Flow<T> = Result<T, Interrupt>;

pub(super) struct Work<'a> {
    pub(super) program: &'a Program,
    pub(super) base: &'a Execution,
    pub(super) moment: Moment<'a>,
    /// The time that events are stamped with; never before the last event.
    pub(super) now_ms: i64,
    pub(super) header: Header,
    frames: BTreeMap<FrameId, Option<Frame>>,
    results: BTreeMap<(FrameId, u32), Option<Vec<Option<Payload>>>>,
    history: Vec<HistoryEvent>,
    pub(super) effects: Vec<Effect>,
    fuel: Fuel,
    fuel_given: u64,
    /// Fuel burnt before `fuel` was last filled up.
    burnt: u64,
    chance: Chance,
    transitions: u32,
    /// States run.
    ran: u32,
    /// Bytes of payloads that this step made.
    bytes: usize,
    /// The history has met its bound: the execution fails at the end of this turn.
    overflow: bool,
}

impl<'a> Work<'a> {
    pub(super) fn new(program: &'a Program, base: &'a Execution, moment: Moment<'a>, fuel: u64) -> Work<'a> {
        Work {
            program,
            base,
            moment,
            now_ms: moment.now_ms.max(base.header.last_event_ms),
            header: base.header.clone(),
            frames: BTreeMap::new(),
            results: BTreeMap::new(),
            history: Vec::new(),
            effects: Vec::new(),
            fuel: Fuel::new(fuel),
            fuel_given: fuel,
            burnt: 0,
            chance: Chance::new(base.identity.root, base.header.next_event, FrameId(0), 0),
            transitions: 0,
            ran: 0,
            bytes: 0,
            overflow: false,
        }
    }

    pub(super) fn finish(mut self) -> Step {
        self.forget_tasks_of_this_step();
        Step {
            header: self.header,
            frames: self.frames.into_iter().map(|(id, frame)| (id, frame.map(Arc::new))).collect(),
            results: self.results.into_iter().map(|(key, chunk)| (key, chunk.map(Arc::new))).collect(),
            history: self.history,
            effects: self.effects,
            ran: self.ran,
        }
    }

    /// A task that was scheduled and dropped in one and the same step never needs to run; nor is a job watched whose
    /// task was dropped in the step that submitted it.
    fn forget_tasks_of_this_step(&mut self) {
        let dropped = self.effects.iter().filter_map(|effect| match effect {
            Effect::DropTask { task } => Some(*task),
            Effect::RunTask(_)
            | Effect::OfferTask { .. }
            | Effect::StopJob(_)
            | Effect::RunMapRun(_)
            | Effect::StopMapRun { .. } => None,
        });
        let dropped: BTreeSet<TaskId> = dropped.collect();
        let first_of_this_step = self.base.header.next_event;
        if !dropped.is_empty() {
            self.effects.retain(|effect| match effect {
                Effect::DropTask { task } => task.0 < first_of_this_step,
                Effect::RunTask(request) => !dropped.contains(&request.task),
                Effect::OfferTask { task, .. } => !dropped.contains(task),
                // Map Runs are seen by themselves, and may be redriven.
                Effect::StopJob(_) | Effect::RunMapRun(_) | Effect::StopMapRun { .. } => true,
            });
        }
    }

    pub(super) fn has_begun(&self) -> bool {
        self.header.next_event > 1
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.header.status, Status::Running)
    }

    /// Lets ready frames go on in turn, until all wait or this step has done enough.
    pub(super) fn drain(&mut self) -> Flow<()> {
        self.end_on_overflow();
        while self.is_running() && !self.is_spent() {
            let Some(id) = self.header.ready.pop_front() else { break };
            self.begin_turn(id);
            self.turn(id)?;
            self.end_on_overflow();
        }
        Ok(())
    }

    /// Ends the execution if its history is full, or would be.
    pub(super) fn end_on_overflow(&mut self) {
        if self.overflow && self.is_running() {
            self.overflow = false;
            let most = self.events_max();
            let text = format!("The execution reached the maximum number of history events ({most}).");
            let failure = Failure::new("States.Runtime", text);
            let last = self.header.next_event - 1;
            self.end_execution(last, Detail::ExecutionFailed(failure.clone()), |stop_ms| Status::Failed {
                failure,
                stop_ms,
            });
        }
    }

    /// True if this step has done enough. Every turn costs a unit of fuel, so any fuel ends a step, after one turn at
    /// the earliest.
    pub(super) fn is_spent(&self) -> bool {
        let burnt = self.burnt + (self.fuel_given - self.fuel.left());
        let fuel_spent = burnt >= (self.fuel_given.min(limits::FUEL_SLICE) / 2).max(1);
        let throttled = self.ran >= self.moment.transitions_max;
        let long = self.transitions >= limits::TRANSITIONS_PER_STEP_MAX || self.bytes >= limits::STEP_BYTES_MAX;
        throttled || long || fuel_spent
    }

    pub(super) fn runs_a_state(&mut self) {
        self.ran = self.ran.saturating_add(1);
    }

    /// A frame's turn begins: one transition, with random numbers of its own.
    pub(super) fn begin_turn(&mut self, id: FrameId) {
        self.refuel();
        self.transitions += 1;
        // Out of fuel, the step ends after this turn, or the turn asks for more.
        let _ = self.fuel.burn(1);
        let attempt = self.frame(id).retries.iter().sum();
        self.chance = Chance::new(self.base.identity.root, self.header.next_event, id, attempt);
    }

    /// Evaluations begin that have nothing to do with those before: with full fuel, they have all of it.
    pub(super) fn refuel(&mut self) {
        if self.had_full_fuel() {
            self.burnt += self.fuel_given - self.fuel.left();
            self.fuel = Fuel::new(self.fuel_given);
        }
    }

    /// An evaluation ran out of fuel: true if it had all that one may have.
    pub(super) fn had_full_fuel(&self) -> bool {
        self.fuel_given >= limits::FUEL_EVALUATION
    }

    /// True of a payload of so many bytes.
    pub(super) fn is_too_large(&self, bytes: usize) -> bool {
        bytes > self.moment.limits.payload_bytes
    }

    pub(super) fn made_bytes(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    // Frames

    pub(super) fn frame(&self, id: FrameId) -> &Frame {
        match self.frames.get(&id) {
            Some(frame) => frame.as_ref().expect("an ended frame is not asked for"),
            None => self.base.frames.get(&id).expect("frames name only frames that are there"),
        }
    }

    pub(super) fn frame_mut(&mut self, id: FrameId) -> &mut Frame {
        let base = self.base;
        let frame = self.frames.entry(id).or_insert_with(|| {
            let frame = base.frames.get(&id).expect("frames name only frames that are there");
            Some(Frame::clone(frame))
        });
        frame.as_mut().expect("an ended frame is not asked for")
    }

    pub(super) fn has_frame(&self, id: FrameId) -> bool {
        match self.frames.get(&id) {
            Some(frame) => frame.is_some(),
            None => self.base.frames.contains_key(&id),
        }
    }

    /// Begins a frame. Each one that is ready will record an event: more of them than the history can hold are never
    /// made, they end the execution at once.
    pub(super) fn add_frame(&mut self, frame: Frame) {
        if self.header.ready.len() as u64 >= self.moment.limits.history_events.min(limits::FRAMES_READY_MAX) {
            self.overflow = true;
            return;
        }
        let id = FrameId(self.header.next_frame);
        self.header.next_frame += 1;
        self.frames.insert(id, Some(frame));
        self.header.ready.push_back(id);
    }

    /// Ends a frame that is not ready unsuccessfully, and its task if it has one. What a redrive needs of it stays.
    pub(super) fn wreck_frame(&mut self, id: FrameId) {
        self.drop_task_of(id);
        self.drop_map_run_of(id);
        let frame = self.frame_mut(id);
        frame.phase = Phase::Wrecked(frame.phase.wreck());
    }

    fn drop_task_of(&mut self, id: FrameId) {
        if let Phase::Task(wait) = &self.frame(id).phase {
            let task = wait.task;
            self.stop_job(id);
            self.effects.push(Effect::DropTask { task });
        }
    }

    /// Ends a frame that is not ready, its task if it has one, and its results.
    pub(super) fn remove_frame(&mut self, id: FrameId) {
        self.drop_task_of(id);
        self.drop_map_run_of(id);
        self.drop_results(id);
        if self.base.frames.contains_key(&id) {
            self.frames.insert(id, None);
        } else {
            self.frames.remove(&id);
        }
    }

    /// Frames that were removed or wrecked are ready no longer.
    pub(super) fn forget_ended(&mut self) {
        let (frames, base) = (&self.frames, self.base);
        let goes_on = |frame: &Frame| !matches!(frame.phase, Phase::Wrecked(_));
        self.header.ready.retain(|id| match frames.get(id) {
            Some(frame) => frame.as_ref().is_some_and(goes_on),
            None => base.frames.get(id).is_some_and(|frame| goes_on(frame)),
        });
    }

    /// All frames that have not ended, in no order.
    pub(super) fn open_frames(&self) -> impl Iterator<Item = (FrameId, &Frame)> {
        self.all_frames().filter(|(_, frame)| !matches!(frame.phase, Phase::Wrecked(_)))
    }

    /// All frames, also wrecked ones, in no order.
    pub(super) fn all_frames(&self) -> impl Iterator<Item = (FrameId, &Frame)> {
        let untouched = self.base.frames.iter().filter(|(id, _)| !self.frames.contains_key(id));
        let touched = self.frames.iter().filter_map(|(id, frame)| Some((*id, frame.as_ref()?)));
        untouched.map(|(id, frame)| (*id, &**frame)).chain(touched)
    }

    pub(super) fn task_frame(&self, task: TaskId) -> Option<FrameId> {
        let waits = |frame: &Frame| matches!(&frame.phase, Phase::Task(wait) if wait.task == task);
        self.open_frames().find(|(_, frame)| waits(frame)).map(|(id, _)| id)
    }

    pub(super) fn make_ready(&mut self, id: FrameId, phase: Phase) {
        self.frame_mut(id).phase = phase;
        self.header.ready.push_back(id);
    }

    pub(super) fn state_of(&self, id: FrameId) -> &'a State {
        self.program.state(self.frame(id).state)
    }

    // Results

    fn chunk_mut(&mut self, key: (FrameId, u32)) -> &mut Vec<Option<Payload>> {
        let base = self.base;
        let chunk = self
            .results
            .entry(key)
            .or_insert_with(|| Some(base.results.get(&key).map(|chunk| Vec::clone(chunk)).unwrap_or_default()));
        chunk.get_or_insert_default()
    }

    pub(super) fn set_result(&mut self, container: FrameId, index: u32, result: Payload) {
        let chunk = self.chunk_mut((container, index / limits::RESULTS_PER_CHUNK));
        let at = (index % limits::RESULTS_PER_CHUNK) as usize;
        if chunk.len() <= at {
            chunk.resize(at + 1, None);
        }
        chunk[at] = Some(result);
    }

    /// The results of a container in order, if together they are no larger than a payload may be. All there, or the
    /// step is interrupted.
    pub(super) fn all_results(&self, container: FrameId, length: u32) -> Flow<Result<Vec<Payload>, Fault>> {
        let mut results = Vec::with_capacity(length as usize);
        for index in 0..length {
            let key = (container, index / limits::RESULTS_PER_CHUNK);
            let at = (index % limits::RESULTS_PER_CHUNK) as usize;
            let chunk = match self.results.get(&key) {
                Some(chunk) => chunk.as_ref(),
                None => self.base.results.get(&key).map(|chunk| &**chunk),
            };
            let result = chunk.and_then(|chunk| chunk.get(at)).and_then(Option::as_ref);
            results.push(result.expect("a container ends when all results are there").clone());
        }
        let bytes: usize = results.iter().map(|result| result.bytes() + 1).sum();
        if self.is_too_large(bytes + 1) {
            return Ok(Err(Fault::ResultTooLarge));
        }
        require(results.iter())?;
        Ok(Ok(results))
    }

    pub(super) fn drop_results(&mut self, container: FrameId) {
        let range = (container, 0)..=(container, u32::MAX);
        let stored: Vec<_> = self.base.results.range(range.clone()).map(|(key, _)| *key).collect();
        let made: Vec<_> = self.results.range(range).map(|(key, _)| *key).collect();
        for key in made {
            self.results.remove(&key);
        }
        for key in stored {
            self.results.insert(key, None);
        }
    }

    // History

    fn events_max(&self) -> EventId {
        self.base.identity.workflow.events_max(self.moment.limits)
    }

    /// Records an event. Past the bound of the history nothing is recorded any more.
    pub(super) fn emit(&mut self, previous: EventId, detail: Detail) -> EventId {
        let id = self.header.next_event;
        if id >= self.events_max() {
            self.overflow = true;
            return id;
        }
        self.record(id, previous, detail);
        id
    }

    fn record(&mut self, id: EventId, previous: EventId, detail: Detail) {
        self.header.next_event = id + 1;
        self.header.last_event_ms = self.now_ms;
        self.history.push(HistoryEvent { id, previous, timestamp_ms: self.now_ms, detail });
    }

    /// Records an event on the path of a frame: it follows the frame's last one and becomes it.
    pub(super) fn emit_on(&mut self, id: FrameId, detail: Detail) -> EventId {
        let event = self.emit(self.frame(id).last_event, detail);
        self.frame_mut(id).last_event = event;
        event
    }

    /// Ends the execution: its last event, its status, and nothing left that runs.
    pub(super) fn end_execution(&mut self, previous: EventId, detail: Detail, status: impl FnOnce(i64) -> Status) {
        if self.overflow {
            // An event before this one found no place any more: the turn ends in `end_on_overflow`.
            return;
        }
        let id = self.header.next_event;
        self.record(id, previous, detail);
        self.header.ready.clear();
        self.header.deadline_ms = None;
        self.header.status = status(self.now_ms);
        let workflow = self.base.identity.workflow;
        let unsuccessful = !matches!(self.header.status, Status::Succeeded { .. });
        let may_go_on = unsuccessful && workflow == Workflow::Standard && id < self.events_max();
        let mut frames: Vec<FrameId> = self.all_frames().map(|(id, _)| id).collect();
        frames.sort_unstable();
        for frame in frames {
            if may_go_on { self.wreck_frame(frame) } else { self.remove_frame(frame) }
        }
    }

    // What expressions see

    /// What the expressions of a frame's state see; everything that they may read is here, or the step is interrupted.
    pub(super) fn scene(&self, id: FrameId) -> Flow<Scene<'_>> {
        let frame = self.frame(id);
        let state = self.program.state(frame.state);
        let mut variables = vec![frame.variables.clone()];
        let mut map_item = None;
        let mut at = frame;
        while let Some((parent, index)) = at.parent {
            at = self.frame(parent);
            variables.push(at.variables.clone());
            if let (None, Phase::Map(wait)) = (&map_item, &at.phase) {
                map_item = Some(MapItem::of_array(index, wait.items.clone()));
            }
        }
        let token_of = match &state.kind {
            Kind::Task(task) if task.resource.has_token() => Some(match &frame.phase {
                Phase::Task(wait) => wait.task,
                _ => TaskId(self.header.next_event),
            }),
            _ => None,
        };
        let read = [&frame.input, &self.base.identity.input].into_iter();
        let items = map_item.iter().filter_map(|item: &MapItem| match &item.from {
            ItemFrom::Array(items) => Some(items),
            ItemFrom::Stream { .. } => None,
        });
        let read = read.chain(items);
        require(read.chain(variables.iter().flat_map(|scope| scope.values())))?;
        Ok(Scene {
            identity: &self.base.identity,
            redrives: self.header.redrives,
            state_name: &state.name,
            entered_ms: frame.entered_ms,
            retry_count: state.counts_retries().then(|| frame.retries.iter().sum()),
            token_of,
            map_item,
            variables,
            chance: &self.chance,
            now_ms: self.now_ms,
            fuel: &self.fuel,
            limits: self.moment.limits,
            given_context: None,
            seen: None,
        })
    }

    pub(super) fn random(&self) -> u64 {
        self.chance.draw()
    }
}

/// Interrupts the step if any of these payloads is absent, naming all that are.
pub(super) fn require<'p>(payloads: impl Iterator<Item = &'p Payload>) -> Flow<()> {
    let absent: Vec<Payload> = payloads.filter(|payload| payload.is_absent()).cloned().collect();
    if absent.is_empty() { Ok(()) } else { Err(Interrupt::Needs(absent)) }
}
