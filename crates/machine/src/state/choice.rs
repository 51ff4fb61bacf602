//! Choice: takes the first rule that holds.

use std::{cmp::Ordering, sync::Arc};

use stepwell_expr::{
    Payload, Value,
    jsonata::Expression,
    jsonpath::{Path, PathError},
};

use crate::{
    data::{self, Fault, Scene, View},
    program::{Assign, DataFlow, StateId, Template, Transition},
    state::{Ran, State},
    timestamp,
};

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

impl Choice {
    /// Takes the first rule that holds, else `Default`.
    ///
    /// Neither: `States.Runtime`, not the `States.NoChoiceMatched` of the language's text. Source: measured on AWS.
    pub(crate) fn run(&self, state: &State, input: &Payload, scene: &Scene<'_>) -> Result<Ran, Fault> {
        let effective = match &state.flow {
            DataFlow::JsonPath(flow) => data::select(&flow.input_path, input, scene)?,
            DataFlow::Jsonata(_) => input.clone(),
        };
        let view = scene.view(&effective);
        for rule in &self.rules {
            if rule.when.holds(&view)? {
                return leave(state, &effective, scene, rule.next, &rule.assign, rule.output.as_ref());
            }
        }
        match self.default {
            Some(next) => {
                let output = match &state.flow {
                    DataFlow::JsonPath(_) => None,
                    DataFlow::Jsonata(flow) => flow.output.as_ref(),
                };
                leave(state, &effective, scene, next, &state.assign, output)
            }
            None => Err(Fault::Runtime(
                "Failed to transition out of the state. The state does not point to a next state.".to_owned(),
            )),
        }
    }
}

fn leave(
    state: &State,
    effective: &Payload,
    scene: &Scene<'_>,
    next: StateId,
    assign: &Assign,
    output: Option<&Template>,
) -> Result<Ran, Fault> {
    let view = scene.view(effective);
    let assigned = data::assign(assign, &view)?;
    let output = match (&state.flow, output) {
        (DataFlow::JsonPath(flow), _) => data::select(&flow.output_path, effective, scene)?,
        (DataFlow::Jsonata(_), Some(template)) => Payload::from_value(data::evaluate(template, &view)?),
        (DataFlow::Jsonata(_), None) => effective.clone(),
    };
    Ok(Ran::Exits { output, assigned, transition: Transition::Next(next) })
}

impl Condition {
    /// Nesting is bounded by that of the definition's JSON.
    fn holds(&self, view: &View<'_>) -> Result<bool, Fault> {
        match self {
            Condition::Constant(holds) => Ok(*holds),
            Condition::Jsonata { expression, field } => match data::evaluate_jsonata(expression, field, view)? {
                Value::Bool(holds) => Ok(holds),
                value => Err(data::unexpected_type(expression.text(), field, "boolean", &value)),
            },
            Condition::And(all) => {
                for condition in all {
                    if !condition.holds(view)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Condition::Or(any) => {
                for condition in any {
                    if condition.holds(view)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Condition::Not(condition) => Ok(!condition.holds(view)?),
            Condition::Test { variable, comparison } => comparison.holds(variable, view),
        }
    }
}

impl Comparison {
    fn holds(&self, variable: &Path, view: &View<'_>) -> Result<bool, Fault> {
        if let Comparison::Is(Is::Present, expected) = self {
            return match variable.read(view) {
                Ok(_) => Ok(*expected),
                Err(PathError::OutOfFuel(_)) => Err(Fault::OutOfFuel),
                Err(_) => Ok(!*expected),
            };
        }
        let value = data::read_path(variable, view)?;
        Ok(match self {
            Comparison::String(order, operand) => {
                let right = operand.value(view, |value| value.as_str().map(Into::into))?;
                match (value.as_str(), right) {
                    (Some(left), Some(right)) => order.holds(left.encode_utf16().cmp(right.encode_utf16())),
                    _ => false,
                }
            }
            Comparison::Numeric(order, operand) => match (value.as_f64(), operand.value(view, Value::as_f64)?) {
                (Some(left), Some(right)) => left.partial_cmp(&right).is_some_and(|ordering| order.holds(ordering)),
                _ => false,
            },
            Comparison::Timestamp(order, operand) => {
                let right = operand.value(view, |value| value.as_str().map(Into::into))?;
                let left = value.as_str().and_then(timestamp::parse);
                match (left, right.as_deref().and_then(timestamp::parse)) {
                    (Some(left), Some(right)) => order.holds(left.cmp(&right)),
                    _ => false,
                }
            }
            Comparison::BooleanEquals(operand) => match (value.as_bool(), operand.value(view, Value::as_bool)?) {
                (Some(left), Some(right)) => left == right,
                _ => false,
            },
            Comparison::StringMatches(pattern) => value.as_str().is_some_and(|text| matches(pattern, text)),
            Comparison::Is(is, expected) => is.holds(&value) == *expected,
        })
    }
}

impl Is {
    fn holds(self, value: &Value) -> bool {
        match self {
            Is::Null => value.is_null(),
            Is::Present => true,
            Is::Numeric => value.as_number().is_some(),
            Is::String => value.as_str().is_some(),
            Is::Boolean => value.as_bool().is_some(),
            Is::Timestamp => value.as_str().is_some_and(|text| timestamp::parse(text).is_some()),
        }
    }
}

impl Order {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Order::Equals => ordering.is_eq(),
            Order::LessThan => ordering.is_lt(),
            Order::GreaterThan => ordering.is_gt(),
            Order::LessThanEquals => ordering.is_le(),
            Order::GreaterThanEquals => ordering.is_ge(),
        }
    }
}

impl<T: Clone> Operand<T> {
    /// `None` if what the path finds is of another type: the comparison does not hold.
    fn value(&self, view: &View<'_>, read: impl Fn(&Value) -> Option<T>) -> Result<Option<T>, Fault> {
        match self {
            Operand::Constant(constant) => Ok(Some(constant.clone())),
            Operand::Path(path) => Ok(read(&data::read_path(path, view)?)),
        }
    }
}

/// One element of a `StringMatches` pattern.
#[derive(Clone, Copy, PartialEq)]
enum Glob {
    Any,
    One(char),
}

/// `*` stands for any text; a backslash takes the next character as it is. Linear in text times stars.
fn matches(pattern: &str, text: &str) -> bool {
    let mut globs = Vec::new();
    let mut chars = pattern.chars();
    while let Some(char) = chars.next() {
        globs.push(match char {
            '*' => Glob::Any,
            '\\' => Glob::One(chars.next().unwrap_or('\\')),
            char => Glob::One(char),
        });
    }
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut glob) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while at < text.len() {
        match globs.get(glob) {
            Some(Glob::Any) => {
                last_star = Some((glob, at));
                glob += 1;
            }
            Some(Glob::One(char)) if *char == text[at] => {
                glob += 1;
                at += 1;
            }
            _ => match last_star {
                Some((star, from)) => {
                    glob = star + 1;
                    at = from + 1;
                    last_star = Some((star, at));
                }
                None => return false,
            },
        }
    }
    globs[glob..].iter().all(|glob| *glob == Glob::Any)
}

#[cfg(test)]
mod tests {
    #[test]
    fn stars_match_any_text_and_escapes_themselves() {
        let cases = [
            ("log-*.txt", "log-a.txt", true),
            ("log-*.txt", "log-.txt", true),
            ("log-*.txt", "log.txt", false),
            ("*", "", true),
            ("a*b*c", "a--b--b--c", true),
            ("a*b*c", "a--c", false),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("a\\\\b", "a\\b", true),
            ("", "", true),
            ("", "a", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(super::matches(pattern, text), expected, "{pattern} on {text}");
        }
    }
}
