//! Random numbers that can be drawn again: the sequence of a turn depends on nothing but where the execution stands.

use std::cell::Cell;

use crate::{execution::FrameId, history::EventId, root::Root};

/// The random sequence of one turn of a frame (SplitMix64); its seed is derived when the first number is drawn.
///
/// However the turns of an execution are spread over steps, each draws the same numbers.
pub(crate) struct Chance {
    root: Root,
    /// The id that the next event had when the turn began.
    event: EventId,
    frame: FrameId,
    /// Retries made so far: a further attempt may begin without an event in between.
    attempt: u64,
    state: Cell<Option<u64>>,
}

/// SplitMix64's constants.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
const MIX_FIRST: u64 = 0xbf58_476d_1ce4_e5b9;
const MIX_SECOND: u64 = 0x94d0_49bb_1331_11eb;

impl Chance {
    pub(crate) fn new(root: Root, event: EventId, frame: FrameId, attempt: u64) -> Chance {
        Chance { root, event, frame, attempt, state: Cell::new(None) }
    }

    /// The next number, any as likely as another.
    pub(crate) fn draw(&self) -> u64 {
        let state = self.state.get().unwrap_or_else(|| self.seed()).wrapping_add(GAMMA);
        self.state.set(Some(state));
        mix(state)
    }

    fn seed(&self) -> u64 {
        self.root.seed(self.event) ^ mix(u64::from(self.frame.0)) ^ mix(self.attempt).rotate_left(1)
    }
}

fn mix(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_mul(MIX_FIRST);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(MIX_SECOND);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(event: EventId, frame: u32, attempt: u64) -> Vec<u64> {
        let chance = Chance::new(Root([3; 32]), event, FrameId(frame), attempt);
        (0..4).map(|_| chance.draw()).collect()
    }

    #[test]
    fn a_turn_draws_the_same_numbers_again_and_another_turn_others() {
        assert_eq!(drawn(5, 1, 0), drawn(5, 1, 0));
        let others = [drawn(6, 1, 0), drawn(5, 2, 0), drawn(5, 1, 1), drawn(5, 0, 1)];
        for other in &others {
            assert_ne!(*other, drawn(5, 1, 0));
        }
        assert_ne!(others[1], others[3]);
    }
}
