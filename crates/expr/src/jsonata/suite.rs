//! Plain JSONata, for test cases in the form of the official suite: `stepwell eval --cases`.
//!
//! The input is a document, so `$`, `$$` and names stand anywhere, and the two operators that came after 2.0.6 are
//! there. All else is what workflows get: the same engine, functions and bounds; `$eval` does not exist. A case that
//! sets a time limit or a depth is evaluated under these.

mod case;

pub use case::Case;

use crate::limits::SUITE_FUEL;
use crate::{Environment, Fuel, Value};

use super::budget::Budget;
use super::item::Item;
use super::{Compiled, Dialect, EvaluationError, ExpressionSyntaxError, Given};

/// `None` for undefined and for a function.
type Outcome = Result<Option<Value>, EvaluationError>;

/// What an expression is evaluated with.
struct Surroundings<'c> {
    /// Undefined where there is none.
    document: Item,
    /// Names without `$`.
    variables: Vec<(&'c str, &'c Value)>,
    now_ms: i64,
    limits: Option<Limits>,
    fuel: Fuel,
}

/// What a case may use in place of our bounds.
#[derive(Clone, Copy)]
struct Limits {
    fuel: u64,
    /// Levels of the engine.
    depth_max: usize,
}

fn evaluate(text: &str, surroundings: &Surroundings<'_>) -> Result<Outcome, ExpressionSyntaxError> {
    let compiled = Compiled::new(text, Dialect::Plain)?;
    let budget = match surroundings.limits {
        Some(limits) => Budget::new(limits.fuel).with_depth_max(limits.depth_max),
        None => Budget::new(SUITE_FUEL),
    };
    let (outcome, _) = compiled.evaluate(surroundings, surroundings.document.clone(), budget);
    Ok(match outcome {
        Ok(Given::Value(value)) => Ok(Some(value)),
        Ok(Given::Undefined | Given::Function) => Ok(None),
        Err(stop) => Err(stop.into()),
    })
}

impl Environment for Surroundings<'_> {
    fn input(&self) -> &Value {
        &Value::Null
    }

    fn context(&self) -> &Value {
        &Value::Null
    }

    fn result(&self) -> Option<&Value> {
        None
    }

    fn error_output(&self) -> Option<&Value> {
        None
    }

    fn variable(&self, name: &str) -> Option<Value> {
        self.variables.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).clone())
    }

    fn random_u64(&self) -> u64 {
        1
    }

    fn now_ms(&self) -> i64 {
        self.now_ms
    }

    fn fuel(&self) -> &Fuel {
        &self.fuel
    }
}
