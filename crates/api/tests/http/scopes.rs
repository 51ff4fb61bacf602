//! Whose a call is, as the server reads it.

use stepwell_expr::Value;

use crate::server::{Answer, Server, post};

const ROLE: &str = "arn:aws:iam::123456789012:role/r";
const PASS: &str = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Result":{"x":1},"End":true}}}"#;
const HERE: &str = "";
const THERE: &str = "eu-west-1";

fn signed(key: &str, region: &str) -> String {
    format!(
        "Authorization: AWS4-HMAC-SHA256 Credential={key}/20260314/{region}/states/aws4_request, \
         SignedHeaders=host, Signature=00\r\n"
    )
}

/// Calls an action with further header lines.
fn call(server: &Server, header: &str, action: &str, body: &str) -> Answer {
    let bytes = String::from_utf8(post(&format!("AWSStepFunctions.{action}"), body.as_bytes())).unwrap();
    server.send(bytes.replacen("Host:", &format!("{header}Host:"), 1).as_bytes())
}

fn call_in(server: &Server, region: &str, action: &str, body: &str) -> Value {
    let header = if region == HERE { String::new() } else { signed("AKID", region) };
    let answer = call(server, &header, action, body);
    assert_eq!(answer.status, 200, "{action} {body}: {}", answer.json());
    answer.json()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("no text `{name}` in {value}"))
}

fn create_body() -> String {
    let members = [("name", "M"), ("definition", PASS), ("roleArn", ROLE)];
    Value::object(members.map(|(name, value)| (name, Value::from(value)))).to_string()
}

/// The ARNs of all state machines that a header shows.
fn listed(server: &Server, header: &str) -> Vec<String> {
    let list = call(server, header, "ListStateMachines", "{}").json();
    let machines = list.get("stateMachines").and_then(Value::as_array).unwrap();
    machines.iter().map(|machine| text(machine, "stateMachineArn").to_owned()).collect()
}

#[test]
fn what_a_call_makes_is_where_it_is_signed_for() {
    let server = Server::start();
    let cases = [
        (String::new(), "us-east-1:123456789012"),
        (signed("AKID", "eu-west-1"), "eu-west-1:123456789012"),
        (signed("111122223333", "us-east-1"), "us-east-1:111122223333"),
        ("x-stepwell-owner: ap-south-1/444455556666\r\n".to_owned(), "ap-south-1:444455556666"),
    ];
    for (header, owner) in &cases {
        let created = call(&server, header, "CreateStateMachine", &create_body()).json();
        assert_eq!(text(&created, "stateMachineArn"), format!("arn:aws:states:{owner}:stateMachine:M"));
        let created = call(&server, header, "CreateActivity", r#"{"name":"A"}"#).json();
        assert_eq!(text(&created, "activityArn"), format!("arn:aws:states:{owner}:activity:A"));
    }
    for (header, owner) in &cases {
        assert_eq!(listed(&server, header), [format!("arn:aws:states:{owner}:stateMachine:M")]);
        let list = call(&server, header, "ListActivities", "{}").json();
        let activities = list.get("activities").and_then(Value::as_array).unwrap();
        assert_eq!(activities.len(), 1);
        assert_eq!(text(&activities[0], "activityArn"), format!("arn:aws:states:{owner}:activity:A"));
    }
    assert_eq!(listed(&server, &signed("AKID", "sa-east-1")), Vec::<String>::new());
}

#[test]
fn an_arn_names_its_resource_for_everyone() {
    let server = Server::start();
    let created = call_in(&server, THERE, "CreateStateMachine", &create_body());
    let arn = text(&created, "stateMachineArn");
    let body = format!(r#"{{"stateMachineArn":"{arn}","name":"E"}}"#);
    let started = call_in(&server, HERE, "StartExecution", &body);
    assert_eq!(text(&started, "executionArn"), "arn:aws:states:eu-west-1:123456789012:execution:M:E");
    let body = format!(r#"{{"stateMachineArn":"{arn}"}}"#);
    assert_eq!(text(&call_in(&server, HERE, "DescribeStateMachine", &body), "name"), "M");
    let executions = call_in(&server, "sa-east-1", "ListExecutions", &body);
    assert_eq!(executions.get("executions").and_then(Value::as_array).map(<[Value]>::len), Some(1));
}

#[test]
fn a_state_is_tested_where_the_call_is_signed_for() {
    let server = Server::start();
    let state = r#"{\"Type\":\"Pass\",\"Parameters\":{\"id.$\":\"$$.StateMachine.Id\"},\"End\":true}"#;
    let tested = call_in(&server, THERE, "TestState", &format!(r#"{{"definition":"{state}"}}"#));
    assert!(text(&tested, "output").contains("arn:aws:states:eu-west-1:123456789012:stateMachine:"), "{tested}");
}

#[test]
fn regions_have_a_shape() {
    let server = Server::start();
    let answer = call(&server, &signed("AKID", "eu_west"), "ListStateMachines", "{}");
    assert_eq!(answer.code(), "400 InvalidSignatureException");
    assert_eq!(text(&answer.json(), "message"), "Credential should be scoped to a valid region, not 'eu_west'.");
    let answer = call(&server, "x-stepwell-owner: eu-west-1\r\n", "ListStateMachines", "{}");
    assert_eq!(answer.code(), "400 ValidationException");
}

#[test]
fn the_console_is_told_who_has_something() {
    let server = Server::start();
    call_in(&server, THERE, "CreateActivity", r#"{"name":"A"}"#);
    let state = |header: &str| {
        server.send(format!("GET /console/api/state HTTP/1.1\r\nHost: localhost\r\n{header}\r\n").as_bytes()).json()
    };
    let own = state("");
    assert_eq!((text(&own, "region"), text(&own, "account")), ("us-east-1", "123456789012"));
    let owners = own.get("owners").and_then(Value::as_array).unwrap();
    let regions: Vec<&str> = owners.iter().map(|owner| text(owner, "region")).collect();
    assert_eq!(regions, ["eu-west-1", "us-east-1"]);
    let other = state("x-stepwell-owner: eu-west-1/123456789012\r\n");
    assert_eq!(text(&other, "region"), "eu-west-1");
    assert_eq!(other.get("own"), own.get("own"));
}
