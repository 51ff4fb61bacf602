//! Listings: filters, merges, cursors.

use stepwell_machine::{Failure, Identity, Status};
use stepwell_store::Memory;

use super::{
    counting::rows_visited,
    samples::{MACHINE, Run, START_MS, identity, json, succeeded},
};
use crate::{
    handle::{Cursor, ListedExecution, StatusName},
    record::{list, listing::STATUSES},
};

fn status(name: StatusName) -> Status {
    let failure = Failure::named("E");
    let stop_ms = START_MS + 9;
    match name {
        StatusName::Running => Status::Running,
        StatusName::Succeeded => succeeded(json("{}")),
        StatusName::Failed => Status::Failed { failure, stop_ms },
        StatusName::TimedOut => Status::TimedOut { failure, stop_ms },
        StatusName::Aborted => Status::Aborted { failure, stop_ms },
    }
}

fn end(run: &mut Run<'_>, name: StatusName) {
    let step = match status(name) {
        Status::Running => run.next(),
        status => run.end(status),
    };
    run.step(&step);
}

/// Executions in turn of every status, some of which start at the same time; newest first with their status.
fn fill(store: &Memory, count: usize) -> Vec<(String, StatusName)> {
    let mut all = Vec::new();
    for number in 0..count {
        let name = format!("e{number}");
        let start_ms = START_MS + (number as i64 / 3) - 5;
        let mut run = Run::new(store, identity(&name, start_ms, json("{}")));
        let status = STATUSES[number % STATUSES.len()];
        run.step(&run.next());
        end(&mut run, status);
        all.push((-start_ms, run.id(), name, status));
    }
    all.sort_by_key(|(start, id, ..)| (*start, *id));
    all.into_iter().map(|(.., name, status)| (name, status)).collect()
}

fn pages(store: &Memory, status: Option<StatusName>, limit: usize) -> Vec<ListedExecution> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = list(store, None, MACHINE, status, limit, after.as_ref()).unwrap();
        assert!(page.items.len() == limit || page.next.is_none());
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

#[test]
fn pages_of_every_size_with_and_without_a_filter() {
    let store = Memory::new();
    let expected = fill(&store, 23);
    // Another machine's executions are not met.
    let other = "arn:aws:states:us-east-1:123456789012:stateMachine:other";
    let mut run = Run::new(&store, Identity { state_machine_arn: other.into(), ..identity("x", START_MS, json("{}")) });
    run.step(&run.next());
    for limit in [1, 2, 7, 22, 23, 24, 1_000] {
        let listed = pages(&store, None, limit);
        let shown: Vec<_> = listed.iter().map(|each| (each.name.to_string(), each.status)).collect();
        assert_eq!(shown, expected);
        for each in STATUSES {
            let listed = pages(&store, Some(each), limit);
            let shown: Vec<_> = listed.iter().map(|each| (each.name.to_string(), each.status)).collect();
            let expected: Vec<_> = expected.iter().filter(|(_, status)| *status == each).cloned().collect();
            assert_eq!(shown, expected);
        }
    }
    assert_eq!(list(&store, None, other, None, 9, None).unwrap().items.len(), 1);
    assert_eq!(list(&store, None, "none", None, 9, None).unwrap().items.len(), 0);
}

#[test]
fn a_row_says_all_that_is_listed() {
    let store = Memory::new();
    let mut run = Run::new(&store, identity("e", START_MS, json("{}")));
    run.step(&run.next());
    let listed = list(&store, None, MACHINE, None, 9, None).unwrap().items.remove(0);
    assert_eq!(listed.arn, run.execution.identity.arn);
    assert_eq!((listed.status, listed.start_ms, listed.stop_ms), (StatusName::Running, START_MS, None));
    end(&mut run, StatusName::Aborted);
    let mut items = list(&store, None, MACHINE, None, 9, None).unwrap().items;
    assert_eq!(items.len(), 1, "it has moved");
    let listed = items.remove(0);
    assert_eq!((listed.status, listed.start_ms, listed.stop_ms), (StatusName::Aborted, START_MS, Some(START_MS + 9)));
    // An ARN that cannot be made from the names is kept.
    let arn = "arn:aws:states:us-east-1:123456789012:execution:orders/Map:e";
    let mut odd = Run::new(&store, Identity { arn: arn.into(), ..identity("odd", START_MS + 1, json("{}")) });
    odd.step(&odd.next());
    assert_eq!(list(&store, None, MACHINE, None, 9, None).unwrap().items[0].arn.as_ref(), arn);
}

#[test]
fn an_execution_that_ends_between_pages_is_listed_once() {
    let store = Memory::new();
    let mut runs: Vec<_> =
        (0..6).map(|number| Run::new(&store, identity(&format!("e{number}"), START_MS + number, json("{}")))).collect();
    runs.iter_mut().for_each(|run| {
        run.step(&run.next());
    });
    let first = list(&store, None, MACHINE, None, 3, None).unwrap();
    runs.iter_mut().for_each(|run| end(run, StatusName::Succeeded));
    let second = list(&store, None, MACHINE, None, 3, first.next.as_ref()).unwrap();
    let names: Vec<_> = first.items.iter().chain(&second.items).map(|each| each.name.to_string()).collect();
    assert_eq!(names, ["e5", "e4", "e3", "e2", "e1", "e0"]);
    assert!(second.next.is_none());
}

#[test]
fn a_cursor_from_elsewhere_gives_an_empty_page() {
    let store = Memory::new();
    fill(&store, 5);
    for bytes in [vec![], vec![1; 23], vec![1; 25]] {
        let page = list(&store, None, MACHINE, None, 9, Some(&Cursor(bytes))).unwrap();
        assert!(page.items.is_empty() && page.next.is_none());
    }
    assert!(list(&store, None, MACHINE, None, 9, Some(&Cursor(vec![0xff; 24]))).unwrap().items.is_empty());
    assert_eq!(list(&store, None, MACHINE, None, 0, None).unwrap().items.len(), 1);
}

#[test]
fn a_page_costs_the_same_at_any_depth() {
    let store = Memory::new();
    fill(&store, 500);
    let mut after = None;
    for _ in 0..45 {
        let rows = rows_visited(&store, |counting| {
            let page = list(counting, None, MACHINE, None, 10, after.as_ref()).unwrap();
            assert_eq!(page.items.len(), 10);
            after = page.next;
        });
        assert!(rows <= 11 * STATUSES.len(), "{rows} rows");
    }
}
