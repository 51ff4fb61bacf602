//! History events in chunks.
//!
//! Every step begins a chunk of its own, and a new one after `CHUNK_EVENTS` events or `CHUNK_BYTES_MAX` bytes. So a
//! chunk is written once and never changed: a small step writes little, nothing is read back in order to append, and the
//! chunk that holds an event is one seek away, at any depth. The price is a row for each step that only adds an event or
//! two.
//!
//! Most executions have few steps. While header and only frame are part of the summary row, and the events are few, so are
//! the events ([`FirstEvents`]): the row is written in each step anyway. They become a chunk, together with those of the
//! step in which they do not fit any more, or which ends the execution. Until then there is no other chunk.
//!
//! A chunk is keyed by its first event id; its events are numbered on from there. Times are kept as differences within
//! the chunk, `previous` as the distance back.

use stepwell_expr::Payload;
use stepwell_machine::{
    HistoryEvent,
    history::{Assigned, Detail, ServiceResource},
    state::StateType,
};
use stepwell_store::Space;

use super::{
    codec::{Fault, Reader, Writer},
    key,
    summary::{failure, read_failure},
    texts::{Rows, Texts},
};
use crate::limits::{CHUNK_BYTES_MAX, CHUNK_EVENTS, CHUNK_EVENTS_MAX, FIRST_EVENTS_BYTES_MAX};

/// 2: a chunk with an event of a redrive or of a Map Run; others are written as 1, which older releases read.
const VERSION: u8 = 2;

/// The id of the first event.
pub(super) const FIRST: u64 = 1;

/// The events of an execution's first steps, as a chunk that has no row of its own yet.
#[derive(Clone, Debug, Default)]
pub(super) struct FirstEvents {
    /// Empty as long as there are none.
    chunk: Vec<u8>,
    count: usize,
    /// The time of the last one.
    time_ms: i64,
}

impl FirstEvents {
    /// Of the chunk that a summary row holds.
    pub(super) fn read(chunk: Vec<u8>) -> Result<FirstEvents, Fault> {
        let events = decode(&chunk, FIRST, &mut Texts::default())?;
        let time_ms = events.last().map_or(0, |decoded| decoded.event.timestamp_ms);
        Ok(FirstEvents { chunk, count: events.len(), time_ms })
    }

    /// Empty without events.
    pub(super) fn chunk(&self) -> &[u8] {
        &self.chunk
    }

    /// Adds all the events of a step; or none, and answers false, if a chunk does not hold them.
    fn add(&mut self, events: &[HistoryEvent], rows: &mut Rows<'_>) -> bool {
        if events.is_empty() {
            return true;
        }
        if self.count + events.len() > CHUNK_EVENTS || !events.iter().all(|event| is_old(&event.detail)) {
            return false;
        }
        let (before, mut time_ms) = (self.chunk.len(), self.time_ms);
        let mut out = match before {
            0 => Writer::row(1),
            _ => Writer::behind(std::mem::take(&mut self.chunk)),
        };
        for event in events {
            write(event, &mut time_ms, &mut out, rows);
        }
        self.chunk = out.into_bytes();
        if self.chunk.len() > CHUNK_BYTES_MAX {
            self.chunk.truncate(before);
            return false;
        }
        self.count += events.len();
        self.time_ms = time_ms;
        true
    }
}

/// Writes the events of one step. `first`: those of the steps before, if they have no row, and whether these may go without as
/// well (`stays`).
pub(super) fn record(events: &[HistoryEvent], first: &mut Option<FirstEvents>, stays: bool, rows: &mut Rows<'_>) {
    let mut rest = events;
    if let Some(mut chunk) = first.take() {
        if chunk.add(events, rows) {
            if stays && chunk.count > 0 && chunk.chunk.len() <= FIRST_EVENTS_BYTES_MAX {
                *first = Some(chunk);
                return;
            }
            rest = &[];
        }
        if chunk.count > 0 {
            rows.batch.put(Space::History, key::chunk(rows.id, FIRST), chunk.chunk);
        }
    }
    while let Some(first) = rest.first() {
        let (chunk, taken) = encode(rest, rows);
        rows.put(Space::History, key::chunk(rows.id, first.id), chunk);
        rest = &rest[taken..];
    }
}

/// One chunk from the first of `events`, and how many of them are in it: at least one.
fn encode(events: &[HistoryEvent], rows: &mut Rows<'_>) -> (Writer, usize) {
    let is_old = events.iter().take(CHUNK_EVENTS).all(|event| is_old(&event.detail));
    let mut out = Writer::row(if is_old { 1 } else { VERSION });
    let mut time_ms = 0;
    let mut taken = 0;
    for event in events.iter().take(CHUNK_EVENTS) {
        write(event, &mut time_ms, &mut out, rows);
        taken += 1;
        if out.len() >= CHUNK_BYTES_MAX {
            break;
        }
    }
    (out, taken)
}

/// `time_ms`: of the event before, and then of this one.
fn write(event: &HistoryEvent, time_ms: &mut i64, out: &mut Writer, rows: &mut Rows<'_>) {
    let back = if event.previous == 0 { 0 } else { event.id.wrapping_sub(event.previous) };
    out.number(back);
    out.signed(event.timestamp_ms.wrapping_sub(*time_ms));
    *time_ms = event.timestamp_ms;
    detail(&event.detail, out, rows);
}

/// An event with what it weighs.
pub(super) struct Decoded {
    pub(super) event: HistoryEvent,
    /// Bytes of all its texts, and of those that are here.
    pub(super) bytes: usize,
    pub(super) bytes_here: usize,
    pub(super) absent: Vec<Payload>,
}

/// The events of the chunk whose first event is `first`.
pub(super) fn decode(row: &[u8], first: u64, texts: &mut Texts) -> Result<Vec<Decoded>, Fault> {
    let mut row = Reader::row(row, VERSION)?;
    let mut events = Vec::new();
    let mut time_ms: i64 = 0;
    while !row.is_empty() {
        if events.len() == CHUNK_EVENTS_MAX {
            return Err(Fault::Damaged("it has too many events"));
        }
        let id = first.checked_add(events.len() as u64).ok_or(Fault::Damaged("an event id is too large"))?;
        let back = row.number()?;
        let previous = match back {
            0 => 0,
            _ => id.checked_sub(back).ok_or(Fault::Damaged("an event comes before itself"))?,
        };
        time_ms = time_ms.wrapping_add(row.signed()?);
        texts.begin();
        let detail = read_detail(&mut row, texts)?;
        events.push(Decoded {
            event: HistoryEvent { id, previous, timestamp_ms: time_ms, detail },
            bytes: texts.bytes,
            bytes_here: texts.bytes_here,
            absent: std::mem::take(&mut texts.absent),
        });
    }
    Ok(events)
}

fn detail(detail: &Detail, out: &mut Writer, rows: &mut Rows<'_>) {
    match detail {
        Detail::ExecutionStarted { input, role_arn, version_arn: None, alias_arn: None } => {
            out.byte(1);
            rows.payload(out, input);
            out.text(role_arn);
        }
        Detail::ExecutionStarted { input, role_arn, version_arn, alias_arn } => {
            out.byte(45);
            rows.payload(out, input);
            out.text(role_arn);
            out.optional_text(version_arn.as_ref());
            out.optional_text(alias_arn.as_ref());
        }
        Detail::ExecutionSucceeded { output } => {
            out.byte(2);
            rows.payload(out, output);
        }
        Detail::ExecutionFailed(why) => {
            out.byte(3);
            failure(why, out);
        }
        Detail::ExecutionAborted(why) => {
            out.byte(4);
            failure(why, out);
        }
        Detail::ExecutionTimedOut(why) => {
            out.byte(5);
            failure(why, out);
        }
        Detail::StateEntered { kind, name, input } => {
            out.byte(6);
            out.byte(state_byte(*kind));
            out.text(name);
            rows.payload(out, input);
        }
        Detail::StateExited { kind, name, output, assigned } => {
            out.byte(7);
            out.byte(state_byte(*kind));
            out.text(name);
            out.count(assigned.len());
            for (name, payload) in assigned.iter() {
                out.text(name);
                rows.payload(out, payload);
            }
            rows.payload(out, output);
        }
        Detail::LambdaFunctionScheduled { resource, input, timeout_seconds, credentials_role } => {
            out.byte(8);
            out.text(resource);
            rows.payload(out, input);
            out.option(*timeout_seconds, Writer::number);
            out.optional_text(credentials_role.as_ref());
        }
        Detail::LambdaFunctionStarted => out.byte(9),
        Detail::LambdaFunctionSucceeded { output } => {
            out.byte(10);
            rows.payload(out, output);
        }
        Detail::LambdaFunctionFailed(why) => {
            out.byte(11);
            failure(why, out);
        }
        Detail::LambdaFunctionTimedOut(why) => {
            out.byte(12);
            failure(why, out);
        }
        Detail::ActivityScheduled { resource, input, timeout_seconds, heartbeat_seconds } => {
            out.byte(13);
            out.text(resource);
            rows.payload(out, input);
            out.option(*timeout_seconds, Writer::number);
            out.option(*heartbeat_seconds, Writer::number);
        }
        Detail::ActivityStarted { worker } => {
            out.byte(14);
            out.optional_text(worker.as_ref());
        }
        Detail::ActivitySucceeded { output } => {
            out.byte(15);
            rows.payload(out, output);
        }
        Detail::ActivityFailed(why) => {
            out.byte(16);
            failure(why, out);
        }
        Detail::ActivityTimedOut(why) => {
            out.byte(17);
            failure(why, out);
        }
        Detail::TaskScheduled {
            resource,
            region,
            parameters,
            timeout_seconds,
            heartbeat_seconds,
            credentials_role,
        } => {
            out.byte(18);
            service(resource, out);
            out.text(region);
            rows.payload(out, parameters);
            out.option(*timeout_seconds, Writer::number);
            out.option(*heartbeat_seconds, Writer::number);
            out.optional_text(credentials_role.as_ref());
        }
        Detail::TaskStarted { resource } => {
            out.byte(19);
            service(resource, out);
        }
        Detail::TaskSubmitted { resource, output } => {
            out.byte(20);
            service(resource, out);
            rows.payload(out, output);
        }
        Detail::TaskSucceeded { resource, output } => {
            out.byte(21);
            service(resource, out);
            rows.payload(out, output);
        }
        Detail::TaskFailed { resource, failure: why } => {
            out.byte(22);
            service(resource, out);
            failure(why, out);
        }
        Detail::TaskTimedOut { resource, failure: why } => {
            out.byte(23);
            service(resource, out);
            failure(why, out);
        }
        Detail::TaskStateAborted => out.byte(24),
        Detail::WaitStateAborted => out.byte(25),
        Detail::ParallelStateStarted => out.byte(26),
        Detail::ParallelStateSucceeded => out.byte(27),
        Detail::ParallelStateFailed => out.byte(28),
        Detail::ParallelStateAborted => out.byte(29),
        Detail::MapStateStarted { length } => {
            out.byte(30);
            out.number(*length);
        }
        Detail::MapStateSucceeded => out.byte(31),
        Detail::MapStateFailed => out.byte(32),
        Detail::MapStateAborted => out.byte(33),
        Detail::MapIterationStarted { name, index } => iteration(34, name, *index, out),
        Detail::MapIterationSucceeded { name, index } => iteration(35, name, *index, out),
        Detail::MapIterationFailed { name, index } => iteration(36, name, *index, out),
        Detail::MapIterationAborted { name, index } => iteration(37, name, *index, out),
        Detail::EvaluationFailed { failure: why, location, state } => {
            out.byte(38);
            failure(why, out);
            out.optional_text(location.as_ref());
            out.text(state);
        }
        Detail::ExecutionRedriven { count } => {
            out.byte(39);
            out.number(*count);
        }
        Detail::MapRunStarted { arn } => {
            out.byte(40);
            out.text(arn);
        }
        Detail::MapRunSucceeded => out.byte(41),
        Detail::MapRunFailed(why) => {
            out.byte(42);
            failure(why, out);
        }
        Detail::MapRunAborted => out.byte(43),
        Detail::MapRunRedriven { arn, count } => {
            out.byte(44);
            out.text(arn);
            out.number(*count);
        }
    }
}

fn read_detail(row: &mut Reader<'_>, texts: &mut Texts) -> Result<Detail, Fault> {
    Ok(match row.byte()? {
        1 => Detail::ExecutionStarted {
            input: texts.payload(row)?,
            role_arn: row.text()?,
            version_arn: None,
            alias_arn: None,
        },
        45 => Detail::ExecutionStarted {
            input: texts.payload(row)?,
            role_arn: row.text()?,
            version_arn: row.optional_text()?,
            alias_arn: row.optional_text()?,
        },
        2 => Detail::ExecutionSucceeded { output: texts.payload(row)? },
        3 => Detail::ExecutionFailed(read_failure(row)?),
        4 => Detail::ExecutionAborted(read_failure(row)?),
        5 => Detail::ExecutionTimedOut(read_failure(row)?),
        6 => Detail::StateEntered { kind: read_state(row)?, name: row.text()?, input: texts.payload(row)? },
        7 => Detail::StateExited {
            kind: read_state(row)?,
            name: row.text()?,
            assigned: read_assigned(row, texts)?,
            output: texts.payload(row)?,
        },
        8 => Detail::LambdaFunctionScheduled {
            resource: row.text()?,
            input: texts.payload(row)?,
            timeout_seconds: row.option(Reader::number)?,
            credentials_role: row.optional_text()?,
        },
        9 => Detail::LambdaFunctionStarted,
        10 => Detail::LambdaFunctionSucceeded { output: texts.payload(row)? },
        11 => Detail::LambdaFunctionFailed(read_failure(row)?),
        12 => Detail::LambdaFunctionTimedOut(read_failure(row)?),
        13 => Detail::ActivityScheduled {
            resource: row.text()?,
            input: texts.payload(row)?,
            timeout_seconds: row.option(Reader::number)?,
            heartbeat_seconds: row.option(Reader::number)?,
        },
        14 => Detail::ActivityStarted { worker: row.optional_text()? },
        15 => Detail::ActivitySucceeded { output: texts.payload(row)? },
        16 => Detail::ActivityFailed(read_failure(row)?),
        17 => Detail::ActivityTimedOut(read_failure(row)?),
        18 => Detail::TaskScheduled {
            resource: read_service(row)?,
            region: row.text()?,
            parameters: texts.payload(row)?,
            timeout_seconds: row.option(Reader::number)?,
            heartbeat_seconds: row.option(Reader::number)?,
            credentials_role: row.optional_text()?,
        },
        19 => Detail::TaskStarted { resource: read_service(row)? },
        20 => Detail::TaskSubmitted { resource: read_service(row)?, output: texts.payload(row)? },
        21 => Detail::TaskSucceeded { resource: read_service(row)?, output: texts.payload(row)? },
        22 => Detail::TaskFailed { resource: read_service(row)?, failure: read_failure(row)? },
        23 => Detail::TaskTimedOut { resource: read_service(row)?, failure: read_failure(row)? },
        24 => Detail::TaskStateAborted,
        25 => Detail::WaitStateAborted,
        26 => Detail::ParallelStateStarted,
        27 => Detail::ParallelStateSucceeded,
        28 => Detail::ParallelStateFailed,
        29 => Detail::ParallelStateAborted,
        30 => Detail::MapStateStarted { length: row.number()? },
        31 => Detail::MapStateSucceeded,
        32 => Detail::MapStateFailed,
        33 => Detail::MapStateAborted,
        34 => Detail::MapIterationStarted { name: row.text()?, index: row.number()? },
        35 => Detail::MapIterationSucceeded { name: row.text()?, index: row.number()? },
        36 => Detail::MapIterationFailed { name: row.text()?, index: row.number()? },
        37 => Detail::MapIterationAborted { name: row.text()?, index: row.number()? },
        38 => {
            Detail::EvaluationFailed { failure: read_failure(row)?, location: row.optional_text()?, state: row.text()? }
        }
        39 => Detail::ExecutionRedriven { count: row.number()? },
        40 => Detail::MapRunStarted { arn: row.text()? },
        41 => Detail::MapRunSucceeded,
        42 => Detail::MapRunFailed(read_failure(row)?),
        43 => Detail::MapRunAborted,
        44 => Detail::MapRunRedriven { arn: row.text()?, count: row.number()? },
        _ => return Err(Fault::Damaged("an event is of unknown type")),
    })
}

/// True of events that version 1 knows.
fn is_old(detail: &Detail) -> bool {
    !matches!(
        detail,
        Detail::ExecutionRedriven { .. }
            | Detail::MapRunStarted { .. }
            | Detail::MapRunSucceeded
            | Detail::MapRunFailed(_)
            | Detail::MapRunAborted
            | Detail::MapRunRedriven { .. }
    )
}

fn iteration(tag: u8, name: &str, index: u64, out: &mut Writer) {
    out.byte(tag);
    out.text(name);
    out.number(index);
}

fn service(resource: &ServiceResource, out: &mut Writer) {
    out.text(&resource.kind);
    out.text(&resource.action);
}

fn read_service(row: &mut Reader<'_>) -> Result<ServiceResource, Fault> {
    Ok(ServiceResource { kind: row.text()?, action: row.text()? })
}

fn read_assigned(row: &mut Reader<'_>, texts: &mut Texts) -> Result<Assigned, Fault> {
    let mut assigned = Vec::new();
    for _ in 0..row.count()? {
        assigned.push((row.text()?, texts.payload(row)?));
    }
    Ok(assigned.into())
}

fn state_byte(kind: StateType) -> u8 {
    match kind {
        StateType::Task => 1,
        StateType::Wait => 2,
        StateType::Pass => 3,
        StateType::Succeed => 4,
        StateType::Fail => 5,
        StateType::Choice => 6,
        StateType::Parallel => 7,
        StateType::Map => 8,
    }
}

fn read_state(row: &mut Reader<'_>) -> Result<StateType, Fault> {
    Ok(match row.byte()? {
        1 => StateType::Task,
        2 => StateType::Wait,
        3 => StateType::Pass,
        4 => StateType::Succeed,
        5 => StateType::Fail,
        6 => StateType::Choice,
        7 => StateType::Parallel,
        8 => StateType::Map,
        _ => return Err(Fault::Damaged("a state is of unknown type")),
    })
}
