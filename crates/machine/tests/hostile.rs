//! No text panics the compiler, and its work is bounded.

use std::{fs, path::Path, sync::Arc};

use stepwell_expr::{Value, json};
use stepwell_machine::{
    Severity,
    definition::{MachineType, compile, load},
    limits::{DEFINITION_BYTES_MAX, DIAGNOSTICS_MAX, PLACE_BYTES_MAX, SCOPE_DEPTH_MAX},
};

/// Compiles and loads; there is a program exactly if there is no error.
fn judge(text: &str, machine_type: MachineType) -> Vec<String> {
    let compiled = compile(text, machine_type);
    let fails = compiled.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    assert_ne!(compiled.program.is_some(), fails, "{text}");
    assert!(fails || load(text, machine_type).is_some(), "what compiles loads: {text}");
    compiled.diagnostics.iter().map(ToString::to_string).collect()
}

/// The definitions of the case files.
fn samples() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/definitions");
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("the case files").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    let texts = files.iter().map(|file| fs::read_to_string(file).expect("text"));
    texts
        .flat_map(|text| text.lines().filter(|line| line.starts_with('{')).map(String::from).collect::<Vec<_>>())
        .collect()
}

/// Calls `each` with `value` where one node is replaced or one member is gone; `turn` chooses by what.
fn mutations(value: &Value, turn: &mut usize, each: &mut dyn FnMut(Value)) {
    *turn += 1;
    let replacements = [
        Value::Null,
        Value::Bool(true),
        Value::from(-1),
        Value::from(""),
        Value::from("{% $states.result + $x %}"),
        Value::from("$.a[?(@.b)]"),
        Value::from("States.Format('{}', $v)"),
        Value::array(Vec::new()),
        Value::array(vec![Value::empty_object(), Value::from("x")]),
        Value::empty_object(),
        json::parse("1e400").expect("a number"),
    ];
    each(replacements[*turn % replacements.len()].clone());
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                mutations(item, turn, &mut |changed| {
                    let mut items = Vec::clone(items);
                    items[index] = changed;
                    each(Value::array(items));
                });
            }
        }
        Value::Object(members) => {
            for (key, member) in members.iter() {
                let mut fewer = members.as_ref().clone();
                fewer.shift_remove(key);
                each(Value::Object(Arc::new(fewer)));
                mutations(member, turn, &mut |changed| {
                    let mut members = members.as_ref().clone();
                    members.insert(key.clone(), changed);
                    each(Value::Object(Arc::new(members)));
                });
            }
        }
        _ => {}
    }
}

#[test]
fn mutated_definitions_do_not_panic() {
    let mut turn = 0;
    for sample in samples() {
        let Ok(value) = json::parse(&sample) else { continue };
        mutations(&value, &mut turn, &mut |changed| {
            judge(&changed.to_string(), MachineType::Standard);
        });
        judge(&sample, MachineType::Express);
    }
}

#[test]
fn definitions_that_break_off_do_not_panic() {
    for sample in samples() {
        for end in (0..sample.len()).step_by(13).filter(|end| sample.is_char_boundary(*end)) {
            assert!(!judge(&sample[..end], MachineType::Standard).is_empty());
        }
    }
}

#[test]
fn what_is_no_object_is_said_to_be_none() {
    let message = ["SCHEMA_VALIDATION_FAILED: Definition must be a valid JSON object at null"];
    for text in ["", " ", "\n\t", "5", "[]", "\"x\"", "null"] {
        assert_eq!(judge(text, MachineType::Standard), message, "{text:?}");
    }
    assert_eq!(judge(&format!("{{}}{}", " ".repeat(DEFINITION_BYTES_MAX)), MachineType::Standard), message);
}

#[test]
fn nesting_of_scopes_is_bounded() {
    let nested = |depth: usize| {
        let mut text = r#"{"StartAt":"S","States":{"S":{"Type":"Succeed"}}}"#.to_string();
        for level in 0..depth {
            text = format!(
                r#"{{"StartAt":"P{level}","States":{{"P{level}":{{"Type":"Parallel","Branches":[{text}],"End":true}}}}}}"#
            );
        }
        text
    };
    assert_eq!(judge(&nested(SCOPE_DEPTH_MAX), MachineType::Standard), [""; 0]);
    let found = judge(&nested(SCOPE_DEPTH_MAX + 1), MachineType::Standard);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("TOO_DEEPLY_NESTED: The states are too deeply nested. at /States/P32/"), "{found:?}");
}

/// A long name with many places below it: every place would repeat the name.
#[test]
fn problems_and_places_are_bounded() {
    let key = "k".repeat(400_000);
    let items = vec!["\"{% $x\""; 20_000].join(",");
    let text = format!(
        r#"{{"QueryLanguage":"JSONata","StartAt":"A","States":{{"A":{{"Type":"Pass","Output":{{"{key}":[{items}]}},"End":true}}}}}}"#
    );
    let found = judge(&text, MachineType::Standard);
    assert_eq!(found.len(), DIAGNOSTICS_MAX);
    assert!(found.iter().all(|problem| problem.len() < 4 * PLACE_BYTES_MAX));

    let items = vec!["\"{% $x %}\""; 2_000].join(",");
    let text = format!(
        r#"{{"QueryLanguage":"JSONata","StartAt":"A","States":{{"A":{{"Type":"Pass","Output":{{"{key}":[{items}]}},"End":true}}}}}}"#
    );
    assert_eq!(judge(&text, MachineType::Standard), [""; 0]);
}

/// As deep as JSON may be: in templates, conditions and literals.
#[test]
fn deep_values_fit_the_stack() {
    for (open, close) in [(r#"{"a":"#, "}"), ("[", "]")] {
        for (language, field, leaf) in [
            ("JSONPath", "Parameters", r#"{"x.$":"$.x"}"#),
            ("JSONPath", "Result", r#"{"x.$":"$.x"}"#),
            ("JSONata", "Output", r#""{% 1 %}""#),
        ] {
            let value = format!("{}{leaf}{}", open.repeat(245), close.repeat(245));
            let text = format!(
                r#"{{"QueryLanguage":"{language}","StartAt":"A","States":{{"A":{{"Type":"Pass","{field}":{value},"End":true}}}}}}"#
            );
            let errors = judge(&text, MachineType::Standard);
            assert!(errors.iter().all(|problem| problem.starts_with("PASS_RESULT_IS_STATIC")), "{errors:?}");
        }
    }
    let condition = format!(r#"{}{{"Variable":"$.x","IsNull":true}}{}"#, r#"{"Not":"#.repeat(240), "}".repeat(240));
    let text = format!(
        r#"{{"StartAt":"C","States":{{"C":{{"Type":"Choice","Choices":[{{"And":[{condition}],"Next":"S"}}]}},"S":{{"Type":"Succeed"}}}}}}"#
    );
    assert_eq!(judge(&text, MachineType::Standard), [""; 0]);
}
