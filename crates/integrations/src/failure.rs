//! What a call that went wrong is called: `aws-sdk:` tasks speak as the SDK for Java 2 does, optimised ones as version 1.
//!
//! Source: recordings; where none shows a service, the SDKs' own names.

use stepwell_machine::Failure;

use crate::aws::{CallError, protocol::ServiceError};

/// The names of a service in the errors of its optimised integration.
pub(crate) struct Names {
    /// Before the dot: `DynamoDB`.
    pub(crate) prefix: &'static str,
    /// In the cause: `AmazonDynamoDBv2`.
    pub(crate) service: &'static str,
    /// The error of whatever the model does not name: `AmazonDynamoDBException`.
    pub(crate) base: &'static str,
}

/// Codes that any service may answer with and that no model names. Source: AWS's API references, "Common Errors".
pub(crate) const COMMON_CODES: &[&str] = &[
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InternalFailure",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "OptInRequired",
    "RequestExpired",
    "ServiceUnavailable",
    "ThrottlingException",
    "UnknownOperationException",
    "UnrecognizedClientException",
    "ValidationException",
];

const TASK_FAILED: &str = "States.TaskFailed";

/// Of an `aws-sdk:` task; `prefix` is the service's name in errors.
pub(crate) fn of_sdk(prefix: &str, error: &CallError, parameters: &str, execution_role: &str) -> Failure {
    match error {
        CallError::Service { error, exception } => {
            let name = exception.as_deref().map_or_else(|| format!("{prefix}Exception"), str::to_owned);
            Failure::new(format!("{prefix}.{name}"), sdk_cause(prefix, error))
        }
        CallError::Client(_) | CallError::NoCredentials | CallError::Unreadable => {
            Failure::new(format!("{prefix}.SdkClientException"), error.to_string())
        }
        _ => of_any(error, parameters, execution_role),
    }
}

/// Of a call that the server makes for itself: an error that the model does not name has the service's own name.
pub(crate) fn of_server(prefix: &str, error: &CallError, parameters: &str) -> Failure {
    match error {
        CallError::Service { error: ServiceError { code, .. }, exception: None } if !code.is_empty() => {
            Failure { error: Some(format!("{prefix}.{code}").into()), ..of_sdk(prefix, error, parameters, "") }
        }
        _ => of_sdk(prefix, error, parameters, ""),
    }
}

fn sdk_cause(prefix: &str, error: &ServiceError) -> String {
    let ServiceError { message, status, request_id, extended_request_id, .. } = error;
    let (message, request_id) = (message.as_deref().unwrap_or("null"), or_null(request_id));
    let extended = extended_request_id.as_ref().map(|id| format!(", Extended Request ID: {id}")).unwrap_or_default();
    // The newest recordings count attempts, those before November 2024 do not.
    format!(
        "{message} (Service: {prefix}, Status Code: {status}, Request ID: {request_id}{extended}) (SDK Attempt Count: 1)"
    )
}

/// Of an optimised integration.
pub(crate) fn of_optimised(names: &Names, error: &CallError, parameters: &str, execution_role: &str) -> Failure {
    let Names { prefix, base, .. } = names;
    match error {
        CallError::Service { error, exception } => {
            let name = exception.as_deref().unwrap_or(base);
            Failure::new(format!("{prefix}.{name}"), optimised_cause(names, error))
        }
        CallError::Client(_) | CallError::NoCredentials | CallError::Unreadable => {
            Failure::new(format!("{prefix}.SdkClientException"), error.to_string())
        }
        _ => of_any(error, parameters, execution_role),
    }
}

pub(crate) fn optimised_cause(names: &Names, error: &ServiceError) -> String {
    let ServiceError { code, message, status, request_id, .. } = error;
    let (message, request_id, code) = (message.as_deref().unwrap_or("null"), or_null(request_id), or_null(code));
    let service = names.service;
    format!(
        "{message} (Service: {service}; Status Code: {status}; Error Code: {code}; Request ID: {request_id}; Proxy: null)"
    )
}

/// What a service did not tell, as the SDKs for Java write it.
fn or_null(text: &str) -> &str {
    if text.is_empty() { "null" } else { text }
}

/// Of what has the same name everywhere.
pub(crate) fn of_any(error: &CallError, parameters: &str, execution_role: &str) -> Failure {
    match error {
        // Source: Step Functions guide and users' reports; there is no recording.
        CallError::Parameters(error) => Failure::new(
            "States.Runtime",
            format!("The Parameters '{parameters}' could not be used to start the Task: [{error}]"),
        ),
        CallError::Role { role, .. } => Failure::new(
            TASK_FAILED,
            format!("The role {execution_role} is not authorized to assume the task state's role, {role}."),
        ),
        CallError::Catalogue(error) => Failure::new("Stepwell.NotSupported", error.to_string()),
        error => Failure::new(TASK_FAILED, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DYNAMODB: Names = Names { prefix: "DynamoDB", service: "AmazonDynamoDBv2", base: "AmazonDynamoDBException" };

    fn refused(exception: Option<&str>) -> CallError {
        let error = ServiceError {
            code: "NoSuchKey".to_owned(),
            message: Some("The key.".to_owned()),
            status: 404,
            request_id: "r".to_owned(),
            extended_request_id: Some("x".to_owned()),
        };
        CallError::Service { error, exception: exception.map(Into::into) }
    }

    #[test]
    fn errors_are_named_as_the_sdks_name_them() {
        let failure = of_sdk("S3", &refused(Some("NoSuchKeyException")), "{}", "role");
        assert_eq!(failure.error.as_deref(), Some("S3.NoSuchKeyException"));
        let cause =
            "The key. (Service: S3, Status Code: 404, Request ID: r, Extended Request ID: x) (SDK Attempt Count: 1)";
        assert_eq!(failure.cause.as_deref(), Some(cause));
        let failure = of_sdk("DynamoDb", &refused(None), "{}", "role");
        assert_eq!(failure.error.as_deref(), Some("DynamoDb.DynamoDbException"));
        let failure = of_optimised(&DYNAMODB, &refused(None), "{}", "role");
        assert_eq!(failure.error.as_deref(), Some("DynamoDB.AmazonDynamoDBException"));
        let cause =
            "The key. (Service: AmazonDynamoDBv2; Status Code: 404; Error Code: NoSuchKey; Request ID: r; Proxy: null)";
        assert_eq!(failure.cause.as_deref(), Some(cause));
    }

    #[test]
    fn what_a_service_does_not_tell_is_null() {
        let error = ServiceError {
            code: String::new(),
            message: None,
            status: 500,
            request_id: String::new(),
            extended_request_id: None,
        };
        let cause =
            "null (Service: AmazonDynamoDBv2; Status Code: 500; Error Code: null; Request ID: null; Proxy: null)";
        assert_eq!(optimised_cause(&DYNAMODB, &error), cause);
        assert_eq!(
            sdk_cause("S3", &error),
            "null (Service: S3, Status Code: 500, Request ID: null) (SDK Attempt Count: 1)"
        );
    }

    #[test]
    fn a_role_that_cannot_be_assumed_is_named() {
        let error = CallError::Role { role: "r".into(), why: "secret reasons".to_owned() };
        let failure = of_optimised(&DYNAMODB, &error, "{}", "e");
        assert_eq!(failure.error.as_deref(), Some("States.TaskFailed"));
        let cause = "The role e is not authorized to assume the task state's role, r.";
        assert_eq!(failure.cause.as_deref(), Some(cause));
    }
}
