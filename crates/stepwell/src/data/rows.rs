//! The portable form of all rows: JSON lines, version 1.
//!
//! ```text
//! {"format":"stepwell-export","version":1}
//! {"space":"summary","key":"…","value":"…"}      a row; key and value in base64 (RFC 4648, padded)
//! {"damage":"…"}                                 something that was not readable, in words
//! {"rows":2,"sha256":"…"}                        the last line: how many rows, and the digest of all bytes before it
//! ```
//!
//! Spaces are `meta`, `summary`, `history`, `frames`, `open`, `listing`; rows come in no order that counts. What is in
//! a key and a value is the engine's, and each value begins with the version of its own format.

use std::io::{BufRead, Read, Write};

use anyhow::{Context, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use stepwell_expr::{Value, json};
use stepwell_store::{Batch, Space, Store};

use crate::limits::{IMPORT_BATCH_BYTES, IMPORT_LINE_BYTES_MAX};

const HEAD: &str = r#"{"format":"stepwell-export","version":1}"#;

/// Writes rows as lines.
pub(crate) struct Writer<W> {
    out: W,
    digest: Sha256,
    rows: u64,
}

impl<W: Write> Writer<W> {
    pub(crate) fn begin(out: W) -> std::io::Result<Writer<W>> {
        let mut writer = Writer { out, digest: Sha256::new(), rows: 0 };
        writer.line(HEAD)?;
        Ok(writer)
    }

    /// Answers how many rows there are now.
    pub(crate) fn row(&mut self, space: Space, key: &[u8], value: &[u8]) -> std::io::Result<u64> {
        let (key, value) = (STANDARD.encode(key), STANDARD.encode(value));
        self.rows += 1;
        self.line(&format!(r#"{{"space":"{}","key":"{key}","value":"{value}"}}"#, space.name()))?;
        Ok(self.rows)
    }

    pub(crate) fn damage(&mut self, what: &str) -> std::io::Result<()> {
        self.line(&Value::object([("damage", what.into())]).to_string())
    }

    /// Without this last line, a reader knows that something is missing.
    pub(crate) fn end(mut self) -> std::io::Result<u64> {
        let digest = hex(&self.digest.clone().finalize());
        self.line(&format!(r#"{{"rows":{},"sha256":"{digest}"}}"#, self.rows))?;
        self.out.flush()?;
        Ok(self.rows)
    }

    fn line(&mut self, text: &str) -> std::io::Result<()> {
        self.digest.update(text);
        self.digest.update("\n");
        self.out.write_all(text.as_bytes())?;
        self.out.write_all(b"\n")
    }
}

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Imported {
    pub(crate) rows: u64,
    /// What the writer could not read.
    pub(crate) damage: Vec<String>,
}

/// Reads lines into a store; an error unless the last line says that all are there and as they were.
pub(crate) fn read(from: &mut impl BufRead, to: &dyn Store, progress: &mut dyn FnMut(u64)) -> anyhow::Result<Imported> {
    let mut digest = Sha256::new();
    let mut found = Imported { rows: 0, damage: Vec::new() };
    let mut batch = Batch::default();
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        from.take(IMPORT_LINE_BYTES_MAX as u64).read_until(b'\n', &mut line).context("the export cannot be read")?;
        let Some(text) = line.strip_suffix(b"\n") else { bail!("line {number}: the export ends early") };
        let text = std::str::from_utf8(text).with_context(|| format!("line {number} is no text"))?;
        let before = digest.clone();
        digest.update(&line);
        if number == 1 {
            check_head(text)?;
            continue;
        }
        let value = json::parse(text).ok().with_context(|| format!("line {number} is no JSON"))?;
        let member = |name: &str| value.get(name).and_then(Value::as_str);
        if let Some(space) = member("space") {
            let space =
                Space::of_name(space).with_context(|| format!("line {number}: no space is called `{space}`"))?;
            let bytes = |name: &str| {
                let text = member(name).with_context(|| format!("line {number}: there is no `{name}`"))?;
                STANDARD.decode(text).with_context(|| format!("line {number}: `{name}` is not base64"))
            };
            batch.put(space, bytes("key")?, bytes("value")?);
            found.rows += 1;
            progress(found.rows);
            if batch.bytes() >= IMPORT_BATCH_BYTES {
                to.commit(std::mem::take(&mut batch))?;
            }
        } else if let Some(what) = member("damage") {
            found.damage.push(what.to_owned());
        } else if let Some(expected) = member("sha256") {
            let rows = value.get("rows").map(Value::to_string).unwrap_or_default();
            if rows != found.rows.to_string() || expected != hex(&before.finalize()) {
                bail!("line {number}: the export was changed, or a part of it is missing");
            }
            to.commit(batch)?;
            return Ok(found);
        } else {
            bail!("line {number}: neither a row, nor damage, nor the end");
        }
    }
    bail!("the export has no end")
}

fn check_head(text: &str) -> anyhow::Result<()> {
    if text == HEAD {
        return Ok(());
    }
    match json::parse(text).ok().and_then(|head| head.get("version").map(Value::to_string)) {
        Some(version) if text.contains("stepwell-export") => {
            bail!("the export has version {version}, this program reads version 1: use a newer release")
        }
        _ => bail!("this is no export of stepwell"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use stepwell_store::Memory;

    use super::*;

    fn export() -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Writer::begin(&mut out).unwrap();
        writer.row(Space::Meta, b"a", b"\x00\xff").unwrap();
        writer.row(Space::History, &[7; 40], b"").unwrap();
        writer.damage("a \"table\"").unwrap();
        assert_eq!(writer.end().unwrap(), 2);
        out
    }

    #[test]
    fn rows_come_back() {
        let store = Memory::new();
        let read = read(&mut export().as_slice(), &store, &mut |_| {}).unwrap();
        assert_eq!(read, Imported { rows: 2, damage: vec!["a \"table\"".to_owned()] });
        assert_eq!(store.get(Space::Meta, b"a").unwrap(), Some(b"\x00\xff".to_vec()));
        assert_eq!(store.get(Space::History, &[7; 40]).unwrap(), Some(Vec::new()));
    }

    #[test]
    fn what_was_cut_or_changed_is_refused() {
        let whole = export();
        for length in 0..whole.len() {
            let store = Memory::new();
            assert!(read(&mut &whole[..length], &store, &mut |_| {}).is_err(), "cut to {length}");
        }
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert!(read(&mut changed.as_slice(), &Memory::new(), &mut |_| {}).is_err(), "changed at {at}");
        }
        let newer = String::from_utf8(whole).unwrap().replace(r#""version":1"#, r#""version":2"#);
        let error = read(&mut newer.as_bytes(), &Memory::new(), &mut |_| {}).unwrap_err().to_string();
        assert!(error.contains("version 2") && error.contains("newer release"), "{error}");
    }
}
