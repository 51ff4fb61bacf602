//! The rows of an execution that runs: header, frames, variables, results.
//!
//! The only frame of an execution is beside the header, in its row or the summary's, since a step changes both. A frame's variables have a row of their own, written only when a state assigned some, and each result of a Map or
//! Parallel has one: a step then writes what it changed, however much the execution holds.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use stepwell_expr::Payload;
use stepwell_machine::{
    Frame, FrameId, Header, Redrives, StateId, Status, TaskId, TaskOutcome, TestCase,
    execution::{MapWait, ParallelWait, Phase, TaskWait, Wreck},
    map_run::{MapRunWait, Settings},
    program::ScopeId,
};

use super::{
    codec::{Fault, Reader, Writer},
    summary::{failure, read_failure},
    texts::{Rows, Texts},
};

/// 2: the header of an execution that was redriven. 3: a header in one of these versions and the only frame, which has no
/// row of its own then. Others are written as 1, which older releases read.
const HEADER_VERSION: u8 = 3;
const REDRIVEN_VERSION: u8 = 2;
/// 2: a frame that ended unsuccessfully with what is left of its branches or iterations, or is kept for a redrive,
/// or whose task watches a job, or that waits for a Map Run; others are written as 1.
const FRAME_VERSION: u8 = 2;
const VARIABLES_VERSION: u8 = 1;
const RESULT_VERSION: u8 = 1;
const TEST_CASE_VERSION: u8 = 1;

/// What assigned variables are kept in.
pub(super) type Variables = BTreeMap<Arc<str>, Payload>;

/// The header of a running execution, with the due time of its timer row.
///
/// That time is kept because it cannot be told from the frames: a heartbeat moves a frame's deadline in memory, and the
/// frame may be written long after the timer row.
pub(super) fn encode_header(header: &Header, timer_ms: Option<i64>) -> Writer {
    let redriven = header.redrives != Redrives::default();
    let mut out = Writer::row(if redriven { REDRIVEN_VERSION } else { 1 });
    out.number(header.next_event);
    out.number(u64::from(header.next_frame));
    out.signed(header.last_event_ms);
    out.option(header.deadline_ms, Writer::signed);
    out.option(timer_ms, Writer::signed);
    out.count(header.ready.len());
    for frame in &header.ready {
        out.number(u64::from(frame.0));
    }
    if redriven {
        redrives(&header.redrives, &mut out);
    }
    out
}

/// The row of a header, as [`encode_header`] writes it, with the only frame.
pub(super) fn encode_header_and_frame(header: &[u8], id: FrameId, frame: &Frame, rows: &mut Rows<'_>) -> Writer {
    let mut out = Writer::row(HEADER_VERSION);
    header_and_frame(header, id, frame, &mut out, rows);
    out
}

/// A header, as [`encode_header`] writes it, and the only frame, at the end of a row.
pub(super) fn header_and_frame(header: &[u8], id: FrameId, frame: &Frame, out: &mut Writer, rows: &mut Rows<'_>) {
    out.count(header.len());
    out.raw(header);
    out.number(u64::from(id.0));
    write_frame(frame, out, rows);
}

/// What the row of a header says.
pub(super) struct HeaderRow {
    pub(super) header: Header,
    /// The due time of the timer row.
    pub(super) timer_ms: Option<i64>,
    /// The frame that is part of it.
    pub(super) lone: Option<(FrameId, Frame)>,
}

pub(super) fn decode_header_row(row: &[u8], texts: &mut Texts) -> Result<HeaderRow, Fault> {
    let (reader, version) = Reader::versioned(row, HEADER_VERSION)?;
    if version < HEADER_VERSION {
        let (header, timer_ms) = decode_header(row)?;
        return Ok(HeaderRow { header, timer_ms, lone: None });
    }
    read_header_and_frame(reader, texts)
}

/// What [`header_and_frame`] wrote, up to the end of the row.
pub(super) fn read_header_and_frame(mut row: Reader<'_>, texts: &mut Texts) -> Result<HeaderRow, Fault> {
    let length = row.count()?;
    let (header, timer_ms) = decode_header(row.raw(length)?)?;
    let id = FrameId(row.small()?);
    let frame = read_frame(row, texts)?;
    Ok(HeaderRow { header, timer_ms, lone: Some((id, frame)) })
}

fn decode_header(row: &[u8]) -> Result<(Header, Option<i64>), Fault> {
    let (mut row, version) = Reader::versioned(row, REDRIVEN_VERSION)?;
    let next_event = row.number()?;
    let next_frame = row.small()?;
    let last_event_ms = row.signed()?;
    let deadline_ms = row.option(Reader::signed)?;
    let timer_ms = row.option(Reader::signed)?;
    let mut ready = VecDeque::new();
    for _ in 0..row.count()? {
        ready.push_back(FrameId(row.small()?));
    }
    let redrives = if version >= 2 { read_redrives(&mut row)? } else { Redrives::default() };
    row.end()?;
    let status = Status::Running;
    Ok((Header { status, next_event, next_frame, last_event_ms, deadline_ms, redrives, ready }, timer_ms))
}

pub(super) fn redrives(redrives: &Redrives, out: &mut Writer) {
    out.number(redrives.count);
    out.option(redrives.last_ms, Writer::signed);
}

pub(super) fn read_redrives(row: &mut Reader<'_>) -> Result<Redrives, Fault> {
    Ok(Redrives { count: row.number()?, last_ms: row.option(Reader::signed)? })
}

/// All of a frame but its variables.
pub(super) fn encode_frame(frame: &Frame, rows: &mut Rows<'_>) -> Writer {
    let mut out = Writer::empty();
    write_frame(frame, &mut out, rows);
    out
}

fn write_frame(frame: &Frame, out: &mut Writer, rows: &mut Rows<'_>) {
    let is_old = match &frame.phase {
        Phase::Failed { wreck: Wreck::Enter | Wreck::Parallel(_) | Wreck::Map(_) | Wreck::MapRun(_), .. }
        | Phase::Wrecked(_)
        | Phase::MapRun(_) => false,
        Phase::Task(wait) => wait.submitted.is_none(),
        _ => true,
    };
    out.byte(if is_old { 1 } else { FRAME_VERSION });
    out.number(u64::from(frame.scope.0));
    out.option(frame.parent, |out, (parent, index)| {
        out.number(u64::from(parent.0));
        out.number(u64::from(index));
    });
    out.number(u64::from(frame.state.0));
    rows.payload(out, &frame.input);
    out.number(frame.entered);
    out.number(frame.before_entered);
    out.signed(frame.entered_ms);
    out.number(frame.last_event);
    out.count(frame.retries.len());
    for retries in &frame.retries {
        out.number(*retries);
    }
    phase(&frame.phase, out, rows);
}

/// The frame, without its variables.
pub(super) fn decode_frame(row: &[u8], texts: &mut Texts) -> Result<Frame, Fault> {
    read_frame(Reader::of(row), texts)
}

fn read_frame(mut row: Reader<'_>, texts: &mut Texts) -> Result<Frame, Fault> {
    row.version(FRAME_VERSION)?;
    let scope = ScopeId(row.small()?);
    let parent = row.option(|row| Ok((FrameId(row.small()?), row.small()?)))?;
    let state = StateId(row.small()?);
    let input = texts.payload(&mut row)?;
    let entered = row.number()?;
    let before_entered = row.number()?;
    let entered_ms = row.signed()?;
    let last_event = row.number()?;
    let mut retries = Vec::new();
    for _ in 0..row.count()? {
        retries.push(row.number()?);
    }
    let phase = read_phase(&mut row, texts)?;
    row.end()?;
    let variables = Arc::default();
    Ok(Frame {
        scope,
        parent,
        state,
        input,
        entered,
        before_entered,
        entered_ms,
        last_event,
        retries,
        variables,
        phase,
    })
}

const ENTER: u8 = 1;
const RUN: u8 = 2;
const BACKOFF: u8 = 3;
const WAIT: u8 = 4;
const TASK: u8 = 5;
const PARALLEL: u8 = 6;
const MAP: u8 = 7;
const FAILED: u8 = 8;
const FAILED_WITH_WRECK: u8 = 9;
const WRECKED: u8 = 10;
const JOB: u8 = 11;
const MAP_RUN: u8 = 12;

const WRECK_ENTER: u8 = 1;
const WRECK_RUN: u8 = 2;
const WRECK_PARALLEL: u8 = 3;
const WRECK_MAP: u8 = 4;
const WRECK_MAP_RUN: u8 = 5;

fn phase(phase: &Phase, out: &mut Writer, rows: &mut Rows<'_>) {
    match phase {
        Phase::Enter => out.byte(ENTER),
        Phase::Run => out.byte(RUN),
        Phase::Backoff { until_ms } => {
            out.byte(BACKOFF);
            out.signed(*until_ms);
        }
        Phase::Wait { until_ms } => {
            out.byte(WAIT);
            out.signed(*until_ms);
        }
        Phase::Task(wait) => match &wait.submitted {
            None => {
                out.byte(TASK);
                task(wait, out, rows);
            }
            Some(submitted) => {
                out.byte(JOB);
                task(wait, out, rows);
                rows.payload(out, submitted);
            }
        },
        Phase::Parallel(wait) => {
            out.byte(PARALLEL);
            parallel(wait, out);
        }
        Phase::Map(wait) => {
            out.byte(MAP);
            map(wait, out, rows);
        }
        Phase::MapRun(wait) => {
            out.byte(MAP_RUN);
            map_run(wait, out, rows);
        }
        Phase::Failed { failure: why, in_task, wreck: Wreck::Run } => {
            out.byte(FAILED);
            failure(why, out);
            out.flag(*in_task);
        }
        Phase::Failed { failure: why, in_task, wreck: left } => {
            out.byte(FAILED_WITH_WRECK);
            failure(why, out);
            out.flag(*in_task);
            wreck(left, out, rows);
        }
        Phase::Wrecked(left) => {
            out.byte(WRECKED);
            wreck(left, out, rows);
        }
    }
}

fn wreck(wreck: &Wreck, out: &mut Writer, rows: &mut Rows<'_>) {
    match wreck {
        Wreck::Enter => out.byte(WRECK_ENTER),
        Wreck::Run => out.byte(WRECK_RUN),
        Wreck::Parallel(wait) => {
            out.byte(WRECK_PARALLEL);
            parallel(wait, out);
        }
        Wreck::Map(wait) => {
            out.byte(WRECK_MAP);
            map(wait, out, rows);
        }
        Wreck::MapRun(wait) => {
            out.byte(WRECK_MAP_RUN);
            map_run(wait, out, rows);
        }
    }
}

fn read_wreck(row: &mut Reader<'_>, texts: &mut Texts) -> Result<Wreck, Fault> {
    Ok(match row.byte()? {
        WRECK_ENTER => Wreck::Enter,
        WRECK_RUN => Wreck::Run,
        WRECK_PARALLEL => Wreck::Parallel(read_parallel(row)?),
        WRECK_MAP => Wreck::Map(read_map(row, texts)?),
        WRECK_MAP_RUN => Wreck::MapRun(Box::new(read_map_run(row, texts)?)),
        _ => return Err(Fault::Damaged("what is left of it is of unknown kind")),
    })
}

fn parallel(wait: &ParallelWait, out: &mut Writer) {
    out.number(u64::from(wait.branches));
    out.number(u64::from(wait.ended));
}

fn read_parallel(row: &mut Reader<'_>) -> Result<ParallelWait, Fault> {
    Ok(ParallelWait { branches: row.small()?, ended: row.small()? })
}

fn read_phase(row: &mut Reader<'_>, texts: &mut Texts) -> Result<Phase, Fault> {
    Ok(match row.byte()? {
        ENTER => Phase::Enter,
        RUN => Phase::Run,
        BACKOFF => Phase::Backoff { until_ms: row.signed()? },
        WAIT => Phase::Wait { until_ms: row.signed()? },
        TASK => Phase::Task(read_task(row, texts)?),
        JOB => {
            let wait = read_task(row, texts)?;
            Phase::Task(TaskWait { submitted: Some(texts.payload(row)?), ..wait })
        }
        PARALLEL => Phase::Parallel(read_parallel(row)?),
        MAP => Phase::Map(read_map(row, texts)?),
        MAP_RUN => Phase::MapRun(Box::new(read_map_run(row, texts)?)),
        FAILED => Phase::Failed { failure: read_failure(row)?, in_task: row.flag()?, wreck: Wreck::Run },
        FAILED_WITH_WRECK => {
            Phase::Failed { failure: read_failure(row)?, in_task: row.flag()?, wreck: read_wreck(row, texts)? }
        }
        WRECKED => Phase::Wrecked(read_wreck(row, texts)?),
        _ => return Err(Fault::Damaged("its phase is unknown")),
    })
}

fn task(wait: &TaskWait, out: &mut Writer, rows: &mut Rows<'_>) {
    out.number(wait.task.0);
    rows.payload(out, &wait.input);
    out.optional_text(wait.credentials_role.as_ref());
    out.option(wait.deadline_ms, Writer::signed);
    out.option(wait.heartbeat, |out, (seconds, due_ms)| {
        out.number(seconds);
        out.option(due_ms, Writer::signed);
    });
    out.flag(wait.under_way);
    out.option(wait.early_answer.as_ref(), |out, outcome| match outcome {
        TaskOutcome::Succeeded { output } => {
            out.flag(true);
            rows.payload(out, output);
        }
        TaskOutcome::Failed(why) => {
            out.flag(false);
            failure(why, out);
        }
    });
}

fn read_task(row: &mut Reader<'_>, texts: &mut Texts) -> Result<TaskWait, Fault> {
    Ok(TaskWait {
        task: TaskId(row.number()?),
        input: texts.payload(row)?,
        credentials_role: row.optional_text()?,
        deadline_ms: row.option(Reader::signed)?,
        heartbeat: row.option(|row| Ok((row.number()?, row.option(Reader::signed)?)))?,
        under_way: row.flag()?,
        submitted: None,
        early_answer: row.option(|row| {
            Ok(if row.flag()? {
                TaskOutcome::Succeeded { output: texts.payload(row)? }
            } else {
                TaskOutcome::Failed(read_failure(row)?)
            })
        })?,
    })
}

fn map(wait: &MapWait, out: &mut Writer, rows: &mut Rows<'_>) {
    rows.payload(out, &wait.items);
    rows.payload(out, &wait.effective_input);
    for number in [wait.length, wait.next, wait.ended, wait.concurrency] {
        out.number(u64::from(number));
    }
}

fn read_map(row: &mut Reader<'_>, texts: &mut Texts) -> Result<MapWait, Fault> {
    Ok(MapWait {
        items: texts.payload(row)?,
        effective_input: texts.payload(row)?,
        length: row.small()?,
        next: row.small()?,
        ended: row.small()?,
        concurrency: row.small()?,
    })
}

fn map_run(wait: &MapRunWait, out: &mut Writer, rows: &mut Rows<'_>) {
    out.number(wait.task.0);
    out.text(&wait.arn);
    out.number(wait.redrives);
    let settings = &wait.settings;
    out.number(settings.max_concurrency);
    out.option(settings.tolerated_failure_count, Writer::number);
    out.option(settings.tolerated_failure_percentage, |out, percentage| out.raw(&percentage.to_be_bytes()));
    out.signed(settings.max_items);
    out.option(settings.batch_items, Writer::number);
    out.option(settings.batch_bytes, Writer::number);
    rows.payload(out, &wait.effective_input);
    for payload in [&wait.items, &wait.reader_arguments, &wait.batch_input, &wait.writer_arguments] {
        out.option(payload.as_ref(), |out, payload| rows.payload(out, payload));
    }
}

fn read_map_run(row: &mut Reader<'_>, texts: &mut Texts) -> Result<MapRunWait, Fault> {
    let (task, arn, redrives) = (TaskId(row.number()?), row.text()?, row.number()?);
    let settings = Settings {
        max_concurrency: row.number()?,
        tolerated_failure_count: row.option(Reader::number)?,
        tolerated_failure_percentage: row.option(|row| Ok(f64::from_be_bytes(row.array()?)))?,
        max_items: row.signed()?,
        batch_items: row.option(Reader::number)?,
        batch_bytes: row.option(Reader::number)?,
    };
    let effective_input = texts.payload(row)?;
    Ok(MapRunWait {
        task,
        arn,
        redrives,
        settings,
        effective_input,
        items: row.option(|row| texts.payload(row))?,
        reader_arguments: row.option(|row| texts.payload(row))?,
        batch_input: row.option(|row| texts.payload(row))?,
        writer_arguments: row.option(|row| texts.payload(row))?,
    })
}

pub(super) fn encode_variables(variables: &Variables, rows: &mut Rows<'_>) -> Writer {
    let mut out = Writer::row(VARIABLES_VERSION);
    out.count(variables.len());
    for (name, payload) in variables {
        out.text(name);
        rows.payload(&mut out, payload);
    }
    out
}

pub(super) fn decode_variables(row: &[u8], texts: &mut Texts) -> Result<Variables, Fault> {
    let mut row = Reader::row(row, VARIABLES_VERSION)?;
    let mut variables = Variables::new();
    for _ in 0..row.count()? {
        let name = row.text()?;
        variables.insert(name, texts.payload(&mut row)?);
    }
    row.end()?;
    Ok(variables)
}

/// One result of a Parallel branch or a Map iteration.
pub(super) fn encode_result(result: &Payload, rows: &mut Rows<'_>) -> Writer {
    let mut out = Writer::row(RESULT_VERSION);
    rows.payload(&mut out, result);
    out
}

pub(super) fn decode_result(row: &[u8], texts: &mut Texts) -> Result<Payload, Fault> {
    let mut row = Reader::row(row, RESULT_VERSION)?;
    let result = texts.payload(&mut row)?;
    row.end()?;
    Ok(result)
}

/// A test case, as its own text.
pub(super) fn encode_test_case(test_case: &TestCase) -> Writer {
    let mut out = Writer::row(TEST_CASE_VERSION);
    out.text(test_case.text());
    out
}

pub(super) fn decode_test_case(row: &[u8]) -> Result<TestCase, Fault> {
    let mut row = Reader::row(row, TEST_CASE_VERSION)?;
    let test_case = TestCase::restore(&row.text()?).ok_or(Fault::Damaged("it is no test case"))?;
    row.end()?;
    Ok(test_case)
}
