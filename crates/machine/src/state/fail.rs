//! Fail: ends its scope with an error.

use std::sync::Arc;

use crate::program::Field;

#[derive(Clone, Debug)]
pub struct Fail {
    /// `Error` or `ErrorPath`.
    pub error: Option<Field<Arc<str>>>,
    /// `Cause` or `CausePath`.
    pub cause: Option<Field<Arc<str>>>,
}
