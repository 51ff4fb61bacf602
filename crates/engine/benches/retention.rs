//! What the removal of old executions costs, and what callers feel of it: `cargo bench -p stepwell-engine`. Linux only.
//!
//! Over the embedded store, with every commit synced, in the temporary folder.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "it tells what it has measured")]

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use stepwell_engine::{
    Clock, Config, CreateStateMachine, Engine, Owner, Quotas, StartExecution, SystemClock, TaskRunner,
};
use stepwell_expr::{Payload, Value};
use stepwell_machine::{TaskOutcome, TaskRequest, definition::MachineType};
use stepwell_store::Embedded;
use tokio::runtime::Runtime;

/// Executions that are removed where it is measured what one of them costs.
const REMOVED: u64 = 20_000;
/// Executions there are when callers are measured beside the removal.
const OLD: u64 = 40_000;
/// Starts of a lone caller that are timed.
const STARTS: u64 = 4_000;
const CALLERS: u64 = 16;

struct NoTasks;

impl TaskRunner for NoTasks {
    fn run(&self, _request: TaskRequest) -> Pin<Box<dyn Future<Output = TaskOutcome> + Send + 'static>> {
        Box::pin(std::future::pending())
    }
}

/// Processor time of this process, by the kernel's count of its nanoseconds on a processor.
fn cpu() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let of_one = |path: std::path::PathBuf| {
        let text = std::fs::read_to_string(path.join("schedstat")).unwrap_or_default();
        text.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
    };
    Duration::from_nanos(threads.map(|entry| of_one(entry.unwrap().path())).sum())
}

fn start(engine: &Engine) -> impl Future<Output = ()> + Send + use<> {
    let engine = engine.clone();
    let start = StartExecution {
        state_machine_arn: format!("{}:stateMachine:m", engine.arn_prefix()).into(),
        name: None,
        input: Payload::from_checked_text("{}"),
        trace_header: None,
        origin: None,
        test_case: None,
    };
    async move { drop(engine.start_execution(start).await.unwrap()) }
}

fn fill(runtime: &Runtime, engine: &Engine, count: u64) {
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let engine = engine.clone();
            runtime.spawn(async move {
                for _ in 0..count / CALLERS {
                    start(&engine).await;
                }
            })
        })
        .collect();
    callers.into_iter().for_each(|caller| runtime.block_on(caller).unwrap());
}

/// Median and 99th percentile of a lone caller's starts.
fn starts(runtime: &Runtime, engine: &Engine) -> String {
    let mut times: Vec<Duration> = (0..STARTS)
        .map(|_| {
            let began = Instant::now();
            runtime.block_on(start(engine));
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    let at = |percent: usize| times[times.len() * percent / 100].as_secs_f64() * 1e3;
    format!("p50 {:.3} ms, p99 {:.3} ms", at(50), at(99))
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let store = Arc::new(Embedded::open(folder.path().join("data")).unwrap());
    let config = Config {
        account: "123456789012".into(),
        region: "us-east-1".into(),
        drivers: 1,
        clock: Arc::new(SystemClock),
        announces_status: false,
        quotas: Quotas::default(),
    };
    let engine = Engine::open(store, config, Arc::new(NoTasks), runtime.handle().clone()).unwrap();
    let machine = CreateStateMachine {
        name: "m".into(),
        owner: Owner::new("us-east-1", "123456789012"),
        machine_type: MachineType::Standard,
        definition: r#"{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}"#.into(),
        role_arn: "arn:aws:iam::123456789012:role/r".into(),
        logging: Value::empty_object(),
        tracing: Value::empty_object(),
        encryption: Value::empty_object(),
        tags: BTreeMap::new(),
        publish: None,
    };
    drop(runtime.block_on(engine.create_state_machine(machine)).unwrap());

    fill(&runtime, &engine, REMOVED);
    let before = cpu();
    let swept = runtime.block_on(engine.sweep_closed(SystemClock.now_ms() + 1)).unwrap();
    let each = (cpu() - before) / u32::try_from(swept.executions).unwrap();
    println!("removal: {:.1} us of processor time for each of {}", each.as_secs_f64() * 1e6, swept.executions);

    fill(&runtime, &engine, OLD);
    println!("a lone caller's start, nothing removed: {}", starts(&runtime, &engine));
    engine.remove_closed_after(Duration::ZERO).unwrap();
    println!("a lone caller's start, while old ones are removed: {}", starts(&runtime, &engine));
    runtime.block_on(engine.shut_down());
}
