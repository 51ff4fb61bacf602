//! How data flows through a state, in both languages: what an expression may see, and what its failures mean.

use std::{cell::OnceCell, collections::BTreeMap, sync::Arc};

use stepwell_expr::{
    Environment, Fuel, Payload, Value,
    intrinsic::{self, Call, CallError},
    jsonata::{EvaluationError, Expression},
    jsonpath::{Path, PathError},
};

use crate::{
    chance::Chance,
    context,
    execution::{Identity, Redrives, TaskId},
    failure::Failure,
    history::Assigned,
    limits::{self, Limits},
    program::{Assign, Expr, Field, JsonPathFlow, JsonataFlow, QueryLanguage, ResultPath, Selection, Template},
    trial::{Seen, Stages},
};

/// What every expression of one visit of a state has in common.
pub(crate) struct Scene<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) redrives: Redrives,
    pub(crate) state_name: &'a str,
    pub(crate) entered_ms: i64,
    /// Retries so far; of Task, Map and Parallel states.
    pub(crate) retry_count: Option<u64>,
    /// The task that is about to be scheduled, if it has a token.
    pub(crate) token_of: Option<TaskId>,
    /// The iteration that the state runs in, or that an item selector is applied for.
    pub(crate) map_item: Option<MapItem>,
    /// Variables in sight, the innermost scope first.
    pub(crate) variables: Vec<Arc<BTreeMap<Arc<str>, Payload>>>,
    pub(crate) chance: &'a Chance,
    pub(crate) now_ms: i64,
    pub(crate) fuel: &'a Fuel,
    pub(crate) limits: &'a Limits,
    /// The Context object, where one was given instead of that of an execution.
    pub(crate) given_context: Option<&'a Value>,
    /// Where the stages of the data are noted, if somebody looks.
    pub(crate) seen: Option<&'a Seen>,
}

/// `Map.Item` of the Context object.
#[derive(Clone)]
pub(crate) struct MapItem {
    pub(crate) index: u64,
    pub(crate) from: ItemFrom,
}

#[derive(Clone)]
pub(crate) enum ItemFrom {
    /// The item at `index` of an array.
    Array(Payload),
    /// An item of a Map Run; `key`: of an object's entry.
    Stream { key: Option<Arc<str>>, value: Value, source: Arc<str> },
}

impl MapItem {
    pub(crate) fn of_array(index: u32, items: Payload) -> MapItem {
        MapItem { index: u64::from(index), from: ItemFrom::Array(items) }
    }
}

/// A [`Scene`] with the data that one field sees.
pub(crate) struct View<'a> {
    pub(crate) scene: &'a Scene<'a>,
    pub(crate) input: &'a Payload,
    pub(crate) result: Option<&'a Payload>,
    pub(crate) error_output: Option<&'a Value>,
    context: OnceCell<Value>,
}

impl<'a> Scene<'a> {
    /// Notes a stage of the data for who looks at it.
    pub(crate) fn saw(&self, note: impl FnOnce(&mut Stages)) {
        if let Some(seen) = self.seen {
            seen.note(note);
        }
    }

    /// Sees `input` alone.
    pub(crate) fn view(&'a self, input: &'a Payload) -> View<'a> {
        View { scene: self, input, result: None, error_output: None, context: OnceCell::new() }
    }
}

impl<'a> View<'a> {
    pub(crate) fn with_result(mut self, result: &'a Payload) -> View<'a> {
        self.result = Some(result);
        self
    }

    pub(crate) fn with_error_output(mut self, error_output: &'a Value) -> View<'a> {
        self.error_output = Some(error_output);
        self
    }
}

impl Environment for View<'_> {
    fn input(&self) -> &Value {
        self.input.value()
    }

    fn context(&self) -> &Value {
        match self.scene.given_context {
            Some(given) => given,
            None => self.context.get_or_init(|| context::build(self.scene)),
        }
    }

    fn result(&self) -> Option<&Value> {
        self.result.map(Payload::value)
    }

    fn error_output(&self) -> Option<&Value> {
        self.error_output
    }

    fn variable(&self, name: &str) -> Option<Value> {
        let payload = self.scene.variables.iter().find_map(|scope| scope.get(name))?;
        Some(payload.value().clone())
    }

    fn random_u64(&self) -> u64 {
        self.scene.chance.draw()
    }

    fn now_ms(&self) -> i64 {
        self.scene.now_ms
    }

    fn fuel(&self) -> &Fuel {
        self.scene.fuel
    }
}

/// Why a field could not be evaluated. Causes are without AWS's usual beginning; the state adds it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    /// JSONPath: `States.Runtime`, which nothing catches.
    Runtime(String),
    /// An error of its own name that Retry and Catch may see, e.g. `States.IntrinsicFailure`.
    Named(&'static str, String),
    /// JSONata: `States.QueryEvaluationError` with an EvaluationFailed event; `location` is the field.
    Query { cause: String, location: Option<Arc<str>> },
    /// What was made is larger than a payload may be: `States.DataLimitExceeded`.
    ResultTooLarge,
    /// What the state's work would be given is larger than a payload may be: `States.DataLimitExceeded`.
    InputTooLarge,
    /// The fuel given did not suffice.
    OutOfFuel,
}

/// The causes of AWS begin with where it happened. Source: recordings.
pub(crate) fn cause(state_name: &str, entered: u64, text: &str) -> String {
    format!("An error occurred while executing the state '{state_name}' (entered at the event id #{entered}). {text}")
}

/// Of parameters that a task cannot be started with. Source: users' reports (sentence and its beginning).
pub(crate) fn unsendable(state_name: &str, entered: u64, parameters: &Payload, problem: &str) -> Failure {
    let text = format!("The Parameters '{}' could not be used to start the Task: [{problem}]", parameters.text());
    Failure::new("States.Runtime", cause(state_name, entered, &text))
}

/// A fault as the failure that it is, with AWS's texts.
pub(crate) struct Explained {
    pub(crate) failure: Failure,
    /// An EvaluationFailed event belongs to it: where the expression stands, if that is known.
    pub(crate) evaluation: Option<Option<Arc<str>>>,
}

/// AWS's text for an evaluation that takes too long. Source: Step Functions guide.
const OUT_OF_FUEL: &str = "Expression evaluation timeout";

impl Fault {
    /// The failure of a state in `language` that was entered with the event `entered`.
    pub(crate) fn explained(self, language: QueryLanguage, state_name: &str, entered: u64) -> Explained {
        let cause = |text: &str| cause(state_name, entered, text);
        let plain = |failure: Failure| Explained { failure: failure.bounded(), evaluation: None };
        let (text, location) = match self {
            Fault::OutOfFuel => match language {
                QueryLanguage::Jsonata => (OUT_OF_FUEL.to_owned(), None),
                QueryLanguage::JsonPath => return plain(Failure::new("States.Runtime", cause(OUT_OF_FUEL))),
            },
            Fault::Runtime(text) => return plain(Failure::new("States.Runtime", cause(&text))),
            Fault::Named(error, text) => return plain(Failure::new(error, cause(&text))),
            Fault::ResultTooLarge => return plain(too_large(state_name)),
            Fault::InputTooLarge => return plain(too_large_input(state_name)),
            Fault::Query { cause, location } => (cause, location),
        };
        let failure = Failure::new("States.QueryEvaluationError", cause(&text)).bounded();
        Explained { failure, evaluation: Some(location) }
    }
}

/// Source: recordings.
pub(crate) fn too_large(name: &str) -> Failure {
    Failure::new(
        "States.DataLimitExceeded",
        format!(
            "The state/task '{name}' returned a result with a size exceeding the maximum number of bytes service limit."
        ),
    )
}

/// Source: seen in the field.
pub(crate) fn too_large_input(name: &str) -> Failure {
    Failure::new(
        "States.DataLimitExceeded",
        format!(
            "The state/task '{name}' provided parameters with a size exceeding the maximum number of bytes service limit."
        ),
    )
}

/// The text of a value that would be nested deeper than any JSON value here may be. Ours.
pub(crate) fn too_deep() -> Fault {
    Fault::Runtime(format!("The result is nested deeper than {} levels.", stepwell_expr::limits::DEPTH_MAX))
}

/// What a template comes to: not nested too deeply, and never far larger than a payload may be.
pub(crate) fn evaluate(template: &Template, view: &View<'_>) -> Result<Value, Fault> {
    let value = compose(template, view)?;
    if matches!(template, Template::Object(_) | Template::Array(_)) {
        if value.is_larger_than(limits::COMPOSED_BYTES_MAX.max(view.scene.limits.payload_bytes)) {
            return Err(Fault::ResultTooLarge);
        }
        if value.is_deeper_than(stepwell_expr::limits::DEPTH_MAX) {
            return Err(too_deep());
        }
    }
    Ok(value)
}

/// Recursion is bounded by the depth of the definition's JSON.
fn compose(template: &Template, view: &View<'_>) -> Result<Value, Fault> {
    let burn = |members: usize| {
        let units = 1 + members / limits::MEMBERS_PER_FUEL;
        view.fuel().burn(u64::try_from(units).unwrap_or(u64::MAX)).map_err(|_| Fault::OutOfFuel)
    };
    match template {
        Template::Literal(value) => Ok(value.clone()),
        Template::Leaf(leaf) => match &leaf.expression {
            Expr::Path(path) => {
                path.read_or_null_past_end(view).map_err(|error| template_path_fault(path, &leaf.field, error, view))
            }
            Expr::Call(call) => evaluate_call(call, view),
            Expr::Jsonata(expression) => evaluate_jsonata(expression, &leaf.field, view),
        },
        Template::Object(members) => {
            burn(members.len())?;
            let members = members.iter().map(|(key, member)| Ok((key.clone(), compose(member, view)?)));
            Ok(Value::object(members.collect::<Result<Vec<_>, Fault>>()?))
        }
        Template::Array(items) => {
            burn(items.len())?;
            let items = items.iter().map(|item| compose(item, view));
            Ok(Value::array(items.collect::<Result<_, _>>()?))
        }
    }
}

pub(crate) fn evaluate_jsonata(expression: &Expression, field: &Arc<str>, view: &View<'_>) -> Result<Value, Fault> {
    expression.evaluate(view).map_err(|error| match error {
        EvaluationError::OutOfFuel(_) => Fault::OutOfFuel,
        EvaluationError::Limit(text) => Fault::Query { cause: text.to_owned(), location: Some(field.clone()) },
        error => Fault::Query {
            cause: format!("The JSONata expression '{}' specified for the field '{field}' {error}", expression.text()),
            location: Some(field.clone()),
        },
    })
}

/// A path in a template that finds nothing. Source: recordings.
fn template_path_fault(path: &Path, field: &str, error: PathError, view: &View<'_>) -> Fault {
    match error {
        PathError::OutOfFuel(_) => Fault::OutOfFuel,
        _ => Fault::Runtime(format!(
            "The JSONPath '{}' specified for the field '{field}' could not be found in the input '{}'",
            path.text(),
            view.input.text()
        )),
    }
}

fn call_fault(error: CallError, view: &View<'_>) -> Fault {
    match error {
        CallError::OutOfFuel(_) => Fault::OutOfFuel,
        CallError::Path { call, path, .. } => {
            Fault::Runtime(intrinsic::missing_argument(&call, &path, view.input.text()))
        }
        CallError::Failed(text) => Fault::Named("States.IntrinsicFailure", text),
    }
}

/// A path outside of templates, e.g. `InputPath`. Source: recordings.
pub(crate) fn read_path(path: &Path, view: &View<'_>) -> Result<Value, Fault> {
    path.read(view).map_err(|error| match error {
        PathError::OutOfFuel(_) => Fault::OutOfFuel,
        error => Fault::Runtime(format!("Invalid path '{}' : {error}", path.text())),
    })
}

/// `InputPath`, `OutputPath`: all of it keeps its spelling.
pub(crate) fn select(selection: &Selection, payload: &Payload, scene: &Scene<'_>) -> Result<Payload, Fault> {
    match selection {
        Selection::All => Ok(payload.clone()),
        Selection::Nothing => Ok(Payload::from_value(Value::empty_object())),
        Selection::Path(path) => Ok(Payload::from_value(read_path(path, &scene.view(payload))?)),
    }
}

/// Puts a result into the raw input. Source: Amazon States Language, `ResultPath`.
pub(crate) fn place(result_path: &ResultPath, input: &Payload, result: &Payload) -> Result<Payload, Fault> {
    match result_path {
        ResultPath::Replace => Ok(result.clone()),
        ResultPath::Discard => Ok(input.clone()),
        ResultPath::At(path) => match path.write(input.value(), result.value().clone()) {
            Ok(value) => Ok(Payload::from_value(value)),
            Err(PathError::OutOfFuel(_)) => Err(Fault::OutOfFuel),
            Err(error) => Err(Fault::Named(
                "States.ResultPathMatchFailure",
                format!("Unable to apply ReferencePath {} to input {}: {error}", path.text(), input.text()),
            )),
        },
    }
}

impl JsonPathFlow {
    /// `InputPath`.
    pub(crate) fn selected_input(&self, input: &Payload, scene: &Scene<'_>) -> Result<Payload, Fault> {
        let selected = select(&self.input_path, input, scene)?;
        scene.saw(|stages| stages.after_input_path = Some(selected.clone()));
        Ok(selected)
    }

    /// `Parameters` on what `InputPath` has selected; without any, that keeps its spelling.
    pub(crate) fn parameters(&self, selected: &Payload, scene: &Scene<'_>) -> Result<Payload, Fault> {
        let made = match &self.parameters {
            Some(parameters) => Payload::from_value(evaluate(parameters, &scene.view(selected))?),
            None => selected.clone(),
        };
        scene.saw(|stages| stages.after_parameters = Some(made.clone()));
        Ok(made)
    }

    /// `InputPath`, then `Parameters`.
    pub(crate) fn effective_input(&self, input: &Payload, scene: &Scene<'_>) -> Result<Payload, Fault> {
        self.parameters(&self.selected_input(input, scene)?, scene)
    }

    /// `ResultPath`, then `OutputPath`.
    pub(crate) fn after_result(&self, input: &Payload, result: &Payload, scene: &Scene<'_>) -> Result<Payload, Fault> {
        scene.saw(|stages| stages.after_result_selector = Some(result.clone()));
        let placed = place(&self.result_path, input, result)?;
        scene.saw(|stages| stages.after_result_path = Some(placed.clone()));
        select(&self.output_path, &placed, scene)
    }

    /// `Assign` on the result, `ResultSelector`, `ResultPath`, `OutputPath`.
    pub(crate) fn conclude(
        &self,
        assign: &Assign,
        input: &Payload,
        result: &Payload,
        scene: &Scene<'_>,
    ) -> Result<(Payload, Assigned), Fault> {
        let assigned = self::assign(assign, &scene.view(result))?;
        let selected = match &self.result_selector {
            Some(selector) => Payload::from_value(evaluate(selector, &scene.view(result))?),
            None => result.clone(),
        };
        Ok((self.after_result(input, &selected, scene)?, assigned))
    }
}

impl JsonataFlow {
    /// `Arguments`, else the state's input.
    pub(crate) fn arguments(&self, input: &Payload, scene: &Scene<'_>) -> Result<Payload, Fault> {
        let made = match &self.arguments {
            Some(arguments) => Payload::from_value(evaluate(arguments, &scene.view(input))?),
            None => input.clone(),
        };
        scene.saw(|stages| stages.after_arguments = Some(made.clone()));
        Ok(made)
    }

    /// `Assign` and `Output`, which see the same variables; without `Output` the result, else the input.
    pub(crate) fn output(
        &self,
        assign: &Assign,
        input: &Payload,
        result: Option<&Payload>,
        scene: &Scene<'_>,
    ) -> Result<(Payload, Assigned), Fault> {
        let view = match result {
            Some(result) => scene.view(input).with_result(result),
            None => scene.view(input),
        };
        let assigned = self::assign(assign, &view)?;
        let output = match &self.output {
            Some(output) => Payload::from_value(evaluate(output, &view)?),
            None => result.unwrap_or(input).clone(),
        };
        Ok((output, assigned))
    }
}

/// Evaluates `Assign`: all see the variables as they were. Source: query-language rules of Step Functions.
pub(crate) fn assign(assign: &Assign, view: &View<'_>) -> Result<Assigned, Fault> {
    if assign.is_empty() {
        return Ok(Arc::new([]));
    }
    let mut bytes = 0;
    let mut assigned = Vec::with_capacity(assign.len());
    for (name, template) in assign {
        let payload = Payload::from_value(evaluate(template, view)?);
        bytes += payload.bytes();
        assigned.push((name.clone(), payload));
    }
    if bytes > view.scene.limits.payload_bytes {
        let text = "The variables that the state assigns exceed the maximum number of bytes service limit.";
        return Err(Fault::Named("States.DataLimitExceeded", text.to_owned()));
    }
    Ok(assigned.into())
}

/// The value of a `…Path` or JSONata field, or its constant.
pub(crate) enum FieldValue<T> {
    Constant(T),
    /// From a path: the path's text as well, for error texts.
    AtPath(Arc<str>, Value),
    Evaluated(Value),
}

pub(crate) fn field<T: Clone>(field: &Field<T>, name: &Arc<str>, view: &View<'_>) -> Result<FieldValue<T>, Fault> {
    match field {
        Field::Constant(constant) => Ok(FieldValue::Constant(constant.clone())),
        Field::Path(path) => Ok(FieldValue::AtPath(path.text().clone(), read_path(path, view)?)),
        Field::Call(call) => Ok(FieldValue::Evaluated(evaluate_call(call, view)?)),
        Field::Jsonata(expression) => Ok(FieldValue::Evaluated(evaluate_jsonata(expression, name, view)?)),
    }
}

fn evaluate_call(call: &Call, view: &View<'_>) -> Result<Value, Fault> {
    call.evaluate(view).map_err(|error| call_fault(error, view))
}

/// A JSONata field of another type than it must have. Source: recordings.
pub(crate) fn unexpected_type(expression: &str, field: &Arc<str>, expected: &str, value: &Value) -> Fault {
    Fault::Query {
        cause: format!(
            "The JSONata expression '{expression}' specified for the field '{field}' returned an unexpected result \
             type. Expected '{expected}', but was '{}' for value: {value}",
            value.type_name()
        ),
        location: Some(field.clone()),
    }
}

/// A JSONata field that must be a whole number. Of fractions no recording tells; the wording is ours.
pub(crate) fn no_whole_number<T>(field: &Field<T>, name: &str, value: &Value) -> Fault {
    let expected = if value.as_number().is_some() { "integer" } else { "number" };
    unexpected_type(expression_text(field), &name.into(), expected, value)
}

/// The text of the expression that a field holds, for error texts.
pub(crate) fn expression_text<T>(field: &Field<T>) -> &str {
    match field {
        Field::Jsonata(expression) => expression.text(),
        Field::Path(path) => path.text(),
        Field::Call(call) => call.text(),
        Field::Constant(_) => "",
    }
}

/// A whole number that is not negative, as seconds and counts are; a text of digits counts. `None`: it is none.
pub(crate) fn whole_number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(_) => value.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// `{"Error": …, "Cause": …}`: both always there. Source: recordings.
pub(crate) fn error_output(failure: &Failure) -> Value {
    let text = |text: &Option<Arc<str>>| text.as_ref().map_or(Value::Null, |text| Value::String(text.clone()));
    let cause = match (&failure.error, &failure.cause) {
        (Some(error), None) if &**error == "States.Timeout" => Value::from(""),
        (_, cause) => text(cause),
    };
    Value::object([("Error", text(&failure.error)), ("Cause", cause)])
}
