//! Previews: one expression of either language with data that the console gives, by the server's own engines.
//!
//! The request: `{"language": "JSONata" | "JSONPath", "expression": "$states.input.n", "input": …, "context": …,
//! "result": …, "errorOutput": …, "variables": {…}}`, of which all but the first two may be missing; JSONata may stand in
//! its delimiters. The answer: `{"value": …}`, or `{"error": {"name": "…", "cause": "…", "from": n, "to": n}}` with the
//! place, where it is known, in UTF-16 units of `expression`, as browsers count.
//!
//! An evaluation has the fuel that an execution's has. It runs on a thread of its own, of low priority and one of a few
//! ([`limits::EVALUATIONS_MAX`]), so whoever previews the worst expression slows nobody but other previews.

use std::ops::Range;

use stepwell_engine::{Clock, SystemClock, limits::SLOW_NICE};
use stepwell_expr::{
    Value,
    alone::{self, Data, Language, Wrong},
};
use stepwell_machine::limits::FUEL_EVALUATION;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::{error::Error, http::Api, limits, writer::Writer};

pub(super) async fn answer(api: &Api, body: &Value) -> Result<String, Error> {
    let asked = Asked::read(body)?;
    // The semaphore is never closed.
    let permit = api.evaluations.clone().acquire_owned().await.map_err(|_| Error::Internal)?;
    let (to, answer) = oneshot::channel();
    let evaluate = move || {
        let _permit = permit;
        // Nobody waits any more: the next letter was typed.
        if to.is_closed() {
            return;
        }
        if let Err(error) = rustix::process::nice(SLOW_NICE) {
            tracing::debug!(%error, "a preview has the usual priority");
        }
        let _ = to.send(asked.answer());
    };
    let thread = std::thread::Builder::new().name("stepwell-preview".to_owned());
    thread.spawn(evaluate).map_err(|error| {
        tracing::error!(%error, "cannot start a thread for a preview");
        Error::ServiceUnavailable
    })?;
    answer.await.map_err(|_| Error::Internal)
}

struct Asked {
    expression: String,
    /// The bytes of `expression` that are evaluated: what is between blanks and delimiters.
    inside: Range<usize>,
    language: Language,
    data: Data,
}

impl Asked {
    fn read(body: &Value) -> Result<Asked, Error> {
        let text = |name: &str| {
            let text = body.get(name).and_then(Value::as_str);
            text.ok_or_else(|| Error::validation(format!("`{name}` must be a text")))
        };
        let language = match text("language")? {
            "JSONata" => Language::Jsonata,
            "JSONPath" => Language::Jsonpath,
            _ => return Err(Error::validation("`language` is JSONata or JSONPath")),
        };
        let expression = text("expression")?.to_owned();
        if expression.len() > limits::PAYLOAD_BYTES_MAX {
            return Err(Error::validation(format!("`expression` has at most {} bytes", limits::PAYLOAD_BYTES_MAX)));
        }
        let variables = body.get("variables").cloned().unwrap_or_else(Value::empty_object);
        if variables.as_object().is_none() {
            return Err(Error::validation("`variables` must be an object"));
        }
        let object = |name: &str| body.get(name).cloned().unwrap_or_else(Value::empty_object);
        let data = Data {
            input: object("input"),
            context: object("context"),
            result: body.get("result").cloned(),
            error_output: body.get("errorOutput").cloned(),
            variables,
            now_ms: SystemClock.now_ms(),
            seed: Uuid::new_v4().as_u64_pair().0,
        };
        let inside = inside(&expression, language);
        Ok(Asked { expression, inside, language, data })
    }

    fn answer(&self) -> String {
        let text = &self.expression[self.inside.clone()];
        let mut answer = Writer::object();
        match alone::evaluate(text, self.language, &self.data, FUEL_EVALUATION) {
            Ok(value) => answer.value("value", &value),
            Err(wrong) => answer.member_object("error", |writer| self.write_wrong(&wrong, writer)),
        }
        answer.end()
    }

    fn write_wrong(&self, wrong: &Wrong, writer: &mut Writer) {
        if !wrong.error.is_empty() {
            writer.string("name", &wrong.error);
        }
        writer.string("cause", &wrong.cause);
        if let Some(place) = &wrong.place {
            let units = |byte: usize| {
                let end = self.expression.floor_char_boundary(self.inside.start + byte);
                self.expression[..end].encode_utf16().count() as u64
            };
            writer.number("from", units(place.start));
            writer.number("to", units(place.end));
        }
    }
}

fn inside(expression: &str, language: Language) -> Range<usize> {
    let trimmed = expression.trim();
    let delimited = trimmed.strip_prefix("{%").and_then(|rest| rest.strip_suffix("%}"));
    let inside = delimited.filter(|_| language == Language::Jsonata).unwrap_or(trimmed).trim();
    let start = inside.as_ptr() as usize - expression.as_ptr() as usize;
    start..start + inside.len()
}

#[cfg(test)]
mod tests {
    use stepwell_expr::json;

    use super::*;

    fn answered(body: &str) -> String {
        let body = json::parse(body).expect("a test's request is JSON");
        Asked::read(&body).map_or_else(|error| error.to_string(), |asked| asked.answer())
    }

    #[test]
    fn values_errors_and_places() {
        let cases = [
            (r#"{"language":"JSONata","expression":"{% $states.input.n + 1 %}","input":{"n":1}}"#, r#"{"value":2}"#),
            (r#"{"language":"JSONata","expression":"$states.result.a","result":{"a":1.50}}"#, r#"{"value":1.5}"#),
            (
                r#"{"language":"JSONPath","expression":"States.Format('{}', $v)","variables":{"v":"x"}}"#,
                r#"{"value":"x"}"#,
            ),
            (
                r#"{"language":"JSONata","expression":" {% '😀' + %} "}"#,
                r#"{"error":{"name":"S0207","cause":"Unexpected end of expression","from":10,"to":10}}"#,
            ),
            (r#"{"language":"XPath","expression":"/"}"#, "`language` is JSONata or JSONPath"),
            (r#"{"language":"JSONata","expression":"1","variables":[]}"#, "`variables` must be an object"),
        ];
        for (body, expected) in cases {
            assert_eq!(answered(body), expected, "{body}");
        }
    }

    #[test]
    fn what_is_evaluated_is_between_the_delimiters() {
        let cases = [
            (" {% 1 %} ", Language::Jsonata, 4..5),
            ("{%%}", Language::Jsonata, 2..2),
            ("{%}", Language::Jsonata, 0..3),
            (" $.a ", Language::Jsonpath, 1..4),
        ];
        for (text, language, expected) in cases {
            assert_eq!(inside(text, language), expected, "{text}");
        }
    }
}
