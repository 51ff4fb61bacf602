//! What an evaluation gives, as a [`Value`] again.
//!
//! JSONata's numbers are doubles, printed as JavaScript prints them: a whole number below 10^21 has no fraction. So
//! a number that passes through an expression becomes what its double says, wherever it stands.

use std::rc::Rc;
use std::sync::Arc;

use jlens_core::output::{Builder, Member};
use serde_json::Value as Json;

use crate::limits::{DEPTH_MAX, JSONATA_RESULT_BYTES_MAX};
use crate::{Number, Object, Value};

use super::source::Store;

/// Whole numbers up to here are what their doubles say, digit by digit.
const SAFE_INTEGER_MAX: i64 = 1 << 53;
/// From here on JavaScript prints whole numbers with an exponent.
const PLAIN_WHOLE_MAX: f64 = 1e21;

/// The number that a double of JSONata is.
pub(super) fn number(double: f64) -> Value {
    if !double.is_finite() {
        return Value::Null;
    }
    if double.fract() != 0.0 || double.abs() >= PLAIN_WHOLE_MAX {
        return Value::Number(Number::Double(double));
    }
    if double.abs() <= SAFE_INTEGER_MAX as f64 {
        return Value::Number(Number::Int(double as i64));
    }
    // The shortest digits that mean this double, filled up with zeros: `Display` does it as JavaScript does.
    let text = double.to_string();
    match text.parse() {
        Ok(int) => Value::Number(Number::Int(int)),
        Err(_) => Value::Number(Number::Text(text.into())),
    }
}

/// A value of the input as JSONata would give it back: itself, wherever its numbers allow it. Adds to `values` how
/// many values it is made of.
pub(super) fn pass_through(value: &Value, values: &mut u64) -> Value {
    if has_plain_numbers(value, values) { value.clone() } else { with_plain_numbers(value) }
}

fn has_plain_numbers(value: &Value, values: &mut u64) -> bool {
    *values += 1;
    match value {
        Value::Number(number) => is_plain(number),
        Value::Array(items) => items.iter().all(|item| has_plain_numbers(item, values)),
        Value::Object(members) => members.values().all(|member| has_plain_numbers(member, values)),
        _ => true,
    }
}

fn with_plain_numbers(value: &Value) -> Value {
    match value {
        Value::Number(inner) => number(inner.as_f64()),
        Value::Array(items) => Value::array(items.iter().map(with_plain_numbers).collect()),
        Value::Object(members) => {
            let members = members.iter().map(|(key, member)| (Arc::clone(key), with_plain_numbers(member)));
            Value::Object(Arc::new(members.collect()))
        }
        other => other.clone(),
    }
}

fn is_plain(number: &Number) -> bool {
    match number {
        Number::Int(int) => int.unsigned_abs() <= SAFE_INTEGER_MAX.unsigned_abs(),
        Number::Double(double) => double.fract() != 0.0,
        Number::Text(_) => false,
    }
}

/// Why a result cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Excess {
    Size,
    Depth,
}

/// Writes a result. Arrays and objects that the evaluation handed on untouched are not built again.
pub(super) struct Writer {
    store: Rc<Store>,
    depth: usize,
    bytes_left: usize,
    /// The first bound that was passed; what was written is then worth nothing.
    pub(super) excess: Option<Excess>,
}

impl Writer {
    pub(super) fn new(store: Rc<Store>) -> Writer {
        Writer { store, depth: 0, bytes_left: JSONATA_RESULT_BYTES_MAX, excess: None }
    }

    /// Counts what `value` adds to the text, about as long as it would print. Stops at the first bound.
    fn count(&mut self, value: &Value, depth: usize) -> Result<(), Excess> {
        let bytes = match value {
            Value::String(text) => text.len() + 2,
            Value::Number(_) => 8,
            Value::Null | Value::Bool(_) => 5,
            Value::Array(items) => {
                self.enter(depth)?;
                items.iter().try_for_each(|item| self.count(item, depth + 1))?;
                items.len() + 1
            }
            Value::Object(members) => {
                self.enter(depth)?;
                members.values().try_for_each(|member| self.count(member, depth + 1))?;
                members.keys().map(|key| key.len() + 4).sum::<usize>() + 1
            }
        };
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or(Excess::Size)?;
        Ok(())
    }

    fn enter(&self, depth: usize) -> Result<(), Excess> {
        if depth >= DEPTH_MAX { Err(Excess::Depth) } else { Ok(()) }
    }

    fn open(&mut self) {
        if let Err(excess) = self.enter(self.depth) {
            self.excess.get_or_insert(excess);
        }
        self.depth += 1;
    }
}

impl Builder for Writer {
    type Value = Value;
    type Array = Vec<Value>;
    type Object = Object;

    fn null(&mut self) -> Value {
        Value::Null
    }

    fn bool(&mut self, value: bool) -> Value {
        Value::Bool(value)
    }

    fn number(&mut self, value: f64) -> Value {
        number(value)
    }

    fn string(&mut self, value: &str) -> Value {
        Value::from(value)
    }

    fn array(&mut self, len: usize) -> Vec<Value> {
        self.open();
        Vec::with_capacity(len)
    }

    fn push(&mut self, array: &mut Vec<Value>, item: Value) {
        array.push(item);
    }

    fn end_array(&mut self, array: Vec<Value>) -> Value {
        self.depth -= 1;
        Value::array(array)
    }

    fn object(&mut self, len: usize) -> Object {
        self.open();
        Object::with_capacity(len)
    }

    fn insert(&mut self, object: &mut Object, key: &str, value: Value) {
        object.insert(key.into(), value);
    }

    fn end_object(&mut self, object: Object) -> Value {
        self.depth -= 1;
        Value::Object(Arc::new(object))
    }

    fn input(&mut self, member: Member) -> Option<Value> {
        if !member.of(&self.store) {
            return None;
        }
        let value = self.store.met(member.index());
        match self.count(&value, self.depth) {
            Ok(()) => {
                let mut values = 0;
                let value = pass_through(&value, &mut values);
                self.store.touch(values);
                Some(value)
            }
            Err(excess) => {
                self.excess.get_or_insert(excess);
                Some(Value::Null)
            }
        }
    }
}

/// A result that came as `serde_json` has it; `Err` beyond [`DEPTH_MAX`].
pub(super) fn from_json(json: &Json, depth: usize) -> Result<Value, Excess> {
    if depth >= DEPTH_MAX && (json.is_array() || json.is_object()) {
        return Err(Excess::Depth);
    }
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(bool) => Value::Bool(*bool),
        Json::Number(inner) => number(inner.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => {
            Value::array(items.iter().map(|item| from_json(item, depth + 1)).collect::<Result<_, _>>()?)
        }
        Json::Object(members) => {
            let members =
                members.iter().map(|(key, value)| Ok((Arc::from(key.as_str()), from_json(value, depth + 1)?)));
            Value::Object(Arc::new(members.collect::<Result<Object, Excess>>()?))
        }
    })
}
