//! HTTP: connections to requests, answers to bytes.
//!
//! `POST /` carries AWS JSON, `GET /health` tells how the server is, `/console/api/` is what the console reads beyond
//! AWS's API, and the rest of `/console/` its pages; other paths may be those of another API [`Beside`] this one. A host
//! that begins with `sync-` is the same server. Of credentials only the names are looked at (`scope`).

use std::{
    convert::Infallible,
    future::Future,
    hash::{BuildHasher, RandomState},
    path::PathBuf,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Body, Incoming},
    header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, EXPECT, HeaderName, HeaderValue, SET_COOKIE},
    http::request::Parts,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use stepwell_engine::Engine;
use stepwell_expr::{Value, json};
use stepwell_machine::root::Root;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, SemaphorePermit, watch},
    time::{sleep, timeout},
};
use uuid::Uuid;

use crate::{
    action::{self, Action},
    browser,
    console::{self, session::Sessions, stream::Events},
    error::Error,
    limits,
    race::{First, race},
    scope::Scope,
    throttle::Throttles,
    writer::Writer,
};

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const AWS_JSON: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.0");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");

/// How long a client may take, and how much all of them may send at once.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// For the head of a request; also how long an idle connection is kept.
    pub head_time_max: Duration,
    /// For the body of a request.
    pub body_time_max: Duration,
    /// Bytes of the larger bodies of all requests under way.
    pub large_bodies_bytes_max: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            head_time_max: limits::HEAD_TIME_MAX,
            body_time_max: limits::BODY_TIME_MAX,
            large_bodies_bytes_max: limits::LARGE_BODIES_BYTES_MAX,
        }
    }
}

/// The body of an answer: whole, or events as they come.
pub(crate) type Answer = Either<Full<Bytes>, Events>;

/// The pages of the console: the head of a GET or HEAD request below `/console` to its answer.
pub type Pages = fn(&Parts) -> Response<Bytes>;

/// The API of one engine. A clone is a pointer.
#[derive(Clone)]
pub struct Api {
    pub(crate) engine: Engine,
    options: Options,
    ids: Arc<RequestIds>,
    pages: Option<Pages>,
    pub(crate) streams: Arc<Semaphore>,
    sessions: Option<Sessions>,
    /// Whether the console may search in inputs and outputs.
    pub(crate) searches_values: bool,
    /// Evaluations for the console that may run at once.
    pub(crate) evaluations: Arc<Semaphore>,
    /// Bytes of large bodies that may still come.
    bodies: Arc<Semaphore>,
    mocks: Option<Arc<PathBuf>>,
    asks_for_log_groups: bool,
    encrypts: bool,
    /// Signatures say whose a call is.
    pub(crate) scoped: bool,
    beside: Vec<Arc<dyn Beside>>,
    throttles: Arc<Throttles>,
    /// Largest body of a request: a payload is longer in JSON.
    pub(crate) request_bytes: usize,
}

/// A response under way.
pub type Answering = Pin<Box<dyn Future<Output = Response<Full<Bytes>>> + Send>>;

/// Another API on the same port, for paths that this one does not know.
pub trait Beside: Send + Sync {
    fn takes(&self, method: &Method, path: &str) -> bool;
    /// Reads the body within bounds of its own.
    fn answer(&self, request: Request<Incoming>) -> Answering;
}

/// Ids for requests: unlike each other and those of other processes, but no secret, so none is asked of the system.
#[derive(Default)]
struct RequestIds {
    /// Keys drawn by the standard library.
    keys: RandomState,
    count: AtomicU64,
}

impl RequestIds {
    fn next(&self) -> Uuid {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let half = |which: u8| self.keys.hash_one((count, which)).to_be_bytes();
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&half(0));
        bytes[8..].copy_from_slice(&half(1));
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

impl Api {
    pub fn new(engine: Engine) -> Api {
        Api::with_options(engine, Options::default())
    }

    pub fn with_options(engine: Engine, options: Options) -> Api {
        let streams = Arc::new(Semaphore::new(limits::STREAMS_MAX));
        let payload_bytes = engine.quotas().limits.payload_bytes;
        let request_bytes = limits::REQUEST_BYTES_MAX.max(payload_bytes.saturating_mul(limits::JSON_GROWTH_MAX));
        let bodies = Arc::new(Semaphore::new(options.large_bodies_bytes_max));
        Api {
            engine,
            options,
            ids: Arc::default(),
            pages: None,
            streams,
            sessions: Sessions::new(),
            searches_values: true,
            evaluations: Arc::new(Semaphore::new(limits::EVALUATIONS_MAX)),
            bodies,
            mocks: None,
            asks_for_log_groups: false,
            encrypts: false,
            scoped: true,
            beside: Vec::new(),
            throttles: Arc::default(),
            request_bytes,
        }
    }

    /// Serves the console as well: `pages` are what stands below `/console`.
    pub fn with_pages(self, pages: Pages) -> Api {
        Api { pages: Some(pages), ..self }
    }

    /// The mock configuration file that `#CASE` behind a state machine's ARN chooses from, read at each start.
    pub fn with_mocks(self, file: Option<PathBuf>) -> Api {
        Api { mocks: file.map(Arc::new), ..self }
    }

    /// State machines whose log group CloudWatch Logs does not know are refused.
    pub fn with_log_groups(self, asks_for_log_groups: bool) -> Api {
        Api { asks_for_log_groups, ..self }
    }

    /// The data are encrypted: state machines and activities may ask for it.
    pub fn with_encryption(self, encrypts: bool) -> Api {
        Api { encrypts, ..self }
    }

    /// False: what is made and listed is of the engine's own account and region, whatever signatures say.
    pub fn with_scopes(self, scoped: bool) -> Api {
        Api { scoped, ..self }
    }

    /// Bounds how often callers may call; tasks of executions are not bounded by it.
    pub fn with_throttles(self, throttles: Throttles) -> Api {
        Api { throttles: Arc::new(throttles), ..self }
    }

    /// Whether the console may search in inputs and outputs: true unless told.
    pub fn with_search_of_values(self, searches_values: bool) -> Api {
        Api { searches_values, ..self }
    }

    pub(crate) fn sessions(&self) -> Result<&Sessions, Error> {
        self.sessions.as_ref().ok_or(Error::Internal)
    }

    /// Serves another API as well; may be said of several.
    pub fn with_beside(mut self, beside: Arc<dyn Beside>) -> Api {
        self.beside.push(beside);
        self
    }

    /// The same for a task of an execution: what it starts is known by `origin`, and started once.
    pub async fn call_within(&self, target: &str, body: &[u8], origin: Option<Root>) -> (u16, String) {
        let (stop, stopping) = watch::channel(true);
        drop(stop);
        match dispatch(self, Scope::default(), target, body, None, origin, stopping).await {
            Ok(answer) => (StatusCode::OK.as_u16(), answer),
            Err(error) => (error.status(), error.body()),
        }
    }

    /// Answers one call of AWS JSON without HTTP: the status and the body.
    ///
    /// Never waits for a task: GetActivityTask answers at once.
    pub async fn call(&self, target: &str, body: &[u8]) -> (u16, String) {
        let (stop, stopping) = watch::channel(true);
        drop(stop);
        match dispatch(self, Scope::default(), target, body, None, None, stopping).await {
            Ok(answer) => (StatusCode::OK.as_u16(), answer),
            Err(error) => (error.status(), error.body()),
        }
    }
}

/// Serves the API until `shutdown` ends, then ends idle connections, answers calls that wait, and gives the other
/// requests under way [`limits::STOP_TIME_MAX`].
pub async fn serve(listener: TcpListener, api: Api, shutdown: impl Future) {
    let (stop, stopping) = watch::channel(false);
    let connections = Arc::new(Semaphore::new(limits::CONNECTIONS_MAX));
    let graceful = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let First::Right(permit) = race(shutdown.as_mut(), connections.clone().acquire_owned()).await else {
            break;
        };
        let accepted = match race(shutdown.as_mut(), listener.accept()).await {
            First::Left(_) => break,
            First::Right(accepted) => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                if let First::Left(_) = race(shutdown.as_mut(), sleep(limits::ACCEPT_PAUSE)).await {
                    break;
                }
                continue;
            }
        };
        let connection = graceful.watch(connection(stream, api.clone(), stopping.clone()));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke off");
            }
            drop(permit);
        });
    }
    drop(listener);
    stop.send_replace(true);
    if timeout(limits::STOP_TIME_MAX, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests under way were cut off by the stop");
    }
}

/// One connection, to be driven to its end.
fn connection(
    stream: TcpStream,
    api: Api,
    stopping: watch::Receiver<bool>,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> {
    // A refusal means that the peer is gone, which the first read will tell.
    let _ = stream.set_nodelay(true);
    let head_time_max = api.options.head_time_max;
    let answer = service_fn(move |request| {
        let (api, stopping) = (api.clone(), stopping.clone());
        async move { Ok::<_, Infallible>(respond(&api, request, stopping).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_time_max)
        .max_buf_size(limits::HEAD_BYTES_MAX)
        .max_headers(limits::HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), answer)
}

async fn respond(api: &Api, request: Request<Incoming>, stopping: watch::Receiver<bool>) -> Response<Answer> {
    let path = request.uri().path();
    if let Some(beside) = api.beside.iter().find(|beside| beside.takes(request.method(), path)) {
        if let Err(error) = browser::check(request.headers()) {
            return refusal(&error, JSON).map(Either::Left);
        }
        return beside.answer(request).await.map(Either::Left);
    }
    let whole = match (path, request.method()) {
        ("/", &Method::POST) => aws(api, request, stopping).await,
        ("/health", &Method::GET | &Method::HEAD) => health(api),
        ("/", method) => method_not_allowed(path, "POST", method),
        ("/health", method) => method_not_allowed(path, "GET", method),
        (_, method) if is_console(path) => match (api.pages, method) {
            (None, _) => not_found(path),
            (_, &Method::GET | &Method::HEAD) if path.starts_with(console::PREFIX) => {
                return console(api, &request.into_parts().0, stopping).await;
            }
            (_, &Method::POST) if path.starts_with(console::PREFIX) => console_write(api, request).await,
            (Some(pages), &Method::GET | &Method::HEAD) => pages(&request.into_parts().0).map(Full::new),
            (Some(_), method) => method_not_allowed(path, "GET", method),
        },
        (_, _) => not_found(path),
    };
    whole.map(Either::Left)
}

fn is_console(path: &str) -> bool {
    path == "/console" || path.starts_with("/console/")
}

fn not_found(path: &str) -> Response<Full<Bytes>> {
    refusal(&Error::PathNotFound { path: path.to_string() }, JSON)
}

/// What the console reads beyond AWS's API.
async fn console(api: &Api, head: &Parts, stopping: watch::Receiver<bool>) -> Response<Answer> {
    match console::answer(api, head, stopping).await {
        Ok(console::Answer::Json(text)) => response(StatusCode::OK, JSON, text).map(Either::Left),
        Ok(console::Answer::Session(text, cookie)) => {
            let mut response = response(StatusCode::OK, JSON, text);
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            if let Some(cookie) = cookie {
                response.headers_mut().insert(SET_COOKIE, cookie);
            }
            response.map(Either::Left)
        }
        Ok(console::Answer::Events(events)) => {
            let mut response = Response::new(Either::Right(events));
            response.headers_mut().insert(CONTENT_TYPE, EVENT_STREAM);
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(error) => refusal(&error, JSON).map(Either::Left),
    }
}

/// What the console does beyond AWS's API.
async fn console_write(api: &Api, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let answered = async {
        console::check_write(api, &head.headers)?;
        let body =
            read_body(body, !head.headers.contains_key(EXPECT), api.request_bytes, api.options.body_time_max).await?;
        console::write(api, &head, &parse(&body)?).await
    };
    match answered.await {
        Ok(text) => response(StatusCode::OK, JSON, text),
        Err(error) => refusal(&error, JSON),
    }
}

fn method_not_allowed(path: &str, allowed: &'static str, method: &Method) -> Response<Full<Bytes>> {
    let error = Error::MethodNotAllowed { path: path.to_string(), allowed, method: method.to_string() };
    let mut response = refusal(&error, JSON);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

fn health(api: &Api) -> Response<Full<Bytes>> {
    let health = api.engine.health();
    let mut answer = Writer::object();
    answer.string("status", if health.poisoned.is_some() { "poisoned" } else { "ok" });
    answer.optional_string("reason", health.poisoned.as_deref());
    answer.number("openExecutions", health.open_executions);
    let status = if health.poisoned.is_some() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    response(status, JSON, answer.end())
}

/// Answers a call of AWS JSON 1.0. Source: the protocol's description in the Smithy documentation.
async fn aws(api: &Api, request: Request<Incoming>, stopping: watch::Receiver<bool>) -> Response<Full<Bytes>> {
    let id = api.ids.next();
    let (head, body) = request.into_parts();
    let target = head.headers.get(TARGET).map_or("", |target| target.to_str().unwrap_or("")).to_string();
    let mut response = match answer(api, &target, &head, body, stopping).await {
        Ok(answer) => response(StatusCode::OK, AWS_JSON, answer),
        Err(error) => {
            tracing::debug!(%id, target, code = error.code(), "refused");
            refusal(&error, AWS_JSON)
        }
    };
    let mut buffer = Uuid::encode_buffer();
    let id = HeaderValue::from_str(id.hyphenated().encode_lower(&mut buffer)).expect("a UUID is visible ASCII");
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

async fn answer(
    api: &Api,
    target: &str,
    head: &Parts,
    body: Incoming,
    stopping: watch::Receiver<bool>,
) -> Result<String, Error> {
    let headers = &head.headers;
    browser::check(headers)?;
    let scope = Scope::of(headers, &head.uri, api.scoped)?;
    if let Ok(action) = Action::of_target(target) {
        api.throttles.take(action, || api.engine.owner_of(scope.region, scope.account))?;
    }
    let may_drain = !headers.contains_key(EXPECT);
    // Held until the answer: what has become of the body is in memory until then.
    let Some(_room) = room_for(&body, &api.bodies) else {
        if may_drain {
            drain(body, api.options.body_time_max).await;
        }
        return Err(Error::Throttling);
    };
    let body = read_body(body, may_drain, api.request_bytes, api.options.body_time_max).await?;
    let trace_header = headers.get(TRACE_ID).and_then(|value| value.to_str().ok());
    let trace_header = trace_header.filter(|value| value.len() <= limits::TRACE_HEADER_CHARS_MAX).map(Arc::from);
    dispatch(api, scope, target, &body, trace_header, None, stopping).await
}

async fn dispatch(
    api: &Api,
    scope: Scope<'_>,
    target: &str,
    body: &[u8],
    trace_header: Option<Arc<str>>,
    origin: Option<Root>,
    stopping: watch::Receiver<bool>,
) -> Result<String, Error> {
    let action = Action::of_target(target)?;
    let body = parse(body)?;
    let request = action::Request {
        engine: &api.engine,
        scope,
        body: &body,
        trace_header,
        origin,
        stopping,
        mocks: api.mocks.as_ref(),
        asks_for_log_groups: api.asks_for_log_groups,
        encrypts: api.encrypts,
    };
    action.answer(request).await
}

/// Room for a body, as large as it may become; a small one needs none. `None`: other requests have it all.
fn room_for<'a>(body: &Incoming, bodies: &'a Semaphore) -> Option<SemaphorePermit<'a>> {
    let bytes = body.size_hint().upper().and_then(|bytes| usize::try_from(bytes).ok());
    let bytes = bytes.unwrap_or(usize::MAX).min(limits::REQUEST_BYTES_MAX);
    let bytes = if bytes <= limits::SMALL_BODY_BYTES { 0 } else { bytes };
    bodies.try_acquire_many(u32::try_from(bytes).unwrap_or(u32::MAX)).ok()
}

/// Reads a body that is not wanted, within bounds, so that the client gets to read why.
async fn drain(mut body: Incoming, time_max: Duration) {
    let drained = timeout(time_max, async {
        let mut bytes = 0;
        while bytes <= limits::REFUSED_BYTES_MAX
            && let Some(Ok(frame)) = body.frame().await
        {
            bytes += frame.data_ref().map_or(0, Bytes::len);
        }
    });
    // One that takes longer is refused all the same.
    drop(drained.await);
}

/// The whole body, within its limits of size and time.
///
/// A client that is still writing does not read: so what is too large is read to its end and dropped, if it may be
/// (`may_drain`: the client does not wait to be asked for the body) and up to a bound.
async fn read_body(body: Incoming, may_drain: bool, bytes_max: usize, time_max: Duration) -> Result<Bytes, Error> {
    let announced = body.size_hint().lower();
    let unbearable = announced > limits::REFUSED_BYTES_MAX.max(bytes_max) as u64;
    if announced > bytes_max as u64 && (!may_drain || unbearable) {
        return Err(Error::RequestTooLarge { limit: bytes_max });
    }
    let gathered = timeout(time_max, gather(body, bytes_max)).await;
    gathered.unwrap_or(Err(Error::RequestTimeout { seconds: time_max.as_secs() }))
}

/// Puts the frames of a body together; most have one.
async fn gather(mut body: Incoming, bytes_max: usize) -> Result<Bytes, Error> {
    let mut first = Bytes::new();
    let mut whole: Vec<u8> = Vec::new();
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Error::RequestBrokenOff)?;
        let Ok(data) = frame.into_data() else { continue };
        bytes += data.len();
        if bytes > limits::REFUSED_BYTES_MAX.max(bytes_max) {
            break;
        }
        if bytes > bytes_max {
            whole = Vec::new();
        } else if bytes == data.len() {
            first = data;
        } else {
            whole.extend_from_slice(&std::mem::take(&mut first));
            whole.extend_from_slice(&data);
        }
    }
    if bytes > bytes_max {
        return Err(Error::RequestTooLarge { limit: bytes_max });
    }
    Ok(if whole.is_empty() { first } else { whole.into() })
}

/// A body of no bytes is an empty object.
fn parse(body: &[u8]) -> Result<Value, Error> {
    if body.is_empty() {
        return Ok(Value::empty_object());
    }
    let text = std::str::from_utf8(body).map_err(|error| {
        Error::Serialization(format!("the request is not valid UTF-8 from byte {} on", error.valid_up_to()))
    })?;
    json::parse(text).map_err(|error| Error::Serialization(error.message))
}

fn refusal(error: &Error, content_type: HeaderValue) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(error.status()).expect("the statuses of errors are valid");
    let mut response = response(status, content_type, error.body());
    let unread = matches!(
        error,
        Error::RequestTooLarge { .. } | Error::RequestTimeout { .. } | Error::RequestBrokenOff | Error::Forbidden(_)
    );
    if unread {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

fn response(status: StatusCode, content_type: HeaderValue, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
