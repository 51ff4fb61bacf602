//! Tables are written when nobody commits: what sleeps then takes no memory, and the next start replays less.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;

use crate::limits::{QUIET_AFTER, QUIET_MEMTABLE_BYTES};
use fjall::{AbstractTree, Keyspace};

/// The thread that looks whether anything is committed. It ends when this is dropped.
pub(super) struct Quiet {
    commits: Arc<AtomicU64>,
    /// Ends the thread by being dropped.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Quiet {
    pub(super) fn watch(spaces: Vec<Keyspace>) -> std::io::Result<Quiet> {
        let commits = Arc::new(AtomicU64::new(0));
        let (stop, stopped) = channel();
        let seen = commits.clone();
        let look = move || {
            let (mut before, mut done) = (0, 0);
            let mut written = false;
            while stopped.recv_timeout(QUIET_AFTER) == Err(RecvTimeoutError::Timeout) {
                let now = seen.load(Ordering::Relaxed);
                if now != before {
                    before = now;
                } else if written {
                    forget_written(&spaces);
                    written = false;
                } else if now != done {
                    done = now;
                    written = write_tables(&spaces);
                }
            }
        };
        let thread = std::thread::Builder::new().name("stepwell-quiet".to_owned()).spawn(look)?;
        Ok(Quiet { commits, stop: Some(stop), thread: Some(thread) })
    }

    pub(super) fn committed(&self) {
        self.commits.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in it has been told, and left the rows as they are.
            drop(thread.join());
        }
    }
}

/// Asks for tables of all that is in memory, if that is worth it: a journal goes when no space needs it any more. What
/// fails is met by the next commit.
fn write_tables(spaces: &[Keyspace]) -> bool {
    let size = |space: &Keyspace| space.tree.active_memtable().size();
    let worth_it = spaces.iter().any(|space| size(space) >= QUIET_MEMTABLE_BYTES);
    if worth_it {
        spaces.iter().filter(|space| size(space) > 0).for_each(rotate);
    }
    worth_it
}

/// Lets go what was written. The engine underneath keeps it for readers until its sequence has moved on and another table is
/// begun: here, by the removal of a row that is never there.
fn forget_written(spaces: &[Keyspace]) {
    if let Some(space) = spaces.first()
        && super::contained(|| space.remove([0])).is_ok()
    {
        rotate(space);
    }
}

fn rotate(space: &Keyspace) {
    drop(super::contained(|| space.rotate_memtable()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::{Embedded, numbered};
    use crate::{Batch, Space, Store};

    #[test]
    fn what_is_written_in_quiet_times_is_there_and_no_longer_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        let store = Embedded::open(folder.path()).unwrap();
        numbered::commit(&store, 1..=3);
        assert!(!write_tables(&store.spaces), "too little is not worth tables");
        let mut batch = Batch::default();
        (0..6).for_each(|number| batch.put(Space::History, [255, number], vec![number; 512 * 1024]));
        store.commit(batch).unwrap();
        assert!(write_tables(&store.spaces));
        let pending = || store.spaces.iter().any(|space| space.sealed_memtable_count() > 0);
        while pending() {
            std::thread::yield_now();
        }
        forget_written(&store.spaces);
        while pending() {
            std::thread::yield_now();
        }
        assert!(store.spaces.iter().all(|space| space.tree.active_memtable().is_empty()));
        for number in 0..6 {
            let found = store.get(Space::History, &[255, number]).unwrap();
            assert!(found == Some(vec![number; 512 * 1024]), "row {number}");
        }
        drop(store);
        let store = Embedded::open(folder.path()).unwrap();
        assert_eq!(store.get(Space::Meta, b"last").unwrap(), Some(3u64.to_be_bytes().to_vec()));
        assert_eq!(store.get(Space::Meta, &[0]).unwrap(), None);
    }
}
