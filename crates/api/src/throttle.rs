//! How often each action may be called: token buckets, which are off unless the operator sets them.
//!
//! A call takes a token out of its action's bucket; one that finds none is refused. Source: Step Functions quotas,
//! "Quotas related to API action throttling".

use std::{collections::BTreeMap, time::Instant};

use parking_lot::Mutex;
use stepwell_engine::{Bucket, Rate};

use crate::{action::Action, error::Error};

/// The buckets of all actions that have one.
#[derive(Debug)]
pub struct Throttles {
    buckets: BTreeMap<&'static str, Mutex<Bucket>>,
    /// The beginning of the buckets' time.
    since: Instant,
}

impl Default for Throttles {
    /// None.
    fn default() -> Throttles {
        Throttles { buckets: BTreeMap::new(), since: Instant::now() }
    }
}

impl Throttles {
    /// By the names of actions; an error names one that there is not.
    pub fn new(rates: impl IntoIterator<Item = (String, Rate)>) -> Result<Throttles, String> {
        let mut throttles = Throttles::default();
        for (name, rate) in rates {
            let Some(action) = Action::named(&name) else { return Err(name) };
            throttles.buckets.insert(action.name(), Mutex::new(Bucket::full(rate, 0)));
        }
        Ok(throttles)
    }

    /// Takes a token for one call.
    pub(crate) fn take(&self, action: Action) -> Result<(), Error> {
        let Some(bucket) = self.buckets.get(action.name()) else { return Ok(()) };
        let mut bucket = bucket.lock();
        let now_ms = i64::try_from(self.since.elapsed().as_millis()).unwrap_or(i64::MAX);
        if bucket.left(now_ms) == 0 {
            return Err(Error::Throttling);
        }
        bucket.spend(1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
