//! The commands that read definitions, on YAML files: what they print, what they write, how they end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const HELLO: &str = "# greets\nQueryLanguage: JSONata\nStartAt: Greet\nStates:\n    Greet: {Type: Pass, Output: \"{% 'Hello \
                     ' & $states.input.name %}\", End: true}\n";
const FORMATTED: &str = "# greets\nQueryLanguage: JSONata\nStartAt: Greet\nStates:\n  Greet: {Type: Pass, Output: \"{% \
                         'Hello ' & $states.input.name %}\", End: true}\n";

/// An empty folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("yaml").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder can be made");
    folder
}

fn stepwell(folder: &Path, words: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_stepwell"))
        .args(words)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .expect("the binary can be run");
    let text = |bytes| String::from_utf8(bytes).expect("it prints UTF-8");
    (status.code().expect("it ends by itself"), text(stdout), text(stderr))
}

#[test]
fn a_yaml_definition_runs() {
    let folder = folder("run");
    fs::write(folder.join("hello.yaml"), HELLO).expect("a file can be written");
    let (code, out, _) = stepwell(&folder, &["run", "hello.yaml", "--input", "{\"name\": \"Ada\"}", "--json"]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("\"output\":\"Hello Ada\""), "{out}");

    fs::write(folder.join("broken.yaml"), "StartAt: [\n").expect("a file can be written");
    let (code, _, said) = stepwell(&folder, &["run", "broken.yaml"]);
    assert_eq!(code, 2);
    assert!(said.starts_with("error: broken.yaml:"), "{said}");

    fs::write(folder.join("wrong.yaml"), "StartAt: A\nStates:\n  A: {Type: Pass}\n").expect("a file can be written");
    let (code, out, _) = stepwell(&folder, &["run", "wrong.yaml"]);
    assert_eq!(code, 2);
    assert!(out.starts_with("wrong.yaml:3:3: error "), "{out}");
}

#[test]
fn validate_tells_line_and_column() {
    let folder = folder("validate");
    fs::write(folder.join("hello.yaml"), HELLO).expect("a file can be written");
    fs::write(
        folder.join("wrong.json"),
        "{\"StartAt\": \"A\",\n \"States\": {\"A\": {\"Type\": \"Pass\", \"Next\": \"B\"}}}",
    )
    .expect("a file can be written");
    let (code, out, _) = stepwell(&folder, &["validate", "hello.yaml", "wrong.json"]);
    assert_eq!(code, 1);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], "hello.yaml: ok");
    assert!(lines[1].starts_with("wrong.json:2:35: error MISSING_TRANSITION_TARGET at /States/A/Next: "), "{out}");

    let (code, out, _) = stepwell(&folder, &["validate", "--json", "wrong.json"]);
    assert_eq!(code, 1);
    let told: serde_json::Value = serde_json::from_str(&out).expect("it prints JSON");
    let first = &told["diagnostics"][0];
    assert_eq!((first["line"].as_i64(), first["column"].as_i64()), (Some(2), Some(35)), "{out}");
    assert_eq!(first["location"].as_str(), Some("/States/A/Next"));
}

#[test]
fn fmt_prints_checks_and_writes() {
    let folder = folder("fmt");
    let read = |name: &str| fs::read_to_string(folder.join(name)).expect("the file is there");
    fs::write(folder.join("hello.yaml"), HELLO).expect("a file can be written");

    assert_eq!(stepwell(&folder, &["fmt", "hello.yaml"]), (0, FORMATTED.to_owned(), String::new()));
    assert_eq!(stepwell(&folder, &["fmt", "--check", "hello.yaml"]).0, 1);
    assert_eq!(read("hello.yaml"), HELLO);
    assert_eq!(stepwell(&folder, &["fmt", "--write", "hello.yaml"]).0, 0);
    assert_eq!(read("hello.yaml"), FORMATTED);
    assert_eq!(stepwell(&folder, &["fmt", "--check", "hello.yaml"]).0, 0);

    let (code, _, said) = stepwell(&folder, &["fmt", "--to", "json", "hello.yaml"]);
    assert_eq!((code, said.contains("hello.yaml:1:1: JSON cannot keep the comments (1)")), (2, true), "{said}");
    assert_eq!(stepwell(&folder, &["fmt", "--to", "json", "--drop-comments", "--write", "hello.yaml"]).0, 0);
    assert_eq!(stepwell(&folder, &["fmt", "--check", "hello.json"]).0, 0);
    // The YAML file beside it has a comment that the JSON file has not, so it says something else.
    let (code, _, said) = stepwell(&folder, &["fmt", "--to", "yaml", "--write", "hello.json"]);
    assert_eq!((code, said.contains("remove it first")), (2, true), "{said}");
    assert_eq!(read("hello.yaml"), FORMATTED);
}

#[test]
fn fmt_refuses_what_it_cannot_read_and_goes_on() {
    let folder = folder("refuse");
    fs::write(folder.join("a.json"), "{\"a\": 1,}").expect("a file can be written");
    fs::write(folder.join("b.json"), "{\n  \"a\": 1\n}\n").expect("a file can be written");
    let (code, out, said) = stepwell(&folder, &["fmt", "--check", "a.json", "b.json", "none.json"]);
    assert_eq!((code, out.as_str()), (2, "b.json: ok\n"));
    assert!(said.contains("a.json:1:") && said.contains("cannot read `none.json`"), "{said}");
    assert_eq!(stepwell(&folder, &["fmt", "a.json", "b.json"]).0, 2);
}
