//! How many calls of one service are made: at once, and within a second. What is too many waits its turn.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};

use crate::limits::GATES_MAX;

/// Bounds of the calls of each service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    pub at_once_max: usize,
    pub per_second_max: u32,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace { at_once_max: crate::limits::CALLS_AT_ONCE_MAX, per_second_max: crate::limits::CALLS_PER_SECOND_MAX }
    }
}

/// One gate for each place that is called: a place that answers nothing holds up its own callers alone.
pub(crate) struct Gates {
    pace: Pace,
    gates: Mutex<BTreeMap<Box<str>, Arc<Gate>>>,
}

struct Gate {
    places: Arc<Semaphore>,
    /// When the next call may begin.
    next: Mutex<Instant>,
}

impl Gates {
    pub(crate) fn new(pace: Pace) -> Gates {
        Gates { pace, gates: Mutex::default() }
    }

    /// Waits for a place; it is given back when the answer drops.
    pub(crate) async fn enter(&self, place: &str) -> Option<OwnedSemaphorePermit> {
        let gate = self.gate(place);
        // The semaphore is never closed.
        let permit = gate.places.clone().acquire_owned().await.ok();
        let pause = gate.book(Duration::from_secs(1) / self.pace.per_second_max.max(1));
        if !pause.is_zero() {
            sleep(pause).await;
        }
        permit
    }

    fn gate(&self, place: &str) -> Arc<Gate> {
        let mut gates = self.gates.lock();
        if gates.len() >= GATES_MAX && !gates.contains_key(place) {
            // Those through which nobody goes just now are made anew when they are needed.
            gates.retain(|_, gate| Arc::strong_count(gate) > 1);
        }
        let made = || {
            let places = Arc::new(Semaphore::new(self.pace.at_once_max.clamp(1, Semaphore::MAX_PERMITS)));
            Arc::new(Gate { places, next: Mutex::new(Instant::now()) })
        };
        gates.entry(place.into()).or_insert_with(made).clone()
    }
}

impl Gate {
    /// Books the next moment for a call; how long it is until then. What was not used of the last second may be caught
    /// up on.
    fn book(&self, apart: Duration) -> Duration {
        let now = Instant::now();
        let mut next = self.next.lock();
        let earliest = now.checked_sub(Duration::from_secs(1)).unwrap_or(now);
        let mine = (*next).max(earliest);
        *next = mine + apart;
        mine.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_place_holds_up_itself_alone() {
        let gates = Gates::new(Pace { at_once_max: 1, per_second_max: 1_000_000 });
        let held = gates.enter("dead").await;
        assert!(held.is_some());
        assert!(gates.gate("dead").places.try_acquire().is_err());
        assert!(gates.enter("alive").await.is_some());
        drop(held);
        assert!(gates.gate("dead").places.try_acquire().is_ok());
    }

    #[test]
    fn calls_are_set_apart_once_a_second_is_used_up() {
        let gate = Gate { places: Arc::new(Semaphore::new(1)), next: Mutex::new(Instant::now()) };
        let waits: Vec<Duration> = (0..4).map(|_| gate.book(Duration::from_secs(10))).collect();
        assert!(waits[0].is_zero());
        assert!(waits[3] > waits[2] && waits[2] > waits[1], "{waits:?}");
    }
}
