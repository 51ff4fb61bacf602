//! Step Functions itself: `states:startExecution` goes to the server's own executions, not over the network.
//!
//! Source: Step Functions guide, "Start workflow executions from a task state", and recordings.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use stepwell_expr::{Object, Payload, Value, json};
use stepwell_machine::{Failure, program::ServicePattern, root::Root};
use tokio::time::sleep;

use crate::{
    Work,
    aws::{node::ParameterError, protocol::ServiceError},
    failure::{COMMON_CODES, Names, optimised_cause},
    limits::{EXECUTION_POLL_FIRST_MS, EXECUTION_POLL_MAX_MS},
    parameters::own_problem,
};

/// The Step Functions API of the server that the task runs in.
pub trait StepFunctions: Send + Sync + 'static {
    /// Answers an action (`StartExecution`) with the status and the JSON of its HTTP answer.
    ///
    /// A start with an `origin` that has started an execution before finds that one.
    fn call(&self, action: &'static str, body: String, origin: Option<Root>) -> StepFunctionsAnswer;
}

/// What [`StepFunctions::call`] gives: an HTTP status and a JSON text.
pub type StepFunctionsAnswer = Pin<Box<dyn Future<Output = (u16, String)> + Send + 'static>>;

const NAMES: Names = Names { prefix: "StepFunctions", service: "AWSStepFunctions", base: "AWSStepFunctionsException" };
const FIELDS: [(&str, &str); 4] =
    [("StateMachineArn", "stateMachineArn"), ("Name", "name"), ("Input", "input"), ("TraceHeader", "traceHeader")];

/// What is wrong with parameters, if anything is.
pub(crate) fn problem(given: &Value) -> Option<ParameterError> {
    read(given).err()
}

/// The members of StartExecution.
fn read(given: &Value) -> Result<Object, ParameterError> {
    own_problem("states", "startExecution", given)?;
    let mut body = Object::default();
    for (field, member) in FIELDS {
        match given.get(field) {
            None | Some(Value::Null) => {}
            // A text that is given as input is the input's own text, anything else is written as JSON.
            Some(Value::String(text)) => _ = body.insert(member.into(), Value::String(text.clone())),
            Some(value) => _ = body.insert(member.into(), Value::from(value.to_string())),
        }
    }
    Ok(body)
}

/// Starts an execution: the whole task, or its submission.
pub(crate) async fn start(work: &Work<'_>) -> Result<Payload, Failure> {
    let mut body = read(work.parameters().value()).map_err(|error| work.parameter_failure(&error))?;
    if !body.contains_key("name") {
        // The same in every run of this attempt.
        body.insert("name".into(), Value::String(work.caller().token));
    }
    let body = Value::Object(body.into()).to_string();
    let answer = call(work, "StartExecution", body, Some(work.request.origin)).await?;
    let request_id = Value::String(work.caller().token);
    let headers = [
        ("Content-Type", Value::from("application/x-amz-json-1.0")),
        ("connection", "keep-alive".into()),
        ("x-amzn-RequestId", request_id.clone()),
    ];
    let all = headers.clone().map(|(name, value)| (name, Value::array(vec![value])));
    Ok(Payload::from_value(Value::object([
        ("ExecutionArn", answer.get("executionArn").cloned().unwrap_or_default()),
        (
            "SdkHttpMetadata",
            Value::object([
                ("AllHttpHeaders", Value::object(all)),
                ("HttpHeaders", Value::object(headers)),
                ("HttpStatusCode", Value::from(200)),
            ]),
        ),
        ("SdkResponseMetadata", Value::object([("RequestId", request_id)])),
        ("StartDate", milliseconds(answer.get("startDate"))),
    ])))
}

/// Waits for the end of the execution that was started.
pub(crate) async fn watch(work: &Work<'_>, submitted: &Value) -> Result<Payload, Failure> {
    let arn = submitted.get("ExecutionArn").cloned().unwrap_or_default();
    let body = Value::object([("executionArn", arn)]).to_string();
    let mut pause = Duration::from_millis(EXECUTION_POLL_FIRST_MS);
    loop {
        let described = match call(work, "DescribeExecution", body.clone(), None).await {
            Ok(described) => described,
            // The server is stopping, or cannot read just now: the execution goes on all the same.
            Err(failure) if is_passing(&failure) => Value::Null,
            Err(failure) => return Err(failure),
        };
        match described.get("status").and_then(Value::as_str) {
            Some("SUCCEEDED") => return Ok(Payload::from_value(shown(&described, parses_texts(work)))),
            Some("FAILED" | "TIMED_OUT" | "ABORTED") => {
                return Err(Failure::new("States.TaskFailed", shown(&described, parses_texts(work)).to_string()));
            }
            _ => {}
        }
        sleep(pause).await;
        pause = (pause * 3 / 2).min(Duration::from_millis(EXECUTION_POLL_MAX_MS));
    }
}

/// Stops the execution that was started. One that cannot be stopped has ended; an error says why it is to be tried again.
pub(crate) async fn stop(work: &Work<'_>, submitted: &Value) -> Result<(), String> {
    let arn = submitted.get("ExecutionArn").cloned().unwrap_or_default();
    let body = Value::object([("executionArn", arn)]).to_string();
    match call(work, "StopExecution", body, None).await {
        Err(failure) if is_passing(&failure) => Err(failure.cause.as_deref().unwrap_or("no answer").to_owned()),
        // It has gone already.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// True if the server is stopping, or cannot read just now.
fn is_passing(failure: &Failure) -> bool {
    failure.error.as_deref().is_some_and(|error| error.ends_with(".AWSStepFunctionsException"))
}

fn parses_texts(work: &Work<'_>) -> bool {
    work.pattern() == Some(ServicePattern::Sync2)
}

async fn call(work: &Work<'_>, action: &'static str, body: String, origin: Option<Root>) -> Result<Value, Failure> {
    let Some(own) = work.step_functions() else {
        return Err(Failure::new("Stepwell.NotSupported", "nested executions need a running server"));
    };
    let (status, text) = own.call(action, body, origin).await;
    let answer = json::parse(&text).unwrap_or_default();
    if status == 200 {
        return Ok(answer);
    }
    let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
    let code = text("__type").unwrap_or_default();
    let code = code.rsplit('#').next().unwrap_or_default().to_owned();
    let name = match &*code {
        code if status >= 500 || COMMON_CODES.contains(&code) => NAMES.base.to_owned(),
        code if code.ends_with("Exception") => code.to_owned(),
        code => format!("{code}Exception"),
    };
    let error = ServiceError {
        code,
        message: text("message").or_else(|| text("Message")),
        status,
        request_id: work.caller().token.to_string(),
        extended_request_id: None,
    };
    Err(Failure::new(format!("{}.{name}", NAMES.prefix), optimised_cause(&NAMES, &error)))
}

/// DescribeExecution's answer as a task's result, members by their names. Source: recordings; of a failed one, output is
/// left out.
fn shown(described: &Value, parses_texts: bool) -> Value {
    let members = described.as_object().cloned().unwrap_or_default();
    let members = members.iter().map(|(name, value)| {
        let value = match (&**name, value) {
            ("startDate" | "stopDate" | "redriveDate", value) => milliseconds(Some(value)),
            ("input" | "output", Value::String(text)) if parses_texts => {
                json::parse(text).unwrap_or_else(|_| Value::String(text.clone()))
            }
            ("inputDetails" | "outputDetails", value) => {
                Value::object([("Included", value.get("included").cloned().unwrap_or_default())])
            }
            (_, value) => value.clone(),
        };
        let mut name = name.to_string();
        if let Some(first) = name.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        (Arc::from(name), value)
    });
    let mut members: Object = members.collect();
    members.sort_unstable_keys();
    Value::Object(members.into())
}

/// Of seconds with a fraction. Source: recordings show a number; that it counts milliseconds is not recorded.
fn milliseconds(seconds: Option<&Value>) -> Value {
    let seconds = seconds.and_then(Value::as_f64).unwrap_or_default();
    Value::from((seconds * 1_000.0).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_a_start() {
        let read = |given: &str| read(&json::parse(given).unwrap());
        let body =
            read(r#"{"StateMachineArn":"a","Name":null,"Input":{"x":1}}"#).map(|body| Value::Object(body.into()));
        assert_eq!(body.unwrap().to_string(), r#"{"stateMachineArn":"a","input":"{\"x\":1}"}"#);
        let text = read(r#"{"StateMachineArn":"a","Input":"{ }"}"#).unwrap();
        assert_eq!(text.get("input"), Some(&Value::from("{ }")), "a text is the input's own");
        for missing in ["{}", r#"{"StateMachineArn":null}"#] {
            assert_eq!(read(missing).unwrap_err(), ParameterError::Missing("StateMachineArn".to_owned()));
        }
        assert_eq!(read(r#"{"StateMachineArn":"a","X":1}"#).unwrap_err(), ParameterError::Unknown("X".to_owned()));
    }

    #[test]
    fn an_execution_is_shown_as_a_result() {
        let described = json::parse(
            r#"{"executionArn":"a","startDate":1.500,"input":"{\"a\": 1}","inputDetails":{"included":true},"output":"2"}"#,
        );
        let described = described.unwrap();
        let text = r#"{"ExecutionArn":"a","Input":"{\"a\": 1}","InputDetails":{"Included":true},"Output":"2","StartDate":1500}"#;
        assert_eq!(shown(&described, false).to_string(), text);
        let parsed =
            r#"{"ExecutionArn":"a","Input":{"a":1},"InputDetails":{"Included":true},"Output":2,"StartDate":1500}"#;
        assert_eq!(shown(&described, true).to_string(), parsed);
    }
}
