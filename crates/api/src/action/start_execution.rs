//! StartExecution.

use std::sync::Arc;

use stepwell_engine::{StartExecution, StartExecutionError};
use stepwell_expr::{Payload, json};

use crate::{
    action::Request,
    arn::{self, StateMachineArn},
    error::Error,
    fields::{ARN, Fields, NAME, PAYLOAD, TRACE_HEADER},
    mocks, name,
    writer::Writer,
};

/// The input of an execution that was started without one. Source: API reference.
const DEFAULT_INPUT: &str = "{}";

pub(crate) async fn answer(mut request: Request<'_>) -> Result<String, Error> {
    let mut asked = read(request.fields()?)?;
    // Source: API reference; the HTTP header wins over the member.
    asked.trace_header = request.trace_header.take().or(asked.trace_header);
    (asked.state_machine_arn, asked.test_case) = mocks::split(asked.state_machine_arn, request.mocks).await?;
    let arn = asked.state_machine_arn.clone();
    let started = request.engine.start_execution(asked).await.map_err(|error| refusal(error, arn))?;
    let mut answer = Writer::object();
    answer.string("executionArn", &started.arn);
    answer.timestamp("startDate", started.start_ms);
    Ok(answer.end())
}

fn read(mut fields: Fields<'_>) -> Result<StartExecution, Error> {
    let members = Members::read(&mut fields)?;
    fields.check()?;
    checked(members)
}

/// What both ways to start an execution are given.
pub(super) struct Members {
    arn: Arc<str>,
    name: Option<Arc<str>>,
    input: Option<Arc<str>>,
    trace_header: Option<Arc<str>>,
}

impl Members {
    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Members, Error> {
        Ok(Members {
            arn: fields.required_text("stateMachineArn", &ARN)?,
            name: fields.optional_text("name", &NAME)?,
            input: fields.optional_text("input", &PAYLOAD)?,
            trace_header: fields.optional_text("traceHeader", &TRACE_HEADER)?,
        })
    }
}

/// Once all constraints hold.
pub(super) fn checked(members: Members) -> Result<StartExecution, Error> {
    let Members { arn, name, input, trace_header } = members;
    match arn::state_machine(&arn)? {
        StateMachineArn::Plain | StateMachineArn::Version { .. } | StateMachineArn::Alias { .. } => {}
        StateMachineArn::Labelled => return Err(arn::labelled_not_supported(&arn)),
    }
    name.as_ref().map_or(Ok(()), name::check)?;
    Ok(StartExecution { state_machine_arn: arn, name, input: checked_input(input)?, trace_header, test_case: None })
}

/// The sentences are AWS's (recorded answers): of an empty text its own, else the parser's.
pub(super) fn checked_input(input: Option<Arc<str>>) -> Result<Payload, Error> {
    let Some(input) = input else {
        return Ok(Payload::from_checked_text(DEFAULT_INPUT));
    };
    if input.is_empty() {
        return Err(Error::InvalidExecutionInput("Invalid execution input.".into()));
    }
    json::check(&input).map_err(|error| Error::InvalidExecutionInput(error.message))?;
    Ok(Payload::from_checked_text(input))
}

pub(super) fn refusal(error: StartExecutionError, state_machine: Arc<str>) -> Error {
    match error {
        StartExecutionError::StateMachineDoesNotExist => Error::StateMachineDoesNotExist(state_machine),
        StartExecutionError::StateMachineDeleting => Error::StateMachineDeleting(state_machine),
        StartExecutionError::AlreadyExists { arn } => Error::ExecutionAlreadyExists(arn),
        StartExecutionError::TestCase(error) => Error::validation(error.to_string()),
        StartExecutionError::TooManyOpen => Error::ExecutionLimitExceeded,
        StartExecutionError::Unavailable(unavailable) => unavailable.into(),
    }
}

#[cfg(test)]
mod tests {
    use stepwell_expr::Value;

    use super::*;

    const MACHINE: &str = "arn:aws:states:us-east-1:123456789012:stateMachine:M";

    fn read_with(arn: &str, members: &[(&str, &str)]) -> Result<StartExecution, String> {
        let arn = ("stateMachineArn", Value::from(arn));
        let members = members.iter().map(|(name, value)| (*name, Value::from(*value)));
        let body = Value::object(std::iter::once(arn).chain(members));
        let found = Fields::of(&body).and_then(read);
        found.map_err(|error| format!("{}: {error}", error.code()))
    }

    #[test]
    fn input_keeps_its_spelling() {
        assert_eq!(&**read_with(MACHINE, &[]).unwrap().input.text(), "{}");
        for input in ["{ }", "null", "2", "\"some text\"", " [1, 2.0]\n"] {
            assert_eq!(&**read_with(MACHINE, &[("input", input)]).unwrap().input.text(), input);
        }
    }

    #[test]
    fn refusals() {
        let deep = "[".repeat(10_000);
        let labelled = format!("{MACHINE}/L");
        let cases = [
            (
                MACHINE,
                ("input", "not some json"),
                "InvalidExecutionInput: Invalid State Machine Execution Input: 'Unrecognized token 'not': was \
                 expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')'",
            ),
            (
                MACHINE,
                ("input", "{'not': 'json'"),
                "InvalidExecutionInput: Invalid State Machine Execution Input: 'Unexpected character (''' (code \
                 39)): was expecting double-quote to start field name'",
            ),
            (
                MACHINE,
                ("input", ""),
                "InvalidExecutionInput: Invalid State Machine Execution Input: 'Invalid execution input.'",
            ),
            (MACHINE, ("name", "a/b"), "InvalidName: Invalid Name: 'a/b'"),
            (
                MACHINE,
                ("name", ""),
                "ValidationException: 1 validation error detected: Value '' at 'name' failed to satisfy constraint: \
                 Member must have length greater than or equal to 1",
            ),
            (
                &labelled,
                ("name", "a"),
                "ValidationException: This API does not support labeled state machine ARNs: \
                 'arn:aws:states:us-east-1:123456789012:stateMachine:M/L'",
            ),
        ];
        for (arn, member, expected) in cases {
            assert_eq!(read_with(arn, &[member]).unwrap_err(), expected);
        }
        let error = read_with(MACHINE, &[("input", &deep)]).unwrap_err();
        assert!(error.starts_with("InvalidExecutionInput: "), "{error}");
    }
}
