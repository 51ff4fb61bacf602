//! `stepwell eval`: one expression of either language, or a file of test cases.

mod cases;
mod excerpt;
mod given;

use std::ops::Range;

use stepwell_expr::{
    Environment, Value,
    intrinsic::{Call, CallError},
    json,
    jsonata::{EvaluationError, Expression, place},
    jsonpath::{Path, PathError},
};

use crate::{
    cli::{EvalOptions, Language},
    exit::{BadInput, Exit},
    trace::{BOLD, RED},
};

use given::Given;

/// AWS's text for an evaluation that takes too long.
const OUT_OF_FUEL: &str = "Expression evaluation timeout";

pub(crate) fn eval(options: &EvalOptions) -> anyhow::Result<Exit> {
    if let Some(file) = &options.cases {
        return cases::judge(file, options.datasets.as_deref());
    }
    // clap sees to it that there is one or the other.
    let text = Text::new(options.expr.as_deref().unwrap_or_default(), options.language)?;
    let given = Given::read(options)?;
    let evaluated = match text.language {
        Language::Jsonata => jsonata(text.inside, &given),
        Language::Jsonpath if text.inside.starts_with("States.") => call(text.inside, &given),
        Language::Jsonpath => path(text.inside, &given),
    };
    match &evaluated {
        Ok(value) if options.json => anstream::println!("{}", text.as_json([("value", value.clone())])),
        Ok(value) => anstream::println!("{}", json::to_text(value)),
        Err(wrong) if options.json => anstream::println!("{}", text.as_json(wrong.members(text.inside))),
        Err(wrong) => wrong.print(text.inside),
    }
    Ok(match evaluated {
        Ok(_) => Exit::Done,
        Err(Wrong { kind: Kind::Refused, .. }) => Exit::BadInput,
        Err(Wrong { kind: Kind::Failed, .. }) => Exit::Failed,
    })
}

/// An expression as it was given.
struct Text<'t> {
    /// Without blanks around it and without the delimiters of JSONata.
    inside: &'t str,
    language: Language,
}

impl<'t> Text<'t> {
    fn new(text: &'t str, language: Option<Language>) -> Result<Text<'t>, BadInput> {
        let text = text.trim();
        let language = language.unwrap_or_else(|| Language::of(text));
        let delimited = text.strip_prefix("{%").and_then(|rest| rest.strip_suffix("%}"));
        let torn = delimited.is_none() && (text.starts_with("{%") || text.ends_with("%}"));
        if language == Language::Jsonata && torn {
            // AWS's sentence for such a string in a definition.
            return Err(BadInput("JSONata string must start with {% and end with %}".to_owned()));
        }
        let inside = delimited.filter(|_| language == Language::Jsonata).unwrap_or(text);
        Ok(Text { inside: inside.trim(), language })
    }

    fn as_json(&self, members: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
        let language = match self.language {
            Language::Jsonata => "JSONata",
            Language::Jsonpath => "JSONPath",
        };
        Value::object([("language", Value::from(language))].into_iter().chain(members))
    }
}

impl Language {
    /// Data behind `$` and the Context object behind `$$` are JSONPath's alone, as on AWS a JSONata expression has no
    /// input document; `$name` stands in both languages and gives the same.
    fn of(text: &str) -> Language {
        let of_jsonpath = |start: &&str| text.starts_with(start);
        let jsonpath = text == "$" || ["$.", "$[", "$$", "States."].iter().any(of_jsonpath);
        if jsonpath { Language::Jsonpath } else { Language::Jsonata }
    }
}

/// Why there is no value.
#[derive(Debug)]
struct Wrong {
    kind: Kind,
    /// AWS's name of the error, or JSONata's code; empty for a sentence that says all.
    error: String,
    cause: String,
    /// Bytes of the expression.
    place: Option<Range<usize>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The text is no expression.
    Refused,
    /// The evaluation failed.
    Failed,
}

impl Wrong {
    fn refused(error: &str, cause: String, place: Option<Range<usize>>) -> Wrong {
        Wrong { kind: Kind::Refused, error: error.to_owned(), cause, place }
    }

    fn failed(error: &str, cause: impl Into<String>) -> Wrong {
        Wrong { kind: Kind::Failed, error: error.to_owned(), cause: cause.into(), place: None }
    }

    fn print(&self, text: &str) {
        let Wrong { error, cause, .. } = self;
        let what = match self.kind {
            Kind::Refused => "not an expression:",
            Kind::Failed => "error:",
        };
        anstream::eprintln!(
            "{RED}{what}{RED:#} {BOLD}{error}{BOLD:#}{}{cause}",
            if error.is_empty() { "" } else { " " }
        );
        if let Some(place) = &self.place {
            anstream::eprint!("{}", excerpt::excerpt(text, place));
        }
    }

    fn members(&self, text: &str) -> Vec<(&'static str, Value)> {
        let mut members = Vec::new();
        if !self.error.is_empty() {
            members.push(("error", Value::from(self.error.as_str())));
        }
        members.push(("cause", Value::from(self.cause.as_str())));
        if let Some(place) = &self.place {
            let (line, column) = excerpt::position(text, place.start);
            let count = |count: usize| Value::from(i64::try_from(count).unwrap_or(i64::MAX));
            members.extend([("line", count(line)), ("column", count(column))]);
        }
        members
    }
}

/// Causes are AWS's, without the field that an expression alone does not have.
fn jsonata(text: &str, given: &Given) -> Result<Value, Wrong> {
    let expression = Expression::parse(text).map_err(|refused| {
        let code = refused.code.unwrap_or_default();
        Wrong::refused(&code, refused.message, place::of_syntax_error(text))
    })?;
    expression.evaluate(given).map_err(|error| {
        let cause = match &error {
            EvaluationError::OutOfFuel(_) => OUT_OF_FUEL.to_owned(),
            EvaluationError::Limit(limit) => (*limit).to_owned(),
            error => format!("The JSONata expression '{}' {error}", expression.text()),
        };
        let place = match error {
            EvaluationError::Thrown(_) => place::of_failure(&expression, &given.refuelled()),
            _ => None,
        };
        Wrong { place, ..Wrong::failed("States.QueryEvaluationError", cause) }
    })
}

fn path(text: &str, given: &Given) -> Result<Value, Wrong> {
    let path =
        Path::parse(text).map_err(|refused| Wrong::refused("", refused.message, Some(here(text, refused.at))))?;
    path.read(given).map_err(|error| match error {
        PathError::OutOfFuel(_) => Wrong::failed("States.Runtime", OUT_OF_FUEL),
        error => Wrong::failed("States.Runtime", format!("Invalid path '{text}' : {error}")),
    })
}

fn call(text: &str, given: &Given) -> Result<Value, Wrong> {
    let call =
        Call::parse(text).map_err(|refused| Wrong::refused("", refused.message, Some(here(text, refused.at))))?;
    call.evaluate(given).map_err(|error| match error {
        CallError::OutOfFuel(_) => Wrong::failed("States.Runtime", OUT_OF_FUEL),
        CallError::Failed(cause) => Wrong::failed("States.IntrinsicFailure", cause),
        CallError::Path { path, .. } => {
            let cause = format!(
                "There was an error while evaluating the intrinsic function: {text}. The JsonPath argument for the \
                 field '{path}' could not be found in the input '{}'",
                given.input()
            );
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

#[cfg(test)]
mod tests;
