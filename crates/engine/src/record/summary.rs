//! The summary row: what an execution is and how it ended. It outlives frames and history.

use std::sync::Arc;

use stepwell_expr::Payload;
use stepwell_machine::{Failure, Identity, Status, root::Root};
use stepwell_store::{Space, Store};

use super::{
    ExecutionId, RecordError, SummaryRow,
    codec::{Fault, Reader, Writer},
    input_hash, key,
    texts::{Rows, Texts},
};
use crate::handle::{Qualifier, StatusName, Summary};

/// Version 2 adds the qualifier; a row without one is still written as version 1.
const VERSION: u8 = 2;
const ROW: &str = "summary";

/// Everything that a summary row says.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) identity: Identity,
    pub(super) revision: u64,
    pub(super) trace_header: Option<Arc<str>>,
    pub(super) qualifier: Option<Qualifier>,
    pub(super) input_hash: [u8; 32],
    pub(super) status: Status,
    /// One more than the last event's id; as of the start while the execution runs.
    pub(super) next_event: u64,
    /// As of the start while the execution runs.
    pub(super) next_frame: u32,
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
    Ok(stored.map(|stored| {
        let identity = stored.identity;
        let summary = Summary {
            arn: identity.arn,
            name: identity.name,
            state_machine_arn: identity.state_machine_arn,
            status: stored.status,
            start_ms: identity.start_ms,
            input: identity.input,
            trace_header: stored.trace_header,
            qualifier: stored.qualifier,
        };
        SummaryRow { summary, revision: stored.revision, input_hash: stored.input_hash }
    }))
}

pub(super) fn read(store: &dyn Store, id: ExecutionId, texts: &mut Texts) -> Result<Option<Stored>, RecordError> {
    match store.get(Space::Summary, &key::summary(id))? {
        Some(row) => decode(&row, id, texts).map(Some).map_err(|fault| fault.of(ROW, id)),
        None => Ok(None),
    }
}

pub(super) fn encode(stored: &Stored, rows: &mut Rows<'_>) -> Writer {
    let version = if stored.qualifier.is_some() { VERSION } else { 1 };
    let mut out = Writer::row(version);
    let identity = &stored.identity;
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
    if let Some(qualifier) = &stored.qualifier {
        write_qualifier(qualifier, &mut out);
    }
    out.number(stored.next_event);
    out.number(u64::from(stored.next_frame));
    status(&stored.status, &mut out, rows);
    out
}

fn decode(row: &[u8], id: ExecutionId, texts: &mut Texts) -> Result<Stored, Fault> {
    let (mut row, version) = Reader::versioned(row, VERSION)?;
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
    };
    let stored = Stored {
        identity,
        input_hash: row.array()?,
        revision: row.number()?,
        trace_header: row.optional_text()?,
        qualifier: if version < 2 { None } else { Some(read_qualifier(&mut row)?) },
        next_event: row.number()?,
        next_frame: row.small()?,
        status: read_status(&mut row, texts)?,
    };
    row.end()?;
    Ok(stored)
}

/// The revision that the execution of a row runs or ran.
pub(super) fn revision_of(row: &[u8], id: ExecutionId) -> Result<u64, RecordError> {
    decode(row, id, &mut Texts::default()).map(|stored| stored.revision).map_err(|fault| fault.of(ROW, id))
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

pub(super) fn status_name(status: &Status) -> StatusName {
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
pub(super) fn status_byte(status: StatusName) -> u8 {
    match status {
        StatusName::Running => 1,
        StatusName::Succeeded => 2,
        StatusName::Failed => 3,
        StatusName::TimedOut => 4,
        StatusName::Aborted => 5,
    }
}

fn status_of_byte(byte: u8) -> Option<StatusName> {
    super::listing::STATUSES.into_iter().find(|status| status_byte(*status) == byte)
}
