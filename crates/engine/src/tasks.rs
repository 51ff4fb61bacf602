//! The runs of tasks: at most `TASK_RUNS_MAX` at a time, of one service a share of them. The others wait as ids in order,
//! at most `WAITING_MAX` in each lane, and beyond that as rows alone, which are read once there is room for their ids.
//!
//! A run starts only after the step that asked for it is durable, and its intent stays a row until its outcome is.
//! So a crash loses no task, and may run one twice. Jobs that were submitted are watched beside the runs: watching is
//! mostly waiting. A service that answers nothing fills its own lane, never those of others.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use stepwell_machine::{
    Failure, TaskId, TaskOutcome, TaskRequest,
    effect::{Exchange, TaskTarget},
};
use stepwell_store::Store;
use tokio::{runtime::Handle, task::AbortHandle};

use crate::{
    bounds::Bounds,
    inbox::{Errand, Inboxes},
    limits::{JOBS_WATCHED_MAX, TASK_RUNS_SERVICE_SHARE},
    record::{self, ExecutionId, RecordError},
    stops::Stops,
    task_runner::TaskRunner,
    timeline::{Timeline, UnderWay},
};

type Key = (ExecutionId, TaskId);

pub(crate) struct Tasks {
    me: Weak<Tasks>,
    store: Arc<dyn Store>,
    runner: Arc<dyn TaskRunner>,
    runtime: Handle,
    inboxes: Arc<Inboxes>,
    timeline: Arc<Timeline>,
    stops: Arc<Stops>,
    table: Mutex<Table>,
}

/// What shares a bound: the runs of one service, or all jobs that are watched.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum LaneName {
    Runs(Arc<str>),
    Jobs,
}

impl LaneName {
    fn of(request: &TaskRequest) -> LaneName {
        match &request.target {
            _ if request.submitted.is_some() => LaneName::Jobs,
            TaskTarget::LambdaFunction { .. } => LaneName::Runs("lambda".into()),
            TaskTarget::Service { service, .. } => LaneName::Runs(service.clone()),
        }
    }
}

#[derive(Default)]
struct Lane {
    running: usize,
    waiting: VecDeque<Key>,
}

struct Slot {
    /// `None`: only the task's id is known yet.
    lane: Option<LaneName>,
    /// `None`: its request is being made.
    handle: Option<AbortHandle>,
    /// It submits a job: once begun it is let end, so that the job is known and can be stopped.
    submits_job: bool,
}

struct Table {
    /// Most runs at a time, without watched jobs.
    runs_max: usize,
    runs: HashMap<Key, Slot>,
    /// How many of them are no watched jobs.
    running: usize,
    lanes: BTreeMap<LaneName, Lane>,
    /// Tasks of which only the id is known, since they were read from rows.
    unknown: VecDeque<Key>,
    /// All that wait, in lanes or unknown: what is read from rows again is passed over.
    waiting: HashSet<Key>,
    /// Most ids that wait in one lane, and that are read at once.
    waiting_max: usize,
    /// There may be tasks that wait as rows alone.
    more: bool,
    /// Behind which the rows are read on; `None`: from the beginning.
    read_to: Option<Key>,
    reading: bool,
    closed: bool,
}

impl Table {
    fn has_room(&self, lane: &LaneName) -> bool {
        let running = self.lanes.get(lane).map_or(0, |lane| lane.running);
        match lane {
            LaneName::Jobs => running < JOBS_WATCHED_MAX,
            LaneName::Runs(_) => {
                self.running < self.runs_max && running < self.runs_max.div_ceil(TASK_RUNS_SERVICE_SHARE)
            }
        }
    }

    /// Keeps the id, if there is room in its lane; otherwise its row is found later.
    fn wait(&mut self, key: Key, lane: LaneName) {
        let lane = self.lanes.entry(lane).or_default();
        if lane.waiting.len() < self.waiting_max {
            lane.waiting.push_back(key);
            self.waiting.insert(key);
        } else {
            self.more = true;
        }
    }

    /// Rows are read on once nothing that was read waits to be looked at, and no lane is full: its rows would only be met
    /// again and again.
    fn is_to_read(&self) -> bool {
        let full = |lane: &Lane| lane.waiting.len() >= self.waiting_max;
        self.more && !self.reading && !self.closed && self.unknown.is_empty() && !self.lanes.values().any(full)
    }

    /// Gives `key` a slot; the caller has looked for room.
    fn begin(&mut self, key: Key, name: Option<LaneName>) {
        if let Some(name) = &name {
            self.lanes.entry(name.clone()).or_default().running += 1;
        }
        self.running += usize::from(name != Some(LaneName::Jobs));
        self.runs.insert(key, Slot { lane: name, handle: None, submits_job: false });
    }

    fn end(&mut self, key: &Key) -> Option<Slot> {
        let slot = self.runs.remove(key)?;
        self.running -= usize::from(slot.lane != Some(LaneName::Jobs));
        if let Some(lane) = slot.lane.as_ref().and_then(|name| self.lanes.get_mut(name)) {
            lane.running -= 1;
        }
        self.lanes.retain(|_, lane| lane.running > 0 || !lane.waiting.is_empty());
        Some(slot)
    }

    /// The task that gets the next free slot: of the lane that has the fewest runs.
    fn next(&mut self) -> Option<Key> {
        if self.closed {
            return None;
        }
        let waiting = self.lanes.iter().filter(|(name, lane)| !lane.waiting.is_empty() && self.has_room(name));
        let next = waiting.min_by_key(|(_, lane)| lane.running).map(|(name, _)| name.clone());
        if let Some(name) = next {
            let key = self.lanes.get_mut(&name)?.waiting.pop_front()?;
            self.waiting.remove(&key);
            self.begin(key, Some(name));
            return Some(key);
        }
        if self.running >= self.runs_max {
            return None;
        }
        let key = self.unknown.pop_front()?;
        self.waiting.remove(&key);
        self.begin(key, None);
        Some(key)
    }
}

impl Tasks {
    pub(crate) fn new(
        bounds: &Bounds,
        store: Arc<dyn Store>,
        runner: Arc<dyn TaskRunner>,
        runtime: Handle,
        inboxes: Arc<Inboxes>,
        timeline: Arc<Timeline>,
        stops: Arc<Stops>,
    ) -> Arc<Tasks> {
        let table = Table {
            runs_max: bounds.task_runs,
            runs: HashMap::new(),
            running: 0,
            lanes: BTreeMap::new(),
            unknown: VecDeque::new(),
            waiting: HashSet::new(),
            waiting_max: bounds.waiting.max(1),
            more: false,
            read_to: None,
            reading: false,
            closed: false,
        };
        let table = Mutex::new(table);
        Arc::new_cyclic(|me| Tasks { me: me.clone(), store, runner, runtime, inboxes, timeline, stops, table })
    }

    /// After a start: the tasks that wait in rows, oldest first as far as there is room for their ids.
    pub(crate) fn resume(&self) -> Result<(), RecordError> {
        let mut table = self.table.lock();
        let (mut rows, more) = record::waiting(self.store.as_ref(), None, table.waiting_max, &|offer| offer.is_none())?;
        rows.sort_by_key(|row| row.since_ms);
        let keys = rows.iter().map(|row| (row.execution, row.task));
        table.unknown.extend(keys.clone());
        table.waiting.extend(keys);
        table.more = more.is_some();
        table.read_to = more;
        self.fill_slots(&mut table);
        Ok(())
    }

    /// Runs the task now if there is room, else later, with a request made anew.
    pub(crate) fn run(self: &Arc<Self>, execution: ExecutionId, request: TaskRequest) {
        let key = (execution, request.task);
        {
            let mut table = self.table.lock();
            // Its row may have been found first: then it runs, or waits, already.
            if table.closed || table.runs.contains_key(&key) || table.waiting.contains(&key) {
                return;
            }
            let lane = LaneName::of(&request);
            if !table.has_room(&lane) {
                table.wait(key, lane);
                return;
            }
            table.begin(key, Some(lane));
        }
        self.spawn(key, request);
    }

    /// Runs a task that no execution waits for: a test of a state. Takes no slot; who calls bounds how many there are.
    pub(crate) async fn run_alone(&self, request: TaskRequest) -> TaskOutcome {
        self.runner.run(request).await
    }

    /// As [`Tasks::run_alone`], with what an HTTP Task sent and was answered.
    pub(crate) async fn run_shown(
        &self,
        request: TaskRequest,
        reveals_secrets: bool,
    ) -> (TaskOutcome, Option<Box<Exchange>>) {
        self.runner.run_shown(request, reveals_secrets).await
    }

    /// The request that [`Errand::Run`] asked for; `None` if the task is no longer to be run.
    pub(crate) fn requested(self: &Arc<Self>, execution: ExecutionId, task: TaskId, request: Option<TaskRequest>) {
        let key = (execution, task);
        let Some(request) = request else { return self.cancel(execution, task) };
        {
            let mut table = self.table.lock();
            let Some(slot) = table.runs.get(&key) else { return };
            if slot.lane.is_none() {
                // Now it is known where it belongs.
                table.end(&key);
                let lane = LaneName::of(&request);
                let has_room = table.has_room(&lane);
                if !has_room {
                    table.wait(key, lane);
                    return self.fill_slots(&mut table);
                }
                table.begin(key, Some(lane));
            }
        }
        self.spawn(key, request);
    }

    /// Nobody waits for the task any more. A run that is under way is cancelled.
    pub(crate) fn cancel(&self, execution: ExecutionId, task: TaskId) {
        let slot = {
            let mut table = self.table.lock();
            let slot = table.end(&(execution, task));
            if slot.is_some() {
                self.fill_slots(&mut table);
            }
            slot
        };
        if let Some(Slot { handle: Some(handle), submits_job: false, .. }) = slot {
            handle.abort();
        }
    }

    /// Cancels all runs and takes no further ones. Their intents stay.
    pub(crate) fn close(&self) {
        let runs = {
            let mut table = self.table.lock();
            table.closed = true;
            table.lanes.clear();
            table.unknown.clear();
            table.waiting.clear();
            table.running = 0;
            std::mem::take(&mut table.runs)
        };
        runs.into_values().filter_map(|slot| slot.handle).for_each(|handle| handle.abort());
    }

    fn fill_slots(&self, table: &mut Table) {
        while let Some((execution, task)) = table.next() {
            self.inboxes.post(execution, Errand::Run { task });
        }
        self.read_on(table);
    }

    /// Reads tasks that wait as rows alone, away from this thread.
    fn read_on(&self, table: &mut Table) {
        if !table.is_to_read() {
            return;
        }
        let Some(tasks) = self.me.upgrade() else { return };
        table.reading = true;
        let under_way = self.timeline.begin();
        self.runtime.spawn_blocking(move || {
            tasks.read();
            drop(under_way);
        });
    }

    /// A row of a task that waits here or runs is passed over; of one whose end is on its way, its execution says no.
    fn read(&self) {
        let (after, limit) = {
            let table = self.table.lock();
            // More than can run, so that a look from the beginning finds one that does not, if there is one.
            (table.read_to, table.waiting_max.saturating_add(table.runs_max))
        };
        let read = record::waiting(self.store.as_ref(), after, limit, &|offer| offer.is_none());
        let mut table = self.table.lock();
        table.reading = false;
        match read {
            Ok((rows, more)) => {
                // Rows may have come in before `after` since: only one look from end to end tells that none are left.
                table.more = after.is_some() || more.is_some();
                table.read_to = more;
                let keys = rows.iter().map(|row| (row.execution, row.task));
                for key in keys {
                    if !table.runs.contains_key(&key) && table.waiting.insert(key) {
                        table.unknown.push_back(key);
                    }
                }
                self.fill_slots(&mut table);
            }
            Err(error) => tracing::error!(error = error.to_string(), "cannot read the tasks that wait"),
        }
    }

    /// Not under the lock: where the runtime has gone, the run ends right here.
    fn spawn(self: &Arc<Self>, key: Key, request: TaskRequest) {
        let submits_job = request.submits_job();
        let run = Run {
            tasks: self.clone(),
            key,
            submission: submits_job.then(|| Box::new(request.clone())),
            outcome: None,
            _under_way: self.timeline.begin(),
        };
        let runner = self.runner.clone();
        let handle = self.runtime.spawn(async move { run.end(runner.run(request).await) }).abort_handle();
        let mut table = self.table.lock();
        match table.runs.get_mut(&key) {
            Some(slot) => {
                slot.handle = Some(handle);
                slot.submits_job = submits_job;
            }
            None if submits_job => {}
            None => {
                drop(table);
                handle.abort();
            }
        }
    }

    /// Gives the slot back and reports. What nobody waits for any more comes back.
    fn ended(&self, key: Key, outcome: TaskOutcome) -> Option<TaskOutcome> {
        let (execution, task) = key;
        let mut table = self.table.lock();
        let unwanted = if table.runs.contains_key(&key) {
            // Before the slot is given back: whoever finds the task's row from then on asks its execution too late.
            self.inboxes.post(execution, Errand::Returned { task, outcome });
            None
        } else {
            Some(outcome)
        };
        table.end(&key);
        self.fill_slots(&mut table);
        unwanted
    }
}

/// One run; its end, however it comes about, gives the slot back and reports.
struct Run {
    tasks: Arc<Tasks>,
    key: Key,
    /// The request, of a run that submits a job.
    submission: Option<Box<TaskRequest>>,
    outcome: Option<TaskOutcome>,
    _under_way: UnderWay,
}

impl Run {
    fn end(mut self, outcome: TaskOutcome) {
        self.outcome = Some(outcome);
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let outcome = self.outcome.take().unwrap_or_else(|| {
            TaskOutcome::Failed(Failure::new("States.Runtime", "The run of the task ended without an outcome."))
        });
        if let Some(TaskOutcome::Succeeded { output }) = self.tasks.ended(self.key, outcome)
            && let Some(request) = self.submission.take()
        {
            self.tasks.stops.note_and_stop(self.key.0, TaskRequest { submitted: Some(output), ..*request });
        }
    }
}
