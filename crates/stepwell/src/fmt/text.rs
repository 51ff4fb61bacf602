//! How YAML writes a string: plain where every reader sees a string, else in quotes, or as a block of lines.

use crate::definition_file::{folded_header, tree::TextStyle, word::looks_like_one};

/// Where a string stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Where {
    Key,
    Value,
    /// Key or value, within brackets.
    Flow,
}

/// A string in one line. `quoted`: it was in quotes and stays so.
pub(crate) fn in_one_line(text: &str, quoted: bool, place: Where) -> String {
    if !quoted && is_plain(text, place) {
        return text.to_owned();
    }
    let printable = text.chars().all(is_printable);
    let awkward = text.contains(['"', '\\']);
    match (printable, awkward) {
        (true, false) => format!("\"{text}\""),
        (true, true) => format!("'{}'", text.replace('\'', "''")),
        (false, _) => escaped(text),
    }
}

/// A string as a header (`|-`, `>`) and the lines below it, where it is one of several lines or was written so.
pub(crate) fn in_lines(text: &str, style: &TextStyle) -> Option<(&'static str, Vec<String>)> {
    if let TextStyle::Folded { lines } = style {
        return Some((folded_header(text), lines.clone()));
    }
    if !text.contains('\n') && !matches!(style, TextStyle::Literal) {
        return None;
    }
    let body = text.trim_end_matches('\n');
    let first_is_text = body.starts_with(|char: char| char != ' ' && char != '\t' && char != '\n');
    if !first_is_text || !body.split('\n').all(|line| line.chars().all(|char| char == '\t' || is_printable(char))) {
        return None;
    }
    let mut lines: Vec<String> = body.split('\n').map(str::to_owned).collect();
    let header = match text.len() - body.len() {
        0 => "|-",
        1 => "|",
        breaks => {
            lines.extend(std::iter::repeat_n(String::new(), breaks - 1));
            "|+"
        }
    };
    Some((header, lines))
}

/// Whether `text` needs no quotes. Narrower than YAML, so that it is clear to people and to older readers too.
fn is_plain(text: &str, place: Where) -> bool {
    let first = text.chars().next().is_some_and(|char| char.is_alphanumeric() || "_$/(.".contains(char));
    let last = !text.ends_with([' ', ':']);
    let marks: &[char] = match place {
        Where::Value => &[],
        Where::Key => &[':', '#', '{', '}', '[', ']', ','],
        Where::Flow => &[':', '#', '{', '}', '[', ']', ',', '\'', '"'],
    };
    first
        && last
        && text.chars().all(is_printable)
        && !text.contains(marks)
        && !text.contains(": ")
        && !text.contains(" #")
        && !looks_like_one(text)
}

/// Characters that stand for themselves in all places and versions of YAML; no tab, no line break of any kind.
fn is_printable(char: char) -> bool {
    matches!(char, ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
        || char >= '\u{10000}'
}

/// In double quotes, all else than printable characters escaped.
fn escaped(text: &str) -> String {
    let mut out = String::from("\"");
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if is_printable(char) => out.push(char),
            _ if u32::from(char) <= 0xFFFF => out.push_str(&format!("\\u{:04X}", u32::from(char))),
            _ => out.push_str(&format!("\\U{:08X}", u32::from(char))),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_something_else_is_quoted() {
        let quoted = [
            "",
            "true",
            "no",
            "Null",
            "~",
            "12",
            "1.5",
            "0x1F",
            "1_000",
            "12:30",
            "2024-01-01",
            "-",
            "- a",
            "a: b",
            "a #b",
            "a:",
            " a",
            "a ",
            "{% $x %}",
            "[a]",
            "*a",
            "&a",
            "!a",
            "%a",
            "@a",
            "`a",
            "#a",
            "|",
            ">",
            "? a",
            "'a'",
            "<<",
            "=",
            "...",
            "---",
        ];
        for text in quoted {
            assert_eq!(in_one_line(text, false, Where::Value), format!("\"{text}\""), "{text}");
        }
        let plain =
            ["Pass", "$.a[0]", "States.Format('{}', $.a)", "arn:aws:states:::lambda:invoke", "it's", "é", "a, b"];
        for text in plain {
            assert_eq!(in_one_line(text, false, Where::Value), text);
        }
    }

    #[test]
    fn quotes_are_the_ones_that_need_no_escapes() {
        let cases = [
            ("{% 'a' %}", "\"{% 'a' %}\""),
            ("{% \"a\" %}", "'{% \"a\" %}'"),
            ("\"it's\"", "'\"it''s\"'"),
            ("{\\}", "'{\\}'"),
            ("\u{7}\u{85}\u{1f600}\"", "\"\\u0007\\u0085\u{1f600}\\\"\""),
        ];
        for (text, expected) in cases {
            assert_eq!(in_one_line(text, false, Where::Value), expected);
        }
    }

    #[test]
    fn lines_keep_the_breaks_at_their_end() {
        let lines =
            |text| in_lines(text, &TextStyle::Quoted).map(|(header, lines)| format!("{header} {}", lines.join("/")));
        assert_eq!(lines("{%\n  1\n%}").as_deref(), Some("|- {%/  1/%}"));
        assert_eq!(lines("a\nb\n").as_deref(), Some("| a/b"));
        assert_eq!(lines("a\n\n\n").as_deref(), Some("|+ a//"));
        for text in ["a", " a\nb", "\na", "\n", "a\rb\nc", ""] {
            assert_eq!(lines(text), None, "{text:?}");
        }
    }
}
