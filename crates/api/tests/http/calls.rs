//! The actions, through the server, as a client walks through them.

use std::{io::Write, thread};

use stepwell_expr::Value;

use crate::server::{Answer, Server, post};

const ROLE: &str = "arn:aws:iam::123456789012:role/r";
const PASS: &str = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Result":{"x":1},"End":true}}}"#;
const WAIT: &str = r#"{"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":3600,"End":true}}}"#;

fn machine(name: &str) -> String {
    format!("arn:aws:states:us-east-1:123456789012:stateMachine:{name}")
}

fn execution(machine: &str, name: &str) -> String {
    format!("arn:aws:states:us-east-1:123456789012:execution:{machine}:{name}")
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("no text `{name}` in {value}"))
}

fn create(server: &Server, name: &str, definition: &str) -> Value {
    server.succeed("CreateStateMachine", &create_body(name, definition, ROLE))
}

fn create_body(name: &str, definition: &str, role: &str) -> String {
    let members = [("name", name), ("definition", definition), ("roleArn", role)];
    Value::object(members.map(|(name, value)| (name, Value::from(value)))).to_string()
}

fn start(server: &Server, machine_name: &str, name: &str, input: &str) -> Value {
    server.succeed("StartExecution", &start_body(machine_name, name, input))
}

fn start_body(machine_name: &str, name: &str, input: &str) -> String {
    let arn = machine(machine_name);
    let members = [("stateMachineArn", arn.as_str()), ("name", name), ("input", input)];
    Value::object(members.map(|(name, value)| (name, Value::from(value)))).to_string()
}

/// Asks until `status` is the execution's; each ask is a round trip, bounded by the test's patience.
fn wait_for(server: &Server, arn: &str, status: &str) -> Value {
    for _ in 0..10_000 {
        let found = server.succeed("DescribeExecution", &format!(r#"{{"executionArn":"{arn}"}}"#));
        if text(&found, "status") == status {
            return found;
        }
        thread::yield_now();
    }
    panic!("{arn} never became {status}");
}

#[test]
fn state_machines() {
    let server = Server::start();
    let arn = machine("M");
    let created = create(&server, "M", PASS);
    assert_eq!(text(&created, "stateMachineArn"), arn);
    assert_eq!(create(&server, "M", PASS), created, "the same once more");

    let other = create_body("M", &PASS.replace('1', "2"), ROLE);
    assert_eq!(
        server.fail("CreateStateMachine", &other),
        format!("StateMachineAlreadyExists: State Machine Already Exists: '{arn}'")
    );
    let broken = create_body("N", r#"{"States":{"A":{"Type":"Pass","End":true}}}"#, ROLE);
    assert_eq!(
        server.fail("CreateStateMachine", &broken),
        "InvalidDefinition: Invalid State Machine Definition: \
         'SCHEMA_VALIDATION_FAILED: These fields are required: [StartAt] at /'"
    );

    let named = format!(r#"{{"stateMachineArn":"{arn}"}}"#);
    let described = server.succeed("DescribeStateMachine", &named);
    let shown: Vec<String> = described.as_object().unwrap().keys().map(|name| name.to_string()).collect();
    assert_eq!(
        shown,
        [
            "stateMachineArn",
            "name",
            "definition",
            "roleArn",
            "loggingConfiguration",
            "tracingConfiguration",
            "encryptionConfiguration",
            "status",
            "type",
            "creationDate"
        ]
    );
    assert_eq!((text(&described, "definition"), text(&described, "status")), (PASS, "ACTIVE"));
    let metadata = format!(r#"{{"stateMachineArn":"{arn}","includedData":"METADATA_ONLY"}}"#);
    assert_eq!(text(&server.succeed("DescribeStateMachine", &metadata), "definition"), "{}");

    let change = format!(r#"{{"stateMachineArn":"{arn}","roleArn":"{ROLE}2"}}"#);
    let updated = server.succeed("UpdateStateMachine", &change);
    let described = server.succeed("DescribeStateMachine", &named);
    assert_eq!(text(&described, "revisionId"), text(&updated, "revisionId"));

    create(&server, "L", PASS);
    let first = server.succeed("ListStateMachines", r#"{"maxResults":1}"#);
    let token = text(&first, "nextToken").to_string();
    let second = server.succeed("ListStateMachines", &format!(r#"{{"maxResults":1,"nextToken":"{token}"}}"#));
    let names = |page: &Value| -> Vec<String> {
        let machines = page.get("stateMachines").and_then(Value::as_array).unwrap();
        machines.iter().map(|machine| text(machine, "name").to_string()).collect()
    };
    assert_eq!((names(&first), names(&second)), (vec!["M".to_string()], vec!["L".to_string()]));
    assert_eq!(
        server.fail("ListActivities", &format!(r#"{{"nextToken":"{token}"}}"#)),
        "InvalidToken: Invalid Token: 'Invalid token'"
    );

    server.succeed("DeleteStateMachine", &named);
    server.succeed("DeleteStateMachine", &named);
    assert_eq!(
        server.fail("DescribeStateMachine", &named),
        format!("StateMachineDoesNotExist: State Machine Does Not Exist: '{arn}'")
    );
    assert_eq!(
        server.fail("StartExecution", &named),
        format!("StateMachineDoesNotExist: State Machine Does Not Exist: '{arn}'")
    );
}

#[test]
fn executions() {
    let server = Server::start();
    create(&server, "M", PASS);
    let arn = execution("M", "e1");
    let started = start(&server, "M", "e1", "{ }");
    assert_eq!(text(&started, "executionArn"), arn);
    let described = wait_for(&server, &arn, "SUCCEEDED");
    assert_eq!((text(&described, "input"), text(&described, "output")), ("{ }", r#"{"x":1}"#));

    let named = format!(r#"{{"executionArn":"{arn}"}}"#);
    let history = server.succeed("GetExecutionHistory", &named);
    let types = |history: &Value| -> Vec<String> {
        let events = history.get("events").and_then(Value::as_array).unwrap();
        events.iter().map(|event| text(event, "type").to_string()).collect()
    };
    let expected = ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"];
    assert_eq!(types(&history), expected);

    let mut paged = Vec::new();
    let mut token = String::new();
    for _ in 0..expected.len() {
        let body = format!(r#"{{"executionArn":"{arn}","reverseOrder":true,"maxResults":3{token}}}"#);
        let page = server.succeed("GetExecutionHistory", &body);
        paged.extend(types(&page));
        match page.get("nextToken").and_then(Value::as_str) {
            Some(next) => token = format!(r#","nextToken":"{next}""#),
            None => break,
        }
    }
    paged.reverse();
    assert_eq!(paged, expected);

    let bare = server.succeed("GetExecutionHistory", &named.replace('}', r#","includeExecutionData":false}"#));
    assert!(!bare.to_string().contains("\"input\""), "{bare}");

    let machine_of = server.succeed("DescribeStateMachineForExecution", &named);
    assert_eq!(text(&machine_of, "definition"), PASS);
    assert!(machine_of.get("updateDate").is_some());

    assert_eq!(
        server.fail("StartExecution", &start_body("M", "e1", "{ }")),
        format!("ExecutionAlreadyExists: Execution Already Exists: '{arn}'")
    );
    let unknown = execution("M", "unknown");
    for action in ["DescribeExecution", "GetExecutionHistory", "StopExecution", "DescribeStateMachineForExecution"] {
        assert_eq!(
            server.fail(action, &format!(r#"{{"executionArn":"{unknown}"}}"#)),
            format!("ExecutionDoesNotExist: Execution Does Not Exist: '{unknown}'")
        );
    }
}

#[test]
fn stopping_and_listing() {
    let server = Server::start();
    create(&server, "W", WAIT);
    for name in ["e1", "e2", "e3"] {
        start(&server, "W", name, "{}");
        let again = start(&server, "W", name, "{}");
        assert_eq!(text(&again, "executionArn"), execution("W", name), "running under the same name and input");
    }
    let arn = execution("W", "e2");
    let stop = format!(r#"{{"executionArn":"{arn}","error":"E","cause":"C"}}"#);
    assert!(server.succeed("StopExecution", &stop).get("stopDate").is_some());
    let described = wait_for(&server, &arn, "ABORTED");
    assert_eq!((text(&described, "error"), text(&described, "cause")), ("E", "C"));

    let list = |filter: &str| -> Vec<String> {
        let body = format!(r#"{{"stateMachineArn":"{}"{filter}}}"#, machine("W"));
        let page = server.succeed("ListExecutions", &body);
        let executions = page.get("executions").and_then(Value::as_array).unwrap();
        let rows = executions.iter().map(|row| format!("{} {}", text(row, "name"), text(row, "status")));
        // Started within one millisecond, their order is not said.
        rows.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    };
    assert_eq!(list(r#","statusFilter":"ABORTED""#), ["e2 ABORTED"]);
    assert_eq!(list(r#","statusFilter":"RUNNING""#), ["e1 RUNNING", "e3 RUNNING"]);
    assert_eq!(list("").len(), 3);
}

#[test]
fn versions_and_aliases() {
    let server = Server::start();
    let arn = machine("V");
    let body = create_body("V", PASS, ROLE).replacen('{', r#"{"publish":true,"versionDescription":"first","#, 1);
    assert_eq!(text(&server.succeed("CreateStateMachine", &body), "stateMachineVersionArn"), format!("{arn}:1"));
    let version = server.succeed("DescribeStateMachine", &format!(r#"{{"stateMachineArn":"{arn}:1"}}"#));
    assert_eq!((text(&version, "description"), text(&version, "status")), ("first", "ACTIVE"));
    let bare = format!(r#"{{"stateMachineArn":"{arn}:1","includedData":"METADATA_ONLY"}}"#);
    let bare = server.succeed("DescribeStateMachine", &bare);
    assert_eq!((text(&bare, "definition"), bare.get("description")), ("{}", None));

    let route = format!(r#"[{{"stateMachineVersionArn":"{arn}:1","weight":100}}]"#);
    let alias = format!(r#"{{"name":"PROD","routingConfiguration":{route}}}"#);
    let alias = text(&server.succeed("CreateStateMachineAlias", &alias), "stateMachineAliasArn").to_string();
    assert_eq!(alias, format!("{arn}:PROD"));
    let started = server.succeed("StartExecution", &format!(r#"{{"stateMachineArn":"{alias}","name":"e"}}"#));
    let described = wait_for(&server, text(&started, "executionArn"), "SUCCEEDED");
    assert_eq!(text(&described, "stateMachineArn"), arn);
    assert_eq!(text(&described, "stateMachineVersionArn"), format!("{arn}:1"));
    assert_eq!(text(&described, "stateMachineAliasArn"), alias);
    for (listed, count) in [(&*alias, 1), (&*format!("{arn}:1"), 1), (&*arn, 1)] {
        let page = server.succeed("ListExecutions", &format!(r#"{{"stateMachineArn":"{listed}"}}"#));
        assert_eq!(page.get("executions").and_then(Value::as_array).map(<[Value]>::len), Some(count), "{listed}");
    }
    let named = format!(r#"{{"stateMachineAliasArn":"{alias}"}}"#);
    let refused = server.fail("UpdateStateMachineAlias", &named);
    assert_eq!(refused, "ValidationException: Either the description or the RoutingConfiguration must be specified");
    let plain = format!(r#"{{"stateMachineAliasArn":"{arn}"}}"#);
    assert!(server.fail("DescribeStateMachineAlias", &plain).starts_with("InvalidArn: "));
    let unknown = format!(r#"{{"stateMachineArn":"{arn}-other"}}"#);
    assert!(server.fail("ListStateMachineVersions", &unknown).starts_with("InvalidArn: "));
    assert!(server.fail("ListStateMachineAliases", &unknown).starts_with("StateMachineDoesNotExist: "));
    server.succeed("DeleteStateMachineAlias", &named);
    server.succeed("DeleteStateMachineVersion", &format!(r#"{{"stateMachineVersionArn":"{arn}:1"}}"#));
    assert_eq!(
        server.fail("StartExecution", &format!(r#"{{"stateMachineArn":"{alias}"}}"#)),
        format!("StateMachineDoesNotExist: State Machine Does Not Exist: '{alias}'")
    );
}

#[test]
fn tests_of_states() {
    let server = Server::start();
    let body = |members: &[(&str, Value)]| Value::object(members.iter().cloned()).to_string();
    let pass = ("definition", Value::from(r#"{"Type":"Pass","Result":[1, 2],"Next":"N"}"#));
    let plain = server.succeed("TestState", &body(std::slice::from_ref(&pass)));
    assert_eq!(plain.to_string(), r#"{"output":"[1,2]","nextState":"N","status":"SUCCEEDED"}"#);
    let inspected = server.succeed("TestState", &body(&[pass.clone(), ("inspectionLevel", Value::from("TRACE"))]));
    let data = inspected.get("inspectionData").map(Value::to_string);
    let expected = r#"{"input":"{}","result":"[1,2]","afterResultSelector":"[1,2]","afterResultPath":"[1,2]"}"#;
    assert_eq!(data.as_deref(), Some(expected));

    let task = |more: &str| {
        let state = format!(r#"{{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","End":true{more}}}"#);
        ("definition", Value::from(state))
    };
    let role = ("roleArn", Value::from(ROLE));
    // No task of this server ever ends by itself.
    let ran = server.succeed("TestState", &body(&[task(r#","TimeoutSeconds":1"#), role]));
    assert_eq!((text(&ran, "status"), text(&ran, "error")), ("FAILED", "States.Timeout"));
    let mock = ("mock", Value::object([("result", Value::from("[]"))]));
    let long = ("context", Value::from("[]"));
    for (members, expected) in [
        (vec![task("")], "ValidationException: RoleArn must be specified when testing a Task state"),
        (
            vec![pass.clone(), mock.clone()],
            "ValidationException: State type 'Pass' is not supported when a mock is specified",
        ),
        (
            vec![task(""), ("mock", Value::empty_object())],
            "ValidationException: A test mock should have only one of the following fields: [result, errorOutput].",
        ),
        (
            vec![task(r#","TimeoutSeconds":0"#), mock.clone()],
            "InvalidDefinition: Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: Minimum value is 1 at \
             /States/StateName/TimeoutSeconds'",
        ),
        (
            vec![task(""), ("mock", Value::object([("errorOutput", Value::empty_object())])), long],
            "ValidationException: Invalid Context object provided: it must be a JSON object",
        ),
    ] {
        assert_eq!(server.fail("TestState", &body(&members)), expected);
    }
}

#[test]
fn express() {
    let server = Server::start();
    let body = create_body("X", PASS, ROLE).replacen('{', r#"{"type":"EXPRESS","#, 1);
    server.succeed("CreateStateMachine", &body);
    let named = format!(r#"{{"stateMachineArn":"{}"}}"#, machine("X"));
    assert_eq!(text(&server.succeed("DescribeStateMachine", &named), "type"), "EXPRESS");
    let prefix = "arn:aws:states:us-east-1:123456789012:express:X:";
    let started = server.succeed("StartExecution", &named);
    assert!(text(&started, "executionArn").starts_with(prefix), "{started}");
    let ended = server.succeed("StartSyncExecution", &named);
    assert!(text(&ended, "executionArn").starts_with(&format!("{prefix}{}:", text(&ended, "name"))), "{ended}");
    assert_eq!(
        (text(&ended, "status"), text(&ended, "input"), text(&ended, "output")),
        ("SUCCEEDED", "{}", r#"{"x":1}"#)
    );
    create(&server, "S", PASS);
    assert_eq!(
        server.fail("StartSyncExecution", &format!(r#"{{"stateMachineArn":"{}"}}"#, machine("S"))),
        "StateMachineTypeNotSupported: This operation is not supported by this type of state machine"
    );
    assert_eq!(
        server.fail("ListExecutions", &named),
        "StateMachineTypeNotSupported: This operation is not supported by this type of state machine"
    );
    let express = r#"{"executionArn":"arn:aws:states:us-east-1:123456789012:express:X:e:u"}"#;
    assert_eq!(
        server.fail("DescribeExecution", express),
        "InvalidArn: Invalid Arn: 'Resource type not valid in this context: express'"
    );
}

#[test]
fn redrives() {
    let server = Server::start();
    create(&server, "M", r#"{"StartAt":"F","States":{"F":{"Type":"Fail","Error":"E"}}}"#);
    let started = server.succeed("StartExecution", &format!(r#"{{"stateMachineArn":"{}"}}"#, machine("M")));
    let arn = text(&started, "executionArn").to_string();
    let named = format!(r#"{{"executionArn":"{arn}"}}"#);
    let described = server.succeed("DescribeExecution", &named);
    assert_eq!((text(&described, "status"), text(&described, "redriveStatus")), ("FAILED", "REDRIVABLE"));
    let token = format!(r#"{{"executionArn":"{arn}","clientToken":"t"}}"#);
    let redriven = server.succeed("RedriveExecution", &token);
    assert_eq!(server.succeed("RedriveExecution", &token), redriven);
    let described = server.succeed("DescribeExecution", &named);
    assert_eq!(described.get("redriveCount"), Some(&Value::from(1)));
    assert_eq!(described.get("redriveDate"), redriven.get("redriveDate"));
    let page = server.succeed("ListExecutions", &format!(r#"{{"stateMachineArn":"{}"}}"#, machine("M")));
    let row = &page.get("executions").and_then(Value::as_array).unwrap()[0];
    assert_eq!(row.get("redriveDate"), redriven.get("redriveDate"));
    let history = server.succeed("GetExecutionHistory", &named);
    let events = history.get("events").and_then(Value::as_array).unwrap();
    assert_eq!(events[3].get("executionRedrivenEventDetails").unwrap().to_string(), r#"{"redriveCount":1}"#);
    create(&server, "P", PASS);
    let started = server.succeed("StartExecution", &format!(r#"{{"stateMachineArn":"{}"}}"#, machine("P")));
    let arn = text(&started, "executionArn").to_string();
    assert_eq!(
        server.fail("RedriveExecution", &format!(r#"{{"executionArn":"{arn}"}}"#)),
        format!(
            "ExecutionNotRedrivable: Execution Not Redrivable: '{arn}'. Execution is SUCCEEDED and cannot be redriven"
        )
    );
    assert_eq!(
        server.fail("RedriveExecution", &format!(r#"{{"executionArn":"{arn}","clientToken":"a b"}}"#)),
        "ValidationException: 1 validation error detected: Value 'a b' at 'clientToken' failed to satisfy constraint: \
         Member must satisfy regular expression pattern: [!-~]+"
    );
}

#[test]
fn activities_and_task_tokens() {
    let server = Server::start();
    let created = server.succeed("CreateActivity", r#"{"name":"A"}"#);
    let arn = text(&created, "activityArn").to_string();
    let named = format!(r#"{{"activityArn":"{arn}"}}"#);
    let definition = format!(r#"{{"StartAt":"T","States":{{"T":{{"Type":"Task","Resource":"{arn}","End":true}}}}}}"#);
    create(&server, "M", &definition);

    start(&server, "M", "good", r#"{"n": 1}"#);
    let task = server.succeed("GetActivityTask", &named);
    assert_eq!(text(&task, "input"), r#"{"n": 1}"#);
    let token = text(&task, "taskToken").to_string();
    server.succeed("SendTaskHeartbeat", &format!(r#"{{"taskToken":"{token}"}}"#));
    let not_json = format!(r#"{{"taskToken":"{token}","output":"not json"}}"#);
    assert!(
        server.fail("SendTaskSuccess", &not_json).starts_with("InvalidOutput: Invalid Output: 'Unrecognized token")
    );
    let success = format!(r#"{{"taskToken":"{token}","output":"[1, 2]"}}"#);
    server.succeed("SendTaskSuccess", &success);
    assert_eq!(text(&wait_for(&server, &execution("M", "good"), "SUCCEEDED"), "output"), "[1, 2]");
    let gone = "TaskTimedOut: Task Timed Out: 'Provided task does not exist anymore'";
    assert_eq!(server.fail("SendTaskSuccess", &success), gone);

    start(&server, "M", "bad", "{}");
    let task = server.succeed("GetActivityTask", &named);
    let failure = format!(r#"{{"taskToken":"{}"}}"#, text(&task, "taskToken"));
    server.succeed("SendTaskFailure", &failure);
    let failed = wait_for(&server, &execution("M", "bad"), "FAILED");
    assert!(failed.get("error").is_none() && failed.get("cause").is_none(), "{failed}");

    for action in ["SendTaskHeartbeat", "SendTaskFailure"] {
        let error = server.fail(action, r#"{"taskToken":"x"}"#);
        assert_eq!(error, "InvalidToken: Invalid Token: 'Invalid token'");
    }

    let described = server.succeed("DescribeActivity", &named);
    assert_eq!(described.get("creationDate"), created.get("creationDate"));
    server.succeed("DeleteActivity", &named);
    server.succeed("DeleteActivity", &named);
    let absent = format!("ActivityDoesNotExist: Activity Does Not Exist: '{arn}'");
    assert_eq!(server.fail("DescribeActivity", &named), absent);
    assert_eq!(server.fail("GetActivityTask", &named), absent);
}

#[test]
fn tags() {
    let server = Server::start();
    create(&server, "M", PASS);
    let arn = machine("M");
    let call = |action: &str, members: &str| {
        server.succeed(action, &format!(r#"{{"resourceArn":"{arn}"{members}}}"#)).to_string()
    };
    assert_eq!(call("ListTagsForResource", ""), r#"{"tags":[]}"#);
    assert_eq!(call("TagResource", r#","tags":[{"key":"k1","value":"v"},{"key":"k2","value":""}]"#), "{}");
    let both = r#"{"tags":[{"key":"k1","value":"v"},{"key":"k2","value":""}]}"#;
    assert_eq!(call("ListTagsForResource", ""), both);
    assert_eq!(call("UntagResource", r#","tagKeys":["k1","k1","none"]"#), "{}");
    assert_eq!(call("ListTagsForResource", ""), r#"{"tags":[{"key":"k2","value":""}]}"#);

    let unknown = machine("unknown");
    assert_eq!(
        server.fail("ListTagsForResource", &format!(r#"{{"resourceArn":"{unknown}"}}"#)),
        format!("ResourceNotFound: Resource not found: '{unknown}'")
    );
}

#[test]
fn a_connection_is_kept_and_pipelined_calls_are_answered_in_order() {
    let server = Server::start();
    let mut stream = server.connect();
    let first = post("AWSStepFunctions.ListActivities", b"{}");
    let second = post("AWSStepFunctions.ListStateMachines", b"{}");
    stream.write_all(&[first, second].concat()).unwrap();
    let mut bytes = String::new();
    // Both answers may come in one read: take what has come as one answer's body and look for both.
    while !bytes.contains("stateMachines") {
        let answer = Answer::read_some(&mut stream);
        bytes.push_str(&answer);
    }
    let (activities, machines) = (bytes.find("\"activities\"").unwrap(), bytes.find("\"stateMachines\"").unwrap());
    assert!(activities < machines);
}

#[test]
fn a_stop_answers_pollers_and_refuses_new_connections() {
    let mut server = Server::start();
    let created = server.succeed("CreateActivity", r#"{"name":"A"}"#);
    let body = format!(r#"{{"activityArn":"{}"}}"#, text(&created, "activityArn"));
    let mut poller = server.connect();
    poller.write_all(&post("AWSStepFunctions.GetActivityTask", body.as_bytes())).unwrap();
    // A call on another connection is answered after the server has taken the first one on.
    server.succeed("ListActivities", "{}");
    server.stop();
    let answer = Answer::read(&mut poller);
    // Not yet read when the server stopped: then the connection simply ends.
    assert!(answer.is_none_or(|answer| answer.status == 200 && answer.body == b"{}"));
    assert!(std::net::TcpStream::connect(server.address).is_err());
}
