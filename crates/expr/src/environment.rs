//! What an expression may see.

use std::cell::Cell;

use crate::Value;

/// What an evaluation is given: data, Context object, variables, time, chance and fuel.
///
/// Implemented by `machine` for a state that runs. Input and Context object are built on first use, so that an
/// expression pays only for what it reads.
pub trait Environment {
    /// `$` of JSONPath: what the template or path is applied to. `$states.input` of JSONata: the state's input.
    fn input(&self) -> &Value;
    /// The Context object: `$$`, `$states.context`.
    fn context(&self) -> &Value;
    /// `$states.result`, where the field may see it.
    fn result(&self) -> Option<&Value>;
    /// `$states.errorOutput`, where the field may see it.
    fn error_output(&self) -> Option<&Value>;
    /// The workflow variable `name`, without its `$`; inner scopes hide outer ones.
    fn variable(&self, name: &str) -> Option<Value>;
    /// The next number of this evaluation's own random sequence, drawn from the step's seed.
    fn random_u64(&self) -> u64;
    /// Milliseconds since 1970 in UTC: one value throughout a step.
    fn now_ms(&self) -> i64;
    /// What every loop burns.
    fn fuel(&self) -> &Fuel;
}

/// How much work an evaluation may still do; one unit is about a microsecond of one core.
#[derive(Debug)]
pub struct Fuel(Cell<u64>);

/// The fuel is used up: the evaluation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("out of fuel")]
pub struct OutOfFuel;

impl Fuel {
    pub fn new(units: u64) -> Fuel {
        Fuel(Cell::new(units))
    }

    pub fn left(&self) -> u64 {
        self.0.get()
    }

    /// Takes `units`; when fewer are left, takes them all and fails.
    pub fn burn(&self, units: u64) -> Result<(), OutOfFuel> {
        match self.0.get().checked_sub(units) {
            Some(left) => {
                self.0.set(left);
                Ok(())
            }
            None => {
                self.0.set(0);
                Err(OutOfFuel)
            }
        }
    }
}
