//! The part of Lambda's API that is here: Invoke, ListFunctions, GetFunction; and the functions' logs.
//!
//! Source: Lambda API reference (2015-03-31).

use bytes::Bytes;
use hyper::{HeaderMap, Method, Response, StatusCode};
use percent_encoding::percent_decode_str;
use stepwell_expr::{Value, json};

use crate::{
    function::Runtime,
    limits::{CLIENT_CONTEXT_BYTES_MAX, PAYLOAD_BYTES_MAX},
    name::Name,
    pool::{Functions, Invocation, InvocationType, Pool},
};

const FUNCTIONS: &str = "/2015-03-31/functions";
/// Ours: `GET /stepwell/functions/NAME/logs`.
const LOGS: &str = "/stepwell/functions/";

/// What a path asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    List,
    Get { function: String },
    Configuration { function: String },
    Invoke { function: String },
    Logs { function: String },
}

/// A request whose body has been read.
#[derive(Clone, Debug)]
pub struct Request {
    pub part: Part,
    /// What stands behind the `?`.
    pub query: Option<String>,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Part {
    /// `None`: the path is none of these.
    pub fn of(path: &str, method: &Method) -> Option<Part> {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        if let Some(name) = path.strip_prefix(LOGS).and_then(|rest| rest.strip_suffix("/logs")) {
            return (method == Method::GET).then(|| Part::Logs { function: decoded(name) });
        }
        let rest = path.strip_prefix(FUNCTIONS)?.trim_matches('/');
        let parts: Vec<&str> = rest.split('/').collect();
        match (method, parts.as_slice()) {
            (&Method::GET, [""]) => Some(Part::List),
            (&Method::GET, [name]) => Some(Part::Get { function: decoded(name) }),
            (&Method::GET, [name, "configuration"]) => Some(Part::Configuration { function: decoded(name) }),
            (&Method::POST, [name, "invocations"]) => Some(Part::Invoke { function: decoded(name) }),
            _ => None,
        }
    }
}

impl Functions {
    /// Answers a request of Lambda's API.
    pub async fn answer(&self, request: Request) -> Response<Bytes> {
        let of = |function: &str, show: &dyn Fn(&Pool) -> Response<Bytes>| {
            let name = Name::parse(function);
            let pool = name.and_then(|name| self.pool(&name.function));
            pool.map_or_else(|| self.not_found(function), |pool| show(pool))
        };
        match &request.part {
            Part::List => {
                let functions = self.pools().map(|pool| configuration(pool)).collect();
                let list = [("Functions", Value::array(functions)), ("NextMarker", Value::Null)];
                answer(StatusCode::OK, Value::object(list).to_string())
            }
            Part::Get { function } => of(function, &|pool| {
                let code = Value::object([("RepositoryType", Value::from("Local"))]);
                let members = [("Configuration", configuration(pool)), ("Code", code)];
                answer(StatusCode::OK, Value::object(members).to_string())
            }),
            Part::Configuration { function } => {
                of(function, &|pool| answer(StatusCode::OK, configuration(pool).to_string()))
            }
            Part::Logs { function } => {
                of(function, &|pool| answer_as(StatusCode::OK, "text/plain; charset=utf-8", pool.log.text()))
            }
            Part::Invoke { function } => match invocation(function, &request) {
                Ok(invocation) => match self.call(invocation).await {
                    Some(answer) => answer,
                    None => self.not_found(function),
                },
                Err((code, message)) => refusal(StatusCode::BAD_REQUEST, code, &message),
            },
        }
    }

    /// Whether a function of this name is on this machine.
    pub fn has(&self, function: &str) -> bool {
        self.pool(function).is_some()
    }

    /// Invoke, as Lambda answers it: the status, the headers and the payload. `None`: there is no such function here.
    pub async fn call(&self, invocation: Invocation) -> Option<Response<Bytes>> {
        let pool = self.pool(&invocation.name.function)?;
        let too_many = || {
            let text = "{\"Reason\":\"ReservedFunctionConcurrentInvocationLimitExceeded\",\"Type\":\"User\",\
                        \"message\":\"Rate Exceeded.\"}";
            let mut response = answer(StatusCode::TOO_MANY_REQUESTS, text);
            set(&mut response, "x-amzn-ErrorType", "TooManyRequestsException");
            response
        };
        if invocation.payload.len() > PAYLOAD_BYTES_MAX {
            let text = format!(
                "{} byte payload is too large for the RequestResponse invocation type (limit {PAYLOAD_BYTES_MAX} bytes)",
                invocation.payload.len()
            );
            return Some(refusal(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", &text));
        }
        Some(match invocation.kind {
            InvocationType::DryRun => answer(StatusCode::NO_CONTENT, ""),
            InvocationType::Event => match pool.invoke_later(invocation) {
                Ok(()) => answer(StatusCode::ACCEPTED, ""),
                Err(_) => too_many(),
            },
            InvocationType::RequestResponse => match pool.invoke(&invocation).await {
                Ok(invoked) => {
                    let mut response = answer(StatusCode::OK, invoked.payload);
                    set(&mut response, "x-amzn-RequestId", &invoked.request_id);
                    set(&mut response, "X-Amz-Executed-Version", "$LATEST");
                    if invoked.failed {
                        set(&mut response, "X-Amz-Function-Error", "Unhandled");
                    }
                    if let Some(log) = &invoked.log {
                        set(&mut response, "X-Amz-Log-Result", log);
                    }
                    response
                }
                Err(_) => too_many(),
            },
        })
    }

    fn not_found(&self, function: &str) -> Response<Bytes> {
        let host = self.host();
        let arn = format!("arn:aws:lambda:{}:{}:function:{function}", host.region, host.account);
        let arn = if function.starts_with("arn:") { function.to_owned() } else { arn };
        refusal(StatusCode::NOT_FOUND, "ResourceNotFoundException", &format!("Function not found: {arn}"))
    }
}

/// What Invoke asks for; else Lambda's error code and a sentence.
fn invocation(function: &str, request: &Request) -> Result<Invocation, (&'static str, String)> {
    let invalid = |text: String| ("InvalidParameterValueException", text);
    let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
    let mut name = Name::parse(function)
        .ok_or_else(|| ("ValidationException", format!("`{function}` is no name or ARN of a function")))?;
    let qualifier = request.query.as_deref().unwrap_or("").split('&').find_map(|pair| pair.strip_prefix("Qualifier="));
    if let Some(qualifier) = qualifier {
        name.qualifier = Some(percent_decode_str(qualifier).decode_utf8_lossy().into_owned());
    }
    let kind = match header("X-Amz-Invocation-Type") {
        None | Some("RequestResponse") => InvocationType::RequestResponse,
        Some("Event") => InvocationType::Event,
        Some("DryRun") => InvocationType::DryRun,
        Some(other) => return Err(invalid(format!("unknown invocation type `{other}`"))),
    };
    let client_context = header("X-Amz-Client-Context").map(str::to_owned);
    if client_context.as_ref().is_some_and(|context| context.len() > CLIENT_CONTEXT_BYTES_MAX) {
        return Err(invalid("the client context is too large".to_owned()));
    }
    let payload = if request.body.is_empty() { Bytes::from_static(b"{}") } else { request.body.clone() };
    let text = std::str::from_utf8(&payload).map_err(|error| not_json(&error.to_string()))?;
    json::check(text).map_err(|error| not_json(&error.message))?;
    Ok(Invocation { name, kind, client_context, with_log: header("X-Amz-Log-Type") == Some("Tail"), payload })
}

fn not_json(reason: &str) -> (&'static str, String) {
    ("InvalidRequestContentException", format!("Could not parse request body into json: {reason}"))
}

/// A function as ListFunctions and GetFunction show it.
fn configuration(pool: &Pool) -> Value {
    let function = &pool.function;
    let whole = |number: u64| Value::from(i64::try_from(number).unwrap_or(i64::MAX));
    let mut members = vec![
        ("FunctionName", Value::from(function.name.as_str())),
        ("FunctionArn", Value::from(pool.arn.as_str())),
        ("Runtime", Value::from(function.runtime.label())),
        ("Handler", Value::from(function.runtime.handler())),
        ("Timeout", whole(function.timeout.as_secs())),
        ("Version", Value::from("$LATEST")),
        ("PackageType", Value::from("Zip")),
        ("State", Value::from("Active")),
        ("LastUpdateStatus", Value::from("Successful")),
    ];
    if let Some(mb) = function.memory_mb {
        members.push(("MemorySize", whole(mb)));
    }
    if let Runtime::Command { command, .. } = &function.runtime {
        members.push(("Description", Value::from(command.join(" "))));
    }
    Value::object(members)
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Response<Bytes> {
    let body = Value::object([("Type", Value::from("User")), ("Message", Value::from(message))]);
    let mut response = answer(status, body.to_string());
    set(&mut response, "x-amzn-ErrorType", code);
    response
}

fn answer(status: StatusCode, body: impl Into<Bytes>) -> Response<Bytes> {
    answer_as(status, "application/json", body)
}

fn answer_as(status: StatusCode, content_type: &str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    set(&mut response, "Content-Type", content_type);
    response
}

/// What is no header value is left out: all of ours are visible ASCII.
fn set(response: &mut Response<Bytes>, name: &'static str, value: &str) {
    if let Ok(value) = value.parse() {
        response.headers_mut().insert(name, value);
    }
}
