//! HTTP Tasks: `arn:aws:states:::http:invoke`.
//!
//! Source: Step Functions guide, "Call HTTPS APIs in Step Functions workflows", and the EventBridge API reference for
//! connections. Sentences are ours where no source is named.

mod request;
mod token;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Request, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
};
use stepwell_expr::{Object, Payload, Value, json};
use stepwell_machine::{
    Failure,
    effect::{Exchange, Received, Sent},
};

use self::{request::Parameters, token::Tokens};
use crate::{connection::Connection, http::HttpClient, limits};

/// What HTTP Tasks are told at their start.
#[derive(Clone, Debug)]
pub struct HttpTasks {
    pub connections: Vec<Connection>,
    /// Hosts, with or without a port, that may be called without TLS, beside those of loopback.
    pub plain_hosts: Vec<String>,
    /// How long a call may wait for its answer.
    pub time_max: Duration,
}

impl Default for HttpTasks {
    fn default() -> HttpTasks {
        let time_max = Duration::from_secs(limits::HTTP_TASK_SECONDS_MAX);
        HttpTasks { connections: Vec::new(), plain_hosts: Vec::new(), time_max }
    }
}

/// Calls over HTTP, with what connections add to them. A clone shares their tokens.
#[derive(Clone)]
pub(crate) struct HttpTask(Arc<Inner>);

struct Inner {
    http: HttpClient,
    plain_hosts: Vec<String>,
    time_max: Duration,
    connections: BTreeMap<String, (Connection, Tokens)>,
}

impl HttpTask {
    pub(crate) fn new(http: HttpClient, tasks: HttpTasks) -> HttpTask {
        let HttpTasks { connections, plain_hosts, time_max } = tasks;
        let connections =
            connections.into_iter().map(|connection| (connection.name.clone(), (connection, Tokens::default())));
        HttpTask(Arc::new(Inner { http, plain_hosts, time_max, connections: connections.collect() }))
    }

    /// `region`: by which the call names itself.
    pub(crate) async fn invoke(&self, parameters: &Payload, region: &str) -> Result<Payload, Failure> {
        self.invoke_shown(parameters, region, false, &mut None).await
    }

    /// `shown` gets what was sent, and what was answered; of what the connection added only where `reveals_secrets`.
    ///
    /// Source: Step Functions API reference, TestState, `revealSecrets`.
    pub(crate) async fn invoke_shown(
        &self,
        parameters: &Payload,
        region: &str,
        reveals_secrets: bool,
        shown: &mut Option<Exchange>,
    ) -> Result<Payload, Failure> {
        let inner = &*self.0;
        let parameters = Parameters::read(parameters.value()).map_err(runtime)?;
        let (connection, tokens) = inner.connection(&parameters.connection_arn)?;
        let made = |parameters: Parameters, connection: &Connection| {
            parameters.request(connection, region, &inner.plain_hosts).map_err(runtime)
        };
        if !reveals_secrets {
            *shown = Some(Exchange { sent: sent(&made(parameters.clone(), &connection.bare())?), received: None });
        }
        let mut request = made(parameters, connection)?;
        let time_max = inner.time_max;
        let call = async {
            tokens.authorise(&inner.http, connection, request.headers_mut()).await?;
            if reveals_secrets {
                *shown = Some(Exchange { sent: sent(&request), received: None });
            }
            inner.http.send(request.map(Full::new), time_max).await.map_err(|reason| Failure::new(SOCKET, reason))
        };
        // The time for a token counts.
        let answer = tokio::time::timeout(time_max, call).await.unwrap_or_else(|_| {
            Err(Failure::new(SOCKET, format!("no answer within {} seconds", time_max.as_secs())))
        })?;
        if answer.status == StatusCode::UNAUTHORIZED || answer.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            // A retry of the task gets a token of its own.
            tokens.forget();
        }
        let text = String::from_utf8_lossy(&answer.body);
        if let Some(shown) = shown {
            shown.received = Some(Received {
                status: answer.status.as_u16(),
                reason: answer.status.canonical_reason().unwrap_or_default().to_owned(),
                headers: listed(&answer.headers),
                body: text.to_string(),
            });
        }
        if !answer.status.is_success() {
            return Err(Failure::new(format!("States.Http.StatusCode.{}", answer.status.as_u16()), &*text));
        }
        if let Some(kind) = binary(&answer.headers) {
            return Err(runtime(format!("The response has the content type '{kind}', which is binary.")));
        }
        Ok(Payload::from_value(result(answer.status, &answer.headers, &text)))
    }
}

fn sent(request: &Request<Bytes>) -> Sent {
    Sent {
        method: request.method().to_string(),
        url: request.uri().to_string(),
        headers: listed(request.headers()),
        body: String::from_utf8_lossy(request.body()).into_owned(),
    }
}

fn listed(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}

const SOCKET: &str = "States.Http.Socket";

impl Inner {
    /// The connection that an ARN names: `arn:PARTITION:events:REGION:ACCOUNT:connection/NAME/ID`.
    fn connection(&self, arn: &str) -> Result<&(Connection, Tokens), Failure> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let name = match parts.as_slice() {
            ["arn", _, "events", _, _, resource] => {
                resource.strip_prefix("connection/").map(|rest| rest.split('/').next().unwrap_or(rest))
            }
            _ => None,
        };
        let name = name.filter(|name| !name.is_empty());
        let Some(name) = name else {
            return Err(runtime(format!("The value of the field 'ConnectionArn' is no ARN of a connection: {arn}")));
        };
        self.connections.get(name).ok_or_else(|| {
            let text = format!("Connection {name} does not exist: there is no [connections.{name}] in stepwell.toml.");
            Failure::new("Events.ConnectionResource.ResourceNotFound", text)
        })
    }
}

fn runtime(reason: impl Into<Arc<str>>) -> Failure {
    Failure::new("States.Runtime", reason)
}

/// The content type of an answer that is not taken.
fn binary(headers: &HeaderMap) -> Option<&str> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?.split(';').next()?.trim();
    let lower = kind.to_ascii_lowercase();
    let is_binary = lower == "application/octet-stream"
        || ["image/", "video/", "audio/"].iter().any(|family| lower.starts_with(family));
    is_binary.then_some(kind)
}

/// Members in the order of their names.
fn result(status: StatusCode, headers: &HeaderMap, body: &str) -> Value {
    let mut shown = Object::default();
    for name in headers.keys() {
        let values = headers.get_all(name).iter();
        let values = values.map(|value| Value::from(String::from_utf8_lossy(value.as_bytes()).into_owned()));
        shown.insert(name.as_str().into(), Value::array(values.collect()));
    }
    let body = json::parse(body).unwrap_or_else(|_| Value::from(body));
    Value::object([
        ("Headers", Value::Object(shown.into())),
        ("ResponseBody", body),
        ("StatusCode", Value::from(i64::from(status.as_u16()))),
        ("StatusText", Value::from(status.canonical_reason().unwrap_or(""))),
    ])
}

#[cfg(test)]
mod tests {
    use tokio::{net::TcpListener, time::Instant};

    use super::*;
    use crate::connection::{ApiKey, Authorization, Secret};

    /// In simulated time, which passes while nothing can be done but wait.
    #[tokio::test(start_paused = true)]
    async fn an_api_that_does_not_answer_is_given_up_after_a_minute() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}/", listener.local_addr().unwrap());
        let connection = Connection {
            name: "c".to_owned(),
            authorization: Authorization::ApiKey(ApiKey { name: "x-key".to_owned(), value: Secret::new("secret") }),
            headers: Vec::new(),
            query: Vec::new(),
            body: Vec::new(),
        };
        let tasks = HttpTasks { connections: vec![connection], ..HttpTasks::default() };
        let task = HttpTask::new(HttpClient::new(), tasks);
        let arn = "arn:aws:events:us-east-1:123456789012:connection/c/1";
        let parameters = Value::object([
            ("ApiEndpoint", Value::from(endpoint)),
            ("Method", "GET".into()),
            ("Authentication", Value::object([("ConnectionArn", arn.into())])),
        ]);
        let begun = Instant::now();
        let failure = task.invoke(&Payload::from_value(parameters), "us-east-1").await.unwrap_err();
        assert_eq!(failure.error.as_deref(), Some("States.Http.Socket"));
        assert_eq!(failure.cause.as_deref(), Some("no answer within 60 seconds"));
        assert_eq!(begun.elapsed().as_secs(), 60);
    }
}
