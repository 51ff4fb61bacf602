//! `$formatNumber`.
//!
//! Source: XPath Functions and Operators 3.1, 4.7, with its numbers of rules, as far as JSONata has it.

use super::super::budget::Outcome;
use super::super::evaluate::Evaluator;
use super::super::fault::Fault;
use super::super::item::Item;
use super::integer::every;
use super::numeric::round_to;
use super::{argument, number_of, text_of};

/// The signs of a picture and of what it makes.
struct Signs {
    decimal: String,
    grouping: String,
    exponent: String,
    minus: String,
    percent: String,
    per_mille: String,
    zero: char,
    digit: String,
    pattern: String,
}

impl Signs {
    fn of(options: &Item) -> Signs {
        let option = |name: &str, default: &str| match options.members().map(|members| members.get(name)) {
            Some(Item::Text(text)) => text.to_string(),
            _ => default.to_owned(),
        };
        Signs {
            decimal: option("decimal-separator", "."),
            grouping: option("grouping-separator", ","),
            exponent: option("exponent-separator", "e"),
            minus: option("minus-sign", "-"),
            percent: option("percent", "%"),
            per_mille: option("per-mille", "\u{2030}"),
            zero: option("zero-digit", "0").chars().next().unwrap_or('0'),
            digit: option("digit", "#"),
            pattern: option("pattern-separator", ";"),
        }
    }

    fn is_decimal_digit(&self, char: char) -> bool {
        (u32::from(self.zero)..u32::from(self.zero) + 10).contains(&u32::from(char))
    }

    fn is_digit(&self, char: char) -> bool {
        is(&self.digit, char)
    }

    fn is_active(&self, char: char) -> bool {
        self.is_decimal_digit(char)
            || [&self.decimal, &self.exponent, &self.grouping, &self.digit, &self.pattern]
                .iter()
                .any(|sign| is(sign, char))
    }

    fn shifted(&self, digits: &str) -> String {
        let shift = |char: char| match char.to_digit(10) {
            Some(digit) => char::from_u32(u32::from(self.zero) + digit).unwrap_or(char),
            None => char,
        };
        digits.chars().map(shift).collect()
    }
}

fn is(sign: &str, char: char) -> bool {
    let mut chars = sign.chars();
    chars.next() == Some(char) && chars.next().is_none()
}

/// A sub-picture, taken apart.
struct Parts<'p> {
    whole: &'p str,
    prefix: &'p str,
    suffix: &'p str,
    active: &'p str,
    mantissa: &'p str,
    exponent: Option<&'p str>,
    integer: &'p str,
    fraction: &'p str,
}

impl<'p> Parts<'p> {
    fn of(picture: &'p str, signs: &Signs) -> Parts<'p> {
        let is_inner = |char: char| signs.is_active(char) && !is(&signs.exponent, char);
        let start = picture.char_indices().find(|(_, char)| is_inner(*char)).map(|(at, _)| at);
        let end = picture.char_indices().rev().find(|(_, char)| is_inner(*char)).map(|(at, char)| at + char.len_utf8());
        let (prefix, suffix, active) = match (start, end) {
            (Some(start), Some(end)) => (&picture[..start], &picture[end..], &picture[start..end]),
            _ => ("", "", picture),
        };
        let (mantissa, exponent) = match active.find(&*signs.exponent) {
            Some(at) => (&active[..at], Some(&active[at + signs.exponent.len()..])),
            None => (active, None),
        };
        let (integer, fraction) = match mantissa.find(&*signs.decimal) {
            Some(at) => (&mantissa[..at], &mantissa[at + signs.decimal.len()..]),
            None => (mantissa, suffix),
        };
        Parts { whole: picture, prefix, suffix, active, mantissa, exponent, integer, fraction }
    }

    /// 4.7.3. The last rule that is broken counts.
    fn check(&self, signs: &Signs) -> Result<(), Fault> {
        let count = |sign: &str| if sign.is_empty() { 0 } else { self.whole.matches(sign).take(2).count() };
        let has = |sign: &str| count(sign) > 0;
        let is_digit = |char: char| signs.is_decimal_digit(char) || signs.is_digit(char);
        let decimal = self.whole.find(&*signs.decimal);
        let beside_decimal = decimal.is_some_and(|at| {
            self.whole[..at].ends_with(&*signs.grouping)
                || self.whole[at + signs.decimal.len()..].starts_with(&*signs.grouping)
        });
        let optional = self.integer.find(&*signs.digit);
        let last_optional = self.fraction.rfind(&*signs.digit);
        let has_decimal_digit = |text: &str| text.chars().any(|char| signs.is_decimal_digit(char));
        let rules = [
            ("D3081", count(&signs.decimal) > 1),
            ("D3082", count(&signs.percent) > 1),
            ("D3083", count(&signs.per_mille) > 1),
            ("D3084", has(&signs.percent) && has(&signs.per_mille)),
            ("D3085", !self.mantissa.chars().any(is_digit)),
            ("D3086", self.active.chars().any(|char| !signs.is_active(char))),
            ("D3087", beside_decimal),
            ("D3088", decimal.is_none() && self.integer.ends_with(&*signs.grouping)),
            ("D3089", has(&signs.grouping.repeat(2))),
            ("D3090", optional.is_some_and(|at| has_decimal_digit(&self.integer[..at]))),
            ("D3091", last_optional.is_some_and(|at| has_decimal_digit(&self.fraction[at..]))),
            (
                "D3092",
                self.exponent.is_some_and(|own| !own.is_empty()) && (has(&signs.percent) || has(&signs.per_mille)),
            ),
            (
                "D3093",
                self.exponent
                    .is_some_and(|own| own.is_empty() || own.chars().any(|char| !signs.is_decimal_digit(char))),
            ),
        ];
        match rules.iter().rev().find(|(_, is_broken)| *is_broken) {
            Some((code, _)) => Err(Fault::new(code)),
            None => Ok(()),
        }
    }
}

/// 4.7.4: what a sub-picture asks for.
#[derive(Clone)]
struct Layout {
    prefix: String,
    suffix: String,
    picture: String,
    integer_groups: Vec<usize>,
    regular: Option<usize>,
    integer_min: usize,
    scale: usize,
    fraction_groups: Vec<usize>,
    fraction_min: usize,
    fraction_max: usize,
    exponent_min: usize,
}

impl Layout {
    fn of(parts: &Parts<'_>, signs: &Signs) -> Layout {
        let is_digit = |char: char| signs.is_decimal_digit(char) || signs.is_digit(char);
        let decimals = |text: &str| text.chars().filter(|char| signs.is_decimal_digit(*char)).count();
        let digits = |text: &str| text.chars().filter(|char| is_digit(*char)).count();
        // Digits on one side of each separator.
        let groups = |text: &str, to_left: bool| -> Vec<usize> {
            let total = digits(text);
            let mut before = 0;
            let mut groups = Vec::new();
            for char in text.chars() {
                before += usize::from(is_digit(char));
                if is(&signs.grouping, char) {
                    groups.push(if to_left { before } else { total - before });
                }
            }
            groups
        };
        let integer_groups = groups(parts.integer, false);
        let mut integer_min = decimals(parts.integer);
        let scale = integer_min;
        let (mut fraction_min, mut fraction_max) = (decimals(parts.fraction), digits(parts.fraction));
        if integer_min == 0 && fraction_max == 0 {
            match parts.exponent {
                Some(_) => (fraction_min, fraction_max) = (1, 1),
                None => integer_min = 1,
            }
        }
        if parts.exponent.is_some() && integer_min == 0 && parts.integer.contains(&*signs.digit) {
            integer_min = 1;
        }
        if integer_min == 0 && fraction_min == 0 {
            fraction_min = 1;
        }
        Layout {
            prefix: parts.prefix.to_owned(),
            suffix: parts.suffix.to_owned(),
            picture: parts.whole.to_owned(),
            regular: every(&integer_groups),
            integer_groups,
            integer_min,
            scale,
            fraction_groups: groups(parts.fraction, true),
            fraction_min,
            fraction_max,
            exponent_min: parts.exponent.map_or(0, decimals),
        }
    }
}

pub(super) fn format_number(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let (Some(number), Some(picture)) = (number_of(arguments, 0), text_of(arguments, 1)) else {
        return Ok(Item::Undefined);
    };
    evaluator.budget.burn(256 + 64 * picture.len())?;
    // The picture is taken apart, and each digit of it may become one of the text, with a separator.
    evaluator.budget.make_text(4 * picture.len())?;
    let signs = Signs::of(&argument(arguments, 2));
    let pictures: Vec<&str> = match signs.pattern.is_empty() {
        true => vec![picture],
        false => picture.split(&*signs.pattern).collect(),
    };
    if pictures.len() > 2 {
        return Err(Fault::new("D3080").into());
    }
    let parts: Vec<Parts<'_>> = pictures.iter().map(|picture| Parts::of(picture, &signs)).collect();
    parts.iter().try_for_each(|parts| parts.check(&signs))?;
    let mut layouts: Vec<Layout> = parts.iter().map(|parts| Layout::of(parts, &signs)).collect();
    let (Some(negative), true) = (layouts.pop(), !pictures.is_empty()) else {
        return Ok(Item::Undefined);
    };
    let layout = match (layouts.pop(), number >= 0.0) {
        (Some(positive), true) => positive,
        (Some(_), false) | (None, true) => negative,
        (None, false) => Layout { prefix: format!("{}{}", signs.minus, negative.prefix), ..negative },
    };
    let text = written(number, &layout, &signs);
    evaluator.budget.make_text(text.len())?;
    Ok(Item::text(text))
}

/// 4.7.5
fn written(number: f64, layout: &Layout, signs: &Signs) -> String {
    let has = |sign: &str| !sign.is_empty() && layout.picture.contains(sign);
    let number = match (has(&signs.percent), has(&signs.per_mille)) {
        (true, _) => number * 100.0,
        (false, true) => number * 1000.0,
        _ => number,
    };
    let (mut mantissa, mut exponent) = (number, None);
    if layout.exponent_min > 0 {
        let scale = i32::try_from(layout.scale).unwrap_or(i32::MAX);
        let (max, min) = (10_f64.powi(scale), 10_f64.powi(scale - 1));
        let mut shift = 0_i32;
        // A double has at most some 700 powers of ten to go.
        while mantissa != 0.0 && mantissa.abs() < min && shift > -1_000 {
            mantissa *= 10.0;
            shift -= 1;
        }
        while mantissa.abs() > max && shift < 1_000 {
            mantissa /= 10.0;
            shift += 1;
        }
        exponent = Some(shift);
    }
    let places = layout.fraction_max;
    let rounded = round_to(mantissa, places as f64).abs();
    let digits = fixed(rounded, places);
    let (integer, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let integer = integer.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let integer = format!("{}{integer}", "0".repeat(layout.integer_min.saturating_sub(integer.len())));
    let fraction = format!("{fraction}{}", "0".repeat(layout.fraction_min.saturating_sub(fraction.len())));
    let mut text = layout.prefix.clone();
    let groups: std::collections::HashSet<usize> = layout.integer_groups.iter().copied().collect();
    for (index, digit) in integer.chars().enumerate() {
        let behind = integer.len() - index;
        let is_group = match layout.regular {
            Some(every) => behind.is_multiple_of(every),
            None => groups.contains(&behind),
        };
        if is_group && index > 0 {
            text.push_str(&signs.grouping);
        }
        text.push_str(&signs.shifted(digit.encode_utf8(&mut [0; 4])));
    }
    let has_point = layout.picture.contains(&*signs.decimal);
    let fraction = if has_point { fraction } else { String::new() };
    if !fraction.is_empty() {
        text.push_str(&signs.decimal);
    }
    let groups: std::collections::HashSet<usize> = layout.fraction_groups.iter().copied().collect();
    for (index, digit) in fraction.chars().enumerate() {
        if index > 0 && groups.contains(&index) {
            text.push_str(&signs.grouping);
        }
        text.push_str(&signs.shifted(digit.encode_utf8(&mut [0; 4])));
    }
    if let Some(exponent) = exponent {
        text.push_str(&signs.exponent);
        if exponent < 0 {
            text.push_str(&signs.minus);
        }
        let digits = format!("{:0width$}", exponent.abs(), width = layout.exponent_min.min(1_000));
        text.push_str(&signs.shifted(&digits));
    }
    text.push_str(&layout.suffix);
    text
}

/// Most digits behind the point that a double can have; all behind are zero.
const PLACES_MAX: usize = 1_100;

fn fixed(number: f64, places: usize) -> String {
    format!("{number:.places$}", places = places.min(PLACES_MAX))
}
