//! A Map as TestState runs it: its fields are evaluated and its items are made into inputs, but none is run.

use stepwell_expr::{Fuel, Payload, Value, json};

use super::{Begun, ENTERED, Tools, Trial};
use crate::{
    chance::Chance,
    data::{self, Fault, ItemFrom, MapItem, Scene},
    execution::FrameId,
    limits,
    map_run::{self, MapRunItem, Settings},
    program::{DataFlow, Template},
    state::{
        distributed::{Distributed, Evaluated, Reader},
        map::{Bounds, Map},
    },
};

impl Trial {
    /// Evaluates the fields of a Map, in the order in which an execution does.
    pub(super) fn begin_map(&self, map: &Map, scene: &Scene<'_>) -> Result<Begun, Fault> {
        let flow = &self.state().flow;
        let input = match flow {
            DataFlow::JsonPath(flow) => flow.selected_input(&self.identity.input, scene)?,
            DataFlow::Jsonata(_) => self.identity.input.clone(),
        };
        let view = scene.view(&input);
        let distributed = map.distributed.as_deref();
        let reader = distributed.and_then(|distributed| distributed.reader.as_ref());
        let items = match reader {
            Some(_) => None,
            None => Some(map.items(flow, &input, &view)?),
        };
        if let (Some(items), DataFlow::JsonPath(_)) = (&items, flow) {
            scene.saw(|stages| stages.after_items_path = Some(listed(items)));
        }
        let bounds = map.bounds(&view)?;
        let Bounds { max_concurrency, failures, failures_percentage } = bounds;
        scene.saw(|stages| {
            stages.max_concurrency = Some(max_concurrency);
            stages.tolerated_failure_count = failures;
            stages.tolerated_failure_percentage = failures_percentage;
        });
        let evaluated = distributed.map(|distributed| distributed.evaluate(bounds, &view)).transpose()?;
        let items = match (items, reader, &evaluated) {
            (Some(items), ..) if items.bytes() > self.limits.payload_bytes => return Err(Fault::InputTooLarge),
            (Some(items), ..) => Some(map_run::state_items_from(items.value(), 0, usize::MAX)),
            (None, Some(reader), Some(evaluated)) => self.items_read(reader, evaluated, scene),
            (None, ..) => None,
        };
        let Some(items) = items else { return Ok(Begun::Iterations { length: None }) };
        let length = items.len();
        let inputs = self.inputs(map, items, &input, scene)?;
        if let (Some(Distributed { batcher: Some(_), .. }), Some(evaluated)) = (distributed, &evaluated) {
            let batches = batches(inputs, &evaluated.settings, evaluated.batch_input.as_ref());
            scene.saw(|stages| stages.after_item_batcher = Some(listed(&Payload::array_of(&batches))));
        }
        Ok(Begun::Iterations { length: Some(length) })
    }

    /// The items of the data that the reader is taken to have read. `None`: there are no such data, or none that are
    /// JSON.
    ///
    /// Source: API model, `mapItemReaderData` and `afterItemsPointer`.
    fn items_read(&self, reader: &Reader, evaluated: &Evaluated, scene: &Scene<'_>) -> Option<Vec<MapRunItem>> {
        let data = self.reader_data.as_deref()?;
        let items = match reader.config.input_type.as_deref() {
            Some("JSONL") => {
                let lines = data.lines().filter(|line| !line.trim().is_empty());
                Value::array(lines.map(json::parse).collect::<Result<_, _>>().ok()?)
            }
            _ => {
                let document = json::parse(data).ok()?;
                match reader.config.items_pointer.as_deref() {
                    Some(pointer) => {
                        let items = pointed(&document, pointer)?.clone();
                        scene.saw(|stages| {
                            stages.after_items_pointer = Some(listed(&Payload::from_value(items.clone())));
                        });
                        items
                    }
                    // An object is iterated only where an `ItemsPointer` asks for it, as in executions.
                    None if document.as_array().is_none() => return None,
                    None => document,
                }
            }
        };
        let count = match usize::try_from(evaluated.settings.max_items) {
            Ok(0) | Err(_) => usize::MAX,
            Ok(count) => count,
        };
        let mut items = map_run::state_items_from(&items, 0, count);
        if let Some(source) = source(evaluated.reader_arguments.as_ref()) {
            items.iter_mut().for_each(|item| item.source = source.as_str().into());
        }
        Some(items)
    }

    /// What the iterations are given: what the item selector makes of the items, or the items themselves.
    fn inputs(
        &self,
        map: &Map,
        items: Vec<MapRunItem>,
        input: &Payload,
        scene: &Scene<'_>,
    ) -> Result<Vec<Payload>, Fault> {
        let Some(selector) = &map.selector else { return Ok(items.into_iter().map(|item| item.value).collect()) };
        // One for all: a test takes no more than an evaluation may.
        let fuel = Fuel::new(limits::FUEL_EVALUATION);
        let selected = items.into_iter().map(|item| self.select_item(selector, item, input, &fuel));
        let selected: Vec<Payload> = selected.collect::<Result<_, Fault>>()?;
        scene.saw(|stages| stages.after_item_selector = Some(listed(&Payload::array_of(&selected))));
        Ok(selected)
    }

    fn select_item(
        &self,
        selector: &Template,
        item: MapRunItem,
        input: &Payload,
        fuel: &Fuel,
    ) -> Result<Payload, Fault> {
        let tools = Tools::new(self, ENTERED);
        let chance = Chance::new(self.identity.root.child(item.index), ENTERED, FrameId(0), self.retries);
        let from = ItemFrom::Stream { key: item.key, value: item.value.value().clone(), source: item.source };
        let map_item = Some(MapItem { index: item.index, from });
        let context = self.context(&tools, map_item.clone());
        let scene = Scene { map_item, chance: &chance, fuel, ..self.scene(&tools, &context) };
        data::evaluate(selector, &scene.view(input)).map(Payload::from_value)
    }
}

/// Batches as a Map Run makes them; an item that is too large for any has one of its own.
fn batches(items: Vec<Payload>, settings: &Settings, batch_input: Option<&Payload>) -> Vec<Payload> {
    let empty_bytes = map_run::batch(batch_input, &[]).bytes();
    let (items_max, bytes_max) = (settings.batch_items_max(), settings.batch_bytes_max());
    let (mut batches, mut batch, mut bytes) = (Vec::new(), Vec::new(), empty_bytes);
    for item in items {
        let item_bytes = item.bytes() + 1;
        if !batch.is_empty() && (batch.len() >= items_max || bytes + item_bytes > bytes_max) {
            batches.push(map_run::batch(batch_input, &std::mem::take(&mut batch)));
            bytes = empty_bytes;
        }
        bytes += item_bytes;
        batch.push(item);
    }
    if !batch.is_empty() {
        batches.push(map_run::batch(batch_input, &batch));
    }
    batches
}

/// `Map.Item.Source` of items of an object in S3. Source: Step Functions guide.
fn source(arguments: Option<&Payload>) -> Option<String> {
    let text = |name: &str| arguments?.value().get(name)?.as_str();
    let bucket = text("Bucket")?;
    Some(text("Key").map_or_else(|| format!("S3://{bucket}"), |key| format!("S3://{bucket}/{key}")))
}

/// What a JSON Pointer names. Source: RFC 6901.
fn pointed<'v>(document: &'v Value, pointer: &str) -> Option<&'v Value> {
    if pointer.is_empty() {
        return Some(document);
    }
    let names = pointer.strip_prefix('/')?.split('/').map(|name| name.replace("~1", "/").replace("~0", "~"));
    names.into_iter().try_fold(document, |value, name| match value {
        Value::Object(members) => members.get(name.as_str()),
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Items as the stages of the data show them: each compact, a blank after the comma between two.
///
/// Source: recordings of `afterItemsPath`; what is made of them, by analogy.
fn listed(items: &Payload) -> Payload {
    let Some(values) = items.value().as_array() else { return items.clone() };
    let texts: Vec<String> = values.iter().map(Value::to_string).collect();
    Payload::from_checked_text(format!("[{}]", texts.join(", ")))
}
