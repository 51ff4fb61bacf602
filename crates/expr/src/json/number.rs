//! Numbers from their text and doubles to theirs.

use crate::Number;

/// Any decimal number with so few significant digits is the shortest text of its nearest double, within
/// [`EXACT_EXPONENT_MAX`] of the point. Source: IEEE 754, `DBL_DIG`.
const EXACT_DIGITS_MAX: usize = 15;
const EXACT_EXPONENT_MAX: i64 = 290;

/// The number that `lexeme` writes; it must be a number of JSON's grammar.
pub fn number_from_text(lexeme: &str) -> Number {
    let whole = !lexeme.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
    if whole {
        return match lexeme.parse::<i64>() {
            Ok(int) => Number::Int(int),
            Err(_) => Number::Text(lexeme.into()),
        };
    }
    match lexeme.parse::<f64>() {
        Ok(double) if double.is_finite() && says_the_same(lexeme, double) => Number::Double(double),
        _ => Number::Text(lexeme.into()),
    }
}

/// True if the shortest text of `double` is the decimal number of `lexeme`.
fn says_the_same(lexeme: &str, double: f64) -> bool {
    let written = Decimal::of(lexeme);
    let few = written.digits.len() <= EXACT_DIGITS_MAX && written.exponent.abs() <= EXACT_EXPONENT_MAX;
    few || written == Decimal::of(&format!("{double:e}"))
}

/// The digits of a number without zeros at either end, and the power of ten of the first of them.
#[derive(PartialEq)]
struct Decimal {
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    fn of(lexeme: &str) -> Decimal {
        let (mantissa, exponent) = match lexeme.split_once(['e', 'E']) {
            // An exponent beyond i64 makes a number that no double holds; any wrong value here says so.
            Some((mantissa, exponent)) => (mantissa, exponent.parse().unwrap_or(i64::from(i32::MAX))),
            None => (lexeme, 0_i64),
        };
        let mantissa = mantissa.trim_start_matches(['-', '+']);
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        let leading = digits.iter().take_while(|digit| **digit == b'0').count();
        let trailing = digits[leading..].iter().rev().take_while(|digit| **digit == b'0').count();
        let significant = digits[leading..digits.len() - trailing].to_vec();
        if significant.is_empty() {
            return Decimal { digits: significant, exponent: 0 };
        }
        let first = whole.len() as i64 - 1 - leading as i64;
        Decimal { digits: significant, exponent: exponent.saturating_add(first) }
    }
}

/// The text of a finite double, always with a fraction: `1.5`, `1000.0`, `1.0E10`, `1.0E-5`.
///
/// Shortest digits that read back the same; plain from 10⁻³ up to 10⁷, else with an exponent. Source: Java's
/// `Double.toString`, which is what AWS's JSON shows.
pub fn double_to_text(double: f64) -> String {
    let size = double.abs();
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        return format!("{double:?}");
    }
    let text = format!("{double:e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) if mantissa.contains('.') => format!("{mantissa}E{exponent}"),
        Some((mantissa, exponent)) => format!("{mantissa}.0E{exponent}"),
        None => text,
    }
}
