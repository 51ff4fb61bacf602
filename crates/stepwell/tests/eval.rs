//! `stepwell eval` as it is called: arguments, exit code, output.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Exit code, and standard output and error in one: a command prints to one of them alone.
fn stepwell(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_stepwell")).args(arguments).output().expect("the binary runs");
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).expect("the output is text"))
}

#[test]
fn expressions() {
    let cases = include_str!("eval.txt").split("\n\n");
    let mut ran = 0;
    for case in cases {
        let mut arguments = Vec::new();
        let mut code = 0;
        let mut printed = String::new();
        for line in case.lines() {
            match line.split_once(' ').unwrap_or((line, "")) {
                ("#" | "", _) => {}
                ("eval", expression) => arguments.extend(["eval", expression]),
                ("=", exit) => code = exit.parse().expect("an exit code"),
                ("|", text) => printed.extend([text, "\n"]),
                (option, "") => arguments.push(option),
                (option, value) => arguments.extend([option, value]),
            }
        }
        if arguments.is_empty() {
            continue;
        }
        assert_eq!(stepwell(&arguments), (Some(code), printed), "{case}");
        ran += 1;
    }
    assert!(ran >= 30, "only {ran} cases were found");
}

/// Writes `files` into a folder of their own, and gives it.
fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).expect("a folder can be made");
    for (file, text) in files {
        fs::write(folder.join(file), text).expect("a file can be written");
    }
    folder
}

#[test]
fn options_are_read_from_files() {
    let folder = folder("eval-files", &[("input.json", r#"{"n": 41}"#)]);
    let input = format!("@{}", folder.join("input.json").display());
    assert_eq!(stepwell(&["eval", "$states.input.n + 1", "--input", &input]), (Some(0), "42\n".to_owned()));
}

/// The form of the cases, and what each mark and each of their own limits means. Source: the official suite.
const CASES: &str = r#"
{"id":"data","expr":"a.b","data":{"a":{"b":[1,2]}},"result":[1,2.0]}
{"id":"data set","expr":"$sum(n)","dataset":"numbers","result":6}
{"id":"no document","expr":"a","undefinedResult":true}
{"id":"bindings","expr":"$x & $$.y","data":{"y":"b"},"bindings":{"x":"a"},"result":"ab"}
{"id":"code","expr":"1 + 'a'","code":"T2002"}
{"id":"code of a syntax error","expr":"1 +","error":{"code":"S0207","position":3}}
{"id":"no eval","expr":"$eval('1')","result":1,"marks":["aws-no-eval"]}
{"id":"newer","expr":"nothing ?? 42","data":{},"result":42,"marks":["newer-than-2.0.6"]}
{"id":"own name","expr":"($range := function() { 1 }; $range())","result":1,"marks":["aws-function-name"]}
{"id":"depth","expr":"($f := function($n) { 1 + $f($n) }; $f(1))","timelimit":1000,"depth":300,"code":"U1001"}
{"id":"time","expr":"($f := function() { $f() }; $f())","timelimit":100,"depth":500,"code":"U1001"}
{"id":"size","expr":"$count([1..10000000])","timelimit":10000,"depth":10,"result":10000000}
"#;

const BROKEN: &str = r#"{"id":"value","expr":"1","result":2}
{"id":"null","expr":"a","data":{"a":null},"undefinedResult":true}
{"id":"error","expr":"$error('no')","result":1}
{"id":"eval","expr":"$eval('1')","result":1}
{"id":"name","expr":"1","dataset":"absent","result":1}
{"expr":"1","result":1}
{"expr":"1"}
nothing
"#;

#[test]
fn case_files() {
    let folder = folder(
        "eval-cases",
        &[("cases.jsonl", CASES), ("broken.jsonl", BROKEN), ("datasets.json", r#"{"numbers": {"n": [1, 2, 3]}}"#)],
    );
    let judge = |cases: &str| {
        let file = |name: &str| folder.join(name).display().to_string();
        stepwell(&["eval", "--cases", &file(cases), "--datasets", &file("datasets.json")])
    };
    assert_eq!(judge("cases.jsonl"), (Some(0), "12 passed, 0 failed\n".to_owned()));
    let (code, printed) = judge("broken.jsonl");
    assert_eq!(code, Some(1), "{printed}");
    let wanted = "\
failed value: gave 1, not 2
failed null: gave null, not undefined
failed error: threw an error during evaluation. D3137: no, not 1
failed name: there is no data set `absent`
failed line 7: the case has no expectation
failed line 8: the line is not JSON: Unrecognized token 'nothing'";
    let without_eval = printed.lines().filter(|line| !line.starts_with("failed eval: ")).collect::<Vec<_>>();
    assert_eq!(without_eval.len() + 1, printed.lines().count(), "{printed}");
    assert!(without_eval.join("\n").starts_with(wanted), "{printed}");
    assert_eq!(printed.lines().last(), Some("1 passed, 7 failed"), "{printed}");
    assert_eq!(judge("absent.jsonl").0, Some(2));
}
