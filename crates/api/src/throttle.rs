//! How often each action may be called: token buckets, which are off unless the operator sets them.
//!
//! A call takes a token out of its action's bucket; one that finds none is refused. Source: Step Functions quotas,
//! "Quotas related to API action throttling".

use std::{collections::BTreeMap, time::Instant};

use parking_lot::Mutex;

use crate::{action::Action, error::Error};

/// What one action may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Calls at once, after some time without any. At least 1.
    pub bucket: u32,
    /// Calls per second in the long run.
    pub refill: u32,
}

/// The buckets of all actions that have one.
#[derive(Debug, Default)]
pub struct Throttles {
    buckets: BTreeMap<&'static str, Mutex<Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    rate: Rate,
    tokens: f64,
    filled: Instant,
}

impl Throttles {
    /// By the names of actions; an error names one that there is not.
    pub fn new(rates: impl IntoIterator<Item = (String, Rate)>) -> Result<Throttles, String> {
        let filled = Instant::now();
        let mut buckets = BTreeMap::new();
        for (name, rate) in rates {
            let Some(action) = Action::named(&name) else { return Err(name) };
            buckets.insert(action.name(), Mutex::new(Bucket { rate, tokens: f64::from(rate.bucket), filled }));
        }
        Ok(Throttles { buckets })
    }

    /// Takes a token for one call.
    pub(crate) fn take(&self, action: Action) -> Result<(), Error> {
        match self.buckets.get(action.name()) {
            Some(bucket) if !bucket.lock().take(Instant::now()) => Err(Error::Throttling),
            _ => Ok(()),
        }
    }
}

impl Bucket {
    fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.filled = now;
        self.tokens = (self.tokens + passed * f64::from(self.rate.refill)).min(f64::from(self.rate.bucket));
        let has_one = self.tokens >= 1.0;
        if has_one {
            self.tokens -= 1.0;
        }
        has_one
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let begin = Instant::now();
        let at = |ms: u64| begin + Duration::from_millis(ms);
        let mut bucket = Bucket { rate: Rate { bucket: 2, refill: 10 }, tokens: 2.0, filled: begin };
        let taken = [0, 0, 0, 99, 101, 102, 1_000, 1_000, 1_000].map(|ms| bucket.take(at(ms)));
        assert_eq!(taken, [true, true, false, false, true, false, true, true, false]);
    }

    #[test]
    fn only_actions_that_have_a_bucket_are_throttled() {
        let rates = [("StartExecution".to_owned(), Rate { bucket: 1, refill: 0 })];
        let throttles = Throttles::new(rates).unwrap();
        assert_eq!(throttles.take(Action::StartExecution), Ok(()));
        assert_eq!(throttles.take(Action::StartExecution), Err(Error::Throttling));
        assert_eq!(throttles.take(Action::StopExecution), Ok(()));
        let unknown = Throttles::new([("StartExecutions".to_owned(), Rate { bucket: 1, refill: 0 })]);
        assert_eq!(unknown.unwrap_err(), "StartExecutions");
    }
}
