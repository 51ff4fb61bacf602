//! What each function does.

use std::{collections::HashSet, sync::Arc};

use crate::{
    Environment, Number, Object, OutOfFuel, Value,
    intrinsic::{codec, format},
    java_order, json,
    limits::{INTRINSIC_TEXT_CHARS_MAX, RANGE_ITEMS_MAX, RESULT_BYTES_MAX},
};

/// Items that are gone through for one unit of fuel.
const ITEMS_PER_FUEL: usize = 32;
/// Bytes of text that are read, written or hashed for one unit of fuel.
const BYTES_PER_FUEL: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Function {
    Array,
    ArrayContains,
    ArrayGetItem,
    ArrayLength,
    ArrayPartition,
    ArrayRange,
    ArrayUnique,
    Base64Decode,
    Base64Encode,
    Format,
    Hash,
    JsonMerge,
    JsonToString,
    MathAdd,
    MathRandom,
    StringSplit,
    StringToJson,
    Uuid,
}

const NAMES: [(Function, &str); 18] = [
    (Function::Array, "States.Array"),
    (Function::ArrayContains, "States.ArrayContains"),
    (Function::ArrayGetItem, "States.ArrayGetItem"),
    (Function::ArrayLength, "States.ArrayLength"),
    (Function::ArrayPartition, "States.ArrayPartition"),
    (Function::ArrayRange, "States.ArrayRange"),
    (Function::ArrayUnique, "States.ArrayUnique"),
    (Function::Base64Decode, "States.Base64Decode"),
    (Function::Base64Encode, "States.Base64Encode"),
    (Function::Format, "States.Format"),
    (Function::Hash, "States.Hash"),
    (Function::JsonMerge, "States.JsonMerge"),
    (Function::JsonToString, "States.JsonToString"),
    (Function::MathAdd, "States.MathAdd"),
    (Function::MathRandom, "States.MathRandom"),
    (Function::StringSplit, "States.StringSplit"),
    (Function::StringToJson, "States.StringToJson"),
    (Function::Uuid, "States.UUID"),
];

/// Why a function gives no result.
#[derive(Debug)]
pub(super) enum Refusal {
    /// `Invalid arguments in States.NAME`
    Arguments,
    /// A longer sentence.
    Because(String),
    OutOfFuel,
}

impl From<OutOfFuel> for Refusal {
    fn from(_: OutOfFuel) -> Refusal {
        Refusal::OutOfFuel
    }
}

type Answer = Result<Value, Refusal>;

impl Function {
    pub(super) fn of(name: &str) -> Option<Function> {
        NAMES.iter().find(|(_, text)| *text == name).map(|(function, _)| *function)
    }

    pub(super) fn name(self) -> &'static str {
        NAMES.iter().find(|(function, _)| *function == self).map_or("", |(_, text)| text)
    }

    /// Calls it. `template`: the first argument as it was written, where it is a literal text.
    ///
    /// A wrong number of arguments fails here and not when the call is parsed, as on AWS.
    pub(super) fn call(self, arguments: &[Value], template: Option<&str>, environment: &dyn Environment) -> Answer {
        burn_for(arguments, environment)?;
        match (self, arguments) {
            (Function::Array, items) => Ok(Value::array(items.to_vec())),
            (Function::ArrayContains, [Value::Array(items), wanted]) => contains(items, wanted),
            (Function::ArrayGetItem, [Value::Array(items), index]) => get_item(items, index),
            (Function::ArrayLength, [Value::Array(items)]) => Ok(Value::from(items.len() as i64)),
            (Function::ArrayPartition, [Value::Array(items), size]) => partition(items, size),
            (Function::ArrayRange, [first, last, step]) => range(first, last, step),
            (Function::ArrayUnique, [Value::Array(items)]) => Ok(unique(items)),
            (Function::Base64Decode, [Value::String(text)]) => Ok(Value::from(codec::base64_decode(bounded(text)?))),
            (Function::Base64Encode, [Value::String(text)]) => Ok(Value::from(codec::base64_encode(bounded(text)?))),
            (Function::Format, [first, values @ ..]) => format::format(first, template, values),
            (Function::Hash, [data, Value::String(algorithm)]) => {
                let data = text_of(data)?;
                codec::hash(bounded(&data)?, algorithm).map(Value::from).ok_or(Refusal::Arguments)
            }
            (Function::JsonMerge, [Value::Object(first), Value::Object(second), deep]) => merge(first, second, deep),
            (Function::JsonToString, [value]) => Ok(Value::from(json_of(value)?)),
            (Function::MathAdd, [Value::Number(first), Value::Number(second)]) => add(first, second),
            (Function::MathRandom, [first, last]) => random(first, last, environment.random_u64()),
            (Function::MathRandom, [first, last, seed]) => {
                let seed = whole(seed).ok_or(Refusal::Arguments)?;
                random(first, last, scramble(seed as u64))
            }
            (Function::StringSplit, [Value::String(text), Value::String(delimiters)]) => Ok(split(text, delimiters)),
            (Function::StringToJson, [Value::String(text)]) => parse(text),
            (Function::Uuid, []) => Ok(uuid(environment.random_u64(), environment.random_u64())),
            _ => Err(Refusal::Arguments),
        }
    }
}

/// Burns for what the arguments hold at their top level; texts by their length.
fn burn_for(arguments: &[Value], environment: &dyn Environment) -> Result<(), OutOfFuel> {
    let cost = |value: &Value| match value {
        Value::Array(items) => items.len() / ITEMS_PER_FUEL,
        Value::Object(members) => members.len() / ITEMS_PER_FUEL,
        Value::String(text) => text.len() / BYTES_PER_FUEL,
        _ => 0,
    };
    environment.fuel().burn(arguments.iter().map(cost).sum::<usize>() as u64)
}

/// The whole number of an argument; a fraction is cut off (seen on AWS; the guide says that it is rounded).
fn whole(value: &Value) -> Option<i64> {
    match value.as_number()? {
        Number::Int(int) => Some(*int),
        number => {
            let cut = number.as_f64().trunc();
            (cut.abs() < 9.2e18).then_some(cut as i64)
        }
    }
}

fn whole_i32(value: &Value) -> Result<i64, Refusal> {
    whole(value).filter(|whole| i32::try_from(*whole).is_ok()).ok_or(Refusal::Arguments)
}

/// The text, if it is within AWS's bound for texts that are hashed or coded.
fn bounded(text: &str) -> Result<&str, Refusal> {
    let fits = text.len() <= INTRINSIC_TEXT_CHARS_MAX || text.encode_utf16().count() <= INTRINSIC_TEXT_CHARS_MAX;
    if fits { Ok(text) } else { Err(Refusal::Arguments) }
}

/// A value's JSON, unless it is too large.
fn json_of(value: &Value) -> Result<String, Refusal> {
    if value.is_larger_than(RESULT_BYTES_MAX) {
        return Err(Refusal::Because("The result is too large".to_string()));
    }
    Ok(json::to_text(value))
}

/// A text as it is, any other value as JSON.
fn text_of(value: &Value) -> Result<String, Refusal> {
    match value {
        Value::String(text) => Ok(text.to_string()),
        other => json_of(other),
    }
}

/// Compares texts, so that the order of members matters and `'true'` is `true`: seen on AWS.
fn contains(items: &[Value], wanted: &Value) -> Answer {
    let text = text_of(wanted)?;
    let same = |item: &Value| match item {
        Value::String(item) => **item == *text,
        // Comparing texts of large items is rare; an unequal length of a text settles most.
        item => !item.is_larger_than(text.len()) && json::to_text(item) == text,
    };
    Ok(Value::Bool(items.iter().any(same)))
}

/// An empty array gives `null` for any index: seen on AWS.
fn get_item(items: &[Value], index: &Value) -> Answer {
    let index = whole(index).ok_or(Refusal::Arguments)?;
    if items.is_empty() {
        return Ok(Value::Null);
    }
    usize::try_from(index).ok().and_then(|index| items.get(index)).cloned().ok_or(Refusal::Arguments)
}

fn partition(items: &[Value], size: &Value) -> Answer {
    let size = whole_i32(size)?;
    let size = usize::try_from(size).ok().filter(|size| *size > 0).ok_or(Refusal::Arguments)?;
    Ok(Value::array(items.chunks(size).map(|part| Value::array(part.to_vec())).collect()))
}

fn range(first: &Value, last: &Value, step: &Value) -> Answer {
    let (first, last, step) = (whole_i32(first)?, whole_i32(last)?, whole_i32(step)?);
    if step == 0 {
        return Err(Refusal::Arguments);
    }
    let count = ((last - first) / step + 1).max(0);
    let away = (last - first).signum() * step.signum() < 0;
    let count = if away { 0 } else { count as usize };
    if count > RANGE_ITEMS_MAX {
        return Err(Refusal::Arguments);
    }
    Ok(Value::array((0..count as i64).map(|index| Value::from(first + index * step)).collect()))
}

/// Keeps the first of values that are equal. AWS promises no order.
fn unique(items: &[Value]) -> Value {
    let mut seen = HashSet::new();
    let mut key = String::new();
    let mut kept = Vec::new();
    for item in items {
        key.clear();
        write_key(&mut key, item);
        if seen.insert(key.clone()) {
            kept.push(item.clone());
        }
    }
    Value::array(kept)
}

/// A text that is the same for equal values: members sorted, numbers by their value.
fn write_key(key: &mut String, value: &Value) {
    match value {
        Value::Number(number) => match number.as_i64() {
            Some(int) => key.push_str(&int.to_string()),
            None => json::write_value(key, value),
        },
        Value::Array(items) => {
            key.push('[');
            for item in items.iter() {
                write_key(key, item);
                key.push(',');
            }
            key.push(']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<(&Arc<str>, &Value)> = members.iter().collect();
            sorted.sort_by_key(|(name, _)| *name);
            key.push('{');
            for (name, member) in sorted {
                json::write_string(key, name);
                key.push(':');
                write_key(key, member);
                key.push(',');
            }
            key.push('}');
        }
        Value::Null | Value::Bool(_) | Value::String(_) => json::write_value(key, value),
    }
}

/// Shallow: the second wins. AWS refuses `true` and takes anything else for `false`.
fn merge(first: &Arc<Object>, second: &Arc<Object>, deep: &Value) -> Answer {
    if deep.as_bool() == Some(true) {
        return Err(Refusal::Arguments);
    }
    let mut merged = Object::clone(first);
    merged.extend(second.iter().map(|(name, member)| (name.clone(), member.clone())));
    // A recording shows `a b c d` of `a b d` and `a c d`.
    Ok(Value::Object(Arc::new(java_order::ordered(merged).collect())))
}

/// Each is rounded first, half up: -1.5 is -1 (recorded). Arguments and sum are 32-bit integers.
fn add(first: &Number, second: &Number) -> Answer {
    let rounded = |number: &Number| match number {
        Number::Int(int) => Some(*int),
        number => {
            let rounded = (number.as_f64() + 0.5).floor();
            (rounded.abs() < 9.2e18).then_some(rounded as i64)
        }
    };
    let small = |number: Option<i64>| number.filter(|int| i32::try_from(*int).is_ok()).ok_or(Refusal::Arguments);
    let sum = small(rounded(first))? + small(rounded(second))?;
    Ok(Value::from(small(Some(sum))?))
}

/// From `first`, included, to `last`, excluded.
fn random(first: &Value, last: &Value, number: u64) -> Answer {
    let (first, last) = (whole_i32(first)?, whole_i32(last)?);
    if first >= last {
        return Err(Refusal::Arguments);
    }
    let span = (last - first) as u128;
    let offset = (u128::from(number) * span) >> 64;
    Ok(Value::from(first + offset as i64))
}

/// A well spread number from a seed. Source: the SplitMix64 generator.
fn scramble(seed: u64) -> u64 {
    let mixed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// Splits at any of the characters; empty pieces are dropped (recorded).
fn split(text: &str, delimiters: &str) -> Value {
    let delimiters: HashSet<char> = delimiters.chars().collect();
    let pieces = text.split(|char| delimiters.contains(&char)).filter(|piece| !piece.is_empty());
    Value::array(pieces.map(Value::from).collect())
}

/// Blank text gives `null` (recorded).
fn parse(text: &str) -> Answer {
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    json::parse(text).map_err(|_| Refusal::Arguments)
}

/// A UUID of version 4.
fn uuid(high: u64, low: u64) -> Value {
    let high = (high & !0xF000) | 0x4000;
    let low = (low & !(0b11 << 62)) | (0b10 << 62);
    Value::from(format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xFFFF,
        high & 0xFFFF,
        low >> 48,
        low & 0xFFFF_FFFF_FFFF
    ))
}
