//! A workflow's own failure: an error name and a cause, routed by Retry and Catch.

use std::sync::Arc;

/// Why a state failed. Both members are absent where a worker or a Fail state gave none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub error: Option<Arc<str>>,
    pub cause: Option<Arc<str>>,
}

impl Failure {
    pub fn new(error: impl Into<Arc<str>>, cause: impl Into<Arc<str>>) -> Failure {
        Failure { error: Some(error.into()), cause: Some(cause.into()) }
    }

    pub fn named(error: impl Into<Arc<str>>) -> Failure {
        Failure { error: Some(error.into()), cause: None }
    }
}
