//! Real workflows, read back before every event: they take the same course, and leave the same rows, as in memory.

use std::collections::VecDeque;

use stepwell_expr::Payload;
use stepwell_machine::{
    Effect, Event, Failure, Moment, Program, Step, Stepped, TaskId, TaskOutcome,
    definition::{MachineType, compile},
    limits::{FUEL_EVALUATION, Limits, SECONDS_MAX},
    step,
};
use stepwell_store::{Memory, Space};

use super::samples::{Run, START_MS, identity, json, picture, rows};
use crate::{
    handle::GetHistory,
    limits::INLINE_TEXT_BYTES_MAX,
    record::{fill, history, load_wrecked},
};

/// Steps that a workflow of these tests takes at most.
const STEPS_MAX: usize = 400;

fn program(definition: &str) -> Program {
    let compiled = compile(definition, MachineType::Standard);
    compiled.program.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics))
}

/// One step of the machine; answers what it did.
fn advance(run: &mut Run<'_>, program: &Program, event: &Event, now_ms: i64) -> Step {
    loop {
        let moment = Moment {
            now_ms,
            activity_exists: &|_| true,
            parameters_problem: &|_, _, _| None,
            limits: &Limits::default(),
            transitions_max: u32::MAX,
        };
        match step(program, &run.execution, event.clone(), moment, FUEL_EVALUATION) {
            Stepped::Done(step) => {
                run.step(&step);
                return step;
            }
            Stepped::Needs(payloads) => fill(run.store, run.id(), &payloads).unwrap(),
            Stepped::Slow => panic!("it was given all the fuel there is"),
        }
    }
}

/// What the world does about a task: one that is tried for the first time fails if its input says so.
fn answers(task: TaskId, input: &Payload, failed: &mut Vec<String>) -> TaskOutcome {
    let text = input.text();
    if text.contains("fail") && !failed.iter().any(|seen| **seen == **text) {
        failed.push(text.to_string());
        return TaskOutcome::Failed(Failure::new("Flaky", "the first time"));
    }
    let filler = if text.contains("long") { "y".repeat(INLINE_TEXT_BYTES_MAX) } else { String::new() };
    TaskOutcome::Succeeded { output: json(&format!("{{\"task\":{},\"filler\":\"{filler}\"}}", task.0)) }
}

fn events_of(step: &Step, failed: &mut Vec<String>) -> Vec<Event> {
    let mut events = Vec::new();
    for effect in &step.effects {
        match effect {
            Effect::RunTask(request) => {
                let outcome = answers(request.task, &request.input, failed);
                events.push(Event::TaskReturned { task: request.task, outcome });
            }
            Effect::OfferTask { task, input, .. } => {
                let (task, worker) = (*task, Some("worker".into()));
                events.push(Event::TaskStarted { task, worker });
                events.push(Event::TaskHeartbeat { task });
                events.push(Event::TaskAnswered { task, outcome: answers(task, input, failed) });
            }
            Effect::DropTask { .. } | Effect::StopJob(_) | Effect::RunMapRun(_) | Effect::StopMapRun { .. } => {}
        }
    }
    events
}

/// Runs a workflow to its end, once in memory and once read back before every event. Answers the events' types.
fn check(definition: &str, input: &str) -> String {
    let program = program(definition);
    let (here, there) = (Memory::new(), Memory::new());
    let mut stays = Run::new(&here, identity("e", START_MS, json(input)));
    let mut leaves = Run::new(&there, identity("e", START_MS, json(input)));
    let mut now_ms = START_MS;
    let mut failed = Vec::new();
    let mut queue = VecDeque::from([Event::Started]);
    for _ in 0..STEPS_MAX {
        if !stays.execution.is_running() {
            break;
        }
        let event = match queue.pop_front() {
            _ if stays.execution.is_ready() && stays.books.listed.is_some() => Event::Continued,
            Some(event) => event,
            None => {
                now_ms = stays.execution.deadline_ms().expect("it waits for something");
                Event::TimePassed
            }
        };
        let step = advance(&mut stays, &program, &event, now_ms);
        if leaves.books.listed.is_some() {
            let loaded = leaves.loaded();
            leaves = Run { store: &there, execution: loaded.execution, books: loaded.books };
        }
        advance(&mut leaves, &program, &event, now_ms);
        assert!(rows(&here) == rows(&there), "the rows differ after {event:?}");
        queue.extend(events_of(&step, &mut failed));
    }
    assert!(!stays.execution.is_running(), "it ends");
    let left = rows(&here).iter().any(|(space, ..)| matches!(space, Space::Frames | Space::Open));
    assert_eq!(left, stays.execution.is_redrivable(), "nothing is left but for a redrive");
    if left {
        let wrecked = load_wrecked(&here, stays.id()).unwrap().unwrap().execution;
        assert_eq!(picture(&here, &wrecked), picture(&here, &stays.execution));
    }
    let execution_arn = stays.execution.identity.arn.clone();
    let get = GetHistory { execution_arn, reverse: false, with_data: true, limit: 1_000, after: None };
    let show = |store: &Memory| format!("{:?}", history(store, &get).unwrap().unwrap().events);
    assert_eq!(show(&here), show(&there));
    format!("{:?}", stays.execution.header.status)
}

fn long_input() -> String {
    format!("{{\"long\":\"{}\",\"items\":[1,2,3,4,5]}}", "x".repeat(INLINE_TEXT_BYTES_MAX))
}

const LAMBDA: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";
const ACTIVITY: &str = "arn:aws:states:us-east-1:123456789012:activity:a";

#[test]
fn waits_choices_and_variables() {
    let ended = check(
        r#"{"StartAt":"A","States":{
            "A":{"Type":"Pass","Assign":{"whole.$":"$","n":3},"Next":"W"},
            "W":{"Type":"Wait","Seconds":10,"Next":"C"},
            "C":{"Type":"Choice","Choices":[{"Variable":"$n","NumericEquals":0,"Next":"E"}],"Default":"D"},
            "D":{"Type":"Pass","Assign":{"n.$":"States.MathAdd($n, -1)"},"Next":"W"},
            "E":{"Type":"Pass","Parameters":{"kept.$":"$whole.items"},"End":true}}}"#,
        &long_input(),
    );
    assert!(ended.contains(r#"Payload({"kept":[1,2,3,4,5]})"#), "{ended}");
}

#[test]
fn a_map_with_tasks_retries_and_long_results() {
    let items: Vec<String> = (0..60).map(|item| format!("{{\"n\":{item},\"k\":\"{}\"}}", kind(item))).collect();
    let ended = check(
        &format!(
            r#"{{"StartAt":"M","States":{{"M":{{"Type":"Map","MaxConcurrency":7,"End":true,"ItemProcessor":{{
                "StartAt":"T","States":{{
                    "T":{{"Type":"Task","Resource":"{LAMBDA}","Next":"P",
                        "Retry":[{{"ErrorEquals":["Flaky"],"IntervalSeconds":2}}]}},
                    "P":{{"Type":"Pass","End":true}}}}}}}}}}}}"#
        ),
        &format!("[{}]", items.join(",")),
    );
    assert!(ended.starts_with("Succeeded"), "{ended}");
}

fn kind(item: usize) -> &'static str {
    match item % 5 {
        0 => "fail",
        1 => "long",
        2 => "long fail",
        _ => "",
    }
}

#[test]
fn parallel_branches_with_an_activity_and_a_failure_that_is_caught() {
    let definition = format!(
        r#"{{"StartAt":"P","QueryLanguage":"JSONata","States":{{"P":{{"Type":"Parallel","End":true,"Branches":[
            {{"StartAt":"A","States":{{"A":{{"Type":"Task","Resource":"{ACTIVITY}","HeartbeatSeconds":20,
                "TimeoutSeconds":{SECONDS_MAX},"End":true}}}}}},
            {{"StartAt":"W","States":{{"W":{{"Type":"Wait","Seconds":5,"Next":"T"}},
                "T":{{"Type":"Task","Resource":"{LAMBDA}","Arguments":{{"why":"fail"}},"End":true,
                    "Catch":[{{"ErrorEquals":["States.ALL"],"Next":"C","Assign":{{"e":"{{% $states.errorOutput %}}"}}}}]}},
                "C":{{"Type":"Pass","Output":"{{% $e.Error %}}","End":true}}}}}},
            {{"StartAt":"L","States":{{"L":{{"Type":"Task","Resource":"{LAMBDA}",
                "Arguments":{{"all":"{{% $states.input %}}"}},"End":true}}}}}}]}}}}}}"#
    );
    let ended = check(&definition, &long_input());
    assert!(ended.contains("\"Flaky\""), "{ended}");
}

#[test]
fn a_branch_that_fails_takes_the_others_with_it() {
    let definition = format!(
        r#"{{"StartAt":"P","States":{{"P":{{"Type":"Parallel","End":true,"Branches":[
            {{"StartAt":"T","States":{{"T":{{"Type":"Task","Resource":"{LAMBDA}","End":true}}}}}},
            {{"StartAt":"M","States":{{"M":{{"Type":"Map","ItemsPath":"$.items","End":true,"ItemProcessor":{{
                "StartAt":"W","States":{{"W":{{"Type":"Wait","Seconds":3,"End":true}}}}}}}}}}}}]}}}}}}"#
    );
    let ended = check(&definition, r#"{"fail":1,"items":[1,2,3]}"#);
    assert!(ended.contains("Flaky"), "{ended}");
}
