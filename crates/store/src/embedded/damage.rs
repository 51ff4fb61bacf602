//! Files that are cut, overwritten, exchanged or gone: a clear error or a consistent prefix, and never a panic.

use super::{Embedded, numbered};
use crate::{Error, Store};
use std::fs;
use std::path::{Path, PathBuf};

const BATCHES: u64 = 40;

/// A closed folder with `BATCHES` batches, those before `flushed` in tables, and a journal without padding.
fn filled(flushed: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    drop(Embedded::open(folder.path()).unwrap());
    let store = Embedded::open(folder.path()).unwrap();
    if flushed > 0 {
        numbered::commit(&store, 1..=flushed);
        store.spaces.iter().for_each(|space| space.rotate_memtable_and_wait().unwrap());
    }
    numbered::commit(&store, flushed + 1..=BATCHES);
    drop(store);
    folder
}

fn journal(folder: &Path) -> PathBuf {
    folder.join("rows/1.jnl")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() { found.extend(files(&entry.path())) } else { found.push(entry.path()) }
    }
    found.sort();
    found
}

fn garbage(bytes: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..bytes).map(|_| next()).collect()
}

#[test]
fn a_torn_tail_gives_a_consistent_prefix() {
    let source = filled(0);
    let whole = fs::read(journal(source.path())).unwrap();
    type Tear = fn(&mut Vec<u8>, usize);
    let tears: [(&str, Tear); 4] = [
        ("cut", |bytes, at| bytes.truncate(at)),
        ("zeroed", |bytes, at| bytes[at..].fill(0)),
        ("zeroed, padded", |bytes, at| {
            bytes.truncate(at);
            bytes.resize(at + 300_000, 0);
        }),
        ("garbled", |bytes, at| {
            let garbage = garbage(bytes.len() - at);
            bytes[at..].copy_from_slice(&garbage);
        }),
    ];
    for (name, tear) in tears {
        for torn in [1, 4, 13, 14, 1_000, 20_000, 200_000] {
            let mut bytes = whole.clone();
            tear(&mut bytes, whole.len() - torn);
            fs::write(journal(source.path()), bytes).unwrap();
            let store = Embedded::open(source.path()).unwrap_or_else(|error| panic!("{name} {torn}: {error}"));
            let found = numbered::verify(&store);
            assert!(found < BATCHES, "{name} {torn}");
            // What is committed behind the tear is there at the next start.
            numbered::commit(&store, found + 1..=found + 3);
            drop(store);
            assert_eq!(numbered::verify(&Embedded::open(source.path()).unwrap()), found + 3, "{name} {torn}");
        }
    }
    for behind in [vec![0; 5_000], vec![1], garbage(10), garbage(50_000), whole[..30].to_vec()] {
        fs::write(journal(source.path()), [&whole[..], &behind].concat()).unwrap();
        let store = Embedded::open(source.path()).unwrap();
        assert_eq!(numbered::verify(&store), BATCHES, "what follows the last commit is no part of it");
        let without_padding = behind.iter().rposition(|byte| *byte != 0).map_or(0, |last| last as u64 + 1);
        assert_eq!(store.torn_bytes(), without_padding);
    }
}

#[test]
fn a_journal_broken_in_the_middle_is_damaged_and_left_alone() {
    let source = filled(0);
    let whole = fs::read(journal(source.path())).unwrap();
    let step = whole.len() / 2 / 40;
    for at in (0..40).map(|part| part * step).chain(0..60) {
        for length in [1, 16, 3_000] {
            let mut bytes = whole.clone();
            bytes[at..at + length].iter_mut().zip(garbage(length)).for_each(|(byte, other)| *byte ^= other | 1);
            fs::write(journal(source.path()), &bytes).unwrap();
            let refusal = Embedded::open(source.path()).map(|store| numbered::verify(&store));
            assert!(matches!(refusal, Err(Error::Damaged { .. })), "{length} bytes at {at}: {refusal:?}");
            assert!(fs::read(journal(source.path())).unwrap() == bytes, "the journal is as it was");
        }
    }
    fs::write(journal(source.path()), &whole).unwrap();
    assert_eq!(numbered::verify(&Embedded::open(source.path()).unwrap()), BATCHES);
}

#[test]
fn missing_and_foreign_files_are_damage() {
    let source = filled(20);
    type Change = fn(&Path);
    let changes: [(&str, Change); 13] = [
        ("format", |folder| fs::remove_file(folder.join("format")).unwrap()),
        ("rows", |folder| fs::remove_dir_all(folder.join("rows")).unwrap()),
        ("rows/version", |folder| fs::remove_file(folder.join("rows/version")).unwrap()),
        ("rows/keyspaces", |folder| fs::remove_dir_all(folder.join("rows/keyspaces")).unwrap()),
        ("the list of keyspaces", |folder| fs::remove_dir_all(folder.join("rows/keyspaces/0")).unwrap()),
        ("a keyspace", |folder| fs::remove_dir_all(folder.join("rows/keyspaces/3")).unwrap()),
        ("a manifest's name", |folder| fs::remove_file(folder.join("rows/keyspaces/0/current")).unwrap()),
        ("tables", |folder| fs::remove_dir_all(folder.join("rows/keyspaces/3/tables")).unwrap()),
        ("journals", |folder| fs::remove_file(journal(folder)).unwrap()),
        ("a journal between two", |folder| fs::write(folder.join("rows/3.jnl"), "").unwrap()),
        ("a journal of another name", |folder| fs::write(folder.join("rows/copy.jnl"), "").unwrap()),
        ("a folder as journal", |folder| fs::create_dir(folder.join("rows/2.jnl")).unwrap()),
        ("a folder among keyspaces", |folder| fs::create_dir(folder.join("rows/keyspaces/backup")).unwrap()),
    ];
    for (name, change) in changes {
        let folder = tempfile::tempdir().unwrap();
        copy(source.path(), folder.path());
        change(folder.path());
        let before = files(folder.path());
        let refusal = Embedded::open(folder.path()).map(|store| numbered::verify(&store));
        assert!(matches!(refusal, Err(Error::Damaged { .. })), "{name}: {refusal:?}");
        assert_eq!(files(folder.path()), before, "{name}: nothing is deleted or made");
    }
}

/// Every kind of file, broken at many places: the store opens with all that was acknowledged, or says what is wrong,
/// at once or when the row is read. It never shows wrong rows and never panics.
#[test]
fn broken_tables_and_manifests_never_give_wrong_rows() {
    let source = filled(30);
    let broken: Vec<PathBuf> = files(&source.path().join("rows"))
        .into_iter()
        .filter(|path| path.extension().is_none() && path.file_name().is_some_and(|name| name != "lock"))
        .map(|path| path.strip_prefix(source.path()).unwrap().to_owned())
        .collect();
    assert!(broken.len() > 3 * 7, "{broken:?}");
    let mut refused = 0;
    for relative in broken {
        let whole = fs::read(source.path().join(&relative)).unwrap();
        let mut cases = vec![("emptied", Vec::new()), ("cut", whole[..whole.len() / 2].to_vec())];
        cases.push(("garbage", garbage(whole.len())));
        // Manifests have one checksum for all. In tables, blocks stand in front, the outline in the last 200 bytes.
        let is_table = relative.parent().is_some_and(|folder| folder.ends_with("tables"));
        let ends = if is_table { &[1, 9, 17, 30, 36, 60, 100, 150, 200][..] } else { &[1] };
        let outline = ends.iter().map(|end| whole.len().saturating_sub(*end));
        let parts = if is_table { 6 } else { 2 };
        for at in (0..parts).map(|part| part * whole.len() / parts).chain(outline) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x41;
            cases.push(("flipped", bytes));
        }
        for (name, bytes) in cases {
            let folder = tempfile::tempdir().unwrap();
            copy(source.path(), folder.path());
            fs::write(folder.path().join(&relative), bytes).unwrap();
            let outcome = Embedded::open(folder.path()).and_then(|store| read_all(&store));
            match outcome {
                Ok(()) => {}
                Err(Error::Damaged { .. }) => refused += 1,
                Err(error) => panic!("{} {name}: {error}", relative.display()),
            }
        }
    }
    assert!(refused > 100, "{refused}");
}

/// As [`numbered::verify`], but hands out errors of reading.
fn read_all(store: &Embedded) -> Result<(), Error> {
    use std::ops::ControlFlow::Continue;
    for space in crate::Space::ALL {
        for direction in [crate::Direction::Forward, crate::Direction::Backward] {
            store.scan(space, b"", b"", direction, &mut |_, _| Continue(()))?;
        }
    }
    store.get(crate::Space::Meta, b"last")?;
    assert_eq!(numbered::verify(store), BATCHES);
    Ok(())
}

/// Rows of one space that a salvage gave back.
fn saved(store: &dyn Store, space: crate::Space) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut rows = Vec::new();
    let mut visit = |key: &[u8], value: &[u8]| {
        rows.push((key.to_vec(), value.to_vec()));
        std::ops::ControlFlow::Continue(())
    };
    store.scan(space, b"", b"", crate::Direction::Forward, &mut visit).unwrap();
    rows
}

#[test]
fn a_sound_folder_is_salvaged_whole() {
    let source = filled(30);
    let scratch = tempfile::tempdir().unwrap();
    let saved = super::salvage(source.path(), scratch.path()).unwrap();
    assert_eq!(saved.damage, [] as [&str; 0]);
    assert_eq!(numbered::verify(&saved.store), BATCHES);
    assert_eq!(numbered::verify(&Embedded::open(source.path()).unwrap()), BATCHES, "and left as it was");
}

/// Bytes flipped at random places of every file: the salvage says so, loses what stood there, and invents nothing.
#[test]
fn what_is_not_broken_is_salvaged() {
    let source = filled(30);
    let sound = Embedded::open(source.path()).unwrap();
    let whole: Vec<_> = crate::Space::ALL.iter().map(|space| saved(&sound, *space)).collect();
    drop(sound);
    let all: usize = whole.iter().map(Vec::len).sum();
    let places = garbage(4_000);
    let mut places = places.chunks_exact(8).map(|eight| u64::from_le_bytes(eight.try_into().unwrap()));
    // One space stands for all: those of the list, of history (keyspace 3) and of what is beside them.
    let of_others = |path: &PathBuf| {
        ["1", "2", "4", "5", "6"].iter().any(|n| path.starts_with(source.path().join("rows/keyspaces").join(n)))
    };
    let files: Vec<PathBuf> = files(&source.path().join("rows")).into_iter().filter(|path| !of_others(path)).collect();
    let (mut broken, mut complete) = (0, 0);
    for file in files {
        let relative = file.strip_prefix(source.path()).unwrap();
        let bytes = fs::read(&file).unwrap();
        let in_use = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last as u64 + 1);
        for _ in 0..if in_use > 2_000 { 4 } else { 1 } {
            if in_use == 0 {
                continue;
            }
            let folder = tempfile::tempdir().unwrap();
            copy(source.path(), folder.path());
            let at = (places.next().unwrap() % in_use) as usize;
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x10;
            fs::write(folder.path().join(relative), &flipped).unwrap();
            let scratch = tempfile::tempdir().unwrap();
            let salvaged = super::salvage(folder.path(), scratch.path())
                .unwrap_or_else(|error| panic!("{} {at}: {error}", relative.display()));
            let found: Vec<_> = crate::Space::ALL.iter().map(|space| saved(&salvaged.store, *space)).collect();
            let is_journal = relative.extension().is_some();
            let known = found.iter().zip(&whole).all(|(found, whole)| found.iter().all(|row| whole.contains(row)));
            // A commit that deletes rows may be among those that are lost; then the rows are there again.
            assert!(known || is_journal, "{} {at}: rows that nobody wrote", relative.display());
            let count: usize = found.iter().map(Vec::len).sum();
            assert!(count == all || !salvaged.damage.is_empty() || is_journal, "{} {at}: {count}", relative.display());
            assert!(fs::read(folder.path().join(relative)).unwrap() == flipped, "the folder is left as it was");
            broken += usize::from(!salvaged.damage.is_empty());
            complete += usize::from(count == all);
        }
    }
    assert!(broken > 5 && complete > 1, "{broken} with damage, {complete} complete");
}
