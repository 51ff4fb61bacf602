use std::{ops::ControlFlow, sync::Arc};

use stepwell_engine::{Answer, Engine, ExecutionError, OpenError, StartExecution, StartExecutionError, Unavailable};
use stepwell_expr::{Payload, Value};
use stepwell_machine::{Failure, TestCase, mock::MockError};
use stepwell_store::{Batch, Direction, Space};

use crate::world::{Scripted, WAIT_30_DAYS, World, activity, config, function, start};

#[test]
fn a_waiting_execution_goes_on() {
    let world = World::held();
    world.create("m", WAIT_30_DAYS);
    let arn = world.start("m", "x", r#"{"kept":true}"#);
    let world = world.restart();
    assert_eq!(world.engine.health().open_executions, 1);
    assert!(world.try_start("m", "x", r#"{"kept":true}"#).is_ok(), "still the same execution");
    let other = world.try_start("m", "x", "{}");
    assert!(matches!(other, Err(StartExecutionError::AlreadyExists { .. })), "{other:?}");
    world.release_time();
    assert_eq!(world.end(&arn), r#"SUCCEEDED {"kept":true}"#);
    assert_eq!(
        world.events(&arn),
        "ExecutionStarted StateEntered StateExited StateEntered StateExited ExecutionSucceeded"
    );
    assert_eq!(world.engine.health().open_executions, 0);
}

#[test]
fn a_task_whose_outcome_was_not_durable_is_run_again() {
    let world = World::new();
    world.create("m", &function("gate"));
    let arn = world.start("m", "x", "5");
    world.wait_for_run("5");
    let world = world.restart();
    world.script.open_gate();
    assert_eq!(world.end(&arn), "SUCCEEDED 5");
    assert_eq!(world.script.runs_of("5"), 2);
    let world = world.restart();
    assert_eq!(world.end(&arn), "SUCCEEDED 5");
    assert_eq!(world.script.runs_of("5"), 2, "its intent has gone with its outcome");
}

#[test]
fn offered_tasks_and_tokens_survive() {
    let world = World::held();
    let created =
        world.run(world.engine.create_activity(world.engine.owner(), "a", Value::empty_object(), Default::default()));
    let arn = created.unwrap().arn;
    world.create("m", &activity(&arn, ""));
    let first = world.start("m", "x", "1");
    world.pass_seconds(1);
    let second = world.start("m", "y", "2");
    let taken = world.take_task(&arn, "w");
    assert_eq!(&**taken.input.text(), "1");
    let world = world.restart();
    let later = world.take_task(&arn, "w");
    assert_eq!(&**later.input.text(), "2");
    for task in [taken, later] {
        world.run(world.engine.answer_task(&task.token, Answer::Success(task.input))).unwrap();
    }
    assert_eq!(world.end(&first), "SUCCEEDED 1");
    assert_eq!(world.end(&second), "SUCCEEDED 2");
}

#[test]
fn each_heartbeat_gets_one_full_interval() {
    let world = World::held();
    let created =
        world.run(world.engine.create_activity(world.engine.owner(), "a", Value::empty_object(), Default::default()));
    let arn = created.unwrap().arn;
    world.create("m", &activity(&arn, r#""HeartbeatSeconds":10,"#));
    let execution = world.start("m", "x", "1");
    let task = world.take_task(&arn, "w");
    world.pass_seconds(8);
    world.run(world.engine.heartbeat(&task.token)).unwrap();
    world.pass_seconds(8);
    // The beat was in memory only; by its row the task would be overdue.
    let world = world.restart();
    world.pass_seconds(9);
    world.run(world.engine.heartbeat(&task.token)).unwrap();
    let output = Payload::from_checked_text("2");
    world.run(world.engine.answer_task(&task.token, Answer::Success(output))).unwrap();
    assert_eq!(world.end(&execution), "SUCCEEDED 2");
}

#[test]
fn long_texts_come_back_when_they_are_needed() {
    let world = World::held();
    let definition = r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":60,"Next":"P"},
        "P":{"Type":"Pass","Parameters":{"long.$":"$.text","more":1},"End":true}}}"#;
    world.create("m", definition);
    let long = "x".repeat(100_000);
    let arn = world.start("m", "x", &format!(r#"{{"text":"{long}"}}"#));
    let world = world.restart();
    world.release_time();
    assert_eq!(world.end(&arn), format!(r#"SUCCEEDED {{"more":1,"long":"{long}"}}"#));
}

#[test]
fn an_execution_with_damaged_rows_is_left_alone_and_the_others_go_on() {
    let world = World::held();
    world.create("m", WAIT_30_DAYS);
    // With a long input, so that header and frame are not part of the summary.
    let damaged = world.start("m", "damaged", &format!("{:?}", "x".repeat(2_000)));
    let mut frames = Batch::default();
    let mut damage = |key: &[u8], _: &[u8]| {
        frames.put(Space::Frames, key, *b"\xff\xff");
        ControlFlow::Continue(())
    };
    world.store.scan(Space::Frames, b"", b"", Direction::Forward, &mut damage).unwrap();
    assert!(!frames.is_empty());
    world.store.commit(frames).unwrap();
    let world = world.restart();
    let healthy = world.start("m", "healthy", "2");
    let stopped = world.run(world.engine.stop_execution(&damaged, Failure::named("E")));
    assert!(matches!(stopped, Err(ExecutionError::Unavailable(Unavailable::Down))), "{stopped:?}");
    world.release_time();
    assert_eq!(world.end(&healthy), "SUCCEEDED 2");
    assert!(world.engine.health().poisoned.is_none());
}

#[test]
fn the_data_of_another_account_is_refused() {
    let world = World::new();
    let World { runtime, store, clock, script, engine, .. } = world;
    drop(engine);
    let other = stepwell_engine::Config { account: "000000000000".into(), ..config(clock, 1) };
    let opened = Engine::open(store, other, std::sync::Arc::new(Scripted(script)), runtime.handle().clone());
    match opened {
        Err(error @ OpenError::OtherOwner { .. }) => {
            let text = error.to_string();
            assert!(text.contains("123456789012") && text.contains("000000000000"), "{text}");
        }
        other => panic!("{:?}", other.map(|_| ()).map_err(|error| error.to_string())),
    }
}

#[test]
fn a_test_case_is_part_of_the_execution() {
    let world = World::held();
    world.create(
        "m",
        r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":60,"Next":"T"},"T":{"Type":"Task",
            "Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f"},
            "Retry":[{"ErrorEquals":["E"],"IntervalSeconds":60}],"End":true}}}"#,
    );
    let mocks = |state: &str| {
        let config = format!(
            r#"{{"StateMachines":{{"m":{{"TestCases":{{"C":{{"{state}":"r"}}}}}}}},
                "MockedResponses":{{"r":{{"0":{{"Throw":{{"Error":"E"}}}},"1":{{"Return":"mocked"}}}}}}}}"#
        );
        Some(Arc::new(TestCase::select(&config, "m", "C").unwrap()))
    };
    let wrong = StartExecution { test_case: mocks("W"), ..start(&world.engine, "m", "wrong", "{}") };
    let refused = world.run(world.engine.start_execution(wrong));
    assert!(matches!(refused, Err(StartExecutionError::TestCase(MockError::NoSuchTask(_)))), "{refused:?}");
    let right = StartExecution { test_case: mocks("T"), ..start(&world.engine, "m", "x", "{}") };
    let arn = world.run(world.engine.start_execution(right)).unwrap().arn;
    let world = world.restart();
    world.pass_seconds(60);
    world.wait_for_event(&arn, "TaskFailed");
    let world = world.restart();
    world.release_time();
    assert_eq!(world.end(&arn), "SUCCEEDED \"mocked\"");
    let mut left = 0;
    let mut count = |_: &[u8], _: &[u8]| {
        left += 1;
        ControlFlow::Continue(())
    };
    world.store.scan(Space::Frames, b"", b"", Direction::Forward, &mut count).unwrap();
    assert_eq!(left, 0, "its row goes with the frames");
}
