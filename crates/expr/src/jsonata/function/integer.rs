//! `$formatInteger` and `$parseInteger`, and the pictures of whole numbers that dates use too.
//!
//! Source: XPath Functions and Operators 3.1, 4.6, as far as JSONata has it.

use super::super::budget::{Budget, Outcome};
use super::super::evaluate::Evaluator;
use super::super::fault::Fault;
use super::super::item::Item;
use super::super::number::to_text;
use super::{number_of, text_of};
use crate::limits::JSONATA_STRING_BYTES_MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Upper,
    Lower,
    Title,
}

impl Case {
    pub(super) fn of(self, text: String) -> String {
        match self {
            Case::Upper => text.to_uppercase(),
            Case::Lower => text.to_lowercase(),
            Case::Title => text,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Primary {
    Decimal(Decimal),
    Letters,
    Roman,
    Words,
    /// A numbering that nobody knows.
    Sequence(String),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Decimal {
    /// The code of the digit zero.
    pub(super) zero: u32,
    pub(super) mandatory: usize,
    pub(super) optional: usize,
    pub(super) grouping: Grouping,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Grouping {
    Regular {
        every: usize,
        separator: char,
    },
    /// Digits behind each separator, fewest first.
    Single(Vec<(usize, char)>),
}

/// How a whole number is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Format {
    pub(super) primary: Primary,
    pub(super) case: Case,
    pub(super) ordinal: bool,
    /// Exactly so many digits are read, as another number follows.
    pub(super) parse_width: Option<usize>,
}

/// Codes of the digit zero of each decimal group. Source: Unicode, general category Nd.
const ZEROS: [u32; 37] = [
    0x30, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6,
    0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40,
    0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
];

pub(super) fn format_integer(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let (Some(number), Some(picture)) = (number_of(arguments, 0), text_of(arguments, 1)) else {
        return Ok(Item::Undefined);
    };
    evaluator.budget.burn(64 + 8 * picture.len())?;
    let text = Format::of(picture)?.format(number.floor(), &mut evaluator.budget)?;
    evaluator.budget.make_text(text.len())?;
    Ok(Item::text(text))
}

pub(super) fn parse_integer(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let (Some(text), Some(picture)) = (text_of(arguments, 0), text_of(arguments, 1)) else {
        return Ok(Item::Undefined);
    };
    evaluator.budget.burn(64 + 8 * picture.len() + 4 * text.len())?;
    let format = Format::of(picture)?;
    if let Primary::Sequence(token) = &format.primary {
        return Err(Fault::new("D3130").text(token).into());
    }
    Ok(Item::Number(format.parse(text)))
}

impl Format {
    pub(super) fn of(picture: &str) -> Result<Format, Fault> {
        let (primary, modifier) = picture.rsplit_once(';').unwrap_or((picture, ""));
        let ordinal = modifier.starts_with('o');
        let (primary, case) = match primary {
            "A" => (Primary::Letters, Case::Upper),
            "a" => (Primary::Letters, Case::Lower),
            "I" => (Primary::Roman, Case::Upper),
            "i" => (Primary::Roman, Case::Lower),
            "W" => (Primary::Words, Case::Upper),
            "Ww" => (Primary::Words, Case::Title),
            "w" => (Primary::Words, Case::Lower),
            digits => (decimal(digits)?, Case::Lower),
        };
        Ok(Format { primary, case, ordinal, parse_width: None })
    }

    pub(super) fn decimal_mut(&mut self) -> Option<&mut Decimal> {
        match &mut self.primary {
            Primary::Decimal(decimal) => Some(decimal),
            _ => None,
        }
    }

    /// `number` is whole.
    pub(super) fn format(&self, number: f64, budget: &mut Budget) -> Outcome<String> {
        let size = number.abs();
        let text = match &self.primary {
            Primary::Letters => letters(size, if self.case == Case::Upper { 'A' } else { 'a' }),
            Primary::Roman => {
                let thousands = (size / 1000.0).floor();
                if thousands > JSONATA_STRING_BYTES_MAX as f64 {
                    return Err(super::super::budget::Stop::OutOfMemory);
                }
                budget.make_text(thousands as usize)?;
                self.case.of(roman(thousands as usize, (size % 1000.0) as usize))
            }
            Primary::Words => self.case.of(words(size, false, self.ordinal)),
            Primary::Decimal(decimal) => decimal.format(size, self.ordinal, budget)?,
            Primary::Sequence(token) => return Err(Fault::new("D3130").text(token).into()),
        };
        Ok(if number < 0.0 { format!("-{text}") } else { text })
    }

    /// No number where `text` is none of this format.
    pub(super) fn parse(&self, text: &str) -> f64 {
        match &self.primary {
            Primary::Letters => {
                let a = if self.case == Case::Upper { 'A' } else { 'a' };
                text.chars().fold(0.0, |sum, letter| {
                    sum * 26.0 + (f64::from(u32::from(letter)) - f64::from(u32::from(a)) + 1.0)
                })
            }
            Primary::Roman => from_roman(&text.to_uppercase()),
            Primary::Words => from_words(&text.to_lowercase()),
            Primary::Decimal(decimal) => decimal.parse(text, self.ordinal),
            Primary::Sequence(_) => f64::NAN,
        }
    }
}

fn decimal(picture: &str) -> Result<Primary, Fault> {
    let mut zero = None;
    let (mut mandatory, mut optional) = (0, 0);
    let mut separators = Vec::new();
    for char in picture.chars().rev() {
        let code = u32::from(char);
        if let Some(group) = ZEROS.into_iter().find(|group| (*group..*group + 10).contains(&code)) {
            mandatory += 1;
            if *zero.get_or_insert(group) != group {
                return Err(Fault::new("D3131"));
            }
        } else if char == '#' {
            optional += 1;
        } else {
            separators.push((mandatory + optional, char));
        }
    }
    let Some(zero) = zero else {
        return Ok(Primary::Sequence(picture.to_owned()));
    };
    let grouping = match regular(&separators) {
        Some((every, separator)) => Grouping::Regular { every, separator },
        None => Grouping::Single(separators),
    };
    Ok(Primary::Decimal(Decimal { zero, mandatory, optional, grouping }))
}

/// The distance between separators, where it is the same for all.
fn regular(separators: &[(usize, char)]) -> Option<(usize, char)> {
    let (_, first) = separators.first()?;
    if separators.iter().any(|(_, separator)| separator != first) {
        return None;
    }
    let positions: Vec<usize> = separators.iter().map(|(position, _)| *position).collect();
    every(&positions).map(|every| (every, *first))
}

/// The greatest common divisor of all positions, where there is one at each multiple of it.
pub(super) fn every(positions: &[usize]) -> Option<usize> {
    let divisor = positions.iter().copied().reduce(|a, b| {
        let (mut a, mut b) = (a, b);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    })?;
    let known: std::collections::HashSet<usize> = positions.iter().copied().collect();
    (divisor > 0 && (1..=positions.len()).all(|index| known.contains(&(index * divisor)))).then_some(divisor)
}

impl Decimal {
    fn format(&self, number: f64, ordinal: bool, budget: &mut Budget) -> Outcome<String> {
        let digits = to_text(number);
        budget.make_text(2 * self.mandatory)?;
        let missing = self.mandatory.saturating_sub(digits.len());
        let shifted = |digit: char| match digit.is_ascii_digit() && self.zero != 0x30 {
            true => char::from_u32(u32::from(digit) - 0x30 + self.zero).unwrap_or(digit),
            false => digit,
        };
        let digits: Vec<char> = std::iter::repeat_n('0', missing).chain(digits.chars()).map(shifted).collect();
        let mut text = String::with_capacity(2 * digits.len());
        for (index, digit) in digits.iter().enumerate() {
            let behind = digits.len() - index;
            if index > 0 {
                match &self.grouping {
                    Grouping::Regular { every, separator } if behind.is_multiple_of(*every) => text.push(*separator),
                    Grouping::Regular { .. } => {}
                    Grouping::Single(separators) => {
                        budget.burn(separators.len())?;
                        let here = separators.iter().rev().filter(|(position, _)| *position == behind);
                        text.extend(here.map(|(_, separator)| *separator));
                    }
                }
            }
            text.push(*digit);
        }
        if ordinal {
            let is_teen = digits.len() > 1 && digits[digits.len() - 2] == '1';
            text.push_str(match digits.last() {
                Some('1') if !is_teen => "st",
                Some('2') if !is_teen => "nd",
                Some('3') if !is_teen => "rd",
                _ => "th",
            });
        }
        Ok(text)
    }

    fn parse(&self, text: &str, ordinal: bool) -> f64 {
        let end = if ordinal { text.char_indices().rev().nth(1).map_or(0, |(at, _)| at) } else { text.len() };
        let is_separator = |char: char| match &self.grouping {
            Grouping::Regular { .. } => char == ',',
            Grouping::Single(separators) => separators.iter().any(|(_, separator)| *separator == char),
        };
        let digits = text[..end].chars().filter(|char| !is_separator(*char)).map(|char| match self.zero {
            0x30 => char,
            zero => u32::from(char).checked_sub(zero).and_then(|digit| char::from_u32(digit + 0x30)).unwrap_or(char),
        });
        let digits: String = digits.collect();
        leading_number(&digits)
    }
}

/// The whole number at the beginning of a text, as JavaScript's `parseInt` reads it.
pub(super) fn leading_number(text: &str) -> f64 {
    let text = text.trim_start();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = digits.bytes().take_while(u8::is_ascii_digit).count();
    digits[..end].parse::<f64>().map_or(f64::NAN, |number| sign * number)
}

fn letters(number: f64, a: char) -> String {
    let mut letters = Vec::new();
    let mut rest = number;
    while rest > 0.0 {
        let letter = (rest - 1.0) % 26.0;
        letters.push(char::from_u32(u32::from(a) + letter as u32).unwrap_or(a));
        rest = ((rest - 1.0) / 26.0).floor();
    }
    letters.iter().rev().collect()
}

const ROMAN: [(usize, &str); 12] = [
    (900, "cm"),
    (500, "d"),
    (400, "cd"),
    (100, "c"),
    (90, "xc"),
    (50, "l"),
    (40, "xl"),
    (10, "x"),
    (9, "ix"),
    (5, "v"),
    (4, "iv"),
    (1, "i"),
];

fn roman(thousands: usize, rest: usize) -> String {
    let mut text = "m".repeat(thousands);
    let mut rest = rest;
    for (value, numeral) in ROMAN {
        while rest >= value {
            text.push_str(numeral);
            rest -= value;
        }
    }
    text
}

fn from_roman(text: &str) -> f64 {
    let (mut sum, mut max) = (0.0, 1.0);
    for digit in text.chars().rev() {
        let value = match digit {
            'M' => 1000.0,
            'D' => 500.0,
            'C' => 100.0,
            'L' => 50.0,
            'X' => 10.0,
            'V' => 5.0,
            'I' => 1.0,
            _ => f64::NAN,
        };
        if value < max {
            sum -= value;
        } else {
            max = value;
            sum += value;
        }
    }
    sum
}

const FEW: [&str; 20] = [
    "Zero",
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
    "Thirteen",
    "Fourteen",
    "Fifteen",
    "Sixteen",
    "Seventeen",
    "Eighteen",
    "Nineteen",
];
const ORDINALS: [&str; 20] = [
    "Zeroth",
    "First",
    "Second",
    "Third",
    "Fourth",
    "Fifth",
    "Sixth",
    "Seventh",
    "Eighth",
    "Ninth",
    "Tenth",
    "Eleventh",
    "Twelfth",
    "Thirteenth",
    "Fourteenth",
    "Fifteenth",
    "Sixteenth",
    "Seventeenth",
    "Eighteenth",
    "Nineteenth",
];
const DECADES: [&str; 8] = ["Twenty", "Thirty", "Forty", "Fifty", "Sixty", "Seventy", "Eighty", "Ninety"];
const MAGNITUDES: [&str; 4] = ["Thousand", "Million", "Billion", "Trillion"];

/// `follows`: other words come before.
fn words(number: f64, follows: bool, ordinal: bool) -> String {
    let then = |text: &str| if follows { text.to_owned() } else { String::new() };
    if number <= 19.0 {
        let names = if ordinal { ORDINALS } else { FEW };
        return then(" and ") + names[number as usize];
    }
    if number < 100.0 {
        let decade = DECADES[(number / 10.0) as usize - 2];
        let rest = number % 10.0;
        let own = match (rest > 0.0, ordinal) {
            (true, _) => format!("{decade}-{}", words(rest, false, ordinal)),
            (false, true) => format!("{}ieth", &decade[..decade.len() - 1]),
            (false, false) => decade.to_owned(),
        };
        return then(" and ") + &own;
    }
    let (own, rest) = if number < 1000.0 {
        (format!("{} Hundred", FEW[(number / 100.0) as usize]), number % 100.0)
    } else if number.is_finite() {
        // The largest word stands for all that is larger.
        let magnitude = ((number.log10() / 3.0).floor() as usize).clamp(1, MAGNITUDES.len());
        let factor = 10_f64.powi(3 * magnitude as i32);
        let count = (number / factor).floor();
        (format!("{} {}", words(count, false, false), MAGNITUDES[magnitude - 1]), number - count * factor)
    } else {
        (to_text(number), 0.0)
    };
    let behind = match (rest > 0.0, ordinal) {
        (true, _) => words(rest.floor(), true, ordinal),
        (false, true) => "th".to_owned(),
        (false, false) => String::new(),
    };
    then(", ") + &own + &behind
}

/// What a word counts, in lower case.
fn value_of_word(word: &str) -> Option<f64> {
    let is_word = |name: &&str| name.to_lowercase() == word;
    let place = |names: &[&str]| names.iter().position(is_word);
    if let Some(value) = place(&FEW).or_else(|| place(&ORDINALS)) {
        return Some(value as f64);
    }
    let tens = word.strip_suffix("ieth").map_or_else(|| word.to_owned(), |stem| format!("{stem}y"));
    if let Some(decade) = DECADES.iter().position(|name| name.to_lowercase() == tens) {
        return Some((decade as f64 + 2.0) * 10.0);
    }
    let stem = word.strip_suffix("th").unwrap_or(word);
    if stem == "hundred" {
        return Some(100.0);
    }
    MAGNITUDES.iter().position(|name| name.to_lowercase() == stem).map(|place| 10_f64.powi(3 * (place as i32 + 1)))
}

/// Every word that a number in words may have, for the pattern that finds them.
pub(super) fn known_words() -> Vec<String> {
    let ties = DECADES.iter().map(|name| format!("{}ieth", &name[..name.len() - 1]));
    let large = ["Hundred"].into_iter().chain(MAGNITUDES);
    let known = FEW.into_iter().chain(ORDINALS).chain(DECADES).map(str::to_owned).chain(ties);
    // The longer ones first, as a pattern takes the first that fits.
    let mut known: Vec<String> = known
        .chain(large.flat_map(|name| [name.to_owned(), format!("{name}th")]))
        .map(|name| name.to_lowercase())
        .collect();
    known.sort_by_key(|word| std::cmp::Reverse(word.len()));
    known
}

fn from_words(text: &str) -> f64 {
    let text = text.replace(", ", " ").replace(" and ", " ");
    let mut sums = vec![0.0];
    for word in text.split(|char: char| char.is_whitespace() || matches!(char, '\\' | '-')) {
        let value = value_of_word(word).unwrap_or(f64::NAN);
        let mut last = sums.pop().unwrap_or_default();
        if value < 100.0 {
            if last >= 1000.0 {
                sums.push(last);
                last = 0.0;
            }
            sums.push(last + value);
        } else {
            sums.push(last * value);
        }
    }
    sums.iter().sum()
}
