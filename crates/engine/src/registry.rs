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
    rows::{ActivityRow, MachineRow, OwnerRow, RevisionRow, RowError, TagsRow},
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
    limits::{OWNERS_MAX, PAGE_MAX, PROGRAM_BYTES_PER_TEXT_BYTE, RETENTION_AT_ONCE, REVISIONS_BYTES_MAX},
    lru::Lru,
    owner::Owner,
    record::ExecutionId,
    reply::Reply,
    task_runner::TaskRunner,
    timeline::Timeline,
};

pub(crate) struct Registry {
    /// Whose everything is that nobody else is named for.
    pub(crate) owner: Owner,
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
    activities: HashMap<Arc<str>, Arc<ActivityRow>>,
    /// By owner; who has nothing is not here.
    belongings: BTreeMap<Owner, Belongings>,
    /// The last order and revision numbers that were given out.
    last_order: u64,
    last_revision: u64,
}

/// The ARNs of what one owner has, in creation order.
#[derive(Default)]
struct Belongings {
    machines: BTreeMap<u64, Arc<str>>,
    activities: BTreeMap<u64, Arc<str>>,
}

#[derive(Clone)]
struct Machine {
    owner: Owner,
    /// How keys name it.
    named: Arc<str>,
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
        owner: Owner,
        quotas: Quotas,
    ) -> Result<Registry, RegistryError> {
        let mut index = Index::default();
        let owner_of = |named: &str| {
            let damaged = || RegistryError::Row { what: named.to_owned(), source: RowError::Damaged };
            rows::owner_in_keys(&owner, named).ok_or_else(damaged)
        };
        let mut published = published::read(store.as_ref())?;
        for (named, row) in read_all::<MachineRow>(store.as_ref(), rows::MACHINE_PREFIX)? {
            index.last_order = index.last_order.max(row.order);
            let (owner, published) = (owner_of(&named)?, published.remove(&named).unwrap_or_default());
            index.insert_machine(machine_arn(&owner, &row.name), Machine::new(owner, named, row, published));
        }
        for (named, row) in read_all::<ActivityRow>(store.as_ref(), rows::ACTIVITY_PREFIX)? {
            index.last_order = index.last_order.max(row.order);
            let owner = owner_of(&named)?;
            let arn = activity_arn(&owner, &row.name);
            activities.create(arn.clone());
            index.insert_activity(owner, arn, row);
        }
        index.last_revision = last_revision(store.as_ref())?;
        Ok(Registry {
            owner,
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

    /// An account in a region; what is not given is the engine's own.
    pub(crate) fn owner_of(&self, region: Option<&str>, account: Option<&str>) -> Owner {
        let own = &self.owner;
        let (region, account) = (region.unwrap_or(own.region()), account.unwrap_or(own.account()));
        let is_own = region == &**own.region() && account == own.account();
        if is_own { own.clone() } else { Owner::new(region, account) }
    }

    /// Who has something, and the engine's own owner.
    pub(crate) fn owners(&self) -> Vec<Owner> {
        let index = self.index.read();
        let mut owners: BTreeSet<Owner> = index.belongings.keys().cloned().collect();
        owners.insert(self.owner.clone());
        owners.into_iter().collect()
    }

    /// Before something of `owner` is written for the first time: from then on, programs that know of one owner alone must not
    /// take the store for theirs.
    fn admit(&self, owner: &Owner, batch: &mut Batch) {
        let is_own = *owner == self.owner;
        if !is_own && !self.index.read().belongings.keys().any(|other| *other != self.owner) {
            batch.put(Space::Meta, rows::OWNER_KEY, OwnerRow::encode(&self.owner, true));
        }
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
        let owner = new.owner;
        let arn = machine_arn(&owner, &new.name);
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
            if !index.has_room(&owner, |of| of.machines.len() < self.quotas.state_machines) {
                return Err(CreateStateMachineError::TooMany);
            }
            (index.last_order + 1, index.last_revision + 1)
        };
        let machine = StateMachine {
            arn: arn.clone(),
            name: new.name.clone(),
            owner: owner.clone(),
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
        let named = rows::name_in_keys(&self.owner, &owner, &new.name);
        let mut batch = Batch::default();
        self.admit(&owner, &mut batch);
        batch.put(Space::Meta, rows::machine_key(&named), rows::encode(&row));
        batch.put(Space::Meta, rows::revision_key(revision), rows::encode(&RevisionRow::new(&machine)));
        if !new.tags.is_empty() {
            batch.put(Space::Meta, rows::tags_key(&arn), rows::encode(&TagsRow::new(&new.tags)));
        }
        let mut published = Published::default();
        let version = new.publish.and_then(|publish| {
            let description = publish.description;
            let edition = Edition { machine: &named, revision, description, now_ms, at_creation: true };
            published.publish(edition, self.quotas.versions, &mut batch)
        });
        self.write(batch)?;
        {
            let mut index = self.index.write();
            index.last_order = order;
            index.last_revision = revision;
            index.insert_machine(arn.clone(), Machine::new(owner, named, row, published));
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
        batch.put(Space::Meta, rows::machine_key(&entry.named), rows::encode(&row));
        batch.put(Space::Meta, rows::revision_key(revision), rows::encode(&RevisionRow::new(&next)));
        let mut published = (*entry.published).clone();
        let version_arn = match update.publish {
            None => None,
            Some(Publish { description }) => {
                let (machine, now_ms) = (&entry.named, next.updated_ms);
                let edition = Edition { machine, revision, description, now_ms, at_creation: false };
                let number = published.publish(edition, self.quotas.versions, &mut batch);
                let number = number.ok_or(UpdateStateMachineError::TooManyVersions)?;
                Some(format!("{}:{number}", update.arn).into())
            }
        };
        self.write(batch)?;
        {
            let mut index = self.index.write();
            index.last_revision = revision;
            let machine = Machine { row: Arc::new(row), published: Arc::new(published), ..entry };
            index.machines.insert(update.arn, machine);
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
            batch.put(Space::Meta, rows::machine_key(&entry.named), rows::encode(&row));
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
        batch.delete(Space::Meta, rows::machine_key(&entry.named));
        batch.delete(Space::Meta, rows::tags_key(arn));
        entry.published.remove_all(&entry.named, &mut batch);
        self.write(batch)?;
        let mut index = self.index.write();
        index.machines.remove(arn);
        index.forget(&entry.owner, |of| of.machines.remove(&entry.row.order));
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
        let machine = row.into_machine(Arc::new(program)).ok_or_else(|| row_error(RowError::Damaged))?;
        let machine = Arc::new(machine);
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

    pub(crate) fn list_machines(&self, owner: &Owner, limit: usize, after: Option<&Cursor>) -> Page<Listed> {
        let index = self.index.read();
        let Some(of) = index.of(owner) else { return Page { items: Vec::new(), next: None } };
        let listed = |arn: &Arc<str>| {
            let row = &index.machines.get(arn)?.row;
            Some(Listed {
                arn: arn.clone(),
                name: row.name.as_str().into(),
                machine_type: Some(row.machine_type.into()),
                created_ms: row.created_ms,
            })
        };
        page(&of.machines, limit, after, listed)
    }

    /// How many state machines and activities an owner has.
    pub(crate) fn counts(&self, owner: &Owner) -> (usize, usize) {
        let index = self.index.read();
        index.of(owner).map_or((0, 0), |of| (of.machines.len(), of.activities.len()))
    }

    fn entry(&self, arn: &str) -> Option<Machine> {
        self.index.read().machines.get(arn).cloned()
    }

    // Activities

    /// Idempotent by owner and name; tags of repeats are ignored.
    pub(crate) fn create_activity(
        &self,
        owner: &Owner,
        name: &str,
        encryption: &Value,
        tags: &Tags,
    ) -> Result<Activity, CreateActivityError> {
        let arn = activity_arn(owner, name);
        let _writing = self.writing.lock();
        if let Some(activity) = self.activity(&arn) {
            let same = activity.encryption == *encryption;
            return if same { Ok(activity) } else { Err(CreateActivityError::AlreadyExists { arn }) };
        }
        if !self.index.read().has_room(owner, |of| of.activities.len() < self.quotas.activities) {
            return Err(CreateActivityError::TooMany);
        }
        let row = ActivityRow {
            name: name.to_owned(),
            order: self.index.read().last_order + 1,
            created_ms: self.timeline.now_ms(),
            encryption: json::to_text(encryption),
        };
        let mut batch = Batch::default();
        self.admit(owner, &mut batch);
        let named = rows::name_in_keys(&self.owner, owner, name);
        batch.put(Space::Meta, rows::activity_key(&named), rows::encode(&row));
        if !tags.is_empty() {
            batch.put(Space::Meta, rows::tags_key(&arn), rows::encode(&TagsRow::new(tags)));
        }
        self.write(batch)?;
        let activity = row.to_activity(arn.clone());
        {
            let mut index = self.index.write();
            index.last_order = row.order;
            index.insert_activity(owner.clone(), arn.clone(), row);
        }
        self.activities.create(arn);
        Ok(activity)
    }

    /// Answers the tasks that waited for a worker of it; none if it was not there.
    pub(crate) fn delete_activity(&self, arn: &str) -> Result<Vec<(ExecutionId, TaskId)>, Unavailable> {
        let _writing = self.writing.lock();
        let Some(activity) = self.activity(arn) else { return Ok(Vec::new()) };
        let owner = Owner::of_arn(arn).unwrap_or_else(|| self.owner.clone());
        let mut batch = Batch::default();
        let named = rows::name_in_keys(&self.owner, &owner, &activity.name);
        batch.delete(Space::Meta, rows::activity_key(&named));
        batch.delete(Space::Meta, rows::tags_key(arn));
        self.write(batch)?;
        {
            let mut index = self.index.write();
            if let Some(row) = index.activities.remove(arn) {
                index.forget(&owner, |of| of.activities.remove(&row.order));
            }
        }
        Ok(self.activities.delete(arn))
    }

    pub(crate) fn activity(&self, arn: &str) -> Option<Activity> {
        self.index.read().activities.get(arn).map(|row| row.to_activity(arn.into()))
    }

    pub(crate) fn list_activities(&self, owner: &Owner, limit: usize, after: Option<&Cursor>) -> Page<Listed> {
        let index = self.index.read();
        let Some(of) = index.of(owner) else { return Page { items: Vec::new(), next: None } };
        let listed = |arn: &Arc<str>| {
            let row = index.activities.get(arn)?;
            Some(Listed {
                arn: arn.clone(),
                name: row.name.as_str().into(),
                machine_type: None,
                created_ms: row.created_ms,
            })
        };
        page(&of.activities, limit, after, listed)
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

impl Machine {
    fn new(owner: Owner, named: String, row: MachineRow, published: Published) -> Machine {
        let deleting = Arc::new(AtomicBool::new(row.deleting));
        Machine { owner, named: named.into(), row: Arc::new(row), deleting, published: Arc::new(published) }
    }
}

impl Index {
    fn of(&self, owner: &Owner) -> Option<&Belongings> {
        self.belongings.get(owner)
    }

    /// Whether an owner may get something: `fits` says it of one that has something already.
    fn has_room(&self, owner: &Owner, fits: impl FnOnce(&Belongings) -> bool) -> bool {
        self.of(owner).map_or(self.belongings.len() < OWNERS_MAX, fits)
    }

    fn insert_machine(&mut self, arn: Arc<str>, machine: Machine) {
        self.belongings.entry(machine.owner.clone()).or_default().machines.insert(machine.row.order, arn.clone());
        self.machines.insert(arn, machine);
    }

    fn insert_activity(&mut self, owner: Owner, arn: Arc<str>, row: ActivityRow) {
        self.belongings.entry(owner).or_default().activities.insert(row.order, arn.clone());
        self.activities.insert(arn, Arc::new(row));
    }

    /// Removes something from what an owner has.
    fn forget(&mut self, owner: &Owner, remove: impl FnOnce(&mut Belongings) -> Option<Arc<str>>) {
        let Some(of) = self.belongings.get_mut(owner) else { return };
        drop(remove(of));
        if of.machines.is_empty() && of.activities.is_empty() {
            self.belongings.remove(owner);
        }
    }
}

fn machine_arn(owner: &Owner, name: &str) -> Arc<str> {
    format!("{}:stateMachine:{name}", owner.arn_prefix()).into()
}

fn activity_arn(owner: &Owner, name: &str) -> Arc<str> {
    format!("{}:activity:{name}", owner.arn_prefix()).into()
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
    check(rows::OWNER_KEY, "the owner", |bytes| OwnerRow::decode(bytes).map(drop))?;
    if store.get(Space::Meta, rows::OWNER_KEY)?.is_none() {
        damage.push("the row of the owner is missing".to_owned());
    }
    // Executions and machines must find their revisions, and what there is its owner.
    let mut missing = Vec::new();
    let is_named = |name: &str| matches!(name.matches(':').count(), 0 | 2);
    for (name, _) in read_all::<ActivityRow>(store, rows::ACTIVITY_PREFIX).unwrap_or_default() {
        if !is_named(&name) {
            missing.push(format!("activity `{name}`: its key does not say whose it is"));
        }
    }
    for (name, row) in read_all::<MachineRow>(store, rows::MACHINE_PREFIX).unwrap_or_default() {
        if !is_named(&name) {
            missing.push(format!("state machine `{name}`: its key does not say whose it is"));
        }
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
