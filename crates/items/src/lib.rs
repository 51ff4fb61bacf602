//! The items of a distributed Map, as data: bytes of an object in, items out; outcomes in, texts of result files out.
//!
//! Pure but for Parquet, whose reader asks for the ranges it needs: no network, no files, no clock. Readers of text formats
//! take what they can from the bytes that are there ([`Window`]) and say when they need more, so an object of any size
//! is read in constant memory; where each item ends is told, so that reading can begin again from there.

pub mod csv;
pub mod inflate;
pub mod json;
pub mod json_lines;
pub mod limits;
pub mod parquet;
#[cfg(test)]
mod properties;
pub mod results;
pub mod window;

use std::sync::Arc;

use stepwell_expr::Payload;

pub use window::{Taken, Window};

/// One item of a data set.
#[derive(Clone, Debug)]
pub struct Item {
    pub value: Payload,
    /// The member's name, of an item of a JSON object.
    pub key: Option<Arc<str>>,
}

/// Why a data set cannot be read on: a sentence for the cause of `States.ItemReaderFailed`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DataError(pub String);

impl DataError {
    pub fn new(message: impl Into<String>) -> DataError {
        DataError(message.into())
    }
}
