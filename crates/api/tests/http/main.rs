//! The API through a real listener, with requests written by hand.

mod bad_input;
mod calls;
mod server;
