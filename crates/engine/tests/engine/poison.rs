use std::sync::Arc;

use stepwell_engine::{Bounds, ExecutionError, StartExecutionError, Unavailable};
use stepwell_store::{
    Store,
    faulty::{Fate, Faulty, Plan},
    memory::Memory,
};

use crate::world::{PASS, World, machine, outcome};

/// Commits before the one that fails: owner, machine, one start.
const AFTER: u64 = 3;

fn poisoned(fate: Fate) -> (World, Arc<Faulty>) {
    let plan = Plan { after: AFTER, fate };
    let faulty = Arc::new(Faulty::new(Arc::new(Memory::new()), Some(plan)));
    let store: Arc<dyn Store> = faulty.clone();
    let world = World::with(store, Bounds::default(), 1);
    world.create("m", PASS);
    let kept = world.start("m", "kept", "{}");
    let lost = world.try_start("m", "lost", "{}");
    assert!(matches!(lost, Err(StartExecutionError::Unavailable(Unavailable::Down))), "{lost:?}");
    assert_eq!(outcome(&world.describe(&kept).status), "SUCCEEDED {}");
    (world, faulty)
}

#[test]
fn after_a_failed_commit_nothing_is_taken_and_reads_show_what_is_durable() {
    let (world, _) = poisoned(Fate::Lost);
    assert!(world.engine.health().poisoned.is_some());
    let lost = world.run(world.engine.execution("arn:aws:states:us-east-1:123456789012:execution:m:lost"));
    assert!(matches!(lost, Err(ExecutionError::DoesNotExist)));
    let again = world.try_start("m", "again", "{}");
    assert!(matches!(again, Err(StartExecutionError::Unavailable(Unavailable::Down))), "{again:?}");
    assert!(world.run(world.engine.create_state_machine(machine("n", PASS))).is_err());
    assert!(world.engine.state_machine("arn:aws:states:us-east-1:123456789012:stateMachine:n").is_none());
}

#[test]
fn the_next_life_has_all_that_was_acknowledged() {
    for (fate, expected) in [(Fate::Lost, false), (Fate::Kept, true)] {
        let (world, faulty) = poisoned(fate);
        let world = world.restart_on(faulty.crash().unwrap());
        assert!(world.engine.health().poisoned.is_none());
        let arn = |name: &str| format!("{}:execution:m:{name}", world.engine.arn_prefix());
        assert_eq!(outcome(&world.describe(&arn("kept")).status), "SUCCEEDED {}");
        assert_eq!(world.run(world.engine.execution(&arn("lost"))).is_ok(), expected);
        assert_eq!(world.try_start("m", "lost", "{}").is_ok(), !expected);
        assert_eq!(world.engine.health().open_executions, 0);
    }
}
