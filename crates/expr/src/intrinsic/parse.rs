//! Text to a call.

use crate::{
    Value,
    intrinsic::{Argument, CallSyntaxError, Node, function::Function},
    json,
    jsonpath::parse::path_argument,
    limits::{CALL_ARGUMENTS_MAX, CALL_BYTES_MAX, CALL_DEPTH_MAX},
};

type Parsed<T> = Result<T, CallSyntaxError>;

/// Parses a whole text as one call.
pub(super) fn call(text: &str) -> Parsed<Node> {
    if text.len() > CALL_BYTES_MAX {
        return Err(fail(format!("intrinsic function call is longer than {CALL_BYTES_MAX} bytes")));
    }
    let mut parser = Parser { text, at: 0, depth: 0 };
    let refused = match parser.call() {
        Ok(node) if parser.at == text.len() => return Ok(node),
        Ok(_) => fail(format!("unexpected text after the intrinsic function call: `{}`", parser.rest())),
        Err(error) => error,
    };
    Err(CallSyntaxError { at: parser.at, ..refused })
}

/// The place is added where the error leaves the parser.
fn fail(message: impl Into<String>) -> CallSyntaxError {
    CallSyntaxError { message: message.into(), at: 0 }
}

struct Parser<'t> {
    text: &'t str,
    /// The next byte to read.
    at: usize,
    /// Calls that are open.
    depth: usize,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn take(&mut self, text: &str) -> bool {
        let there = self.rest().starts_with(text);
        if there {
            self.at += text.len();
        }
        there
    }

    fn skip_blanks(&mut self) {
        let blanks = self.rest().bytes().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
        self.at += blanks;
    }

    fn call(&mut self) -> Parsed<Node> {
        let start = self.at;
        let length = self.rest().bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'.').count();
        let name = &self.rest()[..length];
        let Some(function) = Function::of(name) else {
            return Err(fail(format!("`{name}` is not an intrinsic function")));
        };
        self.at += length;
        if !self.take("(") {
            return Err(fail(format!("`{name}` must be followed by its arguments in parentheses")));
        }
        self.depth += 1;
        if self.depth > CALL_DEPTH_MAX {
            return Err(fail(format!("intrinsic functions are nested deeper than {CALL_DEPTH_MAX} levels")));
        }
        let arguments = self.arguments(name)?;
        self.depth -= 1;
        Ok(Node { text: self.text[start..self.at].into(), function, arguments })
    }

    /// Reads arguments and the closing parenthesis.
    fn arguments(&mut self, name: &str) -> Parsed<Vec<Argument>> {
        let mut arguments = Vec::new();
        self.skip_blanks();
        if self.take(")") {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.argument()?);
            if arguments.len() > CALL_ARGUMENTS_MAX {
                return Err(fail(format!("`{name}` has more than {CALL_ARGUMENTS_MAX} arguments")));
            }
            self.skip_blanks();
            if self.take(")") {
                return Ok(arguments);
            }
            if !self.take(",") {
                return Err(fail(format!("the arguments of `{name}` are not separated by commas or not closed")));
            }
            self.skip_blanks();
        }
    }

    fn argument(&mut self) -> Parsed<Argument> {
        match self.rest().bytes().next() {
            Some(b'\'') => self.quoted(),
            Some(b'$') => {
                let (path, bytes) = match path_argument(self.rest()) {
                    Ok(parsed) => parsed,
                    Err(error) => {
                        self.at += error.at;
                        return Err(fail(error.message));
                    }
                };
                self.at += bytes;
                Ok(Argument::Path(path))
            }
            Some(b'S') => Ok(Argument::Call(self.call()?)),
            _ => self.literal(),
        }
    }

    /// `null`, `true`, `false` or a number.
    fn literal(&mut self) -> Parsed<Argument> {
        let word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
        let length = self.rest().bytes().take_while(word).count();
        let text = &self.rest()[..length];
        match json::parse(text) {
            Ok(value) => {
                self.at += length;
                Ok(Argument::Value(value))
            }
            Err(_) => Err(fail(format!("`{}` is not an argument of an intrinsic function", self.rest()))),
        }
    }

    /// `'text'`; a backslash stands before `'`, `{`, `}` and `\` alone.
    fn quoted(&mut self) -> Parsed<Argument> {
        self.at += 1;
        let start = self.at;
        let mut value = String::new();
        let mut escaped = false;
        for (index, char) in self.rest().char_indices() {
            match char {
                _ if escaped => {
                    if !matches!(char, '\'' | '{' | '}' | '\\') {
                        return Err(fail(format!("`\\{char}` is not an escape in the text of an intrinsic function")));
                    }
                    value.push(char);
                    escaped = false;
                }
                '\\' => escaped = true,
                '\'' => {
                    let written = self.text[start..start + index].into();
                    self.at = start + index + 1;
                    return Ok(Argument::Text { value: Value::from(value), written });
                }
                _ => value.push(char),
            }
        }
        Err(fail("a text of an intrinsic function has no closing quote"))
    }
}
