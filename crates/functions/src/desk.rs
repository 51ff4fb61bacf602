//! The Lambda Runtime API of one process: where it fetches invocations and leaves results.
//!
//! Source: Lambda guide, "Using the Lambda runtime API" (2018-06-01).

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request, Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::TcpListener,
    sync::{Mutex, Semaphore, mpsc},
};

use crate::limits::{RESPONSE_BYTES_MAX, RUNTIME_CONNECTIONS_MAX, SIGNALS_MAX};

const PREFIX: &str = "/2018-06-01/runtime/";

/// An invocation on its way to a process.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) payload: Bytes,
    /// Milliseconds since 1970.
    pub(crate) deadline_ms: i64,
    pub(crate) function_arn: String,
    pub(crate) client_context: Option<String>,
}

/// What a process tells.
#[derive(Debug)]
pub(crate) enum Signal {
    /// It asks for an invocation: its initialisation is over, or its last invocation.
    Ready,
    /// It has taken an invocation.
    Taken,
    InitError(Bytes),
    Response {
        id: String,
        body: Bytes,
    },
    Error {
        id: String,
        body: Bytes,
    },
    /// Its answer is larger than [`RESPONSE_BYTES_MAX`].
    TooLarge {
        id: String,
    },
}

/// The owner's side.
pub(crate) struct Desk {
    pub(crate) address: SocketAddr,
    pub(crate) events: mpsc::Sender<Event>,
    pub(crate) signals: mpsc::Receiver<Signal>,
    listening: tokio::task::AbortHandle,
}

/// The process's side.
struct Counter {
    events: Mutex<mpsc::Receiver<Event>>,
    signals: mpsc::Sender<Signal>,
}

impl Desk {
    /// Opens the desk on a free port of loopback; it closes when it is dropped.
    pub(crate) async fn open() -> std::io::Result<Desk> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (events, waiting) = mpsc::channel(1);
        let (tell, signals) = mpsc::channel(SIGNALS_MAX);
        let counter = Arc::new(Counter { events: Mutex::new(waiting), signals: tell });
        let listening = tokio::spawn(listen(listener, counter)).abort_handle();
        Ok(Desk { address, events, signals, listening })
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn listen(listener: TcpListener, counter: Arc<Counter>) {
    let connections = Arc::new(Semaphore::new(RUNTIME_CONNECTIONS_MAX));
    // The set ends its connections when this task ends.
    let mut open = tokio::task::JoinSet::new();
    while let Ok(permit) = connections.clone().acquire_owned().await {
        let Ok((stream, _)) = listener.accept().await else { return };
        let counter = counter.clone();
        while open.try_join_next().is_some() {}
        open.spawn(async move {
            let answer = service_fn(move |request| {
                let counter = counter.clone();
                async move { Ok::<_, Infallible>(respond(&counter, request).await) }
            });
            // A connection that breaks off is the end of its process, which its owner sees.
            let _ = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), answer).await;
            drop(permit);
        });
    }
}

async fn respond(counter: &Counter, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path().strip_prefix(PREFIX).unwrap_or("").to_owned();
    let parts: Vec<&str> = path.split('/').collect();
    match (request.method(), parts.as_slice()) {
        (&Method::GET, ["invocation", "next"]) => next(counter).await,
        (&Method::POST, ["invocation", id, "response"]) => {
            let id = (*id).to_owned();
            match body(request).await {
                Some(body) => tell(counter, Signal::Response { id, body }).await,
                None => {
                    tell(counter, Signal::TooLarge { id }).await;
                    refusal(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", "the response is too large")
                }
            }
        }
        (&Method::POST, ["invocation", id, "error"]) => {
            let id = (*id).to_owned();
            let body = error_body(request).await;
            tell(counter, Signal::Error { id, body }).await
        }
        (&Method::POST, ["init", "error"]) => {
            let body = error_body(request).await;
            tell(counter, Signal::InitError(body)).await
        }
        _ => refusal(StatusCode::NOT_FOUND, "NotFound", "this is no path of the Runtime API that is here"),
    }
}

/// Waits for as long as there is nothing to do.
async fn next(counter: &Counter) -> Response<Full<Bytes>> {
    let gone = || refusal(StatusCode::GONE, "Gone", "this process is to end");
    if counter.signals.send(Signal::Ready).await.is_err() {
        return gone();
    }
    let Some(event) = counter.events.lock().await.recv().await else { return gone() };
    if counter.signals.send(Signal::Taken).await.is_err() {
        return gone();
    }
    let response = Response::builder()
        .header("Content-Type", "application/json")
        .header("Lambda-Runtime-Aws-Request-Id", &event.id)
        .header("Lambda-Runtime-Deadline-Ms", event.deadline_ms)
        .header("Lambda-Runtime-Invoked-Function-Arn", &event.function_arn)
        .header("Lambda-Runtime-Trace-Id", format!("Root=1-{}", event.id));
    let response = match &event.client_context {
        Some(context) => response.header("Lambda-Runtime-Client-Context", context),
        None => response,
    };
    response.body(Full::new(event.payload)).unwrap_or_else(|_| gone())
}

async fn tell(counter: &Counter, signal: Signal) -> Response<Full<Bytes>> {
    // An owner that has gone wants to know nothing any more.
    let _ = counter.signals.send(signal).await;
    let mut response = Response::new(Full::new(Bytes::from_static(b"{\"status\":\"OK\"}\n")));
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}

/// `None`: it is too large, or it broke off.
async fn body(request: Request<Incoming>) -> Option<Bytes> {
    Limited::new(request.into_body(), RESPONSE_BYTES_MAX).collect().await.ok().map(|body| body.to_bytes())
}

/// What the runtime says of an error; where it says nothing, the type that its header names.
async fn error_body(request: Request<Incoming>) -> Bytes {
    let header = request.headers().get("Lambda-Runtime-Function-Error-Type").and_then(|value| value.to_str().ok());
    let named = header.unwrap_or("Runtime.Unknown").to_owned();
    let body = body(request).await.unwrap_or_default();
    if body.is_empty() { crate::fault::payload(&named, "the runtime gave no message") } else { body }
}

fn refusal(status: StatusCode, error_type: &str, message: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(crate::fault::payload(error_type, message)));
    *response.status_mut() = status;
    response
}
