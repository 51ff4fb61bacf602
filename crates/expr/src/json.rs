//! JSON text to value and back, exact about numbers and order, with Jackson's error texts (as AWS shows them).

use crate::Value;

/// Why a text is not JSON: Jackson's sentence and place.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// Jackson's sentence, e.g. `Unrecognized token 'not': was expecting (JSON String, ...)`.
    pub message: String,
    /// Line and column from 1, as Jackson counts them.
    pub line: usize,
    pub column: usize,
}

/// Parses one JSON document; nothing but blanks may follow it.
pub fn parse(_text: &str) -> Result<Value, SyntaxError> {
    unimplemented!()
}

/// Checks that `text` is one JSON document that [`parse`] would take, without building it.
pub fn check(_text: &str) -> Result<(), SyntaxError> {
    unimplemented!()
}

/// Compact JSON text.
pub fn to_text(_value: &Value) -> String {
    unimplemented!()
}
