//! Parallel and Map: their branches and iterations begin, end, fail, and are aborted.

use std::{collections::BTreeMap, sync::Arc};

use stepwell_expr::{Payload, Value};

use crate::{
    data,
    execution::{Frame, FrameId, MapWait, ParallelWait, Phase},
    failure::Failure,
    history::{Detail, EventId},
    program::ScopeId,
    state::{Kind, map::Iterations},
    step::{
        visit::{How, Stage},
        work::{Flow, Work, require},
    },
};

impl Work<'_> {
    pub(super) fn begin_branches(&mut self, id: FrameId, input: &Payload) {
        let Kind::Parallel(parallel) = &self.state_of(id).kind else { return };
        let started = self.emit_on(id, Detail::ParallelStateStarted);
        let branches = u32::try_from(parallel.branches.len()).unwrap_or(u32::MAX);
        self.frame_mut(id).phase = Phase::Parallel(ParallelWait { branches, ended: 0 });
        for (index, scope) in (0..branches).zip(&parallel.branches) {
            self.begin_child(id, index, *scope, input.clone(), started);
        }
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
        let started = self.emit_on(id, Detail::MapStateStarted { length: u64::from(length) });
        self.frame_mut(id).phase =
            Phase::Map(MapWait { items, effective_input, length, next: 0, ended: 0, concurrency });
        if length == 0 {
            return self.map_ended(id);
        }
        for _ in 0..concurrency.min(length) {
            self.begin_iteration(id, started)?;
            if !matches!(self.frame(id).phase, Phase::Map(_)) {
                break;
            }
        }
        Ok(())
    }

    /// Begins the next iteration; its first event follows `previous`.
    fn begin_iteration(&mut self, id: FrameId, previous: EventId) -> Flow<()> {
        let state = self.state_of(id);
        let (Kind::Map(map), Phase::Map(wait)) = (&state.kind, &self.frame(id).phase) else { return Ok(()) };
        require([&wait.items, &wait.effective_input].into_iter())?;
        let index = wait.next;
        let input = match &map.selector {
            None => {
                let item = wait.items.value().as_array().and_then(|items| items.get(index as usize));
                Payload::from_value(item.cloned().unwrap_or_default())
            }
            Some(selector) => {
                let mut scene = self.scene(id)?;
                scene.map_item = Some((index, wait.items.clone()));
                let selected = data::evaluate(selector, &scene.view(&wait.effective_input));
                match selected {
                    Ok(value) => Payload::from_value(value),
                    Err(fault) => return self.fault(id, fault, Stage::Afterwards),
                }
            }
        };
        if let Phase::Map(wait) = &mut self.frame_mut(id).phase {
            wait.next += 1;
        }
        let detail = Detail::MapIterationStarted { name: state.name.clone(), index: u64::from(index) };
        let started = self.emit(previous, detail);
        self.begin_child(id, index, map.processor, input, started);
        Ok(())
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
                let results = self.all_results(parent, branches)?;
                self.frame_mut(parent).last_event = last;
                self.emit(last, Detail::ParallelStateSucceeded);
                self.drop_results(parent);
                self.conclude(parent, &Payload::array_of(&results))
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
        let result = Value::array(results.iter().map(|result| result.value().clone()).collect());
        self.emit(self.frame(id).last_event, Detail::MapStateSucceeded);
        self.drop_results(id);
        self.conclude(id, &Payload::from_value(result))
    }

    /// A frame failed and its own state did not handle it: its siblings are aborted, the container's state fails.
    pub(super) fn tell_parent(&mut self, child: FrameId, failure: Failure, in_task: bool) -> Flow<()> {
        let frame = self.frame(child);
        let (Some((parent, index)), last) = (frame.parent, frame.last_event) else { return Ok(()) };
        // Whatever Retry and Catch of the container read must be here before anything is recorded.
        self.scene(parent).map(|_| ())?;
        let state = self.state_of(parent);
        if matches!(state.kind, Kind::Map(_)) {
            let detail = Detail::MapIterationFailed { name: state.name.clone(), index: u64::from(index) };
            self.emit(last, detail);
        }
        if in_task {
            self.emit(last, Detail::TaskStateAborted);
        }
        self.remove_frame(child);
        self.abort_children(parent, last);
        self.drop_results(parent);
        self.frame_mut(parent).last_event = last;
        self.frame_mut(parent).phase = Phase::Run;
        self.fail(parent, failure, How::Plain)
    }

    /// Aborts all that runs below a container; every event follows `last`. Nesting is bounded by the definition's.
    fn abort_children(&mut self, container: FrameId, last: EventId) {
        let container_state = self.state_of(container);
        for child in self.children(container) {
            if matches!(container_state.kind, Kind::Map(_)) {
                let index = self.frame(child).parent.map_or(0, |(_, index)| u64::from(index));
                self.emit(last, Detail::MapIterationAborted { name: container_state.name.clone(), index });
            }
            match &self.frame(child).phase {
                Phase::Task(_) | Phase::Failed { in_task: true, .. } => _ = self.emit(last, Detail::TaskStateAborted),
                Phase::Wait { .. } => _ = self.emit(last, Detail::WaitStateAborted),
                Phase::Parallel(_) => {
                    self.abort_children(child, last);
                    self.emit(last, Detail::ParallelStateAborted);
                }
                Phase::Map(_) => {
                    self.abort_children(child, last);
                    self.emit(last, Detail::MapStateAborted);
                }
                Phase::Backoff { .. } if matches!(self.state_of(child).kind, Kind::Task(_)) => {
                    self.emit(last, Detail::TaskStateAborted);
                }
                Phase::Enter | Phase::Run | Phase::Backoff { .. } | Phase::Failed { .. } => {}
            }
            self.remove_frame(child);
        }
    }
}
