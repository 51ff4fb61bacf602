//! Task: has work done outside.

use std::sync::Arc;

use crate::{
    program::{Field, ServicePattern, Template, Transition},
    retry::{Catcher, Retrier},
};

#[derive(Clone, Debug)]
pub struct Task {
    pub resource: Resource,
    /// `TimeoutSeconds`, `TimeoutSecondsPath`.
    pub timeout: Option<Field<u64>>,
    /// `HeartbeatSeconds`, `HeartbeatSecondsPath`.
    pub heartbeat: Option<Field<u64>>,
    /// `Credentials.RoleArn`: a literal or one leaf.
    pub credentials: Option<Template>,
    pub retry: Vec<Retrier>,
    pub catch: Vec<Catcher>,
    pub transition: Transition,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    Activity {
        arn: Arc<str>,
    },
    LambdaFunction {
        arn: Arc<str>,
    },
    /// `arn:aws:states:::SERVICE:ACTION[.PATTERN]`; `service` is `lambda`, `sqs`, `aws-sdk:s3`, `http`, ...
    Service {
        service: Arc<str>,
        action: Arc<str>,
        pattern: ServicePattern,
    },
}
