//! Where in its items a reader is, as bytes that outlive the process.

use std::sync::Arc;

use stepwell_expr::{Value, json};
use stepwell_items::{json::Container, parquet};

use super::Problem;

/// A place between two items. Its bytes are to be kept as they are; they are read by later versions too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position(pub Vec<u8>);

/// The same, understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Items behind it.
    pub(super) given: u64,
    /// The last object that was opened, or told: its key, or its number in a manifest.
    pub(super) object: Option<Arc<str>>,
    /// Where in that object; `None`: behind it.
    pub(super) within: Option<Within>,
}

/// A place within an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Within {
    /// Of the object: what was read before stays true only of it.
    pub(super) version: Arc<str>,
    pub(super) mark: Mark,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// Bytes of the text that are behind it.
    Text {
        offset: u64,
        /// The object is compressed, and can only be read from its beginning.
        is_compressed: bool,
        /// What the items are in, of JSON.
        container: Option<Container>,
    },
    /// The next row of a Parquet file.
    Row(parquet::Place),
}

/// The version of the format.
const FORMAT: i64 = 1;

impl Place {
    pub(super) fn position(&self) -> Position {
        let mut members = vec![("v", Value::from(FORMAT)), ("given", number(self.given))];
        members.extend(self.object.as_ref().map(|object| ("object", Value::String(object.clone()))));
        if let Some(Within { version, mark }) = &self.within {
            members.push(("version", Value::String(version.clone())));
            match mark {
                Mark::Text { offset, is_compressed, container } => {
                    members.extend([("offset", number(*offset)), ("compressed", Value::Bool(*is_compressed))]);
                    members.extend(container.map(|container| ("in", name(container).into())));
                }
                Mark::Row(parquet::Place { group, row }) => {
                    members.extend([("group", number(*group as u64)), ("row", number(*row))]);
                }
            }
        }
        Position(json::to_text(&Value::object(members)).into_bytes())
    }

    pub(super) fn read(position: &Position) -> Result<Place, Problem> {
        let text = std::str::from_utf8(&position.0).ok();
        let value = text.and_then(|text| json::parse(text).ok());
        value.as_ref().and_then(Place::of).ok_or_else(|| Problem::new("the position in the items cannot be read"))
    }

    fn of(value: &Value) -> Option<Place> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(Arc::from);
        if value.get("v").and_then(Value::as_i64) != Some(FORMAT) {
            return None;
        }
        let within = match text("version") {
            None => None,
            Some(version) => Some(Within { version, mark: Mark::of(value)? }),
        };
        Some(Place { given: number_in(value, "given")?, object: text("object"), within })
    }
}

impl Mark {
    fn of(value: &Value) -> Option<Mark> {
        if let Some(group) = number_in(value, "group") {
            let group = usize::try_from(group).ok()?;
            return Some(Mark::Row(parquet::Place { group, row: number_in(value, "row")? }));
        }
        let is_compressed = value.get("compressed").and_then(Value::as_bool)?;
        let container = match value.get("in") {
            None => None,
            Some(name) => Some(container(name.as_str()?)?),
        };
        Some(Mark::Text { offset: number_in(value, "offset")?, is_compressed, container })
    }
}

fn number_in(value: &Value, name: &str) -> Option<u64> {
    value.get(name).and_then(Value::as_i64).and_then(|number| u64::try_from(number).ok())
}

fn number(number: u64) -> Value {
    Value::from(i64::try_from(number).unwrap_or(i64::MAX))
}

fn name(container: Container) -> &'static str {
    match container {
        Container::Array => "array",
        Container::Object => "object",
    }
}

fn container(name: &str) -> Option<Container> {
    match name {
        "array" => Some(Container::Array),
        "object" => Some(Container::Object),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_come_back() {
        let text = |container| Mark::Text { offset: 7, is_compressed: true, container };
        let row = Mark::Row(parquet::Place { group: 2, row: 5 });
        for mark in [text(None), text(Some(Container::Array)), text(Some(Container::Object)), row] {
            let within = Some(Within { version: "\"e\"".into(), mark });
            let place = Place { given: 3, object: Some("a/b".into()), within };
            assert_eq!(Place::read(&place.position()), Ok(place));
        }
        assert_eq!(Place::read(&Place::default().position()), Ok(Place::default()));
        // The format of version 1, for ever.
        let kept = Position(br#"{"v":1,"given":2,"version":"x","offset":9,"compressed":false,"in":"array"}"#.to_vec());
        let mark = Mark::Text { offset: 9, is_compressed: false, container: Some(Container::Array) };
        let within = Some(Within { version: "x".into(), mark });
        assert_eq!(Place::read(&kept), Ok(Place { given: 2, object: None, within }));
        for broken in [&b""[..], b"{}", b"{\"v\":2,\"given\":0}", b"\xff", b"{\"v\":1,\"given\":-1}"] {
            assert!(Place::read(&Position(broken.to_vec())).is_err());
        }
    }
}
