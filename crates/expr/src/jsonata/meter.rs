//! How much an evaluation may do, and what it did.
//!
//! The engine counts steps (nodes evaluated, functions called back) and fails beyond a budget, the same on every
//! machine; it bounds the size of each value, but not of all together, and tells the steps only to a tracer, which
//! cannot read its input lazily. So an evaluation is tried with small bounds first ([`QUICK`]), under which it can
//! neither take long nor hold much; what passes them is evaluated again, from the start and with all the fuel, under
//! a [`Meter`] that counts.

use std::time::Duration;

use jlens_core::ast::{BinaryOp, Node, NodeId, NodeKind};
use jlens_core::audit::{CaptureLimits, Outcome, Tracer, ValueRef};
use jlens_core::{CancelToken, Options};
use rustix::time::{ClockId, clock_gettime};
use serde_json::Value as Json;

use super::functions::OURS;

use crate::limits::{
    JSONATA_ALLOCATED_BYTES_MAX, JSONATA_ARRAY_ITEMS_MAX, JSONATA_CPU_MS_MAX, JSONATA_DEPTH_MAX,
    JSONATA_MATCHING_WALL_MS_MAX, JSONATA_RESULT_BYTES_MAX, JSONATA_STRING_BYTES_MAX, JSONATA_WALL_MS_MAX,
};

/// Steps of the engine in one unit of fuel, a microsecond. Measured: see the crate's README.
const STEPS_PER_UNIT: u64 = 8;
/// Units of fuel for one step where a regular expression is matched: the engine counts only each 1,024th of a match's
/// own steps.
const UNITS_PER_MATCHING_STEP: u64 = 5;
/// Bytes that an evaluation allocates in one unit of fuel.
const BYTES_PER_UNIT: u64 = 2_000;
/// Values of the environment that are read or given back in one unit of fuel.
const VALUES_PER_UNIT: u64 = 16;

/// How long a step takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Pace {
    #[default]
    Plain,
    /// The expression has a regular expression, or a picture that becomes one, so any step may be one of a match.
    Matching,
}

impl Pace {
    fn steps(self, units: u64) -> u64 {
        match self {
            Pace::Plain => units.saturating_mul(STEPS_PER_UNIT),
            Pace::Matching => units / UNITS_PER_MATCHING_STEP,
        }
    }

    fn units(self, steps: u64) -> u64 {
        match self {
            Pace::Plain => steps / STEPS_PER_UNIT,
            Pace::Matching => steps.saturating_mul(UNITS_PER_MATCHING_STEP),
        }
    }
}

/// Units of fuel for reading or giving back that many values.
pub(super) fn units_of_values(values: u64) -> u64 {
    values / VALUES_PER_UNIT
}

/// One attempt's bounds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    steps: u64,
    string_bytes: usize,
    array_items: usize,
    wall: Option<Duration>,
}

/// What the attempt without a meter costs in units of fuel, besides the values read. Its steps are not known.
pub(super) const QUICK_COST: u64 = 16;

/// What our functions may make in the attempt without a meter.
pub(super) const QUICK_BYTES: u64 = 8 * 1024 * 1024;

/// The attempt without a meter. The product of steps and sizes bounds its memory; one step of a match takes far longer
/// than any other.
pub(super) fn quick(pace: Pace) -> Bounds {
    let steps = match pace {
        Pace::Plain => 1024,
        Pace::Matching => 128,
    };
    Bounds { steps, string_bytes: 64 * 1024, array_items: 8 * 1024, wall: None }
}

/// The attempt with a meter, for what fuel is left.
pub(super) fn full(fuel_left: u64, pace: Pace) -> Bounds {
    Bounds {
        steps: pace.steps(fuel_left),
        string_bytes: JSONATA_STRING_BYTES_MAX,
        array_items: JSONATA_ARRAY_ITEMS_MAX,
        wall: Some(Duration::from_millis(match pace {
            Pace::Plain => JSONATA_WALL_MS_MAX,
            Pace::Matching => cpu_ms_max(fuel_left).min(JSONATA_MATCHING_WALL_MS_MAX),
        })),
    }
}

impl Bounds {
    /// The engine's options for this attempt.
    pub(super) fn options(&self, now_ms: i64, seed: u64) -> Options {
        let options = Options::new()
            .max_steps(self.steps)
            .max_depth(JSONATA_DEPTH_MAX)
            .max_string_length(self.string_bytes)
            .max_array_length(self.array_items)
            .max_result_size(JSONATA_RESULT_BYTES_MAX)
            .now(now_ms)
            .seed(seed);
        match self.wall {
            Some(wall) => options.timeout(wall),
            None => options,
        }
    }
}

/// Unwinds out of the engine, past its catch: what comes next would take too much memory, and the engine looks at its
/// token too late.
pub(super) struct Stop;

/// Counts what an evaluation allocates, and cancels it beyond [`JSONATA_ALLOCATED_BYTES_MAX`]; looks at the processor time
/// now and then.
pub(super) struct Meter {
    allocated_bytes: u64,
    steps: u64,
    cancel: CancelToken,
    /// The ranges (`from..to`) that are being evaluated, innermost last.
    ranges: Vec<Range>,
    /// Values seen since the processor time was looked at.
    values: u64,
    cpu_at_start: Duration,
    cpu_max: Duration,
    overdue: bool,
}

struct Range {
    from: NodeId,
    to: NodeId,
    first: f64,
}

/// Units of fuel for which an evaluation may take another millisecond of processor time, where fuel misjudges it.
const UNITS_PER_CPU_MS: u64 = 800;
/// Processor time that even an evaluation with little fuel may take, in milliseconds.
const CPU_MS_MIN: u64 = 4;
/// Beyond it the engine itself refuses a range. Source: jsonata-js, D2014.
const RANGE_ITEMS_MAX: f64 = 1e7;
/// So many values are evaluated between two looks at the processor time.
const VALUES_PER_LOOK: u64 = 64;

/// Milliseconds for an evaluation with that much fuel, where fuel misjudges it.
fn cpu_ms_max(fuel: u64) -> u64 {
    CPU_MS_MIN + fuel / UNITS_PER_CPU_MS
}

/// The processor time of this thread.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or_default(), time.tv_nsec.try_into().unwrap_or_default())
}

impl Meter {
    /// `fuel`: how many units there are; the processor time goes with them.
    pub(super) fn new(fuel: u64) -> Meter {
        Meter {
            allocated_bytes: 0,
            steps: 0,
            cancel: CancelToken::new(),
            ranges: Vec::new(),
            values: 0,
            cpu_at_start: cpu(),
            cpu_max: Duration::from_millis(cpu_ms_max(fuel).min(JSONATA_CPU_MS_MAX)),
            overdue: false,
        }
    }

    /// The evaluation was ended since it took too much processor time.
    pub(super) fn is_overdue(&self) -> bool {
        self.overdue
    }

    fn look_at_the_time(&mut self) {
        self.values += 1;
        if self.values.is_multiple_of(VALUES_PER_LOOK) && cpu().saturating_sub(self.cpu_at_start) > self.cpu_max {
            self.overdue = true;
            self.cancel.cancel();
        }
    }

    /// The engine makes the array of a range before it looks at its size, so this looks earlier.
    fn operand(&mut self, node: &Node, value: ValueRef<'_>) {
        let Some(range) = self.ranges.last_mut().filter(|range| node.id == range.from || node.id == range.to) else {
            return;
        };
        if value.type_name() != "number" {
            return;
        }
        let number = value.to_json().as_ref().and_then(Json::as_f64).unwrap_or(f64::NAN);
        let items = number - range.first + 1.0;
        if node.id == range.from {
            range.first = number;
        } else if items > JSONATA_ARRAY_ITEMS_MAX as f64 && items <= RANGE_ITEMS_MAX {
            std::panic::resume_unwind(Box::new(Stop));
        }
    }

    /// The token by which the meter ends its evaluation.
    pub(super) fn token(&self) -> CancelToken {
        self.cancel.clone()
    }

    /// Units of fuel for what was counted.
    pub(super) fn cost(&self, pace: Pace) -> u64 {
        pace.units(self.steps).saturating_add(self.allocated_bytes / BYTES_PER_UNIT)
    }

    fn allocated(&mut self, bytes: u64) {
        self.allocated_bytes = self.allocated_bytes.saturating_add(bytes);
        if self.allocated_bytes > JSONATA_ALLOCATED_BYTES_MAX {
            self.cancel.cancel();
        }
    }
}

/// About the bytes of a frame of variables, which each call of a function makes.
const CALL_BYTES: u64 = 128;
/// About the bytes that stay of a call that is given a function, until the evaluation ends.
const FUNCTION_BYTES: u64 = 96;
/// About the bytes of a value in an array, and of a member of an object.
const ITEM_BYTES: u64 = 24;
const MEMBER_BYTES: u64 = 80;
/// A path may hand on a list that was there before, so its own counts for less.
const PATH_ITEM_BYTES: u64 = 6;
/// What is found below a value may have to be read first.
const DESCENDANT_BYTES: u64 = 160;

impl Tracer for Meter {
    fn enter(&mut self, node: &Node, _: ValueRef<'_>) {
        if let NodeKind::Binary { op: BinaryOp::Range, lhs, rhs } = &node.kind {
            self.ranges.push(Range { from: lhs.id, to: rhs.id, first: f64::NAN });
        }
    }

    fn exit(&mut self, node: &Node, outcome: Outcome<'_>) {
        self.look_at_the_time();
        if matches!(node.kind, NodeKind::Binary { op: BinaryOp::Range, .. }) {
            self.ranges.pop();
        }
        let Outcome::Value(value) = outcome else {
            return;
        };
        if !self.ranges.is_empty() {
            self.operand(node, value);
        }
        match &node.kind {
            NodeKind::Variable { .. } if value.type_name() == "function" => self.allocated(FUNCTION_BYTES),
            NodeKind::Function { procedure, .. } => self.allocated(CALL_BYTES + bytes(value, item_bytes(procedure))),
            NodeKind::Apply { .. } => self.allocated(CALL_BYTES + bytes(value, ITEM_BYTES)),
            NodeKind::Binary { op: BinaryOp::Concat | BinaryOp::Range, .. }
            | NodeKind::Array { .. }
            | NodeKind::Object { .. } => self.allocated(bytes(value, ITEM_BYTES)),
            NodeKind::Path { .. } => match value.type_name() {
                "array" => self.allocated(bytes(value, PATH_ITEM_BYTES)),
                // A text of the input is made anew each time.
                "string" => self.allocated(bytes(value, 0)),
                _ => {}
            },
            NodeKind::Wildcard | NodeKind::Descendant => self.allocated(bytes(value, DESCENDANT_BYTES)),
            _ if node.attrs.predicate.is_empty() && node.attrs.group.is_none() => {}
            _ => self.allocated(bytes(value, ITEM_BYTES)),
        }
    }

    fn steps(&mut self, steps: u64) {
        self.steps = steps;
    }
}

/// About the bytes of each item that a function gives: some make what they put into their array.
fn item_bytes(procedure: &Node) -> u64 {
    let NodeKind::Variable { name } = &procedure.kind else {
        return ITEM_BYTES;
    };
    match name.strip_prefix(OURS).unwrap_or(name) {
        "match" => 640,
        "spread" => 480,
        "split" => 64,
        _ => ITEM_BYTES,
    }
}

/// About the bytes of `value` itself, an array's items at `item_bytes` each, without what they hold.
fn bytes(value: ValueRef<'_>, item_bytes: u64) -> u64 {
    /// Nothing of what is inside: only the count.
    const OUTSIDE: CaptureLimits =
        CaptureLimits { max_items: 0, max_string: 0, max_depth: 1, max_rejected: 0, max_nodes: 0, max_source: 0 };
    match value.type_name() {
        "string" => value.to_json().as_ref().and_then(Json::as_str).map_or(0, |text| text.len() as u64),
        "array" => match value.capture(&OUTSIDE) {
            Some(Json::Array(items)) => item_bytes * (1 + count(items.first())),
            _ => 0,
        },
        "object" => match value.capture(&OUTSIDE) {
            Some(Json::Object(members)) => MEMBER_BYTES * (1 + count(members.values().next())),
            _ => 0,
        },
        _ => 0,
    }
}

/// The number in `… 5 more`, which is what stands for all that was left out.
fn count(more: Option<&Json>) -> u64 {
    let text = more.and_then(Json::as_str).unwrap_or_default();
    text.split(' ').find_map(|word| word.parse().ok()).unwrap_or_default()
}
