//! Map Runs: one actor each, which reads the items, starts child executions and gathers how they ended.
//!
//! What a Map Run is, its rows say (`record/map_run.rs`): counts, where reading goes on, how each child execution ended. The
//! step that begins one writes its first row and a mark; the actor begins when that is durable, and again after a
//! restart. A child execution has a name and a root that follow from the Map Run and its number, so that to start it
//! again is to find it: whatever a crash cuts off, the actor reads on from where all before has ended, and starts
//! again what has no row of its end. So nothing is written when a child is started, and one small row when it ends.
//!
//! Children are executions like any other, over all shards; when one has begun or ended, its driver tells the actor
//! after the commit. The actor's own rows go through the committer, those of many ends at a time.

mod actor;
pub(crate) mod express_arn;
mod feeder;
mod results;
mod source;

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use stepwell_expr::Payload;
use stepwell_machine::{MapRunRequest, Status, TaskId};
use tokio::{
    runtime::Handle,
    sync::{
        Semaphore,
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        oneshot::Sender,
    },
    task::AbortHandle,
};

use self::actor::Actor;
use crate::{
    handle::{MapRunError, StatusName, UpdateMapRun},
    owner::Owner,
    record::{self, ExecutionId, MapRunMark, MapRunPlace, RecordError},
    registry::Revision,
    shared::Shared,
    timeline::{Timeline, UnderWay},
};

/// What the actor of a Map Run is told.
pub(crate) enum Mail {
    Child {
        index: u64,
        items: u64,
        state: ChildState,
    },
    /// The execution no longer waits for it.
    Stop,
    /// The execution waits for it again, after so many redrives of it.
    Redriven(u64),
    /// Which of these Express child executions run, and what is known of them.
    Look {
        children: Range<u64>,
        to: Sender<BTreeMap<u64, OpenChild>>,
    },
    Update {
        update: UpdateMapRun,
        to: Sender<Result<(), MapRunError>>,
    },
}

/// An Express child execution that runs, as far as anybody may know: its end may not be durable yet.
#[derive(Clone, Debug)]
pub(crate) struct OpenChild {
    pub(crate) arn: Arc<str>,
    pub(crate) items: u64,
    pub(crate) input: Payload,
    /// Milliseconds since 1970.
    pub(crate) start_ms: i64,
}

/// What is known of a child execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChildState {
    Running,
    /// Not `Running`.
    Ended(StatusName),
}

impl ChildState {
    pub(crate) fn of(status: &Status) -> ChildState {
        match status {
            Status::Running => ChildState::Running,
            Status::Succeeded { .. } => ChildState::Ended(StatusName::Succeeded),
            Status::Failed { .. } => ChildState::Ended(StatusName::Failed),
            Status::TimedOut { .. } => ChildState::Ended(StatusName::TimedOut),
            Status::Aborted { .. } => ChildState::Ended(StatusName::Aborted),
        }
    }
}

/// What a Map Run is to do, and the revision of the state machine that it belongs to.
pub(crate) struct Order {
    pub(crate) request: MapRunRequest,
    pub(crate) revision: Revision,
    /// What the ARNs of Standard child executions begin with.
    pub(crate) child_arn_prefix: String,
}

impl Order {
    pub(crate) fn child_arn(&self, name: &str) -> Arc<str> {
        [&self.child_arn_prefix, name].concat().into()
    }
}

/// Mail, and the mark that it is under way. As much of it waits as there are children that run.
type Letter = (Mail, UnderWay);

/// The actors of an engine.
pub(crate) struct MapRuns {
    runtime: Handle,
    timeline: Arc<Timeline>,
    /// As many as may be open; further ones wait for theirs, first come, first served.
    places: Arc<Semaphore>,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    shared: Weak<Shared>,
    actors: HashMap<Arc<str>, Running>,
    closed: bool,
}

struct Running {
    mail: UnboundedSender<Letter>,
    actor: AbortHandle,
}

impl MapRuns {
    pub(crate) fn new(runtime: Handle, timeline: Arc<Timeline>, open_max: usize) -> MapRuns {
        let places = Arc::new(Semaphore::new(open_max.min(Semaphore::MAX_PERMITS)));
        MapRuns { runtime, timeline, places, table: Mutex::default() }
    }

    /// After a start: goes on with all that were not told to have ended.
    pub(crate) fn resume(&self, shared: &Arc<Shared>) -> Result<(), RecordError> {
        self.table.lock().shared = Arc::downgrade(shared);
        let marks = record::map_run_marks(shared.store.as_ref())?;
        // Of one that was redriven there may be two: the last one counts, and both go with its end.
        let mut by_place: BTreeMap<MapRunPlace, Vec<MapRunMark>> = BTreeMap::new();
        marks.into_iter().for_each(|mark| by_place.entry(mark.place).or_default().push(mark));
        for marks in by_place.into_values() {
            let Some(mark) = marks.last().copied() else { continue };
            match record::map_run(shared.store.as_ref(), mark.place)? {
                Some(row) => self.begin(marks, row.run.arn),
                None => tracing::error!(execution = %mark.place.execution, "a Map Run has a mark and no row"),
            }
        }
        Ok(())
    }

    /// Carries a Map Run out, or goes on with it after a redrive. Its mark is durable.
    pub(crate) fn run(&self, execution: ExecutionId, task: TaskId, arn: Arc<str>, redrives: u64) {
        self.begin(vec![MapRunMark { place: MapRunPlace { execution, task }, redrives }], arn);
    }

    /// `marks`: all that there are of it, the oldest first.
    fn begin(&self, marks: Vec<MapRunMark>, arn: Arc<str>) {
        let Some(redrives) = marks.last().map(|mark| mark.redrives) else { return };
        let mut table = self.table.lock();
        let Some(shared) = table.shared.upgrade().filter(|_| !table.closed) else { return };
        let under_way = self.timeline.begin();
        let mut letter = (Mail::Redriven(redrives), under_way);
        if let Some(running) = table.actors.get(&arn) {
            match running.mail.send(letter) {
                Ok(()) => return,
                Err(refused) => letter = refused.0,
            }
        }
        let (mail, letters) = unbounded_channel();
        let run = Actor::run(shared, marks, arn.clone(), letters, letter.1);
        let actor = self.runtime.spawn(run).abort_handle();
        table.actors.insert(arn, Running { mail, actor });
    }

    /// Up to `most` Map Runs of an owner that are being carried out, in the order of their ARNs.
    pub(crate) fn arns(&self, owner: &Owner, most: usize) -> Vec<Arc<str>> {
        let table = self.table.lock();
        let mut arns: Vec<Arc<str>> = table.actors.keys().filter(|arn| owner.has(arn)).cloned().collect();
        drop(table);
        arns.sort_unstable();
        arns.truncate(most);
        arns
    }

    /// False if no Map Run of this ARN is being carried out.
    pub(crate) fn tell(&self, arn: &str, mail: Mail) -> bool {
        let table = self.table.lock();
        table.actors.get(arn).is_some_and(|running| running.mail.send((mail, self.timeline.begin())).is_ok())
    }

    /// An actor that has nothing to do any more goes; false if there is mail for it.
    fn leave(&self, arn: &str, letters: &mut UnboundedReceiver<Letter>) -> bool {
        let mut table = self.table.lock();
        let nothing = letters.is_empty();
        if nothing {
            letters.close();
            table.actors.remove(arn);
        }
        nothing
    }

    /// Ends all actors; their marks stay.
    pub(crate) fn close(&self) {
        let actors = {
            let mut table = self.table.lock();
            table.closed = true;
            std::mem::take(&mut table.actors)
        };
        actors.into_values().for_each(|running| running.actor.abort());
    }
}
