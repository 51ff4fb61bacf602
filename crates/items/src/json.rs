//! A JSON array or object, item by item: the document is never in memory as a whole, whatever its size.
//!
//! A small splitter finds where each item ends; the JSON reader of `stepwell-expr` reads the item.

use std::sync::Arc;

use memchr::memchr2;
use stepwell_expr::json as text;

use crate::{DataError, Item, Taken, Window, json_lines::value_of, limits};

/// Reads the items of the array or object that a pointer names.
#[derive(Debug)]
pub struct Json {
    pointer: Option<Pointer>,
    at: At,
}

/// Where in the document the reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Before the array or object.
    Head,
    /// An item or the end comes next.
    First(Container),
    /// A comma or the end comes next.
    After(Container),
    End,
}

/// What holds the items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    Array,
    Object,
}

impl Container {
    fn close(self) -> u8 {
        match self {
            Container::Array => b']',
            Container::Object => b'}',
        }
    }
}

/// An `ItemsPointer`. Source: RFC 6901.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    text: Box<str>,
    steps: Vec<Box<str>>,
}

impl Pointer {
    pub fn parse(pointer: &str) -> Result<Pointer, DataError> {
        let wrong = |why: &str| DataError::new(format!("The ItemsPointer `{pointer}` {why}"));
        if pointer.chars().count() >= limits::POINTER_CHARS_MAX {
            return Err(DataError::new(format!(
                "The ItemsPointer has {} or more characters",
                limits::POINTER_CHARS_MAX
            )));
        }
        let Some(steps) = pointer.strip_prefix('/') else {
            return match pointer {
                "" => Ok(Pointer { text: "".into(), steps: Vec::new() }),
                _ => Err(wrong("is not a valid JSON Pointer")),
            };
        };
        let unescaped = |step: &str| {
            let is_valid = step.split('~').skip(1).all(|after| after.starts_with(['0', '1']));
            is_valid.then(|| step.replace("~1", "/").replace("~0", "~").into())
        };
        let steps = steps.split('/').map(unescaped).collect::<Option<Vec<_>>>();
        let steps = steps.ok_or_else(|| wrong("is not a valid JSON Pointer"))?;
        Ok(Pointer { text: pointer.into(), steps })
    }
}

impl Json {
    /// The items of the document, or of what the pointer names in it.
    ///
    /// A document that is an object is iterated only where a pointer asks for it. Source: a recording of 2023 refuses it,
    /// and the guide knows objects since it knows pointers.
    pub fn new(pointer: Option<Pointer>) -> Json {
        Json { pointer, at: At::Head }
    }

    /// Goes on after an item of such a container.
    pub fn resumed(container: Container) -> Json {
        Json { pointer: None, at: At::After(container) }
    }

    /// What the items are in; `None` before the first and after the last.
    pub fn container(&self) -> Option<Container> {
        match self.at {
            At::First(container) | At::After(container) => Some(container),
            At::Head | At::End => None,
        }
    }

    /// Takes the next item.
    pub fn next(&mut self, window: &mut Window) -> Result<Taken, DataError> {
        window.skip_byte_order_mark();
        if self.at == At::Head && !self.enter(window)? {
            return Ok(Taken::Hungry);
        }
        let (At::First(container) | At::After(container)) = self.at else { return Ok(Taken::End) };
        let mut cursor = Cursor::of(window);
        let found = match cursor.item(container, self.at == At::First(container)) {
            Ok(found) => found,
            Err(Stop::Hungry) => return window.hungry(),
            Err(Stop::Broken(error)) => return Err(error),
        };
        let length = cursor.at;
        let Some(Found { key, start }) = found else {
            window.take(length);
            self.at = At::End;
            return Ok(Taken::End);
        };
        let value = value_of(&window.rest()[start..length], window.offset() + start as u64)?;
        window.take(length);
        self.at = At::After(container);
        Ok(Taken::Item(Item { value, key }))
    }

    /// Takes everything before the first item; false: more bytes are needed.
    fn enter(&mut self, window: &mut Window) -> Result<bool, DataError> {
        let mut cursor = Cursor::of(window);
        match cursor.enter(self.pointer.as_ref()) {
            Ok(container) => {
                let length = cursor.at;
                window.take(length);
                self.at = At::First(container);
                Ok(true)
            }
            Err(Stop::Hungry) if window.rest().len() > limits::POINTER_TARGET_BYTES_MAX => {
                Err(DataError::new(format!(
                    "the items do not begin within the first {} bytes of the JSON document",
                    limits::POINTER_TARGET_BYTES_MAX
                )))
            }
            Err(Stop::Hungry) => Ok(false),
            Err(Stop::Broken(error)) => Err(error),
        }
    }
}

/// Walks over JSON text that may be cut off.
struct Cursor<'w> {
    bytes: &'w [u8],
    at: usize,
    offset: u64,
    is_whole: bool,
}

/// Why a cursor cannot go on.
enum Stop {
    /// The bytes end here, and more follow.
    Hungry,
    Broken(DataError),
}

/// An item before it is read; it ends where the cursor is.
struct Found {
    key: Option<Arc<str>>,
    start: usize,
}

impl<'w> Cursor<'w> {
    fn of(window: &'w Window) -> Cursor<'w> {
        Cursor { bytes: window.rest(), at: 0, offset: window.offset(), is_whole: window.is_whole() }
    }

    /// Moves behind the opening bracket of what the pointer names.
    fn enter(&mut self, pointer: Option<&Pointer>) -> Result<Container, Stop> {
        if self.is_whole && self.bytes.trim_ascii().is_empty() {
            return Err(Stop::Broken(DataError::new("No content to map due to end-of-input")));
        }
        for step in pointer.map_or(&[][..], |pointer| &pointer.steps) {
            let container = self.open(pointer)?;
            self.find(container, step, pointer)?;
        }
        match self.open(pointer)? {
            Container::Object if pointer.is_none() => Err(not_iterable()),
            container => Ok(container),
        }
    }

    /// Takes an opening bracket.
    fn open(&mut self, pointer: Option<&Pointer>) -> Result<Container, Stop> {
        let container = match self.peek()? {
            b'[' => Container::Array,
            b'{' => Container::Object,
            _ => {
                // What is no JSON at all is told as that.
                let start = self.at;
                self.skip_value()?;
                value_of(&self.bytes[start..self.at], self.offset + start as u64).map_err(Stop::Broken)?;
                return Err(match pointer {
                    Some(pointer) if !pointer.steps.is_empty() => nothing_there(pointer),
                    _ => not_iterable(),
                });
            }
        };
        self.at += 1;
        Ok(container)
    }

    /// Moves before the member or the element that a step names.
    fn find(&mut self, container: Container, step: &str, pointer: Option<&Pointer>) -> Result<(), Stop> {
        let mut is_first = true;
        let mut index = 0_usize;
        while let Some(key) = self.next_key(container, is_first)? {
            let is_it = match &key {
                Some(key) => **key == *step,
                None => index.to_string() == step,
            };
            if is_it {
                return Ok(());
            }
            self.skip_value()?;
            is_first = false;
            index += 1;
        }
        Err(pointer.map_or_else(not_iterable, nothing_there))
    }

    /// Moves over the next item; `None`: the container ends.
    fn item(&mut self, container: Container, is_first: bool) -> Result<Option<Found>, Stop> {
        let Some(key) = self.next_key(container, is_first)? else { return Ok(None) };
        self.peek()?;
        let start = self.at;
        self.skip_value()?;
        Ok(Some(Found { key, start }))
    }

    /// Moves before the next value, over its name in an object. `None`: the container ended.
    fn next_key(&mut self, container: Container, is_first: bool) -> Result<Option<Option<Arc<str>>>, Stop> {
        let next = self.peek()?;
        if next == container.close() {
            self.at += 1;
            return Ok(None);
        }
        if !is_first {
            if next != b',' {
                return Err(self.unexpected("a comma or the end"));
            }
            self.at += 1;
            self.peek()?;
        }
        if container == Container::Array {
            return Ok(Some(None));
        }
        if self.peek()? != b'"' {
            return Err(self.unexpected("the name of a member"));
        }
        let start = self.at;
        self.skip_value()?;
        let name = value_of(&self.bytes[start..self.at], self.offset + start as u64).map_err(Stop::Broken)?;
        let name = name.value().as_str().unwrap_or_default().into();
        if self.peek()? != b':' {
            return Err(self.unexpected("a colon"));
        }
        self.at += 1;
        self.peek()?;
        Ok(Some(Some(name)))
    }

    /// Moves behind the value that begins at the next byte that is no blank.
    ///
    /// Of a value that is no JSON the end is somewhere: whoever reads it tells what is wrong.
    fn skip_value(&mut self) -> Result<(), Stop> {
        let mut depth = 0_usize;
        let first = self.peek()?;
        if !matches!(first, b'"' | b'[' | b'{') {
            let is_end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b']' | b'}' | b':');
            let rest = &self.bytes[self.at..];
            let length = match rest.iter().position(is_end) {
                Some(0) => return Err(self.unexpected("a value")),
                Some(length) => length,
                None if self.is_whole => rest.len(),
                None => return Err(Stop::Hungry),
            };
            self.at += length;
            return Ok(());
        }
        loop {
            let rest = &self.bytes[self.at..];
            let Some(mark) = rest.iter().position(|byte| matches!(byte, b'"' | b'[' | b']' | b'{' | b'}')) else {
                return Err(self.cut_off());
            };
            self.at += mark + 1;
            match rest[mark] {
                b'"' => self.skip_string()?,
                b'[' | b'{' => depth += 1,
                _ => depth = depth.saturating_sub(1),
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// Moves behind the closing quote.
    fn skip_string(&mut self) -> Result<(), Stop> {
        loop {
            let Some(mark) = memchr2(b'"', b'\\', &self.bytes[self.at..]) else { return Err(self.cut_off()) };
            let is_quote = self.bytes[self.at + mark] == b'"';
            self.at += mark + if is_quote { 1 } else { 2 };
            if is_quote {
                return Ok(());
            }
            if self.at > self.bytes.len() {
                return Err(self.cut_off());
            }
        }
    }

    /// The next byte that is no blank.
    fn peek(&mut self) -> Result<u8, Stop> {
        let rest = &self.bytes[self.at..];
        match rest.iter().position(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t')) {
            Some(blanks) => {
                self.at += blanks;
                Ok(self.bytes[self.at])
            }
            None => {
                self.at = self.bytes.len();
                Err(self.cut_off())
            }
        }
    }

    fn cut_off(&self) -> Stop {
        match self.is_whole {
            true => Stop::Broken(DataError::new("the JSON document ends before its items do")),
            false => Stop::Hungry,
        }
    }

    fn unexpected(&self, expected: &str) -> Stop {
        let at = self.offset + self.at as u64;
        let found = self.bytes.get(self.at).map(|byte| char::from(*byte).escape_default().to_string());
        let found = found.unwrap_or_default();
        Stop::Broken(DataError::new(format!("byte {at} of the JSON document is `{found}` where {expected} should be")))
    }
}

/// Source: a recording.
fn not_iterable() -> Stop {
    Stop::Broken(DataError::new("Attempting to map over non-iterable node."))
}

fn nothing_there(pointer: &Pointer) -> Stop {
    let mut shown = String::new();
    text::write_string(&mut shown, &pointer.text);
    Stop::Broken(DataError::new(format!("The ItemsPointer {shown} names nothing in the JSON document")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(pointer: Option<&str>, text: &str) -> Result<Vec<String>, DataError> {
        let mut json = Json::new(pointer.map(Pointer::parse).transpose()?);
        let mut window = Window::default();
        window.push(text.as_bytes());
        window.end();
        let mut items = Vec::new();
        while let Taken::Item(item) = json.next(&mut window)? {
            let key = item.key.map(|key| format!("{key}=")).unwrap_or_default();
            items.push(format!("{key}{}", item.value.text()));
        }
        Ok(items)
    }

    #[test]
    fn arrays_and_what_pointers_name() {
        assert_eq!(
            items(None, r#" [ {"a" : [1, "]"]} ,2 , "x\"]", null] "#).unwrap(),
            [r#"{"a":[1,"]"]}"#, "2", r#""x\"]""#, "null"]
        );
        assert!(items(None, "[]").unwrap().is_empty());
        let text = r#"{"skip": {"b": [9]}, "a/b": [0, {"c~": {"x": 1, "y": [2]}}], "b": 3}"#;
        assert_eq!(items(Some("/a~1b/1/c~0"), text).unwrap(), ["x=1", "y=[2]"]);
        assert_eq!(items(Some("/skip/b"), text).unwrap(), ["9"]);
        assert_eq!(items(Some(""), r#"{"a": 1}"#).unwrap(), ["a=1"]);
    }

    #[test]
    fn what_cannot_be_iterated() {
        let cause = |pointer: Option<&str>, text: &str| items(pointer, text).unwrap_err().0;
        // Source: a recording.
        assert_eq!(cause(None, r#"{"Hello": "world"}"#), "Attempting to map over non-iterable node.");
        assert_eq!(cause(None, "12"), "Attempting to map over non-iterable node.");
        assert_eq!(cause(Some("/a/0"), r#"{"a": []}"#), "The ItemsPointer \"/a/0\" names nothing in the JSON document");
        assert_eq!(cause(Some("/a/b"), r#"{"a": 1}"#), "The ItemsPointer \"/a/b\" names nothing in the JSON document");
        assert_eq!(cause(Some("a"), "[]"), "The ItemsPointer `a` is not a valid JSON Pointer");
        assert_eq!(cause(Some("/~2"), "[]"), "The ItemsPointer `/~2` is not a valid JSON Pointer");
        assert_eq!(cause(None, ""), "No content to map due to end-of-input");
        assert_eq!(cause(None, "[1, 2"), "the JSON document ends before its items do");
        assert_eq!(cause(None, "[1 2]"), "byte 3 of the JSON document is `2` where a comma or the end should be");
        assert!(cause(None, "[1, nul]").starts_with("the item at byte 4 is no JSON: Unrecognized token 'nul'"));
        assert!(cause(None, "hello").starts_with("the item at byte 0 is no JSON: Unrecognized token 'hello'"));
        assert_eq!(cause(None, "[1,]"), "byte 3 of the JSON document is `]` where a value should be");
    }
}
