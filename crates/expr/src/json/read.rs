//! The parser. It walks as Jackson's `ReaderBasedJsonParser` does, so that it fails at the same places with the same
//! sentences.

use std::sync::Arc;

use crate::{
    Object, Value,
    json::{SyntaxError, number_from_text, place},
    limits::DEPTH_MAX,
};

const VALUES: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";
/// Longest unknown word that a message repeats, in characters. Source: Jackson's `MAX_ERROR_TOKEN_LENGTH`.
const TOKEN_CHARS_MAX: usize = 256;

/// Reads one document; builds its value only where `BUILD`.
pub(super) struct Reader<'t, const BUILD: bool> {
    text: &'t str,
    bytes: &'t [u8],
    /// The next byte to read; always at a character's border when an error is made.
    at: usize,
    /// Opening brackets that are not closed: which, and the byte after each.
    open: Vec<Open>,
    /// Holds a string with escapes while it is read.
    unescaped: String,
    /// Items of the arrays that are open, innermost last: an array is made when its length is known.
    items: Vec<Value>,
    /// Likewise the members of objects.
    members: Vec<(Arc<str>, Value)>,
    /// Names of members that were read lately: a name that comes again (in a list of objects) is shared.
    names: Vec<Option<Arc<str>>>,
}

/// Room for names that are shared; a power of two.
const NAMES_MAX: usize = 64;
/// Longer names are not shared.
const NAME_BYTES_MAX: usize = 32;

#[derive(Clone, Copy)]
struct Open {
    kind: Kind,
    after: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Array,
    Object,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Array => "Array",
            Kind::Object => "Object",
        }
    }
}

impl<'t, const BUILD: bool> Reader<'t, BUILD> {
    pub(super) fn new(text: &'t str) -> Reader<'t, BUILD> {
        Reader {
            text,
            bytes: text.as_bytes(),
            at: 0,
            open: Vec::new(),
            unescaped: String::new(),
            items: Vec::new(),
            members: Vec::new(),
            names: Vec::new(),
        }
    }

    pub(super) fn document(mut self) -> Result<Value, SyntaxError> {
        let Some(first) = self.skip_blanks()? else {
            let message = "No content to map due to end-of-input".to_string();
            return Err(SyntaxError { message, line: 1, column: 0 });
        };
        let value = self.value(first)?;
        if let Some(next) = self.skip_blanks()? {
            let kind = match next {
                b'{' => "START_OBJECT",
                b'[' => "START_ARRAY",
                b'"' => "VALUE_STRING",
                _ => "VALUE",
            };
            if !matches!(next, b'{' | b'[' | b'"') {
                self.value(next)?;
            }
            return Err(self.fail(format!("Trailing token (of type {kind}) found after value: not allowed")));
        }
        Ok(value)
    }

    /// Reads the value that begins with `first`, the byte at `at`.
    fn value(&mut self, first: u8) -> Result<Value, SyntaxError> {
        match first {
            b'"' => {
                self.at += 1;
                let text = self.string(": was expecting closing quote for a string value", "string value")?;
                Ok(if BUILD { Value::String(text.unwrap_or(&self.unescaped).into()) } else { Value::Null })
            }
            b'{' => self.object(),
            b'[' => self.array(),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'n' => self.word("null", Value::Null),
            b'-' | b'0'..=b'9' => self.number(first),
            _ => Err(self.odd_value(first)),
        }
    }

    fn array(&mut self) -> Result<Value, SyntaxError> {
        self.enter(Kind::Array)?;
        let own_from = self.items.len();
        let mut next = self.need_entry()?;
        while next != b']' {
            let item = self.value(next)?;
            if BUILD {
                self.items.push(item);
            }
            next = self.need_entry()?;
            if next != b']' {
                next = self.comma(next)?;
                if next == b']' {
                    return Err(self.odd_value(next));
                }
            }
        }
        self.leave();
        Ok(if BUILD { Value::array(self.items.split_off(own_from)) } else { Value::Null })
    }

    fn object(&mut self) -> Result<Value, SyntaxError> {
        self.enter(Kind::Object)?;
        let own_from = self.members.len();
        let mut next = self.need_entry()?;
        while next != b'}' {
            if next != b'"' {
                return Err(self.unexpected("was expecting double-quote to start field name"));
            }
            self.at += 1;
            let name = self.name()?;
            let first = self.colon()?;
            let member = self.value(first)?;
            if let Some(name) = name {
                self.members.push((name, member));
            }
            next = self.need_entry()?;
            if next != b'}' {
                next = self.comma(next)?;
                if next == b'}' {
                    return Err(self.unexpected("was expecting double-quote to start field name"));
                }
            }
        }
        self.leave();
        if !BUILD {
            return Ok(Value::Null);
        }
        let mut members = Object::with_capacity_and_hasher(self.members.len() - own_from, Default::default());
        members.extend(self.members.drain(own_from..));
        Ok(Value::Object(Arc::new(members)))
    }

    /// Reads a member's name after its opening quote, and the closing one; `None` where nothing is built.
    fn name(&mut self) -> Result<Option<Arc<str>>, SyntaxError> {
        let Some(text) = self.string(" in field name", "name")? else {
            return Ok(if BUILD { Some(self.unescaped.as_str().into()) } else { None });
        };
        if !BUILD {
            return Ok(None);
        }
        if text.len() > NAME_BYTES_MAX {
            return Ok(Some(text.into()));
        }
        let ends = text.bytes().next().map_or(0, usize::from) + 3 * text.bytes().next_back().map_or(0, usize::from);
        let place = (ends + 7 * text.len()) % NAMES_MAX;
        if self.names.is_empty() {
            self.names.resize_with(NAMES_MAX, || None);
        }
        match &self.names[place] {
            Some(name) if **name == *text => Ok(Some(name.clone())),
            _ => {
                let name: Arc<str> = text.into();
                self.names[place] = Some(name.clone());
                Ok(Some(name))
            }
        }
    }

    fn enter(&mut self, kind: Kind) -> Result<(), SyntaxError> {
        self.at += 1;
        if self.open.len() >= DEPTH_MAX {
            let depth = self.open.len() + 1;
            return Err(
                self.fail(format!("Document nesting depth ({depth}) exceeds the maximum allowed ({DEPTH_MAX})"))
            );
        }
        self.open.push(Open { kind, after: self.at });
        Ok(())
    }

    /// Takes the closing bracket at `at`.
    fn leave(&mut self) {
        self.at += 1;
        self.open.pop();
    }

    /// What stands where an entry, a comma or the closing bracket may; fails at the end and at the wrong bracket.
    fn need_entry(&mut self) -> Result<u8, SyntaxError> {
        let Some(next) = self.skip_blanks()? else {
            let Some(open) = self.open.last() else {
                return Err(self.fail("Unexpected end-of-input".to_string()));
            };
            let start = self.place_of(open.after);
            let kind = open.kind.name();
            return Err(self
                .fail(format!("Unexpected end-of-input: expected close marker for {kind} (start marker at {start})")));
        };
        let wrong = match self.open.last() {
            Some(Open { kind: Kind::Array, .. }) => next == b'}',
            _ => next == b']',
        };
        if wrong { Err(self.mismatch(next)) } else { Ok(next) }
    }

    fn mismatch(&mut self, close: u8) -> SyntaxError {
        self.at += 1;
        let expected = if close == b']' { '}' } else { ']' };
        let (kind, start) = match self.open.last() {
            Some(open) => (open.kind.name(), self.place_of(open.after)),
            None => ("root", place(self.text, 1, 0)),
        };
        let close = char::from(close);
        self.fail(format!("Unexpected close marker '{close}': expected '{expected}' (for {kind} starting at {start})"))
    }

    fn comma(&mut self, next: u8) -> Result<u8, SyntaxError> {
        let kind = self.open.last().map_or("root", |open| open.kind.name());
        if next != b',' {
            return Err(self.unexpected(&format!("was expecting comma to separate {kind} entries")));
        }
        self.at += 1;
        match self.skip_blanks()? {
            Some(next) => Ok(next),
            None => Err(self.fail(format!("Unexpected end-of-input within/between {kind} entries"))),
        }
    }

    fn colon(&mut self) -> Result<u8, SyntaxError> {
        let end = "Unexpected end-of-input within/between Object entries";
        match self.skip_blanks()? {
            Some(b':') => self.at += 1,
            Some(_) => return Err(self.unexpected("was expecting a colon to separate field name and value")),
            None => return Err(self.fail(end.to_string())),
        }
        match self.skip_blanks()? {
            Some(b'}') => Err(self.unexpected("expected a value")),
            Some(first) => Ok(first),
            None => Err(self.fail(end.to_string())),
        }
    }

    /// Moves to the next byte that is no blank; `None` at the end.
    fn skip_blanks(&mut self) -> Result<Option<u8>, SyntaxError> {
        while let Some(byte) = self.bytes.get(self.at).copied() {
            match byte {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                0..b' ' => {
                    self.at += 1;
                    return Err(self.fail(format!(
                        "Illegal character ((CTRL-CHAR, code {byte})): only regular white space (\\r, \\n, \\t) is allowed \
                         between tokens"
                    )));
                }
                b'/' => {
                    return Err(self.unexpected(
                        "maybe a (non-standard) comment? (not recognized as one since Feature 'ALLOW_COMMENTS' not \
                         enabled for parser)",
                    ));
                }
                _ => return Ok(Some(byte)),
            }
        }
        Ok(None)
    }

    fn word(&mut self, word: &'static str, value: Value) -> Result<Value, SyntaxError> {
        let start = self.at;
        let same = self.bytes[start..].iter().zip(word.as_bytes()).take_while(|(a, b)| a == b).count();
        self.at += same;
        if same == word.len() && !self.text[self.at..].chars().next().is_some_and(is_identifier_part) {
            return Ok(value);
        }
        Err(self.unrecognized(start))
    }

    fn odd_value(&mut self, first: u8) -> SyntaxError {
        let start = self.at;
        if first == b'N' || first == b'I' {
            for word in ["NaN", "Infinity"] {
                let end = start + word.len();
                let whole = self.text[start..].starts_with(word)
                    && !self.text[end..].chars().next().is_some_and(is_identifier_part);
                if whole {
                    self.at = end;
                    return self.fail(format!(
                        "Non-standard token '{word}': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow"
                    ));
                }
            }
        }
        if first == b']' && self.open.is_empty() {
            return self.mismatch(first);
        }
        if first == b'}' {
            return if self.open.is_empty() { self.mismatch(first) } else { self.unexpected("expected a value") };
        }
        if self.text[start..].chars().next().is_some_and(is_identifier_start) {
            return self.unrecognized(start);
        }
        self.unexpected(&format!("expected a valid value {VALUES}"))
    }

    /// The word from `start` on is none of JSON's.
    fn unrecognized(&mut self, start: usize) -> SyntaxError {
        let taken = self.at - start;
        let mut word = String::new();
        for (index, char) in self.text[start..].char_indices() {
            if index >= taken && index > 0 && !is_identifier_part(char) {
                break;
            }
            word.push(char);
            self.at = start + index + char.len_utf8();
            if word.len() >= TOKEN_CHARS_MAX {
                word.push_str("...");
                break;
            }
        }
        self.fail(format!("Unrecognized token '{word}': was expecting {VALUES}"))
    }

    fn number(&mut self, first: u8) -> Result<Value, SyntaxError> {
        let start = self.at;
        if first == b'-' {
            self.at += 1;
            match self.bytes.get(self.at) {
                Some(b'0'..=b'9') => {}
                Some(_) => {
                    let (char, description) = self.describe_next();
                    self.at += char;
                    return Err(self.fail(format!(
                        "Unexpected character ({description}) in numeric value: expected digit (0-9) to follow minus \
                         sign, for valid numeric value"
                    )));
                }
                None => return Err(self.fail("Unexpected end-of-input: No digit following minus sign".to_string())),
            }
        }
        if self.bytes[self.at] == b'0' && self.bytes.get(self.at + 1).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
            return Err(self.fail("Invalid numeric value: Leading zeroes not allowed".to_string()));
        }
        self.digits();
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.unexpected_in_number("Decimal point not followed by a digit"));
            }
        }
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.bytes.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.unexpected_in_number("Exponent indicator not followed by a digit"));
            }
        }
        let blank = matches!(self.bytes.get(self.at), None | Some(b' ' | b'\t' | b'\n' | b'\r'));
        if self.open.is_empty() && !blank {
            return Err(self.unexpected("Expected space separating root-level values"));
        }
        if !BUILD {
            return Ok(Value::Null);
        }
        Ok(Value::Number(number_from_text(&self.text[start..self.at])))
    }

    /// Takes digits; answers how many.
    fn digits(&mut self) -> usize {
        let count = self.bytes[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    fn unexpected_in_number(&mut self, comment: &str) -> SyntaxError {
        if self.at >= self.bytes.len() {
            self.at -= 1; // Jackson describes the last character that there was.
        }
        let (bytes, description) = self.describe_next();
        self.at += bytes;
        self.fail(format!("Unexpected character ({description}) in numeric value: {comment}"))
    }

    /// Reads a string after its opening quote, and the closing one. `None`: it had escapes and is in `unescaped`.
    fn string(&mut self, at_end: &str, control_in: &str) -> Result<Option<&'t str>, SyntaxError> {
        let start = self.at;
        match self.plain_run() {
            Some(b'"') => {
                let text = &self.text[start..self.at];
                self.at += 1;
                return Ok(Some(text));
            }
            Some(b'\\') => {}
            other => return Err(self.broken_string(other, at_end, control_in)),
        }
        self.unescaped.clear();
        let mut run = start;
        loop {
            self.unescaped.push_str(&self.text[run..self.at]);
            self.at += 1;
            let char = self.escape()?;
            self.unescaped.push(char);
            run = self.at;
            match self.plain_run() {
                Some(b'"') => {
                    self.unescaped.push_str(&self.text[run..self.at]);
                    self.at += 1;
                    return Ok(None);
                }
                Some(b'\\') => {}
                other => return Err(self.broken_string(other, at_end, control_in)),
            }
        }
    }

    /// Moves over characters that stand for themselves; answers the byte that does not.
    fn plain_run(&mut self) -> Option<u8> {
        let rest = &self.bytes[self.at..];
        let plain = rest.iter().position(|byte| *byte < b' ' || *byte == b'"' || *byte == b'\\');
        self.at += plain.unwrap_or(rest.len());
        self.bytes.get(self.at).copied()
    }

    fn broken_string(&mut self, control: Option<u8>, at_end: &str, control_in: &str) -> SyntaxError {
        match control {
            Some(byte) => {
                self.at += 1;
                self.fail(format!(
                    "Illegal unquoted character ((CTRL-CHAR, code {byte})): has to be escaped using backslash to be \
                     included in {control_in}"
                ))
            }
            None => self.fail(format!("Unexpected end-of-input{at_end}")),
        }
    }

    /// Reads what follows a backslash.
    ///
    /// Half of a surrogate pair alone becomes U+FFFD: UTF-8 cannot hold it.
    fn escape(&mut self) -> Result<char, SyntaxError> {
        let char = match self.bytes.get(self.at) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode_escape();
            }
            Some(_) => {
                let (bytes, description) = self.describe_next();
                self.at += bytes;
                return Err(self.fail(format!("Unrecognized character escape {description}")));
            }
            None => return Err(self.fail("Unexpected end-of-input in character escape sequence".to_string())),
        };
        self.at += 1;
        Ok(char)
    }

    fn unicode_escape(&mut self) -> Result<char, SyntaxError> {
        let unit = self.hex_digits()?;
        if (0xD800..0xDC00).contains(&unit) && self.bytes[self.at..].starts_with(b"\\u") {
            let before = self.at;
            self.at += 2;
            let low = self.hex_digits()?;
            if (0xDC00..0xE000).contains(&low) {
                let code = 0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before;
        }
        Ok(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex_digits(&mut self) -> Result<u32, SyntaxError> {
        let mut code = 0;
        for _ in 0..4 {
            let Some(byte) = self.bytes.get(self.at).copied() else {
                return Err(self.fail("Unexpected end-of-input in character escape sequence".to_string()));
            };
            let Some(digit) = char::from(byte).to_digit(16) else {
                return Err(self.unexpected("expected a hex-digit for character escape sequence"));
            };
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }

    /// The character at `at` should not be there.
    fn unexpected(&mut self, comment: &str) -> SyntaxError {
        let (bytes, description) = self.describe_next();
        self.at += bytes;
        self.fail(format!("Unexpected character ({description}): {comment}"))
    }

    /// The bytes of the character at `at`, and how Jackson names it.
    fn describe_next(&self) -> (usize, String) {
        let Some(char) = self.text.get(self.at..).and_then(|rest| rest.chars().next()) else {
            return (0, String::new());
        };
        let code = u32::from(char);
        let description = match code {
            _ if char.is_control() => format!("(CTRL-CHAR, code {code})"),
            0..=255 => format!("'{char}' (code {code})"),
            256..=0xFFFF => format!("'{char}' (code {code} / 0x{code:x})"),
            _ => {
                // Java sees the first half of the surrogate pair.
                let half = 0xD800 + ((code - 0x1_0000) >> 10);
                format!("'?' (code {half} / 0x{half:x})")
            }
        };
        (char.len_utf8(), description)
    }

    fn fail(&self, message: String) -> SyntaxError {
        let (line, column) = self.line_and_column(self.at);
        SyntaxError { message, line, column: column + 1 }
    }

    fn place_of(&self, after: usize) -> String {
        let (line, column) = self.line_and_column(after);
        place(self.text, line, column)
    }

    /// The line of byte `at`, from 1, and how many UTF-16 units of that line stand before it.
    fn line_and_column(&self, at: usize) -> (usize, usize) {
        let mut line = 1;
        let mut column = 0;
        let mut previous = ' ';
        for char in self.text[..at].chars() {
            match char {
                '\n' if previous == '\r' => column = 0,
                '\n' | '\r' => {
                    line += 1;
                    column = 0;
                }
                _ => column += char.len_utf16(),
            }
            previous = char;
        }
        (line, column)
    }
}

/// Source: Java's `Character.isJavaIdentifierStart`, nearly.
fn is_identifier_start(char: char) -> bool {
    char.is_alphabetic() || char == '_' || char == '$'
}

fn is_identifier_part(char: char) -> bool {
    char.is_alphanumeric() || char == '_' || char == '$'
}
