//! Status changes: each at least once, after durability, over restarts and refusals.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use stepwell_engine::{Bounds, Config, LogError, StatusChange, StatusSink};
use stepwell_store::memory::Memory;

use crate::world::{PASS, World, function, outcome};

/// Keeps what it is told, as `execution redrives outcome`; refuses while it is told to.
#[derive(Default)]
struct Told {
    changes: Mutex<Vec<String>>,
    refuses: AtomicBool,
}

impl StatusSink for Told {
    fn take(&self, changes: Arc<[StatusChange]>) -> Pin<Box<dyn Future<Output = Result<(), LogError>> + Send + '_>> {
        Box::pin(async move {
            if self.refuses.load(Ordering::SeqCst) {
                return Err(LogError("not now".into()));
            }
            let line = |StatusChange { execution, at_ms }: &StatusChange| {
                let (name, redrives) = (&execution.name, execution.redrives.count);
                assert!(*at_ms >= execution.start_ms);
                format!("{name} {redrives} {}", outcome(&execution.status))
            };
            self.changes.lock().unwrap().extend(changes.iter().map(line));
            Ok(())
        })
    }
}

impl Told {
    fn wait_for(&self, world: &World, count: usize) -> Vec<String> {
        world.run(async {
            while self.changes.lock().unwrap().len() < count {
                tokio::task::yield_now().await;
            }
        });
        self.changes.lock().unwrap().clone()
    }
}

fn announcing(world: World) -> World {
    world.restart_as(|config| Config { announces_status: true, ..config })
}

fn marks(world: &World) -> usize {
    let mut marks = 0;
    let count = &mut |_: &[u8], _: &[u8]| {
        marks += 1;
        stepwell_store::Visit::Continue(())
    };
    let direction = stepwell_store::Direction::Forward;
    world.store.scan(stepwell_store::Space::Open, &[8], &[9], direction, count).unwrap();
    marks
}

fn wait_for_no_marks(world: &World) {
    world.run(async {
        while marks(world) > 0 {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn starts_ends_and_redrives_are_told_in_order() {
    let world = announcing(World::new());
    let told = Arc::new(Told::default());
    world.engine.announce_to(told.clone());
    world.create("p", PASS);
    world.create("f", &function("fails_once"));
    world.end(&world.start("p", "fine", "7"));
    assert_eq!(told.wait_for(&world, 2), ["fine 0 RUNNING", "fine 0 SUCCEEDED 7"]);
    let arn = world.start("f", "again", "1");
    world.end(&arn);
    told.wait_for(&world, 4);
    world.run(world.engine.redrive_execution(&arn, None)).unwrap();
    world.end(&arn);
    assert_eq!(
        told.wait_for(&world, 6)[2..],
        ["again 0 RUNNING", "again 0 FAILED Scripted: it was to fail", "again 1 RUNNING", "again 1 SUCCEEDED 1"]
    );
    wait_for_no_marks(&world);
}

#[test]
fn what_a_process_did_not_tell_the_next_one_does() {
    let world = announcing(World::new());
    let refusing = Arc::new(Told { refuses: AtomicBool::new(true), ..Told::default() });
    world.engine.announce_to(refusing.clone());
    world.create("p", PASS);
    world.end(&world.start("p", "x", "1"));
    assert_eq!(marks(&world), 2);
    let world = announcing(world);
    let told = Arc::new(Told::default());
    world.engine.announce_to(told.clone());
    assert_eq!(told.wait_for(&world, 2), ["x 0 RUNNING", "x 0 SUCCEEDED 1"]);
    wait_for_no_marks(&world);
    assert_eq!(*refusing.changes.lock().unwrap(), Vec::<String>::new());
}

#[test]
fn beyond_the_queue_changes_wait_as_rows_and_a_refusing_sink_slows_nobody() {
    let bounds = Bounds { status_changes: 3, ..Bounds::default() };
    let world = announcing(World::with(Arc::new(Memory::new()), bounds, 2));
    let told = Arc::new(Told { refuses: AtomicBool::new(true), ..Told::default() });
    world.engine.announce_to(told.clone());
    world.create("p", PASS);
    let executions = 20;
    for number in 0..executions {
        world.start("p", &format!("x{number}"), "1");
    }
    assert_eq!(marks(&world), executions * 2);
    told.refuses.store(false, Ordering::SeqCst);
    wait_for_no_marks(&world);
    let mut changes = told.changes.lock().unwrap().clone();
    changes.sort();
    changes.dedup();
    assert_eq!(changes.len(), executions * 2);
}

#[test]
fn an_engine_that_announces_nothing_writes_no_rows() {
    let world = World::new();
    world.create("p", PASS);
    world.end(&world.start("p", "x", "1"));
    assert_eq!(marks(&world), 0);
}
