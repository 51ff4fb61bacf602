//! From a store to a running engine, and back.
//!
//! Recovery reads the queues of open executions (timers, intents, offers, wake rows) and the registry; executions are
//! loaded when something happens to them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver},
    },
    thread::JoinHandle,
};

use parking_lot::Mutex;
use stepwell_store::{Batch, Space, Store};
use tokio::runtime::Handle;

use crate::{
    activities::{Activities, Rows},
    bounds::Bounds,
    by_hand::Witness,
    committer::{Committer, Ledger, Message},
    config::Config,
    driver::Driver,
    express::Express,
    handle::{Engine, Inner},
    inbox::{Errand, Inboxes},
    limits::SHARDS,
    logs::Logs,
    map_runs::MapRuns,
    owner::Owner,
    record::{self, RecordError, Running},
    registry::{
        Registry, RegistryError,
        rows::{self, OwnerRow, RowError},
    },
    shared::Shared,
    slow::{SlowLane, Surroundings},
    small_reads::SmallReads,
    status_changes::StatusChanges,
    stops::Stops,
    task_runner::TaskRunner,
    tasks::Tasks,
    throttle::Throttle,
    timeline::{Bell, Timeline, UnderWay},
};

/// Why an engine does not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Store(#[from] stepwell_store::Error),
    #[error(
        "the data belongs to account {stored_account} in region {stored_region}, not to account {account} in region \
         {region}: start with those, or with another data folder"
    )]
    OtherOwner { stored_account: String, stored_region: String, account: Arc<str>, region: Arc<str> },
    #[error("the data is divided into {stored} shards, this program knows {SHARDS}")]
    OtherShards { stored: u32 },
    #[error("a row of the data is damaged: {what}")]
    Damaged { what: String },
    #[error("the data has a newer format: use a newer release ({what})")]
    NewerFormat { what: String },
    #[error("at least one driver is needed")]
    NoDrivers,
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

impl From<RowError> for OpenError {
    fn from(error: RowError) -> OpenError {
        match error {
            RowError::Damaged => OpenError::Damaged { what: error.to_string() },
            RowError::NewerFormat { .. } => OpenError::NewerFormat { what: error.to_string() },
        }
    }
}

impl From<RegistryError> for OpenError {
    fn from(error: RegistryError) -> OpenError {
        match error {
            RegistryError::Store(error) => OpenError::Store(error),
            RegistryError::Row { source: RowError::NewerFormat { .. }, .. } => {
                OpenError::NewerFormat { what: error.to_string() }
            }
            RegistryError::Row { .. } | RegistryError::Missing { .. } | RegistryError::Definition { .. } => {
                OpenError::Damaged { what: error.to_string() }
            }
        }
    }
}

impl From<RecordError> for OpenError {
    fn from(error: RecordError) -> OpenError {
        match error {
            RecordError::Store(error) => OpenError::Store(error),
            RecordError::Damaged { .. } => OpenError::Damaged { what: error.to_string() },
            RecordError::NewerFormat { .. } => OpenError::NewerFormat { what: error.to_string() },
        }
    }
}

impl Engine {
    /// Takes the store over and goes on with everything that was open. Blocks while it reads.
    ///
    /// Tasks run on `runtime`, by `tasks`. One engine per store: two would overwrite each other's steps.
    pub fn open(
        store: Arc<dyn Store>,
        config: Config,
        tasks: Arc<dyn TaskRunner>,
        runtime: Handle,
    ) -> Result<Engine, OpenError> {
        Engine::open_within(store, config, tasks, runtime, Bounds::default())
    }

    /// [`Engine::open`] with other bounds of memory.
    pub fn open_within(
        store: Arc<dyn Store>,
        config: Config,
        tasks: Arc<dyn TaskRunner>,
        runtime: Handle,
        bounds: Bounds,
    ) -> Result<Engine, OpenError> {
        let Parts { inner, drivers, submissions, opening } = assemble(store, config, tasks, runtime, bounds, None)?;
        {
            let mut threads = inner.threads.lock();
            let shared = inner.shared.clone();
            let commit = move || shared.committer.run(&submissions);
            threads.committer.push(spawn("stepwell-commit".to_owned(), commit)?);
            inner.shared.slow.start().map_err(OpenError::Thread)?;
            for (number, driver) in drivers.into_iter().enumerate() {
                threads.drivers.push(spawn(format!("stepwell-driver-{number}"), move || driver.run())?);
            }
        }
        let engine = Engine(Arc::new(inner));
        engine.resume_deletions();
        drop(opening);
        Ok(engine)
    }
}

/// An engine whose threads have not begun.
pub(crate) struct Parts {
    pub(crate) inner: Inner,
    pub(crate) drivers: Vec<Driver>,
    /// What the drivers will submit.
    pub(crate) submissions: Receiver<Message>,
    /// Time stands still until it is dropped.
    pub(crate) opening: UnderWay,
}

/// Takes the store over: reads what is open and makes everything that will go on with it.
pub(crate) fn assemble(
    store: Arc<dyn Store>,
    config: Config,
    tasks: Arc<dyn TaskRunner>,
    runtime: Handle,
    bounds: Bounds,
    witness: Option<Arc<dyn Witness>>,
) -> Result<Parts, OpenError> {
    if config.drivers == 0 {
        return Err(OpenError::NoDrivers);
    }
    let owner = claim(store.as_ref(), &config)?;
    let open_executions = match store.get(Space::Meta, rows::OPEN_EXECUTIONS_KEY)? {
        Some(bytes) => rows::decode(&bytes)?,
        None => 0,
    };

    let bells: Vec<Arc<Bell>> = (0..config.drivers).map(|_| Arc::default()).collect();
    let timeline = Arc::new(Timeline::new(config.clock, bells.clone()));
    // Time stands still until everything runs.
    let opening = timeline.begin();
    let inboxes = Arc::new(Inboxes::new(&bells, timeline.clone(), &bounds));
    let rows = Rows {
        store: store.clone(),
        runtime: runtime.clone(),
        timeline: timeline.clone(),
        offers_max: bounds.waiting.max(1),
        pollers_max: config.quotas.activity_pollers,
    };
    let activities = Arc::new(Activities::new(inboxes.clone(), rows));
    let express = Express::new(tasks.clone(), bounds);
    let runner = tasks;
    let map_items = runner.map_items();
    let ledger = Arc::new(Ledger::new(open_executions, &bells));
    let (queue, submissions) = mpsc::channel();
    let stops = Stops::new(store.clone(), runner.clone(), runtime.clone(), queue.clone(), timeline.clone());
    let tasks = Tasks::new(
        &bounds,
        store.clone(),
        runner.clone(),
        runtime.clone(),
        inboxes.clone(),
        timeline.clone(),
        stops.clone(),
    );
    let surroundings =
        Arc::new(Surroundings { activities: activities.clone(), runner: runner.clone(), limits: config.quotas.limits });
    let slow = Arc::new(SlowLane::new(inboxes.clone(), surroundings.clone()));
    let registry = Registry::open(
        store.clone(),
        queue.clone(),
        timeline.clone(),
        activities.clone(),
        runner,
        owner,
        config.quotas,
    )?;
    let map_runs = Arc::new(MapRuns::new(runtime.clone(), timeline.clone(), config.quotas.open_map_runs));
    let left = record::log_marks(store.as_ref())?;
    let logs = Arc::new(Logs::new(left, bounds.log_events, queue.clone(), timeline.clone()));
    let status_changes =
        StatusChanges::new(config.announces_status, bounds.status_changes, queue.clone(), timeline.clone());
    let opened_ms = timeline.now_ms();
    let shared = Arc::new(Shared {
        store: store.clone(),
        map_items,
        small_reads: SmallReads::new(),
        opened_ms,
        timeline: timeline.clone(),
        inboxes: inboxes.clone(),
        registry,
        tasks: tasks.clone(),
        activities: activities.clone(),
        express,
        map_runs: map_runs.clone(),
        logs: logs.clone(),
        status_changes: Arc::new(status_changes),
        ledger: ledger.clone(),
        committer: Committer {
            turn: Mutex::new(()),
            store,
            ledger,
            tasks,
            stops,
            activities,
            inboxes,
            timeline,
            running: Running::default(),
            logs: logs.clone(),
            map_runs: map_runs.clone(),
        },
        queue,
        slow,
        throttle: Throttle::new(config.quotas.state_transitions, opened_ms),
        surroundings,
        stopping: AtomicBool::new(false),
        sweeping: Bell::default(),
        witness,
    });

    let drivers = bells.iter().enumerate();
    let drivers = drivers.map(|(index, bell)| Driver::open(index, bells.len(), bell.clone(), shared.clone(), bounds));
    let drivers = drivers.collect::<Result<Vec<Driver>, RecordError>>()?;
    resume_tasks(&shared)?;
    map_runs.resume(&shared)?;

    let inner = Inner { shared, runtime, threads: Mutex::default() };
    Ok(Parts { inner, drivers, submissions, opening })
}

/// The threads of an engine that are waited for. Drivers end first, since they submit to the committer. Those of the slow
/// lane end when they are done: nobody waits for an evaluation whose outcome nobody takes.
#[derive(Default)]
pub(crate) struct Threads {
    drivers: Vec<JoinHandle<()>>,
    committer: Vec<JoinHandle<()>>,
    sweeper: Vec<JoinHandle<()>>,
}

impl Threads {
    pub(crate) fn add_sweeper(&mut self, thread: JoinHandle<()>) {
        self.sweeper.push(thread);
    }
}

/// Stops taking calls, makes what was begun durable, ends all threads. Blocks; a second call waits for the first.
pub(crate) fn stop(shared: &Shared, threads: &Mutex<Threads>) {
    let mut threads = threads.lock();
    shared.stopping.store(true, Ordering::SeqCst);
    shared.timeline.freeze();
    shared.inboxes.close();
    shared.tasks.close();
    shared.committer.stops.close();
    shared.map_runs.close();
    shared.express.close();
    shared.activities.close();
    shared.status_changes.close();
    shared.sweeping.ring();
    join(&mut threads.sweeper);
    join(&mut threads.drivers);
    shared.logs.finish();
    // A receiver that has gone belongs to a thread that has ended.
    drop(shared.queue.send(Message::Stop));
    join(&mut threads.committer);
    shared.slow.close();
}

fn join(threads: &mut Vec<JoinHandle<()>>) {
    for thread in threads.drain(..) {
        if thread.join().is_err() {
            tracing::error!("a thread of the engine panicked");
        }
    }
}

fn spawn(name: String, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, OpenError> {
    std::thread::Builder::new().name(name).spawn(run).map_err(OpenError::Thread)
}

/// Writes into a new store whom it belongs to; checks it in an old one, which keeps its partition.
fn claim(store: &dyn Store, config: &Config) -> Result<Owner, OpenError> {
    let Some(bytes) = store.get(Space::Meta, rows::OWNER_KEY)? else {
        let owner = Owner::new(&config.region, &config.account);
        let mut batch = Batch::default();
        batch.put(Space::Meta, rows::OWNER_KEY, OwnerRow::encode(&owner, false));
        store.commit(batch)?;
        return Ok(owner);
    };
    let (row, partition) = OwnerRow::decode(&bytes)?;
    if row.account != *config.account || row.region != *config.region {
        return Err(OpenError::OtherOwner {
            stored_account: row.account,
            stored_region: row.region,
            account: config.account.clone(),
            region: config.region.clone(),
        });
    }
    if row.shards != SHARDS {
        return Err(OpenError::OtherShards { stored: row.shards });
    }
    Ok(Owner::within(&partition, &row.region, &row.account))
}

/// Tasks whose run had not ended are run again; tasks of activities wait for workers again.
fn resume_tasks(shared: &Shared) -> Result<(), RecordError> {
    for row in shared.activities.resume()? {
        if let Some(activity_arn) = row.activity_arn {
            shared.inboxes.post(row.execution, Errand::Orphaned { task: row.task, activity_arn });
        }
    }
    shared.tasks.resume()?;
    shared.committer.stops.resume()?;
    Ok(())
}
