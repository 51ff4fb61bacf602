//! A store that keeps nothing beyond the process: for tests, `--data :memory:` and one-off runs.

use crate::limits::{MEMORY_SCAN_ROWS, MEMORY_STALE_ROWS};
use crate::{Batch, Direction, Error, RowVisitor, Space, Store, Visit};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};

/// Rows in one ordered map per space, under one lock.
///
/// A scan takes its rows a page at a time and holds the lock only while it does so. To see one state all the same,
/// it notes the number of the last commit; rows that change under an open scan keep their older versions until no
/// scan can see them any more.
#[derive(Debug, Default)]
pub struct Memory {
    state: Mutex<State>,
}

impl Memory {
    pub fn new() -> Memory {
        Memory::default()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no visitor runs under this lock, and nothing else panics")
    }
}

impl Store for Memory {
    fn commit(&self, batch: Batch) -> Result<(), Error> {
        batch.check()?;
        self.lock().apply(batch);
        Ok(())
    }

    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let state = self.lock();
        let value = state.spaces[space.index()].get(key).and_then(|row| row.value.clone());
        drop(state);
        Ok(value.map(|value| value.to_vec()))
    }

    fn scan(
        &self,
        space: Space,
        from: &[u8],
        to: &[u8],
        direction: Direction,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> Visit,
    ) -> Result<(), Error> {
        if !to.is_empty() && from >= to {
            return Ok(());
        }
        let lower = Bound::Included(from.to_vec());
        let upper = if to.is_empty() { Bound::Unbounded } else { Bound::Excluded(to.to_vec()) };
        let _ended = View::open(self).visit(space, (lower, upper), direction, visit);
        Ok(())
    }

    fn snapshot(&self, visit: &mut RowVisitor<'_>) -> Result<(), Error> {
        let view = View::open(self);
        let all = || (Bound::Unbounded, Bound::Unbounded);
        let mut spaces = Space::ALL.into_iter();
        let _ended = spaces.try_for_each(|space| {
            view.visit(space, all(), Direction::Forward, &mut |key, value| visit(space, key, value))
        });
        Ok(())
    }

    fn poisoned(&self) -> Option<String> {
        None
    }
}

type Value = Arc<[u8]>;
type Page = Vec<(Vec<u8>, Value)>;

#[derive(Debug, Default)]
struct State {
    spaces: [BTreeMap<Vec<u8>, Row>; Space::ALL.len()],
    /// Number of the last commit.
    commit: u64,
    /// How many scans are open at which commit.
    scans: BTreeMap<u64, usize>,
    /// Rows that hold older versions or a deletion. Empty while no scan is open.
    stale: Vec<(Space, Vec<u8>)>,
    /// Length of `stale` at which it is swept while scans are open.
    sweep_at: usize,
}

#[derive(Debug)]
struct Row {
    /// `None`: deleted, but an open scan may still see an older version.
    value: Option<Value>,
    /// The commit that wrote `value`.
    since: u64,
    /// Versions before that and the commits that wrote them, oldest first.
    older: Vec<(u64, Option<Value>)>,
}

impl State {
    fn apply(&mut self, batch: Batch) {
        self.commit += 1;
        let watched = !self.scans.is_empty();
        for write in batch.into_writes() {
            let value = write.value.map(Value::from);
            if watched {
                self.supersede(write.space, write.key, value);
                continue;
            }
            let rows = &mut self.spaces[write.space.index()];
            match value {
                Some(_) => drop(rows.insert(write.key, Row { value, since: self.commit, older: Vec::new() })),
                None => drop(rows.remove(&write.key)),
            }
        }
        if self.stale.len() > self.sweep_at {
            self.sweep();
        }
    }

    /// Writes one row while scans are open.
    fn supersede(&mut self, space: Space, key: Vec<u8>, value: Option<Value>) {
        let since = self.commit;
        let rows = &mut self.spaces[space.index()];
        match rows.get_mut(&key) {
            Some(row) => {
                let before = std::mem::replace(&mut row.value, value);
                if row.since < since {
                    row.older.push((row.since, before));
                    row.since = since;
                }
                self.stale.push((space, key));
            }
            None if value.is_some() => drop(rows.insert(key, Row { value, since, older: Vec::new() })),
            None => {}
        }
    }

    fn page(&self, space: Space, range: (&Bound<Vec<u8>>, &Bound<Vec<u8>>), direction: Direction, moment: u64) -> Page {
        let range = (range.0.as_ref().map(Vec::as_slice), range.1.as_ref().map(Vec::as_slice));
        let rows = self.spaces[space.index()].range::<[u8], _>(range);
        let seen = |(key, row): (&Vec<u8>, &Row)| Some((key.clone(), row.at(moment)?.clone()));
        match direction {
            Direction::Forward => rows.filter_map(seen).take(MEMORY_SCAN_ROWS).collect(),
            Direction::Backward => rows.rev().filter_map(seen).take(MEMORY_SCAN_ROWS).collect(),
        }
    }

    /// Forgets every version that no open scan can see.
    fn sweep(&mut self) {
        let oldest = self.scans.keys().next().copied().unwrap_or(u64::MAX);
        let mut stale = std::mem::take(&mut self.stale);
        stale.sort_unstable();
        stale.dedup();
        stale.retain(|(space, key)| {
            let rows = &mut self.spaces[space.index()];
            let Some(row) = rows.get_mut(key) else { return false };
            row.forget_before(oldest);
            let settled = row.older.is_empty();
            if settled && row.value.is_none() {
                rows.remove(key);
            }
            !settled
        });
        self.stale = stale;
        self.sweep_at = MEMORY_STALE_ROWS.max(2 * self.stale.len());
    }
}

impl Row {
    fn at(&self, moment: u64) -> Option<&Value> {
        if self.since <= moment {
            return self.value.as_ref();
        }
        self.older.iter().rev().find(|(since, _)| *since <= moment).and_then(|(_, value)| value.as_ref())
    }

    /// Drops the versions that were superseded at or before commit `oldest`.
    fn forget_before(&mut self, oldest: u64) {
        let superseded = self.older.iter().skip(1).map(|(since, _)| *since).chain([self.since]);
        let gone = superseded.take_while(|at| *at <= oldest).count().min(self.older.len());
        self.older.drain(..gone);
    }
}

/// One open scan: keeps what it may still see.
struct View<'a> {
    memory: &'a Memory,
    moment: u64,
}

impl View<'_> {
    fn open(memory: &Memory) -> View<'_> {
        let mut state = memory.lock();
        let moment = state.commit;
        *state.scans.entry(moment).or_insert(0) += 1;
        drop(state);
        View { memory, moment }
    }

    fn visit(
        &self,
        space: Space,
        (mut lower, mut upper): (Bound<Vec<u8>>, Bound<Vec<u8>>),
        direction: Direction,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> Visit,
    ) -> Visit {
        loop {
            let page = self.memory.lock().page(space, (&lower, &upper), direction, self.moment);
            for (key, value) in &page {
                visit(key, value)?;
            }
            let more = page.len() == MEMORY_SCAN_ROWS;
            match (page.into_iter().next_back(), direction) {
                (Some((key, _)), Direction::Forward) if more => lower = Bound::Excluded(key),
                (Some((key, _)), Direction::Backward) if more => upper = Bound::Excluded(key),
                _ => return Visit::Continue(()),
            }
        }
    }
}

impl Drop for View<'_> {
    fn drop(&mut self) {
        let mut state = self.memory.lock();
        if let Some(open) = state.scans.get_mut(&self.moment) {
            *open -= 1;
            if *open == 0 {
                state.scans.remove(&self.moment);
            }
        }
        if state.scans.is_empty() && !state.stale.is_empty() {
            state.sweep();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ops::ControlFlow;

    #[test]
    fn keeps_the_contract() {
        crate::contract::check(|| Box::new(Memory::new()));
    }

    #[test]
    fn forgets_older_versions_once_no_scan_sees_them() {
        let memory = Memory::new();
        let write = |value: Option<u8>| {
            let mut batch = Batch::default();
            match value {
                Some(value) => batch.put(Space::Open, *b"key", [value]),
                None => batch.delete(Space::Open, *b"key"),
            }
            memory.commit(batch).unwrap();
        };
        write(Some(0));
        let older = || memory.lock().spaces[Space::Open.index()].get(&b"key"[..]).map(|row| row.older.len());
        let mut visits = 0;
        let mut visit = |_: &[u8], value: &[u8]| {
            visits += 1;
            assert_eq!(value, [0]);
            (1..=3).for_each(|value| write(Some(value)));
            assert_eq!(older(), Some(3));
            write(None);
            assert_eq!(older(), Some(4));
            ControlFlow::Continue(())
        };
        memory.scan(Space::Open, b"", b"", Direction::Forward, &mut visit).unwrap();
        assert_eq!(visits, 1);
        assert_eq!(older(), None, "the deleted row is gone with the scan");
        assert!(memory.lock().stale.is_empty());
    }

    #[test]
    fn sweeps_under_scans_that_never_all_end() {
        let memory = Memory::new();
        let write = |value: u32| {
            let mut batch = Batch::default();
            batch.put(Space::Open, *b"key", value.to_be_bytes());
            memory.commit(batch).unwrap();
        };
        write(0);
        let mut open = View::open(&memory);
        for value in 0..20_000 {
            write(value);
            open = View::open(&memory);
        }
        let state = memory.lock();
        assert!(state.stale.len() <= 2 * MEMORY_STALE_ROWS, "{} stale rows", state.stale.len());
        let versions = state.spaces[Space::Open.index()][&b"key"[..]].older.len();
        assert!(versions <= 2 * MEMORY_STALE_ROWS, "{versions} older versions");
        drop(state);
        drop(open);
        assert!(memory.lock().stale.is_empty());
    }
}
