//! An execution back from its rows.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use stepwell_expr::Payload;
use stepwell_machine::{Execution, Frame, FrameId, Header, Identity, Status, TaskId, TestCase, execution::Phase};
use stepwell_store::{Direction, Space, Store, Visit};

use super::{
    Books, ExecutionId, Loaded, RecordError,
    codec::Fault,
    events::FirstEvents,
    frames::{self, HeaderRow, Variables},
    key::{self, FramesKey},
    summary::{self, State, Stored, status_name, stop_ms},
    texts::Texts,
};
use crate::limits::REDRIVE_PERIOD_MS;

/// The execution as last committed; one that has ended comes without frames. `None`: there is none.
pub fn load(store: &dyn Store, id: ExecutionId) -> Result<Option<Loaded>, RecordError> {
    let mut texts = Texts::checked();
    let Some((stored, state)) = summary::read(store, id, &mut texts)? else { return Ok(None) };
    if !matches!(stored.status, Status::Running) {
        return Ok(Some(ended(stored)));
    }
    let in_summary = state.is_some();
    let mut rows = FramesRows::default();
    let mut first_events = None;
    if let Some(State { header, first_events: chunk }) = state {
        rows.begin(header);
        if !chunk.is_empty() {
            first_events = Some(FirstEvents::read(chunk).map_err(|fault| fault.of("summary", id))?);
        }
    }
    rows.read(store, id, &mut texts)?;
    let (header, timer_ms) = rows.header.ok_or_else(|| Fault::Damaged("it is missing").of("header", id))?;
    let identity = Identity { test_case: rows.test_case.map(Arc::new), ..stored.identity };
    let execution = Execution {
        identity: Arc::new(identity),
        header,
        frames: rows.frames.into_iter().map(|(id, frame)| (id, Arc::new(frame))).collect(),
        results: rows.results.into_iter().map(|(chunk, results)| (chunk, Arc::new(results))).collect(),
    };
    let books = Books {
        revision: stored.revision,
        trace_header: stored.trace_header,
        input_hash: stored.input_hash,
        header: frames::encode_header(&execution.header, timer_ms).into_bytes(),
        lone: rows.lone,
        in_summary,
        first_events,
        timer_ms,
        listed: Some(status_name(&execution.header.status)),
        waking: execution.is_ready(),
        queued: execution.frames.values().filter_map(|frame| queued(frame)).collect(),
        texts: texts.ids(),
        redrives: execution.header.redrives.count,
        redrive_tokens: stored.redrive_tokens,
    };
    Ok(Some(Loaded { execution, books }))
}

/// An execution that has ended, with what it left for a redrive. `None`: there is none, or it runs.
pub fn load_wrecked(store: &dyn Store, id: ExecutionId) -> Result<Option<Loaded>, RecordError> {
    let mut texts = Texts::checked();
    let Some((stored, _)) = summary::read(store, id, &mut texts)? else { return Ok(None) };
    let Some(stop_ms) = stop_ms(&stored.status) else { return Ok(None) };
    let mark = key::wrecks(id, stop_ms.saturating_add(REDRIVE_PERIOD_MS));
    if store.get(Space::Open, &mark)?.is_none() {
        // It left nothing, or that is on its way out.
        return Ok(Some(ended(stored)));
    }
    let mut rows = FramesRows::default();
    rows.read(store, id, &mut texts)?;
    let mut loaded = ended(stored);
    if let Some(test_case) = rows.test_case {
        Arc::make_mut(&mut loaded.execution.identity).test_case = Some(Arc::new(test_case));
    }
    loaded.execution.frames = rows.frames.into_iter().map(|(id, frame)| (id, Arc::new(frame))).collect();
    loaded.execution.results = rows.results.into_iter().map(|(chunk, results)| (chunk, Arc::new(results))).collect();
    loaded.books.texts = texts.ids();
    Ok(Some(loaded))
}

fn ended(stored: Stored) -> Loaded {
    let listed = Some(status_name(&stored.status));
    let header = Header {
        last_event_ms: stop_ms(&stored.status).unwrap_or(stored.identity.start_ms),
        status: stored.status,
        next_event: stored.next_event,
        next_frame: stored.next_frame,
        deadline_ms: None,
        redrives: stored.redrives,
        ready: VecDeque::new(),
    };
    let identity = Arc::new(stored.identity);
    let execution = Execution { identity, header, frames: BTreeMap::new(), results: BTreeMap::new() };
    let books = Books {
        revision: stored.revision,
        trace_header: stored.trace_header,
        input_hash: stored.input_hash,
        header: Vec::new(),
        lone: None,
        in_summary: false,
        first_events: None,
        timer_ms: None,
        listed,
        waking: false,
        queued: Default::default(),
        texts: Default::default(),
        redrives: stored.redrives.count,
        redrive_tokens: stored.redrive_tokens,
    };
    Loaded { execution, books }
}

/// The task whose intent or offer is stored.
fn queued(frame: &Frame) -> Option<TaskId> {
    match &frame.phase {
        Phase::Task(wait) if !wait.under_way => Some(wait.task),
        _ => None,
    }
}

#[derive(Default)]
struct FramesRows {
    header: Option<(Header, Option<i64>)>,
    /// The frame that was beside the header.
    lone: Option<FrameId>,
    frames: BTreeMap<FrameId, Frame>,
    results: BTreeMap<(FrameId, u32), Vec<Option<Payload>>>,
    test_case: Option<TestCase>,
}

fn row_name(key: FramesKey) -> &'static str {
    match key {
        FramesKey::Header => "header",
        FramesKey::Frame(_) => "frame",
        FramesKey::Variables(_) => "variables",
        FramesKey::Result(..) => "result",
        FramesKey::TestCase => "test case",
    }
}

impl FramesRows {
    fn read(&mut self, store: &dyn Store, id: ExecutionId, texts: &mut Texts) -> Result<(), RecordError> {
        super::scan(store, Space::Frames, &key::frames(id), Direction::Forward, &mut |key, value| {
            let parsed = key::parse_frames(key);
            let name = parsed.map_or("frames row", row_name);
            let taken = parsed.ok_or(Fault::Damaged("its key is unknown")).and_then(|key| self.take(key, value, texts));
            taken.map(|()| Visit::Continue(())).map_err(|fault| fault.of(name, id))
        })
    }

    /// What comes before all frames with rows of their own.
    fn begin(&mut self, HeaderRow { header, timer_ms, lone }: HeaderRow) {
        self.header = Some((header, timer_ms));
        self.lone = lone.as_ref().map(|(id, _)| *id);
        self.frames.extend(lone);
    }

    /// Rows come in the order of their keys: a frame before its variables, results by slot.
    fn take(&mut self, key: FramesKey, value: &[u8], texts: &mut Texts) -> Result<(), Fault> {
        match key {
            FramesKey::Header if self.header.is_some() => return Err(Fault::Damaged("it is there twice")),
            FramesKey::Header => self.begin(frames::decode_header_row(value, texts)?),
            FramesKey::Frame(frame) => {
                self.frames.insert(frame, frames::decode_frame(value, texts)?);
            }
            FramesKey::Variables(frame) => {
                let variables: Variables = frames::decode_variables(value, texts)?;
                let frame = self.frames.get_mut(&frame).ok_or(Fault::Damaged("its frame is missing"))?;
                frame.variables = Arc::new(variables);
            }
            FramesKey::Result(frame, chunk, slot) => {
                let result = frames::decode_result(value, texts)?;
                let results = self.results.entry((frame, chunk)).or_default();
                // Slots come in order; one that has no row holds nothing yet.
                results.resize(usize::from(slot), None);
                results.push(Some(result));
            }
            FramesKey::TestCase => self.test_case = Some(frames::decode_test_case(value)?),
        }
        Ok(())
    }
}
