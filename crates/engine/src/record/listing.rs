//! The order in which the executions of a state machine, a version or an alias are listed: by status, newest start first.
//!
//! An execution keeps its place (start time and id) when its status changes, so a listing without a filter is a merge of
//! the statuses by place, and a cursor is a place.

use std::{collections::BTreeMap, sync::Arc};

use stepwell_machine::{Header, Identity};
use stepwell_store::{Batch, Direction, Space, Store, Visit};

use super::{
    ExecutionId, RecordError,
    codec::{Fault, Reader, Writer},
    key::{self, PLACE_BYTES},
    running::Running,
    scan,
    summary::{read_qualifier_and_redrives, status_byte, status_name, stop_ms, version, write_qualifier_and_redrives},
    texts::Rows,
};
use crate::{
    handle::{Cursor, ListedExecution, Page, StatusName},
    limits::PAGE_MAX,
};

/// Version 2 adds the qualifier, version 3 redrives, with a qualifier or without, version 4 the items of a child execution.
/// A row is written in the oldest version that can hold it.
const VERSION: u8 = 4;
const ROW: &str = "listing";

/// Running ones first: what ends while a merge is under way is then met twice rather than never.
pub(super) const STATUSES: [StatusName; 5] =
    [StatusName::Running, StatusName::Succeeded, StatusName::Failed, StatusName::TimedOut, StatusName::Aborted];

/// Moves the listing rows from the status `before` (`None`: there was none) to that of `header`.
///
/// One row under the machine's ARN; if it was started through a version or an alias, one under each of those too.
pub(super) fn record(identity: &Identity, before: Option<StatusName>, header: &Header, rows: &mut Rows<'_>) {
    let status = &header.status;
    let place = key::place(identity.start_ms, rows.id);
    for arn in arns(identity) {
        let machine = key::machine(&arn);
        if let Some(before) = before {
            rows.delete(Space::Listing, key::listing(machine, status_byte(before), &place));
        }
        let out = encode(identity, header);
        rows.put(Space::Listing, key::listing(machine, status_byte(status_name(status)), &place), out);
    }
}

/// Takes the listing rows of an execution that ended with `status` away.
pub(super) fn remove(identity: &Identity, id: ExecutionId, status: StatusName, batch: &mut Batch) {
    let place = key::place(identity.start_ms, id);
    for arn in arns(identity) {
        batch.delete(Space::Listing, key::listing(key::machine(&arn), status_byte(status), &place));
    }
}

/// What the execution is listed under: a child execution under its Map Run alone.
fn arns(identity: &Identity) -> impl Iterator<Item = String> {
    let machine_arn = match &identity.child {
        Some(child) => &child.map_run_arn,
        None => &identity.state_machine_arn,
    };
    let qualified = identity.qualifier.as_ref().map(|qualifier| qualifier.arns(machine_arn));
    let (version, alias) = qualified.map_or((None, None), |(version, alias)| (Some(version), alias));
    [Some(machine_arn.to_string()), version, alias].into_iter().flatten()
}

fn encode(identity: &Identity, header: &Header) -> Writer {
    let qualifier = identity.qualifier.as_ref();
    let status = &header.status;
    let version = if identity.child.is_some() { VERSION } else { version(qualifier, &header.redrives) };
    let mut out = Writer::row(version);
    out.text(&identity.name);
    out.option(stop_ms(status), Writer::signed);
    // The ARN only where it cannot be made from the two names.
    out.optional_text(Some(&identity.arn).filter(|arn| !is_usual(arn, &identity.state_machine_arn, &identity.name)));
    write_qualifier_and_redrives(version, qualifier, &header.redrives, &mut out);
    identity.child.iter().for_each(|child| out.number(child.items));
    out
}

const EXECUTION: &str = ":execution:";

/// What an execution's ARN has [`EXECUTION`] instead of.
fn kind(state_machine_arn: &str) -> &'static str {
    if state_machine_arn.contains(":mapRun:") { ":mapRun:" } else { ":stateMachine:" }
}

fn execution_arn(state_machine_arn: &str, name: &str) -> String {
    format!("{}:{name}", state_machine_arn.replacen(kind(state_machine_arn), EXECUTION, 1))
}

/// True of what [`execution_arn`] makes of the two.
fn is_usual(arn: &str, state_machine_arn: &str, name: &str) -> bool {
    let Some((before, behind)) = state_machine_arn.split_once(kind(state_machine_arn)) else { return false };
    let parts = [before, EXECUTION, behind, ":", name];
    parts.iter().try_fold(arn, |rest, part| rest.strip_prefix(part)) == Some("")
}

/// The machine's own ARN, `arn:PARTITION:states:REGION:ACCOUNT:stateMachine:NAME`, of one that may be qualified; of a
/// Map Run what is before its UUID.
fn unqualified(state_machine_arn: &str) -> &str {
    let end = state_machine_arn.match_indices(':').nth(6).map_or(state_machine_arn.len(), |(end, _)| end);
    &state_machine_arn[..end]
}

fn decode(row: &[u8], state_machine_arn: &str, status: StatusName, start_ms: i64) -> Result<ListedExecution, Fault> {
    let (mut row, version) = Reader::versioned(row, VERSION)?;
    let name = row.text()?;
    let stop_ms = row.option(Reader::signed)?;
    let arn: Arc<str> = match row.optional_text()? {
        Some(arn) => arn,
        None => execution_arn(state_machine_arn, &name).into(),
    };
    let (qualifier, redrives) = read_qualifier_and_redrives(version, &mut row)?;
    let items = if version >= 4 { Some(row.number()?) } else { None };
    row.end()?;
    Ok(ListedExecution { arn, name, status, start_ms, stop_ms, redrives, qualifier, items })
}

/// When the execution of a row ended, if it has and the row can be read.
pub(super) fn stop_of(row: &[u8]) -> Option<i64> {
    let mut row = Reader::row(row, VERSION).ok()?;
    row.text().ok()?;
    row.option(Reader::signed).ok()?
}

pub(super) type Place = [u8; PLACE_BYTES];

/// A page of the executions of a state machine, a version or an alias, newest start first; at least 1 and at most `PAGE_MAX` of them.
///
/// A page costs the same at any depth. A cursor that this function did not make gives an empty page.
///
/// `running`: has the running ones in memory; without it their rows are scanned like the others.
pub fn list(
    store: &dyn Store,
    running: Option<&Running>,
    state_machine_arn: &str,
    status: Option<StatusName>,
    limit: usize,
    after: Option<&Cursor>,
) -> Result<Page<ListedExecution>, RecordError> {
    let after: Option<Place> = match after.map(|cursor| cursor.0.as_slice().try_into()) {
        Some(Ok(place)) => Some(place),
        Some(Err(_)) => return Ok(Page { items: Vec::new(), next: None }),
        None => None,
    };
    let limit = limit.clamp(1, PAGE_MAX);
    let mut merged: BTreeMap<Place, ListedExecution> = BTreeMap::new();
    for status in STATUSES.into_iter().filter(|each| status.is_none_or(|wanted| wanted == *each)) {
        for (place, listed) in of_status(store, running, state_machine_arn, status, limit + 1, after.as_ref())? {
            merged.insert(place, listed);
        }
    }
    let more = merged.len() > limit;
    let page: Vec<(Place, ListedExecution)> = merged.into_iter().take(limit).collect();
    let next = page.last().filter(|_| more).map(|(place, _)| Cursor(place.to_vec()));
    Ok(Page { items: page.into_iter().map(|(_, listed)| listed).collect(), next })
}

/// How many executions of a state machine are in `status`, counted up to `most`.
pub fn count(
    store: &dyn Store,
    running: Option<&Running>,
    state_machine_arn: &str,
    status: StatusName,
    most: usize,
) -> Result<usize, RecordError> {
    of_status(store, running, state_machine_arn, status, most, None).map(|found| found.len())
}

/// The first `count` executions in `status` behind `after`.
pub(super) fn of_status(
    store: &dyn Store,
    running: Option<&Running>,
    state_machine_arn: &str,
    status: StatusName,
    count: usize,
    after: Option<&Place>,
) -> Result<Vec<(Place, ListedExecution)>, RecordError> {
    let mut found = Vec::new();
    let machine = key::machine(state_machine_arn);
    let machine_arn = unqualified(state_machine_arn);
    let mut take = |place: &Place, row: &[u8]| {
        let (start_ms, id) = key::parse_place(place);
        let listed = decode(row, machine_arn, status, start_ms).map_err(|fault| fault.of(ROW, id))?;
        found.push((*place, listed));
        Ok(if found.len() < count { Visit::Continue(()) } else { Visit::Break(()) })
    };
    let running = running.filter(|_| status == StatusName::Running);
    let taken = running.map_or(Ok(false), |running| running.visit(store, machine, after, &mut take))?;
    if !taken {
        let range = key::listings_of(machine, status_byte(status), after);
        scan(store, Space::Listing, &range, Direction::Forward, &mut |key, row| {
            let unknown = || Fault::Damaged("its key is unknown").of(ROW, ExecutionId([0; 16]));
            take(&key::parse_listing(key).ok_or_else(unknown)?, row)
        })?;
    }
    Ok(found)
}
