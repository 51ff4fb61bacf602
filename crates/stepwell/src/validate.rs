//! `stepwell validate`: every problem of every file.

use std::path::Path;

use stepwell_expr::Value;
use stepwell_integrations::Catalogue;
use stepwell_machine::{
    Severity,
    definition::{self, MachineType},
};

use crate::{
    cli::ValidateOptions,
    definition_file::{Problem, Source},
    exit::{BadInput, Exit},
    trace::{DIM, GREEN, RED, YELLOW},
};

pub(crate) fn validate(options: &ValidateOptions) -> anyhow::Result<Exit> {
    let machine_type = if options.express { MachineType::Express } else { MachineType::Standard };
    let catalogue = Catalogue::embedded();
    let mut exit = Exit::Done;
    for file in &options.files {
        let problems = match Source::read(file)?.definition() {
            Ok(definition) => {
                let is_known = |service: &str, action: &str| catalogue.knows(service, action);
                let compiled = definition::compile_knowing(&definition.json, machine_type, &is_known);
                let mut diagnostics = compiled.diagnostics;
                diagnostics.extend(definition::advice(&definition.json, machine_type));
                definition.problems(&diagnostics)
            }
            Err(refusal) => vec![Problem::from(refusal)],
        };
        let failed = problems.iter().any(|problem| problem.severity == Severity::Error);
        if failed {
            exit = Exit::Failed;
        }
        if options.json {
            anstream::println!("{}", as_json(file, failed, &problems));
        } else {
            print(file, failed, &problems);
        }
    }
    Ok(exit)
}

/// The text of a file.
pub(crate) fn read(file: &Path) -> anyhow::Result<String> {
    let shown = file.display();
    let bytes = std::fs::read(file).map_err(|error| BadInput(format!("cannot read `{shown}`: {error}")))?;
    Ok(String::from_utf8(bytes).map_err(|_| BadInput(format!("`{shown}` is not UTF-8 text")))?)
}

/// One problem as a line: `FILE:3:5: error CODE at /States/X: sentence`.
pub(crate) fn print_problem(file: &Path, problem: &Problem) {
    let (style, word) = match problem.severity {
        Severity::Error => (RED, "error"),
        Severity::Warning => (YELLOW, "warning"),
    };
    let place = problem.at.map(|at| format!(":{at}")).unwrap_or_default();
    // Jackson's place, and the end of its message, say the same again.
    let pointer = problem.location.as_deref().filter(|location| location.starts_with('/'));
    let pointer = pointer.map(|pointer| format!(" at {pointer}")).unwrap_or_default();
    let message = problem.message.split("\n at [Source:").next().unwrap_or_default();
    anstream::println!(
        "{}{place}: {style}{word}{style:#} {}{DIM}{pointer}{DIM:#}: {message}",
        file.display(),
        problem.code,
    );
}

fn print(file: &Path, failed: bool, problems: &[Problem]) {
    for problem in problems {
        print_problem(file, problem);
    }
    if !failed {
        anstream::println!("{}: {GREEN}ok{GREEN:#}", file.display());
    }
}

fn as_json(file: &Path, failed: bool, problems: &[Problem]) -> Value {
    let problems = problems.iter().map(|problem| {
        let severity = match problem.severity {
            Severity::Error => "ERROR",
            Severity::Warning => "WARNING",
        };
        let location = problem.location.as_ref().map(|location| ("location", Value::from(location.as_str())));
        let at =
            problem.at.map(|at| [("line", Value::from(at.line as i64)), ("column", Value::from(at.column as i64))]);
        let members = [
            ("severity", Value::from(severity)),
            ("code", Value::from(problem.code)),
            ("message", Value::from(problem.message.as_str())),
        ];
        Value::object(members.into_iter().chain(location).chain(at.into_iter().flatten()))
    });
    Value::object([
        ("file", Value::from(file.display().to_string())),
        ("result", Value::from(if failed { "FAIL" } else { "OK" })),
        ("diagnostics", Value::array(problems.collect())),
    ])
}
