//! The durable driver: executions are stepped, their steps committed in groups, and only then seen.
//!
//! [`Engine`] is the door: everything that the API, the CLI and later crates want goes through it. Behind it: drivers
//! (one for two cores, each owning shards of executions), one committer, timers, task runs, activity queues. Tasks are run
//! by a [`TaskRunner`] that the binary supplies.

mod activities;
mod bounds;
mod bucket;
pub mod by_hand;
mod committer;
pub mod config;
mod driver;
pub mod express;
pub mod handle;
mod inbox;
pub mod limits;
pub mod logs;
mod lru;
pub mod map_items;
mod map_runs;
mod open;
mod owner;
pub mod record;
mod registry;
mod reply;
mod retention;
mod shared;
mod slow;
mod small_reads;
pub mod status_changes;
mod stops;
pub mod task_runner;
mod tasks;
mod throttle;
mod timeline;

pub use bounds::Bounds;
pub use bucket::{Bucket, Rate};
pub use config::{Clock, Config, Quotas, SkippingClock, SystemClock};
pub use express::ExpressExecution;
pub use handle::*;
pub use logs::{LogEntry, LogError, LogSink};
pub use map_items::MapItems;
pub use open::OpenError;
pub use owner::{Owner, is_account, is_region};
pub use registry::examine as examine_registry;
pub use retention::Swept;
pub use slow::Granted;
pub use status_changes::{StatusChange, StatusSink};
pub use task_runner::{Shown, TaskRunner};
