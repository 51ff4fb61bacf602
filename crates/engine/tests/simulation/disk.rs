//! The disk under an engine: what it keeps of a commit that failed, and what a crash leaves of it.

use std::{
    fs,
    io::Write,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use stepwell_store::{Batch, Direction, Error, RowVisitor, Space, Store, Visit, embedded::Embedded, memory::Memory};

use crate::{Bug, dice::Dice, journal::Journal};

/// What becomes of the commit that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nothing of it reached the disk.
    Lost,
    /// All of it did, though nobody was told: the sync failed too late, or the process died before the answer.
    Kept,
    /// A part of it did. The store has to tell at its next opening.
    Torn,
}

/// What outlives an engine.
pub(crate) enum Disk {
    Memory(Arc<Memory>),
    /// The store of the product in a folder, whose journal is torn at some byte.
    Folder(tempfile::TempDir),
}

impl Disk {
    /// The store as a process finds it when it starts.
    pub(crate) fn open(
        &self,
        journal: Arc<Journal>,
        plan: Option<(u64, Fate)>,
        bug: Bug,
    ) -> Result<Arc<Failing>, String> {
        let inner: Arc<dyn Store> = match self {
            Disk::Memory(memory) => memory.clone(),
            Disk::Folder(folder) => Arc::new(Embedded::open(folder.path()).map_err(|error| error.to_string())?),
        };
        Ok(Arc::new(Failing { inner, journal, plan, bug, state: Mutex::default() }))
    }

    /// The process has died: what was under way when the commit failed meets its fate. Nobody else has the store.
    pub(crate) fn crash(&self, store: Arc<Failing>, dice: &mut Dice) -> Result<(), String> {
        let failed = store.state.lock().unwrap().failed.take();
        let (fate, bug) = (store.plan.map(|(_, fate)| fate), store.bug);
        let Some(store) = Arc::into_inner(store) else { return Err("somebody still holds the store".to_owned()) };
        drop(store);
        let (Some(batch), Some(fate)) = (failed, fate) else { return Ok(()) };
        match (self, fate) {
            (_, Fate::Lost) | (Disk::Memory(_), Fate::Torn) => Ok(()),
            (Disk::Memory(memory), Fate::Kept) => memory.commit(bug.kept(batch)).map_err(|error| error.to_string()),
            (Disk::Folder(folder), Fate::Kept | Fate::Torn) => {
                let end = newest_journal(folder)?.1;
                let store = Embedded::open(folder.path()).map_err(|error| error.to_string())?;
                store.commit(batch).map_err(|error| error.to_string())?;
                drop(store);
                if fate == Fate::Torn { tear(folder, end, dice) } else { Ok(()) }
            }
        }
    }
}

/// The newest journal and where its commits end.
fn newest_journal(folder: &tempfile::TempDir) -> Result<(PathBuf, u64), String> {
    let entries = fs::read_dir(folder.path().join("rows")).map_err(|error| error.to_string())?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let numbered =
        paths.filter_map(|path| Some((path.file_name()?.to_str()?.strip_suffix(".jnl")?.parse::<u64>().ok()?, path)));
    let (_, path) = numbered.max().ok_or("there is no journal")?;
    let bytes = fs::read(&path).map_err(|error| error.to_string())?;
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last as u64 + 1);
    Ok((path, end))
}

/// Cuts the last commit, which begins at `from`, at some byte; what follows is gone, zero or garbage.
fn tear(folder: &tempfile::TempDir, from: u64, dice: &mut Dice) -> Result<(), String> {
    let (path, end) = newest_journal(folder)?;
    let at = from + dice.roll(end.saturating_sub(from).max(1));
    let error = |error: std::io::Error| error.to_string();
    let mut file = fs::OpenOptions::new().write(true).open(path).map_err(error)?;
    file.set_len(at).map_err(error)?;
    match dice.roll(3) {
        0 => Ok(()),
        1 => file.set_len(at + 100_000).map_err(error),
        _ => {
            let garbage: Vec<u8> = (0..dice.roll(500)).map(|_| u8::try_from(dice.roll(256)).unwrap_or(0)).collect();
            std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)).map_err(error)?;
            file.write_all(&garbage).map_err(error)
        }
    }
}

/// A store for one life of the engine: its planned commit fails, and every one after it.
pub(crate) struct Failing {
    inner: Arc<dyn Store>,
    journal: Arc<Journal>,
    /// Commits that succeed before the one that fails.
    plan: Option<(u64, Fate)>,
    bug: Bug,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    commits: u64,
    failed: Option<Batch>,
    poison: Option<String>,
}

impl Store for Failing {
    fn commit(&self, batch: Batch) -> Result<(), Error> {
        let mut state = self.state.lock().unwrap();
        if let Some(reason) = &state.poison {
            return Err(Error::Poisoned { reason: reason.clone() });
        }
        if let Some((after, _)) = self.plan
            && after == state.commits
        {
            let reason = format!("planned failure of commit {}", after + 1);
            state.poison = Some(reason.clone());
            state.failed = Some(batch);
            return Err(Error::Failed { reason });
        }
        state.commits += 1;
        self.journal.acknowledge(&batch);
        self.inner.commit(self.bug.changed(batch, state.commits))
    }

    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.inner.get(space, key)
    }

    fn scan(
        &self,
        space: Space,
        from: &[u8],
        to: &[u8],
        direction: Direction,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> Visit,
    ) -> Result<(), Error> {
        self.inner.scan(space, from, to, direction, visit)
    }

    fn snapshot(&self, visit: &mut RowVisitor<'_>) -> Result<(), Error> {
        self.inner.snapshot(visit)
    }

    fn poisoned(&self) -> Option<String> {
        self.state.lock().unwrap().poison.clone()
    }
}
