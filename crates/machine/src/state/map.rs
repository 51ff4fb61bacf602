//! Map, inline: runs its item processor once for each item.

use stepwell_expr::{Payload, Value};

use crate::{
    data::{self, Fault, FieldValue, Scene, View},
    limits,
    program::{DataFlow, Expr, Field, Leaf, ScopeId, Template, Transition},
    retry::{Catcher, Retrier},
    state::{Ran, State},
};

#[derive(Clone, Debug)]
pub struct Map {
    pub items: Items,
    /// `ItemSelector`, or `Parameters` of old.
    pub selector: Option<Template>,
    pub max_concurrency: Option<Field<u64>>,
    /// Evaluated and checked also where the Map is inline, as AWS does.
    pub tolerated_failure_count: Option<Field<u64>>,
    pub tolerated_failure_percentage: Option<Field<f64>>,
    pub processor: ScopeId,
    /// A distributed Map: not supported yet, fails when it is entered.
    pub distributed: bool,
    pub retry: Vec<Retrier>,
    pub catch: Vec<Catcher>,
    pub transition: Transition,
}

#[derive(Clone, Debug)]
pub enum Items {
    /// No `ItemsPath`, no `Items`: the whole effective input.
    Input,
    Path(stepwell_expr::jsonpath::Path),
    /// JSONata `Items`: an array with templates inside, or one expression.
    Template(Template),
}

/// What a Map is about to run.
#[derive(Clone, Debug)]
pub(crate) struct Iterations {
    /// A JSON array.
    pub(crate) items: Payload,
    pub(crate) effective_input: Payload,
    pub(crate) length: u32,
    /// At least 1.
    pub(crate) concurrency: u32,
}

impl Map {
    pub(crate) fn run(&self, state: &State, input: &Payload, scene: &Scene<'_>) -> Result<Ran, Fault> {
        if self.distributed {
            let text = "Distributed Map is not supported by Stepwell yet.";
            return Err(Fault::Named("States.Runtime", text.to_owned()));
        }
        let effective_input = match &state.flow {
            DataFlow::JsonPath(flow) => data::select(&flow.input_path, input, scene)?,
            DataFlow::Jsonata(_) => input.clone(),
        };
        let view = scene.view(&effective_input);
        let limit = self.max_concurrency.as_ref().map_or(Ok(0), |field| count(field, "MaxConcurrency", &view))?;
        if let Some(field) = &self.tolerated_failure_count {
            count(field, "ToleratedFailureCount", &view)?;
        }
        if let Some(field) = &self.tolerated_failure_percentage {
            percentage(field, &view)?;
        }
        let items = self.items(&state.flow, &effective_input, &view)?;
        let length = items.value().as_array().map_or(0, <[Value]>::len);
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        let concurrency = match u32::try_from(limit).unwrap_or(u32::MAX) {
            0 => limits::MAP_CONCURRENCY_MAX,
            limit => limit.min(limits::MAP_CONCURRENCY_MAX),
        };
        Ok(Ran::Iterations(Iterations { items, effective_input, length, concurrency }))
    }

    fn items(&self, flow: &DataFlow, effective_input: &Payload, view: &View<'_>) -> Result<Payload, Fault> {
        match &self.items {
            Items::Input => match effective_input.value() {
                Value::Array(_) => Ok(effective_input.clone()),
                value => Err(match flow {
                    DataFlow::JsonPath(_) => no_array("$"),
                    DataFlow::Jsonata(_) => Fault::Query {
                        cause: format!("Map state input must be an array but was: {value}"),
                        location: None,
                    },
                }),
            },
            Items::Path(path) => match data::read_path(path, view)? {
                value @ Value::Array(_) => Ok(Payload::from_value(value)),
                _ => Err(no_array(path.text())),
            },
            Items::Template(template) => match data::evaluate(template, view)? {
                value @ Value::Array(_) => Ok(Payload::from_value(value)),
                value => {
                    let text = match template {
                        Template::Leaf(Leaf { expression: Expr::Jsonata(expression), .. }) => expression.text().clone(),
                        _ => value.to_string().into(),
                    };
                    Err(data::unexpected_type(&text, &"Items".into(), "array", &value))
                }
            },
        }
    }
}

fn no_array(path: &str) -> Fault {
    Fault::Runtime(format!("Reference path \"{path}\" must point to array."))
}

/// A count that is not negative; a text of digits counts. Source: recordings.
fn count(field: &Field<u64>, name: &str, view: &View<'_>) -> Result<u64, Fault> {
    let negative = || format!("{name} cannot be negative.");
    match data::field(field, &name.into(), view)? {
        FieldValue::Constant(count) => Ok(count),
        FieldValue::AtPath(path, value) => match data::whole_number(&value) {
            Some(count) => u64::try_from(count).map_err(|_| Fault::Runtime(negative())),
            None => {
                let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                Err(Fault::Runtime(format!(
                    "The {name}Path field refers to value \"{shown}\" which is not a valid integer: {path}"
                )))
            }
        },
        FieldValue::Evaluated(value) => match value.as_i64() {
            Some(count) => {
                u64::try_from(count).map_err(|_| Fault::Query { cause: negative(), location: Some(name.into()) })
            }
            None => Err(data::unexpected_type(data::expression_text(field), &name.into(), "number", &value)),
        },
    }
}

fn percentage(field: &Field<f64>, view: &View<'_>) -> Result<(), Fault> {
    let name = "ToleratedFailurePercentage";
    let outside = || format!("{name} must be between 0 and 100.");
    let inside = |number: f64| (0.0..=100.0).contains(&number);
    match data::field(field, &name.into(), view)? {
        FieldValue::Constant(_) => Ok(()),
        FieldValue::AtPath(path, value) => {
            let number = match &value {
                Value::String(text) => text.parse().ok(),
                value => value.as_f64(),
            };
            match number {
                Some(number) if inside(number) => Ok(()),
                Some(_) => Err(Fault::Runtime(outside())),
                None => {
                    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    Err(Fault::Runtime(format!(
                        "The {name}Path field refers to value \"{shown}\" which is not a valid float: {path}"
                    )))
                }
            }
        }
        FieldValue::Evaluated(value) => match value.as_f64() {
            Some(number) if inside(number) => Ok(()),
            Some(_) => Err(Fault::Query { cause: outside(), location: Some(name.into()) }),
            None => Err(data::unexpected_type(data::expression_text(field), &name.into(), "number", &value)),
        },
    }
}
