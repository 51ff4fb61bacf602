//! Text to steps. Messages are Jayway's where it has one.

use std::sync::Arc;

use regex::RegexBuilder;

use crate::{
    Object, Value, json,
    jsonpath::{
        Head, Path, PathSyntaxError,
        filter::{Filter, Operand, Operator},
        function::{Argument, Function, Name},
        step::Step,
    },
    limits::{FILTER_DEPTH_MAX, FILTER_GROUPS_MAX, PATH_BYTES_MAX, PATH_STEPS_MAX, REGEX_BYTES_MAX},
};

/// Where a path ends.
#[derive(Clone, Copy, PartialEq)]
enum Ends {
    /// At the end of the text.
    Text,
    /// As an argument of a call: at a blank, a comma or a closing parenthesis.
    Argument,
    /// In a filter: at a blank, an operator or a closing parenthesis.
    Filter,
}

type Parsed<T> = Result<T, PathSyntaxError>;

/// Parses a whole text as one path; blanks around it do not matter.
pub(super) fn path(text: &str) -> Parsed<Path> {
    let trimmed = text.trim();
    let mut parser = Parser::new(trimmed)?;
    match parser.path(Ends::Text) {
        Ok((head, steps)) => Ok(Path::new(text.into(), head, steps)),
        Err(error) => Err(PathSyntaxError { at: text.len() - text.trim_start().len() + parser.at, ..error }),
    }
}

/// Parses the path that `text` begins with, as an argument of an intrinsic call; answers it and its bytes.
pub(crate) fn path_argument(text: &str) -> Parsed<(Path, usize)> {
    let mut parser = Parser { text, at: 0, filters: 0, groups: 0 };
    let parsed = parser.path(Ends::Argument);
    let (head, steps) = parsed.map_err(|error| PathSyntaxError { at: parser.at, ..error })?;
    if parser.at > PATH_BYTES_MAX {
        return Err(too_long());
    }
    Ok((Path::new(text[..parser.at].into(), head, steps), parser.at))
}

fn too_long() -> PathSyntaxError {
    fail(format!("path is longer than {PATH_BYTES_MAX} bytes"))
}

/// The place is added where the error leaves the parser.
fn fail(message: impl Into<String>) -> PathSyntaxError {
    PathSyntaxError { message: message.into(), at: 0 }
}

struct Parser<'t> {
    text: &'t str,
    /// The next byte to read.
    at: usize,
    /// How many filters and function arguments are open.
    filters: usize,
    /// How many parentheses, `!` and literal brackets are open within a filter.
    groups: usize,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Parsed<Parser<'t>> {
        if text.len() > PATH_BYTES_MAX {
            return Err(too_long());
        }
        Ok(Parser { text, at: 0, filters: 0, groups: 0 })
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let char = self.peek()?;
        self.at += char.len_utf8();
        Some(char)
    }

    fn take(&mut self, text: &str) -> bool {
        let there = self.rest().starts_with(text);
        if there {
            self.at += text.len();
        }
        there
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    /// Jayway counts characters from 0.
    fn position(&self) -> usize {
        self.text.get(..self.at).unwrap_or("").chars().count()
    }

    fn path(&mut self, ends: Ends) -> Parsed<(Head, Vec<Step>)> {
        let head = self.head(ends)?;
        let mut steps = Vec::new();
        while self.step(ends, &mut steps)? {
            if steps.len() > PATH_STEPS_MAX {
                return Err(fail(format!("path has more than {PATH_STEPS_MAX} steps")));
            }
        }
        if matches!(steps.last(), Some(Step::Descend)) {
            return Err(fail("Path must not end with a '.' or '..'"));
        }
        let functions = steps.iter().position(|step| matches!(step, Step::Function(_))).unwrap_or(steps.len());
        if steps[functions..].iter().any(|step| !matches!(step, Step::Function(_))) {
            return Err(fail("a function can only stand at the end of a path"));
        }
        Ok((head, steps))
    }

    fn head(&mut self, ends: Ends) -> Parsed<Head> {
        if self.filters > 0 && self.take("@") {
            return Ok(Head::Item);
        }
        if self.take("$$") {
            return Ok(Head::Context);
        }
        if !self.take("$") {
            return Err(fail("Path must start with '$' or '@'"));
        }
        let name: String = self.rest().chars().take_while(|char| is_name_char(*char)).collect();
        if name.is_empty() {
            return match self.peek() {
                Some('.' | '[') | None => Ok(Head::Input),
                Some(char) if is_end(ends, char) => Ok(Head::Input),
                Some(_) => Err(self.illegal()),
            };
        }
        if !name.starts_with(char::is_alphabetic) {
            return Err(self.illegal());
        }
        self.at += name.len();
        Ok(Head::Variable(name.into()))
    }

    fn illegal(&self) -> PathSyntaxError {
        fail(format!("Illegal character at position {} expected '.' or '['", self.position()))
    }

    /// Reads the next step; false at the end of the path.
    fn step(&mut self, ends: Ends, steps: &mut Vec<Step>) -> Parsed<bool> {
        match self.peek() {
            None => Ok(false),
            Some('.') => {
                self.at += 1;
                if self.take(".") {
                    steps.push(Step::Descend);
                }
                let step = match self.peek() {
                    None => return Err(fail("Path must not end with a '.' or '..'")),
                    Some('.') => {
                        return Err(fail(format!("Character '.' on position {} is not valid.", self.position())));
                    }
                    Some('[') => self.bracket()?,
                    Some('*') => {
                        self.at += 1;
                        Step::Wildcard
                    }
                    Some(_) => self.name_or_function(ends)?,
                };
                steps.push(step);
                Ok(true)
            }
            Some('[') => {
                let step = self.bracket()?;
                steps.push(step);
                Ok(true)
            }
            Some(char) if is_end(ends, char) => Ok(false),
            Some(_) => Err(self.illegal()),
        }
    }

    /// `name`, with backslashes before characters that would end it, or `name(arguments)`.
    fn name_or_function(&mut self, ends: Ends) -> Parsed<Step> {
        let start = self.at;
        let mut name = String::new();
        while let Some(char) = self.peek() {
            match char {
                '.' | '[' => break,
                '(' => {
                    self.at += 1;
                    return self.function(&name);
                }
                '\\' => {
                    self.at += 1;
                    match self.bump() {
                        Some(escaped) => name.push(escaped),
                        None => return Err(fail("Path must not end with a '\\'")),
                    }
                }
                _ if is_end(ends, char) || self.filter_goes_on(ends) => break,
                ' ' => {
                    return Err(fail(format!(
                        "Use bracket notion ['my prop'] if your property contains blank characters. position: {}",
                        self.text.get(..start).unwrap_or("").chars().count()
                    )));
                }
                _ => {
                    name.push(char);
                    self.at += char.len_utf8();
                }
            }
        }
        if name.is_empty() {
            return Err(fail(format!("Could not parse token starting at position {}", self.position())));
        }
        Ok(Step::Name(name.into()))
    }

    fn filter_goes_on(&self, ends: Ends) -> bool {
        ends == Ends::Filter && (self.rest().starts_with("&&") || self.rest().starts_with("||"))
    }

    /// Reads a function's arguments, after its opening parenthesis.
    fn function(&mut self, name: &str) -> Parsed<Step> {
        let Some(function) = Name::of(name) else {
            return Err(fail(format!("Function with name: {name} does not exist.")));
        };
        self.deepen()?;
        let mut arguments = Vec::new();
        loop {
            self.skip_blanks();
            match self.peek() {
                Some(')') => {
                    self.at += 1;
                    break;
                }
                Some(',') if !arguments.is_empty() => {
                    self.at += 1;
                    self.skip_blanks();
                }
                Some(_) if arguments.is_empty() => {}
                _ => {
                    return Err(fail(format!("Arguments to function: '{name}' are not closed properly.")));
                }
            }
            let argument = if matches!(self.peek(), Some('$' | '@')) {
                let start = self.at;
                let (head, steps) = self.path(Ends::Argument)?;
                Argument::Path(Path::new(self.text[start..self.at].into(), head, steps))
            } else {
                Argument::Value(self.literal()?)
            };
            arguments.push(argument);
        }
        self.filters -= 1;
        Ok(Step::Function(Arc::new(Function { name: function, arguments })))
    }

    /// Enters a filter or a function's arguments.
    fn deepen(&mut self) -> Parsed<()> {
        self.filters += 1;
        if self.filters > FILTER_DEPTH_MAX {
            return Err(fail(format!("filters are nested deeper than {FILTER_DEPTH_MAX} levels")));
        }
        Ok(())
    }

    fn bracket(&mut self) -> Parsed<Step> {
        let start = self.position();
        self.at += 1;
        self.skip_blanks();
        let step = match self.peek() {
            Some('\'' | '"') => self.quoted_names()?,
            Some('*') => {
                self.at += 1;
                Step::Wildcard
            }
            Some('?') => {
                self.at += 1;
                self.skip_blanks();
                self.filter()?
            }
            Some('0'..='9' | '-' | ':') => self.numbers()?,
            _ => return Err(unparsed(start)),
        };
        self.skip_blanks();
        if !self.take("]") {
            return Err(match step {
                Step::Wildcard => {
                    fail(format!("Expected wildcard token to end with ']' on position {}", self.position()))
                }
                Step::Name(_) | Step::Names(_) => fail("Property has not been closed - missing closing ]"),
                _ => unparsed(start),
            });
        }
        Ok(step)
    }

    fn quoted_names(&mut self) -> Parsed<Step> {
        let quote = self.peek().unwrap_or('\'');
        let mut names: Vec<Arc<str>> = Vec::new();
        loop {
            if self.peek() != Some(quote) {
                return Err(fail(format!("Found empty property at index {}", self.position())));
            }
            let name = self.quoted()?;
            names.push(name.into());
            self.skip_blanks();
            match self.peek() {
                Some(',') => {
                    self.at += 1;
                    self.skip_blanks();
                }
                Some(']') | None => break,
                Some(_) => {
                    return Err(fail(format!(
                        "Property must be separated by comma or Property must be terminated close square bracket at \
                         index {}",
                        self.position()
                    )));
                }
            }
        }
        Ok(match <[Arc<str>; 1]>::try_from(names) {
            Ok([name]) => Step::Name(name),
            Err(names) => Step::Names(names),
        })
    }

    /// A text in single or double quotes, with Jayway's escapes.
    fn quoted(&mut self) -> Parsed<String> {
        let quote = self.bump().unwrap_or('\'');
        let mut text = String::new();
        loop {
            match self.bump() {
                Some(char) if char == quote => return Ok(text),
                Some('\\') => match self.bump() {
                    Some('u') => {
                        let digits = self.rest().get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
                        let Some(code) = digits else {
                            return Err(fail("Unable to parse unicode value"));
                        };
                        self.at += 4;
                        text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    Some('b') => text.push('\u{8}'),
                    Some('f') => text.push('\u{c}'),
                    Some('n') => text.push('\n'),
                    Some('r') => text.push('\r'),
                    Some('t') => text.push('\t'),
                    Some(char) => text.push(char),
                    None => break,
                },
                Some(char) => text.push(char),
                None => break,
            }
        }
        Err(fail(format!("Property has not been closed - missing closing {quote}")))
    }

    /// What stands in brackets of indexes: `1`, `1,2`, `1:`, `:2`, `1:2`.
    ///
    /// A third part of a slice (a step) is read and ignored, as Jayway does.
    fn numbers(&mut self) -> Parsed<Step> {
        let length = self.rest().find(']').ok_or_else(|| unparsed(self.position()))?;
        let text = &self.rest()[..length];
        if !text.chars().all(|char| char.is_ascii_digit() || matches!(char, ',' | '-' | ':' | ' ')) {
            return Err(unparsed(self.position()));
        }
        self.at += length;
        let number = |text: &str, kind: &str| match text.trim().parse::<i32>() {
            Ok(number) => Ok(i64::from(number)),
            Err(_) => Err(fail(format!("Failed to parse {kind}: {text}"))),
        };
        if text.contains(':') {
            let mut bounds = text.split(':').map(|bound| match bound.trim() {
                "" => Ok(None),
                bound => number(bound, "SliceOperation").map(Some),
            });
            let from = bounds.next().transpose()?.flatten();
            let to = bounds.next().transpose()?.flatten();
            if from.is_none() && to.is_none() {
                return Err(fail(format!("Failed to parse SliceOperation: {text}")));
            }
            return Ok(Step::Slice { from, to });
        }
        let indexes =
            text.split(',').map(|index| number(index, "token in ArrayIndexOperation")).collect::<Parsed<Vec<_>>>()?;
        Ok(match <[i64; 1]>::try_from(indexes) {
            Ok([index]) => Step::Index(index),
            Err(indexes) => Step::Indexes(indexes),
        })
    }

    /// A filter after `[?`: one expression in parentheses.
    fn filter(&mut self) -> Parsed<Step> {
        if self.peek() != Some('(') {
            return Err(unparsed(self.position()));
        }
        self.deepen()?;
        let outer_groups = std::mem::replace(&mut self.groups, 0);
        self.at += 1;
        let filter = self.any_of()?;
        self.skip_blanks();
        if !self.take(")") {
            return Err(fail(format!("Failed to parse filter. Brackets are not balanced. {}", self.text)));
        }
        self.groups = outer_groups;
        self.filters -= 1;
        Ok(Step::Filter(Arc::new(filter)))
    }

    fn any_of(&mut self) -> Parsed<Filter> {
        let mut filters = vec![self.all_of()?];
        loop {
            self.skip_blanks();
            if !self.take("||") {
                break;
            }
            filters.push(self.all_of()?);
        }
        Ok(match <[Filter; 1]>::try_from(filters) {
            Ok([filter]) => filter,
            Err(filters) => Filter::Or(filters),
        })
    }

    fn all_of(&mut self) -> Parsed<Filter> {
        let mut filters = vec![self.condition()?];
        loop {
            self.skip_blanks();
            if !self.take("&&") {
                break;
            }
            filters.push(self.condition()?);
        }
        Ok(match <[Filter; 1]>::try_from(filters) {
            Ok([filter]) => filter,
            Err(filters) => Filter::And(filters),
        })
    }

    /// Enters a pair of parentheses or brackets, or a `!`, within a filter.
    fn group(&mut self) -> Parsed<()> {
        self.groups += 1;
        if self.groups > FILTER_GROUPS_MAX {
            return Err(fail(format!("parentheses are nested deeper than {FILTER_GROUPS_MAX} levels")));
        }
        Ok(())
    }

    fn condition(&mut self) -> Parsed<Filter> {
        self.skip_blanks();
        if self.rest().starts_with('!') && !self.rest().starts_with("!=") {
            self.at += 1;
            self.group()?;
            let inner = self.condition()?;
            self.groups -= 1;
            return Ok(Filter::Not(Box::new(inner)));
        }
        if self.take("(") {
            self.group()?;
            let inner = self.any_of()?;
            self.skip_blanks();
            if !self.take(")") {
                return Err(fail(format!("Failed to parse filter. Brackets are not balanced. {}", self.text)));
            }
            self.groups -= 1;
            return Ok(inner);
        }
        let left = self.operand()?;
        self.skip_blanks();
        let ended = matches!(self.peek(), Some(')') | None) || self.filter_goes_on(Ends::Filter);
        if ended {
            return match left {
                Operand::Path(path) => Ok(Filter::Exists(path)),
                _ => Err(fail("Expected path node")),
            };
        }
        let operator = self.operator()?;
        let right = self.operand()?;
        Ok(Filter::Compare { left, operator, right })
    }

    fn operator(&mut self) -> Parsed<Operator> {
        const SYMBOLS: [(&str, Operator); 9] = [
            ("===", Operator::SameTypeEqual),
            ("!==", Operator::SameTypeNotEqual),
            ("==", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("=~", Operator::Matches),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        const WORDS: [(&str, Operator); 9] = [
            ("in", Operator::In),
            ("nin", Operator::NotIn),
            ("subsetof", Operator::SubsetOf),
            ("anyof", Operator::AnyOf),
            ("noneof", Operator::NoneOf),
            ("all", Operator::All),
            ("contains", Operator::Contains),
            ("size", Operator::Size),
            ("empty", Operator::Empty),
        ];
        for (symbol, operator) in SYMBOLS {
            if self.take(symbol) {
                return Ok(operator);
            }
        }
        let length = self.rest().bytes().take_while(u8::is_ascii_alphabetic).count();
        let word = &self.rest()[..length];
        let found = WORDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
        match found {
            Some((_, operator)) => {
                self.at += length;
                Ok(*operator)
            }
            None => {
                let token: String = self.rest().chars().take_while(|char| *char != ' ').collect();
                Err(fail(format!("Filter operator {token} is not supported!")))
            }
        }
    }

    fn operand(&mut self) -> Parsed<Operand> {
        self.skip_blanks();
        match self.peek() {
            Some('$' | '@') => {
                let start = self.at;
                let (head, steps) = self.path(Ends::Filter)?;
                Ok(Operand::Path(Path::new(self.text[start..self.at].into(), head, steps)))
            }
            Some('/') => self.pattern(),
            _ => Ok(Operand::Value(self.literal()?)),
        }
    }

    /// `/text/flags`; it must match the whole text.
    // Differs from AWS: patterns are Rust's, in linear time, without look-around and back references.
    fn pattern(&mut self) -> Parsed<Operand> {
        let closed = || fail("Pattern not closed. Expected / in filter");
        self.at += 1;
        let mut length = 0;
        let mut escaped = false;
        for char in self.rest().chars() {
            if char == '/' && !escaped {
                break;
            }
            escaped = char == '\\' && !escaped;
            length += char.len_utf8();
        }
        let text = self.rest().get(..length).ok_or_else(closed)?;
        self.at += length;
        if !self.take("/") {
            return Err(closed());
        }
        let unescaped = text.replace("\\/", "/");
        let mut builder = RegexBuilder::new(&format!("\\A(?:{unescaped})\\z"));
        builder.size_limit(REGEX_BYTES_MAX);
        while let Some(flag) = self.peek() {
            match flag {
                'i' => builder.case_insensitive(true),
                'm' => builder.multi_line(true),
                's' => builder.dot_matches_new_line(true),
                'x' => builder.ignore_whitespace(true),
                'd' | 'u' | 'U' => &mut builder,
                _ => break,
            };
            self.at += 1;
        }
        match builder.build() {
            Ok(pattern) => Ok(Operand::Pattern(pattern)),
            Err(_) => Err(fail(format!("`{text}` is not a supported regular expression"))),
        }
    }

    /// A literal of a filter or a function: JSON, where texts may have single quotes.
    fn literal(&mut self) -> Parsed<Value> {
        self.skip_blanks();
        match self.peek() {
            Some('\'' | '"') => Ok(Value::from(self.quoted()?)),
            Some('[') => {
                self.at += 1;
                self.group()?;
                let items = self.list(']', Parser::literal)?;
                self.groups -= 1;
                Ok(Value::array(items))
            }
            Some('{') => {
                self.at += 1;
                self.group()?;
                let members = self.list('}', Parser::member)?;
                self.groups -= 1;
                Ok(Value::Object(Arc::new(members.into_iter().collect::<Object>())))
            }
            _ => {
                let word = |char: char| char.is_ascii_alphanumeric() || matches!(char, '+' | '-' | '.');
                let length = self.rest().chars().take_while(|char| word(*char)).count();
                let text = &self.rest()[..length];
                match json::parse(text) {
                    Ok(value) => {
                        self.at += length;
                        Ok(value)
                    }
                    Err(_) => Err(fail(format!("Could not parse token starting at position {}", self.position()))),
                }
            }
        }
    }

    /// Reads entries with commas between them, and `close`.
    fn list<T>(&mut self, close: char, entry: fn(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut entries = Vec::new();
        loop {
            self.skip_blanks();
            if self.peek() == Some(close) {
                self.at += close.len_utf8();
                return Ok(entries);
            }
            if !entries.is_empty() && !self.take(",") {
                return Err(fail(format!("String not closed. Expected {close} in {}", self.text)));
            }
            entries.push(entry(self)?);
        }
    }

    fn member(&mut self) -> Parsed<(Arc<str>, Value)> {
        self.skip_blanks();
        if !matches!(self.peek(), Some('\'' | '"')) {
            return Err(fail(format!("Could not parse token starting at position {}", self.position())));
        }
        let name = self.quoted()?;
        self.skip_blanks();
        if !self.take(":") {
            return Err(fail(format!("Could not parse token starting at position {}", self.position())));
        }
        Ok((name.into(), self.literal()?))
    }
}

fn unparsed(position: usize) -> PathSyntaxError {
    fail(format!("Could not parse token starting at position {position}. Expected ?, ', 0-9, * "))
}

/// Source: Amazon States Language, names of variables (Unicode identifiers, nearly).
fn is_name_char(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

fn is_end(ends: Ends, char: char) -> bool {
    match ends {
        Ends::Text => false,
        Ends::Argument => char.is_whitespace() || matches!(char, ',' | ')'),
        Ends::Filter => char.is_whitespace() || matches!(char, ')' | '<' | '>' | '=' | '~' | '!' | ','),
    }
}
