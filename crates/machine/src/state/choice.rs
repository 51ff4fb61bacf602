//! Choice: takes the first rule that holds.

use std::{cmp::Ordering, sync::Arc};

use stepwell_expr::{
    Environment, Fuel, OutOfFuel, Payload, Value,
    jsonata::Expression,
    jsonpath::{Path, PathError},
};

use crate::{
    data::{self, Fault, Scene, View},
    definition::{
        compiler::{BOTH, Compiler, FieldTable, Fields, JSON_PATH, JSONATA, expected},
        expression::{Available, Jsonata},
        place::Place,
        template::looks_like_path,
    },
    diagnostic::Code,
    limits::COMPARISONS_PER_FUEL,
    program::{Assign, DataFlow, QueryLanguage, StateId, Template, Transition},
    state::{Ran, Source, State},
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
            DataFlow::JsonPath(flow) => flow.selected_input(input, scene)?,
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
            Comparison::StringMatches(pattern) => match value.as_str() {
                Some(text) => matches(pattern, text, view.fuel()).map_err(|_| Fault::OutOfFuel)?,
                None => false,
            },
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

/// `*` stands for any text; a backslash takes the next character as it is. At worst text times pattern, on fuel.
fn matches(pattern: &str, text: &str, fuel: &Fuel) -> Result<bool, OutOfFuel> {
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
    let mut comparisons: u64 = 0;
    while at < text.len() {
        comparisons += 1;
        if comparisons.is_multiple_of(COMPARISONS_PER_FUEL) {
            fuel.burn(1)?;
        }
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
                None => return Ok(false),
            },
        }
    }
    Ok(globs[glob..].iter().all(|glob| *glob == Glob::Any))
}

pub(crate) const FIELDS: &FieldTable = &[("Choices", BOTH), ("Default", BOTH), ("Assign", BOTH)];

/// Fields of a rule in `Choices`, besides the comparators.
const RULE_FIELDS: &FieldTable =
    &[("Next", BOTH), ("Condition", JSONATA), ("Assign", BOTH), ("Output", JSONATA), ("Comment", BOTH)];

/// Fields of a JSONPath condition, also of one inside `And`, `Or` and `Not`, besides the comparators.
const CONDITION_FIELDS: &FieldTable =
    &[("And", JSON_PATH), ("Or", JSON_PATH), ("Not", JSON_PATH), ("Variable", JSON_PATH)];

/// What a comparator compares; with `Path` after its name the right side is a path, where it has such a form.
#[derive(Clone, Copy)]
enum Comparator {
    String(Order),
    Numeric(Order),
    Timestamp(Order),
    BooleanEquals,
    StringMatches,
    Is(Is),
}

const COMPARATORS: [(&str, Comparator); 23] = [
    ("StringEquals", Comparator::String(Order::Equals)),
    ("StringLessThan", Comparator::String(Order::LessThan)),
    ("StringGreaterThan", Comparator::String(Order::GreaterThan)),
    ("StringLessThanEquals", Comparator::String(Order::LessThanEquals)),
    ("StringGreaterThanEquals", Comparator::String(Order::GreaterThanEquals)),
    ("StringMatches", Comparator::StringMatches),
    ("NumericEquals", Comparator::Numeric(Order::Equals)),
    ("NumericLessThan", Comparator::Numeric(Order::LessThan)),
    ("NumericGreaterThan", Comparator::Numeric(Order::GreaterThan)),
    ("NumericLessThanEquals", Comparator::Numeric(Order::LessThanEquals)),
    ("NumericGreaterThanEquals", Comparator::Numeric(Order::GreaterThanEquals)),
    ("BooleanEquals", Comparator::BooleanEquals),
    ("TimestampEquals", Comparator::Timestamp(Order::Equals)),
    ("TimestampLessThan", Comparator::Timestamp(Order::LessThan)),
    ("TimestampGreaterThan", Comparator::Timestamp(Order::GreaterThan)),
    ("TimestampLessThanEquals", Comparator::Timestamp(Order::LessThanEquals)),
    ("TimestampGreaterThanEquals", Comparator::Timestamp(Order::GreaterThanEquals)),
    ("IsNull", Comparator::Is(Is::Null)),
    ("IsPresent", Comparator::Is(Is::Present)),
    ("IsNumeric", Comparator::Is(Is::Numeric)),
    ("IsString", Comparator::Is(Is::String)),
    ("IsBoolean", Comparator::Is(Is::Boolean)),
    ("IsTimestamp", Comparator::Is(Is::Timestamp)),
];

impl Comparator {
    /// The comparator of this field, and whether the field is its `Path` form.
    fn named(field: &str) -> Option<(Comparator, bool)> {
        let named = |name: &str| COMPARATORS.iter().find(|(known, _)| *known == name).map(|(_, found)| *found);
        if let Some(comparator) = named(field) {
            return Some((comparator, false));
        }
        match named(field.strip_suffix("Path")?)? {
            Comparator::StringMatches | Comparator::Is(_) => None,
            comparator => Some((comparator, true)),
        }
    }
}

impl Choice {
    pub(crate) fn compile(source: &Source, compiler: &mut Compiler) -> Option<Choice> {
        let fields = &source.fields;
        fields.require(&["Choices"], compiler);
        let place = fields.at("Choices");
        let rules = fields.array("Choices", true, compiler).and_then(|rules| {
            let rules: Vec<Option<Rule>> = rules
                .iter()
                .enumerate()
                .map(|(index, rule)| {
                    let fields = Fields::of(rule, place.index(index), compiler)?;
                    Rule::compile(&fields, source, compiler)
                })
                .collect();
            rules.into_iter().collect::<Option<Vec<_>>>()
        });
        let default = source.target(fields, "Default", compiler);
        if fields.has("Default") && default.is_none() {
            return None;
        }
        Some(Choice { rules: rules?, default })
    }
}

impl Rule {
    fn compile(fields: &Fields, source: &Source, compiler: &mut Compiler) -> Option<Rule> {
        check_fields(fields, &[RULE_FIELDS, CONDITION_FIELDS].concat(), Some(source.language), compiler);
        fields.require(&["Next"], compiler);
        fields.string("Comment", compiler);
        let when = match source.language {
            QueryLanguage::JsonPath => Condition::compile(fields, compiler),
            QueryLanguage::Jsonata => Condition::compile_jsonata(fields, compiler),
        };
        let next = source.target(fields, "Next", compiler);
        let available = Available::default();
        let assign = compiler.assign(fields, source.scope, source.language, available);
        let output = match source.language {
            QueryLanguage::JsonPath => Some(None),
            QueryLanguage::Jsonata => source.template_in(fields, "Output", available, compiler),
        };
        Some(Rule { when: when?, next: next?, assign: assign?, output: output? })
    }
}

impl Condition {
    /// `Condition`: a boolean or an expression.
    fn compile_jsonata(fields: &Fields, compiler: &mut Compiler) -> Option<Condition> {
        fields.require(&["Condition"], compiler);
        let place = fields.at("Condition");
        match fields.get("Condition")? {
            Value::Bool(holds) => Some(Condition::Constant(*holds)),
            Value::String(text) => match compiler.jsonata(text, Available::default(), &place)? {
                Jsonata::Expression(expression) => Some(Condition::Jsonata { expression, field: place.field() }),
                Jsonata::Literal => {
                    compiler.schema(&place, "JSONata string must start with {% and end with %}");
                    None
                }
            },
            _ => {
                expected(compiler, &place, "BOOLEAN, STRING");
                None
            }
        }
    }

    /// JSONPath: `And`, `Or`, `Not`, or `Variable` with one comparator. Recursion is bounded by the depth of a JSON
    /// value.
    fn compile(fields: &Fields, compiler: &mut Compiler) -> Option<Condition> {
        let forms = ["And", "Or", "Not", "Variable"].into_iter().filter(|form| fields.has(form)).count();
        if forms != 1 {
            let message = "The object must have only one of the following fields, [And, Or, Not, Variable, Condition]";
            compiler.schema(&fields.place, message);
            return None;
        }
        if fields.has("And") {
            return Condition::compile_list(fields, "And", compiler).map(Condition::And);
        }
        if fields.has("Or") {
            return Condition::compile_list(fields, "Or", compiler).map(Condition::Or);
        }
        if let Some(inner) = fields.get("Not") {
            return Condition::compile_nested(inner, fields.at("Not"), compiler)
                .map(|inner| Condition::Not(Box::new(inner)));
        }
        Condition::compile_test(fields, compiler)
    }

    fn compile_list(fields: &Fields, field: &str, compiler: &mut Compiler) -> Option<Vec<Condition>> {
        let items = fields.array(field, true, compiler)?;
        let place = fields.at(field);
        let conditions: Vec<Option<Condition>> = items
            .iter()
            .enumerate()
            .map(|(index, item)| Condition::compile_nested(item, place.index(index), compiler))
            .collect();
        conditions.into_iter().collect()
    }

    fn compile_nested(value: &Value, place: Place, compiler: &mut Compiler) -> Option<Condition> {
        let fields = Fields::of(value, place, compiler)?;
        check_fields(&fields, &[CONDITION_FIELDS, &[("Comment", BOTH)]].concat(), None, compiler);
        Condition::compile(&fields, compiler)
    }

    fn compile_test(fields: &Fields, compiler: &mut Compiler) -> Option<Condition> {
        let variable = fields.string("Variable", compiler);
        let variable = variable.and_then(|text| reference_path(&text, &fields.at("Variable"), compiler));
        let mut comparators = fields.members.keys().filter_map(|field| Some((field, Comparator::named(field)?)));
        let Some((field, (comparator, is_path))) = comparators.next() else {
            let names: Vec<&str> = COMPARATORS.iter().map(|(name, _)| *name).collect();
            let message = format!("This object should have only one of the following fields: [{}]", names.join(", "));
            compiler.schema(&fields.place, message);
            return None;
        };
        let others: Vec<&str> = comparators.map(|(field, _)| &**field).collect();
        if !others.is_empty() {
            let names = [&[&**field], &others[..]].concat().join(", ");
            let message = format!("There should only be one of the following fields: [{names}]");
            compiler.schema(&fields.place, message);
            return None;
        }
        let value = fields.get(field)?;
        let comparison = Comparison::compile(comparator, is_path, value, &fields.at(field), compiler)?;
        Some(Condition::Test { variable: variable?, comparison })
    }
}

impl Comparison {
    fn compile(
        comparator: Comparator,
        is_path: bool,
        value: &Value,
        place: &Place,
        compiler: &mut Compiler,
    ) -> Option<Comparison> {
        if is_path {
            let Some(text) = value.as_str() else {
                expected(compiler, place, "STRING");
                return None;
            };
            let path = reference_path(text, place, compiler)?;
            return match comparator {
                Comparator::String(order) => Some(Comparison::String(order, Operand::Path(path))),
                Comparator::Numeric(order) => Some(Comparison::Numeric(order, Operand::Path(path))),
                Comparator::Timestamp(order) => Some(Comparison::Timestamp(order, Operand::Path(path))),
                Comparator::BooleanEquals => Some(Comparison::BooleanEquals(Operand::Path(path))),
                Comparator::StringMatches | Comparator::Is(_) => None,
            };
        }
        let compiled = match (comparator, value) {
            (Comparator::String(order), Value::String(text)) => {
                if looks_like_path(text) {
                    let message = "Field value looks like a path, but field name does not end with 'Path'.";
                    compiler.warn(Code::NoPath, place, message);
                }
                Some(Comparison::String(order, Operand::Constant(text.clone())))
            }
            (Comparator::StringMatches, Value::String(text)) => Some(Comparison::StringMatches(text.clone())),
            (Comparator::Numeric(order), Value::Number(number)) => {
                Some(Comparison::Numeric(order, Operand::Constant(number.as_f64())))
            }
            (Comparator::Timestamp(order), Value::String(text)) => {
                if timestamp::parse(text).is_none() {
                    compiler.schema(place, "String does not match RFC3339 timestamp");
                }
                Some(Comparison::Timestamp(order, Operand::Constant(text.clone())))
            }
            (Comparator::BooleanEquals, Value::Bool(bool)) => Some(Comparison::BooleanEquals(Operand::Constant(*bool))),
            (Comparator::Is(is), Value::Bool(bool)) => Some(Comparison::Is(is, *bool)),
            _ => None,
        };
        if compiled.is_none() {
            let kind = match comparator {
                Comparator::String(_) | Comparator::StringMatches | Comparator::Timestamp(_) => "STRING",
                Comparator::Numeric(_) => "NUMBER",
                Comparator::BooleanEquals | Comparator::Is(_) => "BOOLEAN",
            };
            expected(compiler, place, kind);
        }
        compiled
    }
}

/// `Variable` and the comparators' paths; AWS has a sentence of its own for them.
fn reference_path(text: &str, place: &Place, compiler: &mut Compiler) -> Option<Path> {
    if !text.starts_with('$') {
        compiler.schema(place, "Value is not a Reference Path: Reference path didn't start with '$'");
        return None;
    }
    compiler.reference_path(text, place)
}

/// Checks the fields of a rule or condition against `table` and the comparators.
fn check_fields(fields: &Fields, table: &FieldTable, language: Option<QueryLanguage>, compiler: &mut Compiler) {
    let known = |field: &str| match table.iter().find(|(name, _)| *name == field) {
        Some((_, only)) => Some(*only),
        None => Comparator::named(field).map(|_| JSON_PATH),
    };
    fields.check_by(known, language, compiler);
}

#[cfg(test)]
mod tests {
    use stepwell_expr::Fuel;

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
            assert_eq!(super::matches(pattern, text, &Fuel::new(0)), Ok(expected), "{pattern} on {text}");
        }
    }

    #[test]
    fn a_pattern_that_tries_all_places_burns_fuel() {
        let pattern = format!("*{}b", "a".repeat(500));
        let text = "a".repeat(2_000);
        assert!(super::matches(&pattern, &text, &Fuel::new(100)).is_err());
        let fuel = Fuel::new(10_000);
        assert_eq!(super::matches(&pattern, &text, &fuel), Ok(false));
        assert!(fuel.left() < 9_000, "{fuel:?}");
    }
}
