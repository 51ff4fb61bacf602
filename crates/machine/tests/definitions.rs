//! Definitions and what AWS says about them, from the case files in `tests/definitions`.
//!
//! A case: lines that begin with `#` (its title), a definition (one line or more; `@express` before it makes it an
//! Express machine), then one line for each expected diagnostic, in order: `> CODE: message at location`, a warning
//! with `> warning CODE: ...`. Cases are separated by a blank line; one without diagnostics compiles.
//!
//! Sentences called *recorded* are in the conformance corpus; those called *measured* were published by people who
//! asked AWS's validation; the others are the language's rules in our words or in the form of AWS's.

use std::{fs, path::Path};

use stepwell_machine::{
    Severity,
    definition::{Compiled, MachineType, compile, load},
};

fn check(case: &str, failures: &mut Vec<String>) {
    let lines = || case.lines().map(str::trim_end);
    let definition: Vec<&str> = lines().filter(|line| !line.starts_with(['#', '>', '@'])).collect();
    let expected: Vec<&str> = lines().filter_map(|line| line.strip_prefix("> ")).collect();
    let machine_type = match lines().any(|line| line == "@express") {
        true => MachineType::Express,
        false => MachineType::Standard,
    };
    let Compiled { program, diagnostics } = compile(&definition.join("\n"), machine_type);
    let found: Vec<String> = diagnostics
        .iter()
        .map(|diagnostic| match diagnostic.severity {
            Severity::Error => diagnostic.to_string().trim_end().replace('\n', "\\n"),
            Severity::Warning => format!("warning {diagnostic}"),
        })
        .collect();
    let fails = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    if found != expected || program.is_some() == fails {
        failures.push(format!("{case}\nbut found ({}):\n{}\n", program.is_some(), found.join("\n")));
    }
    if !fails {
        assert!(load(&definition.join("\n"), machine_type).is_some(), "what compiles also loads: {case}");
    }
}

#[test]
fn definitions_are_judged_as_by_aws() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/definitions");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut failures = Vec::new();
    let mut count = 0;
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for case in text.split("\n\n").map(str::trim).filter(|case| case.lines().any(|line| line.starts_with('{'))) {
            check(case, &mut failures);
            count += 1;
        }
    }
    assert!(count > 0, "there are cases");
    assert!(failures.is_empty(), "{} of {count} cases:\n\n{}", failures.len(), failures.join("\n"));
}
