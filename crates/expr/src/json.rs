//! JSON text to value and back, exact about numbers and order, with Jackson's error texts (as AWS shows them).
//!
//! Numbers: a whole number that fits `i64` is [`crate::Number::Int`] (`-0` is `0`, as AWS answers it); a fraction
//! or an exponent makes a [`crate::Number::Double`] where the double says the same decimal number; all others keep
//! their text. Of members with the same name the last value wins, in the place of the first.

mod number;
mod read;
mod write;

pub use number::{double_to_text, number_from_text};
pub use write::{to_text, write_string, write_value};

use crate::Value;
use read::Reader;

/// Most characters of a text that an error's place quotes. Source: Jackson's `ContentReference`.
const SOURCE_CHARS_MAX: usize = 500;

/// Why a text is not JSON: Jackson's sentence and place.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// Jackson's sentence, e.g. `Unrecognized token 'not': was expecting (JSON String, ...)`.
    pub message: String,
    /// Line and column from 1, as Jackson counts them: the column after the last character that was read.
    pub line: usize,
    pub column: usize,
}

impl SyntaxError {
    /// The place as Jackson prints it: `[Source: (String)"not a definition"; line: 1, column: 4]`.
    ///
    /// `text` is what was parsed; at most its first 500 characters are quoted.
    pub fn place(&self, text: &str) -> String {
        place(text, self.line, self.column)
    }
}

/// Parses one JSON document; nothing but blanks may follow it.
pub fn parse(text: &str) -> Result<Value, SyntaxError> {
    Reader::<true>::new(text).document()
}

/// Checks that `text` is one JSON document that [`parse`] would take, without building it.
pub fn check(text: &str) -> Result<(), SyntaxError> {
    Reader::<false>::new(text).document().map(|_| ())
}

fn place(text: &str, line: usize, column: usize) -> String {
    let mut units = 0;
    let mut quoted = String::new();
    let mut rest = 0;
    for char in text.chars() {
        if units >= SOURCE_CHARS_MAX {
            rest += char.len_utf16();
            continue;
        }
        units += char.len_utf16();
        match char {
            '\r' | '\n' => quoted.push(char),
            _ if char.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(char))),
            _ => quoted.push(char),
        }
    }
    let truncated = if rest > 0 { format!("[truncated {rest} chars]") } else { String::new() };
    format!("[Source: (String)\"{quoted}\"{truncated}; line: {line}, column: {column}]")
}

#[cfg(test)]
mod tests;
