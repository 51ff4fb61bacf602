//! RedriveExecution, and which executions can be redriven.

use std::sync::Arc;

use stepwell_machine::{Status, limits::Limits};
use tokio::sync::oneshot;

use super::{Engine, Unavailable, executions::CALL_BYTES};
use crate::{inbox::Errand, limits::REDRIVE_PERIOD_MS, record::ExecutionId};

#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum RedriveError {
    #[error("the execution does not exist")]
    DoesNotExist,
    #[error(transparent)]
    NotRedrivable(#[from] NotRedrivable),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why an execution cannot be redriven, in AWS's words. Source: API reference, `redriveStatusReason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRedrivable {
    #[error("State machine is in DELETING status")]
    MachineDeleting,
    #[error("Execution is RUNNING and cannot be redriven")]
    Running,
    #[error("Execution is SUCCEEDED and cannot be redriven")]
    Succeeded,
    #[error("Execution was started before the launch of RedriveExecution")]
    BeforeRedrives,
    #[error("Execution history event limit exceeded")]
    EventLimit,
    #[error("Execution has exceeded the max execution time")]
    ExecutionTime,
    /// A child execution; the sentence is ours.
    #[error("Execution is REDRIVABLE_BY_MAP_RUN and cannot be redriven by itself")]
    ByMapRun,
    /// A child execution of a Map Run. Source: as in result files; the sentence is not recorded.
    #[error("Execution is EXPRESS and cannot be redriven")]
    Express,
    #[error("Execution redrivable period exceeded")]
    PeriodExceeded,
}

impl NotRedrivable {
    /// Whether an execution may be redriven that has had so many `events`.
    ///
    /// Source: Step Functions guide, "Eligibility criteria for redriving unsuccessful executions".
    pub fn check(
        status: &Status,
        machine_deleting: bool,
        events: u64,
        start_ms: i64,
        now_ms: i64,
        limits: &Limits,
    ) -> Result<(), NotRedrivable> {
        let stop_ms = match status {
            Status::Running => return Err(NotRedrivable::Running),
            Status::Succeeded { .. } => return Err(NotRedrivable::Succeeded),
            Status::Failed { stop_ms, .. } | Status::TimedOut { stop_ms, .. } | Status::Aborted { stop_ms, .. } => {
                *stop_ms
            }
        };
        let since_ms = |ms: i64| now_ms.saturating_sub(ms);
        let longest_ms = i64::try_from(limits.execution_seconds).unwrap_or(i64::MAX).saturating_mul(1_000);
        if machine_deleting {
            Err(NotRedrivable::MachineDeleting)
        } else if events >= limits.history_events - 1 {
            Err(NotRedrivable::EventLimit)
        } else if since_ms(stop_ms) > REDRIVE_PERIOD_MS {
            Err(NotRedrivable::PeriodExceeded)
        } else if since_ms(start_ms) >= longest_ms {
            Err(NotRedrivable::ExecutionTime)
        } else {
            Ok(())
        }
    }
}

impl Engine {
    /// Answers when it was redriven: now, or by an earlier call with the same client token.
    pub async fn redrive_execution(&self, arn: &str, token: Option<Arc<str>>) -> Result<i64, RedriveError> {
        let (to, answer) = oneshot::channel();
        let errand = Errand::Redrive { token, to };
        self.0.shared.inboxes.call(ExecutionId::of_arn(arn), errand, CALL_BYTES)?;
        answer.await.unwrap_or(Err(Unavailable::Down.into()))
    }
}
