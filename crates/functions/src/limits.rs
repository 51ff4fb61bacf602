//! Every bound of this crate.

use std::time::Duration;

/// Largest payload of an invocation, in bytes. Source: Lambda quotas (6 MB, synchronous).
pub const PAYLOAD_BYTES_MAX: usize = 6 * 1024 * 1024;
/// Largest answer of a function, in bytes. Source: Lambda's message of a larger one.
pub const RESPONSE_BYTES_MAX: usize = 6_291_556;
/// How long a process may take until it asks for its first invocation. Source: Lambda guide, init phase.
pub const INIT_TIME_MAX: Duration = Duration::from_secs(10);
/// Longest time limit of a function, in seconds. Source: Lambda quotas.
pub const TIMEOUT_SECONDS_MAX: u64 = 900;
/// Time limit of a function that names none, in seconds. Ours; Lambda's is 3.
pub const TIMEOUT_SECONDS_DEFAULT: u64 = 30;
/// Smallest memory limit, in MiB. Ours: what an interpreter needs to begin.
pub const MEMORY_MB_MIN: u64 = 64;
/// Largest memory limit, in MiB. Source: Lambda quotas.
pub const MEMORY_MB_MAX: u64 = 10_240;
/// Most processes of one function. Source: Lambda quotas, concurrency of an account.
pub const CONCURRENCY_MAX: usize = 1_000;
/// Processes of a function that names no number. Ours.
pub const CONCURRENCY_DEFAULT: usize = 10;
/// Invocations of one function that wait for a process; further ones get `TooManyRequestsException`. Ours.
pub const WAITING_MAX: usize = 10_000;
/// Asynchronous invocations of one function that are under way. Ours.
pub const ASYNC_MAX: usize = 1_000;
/// A process that had nothing to do for so long is ended. Ours.
pub const IDLE_TIME_MAX: Duration = Duration::from_secs(300);
/// How often idle processes are looked at. Ours.
pub const IDLE_LOOK: Duration = Duration::from_secs(15);
/// Longest line of a log, in bytes; a longer one is cut into several. Ours.
pub const LOG_LINE_BYTES_MAX: usize = 8 * 1024;
/// Lines that are kept of one function's log. Ours.
pub const LOG_LINES_MAX: usize = 2_000;
/// Bytes of the log that an answer carries. Source: Lambda's Invoke, `LogType`.
pub const LOG_TAIL_BYTES_MAX: usize = 4 * 1024;
/// Functions of one server. Ours.
pub const FUNCTIONS_MAX: usize = 1_000;
/// Longest name of a function, in characters. Source: Lambda's API model.
pub const NAME_CHARS_MAX: usize = 64;
/// Longest client context, in bytes. Source: Lambda's API model.
pub const CLIENT_CONTEXT_BYTES_MAX: usize = 3_583;
/// Messages of one process that wait for its owner. Ours: it sends a few for each invocation.
pub const SIGNALS_MAX: usize = 16;
/// Connections of one process to its Runtime API. Ours: runtimes use one or two.
pub const RUNTIME_CONNECTIONS_MAX: usize = 16;
/// Idle connections kept to functions behind a URL. Ours.
pub const IDLE_CONNECTIONS_MAX: usize = 64;
