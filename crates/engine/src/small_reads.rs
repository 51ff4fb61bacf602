//! Where a small read runs: on its caller's thread, as long as such reads are quick.
//!
//! Rows that were written or read lately are in memory, where a few of them are found in less time than another thread needs
//! to wake up. A read that takes long has waited for the disk, and with it all else that its thread serves: small reads
//! then go to threads that may wait, until a while has passed.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use crate::limits::{SMALL_READ_SHUNNED, SMALL_READ_TIME_MAX};

#[derive(Debug)]
pub(crate) struct SmallReads {
    opened: Instant,
    /// Nanoseconds after `opened` until which the disk is taken to be asked.
    slow_until: AtomicU64,
}

impl SmallReads {
    pub(crate) fn new() -> SmallReads {
        SmallReads { opened: Instant::now(), slow_until: AtomicU64::new(0) }
    }

    /// True if a small read may run on the thread that asks.
    pub(crate) fn are_quick(&self) -> bool {
        self.nanoseconds(Instant::now()) >= self.slow_until.load(Ordering::Relaxed)
    }

    /// Does a small read and learns from the time that it takes.
    pub(crate) fn here<T>(&self, read: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let answer = read();
        self.learn(began, Instant::now());
        answer
    }

    fn learn(&self, began: Instant, ended: Instant) {
        if ended.duration_since(began) > SMALL_READ_TIME_MAX {
            self.slow_until.store(self.nanoseconds(ended + SMALL_READ_SHUNNED), Ordering::Relaxed);
        }
    }

    fn nanoseconds(&self, at: Instant) -> u64 {
        u64::try_from(at.duration_since(self.opened).as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_slow_read_others_stay_away() {
        let reads = SmallReads::new();
        assert!(reads.are_quick());
        assert_eq!(reads.here(|| 7), 7);
        let now = Instant::now();
        reads.learn(now, now + SMALL_READ_TIME_MAX);
        assert!(reads.are_quick());
        reads.learn(now, now + SMALL_READ_TIME_MAX * 2);
        assert!(!reads.are_quick());
        let until = reads.slow_until.load(Ordering::Relaxed);
        assert!(until >= u64::try_from(SMALL_READ_SHUNNED.as_nanos()).unwrap());
        reads.slow_until.store(reads.nanoseconds(Instant::now()), Ordering::Relaxed);
        assert!(reads.are_quick());
    }
}
