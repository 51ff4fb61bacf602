//! What must hold for any bytes that are a request: the whole walk from API to store and back, without HTTP.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use stepwell_api::Api;
use stepwell_engine::{Config, Engine, Quotas, SystemClock, TaskRunner};
use stepwell_expr::{Value, json};
use stepwell_machine::{Failure, TaskOutcome, TaskRequest};
use stepwell_store::memory::Memory;
use tokio::runtime::{Builder, Runtime};

/// The first line names the action, the rest is the body. Whatever it is, the answer is a JSON object, and no fault of
/// the server's own.
pub(crate) fn request(data: &[u8]) {
    let cut = data.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (action, body) = data.split_at(cut);
    let target = format!("AWSStepFunctions.{}", String::from_utf8_lossy(action));
    let (runtime, api) = server();
    let (status, answer) = runtime.block_on(api.call(&target, body));
    assert!((200..500).contains(&status), "status {status}: {answer}");
    assert!(matches!(json::parse(&answer), Ok(Value::Object(_))), "the answer is {answer}");
}

/// One server for all requests, so that what one makes another may find.
fn server() -> &'static (Runtime, Api) {
    static SERVER: OnceLock<(Runtime, Api)> = OnceLock::new();
    SERVER.get_or_init(|| {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a thread can be had");
        let config = Config {
            account: "123456789012".into(),
            region: "us-east-1".into(),
            drivers: 1,
            announces_status: false,
            clock: Arc::new(SystemClock),
            quotas: Quotas::default(),
        };
        let engine = Engine::open(Arc::new(Memory::new()), config, Arc::new(NoTasks), runtime.handle().clone())
            .expect("an engine over an empty store starts");
        (runtime, Api::new(engine))
    })
}

/// Fails every task: requests must not reach out.
struct NoTasks;

impl TaskRunner for NoTasks {
    fn run(&self, _request: TaskRequest) -> Pin<Box<dyn Future<Output = TaskOutcome> + Send + 'static>> {
        Box::pin(ready(TaskOutcome::Failed(Failure::named("NoTasks"))))
    }
}
