//! Where the child executions of a Map Run come from: first those that a redrive is to go on with, then the items.

use std::sync::Arc;

use stepwell_expr::{Payload, Value};
use stepwell_machine::Failure;
use stepwell_store::Store;

use super::{Order, feeder::Feeder};
use crate::{
    handle::StatusName,
    limits::MAP_RUN_OUTCOMES_READ_MAX,
    record::{self, ItemCursor, MapRunPlace, MapRunRow, RecordError},
    registry::log_down,
    shared::Shared,
};

/// A child execution that is to be started.
#[derive(Clone, Debug)]
pub(super) struct NewChild {
    pub(super) index: u64,
    pub(super) items: u64,
    pub(super) input: Payload,
    /// Where reading goes on if all before it have ended, the same for many of them; `None` for one that is redriven.
    pub(super) cursor: Option<Arc<ItemCursor>>,
    pub(super) redriven: bool,
}

/// Some child executions.
#[derive(Debug, Default)]
pub(super) struct Fed {
    pub(super) children: Vec<NewChild>,
    /// Items that were read so far, since the first one.
    pub(super) items_read: u64,
    /// There are no more.
    pub(super) end: bool,
}

pub(super) struct Source {
    shared: Arc<Shared>,
    order: Arc<Order>,
    place: MapRunPlace,
    redrives: u64,
    /// Outcomes from here on are looked through for what is to be redriven; `None`: they all were.
    redrive_from: Option<u64>,
    cursor: ItemCursor,
    feeder: Option<Feeder>,
    /// Behind the last child execution that has an outcome already; `None`: not known yet.
    known_to: Option<u64>,
}

impl Source {
    pub(super) fn new(shared: Arc<Shared>, order: Arc<Order>, place: MapRunPlace, row: &MapRunRow) -> Source {
        let redrives = row.run.redrives;
        let redrive_from = (redrives > 0).then_some(0);
        Source {
            shared,
            order,
            place,
            redrives,
            redrive_from,
            cursor: row.cursor.clone(),
            feeder: None,
            known_to: None,
        }
    }

    /// The next child executions, at least one, unless that were all.
    pub(super) async fn next(mut self) -> Result<(Source, Fed), Failure> {
        while let Some(from) = self.redrive_from {
            let children = self.redriven(from).await?;
            if !children.is_empty() {
                return Ok((self, Fed { children, items_read: 0, end: false }));
            }
        }
        loop {
            let feeder = match self.feeder.take() {
                Some(feeder) => feeder,
                None => Feeder::open(&self.shared, self.order.clone(), &self.cursor).await?,
            };
            let (feeder, mut fed) = feeder.feed().await?;
            self.feeder = Some(feeder);
            self.leave_out_known(&mut fed.children).await?;
            if !fed.children.is_empty() || fed.end {
                return Ok((self, fed));
            }
        }
    }

    /// Those of the next outcomes that are to be redriven.
    async fn redriven(&mut self, from: u64) -> Result<Vec<NewChild>, Failure> {
        let place = self.place;
        let outcomes = move |store: &dyn Store| record::outcomes(store, place, from, MAP_RUN_OUTCOMES_READ_MAX);
        let outcomes = read(&self.shared, outcomes).await?;
        self.redrive_from = outcomes.last().map(|(last, _)| last + 1);
        let wanted = outcomes
            .into_iter()
            .filter(|(_, outcome)| outcome.status != StatusName::Succeeded && outcome.redrives < self.redrives);
        let children = wanted.map(|(index, outcome)| {
            let input = outcome.express.map(|express| Payload::from_checked_text(express.input));
            // A Standard one has its own.
            let input = input.unwrap_or_else(|| Payload::from_value(Value::empty_object()));
            NewChild { index, items: outcome.items, input, cursor: None, redriven: true }
        });
        Ok(children.collect())
    }

    /// After a restart items are read again whose child executions have ended.
    async fn leave_out_known(&mut self, children: &mut Vec<NewChild>) -> Result<(), Failure> {
        let (Some(first), Some(last)) = (children.first(), children.last()) else { return Ok(()) };
        let (first, last) = (first.index, last.index);
        let known_to = match self.known_to {
            Some(known_to) => known_to,
            None => self.read_known_to().await?,
        };
        self.known_to = Some(known_to);
        if first >= known_to {
            return Ok(());
        }
        let place = self.place;
        let known = read(&self.shared, move |store| record::ended_children(store, place, first, last)).await?;
        children.retain(|child| !known.contains(&child.index));
        Ok(())
    }

    async fn read_known_to(&mut self) -> Result<u64, Failure> {
        let place = self.place;
        Ok(read(&self.shared, move |store| record::last_outcome(store, place)).await?.map_or(0, |last| last + 1))
    }
}

/// Reads from the store. Where that fails the store has failed, and with it everything.
async fn read<T: Send + 'static>(
    shared: &Arc<Shared>,
    read: impl FnOnce(&dyn Store) -> Result<T, RecordError> + Send + 'static,
) -> Result<T, Failure> {
    let read = shared.away(move |shared| read(shared.store.as_ref()).map_err(log_down)).await;
    let unreadable = |_| Failure::new("States.Runtime", "What is stored of the Map Run cannot be read.");
    read.map_err(unreadable)?.map_err(unreadable)
}
