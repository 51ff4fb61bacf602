//! Every bound of this crate.

/// Deepest nesting of a JSON value, wherever one is built. Ours: dropping or printing a value must not
/// overflow a 2 MiB stack.
pub const DEPTH_MAX: usize = 256;
