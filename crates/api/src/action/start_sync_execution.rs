//! StartSyncExecution: runs an Express execution while the caller waits.

use stepwell_engine::{ExpressExecution, StartExecution, StartSyncExecutionError};
use stepwell_machine::Status;

use super::{
    describe_execution::{payload, status_name, write_failure},
    start_execution::{self, Members},
};
use crate::{
    action::Request,
    error::Error,
    fields::Fields,
    limits::{BILLED_MB, BILLED_MS},
    machine_view::IncludedData,
    mocks,
    writer::Writer,
};

pub(crate) async fn answer(mut request: Request<'_>) -> Result<String, Error> {
    let (mut asked, included) = read(request.fields()?)?;
    // Source: API reference; the HTTP header wins over the member.
    asked.trace_header = request.trace_header.take().or(asked.trace_header);
    (asked.state_machine_arn, asked.test_case) = mocks::split(asked.state_machine_arn, request.mocks).await?;
    let arn = asked.state_machine_arn.clone();
    let ended = request.engine.start_sync_execution(asked).await.map_err(|error| match error {
        StartSyncExecutionError::Start(error) => start_execution::refusal(error, arn),
        StartSyncExecutionError::TypeNotSupported => Error::StateMachineTypeNotSupported,
    })?;
    Ok(write(&ended, included))
}

fn read(mut fields: Fields<'_>) -> Result<(StartExecution, IncludedData), Error> {
    let members = Members::read(&mut fields)?;
    let included = IncludedData::read(&mut fields)?;
    fields.check()?;
    Ok((start_execution::checked(members)?, included))
}

/// An execution that failed is no error of the call. Source: recorded answers. One that runs is shown to the console alone.
pub(crate) fn write(ended: &ExpressExecution, included: IncludedData) -> String {
    let mut answer = Writer::object();
    answer.string("executionArn", &ended.arn);
    answer.string("stateMachineArn", &ended.state_machine_arn);
    answer.string("name", &ended.name);
    answer.timestamp("startDate", ended.start_ms);
    if !ended.is_running() {
        answer.timestamp("stopDate", ended.stop_ms);
    }
    answer.string("status", status_name(&ended.status));
    payload(&mut answer, ("input", "inputDetails"), &ended.input, included);
    match &ended.status {
        Status::Succeeded { output, .. } => payload(&mut answer, ("output", "outputDetails"), output, included),
        Status::Failed { failure, .. } | Status::TimedOut { failure, .. } | Status::Aborted { failure, .. } => {
            write_failure(&mut answer, failure, included);
            let all = included == IncludedData::All;
            answer.member_object("outputDetails", |details| details.bool("included", all));
        }
        Status::Running => {}
    }
    answer.optional_string("traceHeader", ended.trace_header.as_deref());
    if ended.is_running() {
        return answer.end();
    }
    answer.member_object("billingDetails", |billing| {
        let megabytes = (ended.bytes as u64).div_ceil(1024 * 1024);
        let duration_ms = ended.stop_ms.saturating_sub(ended.start_ms).unsigned_abs();
        billing.number("billedMemoryUsedInMB", rounded_up(megabytes, BILLED_MB));
        billing.number("billedDurationInMilliseconds", rounded_up(duration_ms, BILLED_MS));
    });
    answer.end()
}

/// To the next multiple, and at least to the first.
fn rounded_up(amount: u64, unit: u64) -> u64 {
    amount.div_ceil(unit).max(1) * unit
}

#[cfg(test)]
mod tests {
    use stepwell_expr::Payload;
    use stepwell_machine::Failure;

    use super::*;

    fn written(status: Status, included: IncludedData) -> String {
        let ended = ExpressExecution {
            arn: "arn:e".into(),
            name: "e".into(),
            state_machine_arn: "arn:m".into(),
            status,
            start_ms: 1_000,
            stop_ms: 1_101,
            input: Payload::from_checked_text("{ }"),
            trace_header: None,
            history: Vec::new(),
            history_missing: 0,
            bytes: 64 * 1024 * 1024 + 1,
        };
        let text = write(&ended, included);
        let head =
            r#"{"executionArn":"arn:e","stateMachineArn":"arn:m","name":"e","startDate":1.000,"stopDate":1.101,"#;
        text.strip_prefix(head).expect("the head").to_string()
    }

    #[test]
    fn each_end() {
        let billing = r#""billingDetails":{"billedMemoryUsedInMB":128,"billedDurationInMilliseconds":200}}"#;
        let input = r#""input":"{ }","inputDetails":{"included":true}"#;
        let output = || Payload::from_checked_text("1");
        let failure = Failure::new("E", "C");
        let cases = [
            (
                Status::Succeeded { output: output(), stop_ms: 1_101 },
                format!(r#""status":"SUCCEEDED",{input},"output":"1","outputDetails":{{"included":true}},{billing}"#),
            ),
            (
                Status::Failed { failure, stop_ms: 1_101 },
                format!(
                    r#""status":"FAILED",{input},"error":"E","cause":"C","outputDetails":{{"included":true}},{billing}"#
                ),
            ),
            (
                Status::TimedOut { failure: Failure::named("States.Timeout"), stop_ms: 1_101 },
                format!(
                    r#""status":"TIMED_OUT",{input},"error":"States.Timeout","outputDetails":{{"included":true}},{billing}"#
                ),
            ),
        ];
        for (status, expected) in cases {
            assert_eq!(written(status, IncludedData::All), expected);
        }
        assert_eq!(
            written(Status::Succeeded { output: output(), stop_ms: 1_101 }, IncludedData::MetadataOnly),
            format!(
                r#""status":"SUCCEEDED","inputDetails":{{"included":false}},"outputDetails":{{"included":false}},{billing}"#
            )
        );
    }

    #[test]
    fn bills_are_rounded_up() {
        assert_eq!([0, 1, 100, 101].map(|ms| rounded_up(ms, BILLED_MS)), [100, 100, 100, 200]);
        assert_eq!([0, 64, 65].map(|mb| rounded_up(mb, BILLED_MB)), [64, 64, 128]);
    }
}
