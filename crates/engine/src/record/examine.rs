//! Reads everything of every execution, to tell what is damaged.

use std::{collections::BTreeMap, sync::Arc};

use stepwell_expr::Payload;
use stepwell_machine::{Status, execution::Phase};
use stepwell_store::{Direction, Space, Store, Visit};

use super::{ExecutionId, fill, history, load, load_wrecked, map_run};
use crate::{handle::GetHistory, limits::PAGE_MAX};

/// An execution whose rows cannot all be read.
#[derive(Clone, Debug)]
pub struct Broken {
    pub id: ExecutionId,
    /// `None`: its summary is what is lost.
    pub arn: Option<Arc<str>>,
    pub reason: String,
}

/// What [`examine`] found.
#[derive(Clone, Debug, Default)]
pub struct Examined {
    pub executions: u64,
    pub running: u64,
    pub events: u64,
    pub broken: Vec<Broken>,
    /// Broken executions that found no place in `broken` any more.
    pub more_broken: u64,
}

/// Most broken executions that are named.
const NAMED_MAX: usize = 10_000;

impl Examined {
    fn note(&mut self, id: ExecutionId, arn: Option<Arc<str>>, reason: String) {
        if self.broken.len() < NAMED_MAX {
            self.broken.push(Broken { id, arn, reason });
        } else {
            self.more_broken += 1;
        }
    }
}

/// Decodes every row of every execution. A running server may go on beside it: what it changes is read before or after.
///
/// `progress` is told how many executions were read so far.
pub fn examine(store: &dyn Store, progress: &mut dyn FnMut(u64)) -> Result<Examined, stepwell_store::Error> {
    let mut found = Examined::default();
    let mut failed = None;
    store.scan(Space::Summary, b"", b"", Direction::Forward, &mut |key, _| {
        let Ok(id) = <[u8; 16]>::try_from(key) else {
            found.note(ExecutionId([0; 16]), None, "the key of a summary is unknown".to_owned());
            return Visit::Continue(());
        };
        found.executions += 1;
        progress(found.executions);
        execution(store, ExecutionId(id), &mut found);
        Visit::Continue(())
    })?;
    // Rows whose summary is lost: each id once.
    let mut orphans: BTreeMap<ExecutionId, &str> = BTreeMap::new();
    for (space, what) in [(Space::History, "history"), (Space::Frames, "frames")] {
        let mut from = Vec::new();
        loop {
            let mut next = None;
            store.scan(space, &from, b"", Direction::Forward, &mut |key, _| {
                next = key.first_chunk::<16>().map(|id| ExecutionId(*id));
                Visit::Break(())
            })?;
            let Some(id) = next else { break };
            match store.get(Space::Summary, &id.0) {
                Ok(Some(_)) => {}
                Ok(None) if orphans.len() < NAMED_MAX => _ = orphans.insert(id, what),
                Ok(None) => {}
                Err(error) => failed = Some(error),
            }
            from = stepwell_store::prefix_end(&id.0);
            if from.is_empty() {
                break;
            }
        }
    }
    for (id, what) in orphans {
        found.note(id, None, format!("its summary is lost, its {what} is there"));
    }
    failed.map_or(Ok(found), Err)
}

fn execution(store: &dyn Store, id: ExecutionId, found: &mut Examined) {
    // What one that has ended left for a redrive is looked at too.
    let loaded = load(store, id).and_then(|loaded| match loaded {
        Some(loaded) if !loaded.execution.is_running() => load_wrecked(store, id),
        loaded => Ok(loaded),
    });
    let loaded = match loaded {
        Ok(Some(loaded)) => loaded,
        Ok(None) => return,
        Err(error) => {
            let arn = super::summary(store, id).ok().flatten().map(|row| row.summary.arn);
            return found.note(id, arn, error.to_string());
        }
    };
    let execution = loaded.execution;
    let arn = execution.identity.arn.clone();
    found.running += u64::from(execution.is_running());
    let mut texts = vec![execution.identity.input.clone()];
    if let Status::Succeeded { output, .. } = &execution.header.status {
        texts.push(output.clone());
    }
    for frame in execution.frames.values() {
        texts.push(frame.input.clone());
        texts.extend(frame.variables.values().cloned());
        match &frame.phase {
            Phase::Task(wait) => texts.push(wait.input.clone()),
            Phase::MapRun(wait) => texts.extend(wait.payloads().cloned()),
            Phase::Map(wait) => texts.extend([wait.items.clone(), wait.effective_input.clone()]),
            _ => {}
        }
    }
    texts.extend(execution.results.values().flat_map(|chunk| chunk.iter().flatten().cloned()));
    let checked = check_texts(store, id, &texts)
        .and_then(|()| map_run::examine(store, id).map_err(|error| error.to_string()))
        .and_then(|()| check_history(store, &arn, execution.header.next_event, &mut found.events));
    if let Err(reason) = checked {
        found.note(id, Some(arn), reason);
    }
}

fn check_texts(store: &dyn Store, id: ExecutionId, texts: &[Payload]) -> Result<(), String> {
    fill(store, id, texts).map_err(|error| error.to_string())
}

/// Every event is there; a running execution's summary does not know how many that are, its header does.
fn check_history(store: &dyn Store, arn: &Arc<str>, next_event: u64, events: &mut u64) -> Result<(), String> {
    let (mut after, mut expected) = (None, 1);
    loop {
        let get = GetHistory { execution_arn: arn.clone(), reverse: false, with_data: true, limit: PAGE_MAX, after };
        let page = history(store, &get).map_err(|error| error.to_string())?.ok_or("its history is lost")?;
        for event in &page.events {
            if event.id != expected {
                return Err(format!("event {expected} of its history is lost"));
            }
            expected += 1;
            *events += 1;
        }
        after = page.last;
        if after.is_none() {
            break;
        }
    }
    if expected < next_event { Err(format!("event {expected} of its history is lost")) } else { Ok(()) }
}
