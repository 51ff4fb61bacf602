use crate::world::{BEGINNING_MS, WAIT_30_DAYS, World, function};

const DAY_MS: i64 = 86_400_000;

#[test]
fn a_wait_of_30_days_takes_no_time() {
    let world = World::new();
    world.create("m", WAIT_30_DAYS);
    let arn = world.start("m", "x", "{}");
    assert_eq!(world.end(&arn), "SUCCEEDED {}");
    let times: Vec<i64> = world.history(&arn).iter().map(|event| event.timestamp_ms - BEGINNING_MS).collect();
    let days_30 = 30 * DAY_MS;
    assert_eq!(times, [0, 0, days_30, days_30, days_30, days_30]);
}

#[test]
fn time_stands_still_while_a_task_runs() {
    let world = World::new();
    let resource = "arn:aws:lambda:us-east-1:123456789012:function:gate";
    let definition = format!(
        r#"{{"StartAt":"P","States":{{"P":{{"Type":"Parallel","End":true,"Branches":[
        {{"StartAt":"T","States":{{"T":{{"Type":"Task","Resource":"{resource}","End":true}}}}}},
        {{"StartAt":"W","States":{{"W":{{"Type":"Wait","Seconds":60,"End":true}}}}}}]}}}}}}"#
    );
    world.create("m", &definition);
    let arn = world.start("m", "x", "1");
    world.wait_for_event(&arn, "LambdaFunctionStarted");
    assert_eq!(world.engine.health().open_executions, 1);
    world.script.open_gate();
    assert_eq!(world.end(&arn), "SUCCEEDED [1,1]");
    let history = world.history(&arn);
    let succeeded = history.iter().find(|event| crate::world::event_name(event) == "LambdaFunctionSucceeded");
    assert_eq!(succeeded.map(|event| event.timestamp_ms), Some(BEGINNING_MS));
    assert_eq!(history.last().map(|event| event.timestamp_ms), Some(BEGINNING_MS + 60_000));
}

#[test]
fn retries_wait_in_virtual_time() {
    let world = World::new();
    let definition = function("fail").replace(
        r#""End":true"#,
        r#""End":true,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":3600,"MaxAttempts":3,"BackoffRate":2}]"#,
    );
    world.create("m", &definition);
    let arn = world.start("m", "x", "7");
    assert_eq!(world.end(&arn), "FAILED Scripted: it was to fail");
    assert_eq!(world.script.runs_of("7"), 4);
    let last_ms = world.history(&arn).last().map(|event| event.timestamp_ms);
    assert_eq!(last_ms, Some(BEGINNING_MS + (1 + 2 + 4) * 3_600_000));
}

#[test]
fn an_execution_times_out_and_its_run_is_cancelled() {
    let world = World::held();
    let definition = function("never").replace(r#"{"StartAt""#, r#"{"TimeoutSeconds":60,"StartAt""#);
    world.create("m", &definition);
    let arn = world.start("m", "x", "{}");
    world.wait_for_event(&arn, "LambdaFunctionStarted");
    world.pass_seconds(60);
    assert!(world.end(&arn).starts_with("TIMED_OUT"), "{}", world.end(&arn));
}
