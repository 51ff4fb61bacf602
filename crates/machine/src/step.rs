//! One call of the machine: one event in, any number of state transitions, until every frame waits.

mod container;
mod map_run;
mod redrive;
mod task;
mod timer;
mod visit;
mod work;

use std::{collections::BTreeMap, sync::Arc};

use stepwell_expr::Payload;

use crate::{
    effect::Effect,
    event::{Event, Moment},
    execution::{Execution, Frame, FrameId, Header, ResultChunk},
    history::HistoryEvent,
    program::Program,
    step::work::{Interrupt, Work},
};

/// What one step changed and wants done; nothing of it is visible before it is durable.
#[derive(Clone, Debug)]
pub struct Step {
    pub header: Header,
    /// New and changed frames; `None`: ended.
    pub frames: BTreeMap<FrameId, Option<Arc<Frame>>>,
    /// New and changed chunks of results; `None`: no longer needed.
    pub results: BTreeMap<(FrameId, u32), Option<ResultChunk>>,
    pub history: Vec<HistoryEvent>,
    pub effects: Vec<Effect>,
    /// States that were run, once more for each retry: what [`Moment::transitions_max`] bounds.
    pub ran: u32,
}

/// What [`step`] answers.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "it is taken apart where it arrives, and nearly always a step")]
pub enum Stepped {
    Done(Step),
    /// These payloads are absent: fill them and call again. Nothing has happened yet.
    Needs(Vec<Payload>),
    /// The fuel did not suffice: call again with more, away from the driver. Nothing has happened yet.
    Slow,
}

/// Advances `execution` by one event; changes nothing that it is given.
///
/// Deterministic: the same program, execution, event, moment and fuel give the same answer. An event that the
/// execution does not wait for gives an empty step. The step ends when every frame waits, or between two transitions
/// at `TRANSITIONS_PER_STEP_MAX`, at `STEP_BYTES_MAX`, at the moment's `transitions_max`, or when half of `fuel` (of a
/// `FUEL_SLICE`, if that is less) is used: then [`Execution::is_ready`] holds after it and `Event::Continued` goes on, or, where only timers are due,
/// `Event::TimePassed`. However an execution is cut into steps, its history is the same but for timestamps.
///
/// Give it `FUEL_SLICE`, and `FUEL_EVALUATION` after [`Stepped::Slow`]: that always gives a `Done` or `Needs`.
pub fn step(program: &Program, execution: &Execution, event: Event, moment: Moment<'_>, fuel: u64) -> Stepped {
    let mut work = Work::new(program, execution, moment, fuel);
    let done = if execution.is_running() || matches!(event, Event::Redriven) {
        take(&mut work, event).and_then(|()| work.drain())
    } else {
        Ok(())
    };
    match done {
        Ok(()) => Stepped::Done(work.finish()),
        Err(Interrupt::Needs(payloads)) => Stepped::Needs(payloads),
        Err(Interrupt::Slow) => Stepped::Slow,
    }
}

fn take(work: &mut Work<'_>, event: Event) -> Result<(), Interrupt> {
    match event {
        Event::Started => {
            if !work.has_begun() {
                work.start();
            }
            Ok(())
        }
        Event::Continued => Ok(()),
        Event::TimePassed => work.time_passed(),
        Event::TaskStarted { task, worker } => {
            work.task_started(task, worker);
            Ok(())
        }
        Event::TaskReturned { task, outcome } => work.task_returned(task, outcome),
        Event::TaskAnswered { task, outcome } => work.task_answered(task, outcome),
        Event::MapRunEnded { task, redrives, outcome } => work.map_run_ended(task, redrives, outcome),
        Event::TaskHeartbeat { task } => {
            work.task_heartbeat(task);
            Ok(())
        }
        Event::Stopped(failure) => {
            work.stop(failure);
            Ok(())
        }
        Event::Redriven => {
            work.redrive();
            Ok(())
        }
    }
}
