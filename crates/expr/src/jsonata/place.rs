//! Where in an expression an error is, for those who show it to its author.
//!
//! Errors themselves carry no place, as AWS's do not; here the engine is asked once more.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use jlens_core::{Error, Expression as Engine};

use crate::Environment;
use crate::limits::JSONATA_ALLOCATED_BYTES_MAX;

use super::functions::{self, Shared};
use super::{Evaluation, Expression, meter};

/// The bytes of `text` that [`Expression::parse`] refuses, where JSONata itself refuses them.
pub fn of_syntax_error(text: &str) -> Option<Range<usize>> {
    let refused = catch_unwind(|| Engine::compile(text)).ok()?.err()?;
    range(&refused, text)
}

/// The bytes of the expression's text that failed when it was evaluated. `environment` is as it was then, with fuel.
///
/// `None` where the error has no place, or where the expression does not fail.
pub fn of_failure(expression: &Expression, environment: &dyn Environment) -> Option<Range<usize>> {
    let compiled = &expression.compiled;
    let evaluation = Evaluation::new(compiled, environment);
    let fuel = environment.fuel().left();
    let shared = Shared::new(evaluation.seed, fuel, JSONATA_ALLOCATED_BYTES_MAX);
    let functions = functions::bindings(&compiled.findings, &shared);
    let bindings = evaluation.bindings(compiled.metered().ok()?, functions);
    let options = evaluation.options(&meter::full(fuel, compiled.findings.pace));
    let failed = catch_unwind(AssertUnwindSafe(|| {
        // Without what comes before the expression for the meter, so that places are those of the text.
        Engine::compile(&compiled.text)?.evaluate_with(None, &bindings, &options)
    }));
    range(&failed.ok()?.err()?, &compiled.text)
}

/// The token that the error names, where it ends at the error's position; else all that failed.
fn range(error: &Error, text: &str) -> Option<Range<usize>> {
    let token = error.token().zip(error.position()).and_then(|(token, position)| {
        let end = byte_of(text, position);
        let start = end.checked_sub(token.len())?;
        (text.get(start..end) == Some(token.as_str())).then_some(start..end)
    });
    token.or_else(|| {
        let span = error.span()?;
        text.get(span.start..span.end).map(|_| span.start..span.end)
    })
}

/// The byte at which the UTF-16 unit `position` begins.
fn byte_of(text: &str, position: usize) -> usize {
    let mut units = 0;
    let before = text.char_indices().find(|(_, char)| {
        let reached = units >= position;
        units += char.len_utf16();
        reached
    });
    before.map_or(text.len(), |(byte, _)| byte)
}
