//! What the user sees through GetExecutionHistory.

use std::sync::Arc;

use stepwell_expr::Payload;

use crate::{failure::Failure, state::StateType};

/// From 1 without gaps; 0 stands for "no event" in [`HistoryEvent::previous`].
pub type EventId = u64;

#[derive(Clone, Debug)]
pub struct HistoryEvent {
    pub id: EventId,
    pub previous: EventId,
    /// Milliseconds since 1970 in UTC.
    pub timestamp_ms: i64,
    pub detail: Detail,
}

/// The event's type with its details. Source: the API model's `HistoryEvent`.
#[derive(Clone, Debug)]
pub enum Detail {
    ExecutionStarted {
        input: Payload,
        role_arn: Arc<str>,
        /// The version that it was started through, and the alias that chose it.
        version_arn: Option<Arc<str>>,
        alias_arn: Option<Arc<str>>,
    },
    ExecutionSucceeded {
        output: Payload,
    },
    ExecutionFailed(Failure),
    ExecutionAborted(Failure),
    ExecutionTimedOut(Failure),
    ExecutionRedriven {
        /// Redrives so far, this one included.
        count: u64,
    },

    StateEntered {
        kind: StateType,
        name: Arc<str>,
        input: Payload,
    },
    StateExited {
        kind: StateType,
        name: Arc<str>,
        output: Payload,
        assigned: Assigned,
    },

    LambdaFunctionScheduled {
        resource: Arc<str>,
        input: Payload,
        timeout_seconds: Option<u64>,
        credentials_role: Option<Arc<str>>,
    },
    LambdaFunctionStarted,
    LambdaFunctionSucceeded {
        output: Payload,
    },
    LambdaFunctionFailed(Failure),
    LambdaFunctionTimedOut(Failure),

    ActivityScheduled {
        resource: Arc<str>,
        input: Payload,
        timeout_seconds: Option<u64>,
        heartbeat_seconds: Option<u64>,
    },
    ActivityStarted {
        worker: Option<Arc<str>>,
    },
    ActivitySucceeded {
        output: Payload,
    },
    ActivityFailed(Failure),
    ActivityTimedOut(Failure),

    TaskScheduled {
        resource: ServiceResource,
        region: Arc<str>,
        parameters: Payload,
        timeout_seconds: Option<u64>,
        heartbeat_seconds: Option<u64>,
        credentials_role: Option<Arc<str>>,
    },
    TaskStarted {
        resource: ServiceResource,
    },
    TaskSubmitted {
        resource: ServiceResource,
        output: Payload,
    },
    TaskSucceeded {
        resource: ServiceResource,
        output: Payload,
    },
    TaskFailed {
        resource: ServiceResource,
        failure: Failure,
    },
    TaskTimedOut {
        resource: ServiceResource,
        failure: Failure,
    },
    TaskStateAborted,

    WaitStateAborted,

    ParallelStateStarted,
    ParallelStateSucceeded,
    ParallelStateFailed,
    ParallelStateAborted,

    MapStateStarted {
        length: u64,
    },
    MapStateSucceeded,
    MapStateFailed,
    MapStateAborted,
    MapIterationStarted {
        name: Arc<str>,
        index: u64,
    },
    MapIterationSucceeded {
        name: Arc<str>,
        index: u64,
    },
    MapIterationFailed {
        name: Arc<str>,
        index: u64,
    },
    MapIterationAborted {
        name: Arc<str>,
        index: u64,
    },

    MapRunStarted {
        arn: Arc<str>,
    },
    MapRunSucceeded,
    MapRunFailed(Failure),
    MapRunAborted,
    MapRunRedriven {
        arn: Arc<str>,
        /// Redrives so far, this one included.
        count: u64,
    },

    EvaluationFailed {
        failure: Failure,
        location: Option<Arc<str>>,
        state: Arc<str>,
    },
}

/// Variables that a state assigned, by name; empty if it assigned none.
pub type Assigned = Arc<[(Arc<str>, Payload)]>;

/// `resourceType` and `resource` of the Task events, e.g. `lambda` and `invoke.waitForTaskToken`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceResource {
    pub kind: Arc<str>,
    pub action: Arc<str>,
}

impl Detail {
    /// Visits every payload of the event, e.g. to weigh them.
    pub fn for_each_payload(&self, visit: &mut dyn FnMut(&Payload)) {
        match self {
            Detail::ExecutionStarted { input, .. }
            | Detail::StateEntered { input, .. }
            | Detail::LambdaFunctionScheduled { input, .. }
            | Detail::ActivityScheduled { input, .. }
            | Detail::TaskScheduled { parameters: input, .. } => visit(input),
            Detail::ExecutionSucceeded { output }
            | Detail::LambdaFunctionSucceeded { output }
            | Detail::ActivitySucceeded { output }
            | Detail::TaskSubmitted { output, .. }
            | Detail::TaskSucceeded { output, .. } => visit(output),
            Detail::StateExited { output, assigned, .. } => {
                visit(output);
                assigned.iter().for_each(|(_, value)| visit(value));
            }
            Detail::ExecutionFailed(_)
            | Detail::ExecutionAborted(_)
            | Detail::ExecutionTimedOut(_)
            | Detail::ExecutionRedriven { .. }
            | Detail::LambdaFunctionStarted
            | Detail::LambdaFunctionFailed(_)
            | Detail::LambdaFunctionTimedOut(_)
            | Detail::ActivityStarted { .. }
            | Detail::ActivityFailed(_)
            | Detail::ActivityTimedOut(_)
            | Detail::TaskStarted { .. }
            | Detail::TaskFailed { .. }
            | Detail::TaskTimedOut { .. }
            | Detail::TaskStateAborted
            | Detail::WaitStateAborted
            | Detail::ParallelStateStarted
            | Detail::ParallelStateSucceeded
            | Detail::ParallelStateFailed
            | Detail::ParallelStateAborted
            | Detail::MapStateStarted { .. }
            | Detail::MapStateSucceeded
            | Detail::MapStateFailed
            | Detail::MapStateAborted
            | Detail::MapIterationStarted { .. }
            | Detail::MapIterationSucceeded { .. }
            | Detail::MapIterationFailed { .. }
            | Detail::MapIterationAborted { .. }
            | Detail::MapRunStarted { .. }
            | Detail::MapRunSucceeded
            | Detail::MapRunFailed(_)
            | Detail::MapRunAborted
            | Detail::MapRunRedriven { .. }
            | Detail::EvaluationFailed { .. } => {}
        }
    }
}
