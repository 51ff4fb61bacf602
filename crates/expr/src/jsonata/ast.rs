//! An expression after its parts were put in order: paths are lists of steps, names are numbers.

use std::ops::Range;
use std::sync::Arc;

use super::item::Symbol;
use super::regex::Regex;
use super::signature::Signature;

/// A compiled part of an expression.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// The bytes of the text that an error of this node is about.
    pub(super) at: Range<usize>,
    /// Filters on what a node gives that is no step of a path.
    pub(super) predicate: Vec<Stage>,
    /// Filters and positions on what a step gives.
    pub(super) stages: Vec<Stage>,
    pub(super) group: Option<Box<Group>>,
    /// `@$name`: the step binds its items and hands on its input.
    pub(super) focus: Option<Symbol>,
    /// `#$name`: the step binds the positions of its items.
    pub(super) index: Option<Symbol>,
    /// The `%` that means the input of the step; then the symbol under which it finds it.
    pub(super) ancestor: Option<Slot>,
    /// The step gives items together with what is bound.
    pub(super) tuple: bool,
    pub(super) keep_array: bool,
    /// An array constructor whose result is not flattened.
    pub(super) cons: bool,
    /// The parents that `%` in it looks for outside of it. Only while the expression is put in order.
    pub(super) seeking: Vec<Slot>,
}

/// A `%` of the expression, by its number.
pub(super) type Slot = usize;

#[derive(Debug)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Number(f64),
    Text(Arc<str>),
    Regex(Arc<Regex>),
    Name(Arc<str>),
    Wildcard,
    Descendant,
    /// `%`, by its slot; then by the symbol of the slot.
    Parent(Slot),
    Variable(Arc<str>, Variable),
    Path(Path),
    /// `^(…)`, a step.
    Sort(Vec<Term>),
    Negate(Box<Node>),
    Binary(Operator, Box<(Node, Node)>),
    And(Box<(Node, Node)>),
    Or(Box<(Node, Node)>),
    /// `??`, of plain JSONata alone.
    Coalesce(Box<(Node, Node)>),
    /// `?:`, of plain JSONata alone.
    Default(Box<(Node, Node)>),
    Array(Vec<Node>),
    Object(Group),
    Condition(Box<(Node, Node, Option<Node>)>),
    Block {
        nodes: Vec<Node>,
        /// It binds something, so it has a scope of its own.
        binds: bool,
    },
    Bind(Symbol, Box<Node>),
    Call(Call),
    Partial(Call),
    /// `?` as an argument.
    Placeholder,
    Lambda(Arc<Lambda>),
    Apply(Box<(Node, Node)>),
    Transform(Arc<Transform>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Concatenate,
    Range,
    In,
}

impl Operator {
    pub(super) fn sign(self) -> &'static str {
        match self {
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
            Operator::Modulo => "%",
            Operator::Equal => "=",
            Operator::NotEqual => "!=",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
            Operator::Concatenate => "&",
            Operator::Range => "..",
            Operator::In => "in",
        }
    }
}

/// What a name with a `$` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variable {
    /// Not resolved yet.
    Unknown,
    /// `$`
    Context,
    /// `$$`
    Root,
    /// A name that the expression binds somewhere, so that scopes are searched for it; else it is the global one.
    Bound(Symbol, Global),
    /// A name that the expression never binds.
    Free(Global),
    /// `$states` and a member of it in one step.
    States(Member),
}

/// A name that comes from outside of the expression, by its number.
pub(super) type Global = usize;

/// The members of `$states`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Member {
    Input,
    Context,
    Result,
    ErrorOutput,
    Other,
}

#[derive(Debug)]
pub(super) struct Path {
    pub(super) steps: Vec<Node>,
    /// `[]` at one of its steps.
    pub(super) keep_singleton: bool,
    /// Steps that are names and nothing else, but for the first one, which may be a variable.
    pub(super) is_plain: bool,
}

#[derive(Debug)]
pub(super) enum Stage {
    Filter(Node),
    /// `#$name` behind a filter.
    Index(Symbol),
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) pairs: Vec<(Node, Node)>,
    pub(super) at: Range<usize>,
}

#[derive(Debug)]
pub(super) struct Term {
    pub(super) node: Node,
    pub(super) descending: bool,
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) procedure: Box<Node>,
    pub(super) arguments: Vec<Node>,
}

#[derive(Debug)]
pub(super) struct Lambda {
    pub(super) parameters: Vec<Symbol>,
    pub(super) signature: Option<Signature>,
    pub(super) body: Node,
}

#[derive(Debug)]
pub(super) struct Transform {
    pub(super) pattern: Node,
    pub(super) update: Node,
    pub(super) delete: Option<Node>,
    /// `$clone`, as it is where the transform stands.
    pub(super) clone: Variable,
    pub(super) at: Range<usize>,
}

impl Node {
    pub(super) fn new(kind: Kind, at: Range<usize>) -> Node {
        Node {
            kind,
            at,
            predicate: Vec::new(),
            stages: Vec::new(),
            group: None,
            focus: None,
            index: None,
            ancestor: None,
            tuple: false,
            keep_array: false,
            cons: false,
            seeking: Vec::new(),
        }
    }

    /// No filters, no binding, no grouping.
    pub(super) fn is_bare(&self) -> bool {
        self.predicate.is_empty()
            && self.stages.is_empty()
            && self.group.is_none()
            && self.focus.is_none()
            && self.index.is_none()
            && !self.tuple
            && !self.keep_array
    }
}
