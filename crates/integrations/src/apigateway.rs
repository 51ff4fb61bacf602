//! API Gateway: `apigateway:invoke` calls an endpoint of a REST or HTTP API.
//!
//! Source: Step Functions guide, "Call API Gateway with Step Functions", and recordings.

use stepwell_expr::{Payload, Value, json};
use stepwell_machine::Failure;

use crate::{
    Work,
    aws::{CallError, node::ParameterError, protocol::Call},
    metadata,
    parameters::own_problem,
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

/// What a task asks for.
struct Asked<'a> {
    endpoint: &'a str,
    /// The service in whose name the call is signed.
    signing: Option<&'static str>,
    call: Call,
}

/// What is wrong with parameters.
enum Wrong {
    Parameter(ParameterError),
    /// The value of this field.
    Value(&'static str),
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Wrong::Parameter(error) => error.fmt(f),
            Wrong::Value(field) => f.write_str(&invalid_text(field)),
        }
    }
}

/// What is wrong with parameters, if anything is.
pub(crate) fn problem(given: &Value) -> Option<String> {
    read(given).err().map(|wrong| wrong.to_string())
}

fn read(given: &Value) -> Result<Asked<'_>, Wrong> {
    own_problem("apigateway", "invoke", given).map_err(Wrong::Parameter)?;
    let text = |name: &str| given.get(name).and_then(Value::as_str);
    let required = |name: &str| text(name).ok_or_else(|| Wrong::Parameter(ParameterError::Missing(name.to_owned())));
    let (endpoint, method) = (required("ApiEndpoint")?, required("Method")?);
    if !METHODS.contains(&method) {
        return Err(Wrong::Value("Method"));
    }
    let signing = match text("AuthType") {
        None | Some("NO_AUTH") => None,
        Some("IAM_ROLE" | "RESOURCE_POLICY") => Some("execute-api"),
        Some(_) => return Err(Wrong::Value("AuthType")),
    };
    let lists = |field: &'static str| lists(field, given.get(field)).map_err(|_| Wrong::Value(field));
    let parts = [text("Stage"), text("Path")].into_iter().flatten().map(|part| part.trim_matches('/'));
    let path: String = parts.filter(|part| !part.is_empty()).map(|part| format!("/{part}")).collect();
    let call = Call {
        method: method.to_owned(),
        path: if path.is_empty() { "/".to_owned() } else { path },
        headers: lists("Headers")?,
        query: lists("QueryParameters")?,
        ..Call::default()
    };
    Ok(Asked { endpoint, signing, call })
}

pub(crate) async fn invoke(work: &Work<'_>) -> Result<Payload, Failure> {
    let given = work.parameters().value();
    let Asked { endpoint, signing, mut call } = read(given).map_err(|wrong| match wrong {
        Wrong::Parameter(error) => work.parameter_failure(&error),
        Wrong::Value(field) => invalid(field),
    })?;
    let forbidden = |name: &str| {
        let name = name.to_ascii_lowercase();
        FORBIDDEN.contains(&&*name) || FORBIDDEN_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
    };
    if let Some((name, _)) = call.headers.iter().find(|(name, _)| forbidden(name)) {
        return Err(Failure::new("States.Runtime", format!("The header '{name}' is not allowed")));
    }
    let body = given.get("RequestBody").filter(|body| !body.is_null());
    if let Some(body) = body.filter(|_| ["POST", "PUT", "PATCH"].contains(&&*call.method)) {
        let keeps_nulls = given.get("AllowNullValues") == Some(&Value::Bool(true));
        call.body = if keeps_nulls { body.to_string() } else { without_nulls(body).to_string() }.into();
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

/// Without members that are `null`, at any depth. Recursion is bounded by the depth that every value has.
///
/// Source: Step Functions guide, `AllowNullValues`.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(_, value)| !value.is_null());
            Value::object(kept.map(|(name, value)| (name.clone(), without_nulls(value))))
        }
        Value::Array(items) => Value::array(items.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
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
    Failure::new("States.Runtime", invalid_text(field))
}

fn invalid_text(field: &str) -> String {
    format!("The value of the field '{field}' has an invalid format")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_that_are_null_are_left_out() {
        let body = json::parse(r#"{"a":null,"b":[null,{"c":null,"d":1.0}],"e":""}"#).unwrap();
        assert_eq!(without_nulls(&body).to_string(), r#"{"b":[null,{"d":1.0}],"e":""}"#);
    }

    #[test]
    fn what_is_wrong_with_parameters() {
        let cases = [
            (r#""Method":"GET""#, None),
            (r#""Method":"GET","Headers":{"a":["b"]},"Path":"/x","AuthType":"IAM_ROLE""#, None),
            (r#""Path":"x""#, Some("Method")),
            (r#""Method":"get""#, Some("'Method' has an invalid format")),
            (r#""Method":"GET","AuthType":"BASIC""#, Some("'AuthType' has an invalid format")),
            (r#""Method":"GET","Headers":{"a":"b"}"#, Some("'Headers' has an invalid format")),
            (r#""Method":"GET","QueryParameters":[]"#, Some("'QueryParameters' has an invalid format")),
            (r#""Method":"GET","Verb":"x""#, Some("Verb")),
        ];
        for (fields, expected) in cases {
            let problem = problem(&json::parse(&format!(r#"{{"ApiEndpoint":"x",{fields}}}"#)).unwrap());
            match expected {
                Some(part) => {
                    assert!(problem.as_deref().is_some_and(|text| text.contains(part)), "{fields}: {problem:?}")
                }
                None => assert_eq!(problem, None, "{fields}"),
            }
        }
    }
}
