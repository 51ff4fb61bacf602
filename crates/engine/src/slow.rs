//! Steps that need more fuel than a driver's slice: run by a few threads of their own, with full fuel.
//!
//! The driver marks the execution busy and goes on with others; what comes for the busy one waits in it. Here is also
//! the one place where a panic of the machine is caught.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, Sender},
    },
};

use parking_lot::Mutex;
use stepwell_machine::{Event, Execution, Moment, Program, Stepped, limits::FUEL_EVALUATION, step};

use crate::{activities::Activities, inbox::Inboxes, record::ExecutionId, timeline::UnderWay};

/// A step to run.
pub(crate) struct Job {
    pub(crate) id: ExecutionId,
    pub(crate) execution: Execution,
    pub(crate) program: Arc<Program>,
    pub(crate) event: Event,
    pub(crate) now_ms: i64,
    pub(crate) under_way: UnderWay,
}

/// A step that was run.
pub(crate) struct Thought {
    pub(crate) execution: ExecutionId,
    pub(crate) now_ms: i64,
    pub(crate) attempt: Attempt,
}

pub(crate) enum Attempt {
    Stepped(Stepped),
    /// The machine has a bug; its own words.
    Panicked(String),
}

/// Calls the machine.
pub(crate) fn attempt(
    program: &Program,
    execution: &Execution,
    event: Event,
    now_ms: i64,
    activities: &Activities,
    fuel: u64,
) -> Attempt {
    let activity_exists = |arn: &str| activities.exists(arn);
    let moment = Moment { now_ms, activity_exists: &activity_exists };
    // A step changes nothing that it is given, so whatever a panic leaves behind is not seen by anybody.
    match catch_unwind(AssertUnwindSafe(|| step(program, execution, event, moment, fuel))) {
        Ok(stepped) => Attempt::Stepped(stepped),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Attempt::Panicked(text.unwrap_or_default())
        }
    }
}

/// Where jobs go in; `None` ends one thread.
pub(crate) type SlowQueue = Sender<Option<Box<Job>>>;

/// One thread of the pool: runs jobs until it is told to stop.
pub(crate) fn run(queue: &Mutex<Receiver<Option<Box<Job>>>>, inboxes: &Inboxes, activities: &Activities) {
    loop {
        let next = queue.lock().recv();
        let Ok(Some(job)) = next else { return };
        let Job { id, execution, program, event, now_ms, under_way } = *job;
        let attempt = attempt(&program, &execution, event, now_ms, activities, FUEL_EVALUATION);
        inboxes.post_thought(Thought { execution: id, now_ms, attempt });
        drop(under_way);
    }
}
