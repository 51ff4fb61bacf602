//! What the names of an expression are, and what AWS does not let it say; found without evaluating.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::ast::{Call, Global, Group, Kind, Lambda, Member, Node, Path, Stage, Transform, Variable};
use super::item::Symbol;
use super::order::{Ordered, Symbols};
use super::{Dialect, ExpressionSyntaxError, Reads, function, stack};

/// The name of the one object that AWS binds beside the workflow variables.
const STATES: &str = "states";
/// The function that a transform copies its input with.
const CLONE: &str = "clone";

/// What the walk over the tree found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) reads: Reads,
    /// The names that come from outside of the expression, by their numbers.
    pub(super) globals: Vec<Arc<str>>,
}

/// Walks a whole expression, says of each variable where it comes from, and refuses what AWS refuses.
///
/// On AWS there is no input document, so `$`, `$$` and bare names have nothing to mean where no step or filter gives
/// them a context item.
pub(super) fn resolve(ordered: &mut Ordered, dialect: Dialect) -> Result<Findings, ExpressionSyntaxError> {
    let item = if dialect == Dialect::Plain { Item::Some } else { Item::None };
    let mut walk = Walk {
        findings: Findings::default(),
        symbols: &ordered.symbols,
        slots: &ordered.slots,
        scopes: vec![Vec::new()],
        times_bound: vec![0; ordered.symbols.len()],
        numbers: HashMap::new(),
        dialect,
        without_document: Vec::new(),
    };
    walk.node(&mut ordered.root, item);
    let mut messages = walk.without_document.into_iter();
    match messages.next() {
        None => Ok(walk.findings),
        Some((message, place)) => {
            let further = messages.map(|(message, _)| message).collect();
            Err(ExpressionSyntaxError { code: None, message, further, place: Some(place) })
        }
    }
}

/// Whether the expressions at a place have a context item (`$`).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Item {
    /// The top level: there is no input document.
    None,
    Some,
}

struct Walk<'o> {
    findings: Findings,
    symbols: &'o Symbols,
    slots: &'o [Symbol],
    /// The names bound so far in each scope, innermost last. A name bound later is taken as free: reading too much
    /// is harmless, since the expression's own binding wins in the evaluation.
    scopes: Vec<Vec<Symbol>>,
    /// How often each symbol is in `scopes`.
    times_bound: Vec<usize>,
    /// Where each name is among the globals, and whether it was noted as read.
    numbers: HashMap<Arc<str>, (Global, bool)>,
    dialect: Dialect,
    /// What AWS says of references to a document that is not there: once for each name, in order of first use.
    without_document: Vec<(String, Range<usize>)>,
}

impl Walk<'_> {
    fn node(&mut self, node: &mut Node, item: Item) {
        stack::grow(|| self.node_here(node, item));
    }

    fn node_here(&mut self, node: &mut Node, item: Item) {
        node.ancestor = node.ancestor.map(|slot| self.slots[slot] as usize);
        match &mut node.kind {
            Kind::Path(path) => self.path(path, item),
            Kind::Name(name) => {
                if item == Item::None {
                    let message = format!("Reference to '{name}' at the top level is not supported.");
                    self.no_document(message, &node.at);
                }
            }
            Kind::Variable(_, Variable::States(_)) => {}
            Kind::Variable(name, variable) => *variable = self.variable(name, &node.at, item),
            Kind::Parent(slot) => *slot = self.slots[*slot] as usize,
            Kind::And(pair)
            | Kind::Or(pair)
            | Kind::Coalesce(pair)
            | Kind::Default(pair)
            | Kind::Binary(_, pair)
            | Kind::Apply(pair) => {
                self.node(&mut pair.0, item);
                self.node(&mut pair.1, item);
            }
            Kind::Bind(symbol, value) => {
                // A function may call itself by the name that it is given.
                if matches!(value.kind, Kind::Lambda(_)) {
                    self.bind(*symbol);
                }
                self.node(value, item);
                self.bind(*symbol);
            }
            Kind::Negate(inner) => self.node(inner, item),
            Kind::Array(items) => self.nodes(items, item),
            Kind::Object(group) => self.pairs(group, item),
            Kind::Condition(parts) => {
                let (condition, then, otherwise) = &mut **parts;
                self.node(condition, item);
                self.node(then, item);
                if let Some(otherwise) = otherwise {
                    self.node(otherwise, item);
                }
            }
            Kind::Block { nodes, binds } => {
                self.scopes.push(Vec::new());
                self.nodes(nodes, item);
                *binds = self.leave();
            }
            Kind::Call(call) | Kind::Partial(call) => self.call(call, item),
            Kind::Lambda(lambda) => {
                if let Some(lambda) = Arc::get_mut(lambda) {
                    self.lambda(lambda, item);
                }
            }
            Kind::Transform(transform) => {
                if let Some(transform) = Arc::get_mut(transform) {
                    self.transform(transform);
                }
            }
            Kind::Sort(terms) => {
                for term in terms {
                    self.node(&mut term.node, Item::Some);
                }
            }
            Kind::Wildcard
            | Kind::Descendant
            | Kind::Regex(_)
            | Kind::Text(_)
            | Kind::Number(_)
            | Kind::Bool(_)
            | Kind::Null
            | Kind::Placeholder => {}
        }
        self.attributes(node);
    }

    fn nodes(&mut self, nodes: &mut [Node], item: Item) {
        for node in nodes {
            self.node(node, item);
        }
    }

    fn pairs(&mut self, group: &mut Group, item: Item) {
        for (key, value) in &mut group.pairs {
            self.node(key, item);
            self.node(value, item);
        }
    }

    /// Filters and grouping see the items of what stands before them, and what is bound before them.
    fn attributes(&mut self, node: &mut Node) {
        for symbol in [node.focus, node.index].into_iter().flatten() {
            self.bind(symbol);
        }
        for stage in node.stages.iter_mut().chain(&mut node.predicate) {
            match stage {
                Stage::Filter(filter) => self.node(filter, Item::Some),
                Stage::Index(symbol) => self.bind(*symbol),
            }
        }
        if let Some(group) = &mut node.group {
            self.pairs(group, Item::Some);
        }
    }

    /// The first step sees the context item of the path; each further one those that the step before gave, unless
    /// that one only bound them (`@$name`).
    fn path(&mut self, path: &mut Path, item: Item) {
        self.take_member_of_states(path);
        let mut item = item;
        for step in &mut path.steps {
            self.node(step, item);
            if step.focus.is_none() {
                item = Item::Some;
            }
        }
        path.is_plain = !path.keep_singleton
            && path.steps.iter().enumerate().all(|(index, step)| {
                let is_plain = match step.kind {
                    Kind::Name(_) => true,
                    Kind::Variable(..) => index == 0,
                    _ => false,
                };
                is_plain && step.is_bare()
            });
    }

    /// `$states.input…`: its first two steps become one, which reads only what is named.
    fn take_member_of_states(&mut self, path: &mut Path) {
        let [first, second, ..] = path.steps.as_mut_slice() else {
            return;
        };
        let is_states = matches!(&first.kind, Kind::Variable(name, _) if &**name == STATES) && first.is_bare();
        if !is_states || second.tuple || second.ancestor.is_some() || !self.means_states() {
            return;
        }
        let Kind::Name(name) = &second.kind else {
            return;
        };
        let reads = &mut self.findings.reads;
        let member = match &**name {
            "input" => {
                reads.input = true;
                Member::Input
            }
            "context" => {
                reads.context = true;
                Member::Context
            }
            "result" => {
                reads.result = true;
                Member::Result
            }
            "errorOutput" => {
                reads.error_output = true;
                Member::ErrorOutput
            }
            _ => Member::Other,
        };
        second.kind = Kind::Variable(STATES.into(), Variable::States(member));
        path.steps.remove(0);
    }

    /// `$states` is AWS's object here, and nothing that the expression binds.
    fn means_states(&self) -> bool {
        self.dialect == Dialect::Aws && self.symbols.get(STATES).is_none()
    }

    fn variable(&mut self, name: &Arc<str>, at: &Range<usize>, item: Item) -> Variable {
        match &**name {
            "" => {
                if item == Item::None {
                    self.no_document("Reference to '$' at the top level is not supported.".into(), at);
                }
                return Variable::Context;
            }
            "$" => {
                if self.dialect == Dialect::Aws {
                    self.no_document("Reference to '$$' is not supported.".into(), at);
                }
                return Variable::Root;
            }
            _ => {}
        }
        let global = self.global(name);
        self.read(name);
        match self.symbols.get(name) {
            Some(symbol) => Variable::Bound(symbol, global),
            None => Variable::Free(global),
        }
    }

    /// Notes that the variable is read, where it is none that the expression has bound by then.
    fn read(&mut self, name: &Arc<str>) {
        // `$eval` is what AWS took away, and no variable that somebody forgot to assign.
        if self.is_bound(name) || function::exists(name) || &**name == "eval" {
            return;
        }
        if &**name == STATES && self.dialect == Dialect::Aws {
            // Whole: it holds the members that there are, and asks for none that is not.
            self.findings.reads.input = true;
            self.findings.reads.context = true;
            return;
        }
        if let Some((_, is_read @ false)) = self.numbers.get_mut(name) {
            *is_read = true;
            self.findings.reads.variables.push(name.clone());
        }
    }

    fn global(&mut self, name: &Arc<str>) -> Global {
        let globals = &mut self.findings.globals;
        let (global, _) = *self.numbers.entry(name.clone()).or_insert_with(|| {
            globals.push(name.clone());
            (globals.len() - 1, false)
        });
        global
    }

    fn no_document(&mut self, message: String, at: &Range<usize>) {
        if !self.without_document.iter().any(|(known, _)| *known == message) {
            self.without_document.push((message, at.clone()));
        }
    }

    fn call(&mut self, call: &mut Call, item: Item) {
        let procedure = &mut call.procedure;
        let is_name = match &procedure.kind {
            Kind::Name(_) => true,
            Kind::Path(path) => matches!(path.steps.as_slice(), [Node { kind: Kind::Name(_), .. }]),
            _ => false,
        };
        match &mut procedure.kind {
            // `name(…)`: the author forgot the `$`; the evaluation says so.
            Kind::Path(path) if is_name => {
                if let Some(Node { kind: Kind::Name(name), .. }) = path.steps.first() {
                    let name = name.clone();
                    self.global(&name);
                }
                path.is_plain = path.steps.iter().all(Node::is_bare);
            }
            // What is called is no workflow variable, as those are no functions.
            Kind::Variable(name, variable) if !self.is_bound(name) && !matches!(&**name, "" | "$" | STATES) => {
                let global = self.global(name);
                *variable = match self.symbols.get(name) {
                    Some(symbol) => Variable::Bound(symbol, global),
                    None => Variable::Free(global),
                };
                self.attributes(procedure);
            }
            _ => self.node(procedure, item),
        }
        self.nodes(&mut call.arguments, item);
    }

    fn lambda(&mut self, lambda: &mut Lambda, item: Item) {
        self.scopes.push(Vec::new());
        for symbol in &lambda.parameters {
            self.bind(*symbol);
        }
        self.node(&mut lambda.body, item);
        self.leave();
    }

    fn transform(&mut self, transform: &mut Transform) {
        let global = self.global(&CLONE.into());
        transform.clone = match self.symbols.get(CLONE) {
            Some(symbol) => Variable::Bound(symbol, global),
            None => Variable::Free(global),
        };
        self.node(&mut transform.pattern, Item::Some);
        self.node(&mut transform.update, Item::Some);
        if let Some(delete) = &mut transform.delete {
            self.node(delete, Item::Some);
        }
    }

    fn bind(&mut self, symbol: Symbol) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.push(symbol);
            self.times_bound[symbol as usize] += 1;
        }
    }

    /// Leaves the innermost scope; true if something was bound in it.
    fn leave(&mut self) -> bool {
        let bound = self.scopes.pop().unwrap_or_default();
        for symbol in &bound {
            self.times_bound[*symbol as usize] -= 1;
        }
        !bound.is_empty()
    }

    fn is_bound(&self, name: &str) -> bool {
        self.symbols.get(name).is_some_and(|symbol| self.times_bound[symbol as usize] > 0)
    }
}
