//! XML: bodies of restXml, and the answers of restXml, Query and ec2Query.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use quick_xml::{
    Reader,
    escape::escape,
    events::{BytesRef, BytesStart, Event},
};

use super::{FoundError, wire_name};
use crate::{
    aws::{
        model::{Kind, Member, Operation, Ref, Service, TimeFormat},
        node::Node,
        time,
    },
    limits::{ANSWER_ITEMS_MAX, SHAPE_DEPTH_MAX},
};

/// A whole body; `name` is its root's unless the model gives another.
pub(super) fn document(service: &Service, of: &Ref, name: &str, node: &Node) -> Bytes {
    let mut out = String::new();
    write(service, of, wire_name(of, name), node, &mut out);
    out.into()
}

fn write(service: &Service, of: &Ref, name: &str, node: &Node, out: &mut String) {
    match (node, service.kind(of)) {
        (Node::Structure(nodes), Kind::Structure { members, .. }) => {
            let known: Vec<(&Member, &Node)> =
                nodes.iter().filter_map(|(at, node)| Some((members.get(*at)?, node))).collect();
            out.push('<');
            out.push_str(name);
            namespace(of, out);
            for (member, node) in known.iter().filter(|(member, _)| member.of.traits.is_attribute) {
                let value = text(&member.of, node);
                out.push_str(&format!(" {}=\"{}\"", wire_name(&member.of, &member.name), escape(value)));
            }
            out.push('>');
            for (member, node) in known {
                if !member.of.traits.is_attribute && member.of.traits.location.is_none() {
                    write(service, &member.of, wire_name(&member.of, &member.name), node, out);
                }
            }
            close(name, out);
        }
        (Node::List(nodes), Kind::List(item)) if of.traits.is_flattened => {
            for node in nodes {
                write(service, item, name, node, out);
            }
        }
        (Node::List(nodes), Kind::List(item)) => {
            open(of, name, out);
            for node in nodes {
                write(service, item, wire_name(item, "member"), node, out);
            }
            close(name, out);
        }
        (Node::Map(entries), Kind::Map(key, item)) => {
            let entry = if of.traits.is_flattened { name } else { "entry" };
            if !of.traits.is_flattened {
                open(of, name, out);
            }
            for (text, node) in entries {
                out.push_str(&format!("<{entry}>"));
                write(service, key, wire_name(key, "key"), &Node::Text(text.clone()), out);
                write(service, item, wire_name(item, "value"), node, out);
                close(entry, out);
            }
            if !of.traits.is_flattened {
                close(name, out);
            }
        }
        (node, _) => {
            open(of, name, out);
            out.push_str(&escape(text(of, node)));
            close(name, out);
        }
    }
}

fn open(of: &Ref, name: &str, out: &mut String) {
    out.push('<');
    out.push_str(name);
    namespace(of, out);
    out.push('>');
}

fn close(name: &str, out: &mut String) {
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

fn namespace(of: &Ref, out: &mut String) {
    if let Some(uri) = &of.traits.namespace {
        match &of.traits.namespace_prefix {
            Some(prefix) => out.push_str(&format!(" xmlns:{prefix}=\"{}\"", escape(&**uri))),
            None => out.push_str(&format!(" xmlns=\"{}\"", escape(&**uri))),
        }
    }
}

fn text(of: &Ref, node: &Node) -> String {
    match node {
        Node::Bool(bool) => bool.to_string(),
        Node::Int(int) => int.to_string(),
        Node::Float(float) => float.to_string(),
        Node::Text(text) => text.to_string(),
        Node::Blob(bytes) => STANDARD.encode(bytes),
        Node::Time(ms) => time::write(*ms, of.traits.time_format.unwrap_or(TimeFormat::Iso8601)),
        Node::Document(value) => value.to_string(),
        // A structure stands where the model has something else: parameters are never made so.
        Node::List(_) | Node::Map(_) | Node::Structure(_) => String::new(),
    }
}

/// The result of a Query call: inside the wrapper that the model names.
pub(super) fn query_result(service: &Service, operation: &Operation, of: &Ref, body: &[u8]) -> Option<Node> {
    if body.is_empty() {
        return Some(Node::Structure(Vec::new()));
    }
    let root = read(body)?;
    let wrapper = operation.result_wrapper.as_deref();
    let result = wrapper.and_then(|name| root.children.iter().find(|child| *child.name == *name)).unwrap_or(&root);
    node(service, of, result)
}

/// A result whose root is the structure itself.
pub(super) fn result(service: &Service, of: &Ref, body: &[u8]) -> Option<Node> {
    if body.is_empty() {
        return Some(Node::Structure(Vec::new()));
    }
    let root = read(body)?;
    // S3's GetBucketLocation answers its only member as the root.
    if root.children.is_empty() && !root.text.is_empty() {
        let members = service.members(of).iter().enumerate();
        let found = members.into_iter().find(|(_, member)| *wire_name(&member.of, &member.name) == *root.name);
        if let Some((index, member)) = found {
            return Some(Node::Structure(vec![(index, node(service, &member.of, &root)?)]));
        }
    }
    node(service, of, &root)
}

fn node(service: &Service, of: &Ref, element: &Element) -> Option<Node> {
    let text = &*element.text;
    Some(match service.kind(of) {
        Kind::Structure { members, .. } => {
            let mut nodes = Vec::new();
            for (index, member) in members.iter().enumerate().filter(|(_, member)| member.of.traits.location.is_none())
            {
                if let Some(node) = member_node(service, member, element)? {
                    nodes.push((index, node));
                }
            }
            Node::Structure(nodes)
        }
        Kind::List(item) => {
            Node::List(element.children.iter().map(|child| node(service, item, child)).collect::<Option<_>>()?)
        }
        Kind::Map(key, item) => map(service, key, item, element.children.iter())?,
        Kind::Text => Node::Text(text.into()),
        Kind::Integer => Node::Int(text.trim().parse().ok()?),
        Kind::Float => Node::Float(text.trim().parse().ok()?),
        Kind::Boolean => Node::Bool(text.trim() == "true"),
        Kind::Blob => Node::Blob(STANDARD.decode(text.trim()).ok()?.into()),
        Kind::Timestamp => Node::Time(time::parse(text, of.traits.time_format.unwrap_or(TimeFormat::Iso8601))?),
        Kind::Document | Kind::EventStream => return None,
    })
}

/// A member of a structure. The inner `None`: it is not there.
fn member_node(service: &Service, member: &Member, element: &Element) -> Option<Option<Node>> {
    let name = wire_name(&member.of, &member.name);
    if member.of.traits.is_attribute {
        // Names are compared without their namespace's prefix.
        let name = name.rsplit(':').next().unwrap_or(name);
        let found = element.attributes.iter().find(|(attribute, _)| **attribute == *name);
        return Some(found.map(|(_, value)| Node::Text(value.clone())));
    }
    let named = |name: &'_ str| {
        let name = name.to_owned();
        element.children.iter().filter(move |child| *child.name == *name)
    };
    match service.kind(&member.of) {
        Kind::List(item) if member.of.traits.is_flattened => {
            let items = named(item.traits.name.as_deref().unwrap_or(name));
            let items = items.map(|child| node(service, item, child)).collect::<Option<Vec<Node>>>()?;
            Some((!items.is_empty()).then_some(Node::List(items)))
        }
        Kind::Map(key, item) if member.of.traits.is_flattened => {
            let mut entries = named(name).peekable();
            match entries.peek() {
                Some(_) => map(service, key, item, entries).map(Some),
                None => Some(None),
            }
        }
        _ => match named(name).next() {
            Some(child) => node(service, &member.of, child).map(Some),
            None => Some(None),
        },
    }
}

fn map<'a>(service: &Service, key: &Ref, item: &Ref, entries: impl Iterator<Item = &'a Element>) -> Option<Node> {
    let (key, value) = (wire_name(key, "key"), wire_name(item, "value"));
    let entries = entries.map(|entry| {
        let child = |name: &str| entry.children.iter().find(|child| *child.name == *name);
        Some((child(key)?.text.as_str().into(), node(service, item, child(value)?)?))
    });
    Some(Node::Map(entries.collect::<Option<Vec<(Arc<str>, Node)>>>()?))
}

/// True if the root of an answer is `Error`: S3 tells some errors after it has said 200.
pub(in crate::aws) fn is_error(body: &[u8]) -> bool {
    body.len() < 64 * 1024 && read(body).is_some_and(|root| *root.name == *"Error")
}

/// `ErrorResponse/Error` of Query, `Response/Errors/Error` of EC2, `Error` of S3.
pub(super) fn error(body: &[u8]) -> FoundError {
    let Some(root) = read(body) else { return FoundError::default() };
    let child = |of: &Element, name: &str| -> Option<String> {
        of.children.iter().find(|child| *child.name == *name).map(|child| child.text.clone())
    };
    let inner = |of: &'_ str| root.children.iter().find(|child| *child.name == *of);
    let error = match inner("Errors") {
        Some(errors) => errors.children.first(),
        None => inner("Error"),
    };
    let error = error.unwrap_or(&root);
    FoundError {
        code: child(error, "Code"),
        message: child(error, "Message"),
        request_id: child(&root, "RequestId").or_else(|| child(&root, "RequestID")),
        host_id: child(&root, "HostId"),
    }
}

/// An element of an answer; names are without prefixes.
#[derive(Debug, Default)]
struct Element {
    name: Box<str>,
    attributes: Vec<(Box<str>, Arc<str>)>,
    children: Vec<Element>,
    text: String,
}

/// The root; `None` if the text is broken, nested too deeply, or has too many elements.
fn read(body: &[u8]) -> Option<Element> {
    let mut reader = Reader::from_str(std::str::from_utf8(body).ok()?);
    let mut open: Vec<Element> = Vec::new();
    let mut elements = 0;
    loop {
        let ended = match reader.read_event().ok()? {
            Event::Start(start) => {
                open.push(element(&start)?);
                None
            }
            Event::Empty(start) => Some(element(&start)?),
            Event::End(_) => Some(open.pop()?),
            Event::Text(text) => {
                add_text(&mut open, &text.decode().ok()?);
                None
            }
            Event::CData(text) => {
                add_text(&mut open, &text.decode().ok()?);
                None
            }
            Event::GeneralRef(reference) => {
                add_text(&mut open, &resolved(&reference)?);
                None
            }
            Event::Eof => return None,
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::DocType(_) => None,
        };
        elements += 1;
        if open.len() > SHAPE_DEPTH_MAX || elements > ANSWER_ITEMS_MAX {
            return None;
        }
        if let Some(ended) = ended {
            match open.last_mut() {
                Some(parent) => parent.children.push(ended),
                None => return Some(ended),
            }
        }
    }
}

fn element(start: &BytesStart<'_>) -> Option<Element> {
    let name = |bytes: &[u8]| Some(Box::<str>::from(std::str::from_utf8(bytes).ok()?));
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.ok()?;
        let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok()?;
        attributes.push((name(attribute.key.local_name().as_ref())?, Arc::from(&*value)));
    }
    Some(Element { name: name(start.local_name().as_ref())?, attributes, ..Element::default() })
}

fn add_text(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

/// `&amp;` and its like. Nothing else is defined: answers have no document types that count.
fn resolved(reference: &BytesRef<'_>) -> Option<String> {
    if let Some(char) = reference.resolve_char_ref().ok()? {
        return Some(char.to_string());
    }
    let text = match &*reference.decode().ok()? {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "apos" => "'",
        "quot" => "\"",
        _ => return None,
    };
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_attributes_and_entities_are_read() {
        let root = read(
            br#"<?xml version="1.0"?><r xmlns:x="u"><a x:t="1&amp;2">b &lt;&#65;</a><c/><d><![CDATA[<e>]]></d></r>"#,
        );
        let root = root.unwrap();
        assert_eq!(&*root.name, "r");
        let texts: Vec<(&str, &str)> = root.children.iter().map(|child| (&*child.name, &*child.text)).collect();
        assert_eq!(texts, [("a", "b <A"), ("c", ""), ("d", "<e>")]);
        assert_eq!(root.children[0].attributes, [("t".into(), "1&2".into())]);
    }

    #[test]
    fn broken_or_too_deep_answers_are_refused() {
        for body in ["", "<a>", "<a></b>", "<a>&unknown;</a>", "text"] {
            assert!(read(body.as_bytes()).is_none(), "{body}");
        }
        assert!(read("<a>".repeat(100_000).as_bytes()).is_none());
    }

    #[test]
    fn errors_of_every_form_are_found() {
        for (body, code) in [
            (
                "<ErrorResponse><Error><Code>A</Code><Message>m</Message></Error><RequestId>r</RequestId></ErrorResponse>",
                "A",
            ),
            (
                "<Response><Errors><Error><Code>B</Code><Message>m</Message></Error></Errors><RequestID>r</RequestID></Response>",
                "B",
            ),
            ("<Error><Code>C</Code><Message>m</Message><RequestId>r</RequestId><HostId>h</HostId></Error>", "C"),
        ] {
            let found = error(body.as_bytes());
            assert_eq!((found.code.as_deref(), found.message.as_deref()), (Some(code), Some("m")));
            assert_eq!(found.request_id.as_deref(), Some("r"));
        }
    }
}
