//! The store of one process on a local disk, on top of fjall: a log-structured merge tree with one journal.
//!
//! Here is what fjall is told and kept from; the folder around it is in `folder`, the checks of its files before it
//! sees them in `journal` and `tables`. Nothing outside this module knows of it.

mod ahead;
mod flaw;
mod folder;
mod journal;
mod salvage;
mod tables;

#[cfg(test)]
mod crash;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod numbered;

use crate::limits::{
    CACHE_BYTES, JOURNAL_BATCH_OVERHEAD, JOURNAL_WRITE_OVERHEAD, JOURNALS_BYTES_MAX, MEMTABLE_BYTES_MAX, ROOM_POLL,
    ROOM_POLLS_MAX, SEALED_MEMTABLES_MAX, WORKERS,
};
use crate::{Batch, Direction, Error, RowVisitor, Space, Store, Visit, Write};
use ahead::Ahead;
use fjall::{
    CompressionType, Database, Keyspace, KeyspaceCreateOptions, LsmError, OwnedWriteBatch, PersistMode, Readable,
};
use folder::{Folder, State, Verified, io_error};
pub use salvage::{Salvage, salvage};
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Rows in a data folder. One process at a time has it open.
///
/// Invariant: [`Store::commit`] answers `Ok` only after one `fdatasync` of the journal that holds the whole batch.
pub struct Embedded {
    // Dropped in this order: the lock on the folder goes last.
    spaces: Vec<Keyspace>,
    database: Database,
    /// Held during a commit.
    ahead: Mutex<Ahead>,
    poison: OnceLock<String>,
    torn_bytes: u64,
    folder: Folder,
}

impl Embedded {
    /// Opens the data folder, making it if there is none. Takes as long as the journals are long: about a second for
    /// 128 MiB.
    ///
    /// Everything that a crash leaves is put in order here. A folder that somebody else has open, or of a newer
    /// format, or damaged, is refused and left as it is.
    pub fn open(path: impl AsRef<Path>) -> Result<Embedded, Error> {
        let folder = Folder::claim(path.as_ref())?;
        if folder.state()? == State::New {
            create(&folder)?;
        }
        let rows = folder.rows();
        let Verified { torn_bytes, newest } = folder.verify(&rows)?;
        let (database, spaces) = open_rows(&folder, &rows, false)?;
        folder.begun(&rows)?;
        let ahead = Mutex::new(Ahead::new(&rows, newest));
        Ok(Embedded { spaces, database, ahead, poison: OnceLock::new(), torn_bytes, folder })
    }

    /// Bytes of an unfinished commit that were cut off at the end of the journal when the store was opened. Nothing of
    /// it had been acknowledged.
    pub fn torn_bytes(&self) -> u64 {
        self.torn_bytes
    }

    fn write(&self, batch: Batch) -> Result<(), Error> {
        self.wait_for_room(&batch)?;
        let journal_bytes = batch.bytes() + batch.writes().len() * JOURNAL_WRITE_OVERHEAD + JOURNAL_BATCH_OVERHEAD;
        let mut writes = batch.into_writes();
        // All rows of a batch carry one sequence number, so of two writes of one key only the later may be handed on.
        // The sort is stable: equal keys stay in the order in which they were written.
        writes.sort_by(|one, other| (one.space, &one.key).cmp(&(other.space, &other.key)));
        let mut rows = OwnedWriteBatch::with_capacity(self.database.clone(), writes.len());
        let mut writes = writes.into_iter().peekable();
        while let Some(Write { space, key, value }) = writes.next() {
            if writes.peek().is_some_and(|next| next.space == space && next.key == key) {
                continue;
            }
            match value {
                Some(value) => rows.insert(&self.spaces[space.index()], key, value),
                None => rows.remove(&self.spaces[space.index()], key),
            }
        }
        let rows = rows.durability(Some(PersistMode::SyncData));
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        ahead.prepare(journal_bytes as u64);
        contained(|| rows.commit()).map_err(|failure| self.failed("write to", failure))
    }

    /// Waits while flushes lag behind, before anything is written.
    ///
    /// Fjall would wait by itself, inside the commit and for ever, even after the flush that it waits for has failed.
    fn wait_for_room(&self, batch: &Batch) -> Result<(), Error> {
        let mut spaces = [false; Space::ALL.len()];
        batch.writes().iter().for_each(|write| spaces[write.space.index()] = true);
        let full = || {
            let mut written = self.spaces.iter().zip(spaces).filter(|(_, written)| *written);
            written.any(|(space, _)| space.sealed_memtable_count() >= SEALED_MEMTABLES_MAX)
        };
        for _ in 0..ROOM_POLLS_MAX {
            if !full() {
                return Ok(());
            }
            // Writes nothing here; it fails when a flush or a compaction has failed.
            contained(|| self.database.persist(PersistMode::Buffer))
                .map_err(|failure| self.failed("write to", failure))?;
            std::thread::sleep(ROOM_POLL);
        }
        Err(Error::Failed { reason: "tables are written too slowly: a commit has waited for minutes".to_owned() })
    }

    fn failed(&self, doing: &'static str, failure: Failure) -> Error {
        explain(&self.folder, doing, failure)
    }
}

impl Store for Embedded {
    fn commit(&self, batch: Batch) -> Result<(), Error> {
        if let Some(reason) = self.poison.get() {
            return Err(Error::Poisoned { reason: reason.clone() });
        }
        if batch.is_empty() {
            return Ok(());
        }
        batch.check()?;
        self.write(batch).inspect_err(|error| {
            self.poison.get_or_init(|| error.to_string());
        })
    }

    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        if key.is_empty() {
            return Ok(None);
        }
        // Through a snapshot, so that a batch is seen as a whole or not at all, as by scans.
        let value = contained(|| self.database.snapshot().get(&self.spaces[space.index()], key));
        match value.map_err(|failure| self.failed("read from", failure))? {
            Some(value) => Ok(Some(value.to_vec())),
            None => Ok(None),
        }
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
        let to = if to.is_empty() { Bound::Unbounded } else { Bound::Excluded(to) };
        let range = (Bound::Included(from), to);
        let mut rows = self.database.snapshot().range::<&[u8], _>(&self.spaces[space.index()], range);
        loop {
            let row = contained(|| {
                let row = match direction {
                    Direction::Forward => rows.next(),
                    Direction::Backward => rows.next_back(),
                };
                row.map(fjall::Guard::into_inner).transpose()
            });
            match row.map_err(|failure| self.failed("read from", failure))? {
                Some((key, value)) if visit(&key, &value).is_continue() => {}
                _ => return Ok(()),
            }
        }
    }

    fn snapshot(&self, visit: &mut RowVisitor<'_>) -> Result<(), Error> {
        let snapshot = self.database.snapshot();
        for space in Space::ALL {
            let mut rows = snapshot.iter(&self.spaces[space.index()]);
            loop {
                let row = contained(|| rows.next().map(fjall::Guard::into_inner).transpose());
                match row.map_err(|failure| self.failed("read from", failure))? {
                    Some((key, value)) if visit(space, &key, &value).is_continue() => {}
                    Some(_) => return Ok(()),
                    None => break,
                }
            }
        }
        Ok(())
    }

    fn poisoned(&self) -> Option<String> {
        self.poison.get().cloned()
    }
}

/// Makes empty rows beside the place where they belong, then publishes them.
fn create(folder: &Folder) -> Result<(), Error> {
    let rows = folder.begin()?;
    drop(open_rows(folder, &rows, true)?);
    // What `verify` expects must be what fjall makes: find out now, not at the next start.
    let Verified { newest, .. } = folder.verify(&rows)?;
    newest.map_or(Ok(()), |newest| folder.set_aside(&rows, newest))?;
    folder.finish()
}

fn open_rows(folder: &Folder, rows: &Path, create: bool) -> Result<(Database, Vec<Keyspace>), Error> {
    let opened = contained(|| {
        let database = Database::builder(rows)
            .cache_size(CACHE_BYTES)
            .journal_compression(CompressionType::None)
            .manual_journal_persist(true)
            .max_journaling_size(JOURNALS_BYTES_MAX)
            .worker_threads(WORKERS)
            .open()?;
        // A space that is missing is damage, not one to be made anew.
        if !create && !Space::ALL.iter().all(|space| database.keyspace_exists(space.name())) {
            return Err(fjall::Error::Unrecoverable);
        }
        // These options are stored when a keyspace is made: changing one does nothing to folders that exist.
        let options = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES_MAX);
        let spaces = Space::ALL.iter().map(|space| database.keyspace(space.name(), options));
        let spaces = spaces.collect::<fjall::Result<Vec<Keyspace>>>()?;
        Ok((database, spaces))
    });
    opened.map_err(|failure| explain(folder, "open the rows in", failure))
}

/// Why a call of fjall did not give an answer.
enum Failure {
    Error(fjall::Error),
    Panic(String),
}

/// Calls fjall. It asserts what it reads from its files at some places (its locks, names and options): such a panic
/// is an error here, and a commit that ends in one poisons the store like any other.
fn contained<T>(call: impl FnOnce() -> fjall::Result<T>) -> Result<T, Failure> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(answer) => answer.map_err(Failure::Error),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Err(Failure::Panic(text.unwrap_or_else(|| "for an unknown reason".to_owned())))
        }
    }
}

/// The error of an operator for a failure of fjall.
fn explain(folder: &Folder, doing: &'static str, failure: Failure) -> Error {
    use fjall::Error as Rows;
    let path = folder.path();
    match failure {
        Failure::Error(Rows::Io(source) | Rows::Storage(LsmError::Io(source))) => match source.kind() {
            // The last one: a place before the beginning of the file was looked for.
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                folder.damaged(format!("a file is cut: {source}"))
            }
            io::ErrorKind::NotFound => folder.damaged("a file of the rows is missing"),
            _ => io_error(doing, path)(source),
        },
        Failure::Error(Rows::Locked) => Error::Locked { path: path.display().to_string() },
        Failure::Error(Rows::Poisoned) => {
            Error::Failed { reason: "writing a table in the background has failed; is the disk full?".to_owned() }
        }
        Failure::Error(Rows::KeyspaceDeleted) => Error::Failed { reason: "a space was deleted".to_owned() },
        Failure::Error(Rows::Storage(LsmError::ChecksumMismatch { .. })) => {
            folder.damaged("a table has a wrong checksum")
        }
        Failure::Error(error) => folder.damaged(format!("a file of the rows is not readable ({error:?})")),
        Failure::Panic(text) => folder.damaged(format!("the rows are not readable ({text})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::fs;

    fn text(error: Error) -> String {
        error.to_string()
    }

    fn row(value: &str) -> Batch {
        let mut batch = Batch::default();
        batch.put(Space::Summary, *b"row", value);
        batch
    }

    #[test]
    fn keeps_the_contract() {
        let folders = RefCell::new(Vec::new());
        crate::contract::check(|| {
            let folder = tempfile::tempdir().unwrap();
            let store = Embedded::open(folder.path()).unwrap();
            folders.borrow_mut().push(folder);
            Box::new(store)
        });
    }

    #[test]
    fn keeps_rows_over_restarts() {
        let folder = tempfile::tempdir().unwrap();
        for round in 1..=4u64 {
            let store = Embedded::open(folder.path()).unwrap();
            assert_eq!(numbered::verify(&store), (round - 1) * 50);
            numbered::commit(&store, (round - 1) * 50 + 1..=round * 50);
            if round == 2 {
                // Rows of tables and rows of the journal, from here on.
                store.spaces.iter().for_each(|space| space.rotate_memtable_and_wait().unwrap());
            }
            assert_eq!(numbered::verify(&store), round * 50);
            assert_eq!(store.torn_bytes(), 0);
        }
    }

    #[test]
    fn rows_outgrow_memory_and_journals() {
        const MIB: usize = 1024 * 1024;
        let folder = tempfile::tempdir().unwrap();
        let journals = || {
            let entries = fs::read_dir(folder.path().join("rows")).unwrap().map(|entry| entry.unwrap().path());
            entries.filter(|path| path.extension().is_some_and(|end| end == "jnl")).count()
        };
        let store = Embedded::open(folder.path()).unwrap();
        // This row alone keeps the first journal from being dropped.
        store.commit(row("kept")).unwrap();
        let mut batches = 0;
        while batches < 5 || journals() < 2 {
            let mut batch = Batch::default();
            (0..24).for_each(|part| batch.put(Space::History, [batches, part], vec![batches ^ part; MIB]));
            store.commit(batch).unwrap();
            batches += 1;
            assert!(batches < 60, "no journal was ever sealed");
        }
        drop(store);
        let store = Embedded::open(folder.path()).unwrap();
        let mut rows = 0;
        let mut visit = |key: &[u8], value: &[u8]| {
            assert!(value.len() == MIB && value[0] == key[0] ^ key[1], "row {key:?}");
            rows += 1;
            std::ops::ControlFlow::Continue(())
        };
        store.scan(Space::History, b"", b"", Direction::Forward, &mut visit).unwrap();
        assert_eq!(rows, usize::from(batches) * 24);
        assert_eq!(store.get(Space::Summary, b"row").unwrap(), Some(b"kept".to_vec()));
    }

    #[test]
    fn blocks_are_written_ahead_in_the_first_journal_and_no_more_when_it_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("rows/1.jnl");
        let written =
            || fs::metadata(&journal).map(|journal| std::os::unix::fs::MetadataExt::blocks(&journal)).unwrap() * 512;
        let store = Embedded::open(folder.path()).unwrap();
        store.commit(row("kept")).unwrap();
        assert!(written() >= crate::limits::AHEAD_BYTES);
        drop(store);
        let store = Embedded::open(folder.path()).unwrap();
        store.commit(row("kept")).unwrap();
        assert!(written() < crate::limits::AHEAD_BYTES, "what stands behind the last commit would hide those to come");
    }

    #[test]
    fn one_process_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new").join("data");
        let store = Embedded::open(&path).unwrap();
        let refused = Embedded::open(&path).err().map(text);
        let expected = format!("the data folder `{}` is in use by another process", path.display());
        assert_eq!(refused, Some(expected));
        store.commit(row("kept")).unwrap();
        drop(store);
        assert_eq!(Embedded::open(&path).unwrap().get(Space::Summary, b"row").unwrap(), Some(b"kept".to_vec()));
    }

    #[test]
    fn reads_its_format_and_refuses_others() {
        let cases = [
            ("stepwell data, format 1\n", None),
            ("stepwell data, format 1", None),
            ("stepwell data, format 2\n", Some("has format 2, this program reads up to 1: use a newer release")),
            ("stepwell data, format 4000000000\n", Some("has format 4000000000, this program")),
            ("stepwell data, format 0\n", Some("is damaged: the file `format` is not readable")),
            ("stepwell data, format x\n", Some("is damaged: the file `format` is not readable")),
            ("stepwell data, format 99999999999\n", Some("is damaged: the file `format` is not readable")),
            ("", Some("is damaged: the file `format` is not readable")),
            ("something else", Some("is damaged: the file `format` is not readable")),
        ];
        let folder = tempfile::tempdir().unwrap();
        Embedded::open(folder.path()).unwrap().commit(row("kept")).unwrap();
        let format = folder.path().join("format");
        assert_eq!(fs::read_to_string(&format).unwrap(), cases[0].0);
        for (content, refusal) in cases {
            fs::write(&format, content).unwrap();
            let opened = Embedded::open(folder.path()).map(|store| store.get(Space::Summary, b"row").unwrap());
            match (opened, refusal) {
                (Ok(value), None) => assert_eq!(value.as_deref(), Some(&b"kept"[..])),
                (Err(error), Some(refusal)) => assert!(error.to_string().contains(refusal), "{content:?}: {error}"),
                (opened, _) => panic!("{content:?}: {opened:?}"),
            }
        }
    }

    #[test]
    fn finishes_an_interrupted_creation() {
        let rename = |folder: &Path, from: &str, to: &str| fs::rename(folder.join(from), folder.join(to)).unwrap();
        let crashes: [&dyn Fn(&Path); 4] = [
            &|folder| {
                // While the rows are made.
                fs::remove_file(folder.join("format")).unwrap();
                rename(folder, "rows", "rows.new");
                fs::remove_dir_all(folder.join("rows.new/keyspaces/3")).unwrap();
            },
            &|folder| {
                // While the format is written.
                rename(folder, "format", "format.new");
                rename(folder, "rows", "rows.new");
                fs::write(folder.join("format.new"), "").unwrap();
            },
            // Before the rows are published.
            &|folder| rename(folder, "rows", "rows.new"),
            // Right after the folder was made.
            &|folder| {
                fs::remove_dir_all(folder).unwrap();
                fs::create_dir(folder).unwrap();
            },
        ];
        for crash in crashes {
            let folder = tempfile::tempdir().unwrap();
            drop(Embedded::open(folder.path()).unwrap());
            crash(folder.path());
            let store = Embedded::open(folder.path()).unwrap();
            numbered::commit(&store, 1..=3);
            drop(store);
            assert_eq!(numbered::verify(&Embedded::open(folder.path()).unwrap()), 3);
        }
    }

    #[test]
    fn leaves_other_files_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("notes.txt"), "mine").unwrap();
        for _ in 0..2 {
            drop(Embedded::open(folder.path()).unwrap());
        }
        assert_eq!(fs::read_to_string(folder.path().join("notes.txt")).unwrap(), "mine");
    }

    #[test]
    fn says_what_is_wrong_with_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let refusal = Embedded::open(&file).err().map(text).unwrap();
        assert!(refusal.starts_with(&format!("cannot open the data folder `{}`: ", file.display())), "{refusal}");
        let refusal = Embedded::open(file.join("below")).err().map(text).unwrap();
        assert!(refusal.starts_with("cannot create the data folder `"), "{refusal}");
        // Nobody may make folders there, not even root.
        let refusal = Embedded::open("/proc/data").err().map(text).unwrap();
        assert!(refusal.starts_with("cannot create the data folder `/proc/data`: "), "{refusal}");
    }

    #[test]
    fn a_failed_write_poisons() {
        let folder = tempfile::tempdir().unwrap();
        let store = Embedded::open(folder.path()).unwrap();
        store.commit(row("kept")).unwrap();
        store.poison.set("disk full".to_owned()).unwrap();
        assert_eq!(
            store.commit(row("late")).map_err(text),
            Err("the store refuses writes since an earlier write failed: disk full".to_owned())
        );
        assert_eq!(store.poisoned().as_deref(), Some("disk full"));
        assert_eq!(store.get(Space::Summary, b"row").unwrap(), Some(b"kept".to_vec()));
    }
}
