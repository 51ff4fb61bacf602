//! Rows that say which jobs are to be stopped, from the commit that gave them up until they are stopped.
//!
//! A row says all that stopping needs, since nothing else of the task is kept.

use std::sync::Arc;

use stepwell_machine::{TaskId, TaskRequest, effect::TaskTarget, program::ServicePattern, root::Root};
use stepwell_store::{Batch, Direction, Space, Store, Visit};

use super::{
    ExecutionId, RecordError,
    codec::{Fault, Reader, Writer},
    key, scan,
    texts::{Rows, Texts},
};

const VERSION: u8 = 1;
const ROW: &str = "job to be stopped";

const SYNC: u8 = 1;
const SYNC_2: u8 = 2;

/// Notes that the job of `request` is to be stopped. Of what is no job nothing is noted.
pub(super) fn record_stop(request: &TaskRequest, rows: &mut Rows<'_>) {
    let (TaskTarget::Service { service, action, pattern }, Some(submitted)) = (&request.target, &request.submitted)
    else {
        return;
    };
    let pattern = match pattern {
        ServicePattern::Sync => SYNC,
        ServicePattern::Sync2 => SYNC_2,
        ServicePattern::RequestResponse | ServicePattern::WaitForTaskToken => return,
    };
    let mut out = Writer::row(VERSION);
    out.text(service);
    out.text(action);
    out.byte(pattern);
    rows.payload(&mut out, &request.input);
    rows.payload(&mut out, submitted);
    out.raw(&request.origin.0);
    out.optional_text(request.credentials_role.as_ref());
    out.text(&request.execution_arn);
    out.text(&request.state_machine_arn);
    out.text(&request.role_arn);
    rows.put(Space::Open, key::stop(rows.id, request.task), out);
}

/// As [`record_stop`], outside of any step: the job became known after its task had been given up.
pub fn note_stop(execution: ExecutionId, request: &TaskRequest, batch: &mut Batch) {
    let mut rows = Rows { id: execution, root: &request.origin, stored: &mut Default::default(), batch };
    record_stop(request, &mut rows);
}

pub fn forget_stop(execution: ExecutionId, task: TaskId, batch: &mut Batch) {
    batch.delete(Space::Open, key::stop(execution, task));
}

/// Up to `limit` jobs that are to be stopped. Their payloads may be absent.
pub fn stops(store: &dyn Store, limit: usize) -> Result<Vec<(ExecutionId, TaskRequest)>, RecordError> {
    let mut found = Vec::new();
    scan(store, Space::Open, &key::stops(), Direction::Forward, &mut |key, row| {
        let unknown = || Fault::Damaged("its key is unknown").of(ROW, ExecutionId([0; 16]));
        let (execution, task) = key::parse_stop(key).ok_or_else(unknown)?;
        found.push((execution, decode(row, task).map_err(|fault| fault.of(ROW, execution))?));
        Ok(if found.len() < limit { Visit::Continue(()) } else { Visit::Break(()) })
    })?;
    Ok(found)
}

fn decode(row: &[u8], task: TaskId) -> Result<TaskRequest, Fault> {
    let mut texts = Texts::checked();
    let mut row = Reader::row(row, VERSION)?;
    let (service, action): (Arc<str>, Arc<str>) = (row.text()?, row.text()?);
    let pattern = match row.byte()? {
        SYNC => ServicePattern::Sync,
        SYNC_2 => ServicePattern::Sync2,
        _ => return Err(Fault::Damaged("it is of unknown kind")),
    };
    let request = TaskRequest {
        task,
        target: TaskTarget::Service { service, action, pattern },
        input: texts.payload(&mut row)?,
        submitted: Some(texts.payload(&mut row)?),
        origin: Root(row.array()?),
        credentials_role: row.optional_text()?,
        execution_arn: row.text()?,
        state_machine_arn: row.text()?,
        role_arn: row.text()?,
    };
    row.end()?;
    Ok(request)
}
