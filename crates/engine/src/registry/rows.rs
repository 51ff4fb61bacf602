//! Rows of the registry in [`Space::Meta`](stepwell_store::Space::Meta): a version byte, then postcard.
//!
//! Part of the stored format: members are only ever added by a new version.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use stepwell_expr::{Value, json};
use stepwell_machine::{Program, definition};

use crate::{
    handle::{Activity, Route, StateMachine, Tags},
    limits::SHARDS,
    owner::{Owner, USUAL_PARTITION},
};

const VERSION: u8 = 1;
/// Of the row of the owner, where there is, or may be, what the programs before did not know of.
const SHARED_VERSION: u8 = 2;

/// Rows of the engine begin with `engine/`; other crates may have rows beside them.
pub(crate) const MACHINE_PREFIX: &[u8] = b"engine/machine/";
pub(crate) const REVISION_PREFIX: &[u8] = b"engine/revision/";
pub(crate) const ACTIVITY_PREFIX: &[u8] = b"engine/activity/";
pub(crate) const PUBLISHED_PREFIX: &[u8] = b"engine/published/";
pub(crate) const VERSION_PREFIX: &[u8] = b"engine/version/";
pub(crate) const ALIAS_PREFIX: &[u8] = b"engine/alias/";
pub(crate) const TAGS_PREFIX: &[u8] = b"engine/tags/";
/// Whose everything is that nobody else is named for: [`OwnerRow`].
pub(crate) const OWNER_KEY: &[u8] = b"engine/owner";
/// How many executions are open: a `u64`.
pub(crate) const OPEN_EXECUTIONS_KEY: &[u8] = b"engine/open-executions";

/// How keys name a state machine or an activity: the store owner's own by its name, others by `REGION:ACCOUNT:NAME`. Neither
/// has a slash, and names have no colon.
pub(crate) fn name_in_keys(own: &Owner, owner: &Owner, name: &str) -> String {
    if owner == own { name.to_owned() } else { format!("{}:{}:{name}", owner.region(), owner.account()) }
}

/// Whose a state machine or an activity is that keys name so. `None`: nothing is named so.
pub(crate) fn owner_in_keys(own: &Owner, named: &str) -> Option<Owner> {
    let mut parts = named.split(':');
    match [parts.next(), parts.next(), parts.next(), parts.next()] {
        [Some(_), None, ..] => Some(own.clone()),
        [Some(region), Some(account), Some(_), None] => Some(Owner::new(region, account)),
        _ => None,
    }
}

/// Key: how the machine is [named in keys](name_in_keys).
pub(crate) fn machine_key(named: &str) -> Vec<u8> {
    [MACHINE_PREFIX, named.as_bytes()].concat()
}

/// Key: the revision's number, big endian.
pub(crate) fn revision_key(revision: u64) -> Vec<u8> {
    [REVISION_PREFIX, &revision.to_be_bytes()].concat()
}

/// Key: how the machine is named in keys.
pub(crate) fn published_key(machine: &str) -> Vec<u8> {
    [PUBLISHED_PREFIX, machine.as_bytes()].concat()
}

/// Key: how the machine is named in keys, and the version's number in twenty digits.
pub(crate) fn version_key(machine: &str, version: u64) -> Vec<u8> {
    [VERSION_PREFIX, format!("{machine}/{version:020}").as_bytes()].concat()
}

/// Key: how the machine is named in keys, and the alias's name.
pub(crate) fn alias_key(machine: &str, alias: &str) -> Vec<u8> {
    [ALIAS_PREFIX, format!("{machine}/{alias}").as_bytes()].concat()
}

/// Key: how the activity is named in keys.
pub(crate) fn activity_key(named: &str) -> Vec<u8> {
    [ACTIVITY_PREFIX, named.as_bytes()].concat()
}

/// Key: the ARN of what has the tags.
pub(crate) fn tags_key(arn: &str) -> Vec<u8> {
    [TAGS_PREFIX, arn.as_bytes()].concat()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RowError {
    #[error("the row is empty or garbled")]
    Damaged,
    #[error("it has format {found}, which this program does not know: use a newer release")]
    NewerFormat { found: u8 },
}

pub(crate) fn encode(row: &impl Serialize) -> Vec<u8> {
    postcard::to_extend(row, vec![VERSION]).expect("a vector takes every row")
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, RowError> {
    match bytes.split_first() {
        Some((&VERSION, rest)) => postcard::from_bytes(rest).map_err(|_| RowError::Damaged),
        Some((&found, _)) if found > VERSION => Err(RowError::NewerFormat { found }),
        _ => Err(RowError::Damaged),
    }
}

/// Whose everything in a store is that nobody else is named for; never changes. Version 2 has the partition as well: it is written
/// where that is not the usual one, or where there are things of others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OwnerRow {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) shards: u32,
}

impl OwnerRow {
    /// `shared`: there are things of others, too.
    pub(crate) fn encode(own: &Owner, shared: bool) -> Vec<u8> {
        let row = OwnerRow { account: own.account().to_owned(), region: own.region().to_string(), shards: SHARDS };
        if !shared && own.partition() == USUAL_PARTITION {
            return encode(&row);
        }
        postcard::to_extend(&(row, own.partition()), vec![SHARED_VERSION]).expect("a vector takes every row")
    }

    /// The row and its partition.
    pub(crate) fn decode(bytes: &[u8]) -> Result<(OwnerRow, String), RowError> {
        match bytes.split_first() {
            Some((&SHARED_VERSION, rest)) => postcard::from_bytes(rest).map_err(|_| RowError::Damaged),
            _ => decode(bytes).map(|row| (row, USUAL_PARTITION.to_owned())),
        }
    }
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum MachineType {
    Standard,
    Express,
}

impl From<definition::MachineType> for MachineType {
    fn from(machine_type: definition::MachineType) -> MachineType {
        match machine_type {
            definition::MachineType::Standard => MachineType::Standard,
            definition::MachineType::Express => MachineType::Express,
        }
    }
}

impl From<MachineType> for definition::MachineType {
    fn from(machine_type: MachineType) -> definition::MachineType {
        match machine_type {
            MachineType::Standard => definition::MachineType::Standard,
            MachineType::Express => definition::MachineType::Express,
        }
    }
}

/// What is known of a state machine without reading its definition.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct MachineRow {
    pub(crate) name: String,
    pub(crate) machine_type: MachineType,
    /// Place in the order of creation.
    pub(crate) order: u64,
    pub(crate) created_ms: i64,
    /// The current revision.
    pub(crate) revision: u64,
    pub(crate) deleting: bool,
}

impl MachineRow {
    pub(crate) fn new(machine: &StateMachine, order: u64, revision: u64) -> MachineRow {
        MachineRow {
            name: machine.name.to_string(),
            machine_type: machine.machine_type.into(),
            order,
            created_ms: machine.created_ms,
            revision,
            deleting: false,
        }
    }
}

/// Everything that an execution needs of the machine it was started on; never changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RevisionRow {
    pub(crate) arn: String,
    name: String,
    pub(crate) machine_type: MachineType,
    pub(crate) definition: String,
    role_arn: String,
    /// JSON.
    logging: String,
    tracing: String,
    encryption: String,
    revision_id: Option<String>,
    created_ms: i64,
    updated_ms: i64,
}

impl RevisionRow {
    pub(crate) fn new(machine: &StateMachine) -> RevisionRow {
        RevisionRow {
            arn: machine.arn.to_string(),
            name: machine.name.to_string(),
            machine_type: machine.machine_type.into(),
            definition: machine.definition.to_string(),
            role_arn: machine.role_arn.to_string(),
            logging: json::to_text(&machine.logging),
            tracing: json::to_text(&machine.tracing),
            encryption: json::to_text(&machine.encryption),
            revision_id: machine.revision_id.as_deref().map(str::to_owned),
            created_ms: machine.created_ms,
            updated_ms: machine.updated_ms,
        }
    }

    /// `None`: its ARN is none.
    pub(crate) fn into_machine(self, program: Arc<Program>) -> Option<StateMachine> {
        Some(StateMachine {
            owner: Owner::of_arn(&self.arn)?,
            arn: self.arn.into(),
            name: self.name.into(),
            machine_type: self.machine_type.into(),
            definition: self.definition.into(),
            role_arn: self.role_arn.into(),
            logging: value(&self.logging),
            tracing: value(&self.tracing),
            encryption: value(&self.encryption),
            revision_id: self.revision_id.map(Into::into),
            created_ms: self.created_ms,
            updated_ms: self.updated_ms,
            deleting: false,
            program,
        })
    }
}

/// The last numbers that a machine's versions and aliases got, and whether its creation published it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct PublishedRow {
    pub(crate) last_version: u64,
    pub(crate) last_alias: u64,
    pub(crate) creation: Option<CreationRow>,
}

/// With what the creation of a machine published it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CreationRow {
    pub(crate) description: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct VersionRow {
    pub(crate) revision: u64,
    pub(crate) description: Option<String>,
    pub(crate) created_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AliasRow {
    /// Place in the order of creation among the aliases of the machine.
    pub(crate) order: u64,
    pub(crate) description: Option<String>,
    pub(crate) routes: Vec<RouteRow>,
    pub(crate) created_ms: i64,
    pub(crate) updated_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RouteRow {
    pub(crate) version: u64,
    pub(crate) weight: u8,
}

impl From<&Route> for RouteRow {
    fn from(route: &Route) -> RouteRow {
        RouteRow { version: route.version, weight: route.weight }
    }
}

impl From<&RouteRow> for Route {
    fn from(route: &RouteRow) -> Route {
        Route { version: route.version, weight: route.weight }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ActivityRow {
    pub(crate) name: String,
    /// Place in the order of creation.
    pub(crate) order: u64,
    pub(crate) created_ms: i64,
    /// JSON.
    pub(crate) encryption: String,
}

impl ActivityRow {
    pub(crate) fn to_activity(&self, arn: Arc<str>) -> Activity {
        Activity {
            arn,
            name: self.name.as_str().into(),
            created_ms: self.created_ms,
            encryption: value(&self.encryption),
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TagsRow {
    tags: BTreeMap<String, String>,
}

impl TagsRow {
    pub(crate) fn new(tags: &Tags) -> TagsRow {
        TagsRow { tags: tags.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect() }
    }

    pub(crate) fn into_tags(self) -> Tags {
        self.tags.into_iter().map(|(key, value)| (key.into(), value.into())).collect()
    }
}

/// The value of a JSON text that this module wrote; null where it was damaged.
fn value(text: &str) -> Value {
    json::parse(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_and_garbled_ones_are_refused() {
        let row = OwnerRow { account: "123456789012".into(), region: "us-east-1".into(), shards: 256 };
        let bytes = encode(&row);
        assert_eq!(decode::<OwnerRow>(&bytes), Ok(row));
        for length in 0..bytes.len() {
            assert_eq!(decode::<OwnerRow>(&bytes[..length]), Err(RowError::Damaged), "cut to {length}");
        }
        let mut newer = bytes;
        newer[0] = 2;
        assert_eq!(decode::<OwnerRow>(&newer), Err(RowError::NewerFormat { found: 2 }));
    }

    #[test]
    fn the_row_of_the_owner_tells_its_partition_where_that_is_needed() {
        let usual = Owner::new("us-east-1", "123456789012");
        for (own, shared, version) in
            [(usual.clone(), false, 1), (usual, true, 2), (Owner::new("cn-north-1", "1"), false, 2)]
        {
            let bytes = OwnerRow::encode(&own, shared);
            let (row, partition) = OwnerRow::decode(&bytes).unwrap();
            assert_eq!((bytes[0], Owner::within(&partition, &row.region, &row.account)), (version, own));
            for length in 0..bytes.len() {
                assert_eq!(OwnerRow::decode(&bytes[..length]), Err(RowError::Damaged), "cut to {length}");
            }
        }
        let mut newer = OwnerRow::encode(&Owner::new("us-east-1", "1"), true);
        newer[0] = 3;
        assert_eq!(OwnerRow::decode(&newer), Err(RowError::NewerFormat { found: 3 }));
    }

    #[test]
    fn what_others_have_is_named_with_them() {
        let own = Owner::new("us-east-1", "123456789012");
        let other = Owner::new("eu-west-1", "111122223333");
        for (owner, named) in [(&own, "m"), (&other, "eu-west-1:111122223333:m")] {
            assert_eq!(name_in_keys(&own, owner, "m"), named);
            assert_eq!(owner_in_keys(&own, named).as_ref(), Some(owner));
        }
        assert_eq!(owner_in_keys(&own, "a:b"), None);
    }

    /// Bytes of version 1 as they were first written; they must decode for ever.
    #[test]
    fn version_1_stays_readable() {
        let owner = b"\x01\x0c123456789012\x09us-east-1\x80\x02";
        let row: OwnerRow = decode(owner).unwrap();
        assert_eq!((row.account.as_str(), row.region.as_str(), row.shards), ("123456789012", "us-east-1", 256));
        assert_eq!(OwnerRow::decode(owner).unwrap(), (row, "aws".to_owned()));
        let shared = b"\x02\x0c123456789012\x09us-east-1\x80\x02\x03aws";
        assert_eq!(OwnerRow::decode(shared), OwnerRow::decode(owner));
        let machine = b"\x01\x01m\x00\x07\x54\x09\x00";
        let row: MachineRow = decode(machine).unwrap();
        assert_eq!((row.name.as_str(), row.order, row.created_ms, row.revision), ("m", 7, 42, 9));
        let activity = b"\x01\x01a\x03\x02\x02{}";
        let row: ActivityRow = decode(activity).unwrap();
        assert_eq!((row.name.as_str(), row.order, row.created_ms, row.encryption.as_str()), ("a", 3, 1, "{}"));
        let published = b"\x01\x02\x01\x01\x01\x01d";
        let row: PublishedRow = decode(published).unwrap();
        let description = row.creation.and_then(|creation| creation.description);
        assert_eq!((row.last_version, row.last_alias, description.as_deref()), (2, 1, Some("d")));
        let version = b"\x01\x09\x00\x54";
        let row: VersionRow = decode(version).unwrap();
        assert_eq!((row.revision, row.description, row.created_ms), (9, None, 42));
        let alias = b"\x01\x01\x01\x01d\x01\x02\x64\x02\x04";
        let row: AliasRow = decode(alias).unwrap();
        let routes: Vec<_> = row.routes.iter().map(|route| (route.version, route.weight)).collect();
        assert_eq!((row.order, routes, row.created_ms, row.updated_ms), (1, vec![(2, 100)], 1, 2));
        let tags = b"\x01\x01\x01k\x01v";
        assert_eq!(decode::<TagsRow>(tags).unwrap().into_tags(), Tags::from([("k".into(), "v".into())]));
    }
}
