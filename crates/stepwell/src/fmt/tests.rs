//! The cases of tests/fmt, and what must hold for any text and any value.
//!
//! A case is an input and what becomes of it, each under a line `===== WHAT`: `input json` or `input yaml`; then `json`,
//! `json without comments` and `yaml`, or instead of a text `refused json: 3:5: sentence`.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use stepwell_expr::{Value, json as expr_json};

use super::formatted;
use crate::definition_file::{
    Source,
    tree::{Format, Refusal},
};

fn source(format: Format, text: &str) -> Source {
    Source { path: PathBuf::from("-"), format, text: text.to_owned() }
}

/// Formats, and holds that formatting again changes nothing.
fn stable(format: Format, text: &str, to: Format, drop_comments: bool) -> Result<String, Refusal> {
    let once = formatted(&source(format, text), to, drop_comments)?;
    let twice = formatted(&source(to, &once), to, drop_comments);
    assert_eq!(twice.as_ref(), Ok(&once), "formatting it again changes it; the input was\n{text}");
    Ok(once)
}

fn format_of(name: &str) -> Format {
    if name.ends_with("json") { Format::Json } else { Format::Yaml }
}

/// What a case's input becomes, in the words of the case.
fn outcome(format: Format, input: &str, what: &str) -> String {
    let drop_comments = what == "json without comments";
    let to = format_of(what.trim_end_matches(" without comments"));
    match stable(format, input, to, drop_comments) {
        Ok(text) => text,
        Err(refusal) => {
            let place = refusal.at.map(|at| format!("{at}: ")).unwrap_or_default();
            format!("refused: {place}{refusal}\n")
        }
    }
}

#[test]
fn cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fmt");
    let mut failed = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the cases are there") {
        let path = entry.expect("the cases can be listed").path();
        let text = std::fs::read_to_string(&path).expect("a case can be read");
        let mut parts = text.split("===== ").skip(1).map(|part| part.split_once('\n').expect("a line and a text"));
        let (input_format, input) = parts.next().expect("a case begins with its input");
        let mut again = format!("===== {input_format}\n{input}");
        for (what, _) in parts {
            again.push_str(&format!("===== {what}\n{}", outcome(format_of(input_format), input, what)));
            count += 1;
        }
        if again != text {
            eprintln!("--- {} gives\n{again}", path.display());
            failed.push(path);
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
    assert!(count > 20, "only {count} outcomes were compared");
}

#[test]
fn the_samples_are_formatted_and_survive_yaml() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples");
    let mut count = 0;
    for entry in std::fs::read_dir(samples).expect("the samples are there") {
        let folder = entry.expect("the samples can be listed").path();
        let Some(name) = folder.file_name().and_then(|name| name.to_str()) else { continue };
        let Ok(text) = std::fs::read_to_string(folder.join(format!("{name}.asl.json"))) else { continue };
        let yaml = stable(Format::Json, &text, Format::Yaml, false).expect("a sample is a definition");
        assert_eq!(stable(Format::Yaml, &yaml, Format::Json, false).as_ref(), Ok(&text), "{name}");
        count += 1;
    }
    assert_eq!(count, 7, "one of the samples was not found");
}

/// Strings that are hard on YAML: words, numbers, dates, marks, breaks, characters that must be escaped.
fn strings() -> impl Strategy<Value = String> {
    let hard = [
        "",
        " ",
        "~",
        "null",
        "yes",
        "1",
        "0x1",
        "1_0",
        "2024-01-01",
        "12:30",
        "-",
        "- a",
        "a: b",
        "a #b",
        "#",
        "? a",
        "a:",
        "<<",
        "=",
        "*a",
        "&a",
        "!a",
        "{% $x %}",
        "{%\n  $x\n%}",
        "\n",
        "\n\n",
        "a\n",
        "a\n\n",
        " a\nb",
        "a \nb ",
        "\ta\nb",
        "a\n\tb",
        "a\r\nb",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "\u{0}",
        "\u{7f}",
        "\u{1f600}",
        "'",
        "\"",
        "'\"",
        "\\",
        "\\n",
        "---",
        "...",
        "--- a\n--- b",
        "a\n---\nb",
        "%a",
        "@a",
        "`",
        "|",
        ">",
        "[",
        "]",
        "{",
        "}",
        ",",
        "e5",
        ".5",
        "+1",
        ".inf",
        ".NaN",
        "y",
        "True",
    ];
    prop_oneof![
        3 => proptest::sample::select(hard.to_vec()).prop_map(str::to_owned),
        1 => "[a-z $.:#'\"{}%\\[\\],\\-\n\t]{0,12}",
        1 => any::<String>(),
        1 => (proptest::sample::select(vec!["a", "é", "a b ", "{% 'x' %} "]), 0..400_usize).prop_map(|(text, count)| text.repeat(count)),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let number = prop_oneof!["-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?"];
    let scalar = prop_oneof![
        4 => strings().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
        2 => number.prop_map(|text| Value::Number(expr_json::number_from_text(&text))),
    ];
    scalar.prop_recursive(6, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::array),
            proptest::collection::vec((strings(), inner), 0..5).prop_map(Value::object),
        ]
    })
}

/// YAML that a person may have written: comments, blank lines, anchors, all styles, good indents and bad.
fn yaml_texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => proptest::sample::select(vec![
            "a: ", "b:", "c: 1", "\"q\": 'x'", "- ", "- x", "? k", ": v", "<<: *x", "d: &x {m: 1}", "e: *x", "f: [1, 2]",
            "g: {h: [i, 'j'], k: }", "l: |", "m: >-", "n: |+", "o: \"p\\nq\"", "r: [ # c", "s, t ]", "{u: # c", "}", "text",
            "more text", "---", "...", "!!str 1", "v: !!int 5", "w: ~", "x: yes",
        ]).prop_map(str::to_owned),
        2 => strings(),
    ];
    let comment = proptest::sample::select(vec!["", "", "", " # right", "# odd", " #"]);
    let line = (0..5_usize, piece, comment)
        .prop_map(|(indent, piece, comment)| format!("{}{piece}{comment}\n", "  ".repeat(indent)));
    let other = prop_oneof![8 => line, 1 => Just("\n".to_owned()), 1 => (0..4_usize).prop_map(|indent| format!("{}# own\n", " ".repeat(indent)))];
    proptest::collection::vec(other, 0..14).prop_map(|lines| lines.concat())
}

/// A value as YAML with comments and blank lines between and behind its lines.
fn commented(value: &Value, places: &[u8]) -> String {
    let yaml =
        formatted(&source(Format::Json, &expr_json::to_text(value)), Format::Yaml, false).expect("any value is YAML");
    let mut text = String::new();
    for (index, line) in yaml.lines().enumerate() {
        let place = places.get(index % places.len().max(1)).copied().unwrap_or(0);
        let indent = line.len() - line.trim_start().len();
        match place % 8 {
            1 => text.push_str(&format!("{}# above {index}\n{line}\n", " ".repeat(indent))),
            2 => text.push_str(&format!("{line} # behind {index}\n")),
            3 => text.push_str(&format!("\n{line}\n")),
            4 => text.push_str(&format!("{line}\n{}# below {index}\n\n", " ".repeat(indent + 2))),
            5 => text.push_str(&format!("# left {index}\n{line}\n")),
            _ => text.push_str(&format!("{line}\n")),
        }
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_value_stays_what_it_is_in_either_form(value in values()) {
        let text = expr_json::to_text(&value);
        let json = stable(Format::Json, &text, Format::Json, false).expect("JSON is formatted");
        prop_assert_eq!(expr_json::to_text(&expr_json::parse(&json).expect("it stays JSON")), text.clone());
        let yaml = stable(Format::Json, &text, Format::Yaml, false).expect("JSON becomes YAML");
        let back = stable(Format::Yaml, &yaml, Format::Json, false).expect("YAML becomes JSON");
        prop_assert_eq!(expr_json::to_text(&expr_json::parse(&back).expect("it is JSON again")), text);
    }

    /// `formatted` itself compares values and comments; its word for a difference is a bug.
    #[test]
    fn no_text_panics_or_changes(text in yaml_texts()) {
        for to in [Format::Yaml, Format::Json] {
            if let Err(refusal) = stable(Format::Yaml, &text, to, true) {
                prop_assert!(!refusal.message.contains("bug"), "{}\n{}", refusal, text);
            }
        }
    }

    #[test]
    fn no_odd_text_panics(text in any::<String>()) {
        for format in [Format::Yaml, Format::Json] {
            if let Err(refusal) = stable(format, &text, Format::Yaml, true) {
                prop_assert!(!refusal.message.contains("bug"), "{}\n{}", refusal, text);
            }
        }
    }

    #[test]
    fn comments_stay(value in values(), places in proptest::collection::vec(any::<u8>(), 1..20)) {
        let text = commented(&value, &places);
        if let Err(refusal) = stable(Format::Yaml, &text, Format::Yaml, false) {
            prop_assert!(!refusal.message.contains("bug"), "{}\n{}", refusal, text);
        }
    }
}
