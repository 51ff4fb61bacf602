use std::sync::Arc;

use stepwell_engine::{
    AliasError, CreateAlias, CreateAliasError, CreateStateMachineError, Cursor, DeleteVersionError, ListExecutions,
    Publish, PublishVersion, PublishVersionError, Qualifier, Quotas, Route, StartExecution, UpdateAlias,
    UpdateStateMachine,
};
use stepwell_expr::Payload;

use crate::world::{PASS, WAIT_30_DAYS, World, machine};

const FIRST: &str = r#"{"StartAt":"P","States":{"P":{"Type":"Pass","Result":1,"End":true}}}"#;
const SECOND: &str = r#"{"StartAt":"P","States":{"P":{"Type":"Pass","Result":2,"End":true}}}"#;

fn publish(world: &World, arn: &str) -> Result<Arc<str>, PublishVersionError> {
    let asked = PublishVersion { state_machine_arn: arn.into(), revision_id: None, description: None };
    world.run(world.engine.publish_version(asked)).map(|version| version.arn)
}

fn update(world: &World, arn: &str, definition: Option<&str>, published: bool) -> (Option<Arc<str>>, Option<Arc<str>>) {
    let update = UpdateStateMachine {
        arn: arn.into(),
        definition: definition.map(Into::into),
        role_arn: None,
        logging: None,
        tracing: None,
        encryption: None,
        publish: published.then(Publish::default),
    };
    let updated = world.run(world.engine.update_state_machine(update)).unwrap();
    (updated.revision_id, updated.version_arn)
}

fn alias(arn: &str, name: &str, routes: &[(u64, u8)]) -> CreateAlias {
    let route = |(version, weight): &(u64, u8)| Route { version: *version, weight: *weight };
    CreateAlias {
        state_machine_arn: arn.into(),
        name: name.into(),
        description: None,
        routes: routes.iter().map(route).collect(),
    }
}

/// Starts through an ARN: the output, and the qualifier that the execution shows.
fn run(world: &World, arn: &str, name: &str) -> (String, Option<Qualifier>) {
    let start = StartExecution {
        test_case: None,
        state_machine_arn: arn.into(),
        name: Some(name.into()),
        input: Payload::from_checked_text("{}"),
        trace_header: None,
        origin: None,
    };
    let started = world.run(world.engine.start_execution(start)).unwrap();
    let outcome = world.end(&started.arn);
    (outcome, world.run(world.engine.execution(&started.arn)).unwrap().qualifier)
}

fn names_listed(world: &World, arn: &str) -> Vec<String> {
    let list = ListExecutions { state_machine_arn: arn.into(), status: None, limit: 10, after: None };
    let page = world.run(world.engine.list_executions(list)).unwrap();
    let mut names: Vec<String> = page.items.iter().map(|listed| listed.name.to_string()).collect();
    names.sort();
    names
}

#[test]
fn versions_name_revisions_and_their_numbers_never_come_back() {
    let world = World::new();
    let arn = world.create("m", FIRST).arn;
    assert_eq!(publish(&world, "arn:nothing").unwrap_err().to_string(), "the state machine does not exist");
    assert_eq!(&*publish(&world, &arn).unwrap(), format!("{arn}:1"));
    assert_eq!(&*publish(&world, &arn).unwrap(), format!("{arn}:1"), "a revision has one version");
    assert_eq!(update(&world, &arn, None, true), (None, Some(format!("{arn}:1").into())));
    let (revision, version) = update(&world, &arn, Some(SECOND), true);
    assert_eq!(version, Some(format!("{arn}:2").into()));

    let stale = PublishVersion {
        state_machine_arn: arn.clone(),
        revision_id: Some("INITIAL".into()),
        description: Some("d".into()),
    };
    let refused = world.run(world.engine.publish_version(stale.clone()));
    assert!(
        matches!(refused, Err(PublishVersionError::OtherRevision { current }) if Some(&current) == revision.as_ref())
    );

    world.run(world.engine.delete_version(&arn, 2)).unwrap();
    world.run(world.engine.delete_version(&arn, 2)).unwrap();
    let current = PublishVersion { revision_id: revision, ..stale };
    assert_eq!(&*world.run(world.engine.publish_version(current)).unwrap().arn, format!("{arn}:3"));

    let world = world.restart();
    let third = world.run(world.engine.version(&arn, 3)).unwrap().unwrap();
    assert_eq!((&*third.machine.definition, third.description.as_deref()), (SECOND, Some("d")));
    assert!(world.run(world.engine.version(&arn, 2)).unwrap().is_none());
    let page = world.engine.list_versions(&arn, 1, None).unwrap();
    assert_eq!(page.items.iter().map(|version| version.arn.to_string()).collect::<Vec<_>>(), [format!("{arn}:3")]);
    let page = world.engine.list_versions(&arn, 1, page.next.as_ref()).unwrap();
    assert_eq!(page.items.iter().map(|version| version.arn.to_string()).collect::<Vec<_>>(), [format!("{arn}:1")]);
    assert!(page.next.is_none() && world.engine.list_versions("arn:nothing", 1, None).is_none());
    let garbled = world.engine.list_versions(&arn, 1, Some(&Cursor(b"x".to_vec()))).unwrap();
    assert!(garbled.items.is_empty() && garbled.next.is_none());
}

#[test]
fn executions_know_the_version_and_alias_that_started_them() {
    let world = World::new();
    let arn = world.create("m", FIRST).arn;
    publish(&world, &arn).unwrap();
    update(&world, &arn, Some(SECOND), true);
    update(&world, &arn, Some(PASS), false);
    world.run(world.engine.create_alias(alias(&arn, "PROD", &[(1, 100)]))).unwrap();
    let prod = format!("{arn}:PROD");

    assert_eq!(run(&world, &arn, "plain"), ("SUCCEEDED {}".into(), None));
    let through = |version, alias: Option<&str>| Some(Qualifier { version, alias: alias.map(Into::into) });
    assert_eq!(run(&world, &format!("{arn}:2"), "version"), ("SUCCEEDED 2".into(), through(2, None)));
    assert_eq!(run(&world, &prod, "alias"), ("SUCCEEDED 1".into(), through(1, Some("PROD"))));
    let moved = UpdateAlias {
        state_machine_arn: arn.clone(),
        name: "PROD".into(),
        description: None,
        routes: Some(vec![Route { version: 2, weight: 100 }]),
    };
    world.run(world.engine.update_alias(moved)).unwrap();
    assert_eq!(run(&world, &prod, "moved"), ("SUCCEEDED 2".into(), through(2, Some("PROD"))));

    let world = world.restart();
    assert_eq!(names_listed(&world, &arn), ["alias", "moved", "plain", "version"]);
    assert_eq!(names_listed(&world, &prod), ["alias", "moved"]);
    assert_eq!(names_listed(&world, &format!("{arn}:1")), ["alias"]);
    assert_eq!(names_listed(&world, &format!("{arn}:2")), ["moved", "version"]);
    for missing in [":3", ":TEST", ":01"] {
        let missing: Arc<str> = format!("{arn}{missing}").into();
        assert!(world.engine.machine_type(&missing).is_none());
        let start = StartExecution {
            test_case: None,
            state_machine_arn: missing,
            name: None,
            input: Payload::from_checked_text("{}"),
            trace_header: None,
            origin: None,
        };
        let refused = world.run(world.engine.start_execution(start)).unwrap_err();
        assert_eq!(refused.to_string(), "the state machine does not exist");
    }
}

#[test]
fn an_alias_shares_out_what_is_started_and_holds_its_versions() {
    let world = World::new();
    let arn = world.create("m", FIRST).arn;
    publish(&world, &arn).unwrap();
    update(&world, &arn, Some(SECOND), true);
    let both = alias(&arn, "BOTH", &[(1, 50), (2, 50)]);
    let made = world.run(world.engine.create_alias(both.clone())).unwrap();
    let again = world.run(world.engine.create_alias(both)).unwrap();
    assert_eq!((made.arn, made.created_ms), (again.arn, again.created_ms));
    let other = world.run(world.engine.create_alias(alias(&arn, "BOTH", &[(1, 100)])));
    assert!(matches!(other, Err(CreateAliasError::Conflict)), "{other:?}");
    let missing = world.run(world.engine.create_alias(alias(&arn, "X", &[(3, 100)])));
    assert!(matches!(missing, Err(CreateAliasError::ResourceNotFound)), "{missing:?}");

    let outcomes: Vec<String> =
        (0..40).map(|number| run(&world, &format!("{arn}:BOTH"), &format!("e{number}")).0).collect();
    assert!(["SUCCEEDED 1", "SUCCEEDED 2"].iter().all(|each| outcomes.iter().any(|outcome| outcome == each)));

    world.run(world.engine.create_alias(alias(&arn, "A", &[(1, 100)]))).unwrap();
    let listed = |version| -> Vec<String> {
        let page = world.engine.list_aliases(&arn, version, 10, None).unwrap();
        page.items.iter().map(|alias| alias.name.to_string()).collect()
    };
    assert_eq!((listed(None), listed(Some(2))), (vec!["BOTH".into(), "A".into()], vec!["BOTH".into()]));
    match world.run(world.engine.delete_version(&arn, 1)) {
        Err(DeleteVersionError::Referenced { aliases }) => assert_eq!(aliases, ["BOTH".into(), "A".into()]),
        other => panic!("{other:?}"),
    }
    for name in ["BOTH", "A", "A"] {
        world.run(world.engine.delete_alias(&arn, name)).unwrap();
    }
    world.run(world.engine.delete_version(&arn, 1)).unwrap();
    let gone = UpdateAlias { state_machine_arn: arn, name: "A".into(), description: None, routes: None };
    assert!(matches!(world.run(world.engine.update_alias(gone)), Err(AliasError::ResourceNotFound)));
}

#[test]
fn a_creation_compares_what_it_published_and_a_new_machine_begins_at_one() {
    let world = World::new();
    let asked = |description: Option<&str>| {
        let mut asked = machine("m", WAIT_30_DAYS);
        asked.publish = Some(Publish { description: description.map(Into::into) });
        asked
    };
    let first = world.run(world.engine.create_state_machine(asked(Some("d")))).unwrap();
    let arn = first.machine.arn;
    assert_eq!(first.version_arn, Some(format!("{arn}:1").into()));
    let again = world.run(world.engine.create_state_machine(asked(Some("d")))).unwrap();
    assert_eq!(again.version_arn, first.version_arn);
    for other in [asked(None), machine("m", WAIT_30_DAYS)] {
        let refused = world.run(world.engine.create_state_machine(other));
        assert!(matches!(refused, Err(CreateStateMachineError::AlreadyExists { .. })), "{refused:?}");
    }
    world.run(world.engine.create_alias(alias(&arn, "PROD", &[(1, 100)]))).unwrap();
    world.run(world.engine.delete_state_machine(&arn)).unwrap();
    let world = world.restart();
    world.create("m", PASS);
    assert!(world.engine.alias(&arn, "PROD").is_none());
    assert!(world.engine.list_versions(&arn, 10, None).unwrap().items.is_empty());
    assert_eq!(&*publish(&world, &arn).unwrap(), format!("{arn}:1"));
}

#[test]
fn quotas_bound_what_there_is() {
    let quotas =
        Quotas { state_machines: 1, activities: 1, versions: 1, aliases: 1, open_executions: 1, ..Quotas::default() };
    let world = World::new().restart_with(quotas);
    let arn = world.create("m", WAIT_30_DAYS).arn;
    let refused = world.run(world.engine.create_state_machine(machine("n", PASS)));
    assert!(matches!(refused, Err(CreateStateMachineError::TooMany)), "{refused:?}");
    publish(&world, &arn).unwrap();
    world.run(world.engine.create_alias(alias(&arn, "A", &[(1, 100)]))).unwrap();
    let refused = world.run(world.engine.create_alias(alias(&arn, "B", &[(1, 100)])));
    assert!(matches!(refused, Err(CreateAliasError::TooMany)), "{refused:?}");
    update(&world, &arn, Some(PASS), false);
    assert!(matches!(publish(&world, &arn), Err(PublishVersionError::TooMany)));
    world
        .run(world.engine.create_activity(
            world.engine.owner(),
            "a",
            stepwell_expr::Value::empty_object(),
            Default::default(),
        ))
        .unwrap();
    let refused = world.run(world.engine.create_activity(
        world.engine.owner(),
        "b",
        stepwell_expr::Value::empty_object(),
        Default::default(),
    ));
    assert_eq!(refused.unwrap_err().to_string(), "the account has too many activities in this region");
}
