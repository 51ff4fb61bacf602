//! Status changes of executions as EventBridge is told of them: "Step Functions Execution Status Change".
//!
//! Source: recorded events of a success; Step Functions guide, "EventBridge events". What has no value is null.

use stepwell_engine::{NotRedrivable, StatusChange};
use stepwell_expr::{Payload, Value};
use stepwell_machine::{Status, limits::Limits};

use crate::{
    action::{redrive_status, status_text, stop_ms},
    limits::EVENT_DATA_BYTES_MAX,
};

/// The member `detail` of the event.
///
/// Input and output are left out, and their details say so, where they would be larger than [`EVENT_DATA_BYTES_MAX`]
/// bytes as JSON texts: the input where both together would, the output where it would alone.
pub fn status_event_detail(change: &StatusChange, limits: &Limits) -> Value {
    let execution = &change.execution;
    let output = match &execution.status {
        Status::Succeeded { output, .. } => Some(output),
        Status::Running | Status::Failed { .. } | Status::TimedOut { .. } | Status::Aborted { .. } => None,
    };
    let failure = match &execution.status {
        Status::Failed { failure, .. } | Status::Aborted { failure, .. } => Some(failure),
        // As DescribeExecution: a time-out shows neither error nor cause.
        Status::Running | Status::Succeeded { .. } | Status::TimedOut { .. } => None,
    };
    let (input_bytes, output_bytes) = (escaped_bytes(&execution.input), output.map_or(0, escaped_bytes));
    let shows_input = input_bytes + output_bytes <= EVENT_DATA_BYTES_MAX;
    let (input, input_details) = shown(Some(&execution.input), shows_input);
    let (output, output_details) = shown(output, output_bytes <= EVENT_DATA_BYTES_MAX);
    let status = &execution.status;
    let redrivable = NotRedrivable::check(status, false, execution.events, execution.start_ms, change.at_ms, limits);
    let qualifier = execution.qualifier.as_ref().map(|qualifier| qualifier.arns(&execution.state_machine_arn));
    let (version, alias) = qualifier.map_or((None, None), |(version, alias)| (Some(version), alias));
    let text = |text: Option<&str>| text.map_or(Value::Null, Value::from);
    let time = |ms: Option<i64>| ms.map_or(Value::Null, Value::from);
    Value::object([
        ("executionArn", Value::String(execution.arn.clone())),
        ("stateMachineArn", Value::String(execution.state_machine_arn.clone())),
        ("stateMachineVersionArn", text(version.as_deref())),
        ("stateMachineAliasArn", text(alias.as_deref())),
        ("name", Value::String(execution.name.clone())),
        ("status", Value::from(status_text(status))),
        ("startDate", Value::from(execution.start_ms)),
        ("stopDate", time(stop_ms(status))),
        ("input", input),
        ("output", output),
        ("inputDetails", input_details),
        ("outputDetails", output_details),
        ("error", text(failure.and_then(|failure| failure.error.as_deref()))),
        ("cause", text(failure.and_then(|failure| failure.cause.as_deref()))),
        ("redriveCount", Value::from(i64::try_from(execution.redrives.count).unwrap_or(i64::MAX))),
        ("redriveDate", time(execution.redrives.last_ms)),
        ("redriveStatus", Value::from(redrive_status(&redrivable, execution.child.is_some()))),
        ("redriveStatusReason", redrivable.err().map_or(Value::Null, |reason| Value::from(reason.to_string()))),
    ])
}

/// A payload's text and the details of it; both null where there is none.
fn shown(payload: Option<&Payload>, is_included: bool) -> (Value, Value) {
    let Some(payload) = payload else { return (Value::Null, Value::Null) };
    let text = if is_included { Value::String(payload.text().clone()) } else { Value::Null };
    (text, Value::object([("included", Value::Bool(is_included))]))
}

/// How long a payload's text is as a JSON text.
fn escaped_bytes(payload: &Payload) -> usize {
    // The text of most payloads is far from the bound, whatever has to be escaped in it: at most six bytes for one.
    if payload.bytes() * 6 <= EVENT_DATA_BYTES_MAX {
        return payload.bytes();
    }
    Value::String(payload.text().clone()).to_string().len()
}

#[cfg(test)]
mod tests {
    use stepwell_engine::{Qualifier, Summary};
    use stepwell_machine::{Failure, Redrives};

    use super::*;

    fn detail(status: Status, input: Payload, qualifier: Option<Qualifier>, redrives: Redrives) -> Value {
        let execution = Summary {
            arn: "arn:e".into(),
            name: "e".into(),
            state_machine_arn: "arn:m".into(),
            status,
            start_ms: 1_000,
            input,
            trace_header: None,
            events: 5,
            redrives,
            qualifier,
            child: None,
        };
        status_event_detail(&StatusChange { execution, at_ms: 2_500 }, &Limits::default())
    }

    fn plain(status: Status) -> Value {
        detail(status, Payload::from_checked_text("{ }"), None, Redrives::default())
    }

    #[test]
    fn as_recorded() {
        assert_eq!(
            plain(Status::Running).to_string(),
            r#"{"executionArn":"arn:e","stateMachineArn":"arn:m","stateMachineVersionArn":null,"stateMachineAliasArn":null,"name":"e","status":"RUNNING","startDate":1000,"stopDate":null,"input":"{ }","output":null,"inputDetails":{"included":true},"outputDetails":null,"error":null,"cause":null,"redriveCount":0,"redriveDate":null,"redriveStatus":"NOT_REDRIVABLE","redriveStatusReason":"Execution is RUNNING and cannot be redriven"}"#
        );
        let succeeded = Status::Succeeded { output: Payload::from_checked_text("[1]"), stop_ms: 2_500 };
        let succeeded = plain(succeeded).to_string();
        let middle = r#""status":"SUCCEEDED","startDate":1000,"stopDate":2500,"input":"{ }","output":"[1]","inputDetails":{"included":true},"outputDetails":{"included":true},"error":null"#;
        assert!(succeeded.contains(middle), "{succeeded}");
    }

    #[test]
    fn a_failure_a_version_and_a_redrive() {
        let failed = Status::Failed { failure: Failure::new("E", "C"), stop_ms: 2_500 };
        let qualifier = Qualifier { version: 7, alias: Some("PROD".into()) };
        let redrives = Redrives { count: 2, last_ms: Some(2_000) };
        let failed = detail(failed, Payload::from_checked_text("1"), Some(qualifier), redrives);
        let member = |name: &str| failed.get(name).map(ToString::to_string).unwrap();
        assert_eq!(member("error"), r#""E""#);
        assert_eq!(member("cause"), r#""C""#);
        assert_eq!(member("stateMachineVersionArn"), r#""arn:m:7""#);
        assert_eq!(member("stateMachineAliasArn"), r#""arn:m:PROD""#);
        assert_eq!((member("redriveCount"), member("redriveDate")), ("2".into(), "2000".into()));
        assert_eq!((member("redriveStatus"), member("redriveStatusReason")), (r#""REDRIVABLE""#.into(), "null".into()));
    }

    #[test]
    fn large_data_are_left_out() {
        let text = |bytes: usize| Payload::from_checked_text(format!("\"{}\"", "x".repeat(bytes)));
        let ended = |output: usize, input: usize| {
            let status = Status::Succeeded { output: text(output), stop_ms: 2_500 };
            let detail = detail(status, text(input), None, Redrives::default());
            ["inputDetails", "outputDetails"].map(|name| detail.get(name).map(ToString::to_string).unwrap())
        };
        let (yes, no) = (r#"{"included":true}"#.to_string(), r#"{"included":false}"#.to_string());
        assert_eq!(ended(100_000, 100_000), [yes.clone(), yes.clone()]);
        assert_eq!(ended(130_000, 130_000), [no.clone(), yes]);
        assert_eq!(ended(256_000, 1), [no.clone(), no]);
    }
}
