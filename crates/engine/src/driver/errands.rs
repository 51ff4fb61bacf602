//! What each errand means to an execution that runs, has ended, or is not there.

use std::sync::{Arc, atomic::Ordering};

use stepwell_machine::{
    Child, Event, Execution, Failure, Identity, MapRunRequest, TaskId, TaskOutcome, execution::TaskWait, root,
};
use tokio::sync::oneshot::Sender;

use super::{
    Driver, Resident,
    residents::renewed,
    turn::{Then, started, stop_ms},
};
use crate::{
    activities::Poller,
    handle::{ActivityTask, ExecutionError, RedriveError, StartExecutionError, StatusName, TokenError, Unavailable},
    inbox::{Errand, Start, Starter, Token},
    limits::RETENTION_ROWS,
    map_runs::{ChildState, Order},
    record::{self, ExecutionId, Removal},
    registry::{Revision, log_down},
    reply::Reply,
    timeline::UnderWay,
};

/// Where an execution was found.
enum Found {
    Here(Box<Resident>),
    /// Ended, and in rows only.
    Ended(Box<Execution>),
    Missing,
}

impl Driver {
    pub(super) fn errand(&mut self, id: ExecutionId, errand: Errand, under_way: UnderWay) {
        match self.find(id) {
            Ok(Found::Here(mut resident)) => {
                if resident.thinking.is_some() {
                    resident.waiting.push_back((errand, under_way));
                } else {
                    self.deliver(&mut resident, errand, under_way);
                }
                self.residents.put(resident);
            }
            Ok(Found::Ended(_)) if let Errand::Redrive { token, to } = errand => self.redrive_stored(id, token, to),
            Ok(Found::Ended(execution)) => self.tell_ended(&execution, errand),
            Ok(Found::Missing) => self.tell_missing(id, errand),
            Err(why) => self.tell_unreadable(id, errand, why),
        }
    }

    /// Removes an execution that ended long ago, or a part of its rows. One in memory has just ended, or runs.
    pub(super) fn expire(&mut self, id: ExecutionId, before_ms: i64, to: Sender<Result<Removal, Unavailable>>) {
        let removal = match self.residents.deadline_ms(id) {
            Some(_) => Ok(Removal::NotDue),
            None => record::remove(self.shared.store.as_ref(), id, before_ms, RETENTION_ROWS, &mut self.open.batch),
        };
        match removal {
            Ok(removal) => {
                self.open.steps += 1;
                if removal != Removal::NotDue {
                    self.removing.insert(id, self.number);
                }
                self.open.replies.push(Reply::Removed(to, removal));
            }
            // It stays for whoever examines the store; the others go on.
            Err(error) => {
                tracing::warn!(execution = %id, error = error.to_string(), "an old execution cannot be removed");
                self.open.replies.push(Reply::Removed(to, Removal::NotDue));
            }
        }
    }

    /// A timer is due.
    pub(super) fn timer(&mut self, id: ExecutionId) {
        match self.find(id) {
            Ok(Found::Here(mut resident)) => {
                if resident.thinking.is_some() {
                    // Set again when the step is back.
                    self.timers.set(id, None);
                } else {
                    self.pass_time(&mut resident);
                }
                self.residents.put(resident);
            }
            Ok(Found::Ended(_) | Found::Missing) | Err(_) => self.timers.set(id, None),
        }
    }

    /// The turn of an execution that goes on with a further slice.
    pub(super) fn slice(&mut self, id: ExecutionId) {
        if let Ok(Found::Here(mut resident)) = self.find(id) {
            if resident.thinking.is_none() {
                self.pass_time(&mut resident);
            }
            if resident.thinking.is_none() && resident.execution.is_ready() {
                self.turn(&mut resident, Event::Continued, Then::Nobody);
            }
            self.residents.put(resident);
        }
    }

    /// The execution, from memory or from its rows.
    fn find(&mut self, id: ExecutionId) -> Result<Found, Unavailable> {
        if let Some(resident) = self.residents.take(id) {
            return Ok(Found::Here(resident));
        }
        let Some(loaded) = record::load(self.shared.store.as_ref(), id).map_err(log_down)? else {
            return Ok(Found::Missing);
        };
        if !loaded.execution.is_running() {
            return Ok(Found::Ended(Box::new(loaded.execution)));
        }
        let revision = self.shared.registry.revision(loaded.books.revision).map_err(log_down)?;
        let mut resident = Box::new(Resident::new(id, loaded.execution, loaded.books, &revision));
        self.renew_heartbeats(&mut resident);
        Ok(Found::Here(resident))
    }

    /// After a restart each task gets one full heartbeat interval: beats cost no write, so the last ones are unknown.
    fn renew_heartbeats(&mut self, resident: &mut Resident) {
        let opened_ms = self.shared.opened_ms;
        let frames = resident.execution.frames.iter();
        let stale = frames.filter_map(|(id, frame)| Some((*id, Arc::new(renewed(frame, opened_ms)?))));
        let stale: Vec<_> = stale.collect();
        if let Some(witness) = &self.shared.witness {
            witness.renewed(resident.id, opened_ms, &mut self.open.batch);
        }
        for (id, frame) in stale {
            resident.execution.frames.insert(id, frame);
            resident.beaten.insert(id);
        }
        self.timers.set(resident.id, resident.execution.deadline_ms());
    }

    /// Timers that are due fire before anything else, so that a late outcome loses to its time-out.
    ///
    /// A step may end with more of them due; the history's bound ends this at the latest.
    fn pass_time(&mut self, resident: &mut Resident) {
        while resident.thinking.is_none() {
            let Some(due_ms) = resident.execution.deadline_ms() else { return };
            if due_ms > self.shared.timeline.now_ms() {
                return;
            }
            let next_event = resident.execution.header.next_event;
            self.turn(resident, Event::TimePassed, Then::Nobody);
            let moved = resident.execution.deadline_ms() != Some(due_ms);
            if !moved && resident.thinking.is_none() && resident.execution.header.next_event == next_event {
                if !resident.execution.is_ready() {
                    tracing::error!(arn = %resident.execution.identity.arn, "a timer that is due did not fire");
                    self.timers.set(resident.id, None);
                }
                return;
            }
        }
    }

    /// To an execution in memory, which may have ended in a batch that is not durable yet.
    pub(super) fn deliver(&mut self, resident: &mut Resident, errand: Errand, under_way: UnderWay) {
        self.pass_time(resident);
        if resident.thinking.is_some() {
            resident.waiting.push_front((errand, under_way));
            return;
        }
        if let Errand::Redrive { token, to } = errand {
            return self.redrive(resident, token, to);
        }
        if !resident.execution.is_running() {
            return self.tell_ended(&resident.execution, errand);
        }
        match errand {
            Errand::Redrive { .. } => {}
            Errand::Start(start) => self.repeated(resident, *start),
            Errand::Stop { failure, to } => self.turn(resident, Event::Stopped(failure), Then::Stopper(to)),
            Errand::Answer { token, outcome, to } => self.answer(resident, token, outcome, to),
            Errand::Heartbeat { token, to } => match check(&resident.execution, token) {
                Ok(()) => self.turn(resident, Event::TaskHeartbeat { task: token.task }, Then::Answerer(to)),
                Err(why) => self.open.replies.push(Reply::Token(to, Err(why))),
            },
            Errand::Take { offered, poller } => {
                let waits = |wait: &TaskWait| wait.task == offered.task && !wait.under_way;
                if !resident.execution.tasks().any(waits) {
                    return self.shared.activities.poll_again(poller);
                }
                if poller.to.is_closed() {
                    return self.shared.activities.offer_again(offered);
                }
                self.take(resident, offered.task, poller);
            }
            Errand::MapRunAsked { task, to } => {
                let order = resident.execution.map_run_request(&resident.program, task);
                // Without an answer the actor gives up; its mark stays.
                if let Ok(order) = order.map(|request| self.order(resident, request)).transpose() {
                    self.open.replies.push(Reply::MapRun(to, order));
                }
            }
            Errand::MapRunEnded { task, redrives, outcome, to } => {
                self.turn(resident, Event::MapRunEnded { task, redrives, outcome }, Then::MapRun(to));
            }
            Errand::Run { task } => {
                let request = resident.execution.task_request(&resident.program, task).filter(|request| {
                    let absent = request.absent();
                    absent.is_empty() || self.fill_payloads(resident.id, &absent).is_ok()
                });
                self.shared.tasks.requested(resident.id, task, request);
            }
            Errand::Returned { task, outcome } => {
                self.turn(resident, Event::TaskReturned { task, outcome }, Then::Nobody);
            }
            Errand::Orphaned { task, activity_arn } => {
                // As if a worker had answered so: nothing else ends a task of an activity.
                let cause = format!("The activity {activity_arn} does not exist.");
                let outcome = TaskOutcome::Failed(Failure::new("States.Runtime", cause));
                self.turn(resident, Event::TaskAnswered { task, outcome }, Then::Nobody);
            }
        }
    }

    /// Gives a task that no worker has to one. The worker gets it when that is durable.
    pub(super) fn take(&mut self, resident: &mut Resident, task: TaskId, poller: Poller) {
        let wait = resident.execution.tasks().find(|wait| wait.task == task && !wait.under_way);
        let Some(input) = wait.map(|wait| wait.input.clone()) else {
            return self.shared.activities.poll_again(poller);
        };
        if input.is_absent() && self.fill_payloads(resident.id, std::slice::from_ref(&input)).is_err() {
            drop(poller.to.send(Err(Unavailable::Down.into())));
            return;
        }
        let token = root::token(&resident.execution.identity, task);
        let event = Event::TaskStarted { task, worker: poller.worker.clone() };
        self.turn(resident, event, Then::Worker(poller, ActivityTask { token, input }));
    }

    fn answer(
        &mut self,
        resident: &mut Resident,
        token: Token,
        outcome: TaskOutcome,
        to: tokio::sync::oneshot::Sender<Result<(), TokenError>>,
    ) {
        match check(&resident.execution, token) {
            Ok(()) => self.turn(resident, Event::TaskAnswered { task: token.task, outcome }, Then::Answerer(to)),
            Err(why) => self.open.replies.push(Reply::Token(to, Err(why))),
        }
    }

    /// The same name again, while the execution runs: the same input answers the original.
    ///
    /// A start from the task that made the original answers it in any case.
    fn repeated(&mut self, resident: &Resident, start: Start) {
        let Starter::Caller(to) = start.to else { return self.tell_map_run(&resident.execution) };
        let is_own = start.origin == Some(resident.execution.identity.root);
        let answer = if is_own || resident.books.same_input(&start.input) {
            Ok(started(&resident.execution))
        } else {
            Err(StartExecutionError::AlreadyExists { arn: start.arn })
        };
        self.open.replies.push(Reply::Start(to, answer));
    }

    /// To an execution that has ended. What came too late changes nothing.
    fn tell_ended(&mut self, execution: &Execution, errand: Errand) {
        let reply = match errand {
            Errand::Start(start) => {
                let Start { arn, to, origin, .. } = *start;
                let Starter::Caller(to) = to else { return self.tell_map_run(execution) };
                let answer = match origin == Some(execution.identity.root) {
                    true => Ok(started(execution)),
                    false => Err(StartExecutionError::AlreadyExists { arn }),
                };
                Reply::Start(to, answer)
            }
            Errand::Stop { to, .. } => Reply::Stop(to, Ok(stop_ms(execution))),
            Errand::Answer { token, to, .. } | Errand::Heartbeat { token, to } => {
                Reply::Token(to, check(execution, token))
            }
            Errand::Take { poller, .. } => return self.shared.activities.poll_again(poller),
            Errand::Run { task } => {
                return self.shared.tasks.requested(ExecutionId::of(&execution.identity), task, None);
            }
            Errand::MapRunAsked { to, .. } => Reply::MapRun(to, None),
            Errand::MapRunEnded { to, .. } => Reply::Done(to),
            Errand::Returned { .. } | Errand::Orphaned { .. } | Errand::Redrive { .. } => return,
        };
        self.open.replies.push(reply);
    }

    fn tell_missing(&mut self, id: ExecutionId, errand: Errand) {
        let reply = match errand {
            Errand::Start(start) => return self.start(id, *start),
            Errand::Stop { to, .. } => Reply::Stop(to, Err(ExecutionError::DoesNotExist)),
            Errand::Redrive { to, .. } => Reply::Redrive(to, Err(RedriveError::DoesNotExist)),
            Errand::Answer { to, .. } | Errand::Heartbeat { to, .. } => Reply::Token(to, Err(TokenError::Invalid)),
            Errand::Take { poller, .. } => return self.shared.activities.poll_again(poller),
            Errand::Run { task } => return self.shared.tasks.requested(id, task, None),
            Errand::MapRunAsked { to, .. } => Reply::MapRun(to, None),
            Errand::MapRunEnded { to, .. } => Reply::Done(to),
            Errand::Returned { .. } | Errand::Orphaned { .. } => return,
        };
        self.open.replies.push(reply);
    }

    /// Its rows cannot be read, or its program not be compiled: the reason is logged, the execution waits for help.
    fn tell_unreadable(&mut self, id: ExecutionId, errand: Errand, why: Unavailable) {
        match errand {
            Errand::Start(start) => match (start.to, start.child) {
                (Starter::Caller(to), _) => drop(to.send(Err(why.into()))),
                // It will never end by itself: for its Map Run it has failed.
                (Starter::MapRun(_), Some(child)) => self.tell(child, ChildState::Ended(StatusName::Failed)),
                (Starter::MapRun(_), None) => {}
            },
            Errand::Stop { to, .. } => drop(to.send(Err(why.into()))),
            Errand::Redrive { to, .. } => drop(to.send(Err(why.into()))),
            Errand::Answer { to, .. } | Errand::Heartbeat { to, .. } => drop(to.send(Err(why.into()))),
            Errand::Take { poller, .. } => self.shared.activities.poll_again(poller),
            Errand::Run { task } => self.shared.tasks.requested(id, task, None),
            // Who asks waits until somebody has helped.
            Errand::MapRunAsked { .. } | Errand::MapRunEnded { .. } => {}
            Errand::Returned { .. } | Errand::Orphaned { .. } => {}
        }
    }

    /// A new execution.
    fn start(&mut self, id: ExecutionId, start: Start) {
        let Start { arn, name, revision, input, trace_header, qualifier, origin, test_case, child, to } = start;
        if revision.deleting.load(Ordering::SeqCst)
            && let Starter::Caller(to) = to
        {
            self.open.replies.push(Reply::Start(to, Err(StartExecutionError::StateMachineDeleting)));
            return;
        }
        let Some(root) = origin.or_else(drawn_root) else {
            if let Starter::Caller(to) = to {
                drop(to.send(Err(Unavailable::Down.into())));
            }
            return;
        };
        let machine = revision.machine;
        let (state_machine_arn, state_machine_name) = match &child {
            Some(child) => child_machine(&child.map_run_arn),
            None => (machine.arn.clone(), machine.name.clone()),
        };
        let execution = Execution::new(Arc::new(Identity {
            arn,
            name,
            state_machine_arn,
            state_machine_name,
            role_arn: machine.role_arn.clone(),
            region: machine.owner.region().clone(),
            id: id.0,
            root,
            start_ms: self.shared.timeline.now_ms(),
            input,
            test_case,
            workflow: stepwell_machine::Workflow::Standard,
            child,
            qualifier,
        }));
        let mut books = record::record_start(&execution, revision.key, trace_header);
        if let Starter::MapRun(Some(token)) = &to {
            books.note_redrive(token, execution.identity.start_ms);
        }
        let mut resident = Box::new(Resident::new(id, execution, books, &machine));
        let then = match to {
            Starter::Caller(to) => Then::Starter(to),
            Starter::MapRun(_) => Then::Nobody,
        };
        self.turn(&mut resident, Event::Started, then);
        self.residents.put(resident);
    }

    fn order(&self, resident: &Resident, request: MapRunRequest) -> Result<Box<Order>, Unavailable> {
        let absent = request.absent();
        if !absent.is_empty() && self.fill_payloads(resident.id, &absent).is_err() {
            return Err(Unavailable::Down);
        }
        let key = resident.books.revision;
        let machine = self.shared.registry.revision(key).map_err(log_down)?;
        let child_arn_prefix = request.child_arn_prefix();
        let revision = Revision { key, machine, deleting: Arc::default() };
        Ok(Box::new(Order { request, revision, child_arn_prefix }))
    }

    /// Tells the Map Run of a child execution how that is.
    fn tell_map_run(&mut self, execution: &Execution) {
        if let Some(child) = &execution.identity.child {
            self.tell(child.clone(), ChildState::of(&execution.header.status));
        }
    }

    pub(super) fn tell(&mut self, child: Arc<Child>, state: ChildState) {
        self.open.replies.push(Reply::Child { map_runs: self.shared.map_runs.clone(), child, state });
    }
}

/// ARN and name of the labelled state machine of a Map Run's child executions.
fn child_machine(map_run_arn: &str) -> (Arc<str>, Arc<str>) {
    let labelled = map_run_arn.rsplit_once(':').map_or(map_run_arn, |(labelled, _)| labelled);
    let name = labelled.rsplit_once(':').map_or(labelled, |(_, name)| name);
    (labelled.replacen(":mapRun:", ":stateMachine:", 1).into(), name.into())
}

/// A secret of its own, for an execution that no task starts.
fn drawn_root() -> Option<root::Root> {
    let mut secret = [0; 32];
    match getrandom::fill(&mut secret) {
        Ok(()) => Some(root::Root(secret)),
        Err(error) => {
            tracing::error!(error = error.to_string(), "the system gives no random numbers");
            None
        }
    }
}

/// True tokens of tasks that are still waited for; anything else by what is wrong with it.
fn check(execution: &Execution, token: Token) -> Result<(), TokenError> {
    let expected = execution.identity.root.token_secret(token.task);
    // All bytes are looked at, so that the time tells nothing about where they differ.
    let difference = expected.iter().zip(token.secret).fold(0, |sum, (a, b)| sum | (a ^ b));
    match difference {
        0 if execution.awaits(token.task) => Ok(()),
        0 => Err(TokenError::TaskTimedOut),
        _ => Err(TokenError::Invalid),
    }
}
