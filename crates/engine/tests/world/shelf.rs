//! Items of Map Runs that are numbers up to `Count`, and results that are kept in memory.

use std::sync::{Arc, Mutex};

use stepwell_engine::map_items::{
    ChildResult, ItemStream, MapItems, Pending, Position, ReadItem, ReadItems, ReadSpec, ResultSink, UnstartedChild,
    WriteSpec,
};
use stepwell_expr::{Payload, Value};
use stepwell_machine::Failure;

#[derive(Default)]
pub(crate) struct Shelf {
    /// What was written, attempt by attempt.
    pub(crate) written: Mutex<Vec<Vec<String>>>,
    /// Of the child executions whose results were written.
    pub(crate) arns: Mutex<Vec<Arc<str>>>,
}

/// The shelf as the engine has it.
pub(crate) struct OnShelf(pub(crate) Arc<Shelf>);

struct Numbers {
    next: u64,
    count: u64,
}

/// As many as are read at a time, whatever is asked for.
const AT_A_TIME: u64 = 7;

impl MapItems for OnShelf {
    fn open(&self, spec: ReadSpec, from: Option<Position>) -> Pending<'static, Box<dyn ItemStream>> {
        Box::pin(async move {
            let count = spec.arguments.get("Count").and_then(Value::as_i64);
            let Some(count) = count else { return Err(Failure::new("States.ItemReaderFailed", "there is no Count")) };
            let next = from.map_or(0, |from| u64::from_be_bytes(from.0.as_ref().try_into().unwrap()));
            let stream: Box<dyn ItemStream> = Box::new(Numbers { next, count: count.unsigned_abs() });
            Ok(stream)
        })
    }

    fn write(&self, spec: WriteSpec) -> Pending<'static, Box<dyn ResultSink>> {
        let shelf = self.0.clone();
        Box::pin(async move {
            let sink: Box<dyn ResultSink> = Box::new(Sink { shelf, arn: spec.map_run_arn, results: Vec::new() });
            Ok(sink)
        })
    }
}

impl ItemStream for Numbers {
    fn next(&mut self, items_max: usize, _bytes_max: usize) -> Pending<'_, ReadItems> {
        let to = self.count.min(self.next + AT_A_TIME.min(items_max as u64));
        let item = |number| ReadItem {
            value: Payload::from_value(Value::from(number as i64)),
            key: None,
            source: "SHELF".into(),
        };
        let items = (self.next..to).map(item).collect();
        self.next = to;
        let position = Position(to.to_be_bytes().as_slice().into());
        let end = to == self.count;
        Box::pin(async move { Ok(ReadItems { items, position, end }) })
    }
}

struct Sink {
    shelf: Arc<Shelf>,
    arn: Arc<str>,
    results: Vec<String>,
}

impl ResultSink for Sink {
    fn add(&mut self, result: ChildResult) -> Pending<'_, ()> {
        self.shelf.arns.lock().unwrap().push(result.arn);
        let output = result.output.map_or_else(|| "-".into(), |output| output.text().to_string());
        self.results.push(format!("{} {output}", result.status));
        Box::pin(async { Ok(()) })
    }

    fn add_unstarted(&mut self, child: UnstartedChild) -> Pending<'_, ()> {
        self.results.push(format!("PENDING {}", child.input.text()));
        Box::pin(async { Ok(()) })
    }

    fn finish(self: Box<Self>) -> Pending<'static, Value> {
        self.shelf.written.lock().unwrap().push(self.results);
        let value = Value::object([("MapRunArn", Value::String(self.arn))]);
        Box::pin(async move { Ok(value) })
    }
}
