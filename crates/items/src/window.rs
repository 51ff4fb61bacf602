//! The part of an object that is in memory: what came and was not taken yet.

use crate::{DataError, Item, limits};

/// Bytes of an object, in order, from a known offset.
#[derive(Debug, Default)]
pub struct Window {
    bytes: Vec<u8>,
    /// The first byte that is not taken yet.
    at: usize,
    /// Of that byte in the (uncompressed) object.
    offset: u64,
    is_whole: bool,
}

/// What a reader took from a window.
#[derive(Debug)]
pub enum Taken {
    Item(Item),
    /// Nothing: more bytes are needed.
    Hungry,
    /// Nothing: there are no more items.
    End,
}

impl Window {
    /// Empty, where the next byte has this offset.
    pub fn starting_at(offset: u64) -> Window {
        Window { offset, ..Window::default() }
    }

    /// Adds what follows.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.at);
        self.at = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// Nothing follows.
    pub fn end(&mut self) {
        self.is_whole = true;
    }

    /// True if nothing follows what is here.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// What is not taken yet.
    pub fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    /// The offset of the first byte that is not taken, in bytes of the uncompressed object.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Drops what stands before `offset`; false: more bytes are needed for that.
    pub fn skip_to(&mut self, offset: u64) -> bool {
        let missing = usize::try_from(offset.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        self.take(missing.min(self.rest().len()));
        self.offset >= offset
    }

    pub(crate) fn take(&mut self, count: usize) {
        self.at += count;
        self.offset += count as u64;
    }

    /// What a reader answers that cannot go on with what is here.
    pub(crate) fn hungry(&self) -> Result<Taken, DataError> {
        match self.rest().len() > limits::ITEM_BYTES_MAX {
            true => Err(DataError::new(format!(
                "the item at byte {} is larger than {} bytes",
                self.offset,
                limits::ITEM_BYTES_MAX
            ))),
            false => Ok(Taken::Hungry),
        }
    }

    /// The mark of UTF-8 that some programs put before a text.
    pub(crate) fn skip_byte_order_mark(&mut self) {
        const MARK: &[u8] = b"\xEF\xBB\xBF";
        if self.offset == 0 && self.rest().starts_with(MARK) {
            self.take(MARK.len());
        }
    }
}
