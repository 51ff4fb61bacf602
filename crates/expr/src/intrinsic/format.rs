//! `States.Format`.

use crate::{Value, intrinsic::function::Refusal, limits::RESULT_BYTES_MAX};

/// The template with its `{}` replaced by the values, in order.
///
/// `written`: the template as it was written, where it is a literal. There a backslash stands before `'`, `{`, `}`, `\`;
/// in a template that is data only before braces. Another value than a text is a template of its text (seen on AWS).
pub(super) fn format(first: &Value, written: Option<&str>, values: &[Value]) -> Result<Value, Refusal> {
    let data;
    let template = match written {
        Some(written) => written,
        None => {
            data = text_of(first)?;
            &data
        }
    };
    let mut out = String::new();
    let mut values = values.iter();
    let mut chars = template.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next_if(|next| matches!(next, '{' | '}') || written.is_some()) {
                Some(escaped) => out.push(escaped),
                None => out.push('\\'),
            },
            '{' if chars.next_if_eq(&'}').is_some() => {
                let value = values.next().ok_or_else(wrong_count)?;
                out.push_str(&text_of(value)?);
                if out.len() > RESULT_BYTES_MAX {
                    return Err(too_large());
                }
            }
            '{' => return Err(unmatched('}', '{')),
            '}' => return Err(unmatched('{', '}')),
            _ => out.push(char),
        }
    }
    if values.next().is_some() {
        return Err(wrong_count());
    }
    Ok(Value::from(out))
}

fn text_of(value: &Value) -> Result<String, Refusal> {
    if value.is_larger_than(RESULT_BYTES_MAX) { Err(too_large()) } else { Ok(value.to_java_text()) }
}

fn too_large() -> Refusal {
    Refusal::Because("The result is too large".to_string())
}

fn wrong_count() -> Refusal {
    Refusal::Because(
        "Invalid arguments in States.Format: number of arguments do not match the occurrences of {}.".to_string(),
    )
}

fn unmatched(wanted: char, found: char) -> Refusal {
    Refusal::Because(format!("Invalid template in States.Format: matching '{wanted}' not found for '{found}'."))
}
