//! The Query protocol and EC2's kin of it: calls as forms. Their answers are XML.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::utf8_percent_encode;

use super::{Call, rest::UNRESERVED, wire_name};
use crate::aws::{
    model::{Kind, Member, Operation, Protocol, Ref, Service, TimeFormat},
    node::Node,
    time,
};

pub(super) fn call(service: &Service, name: &str, operation: &Operation, input: &Node) -> Call {
    let mut form = Form { service, pairs: Vec::new() };
    form.pairs.push(("Action".into(), name.into()));
    form.pairs.push(("Version".into(), service.api_version.to_string()));
    if let Some(of) = &operation.input {
        form.add(String::new(), of, input);
    }
    let encoded = |text: &str| utf8_percent_encode(text, UNRESERVED).to_string();
    let pairs = form.pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    Call {
        method: "POST".into(),
        path: "/".into(),
        headers: vec![("Content-Type".into(), "application/x-www-form-urlencoded; charset=utf-8".into())],
        body: pairs.collect::<Vec<_>>().join("&").into(),
        ..Call::default()
    }
}

struct Form<'a> {
    service: &'a Service,
    pairs: Vec<(String, String)>,
}

impl Form<'_> {
    fn add(&mut self, prefix: String, of: &Ref, node: &Node) {
        match (node, self.service.kind(of)) {
            (Node::Structure(nodes), Kind::Structure { members, .. }) => {
                for (index, node) in nodes {
                    let Some(member) = members.get(*index) else { continue };
                    self.add(joined(&prefix, &self.name(member)), &member.of, node);
                }
            }
            (Node::List(nodes), Kind::List(item)) => self.add_list(prefix, of, item, nodes),
            (Node::Map(entries), Kind::Map(key, item)) => {
                let prefix = if of.traits.is_flattened { prefix } else { joined(&prefix, "entry") };
                for (number, (name, node)) in (1..).zip(entries) {
                    let entry = format!("{prefix}.{number}");
                    self.pairs.push((joined(&entry, wire_name(key, "key")), name.to_string()));
                    self.add(joined(&entry, wire_name(item, "value")), item, node);
                }
            }
            (node, _) => self.pairs.push((prefix, scalar(of, node))),
        }
    }

    fn add_list(&mut self, prefix: String, of: &Ref, item: &Ref, nodes: &[Node]) {
        let is_ec2 = self.service.protocol == Protocol::Ec2;
        if nodes.is_empty() {
            // EC2 has no way to write one.
            if !is_ec2 {
                self.pairs.push((prefix, String::new()));
            }
            return;
        }
        let prefix = match (is_ec2 || of.traits.is_flattened, &item.traits.name) {
            (true, Some(name)) if !is_ec2 => match prefix.rsplit_once('.') {
                Some((before, _)) => joined(before, name),
                None => name.to_string(),
            },
            (true, _) => prefix,
            (false, name) => joined(&prefix, name.as_deref().unwrap_or("member")),
        };
        for (number, node) in (1..).zip(nodes) {
            self.add(format!("{prefix}.{number}"), item, node);
        }
    }

    fn name(&self, member: &Member) -> String {
        match (self.service.protocol, &member.of.traits.query_name, &member.of.traits.name) {
            (Protocol::Ec2, Some(name), _) => name.to_string(),
            (Protocol::Ec2, None, Some(name)) => {
                let mut name = name.to_string();
                if let Some(first) = name.get_mut(..1) {
                    first.make_ascii_uppercase();
                }
                name
            }
            (_, _, Some(name)) => name.to_string(),
            (_, _, None) => member.name.to_string(),
        }
    }
}

fn joined(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}

fn scalar(of: &Ref, node: &Node) -> String {
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
