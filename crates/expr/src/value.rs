//! JSON values whose clones are pointers.

use std::sync::Arc;

use indexmap::IndexMap;

/// The members of a JSON object, in the order in which they were written.
pub type Object = IndexMap<Arc<str>, Value, foldhash::quality::RandomState>;

/// A JSON value. A clone costs one reference count; nothing is mutable once built.
///
/// Invariant: never nested deeper than [`crate::limits::DEPTH_MAX`]; whoever builds one holds to it.
#[derive(Clone, Debug, Default)]
pub enum Value {
    #[default]
    Null,
    Bool(bool),
    Number(Number),
    String(Arc<str>),
    Array(Arc<Vec<Value>>),
    Object(Arc<Object>),
}

/// A JSON number as it was written: whole, fractional, or the text when neither type holds it exactly.
#[derive(Clone, Debug)]
pub enum Number {
    Int(i64),
    /// Finite, never NaN. Printed with a fraction or an exponent, so that `0.0` stays a fraction.
    Double(f64),
    /// A whole number beyond `i64`, or a fraction that `f64` does not hold exactly as written.
    Text(Arc<str>),
}

impl Number {
    /// The nearest double; infinite only for a text beyond the range of `f64`.
    pub fn as_f64(&self) -> f64 {
        match self {
            Number::Int(int) => *int as f64,
            Number::Double(double) => *double,
            Number::Text(text) => text.parse().unwrap_or(f64::NAN),
        }
    }

    /// The whole number, also of a double without a fraction. `None` for other numbers and beyond `i64`.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Number::Int(int) => Some(*int),
            Number::Double(double) => {
                let whole = double.trunc() == *double && double.abs() < 9.2e18;
                whole.then_some(*double as i64)
            }
            Number::Text(text) => text.parse().ok(),
        }
    }
}

/// Numbers are equal by value: `1` equals `1.0`.
impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) => a == b,
            (Number::Text(a), Number::Text(b)) if a == b => true,
            _ => self.as_f64() == other.as_f64(),
        }
    }
}

/// Deep equality; objects regardless of the order of their members.
impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Number(a), Value::Number(b)) => a == b,
            (Value::String(a), Value::String(b)) => a == b,
            (Value::Array(a), Value::Array(b)) => Arc::ptr_eq(a, b) || a == b,
            (Value::Object(a), Value::Object(b)) => Arc::ptr_eq(a, b) || a == b,
            _ => false,
        }
    }
}

impl Value {
    pub fn string(text: impl Into<Arc<str>>) -> Value {
        Value::String(text.into())
    }

    pub fn array(items: Vec<Value>) -> Value {
        Value::Array(Arc::new(items))
    }

    pub fn object<K: Into<Arc<str>>>(members: impl IntoIterator<Item = (K, Value)>) -> Value {
        Value::Object(Arc::new(members.into_iter().map(|(key, value)| (key.into(), value)).collect()))
    }

    pub fn empty_object() -> Value {
        Value::Object(Arc::new(Object::default()))
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(bool) => Some(*bool),
            _ => None,
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_number(&self) -> Option<&Number> {
        match self {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    pub fn as_i64(&self) -> Option<i64> {
        self.as_number().and_then(Number::as_i64)
    }

    pub fn as_f64(&self) -> Option<f64> {
        self.as_number().map(Number::as_f64)
    }

    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Value::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The member `key` of an object; `None` where there is none, or for any other value.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_object().and_then(|members| members.get(key))
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// True if arrays and objects are nested in more than `levels` levels; a scalar has none.
    ///
    /// Whoever wraps a value in further arrays or objects asks this, to hold to the bound on depth. Looks at all of it.
    pub fn is_deeper_than(&self, levels: usize) -> bool {
        match self {
            Value::Array(items) => levels == 0 || items.iter().any(|item| item.is_deeper_than(levels - 1)),
            Value::Object(members) => levels == 0 || members.values().any(|member| member.is_deeper_than(levels - 1)),
            _ => false,
        }
    }

    /// True if its compact text surely has more than `bytes` bytes; stops looking as soon as it knows.
    ///
    /// Values share their parts, so a small one in memory may be huge as text: whoever writes one that was composed asks
    /// this first. Counts texts by their length and everything else as one byte, so it may answer false for a text a
    /// few times as long.
    pub fn is_larger_than(&self, bytes: usize) -> bool {
        let mut left = bytes;
        !self.fits(&mut left)
    }

    fn fits(&self, left: &mut usize) -> bool {
        let own = match self {
            Value::String(text) => text.len() + 2,
            _ => 1,
        };
        let Some(rest) = left.checked_sub(own) else {
            return false;
        };
        *left = rest;
        match self {
            Value::Array(items) => items.iter().all(|item| item.fits(left)),
            Value::Object(members) => members.iter().all(|(name, member)| {
                *left = left.saturating_sub(name.len() + 3);
                member.fits(left)
            }),
            _ => true,
        }
    }

    /// As Java prints maps and lists: `{Arg1=1, Arg2=[a, b]}`; a text as it is, without quotes.
    ///
    /// Source: recorded runs of `States.Format` on AWS.
    pub fn to_java_text(&self) -> String {
        let mut out = String::new();
        self.write_java_text(&mut out);
        out
    }

    fn write_java_text(&self, out: &mut String) {
        match self {
            Value::String(text) => out.push_str(text),
            Value::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push_str(", ");
                    }
                    item.write_java_text(out);
                }
                out.push(']');
            }
            Value::Object(members) => {
                out.push('{');
                for (index, (name, member)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push_str(", ");
                    }
                    out.push_str(name);
                    out.push('=');
                    member.write_java_text(out);
                }
                out.push('}');
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => crate::json::write_value(out, self),
        }
    }

    /// `null`, `boolean`, `number`, `string`, `array` or `object`, as AWS's error texts name the types.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        }
    }
}

impl From<bool> for Value {
    fn from(bool: bool) -> Value {
        Value::Bool(bool)
    }
}

impl From<i64> for Value {
    fn from(int: i64) -> Value {
        Value::Number(Number::Int(int))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::String(text.into())
    }
}

/// Compact JSON.
impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&crate::json::to_text(self))
    }
}
