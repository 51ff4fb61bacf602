//! How many states all Standard executions together may run: a token bucket, which there is only where the operator
//! sets one. An execution that meets it empty is not refused but waits, as on AWS.
//!
//! Each state that is run takes a token, and one more for each retry. What comes from outside is taken and made durable
//! at once; only what an execution does next waits. Drivers that look into the bucket together may take more than there
//! is, and then owe it; who has taken the last token leaves the next one to the others. Source: Step Functions quotas, "Quotas related to state throttling" (`StateTransition`).

use parking_lot::Mutex;

use crate::{
    bucket::{Bucket, Rate},
    timeline::NEVER,
};

pub(crate) struct Throttle(Option<Mutex<Bucket>>);

impl Throttle {
    pub(crate) fn new(rate: Option<Rate>, now_ms: i64) -> Throttle {
        Throttle(rate.map(|rate| Mutex::new(Bucket::full(rate, now_ms))))
    }

    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// States that may be run now; [`u32::MAX`] where nothing is throttled.
    pub(crate) fn left(&self, now_ms: i64) -> u32 {
        self.0.as_ref().map_or(u32::MAX, |bucket| bucket.lock().left(now_ms))
    }

    /// A step has run so many states.
    pub(crate) fn spend(&self, states: u32) {
        if let Some(bucket) = &self.0 {
            bucket.lock().spend(states);
        }
    }

    /// When a state may be run; [`NEVER`]: whenever, or never.
    pub(crate) fn next_ms(&self) -> i64 {
        self.0.as_ref().map_or(NEVER, |bucket| bucket.lock().next_ms())
    }
}
