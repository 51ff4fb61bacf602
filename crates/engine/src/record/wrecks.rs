//! What unsuccessful executions leave for a redrive, and its removal when it has expired.

use stepwell_store::{Batch, Direction, Space, Store, Visit};

use super::{ExecutionId, RecordError, codec::Fault, key, scan};
use crate::limits::WRECKS_SWEPT_MAX;

const ROW: &str = "wrecks";

/// Removes what has expired at `now_ms` in the shard of an execution: of [`WRECKS_SWEPT_MAX`] executions at most.
///
/// Called whenever one more execution leaves something there, so that what is expired never becomes more. Only the
/// driver that owns the shard calls it: nothing else redrives its executions.
pub fn sweep_wrecks(
    store: &dyn Store,
    execution: ExecutionId,
    now_ms: i64,
    batch: &mut Batch,
) -> Result<(), RecordError> {
    let mut expired = Vec::new();
    let range = key::expired_wrecks(execution.shard(), now_ms);
    scan(store, Space::Open, &range, Direction::Forward, &mut |key, _| {
        let unknown = || Fault::Damaged("its key is unknown").of(ROW, execution);
        expired.push((key.to_vec(), key::parse_wrecks(key).ok_or_else(unknown)?));
        Ok(if expired.len() < WRECKS_SWEPT_MAX { Visit::Continue(()) } else { Visit::Break(()) })
    })?;
    for (mark, id) in expired {
        scan(store, Space::Frames, &key::frames(id), Direction::Forward, &mut |key, _| {
            batch.delete(Space::Frames, key.to_vec());
            Ok(Visit::Continue(()))
        })?;
        batch.delete(Space::Open, mark);
    }
    Ok(())
}
