//! The operators of filters, as Jayway's evaluators decide them.

use std::cmp::Ordering;

use regex::Regex;

use crate::{
    Number, Value, json,
    jsonpath::{
        filter::{Operator, Side},
        read::{Reader, Stop},
    },
};

/// Bytes that a regular expression passes over for one unit of fuel.
const PATTERN_BYTES_PER_FUEL: usize = 64;
/// Pairs of values that are compared for one unit of fuel.
const PAIRS_PER_FUEL: usize = 16;

/// True if `left operator right` holds. Types that an operator does not know make it false.
pub(super) fn holds(reader: &Reader<'_>, left: &Side<'_>, operator: Operator, right: &Side<'_>) -> Result<bool, Stop> {
    let holds = match operator {
        Operator::Equal => sides_equal(left, right),
        Operator::NotEqual => !sides_equal(left, right),
        Operator::SameTypeEqual => same_type(left, right) && sides_equal(left, right),
        Operator::SameTypeNotEqual => !(same_type(left, right) && sides_equal(left, right)),
        Operator::Less => order(left, right) == Some(Ordering::Less),
        Operator::LessOrEqual => matches!(order(left, right), Some(Ordering::Less | Ordering::Equal)),
        Operator::Greater => order(left, right) == Some(Ordering::Greater),
        Operator::GreaterOrEqual => matches!(order(left, right), Some(Ordering::Greater | Ordering::Equal)),
        Operator::Matches => match (left, right) {
            (Side::Pattern(pattern), Side::Value(value)) | (Side::Value(value), Side::Pattern(pattern)) => {
                return matches(reader, pattern, value);
            }
            _ => false,
        },
        Operator::In | Operator::NotIn => match (left, list(right)) {
            (Side::Value(value), Some(items)) => {
                burn_pairs(reader, 1, items)?;
                contains(items, value) == (operator == Operator::In)
            }
            // Nothing there is in no list; without a list neither operator holds.
            (Side::Undefined, Some(_)) => operator == Operator::NotIn,
            _ => false,
        },
        Operator::SubsetOf | Operator::AnyOf | Operator::NoneOf | Operator::All => {
            let (Some(left), Some(right)) = (list(left), list(right)) else {
                return Ok(false);
            };
            burn_pairs(reader, left.len(), right)?;
            match operator {
                Operator::SubsetOf => left.iter().all(|item| contains(right, item)),
                Operator::AnyOf => left.iter().any(|item| contains(right, item)),
                Operator::NoneOf => !left.iter().any(|item| contains(right, item)),
                _ => right.iter().all(|item| contains(left, item)),
            }
        }
        Operator::Contains => match (left, right) {
            (Side::Value(Value::String(text)), Side::Value(Value::String(part))) => text.contains(&**part),
            (Side::Value(Value::Array(items)), Side::Value(value)) => {
                burn_pairs(reader, 1, items)?;
                contains(items, value)
            }
            _ => false,
        },
        Operator::Size => match (left, right) {
            (Side::Value(Value::String(text)), Side::Value(Value::Number(size))) => {
                size.as_i64() == Some(text.encode_utf16().count() as i64)
            }
            (Side::Value(Value::Array(items)), Side::Value(Value::Number(size))) => {
                size.as_i64() == Some(items.len() as i64)
            }
            _ => false,
        },
        Operator::Empty => match (left, right) {
            (Side::Value(Value::String(text)), Side::Value(Value::Bool(empty))) => text.is_empty() == *empty,
            (Side::Value(Value::Array(items)), Side::Value(Value::Bool(empty))) => items.is_empty() == *empty,
            (Side::Value(Value::Object(members)), Side::Value(Value::Bool(empty))) => members.is_empty() == *empty,
            _ => false,
        },
    };
    Ok(holds)
}

fn burn_pairs(reader: &Reader<'_>, count: usize, items: &[Value]) -> Result<(), Stop> {
    Ok(reader.environment.fuel().burn((count.saturating_mul(items.len()) / PAIRS_PER_FUEL) as u64)?)
}

fn sides_equal(left: &Side<'_>, right: &Side<'_>) -> bool {
    match (left, right) {
        (Side::Value(left), Side::Value(right)) => loosely_equal(left, right),
        _ => false,
    }
}

fn same_type(left: &Side<'_>, right: &Side<'_>) -> bool {
    match (left, right) {
        (Side::Value(left), Side::Value(right)) => left.type_name() == right.type_name(),
        _ => false,
    }
}

/// Equality of filters: a number equals a text that writes it.
fn loosely_equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::String(text), Value::Number(number)) => **text == *number_text(number),
        (Value::Number(number), Value::String(text)) => match json::parse(text) {
            Ok(Value::Number(parsed)) => parsed == *number,
            _ => false,
        },
        _ => left == right,
    }
}

fn contains(items: &[Value], value: &Value) -> bool {
    items.iter().any(|item| loosely_equal(item, value))
}

fn list<'s>(side: &'s Side<'_>) -> Option<&'s [Value]> {
    match side {
        Side::Value(Value::Array(items)) => Some(items),
        _ => None,
    }
}

/// The order of numbers, of texts by UTF-16 unit, and of a number's text with a text. Others have none.
fn order(left: &Side<'_>, right: &Side<'_>) -> Option<Ordering> {
    let (Side::Value(left), Side::Value(right)) = (left, right) else {
        return None;
    };
    match (left, right) {
        (Value::Number(Number::Int(left)), Value::Number(Number::Int(right))) => Some(left.cmp(right)),
        (Value::Number(left), Value::Number(right)) => left.as_f64().partial_cmp(&right.as_f64()),
        (Value::String(left), Value::String(right)) => Some(text_order(left, right)),
        (Value::String(left), Value::Number(right)) => Some(text_order(left, &number_text(right))),
        (Value::Number(left), Value::String(right)) => Some(text_order(&number_text(left), right)),
        _ => None,
    }
}

fn text_order(left: &str, right: &str) -> Ordering {
    left.encode_utf16().cmp(right.encode_utf16())
}

fn number_text(number: &Number) -> String {
    json::to_text(&Value::Number(number.clone()))
}

/// True if the pattern matches the whole text of `value`, or of one of its items.
fn matches(reader: &Reader<'_>, pattern: &Regex, value: &Value) -> Result<bool, Stop> {
    if let Value::Array(items) = value {
        for item in items.iter() {
            if !matches!(item, Value::Array(_)) && matches(reader, pattern, item)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    let text = match value {
        Value::String(text) => text.to_string(),
        Value::Number(number) => number_text(number),
        Value::Bool(bool) => bool.to_string(),
        _ => String::new(),
    };
    reader.environment.fuel().burn(1 + (text.len() / PATTERN_BYTES_PER_FUEL) as u64)?;
    Ok(pattern.is_match(&text))
}
