//! A token bucket: how often something may happen, at once and in the long run.

use crate::timeline::NEVER;

/// How often something may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Times at once, after some time without any. At least 1.
    pub bucket: u32,
    /// Times per second in the long run.
    pub refill: u32,
}

/// What may happen now by a [`Rate`]. Counts whole milliseconds, in numbers that are exact.
#[derive(Clone, Debug)]
pub struct Bucket {
    rate: Rate,
    /// A thousandth of a token each; below 0 where more was taken than there was.
    millitokens: i64,
    filled_ms: i64,
}

const MILLI: i64 = 1_000;

impl Bucket {
    /// A full one; times are milliseconds of any one clock.
    pub fn full(rate: Rate, now_ms: i64) -> Bucket {
        Bucket { rate, millitokens: i64::from(rate.bucket) * MILLI, filled_ms: now_ms }
    }

    /// Tokens that are there. A clock that was set back fills nothing.
    pub fn left(&mut self, now_ms: i64) -> u32 {
        let passed_ms = now_ms.saturating_sub(self.filled_ms).max(0);
        self.filled_ms = now_ms;
        let filled = self.millitokens.saturating_add(passed_ms.saturating_mul(i64::from(self.rate.refill)));
        self.millitokens = filled.min(i64::from(self.rate.bucket) * MILLI);
        u32::try_from(self.millitokens / MILLI).unwrap_or(0)
    }

    /// Takes tokens, also some that are not there yet.
    pub fn spend(&mut self, tokens: u32) {
        self.millitokens = self.millitokens.saturating_sub(i64::from(tokens) * MILLI);
    }

    /// When there is a token, if nobody takes one; [`i64::MAX`]: never.
    pub fn next_ms(&self) -> i64 {
        let missing = MILLI.saturating_sub(self.millitokens).max(0);
        match i64::from(self.rate.refill) {
            _ if missing == 0 => self.filled_ms,
            0 => NEVER,
            refill => self.filled_ms.saturating_add((missing - 1) / refill + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_empties_and_fills_again() {
        let mut bucket = Bucket::full(Rate { bucket: 2, refill: 10 }, 0);
        let mut take = |ms: i64| {
            let there = bucket.left(ms) > 0;
            bucket.spend(u32::from(there));
            there
        };
        let taken = [0, 0, 0, 99, 100, 101, 1_000, 1_000, 1_000].map(&mut take);
        assert_eq!(taken, [true, true, false, false, true, false, true, true, false]);
    }

    #[test]
    fn the_next_token_is_there_when_it_says() {
        for refill in [1, 3, 7, 1_000, 1_500, 5_000] {
            let mut bucket = Bucket::full(Rate { bucket: 5, refill }, 0);
            bucket.spend(12);
            let next_ms = bucket.next_ms();
            assert_eq!(bucket.left(next_ms - 1), 0, "{refill} a second");
            assert!(bucket.left(next_ms) >= 1, "{refill} a second");
        }
        let mut none = Bucket::full(Rate { bucket: 1, refill: 0 }, 0);
        none.spend(1);
        assert_eq!((none.next_ms(), none.left(i64::MAX)), (NEVER, 0));
    }

    #[test]
    fn a_clock_that_is_set_back_or_far_ahead_does_no_harm() {
        let mut bucket = Bucket::full(Rate { bucket: 5, refill: u32::MAX }, 1_000_000);
        bucket.spend(6);
        assert_eq!(bucket.left(0), 0);
        assert_eq!(bucket.left(i64::MAX), 5);
        bucket.spend(u32::MAX);
        assert_eq!(bucket.left(i64::MIN), 0);
    }
}
