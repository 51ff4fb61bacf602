//! Which action a request asks for, and who answers it.

use std::{path::PathBuf, sync::Arc};

use stepwell_engine::{Engine, Owner};
use stepwell_expr::Value;
use stepwell_machine::root::Root;
use tokio::sync::watch;

use crate::{error::Error, fields::Fields, scope::Scope};

mod create_activity;
mod create_state_machine;
mod create_state_machine_alias;
mod delete_activity;
mod delete_state_machine;
mod delete_state_machine_alias;
mod delete_state_machine_version;
mod describe_activity;
mod describe_execution;
mod describe_map_run;
mod describe_state_machine;
mod describe_state_machine_alias;
mod describe_state_machine_for_execution;
mod get_activity_task;
mod get_execution_history;
mod list_activities;
mod list_executions;
mod list_map_runs;
mod list_state_machine_aliases;
mod list_state_machine_versions;
mod list_state_machines;
mod list_tags_for_resource;
mod publish_state_machine_version;
mod redrive_execution;
mod send_task_failure;
mod send_task_heartbeat;
mod send_task_success;
mod start_execution;
mod start_sync_execution;
mod stop_execution;
mod tag_resource;
mod test_state;
mod untag_resource;
mod update_map_run;
mod update_state_machine;
mod update_state_machine_alias;
mod validate_state_machine_definition;

pub(crate) use self::{
    describe_execution::{redrive_status, status_name as status_text, stop_ms},
    list_executions::write_listed,
    send_task_failure::refusal as send_task_refusal,
    start_sync_execution::write as write_express,
};

/// What comes before the action's name in the header `X-Amz-Target`.
const TARGET_PREFIX: &str = "AWSStepFunctions.";

/// The actions of AWS Step Functions. Source: API model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    CreateActivity,
    CreateStateMachine,
    CreateStateMachineAlias,
    DeleteActivity,
    DeleteStateMachine,
    DeleteStateMachineAlias,
    DeleteStateMachineVersion,
    DescribeActivity,
    DescribeExecution,
    DescribeMapRun,
    DescribeStateMachine,
    DescribeStateMachineAlias,
    DescribeStateMachineForExecution,
    GetActivityTask,
    GetExecutionHistory,
    ListActivities,
    ListExecutions,
    ListMapRuns,
    ListStateMachineAliases,
    ListStateMachineVersions,
    ListStateMachines,
    ListTagsForResource,
    PublishStateMachineVersion,
    RedriveExecution,
    SendTaskFailure,
    SendTaskHeartbeat,
    SendTaskSuccess,
    StartExecution,
    StartSyncExecution,
    StopExecution,
    TagResource,
    TestState,
    UntagResource,
    UpdateMapRun,
    UpdateStateMachine,
    UpdateStateMachineAlias,
    ValidateStateMachineDefinition,
}

/// One call of an action.
pub(crate) struct Request<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) scope: Scope<'a>,
    pub(crate) body: &'a Value,
    /// The header `X-Amzn-Trace-Id`, if it would do as a `traceHeader`.
    pub(crate) trace_header: Option<Arc<str>>,
    /// Of a call that a task makes.
    pub(crate) origin: Option<Root>,
    /// Becomes true when the server stops: calls that wait then answer at once.
    pub(crate) stopping: watch::Receiver<bool>,
    /// The mock configuration file, if there is one.
    pub(crate) mocks: Option<&'a Arc<PathBuf>>,
    /// CloudWatch Logs is asked whether the log group of a state machine is there.
    pub(crate) asks_for_log_groups: bool,
    /// The data of the server are encrypted.
    pub(crate) encrypts: bool,
}

impl<'a> Request<'a> {
    /// Whose what it makes, or lists, is.
    pub(crate) fn owner(&self) -> Owner {
        self.engine.owner_of(self.scope.region, self.scope.account)
    }

    pub(crate) fn fields(&self) -> Result<Fields<'a>, Error> {
        Ok(Fields::of(self.body)?.with_payloads(self.engine.quotas().limits.payload_bytes))
    }
}

impl Action {
    const ALL: [Action; 37] = [
        Action::CreateActivity,
        Action::CreateStateMachine,
        Action::CreateStateMachineAlias,
        Action::DeleteActivity,
        Action::DeleteStateMachine,
        Action::DeleteStateMachineAlias,
        Action::DeleteStateMachineVersion,
        Action::DescribeActivity,
        Action::DescribeExecution,
        Action::DescribeMapRun,
        Action::DescribeStateMachine,
        Action::DescribeStateMachineAlias,
        Action::DescribeStateMachineForExecution,
        Action::GetActivityTask,
        Action::GetExecutionHistory,
        Action::ListActivities,
        Action::ListExecutions,
        Action::ListMapRuns,
        Action::ListStateMachineAliases,
        Action::ListStateMachineVersions,
        Action::ListStateMachines,
        Action::ListTagsForResource,
        Action::PublishStateMachineVersion,
        Action::RedriveExecution,
        Action::SendTaskFailure,
        Action::SendTaskHeartbeat,
        Action::SendTaskSuccess,
        Action::StartExecution,
        Action::StartSyncExecution,
        Action::StopExecution,
        Action::TagResource,
        Action::TestState,
        Action::UntagResource,
        Action::UpdateMapRun,
        Action::UpdateStateMachine,
        Action::UpdateStateMachineAlias,
        Action::ValidateStateMachineDefinition,
    ];

    pub(crate) fn of_target(target: &str) -> Result<Action, Error> {
        let action = target.strip_prefix(TARGET_PREFIX).and_then(Action::named);
        action.ok_or_else(|| Error::UnknownOperation { target: target.to_string() })
    }

    pub(crate) fn named(name: &str) -> Option<Action> {
        Action::ALL.into_iter().find(|action| action.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Action::CreateActivity => "CreateActivity",
            Action::CreateStateMachine => "CreateStateMachine",
            Action::CreateStateMachineAlias => "CreateStateMachineAlias",
            Action::DeleteActivity => "DeleteActivity",
            Action::DeleteStateMachine => "DeleteStateMachine",
            Action::DeleteStateMachineAlias => "DeleteStateMachineAlias",
            Action::DeleteStateMachineVersion => "DeleteStateMachineVersion",
            Action::DescribeActivity => "DescribeActivity",
            Action::DescribeExecution => "DescribeExecution",
            Action::DescribeMapRun => "DescribeMapRun",
            Action::DescribeStateMachine => "DescribeStateMachine",
            Action::DescribeStateMachineAlias => "DescribeStateMachineAlias",
            Action::DescribeStateMachineForExecution => "DescribeStateMachineForExecution",
            Action::GetActivityTask => "GetActivityTask",
            Action::GetExecutionHistory => "GetExecutionHistory",
            Action::ListActivities => "ListActivities",
            Action::ListExecutions => "ListExecutions",
            Action::ListMapRuns => "ListMapRuns",
            Action::ListStateMachineAliases => "ListStateMachineAliases",
            Action::ListStateMachineVersions => "ListStateMachineVersions",
            Action::ListStateMachines => "ListStateMachines",
            Action::ListTagsForResource => "ListTagsForResource",
            Action::PublishStateMachineVersion => "PublishStateMachineVersion",
            Action::RedriveExecution => "RedriveExecution",
            Action::SendTaskFailure => "SendTaskFailure",
            Action::SendTaskHeartbeat => "SendTaskHeartbeat",
            Action::SendTaskSuccess => "SendTaskSuccess",
            Action::StartExecution => "StartExecution",
            Action::StartSyncExecution => "StartSyncExecution",
            Action::StopExecution => "StopExecution",
            Action::TagResource => "TagResource",
            Action::TestState => "TestState",
            Action::UntagResource => "UntagResource",
            Action::UpdateMapRun => "UpdateMapRun",
            Action::UpdateStateMachine => "UpdateStateMachine",
            Action::UpdateStateMachineAlias => "UpdateStateMachineAlias",
            Action::ValidateStateMachineDefinition => "ValidateStateMachineDefinition",
        }
    }

    /// The body of the answer, as JSON text.
    pub(crate) async fn answer(self, request: Request<'_>) -> Result<String, Error> {
        match self {
            Action::CreateActivity => create_activity::answer(request).await,
            Action::CreateStateMachine => create_state_machine::answer(request).await,
            Action::CreateStateMachineAlias => create_state_machine_alias::answer(request).await,
            Action::DeleteActivity => delete_activity::answer(request).await,
            Action::DeleteStateMachine => delete_state_machine::answer(request).await,
            Action::DeleteStateMachineAlias => delete_state_machine_alias::answer(request).await,
            Action::DeleteStateMachineVersion => delete_state_machine_version::answer(request).await,
            Action::DescribeActivity => describe_activity::answer(request).await,
            Action::DescribeExecution => describe_execution::answer(request).await,
            Action::DescribeMapRun => describe_map_run::answer(request).await,
            Action::DescribeStateMachine => describe_state_machine::answer(request).await,
            Action::DescribeStateMachineAlias => describe_state_machine_alias::answer(request).await,
            Action::DescribeStateMachineForExecution => describe_state_machine_for_execution::answer(request).await,
            Action::GetActivityTask => get_activity_task::answer(request).await,
            Action::GetExecutionHistory => get_execution_history::answer(request).await,
            Action::ListActivities => list_activities::answer(request).await,
            Action::ListExecutions => list_executions::answer(request).await,
            Action::ListMapRuns => list_map_runs::answer(request).await,
            Action::ListStateMachineAliases => list_state_machine_aliases::answer(request).await,
            Action::ListStateMachineVersions => list_state_machine_versions::answer(request).await,
            Action::ListStateMachines => list_state_machines::answer(request).await,
            Action::ListTagsForResource => list_tags_for_resource::answer(request).await,
            Action::PublishStateMachineVersion => publish_state_machine_version::answer(request).await,
            Action::RedriveExecution => redrive_execution::answer(request).await,
            Action::SendTaskFailure => send_task_failure::answer(request).await,
            Action::SendTaskHeartbeat => send_task_heartbeat::answer(request).await,
            Action::SendTaskSuccess => send_task_success::answer(request).await,
            Action::StartExecution => start_execution::answer(request).await,
            Action::StartSyncExecution => start_sync_execution::answer(request).await,
            Action::StopExecution => stop_execution::answer(request).await,
            Action::TagResource => tag_resource::answer(request).await,
            Action::TestState => test_state::answer(request).await,
            Action::UntagResource => untag_resource::answer(request).await,
            Action::UpdateMapRun => update_map_run::answer(request).await,
            Action::UpdateStateMachine => update_state_machine::answer(request).await,
            Action::UpdateStateMachineAlias => update_state_machine_alias::answer(request).await,
            Action::ValidateStateMachineDefinition => validate_state_machine_definition::answer(request).await,
        }
    }
}

/// The answer of actions that have nothing to say.
fn empty() -> String {
    "{}".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_found_by_its_name() {
        for action in Action::ALL {
            assert_eq!(Action::of_target(&format!("AWSStepFunctions.{}", action.name())), Ok(action));
        }
    }

    #[test]
    fn other_targets_are_unknown() {
        for target in
            ["", "CreateActivity", "AWSStepFunctions.", "AWSStepFunctions.createActivity", "AWSEvents.PutEvents"]
        {
            let error = Action::of_target(target).unwrap_err();
            assert_eq!((error.code(), error.status()), ("UnknownOperationException", 400));
        }
    }
}
