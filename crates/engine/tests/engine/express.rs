//! Express executions: nothing is kept but the last that ended, in memory.

use std::sync::Arc;

use stepwell_engine::{
    Bounds, CreateStateMachine, ExpressExecution, StartExecutionError, StartSyncExecutionError, Unavailable,
};
use stepwell_machine::definition::MachineType;
use stepwell_store::memory::Memory;

use crate::world::{BEGINNING_MS, PASS, World, event_name, function, machine, outcome, start};

const MINUTES_5_MS: i64 = 300_000;

fn create(world: &World, name: &str, definition: &str) {
    let new = CreateStateMachine { machine_type: MachineType::Express, ..machine(name, definition) };
    world.run(world.engine.create_state_machine(new)).unwrap();
}

fn sync(world: &World, name: &str, input: &str) -> Result<Arc<ExpressExecution>, StartSyncExecutionError> {
    world.run(world.engine.start_sync_execution(start(&world.engine, name, "x", input)))
}

/// Waits until so many have ended; the last first.
fn ended(world: &World, count: usize) -> Vec<Arc<ExpressExecution>> {
    world.run(async {
        loop {
            let ended = world.engine.ended_express_executions(None);
            if ended.len() >= count {
                return ended;
            }
            tokio::task::yield_now().await;
        }
    })
}

#[test]
fn a_synchronous_one_answers_with_its_end_and_its_name_may_repeat() {
    let world = World::new();
    create(&world, "m", PASS);
    let first = sync(&world, "m", "[1 ]").unwrap();
    let second = sync(&world, "m", "[1 ]").unwrap();
    assert_eq!(outcome(&first.status), "SUCCEEDED [1 ]");
    let prefix = "arn:aws:states:us-east-1:123456789012:express:m:x:";
    assert!(first.arn.starts_with(prefix) && second.arn.starts_with(prefix) && first.arn != second.arn);
    let events: Vec<String> = first.history.iter().map(event_name).collect();
    assert_eq!(events, ["ExecutionStarted", "StateEntered", "StateExited", "ExecutionSucceeded"]);
    let arns: Vec<_> = world.engine.ended_express_executions(None).iter().map(|ended| ended.arn.clone()).collect();
    assert_eq!(arns, [second.arn.clone(), first.arn.clone()]);
    assert!(world.engine.ended_express_executions(Some("arn:other")).is_empty());
    assert!(world.run(world.engine.execution(&first.arn)).is_err(), "nothing of it is stored");
}

#[test]
fn standard_machines_cannot_be_waited_for() {
    let world = World::new();
    world.create("m", PASS);
    assert!(matches!(sync(&world, "m", "{}"), Err(StartSyncExecutionError::TypeNotSupported)));
    let nothing = sync(&world, "none", "{}");
    let unknown = StartSyncExecutionError::Start(StartExecutionError::StateMachineDoesNotExist);
    assert_eq!(nothing.unwrap_err().to_string(), unknown.to_string());
}

#[test]
fn an_asynchronous_one_runs_on_by_itself() {
    let world = World::new();
    create(&world, "m", &function("echo"));
    let arn = world.start("m", "x", "7");
    let last = &ended(&world, 1)[0];
    assert_eq!((&last.arn, outcome(&last.status)), (&arn, "SUCCEEDED 7".to_owned()));
    let again = world.start("m", "x", "8");
    assert_ne!(arn, again);
}

#[test]
fn waits_and_retries_take_no_time_where_it_jumps() {
    let world = World::new();
    let definition = function("fail").replace(
        r#""End":true"#,
        r#""End":true,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":10,"MaxAttempts":2,"BackoffRate":2}]"#,
    );
    create(&world, "retries", &definition);
    let failed = sync(&world, "retries", "1").unwrap();
    assert_eq!(outcome(&failed.status), "FAILED Scripted: it was to fail");
    assert_eq!((world.script.runs_of("1"), failed.stop_ms - failed.start_ms), (3, 30_000));

    create(&world, "waits", r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":290,"End":true}}}"#);
    let waited = sync(&world, "waits", "1").unwrap();
    assert_eq!((outcome(&waited.status), waited.stop_ms - waited.start_ms), ("SUCCEEDED 1".to_owned(), 290_000));
}

#[test]
fn it_ends_after_five_minutes() {
    let world = World::new();
    create(
        &world,
        "m",
        r#"{"TimeoutSeconds":900,"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":400,"End":true}}}"#,
    );
    let late = sync(&world, "m", "{}").unwrap();
    assert_eq!(outcome(&late.status), "TIMED_OUT States.Timeout: -");
    assert_eq!((late.start_ms, late.stop_ms), (BEGINNING_MS, BEGINNING_MS + MINUTES_5_MS));
}

#[test]
fn a_caller_who_goes_away_ends_it() {
    let bounds = Bounds { express_runs: 1, ..Bounds::default() };
    let world = World::with(Arc::new(Memory::new()), bounds, 1);
    create(&world, "m", &function("gate"));
    let engine = world.engine.clone();
    let caller =
        world.runtime.spawn(async move { engine.start_sync_execution(start(&engine, "m", "x", "1")).await.map(drop) });
    world.wait_for_run("1");
    caller.abort();
    assert!(world.run(caller).unwrap_err().is_cancelled());
    // Its place is free again: the gate would never have let it go.
    world.script.open_gate();
    assert_eq!(outcome(&sync(&world, "m", "2").unwrap().status), "SUCCEEDED 2");
    assert_eq!(world.engine.ended_express_executions(None).len(), 1);
}

#[test]
fn there_are_so_many_at_a_time_and_no_more() {
    let bounds = Bounds { express_runs: 1, ..Bounds::default() };
    let world = World::with(Arc::new(Memory::new()), bounds, 1);
    create(&world, "m", &function("gate"));
    world.start("m", "x", "1");
    let refused = world.try_start("m", "y", "2");
    assert!(matches!(refused, Err(StartExecutionError::Unavailable(Unavailable::Throttled))), "{refused:?}");
    world.script.open_gate();
    ended(&world, 1);
    assert_eq!(outcome(&sync(&world, "m", "3").unwrap().status), "SUCCEEDED 3");
}

#[test]
fn the_end_of_the_engine_ends_it() {
    let world = World::new();
    create(&world, "m", &function("never"));
    world.start("m", "x", "1");
    world.wait_for_run("1");
    let world = world.restart();
    assert!(world.engine.ended_express_executions(None).is_empty());
    create(&world, "other", PASS);
    assert_eq!(outcome(&sync(&world, "other", "2").unwrap().status), "SUCCEEDED 2");
}

#[test]
fn those_that_run_are_seen_and_go_when_they_end_or_their_caller_leaves() {
    let world = World::new();
    create(&world, "m", &function("gate"));
    let arns: Vec<Arc<str>> = ["1", "2"]
        .map(|input| world.run(world.engine.start_execution(start(&world.engine, "m", "x", input))).unwrap().arn)
        .into();
    world.wait_for_run("1");
    world.wait_for_run("2");
    let listed = || -> Vec<(Arc<str>, String)> {
        let all = world.engine.express_executions(None);
        all.iter().map(|execution| (execution.arn.clone(), outcome(&execution.status))).collect()
    };
    let running = "RUNNING".to_owned();
    assert_eq!(listed(), [(arns[1].clone(), running.clone()), (arns[0].clone(), running)]);
    assert!(world.engine.express_executions(Some("arn:other")).is_empty());
    let open = world.engine.express_execution(&arns[0]).unwrap();
    assert_eq!((&*open.input.text().clone(), open.start_ms, open.stop_ms), ("1", BEGINNING_MS, BEGINNING_MS));
    let events: Vec<String> = open.history.iter().map(event_name).collect();
    assert_eq!(events, ["ExecutionStarted", "StateEntered", "LambdaFunctionScheduled", "LambdaFunctionStarted"]);
    // A caller who goes away ends its execution, of which nothing is left.
    world.run(async {
        let waiting = world.engine.start_sync_execution(start(&world.engine, "m", "x", "3"));
        assert!(tokio::time::timeout(std::time::Duration::from_millis(1), waiting).await.is_err());
    });
    assert_eq!(listed().len(), 2);
    world.script.open_gate();
    ended(&world, 2);
    world.run(async {
        while world.engine.express_executions(None).iter().any(|execution| execution.bytes == 0) {
            tokio::task::yield_now().await;
        }
    });
    let succeeded = world.engine.express_execution(&arns[0]).unwrap();
    assert_eq!((outcome(&succeeded.status), succeeded.history.len()), ("SUCCEEDED 1".to_owned(), 7));
    assert_eq!(listed().len(), 2);
}
