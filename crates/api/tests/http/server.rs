//! A server over a memory store, and the bytes of requests and answers.

use std::{
    future::Future,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use hyper::Response;
use stepwell_api::{Api, Options, serve};
use stepwell_engine::{Config, Engine, Quotas, SystemClock, TaskRunner};
use stepwell_expr::{Payload, Value, json};
use stepwell_machine::{TaskOutcome, TaskRequest, effect::TaskTarget, program::ServicePattern};
use stepwell_store::memory::Memory;
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
    sync::oneshot,
    task::JoinHandle,
};

pub(crate) const ACCOUNT: &str = "123456789012";

/// A longer silence of the server fails the test instead of hanging it.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// A server of its own, stopped when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    api: Api,
    runtime: Runtime,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<()>>,
}

/// Calls that submit a callback come back at once; no test here waits for another task that is not an activity.
struct NoTasks;

impl TaskRunner for NoTasks {
    fn run(&self, request: TaskRequest) -> Pin<Box<dyn Future<Output = TaskOutcome> + Send + 'static>> {
        let pattern = ServicePattern::WaitForTaskToken;
        let submits = matches!(request.target, TaskTarget::Service { pattern: of, .. } if of == pattern);
        Box::pin(async move {
            match submits {
                true => TaskOutcome::Succeeded { output: Payload::from_checked_text("{}") },
                false => std::future::pending().await,
            }
        })
    }
}

impl Server {
    pub(crate) fn start() -> Server {
        Server::start_with(Options::default())
    }

    pub(crate) fn start_with(options: Options) -> Server {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let config = Config {
            account: ACCOUNT.into(),
            region: "us-east-1".into(),
            drivers: 1,
            clock: Arc::new(SystemClock),
            announces_status: false,
            quotas: Quotas::default(),
        };
        let store = Arc::new(Memory::new());
        let engine = Engine::open(store, config, Arc::new(NoTasks), runtime.handle().clone()).unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let api =
            Api::with_options(engine.clone(), options).with_pages(|_| Response::new(Bytes::from_static(b"a page")));
        let served = api.clone();
        let served = runtime.spawn(async move {
            serve(listener, served, stopped).await;
            engine.shut_down().await;
        });
        Server { address, api, runtime, stop: Some(stop), served: Some(served) }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(SILENCE_MAX)).unwrap();
        stream.set_write_timeout(Some(SILENCE_MAX)).unwrap();
        stream
    }

    /// Sends `bytes` on a connection of their own and reads one answer.
    pub(crate) fn send(&self, bytes: &[u8]) -> Answer {
        let mut stream = self.connect();
        stream.write_all(bytes).unwrap();
        Answer::read(&mut stream).expect("an answer")
    }

    /// Calls an action without HTTP: status and body.
    pub(crate) fn call_within(&self, action: &str, body: &str) -> (u16, String) {
        self.runtime.block_on(self.api.call(&format!("AWSStepFunctions.{action}"), body.as_bytes()))
    }

    /// Calls an action: status and body.
    pub(crate) fn call(&self, action: &str, body: &str) -> (u16, Value) {
        let answer = self.send(&post(&format!("AWSStepFunctions.{action}"), body.as_bytes()));
        (answer.status, answer.json())
    }

    /// Calls an action that must succeed.
    pub(crate) fn succeed(&self, action: &str, body: &str) -> Value {
        let (status, answer) = self.call(action, body);
        assert_eq!(status, 200, "{action} {body}: {answer}");
        answer
    }

    /// Calls an action that must fail: `CODE: message`.
    pub(crate) fn fail(&self, action: &str, body: &str) -> String {
        let (status, answer) = self.call(action, body);
        assert_ne!(status, 200, "{action} {body}: {answer}");
        let member = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_string();
        format!("{}: {}", member("__type"), member("message"))
    }

    /// Stops the server and waits until it has stopped.
    pub(crate) fn stop(&mut self) {
        if let (Some(stop), Some(served)) = (self.stop.take(), self.served.take()) {
            let _ = stop.send(());
            let _ = self.runtime.block_on(served);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In lower case, as they came, without the status line.
    pub(crate) head: String,
    /// What is to be set, with its capitals.
    pub(crate) cookie: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Reads one answer; `None` if the connection ends before it begins.
    pub(crate) fn read(stream: &mut TcpStream) -> Option<Answer> {
        let mut bytes = Vec::new();
        let mut buffer = [0; 16 * 1024];
        let head_end = loop {
            if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break at;
            }
            match stream.read(&mut buffer) {
                Ok(0) | Err(_) => return None,
                Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            }
        };
        let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
        let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).map(str::to_string);
        let head = head.to_lowercase();
        let (status_line, head) = head.split_once("\r\n").unwrap_or((&head, ""));
        let status = status_line.split(' ').nth(1).unwrap().parse().unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        let mut body = bytes[head_end + 4..].to_vec();
        while body.len() < length {
            let count = stream.read(&mut buffer).unwrap();
            assert!(count > 0, "the answer broke off");
            body.extend_from_slice(&buffer[..count]);
        }
        Some(Answer { status, head: head.to_string(), cookie, body })
    }

    /// What has come since, as it is; at least a byte.
    pub(crate) fn read_some(stream: &mut TcpStream) -> String {
        let mut buffer = [0; 16 * 1024];
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "the connection ended");
        String::from_utf8(buffer[..count].to_vec()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        json::parse(std::str::from_utf8(&self.body).unwrap()).unwrap()
    }

    /// `status CODE`, as short as tables of refusals need it.
    pub(crate) fn code(&self) -> String {
        let json = self.json();
        let message = json.get("message").and_then(Value::as_str).unwrap_or_default();
        assert!(!message.is_empty(), "an error says what is wrong: {json}");
        format!("{} {}", self.status, json.get("__type").and_then(Value::as_str).unwrap_or_default())
    }
}

/// A call of AWS JSON as the SDKs send it.
pub(crate) fn post(target: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut bytes = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n\
         X-Amz-Target: {target}\r\nContent-Length: {length}\r\n\r\n"
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}
