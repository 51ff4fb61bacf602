//! What goes into the machine.

use std::sync::Arc;

use stepwell_expr::Payload;

use crate::{effect::TaskOutcome, execution::TaskId, failure::Failure, limits::Limits, map_run::MapRunOutcome};

/// Something that happened outside. One that the execution no longer waits for changes nothing and is no error.
#[derive(Clone, Debug)]
pub enum Event {
    /// The execution begins: the first event of every execution.
    Started,
    /// The last step yielded with frames still ready.
    Continued,
    /// Time has passed: whatever is due at or before the moment's `now` fires, each stamped with its due time.
    TimePassed,
    /// A worker took an activity's task.
    TaskStarted { task: TaskId, worker: Option<Arc<str>> },
    /// The call that ran the task came back.
    TaskReturned { task: TaskId, outcome: TaskOutcome },
    /// SendTaskSuccess or SendTaskFailure with the task's token.
    TaskAnswered { task: TaskId, outcome: TaskOutcome },
    /// A Map Run has come to its end, after so many redrives of it.
    MapRunEnded { task: TaskId, redrives: u64, outcome: MapRunOutcome },
    /// SendTaskHeartbeat with the task's token.
    TaskHeartbeat { task: TaskId },
    /// StopExecution.
    Stopped(Failure),
    /// RedriveExecution: one that ended unsuccessfully goes on with what had not succeeded.
    Redriven,
}

/// What a step may know of the world: the time, which activities there are, and what is allowed here.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    /// Milliseconds since 1970 in UTC; never before the execution's last event.
    pub now_ms: i64,
    /// True if the activity of this ARN exists: a task of one that does not fails before it is scheduled.
    pub activity_exists: &'a dyn Fn(&str) -> bool,
    /// Why these parameters cannot be sent to `SERVICE`, `ACTION`; `None`: they can, or it is not known. A task with others
    /// fails before it is scheduled.
    pub parameters_problem: &'a dyn Fn(&str, &str, &Payload) -> Option<String>,
    pub limits: &'a Limits,
    /// States that may be run before the step yields, where somebody throttles; else [`u32::MAX`]. A step given 0 takes
    /// its event and yields.
    pub transitions_max: u32,
}
