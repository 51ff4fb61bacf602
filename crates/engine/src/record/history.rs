//! Pages of history, at the same cost at any depth.

use std::collections::BTreeMap;

use stepwell_expr::Payload;
use stepwell_machine::HistoryEvent;
use stepwell_store::{Direction, Space, Store, Visit};

use super::{
    ExecutionId, RecordError,
    codec::Fault,
    events::{self, Decoded},
    key::{self, Range},
    scan, summary,
    texts::{Texts, fill_unchecked},
};
use crate::{
    handle::{GetHistory, HistoryPage},
    limits::{PAGE_BYTES_MAX, PAGE_MAX},
};

const ROW: &str = "history chunk";

/// A page of at most `get.limit` events (1 to `PAGE_MAX`) and `PAGE_BYTES_MAX` bytes of texts, but at least one event.
///
/// `last` is `None` if nothing comes after the page. `None`: no such execution.
pub fn history(store: &dyn Store, get: &GetHistory) -> Result<Option<HistoryPage>, RecordError> {
    page(store, get, PAGE_BYTES_MAX)
}

pub(super) fn page(store: &dyn Store, get: &GetHistory, bytes_max: usize) -> Result<Option<HistoryPage>, RecordError> {
    let id = ExecutionId::of_arn(&get.execution_arn);
    let mut page = Page {
        get,
        limit: get.limit.clamp(1, PAGE_MAX),
        bytes_max,
        bytes: 0,
        events: Vec::new(),
        absent: BTreeMap::new(),
        more: false,
    };
    if !page.read_chunks(store, id)? && !page.read_summary(store, id)? {
        // Its first events have got a row in between; or there is nothing to read.
        page.read_chunks(store, id)?;
    }
    if page.events.is_empty() && get.after.is_none() {
        return Ok(None);
    }
    if get.with_data {
        let absent: Vec<Payload> = page.absent.into_values().collect();
        fill_unchecked(store, id, &absent)?;
    }
    let last = if page.more { page.events.last().map(|event| event.id) } else { None };
    Ok(Some(HistoryPage { events: page.events, last }))
}

/// The chunks that may hold events of the page: forward, from the one that holds the event behind `after` on.
fn range(store: &dyn Store, id: ExecutionId, get: &GetHistory) -> Result<Range, RecordError> {
    let mut range = key::chunks(id);
    match get.after {
        Some(after) if get.reverse => range.to = key::chunk(id, after),
        Some(after) => {
            let upper = Range { from: range.from.clone(), to: key::chunk(id, after.saturating_add(2)) };
            scan(store, Space::History, &upper, Direction::Backward, &mut |key, _| {
                range.from = key.to_vec();
                Ok(Visit::Break(()))
            })?;
        }
        None => {}
    }
    Ok(range)
}

struct Page<'a> {
    get: &'a GetHistory,
    limit: usize,
    bytes_max: usize,
    bytes: usize,
    events: Vec<HistoryEvent>,
    /// The texts to be read, by id.
    absent: BTreeMap<u64, Payload>,
    /// True if an event did not fit.
    more: bool,
}

impl Page<'_> {
    /// False if there is no chunk that may hold events of the page.
    fn read_chunks(&mut self, store: &dyn Store, id: ExecutionId) -> Result<bool, RecordError> {
        let mut texts = Texts::default();
        let direction = if self.get.reverse { Direction::Backward } else { Direction::Forward };
        let mut found = false;
        scan(store, Space::History, &range(store, id, self.get)?, direction, &mut |key, row| {
            found = true;
            if self.is_full() {
                // A chunk has an event, which need not be looked at.
                self.more = true;
                return Ok(Visit::Break(()));
            }
            let damaged = |fault: Fault| fault.of(ROW, id);
            let first = key::first_event(key).ok_or(Fault::Damaged("its key is unknown")).map_err(damaged)?;
            let chunk = events::decode(row, first, &mut texts).map_err(damaged)?;
            Ok(self.take(chunk))
        })?;
        Ok(found)
    }

    /// False if the events are not in the summary row.
    fn read_summary(&mut self, store: &dyn Store, id: ExecutionId) -> Result<bool, RecordError> {
        let mut texts = Texts::default();
        let state = summary::read(store, id, &mut texts)?.and_then(|(_, state)| state);
        let Some(chunk) = state.map(|state| state.first_events).filter(|chunk| !chunk.is_empty()) else {
            return Ok(false);
        };
        let chunk = events::decode(&chunk, events::FIRST, &mut texts).map_err(|fault| fault.of(ROW, id))?;
        // All of them fit, or the page is full.
        let _ = self.take(chunk);
        Ok(true)
    }

    fn is_full(&self) -> bool {
        self.events.len() == self.limit
    }

    fn take(&mut self, mut chunk: Vec<Decoded>) -> Visit {
        if self.get.reverse {
            chunk.reverse();
        }
        for decoded in chunk {
            if self.is_before(decoded.event.id) {
                continue;
            }
            let bytes = if self.get.with_data { decoded.bytes } else { decoded.bytes_here };
            let full = self.is_full() || self.bytes.saturating_add(bytes) > self.bytes_max;
            if full && !self.events.is_empty() {
                self.more = true;
                return Visit::Break(());
            }
            self.bytes = self.bytes.saturating_add(bytes);
            self.events.push(decoded.event);
            for payload in decoded.absent {
                if let Some(id) = payload.id() {
                    self.absent.insert(id, payload);
                }
            }
        }
        Visit::Continue(())
    }

    /// True for what was on an earlier page.
    fn is_before(&self, event: u64) -> bool {
        match self.get.after {
            Some(after) if self.get.reverse => event >= after,
            Some(after) => event <= after,
            None => false,
        }
    }
}
