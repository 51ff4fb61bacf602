//! Definitions and what AWS says about them, from the case files in `tests/definitions`.
//!
//! A case is a few lines, then a blank one:
//!
//! - `#` begins its title;
//! - `@source` says where the expectation comes from: `recorded` (an answer of AWS in the conformance corpus),
//!   `measured` (published by people who asked AWS's validation), or a page that states the rule: `reference` (asl.md,
//!   api.md or query-languages.md in `../shared/reference` beside the repository, with the section) or `specification`
//!   (Amazon States Language, with the section). What stands after a semicolon limits it: the wording may be ours;
//! - `@express` makes it an Express machine, `@advice` wants our own advice as well;
//! - the definition, on one line or more;
//! - one line for each expected diagnostic, in order: `> CODE: message at location`, a warning with
//!   `> warning CODE: ...`, our advice with `> advice CODE: ...`. A definition without diagnostics compiles.
//!
//! With STEPWELL_BLESS set the lines with `>` are written anew: read the difference before it is committed.

use std::{collections::BTreeSet, fs, path::Path};

use stepwell_machine::{
    Diagnostic, Severity,
    definition::{Compiled, MachineType, advice, compile, load},
};

/// Fewer would mean that cases got lost on the way.
const CASES_MIN: usize = 150;

const SOURCES: [&str; 4] = ["recorded", "measured", "reference", "specification"];

struct Case<'t> {
    /// All but the expectation.
    head: Vec<&'t str>,
    expected: Vec<&'t str>,
}

impl<'t> Case<'t> {
    /// `None` for a comment on the file.
    fn of(text: &'t str) -> Option<Case<'t>> {
        let (expected, head): (Vec<&str>, Vec<&str>) =
            text.lines().map(str::trim_end).partition(|line| line.starts_with("> "));
        let case = Case { head, expected };
        (!case.definition().is_empty()).then_some(case)
    }

    fn definition(&self) -> String {
        let lines: Vec<&str> = self.head.iter().copied().filter(|line| !line.starts_with(['#', '@'])).collect();
        lines.join("\n")
    }

    fn title(&self) -> &str {
        self.head.iter().find_map(|line| line.strip_prefix("# ")).unwrap_or("")
    }

    fn source(&self) -> Option<&str> {
        self.head.iter().find_map(|line| line.strip_prefix("@source "))
    }

    fn has(&self, directive: &str) -> bool {
        self.head.contains(&directive)
    }

    /// What is said of the definition; also holds that there is a program exactly if nothing is wrong.
    fn found(&self) -> Vec<String> {
        let definition = self.definition();
        let machine_type = if self.has("@express") { MachineType::Express } else { MachineType::Standard };
        let Compiled { program, diagnostics } = compile(&definition, machine_type);
        let fails = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        assert_ne!(program.is_some(), fails, "{definition}");
        assert!(fails || load(&definition, machine_type).is_some(), "what compiles also loads: {definition}");
        let shown = |prefix: &str, diagnostic: &Diagnostic| {
            format!("> {prefix}{}", diagnostic.to_string().trim_end().replace('\n', "\\n"))
        };
        let mut found: Vec<String> = diagnostics
            .iter()
            .map(|diagnostic| match diagnostic.severity {
                Severity::Error => shown("", diagnostic),
                Severity::Warning => shown("warning ", diagnostic),
            })
            .collect();
        if self.has("@advice") {
            found.extend(advice(&definition, machine_type).iter().map(|diagnostic| shown("advice ", diagnostic)));
        }
        found
    }
}

#[test]
fn definitions_are_judged_as_by_aws() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/definitions");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let bless = std::env::var_os("STEPWELL_BLESS").is_some();
    let mut failures = Vec::new();
    let mut titles = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let mut blessed = Vec::new();
        for piece in text.split("\n\n").map(str::trim).filter(|piece| !piece.is_empty()) {
            let Some(case) = Case::of(piece) else {
                blessed.push(piece.to_owned());
                continue;
            };
            assert!(titles.insert(case.title().to_owned()), "one title for two cases: {piece}");
            let source = case.source().unwrap_or_else(|| panic!("a case says where it comes from: {piece}"));
            assert!(SOURCES.iter().any(|known| source.starts_with(known)), "no source that is known: {source}");
            let found = case.found();
            blessed.push([case.head.join("\n"), found.join("\n")].join("\n").trim_end().to_owned());
            if found != case.expected {
                failures.push(format!("{piece}\nbut found:\n{}\n", found.join("\n")));
            }
        }
        if bless {
            fs::write(&file, blessed.join("\n\n") + "\n").unwrap();
        }
    }
    assert!(titles.len() >= CASES_MIN, "only {} cases", titles.len());
    assert!(bless || failures.is_empty(), "{} of {}:\n\n{}", failures.len(), titles.len(), failures.join("\n"));
}
