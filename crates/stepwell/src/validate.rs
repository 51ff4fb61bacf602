//! `stepwell validate`: every problem of every file.

use std::path::Path;

use stepwell_expr::Value;
use stepwell_machine::{
    Diagnostic, Severity,
    definition::{self, MachineType},
};

use crate::{
    cli::ValidateOptions,
    exit::{BadInput, Exit},
    trace::{DIM, GREEN, RED, YELLOW},
};

pub(crate) fn validate(options: &ValidateOptions) -> anyhow::Result<Exit> {
    let machine_type = if options.express { MachineType::Express } else { MachineType::Standard };
    let mut exit = Exit::Done;
    for file in &options.files {
        let text = read(file)?;
        let mut diagnostics = definition::compile(&text, machine_type).diagnostics;
        let failed = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        diagnostics.extend(definition::advice(&text, machine_type));
        if failed {
            exit = Exit::Failed;
        }
        if options.json {
            anstream::println!("{}", as_json(file, failed, &diagnostics));
        } else {
            print(file, failed, &diagnostics);
        }
    }
    Ok(exit)
}

/// The text of a definition file.
pub(crate) fn read(file: &Path) -> anyhow::Result<String> {
    let shown = file.display();
    let bytes = std::fs::read(file).map_err(|error| BadInput(format!("cannot read `{shown}`: {error}")))?;
    Ok(String::from_utf8(bytes).map_err(|_| BadInput(format!("`{shown}` is not UTF-8 text")))?)
}

/// One problem as a line: `FILE: error CODE at /States/X: sentence`.
pub(crate) fn print_diagnostic(file: &Path, diagnostic: &Diagnostic) {
    let (style, word) = match diagnostic.severity {
        Severity::Error => (RED, "error"),
        Severity::Warning => (YELLOW, "warning"),
    };
    let place = diagnostic.location.as_ref().map(|location| format!(" at {location}")).unwrap_or_default();
    anstream::println!(
        "{}: {style}{word}{style:#} {}{DIM}{place}{DIM:#}: {}",
        file.display(),
        diagnostic.code.as_str(),
        diagnostic.message
    );
}

fn print(file: &Path, failed: bool, diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        print_diagnostic(file, diagnostic);
    }
    if !failed {
        anstream::println!("{}: {GREEN}ok{GREEN:#}", file.display());
    }
}

fn as_json(file: &Path, failed: bool, diagnostics: &[Diagnostic]) -> Value {
    let diagnostics = diagnostics.iter().map(|diagnostic| {
        let severity = match diagnostic.severity {
            Severity::Error => "ERROR",
            Severity::Warning => "WARNING",
        };
        let location = diagnostic.location.as_ref().map(|location| ("location", Value::from(location.as_str())));
        let members = [
            ("severity", Value::from(severity)),
            ("code", Value::from(diagnostic.code.as_str())),
            ("message", Value::from(diagnostic.message.as_str())),
        ];
        Value::object(members.into_iter().chain(location))
    });
    Value::object([
        ("file", Value::from(file.display().to_string())),
        ("result", Value::from(if failed { "FAIL" } else { "OK" })),
        ("diagnostics", Value::array(diagnostics.collect())),
    ])
}
