//! Dates and times.

use std::fmt::Write;

use super::super::budget::Outcome;
use super::super::evaluate::Evaluator;
use super::super::fault::Fault;
use super::super::item::Item;
use super::super::regex::{Regex, Scratch};
use super::integer::{Case, Decimal, Format, Grouping, Primary, known_words, leading_number};
use super::picture::{Marker, Part, parts};
use super::{number_of, text_of};

const DAY_MS: f64 = 86_400_000.0;
/// Furthest from 1970 that a date of JavaScript may be.
const MS_MAX: f64 = 8.64e15;
/// What `$now()` and `$fromMillis()` give.
const ISO: &str = "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]";
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) fn millis(evaluator: &mut Evaluator<'_>, _: &[Item]) -> Outcome {
    Ok(Item::Number(evaluator.environment.now_ms() as f64))
}

pub(super) fn now(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let now = evaluator.environment.now_ms() as f64;
    formatted(evaluator, now, arguments, 0)
}

pub(super) fn from_millis(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    match number_of(arguments, 0) {
        Some(millis) => formatted(evaluator, millis, arguments, 1),
        None => Ok(Item::Undefined),
    }
}

/// `index`: of the picture among the arguments; the time zone follows it.
fn formatted(evaluator: &mut Evaluator<'_>, millis: f64, arguments: &[Item], index: usize) -> Outcome {
    let (hours, minutes) = match text_of(arguments, index + 1) {
        Some(zone) => {
            let offset = leading_number(zone);
            if offset.is_nan() {
                let message = format!("The timezone must be a number of hours and minutes, such as +0530: \"{zone}\"");
                return Err(Fault::new("D3150").message(message).into());
            }
            ((offset / 100.0).floor(), offset % 100.0)
        }
        None => (0.0, 0.0),
    };
    let local = (millis + (60.0 * hours + minutes) * 60_000.0).trunc();
    if local.is_nan() || local.abs() > MS_MAX {
        return Err(Fault::new("D1001").value(&Item::Number(millis)).into());
    }
    let picture = text_of(arguments, index).map_or(ISO, |picture| picture);
    evaluator.budget.burn(64 + 8 * picture.len())?;
    evaluator.budget.make_bytes(8 * picture.len())?;
    let date = Date::of(local);
    let mut text = String::new();
    for part in parts(picture)? {
        evaluator.budget.burn(32)?;
        match part {
            Part::Literal(literal) => text.push_str(&literal),
            Part::Marker(marker) => marker.write(&mut text, &date, (hours, minutes), evaluator)?,
        }
    }
    evaluator.budget.make_text(text.len())?;
    Ok(Item::text(text))
}

/// A moment in the calendar.
struct Date {
    millis: f64,
    year: f64,
    /// From 1.
    month: f64,
    day: f64,
}

impl Date {
    fn of(millis: f64) -> Date {
        let (year, month, day) = civil((millis / DAY_MS).floor() as i64);
        Date { millis, year: year as f64, month: month as f64, day: day as f64 }
    }

    fn of_day(&self, unit_ms: f64, count: f64) -> f64 {
        (self.millis.rem_euclid(DAY_MS) / unit_ms).floor() % count
    }

    fn midnight(&self) -> f64 {
        (self.millis / DAY_MS).floor() * DAY_MS
    }

    /// `None` for components that are no numbers.
    fn component(&self, component: char) -> Option<f64> {
        let hour = self.of_day(3_600_000.0, 24.0);
        Some(match component {
            'Y' => self.year,
            'M' => self.month,
            'D' => self.day,
            'd' => (self.midnight() - utc(self.year, 1.0, 1.0)) / DAY_MS + 1.0,
            'F' => weekday(self.millis),
            'W' => {
                let first = first_week(self.year, 1.0);
                let week = weeks(first, self.midnight());
                if week > 52.0 && self.midnight() >= first_week(self.year + 1.0, 1.0) {
                    1.0
                } else if week < 1.0 {
                    weeks(first_week(self.year - 1.0, 1.0), self.midnight()).floor()
                } else {
                    week.floor()
                }
            }
            'w' => {
                let week = weeks(first_week(self.year, self.month), self.midnight());
                let ((next_year, next_month), (last_year, last_month)) = (self.next_month(), self.last_month());
                if week > 4.0 && self.midnight() >= first_week(next_year, next_month) {
                    1.0
                } else if week < 1.0 {
                    weeks(first_week(last_year, last_month), self.midnight()).floor()
                } else {
                    week.floor()
                }
            }
            'X' if self.millis < first_week(self.year, 1.0) => self.year - 1.0,
            'X' if self.millis >= first_week(self.year + 1.0, 1.0) => self.year + 1.0,
            'X' => self.year,
            'x' => {
                let (next_year, next_month) = self.next_month();
                if self.millis < first_week(self.year, self.month) {
                    self.last_month().1
                } else if self.millis >= first_week(next_year, next_month) {
                    next_month
                } else {
                    self.month
                }
            }
            'H' => hour,
            'h' if hour % 12.0 == 0.0 => 12.0,
            'h' => hour % 12.0,
            'm' => self.of_day(60_000.0, 60.0),
            's' => self.of_day(1_000.0, 60.0),
            'f' => self.of_day(1.0, 1_000.0),
            _ => return None,
        })
    }

    fn next_month(&self) -> (f64, f64) {
        if self.month == 12.0 { (self.year + 1.0, 1.0) } else { (self.year, self.month + 1.0) }
    }

    fn last_month(&self) -> (f64, f64) {
        if self.month == 1.0 { (self.year - 1.0, 12.0) } else { (self.year, self.month - 1.0) }
    }
}

/// Year, month and day, from the days since 1970. Source: Howard Hinnant, `civil_from_days`.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Days since 1970 of the first of a month. Source: as above.
fn days_to(year: i64, month: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Milliseconds since 1970; months and days beyond their ends count on. Not a number beyond all dates.
fn utc(year: f64, month: f64, day: f64) -> f64 {
    let months = year * 12.0 + (month - 1.0);
    if !months.is_finite() || months.abs() > 1e7 || !day.is_finite() {
        return f64::NAN;
    }
    let (year, month) = ((months / 12.0).floor(), months.rem_euclid(12.0) + 1.0);
    (days_to(year as i64, month as i64) as f64 + day - 1.0) * DAY_MS
}

/// From Monday, 1.
fn weekday(millis: f64) -> f64 {
    ((millis / DAY_MS).floor() + 3.0).rem_euclid(7.0) + 1.0
}

/// Where the first week of a year or month begins: the one with its first Thursday. Source: ISO 8601.
fn first_week(year: f64, month: f64) -> f64 {
    let first = utc(year, month, 1.0);
    let weekday = weekday(first);
    if weekday > 4.0 { first + (8.0 - weekday) * DAY_MS } else { first - (weekday - 1.0) * DAY_MS }
}

fn weeks(start: f64, end: f64) -> f64 {
    (end - start) / (7.0 * DAY_MS) + 1.0
}

impl Marker {
    fn write(
        &self,
        text: &mut String,
        date: &Date,
        (hours, minutes): (f64, f64),
        evaluator: &mut Evaluator<'_>,
    ) -> Outcome<()> {
        match self.component {
            'Z' | 'z' => self.write_zone(text, hours, minutes, evaluator),
            'P' => {
                let half = if date.component('H').is_some_and(|hour| hour >= 12.0) { "pm" } else { "am" };
                let is_upper = self.names == Some(Case::Upper);
                text.push_str(&if is_upper { half.to_uppercase() } else { half.to_owned() });
                Ok(())
            }
            'C' | 'E' => {
                text.push_str("ISO");
                Ok(())
            }
            _ => self.write_number(text, date, evaluator),
        }
    }

    fn write_number(&self, text: &mut String, date: &Date, evaluator: &mut Evaluator<'_>) -> Outcome<()> {
        let mut value = date.component(self.component).unwrap_or(f64::NAN);
        if let (Some(digits), true) = (self.year_digits, self.component == 'Y') {
            value %= 10_f64.powi(i32::try_from(digits).unwrap_or(i32::MAX));
        }
        let Some(case) = self.names else {
            let Some(format) = &self.integer else {
                return Err(Fault::new("D3132").text(&self.component.to_string()).into());
            };
            text.push_str(&format.format(value, &mut evaluator.budget)?);
            return Ok(());
        };
        let name = self.name(value)?;
        let name = case.of(name.to_owned());
        let width = self.width_max.unwrap_or(usize::MAX).min(name.len());
        text.push_str(&name[..width]);
        Ok(())
    }

    fn name(&self, value: f64) -> Result<&'static str, Fault> {
        let names: &[&str] = match self.component {
            'M' | 'x' => &MONTHS,
            'F' => &DAYS,
            other => return Err(Fault::new("D3133").text(&other.to_string())),
        };
        Ok(names.get(value as usize - 1).copied().unwrap_or_default())
    }

    fn write_zone(&self, text: &mut String, hours: f64, minutes: f64, evaluator: &mut Evaluator<'_>) -> Outcome<()> {
        let offset = hours * 100.0 + minutes;
        if offset == 0.0 && self.is_traditional {
            text.push('Z');
            return Ok(());
        }
        let Some(format) = &self.integer else {
            return Ok(());
        };
        let budget = &mut evaluator.budget;
        let shown = match &format.primary {
            Primary::Decimal(Decimal { grouping: Grouping::Regular { .. }, .. }) => format.format(offset, budget)?,
            Primary::Decimal(Decimal { mandatory: 1 | 2, .. }) => {
                let mut shown = format.format(hours, budget)?;
                if minutes != 0.0 {
                    let sign = if minutes < 0.0 { "-" } else { "" };
                    write!(shown, ":{sign}{:02}", minutes.abs()).expect("writing to a String does not fail");
                }
                shown
            }
            Primary::Decimal(Decimal { mandatory: 3 | 4, .. }) => format.format(offset, budget)?,
            _ => return Err(Fault::new("D3134").into()),
        };
        if self.component == 'z' {
            text.push_str("GMT");
        }
        if offset >= 0.0 {
            text.push('+');
        }
        text.push_str(&shown);
        Ok(())
    }
}

pub(super) fn to_millis(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let Some(text) = text_of(arguments, 0).cloned() else {
        return Ok(Item::Undefined);
    };
    evaluator.budget.read(text.len())?;
    match text_of(arguments, 1).cloned() {
        Some(picture) => parsed(evaluator, &text, &picture),
        None => match iso(&text) {
            Some(millis) => Ok(Item::Number(millis)),
            None => Err(Fault::new("D3110").value(&Item::Text(text)).into()),
        },
    }
}

/// A time stamp of ISO 8601; not a number where no such day is. Without a zone it is in UTC.
fn iso(text: &str) -> Option<f64> {
    let mut rest = text.as_bytes();
    let digits = |rest: &mut &[u8], count: usize| -> Option<f64> {
        let (digits, behind) = rest.split_at_checked(count)?;
        let number = digits
            .iter()
            .try_fold(0.0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10.0 + f64::from(digit - b'0')));
        *rest = behind;
        number
    };
    let sign = |rest: &mut &[u8], sign: u8| -> Option<()> {
        let (first, behind) = rest.split_first()?;
        *rest = behind;
        (*first == sign).then_some(())
    };
    let year = digits(&mut rest, 4)?;
    let (mut month, mut day) = (1.0, 1.0);
    // The month, then the day: each may be missing, as long as its first digit fits.
    for (value, first_max) in [(&mut month, b'1'), (&mut day, b'3')] {
        if let [b'-', first, second, ..] = rest
            && (b'0'..=first_max).contains(first)
            && second.is_ascii_digit()
            && rest.get(3) != Some(&b':')
            && !matches!(rest, [b'-', _, _, b'0'..=b'9', ..])
        {
            rest = &rest[1..];
            *value = digits(&mut rest, 2)?;
        }
    }
    let (mut time, mut is_real) = (0.0, true);
    if rest.first() == Some(&b'T') {
        rest = &rest[1..];
        let hour = digits(&mut rest, 2)?;
        sign(&mut rest, b':')?;
        let minute = digits(&mut rest, 2)?;
        sign(&mut rest, b':')?;
        let second = digits(&mut rest, 2)?;
        if hour >= 30.0 || minute >= 60.0 || second >= 60.0 {
            return None;
        }
        is_real = hour < 24.0 || hour == 24.0 && minute == 0.0 && second == 0.0;
        time = (hour * 60.0 + minute) * 60_000.0 + second * 1_000.0;
    }
    if rest.first() == Some(&b'.') {
        let count = rest[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return None;
        }
        let fraction: String = rest[1..=count].iter().take(3).map(|byte| char::from(*byte)).collect();
        time += format!("{fraction:0<3}").parse::<f64>().ok()?;
        rest = &rest[1 + count..];
    }
    match rest.split_first() {
        None => {}
        Some((b'Z', [])) => {}
        Some((direction @ (b'+' | b'-'), behind)) => {
            rest = behind;
            let hours = digits(&mut rest, 2)?;
            if rest.first() == Some(&b':') {
                rest = &rest[1..];
            }
            let minutes = digits(&mut rest, 2)?;
            if hours >= 30.0 || minutes >= 60.0 || !rest.is_empty() {
                return None;
            }
            is_real &= hours < 24.0;
            let offset = (hours * 60.0 + minutes) * 60_000.0;
            time -= if *direction == b'+' { offset } else { -offset };
        }
        Some(_) => return None,
    }
    is_real &= (1.0..=12.0).contains(&month) && (1.0..=31.0).contains(&day);
    Some(if is_real { utc(year, month, day) + time } else { f64::NAN })
}

/// What the pattern of a part has found, as a number.
enum Reader<'p> {
    None,
    Integer(&'p Format),
    Fraction,
    Names(&'p Marker),
    Half,
    /// With the sign between hours and minutes.
    Zone {
        has_name: bool,
        separator: Option<char>,
    },
}

fn parsed(evaluator: &mut Evaluator<'_>, text: &str, picture: &str) -> Outcome {
    evaluator.budget.burn(256 + 32 * picture.len())?;
    evaluator.budget.make_bytes(32 * picture.len())?;
    let parts = parts(picture)?;
    let mut pattern = String::from("^");
    let mut readers = Vec::with_capacity(parts.len());
    for part in &parts {
        let (own, component, reader) = pattern_of(part)?;
        evaluator.budget.burn(8 * own.len())?;
        write!(pattern, "({own})").expect("writing to a String does not fail");
        readers.push((component, reader));
    }
    pattern.push('$');
    let regex = Regex::new(&pattern, "i").map_err(|why| Fault::new("").message(why))?;
    let Some(found) = regex.find(text, 0, &mut Scratch::default(), &mut evaluator.budget)? else {
        return Ok(Item::Undefined);
    };
    let mut components = Components::default();
    for ((component, reader), group) in readers.iter().zip(&found.groups) {
        let own = group.clone().map_or("", |at| &text[at]);
        evaluator.budget.burn(8 + 4 * own.len())?;
        if let Some(number) = reader.read(own) {
            components.set(*component, number);
        }
    }
    let now = Date::of(evaluator.environment.now_ms() as f64);
    Ok(components.millis(&now)?.map(Item::Number).unwrap_or_default())
}

/// The pattern of what a part stands for, its component, and how what it finds is read.
fn pattern_of(part: &Part) -> Result<(String, char, Reader<'_>), Fault> {
    let marker = match part {
        Part::Literal(literal) => {
            let escaped = literal.chars().flat_map(|char| {
                let escape = ".*+?^${}()|[]\\".contains(char).then_some('\\');
                escape.into_iter().chain([char])
            });
            return Ok((escaped.collect(), ' ', Reader::None));
        }
        Part::Marker(marker) => marker,
    };
    let component = marker.component;
    let (pattern, reader) = match (component, &marker.integer) {
        ('Z' | 'z', Some(format)) => {
            let separator = match &format.primary {
                Primary::Decimal(Decimal { grouping: Grouping::Regular { separator, .. }, .. }) => Some(*separator),
                _ => None,
            };
            let has_name = component == 'z';
            let mut pattern = String::from(if has_name { "GMT[-+][0-9]+" } else { "[-+][0-9]+" });
            if let Some(separator) = separator {
                if !separator.is_alphanumeric() {
                    pattern.push('\\');
                }
                pattern.push(separator);
                pattern.push_str("[0-9]+");
            }
            (pattern, Reader::Zone { has_name, separator })
        }
        ('f', Some(_)) => ("[0-9]+".to_owned(), Reader::Fraction),
        (_, Some(format)) => (pattern_of_integer(format)?, Reader::Integer(format)),
        ('P', None) => ("[a-zA-Z]+".to_owned(), Reader::Half),
        ('M' | 'x' | 'F', None) => ("[a-zA-Z]+".to_owned(), Reader::Names(marker)),
        _ => return Err(Fault::new("D3133").text(&component.to_string())),
    };
    Ok((pattern, component, reader))
}

fn pattern_of_integer(format: &Format) -> Result<String, Fault> {
    let is_upper = format.case == Case::Upper;
    Ok(match &format.primary {
        Primary::Letters => if is_upper { "[A-Z]+" } else { "[a-z]+" }.to_owned(),
        Primary::Roman => if is_upper { "[MDCLXVI]+" } else { "[mdclxvi]+" }.to_owned(),
        Primary::Words => format!("(?:{}|and|[\\-, ])+", known_words().join("|")),
        Primary::Decimal(_) => {
            let count = format.parse_width.map_or_else(|| "+".to_owned(), |width| format!("{{{width}}}"));
            format!("[0-9]{count}{}", if format.ordinal { "(?:th|st|nd|rd)" } else { "" })
        }
        Primary::Sequence(token) => return Err(Fault::new("D3130").text(token)),
    })
}

impl Reader<'_> {
    fn read(&self, text: &str) -> Option<f64> {
        match self {
            Reader::None => None,
            Reader::Integer(format) => Some(format.parse(text)),
            Reader::Fraction => {
                let digits = &text[..text.len().min(3)];
                format!("0.{digits}").parse::<f64>().ok().map(|fraction| fraction * 1_000.0)
            }
            Reader::Names(marker) => {
                let names: &[&str] = if marker.component == 'F' { &DAYS } else { &MONTHS };
                let cut = |name: &'static str| match marker.width_max {
                    Some(width) if width > 0 => &name[..width.min(name.len())],
                    _ => name,
                };
                let place = names.iter().rposition(|name| cut(name) == text);
                place.map(|place| place as f64 + 1.0)
            }
            Reader::Half => match text {
                "am" | "AM" => Some(0.0),
                "pm" | "PM" => Some(1.0),
                _ => None,
            },
            Reader::Zone { has_name, separator } => {
                let text = if *has_name { text.get(3..).unwrap_or_default() } else { text };
                let (hours, minutes) = match separator {
                    Some(separator) => text.split_once(*separator).unwrap_or((text, "0")),
                    None if text.len() > 3 => text.split_at(3),
                    None => (text, "0"),
                };
                Some(leading_number(hours) * 60.0 + leading_number(minutes))
            }
        }
    }
}

/// What a text has said of a moment, by component.
#[derive(Default)]
struct Components(Vec<(char, f64)>);

impl Components {
    fn set(&mut self, component: char, number: f64) {
        self.0.retain(|(own, _)| *own != component);
        self.0.push((component, number));
    }

    fn get(&self, component: char) -> Option<f64> {
        self.0.iter().find(|(own, _)| *own == component).map(|(_, number)| *number)
    }

    /// Those of `components` that are there and not zero, the first as the highest bit.
    fn mask(&self, components: &str) -> u32 {
        components.chars().fold(0, |mask, component| {
            let is_there = self.get(component).is_some_and(|number| number != 0.0 && !number.is_nan());
            mask << 1 | u32::from(is_there)
        })
    }

    /// What is missing before the first component that is there is that of now; what is missing behind the last one is
    /// the least; nothing may be missing between. Source: JSONata's `$toMillis`.
    fn millis(mut self, now: &Date) -> Result<Option<f64>, Fault> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let is_of = |mask: u32, kind: u32| mask & !kind == 0 && mask & kind != 0;
        let date = self.mask("YXMxWwdD");
        let is_calendar = is_of(date, 0b1010_0001);
        let is_day_of_year = !is_calendar && is_of(date, 0b1000_0010);
        let is_week_of_month = is_of(date, 0b0101_0100);
        let is_week_of_year = !is_week_of_month && is_of(date, 0b0100_1000);
        let time = self.mask("PHhmsf");
        let has_halves = !is_of(time, 0b01_0111) && is_of(time, 0b10_1111);
        let wanted = match (is_day_of_year, is_week_of_month, is_week_of_year) {
            (true, ..) => "YD",
            (_, true, _) => "XxwF",
            (_, _, true) => "XWF",
            _ => "YMD",
        };
        let of_time = if has_halves { "Phmsf" } else { "Hmsf" };
        let (mut has_begun, mut has_ended) = (false, false);
        for component in wanted.chars().chain(of_time.chars()) {
            if self.get(component).is_some() {
                has_begun = true;
                if has_ended {
                    return Err(Fault::new("D3136"));
                }
            } else if has_begun {
                self.set(component, if "MDd".contains(component) { 1.0 } else { 0.0 });
                has_ended = true;
            } else {
                self.set(component, now.component(component).unwrap_or(f64::NAN));
            }
        }
        if is_week_of_month || is_week_of_year {
            return Err(Fault::new("D3136"));
        }
        let number = |component: char| self.get(component).unwrap_or(f64::NAN);
        let year = number('Y');
        // As JavaScript takes years of two digits.
        let year = if (0.0..=99.0).contains(&year) { 1900.0 + year } else { year };
        let days = match is_day_of_year {
            true => utc(year, 1.0, number('d')),
            false => utc(year, self.get('M').filter(|month| *month > 0.0).unwrap_or(1.0), number('D')),
        };
        let hour = match has_halves {
            true => {
                let hour = if number('h') == 12.0 { 0.0 } else { number('h') };
                if number('P') == 1.0 { hour + 12.0 } else { hour }
            }
            false => number('H'),
        };
        let mut millis = days + ((hour * 60.0 + number('m')) * 60.0 + number('s')) * 1_000.0 + number('f').trunc();
        let zone = self.get('Z').filter(|zone| *zone != 0.0).or_else(|| self.get('z'));
        millis -= zone.unwrap_or_default() * 60_000.0;
        Ok(Some(millis))
    }
}
