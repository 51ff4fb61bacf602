//! How often each action may be called: token buckets, which are off unless the operator sets them.
//!
//! A call takes a token out of the bucket that its owner has for its action; one that finds none is refused. Source: Step
//! Functions quotas, "Quotas related to API action throttling".

use std::{
    collections::{BTreeMap, HashMap},
    time::Instant,
};

use parking_lot::Mutex;
use stepwell_engine::{Bucket, Owner, Rate};

use crate::{action::Action, error::Error, limits::OWNERS_THROTTLED_MAX};

/// The buckets of all actions that have some.
#[derive(Debug)]
pub struct Throttles {
    actions: BTreeMap<&'static str, Buckets>,
    /// The beginning of the buckets' time.
    since: Instant,
}

impl Default for Throttles {
    /// None.
    fn default() -> Throttles {
        Throttles { actions: BTreeMap::new(), since: Instant::now() }
    }
}

/// Those of one action; an owner that has none here has a full one.
#[derive(Debug)]
struct Buckets {
    rate: Rate,
    of_owner: Mutex<HashMap<Owner, Bucket>>,
}

impl Throttles {
    /// By the names of actions; an error names one that there is not.
    pub fn new(rates: impl IntoIterator<Item = (String, Rate)>) -> Result<Throttles, String> {
        let mut throttles = Throttles::default();
        for (name, rate) in rates {
            let Some(action) = Action::named(&name) else { return Err(name) };
            throttles.actions.insert(action.name(), Buckets { rate, of_owner: Mutex::default() });
        }
        Ok(throttles)
    }

    /// Takes a token for one call. The owner is asked for where the action has buckets.
    pub(crate) fn take(&self, action: Action, owner: impl FnOnce() -> Owner) -> Result<(), Error> {
        let Some(buckets) = self.actions.get(action.name()) else { return Ok(()) };
        let now_ms = i64::try_from(self.since.elapsed().as_millis()).unwrap_or(i64::MAX);
        if buckets.take(owner(), now_ms, OWNERS_THROTTLED_MAX) { Ok(()) } else { Err(Error::Throttling) }
    }
}

impl Buckets {
    fn take(&self, owner: Owner, now_ms: i64, owners_max: usize) -> bool {
        let mut of_owner = self.of_owner.lock();
        if !of_owner.contains_key(&owner) && of_owner.len() >= owners_max {
            // One that is full is as good as none.
            of_owner.retain(|_, bucket| bucket.left(now_ms) < self.rate.bucket);
            if of_owner.len() >= owners_max {
                return false;
            }
        }
        let bucket = of_owner.entry(owner).or_insert_with(|| Bucket::full(self.rate, now_ms));
        let has_one = bucket.left(now_ms) > 0;
        bucket.spend(u32::from(has_one));
        has_one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_owners_have_buckets() {
        let buckets = Buckets { rate: Rate { bucket: 1, refill: 1 }, of_owner: Mutex::default() };
        let take = |region: &str, s: i64| buckets.take(Owner::new(region, "1"), s * 1_000, 2);
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
