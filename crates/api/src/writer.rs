//! JSON answers, written straight to text.

use std::fmt::Write;

use stepwell_expr::{Value, json};

/// An object or array that is being written. Member names are ours and need no escapes.
///
/// Whether a comma is due is read off the text: none directly after an opening bracket.
pub(crate) struct Writer {
    text: String,
}

impl Writer {
    /// A new answer: an object that is open until [`Writer::end`].
    pub(crate) fn object() -> Writer {
        Writer { text: "{".into() }
    }

    /// Closes the answer.
    pub(crate) fn end(mut self) -> String {
        self.text.push('}');
        self.text
    }

    pub(crate) fn string(&mut self, name: &str, value: &str) {
        self.name(name);
        json::write_string(&mut self.text, value);
    }

    pub(crate) fn optional_string(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.string(name, value);
        }
    }

    pub(crate) fn bool(&mut self, name: &str, value: bool) {
        self.name(name);
        self.text.push_str(if value { "true" } else { "false" });
    }

    pub(crate) fn number(&mut self, name: &str, value: u64) {
        self.name(name);
        write!(self.text, "{value}").expect("writing to a String does not fail");
    }

    /// Always with a fraction: `1.0`.
    pub(crate) fn float(&mut self, name: &str, value: f64) {
        self.name(name);
        write!(self.text, "{value:?}").expect("writing to a String does not fail");
    }

    /// Epoch seconds with milliseconds as a fraction: `1716800000.123`. Source: AWS JSON protocol.
    pub(crate) fn timestamp(&mut self, name: &str, ms: i64) {
        self.name(name);
        let sign = if ms < 0 { "-" } else { "" };
        let ms = ms.unsigned_abs();
        write!(self.text, "{sign}{}.{:03}", ms / 1_000, ms % 1_000).expect("writing to a String does not fail");
    }

    pub(crate) fn value(&mut self, name: &str, value: &Value) {
        self.name(name);
        json::write_value(&mut self.text, value);
    }

    /// A member that is an object; `members` writes its content.
    pub(crate) fn member_object(&mut self, name: &str, members: impl FnOnce(&mut Writer)) {
        self.name(name);
        self.braced(members);
    }

    /// A member that is an array of objects; `members` writes the content of each.
    pub(crate) fn objects<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut members: impl FnMut(&mut Writer, T),
    ) {
        self.name(name);
        self.text.push('[');
        for item in items {
            self.comma();
            self.braced(|writer| members(writer, item));
        }
        self.text.push(']');
    }

    /// A member that is an array of strings.
    pub(crate) fn strings<'s>(&mut self, name: &str, items: impl IntoIterator<Item = &'s str>) {
        self.any_name(name);
        self.text.push('[');
        for item in items {
            self.comma();
            json::write_string(&mut self.text, item);
        }
        self.text.push(']');
    }

    /// As [`Writer::string`], with a name that a user chose.
    pub(crate) fn named_string(&mut self, name: &str, value: &str) {
        self.any_name(name);
        json::write_string(&mut self.text, value);
    }

    fn braced(&mut self, members: impl FnOnce(&mut Writer)) {
        self.text.push('{');
        members(self);
        self.text.push('}');
    }

    fn name(&mut self, name: &str) {
        self.comma();
        self.text.push('"');
        self.text.push_str(name);
        self.text.push_str("\":");
    }

    fn any_name(&mut self, name: &str) {
        self.comma();
        json::write_string(&mut self.text, name);
        self.text.push(':');
    }

    fn comma(&mut self) {
        if !self.text.ends_with(['{', '[']) {
            self.text.push(',');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_nesting_and_timestamps() {
        let mut writer = Writer::object();
        writer.member_object("empty", |_| {});
        writer.timestamp("at", 1_716_800_000_023);
        writer.timestamp("before", -1);
        writer.string("open", "{");
        writer.objects("list", [1, 2], |writer, item| writer.number("n", item));
        writer.strings("a\"b", ["[", "x"]);
        writer.bool("last", false);
        assert_eq!(
            writer.end(),
            concat!(
                r#"{"empty":{},"at":1716800000.023,"before":-0.001,"open":"{","list":[{"n":1},{"n":2}],"#,
                r#""a\"b":["[","x"],"last":false}"#
            )
        );
    }
}
