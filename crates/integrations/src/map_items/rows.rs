//! The rows of a Parquet file. Its reader blocks, so it runs where that blocks nobody, for some rows at a time.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use stepwell_items::{
    DataError, Item,
    parquet::{Place, Ranges, Rows},
};
use tokio::{runtime::Handle, task::spawn_blocking};

use super::{
    Problem,
    bucket::Bucket,
    position::{Mark, Within},
};
use crate::limits::{ROWS_AT_ONCE_BYTES, ROWS_AT_ONCE_MAX};

pub(super) struct RowContent {
    source: Arc<str>,
    version: Arc<str>,
    found: Found,
}

struct Found {
    /// `None` at the end.
    rows: Option<Rows>,
    /// Read already, each with the place behind it.
    read: VecDeque<(Item, Place)>,
}

impl RowContent {
    pub(super) async fn open(
        bucket: Bucket,
        key: Arc<str>,
        from: Option<(Arc<str>, Place)>,
    ) -> Result<RowContent, Problem> {
        let source = bucket.source(Some(&key));
        let (version, place) = from.map_or((None, Place::default()), |(version, place)| (Some(version), place));
        // One byte tells what the object is.
        let first = bucket.read(&key, 0, 1, version.as_deref()).await?;
        let version = version.unwrap_or(first.version);
        let file = Object { bucket, key, size: first.size, version: version.clone(), runtime: Handle::current() };
        let rows = in_the_background(move || Rows::open(Arc::new(file), place)).await?;
        Ok(RowContent { source, version, found: Found { rows: Some(rows), read: VecDeque::new() } })
    }

    pub(super) fn source(&self) -> &Arc<str> {
        &self.source
    }

    /// The next item, and where the one after it begins.
    pub(super) async fn next(&mut self) -> Result<Option<(Item, Within)>, Problem> {
        if self.found.read.is_empty()
            && let Some(rows) = self.found.rows.take()
        {
            self.found = in_the_background(move || read_on(rows)).await?;
        }
        let next = self.found.read.pop_front();
        Ok(next.map(|(item, place)| (item, Within { version: self.version.clone(), mark: Mark::Row(place) })))
    }
}

fn read_on(mut rows: Rows) -> Result<Found, DataError> {
    let mut read = VecDeque::new();
    let mut bytes = 0;
    while read.len() < ROWS_AT_ONCE_MAX && bytes < ROWS_AT_ONCE_BYTES {
        let Some(item) = rows.next_item()? else { return Ok(Found { rows: None, read }) };
        bytes += item.value.bytes();
        read.push_back((item, rows.place()));
    }
    Ok(Found { rows: Some(rows), read })
}

async fn in_the_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DataError> + Send + 'static,
) -> Result<T, Problem> {
    match spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        // The library panics at some files that are damaged; that ends this reading alone.
        Err(_) => Err(Problem::new("the Parquet file is damaged")),
    }
}

/// An object as the reader of Parquet sees it.
struct Object {
    bucket: Bucket,
    key: Arc<str>,
    size: u64,
    version: Arc<str>,
    runtime: Handle,
}

impl Ranges for Object {
    fn size(&self) -> u64 {
        self.size
    }

    fn read(&self, at: u64, length: usize) -> Result<Bytes, String> {
        let piece = self.runtime.block_on(self.bucket.read(&self.key, at, length, Some(&self.version)));
        let piece = piece.map_err(|problem| problem.to_string())?;
        match piece.bytes.len() == length {
            true => Ok(piece.bytes),
            false => Err(format!("the object `{}` is shorter than it was said to be", self.key)),
        }
    }
}
