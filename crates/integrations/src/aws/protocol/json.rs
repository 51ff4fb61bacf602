//! awsJson 1.0 and 1.1, and the bodies of restJson.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use stepwell_expr::{Object, Value, value::Number};

use super::{Call, FoundError, after, before, wire_name};
use crate::{
    aws::{
        model::{Kind, Operation, Ref, Service, TimeFormat},
        node::{Node, parse_json},
        time,
    },
    limits::SHAPE_DEPTH_MAX,
};

pub(super) fn call(service: &Service, name: &str, operation: &Operation, input: &Node) -> Call {
    let body = match &operation.input {
        Some(of) => value(service, of, input),
        None => Value::empty_object(),
    };
    Call {
        method: "POST".into(),
        path: "/".into(),
        headers: vec![
            ("Content-Type".into(), format!("application/x-amz-json-{}", service.json_version)),
            ("X-Amz-Target".into(), format!("{}.{name}", service.target)),
        ],
        body: body.to_string().into(),
        ..Call::default()
    }
}

/// A value as the body has it; members that have another place are left out.
pub(super) fn value(service: &Service, of: &Ref, node: &Node) -> Value {
    match (node, service.kind(of)) {
        (Node::Structure(nodes), Kind::Structure { members, .. }) => {
            let mut object = Object::with_capacity_and_hasher(nodes.len(), Default::default());
            for (index, node) in nodes {
                let Some(member) = members.get(*index).filter(|member| member.of.traits.location.is_none()) else {
                    continue;
                };
                object.insert(Arc::from(wire_name(&member.of, &member.name)), value(service, &member.of, node));
            }
            Value::Object(object.into())
        }
        (Node::List(nodes), Kind::List(item)) => {
            Value::array(nodes.iter().map(|node| value(service, item, node)).collect())
        }
        (Node::Map(entries), Kind::Map(_, item)) => {
            Value::object(entries.iter().map(|(key, node)| (key.clone(), value(service, item, node))))
        }
        (node, _) => scalar(of, node),
    }
}

fn scalar(of: &Ref, node: &Node) -> Value {
    match node {
        Node::Bool(bool) => Value::Bool(*bool),
        Node::Int(int) => Value::from(*int),
        Node::Float(float) if float.is_finite() => Value::Number(Number::Double(*float)),
        Node::Float(float) if float.is_nan() => "NaN".into(),
        Node::Float(float) => if *float > 0.0 { "Infinity" } else { "-Infinity" }.into(),
        Node::Text(text) => Value::String(text.clone()),
        Node::Blob(bytes) => Value::from(STANDARD.encode(bytes)),
        Node::Time(ms) => match of.traits.time_format.unwrap_or(TimeFormat::Epoch) {
            TimeFormat::Epoch if ms % 1_000 == 0 => Value::from(ms / 1_000),
            TimeFormat::Epoch => Value::Number(Number::Double(*ms as f64 / 1_000.0)),
            format => Value::from(time::write(*ms, format)),
        },
        Node::Document(value) => value.clone(),
        // A structure stands where the model has something else: parameters are never made so.
        Node::List(_) | Node::Map(_) | Node::Structure(_) => Value::Null,
    }
}

pub(super) fn result(service: &Service, of: &Ref, body: &[u8]) -> Option<Node> {
    if body.is_empty() {
        return Some(Node::Structure(Vec::new()));
    }
    node(service, of, &parse_json(body)?, 0)
}

/// Reads a value; what the model does not know is left out.
pub(super) fn node(service: &Service, of: &Ref, value: &Value, depth: usize) -> Option<Node> {
    if depth > SHAPE_DEPTH_MAX {
        return None;
    }
    Some(match service.kind(of) {
        Kind::Structure { members, .. } => {
            let object = value.as_object()?;
            let mut nodes = Vec::new();
            for (index, member) in members.iter().enumerate().filter(|(_, member)| member.of.traits.location.is_none())
            {
                let Some(value) = object.get(wire_name(&member.of, &member.name)).filter(|value| !value.is_null())
                else {
                    continue;
                };
                nodes.push((index, node(service, &member.of, value, depth + 1)?));
            }
            Node::Structure(nodes)
        }
        Kind::List(item) => {
            let items = value.as_array()?.iter().filter(|value| !value.is_null());
            Node::List(items.map(|value| node(service, item, value, depth + 1)).collect::<Option<_>>()?)
        }
        Kind::Map(_, item) => {
            let entries = value.as_object()?.iter().filter(|(_, value)| !value.is_null());
            let entries = entries.map(|(key, value)| Some((key.clone(), node(service, item, value, depth + 1)?)));
            Node::Map(entries.collect::<Option<_>>()?)
        }
        Kind::Text => Node::Text(match value {
            Value::String(text) => text.clone(),
            other => other.to_string().into(),
        }),
        Kind::Integer => match value.as_i64() {
            Some(int) => Node::Int(int),
            None => Node::Float(value.as_f64()?),
        },
        Kind::Float => Node::Float(value.as_f64().or_else(|| value.as_str()?.parse().ok())?),
        Kind::Boolean => Node::Bool(value.as_bool()?),
        Kind::Blob => Node::Blob(STANDARD.decode(value.as_str()?).ok()?.into()),
        Kind::Timestamp => Node::Time(match value {
            Value::Number(seconds) => time::of_epoch(seconds.as_f64()),
            other => time::parse(other.as_str()?, of.traits.time_format.unwrap_or(TimeFormat::Epoch))?,
        }),
        Kind::Document => Node::Document(value.clone()),
        Kind::EventStream => return None,
    })
}

/// `{"__type": "com.amazon#Code", "message": …}`, in the spellings that services use.
pub(super) fn error(body: &[u8]) -> FoundError {
    let Some(value) = parse_json(body) else { return FoundError::default() };
    let text = |names: &[&str]| names.iter().find_map(|name| value.get(name)?.as_str()).map(str::to_owned);
    FoundError {
        code: text(&["__type", "code", "Code"]).map(|code| after(before(&code, ':'), '#').to_owned()),
        message: text(&["message", "Message", "errorMessage"]),
        ..FoundError::default()
    }
}
