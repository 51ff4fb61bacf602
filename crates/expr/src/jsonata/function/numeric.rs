//! Functions on numbers.

use super::super::budget::Outcome;
use super::super::evaluate::Evaluator;
use super::super::fault::Fault;
use super::super::item::Item;
use super::super::number::to_text;
use super::{argument, number_of};

fn of(arguments: &[Item], function: impl FnOnce(f64) -> f64) -> Outcome {
    Ok(number_of(arguments, 0).map(|number| Item::Number(function(number))).unwrap_or_default())
}

pub(super) fn abs(_: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    of(arguments, f64::abs)
}

pub(super) fn floor(_: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    of(arguments, f64::floor)
}

pub(super) fn ceil(_: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    of(arguments, f64::ceil)
}

pub(super) fn round(_: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let places = number_of(arguments, 1).unwrap_or_default();
    of(arguments, |number| round_to(number, places))
}

/// Rounds half to even. The decimal point is moved in the text, as multiplying would lose digits.
pub(super) fn round_to(number: f64, places: f64) -> f64 {
    let moved = |number: f64, places: f64| -> f64 {
        if places == 0.0 || !number.is_finite() {
            return number;
        }
        let text = to_text(number);
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let exponent: f64 = exponent.trim_start_matches('+').parse().unwrap_or_default();
        format!("{digits}e{}", exponent + places).parse().unwrap_or(f64::NAN)
    };
    let unmoved = number;
    let number = moved(number, places);
    if !number.is_finite() {
        // It has no digits so far behind the point.
        return unmoved;
    }
    // Half up, as JavaScript rounds.
    let mut whole = (number + 0.5).floor();
    if whole - number > 0.5 || number.abs() >= 4_503_599_627_370_496.0 {
        // Where adding a half made another number of it.
        whole = number.round();
    }
    if (whole - number).abs() == 0.5 && (whole % 2.0).abs() == 1.0 {
        whole -= 1.0;
    }
    let rounded = moved(whole, -places);
    // No negative zero.
    if rounded == 0.0 { 0.0 } else { rounded }
}

pub(super) fn sqrt(_: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    match number_of(arguments, 0) {
        Some(number) if number < 0.0 => Err(Fault::new("D3060").value(&Item::Number(number)).into()),
        _ => of(arguments, f64::sqrt),
    }
}

pub(super) fn power(_: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let Some(base) = number_of(arguments, 0) else {
        return Ok(Item::Undefined);
    };
    let power = number_of(arguments, 1).map_or(f64::NAN, |exponent| base.powf(exponent));
    if !power.is_finite() {
        let fault = Fault::new("D3061").value(&Item::Number(base)).other(&argument(arguments, 1));
        return Err(fault.into());
    }
    Ok(Item::Number(power))
}

pub(super) fn number(_: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let item = argument(arguments, 0);
    let number = match &item {
        Item::Undefined => return Ok(Item::Undefined),
        Item::Number(number) => Some(*number),
        Item::Bool(bool) => Some(f64::from(u8::from(*bool))),
        Item::Text(text) => number_of_text(text),
        _ => None,
    };
    match number {
        Some(number) => Ok(Item::Number(number)),
        None => Err(Fault::new("D3030").value(&item).into()),
    }
}

/// A number in JSON's form, leading zeros allowed, or in one of the other bases of JavaScript.
fn number_of_text(text: &str) -> Option<f64> {
    if let Some(radix) = match text.get(..2) {
        Some("0x" | "0X") => Some(16),
        Some("0o" | "0O") => Some(8),
        Some("0b" | "0B") => Some(2),
        _ => None,
    } {
        let digits = &text[2..];
        let value = |char: char| char.to_digit(radix).map(f64::from);
        let is_whole = !digits.is_empty() && digits.chars().all(|char| value(char).is_some());
        return is_whole
            .then(|| digits.chars().filter_map(value).fold(0.0, |sum, digit| sum * f64::from(radix) + digit));
    }
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let is_mantissa = match mantissa.split_once('.') {
        Some((whole, fraction)) => is_digits(whole) && is_digits(fraction),
        None => is_digits(mantissa),
    };
    if !is_mantissa || !exponent.is_none_or(is_digits) {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

pub(super) fn format_base(_: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let Some(number) = number_of(arguments, 0) else {
        return Ok(Item::Undefined);
    };
    let number = round_to(number, 0.0);
    let radix = round_to(number_of(arguments, 1).unwrap_or(10.0), 0.0);
    if !(2.0..=36.0).contains(&radix) {
        return Err(Fault::new("D3100").value(&Item::Number(radix)).into());
    }
    if radix == 10.0 || !number.is_finite() {
        return Ok(Item::text(to_text(number)));
    }
    let mut digits = Vec::new();
    let mut rest = number.abs();
    loop {
        let digit = rest % radix;
        digits.push(char::from_digit(digit as u32, radix as u32).unwrap_or('0'));
        rest = ((rest - digit) / radix).floor();
        if rest < 1.0 {
            break;
        }
    }
    if number < 0.0 {
        digits.push('-');
    }
    Ok(Item::text(digits.iter().rev().collect::<String>()))
}
