//! The engine through its door, on a memory store and in virtual time.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../world/mod.rs"]
mod world;

mod activities;
mod cost;
mod executions;
mod express;
mod jobs;
mod limits;
mod logs;
mod map_runs;
mod memory;
mod overload;
mod owners;
mod poison;
mod redrive;
mod registry;
mod restart;
mod retention;
mod status_changes;
mod throttle;
mod time;
mod versions;
