//! Every variant of [`Detail`], with data and without.

use std::sync::Arc;

use super::*;

fn payload(text: &str) -> Payload {
    Payload::from_checked_text(text)
}

/// The event's JSON after its envelope.
fn details(detail: Detail, data: Data) -> String {
    let event = HistoryEvent { id: 2, previous: 1, timestamp_ms: 1_716_800_000_123, detail };
    let mut writer = Writer::object();
    write(&mut writer, &event, data);
    let text = writer.end();
    let rest = text.strip_prefix(r#"{"timestamp":1716800000.123,"type":""#).expect("the envelope");
    let (type_name, rest) = rest.split_once('"').unwrap();
    let rest = rest.strip_prefix(r#","id":2,"previousEventId":1"#).expect("the envelope");
    format!("{type_name} {}", rest.strip_suffix('}').unwrap().trim_start_matches(','))
}

fn failure() -> Failure {
    Failure::new("E", "C")
}

fn service() -> ServiceResource {
    ServiceResource { kind: "lambda".into(), action: "invoke".into() }
}

fn cases() -> Vec<(Detail, &'static str)> {
    let name: Arc<str> = "S\"1".into();
    let assigned: Assigned = [("x".into(), payload("[1, 2]")), ("y\"".into(), payload("null"))].into();
    vec![
        (
            Detail::ExecutionStarted {
                input: payload("{ }"),
                role_arn: "arn:r".into(),
                version_arn: Some("arn:m:7".into()),
                alias_arn: Some("arn:m:PROD".into()),
            },
            r#"ExecutionStarted "executionStartedEventDetails":{"input":"{ }","inputDetails":{"truncated":false},"roleArn":"arn:r","stateMachineAliasArn":"arn:m:PROD","stateMachineVersionArn":"arn:m:7"}"#,
        ),
        (
            Detail::ExecutionSucceeded { output: payload("\"a\"") },
            r#"ExecutionSucceeded "executionSucceededEventDetails":{"output":"\"a\"","outputDetails":{"truncated":false}}"#,
        ),
        (
            Detail::ExecutionFailed(failure()),
            r#"ExecutionFailed "executionFailedEventDetails":{"error":"E","cause":"C"}"#,
        ),
        (
            Detail::ExecutionFailed(Failure { error: None, cause: Some("C".into()) }),
            r#"ExecutionFailed "executionFailedEventDetails":{"cause":"C"}"#,
        ),
        (
            Detail::ExecutionAborted(Failure { error: None, cause: None }),
            r#"ExecutionAborted "executionAbortedEventDetails":{}"#,
        ),
        (
            Detail::ExecutionTimedOut(Failure::named("States.Timeout")),
            r#"ExecutionTimedOut "executionTimedOutEventDetails":{"error":"States.Timeout"}"#,
        ),
        (
            Detail::StateEntered { kind: StateType::Pass, name: name.clone(), input: payload("1") },
            r#"PassStateEntered "stateEnteredEventDetails":{"name":"S\"1","input":"1","inputDetails":{"truncated":false}}"#,
        ),
        (
            Detail::StateExited {
                kind: StateType::Wait,
                name: name.clone(),
                output: payload("1"),
                assigned: [].into(),
            },
            r#"WaitStateExited "stateExitedEventDetails":{"name":"S\"1","output":"1","outputDetails":{"truncated":false}}"#,
        ),
        (
            Detail::StateExited { kind: StateType::Task, name: "S".into(), output: payload("1"), assigned },
            concat!(
                r#"TaskStateExited "stateExitedEventDetails":{"name":"S","output":"1","outputDetails":{"truncated":false},"#,
                r#""assignedVariables":{"x":"[1, 2]","y\"":"null"},"assignedVariablesDetails":{"truncated":false}}"#
            ),
        ),
        (
            Detail::LambdaFunctionScheduled {
                resource: "arn:f".into(),
                input: payload("1"),
                timeout_seconds: Some(5),
                credentials_role: Some("arn:r".into()),
            },
            concat!(
                r#"LambdaFunctionScheduled "lambdaFunctionScheduledEventDetails":{"resource":"arn:f","input":"1","#,
                r#""inputDetails":{"truncated":false},"timeoutInSeconds":5,"taskCredentials":{"roleArn":"arn:r"}}"#
            ),
        ),
        (Detail::LambdaFunctionStarted, "LambdaFunctionStarted "),
        (
            Detail::LambdaFunctionSucceeded { output: payload("1") },
            r#"LambdaFunctionSucceeded "lambdaFunctionSucceededEventDetails":{"output":"1","outputDetails":{"truncated":false}}"#,
        ),
        (
            Detail::LambdaFunctionFailed(failure()),
            r#"LambdaFunctionFailed "lambdaFunctionFailedEventDetails":{"error":"E","cause":"C"}"#,
        ),
        (
            Detail::LambdaFunctionTimedOut(Failure::named("States.Timeout")),
            r#"LambdaFunctionTimedOut "lambdaFunctionTimedOutEventDetails":{"error":"States.Timeout"}"#,
        ),
        (
            Detail::ActivityScheduled {
                resource: "arn:a".into(),
                input: payload("1"),
                timeout_seconds: None,
                heartbeat_seconds: Some(6),
            },
            concat!(
                r#"ActivityScheduled "activityScheduledEventDetails":{"resource":"arn:a","input":"1","#,
                r#""inputDetails":{"truncated":false},"heartbeatInSeconds":6}"#
            ),
        ),
        (
            Detail::ActivityStarted { worker: Some("w".into()) },
            r#"ActivityStarted "activityStartedEventDetails":{"workerName":"w"}"#,
        ),
        (Detail::ActivityStarted { worker: None }, r#"ActivityStarted "activityStartedEventDetails":{}"#),
        (
            Detail::ActivitySucceeded { output: payload("1") },
            r#"ActivitySucceeded "activitySucceededEventDetails":{"output":"1","outputDetails":{"truncated":false}}"#,
        ),
        (Detail::ActivityFailed(failure()), r#"ActivityFailed "activityFailedEventDetails":{"error":"E","cause":"C"}"#),
        (
            Detail::ActivityTimedOut(failure()),
            r#"ActivityTimedOut "activityTimedOutEventDetails":{"error":"E","cause":"C"}"#,
        ),
        (
            Detail::TaskScheduled {
                resource: service(),
                region: "us-east-1".into(),
                parameters: payload("{\"a\":null}"),
                timeout_seconds: Some(1),
                heartbeat_seconds: Some(2),
                credentials_role: None,
            },
            concat!(
                r#"TaskScheduled "taskScheduledEventDetails":{"resourceType":"lambda","resource":"invoke","#,
                r#""region":"us-east-1","parameters":"{\"a\":null}","timeoutInSeconds":1,"heartbeatInSeconds":2}"#
            ),
        ),
        (
            Detail::TaskStarted { resource: service() },
            r#"TaskStarted "taskStartedEventDetails":{"resourceType":"lambda","resource":"invoke"}"#,
        ),
        (
            Detail::TaskSubmitted { resource: service(), output: payload("1") },
            concat!(
                r#"TaskSubmitted "taskSubmittedEventDetails":{"resourceType":"lambda","resource":"invoke","#,
                r#""output":"1","outputDetails":{"truncated":false}}"#
            ),
        ),
        (
            Detail::TaskSucceeded { resource: service(), output: payload("1") },
            concat!(
                r#"TaskSucceeded "taskSucceededEventDetails":{"resourceType":"lambda","resource":"invoke","#,
                r#""output":"1","outputDetails":{"truncated":false}}"#
            ),
        ),
        (
            Detail::TaskFailed { resource: service(), failure: Failure { error: None, cause: None } },
            r#"TaskFailed "taskFailedEventDetails":{"resourceType":"lambda","resource":"invoke"}"#,
        ),
        (
            Detail::TaskTimedOut { resource: service(), failure: Failure::named("States.Timeout") },
            concat!(
                r#"TaskTimedOut "taskTimedOutEventDetails":{"resourceType":"lambda","resource":"invoke","#,
                r#""error":"States.Timeout"}"#
            ),
        ),
        (Detail::TaskStateAborted, "TaskStateAborted "),
        (Detail::WaitStateAborted, "WaitStateAborted "),
        (Detail::ParallelStateStarted, "ParallelStateStarted "),
        (Detail::ParallelStateSucceeded, "ParallelStateSucceeded "),
        (Detail::ParallelStateFailed, "ParallelStateFailed "),
        (Detail::ParallelStateAborted, "ParallelStateAborted "),
        (Detail::MapStateStarted { length: 0 }, r#"MapStateStarted "mapStateStartedEventDetails":{"length":0}"#),
        (Detail::MapStateSucceeded, "MapStateSucceeded "),
        (Detail::MapStateFailed, "MapStateFailed "),
        (Detail::MapStateAborted, "MapStateAborted "),
        (
            Detail::MapIterationStarted { name: "M".into(), index: 0 },
            r#"MapIterationStarted "mapIterationStartedEventDetails":{"name":"M","index":0}"#,
        ),
        (
            Detail::MapIterationSucceeded { name: "M".into(), index: 1 },
            r#"MapIterationSucceeded "mapIterationSucceededEventDetails":{"name":"M","index":1}"#,
        ),
        (
            Detail::MapIterationFailed { name: "M".into(), index: 2 },
            r#"MapIterationFailed "mapIterationFailedEventDetails":{"name":"M","index":2}"#,
        ),
        (
            Detail::MapIterationAborted { name: "M".into(), index: 3 },
            r#"MapIterationAborted "mapIterationAbortedEventDetails":{"name":"M","index":3}"#,
        ),
        (
            Detail::EvaluationFailed { failure: failure(), location: Some("Output".into()), state: "S".into() },
            r#"EvaluationFailed "evaluationFailedEventDetails":{"error":"E","cause":"C","location":"Output","state":"S"}"#,
        ),
        (
            Detail::EvaluationFailed { failure: failure(), location: None, state: "S".into() },
            r#"EvaluationFailed "evaluationFailedEventDetails":{"error":"E","cause":"C","state":"S"}"#,
        ),
    ]
}

#[test]
fn with_data() {
    for (detail, expected) in cases() {
        assert_eq!(details(detail, Data::All), expected);
    }
}

/// Without data the texts and their details vanish; names, roles, resources, errors and causes stay.
#[test]
fn without_data() {
    let absent = || Payload::absent(1, 10);
    let cases = [
        (
            Detail::ExecutionStarted { input: absent(), role_arn: "arn:r".into(), version_arn: None, alias_arn: None },
            r#"ExecutionStarted "executionStartedEventDetails":{"roleArn":"arn:r"}"#,
        ),
        (Detail::ExecutionSucceeded { output: absent() }, r#"ExecutionSucceeded "executionSucceededEventDetails":{}"#),
        (
            Detail::StateExited {
                kind: StateType::Choice,
                name: "C".into(),
                output: absent(),
                assigned: [("x".into(), absent())].into(),
            },
            r#"ChoiceStateExited "stateExitedEventDetails":{"name":"C"}"#,
        ),
        (
            Detail::TaskScheduled {
                resource: service(),
                region: "r".into(),
                parameters: absent(),
                timeout_seconds: None,
                heartbeat_seconds: None,
                credentials_role: Some("arn:r".into()),
            },
            concat!(
                r#"TaskScheduled "taskScheduledEventDetails":{"resourceType":"lambda","resource":"invoke","#,
                r#""region":"r","taskCredentials":{"roleArn":"arn:r"}}"#
            ),
        ),
        (
            Detail::LambdaFunctionFailed(failure()),
            r#"LambdaFunctionFailed "lambdaFunctionFailedEventDetails":{"error":"E","cause":"C"}"#,
        ),
    ];
    for (detail, expected) in cases {
        assert_eq!(details(detail, Data::None), expected);
    }
}

#[test]
fn state_events_are_named_after_the_state_type() {
    use StateType::{Choice, Fail, Map, Parallel, Pass, Succeed, Task, Wait};
    for kind in [Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map] {
        let entered = Detail::StateEntered { kind, name: "S".into(), input: payload("1") };
        assert_eq!(type_name(&entered), format!("{}StateEntered", kind.as_str()));
        let exited = Detail::StateExited { kind, name: "S".into(), output: payload("1"), assigned: [].into() };
        assert_eq!(type_name(&exited), format!("{}StateExited", kind.as_str()));
    }
}
