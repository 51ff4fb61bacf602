//! State machines and activities of several accounts and regions in one store.

use std::{ops::ControlFlow, sync::Arc};

use stepwell_engine::{
    CreateActivityError, CreateAlias, CreateStateMachine, CreateStateMachineError, Owner, Page, PublishVersion, Quotas,
    Route, Search, StartExecution, Tags, examine_registry, limits::OWNERS_MAX,
};
use stepwell_expr::{Payload, Value};
use stepwell_store::{Direction, Space};

use crate::world::{PASS, WAIT_30_DAYS, World, activity, machine};

fn own() -> Owner {
    Owner::new("us-east-1", "123456789012")
}

fn others() -> [Owner; 3] {
    [
        Owner::new("eu-west-1", "123456789012"),
        Owner::new("us-east-1", "111122223333"),
        Owner::new("cn-north-1", "111122223333"),
    ]
}

fn create(world: &World, owner: &Owner, name: &str, definition: &str) -> Arc<str> {
    let new = CreateStateMachine { owner: owner.clone(), ..machine(name, definition) };
    world.run(world.engine.create_state_machine(new)).unwrap().machine.arn
}

fn create_activity(world: &World, owner: &Owner, name: &str) -> Arc<str> {
    let created = world.engine.create_activity(owner, name, Value::empty_object(), Tags::new());
    world.run(created).unwrap().arn
}

fn start(world: &World, machine_arn: &str, name: &str) -> Arc<str> {
    let start = StartExecution {
        state_machine_arn: machine_arn.into(),
        name: Some(name.into()),
        input: Payload::from_checked_text("{}"),
        trace_header: None,
        origin: None,
        test_case: None,
    };
    world.run(world.engine.start_execution(start)).unwrap().arn
}

fn arns(page: Page<stepwell_engine::Listed>) -> Vec<Arc<str>> {
    page.items.into_iter().map(|listed| listed.arn).collect()
}

/// The first byte of the row that says whose the store is.
fn owner_row_version(world: &World) -> u8 {
    world.store.get(Space::Meta, b"engine/owner").unwrap().unwrap()[0]
}

fn keys(world: &World) -> Vec<String> {
    let mut keys = Vec::new();
    let mut visit = |key: &[u8], _: &[u8]| {
        keys.extend(std::str::from_utf8(key).ok().map(str::to_owned));
        ControlFlow::Continue(())
    };
    world.store.scan(Space::Meta, b"engine/", b"engine0", Direction::Forward, &mut visit).unwrap();
    keys
}

#[test]
fn the_same_names_are_different_things() {
    let world = World::held();
    let all: Vec<Owner> = [own()].into_iter().chain(others()).collect();
    for owner in &all {
        let arn = create(&world, owner, "m", WAIT_30_DAYS);
        assert_eq!(&*arn, format!("{}:stateMachine:m", owner.arn_prefix()));
        let activity_arn = create_activity(&world, owner, "a");
        assert_eq!(&*activity_arn, format!("{}:activity:a", owner.arn_prefix()));
        let execution = start(&world, &arn, "x");
        assert_eq!(&*execution, format!("{}:execution:m:x", owner.arn_prefix()));
    }
    assert!(all[3].arn_prefix().starts_with("arn:aws-cn:"));
    let world = world.restart();
    for owner in &all {
        let of = |kind: &str| vec![Arc::from(format!("{}:{kind}", owner.arn_prefix()))];
        assert_eq!(arns(world.engine.list_state_machines(owner, 10, None)), of("stateMachine:m"));
        assert_eq!(arns(world.engine.list_activities(owner, 10, None)), of("activity:a"));
        let usage = world.engine.usage(owner);
        assert_eq!((usage.state_machines, usage.activities), (1, 1));
        let found = world.run(world.engine.search(owner, Search::default(), 10, None)).unwrap();
        let found: Vec<Arc<str>> = found.executions.into_iter().map(|found| found.listed.arn).collect();
        assert_eq!(found, of("execution:m:x"));
    }
    let mut sorted = all.clone();
    sorted.sort();
    assert_eq!(world.engine.owners(), sorted);

    // An execution of one has nothing to do with those of the others.
    let arn = |owner: &Owner, rest: &str| format!("{}:{rest}", owner.arn_prefix());
    world.run(world.engine.delete_state_machine(&arn(&all[1], "stateMachine:m"))).unwrap();
    assert_eq!(world.end(&arn(&all[1], "execution:m:x")), "ABORTED -: -");
    world.run(world.engine.delete_activity(&arn(&all[1], "activity:a"))).unwrap();
    world.run(async {
        while world.engine.owners().contains(&all[1]) {
            tokio::task::yield_now().await;
        }
    });
    world.release_time();
    let world = world.restart();
    assert!(!world.engine.owners().contains(&all[1]));
    for owner in [&all[0], &all[2], &all[3]] {
        assert_eq!(world.end(&arn(owner, "execution:m:x")), "SUCCEEDED {}");
    }
}

#[test]
fn an_execution_works_where_its_machine_is() {
    let world = World::new();
    let [there, elsewhere, _] = others();
    let definition = r#"{"QueryLanguage":"JSONata","StartAt":"P","States":{"P":{"Type":"Pass","Output":"{% $states.context.StateMachine.Id %}","Next":"T"},
        "T":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution","Arguments":{"StateMachineArn":"x"},"End":true}}}"#;
    let arn = create(&world, &there, "m", definition);
    let execution = start(&world, &arn, "x");
    world.end(&execution);
    let text = format!("{:?}", world.history(&execution));
    assert!(text.contains(r#"region: "eu-west-1""#), "{text}");
    assert!(text.contains(&*arn), "{text}");

    // An activity is named by its ARN, wherever the machine is.
    let activity_arn = create_activity(&world, &elsewhere, "a");
    let arn = create(&world, &there, "n", &activity(&activity_arn, ""));
    let execution = start(&world, &arn, "x");
    let task = world.take_task(&activity_arn, "w");
    let world = world.restart();
    world.run(world.engine.answer_task(&task.token, stepwell_engine::Answer::Success(task.input))).unwrap();
    assert_eq!(world.end(&execution), "SUCCEEDED {}");
}

#[test]
fn versions_aliases_and_tags_are_kept_apart() {
    let world = World::new();
    let [there, ..] = others();
    let (here_arn, there_arn) = (create(&world, &own(), "m", PASS), create(&world, &there, "m", PASS));
    let publish = PublishVersion { state_machine_arn: there_arn.clone(), revision_id: None, description: None };
    let version = world.run(world.engine.publish_version(publish)).unwrap();
    assert_eq!(&*version.arn, format!("{there_arn}:1"));
    let alias = CreateAlias {
        state_machine_arn: there_arn.clone(),
        name: "PROD".into(),
        description: None,
        routes: vec![Route { version: 1, weight: 100 }],
    };
    world.run(world.engine.create_alias(alias)).unwrap();
    world.run(world.engine.tag(&there_arn, Tags::from([("k".into(), "v".into())]))).unwrap();
    let world = world.restart();
    assert!(world.engine.alias(&there_arn, "PROD").is_some() && world.engine.alias(&here_arn, "PROD").is_none());
    assert_eq!(world.engine.tags(&there_arn).unwrap().len(), 1);
    assert!(world.engine.tags(&here_arn).unwrap().is_empty());
    let execution = start(&world, &format!("{there_arn}:PROD"), "x");
    assert_eq!(world.end(&execution), "SUCCEEDED {}");
    assert_eq!(world.describe(&execution).qualifier.map(|qualifier| qualifier.version), Some(1));
    assert_eq!(examine_registry(world.store.as_ref()).unwrap(), Vec::<String>::new());

    // Nothing is left of it.
    world.run(world.engine.delete_state_machine(&there_arn)).unwrap();
    let left: Vec<String> = keys(&world).into_iter().filter(|key| key.contains("eu-west-1")).collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn quotas_are_of_each() {
    let world = World::new().restart_with(Quotas { state_machines: 1, activities: 1, ..Quotas::default() });
    let [there, ..] = others();
    create(&world, &own(), "m", PASS);
    create(&world, &there, "m", PASS);
    create_activity(&world, &own(), "a");
    create_activity(&world, &there, "a");
    let new = CreateStateMachine { owner: there, ..machine("n", PASS) };
    let refused = world.run(world.engine.create_state_machine(new));
    assert!(matches!(refused, Err(CreateStateMachineError::TooMany)), "{refused:?}");
}

#[test]
fn so_many_owners_have_something() {
    let world = World::new();
    let create = |number: usize| {
        let owner = Owner::new("us-east-1", &format!("{number:012}"));
        let created = world.engine.create_activity(&owner, "a", Value::empty_object(), Tags::new());
        world.run(created).map(|activity| activity.arn)
    };
    let arns: Vec<Arc<str>> = (0..OWNERS_MAX).map(|number| create(number).unwrap()).collect();
    assert!(matches!(create(OWNERS_MAX), Err(CreateActivityError::TooMany)));
    world.run(world.engine.delete_activity(&arns[0])).unwrap();
    create(OWNERS_MAX).unwrap();
}

#[test]
fn rows_of_the_own_owner_are_as_they_were() {
    let world = World::new();
    create(&world, &own(), "m", PASS);
    create_activity(&world, &own(), "a");
    let named = |world: &World, what: &str| -> Vec<String> {
        let prefix = format!("engine/{what}/");
        keys(world).iter().filter_map(|key| key.strip_prefix(&prefix)).map(str::to_owned).collect()
    };
    assert_eq!((named(&world, "machine"), named(&world, "activity")), (vec!["m".to_owned()], vec!["a".to_owned()]));
    assert_eq!(owner_row_version(&world), 1);

    // From the first thing of another one on, programs that know of one owner alone are kept away.
    create_activity(&world, &others()[0], "a");
    assert_eq!(named(&world, "activity"), ["a", "eu-west-1:123456789012:a"]);
    assert_eq!(owner_row_version(&world), 2);
    let world = world.restart();
    assert_eq!(world.engine.owner(), &own());
}

#[test]
fn a_new_store_has_the_partition_of_its_region() {
    let world = World::new();
    let store: Arc<dyn stepwell_store::Store> = Arc::new(stepwell_store::memory::Memory::new());
    let world = World { store: store.clone(), ..world }
        .restart_as(|config| stepwell_engine::Config { region: "cn-north-1".into(), ..config });
    assert_eq!(world.engine.arn_prefix(), "arn:aws-cn:states:cn-north-1:123456789012");
    assert_eq!(store.get(Space::Meta, b"engine/owner").unwrap().unwrap()[0], 2);
    // One that was made before partitions were told keeps its ARNs.
    let old: Arc<dyn stepwell_store::Store> = Arc::new(stepwell_store::memory::Memory::new());
    let mut batch = stepwell_store::Batch::default();
    batch.put(Space::Meta, b"engine/owner", b"\x01\x0c123456789012\x0acn-north-1\x80\x02".to_vec());
    old.commit(batch).unwrap();
    let world = World { store: old, ..world }
        .restart_as(|config| stepwell_engine::Config { region: "cn-north-1".into(), ..config });
    assert_eq!(world.engine.arn_prefix(), "arn:aws:states:cn-north-1:123456789012");
}
