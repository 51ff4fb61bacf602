//! Parallel and Map: their branches and iterations begin, end, fail, and are aborted.

use std::{collections::BTreeMap, sync::Arc};

use stepwell_expr::{Payload, Value, json, limits::DEPTH_MAX};

use crate::{
    data::{self, Fault, MapItem},
    execution::{Frame, FrameId, MapWait, ParallelWait, Phase},
    failure::Failure,
    history::{Detail, EventId},
    program::ScopeId,
    state::{
        Kind, StateType,
        map::{Iterations, Map},
    },
    step::{
        visit::{How, Stage},
        work::{Flow, Work, require},
    },
};

impl Work<'_> {
    pub(super) fn begin_branches(&mut self, id: FrameId, input: &Payload) -> Flow<()> {
        let Kind::Parallel(parallel) = &self.state_of(id).kind else { return Ok(()) };
        if self.is_too_large(input.bytes()) {
            return self.fault(id, Fault::InputTooLarge, Stage::OnEntry);
        }
        self.made_bytes(input.bytes());
        let started = self.emit_on(id, Detail::ParallelStateStarted);
        let branches = u32::try_from(parallel.branches.len()).unwrap_or(u32::MAX);
        self.frame_mut(id).phase = Phase::Parallel(ParallelWait { branches, ended: 0 });
        for (index, scope) in (0..branches).zip(&parallel.branches) {
            self.begin_child(id, index, *scope, input.clone(), started);
        }
        Ok(())
    }

    fn begin_child(&mut self, parent: FrameId, index: u32, scope: ScopeId, input: Payload, last_event: EventId) {
        self.add_frame(Frame {
            scope,
            parent: Some((parent, index)),
            state: self.program.scope(scope).start_at,
            input,
            entered: 0,
            before_entered: last_event,
            entered_ms: self.now_ms,
            last_event,
            retries: Vec::new(),
            variables: Arc::new(BTreeMap::new()),
            phase: Phase::Enter,
        });
    }

    pub(super) fn begin_iterations(&mut self, id: FrameId, iterations: Iterations) -> Flow<()> {
        let Iterations { items, effective_input, length, concurrency } = iterations;
        if self.is_too_large(items.bytes()) {
            return self.fault(id, Fault::InputTooLarge, Stage::OnEntry);
        }
        self.made_bytes(items.bytes());
        let started = self.emit_on(id, Detail::MapStateStarted { length: u64::from(length) });
        self.frame_mut(id).phase =
            Phase::Map(MapWait { items, effective_input, length, next: 0, ended: 0, concurrency });
        if length == 0 {
            return self.map_ended(id);
        }
        for _ in 0..concurrency.min(length) {
            self.begin_iteration(id, started)?;
            // An item selector may have failed, and with it the state or the execution.
            if !self.has_frame(id) || !matches!(self.frame(id).phase, Phase::Map(_)) {
                break;
            }
        }
        Ok(())
    }

    /// Begins the next iteration; its first event follows `previous`.
    fn begin_iteration(&mut self, id: FrameId, previous: EventId) -> Flow<()> {
        self.refuel();
        let state = self.state_of(id);
        let (Kind::Map(map), Phase::Map(wait)) = (&state.kind, &self.frame(id).phase) else { return Ok(()) };
        let index = wait.next;
        let input = self.item_input(id, map, wait)?;
        let input = match input {
            Ok(input) => input,
            Err(fault) => {
                self.frame_mut(id).last_event = previous;
                return self.fault(id, fault, Stage::Afterwards);
            }
        };
        self.made_bytes(input.bytes());
        if let Phase::Map(wait) = &mut self.frame_mut(id).phase {
            wait.next += 1;
        }
        let detail = Detail::MapIterationStarted { name: state.name.clone(), index: u64::from(index) };
        let started = self.emit(previous, detail);
        self.begin_child(id, index, map.processor, input, started);
        Ok(())
    }

    /// The input of the next iteration: what the item selector makes of the next item, or the item itself.
    fn item_input(&self, id: FrameId, map: &Map, wait: &MapWait) -> Flow<Result<Payload, Fault>> {
        require([&wait.items, &wait.effective_input].into_iter())?;
        let Some(selector) = &map.selector else {
            let item = wait.items.value().as_array().and_then(|items| items.get(wait.next as usize));
            return Ok(Ok(Payload::from_value(item.cloned().unwrap_or_default())));
        };
        let mut scene = self.scene(id)?;
        scene.map_item = Some(MapItem::of_array(wait.next, wait.items.clone()));
        Ok(data::evaluate(selector, &scene.view(&wait.effective_input)).and_then(|value| {
            let input = Payload::from_value(value);
            if self.is_too_large(input.bytes()) { Err(Fault::InputTooLarge) } else { Ok(input) }
        }))
    }

    /// A branch or an iteration came to its end.
    pub(super) fn child_ended(&mut self, child: FrameId, parent: FrameId, index: u32, output: Payload) -> Flow<()> {
        let last = self.frame(child).last_event;
        self.remove_frame(child);
        self.set_result(parent, index, output);
        match &mut self.frame_mut(parent).phase {
            Phase::Parallel(wait) => {
                wait.ended += 1;
                if wait.ended < wait.branches {
                    return Ok(());
                }
                let branches = wait.branches;
                self.frame_mut(parent).last_event = last;
                let results = self.all_results(parent, branches)?;
                let result = results.and_then(|results| {
                    let result = Payload::array_of(&results);
                    // Shorter texts cannot be nested too deeply: each level has a bracket at both ends.
                    let nested = result.bytes() > 2 * DEPTH_MAX && json::check(result.text()).is_err();
                    if nested { Err(data::too_deep()) } else { Ok(result) }
                });
                self.container_ended(parent, result, Detail::ParallelStateSucceeded)
            }
            Phase::Map(wait) => {
                wait.ended += 1;
                let (is_last, has_next) = (wait.ended == wait.length, wait.next < wait.length);
                let name = self.state_of(parent).name.clone();
                let succeeded = self.emit(last, Detail::MapIterationSucceeded { name, index: u64::from(index) });
                if is_last {
                    self.frame_mut(parent).last_event = succeeded;
                    return self.map_ended(parent);
                }
                if has_next { self.begin_iteration(parent, last) } else { Ok(()) }
            }
            _ => Ok(()),
        }
    }

    fn map_ended(&mut self, id: FrameId) -> Flow<()> {
        let Phase::Map(wait) = &self.frame(id).phase else { return Ok(()) };
        let results = self.all_results(id, wait.length)?;
        let result = results.and_then(|results| {
            let result = Value::array(results.iter().map(|result| result.value().clone()).collect());
            if result.is_deeper_than(DEPTH_MAX) { Err(data::too_deep()) } else { Ok(Payload::from_value(result)) }
        });
        self.container_ended(id, result, Detail::MapStateSucceeded)
    }

    /// All branches or iterations have ended. The event of it does not advance the frame's path. Source: recordings.
    fn container_ended(&mut self, id: FrameId, result: Result<Payload, Fault>, succeeded: Detail) -> Flow<()> {
        self.drop_results(id);
        match result {
            Ok(result) => {
                self.emit(self.frame(id).last_event, succeeded);
                let ran = self.conclusion(id, &result)?;
                self.settle(id, ran, Stage::Afterwards)
            }
            Err(fault) => self.fault(id, fault, Stage::Afterwards),
        }
    }

    /// A frame failed and its own state did not handle it: the container's state fails, its other frames are aborted.
    pub(super) fn tell_parent(&mut self, child: FrameId, failure: Failure, in_task: bool) -> Flow<()> {
        let frame = self.frame(child);
        let (Some((parent, index)), last) = (frame.parent, frame.last_event) else { return Ok(()) };
        let state = self.state_of(parent);
        if matches!(state.kind, Kind::Map(_)) {
            let detail = Detail::MapIterationFailed { name: state.name.clone(), index: u64::from(index) };
            self.emit(last, detail);
        }
        if in_task {
            self.emit(last, Detail::TaskStateAborted);
        }
        self.wreck_frame(child);
        self.frame_mut(parent).last_event = last;
        self.fail(parent, failure, How::Child)
    }

    /// Forgets whatever a container's branches or iterations came to: its state is left, or its work done anew.
    pub(super) fn clear_below(&mut self, container: FrameId) {
        if !matches!(self.frame(container).phase, Phase::Parallel(_) | Phase::Map(_)) {
            return;
        }
        let parents: BTreeMap<FrameId, FrameId> =
            self.all_frames().filter_map(|(id, frame)| Some((id, frame.parent?.0))).collect();
        let is_below = |id: &FrameId| {
            let mut above = parents.get(id);
            while above.is_some_and(|above| *above != container) {
                above = above.and_then(|above| parents.get(above));
            }
            above.is_some()
        };
        let below: Vec<FrameId> = parents.keys().copied().filter(is_below).collect();
        below.into_iter().for_each(|id| self.remove_frame(id));
        self.drop_results(container);
        self.forget_ended();
        self.frame_mut(container).phase = Phase::Run;
    }

    /// Aborts all that runs below a container; every event follows the container's last one.
    pub(super) fn abort_below(&mut self, container: FrameId) {
        let mut children: BTreeMap<FrameId, Vec<FrameId>> = BTreeMap::new();
        for (id, frame) in self.open_frames() {
            if let Some((parent, _)) = frame.parent {
                children.entry(parent).or_default().push(id);
            }
        }
        self.abort_children(container, self.frame(container).last_event, &children);
        self.forget_ended();
    }

    /// `children`: by their parent. Recursion is bounded by the definition's nesting.
    fn abort_children(&mut self, container: FrameId, last: EventId, children: &BTreeMap<FrameId, Vec<FrameId>>) {
        let container_state = self.state_of(container);
        let mut own = children.get(&container).cloned().unwrap_or_default();
        own.sort_unstable();
        for child in own {
            if matches!(container_state.kind, Kind::Map(_)) {
                let index = self.frame(child).parent.map_or(0, |(_, index)| u64::from(index));
                self.emit(last, Detail::MapIterationAborted { name: container_state.name.clone(), index });
            }
            self.abort_children(child, last, children);
            if matches!(self.frame(child).phase, Phase::MapRun(_)) {
                self.emit(last, Detail::MapRunAborted);
            }
            if let Some(detail) = self.aborted(child) {
                self.emit(last, detail);
            }
            self.wreck_frame(child);
        }
    }

    /// What is recorded of a frame that is aborted: its state was entered and not left. Choice, Pass, Succeed and Fail
    /// have no such event, nor has a Map or Parallel whose failure is recorded already.
    fn aborted(&self, id: FrameId) -> Option<Detail> {
        if matches!(self.frame(id).phase, Phase::Enter | Phase::Failed { in_task: false, .. }) {
            return None;
        }
        match self.state_of(id).kind_type() {
            StateType::Task => Some(Detail::TaskStateAborted),
            StateType::Wait => Some(Detail::WaitStateAborted),
            StateType::Parallel => Some(Detail::ParallelStateAborted),
            StateType::Map => Some(Detail::MapStateAborted),
            StateType::Choice | StateType::Pass | StateType::Succeed | StateType::Fail => None,
        }
    }
}
