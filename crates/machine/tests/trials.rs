//! States on their own, as TestState runs them, from the case files in `tests/trials`.
//!
//! A case is a few lines, then a blank one: `#` begins its title; `@name STATE` names the state of a whole definition;
//! `@retries N`, `@variables JSON`, `@context JSON`, `@reader DATA` (of an `ItemReader`, `\n` between lines) say with what
//! it is tested; a line that begins with `{` is the definition. `< input JSON` begins it, then `< result JSON` or
//! `< failure ERROR CAUSE` ends what it wanted done. What comes out stands in lines with `>`: what the state wants, its
//! end, the stages of its data. With STEPWELL_BLESS set they are written anew: read the difference before it is committed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{collections::BTreeMap, fs, path::Path};

use stepwell_expr::{Payload, Value, json};
use stepwell_machine::{
    ExpressStart, Failure, Identity, Workflow,
    definition::{LoneError, compile_lone},
    root::Root,
    trial::{Begun, Conditions, Ending, Stages, Trial},
};

/// Fewer would mean that cases got lost on the way.
const CASES_MIN: usize = 25;

fn payload(text: &str) -> Payload {
    json::check(text).unwrap();
    Payload::from_checked_text(text)
}

fn answer(case: &[&str]) -> Vec<String> {
    let given = |prefix: &str| case.iter().find_map(|line| line.strip_prefix(prefix)).map(str::trim);
    let definition = case.iter().find(|line| line.starts_with(['{', '[', '"'])).copied().unwrap_or_default();
    let lone = match compile_lone(definition, given("@name "), &|_, _| true) {
        Ok(lone) => lone,
        Err(LoneError::StateNotFound) => return vec!["> no such state".into()],
        Err(LoneError::InvalidDefinition(problems)) => {
            return problems.iter().map(|problem| format!("> {problem}")).collect();
        }
    };
    let variables: BTreeMap<_, _> = given("@variables ").map_or_else(BTreeMap::new, |text| {
        let value = json::parse(text).unwrap();
        let members = value.as_object().unwrap();
        members.iter().map(|(name, value)| (name.clone(), Payload::from_value(value.clone()))).collect()
    });
    let trial = Trial::new(
        lone,
        Conditions {
            identity: Identity {
                arn: "arn:aws:states:us-east-1:123456789012:express:machine:name".into(),
                name: "name".into(),
                state_machine_arn: "arn:aws:states:us-east-1:123456789012:stateMachine:machine".into(),
                state_machine_name: "machine".into(),
                role_arn: "".into(),
                region: "us-east-1".into(),
                id: [7; 16],
                root: Root([1; 32]),
                start_ms: 0,
                input: payload(given("< input ").unwrap_or("{}")),
                workflow: Workflow::Express(ExpressStart::Synchronous),
                child: None,
                qualifier: None,
                test_case: None,
            },
            retries: given("@retries ").map_or(0, |count| count.parse().unwrap()),
            now_ms: 0,
            context: given("@context ").map(|text| json::parse(text).unwrap()),
            variables,
            reader_data: given("@reader ").map(|data| data.replace("\\n", "\n").into()),
            limits: stepwell_machine::limits::Limits::default(),
        },
    );
    let mut out = Vec::new();
    let result = given("< result ").map(|text| Ok(payload(text))).or_else(|| {
        let (error, cause) = given("< failure ")?.split_once(' ').unwrap();
        Some(Err(Failure::new(error, cause)))
    });
    let ending = match trial.begin() {
        Begun::Ended(ending) => Some(ending),
        Begun::Waits { until_ms } => {
            out.push(format!("> waits until {until_ms}"));
            Some(trial.wait_is_over())
        }
        Begun::Task { request, timeout_seconds } => {
            let input = request.map_or_else(|| "of an activity".into(), |request| request.input.text().to_string());
            out.push(format!("> task {input} timeout {timeout_seconds:?}"));
            None
        }
        Begun::Branches { count } => {
            out.push(format!("> branches {count}"));
            None
        }
        Begun::Iterations { length } => {
            out.push(format!("> iterations {length:?}"));
            None
        }
    };
    let ending = ending.or_else(|| Some(trial.conclude(result?)));
    out.extend(ending.as_ref().map(show));
    out.extend(stages(&trial.stages()));
    out
}

fn show(ending: &Ending) -> String {
    let failed = |failure: &Failure| {
        format!("{}: {}", failure.error.as_deref().unwrap_or("-"), failure.cause.as_deref().unwrap_or("-"))
    };
    match ending {
        Ending::Succeeded { output, next } => {
            format!(
                "> SUCCEEDED {}{}",
                output.text(),
                next.as_ref().map_or(String::new(), |next| format!(" next {next}"))
            )
        }
        Ending::Retriable { failure } => format!("> RETRIABLE {}", failed(failure)),
        Ending::Caught { failure, output, next } => {
            format!("> CAUGHT_ERROR {} output {} next {next}", failed(failure), output.text())
        }
        Ending::Failed { failure } => format!("> FAILED {}", failed(failure)),
    }
}

fn stages(stages: &Stages) -> Vec<String> {
    let texts = [
        ("afterInputPath", &stages.after_input_path),
        ("afterParameters", &stages.after_parameters),
        ("afterArguments", &stages.after_arguments),
        ("afterItemsPath", &stages.after_items_path),
        ("afterItemsPointer", &stages.after_items_pointer),
        ("afterItemSelector", &stages.after_item_selector),
        ("afterItemBatcher", &stages.after_item_batcher),
        ("result", &stages.result),
        ("afterResultSelector", &stages.after_result_selector),
        ("afterResultPath", &stages.after_result_path),
    ];
    let mut out: Vec<String> =
        texts.into_iter().filter_map(|(name, stage)| Some(format!(">   {name} {}", stage.as_ref()?.text()))).collect();
    if !stages.variables.is_empty() {
        let members = stages.variables.iter().map(|(name, value)| (name.clone(), value.value().clone()));
        out.push(format!(">   variables {}", Value::object(members)));
    }
    let bounds = (stages.max_concurrency, stages.tolerated_failure_count, stages.tolerated_failure_percentage);
    if bounds != (None, None, None) {
        out.push(format!(">   bounds {bounds:?}"));
    }
    out.extend(stages.handler.map(|handler| format!(">   {handler:?}")));
    out
}

#[test]
fn cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trials");
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let (mut count, mut wrong) = (0, Vec::new());
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let mut blessed = Vec::new();
        for case in text.split("\n\n") {
            let (expected, head): (Vec<&str>, Vec<&str>) = case.lines().partition(|line| line.starts_with('>'));
            if !head.iter().any(|line| line.starts_with(['{', '[', '"'])) {
                blessed.push(case.trim_end().to_owned());
                continue;
            }
            count += 1;
            let found = answer(&head);
            if found != expected {
                wrong.push(format!(
                    "{}\nexpected\n{}\nfound\n{}",
                    head.join("\n"),
                    expected.join("\n"),
                    found.join("\n")
                ));
            }
            blessed.push(head.into_iter().map(str::to_owned).chain(found).collect::<Vec<_>>().join("\n"));
        }
        if std::env::var_os("STEPWELL_BLESS").is_some() {
            fs::write(&path, format!("{}\n", blessed.join("\n\n"))).unwrap();
        }
    }
    assert!(count >= CASES_MIN, "only {count} cases");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
