//! From a task's parameters and its connection to a request.

use bytes::Bytes;
use hyper::{
    HeaderMap, Method, Request, Uri,
    header::{CONTENT_TYPE, HeaderName, HeaderValue, RANGE, USER_AGENT},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use stepwell_expr::{Object, Value, json};

use crate::{
    connection::{self, Connection, HttpParameter},
    limits,
};

/// What stays as it is in a query or in a form.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'*');

const JSON: &str = "application/json; charset=UTF-8";
const FORM: &str = "application/x-www-form-urlencoded";

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"];

/// Headers that a task must not set; those that end in `-` stand for all that begin so. Source: Step Functions guide.
const FORBIDDEN: &[&str] = &[
    "a-im",
    "accept-charset",
    "accept-datetime",
    "accept-encoding",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-md5",
    "date",
    "expect",
    "forwarded",
    "from",
    "host",
    "http2-settings",
    "if-",
    "max-forwards",
    "origin",
    "pragma",
    "proxy-authorization",
    "referer",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "warning",
    "x-forwarded-",
    "x-amz-",
    "x-amzn-",
];

/// How arrays are written in a form. Source: Step Functions guide, `RequestEncodingOptions`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ArrayFormat {
    /// `a[0]=x&a[1]=y`
    #[default]
    Indices,
    /// `a=x&a=y`
    Repeat,
    /// `a=x,y`
    Commas,
    /// `a[]=x&a[]=y`
    Brackets,
}

/// The parameters of an HTTP Task, checked.
#[derive(Clone, Debug)]
pub(crate) struct Parameters {
    endpoint: String,
    method: Method,
    pub(crate) connection_arn: String,
    headers: HeaderMap,
    query: Vec<(String, String)>,
    body: Option<Value>,
    /// `Some`: the body is a form.
    form: Option<ArrayFormat>,
}

impl Parameters {
    /// The error is a sentence.
    pub(crate) fn read(value: &Value) -> Result<Parameters, String> {
        const KNOWN: &[&str] = &[
            "ApiEndpoint",
            "Method",
            "Authentication",
            "InvocationConfig",
            "Headers",
            "QueryParameters",
            "RequestBody",
            "Transform",
        ];
        let members = only(value, "Parameters", KNOWN)?;
        let method = text(members, "Method")?;
        if !METHODS.contains(&method) {
            return Err(format!("The value of the field 'Method' is not supported: {method}"));
        }
        Ok(Parameters {
            endpoint: text(members, "ApiEndpoint")?.to_owned(),
            method: method.parse().map_err(|_| "The field 'Method' is no method".to_owned())?,
            connection_arn: connection_arn(members)?,
            headers: headers(members.get("Headers"))?,
            query: query(members.get("QueryParameters"))?,
            body: members.get("RequestBody").filter(|body| !body.is_null()).cloned(),
            form: form(members.get("Transform"))?,
        })
    }

    /// The request without its authorisation. What the connection has wins over what the task has.
    pub(crate) fn request(
        self,
        connection: &Connection,
        region: &str,
        plain_hosts: &[String],
    ) -> Result<Request<Bytes>, String> {
        let mut headers = self.headers;
        headers.extend(connection::headers(&connection.headers)?);
        let body = match with_connection_body(self.body, &connection.body)? {
            None => Bytes::new(),
            Some(body) => {
                let default = if self.form.is_some() { FORM } else { JSON };
                let kind = headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(default));
                let is_json = kind.to_str().is_ok_and(|kind| kind.to_ascii_lowercase().contains("json"));
                match self.form {
                    Some(format) => encoded_form(&body, format)?.into(),
                    None => encoded(&body, is_json).into(),
                }
            }
        };
        // Source: Step Functions guide.
        let agent = format!("Amazon|StepFunctions|HttpInvoke|{region}");
        headers.insert(USER_AGENT, HeaderValue::from_str(&agent).map_err(|_| "the region is no text".to_owned())?);
        headers.insert(RANGE, HeaderValue::from_static("bytes=0-262144"));
        let uri = uri(&self.endpoint, self.query, &connection.query, plain_hosts)?;
        let mut request = Request::new(body);
        *request.method_mut() = self.method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }
}

fn only<'v>(value: &'v Value, what: &str, known: &[&str]) -> Result<&'v Object, String> {
    let members = value.as_object().ok_or_else(|| format!("The field '{what}' must be an object"))?;
    match members.keys().find(|name| !known.contains(&&***name)) {
        Some(name) => Err(format!("The field \"{name}\" is not supported by Step Functions")),
        None => Ok(members),
    }
}

fn text<'v>(members: &'v Object, name: &str) -> Result<&'v str, String> {
    let value = members.get(name).ok_or_else(|| format!("The field '{name}' is required but was missing"))?;
    value.as_str().ok_or_else(|| format!("The value of the field '{name}' must be a string"))
}

fn connection_arn(members: &Object) -> Result<String, String> {
    let within = |name: &str| -> Result<Option<String>, String> {
        let Some(value) = members.get(name) else { return Ok(None) };
        let inner = only(value, name, &["ConnectionArn"])?;
        Ok(Some(text(inner, "ConnectionArn")?.to_owned()))
    };
    match (within("Authentication")?, within("InvocationConfig")?) {
        (Some(arn), None) | (None, Some(arn)) => Ok(arn),
        (None, None) => Err("The field 'Authentication' is required but was missing".to_owned()),
        (Some(_), Some(_)) => Err("The fields 'Authentication' and 'InvocationConfig' exclude each other".to_owned()),
    }
}

fn headers(value: Option<&Value>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    let Some(value) = value else { return Ok(headers) };
    let members = value.as_object().ok_or("The value of the field 'Headers' has an invalid format")?;
    for (name, value) in members {
        let lower = name.to_ascii_lowercase();
        let is_forbidden =
            FORBIDDEN.iter().any(|known| if known.ends_with('-') { lower.starts_with(known) } else { lower == *known });
        if is_forbidden {
            return Err(format!("The header '{name}' is not supported by Step Functions"));
        }
        let parsed: HeaderName = name.parse().map_err(|_| format!("The header '{name}' has an invalid name"))?;
        for value in scalars(value).ok_or_else(|| format!("The header '{name}' has an invalid value"))? {
            let value = value.parse().map_err(|_| format!("The header '{name}' has an invalid value"))?;
            headers.append(parsed.clone(), value);
        }
    }
    Ok(headers)
}

/// A string, number or boolean, or a list of them, as texts.
fn scalars(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(items) => items.iter().map(scalar).collect(),
        value => Some(vec![scalar(value)?]),
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.to_string()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null => Some(String::new()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// A list gives its parameter several times; an object in it, or in its place, is sent as JSON.
fn query(value: Option<&Value>) -> Result<Vec<(String, String)>, String> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let members = value.as_object().ok_or("The value of the field 'QueryParameters' has an invalid format")?;
    let pairs = members.iter().flat_map(|(name, value)| {
        let values = match value {
            Value::Array(items) => items.iter().collect(),
            value => vec![value],
        };
        let shown = |value: &Value| scalar(value).unwrap_or_else(|| value.to_string());
        values.into_iter().map(move |value| (name.to_string(), shown(value)))
    });
    Ok(pairs.collect())
}

fn form(transform: Option<&Value>) -> Result<Option<ArrayFormat>, String> {
    let Some(transform) = transform else { return Ok(None) };
    let members = only(transform, "Transform", &["RequestBodyEncoding", "RequestEncodingOptions"])?;
    let format = match members.get("RequestEncodingOptions") {
        None => ArrayFormat::default(),
        Some(options) => {
            let options = only(options, "RequestEncodingOptions", &["ArrayFormat"])?;
            match options.get("ArrayFormat").map(|format| format.as_str()) {
                None | Some(Some("INDICES")) => ArrayFormat::Indices,
                Some(Some("REPEAT")) => ArrayFormat::Repeat,
                Some(Some("COMMAS")) => ArrayFormat::Commas,
                Some(Some("BRACKETS")) => ArrayFormat::Brackets,
                Some(_) => return Err("The value of the field 'ArrayFormat' is not supported".to_owned()),
            }
        }
    };
    match members.get("RequestBodyEncoding").map(|encoding| encoding.as_str()) {
        None | Some(Some("NONE")) => Ok(None),
        Some(Some("URL_ENCODED")) => Ok(Some(format)),
        Some(_) => Err("The value of the field 'RequestBodyEncoding' is not supported".to_owned()),
    }
}

fn with_connection_body(body: Option<Value>, added: &[HttpParameter]) -> Result<Option<Value>, String> {
    if added.is_empty() {
        return Ok(body);
    }
    let mut members = match body {
        None => Object::default(),
        Some(Value::Object(members)) => Object::clone(&members),
        Some(_) => return Err("The connection adds to the body of the request, which is no object".to_owned()),
    };
    for HttpParameter { key, value } in added {
        members.insert(key.as_str().into(), Value::from(value.reveal()));
    }
    Ok(Some(Value::Object(members.into())))
}

/// A string is sent as it is where it is no JSON that is expected, or is JSON text already.
fn encoded(body: &Value, is_json: bool) -> String {
    match body {
        Value::String(text) if !is_json || json::check(text).is_ok() => text.to_string(),
        body => body.to_string(),
    }
}

fn encoded_form(body: &Value, format: ArrayFormat) -> Result<String, String> {
    let members = body.as_object().ok_or("A URL-encoded body must be an object")?;
    let mut pairs = Vec::new();
    for (name, value) in members {
        add_pairs(name, value, format, &mut pairs);
    }
    Ok(pairs.join("&"))
}

/// Nested members are written as `a[b]=x`. Values are no deeper than `stepwell_expr` lets any be.
fn add_pairs(name: &str, value: &Value, format: ArrayFormat, pairs: &mut Vec<String>) {
    let part = |text: &str| utf8_percent_encode(text, PART).to_string();
    match value {
        Value::Object(members) => {
            for (member, value) in members.iter() {
                add_pairs(&format!("{name}[{member}]"), value, format, pairs);
            }
        }
        Value::Array(items) if format == ArrayFormat::Commas => {
            let items = items.iter().map(|item| part(&scalar(item).unwrap_or_else(|| item.to_string())));
            pairs.push(format!("{}={}", part(name), items.collect::<Vec<_>>().join(",")));
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let name = match format {
                    ArrayFormat::Indices => format!("{name}[{index}]"),
                    ArrayFormat::Brackets => format!("{name}[]"),
                    ArrayFormat::Repeat | ArrayFormat::Commas => name.to_owned(),
                };
                add_pairs(&name, item, format, pairs);
            }
        }
        value => pairs.push(format!("{}={}", part(name), part(&scalar(value).unwrap_or_default()))),
    }
}

fn uri(
    endpoint: &str,
    query: Vec<(String, String)>,
    added: &[HttpParameter],
    plain_hosts: &[String],
) -> Result<Uri, String> {
    if endpoint.len() > limits::HTTP_TASK_URL_BYTES_MAX {
        return Err("The value of the field 'ApiEndpoint' is too long".to_owned());
    }
    let invalid = || format!("The value of the field 'ApiEndpoint' is no URL that can be called: {endpoint}");
    let parsed: Uri = endpoint.parse().map_err(|_| invalid())?;
    let authority = parsed.authority().ok_or_else(invalid)?;
    match parsed.scheme_str() {
        _ if authority.as_str().contains('@') => return Err(invalid()),
        Some("https") => {}
        // Differs from AWS: without TLS nothing is called there.
        Some("http") if may_be_plain(authority.host(), authority.as_str(), plain_hosts) => {}
        Some("http") => {
            return Err(format!(
                "The value of the field 'ApiEndpoint' must begin with https://; name the host in `plain_hosts` under \
                 [http] in stepwell.toml to call it without TLS: {endpoint}"
            ));
        }
        _ => return Err(invalid()),
    }
    let mine = query.iter().filter(|(name, _)| !added.iter().any(|parameter| parameter.key == *name));
    let mine = mine.map(|(name, value)| (name.as_str(), value.as_str()));
    let theirs = added.iter().map(|parameter| (parameter.key.as_str(), parameter.value.reveal()));
    let pairs: Vec<String> = mine.chain(theirs).map(pair).collect();
    // Of the endpoint's own query, too, the connection's values win.
    let own = parsed.query().unwrap_or("").split('&').filter(|pair| {
        let name = pair.split('=').next().unwrap_or(pair);
        let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
        !pair.is_empty() && !added.iter().any(|parameter| parameter.key == *name)
    });
    let all: Vec<&str> = own.chain(pairs.iter().map(String::as_str)).collect();
    let path = match parsed.path() {
        "" => "/",
        path => path,
    };
    let target = if all.is_empty() { path.to_owned() } else { format!("{path}?{}", all.join("&")) };
    let scheme = parsed.scheme_str().unwrap_or("https");
    // The URL is not shown: it may hold what the connection added.
    let built = Uri::builder().scheme(scheme).authority(authority.as_str()).path_and_query(target).build();
    built.map_err(|_| "The URL with its query parameters cannot be sent".to_owned())
}

pub(super) fn pair((name, value): (&str, &str)) -> String {
    format!("{}={}", utf8_percent_encode(name, PART), utf8_percent_encode(value, PART))
}

/// Loopback, and what is configured.
fn may_be_plain(host: &str, authority: &str, plain_hosts: &[String]) -> bool {
    let host = host.trim_matches(['[', ']']);
    let is_loopback =
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    is_loopback || plain_hosts.iter().any(|known| known == host || known == authority)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::{ApiKey, Authorization, Secret};

    fn parse(text: &str) -> Value {
        json::parse(text).unwrap()
    }

    fn connection(headers: &[(&str, &str)], query: &[(&str, &str)], body: &[(&str, &str)]) -> Connection {
        let all = |pairs: &[(&str, &str)]| {
            let parameter =
                |(key, value): &(&str, &str)| HttpParameter { key: (*key).into(), value: Secret::new(*value) };
            pairs.iter().map(parameter).collect()
        };
        let key = ApiKey { name: "X-Key".into(), value: Secret::new("k") };
        Connection {
            name: "c".into(),
            authorization: Authorization::ApiKey(key),
            headers: all(headers),
            query: all(query),
            body: all(body),
        }
    }

    fn request(more: &str, connection: &Connection) -> Result<Request<Bytes>, String> {
        let text = format!(
            r#"{{"ApiEndpoint":"https://api.example/v1?own=1&dup=0","Method":"POST","Authentication":{{"ConnectionArn":"a"}}{more}}}"#
        );
        Parameters::read(&parse(&text))?.request(connection, "eu-west-1", &[])
    }

    fn body_of(request: &Request<Bytes>) -> String {
        String::from_utf8(request.body().to_vec()).unwrap()
    }

    #[test]
    fn a_form_has_four_ways_to_write_arrays() {
        let body = parse(r#"{"a": ["x", "y z"], "o": {"n": 1, "l": [true]}, "e": null}"#);
        let cases = [
            (ArrayFormat::Indices, "a%5B0%5D=x&a%5B1%5D=y%20z&o%5Bn%5D=1&o%5Bl%5D%5B0%5D=true&e="),
            (ArrayFormat::Repeat, "a=x&a=y%20z&o%5Bn%5D=1&o%5Bl%5D=true&e="),
            (ArrayFormat::Commas, "a=x,y%20z&o%5Bn%5D=1&o%5Bl%5D=true&e="),
            (ArrayFormat::Brackets, "a%5B%5D=x&a%5B%5D=y%20z&o%5Bn%5D=1&o%5Bl%5D%5B%5D=true&e="),
        ];
        for (format, expected) in cases {
            assert_eq!(encoded_form(&body, format).unwrap(), expected, "{format:?}");
        }
        assert!(encoded_form(&parse("[1]"), ArrayFormat::Repeat).is_err());
    }

    #[test]
    fn the_connection_wins() {
        let connection = connection(&[("X-Tenant", "theirs")], &[("dup", "2"), ("q", "c d")], &[("b", "theirs")]);
        let more = r#","Headers":{"X-Tenant":"mine","X-List":["1","2"]},"QueryParameters":{"q":"mine","l":["a","b"]},
                      "RequestBody":{"a":1,"b":"mine"}"#;
        let request = request(more, &connection).unwrap();
        assert_eq!(request.uri().to_string(), "https://api.example/v1?own=1&l=a&l=b&dup=2&q=c%20d");
        let header = |name: &str| {
            let values = request.headers().get_all(name).iter();
            values.map(|value| value.to_str().unwrap().to_owned()).collect::<Vec<_>>().join("|")
        };
        assert_eq!(header("x-tenant"), "theirs");
        assert_eq!(header("x-list"), "1|2");
        assert_eq!(header("user-agent"), "Amazon|StepFunctions|HttpInvoke|eu-west-1");
        assert_eq!(header("range"), "bytes=0-262144");
        assert_eq!(header("content-type"), "application/json; charset=UTF-8");
        assert_eq!(body_of(&request), r#"{"a":1,"b":"theirs"}"#);
    }

    #[test]
    fn bodies_by_their_content_type() {
        let plain = connection(&[], &[], &[]);
        let cases = [
            (r#","RequestBody":"text""#, "\"text\""),
            (r#","RequestBody":"{\"a\": 1}""#, "{\"a\": 1}"),
            (r#","RequestBody":"text","Headers":{"Content-Type":"text/plain"}"#, "text"),
            (r#","RequestBody":{"a":[1]},"Transform":{"RequestBodyEncoding":"URL_ENCODED"}"#, "a%5B0%5D=1"),
            (
                r#","RequestBody":{"a":[1]},"Transform":{"RequestBodyEncoding":"URL_ENCODED","RequestEncodingOptions":{"ArrayFormat":"REPEAT"}}"#,
                "a=1",
            ),
            (r#","RequestBody":null"#, ""),
        ];
        for (more, expected) in cases {
            assert_eq!(body_of(&request(more, &plain).unwrap()), expected, "{more}");
        }
    }

    #[test]
    fn what_is_refused() {
        let adds_a_body = connection(&[], &[], &[("b", "1")]);
        let cases = [
            (r#","Headers":{"Authorization":"x"}"#, "The header 'Authorization' is not supported"),
            (r#","Headers":{"If-Match":"x"}"#, "The header 'If-Match' is not supported"),
            (r#","Headers":{"X-Amz-Date":"x"}"#, "The header 'X-Amz-Date' is not supported"),
            (r#","Headers":{"X":{}}"#, "The header 'X' has an invalid value"),
            (r#","Headers":[]"#, "The value of the field 'Headers' has an invalid format"),
            (r#","QueryParameters":"a=b""#, "The value of the field 'QueryParameters' has an invalid format"),
            (r#","RequestBody":"text""#, "The connection adds to the body"),
            (r#","Other":1"#, "The field \"Other\" is not supported by Step Functions"),
            (r#","Transform":{"RequestBodyEncoding":"X"}"#, "'RequestBodyEncoding' is not supported"),
            (r#","InvocationConfig":{"ConnectionArn":"b"}"#, "exclude each other"),
        ];
        for (more, expected) in cases {
            let error = request(more, &adds_a_body).unwrap_err();
            assert!(error.contains(expected), "{more}: {error}");
        }
        for (text, expected) in [
            ("{}", "The field 'Method' is required but was missing"),
            (r#"{"Method":"TRACE"}"#, "'Method' is not supported: TRACE"),
            (r#"{"Method":"GET"}"#, "The field 'ApiEndpoint' is required"),
            (r#"{"Method":"GET","ApiEndpoint":"https://x"}"#, "The field 'Authentication' is required"),
            (r#"{"Method":"GET","ApiEndpoint":5}"#, "'ApiEndpoint' must be a string"),
        ] {
            let error = Parameters::read(&parse(text)).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn without_tls_only_to_loopback_and_where_it_is_configured() {
        let plain = ["inner.example".to_owned(), "other.example:81".to_owned()];
        let may = |endpoint: &str| uri(endpoint, Vec::new(), &[], &plain).is_ok();
        for endpoint in ["http://127.0.0.1:80/a", "http://localhost/", "http://[::1]:8/", "http://inner.example:9/"] {
            assert!(may(endpoint), "{endpoint}");
        }
        assert!(may("http://other.example:81/") && may("https://anywhere.example"));
        for endpoint in ["http://other.example/", "http://example.com", "ftp://x/", "https://u:p@x/", "no url", "/x"] {
            assert!(!may(endpoint), "{endpoint}");
        }
    }
}
