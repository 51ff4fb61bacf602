//! The 18 intrinsic functions of JSONPath states.

use std::sync::Arc;

use crate::{Environment, OutOfFuel, Value, jsonpath::PathError};

/// A compiled call such as `States.Format('{}', $.a)`; calls may nest to depth 10.
#[derive(Clone, Debug)]
pub struct Call {
    text: Arc<str>,
}

/// Why a text is no intrinsic call.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct CallSyntaxError {
    pub message: String,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CallError {
    /// A path argument could not be read: the path's own text, and why.
    #[error("{error}")]
    Path { path: Arc<str>, error: PathError },
    /// `States.IntrinsicFailure`, with its cause.
    #[error("{0}")]
    Failed(String),
    #[error(transparent)]
    OutOfFuel(#[from] OutOfFuel),
}

impl Call {
    pub fn parse(_text: &str) -> Result<Call, CallSyntaxError> {
        unimplemented!()
    }

    /// The text as it was written.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// The variables that its path arguments read, without `$`.
    pub fn variables(&self) -> Vec<Arc<str>> {
        unimplemented!()
    }

    pub fn evaluate(&self, _environment: &dyn Environment) -> Result<Value, CallError> {
        unimplemented!()
    }
}
