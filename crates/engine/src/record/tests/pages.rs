//! Pages of history: every size, from every place, both ways.

use std::sync::Arc;

use stepwell_expr::Payload;
use stepwell_machine::{FrameId, HistoryEvent, Step, execution::Phase, history::Detail, state::StateType};
use stepwell_store::{Memory, Space};

use super::{
    counting::{rows_visited, visited},
    samples::{Run, START_MS, details, frame, identity, json, long, rows, succeeded, waiting},
};
use crate::{
    handle::{GetHistory, HistoryPage},
    limits::{CHUNK_BYTES_MAX, CHUNK_EVENTS, CHUNK_EVENTS_MAX, FIRST_EVENTS_BYTES_MAX},
    record::{history, history::page},
};

fn get(run: &Run<'_>, reverse: bool, limit: usize, after: Option<u64>) -> GetHistory {
    let execution_arn = run.execution.identity.arn.clone();
    GetHistory { execution_arn, reverse, with_data: true, limit, after }
}

fn ids(page: &HistoryPage) -> Vec<u64> {
    page.events.iter().map(|event| event.id).collect()
}

/// Steps of 1, 2, 3, ... events, up to 75 of them, which are more than one chunk.
fn many_steps(run: &mut Run<'_>) -> u64 {
    let events = |count: usize| vec![Detail::LambdaFunctionStarted; count];
    for count in [1, 2, 3, 70, 1, 64, 65, 1] {
        run.step(&run.events(events(count)));
    }
    run.execution.header.next_event - 1
}

#[test]
fn every_event_comes_back() {
    let store = Memory::new();
    let mut run = Run::new(&store, identity("e", START_MS, json("{}")));
    let step = run.events(details());
    run.step(&step);
    let page = history(&store, &get(&run, false, 1_000, None)).unwrap().unwrap();
    assert_eq!(page.last, None);
    let show = |events: &[HistoryEvent]| format!("{events:#?}");
    assert_eq!(show(&page.events), show(&step.history));
}

#[test]
fn times_and_links_come_back_in_any_order() {
    let store = Memory::new();
    let mut run = Run::new(&store, identity("e", START_MS, json("{}")));
    let mut step = run.events(vec![Detail::LambdaFunctionStarted; 5]);
    let times = [START_MS, START_MS - 4, i64::MAX, i64::MIN, 0];
    let links = [0, 1, 1, 0, 4];
    for ((event, time), link) in step.history.iter_mut().zip(times).zip(links) {
        event.timestamp_ms = time;
        event.previous = link;
    }
    run.step(&step);
    let page = history(&store, &get(&run, false, 10, None)).unwrap().unwrap();
    assert_eq!(page.events.iter().map(|event| event.timestamp_ms).collect::<Vec<_>>(), times);
    assert_eq!(page.events.iter().map(|event| event.previous).collect::<Vec<_>>(), links);
}

#[test]
fn pages_of_every_size_from_every_event() {
    let store = Memory::new();
    let mut run = Run::new(&store, identity("e", START_MS, json("{}")));
    // Neighbours in the store, whose events must not be met.
    for name in ["a", "b", "c", "d"] {
        many_steps(&mut Run::new(&store, identity(name, START_MS, json("{}"))));
    }
    let last = many_steps(&mut run);
    for limit in [1, 2, 5, 63, 64, 65, 100, 1_000] {
        for start in 0..=last + 2 {
            let page = history(&store, &get(&run, false, limit, Some(start))).unwrap().unwrap();
            let expected: Vec<u64> = (start + 1..=last).take(limit).collect();
            assert_eq!(ids(&page), expected);
            assert_eq!(page.last, expected.last().copied().filter(|id| *id < last));

            let page = history(&store, &get(&run, true, limit, Some(start))).unwrap().unwrap();
            let expected: Vec<u64> = (1..start.min(last + 1)).rev().take(limit).collect();
            assert_eq!(ids(&page), expected);
            assert_eq!(page.last, expected.last().copied().filter(|id| *id > 1));
        }
        for reverse in [false, true] {
            let mut all = Vec::new();
            let mut after = None;
            loop {
                let page = history(&store, &get(&run, reverse, limit, after)).unwrap().unwrap();
                all.extend(ids(&page));
                after = page.last;
                if after.is_none() {
                    break;
                }
            }
            if reverse {
                all.reverse();
            }
            assert_eq!(all, (1..=last).collect::<Vec<_>>());
        }
    }
}

#[test]
fn an_execution_without_events_is_none() {
    let store = Memory::new();
    let run = Run::new(&store, identity("none", START_MS, json("{}")));
    assert!(history(&store, &get(&run, false, 10, None)).unwrap().is_none());
}

fn entered(input: Payload) -> Detail {
    Detail::StateEntered { kind: StateType::Pass, name: "P".into(), input }
}

#[test]
fn chunks_are_bounded_by_events_and_bytes() {
    let store = Memory::new();
    let mut run = Run::new(&store, identity("e", START_MS, json("{}")));
    let text = |number: usize| json(&format!("\"{}{number}\"", "x".repeat(1_000)));
    run.step(&run.events((0..200).map(|number| entered(text(number))).collect()));
    let rows = rows(&store);
    let chunks: Vec<_> = rows.iter().filter(|(space, ..)| *space == Space::History).collect();
    assert!(chunks.iter().all(|(.., row)| row.len() < CHUNK_BYTES_MAX + 2_000));
    assert_eq!(chunks.len(), 200_usize.div_ceil(CHUNK_BYTES_MAX / 1_000));
    let page = history(&store, &get(&run, false, 1_000, None)).unwrap().unwrap();
    assert_eq!(page.events.len(), 200);
    const { assert!(CHUNK_EVENTS_MAX < 200) };
}

#[test]
fn a_page_is_bounded_by_the_bytes_of_its_texts() {
    let store = Memory::new();
    let mut run = Run::new(&store, identity("e", START_MS, json("{}")));
    run.step(&run.events("abcdef".chars().map(|letter| entered(long(letter))).collect()));
    run.step(&run.events(vec![entered(json("[1]")), entered(json("[2]"))]));
    let bytes = long('a').bytes();
    for (bytes_max, expected) in [(0, 1), (bytes, 1), (2 * bytes, 2), (6 * bytes, 6), (6 * bytes + 3, 7)] {
        let page = page(&store, &get(&run, false, 10, None), bytes_max).unwrap().unwrap();
        assert_eq!(page.events.len(), expected);
        assert_eq!(page.last, Some(expected as u64));
    }
    // Texts that are not asked for weigh nothing and are not read.
    let without = GetHistory { with_data: false, ..get(&run, true, 10, None) };
    let page = page(&store, &without, 6).unwrap().unwrap();
    assert_eq!((page.events.len(), page.last), (8, None));
    let absent = |event: &HistoryEvent| match &event.detail {
        Detail::StateEntered { input, .. } => input.is_absent(),
        _ => false,
    };
    assert_eq!(page.events.iter().filter(|event| absent(event)).count(), 6);
}

#[test]
fn a_text_that_many_events_name_is_read_once() {
    let store = Memory::new();
    let mut run = Run::new(&store, identity("e", START_MS, json("{}")));
    let shared = long('s');
    for _ in 0..3 {
        run.step(&run.events(vec![entered(shared.clone()), entered(json("1")), entered(shared.clone())]));
    }
    let page = history(&store, &get(&run, false, 100, None)).unwrap().unwrap();
    let inputs: Vec<Payload> = page
        .events
        .into_iter()
        .filter_map(|event| match event.detail {
            Detail::StateEntered { input, .. } if input.bytes() > 1 => Some(input),
            _ => None,
        })
        .collect();
    assert_eq!(inputs.len(), 6);
    assert!(inputs.iter().all(|input| input.is(&inputs[0])));
}

#[test]
fn a_page_costs_the_same_at_any_depth() {
    let store = Memory::new();
    let mut run = Run::new(&store, identity("e", START_MS, json("{}")));
    for _ in 0..500 {
        run.step(&run.events(vec![Detail::LambdaFunctionStarted; 3]));
    }
    for reverse in [false, true] {
        for after in [10, 700, 1_400] {
            let rows = rows_visited(&store, |counting| {
                let page = history(counting, &get(&run, reverse, 9, Some(after))).unwrap().unwrap();
                assert_eq!(page.events.len(), 9);
            });
            assert!(rows <= 6, "{rows} rows");
        }
    }
}

#[test]
fn the_last_ten_events_are_a_tenth_of_the_reading_of_a_thousand() {
    // 25,000 events in few large steps, of which the last leaves a short chunk; and in steps of three events.
    let large: Vec<usize> = [vec![1_777; 14], vec![122]].concat();
    for steps in [large, vec![3; 8_333]] {
        let store = Memory::new();
        let mut run = Run::new(&store, identity("e", START_MS, json("{}")));
        for count in steps {
            let details = (0..count).map(|number| entered(json(&format!("{{\"number\":{number}}}")))).collect();
            run.step(&run.events(details));
        }
        let last = run.execution.header.next_event - 1;
        let read = |reverse: bool, limit: usize, after: Option<u64>| {
            visited(&store, |counting| {
                let page = history(counting, &get(&run, reverse, limit, after)).unwrap().unwrap();
                assert_eq!(page.events.len(), limit);
            })
        };
        let start = read(false, 1_000, None);
        let ten = read(true, 10, None);
        assert!(ten.rows * 10 <= start.rows && ten.bytes * 10 <= start.bytes, "{ten:?} beside {start:?}");
        for after in [1_000, 12_345, last - 1_001] {
            let deep = read(false, 1_000, Some(after));
            // The chunk that the page begins in, its key, and that of the next one.
            let most = |of: usize| of + of / 10;
            assert!(deep.rows <= most(start.rows) && deep.bytes <= most(start.bytes), "{deep:?} beside {start:?}");
        }
    }
}

/// How many rows the history of an execution has.
fn chunks(run: &Run<'_>) -> usize {
    let of_it = |(space, key, _): &&(Space, Vec<u8>, Vec<u8>)| *space == Space::History && key.starts_with(&run.id().0);
    rows(run.store).iter().filter(of_it).count()
}

fn all(run: &Run<'_>) -> Vec<HistoryEvent> {
    history(run.store, &get(run, false, 1_000, None)).unwrap().unwrap().events
}

#[test]
fn first_events_have_no_row_until_the_end() {
    let store = Memory::new();
    let mut run = Run::new(&store, identity("e", START_MS, json("{\"n\": 1}")));
    let mut written = Vec::new();
    let mut step = |run: &mut Run<'_>, step: Step| {
        run.step(&step);
        written.extend(step.history);
        assert_eq!(format!("{:#?}", all(run)), format!("{written:#?}"));
    };
    let first = waiting(&run, "{\"n\": 1}");
    step(&mut run, first);
    for worker in ["one", "two"] {
        let next = run.events(vec![Detail::ActivityStarted { worker: Some(worker.into()) }]);
        step(&mut run, next);
        // Also where it has left memory in between.
        run.books = run.loaded().books;
    }
    assert_eq!(chunks(&run), 0);
    for (limit, reverse, after, expected, last) in [
        (2, false, None, vec![1, 2], Some(2)),
        (2, false, Some(2), vec![3, 4], None),
        (3, true, None, vec![4, 3, 2], Some(2)),
        (3, true, Some(2), vec![1], None),
        (3, true, Some(1), vec![], None),
        (3, false, Some(4), vec![], None),
    ] {
        let page = history(&store, &get(&run, reverse, limit, after)).unwrap().unwrap();
        assert_eq!((ids(&page), page.last), (expected, last), "{limit} {reverse} {after:?}");
    }
    let end = run.end(succeeded(json("1")));
    step(&mut run, end);
    assert_eq!(chunks(&run), 1, "all of them in one");
}

#[test]
fn first_events_get_a_row_where_they_do_not_fit() {
    let long = json(&format!("\"{}\"", "x".repeat(FIRST_EVENTS_BYTES_MAX)));
    let many = vec![Detail::LambdaFunctionStarted; CHUNK_EVENTS];
    let redriven = vec![Detail::ExecutionRedriven { count: 1 }];
    let cases = [
        ("too many bytes", vec![Detail::ExecutionSucceeded { output: long }], 2),
        ("too many for a chunk", many, 3),
        ("of a newer format", redriven, 3),
    ];
    for (what, details, expected) in cases {
        let store = Memory::new();
        let mut run = Run::new(&store, identity("e", START_MS, json("{}")));
        let first = waiting(&run, "{}");
        run.step(&first);
        let second = run.events(details);
        run.step(&second);
        let mut written = [first.history, second.history].concat();
        assert_eq!(format!("{:#?}", all(&run)), format!("{written:#?}"), "{what}");
        let third = run.events(vec![Detail::LambdaFunctionStarted]);
        run.step(&third);
        written.extend(third.history);
        assert_eq!(format!("{:#?}", all(&run)), format!("{written:#?}"), "{what}");
        assert_eq!(chunks(&run), expected, "{what}");
    }
}

#[test]
fn first_events_get_a_row_with_the_second_frame() {
    let store = Memory::new();
    let mut run = Run::new(&store, identity("e", START_MS, json("{}")));
    let first = waiting(&run, "{}");
    run.step(&first);
    let mut second = run.events(vec![Detail::ParallelStateStarted]);
    second.frames.insert(FrameId(1), Some(Arc::new(frame(Phase::Enter))));
    run.step(&second);
    assert_eq!(chunks(&run), 1);
    let written = [first.history, second.history].concat();
    assert_eq!(format!("{:#?}", all(&run)), format!("{written:#?}"));
    run.books = run.loaded().books;
    let third = run.events(vec![Detail::LambdaFunctionStarted]);
    run.step(&third);
    assert_eq!((chunks(&run), all(&run).len()), (2, 4));
}
