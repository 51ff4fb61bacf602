//! One call of the machine: one event in, any number of state transitions, until every frame waits.

use std::{collections::BTreeMap, sync::Arc};

use stepwell_expr::Payload;

use crate::{
    effect::Effect,
    event::{Event, Moment},
    execution::{Execution, Frame, FrameId, Header},
    history::HistoryEvent,
    program::Program,
};

/// What one step changed and wants done; nothing of it is visible before it is durable.
#[derive(Clone, Debug)]
pub struct Step {
    pub header: Header,
    /// New and changed frames; `None`: ended.
    pub frames: BTreeMap<FrameId, Option<Arc<Frame>>>,
    /// New and changed chunks of results; `None`: no longer needed.
    pub results: BTreeMap<(FrameId, u32), Option<Arc<Vec<Option<Payload>>>>>,
    pub history: Vec<HistoryEvent>,
    pub effects: Vec<Effect>,
}

/// What [`step`] answers.
#[derive(Clone, Debug)]
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
/// execution no longer waits for gives an empty step. The step ends when every frame waits, or at
/// `TRANSITIONS_PER_STEP_MAX`, `STEP_BYTES_MAX` or when `fuel` units of evaluation are used between two transitions:
/// then [`Execution::is_ready`] holds after it and `Event::Continued` goes on.
pub fn step(_program: &Program, _execution: &Execution, _event: Event, _moment: Moment<'_>, _fuel: u64) -> Stepped {
    unimplemented!()
}
