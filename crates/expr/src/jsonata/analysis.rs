//! What an expression reads, and what AWS does not let it say; found in the syntax tree, without evaluating.

use std::ops::Range;
use std::sync::Arc;

use jlens_core::ast::{BinaryOp, FallbackOp, LambdaDef, Node, NodeKind, Stage, TransformDef};
use jlens_core::stack;

use crate::limits::JSONATA_QUICK_COMPOSERS_MAX;

use super::functions;
use super::meter::Pace;
use super::{ExpressionSyntaxError, Reads};

/// The name of the one object that AWS binds beside the workflow variables.
pub(super) const STATES: &str = "states";

/// What the walk over the tree found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) reads: Reads,
    /// `$states` is read, whole or in part.
    pub(super) states: bool,
    /// Functions of JSONata and of AWS that the expression names, in order of first use.
    pub(super) functions: Vec<Arc<str>>,
    /// Those among `functions` that are passed around, so that not every call of them is seen in the tree.
    pub(super) function_values: Vec<Arc<str>>,
    /// A transform (`|…|…|`) copies what it is applied to.
    pub(super) copies: bool,
    /// Something might read the context item where there is none (at the top level): a function that takes it for a
    /// missing argument, `*`, a name that is called. The evaluation must then find it undefined.
    pub(super) reads_context_item: bool,
    pub(super) pace: Pace,
    /// A single step may take without end: ranges, and what a function gives from texts or pictures.
    pub(super) is_wild: bool,
    /// Steps may nest values in values without end: functions of the expression that are called, `$reduce`.
    pub(super) is_recursive: bool,
    /// Arrays, objects and functions that put values into values.
    pub(super) composers: usize,
}

impl Findings {
    /// Steps bound the work, so that few of them do little, where no meter looks.
    pub(super) fn is_tame(&self) -> bool {
        !self.is_wild && !self.is_recursive && self.composers <= JSONATA_QUICK_COMPOSERS_MAX
    }

    /// A single step may walk far more values than there are in memory, since values share their parts; or a match may
    /// go on for long. Nothing can end that step soon, so nobody may wait for it.
    pub(super) fn may_hold_up(&self) -> bool {
        let nests = if self.is_recursive { self.composers > 0 } else { self.composers > 1 };
        nests || self.pace == Pace::Matching
    }
}

/// Walks a whole expression, and refuses what AWS refuses.
///
/// `document`: plain JSONata. There is an input document, so `$`, `$$` and bare names are fine everywhere, and so are
/// the operators that came after 2.0.6. On AWS there is none; in the official test cases there is.
pub(super) fn analyse(root: &Node, document: bool) -> Result<Findings, ExpressionSyntaxError> {
    let item = if document { Item::Some } else { Item::None };
    let frames = vec![Vec::new()];
    let mut walk = Walk { findings: Findings::default(), frames, document, without_document: Vec::new() };
    walk.node(root, item)?;
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

struct Walk<'n> {
    findings: Findings,
    /// The names bound so far in each scope, innermost last. A name bound later is taken as free: reading too much
    /// is harmless, since the expression's own binding wins in the evaluation.
    frames: Vec<Vec<&'n str>>,
    document: bool,
    /// What AWS says of references to a document that is not there: once for each name, in order of first use.
    without_document: Vec<(String, Range<usize>)>,
}

type Walked = Result<(), ExpressionSyntaxError>;

impl<'n> Walk<'n> {
    fn node(&mut self, node: &'n Node, item: Item) -> Walked {
        stack::grow(|| self.node_inner(node, item))
    }

    fn node_inner(&mut self, node: &'n Node, item: Item) -> Walked {
        match &node.kind {
            NodeKind::Path { steps, .. } => self.path(steps, item)?,
            NodeKind::Name { name } => {
                if item == Item::None {
                    let message = format!("Reference to '{name}' at the top level is not supported.");
                    self.no_document(message, node);
                }
            }
            NodeKind::Wildcard | NodeKind::Descendant | NodeKind::Parent { .. } => self.context_item(item),
            NodeKind::Variable { name } => self.variable(name, node, item),
            NodeKind::Fallback { lhs, rhs, .. } if self.document => {
                self.node(lhs, item)?;
                self.node(rhs, item)?;
            }
            NodeKind::Fallback { op, .. } => return Err(later_operator(*op, node)),
            NodeKind::Binary { op, lhs, rhs } => {
                self.findings.is_wild |= *op == BinaryOp::Range && !is_short_range(lhs, rhs);
                self.node(lhs, item)?;
                self.node(rhs, item)?;
            }
            NodeKind::Apply { lhs, rhs } => {
                self.node(lhs, item)?;
                match &rhs.kind {
                    NodeKind::Function { procedure, args } => {
                        self.call(procedure, args, args.len() + 1, item)?;
                        self.attributes(rhs)?;
                    }
                    _ => {
                        self.findings.is_recursive |= !self.is_known_function(rhs);
                        self.node(rhs, item)?;
                    }
                }
            }
            NodeKind::Bind { lhs, rhs } => {
                let NodeKind::Variable { name } = &lhs.kind else {
                    return self.node(rhs, item);
                };
                // A function may call itself by the name that it is given.
                if matches!(rhs.kind, NodeKind::Lambda(_)) {
                    self.bind(name);
                }
                self.node(rhs, item)?;
                self.bind(name);
            }
            NodeKind::Negate { expr } => self.node(expr, item)?,
            NodeKind::Array { items } => {
                self.findings.composers += usize::from(items.iter().any(|item| !is_scalar(item)));
                self.nodes(items, item)?;
            }
            NodeKind::Object { pairs } => {
                self.findings.composers += usize::from(pairs.iter().any(|(_, value)| !is_scalar(value)));
                self.pairs(pairs, item)?;
            }
            NodeKind::Condition { condition, then, otherwise } => {
                self.node(condition, item)?;
                self.node(then, item)?;
                if let Some(otherwise) = otherwise {
                    self.node(otherwise, item)?;
                }
            }
            NodeKind::Block { exprs, .. } => self.scope(|walk| walk.nodes(exprs, item))?,
            NodeKind::Function { procedure, args } => self.call(procedure, args, args.len(), item)?,
            NodeKind::Partial { procedure, args } => {
                self.findings.is_recursive |= !self.is_known_function(procedure);
                self.node(procedure, item)?;
                self.nodes(args, item)?;
            }
            NodeKind::Lambda(def) => self.lambda(def, item)?,
            NodeKind::Transform(def) => self.transform(def)?,
            NodeKind::Sort { terms } => {
                for term in terms {
                    self.node(&term.expr, Item::Some)?;
                }
            }
            NodeKind::Regex { .. } => self.findings.pace = Pace::Matching,
            NodeKind::String { .. }
            | NodeKind::Number { .. }
            | NodeKind::Bool { .. }
            | NodeKind::Null
            | NodeKind::Placeholder
            | NodeKind::Error { .. } => {}
        }
        self.attributes(node)
    }

    fn nodes(&mut self, nodes: &'n [Node], item: Item) -> Walked {
        nodes.iter().try_for_each(|node| self.node(node, item))
    }

    fn pairs(&mut self, pairs: &'n [(Node, Node)], item: Item) -> Walked {
        for (key, value) in pairs {
            self.node(key, item)?;
            self.node(value, item)?;
        }
        Ok(())
    }

    /// Predicates and the group clause see the items of what stands before them.
    fn attributes(&mut self, node: &'n Node) -> Walked {
        for stage in node.attrs.stages.iter().chain(&node.attrs.predicate) {
            match stage {
                Stage::Filter { expr, .. } => self.node(expr, Item::Some)?,
                Stage::Index { var, .. } => self.bind(var),
            }
        }
        match &node.attrs.group {
            Some(group) => {
                self.findings.composers += 1;
                self.pairs(&group.pairs, Item::Some)
            }
            None => Ok(()),
        }
    }

    /// The first step sees the context item of the path; each further one those that the step before gave, unless
    /// that one only bound them (`@$name`).
    fn path(&mut self, steps: &'n [Node], item: Item) -> Walked {
        let mut item = item;
        for (index, step) in steps.iter().enumerate() {
            match &step.kind {
                NodeKind::Variable { name } if index == 0 && name == STATES && !self.is_bound(name) => {
                    self.states(steps.get(1));
                    self.attributes(step)?;
                }
                _ => self.node(step, item)?,
            }
            if let Some(name) = &step.attrs.focus {
                self.bind(name);
            } else {
                item = Item::Some;
            }
            if let Some(name) = &step.attrs.index {
                self.bind(name);
            }
        }
        Ok(())
    }

    /// `$states`, followed by `member` in its path.
    fn states(&mut self, member: Option<&Node>) {
        self.findings.states = true;
        let reads = &mut self.findings.reads;
        match member.map(|node| &node.kind) {
            Some(NodeKind::Name { name }) => match name.as_str() {
                "input" => reads.input = true,
                "context" => reads.context = true,
                "result" => reads.result = true,
                "errorOutput" => reads.error_output = true,
                _ => {}
            },
            // Whole: it holds the members that there are, and asks for none that is not.
            _ => {
                reads.input = true;
                reads.context = true;
            }
        }
    }

    fn variable(&mut self, name: &'n str, node: &Node, item: Item) {
        match name {
            "" if item == Item::None => {
                self.no_document("Reference to '$' at the top level is not supported.".into(), node)
            }
            "$" if !self.document => self.no_document("Reference to '$$' is not supported.".into(), node),
            "" | "$" => {}
            _ if self.is_bound(name) => {}
            STATES => self.states(None),
            _ if functions::exists(name) => {
                remember(&mut self.findings.function_values, name);
                self.findings.is_wild |= name == "replace";
                self.function(name);
            }
            _ => remember(&mut self.findings.reads.variables, name),
        }
    }

    fn no_document(&mut self, message: String, node: &Node) {
        if !self.without_document.iter().any(|(known, _)| *known == message) {
            self.without_document.push((message, node.span.start..node.span.end));
        }
    }

    fn function(&mut self, name: &str) {
        let findings = &mut self.findings;
        match name {
            "reduce" => findings.is_recursive = true,
            "formatNumber" | "formatInteger" => findings.is_wild = true,
            "append" | "map" | "each" | "sift" | "spread" | "partition" | "merge" | "zip" => findings.composers += 1,
            // A picture becomes a regular expression.
            "toMillis" => findings.pace = Pace::Matching,
            _ => {}
        }
        remember(&mut findings.functions, name);
    }

    /// A call of `procedure`, given `count` arguments.
    fn call(&mut self, procedure: &'n Node, args: &'n [Node], count: usize, item: Item) -> Walked {
        match &procedure.kind {
            NodeKind::Variable { name } if !self.is_bound(name) && !matches!(name.as_str(), "" | "$" | STATES) => {
                // A variable is no function, so a free name that is called is none.
                if functions::exists(name) {
                    self.function(name);
                    self.findings.is_wild |= name == "replace" && !replaces_by_little(args, count);
                    let others = args.iter().skip((1 + args.len()).saturating_sub(count));
                    self.findings.is_recursive |=
                        CALLING.contains(&name.as_str()) && others.clone().any(|arg| !self.is_known_function(arg));
                } else {
                    self.findings.is_recursive = true;
                }
                if functions::may_take_context_item(name, count) {
                    self.context_item(item);
                }
                self.attributes(procedure)?;
            }
            // `name(…)`: the author forgot the `$`; the evaluation says so.
            NodeKind::Name { .. } => self.context_item(item),
            _ if self.calls_its_own(procedure) => {
                self.findings.is_recursive = true;
                self.node(procedure, item)?;
            }
            NodeKind::Path { steps, .. } if matches!(steps.as_slice(), [Node { kind: NodeKind::Name { .. }, .. }]) => {
                self.context_item(item);
            }
            _ => self.node(procedure, item)?,
        }
        self.nodes(args, item)
    }

    /// A function of JSONata or of AWS, one that is written here and so has no name by which it could call itself, or
    /// surely no function at all.
    fn is_known_function(&self, node: &Node) -> bool {
        match &node.kind {
            NodeKind::Variable { name } => !self.is_bound(name),
            NodeKind::Lambda(_) | NodeKind::Transform(_) | NodeKind::Regex { .. } | NodeKind::Partial { .. } => true,
            _ => is_scalar(node),
        }
    }

    /// Whether `procedure` may be a function of the expression: anything but a name of ours or JSONata's.
    fn calls_its_own(&self, procedure: &Node) -> bool {
        match &procedure.kind {
            NodeKind::Path { steps, .. } => !matches!(steps.as_slice(), [Node { kind: NodeKind::Name { .. }, .. }]),
            _ => true,
        }
    }

    fn lambda(&mut self, def: &'n LambdaDef, item: Item) -> Walked {
        if def.signature.as_ref().is_some_and(|signature| signature.params.iter().any(|param| param.context)) {
            self.context_item(item);
        }
        self.scope(|walk| {
            for param in &def.params {
                walk.bind(param);
            }
            walk.node(&def.body, item)
        })
    }

    fn transform(&mut self, def: &'n TransformDef) -> Walked {
        self.findings.copies = true;
        self.node(&def.pattern, Item::Some)?;
        self.node(&def.update, Item::Some)?;
        match &def.delete {
            Some(delete) => self.node(delete, Item::Some),
            None => Ok(()),
        }
    }

    fn context_item(&mut self, item: Item) {
        self.findings.reads_context_item |= item == Item::None;
    }

    fn scope(&mut self, inner: impl FnOnce(&mut Self) -> Walked) -> Walked {
        self.frames.push(Vec::new());
        let walked = inner(self);
        self.frames.pop();
        walked
    }

    fn bind(&mut self, name: &'n str) {
        if let Some(frame) = self.frames.last_mut() {
            frame.push(name);
        }
    }

    fn is_bound(&self, name: &str) -> bool {
        self.frames.iter().any(|frame| frame.contains(&name))
    }
}

/// Whether the call of `$replace`, of `count` arguments with the one before `~>`, puts in a short text, which is known.
fn replaces_by_little(args: &[Node], count: usize) -> bool {
    const BYTES_MAX: usize = 16;
    let replacement = (2 + args.len()).checked_sub(count).and_then(|index| args.get(index));
    matches!(replacement.map(|node| &node.kind), Some(NodeKind::String { value }) if value.len() <= BYTES_MAX)
}

/// Functions of JSONata that call what they are given behind their first argument.
const CALLING: [&str; 10] =
    ["contains", "each", "filter", "map", "match", "replace", "sift", "single", "sort", "split"];

/// A range of few items, for all that its text tells.
fn is_short_range(from: &Node, to: &Node) -> bool {
    const ITEMS_MAX: f64 = 8192.0;
    matches!((&from.kind, &to.kind), (NodeKind::Number { value: from }, NodeKind::Number { value: to })
        if to - from < ITEMS_MAX)
}

/// No array and no object, for all that its text tells: a name may stand for one.
fn is_scalar(node: &Node) -> bool {
    match &node.kind {
        NodeKind::String { .. } | NodeKind::Number { .. } | NodeKind::Bool { .. } | NodeKind::Null => true,
        NodeKind::Negate { .. } => true,
        NodeKind::Binary { op, .. } => *op != BinaryOp::Range,
        _ => false,
    }
}

fn remember(names: &mut Vec<Arc<str>>, name: &str) {
    if !names.iter().any(|known| &**known == name) {
        names.push(name.into());
    }
}

/// `?:` and `??` came with JSONata 2.1; 2.0.6 meets a second symbol where an operand should stand.
fn later_operator(op: FallbackOp, node: &Node) -> ExpressionSyntaxError {
    let symbol = match op {
        FallbackOp::Default => ":",
        FallbackOp::Coalesce => "?",
    };
    ExpressionSyntaxError {
        code: Some("S0211".into()),
        message: format!("The symbol \"{symbol}\" cannot be used as a unary operator"),
        further: Vec::new(),
        place: Some(node.span.start..node.span.end),
    }
}
