//! One step as rows.

use std::{collections::BTreeMap, sync::Arc};

use stepwell_expr::Payload;
use stepwell_machine::{
    Effect, Execution, Frame, FrameId, Identity, MapRunWait, Status, Step, TaskId, execution::Phase,
};
use stepwell_store::{Batch, Space};

use super::{
    Books, ExecutionId, MapRunMark, MapRunPlace, Timer,
    events::{self, FirstEvents},
    frames, input_hash, key, listing, map_run,
    queues::{self, Queued},
    stops,
    summary::{self, Stored, status_name, stop_ms},
    texts::Rows,
};
use crate::limits::{REDRIVE_PERIOD_MS, STATE_IN_SUMMARY_BYTES_MAX};

/// The books of an execution that has not begun. Nothing is written before its first step.
pub fn record_start(execution: &Execution, revision: u64, trace_header: Option<Arc<str>>) -> Books {
    Books {
        revision,
        trace_header,
        input_hash: input_hash(&execution.identity.input),
        header: Vec::new(),
        lone: None,
        in_summary: false,
        first_events: Some(FirstEvents::default()),
        timer_ms: None,
        listed: None,
        waking: false,
        queued: Default::default(),
        texts: Default::default(),
        redrives: 0,
        redrive_tokens: Vec::new(),
    }
}

/// Adds the rows of one step to `batch`: `after` is `before` with `step` applied.
///
/// Steps of one execution are recorded in their order; several may go into one batch. A step that changed nothing
/// adds nothing. A step that ended the execution removes all but summary, history and listing, and what a redrive of
/// it would need. Work in proportion to what changed.
pub fn record_step(books: &mut Books, before: &Execution, step: &Step, after: &Execution, batch: &mut Batch) {
    let id = ExecutionId::of(&after.identity);
    let is_new = books.listed.is_none();
    let mut texts = std::mem::take(&mut books.texts);
    let mut rows = Rows { id, root: &after.identity.root, stored: &mut texts, batch };
    let lone = lone_frame(after);
    let may_be_in_summary = books.in_summary || (is_new && is_short(&after.identity));
    let in_summary = may_be_in_summary && lone.is_some();
    events::record(&step.history, &mut books.first_events, in_summary, &mut rows);
    record_frames(books.lone, lone, before, step, after, &mut rows);
    record_results(before, step, &mut rows);
    record_test_case(is_new, after, &mut rows);
    record_tasks(books, step, after, &mut rows);
    record_timer(books, after, &mut rows);
    record_wake(books, after, &mut rows);
    record_wrecks(before, after, &mut rows);
    let moved = record_header(books, in_summary, lone, step, after, &mut rows);
    record_status(books, moved, after, &mut rows);
    books.texts = texts;
}

/// The frame that is beside the header: the only one of an execution that runs.
fn lone_frame(execution: &Execution) -> Option<FrameId> {
    let (id, _) = execution.frames.first_key_value()?;
    (execution.is_running() && execution.frames.len() == 1).then_some(*id)
}

/// Frames have rows of their own, but for the one beside the header: `old` before the step, `new` after it.
fn record_frames(
    old: Option<FrameId>,
    new: Option<FrameId>,
    before: &Execution,
    step: &Step,
    after: &Execution,
    rows: &mut Rows<'_>,
) {
    let moved = old.into_iter().chain(new).filter(|id| old != new && !step.frames.contains_key(id));
    for id in step.frames.keys().copied().chain(moved) {
        let [was, is] = [before, after].map(|execution| execution.frames.get(&id));
        match is {
            Some(frame) if new != Some(id) => {
                let row = frames::encode_frame(frame, rows);
                rows.put(Space::Frames, key::frame(rows.id, id), row);
            }
            _ if was.is_some() && old != Some(id) => rows.delete(Space::Frames, key::frame(rows.id, id)),
            _ => {}
        }
        record_variables(id, was, is, rows);
    }
}

fn record_variables(id: FrameId, was: Option<&Arc<Frame>>, is: Option<&Arc<Frame>>, rows: &mut Rows<'_>) {
    let had_variables = was.is_some_and(|frame| !frame.variables.is_empty());
    match is {
        Some(frame) if was.is_some_and(|was| Arc::ptr_eq(&was.variables, &frame.variables)) => {}
        Some(frame) if !frame.variables.is_empty() => {
            let row = frames::encode_variables(&frame.variables, rows);
            rows.put(Space::Frames, key::variables(rows.id, id), row);
        }
        _ if had_variables => rows.delete(Space::Frames, key::variables(rows.id, id)),
        _ => {}
    }
}

fn record_results(before: &Execution, step: &Step, rows: &mut Rows<'_>) {
    for ((frame_id, chunk), results) in &step.results {
        let old = before.results.get(&(*frame_id, *chunk)).map(|old| old.as_slice());
        let new = results.as_ref().map(|results| results.as_slice());
        record_chunk(*frame_id, *chunk, old, new, rows);
    }
}

/// Writes the results that are new or others than before, by their identity in memory.
///
/// A chunk ends with its last result, so that it needs no row of its own.
fn record_chunk(
    frame_id: FrameId,
    chunk: u32,
    old: Option<&[Option<Payload>]>,
    new: Option<&[Option<Payload>]>,
    rows: &mut Rows<'_>,
) {
    let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
    for index in 0..old.len().max(new.len()) {
        let slot = u16::try_from(index).expect("a chunk holds RESULTS_PER_CHUNK results at most");
        let slot_key = key::result(rows.id, frame_id, chunk, slot);
        let at = |results: &[Option<Payload>]| results.get(index).cloned().flatten();
        match (at(old), at(new)) {
            (Some(old), Some(new)) if old.is(&new) => {}
            (_, Some(new)) => {
                let row = frames::encode_result(&new, rows);
                rows.put(Space::Frames, slot_key, row);
            }
            (Some(_), None) => rows.delete(Space::Frames, slot_key),
            (None, None) => {}
        }
    }
}

/// It is kept with the frames: until the execution succeeds, since any other end may be redriven.
fn record_test_case(is_new: bool, after: &Execution, rows: &mut Rows<'_>) {
    let Some(test_case) = &after.identity.test_case else { return };
    let succeeded = matches!(after.header.status, Status::Succeeded { .. });
    if is_new && !succeeded {
        let row = frames::encode_test_case(test_case);
        rows.put(Space::Frames, key::test_case(rows.id), row);
    } else if !is_new && succeeded {
        rows.delete(Space::Frames, key::test_case(rows.id));
    }
}

/// A task has a row from its schedule until its call has come back or a worker has taken it, or it is dropped.
fn record_tasks(books: &mut Books, step: &Step, after: &Execution, rows: &mut Rows<'_>) {
    let mut fresh: BTreeMap<TaskId, Queued> = BTreeMap::new();
    let mut done: Vec<TaskId> = Vec::new();
    for effect in &step.effects {
        match effect {
            Effect::RunTask(request) => {
                fresh.insert(request.task, Queued::Intent);
            }
            Effect::OfferTask { task, activity_arn, .. } => {
                fresh.insert(*task, Queued::Offer { activity_arn: activity_arn.clone() });
            }
            Effect::DropTask { task } => done.push(*task),
            Effect::StopJob(request) => stops::record_stop(request, rows),
            Effect::RunMapRun(wait) => record_map_run(wait, after, rows),
            Effect::StopMapRun { .. } => {}
        }
    }
    done.extend(step.frames.values().flatten().filter_map(|frame| match &frame.phase {
        Phase::Task(wait) if wait.under_way && wait.submitted.is_none() => Some(wait.task),
        _ => None,
    }));
    if !after.is_running() {
        fresh.clear();
        done.extend(books.queued.iter());
    }
    for task in done {
        fresh.remove(&task);
        if books.queued.remove(&task) {
            rows.delete(Space::Open, key::task(rows.id, task));
        }
    }
    for (task, queued) in fresh {
        books.queued.insert(task);
        let row = queues::encode_task(&queued, after.header.last_event_ms);
        rows.put(Space::Open, key::task(rows.id, task), row);
    }
}

/// A Map Run is carried out by an actor of its own, which finds it by its mark.
fn record_map_run(wait: &MapRunWait, after: &Execution, rows: &mut Rows<'_>) {
    let place = MapRunPlace { execution: rows.id, task: wait.task };
    if wait.redrives == 0 {
        map_run::begin(place, wait, &after.identity.arn, after.header.last_event_ms, rows.batch);
    }
    map_run::mark(MapRunMark { place, redrives: wait.redrives }, rows.batch);
}

fn record_timer(books: &mut Books, after: &Execution, rows: &mut Rows<'_>) {
    let timer_ms = after.deadline_ms();
    if timer_ms == books.timer_ms {
        return;
    }
    let execution = rows.id;
    if let Some(due_ms) = books.timer_ms {
        rows.delete(Space::Open, key::timer(Timer { due_ms, execution }));
    }
    if let Some(due_ms) = timer_ms {
        rows.put(Space::Open, key::timer(Timer { due_ms, execution }), queues::encode_mark());
    }
    books.timer_ms = timer_ms;
}

fn record_wake(books: &mut Books, after: &Execution, rows: &mut Rows<'_>) {
    let waking = after.is_ready();
    if waking && !books.waking {
        rows.put(Space::Open, key::wake(rows.id), queues::encode_mark());
    } else if !waking && books.waking {
        rows.delete(Space::Open, key::wake(rows.id));
    }
    books.waking = waking;
}

/// What is kept for a redrive has a row that says until when.
fn record_wrecks(before: &Execution, after: &Execution, rows: &mut Rows<'_>) {
    let [old, new] = [before, after].map(wrecks_until_ms);
    if old == new {
        return;
    }
    if let Some(until_ms) = old {
        rows.delete(Space::Open, key::wrecks(rows.id, until_ms));
    }
    if let Some(until_ms) = new {
        rows.put(Space::Open, key::wrecks(rows.id, until_ms), queues::encode_mark());
    }
}

fn wrecks_until_ms(execution: &Execution) -> Option<i64> {
    let stop_ms = stop_ms(&execution.header.status)?;
    (!execution.frames.is_empty()).then(|| stop_ms.saturating_add(REDRIVE_PERIOD_MS))
}

/// Header and only frame are part of the summary row from the first step on, for as long as there is only one frame. Where
/// they cannot be, or are no more, they have a row. True if the summary row is to be written because of them.
fn record_header(
    books: &mut Books,
    in_summary: bool,
    lone: Option<FrameId>,
    step: &Step,
    after: &Execution,
    rows: &mut Rows<'_>,
) -> bool {
    let header =
        if after.is_running() { frames::encode_header(&after.header, books.timer_ms).into_bytes() } else { Vec::new() };
    let frame = lone.and_then(|id| Some((id, after.frames.get(&id)?)));
    let same_frame = lone == books.lone && lone.is_none_or(|id| !step.frames.contains_key(&id));
    if header == books.header && same_frame {
        return false;
    }
    let was_in_summary = books.in_summary;
    books.in_summary = in_summary;
    match frame {
        _ if books.in_summary => {}
        _ if header.is_empty() && was_in_summary => {}
        _ if header.is_empty() => rows.delete(Space::Frames, key::header(rows.id)),
        None => rows.batch.put(Space::Frames, key::header(rows.id), header.clone()),
        Some((id, frame)) => {
            let row = frames::encode_header_and_frame(&header, id, frame, rows);
            rows.put(Space::Frames, key::header(rows.id), row);
        }
    }
    books.header = header;
    books.lone = lone;
    was_in_summary || books.in_summary
}

/// True if the summary row is so short that it may be written in each step.
fn is_short(identity: &Identity) -> bool {
    let names = [&identity.arn, &identity.state_machine_arn, &identity.role_arn];
    identity.input.bytes() + names.iter().map(|name| name.len()).sum::<usize>() <= STATE_IN_SUMMARY_BYTES_MAX
}

/// The summary, with what is part of it; the listing at the start and at the end.
fn record_status(books: &mut Books, moved: bool, after: &Execution, rows: &mut Rows<'_>) {
    let status = status_name(&after.header.status);
    let redrives = after.header.redrives.count;
    let same_status = books.listed == Some(status) && books.redrives == redrives;
    if same_status && !moved {
        return;
    }
    let stored = Stored {
        identity: Identity::clone(&after.identity),
        revision: books.revision,
        trace_header: books.trace_header.clone(),
        input_hash: books.input_hash,
        status: after.header.status.clone(),
        next_event: after.header.next_event,
        next_frame: after.header.next_frame,
        redrives: after.header.redrives,
        redrive_tokens: books.redrive_tokens.clone(),
    };
    let frame = books.lone.filter(|_| books.in_summary).and_then(|id| Some((id, after.frames.get(&id)?)));
    let state = frame.map(|(id, frame)| (books.header.as_slice(), id, frame.as_ref()));
    let first_events = books.first_events.as_ref().map_or(&[][..], FirstEvents::chunk);
    let row = summary::encode(&stored, state, first_events, rows);
    rows.put(Space::Summary, key::summary(rows.id), row);
    if same_status {
        return;
    }
    listing::record(&after.identity, books.listed, &after.header, rows);
    books.listed = Some(status);
    books.redrives = redrives;
}
