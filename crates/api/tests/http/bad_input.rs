//! Requests that no client should send: a clear answer to each, and a server that goes on.

use std::{io::Write, time::Duration};

use stepwell_api::{
    Options,
    limits::{DEFINITION_BYTES_MAX, REQUEST_BYTES_MAX},
};
use stepwell_expr::Value;

use crate::server::{Answer, Server, post};

const VALIDATE: &str = "AWSStepFunctions.ValidateStateMachineDefinition";
const LIST: &str = "AWSStepFunctions.ListStateMachines";

#[test]
fn paths_and_methods() {
    let server = Server::start();
    let cases = [
        ("GET / HTTP/1.1", "405 MethodNotAllowedException"),
        ("PUT / HTTP/1.1", "405 MethodNotAllowedException"),
        ("POST /health HTTP/1.1", "405 MethodNotAllowedException"),
        ("GET /nowhere HTTP/1.1", "404 NotFoundException"),
        ("POST /%00 HTTP/1.1", "404 NotFoundException"),
    ];
    for (line, expected) in cases {
        let answer = server.send(format!("{line}\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n").as_bytes());
        assert_eq!(answer.code(), expected, "{line}");
    }
    let health = server.send(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!((health.status, health.json().to_string().as_str()), (200, r#"{"status":"ok","openExecutions":0}"#));
}

#[test]
fn bodies_that_are_no_request() {
    let server = Server::start();
    let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
    let deep_member = format!(r#"{{"definition":{}1{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
    let cases: [(&str, &str, &[u8], &str); 17] = [
        ("no target", "", b"{}", "400 UnknownOperationException"),
        ("unknown action", "AWSStepFunctions.Nothing", b"{}", "400 UnknownOperationException"),
        ("other service", "DynamoDB_20120810.ListTables", b"{}", "400 UnknownOperationException"),
        ("nothing of what it needs", "AWSStepFunctions.DescribeMapRun", b"{}", "400 ValidationException"),
        ("malformed JSON", LIST, b"{\"maxResults\":", "400 SerializationException"),
        ("a word", LIST, b"hello", "400 SerializationException"),
        ("trailing text", LIST, b"{} {}", "400 SerializationException"),
        ("list", LIST, b"[]", "400 SerializationException"),
        ("null", LIST, b"null", "400 SerializationException"),
        ("zero byte", LIST, b"\0", "400 SerializationException"),
        ("invalid UTF-8", LIST, b"{\"nextToken\":\"\xff\xfe\"}", "400 SerializationException"),
        ("cut UTF-8", LIST, b"{\"nextToken\":\"\xe2\x82\"}", "400 SerializationException"),
        ("wrong type", LIST, b"{\"maxResults\":\"1\"}", "400 SerializationException"),
        ("deep nesting", LIST, &deep, "400 SerializationException"),
        ("deep member", VALIDATE, deep_member.as_bytes(), "400 SerializationException"),
        ("missing member", VALIDATE, b"{}", "400 ValidationException"),
        ("number out of range", LIST, b"{\"maxResults\":99999999999999999999}", "400 SerializationException"),
    ];
    for (what, target, body, expected) in cases {
        let answer = server.send(&post(target, body));
        assert_eq!(answer.code(), expected, "{what}");
        assert!(answer.head.contains("content-type: application/x-amz-json-1.0"), "{what}: {}", answer.head);
        assert!(answer.head.contains("x-amzn-requestid: "), "{what}: {}", answer.head);
    }
    server.succeed("ListStateMachines", "{}");
}

#[test]
fn a_body_of_no_bytes_is_an_empty_object() {
    let server = Server::start();
    assert_eq!(server.send(&post(LIST, b"")).status, 200);
}

#[test]
fn what_is_no_http_is_refused_or_dropped() {
    let server = Server::start();
    for garbage in [&b"\r\n\r\n\r\nHELO there\r\n\r\n"[..], b"\x16\x03\x01\x02\x00\x01\x00", b"POST / HTTP/9.9\r\n\r\n"]
    {
        let mut stream = server.connect();
        stream.write_all(garbage).unwrap();
        let status = Answer::read(&mut stream).map(|answer| answer.status);
        assert!(matches!(status, None | Some(400 | 505)), "{status:?}");
    }
    let many: String = (0..200).map(|index| format!("X-{index}: 1\r\n")).collect();
    let long = format!("X-Long: {}\r\n", "x".repeat(200_000));
    for headers in [many, long] {
        let mut stream = server.connect();
        // The server may have closed before all is written.
        let _ = stream.write_all(format!("POST / HTTP/1.1\r\nHost: a\r\n{headers}\r\n").as_bytes());
        let status = Answer::read(&mut stream).map(|answer| answer.status);
        assert!(matches!(status, None | Some(431)), "{status:?}");
    }
    server.succeed("ListStateMachines", "{}");
}

#[test]
fn oversize_bodies() {
    let server = Server::start();
    // Blanks are valid JSON: a body of exactly the bound is read.
    let mut body = vec![b' '; REQUEST_BYTES_MAX];
    body[..2].copy_from_slice(b"{}");
    assert_eq!(server.send(&post(LIST, &body)).status, 200);
    body.push(b' ');
    assert_eq!(server.send(&post(LIST, &body)).code(), "413 RequestEntityTooLargeException");

    let chunk = vec![b' '; 1 << 20];
    let mut chunked =
        format!("POST / HTTP/1.1\r\nHost: a\r\nX-Amz-Target: {LIST}\r\nTransfer-Encoding: chunked\r\n\r\n");
    let mut stream = server.connect();
    for _ in 0..5 {
        chunked.push_str("100000\r\n");
        stream.write_all(chunked.as_bytes()).unwrap();
        stream.write_all(&chunk).unwrap();
        chunked = "\r\n".into();
    }
    stream.write_all(b"\r\n0\r\n\r\n").unwrap();
    assert_eq!(Answer::read(&mut stream).unwrap().code(), "413 RequestEntityTooLargeException");

    // Announced only: refused before a byte of it is asked for.
    let announced = format!(
        "POST / HTTP/1.1\r\nHost: a\r\nX-Amz-Target: {LIST}\r\nExpect: 100-continue\r\nContent-Length: 9999999999\r\n\r\n"
    );
    assert_eq!(server.send(announced.as_bytes()).code(), "413 RequestEntityTooLargeException");
    server.succeed("ListStateMachines", "{}");
}

#[test]
fn definitions_around_their_bound() {
    let server = Server::start();
    let definition = |bytes: usize| {
        let frame = r#"{"Comment":"","StartAt":"A","States":{"A":{"Type":"Succeed"}}}"#;
        frame.replacen(r#""""#, &format!("\"{}\"", "x".repeat(bytes - frame.len())), 1)
    };
    let validate = |bytes: usize| {
        let definition = definition(bytes);
        assert_eq!(definition.len(), bytes);
        let body = Value::object([("definition", Value::from(definition))]).to_string();
        server.call("ValidateStateMachineDefinition", &body)
    };
    for bytes in [DEFINITION_BYTES_MAX - 1, DEFINITION_BYTES_MAX] {
        let (status, answer) = validate(bytes);
        assert_eq!((status, answer.get("result").and_then(Value::as_str)), (200, Some("OK")));
    }
    let (status, answer) = validate(DEFINITION_BYTES_MAX + 1);
    let message = "1 validation error detected: Value at 'definition' failed to satisfy constraint: \
                   Member must have length less than or equal to 1048576";
    assert_eq!((status, answer.get("message").and_then(Value::as_str)), (400, Some(message)));
}

#[test]
fn half_sent_requests_time_out() {
    let brief = Duration::from_millis(50);
    let server = Server::start_with(Options { head_time_max: brief, body_time_max: brief, ..Options::default() });
    let whole = post(LIST, b"{\"maxResults\":1}");

    let mut stream = server.connect();
    stream.write_all(&whole[..whole.len() - 3]).unwrap();
    assert_eq!(Answer::read(&mut stream).unwrap().code(), "408 RequestTimeoutException");
    assert!(Answer::read(&mut stream).is_none(), "the connection is closed");

    let mut stream = server.connect();
    stream.write_all(&whole[..20]).unwrap();
    assert!(Answer::read(&mut stream).is_none(), "the connection is closed");

    let mut stream = server.connect();
    stream.write_all(&whole[..whole.len() - 3]).unwrap();
    drop(stream);
    server.succeed("ListStateMachines", "{}");
}

/// Every action, each member that any action has, and values of all kinds: always an answer, never an internal failure.
#[test]
fn every_member_with_every_kind_of_value() {
    const ACTIONS: [&str; 26] = [
        "CreateActivity",
        "CreateStateMachine",
        "DeleteActivity",
        "DeleteStateMachine",
        "DescribeActivity",
        "DescribeExecution",
        "DescribeMapRun",
        "DescribeStateMachine",
        "DescribeStateMachineForExecution",
        "GetActivityTask",
        "GetExecutionHistory",
        "ListActivities",
        "ListExecutions",
        "ListMapRuns",
        "ListStateMachines",
        "ListTagsForResource",
        "SendTaskFailure",
        "SendTaskHeartbeat",
        "SendTaskSuccess",
        "StartExecution",
        "StopExecution",
        "TagResource",
        "UntagResource",
        "UpdateMapRun",
        "UpdateStateMachine",
        "ValidateStateMachineDefinition",
    ];
    const MEMBERS: [&str; 34] = [
        "activityArn",
        "cause",
        "definition",
        "encryptionConfiguration",
        "error",
        "executionArn",
        "includeExecutionData",
        "includedData",
        "input",
        "loggingConfiguration",
        "mapRunArn",
        "maxConcurrency",
        "maxResults",
        "name",
        "nextToken",
        "output",
        "publish",
        "redriveFilter",
        "resourceArn",
        "reverseOrder",
        "roleArn",
        "severity",
        "stateMachineArn",
        "statusFilter",
        "tagKeys",
        "tags",
        "taskToken",
        "toleratedFailureCount",
        "toleratedFailurePercentage",
        "traceHeader",
        "tracingConfiguration",
        "type",
        "versionDescription",
        "workerName",
    ];
    let long = format!("\"{}\"", "é".repeat(2_100));
    let arn = |tail: &str| format!("\"arn:aws:states:us-east-1:123456789012:{tail}\"");
    let (machine, version, label) = (arn("stateMachine:M"), arn("stateMachine:M:1"), arn("stateMachine:M/L"));
    let (execution, activity) = (arn("execution:M:E"), arn("activity:A"));
    let values = [
        "null",
        "true",
        "-1",
        "1.5",
        "1e400",
        "\"\"",
        "\"x\"",
        "\"\\u0000\\ud800\"",
        "[]",
        "[null]",
        "[\"x\"]",
        "[{\"key\":\"k\"}]",
        "{}",
        "{\"type\":\"AWS_OWNED_KEY\",\"level\":\"ALL\",\"destinations\":[{\"cloudWatchLogsLogGroup\":{}}]}",
        &long,
        &machine,
        &version,
        &label,
        &execution,
        &activity,
    ];
    let server = Server::start();
    for action in ACTIONS {
        for member in MEMBERS {
            for value in values {
                let body = format!("{{\"{member}\":{value}}}");
                let (status, answer) = server.call_within(action, &body);
                assert!(matches!(status, 200 | 400), "{action} {body}: {status} {answer}");
            }
        }
    }
}

#[test]
fn large_bodies_are_throttled_when_together_they_are_too_large() {
    let server = Server::start_with(Options { large_bodies_bytes_max: 100_000, ..Options::default() });
    let padding = " ".repeat(60_000);
    let body = format!("{{{padding}}}");
    let request = post("AWSStepFunctions.ListActivities", body.as_bytes());
    let mut first = server.connect();
    let (line, length) = ("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n", body.len());
    let head = format!("{line}X-Amz-Target: {LIST}\r\nContent-Length: {length}\r\n\r\n");
    first.write_all(head.as_bytes()).unwrap();
    assert!(Answer::read_some(&mut first).starts_with("HTTP/1.1 100 "), "the server has room for it and waits");
    assert_eq!(server.send(&request).code(), "400 ThrottlingException");
    assert_eq!(server.call("ListActivities", "{}").0, 200, "small bodies go on");
    first.write_all(body.as_bytes()).unwrap();
    assert_eq!(Answer::read(&mut first).unwrap().status, 200);
    assert_eq!(server.send(&request).status, 200);
}
