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
use crate::{
    handle::StatusName,
    limits::{RUNNING_LISTS_MAX, RUNNING_ROWS_MAX},
};

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
    lists: Mutex<Lists>,
}

#[derive(Default)]
struct Lists {
    machines: HashMap<MachineKey, Machine>,
    /// How many rows all of them hold.
    rows: usize,
}

enum Machine {
    /// Its rows are being read; what was committed in the meantime.
    Reading(Vec<Change>),
    Read(BTreeMap<Place, Row>),
    /// More than there is room for: its rows are scanned each time.
    TooMany,
}

impl Lists {
    fn apply(&mut self, change: Change) {
        match self.machines.get_mut(&change.machine) {
            Some(Machine::Reading(later)) => later.push(change),
            Some(Machine::Read(rows)) => {
                let before = rows.len();
                put(rows, change.place, change.row);
                self.rows = self.rows + rows.len() - before;
                if self.rows > RUNNING_ROWS_MAX {
                    self.rows -= rows.len();
                    self.machines.insert(change.machine, Machine::TooMany);
                }
            }
            Some(Machine::TooMany) | None => {}
        }
    }

    /// Keeps what was read of a machine, if there is room for it.
    fn keep(&mut self, machine: MachineKey, rows: Option<BTreeMap<Place, Row>>) {
        let kept = match rows.filter(|rows| self.rows + rows.len() <= RUNNING_ROWS_MAX) {
            Some(rows) => {
                self.rows += rows.len();
                Machine::Read(rows)
            }
            None => Machine::TooMany,
        };
        self.machines.insert(machine, kept);
    }

    /// Forgets all that nobody is reading, where there are too many: they are read again when they are listed.
    fn make_room(&mut self) {
        if self.machines.len() >= RUNNING_LISTS_MAX {
            self.machines.retain(|_, machine| matches!(machine, Machine::Reading(_)));
            self.rows = 0;
        }
    }
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
        let mut lists = self.lists.lock();
        changes.into_iter().for_each(|change| lists.apply(change));
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
        let lists = self.lists.lock();
        let Some(Machine::Read(rows)) = lists.machines.get(&machine) else { return Ok(false) };
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
            let mut lists = self.lists.lock();
            if lists.machines.contains_key(&machine) {
                return Ok(());
            }
            lists.make_room();
            lists.machines.insert(machine, Machine::Reading(Vec::new()));
        }
        let read = read_all(store, machine);
        let mut lists = self.lists.lock();
        // A commit may be both in what was read and in what is applied on top: the last change of a row decides.
        let later = match lists.machines.remove(&machine) {
            Some(Machine::Reading(later)) => later,
            _ => Vec::new(),
        };
        let rows = read?.map(|mut rows| {
            later.into_iter().for_each(|change| put(&mut rows, change.place, change.row));
            rows
        });
        lists.keep(machine, rows);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn change(machine: u8, place: u8, row: Option<&[u8]>) -> Change {
        Change { machine: [machine; 16], place: [place; PLACE_BYTES], row: row.map(Row::from) }
    }

    #[test]
    fn rows_are_counted_over_all_machines() {
        let mut lists = Lists::default();
        lists.keep([1; 16], Some(BTreeMap::from([([1; PLACE_BYTES], Row::from(*b"a"))])));
        lists.keep([2; 16], Some(BTreeMap::new()));
        lists.apply(change(2, 1, Some(b"b")));
        lists.apply(change(2, 1, Some(b"c")));
        lists.apply(change(3, 1, Some(b"nobody lists it")));
        assert_eq!(lists.rows, 2);
        lists.apply(change(1, 1, None));
        lists.apply(change(1, 1, None));
        assert_eq!(lists.rows, 1);
        lists.rows = RUNNING_ROWS_MAX;
        lists.apply(change(2, 2, Some(b"one too many")));
        assert!(matches!(lists.machines[&[2; 16]], Machine::TooMany));
        assert_eq!(lists.rows, RUNNING_ROWS_MAX - 1, "both rows of the machine are given back, one of them was new");
        lists.keep([4; 16], Some((0..2).map(|place| ([place; PLACE_BYTES], Row::from(*b"d"))).collect()));
        assert!(matches!(lists.machines[&[4; 16]], Machine::TooMany));
    }

    #[test]
    fn lists_are_forgotten_where_there_are_too_many() {
        let mut lists = Lists::default();
        for number in 0..RUNNING_LISTS_MAX as u128 {
            lists.keep(number.to_be_bytes(), Some(BTreeMap::new()));
        }
        lists.machines.insert([255; 16], Machine::Reading(Vec::new()));
        lists.make_room();
        assert_eq!((lists.machines.len(), lists.rows), (1, 0), "the one that is being read stays");
    }
}
