//! The text of an expression to tokens.

use std::ops::Range;
use std::sync::Arc;

use super::Dialect;
use super::fault::Fault;
use super::regex::Regex;

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    /// Bytes of the text.
    pub(super) at: Range<usize>,
}

#[derive(Clone, Debug)]
pub(super) enum TokenKind {
    Operator(&'static str),
    Name(Arc<str>),
    /// Without its `$`.
    Variable(Arc<str>),
    Text(Arc<str>),
    Number(f64),
    Bool(bool),
    Null,
    Regex(Arc<Regex>),
    End,
}

impl Token {
    /// What stands in error sentences for the token.
    pub(super) fn word(&self) -> String {
        match &self.kind {
            TokenKind::Operator(operator) => (*operator).to_owned(),
            TokenKind::Name(text) | TokenKind::Variable(text) | TokenKind::Text(text) => text.to_string(),
            TokenKind::Number(number) => super::number::to_text(*number),
            TokenKind::Bool(bool) => bool.to_string(),
            TokenKind::Null => "null".to_owned(),
            TokenKind::Regex(regex) => format!("/{}/", regex.source()),
            TokenKind::End => "(end)".to_owned(),
        }
    }

    /// `fault` about this token.
    pub(super) fn named_in(&self, fault: Fault) -> Fault {
        let fault = fault.at(self.at.clone());
        match self.kind {
            TokenKind::Number(_) | TokenKind::Bool(_) | TokenKind::Null => fault.json_token(self.word()),
            _ => fault.token(self.word()),
        }
    }

    pub(super) fn is(&self, operator: &str) -> bool {
        matches!(&self.kind, TokenKind::Operator(own) if *own == operator)
    }
}

const BLANKS: &str = " \t\n\r\u{b}";
/// Operators of two characters, before those of one that they begin with.
const LONG: [&str; 7] = ["..", ":=", "!=", ">=", "<=", "**", "~>"];
/// Those that came after 2.0.6.
const LATER: [&str; 2] = ["?:", "??"];
const SHORT: [&str; 25] = [
    ".", "[", "]", "{", "}", "(", ")", ",", "@", "#", ";", ":", "?", "+", "-", "*", "/", "%", "|", "=", "<", ">", "^",
    "&", "!",
];

pub(super) struct Lexer<'t> {
    text: &'t str,
    position: usize,
    dialect: Dialect,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str, dialect: Dialect) -> Lexer<'t> {
        Lexer { text, position: 0, dialect }
    }

    fn rest(&self) -> &'t str {
        &self.text[self.position..]
    }

    /// `infix`: an operand stands before, so `/` divides and begins no regular expression.
    pub(super) fn next(&mut self, infix: bool) -> Result<Token, Fault> {
        self.skip_blanks()?;
        let start = self.position;
        let Some(first) = self.rest().chars().next() else {
            return Ok(Token { kind: TokenKind::End, at: start..start });
        };
        let kind = if first == '/' && !infix {
            self.regex()?
        } else if let Some(operator) = self.operator() {
            self.position += operator.len();
            TokenKind::Operator(operator)
        } else if first == '"' || first == '\'' {
            self.position += 1;
            TokenKind::Text(self.string(first, start)?)
        } else if let Some(lexeme) = number_at(self.rest()) {
            self.position += lexeme.len();
            match lexeme.parse::<f64>() {
                Ok(number) if number.is_finite() => TokenKind::Number(number),
                _ => return Err(Fault::new("S0102").at(start..self.position).token(lexeme)),
            }
        } else if first == '`' {
            self.quoted_name(start)?
        } else {
            self.name()
        };
        Ok(Token { kind, at: start..self.position })
    }

    fn skip_blanks(&mut self) -> Result<(), Fault> {
        loop {
            let rest = self.rest().trim_start_matches(|char| BLANKS.contains(char));
            self.position = self.text.len() - rest.len();
            if !rest.starts_with("/*") {
                return Ok(());
            }
            let start = self.position;
            match rest.get(2..).and_then(|inside| inside.find("*/")) {
                Some(length) => self.position += length + 4,
                None => return Err(Fault::new("S0106").at(start..start + 2)),
            }
        }
    }

    fn operator(&self) -> Option<&'static str> {
        let rest = self.rest();
        let later = if self.dialect == Dialect::Plain { &LATER[..] } else { &[] };
        let long = LONG.iter().chain(later).find(|operator| rest.starts_with(**operator));
        long.or_else(|| SHORT.iter().chain(&["~"]).find(|operator| rest.starts_with(**operator))).copied()
    }

    fn string(&mut self, quote: char, start: usize) -> Result<Arc<str>, Fault> {
        let mut text = String::new();
        // The first half of a pair of `\u` escapes that make one character.
        let mut high: Option<u32> = None;
        loop {
            let Some(char) = self.rest().chars().next() else {
                return Err(Fault::new("S0101").at(start..self.position));
            };
            let unit = match char {
                '\\' => {
                    self.position += 1;
                    self.escape()?
                }
                _ => {
                    self.position += char.len_utf8();
                    if char == quote {
                        if high.is_some() {
                            text.push(char::REPLACEMENT_CHARACTER);
                        }
                        return Ok(text.into());
                    }
                    u32::from(char)
                }
            };
            match (high.take(), unit) {
                (Some(high), low @ 0xDC00..=0xDFFF) => {
                    let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                    text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                (lone, unit) => {
                    if lone.is_some() {
                        text.push(char::REPLACEMENT_CHARACTER);
                    }
                    match unit {
                        0xD800..=0xDBFF => high = Some(unit),
                        // Half a character alone is no text.
                        _ => text.push(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)),
                    }
                }
            }
        }
    }

    /// What stands behind a backslash, as a UTF-16 unit or a character.
    fn escape(&mut self) -> Result<u32, Fault> {
        let start = self.position - 1;
        let Some(char) = self.rest().chars().next() else {
            return Err(Fault::new("S0103").at(start..self.position).token(""));
        };
        self.position += char.len_utf8();
        let unit = match char {
            '"' | '\\' | '/' => u32::from(char),
            'b' => 0x08,
            'f' => 0x0c,
            'n' => 0x0a,
            'r' => 0x0d,
            't' => 0x09,
            'u' => {
                let digits = self.text.get(self.position..self.position + 4);
                let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
                match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
                    Some(unit) => {
                        self.position += 4;
                        unit
                    }
                    None => return Err(Fault::new("S0104").at(start..self.position)),
                }
            }
            other => return Err(Fault::new("S0103").at(start..self.position).token(other.to_string())),
        };
        Ok(unit)
    }

    fn quoted_name(&mut self, start: usize) -> Result<TokenKind, Fault> {
        self.position += 1;
        match self.rest().find('`') {
            Some(length) => {
                let name = &self.rest()[..length];
                self.position += length + 1;
                Ok(TokenKind::Name(name.into()))
            }
            None => Err(Fault::new("S0105").at(start..self.text.len())),
        }
    }

    fn name(&mut self) -> TokenKind {
        let ends =
            |char: char| BLANKS.contains(char) || char == '~' || SHORT.iter().any(|short| short.starts_with(char));
        let rest = self.rest();
        let word = &rest[..rest.find(ends).unwrap_or(rest.len())];
        self.position += word.len();
        match word {
            "and" => TokenKind::Operator("and"),
            "or" => TokenKind::Operator("or"),
            "in" => TokenKind::Operator("in"),
            "true" => TokenKind::Bool(true),
            "false" => TokenKind::Bool(false),
            "null" => TokenKind::Null,
            _ => match word.strip_prefix('$') {
                Some(name) => TokenKind::Variable(name.into()),
                None => TokenKind::Name(word.into()),
            },
        }
    }

    /// From the slash to the flags. A slash ends it that has no odd number of backslashes before it and stands in no
    /// brackets of any kind.
    fn regex(&mut self) -> Result<TokenKind, Fault> {
        let start = self.position;
        let bytes = self.text.as_bytes();
        let mut depth = 0_i64;
        let mut at = start + 1;
        let is_escaped = |at: usize| bytes[..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'/' if depth == 0 && !is_escaped(at) => {
                    let pattern = &self.text[start + 1..at];
                    if pattern.is_empty() {
                        return Err(Fault::new("S0301").at(start..at + 1));
                    }
                    let flags = bytes[at + 1..].iter().take_while(|byte| matches!(byte, b'i' | b'm')).count();
                    let flags = &self.text[at + 1..at + 1 + flags];
                    self.position = at + 1 + flags.len();
                    let regex = Regex::new(pattern, flags);
                    return regex.map(|regex| TokenKind::Regex(Arc::new(regex))).map_err(|why| {
                        let message = format!("Invalid regular expression: /{pattern}/: {why}");
                        Fault::new("").at(start..self.position).message(message)
                    });
                }
                b'(' | b'[' | b'{' if bytes[at - 1] != b'\\' => depth += 1,
                b')' | b']' | b'}' if bytes[at - 1] != b'\\' => depth -= 1,
                _ => {}
            }
            at += 1;
        }
        Err(Fault::new("S0302").at(start..self.text.len()))
    }
}

/// The number of JSON's grammar, without a sign, at the beginning of `text`.
fn number_at(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = match bytes.first()? {
        b'0' => 1,
        b'1'..=b'9' => digits(0),
        _ => return None,
    };
    if bytes.get(end) == Some(&b'.') && digits(end + 1) > 0 {
        end += 1 + digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if end + 1 + sign < bytes.len() && digits(end + 1 + sign) > 0 {
            end += 1 + sign + digits(end + 1 + sign);
        }
    }
    Some(&text[..end])
}
