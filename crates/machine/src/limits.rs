//! Every bound of this crate, and those of AWS's that an operator may set otherwise.

/// What AWS bounds and the operator of a server may raise, lower or lift.
///
/// A step is given them with its moment: they belong to the server that runs an execution, not to the execution, so that
/// what runs already goes by what is set now. Source of the defaults: Step Functions quotas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest input, output or result, in bytes of UTF-8.
    pub payload_bytes: usize,
    /// Largest sum of the variables that one execution holds.
    pub variables_bytes: usize,
    /// Last id that an event of a history may have; it is the `ExecutionFailed`. Express has no such bound.
    pub history_events: u64,
    /// How long an execution may run, in seconds.
    pub execution_seconds: u64,
    /// The same of an Express execution.
    pub express_seconds: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            payload_bytes: PAYLOAD_BYTES_MAX,
            variables_bytes: VARIABLES_BYTES_MAX,
            history_events: HISTORY_EVENTS_MAX,
            execution_seconds: EXECUTION_SECONDS_MAX,
            express_seconds: EXPRESS_SECONDS_MAX,
        }
    }
}

/// Largest definition, in bytes of UTF-8. Source: Step Functions API model.
pub const DEFINITION_BYTES_MAX: usize = 1_048_576;
/// Longest state name, in characters. Source: Amazon States Language.
pub const STATE_NAME_CHARS_MAX: usize = 80;
/// Largest mock configuration file, in bytes. Ours.
pub const MOCK_CONFIG_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Deepest nesting of sub-machines (branches, item processors). Ours.
pub const SCOPE_DEPTH_MAX: usize = 32;
/// Largest input, output or result, in bytes of UTF-8, unless set otherwise. Source: Step Functions quotas.
pub const PAYLOAD_BYTES_MAX: usize = 262_144;
/// Largest sum of the variables that one execution holds, unless set otherwise. Source: Step Functions quotas.
pub const VARIABLES_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Last id that an event of a history may have, unless set otherwise; it is the `ExecutionFailed`. Source: Step Functions quotas.
pub const HISTORY_EVENTS_MAX: u64 = 25_000;
/// Most frames of one execution that are ready at once, however long its history may get. Ours.
pub const FRAMES_READY_MAX: u64 = 100_000;
/// Most state transitions that one step makes before it yields. Ours: keeps one commit short.
pub const TRANSITIONS_PER_STEP_MAX: u32 = 1_000;
/// Most bytes of new payload that one step makes before it yields. Ours: keeps one commit small.
pub const STEP_BYTES_MAX: usize = 1024 * 1024;
/// Most iterations of an inline Map that run at once. Source: Step Functions guide.
pub const MAP_CONCURRENCY_MAX: u32 = 40;
/// Results of a Map or Parallel in one stored chunk. Ours.
pub const RESULTS_PER_CHUNK: u32 = 256;
/// Largest value that a template may compose before its size is looked at more closely, in bytes. Ours: values share
/// their parts, so that a short template can name far more text than there is memory.
pub const COMPOSED_BYTES_MAX: usize = 1024 * 1024;
/// Comparisons of characters that cost one unit of fuel, where patterns are matched. Ours: about a microsecond.
pub const COMPARISONS_PER_FUEL: u64 = 512;
/// Members and items of a template that cost one unit of fuel. Ours: about a microsecond.
pub const MEMBERS_PER_FUEL: usize = 16;
/// Longest time-out, heartbeat and wait, in seconds. Source: Amazon States Language.
pub const SECONDS_MAX: u64 = 99_999_999;
/// Longest `Error`, in characters. Source: Step Functions API model.
pub const ERROR_CHARS_MAX: usize = 256;
/// Longest `Cause`, in characters. Source: Step Functions API model.
pub const CAUSE_CHARS_MAX: usize = 32_768;
/// Longest `location` of an EvaluationFailed event, in characters. Source: Step Functions API model.
pub const LOCATION_CHARS_MAX: usize = 256;
/// Fuel of one slice on a driver: about 5 ms. Half of it spent, a step begins no further transition.
pub const FUEL_SLICE: u64 = 5_000;
/// Fuel of the evaluations that belong together (all of a state's `Assign` and `Output`, one item's selector, ...):
/// about 1 s, AWS's own limit for one of them. Source: Step Functions guide.
pub const FUEL_EVALUATION: u64 = 1_000_000;
/// An execution runs at most one year, unless set otherwise. Source: Step Functions quotas.
pub const EXECUTION_SECONDS_MAX: u64 = 31_536_000;
/// An Express execution runs at most five minutes, unless set otherwise. Source: Step Functions quotas.
pub const EXPRESS_SECONDS_MAX: u64 = 300;
/// Longest text of a place inside a definition, in bytes, rounded up to one more step. Ours: a definition may hold
/// keys of any length, and many places below each.
pub const PLACE_BYTES_MAX: usize = 1_024;
/// Most problems that are reported of one definition. Ours.
pub const DIAGNOSTICS_MAX: usize = 1_000;
/// Longest name of a variable, in characters. Source: Amazon States Language.
pub const VARIABLE_NAME_CHARS_MAX: usize = 80;
/// Longest `Label` of a Map, in characters. Source: Step Functions guide.
pub const LABEL_CHARS_MAX: usize = 40;
/// A retrier's `MaxDelaySeconds` is less than this. Source: Amazon States Language.
pub const RETRY_DELAY_SECONDS_END: u64 = 31_622_400;
/// Most items that one Map Run reads. Source: Step Functions quotas; what is above is cut.
pub const MAP_RUN_ITEMS_MAX: i64 = 100_000_000;
/// Largest batch of a distributed Map, in bytes of UTF-8. Source: Step Functions guide.
pub const BATCH_BYTES_MAX: u64 = 262_144;
