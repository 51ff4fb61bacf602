//! Answers that wait for a commit.

use std::sync::Arc;

use stepwell_machine::Child;
use tokio::sync::oneshot::Sender;

use crate::{
    activities::Poller,
    handle::{
        ActivityTask, ExecutionError, RedriveError, StartExecutionError, StartedExecution, TokenError, Unavailable,
    },
    map_runs::{ChildState, Mail, MapRuns, Order},
    record::{Removal, StatusMark},
    status_changes::StatusChanges,
};

/// An answer and who waits for it. A caller that has gone away is no error.
pub(crate) enum Reply {
    Start(Sender<Result<StartedExecution, StartExecutionError>>, Result<StartedExecution, StartExecutionError>),
    Stop(Sender<Result<i64, ExecutionError>>, Result<i64, ExecutionError>),
    Redrive(Sender<Result<i64, RedriveError>>, Result<i64, RedriveError>),
    Token(Sender<Result<(), TokenError>>, Result<(), TokenError>),
    Task(Poller, ActivityTask),
    Removed(Sender<Result<Removal, Unavailable>>, Removal),
    Done(Sender<Result<(), Unavailable>>),
    /// What the actor of a Map Run is to do.
    MapRun(Sender<Option<Box<Order>>>, Option<Box<Order>>),
    /// What has become of a child execution, for the Map Run of it.
    Child {
        map_runs: Arc<MapRuns>,
        child: Arc<Child>,
        state: ChildState,
    },
    /// The status of an execution has changed, for whoever is told of it.
    Changed(Arc<StatusChanges>, StatusMark),
}

impl Reply {
    /// After the commit.
    pub(crate) fn send(self) {
        match self {
            Reply::Start(to, answer) => drop(to.send(answer)),
            Reply::Stop(to, answer) => drop(to.send(answer)),
            Reply::Redrive(to, answer) => drop(to.send(answer)),
            Reply::Token(to, answer) => drop(to.send(answer)),
            Reply::Task(poller, task) => drop(poller.to.send(Ok(Some(task)))),
            Reply::Removed(to, removal) => drop(to.send(Ok(removal))),
            Reply::Done(to) => drop(to.send(Ok(()))),
            Reply::MapRun(to, order) => drop(to.send(order)),
            // One whose Map Run has ended is told nothing.
            Reply::Child { map_runs, child, state } => {
                map_runs.tell(&child.map_run_arn, Mail::Child { index: child.index, items: child.items, state });
            }
            Reply::Changed(changes, mark) => changes.put(mark),
        }
    }

    /// Instead of the answer, when the commit failed.
    pub(crate) fn refuse(self, why: Unavailable) {
        match self {
            Reply::Start(to, _) => drop(to.send(Err(why.into()))),
            Reply::Stop(to, _) => drop(to.send(Err(why.into()))),
            Reply::Redrive(to, _) => drop(to.send(Err(why.into()))),
            Reply::Token(to, _) => drop(to.send(Err(why.into()))),
            Reply::Task(poller, _) => drop(poller.to.send(Err(why.into()))),
            Reply::Removed(to, _) => drop(to.send(Err(why))),
            Reply::Done(to) => drop(to.send(Err(why))),
            // Its actor ends with the engine; a change that is not durable is none.
            Reply::MapRun(..) | Reply::Child { .. } | Reply::Changed(..) => {}
        }
    }
}
