//! The answer of TestState, and its member `inspectionData`.

use stepwell_expr::{Number, Payload, Value};
use stepwell_machine::{
    Failure,
    effect::Exchange,
    trial::{Ending, Handler, Stages},
};

use crate::writer::Writer;

/// `stages`, `exchange`: only where an inspection was asked for.
pub(super) fn write(input: &Payload, ending: &Ending, stages: Option<&Stages>, exchange: Option<&Exchange>) -> String {
    let mut answer = Writer::object();
    match ending {
        Ending::Succeeded { output, next } => {
            answer.string("output", output.text());
            answer.optional_string("nextState", next.as_deref());
            answer.string("status", "SUCCEEDED");
        }
        Ending::Retriable { failure } => {
            write_failure(&mut answer, failure);
            answer.string("status", "RETRIABLE");
        }
        Ending::Caught { failure, output, next } => {
            answer.string("output", output.text());
            write_failure(&mut answer, failure);
            answer.string("nextState", next);
            answer.string("status", "CAUGHT_ERROR");
        }
        Ending::Failed { failure } => {
            write_failure(&mut answer, failure);
            answer.string("status", "FAILED");
        }
    }
    if let Some(stages) = stages {
        answer.member_object("inspectionData", |data| {
            inspection(data, input, stages);
            if let Some(exchange) = exchange {
                write_exchange(data, exchange);
            }
        });
    }
    answer.end()
}

fn write_failure(answer: &mut Writer, failure: &Failure) {
    answer.optional_string("error", failure.error.as_deref());
    answer.optional_string("cause", failure.cause.as_deref());
}

/// Source: API model; that headers are one text in brackets is not recorded.
fn write_exchange(data: &mut Writer, exchange: &Exchange) {
    let Exchange { sent, received } = exchange;
    let protocol = sent.url.split(':').next().unwrap_or_default();
    let listed = |headers: &[(String, String)]| {
        let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        format!("[{}]", headers.join(", "))
    };
    data.member_object("request", |request| {
        request.string("protocol", protocol);
        request.string("method", &sent.method);
        request.string("url", &sent.url);
        request.string("headers", &listed(&sent.headers));
        request.string("body", &sent.body);
    });
    if let Some(received) = received {
        data.member_object("response", |response| {
            response.string("protocol", protocol);
            response.string("statusCode", &received.status.to_string());
            response.string("statusMessage", &received.reason);
            response.string("headers", &listed(&received.headers));
            response.string("body", &received.body);
        });
    }
}

fn inspection(data: &mut Writer, input: &Payload, stages: &Stages) {
    data.string("input", input.text());
    let texts = [
        ("afterArguments", &stages.after_arguments),
        ("afterInputPath", &stages.after_input_path),
        ("afterParameters", &stages.after_parameters),
        ("afterItemsPath", &stages.after_items_path),
        ("afterItemsPointer", &stages.after_items_pointer),
        ("afterItemSelector", &stages.after_item_selector),
        ("afterItemBatcher", &stages.after_item_batcher),
        ("result", &stages.result),
        ("afterResultSelector", &stages.after_result_selector),
        ("afterResultPath", &stages.after_result_path),
    ];
    for (name, stage) in texts {
        data.optional_string(name, stage.as_ref().map(|stage| &**stage.text()));
    }
    if !stages.variables.is_empty() {
        let variables = stages.variables.iter().map(|(name, value)| (name.clone(), value.value().clone()));
        data.string("variables", &Value::object(variables).to_string());
    }
    for (name, count) in
        [("toleratedFailureCount", stages.tolerated_failure_count), ("maxConcurrency", stages.max_concurrency)]
    {
        if let Some(count) = count {
            data.number(name, count);
        }
    }
    if let Some(percentage) = stages.tolerated_failure_percentage {
        data.value("toleratedFailurePercentage", &Value::Number(Number::Double(percentage)));
    }
    match stages.handler {
        None => {}
        Some(Handler::Catcher { index }) => {
            data.member_object("errorDetails", |details| details.number("catchIndex", index as u64));
        }
        Some(Handler::Retrier { index, backoff_seconds }) => data.member_object("errorDetails", |details| {
            details.number("retryIndex", index as u64);
            if let Some(seconds) = backoff_seconds {
                details.number("retryBackoffIntervalSeconds", seconds);
            }
        }),
    }
}
