//! Executions that ended long ago are removed in the background, and revisions that nothing names any more.
//!
//! One thread looks for them in the listings and asks the driver that owns each to remove it: drivers alone change
//! executions, and the rows go through the committer like all others. The thread sleeps several times as long as it
//! worked, so that starts hardly feel it.

use std::{
    collections::BTreeSet,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use tokio::sync::oneshot::Receiver;

use crate::{
    handle::{Engine, Unavailable},
    limits::{
        RETENTION_AT_ONCE, RETENTION_EVERY, RETENTION_LOOKED_AT, RETENTION_PAUSE_MAX, RETENTION_REST,
        RETENTION_ROUNDS_MAX,
    },
    record::{self, Expired, Removal},
    registry::log_down,
    shared::Shared,
};

/// What a pass has removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    pub executions: u64,
    pub revisions: u64,
}

impl Engine {
    /// From now on removes executions that ended longer than `retention` ago. To be called once.
    pub fn remove_closed_after(&self, retention: Duration) -> std::io::Result<()> {
        let shared = self.0.shared.clone();
        let builder = std::thread::Builder::new().name("stepwell-retention".to_owned());
        let thread = builder.spawn(move || keep_sweeping(&shared, retention))?;
        self.0.threads.lock().add_sweeper(thread);
        Ok(())
    }

    /// One pass at once: removes what ended before `before_ms`, milliseconds since 1970.
    pub async fn sweep_closed(&self, before_ms: i64) -> Result<Swept, Unavailable> {
        self.blocking(move |shared| {
            let mut superseded = shared.registry.superseded().map_err(log_down)?;
            let executions = sweep_executions(shared, before_ms, &mut |_| true)?;
            let revisions = sweep_revisions(shared, &mut superseded, &mut |_| true)?;
            Ok(Swept { executions, revisions })
        })
        .await?
    }
}

fn keep_sweeping(shared: &Shared, retention: Duration) {
    let retention_ms = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
    // A start that was under way may still name a revision that was superseded just now: it has one pass to appear.
    let mut superseded = BTreeSet::new();
    while !shared.stopping.load(Ordering::SeqCst) {
        let before_ms = shared.timeline.now_ms().saturating_sub(retention_ms);
        let mut rest = |worked: Duration| {
            shared.sweeping.wait(Some((worked * RETENTION_REST).min(RETENTION_PAUSE_MAX)));
            !shared.stopping.load(Ordering::SeqCst)
        };
        let swept = sweep_executions(shared, before_ms, &mut rest);
        let mut unused: BTreeSet<u64> = superseded;
        superseded = shared.registry.superseded().map_err(log_down).unwrap_or_default();
        unused.retain(|revision| superseded.contains(revision));
        let swept = swept.and_then(|executions| {
            Ok(Swept { executions, revisions: sweep_revisions(shared, &mut unused, &mut rest)? })
        });
        match swept {
            Ok(Swept { executions: 0, revisions: 0 }) => {}
            Ok(Swept { executions, revisions }) => tracing::info!(executions, revisions, "removed what ended long ago"),
            // The store has failed, which health tells, or the engine stops.
            Err(_) => {}
        }
        if !shared.stopping.load(Ordering::SeqCst) {
            shared.sweeping.wait(Some(RETENTION_EVERY));
        }
    }
}

/// `rest` sleeps for a time that fits the work done, and tells whether to go on.
fn sweep_executions(
    shared: &Shared,
    before_ms: i64,
    rest: &mut dyn FnMut(Duration) -> bool,
) -> Result<u64, Unavailable> {
    let (mut removed, mut after) = (0, None);
    loop {
        let began = Instant::now();
        let group = next_group(shared, before_ms, after.as_ref())?;
        let Some(last) = group.last().cloned() else { return Ok(removed) };
        removed += remove(shared, before_ms, group, rest)?;
        after = Some(last);
        if !rest(began.elapsed()) {
            return Ok(removed);
        }
    }
}

pub(crate) fn next_group(
    shared: &Shared,
    before_ms: i64,
    after: Option<&Expired>,
) -> Result<Vec<Expired>, Unavailable> {
    record::expired(shared.store.as_ref(), before_ms, after, RETENTION_AT_ONCE).map_err(log_down)
}

/// Removes a group to its end; answers how many went.
fn remove(
    shared: &Shared,
    before_ms: i64,
    mut group: Vec<Expired>,
    rest: &mut dyn FnMut(Duration) -> bool,
) -> Result<u64, Unavailable> {
    // One that was started through a version or an alias stands in several lists.
    group.sort_by_key(|expired| expired.execution);
    group.dedup_by_key(|expired| expired.execution);
    let mut removed = 0;
    for _ in 0..RETENTION_ROUNDS_MAX {
        let began = Instant::now();
        let answers: Vec<Receiver<Result<Removal, Unavailable>>> =
            group.iter().map(|expired| shared.inboxes.expire(expired.execution, before_ms)).collect();
        let mut more = Vec::new();
        for (expired, answer) in group.into_iter().zip(answers) {
            match answer.blocking_recv().unwrap_or(Err(Unavailable::Down))? {
                Removal::Done => removed += 1,
                Removal::More => more.push(expired),
                Removal::NotDue => {}
            }
        }
        group = more;
        if group.is_empty() || !rest(began.elapsed()) {
            break;
        }
    }
    Ok(removed)
}

/// Removes those of `unused` that no execution names.
fn sweep_revisions(
    shared: &Shared,
    unused: &mut BTreeSet<u64>,
    rest: &mut dyn FnMut(Duration) -> bool,
) -> Result<u64, Unavailable> {
    if unused.is_empty() {
        return Ok(0);
    }
    // Starts that were accepted before are in rows from here on.
    for answer in shared.inboxes.fence() {
        answer.blocking_recv().unwrap_or(Err(Unavailable::Down))?;
    }
    let mut after = None;
    while !unused.is_empty() {
        let began = Instant::now();
        after = record::keep_used(shared.store.as_ref(), unused, after, RETENTION_LOOKED_AT).map_err(log_down)?;
        if after.is_none() {
            break;
        }
        if !rest(began.elapsed()) {
            return Ok(0);
        }
    }
    shared.registry.forget_revisions(unused)
}
