//! Rows that say which events are to be logged, and which status changes announced, from their commit until a sink has
//! taken them.

use stepwell_machine::Redrives;
use stepwell_store::{Batch, Direction, Space, Store, Visit};

use super::{
    ExecutionId, LogMark, RecordError, StatusMark,
    codec::{Fault, Reader, Writer},
    key, scan,
};

const VERSION: u8 = 1;
const ROW: &str = "log mark";
const STATUS_ROW: &str = "status mark";

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
        let (execution, first_event) = key::parse_event_mark(key).ok_or_else(unknown)?;
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

pub fn mark_status(mark: &StatusMark, batch: &mut Batch) {
    let mut out = Writer::row(VERSION);
    out.number(mark.redrives.count);
    // No execution was redriven in 1970.
    out.signed(mark.redrives.last_ms.unwrap_or(0));
    batch.put(Space::Open, key::status_mark(mark.execution, mark.event), out.into_bytes());
}

pub fn forget_status(mark: &StatusMark, batch: &mut Batch) {
    batch.delete(Space::Open, key::status_mark(mark.execution, mark.event));
}

/// At most `rows_max` of them, those of one execution in order.
pub fn status_marks(store: &dyn Store, rows_max: usize) -> Result<Vec<StatusMark>, RecordError> {
    let mut found = Vec::new();
    scan(store, Space::Open, &key::status_marks(), Direction::Forward, &mut |key, row| {
        let unknown = || Fault::Damaged("its key is unknown").of(STATUS_ROW, ExecutionId([0; 16]));
        let (execution, event) = key::parse_event_mark(key).ok_or_else(unknown)?;
        found.push(decode_status(row, execution, event).map_err(|fault| fault.of(STATUS_ROW, execution))?);
        Ok(if found.len() < rows_max { Visit::Continue(()) } else { Visit::Break(()) })
    })?;
    Ok(found)
}

fn decode_status(row: &[u8], execution: ExecutionId, event: u64) -> Result<StatusMark, Fault> {
    let mut row = Reader::row(row, VERSION)?;
    let (count, last_ms) = (row.number()?, row.signed()?);
    row.end()?;
    let redrives = Redrives { count, last_ms: (last_ms > 0).then_some(last_ms) };
    Ok(StatusMark { execution, event, redrives })
}

#[cfg(test)]
mod tests {
    use stepwell_store::Memory;

    use super::*;

    #[test]
    fn status_marks_come_back_in_order_and_are_forgotten() {
        let store = Memory::new();
        let mark = |execution: u8, event: u64, redrives: Redrives| StatusMark {
            execution: ExecutionId([execution; 16]),
            event,
            redrives,
        };
        let redriven = Redrives { count: 3, last_ms: Some(1_700_000_000_123) };
        let marks = [mark(1, 1, Redrives::default()), mark(1, 300, redriven), mark(2, 1, Redrives::default())];
        let mut batch = Batch::default();
        marks.iter().rev().for_each(|mark| mark_status(mark, &mut batch));
        store.commit(batch).unwrap();
        assert_eq!(status_marks(&store, 10).unwrap(), marks);
        assert_eq!(status_marks(&store, 2).unwrap(), marks[..2]);
        let mut batch = Batch::default();
        forget_status(&marks[1], &mut batch);
        store.commit(batch).unwrap();
        assert_eq!(status_marks(&store, 10).unwrap(), [marks[0], marks[2]]);
        assert_eq!(log_marks(&store).unwrap(), []);
    }
}
