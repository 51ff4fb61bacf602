//! JSON as people read it: two blanks for each level, a line for each member; a list of scalars in one line where it fits.

use stepwell_expr::json;

use crate::{
    definition_file::resolve::Resolved,
    limits::{FORMATTED_BYTES_MAX, LINE_CHARS_MAX},
};

/// The formatted text, with a line break at its end; `None` beyond `FORMATTED_BYTES_MAX`.
pub(crate) fn to_json(value: &Resolved) -> Option<String> {
    let mut out = String::new();
    write(&mut out, value, 0);
    out.push('\n');
    (out.len() <= FORMATTED_BYTES_MAX).then_some(out)
}

/// Recurses as deep as the value is nested; writes no more once the text is too long.
fn write(out: &mut String, value: &Resolved, indent: usize) {
    if out.len() > FORMATTED_BYTES_MAX {
        return;
    }
    match value {
        Resolved::Scalar(json) => out.push_str(json),
        Resolved::Array(items) if items.is_empty() => out.push_str("[]"),
        Resolved::Object(members) if members.is_empty() => out.push_str("{}"),
        Resolved::Array(items) => {
            if let Some(line) = in_one_line(items, LINE_CHARS_MAX.saturating_sub(line_chars(out))) {
                out.push_str(&line);
                return;
            }
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                next_line(out, index, indent + 2);
                write(out, item, indent + 2);
            }
            end_line(out, indent);
            out.push(']');
        }
        Resolved::Object(members) => {
            out.push('{');
            for (index, (name, member)) in members.iter().enumerate() {
                next_line(out, index, indent + 2);
                json::write_string(out, name);
                out.push_str(": ");
                write(out, member, indent + 2);
            }
            end_line(out, indent);
            out.push('}');
        }
    }
}

/// `[1, 2]` where all are scalars and `chars_max` is enough, with room for a comma behind it.
fn in_one_line(items: &[Resolved], chars_max: usize) -> Option<String> {
    let mut line = String::from("[");
    let mut chars = 3;
    for (index, item) in items.iter().enumerate() {
        let Resolved::Scalar(json) = item else {
            return None;
        };
        if index > 0 {
            line.push_str(", ");
            chars += 2;
        }
        chars += json.chars().count();
        if chars > chars_max {
            return None;
        }
        line.push_str(json);
    }
    line.push(']');
    Some(line)
}

fn line_chars(out: &str) -> usize {
    let line_from = out.rfind('\n').map_or(0, |at| at + 1);
    out[line_from..].chars().count()
}

fn next_line(out: &mut String, index: usize, indent: usize) {
    if index > 0 {
        out.push(',');
    }
    end_line(out, indent);
}

fn end_line(out: &mut String, indent: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent));
}
