//! How the engine has the items of Map Runs read and their results written, without knowing by whom.

use std::{future::Future, pin::Pin, sync::Arc};

use stepwell_expr::{Payload, Value};
use stepwell_machine::{Failure, state::distributed::ReaderConfig};

/// Where a stream of items is: opaque, durable, never changed in its meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position(pub Arc<[u8]>);

/// In whose name items are read and results written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Of the execution that waits for the Map Run.
    pub execution_arn: Arc<str>,
    pub state_machine_arn: Arc<str>,
    pub role_arn: Arc<str>,
}

/// `ItemReader`, evaluated.
#[derive(Clone, Debug)]
pub struct ReadSpec {
    /// `getObject` or `listObjectsV2`.
    pub resource: Arc<str>,
    /// `Bucket`, `Key`, `VersionId`, `Prefix`, ...
    pub arguments: Value,
    pub config: ReaderConfig,
    /// No more than these are asked for; 0: all.
    pub items_max: u64,
    pub caller: Caller,
}

/// An item that was read.
#[derive(Clone, Debug)]
pub struct ReadItem {
    pub value: Payload,
    /// Of an entry of an object.
    pub key: Option<Arc<str>>,
    /// As `Map.Item.Source` shows it.
    pub source: Arc<str>,
}

/// Some items in a row.
#[derive(Clone, Debug)]
pub struct ReadItems {
    pub items: Vec<ReadItem>,
    /// Behind the last of them.
    pub position: Position,
    /// Nothing comes after them.
    pub end: bool,
}

/// `ResultWriter`, evaluated.
#[derive(Clone, Debug)]
pub struct WriteSpec {
    /// `Bucket` and `Prefix`.
    pub arguments: Value,
    /// `NONE`, `COMPACT` or `FLATTEN`; `None`: not given.
    pub transformation: Option<Arc<str>>,
    /// `JSON` or `JSONL`.
    pub output_type: Option<Arc<str>>,
    pub map_run_arn: Arc<str>,
    pub caller: Caller,
}

/// What is written of a child execution.
#[derive(Clone, Debug)]
pub struct ChildResult {
    pub arn: Arc<str>,
    pub name: Arc<str>,
    pub state_machine_arn: Arc<str>,
    /// `SUCCEEDED`, `FAILED`, `TIMED_OUT` or `ABORTED`.
    pub status: &'static str,
    pub input: Payload,
    /// Of one that succeeded.
    pub output: Option<Payload>,
    pub failure: Failure,
    /// Milliseconds since 1970.
    pub start_ms: i64,
    pub stop_ms: i64,
    pub redrive_count: u64,
    /// `NOT_REDRIVABLE` or `REDRIVABLE_BY_MAP_RUN`, and why not.
    pub redrive_status: &'static str,
    pub redrive_status_reason: Option<&'static str>,
}

/// A child execution that was not started, since its Map Run failed before.
#[derive(Clone, Debug)]
pub struct UnstartedChild {
    pub state_machine_arn: Arc<str>,
    pub input: Payload,
}

pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

/// Reads items and writes results. A failure is that of the Map Run: `States.ItemReaderFailed`,
/// `States.ResultWriterFailed` or what the service said.
pub trait MapItems: Send + Sync + 'static {
    /// The items behind `from`; `None`: from the first one on.
    fn open(&self, spec: ReadSpec, from: Option<Position>) -> Pending<'static, Box<dyn ItemStream>>;

    /// A place for results. What an earlier attempt has written there is written again.
    fn write(&self, spec: WriteSpec) -> Pending<'static, Box<dyn ResultSink>>;
}

pub trait ItemStream: Send {
    /// The next items: at least one, unless it is the end; at most `items_max`, and none more once they have `bytes_max`
    /// bytes of text.
    fn next(&mut self, items_max: usize, bytes_max: usize) -> Pending<'_, ReadItems>;
}

pub trait ResultSink: Send {
    /// In the order of the items.
    fn add(&mut self, result: ChildResult) -> Pending<'_, ()>;

    /// After all results, in the order of the items.
    fn add_unstarted(&mut self, child: UnstartedChild) -> Pending<'_, ()>;

    /// Answers the state's result: `MapRunArn` and `ResultWriterDetails`.
    fn finish(self: Box<Self>) -> Pending<'static, Value>;
}

/// Of an engine that has nobody to read items.
pub(crate) struct Nowhere;

impl MapItems for Nowhere {
    fn open(&self, _spec: ReadSpec, _from: Option<Position>) -> Pending<'static, Box<dyn ItemStream>> {
        Box::pin(async { Err(Failure::new("States.ItemReaderFailed", "ItemReader is not supported here.")) })
    }

    fn write(&self, _spec: WriteSpec) -> Pending<'static, Box<dyn ResultSink>> {
        Box::pin(async { Err(Failure::new("States.ResultWriterFailed", "ResultWriter is not supported here.")) })
    }
}
