//! What the operator raises, lowers or lifts holds for every step from the next start of the server on.

use stepwell_engine::Quotas;
use stepwell_machine::limits::Limits;

use crate::world::{WAIT_30_DAYS, World, function};

fn within(limits: Limits) -> World {
    World::new().restart_with(Quotas { limits, ..Quotas::default() })
}

/// Goes round until it has been there `rounds` times; a round has four events.
fn loop_of(rounds: u32) -> String {
    format!(
        r#"{{"QueryLanguage":"JSONata","StartAt":"Begin","States":{{
            "Begin":{{"Type":"Pass","Assign":{{"n":0}},"Next":"Count"}},
            "Count":{{"Type":"Pass","Assign":{{"n":"{{% $n + 1 %}}"}},"Next":"Again"}},
            "Again":{{"Type":"Choice","Choices":[{{"Condition":"{{% $n < {rounds} %}}","Next":"Count"}}],"Default":"End"}},
            "End":{{"Type":"Succeed","Output":"{{% $n %}}"}}}}}}"#
    )
}

#[test]
fn a_history_may_be_longer_or_shorter() {
    let lowered = Limits { history_events: 20, ..Limits::default() };
    let world = within(lowered);
    world.create("m", &loop_of(7_000));
    let arn = world.start("m", "x", "{}");
    let cause = "The execution reached the maximum number of history events (20).";
    assert_eq!(world.end(&arn), format!("FAILED States.Runtime: {cause}"));
    assert_eq!(world.history(&arn).len(), 20);
    for history_events in [30_000, u64::MAX] {
        let world = within(Limits { history_events, execution_seconds: u64::MAX, ..Limits::default() });
        world.create("m", &loop_of(7_000));
        let arn = world.start("m", "x", "{}");
        assert_eq!(world.end(&arn), "SUCCEEDED 7000");
        assert_eq!(world.describe(&arn).events, 4 * 7_000 + 6);
    }
}

#[test]
fn payloads_may_be_larger_or_smaller() {
    let input = format!("\"{}\"", "x".repeat(1024 * 1024));
    let raised = within(Limits { payload_bytes: 2 * 1024 * 1024, ..Limits::default() });
    raised.create("m", &function("echo"));
    assert_eq!(raised.end(&raised.start("m", "x", &input)), format!("SUCCEEDED {input}"));
    let usual = raised.restart_with(Quotas::default());
    let cause = "The state/task 'T' returned a result with a size exceeding the maximum number of bytes service limit.";
    let ended = usual.end(&usual.start("m", "y", &input));
    assert!(ended.starts_with("FAILED States.DataLimitExceeded"), "{ended}");
    let lowered = within(Limits { payload_bytes: 1_024, ..Limits::default() });
    let text = "x".repeat(1_500);
    let pass = format!(r#"{{"StartAt":"T","States":{{"T":{{"Type":"Pass","Result":"{text}","End":true}}}}}}"#);
    lowered.create("m", &pass);
    assert_eq!(lowered.end(&lowered.start("m", "x", "{}")), format!("FAILED States.DataLimitExceeded: {cause}"));
}

#[test]
fn variables_may_hold_less() {
    let world = within(Limits { variables_bytes: 1_024, ..Limits::default() });
    let text = "x".repeat(1_500);
    let assign =
        format!(r#"{{"StartAt":"T","States":{{"T":{{"Type":"Pass","Assign":{{"v":"{text}"}},"End":true}}}}}}"#);
    world.create("m", &assign);
    let ended = world.end(&world.start("m", "x", "{}"));
    assert!(ended.starts_with("FAILED States.DataLimitExceeded: The variables of the execution exceed"), "{ended}");
}

#[test]
fn executions_may_take_less_time() {
    let world = within(Limits { execution_seconds: 10, ..Limits::default() });
    world.create("m", WAIT_30_DAYS);
    let arn = world.start("m", "x", "{}");
    assert!(world.end(&arn).starts_with("TIMED_OUT"), "{}", world.end(&arn));
    assert_eq!(
        world.history(&arn).last().map(|event| event.timestamp_ms),
        Some(world.describe(&arn).start_ms + 10_000)
    );
}

/// One that has waited long enough under the old limits goes on under the new ones.
#[test]
fn what_runs_already_goes_by_what_is_set_now() {
    let world = World::held();
    let text = "x".repeat(1_500);
    let definition = format!(
        r#"{{"StartAt":"W","States":{{"W":{{"Type":"Wait","Seconds":5,"Next":"T"}},
            "T":{{"Type":"Pass","Result":"{text}","End":true}}}}}}"#
    );
    world.create("m", &definition);
    let arn = world.start("m", "x", "{}");
    let limits = Limits { payload_bytes: 1_024, ..Limits::default() };
    let world = world.restart_with(Quotas { limits, ..Quotas::default() });
    world.release_time();
    assert!(world.end(&arn).starts_with("FAILED States.DataLimitExceeded"), "{}", world.end(&arn));
}
