//! Holds the arrows between our crates: `cargo metadata` says what is, the table in ARCHITECTURE.md what is meant.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Crate → the crates of ours that it needs, by folder name.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// What the table calls "every other crate".
const ALL: &str = "all";
/// What the table calls "no crate".
const NONE: &str = "–";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Folder name of one of our packages: `stepwell-machine` lies in `machine`, `stepwell` in `stepwell`.
fn folder(package: &str) -> Option<&str> {
    if package == "stepwell" { Some(package) } else { package.strip_prefix("stepwell-") }
}

/// Our packages, as `cargo metadata` describes them.
fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    match metadata["packages"].take() {
        Value::Array(packages) => packages,
        other => panic!("cargo metadata gives no list of packages but {other}"),
    }
}

/// The arrows that are there. Arrows for tests alone do not count: they make no crate need more when it is used.
fn actual() -> Graph {
    packages()
        .iter()
        .filter_map(|package| {
            let name = folder(package["name"].as_str()?)?;
            let needs = package["dependencies"]
                .as_array()?
                .iter()
                .filter(|dependency| dependency["kind"] != "dev")
                .filter_map(|dependency| folder(dependency["name"].as_str()?))
                .map(str::to_owned);
            Some((name.to_owned(), needs.collect()))
        })
        .collect()
}

/// The arrows of the table `| crate | purpose | needs |` under the heading "Crates".
fn documented() -> Graph {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md can be read");
    let rows: Vec<(String, String)> = text
        .lines()
        .skip_while(|line| !(line.starts_with('#') && line.ends_with("Crates")))
        .skip(1)
        .take_while(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let cells: Vec<&str> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
            let name = cells.first()?.strip_prefix('`')?.strip_suffix('`')?;
            Some((name.to_owned(), (*cells.get(2)?).to_owned()))
        })
        .collect();
    let names: BTreeSet<String> = rows.iter().map(|(name, _)| name.clone()).collect();
    rows.into_iter()
        .map(|(name, needs)| {
            let needs = match needs.as_str() {
                ALL => names.iter().filter(|other| **other != name).cloned().collect(),
                NONE => BTreeSet::new(),
                list => list.split(',').map(|other| other.trim().trim_matches('`').to_owned()).collect(),
            };
            (name, needs)
        })
        .collect()
}

#[test]
fn the_table_in_the_architecture_page_is_true() {
    let documented = documented();
    assert!(!documented.is_empty(), "ARCHITECTURE.md has no table of crates under a heading \"Crates\"");
    assert_eq!(actual(), documented, "left: what cargo says; right: what ARCHITECTURE.md says");
}

#[test]
fn no_arrow_points_back() {
    let mut rest = actual();
    // Takes away what needs nothing that is left; a cycle would stay. Each round takes at least one crate.
    while !rest.is_empty() {
        let free: Vec<String> = rest
            .iter()
            .filter(|(_, needs)| needs.iter().all(|need| !rest.contains_key(need)))
            .map(|(name, _)| name.clone())
            .collect();
        assert!(!free.is_empty(), "these crates need each other: {:?}", rest.keys());
        for name in free {
            rest.remove(&name);
        }
    }
}

#[test]
fn what_must_stay_pure_has_no_runtime() {
    for package in packages() {
        if !["stepwell-expr", "stepwell-machine"].contains(&package["name"].as_str().unwrap_or_default()) {
            continue;
        }
        for dependency in package["dependencies"].as_array().expect("a list of dependencies") {
            let name = dependency["name"].as_str().unwrap_or_default();
            let banned = ["tokio", "hyper", "reqwest", "fjall", "rand", "getrandom", "tracing"];
            assert!(!banned.contains(&name), "{} must not need {name}", package["name"]);
        }
    }
}
