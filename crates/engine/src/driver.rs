//! One thread that owns some shards: it steps their executions and hands what came of it to the committer.
//!
//! A cycle: learn what has become durable, fill a batch from what has gathered (timers that are due, letters, further
//! slices, one of each in turn), commit it. A driver that has more to do hands the batch to the committing thread and steps
//! on top of it, at most [`COMMITS_OUTSTANDING_MAX`] of them; once the store has failed it drops everything it holds and
//! ends.

mod errands;
mod pace;
mod redrive;
mod residents;
mod slices;
mod timers;
mod turn;

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use stepwell_machine::Effect;
use stepwell_store::Batch;

pub(crate) use self::turn::{BROKEN, ENDLESS, Then, broken};
use self::{
    pace::Pace,
    residents::{Resident, Residents},
    slices::Slices,
    timers::Timers,
};
use crate::{
    bounds::Bounds,
    committer::{Message, Submission},
    handle::Unavailable,
    inbox::{Envelope, Letter},
    limits::{
        COMMIT_BYTES_MAX, COMMIT_STEPS_MAX, COMMITS_OUTSTANDING_MAX, DRIVER_SLEEP_MS_MAX, NAP_MS_MAX,
        SLICES_PER_BATCH_MAX, TIMERS_READ_BELOW, TIMERS_READ_MAX,
    },
    logs::Logged,
    record::{self, ExecutionId, RecordError, Shards},
    reply::Reply,
    shared::Shared,
    timeline::{Bell, NEVER, UnderWay},
};

pub(crate) struct Driver {
    index: usize,
    shards: Shards,
    bell: Arc<Bell>,
    shared: Arc<Shared>,
    residents: Residents,
    timers: Timers,
    /// Executions that go on with a further slice, in turn.
    slices: Slices,
    /// Until then other drivers may have the next token for a state, in milliseconds since 1970; see `throttle.rs`.
    gives_way_until_ms: i64,
    open: Open,
    pace: Pace,
    /// Number of the batch that is being filled; from 1.
    number: u64,
    /// Number of the last batch that is durable.
    committed: u64,
    /// Executions whose rows are on their way out, with the batch that removes some: what the store still has of them counts no
    /// more.
    removing: HashMap<ExecutionId, u64>,
}

/// The batch that is being filled.
#[derive(Default)]
struct Open {
    batch: Batch,
    steps: usize,
    replies: Vec<Reply>,
    effects: Vec<(ExecutionId, Effect)>,
    logs: Vec<Logged>,
    opened: i64,
}

/// How a round of a driver ended.
pub(crate) enum Cycle {
    Busy,
    /// There is nothing to do; `room`: not because too many batches are on their way.
    Idle {
        room: bool,
    },
    /// The engine stops, or its store has failed.
    Ended,
}

/// A driver that panics would leave its callers waiting for ever, and has lost what it knew.
impl Drop for Driver {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shared.timeline.freeze();
            self.shared.ledger.refuse_writes(format!("driver {} panicked", self.index));
            self.shared.inboxes.of_driver(self.index).close();
        }
    }
}

impl Open {
    fn is_empty(&self) -> bool {
        self.batch.is_empty() && self.replies.is_empty() && self.effects.is_empty()
    }

    fn items(&self) -> usize {
        self.steps.max(self.replies.len())
    }

    fn is_full(&self) -> bool {
        self.items() >= COMMIT_STEPS_MAX || self.batch.bytes() >= COMMIT_BYTES_MAX / 2
    }
}

impl Driver {
    /// Reads the queues of its shards: what goes on, and what is due next.
    pub(crate) fn open(
        index: usize,
        drivers: usize,
        bell: Arc<Bell>,
        shared: Arc<Shared>,
        bounds: Bounds,
    ) -> Result<Driver, RecordError> {
        let (driver, all) = (u32::try_from(index).unwrap_or(0), u32::try_from(drivers).unwrap_or(1));
        let shards = Shards::of_driver(driver, all);
        let mut driver = Driver {
            index,
            shards,
            bell,
            residents: Residents::new(bounds.cache_bytes / drivers),
            timers: Timers::new(bounds.timers),
            slices: Slices::new(bounds.slices),
            gives_way_until_ms: 0,
            open: Open::default(),
            pace: Pace::default(),
            number: 1,
            committed: 0,
            removing: HashMap::new(),
            shared,
        };
        driver.read_timers()?;
        driver.read_slices()?;
        driver.publish();
        Ok(driver)
    }

    /// Runs until the engine stops or the store fails.
    pub(crate) fn run(mut self) {
        loop {
            self.let_gather();
            match self.cycle() {
                Cycle::Busy => {}
                Cycle::Idle { room } => self.sleep(room),
                Cycle::Ended => return,
            }
        }
    }

    /// One round: what can be done without waiting for anything.
    pub(crate) fn cycle(&mut self) -> Cycle {
        let _under_way = self.shared.timeline.begin();
        self.learn();
        if self.shared.ledger.poisoned.load(Ordering::SeqCst) {
            self.give_up();
            return Cycle::Ended;
        }
        let stopping = self.shared.stopping.load(Ordering::SeqCst);
        let room = self.outstanding() < COMMITS_OUTSTANDING_MAX;
        let busy = room && self.fill(stopping);
        if busy {
            self.submit();
        } else if stopping && self.outstanding() == 0 {
            return Cycle::Ended;
        }
        self.publish();
        if busy { Cycle::Busy } else { Cycle::Idle { room } }
    }

    fn outstanding(&self) -> usize {
        usize::try_from(self.number - 1 - self.committed).unwrap_or(usize::MAX)
    }

    fn learn(&mut self) {
        let committed = self.shared.ledger.progress[self.index].committed.load(Ordering::SeqCst);
        if committed != self.committed {
            self.committed = committed;
            let until_ms = self.shared.timeline.now_ms().saturating_add(NAP_MS_MAX);
            self.residents.settle(committed, until_ms);
            self.removing.retain(|_, batch| *batch > committed);
        }
    }

    /// Gives those who were answered together the time to call again together.
    fn let_gather(&mut self) {
        let waiting = self.shared.inboxes.of_driver(self.index).len();
        if !self.has_slice()
            && let Some(pause) = self.pace.pause(waiting)
        {
            std::thread::sleep(pause);
        }
    }

    /// False if there was nothing to do.
    fn fill(&mut self, stopping: bool) -> bool {
        let mut worked = self.make_room();
        if self.outstanding() == 0 && self.slices.wants().is_some() {
            if let Err(error) = self.read_slices() {
                tracing::error!(error = error.to_string(), "cannot read which executions go on");
            }
            worked = true;
        }
        let mut slices = self.slices.len().min(SLICES_PER_BATCH_MAX);
        while !stopping && !self.open.is_full() {
            let mut took = false;
            if let Some(id) = self.timers.due(self.shared.timeline.now_ms()) {
                self.timer(id);
                took = true;
            }
            if let Some(Envelope { letter, under_way, .. }) = self.shared.inboxes.of_driver(self.index).take() {
                match letter {
                    Letter::To(id, errand) => self.errand(id, errand, under_way),
                    Letter::Thought(thought) => self.thought(*thought),
                    Letter::Expire { execution, before_ms, to } => self.expire(execution, before_ms, to),
                    Letter::Fence(to) => self.open.replies.push(Reply::Done(to)),
                }
                took = true;
            }
            if slices > 0
                && self.has_slice()
                && let Some((id, _under_way)) = self.slices.pop()
            {
                slices -= 1;
                self.slice(id);
                self.give_way();
                took = true;
            }
            if !took {
                break;
            }
            worked = true;
        }
        if !stopping && self.timers.wants(TIMERS_READ_BELOW).is_some() {
            if let Err(error) = self.read_timers() {
                tracing::error!(error = error.to_string(), "cannot read timers");
            }
            worked = true;
        }
        worked
    }

    fn submit(&mut self) {
        if self.open.is_empty() {
            return;
        }
        self.publish();
        // With more to do, the next batch is filled while this one is on its way. By hand, commits have turns of their own.
        let alone =
            self.shared.witness.is_none() && self.outstanding() == 0 && !self.has_slice() && !self.open.is_full();
        let (began, items) = (Instant::now(), self.open.items());
        let Open { batch, steps, replies, effects, logs, opened } = std::mem::take(&mut self.open);
        let submission = Submission {
            batch,
            steps,
            replies,
            effects,
            logs,
            opened,
            from: Some((self.index, self.number)),
            under_way: self.shared.timeline.begin(),
        };
        self.number += 1;
        let queued = if alone { self.shared.committer.try_commit(submission) } else { Some(submission) };
        let Some(submission) = queued else { return self.pace.committed(began, items) };
        // The committing thread outlives the drivers; if it has gone, their callers learn that the engine is down.
        drop(self.shared.queue.send(Message::Commit(Box::new(submission))));
    }

    fn publish(&self) {
        self.shared.timeline.publish(self.index, self.next_ms());
    }

    /// When something is to be done that nobody rings for. [`NEVER`] without any.
    fn next_ms(&self) -> i64 {
        match self.slices.is_empty() {
            true => self.timers.next_ms(),
            false => self.timers.next_ms().min(self.token_ms()),
        }
    }

    /// True if an execution may have its turn now.
    fn has_slice(&self) -> bool {
        if self.slices.is_empty() {
            return false;
        }
        let (throttle, now_ms) = (&self.shared.throttle, self.shared.timeline.now_ms());
        !throttle.is_on() || (throttle.left(now_ms) > 0 && self.token_ms() <= now_ms)
    }

    /// When the next state may be run here: with the next token, or just after it.
    fn token_ms(&self) -> i64 {
        let next_ms = self.shared.throttle.next_ms();
        // One that is neither is of a clock that was set back.
        let gives_way = next_ms.checked_add(1) == Some(self.gives_way_until_ms);
        if gives_way { self.gives_way_until_ms } else { next_ms }
    }

    /// An execution has had its turn. Drivers that wait for one and the same token would else take it as chance will have it.
    fn give_way(&mut self) {
        let (throttle, drivers) = (&self.shared.throttle, self.shared.ledger.progress.len());
        if throttle.is_on() && drivers > 1 && throttle.left(self.shared.timeline.now_ms()) == 0 {
            self.gives_way_until_ms = throttle.next_ms().saturating_add(1);
        }
    }

    /// Held by an execution that waits for its turn, unless that is because others were too fast.
    fn holds_time(&self) -> Option<UnderWay> {
        (!self.shared.throttle.is_on()).then(|| self.shared.timeline.begin())
    }

    /// Until the bell, or the next timer if there is room for it.
    fn sleep(&self, room: bool) {
        let next_ms = self.next_ms();
        let timeout = (room && next_ms != NEVER).then(|| {
            let left_ms = next_ms.saturating_sub(self.shared.timeline.now_ms()).clamp(1, DRIVER_SLEEP_MS_MAX);
            Duration::from_millis(left_ms.unsigned_abs())
        });
        self.bell.wait(timeout);
    }

    /// The store has failed: nothing in memory can be trusted to be durable.
    fn give_up(&mut self) {
        self.shared.inboxes.of_driver(self.index).close();
        self.residents.clear();
        self.timers.clear();
        self.slices.clear();
        let open = std::mem::take(&mut self.open);
        open.replies.into_iter().for_each(|reply| reply.refuse(Unavailable::Down));
        self.publish();
    }

    /// Idle executions leave memory when it is full. True if that put rows into the batch.
    fn make_room(&mut self) -> bool {
        let mut wrote = false;
        for mut resident in self.residents.surplus(self.committed) {
            if !resident.beaten.is_empty() {
                self.record_heartbeats(&mut resident);
                self.residents.put(Box::new(resident));
                wrote = true;
            }
        }
        wrote
    }

    /// Reads who goes on by itself from their rows, if there is nobody in memory. All steps are durable.
    fn read_slices(&mut self) -> Result<(), RecordError> {
        let Some((after, limit)) = self.slices.wants() else { return Ok(()) };
        let rows = record::runnable(self.shared.store.as_ref(), self.shards, after, limit)?;
        let held: Vec<_> = rows.iter().map(|id| (*id, self.holds_time())).collect();
        self.slices.extend(held);
        Ok(())
    }

    /// Reads the next timers from their rows, if there are few in memory.
    fn read_timers(&mut self) -> Result<(), RecordError> {
        let Some(horizon) = self.timers.wants(TIMERS_READ_BELOW) else { return Ok(()) };
        let store = self.shared.store.as_ref();
        let rows = record::timers(store, self.shards, Some(horizon), i64::MAX, TIMERS_READ_MAX)?;
        let all = rows.len() < TIMERS_READ_MAX;
        let residents = &self.residents;
        self.timers.extend(&rows, all, |id| residents.deadline_ms(id), residents.deadlines());
        Ok(())
    }
}
