//! How often each action may be called: token buckets, which are off unless the operator sets them.
//!
//! A call takes a token out of the bucket that its owner has for its action; one that finds none is refused. Source: Step Functions quotas,
//! "Quotas related to API action throttling".

use std::{
    collections::{BTreeMap, HashMap},
    time::Instant,
};

use parking_lot::Mutex;
use stepwell_engine::Owner;

use crate::{action::Action, error::Error, limits::OWNERS_THROTTLED_MAX};

/// What one action may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Calls at once, after some time without any. At least 1.
    pub bucket: u32,
    /// Calls per second in the long run.
    pub refill: u32,
}

/// The buckets of all actions that have some.
#[derive(Debug, Default)]
pub struct Throttles {
    actions: BTreeMap<&'static str, Buckets>,
}

/// Those of one action; an owner that has none here has a full one.
#[derive(Debug)]
struct Buckets {
    rate: Rate,
    of_owner: Mutex<HashMap<Owner, Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Throttles {
    /// By the names of actions; an error names one that there is not.
    pub fn new(rates: impl IntoIterator<Item = (String, Rate)>) -> Result<Throttles, String> {
        let mut actions = BTreeMap::new();
        for (name, rate) in rates {
            let Some(action) = Action::named(&name) else { return Err(name) };
            actions.insert(action.name(), Buckets { rate, of_owner: Mutex::default() });
        }
        Ok(Throttles { actions })
    }

    /// Takes a token for one call. The owner is asked for where the action has buckets.
    pub(crate) fn take(&self, action: Action, owner: impl FnOnce() -> Owner) -> Result<(), Error> {
        match self.actions.get(action.name()) {
            Some(buckets) if !buckets.take(owner(), Instant::now(), OWNERS_THROTTLED_MAX) => Err(Error::Throttling),
            _ => Ok(()),
        }
    }
}

impl Buckets {
    fn take(&self, owner: Owner, now: Instant, owners_max: usize) -> bool {
        let mut of_owner = self.of_owner.lock();
        if !of_owner.contains_key(&owner) && of_owner.len() >= owners_max {
            of_owner.retain(|_, bucket| !bucket.is_full(self.rate, now));
            if of_owner.len() >= owners_max {
                return false;
            }
        }
        let full = || Bucket { tokens: f64::from(self.rate.bucket), filled: now };
        of_owner.entry(owner).or_insert_with(full).take(self.rate, now)
    }
}

impl Bucket {
    fn fill(&mut self, rate: Rate, now: Instant) {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.filled = now;
        self.tokens = (self.tokens + passed * f64::from(rate.refill)).min(f64::from(rate.bucket));
    }

    fn is_full(&mut self, rate: Rate, now: Instant) -> bool {
        self.fill(rate, now);
        self.tokens >= f64::from(rate.bucket)
    }

    fn take(&mut self, rate: Rate, now: Instant) -> bool {
        self.fill(rate, now);
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
        let rate = Rate { bucket: 2, refill: 10 };
        let mut bucket = Bucket { tokens: 2.0, filled: begin };
        let taken = [0, 0, 0, 99, 101, 102, 1_000, 1_000, 1_000].map(|ms| bucket.take(rate, at(ms)));
        assert_eq!(taken, [true, true, false, false, true, false, true, true, false]);
    }

    #[test]
    fn so_many_owners_have_buckets() {
        let begin = Instant::now();
        let buckets = Buckets { rate: Rate { bucket: 1, refill: 1 }, of_owner: Mutex::default() };
        let take = |region: &str, s: u64| buckets.take(Owner::new(region, "1"), begin + Duration::from_secs(s), 2);
        assert!(take("a", 0) && take("b", 1));
        // That of `a` is full again, and forgotten.
        assert!(take("c", 1) && !take("d", 1));
        assert!(take("d", 2));
    }

    #[test]
    fn only_actions_that_have_a_bucket_are_throttled() {
        let rates = [("StartExecution".to_owned(), Rate { bucket: 1, refill: 0 })];
        let throttles = Throttles::new(rates).unwrap();
        let (here, there) = (|| Owner::new("us-east-1", "1"), || Owner::new("eu-west-1", "1"));
        assert_eq!(throttles.take(Action::StartExecution, here), Ok(()));
        assert_eq!(throttles.take(Action::StartExecution, here), Err(Error::Throttling));
        assert_eq!(throttles.take(Action::StartExecution, there), Ok(()));
        assert_eq!(throttles.take(Action::StopExecution, here), Ok(()));
        let unknown = Throttles::new([("StartExecutions".to_owned(), Rate { bucket: 1, refill: 0 })]);
        assert_eq!(unknown.unwrap_err(), "StartExecutions");
    }
}
