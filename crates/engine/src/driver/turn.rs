//! One turn of one execution: a step of the machine, and what becomes of it.

use std::collections::BTreeMap;

use stepwell_machine::{
    Effect, Event, Execution, Failure, HistoryEvent, MapRunWait, Status, Step, Stepped, TaskId, history::Detail,
    limits::FUEL_SLICE,
};
use tokio::sync::oneshot::Sender;

use super::{Driver, Resident, residents::Thinking};
use crate::{
    activities::Poller,
    handle::{
        ActivityTask, ExecutionError, RedriveError, StartExecutionError, StartedExecution, TokenError, Unavailable,
    },
    limits::FILLS_PER_STEP_MAX,
    logs::Logged,
    map_runs::ChildState,
    record::{self, ExecutionId, StatusMark},
    reply::Reply,
    slow::{Attempt, Granted, Job, Thought, Whom, Work, attempt},
};

/// Who is answered after a step.
pub(crate) enum Then {
    Nobody,
    Starter(Sender<Result<StartedExecution, StartExecutionError>>),
    Stopper(Sender<Result<i64, ExecutionError>>),
    Redriver(Sender<Result<i64, RedriveError>>),
    Answerer(Sender<Result<(), TokenError>>),
    Worker(Poller, ActivityTask),
    /// Whose end the execution was told.
    MapRun(Sender<Result<(), Unavailable>>),
}

impl Driver {
    /// Feeds an event to an execution. Its step is recorded, or the execution is thinking afterwards.
    pub(super) fn turn(&mut self, resident: &mut Resident, event: Event, then: Then) {
        let granted = self.granted(resident, &event);
        for _ in 0..FILLS_PER_STEP_MAX {
            let (program, execution) = (&resident.program, &resident.execution);
            let attempt = attempt(program, execution, event.clone(), granted, &self.shared.surroundings, FUEL_SLICE);
            match attempt {
                Attempt::Stepped(Stepped::Done(step)) => return self.conclude(resident, &event, granted, step, then),
                Attempt::Stepped(Stepped::Needs(payloads)) => {
                    if let Err(why) = self.fill_payloads(resident.id, &payloads) {
                        return self.end_broken(resident, &event, granted, why, then);
                    }
                }
                Attempt::Stepped(Stepped::Slow) => return self.think(resident, event, granted, then),
                Attempt::Panicked(panic) => {
                    tracing::error!(arn = %resident.execution.identity.arn, panic, "a step panicked");
                    return self.end_broken(resident, &event, granted, BROKEN.to_owned(), then);
                }
                Attempt::Lost => return self.end_broken(resident, &event, granted, ENDLESS.to_owned(), then),
            }
        }
        self.end_broken(resident, &event, granted, BROKEN.to_owned(), then);
    }

    /// Where states are throttled, those that wait for their turn have it first: an event is then taken, and no more.
    fn granted(&self, resident: &Resident, event: &Event) -> Granted {
        let now_ms = self.shared.timeline.now_ms();
        let transitions_max = match event {
            // Its turn has come; a token that another driver has taken meanwhile is owed.
            Event::Continued => self.shared.throttle.left(now_ms).max(1),
            _ if self.shared.throttle.is_on() && !self.slices.is_empty() => 0,
            _ => self.shared.throttle.left(now_ms),
        };
        Granted { now_ms: now_ms.max(resident.execution.header.last_event_ms), transitions_max }
    }

    /// Runs the step with full fuel, away from this thread.
    fn think(&mut self, resident: &mut Resident, event: Event, granted: Granted, then: Then) {
        let work = Work {
            execution: resident.execution.clone(),
            program: resident.program.clone(),
            event: event.clone(),
            granted,
            under_way: self.shared.timeline.begin(),
        };
        resident.thinking = Some(Thinking { event, then });
        self.shared.slow.send(Job { to: Whom::Driver(resident.id), work });
    }

    /// A step comes back that was run away from this thread; then what came in the meantime.
    pub(super) fn thought(&mut self, thought: Thought) {
        let Thought { execution, granted, attempt } = thought;
        let Some(mut resident) = self.residents.take(execution) else { return };
        if let Some(Thinking { event, then }) = resident.thinking.take() {
            match attempt {
                Attempt::Stepped(Stepped::Done(step)) => self.conclude(&mut resident, &event, granted, step, then),
                Attempt::Stepped(Stepped::Needs(payloads)) => match self.fill_payloads(execution, &payloads) {
                    Ok(()) => self.think(&mut resident, event, granted, then),
                    Err(why) => self.end_broken(&mut resident, &event, granted, why, then),
                },
                Attempt::Stepped(Stepped::Slow) => {
                    self.end_broken(&mut resident, &event, granted, BROKEN.to_owned(), then);
                }
                Attempt::Panicked(panic) => {
                    tracing::error!(arn = %resident.execution.identity.arn, panic, "a step panicked");
                    self.end_broken(&mut resident, &event, granted, BROKEN.to_owned(), then);
                }
                Attempt::Lost => self.end_broken(&mut resident, &event, granted, ENDLESS.to_owned(), then),
            }
        }
        while resident.thinking.is_none()
            && let Some((errand, under_way)) = resident.waiting.pop_front()
        {
            self.deliver(&mut resident, errand, under_way);
        }
        self.residents.put(resident);
    }

    /// Gives absent payloads their texts; or says why that cannot be.
    pub(super) fn fill_payloads(&self, id: ExecutionId, payloads: &[stepwell_expr::Payload]) -> Result<(), String> {
        let result = record::fill(self.shared.store.as_ref(), id, payloads);
        result.map_err(|error| {
            tracing::error!(error = error.to_string(), "cannot read a stored text");
            "A stored text of the execution cannot be read.".to_owned()
        })?;
        match payloads.iter().all(|payload| !payload.is_absent()) && !payloads.is_empty() {
            true => Ok(()),
            false => Err("A stored text of the execution is missing.".to_owned()),
        }
    }

    /// Ends an execution that the machine cannot go on with; the server goes on.
    fn end_broken(&mut self, resident: &mut Resident, event: &Event, granted: Granted, why: String, then: Then) {
        let step = broken(&resident.execution, granted.now_ms, why);
        self.conclude(resident, event, granted, step, then);
    }

    /// Takes a step over: rows and effects into the batch, timers and slices, and the answer.
    fn conclude(&mut self, resident: &mut Resident, event: &Event, granted: Granted, step: Step, then: Then) {
        if let Some(witness) = &self.shared.witness {
            witness.took(resident.id, event, granted, &mut self.open.batch);
        }
        let before = resident.execution.clone();
        self.shared.throttle.spend(step.ran);
        resident.weigh(&step);
        resident.execution.apply(&step);
        self.timers.set(resident.id, resident.execution.deadline_ms());
        let mut claimed = Vec::new();
        if matches!(event, Event::TaskHeartbeat { .. }) && step.history.is_empty() && step.effects.is_empty() {
            // Heartbeats cost no write: after a restart each task gets one full interval.
            resident.beaten.extend(step.frames.keys());
        } else {
            claimed = self.record(resident, &before, step);
        }
        if resident.execution.is_ready() {
            self.slices.push(resident.id, self.holds_time());
        }
        match then {
            Then::Nobody => {}
            Then::Starter(to) => self.open.replies.push(Reply::Start(to, Ok(started(&resident.execution)))),
            Then::Stopper(to) => self.open.replies.push(Reply::Stop(to, Ok(stop_ms(&resident.execution)))),
            Then::Redriver(to) => self.open.replies.push(Reply::Redrive(to, Ok(redrive_ms(&resident.execution)))),
            Then::Answerer(to) => self.open.replies.push(Reply::Token(to, Ok(()))),
            Then::Worker(poller, task) => self.open.replies.push(Reply::Task(poller, task)),
            Then::MapRun(to) => self.open.replies.push(Reply::Done(to)),
        }
        for (task, poller) in claimed {
            self.take(resident, task, poller);
        }
    }

    /// Answers the tasks that were offered by the step and the workers that wait for them already: those need no commit of
    /// their own to be offered.
    fn record(&mut self, resident: &mut Resident, before: &Execution, step: Step) -> Vec<(TaskId, Poller)> {
        let execution = &resident.execution;
        record::record_step(&mut resident.books, before, &step, execution, &mut self.open.batch);
        self.open.steps += 1;
        let is_open = |execution: &Execution| execution.is_running() && execution.header.next_event > 1;
        self.open.opened += i64::from(is_open(execution)) - i64::from(is_open(before));
        if execution.is_redrivable() && !before.is_redrivable() {
            self.sweep_wrecks(resident.id, execution.header.last_event_ms);
        }
        let changed = before.header.next_event == 1 || before.is_running() != execution.is_running();
        if changed && let Some(child) = &execution.identity.child {
            let (child, state) = (child.clone(), ChildState::of(&execution.header.status));
            let map_runs = self.shared.map_runs.clone();
            self.open.replies.push(Reply::Child { map_runs, child, state });
        }
        self.announce(resident.id, before, execution);
        resident.batch = self.number;
        for frame in step.frames.keys() {
            resident.beaten.remove(frame);
        }
        if let Some(logging) = &resident.logging
            && let Some(logged) = Logged::of(logging, &execution.identity, &step)
        {
            let logged = logged.marked(resident.id);
            logged.mark.iter().for_each(|mark| record::mark_log(mark, &mut self.open.batch));
            self.open.logs.push(logged);
        }
        let mut claimed = Vec::new();
        for effect in step.effects {
            let poller = match &effect {
                Effect::OfferTask { task, activity_arn, .. } => {
                    self.shared.activities.claim(activity_arn).map(|poller| (*task, poller))
                }
                Effect::RunTask(_)
                | Effect::DropTask { .. }
                | Effect::StopJob(_)
                | Effect::RunMapRun(_)
                | Effect::StopMapRun { .. } => None,
            };
            match poller {
                Some(poller) => claimed.push(poller),
                None => self.open.effects.push((resident.id, effect)),
            }
        }
        claimed
    }

    /// A start, an end and a redrive are told to whoever asked for it; a step may hold two of them.
    fn announce(&mut self, id: ExecutionId, before: &Execution, after: &Execution) {
        if !self.shared.status_changes.is_on() {
            return;
        }
        let (first, last) = (before.header.next_event, after.header.next_event.saturating_sub(1));
        let begins = last >= first && (first == 1 || !before.is_running());
        let ends = last >= first && !after.is_running();
        let redrives = after.header.redrives;
        for event in [begins.then_some(first), ends.then_some(last)].into_iter().flatten() {
            let mark = StatusMark { execution: id, event, redrives };
            record::mark_status(&mark, &mut self.open.batch);
            self.open.replies.push(Reply::Changed(self.shared.status_changes.clone(), mark));
        }
    }

    fn sweep_wrecks(&mut self, id: ExecutionId, now_ms: i64) {
        let swept = record::sweep_wrecks(self.shared.store.as_ref(), id, now_ms, &mut self.open.batch);
        if let Err(error) = swept {
            tracing::error!(error = error.to_string(), "what redrives no longer need cannot be removed");
        }
    }

    /// Records heartbeats that were only in memory, since the execution is to leave it.
    pub(super) fn record_heartbeats(&mut self, resident: &mut Resident) {
        let step = resident.heartbeats();
        let before = resident.execution.clone();
        let claimed = self.record(resident, &before, step);
        debug_assert!(claimed.is_empty(), "a heartbeat offers no task");
    }
}

/// What an execution fails with whose evaluation was given up.
pub(crate) const ENDLESS: &str = "An expression took far longer than its limit, and could not be ended.";
/// What an execution fails with when it is our fault.
pub(crate) const BROKEN: &str = "An internal error occurred while the execution was advanced.";

/// A step that ends the execution with `States.Runtime`; what is left of its frames is kept for a redrive.
pub(crate) fn broken(execution: &Execution, now_ms: i64, why: String) -> Step {
    let mut header = execution.header.clone();
    let mut history = Vec::new();
    let mut effects = Vec::new();
    let mut frames = BTreeMap::new();
    if execution.is_running() {
        frames = execution.wrecks();
        let failure = Failure::new("States.Runtime", why);
        history.push(HistoryEvent {
            id: header.next_event,
            previous: header.next_event - 1,
            timestamp_ms: now_ms,
            detail: Detail::ExecutionFailed(failure.clone()),
        });
        header.next_event += 1;
        header.last_event_ms = now_ms;
        header.deadline_ms = None;
        header.ready.clear();
        header.status = Status::Failed { failure, stop_ms: now_ms };
        effects.extend(execution.tasks().map(|wait| Effect::DropTask { task: wait.task }));
        let given_up = |wait: &MapRunWait| Effect::StopMapRun { task: wait.task, arn: wait.arn.clone() };
        effects.extend(execution.map_runs().map(given_up));
    }
    Step { header, frames, results: BTreeMap::new(), history, effects, ran: 0 }
}

pub(super) fn started(execution: &Execution) -> StartedExecution {
    StartedExecution { arn: execution.identity.arn.clone(), start_ms: execution.identity.start_ms }
}

/// When it was redriven last.
fn redrive_ms(execution: &Execution) -> i64 {
    execution.header.redrives.last_ms.unwrap_or(execution.header.last_event_ms)
}

/// When it ended; of one that runs (which no stop leaves behind), the time of its last event.
pub(super) fn stop_ms(execution: &Execution) -> i64 {
    match &execution.header.status {
        Status::Running => execution.header.last_event_ms,
        Status::Succeeded { stop_ms, .. }
        | Status::Failed { stop_ms, .. }
        | Status::TimedOut { stop_ms, .. }
        | Status::Aborted { stop_ms, .. } => *stop_ms,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use stepwell_expr::Payload;
    use stepwell_machine::{Identity, root::Root};

    use super::*;

    #[test]
    fn a_broken_execution_ends_with_one_event_and_no_frames() {
        let mut execution = Execution::new(Arc::new(Identity {
            arn: "arn".into(),
            name: "x".into(),
            state_machine_arn: "arn:m".into(),
            state_machine_name: "m".into(),
            role_arn: "role".into(),
            region: "r".into(),
            id: [7; 16],
            root: Root([1; 32]),
            start_ms: 5,
            input: Payload::from_checked_text("{}"),
            test_case: None,
            workflow: stepwell_machine::Workflow::Standard,
            child: None,
            qualifier: None,
        }));
        let step = broken(&execution, 9, "why".to_owned());
        execution.apply(&step);
        assert!(!execution.is_running() && !execution.is_ready() && execution.deadline_ms().is_none());
        assert_eq!(stop_ms(&execution), 9);
        assert_eq!(step.history.iter().map(|event| (event.id, event.previous)).collect::<Vec<_>>(), [(1, 0)]);
        let again = broken(&execution, 10, "again".to_owned());
        assert!(again.history.is_empty() && again.effects.is_empty(), "one that has ended stays as it is");
    }
}
