//! Every bound of this crate.

/// Largest item, in bytes as it stands in its object. Ours: far above the largest payload of a state.
pub const ITEM_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Largest first row of a CSV file that names the columns, in bytes. Source: Step Functions guide, "ItemReader".
pub const CSV_HEADER_BYTES_MAX: usize = 10 * 1024;
/// How far into its document the target of an `ItemsPointer` may begin, in bytes. Source: Step Functions guide.
pub const POINTER_TARGET_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Longest `ItemsPointer`, in characters. Source: Step Functions guide.
pub const POINTER_CHARS_MAX: usize = 2_000;
