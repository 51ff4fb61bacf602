//! Plain JSONata, for test cases in the form of the official suite: `stepwell eval --cases`.
//!
//! The input is a document, so `$`, `$$` and names stand anywhere, and the two operators that came after 2.0.6 are
//! there. All else is what workflows get: the same engine, functions, meter and fuel; `$eval` does not exist. A case
//! that sets limits of its own is evaluated under those, without a meter.

mod case;

pub use case::Case;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use jlens_core::reads::Read;
use jlens_core::{Bindings, Expression as Engine, Options};
use serde_json::Value as Json;

use crate::limits::{JSONATA_ALLOCATED_BYTES_MAX, SUITE_ARRAY_ITEMS_MAX, SUITE_FUEL, SUITE_MS_MAX};
use crate::{OutOfFuel, Value};

use super::functions::Shared;
use super::meter::{self, Meter, QUICK_BYTES, QUICK_COST};
use super::source::{DocumentRoot, Store, cut_json};
use super::{
    Attempt, Compiled, Document, EvaluationError, ExpressionSyntaxError, TOO_DEEP, failure, functions, panicked, quick,
    result, run_metered,
};

/// `None` for undefined and for a function.
type Outcome = Result<Option<Value>, EvaluationError>;

/// What a case came to, in both ways in which an expression is evaluated.
struct Outcomes {
    /// Under the small bounds; `Err(OutOfFuel)` where they were too small.
    quick: Outcome,
    full: Outcome,
}

/// What an expression is evaluated with.
struct Given<'c> {
    /// `None`: the input is undefined.
    document: Option<&'c Value>,
    /// Names without `$`.
    variables: Vec<(&'c str, &'c Value)>,
    now_ms: i64,
    limits: Option<Limits>,
}

/// What a case may use in place of our bounds.
#[derive(Clone, Copy)]
struct Limits {
    fuel: u64,
    /// Levels of the engine.
    depth_max: usize,
}

/// Evaluates `text` both ways.
fn evaluate(text: &str, given: &Given<'_>) -> Result<Outcomes, ExpressionSyntaxError> {
    const SEED: u64 = 1;
    let compiled = Compiled::new(text, Document::Some)?;
    let bindings = |fuel: u64, bytes: u64| {
        let functions = functions::bindings(&compiled.findings, &Shared::new(SEED, fuel, bytes));
        given
            .variables
            .iter()
            .fold(functions, |bindings, (name, value)| bindings.var(*name, cut_json(value, &Read::Whole)))
    };
    let store = Store::new();
    let root = DocumentRoot { document: given.document.cloned(), store: Rc::clone(&store) };
    let quick_outcome = match &compiled.quick {
        Some(engine) => {
            let options = meter::quick(compiled.findings.pace).options(given.now_ms, SEED);
            let options = given.limits.iter().fold(options, |options, limits| options.max_depth(limits.depth_max));
            match quick(engine, &root, &store, &bindings(QUICK_COST, QUICK_BYTES), &options) {
                Attempt::Done(value) => Ok(value),
                Attempt::Failed(error) => Err(error),
                Attempt::Wider => Err(OutOfFuel.into()),
            }
        }
        None => Err(OutOfFuel.into()),
    };

    let input = given.document.map(|document| cut_json(document, &Read::Whole));
    let pace = compiled.findings.pace;
    let options = |fuel: u64| meter::full(fuel, pace).options(given.now_ms, SEED);
    let full = match (compiled.metered(), given.limits) {
        (Ok(metered), None) => {
            let bindings = bindings(SUITE_FUEL, JSONATA_ALLOCATED_BYTES_MAX);
            run_metered(&metered.engine, input.as_ref(), &bindings, options(SUITE_FUEL), pace, Meter::new(SUITE_FUEL)).0
        }
        (Ok(metered), Some(limits)) => {
            let options = options(limits.fuel)
                .max_depth(limits.depth_max)
                .max_array_length(SUITE_ARRAY_ITEMS_MAX)
                .timeout(Duration::from_millis(SUITE_MS_MAX));
            run_unmetered(&metered.engine, input.as_ref(), &bindings(limits.fuel, u64::MAX), &options)
        }
        (Err(error), _) => Err(error),
    };
    Ok(Outcomes { quick: quick_outcome, full })
}

fn run_unmetered(engine: &Engine, input: Option<&Json>, bindings: &Bindings, options: &Options) -> Outcome {
    match catch_unwind(AssertUnwindSafe(|| engine.evaluate_with(input, bindings, options))) {
        Ok(Ok(None)) => Ok(None),
        Ok(Ok(Some(json))) => result::from_json(&json, 0).map(Some).map_err(|_| TOO_DEEP),
        Ok(Err(error)) => Err(failure(&error)),
        Err(_) => Err(panicked()),
    }
}
