//! The alphabet of all rows: whole numbers of few bytes, texts with their length, options with a flag.
//!
//! Every value begins with the version of its row kind. Reading never panics and never allocates more than a small
//! multiple of the row's own size.

use std::sync::Arc;

use stepwell_expr::Payload;

use super::{ExecutionId, RecordError};

/// Most bytes of a number: 64 bits in groups of seven.
const NUMBER_BYTES_MAX: u32 = 10;

/// Room for most rows, so that they need not grow: they do not stay in memory as they are here.
const ROW_BYTES: usize = 256;

/// A row's value, as it grows.
pub(super) struct Writer {
    bytes: Vec<u8>,
    /// The payload that was written last into this row.
    pub(super) last: Option<Payload>,
}

impl Writer {
    pub(super) fn row(version: u8) -> Writer {
        let mut out = Writer::empty();
        out.byte(version);
        out
    }

    /// Before its version.
    pub(super) fn empty() -> Writer {
        Writer { bytes: Vec::with_capacity(ROW_BYTES), last: None }
    }

    /// Behind what was written before.
    pub(super) fn behind(bytes: Vec<u8>) -> Writer {
        Writer { bytes, last: None }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Seven bits a byte, lowest first; the high bit says that more follow.
    pub(super) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    /// Small numbers of either sign stay short: 0, -1, 1, -2, ... become 0, 1, 2, 3, ...
    pub(super) fn signed(&mut self, number: i64) {
        self.number((number.wrapping_shl(1) ^ (number >> 63)).cast_unsigned());
    }

    pub(super) fn flag(&mut self, flag: bool) {
        self.byte(u8::from(flag));
    }

    pub(super) fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.raw(text.as_bytes());
    }

    pub(super) fn option<T>(&mut self, option: Option<T>, write: impl FnOnce(&mut Writer, T)) {
        self.flag(option.is_some());
        if let Some(some) = option {
            write(self, some);
        }
    }

    pub(super) fn optional_text(&mut self, text: Option<&Arc<str>>) {
        self.option(text, |out, text| out.text(text));
    }
}

/// Why a row cannot be read; which row, [`Fault::of`] adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Damaged(&'static str),
    Newer { found: u8, known: u8 },
}

impl Fault {
    pub(super) fn of(self, row: &'static str, id: ExecutionId) -> RecordError {
        let execution = id.to_string();
        match self {
            Fault::Damaged(reason) => RecordError::Damaged { row, execution, reason },
            Fault::Newer { found, known } => RecordError::NewerFormat { row, execution, found, known },
        }
    }
}

/// The rest of a row's value.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    /// The payload that was read last from this row.
    pub(super) last: Option<Payload>,
}

impl<'a> Reader<'a> {
    /// Of a row whose kind has had versions 1 to `known`.
    pub(super) fn row(bytes: &'a [u8], known: u8) -> Result<Reader<'a>, Fault> {
        Reader::versioned(bytes, known).map(|(reader, _)| reader)
    }

    /// As [`Reader::row`]; also answers the row's version.
    pub(super) fn versioned(bytes: &'a [u8], known: u8) -> Result<(Reader<'a>, u8), Fault> {
        let mut reader = Reader::of(bytes);
        let version = reader.version(known)?;
        Ok((reader, version))
    }

    /// Before its version.
    pub(super) fn of(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes, last: None }
    }

    /// The version of what follows, from 1 to `known`.
    pub(super) fn version(&mut self, known: u8) -> Result<u8, Fault> {
        match self.byte()? {
            0 => Err(Fault::Damaged("its version is 0")),
            found if found > known => Err(Fault::Newer { found, known }),
            found => Ok(found),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Nothing may be left.
    pub(super) fn end(self) -> Result<(), Fault> {
        if self.rest.is_empty() { Ok(()) } else { Err(Fault::Damaged("it is too long")) }
    }

    pub(super) fn raw(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Fault::Damaged("it is too short"))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut array = [0; N];
        array.copy_from_slice(self.raw(N)?);
        Ok(array)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Fault> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn number(&mut self) -> Result<u64, Fault> {
        let mut number = 0;
        for group in 0..NUMBER_BYTES_MAX {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            let shift = group * 7;
            if bits != 0 && bits.leading_zeros() < shift {
                return Err(Fault::Damaged("a number is too large"));
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Fault::Damaged("a number is too large"))
    }

    pub(super) fn signed(&mut self) -> Result<i64, Fault> {
        let number = self.number()?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    pub(super) fn small(&mut self) -> Result<u32, Fault> {
        u32::try_from(self.number()?).map_err(|_| Fault::Damaged("a number is too large"))
    }

    pub(super) fn flag(&mut self) -> Result<bool, Fault> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Fault::Damaged("a flag is neither 0 nor 1")),
        }
    }

    /// How many things follow, each of at least one byte.
    pub(super) fn count(&mut self) -> Result<usize, Fault> {
        let count = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        if count > self.rest.len() { Err(Fault::Damaged("a count is too large")) } else { Ok(count) }
    }

    pub(super) fn text(&mut self) -> Result<Arc<str>, Fault> {
        let count = self.count()?;
        let text = str::from_utf8(self.raw(count)?).map_err(|_| Fault::Damaged("a text is not UTF-8"))?;
        Ok(text.into())
    }

    pub(super) fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        if self.flag()? { read(self).map(Some) } else { Ok(None) }
    }

    pub(super) fn optional_text(&mut self) -> Result<Option<Arc<str>>, Fault> {
        self.option(Reader::text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        let numbers = [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, u64::from(u32::MAX), u64::MAX - 1, u64::MAX];
        let signed = [0, 1, -1, 63, -64, 64, i64::MAX, i64::MIN];
        let mut out = Writer::row(1);
        numbers.iter().for_each(|number| out.number(*number));
        signed.iter().for_each(|number| out.signed(*number));
        let bytes = out.into_bytes();
        let mut row = Reader::row(&bytes, 1).unwrap();
        numbers.iter().for_each(|number| assert_eq!(row.number(), Ok(*number)));
        signed.iter().for_each(|number| assert_eq!(row.signed(), Ok(*number)));
        assert_eq!(row.end(), Ok(()));
    }

    #[test]
    fn what_is_not_a_row_is_refused() {
        let number = |bytes: &[u8]| Reader::row(bytes, 1).and_then(|mut row| row.number());
        assert_eq!(number(&[]), Err(Fault::Damaged("it is too short")));
        assert_eq!(number(&[0, 1]), Err(Fault::Damaged("its version is 0")));
        assert_eq!(number(&[2, 1]), Err(Fault::Newer { found: 2, known: 1 }));
        assert_eq!(number(&[1, 0x80]), Err(Fault::Damaged("it is too short")));
        let mut eleven = [0x80; 12];
        eleven[0] = 1;
        assert_eq!(number(&eleven), Err(Fault::Damaged("a number is too large")));
        let mut over = [0xff; 11];
        over[0] = 1;
        over[10] = 2;
        assert_eq!(number(&over), Err(Fault::Damaged("a number is too large")));
        let text = Reader::row(&[1, 0xff, 0xff, 0x7f, b'a'], 1).and_then(|mut row| row.text());
        assert_eq!(text, Err(Fault::Damaged("a count is too large")));
        let text = Reader::row(&[1, 1, 0xff], 1).and_then(|mut row| row.text());
        assert_eq!(text, Err(Fault::Damaged("a text is not UTF-8")));
    }
}
