//! Every bound of this crate.

/// Deepest nesting of a JSON value, wherever one is built. Ours: dropping or printing a value must not
/// overflow a 2 MiB stack.
pub const DEPTH_MAX: usize = 256;

/// Longest JSONata expression, in bytes. Ours: a whole definition is at most 1 MiB.
pub const JSONATA_TEXT_BYTES_MAX: usize = 256 * 1024;
/// Deepest nesting of a JSONata expression's own parts. Ours: far beyond what is written by hand.
pub const JSONATA_NESTING_MAX: usize = 1_000;
/// Deepest nesting of a JSONata evaluation: about 5 levels for each call of a function. AWS does not publish its own.
pub const JSONATA_DEPTH_MAX: usize = 10_000;
/// Longest string that a JSONata evaluation may build, in bytes. Ours: four times the largest payload.
pub const JSONATA_STRING_BYTES_MAX: usize = 1024 * 1024;
/// Most numbers that `[a..b]` may stand for. Source: JSONata's D2014.
pub const JSONATA_RANGE_ITEMS_MAX: f64 = 1e7;
/// Largest result of a JSONata evaluation, in bytes of its text. Ours: four times the largest payload.
pub const JSONATA_RESULT_BYTES_MAX: usize = 1024 * 1024;
/// Most memory that a JSONata evaluation may ask for in all, in bytes, given back or not. AWS does not publish its own.
pub const JSONATA_ALLOCATED_BYTES_MAX: u64 = 192 * 1024 * 1024;
/// Longest text of an error that an expression throws, in bytes. Source: a `cause` holds at most 32,768 characters.
pub const JSONATA_ERROR_BYTES_MAX: usize = 16 * 1024;

/// Longest JSONPath, in bytes. Ours: far beyond any path that is written by hand.
pub const PATH_BYTES_MAX: usize = 8 * 1024;
/// Most steps of one JSONPath. Ours: reading recurses once for each step after the first indefinite one.
pub const PATH_STEPS_MAX: usize = 128;
/// Deepest nesting of filters and of function arguments in a JSONPath. Ours: each level may walk the whole document.
pub const FILTER_DEPTH_MAX: usize = 4;
/// Deepest nesting of parentheses and `!` in one filter. Ours.
pub const FILTER_GROUPS_MAX: usize = 32;
/// Most matches of one path. Ours: more cannot be a payload of 256 KiB.
pub const PATH_RESULTS_MAX: usize = 262_144;
/// Largest compiled form of one regular expression, in bytes. Ours.
pub const REGEX_BYTES_MAX: usize = 1 << 20;

/// Longest intrinsic call, in bytes. Ours.
pub const CALL_BYTES_MAX: usize = 64 * 1024;
/// Deepest nesting of intrinsic calls. Source: Step Functions Developer Guide, "Intrinsic functions".
pub const CALL_DEPTH_MAX: usize = 10;
/// Most arguments of one intrinsic call. Ours.
pub const CALL_ARGUMENTS_MAX: usize = 1_000;
/// Most items that `States.ArrayRange` makes. Source: Step Functions Developer Guide.
pub const RANGE_ITEMS_MAX: usize = 1_000;
/// Longest text for `States.Hash`, `States.Base64Encode` and `States.Base64Decode`, in characters (UTF-16 units).
/// Source: Step Functions Developer Guide.
pub const INTRINSIC_TEXT_CHARS_MAX: usize = 10_000;
/// Largest result of a path or an intrinsic call, in bytes of its text as [`crate::Value::is_larger_than`] counts them.
/// Ours: far more than a payload may hold, far less than values that share their parts could grow to.
pub const RESULT_BYTES_MAX: usize = 4 << 20;

/// Fuel of a test case that sets no time limit: a second, as AWS gives an expression.
pub const SUITE_FUEL: u64 = 1_000_000;
/// Fuel of a test case that sets one, for each millisecond.
pub const SUITE_UNITS_PER_MS: u64 = 1_000;
/// Longest time limit that a test case may set, in milliseconds.
pub const SUITE_MS_MAX: u64 = 10_000;
