//! The engine through its door, on a memory store and in virtual time.

#[path = "../world/mod.rs"]
mod world;

mod activities;
mod executions;
mod memory;
mod poison;
mod registry;
mod restart;
mod time;
