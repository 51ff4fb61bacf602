//! What ended long ago is removed, and nothing else.

use std::{ops::ControlFlow, sync::Arc};

use stepwell_engine::{
    Bounds, Clock, ExecutionError, ListExecutions, PublishVersion, StartExecution, Swept, UpdateStateMachine,
    record::ExecutionId,
};
use stepwell_expr::Payload;
use stepwell_store::{
    Direction, Space, Store,
    faulty::{Fate, Faulty, Plan},
    memory::Memory,
};

use crate::world::{PASS, WAIT_30_DAYS, World, whole};

/// Many small steps, each a row of history.
const STEPS: &str = r#"{"StartAt":"M","States":{"M":{"Type":"Map","MaxConcurrency":1,"End":true,"ItemProcessor":{
    "StartAt":"W","States":{"W":{"Type":"Wait","Seconds":1,"End":true}}}}}}"#;

const DAY_MS: i64 = 86_400_000;

fn rows_of(store: &dyn Store, arn: &str) -> usize {
    let id = ExecutionId::of_arn(arn);
    let mut rows = 0;
    for space in Space::ALL {
        let mut visit = |key: &[u8], _: &[u8]| {
            rows += usize::from(key.windows(16).any(|part| part == id.0));
            ControlFlow::Continue(())
        };
        store.scan(space, b"", b"", Direction::Forward, &mut visit).unwrap();
    }
    rows
}

fn sweep(world: &World, before_ms: i64) -> Swept {
    world.run(world.engine.sweep_closed(before_ms)).unwrap()
}

fn listed(world: &World, machine: &str) -> Vec<String> {
    let list = ListExecutions {
        state_machine_arn: format!("{}:stateMachine:{machine}", world.engine.arn_prefix()).into(),
        status: None,
        limit: 1000,
        after: None,
    };
    let page = world.run(world.engine.list_executions(list)).unwrap();
    page.items.iter().map(|item| item.name.to_string()).collect()
}

#[test]
fn what_ended_before_goes_with_all_its_rows_and_its_name_is_free() {
    let world = World::held();
    world.create("m", PASS);
    world.create("w", WAIT_30_DAYS);
    let text = format!(r#"{{"long":"{}"}}"#, "x".repeat(10_000));
    let old = world.start("m", "old", &text);
    let running = world.start("w", "running", "{}");
    world.end(&old);
    world.pass_seconds(10 * 86_400);
    let young = world.start("m", "young", "{}");
    world.end(&young);
    let now_ms = world.clock.now_ms();

    assert_eq!(sweep(&world, now_ms - 11 * DAY_MS), Swept::default(), "nothing is that old");
    assert_eq!(sweep(&world, now_ms - 5 * DAY_MS), Swept { executions: 1, revisions: 0 });
    let described = world.run(world.engine.execution(&old));
    assert!(matches!(described, Err(ExecutionError::DoesNotExist)), "{described:?}");
    assert!(matches!(world.run(world.engine.history(whole(&old))), Err(ExecutionError::DoesNotExist)));
    assert_eq!(rows_of(world.store.as_ref(), &old), 0);
    assert_eq!(listed(&world, "m"), ["young"]);
    assert_eq!(listed(&world, "w"), ["running"]);
    assert_eq!(rows_of(world.store.as_ref(), &running), 3, "summary, timer and listing");

    let again = world.start("m", "old", "5");
    assert_eq!(world.end(&again), "SUCCEEDED 5");
    assert_eq!(world.end(&young), "SUCCEEDED {}");
    assert_eq!(sweep(&world, now_ms + DAY_MS), Swept { executions: 2, revisions: 0 });
    world.release_time();
    assert_eq!(world.end(&running), "SUCCEEDED {}", "it goes on");
}

/// Two child executions, of which the second takes 30 days longer.
const SPREAD: &str = r#"{"StartAt":"M","States":{"M":{"Type":"Map","Label":"L","MaxConcurrency":1,"End":true,"ItemProcessor":{
    "ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},
    "StartAt":"W","States":{"W":{"Type":"Wait","SecondsPath":"$","End":true}}}}}}"#;

#[test]
fn child_executions_stay_as_long_as_what_waits_for_their_results() {
    let world = World::held();
    world.create("m", SPREAD);
    let arn = world.start("m", "x", "[1,2592000]");
    world.run(async {
        while world
            .engine
            .list_map_runs(&arn, 1, None)
            .await
            .unwrap()
            .items
            .iter()
            .all(|run| run.executions.succeeded < 1)
        {
            world.pass_seconds(1);
            tokio::task::yield_now().await;
        }
    });
    world.pass_seconds(20 * 86_400);
    assert_eq!(
        sweep(&world, world.clock.now_ms() - 10 * DAY_MS),
        Swept::default(),
        "the first child has ended, and stays"
    );
    world.release_time();
    assert_eq!(world.end(&arn), "SUCCEEDED [1,2592000]");
    let now_ms = world.clock.now_ms();
    // The children after what waited for them, and that once its Map Run is no longer under way.
    let mut removed = 0;
    while removed < 3 {
        removed += sweep(&world, now_ms + DAY_MS).executions;
    }
    assert_eq!(removed, 3);
    assert_eq!(rows_of(world.store.as_ref(), &arn), 0);
}

#[test]
fn a_crash_half_way_is_gone_on_from() {
    for fate in [Fate::Lost, Fate::Kept] {
        for after in 0..6 {
            let world = World::with(Arc::new(Memory::new()), Bounds::default(), 2);
            world.create("m", STEPS);
            let items: Vec<String> = (0..150).map(|item| item.to_string()).collect();
            let arn = world.start("m", "x", &format!("[{}]", items.join(",")));
            world.end(&arn);
            let memory = world.store.clone();
            assert!(rows_of(memory.as_ref(), &arn) > 150);
            let faulty = Arc::new(Faulty::new(memory.clone(), Some(Plan { after, fate })));
            let store: Arc<dyn Store> = faulty.clone();
            let world = world.restart_on(store);
            let before_ms = world.clock.now_ms() + 1;
            let cut_off = world.run(world.engine.sweep_closed(before_ms));
            let next = faulty.crash().unwrap();
            let world = world.restart_on(next);
            let left = rows_of(memory.as_ref(), &arn);
            assert!(cut_off.is_err() || left == 0, "{fate:?} {after}");
            // While anything is left of it, its name is not free.
            assert_eq!(world.try_start("m", "x", "[]").is_err(), left > 0, "{fate:?} {after}: {left} rows");
            if left == 0 {
                continue;
            }
            let swept = sweep(&world, world.clock.now_ms() + 1);
            assert_eq!((swept.executions, rows_of(memory.as_ref(), &arn)), (1, 0), "{fate:?} {after}");
        }
    }
}

#[test]
fn revisions_go_when_nothing_names_them() {
    let world = World::held();
    let machine = world.create("m", PASS);
    let update = |definition: &str| {
        let update = UpdateStateMachine {
            arn: machine.arn.clone(),
            definition: Some(definition.into()),
            role_arn: None,
            logging: None,
            tracing: None,
            encryption: None,
            publish: None,
        };
        world.run(world.engine.update_state_machine(update)).unwrap();
    };
    let first = world.start("m", "first", "1");
    world.end(&first);
    update(WAIT_30_DAYS);
    let waiting = world.start("m", "waiting", "2");
    update(STEPS);
    update(PASS);
    let now_ms = world.clock.now_ms();
    assert_eq!(sweep(&world, now_ms), Swept { executions: 0, revisions: 1 }, "the third was never run");
    let of = |arn: &str| world.run(world.engine.state_machine_of(arn)).unwrap().definition;
    assert_eq!((&*of(&first), &*of(&waiting)), (PASS, WAIT_30_DAYS));
    assert_eq!(sweep(&world, now_ms + 1), Swept { executions: 1, revisions: 1 });
    let world = world.restart();
    world.release_time();
    assert_eq!(world.end(&waiting), "SUCCEEDED 2", "its own is kept");
    assert_eq!(sweep(&world, world.clock.now_ms() + 1), Swept { executions: 1, revisions: 1 });
    let last = world.start("m", "last", "3");
    assert_eq!(world.end(&last), "SUCCEEDED 3");
}

#[test]
fn a_version_keeps_its_revision_and_its_listing_goes_with_the_execution() {
    let world = World::held();
    let machine = world.create("m", PASS);
    let asked = PublishVersion { state_machine_arn: machine.arn.clone(), revision_id: None, description: None };
    let version = world.run(world.engine.publish_version(asked)).unwrap().arn;
    for definition in [WAIT_30_DAYS, STEPS] {
        let update = UpdateStateMachine {
            arn: machine.arn.clone(),
            definition: Some(definition.into()),
            role_arn: None,
            logging: None,
            tracing: None,
            encryption: None,
            publish: None,
        };
        world.run(world.engine.update_state_machine(update)).unwrap();
    }
    let start = |name: &str| {
        let start = StartExecution {
            state_machine_arn: version.clone(),
            name: Some(name.into()),
            input: Payload::from_checked_text("7"),
            trace_header: None,
            test_case: None,
            origin: None,
        };
        world.run(world.engine.start_execution(start)).unwrap().arn
    };
    let arn = start("x");
    assert_eq!(world.end(&arn), "SUCCEEDED 7");
    let swept = sweep(&world, world.clock.now_ms() + 1);
    assert_eq!(swept, Swept { executions: 1, revisions: 1 }, "the one between is named by nothing");
    assert_eq!(rows_of(world.store.as_ref(), &arn), 0, "also under the version");
    assert_eq!(world.end(&start("x")), "SUCCEEDED 7", "the version still runs");
}

#[test]
fn the_thread_sweeps_by_itself_and_ends_with_the_engine() {
    let world = World::held();
    world.create("m", PASS);
    let arn = world.start("m", "x", "1");
    world.end(&arn);
    world.pass_seconds(10);
    world.engine.remove_closed_after(std::time::Duration::from_secs(5)).unwrap();
    world.run(async {
        while world.engine.execution(&arn).await.is_ok() {
            tokio::task::yield_now().await;
        }
    });
    let world = world.restart();
    assert_eq!(rows_of(world.store.as_ref(), &arn), 0);
}
