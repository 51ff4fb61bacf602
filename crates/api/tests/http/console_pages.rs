//! What the console's pages read and do: sessions, waiting tasks, search, Express executions, activities, state.

use stepwell_expr::Value;

use crate::server::Server;

const ROLE: &str = "arn:aws:iam::123456789012:role/r";
const PREFIX: &str = "arn:aws:states:us-east-1:123456789012";

fn get(server: &Server, path: &str) -> Value {
    let answer = server.send(format!("GET /console/api/{path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
    assert_eq!(answer.status, 200, "{path}: {}", answer.json());
    answer.json()
}

fn write(server: &Server, path: &str, headers: &str, body: &str) -> (u16, String) {
    let length = body.len();
    let head = format!("POST /console/api/{path} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {length}\r\n");
    let answer = server.send(format!("{head}\r\n{body}").as_bytes());
    (answer.status, answer.json().to_string())
}

/// The headers that a page of ours sends with what it writes.
fn session(server: &Server) -> String {
    let answer = server.send(b"GET /console/api/session HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let set = answer.cookie.as_deref().unwrap_or_default();
    assert!(set.ends_with("; HttpOnly; SameSite=Strict"), "{set}");
    let cookie = set.split(';').next().unwrap_or_default();
    format!("Cookie: {cookie}\r\nX-Stepwell-Token: {}\r\n", text(&answer.json(), "token"))
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_string()
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).unwrap()
}

fn names(value: &Value, list_name: &str, name: &str) -> Vec<String> {
    list(value, list_name).iter().map(|item| text(item, name)).collect()
}

fn machine(server: &Server, name: &str, definition: &str, machine_type: &str) {
    let members = [("name", name), ("definition", definition), ("roleArn", ROLE), ("type", machine_type)];
    server.succeed("CreateStateMachine", &Value::object(members.map(|(name, value)| (name, value.into()))).to_string());
}

fn start(server: &Server, machine: &str, name: &str, input: &str) {
    let arn = format!("{PREFIX}:stateMachine:{machine}");
    let members = [("stateMachineArn", arn.as_str()), ("name", name), ("input", input)];
    server.succeed("StartExecution", &Value::object(members.map(|(name, value)| (name, value.into()))).to_string());
}

fn until(server: &Server, arn: &str, status: &str) {
    let described = || server.succeed("DescribeExecution", &format!(r#"{{"executionArn":"{arn}"}}"#));
    assert!((0..10_000).any(|_| text(&described(), "status") == status), "{arn} never is {status}");
}

const CALLBACK: &str = r#"{"StartAt":"Ask","States":{"Ask":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","Parameters":{"QueueUrl":"q","MessageBody":{"token.$":"$$.Task.Token"}},"TimeoutSeconds":600,"End":true}}}"#;

#[test]
fn a_waiting_task_is_found_and_answered_by_a_page_of_ours_alone() {
    let server = Server::start();
    machine(&server, "plain", r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":600,"End":true}}}"#, "STANDARD");
    machine(&server, "asks", CALLBACK, "STANDARD");
    start(&server, "plain", "p", "{}");
    start(&server, "asks", "yes", "{}");
    start(&server, "asks", "no", "{}");
    let found = get(&server, "tasks");
    assert_eq!(found.get("examined"), Some(&3.into()));
    assert_eq!(found.get("next"), None);
    let mut executions = names(&found, "tasks", "executionArn");
    executions.sort();
    let arn = |name: &str| format!("{PREFIX}:execution:asks:{name}");
    assert_eq!(executions, [arn("no"), arn("yes")]);
    let task = &list(&found, "tasks")[0];
    assert_eq!((text(task, "state"), text(task, "kind")), ("Ask".into(), "callback".into()));
    assert_eq!(text(task, "resource"), "arn:aws:states:::sqs:sendMessage.waitForTaskToken");
    assert!(text(task, "input").contains(r#""QueueUrl":"q""#) && task.get("timesOut").is_some());
    let id = task.get("task").unwrap().to_string();

    let path = |name: &str| format!("executions/{}/tasks/{id}", arn(name).replace(':', "%3A"));
    let (status, body) = write(&server, &path("yes"), "", r#"{"output":"1"}"#);
    assert_eq!(status, 403, "{body}");
    let own = session(&server);
    let foreign = format!("Sec-Fetch-Site: cross-site\r\n{own}");
    assert_eq!(write(&server, &path("yes"), &foreign, r#"{"output":"1"}"#).0, 403);
    let (status, body) = write(&server, &path("yes"), &own, r#"{"output":"{"}"#);
    assert!(status == 400 && body.contains("InvalidOutput"), "{body}");
    assert_eq!(write(&server, &path("yes"), &own, r#"{"output":"{\"approved\":true}"}"#), (200, "{}".into()));
    assert_eq!(write(&server, &path("no"), &own, r#"{"error":"Refused","cause":"too dear"}"#), (200, "{}".into()));
    until(&server, &arn("yes"), "SUCCEEDED");
    until(&server, &arn("no"), "FAILED");
    let (status, body) = write(&server, &path("yes"), &own, r#"{"output":"1"}"#);
    assert!(status == 400 && body.contains("TaskTimedOut"), "{body}");
    assert_eq!(list(&get(&server, "tasks"), "tasks").len(), 0);
    assert_eq!(write(&server, "nothing", &own, "{}").0, 404);
}

#[test]
fn a_task_that_a_worker_took_waits_too() {
    let server = Server::start();
    server.succeed("CreateActivity", r#"{"name":"a"}"#);
    let activity = format!("{PREFIX}:activity:a");
    let definition =
        format!(r#"{{"StartAt":"T","States":{{"T":{{"Type":"Task","Resource":"{activity}","End":true}}}}}}"#);
    machine(&server, "works", &definition, "STANDARD");
    start(&server, "works", "e", r#"{"n":1}"#);
    let arn = format!("{PREFIX}:execution:works:e");
    let path = format!("executions/{}/tasks", arn.replace(':', "%3A"));
    assert_eq!(list(&get(&server, &path), "tasks").len(), 0, "nobody has its token");
    let queue = get(&server, &format!("activities/{}", activity.replace(':', "%3A")));
    assert_eq!(queue.get("waiting"), Some(&1.into()));
    assert_eq!(names(&queue, "tasks", "executionArn"), [arn.as_str()]);
    let all = get(&server, "activities");
    let one = &list(&all, "activities")[0];
    assert_eq!((one.get("waiting"), one.get("workers")), (Some(&1.into()), Some(&0.into())));
    server.succeed("GetActivityTask", &format!(r#"{{"activityArn":"{activity}","workerName":"w"}}"#));
    let found = get(&server, &path);
    assert_eq!(names(&found, "tasks", "kind"), ["activity"]);
    assert_eq!(names(&found, "tasks", "input"), [r#"{"n":1}"#]);
}

#[test]
fn search() {
    let server = Server::start();
    let check = r#"{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{"Variable":"$.ok","BooleanEquals":true,"Next":"S"}],"Default":"F"},"S":{"Type":"Pass","Result":{"done":[{"id":"R-7"}]},"End":true},"F":{"Type":"Fail","Error":"Order.Bad","Cause":"c"}}}"#;
    machine(&server, "one", check, "STANDARD");
    machine(&server, "two", check, "STANDARD");
    let large = format!(r#"{{"ok":true,"id":"deep","pad":"{}","last":"Needle"}}"#, "x".repeat(6_000));
    for (machine, name, input) in [
        ("one", "first-good", r#"{"ok":true,"order":{"id":"A-1"}}"#),
        ("two", "second-bad", r#"{"ok":false,"order":{"id":"A-2"}}"#),
        ("one", "third-large", large.as_str()),
    ] {
        start(&server, machine, name, input);
        let status = if name.ends_with("bad") { "FAILED" } else { "SUCCEEDED" };
        until(&server, &format!("{PREFIX}:execution:{machine}:{name}"), status);
    }
    let found = |query: &str| names(&get(&server, &format!("search?{query}")), "executions", "name");
    assert_eq!(found(""), ["third-large", "second-bad", "first-good"]);
    assert_eq!(found("name=SECOND"), ["second-bad"]);
    assert_eq!(found("status=FAILED"), ["second-bad"]);
    assert_eq!(found("status=FAILED&status=SUCCEEDED&name=first"), ["first-good"]);
    assert_eq!(found(&format!("machine={PREFIX}:stateMachine:one")), ["third-large", "first-good"]);
    assert_eq!(found("error=order.b"), ["second-bad"]);
    assert_eq!(found("input=%24.order.id%3DA-1"), ["first-good"]);
    assert_eq!(found("input=a-2"), ["second-bad"]);
    assert_eq!(found("input=needle"), ["third-large"]);
    assert_eq!(found("output=%24.done.id%3DR-7"), ["third-large", "first-good"]);
    assert_eq!(found("until=5"), Vec::<String>::new());
    assert_eq!(found("from=5").len(), 3);
    assert_eq!(found("input=nowhere"), Vec::<String>::new());
    let failed = get(&server, "search?status=FAILED");
    assert_eq!(names(&failed, "executions", "error"), ["Order.Bad"]);
    let one = format!("{PREFIX}:stateMachine:one");
    let counts = get(&server, &format!("counts?machine={one}&machine=unknown"));
    let [of_one, of_none] = list(&counts, "machines") else { panic!("{counts}") };
    let numbers = |of: &Value| ["RUNNING", "SUCCEEDED", "FAILED"].map(|name| of.get(name).cloned().unwrap());
    assert_eq!(numbers(of_one), [0.into(), 2.into(), 0.into()]);
    assert_eq!(numbers(of_none), [0.into(), 0.into(), 0.into()]);
    let answer = server.send(b"GET /console/api/search?status=x HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(answer.code(), "400 ValidationException");
}

#[test]
fn a_search_goes_on_where_it_stopped() {
    let server = Server::start();
    machine(&server, "many", r#"{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}"#, "STANDARD");
    let count = stepwell_api::limits::CONSOLE_PAGE * 2 + 1;
    for number in 0..count {
        start(&server, "many", &format!("e{number}"), "{}");
    }
    until(&server, &format!("{PREFIX}:execution:many:e{}", count - 1), "SUCCEEDED");
    let (mut all, mut after) = (Vec::new(), String::new());
    for _ in 0..3 {
        let page = get(&server, &format!("search?after={after}"));
        all.extend(names(&page, "executions", "name"));
        after = text(&page, "next");
    }
    assert_eq!((all.len(), after.as_str()), (count, ""));
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count, "each is found once");
}

#[test]
fn express_executions_that_ended() {
    let server = Server::start();
    let definition = r#"{"StartAt":"P","States":{"P":{"Type":"Pass","Result":{"quick":true},"End":true}}}"#;
    machine(&server, "quick", definition, "EXPRESS");
    let arn = format!("{PREFIX}:stateMachine:quick");
    let ended = server.succeed("StartSyncExecution", &format!(r#"{{"stateMachineArn":"{arn}","input":"{{}}"}}"#));
    let execution = text(&ended, "executionArn");
    let listed = get(&server, &format!("search?type=EXPRESS&machine={arn}"));
    assert_eq!(names(&listed, "executions", "executionArn"), [execution.as_str()]);
    assert_eq!(list(&get(&server, "search?type=EXPRESS&machine=other"), "executions").len(), 0);
    assert_eq!(list(&get(&server, "search?type=EXPRESS&output=QUICK"), "executions").len(), 1);
    assert_eq!(list(&get(&server, "search?type=EXPRESS&status=FAILED"), "executions").len(), 0);
    let encoded = execution.replace(':', "%3A");
    assert_eq!(text(&get(&server, &format!("express/{encoded}")), "output"), r#"{"quick":true}"#);
    let events = get(&server, &format!("executions/{encoded}/events"));
    let expected = ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"];
    assert_eq!(names(&events, "events", "type"), expected);
    let rest = get(&server, &format!("executions/{encoded}/events?after=3"));
    assert_eq!(names(&rest, "events", "type"), ["ExecutionSucceeded"]);
    let one = get(&server, &format!("executions/{encoded}/events/4"));
    assert_eq!(text(one.get("event").unwrap(), "type"), "ExecutionSucceeded");
    let gone = format!("GET /console/api/express/{encoded}x HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(server.send(gone.as_bytes()).code(), "400 ExecutionDoesNotExist");
}

#[test]
fn express_executions_that_run() {
    let server = Server::start();
    let definition = r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":200,"End":true}}}"#;
    machine(&server, "slow", definition, "EXPRESS");
    let arn = format!("{PREFIX}:stateMachine:slow");
    let started = server.succeed("StartExecution", &format!(r#"{{"stateMachineArn":"{arn}","input":"[7]"}}"#));
    let execution = text(&started, "executionArn");
    let encoded = execution.replace(':', "%3A");
    let events = || get(&server, &format!("executions/{encoded}/events"));
    // It begins in a task of its own.
    while list(&events(), "events").len() < 2 {
        std::thread::yield_now();
    }
    let events = events();
    assert_eq!(names(&events, "events", "type"), ["ExecutionStarted", "WaitStateEntered"]);
    assert_eq!((events.get("more"), events.get("ended")), (Some(&false.into()), Some(&false.into())));
    let found = get(&server, &format!("search?type=EXPRESS&machine={arn}&status=RUNNING&input=7"));
    let found = list(&found, "executions");
    assert_eq!((found.len(), text(&found[0], "executionArn")), (1, execution));
    assert_eq!((text(&found[0], "status"), found[0].get("stopDate")), ("RUNNING".to_owned(), None));
    assert_eq!(list(&get(&server, "search?type=EXPRESS&output=7"), "executions").len(), 0);
    let described = get(&server, &format!("express/{encoded}"));
    assert_eq!((text(&described, "status"), text(&described, "input")), ("RUNNING".to_owned(), "[7]".to_owned()));
    assert_eq!((described.get("stopDate"), described.get("billingDetails")), (None, None));
}

#[test]
fn state() {
    let server = Server::start();
    machine(&server, "m", r#"{"StartAt":"P","States":{"P":{"Type":"Succeed"}}}"#, "STANDARD");
    let state = get(&server, "state");
    assert_eq!(text(&state, "status"), "ok");
    let limit = |name: &str| list(&state, "limits").iter().find(|limit| text(limit, "name") == name).unwrap();
    assert_eq!(limit("State machines").get("used"), Some(&1.into()));
    assert_eq!(limit("Definition").get("used"), None);
}

#[test]
fn previews_of_expressions() {
    let server = Server::start();
    let own = session(&server);
    let ask = |headers: &str, body: &str| write(&server, "evaluate", headers, body);
    let double = r#"{"language": "JSONata", "expression": "$states.input.n * 2", "input": {"n": 21}}"#;
    assert_eq!(ask(&own, double), (200, r#"{"value":42}"#.into()));
    let (_, broken) = ask(&own, r#"{"language": "JSONata", "expression": "{% 1 + %}"}"#);
    assert!(broken.contains(r#""from":6"#), "{broken}");
    assert_eq!(ask(&own, "{}").0, 400);
    assert_eq!(ask("", double).0, 403);
}
