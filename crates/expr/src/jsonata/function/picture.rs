//! Pictures of dates and times: `[Y0001]-[M01]-[D01]`.
//!
//! Source: XPath Functions and Operators 3.1, 9.8.4, as far as JSONata has it.

use super::super::fault::Fault;
use super::integer::{Case, Format, leading_number};

#[derive(Debug)]
pub(super) enum Part {
    Literal(String),
    Marker(Marker),
}

/// One component of a date or time, and how it is written.
#[derive(Debug)]
pub(super) struct Marker {
    pub(super) component: char,
    /// As a name, in that case.
    pub(super) names: Option<Case>,
    pub(super) integer: Option<Format>,
    /// `t`: nothing but `Z` for no offset.
    pub(super) is_traditional: bool,
    pub(super) width_max: Option<usize>,
    /// Digits of a year that are shown.
    pub(super) year_digits: Option<usize>,
}

const NUMBERS: &str = "YMDdFWwXxHhmsf";

/// How a component is written that does not say.
fn default_presentation(component: char) -> Option<&'static str> {
    Some(match component {
        'Y' | 'M' | 'D' | 'd' | 'W' | 'w' | 'X' | 'x' | 'H' | 'h' | 'f' => "1",
        'F' | 'P' | 'C' | 'E' => "n",
        'm' | 's' => "01",
        'Z' | 'z' => "01:01",
        _ => return None,
    })
}

pub(super) fn parts(picture: &str) -> Result<Vec<Part>, Fault> {
    let mut parts = Vec::new();
    let literal = |parts: &mut Vec<Part>, text: &str| {
        if !text.is_empty() {
            parts.push(Part::Literal(text.replace("]]", "]")));
        }
    };
    let mut rest = picture;
    while let Some(open) = rest.find('[') {
        literal(&mut parts, &rest[..open]);
        rest = &rest[open + 1..];
        if let Some(behind) = rest.strip_prefix('[') {
            parts.push(Part::Literal("[".to_owned()));
            rest = behind;
            continue;
        }
        let Some(close) = rest.find(']') else {
            return Err(Fault::new("D3135"));
        };
        let marker: String = rest[..close].chars().filter(|char| !char.is_whitespace()).collect();
        let marker = Marker::of(&marker)?;
        // Where one number follows the other, the first must say how long it is.
        if marker.integer.is_some()
            && let Some(Part::Marker(Marker { integer: Some(before), .. })) = parts.last_mut()
        {
            before.parse_width = before.decimal_mut().map(|decimal| decimal.mandatory);
        }
        parts.push(Part::Marker(marker));
        rest = &rest[close + 1..];
    }
    literal(&mut parts, rest);
    Ok(parts)
}

impl Marker {
    /// `text`: what stands in the brackets, without blanks.
    fn of(text: &str) -> Result<Marker, Fault> {
        let component = text.chars().next();
        let rest = component.map_or("", |component| &text[component.len_utf8()..]);
        let (presentation, width) = match rest.rsplit_once(',') {
            Some((presentation, width)) => (presentation, Some(width)),
            None => (rest, None),
        };
        let (width_min, width_max) = width.map_or((None, None), widths);
        let mut second = None;
        let mut first = presentation;
        if presentation.chars().nth(1).is_some()
            && let Some(last) = presentation.chars().next_back().filter(|last| "atco".contains(*last))
        {
            second = Some(last);
            first = &presentation[..presentation.len() - 1];
        }
        let shown = component.map(String::from).unwrap_or_default();
        let unknown = || Fault::new("D3132").text(&shown);
        let component = component.ok_or_else(unknown)?;
        if first.is_empty() {
            first = default_presentation(component).ok_or_else(unknown)?;
        }
        let mut marker = Marker {
            component,
            names: None,
            integer: None,
            is_traditional: second == Some('t'),
            width_max,
            year_digits: None,
        };
        if first.starts_with('n') {
            marker.names = Some(Case::Lower);
        } else if let Some(rest) = first.strip_prefix('N') {
            marker.names = Some(if rest.starts_with('n') { Case::Title } else { Case::Upper });
        } else if NUMBERS.contains(component) {
            let pattern = second.map_or_else(|| first.to_owned(), |second| format!("{first};{second}"));
            let mut format = Format::of(&pattern)?;
            if let Some(decimal) = format.decimal_mut() {
                decimal.mandatory = decimal.mandatory.max(width_min.unwrap_or_default());
            }
            if component == 'Y' {
                marker.year_digits = width_max;
                match (width_max, format.decimal_mut()) {
                    (Some(max), Some(decimal)) => decimal.mandatory = max,
                    (None, Some(decimal)) => {
                        let digits = decimal.mandatory + decimal.optional;
                        marker.year_digits = (digits >= 2).then_some(digits);
                    }
                    _ => {}
                }
            }
            marker.integer = Some(format);
        }
        if matches!(component, 'Z' | 'z') {
            marker.integer = Some(Format::of(first)?);
        }
        Ok(marker)
    }
}

/// Least and most, of `min-max`, where `*` says neither.
fn widths(width: &str) -> (Option<usize>, Option<usize>) {
    let (min, max) = match width.split_once('-') {
        Some((min, max)) => (min, Some(max)),
        None => (width, None),
    };
    let number =
        |text: &str| Some(leading_number(text)).filter(|number| number.is_finite()).map(|number| number as usize);
    (number(min), max.and_then(number))
}
