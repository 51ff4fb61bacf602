use std::sync::Arc;

use stepwell_engine::{ActivityError, Answer, TokenError};
use stepwell_expr::{Payload, Value};
use stepwell_machine::Failure;

use crate::world::{World, activity};

fn success(text: &str) -> Answer {
    Answer::Success(Payload::from_checked_text(text))
}

/// A world in which time stands still, with the activity `a` and the machine `m` that has one task of it.
fn held(more: &str) -> (World, Arc<str>) {
    let world = World::held();
    let arn = world
        .run(world.engine.create_activity(world.engine.owner(), "a", Value::empty_object(), Default::default()))
        .unwrap()
        .arn;
    world.create("m", &activity(&arn, more));
    (world, arn)
}

#[test]
fn a_worker_takes_a_task_and_answers_it() {
    let (world, activity) = held("");
    let execution = world.start("m", "x", r#"{"n":1}"#);
    let task = world.take_task(&activity, "w");
    assert_eq!(&**task.input.text(), r#"{"n":1}"#);
    assert!(world.events(&execution).ends_with("ActivityScheduled ActivityStarted"));
    world.run(world.engine.answer_task(&task.token, success("[2]"))).unwrap();
    assert_eq!(world.end(&execution), "SUCCEEDED [2]");
    let late = world.run(world.engine.answer_task(&task.token, success("[3]")));
    assert!(matches!(late, Err(TokenError::TaskTimedOut)), "{late:?}");
    let late = world.run(world.engine.heartbeat(&task.token));
    assert!(matches!(late, Err(TokenError::TaskTimedOut)), "{late:?}");
}

#[test]
fn a_worker_that_came_first_gets_the_task() {
    let (world, activity) = held("");
    let engine = world.engine.clone();
    let poll = world.runtime.spawn(async move { engine.activity_task(&activity, None).await });
    let execution = world.start("m", "x", "{}");
    let task = world.run(poll).unwrap().unwrap().expect("a task came");
    world.run(world.engine.answer_task(&task.token, Answer::Failure(Failure::new("E", "C")))).unwrap();
    assert_eq!(world.end(&execution), "FAILED E: C");
}

#[test]
fn a_worker_that_has_gone_gets_nothing() {
    let (world, activity) = held("");
    let gone = world.runtime.block_on(async {
        let poll = world.engine.activity_task(&activity, Some("gone".into()));
        tokio::select! {
            biased;
            task = poll => Some(task.is_ok()),
            () = tokio::task::yield_now() => None,
        }
    });
    assert_eq!(gone, None);
    world.start("m", "x", "1");
    world.start("m", "y", "2");
    let mut inputs = [world.take_task(&activity, "w").input, world.take_task(&activity, "w").input];
    inputs.sort_by(|a, b| a.text().cmp(b.text()));
    assert_eq!(inputs.map(|input| input.text().to_string()), ["1", "2"]);
}

#[test]
fn tokens_that_were_never_given_out_are_invalid() {
    let (world, activity) = held("");
    world.start("m", "x", "{}");
    let token = world.take_task(&activity, "w").token;
    let mut forged = token.clone();
    let last = if forged.pop() == Some('A') { 'E' } else { 'A' };
    forged.push(last);
    let mut elsewhere = token;
    elsewhere.replace_range(4..5, if &elsewhere[4..5] == "A" { "B" } else { "A" });
    for token in [forged.as_str(), elsewhere.as_str(), "nonsense", ""] {
        let answer = world.run(world.engine.answer_task(token, success("{}")));
        assert!(matches!(answer, Err(TokenError::Invalid)), "{token}: {answer:?}");
        let beat = world.run(world.engine.heartbeat(token));
        assert!(matches!(beat, Err(TokenError::Invalid)), "{token}: {beat:?}");
    }
}

#[test]
fn heartbeats_keep_a_task_alive_and_their_absence_ends_it() {
    let (world, activity) = held(r#""HeartbeatSeconds":10,"#);
    let execution = world.start("m", "x", "{}");
    let task = world.take_task(&activity, "w");
    for _ in 0..3 {
        world.pass_seconds(9);
        world.run(world.engine.heartbeat(&task.token)).unwrap();
    }
    assert!(world.events(&execution).ends_with("ActivityStarted"));
    world.pass_seconds(10);
    let late = world.run(world.engine.heartbeat(&task.token));
    assert!(matches!(late, Err(TokenError::TaskTimedOut)), "{late:?}");
    assert!(world.end(&execution).starts_with("FAILED States.Timeout"), "{}", world.end(&execution));
    let failed_ms = world.history(&execution).last().map(|event| event.timestamp_ms);
    assert_eq!(failed_ms, Some(crate::world::BEGINNING_MS + 37_000));
}

#[test]
fn a_late_answer_loses_to_the_timeout() {
    let (world, activity) = held(r#""TimeoutSeconds":5,"#);
    let execution = world.start("m", "x", "{}");
    let task = world.take_task(&activity, "w");
    world.pass_seconds(5);
    let late = world.run(world.engine.answer_task(&task.token, success("{}")));
    assert!(matches!(late, Err(TokenError::TaskTimedOut)), "{late:?}");
    assert!(world.end(&execution).starts_with("FAILED States.Timeout"));
}

#[test]
fn tasks_of_a_deleted_activity_fail_and_its_workers_are_told() {
    let (world, activity) = held("");
    let waiting = world.start("m", "x", "{}");
    world.run(world.engine.delete_activity(&activity)).unwrap();
    let cause = format!("The activity {activity} does not exist.");
    let scheduled_later = world.start("m", "y", "{}");
    for execution in [waiting, scheduled_later] {
        let end = world.end(&execution);
        assert!(end.starts_with("FAILED States.Runtime: ") && end.ends_with(&cause), "{end}");
    }
    let poll = world.run(world.engine.activity_task(&activity, None));
    assert!(matches!(poll, Err(ActivityError::DoesNotExist)));
    world.run(world.engine.delete_activity(&activity)).unwrap();
}

#[test]
fn an_activity_is_deleted_under_its_worker() {
    let (world, activity) = held("");
    let poll = {
        let (engine, activity) = (world.engine.clone(), activity.clone());
        world.runtime.spawn(async move { engine.activity_task(&activity, None).await })
    };
    world.run(world.engine.delete_activity(&activity)).unwrap();
    let told = world.run(poll).unwrap();
    assert!(matches!(told, Err(ActivityError::DoesNotExist)));
}
