//! The runs of tasks: at most `TASK_RUNS_MAX` at a time. The others wait as ids in order, at most `WAITING_MAX` of them,
//! and beyond that as rows alone, which are read once the ids are used up.
//!
//! A run starts only after the step that asked for it is durable, and its intent stays a row until its outcome is.
//! So a crash loses no task, and may run one twice.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use stepwell_machine::{Failure, TaskId, TaskOutcome, TaskRequest};
use stepwell_store::Store;
use tokio::{runtime::Handle, task::AbortHandle};

use crate::{
    bounds::Bounds,
    inbox::{Errand, Inboxes},
    record::{self, ExecutionId, RecordError},
    task_runner::TaskRunner,
    timeline::{Timeline, UnderWay},
};

type Key = (ExecutionId, TaskId);

pub(crate) struct Tasks {
    /// Most runs at a time.
    runs_max: usize,
    /// Most ids that wait in memory.
    waiting_max: usize,
    store: Arc<dyn Store>,
    me: Weak<Tasks>,
    runner: Arc<dyn TaskRunner>,
    runtime: Handle,
    inboxes: Arc<Inboxes>,
    timeline: Arc<Timeline>,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    /// Each takes a slot; `None`: its request is being made.
    runs: HashMap<Key, Option<AbortHandle>>,
    waiting: VecDeque<Key>,
    /// There may be tasks that wait as rows alone.
    more: bool,
    /// Behind which the rows are read on; `None`: from the beginning.
    read_to: Option<Key>,
    reading: bool,
    closed: bool,
}

impl Table {
    /// Keeps the id, if there is room; otherwise its row is found later.
    fn wait(&mut self, key: Key, max: usize) {
        if self.waiting.len() < max {
            self.waiting.push_back(key);
        } else {
            self.more = true;
        }
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
    ) -> Arc<Tasks> {
        Arc::new_cyclic(|me| Tasks {
            runs_max: bounds.task_runs,
            waiting_max: bounds.waiting.max(1),
            store,
            me: me.clone(),
            runner,
            runtime,
            inboxes,
            timeline,
            table: Mutex::default(),
        })
    }

    /// After a start: the tasks that wait in rows, oldest first as far as there is room for their ids.
    pub(crate) fn resume(&self) -> Result<(), RecordError> {
        let (mut rows, more) = record::waiting(self.store.as_ref(), None, self.waiting_max, &|offer| offer.is_none())?;
        rows.sort_by_key(|row| row.since_ms);
        let mut table = self.table.lock();
        table.waiting.extend(rows.iter().map(|row| (row.execution, row.task)));
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
            if table.closed {
                return;
            }
            if table.runs.len() >= self.runs_max {
                table.wait(key, self.waiting_max);
                return;
            }
            table.runs.insert(key, None);
        }
        self.spawn(key, request);
    }

    /// Runs a task that no execution waits for: a test of a state. Takes no slot; who calls bounds how many there are.
    pub(crate) async fn run_alone(&self, request: TaskRequest) -> TaskOutcome {
        self.runner.run(request).await
    }

    /// The request that [`Errand::Run`] asked for; `None` if the task is no longer to be run.
    pub(crate) fn requested(self: &Arc<Self>, execution: ExecutionId, task: TaskId, request: Option<TaskRequest>) {
        let key = (execution, task);
        match request {
            Some(request) => {
                if self.table.lock().runs.contains_key(&key) {
                    self.spawn(key, request);
                }
            }
            None => self.cancel(execution, task),
        }
    }

    /// Nobody waits for the task any more. A run that is under way is cancelled.
    pub(crate) fn cancel(&self, execution: ExecutionId, task: TaskId) {
        let run = {
            let mut table = self.table.lock();
            let run = table.runs.remove(&(execution, task));
            if run.is_some() {
                self.fill_slots(&mut table);
            }
            run
        };
        if let Some(Some(handle)) = run {
            handle.abort();
        }
    }

    /// Cancels all runs and takes no further ones. Their intents stay.
    pub(crate) fn close(&self) {
        let runs = {
            let mut table = self.table.lock();
            table.closed = true;
            table.waiting.clear();
            std::mem::take(&mut table.runs)
        };
        runs.into_values().flatten().for_each(|handle| handle.abort());
    }

    fn fill_slots(&self, table: &mut Table) {
        while !table.closed && table.runs.len() < self.runs_max {
            let Some((execution, task)) = table.waiting.pop_front() else { return self.read_on(table) };
            // Its row may have been read while its id was here.
            if table.runs.contains_key(&(execution, task)) {
                continue;
            }
            table.runs.insert((execution, task), None);
            self.inboxes.post(execution, Errand::Run { task });
        }
    }

    /// Reads tasks that wait as rows alone, away from this thread.
    fn read_on(&self, table: &mut Table) {
        if !table.more || table.reading {
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

    /// A row of a task that runs, or whose end is on its way, is met again: it is passed over, or its execution says no.
    fn read(&self) {
        let after = self.table.lock().read_to;
        // More than can run, so that a look from the beginning finds one that does not, if there is one.
        let limit = self.waiting_max.saturating_add(self.runs_max);
        let read = record::waiting(self.store.as_ref(), after, limit, &|offer| offer.is_none());
        let mut table = self.table.lock();
        table.reading = false;
        match read {
            Ok((rows, more)) => {
                // Rows may have come in before `after` since: only one look from end to end tells that none are left.
                table.more = after.is_some() || more.is_some();
                table.read_to = more;
                let keys = rows.iter().map(|row| (row.execution, row.task));
                let waits: Vec<Key> = keys.filter(|key| !table.runs.contains_key(key)).collect();
                table.waiting.extend(waits);
                self.fill_slots(&mut table);
            }
            Err(error) => tracing::error!(error = error.to_string(), "cannot read the tasks that wait"),
        }
    }

    /// Not under the lock: where the runtime has gone, the run ends right here.
    fn spawn(self: &Arc<Self>, key: Key, request: TaskRequest) {
        let run = Run { tasks: self.clone(), key, outcome: None, _under_way: self.timeline.begin() };
        let runner = self.runner.clone();
        let handle = self.runtime.spawn(async move { run.end(runner.run(request).await) }).abort_handle();
        let mut table = self.table.lock();
        match table.runs.get_mut(&key) {
            Some(slot) => *slot = Some(handle),
            None => {
                drop(table);
                handle.abort();
            }
        }
    }

    /// True if the run was still waited for.
    fn ended(&self, key: Key) -> bool {
        let mut table = self.table.lock();
        let waited_for = table.runs.remove(&key).is_some();
        self.fill_slots(&mut table);
        waited_for
    }
}

/// One run; its end, however it comes about, gives the slot back and reports.
struct Run {
    tasks: Arc<Tasks>,
    key: Key,
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
        if !self.tasks.ended(self.key) {
            return;
        }
        let (execution, task) = self.key;
        let outcome = self.outcome.take().unwrap_or_else(|| {
            TaskOutcome::Failed(Failure::new("States.Runtime", "The run of the task ended without an outcome."))
        });
        self.tasks.inboxes.post(execution, Errand::Returned { task, outcome });
    }
}
