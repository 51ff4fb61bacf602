//! Every error that a caller can get, with AWS's code, HTTP status and sentence.
//!
//! Source of codes and sentences: API model and recorded answers. A sentence marked "ours" has no such source.

use std::sync::Arc;

use stepwell_engine::{NotRedrivable, Unavailable};
use stepwell_machine::{Diagnostic, Severity};

use crate::writer::Writer;

/// An error answer. [`std::fmt::Display`] is AWS's sentence.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum Error {
    // The request as HTTP. Sentences are ours.
    #[error("there is nothing at `{path}`: AWS JSON requests are sent to `/`")]
    PathNotFound { path: String },
    #[error("`{path}` takes {allowed} only, not {method}")]
    MethodNotAllowed { path: String, allowed: &'static str, method: String },
    #[error("the body of a request must not be larger than {limit} bytes")]
    RequestTooLarge { limit: usize },
    #[error("the body of the request did not come within {seconds} seconds")]
    RequestTimeout { seconds: u64 },
    #[error("the body of the request broke off")]
    RequestBrokenOff,
    #[error("refused: {0}")]
    Forbidden(&'static str),
    #[error("too many event streams are open: at most {limit}")]
    TooManyStreams { limit: usize },

    // The request as AWS JSON.
    #[error("unknown operation `{target}`")]
    UnknownOperation { target: String },
    #[error("{0}")]
    Serialization(String),
    #[error("{message}")]
    Validation { message: String, reason: Option<Reason> },
    /// It exists on AWS and not here yet. The code is no modelled one, so that no client takes it for one.
    #[error("stepwell does not support {0} yet")]
    Unsupported(&'static str),

    /// Source: AWS's answer to a wrong credential scope.
    #[error("Credential should be scoped to a valid region, not '{region}'.")]
    InvalidRegion { region: String },

    // The server as a whole.
    #[error("Rate exceeded")]
    Throttling,
    #[error("the service cannot take requests now: its store refuses writes or it is stopping")]
    ServiceUnavailable,
    /// A broken invariant of ours, which the log tells more of.
    #[error("the service failed to handle the request")]
    Internal,

    // Modelled.
    #[error("Activity Already Exists: '{0}'")]
    ActivityAlreadyExists(Arc<str>),
    #[error("Activity Does Not Exist: '{0}'")]
    ActivityDoesNotExist(Arc<str>),
    #[error("The maximum number of workers concurrently polling for activity tasks has been reached.")]
    ActivityWorkerLimitExceeded,
    /// The sentence is ours.
    #[error("The maximum number of activities has been reached.")]
    ActivityLimitExceeded,
    #[error("{0}")]
    Conflict(String),
    #[error("Execution Already Exists: '{0}'")]
    ExecutionAlreadyExists(Arc<str>),
    #[error("Execution Does Not Exist: '{0}'")]
    ExecutionDoesNotExist(Arc<str>),
    /// The sentence is ours.
    #[error("The maximum number of running executions has been reached.")]
    ExecutionLimitExceeded,
    /// The frame of the sentence is ours, the reason AWS's.
    #[error("Execution Not Redrivable: '{arn}'. {reason}")]
    ExecutionNotRedrivable { arn: Arc<str>, reason: NotRedrivable },
    #[error("Invalid Arn: '{0}'")]
    InvalidArn(String),
    #[error("Invalid State Machine Definition: '{0}'")]
    InvalidDefinition(String),
    /// TestState, of a state that it cannot run.
    #[error("{0}")]
    UntestableState(&'static str),
    #[error("Invalid Encryption Configuration: {0}")]
    InvalidEncryptionConfiguration(&'static str),
    #[error("Invalid State Machine Execution Input: '{0}'")]
    InvalidExecutionInput(String),
    #[error("Invalid Logging Configuration: {0}")]
    InvalidLoggingConfiguration(&'static str),
    #[error("Invalid Name: '{0}'")]
    InvalidName(Arc<str>),
    #[error("Invalid Output: '{0}'")]
    InvalidOutput(String),
    #[error("Invalid Token: 'Invalid token'")]
    InvalidToken,
    /// The sentence is ours.
    #[error("The KMS key may not be used: its policy, or the permissions of the caller, do not allow it.")]
    KmsAccessDenied,
    /// The sentence is ours.
    #[error("KMS throttles calls for the key.")]
    KmsThrottling,
    #[error("{0}")]
    MissingRequiredParameter(&'static str),
    /// What an alias or its routing configuration names is not there.
    #[error("Request references a resource that does not exist.")]
    ReferencedResourceNotFound(Arc<str>),
    #[error("Resource not found: '{0}'")]
    ResourceNotFound(Arc<str>),
    #[error("{0}")]
    ServiceQuotaExceeded(&'static str),
    #[error("State Machine Already Exists: '{0}'")]
    StateMachineAlreadyExists(Arc<str>),
    #[error("State Machine is being deleted: '{0}'")]
    StateMachineDeleting(Arc<str>),
    #[error("State Machine Does Not Exist: '{0}'")]
    StateMachineDoesNotExist(Arc<str>),
    /// The sentence is ours.
    #[error("The maximum number of state machines has been reached.")]
    StateMachineLimitExceeded,
    #[error("This operation is not supported by this type of state machine")]
    StateMachineTypeNotSupported,
    #[error("Task Timed Out: 'Provided task does not exist anymore'")]
    TaskTimedOut,
    #[error("Too many tags: a resource has at most {most} tags")]
    TooManyTags { resource: Option<Arc<str>>, most: usize },
}

/// The member `reason` of a `ValidationException`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    ApiDoesNotSupportLabeledArns,
    CannotUpdateCompletedMapRun,
    InvalidRoutingConfiguration,
    MissingRequiredParameter,
}

impl Reason {
    fn as_str(self) -> &'static str {
        match self {
            Reason::ApiDoesNotSupportLabeledArns => "API_DOES_NOT_SUPPORT_LABELED_ARNS",
            Reason::CannotUpdateCompletedMapRun => "CANNOT_UPDATE_COMPLETED_MAP_RUN",
            Reason::InvalidRoutingConfiguration => "INVALID_ROUTING_CONFIGURATION",
            Reason::MissingRequiredParameter => "MISSING_REQUIRED_PARAMETER",
        }
    }
}

impl Error {
    pub(crate) fn validation(message: impl Into<String>) -> Error {
        Error::Validation { message: message.into(), reason: None }
    }

    pub(crate) fn too_many_versions() -> Error {
        Error::ServiceQuotaExceeded("The maximum number of versions of the state machine has been reached.")
    }

    /// What CreateStateMachine and UpdateStateMachine answer to a definition with problems; warnings are none.
    pub(crate) fn invalid_definition(diagnostics: &[Diagnostic]) -> Error {
        let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
        Error::InvalidDefinition(errors.map(Diagnostic::to_string).collect::<Vec<_>>().join(", "))
    }

    /// The member `__type` of the answer.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Error::PathNotFound { .. } => "NotFoundException",
            Error::MethodNotAllowed { .. } => "MethodNotAllowedException",
            Error::RequestTooLarge { .. } => "RequestEntityTooLargeException",
            Error::RequestTimeout { .. } => "RequestTimeoutException",
            Error::Forbidden(_) => "AccessDeniedException",
            Error::UnknownOperation { .. } => "UnknownOperationException",
            Error::Serialization(_) | Error::RequestBrokenOff => "SerializationException",
            Error::Validation { .. } => "ValidationException",
            Error::InvalidRegion { .. } => "InvalidSignatureException",
            Error::Unsupported(_) => "UnsupportedOperationException",
            Error::Throttling | Error::TooManyStreams { .. } => "ThrottlingException",
            Error::ServiceUnavailable => "ServiceUnavailable",
            Error::Internal => "InternalFailure",
            Error::ActivityAlreadyExists(_) => "ActivityAlreadyExists",
            Error::ActivityDoesNotExist(_) => "ActivityDoesNotExist",
            Error::ActivityLimitExceeded => "ActivityLimitExceeded",
            Error::ActivityWorkerLimitExceeded => "ActivityWorkerLimitExceeded",
            Error::Conflict(_) => "ConflictException",
            Error::ExecutionAlreadyExists(_) => "ExecutionAlreadyExists",
            Error::ExecutionDoesNotExist(_) => "ExecutionDoesNotExist",
            Error::ExecutionLimitExceeded => "ExecutionLimitExceeded",
            Error::ExecutionNotRedrivable { .. } => "ExecutionNotRedrivable",
            Error::InvalidArn(_) => "InvalidArn",
            Error::InvalidDefinition(_) | Error::UntestableState(_) => "InvalidDefinition",
            Error::InvalidEncryptionConfiguration(_) => "InvalidEncryptionConfiguration",
            Error::InvalidExecutionInput(_) => "InvalidExecutionInput",
            Error::InvalidLoggingConfiguration(_) => "InvalidLoggingConfiguration",
            Error::InvalidName(_) => "InvalidName",
            Error::InvalidOutput(_) => "InvalidOutput",
            Error::InvalidToken => "InvalidToken",
            Error::KmsAccessDenied => "KmsAccessDeniedException",
            Error::KmsThrottling => "KmsThrottlingException",
            Error::MissingRequiredParameter(_) => "MissingRequiredParameter",
            Error::ReferencedResourceNotFound(_) | Error::ResourceNotFound(_) => "ResourceNotFound",
            Error::ServiceQuotaExceeded(_) => "ServiceQuotaExceededException",
            Error::StateMachineAlreadyExists(_) => "StateMachineAlreadyExists",
            Error::StateMachineDeleting(_) => "StateMachineDeleting",
            Error::StateMachineDoesNotExist(_) => "StateMachineDoesNotExist",
            Error::StateMachineLimitExceeded => "StateMachineLimitExceeded",
            Error::StateMachineTypeNotSupported => "StateMachineTypeNotSupported",
            Error::TaskTimedOut => "TaskTimedOut",
            Error::TooManyTags { .. } => "TooManyTags",
        }
    }

    /// The HTTP status: 400 for all that the caller can mend in the request's content.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Error::ServiceQuotaExceeded(_) => 402,
            Error::Forbidden(_) => 403,
            Error::PathNotFound { .. } => 404,
            Error::MethodNotAllowed { .. } => 405,
            Error::RequestTimeout { .. } => 408,
            Error::Conflict(_) => 409,
            Error::RequestTooLarge { .. } => 413,
            Error::Internal => 500,
            Error::ServiceUnavailable | Error::TooManyStreams { .. } => 503,
            _ => 400,
        }
    }

    /// The body of the answer.
    pub(crate) fn body(&self) -> String {
        let mut answer = Writer::object();
        answer.string("__type", self.code());
        answer.string("message", &self.to_string());
        match self {
            Error::Validation { reason: Some(reason), .. } => answer.string("reason", reason.as_str()),
            Error::ReferencedResourceNotFound(resource)
            | Error::ResourceNotFound(resource)
            | Error::TooManyTags { resource: Some(resource), .. } => {
                answer.string("resourceName", resource);
            }
            _ => {}
        }
        answer.end()
    }
}

impl From<Unavailable> for Error {
    fn from(unavailable: Unavailable) -> Error {
        match unavailable {
            Unavailable::Throttled => Error::Throttling,
            Unavailable::Down => Error::ServiceUnavailable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies() {
        let cases = [
            (
                Error::StateMachineDoesNotExist("arn:x".into()),
                r#"{"__type":"StateMachineDoesNotExist","message":"State Machine Does Not Exist: 'arn:x'"}"#,
            ),
            (
                Error::Validation { message: "m".into(), reason: Some(Reason::ApiDoesNotSupportLabeledArns) },
                r#"{"__type":"ValidationException","message":"m","reason":"API_DOES_NOT_SUPPORT_LABELED_ARNS"}"#,
            ),
            (
                Error::ResourceNotFound("r".into()),
                r#"{"__type":"ResourceNotFound","message":"Resource not found: 'r'","resourceName":"r"}"#,
            ),
            (
                Error::Unsupported("TestState"),
                r#"{"__type":"UnsupportedOperationException","message":"stepwell does not support TestState yet"}"#,
            ),
        ];
        for (error, body) in cases {
            assert_eq!(error.body(), body);
        }
    }

    #[test]
    fn definition_problems_are_joined_and_warnings_left_out() {
        let diagnostic = |severity, message: &str, location: Option<&str>| Diagnostic {
            severity,
            code: stepwell_machine::diagnostic::Code::SchemaValidationFailed,
            message: message.into(),
            location: location.map(str::to_string),
        };
        let error = Error::invalid_definition(&[
            diagnostic(Severity::Error, "A", Some("/States/X")),
            diagnostic(Severity::Warning, "W", None),
            diagnostic(Severity::Error, "B", None),
        ]);
        assert_eq!(
            error.to_string(),
            "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: A at /States/X, SCHEMA_VALIDATION_FAILED: B at null'"
        );
    }
}
