//! Checks the manifest of each keyspace and the outline of its tables before the embedded store is opened.
//!
//! The engine underneath has a checksum on every block of a table. It does not check its manifests, and it believes
//! the outline of a table before it has checked that: a flipped bit there can make it ask for 100 GB of memory.
//!
//! Format, all numbers little endian. `current`: version (u64), XXH3-128 of the manifest `v<version>` (u128), `0`.
//! Manifests and tables are archives: sections, then an outline, then `SFA!`, `1`, `0`, XXH3-128 of the outline
//! (u128), its position (u64) and its length (u64). The outline: `TOC!`, count (u32); for each section its position
//! (u64), length (u64), name length (u16) and name. The section `tables` of a manifest: levels (u8); for each its
//! runs (u8); for each its tables (u32); for each its number (u64), `0`, XXH3-128 (u128) and sequence number (u64).

use super::flaw::Flaw;
use crate::limits::{MANIFEST_BYTES_MAX, OUTLINE_BYTES_MAX};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use xxhash_rust::xxh3::xxh3_128;

const CURRENT_BYTES: usize = 25;
const TRAILER: [u8; 6] = *b"SFA!\x01\x00";
const TRAILER_BYTES: u64 = 38;
const OUTLINE: [u8; 4] = *b"TOC!";

/// Checks the folder of one keyspace. Tables that its manifest does not name are not looked at: a crash may have left
/// them half written, and they are deleted at open.
pub(super) fn verify(keyspace: &Path) -> Result<(), Flaw> {
    let current_path = keyspace.join("current");
    let current = read(&current_path, CURRENT_BYTES as u64)?;
    let mut fields = Fields { bytes: &current };
    let (Some(version), Some(checksum), Some(0), true) =
        (fields.number(8), fields.number(16), fields.number(1), fields.bytes.is_empty())
    else {
        return Err(Flaw::Damaged(format!("`{}` is not readable", current_path.display())));
    };
    let manifest_path = keyspace.join(format!("v{version}"));
    let manifest = read(&manifest_path, MANIFEST_BYTES_MAX)?;
    if checksum != xxh3_128(&manifest) {
        return Err(Flaw::Damaged(format!("`{}` has a wrong checksum", manifest_path.display())));
    }
    let Some(tables) = tables(&manifest) else {
        return Err(Flaw::Damaged(format!("`{}` is not readable", manifest_path.display())));
    };
    for table in tables {
        let path = keyspace.join("tables").join(table.to_string());
        let sound = File::open(&path).and_then(|mut file| outline(&mut file));
        if sound.map_err(|error| Flaw::of(&path, error))?.is_none() {
            return Err(Flaw::Damaged(format!("the table `{}` has a broken outline", path.display())));
        }
    }
    Ok(())
}

/// The bytes of a file that must be there; no more than one above `bytes_max`.
pub(super) fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, Flaw> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(bytes_max + 1).read_to_end(&mut bytes));
    read.map_err(|error| Flaw::of(path, error))?;
    Ok(bytes)
}

/// The numbers of the tables that a manifest names.
fn tables(manifest: &[u8]) -> Option<Vec<u64>> {
    let outline = outline(&mut io::Cursor::new(manifest)).ok()??;
    let (from, bytes) = section(&outline, b"tables")?;
    let from = usize::try_from(from).ok()?;
    let to = from.checked_add(usize::try_from(bytes).ok()?)?;
    let mut fields = Fields { bytes: manifest.get(from..to)? };
    let mut tables = Vec::new();
    for _ in 0..fields.number(1)? {
        for _ in 0..fields.number(1)? {
            for _ in 0..fields.number(4)? {
                tables.push(u64::try_from(fields.number(8)?).ok()?);
                fields.take(1 + 16 + 8)?;
            }
        }
    }
    Some(tables)
}

/// Position and length of a section, by its name.
fn section(outline: &[u8], name: &[u8]) -> Option<(u64, u64)> {
    let mut fields = Fields { bytes: outline };
    fields.take(OUTLINE.len())?;
    for _ in 0..fields.number(4)? {
        let place = (u64::try_from(fields.number(8)?).ok()?, u64::try_from(fields.number(8)?).ok()?);
        let name_bytes = usize::try_from(fields.number(2)?).ok()?;
        if fields.take(name_bytes)? == name {
            return Some(place);
        }
    }
    None
}

/// The outline of an archive; `None` if it is not as its checksum says.
fn outline(archive: &mut (impl Read + Seek)) -> io::Result<Option<Vec<u8>>> {
    let bytes = archive.seek(SeekFrom::End(0))?;
    let Some(trailer_at) = bytes.checked_sub(TRAILER_BYTES) else { return Ok(None) };
    archive.seek(SeekFrom::Start(trailer_at))?;
    let mut trailer = [0; TRAILER_BYTES as usize];
    archive.read_exact(&mut trailer)?;
    let mut fields = Fields { bytes: &trailer };
    let magic = fields.take(TRAILER.len());
    let (Some(checksum), Some(from), Some(length)) = (fields.number(16), fields.number(8), fields.number(8)) else {
        return Ok(None);
    };
    let ends_at_trailer = from.checked_add(length) == Some(u128::from(trailer_at));
    if magic != Some(&TRAILER) || !ends_at_trailer || length > OUTLINE_BYTES_MAX {
        return Ok(None);
    }
    let mut outline = vec![0; length as usize];
    archive.seek(SeekFrom::Start(from as u64))?;
    archive.read_exact(&mut outline)?;
    Ok((outline.starts_with(&OUTLINE) && xxh3_128(&outline) == checksum).then_some(outline))
}

/// Reads little-endian numbers off the front of bytes.
struct Fields<'a> {
    bytes: &'a [u8],
}

impl<'a> Fields<'a> {
    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(bytes)?;
        self.bytes = rest;
        Some(taken)
    }

    /// A number of up to 16 bytes.
    fn number(&mut self, bytes: usize) -> Option<u128> {
        let bytes = self.take(bytes)?;
        Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u128::from(*byte)))
    }
}
