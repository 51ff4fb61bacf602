//! State transitions that come too soon: executions wait for their turn, and nothing of them is lost.

use std::sync::Arc;

use stepwell_engine::{Bounds, Config, Quotas, Rate};
use stepwell_machine::Status;
use stepwell_store::memory::Memory;

use crate::world::{PASS, World, function};

fn quotas(bucket: u32, refill: u32) -> Quotas {
    Quotas { state_transitions: Some(Rate { bucket, refill }), ..Quotas::default() }
}

/// In which time stands still.
fn throttled(bucket: u32, refill: u32) -> World {
    let world = World::held().restart_with(quotas(bucket, refill));
    world.hold_time();
    world
}

/// So many states, one after another.
fn chain(states: usize) -> String {
    let state = |number: usize| match number + 1 == states {
        true => format!(r#""S{number}":{{"Type":"Pass","End":true}}"#),
        false => format!(r#""S{number}":{{"Type":"Pass","Next":"S{}"}}"#, number + 1),
    };
    let states: Vec<String> = (0..states).map(state).collect();
    format!(r#"{{"StartAt":"S0","States":{{{}}}}}"#, states.join(","))
}

fn entered(world: &World, arn: &str) -> usize {
    world.events(arn).matches("StateEntered").count()
}

fn stop_ms(world: &World, arn: &str) -> i64 {
    match world.wait_until(arn, |summary| !matches!(summary.status, Status::Running)).status {
        Status::Succeeded { stop_ms, .. } => stop_ms,
        other => panic!("it has not succeeded: {other:?}"),
    }
}

#[test]
fn an_execution_waits_for_tokens_and_succeeds() {
    let world = World::with(Arc::new(Memory::new()), Bounds::default(), 1).restart_with(quotas(10, 5));
    world.hold_time();
    world.create("m", &chain(30));
    let started = world.try_start("m", "x", "{}").unwrap();
    assert_eq!(entered(&world, &started.arn), 11, "ten have run");
    assert!(matches!(world.describe(&started.arn).status, Status::Running));
    world.release_time();
    assert_eq!(stop_ms(&world, &started.arn) - started.start_ms, 4_000, "20 states, 5 a second");
    assert_eq!(entered(&world, &started.arn), 30);
}

#[test]
fn all_drivers_share_the_bucket_and_who_came_first_goes_on_first() {
    let world = throttled(1, 10);
    world.create("long", &chain(50));
    world.create("short", &chain(2));
    let long = world.try_start("long", "x", "{}").unwrap();
    let short: Vec<_> = (0..10).map(|number| world.try_start("short", &format!("y{number}"), "{}").unwrap()).collect();
    world.release_time();
    let ends: Vec<i64> = short.iter().map(|started| stop_ms(&world, &started.arn)).collect();
    let end = stop_ms(&world, &long.arn);
    assert!(ends.iter().all(|short| *short < end), "{ends:?} {end}");
    // One token was there at first, and one may be owed at the end: two drivers may look into the bucket together.
    assert!(end - long.start_ms >= 6_800, "70 states, 10 a second");
}

#[test]
fn what_comes_from_outside_is_taken_at_once_and_counts() {
    let world = throttled(1, 1);
    world.create("m", &function("gate").replace(r#""End":true}"#, r#""Next":"S"},"S":{"Type":"Succeed"}"#));
    let arn = world.start("m", "x", r#"{"n":1}"#);
    world.wait_for_run(r#"{"n":1}"#);
    world.script.open_gate();
    world.wait_for_event(&arn, "LambdaFunctionSucceeded");
    assert!(world.events(&arn).ends_with("StateExited StateEntered"), "{}", world.events(&arn));
    let world = world.restart_with(quotas(1, 1));
    world.release_time();
    assert_eq!(world.end(&arn), r#"SUCCEEDED {"n":1}"#);
    assert_eq!(world.script.runs_of(r#"{"n":1}"#), 1);
}

#[test]
fn one_that_waits_can_be_stopped_and_survives_a_restart() {
    let world = throttled(1, 1);
    world.create("m", &chain(3));
    let [stopped, kept] = ["x", "y"].map(|name| world.start("m", name, "{}"));
    let failure = stepwell_machine::Failure::new("Stop", "by hand");
    world.run(world.engine.stop_execution(&stopped, failure)).unwrap();
    assert!(matches!(world.describe(&stopped).status, Status::Aborted { .. }));
    let world = world.restart();
    assert_eq!(world.end(&kept), "SUCCEEDED {}", "without a throttle it goes on at once");
    assert_eq!(entered(&world, &kept), 3);
}

#[test]
fn more_of_them_than_fit_into_memory_wait_as_rows() {
    for drivers in [1, 2] {
        let bounds = Bounds { slices: 2, cache_bytes: 1, ..Bounds::default() };
        let world = World::with(Arc::new(Memory::new()), bounds, drivers);
        let world = world.restart_as(|config| Config { quotas: quotas(3, 100), ..config });
        world.hold_time();
        world.create("m", PASS);
        let arns: Vec<_> = (0..40).map(|number| world.start("m", &format!("x{number}"), "{}")).collect();
        let world = world.restart_with(quotas(3, 100));
        world.release_time();
        for arn in arns {
            assert_eq!(world.end(&arn), "SUCCEEDED {}");
            assert_eq!(world.events(&arn), "ExecutionStarted StateEntered StateExited ExecutionSucceeded");
        }
    }
}
