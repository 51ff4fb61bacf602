//! Choice: takes the first rule that holds.

use std::sync::Arc;

use stepwell_expr::{jsonata::Expression, jsonpath::Path};

use crate::program::{Assign, StateId, Template};

#[derive(Clone, Debug)]
pub struct Choice {
    pub rules: Vec<Rule>,
    pub default: Option<StateId>,
}

#[derive(Clone, Debug)]
pub struct Rule {
    pub when: Condition,
    pub next: StateId,
    pub assign: Assign,
    /// JSONata `Output` of the rule.
    pub output: Option<Template>,
}

#[derive(Clone, Debug)]
pub enum Condition {
    /// JSONata `Condition`: a boolean literal.
    Constant(bool),
    /// JSONata `Condition`, with its place in the state for error texts, e.g. `Choices[0]/Condition`.
    Jsonata {
        expression: Expression,
        field: Arc<str>,
    },
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    /// JSONPath: `Variable` and one comparator.
    Test {
        variable: Path,
        comparison: Comparison,
    },
}

#[derive(Clone, Debug)]
pub enum Comparison {
    String(Order, Operand<Arc<str>>),
    Numeric(Order, Operand<f64>),
    Timestamp(Order, Operand<Arc<str>>),
    BooleanEquals(Operand<bool>),
    /// `StringMatches`: `*` stands for any text, `\*` and `\\` for themselves.
    StringMatches(Arc<str>),
    /// `IsNull`, `IsPresent`, ... and whether it must hold.
    Is(Is, bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Equals,
    LessThan,
    GreaterThan,
    LessThanEquals,
    GreaterThanEquals,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Is {
    Null,
    Present,
    Numeric,
    String,
    Boolean,
    Timestamp,
}

/// The right side: a constant or the value at a path (the comparator's `…Path` form).
#[derive(Clone, Debug)]
pub enum Operand<T> {
    Constant(T),
    Path(Path),
}
