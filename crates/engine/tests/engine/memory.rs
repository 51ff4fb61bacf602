use std::{collections::BTreeMap, sync::Arc};

use stepwell_engine::{Answer, Bounds};
use stepwell_expr::{Payload, Value};
use stepwell_store::memory::Memory;

use crate::world::{World, activity, function};

/// Hardly anything stays in memory.
const TINY: Bounds = Bounds {
    cache_bytes: 1,
    timers: 2,
    task_runs: 1,
    waiting: 1,
    slices: 1,
    express_runs: 1,
    log_events: 1,
    status_changes: 1,
    inbox_calls: 1_000,
    inbox_bytes: 1_000_000,
};

#[test]
fn what_does_not_fit_into_memory_goes_on_from_its_rows() {
    let world = World::with(Arc::new(Memory::new()), TINY, 2);
    let wait = |seconds: u64| {
        let task = "arn:aws:lambda:us-east-1:123456789012:function:echo";
        format!(
            r#"{{"StartAt":"W","States":{{"W":{{"Type":"Wait","Seconds":{seconds},"Next":"T"}},
            "T":{{"Type":"Task","Resource":"{task}","Next":"V"}},"V":{{"Type":"Wait","Seconds":7,"End":true}}}}}}"#
        )
    };
    world.hold_time();
    for seconds in 1..=4 {
        world.create(&format!("m{seconds}"), &wait(seconds * 10));
    }
    let started: Vec<_> = (0..40_u64)
        .map(|number| {
            (number, world.start(&format!("m{}", number % 4 + 1), &format!("x{number}"), &number.to_string()))
        })
        .collect();
    world.release_time();
    for (number, arn) in started {
        assert_eq!(world.end(&arn), format!("SUCCEEDED {number}"));
        assert_eq!(world.script.runs_of(&number.to_string()), 1);
    }
    assert_eq!(world.engine.health().open_executions, 0);
}

#[test]
fn queued_tasks_are_dropped_with_their_executions() {
    let world = World::with(Arc::new(Memory::new()), TINY, 1);
    world.create("gate", &function("gate"));
    world.create("m", &function("echo"));
    let first = world.start("gate", "first", "1");
    world.wait_for_run("1");
    let stopped = world.start("m", "stopped", "2");
    let queued = world.start("m", "queued", "3");
    world.run(world.engine.stop_execution(&stopped, stepwell_machine::Failure::named("E"))).unwrap();
    world.script.open_gate();
    assert_eq!(world.end(&first), "SUCCEEDED 1");
    assert_eq!(world.end(&queued), "SUCCEEDED 3");
    assert_eq!(world.end(&stopped), "ABORTED E: -");
    assert_eq!(world.script.runs_of("2"), 0);
}

#[test]
fn a_heartbeat_survives_that_its_execution_leaves_memory() {
    let world = World::with(Arc::new(Memory::new()), TINY, 1);
    world.hold_time();
    let created =
        world.run(world.engine.create_activity(world.engine.owner(), "a", Value::empty_object(), Default::default()));
    let arn = created.unwrap().arn;
    world.create("m", &activity(&arn, r#""HeartbeatSeconds":10,"#));
    let first = world.start("m", "x", "1");
    let task = world.take_task(&arn, "w");
    for round in 0..4 {
        world.pass_seconds(9);
        world.run(world.engine.heartbeat(&task.token)).unwrap();
        // Others come in between, so that it has to leave.
        world.start("m", &format!("other{round}"), "2");
        world.start("m", &format!("another{round}"), "2");
    }
    let output = Payload::from_checked_text("3");
    world.run(world.engine.answer_task(&task.token, Answer::Success(output))).unwrap();
    assert_eq!(world.end(&first), "SUCCEEDED 3");
}

#[test]
fn tasks_beyond_the_bound_are_run_from_their_rows() {
    let bounds = Bounds { task_runs: 2, waiting: 3, ..Bounds::default() };
    for restart in [false, true] {
        let world = World::with(Arc::new(Memory::new()), bounds, 2);
        world.create("m", &function("gate"));
        let arns: Vec<_> = (0..40).map(|number| world.start("m", &format!("x{number}"), &number.to_string())).collect();
        let world = if restart { world.restart() } else { world };
        world.script.open_gate();
        for (number, arn) in arns.iter().enumerate() {
            assert_eq!(world.end(arn), format!("SUCCEEDED {number}"));
            let runs = world.script.runs_of(&number.to_string());
            assert!(runs == 1 || restart && runs == 2, "{number} ran {runs} times");
        }
    }
}

#[test]
fn workers_get_the_tasks_beyond_the_bound_from_their_rows() {
    let bounds = Bounds { waiting: 3, ..Bounds::default() };
    for restart in [false, true] {
        let world = World::with(Arc::new(Memory::new()), bounds, 2);
        let [first, second] = ["a", "b"].map(|name| {
            let created = world.run(world.engine.create_activity(
                world.engine.owner(),
                name,
                Value::empty_object(),
                BTreeMap::new(),
            ));
            created.unwrap().arn
        });
        world.create("m", &activity(&first, ""));
        world.create("n", &activity(&second, ""));
        let arns: Vec<_> = (0..20).map(|number| world.start("m", &format!("x{number}"), &number.to_string())).collect();
        let other = world.start("n", "x", "99");
        let world = if restart { world.restart() } else { world };
        let task = world.take_task(&second, "w");
        assert_eq!(&**task.input.text(), "99", "one activity does not hide another");
        world.run(world.engine.answer_task(&task.token, Answer::Success(task.input))).unwrap();
        assert_eq!(world.end(&other), "SUCCEEDED 99");
        for _ in 0..20 {
            let task = world.take_task(&first, "w");
            world.run(world.engine.answer_task(&task.token, Answer::Success(task.input))).unwrap();
        }
        for (number, arn) in arns.iter().enumerate() {
            assert_eq!(world.end(arn), format!("SUCCEEDED {number}"));
        }
    }
}

#[test]
fn tasks_beyond_the_bound_fail_with_their_activity() {
    let world = World::with(Arc::new(Memory::new()), Bounds { waiting: 3, ..Bounds::default() }, 2);
    let created =
        world.run(world.engine.create_activity(world.engine.owner(), "a", Value::empty_object(), BTreeMap::new()));
    let activity_arn = created.unwrap().arn;
    world.create("m", &activity(&activity_arn, ""));
    let arns: Vec<_> = (0..20).map(|number| world.start("m", &format!("x{number}"), "{}")).collect();
    world.run(world.engine.delete_activity(&activity_arn)).unwrap();
    for arn in arns {
        let end = world.end(&arn);
        assert!(end.starts_with("FAILED States.Runtime"), "{end}");
    }
}
