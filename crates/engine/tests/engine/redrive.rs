//! Executions that ended unsuccessfully go on with what had not succeeded.

use stepwell_engine::{ListExecutions, NotRedrivable, RedriveError};
use stepwell_machine::Failure;

use crate::world::{BEGINNING_MS, PASS, WAIT_30_DAYS, World, activity, function};

const DAY_MS: i64 = 86_400_000;

fn redrive(world: &World, arn: &str, token: Option<&str>) -> Result<i64, String> {
    let redriven = world.run(world.engine.redrive_execution(arn, token.map(Into::into)));
    redriven.map_err(|error| match error {
        RedriveError::NotRedrivable(reason) => reason.to_string(),
        other => other.to_string(),
    })
}

/// A Parallel whose first branch calls `first`, whose second one calls `fail`.
fn parallel(first: &str) -> String {
    let branch = |name: &str, function: &str| {
        let resource = format!("arn:aws:lambda:us-east-1:123456789012:function:{function}");
        format!(
            r#"{{"StartAt":"{name}","States":{{"{name}":{{"Type":"Task","Resource":"{resource}","Parameters":"{name}","Next":"{name}2"}},
            "{name}2":{{"Type":"Pass","Result":"{function} is done","End":true}}}}}}"#
        )
    };
    format!(
        r#"{{"StartAt":"L","States":{{"L":{{"Type":"Parallel","Branches":[{},{}],"End":true}}}}}}"#,
        branch("A", first),
        branch("B", "fails_once")
    )
}

#[test]
fn only_what_failed_runs_again_also_after_a_restart() {
    for restarts in [false, true] {
        let mut world = World::new();
        world.create("m", &parallel("echo"));
        let arn = world.start("m", "x", "{}");
        assert_eq!(world.end(&arn), "FAILED Scripted: it was to fail");
        // The first branch may have been aborted, if it was the slower one; it is run again then.
        let before = world.script.runs_of("\"A\"");
        if restarts {
            world = world.restart();
        }
        let redriven = redrive(&world, &arn, None).unwrap();
        assert!(redriven >= BEGINNING_MS);
        assert_eq!(world.end(&arn), r#"SUCCEEDED ["echo is done","fails_once is done"]"#);
        let events = world.events(&arn);
        let was_done = events.split("ExecutionRedriven").next().unwrap().matches("LambdaFunctionSucceeded").count();
        assert_eq!(world.script.runs_of("\"A\""), before + (1 - was_done), "{events}");
        assert_eq!(world.script.runs_of("\"B\""), 2);
        let summary = world.describe(&arn);
        assert_eq!((summary.redrives.count, summary.redrives.last_ms), (1, Some(redriven)));
        assert_eq!(world.engine.health().open_executions, 0);
        assert_eq!(redrive(&world, &arn, None), Err(NotRedrivable::Succeeded.to_string()));
    }
}

#[test]
fn a_redriven_execution_is_listed_once_and_survives_a_restart() {
    let world = World::held();
    world.create("m", WAIT_30_DAYS);
    let arn = world.start("m", "x", "{}");
    world.run(world.engine.stop_execution(&arn, Failure::named("Halt"))).unwrap();
    redrive(&world, &arn, None).unwrap();
    assert_eq!(redrive(&world, &arn, None), Err(NotRedrivable::Running.to_string()));
    assert_eq!(world.engine.health().open_executions, 1);
    let world = world.restart();
    let list = ListExecutions {
        state_machine_arn: format!("{}:stateMachine:m", world.engine.arn_prefix()).into(),
        status: None,
        limit: 10,
        after: None,
    };
    let listed = world.run(world.engine.list_executions(list)).unwrap().items;
    let rows: Vec<_> = listed.iter().map(|row| (row.status, row.redrives.count, row.stop_ms)).collect();
    assert_eq!(rows, [(stepwell_engine::StatusName::Running, 1, None)]);
    assert_eq!(world.engine.health().open_executions, 1);
    world.run(world.engine.stop_execution(&arn, Failure::named("Again"))).unwrap();
    redrive(&world, &arn, None).unwrap();
    world.release_time();
    assert_eq!(world.end(&arn), "SUCCEEDED {}");
    assert_eq!(world.describe(&arn).redrives.count, 2);
    let ids: Vec<u64> = world.history(&arn).iter().map(|event| event.id).collect();
    assert_eq!(ids, (1..=ids.len() as u64).collect::<Vec<_>>());
}

#[test]
fn the_same_client_token_redrives_once() {
    let world = World::new();
    world.create("m", &function("fail"));
    let arn = world.start("m", "x", "1");
    world.end(&arn);
    let first = redrive(&world, &arn, Some("token")).unwrap();
    world.end(&arn);
    let world = world.restart();
    assert_eq!(redrive(&world, &arn, Some("token")), Ok(first));
    assert_eq!(world.script.runs_of("1"), 2);
    redrive(&world, &arn, Some("other")).unwrap();
    world.end(&arn);
    assert_eq!(world.script.runs_of("1"), 3);
    world.pass_seconds(15 * 60);
    redrive(&world, &arn, Some("token")).unwrap();
    world.end(&arn);
    assert_eq!(world.script.runs_of("1"), 4, "a token is forgotten after a quarter of an hour");
}

#[test]
fn a_task_of_a_redrive_has_a_token_of_its_own() {
    let world = World::held();
    let worker = world.run(world.engine.create_activity(
        world.engine.owner(),
        "a",
        stepwell_expr::Value::empty_object(),
        Default::default(),
    ));
    world.create("m", &activity(&worker.unwrap().arn, ""));
    let arn = world.start("m", "x", "1");
    let activity_arn = format!("{}:activity:a", world.engine.arn_prefix());
    let old = world.take_task(&activity_arn, "w").token;
    world.run(world.engine.stop_execution(&arn, Failure::named("Halt"))).unwrap();
    redrive(&world, &arn, None).unwrap();
    let success = || stepwell_engine::Answer::Success(stepwell_expr::Payload::from_checked_text("2"));
    assert!(world.run(world.engine.answer_task(&old, success())).is_err());
    let new = world.take_task(&activity_arn, "w").token;
    world.run(world.engine.answer_task(&new, success())).unwrap();
    assert_eq!(world.end(&arn), "SUCCEEDED 2");
}

#[test]
fn what_cannot_be_redriven() {
    let world = World::new();
    world.create("m", &function("fail"));
    let arn = world.start("m", "x", "1");
    world.end(&arn);
    let unknown = world.run(world.engine.redrive_execution(&arn.replace(":x", ":y"), None));
    assert!(matches!(unknown, Err(RedriveError::DoesNotExist)), "{unknown:?}");
    world.pass_seconds(14 * 86_400);
    redrive(&world, &arn, None).unwrap();
    world.end(&arn);
    world.pass_seconds(14 * 86_400 + 1);
    assert_eq!(redrive(&world, &arn, None), Err(NotRedrivable::PeriodExceeded.to_string()));

    let other = world.start("m", "z", "1");
    world.end(&other);
    world.run(world.engine.delete_state_machine(&format!("{}:stateMachine:m", world.engine.arn_prefix()))).unwrap();
    assert_eq!(redrive(&world, &other, None), Err(NotRedrivable::MachineDeleting.to_string()));

    world.create("p", PASS);
    let succeeded = world.start("p", "x", "1");
    world.end(&succeeded);
    assert_eq!(redrive(&world, &succeeded, None), Err(NotRedrivable::Succeeded.to_string()));
}

#[test]
fn what_has_expired_is_removed_by_those_that_come_later() {
    let world = World::new();
    world.create("m", &function("fail"));
    let rows = |world: &World| {
        let mut rows = 0;
        let count = &mut |_: &[u8], _: &[u8]| {
            rows += 1;
            stepwell_store::Visit::Continue(())
        };
        let direction = stepwell_store::Direction::Forward;
        world.store.scan(stepwell_store::Space::Frames, &[0], &[255; 32], direction, count).unwrap();
        rows
    };
    let fail = |name: String| world.end(&world.start("m", &name, "1"));
    (0..20).for_each(|number| _ = fail(format!("old-{number}")));
    assert_eq!(rows(&world), 20);
    world.pass_seconds(15 * DAY_MS / 1_000);
    // Each cleans up in its own shard; a few thousand meet all shards.
    (0..3_000).for_each(|number| _ = fail(format!("new-{number}")));
    assert!(rows(&world) <= 3_000 + 2, "{}", rows(&world));
}
