use std::sync::Arc;

use stepwell_engine::{
    ExecutionError, GetHistory, ListExecutions, StartExecution, StartExecutionError, StatusName, Unavailable,
};
use stepwell_machine::Failure;

use crate::world::{BEGINNING_MS, PASS, WAIT_30_DAYS, World, event_name, function, outcome, start};

#[test]
fn what_a_start_answers_is_durable_and_visible() {
    let world = World::new();
    world.create("m", PASS);
    let started = world.try_start("m", "x", r#"{"n": 1}"#).unwrap();
    assert_eq!(&*started.arn, "arn:aws:states:us-east-1:123456789012:execution:m:x");
    assert_eq!(started.start_ms, BEGINNING_MS);
    let summary = world.describe(&started.arn);
    assert_eq!(outcome(&summary.status), r#"SUCCEEDED {"n": 1}"#);
    assert_eq!(&**summary.input.text(), r#"{"n": 1}"#);
    assert_eq!(&*summary.state_machine_arn, "arn:aws:states:us-east-1:123456789012:stateMachine:m");
    assert_eq!(world.events(&started.arn), "ExecutionStarted StateEntered StateExited ExecutionSucceeded");
    let ids: Vec<u64> = world.history(&started.arn).iter().map(|event| event.id).collect();
    assert_eq!(ids, [1, 2, 3, 4]);
    assert_eq!(world.engine.health().open_executions, 0);
}

#[test]
fn a_name_is_free_once_and_a_repeat_of_the_start_answers_the_original_while_it_runs() {
    let world = World::held();
    world.create("m", WAIT_30_DAYS);
    let first = world.try_start("m", "x", "{}").unwrap();
    world.pass_seconds(5);
    let again = world.try_start("m", "x", "{}").unwrap();
    assert_eq!((first.arn.clone(), first.start_ms), (again.arn, again.start_ms));
    let other = world.try_start("m", "x", "{ }");
    assert!(matches!(other, Err(StartExecutionError::AlreadyExists { .. })), "{other:?}");
    assert_eq!(world.engine.health().open_executions, 1);
    world.release_time();
    assert_eq!(world.end(&first.arn), "SUCCEEDED {}");
    let ended = world.try_start("m", "x", "{}");
    assert!(matches!(ended, Err(StartExecutionError::AlreadyExists { .. })), "{ended:?}");
}

#[test]
fn starts_on_nothing_and_without_a_name() {
    let world = World::new();
    let nothing = world.try_start("m", "x", "{}");
    assert!(matches!(nothing, Err(StartExecutionError::StateMachineDoesNotExist)), "{nothing:?}");
    world.create("m", PASS);
    let unnamed = StartExecution { name: None, ..start(&world.engine, "m", "", "{}") };
    let arn = world.run(world.engine.start_execution(unnamed)).unwrap().arn;
    assert_eq!(arn.rsplit(':').next().map(str::len), Some(36));
    assert_eq!(world.end(&arn), "SUCCEEDED {}");
}

#[test]
fn tasks_run_and_their_outcomes_come_back() {
    let world = World::new();
    let cases = [
        ("echo", "SUCCEEDED [1]"),
        ("fail", "FAILED Scripted: it was to fail"),
        ("panic", "FAILED States.Runtime: The run of the task ended without an outcome."),
    ];
    for (name, expected) in cases {
        world.create(name, &function(name));
        let arn = world.start(name, "x", "[1]");
        assert_eq!(world.end(&arn), expected, "{name}");
    }
    assert_eq!(world.script.runs_of("[1]"), 3);
}

#[test]
fn stops() {
    let world = World::new();
    world.create("m", &function("never"));
    let arn = world.start("m", "x", "{}");
    let stop_ms = world.run(world.engine.stop_execution(&arn, Failure::new("E", "C"))).unwrap();
    assert_eq!(world.end(&arn), "ABORTED E: C");
    world.pass_seconds(10);
    let again = world.run(world.engine.stop_execution(&arn, Failure::new("F", "D"))).unwrap();
    assert_eq!(stop_ms, again, "of one that has ended, its own date");
    assert_eq!(world.end(&arn), "ABORTED E: C");
    let nothing = world.run(world.engine.stop_execution("arn:nothing", Failure::new("E", "C")));
    assert!(matches!(nothing, Err(ExecutionError::DoesNotExist)));
}

#[test]
fn reads_of_nothing() {
    let world = World::new();
    assert!(matches!(world.run(world.engine.execution("arn:x")), Err(ExecutionError::DoesNotExist)));
    let get = GetHistory { execution_arn: "arn:x".into(), reverse: false, with_data: true, limit: 1, after: None };
    assert!(matches!(world.run(world.engine.history(get)), Err(ExecutionError::DoesNotExist)));
    assert!(matches!(world.run(world.engine.state_machine_of("arn:x")), Err(ExecutionError::DoesNotExist)));
}

#[test]
fn pages_of_history_and_of_executions() {
    let world = World::new();
    world.create("m", PASS);
    for name in ["a", "b", "c"] {
        world.start("m", name, "{}");
        world.pass_seconds(1);
    }
    let machine = "arn:aws:states:us-east-1:123456789012:stateMachine:m";
    let list = |after, status| ListExecutions { state_machine_arn: machine.into(), status, limit: 2, after };
    let first = world.run(world.engine.list_executions(list(None, None))).unwrap();
    let second = world.run(world.engine.list_executions(list(first.next.clone(), None))).unwrap();
    let names: Vec<&str> = first.items.iter().chain(&second.items).map(|item| &*item.name).collect();
    assert_eq!(names, ["c", "b", "a"]);
    assert!(second.next.is_none());
    let running = world.run(world.engine.list_executions(list(None, Some(StatusName::Running)))).unwrap();
    assert!(running.items.is_empty());

    let arn = "arn:aws:states:us-east-1:123456789012:execution:m:a";
    let get = |after, reverse| GetHistory { execution_arn: arn.into(), reverse, with_data: false, limit: 3, after };
    let page = world.run(world.engine.history(get(None, true))).unwrap();
    assert_eq!(page.events.iter().map(|event| event.id).collect::<Vec<_>>(), [4, 3, 2]);
    let rest = world.run(world.engine.history(get(page.last, true))).unwrap();
    assert_eq!(rest.events.iter().map(event_name).collect::<Vec<_>>(), ["ExecutionStarted"]);
    assert!(rest.last.is_none());
}

#[test]
fn an_expression_that_takes_long_is_thought_about_elsewhere() {
    let world = World::new();
    let definition = r#"{"QueryLanguage":"JSONata","StartAt":"P","States":{"P":{"Type":"Pass",
        "Output":"{% $sum([1..20000]) %}","End":true}}}"#;
    world.create("m", definition);
    let arn = world.start("m", "x", "{}");
    assert_eq!(world.end(&arn), "SUCCEEDED 200010000");
}

#[test]
fn a_long_chain_goes_on_in_slices() {
    let world = World::new();
    let definition = r#"{"StartAt":"N","States":{
        "N":{"Type":"Pass","Parameters":{"n.$":"States.MathAdd($.n,1)"},"Next":"C"},
        "C":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericLessThan":3000,"Next":"N"}],"Default":"S"},
        "S":{"Type":"Succeed"}}}"#;
    world.create("m", definition);
    let arn = world.start("m", "x", r#"{"n":0}"#);
    assert_eq!(world.end(&arn), r#"SUCCEEDED {"n":3000}"#);
    let mut after = None;
    let mut ids = Vec::new();
    loop {
        let get = GetHistory { execution_arn: arn.clone(), reverse: false, with_data: false, limit: 1000, after };
        let page = world.run(world.engine.history(get)).unwrap();
        ids.extend(page.events.iter().map(|event| event.id));
        match page.last {
            Some(last) => after = Some(last),
            None => break,
        }
    }
    let expected: Vec<u64> = (1..=ids.len() as u64).collect();
    assert_eq!(ids, expected);
    assert_eq!(ids.len(), 2 + 3000 * 4 + 2);
}

#[test]
fn after_the_shut_down_nothing_is_taken() {
    let world = World::new();
    world.create("m", PASS);
    let arn = world.start("m", "x", r#""kept""#);
    world.run(world.engine.shut_down());
    let refused = world.try_start("m", "y", "{}");
    assert!(matches!(refused, Err(StartExecutionError::Unavailable(Unavailable::Down))), "{refused:?}");
    let stopped = world.run(world.engine.stop_execution(&arn, Failure::named("E")));
    assert!(matches!(stopped, Err(ExecutionError::Unavailable(Unavailable::Down))), "{stopped:?}");
    assert_eq!(outcome(&world.describe(&arn).status), r#"SUCCEEDED "kept""#, "reads go on");
}

#[test]
fn the_list_of_what_runs_follows_starts_ends_and_restarts() {
    let mut world = World::held();
    world.create("m", WAIT_30_DAYS);
    let machine_arn: Arc<str> = format!("{}:stateMachine:m", world.engine.arn_prefix()).into();
    let running = |world: &World| {
        let mut names: Vec<String> = Vec::new();
        let mut after = None;
        loop {
            let status = Some(StatusName::Running);
            let list = ListExecutions { state_machine_arn: machine_arn.clone(), status, limit: 1, after };
            let page = world.run(world.engine.list_executions(list)).unwrap();
            names.extend(page.items.iter().map(|listed| listed.name.to_string()));
            after = page.next;
            if after.is_none() {
                names.sort();
                return names;
            }
        }
    };
    world.start("m", "before", "{}");
    assert_eq!(running(&world), ["before"]);
    let stopped = world.start("m", "stopped", "{}");
    world.start("m", "waits", "{}");
    assert_eq!(running(&world), ["before", "stopped", "waits"]);
    let failure = Failure { error: None, cause: None };
    world.run(world.engine.stop_execution(&stopped, failure)).unwrap();
    assert_eq!(running(&world), ["before", "waits"]);
    world = world.restart();
    world.hold_time();
    world.start("m", "after", "{}");
    assert_eq!(running(&world), ["after", "before", "waits"]);
}

/// The first look may have to read a file, which no driver waits for.
#[test]
fn parameters_of_which_nothing_is_known_are_looked_at_by_threads_that_may_wait() {
    let world = World::new();
    let task = |parameters: &str| {
        let resource = "arn:aws:states:::sqs:sendMessage";
        format!(
            r#"{{"StartAt":"T","States":{{"T":{{"Type":"Task","Resource":"{resource}","Parameters":{parameters},"End":true}}}}}}"#
        )
    };
    world.create("right", &task("{}"));
    world.create("wrong", &task(r#"{"Wrong":1}"#));
    for name in ["a", "b"] {
        assert_eq!(world.end(&world.start("right", name, "1")), "SUCCEEDED {}");
        let end = world.end(&world.start("wrong", name, "1"));
        assert!(end.starts_with("FAILED States.Runtime") && end.contains("`Wrong` is no parameter"), "{end}");
    }
    let threads = world.script.looked_at_by.lock().unwrap().clone();
    assert!(threads[0].starts_with("stepwell-slow"), "{threads:?}");
    assert!(threads[1..].iter().all(|thread| thread.starts_with("stepwell-driver")), "{threads:?}");
    assert_eq!(threads.len(), 4);
}
