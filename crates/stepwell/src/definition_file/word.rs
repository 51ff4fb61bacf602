//! Which plain scalars of YAML are no strings.
//!
//! Reading follows YAML 1.2's core schema. Writing also avoids what YAML 1.1 takes for something else, so that every
//! reader of YAML sees the string that was meant.

/// What a plain scalar says, other than text.
#[derive(Debug, PartialEq)]
pub(crate) enum Word {
    Null,
    Bool(bool),
    /// As JSON writes it.
    Int(String),
    /// As JSON writes it.
    Float(String),
    /// An infinity, or not a number: JSON has neither.
    NotFinite,
}

impl Word {
    /// `None`: it is a string.
    ///
    /// Source: YAML 1.2, section 10.3.2 "Tag Resolution".
    pub(crate) fn of(text: &str) -> Option<Word> {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Some(Word::Null),
            "true" | "True" | "TRUE" => return Some(Word::Bool(true)),
            "false" | "False" | "FALSE" => return Some(Word::Bool(false)),
            ".nan" | ".NaN" | ".NAN" => return Some(Word::NotFinite),
            _ => {}
        }
        let (minus, rest) = match text.strip_prefix('-') {
            Some(rest) => ("-", rest),
            None => ("", text.strip_prefix('+').unwrap_or(text)),
        };
        if matches!(rest, ".inf" | ".Inf" | ".INF") {
            return Some(Word::NotFinite);
        }
        for (prefix, radix) in [("0x", 16), ("0o", 8)] {
            if let Some(digits) = text.strip_prefix(prefix)
                && !digits.is_empty()
                && digits.chars().all(|char| char.is_digit(radix))
            {
                // Beyond 128 bits nothing stays of the number but its text.
                return u128::from_str_radix(digits, radix).ok().map(|int| Word::Int(int.to_string()));
            }
        }
        if all_digits(rest) {
            return Some(Word::Int(format!("{minus}{}", without_zeros(rest))));
        }
        float(minus, rest)
    }

    pub(crate) fn json(self) -> Option<String> {
        match self {
            Word::Null => Some("null".to_owned()),
            Word::Bool(bool) => Some(bool.to_string()),
            Word::Int(json) | Word::Float(json) => Some(json),
            Word::NotFinite => None,
        }
    }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn without_zeros(digits: &str) -> &str {
    let rest = digits.trim_start_matches('0');
    if rest.is_empty() { "0" } else { rest }
}

/// `12.5`, `.5`, `5.`, `1e3`, `.5e-3` without their sign.
fn float(minus: &str, text: &str) -> Option<Word> {
    let (mantissa, exponent) = text.split_at(text.find(['e', 'E']).unwrap_or(text.len()));
    if let Some(digits) = exponent.get(1..)
        && !all_digits(digits.strip_prefix(['+', '-']).unwrap_or(digits))
    {
        return None;
    }
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let whole_fits = all_digits(whole) || (whole.is_empty() && fraction.is_some_and(|digits| !digits.is_empty()));
    let fraction_fits = fraction.is_none_or(|digits| digits.is_empty() || all_digits(digits));
    if !whole_fits || !fraction_fits {
        return None;
    }
    let fraction = match fraction {
        Some("") => ".0".to_owned(),
        Some(digits) => format!(".{digits}"),
        None => String::new(),
    };
    Some(Word::Float(format!("{minus}{}{fraction}{exponent}", without_zeros(whole))))
}

/// True if any YAML reader, of 1.1 or 1.2, may take the plain `text` for a number, date, time, boolean or null.
///
/// Source: YAML 1.1's types `bool`, `int`, `float`, `null`, `timestamp`, taken widely.
pub(crate) fn looks_like_one(text: &str) -> bool {
    let words = ["~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", ".inf", ".nan"];
    if text.is_empty() || words.iter().any(|word| word.eq_ignore_ascii_case(text)) || Word::of(text).is_some() {
        return true;
    }
    text.starts_with(|char: char| char.is_ascii_digit() || matches!(char, '+' | '-' | '.'))
        && text.bytes().all(|byte| byte.is_ascii_hexdigit() || b"xXoO_+-.:TZtz ".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_core_schema() {
        let json = [
            ("~", "null"),
            ("null", "null"),
            ("True", "true"),
            ("FALSE", "false"),
            ("12", "12"),
            ("+12", "12"),
            ("-0012", "-12"),
            ("000", "0"),
            ("0x1F", "31"),
            ("0o17", "15"),
            ("1.50", "1.50"),
            (".5", "0.5"),
            ("-.5e3", "-0.5e3"),
            ("5.", "5.0"),
            ("1E+5", "1E+5"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
        ];
        for (text, expected) in json {
            assert_eq!(Word::of(text).and_then(Word::json).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_yaml_1_1_takes_for_something_else_is_a_string_here_and_written_in_quotes() {
        let texts = ["yes", "No", "on", "OFF", "y", "1_000", "12:30:45", "2024-01-01", "2024-01-01T00:00:00Z", "0b101"];
        for text in texts {
            assert_eq!(Word::of(text), None, "{text}");
            assert!(looks_like_one(text), "{text}");
        }
        for text in ["nope", "x1", "States.ALL", "$.a", "1st", "e5", "abc"] {
            assert!(!looks_like_one(text), "{text}");
        }
    }
}
