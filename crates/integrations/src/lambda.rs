//! Lambda: a function named by `Resource`, and `lambda:invoke`.

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use stepwell_expr::{Object, Payload, Value, json};
use stepwell_machine::Failure;

use crate::{
    Work,
    aws::{
        CallError,
        node::ParameterError,
        protocol::{Call, ServiceError},
    },
    failure::{COMMON_CODES, Names, of_optimised, optimised_cause},
    http::Answer,
    local, metadata,
    parameters::own_problem,
};

/// What stays as it is in one part of a path.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b':');

const NAMES: Names = Names { prefix: "Lambda", service: "AWSLambda", base: "AWSLambdaException" };

/// One invocation, as the Invoke API takes it.
struct Invocation {
    function: String,
    qualifier: Option<String>,
    headers: Vec<(&'static str, String)>,
    payload: Bytes,
}

/// `Resource` is the function's ARN: the input is the payload, the function's answer the output.
pub(crate) async fn invoke_function(work: &Work<'_>, arn: &str) -> Result<Payload, Failure> {
    let (function, qualifier) = split_qualifier(arn);
    let payload = Bytes::copy_from_slice(work.parameters().text().as_bytes());
    let answer = send(work, Invocation { function, qualifier, headers: Vec::new(), payload }).await?;
    if answer.is_function_error() {
        return Err(function_failure(&String::from_utf8_lossy(&answer.body)));
    }
    Ok(payload_of(&answer.body))
}

/// What is wrong with parameters.
pub(crate) fn problem(given: &Value) -> Option<ParameterError> {
    own_problem("lambda", "invoke", given).err()
}

/// `arn:aws:states:::lambda:invoke`. Source: the API's Invoke and recordings.
pub(crate) async fn invoke(work: &Work<'_>) -> Result<Payload, Failure> {
    let parameters = work.parameters().value();
    let text = |name: &str| parameters.get(name).and_then(Value::as_str);
    let Some(function) = text("FunctionName") else {
        return Err(Failure::new("States.Runtime", "The parameter `FunctionName` is required and must be a string."));
    };
    let (function, qualifier) = split_qualifier(function);
    let headers = [
        ("X-Amz-Invocation-Type", text("InvocationType")),
        ("X-Amz-Client-Context", text("ClientContext")),
        ("X-Amz-Log-Type", text("LogType")),
    ];
    let headers = headers.into_iter().filter_map(|(name, value)| Some((name, value?.to_owned()))).collect();
    let payload = match parameters.get("Payload") {
        None | Some(Value::Null) => Bytes::from_static(b"{}"),
        // A string that holds JSON is sent as that JSON. Source: recordings.
        Some(Value::String(text)) if json::check(text).is_ok() => Bytes::copy_from_slice(text.as_bytes()),
        Some(value) => Bytes::from(value.to_string()),
    };
    let qualifier = text("Qualifier").map(str::to_owned).or(qualifier);
    let answer = send(work, Invocation { function, qualifier, headers, payload }).await?;
    if answer.is_function_error() {
        // The payload is read and written anew: compact. Source: recordings.
        return Err(function_failure(&payload_of(&answer.body).value().to_string()));
    }
    Ok(Payload::from_value(invoke_output(&answer)))
}

async fn send(work: &Work<'_>, invocation: Invocation) -> Result<Answer, Failure> {
    let Invocation { function, qualifier, headers, payload } = &invocation;
    if let Some(answer) = local::call(work.functions(), function, qualifier.as_deref(), headers, payload).await {
        return if answer.status.is_success() { Ok(answer) } else { Err(refusal(&answer)) };
    }
    let function = utf8_percent_encode(&invocation.function, PART);
    let mut call = Call {
        method: "POST".into(),
        path: format!("/2015-03-31/functions/{function}/invocations"),
        headers: vec![("Content-Type".into(), "application/json".into())],
        body: invocation.payload,
        ..Call::default()
    };
    call.query.extend(invocation.qualifier.map(|qualifier| ("Qualifier".into(), qualifier)));
    let headers = invocation.headers.into_iter();
    call.headers.extend(headers.map(|(name, value)| (name.to_owned(), value)));
    let failed = |error: CallError| {
        let failure = of_optimised(&NAMES, &error, work.parameters().text(), work.execution_role());
        match (&error, &failure.cause) {
            // Whoever meant a function of this machine would not look for credentials.
            (CallError::NoCredentials, Some(cause)) => {
                let name = &invocation.function;
                let hint =
                    format!("{cause} (the function `{name}` is not on this machine, and no Lambda endpoint is set)");
                Failure { cause: Some(hint.into()), ..failure }
            }
            _ => failure,
        }
    };
    let answer = work.aws().send_to_lambda(&work.caller(), call).await.map_err(failed)?;
    if !answer.status.is_success() {
        return Err(refusal(&answer));
    }
    Ok(answer)
}

impl Answer {
    /// The call succeeded, the function did not.
    fn is_function_error(&self) -> bool {
        self.headers.contains_key("X-Amz-Function-Error")
    }
}

/// A function's ARN may end in a version or an alias: `arn:aws:lambda:R:A:function:NAME:ALIAS`.
fn split_qualifier(function: &str) -> (String, Option<String>) {
    let parts: Vec<&str> = function.split(':').collect();
    match parts.as_slice() {
        ["arn", _, "lambda", _, _, "function", _, qualifier] => (parts[..7].join(":"), Some((*qualifier).to_owned())),
        _ => (function.to_owned(), None),
    }
}

/// A function's answer as a JSON document; a body that is no JSON becomes a string.
fn payload_of(body: &[u8]) -> Payload {
    match std::str::from_utf8(body) {
        Ok("") => Payload::from_value(Value::Null),
        Ok(text) if json::check(text).is_ok() => Payload::from_checked_text(text),
        _ => Payload::from_value(Value::from(String::from_utf8_lossy(body).into_owned())),
    }
}

/// Members in AWS's order, which is that of their names. Source: recordings.
fn invoke_output(answer: &Answer) -> Value {
    let header = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok());
    let mut output = Object::default();
    // Absent of what is only queued, or not run at all (`Event`, `DryRun`). Source: the API's Invoke.
    if let Some(version) = header("X-Amz-Executed-Version") {
        output.insert("ExecutedVersion".into(), version.into());
    }
    if let Some(log) = header("X-Amz-Log-Result") {
        output.insert("LogResult".into(), log.into());
    }
    output.insert("Payload".into(), payload_of(&answer.body).value().clone());
    metadata::add(&mut output, answer);
    output.insert("StatusCode".into(), Value::from(i64::from(answer.status.as_u16())));
    Value::Object(output.into())
}

/// The function itself failed. Source: recordings; `Lambda.Unknown` from the Step Functions guide.
fn function_failure(payload: &str) -> Failure {
    let error = json::parse(payload).ok().and_then(|value| value.get("errorType")?.as_str().map(str::to_owned));
    match error {
        Some(error) => Failure::new(error, payload),
        None => Failure::new(
            "Lambda.Unknown",
            format!(
                "The cause could not be determined because Lambda did not return an error type. Returned payload: {payload}"
            ),
        ),
    }
}

/// Lambda refused the call. Source: recordings; users' reports for codes that Lambda's model does not have.
fn refusal(answer: &Answer) -> Failure {
    let body = String::from_utf8_lossy(&answer.body);
    let message = json::parse(&body).ok().and_then(|value| {
        let message = value.get("Message").or_else(|| value.get("message"))?;
        message.as_str().map(str::to_owned)
    });
    let message = message.unwrap_or_else(|| body.into_owned());
    let code =
        answer.headers.get("x-amzn-ErrorType").and_then(|value| value.to_str().ok()).unwrap_or("ServiceException");
    let code = code.split(':').next().unwrap_or(code);
    let name = match code {
        code if COMMON_CODES.contains(&code) => NAMES.base.to_owned(),
        code if code.ends_with("Exception") => code.to_owned(),
        code => format!("{code}Exception"),
    };
    let error = ServiceError {
        code: code.to_owned(),
        message: Some(message),
        status: answer.status.as_u16(),
        request_id: metadata::request_id(&answer.headers).to_owned(),
        extended_request_id: None,
    };
    Failure::new(format!("{}.{name}", NAMES.prefix), optimised_cause(&NAMES, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_qualifier_is_taken_from_a_full_arn_only() {
        let plain = "arn:aws:lambda:us-east-1:123456789012:function:f";
        assert_eq!(split_qualifier(plain), (plain.to_owned(), None));
        assert_eq!(split_qualifier(&format!("{plain}:live")), (plain.to_owned(), Some("live".to_owned())));
        assert_eq!(split_qualifier("f"), ("f".to_owned(), None));
    }

    #[test]
    fn a_function_error_is_named_by_its_type() {
        let payload = r#"{"errorMessage": "m", "errorType": "Custom"}"#;
        let failure = function_failure(payload);
        assert_eq!(failure.error.as_deref(), Some("Custom"));
        assert_eq!(failure.cause.as_deref(), Some(payload));
        let failure = function_failure("{}");
        assert_eq!(failure.error.as_deref(), Some("Lambda.Unknown"));
    }

    #[test]
    fn an_answer_keeps_its_text_and_plain_text_becomes_a_string() {
        assert_eq!(&**payload_of(b"{\"a\": 1}").text(), "{\"a\": 1}");
        assert_eq!(&**payload_of(b"plain").text(), "\"plain\"");
        assert_eq!(&**payload_of(b"").text(), "null");
    }

    #[test]
    fn a_refusal_is_named_as_the_sdk_names_it() {
        let refused = |code: &'static str| {
            let mut headers = hyper::HeaderMap::new();
            headers.insert("x-amzn-ErrorType", hyper::header::HeaderValue::from_static(code));
            let body = Bytes::from_static(br#"{"Message":"m"}"#);
            refusal(&Answer { status: hyper::StatusCode::FORBIDDEN, headers, body })
        };
        let failure = refused("ResourceNotFoundException:http://x");
        assert_eq!(failure.error.as_deref(), Some("Lambda.ResourceNotFoundException"));
        let failure = refused("AccessDeniedException");
        assert_eq!(failure.error.as_deref(), Some("Lambda.AWSLambdaException"));
        let cause = "m (Service: AWSLambda; Status Code: 403; Error Code: AccessDeniedException; Request ID: null; Proxy: null)";
        assert_eq!(failure.cause.as_deref(), Some(cause));
    }

    #[test]
    fn what_is_only_queued_has_no_version() {
        let mut answer =
            Answer { status: hyper::StatusCode::ACCEPTED, headers: hyper::HeaderMap::new(), body: Bytes::new() };
        assert_eq!(invoke_output(&answer).get("ExecutedVersion"), None);
        answer.headers.insert("X-Amz-Executed-Version", hyper::header::HeaderValue::from_static("3"));
        assert_eq!(invoke_output(&answer).get("ExecutedVersion"), Some(&Value::from("3")));
    }
}
