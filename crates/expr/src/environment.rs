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

/// An environment for tests: everything as it is set, numbers from a counter.
#[cfg(test)]
pub(crate) struct TestEnvironment {
    pub(crate) input: Value,
    pub(crate) context: Value,
    pub(crate) result: Option<Value>,
    pub(crate) error_output: Option<Value>,
    pub(crate) variables: std::collections::BTreeMap<String, Value>,
    pub(crate) random: Cell<u64>,
    pub(crate) now_ms: i64,
    pub(crate) fuel: Fuel,
}

#[cfg(test)]
impl TestEnvironment {
    /// With `input` as JSON text, an empty Context object and fuel for a second.
    pub(crate) fn new(input: &str) -> TestEnvironment {
        TestEnvironment {
            input: crate::json::parse(input).expect("a test's input is JSON"),
            context: Value::empty_object(),
            result: None,
            error_output: None,
            variables: std::collections::BTreeMap::new(),
            random: Cell::new(0),
            now_ms: 1_700_000_000_000,
            fuel: Fuel::new(1_000_000),
        }
    }
}

#[cfg(test)]
impl Environment for TestEnvironment {
    fn input(&self) -> &Value {
        &self.input
    }

    fn context(&self) -> &Value {
        &self.context
    }

    fn result(&self) -> Option<&Value> {
        self.result.as_ref()
    }

    fn error_output(&self) -> Option<&Value> {
        self.error_output.as_ref()
    }

    fn variable(&self, name: &str) -> Option<Value> {
        self.variables.get(name).cloned()
    }

    fn random_u64(&self) -> u64 {
        // SplitMix64: well spread, and the same in every run.
        let state = self.random.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.random.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn now_ms(&self) -> i64 {
        self.now_ms
    }

    fn fuel(&self) -> &Fuel {
        &self.fuel
    }
}
