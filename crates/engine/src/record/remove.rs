//! An execution that has ended leaves, row by row.
//!
//! What was kept for a redrive goes first, from the top frame on, so that nothing is redriven whose history is on its way
//! out. Then history and texts, a bounded number of rows at a time; summary and listing go last and together. So whatever
//! is cut off in the middle is found again by its listing row, and the name is free only when nothing is left.

use stepwell_machine::Status;
use stepwell_store::{Batch, Direction, Space, Store, Visit};

use super::{
    ExecutionId, RecordError, key, listing, map_run, scan,
    summary::{self, status_byte, status_name, stop_ms},
    texts::Texts,
};
use crate::{handle::StatusName, limits::REDRIVE_PERIOD_MS};

/// How far the removal of an execution has come, once the batch is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// Nothing is left.
    Done,
    /// There are more rows: remove it again.
    More,
    /// It is not there, has not ended, or ended too late.
    NotDue,
}

/// An execution that may be removed, and where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expired {
    pub execution: ExecutionId,
    place: Vec<u8>,
}

/// Adds the removal of at most `rows_max` rows of an execution that ended before `before_ms`, milliseconds since 1970.
///
/// Nobody else may write rows of the execution meanwhile.
pub fn remove(
    store: &dyn Store,
    id: ExecutionId,
    before_ms: i64,
    rows_max: usize,
    batch: &mut Batch,
) -> Result<Removal, RecordError> {
    let Some((stored, _)) = summary::read(store, id, &mut Texts::default())? else { return Ok(Removal::NotDue) };
    let has_ended = !matches!(stored.status, Status::Running);
    if !has_ended || stop_ms(&stored.status).is_none_or(|stop_ms| stop_ms >= before_ms) {
        return Ok(Removal::NotDue);
    }
    let waits = stored.identity.child.as_ref().map(|child| map_run::map_run_place(store, &child.map_run_arn));
    // A Map Run under way is not cut off, and a child execution goes after it: its result may be asked for once more.
    if map_run::has_marks(store, id)? || waits.transpose()?.flatten().is_some() {
        return Ok(Removal::NotDue);
    }
    let mut keys: Vec<(Space, Vec<u8>)> = Vec::new();
    let ranges = [
        (Space::Frames, key::frames(id)),
        (Space::Open, key::log_marks_of(id)),
        (Space::Open, key::status_marks_of(id)),
        (Space::Open, key::stops_of(id)),
        (Space::History, key::frames(id)),
    ];
    for (space, range) in ranges {
        if keys.len() < rows_max {
            scan(store, space, &range, Direction::Forward, &mut |key, row| {
                if space == Space::History && key::parse_map_run(key).is_some() {
                    keys.extend(map_run::place_key_of(row).map(|key| (Space::Meta, key)));
                }
                keys.push((space, key.to_vec()));
                Ok(if keys.len() < rows_max { Visit::Continue(()) } else { Visit::Break(()) })
            })?;
        }
    }
    let more = keys.len() >= rows_max;
    if let Some(stop_ms) = stop_ms(&stored.status) {
        // At once: what is left half way is not redriven.
        batch.delete(Space::Open, key::wrecks(id, stop_ms.saturating_add(REDRIVE_PERIOD_MS)));
    }
    keys.into_iter().for_each(|(space, key)| batch.delete(space, key));
    if more {
        return Ok(Removal::More);
    }
    listing::remove(&stored.identity, id, status_name(&stored.status), batch);
    batch.delete(Space::Summary, key::summary(id));
    Ok(Removal::Done)
}

/// Executions that started before `before_ms` and are listed as ended before it: those behind `after`, at most
/// `limit`, with where the search goes on (`None`: there are no more).
///
/// Each list of a state machine and a status is read from its oldest start on, so that nothing younger is looked at but
/// one row for each list.
pub fn expired(
    store: &dyn Store,
    before_ms: i64,
    after: Option<&Expired>,
    limit: usize,
) -> Result<Vec<Expired>, RecordError> {
    let mut found: Vec<Expired> = Vec::new();
    let mut list = match after {
        Some(after) => key::list_of(&after.place).map(|list| (list, Some(after.place.clone()))),
        None => next_list(store, &[])?.map(|list| (list, None)),
    };
    let running = status_byte(StatusName::Running);
    while let Some((prefix, below)) = list {
        if prefix.last() == Some(&running) {
            list = next_list(store, &stepwell_store::prefix_end(&prefix))?.map(|list| (list, None));
            continue;
        }
        let range = key::Range { to: below.unwrap_or_else(|| stepwell_store::prefix_end(&prefix)), from: prefix };
        scan(store, Space::Listing, &range, Direction::Backward, &mut |key, row| {
            let Some(place) = key::parse_listing(key) else { return Ok(Visit::Continue(())) };
            let (start_ms, execution) = key::parse_place(&place);
            if start_ms >= before_ms || found.len() >= limit {
                return Ok(Visit::Break(()));
            }
            // A row that cannot be read is left for whoever examines the store.
            if listing::stop_of(row).is_some_and(|stop_ms| stop_ms < before_ms) {
                found.push(Expired { execution, place: key.to_vec() });
            }
            Ok(Visit::Continue(()))
        })?;
        if found.len() >= limit {
            break;
        }
        list = next_list(store, &stepwell_store::prefix_end(&range.from))?.map(|list| (list, None));
    }
    Ok(found)
}

/// The first list at or behind a key.
fn next_list(store: &dyn Store, from: &[u8]) -> Result<Option<Vec<u8>>, RecordError> {
    let mut list = None;
    let all = key::Range { from: from.to_vec(), to: Vec::new() };
    scan(store, Space::Listing, &all, Direction::Forward, &mut |key, _| {
        list = key::list_of(key);
        Ok(Visit::Break(()))
    })?;
    Ok(list)
}

/// Takes from `revisions` those that an execution runs or ran, among the executions behind `after`; looks at `limit` of
/// them. Answers where to go on, `None` at the end.
pub fn keep_used(
    store: &dyn Store,
    revisions: &mut std::collections::BTreeSet<u64>,
    after: Option<ExecutionId>,
    limit: usize,
) -> Result<Option<ExecutionId>, RecordError> {
    let from = after.map_or_else(Vec::new, |after| [after.0.as_slice(), &[0]].concat());
    let (mut looked_at, mut last) = (0, None);
    scan(store, Space::Summary, &key::Range { from, to: Vec::new() }, Direction::Forward, &mut |key, row| {
        if looked_at >= limit {
            return Ok(Visit::Break(()));
        }
        looked_at += 1;
        let Ok(id) = <[u8; 16]>::try_from(key) else { return Ok(Visit::Continue(())) };
        last = Some(ExecutionId(id));
        revisions.remove(&summary::revision_of(row, ExecutionId(id))?);
        Ok(Visit::Continue(()))
    })?;
    Ok(last.filter(|_| looked_at >= limit))
}
