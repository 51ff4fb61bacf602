//! Writes the blocks of a journal before its commits come to them.
//!
//! The engine underneath makes journals that are long and have no blocks. A commit that is the first to write a block makes
//! the file system write where that block is as well, before the sync of the commit ends. Into blocks that are there it
//! syncs in half the time, with two thirds of the work. Zeros stand behind the last commit either way, so whoever reads a
//! journal finds what it would have found.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::limits::{AHEAD_BYTES, AHEAD_COMMIT_BYTES_MAX};

const BLOCK_BYTES: u64 = 4096;

/// How far the newest journal is written.
pub(super) struct Ahead {
    rows: PathBuf,
    /// The newest journal that is known.
    number: u64,
    /// Of a journal that was begun while the rows are open. An older one is appended to: it ends with its last commit, and
    /// nothing may stand behind that.
    file: Option<File>,
    /// Every commit so far ends at or before this place of it.
    reached: u64,
    /// Blocks before this place have been written. In a journal without `file`: where to look for a newer one.
    written: u64,
    /// Bytes of commits since it was last looked for a newer journal: as many at most are in one that is found.
    unseen: u64,
}

impl Ahead {
    /// Of rows that have just been opened; `newest` is the number of the newest journal that was there before.
    pub(super) fn new(rows: &Path, newest: Option<u64>) -> Ahead {
        Ahead { rows: rows.to_owned(), number: newest.unwrap_or(0), file: None, reached: 0, written: 0, unseen: 0 }
    }

    /// To be called before each commit, with the bytes that it takes in the journal at most, while no other is under way.
    pub(super) fn prepare(&mut self, bytes: u64) {
        if self.reached + bytes > self.written {
            self.look();
            self.extend(self.reached + bytes, bytes <= AHEAD_COMMIT_BYTES_MAX);
        }
        self.reached += bytes;
        self.unseen += bytes;
    }

    /// `end`: of the next commit. One that is not `short` would wait longer for the zeros than it saves.
    fn extend(&mut self, end: u64, short: bool) {
        let from = self.reached.max(self.written).next_multiple_of(BLOCK_BYTES);
        self.written = if short { end + AHEAD_BYTES } else { end };
        if let Some(file) = self.file.as_mut().filter(|_| short)
            && write_zeros(file, from, self.written).is_err()
        {
            // The commit itself will say what is wrong with the disk.
            self.file = None;
        }
    }

    /// Goes on to the newest journal.
    fn look(&mut self) {
        while let Ok(file) = OpenOptions::new().write(true).open(self.rows.join(format!("{}.jnl", self.number + 1))) {
            self.number += 1;
            self.file = Some(file);
            self.reached = self.unseen;
            self.written = self.unseen;
        }
        self.unseen = 0;
    }
}

fn write_zeros(file: &mut File, from: u64, to: u64) -> io::Result<()> {
    static ZEROS: [u8; AHEAD_BYTES as usize] = [0; AHEAD_BYTES as usize];
    file.seek(SeekFrom::Start(from))?;
    let mut left = to.saturating_sub(from);
    while left > 0 {
        let part = left.min(AHEAD_BYTES);
        file.write_all(&ZEROS[..part as usize])?;
        left -= part;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A folder with an empty journal, and the commits that are written to it as the engine underneath does.
    struct Journals {
        folder: tempfile::TempDir,
        number: u64,
        file: File,
        bytes: Vec<u8>,
    }

    impl Journals {
        fn begin(folder: tempfile::TempDir, number: u64) -> Journals {
            let file = File::create_new(folder.path().join(format!("{number}.jnl"))).unwrap();
            Journals { folder, number, file, bytes: Vec::new() }
        }

        fn commit(&mut self, ahead: &mut Ahead, bytes: usize) {
            ahead.prepare(bytes as u64);
            let commit = vec![self.bytes.len() as u8 | 1; bytes];
            self.file.write_all(&commit).unwrap();
            self.bytes.extend(&commit);
        }

        /// The zeros behind the last commit; panics if something else is in the journal than the commits.
        fn ahead(&self) -> u64 {
            let found = fs::read(self.folder.path().join(format!("{}.jnl", self.number))).unwrap();
            let (commits, zeros) = found.split_at(self.bytes.len());
            assert!(commits == self.bytes && zeros.iter().all(|byte| *byte == 0));
            zeros.len() as u64
        }
    }

    #[test]
    fn zeros_stand_behind_the_commits_of_each_journal_and_nowhere_else() {
        let mut journals = Journals::begin(tempfile::tempdir().unwrap(), 1);
        let mut ahead = Ahead::new(journals.folder.path(), None);
        for _ in 0..3 {
            for commit in 1..200 {
                journals.commit(&mut ahead, 37 * commit);
                journals.ahead();
            }
            // Where a later journal was begun is known to within the commits of one look.
            assert!((1..3 * AHEAD_BYTES).contains(&journals.ahead()));
            journals = Journals::begin(journals.folder, journals.number + 1);
        }
    }

    #[test]
    fn long_commits_are_not_waited_for() {
        let mut journals = Journals::begin(tempfile::tempdir().unwrap(), 1);
        let mut ahead = Ahead::new(journals.folder.path(), None);
        journals.commit(&mut ahead, AHEAD_COMMIT_BYTES_MAX as usize + 1);
        assert_eq!(journals.ahead(), 0);
        journals.commit(&mut ahead, 1_000);
        assert!(journals.ahead() > 0);
    }

    #[test]
    fn nothing_is_written_behind_a_journal_that_was_there_before() {
        let mut journals = Journals::begin(tempfile::tempdir().unwrap(), 4);
        let mut ahead = Ahead::new(journals.folder.path(), Some(4));
        (0..100).for_each(|_| journals.commit(&mut ahead, 10_000));
        assert_eq!(journals.ahead(), 0);
        journals = Journals::begin(journals.folder, 5);
        (0..100).for_each(|_| journals.commit(&mut ahead, 10_000));
        assert!(journals.ahead() > 0);
    }
}
