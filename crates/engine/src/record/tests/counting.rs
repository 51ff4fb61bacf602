//! What a read costs: the rows that it visits.

use std::sync::atomic::{AtomicUsize, Ordering};

use stepwell_store::{Batch, Direction, Error, Memory, RowVisitor, Space, Store, Visit};

use super::samples::rows;

struct Counting {
    store: Memory,
    rows: AtomicUsize,
}

impl Store for Counting {
    fn commit(&self, batch: Batch) -> Result<(), Error> {
        self.store.commit(batch)
    }

    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.rows.fetch_add(1, Ordering::Relaxed);
        self.store.get(space, key)
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
            self.rows.fetch_add(1, Ordering::Relaxed);
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
    let counting = Counting { store: Memory::new(), rows: AtomicUsize::new(0) };
    counting.store.commit(copy(&rows(store))).unwrap();
    read(&counting);
    counting.rows.into_inner()
}

/// A batch that writes these rows.
pub(super) fn copy(rows: &[(Space, Vec<u8>, Vec<u8>)]) -> Batch {
    let mut batch = Batch::default();
    for (space, key, value) in rows {
        batch.put(*space, key.clone(), value.clone());
    }
    batch
}
