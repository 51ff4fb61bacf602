//! Wires the engine's Map Runs to the readers and writers of the integrations, which do not know each other.

use stepwell_engine::map_items::{
    Caller, ChildResult, ItemStream, MapItems, Pending, Position, ReadItem, ReadItems, ReadSpec, ResultSink,
    UnstartedChild, WriteSpec,
};
use stepwell_expr::Value;
use stepwell_integrations::map_items as items;
use stepwell_machine::Failure;

/// The integrations' part, as the engine knows it.
pub(crate) struct OwnItems(pub(crate) items::MapItems);

impl MapItems for OwnItems {
    fn open(&self, spec: ReadSpec, from: Option<Position>) -> Pending<'static, Box<dyn ItemStream>> {
        let items = self.0.clone();
        Box::pin(async move {
            let from = from.map(|from| items::Position(from.0.to_vec()));
            let stream = items.open(read_spec(spec), from).await?;
            let stream: Box<dyn ItemStream> = Box::new(Stream(stream));
            Ok(stream)
        })
    }

    fn write(&self, spec: WriteSpec) -> Pending<'static, Box<dyn ResultSink>> {
        let items = self.0.clone();
        Box::pin(async move {
            let sink = items.write(write_spec(spec)?)?;
            let sink: Box<dyn ResultSink> = Box::new(Sink(sink));
            Ok(sink)
        })
    }
}

fn caller(caller: &Caller) -> items::MapCaller {
    items::MapCaller { execution_arn: caller.execution_arn.clone(), role_arn: caller.role_arn.clone() }
}

fn read_spec(spec: ReadSpec) -> items::ReadSpec {
    let text = |text: Option<std::sync::Arc<str>>| text.map(|text| text.to_string());
    let headers: Vec<String> = spec.config.csv_headers.iter().map(ToString::to_string).collect();
    items::ReadSpec {
        resource: match &*spec.resource {
            "listObjectsV2" => items::ReadResource::ListObjectsV2,
            _ => items::ReadResource::GetObject,
        },
        arguments: spec.arguments,
        caller: caller(&spec.caller),
        config: items::ReaderConfig {
            input_type: text(spec.config.input_type),
            csv_header_location: text(spec.config.csv_header_location),
            csv_headers: (!headers.is_empty()).then_some(headers),
            csv_delimiter: text(spec.config.csv_delimiter),
            max_items: i64::try_from(spec.items_max).ok(),
            items_pointer: text(spec.config.items_pointer),
            manifest_type: text(spec.config.manifest_type),
            transformation: text(spec.config.transformation),
        },
    }
}

fn write_spec(spec: WriteSpec) -> Result<items::WriteSpec, Failure> {
    let unknown = || Failure::new("States.ResultWriterFailed", "The WriterConfig is not supported");
    let transformation = match spec.transformation.as_deref() {
        None => items::Transformation::default(),
        Some(name) => items::Transformation::named(name).ok_or_else(unknown)?,
    };
    let output_type = match spec.output_type.as_deref() {
        None => items::OutputType::default(),
        Some(name) => items::OutputType::named(name).ok_or_else(unknown)?,
    };
    Ok(items::WriteSpec {
        arguments: spec.arguments,
        config: items::WriterConfig { transformation, output_type },
        uuid: spec.map_run_arn.rsplit(':').next().unwrap_or_default().to_owned(),
        map_run_arn: spec.map_run_arn.to_string(),
        caller: caller(&spec.caller),
    })
}

struct Stream(items::ItemStream);

impl ItemStream for Stream {
    fn next(&mut self, items_max: usize, bytes_max: usize) -> Pending<'_, ReadItems> {
        Box::pin(async move {
            let items::Batch { items, position, end } = self.0.next(items_max, bytes_max).await?;
            let item = |item: items::Item| ReadItem { value: item.value, key: item.key, source: item.source };
            let items = items.into_iter().map(item).collect();
            Ok(ReadItems { items, position: Position(position.0.into()), end })
        })
    }
}

struct Sink(items::ResultSink);

impl ResultSink for Sink {
    fn add(&mut self, result: ChildResult) -> Pending<'_, ()> {
        Box::pin(async move { self.0.add(&outcome(result)).await })
    }

    fn add_unstarted(&mut self, child: UnstartedChild) -> Pending<'_, ()> {
        Box::pin(async move { self.0.add(&unstarted(child)).await })
    }

    fn finish(self: Box<Self>) -> Pending<'static, Value> {
        Box::pin(self.0.finish())
    }
}

fn outcome(result: ChildResult) -> items::Outcome {
    items::Outcome {
        status: match result.status {
            "SUCCEEDED" => items::Status::Succeeded,
            "TIMED_OUT" => items::Status::TimedOut,
            "ABORTED" => items::Status::Aborted,
            _ => items::Status::Failed,
        },
        execution_arn: Some(result.arn.to_string()),
        name: Some(result.name.to_string()),
        state_machine_arn: result.state_machine_arn.to_string(),
        input: result.input,
        output: result.output,
        error: result.failure.error.map(|error| error.to_string()),
        cause: result.failure.cause.map(|cause| cause.to_string()),
        start_ms: Some(result.start_ms),
        stop_ms: Some(result.stop_ms),
        redrive: Some(items::Redrive {
            count: u32::try_from(result.redrive_count).unwrap_or(u32::MAX),
            status: result.redrive_status.to_owned(),
            reason: result.redrive_status_reason.map(str::to_owned),
        }),
    }
}

fn unstarted(child: UnstartedChild) -> items::Outcome {
    items::Outcome {
        status: items::Status::Pending,
        execution_arn: None,
        name: None,
        state_machine_arn: child.state_machine_arn.to_string(),
        input: child.input,
        output: None,
        error: None,
        cause: None,
        start_ms: None,
        stop_ms: None,
        redrive: None,
    }
}
