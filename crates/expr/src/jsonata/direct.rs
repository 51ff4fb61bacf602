//! Expressions that only name a value, `$states.input.order.id` or `$total`: read in place, without the engine.

use std::sync::Arc;

use jlens_core::ast::{Attrs, Node, NodeKind};

use crate::{Environment, Value};

use super::analysis::STATES;
use super::result::pass_through;
use super::source;

/// The names of a plain path: of a member of `$states` or of a variable, then of members of objects.
#[derive(Debug)]
pub(super) struct Direct {
    root: Root,
    names: Vec<Arc<str>>,
}

#[derive(Debug)]
enum Root {
    /// A member of `$states`.
    States(Arc<str>),
    Variable(Arc<str>),
}

pub(super) enum Found {
    Value {
        value: Value,
        /// How many values it is made of: each was looked at.
        values: u64,
    },
    Nothing,
    /// An array on the way: the engine knows what JSONata makes of it.
    Unclear,
}

impl Direct {
    /// The plain path that `root` is, if it is one.
    pub(super) fn of(root: &Node) -> Option<Direct> {
        let steps = match &root.kind {
            NodeKind::Path { steps, keep_singleton_array: false } if is_plain(&root.attrs) => steps.as_slice(),
            NodeKind::Variable { .. } => std::slice::from_ref(root),
            _ => return None,
        };
        let (first, rest) = steps.split_first()?;
        let NodeKind::Variable { name: variable } = &first.kind else {
            return None;
        };
        let mut names = Vec::with_capacity(rest.len());
        for step in rest {
            match &step.kind {
                NodeKind::Name { name } if is_plain(&step.attrs) => names.push(Arc::from(name.as_str())),
                _ => return None,
            }
        }
        if !is_plain(&first.attrs) || super::functions::exists(variable) {
            return None;
        }
        let root = match variable.as_str() {
            "" | "$" => return None,
            STATES if names.is_empty() => return None,
            STATES => Root::States(names.remove(0)),
            name => Root::Variable(name.into()),
        };
        Some(Direct { root, names })
    }

    pub(super) fn find(&self, environment: &dyn Environment) -> Found {
        match &self.root {
            Root::States(member) => self.follow(source::states_member(environment, member)),
            Root::Variable(name) => self.follow(environment.variable(name).as_ref()),
        }
    }

    fn follow(&self, root: Option<&Value>) -> Found {
        let mut value = root;
        for name in &self.names {
            value = match value {
                Some(Value::Array(_)) => return Found::Unclear,
                Some(object) => object.get(name),
                None => return Found::Nothing,
            };
        }
        let mut values = 0;
        match value {
            Some(value) => Found::Value { value: pass_through(value, &mut values), values },
            None => Found::Nothing,
        }
    }
}

fn is_plain(attrs: &Attrs) -> bool {
    !attrs.keep_array
        && !attrs.cons_array
        && !attrs.tuple
        && attrs.focus.is_none()
        && attrs.index.is_none()
        && attrs.stages.is_empty()
        && attrs.predicate.is_empty()
        && attrs.group.is_none()
        && attrs.ancestor.is_none()
        && attrs.ancestor_label.is_none()
        && attrs.seeking_parent.is_empty()
}
