//! Reads the journals of the embedded store before it is opened.
//!
//! The engine underneath ends its replay at the first byte that it cannot parse and cuts the file there. That is
//! right for a commit that a crash left unfinished, but it would also drop every acknowledged commit behind a flipped
//! bit. So each journal is walked here first, and what is damaged is never handed on.
//!
//! Format, all numbers little endian. A batch: `1`, writes (u32), sequence number (u64); its writes; `3`, XXH3-64 of
//! the bytes of the writes (u64), `FJL\3`. A write: `2`, kind (u8), compression (u8), keyspace (u64), key length
//! (u16), value length (u32), stored length (u32), key, value. Behind the last batch: zeros, or the end of the file.

use super::flaw::Flaw;
use crate::limits::{
    BATCH_BYTES_MAX, BATCH_WRITES_MAX, JOURNAL_SEARCH_BYTES_MAX, JOURNAL_WRITE_OVERHEAD, TORN_BYTES_MAX,
};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use xxhash_rust::xxh3::Xxh3;

const START: u8 = 1;
const WRITE: u8 = 2;
const END: u8 = 3;
const TRAILER: [u8; 4] = *b"FJL\x03";
const BUFFER_BYTES: usize = 64 * 1024;
/// How far the sequence number rises from one batch to the next. Ours: by much less, in truth.
const JUMPS: Range<u64> = 1..1 << 32;

/// What a journal holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Journal {
    Whole,
    /// The last commit is unfinished: the first `keep` bytes are whole batches, the `cut` bytes behind them are not.
    Torn {
        keep: u64,
        cut: u64,
    },
}

/// Walks one journal. Only the newest may end in an unfinished commit: older ones were synced as a whole.
///
/// A broken batch with a whole one somewhere behind it is damage. One with nothing whole behind it is the commit that
/// was in flight (commits are synced one by one, so there is at most one); that a disk broke exactly this batch
/// afterwards cannot be told apart.
///
/// `sequence` is that of the last batch of the journal before, and then of this one. They rise from batch to batch;
/// they must be checked, since no checksum covers them.
pub(super) fn read(path: &Path, newest: bool, sequence: &mut Option<u64>) -> Result<Journal, Flaw> {
    let mut file = File::open(path).map_err(|error| Flaw::of(path, error))?;
    let mut walk = Walk::new(BufReader::with_capacity(BUFFER_BYTES, &file));
    let mut keep = 0;
    let broken = loop {
        match walk.batch() {
            Ok(Some(next)) => {
                if !sequence.is_none_or(|last| next.checked_sub(last).is_some_and(|jump| JUMPS.contains(&jump))) {
                    let reason = format!("journal `{}`, offset {keep}: a commit is out of order", path.display());
                    return Err(Flaw::Damaged(reason));
                }
                *sequence = Some(next);
                keep = walk.position;
            }
            Ok(None) => return Ok(Journal::Whole),
            Err(Stop::Broken(why)) => break why,
            Err(Stop::Io(error)) => return Err(Flaw::Io(error)),
        }
    };
    let cut = bytes_before_padding(&mut file, keep).map_err(Flaw::Io)?;
    let damaged = |why: &str| Flaw::Damaged(format!("journal `{}`, offset {keep}: {broken}{why}", path.display()));
    if cut == 0 {
        return Ok(Journal::Whole);
    }
    if !newest {
        return Err(damaged(", in a journal that was complete"));
    }
    if cut > TORN_BYTES_MAX as u64 {
        return Err(damaged(", and what follows is longer than any commit"));
    }
    let mut tail = Vec::new();
    let read = file.seek(SeekFrom::Start(keep)).and_then(|_| file.take(cut).read_to_end(&mut tail));
    read.map_err(Flaw::Io)?;
    if holds_whole_batch(&tail, sequence.unwrap_or(0)) {
        return Err(damaged(", and whole commits follow"));
    }
    Ok(Journal::Torn { keep, cut })
}

/// Where in a journal the whole batches are, and what stands between them that is none.
pub(super) struct Whole {
    pub(super) batches: Vec<Range<usize>>,
    pub(super) gaps: Vec<Range<usize>>,
}

impl Whole {
    /// True of a gap that no whole batch follows.
    pub(super) fn is_tail(&self, gap: &Range<usize>) -> bool {
        self.batches.last().is_none_or(|last| last.end <= gap.start)
    }
}

/// All whole batches of a journal, also those behind broken ones, in the order of their sequence numbers.
pub(super) fn whole_batches(bytes: &[u8], sequence: &mut Option<u64>) -> Whole {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let mut whole = Whole { batches: Vec::new(), gaps: Vec::new() };
    let (mut at, mut gap_from, mut searched) = (0, 0, 0);
    while at < end {
        let rest = &bytes[at..end];
        let begins = rest.len() > 13 && rest[0] == START && rest[13] == WRITE;
        let follows =
            |next: u64| sequence.is_none_or(|last| next.checked_sub(last).is_some_and(|jump| JUMPS.contains(&jump)));
        if begins && follows(number(&rest[5..13])) && searched < JOURNAL_SEARCH_BYTES_MAX {
            let mut walk = Walk::new(rest);
            if let Ok(Some(next)) = walk.batch() {
                if gap_from < at {
                    whole.gaps.push(gap_from..at);
                }
                let behind = at + walk.position as usize;
                whole.batches.push(at..behind);
                *sequence = Some(next);
                (at, gap_from) = (behind, behind);
                continue;
            }
            searched += walk.position;
        }
        at += 1;
    }
    if gap_from < end {
        whole.gaps.push(gap_from..end);
    }
    whole
}

enum Stop {
    Io(io::Error),
    Broken(&'static str),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Stop::Broken("a commit ends early"),
            _ => Stop::Io(error),
        }
    }
}

struct Walk<R> {
    reader: R,
    /// Bytes read so far.
    position: u64,
}

impl<R: Read> Walk<R> {
    fn new(reader: R) -> Walk<R> {
        Walk { reader, position: 0 }
    }

    /// The sequence number of the next batch, `None` at the end of the file.
    fn batch(&mut self) -> Result<Option<u64>, Stop> {
        let mut tag = [0];
        match self.take(&mut tag) {
            Err(Stop::Broken(_)) => return Ok(None),
            read => read?,
        }
        if tag != [START] {
            return Err(Stop::Broken("no commit begins here"));
        }
        let mut head = [0; 12];
        self.take(&mut head)?;
        let writes = number(&head[..4]);
        if writes == 0 || writes > BATCH_WRITES_MAX as u64 {
            return Err(Stop::Broken("a commit has an impossible count of writes"));
        }
        let mut checksum = Xxh3::new();
        for _ in 0..writes {
            self.write(&mut checksum)?;
        }
        let mut end = [0; 13];
        self.take(&mut end)?;
        if end[0] != END || end[9..] != TRAILER {
            return Err(Stop::Broken("a commit does not end where it should"));
        }
        if number(&end[1..9]) != checksum.digest() {
            return Err(Stop::Broken("a commit has a wrong checksum"));
        }
        Ok(Some(number(&head[4..])))
    }

    fn write(&mut self, checksum: &mut Xxh3) -> Result<(), Stop> {
        let mut head = [0; JOURNAL_WRITE_OVERHEAD];
        self.take(&mut head)?;
        if head[0] != WRITE {
            return Err(Stop::Broken("a write does not begin where it should"));
        }
        checksum.update(&head);
        let key_bytes = number(&head[11..13]);
        let stored_bytes = number(&head[17..21]);
        if stored_bytes > BATCH_BYTES_MAX as u64 {
            return Err(Stop::Broken("a write has an impossible length"));
        }
        let mut rest = key_bytes + stored_bytes;
        let mut buffer = [0; 4096];
        while rest > 0 {
            let part = rest.min(buffer.len() as u64) as usize;
            self.take(&mut buffer[..part])?;
            checksum.update(&buffer[..part]);
            rest -= part as u64;
        }
        Ok(())
    }

    fn take(&mut self, into: &mut [u8]) -> Result<(), Stop> {
        self.reader.read_exact(into)?;
        self.position += into.len() as u64;
        Ok(())
    }
}

/// A little-endian number of up to 8 bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// How many bytes from `start` on come before the zeros that fill the rest of the file.
fn bytes_before_padding(file: &mut File, start: u64) -> io::Result<u64> {
    static ZEROS: [u8; BUFFER_BYTES] = [0; BUFFER_BYTES];
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut position = 0;
    let mut before = 0;
    file.seek(SeekFrom::Start(start))?;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(before);
        }
        // Comparing slices is what makes this fast: a new journal is 64 MiB of zeros.
        if buffer[..read] != ZEROS[..read] {
            let last = buffer[..read].iter().rposition(|byte| *byte != 0).unwrap_or(0);
            before = position + last as u64 + 1;
        }
        position += read as u64;
    }
}

/// Whether a whole batch with a sequence number behind `sequence` stands anywhere in `tail`. Answers yes, too, when
/// `tail` is such that the search takes too long.
fn holds_whole_batch(tail: &[u8], sequence: u64) -> bool {
    let mut searched = 0;
    for (at, window) in tail.windows(14).enumerate().skip(1) {
        let follows = || number(&window[5..13]).checked_sub(sequence).is_some_and(|jump| JUMPS.contains(&jump));
        if window[0] != START || window[13] != WRITE || !follows() {
            continue;
        }
        let mut walk = Walk::new(&tail[at..]);
        if matches!(walk.batch(), Ok(Some(_))) {
            return true;
        }
        searched += walk.position;
        if searched > JOURNAL_SEARCH_BYTES_MAX {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(sequence: u64, writes: &[(&[u8], &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (key, value) in writes {
            body.extend([WRITE, 0, 0]);
            body.extend(3u64.to_le_bytes());
            body.extend((key.len() as u16).to_le_bytes());
            body.extend((value.len() as u32).to_le_bytes());
            body.extend((value.len() as u32).to_le_bytes());
            body.extend(*key);
            body.extend(*value);
        }
        let mut bytes = vec![START];
        bytes.extend((writes.len() as u32).to_le_bytes());
        bytes.extend(sequence.to_le_bytes());
        bytes.extend(&body);
        bytes.push(END);
        bytes.extend(xxhash_rust::xxh3::xxh3_64(&body).to_le_bytes());
        bytes.extend(TRAILER);
        bytes
    }

    fn read_bytes(bytes: &[u8], newest: bool) -> Result<Journal, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0.jnl");
        std::fs::write(&path, bytes).unwrap();
        read(&path, newest, &mut Some(4)).map_err(|flaw| match flaw {
            Flaw::Io(error) => panic!("{error}"),
            Flaw::Damaged(reason) => reason,
        })
    }

    /// The middle batch is long enough to span several reads.
    fn three() -> [Vec<u8>; 3] {
        let long = vec![7; 10_000];
        [
            batch(5, &[(b"key", b"value"), (b"gone", b"")]),
            batch(6, &[(b"long", &long)]),
            batch(9, &[(b"last", b"value")]),
        ]
    }

    #[test]
    fn whole_journals_with_and_without_padding() {
        let bytes = three().concat();
        for newest in [false, true] {
            assert_eq!(read_bytes(&[], newest), Ok(Journal::Whole));
            assert_eq!(read_bytes(&bytes, newest), Ok(Journal::Whole));
            assert_eq!(read_bytes(&[&bytes[..], &[0; 200_000]].concat(), newest), Ok(Journal::Whole));
            assert_eq!(read_bytes(&[0; 200_000], newest), Ok(Journal::Whole));
        }
    }

    #[test]
    fn every_cut_of_the_last_batch_is_torn() {
        let bytes = three().concat();
        let keep = bytes.len() - three()[2].len();
        for length in keep + 1..bytes.len() {
            let torn = &bytes[..length];
            let found = read_bytes(torn, true);
            assert!(
                matches!(found, Ok(Journal::Torn { keep: kept, .. }) if kept == keep as u64),
                "{length}: {found:?}"
            );
            let padded = [torn, &[0; 70_000]].concat();
            let found = read_bytes(&padded, true);
            assert!(
                matches!(found, Ok(Journal::Torn { keep: kept, .. }) if kept == keep as u64),
                "{length}: {found:?}"
            );
            assert!(read_bytes(torn, false).is_err(), "older journals were complete");
        }
    }

    #[test]
    fn garbage_behind_the_last_batch_is_torn() {
        let bytes = three().concat();
        let garbage: Vec<u8> = (0..5_000u32).map(|at| ((at * at) >> 3) as u8 | 1).collect();
        let found = read_bytes(&[&bytes[..], &garbage].concat(), true);
        assert_eq!(found, Ok(Journal::Torn { keep: bytes.len() as u64, cut: garbage.len() as u64 }));
    }

    #[test]
    fn a_flipped_byte_before_the_last_batch_is_damage() {
        let bytes = three().concat();
        let before = bytes.len() - three()[2].len();
        // All bytes of the framing, some of the long value.
        for at in (0..before).filter(|at| *at < 200 || at % 53 == 0 || *at + 50 > before) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x55;
            let found = read_bytes(&flipped, true);
            assert!(found.is_err(), "offset {at}: {found:?}");
        }
    }

    #[test]
    fn says_where_and_what() {
        let mut bytes = three().concat();
        let at = three()[0].len();
        bytes[at + 500] ^= 1;
        let reason = read_bytes(&bytes, true).unwrap_err();
        let expected = format!("offset {at}: a commit has a wrong checksum, and whole commits follow");
        assert!(reason.ends_with(&expected), "{reason}");
    }
}
