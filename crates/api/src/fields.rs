//! Checked reading of a request's members.
//!
//! A member of a wrong type ends the reading at once with `SerializationException`. A member that breaks a constraint
//! of the API model is noted and read as it is, so that [`Fields::check`] can tell all of them in one
//! `ValidationException`: nothing read may be used before `check` has said yes. `null` is the same as absent.
//!
//! Source of the constraints' sentences: recorded answers. Sentences of wrong types are ours.

use std::sync::Arc;

use stepwell_expr::{Object, Value};

use crate::{error::Error, limits};

/// What the API model says about a string.
pub(crate) struct Text {
    min: usize,
    max: usize,
    unit: Unit,
    /// The model calls it sensitive: its value is not repeated in an error.
    sensitive: bool,
    pattern: Option<Pattern>,
}

/// A pattern of the API model: how it is written there, and which texts fit it.
struct Pattern {
    text: &'static str,
    fits: fn(&str) -> bool,
}

enum Unit {
    Chars,
    Bytes,
    /// Bytes, at most as many as the operator lets a payload have.
    Payload,
}

const fn text(min: usize, max: usize) -> Text {
    Text { min, max, unit: Unit::Chars, sensitive: false, pattern: None }
}

const fn sensitive(min: usize, max: usize) -> Text {
    Text { min, max, unit: Unit::Chars, sensitive: true, pattern: None }
}

pub(crate) const ARN: Text = text(1, limits::ARN_CHARS_MAX);
pub(crate) const LONG_ARN: Text = text(1, limits::LONG_ARN_CHARS_MAX);
pub(crate) const NAME: Text = text(1, limits::NAME_CHARS_MAX);
pub(crate) const PAGE_TOKEN: Text = text(1, limits::PAGE_TOKEN_CHARS_MAX);
pub(crate) const EXECUTIONS_PAGE_TOKEN: Text = text(1, limits::EXECUTIONS_PAGE_TOKEN_CHARS_MAX);
pub(crate) const KEY_ID: Text = text(1, limits::KEY_ID_CHARS_MAX);
pub(crate) const TAG_KEY: Text = text(1, limits::TAG_KEY_CHARS_MAX);
pub(crate) const TAG_VALUE: Text = text(0, limits::TAG_VALUE_CHARS_MAX);
pub(crate) const TEST_STATE_NAME: Text = sensitive(1, limits::NAME_CHARS_MAX);
pub(crate) const DESCRIPTION: Text = sensitive(0, limits::DESCRIPTION_CHARS_MAX);
pub(crate) const ERROR: Text = sensitive(0, limits::ERROR_CHARS_MAX);
pub(crate) const CAUSE: Text = sensitive(0, limits::CAUSE_CHARS_MAX);
pub(crate) const TASK_TOKEN: Text = sensitive(1, limits::TASK_TOKEN_CHARS_MAX);
/// The model counts characters; the quota, which is the tighter one, counts bytes.
pub(crate) const DEFINITION: Text =
    Text { min: 1, max: limits::DEFINITION_BYTES_MAX, unit: Unit::Bytes, sensitive: true, pattern: None };
/// As [`DEFINITION`]: the quota counts bytes.
pub(crate) const PAYLOAD: Text =
    Text { min: 0, max: limits::PAYLOAD_BYTES_MAX, unit: Unit::Payload, sensitive: true, pattern: None };
pub(crate) const CLIENT_TOKEN: Text =
    Text { pattern: Some(Pattern { text: "[!-~]+", fits: is_visible }), ..text(1, limits::CLIENT_TOKEN_CHARS_MAX) };

/// ASCII without blanks and control characters.
fn is_visible(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

pub(crate) const TRACE_HEADER: Text = Text {
    pattern: Some(Pattern { text: "\\p{ASCII}*", fits: str::is_ascii }),
    ..text(0, limits::TRACE_HEADER_CHARS_MAX)
};
pub(crate) const ALIAS_NAME: Text = Text {
    pattern: Some(Pattern { text: "^(?=.*[a-zA-Z_\\-\\.])[a-zA-Z0-9_\\-\\.]+$", fits: is_alias_name }),
    ..text(1, limits::NAME_CHARS_MAX)
};
/// The model gives it no bounds.
pub(crate) const REVISION_ID: Text = text(0, limits::REQUEST_BYTES_MAX);

/// Letters, digits, `_`, `-` and `.`, and not digits alone.
fn is_alias_name(name: &str) -> bool {
    let special = |char: char| matches!(char, '_' | '-' | '.');
    name.chars().all(|char| char.is_ascii_alphanumeric() || special(char))
        && name.chars().any(|char| !char.is_ascii_digit())
}

impl Text {
    /// The constraints that `value` breaks: its length, its pattern, or both.
    fn broken_by(&self, value: &str, payload_bytes: usize) -> impl Iterator<Item = String> {
        // Bytes bound characters from above: most strings need no counting.
        let length = match self.unit {
            Unit::Chars if value.len() > self.max => value.chars().count(),
            Unit::Chars | Unit::Bytes | Unit::Payload => value.len(),
        };
        let max = if matches!(self.unit, Unit::Payload) { payload_bytes } else { self.max };
        let broken = if length < self.min {
            Some(format!("Member must have length greater than or equal to {}", self.min))
        } else if length > max {
            Some(format!("Member must have length less than or equal to {max}"))
        } else {
            None
        };
        let pattern = self.pattern.as_ref().filter(|pattern| !(pattern.fits)(value));
        let pattern =
            pattern.map(|pattern| format!("Member must satisfy regular expression pattern: {}", pattern.text));
        broken.into_iter().chain(pattern)
    }
}

/// The members of one JSON object of a request.
pub(crate) struct Fields<'v> {
    members: &'v Object,
    /// Where the object stands in the request, with a dot behind it; empty for the request itself.
    path: String,
    failures: Vec<String>,
    /// Largest payload, in bytes.
    payload_bytes: usize,
}

impl<'v> Fields<'v> {
    /// The members of the request's body.
    pub(crate) fn of(body: &'v Value) -> Result<Fields<'v>, Error> {
        match body {
            Value::Object(members) => Ok(Fields {
                members,
                path: String::new(),
                failures: Vec::new(),
                payload_bytes: limits::PAYLOAD_BYTES_MAX,
            }),
            other => Err(Error::Serialization(format!("{} found where a structure was expected", token(other)))),
        }
    }

    /// With payloads of up to so many bytes.
    pub(crate) fn with_payloads(self, payload_bytes: usize) -> Fields<'v> {
        Fields { payload_bytes, ..self }
    }

    /// Every constraint that was broken, as one error.
    pub(crate) fn check(self) -> Result<(), Error> {
        if self.failures.is_empty() {
            return Ok(());
        }
        let plural = if self.failures.len() == 1 { "" } else { "s" };
        let count = self.failures.len();
        let message = format!("{count} validation error{plural} detected: {}", self.failures.join("; "));
        Err(Error::validation(message))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.member(name).is_some()
    }

    pub(crate) fn optional_text(&mut self, name: &str, kind: &Text) -> Result<Option<Arc<str>>, Error> {
        match self.member(name) {
            None => Ok(None),
            Some(value) => self.text(name, value, kind).map(Some),
        }
    }

    /// The empty string where it is absent, which is noted.
    pub(crate) fn required_text(&mut self, name: &str, kind: &Text) -> Result<Arc<str>, Error> {
        match self.member(name) {
            None => {
                self.note_null(name);
                Ok("".into())
            }
            Some(value) => self.text(name, value, kind),
        }
    }

    pub(crate) fn optional_bool(&mut self, name: &str) -> Result<Option<bool>, Error> {
        match self.member(name) {
            None => Ok(None),
            Some(Value::Bool(bool)) => Ok(Some(*bool)),
            Some(other) => Err(self.wrong_type(name, other, "a Boolean")),
        }
    }

    /// A whole number between 0, or `min`, and `max`.
    pub(crate) fn optional_integer(&mut self, name: &str, min: i64, max: i64) -> Result<Option<i64>, Error> {
        let Some(value) = self.member(name) else {
            return Ok(None);
        };
        let Some(integer) = value.as_i64() else {
            return Err(self.wrong_type(name, value, "an Integer"));
        };
        let broken = if integer < min {
            Some(format!("Member must have value greater than or equal to {min}"))
        } else if integer > max {
            Some(format!("Member must have value less than or equal to {max}"))
        } else {
            None
        };
        if let Some(constraint) = broken {
            self.note(name, &format!("'{integer}' "), &constraint);
        }
        Ok(Some(integer))
    }

    /// A number between `min` and `max`.
    pub(crate) fn optional_float(&mut self, name: &str, min: f64, max: f64) -> Result<Option<f64>, Error> {
        let Some(value) = self.member(name) else {
            return Ok(None);
        };
        let Some(number) = value.as_f64() else {
            return Err(self.wrong_type(name, value, "a Float"));
        };
        let broken = if number < min {
            Some(format!("Member must have value greater than or equal to {min}"))
        } else if number > max {
            Some(format!("Member must have value less than or equal to {max}"))
        } else {
            None
        };
        if let Some(constraint) = broken {
            self.note(name, &format!("'{number}' "), &constraint);
        }
        Ok(Some(number))
    }

    /// As [`Fields::optional_integer`]; 0 where it is absent, which is noted.
    pub(crate) fn required_integer(&mut self, name: &str, min: i64, max: i64) -> Result<i64, Error> {
        if !self.has(name) {
            self.note_null(name);
        }
        Ok(self.optional_integer(name, min, max)?.unwrap_or(0))
    }

    /// One of a few words; `choices` stand in the order in which AWS lists them. `None` also for another word.
    pub(crate) fn optional_choice<T: Copy>(
        &mut self,
        name: &str,
        choices: &[(&'static str, T)],
    ) -> Result<Option<T>, Error> {
        let value = match self.member(name) {
            None => return Ok(None),
            Some(Value::String(value)) => value,
            Some(other) => return Err(self.wrong_type(name, other, "a String")),
        };
        let choice = choices.iter().find(|(word, _)| *word == &**value);
        if choice.is_none() {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            let constraint = format!("Member must satisfy enum value set: [{}]", words.join(", "));
            self.note(name, &format!("'{value}' "), &constraint);
        }
        Ok(choice.map(|(_, choice)| *choice))
    }

    /// As [`Fields::optional_choice`]; absence is noted.
    pub(crate) fn required_choice<T: Copy>(
        &mut self,
        name: &str,
        choices: &[(&'static str, T)],
    ) -> Result<Option<T>, Error> {
        if !self.has(name) {
            self.note_null(name);
        }
        self.optional_choice(name, choices)
    }

    /// A member that is an object; `read` reads its members.
    pub(crate) fn optional_object<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Fields<'v>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        match self.member(name) {
            None => Ok(None),
            Some(Value::Object(members)) => {
                let path = format!("{}{name}.", self.path);
                self.nested(members, path, read).map(Some)
            }
            Some(other) => Err(self.wrong_type(name, other, "a structure")),
        }
    }

    /// A member that is a list of objects; `read` reads the members of each.
    pub(crate) fn optional_objects<T>(
        &mut self,
        name: &str,
        mut read: impl FnMut(&mut Fields<'v>) -> Result<T, Error>,
    ) -> Result<Option<Vec<T>>, Error> {
        let Some(items) = self.list(name)? else {
            return Ok(None);
        };
        let mut found = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let Value::Object(members) = item else {
                return Err(self.wrong_type(name, item, "a structure"));
            };
            let path = format!("{}{name}.{}.member.", self.path, index + 1);
            found.push(self.nested(members, path, &mut read)?);
        }
        Ok(Some(found))
    }

    /// As [`Fields::optional_objects`]; empty where it is absent, which is noted.
    pub(crate) fn required_objects<T>(
        &mut self,
        name: &str,
        read: impl FnMut(&mut Fields<'v>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        if !self.has(name) {
            self.note_null(name);
        }
        Ok(self.optional_objects(name, read)?.unwrap_or_default())
    }

    /// A list of strings; empty where it is absent, which is noted.
    pub(crate) fn required_texts(&mut self, name: &str, kind: &Text) -> Result<Vec<Arc<str>>, Error> {
        let Some(items) = self.list(name)? else {
            self.note_null(name);
            return Ok(Vec::new());
        };
        let texts = items.iter().enumerate();
        texts.map(|(index, item)| self.text(&format!("{name}.{}.member", index + 1), item, kind)).collect()
    }

    fn member(&self, name: &str) -> Option<&'v Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    fn list(&self, name: &str) -> Result<Option<&'v [Value]>, Error> {
        match self.member(name) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(other) => Err(self.wrong_type(name, other, "a list")),
        }
    }

    fn nested<T>(
        &mut self,
        members: &'v Object,
        path: String,
        read: impl FnOnce(&mut Fields<'v>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut nested =
            Fields { members, path, failures: std::mem::take(&mut self.failures), payload_bytes: self.payload_bytes };
        let found = read(&mut nested);
        self.failures = nested.failures;
        found
    }

    fn text(&mut self, name: &str, value: &Value, kind: &Text) -> Result<Arc<str>, Error> {
        let Value::String(value) = value else {
            return Err(self.wrong_type(name, value, "a String"));
        };
        for constraint in kind.broken_by(value, self.payload_bytes) {
            let shown = if kind.sensitive { String::new() } else { format!("'{value}' ") };
            self.note(name, &shown, &constraint);
        }
        Ok(value.clone())
    }

    /// Notes a list of fewer or more items than the API model says; `shown` is each item as the sentence shows it.
    pub(crate) fn note_count(&mut self, name: &str, shown: &[String], (min, max): (usize, usize)) {
        let broken = if shown.len() < min {
            format!("Member must have length greater than or equal to {min}")
        } else if shown.len() > max {
            format!("Member must have length less than or equal to {max}")
        } else {
            return;
        };
        self.note(name, &format!("'[{}]' ", shown.join(", ")), &broken);
    }

    pub(crate) fn note_null(&mut self, name: &str) {
        self.note(name, "null ", "Member must not be null");
    }

    /// `shown` is the value as the sentence shows it, with a blank behind it unless it is empty.
    fn note(&mut self, name: &str, shown: &str, constraint: &str) {
        let path = &self.path;
        self.failures.push(format!("Value {shown}at '{path}{name}' failed to satisfy constraint: {constraint}"));
    }

    fn wrong_type(&self, name: &str, found: &Value, expected: &str) -> Error {
        let path = &self.path;
        Error::Serialization(format!("{} can not be converted to {expected} at '{path}{name}'", token(found)))
    }
}

/// A value as the parser that AWS uses names what it found.
fn token(value: &Value) -> &'static str {
    match value {
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    }
}

#[cfg(test)]
mod tests {
    use stepwell_expr::json;

    use super::*;

    /// Reads `body` with `read`, then checks it: the error's text, or nothing.
    fn refusal(body: &str, read: impl FnOnce(&mut Fields<'_>) -> Result<(), Error>) -> String {
        let body = json::parse(body).unwrap();
        let mut fields = Fields::of(&body).unwrap();
        let found = read(&mut fields).and_then(|()| fields.check());
        found.map_or_else(|error| format!("{}: {error}", error.code()), |()| String::new())
    }

    fn all(fields: &mut Fields<'_>) -> Result<(), Error> {
        fields.required_text("arn", &ARN)?;
        fields.optional_text("name", &NAME)?;
        fields.optional_text("definition", &DEFINITION)?;
        fields.optional_text("trace", &TRACE_HEADER)?;
        fields.optional_text("token", &CLIENT_TOKEN)?;
        fields.optional_integer("max", 0, 1000)?;
        fields.optional_bool("flag")?;
        fields.optional_choice("status", &[("B", 1), ("A", 2)])?;
        fields.optional_objects("tags", |tag| tag.required_text("key", &TAG_KEY))?;
        fields.optional_object("block", |block| block.required_choice("type", &[("X", ())]))?;
        Ok(())
    }

    #[test]
    fn constraints() {
        let long = "x".repeat(81);
        let wide = "é".repeat(80);
        let cases = [
            (r#"{"arn":"a"}"#.to_string(), ""),
            (r#"{"arn":"a","name":null,"max":1000,"status":"A","tags":[],"unknown":[]}"#.into(), ""),
            (format!(r#"{{"arn":"a","name":"{wide}"}}"#), ""),
            (
                "{}".into(),
                "1 validation error detected: Value null at 'arn' failed to satisfy constraint: Member must not be null",
            ),
            (
                r#"{"arn":""}"#.into(),
                "1 validation error detected: Value '' at 'arn' failed to satisfy constraint: \
                 Member must have length greater than or equal to 1",
            ),
            (
                r#"{"arn":"a","max":1001}"#.into(),
                "1 validation error detected: Value '1001' at 'max' failed to satisfy constraint: \
                 Member must have value less than or equal to 1000",
            ),
            (
                r#"{"arn":"a","max":-1,"status":"a"}"#.into(),
                "2 validation errors detected: Value '-1' at 'max' failed to satisfy constraint: \
                 Member must have value greater than or equal to 0; Value 'a' at 'status' failed to satisfy \
                 constraint: Member must satisfy enum value set: [B, A]",
            ),
            (
                r#"{"arn":"a","definition":""}"#.into(),
                "1 validation error detected: Value at 'definition' failed to satisfy constraint: \
                 Member must have length greater than or equal to 1",
            ),
            (
                r#"{"arn":"a","trace":"é"}"#.into(),
                "1 validation error detected: Value 'é' at 'trace' failed to satisfy constraint: \
                 Member must satisfy regular expression pattern: \\p{ASCII}*",
            ),
            (
                r#"{"arn":"a","token":""}"#.into(),
                "2 validation errors detected: Value '' at 'token' failed to satisfy constraint: Member must have \
                 length greater than or equal to 1; Value '' at 'token' failed to satisfy constraint: Member must \
                 satisfy regular expression pattern: [!-~]+",
            ),
            (
                r#"{"arn":"a","tags":[{"key":"k"},{}],"block":{}}"#.into(),
                "2 validation errors detected: Value null at 'tags.2.member.key' failed to satisfy constraint: \
                 Member must not be null; Value null at 'block.type' failed to satisfy constraint: \
                 Member must not be null",
            ),
        ];
        for (body, expected) in cases {
            let expected = if expected.is_empty() { String::new() } else { format!("ValidationException: {expected}") };
            assert_eq!(refusal(&body, all), expected, "{body}");
        }
        assert_eq!(
            refusal(&format!(r#"{{"arn":"a","name":"{long}"}}"#), all),
            format!(
                "ValidationException: 1 validation error detected: Value '{long}' at 'name' failed to satisfy \
                 constraint: Member must have length less than or equal to 80"
            )
        );
    }

    #[test]
    fn payloads_and_definitions_are_counted_in_bytes() {
        let read = |fields: &mut Fields<'_>| fields.required_text("input", &PAYLOAD).map(|_| ());
        let fits = "é".repeat(limits::PAYLOAD_BYTES_MAX / 2);
        assert_eq!(refusal(&format!(r#"{{"input":"{fits}"}}"#), read), "");
        assert_eq!(
            refusal(&format!(r#"{{"input":"{fits}x"}}"#), read),
            "ValidationException: 1 validation error detected: Value at 'input' failed to satisfy constraint: \
             Member must have length less than or equal to 262144"
        );
    }

    #[test]
    fn wrong_types() {
        let cases = [
            (r#"{"arn":1}"#, "NUMBER_VALUE can not be converted to a String at 'arn'"),
            (r#"{"arn":["a"]}"#, "START_ARRAY can not be converted to a String at 'arn'"),
            (r#"{"arn":"a","max":"1"}"#, "STRING_VALUE can not be converted to an Integer at 'max'"),
            (r#"{"arn":"a","max":1.5}"#, "NUMBER_VALUE can not be converted to an Integer at 'max'"),
            (r#"{"arn":"a","flag":"true"}"#, "STRING_VALUE can not be converted to a Boolean at 'flag'"),
            (r#"{"arn":"a","status":true}"#, "TRUE_VALUE can not be converted to a String at 'status'"),
            (r#"{"arn":"a","tags":{}}"#, "START_OBJECT can not be converted to a list at 'tags'"),
            (r#"{"arn":"a","tags":[1]}"#, "NUMBER_VALUE can not be converted to a structure at 'tags'"),
            (
                r#"{"arn":"a","tags":[{"key":2}]}"#,
                "NUMBER_VALUE can not be converted to a String at 'tags.1.member.key'",
            ),
            (r#"{"arn":"a","block":""}"#, "STRING_VALUE can not be converted to a structure at 'block'"),
        ];
        for (body, expected) in cases {
            assert_eq!(refusal(body, all), format!("SerializationException: {expected}"), "{body}");
        }
        assert_eq!(
            Fields::of(&json::parse("[]").unwrap()).err(),
            Some(Error::Serialization("START_ARRAY found where a structure was expected".into()))
        );
    }
}
