//! Map Runs, as far as the language says what they do: their settings, and the inputs of their child executions.
//!
//! A distributed Map state begins a Map Run by an effect and waits for it like for a task. Whoever carries it out reads
//! the items, makes of them the inputs ([`MapRunRequest::item`], [`MapRunRequest::batch`]) and starts an execution on
//! each.

use std::{collections::BTreeMap, sync::Arc};

use sha2::{Digest, Sha256};
use stepwell_expr::{Fuel, Payload, Value};

use crate::{
    chance::Chance,
    context::STATE_DATA,
    data::{self, Fault, ItemFrom, MapItem, Scene},
    definition::MachineType,
    execution::{Child, Execution, Frame, FrameId, Identity, Phase, Redrives, TaskId},
    failure::Failure,
    limits,
    program::{Program, ScopeId, StateId},
    root::Root,
    state::{
        Kind, State,
        distributed::{Distributed, Reader, Writer},
        map::Map,
    },
};

/// What the fields of the state came to when it was entered.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Settings {
    /// Child executions at a time; 0: as many as may be.
    pub max_concurrency: u64,
    /// Items that may fail; with neither this nor the percentage, none may.
    pub tolerated_failure_count: Option<u64>,
    /// 0 to 100.
    pub tolerated_failure_percentage: Option<f64>,
    /// 0: all. A negative one fails the Map Run.
    pub max_items: i64,
    /// Items of one batch, and bytes of its input.
    pub batch_items: Option<u64>,
    pub batch_bytes: Option<u64>,
}

impl Settings {
    /// Items that go into one batch.
    pub fn batch_items_max(&self) -> usize {
        self.batch_items.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX)).max(1)
    }

    /// Bytes that the input of one batch may have.
    pub fn batch_bytes_max(&self) -> usize {
        let asked = self.batch_bytes.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
        asked.min(limits::PAYLOAD_BYTES_MAX)
    }
}

/// What a frame keeps of the Map Run that it waits for.
#[derive(Clone, Debug)]
pub struct MapRunWait {
    /// Id of the `MapRunStarted` event.
    pub task: TaskId,
    pub arn: Arc<str>,
    /// How often it was redriven.
    pub redrives: u64,
    pub settings: Settings,
    /// A JSON array or object; `None`: a reader gives them.
    pub items: Option<Payload>,
    /// What the item selector is applied to.
    pub effective_input: Payload,
    pub reader_arguments: Option<Payload>,
    pub batch_input: Option<Payload>,
    pub writer_arguments: Option<Payload>,
}

impl MapRunWait {
    pub fn payloads(&self) -> impl Iterator<Item = &Payload> {
        let optional = [&self.items, &self.reader_arguments, &self.batch_input, &self.writer_arguments];
        [&self.effective_input].into_iter().chain(optional.into_iter().flatten())
    }
}

/// How a Map Run ended.
#[derive(Clone, Debug)]
pub enum MapRunOutcome {
    /// The state's result.
    Succeeded {
        output: Payload,
    },
    Failed(Failure),
}

/// An item of a Map Run.
#[derive(Clone, Debug)]
pub struct MapRunItem {
    /// Position among all items, from 0.
    pub index: u64,
    /// Of an entry of an object.
    pub key: Option<Arc<str>>,
    pub value: Payload,
    /// `STATE_DATA` or where it was read, as `Map.Item.Source` shows it.
    pub source: Arc<str>,
}

/// Everything that is needed to carry out a Map Run. Made of the frame that waits for it, also after a restart.
#[derive(Clone, Debug)]
pub struct MapRunRequest {
    pub wait: MapRunWait,
    pub program: Arc<Program>,
    /// Of the execution that waits.
    pub identity: Arc<Identity>,
    /// What the roots of child executions are derived from.
    origin: Root,
    state: StateId,
    redrives: Redrives,
    frame: Arc<Frame>,
    /// Variables in sight of the state, the innermost scope first.
    variables: Vec<Arc<BTreeMap<Arc<str>, Payload>>>,
}

/// The ARN of a labelled state machine: `...:stateMachine:NAME/LABEL`.
pub fn labelled_machine_arn(state_machine_arn: &str, label: &str) -> String {
    format!("{state_machine_arn}/{label}")
}

/// The ARN of a new Map Run; always the same for the same step.
pub(crate) fn map_run_arn(identity: &Identity, label: &str, task: TaskId) -> Arc<str> {
    let prefix = identity.state_machine_arn.split(":stateMachine:").next().unwrap_or_default();
    // A child execution's machine has a label already: its own Map Runs have theirs in its place.
    let name = identity.state_machine_name.split('/').next().unwrap_or_default();
    format!("{prefix}:mapRun:{name}/{label}:{}", uuid(identity.root.map_run(task))).into()
}

/// The text of a random UUID (version 4) of these bits.
fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for digit in [byte >> 4, byte & 0x0f] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    text
}

impl Execution {
    /// The Map Run that is waited for under this id; `None`: it is not waited for any more.
    ///
    /// Payloads of the request may be absent: [`MapRunRequest::absent`].
    pub fn map_run_request(&self, program: &Arc<Program>, task: TaskId) -> Option<MapRunRequest> {
        if !self.is_running() {
            return None;
        }
        let waits = |frame: &Frame| matches!(&frame.phase, Phase::MapRun(wait) if wait.task == task);
        let (_, frame) = self.frames.iter().find(|(_, frame)| waits(frame))?;
        let Phase::MapRun(wait) = &frame.phase else { return None };
        let mut variables = vec![frame.variables.clone()];
        let mut at = frame.parent;
        while let Some((parent, _)) = at {
            let parent = self.frames.get(&parent)?;
            variables.push(parent.variables.clone());
            at = parent.parent;
        }
        Some(MapRunRequest {
            wait: (**wait).clone(),
            program: program.clone(),
            identity: self.identity.clone(),
            origin: self.identity.root.origin(task),
            state: frame.state,
            redrives: self.header.redrives,
            frame: frame.clone(),
            variables,
        })
    }

    /// The Map Runs that it waits for.
    pub fn map_runs(&self) -> impl Iterator<Item = &MapRunWait> {
        self.frames.values().filter_map(|frame| match &frame.phase {
            Phase::MapRun(wait) => Some(&**wait),
            _ => None,
        })
    }
}

impl MapRunRequest {
    /// Payloads that are to be filled before anything else is asked.
    pub fn absent(&self) -> Vec<Payload> {
        let variables = self.variables.iter().flat_map(|scope| scope.values());
        let all = self.wait.payloads().chain([&self.identity.input]).chain(variables);
        all.filter(|payload| payload.is_absent()).cloned().collect()
    }

    fn state(&self) -> &State {
        self.program.state(self.state)
    }

    fn map(&self) -> Option<(&Map, &Distributed)> {
        match &self.state().kind {
            Kind::Map(map) => Some((map, map.distributed.as_deref()?)),
            _ => None,
        }
    }

    pub fn state_name(&self) -> &str {
        &self.state().name
    }

    pub fn label(&self) -> &str {
        self.map().map_or("", |(_, distributed)| &distributed.label)
    }

    /// The state machine of the child executions.
    pub fn child_machine_arn(&self) -> String {
        let own = &self.identity.state_machine_arn;
        // The machine of a child execution has a label already.
        let (prefix, name) = own.rsplit_once(':').unwrap_or(("", own));
        let name = name.split('/').next().unwrap_or_default();
        labelled_machine_arn(&format!("{prefix}:{name}"), self.label())
    }

    /// What the ARNs of Standard child executions begin with; their names follow.
    pub fn child_arn_prefix(&self) -> String {
        format!("{}:", self.child_machine_arn().replacen(":stateMachine:", ":execution:", 1))
    }

    pub fn child_machine_name(&self) -> String {
        let name = self.identity.state_machine_name.split('/').next().unwrap_or_default();
        format!("{name}/{}", self.label())
    }

    pub fn child_type(&self) -> MachineType {
        self.map().map_or(MachineType::Standard, |(_, distributed)| distributed.child_type)
    }

    pub fn reader(&self) -> Option<&Reader> {
        self.map()?.1.reader.as_ref()
    }

    pub fn writer(&self) -> Option<&Writer> {
        self.map()?.1.writer.as_ref()
    }

    /// True if several items go into one child execution.
    pub fn is_batched(&self) -> bool {
        self.map().is_some_and(|(_, distributed)| distributed.batcher.is_some())
    }

    /// True if making an item's input takes an evaluation.
    pub fn selects(&self) -> bool {
        self.map().is_some_and(|(map, _)| map.selector.is_some())
    }

    /// What a child execution is known by.
    pub fn child(&self, index: u64, items: u64) -> Child {
        let scope = self.map().map_or(ScopeId(0), |(map, _)| map.processor);
        Child { map_run_arn: self.wait.arn.clone(), index, items, scope }
    }

    /// The name of a child execution: the same each time. It looks like those that are drawn.
    pub fn child_name(&self, index: u64) -> Arc<str> {
        child_name(&self.wait.arn, index)
    }

    /// The root of a child execution, by which a start that is repeated finds it.
    pub fn child_root(&self, index: u64) -> Root {
        self.origin.child(index)
    }

    /// What a child execution is given for an item: what the item selector makes of it, or the item itself.
    ///
    /// Evaluates with full fuel: about a second at the worst.
    pub fn item(&self, item: &MapRunItem) -> Result<Payload, Failure> {
        let selector = self.map().and_then(|(map, _)| map.selector.as_ref());
        let Some(selector) = selector else { return self.bounded(item.value.clone()) };
        let state = self.state();
        // An item draws numbers of its own, the same in each attempt to make its input.
        let chance = Chance::new(self.origin.child(item.index), 0, FrameId(0), 0);
        let from =
            ItemFrom::Stream { key: item.key.clone(), value: item.value.value().clone(), source: item.source.clone() };
        let scene = Scene {
            identity: &self.identity,
            redrives: self.redrives,
            state_name: &state.name,
            entered_ms: self.frame.entered_ms,
            retry_count: Some(self.frame.retries.iter().sum()),
            token_of: None,
            map_item: Some(MapItem { index: item.index, from }),
            variables: self.variables.clone(),
            chance: &chance,
            now_ms: self.frame.entered_ms,
            fuel: &Fuel::new(limits::FUEL_EVALUATION),
            // Items and batches keep to AWS's bounds, whatever the operator sets.
            limits: &limits::Limits::default(),
            given_context: None,
            seen: None,
        };
        let made = data::evaluate(selector, &scene.view(&self.wait.effective_input));
        self.bounded(Payload::from_value(made.map_err(|fault| self.failure(fault))?))
    }

    /// The input of a child execution for a batch of items.
    pub fn batch(&self, items: &[Payload]) -> Payload {
        batch(self.wait.batch_input.as_ref(), items)
    }

    /// Bytes that a batch has beside its items and the commas between them.
    pub fn batch_bytes(&self) -> usize {
        self.batch(&[]).bytes()
    }

    fn bounded(&self, input: Payload) -> Result<Payload, Failure> {
        let too_large = input.bytes() > limits::PAYLOAD_BYTES_MAX;
        if too_large { Err(self.failure(Fault::InputTooLarge)) } else { Ok(input) }
    }

    fn failure(&self, fault: Fault) -> Failure {
        let state = self.state();
        fault.explained(state.language, &state.name, self.frame.entered).failure
    }
}

/// The input for a batch of items: `{"BatchInput": ..., "Items": [...]}`. Source: recordings.
pub(crate) fn batch(batch_input: Option<&Payload>, items: &[Payload]) -> Payload {
    let mut text = String::from("{");
    if let Some(input) = batch_input {
        text.push_str("\"BatchInput\":");
        text.push_str(input.text());
        text.push(',');
    }
    text.push_str("\"Items\":[");
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(item.text());
    }
    text.push_str("]}");
    Payload::from_checked_text(text)
}

/// See [`MapRunRequest::child_name`].
pub fn child_name(map_run_arn: &str, index: u64) -> Arc<str> {
    let mut hash = Sha256::new();
    hash.update(map_run_arn.as_bytes());
    hash.update(index.to_be_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    uuid(bytes).into()
}

/// Up to `count` items from the one at `from` on, of those that came with the state's input.
pub fn state_items_from(items: &Value, from: usize, count: usize) -> Vec<MapRunItem> {
    let item = |index: usize, key: Option<&Arc<str>>, value: &Value| MapRunItem {
        index: index as u64,
        key: key.cloned(),
        value: Payload::from_value(value.clone()),
        source: STATE_DATA.into(),
    };
    match items {
        Value::Array(items) => {
            let items = items.iter().enumerate().skip(from).take(count);
            items.map(|(index, value)| item(index, None, value)).collect()
        }
        Value::Object(members) => {
            let members = members.iter().enumerate().skip(from).take(count);
            members.map(|(index, (key, value))| item(index, Some(key), value)).collect()
        }
        _ => Vec::new(),
    }
}

/// How many items came with the state's input.
pub fn state_items(items: &Value) -> usize {
    match items {
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_children_look_drawn_and_are_the_same_each_time() {
        let name = child_name("arn:run", 7);
        assert_eq!(name, child_name("arn:run", 7));
        assert_ne!(name, child_name("arn:run", 8));
        assert_ne!(name, child_name("arn:other", 7));
        assert_eq!((name.len(), &name[14..15]), (36, "4"), "{name}");
    }

    #[test]
    fn entries_of_objects_are_items_with_keys() {
        let items = Value::object([("a", Value::from(1)), ("b", Value::from(2))]);
        let rest = state_items_from(&items, 1, 5);
        assert_eq!(rest.len(), 1);
        assert_eq!((rest[0].key.as_deref(), rest[0].value.value(), rest[0].index), (Some("b"), &Value::from(2), 1));
        assert_eq!((state_items(&items), state_items(&Value::from(1))), (2, 0));
    }
}
