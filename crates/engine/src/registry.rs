//! State machines with their immutable revisions, activities and tags.
//!
//! Small facts of each are in memory; definitions are rows, compiled when they are needed and kept within a bound.
//! Writers are serialised and committed by the committer; the memory follows only what is durable. Revisions are
//! removed only when no machine and no execution names them (`retention`). All calls that write or compile block: not for async workers.

mod published;
pub(crate) mod rows;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::{Mutex, RwLock};
use stepwell_expr::{Value, json};
use stepwell_machine::{Diagnostic, Program, Severity, TaskId, definition};
use stepwell_store::{Batch, Direction, Space, Store, prefix_end};
use tokio::sync::oneshot;

pub(crate) use self::published::Chosen;
use self::{
    published::{Edition, Published},
    rows::{ActivityRow, MachineRow, RevisionRow, RowError, TagsRow},
};
use crate::{
    activities::Activities,
    committer::{CommitQueue, Message, Submission},
    config::Quotas,
    handle::{
        Activity, CreateActivityError, CreateStateMachine, CreateStateMachineError, CreatedStateMachine, Cursor,
        Listed, Page, Publish, StateMachine, TagError, Tags, Unavailable, UpdateStateMachine, UpdateStateMachineError,
        UpdatedStateMachine,
    },
    limits::{PAGE_MAX, PROGRAM_BYTES_PER_TEXT_BYTE, RETENTION_AT_ONCE, REVISIONS_BYTES_MAX},
    lru::Lru,
    record::ExecutionId,
    reply::Reply,
    task_runner::TaskRunner,
    timeline::Timeline,
};

pub(crate) struct Registry {
    /// `arn:aws:states:REGION:ACCOUNT`
    pub(crate) arn_prefix: Arc<str>,
    store: Arc<dyn Store>,
    queue: CommitQueue,
    timeline: Arc<Timeline>,
    activities: Arc<Activities>,
    /// Says which actions there are.
    runner: Arc<dyn TaskRunner>,
    pub(crate) quotas: Quotas,
    index: RwLock<Index>,
    compiled: Mutex<Lru<u64, Arc<StateMachine>>>,
    /// Held by the one who writes.
    writing: Mutex<()>,
}

/// What is known of everything that exists, without its texts.
#[derive(Default)]
struct Index {
    /// By ARN.
    machines: HashMap<Arc<str>, Machine>,
    /// In creation order.
    machine_order: BTreeMap<u64, Arc<str>>,
    activities: HashMap<Arc<str>, Arc<ActivityRow>>,
    activity_order: BTreeMap<u64, Arc<str>>,
    /// The last order and revision numbers that were given out.
    last_order: u64,
    last_revision: u64,
}

#[derive(Clone)]
struct Machine {
    row: Arc<MachineRow>,
    deleting: Arc<AtomicBool>,
    published: Arc<Published>,
}

/// The current revision of a state machine, for a start.
#[derive(Clone)]
pub(crate) struct Revision {
    pub(crate) key: u64,
    pub(crate) machine: Arc<StateMachine>,
    /// Becomes true when the machine is deleted.
    pub(crate) deleting: Arc<AtomicBool>,
}

/// The version that a creation publishes.
const FIRST_VERSION: u64 = 1;

#[derive(Debug, thiserror::Error)]
pub(crate) enum RegistryError {
    #[error(transparent)]
    Store(#[from] stepwell_store::Error),
    #[error("the row of {what} is damaged or of a newer format: {source}")]
    Row { what: String, source: RowError },
    #[error("revision {revision} of a state machine is missing")]
    Missing { revision: u64 },
    #[error("the stored definition of {arn} does not compile")]
    Definition { arn: Arc<str> },
}

impl Registry {
    /// Reads what exists; creates the queues of all activities.
    pub(crate) fn open(
        store: Arc<dyn Store>,
        queue: CommitQueue,
        timeline: Arc<Timeline>,
        activities: Arc<Activities>,
        runner: Arc<dyn TaskRunner>,
        arn_prefix: Arc<str>,
        quotas: Quotas,
    ) -> Result<Registry, RegistryError> {
        let mut index = Index::default();
        let machine_arn = |name: &str| -> Arc<str> { format!("{arn_prefix}:stateMachine:{name}").into() };
        let mut published = published::read(store.as_ref())?;
        for (key, row) in read_all::<MachineRow>(store.as_ref(), rows::MACHINE_PREFIX)? {
            index.last_order = index.last_order.max(row.order);
            index.insert_machine(machine_arn(&key), row, published.remove(&key).unwrap_or_default());
        }
        for (key, row) in read_all::<ActivityRow>(store.as_ref(), rows::ACTIVITY_PREFIX)? {
            index.last_order = index.last_order.max(row.order);
            let arn: Arc<str> = format!("{arn_prefix}:activity:{key}").into();
            activities.create(arn.clone());
            index.insert_activity(arn, row);
        }
        index.last_revision = last_revision(store.as_ref())?;
        Ok(Registry {
            arn_prefix,
            store,
            queue,
            timeline,
            activities,
            runner,
            quotas,
            index: RwLock::new(index),
            compiled: Mutex::new(Lru::new()),
            writing: Mutex::new(()),
        })
    }

    /// Commits rows and waits for it.
    fn write(&self, batch: Batch) -> Result<(), Unavailable> {
        let (to, answer) = oneshot::channel();
        let submission = Submission::of_rows(batch, vec![Reply::Done(to)], self.timeline.begin());
        self.queue.send(Message::Commit(Box::new(submission))).map_err(|_| Unavailable::Down)?;
        answer.blocking_recv().unwrap_or(Err(Unavailable::Down))
    }

    // State machines

    /// Idempotent: compares name, type, definition, configuration and what was published, not role and tags.
    ///
    /// Source: Step Functions API, CreateStateMachine.
    pub(crate) fn create_machine(
        &self,
        new: CreateStateMachine,
    ) -> Result<CreatedStateMachine, CreateStateMachineError> {
        let program =
            self.compile(&new.definition, new.machine_type).map_err(CreateStateMachineError::InvalidDefinition)?;
        let arn: Arc<str> = format!("{}:stateMachine:{}", self.arn_prefix, new.name).into();
        let _writing = self.writing.lock();
        if let Some(machine) = self.entry(&arn) {
            if machine.deleting.load(Ordering::SeqCst) {
                return Err(CreateStateMachineError::Deleting { arn });
            }
            let now = self.revision(machine.row.revision).map_err(log_down)?;
            let same = now.machine_type == new.machine_type
                && now.definition == new.definition
                && now.logging == new.logging
                && now.tracing == new.tracing
                && now.encryption == new.encryption
                && machine.published.creation() == new.publish.as_ref().map(|publish| publish.description.as_deref());
            let version_arn = new.publish.as_ref().map(|_| format!("{arn}:{FIRST_VERSION}").into());
            let machine = (*now).clone();
            let same = same.then_some(CreatedStateMachine { machine, version_arn });
            return same.ok_or(CreateStateMachineError::AlreadyExists { arn });
        }
        let now_ms = self.timeline.now_ms();
        let (order, revision) = {
            let index = self.index.read();
            if index.machines.len() >= self.quotas.state_machines {
                return Err(CreateStateMachineError::TooMany);
            }
            (index.last_order + 1, index.last_revision + 1)
        };
        let machine = StateMachine {
            arn: arn.clone(),
            name: new.name.clone(),
            machine_type: new.machine_type,
            definition: new.definition,
            role_arn: new.role_arn,
            logging: new.logging,
            tracing: new.tracing,
            encryption: new.encryption,
            revision_id: None,
            created_ms: now_ms,
            updated_ms: now_ms,
            deleting: false,
            program: Arc::new(program),
        };
        let row = MachineRow::new(&machine, order, revision);
        let mut batch = Batch::default();
        batch.put(Space::Meta, rows::machine_key(&new.name), rows::encode(&row));
        batch.put(Space::Meta, rows::revision_key(revision), rows::encode(&RevisionRow::new(&machine)));
        if !new.tags.is_empty() {
            batch.put(Space::Meta, rows::tags_key(&arn), rows::encode(&TagsRow::new(&new.tags)));
        }
        let mut published = Published::default();
        let version = new.publish.and_then(|publish| {
            let description = publish.description;
            let edition = Edition { machine_name: &new.name, revision, description, now_ms, at_creation: true };
            published.publish(edition, self.quotas.versions, &mut batch)
        });
        self.write(batch)?;
        {
            let mut index = self.index.write();
            index.last_order = order;
            index.last_revision = revision;
            index.insert_machine(arn.clone(), row, published);
        }
        self.keep(revision, Arc::new(machine.clone()));
        Ok(CreatedStateMachine { machine, version_arn: version.map(|number| format!("{arn}:{number}").into()) })
    }

    /// A change makes a new revision with a UUID; an update that changes nothing answers the current one.
    ///
    /// Source: Step Functions API, UpdateStateMachine.
    pub(crate) fn update_machine(
        &self,
        update: UpdateStateMachine,
    ) -> Result<UpdatedStateMachine, UpdateStateMachineError> {
        let _writing = self.writing.lock();
        let Some(entry) = self.entry(&update.arn) else { return Err(UpdateStateMachineError::DoesNotExist) };
        if entry.deleting.load(Ordering::SeqCst) {
            return Err(UpdateStateMachineError::Deleting);
        }
        let now = self.revision(entry.row.revision).map_err(log_down)?;
        let mut next = (*now).clone();
        if let Some(definition) = update.definition {
            let program =
                self.compile(&definition, now.machine_type).map_err(UpdateStateMachineError::InvalidDefinition)?;
            next.program = Arc::new(program);
            next.definition = definition;
        }
        next.role_arn = update.role_arn.unwrap_or(next.role_arn);
        next.logging = update.logging.unwrap_or(next.logging);
        next.tracing = update.tracing.unwrap_or(next.tracing);
        next.encryption = update.encryption.unwrap_or(next.encryption);
        let same = next.definition == now.definition
            && next.role_arn == now.role_arn
            && next.logging == now.logging
            && next.tracing == now.tracing
            && next.encryption == now.encryption;
        if same {
            let version_arn = match update.publish {
                None => None,
                Some(Publish { description }) => {
                    let published = self.publish_current(&entry, &update.arn, description)?;
                    Some(published.ok_or(UpdateStateMachineError::TooManyVersions)?.arn)
                }
            };
            let (updated_ms, revision_id) = (now.updated_ms, now.revision_id.clone());
            return Ok(UpdatedStateMachine { updated_ms, revision_id, version_arn });
        }
        next.updated_ms = self.timeline.now_ms();
        next.revision_id = Some(uuid::Uuid::new_v4().to_string().into());
        let revision = self.index.read().last_revision + 1;
        let row = MachineRow { revision, ..(*entry.row).clone() };
        let mut batch = Batch::default();
        batch.put(Space::Meta, rows::machine_key(&next.name), rows::encode(&row));
        batch.put(Space::Meta, rows::revision_key(revision), rows::encode(&RevisionRow::new(&next)));
        let mut published = (*entry.published).clone();
        let version_arn = match update.publish {
            None => None,
            Some(Publish { description }) => {
                let machine_name = &next.name;
                let now_ms = next.updated_ms;
                let edition = Edition { machine_name, revision, description, now_ms, at_creation: false };
                let number = published.publish(edition, self.quotas.versions, &mut batch);
                let number = number.ok_or(UpdateStateMachineError::TooManyVersions)?;
                Some(format!("{}:{number}", update.arn).into())
            }
        };
        self.write(batch)?;
        {
            let mut index = self.index.write();
            index.last_revision = revision;
            let published = Arc::new(published);
            index.machines.insert(update.arn, Machine { row: Arc::new(row), deleting: entry.deleting, published });
        }
        let answer =
            UpdatedStateMachine { updated_ms: next.updated_ms, revision_id: next.revision_id.clone(), version_arn };
        self.keep(revision, Arc::new(next));
        Ok(answer)
    }

    /// Marks the machine as being deleted: nothing starts on it any more. False if it is not there.
    pub(crate) fn begin_deletion(&self, arn: &str) -> Result<bool, Unavailable> {
        let _writing = self.writing.lock();
        let Some(entry) = self.entry(arn) else { return Ok(false) };
        if !entry.row.deleting {
            let row = MachineRow { deleting: true, ..(*entry.row).clone() };
            let mut batch = Batch::default();
            batch.put(Space::Meta, rows::machine_key(&row.name), rows::encode(&row));
            self.write(batch)?;
            entry.deleting.store(true, Ordering::SeqCst);
            let machine = Machine { row: Arc::new(row), ..entry };
            self.index.write().machines.insert(arn.into(), machine);
        }
        Ok(true)
    }

    /// Forgets a machine that was being deleted. Its revisions stay, for the executions that name them.
    pub(crate) fn end_deletion(&self, arn: &str) -> Result<(), Unavailable> {
        let _writing = self.writing.lock();
        let Some(entry) = self.entry(arn) else { return Ok(()) };
        let mut batch = Batch::default();
        batch.delete(Space::Meta, rows::machine_key(&entry.row.name));
        batch.delete(Space::Meta, rows::tags_key(arn));
        entry.published.remove_all(&entry.row.name, &mut batch);
        self.write(batch)?;
        let mut index = self.index.write();
        index.machines.remove(arn);
        index.machine_order.remove(&entry.row.order);
        Ok(())
    }

    /// True of a machine that is being deleted, or has been.
    pub(crate) fn is_deleting(&self, arn: &str) -> bool {
        self.entry(arn).is_none_or(|machine| machine.deleting.load(Ordering::SeqCst))
    }

    /// Machines whose deletion a restart interrupted.
    pub(crate) fn deletions(&self) -> Vec<Arc<str>> {
        let index = self.index.read();
        index.machines.iter().filter(|(_, machine)| machine.row.deleting).map(|(arn, _)| arn.clone()).collect()
    }

    /// The current revision of a machine. `None`: it does not exist.
    pub(crate) fn current(&self, arn: &str) -> Result<Option<Revision>, RegistryError> {
        let Some(entry) = self.entry(arn) else { return Ok(None) };
        let machine = self.revision(entry.row.revision)?;
        Ok(Some(Revision { key: entry.row.revision, machine, deleting: entry.deleting }))
    }

    /// Like [`Registry::revision`], if it needs neither read nor compile.
    pub(crate) fn in_memory(&self, key: u64) -> Option<Arc<StateMachine>> {
        self.compiled.lock().get(&key).cloned()
    }

    /// A revision, current or not, of a machine that exists or existed.
    pub(crate) fn revision(&self, key: u64) -> Result<Arc<StateMachine>, RegistryError> {
        if let Some(machine) = self.compiled.lock().get(&key) {
            return Ok(machine.clone());
        }
        let bytes = self.store.get(Space::Meta, &rows::revision_key(key))?;
        let bytes = bytes.ok_or(RegistryError::Missing { revision: key })?;
        let row_error = |source| RegistryError::Row { what: format!("revision {key}"), source };
        let row: RevisionRow = rows::decode(&bytes).map_err(row_error)?;
        // What was checked when it was created is not checked again: what was accepted stays runnable.
        let program = definition::load(&row.definition, row.machine_type.into())
            .ok_or_else(|| RegistryError::Definition { arn: row.arn.as_str().into() })?;
        let machine = Arc::new(row.into_machine(Arc::new(program)));
        self.keep(key, machine.clone());
        Ok(machine)
    }

    fn compile(&self, text: &str, machine_type: definition::MachineType) -> Result<Program, Vec<Diagnostic>> {
        let definition::Compiled { program, diagnostics } = self.check(text, machine_type);
        let is_error = |diagnostic: &Diagnostic| diagnostic.severity == Severity::Error;
        program.ok_or_else(|| diagnostics.into_iter().filter(is_error).collect())
    }

    /// Compiles a definition with all that is checked at creation.
    pub(crate) fn check(&self, text: &str, machine_type: definition::MachineType) -> definition::Compiled {
        definition::compile_knowing(text, machine_type, &|service, action| self.runner.knows(service, action))
    }

    /// Compiles one state with all that is checked at creation.
    pub(crate) fn check_state(
        &self,
        text: &str,
        name: Option<&str>,
    ) -> Result<definition::Lone, definition::LoneError> {
        definition::compile_lone(text, name, &|service, action| self.runner.knows(service, action))
    }

    fn keep(&self, key: u64, machine: Arc<StateMachine>) {
        let weight = 1024 + machine.definition.len() * (1 + PROGRAM_BYTES_PER_TEXT_BYTE);
        let mut compiled = self.compiled.lock();
        compiled.insert(key, machine, weight);
        while compiled.weight() > REVISIONS_BYTES_MAX {
            let Some(oldest) = compiled.oldest().next().map(|(key, _)| *key).filter(|oldest| *oldest != key) else {
                return;
            };
            compiled.remove(&oldest);
        }
    }

    /// Revisions that no state machine is at any more, but for the last number given out, which must not come again.
    pub(crate) fn superseded(&self) -> Result<BTreeSet<u64>, RegistryError> {
        let mut found = BTreeSet::new();
        let prefix = rows::REVISION_PREFIX;
        self.store.scan(Space::Meta, prefix, &prefix_end(prefix), Direction::Forward, &mut |key, _| {
            found.extend(key[prefix.len()..].try_into().map(u64::from_be_bytes));
            std::ops::ControlFlow::Continue(())
        })?;
        let index = self.index.read();
        found.remove(&index.last_revision);
        for machine in index.machines.values() {
            found.remove(&machine.row.revision);
            for revision in machine.published.revisions() {
                found.remove(&revision);
            }
        }
        Ok(found)
    }

    /// Removes revisions that nothing names, so many at a time that no commit gets long.
    pub(crate) fn forget_revisions(&self, unused: &BTreeSet<u64>) -> Result<u64, Unavailable> {
        let unused: Vec<u64> = unused.iter().copied().collect();
        for group in unused.chunks(RETENTION_AT_ONCE) {
            let mut batch = Batch::default();
            group.iter().for_each(|revision| batch.delete(Space::Meta, rows::revision_key(*revision)));
            self.write(batch)?;
            let mut compiled = self.compiled.lock();
            group.iter().for_each(|revision| drop(compiled.remove(revision)));
        }
        Ok(unused.len() as u64)
    }

    pub(crate) fn list_machines(&self, limit: usize, after: Option<&Cursor>) -> Page<Listed> {
        let index = self.index.read();
        let listed = |arn: &Arc<str>| {
            let row = &index.machines.get(arn)?.row;
            Some(Listed {
                arn: arn.clone(),
                name: row.name.as_str().into(),
                machine_type: Some(row.machine_type.into()),
                created_ms: row.created_ms,
            })
        };
        page(&index.machine_order, limit, after, listed)
    }

    /// How many state machines and activities there are.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let index = self.index.read();
        (index.machines.len(), index.activities.len())
    }

    fn entry(&self, arn: &str) -> Option<Machine> {
        self.index.read().machines.get(arn).cloned()
    }

    // Activities

    /// Idempotent by name; tags of repeats are ignored.
    pub(crate) fn create_activity(
        &self,
        name: &str,
        encryption: &Value,
        tags: &Tags,
    ) -> Result<Activity, CreateActivityError> {
        let arn: Arc<str> = format!("{}:activity:{name}", self.arn_prefix).into();
        let _writing = self.writing.lock();
        if let Some(activity) = self.activity(&arn) {
            let same = activity.encryption == *encryption;
            return if same { Ok(activity) } else { Err(CreateActivityError::AlreadyExists { arn }) };
        }
        if self.index.read().activities.len() >= self.quotas.activities {
            return Err(CreateActivityError::TooMany);
        }
        let row = ActivityRow {
            name: name.to_owned(),
            order: self.index.read().last_order + 1,
            created_ms: self.timeline.now_ms(),
            encryption: json::to_text(encryption),
        };
        let mut batch = Batch::default();
        batch.put(Space::Meta, rows::activity_key(name), rows::encode(&row));
        if !tags.is_empty() {
            batch.put(Space::Meta, rows::tags_key(&arn), rows::encode(&TagsRow::new(tags)));
        }
        self.write(batch)?;
        let activity = row.to_activity(arn.clone());
        {
            let mut index = self.index.write();
            index.last_order = row.order;
            index.insert_activity(arn.clone(), row);
        }
        self.activities.create(arn);
        Ok(activity)
    }

    /// Answers the tasks that waited for a worker of it; none if it was not there.
    pub(crate) fn delete_activity(&self, arn: &str) -> Result<Vec<(ExecutionId, TaskId)>, Unavailable> {
        let _writing = self.writing.lock();
        let Some(activity) = self.activity(arn) else { return Ok(Vec::new()) };
        let mut batch = Batch::default();
        batch.delete(Space::Meta, rows::activity_key(&activity.name));
        batch.delete(Space::Meta, rows::tags_key(arn));
        self.write(batch)?;
        {
            let mut index = self.index.write();
            if let Some(row) = index.activities.remove(arn) {
                index.activity_order.remove(&row.order);
            }
        }
        Ok(self.activities.delete(arn))
    }

    pub(crate) fn activity(&self, arn: &str) -> Option<Activity> {
        self.index.read().activities.get(arn).map(|row| row.to_activity(arn.into()))
    }

    pub(crate) fn list_activities(&self, limit: usize, after: Option<&Cursor>) -> Page<Listed> {
        let index = self.index.read();
        let listed = |arn: &Arc<str>| {
            let row = index.activities.get(arn)?;
            Some(Listed {
                arn: arn.clone(),
                name: row.name.as_str().into(),
                machine_type: None,
                created_ms: row.created_ms,
            })
        };
        page(&index.activity_order, limit, after, listed)
    }

    // Tags

    pub(crate) fn tags(&self, arn: &str) -> Result<Tags, TagError> {
        if !self.exists(arn) {
            return Err(TagError::ResourceNotFound);
        }
        let bytes = self.store.get(Space::Meta, &rows::tags_key(arn)).map_err(log_down)?;
        let Some(bytes) = bytes else { return Ok(Tags::new()) };
        let row_error = |source| log_down(RegistryError::Row { what: format!("the tags of {arn}"), source });
        let row: TagsRow = rows::decode(&bytes).map_err(row_error)?;
        Ok(row.into_tags())
    }

    /// Changes the tags of a resource by `change`.
    pub(crate) fn change_tags(&self, arn: &str, change: impl FnOnce(&mut Tags)) -> Result<(), TagError> {
        let _writing = self.writing.lock();
        let mut tags = self.tags(arn)?;
        change(&mut tags);
        if tags.len() > self.quotas.tags {
            return Err(TagError::TooMany { most: self.quotas.tags });
        }
        let mut batch = Batch::default();
        batch.put(Space::Meta, rows::tags_key(arn), rows::encode(&TagsRow::new(&tags)));
        Ok(self.write(batch)?)
    }

    fn exists(&self, arn: &str) -> bool {
        let index = self.index.read();
        index.machines.contains_key(arn) || index.activities.contains_key(arn)
    }
}

impl Index {
    fn insert_machine(&mut self, arn: Arc<str>, row: MachineRow, published: Published) {
        self.machine_order.insert(row.order, arn.clone());
        let deleting = Arc::new(AtomicBool::new(row.deleting));
        self.machines.insert(arn, Machine { row: Arc::new(row), deleting, published: Arc::new(published) });
    }

    fn insert_activity(&mut self, arn: Arc<str>, row: ActivityRow) {
        self.activity_order.insert(row.order, arn.clone());
        self.activities.insert(arn, Arc::new(row));
    }
}

/// A page of what was created after `after`, in creation order. A cursor is the last order number of the page before.
fn page<T>(
    order: &BTreeMap<u64, Arc<str>>,
    limit: usize,
    after: Option<&Cursor>,
    item: impl Fn(&Arc<str>) -> Option<T>,
) -> Page<T> {
    let after = after.map_or(0, |cursor| cursor.number().unwrap_or(u64::MAX));
    let limit = limit.clamp(1, PAGE_MAX);
    let Some(from) = after.checked_add(1) else { return Page { items: Vec::new(), next: None } };
    let mut rest = order.range(from..);
    let mut last = after;
    let items =
        rest.by_ref().take(limit).inspect(|(order, _)| last = **order).filter_map(|(_, arn)| item(arn)).collect();
    let next = rest.next().map(|_| Cursor::of_number(last));
    Page { items, next }
}

/// For callers, a registry that cannot be read is an engine that is down; the operator learns the reason.
pub(crate) fn log_down(error: impl std::error::Error) -> Unavailable {
    tracing::error!(error = error.to_string(), "cannot read what is stored");
    Unavailable::Down
}

/// All rows whose key begins with `prefix`, with the rest of their keys.
fn read_all<T: serde::de::DeserializeOwned>(
    store: &dyn Store,
    prefix: &[u8],
) -> Result<Vec<(String, T)>, RegistryError> {
    let mut found = Vec::new();
    let mut failed = None;
    store.scan(Space::Meta, prefix, &prefix_end(prefix), Direction::Forward, &mut |key, bytes| {
        let name = String::from_utf8_lossy(&key[prefix.len()..]).into_owned();
        match rows::decode(bytes) {
            Ok(row) => {
                found.push((name, row));
                std::ops::ControlFlow::Continue(())
            }
            Err(source) => {
                failed = Some(RegistryError::Row { what: name, source });
                std::ops::ControlFlow::Break(())
            }
        }
    })?;
    failed.map_or(Ok(found), Err)
}

/// What is damaged in the rows of state machines, activities and tags, a sentence each.
pub fn examine(store: &dyn Store) -> Result<Vec<String>, stepwell_store::Error> {
    let mut damage = Vec::new();
    let mut check = |prefix: &[u8], what: &str, decodes: fn(&[u8]) -> Result<(), RowError>| {
        store.scan(Space::Meta, prefix, &prefix_end(prefix), Direction::Forward, &mut |key, bytes| {
            if let Err(error) = decodes(bytes) {
                let key = String::from_utf8_lossy(&key[prefix.len()..]);
                damage.push(format!("{what} `{}`: {error}", key.escape_default()));
            }
            std::ops::ControlFlow::Continue(())
        })
    };
    check(rows::MACHINE_PREFIX, "state machine", |bytes| rows::decode::<MachineRow>(bytes).map(drop))?;
    check(rows::REVISION_PREFIX, "revision", |bytes| rows::decode::<RevisionRow>(bytes).map(drop))?;
    check(rows::ACTIVITY_PREFIX, "activity", |bytes| rows::decode::<ActivityRow>(bytes).map(drop))?;
    check(rows::PUBLISHED_PREFIX, "what is published of", |bytes| rows::decode::<rows::PublishedRow>(bytes).map(drop))?;
    check(rows::VERSION_PREFIX, "version", |bytes| rows::decode::<rows::VersionRow>(bytes).map(drop))?;
    check(rows::ALIAS_PREFIX, "alias", |bytes| rows::decode::<rows::AliasRow>(bytes).map(drop))?;
    check(rows::TAGS_PREFIX, "the tags of", |bytes| rows::decode::<TagsRow>(bytes).map(drop))?;
    check(rows::OWNER_KEY, "the owner", |bytes| rows::decode::<rows::OwnerRow>(bytes).map(drop))?;
    if store.get(Space::Meta, rows::OWNER_KEY)?.is_none() {
        damage.push("the row of the owner is missing".to_owned());
    }
    // Executions and machines must find their revisions.
    let mut missing = Vec::new();
    for (name, row) in read_all::<MachineRow>(store, rows::MACHINE_PREFIX).unwrap_or_default() {
        if store.get(Space::Meta, &rows::revision_key(row.revision))?.is_none() {
            missing.push(format!("state machine `{name}`: its revision {} is missing", row.revision));
        }
    }
    damage.extend(missing);
    Ok(damage)
}

/// The highest revision key there is; 0 without any.
fn last_revision(store: &dyn Store) -> Result<u64, RegistryError> {
    let prefix = rows::REVISION_PREFIX;
    let mut last = 0;
    store.scan(Space::Meta, prefix, &prefix_end(prefix), Direction::Backward, &mut |key, _| {
        last = key[prefix.len()..].try_into().map_or(0, u64::from_be_bytes);
        std::ops::ControlFlow::Break(())
    })?;
    Ok(last)
}
