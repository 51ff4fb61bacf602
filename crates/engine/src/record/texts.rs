//! Payloads inside rows: short texts in place, long ones in rows of their own, stored once per execution.
//!
//! A text row's id is drawn from the text and the execution's secret root, so equal texts of one execution are one
//! row. A payload keeps the first id that it is given. One that two executions share (a constant of their program)
//! therefore carries an id of the other's root: it is stored again, under this execution and the same id, which is
//! still as good as random here. What is stored twice under one id is the same text, so that writing it again is
//! never wrong, only wasted; the ids known to be stored are remembered to avoid it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use sha2::{Digest, Sha256};
use stepwell_expr::{Payload, json};
use stepwell_machine::root::Root;
use stepwell_store::{Batch, Space, Store};

use super::{
    ExecutionId, RecordError,
    codec::{Fault, Reader, Writer},
    key,
};
use crate::limits::{INLINE_TEXT_BYTES_MAX, STORED_TEXTS_MAX};

const VERSION: u8 = 1;
const ROW: &str = "text";

/// Where a payload's text is.
const IN_PLACE: u8 = 0;
const IN_ROW: u8 = 1;
/// The payload before it in the same row, as a state's output is the next one's input.
const AS_BEFORE: u8 = 2;

/// The rows of one step of an execution: a batch that long texts go into on the way.
pub(super) struct Rows<'a> {
    pub(super) id: ExecutionId,
    pub(super) root: &'a Root,
    /// Ids of texts known to be stored under this execution.
    pub(super) stored: &'a mut BTreeSet<u64>,
    pub(super) batch: &'a mut Batch,
}

impl Rows<'_> {
    pub(super) fn put(&mut self, space: Space, key: Vec<u8>, row: Writer) {
        self.batch.put(space, key, row.into_bytes());
    }

    pub(super) fn delete(&mut self, space: Space, key: Vec<u8>) {
        self.batch.delete(space, key);
    }

    /// Writes `payload` into a row. An absent one is stored already: references never cross executions.
    pub(super) fn payload(&mut self, out: &mut Writer, payload: &Payload) {
        if out.last.as_ref().is_some_and(|last| last.is(payload)) {
            out.byte(AS_BEFORE);
            return;
        }
        if payload.is_absent() || payload.bytes() > INLINE_TEXT_BYTES_MAX {
            out.byte(IN_ROW);
            out.raw(&self.text_id(payload).to_be_bytes());
            out.count(payload.bytes());
        } else {
            out.byte(IN_PLACE);
            out.text(payload.text());
        }
        out.last = Some(payload.clone());
    }

    fn text_id(&mut self, payload: &Payload) -> u64 {
        let id = match payload.id() {
            Some(id) => id,
            None => payload.assign_id(drawn_id(self.root, payload.text())),
        };
        if self.stored.len() >= STORED_TEXTS_MAX {
            self.stored.clear();
        }
        if self.stored.insert(id) && !payload.is_absent() {
            let text = payload.text();
            let mut row = Vec::with_capacity(1 + text.len());
            row.push(VERSION);
            row.extend_from_slice(text.as_bytes());
            self.batch.put(Space::History, key::text(self.id, id), row);
        }
        id
    }
}

fn drawn_id(root: &Root, text: &str) -> u64 {
    let hash = Sha256::new().chain_update(root.0).chain_update(text).finalize();
    hash.first_chunk::<8>().map_or(0, |id| u64::from_be_bytes(*id))
}

/// The payloads of the rows that are read together: those with the same id are one payload in memory.
#[derive(Default)]
pub(super) struct Texts {
    /// True if texts in place must be JSON, because a driver will parse them.
    pub(super) checked: bool,
    known: BTreeMap<u64, Payload>,
    /// Bytes of the payloads met since [`begin`](Texts::begin), each time they were met.
    pub(super) bytes: usize,
    /// Bytes of those of them that are here, not absent.
    pub(super) bytes_here: usize,
    /// Those of them that are absent.
    pub(super) absent: Vec<Payload>,
}

impl Texts {
    pub(super) fn checked() -> Texts {
        Texts { checked: true, ..Texts::default() }
    }

    /// Begins to count anew.
    pub(super) fn begin(&mut self) {
        self.bytes = 0;
        self.bytes_here = 0;
        self.absent.clear();
    }

    /// Reads a payload that [`Rows::payload`] wrote.
    pub(super) fn payload(&mut self, row: &mut Reader<'_>) -> Result<Payload, Fault> {
        let payload = match row.byte()? {
            IN_PLACE => self.in_place(row)?,
            IN_ROW => {
                let id = u64::from_be_bytes(row.array()?);
                let bytes = row.small()? as usize;
                self.known.entry(id).or_insert_with(|| Payload::absent(id, bytes)).clone()
            }
            AS_BEFORE => row.last.clone().ok_or(Fault::Damaged("there is no payload before the first"))?,
            _ => return Err(Fault::Damaged("a payload is of unknown kind")),
        };
        self.bytes = self.bytes.saturating_add(payload.bytes());
        if payload.is_absent() {
            self.absent.push(payload.clone());
        } else {
            self.bytes_here += payload.bytes();
        }
        row.last = Some(payload.clone());
        Ok(payload)
    }

    fn in_place(&self, row: &mut Reader<'_>) -> Result<Payload, Fault> {
        let text = row.text()?;
        if self.checked {
            json::check(&text).map_err(|_| NOT_JSON)?;
        }
        Ok(Payload::from_checked_text(text))
    }

    /// Ids of all texts in rows that were met.
    pub(super) fn ids(&self) -> BTreeSet<u64> {
        self.known.keys().copied().collect()
    }
}

const NOT_JSON: Fault = Fault::Damaged("a text is not JSON");

/// Gives those of `payloads` that are absent their texts, checked to be JSON.
pub fn fill(store: &dyn Store, id: ExecutionId, payloads: &[Payload]) -> Result<(), RecordError> {
    fill_each(store, id, payloads, |text| json::check(text).map_err(|_| NOT_JSON))
}

/// As [`fill`], for texts that are only handed on.
pub(super) fn fill_unchecked(store: &dyn Store, id: ExecutionId, payloads: &[Payload]) -> Result<(), RecordError> {
    fill_each(store, id, payloads, |_| Ok(()))
}

fn fill_each(
    store: &dyn Store,
    id: ExecutionId,
    payloads: &[Payload],
    check: impl Fn(&str) -> Result<(), Fault>,
) -> Result<(), RecordError> {
    for payload in payloads {
        if payload.is_absent() {
            let text = read_text(store, id, payload, &check)?;
            payload.fill(text);
        }
    }
    Ok(())
}

fn read_text(
    store: &dyn Store,
    id: ExecutionId,
    payload: &Payload,
    check: impl Fn(&str) -> Result<(), Fault>,
) -> Result<Arc<str>, RecordError> {
    let missing = || Fault::Damaged("it is missing").of(ROW, id);
    let text_id = payload.id().ok_or_else(missing)?;
    let row = store.get(Space::History, &key::text(id, text_id))?.ok_or_else(missing)?;
    decode_text(&row, payload.bytes(), check).map_err(|fault| fault.of(ROW, id))
}

fn decode_text(row: &[u8], bytes: usize, check: impl Fn(&str) -> Result<(), Fault>) -> Result<Arc<str>, Fault> {
    let mut row = Reader::row(row, VERSION)?;
    let text = str::from_utf8(row.raw(bytes)?).map_err(|_| Fault::Damaged("a text is not UTF-8"))?;
    row.end()?;
    check(text)?;
    Ok(text.into())
}
