//! Every bound of this crate.

/// Deepest nesting of a JSON value, wherever one is built. Ours: dropping or printing a value must not
/// overflow a 2 MiB stack.
pub const DEPTH_MAX: usize = 256;

/// Longest JSONata expression, in bytes. Ours: a whole definition is at most 1 MiB.
pub const JSONATA_TEXT_BYTES_MAX: usize = 256 * 1024;
/// Deepest nesting of a JSONata evaluation: about 5 levels for each call of a function. AWS does not publish its own.
pub const JSONATA_DEPTH_MAX: usize = 10_000;
/// Longest string that a JSONata evaluation may build, in bytes. Ours: four times the largest payload.
pub const JSONATA_STRING_BYTES_MAX: usize = 1024 * 1024;
/// Most items of an array that a JSONata evaluation may build. Ours: twice what the largest payload can hold.
pub const JSONATA_ARRAY_ITEMS_MAX: usize = 256 * 1024;
/// Largest result of a JSONata evaluation, in bytes of its text. Ours: four times the largest payload.
pub const JSONATA_RESULT_BYTES_MAX: usize = 1024 * 1024;
/// Most memory that a JSONata evaluation may ask for in all, in bytes, given back or not. AWS does not publish its own.
pub const JSONATA_ALLOCATED_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Longest JSONata evaluation by the clock, in milliseconds: a safety net behind the fuel, for what fuel misjudges.
pub const JSONATA_WALL_MS_MAX: u64 = 4_000;
/// Longest text of an error that an expression throws, in bytes. Source: a `cause` holds at most 32,768 characters.
pub const JSONATA_ERROR_BYTES_MAX: usize = 16 * 1024;
