//! The time that executions live in, and who may move it.
//!
//! Virtual time stands still while anything is under way (a call, a step, a commit, a task run) and jumps to the next
//! deadline when nothing is. Whatever is under way holds an [`UnderWay`]; the drop of the last one makes the jump.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use parking_lot::{Condvar, Mutex};
use tokio::sync::Notify;

use crate::config::Clock;

/// No deadline.
pub(crate) const NEVER: i64 = i64::MAX;

/// Wakes one thread. A ring before the wait is not lost.
#[derive(Default)]
pub(crate) struct Bell {
    rung: AtomicBool,
    lock: Mutex<()>,
    waiter: Condvar,
}

impl Bell {
    pub(crate) fn ring(&self) {
        if !self.rung.swap(true, Ordering::SeqCst) {
            let _held = self.lock.lock();
            self.waiter.notify_one();
        }
    }

    /// Sleeps until the bell is rung or `timeout` is over, if there is one.
    pub(crate) fn wait(&self, timeout: Option<Duration>) {
        let mut held = self.lock.lock();
        while !self.rung.swap(false, Ordering::SeqCst) {
            match timeout {
                Some(timeout) => {
                    if self.waiter.wait_for(&mut held, timeout).timed_out() {
                        return;
                    }
                }
                None => self.waiter.wait(&mut held),
            }
        }
    }
}

/// Clock, deadlines of all drivers, and the count of what is under way.
pub(crate) struct Timeline {
    clock: Arc<dyn Clock>,
    /// One per driver.
    bells: Vec<Arc<Bell>>,
    /// The next deadline of each driver, and last that of all Express executions, in milliseconds since 1970;
    /// [`NEVER`] without one.
    deadlines: Vec<AtomicI64>,
    /// Rung together with the bells: wakes Express executions, which have no threads.
    pub(crate) express: Notify,
    under_way: AtomicUsize,
    /// The clock refused to jump; it is not asked again.
    refused: AtomicBool,
    /// Held by the one who jumps; true once time stands still for good.
    frozen: Mutex<bool>,
}

impl Timeline {
    pub(crate) fn new(clock: Arc<dyn Clock>, bells: Vec<Arc<Bell>>) -> Timeline {
        let deadlines = (0..=bells.len()).map(|_| AtomicI64::new(NEVER)).collect();
        Timeline {
            clock,
            bells,
            deadlines,
            express: Notify::new(),
            under_way: AtomicUsize::new(0),
            refused: AtomicBool::new(false),
            frozen: Mutex::new(false),
        }
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Something begins; time stands still until what is returned is dropped.
    pub(crate) fn begin(self: &Arc<Self>) -> UnderWay {
        self.under_way.fetch_add(1, Ordering::SeqCst);
        UnderWay(self.clone())
    }

    /// Tells the next deadline of a driver. Call it while something that changes the deadline is still under way.
    pub(crate) fn publish(&self, driver: usize, deadline_ms: i64) {
        self.deadlines[driver].store(deadline_ms, Ordering::SeqCst);
    }

    /// Tells the next deadline of all Express executions; as [`Timeline::publish`].
    pub(crate) fn publish_express(&self, deadline_ms: i64) {
        self.publish(self.bells.len(), deadline_ms);
    }

    fn ring(&self) {
        self.bells.iter().for_each(|bell| bell.ring());
        self.express.notify_waiters();
    }

    /// The clock was moved, or may jump now, from outside.
    pub(crate) fn clock_changed(&self) {
        self.refused.store(false, Ordering::SeqCst);
        self.jump_if_idle();
        self.ring();
    }

    /// The engine stops, or its store has failed: what is no longer under way has not come to its end.
    pub(crate) fn freeze(&self) {
        *self.frozen.lock() = true;
    }

    fn jump_if_idle(&self) {
        let frozen = self.frozen.lock();
        if *frozen || self.under_way.load(Ordering::SeqCst) != 0 {
            return;
        }
        let next = self.deadlines.iter().map(|deadline| deadline.load(Ordering::SeqCst)).min().unwrap_or(NEVER);
        if next == NEVER {
            return;
        }
        if next <= self.now_ms() || self.clock.jump_to(next) {
            self.ring();
        } else {
            self.refused.store(true, Ordering::SeqCst);
        }
    }
}

/// Held by whatever is under way.
pub(crate) struct UnderWay(Arc<Timeline>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        let last = self.0.under_way.fetch_sub(1, Ordering::SeqCst) == 1;
        if last && !self.0.refused.load(Ordering::SeqCst) {
            self.0.jump_if_idle();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Jumping(AtomicI64);

    impl Clock for Jumping {
        fn now_ms(&self) -> i64 {
            self.0.load(Ordering::SeqCst)
        }

        fn jump_to(&self, deadline_ms: i64) -> bool {
            self.0.store(deadline_ms, Ordering::SeqCst);
            true
        }
    }

    #[test]
    fn time_jumps_to_the_nearest_deadline_when_the_last_thing_under_way_ends() {
        let bells = vec![Arc::new(Bell::default()), Arc::new(Bell::default())];
        let timeline = Arc::new(Timeline::new(Arc::new(Jumping(AtomicI64::new(0))), bells));
        let (first, second) = (timeline.begin(), timeline.begin());
        timeline.publish(0, 700);
        timeline.publish(1, 300);
        drop(first);
        assert_eq!(timeline.now_ms(), 0);
        drop(second);
        assert_eq!(timeline.now_ms(), 300);
        drop(timeline.begin());
        assert_eq!(timeline.now_ms(), 300, "the driver of the due timer comes first");
        timeline.publish(1, NEVER);
        timeline.freeze();
        drop(timeline.begin());
        assert_eq!(timeline.now_ms(), 300);
    }
}
