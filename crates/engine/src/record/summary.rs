//! The summary row: what an execution is and how it ended. It outlives frames and history.

use std::sync::Arc;

use stepwell_expr::Payload;
use stepwell_machine::{
    Child, Failure, Frame, FrameId, Identity, Redrives, Status, Workflow, program::ScopeId, root::Root,
};
use stepwell_store::{Space, Store};

use super::{
    ExecutionId, RecordError, RedriveToken, SummaryRow,
    codec::{Fault, Reader, Writer},
    frames::{self, HeaderRow, read_redrives, redrives},
    input_hash, key,
    texts::{Rows, Texts},
};
use crate::handle::{Qualifier, StatusName, Summary};

/// Version 6 is version 5 with the execution's first events before header and frame: their length, and a chunk.
const VERSION: u8 = 6;
/// Version 5 is a row in one of the others with the execution's header and its only frame behind it, as
/// [`frames::header_and_frame`] writes them.
const STATE_VERSION: u8 = 5;
/// Version 2 adds the qualifier, version 3 redrives, with a qualifier or without, version 4 child executions of Map Runs.
/// A row is written in the oldest version that can hold it.
const CHILD_VERSION: u8 = 4;
const ROW: &str = "summary";

/// Everything that a summary row says.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) identity: Identity,
    pub(super) revision: u64,
    pub(super) trace_header: Option<Arc<str>>,
    pub(super) input_hash: [u8; 32],
    pub(super) status: Status,
    /// One more than the last event's id; of an earlier step while the execution runs.
    pub(super) next_event: u64,
    /// Likewise.
    pub(super) next_frame: u32,
    pub(super) redrives: Redrives,
    pub(super) redrive_tokens: Vec<RedriveToken>,
}

/// What stands in the summary row of an execution with one frame.
pub(super) struct State {
    pub(super) header: HeaderRow,
    /// A chunk of all its events; empty: they have rows.
    pub(super) first_events: Vec<u8>,
}

impl SummaryRow {
    /// True if it was started with this text as input.
    pub fn same_input(&self, input: &Payload) -> bool {
        self.input_hash == input_hash(input)
    }

    /// Input and output, as far as they are absent: to be [`fill`](super::fill)ed before their texts are read.
    pub fn absent(&self) -> Vec<Payload> {
        let output = match &self.summary.status {
            Status::Succeeded { output, .. } => Some(output),
            Status::Running | Status::Failed { .. } | Status::TimedOut { .. } | Status::Aborted { .. } => None,
        };
        let payloads = [Some(&self.summary.input), output];
        payloads.into_iter().flatten().filter(|payload| payload.is_absent()).cloned().collect()
    }
}

/// The summary of an execution; `None`: there is none.
pub fn summary(store: &dyn Store, id: ExecutionId) -> Result<Option<SummaryRow>, RecordError> {
    let stored = read(store, id, &mut Texts::default())?;
    Ok(stored.map(|(stored, _)| {
        let identity = stored.identity;
        let summary = Summary {
            arn: identity.arn,
            name: identity.name,
            state_machine_arn: identity.state_machine_arn,
            status: stored.status,
            start_ms: identity.start_ms,
            input: identity.input,
            trace_header: stored.trace_header,
            events: stored.next_event.saturating_sub(1),
            redrives: stored.redrives,
            qualifier: identity.qualifier,
            child: identity.child,
        };
        SummaryRow { summary, revision: stored.revision, input_hash: stored.input_hash }
    }))
}

/// The summary; with it header and frame of an execution that has them there.
pub(super) fn read(
    store: &dyn Store,
    id: ExecutionId,
    texts: &mut Texts,
) -> Result<Option<(Stored, Option<State>)>, RecordError> {
    match store.get(Space::Summary, &key::summary(id))? {
        Some(row) => decode(&row, id, texts).map(Some).map_err(|fault| fault.of(ROW, id)),
        None => Ok(None),
    }
}

/// `state`: the header, as [`frames::encode_header`] writes it, and the only frame, if they are to be part of the row; with them
/// the chunk of all events, if these have no rows.
pub(super) fn encode(
    stored: &Stored,
    state: Option<(&[u8], FrameId, &Frame)>,
    first_events: &[u8],
    rows: &mut Rows<'_>,
) -> Writer {
    let identity = &stored.identity;
    let version = match &identity.child {
        Some(_) => CHILD_VERSION,
        None => version(identity.qualifier.as_ref(), &stored.redrives),
    };
    let mut out = Writer::empty();
    match state {
        Some(_) if !first_events.is_empty() => out.byte(VERSION),
        Some(_) => out.byte(STATE_VERSION),
        None => {}
    }
    out.byte(version);
    out.text(&identity.arn);
    out.text(&identity.name);
    out.text(&identity.state_machine_arn);
    out.text(&identity.state_machine_name);
    out.text(&identity.role_arn);
    out.text(&identity.region);
    out.raw(&identity.root.0);
    out.signed(identity.start_ms);
    rows.payload(&mut out, &identity.input);
    out.raw(&stored.input_hash);
    out.number(stored.revision);
    out.optional_text(stored.trace_header.as_ref());
    write_qualifier_and_redrives(version, identity.qualifier.as_ref(), &stored.redrives, &mut out);
    if let Some(child) = &identity.child {
        out.text(&child.map_run_arn);
        out.number(child.index);
        out.number(child.items);
        out.number(u64::from(child.scope.0));
    }
    out.number(stored.next_event);
    out.number(u64::from(stored.next_frame));
    status(&stored.status, &mut out, rows);
    if version >= 3 {
        out.count(stored.redrive_tokens.len());
        for token in &stored.redrive_tokens {
            out.raw(&token.hash);
            out.signed(token.redrive_ms);
        }
    }
    if let Some((header, id, frame)) = state {
        if !first_events.is_empty() {
            out.count(first_events.len());
            out.raw(first_events);
        }
        frames::header_and_frame(header, id, frame, &mut out, rows);
    }
    out
}

/// The oldest version of summary and listing rows that can hold these.
pub(super) fn version(qualifier: Option<&Qualifier>, redrives: &Redrives) -> u8 {
    match (qualifier, *redrives != Redrives::default()) {
        (_, true) => 3,
        (Some(_), false) => 2,
        (None, false) => 1,
    }
}

pub(super) fn write_qualifier_and_redrives(
    version: u8,
    qualifier: Option<&Qualifier>,
    of: &Redrives,
    out: &mut Writer,
) {
    match version {
        3.. => {
            out.option(qualifier, |out, qualifier| write_qualifier(qualifier, out));
            redrives(of, out);
        }
        _ => qualifier.into_iter().for_each(|qualifier| write_qualifier(qualifier, out)),
    }
}

pub(super) fn read_qualifier_and_redrives(
    version: u8,
    row: &mut Reader<'_>,
) -> Result<(Option<Qualifier>, Redrives), Fault> {
    Ok(match version {
        0 | 1 => (None, Redrives::default()),
        2 => (Some(read_qualifier(row)?), Redrives::default()),
        _ => (row.option(read_qualifier)?, read_redrives(row)?),
    })
}

fn read_child(row: &mut Reader<'_>) -> Result<Child, Fault> {
    Ok(Child { map_run_arn: row.text()?, index: row.number()?, items: row.number()?, scope: ScopeId(row.small()?) })
}

fn read_tokens(row: &mut Reader<'_>) -> Result<Vec<RedriveToken>, Fault> {
    let mut tokens = Vec::new();
    for _ in 0..row.count()? {
        tokens.push(RedriveToken { hash: row.array()?, redrive_ms: row.signed()? });
    }
    Ok(tokens)
}

fn decode(row: &[u8], id: ExecutionId, texts: &mut Texts) -> Result<(Stored, Option<State>), Fault> {
    let (mut row, outer) = Reader::versioned(row, VERSION)?;
    let version = if outer >= STATE_VERSION { row.version(CHILD_VERSION)? } else { outer };
    let identity = Identity {
        arn: row.text()?,
        name: row.text()?,
        state_machine_arn: row.text()?,
        state_machine_name: row.text()?,
        role_arn: row.text()?,
        region: row.text()?,
        id: id.0,
        root: Root(row.array()?),
        start_ms: row.signed()?,
        input: texts.payload(&mut row)?,
        // It has a row of its own, which goes with the frames.
        test_case: None,
        workflow: Workflow::Standard,
        child: None,
        qualifier: None,
    };
    let (input_hash, revision, trace_header) = (row.array()?, row.number()?, row.optional_text()?);
    let (qualifier, redrives) = read_qualifier_and_redrives(version, &mut row)?;
    let child = if version >= 4 { Some(Arc::new(read_child(&mut row)?)) } else { None };
    let mut stored = Stored {
        identity: Identity { child, qualifier, ..identity },
        input_hash,
        revision,
        trace_header,
        next_event: row.number()?,
        next_frame: row.small()?,
        status: read_status(&mut row, texts)?,
        redrives,
        redrive_tokens: Vec::new(),
    };
    if version >= 3 {
        stored.redrive_tokens = read_tokens(&mut row)?;
    }
    if outer >= STATE_VERSION {
        let mut first_events = Vec::new();
        if outer == VERSION {
            let length = row.count()?;
            first_events.extend_from_slice(row.raw(length)?);
        }
        return Ok((stored, Some(State { header: frames::read_header_and_frame(row, texts)?, first_events })));
    }
    row.end()?;
    Ok((stored, None))
}

/// The revision that the execution of a row runs or ran.
pub(super) fn revision_of(row: &[u8], id: ExecutionId) -> Result<u64, RecordError> {
    decode(row, id, &mut Texts::default()).map(|(stored, _)| stored.revision).map_err(|fault| fault.of(ROW, id))
}

fn status(status: &Status, out: &mut Writer, rows: &mut Rows<'_>) {
    out.byte(status_byte(status_name(status)));
    match status {
        Status::Running => {}
        Status::Succeeded { output, stop_ms } => {
            rows.payload(out, output);
            out.signed(*stop_ms);
        }
        Status::Failed { failure: why, stop_ms }
        | Status::TimedOut { failure: why, stop_ms }
        | Status::Aborted { failure: why, stop_ms } => {
            failure(why, out);
            out.signed(*stop_ms);
        }
    }
}

fn read_status(row: &mut Reader<'_>, texts: &mut Texts) -> Result<Status, Fault> {
    let name = status_of_byte(row.byte()?).ok_or(Fault::Damaged("its status is unknown"))?;
    Ok(match name {
        StatusName::Running => Status::Running,
        StatusName::Succeeded => Status::Succeeded { output: texts.payload(row)?, stop_ms: row.signed()? },
        StatusName::Failed => Status::Failed { failure: read_failure(row)?, stop_ms: row.signed()? },
        StatusName::TimedOut => Status::TimedOut { failure: read_failure(row)?, stop_ms: row.signed()? },
        StatusName::Aborted => Status::Aborted { failure: read_failure(row)?, stop_ms: row.signed()? },
    })
}

pub(super) fn write_qualifier(qualifier: &Qualifier, out: &mut Writer) {
    out.number(qualifier.version);
    out.optional_text(qualifier.alias.as_ref());
}

pub(super) fn read_qualifier(row: &mut Reader<'_>) -> Result<Qualifier, Fault> {
    Ok(Qualifier { version: row.number()?, alias: row.optional_text()? })
}

pub(super) fn failure(failure: &Failure, out: &mut Writer) {
    out.optional_text(failure.error.as_ref());
    out.optional_text(failure.cause.as_ref());
}

pub(super) fn read_failure(row: &mut Reader<'_>) -> Result<Failure, Fault> {
    Ok(Failure { error: row.optional_text()?, cause: row.optional_text()? })
}

pub(crate) fn status_name(status: &Status) -> StatusName {
    match status {
        Status::Running => StatusName::Running,
        Status::Succeeded { .. } => StatusName::Succeeded,
        Status::Failed { .. } => StatusName::Failed,
        Status::TimedOut { .. } => StatusName::TimedOut,
        Status::Aborted { .. } => StatusName::Aborted,
    }
}

/// When the execution ended, in milliseconds since 1970; `None` while it runs.
pub(super) fn stop_ms(status: &Status) -> Option<i64> {
    match status {
        Status::Running => None,
        Status::Succeeded { stop_ms, .. }
        | Status::Failed { stop_ms, .. }
        | Status::TimedOut { stop_ms, .. }
        | Status::Aborted { stop_ms, .. } => Some(*stop_ms),
    }
}

/// A status in rows and keys.
pub(super) const fn status_byte(status: StatusName) -> u8 {
    match status {
        StatusName::Running => 1,
        StatusName::Succeeded => 2,
        StatusName::Failed => 3,
        StatusName::TimedOut => 4,
        StatusName::Aborted => 5,
    }
}

pub(super) fn status_of_byte(byte: u8) -> Option<StatusName> {
    super::listing::STATUSES.into_iter().find(|status| status_byte(*status) == byte)
}
