//! Every definition of the conformance corpus: what AWS accepted compiles, what AWS refused is refused with its text.
//!
//! Reads `../shared/conformance/cases` beside the repository; says so and passes where it does not exist.

use std::{fs, path::Path};

use stepwell_expr::{Value, json};
use stepwell_machine::{
    Diagnostic, Severity,
    definition::{MachineType, compile, load},
    diagnostic::invalid_definition,
};

/// A call with a definition, and what was recorded for it where it failed or was asked for diagnostics.
struct Call {
    case: String,
    action: String,
    definition: String,
    machine_type: MachineType,
    fails: bool,
    recorded: Option<Value>,
}

/// Plausible values for the names in double braces.
fn fill(text: &str) -> String {
    let mut pieces = text.split("{{");
    let mut filled = pieces.next().unwrap_or_default().to_string();
    for piece in pieces {
        let value = |name: &str| match name {
            "account" => Some("123456789012"),
            "account2" => Some("210987654321"),
            "region" => Some("us-east-1"),
            _ => (name.starts_with("uid") || name.starts_with("gen")).then_some("abcd1234"),
        };
        match piece.split_once("}}").and_then(|(name, rest)| Some((value(name)?, rest))) {
            Some((value, rest)) => filled.extend([value, rest]),
            None => filled.extend(["{{", piece]),
        }
    }
    filled
}

fn collect(case: &Value, steps: &Value, calls: &mut Vec<Call>) {
    for step in steps.as_array().unwrap_or_default() {
        match step.get("op").and_then(Value::as_str) {
            Some("background") => collect(case, step.get("steps").unwrap(), calls),
            Some("call") => {
                let params = step.get("params").unwrap();
                let Some(definition) = params.get("definition").and_then(Value::as_str) else { continue };
                let action = step.get("action").and_then(Value::as_str).unwrap();
                let express = params.get("type").and_then(Value::as_str) == Some("EXPRESS");
                calls.push(Call {
                    case: case.get("id").and_then(Value::as_str).unwrap().to_string(),
                    action: action.to_string(),
                    definition: fill(definition),
                    machine_type: if express { MachineType::Express } else { MachineType::Standard },
                    fails: step.get("error").and_then(Value::as_bool) == Some(true),
                    recorded: recorded(case, step),
                });
            }
            _ => {}
        }
    }
}

/// What a `match` step compares with the answer of `step`.
fn recorded(case: &Value, step: &Value) -> Option<Value> {
    let label = format!("\"{}\"", step.get("label")?.as_str()?);
    let steps = case.get("steps")?.as_array()?;
    let matching = steps.iter().find(|other| {
        other.get("op").and_then(Value::as_str) == Some("match")
            && other.get("value").is_some_and(|value| value.to_string().contains(&label))
    })?;
    case.get("recorded")?.get(matching.get("key")?.as_str()?).cloned()
}

/// A state alone stands for a machine in which it is called `StateName`, as TestState has it.
fn machine_of(call: &Call) -> (String, bool) {
    let value = json::parse(&call.definition).ok();
    let alone = call.action == "TestState" && value.is_some_and(|value| value.get("States").is_none());
    match alone {
        true => (format!(r#"{{"StartAt":"StateName","States":{{"StateName":{}}}}}"#, call.definition), true),
        false => (call.definition.clone(), false),
    }
}

/// LocalStack's own words, recorded by mistake, and refusals that are not about the definition.
fn is_about_definition(text: &str) -> bool {
    text.contains("Invalid State Machine Definition") && !text.contains("ValueError")
}

#[test]
fn definitions_of_the_corpus_are_judged_as_recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/cases");
    let Ok(entries) = fs::read_dir(&folder) else {
        println!("skipped: there is no {}", folder.display());
        return;
    };
    let mut calls = Vec::new();
    for entry in entries {
        for line in fs::read_to_string(entry.unwrap().path()).unwrap().lines() {
            let case = json::parse(line).unwrap();
            collect(&case, case.get("steps").unwrap(), &mut calls);
        }
    }
    let mut failures = Vec::new();
    for call in &calls {
        let (definition, alone) = machine_of(call);
        let diagnostics = compile(&definition, call.machine_type).diagnostics;
        let errors: Vec<Diagnostic> = diagnostics
            .into_iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Error)
            // A state alone leads to others that are not there.
            .filter(|diagnostic| !(alone && diagnostic.code.as_str().starts_with("MISSING_")))
            .collect();
        let recorded = call.recorded.as_ref().map(Value::to_string).unwrap_or_default();
        if call.action == "ValidateStateMachineDefinition" {
            let expected = call.recorded.as_ref().and_then(|answer| answer.get("diagnostics")).unwrap();
            let found = Value::array(errors.iter().map(wire).collect());
            if found != *expected {
                failures.push(format!("{}: {expected}\nfound {found}", call.case));
            }
        } else if call.fails && is_about_definition(&recorded) {
            let message = Value::string(invalid_definition(&errors)).to_string();
            if !recorded.contains(message.trim_matches('"')) {
                failures.push(format!("{}: {recorded}\nfound {message}", call.case));
            }
        } else if !call.fails && !errors.is_empty() {
            failures.push(format!("{}: accepted\nfound {errors:?}\nin {definition}", call.case));
        } else if errors.is_empty() && !alone && load(&definition, call.machine_type).is_none() {
            failures.push(format!("{}: does not load", call.case));
        }
    }
    println!("{} calls, {} failing, {} validated", calls.len(), calls.iter().filter(|c| c.fails && is_about_definition(&c.recorded.as_ref().map(Value::to_string).unwrap_or_default())).count(), calls.iter().filter(|c| c.action.starts_with("Validate")).count());
    assert!(calls.len() > 500, "the corpus has definitions");
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), calls.len(), failures.join("\n\n"));
}

/// A diagnostic as the API shows it.
fn wire(diagnostic: &Diagnostic) -> Value {
    let mut members = vec![
        ("code", Value::from(diagnostic.code.as_str())),
        ("message", Value::from(diagnostic.message.as_str())),
        ("severity", Value::from("ERROR")),
    ];
    if let Some(location) = &diagnostic.location {
        members.push(("location", Value::from(location.as_str())));
    }
    Value::object(members)
}

/// `variableReferences` of DescribeStateMachine.
#[test]
fn variable_references_are_as_recorded() {
    let file = "../../../shared/conformance/cases/test_sfn_api_variable_references.jsonl";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let Ok(text) = fs::read_to_string(&file) else {
        println!("skipped: there is no {}", file.display());
        return;
    };
    for line in text.lines() {
        let case = json::parse(line).unwrap();
        let answer = case.get("recorded").and_then(|recorded| recorded.get("describe_response")).unwrap();
        let definition = match answer.get("definition").unwrap() {
            Value::String(text) => text.to_string(),
            value => value.to_string(),
        };
        let program = load(&definition, MachineType::Standard).unwrap();
        let found = Value::object(program.variable_references.iter().map(|(state, names)| {
            (state.clone(), Value::array(names.iter().map(|name| Value::String(name.clone())).collect()))
        }));
        let expected = answer.get("variableReferences").cloned().unwrap_or(Value::empty_object());
        assert_eq!(found, expected, "{definition}");
    }
}
