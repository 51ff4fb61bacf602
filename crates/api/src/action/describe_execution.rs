//! DescribeExecution.

use std::sync::Arc;

use stepwell_engine::{Clock, ExecutionError, NotRedrivable, StatusName, Summary, SystemClock};
use stepwell_expr::Payload;
use stepwell_machine::{Failure, Redrives, Status};

use crate::{
    action::Request,
    arn,
    error::Error,
    fields::ARN,
    machine_view::{self, IncludedData},
    writer::Writer,
};

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let mut fields = request.fields()?;
    let arn = fields.required_text("executionArn", &ARN)?;
    let included = IncludedData::read(&mut fields)?;
    fields.check()?;
    if arn::described_execution(&arn)? {
        let summary = request.engine.express_child(&arn).await.map_err(|error| refusal(error, arn))?;
        return Ok(describe(&summary, Err(NotRedrivable::Express), false, included));
    }
    let summary = request.engine.execution(&arn).await.map_err(|error| refusal(error, arn))?;
    let machine = request.engine.state_machine(arn::unlabelled(&summary.state_machine_arn));
    let deleting = machine.is_none_or(|machine| machine.deleting);
    let limits = &request.engine.quotas().limits;
    // One that is gone has no say any more.
    let map_run = match &summary.child {
        Some(child) => request.engine.map_run(&child.map_run_arn).await.ok(),
        None => None,
    };
    let pending = map_run.is_some_and(|run| run.awaits_redrive(status_of(&summary.status), stop_ms(&summary.status)));
    let now_ms = SystemClock.now_ms();
    let redrivable = NotRedrivable::check(&summary.status, deleting, summary.events, summary.start_ms, now_ms, limits);
    Ok(describe(&summary, redrivable, pending, included))
}

pub(super) fn refusal(error: ExecutionError, arn: Arc<str>) -> Error {
    match error {
        ExecutionError::DoesNotExist => Error::ExecutionDoesNotExist(arn),
        ExecutionError::Unavailable(unavailable) => unavailable.into(),
    }
}

/// `pending`: its Map Run is to redrive it.
fn describe(summary: &Summary, redrivable: Result<(), NotRedrivable>, pending: bool, included: IncludedData) -> String {
    let mut answer = Writer::object();
    answer.string("executionArn", &summary.arn);
    answer.string("stateMachineArn", &summary.state_machine_arn);
    answer.string("name", &summary.name);
    answer.string("status", if pending { "PENDING_REDRIVE" } else { status_name(&summary.status) });
    answer.timestamp("startDate", summary.start_ms);
    if let Some(stop_ms) = stop_ms(&summary.status) {
        answer.timestamp("stopDate", stop_ms);
    }
    payload(&mut answer, ("input", "inputDetails"), &summary.input, included);
    match &summary.status {
        Status::Succeeded { output, .. } => payload(&mut answer, ("output", "outputDetails"), output, included),
        Status::Failed { failure, .. } | Status::Aborted { failure, .. } => {
            write_failure(&mut answer, failure, included);
        }
        // Source: recorded answers; a time-out shows neither error nor cause.
        Status::TimedOut { .. } | Status::Running => {}
    }
    answer.optional_string("traceHeader", summary.trace_header.as_deref());
    answer.optional_string("mapRunArn", summary.child.as_ref().map(|child| &*child.map_run_arn));
    machine_view::write_qualifier(&mut answer, &summary.state_machine_arn, summary.qualifier.as_ref());
    write_redrives(&mut answer, &summary.redrives);
    answer.string("redriveStatus", redrive_status(&redrivable, summary.child.is_some()));
    answer.optional_string("redriveStatusReason", redrivable.err().map(|reason| reason.to_string()).as_deref());
    answer.end()
}

pub(crate) fn redrive_status(redrivable: &Result<(), NotRedrivable>, is_child: bool) -> &'static str {
    match redrivable {
        Ok(()) if is_child => "REDRIVABLE_BY_MAP_RUN",
        Ok(()) => "REDRIVABLE",
        Err(_) => "NOT_REDRIVABLE",
    }
}

pub(super) fn write_redrives(answer: &mut Writer, redrives: &Redrives) {
    answer.number("redriveCount", redrives.count);
    if let Some(last_ms) = redrives.last_ms {
        answer.timestamp("redriveDate", last_ms);
    }
}

pub(crate) fn status_name(status: &Status) -> &'static str {
    match status {
        Status::Running => "RUNNING",
        Status::Succeeded { .. } => "SUCCEEDED",
        Status::Failed { .. } => "FAILED",
        Status::TimedOut { .. } => "TIMED_OUT",
        Status::Aborted { .. } => "ABORTED",
    }
}

fn status_of(status: &Status) -> StatusName {
    match status {
        Status::Running => StatusName::Running,
        Status::Succeeded { .. } => StatusName::Succeeded,
        Status::Failed { .. } => StatusName::Failed,
        Status::TimedOut { .. } => StatusName::TimedOut,
        Status::Aborted { .. } => StatusName::Aborted,
    }
}

pub(crate) fn stop_ms(status: &Status) -> Option<i64> {
    match status {
        Status::Running => None,
        Status::Succeeded { stop_ms, .. }
        | Status::Failed { stop_ms, .. }
        | Status::TimedOut { stop_ms, .. }
        | Status::Aborted { stop_ms, .. } => Some(*stop_ms),
    }
}

pub(super) fn payload(answer: &mut Writer, (text, details): (&str, &str), payload: &Payload, included: IncludedData) {
    let all = included == IncludedData::All;
    if all {
        answer.string(text, payload.text());
    }
    answer.member_object(details, |details| details.bool("included", all));
}

pub(super) fn write_failure(answer: &mut Writer, failure: &Failure, included: IncludedData) {
    if included == IncludedData::All {
        answer.optional_string("error", failure.error.as_deref());
        answer.optional_string("cause", failure.cause.as_deref());
    }
}

#[cfg(test)]
mod tests {
    use stepwell_machine::limits::Limits;

    use super::*;

    fn describe_as(status: Status, included: IncludedData, machine_deleting: bool, now_ms: i64) -> String {
        let summary = Summary {
            arn: "arn:e".into(),
            name: "e".into(),
            state_machine_arn: "arn:m".into(),
            status,
            start_ms: 1_000,
            input: Payload::from_checked_text("{ }"),
            trace_header: None,
            events: 5,
            redrives: Redrives::default(),
            qualifier: None,
            child: None,
        };
        let limits = Limits::default();
        let redrivable =
            NotRedrivable::check(&summary.status, machine_deleting, summary.events, summary.start_ms, now_ms, &limits);
        let text = describe(&summary, redrivable, false, included);
        let head = r#"{"executionArn":"arn:e","stateMachineArn":"arn:m","name":"e","status":""#;
        text.strip_prefix(head).expect("the head").to_string()
    }

    #[test]
    fn each_status() {
        let failure = || Failure::new("E", "C");
        let input = r#""input":"{ }","inputDetails":{"included":true}"#;
        let output = Payload::from_checked_text("1");
        let cases = [
            (
                Status::Running,
                format!(
                    r#"RUNNING","startDate":1.000,{input},"redriveCount":0,"redriveStatus":"NOT_REDRIVABLE","redriveStatusReason":"Execution is RUNNING and cannot be redriven"}}"#
                ),
            ),
            (
                Status::Succeeded { output, stop_ms: 2_500 },
                format!(
                    r#"SUCCEEDED","startDate":1.000,"stopDate":2.500,{input},"output":"1","outputDetails":{{"included":true}},"redriveCount":0,"redriveStatus":"NOT_REDRIVABLE","redriveStatusReason":"Execution is SUCCEEDED and cannot be redriven"}}"#
                ),
            ),
            (
                Status::Failed { failure: failure(), stop_ms: 2_500 },
                format!(
                    r#"FAILED","startDate":1.000,"stopDate":2.500,{input},"error":"E","cause":"C","redriveCount":0,"redriveStatus":"REDRIVABLE"}}"#
                ),
            ),
            (
                Status::TimedOut { failure: failure(), stop_ms: 2_500 },
                format!(
                    r#"TIMED_OUT","startDate":1.000,"stopDate":2.500,{input},"redriveCount":0,"redriveStatus":"REDRIVABLE"}}"#
                ),
            ),
            (
                Status::Aborted { failure: Failure { error: None, cause: None }, stop_ms: 2_500 },
                format!(
                    r#"ABORTED","startDate":1.000,"stopDate":2.500,{input},"redriveCount":0,"redriveStatus":"REDRIVABLE"}}"#
                ),
            ),
        ];
        for (status, expected) in cases {
            assert_eq!(describe_as(status, IncludedData::All, false, 3_000), expected);
        }
    }

    #[test]
    fn metadata_only() {
        let failed = Status::Failed { failure: Failure::new("E", "C"), stop_ms: 2_500 };
        assert_eq!(
            describe_as(failed, IncludedData::MetadataOnly, false, 3_000),
            r#"FAILED","startDate":1.000,"stopDate":2.500,"inputDetails":{"included":false},"redriveCount":0,"redriveStatus":"REDRIVABLE"}"#
        );
    }
}
