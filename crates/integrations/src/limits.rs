//! Every bound of this crate.

/// Most bytes of an answer that are read. Lambda answers up to 6 MiB; what is too large for a state is refused later,
/// with AWS's own error.
pub const RESPONSE_BYTES_MAX: usize = 6 * 1024 * 1024 + 64 * 1024;
/// Idle connections kept to one host. Ours: as many as tasks that commonly run at once.
pub const IDLE_CONNECTIONS_MAX: usize = 256;
/// How long a connection may take to be made. Ours.
pub const CONNECT_SECONDS_MAX: u64 = 10;
/// How long an idle connection is kept. Ours: less than services keep theirs.
pub const IDLE_SECONDS_MAX: u64 = 20;
/// How long a call of Lambda may take. Source: Lambda quotas, a function's longest run.
pub const LONG_CALL_SECONDS_MAX: u64 = 15 * 60 + 30;
/// How long an HTTP Task may wait for its answer. Source: Step Functions guide.
pub const HTTP_TASK_SECONDS_MAX: u64 = 60;
/// Longest URL of an HTTP Task, without what is added to it. Ours.
pub const HTTP_TASK_URL_BYTES_MAX: usize = 16 * 1024;
/// How long a token is used whose end is not told. Ours.
pub const TOKEN_SECONDS_DEFAULT: u64 = 300;
/// How long a token is used at most. Ours.
pub const TOKEN_SECONDS_MAX: u64 = 24 * 60 * 60;
/// So long before its end a token is used no more. Ours.
pub const TOKEN_SECONDS_SPARE: u64 = 30;
