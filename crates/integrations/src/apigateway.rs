//! API Gateway: `apigateway:invoke` calls an endpoint of a REST or HTTP API.
//!
//! Source: Step Functions guide, "Call API Gateway with Step Functions", and recordings.

use stepwell_expr::{Payload, Value, json};
use stepwell_machine::Failure;

use crate::{
    Work,
    aws::{CallError, node::ParameterError, protocol::Call},
    metadata,
    parameters::only_own,
};

const METHODS: &[&str] = &["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];
/// Headers that callers may not give, and beginnings of such.
const FORBIDDEN: &[&str] = &[
    "authorization",
    "connection",
    "content-md5",
    "expect",
    "host",
    "max-forwards",
    "proxy-authenticate",
    "server",
    "te",
    "transfer-encoding",
    "trailer",
    "upgrade",
    "via",
    "www-authenticate",
];
const FORBIDDEN_BEGINNINGS: &[&str] = &["x-forwarded", "x-amz", "x-amzn"];

/// What is wrong with parameters.
pub(crate) fn problem(given: &Value) -> Option<String> {
    let text = |name: &str| given.get(name).and_then(Value::as_str);
    if let Err(unknown) = only_own("apigateway", "invoke", given) {
        return Some(unknown.to_string());
    }
    if let Some(name) = ["ApiEndpoint", "Method"].into_iter().find(|name| text(name).is_none()) {
        return Some(ParameterError::Missing(name.to_owned()).to_string());
    }
    let is_method = text("Method").is_some_and(|method| METHODS.contains(&method));
    let is_auth = text("AuthType").is_none_or(|name| ["NO_AUTH", "IAM_ROLE", "RESOURCE_POLICY"].contains(&name));
    let malformed = |name: &&str| lists(name, given.get(name)).is_err();
    let invalid = match (is_method, is_auth) {
        (false, _) => Some("Method"),
        (_, false) => Some("AuthType"),
        _ => ["Headers", "QueryParameters"].into_iter().find(malformed),
    };
    invalid.map(|name| format!("The value of the field '{name}' has an invalid format"))
}

pub(crate) async fn invoke(work: &Work<'_>) -> Result<Payload, Failure> {
    let given = work.parameters().value();
    only_own("apigateway", "invoke", given).map_err(|unknown| work.parameter_failure(&unknown))?;
    let text = |name: &str| given.get(name).and_then(Value::as_str);
    let required =
        |name: &str| text(name).ok_or_else(|| work.parameter_failure(&ParameterError::Missing(name.to_owned())));
    let endpoint = required("ApiEndpoint")?;
    let method = required("Method")?;
    if !METHODS.contains(&method) {
        return Err(invalid("Method"));
    }
    let signing = match text("AuthType") {
        None | Some("NO_AUTH") => None,
        Some("IAM_ROLE" | "RESOURCE_POLICY") => Some("execute-api"),
        Some(_) => return Err(invalid("AuthType")),
    };
    let headers = lists("Headers", given.get("Headers"))?;
    let forbidden = |name: &str| {
        let name = name.to_ascii_lowercase();
        FORBIDDEN.contains(&&*name) || FORBIDDEN_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
    };
    if let Some((name, _)) = headers.iter().find(|(name, _)| forbidden(name)) {
        return Err(Failure::new("States.Runtime", format!("The header '{name}' is not allowed")));
    }
    let parts = [text("Stage"), text("Path")].into_iter().flatten().map(|part| part.trim_matches('/'));
    let path: String = parts.filter(|part| !part.is_empty()).map(|part| format!("/{part}")).collect();
    let mut call = Call {
        method: method.to_owned(),
        path: if path.is_empty() { "/".to_owned() } else { path },
        query: lists("QueryParameters", given.get("QueryParameters"))?,
        headers,
        ..Call::default()
    };
    let body = given.get("RequestBody").filter(|body| !body.is_null());
    if let Some(body) = body.filter(|_| ["POST", "PUT", "PATCH"].contains(&method)) {
        call.body = body.to_string().into();
        if !call.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            call.headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
    }
    let url = if endpoint.contains("://") { endpoint.to_owned() } else { format!("https://{endpoint}") };
    let answer = work.aws().send_to(&work.caller(), url, signing, call).await.map_err(|error| match error {
        CallError::Client(_) | CallError::NoCredentials => {
            Failure::new("ApiGateway.SdkClientException", error.to_string())
        }
        error => work.any_failure(&error),
    })?;
    let body = String::from_utf8_lossy(&answer.body);
    if !answer.status.is_success() {
        return Err(Failure::new(format!("ApiGateway.{}", answer.status.as_u16()), body));
    }
    let (headers, _) = metadata::headers(&answer.headers);
    Ok(Payload::from_value(Value::object([
        ("Headers", headers),
        ("ResponseBody", json::parse(&body).unwrap_or_else(|_| Value::from(&*body))),
        ("StatusCode", Value::from(i64::from(answer.status.as_u16()))),
        ("StatusText", Value::from(answer.status.canonical_reason().unwrap_or(""))),
    ])))
}

/// Names with their lists of texts. Source of the sentence: recordings.
pub(crate) fn lists(field: &str, value: Option<&Value>) -> Result<Vec<(String, String)>, Failure> {
    let mut pairs = Vec::new();
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(pairs) };
    for (name, values) in value.as_object().ok_or_else(|| invalid(field))? {
        for value in values.as_array().ok_or_else(|| invalid(field))? {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            pairs.push((name.to_string(), text));
        }
    }
    Ok(pairs)
}

pub(crate) fn invalid(field: &str) -> Failure {
    Failure::new("States.Runtime", format!("The value of the field '{field}' has an invalid format"))
}
