//! JSONPath in Jayway's dialect: its semantics and its messages.

use std::sync::Arc;

use crate::{Environment, OutOfFuel, Value};

/// A compiled path. What it reads is told by its head: `$` the input, `$$` the Context object, `$name` a variable.
#[derive(Clone, Debug)]
pub struct Path {
    text: Arc<str>,
}

/// Why a text is no path.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct PathSyntaxError {
    pub message: String,
}

/// Why a path could not be read or written.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PathError {
    /// Jayway's message, e.g. `No results for path: $['x']` or `Missing property in path $['a']`.
    #[error("{0}")]
    NotFound(String),
    /// The head is a variable that has no value.
    #[error("undefined variable {0}")]
    UndefinedVariable(String),
    /// A reference path that cannot be written: it leads through a scalar, or to an array item that is not there.
    #[error("{0}")]
    Unwritable(String),
    #[error(transparent)]
    OutOfFuel(#[from] OutOfFuel),
}

impl Path {
    pub fn parse(_text: &str) -> Result<Path, PathSyntaxError> {
        unimplemented!()
    }

    /// The text as it was written.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// `$` alone.
    pub fn is_root(&self) -> bool {
        unimplemented!()
    }

    /// Its head is `$$`.
    pub fn reads_context(&self) -> bool {
        unimplemented!()
    }

    /// The name of the variable that its head is, without `$`; also those inside filters are told by [`Path::variables`].
    pub fn variables(&self) -> Vec<Arc<str>> {
        unimplemented!()
    }

    /// Only `.name`, `['name']` and `[n]`: no filters, slices, unions, wildcards, `..` or functions.
    pub fn is_reference(&self) -> bool {
        unimplemented!()
    }

    /// One value where it is definite (or an error when nothing is there), else the array of all matches.
    pub fn read(&self, _environment: &dyn Environment) -> Result<Value, PathError> {
        unimplemented!()
    }

    /// `into` with `value` at this reference path; makes missing objects on the way.
    ///
    /// Source: Amazon States Language, `ResultPath`. The head must be `$`; the path must be a reference path.
    pub fn write(&self, _into: &Value, _value: Value) -> Result<Value, PathError> {
        unimplemented!()
    }
}
