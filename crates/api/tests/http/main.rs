//! The API through a real listener, with requests written by hand.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod bad_input;
mod calls;
mod console;
mod console_pages;
mod scopes;
mod server;
