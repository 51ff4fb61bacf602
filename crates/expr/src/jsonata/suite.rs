//! A door for the official test cases of JSONata, which have an input document. Nothing in Stepwell uses it.

use std::rc::Rc;

use jlens_core::reads::Read;

use crate::limits::JSONATA_ALLOCATED_BYTES_MAX;
use crate::{OutOfFuel, Value};

use super::functions::Shared;
use super::meter::{self, Meter, QUICK_BYTES, QUICK_COST};
use super::source::{DocumentRoot, Store, cut_json};
use super::{Attempt, Compiled, Document, EvaluationError, ExpressionSyntaxError, functions, quick, run_metered};

/// What a case came to, without and with a meter. `None` for undefined and for a function.
#[derive(Debug)]
pub struct Outcomes {
    /// `Err(OutOfFuel)` where the small bounds were too small.
    pub quick: Result<Option<Value>, EvaluationError>,
    pub metered: Result<Option<Value>, EvaluationError>,
}

/// Evaluates `text` with an input document, both ways, and with `fuel` for the second.
pub fn evaluate(
    text: &str,
    document: Option<&Value>,
    variables: &[(String, Value)],
    now_ms: i64,
    fuel: u64,
) -> Result<Outcomes, ExpressionSyntaxError> {
    const SEED: u64 = 1;
    let compiled = Compiled::new(text, Document::Some)?;
    let bindings = |fuel: u64, bytes: u64| {
        let functions = functions::bindings(&compiled.findings, &Shared::new(SEED, fuel, bytes));
        variables.iter().fold(functions, |bindings, (name, value)| bindings.var(name, cut_json(value, &Read::Whole)))
    };

    let store = Store::new();
    let root = DocumentRoot { document: document.cloned(), store: Rc::clone(&store) };
    let quick_outcome = match &compiled.quick {
        Some(engine) => {
            match quick(
                engine,
                &root,
                &store,
                &bindings(QUICK_COST, QUICK_BYTES),
                &meter::quick(compiled.findings.pace).options(now_ms, SEED),
            ) {
                Attempt::Done(value) => Ok(value),
                Attempt::Failed(error) => Err(error),
                Attempt::Wider => Err(OutOfFuel.into()),
            }
        }
        None => Err(OutOfFuel.into()),
    };

    let input = document.map(|document| cut_json(document, &Read::Whole));
    let metered = match compiled.metered() {
        Ok(metered) => {
            let pace = compiled.findings.pace;
            let options = meter::full(fuel, pace).options(now_ms, SEED);
            {
                let functions = bindings(fuel, JSONATA_ALLOCATED_BYTES_MAX);
                run_metered(&metered.engine, input.as_ref(), &functions, options, pace, Meter::new(fuel)).0
            }
        }
        Err(error) => Err(error),
    };
    Ok(Outcomes { quick: quick_outcome, metered })
}
