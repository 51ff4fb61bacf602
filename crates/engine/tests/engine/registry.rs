use std::sync::Arc;

use stepwell_engine::{
    CreateActivityError, CreateStateMachineError, StartExecutionError, TagError, Tags, UpdateStateMachine,
    UpdateStateMachineError,
};
use stepwell_expr::Value;

use crate::world::{PASS, WAIT_30_DAYS, World, function, machine};

fn update(arn: &str, definition: Option<&str>, role: Option<&str>) -> UpdateStateMachine {
    UpdateStateMachine {
        arn: arn.into(),
        definition: definition.map(Into::into),
        role_arn: role.map(Into::into),
        logging: None,
        tracing: None,
        encryption: None,
        publish: None,
    }
}

#[test]
fn creation_is_idempotent_by_content() {
    let world = World::new();
    let first = world.create("m", PASS);
    world.pass_seconds(1);
    let mut again = machine("m", PASS);
    again.role_arn = "arn:aws:iam::123456789012:role/other".into();
    again.tags = Tags::from([("k".into(), "v".into())]);
    let same = world.run(world.engine.create_state_machine(again)).unwrap().machine;
    assert_eq!((same.created_ms, &same.role_arn), (first.created_ms, &first.role_arn));
    assert_eq!(world.engine.tags(&first.arn).unwrap(), Tags::new());
    let other = world.run(world.engine.create_state_machine(machine("m", &format!("{PASS} "))));
    assert!(matches!(other, Err(CreateStateMachineError::AlreadyExists { .. })), "{other:?}");
    let wrong = world.run(world.engine.create_state_machine(machine("n", "{}")));
    match wrong {
        Err(CreateStateMachineError::InvalidDefinition(problems)) => assert!(!problems.is_empty()),
        other => panic!("{other:?}"),
    }
    assert!(world.engine.state_machine("arn:aws:states:us-east-1:123456789012:stateMachine:n").is_none());
}

#[test]
fn updates_make_revisions_and_executions_keep_theirs() {
    let world = World::held();
    let arn = world.create("m", WAIT_30_DAYS).arn;
    let old = world.start("m", "old", "{}");
    let unchanged = world.run(world.engine.update_state_machine(update(&arn, Some(WAIT_30_DAYS), None))).unwrap();
    assert!(unchanged.revision_id.is_none());
    world.pass_seconds(1);
    let first = world.run(world.engine.update_state_machine(update(&arn, Some(PASS), None))).unwrap();
    let same = world.run(world.engine.update_state_machine(update(&arn, Some(PASS), None))).unwrap();
    assert!(first.revision_id.is_some());
    assert_eq!((first.revision_id.clone(), first.updated_ms), (same.revision_id, same.updated_ms));
    let second = world.run(world.engine.update_state_machine(update(&arn, None, Some("arn:role")))).unwrap();
    assert_ne!(first.revision_id, second.revision_id);

    let new = world.start("m", "new", "{}");
    assert_eq!(world.end(&new), "SUCCEEDED {}");
    let world = world.restart();
    let now = world.engine.state_machine(&arn).unwrap();
    assert_eq!((&*now.definition, &*now.role_arn, now.revision_id.clone()), (PASS, "arn:role", second.revision_id));
    assert_eq!(&*world.run(world.engine.state_machine_of(&old)).unwrap().definition, WAIT_30_DAYS);
    assert_eq!(&*world.run(world.engine.state_machine_of(&new)).unwrap().definition, PASS);
    world.release_time();
    assert_eq!(world.end(&old), "SUCCEEDED {}");

    let wrong = world.run(world.engine.update_state_machine(update(&arn, Some("{}"), None)));
    assert!(matches!(wrong, Err(UpdateStateMachineError::InvalidDefinition(_))), "{wrong:?}");
    let nothing = world.run(world.engine.update_state_machine(update("arn:nothing", Some(PASS), None)));
    assert!(matches!(nothing, Err(UpdateStateMachineError::DoesNotExist)), "{nothing:?}");
}

#[test]
fn a_deleted_machine_stops_what_runs_on_it_and_is_gone() {
    let world = World::new();
    let arn = world.create("m", &function("never")).arn;
    let executions: Vec<Arc<str>> = (0..5).map(|number| world.start("m", &format!("x{number}"), "{}")).collect();
    world.run(world.engine.delete_state_machine(&arn)).unwrap();
    let refused = world.try_start("m", "y", "{}");
    let refusal = matches!(
        refused,
        Err(StartExecutionError::StateMachineDeleting | StartExecutionError::StateMachineDoesNotExist)
    );
    assert!(refusal, "{refused:?}");
    for execution in &executions {
        assert_eq!(world.end(execution), "ABORTED -: -");
    }
    world.run(async {
        while world.engine.state_machine(&arn).is_some() {
            tokio::task::yield_now().await;
        }
    });
    assert!(world.engine.list_state_machines(world.engine.owner(), 10, None).items.is_empty());
    let kept = world.run(world.engine.state_machine_of(&executions[0])).unwrap();
    assert_eq!(&*kept.definition, function("never"));
    world.run(world.engine.delete_state_machine(&arn)).unwrap();
    world.create("m", PASS);
    assert_eq!(world.end(&world.start("m", "z", "{}")), "SUCCEEDED {}");
}

#[test]
fn a_machine_without_executions_is_gone_at_once() {
    let world = World::new();
    let arn = world.create("m", PASS).arn;
    world.start("m", "ended", "{}");
    world.run(world.engine.delete_state_machine(&arn)).unwrap();
    assert!(world.engine.state_machine(&arn).is_none());
}

#[test]
fn lists_are_in_creation_order_and_paged() {
    let world = World::new();
    for name in ["c", "a", "b"] {
        world.create(name, PASS);
        world
            .run(world.engine.create_activity(world.engine.owner(), name, Value::empty_object(), Tags::new()))
            .unwrap();
    }
    let world = world.restart();
    let first = world.engine.list_state_machines(world.engine.owner(), 2, None);
    let second = world.engine.list_state_machines(world.engine.owner(), 2, first.next.as_ref());
    let names: Vec<&str> = first.items.iter().chain(&second.items).map(|item| &*item.name).collect();
    assert_eq!(names, ["c", "a", "b"]);
    assert!(first.next.is_some() && second.next.is_none());
    let names: Vec<Arc<str>> =
        world.engine.list_activities(world.engine.owner(), 10, None).items.into_iter().map(|item| item.name).collect();
    assert_eq!(names.iter().map(|name| &**name).collect::<Vec<_>>(), ["c", "a", "b"]);
}

#[test]
fn activities_are_idempotent_by_name() {
    let world = World::new();
    let first =
        world.run(world.engine.create_activity(world.engine.owner(), "a", Value::empty_object(), Tags::new())).unwrap();
    world.pass_seconds(1);
    let again =
        world.run(world.engine.create_activity(world.engine.owner(), "a", Value::empty_object(), Tags::new())).unwrap();
    assert_eq!(first.created_ms, again.created_ms);
    let other = world.run(world.engine.create_activity(world.engine.owner(), "a", Value::from("other"), Tags::new()));
    assert!(matches!(other, Err(CreateActivityError::AlreadyExists { .. })));
    let world = world.restart();
    assert_eq!(world.engine.activity(&first.arn).map(|found| found.created_ms), Some(first.created_ms));
    world.run(world.engine.delete_activity(&first.arn)).unwrap();
    assert!(world.engine.activity(&first.arn).is_none());
}

#[test]
fn tags() {
    let world = World::new();
    let mut new = machine("m", PASS);
    new.tags = Tags::from([("a".into(), "1".into())]);
    let arn = world.run(world.engine.create_state_machine(new)).unwrap().machine.arn;
    world.run(world.engine.tag(&arn, Tags::from([("b".into(), "2".into()), ("a".into(), "3".into())]))).unwrap();
    let world = world.restart();
    assert_eq!(world.engine.tags(&arn).unwrap(), Tags::from([("a".into(), "3".into()), ("b".into(), "2".into())]));
    world.run(world.engine.untag(&arn, &["a".into(), "missing".into()])).unwrap();
    assert_eq!(world.engine.tags(&arn).unwrap(), Tags::from([("b".into(), "2".into())]));
    let many: Tags = (0..50).map(|number| (format!("k{number}").into(), "v".into())).collect();
    assert!(matches!(world.run(world.engine.tag(&arn, many)), Err(TagError::TooMany { most: 50 })));
    assert!(matches!(world.engine.tags("arn:nothing"), Err(TagError::ResourceNotFound)));
}
