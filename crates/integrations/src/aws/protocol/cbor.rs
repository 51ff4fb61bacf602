//! rpcv2Cbor: the few kinds of CBOR items that AWS uses, written and read.

use bytes::Bytes;
use stepwell_expr::{Object, Value, value::Number};

use super::{Call, FoundError, after, wire_name};
use crate::{
    aws::{
        model::{Kind, Operation, Ref, Service},
        node::Node,
        time,
    },
    limits::{ANSWER_ITEMS_MAX, SHAPE_DEPTH_MAX},
};

// Major types. Source: RFC 8949, section 3.1.
const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
const SIMPLE: u8 = 7;

/// The tag of a time in seconds since 1970.
const TAG_EPOCH: u64 = 1;
const FALSE: u8 = 0xf4;
const TRUE: u8 = 0xf5;
const NULL: u8 = 0xf6;
const DOUBLE: u8 = 0xfb;
const BREAK: u8 = 0xff;
/// The length of an item that ends with `BREAK`.
const INDEFINITE: u8 = 31;

pub(super) fn call(service: &Service, name: &str, operation: &Operation, input: &Node) -> Call {
    let mut headers =
        vec![("smithy-protocol".into(), "rpc-v2-cbor".into()), ("Accept".into(), "application/cbor".into())];
    let mut body = Vec::new();
    if let Some(of) = &operation.input {
        write(service, of, input, &mut body);
        headers.push(("Content-Type".into(), "application/cbor".into()));
    }
    Call {
        method: "POST".into(),
        path: format!("/service/{}/operation/{name}", service.target),
        headers,
        body: body.into(),
        ..Call::default()
    }
}

fn write(service: &Service, of: &Ref, node: &Node, out: &mut Vec<u8>) {
    match (node, service.kind(of)) {
        (Node::Structure(nodes), Kind::Structure { members, .. }) => {
            let known: Vec<_> = nodes.iter().filter_map(|(at, node)| Some((members.get(*at)?, node))).collect();
            head(MAP, known.len() as u64, out);
            for (member, node) in known {
                text(wire_name(&member.of, &member.name), out);
                write(service, &member.of, node, out);
            }
        }
        (Node::List(nodes), Kind::List(item)) => {
            head(ARRAY, nodes.len() as u64, out);
            for node in nodes {
                write(service, item, node, out);
            }
        }
        (Node::Map(entries), Kind::Map(_, item)) => {
            head(MAP, entries.len() as u64, out);
            for (key, node) in entries {
                text(key, out);
                write(service, item, node, out);
            }
        }
        (node, _) => scalar(node, out),
    }
}

fn scalar(node: &Node, out: &mut Vec<u8>) {
    match node {
        Node::Bool(bool) => out.push(if *bool { TRUE } else { FALSE }),
        Node::Int(int) => integer(*int, out),
        Node::Float(float) => double(*float, out),
        Node::Text(value) => text(value, out),
        Node::Blob(bytes) => {
            head(BYTES, bytes.len() as u64, out);
            out.extend_from_slice(bytes);
        }
        Node::Time(ms) => {
            head(TAG, TAG_EPOCH, out);
            match ms % 1_000 {
                0 => integer(ms / 1_000, out),
                _ => double(*ms as f64 / 1_000.0, out),
            }
        }
        // Not in this protocol's models.
        Node::Document(_) | Node::List(_) | Node::Map(_) | Node::Structure(_) => out.push(NULL),
    }
}

fn integer(int: i64, out: &mut Vec<u8>) {
    match u64::try_from(int) {
        Ok(int) => head(UNSIGNED, int, out),
        Err(_) => head(NEGATIVE, int.unsigned_abs() - 1, out),
    }
}

fn double(float: f64, out: &mut Vec<u8>) {
    out.push(DOUBLE);
    out.extend_from_slice(&float.to_be_bytes());
}

fn text(value: &str, out: &mut Vec<u8>) {
    head(TEXT, value.len() as u64, out);
    out.extend_from_slice(value.as_bytes());
}

/// A major type with its number, in as few bytes as can be.
fn head(major: u8, number: u64, out: &mut Vec<u8>) {
    let major = major << 5;
    let bytes = number.to_be_bytes();
    match number {
        0..=23 => out.push(major | bytes[7]),
        24..=0xff => out.extend([major | 24, bytes[7]]),
        0x100..=0xffff => {
            out.push(major | 25);
            out.extend_from_slice(&bytes[6..]);
        }
        0x1_0000..=0xffff_ffff => {
            out.push(major | 26);
            out.extend_from_slice(&bytes[4..]);
        }
        _ => {
            out.push(major | 27);
            out.extend_from_slice(&bytes);
        }
    }
}

pub(super) fn result(service: &Service, of: &Ref, body: &[u8]) -> Option<Node> {
    if body.is_empty() {
        return Some(Node::Structure(Vec::new()));
    }
    node(service, of, &read(body)?)
}

fn node(service: &Service, of: &Ref, item: &Item) -> Option<Node> {
    Some(match (service.kind(of), item) {
        (Kind::Structure { members, .. }, Item::Map(entries)) => {
            let mut nodes = Vec::new();
            for (index, member) in members.iter().enumerate() {
                let name = wire_name(&member.of, &member.name);
                let found = entries.iter().find(|(key, item)| **key == *name && !matches!(item, Item::Null));
                if let Some((_, item)) = found {
                    nodes.push((index, node(service, &member.of, item)?));
                }
            }
            Node::Structure(nodes)
        }
        (Kind::List(of), Item::Array(items)) => {
            let items = items.iter().filter(|item| !matches!(item, Item::Null));
            Node::List(items.map(|item| node(service, of, item)).collect::<Option<_>>()?)
        }
        (Kind::Map(_, of), Item::Map(entries)) => {
            let entries = entries.iter().filter(|(_, item)| !matches!(item, Item::Null));
            let entries = entries.map(|(key, item)| Some((key.as_str().into(), node(service, of, item)?)));
            Node::Map(entries.collect::<Option<_>>()?)
        }
        (Kind::Timestamp, Item::Tagged(item)) => node(service, of, item)?,
        (Kind::Timestamp, Item::Int(seconds)) => Node::Time(seconds.saturating_mul(1_000)),
        (Kind::Timestamp, Item::Float(seconds)) => Node::Time(time::of_epoch(*seconds)),
        (Kind::Text, Item::Text(text)) => Node::Text(text.as_str().into()),
        (Kind::Blob, Item::Bytes(bytes)) => Node::Blob(Bytes::copy_from_slice(bytes)),
        (Kind::Boolean, Item::Bool(bool)) => Node::Bool(*bool),
        (Kind::Integer, Item::Int(int)) => Node::Int(*int),
        (Kind::Integer | Kind::Float, Item::Float(float)) => Node::Float(*float),
        (Kind::Float, Item::Int(int)) => Node::Float(*int as f64),
        (Kind::Document, item) => Node::Document(document(item)),
        _ => return None,
    })
}

fn document(item: &Item) -> Value {
    match item {
        Item::Null => Value::Null,
        Item::Bool(bool) => Value::Bool(*bool),
        Item::Int(int) => Value::from(*int),
        Item::Float(float) => Value::Number(Number::Double(*float)),
        Item::Text(text) => Value::from(text.as_str()),
        Item::Bytes(bytes) => Value::from(String::from_utf8_lossy(bytes).into_owned()),
        Item::Array(items) => Value::array(items.iter().map(document).collect()),
        Item::Map(entries) => {
            let entries = entries.iter().map(|(key, item)| (key.as_str().into(), document(item)));
            Value::Object(entries.collect::<Object>().into())
        }
        Item::Tagged(item) => document(item),
    }
}

pub(super) fn error(body: &[u8]) -> FoundError {
    let Some(Item::Map(entries)) = read(body) else { return FoundError::default() };
    let text = |names: &[&str]| {
        entries.iter().find_map(|(key, item)| match item {
            Item::Text(text) if names.contains(&key.as_str()) => Some(text.clone()),
            _ => None,
        })
    };
    FoundError {
        code: text(&["__type"]).map(|code| after(&code, '#').to_owned()),
        message: text(&["message", "Message"]),
        ..FoundError::default()
    }
}

/// An item of an answer.
#[derive(Debug, PartialEq)]
enum Item {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    Array(Vec<Item>),
    /// Keys that are no texts are left out.
    Map(Vec<(String, Item)>),
    Tagged(Box<Item>),
}

/// Reads one item; `None` if it is broken, nested too deeply, or has too many parts.
fn read(bytes: &[u8]) -> Option<Item> {
    let mut reader = Reader { rest: bytes, items: 0 };
    let item = reader.item(0)?;
    reader.rest.is_empty().then_some(item)
}

struct Reader<'a> {
    rest: &'a [u8],
    items: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(usize::try_from(count).ok()?)?;
        self.rest = rest;
        Some(taken)
    }

    fn number(&mut self, low: u8) -> Option<u64> {
        let count = match low {
            0..=23 => return Some(u64::from(low)),
            24..=27 => 1 << (low - 24),
            _ => return None,
        };
        Some(self.take(count)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn is_at_break(&mut self) -> bool {
        match self.rest.split_first() {
            Some((&BREAK, rest)) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn item(&mut self, depth: usize) -> Option<Item> {
        self.items += 1;
        if depth > SHAPE_DEPTH_MAX || self.items > ANSWER_ITEMS_MAX {
            return None;
        }
        let first = self.take(1)?[0];
        let (major, low) = (first >> 5, first & 0x1f);
        Some(match major {
            UNSIGNED => Item::Int(i64::try_from(self.number(low)?).ok()?),
            NEGATIVE => Item::Int(-1 - i64::try_from(self.number(low)?).ok()?),
            BYTES => Item::Bytes(self.bytes(major, low)?),
            TEXT => Item::Text(String::from_utf8(self.bytes(major, low)?).ok()?),
            ARRAY => {
                let mut items = Vec::new();
                let count = if low == INDEFINITE { None } else { Some(self.number(low)?) };
                while self.goes_on(count, items.len()) {
                    items.push(self.item(depth + 1)?);
                }
                Item::Array(items)
            }
            MAP => {
                let mut entries = Vec::new();
                let count = if low == INDEFINITE { None } else { Some(self.number(low)?) };
                while self.goes_on(count, entries.len()) {
                    let key = match self.item(depth + 1)? {
                        Item::Text(key) => key,
                        _ => return None,
                    };
                    entries.push((key, self.item(depth + 1)?));
                }
                Item::Map(entries)
            }
            TAG => {
                self.number(low)?;
                Item::Tagged(Box::new(self.item(depth + 1)?))
            }
            SIMPLE => self.simple(low)?,
            _ => return None,
        })
    }

    /// True while an item of `count` parts (`None`: until `BREAK`) has more of them.
    fn goes_on(&mut self, count: Option<u64>, read: usize) -> bool {
        match count {
            Some(count) => (read as u64) < count,
            None => !self.is_at_break(),
        }
    }

    fn bytes(&mut self, major: u8, low: u8) -> Option<Vec<u8>> {
        if low != INDEFINITE {
            let count = self.number(low)?;
            return Some(self.take(count)?.to_vec());
        }
        let mut bytes = Vec::new();
        while !self.is_at_break() {
            let first = self.take(1)?[0];
            if first >> 5 != major || first & 0x1f == INDEFINITE {
                return None;
            }
            let count = self.number(first & 0x1f)?;
            bytes.extend_from_slice(self.take(count)?);
        }
        Some(bytes)
    }

    fn simple(&mut self, low: u8) -> Option<Item> {
        Some(match low {
            20 => Item::Bool(false),
            21 => Item::Bool(true),
            22 | 23 => Item::Null,
            25 => Item::Float(half(u16::from_be_bytes(self.take(2)?.try_into().ok()?))),
            26 => Item::Float(f64::from(f32::from_be_bytes(self.take(4)?.try_into().ok()?))),
            27 => Item::Float(f64::from_be_bytes(self.take(8)?.try_into().ok()?)),
            _ => return None,
        })
    }
}

/// A number of 16 bits. Source: RFC 8949, appendix D.
fn half(bits: u16) -> f64 {
    let exponent = i32::from(bits >> 10 & 0x1f);
    let fraction = f64::from(bits & 0x3ff);
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (fraction + 1024.0) * 2f64.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { size } else { -size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_read() {
        // {"a": [1, -2, h'01', 1.5, true, null], "b": 1(1000)}; then the same list of unknown length.
        let bytes =
            [0xa2, 0x61, b'a', 0x86, 1, 0x21, 0x41, 1, 0xf9, 0x3e, 0, 0xf5, 0xf6, 0x61, b'b', 0xc1, 0x19, 3, 0xe8];
        let list =
            vec![Item::Int(1), Item::Int(-2), Item::Bytes(vec![1]), Item::Float(1.5), Item::Bool(true), Item::Null];
        let expected = Item::Map(vec![
            ("a".to_owned(), Item::Array(list)),
            ("b".to_owned(), Item::Tagged(Box::new(Item::Int(1000)))),
        ]);
        assert_eq!(read(&bytes), Some(expected));
        assert_eq!(read(&[0x9f, 1, 0xff]), Some(Item::Array(vec![Item::Int(1)])));
        assert_eq!(read(&[0x7f, 0x61, b'x', 0x61, b'y', 0xff]), Some(Item::Text("xy".to_owned())));
    }

    #[test]
    fn broken_items_are_refused() {
        for bytes in [&[][..], &[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], &[0x61], &[0x1c], &[1, 1]] {
            assert_eq!(read(bytes), None, "{bytes:?}");
        }
        assert_eq!(read(&[0x81; 100_000]), None, "nested too deeply");
    }

    #[test]
    fn heads_are_short() {
        for (number, bytes) in [(23, 1), (24, 2), (0xff, 2), (0x100, 3), (0x1_0000, 5), (0x1_0000_0000, 9)] {
            let mut out = Vec::new();
            head(UNSIGNED, number, &mut out);
            assert_eq!(out.len(), bytes);
            assert_eq!(read(&out), Some(Item::Int(number.cast_signed())));
        }
    }
}
