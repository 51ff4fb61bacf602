//! Execution logs: at least once, after durability, and a gap where the sink does not keep up.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use stepwell_engine::{Bounds, CreateStateMachine, LogEntry, LogError, LogSink};
use stepwell_expr::json;
use stepwell_machine::definition::MachineType;
use stepwell_store::memory::Memory;

use crate::world::{PASS, World, event_name, function, machine, start};

/// Keeps what it is given, as `execution event`; refuses while it is told to.
#[derive(Default)]
struct Kept {
    lines: Mutex<Vec<String>>,
    refuses: AtomicBool,
}

impl Kept {
    fn of(&self, execution: &str) -> String {
        let lines = self.lines.lock().unwrap();
        let own = lines.iter().filter_map(|line| line.strip_prefix(execution)?.strip_prefix(' '));
        own.collect::<Vec<_>>().join(" ")
    }
}

impl LogSink for Kept {
    fn take(&self, entries: Arc<[LogEntry]>) -> Pin<Box<dyn Future<Output = Result<(), LogError>> + Send + '_>> {
        Box::pin(async move {
            if self.refuses.load(Ordering::SeqCst) {
                return Err(LogError("not now".into()));
            }
            let line = |entry: &LogEntry| match entry {
                LogEntry::Event(logged) => {
                    let name = logged.about.execution_arn.rsplit(':').next().unwrap_or_default().to_owned();
                    format!("{name} {}", event_name(&logged.event))
                }
                LogEntry::Gap { dropped } => format!("gap {dropped}"),
            };
            self.lines.lock().unwrap().extend(entries.iter().map(line));
            Ok(())
        })
    }
}

fn create(world: &World, name: &str, definition: &str, level: &str, machine_type: MachineType) {
    let block = format!(
        r#"{{"level":"{level}","includeExecutionData":true,"destinations":[{{"cloudWatchLogsLogGroup":{{"logGroupArn":"arn:g:*"}}}}]}}"#
    );
    let logging = json::parse(&block).unwrap();
    let new = CreateStateMachine { machine_type, logging, ..machine(name, definition) };
    world.run(world.engine.create_state_machine(new)).unwrap();
}

fn wait_for(world: &World, kept: &Kept, execution: &str, last: &str) -> String {
    world.run(async {
        loop {
            let events = kept.of(execution);
            if events.ends_with(last) {
                return events;
            }
            tokio::task::yield_now().await;
        }
    })
}

fn log_marks(world: &World) -> usize {
    let mut marks = 0;
    let count = &mut |_: &[u8], _: &[u8]| {
        marks += 1;
        stepwell_store::Visit::Continue(())
    };
    let direction = stepwell_store::Direction::Forward;
    world.store.scan(stepwell_store::Space::Open, &[5], &[6], direction, count).unwrap();
    marks
}

#[test]
fn the_level_says_which_events_are_logged() {
    let world = World::new();
    let kept = Arc::new(Kept::default());
    world.engine.log_to(kept.clone());
    for level in ["ALL", "ERROR", "FATAL", "OFF"] {
        create(&world, level, &function("fail"), level, MachineType::Standard);
        world.end(&world.start(level, level, "1"));
    }
    assert_eq!(
        wait_for(&world, &kept, "ALL", "ExecutionFailed"),
        "ExecutionStarted StateEntered LambdaFunctionScheduled LambdaFunctionStarted LambdaFunctionFailed ExecutionFailed"
    );
    assert_eq!(wait_for(&world, &kept, "ERROR", "ExecutionFailed"), "LambdaFunctionFailed ExecutionFailed");
    assert_eq!(wait_for(&world, &kept, "FATAL", "ExecutionFailed"), "ExecutionFailed");
    assert_eq!(kept.of("OFF"), "");
    create(&world, "fine", PASS, "ERROR", MachineType::Standard);
    world.end(&world.start("fine", "fine", "1"));
    assert_eq!(kept.of("fine"), "");
}

#[test]
fn express_executions_are_logged() {
    let world = World::new();
    let kept = Arc::new(Kept::default());
    world.engine.log_to(kept.clone());
    create(&world, "m", PASS, "ALL", MachineType::Express);
    let ended = world.run(world.engine.start_sync_execution(start(&world.engine, "m", "x", "1"))).unwrap();
    let id = ended.arn.rsplit(':').next().unwrap();
    let events = wait_for(&world, &kept, id, "ExecutionSucceeded");
    assert_eq!(events, "ExecutionStarted StateEntered StateExited ExecutionSucceeded");
}

#[test]
fn what_a_process_did_not_log_the_next_one_does() {
    let world = World::new();
    let refusing = Arc::new(Kept { refuses: AtomicBool::new(true), ..Kept::default() });
    world.engine.log_to(refusing.clone());
    create(&world, "m", PASS, "ALL", MachineType::Standard);
    world.end(&world.start("m", "x", "1"));
    assert_eq!(log_marks(&world), 1);
    let world = world.restart();
    let kept = Arc::new(Kept::default());
    world.engine.log_to(kept.clone());
    let events = wait_for(&world, &kept, "x", "ExecutionSucceeded");
    assert_eq!(events, "ExecutionStarted StateEntered StateExited ExecutionSucceeded");
    world.run(async {
        while log_marks(&world) > 0 {
            tokio::task::yield_now().await;
        }
    });
    let world = world.restart();
    let later = Arc::new(Kept::default());
    world.engine.log_to(later.clone());
    world.end(&world.start("m", "y", "1"));
    wait_for(&world, &later, "y", "ExecutionSucceeded");
    assert_eq!(later.of("x"), "", "what was taken is not given again");
}

#[test]
fn a_sink_that_is_back_gets_everything_that_waited() {
    let world = World::new();
    let kept = Arc::new(Kept { refuses: AtomicBool::new(true), ..Kept::default() });
    world.engine.log_to(kept.clone());
    create(&world, "m", PASS, "FATAL", MachineType::Standard);
    create(&world, "f", &function("fail"), "FATAL", MachineType::Standard);
    world.end(&world.start("f", "x", "1"));
    world.end(&world.start("f", "y", "1"));
    kept.refuses.store(false, Ordering::SeqCst);
    assert_eq!(wait_for(&world, &kept, "x", "ExecutionFailed"), "ExecutionFailed");
    assert_eq!(wait_for(&world, &kept, "y", "ExecutionFailed"), "ExecutionFailed");
}

#[test]
fn a_sink_that_does_not_keep_up_is_told_of_the_gap() {
    let bounds = Bounds { log_events: 2, ..Bounds::default() };
    let world = World::with(Arc::new(Memory::new()), bounds, 1);
    create(&world, "f", &function("fail"), "FATAL", MachineType::Standard);
    for name in ["a", "b", "c", "d", "e"] {
        world.end(&world.start("f", name, "1"));
    }
    assert_eq!(log_marks(&world), 5);
    // An end is seen before its events are queued; once a later start is answered they are.
    world.create("silent", PASS);
    world.start("silent", "later", "{}");
    let kept = Arc::new(Kept::default());
    world.engine.log_to(kept.clone());
    world.run(async {
        while log_marks(&world) > 0 {
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(*kept.lines.lock().unwrap(), ["a ExecutionFailed", "b ExecutionFailed", "gap 3"]);
}
