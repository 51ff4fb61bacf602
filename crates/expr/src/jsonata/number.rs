//! Numbers as JavaScript has them: doubles, and the text of each.

use crate::{Number, Value};

/// Whole numbers up to here are what their doubles say, digit by digit.
const SAFE_INTEGER_MAX: i64 = 1 << 53;
/// From here on JavaScript prints whole numbers with an exponent.
const PLAIN_WHOLE_MAX: f64 = 1e21;
/// Below this JavaScript prints fractions with an exponent.
const PLAIN_FRACTION_MIN: f64 = 1e-6;

/// As JavaScript prints it: `1`, `0.1`, `1e+21`, `1.5e-7`.
pub(super) fn to_text(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    if !number.is_finite() {
        return if number.is_nan() { "NaN".to_owned() } else { format!("{number}").replace("inf", "Infinity") };
    }
    if (PLAIN_FRACTION_MIN..PLAIN_WHOLE_MAX).contains(&number.abs()) {
        return number.to_string();
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}

/// To 15 digits, as `$string` prints fractions.
pub(super) fn rounded(number: f64) -> f64 {
    if number.fract() == 0.0 || !number.is_finite() {
        return number;
    }
    format!("{number:.14e}").parse().unwrap_or(number)
}

/// The JSON number that a double is: a whole one below 10^21 has no fraction.
pub(super) fn to_value(double: f64) -> Value {
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

/// Whether a number comes out of an expression as it went in.
pub(super) fn is_plain(number: &Number) -> bool {
    match number {
        Number::Int(int) => int.unsigned_abs() <= SAFE_INTEGER_MAX.unsigned_abs(),
        Number::Double(double) => double.fract() != 0.0,
        Number::Text(_) => false,
    }
}
