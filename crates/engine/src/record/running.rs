//! The listing rows of executions that run, in memory, by state machine.
//!
//! A log-structured store keeps a mark for each deleted row for a while: behind a million executions that have ended, a
//! scan for the first one that runs walks over all their marks. So the first list of a machine reads the rows of what
//! runs, and commits keep them up to date from then on. Machines that nobody lists take no memory.

use std::collections::{BTreeMap, HashMap};

use parking_lot::Mutex;
use stepwell_store::{Batch, Direction, Space, Store, Visit};

use super::{
    RecordError,
    key::{self, MachineKey, PLACE_BYTES},
    scan,
    summary::status_byte,
};
use crate::{handle::StatusName, limits::RUNNING_ROWS_MAX};

const RUNNING: u8 = status_byte(StatusName::Running);

type Place = [u8; PLACE_BYTES];
type Row = Box<[u8]>;

/// Takes a row and its place.
type Visitor<'a> = dyn FnMut(&Place, &[u8]) -> Result<Visit, RecordError> + 'a;

/// A row of a running execution that is written (`Some`) or deleted.
pub(crate) struct Change {
    machine: MachineKey,
    place: Place,
    row: Option<Row>,
}

/// Invariant: the rows of a machine that is here are those of the store as of the last commit that was applied.
#[derive(Default)]
pub struct Running {
    machines: Mutex<HashMap<MachineKey, Machine>>,
}

enum Machine {
    /// Its rows are being read; what was committed in the meantime.
    Reading(Vec<Change>),
    Read(BTreeMap<Place, Row>),
    /// More than are kept: its rows are scanned each time.
    TooMany,
}

impl Running {
    /// What a batch will change, to be [applied](Running::apply) once it is durable.
    pub(crate) fn changes(batch: &Batch) -> Vec<Change> {
        let listing = batch.writes().iter().filter(|write| write.space == Space::Listing);
        let changes = listing.filter_map(|write| {
            let (machine, place) = key::parse_listing_of(&write.key, RUNNING)?;
            Some(Change { machine, place, row: write.value.as_deref().map(Row::from) })
        });
        changes.collect()
    }

    /// To be called in the order of the commits, and before anybody hears of them.
    pub(crate) fn apply(&self, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        let mut machines = self.machines.lock();
        for change in changes {
            match machines.get_mut(&change.machine) {
                Some(Machine::Reading(later)) => later.push(change),
                Some(Machine::Read(rows)) => {
                    put(rows, change.place, change.row);
                    if rows.len() > RUNNING_ROWS_MAX {
                        machines.insert(change.machine, Machine::TooMany);
                    }
                }
                Some(Machine::TooMany) | None => {}
            }
        }
    }

    /// Visits the rows of a machine's running executions behind `after`, newest start first; false if they are not here.
    pub(super) fn visit(
        &self,
        store: &dyn Store,
        machine: MachineKey,
        after: Option<&Place>,
        visit: &mut Visitor<'_>,
    ) -> Result<bool, RecordError> {
        self.read(store, machine)?;
        let machines = self.machines.lock();
        let Some(Machine::Read(rows)) = machines.get(&machine) else { return Ok(false) };
        let from = after.map_or(std::ops::Bound::Unbounded, |after| std::ops::Bound::Excluded(*after));
        for (place, row) in rows.range((from, std::ops::Bound::Unbounded)) {
            if visit(place, row)?.is_break() {
                break;
            }
        }
        Ok(true)
    }

    /// Reads the rows of a machine, unless somebody has or does.
    fn read(&self, store: &dyn Store, machine: MachineKey) -> Result<(), RecordError> {
        {
            let mut machines = self.machines.lock();
            if machines.contains_key(&machine) {
                return Ok(());
            }
            machines.insert(machine, Machine::Reading(Vec::new()));
        }
        let read = read_all(store, machine);
        let mut machines = self.machines.lock();
        // A commit may be both in what was read and in what is applied on top: the last change of a row decides.
        let later = match machines.remove(&machine) {
            Some(Machine::Reading(later)) => later,
            _ => Vec::new(),
        };
        let kept = match read? {
            Some(mut rows) => {
                later.into_iter().for_each(|change| put(&mut rows, change.place, change.row));
                Machine::Read(rows)
            }
            None => Machine::TooMany,
        };
        machines.insert(machine, kept);
        Ok(())
    }
}

fn put(rows: &mut BTreeMap<Place, Row>, place: Place, row: Option<Row>) {
    match row {
        Some(row) => rows.insert(place, row),
        None => rows.remove(&place),
    };
}

/// `None`: there are too many.
fn read_all(store: &dyn Store, machine: MachineKey) -> Result<Option<BTreeMap<Place, Row>>, RecordError> {
    let mut rows = BTreeMap::new();
    let range = key::listings_of(machine, RUNNING, None);
    scan(store, Space::Listing, &range, Direction::Forward, &mut |key, row| {
        if let Some(place) = key::parse_listing(key) {
            rows.insert(place, row.into());
        }
        Ok(if rows.len() > RUNNING_ROWS_MAX { Visit::Break(()) } else { Visit::Continue(()) })
    })?;
    Ok((rows.len() <= RUNNING_ROWS_MAX).then_some(rows))
}
