//! What can still be read of a damaged data folder, into a sound one.
//!
//! The damaged folder is not changed: its rows are copied and the copy is mended as far as the engine underneath needs
//! it. Broken commits are left out of journals; a space whose manifest or table outlines are broken begins empty, with
//! what the journals hold of it; blocks of tables with a wrong checksum are passed over when their rows are read.

use std::collections::VecDeque;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use super::ahead::Ahead;
use super::flaw::Flaw;
use super::folder::{Folder, ROWS_VERSION, State, io_error};
use super::{Embedded, journal, open_rows, tables};
use crate::limits::{SALVAGE_BATCH_BYTES, SALVAGE_PROBES_MAX};
use crate::{Batch, Direction, Error, Space, Store};
use fjall::{Database, Keyspace};

/// What was saved of a damaged folder.
pub struct Salvage {
    /// A sound store of the rows that could be read.
    pub store: Embedded,
    /// What is broken, a sentence each; empty if nothing was found.
    pub damage: Vec<String>,
    pub rows: u64,
}

/// Reads the data folder `path`, which nobody may have open, into a new folder below `scratch`.
///
/// Needs room for the data twice. Fails if `path` is no data folder, of a newer format, or broken beyond all reading.
pub fn salvage(path: &Path, scratch: &Path) -> Result<Salvage, Error> {
    let mut damage = Vec::new();
    if !path.is_dir() {
        return Err(io_error("open the data folder", path)(std::io::ErrorKind::NotFound.into()));
    }
    let folder = Folder::claim(path)?;
    match folder.state() {
        Ok(State::Ready) => {}
        Ok(State::New) => return Err(folder.damaged("it holds no data")),
        // Its rows may be sound without it.
        Err(Error::Damaged { reason, .. }) if folder.rows().is_dir() => damage.push(reason),
        Err(error) => return Err(error),
    }
    let copy = scratch.join("copy");
    copy_all(&folder.rows(), &copy)?;
    // The engine underneath makes the same keyspaces in the same order, so those of a new folder can stand in.
    let empty = scratch.join("empty");
    drop(Embedded::open(&empty)?);
    let empty = empty.join("rows");
    let version = fs::read(copy.join("version")).unwrap_or_default();
    if version != ROWS_VERSION {
        damage.push("the file `rows/version` is not readable".to_owned());
        fs::write(copy.join("version"), ROWS_VERSION).map_err(io_error("write", &copy))?;
    }
    mend_journals(&copy, &mut damage)?;
    for number in 0..=Space::ALL.len() {
        let keyspace = copy.join("keyspaces").join(number.to_string());
        if let Err(flaw) = tables::verify(&keyspace) {
            damage.push(match flaw {
                Flaw::Damaged(reason) => format!("{}: {reason}", what_it_holds(number)),
                Flaw::Io(error) => format!("{}: {error}", what_it_holds(number)),
            });
            stand_in(&empty, &copy, number)?;
        }
    }
    let (database, spaces) = match open_rows(&folder, &copy, false) {
        Ok(opened) => opened,
        Err(error) => open_without(&folder, &copy, &empty, scratch, &mut damage, &error)?,
    };
    let ahead = Mutex::new(Ahead::new(&copy, None));
    let broken = Embedded { spaces, database, ahead, poison: OnceLock::new(), torn_bytes: 0, folder };
    let sound = Embedded::open(scratch.join("sound"))?;
    let mut rows = 0;
    for space in Space::ALL {
        rows += read_around(&broken, space, &sound, &mut damage)?;
    }
    drop(broken);
    for done in [copy, scratch.join("empty")] {
        fs::remove_dir_all(&done).map_err(io_error("remove", &done))?;
    }
    Ok(Salvage { store: sound, damage, rows })
}

/// Leaves out the one keyspace because of which nothing can be opened; all of them, if there are several.
fn open_without(
    folder: &Folder,
    copy: &Path,
    empty: &Path,
    scratch: &Path,
    damage: &mut Vec<String>,
    error: &Error,
) -> Result<(Database, Vec<Keyspace>), Error> {
    let aside = scratch.join("aside");
    for number in 0..=Space::ALL.len() {
        let keyspace = copy.join("keyspaces").join(number.to_string());
        fs::rename(&keyspace, &aside).map_err(io_error("move", &keyspace))?;
        stand_in(empty, copy, number)?;
        let opened = open_rows(folder, copy, false);
        if opened.is_ok() {
            damage.push(format!("{}: {error}", what_it_holds(number)));
            fs::remove_dir_all(&aside).map_err(io_error("remove", &aside))?;
            return opened;
        }
        fs::remove_dir_all(&keyspace).map_err(io_error("remove", &keyspace))?;
        fs::rename(&aside, &keyspace).map_err(io_error("move", &aside))?;
    }
    damage.push(format!("no table can be read, only journals: {error}"));
    (0..=Space::ALL.len()).try_for_each(|number| stand_in(empty, copy, number))?;
    open_rows(folder, copy, false)
}

fn what_it_holds(keyspace: usize) -> String {
    match keyspace.checked_sub(1).and_then(|index| Space::ALL.get(index)) {
        Some(space) => format!("the tables of the space `{}` cannot be read", space.name()),
        None => "the list of spaces cannot be read".to_owned(),
    }
}

/// Puts an empty keyspace in the place of a broken one.
fn stand_in(empty: &Path, copy: &Path, keyspace: usize) -> Result<(), Error> {
    let place = copy.join("keyspaces").join(keyspace.to_string());
    if place.exists() {
        fs::remove_dir_all(&place).map_err(io_error("remove", &place))?;
    }
    copy_all(&empty.join("keyspaces").join(keyspace.to_string()), &place)
}

fn copy_all(from: &Path, to: &Path) -> Result<(), Error> {
    fs::create_dir_all(to).map_err(io_error("create", to))?;
    for entry in fs::read_dir(from).map_err(io_error("read", from))? {
        let entry = entry.map_err(io_error("read", from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy_all(&source, &target)?;
        } else {
            fs::copy(&source, &target).map_err(io_error("copy", &source))?;
        }
    }
    Ok(())
}

/// Leaves only whole commits in the journals.
fn mend_journals(rows: &Path, damage: &mut Vec<String>) -> Result<(), Error> {
    let mut journals: Vec<(u64, PathBuf)> = Vec::new();
    for entry in fs::read_dir(rows).map_err(io_error("read", rows))? {
        let path = entry.map_err(io_error("read", rows))?.path();
        if path.extension().is_none_or(|end| end != "jnl") {
            continue;
        }
        match path.file_stem().and_then(|name| name.to_str()?.parse().ok()) {
            Some(number) if path.is_file() => journals.push((number, path)),
            _ => damage.push(format!("`{}` does not belong there", path.display())),
        }
    }
    journals.sort();
    if journals.is_empty() {
        damage.push("there is no journal in the folder `rows`".to_owned());
    }
    for pair in journals.windows(2).filter(|pair| pair[1].0 - pair[0].0 != 1) {
        damage.push(format!("the journal after `{}.jnl` is missing", pair[0].0));
    }
    let mut sequence = None;
    let newest = journals.len().saturating_sub(1);
    for (index, (number, path)) in journals.iter().enumerate() {
        let bytes = fs::read(path).map_err(io_error("read", path))?;
        let whole = journal::whole_batches(&bytes, &mut sequence);
        // The last commit of the newest journal may be unfinished: nobody was told of it.
        let gaps = whole.gaps.iter().filter(|gap| index < newest || !whole.is_tail(gap));
        damage.extend(gaps.map(|gap| {
            let bytes = gap.end - gap.start;
            format!("journal `{number}.jnl`, offset {}: {bytes} bytes of broken commits", gap.start)
        }));
        if !whole.gaps.is_empty() {
            let kept: Vec<u8> = whole.batches.iter().flat_map(|range| &bytes[range.clone()]).copied().collect();
            fs::write(path, kept).map_err(io_error("write", path))?;
        }
    }
    Ok(())
}

/// Copies every row of a space that can be read: from the front up to a broken block, from the end back to one, and
/// then between the two, halving what was not reached yet.
fn read_around(from: &Embedded, space: Space, to: &Embedded, damage: &mut Vec<String>) -> Result<u64, Error> {
    let mut rows = 0;
    let mut probes = 0;
    let mut copied = Copied { to, batch: Batch::default(), failed: None };
    let mut ranges = VecDeque::from([(Vec::new(), Vec::new())]);
    while let Some((first, end)) = ranges.pop_front() {
        let mut reached = [first.clone(), end.clone()];
        let mut whole = false;
        for (direction, reached) in [Direction::Forward, Direction::Backward].into_iter().zip(&mut reached) {
            let scanned = from.scan(space, &first, &end, direction, &mut |key, value| {
                *reached = key.to_vec();
                rows += 1;
                copied.put(space, key, value)
            });
            copied.failed.take().map_or(Ok(()), Err)?;
            match (scanned, direction) {
                (Ok(()), Direction::Forward) => {
                    whole = true;
                    break;
                }
                (Ok(()), Direction::Backward) => {}
                (Err(_), Direction::Forward) if *reached == first => {}
                // The first key behind the one that was reached.
                (Err(_), Direction::Forward) => reached.push(0),
                (Err(_), Direction::Backward) => {}
            }
        }
        if whole {
            continue;
        }
        if probes == 0 {
            damage.push(format!("the space `{}` has blocks that cannot be read", space.name()));
        }
        probes += 1;
        let [first, end] = reached;
        if probes < SALVAGE_PROBES_MAX
            && let Some(middle) = middle(&first, &end)
        {
            ranges.push_back((first, middle.clone()));
            ranges.push_back((middle, end));
        }
    }
    copied.flush()?;
    Ok(rows)
}

/// Rows on their way into the sound store.
struct Copied<'a> {
    to: &'a Embedded,
    batch: Batch,
    failed: Option<Error>,
}

impl Copied<'_> {
    fn put(&mut self, space: Space, key: &[u8], value: &[u8]) -> ControlFlow<()> {
        self.batch.put(space, key, value);
        if self.batch.bytes() < SALVAGE_BATCH_BYTES {
            return ControlFlow::Continue(());
        }
        match self.flush() {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.to.commit(std::mem::take(&mut self.batch))
    }
}

/// A key between two; an empty `end` is the end of all keys. `None` where there is none that is not long.
fn middle(first: &[u8], end: &[u8]) -> Option<Vec<u8>> {
    const BYTES: usize = 32;
    let digits = |key: &[u8], fill: u8| -> Vec<u16> {
        (0..BYTES).map(|at| u16::from(key.get(at).copied().unwrap_or(fill))).collect()
    };
    let (low, high) = (digits(first, 0), digits(end, if end.is_empty() { 0xff } else { 0 }));
    // The sum, then its half, as numbers of BYTES digits.
    let mut sum = [0_u16; BYTES + 1];
    for at in (0..BYTES).rev() {
        let digit = low[at] + high[at] + sum[at + 1];
        sum[at + 1] = digit & 0xff;
        sum[at] = digit >> 8;
    }
    let mut carry = 0;
    let halves = sum.iter().map(|digit| {
        let digit = carry << 8 | digit;
        carry = digit & 1;
        u8::try_from(digit >> 1).unwrap_or(0xff)
    });
    let middle: Vec<u8> = halves.skip(1).collect();
    (middle.as_slice() > first && (end.is_empty() || middle.as_slice() < end)).then_some(middle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_middle_is_between() {
        for (first, end) in [(&b""[..], &b""[..]), (b"a", b"b"), (b"a", b"ab"), (b"a\0", b""), (b"\xff\xff", b"")] {
            let middle = middle(first, end).unwrap();
            assert!(middle.as_slice() > first && (end.is_empty() || middle.as_slice() < end), "{first:?} {end:?}");
        }
        assert_eq!(middle(b"a", b"a"), None);
        assert_eq!(middle(&[7; 40], &[7; 41]), None, "too close");
    }
}
