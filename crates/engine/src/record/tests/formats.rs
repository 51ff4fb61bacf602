//! The rows of released formats are read for ever.
//!
//! `rows-N.txt` holds the rows, in hexadecimal, of an execution that holds everything, of one that waits, and of one
//! that has ended. Such a file is never changed: when a row gets a new version, write a new file beside it.

use std::sync::Arc;
use stepwell_machine::execution::Phase;
use stepwell_store::{Batch, Memory, Space, Store};

use stepwell_machine::{Frame, FrameId, Identity, history::Detail};

use super::samples::{
    MACHINE, Run, START_MS, everything, frame, identity, json, long, picture, redriven, rows, succeeded, waiting,
    wrecked,
};
use crate::{
    handle::{GetHistory, Qualifier},
    record::{ExecutionId, Shards, history, intents, list, load, load_wrecked, offers, runnable, summary, timers},
};

const ROWS_1: &str = include_str!("rows-1.txt");
/// Summary and listing of an execution that was started through an alias.
const ROWS_2: &str = include_str!("rows-2.txt");
/// What a redrive needs, and what one leaves.
const ROWS_3: &str = include_str!("rows-3.txt");
/// As the first, with shorter chunks of history.
const ROWS_4: &str = include_str!("rows-4.txt");
/// As the fourth, with an only frame in the header's row.
const ROWS_5: &str = include_str!("rows-5.txt");
/// As the fifth, with header and only frame in the summary row.
const ROWS_6: &str = include_str!("rows-6.txt");
/// An execution whose first events are in the summary row, and one whose were and got a row.
const ROWS_7: &str = include_str!("rows-7.txt");

/// The store that the first, the fourth, the fifth and the sixth file were written from.
fn written() -> (Memory, Vec<Arc<str>>) {
    let store = Memory::new();
    let mut full = Run::new(&store, identity("full", START_MS, long('x')));
    full.step(&everything(&full));
    let mut waits = Run::new(&store, identity("waits", START_MS + 1, json("{\"n\": 1.50}")));
    let mut step = waits.next();
    let top = Frame { parent: None, ..frame(Phase::Wait { until_ms: START_MS + 60_000 }) };
    step.frames.insert(FrameId(0), Some(Arc::new(top)));
    waits.step(&step);
    let mut ended = Run::new(&store, identity("ended", START_MS + 2, json("[]")));
    ended.step(&ended.end(succeeded(json("\"done\""))));
    let arns = [&full, &waits, &ended].map(|run| run.execution.identity.arn.clone());
    (store, arns.into())
}

/// The store that the second file was written from.
fn written_2() -> (Memory, Vec<Arc<str>>) {
    let store = Memory::new();
    let qualifier = Some(Qualifier { version: 7, alias: Some("PROD".into()) });
    let mut run = Run::new(&store, Identity { qualifier, ..identity("qualified", START_MS, json("[]")) });
    run.step(&run.end(succeeded(json("1"))));
    let arn = run.execution.identity.arn.clone();
    (store, vec![arn])
}

/// The store that the third file was written from.
fn written_3() -> (Memory, Vec<Arc<str>>) {
    let store = Memory::new();
    let mut failed = Run::new(&store, identity("failed", START_MS, json("{}")));
    failed.step(&wrecked(&failed));
    let qualifier = Some(Qualifier { version: 7, alias: None });
    let mut again = Run::new(&store, Identity { qualifier, ..identity("again", START_MS + 1, json("{}")) });
    again.step(&wrecked(&again));
    again.books.note_redrive("token", START_MS + 20);
    again.step(&redriven(&again));
    let arns = [&failed, &again].map(|run| run.execution.identity.arn.clone());
    (store, arns.into())
}

/// The store that the seventh file was written from.
fn written_7() -> (Memory, Vec<Arc<str>>) {
    let store = Memory::new();
    let begun = |name, start_ms| {
        let mut run = Run::new(&store, identity(name, start_ms, json("{\"n\": 1}")));
        run.step(&waiting(&run, "{\"n\": 1}"));
        run.step(&run.events(vec![Detail::ActivityStarted { worker: Some("w".into()) }]));
        run
    };
    let begun_only = begun("begun", START_MS);
    let mut done = begun("done", START_MS + 1);
    done.step(&done.end(succeeded(json("1"))));
    let arns = [&begun_only, &done].map(|run| run.execution.identity.arn.clone());
    (store, arns.into())
}

/// Bytes in hexadecimal; many equal ones as `78*4096` between commas.
fn hex(bytes: &[u8]) -> String {
    let runs = bytes.chunk_by(|one, next| one == next).map(|run| match run.len() {
        0..16 => run.iter().map(|byte| format!("{byte:02x}")).collect(),
        count => format!(",{:02x}*{count},", run[0]),
    });
    runs.collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let byte = |text: &str| u8::from_str_radix(text, 16).unwrap();
    let mut bytes = Vec::new();
    for part in text.split(',') {
        match part.split_once('*') {
            Some((equal, count)) => bytes.extend(vec![byte(equal); count.parse().unwrap()]),
            None => bytes.extend((0..part.len()).step_by(2).map(|at| byte(&part[at..at + 2]))),
        }
    }
    bytes
}

fn show(store: &dyn Store) -> String {
    rows(store).iter().map(|(space, key, value)| format!("{space:?} {} {}\n", hex(key), hex(value))).collect()
}

fn parse(text: &str) -> Memory {
    let mut batch = Batch::default();
    for line in text.lines() {
        let mut words = line.split(' ');
        let mut word = || words.next().unwrap();
        let name = word();
        let space = Space::ALL.into_iter().find(|space| format!("{space:?}") == name).unwrap();
        batch.put(space, unhex(word()), unhex(word()));
    }
    let store = Memory::new();
    store.commit(batch).unwrap();
    store
}

/// Everything that can be read from a store.
fn reading(store: &dyn Store, arns: &[Arc<str>]) -> String {
    let mut out = String::new();
    for arn in arns {
        let id = ExecutionId::of_arn(arn);
        let loaded = load_wrecked(store, id).unwrap().or_else(|| load(store, id).unwrap()).unwrap();
        out += &picture(store, &loaded.execution);
        out += &format!("{:?}", summary(store, id).unwrap());
        let get = GetHistory { execution_arn: arn.clone(), reverse: false, with_data: true, limit: 1_000, after: None };
        out += &format!("{:#?}", history(store, &get).unwrap());
    }
    out += &format!("{:?}", list(store, None, MACHINE, None, 100, None).unwrap());
    out += &format!("{:?}", timers(store, Shards::ALL, None, i64::MAX, 100).unwrap());
    out += &format!("{:?}", intents(store, Shards::ALL).unwrap());
    out += &format!("{:?}", offers(store, Shards::ALL).unwrap());
    out += &format!("{:?}", runnable(store, Shards::ALL, None, usize::MAX).unwrap());
    out
}

#[test]
fn released_formats_are_read() {
    let (store, arns) = written();
    for rows in [ROWS_1, ROWS_4, ROWS_5, ROWS_6] {
        assert_eq!(reading(&parse(rows), &arns), reading(&store, &arns));
    }
    let (store, arns) = written_3();
    assert_eq!(reading(&parse(ROWS_3), &arns), reading(&store, &arns));
    let (store, arns) = written_7();
    assert_eq!(reading(&parse(ROWS_7), &arns), reading(&store, &arns));
    let (store, arns) = written_2();
    let reading = |store: &dyn Store| {
        let listed =
            [":7", ":PROD"].map(|tail| list(store, None, &format!("{MACHINE}{tail}"), None, 100, None).unwrap());
        format!("{}{listed:?}", reading(store, &arns))
    };
    assert_eq!(reading(&parse(ROWS_2)), reading(&store));
    assert_eq!(reading(&store).matches("alias: Some(\"PROD\")").count(), 4, "in summary and listings");
}

#[test]
fn this_release_writes_the_newest_format() {
    let newest = [(written(), ROWS_6), (written_2(), ROWS_2), (written_3(), ROWS_3), (written_7(), ROWS_7)];
    for ((store, _), rows) in newest {
        let now = show(&store);
        assert!(now == rows, "a format changed: give its row a new version and these rows a new file:\n{now}");
    }
}
