//! The order in which the executions of a state machine are listed: by status, newest start first.
//!
//! An execution keeps its place (start time and id) when its status changes, so a listing without a filter is a merge of
//! the statuses by place, and a cursor is a place.

use std::{collections::BTreeMap, sync::Arc};

use stepwell_machine::{Identity, Status};
use stepwell_store::{Direction, Space, Store, Visit};

use super::{
    ExecutionId, RecordError,
    codec::{Fault, Reader, Writer},
    key::{self, PLACE_BYTES},
    scan,
    summary::{status_byte, status_name, stop_ms},
    texts::Rows,
};
use crate::{
    handle::{Cursor, ListedExecution, Page, StatusName},
    limits::PAGE_MAX,
};

const VERSION: u8 = 1;
const ROW: &str = "listing";

/// Running ones first: what ends while a merge is under way is then met twice rather than never.
pub(super) const STATUSES: [StatusName; 5] =
    [StatusName::Running, StatusName::Succeeded, StatusName::Failed, StatusName::TimedOut, StatusName::Aborted];

/// Moves the listing row from the status `before` (`None`: there was none) to `status`.
pub(super) fn record(identity: &Identity, before: Option<StatusName>, status: &Status, rows: &mut Rows<'_>) {
    let machine_arn = &identity.state_machine_arn;
    let place = key::place(identity.start_ms, rows.id);
    if let Some(before) = before {
        rows.delete(Space::Listing, key::listing(machine_arn, status_byte(before), &place));
    }
    let mut out = Writer::row(VERSION);
    out.text(&identity.name);
    out.option(stop_ms(status), Writer::signed);
    // The ARN only where it cannot be made from the two names.
    let usual = execution_arn(machine_arn, &identity.name);
    out.optional_text(Some(&identity.arn).filter(|arn| arn.as_ref() != usual));
    rows.put(Space::Listing, key::listing(machine_arn, status_byte(status_name(status)), &place), out);
}

fn execution_arn(state_machine_arn: &str, name: &str) -> String {
    format!("{}:{name}", state_machine_arn.replacen(":stateMachine:", ":execution:", 1))
}

fn decode(row: &[u8], state_machine_arn: &str, status: StatusName, start_ms: i64) -> Result<ListedExecution, Fault> {
    let mut row = Reader::row(row, VERSION)?;
    let name = row.text()?;
    let stop_ms = row.option(Reader::signed)?;
    let arn: Arc<str> = match row.optional_text()? {
        Some(arn) => arn,
        None => execution_arn(state_machine_arn, &name).into(),
    };
    row.end()?;
    Ok(ListedExecution { arn, name, status, start_ms, stop_ms })
}

/// When the execution of a row ended, if it has and the row can be read.
pub(super) fn stop_of(row: &[u8]) -> Option<i64> {
    let mut row = Reader::row(row, VERSION).ok()?;
    row.text().ok()?;
    row.option(Reader::signed).ok()?
}

type Place = [u8; PLACE_BYTES];

/// A page of the executions of a state machine, newest start first; at least 1 and at most `PAGE_MAX` of them.
///
/// A page costs the same at any depth. A cursor that this function did not make gives an empty page.
pub fn list(
    store: &dyn Store,
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
        for (place, listed) in of_status(store, state_machine_arn, status, limit + 1, after.as_ref())? {
            merged.insert(place, listed);
        }
    }
    let more = merged.len() > limit;
    let page: Vec<(Place, ListedExecution)> = merged.into_iter().take(limit).collect();
    let next = page.last().filter(|_| more).map(|(place, _)| Cursor(place.to_vec()));
    Ok(Page { items: page.into_iter().map(|(_, listed)| listed).collect(), next })
}

/// The first `count` executions in `status` behind `after`.
fn of_status(
    store: &dyn Store,
    state_machine_arn: &str,
    status: StatusName,
    count: usize,
    after: Option<&Place>,
) -> Result<Vec<(Place, ListedExecution)>, RecordError> {
    let mut found = Vec::new();
    let range = key::listings(state_machine_arn, status_byte(status), after);
    scan(store, Space::Listing, &range, Direction::Forward, &mut |key, row| {
        let unknown = || Fault::Damaged("its key is unknown").of(ROW, ExecutionId([0; 16]));
        let place = key::parse_listing(key).ok_or_else(unknown)?;
        let (start_ms, id) = key::parse_place(&place);
        let listed = decode(row, state_machine_arn, status, start_ms).map_err(|fault| fault.of(ROW, id))?;
        found.push((place, listed));
        Ok(if found.len() < count { Visit::Continue(()) } else { Visit::Break(()) })
    })?;
    Ok(found)
}
