//! History events as GetExecutionHistory shows them.
//!
//! Source: API model (`HistoryEvent`) and recorded histories: which events have no details object at all, and which
//! keep an empty one.

use stepwell_expr::Payload;
use stepwell_machine::{
    Failure, HistoryEvent,
    history::{Assigned, Detail, ServiceResource},
    state::StateType,
};

use crate::writer::Writer;

/// Which payloads are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    /// All of them: none may be absent.
    All,
    /// Those that came with the events; of the others it is said that they were left out (`truncated`). Ours.
    Here,
    /// None is read: texts and their details are left out.
    None,
    /// No texts; the details say so. Of log lines only.
    Truncated,
}

/// Writes one event.
pub(crate) fn write(event: &mut Writer, of: &HistoryEvent, data: Data) {
    event.timestamp("timestamp", of.timestamp_ms);
    event.string("type", type_name(&of.detail));
    event.number("id", of.id);
    event.number("previousEventId", of.previous);
    if let Some(member) = details_name(&of.detail) {
        event.member_object(member, |details| write_details(details, &of.detail, data));
    }
}

pub(crate) fn type_name(detail: &Detail) -> &'static str {
    match detail {
        Detail::ExecutionStarted { .. } => "ExecutionStarted",
        Detail::ExecutionSucceeded { .. } => "ExecutionSucceeded",
        Detail::ExecutionFailed(_) => "ExecutionFailed",
        Detail::ExecutionAborted(_) => "ExecutionAborted",
        Detail::ExecutionTimedOut(_) => "ExecutionTimedOut",
        Detail::ExecutionRedriven { .. } => "ExecutionRedriven",
        Detail::StateEntered { kind, .. } => match kind {
            StateType::Task => "TaskStateEntered",
            StateType::Wait => "WaitStateEntered",
            StateType::Pass => "PassStateEntered",
            StateType::Succeed => "SucceedStateEntered",
            StateType::Fail => "FailStateEntered",
            StateType::Choice => "ChoiceStateEntered",
            StateType::Parallel => "ParallelStateEntered",
            StateType::Map => "MapStateEntered",
        },
        Detail::StateExited { kind, .. } => match kind {
            StateType::Task => "TaskStateExited",
            StateType::Wait => "WaitStateExited",
            StateType::Pass => "PassStateExited",
            StateType::Succeed => "SucceedStateExited",
            // A Fail state is never exited; there is no such type.
            StateType::Fail => "FailStateExited",
            StateType::Choice => "ChoiceStateExited",
            StateType::Parallel => "ParallelStateExited",
            StateType::Map => "MapStateExited",
        },
        Detail::LambdaFunctionScheduled { .. } => "LambdaFunctionScheduled",
        Detail::LambdaFunctionStarted => "LambdaFunctionStarted",
        Detail::LambdaFunctionSucceeded { .. } => "LambdaFunctionSucceeded",
        Detail::LambdaFunctionFailed(_) => "LambdaFunctionFailed",
        Detail::LambdaFunctionTimedOut(_) => "LambdaFunctionTimedOut",
        Detail::ActivityScheduled { .. } => "ActivityScheduled",
        Detail::ActivityStarted { .. } => "ActivityStarted",
        Detail::ActivitySucceeded { .. } => "ActivitySucceeded",
        Detail::ActivityFailed(_) => "ActivityFailed",
        Detail::ActivityTimedOut(_) => "ActivityTimedOut",
        Detail::TaskScheduled { .. } => "TaskScheduled",
        Detail::TaskStarted { .. } => "TaskStarted",
        Detail::TaskSubmitted { .. } => "TaskSubmitted",
        Detail::TaskSucceeded { .. } => "TaskSucceeded",
        Detail::TaskFailed { .. } => "TaskFailed",
        Detail::TaskTimedOut { .. } => "TaskTimedOut",
        Detail::TaskStateAborted => "TaskStateAborted",
        Detail::WaitStateAborted => "WaitStateAborted",
        Detail::ParallelStateStarted => "ParallelStateStarted",
        Detail::ParallelStateSucceeded => "ParallelStateSucceeded",
        Detail::ParallelStateFailed => "ParallelStateFailed",
        Detail::ParallelStateAborted => "ParallelStateAborted",
        Detail::MapStateStarted { .. } => "MapStateStarted",
        Detail::MapStateSucceeded => "MapStateSucceeded",
        Detail::MapStateFailed => "MapStateFailed",
        Detail::MapStateAborted => "MapStateAborted",
        Detail::MapIterationStarted { .. } => "MapIterationStarted",
        Detail::MapIterationSucceeded { .. } => "MapIterationSucceeded",
        Detail::MapIterationFailed { .. } => "MapIterationFailed",
        Detail::MapIterationAborted { .. } => "MapIterationAborted",
        Detail::MapRunStarted { .. } => "MapRunStarted",
        Detail::MapRunSucceeded => "MapRunSucceeded",
        Detail::MapRunFailed(_) => "MapRunFailed",
        Detail::MapRunAborted => "MapRunAborted",
        Detail::MapRunRedriven { .. } => "MapRunRedriven",
        Detail::EvaluationFailed { .. } => "EvaluationFailed",
    }
}

/// The member that holds the details; `None` for the types that have none.
fn details_name(detail: &Detail) -> Option<&'static str> {
    Some(match detail {
        Detail::ExecutionStarted { .. } => "executionStartedEventDetails",
        Detail::ExecutionSucceeded { .. } => "executionSucceededEventDetails",
        Detail::ExecutionFailed(_) => "executionFailedEventDetails",
        Detail::ExecutionAborted(_) => "executionAbortedEventDetails",
        Detail::ExecutionTimedOut(_) => "executionTimedOutEventDetails",
        Detail::ExecutionRedriven { .. } => "executionRedrivenEventDetails",
        Detail::StateEntered { .. } => "stateEnteredEventDetails",
        Detail::StateExited { .. } => "stateExitedEventDetails",
        Detail::LambdaFunctionScheduled { .. } => "lambdaFunctionScheduledEventDetails",
        Detail::LambdaFunctionSucceeded { .. } => "lambdaFunctionSucceededEventDetails",
        Detail::LambdaFunctionFailed(_) => "lambdaFunctionFailedEventDetails",
        Detail::LambdaFunctionTimedOut(_) => "lambdaFunctionTimedOutEventDetails",
        Detail::ActivityScheduled { .. } => "activityScheduledEventDetails",
        Detail::ActivityStarted { .. } => "activityStartedEventDetails",
        Detail::ActivitySucceeded { .. } => "activitySucceededEventDetails",
        Detail::ActivityFailed(_) => "activityFailedEventDetails",
        Detail::ActivityTimedOut(_) => "activityTimedOutEventDetails",
        Detail::TaskScheduled { .. } => "taskScheduledEventDetails",
        Detail::TaskStarted { .. } => "taskStartedEventDetails",
        Detail::TaskSubmitted { .. } => "taskSubmittedEventDetails",
        Detail::TaskSucceeded { .. } => "taskSucceededEventDetails",
        Detail::TaskFailed { .. } => "taskFailedEventDetails",
        Detail::TaskTimedOut { .. } => "taskTimedOutEventDetails",
        Detail::MapStateStarted { .. } => "mapStateStartedEventDetails",
        Detail::MapIterationStarted { .. } => "mapIterationStartedEventDetails",
        Detail::MapIterationSucceeded { .. } => "mapIterationSucceededEventDetails",
        Detail::MapIterationFailed { .. } => "mapIterationFailedEventDetails",
        Detail::MapIterationAborted { .. } => "mapIterationAbortedEventDetails",
        Detail::MapRunStarted { .. } => "mapRunStartedEventDetails",
        Detail::MapRunFailed(_) => "mapRunFailedEventDetails",
        Detail::MapRunRedriven { .. } => "mapRunRedrivenEventDetails",
        Detail::EvaluationFailed { .. } => "evaluationFailedEventDetails",
        Detail::LambdaFunctionStarted
        | Detail::TaskStateAborted
        | Detail::WaitStateAborted
        | Detail::ParallelStateStarted
        | Detail::ParallelStateSucceeded
        | Detail::ParallelStateFailed
        | Detail::ParallelStateAborted
        | Detail::MapStateSucceeded
        | Detail::MapStateFailed
        | Detail::MapStateAborted
        | Detail::MapRunSucceeded
        | Detail::MapRunAborted => return None,
    })
}

/// Writes the members of the details object.
pub(crate) fn write_details(writer: &mut Writer, detail: &Detail, data: Data) {
    let mut details = Details { writer, data };
    match detail {
        Detail::ExecutionStarted { input, role_arn, version_arn, alias_arn } => {
            details.input(input);
            details.writer.string("roleArn", role_arn);
            details.writer.optional_string("stateMachineAliasArn", alias_arn.as_deref());
            details.writer.optional_string("stateMachineVersionArn", version_arn.as_deref());
        }
        Detail::StateEntered { name, input, .. } => {
            details.writer.string("name", name);
            details.input(input);
        }
        Detail::StateExited { name, output, assigned, .. } => {
            details.writer.string("name", name);
            details.output(output);
            details.assigned(assigned);
        }
        Detail::ExecutionSucceeded { output }
        | Detail::LambdaFunctionSucceeded { output }
        | Detail::ActivitySucceeded { output } => details.output(output),
        Detail::ExecutionFailed(failure)
        | Detail::ExecutionAborted(failure)
        | Detail::ExecutionTimedOut(failure)
        | Detail::LambdaFunctionFailed(failure)
        | Detail::LambdaFunctionTimedOut(failure)
        | Detail::ActivityFailed(failure)
        | Detail::ActivityTimedOut(failure)
        | Detail::MapRunFailed(failure) => details.failure(failure),
        Detail::LambdaFunctionScheduled { resource, input, timeout_seconds, credentials_role } => {
            details.writer.string("resource", resource);
            details.input(input);
            details.limits(*timeout_seconds, None);
            details.credentials(credentials_role.as_deref());
        }
        Detail::ActivityScheduled { resource, input, timeout_seconds, heartbeat_seconds } => {
            details.writer.string("resource", resource);
            details.input(input);
            details.limits(*timeout_seconds, *heartbeat_seconds);
        }
        Detail::ActivityStarted { worker } => details.writer.optional_string("workerName", worker.as_deref()),
        Detail::TaskScheduled {
            resource,
            region,
            parameters,
            timeout_seconds,
            heartbeat_seconds,
            credentials_role,
        } => {
            details.resource(resource);
            details.writer.string("region", region);
            details.payload("parameters", parameters);
            details.limits(*timeout_seconds, *heartbeat_seconds);
            details.credentials(credentials_role.as_deref());
        }
        Detail::TaskStarted { resource } => details.resource(resource),
        Detail::TaskSubmitted { resource, output } | Detail::TaskSucceeded { resource, output } => {
            details.resource(resource);
            details.output(output);
        }
        Detail::TaskFailed { resource, failure } | Detail::TaskTimedOut { resource, failure } => {
            details.resource(resource);
            details.failure(failure);
        }
        Detail::ExecutionRedriven { count } => details.writer.number("redriveCount", *count),
        Detail::MapRunStarted { arn } => details.writer.string("mapRunArn", arn),
        Detail::MapRunRedriven { arn, count } => {
            details.writer.string("mapRunArn", arn);
            details.writer.number("redriveCount", *count);
        }
        Detail::MapStateStarted { length } => details.writer.number("length", *length),
        Detail::MapIterationStarted { name, index }
        | Detail::MapIterationSucceeded { name, index }
        | Detail::MapIterationFailed { name, index }
        | Detail::MapIterationAborted { name, index } => {
            details.writer.string("name", name);
            details.writer.number("index", *index);
        }
        Detail::EvaluationFailed { failure, location, state } => {
            details.failure(failure);
            details.writer.optional_string("location", location.as_deref());
            details.writer.string("state", state);
        }
        Detail::LambdaFunctionStarted
        | Detail::TaskStateAborted
        | Detail::WaitStateAborted
        | Detail::ParallelStateStarted
        | Detail::ParallelStateSucceeded
        | Detail::ParallelStateFailed
        | Detail::ParallelStateAborted
        | Detail::MapStateSucceeded
        | Detail::MapStateFailed
        | Detail::MapStateAborted
        | Detail::MapRunSucceeded
        | Detail::MapRunAborted => {}
    }
}

/// A details object that is being written.
struct Details<'w> {
    writer: &'w mut Writer,
    data: Data,
}

impl Details<'_> {
    fn shows(&self, payload: &Payload) -> bool {
        match self.data {
            Data::All => true,
            Data::Here => !payload.is_absent(),
            Data::None | Data::Truncated => false,
        }
    }

    fn payload(&mut self, name: &str, payload: &Payload) {
        if self.shows(payload) {
            self.writer.string(name, payload.text());
        }
    }

    fn input(&mut self, payload: &Payload) {
        self.payload("input", payload);
        self.truncated("inputDetails", !self.shows(payload));
    }

    fn output(&mut self, payload: &Payload) {
        self.payload("output", payload);
        self.truncated("outputDetails", !self.shows(payload));
    }

    /// On AWS only log lines are ever truncated.
    fn truncated(&mut self, name: &str, truncated: bool) {
        if self.data != Data::None {
            self.writer.member_object(name, |details| details.bool("truncated", truncated));
        }
    }

    fn assigned(&mut self, assigned: &Assigned) {
        if assigned.is_empty() || self.data == Data::None {
            return;
        }
        let shown: Vec<_> = assigned.iter().filter(|(_, value)| self.shows(value)).collect();
        if !shown.is_empty() {
            self.writer.member_object("assignedVariables", |variables| {
                for (name, value) in &shown {
                    variables.named_string(name, value.text());
                }
            });
        }
        self.truncated("assignedVariablesDetails", shown.len() < assigned.iter().count());
    }

    fn failure(&mut self, failure: &Failure) {
        self.writer.optional_string("error", failure.error.as_deref());
        self.writer.optional_string("cause", failure.cause.as_deref());
    }

    fn resource(&mut self, resource: &ServiceResource) {
        self.writer.string("resourceType", &resource.kind);
        self.writer.string("resource", &resource.action);
    }

    fn limits(&mut self, timeout_seconds: Option<u64>, heartbeat_seconds: Option<u64>) {
        if let Some(seconds) = timeout_seconds {
            self.writer.number("timeoutInSeconds", seconds);
        }
        if let Some(seconds) = heartbeat_seconds {
            self.writer.number("heartbeatInSeconds", seconds);
        }
    }

    fn credentials(&mut self, role: Option<&str>) {
        if let Some(role) = role {
            self.writer.member_object("taskCredentials", |credentials| credentials.string("roleArn", role));
        }
    }
}

#[cfg(test)]
mod tests;
