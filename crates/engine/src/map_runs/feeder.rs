//! From the stream of items to the inputs of child executions.

use std::{collections::VecDeque, sync::Arc};

use stepwell_expr::{Payload, Value};
use stepwell_machine::{
    Failure, MapRunItem, MapRunRequest,
    map_run::{state_items, state_items_from},
};

use super::{
    Order,
    source::{Fed, NewChild},
};
use crate::{
    limits::{MAP_RUN_FED_BYTES_MAX, MAP_RUN_FED_MAX, MAP_RUN_READ_BYTES_MAX, MAP_RUN_READ_ITEMS_MAX},
    map_items::{Caller, ItemStream, MapItems, Pending, Position, ReadItem, ReadItems, ReadSpec},
    record::ItemCursor,
    shared::Shared,
};

pub(super) struct Feeder {
    shared: Arc<Shared>,
    order: Arc<Order>,
    stream: Box<dyn ItemStream>,
    /// Items read, with their inputs yet to be made; each with the way back to it.
    read: VecDeque<(ReadItem, Way)>,
    at_end: bool,
    /// Behind what was read.
    position: Option<Position>,
    /// Index of the next item that is read.
    next_item: u64,
    next_child: u64,
    /// Items of the batch that is being filled.
    batch: Vec<Payload>,
    batch_bytes: usize,
    batch_way: Option<Way>,
    /// The cursor that was made last, to be shared.
    cursor: Arc<ItemCursor>,
}

/// The page that an item came with, and its place in it.
#[derive(Clone, Debug)]
struct Way {
    page: Option<Position>,
    first: u64,
    skip: u64,
}

impl Feeder {
    /// Opens the stream where `cursor` says.
    pub(super) async fn open(shared: &Arc<Shared>, order: Arc<Order>, cursor: &ItemCursor) -> Result<Feeder, Failure> {
        let stream = open(shared.map_items.as_ref(), &order.request, cursor.position.clone()).await?;
        let mut feeder = Feeder {
            shared: shared.clone(),
            order,
            stream,
            read: VecDeque::new(),
            at_end: false,
            position: cursor.position.clone(),
            next_item: cursor.item,
            next_child: cursor.child,
            batch: Vec::new(),
            batch_bytes: 0,
            batch_way: None,
            cursor: Arc::new(cursor.clone()),
        };
        for _ in 0..cursor.skip {
            if feeder.read.is_empty() && !feeder.at_end {
                feeder.read_page().await?;
            }
            feeder.read.pop_front();
        }
        Ok(feeder)
    }

    async fn read_page(&mut self) -> Result<(), Failure> {
        let page = self.position.clone();
        let ReadItems { items, position, end } =
            self.stream.next(MAP_RUN_READ_ITEMS_MAX, MAP_RUN_READ_BYTES_MAX).await?;
        let first = self.next_item;
        let most = match u64::try_from(self.order.request.wait.settings.max_items) {
            Ok(0) | Err(_) => u64::MAX,
            Ok(most) => most,
        };
        for (skip, item) in (0..).zip(items) {
            if self.next_item >= most {
                break;
            }
            self.next_item += 1;
            self.read.push_back((item, Way { page: page.clone(), first, skip }));
        }
        self.position = Some(position);
        self.at_end = end || self.next_item >= most;
        Ok(())
    }

    /// The next child executions: at least one, unless that were all. What it answers together is bounded.
    pub(super) async fn feed(mut self) -> Result<(Feeder, Fed), Failure> {
        loop {
            if self.read.is_empty() && !self.at_end {
                self.read_page().await?;
                continue;
            }
            // Evaluations may take as long as they may: not on a thread that others wait for.
            let made = if self.order.request.selects() {
                let shared = self.shared.clone();
                let made = shared.away(move |_| {
                    let made = self.make();
                    (self, made)
                });
                match made.await {
                    Ok((feeder, made)) => {
                        self = feeder;
                        made
                    }
                    Err(_) => return Err(Failure::new("States.Runtime", "An item's input could not be made.")),
                }
            } else {
                self.make()
            };
            let fed = made?;
            if !fed.children.is_empty() || fed.end {
                return Ok((self, fed));
            }
        }
    }

    /// Makes inputs of what was read.
    fn make(&mut self) -> Result<Fed, Failure> {
        let mut fed = Fed::default();
        let mut bytes = 0;
        while fed.children.len() < MAP_RUN_FED_MAX && bytes < MAP_RUN_FED_BYTES_MAX {
            let Some((item, way)) = self.read.pop_front() else { break };
            let index = way.first + way.skip;
            let item = MapRunItem { index, key: item.key, value: item.value, source: item.source };
            let input = self.order.request.item(&item)?;
            if !self.order.request.is_batched() {
                bytes += input.bytes();
                let child = self.child(1, input, &way);
                fed.children.push(child);
                continue;
            }
            if let Some(child) = self.add(input, way)? {
                bytes += child.input.bytes();
                fed.children.push(child);
            }
        }
        if self.read.is_empty() && self.at_end {
            fed.children.extend(self.flush());
            fed.end = true;
        }
        fed.items_read = self.next_item;
        Ok(fed)
    }

    fn child(&mut self, items: u64, input: Payload, way: &Way) -> NewChild {
        let index = self.next_child;
        self.next_child += 1;
        // One cursor for all that come from a page: reading it again costs little.
        if self.cursor.item != way.first || self.cursor.position != way.page {
            let position = way.page.clone();
            self.cursor = Arc::new(ItemCursor { position, skip: way.skip, item: way.first, child: index });
        }
        NewChild { index, items, input, cursor: Some(self.cursor.clone()), redriven: false }
    }

    /// Puts an item into a batch; answers the batch before it if that is full.
    fn add(&mut self, input: Payload, way: Way) -> Result<Option<NewChild>, Failure> {
        let settings = &self.order.request.wait.settings;
        let (items_max, bytes_max) = (settings.batch_items_max(), settings.batch_bytes_max());
        let bytes = input.bytes() + 1;
        let full = self.order.request.batch_bytes() + self.batch_bytes + bytes > bytes_max;
        let mut done = None;
        if full {
            if self.batch.is_empty() {
                let text = "An item and the batch input are larger than a batch may be.";
                return Err(Failure::new("States.ItemReaderFailed", text));
            }
            done = self.flush();
        }
        self.batch_way.get_or_insert(way);
        self.batch.push(input);
        self.batch_bytes += bytes;
        if self.batch.len() >= items_max && done.is_none() {
            done = self.flush();
        }
        Ok(done)
    }

    fn flush(&mut self) -> Option<NewChild> {
        let way = self.batch_way.take()?;
        let items = std::mem::take(&mut self.batch);
        self.batch_bytes = 0;
        Some(self.child(items.len() as u64, self.order.request.batch(&items), &way))
    }
}

async fn open(
    items: &dyn MapItems,
    request: &MapRunRequest,
    from: Option<Position>,
) -> Result<Box<dyn ItemStream>, Failure> {
    let max_items = request.wait.settings.max_items;
    let Ok(items_max) = u64::try_from(max_items) else {
        // Source: recordings.
        return Err(Failure::new("States.ItemReaderFailed", "field MaxItems must be positive"));
    };
    if let Some(items) = &request.wait.items {
        let next = from.and_then(|from| from.0.as_ref().try_into().ok()).map_or(0, u64::from_be_bytes);
        return Ok(Box::new(StateItems { items: items.clone(), next }));
    }
    let Some(reader) = request.reader() else {
        return Err(Failure::new("States.Runtime", "The Map Run has no items."));
    };
    let arguments =
        request.wait.reader_arguments.as_ref().map_or_else(Value::empty_object, |arguments| arguments.value().clone());
    let spec = ReadSpec {
        resource: reader.resource.clone(),
        arguments,
        config: reader.config.clone(),
        items_max,
        caller: caller(request),
    };
    items.open(spec, from).await
}

pub(super) fn caller(request: &MapRunRequest) -> Caller {
    let identity = &request.identity;
    Caller {
        execution_arn: identity.arn.clone(),
        state_machine_arn: identity.state_machine_arn.clone(),
        role_arn: identity.role_arn.clone(),
    }
}

/// Items that came with the state's input.
struct StateItems {
    items: Payload,
    next: u64,
}

impl ItemStream for StateItems {
    fn next(&mut self, items_max: usize, _bytes_max: usize) -> Pending<'_, ReadItems> {
        let from = usize::try_from(self.next).unwrap_or(usize::MAX);
        let all = self.items.value();
        let items = state_items_from(all, from, items_max).into_iter();
        let items: Vec<ReadItem> =
            items.map(|MapRunItem { key, value, source, .. }| ReadItem { value, key, source }).collect();
        self.next += items.len() as u64;
        let position = Position(self.next.to_be_bytes().as_slice().into());
        let end = self.next >= state_items(all) as u64;
        Box::pin(std::future::ready(Ok(ReadItems { items, position, end })))
    }
}
