//! Batches that can be told whole from torn: batch `n` is decided by its number.

use crate::{Batch, Direction, Space, Store};
use std::ops::{ControlFlow, RangeInclusive};

/// Batches that are kept; each one deletes the rows of the batch that many numbers before it.
const KEPT: u64 = 64;

pub(super) fn batch(number: u64) -> Batch {
    let mut batch = Batch::default();
    for row in 0..rows(number) {
        batch.put(Space::History, history_key(number, row), value(number, row));
    }
    batch.put(Space::Summary, number.to_be_bytes(), [rows(number)]);
    batch.put(Space::Meta, *b"last", number.to_be_bytes());
    if let Some(old) = number.checked_sub(KEPT).filter(|old| *old > 0) {
        (0..rows(old)).for_each(|row| batch.delete(Space::History, history_key(old, row)));
        batch.delete(Space::Summary, old.to_be_bytes());
    }
    batch
}

pub(super) fn commit(store: &dyn Store, numbers: RangeInclusive<u64>) {
    numbers.for_each(|number| store.commit(batch(number)).unwrap());
}

/// The last batch that is there. Panics if it or an earlier one is not whole, or if anything of a later one is there.
pub(super) fn verify(store: &dyn Store) -> u64 {
    let last = store.get(Space::Meta, b"last").unwrap();
    let last = last.map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().unwrap()));
    let first = last.saturating_sub(KEPT - 1).max(1);
    let summaries = (first..=last).map(|number| (number.to_be_bytes().to_vec(), vec![rows(number)]));
    assert!(scan(store, Space::Summary) == summaries.collect::<Vec<_>>(), "summaries up to {last}");
    let numbers = (first..=last).flat_map(|number| (0..rows(number)).map(move |row| (number, row)));
    let history = numbers.map(|(number, row)| (history_key(number, row), value(number, row)));
    assert!(scan(store, Space::History) == history.collect::<Vec<_>>(), "history up to {last}");
    last
}

fn scan(store: &dyn Store, space: Space) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut rows = Vec::new();
    let mut visit = |key: &[u8], value: &[u8]| {
        rows.push((key.to_vec(), value.to_vec()));
        ControlFlow::Continue(())
    };
    store.scan(space, b"", b"", Direction::Forward, &mut visit).unwrap();
    rows
}

fn rows(number: u64) -> u8 {
    (number * 7 % 9) as u8 + 1
}

fn history_key(number: u64, row: u8) -> Vec<u8> {
    [&number.to_be_bytes()[..], &[row]].concat()
}

fn value(number: u64, row: u8) -> Vec<u8> {
    let bytes = ((number * 7919 + u64::from(row) * 104_729) % 12_000) as usize;
    let mut value = (number << 8 | u64::from(row)).to_le_bytes().repeat(bytes / 8 + 1);
    value.truncate(bytes);
    value
}
