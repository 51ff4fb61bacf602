//! The runs of tasks: at most `TASK_RUNS_MAX` at a time, the others wait as ids in order.
//!
//! A run starts only after the step that asked for it is durable, and its intent stays a row until its outcome is.
//! So a crash loses no task, and may run one twice.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use parking_lot::Mutex;
use stepwell_machine::{Failure, TaskId, TaskOutcome, TaskRequest};
use tokio::{runtime::Handle, task::AbortHandle};

use crate::{
    inbox::{Errand, Inboxes},
    record::ExecutionId,
    task_runner::TaskRunner,
    timeline::{Timeline, UnderWay},
};

type Key = (ExecutionId, TaskId);

pub(crate) struct Tasks {
    /// Most runs at a time.
    runs_max: usize,
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
    closed: bool,
}

impl Tasks {
    pub(crate) fn new(
        runs_max: usize,
        runner: Arc<dyn TaskRunner>,
        runtime: Handle,
        inboxes: Arc<Inboxes>,
        timeline: Arc<Timeline>,
    ) -> Tasks {
        Tasks { runs_max, runner, runtime, inboxes, timeline, table: Mutex::default() }
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
                table.waiting.push_back(key);
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

    /// Queues a task whose request is to be made from its execution.
    pub(crate) fn queue(&self, execution: ExecutionId, task: TaskId) {
        let mut table = self.table.lock();
        table.waiting.push_back((execution, task));
        self.fill_slots(&mut table);
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
            let Some((execution, task)) = table.waiting.pop_front() else { return };
            table.runs.insert((execution, task), None);
            self.inboxes.post(execution, Errand::Run { task });
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
