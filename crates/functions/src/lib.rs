//! Functions on this machine: the host side of the Lambda Runtime API.
//!
//! A [`Function`] is a command, a Python or Node file, or a URL. [`Functions::call`] takes an invocation to one of them
//! and answers as Lambda's Invoke does. Processes are started on demand, each one has an invocation at a time and a
//! Runtime API of its own on loopback, and each lives on a lifeline: a pipe that this process holds. When the pipe
//! closes (the time limit, an invocation that nobody waits for, the end of this process, also by `kill -9`) the
//! [`keeper`] at its other end kills the function and whatever it started.

mod desk;
mod fault;
mod front;
mod function;
pub mod keeper;
pub mod limits;
mod log;
mod name;
mod pool;
mod remote;
mod worker;

pub use front::{Part, Request};
pub use function::{Function, FunctionError, Host, Runtime};
pub use name::Name;
pub use pool::{Functions, Invocation, InvocationType};
