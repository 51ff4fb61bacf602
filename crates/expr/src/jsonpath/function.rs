//! The functions at the end of a path: `$.numbers.sum()`.

use std::sync::Arc;

use crate::{
    Number, Value,
    jsonpath::{
        Path,
        read::{Reader, Stop},
    },
};

/// Numbers that are added up for one unit of fuel.
const NUMBERS_PER_FUEL: usize = 64;

#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub(super) name: Name,
    pub(super) arguments: Vec<Argument>,
}

#[derive(Clone, Debug)]
pub(crate) enum Argument {
    Value(Value),
    Path(Path),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Name {
    Length,
    Size,
    Minimum,
    Maximum,
    Average,
    Sum,
    StandardDeviation,
    Keys,
    First,
    Last,
    Index,
    Concat,
    Append,
}

const NAMES: [(Name, &str); 13] = [
    (Name::Length, "length"),
    (Name::Size, "size"),
    (Name::Minimum, "min"),
    (Name::Maximum, "max"),
    (Name::Average, "avg"),
    (Name::Sum, "sum"),
    (Name::StandardDeviation, "stddev"),
    (Name::Keys, "keys"),
    (Name::First, "first"),
    (Name::Last, "last"),
    (Name::Index, "index"),
    (Name::Concat, "concat"),
    (Name::Append, "append"),
];

impl Name {
    pub(super) fn of(text: &str) -> Option<Name> {
        NAMES.iter().find(|(_, name)| *name == text).map(|(name, _)| *name)
    }

    pub(super) fn text(self) -> &'static str {
        NAMES.iter().find(|(name, _)| *name == self).map_or("", |(_, text)| text)
    }
}

impl Function {
    pub(super) fn collect_variables(&self, names: &mut Vec<Arc<str>>) {
        for argument in &self.arguments {
            if let Argument::Path(path) = argument {
                path.collect_variables(names);
            }
        }
    }

    /// Calls it on `model`, the value that the path before it selected.
    pub(super) fn call(&self, reader: &Reader<'_>, model: Value) -> Result<Value, Stop> {
        let mut arguments = Vec::with_capacity(self.arguments.len());
        for argument in &self.arguments {
            arguments.push(match argument {
                Argument::Value(value) => value.clone(),
                Argument::Path(path) => reader.inner(path, &model)?,
            });
        }
        let items = model.as_array().unwrap_or(&[]);
        reader.environment.fuel().burn(1 + (items.len() / NUMBERS_PER_FUEL) as u64)?;
        match self.name {
            Name::Length | Name::Size => Ok(length(arguments.first().unwrap_or(&model))),
            Name::Minimum | Name::Maximum | Name::Average | Name::Sum | Name::StandardDeviation => {
                aggregate(self.name, items, &arguments)
            }
            Name::Keys => Ok(match &model {
                Value::Object(members) => Value::array(members.keys().cloned().map(Value::String).collect()),
                _ => Value::Null,
            }),
            Name::First => pick(&model, 0),
            Name::Last => pick(&model, -1),
            Name::Index => match arguments.first().and_then(Value::as_i64) {
                Some(index) => pick(&model, index),
                None => Err(Stop::Invalid("Function index needs a number".to_string())),
            },
            Name::Concat => {
                let mut text = String::new();
                for part in items.iter().filter_map(Value::as_str) {
                    text.push_str(part);
                }
                for argument in arguments.iter().filter(|argument| !argument.is_null()) {
                    text.push_str(&argument.to_java_text());
                }
                Ok(Value::from(text))
            }
            Name::Append => match model {
                Value::Array(items) => Ok(Value::array(items.iter().cloned().chain(arguments).collect())),
                other => Ok(other),
            },
        }
    }
}

/// How many items or members; `null` for scalars.
fn length(model: &Value) -> Value {
    match model {
        Value::Array(items) => Value::from(items.len() as i64),
        Value::Object(members) => Value::from(members.len() as i64),
        _ => Value::Null,
    }
}

fn pick(model: &Value, index: i64) -> Result<Value, Stop> {
    let empty = || Stop::Invalid("Aggregation function attempted to calculate value using empty array".to_string());
    let items = model.as_array().ok_or_else(empty)?;
    let place = if index < 0 { index.saturating_add(items.len() as i64) } else { index };
    match usize::try_from(place).ok().and_then(|place| items.get(place)) {
        Some(item) => Ok(item.clone()),
        None => Err(Stop::Invalid(format!("Target index:{index} larger than object count:{}", items.len()))),
    }
}

/// Works on the numbers among the items, then on those among the arguments. The result is a fraction always.
fn aggregate(name: Name, items: &[Value], arguments: &[Value]) -> Result<Value, Stop> {
    let mut count = 0.0_f64;
    let (mut sum, mut squares) = (0.0_f64, 0.0_f64);
    let (mut minimum, mut maximum) = (f64::INFINITY, f64::NEG_INFINITY);
    let spread = arguments.iter().flat_map(|argument| argument.as_array().unwrap_or(std::slice::from_ref(argument)));
    for number in items.iter().chain(spread).filter_map(Value::as_f64) {
        count += 1.0;
        sum += number;
        squares += number * number;
        minimum = minimum.min(number);
        maximum = maximum.max(number);
    }
    if count == 0.0 {
        return Err(Stop::Invalid("Aggregation function attempted to calculate value using empty array".to_string()));
    }
    let result = match name {
        Name::Minimum => minimum,
        Name::Maximum => maximum,
        Name::Average => sum / count,
        Name::StandardDeviation => (squares / count - sum * sum / count / count).max(0.0).sqrt(),
        _ => sum,
    };
    if !result.is_finite() {
        return Err(Stop::Invalid(format!("Function {} gave no finite number", name.text())));
    }
    Ok(Value::Number(Number::Double(result)))
}
