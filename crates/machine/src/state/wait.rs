//! Wait: sleeps for a time or until a time.

use std::sync::Arc;

use stepwell_expr::{
    Number, Payload, Value,
    jsonpath::{Path, PathError},
};

use crate::{
    data::{self, Fault, FieldValue, Scene, View},
    definition::compiler::{BOTH, Compiler, FieldTable, JSON_PATH},
    limits::SECONDS_MAX,
    program::{DataFlow, Field, Transition},
    state::{Ran, Source, State},
    timestamp,
};

#[derive(Clone, Debug)]
pub struct Wait {
    pub until: Until,
    pub transition: Transition,
}

#[derive(Clone, Debug)]
pub enum Until {
    /// `Seconds`, `SecondsPath`.
    Seconds(Field<u64>),
    /// `Timestamp`, `TimestampPath`: RFC 3339 with `T` and an offset.
    Timestamp(Field<Arc<str>>),
}

/// The longest delay that AWS takes, in seconds. Source: recordings (timestamps in 24,855 days are taken, in 24,856 not).
const DELAY_SECONDS_MAX: i64 = i32::MAX as i64;

impl Wait {
    /// When it is over, in milliseconds since 1970.
    pub(crate) fn run(&self, state: &State, input: &Payload, scene: &Scene<'_>) -> Result<Ran, Fault> {
        let effective = match &state.flow {
            DataFlow::JsonPath(flow) => flow.selected_input(input, scene)?,
            DataFlow::Jsonata(_) => input.clone(),
        };
        let until_ms = match &self.until {
            Until::Seconds(seconds) => {
                let seconds = delay_seconds(seconds, &effective, scene)?;
                scene.entered_ms.saturating_add(seconds.saturating_mul(1_000))
            }
            Until::Timestamp(timestamp) => until(timestamp, &effective, scene)?,
        };
        // A part of a second does not make a delay longer.
        if until_ms.saturating_sub(scene.entered_ms) / 1_000 > DELAY_SECONDS_MAX {
            let text = "Wait state delay is too long.".to_owned();
            return Err(match (&state.flow, &self.until) {
                (DataFlow::JsonPath(_), _) => Fault::Runtime(text),
                (DataFlow::Jsonata(_), Until::Seconds(_)) => field_fault("Seconds", text),
                (DataFlow::Jsonata(_), Until::Timestamp(_)) => field_fault("Timestamp", text),
            });
        }
        Ok(Ran::Waits { until_ms })
    }

    /// What it hands on when it is over.
    pub(crate) fn conclude(&self, state: &State, input: &Payload, scene: &Scene<'_>) -> Result<Ran, Fault> {
        let (output, assigned) = match &state.flow {
            DataFlow::JsonPath(flow) => {
                let effective = flow.selected_input(input, scene)?;
                let assigned = data::assign(&state.assign, &scene.view(&effective))?;
                (data::select(&flow.output_path, &effective, scene)?, assigned)
            }
            DataFlow::Jsonata(flow) => flow.output(&state.assign, input, None, scene)?,
        };
        Ok(Ran::Exits { output, assigned, transition: self.transition })
    }
}

/// A JSONata field whose value is none that it may have.
fn field_fault(name: &str, cause: String) -> Fault {
    Fault::Query { cause, location: Some(name.into()) }
}

fn delay_seconds(field: &Field<u64>, input: &Payload, scene: &Scene<'_>) -> Result<i64, Fault> {
    let view = scene.view(input);
    match field {
        Field::Constant(seconds) => Ok(i64::try_from(*seconds).unwrap_or(i64::MAX)),
        Field::Path(path) => {
            let text = path.text();
            let value = input_value("SecondsPath", path, &view)?;
            let Some(seconds) = whole(&value) else {
                return Err(Fault::Runtime(format!(
                    "The SecondsPath parameter cannot be parsed as a long value: {text} == {}",
                    shown(&value)
                )));
            };
            if seconds < 0 {
                return Err(Fault::Runtime(format!(
                    "The SecondsPath parameter references a negative value: {text} == {value}"
                )));
            }
            Ok(seconds)
        }
        Field::Call(_) | Field::Jsonata(_) => {
            let name: Arc<str> = "Seconds".into();
            let FieldValue::Evaluated(value) = data::field(field, &name, &view)? else {
                return Err(Fault::Runtime("Seconds is no expression".to_owned()));
            };
            let expression = data::expression_text(field);
            match whole(&value) {
                Some(seconds) if seconds >= 0 => Ok(seconds),
                Some(_) => {
                    let text = format!("The Seconds field references a negative value: {expression} == {value}");
                    Err(field_fault(&name, text))
                }
                None if value.as_number().is_some() => {
                    let text = format!("The Seconds field cannot be parsed as a long value: {expression} == {value}");
                    Err(field_fault(&name, text))
                }
                None => Err(data::unexpected_type(expression, &name, "number", &value)),
            }
        }
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(Number::Int(int)) => Some(*int),
        Value::Number(number) => number.as_i64(),
        _ => None,
    }
}

fn until(field: &Field<Arc<str>>, input: &Payload, scene: &Scene<'_>) -> Result<i64, Fault> {
    let view = scene.view(input);
    let name: Arc<str> = "Timestamp".into();
    let value = match field {
        Field::Constant(text) => Value::String(text.clone()),
        Field::Path(path) => input_value("TimestampPath", path, &view)?,
        Field::Call(_) | Field::Jsonata(_) => match data::field(field, &name, &view)? {
            FieldValue::Evaluated(value) => value,
            _ => return Err(Fault::Runtime("Timestamp is no expression".to_owned())),
        },
    };
    if let Some(at) = value.as_str().and_then(timestamp::parse) {
        return Ok(at.as_millisecond());
    }
    let shown = shown(&value);
    let form = "ISO-8601 extended offset date-time format string";
    Err(match field {
        Field::Path(path) => Fault::Runtime(format!(
            "The TimestampPath parameter does not reference a valid {form}: {} == {shown}",
            path.text()
        )),
        _ => field_fault(&name, format!("The Timestamp field cannot be parsed as an {form}: {shown}")),
    })
}

/// A text as it is, any other value as JSON. Source: recordings for `TimestampPath`; `SecondsPath` by analogy.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What a path of the state's input finds. Source: recordings for `SecondsPath`; `TimestampPath` by analogy.
fn input_value(name: &str, path: &Path, view: &View<'_>) -> Result<Value, Fault> {
    path.read(view).map_err(|error| match error {
        PathError::OutOfFuel(_) => Fault::OutOfFuel,
        _ => Fault::Runtime(format!("The {name} parameter does not reference an input value: {}", path.text())),
    })
}

pub(crate) const FIELDS: &FieldTable = &[
    ("Seconds", BOTH),
    ("SecondsPath", JSON_PATH),
    ("Timestamp", BOTH),
    ("TimestampPath", JSON_PATH),
    ("Assign", BOTH),
];

impl Wait {
    pub(crate) fn compile(source: &Source, compiler: &mut Compiler) -> Option<Wait> {
        let until = Until::compile(source, compiler);
        let transition = source.transition(compiler);
        Some(Wait { until: until?, transition: transition? })
    }
}

impl Until {
    fn compile(source: &Source, compiler: &mut Compiler) -> Option<Until> {
        let (fields, language) = (&source.fields, source.language);
        fields.exactly_one(&["SecondsPath", "Seconds", "TimestampPath", "Timestamp"], compiler);
        if fields.has("Seconds") || fields.has("SecondsPath") {
            return fields.integer_field("Seconds", 0, SECONDS_MAX, language, compiler)?.map(Until::Seconds);
        }
        let timestamp = fields.string_field("Timestamp", false, language, compiler)??;
        if let Field::Constant(text) = &timestamp
            && timestamp::parse(text).is_none()
        {
            compiler.schema(&fields.at("Timestamp"), "String does not match RFC3339 timestamp");
            return None;
        }
        Some(Until::Timestamp(timestamp))
    }
}
