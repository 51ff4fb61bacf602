//! What the console reads, and what browsers may not ask.

use std::io::Write;

use stepwell_expr::Value;

use crate::server::{Answer, Server, post};

const DEFINITION: &str =
    r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"W"},"W":{"Type":"Wait","Seconds":3600,"End":true}}}"#;
const MACHINE: &str = "arn:aws:states:us-east-1:123456789012:stateMachine:M";
const EXECUTION: &str = "arn:aws:states:us-east-1:123456789012:execution:M:E";

/// A server with an execution that waits; its input is too large for the history's own rows.
fn server() -> Server {
    let server = Server::start();
    let create = [("name", "M"), ("definition", DEFINITION), ("roleArn", "arn:aws:iam::123456789012:role/r")];
    server.succeed("CreateStateMachine", &Value::object(create.map(|(name, value)| (name, value.into()))).to_string());
    let input = format!("\"{}\"", "x".repeat(5_000));
    let start = [("stateMachineArn", MACHINE), ("name", "E"), ("input", input.as_str())];
    server.succeed("StartExecution", &Value::object(start.map(|(name, value)| (name, value.into()))).to_string());
    server
}

fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n").into_bytes()
}

fn path(of: &str) -> String {
    format!("/console/api/executions/{}/{of}", EXECUTION.replace(':', "%3A"))
}

/// The events' types and whether their input was left out.
fn shown(answer: &Value) -> Vec<String> {
    let events = answer.get("events").and_then(Value::as_array).unwrap();
    let left_out = |event: &Value| event.to_string().contains(r#""truncated":true"#);
    let named = |event: &Value| format!("{}{}", text(event, "type"), if left_out(event) { "…" } else { "" });
    events.iter().map(named).collect()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap()
}

#[test]
fn events() {
    let server = server();
    let all = server.send(&get(&path("events"), "")).json();
    let expected = ["ExecutionStarted…", "PassStateEntered…", "PassStateExited…", "WaitStateEntered…"];
    assert_eq!(shown(&all), expected);
    assert_eq!(all.get("more"), Some(&false.into()));
    assert_eq!(shown(&server.send(&get(&path("events?after=3"), "")).json()), ["WaitStateEntered…"]);
    let one = server.send(&get(&path("events/4"), "")).json();
    let details = one.get("event").and_then(|event| event.get("stateEnteredEventDetails")).unwrap();
    assert_eq!(text(details, "input").len(), 5_002);
}

#[test]
fn refusals() {
    let server = server();
    let cases = [
        (path("events/5"), "404 NotFoundException"),
        (path("events/x"), "400 ValidationException"),
        (path("events?after=-1"), "400 ValidationException"),
        (path("nothing"), "404 NotFoundException"),
        (path("events").replace("%3AE", "%3AF"), "400 ExecutionDoesNotExist"),
        (path("stream").replace("%3AE", "%3AF"), "400 ExecutionDoesNotExist"),
        ("/console/api/executions/%ff/events".into(), "400 InvalidArn"),
        ("/console/api/".into(), "404 NotFoundException"),
    ];
    for (path, expected) in cases {
        assert_eq!(server.send(&get(&path, "")).code(), expected, "{path}");
    }
    let foreign = "Sec-Fetch-Site: cross-site\r\n";
    assert_eq!(server.send(&get(&path("events"), foreign)).code(), "403 AccessDeniedException");
    let rebound = format!("GET {} HTTP/1.1\r\nHost: rebound.example\r\n\r\n", path("events"));
    assert_eq!(server.send(rebound.as_bytes()).code(), "403 AccessDeniedException");
}

#[test]
fn browsers_may_call_for_their_own_page_alone() {
    let server = Server::start();
    let call = String::from_utf8(post("AWSStepFunctions.ListActivities", b"{}")).unwrap();
    for (headers, expected) in [
        ("Sec-Fetch-Site: same-origin", 200),
        ("Origin: http://localhost", 200),
        ("Sec-Fetch-Site: cross-site", 403),
        ("Origin: http://elsewhere.example", 403),
        ("Origin: null", 403),
    ] {
        let call = call.replacen("\r\n", &format!("\r\n{headers}\r\n"), 1);
        assert_eq!(server.send(call.as_bytes()).status, expected, "{headers}");
    }
}

#[test]
fn a_stream_goes_on_until_the_end() {
    let server = server();
    let mut stream = server.connect();
    stream.write_all(&get(&path("stream"), "Last-Event-ID: 3\r\n")).unwrap();
    let head = Answer::read(&mut stream).unwrap();
    assert_eq!(head.status, 200);
    assert!(head.head.contains("content-type: text/event-stream"), "{}", head.head);
    let mut all = String::from_utf8(head.body).unwrap();
    while !all.contains("WaitStateEntered") {
        all.push_str(&Answer::read_some(&mut stream));
    }
    assert!(!all.contains("PassStateExited") && all.contains("id: 4\ndata: {"), "{all}");
    server.succeed("StopExecution", &format!(r#"{{"executionArn":"{EXECUTION}"}}"#));
    while !all.contains("event: end\ndata: {}\n\n") {
        all.push_str(&Answer::read_some(&mut stream));
    }
    assert!(all.contains("ExecutionAborted"), "{all}");
}

#[test]
fn streams_are_bounded() {
    let server = server();
    let mut streams = Vec::new();
    for _ in 0..stepwell_api::limits::STREAMS_MAX {
        let mut stream = server.connect();
        stream.write_all(&get(&path("stream"), "")).unwrap();
        assert_eq!(Answer::read(&mut stream).unwrap().status, 200);
        streams.push(stream);
    }
    assert_eq!(server.send(&get(&path("stream"), "")).code(), "503 ThrottlingException");
    // Without a stream, its place is free once the server has noticed.
    streams.pop();
    let freed = (0..10_000).any(|_| server.send(&get(&path("stream"), "")).status == 200);
    assert!(freed, "the place of a stream that was left is never free");
}
