//! Puts the parts of a parsed expression in order: paths become lists of steps with their filters, `%` finds the step
//! whose input it means.
//!
//! Source: what JSONata 2.0.6 does behind its parser; the errors and their order are its own.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::ast::{Call, Group, Kind, Lambda, Node, Path, Slot, Stage, Term, Transform, Variable};
use super::fault::Fault;
use super::item::Symbol;
use super::parse::{Tree, TreeKind};
use super::stack;

/// An expression in order, and what its names are.
pub(super) struct Ordered {
    pub(super) root: Node,
    /// The symbol of each `%`, by its slot.
    pub(super) slots: Vec<Symbol>,
    pub(super) symbols: Symbols,
}

/// Numbers for the names that an expression binds.
#[derive(Debug, Default)]
pub(super) struct Symbols {
    numbers: HashMap<Arc<str>, Symbol>,
}

impl Symbols {
    fn of(&mut self, name: &Arc<str>) -> Symbol {
        let next = self.numbers.len() as Symbol;
        *self.numbers.entry(name.clone()).or_insert(next)
    }

    /// The symbol of a name that is bound somewhere.
    pub(super) fn get(&self, name: &str) -> Option<Symbol> {
        self.numbers.get(name).copied()
    }

    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }
}

pub(super) fn order(tree: Tree) -> Result<Ordered, Fault> {
    let mut order = Order::default();
    let root = order.node(tree)?;
    if matches!(root.kind, Kind::Parent(_)) || !root.seeking.is_empty() {
        return Err(Fault::new("S0217").at(root.at));
    }
    let slots = order.slots.iter().map(|slot| slot.symbol).collect();
    Ok(Ordered { root, slots, symbols: order.symbols })
}

#[derive(Default)]
struct Order {
    symbols: Symbols,
    slots: Vec<Parent>,
}

/// What is known of a `%`.
struct Parent {
    symbol: Symbol,
    /// So many steps up is what it means.
    level: usize,
}

type Ordering<T = Node> = Result<T, Fault>;

impl Order {
    fn node(&mut self, tree: Tree) -> Ordering {
        stack::grow(|| {
            let keep_array = tree.keep_array;
            let mut node = self.node_here(tree)?;
            node.keep_array |= keep_array;
            Ok(node)
        })
    }

    fn boxed(&mut self, tree: Tree) -> Ordering<Box<Node>> {
        self.node(tree).map(Box::new)
    }

    fn nodes(&mut self, trees: Vec<Tree>) -> Ordering<Vec<Node>> {
        trees.into_iter().map(|tree| self.node(tree)).collect()
    }

    fn pairs(&mut self, pairs: Vec<(Tree, Tree)>) -> Ordering<Vec<(Node, Node)>> {
        pairs.into_iter().map(|(key, value)| Ok((self.node(key)?, self.node(value)?))).collect()
    }

    fn pair(&mut self, pair: (Tree, Tree)) -> Ordering<Box<(Node, Node)>> {
        Ok(Box::new((self.node(pair.0)?, self.node(pair.1)?)))
    }

    fn node_here(&mut self, tree: Tree) -> Ordering {
        let Tree { kind, at, keep_array, .. } = tree;
        let kind = match kind {
            TreeKind::End => return Err(Fault::new("S0207").at(at)),
            TreeKind::Null => Kind::Null,
            TreeKind::Bool(bool) => Kind::Bool(bool),
            TreeKind::Number(number) => Kind::Number(number),
            TreeKind::Text(text) => Kind::Text(text),
            TreeKind::Regex(regex) => Kind::Regex(regex),
            TreeKind::Variable(name) => Kind::Variable(name, Variable::Unknown),
            TreeKind::Wildcard => Kind::Wildcard,
            TreeKind::Descendant => Kind::Descendant,
            TreeKind::Placeholder => Kind::Placeholder,
            TreeKind::Name(name) => {
                let mut step = Node::new(Kind::Name(name), at.clone());
                step.keep_array = keep_array;
                return Ok(path(vec![step], keep_array, at));
            }
            TreeKind::Parent => {
                let slot = self.slots.len();
                let symbol = self.symbols.of(&format!("%{slot}").into());
                self.slots.push(Parent { symbol, level: 1 });
                Kind::Parent(slot)
            }
            TreeKind::Dot(pair) => return self.dot(*pair),
            TreeKind::Filter(pair) => return self.filter(*pair, at),
            TreeKind::Group(left, pairs) => {
                let mut node = self.node(*left)?;
                if node.group.is_some() {
                    return Err(Fault::new("S0210").at(at));
                }
                node.group = Some(Box::new(Group { pairs: self.pairs(pairs)?, at }));
                return Ok(node);
            }
            TreeKind::Sort(left, terms) => return self.sort(*left, terms, at),
            TreeKind::Focus(left, name) => return self.focus(*left, &name, keep_array, at),
            TreeKind::Index(left, name) => return self.index(*left, &name),
            TreeKind::Bind(name, value) => {
                let mut value = self.boxed(*value)?;
                let seeking = taken(&mut value);
                let symbol = self.symbols.of(&name);
                return Ok(seeker(Kind::Bind(symbol, value), at, seeking));
            }
            TreeKind::Apply(pair) => {
                let pair = self.pair(*pair)?;
                let keep_array = pair.0.keep_array || pair.1.keep_array;
                let mut node = Node::new(Kind::Apply(pair), at);
                node.keep_array = keep_array;
                return Ok(node);
            }
            TreeKind::And(pair) => return self.both(*pair, at, Kind::And),
            TreeKind::Or(pair) => return self.both(*pair, at, Kind::Or),
            TreeKind::Coalesce(pair) => return self.both(*pair, at, Kind::Coalesce),
            TreeKind::Default(pair) => return self.both(*pair, at, Kind::Default),
            TreeKind::Binary(operator, pair) => {
                return self.both(*pair, at, |pair| Kind::Binary(operator, pair));
            }
            TreeKind::Negate(inner) => {
                let mut inner = self.boxed(*inner)?;
                if let Kind::Number(number) = &mut inner.kind {
                    *number = -*number;
                    inner.at = at.start..inner.at.end;
                    return Ok(*inner);
                }
                let seeking = taken(&mut inner);
                return Ok(seeker(Kind::Negate(inner), at, seeking));
            }
            TreeKind::Array(items) => {
                let mut items = self.nodes(items)?;
                let seeking = items.iter_mut().flat_map(taken).collect();
                return Ok(seeker(Kind::Array(items), at, seeking));
            }
            TreeKind::Object(pairs) => {
                let mut pairs = self.pairs(pairs)?;
                let mut seeking = Vec::new();
                for (key, value) in &mut pairs {
                    seeking.extend(taken(key));
                    seeking.extend(taken(value));
                }
                return Ok(seeker(Kind::Object(Group { pairs, at: at.clone() }), at, seeking));
            }
            TreeKind::Call(called, arguments) => return self.call(*called, arguments, at, Kind::Call),
            TreeKind::Partial(called, arguments) => return self.call(*called, arguments, at, Kind::Partial),
            TreeKind::Lambda { parameters, signature, body } => {
                let parameters = parameters.iter().map(|name| self.symbols.of(name)).collect();
                Kind::Lambda(Arc::new(Lambda { parameters, signature, body: self.node(*body)? }))
            }
            TreeKind::Condition(parts) => {
                let (condition, then, otherwise) = *parts;
                let mut condition = self.node(condition)?;
                let mut seeking = taken(&mut condition);
                let mut then = self.node(then)?;
                seeking.extend(taken(&mut then));
                let mut otherwise = otherwise.map(|tree| self.node(tree)).transpose()?;
                seeking.extend(otherwise.iter_mut().flat_map(taken));
                return Ok(seeker(Kind::Condition(Box::new((condition, then, otherwise))), at, seeking));
            }
            TreeKind::Transform(parts) => {
                let (pattern, update, delete) = *parts;
                Kind::Transform(Arc::new(Transform {
                    pattern: self.node(pattern)?,
                    update: self.node(update)?,
                    delete: delete.map(|tree| self.node(tree)).transpose()?,
                    clone: Variable::Unknown,
                    at: at.clone(),
                }))
            }
            TreeKind::Block(parts) => {
                let mut nodes = self.nodes(parts)?;
                let seeking = nodes.iter_mut().flat_map(taken).collect();
                let is_cons = |node: &Node| match &node.kind {
                    Kind::Path(path) => path.steps.first().is_some_and(|step| step.cons),
                    _ => node.cons,
                };
                let cons = nodes.iter().any(is_cons);
                let mut node = seeker(Kind::Block { nodes, binds: false }, at, seeking);
                node.cons = cons;
                return Ok(node);
            }
        };
        Ok(Node::new(kind, at))
    }

    fn both(&mut self, pair: (Tree, Tree), at: Range<usize>, kind: impl FnOnce(Box<(Node, Node)>) -> Kind) -> Ordering {
        let mut pair = self.pair(pair)?;
        let mut seeking = taken(&mut pair.0);
        seeking.extend(taken(&mut pair.1));
        Ok(seeker(kind(pair), at, seeking))
    }

    fn call(
        &mut self,
        called: Tree,
        arguments: Vec<Tree>,
        at: Range<usize>,
        kind: impl FnOnce(Call) -> Kind,
    ) -> Ordering {
        let mut arguments = self.nodes(arguments)?;
        let seeking = arguments.iter_mut().flat_map(taken).collect();
        let procedure = self.boxed(called)?;
        Ok(seeker(kind(Call { procedure, arguments }), at, seeking))
    }

    /// `left.right`
    fn dot(&mut self, pair: (Tree, Tree)) -> Ordering {
        let left = self.node(pair.0)?;
        let at = left.at.clone();
        let mut node = match left.kind {
            Kind::Path(_) => left,
            _ => {
                // A parent that is the first step is sought by the path.
                let seeking = match left.kind {
                    Kind::Parent(slot) => vec![slot],
                    _ => Vec::new(),
                };
                let mut node = path(vec![left], false, at);
                node.seeking = seeking;
                node
            }
        };
        let right = self.node(pair.1)?;
        let Kind::Path(way) = &mut node.kind else {
            return Ok(node);
        };
        match right.kind {
            Kind::Path(rest) => way.steps.extend(rest.steps),
            _ => {
                let mut step = right;
                step.stages = std::mem::take(&mut step.predicate);
                way.steps.push(step);
            }
        }
        for step in &mut way.steps {
            match &step.kind {
                Kind::Number(number) => {
                    let value = super::item::Item::Number(*number);
                    return Err(Fault::new("S0213").at(step.at.clone()).value(&value));
                }
                Kind::Bool(bool) => return Err(Fault::new("S0213").at(step.at.clone()).raw(bool.to_string())),
                Kind::Null => return Err(Fault::new("S0213").at(step.at.clone()).raw("null")),
                Kind::Text(name) => step.kind = Kind::Name(name.clone()),
                _ => {}
            }
        }
        way.keep_singleton |= way.steps.iter().any(|step| step.keep_array);
        let last = way.steps.len() - 1;
        for end in [0, last] {
            if matches!(way.steps[end].kind, Kind::Array(_)) {
                way.steps[end].cons = true;
            }
        }
        self.resolve(&mut node)?;
        Ok(node)
    }

    /// `left[filter]`
    fn filter(&mut self, pair: (Tree, Tree), at: Range<usize>) -> Ordering {
        let mut node = self.node(pair.0)?;
        let is_path = matches!(node.kind, Kind::Path(_));
        let step = last_step(&mut node);
        if step.group.is_some() {
            return Err(Fault::new("S0209").at(at));
        }
        let mut filter = self.node(pair.1)?;
        let seeking = std::mem::take(&mut filter.seeking);
        for slot in &seeking {
            match self.slots[*slot].level {
                1 => self.seek(step, *slot)?,
                _ => self.slots[*slot].level -= 1,
            }
        }
        step.seeking.extend(seeking);
        if let Kind::Parent(slot) = filter.kind {
            step.seeking.push(slot);
        }
        let stages = if is_path { &mut step.stages } else { &mut step.predicate };
        stages.push(Stage::Filter(filter));
        Ok(node)
    }

    fn sort(&mut self, left: Tree, terms: Vec<(bool, Tree)>, at: Range<usize>) -> Ordering {
        let left = self.node(left)?;
        let mut node = match left.kind {
            Kind::Path(_) => left,
            _ => {
                let at = left.at.clone();
                path(vec![left], false, at)
            }
        };
        let mut seeking = Vec::new();
        let mut ordered = Vec::with_capacity(terms.len());
        for (descending, tree) in terms {
            let mut term = self.node(tree)?;
            seeking.extend(taken(&mut term));
            ordered.push(Term { node: term, descending });
        }
        if let Kind::Path(way) = &mut node.kind {
            way.is_plain = false;
            way.steps.push(seeker(Kind::Sort(ordered), at, seeking));
        }
        self.resolve(&mut node)?;
        Ok(node)
    }

    /// `left@$name`
    fn focus(&mut self, left: Tree, name: &Arc<str>, keep_array: bool, at: Range<usize>) -> Ordering {
        let symbol = self.symbols.of(name);
        let mut node = self.node(left)?;
        let step = last_step(&mut node);
        if !step.stages.is_empty() || !step.predicate.is_empty() {
            return Err(Fault::new("S0215").at(at));
        }
        if matches!(step.kind, Kind::Sort(_)) {
            return Err(Fault::new("S0216").at(at));
        }
        step.keep_array |= keep_array;
        step.focus = Some(symbol);
        step.tuple = true;
        Ok(node)
    }

    /// `left#$name`
    fn index(&mut self, left: Tree, name: &Arc<str>) -> Ordering {
        let symbol = self.symbols.of(name);
        let mut node = self.node(left)?;
        if !matches!(node.kind, Kind::Path(_)) {
            node.stages = std::mem::take(&mut node.predicate);
            let at = node.at.clone();
            node = path(vec![node], false, at);
        }
        let step = last_step(&mut node);
        match step.stages.is_empty() {
            true => step.index = Some(symbol),
            false => step.stages.push(Stage::Index(symbol)),
        }
        step.tuple = true;
        Ok(node)
    }

    /// Finds the steps of a path that the `%` of its last step mean; what is not in it is sought outside.
    fn resolve(&mut self, node: &mut Node) -> Ordering<()> {
        let Kind::Path(way) = &mut node.kind else {
            return Ok(());
        };
        let Some((last, before)) = way.steps.split_last_mut() else {
            return Ok(());
        };
        let mut slots = std::mem::take(&mut last.seeking);
        if let Kind::Parent(slot) = last.kind
            && !slots.contains(&slot)
        {
            slots.push(slot);
        }
        for slot in slots {
            let mut index = before.len();
            while self.slots[slot].level > 0 {
                if index == 0 {
                    node.seeking.push(slot);
                    break;
                }
                index -= 1;
                // Of steps in a row that bind their items only the first counts.
                while index > 0 && before[index].focus.is_some() && before[index - 1].focus.is_some() {
                    index -= 1;
                }
                self.seek(&mut before[index], slot)?;
            }
        }
        Ok(())
    }

    /// Goes up through `node`, which may be the step whose input `slot` means.
    fn seek(&mut self, node: &mut Node, slot: Slot) -> Ordering<()> {
        match &mut node.kind {
            Kind::Name(_) | Kind::Wildcard => {
                self.slots[slot].level -= 1;
                if self.slots[slot].level == 0 {
                    match node.ancestor {
                        Some(known) => self.slots[slot].symbol = self.slots[known].symbol,
                        None => node.ancestor = Some(slot),
                    }
                    node.tuple = true;
                }
            }
            Kind::Parent(_) => self.slots[slot].level += 1,
            Kind::Block { nodes, .. } => {
                if let Some(last) = nodes.last_mut() {
                    node.tuple = true;
                    self.seek(last, slot)?;
                }
            }
            Kind::Path(way) => {
                node.tuple = true;
                let mut index = way.steps.len();
                while index > 0 && (index == way.steps.len() || self.slots[slot].level > 0) {
                    index -= 1;
                    self.seek(&mut way.steps[index], slot)?;
                }
            }
            _ => return Err(Fault::new("S0217").at(node.at.clone())),
        }
        Ok(())
    }
}

fn path(steps: Vec<Node>, keep_singleton: bool, at: Range<usize>) -> Node {
    Node::new(Kind::Path(Path { steps, keep_singleton, is_plain: false }), at)
}

fn seeker(kind: Kind, at: Range<usize>, seeking: Vec<Slot>) -> Node {
    let mut node = Node::new(kind, at);
    node.seeking = seeking;
    node
}

/// The parents that are sought in `node`, which hands them on.
fn taken(node: &mut Node) -> Vec<Slot> {
    let mut slots = std::mem::take(&mut node.seeking);
    if let Kind::Parent(slot) = node.kind {
        slots.push(slot);
    }
    slots
}

/// The last step of a path; any other node is its own.
fn last_step(node: &mut Node) -> &mut Node {
    if !matches!(node.kind, Kind::Path(_)) {
        return node;
    }
    let steps = match &mut node.kind {
        Kind::Path(way) => Some(&mut way.steps),
        _ => None,
    };
    steps.and_then(|steps| steps.last_mut()).expect("a path has steps")
}
