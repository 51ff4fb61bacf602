//! The official test cases of JSONata, both without and with a meter.
//!
//! The cases lie beside the repository (`../shared/conformance/jsonata`); where they do not exist the test says so
//! and passes. `jsonata_known_failures.txt` lists the cases that are known to fail, with the reason: a case that
//! fails and is not there is a regression, one that is there and passes must be taken out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use stepwell_expr::json;
use stepwell_expr::jsonata::suite::Case;

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
        let case = Case::read(&case, &datasets).unwrap();
        match case.judge(NOW_MS) {
            Ok(()) => passed += 1,
            Err(why) => {
                failures.insert(case.id.to_owned(), why);
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
