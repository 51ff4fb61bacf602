//! Every choice of a run, decided by its seed.

/// SplitMix64, and a digest of all that was rolled and noted: two runs of one seed must agree in it.
pub(crate) struct Dice {
    state: u64,
    digest: u64,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice { state: seed, digest: 0 }
    }

    /// 0 to `sides` - 1.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let rolled = scramble(self.state) % sides;
        self.note(rolled);
        rolled
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.roll(times) == 0
    }

    /// One of `count` places; `None` of none.
    pub(crate) fn place(&mut self, count: usize) -> Option<usize> {
        (count > 0).then(|| usize::try_from(self.roll(count as u64)).expect("less than count"))
    }

    /// Something that happened, which a second run must see as well.
    pub(crate) fn note(&mut self, what: u64) {
        self.digest = scramble(self.digest.rotate_left(7) ^ what);
    }

    pub(crate) fn digest(&self) -> u64 {
        self.digest
    }
}

fn scramble(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
