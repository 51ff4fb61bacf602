//! Optimised integrations that are one call of a service: which call, which parameters, which names in errors.
//!
//! Source: Step Functions guide, "Integrating optimized services", and recordings.

use std::sync::Arc;

use bytes::Bytes;
use stepwell_expr::{Payload, Value};
use stepwell_machine::Failure;

use crate::{
    Work,
    aws::{
        Aws, CallError, Reply,
        node::{ParameterError, Spelling, only_known},
    },
    failure::{Names, of_optimised},
    metadata,
};

/// One action of an optimised integration.
pub(crate) struct Action {
    /// As in `arn:aws:states:::SERVICE:ACTION`.
    pub(crate) service: &'static str,
    pub(crate) action: &'static str,
    /// The service and the action that are called.
    pub(crate) calls: (&'static str, &'static str),
    pub(crate) names: &'static Names,
    /// The parameters that are taken; empty: all of the API's.
    pub(crate) fields: &'static [&'static str],
    /// What makes a submit that is repeated after a crash the same one.
    pub(crate) idempotence: Idempotence,
}

/// How a service knows that a submit was made before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Idempotence {
    /// A token member, which the client fills with the task's own.
    Token,
    /// The name that the parameters give it: a second one is refused.
    Name,
    /// It may happen twice after a crash.
    None,
}

const SQS: Names = Names { prefix: "SQS", service: "AmazonSQS", base: "AmazonSQSException" };
const SNS: Names = Names { prefix: "SNS", service: "AmazonSNS", base: "AmazonSNSException" };
const DYNAMODB: Names = Names { prefix: "DynamoDB", service: "AmazonDynamoDBv2", base: "AmazonDynamoDBException" };
const EVENTS: Names = Names { prefix: "EventBridge", service: "AmazonEventBridge", base: "AmazonEventBridgeException" };
const ECS: Names = Names { prefix: "ECS", service: "AmazonECS", base: "AmazonECSException" };
const BATCH: Names = Names { prefix: "Batch", service: "AWSBatch", base: "AWSBatchException" };
const GLUE: Names = Names { prefix: "Glue", service: "AWSGlue", base: "AWSGlueException" };
const CODEBUILD: Names = Names { prefix: "CodeBuild", service: "AWSCodeBuild", base: "AWSCodeBuildException" };
const ATHENA: Names = Names { prefix: "Athena", service: "AmazonAthena", base: "AmazonAthenaException" };
const EMR: Names =
    Names { prefix: "ElasticMapReduce", service: "AmazonElasticMapReduce", base: "AmazonElasticMapReduceException" };
const EMR_CONTAINERS: Names =
    Names { prefix: "EMRContainers", service: "AmazonEMRContainers", base: "AmazonEMRContainersException" };
const EMR_SERVERLESS: Names =
    Names { prefix: "EMRServerless", service: "AWSEMRServerless", base: "AWSEMRServerlessException" };
const EKS: Names = Names { prefix: "EKS", service: "AmazonEKS", base: "AmazonEKSException" };
const SAGEMAKER: Names = Names { prefix: "SageMaker", service: "AmazonSageMaker", base: "AmazonSageMakerException" };
const BEDROCK: Names = Names { prefix: "Bedrock", service: "AmazonBedrock", base: "AmazonBedrockException" };
const DATABREW: Names = Names { prefix: "DataBrew", service: "AWSGlueDataBrew", base: "AWSGlueDataBrewException" };
const MEDIACONVERT: Names =
    Names { prefix: "MediaConvert", service: "AWSMediaConvert", base: "AWSMediaConvertException" };

const ALL: &[&str] = &[];
/// Members that are sent as texts and take any JSON. Source: Step Functions guide and recordings.
const ANY_JSON: &[&str] = &["MessageBody", "Message", "Detail"];

const fn action(
    service: &'static str,
    action: &'static str,
    calls: (&'static str, &'static str),
    names: &'static Names,
    fields: &'static [&'static str],
    idempotence: Idempotence,
) -> Action {
    Action { service, action, calls, names, fields, idempotence }
}

use Idempotence::{Name, None as Twice, Token};

const ACTIONS: &[Action] = &[
    action(
        "sqs",
        "sendMessage",
        ("sqs", "sendMessage"),
        &SQS,
        &["QueueUrl", "MessageBody", "DelaySeconds", "MessageAttributes", "MessageDeduplicationId", "MessageGroupId"],
        Twice,
    ),
    action(
        "sns",
        "publish",
        ("sns", "publish"),
        &SNS,
        &[
            "TopicArn",
            "TargetArn",
            "PhoneNumber",
            "Message",
            "MessageAttributes",
            "MessageStructure",
            "Subject",
            "MessageDeduplicationId",
            "MessageGroupId",
        ],
        Twice,
    ),
    action(
        "dynamodb",
        "getItem",
        ("dynamodb", "getItem"),
        &DYNAMODB,
        &[
            "TableName",
            "Key",
            "AttributesToGet",
            "ConsistentRead",
            "ExpressionAttributeNames",
            "ProjectionExpression",
            "ReturnConsumedCapacity",
        ],
        Twice,
    ),
    action("dynamodb", "putItem", ("dynamodb", "putItem"), &DYNAMODB, ALL, Twice),
    action("dynamodb", "updateItem", ("dynamodb", "updateItem"), &DYNAMODB, ALL, Twice),
    action("dynamodb", "deleteItem", ("dynamodb", "deleteItem"), &DYNAMODB, ALL, Twice),
    action("events", "putEvents", ("eventbridge", "putEvents"), &EVENTS, &["Entries"], Twice),
    action("ecs", "runTask", ("ecs", "runTask"), &ECS, ALL, Token),
    action("batch", "submitJob", ("batch", "submitJob"), &BATCH, ALL, Twice),
    action("glue", "startJobRun", ("glue", "startJobRun"), &GLUE, ALL, Twice),
    action("codebuild", "startBuild", ("codebuild", "startBuild"), &CODEBUILD, ALL, Token),
    action("codebuild", "startBuildBatch", ("codebuild", "startBuildBatch"), &CODEBUILD, ALL, Token),
    action("codebuild", "retryBuildBatch", ("codebuild", "retryBuildBatch"), &CODEBUILD, ALL, Token),
    action("codebuild", "stopBuild", ("codebuild", "stopBuild"), &CODEBUILD, ALL, Twice),
    action("codebuild", "stopBuildBatch", ("codebuild", "stopBuildBatch"), &CODEBUILD, ALL, Twice),
    action("codebuild", "batchDeleteBuilds", ("codebuild", "batchDeleteBuilds"), &CODEBUILD, ALL, Twice),
    action("codebuild", "deleteBuildBatch", ("codebuild", "deleteBuildBatch"), &CODEBUILD, ALL, Twice),
    action("codebuild", "batchGetReports", ("codebuild", "batchGetReports"), &CODEBUILD, ALL, Twice),
    action("athena", "startQueryExecution", ("athena", "startQueryExecution"), &ATHENA, ALL, Token),
    action("athena", "stopQueryExecution", ("athena", "stopQueryExecution"), &ATHENA, ALL, Twice),
    action("athena", "getQueryExecution", ("athena", "getQueryExecution"), &ATHENA, ALL, Twice),
    action("athena", "getQueryResults", ("athena", "getQueryResults"), &ATHENA, ALL, Twice),
    action("elasticmapreduce", "createCluster", ("emr", "runJobFlow"), &EMR, ALL, Twice),
    action("elasticmapreduce", "terminateCluster", ("emr", "terminateJobFlows"), &EMR, ALL, Twice),
    action("elasticmapreduce", "addStep", ("emr", "addJobFlowSteps"), &EMR, ALL, Twice),
    action("elasticmapreduce", "cancelStep", ("emr", "cancelSteps"), &EMR, ALL, Twice),
    action(
        "elasticmapreduce",
        "setClusterTerminationProtection",
        ("emr", "setTerminationProtection"),
        &EMR,
        ALL,
        Twice,
    ),
    action(
        "elasticmapreduce",
        "modifyInstanceFleetByName",
        ("emr", "modifyInstanceFleet"),
        &EMR,
        &["ClusterId", "InstanceFleetName", "InstanceFleet"],
        Name,
    ),
    action(
        "elasticmapreduce",
        "modifyInstanceGroupByName",
        ("emr", "modifyInstanceGroups"),
        &EMR,
        &["ClusterId", "InstanceGroupName", "InstanceGroup"],
        Name,
    ),
    action(
        "emr-containers",
        "createVirtualCluster",
        ("emrcontainers", "createVirtualCluster"),
        &EMR_CONTAINERS,
        ALL,
        Token,
    ),
    action(
        "emr-containers",
        "deleteVirtualCluster",
        ("emrcontainers", "deleteVirtualCluster"),
        &EMR_CONTAINERS,
        ALL,
        Name,
    ),
    action("emr-containers", "startJobRun", ("emrcontainers", "startJobRun"), &EMR_CONTAINERS, ALL, Token),
    action("emr-serverless", "createApplication", ("emrserverless", "createApplication"), &EMR_SERVERLESS, ALL, Token),
    action("emr-serverless", "startApplication", ("emrserverless", "startApplication"), &EMR_SERVERLESS, ALL, Name),
    action("emr-serverless", "stopApplication", ("emrserverless", "stopApplication"), &EMR_SERVERLESS, ALL, Name),
    action("emr-serverless", "deleteApplication", ("emrserverless", "deleteApplication"), &EMR_SERVERLESS, ALL, Name),
    action("emr-serverless", "startJobRun", ("emrserverless", "startJobRun"), &EMR_SERVERLESS, ALL, Token),
    action("emr-serverless", "cancelJobRun", ("emrserverless", "cancelJobRun"), &EMR_SERVERLESS, ALL, Name),
    action("eks", "createCluster", ("eks", "createCluster"), &EKS, ALL, Token),
    action("eks", "deleteCluster", ("eks", "deleteCluster"), &EKS, ALL, Name),
    action("eks", "createNodegroup", ("eks", "createNodegroup"), &EKS, ALL, Token),
    action("eks", "deleteNodegroup", ("eks", "deleteNodegroup"), &EKS, ALL, Name),
    action("eks", "createFargateProfile", ("eks", "createFargateProfile"), &EKS, ALL, Token),
    action("eks", "deleteFargateProfile", ("eks", "deleteFargateProfile"), &EKS, ALL, Name),
    action("sagemaker", "createTrainingJob", ("sagemaker", "createTrainingJob"), &SAGEMAKER, ALL, Name),
    action("sagemaker", "createTransformJob", ("sagemaker", "createTransformJob"), &SAGEMAKER, ALL, Name),
    action(
        "sagemaker",
        "createHyperParameterTuningJob",
        ("sagemaker", "createHyperParameterTuningJob"),
        &SAGEMAKER,
        ALL,
        Name,
    ),
    action("sagemaker", "createLabelingJob", ("sagemaker", "createLabelingJob"), &SAGEMAKER, ALL, Name),
    action("sagemaker", "createProcessingJob", ("sagemaker", "createProcessingJob"), &SAGEMAKER, ALL, Name),
    action("sagemaker", "createEndpoint", ("sagemaker", "createEndpoint"), &SAGEMAKER, ALL, Name),
    action("sagemaker", "createEndpointConfig", ("sagemaker", "createEndpointConfig"), &SAGEMAKER, ALL, Name),
    action("sagemaker", "createModel", ("sagemaker", "createModel"), &SAGEMAKER, ALL, Name),
    action("sagemaker", "updateEndpoint", ("sagemaker", "updateEndpoint"), &SAGEMAKER, ALL, Name),
    action("bedrock", "createModelCustomizationJob", ("bedrock", "createModelCustomizationJob"), &BEDROCK, ALL, Token),
    action("bedrock", "invokeModel", ("bedrockruntime", "invokeModel"), &BEDROCK, ALL, Twice),
    action("databrew", "startJobRun", ("databrew", "startJobRun"), &DATABREW, &["Name"], Twice),
    action("mediaconvert", "createJob", ("mediaconvert", "createJob"), &MEDIACONVERT, ALL, Token),
];

/// The optimised actions, besides Lambda and API Gateway, whose call may happen twice if the server is killed between
/// the call and its answer: their services cannot tell that it is the same one.
pub fn repeatable_actions() -> impl Iterator<Item = (&'static str, &'static str)> {
    ACTIONS
        .iter()
        .filter(|action| action.idempotence == Idempotence::None)
        .map(|action| (action.service, action.action))
}

impl Action {
    /// `None`: it has a file of its own, or is not here.
    pub(crate) fn of(service: &str, action: &str) -> Option<&'static Action> {
        ACTIONS.iter().find(|known| known.service == service && known.action == action)
    }

    /// Makes the call; the result carries the SDK's metadata.
    pub(crate) async fn run(&self, work: &Work<'_>) -> Result<Payload, Failure> {
        let given = self.given(work)?;
        let parameters = self.parameters(work, given);
        let reply = self.call(work, &parameters).await?;
        self.output(work, given, &reply)
    }

    /// The task's parameters, if all of them are known.
    pub(crate) fn given<'a>(&self, work: &'a Work<'_>) -> Result<&'a Value, Failure> {
        let given = work.parameters().value();
        self.known(given).map_err(|error| self.failure(work, &error.into()))?;
        Ok(given)
    }

    fn known(&self, given: &Value) -> Result<(), ParameterError> {
        if self.fields.is_empty() { Ok(()) } else { only_known(given, self.fields) }
    }

    /// What is wrong with parameters, as far as it is seen without a call. Those of calls that have another form than the
    /// service's are looked at when the task runs.
    pub(crate) fn problem(&self, aws: &Aws, given: &Value) -> Option<ParameterError> {
        let is_own = matches!(self.service, "elasticmapreduce" | "bedrock" | "eks");
        let (service, action) = self.calls;
        let by_model = || {
            let problem = aws.problem(service, action, given);
            problem.or_else(|| aws.no_text(service, action, given, ANY_JSON))
        };
        self.known(given).err().or_else(|| if is_own { None } else { by_model() })
    }

    pub(crate) async fn call(&self, work: &Work<'_>, parameters: &Value) -> Result<Reply, Failure> {
        let (service, action) = self.calls;
        self.call_other(work, service, action, parameters, None).await
    }

    /// A call that this action needs besides its own; `body`: its bytes, where they are to be sent as they are.
    pub(crate) async fn call_other(
        &self,
        work: &Work<'_>,
        service: &str,
        action: &str,
        parameters: &Value,
        body: Option<Bytes>,
    ) -> Result<Reply, Failure> {
        let (aws, caller) = (work.aws(), work.caller());
        let reply = aws.call_with_body(&caller, service, action, parameters, Spelling::Api, body).await;
        reply.map_err(|error| self.failure(work, &error))
    }

    pub(crate) fn failure(&self, work: &Work<'_>, error: &CallError) -> Failure {
        of_optimised(self.names, error, work.parameters().text(), work.execution_role())
    }

    /// The parameters of the call, where they are not those that were given.
    fn parameters(&self, work: &Work<'_>, given: &Value) -> Value {
        let get = |name: &str| given.get(name).cloned().unwrap_or_default();
        match (self.service, self.action) {
            ("events", "putEvents") => with_resources(work, given),
            // Source: recordings.
            ("ecs", "runTask") => with(given, &[("StartedBy", "AWS Step Functions".into())]),
            ("codebuild", "startBuild" | "startBuildBatch" | "retryBuildBatch")
                if given.get("IdempotencyToken").is_none() =>
            {
                with(given, &[("IdempotencyToken", Value::String(work.caller().token))])
            }
            ("elasticmapreduce", "terminateCluster") => {
                Value::object([("JobFlowIds", Value::array(vec![get("ClusterId")]))])
            }
            ("elasticmapreduce", "setClusterTerminationProtection") => Value::object([
                ("JobFlowIds", Value::array(vec![get("ClusterId")])),
                ("TerminationProtected", get("TerminationProtected")),
            ]),
            ("elasticmapreduce", "addStep") => Value::object([
                ("JobFlowId", get("ClusterId")),
                ("Steps", Value::array(vec![get("Step")])),
                ("ExecutionRoleArn", get("ExecutionRoleArn")),
            ]),
            ("elasticmapreduce", "cancelStep") => {
                Value::object([("ClusterId", get("ClusterId")), ("StepIds", Value::array(vec![get("StepId")]))])
            }
            _ => given.clone(),
        }
    }

    /// The task's result, where it is not the service's.
    pub(crate) fn output(&self, work: &Work<'_>, given: &Value, reply: &Reply) -> Result<Payload, Failure> {
        let result = &reply.result;
        let first =
            |name: &str| result.get(name).and_then(|list| list.as_array()?.first().cloned()).unwrap_or_default();
        let result = match (self.service, self.action) {
            ("events", "putEvents") => return put_events_output(result),
            ("bedrock", "invokeModel") => parsed_body(result),
            ("ecs", "runTask") if work.is_job() && first("Tasks").is_null() => {
                // Source: Step Functions guide; with one of these patterns nothing that was started is a failure.
                return Err(Failure::new("AmazonECS.Unknown", result.to_string()));
            }
            ("glue", "startJobRun") => with(result, &[("JobName", given.get("JobName").cloned().unwrap_or_default())]),
            ("elasticmapreduce", "createCluster") => {
                Value::object([("ClusterId", result.get("JobFlowId").cloned().unwrap_or_default())])
            }
            ("elasticmapreduce", "terminateCluster") => {
                Value::object([("ClusterId", given.get("ClusterId").cloned().unwrap_or_default())])
            }
            ("elasticmapreduce", "addStep") => Value::object([("StepId", first("StepIds"))]),
            ("elasticmapreduce", "cancelStep") => Value::object([("CancelStepsInfo", first("CancelStepsInfoList"))]),
            _ => result.clone(),
        };
        let mut output = result.as_object().cloned().unwrap_or_default();
        metadata::add(&mut output, &reply.answer);
        output.sort_unstable_keys();
        Ok(Payload::from_value(Value::Object(Arc::new(output))))
    }
}

/// An object with further members.
pub(crate) fn with(object: &Value, members: &[(&'static str, Value)]) -> Value {
    let mut object = object.as_object().cloned().unwrap_or_default();
    for (name, value) in members {
        object.insert(Arc::from(*name), value.clone());
    }
    Value::Object(object.into())
}

/// An object without some of its members.
pub(crate) fn without(object: &Value, members: &[&str]) -> Value {
    let mut object = object.as_object().cloned().unwrap_or_default();
    for name in members {
        object.shift_remove(*name);
    }
    Value::Object(object.into())
}

/// Each entry also names the state machine and the execution. Source: recordings.
fn with_resources(work: &Work<'_>, given: &Value) -> Value {
    let entries = given.get("Entries").and_then(Value::as_array).unwrap_or_default();
    let entries = entries.iter().map(|entry| {
        let given = entry.get("Resources").and_then(Value::as_array).unwrap_or_default().iter().cloned();
        let own = [&work.request.state_machine_arn, &work.request.execution_arn].map(|arn| Value::String(arn.clone()));
        match entry.as_object() {
            Some(_) => with(entry, &[("Resources", Value::array(given.chain(own).collect()))]),
            None => entry.clone(),
        }
    });
    match given.get("Entries") {
        Some(Value::Array(_)) => with(given, &[("Entries", Value::array(entries.collect()))]),
        _ => given.clone(),
    }
}

/// Without metadata; an entry that failed is a failure. Source: recordings.
fn put_events_output(result: &Value) -> Result<Payload, Failure> {
    match result.get("FailedEntryCount").and_then(Value::as_i64) {
        None | Some(0) => Ok(Payload::from_value(result.clone())),
        Some(_) => Err(Failure::new("EventBridge.FailedEntry", result.to_string())),
    }
}

/// A model's answer: its body as JSON.
fn parsed_body(result: &Value) -> Value {
    let body = result.get("Body").and_then(Value::as_str);
    match body.and_then(|text| stepwell_expr::json::parse(text).ok()) {
        Some(body) => with(result, &[("Body", body)]),
        None => result.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::catalogue::Catalogue;

    /// Every action of the table exists in the models, where this build has them.
    #[test]
    fn every_action_can_be_called() {
        let catalogue = Catalogue::embedded();
        if !catalogue.is_present() {
            return;
        }
        for Action { calls: (service, action), .. } in ACTIONS {
            assert!(catalogue.knows(service, action), "{service}:{action}");
        }
    }

    #[test]
    fn an_entry_that_failed_fails_the_task() {
        let result = Value::object([("FailedEntryCount", Value::from(1))]);
        let failure = put_events_output(&result).unwrap_err();
        assert_eq!(failure.error.as_deref(), Some("EventBridge.FailedEntry"));
        assert_eq!(failure.cause.as_deref(), Some("{\"FailedEntryCount\":1}"));
    }
}
