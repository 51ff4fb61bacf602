//! The rows of Map Runs: one for each, one for each child execution that has ended, and marks of those to be carried out.
//!
//! They are kept with the history of the execution that waits for them, and go with it. The step that begins a Map Run
//! writes its first row; from then on its actor alone does.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use stepwell_machine::{Failure, MapRunWait, TaskId};
use stepwell_store::{Batch, Direction, Space, Store, Visit};

use super::{
    ExecutionId, RecordError,
    codec::{Fault, Reader, Writer},
    key, scan,
    summary::{failure, read_failure, status_byte, status_of_byte},
};
use crate::{
    handle::{Counts, MapRun, MapRunStatus, StatusName},
    limits::{MAP_RUN_CHILDREN_LOOKED_AT, MAP_RUN_OUTCOMES_BYTES_MAX, MAP_RUN_PLACES_MAX, PAGE_MAX},
    map_items::Position,
};

const VERSION: u8 = 1;
const ROW: &str = "map run";
const OUTCOME_VERSION: u8 = 1;
const OUTCOME_ROW: &str = "map run outcome";
const PLACE_VERSION: u8 = 1;
const MARK_VERSION: u8 = 1;

/// Where a Map Run is kept: the execution that waits for it, and what it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MapRunPlace {
    pub execution: ExecutionId,
    pub task: TaskId,
}

/// A Map Run as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct MapRunRow {
    pub run: MapRun,
    pub cursor: ItemCursor,
    /// The result, from the end of a successful one until its execution has it.
    pub output: Option<Arc<str>>,
}

/// Where reading goes on after a restart. Child executions before `child` have ended; those from there on are known by
/// their rows, and are started again with the same names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemCursor {
    /// `None`: from the first item on.
    pub position: Option<Position>,
    /// Items behind the position that belong to child executions before `child`.
    pub skip: u64,
    /// Index of the item at the position.
    pub item: u64,
    /// The child execution that the item behind those belongs to.
    pub child: u64,
}

/// How a child execution ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildOutcome {
    /// Not `Running`.
    pub status: StatusName,
    pub items: u64,
    /// Redrives of the Map Run before that.
    pub redrives: u64,
    /// Of an Express one, which has no rows of its own.
    pub express: Option<ExpressOutcome>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressOutcome {
    pub arn: Arc<str>,
    pub input: Arc<str>,
    /// Of one that succeeded.
    pub output: Option<Arc<str>>,
    pub failure: Failure,
    /// Milliseconds since 1970.
    pub start_ms: i64,
    pub stop_ms: i64,
}

/// A Map Run that is to be carried out, or whose end is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MapRunMark {
    pub place: MapRunPlace,
    pub redrives: u64,
}

/// The rows of a Map Run that begins.
pub(super) fn begin(place: MapRunPlace, wait: &MapRunWait, execution_arn: &Arc<str>, now_ms: i64, batch: &mut Batch) {
    let total = wait.items.as_ref().map_or(0, |items| stepwell_machine::map_run::state_items(items.value()) as u64);
    let run = MapRun {
        arn: wait.arn.clone(),
        execution_arn: execution_arn.clone(),
        status: MapRunStatus::Running,
        start_ms: now_ms,
        stop_ms: None,
        max_concurrency: wait.settings.max_concurrency,
        tolerated_failure_count: wait.settings.tolerated_failure_count,
        tolerated_failure_percentage: wait.settings.tolerated_failure_percentage,
        items: Counts { total, ..Counts::default() },
        executions: Counts::default(),
        redrives: 0,
        redrive_ms: None,
    };
    put(place, &MapRunRow { run, cursor: ItemCursor::default(), output: None }, batch);
    let mut out = Writer::row(PLACE_VERSION);
    out.raw(&place.execution.0);
    out.number(place.task.0);
    batch.put(Space::Meta, key::map_run_place(&wait.arn), out.into_bytes());
}

pub fn put(place: MapRunPlace, row: &MapRunRow, batch: &mut Batch) {
    batch.put(Space::History, key::map_run(place), encode(row).into_bytes());
}

pub fn mark(mark: MapRunMark, batch: &mut Batch) {
    batch.put(Space::Open, key::map_run_mark(mark), Writer::row(MARK_VERSION).into_bytes());
}

pub fn unmark(mark: MapRunMark, batch: &mut Batch) {
    batch.delete(Space::Open, key::map_run_mark(mark));
}

/// All marks, in the order of their keys: of one Map Run, the latest redrive last.
pub fn map_run_marks(store: &dyn Store) -> Result<Vec<MapRunMark>, RecordError> {
    let mut found = Vec::new();
    scan(store, Space::Open, &key::map_run_marks(), Direction::Forward, &mut |key, _| {
        let unknown = || Fault::Damaged("its key is unknown").of("map run mark", ExecutionId([0; 16]));
        found.push(key::parse_map_run_mark(key).ok_or_else(unknown)?);
        Ok(Visit::Continue(()))
    })?;
    Ok(found)
}

/// True if a Map Run of the execution is still being carried out.
pub(super) fn has_marks(store: &dyn Store, id: ExecutionId) -> Result<bool, RecordError> {
    let mut found = false;
    scan(store, Space::Open, &key::map_run_marks_of(id), Direction::Forward, &mut |_, _| {
        found = true;
        Ok(Visit::Break(()))
    })?;
    Ok(found)
}

/// Where the Map Run of this ARN is kept. `None`: there is none.
pub fn map_run_place(store: &dyn Store, arn: &str) -> Result<Option<MapRunPlace>, RecordError> {
    let Some(row) = store.get(Space::Meta, &key::map_run_place(arn))? else { return Ok(None) };
    let place = decode_place(&row).map_err(|fault| fault.of("map run place", ExecutionId::of_arn(arn)))?;
    Ok(Some(place))
}

/// Where the Map Runs are kept whose ids begin with these bytes: one, or by a rare chance a few.
pub fn map_run_places(store: &dyn Store, beginning: &[u8]) -> Result<Vec<MapRunPlace>, RecordError> {
    let mut found = Vec::new();
    scan(store, Space::Meta, &key::map_run_places(beginning), Direction::Forward, &mut |_, row| {
        found.push(decode_place(row).map_err(|fault| fault.of("map run place", ExecutionId([0; 16])))?);
        Ok(if found.len() < MAP_RUN_PLACES_MAX { Visit::Continue(()) } else { Visit::Break(()) })
    })?;
    Ok(found)
}

fn decode_place(row: &[u8]) -> Result<MapRunPlace, Fault> {
    let mut row = Reader::row(row, PLACE_VERSION)?;
    let place = MapRunPlace { execution: ExecutionId(row.array()?), task: TaskId(row.number()?) };
    row.end()?;
    Ok(place)
}

pub fn map_run(store: &dyn Store, place: MapRunPlace) -> Result<Option<MapRunRow>, RecordError> {
    let Some(row) = store.get(Space::History, &key::map_run(place))? else { return Ok(None) };
    decode(&row).map(Some).map_err(|fault| fault.of(ROW, place.execution))
}

/// The Map Runs of an execution behind the one that began with the event `after`, newest first, at most `limit`.
pub fn map_runs(
    store: &dyn Store,
    id: ExecutionId,
    before: Option<TaskId>,
    limit: usize,
) -> Result<Vec<(TaskId, MapRun)>, RecordError> {
    let mut found = Vec::new();
    scan(store, Space::History, &key::map_runs(id, before), Direction::Backward, &mut |key, row| {
        let task = key::parse_map_run(key).ok_or_else(|| Fault::Damaged("its key is unknown").of(ROW, id))?;
        found.push((task, decode(row).map_err(|fault| fault.of(ROW, id))?.run));
        Ok(if found.len() < limit { Visit::Continue(()) } else { Visit::Break(()) })
    })?;
    Ok(found)
}

pub fn put_outcome(place: MapRunPlace, index: u64, outcome: &ChildOutcome, batch: &mut Batch) {
    let mut out = Writer::row(OUTCOME_VERSION);
    out.byte(status_byte(outcome.status));
    out.number(outcome.items);
    out.number(outcome.redrives);
    out.option(outcome.express.as_ref(), |out, express| {
        out.text(&express.arn);
        out.text(&express.input);
        out.optional_text(express.output.as_ref());
        failure(&express.failure, out);
        out.signed(express.start_ms);
        out.signed(express.stop_ms);
    });
    batch.put(Space::History, key::map_run_outcome(place, index), out.into_bytes());
}

/// Outcomes from child execution `from` on, in order: at most `limit`, and no more once they have
/// `MAP_RUN_OUTCOMES_BYTES_MAX` bytes. None: there are no more.
pub fn outcomes(
    store: &dyn Store,
    place: MapRunPlace,
    from: u64,
    limit: usize,
) -> Result<Vec<(u64, ChildOutcome)>, RecordError> {
    let (mut found, mut bytes) = (Vec::new(), 0);
    let range = key::map_run_outcomes(place, from);
    scan(store, Space::History, &range, Direction::Forward, &mut |key, row| {
        bytes += row.len();
        let damaged = |fault: Fault| fault.of(OUTCOME_ROW, place.execution);
        let index = key::parse_map_run_outcome(key).ok_or(Fault::Damaged("its key is unknown")).map_err(damaged)?;
        found.push((index, decode_outcome(row).map_err(damaged)?));
        let more = found.len() < limit && bytes < MAP_RUN_OUTCOMES_BYTES_MAX;
        Ok(if more { Visit::Continue(()) } else { Visit::Break(()) })
    })?;
    Ok(found)
}

/// Outcomes of Express child executions.
#[derive(Debug, Default)]
pub struct ExpressOutcomes {
    /// By their numbers.
    pub found: BTreeMap<u64, (ChildOutcome, ExpressOutcome)>,
    /// All child executions from this one on were looked at.
    pub from: u64,
}

/// From the last one before `before` backward, those with `status`: at most `limit`, and no more once
/// `MAP_RUN_CHILDREN_LOOKED_AT` rows or `MAP_RUN_OUTCOMES_BYTES_MAX` bytes were looked at.
pub fn express_outcomes(
    store: &dyn Store,
    place: MapRunPlace,
    before: u64,
    status: Option<StatusName>,
    limit: usize,
) -> Result<ExpressOutcomes, RecordError> {
    let mut outcomes = ExpressOutcomes::default();
    let (mut looked_at, mut bytes) = (0, 0);
    let range = key::Range { to: key::map_run_outcome(place, before), ..key::map_run_outcomes(place, 0) };
    scan(store, Space::History, &range, Direction::Backward, &mut |key, row| {
        looked_at += 1;
        bytes += row.len();
        let damaged = |fault: Fault| fault.of(OUTCOME_ROW, place.execution);
        let index = key::parse_map_run_outcome(key).ok_or(Fault::Damaged("its key is unknown")).map_err(damaged)?;
        if status.is_none_or(|status| {
            Reader::row(row, OUTCOME_VERSION).and_then(|mut row| row.byte()) == Ok(status_byte(status))
        }) {
            let mut outcome = decode_outcome(row).map_err(damaged)?;
            outcomes.found.extend(outcome.express.take().map(|express| (index, (outcome, express))));
        }
        let full = looked_at >= MAP_RUN_CHILDREN_LOOKED_AT || bytes >= MAP_RUN_OUTCOMES_BYTES_MAX;
        if full || outcomes.found.len() >= limit {
            outcomes.from = index;
            return Ok(Visit::Break(()));
        }
        Ok(Visit::Continue(()))
    })?;
    Ok(outcomes)
}

/// Those of the child executions `from` to `to` that have an outcome.
pub fn ended_children(store: &dyn Store, place: MapRunPlace, from: u64, to: u64) -> Result<BTreeSet<u64>, RecordError> {
    let mut found = BTreeSet::new();
    let range = key::map_run_outcomes(place, from);
    scan(store, Space::History, &range, Direction::Forward, &mut |key, _| {
        let index = key::parse_map_run_outcome(key).filter(|index| *index <= to);
        found.extend(index);
        Ok(if index.is_some() { Visit::Continue(()) } else { Visit::Break(()) })
    })?;
    Ok(found)
}

/// Reads all rows of the Map Runs of an execution, to tell what is damaged.
pub(super) fn examine(store: &dyn Store, id: ExecutionId) -> Result<(), RecordError> {
    for (task, run) in map_runs(store, id, None, usize::MAX)? {
        let place = MapRunPlace { execution: id, task };
        if map_run_place(store, &run.arn)? != Some(place) {
            return Err(Fault::Damaged("it cannot be found by its ARN").of(ROW, id));
        }
        let mut from = 0;
        while let Some((last, _)) = outcomes(store, place, from, PAGE_MAX)?.last() {
            from = last + 1;
        }
    }
    Ok(())
}

/// The last child execution that has an outcome.
pub fn last_outcome(store: &dyn Store, place: MapRunPlace) -> Result<Option<u64>, RecordError> {
    let mut last = None;
    scan(store, Space::History, &key::map_run_outcomes(place, 0), Direction::Backward, &mut |key, _| {
        last = key::parse_map_run_outcome(key);
        Ok(Visit::Break(()))
    })?;
    Ok(last)
}

fn decode_outcome(row: &[u8]) -> Result<ChildOutcome, Fault> {
    let mut row = Reader::row(row, OUTCOME_VERSION)?;
    let status = status_of_byte(row.byte()?).ok_or(Fault::Damaged("its status is unknown"))?;
    let (items, redrives) = (row.number()?, row.number()?);
    let express = row.option(|row| {
        Ok(ExpressOutcome {
            arn: row.text()?,
            input: row.text()?,
            output: row.optional_text()?,
            failure: read_failure(row)?,
            start_ms: row.signed()?,
            stop_ms: row.signed()?,
        })
    })?;
    row.end()?;
    Ok(ChildOutcome { status, items, redrives, express })
}

fn encode(row: &MapRunRow) -> Writer {
    let mut out = Writer::row(VERSION);
    let run = &row.run;
    out.text(&run.arn);
    out.text(&run.execution_arn);
    match &run.status {
        MapRunStatus::Running => out.byte(1),
        MapRunStatus::Succeeded => out.byte(2),
        MapRunStatus::Failed(why) => {
            out.byte(3);
            failure(why, &mut out);
        }
        MapRunStatus::Aborted => out.byte(4),
    }
    out.signed(run.start_ms);
    out.option(run.stop_ms, Writer::signed);
    out.number(run.max_concurrency);
    out.option(run.tolerated_failure_count, Writer::number);
    out.option(run.tolerated_failure_percentage, |out, percentage| out.raw(&percentage.to_be_bytes()));
    for counts in [&run.items, &run.executions] {
        for number in counts_in_order(counts) {
            out.number(number);
        }
    }
    out.number(run.redrives);
    out.option(run.redrive_ms, Writer::signed);
    let cursor = &row.cursor;
    out.option(cursor.position.as_ref(), |out, position| {
        out.count(position.0.len());
        out.raw(&position.0);
    });
    for number in [cursor.skip, cursor.item, cursor.child] {
        out.number(number);
    }
    out.optional_text(row.output.as_ref());
    out
}

fn counts_in_order(counts: &Counts) -> [u64; 9] {
    let Counts {
        running,
        succeeded,
        failed,
        timed_out,
        aborted,
        total,
        results_written,
        not_redrivable,
        pending_redrive,
    } = *counts;
    [running, succeeded, failed, timed_out, aborted, total, results_written, not_redrivable, pending_redrive]
}

fn read_counts(row: &mut Reader<'_>) -> Result<Counts, Fault> {
    Ok(Counts {
        running: row.number()?,
        succeeded: row.number()?,
        failed: row.number()?,
        timed_out: row.number()?,
        aborted: row.number()?,
        total: row.number()?,
        results_written: row.number()?,
        not_redrivable: row.number()?,
        pending_redrive: row.number()?,
    })
}

fn decode(row: &[u8]) -> Result<MapRunRow, Fault> {
    let mut row = Reader::row(row, VERSION)?;
    let (arn, execution_arn) = (row.text()?, row.text()?);
    let status = match row.byte()? {
        1 => MapRunStatus::Running,
        2 => MapRunStatus::Succeeded,
        3 => MapRunStatus::Failed(read_failure(&mut row)?),
        4 => MapRunStatus::Aborted,
        _ => return Err(Fault::Damaged("its status is unknown")),
    };
    let run = MapRun {
        arn,
        execution_arn,
        status,
        start_ms: row.signed()?,
        stop_ms: row.option(Reader::signed)?,
        max_concurrency: row.number()?,
        tolerated_failure_count: row.option(Reader::number)?,
        tolerated_failure_percentage: row.option(|row| Ok(f64::from_be_bytes(row.array()?)))?,
        items: read_counts(&mut row)?,
        executions: read_counts(&mut row)?,
        redrives: row.number()?,
        redrive_ms: row.option(Reader::signed)?,
    };
    let position = row.option(|row| {
        let count = row.count()?;
        Ok(Position(row.raw(count)?.into()))
    })?;
    let cursor = ItemCursor { position, skip: row.number()?, item: row.number()?, child: row.number()? };
    let output = row.optional_text()?;
    row.end()?;
    Ok(MapRunRow { run, cursor, output })
}

/// The key by which the Map Run of a row is found, to be removed with it.
pub(super) fn place_key_of(row: &[u8]) -> Option<Vec<u8>> {
    decode(row).ok().map(|row| key::map_run_place(&row.run.arn))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back() {
        let counts = Counts { running: 1, succeeded: 2, total: 300, results_written: 9, ..Counts::default() };
        let run = MapRun {
            arn: "arn:aws:states:r:a:mapRun:m/l:u".into(),
            execution_arn: "arn:x".into(),
            status: MapRunStatus::Failed(Failure::new("E", "why")),
            start_ms: 5,
            stop_ms: Some(7),
            max_concurrency: 40,
            tolerated_failure_count: Some(3),
            tolerated_failure_percentage: Some(1.5),
            items: counts,
            executions: Counts { failed: 4, timed_out: 5, aborted: 6, pending_redrive: 7, not_redrivable: 8, ..counts },
            redrives: 2,
            redrive_ms: Some(9),
        };
        let position = Some(Position(b"here".as_slice().into()));
        let cursor = ItemCursor { position, skip: 1, item: 2, child: 3 };
        let row = MapRunRow { run, cursor, output: Some("[1]".into()) };
        assert_eq!(decode(&encode(&row).into_bytes()), Ok(row));
    }
}
