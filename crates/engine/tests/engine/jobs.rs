//! Jobs (`.sync`) that nobody waits for any more are stopped, sooner or later.

use std::{ops::ControlFlow, sync::Arc, sync::atomic::Ordering};

use stepwell_engine::Bounds;
use stepwell_machine::Failure;
use stepwell_store::{Direction, Store, faulty::Faulty, memory::Memory};

use crate::world::World;

/// A batch job with a long parameter, which is a row of its own.
fn job() -> String {
    let resource = "arn:aws:states:::batch:submitJob.sync";
    format!(r#"{{"StartAt":"T","States":{{"T":{{"Type":"Task","Resource":"{resource}","End":true}}}}}}"#)
}

fn input() -> String {
    format!(r#"{{"JobName":"{}"}}"#, "n".repeat(10_000))
}

impl World {
    fn stop(&self, arn: &str) {
        self.run(self.engine.stop_execution(arn, Failure::new("E", "c"))).unwrap();
    }

    fn wait_for_stops(&self, count: usize) {
        self.run(async {
            while self.script.stops_of(&input()) < count {
                tokio::task::yield_now().await;
            }
        });
    }

    fn is_to_be_stopped(&self) -> bool {
        is_to_be_stopped(&self.store)
    }

    fn wait_until_forgotten(&self) {
        self.run(async {
            while self.is_to_be_stopped() {
                tokio::task::yield_now().await;
            }
        });
    }
}

/// True if the row that says so is there.
fn is_to_be_stopped(store: &Arc<dyn Store>) -> bool {
    let mut found = false;
    let scanned = store.scan(stepwell_store::Space::Open, &[6], &[7], Direction::Forward, &mut |_, _| {
        found = true;
        ControlFlow::Break(())
    });
    scanned.unwrap();
    found
}

#[test]
fn it_is_tried_until_it_succeeds() {
    let world = World::held();
    world.create("m", &job());
    let arn = world.start("m", "x", &input());
    world.wait_for_event(&arn, "TaskSubmitted");
    assert!(!world.is_to_be_stopped());
    world.script.failing_stops.store(2, Ordering::SeqCst);
    world.stop(&arn);
    assert_eq!(world.end(&arn), "ABORTED E: c");
    world.wait_for_stops(3);
    world.wait_until_forgotten();
    let world = world.restart();
    let other = world.start("m", "y", "{}");
    world.wait_for_event(&other, "TaskSubmitted");
    assert_eq!(world.script.stops_of(&input()), 3, "what is stopped is not stopped again");
}

#[test]
fn what_is_to_be_stopped_survives_a_crash() {
    let faulty = Arc::new(Faulty::new(Arc::new(Memory::new()), None));
    let world = World::with(faulty.clone(), Bounds::default(), 2);
    world.hold_time();
    world.create("m", &job());
    let arn = world.start("m", "x", &input());
    world.wait_for_event(&arn, "TaskSubmitted");
    world.script.failing_stops.store(usize::MAX, Ordering::SeqCst);
    world.stop(&arn);
    world.wait_for_stops(1);
    let world = world.restart_on(faulty.crash().unwrap());
    assert!(world.is_to_be_stopped());
    let before = world.script.stops_of(&input());
    world.script.failing_stops.store(0, Ordering::SeqCst);
    world.wait_for_stops(before + 1);
    world.wait_until_forgotten();
    assert_eq!(world.end(&arn), "ABORTED E: c");
}

#[test]
fn a_job_whose_task_timed_out_is_stopped() {
    let world = World::held();
    world.create("m", &job().replace("\"End\"", "\"TimeoutSeconds\":5,\"End\""));
    let arn = world.start("m", "x", &input());
    world.wait_for_event(&arn, "TaskSubmitted");
    world.pass_seconds(6);
    assert_eq!(world.end(&arn), "FAILED States.Timeout: -");
    world.wait_for_stops(1);
    world.wait_until_forgotten();
}
