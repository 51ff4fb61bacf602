//! A workflow's own failure: an error name and a cause, routed by Retry and Catch.

use std::sync::Arc;

use crate::limits;

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

    /// Error and cause, cut to what the API model allows.
    pub(crate) fn bounded(self) -> Failure {
        let cut = |text: Option<Arc<str>>, chars_max: usize| {
            text.map(|text| match text.char_indices().nth(chars_max) {
                Some((end, _)) => text[..end].into(),
                None => text,
            })
        };
        let error = cut(self.error, limits::ERROR_CHARS_MAX);
        Failure { error, cause: cut(self.cause, limits::CAUSE_CHARS_MAX) }
    }
}
