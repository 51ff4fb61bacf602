//! The data folder: who may open it, of which format it is, and whether its files are sound.
//!
//! `lock` is held by the process that has the folder open. `format` says the version of the format; it is written
//! when the rows are complete. `rows/` belongs to the engine underneath; while it is made, it is called `rows.new/`.
//! Files with other names are left alone.

use super::flaw::Flaw;
use super::journal::{self, Journal};
use super::tables;
use crate::{Error, Space};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The format that this release writes, and the newest that it reads.
pub(super) const FORMAT: u32 = 1;

const FORMAT_WORDS: &str = "stepwell data, format ";
/// A `format` file is never longer; what is longer is not ours.
const FORMAT_BYTES_MAX: u64 = 64;
pub(super) const ROWS_VERSION: &[u8] = b"FJL\x03";

/// The first journal, without a commit, of rows that nobody has opened since they were made. The engine underneath begins
/// another one then; one that it opens again it appends to, which makes each sync longer.
const UNUSED_JOURNAL: &str = "unused-journal";

/// A data folder that this process has locked.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Unlocked by the operating system when the file is closed, also by `kill -9`.
    _lock: File,
}

/// What the folder holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum State {
    /// No rows yet.
    New,
    Ready,
}

/// What the files of the rows hold.
pub(super) struct Verified {
    /// Bytes of the unfinished commit that was cut off.
    pub(super) torn_bytes: u64,
    /// The number of the newest journal; `None` in rows that were never opened.
    pub(super) newest: Option<u64>,
}

impl Folder {
    /// Makes the folder if it is not there, and locks it.
    pub(super) fn claim(path: &Path) -> Result<Folder, Error> {
        if path.exists() && !path.is_dir() {
            return Err(io_error("open the data folder", path)(io::ErrorKind::NotADirectory.into()));
        }
        fs::create_dir_all(path).map_err(io_error("create the data folder", path))?;
        let lock_path = path.join("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&lock_path);
        let lock = lock.map_err(io_error("write to the data folder", path))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => Error::Locked { path: path.display().to_string() },
            TryLockError::Error(source) => io_error("lock the file", &lock_path)(source),
        })?;
        Ok(Folder { path: path.to_owned(), _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn rows(&self) -> PathBuf {
        self.path.join("rows")
    }

    /// Reads the format, and finishes or throws away what an interrupted creation left.
    pub(super) fn state(&self) -> Result<State, Error> {
        let rows_there = exists(&self.rows())?;
        match self.format()? {
            None if rows_there => Err(self.damaged("the file `format` is missing")),
            None => Ok(State::New),
            Some(found) if found > FORMAT => {
                Err(Error::NewerFormat { path: self.path.display().to_string(), found, known: FORMAT })
            }
            Some(_) if rows_there => Ok(State::Ready),
            Some(_) if exists(&self.new_rows())? => self.publish().map(|()| State::Ready),
            Some(_) => Err(self.damaged("the folder `rows` is missing")),
        }
    }

    /// An empty place to make the rows in, before [`Folder::finish`].
    pub(super) fn begin(&self) -> Result<PathBuf, Error> {
        let rows = self.new_rows();
        if exists(&rows)? {
            fs::remove_dir_all(&rows).map_err(io_error("remove the unfinished folder", &rows))?;
        }
        Ok(rows)
    }

    /// Writes the format and puts the new rows in their place, each durably. A crash at any point leaves a folder
    /// that [`Folder::state`] understands.
    pub(super) fn finish(&self) -> Result<(), Error> {
        let written = self.path.join("format.new");
        let format = self.path.join("format");
        let mut file = File::create(&written).map_err(io_error("write", &written))?;
        writeln!(file, "{FORMAT_WORDS}{FORMAT}").and_then(|()| file.sync_all()).map_err(io_error("write", &written))?;
        fs::rename(&written, &format).map_err(io_error("write", &format))?;
        self.sync()?;
        self.publish()
    }

    /// Lets the rows that were just made begin without the journal of that number, which holds nothing.
    pub(super) fn set_aside(&self, rows: &Path, journal: u64) -> Result<(), Error> {
        let set_aside = fs::rename(rows.join(format!("{journal}.jnl")), rows.join(UNUSED_JOURNAL));
        set_aside.and_then(|()| File::open(rows)?.sync_all()).map_err(io_error("write", rows))
    }

    /// The rows have been opened, and have a journal.
    pub(super) fn begun(&self, rows: &Path) -> Result<(), Error> {
        match fs::remove_file(rows.join(UNUSED_JOURNAL)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error("write", rows)(error)),
            _ => Ok(()),
        }
    }

    /// Walks everything that the engine underneath would trust or die of. Cuts off the unfinished commit that a crash
    /// left.
    pub(super) fn verify(&self, rows: &Path) -> Result<Verified, Error> {
        let version = rows.join("version");
        if tables::read(&version, FORMAT_BYTES_MAX).map_err(|flaw| self.flawed(&version, flaw))? != ROWS_VERSION {
            return Err(self.damaged("the file `rows/version` is not readable"));
        }
        self.verify_keyspaces(&rows.join("keyspaces"))?;
        self.verify_journals(rows)
    }

    pub(super) fn damaged(&self, reason: impl Into<String>) -> Error {
        Error::Damaged { path: self.path.display().to_string(), reason: reason.into() }
    }

    fn new_rows(&self) -> PathBuf {
        self.path.join("rows.new")
    }

    fn publish(&self) -> Result<(), Error> {
        let rows = self.rows();
        fs::rename(self.new_rows(), &rows).map_err(io_error("write", &rows))?;
        self.sync()
    }

    fn sync(&self) -> Result<(), Error> {
        let synced = File::open(&self.path).and_then(|folder| folder.sync_all());
        synced.map_err(io_error("sync the data folder", &self.path))
    }

    fn format(&self) -> Result<Option<u32>, Error> {
        let path = self.path.join("format");
        if !exists(&path)? {
            return Ok(None);
        }
        let bytes = tables::read(&path, FORMAT_BYTES_MAX).map_err(|flaw| self.flawed(&path, flaw))?;
        let number = std::str::from_utf8(&bytes).ok().and_then(|text| text.strip_prefix(FORMAT_WORDS));
        match number.and_then(|number| number.trim_end().parse().ok()) {
            Some(found) if found > 0 => Ok(Some(found)),
            _ => Err(self.damaged("the file `format` is not readable")),
        }
    }

    /// Keyspace 0 lists the others; were it gone, they would be deleted as strays. A missing or broken manifest would
    /// make a keyspace start empty.
    fn verify_keyspaces(&self, keyspaces: &Path) -> Result<(), Error> {
        for entry in self.entries(keyspaces)? {
            if entry.is_folder && entry.name.to_str().is_none_or(|name| name.parse::<u64>().is_err()) {
                return Err(self.damaged(format!("`{}` does not belong there", entry.path.display())));
            }
        }
        for keyspace in 0..=Space::ALL.len() {
            let keyspace = keyspaces.join(keyspace.to_string());
            tables::verify(&keyspace).map_err(|flaw| self.flawed(&keyspace, flaw))?;
            // The engine underneath asserts that there are only files.
            if let Some(entry) = self.entries(&keyspace.join("tables"))?.into_iter().find(|entry| entry.is_folder) {
                return Err(self.damaged(format!("`{}` does not belong there", entry.path.display())));
            }
        }
        Ok(())
    }

    fn verify_journals(&self, rows: &Path) -> Result<Verified, Error> {
        let mut journals = Vec::new();
        for entry in self.entries(rows)? {
            if !Path::new(&entry.name).extension().is_some_and(|end| end.eq_ignore_ascii_case("jnl")) {
                continue;
            }
            let number = entry.name.to_str().and_then(|name| name.strip_suffix(".jnl")?.parse::<u64>().ok());
            match number {
                Some(number) if !entry.is_folder => journals.push((number, entry.path)),
                _ => return Err(self.damaged(format!("`{}` does not belong there", entry.path.display()))),
            }
        }
        journals.sort();
        let gap = journals.windows(2).find(|pair| pair[1].0 - pair[0].0 != 1);
        if let Some([before, _]) = gap {
            return Err(self.damaged(format!("the journal after `{}` is missing", before.1.display())));
        }
        let Some(newest) = journals.last().map(|(number, _)| *number) else {
            if exists(&rows.join(UNUSED_JOURNAL))? {
                return Ok(Verified { torn_bytes: 0, newest: None });
            }
            return Err(self.damaged("there is no journal in the folder `rows`"));
        };
        let mut sequence = None;
        let mut torn_bytes = 0;
        for (number, path) in &journals {
            match journal::read(path, *number == newest, &mut sequence) {
                Ok(Journal::Whole) => {}
                Ok(Journal::Torn { keep, cut }) => {
                    torn_bytes = cut;
                    let file = OpenOptions::new().write(true).open(path);
                    let trimmed = file.and_then(|file| file.set_len(keep).and_then(|()| file.sync_all()));
                    trimmed.map_err(io_error("cut off the unfinished commit in", path))?;
                }
                Err(flaw) => return Err(self.flawed(path, flaw)),
            }
        }
        Ok(Verified { torn_bytes, newest: Some(newest) })
    }

    fn entries(&self, path: &Path) -> Result<Vec<Entry>, Error> {
        let list = || {
            let entries = fs::read_dir(path)?.map(|entry| {
                let entry = entry?;
                Ok(Entry { is_folder: entry.path().is_dir(), name: entry.file_name(), path: entry.path() })
            });
            entries.collect::<io::Result<Vec<Entry>>>()
        };
        list().map_err(|error| self.flawed(path, Flaw::of(path, error)))
    }

    fn flawed(&self, path: &Path, flaw: Flaw) -> Error {
        match flaw {
            Flaw::Damaged(reason) => self.damaged(reason),
            Flaw::Io(source) => io_error("read", path)(source),
        }
    }
}

struct Entry {
    name: OsString,
    path: PathBuf,
    is_folder: bool,
}

pub(super) fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.display().to_string();
    move |source| Error::Io { doing, path, source }
}

fn exists(path: &Path) -> Result<bool, Error> {
    path.try_exists().map_err(io_error("read", path))
}
