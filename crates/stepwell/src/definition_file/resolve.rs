//! A [`Tree`] as the JSON value that it says: aliases followed, merges made.

use indexmap::{IndexMap, map::Entry};
use stepwell_expr::{json, limits::DEPTH_MAX};

use crate::{
    definition_file::tree::{Kind, Mark, Node, NodeId, Refusal, TextStyle, Tree},
    limits::EXPANDED_BYTES_MAX,
};

/// JSON, with numbers and strings as they were written.
#[derive(Clone, Debug)]
pub(crate) enum Resolved {
    /// A number, true, false or null, or a string with its quotes.
    Scalar(String),
    Array(Vec<Resolved>),
    Object(IndexMap<String, Resolved>),
}

/// Follows aliases and merges, within `DEPTH_MAX` levels and `EXPANDED_BYTES_MAX` bytes of JSON.
pub(crate) fn resolve(tree: &Tree) -> Result<Resolved, Refusal> {
    let mut resolver = Resolver { tree, bytes_left: EXPANDED_BYTES_MAX };
    resolver.node(tree.root, 0)
}

struct Resolver<'t> {
    tree: &'t Tree,
    bytes_left: usize,
}

impl Resolver<'_> {
    fn node(&mut self, id: NodeId, depth: usize) -> Result<Resolved, Refusal> {
        let node = self.tree.node(id);
        match &node.kind {
            Kind::Alias { target, .. } => self.node(*target, depth),
            Kind::Word { json, .. } => self.scalar(json.clone(), node.start),
            Kind::Text { style: TextStyle::Json { written }, .. } => self.scalar(format!("\"{written}\""), node.start),
            Kind::Text { text, .. } => {
                let mut json = String::new();
                json::write_string(&mut json, text);
                self.scalar(json, node.start)
            }
            Kind::Array { items, .. } => {
                self.enter(depth, node.start)?;
                let items = items.iter().map(|item| self.node(*item, depth + 1));
                Ok(Resolved::Array(items.collect::<Result<_, _>>()?))
            }
            Kind::Object { .. } => self.object(node, depth),
        }
    }

    /// Members in the order of the text; those that are merged in stand where the `<<` is, and give way to the own ones.
    fn object(&mut self, node: &Node, depth: usize) -> Result<Resolved, Refusal> {
        let Kind::Object { members, .. } = &node.kind else {
            return Err(Refusal::at(node.start, "`<<` takes an object, or a list of objects"));
        };
        self.enter(depth, node.start)?;
        let mut resolved: IndexMap<String, Resolved> = IndexMap::with_capacity(members.len());
        let merges = members.iter().any(|member| member.key.is_merge());
        let own: std::collections::HashSet<&str> = members
            .iter()
            .filter(|member| merges && !member.key.is_merge())
            .map(|member| member.key.text.as_str())
            .collect();
        for member in members {
            if !member.key.is_merge() {
                self.charge(member.key.text.len() + 3, member.key.start)?;
                // Of members with one name the last counts, as everywhere in JSON.
                resolved.insert(member.key.text.clone(), self.node(member.value, depth + 1)?);
                continue;
            }
            let value = self.tree.target(member.value);
            let sources: Vec<&Node> = match &value.kind {
                Kind::Array { items, .. } => items.iter().map(|item| self.tree.target(*item)).collect(),
                _ => vec![value],
            };
            for source in sources {
                // A level deeper, so that chains of merges are bounded too.
                let Resolved::Object(merged) = self.object(source, depth + 1)? else {
                    continue;
                };
                for (name, value) in merged {
                    if !own.contains(name.as_str())
                        && let Entry::Vacant(vacant) = resolved.entry(name)
                    {
                        vacant.insert(value);
                    }
                }
            }
        }
        Ok(Resolved::Object(resolved))
    }

    fn scalar(&mut self, json: String, at: Mark) -> Result<Resolved, Refusal> {
        self.charge(json.len() + 1, at)?;
        Ok(Resolved::Scalar(json))
    }

    fn enter(&mut self, depth: usize, at: Mark) -> Result<(), Refusal> {
        if depth >= DEPTH_MAX {
            return Err(Refusal::at(at, format!("with its aliases this is nested more than {DEPTH_MAX} deep")));
        }
        self.charge(2, at)
    }

    fn charge(&mut self, bytes: usize, at: Mark) -> Result<(), Refusal> {
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or_else(|| {
            Refusal::at(at, format!("with its aliases this is longer than {EXPANDED_BYTES_MAX} bytes of JSON"))
        })?;
        Ok(())
    }
}

impl Resolved {
    /// Compact JSON.
    pub(crate) fn to_json(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    /// Recurses as deep as the value is nested: at most `DEPTH_MAX`.
    fn write(&self, out: &mut String) {
        match self {
            Resolved::Scalar(json) => out.push_str(json),
            Resolved::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Resolved::Object(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    json::write_string(out, name);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}
