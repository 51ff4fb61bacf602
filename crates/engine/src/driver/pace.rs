//! How long a driver lets letters gather before it fills a batch.
//!
//! Callers that were answered together call again together, each after a moment of its own. A driver that went to the disk
//! for the first of them would make the others wait for the next sync, and would sync several times as often. So it
//! waits for as many letters as it last answered, at most a quarter as long as that commit took: a sleep lasts longer than it is
//! asked to. Who calls alone never waits, nor does anybody where commits are quick: there the next sync costs less than the pause.

use std::time::{Duration, Instant};

use crate::limits::{GATHER_PAUSE_MAX, GATHER_PAUSE_MIN, GATHER_RECENT_MAX};

#[derive(Default)]
pub(super) struct Pace {
    last: Option<Commit>,
}

struct Commit {
    ended: Instant,
    took: Duration,
    /// Steps or answers in it, whichever are more.
    items: usize,
}

impl Pace {
    /// A commit that began at `began` has just ended.
    pub(super) fn committed(&mut self, began: Instant, items: usize) {
        let ended = Instant::now();
        self.last = Some(Commit { ended, took: ended - began, items });
    }

    /// How long to wait for more letters when there are `waiting`; each commit is waited for once.
    pub(super) fn pause(&mut self, waiting: usize) -> Option<Duration> {
        if waiting == 0 {
            return None;
        }
        let Commit { ended, took, items } = self.last.take()?;
        let pause = (took / 4).min(GATHER_PAUSE_MAX);
        let worth = waiting < items && pause >= GATHER_PAUSE_MIN && ended.elapsed() < GATHER_RECENT_MAX;
        worth.then_some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(took: Duration, items: usize) -> Pace {
        let now = Instant::now();
        Pace { last: Some(Commit { ended: now, took, items }) }
    }

    #[test]
    fn waits_once_for_those_that_were_answered_together() {
        let took = GATHER_PAUSE_MIN * 4;
        assert_eq!(pace(took, 1).pause(1), None, "a lone caller");
        assert_eq!(pace(took, 8).pause(8), None, "all are there");
        assert_eq!(pace(took - Duration::from_micros(4), 8).pause(1), None, "a fast disk");
        assert_eq!(pace(Duration::from_secs(1), 8).pause(1), Some(GATHER_PAUSE_MAX));
        let mut pace = pace(took, 8);
        assert_eq!(pace.pause(0), None, "nothing to do");
        assert_eq!(pace.pause(1), Some(took / 4));
        assert_eq!(pace.pause(1), None);
    }

    #[test]
    fn does_not_wait_for_callers_of_long_ago() {
        let ended = Instant::now().checked_sub(GATHER_RECENT_MAX).unwrap();
        let mut pace = Pace { last: Some(Commit { ended, took: Duration::from_millis(1), items: 8 }) };
        assert_eq!(pace.pause(1), None);
    }
}
