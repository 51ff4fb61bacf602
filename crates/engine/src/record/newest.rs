//! The executions of several state machines in one order: newest start first.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use stepwell_store::{Store, Visit};

use super::{
    ExecutionId, RecordError, key,
    listing::{Place, of_status},
    running::Running,
};
use crate::{
    handle::{Cursor, ListedExecution, StatusName},
    limits::NEWEST_READ_MAX,
};

/// What [`newest`] shows: where to go on behind it, its state machine, the execution.
pub(super) type Seen<'v> = dyn FnMut(Cursor, &Arc<str>, ListedExecution) -> Result<Visit, RecordError> + 'v;

/// Shows the executions of `machines` in `statuses` behind `after`, newest start first, until `seen` breaks.
///
/// Costs a read for each list at first, and then one for a growing number of rows of a list that are shown.
pub fn newest(
    store: &dyn Store,
    running: Option<&Running>,
    machines: &[Arc<str>],
    statuses: &[StatusName],
    after: Option<&Cursor>,
    seen: &mut Seen<'_>,
) -> Result<(), RecordError> {
    let after: Option<Place> = after.and_then(|cursor| cursor.0.as_slice().try_into().ok());
    let of_machine = |machine_arn| statuses.iter().map(move |status| List::new(machine_arn, *status, after));
    let mut lists: Vec<List<'_>> = machines.iter().flat_map(of_machine).collect();
    // The first of each list, by place.
    let mut heads = BTreeSet::new();
    for (index, list) in lists.iter_mut().enumerate() {
        heads.extend(list.head(store, running)?.map(|place| (place, index)));
    }
    let mut shown = None;
    while let Some((place, index)) = heads.pop_first() {
        let Some(list) = lists.get_mut(index) else { break };
        let Some((_, listed)) = list.read.pop_front() else { continue };
        // One that ended in the meantime stands in two lists.
        let is_new = shown.replace(place) != Some(place);
        if is_new && seen(Cursor(place.to_vec()), list.machine_arn, listed)?.is_break() {
            break;
        }
        heads.extend(list.head(store, running)?.map(|place| (place, index)));
    }
    Ok(())
}

/// The cursor in front of everything that started at `start_ms` or before.
pub fn from_start(start_ms: i64) -> Cursor {
    Cursor(key::place(start_ms.saturating_add(1), ExecutionId([u8::MAX; 16])).to_vec())
}

/// A state machine and a status, read a few rows at a time.
struct List<'a> {
    machine_arn: &'a Arc<str>,
    status: StatusName,
    read: VecDeque<(Place, ListedExecution)>,
    /// Rows of the next read; `None` once there are no more.
    next: Option<usize>,
    last: Option<Place>,
}

impl List<'_> {
    fn new(machine_arn: &Arc<str>, status: StatusName, after: Option<Place>) -> List<'_> {
        List { machine_arn, status, read: VecDeque::new(), next: Some(1), last: after }
    }

    fn head(&mut self, store: &dyn Store, running: Option<&Running>) -> Result<Option<Place>, RecordError> {
        if let (true, Some(count)) = (self.read.is_empty(), self.next) {
            let rows = of_status(store, running, self.machine_arn, self.status, count, self.last.as_ref())?;
            self.next = (rows.len() == count).then_some((count * 4).min(NEWEST_READ_MAX));
            self.last = rows.last().map(|(place, _)| *place).or(self.last);
            self.read = rows.into();
        }
        Ok(self.read.front().map(|(place, _)| *place))
    }
}
