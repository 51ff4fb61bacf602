//! Map Runs: child executions, their counts and results, tolerated failures, redrives, and restarts in between.

use std::{collections::BTreeSet, sync::Arc};

use stepwell_engine::{
    Answer, ListExecutions, ListedExecution, MapRun, MapRunError, MapRunStatus, Quotas, StatusName, UpdateMapRun,
};
use stepwell_expr::Payload;
use stepwell_machine::Failure;

use crate::world::{World, event_name, outcome};

/// A machine with a distributed Map over `items`; `more` are further fields of the Map, each with a comma at its end.
fn distributed(kind: &str, more: &str, processor: &str) -> String {
    format!(
        r#"{{"StartAt":"M","States":{{"M":{{"Type":"Map",{more}"Label":"L","End":true,
        "ItemProcessor":{{"ProcessorConfig":{{"Mode":"DISTRIBUTED","ExecutionType":"{kind}"}},{processor}}}}}}}}}"#
    )
}

const PASS: &str = r#""StartAt":"P","States":{"P":{"Type":"Pass","End":true}}"#;
const WAIT: &str = r#""StartAt":"W","States":{"W":{"Type":"Wait","Seconds":1000,"End":true}}"#;

fn call(function: &str) -> String {
    let resource = format!("arn:aws:lambda:us-east-1:123456789012:function:{function}");
    format!(r#""StartAt":"T","States":{{"T":{{"Type":"Task","Resource":"{resource}","End":true}}}}"#)
}

/// Items below 2 fail.
fn two_fail() -> String {
    r#""StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{"Variable":"$","NumericLessThan":2,"Next":"F"}],"Default":"P"},
    "F":{"Type":"Fail","Error":"Small","Cause":"too small"},"P":{"Type":"Pass","End":true}}"#
        .to_owned()
}

const READER: &str = r#""ItemReader":{"Resource":"arn:aws:states:::s3:getObject","Parameters":{"Count.$":"$.count"},"ReaderConfig":{"InputType":"JSON"}},"#;
const WRITER: &str = r#""ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket":"b"}},"#;

fn map_runs(world: &World, execution: &str) -> Vec<MapRun> {
    world.run(world.engine.list_map_runs(execution, 10, None)).unwrap().items
}

fn only_run(world: &World, execution: &str) -> MapRun {
    let runs = map_runs(world, execution);
    assert_eq!(runs.len(), 1, "{runs:?}");
    let run = world.run(world.engine.map_run(&runs[0].arn)).unwrap();
    assert_eq!(run.execution_arn.as_ref(), execution);
    run
}

fn children(world: &World, run: &MapRun, status: Option<StatusName>) -> Vec<ListedExecution> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let list = ListExecutions { state_machine_arn: run.arn.clone(), status, limit: 100, after };
        let page = world.run(world.engine.map_run_children(list)).unwrap();
        found.extend(page.items);
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

/// Waits until `ready` holds for the Map Run of an execution.
fn wait_for_run(world: &World, execution: &str, ready: impl Fn(&MapRun) -> bool) -> MapRun {
    world.run(async {
        loop {
            let runs = world.engine.list_map_runs(execution, 1, None).await.unwrap().items;
            if let Some(run) = runs.into_iter().find(|run| ready(run)) {
                return run;
            }
            tokio::task::yield_now().await;
        }
    })
}

#[test]
fn each_item_is_an_execution_of_its_own() {
    let world = World::new();
    world.create("m", &distributed("STANDARD", "", PASS));
    let arn = world.start("m", "x", "[10,20,30]");
    assert_eq!(world.end(&arn), "SUCCEEDED [10,20,30]");
    let run = only_run(&world, &arn);
    assert_eq!((&run.status, run.items, run.items), (&MapRunStatus::Succeeded, run.executions, run.executions));
    assert_eq!((run.items.succeeded, run.items.total, run.items.running, run.items.pending()), (3, 3, 0, 0));
    let children = children(&world, &run, None);
    assert_eq!(children.len(), 3);
    for child in &children {
        assert_eq!((child.status, child.items), (StatusName::Succeeded, Some(1)));
        let summary = world.describe(&child.arn);
        assert_eq!(&*summary.state_machine_arn, &run.child_machine_arn());
        assert_eq!(summary.child.unwrap().map_run_arn, run.arn);
        assert_eq!(world.events(&child.arn), "ExecutionStarted StateEntered StateExited ExecutionSucceeded");
    }
    let events: Vec<(String, u64)> =
        world.history(&arn).iter().map(|event| (event_name(event), event.previous)).collect();
    let events: Vec<(&str, u64)> = events.iter().map(|(name, previous)| (name.as_str(), *previous)).collect();
    assert_eq!(
        events,
        [
            ("ExecutionStarted", 0),
            ("StateEntered", 0),
            ("MapStateStarted", 2),
            ("MapRunStarted", 3),
            ("MapRunSucceeded", 4),
            ("MapStateSucceeded", 5),
            ("StateExited", 4),
            ("ExecutionSucceeded", 7)
        ]
    );
    world.wait_until_all_closed();
}

#[test]
fn no_items_and_entries_of_objects() {
    let world = World::new();
    let selector = r#""ItemSelector":{"k.$":"$$.Map.Item.Key","v.$":"$$.Map.Item.Value","i.$":"$$.Map.Item.Index","s.$":"$$.Map.Item.Source"},"#;
    world.create("m", &distributed("EXPRESS", selector, PASS));
    let arn = world.start("m", "none", "[]");
    assert_eq!(world.end(&arn), "SUCCEEDED []");
    let arn = world.start("m", "entries", r#"{"a":1,"b":[2]}"#);
    assert_eq!(
        world.end(&arn),
        r#"SUCCEEDED [{"s":"STATE_DATA","v":1,"i":0,"k":"a"},{"s":"STATE_DATA","v":[2],"i":1,"k":"b"}]"#
    );
}

#[test]
fn items_go_in_batches() {
    let world = World::new();
    let batcher = r#""ItemBatcher":{"MaxItemsPerBatch":2,"BatchInput":{"n.$":"$[0]"}},"#;
    world.create("m", &distributed("STANDARD", batcher, PASS));
    let arn = world.start("m", "x", "[1,2,3]");
    assert_eq!(
        world.end(&arn),
        r#"SUCCEEDED [{"BatchInput":{"n":1},"Items":[1,2]},{"BatchInput":{"n":1},"Items":[3]}]"#
    );
    let run = only_run(&world, &arn);
    assert_eq!((run.items.succeeded, run.executions.succeeded, run.executions.total), (3, 2, 2));
    let batcher = r#""ItemBatcher":{"MaxInputBytesPerBatch":19},"#;
    world.create("n", &distributed("STANDARD", batcher, PASS));
    let arn = world.start("n", "x", "[1,2,3,4,5]");
    assert_eq!(world.end(&arn), r#"SUCCEEDED [{"Items":[1,2,3]},{"Items":[4,5]}]"#);
}

#[test]
fn failures_are_tolerated_up_to_a_threshold() {
    let world = World::new();
    let items = "[0,1,2,3]";
    for (number, (tolerance, succeeds)) in [
        (r#""ToleratedFailureCount":2,"#, true),
        (r#""ToleratedFailureCount":1,"#, false),
        (r#""ToleratedFailurePercentage":50,"#, true),
        (r#""ToleratedFailurePercentage":49,"#, false),
        ("", false),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("m{number}");
        let more = format!(
            r#"{tolerance}"Catch":[{{"ErrorEquals":["States.ExceedToleratedFailureThreshold"],"Next":"Caught"}}],"#
        );
        let definition = distributed("STANDARD", &more, &two_fail());
        let definition = definition.replacen("\"States\":{", r#""States":{"Caught":{"Type":"Succeed"},"#, 1);
        world.create(&name, &definition);
        let arn = world.start(&name, "x", items);
        let end = world.end(&arn);
        let run = only_run(&world, &arn);
        if succeeds {
            assert_eq!((run.status, run.items.failed, run.items.succeeded), (MapRunStatus::Succeeded, 2, 2));
            assert!(end.ends_with(",2,3]"), "{end}");
            assert_eq!(end.matches(r#""Cause":"too small","Error":"Small""#).count(), 2, "{end}");
        } else {
            let failure = Failure::new(
                "States.ExceedToleratedFailureThreshold",
                "The specified tolerated failure threshold was exceeded",
            );
            assert_eq!(run.status, MapRunStatus::Failed(failure));
            assert!(end.starts_with("SUCCEEDED") && end.contains("Threshold"), "caught: {end}");
        }
        world.wait_until_all_closed();
    }
}

#[test]
fn a_map_run_ends_with_its_execution() {
    let world = World::held();
    for kind in ["STANDARD", "EXPRESS"] {
        world.create(kind, &distributed(kind, "", WAIT));
        let arn = world.start(kind, "x", "[1,2,3]");
        wait_for_run(&world, &arn, |run| run.items.running == 3);
        world.run(world.engine.stop_execution(&arn, Failure::named("Halt"))).unwrap();
        let run = wait_for_run(&world, &arn, |run| run.status != MapRunStatus::Running);
        assert_eq!((run.status.clone(), run.items.aborted), (MapRunStatus::Aborted, 3));
        assert!(children(&world, &run, Some(StatusName::Running)).is_empty());
        let late = world.run(world.engine.update_map_run(&run.arn, UpdateMapRun::default()));
        assert!(matches!(late, Err(MapRunError::Ended)), "{late:?}");
    }
    world.wait_until_all_closed();
}

#[test]
fn one_that_lost_its_execution_in_a_crash_is_cleared_away() {
    let world = World::held();
    world.create("m", &distributed("STANDARD", "", WAIT));
    let arn = world.start("m", "x", "[1,2,3]");
    wait_for_run(&world, &arn, |run| run.items.running == 3);
    // The stop is durable, what it leads to is not.
    let stopping = world.engine.stop_execution(&arn, Failure::named("Halt"));
    world.run(stopping).unwrap();
    let world = world.restart();
    let run = wait_for_run(&world, &arn, |run| run.status != MapRunStatus::Running);
    assert_eq!(run.status, MapRunStatus::Aborted);
    assert!(children(&world, &run, Some(StatusName::Running)).is_empty());
    world.wait_until_all_closed();
}

#[test]
fn concurrency_can_be_changed_while_it_runs() {
    let world = World::held();
    world.create("m", &distributed("STANDARD", r#""MaxConcurrency":1,"#, WAIT));
    let arn = world.start("m", "x", "[1,2,3,4,5]");
    let run = wait_for_run(&world, &arn, |run| run.items.running == 1);
    assert_eq!((run.max_concurrency, run.items.pending()), (1, 4));
    let update = UpdateMapRun { max_concurrency: Some(4), tolerated_failure_count: Some(7), ..UpdateMapRun::default() };
    world.run(world.engine.update_map_run(&run.arn, update)).unwrap();
    let run = wait_for_run(&world, &arn, |run| run.items.running == 4);
    assert_eq!((run.max_concurrency, run.tolerated_failure_count), (4, Some(7)));
    let absent = world.run(world.engine.update_map_run("arn:other", update));
    assert!(matches!(absent, Err(MapRunError::DoesNotExist)), "{absent:?}");
    world.release_time();
    assert_eq!(world.end(&arn), "SUCCEEDED [1,2,3,4,5]");
}

#[test]
fn a_reader_gives_items_and_a_writer_takes_results() {
    let world = World::new();
    world.create("m", &distributed("STANDARD", &format!("{READER}{WRITER}"), PASS));
    let arn = world.start("m", "x", r#"{"count":20}"#);
    let run_arn = |end: &str| end.to_owned();
    let end = run_arn(&world.end(&arn));
    let run = only_run(&world, &arn);
    assert_eq!(end, format!(r#"SUCCEEDED {{"MapRunArn":"{}"}}"#, run.arn));
    assert_eq!((run.items.total, run.items.succeeded), (20, 20));
    let written = world.script.shelf.written.lock().unwrap().clone();
    let expected: Vec<String> = (0..20).map(|number| format!("SUCCEEDED {number}")).collect();
    assert_eq!(written, [expected]);
    let arn = world.start("m", "y", r#"{"count":"many"}"#);
    assert_eq!(world.end(&arn), "FAILED States.ItemReaderFailed: there is no Count");
}

#[test]
fn what_a_failed_map_run_did_not_start_is_written_as_pending() {
    for kind in ["STANDARD", "EXPRESS"] {
        let world = World::new();
        let fields = format!(r#""MaxConcurrency":1,{READER}{WRITER}"#);
        world.create("m", &distributed(kind, &fields, &two_fail()));
        let end = world.end(&world.start("m", "x", r#"{"count":20}"#));
        assert!(end.starts_with("FAILED States.ExceedToleratedFailureThreshold"), "{end}");
        let pending = (1..20).map(|number| format!("PENDING {number}"));
        let expected: Vec<String> = std::iter::once("FAILED -".to_owned()).chain(pending).collect();
        assert_eq!(*world.script.shelf.written.lock().unwrap(), [expected], "{kind}");
    }
}

#[test]
fn express_child_executions_are_described() {
    let world = World::new();
    let fields = format!(r#""ToleratedFailureCount":9,{WRITER}"#);
    world.create("m", &distributed("EXPRESS", &fields, &two_fail()));
    let arn = world.start("m", "x", "[0,5,6]");
    assert!(world.end(&arn).starts_with("SUCCEEDED"));
    let run = only_run(&world, &arn);
    let arns = world.script.shelf.arns.lock().unwrap().clone();
    let described: Vec<String> = arns
        .iter()
        .map(|arn| {
            let child = world.run(world.engine.express_child(arn)).unwrap();
            assert_eq!(*child.state_machine_arn, run.child_machine_arn());
            assert_eq!(child.child.unwrap().map_run_arn, run.arn);
            assert!(arn.contains(&format!(":express:m/L:{}:", child.name)), "{arn}");
            format!("{} {}", child.input.text(), outcome(&child.status))
        })
        .collect();
    assert_eq!(described, ["0 FAILED Small: too small", "5 SUCCEEDED 5", "6 SUCCEEDED 6"]);
    let other = arns[0].replace(":m/L:", ":n/L:");
    assert_eq!(
        world.run(world.engine.express_child(&other)).map(|_| ()).unwrap_err().to_string(),
        "the execution does not exist"
    );
    let restarted = world.restart();
    assert_eq!(outcome(&restarted.run(restarted.engine.express_child(&arns[1])).unwrap().status), "SUCCEEDED 5");
}

/// `STATUS name items`, in pages of two.
fn listed(world: &World, run: &MapRun, status: Option<StatusName>) -> Vec<(StatusName, Arc<str>, Option<u64>)> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let list = ListExecutions { state_machine_arn: run.arn.clone(), status, limit: 2, after };
        let page = world.run(world.engine.map_run_children(list)).unwrap();
        assert!(page.items.len() <= 2);
        found.extend(page.items.into_iter().map(|child| (child.status, child.name, child.items)));
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

#[test]
fn express_child_executions_are_listed_while_they_run_and_afterwards() {
    let world = World::new();
    let batches = r#""ItemBatcher":{"MaxItemsPerBatch":2},"ToleratedFailureCount":9,"#;
    let processor = r#""StartAt":"C","States":{
        "C":{"Type":"Choice","Choices":[{"Variable":"$.Items[0]","NumericLessThan":2,"Next":"F"}],"Default":"G"},
        "F":{"Type":"Fail"},
        "G":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:gate","End":true}}"#;
    world.create("m", &distributed("EXPRESS", batches, processor));
    let arn = world.start("m", "x", "[0,1,2,3,4,5,6]");
    let run = wait_for_run(&world, &arn, |run| run.items.failed == 2 && run.executions.running == 3);
    let child = |index: u64| stepwell_machine::map_run::child_name(&run.arn, index);
    let running: Vec<_> =
        [(3, 1), (2, 2), (1, 2)].map(|(index, items)| (StatusName::Running, child(index), Some(items))).into();
    let failed = (StatusName::Failed, child(0), Some(2));
    assert_eq!(listed(&world, &run, Some(StatusName::Running)), running);
    assert_eq!(listed(&world, &run, Some(StatusName::Failed)), std::slice::from_ref(&failed));
    assert_eq!(listed(&world, &run, None), [running.clone(), vec![failed.clone()]].concat());
    for listed in children(&world, &run, None) {
        let described = world.run(world.engine.express_child(&listed.arn)).unwrap();
        assert_eq!((described.name, described.start_ms), (listed.name, listed.start_ms));
        assert_eq!(listed.stop_ms.is_none(), listed.status == StatusName::Running);
    }
    world.script.open_gate();
    assert!(world.end(&arn).starts_with("SUCCEEDED"));
    let succeeded: Vec<_> = running.into_iter().map(|(_, name, items)| (StatusName::Succeeded, name, items)).collect();
    let restarted = world.restart();
    assert_eq!(listed(&restarted, &run, None), [succeeded.clone(), vec![failed.clone()]].concat());
    assert_eq!(listed(&restarted, &run, Some(StatusName::Succeeded)), succeeded);
    assert_eq!(listed(&restarted, &run, Some(StatusName::Failed)), [failed]);
    assert_eq!(listed(&restarted, &run, Some(StatusName::TimedOut)), []);
}

#[test]
fn an_express_child_execution_that_is_redriven_runs_again_in_the_list() {
    let world = World::new();
    let processor = r#""StartAt":"T","States":{
        "T":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:fails_once","Next":"G"},
        "G":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:gate","End":true}}"#;
    world.create("m", &distributed("EXPRESS", "", processor));
    let arn = world.start("m", "x", "[7]");
    assert!(world.end(&arn).starts_with("FAILED"));
    let run = only_run(&world, &arn);
    let first = children(&world, &run, Some(StatusName::Failed));
    world.run(world.engine.redrive_execution(&arn, None)).unwrap();
    wait_for_run(&world, &arn, |run| run.executions.running == 1);
    let second = children(&world, &run, None);
    assert_eq!((second.len(), second[0].status, &second[0].name), (1, StatusName::Running, &first[0].name));
    assert_ne!(second[0].arn, first[0].arn, "each attempt has an ARN of its own");
    assert_eq!(children(&world, &run, Some(StatusName::Failed)).len(), 0);
    world.script.open_gate();
    world.wait_until_all_closed();
    let third = children(&world, &run, Some(StatusName::Succeeded));
    assert_eq!((third.len(), &third[0].arn), (1, &second[0].arn));
}

#[test]
fn lines_without_a_place_are_a_text() {
    let world = World::new();
    let config = |name: &str| {
        format!(r#""ResultWriter":{{"WriterConfig":{{"Transformation":"{name}","OutputType":"JSONL"}}}},"#)
    };
    world.create("compact", &distributed("STANDARD", &config("COMPACT"), PASS));
    assert_eq!(world.end(&world.start("compact", "x", "[[1],{},[2,3]]")), r#"SUCCEEDED "[1]\n{}\n[2,3]""#);
    world.create("flat", &distributed("STANDARD", &config("FLATTEN"), PASS));
    assert_eq!(world.end(&world.start("flat", "x", "[[1],{},[2,3],[]]")), r#"SUCCEEDED "1\n{}\n2\n3""#);
}

#[test]
fn further_map_runs_wait_for_a_place() {
    let world = World::held().restart_with(Quotas { open_map_runs: 1, ..Quotas::default() });
    world.create("m", &distributed("STANDARD", "", WAIT));
    let (first, second, third) =
        (world.start("m", "a", "[1]"), world.start("m", "b", "[2]"), world.start("m", "c", "[3]"));
    let opened = [&first, &second, &third].map(|arn| wait_for_run(&world, arn, |_| true).arn);
    let running = |world: &World| {
        let runs = opened.iter().map(|arn| world.run(world.engine.map_run(arn)).unwrap());
        runs.map(|run| run.executions.running).sum::<u64>()
    };
    world.run(async {
        loop {
            let runs = [&opened[0], &opened[1], &opened[2]];
            let mut open = 0;
            for arn in runs {
                open += world.engine.map_run(arn).await.unwrap().executions.running;
            }
            if open == 1 {
                break;
            }
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(running(&world), 1);
    // One that waits for its place can be stopped, and takes none.
    let waits = [&first, &second, &third].into_iter().zip(&opened);
    let mut waits = waits.filter(|(_, run)| world.run(world.engine.map_run(run)).unwrap().executions.running == 0);
    let (stopped, stopped_run) = waits.next().unwrap();
    world.run(world.engine.stop_execution(stopped, Failure { error: None, cause: None })).unwrap();
    wait_for_run(&world, stopped, |run| run.status == MapRunStatus::Aborted);
    assert_eq!(running(&world), 1);
    world.release_time();
    for arn in [&first, &second, &third].into_iter().filter(|arn| *arn != stopped) {
        assert!(world.end(arn).starts_with("SUCCEEDED"));
    }
    assert_eq!(world.run(world.engine.map_run(stopped_run)).unwrap().status, MapRunStatus::Aborted);
}

#[test]
fn a_redrive_goes_on_with_what_had_not_succeeded() {
    for kind in ["STANDARD", "EXPRESS"] {
        for restarts in [false, true] {
            let mut world = World::new();
            world.create("m", &distributed(kind, r#""MaxConcurrency":1,"#, &call("fails_once")));
            let arn = world.start("m", "x", "[1,2,3]");
            assert_eq!(
                world.end(&arn),
                "FAILED States.ExceedToleratedFailureThreshold: The specified tolerated failure threshold was exceeded"
            );
            assert_eq!((world.script.runs_of("1"), world.script.runs_of("2")), (1, 0));
            for (redrive, item) in [(1, "2"), (2, "3")] {
                if restarts {
                    world = world.restart();
                }
                world.run(world.engine.redrive_execution(&arn, None)).unwrap();
                world.wait_until(&arn, |summary| {
                    let ended = !matches!(summary.status, stepwell_machine::Status::Running);
                    ended && summary.redrives.count == redrive
                });
                assert_eq!(world.script.runs_of(item), 1, "{kind} {redrive}");
            }
            world.run(world.engine.redrive_execution(&arn, None)).unwrap();
            assert_eq!(world.end(&arn), "SUCCEEDED [1,2,3]");
            let run = only_run(&world, &arn);
            assert_eq!((run.redrives, run.items.succeeded, run.items.pending_redrive), (3, 3, 0));
            for item in ["1", "2", "3"] {
                assert_eq!(world.script.runs_of(item), 2, "each failed once");
            }
            let events = world.events(&arn);
            assert_eq!(events.matches("MapRunRedriven").count(), 3, "{events}");
            world.wait_until_all_closed();
        }
    }
}

#[test]
fn each_item_counts_once_however_often_the_engine_restarts() {
    for (seed, kind, more) in [
        (1, "STANDARD", r#""MaxConcurrency":5,"#),
        (2, "STANDARD", r#""ItemBatcher":{"MaxItemsPerBatch":3},"#),
        (3, "EXPRESS", r#""MaxConcurrency":5,"#),
        (4, "STANDARD", ""),
    ] {
        let mut world = World::new();
        world.create("m", &distributed(kind, &format!("{READER}{more}"), &call("echo")));
        let count = 300;
        let arn = world.start("m", "x", &format!(r#"{{"count":{count}}}"#));
        let mut state: u64 = seed;
        for _ in 0..12 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let ended = (state >> 40) % count;
            let done = wait_for_run(&world, &arn, |run| {
                run.status != MapRunStatus::Running || run.items.succeeded >= ended.min(count - 1)
            });
            world = world.restart();
            if done.status != MapRunStatus::Running {
                break;
            }
        }
        let end = world.end(&arn);
        let numbers: BTreeSet<u64> =
            end.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect();
        assert_eq!(numbers, (0..count).collect(), "{end}");
        assert_eq!(end.matches(|c: char| c.is_ascii_digit()).count(), 10 + 90 * 2 + 200 * 3, "each once: {end}");
        let run = only_run(&world, &arn);
        assert_eq!((run.items.succeeded, run.items.unsuccessful(), run.items.total), (count, 0, count));
        if kind == "STANDARD" {
            let children = children(&world, &run, None);
            assert_eq!(children.len() as u64, run.executions.total);
            let names: BTreeSet<Arc<str>> = children.iter().map(|child| child.name.clone()).collect();
            assert_eq!(names.len(), children.len());
        }
        world.wait_until_all_closed();
    }
}

#[test]
fn tasks_of_child_executions_are_told_and_answered() {
    const ASK: &str = r#""StartAt":"T","States":{"T":{"Type":"Task","End":true,
        "Resource":"arn:aws:states:::lambda:invoke.waitForTaskToken","Parameters":{"FunctionName":"f"}}}"#;
    let world = World::new();
    world.create("m", &distributed("STANDARD", "", ASK));
    let arn = world.start("m", "x", "[1,2]");
    let run = wait_for_run(&world, &arn, |run| run.items.running == 2);
    let waiting = || world.run(world.engine.waiting_tasks(world.engine.owner(), 10, None)).unwrap().tasks;
    let tasks = world.run(async {
        loop {
            let tasks = world.engine.waiting_tasks(world.engine.owner(), 10, None).await.unwrap().tasks;
            if tasks.len() == 2 {
                return tasks;
            }
            tokio::task::yield_now().await;
        }
    });
    let children: BTreeSet<Arc<str>> = children(&world, &run, None).into_iter().map(|child| child.arn).collect();
    assert_eq!(tasks.iter().map(|task| task.execution_arn.clone()).collect::<BTreeSet<_>>(), children);
    assert_eq!(&*tasks[0].state_machine_arn, run.child_machine_arn());
    for task in tasks {
        let answer = Answer::Success(Payload::from_checked_text("7"));
        world.run(world.engine.answer_waiting(&task.execution_arn, task.task, answer)).unwrap();
    }
    assert_eq!(world.end(&arn), "SUCCEEDED [7,7]");
    assert!(waiting().is_empty());
}

#[test]
fn a_map_run_that_begins_in_the_step_that_ends_its_execution_is_aborted_and_can_be_redriven() {
    let world = World::new();
    let definition = distributed("STANDARD", "", PASS);
    let fails = r#"{"StartAt":"C","States":{
        "C":{"Type":"Choice","Choices":[{"Variable":"$$.Execution.RedriveCount","NumericEquals":1,"Next":"Q"}]},
        "Q":{"Type":"Pass","End":true}}}"#;
    let both = format!(
        r#"{{"StartAt":"B","States":{{"B":{{"Type":"Parallel","End":true,"Branches":[{definition},{fails}]}}}}}}"#
    );
    world.create("m", &both);
    let arn = world.start("m", "x", "[1,2]");
    let end = world.end(&arn);
    assert!(end.starts_with("FAILED States.Runtime: An error occurred while executing the state 'C'"), "{end}");
    let run = wait_for_run(&world, &arn, |run| run.status == MapRunStatus::Aborted);
    assert_eq!((run.items.total, run.executions.total), (2, 0));
    world.run(world.engine.redrive_execution(&arn, None)).unwrap();
    world.wait_until(&arn, |summary| summary.redrives.count == 1);
    assert_eq!(world.end(&arn), "SUCCEEDED [[1,2],[1,2]]");
    assert_eq!(only_run(&world, &arn).redrives, 1);
}
