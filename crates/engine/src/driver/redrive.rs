//! RedriveExecution: an execution that ended unsuccessfully goes on.

use std::sync::Arc;

use stepwell_machine::{Event, Execution};
use tokio::sync::oneshot::Sender;

use super::{Driver, Resident, Then};
use crate::{
    handle::{NotRedrivable, RedriveError, Unavailable},
    limits::REDRIVE_TOKEN_MS_MAX,
    record::{self, ExecutionId, Loaded},
    registry::log_down,
    reply::Reply,
};

type Redriver = Sender<Result<i64, RedriveError>>;

impl Driver {
    /// One that is in rows only.
    pub(super) fn redrive_stored(&mut self, id: ExecutionId, token: Option<Arc<str>>, to: Redriver) {
        match self.find_wrecked(id) {
            Ok(Some(mut resident)) => {
                self.redrive(&mut resident, token, to);
                let refused = resident.batch == 0 && resident.thinking.is_none();
                if !refused {
                    self.residents.put(resident);
                }
            }
            Ok(None) => self.open.replies.push(Reply::Redrive(to, Err(RedriveError::DoesNotExist))),
            Err(why) => drop(to.send(Err(why.into()))),
        }
    }

    fn find_wrecked(&self, id: ExecutionId) -> Result<Option<Box<Resident>>, Unavailable> {
        if self.removing.contains_key(&id) {
            return Ok(None);
        }
        let loaded = record::load_wrecked(self.shared.store.as_ref(), id).map_err(log_down)?;
        let Some(Loaded { execution, books }) = loaded else { return Ok(None) };
        let revision = self.shared.registry.revision(books.revision).map_err(log_down)?;
        Ok(Some(Box::new(Resident::new(id, execution, books, &revision))))
    }

    /// One that is in memory; also one that runs, which a repeated call may have redriven.
    pub(super) fn redrive(&mut self, resident: &mut Resident, token: Option<Arc<str>>, to: Redriver) {
        let now_ms = self.shared.timeline.now_ms();
        // Those of callers are valid for a while; that of a Map Run for as long as it takes.
        let is_child = resident.execution.identity.child.is_some();
        let after_ms = (!is_child).then(|| now_ms.saturating_sub(REDRIVE_TOKEN_MS_MAX));
        let repeated = token.as_ref().and_then(|token| resident.books.redriven_with(token, after_ms));
        if let Some(redrive_ms) = repeated {
            return self.open.replies.push(Reply::Redrive(to, Ok(redrive_ms)));
        }
        if let Err(why) = self.may_redrive(&resident.execution, now_ms) {
            return self.open.replies.push(Reply::Redrive(to, Err(why.into())));
        }
        if let Some(token) = token {
            resident.books.note_redrive(&token, now_ms);
        }
        self.turn(resident, Event::Redriven, Then::Redriver(to));
    }

    fn may_redrive(&self, execution: &Execution, now_ms: i64) -> Result<(), NotRedrivable> {
        let header = &execution.header;
        let deleting = self.shared.registry.is_deleting(unlabelled(&execution.identity.state_machine_arn));
        let start_ms = execution.identity.start_ms;
        NotRedrivable::check(&header.status, deleting, header.next_event - 1, start_ms, now_ms, self.shared.limits())?;
        // What it left is gone, or was never kept: it ended before there were redrives.
        if execution.is_redrivable() { Ok(()) } else { Err(NotRedrivable::BeforeRedrives) }
    }
}

/// The state machine whose ARN a label may follow.
fn unlabelled(state_machine_arn: &str) -> &str {
    state_machine_arn.split_once('/').map_or(state_machine_arn, |(machine, _)| machine)
}
