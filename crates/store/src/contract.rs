//! What every store must do, as tests that run against any of them.

use crate::{Batch, Direction, Error, Space, Store, limits, prefix_end};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// Runs every case of the contract, each against a new, empty store from `make`. Panics at the first that fails.
pub fn check(make: impl Fn() -> Box<dyn Store>) {
    for case in CASES {
        case(make().as_ref());
    }
}

const CASES: &[fn(&dyn Store)] = &[
    starts_empty,
    a_batch_is_there_after_its_commit,
    spaces_are_apart,
    the_later_write_of_a_key_wins,
    deletes,
    scans_take_ranges_in_both_directions,
    scans_take_prefixes,
    keys_are_bytes_in_byte_order,
    a_visitor_stops_the_scan,
    long_scans_keep_order,
    a_scan_sees_nothing_that_is_committed_under_it,
    a_visitor_may_read_and_scan,
    scans_beside_a_writer_see_whole_batches,
    a_snapshot_is_of_one_commit_in_all_spaces,
    takes_large_batches,
    refuses_what_is_outside_the_limits,
    an_empty_batch_is_no_error,
];

fn starts_empty(store: &dyn Store) {
    for space in Space::ALL {
        assert_eq!(store.get(space, b"key").expect("get"), None);
        assert_eq!(rows(store, space, b"", b"", Direction::Forward), []);
        assert_eq!(rows(store, space, b"", b"", Direction::Backward), []);
    }
    assert_eq!(store.poisoned(), None);
}

fn a_batch_is_there_after_its_commit(store: &dyn Store) {
    let mut batch = Batch::default();
    batch.put(Space::Meta, *b"a", *b"1");
    batch.put(Space::History, *b"b", *b"2");
    batch.put(Space::Meta, *b"c", *b"");
    store.commit(batch).expect("commit");
    assert_eq!(get(store, Space::Meta, b"a").as_deref(), Some(&b"1"[..]));
    assert_eq!(get(store, Space::History, b"b").as_deref(), Some(&b"2"[..]));
    assert_eq!(get(store, Space::Meta, b"c").as_deref(), Some(&b""[..]), "an empty value is a value");
    assert_eq!(get(store, Space::Meta, b"b"), None);
}

fn spaces_are_apart(store: &dyn Store) {
    let mut batch = Batch::default();
    for space in Space::ALL {
        batch.put(space, *b"key", [space as u8]);
    }
    store.commit(batch).expect("commit");
    let mut batch = Batch::default();
    batch.delete(Space::Frames, *b"key");
    store.commit(batch).expect("commit");
    for space in Space::ALL {
        let expected: Rows = if space == Space::Frames { vec![] } else { vec![(b"key".to_vec(), vec![space as u8])] };
        assert_eq!(rows(store, space, b"", b"", Direction::Forward), expected, "{space:?}");
    }
}

fn the_later_write_of_a_key_wins(store: &dyn Store) {
    // Each word is one batch; letters are keys, a digit puts the letter before it, `-` deletes it.
    let cases: [(&str, Option<&[u8]>); 10] = [
        ("a1", Some(b"1")),
        ("a2", Some(b"2")),
        ("a3a4", Some(b"4")),
        ("a5a-", None),
        ("a-a6", Some(b"6")),
        ("a7a-a8a-", None),
        ("a9b1a-b2a0b3", Some(b"0")),
        ("a1 a2 a3", Some(b"3")),
        ("a4 a-", None),
        ("a- a5", Some(b"5")),
    ];
    for (script, expected) in cases {
        for word in script.split(' ') {
            let mut batch = Batch::default();
            for write in word.as_bytes().chunks(2) {
                match write[1] {
                    b'-' => batch.delete(Space::Frames, [write[0]]),
                    digit => batch.put(Space::Frames, [write[0]], [digit]),
                }
            }
            store.commit(batch).expect("commit");
        }
        assert_eq!(get(store, Space::Frames, b"a").as_deref(), expected, "after {script}");
        let scanned: Rows = expected.map(|value| (b"a".to_vec(), value.to_vec())).into_iter().collect();
        assert_eq!(rows(store, Space::Frames, b"a", b"b", Direction::Forward), scanned, "after {script}");
    }

    let mut first = Batch::default();
    first.put(Space::Open, *b"k", *b"first");
    let mut second = Batch::default();
    second.put(Space::Open, *b"k", *b"second");
    first.append(second);
    assert_eq!(first.bytes(), 1 + 5 + 1 + 6);
    store.commit(first).expect("commit");
    assert_eq!(get(store, Space::Open, b"k").as_deref(), Some(&b"second"[..]), "an appended batch is later");
}

fn deletes(store: &dyn Store) {
    put_letters(store, "abcde");
    let mut batch = Batch::default();
    for key in [b"b", b"d", b"x"] {
        batch.delete(Space::Listing, *key);
    }
    store.commit(batch).expect("deleting a row that is not there is no error");
    assert_eq!(letters(store, b"", b"", Direction::Forward), "ace");
    assert_eq!(letters(store, b"", b"", Direction::Backward), "eca");
    put_letters(store, "b");
    assert_eq!(letters(store, b"", b"", Direction::Forward), "abce", "a deleted row can come back");
}

fn scans_take_ranges_in_both_directions(store: &dyn Store) {
    put_letters(store, "bdfhj");
    let cases: [(&[u8], &[u8], &str); 16] = [
        (b"", b"", "bdfhj"),
        (b"a", b"", "bdfhj"),
        (b"b", b"", "bdfhj"),
        (b"c", b"", "dfhj"),
        (b"j", b"", "j"),
        (b"k", b"", ""),
        (b"", b"b", ""),
        (b"", b"c", "b"),
        (b"b", b"d", "b"),
        (b"b", b"e", "bd"),
        (b"c", b"i", "dfh"),
        (b"d", b"j", "dfh"),
        (b"e", b"f", ""),
        (b"f", b"f", ""),
        (b"g", b"c", ""),
        (b"z", b"\xff\xff", ""),
    ];
    for (from, to, expected) in cases {
        assert_eq!(letters(store, from, to, Direction::Forward), expected, "from {from:?} to {to:?}");
        let backward: String = expected.chars().rev().collect();
        assert_eq!(letters(store, from, to, Direction::Backward), backward, "back from {to:?} to {from:?}");
    }
}

fn scans_take_prefixes(store: &dyn Store) {
    let keys: [&[u8]; 9] = [b"a", b"a\x00", b"a\xfe", b"a\xff", b"a\xff\xff", b"b", b"b1", b"\xff", b"\xff\xff\x01"];
    let mut batch = Batch::default();
    for key in keys {
        batch.put(Space::Listing, key, *b"");
    }
    store.commit(batch).expect("commit");
    let prefixes: [(&[u8], &[usize]); 6] = [
        (b"", &[0, 1, 2, 3, 4, 5, 6, 7, 8]),
        (b"a", &[0, 1, 2, 3, 4]),
        (b"a\xff", &[3, 4]),
        (b"b", &[5, 6]),
        (b"c", &[]),
        (b"\xff\xff", &[8]),
    ];
    for (prefix, expected) in prefixes {
        let found = |direction| -> Vec<Vec<u8>> {
            let rows = rows(store, Space::Listing, prefix, &prefix_end(prefix), direction);
            rows.into_iter().map(|(key, _)| key).collect()
        };
        let mut expected: Vec<Vec<u8>> = expected.iter().map(|at| keys[*at].to_vec()).collect();
        assert_eq!(found(Direction::Forward), expected, "prefix {prefix:?}");
        expected.reverse();
        assert_eq!(found(Direction::Backward), expected, "prefix {prefix:?}, backward");
    }
}

fn keys_are_bytes_in_byte_order(store: &dyn Store) {
    let mut keys: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
    keys.extend((0..=255).map(|byte| vec![0xff, byte, 0]));
    keys.push(vec![0x80; limits::KEY_BYTES_MAX]);
    keys.sort();
    let mut batch = Batch::default();
    for key in keys.iter().rev() {
        batch.put(Space::Summary, key.clone(), key.clone());
    }
    store.commit(batch).expect("commit");
    let expected: Rows = keys.iter().map(|key| (key.clone(), key.clone())).collect();
    assert!(rows(store, Space::Summary, b"", b"", Direction::Forward) == expected, "all keys, ascending");
    for key in &keys {
        assert!(get(store, Space::Summary, key).as_ref() == Some(key), "key of {} bytes", key.len());
    }
}

fn a_visitor_stops_the_scan(store: &dyn Store) {
    put_letters(store, "abcdef");
    for (direction, expected) in [(Direction::Forward, "abc"), (Direction::Backward, "fed")] {
        let mut seen = String::new();
        let mut visit = |key: &[u8], _: &[u8]| {
            seen.push(char::from(key[0]));
            if seen.len() == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        store.scan(Space::Listing, b"", b"", direction, &mut visit).expect("scan");
        assert_eq!(seen, expected);
    }
}

fn long_scans_keep_order(store: &dyn Store) {
    const ROWS: u32 = 2_000;
    let key = |number: u32| number.to_be_bytes().to_vec();
    for part in 0..4 {
        let mut batch = Batch::default();
        (0..ROWS).filter(|number| number % 4 == part).for_each(|number| {
            batch.put(Space::History, key(number), number.to_string());
        });
        store.commit(batch).expect("commit");
    }
    for (from, to) in [(0, ROWS), (1, ROWS - 1), (700, 701), (127, 129), (128, 256), (1_000, 1_999)] {
        let mut expected: Rows = (from..to).map(|number| (key(number), number.to_string().into_bytes())).collect();
        let forward = rows(store, Space::History, &key(from), &key(to), Direction::Forward);
        assert!(forward == expected, "rows {from} to {to}");
        expected.reverse();
        let backward = rows(store, Space::History, &key(from), &key(to), Direction::Backward);
        assert!(backward == expected, "rows {to} back to {from}");
    }
}

fn a_scan_sees_nothing_that_is_committed_under_it(store: &dyn Store) {
    const ROWS: u16 = 400;
    let mut batch = Batch::default();
    (0..ROWS).for_each(|number| batch.put(Space::Open, number.to_be_bytes(), *b"old"));
    store.commit(batch).expect("commit");
    for direction in [Direction::Forward, Direction::Backward] {
        let mut seen = Vec::new();
        let mut visit = |key: &[u8], value: &[u8]| {
            assert_eq!(value, b"old");
            seen.push(key.to_vec());
            if seen.len() % 100 == 1 {
                // Changes, deletes and adds rows before and behind the scan, and puts back what it deleted.
                let mut batch = Batch::default();
                for number in 0..ROWS {
                    match number % 3 {
                        0 => batch.put(Space::Open, number.to_be_bytes(), *b"new"),
                        1 => batch.delete(Space::Open, number.to_be_bytes()),
                        _ => batch.put(Space::Open, [number.to_be_bytes(), [9, 9]].concat(), *b"new"),
                    }
                }
                store.commit(batch).expect("commit from a visitor");
                let mut batch = Batch::default();
                batch.put(Space::Open, [0, 1], *b"newer");
                store.commit(batch).expect("commit from a visitor");
            }
            ControlFlow::Continue(())
        };
        store.scan(Space::Open, b"", b"", direction, &mut visit).expect("scan");
        let mut expected: Vec<Vec<u8>> = (0..ROWS).map(|number| number.to_be_bytes().to_vec()).collect();
        if direction == Direction::Backward {
            expected.reverse();
        }
        assert!(seen == expected, "{direction:?}: saw {} rows of {ROWS}", seen.len());

        let mut batch = Batch::default();
        for (key, _) in rows(store, Space::Open, b"", b"", Direction::Forward) {
            batch.delete(Space::Open, key);
        }
        (0..ROWS).for_each(|number| batch.put(Space::Open, number.to_be_bytes(), *b"old"));
        store.commit(batch).expect("commit");
    }
}

fn a_visitor_may_read_and_scan(store: &dyn Store) {
    put_letters(store, "abc");
    let mut pairs = String::new();
    let mut visit = |outer: &[u8], _: &[u8]| {
        assert!(get(store, Space::Listing, outer).is_some());
        for inner in letters(store, b"", outer, Direction::Forward).chars() {
            pairs.push(inner);
            pairs.push(char::from(outer[0]));
            pairs.push(' ');
        }
        ControlFlow::Continue(())
    };
    store.scan(Space::Listing, b"", b"", Direction::Forward, &mut visit).expect("scan");
    assert_eq!(pairs, "ab ac bc ");
}

fn scans_beside_a_writer_see_whole_batches(store: &dyn Store) {
    const COMMITS: u32 = 150;
    const ROWS: u16 = 300;
    let done = AtomicBool::new(false);
    let write = |commit: u32| {
        let mut batch = Batch::default();
        (0..ROWS).for_each(|row| batch.put(Space::Frames, row.to_be_bytes(), commit.to_be_bytes()));
        store.commit(batch).expect("commit");
    };
    write(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            (1..=COMMITS).for_each(write);
            done.store(true, Ordering::Release);
        });
        for direction in [Direction::Forward, Direction::Backward] {
            let done = &done;
            scope.spawn(move || {
                let mut last = vec![0; 4];
                while !done.load(Ordering::Acquire) {
                    let rows = rows(store, Space::Frames, b"", b"", direction);
                    assert_eq!(rows.len(), usize::from(ROWS));
                    let value = rows[0].1.clone();
                    assert!(rows.iter().all(|row| row.1 == value), "a scan saw half a batch");
                    assert!(value >= last, "a scan went back in time");
                    last = value;
                }
            });
        }
    });
    assert_eq!(get(store, Space::Frames, &[0, 0]), Some(COMMITS.to_be_bytes().to_vec()));
}

fn a_snapshot_is_of_one_commit_in_all_spaces(store: &dyn Store) {
    const ROWS: u16 = 300;
    let write = |value: u8| {
        let mut batch = Batch::default();
        for space in Space::ALL {
            (0..ROWS).for_each(|row| batch.put(space, row.to_be_bytes(), [value]));
        }
        batch.put(Space::Meta, [b'x', value], [value]);
        store.commit(batch).expect("commit");
    };
    write(1);
    let mut seen = Vec::new();
    let mut visit = |space: Space, key: &[u8], value: &[u8]| {
        if key == [0, 7] {
            write(2);
        }
        seen.push((space, key.to_vec(), value.to_vec()));
        ControlFlow::Continue(())
    };
    store.snapshot(&mut visit).expect("snapshot");
    assert!(seen.iter().all(|(_, _, value)| value == &[1]), "nothing of the later commit");
    let rows = |space: Space| (0..ROWS).map(move |row| (space, row.to_be_bytes().to_vec()));
    let mut expected: Vec<(Space, Vec<u8>)> = rows(Space::Meta).chain([(Space::Meta, vec![b'x', 1])]).collect();
    expected.extend(Space::ALL.into_iter().skip(1).flat_map(rows));
    assert!(seen.into_iter().map(|(space, key, _)| (space, key)).eq(expected), "spaces in order, rows by key");
    let mut first = 0;
    let mut visit = |_: Space, _: &[u8], _: &[u8]| {
        first += 1;
        ControlFlow::Break(())
    };
    store.snapshot(&mut visit).expect("snapshot");
    assert_eq!(first, 1, "a visitor stops it");
}

fn takes_large_batches(store: &dyn Store) {
    const MIB: usize = 1024 * 1024;
    let mut batch = Batch::default();
    for part in 0..8u8 {
        batch.put(Space::History, [part], patterned(part, MIB));
    }
    batch.put(Space::Frames, *b"one", patterned(99, 8 * MIB));
    assert_eq!(batch.bytes(), 16 * MIB + 11);
    store.commit(batch).expect("commit");
    for part in 0..8u8 {
        assert!(get(store, Space::History, &[part]) == Some(patterned(part, MIB)), "part {part}");
    }
    assert!(get(store, Space::Frames, b"one") == Some(patterned(99, 8 * MIB)));
}

fn refuses_what_is_outside_the_limits(store: &dyn Store) {
    let keys: [&[u8]; 2] = [b"", &[7; limits::KEY_BYTES_MAX + 1]];
    for key in keys {
        for delete in [false, true] {
            let mut batch = Batch::default();
            batch.put(Space::Meta, *b"beside", *b"value");
            if delete {
                batch.delete(Space::Meta, key)
            } else {
                batch.put(Space::Meta, key, *b"value")
            }
            refused(store, batch);
        }
        assert_eq!(get(store, Space::Meta, key), None, "reading such a key is no error");
    }
    let mut batch = Batch::default();
    batch.put(Space::Meta, *b"large", vec![0; limits::BATCH_BYTES_MAX]);
    refused(store, batch);
    let mut batch = Batch::default();
    (0..=limits::BATCH_WRITES_MAX).for_each(|_| batch.delete(Space::Meta, *b"k"));
    refused(store, batch);
    assert_eq!(rows(store, Space::Meta, b"", b"", Direction::Forward), [], "nothing of a refused batch is written");
    put_letters(store, "a");
}

fn refused(store: &dyn Store, batch: Batch) {
    let answer = store.commit(batch);
    assert!(matches!(answer, Err(Error::Failed { .. })), "{answer:?}");
    assert_eq!(store.poisoned(), None, "a refusal does not poison");
}

fn an_empty_batch_is_no_error(store: &dyn Store) {
    let batch = Batch::default();
    assert!(batch.is_empty());
    store.commit(batch).expect("an empty batch is durable at once");
}

fn get(store: &dyn Store, space: Space, key: &[u8]) -> Option<Vec<u8>> {
    store.get(space, key).expect("get")
}

fn rows(store: &dyn Store, space: Space, from: &[u8], to: &[u8], direction: Direction) -> Rows {
    let mut rows = Vec::new();
    let mut visit = |key: &[u8], value: &[u8]| {
        rows.push((key.to_vec(), value.to_vec()));
        ControlFlow::Continue(())
    };
    store.scan(space, from, to, direction, &mut visit).expect("scan");
    rows
}

fn put_letters(store: &dyn Store, letters: &str) {
    let mut batch = Batch::default();
    letters.bytes().for_each(|letter| batch.put(Space::Listing, [letter], *b"x"));
    store.commit(batch).expect("commit");
}

fn letters(store: &dyn Store, from: &[u8], to: &[u8], direction: Direction) -> String {
    rows(store, Space::Listing, from, to, direction).iter().map(|(key, _)| char::from(key[0])).collect()
}

fn patterned(seed: u8, bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| (at % 251) as u8 ^ (at >> 16) as u8 ^ seed).collect()
}
