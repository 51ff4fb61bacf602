//! Parameters and results between Step Functions' JSON and what the protocols write: a tree whose leaves have types.
//!
//! In: names are those of Step Functions (`DbInstanceIdentifier`) or of the API (`DBInstanceIdentifier`); a text member
//! takes any JSON, written compactly; `null` is absent. Out: absent members are left out.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use stepwell_expr::{Object, Value, java_order, json, value::Number};

use super::{
    model::{Kind, Ref, Service, TimeFormat},
    time,
};
use crate::limits::SHAPE_DEPTH_MAX;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Arc<str>),
    Blob(Bytes),
    /// Milliseconds since 1970.
    Time(i64),
    /// Any JSON.
    Document(Value),
    List(Vec<Node>),
    Map(Vec<(Arc<str>, Node)>),
    /// Members by their place in the model.
    Structure(Vec<(usize, Node)>),
}

/// Why parameters cannot be sent. The texts are AWS's where they are known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ParameterError {
    #[error("The field \"{0}\" is not supported by Step Functions")]
    Unknown(String),
    #[error("The value for the field '{field}' must be {expected}")]
    WrongType { field: String, expected: &'static str },
    #[error("The field '{0}' is required but was missing")]
    Missing(String),
}

/// Refuses parameters besides those that are known.
pub(crate) fn only_known(given: &Value, fields: &[&str]) -> Result<(), ParameterError> {
    let unknown = given.as_object().and_then(|members| members.keys().find(|name| !fields.contains(&&***name)));
    unknown.map_or(Ok(()), |name| Err(ParameterError::Unknown(name.to_string())))
}

/// How results are written: the names of members, and times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// As the SDK for Java 2: acronyms are words, times are texts. `aws-sdk` tasks.
    Sdk,
    /// As the API, with a capital; times are milliseconds since 1970, as the SDK for Java 1 has them. Optimised integrations.
    ///
    /// Source: recordings of nested executions, Step Functions guide's samples of jobs' results.
    Api,
}

impl Service {
    /// Parameters as a structure of the model; of an action without any, only an empty object.
    pub(crate) fn parameters(&self, of: Option<&Ref>, value: &Value) -> Result<Node, ParameterError> {
        match of {
            Some(of) => self.node(of, value, "", false, 0),
            None => match value.as_object().and_then(|members| members.keys().next()) {
                Some(name) => Err(ParameterError::Unknown(name.to_string())),
                None => Ok(Node::Structure(Vec::new())),
            },
        }
    }

    /// `is_body`: the value is the whole body of a call.
    fn node(&self, of: &Ref, value: &Value, field: &str, is_body: bool, depth: usize) -> Result<Node, ParameterError> {
        let wrong = |expected| Err(ParameterError::WrongType { field: field.to_owned(), expected });
        if depth > SHAPE_DEPTH_MAX {
            return wrong("nested less deeply");
        }
        match self.kind(of) {
            Kind::Structure { members, payload } => {
                let Some(given) = value.as_object() else { return wrong("an OBJECT") };
                let mut nodes = Vec::with_capacity(given.len());
                for (name, value) in given {
                    if value.is_null() {
                        continue;
                    }
                    let found = members.iter().position(|member| is_name_of(name, &member.shown, &member.name));
                    let index = found.ok_or_else(|| ParameterError::Unknown(name.to_string()))?;
                    let is_body = *payload == Some(index);
                    nodes.push((index, self.node(&members[index].of, value, name, is_body, depth + 1)?));
                }
                Ok(Node::Structure(nodes))
            }
            Kind::List(item) => {
                let Some(items) = value.as_array() else { return wrong("an ARRAY") };
                let items = items.iter().map(|value| self.node(item, value, field, false, depth + 1));
                Ok(Node::List(items.collect::<Result<_, _>>()?))
            }
            Kind::Map(_, item) => {
                let Some(entries) = value.as_object() else { return wrong("an OBJECT") };
                let entries = entries.iter().filter(|(_, value)| !value.is_null());
                let entries =
                    entries.map(|(key, value)| Ok((key.clone(), self.node(item, value, key, false, depth + 1)?)));
                Ok(Node::Map(entries.collect::<Result<_, _>>()?))
            }
            Kind::Text => Ok(Node::Text(match value {
                Value::String(text) => text.clone(),
                // JSON where the service wants a text. Source: recordings.
                other => other.to_string().into(),
            })),
            Kind::Integer => match value.as_i64().or_else(|| value.as_str()?.parse().ok()) {
                Some(int) => Ok(Node::Int(int)),
                None => wrong("an INTEGER"),
            },
            Kind::Float => match value.as_f64().or_else(|| value.as_str()?.parse().ok()) {
                Some(float) => Ok(Node::Float(float)),
                None => wrong("a NUMBER"),
            },
            Kind::Boolean => match (value, value.as_str()) {
                (Value::Bool(bool), _) => Ok(Node::Bool(*bool)),
                (_, Some("true")) => Ok(Node::Bool(true)),
                (_, Some("false")) => Ok(Node::Bool(false)),
                _ => wrong("a BOOLEAN"),
            },
            Kind::Timestamp => {
                let ms = match value {
                    Value::String(text) => time::parse(text, TimeFormat::Iso8601),
                    Value::Number(seconds) => Some((seconds.as_f64() * 1_000.0) as i64),
                    _ => None,
                };
                ms.map_or_else(|| wrong("a TIMESTAMP"), |ms| Ok(Node::Time(ms)))
            }
            // The body of a call is written as JSON, a text with its quotes. Source: recordings.
            Kind::Blob if is_body => Ok(Node::Blob(value.to_string().into())),
            Kind::Blob => Ok(Node::Blob(match value.as_str() {
                Some(text) => STANDARD.decode(text).unwrap_or_else(|_| text.as_bytes().to_vec()).into(),
                None => value.to_string().into(),
            })),
            Kind::Document => Ok(Node::Document(value.clone())),
            Kind::EventStream => wrong("no event stream, which tasks cannot send"),
        }
    }

    /// Refuses what is no text where the model has one, but for the members that take any JSON; what is wrong otherwise,
    /// [`Service::parameters`] says. Source: users' reports.
    pub(crate) fn texts(&self, of: &Ref, value: &Value, field: &str, any_json: &[&str]) -> Result<(), ParameterError> {
        match (self.kind(of), value) {
            (Kind::Structure { members, .. }, Value::Object(given)) => given.iter().try_for_each(|(name, value)| {
                let member = members.iter().find(|member| is_name_of(name, &member.shown, &member.name));
                member.map_or(Ok(()), |member| self.texts(&member.of, value, name, any_json))
            }),
            (Kind::List(item), Value::Array(items)) => {
                items.iter().try_for_each(|value| self.texts(item, value, field, any_json))
            }
            (Kind::Map(_, item), Value::Object(entries)) => {
                entries.iter().try_for_each(|(key, value)| self.texts(item, value, key, any_json))
            }
            (Kind::Text, Value::Null | Value::String(_)) => Ok(()),
            (Kind::Text, _) if !any_json.contains(&field) => {
                Err(ParameterError::WrongType { field: field.to_owned(), expected: "a STRING" })
            }
            _ => Ok(()),
        }
    }

    /// A result as Step Functions shows it: members by their names, what was the whole body last. Source of the order: recordings.
    pub(crate) fn shown(&self, of: &Ref, node: &Node, spelling: Spelling) -> Value {
        match (node, self.kind(of)) {
            (Node::Structure(nodes), Kind::Structure { members, payload }) => {
                let mut object = Object::with_capacity_and_hasher(nodes.len(), Default::default());
                let mut body = None;
                for (index, node) in nodes {
                    let Some(member) = members.get(*index) else { continue };
                    let name = match spelling {
                        Spelling::Sdk => Arc::from(&*member.shown),
                        Spelling::Api => capitalised(&member.name),
                    };
                    match node {
                        // The body of an answer is shown as a text. Source: recordings of S3's GetObject.
                        Node::Blob(bytes) if *payload == Some(*index) => {
                            body = Some((name, String::from_utf8_lossy(bytes).into_owned().into()));
                        }
                        node => {
                            object.insert(name, self.shown(&member.of, node, spelling));
                        }
                    }
                }
                object.sort_unstable_keys();
                object.extend(body);
                Value::Object(object.into())
            }
            (Node::List(nodes), Kind::List(item)) => {
                Value::array(nodes.iter().map(|node| self.shown(item, node, spelling)).collect())
            }
            (Node::Map(entries), Kind::Map(_, item)) => {
                let entries = entries.iter().map(|(key, node)| (key.clone(), self.shown(item, node, spelling)));
                match spelling {
                    Spelling::Sdk => Value::object(entries),
                    // A recording shows another order than the service answers. Source: version 1 of the SDK for Java.
                    Spelling::Api => Value::object(java_order::ordered(entries)),
                }
            }
            (Node::Time(ms), _) if spelling == Spelling::Api => Value::from(*ms),
            (node, _) => leaf(node),
        }
    }
}

fn capitalised(name: &str) -> Arc<str> {
    let mut name = name.to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    name.into()
}

fn leaf(node: &Node) -> Value {
    match node {
        Node::Bool(bool) => Value::Bool(*bool),
        Node::Int(int) => Value::from(*int),
        Node::Float(float) => match float.is_finite() {
            true => Value::Number(Number::Double(*float)),
            false => Value::from(float.to_string()),
        },
        Node::Text(text) => Value::String(text.clone()),
        Node::Blob(bytes) => Value::from(STANDARD.encode(bytes)),
        Node::Time(ms) => Value::from(time::shown(*ms)),
        Node::Document(value) => value.clone(),
        // A shape of another kind stands here: nothing that a service answers.
        Node::List(_) | Node::Map(_) | Node::Structure(_) => Value::Null,
    }
}

/// True if `given` names the member: as Step Functions spells it, or as the API does with a capital.
fn is_name_of(given: &str, shown: &str, api: &str) -> bool {
    given == shown || given == api || {
        let mut given = given.chars();
        let mut api = api.chars();
        given.next() == api.next().map(|first| first.to_ascii_uppercase()) && given.as_str() == api.as_str()
    }
}

impl Node {
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The member at `index` of a structure.
    pub(crate) fn member(&self, index: usize) -> Option<&Node> {
        match self {
            Node::Structure(members) => members.iter().find(|(at, _)| *at == index).map(|(_, node)| node),
            _ => None,
        }
    }
}

/// JSON text as a value, within the bound on depth that every value has.
pub(crate) fn parse_json(bytes: &[u8]) -> Option<Value> {
    json::parse(std::str::from_utf8(bytes).ok()?).ok()
}
