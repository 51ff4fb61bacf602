//! JSON values and the two query languages of the Amazon States Language.
//!
//! Text is compiled once ([`jsonpath::Path`], [`intrinsic::Call`], [`jsonata::Expression`]) and evaluated
//! against an [`Environment`], which supplies input, Context object, variables, time, chance and fuel.
//! Pure: no clock, no randomness, no I/O, no threads. Everything that loops burns [`Fuel`].

pub mod alone;
pub mod environment;
pub mod intrinsic;
pub mod java_order;
pub mod json;
pub mod jsonata;
pub mod jsonpath;
pub mod limits;
pub mod payload;
pub mod value;

#[cfg(test)]
mod properties;

pub use environment::{Environment, Fuel, OutOfFuel};
pub use payload::Payload;
pub use value::{Number, Object, Value};
