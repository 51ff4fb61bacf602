//! The items of a distributed Map: where they come from (`ItemReader`), and where its results go (`ResultWriter`).
//!
//! Objects are in S3, or in folders of this machine that the operator allows ([`folder`]). What their bytes mean is
//! `stepwell-items`'s part. Reading goes on from any position that was kept; writing starts from the beginning and then
//! writes the same files again. Both take constant memory.

mod bucket;
mod content;
mod folder;
mod manifest;
mod position;
mod rows;
mod s3;
mod sink;
mod stream;

use std::{path::PathBuf, sync::Arc};

use stepwell_expr::Value;
use stepwell_items::DataError;
pub use stepwell_items::results::{Outcome, OutputType, Redrive, Status, Transformation, WriterConfig};
use stepwell_machine::Failure;

use self::{bucket::Bucket, stream::Reading};
pub use self::{
    position::Position,
    sink::ResultSink,
    stream::{Batch, Item, ItemStream},
};
use crate::{Inner, aws::Caller};

/// Reads the items and writes the results of distributed Maps.
#[derive(Clone)]
pub struct MapItems(Arc<Inner>);

/// In whose name buckets are used.
#[derive(Clone, Debug)]
pub struct MapCaller {
    /// Of the execution whose state is a Map: its region is where buckets are.
    pub execution_arn: Arc<str>,
    /// Of its state machine.
    pub role_arn: Arc<str>,
}

/// An `ItemReader`, evaluated.
#[derive(Clone, Debug)]
pub struct ReadSpec {
    pub resource: ReadResource,
    /// `Parameters` or `Arguments`: `Bucket`, `Key`, `Prefix`, ...
    pub arguments: Value,
    pub config: ReaderConfig,
    pub caller: MapCaller,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadResource {
    /// `s3:getObject`
    GetObject,
    /// `s3:listObjectsV2`
    ListObjectsV2,
}

/// A `ReaderConfig`, evaluated; its texts are AWS's, and checked when the items are opened.
#[derive(Clone, Debug, Default)]
pub struct ReaderConfig {
    pub input_type: Option<String>,
    pub csv_header_location: Option<String>,
    pub csv_headers: Option<Vec<String>>,
    pub csv_delimiter: Option<String>,
    /// 0 and nothing: all.
    pub max_items: Option<i64>,
    pub items_pointer: Option<String>,
    pub manifest_type: Option<String>,
    pub transformation: Option<String>,
}

/// A `ResultWriter` that has a bucket, evaluated.
#[derive(Clone, Debug)]
pub struct WriteSpec {
    /// `Parameters` or `Arguments`: `Bucket`, `Prefix`.
    pub arguments: Value,
    pub config: WriterConfig,
    pub map_run_arn: String,
    /// The last part of the Map Run's ARN; the folder of its files is called so.
    pub uuid: String,
    pub caller: MapCaller,
}

/// Why items cannot be read, or results not be written: a sentence for the cause of the failure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Problem(String);

impl Problem {
    fn new(text: impl Into<String>) -> Problem {
        Problem(text.into())
    }

    fn of_reading(self) -> Failure {
        Failure::new("States.ItemReaderFailed", self.0)
    }

    fn of_writing(self) -> Failure {
        Failure::new("States.ResultWriterFailed", self.0)
    }
}

impl From<DataError> for Problem {
    fn from(error: DataError) -> Problem {
        Problem(error.0)
    }
}

impl MapItems {
    pub(crate) fn new(inner: Arc<Inner>) -> MapItems {
        MapItems(inner)
    }

    /// Opens the items, at the first or after those that a position has behind it.
    ///
    /// Fails with `States.ItemReaderFailed`.
    pub async fn open(&self, spec: ReadSpec, from: Option<Position>) -> Result<ItemStream, Failure> {
        let opened = async {
            let reading = Reading::new(&spec)?;
            let bucket = self.bucket(&spec.arguments, &spec.caller)?;
            ItemStream::open(reading, bucket, from).await
        };
        opened.await.map_err(Problem::of_reading)
    }

    /// Begins to write results, from the beginning. To be fed with outcomes in the order of their items.
    ///
    /// Fails with `States.ResultWriterFailed`.
    pub fn write(&self, spec: WriteSpec) -> Result<ResultSink, Failure> {
        let bucket = self.bucket(&spec.arguments, &spec.caller);
        bucket.and_then(|bucket| ResultSink::new(bucket, spec)).map_err(Problem::of_writing)
    }

    /// The bucket that arguments name, by the caller's role where roles are assumed.
    fn bucket(&self, arguments: &Value, caller: &MapCaller) -> Result<Bucket, Problem> {
        let settings = &self.0.settings;
        let roles = settings.assumes_execution_role.then(|| caller.role_arn.clone()).into_iter().collect();
        let caller = Caller::of_execution(&caller.execution_arn, &settings.region, roles, "".into());
        Bucket::new(self.0.clone(), caller, &settings.file_roots, arguments)
    }
}

/// Folders below which `file://` buckets may be, as absolute paths.
pub type FileRoots = Arc<[PathBuf]>;

#[cfg(test)]
mod tests;
