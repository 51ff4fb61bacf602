//! Many executions on a store that fails, through several lives, from a seed that is printed.
//!
//! Each life of the engine ends by a failed commit or by a crash; the next one is opened on what the store kept.
//! Invariants: nothing that was acknowledged is lost, no event is numbered twice, every execution ends as its
//! definition says, and its history agrees with its record.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "the other tests use the rest of it")]
mod world;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use stepwell_engine::{Answer, Bounds, GetHistory, StartExecutionError};
use stepwell_expr::Value;
use stepwell_machine::{Failure, HistoryEvent, Status, history::Detail};
use stepwell_store::{
    Store,
    faulty::{Faulty, Plan},
    memory::Memory,
};

use crate::world::{World, activity, event_name, function, outcome, start};

/// Lives of the engine in one run; the last one is not disturbed.
const LIVES: u64 = 6;
/// Commits of a life after which its store has failed at the latest.
const COMMITS: u64 = 60;
const STARTS_PER_LIFE: u64 = 30;
/// After how long a task without an answer is given to another worker: further than virtual time jumps.
const LOST_SECONDS: i64 = 150 * 86_400;

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

/// Name, definition, and how an execution with input `n` ends.
type Machine = (&'static str, String, fn(u64) -> String);

fn machines(activity_arn: &str) -> Vec<Machine> {
    let lambda = "arn:aws:lambda:us-east-1:123456789012:function";
    let chain = format!(
        r#"{{"StartAt":"A","States":{{"A":{{"Type":"Pass","Next":"W"}},
        "W":{{"Type":"Wait","Seconds":60,"Next":"T"}},
        "T":{{"Type":"Task","Resource":"{lambda}:echo","Next":"V"}},
        "V":{{"Type":"Wait","Seconds":3600,"End":true}}}}}}"#
    );
    let parallel = format!(
        r#"{{"StartAt":"P","States":{{"P":{{"Type":"Parallel","End":true,"Branches":[
        {{"StartAt":"T","States":{{"T":{{"Type":"Task","Resource":"{lambda}:echo","End":true}}}}}},
        {{"StartAt":"W","States":{{"W":{{"Type":"Wait","Seconds":5,"End":true}}}}}}]}}}}}}"#
    );
    let map = format!(
        r#"{{"StartAt":"I","States":{{"I":{{"Type":"Pass","Parameters":{{"items.$":"States.ArrayRange($,States.MathAdd($,9),1)"}},"Next":"M"}},
        "M":{{"Type":"Map","ItemsPath":"$.items","MaxConcurrency":3,"End":true,"ItemProcessor":{{
        "StartAt":"T","States":{{"T":{{"Type":"Task","Resource":"{lambda}:echo","End":true}}}}}}}}}}}}"#
    );
    // Not of Express executions: they would not outlive the time that passes in the end.
    let distributed = map.replace(
        r#""ItemProcessor":{"#,
        r#""ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"#,
    );
    let ten = |n: u64| {
        let items: Vec<String> = (n..n + 10).map(|item| item.to_string()).collect();
        format!("SUCCEEDED [{}]", items.join(","))
    };
    let retry = function("fail").replace(
        r#""End":true"#,
        r#""End":true,"Retry":[{"ErrorEquals":["Scripted"],"IntervalSeconds":100,"MaxAttempts":2}]"#,
    );
    // A task that a worker took, but never saw because of a crash, is left to its timeout.
    let timeout = format!(
        r#""TimeoutSeconds":{LOST_SECONDS},"Retry":[{{"ErrorEquals":["States.Timeout"],"IntervalSeconds":1,"MaxAttempts":9}}],"#
    );
    vec![
        ("pass", world::PASS.to_owned(), |n| format!("SUCCEEDED {n}")),
        ("chain", chain, |n| format!("SUCCEEDED {n}")),
        ("parallel", parallel, |n| format!("SUCCEEDED [{n},{n}]")),
        ("map", map, ten),
        ("distributed", distributed, ten),
        ("retry", retry, |_| "FAILED Scripted: it was to fail".to_owned()),
        ("work", activity(activity_arn, &timeout), |n| format!("SUCCEEDED {n}")),
    ]
}

fn simulate(seed: u64) {
    eprintln!("seed {seed}");
    let mut dice = Dice(seed);
    let bounds = match dice.roll(2) {
        0 => Bounds::default(),
        _ => Bounds { cache_bytes: 20_000, timers: 5, task_runs: 3, ..Bounds::default() },
    };
    let drivers = 1 + usize::try_from(dice.roll(3)).unwrap_or(0);
    let mut world = World::with(Arc::new(Memory::new()), bounds, drivers);
    let activity_arn = {
        let created = world.engine.create_activity(world.engine.owner(), "a", Value::empty_object(), BTreeMap::new());
        world.run(created).unwrap().arn
    };
    let machines = machines(&activity_arn);
    for (name, definition, _) in &machines {
        world.create(name, definition);
    }
    // ARN -> how it is to end.
    let mut attempted: BTreeMap<Arc<str>, String> = BTreeMap::new();
    let mut acknowledged: BTreeSet<Arc<str>> = BTreeSet::new();
    let mut stopped: BTreeSet<Arc<str>> = BTreeSet::new();
    // Events that were seen in an earlier life, which must be there for ever.
    let mut seen: BTreeMap<Arc<str>, Vec<String>> = BTreeMap::new();
    for life in 0..LIVES {
        let last = life + 1 == LIVES;
        let plan = (!last).then(|| Plan::from_seed(dice.roll(u64::MAX), COMMITS));
        let faulty = Arc::new(Faulty::new(world.store.clone(), plan));
        let store: Arc<dyn Store> = faulty.clone();
        world = world.restart_on(store);
        let worker = spawn_worker(&world, activity_arn.clone());
        for number in 0..STARTS_PER_LIFE {
            let (name, _, end) = &machines[usize::try_from(dice.roll(machines.len() as u64)).unwrap_or(0)];
            let n = life * STARTS_PER_LIFE + number;
            let arn: Arc<str> = format!("{}:execution:{name}:x{n}", world.engine.arn_prefix()).into();
            attempted.insert(arn.clone(), end(n));
            let start = start(&world.engine, name, &format!("x{n}"), &n.to_string());
            match world.run(world.engine.start_execution(start)) {
                Ok(started) => assert!(acknowledged.insert(started.arn), "seed {seed}: {arn} twice"),
                Err(StartExecutionError::Unavailable(_)) if !last => {}
                Err(other) => panic!("seed {seed}: {arn}: {other}"),
            }
        }
        for arn in acknowledged.clone() {
            if dice.roll(10) != 0 {
                continue;
            }
            let stop = world.run(world.engine.stop_execution(&arn, Failure::new("Stop", "by the dice")));
            stopped.insert(arn.clone());
            if stop.is_ok() {
                let status = world.describe(&arn).status;
                assert!(!matches!(status, Status::Running), "seed {seed}: {arn} runs after its stop");
            }
        }
        if last {
            world.pass_seconds(LOST_SECONDS);
            for (arn, expected) in &attempted {
                // One whose start was refused may have been kept by the store all the same.
                if acknowledged.contains(arn) || world.run(world.engine.execution(arn)).is_ok() {
                    let end = world.end(arn);
                    let fits = &end == expected || stopped.contains(arn) && end == "ABORTED Stop: by the dice";
                    assert!(fits, "seed {seed}: {arn}: {end}, not {expected}");
                }
            }
        }
        for arn in &acknowledged {
            check(&world, seed, arn, seen.entry(arn.clone()).or_default());
        }
        worker.abort();
        if last {
            // The child executions of a Map Run that was stopped end after their parent.
            world.run(async {
                while world.engine.health().open_executions != 0 {
                    tokio::task::yield_now().await;
                }
            });
        } else {
            let next = faulty.crash().unwrap();
            world = world.restart_on(next);
        }
    }
}

/// A worker that answers each task with its input, for as long as the engine is there.
fn spawn_worker(world: &World, activity_arn: Arc<str>) -> tokio::task::JoinHandle<()> {
    let engine = world.engine.clone();
    world.runtime.spawn(async move {
        while let Ok(task) = engine.activity_task(&activity_arn, Some("w".into())).await {
            let Some(task) = task else { continue };
            // An answer that was refused is given again by another life, or not at all.
            let _refused = engine.answer_task(&task.token, Answer::Success(task.input)).await;
        }
    })
}

/// The history is numbered without gaps, goes on from what was seen, and agrees with the summary.
fn check(world: &World, seed: u64, arn: &Arc<str>, seen: &mut Vec<String>) {
    // The summary first: the history may only be further on.
    let status = world.describe(arn).status;
    let mut events: Vec<HistoryEvent> = Vec::new();
    let mut after = None;
    loop {
        let get = GetHistory { execution_arn: arn.clone(), reverse: false, with_data: true, limit: 7, after };
        let page = world.run(world.engine.history(get)).unwrap();
        events.extend(page.events);
        after = page.last;
        if after.is_none() {
            break;
        }
    }
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event.id, index as u64 + 1, "seed {seed}: {arn}");
        assert!(event.previous < event.id, "seed {seed}: {arn}");
    }
    let lines: Vec<String> = events.iter().map(|event| format!("{event:?}")).collect();
    assert!(lines.len() >= seen.len() && lines[..seen.len()] == seen[..], "seed {seed}: {arn}: history changed");
    *seen = lines;
    let last = events.last().map(|event| &event.detail);
    let agrees = match (&status, last) {
        (Status::Running, _) => true,
        (Status::Succeeded { output, .. }, Some(Detail::ExecutionSucceeded { output: recorded })) => {
            output.text() == recorded.text()
        }
        (Status::Failed { failure, .. }, Some(Detail::ExecutionFailed(recorded)))
        | (Status::Aborted { failure, .. }, Some(Detail::ExecutionAborted(recorded))) => failure == recorded,
        _ => false,
    };
    assert!(agrees, "seed {seed}: {arn}: {} after {:?}", outcome(&status), events.last().map(event_name));
}

#[test]
fn lives_of_an_engine() {
    // A seed that failed is run again by its number, a range of them as `FIRST-LAST`.
    let asked = std::env::var("STEPWELL_SEED").unwrap_or_else(|_| "1-12".to_owned());
    let (first, last) = asked.split_once('-').unwrap_or((&asked, &asked));
    let number = |text: &str| text.parse::<u64>().expect("STEPWELL_SEED is a number, or two with a dash");
    (number(first)..=number(last)).for_each(simulate);
}
