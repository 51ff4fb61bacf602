//! What an evaluation may use: work, memory and depth.
//!
//! Work is counted where it is done, before it is done, in ticks of about ten nanoseconds. What is counted depends on
//! the expression and its input alone, so it is the same in every run.

use super::fault::Fault;
use super::stack;
use crate::limits::{JSONATA_ALLOCATED_BYTES_MAX, JSONATA_DEPTH_MAX, JSONATA_STRING_BYTES_MAX};

/// Ticks in a unit of fuel, a microsecond.
pub(super) const TICKS_PER_UNIT: u64 = 100;

/// Why an evaluation ends without a value.
#[derive(Debug)]
pub(super) enum Stop {
    Fault(Fault),
    OutOfFuel,
    OutOfMemory,
    TooDeep,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Stop {
        Stop::Fault(fault)
    }
}

pub(super) type Outcome<T = super::item::Item> = Result<T, Stop>;

pub(super) struct Budget {
    given: u64,
    left: u64,
    bytes_left: u64,
    depth: usize,
    depth_max: usize,
}

/// About the bytes of an array or an object without what is in it.
const CONTAINER_BYTES: u64 = 128;
/// Bytes that are looked at, or copied, in a tick.
const BYTES_PER_TICK: usize = 16;
/// The stack is looked at each time so many levels were entered.
const LEVELS_PER_LOOK: usize = 8;

impl Budget {
    /// `units` of fuel.
    pub(super) fn new(units: u64) -> Budget {
        let left = units.saturating_mul(TICKS_PER_UNIT);
        let (bytes_left, depth_max) = (JSONATA_ALLOCATED_BYTES_MAX, JSONATA_DEPTH_MAX);
        Budget { given: left, left, bytes_left, depth: 0, depth_max }
    }

    pub(super) fn with_depth_max(self, depth_max: usize) -> Budget {
        Budget { depth_max, ..self }
    }

    /// Units of fuel that were burned, a part of one for a whole one.
    pub(super) fn burned(&self) -> u64 {
        (self.given - self.left).div_ceil(TICKS_PER_UNIT)
    }

    pub(super) fn burn(&mut self, ticks: usize) -> Outcome<()> {
        match self.left.checked_sub(ticks as u64) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(Stop::OutOfFuel)
            }
        }
    }

    /// Pays for going through so many bytes of text.
    pub(super) fn read(&mut self, bytes: usize) -> Outcome<()> {
        self.burn(1 + bytes / BYTES_PER_TICK)
    }

    fn take(&mut self, bytes: u64) -> Outcome<()> {
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or(Stop::OutOfMemory)?;
        Ok(())
    }

    /// Pays for an array of so many items.
    pub(super) fn make_items(&mut self, count: usize) -> Outcome<()> {
        self.burn(8 + count)?;
        self.take(CONTAINER_BYTES + (count as u64).saturating_mul(size_of::<super::item::Item>() as u64))
    }

    /// Pays for an object of so many members.
    pub(super) fn make_members(&mut self, count: usize) -> Outcome<()> {
        self.burn(8 + count.saturating_mul(4))?;
        let member = (size_of::<super::item::Item>() + 3 * size_of::<usize>()) as u64;
        self.take(CONTAINER_BYTES + (count as u64).saturating_mul(if count > 8 { 2 * member } else { member }))
    }

    /// Pays for a text of so many bytes.
    pub(super) fn make_text(&mut self, bytes: usize) -> Outcome<()> {
        if bytes > JSONATA_STRING_BYTES_MAX {
            return Err(Stop::OutOfMemory);
        }
        self.burn(8 + bytes / BYTES_PER_TICK)?;
        self.take(32 + bytes as u64)
    }

    /// Pays for anything else.
    pub(super) fn make_bytes(&mut self, bytes: usize) -> Outcome<()> {
        self.take(bytes as u64)
    }

    pub(super) fn enter(&mut self) -> Outcome<()> {
        self.depth += 1;
        if self.depth > self.depth_max { Err(Stop::TooDeep) } else { Ok(()) }
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Whether it is time to look if there is enough stack.
    pub(super) fn should_look(&self) -> bool {
        self.depth.is_multiple_of(LEVELS_PER_LOOK)
    }
}

/// Something that recurses with a [`Budget`].
pub(super) trait Budgeted {
    fn budget(&mut self) -> &mut Budget;

    /// Goes one level deeper, within the bound and with enough stack.
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        self.budget().enter()?;
        let outcome = if self.budget().should_look() { stack::grow(|| inner(self)) } else { inner(self) };
        self.budget().leave();
        outcome
    }
}

impl Budgeted for Budget {
    fn budget(&mut self) -> &mut Budget {
        self
    }
}
