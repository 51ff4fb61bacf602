//! What a Task's `Resource` names, and which integrations there are.

use std::sync::Arc;

use crate::{program::ServicePattern, state::task::Resource};

/// Why a text is no resource; the texts are AWS's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResourceError {
    #[error("Value is not a valid resource ARN")]
    NotAnArn,
    #[error(
        "The resource provided {0} is not recognized. The value is not a valid resource ARN, or the resource is not \
         available in this region."
    )]
    NotRecognized(String),
}

const RR: &[ServicePattern] = &[ServicePattern::RequestResponse];
const RR_SYNC: &[ServicePattern] = &[ServicePattern::RequestResponse, ServicePattern::Sync];
const RR_TOKEN: &[ServicePattern] = &[ServicePattern::RequestResponse, ServicePattern::WaitForTaskToken];
const RR_SYNC_TOKEN: &[ServicePattern] =
    &[ServicePattern::RequestResponse, ServicePattern::Sync, ServicePattern::WaitForTaskToken];
const ALL: &[ServicePattern] =
    &[ServicePattern::RequestResponse, ServicePattern::Sync, ServicePattern::Sync2, ServicePattern::WaitForTaskToken];

/// The optimised integrations: service, actions, the patterns of all those actions.
///
/// Source: Step Functions guide, "Integrating services".
const OPTIMISED: &[(&str, &[&str], &[ServicePattern])] = &[
    ("apigateway", &["invoke"], RR_TOKEN),
    ("athena", &["startQueryExecution"], RR_SYNC),
    ("athena", &["stopQueryExecution", "getQueryExecution", "getQueryResults"], RR),
    ("batch", &["submitJob"], RR_SYNC_TOKEN),
    ("bedrock", &["invokeModel"], RR_TOKEN),
    ("bedrock", &["createModelCustomizationJob"], RR_SYNC),
    ("codebuild", &["startBuild", "startBuildBatch", "retryBuildBatch"], RR_SYNC),
    ("codebuild", &["stopBuild", "stopBuildBatch", "batchDeleteBuilds", "deleteBuildBatch", "batchGetReports"], RR),
    ("databrew", &["startJobRun"], RR_SYNC_TOKEN),
    ("dynamodb", &["getItem", "putItem", "updateItem", "deleteItem"], RR),
    ("ecs", &["runTask"], RR_SYNC_TOKEN),
    (
        "eks",
        &[
            "createCluster",
            "deleteCluster",
            "createNodegroup",
            "deleteNodegroup",
            "createFargateProfile",
            "deleteFargateProfile",
            "runJob",
        ],
        RR_SYNC_TOKEN,
    ),
    ("eks", &["call"], RR_TOKEN),
    ("elasticmapreduce", &["createCluster", "terminateCluster", "addStep"], RR_SYNC_TOKEN),
    (
        "elasticmapreduce",
        &["setClusterTerminationProtection", "cancelStep", "modifyInstanceFleetByName", "modifyInstanceGroupByName"],
        RR_TOKEN,
    ),
    ("emr-containers", &["createVirtualCluster"], RR_TOKEN),
    ("emr-containers", &["deleteVirtualCluster", "startJobRun"], RR_SYNC_TOKEN),
    (
        "emr-serverless",
        &[
            "createApplication",
            "startApplication",
            "stopApplication",
            "deleteApplication",
            "startJobRun",
            "cancelJobRun",
        ],
        RR_SYNC_TOKEN,
    ),
    ("events", &["putEvents"], RR_TOKEN),
    ("glue", &["startJobRun"], RR_SYNC_TOKEN),
    ("http", &["invoke"], RR),
    ("lambda", &["invoke"], RR_TOKEN),
    ("mediaconvert", &["createJob"], RR_SYNC),
    (
        "sagemaker",
        &[
            "createTrainingJob",
            "createTransformJob",
            "createHyperParameterTuningJob",
            "createLabelingJob",
            "createProcessingJob",
        ],
        RR_SYNC,
    ),
    ("sagemaker", &["createEndpoint", "createEndpointConfig", "createModel", "updateEndpoint"], RR),
    ("sns", &["publish"], RR_TOKEN),
    ("sqs", &["sendMessage"], RR_TOKEN),
    ("states", &["startExecution"], ALL),
];

impl Resource {
    /// Reads a `Resource`.
    ///
    /// Lambda functions and activities are known by the form of their ARN; of AWS SDK integrations any service and
    /// action with plausible names are taken, which [`Resource::sdk_action`] tells for a closer look.
    pub fn parse(text: &str) -> Result<Resource, ResourceError> {
        let unknown = || ResourceError::NotRecognized(crate::definition::compiler::shown(text).to_string());
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, service, region, account, resource] = parts[..] else {
            return Err(ResourceError::NotAnArn);
        };
        if partition.is_empty() || resource.is_empty() {
            return Err(ResourceError::NotAnArn);
        }
        match service {
            "states" if region.is_empty() && account.is_empty() => integration(resource).ok_or_else(unknown),
            "states" => match resource.strip_prefix("activity:") {
                Some(name) if !name.is_empty() => Ok(Resource::Activity { arn: text.into() }),
                _ => Err(unknown()),
            },
            "lambda" => match resource.strip_prefix("function:") {
                Some(name) if !name.is_empty() && name.split(':').count() <= 2 => {
                    Ok(Resource::LambdaFunction { arn: text.into() })
                }
                _ => Err(unknown()),
            },
            _ => Err(unknown()),
        }
    }
}

impl Resource {
    /// Service and action of an AWS SDK integration.
    pub(crate) fn sdk_action(&self) -> Option<(&str, &str)> {
        match self {
            Resource::Service { service, action, .. } => Some((service.strip_prefix("aws-sdk:")?, action)),
            Resource::Activity { .. } | Resource::LambdaFunction { .. } => None,
        }
    }
}

/// `SERVICE:ACTION[.PATTERN]` or `aws-sdk:SERVICE:ACTION[.waitForTaskToken]`.
fn integration(resource: &str) -> Option<Resource> {
    let (service, action) = match resource.strip_prefix("aws-sdk:") {
        Some(sdk) => {
            let (service, action) = sdk.split_once(':')?;
            (resource.get(.."aws-sdk:".len() + service.len())?, action)
        }
        None => resource.split_once(':')?,
    };
    let (action, pattern) = match action.split_once('.') {
        None => (action, ServicePattern::RequestResponse),
        Some((action, "sync")) => (action, ServicePattern::Sync),
        Some((action, "sync:2")) => (action, ServicePattern::Sync2),
        Some((action, "waitForTaskToken")) => (action, ServicePattern::WaitForTaskToken),
        Some(_) => return None,
    };
    let known = match service.strip_prefix("aws-sdk:") {
        Some(service) => is_sdk_service(service) && is_sdk_action(action) && RR_TOKEN.contains(&pattern),
        None => OPTIMISED.iter().any(|(name, actions, patterns)| {
            *name == service && actions.contains(&action) && patterns.contains(&pattern)
        }),
    };
    known.then(|| Resource::Service { service: Arc::from(service), action: Arc::from(action), pattern })
}

/// Lower-case letters and digits, as the SDK for Java names its clients.
fn is_sdk_service(name: &str) -> bool {
    name.starts_with(|char: char| char.is_ascii_lowercase())
        && name.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit())
}

/// An API's name with a small first letter.
fn is_sdk_action(name: &str) -> bool {
    name.starts_with(|char: char| char.is_ascii_lowercase()) && name.chars().all(|char| char.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_told_apart() {
        let service = |service: &str, action: &str, pattern| {
            Ok(Resource::Service { service: service.into(), action: action.into(), pattern })
        };
        let unknown = |text: &str| Err(ResourceError::NotRecognized(text.to_string()));
        let cases = [
            ("arn:aws:states:::lambda:invoke", service("lambda", "invoke", ServicePattern::RequestResponse)),
            (
                "arn:aws-cn:states:::sqs:sendMessage.waitForTaskToken",
                service("sqs", "sendMessage", ServicePattern::WaitForTaskToken),
            ),
            ("arn:aws:states:::states:startExecution.sync", service("states", "startExecution", ServicePattern::Sync)),
            (
                "arn:aws:states:::states:startExecution.sync:2",
                service("states", "startExecution", ServicePattern::Sync2),
            ),
            (
                "arn:aws:states:::aws-sdk:s3:getObject",
                service("aws-sdk:s3", "getObject", ServicePattern::RequestResponse),
            ),
            ("arn:aws:states:::dynamodb:query", unknown("arn:aws:states:::dynamodb:query")),
            ("arn:aws:states:::ecs:runTask.sync:2", unknown("arn:aws:states:::ecs:runTask.sync:2")),
            ("arn:aws:states:::sqs:sendMessage.sync", unknown("arn:aws:states:::sqs:sendMessage.sync")),
            ("arn:aws:states:::aws-sdk:S3:getObject", unknown("arn:aws:states:::aws-sdk:S3:getObject")),
            ("arn:aws:states:::aws-sdk:s3:GetObject", unknown("arn:aws:states:::aws-sdk:s3:GetObject")),
            ("arn:aws:states:::aws-sdk:s3:getObject.sync", unknown("arn:aws:states:::aws-sdk:s3:getObject.sync")),
            ("arn:aws:states:::lambda", unknown("arn:aws:states:::lambda")),
            ("arn:aws:s3:::bucket", unknown("arn:aws:s3:::bucket")),
            ("lambda", Err(ResourceError::NotAnArn)),
            ("", Err(ResourceError::NotAnArn)),
        ];
        for (text, expected) in cases {
            assert_eq!(Resource::parse(text), expected, "{text}");
        }
        for arn in [
            "arn:aws:lambda:us-east-1:123456789012:function:f",
            "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST",
        ] {
            assert_eq!(Resource::parse(arn), Ok(Resource::LambdaFunction { arn: arn.into() }));
        }
        let arn = "arn:aws:states:us-east-1:123456789012:activity:a";
        assert_eq!(Resource::parse(arn), Ok(Resource::Activity { arn: arn.into() }));
    }
}
