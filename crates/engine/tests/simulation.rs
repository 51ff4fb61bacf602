//! The engine and the machine over a clock, a disk and tasks that misbehave, from a seed.
//!
//! One thread does everything, so a seed gives the same run again, down to the round in which a driver worked. A run
//! has several lives; each ends in a crash between any two rounds, often with a commit that failed. Executions wait,
//! call, spread over child executions, are answered, time out, are stopped and redriven; calls succeed, fail, or never
//! come back; the clock jumps ahead and back. After each crash and at the end `checks` must hold. `make sim` runs 10,000
//! seeds; those that fail are printed with the command that repeats them.
//!
//! Every sixteenth seed stands on the embedded store in a folder, whose journal is torn at a byte of the last commit.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "simulation/checks.rs"]
mod checks;
#[path = "simulation/dice.rs"]
mod dice;
#[path = "simulation/disk.rs"]
mod disk;
#[path = "simulation/journal.rs"]
mod journal;
#[path = "simulation/life.rs"]
mod life;
#[path = "simulation/machines.rs"]
mod machines;
#[path = "world/shelf.rs"]
mod shelf;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use stepwell_engine::{Bounds, Clock, Quotas, Rate};
use stepwell_store::{Batch, Space, memory::Memory};

use crate::{
    checks::Checks,
    dice::Dice,
    disk::{Disk, Fate},
    journal::Journal,
    life::{HeldClock, Life, World},
};

/// Lives of the engine in one run; the last one is not disturbed.
const LIVES: u64 = 5;
/// Things that happen in a life, at most.
const HAPPENINGS: u64 = 300;
/// A commit after which the disk fails, at the latest.
const COMMITS: u64 = 25;
/// In one seed of so many states are throttled, and few executions that wait for their turn fit into memory.
const THROTTLED_EVERY: u64 = 5;
/// One seed in so many stands on the embedded store.
const FOLDER_EVERY: u64 = 16;

/// A mistake that the checks must find. Shipped code has none of them: the simulation makes them itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    None,
    /// The store acknowledges a commit and forgets it.
    DropsACommit,
    /// The store keeps every other row of a commit that failed.
    HalvesACommit,
    /// The store forgets that tasks wait to be run.
    LosesIntents,
    /// The store keeps timers that were deleted: they fire again.
    KeepsTimers,
    /// The store forgets a chunk of history.
    LosesHistory,
    /// The store keeps frames that were deleted.
    KeepsFrames,
    /// The engine runs a task again whose outcome is recorded.
    RunsTwice,
}

impl Bug {
    /// The batch as a store with this bug writes it, as its commit number `commit`.
    fn changed(self, batch: Batch, commit: u64) -> Batch {
        let forgets: fn(Space, &[u8], bool) -> bool = match self {
            Bug::None | Bug::HalvesACommit | Bug::RunsTwice => return batch,
            Bug::DropsACommit if commit == 9 => return Batch::default(),
            Bug::DropsACommit => return batch,
            // The layout of keys: `record/key.rs`.
            Bug::LosesIntents => |space, key, puts| space == Space::Open && key[0] == 2 && puts,
            Bug::KeepsTimers => |space, key, puts| space == Space::Open && key[0] == 1 && !puts,
            Bug::LosesHistory => {
                |space, key, puts| space == Space::History && key[16] == 0 && key.ends_with(&[7]) && puts
            }
            Bug::KeepsFrames => |space, _, puts| space == Space::Frames && !puts,
        };
        let mut changed = Batch::default();
        for write in batch.into_writes() {
            match write.value {
                puts if forgets(write.space, &write.key, puts.is_some()) => {}
                Some(value) => changed.put(write.space, write.key, value),
                None => changed.delete(write.space, write.key),
            }
        }
        changed
    }

    /// What a store with this bug finds of a commit that failed.
    fn kept(self, batch: Batch) -> Batch {
        if self != Bug::HalvesACommit {
            return batch;
        }
        let mut half = Batch::default();
        for write in batch.into_writes().into_iter().step_by(2) {
            match write.value {
                Some(value) => half.put(write.space, write.key, value),
                None => half.delete(write.space, write.key),
            }
        }
        half
    }
}

/// What a run came to, the same for each run of its seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    digest: u64,
    executions: usize,
}

fn simulate(seed: u64, bug: Bug) -> Result<Run, String> {
    let mut dice = Dice::new(seed);
    let bounds = match dice.roll(2) {
        0 => Bounds::default(),
        _ => Bounds { cache_bytes: 20_000, timers: 5, task_runs: 3, ..Bounds::default() },
    };
    let throttled = seed.is_multiple_of(THROTTLED_EVERY);
    let bounds = if throttled { Bounds { slices: 3, ..bounds } } else { bounds };
    let state_transitions = throttled.then_some(Rate { bucket: 20, refill: 100 });
    let drivers = 1 + dice.place(3).unwrap_or(0);
    let disk = match seed % FOLDER_EVERY {
        0 => Disk::Folder(tempfile::tempdir().map_err(|error| error.to_string())?),
        _ => Disk::Memory(Arc::new(Memory::new())),
    };
    let activity_arn: Arc<str> = "arn:aws:states:us-east-1:123456789012:activity:a".into();
    let machines = machines::all(&activity_arn);
    let mut world = World {
        dice,
        runtime: life::runtime(),
        clock: Arc::new(HeldClock::new()),
        journal: Arc::new(Journal::default()),
        checks: Checks::new(&machines),
        machines,
        activity_arn,
        bounds,
        quotas: Quotas { state_transitions, ..Quotas::default() },
        drivers,
        tokens: Vec::new(),
        starts: 0,
        answered: None,
    };
    let store = disk.open(world.journal.clone(), None, Bug::None)?;
    let mut first = Life::begin(&mut world, store.clone())?;
    first.set_up();
    first.crash();
    disk.crash(store, &mut world.dice)?;
    let mut latest_ms = world.clock.now_ms();
    for life in 1..=LIVES {
        let last = life == LIVES;
        let plan = (!last && world.dice.once_in(2)).then(|| (world.dice.roll(COMMITS), fate(&mut world.dice)));
        let store = disk.open(world.journal.clone(), plan, bug)?;
        world.journal.recover(store.as_ref())?;
        world.checks.run(store.as_ref(), &world.journal)?;
        // A clock that went back while nobody ran would give beats back that were missed.
        latest_ms = latest_ms.max(world.clock.now_ms());
        world.clock.set(latest_ms);
        let mut living = Life::begin(&mut world, store.clone())?;
        let happenings = 1 + living.world.dice.roll(HAPPENINGS);
        for _ in 0..happenings {
            living.happen()?;
            latest_ms = latest_ms.max(living.world.clock.now_ms());
        }
        if last {
            living.finish()?;
            if bug == Bug::RunsTwice {
                living.run_a_task_again()?;
            }
            if living.open_executions() != 0 {
                return Err(format!("{} executions are counted as open", living.open_executions()));
            }
        }
        living.crash();
        disk.crash(store, &mut world.dice)?;
    }
    let store = disk.open(world.journal.clone(), None, bug)?;
    world.journal.recover(store.as_ref())?;
    world.checks.run(store.as_ref(), &world.journal)?;
    Ok(Run { digest: world.dice.digest(), executions: world.checks.started.len() })
}

fn fate(dice: &mut Dice) -> Fate {
    [Fate::Lost, Fate::Kept, Fate::Torn][dice.place(3).unwrap_or(0)]
}

/// Errors and panics alike.
fn run(seed: u64, bug: Bug) -> Result<Run, String> {
    match catch_unwind(AssertUnwindSafe(|| simulate(seed, bug))) {
        Ok(run) => run,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Err(format!("it panicked: {}", text.unwrap_or_default()))
        }
    }
}

/// `STEPWELL_SEED=7` runs one seed, `1-500` many; `STEPWELL_SIM_THREADS` of them at a time.
#[test]
fn seeds() {
    let asked = std::env::var("STEPWELL_SEED").unwrap_or_else(|_| "1-24".to_owned());
    let (first, last) = asked.split_once('-').unwrap_or((&asked, &asked));
    let number = |text: &str| text.parse::<u64>().expect("STEPWELL_SEED is a number, or two with a dash");
    let (first, last) = (number(first), number(last));
    let threads = std::env::var("STEPWELL_SIM_THREADS").ok().and_then(|threads| threads.parse().ok()).unwrap_or(1);
    let (next, done, executions) = (AtomicU64::new(first), AtomicU64::new(0), AtomicU64::new(0));
    let failed: Mutex<Vec<u64>> = Mutex::default();
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::SeqCst);
            // A few failures tell more than one; a thousand do not.
            if seed > last || failed.lock().unwrap().len() >= 5 {
                return;
            }
            match run(seed, Bug::None) {
                Ok(run) => _ = executions.fetch_add(run.executions as u64, Ordering::SeqCst),
                Err(why) => {
                    eprintln!(
                        "seed {seed}: {why}\n  again: STEPWELL_SEED={seed} cargo test -p stepwell-engine --test simulation seeds"
                    );
                    failed.lock().unwrap().push(seed);
                }
            }
            let done = done.fetch_add(1, Ordering::SeqCst) + 1;
            if done % 500 == 0 {
                eprintln!("{done} of {} seeds", last - first + 1);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "seeds that failed: {failed:?}");
    eprintln!("seeds {first} to {last}: {} executions", executions.into_inner());
}

#[test]
fn a_seed_gives_the_same_run_again() {
    for seed in [3, 4, 16] {
        assert_eq!(run(seed, Bug::None), run(seed, Bug::None), "seed {seed}");
    }
}

/// How often a bug is found in the first seeds, and what was said of it.
fn found(bug: Bug) -> (usize, String) {
    // Only commits that failed are halved: a rare thing.
    let seeds = if bug == Bug::HalvesACommit { 30 } else { 8 };
    let found: Vec<String> = (1..=seeds).filter_map(|seed| run(seed, bug).err()).collect();
    let first = found.first().cloned().unwrap_or_default();
    eprintln!("{bug:?}: found by {} seeds of {seeds}: {}", found.len(), first.lines().next().unwrap_or_default());
    (found.len(), found.join("\n"))
}

#[test]
fn a_lost_commit_is_found() {
    let (count, said) = found(Bug::DropsACommit);
    assert!(count >= 6 && said.contains("an acknowledged commit is lost"), "{count}: {said}");
}

#[test]
fn half_a_commit_is_found() {
    let (count, said) = found(Bug::HalvesACommit);
    assert!(count >= 2, "{count}: {said}");
}

#[test]
fn lost_intents_are_found() {
    let (count, said) = found(Bug::LosesIntents);
    assert!(count >= 6 && said.contains("the queued tasks are"), "{count}: {said}");
}

#[test]
fn timers_that_would_fire_again_are_found() {
    let (count, said) = found(Bug::KeepsTimers);
    assert!(count >= 6 && said.contains("the timers are"), "{count}: {said}");
}

#[test]
fn lost_history_is_found() {
    let (count, said) = found(Bug::LosesHistory);
    assert!(count >= 3 && said.contains("stands at place"), "{count}: {said}");
}

#[test]
fn frames_that_outlive_their_deletion_are_found() {
    let (count, said) = found(Bug::KeepsFrames);
    assert!(count >= 6 && said.contains("the record is not what its events give"), "{count}: {said}");
}

#[test]
fn a_task_that_is_run_again_is_found() {
    let (count, said) = found(Bug::RunsTwice);
    assert!(count >= 6 && said.contains("is run again though its outcome is recorded"), "{count}: {said}");
}
