//! Rows that say which events are to be logged, from the commit of the events until the sink has taken them.

use stepwell_store::{Batch, Direction, Space, Store, Visit};

use super::{
    ExecutionId, LogMark, RecordError,
    codec::{Fault, Reader, Writer},
    key, scan,
};

const VERSION: u8 = 1;
const ROW: &str = "log mark";

pub fn mark_log(mark: &LogMark, batch: &mut Batch) {
    let mut out = Writer::row(VERSION);
    out.number(mark.last_event);
    out.number(mark.redrive_count);
    batch.put(Space::Open, key::log_mark(mark.execution, mark.first_event), out.into_bytes());
}

pub fn forget_log(mark: &LogMark, batch: &mut Batch) {
    batch.delete(Space::Open, key::log_mark(mark.execution, mark.first_event));
}

/// All of them, those of one execution in order.
pub fn log_marks(store: &dyn Store) -> Result<Vec<LogMark>, RecordError> {
    let mut found = Vec::new();
    scan(store, Space::Open, &key::log_marks(), Direction::Forward, &mut |key, row| {
        let unknown = || Fault::Damaged("its key is unknown").of(ROW, ExecutionId([0; 16]));
        let (execution, first_event) = key::parse_log_mark(key).ok_or_else(unknown)?;
        found.push(decode(row, execution, first_event).map_err(|fault| fault.of(ROW, execution))?);
        Ok(Visit::Continue(()))
    })?;
    Ok(found)
}

fn decode(row: &[u8], execution: ExecutionId, first_event: u64) -> Result<LogMark, Fault> {
    let mut row = Reader::row(row, VERSION)?;
    let mark = LogMark { execution, first_event, last_event: row.number()?, redrive_count: row.number()? };
    row.end()?;
    Ok(mark)
}
