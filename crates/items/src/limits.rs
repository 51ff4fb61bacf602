//! Every bound of this crate.

/// Largest item, in bytes as it stands in its object. Ours: far above the largest payload of a state.
pub const ITEM_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Largest first row of a CSV file that names the columns, in bytes. Source: Step Functions guide, "ItemReader".
pub const CSV_HEADER_BYTES_MAX: usize = 10 * 1024;
/// How far into its document the target of an `ItemsPointer` may begin, in bytes. Source: Step Functions guide.
pub const POINTER_TARGET_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Longest `ItemsPointer`, in characters. Source: Step Functions guide.
pub const POINTER_CHARS_MAX: usize = 2_000;
/// Bytes compressed by gzip that are undone at a time: they say up to about a thousand times as many. Ours.
pub const GZIP_STEP_BYTES: usize = 4 * 1024;
/// Most bytes that one step of zstd gives. Ours.
pub const ZSTD_STEP_BYTES: usize = 1024 * 1024;
/// Largest footer of a Parquet file. Source: Step Functions guide, "ItemReader".
pub const PARQUET_FOOTER_BYTES_MAX: usize = 5 * 1024 * 1024;
/// Bytes of a Parquet file that are read at once. Ours.
pub const PARQUET_BLOCK_BYTES: usize = 1024 * 1024;
/// Blocks of a Parquet file that are kept: about one for each column that is read. Ours.
pub const PARQUET_BLOCKS_MAX: usize = 32;
/// Largest page of a Parquet file, compressed. Ours: writers make them of about 1 MiB.
pub const PARQUET_PAGE_BYTES_MAX: usize = 256 * 1024 * 1024;
