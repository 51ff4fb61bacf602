//! What a read costs: the rows that it visits, and their bytes.

use std::sync::atomic::{AtomicUsize, Ordering};

use stepwell_store::{Batch, Direction, Error, Memory, RowVisitor, Space, Store, Visit};

use super::samples::rows;

struct Counting {
    store: Memory,
    rows: AtomicUsize,
    bytes: AtomicUsize,
}

impl Counting {
    fn count(&self, row: &[u8]) {
        self.rows.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(row.len(), Ordering::Relaxed);
    }
}

/// What was visited.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visited {
    pub(super) rows: usize,
    pub(super) bytes: usize,
}

impl Store for Counting {
    fn commit(&self, batch: Batch) -> Result<(), Error> {
        self.store.commit(batch)
    }

    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let row = self.store.get(space, key)?;
        self.count(row.as_deref().unwrap_or_default());
        Ok(row)
    }

    fn scan(
        &self,
        space: Space,
        from: &[u8],
        to: &[u8],
        direction: Direction,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> Visit,
    ) -> Result<(), Error> {
        self.store.scan(space, from, to, direction, &mut |key, value| {
            self.count(value);
            visit(key, value)
        })
    }

    fn snapshot(&self, visit: &mut RowVisitor<'_>) -> Result<(), Error> {
        self.store.snapshot(visit)
    }

    fn poisoned(&self) -> Option<String> {
        None
    }
}

/// The rows that `read` visits in a copy of `store`.
pub(super) fn rows_visited(store: &Memory, read: impl FnOnce(&dyn Store)) -> usize {
    visited(store, read).rows
}

/// What `read` visits in a copy of `store`.
pub(super) fn visited(store: &Memory, read: impl FnOnce(&dyn Store)) -> Visited {
    let counting = Counting { store: Memory::new(), rows: AtomicUsize::new(0), bytes: AtomicUsize::new(0) };
    counting.store.commit(copy(&rows(store))).unwrap();
    read(&counting);
    Visited { rows: counting.rows.into_inner(), bytes: counting.bytes.into_inner() }
}

/// A batch that writes these rows.
pub(super) fn copy(rows: &[(Space, Vec<u8>, Vec<u8>)]) -> Batch {
    let mut batch = Batch::default();
    for (space, key, value) in rows {
        batch.put(*space, key.clone(), value.clone());
    }
    batch
}
