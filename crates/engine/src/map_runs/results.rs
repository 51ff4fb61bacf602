//! The result of a Map Run: the outputs of its child executions in order, or the files that a writer makes of them.

use std::sync::Arc;

use stepwell_expr::{Payload, Value, json};
use stepwell_machine::{Failure, Redrives, Status, limits::PAYLOAD_BYTES_MAX, map_run::child_name, timestamp};

use super::{Order, feeder::caller, source::Source};
use crate::{
    handle::{StatusName, Unavailable},
    limits::{MAP_RUN_OUTCOMES_BYTES_MAX, MAP_RUN_OUTCOMES_READ_MAX},
    map_items::{ChildResult, ResultSink, UnstartedChild, WriteSpec},
    record::{self, ExecutionId, ExpressOutcome, MapRunPlace},
    registry::log_down,
    shared::Shared,
};

/// How results are shaped. Source: Step Functions guide, `WriterConfig`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// What is known of each child execution.
    All,
    Outputs,
    /// Outputs that are arrays, joined.
    Flat,
}

/// Why there is none.
pub(super) enum NoResult {
    Failed(Failure),
    /// The store cannot be read: it stays as it is.
    Unavailable,
}

/// The state's result, as text. `unstarted`: of a Map Run that failed, where the rest of its child executions comes from.
pub(super) async fn result(
    shared: &Arc<Shared>,
    order: &Arc<Order>,
    place: MapRunPlace,
    unstarted: Option<Source>,
) -> Result<Arc<str>, NoResult> {
    let writer = order.request.writer();
    match writer {
        Some(writer) if writer.arguments.is_some() => write(shared, order, place, unstarted).await,
        _ => {
            let shape = match writer.and_then(|writer| writer.transformation.as_deref()) {
                Some("NONE") => Shape::All,
                Some("FLATTEN") => Shape::Flat,
                _ => Shape::Outputs,
            };
            let as_lines = writer.is_some_and(|writer| writer.output_type.as_deref() == Some("JSONL"));
            let entries = gather(shared, order, place, shape, if as_lines { "\n" } else { "," }).await?;
            Ok(match as_lines {
                // A result is JSON: the lines are a text.
                true => Value::from(entries).to_string().into(),
                false => format!("[{entries}]").into(),
            })
        }
    }
}

/// True if results go to a writer.
pub(super) fn exports(order: &Order) -> bool {
    order.request.writer().is_some_and(|writer| writer.arguments.is_some())
}

/// All entries, with `between` between two of them.
async fn gather(
    shared: &Arc<Shared>,
    order: &Arc<Order>,
    place: MapRunPlace,
    shape: Shape,
    between: &str,
) -> Result<String, NoResult> {
    let mut text = String::new();
    let mut from = 0;
    loop {
        let page = page(shared, order, place, from).await?;
        let Some((last, _)) = page.last() else { break };
        from = last + 1;
        for (_, result) in &page {
            let mut add = |entry: &str| {
                if !text.is_empty() {
                    text.push_str(between);
                }
                text.push_str(entry);
            };
            match (shape, &result.output) {
                (Shape::All, _) | (_, None) => add(&entry(result).to_string()),
                (Shape::Outputs, Some(output)) => add(output.text()),
                (Shape::Flat, Some(output)) => match output.value() {
                    Value::Array(items) => items.iter().for_each(|item| add(&json::to_text(item))),
                    _ => add(output.text()),
                },
            }
            if text.len() >= PAYLOAD_BYTES_MAX {
                return Err(NoResult::Failed(too_large(order)));
            }
        }
    }
    Ok(text)
}

fn too_large(order: &Order) -> Failure {
    let text = format!(
        "The state/task '{}' returned a result with a size exceeding the maximum number of bytes service limit.",
        order.request.state_name()
    );
    Failure::new("States.DataLimitExceeded", text)
}

async fn write(
    shared: &Arc<Shared>,
    order: &Arc<Order>,
    place: MapRunPlace,
    unstarted: Option<Source>,
) -> Result<Arc<str>, NoResult> {
    let request = &order.request;
    let writer = request.writer();
    let spec = WriteSpec {
        arguments: request
            .wait
            .writer_arguments
            .as_ref()
            .map_or_else(Value::empty_object, |payload| payload.value().clone()),
        transformation: writer.and_then(|writer| writer.transformation.clone()),
        output_type: writer.and_then(|writer| writer.output_type.clone()),
        map_run_arn: request.wait.arn.clone(),
        caller: caller(request),
    };
    let mut sink = shared.map_items.write(spec).await.map_err(NoResult::Failed)?;
    let mut from = 0;
    loop {
        let page = page(shared, order, place, from).await?;
        let Some((last, _)) = page.last() else { break };
        from = last + 1;
        for (_, result) in page {
            sink.add(result).await.map_err(NoResult::Failed)?;
        }
    }
    if let Some(unstarted) = unstarted {
        write_unstarted(sink.as_mut(), order, unstarted).await.map_err(NoResult::Failed)?;
    }
    let details = sink.finish().await.map_err(NoResult::Failed)?;
    Ok(json::to_text(&details).into())
}

/// What has no result is read once more. Where that fails, what was read until then is written: the Map Run has failed anyway.
async fn write_unstarted(sink: &mut dyn ResultSink, order: &Order, source: Source) -> Result<(), Failure> {
    let mut source = Some(source);
    while let Some(reading) = source.take() {
        let Ok((rest, fed)) = reading.next().await else { break };
        // One that was to be redriven has its result of before.
        for child in fed.children.into_iter().filter(|child| !child.redriven) {
            let state_machine_arn = order.request.child_machine_arn().into();
            sink.add_unstarted(UnstartedChild { state_machine_arn, input: child.input }).await?;
        }
        source = (!fed.end).then_some(rest);
    }
    Ok(())
}

/// The results of the next child executions from `from` on, by their numbers; what is read together is bounded.
async fn page(
    shared: &Arc<Shared>,
    order: &Arc<Order>,
    place: MapRunPlace,
    from: u64,
) -> Result<Vec<(u64, ChildResult)>, NoResult> {
    let order = order.clone();
    let read = shared.away(move |shared| {
        let store = shared.store.as_ref();
        let outcomes = record::outcomes(store, place, from, MAP_RUN_OUTCOMES_READ_MAX).map_err(log_down)?;
        let (mut results, mut bytes) = (Vec::new(), 0);
        for (index, outcome) in outcomes {
            let result = match outcome.express {
                Some(express) => of_express(&order, index, outcome.status, express),
                None => of_standard(shared, &order, index, outcome.status)?,
            };
            bytes += result.input.bytes() + result.output.as_ref().map_or(0, Payload::bytes);
            results.push((index, result));
            if bytes >= MAP_RUN_OUTCOMES_BYTES_MAX {
                break;
            }
        }
        Ok::<_, Unavailable>(results)
    });
    match read.await {
        Ok(Ok(results)) => Ok(results),
        Ok(Err(_)) | Err(_) => Err(NoResult::Unavailable),
    }
}

fn of_express(order: &Order, index: u64, status: StatusName, express: ExpressOutcome) -> ChildResult {
    ChildResult {
        arn: express.arn,
        name: order.request.child_name(index),
        state_machine_arn: order.request.child_machine_arn().into(),
        status: status_text(status),
        input: Payload::from_checked_text(express.input),
        output: express.output.map(Payload::from_checked_text),
        failure: express.failure,
        start_ms: express.start_ms,
        stop_ms: express.stop_ms,
        redrive_count: 0,
        redrive_status: NOT_REDRIVABLE,
        redrive_status_reason: Some("Execution is EXPRESS and cannot be redriven"),
    }
}

fn of_standard(shared: &Shared, order: &Order, index: u64, status: StatusName) -> Result<ChildResult, Unavailable> {
    let request = &order.request;
    let name = child_name(&request.wait.arn, index);
    let arn = order.child_arn(&name);
    let (store, id) = (shared.store.as_ref(), ExecutionId::of_arn(&arn));
    let row = record::summary(store, id).map_err(log_down)?;
    let Some(row) = row else {
        // Removed by hand: all that is known is how it ended.
        return Ok(ChildResult {
            arn,
            name,
            state_machine_arn: request.child_machine_arn().into(),
            status: status_text(status),
            input: Payload::from_value(Value::Null),
            output: None,
            failure: Failure { error: None, cause: None },
            start_ms: 0,
            stop_ms: 0,
            redrive_count: 0,
            redrive_status: NOT_REDRIVABLE,
            redrive_status_reason: None,
        });
    };
    record::fill(store, id, &row.absent()).map_err(log_down)?;
    let summary = row.summary;
    let Redrives { count, .. } = summary.redrives;
    let (output, failure, stop_ms) = match &summary.status {
        Status::Succeeded { output, stop_ms } => (Some(output.clone()), None, *stop_ms),
        Status::Failed { failure, stop_ms }
        | Status::TimedOut { failure, stop_ms }
        | Status::Aborted { failure, stop_ms } => (None, Some(failure.clone()), *stop_ms),
        Status::Running => (None, None, summary.start_ms),
    };
    let succeeded = output.is_some();
    Ok(ChildResult {
        arn,
        name,
        state_machine_arn: summary.state_machine_arn,
        status: status_text(status),
        input: summary.input,
        output,
        failure: failure.unwrap_or(Failure { error: None, cause: None }),
        start_ms: summary.start_ms,
        stop_ms,
        redrive_count: count,
        redrive_status: if succeeded { NOT_REDRIVABLE } else { "REDRIVABLE_BY_MAP_RUN" },
        redrive_status_reason: succeeded.then_some("Execution is SUCCEEDED and cannot be redriven"),
    })
}

const NOT_REDRIVABLE: &str = "NOT_REDRIVABLE";

fn status_text(status: StatusName) -> &'static str {
    match status {
        StatusName::Running => "RUNNING",
        StatusName::Succeeded => "SUCCEEDED",
        StatusName::Failed => "FAILED",
        StatusName::TimedOut => "TIMED_OUT",
        StatusName::Aborted => "ABORTED",
    }
}

/// A child execution with all that is known of it. Source: Step Functions guide, results of a Map Run.
fn entry(result: &ChildResult) -> Value {
    let text = |text: &Arc<str>| Value::String(text.clone());
    let included = || Value::object([("Included", Value::from(true))]);
    let mut members = Vec::new();
    members.extend(result.failure.cause.as_ref().map(|cause| ("Cause", text(cause))));
    members.extend(result.failure.error.as_ref().map(|error| ("Error", text(error))));
    members.push(("ExecutionArn", text(&result.arn)));
    members.push(("Input", text(result.input.text())));
    members.push(("InputDetails", included()));
    members.push(("Name", text(&result.name)));
    if let Some(output) = &result.output {
        members.push(("Output", text(output.text())));
        members.push(("OutputDetails", included()));
    }
    members.push(("RedriveCount", Value::from(i64::try_from(result.redrive_count).unwrap_or(i64::MAX))));
    members.push(("RedriveStatus", result.redrive_status.into()));
    members.extend(result.redrive_status_reason.map(|reason| ("RedriveStatusReason", reason.into())));
    members.push(("StartDate", timestamp::format(result.start_ms).into()));
    members.push(("StateMachineArn", text(&result.state_machine_arn)));
    members.push(("Status", result.status.into()));
    members.push(("StopDate", timestamp::format(result.stop_ms).into()));
    Value::object(members)
}
