//! A frame's visit of a state: entered, run, left, or failed.

use std::{collections::BTreeMap, sync::Arc};

use stepwell_expr::Payload;

use crate::{
    data::{Explained, Fault, too_large},
    execution::{Frame, FrameId, Phase, Status},
    failure::Failure,
    history::{Assigned, Detail},
    limits,
    program::Transition,
    retry,
    state::{Kind, Ran, StateType},
    step::work::{Flow, Interrupt, Work, require},
};

/// How a state came to fail.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum How {
    /// A task ended badly: an ending container records its abortion.
    Task,
    /// A heartbeat was missed.
    Heartbeat,
    /// A branch or an iteration failed.
    Child,
    /// Anything else.
    Plain,
}

/// When in its visit a state's evaluation failed: what the EvaluationFailed event follows. Source: recordings.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Stage {
    OnEntry,
    Afterwards,
}

impl Work<'_> {
    pub(super) fn start(&mut self) {
        let identity = &self.base.identity;
        let (version, alias) = identity.qualifier.as_ref().map_or((None, None), |qualifier| {
            let (version, alias) = qualifier.arns(&identity.state_machine_arn);
            (Some(version), alias)
        });
        let detail = Detail::ExecutionStarted {
            input: identity.input.clone(),
            role_arn: identity.role_arn.clone(),
            version_arn: version.map(Arc::from),
            alias_arn: alias.map(Arc::from),
        };
        self.emit(0, detail);
        self.header.deadline_ms = Some(self.timeout_from(identity.start_ms));
        let scope = identity.scope();
        self.add_frame(Frame {
            scope,
            parent: None,
            state: self.program.scope(scope).start_at,
            input: identity.input.clone(),
            entered: 0,
            before_entered: 0,
            entered_ms: self.now_ms,
            last_event: 0,
            retries: Vec::new(),
            variables: Arc::new(BTreeMap::new()),
            phase: Phase::Enter,
        });
    }

    /// When an execution times out whose time begins now.
    pub(super) fn timeout_from(&self, begin_ms: i64) -> i64 {
        let longest = self.base.identity.workflow.seconds_max(self.moment.limits);
        // That of the definition is not for the children of its Map Runs.
        let own = self.program.timeout_seconds.filter(|_| self.base.identity.child.is_none());
        let seconds = own.map_or(longest, |seconds| seconds.min(longest));
        begin_ms.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000))
    }

    /// StopExecution: whatever runs is dropped. Source: recordings (`previousEventId` 0).
    pub(super) fn stop(&mut self, failure: Failure) {
        self.end_execution(0, Detail::ExecutionAborted(failure.clone()), |stop_ms| Status::Aborted {
            failure,
            stop_ms,
        });
    }

    /// One turn of a ready frame.
    pub(super) fn turn(&mut self, id: FrameId) -> Flow<()> {
        match &self.frame(id).phase {
            Phase::Enter => {
                self.enter(id);
                Ok(())
            }
            Phase::Run => self.run(id),
            Phase::Failed { failure, in_task, .. } => {
                let (failure, in_task) = (failure.clone(), *in_task);
                self.tell_parent(id, failure, in_task)
            }
            Phase::Backoff { .. }
            | Phase::Wait { .. }
            | Phase::Task(_)
            | Phase::Parallel(_)
            | Phase::Map(_)
            | Phase::MapRun(_)
            | Phase::Wrecked(_) => Ok(()),
        }
    }

    pub(super) fn enter(&mut self, id: FrameId) {
        let state = self.state_of(id);
        let frame = self.frame(id);
        let (previous, input) = (frame.last_event, frame.input.clone());
        let detail = Detail::StateEntered { kind: state.kind_type(), name: state.name.clone(), input };
        let entered = self.emit(previous, detail);
        let now_ms = self.now_ms;
        let frame = self.frame_mut(id);
        frame.before_entered = previous;
        frame.entered = entered;
        frame.entered_ms = now_ms;
        frame.last_event = entered;
        frame.retries = vec![0; state.retriers().len()];
        self.make_ready(id, Phase::Run);
    }

    fn run(&mut self, id: FrameId) -> Flow<()> {
        self.runs_a_state();
        let state = self.state_of(id);
        let input = self.frame(id).input.clone();
        let ran = state.run(&input, &self.scene(id)?);
        self.settle(id, ran, Stage::OnEntry)
    }

    /// A Wait state is over.
    pub(super) fn wait_is_over(&mut self, id: FrameId) -> Flow<()> {
        let state = self.state_of(id);
        let Kind::Wait(wait) = &state.kind else { return Ok(()) };
        self.refuel();
        let input = self.frame(id).input.clone();
        let ran = wait.conclude(state, &input, &self.scene(id)?);
        self.settle(id, ran, Stage::Afterwards)
    }

    /// What becomes of the `result` that the task, the branches or the iterations of a frame's state gave.
    pub(super) fn conclusion(&mut self, id: FrameId, result: &Payload) -> Flow<Result<Ran, Fault>> {
        require([result].into_iter())?;
        self.refuel();
        let input = self.frame(id).input.clone();
        Ok(self.state_of(id).conclude(&input, result, &self.scene(id)?))
    }

    /// Carries out what a state's work came to.
    pub(super) fn settle(&mut self, id: FrameId, ran: Result<Ran, Fault>, stage: Stage) -> Flow<()> {
        match ran {
            Ok(Ran::Exits { output, assigned, transition }) => self.exit(id, output, assigned, transition),
            Ok(Ran::Waits { until_ms }) if until_ms <= self.now_ms => self.wait_is_over(id),
            Ok(Ran::Waits { until_ms }) => {
                self.frame_mut(id).phase = Phase::Wait { until_ms };
                Ok(())
            }
            Ok(Ran::Fails(failure)) => self.fail(id, failure.bounded(), How::Plain),
            Ok(Ran::Task(scheduling)) => self.schedule(id, scheduling),
            Ok(Ran::Branches { input }) => self.begin_branches(id, &input),
            Ok(Ran::Iterations(iterations)) => self.begin_iterations(id, iterations),
            Ok(Ran::MapRun(beginning)) => self.begin_map_run(id, beginning),
            Err(fault) => self.fault(id, fault, stage),
        }
    }

    /// Leaves a state, and enters the next one in the same turn.
    fn exit(&mut self, id: FrameId, output: Payload, assigned: Assigned, transition: Transition) -> Flow<()> {
        match self.refused(id, &output, &assigned) {
            Some(failure) => self.fail(id, failure, How::Plain),
            None => self.leave(id, output, assigned, transition),
        }
    }

    /// Why a state may not be left with this output and these variables: they are too large.
    fn refused(&mut self, id: FrameId, output: &Payload, assigned: &Assigned) -> Option<Failure> {
        if !output.is(&self.frame(id).input) {
            let bytes = output.bytes();
            self.made_bytes(bytes);
            if self.is_too_large(bytes) {
                return Some(too_large(&self.state_of(id).name));
            }
        }
        if assigned.is_empty() {
            return None;
        }
        let added: usize = assigned.iter().map(|(_, payload)| payload.bytes()).sum();
        self.made_bytes(added);
        let variables = self.open_frames().flat_map(|(_, frame)| frame.variables.values());
        let held: usize = variables.map(Payload::bytes).sum();
        let old = &self.frame(id).variables;
        let replaced: usize = assigned.iter().filter_map(|(name, _)| old.get(name)).map(Payload::bytes).sum();
        (held - replaced + added > self.moment.limits.variables_bytes).then(|| {
            let text = "The variables of the execution exceed the maximum number of bytes service limit.";
            Failure::new("States.DataLimitExceeded", text)
        })
    }

    fn leave(&mut self, id: FrameId, output: Payload, assigned: Assigned, transition: Transition) -> Flow<()> {
        let state = self.state_of(id);
        if !assigned.is_empty() {
            let variables = Arc::make_mut(&mut self.frame_mut(id).variables);
            variables.extend(assigned.iter().cloned());
        }
        let detail =
            Detail::StateExited { kind: state.kind_type(), name: state.name.clone(), output: output.clone(), assigned };
        self.emit_on(id, detail);
        match transition {
            Transition::Next(next) => {
                let frame = self.frame_mut(id);
                frame.state = next;
                frame.input = output;
                self.enter(id);
                Ok(())
            }
            Transition::End => match self.frame(id).parent {
                Some((parent, index)) => self.child_ended(id, parent, index, output),
                None => {
                    let last = self.frame(id).last_event;
                    let detail = Detail::ExecutionSucceeded { output: output.clone() };
                    self.end_execution(last, detail, |stop_ms| Status::Succeeded { output, stop_ms });
                    Ok(())
                }
            },
        }
    }

    /// An evaluation failed, and with it the state.
    pub(super) fn fault(&mut self, id: FrameId, fault: Fault, stage: Stage) -> Flow<()> {
        let failure = self.failure_of(id, fault, stage)?;
        self.fail(id, failure, How::Plain)
    }

    /// The failure that a fault is, with AWS's texts; records the EvaluationFailed event of JSONata.
    fn failure_of(&mut self, id: FrameId, fault: Fault, stage: Stage) -> Flow<Failure> {
        if fault == Fault::OutOfFuel && !self.had_full_fuel() {
            return Err(Interrupt::Slow);
        }
        let state = self.state_of(id);
        let frame = self.frame(id);
        let Explained { failure, evaluation } = fault.explained(state.language, &state.name, frame.entered);
        let Some(location) = evaluation else { return Ok(failure) };
        let previous = match (stage, &state.kind) {
            // An unparsable Timestamp of a Wait follows the Entered event. Source: recordings.
            (Stage::OnEntry, Kind::Wait(_)) | (Stage::Afterwards, _) => frame.last_event,
            (Stage::OnEntry, _) if frame.last_event == frame.entered => frame.before_entered,
            // A retry follows the failure before it, as other events of a retry do.
            (Stage::OnEntry, _) => frame.last_event,
        };
        let location = location.map(|location| match location.char_indices().nth(limits::LOCATION_CHARS_MAX) {
            Some((end, _)) => location[..end].into(),
            None => location,
        });
        let detail = Detail::EvaluationFailed { failure: failure.clone(), location, state: state.name.clone() };
        let event = self.emit(previous, detail);
        self.frame_mut(id).last_event = event;
        Ok(failure)
    }

    /// A frame's state failed: a retry, a catch, or the end of the frame.
    pub(super) fn fail(&mut self, id: FrameId, failure: Failure, how: How) -> Flow<()> {
        if failure.error.as_deref() == Some("States.Runtime") {
            // Nothing handles it, on no level: it fails the execution from where it happened. Source: recordings.
            if how != How::Child {
                self.clear_below(id);
            }
            self.fail_execution(id, failure);
            return Ok(());
        }
        if matches!(self.frame(id).phase, Phase::Parallel(_) | Phase::Map(_)) {
            self.abort_below(id);
            if how != How::Child {
                // The container's own failure: a redrive runs all of it again.
                self.clear_below(id);
            }
        }
        let state = self.state_of(id);
        let cause = if how == How::Heartbeat { retry::Cause::Heartbeat } else { retry::Cause::Named };
        if let Some((index, retrier)) =
            state.retriers().iter().enumerate().find(|(_, retrier)| retry::matches(&retrier.errors, &failure, cause))
        {
            let made = self.frame(id).retries.get(index).copied().unwrap_or(0);
            if made < retrier.attempts_max {
                let random = if retrier.jitter { self.random() } else { 0 };
                let until_ms = self.now_ms.saturating_add(retrier.delay_ms(made, random));
                self.clear_below(id);
                let frame = self.frame_mut(id);
                if let Some(count) = frame.retries.get_mut(index) {
                    *count += 1;
                }
                frame.phase = Phase::Backoff { until_ms };
                return Ok(());
            }
        }
        match state.kind_type() {
            StateType::Map => _ = self.emit_on(id, Detail::MapStateFailed),
            StateType::Parallel => _ = self.emit_on(id, Detail::ParallelStateFailed),
            _ => {}
        }
        match state.catchers().iter().position(|catcher| retry::matches(&catcher.errors, &failure, cause)) {
            Some(at) => {
                self.clear_below(id);
                self.catch(id, at, &failure)
            }
            None => {
                self.fail_uncaught(id, failure, how);
                Ok(())
            }
        }
    }

    /// Nothing of the frame's state handles the failure: its parent is told in a turn of its own.
    fn fail_uncaught(&mut self, id: FrameId, failure: Failure, how: How) {
        if self.frame(id).parent.is_some() && failure.error.as_deref() != Some("States.Runtime") {
            let in_task = matches!(how, How::Task | How::Heartbeat);
            let wreck = self.frame(id).phase.wreck();
            self.make_ready(id, Phase::Failed { failure, in_task, wreck });
        } else {
            self.fail_execution(id, failure);
        }
    }

    fn fail_execution(&mut self, id: FrameId, failure: Failure) {
        let last = self.frame(id).last_event;
        self.end_execution(last, Detail::ExecutionFailed(failure.clone()), |stop_ms| Status::Failed {
            failure,
            stop_ms,
        });
    }

    /// Leaves a failed state by the catcher at position `at`.
    fn catch(&mut self, id: FrameId, at: usize, failure: &Failure) -> Flow<()> {
        let state = self.state_of(id);
        let catcher = &state.catchers()[at];
        let input = self.frame(id).input.clone();
        self.refuel();
        let caught = state.caught(catcher, &input, failure, &self.scene(id)?);
        let (output, assigned) = match caught {
            Ok(caught) => caught,
            Err(fault) => {
                let failure = self.failure_of(id, fault, Stage::Afterwards)?;
                self.fail_uncaught(id, failure, How::Plain);
                return Ok(());
            }
        };
        match self.refused(id, &output, &assigned) {
            // Not `fail`: a catcher does not catch what it did itself.
            Some(failure) => {
                self.fail_uncaught(id, failure, How::Plain);
                Ok(())
            }
            None => self.leave(id, output, assigned, Transition::Next(catcher.next)),
        }
    }
}
