//! Every bound of this crate.

/// Most bytes of an answer that are read. Lambda answers up to 6 MiB; what is too large for a state is refused later,
/// with AWS's own error.
pub const RESPONSE_BYTES_MAX: usize = 6 * 1024 * 1024 + 64 * 1024;
/// Idle connections kept to one host. Ours: as many as tasks that commonly run at once.
pub const IDLE_CONNECTIONS_MAX: usize = 256;
