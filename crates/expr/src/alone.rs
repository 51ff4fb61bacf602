//! One expression by itself, outside any state: for who writes it and wants to see what it gives.

use std::{cell::Cell, ops::Range};

use crate::{
    Environment, Fuel, Value,
    intrinsic::{self, Call, CallError},
    jsonata::{EvaluationError, Expression, place},
    jsonpath::{Path, PathError},
};

/// AWS's text for an evaluation that takes too long.
const OUT_OF_FUEL: &str = "Expression evaluation timeout";

/// What an expression is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Jsonata,
    /// A path, or a call of an intrinsic function.
    Jsonpath,
}

/// What an expression is evaluated with.
#[derive(Clone, Debug)]
pub struct Data {
    pub input: Value,
    pub context: Value,
    pub result: Option<Value>,
    pub error_output: Option<Value>,
    /// An object: names without `$`.
    pub variables: Value,
    /// Milliseconds since 1970 in UTC.
    pub now_ms: i64,
    /// What chance is drawn from.
    pub seed: u64,
}

/// Why there is no value.
#[derive(Clone, Debug, PartialEq)]
pub struct Wrong {
    pub kind: Kind,
    /// AWS's name of the error, or JSONata's code; empty for a sentence that says all.
    pub error: String,
    /// AWS's, without the field that an expression alone does not have.
    pub cause: String,
    /// Bytes of the expression.
    pub place: Option<Range<usize>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The text is no expression.
    Refused,
    /// The evaluation failed.
    Failed,
}

/// Evaluates `text`, an expression without blanks around it and without delimiters, within `fuel`.
pub fn evaluate(text: &str, language: Language, data: &Data, fuel: u64) -> Result<Value, Wrong> {
    match language {
        Language::Jsonata => jsonata(text, data, fuel),
        Language::Jsonpath if text.starts_with("States.") => call(text, &Given::new(data, fuel)),
        Language::Jsonpath => path(text, &Given::new(data, fuel)),
    }
}

impl Wrong {
    fn refused(error: &str, cause: String, place: Option<Range<usize>>) -> Wrong {
        Wrong { kind: Kind::Refused, error: error.to_owned(), cause, place }
    }

    fn failed(error: &str, cause: impl Into<String>) -> Wrong {
        Wrong { kind: Kind::Failed, error: error.to_owned(), cause: cause.into(), place: None }
    }
}

fn jsonata(text: &str, data: &Data, fuel: u64) -> Result<Value, Wrong> {
    let expression = Expression::parse(text).map_err(|refused| {
        let messages = [vec![refused.message], refused.further].concat();
        Wrong::refused(&refused.code.unwrap_or_default(), messages.join(" "), refused.place)
    })?;
    expression.evaluate(&Given::new(data, fuel)).map_err(|error| {
        let cause = match &error {
            EvaluationError::OutOfFuel(_) => OUT_OF_FUEL.to_owned(),
            EvaluationError::Limit(limit) => (*limit).to_owned(),
            error => format!("The JSONata expression '{}' {error}", expression.text()),
        };
        let place = match error {
            EvaluationError::Thrown(_) => place::of_failure(&expression, &Given::new(data, fuel)),
            _ => None,
        };
        Wrong { place, ..Wrong::failed("States.QueryEvaluationError", cause) }
    })
}

fn path(text: &str, given: &Given<'_>) -> Result<Value, Wrong> {
    let path =
        Path::parse(text).map_err(|refused| Wrong::refused("", refused.message, Some(here(text, refused.at))))?;
    path.read(given).map_err(|error| match error {
        PathError::OutOfFuel(_) => Wrong::failed("States.Runtime", OUT_OF_FUEL),
        error => Wrong::failed("States.Runtime", format!("Invalid path '{text}' : {error}")),
    })
}

fn call(text: &str, given: &Given<'_>) -> Result<Value, Wrong> {
    let call =
        Call::parse(text).map_err(|refused| Wrong::refused("", refused.message, Some(here(text, refused.at))))?;
    call.evaluate(given).map_err(|error| match error {
        CallError::OutOfFuel(_) => Wrong::failed("States.Runtime", OUT_OF_FUEL),
        CallError::Failed(cause) => Wrong::failed("States.IntrinsicFailure", cause),
        CallError::Path { call, path, .. } => {
            let cause = intrinsic::missing_argument(&call, &path, &given.input().to_string());
            let place = text.find(&*path).map(|start| start..start + path.len());
            Wrong { place, ..Wrong::failed("States.Runtime", cause) }
        }
    })
}

/// The character at byte `at`, or the end of the text.
fn here(text: &str, at: usize) -> Range<usize> {
    let width = text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    at..at + width
}

/// The data of one evaluation, with its fuel.
struct Given<'d> {
    data: &'d Data,
    chance: Cell<u64>,
    fuel: Fuel,
}

impl Given<'_> {
    fn new(data: &Data, fuel: u64) -> Given<'_> {
        Given { data, chance: Cell::new(data.seed), fuel: Fuel::new(fuel) }
    }
}

impl Environment for Given<'_> {
    fn input(&self) -> &Value {
        &self.data.input
    }

    fn context(&self) -> &Value {
        &self.data.context
    }

    fn result(&self) -> Option<&Value> {
        self.data.result.as_ref()
    }

    fn error_output(&self) -> Option<&Value> {
        self.data.error_output.as_ref()
    }

    fn variable(&self, name: &str) -> Option<Value> {
        self.data.variables.get(name).cloned()
    }

    fn random_u64(&self) -> u64 {
        // SplitMix64: well spread from any seed.
        let state = self.chance.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.chance.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn now_ms(&self) -> i64 {
        self.data.now_ms
    }

    fn fuel(&self) -> &Fuel {
        &self.fuel
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn evaluated(text: &str, language: Language) -> Result<String, (Kind, Option<Range<usize>>)> {
        let data = Data {
            input: json::parse(r#"{"n": 2, "text": "a"}"#).expect("a test's input is JSON"),
            context: json::parse(r#"{"State": {"Name": "S"}}"#).expect("a test's context is JSON"),
            result: None,
            error_output: None,
            variables: json::parse(r#"{"by": 3}"#).expect("a test's variables are JSON"),
            now_ms: 0,
            seed: 1,
        };
        evaluate(text, language, &data, 10_000)
            .map(|value| value.to_string())
            .map_err(|wrong| (wrong.kind, wrong.place))
    }

    #[test]
    fn both_languages_and_their_places() {
        use Language::{Jsonata, Jsonpath};
        let cases = [
            ("$states.input.n * $by", Jsonata, Ok("6".to_owned())),
            ("$.n", Jsonpath, Ok("2".to_owned())),
            ("$$.State.Name", Jsonpath, Ok("\"S\"".to_owned())),
            ("States.MathAdd($.n, $by)", Jsonpath, Ok("5".to_owned())),
            ("1 +", Jsonata, Err((Kind::Refused, Some(3..3)))),
            ("1 + $states.input.text", Jsonata, Err((Kind::Failed, Some(2..3)))),
            ("$.missing", Jsonpath, Err((Kind::Failed, None))),
            ("States.MathAdd($.missing, 1)", Jsonpath, Err((Kind::Failed, Some(15..24)))),
        ];
        for (text, language, expected) in cases {
            assert_eq!(evaluated(text, language), expected, "{text}");
        }
    }

    #[test]
    fn fuel_ends_an_evaluation() {
        let endless = "($f := function($n) { $f($n + 1) }; $f(0))";
        assert_eq!(evaluated(endless, Language::Jsonata), Err((Kind::Failed, None)));
    }

    #[test]
    fn a_failure_lies_at_a_character() {
        assert_eq!(here("$.ä", 2), 2..4);
        assert_eq!(here("$", 1), 1..1);
    }
}
