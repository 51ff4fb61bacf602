//! What restJson and restXml share: members in the path, the query, headers and the status; the rest in the body.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hyper::{HeaderMap, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Call, json, json_text, wire_name, xml};
use crate::aws::{
    model::{Kind, Location, Member, Operation, Protocol, Ref, Service, TimeFormat},
    node::{Node, ParameterError},
    time,
};

/// What stays as it is in one part of a path, in a query and in a form. Source: RFC 3986, "unreserved".
pub(crate) const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The same in a label that takes the rest of the path.
const REST_OF_PATH: &AsciiSet = &UNRESERVED.remove(b'/');

pub(super) fn call(service: &Service, operation: &Operation, input: &Node) -> Result<Call, ParameterError> {
    let path = path(service, operation, input)?;
    let mut call = Call { method: operation.method.to_string(), path, ..Call::default() };
    let (_, fixed) = operation.uri.split_once('?').unwrap_or((&operation.uri, ""));
    for pair in fixed.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        call.query.push((name.to_owned(), value.to_owned()));
    }
    let Some(of) = &operation.input else { return Ok(call) };
    for (index, member) in service.members(of).iter().enumerate() {
        let node = input.member(index);
        match (member.of.traits.location, node) {
            (Some(Location::Query), Some(node)) => add_query(service, member, node, &mut call.query),
            (Some(Location::Header), Some(Node::List(items))) if items.is_empty() => {}
            (Some(Location::Header), Some(node)) => {
                let name = wire_name(&member.of, &member.name).to_owned();
                call.headers.push((name, header_text(service, &member.of, node)));
            }
            (Some(Location::Headers), Some(Node::Map(entries))) => {
                let prefix = member.of.traits.name.as_deref().unwrap_or("");
                let entries = entries.iter().filter_map(|(key, node)| Some((key, node.as_text()?)));
                call.headers.extend(entries.map(|(key, text)| (format!("{prefix}{key}"), text.to_owned())));
            }
            _ => {}
        }
    }
    add_body(service, of, input, &mut call);
    Ok(call)
}

/// The path of a call, with the members that stand in it: none of them may be missing.
pub(super) fn path(service: &Service, operation: &Operation, input: &Node) -> Result<String, ParameterError> {
    let mut path = operation.uri.split('?').next().unwrap_or_default().to_owned();
    let members = operation.input.as_ref().map_or(&[][..], |of| service.members(of));
    for (index, member) in members.iter().enumerate() {
        if matches!(member.of.traits.location, Some(Location::Uri)) {
            path = with_label(&path, member, input.member(index))?;
        }
    }
    Ok(path)
}

/// The path with a member's value in place of `{Name}` or `{Name+}`.
fn with_label(path: &str, member: &Member, node: Option<&Node>) -> Result<String, ParameterError> {
    let name = wire_name(&member.of, &member.name);
    let text = node.map(|node| plain_text(&member.of, node, TimeFormat::Iso8601)).filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| ParameterError::Missing(member.shown.to_string()))?;
    let whole = utf8_percent_encode(&text, REST_OF_PATH).to_string();
    let part = utf8_percent_encode(&text, UNRESERVED).to_string();
    Ok(path.replace(&format!("{{{name}+}}"), &whole).replace(&format!("{{{name}}}"), &part))
}

fn add_query(service: &Service, member: &Member, node: &Node, query: &mut Vec<(String, String)>) {
    let name = wire_name(&member.of, &member.name);
    match (node, service.kind(&member.of)) {
        (Node::List(nodes), Kind::List(item)) => {
            query.extend(nodes.iter().map(|node| (name.to_owned(), plain_text(item, node, TimeFormat::Iso8601))));
        }
        (Node::Map(entries), Kind::Map(_, item)) => {
            for (key, node) in entries {
                match node {
                    Node::List(nodes) => {
                        let texts = nodes.iter().map(|node| plain_text(item, node, TimeFormat::Iso8601));
                        query.extend(texts.map(|text| (key.to_string(), text)));
                    }
                    node => query.push((key.to_string(), plain_text(item, node, TimeFormat::Iso8601))),
                }
            }
        }
        (node, _) => query.push((name.to_owned(), plain_text(&member.of, node, TimeFormat::Iso8601))),
    }
}

fn header_text(service: &Service, of: &Ref, node: &Node) -> String {
    match (node, service.kind(of)) {
        (Node::List(nodes), Kind::List(item)) => {
            let texts = nodes.iter().map(|node| match node.as_text() {
                Some(text) if text.contains([',', '"']) => format!("\"{}\"", text.replace('"', "\\\"")),
                _ => header_text(service, item, node),
            });
            texts.collect::<Vec<_>>().join(",")
        }
        _ if of.traits.is_json => STANDARD
            .encode(json_text(node).map_or_else(|| plain_text(of, node, TimeFormat::Rfc822), |json| json.to_string())),
        _ => plain_text(of, node, TimeFormat::Rfc822),
    }
}

fn plain_text(of: &Ref, node: &Node, time_format: TimeFormat) -> String {
    match node {
        Node::Bool(bool) => bool.to_string(),
        Node::Int(int) => int.to_string(),
        Node::Float(float) => float.to_string(),
        Node::Text(text) => text.to_string(),
        Node::Blob(bytes) => STANDARD.encode(bytes),
        Node::Time(ms) => time::write(*ms, of.traits.time_format.unwrap_or(time_format)),
        Node::Document(value) => value.to_string(),
        // Models have none of these in a path, a query or a header.
        Node::List(_) | Node::Map(_) | Node::Structure(_) => String::new(),
    }
}

fn add_body(service: &Service, of: &Ref, input: &Node, call: &mut Call) {
    let is_json = service.protocol == Protocol::RestJson;
    let mut content_type = None;
    match service.payload(of) {
        Some((index, member)) => match (input.member(index), service.kind(&member.of)) {
            (Some(Node::Blob(bytes)), _) => call.body = bytes.clone(),
            (Some(Node::Text(text)), _) => call.body = Bytes::copy_from_slice(text.as_bytes()),
            (None, Kind::Blob | Kind::Text) => {}
            (Some(node), _) if is_json => {
                call.body = json::value(service, &member.of, node).to_string().into();
                content_type = Some("application/json");
            }
            (None, _) if is_json => {
                call.body = Bytes::from_static(b"{}");
                content_type = Some("application/json");
            }
            (Some(node), _) => call.body = xml::document(service, &member.of, &member.name, node),
            (None, _) => {}
        },
        None => {
            let is_body = |member: &Member| member.of.traits.location.is_none();
            let members = service.members(of);
            let has_body = members.iter().enumerate().any(|(at, member)| is_body(member) && input.member(at).is_some());
            if is_json && members.iter().any(is_body) {
                call.body = json::value(service, of, input).to_string().into();
                content_type = Some("application/json");
            } else if has_body {
                call.body = xml::document(service, of, "Request", input);
            }
        }
    }
    let has_content_type = call.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if let Some(content_type) = content_type.filter(|_| !has_content_type) {
        call.headers.push(("Content-Type".into(), content_type.into()));
    }
}

pub(super) fn result(
    service: &Service,
    of: &Ref,
    status: StatusCode,
    headers: &HeaderMap,
    body: &Bytes,
) -> Option<Node> {
    let is_json = service.protocol == Protocol::RestJson;
    let mut nodes = Vec::new();
    for (index, member) in service.members(of).iter().enumerate() {
        let name = wire_name(&member.of, &member.name);
        match member.of.traits.location {
            Some(Location::StatusCode) => nodes.push((index, Node::Int(i64::from(status.as_u16())))),
            Some(Location::Header) => {
                let value = headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
                if let Some(node) = value.and_then(|text| header_node(service, &member.of, &text)) {
                    nodes.push((index, node));
                }
            }
            Some(Location::Headers) => nodes.push((index, headers_node(headers, member))),
            Some(Location::Uri | Location::Query) | None => {}
        }
    }
    let rest = match service.payload(of) {
        Some((index, member)) => match service.kind(&member.of) {
            Kind::Blob => Some((index, Node::Blob(body.clone()))),
            Kind::Text => Some((index, Node::Text(String::from_utf8_lossy(body).into()))),
            _ if body.is_empty() => None,
            _ if is_json => Some((index, json::result(service, &member.of, body)?)),
            _ => Some((index, xml::result(service, &member.of, body)?)),
        },
        None => {
            let body = if is_json { json::result(service, of, body)? } else { xml::result(service, of, body)? };
            if let Node::Structure(members) = body {
                nodes.extend(members);
            }
            None
        }
    };
    nodes.extend(rest);
    nodes.sort_by_key(|(index, _)| *index);
    Some(Node::Structure(nodes))
}

fn header_node(service: &Service, of: &Ref, text: &str) -> Option<Node> {
    Some(match service.kind(of) {
        Kind::Integer => Node::Int(text.trim().parse().ok()?),
        Kind::Float => Node::Float(text.trim().parse().ok()?),
        Kind::Boolean => Node::Bool(text.trim().eq_ignore_ascii_case("true")),
        Kind::Timestamp => Node::Time(time::parse(text, of.traits.time_format.unwrap_or(TimeFormat::Rfc822))?),
        Kind::Text if of.traits.is_json => {
            Node::Text(String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?.into())
        }
        Kind::Text => Node::Text(text.into()),
        Kind::Blob => Node::Blob(STANDARD.decode(text.trim()).ok()?.into()),
        Kind::List(item) => {
            Node::List(text.split(',').map(|text| header_node(service, item, text.trim())).collect::<Option<_>>()?)
        }
        Kind::Structure { .. } | Kind::Map(..) | Kind::Document | Kind::EventStream => return None,
    })
}

/// All headers that begin with the member's name, by what follows.
fn headers_node(headers: &HeaderMap, member: &Member) -> Node {
    let prefix = member.of.traits.name.as_deref().unwrap_or("").to_ascii_lowercase();
    let entries = headers.iter().filter_map(|(name, value)| {
        let key: Arc<str> = name.as_str().strip_prefix(&*prefix)?.into();
        Some((key, Node::Text(String::from_utf8_lossy(value.as_bytes()).into())))
    });
    Node::Map(entries.collect())
}
