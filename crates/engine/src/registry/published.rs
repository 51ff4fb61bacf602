//! Versions and aliases of state machines.
//!
//! A version is a name for a revision: a number that is never given out again while the machine exists. An alias sends
//! what is started through it to one or two versions, by weight. Of each machine, all of them are in memory.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
};

use stepwell_machine::definition::MachineType;
use stepwell_store::{Batch, Space, Store};

use super::{
    Machine, Registry, RegistryError, log_down, read_all,
    rows::{self, AliasRow, CreationRow, PublishedRow, VersionRow},
};
use crate::{
    handle::{
        Alias, AliasError, CreateAlias, CreateAliasError, Cursor, DeleteVersionError, ListedVersion, Page,
        PublishVersion, PublishVersionError, PublishedVersion, Qualifier, Route, StateMachine, Unavailable,
        UpdateAlias, Version,
    },
    limits::PAGE_MAX,
};

/// What is published of one state machine.
#[derive(Clone, Default)]
pub(super) struct Published {
    row: PublishedRow,
    versions: BTreeMap<u64, Arc<VersionRow>>,
    /// By name.
    aliases: BTreeMap<Arc<str>, Arc<AliasRow>>,
}

/// What a start runs: a revision, and the qualifier through which it was chosen.
pub(crate) struct Chosen {
    pub(crate) key: u64,
    pub(crate) deleting: Arc<std::sync::atomic::AtomicBool>,
    pub(crate) qualifier: Option<Qualifier>,
}

/// A revision that is to get a version.
pub(super) struct Edition<'a> {
    /// How the machine is named in keys.
    pub(super) machine: &'a str,
    pub(super) revision: u64,
    pub(super) description: Option<Arc<str>>,
    pub(super) now_ms: i64,
    /// It is published by the call that creates the machine.
    pub(super) at_creation: bool,
}

impl Published {
    /// What its versions name.
    pub(super) fn revisions(&self) -> impl Iterator<Item = u64> {
        self.versions.values().map(|row| row.revision)
    }

    /// The version of a revision, with its number.
    fn of_revision(&self, revision: u64) -> Option<(u64, &VersionRow)> {
        self.versions.iter().find(|(_, row)| row.revision == revision).map(|(number, row)| (*number, &**row))
    }

    /// The description with which the creation of the machine published it; `None`: it did not.
    pub(super) fn creation(&self) -> Option<Option<&str>> {
        self.row.creation.as_ref().map(|creation| creation.description.as_deref())
    }

    /// Gives a revision its next version and adds the rows to `batch`. `None`: there are `versions_max` already.
    pub(super) fn publish(&mut self, edition: Edition<'_>, versions_max: usize, batch: &mut Batch) -> Option<u64> {
        if self.versions.len() >= versions_max {
            return None;
        }
        let description = edition.description.as_deref().map(str::to_owned);
        let number = self.row.last_version + 1;
        self.row.last_version = number;
        if edition.at_creation {
            self.row.creation = Some(CreationRow { description: description.clone() });
        }
        let row = VersionRow { revision: edition.revision, description, created_ms: edition.now_ms };
        batch.put(Space::Meta, rows::published_key(edition.machine), rows::encode(&self.row));
        batch.put(Space::Meta, rows::version_key(edition.machine, number), rows::encode(&row));
        self.versions.insert(number, Arc::new(row));
        Some(number)
    }

    /// Removes all rows: the machine, so named in keys, has gone.
    pub(super) fn remove_all(&self, machine: &str, batch: &mut Batch) {
        batch.delete(Space::Meta, rows::published_key(machine));
        self.versions.keys().for_each(|number| batch.delete(Space::Meta, rows::version_key(machine, *number)));
        self.aliases.keys().for_each(|alias| batch.delete(Space::Meta, rows::alias_key(machine, alias)));
    }

    fn referenced_by(&self, version: u64) -> Vec<Arc<str>> {
        let routed = |alias: &AliasRow| alias.routes.iter().any(|route| route.version == version);
        let mut aliases: Vec<_> = self.aliases.iter().filter(|(_, alias)| routed(alias)).collect();
        aliases.sort_by_key(|(_, alias)| alias.order);
        aliases.into_iter().map(|(name, _)| name.clone()).collect()
    }

    fn has_all(&self, routes: &[Route]) -> bool {
        routes.iter().all(|route| self.versions.contains_key(&route.version))
    }
}

/// What is published of every machine, by how keys name it.
pub(super) fn read(store: &dyn Store) -> Result<BTreeMap<String, Published>, RegistryError> {
    let mut all: BTreeMap<String, Published> = BTreeMap::new();
    for (name, row) in read_all::<PublishedRow>(store, rows::PUBLISHED_PREFIX)? {
        all.entry(name).or_default().row = row;
    }
    for (key, row) in read_all::<VersionRow>(store, rows::VERSION_PREFIX)? {
        let Some((name, number)) = key.rsplit_once('/').and_then(|(name, number)| Some((name, number.parse().ok()?)))
        else {
            continue;
        };
        all.entry(name.to_owned()).or_default().versions.insert(number, Arc::new(row));
    }
    for (key, row) in read_all::<AliasRow>(store, rows::ALIAS_PREFIX)? {
        let Some((name, alias)) = key.rsplit_once('/') else { continue };
        all.entry(name.to_owned()).or_default().aliases.insert(alias.into(), Arc::new(row));
    }
    Ok(all)
}

impl Registry {
    /// What a start through this ARN runs: of a machine its current revision, of an alias one of its versions, drawn
    /// by weight. `None`: there is no such machine, version or alias.
    pub(crate) fn choose(&self, arn: &str) -> Option<Chosen> {
        let (machine_arn, qualifier) = split(arn);
        let Machine { row, deleting, published, .. } = self.entry(machine_arn)?;
        let Some(qualifier) = qualifier else {
            return Some(Chosen { key: row.revision, deleting, qualifier: None });
        };
        let (version, alias) = match version_number(qualifier) {
            Some(version) => (version, None),
            None => {
                let (name, alias) = published.aliases.get_key_value(qualifier)?;
                (drawn(&alias.routes, draw()), Some(name.clone()))
            }
        };
        let key = published.versions.get(&version)?.revision;
        Some(Chosen { key, deleting, qualifier: Some(Qualifier { version, alias }) })
    }

    /// The type of what a plain or qualified ARN names. `None`: there is no such machine, version or alias.
    pub(crate) fn machine_type(&self, arn: &str) -> Option<MachineType> {
        let (machine_arn, qualifier) = split(arn);
        let Machine { row, published, .. } = self.entry(machine_arn)?;
        let exists = match qualifier.map(|qualifier| (version_number(qualifier), qualifier)) {
            None => true,
            Some((Some(version), _)) => published.versions.contains_key(&version),
            Some((None, alias)) => published.aliases.contains_key(alias),
        };
        exists.then(|| row.machine_type.into())
    }

    /// Idempotent: a revision has one version at most, and publishing it again answers that.
    ///
    /// Source: Step Functions API, PublishStateMachineVersion.
    pub(crate) fn publish(&self, asked: PublishVersion) -> Result<PublishedVersion, PublishVersionError> {
        let _writing = self.writing.lock();
        let entry = self.entry(&asked.state_machine_arn).ok_or(PublishVersionError::DoesNotExist)?;
        if entry.deleting.load(Ordering::SeqCst) {
            return Err(PublishVersionError::Deleting);
        }
        let machine = self.revision(entry.row.revision).map_err(log_down)?;
        let current = machine.revision_id.as_deref().unwrap_or(FIRST_REVISION);
        if asked.revision_id.as_deref().is_some_and(|given| given != current) {
            return Err(PublishVersionError::OtherRevision { current: current.into() });
        }
        let published = self.publish_current(&entry, &asked.state_machine_arn, asked.description)?;
        published.ok_or(PublishVersionError::TooMany)
    }

    /// The version of the current revision, made unless it is there. `None`: there are too many already.
    ///
    /// Only for who holds `writing`.
    pub(super) fn publish_current(
        &self,
        entry: &Machine,
        machine_arn: &str,
        description: Option<Arc<str>>,
    ) -> Result<Option<PublishedVersion>, Unavailable> {
        let revision = entry.row.revision;
        let version = |number: u64, created_ms: i64| {
            Some(PublishedVersion { arn: format!("{machine_arn}:{number}").into(), created_ms })
        };
        if let Some((number, row)) = entry.published.of_revision(revision) {
            return Ok(version(number, row.created_ms));
        }
        let now_ms = self.timeline.now_ms();
        let mut published = (*entry.published).clone();
        let mut batch = Batch::default();
        let edition = Edition { machine: &entry.named, revision, description, now_ms, at_creation: false };
        let Some(number) = published.publish(edition, self.quotas.versions, &mut batch) else { return Ok(None) };
        self.write(batch)?;
        self.keep_published(machine_arn, published);
        Ok(version(number, now_ms))
    }

    /// Also true for a version that is not there. What runs on it goes on.
    pub(crate) fn delete_version(&self, machine_arn: &str, version: u64) -> Result<(), DeleteVersionError> {
        let _writing = self.writing.lock();
        let Some(entry) = self.entry(machine_arn) else { return Ok(()) };
        if !entry.published.versions.contains_key(&version) {
            return Ok(());
        }
        let aliases = entry.published.referenced_by(version);
        if !aliases.is_empty() {
            return Err(DeleteVersionError::Referenced { aliases });
        }
        let mut published = (*entry.published).clone();
        published.versions.remove(&version);
        let mut batch = Batch::default();
        batch.delete(Space::Meta, rows::version_key(&entry.named, version));
        self.write(batch)?;
        self.keep_published(machine_arn, published);
        Ok(())
    }

    /// A version with the revision that it names.
    pub(crate) fn version(&self, machine_arn: &str, version: u64) -> Result<Option<Version>, RegistryError> {
        let Some(entry) = self.entry(machine_arn) else { return Ok(None) };
        let Some(row) = entry.published.versions.get(&version) else { return Ok(None) };
        let machine = self.revision(row.revision)?;
        let deleting = entry.deleting.load(Ordering::SeqCst);
        Ok(Some(Version {
            machine: StateMachine { deleting, ..(*machine).clone() },
            description: row.description.as_deref().map(Into::into),
            created_ms: row.created_ms,
        }))
    }

    /// Newest first. `None`: there is no such machine.
    pub(crate) fn list_versions(
        &self,
        machine_arn: &str,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Option<Page<ListedVersion>> {
        let published = self.entry(machine_arn)?.published;
        let before = after.map_or(u64::MAX, |cursor| cursor.number().unwrap_or(0));
        let mut rest = published.versions.range(..before).rev();
        let items: Vec<(u64, ListedVersion)> = rest
            .by_ref()
            .take(limit.clamp(1, PAGE_MAX))
            .map(|(number, row)| {
                let arn = format!("{machine_arn}:{number}").into();
                (*number, ListedVersion { arn, created_ms: row.created_ms })
            })
            .collect();
        let next = items.last().filter(|_| rest.next().is_some()).map(|(number, _)| Cursor::of_number(*number));
        Some(Page { items: items.into_iter().map(|(_, listed)| listed).collect(), next })
    }

    /// Idempotent by everything that is asked.
    ///
    /// Source: Step Functions API, CreateStateMachineAlias.
    pub(crate) fn create_alias(&self, asked: CreateAlias) -> Result<Alias, CreateAliasError> {
        let _writing = self.writing.lock();
        let entry = self.entry(&asked.state_machine_arn).ok_or(CreateAliasError::ResourceNotFound)?;
        if entry.deleting.load(Ordering::SeqCst) {
            return Err(CreateAliasError::Deleting);
        }
        if let Some(row) = entry.published.aliases.get(&asked.name) {
            let alias = to_alias(&asked.state_machine_arn, &asked.name, row);
            let same = alias.description == asked.description && alias.routes == asked.routes;
            return if same { Ok(alias) } else { Err(CreateAliasError::Conflict) };
        }
        if !entry.published.has_all(&asked.routes) {
            return Err(CreateAliasError::ResourceNotFound);
        }
        if entry.published.aliases.len() >= self.quotas.aliases {
            return Err(CreateAliasError::TooMany);
        }
        let now_ms = self.timeline.now_ms();
        let mut published = (*entry.published).clone();
        published.row.last_alias += 1;
        let row = AliasRow {
            order: published.row.last_alias,
            description: asked.description.as_deref().map(str::to_owned),
            routes: asked.routes.iter().map(Into::into).collect(),
            created_ms: now_ms,
            updated_ms: now_ms,
        };
        let mut batch = Batch::default();
        batch.put(Space::Meta, rows::published_key(&entry.named), rows::encode(&published.row));
        batch.put(Space::Meta, rows::alias_key(&entry.named, &asked.name), rows::encode(&row));
        self.write(batch)?;
        let alias = to_alias(&asked.state_machine_arn, &asked.name, &row);
        published.aliases.insert(asked.name, Arc::new(row));
        self.keep_published(&asked.state_machine_arn, published);
        Ok(alias)
    }

    /// Answers the date of the update.
    pub(crate) fn update_alias(&self, asked: UpdateAlias) -> Result<i64, AliasError> {
        let _writing = self.writing.lock();
        let entry = self.entry(&asked.state_machine_arn).ok_or(AliasError::ResourceNotFound)?;
        if entry.deleting.load(Ordering::SeqCst) {
            return Err(AliasError::Deleting);
        }
        let now = entry.published.aliases.get(&asked.name).ok_or(AliasError::ResourceNotFound)?;
        let mut row = (**now).clone();
        if let Some(routes) = &asked.routes {
            if !entry.published.has_all(routes) {
                return Err(AliasError::ResourceNotFound);
            }
            row.routes = routes.iter().map(Into::into).collect();
        }
        if let Some(description) = &asked.description {
            row.description = Some(description.to_string());
        }
        // What changes nothing is no update. Source: API reference, UpdateStateMachineAlias ("idempotent").
        if row == **now {
            return Ok(row.updated_ms);
        }
        row.updated_ms = self.timeline.now_ms();
        let updated_ms = row.updated_ms;
        let mut batch = Batch::default();
        batch.put(Space::Meta, rows::alias_key(&entry.named, &asked.name), rows::encode(&row));
        self.write(batch)?;
        let mut published = (*entry.published).clone();
        published.aliases.insert(asked.name, Arc::new(row));
        self.keep_published(&asked.state_machine_arn, published);
        Ok(updated_ms)
    }

    /// Also true for an alias that is not there.
    pub(crate) fn delete_alias(&self, machine_arn: &str, name: &str) -> Result<(), Unavailable> {
        let _writing = self.writing.lock();
        let Some(entry) = self.entry(machine_arn) else { return Ok(()) };
        let mut published = (*entry.published).clone();
        if published.aliases.remove(name).is_none() {
            return Ok(());
        }
        let mut batch = Batch::default();
        batch.delete(Space::Meta, rows::alias_key(&entry.named, name));
        self.write(batch)?;
        self.keep_published(machine_arn, published);
        Ok(())
    }

    pub(crate) fn alias(&self, machine_arn: &str, name: &str) -> Option<Alias> {
        let published = self.entry(machine_arn)?.published;
        let (name, row) = published.aliases.get_key_value(name)?;
        Some(to_alias(machine_arn, name, row))
    }

    /// Oldest first; of one version those that route to it. `None`: there is no such machine.
    pub(crate) fn list_aliases(
        &self,
        machine_arn: &str,
        version: Option<u64>,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Option<Page<Alias>> {
        let published = self.entry(machine_arn)?.published;
        let after = after.map_or(0, |cursor| cursor.number().unwrap_or(u64::MAX));
        let routed =
            |row: &AliasRow| version.is_none_or(|version| row.routes.iter().any(|route| route.version == version));
        let mut rows: Vec<_> = published.aliases.iter().filter(|(_, row)| row.order > after && routed(row)).collect();
        rows.sort_by_key(|(_, row)| row.order);
        let limit = limit.clamp(1, PAGE_MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|(_, row)| Cursor::of_number(row.order));
        let items = rows.into_iter().map(|(name, row)| to_alias(machine_arn, name, row)).collect();
        Some(Page { items, next })
    }

    fn keep_published(&self, machine_arn: &str, published: Published) {
        if let Some(machine) = self.index.write().machines.get_mut(machine_arn) {
            machine.published = Arc::new(published);
        }
    }
}

/// How callers name the revision of a machine that was never updated. Source: API reference, PublishStateMachineVersion.
const FIRST_REVISION: &str = "INITIAL";

fn to_alias(machine_arn: &str, name: &Arc<str>, row: &AliasRow) -> Alias {
    Alias {
        arn: format!("{machine_arn}:{name}").into(),
        name: name.clone(),
        description: row.description.as_deref().map(Into::into),
        routes: row.routes.iter().map(Into::into).collect(),
        created_ms: row.created_ms,
        updated_ms: row.updated_ms,
    }
}

/// The machine's own ARN, and the qualifier if there is one.
///
/// `arn:PARTITION:states:REGION:ACCOUNT:stateMachine:NAME[:QUALIFIER]`; names have no colon.
fn split(arn: &str) -> (&str, Option<&str>) {
    match arn.match_indices(':').nth(6) {
        Some((colon, _)) => (&arn[..colon], Some(&arn[colon + 1..])),
        None => (arn, None),
    }
}

/// `None`: it names an alias, which is never a whole number.
fn version_number(qualifier: &str) -> Option<u64> {
    qualifier.parse().ok().filter(|number: &u64| number.to_string() == qualifier)
}

/// A number below 100.
fn draw() -> u64 {
    // The last eight bytes of a UUID are random but for two bits on top.
    uuid::Uuid::new_v4().as_u64_pair().1 % 100
}

/// The version that a number below 100 falls to, by the weights of the routes, which make 100 together.
fn drawn(routes: &[rows::RouteRow], mut draw: u64) -> u64 {
    for route in routes {
        if draw < u64::from(route.weight) {
            return route.version;
        }
        draw -= u64::from(route.weight);
    }
    routes.last().map_or(0, |route| route.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_are_split_at_the_qualifier() {
        let machine = "arn:aws:states:us-east-1:123456789012:stateMachine:M";
        assert_eq!(split(machine), (machine, None));
        assert_eq!(split(&format!("{machine}:PROD")), (machine, Some("PROD")));
        assert_eq!(version_number("12"), Some(12));
        for alias in ["PROD", "012", "+1", "1.0", "", "99999999999999999999"] {
            assert_eq!(version_number(alias), None, "{alias}");
        }
    }

    #[test]
    fn each_route_gets_its_share() {
        let routes = [rows::RouteRow { version: 7, weight: 30 }, rows::RouteRow { version: 8, weight: 70 }];
        let share = |version| (0..100).filter(|draw| drawn(&routes, *draw) == version).count();
        assert_eq!((share(7), share(8)), (30, 70));
        let all = [rows::RouteRow { version: 7, weight: 0 }, rows::RouteRow { version: 8, weight: 100 }];
        assert!((0..100).all(|number| drawn(&all, number) == 8));
        assert!((0..10_000).all(|_| draw() < 100));
    }
}
