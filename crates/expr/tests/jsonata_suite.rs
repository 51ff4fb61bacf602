//! The official test cases of JSONata, both without and with a meter.
//!
//! The cases lie beside the repository (`../shared/conformance/jsonata`); where they do not exist the test says so
//! and passes. `jsonata_known_failures.txt` lists the cases that are known to fail, with the reason: a case that
//! fails and is not there is a regression, one that is there and passes must be taken out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use stepwell_expr::jsonata::EvaluationError;
use stepwell_expr::jsonata::suite::{self, Outcomes};
use stepwell_expr::{Value, json};

/// Fuel for a second, as AWS gives an expression.
const FUEL: u64 = 1_000_000;
const NOW_MS: i64 = 1_700_000_000_000;
/// Fewer would mean that cases got lost on the way.
const PASSES_MIN: usize = 1_060;

#[test]
fn official_cases() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/jsonata");
    let (Ok(cases), Ok(datasets)) =
        (std::fs::read_to_string(folder.join("cases.jsonl")), std::fs::read_to_string(folder.join("datasets.json")))
    else {
        println!("skipped: no official test cases at {}", folder.display());
        return;
    };
    let datasets = json::parse(&datasets).unwrap();
    let known: BTreeSet<&str> = include_str!("jsonata_known_failures.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("# "))
        .map(|line| line.split("  ").next().unwrap_or(line))
        .collect();

    let mut passed = 0;
    let mut failures = BTreeMap::new();
    for line in cases.lines() {
        let case = json::parse(line).unwrap();
        let id = case.get("id").and_then(Value::as_str).unwrap().to_owned();
        match judge(&case, &datasets) {
            Ok(()) => passed += 1,
            Err(why) => {
                failures.insert(id, why);
            }
        }
    }
    println!("{passed} passed, {} failed", failures.len());
    let regressions: Vec<_> = failures.iter().filter(|(id, _)| !known.contains(id.as_str())).collect();
    let repaired: Vec<_> = known.iter().filter(|id| !failures.contains_key(**id)).collect();
    assert!(regressions.is_empty(), "cases that should pass: {regressions:#?}");
    assert!(repaired.is_empty(), "cases that pass now and should leave the list: {repaired:?}");
    assert!(passed >= PASSES_MIN, "only {passed} cases passed");
}

fn judge(case: &Value, datasets: &Value) -> Result<(), String> {
    let text = |name: &str| case.get(name).and_then(Value::as_str);
    let expression = text("expr").expect("a case has an expression");
    let document = match text("dataset") {
        Some(name) => Some(datasets.get(name).expect("a data set of that name")),
        None => case.get("data"),
    };
    let variables: Vec<(String, Value)> = case
        .get("bindings")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.to_string(), value.clone()))
        .collect();
    let outcomes = suite::evaluate(expression, document, &variables, NOW_MS, FUEL);
    let outcomes = match outcomes {
        Ok(outcomes) => outcomes,
        Err(refused) => {
            return match (&refused.code, expected_code(case)) {
                (Some(code), Some(expected)) if code == expected => Ok(()),
                // What AWS's 2.0.6 refuses and 2.2 takes.
                (Some(code), _) if is_marked(case, "newer-than-2.0.6") && code == "S0211" => Ok(()),
                _ => Err(format!("refused: {refused} ({:?})", refused.code)),
            };
        }
    };
    let Outcomes { quick, metered } = outcomes;
    if quick != Err(EvaluationError::OutOfFuel(stepwell_expr::OutOfFuel)) && quick != metered {
        return Err(format!("without a meter {quick:?}, with one {metered:?}"));
    }
    match metered {
        Ok(value) => match (&value, case.get("result"), case.get("undefinedResult")) {
            (Some(value), Some(expected), _) if value == expected => Ok(()),
            (None, _, Some(_)) => Ok(()),
            _ => Err(format!("gave {value:?}")),
        },
        Err(error) => match (code(&error), expected_code(case)) {
            (Some(code), Some(expected)) if code == expected => Ok(()),
            (Some("T1006"), _) if is_marked(case, "aws-no-eval") => Ok(()),
            // A bound of ours in place of one that the official runner imposes.
            (None, Some("U1001" | "D1011" | "D1012")) => Ok(()),
            (code, _) => Err(format!("threw {code:?}: {error}")),
        },
    }
}

fn is_marked(case: &Value, mark: &str) -> bool {
    case.get("marks")
        .and_then(Value::as_array)
        .is_some_and(|marks| marks.iter().any(|found| found.as_str() == Some(mark)))
}

fn expected_code(case: &Value) -> Option<&str> {
    case.get("code").or_else(|| case.get("error")?.get("code")).and_then(Value::as_str)
}

/// JSONata's code; none for a bound.
fn code(error: &EvaluationError) -> Option<&str> {
    match error {
        EvaluationError::Thrown(text) => text.split(':').next(),
        _ => None,
    }
}
