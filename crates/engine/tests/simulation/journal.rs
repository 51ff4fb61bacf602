//! The events that executions took, each tied to the commit that made its outcome durable.
//!
//! For every event a row goes into the batch of its step. So after a crash the rows tell which events count, and the
//! machine can be asked what those come to.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::Mutex,
};

use stepwell_engine::{Granted, by_hand::Witness, record::ExecutionId};
use stepwell_machine::{Event, TaskId};
use stepwell_store::{Batch, Direction, Space, Store, prefix_end};

const PREFIX: &[u8] = b"simulation/";

#[derive(Clone, Debug)]
pub(crate) enum Entry {
    Took { event: Event, granted: Granted },
    Renewed { opened_ms: i64 },
}

#[derive(Default)]
pub(crate) struct Journal(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    /// By number, in the order in which they were taken.
    all: BTreeMap<u64, (ExecutionId, Entry)>,
    last: u64,
    /// Numbers whose commit was acknowledged.
    acknowledged: BTreeSet<u64>,
    /// Calls whose end is durable: they must not be made again.
    returned: BTreeSet<(ExecutionId, TaskId)>,
}

impl Witness for Journal {
    fn took(&self, execution: ExecutionId, event: &Event, granted: Granted, batch: &mut Batch) {
        self.enter(execution, Entry::Took { event: event.clone(), granted }, batch);
    }

    fn renewed(&self, execution: ExecutionId, opened_ms: i64, batch: &mut Batch) {
        self.enter(execution, Entry::Renewed { opened_ms }, batch);
    }
}

impl Journal {
    fn enter(&self, execution: ExecutionId, entry: Entry, batch: &mut Batch) {
        let mut entries = self.0.lock().unwrap();
        entries.last += 1;
        let number = entries.last;
        entries.all.insert(number, (execution, entry));
        batch.put(Space::Meta, [PREFIX, &number.to_be_bytes()].concat(), *b"1");
    }

    /// The store has acknowledged these writes.
    pub(crate) fn acknowledge(&self, batch: &Batch) {
        let mut entries = self.0.lock().unwrap();
        for write in batch.writes() {
            if let Some(number) = number(write.space, &write.key) {
                entries.acknowledged.insert(number);
                entries.settle(number);
            }
        }
    }

    pub(crate) fn has_returned(&self, execution: ExecutionId, task: TaskId) -> bool {
        self.0.lock().unwrap().returned.contains(&(execution, task))
    }

    /// After a crash: what the store has kept counts from now on, and nothing else.
    pub(crate) fn recover(&self, store: &dyn Store) -> Result<(), String> {
        let mut kept = BTreeSet::new();
        let scanned = store.scan(Space::Meta, PREFIX, &prefix_end(PREFIX), Direction::Forward, &mut |key, _| {
            kept.extend(number(Space::Meta, key));
            ControlFlow::Continue(())
        });
        scanned.map_err(|error| error.to_string())?;
        let mut entries = self.0.lock().unwrap();
        if let Some(lost) = entries.acknowledged.iter().find(|number| !kept.contains(number)) {
            return Err(format!("an acknowledged commit is lost: {:?}", entries.all.get(lost)));
        }
        entries.all.retain(|number, _| kept.contains(number));
        kept.iter().for_each(|number| entries.settle(*number));
        entries.acknowledged = kept;
        Ok(())
    }

    /// The entries of an execution behind number `after`.
    pub(crate) fn of(&self, execution: ExecutionId, after: u64) -> Vec<(u64, Entry)> {
        let entries = self.0.lock().unwrap();
        let behind = entries
            .all
            .range(after + 1..)
            .filter(|(number, (id, _))| *id == execution && entries.acknowledged.contains(number));
        behind.map(|(number, (_, entry))| (*number, entry.clone())).collect()
    }
}

impl Entries {
    fn settle(&mut self, number: u64) {
        if let Some((id, Entry::Took { event: Event::TaskReturned { task, .. }, .. })) = self.all.get(&number) {
            self.returned.insert((*id, *task));
        }
    }
}

fn number(space: Space, key: &[u8]) -> Option<u64> {
    let number = (space == Space::Meta).then(|| key.strip_prefix(PREFIX)).flatten()?;
    number.try_into().ok().map(u64::from_be_bytes)
}
