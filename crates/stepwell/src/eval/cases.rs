//! `stepwell eval --cases`: a file of test cases of plain JSONata, one JSON object a line.

use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use stepwell_expr::{Value, json, jsonata::suite::Case};

use crate::{
    exit::{BadInput, Exit},
    trace::{BOLD, RED},
    validate,
};

/// Prints the cases that fail, with reasons, and at last how many passed and failed.
pub(super) fn judge(cases: &Path, datasets: Option<&Path>) -> anyhow::Result<Exit> {
    let datasets = match datasets {
        Some(file) => json::parse(&validate::read(file)?)
            .map_err(|error| BadInput(format!("`{}` is not JSON: {error}", file.display())))?,
        None => Value::empty_object(),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now_ms = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
    let (mut passed, mut failed) = (0, 0);
    for (index, line) in validate::read(cases)?.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let (name, judged) = judge_line(line, &datasets, now_ms);
        match judged {
            Ok(()) => passed += 1,
            Err(why) => {
                failed += 1;
                let name = if name.is_empty() { format!("line {}", index + 1) } else { name };
                anstream::println!("{RED}failed{RED:#} {BOLD}{name}{BOLD:#}: {why}");
            }
        }
    }
    anstream::println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 { Exit::Done } else { Exit::Failed })
}

/// The id of the case, where it has one, and how it did.
fn judge_line(line: &str, datasets: &Value, now_ms: i64) -> (String, Result<(), String>) {
    let case = match json::parse(line) {
        Ok(case) => case,
        Err(error) => return (String::new(), Err(format!("the line is not JSON: {error}"))),
    };
    let id = case.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    (id, Case::read(&case, datasets).and_then(|case| case.judge(now_ms)))
}
