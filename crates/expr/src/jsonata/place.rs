//! Where in an expression an error is, for those who show it to its author.
//!
//! Failures of an evaluation carry no place, as AWS's do not; here the expression is evaluated once more.

use std::ops::Range;

use super::Expression;
use super::budget::{Budget, Stop};
use super::item::Item;
use crate::Environment;

/// The bytes of the expression's text that failed when it was evaluated. `environment` is as it was then, with fuel.
///
/// `None` where the error has no place, or where the expression does not fail.
pub fn of_failure(expression: &Expression, environment: &dyn Environment) -> Option<Range<usize>> {
    let budget = Budget::new(environment.fuel().left());
    match expression.compiled.evaluate(environment, Item::Undefined, budget).0 {
        Err(Stop::Fault(fault)) => fault.at.clone(),
        _ => None,
    }
}
