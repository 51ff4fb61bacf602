//! A frame's visit of a state: entered, run, left, or failed.

use std::{collections::BTreeMap, sync::Arc};

use stepwell_expr::Payload;

use crate::{
    data::{self, Fault},
    execution::{Frame, FrameId, Phase, Status},
    failure::Failure,
    history::{Assigned, Detail},
    limits,
    program::{DataFlow, ScopeId, Transition},
    retry,
    state::{Kind, Ran, StateType},
    step::work::{Flow, Interrupt, Work},
};

/// How a state came to fail.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum How {
    /// A task ended badly: an ending container records its abortion.
    Task,
    /// A heartbeat was missed.
    Heartbeat,
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
        let detail = Detail::ExecutionStarted { input: identity.input.clone(), role_arn: identity.role_arn.clone() };
        self.emit(0, detail);
        let seconds = self.program.timeout_seconds.unwrap_or(limits::EXECUTION_SECONDS_MAX);
        let timeout_ms = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000);
        self.header.deadline_ms = Some(identity.start_ms.saturating_add(timeout_ms));
        let scope = ScopeId(0);
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
            Phase::Failed { failure, in_task } => {
                let (failure, in_task) = (failure.clone(), *in_task);
                self.tell_parent(id, failure, in_task)
            }
            Phase::Backoff { .. } | Phase::Wait { .. } | Phase::Task(_) | Phase::Parallel(_) | Phase::Map(_) => Ok(()),
        }
    }

    fn enter(&mut self, id: FrameId) {
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
        let state = self.state_of(id);
        let input = self.frame(id).input.clone();
        let ran = state.run(&input, &self.scene(id)?);
        self.settle(id, ran, Stage::OnEntry)
    }

    /// A Wait state is over.
    pub(super) fn wait_is_over(&mut self, id: FrameId) -> Flow<()> {
        let state = self.state_of(id);
        let Kind::Wait(wait) = &state.kind else { return Ok(()) };
        let input = self.frame(id).input.clone();
        let ran = wait.conclude(state, &input, &self.scene(id)?);
        self.settle(id, ran, Stage::Afterwards)
    }

    /// The task, the branches or the iterations of a frame's state gave `result`.
    pub(super) fn conclude(&mut self, id: FrameId, result: &Payload) -> Flow<()> {
        let state = self.state_of(id);
        let input = self.frame(id).input.clone();
        let ran = state.conclude(&input, result, &self.scene(id)?);
        self.settle(id, ran, Stage::Afterwards)
    }

    /// Carries out what a state's work came to.
    fn settle(&mut self, id: FrameId, ran: Result<Ran, Fault>, stage: Stage) -> Flow<()> {
        match ran {
            Ok(Ran::Exits { output, assigned, transition }) => self.exit(id, output, assigned, transition),
            Ok(Ran::Waits { until_ms }) if until_ms <= self.now_ms => self.wait_is_over(id),
            Ok(Ran::Waits { until_ms }) => {
                self.frame_mut(id).phase = Phase::Wait { until_ms };
                Ok(())
            }
            Ok(Ran::Fails(failure)) => self.fail(id, failure, How::Plain),
            Ok(Ran::Task(scheduling)) => self.schedule(id, scheduling),
            Ok(Ran::Branches { input }) => {
                self.begin_branches(id, &input);
                Ok(())
            }
            Ok(Ran::Iterations(iterations)) => self.begin_iterations(id, iterations),
            Err(fault) => self.fault(id, fault, stage),
        }
    }

    /// Leaves a state, and enters the next one in the same turn.
    fn exit(&mut self, id: FrameId, output: Payload, assigned: Assigned, transition: Transition) -> Flow<()> {
        let state = self.state_of(id);
        if !output.is(&self.frame(id).input) {
            let bytes = output.bytes();
            self.made_bytes(bytes);
            if bytes > limits::PAYLOAD_BYTES_MAX {
                return self.fail(id, too_large(&state.name), How::Plain);
            }
        }
        if let Some(failure) = self.assign(id, &assigned) {
            return self.fail(id, failure, How::Plain);
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

    /// Sets variables of the frame's scope; answers a failure if all of them together are too large.
    fn assign(&mut self, id: FrameId, assigned: &Assigned) -> Option<Failure> {
        if assigned.is_empty() {
            return None;
        }
        let mut variables = BTreeMap::clone(&self.frame(id).variables);
        for (name, payload) in assigned.iter() {
            self.made_bytes(payload.bytes());
            variables.insert(name.clone(), payload.clone());
        }
        if variables.values().map(Payload::bytes).sum::<usize>() > limits::VARIABLES_BYTES_MAX {
            let text = "The variables of the execution exceed the maximum number of bytes service limit.";
            return Some(Failure::new("States.DataLimitExceeded", text));
        }
        self.frame_mut(id).variables = Arc::new(variables);
        None
    }

    /// An evaluation failed: its failure, with AWS's texts and the EvaluationFailed event of JSONata.
    pub(super) fn fault(&mut self, id: FrameId, fault: Fault, stage: Stage) -> Flow<()> {
        let state = self.state_of(id);
        let entered = self.frame(id).entered;
        let cause = |text: &str| data::cause(&state.name, entered, text);
        match fault {
            Fault::OutOfFuel if !self.had_full_fuel() => Err(Interrupt::Slow),
            Fault::OutOfFuel => match state.flow {
                DataFlow::Jsonata(_) => {
                    let text = "Expression evaluation timeout".to_owned();
                    self.fault(id, Fault::Query { cause: text, location: None }, stage)
                }
                DataFlow::JsonPath(_) => {
                    self.fail(id, Failure::new("States.Runtime", cause("Expression evaluation timeout")), How::Plain)
                }
            },
            Fault::Runtime(text) => self.fail(id, Failure::new("States.Runtime", cause(&text)), How::Plain),
            Fault::Named(error, text) => self.fail(id, Failure::new(error, cause(&text)), How::Plain),
            Fault::Query { cause: text, location } => {
                let failure = Failure::new("States.QueryEvaluationError", cause(&text));
                let previous = match (stage, &state.kind) {
                    // An unparsable Timestamp of a Wait follows the Entered event. Source: recordings.
                    (Stage::OnEntry, Kind::Wait(_)) | (Stage::Afterwards, _) => self.frame(id).last_event,
                    (Stage::OnEntry, _) => self.frame(id).before_entered,
                };
                let detail = Detail::EvaluationFailed { failure: failure.clone(), location, state: state.name.clone() };
                let event = self.emit(previous, detail);
                self.frame_mut(id).last_event = event;
                self.fail(id, failure, How::Plain)
            }
        }
    }

    /// A frame's state failed: a retry, a catch, or the end of the frame.
    pub(super) fn fail(&mut self, id: FrameId, failure: Failure, how: How) -> Flow<()> {
        let state = self.state_of(id);
        let cause = if how == How::Heartbeat { retry::Cause::Heartbeat } else { retry::Cause::Named };
        if let Some((index, retrier)) =
            state.retriers().iter().enumerate().find(|(_, retrier)| retry::matches(&retrier.errors, &failure, cause))
        {
            let made = self.frame(id).retries.get(index).copied().unwrap_or(0);
            if made < retrier.attempts_max {
                let until_ms = self.now_ms.saturating_add(retrier.delay_ms(made, self.random()));
                let frame = self.frame_mut(id);
                if let Some(count) = frame.retries.get_mut(index) {
                    *count += 1;
                }
                frame.phase = Phase::Backoff { until_ms };
                return Ok(());
            }
        }
        // A path error fails the execution straight from the Entered event. Source: recordings.
        let is_runtime = failure.error.as_deref() == Some("States.Runtime");
        if !is_runtime {
            match state.kind_type() {
                StateType::Map => _ = self.emit_on(id, Detail::MapStateFailed),
                StateType::Parallel => _ = self.emit_on(id, Detail::ParallelStateFailed),
                _ => {}
            }
        }
        if let Some(at) = state.catchers().iter().position(|catcher| retry::matches(&catcher.errors, &failure, cause)) {
            return self.catch(id, at, &failure);
        }
        if self.frame(id).parent.is_some() {
            let in_task = how != How::Plain;
            self.make_ready(id, Phase::Failed { failure, in_task });
            return Ok(());
        }
        self.fail_execution(id, failure);
        Ok(())
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
        let error_output = data::error_output(failure);
        let error_payload = Payload::from_value(error_output.clone());
        let input = self.frame(id).input.clone();
        let scene = self.scene(id)?;
        let caught = match &state.flow {
            DataFlow::JsonPath(_) => data::assign(&catcher.assign, &scene.view(&error_payload))
                .and_then(|assigned| Ok((data::place(&catcher.result_path, &input, &error_payload)?, assigned))),
            DataFlow::Jsonata(_) => {
                let view = scene.view(&input).with_error_output(&error_output);
                data::assign(&catcher.assign, &view).and_then(|assigned| match &catcher.output {
                    Some(output) => Ok((Payload::from_value(data::evaluate(output, &view)?), assigned)),
                    None => Ok((error_payload.clone(), assigned)),
                })
            }
        };
        match caught {
            Ok((output, assigned)) => self.exit(id, output, assigned, Transition::Next(catcher.next)),
            Err(fault) => self.catch_failed(id, fault),
        }
    }

    /// A catcher's own evaluation failed: nothing of this state catches that.
    fn catch_failed(&mut self, id: FrameId, fault: Fault) -> Flow<()> {
        let state = self.state_of(id);
        let entered = self.frame(id).entered;
        let (error, text) = match fault {
            Fault::OutOfFuel if !self.had_full_fuel() => return Err(Interrupt::Slow),
            Fault::OutOfFuel => ("States.QueryEvaluationError", "Expression evaluation timeout".to_owned()),
            Fault::Runtime(text) => ("States.Runtime", text),
            Fault::Named(error, text) => (error, text),
            Fault::Query { cause, location } => {
                let failure = Failure::new("States.QueryEvaluationError", data::cause(&state.name, entered, &cause));
                self.emit_on(id, Detail::EvaluationFailed { failure, location, state: state.name.clone() });
                ("States.QueryEvaluationError", cause)
            }
        };
        let failure = Failure::new(error, data::cause(&state.name, entered, &text));
        match self.frame(id).parent {
            Some(_) => self.make_ready(id, Phase::Failed { failure, in_task: false }),
            None => self.fail_execution(id, failure),
        }
        Ok(())
    }
}

/// Source: recordings.
pub(super) fn too_large(name: &str) -> Failure {
    Failure::new(
        "States.DataLimitExceeded",
        format!(
            "The state/task '{name}' returned a result with a size exceeding the maximum number of bytes service limit."
        ),
    )
}
