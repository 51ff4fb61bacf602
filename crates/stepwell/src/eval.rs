//! `stepwell eval`: one expression of either language, or a file of test cases.

mod cases;
mod excerpt;
mod given;

use stepwell_expr::{
    Value,
    alone::{self, Kind, Wrong},
    json,
};
use stepwell_machine::limits::FUEL_EVALUATION;

use crate::{
    cli::{EvalOptions, Language},
    exit::{BadInput, Exit},
    trace::{BOLD, RED},
};

pub(crate) fn eval(options: &EvalOptions) -> anyhow::Result<Exit> {
    if let Some(file) = &options.cases {
        return cases::judge(file, options.datasets.as_deref());
    }
    // clap sees to it that there is one or the other.
    let text = Text::new(options.expr.as_deref().unwrap_or_default(), options.language)?;
    let language = match text.language {
        Language::Jsonata => alone::Language::Jsonata,
        Language::Jsonpath => alone::Language::Jsonpath,
    };
    let evaluated = alone::evaluate(text.inside, language, &given::read(options)?, FUEL_EVALUATION);
    match &evaluated {
        Ok(value) if options.json => anstream::println!("{}", text.as_json([("value", value.clone())])),
        Ok(value) => anstream::println!("{}", json::to_text(value)),
        Err(wrong) if options.json => anstream::println!("{}", text.as_json(members(wrong, text.inside))),
        Err(wrong) => print(wrong, text.inside),
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

fn print(wrong: &Wrong, text: &str) {
    let Wrong { error, cause, .. } = wrong;
    let what = match wrong.kind {
        Kind::Refused => "not an expression:",
        Kind::Failed => "error:",
    };
    anstream::eprintln!("{RED}{what}{RED:#} {BOLD}{error}{BOLD:#}{}{cause}", if error.is_empty() { "" } else { " " });
    if let Some(place) = &wrong.place {
        anstream::eprint!("{}", excerpt::excerpt(text, place));
    }
}

fn members(wrong: &Wrong, text: &str) -> Vec<(&'static str, Value)> {
    let mut members = Vec::new();
    if !wrong.error.is_empty() {
        members.push(("error", Value::from(wrong.error.as_str())));
    }
    members.push(("cause", Value::from(wrong.cause.as_str())));
    if let Some(place) = &wrong.place {
        let (line, column) = excerpt::position(text, place.start);
        let count = |count: usize| Value::from(i64::try_from(count).unwrap_or(i64::MAX));
        members.extend([("line", count(line)), ("column", count(column))]);
    }
    members
}

#[cfg(test)]
mod tests;
