//! A store that fails on purpose, at a commit that is known beforehand, or hangs: for simulations of what stands above it.

use crate::{Batch, Direction, Error, RowVisitor, Space, Store, Visit};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// What becomes of the batch whose commit fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is not there after the restart: the write itself failed.
    Lost,
    /// It is there after the restart, though nobody was told: the sync failed but the data had reached the disk, or
    /// the process died between the sync and the answer.
    Kept,
}

/// Which commit fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Commits that succeed before the one that fails.
    pub after: u64,
    pub fate: Fate,
}

impl Plan {
    /// A plan that `seed` decides: one of the first `commits` commits fails (the first, if `commits` is 0).
    pub fn from_seed(seed: u64, commits: u64) -> Plan {
        let drawn = scramble(seed);
        let fate = if drawn & 1 == 0 { Fate::Lost } else { Fate::Kept };
        Plan { after: (drawn >> 1) % commits.max(1), fate }
    }
}

/// Hands everything to the store inside, until the planned commit fails. From then on it is poisoned, as the
/// embedded store would be; reads go on and show nothing of the failed batch. [`Faulty::crash`] ends this life and
/// hands out what the next one finds.
pub struct Faulty {
    inner: Arc<dyn Store>,
    plan: Option<Plan>,
    state: Mutex<State>,
    released: Condvar,
}

#[derive(Default)]
struct State {
    commits: u64,
    bytes: u64,
    held: bool,
    kept: Option<Batch>,
    poison: Option<String>,
}

impl Faulty {
    /// Without a plan, only [`Faulty::crash`] makes it fail.
    pub fn new(inner: Arc<dyn Store>, plan: Option<Plan>) -> Faulty {
        Faulty { inner, plan, state: Mutex::default(), released: Condvar::new() }
    }

    /// Commits that were acknowledged.
    pub fn commits(&self) -> u64 {
        self.lock().commits
    }

    /// Bytes of keys and values in the commits that were acknowledged, each write counted.
    pub fn bytes(&self) -> u64 {
        self.lock().bytes
    }

    /// From now on commits wait, as on a disk that hangs, until [`Faulty::release`].
    pub fn hold(&self) {
        self.lock().held = true;
    }

    pub fn release(&self) {
        self.lock().held = false;
        self.released.notify_all();
    }

    /// Ends this life of the store, as a `kill -9` would: no later commit through `self` is taken, whoever still
    /// holds it. Answers the store as a restarted process finds it, with the batch whose fate was [`Fate::Kept`].
    pub fn crash(&self) -> Result<Arc<dyn Store>, Error> {
        let mut state = self.lock();
        state.poison.get_or_insert_with(|| "the process has crashed".to_owned());
        if let Some(batch) = state.kept.take() {
            self.inner.commit(batch)?;
        }
        Ok(self.inner.clone())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code of others runs under this lock but the store inside")
    }
}

impl Store for Faulty {
    fn commit(&self, batch: Batch) -> Result<(), Error> {
        let state = self.released.wait_while(self.lock(), |state| state.held);
        let mut state = state.expect("no code of others runs under this lock but the store inside");
        if let Some(reason) = &state.poison {
            return Err(Error::Poisoned { reason: reason.clone() });
        }
        batch.check()?;
        match self.plan {
            Some(plan) if plan.after == state.commits => {
                let reason = format!("planned failure of commit {}", state.commits + 1);
                state.poison = Some(reason.clone());
                state.kept = (plan.fate == Fate::Kept).then_some(batch);
                Err(Error::Failed { reason })
            }
            _ => {
                let bytes = batch.bytes() as u64;
                self.inner.commit(batch)?;
                state.commits += 1;
                state.bytes += bytes;
                Ok(())
            }
        }
    }

    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.inner.get(space, key)
    }

    fn scan(
        &self,
        space: Space,
        from: &[u8],
        to: &[u8],
        direction: Direction,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> Visit,
    ) -> Result<(), Error> {
        self.inner.scan(space, from, to, direction, visit)
    }

    fn snapshot(&self, visit: &mut RowVisitor<'_>) -> Result<(), Error> {
        self.inner.snapshot(visit)
    }

    fn poisoned(&self) -> Option<String> {
        self.lock().poison.clone().or_else(|| self.inner.poisoned())
    }
}

/// Spreads a seed over 64 bits. Source: SplitMix64.
fn scramble(seed: u64) -> u64 {
    let mut bits = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Memory;

    fn row(value: u8) -> Batch {
        let mut batch = Batch::default();
        batch.put(Space::Meta, *b"row", [value]);
        batch
    }

    #[test]
    fn keeps_the_contract_until_it_fails() {
        crate::contract::check(|| Box::new(Faulty::new(Arc::new(Memory::new()), None)));
    }

    #[test]
    fn fails_the_planned_commit_and_every_later_one() {
        for (fate, found) in [(Fate::Lost, 2), (Fate::Kept, 3)] {
            let store = Faulty::new(Arc::new(Memory::new()), Some(Plan { after: 2, fate }));
            store.commit(row(1)).unwrap();
            store.commit(row(2)).unwrap();
            assert!(store.poisoned().is_none());
            assert!(matches!(store.commit(row(3)), Err(Error::Failed { .. })));
            assert!(matches!(store.commit(row(4)), Err(Error::Poisoned { .. })));
            assert_eq!(store.poisoned().as_deref(), Some("planned failure of commit 3"));
            assert_eq!(store.get(Space::Meta, b"row").unwrap(), Some(vec![2]), "reads go on, without the failed batch");
            assert_eq!(store.commits(), 2);

            let next = Faulty::new(store.crash().unwrap(), None);
            assert_eq!(next.get(Space::Meta, b"row").unwrap(), Some(vec![found]), "{fate:?}");
            next.commit(row(5)).unwrap();
            assert!(matches!(store.commit(row(6)), Err(Error::Poisoned { .. })), "the old life is over");
            assert_eq!(next.get(Space::Meta, b"row").unwrap(), Some(vec![5]));
        }
    }

    #[test]
    fn a_held_commit_waits_and_is_counted_with_its_bytes() {
        let store = Arc::new(Faulty::new(Arc::new(Memory::new()), None));
        store.hold();
        let (told, answer) = std::sync::mpsc::channel();
        let committing = store.clone();
        let thread = std::thread::spawn(move || told.send(committing.commit(row(1)).is_ok()));
        assert_eq!(store.get(Space::Meta, b"row").unwrap(), None, "reads go on");
        assert!(answer.try_recv().is_err());
        store.release();
        assert!(answer.recv().unwrap());
        thread.join().unwrap().unwrap();
        assert_eq!((store.commits(), store.bytes()), (1, 4));
    }

    #[test]
    fn a_crash_between_commits_ends_the_old_life_too() {
        let store = Faulty::new(Arc::new(Memory::new()), None);
        store.commit(row(1)).unwrap();
        let next = store.crash().unwrap();
        assert!(matches!(store.commit(row(2)), Err(Error::Poisoned { .. })));
        assert_eq!(next.get(Space::Meta, b"row").unwrap(), Some(vec![1]));
    }

    #[test]
    fn seeds_reach_both_fates_and_every_commit() {
        let plans: Vec<Plan> = (0..200).map(|seed| Plan::from_seed(seed, 5)).collect();
        for after in 0..5 {
            for fate in [Fate::Lost, Fate::Kept] {
                assert!(plans.contains(&Plan { after, fate }), "no seed gives {after} {fate:?}");
            }
        }
        assert_eq!(Plan::from_seed(7, 100), Plan::from_seed(7, 100));
    }
}
