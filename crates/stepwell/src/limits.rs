//! Every bound of this crate.

use std::time::Duration;

/// How long the body of a request to a function may take to come, in seconds. Ours: as the API's own.
pub(crate) const BODY_SECONDS_MAX: u64 = 60;
/// Largest definition file, in bytes. Ours: a definition is at most 1 MiB, YAML with comments and indents is longer.
pub(crate) const FILE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Most bytes of JSON that the aliases of a YAML file may expand to. Ours: twice the largest definition.
pub(crate) const EXPANDED_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Longest formatted text, in bytes. Ours: indents of deeply nested values are longer than the values.
pub(crate) const FORMATTED_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Most comments in a row in a YAML file. Ours.
pub(crate) const COMMENTS_IN_A_ROW_MAX: usize = 10_000;
/// Longest key that YAML lets stand without `?`, in characters. Source: YAML 1.2, section 7.4.2 (1,024, with its quotes).
pub(crate) const SIMPLE_KEY_CHARS_MAX: usize = 1_000;
/// Longest line that a list of scalars is written in, in characters; longer ones get a line for each item. Ours.
pub(crate) const LINE_CHARS_MAX: usize = 120;
/// Nodes that are looked at to find where one JSON pointer leads. Ours: AWS's pointers are ambiguous, keys may hold `/`.
pub(crate) const LOOKUP_NODES_MAX: usize = 100_000;
/// Bytes after which a file of execution logs is put aside. Ours.
pub(crate) const LOG_FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Smallest limit that may be set for payloads and variables, in bytes. Ours: less fits no input.
pub(crate) const LIMIT_SMALLEST: u64 = 1_024;
/// Largest payload that may be allowed, in bytes. Ours: the payloads of one step must fit into one batch of the store.
pub(crate) const PAYLOAD_BYTES_LARGEST: u64 = 16 * 1024 * 1024;
/// Most bytes that the variables of one execution may be allowed. Ours: they are in memory while it runs.
pub(crate) const VARIABLES_BYTES_LARGEST: u64 = 1024 * 1024 * 1024;
/// Longest wait for the answer of an HTTP Task that may be allowed, in seconds. Ours.
pub(crate) const HTTP_TASK_SECONDS_LARGEST: u64 = 86_400;
/// Files that are kept of one log group. Ours.
pub(crate) const LOG_FILES_MAX: usize = 8;
/// Events in one call of PutLogEvents. Source: CloudWatch Logs quotas.
pub(crate) const LOG_PUT_EVENTS_MAX: usize = 10_000;
/// Bytes in one call of PutLogEvents. Source: CloudWatch Logs quotas.
pub(crate) const LOG_PUT_BYTES_MAX: usize = 1_048_576;
/// Bytes that each event counts beside its text. Source: CloudWatch Logs quotas.
pub(crate) const LOG_EVENT_OVERHEAD_BYTES: usize = 26;
/// Entries in one call of PutEvents. Source: EventBridge API.
pub(crate) const PUT_EVENTS_MAX: usize = 10;
/// Bytes of the entries in one call of PutEvents. Source: EventBridge API (256 KiB, here with their names).
pub(crate) const PUT_EVENTS_BYTES_MAX: usize = 256 * 1024;
/// Longest line of an export that is read, in bytes: a row of the largest batch, in base64.
pub(crate) const IMPORT_LINE_BYTES_MAX: usize = 96 * 1024 * 1024;
/// Bytes of rows that an import gathers for one commit.
pub(crate) const IMPORT_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Exports that a running server makes at a time.
pub(crate) const CONTROL_CONNECTIONS_MAX: usize = 4;
/// How long the server waits for a request at its socket.
pub(crate) const CONTROL_READ_MAX: Duration = Duration::from_secs(5);
/// How long either end waits for the other in the middle of an export.
pub(crate) const CONTROL_WRITE_MAX: Duration = Duration::from_secs(60);
/// Rows after which a command tells how far it is.
pub(crate) const PROGRESS_ROWS: u64 = 100_000;
