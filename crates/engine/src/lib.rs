//! The durable driver: executions are stepped, their steps committed in groups, and only then seen.
//!
//! [`Engine`] is the door: everything that the API, the CLI and later crates want goes through it. Behind it: drivers
//! (one per core, each owning shards of executions), one committer, timers, task runs, activity queues. Tasks are run
//! by a [`TaskRunner`] that the binary supplies.

pub mod config;
pub mod handle;
pub mod limits;
pub mod record;
pub mod task_runner;

pub use config::{Clock, Config, SystemClock};
pub use handle::*;
pub use task_runner::TaskRunner;
