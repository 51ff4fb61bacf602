//! Map Runs: describe, list, update.

use std::sync::Arc;

use stepwell_expr::Payload;
use stepwell_machine::{Child, Failure, Redrives, Status, TaskId, map_run::child_name, program::ScopeId};
use tokio::sync::oneshot;

use super::{Cursor, Engine, ExecutionError, Page, StatusName, Summary, Unavailable};
use crate::{
    limits::PAGE_MAX,
    map_runs::{
        Mail,
        express_arn::{self, Whence},
    },
    record::{self, ExecutionId, ExpressOutcome},
    registry::log_down,
    shared::Shared,
};

#[derive(Clone, Debug, PartialEq)]
pub struct MapRun {
    pub arn: Arc<str>,
    pub execution_arn: Arc<str>,
    pub status: MapRunStatus,
    /// Milliseconds since 1970.
    pub start_ms: i64,
    pub stop_ms: Option<i64>,
    /// 0: as many as may be.
    pub max_concurrency: u64,
    pub tolerated_failure_count: Option<u64>,
    /// 0 to 100.
    pub tolerated_failure_percentage: Option<f64>,
    pub items: Counts,
    pub executions: Counts,
    pub redrives: u64,
    pub redrive_ms: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MapRunStatus {
    Running,
    Succeeded,
    Failed(Failure),
    Aborted,
}

/// Items, or child executions, by what has become of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub running: u64,
    pub succeeded: u64,
    pub failed: u64,
    pub timed_out: u64,
    pub aborted: u64,
    /// As far as it is known.
    pub total: u64,
    pub results_written: u64,
    /// Failed ones that a redrive cannot go on with.
    pub not_redrivable: u64,
    /// Unsuccessful ones that a redrive has not come to yet.
    pub pending_redrive: u64,
}

impl Counts {
    pub fn unsuccessful(&self) -> u64 {
        self.failed + self.timed_out + self.aborted
    }

    /// Not begun yet.
    pub fn pending(&self) -> u64 {
        self.total.saturating_sub(self.running + self.succeeded + self.unsuccessful() + self.pending_redrive)
    }
}

impl MapRun {
    /// True of a child execution that a redrive has not come to yet.
    pub fn awaits_redrive(&self, status: StatusName, stop_ms: Option<i64>) -> bool {
        let unsuccessful = !matches!(status, StatusName::Running | StatusName::Succeeded);
        let before = stop_ms.zip(self.redrive_ms).is_some_and(|(stop_ms, redrive_ms)| stop_ms <= redrive_ms);
        self.status == MapRunStatus::Running && self.items.pending_redrive > 0 && unsuccessful && before
    }

    /// The labelled state machine of its child executions.
    pub fn child_machine_arn(&self) -> String {
        let arn = self.arn.rsplit_once(':').map_or(&*self.arn, |(arn, _)| arn);
        arn.replacen(":mapRun:", ":stateMachine:", 1)
    }
}

/// What is to change in a Map Run that runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct UpdateMapRun {
    pub max_concurrency: Option<u64>,
    pub tolerated_failure_count: Option<u64>,
    pub tolerated_failure_percentage: Option<f64>,
}

#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum MapRunError {
    #[error("the Map Run does not exist")]
    DoesNotExist,
    #[error("the Map Run has ended")]
    Ended,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Engine {
    pub async fn map_run(&self, arn: &str) -> Result<MapRun, MapRunError> {
        let arn: Arc<str> = arn.into();
        self.blocking(move |shared| {
            let store = shared.store.as_ref();
            let place = record::map_run_place(store, &arn).map_err(log_down)?.ok_or(MapRunError::DoesNotExist)?;
            let row = record::map_run(store, place).map_err(log_down)?.ok_or(MapRunError::DoesNotExist)?;
            Ok(row.run)
        })
        .await?
    }

    /// An Express child execution of a Map Run. An ended one is there as long as its Map Run.
    pub async fn express_child(&self, arn: &str) -> Result<Summary, ExecutionError> {
        let arn: Arc<str> = arn.into();
        let wanted = arn.clone();
        let found = self.blocking(move |shared| found(shared, &wanted).map_err(ExecutionError::from)).await??;
        let (run, index, outcome) = found.ok_or(ExecutionError::DoesNotExist)?;
        let summary = |status, input, start_ms, items| Summary {
            name: child_name(&run.arn, index),
            state_machine_arn: run.child_machine_arn().into(),
            status,
            start_ms,
            input,
            trace_header: None,
            qualifier: None,
            events: 0,
            redrives: Redrives::default(),
            child: Some(Arc::new(Child { map_run_arn: run.arn.clone(), index, items, scope: ScopeId(0) })),
            arn: arn.clone(),
        };
        if let Some((status, items, express)) = outcome.filter(|(_, _, express)| express.arn == arn) {
            let ended = ended(status, &express);
            return Ok(summary(ended, Payload::from_checked_text(express.input), express.start_ms, items));
        }
        let (to, answer) = oneshot::channel();
        if !self.0.shared.map_runs.tell(&run.arn, Mail::Look { index, to }) {
            return Err(ExecutionError::DoesNotExist);
        }
        let open = answer.await.ok().flatten().filter(|open| open.arn == arn).ok_or(ExecutionError::DoesNotExist)?;
        Ok(summary(Status::Running, open.input, open.start_ms, 1))
    }

    /// Newest first.
    pub async fn list_map_runs(
        &self,
        execution_arn: &str,
        limit: usize,
        after: Option<Cursor>,
    ) -> Result<Page<MapRun>, ExecutionError> {
        let id = ExecutionId::of_arn(execution_arn);
        self.blocking(move |shared| {
            let store = shared.store.as_ref();
            record::summary(store, id).map_err(log_down)?.ok_or(ExecutionError::DoesNotExist)?;
            let before = after.map(|after| TaskId(after.number().unwrap_or(0)));
            let limit = limit.clamp(1, PAGE_MAX);
            let mut runs = record::map_runs(store, id, before, limit + 1).map_err(log_down)?;
            let more = runs.len() > limit;
            runs.truncate(limit);
            let next = runs.last().filter(|_| more).map(|(task, _)| Cursor::of_number(task.0));
            Ok(Page { items: runs.into_iter().map(|(_, run)| run).collect(), next })
        })
        .await?
    }

    /// Answers once it is durable; child executions that run already go on.
    pub async fn update_map_run(&self, arn: &str, update: UpdateMapRun) -> Result<(), MapRunError> {
        let (to, answer) = oneshot::channel();
        if self.0.shared.map_runs.tell(arn, Mail::Update { update, to }) {
            // Dropped unanswered only by one that has come to its end meanwhile, or by an engine that stops.
            if let Ok(answer) = answer.await {
                return answer;
            }
        }
        self.map_run(arn).await?;
        Err(MapRunError::Ended)
    }
}

/// How an Express child execution ended: its status, its items, and what is kept of it.
type Outcome = (StatusName, u64, ExpressOutcome);

/// The Map Run of an Express child execution, its number there, and how it ended, if it has.
fn found(shared: &Shared, arn: &str) -> Result<Option<(MapRun, u64, Option<Outcome>)>, Unavailable> {
    let Some((name, Whence { map_run, index })) = express_arn::parse(arn) else { return Ok(None) };
    let store = shared.store.as_ref();
    for place in record::map_run_places(store, &map_run).map_err(log_down)? {
        let Some(row) = record::map_run(store, place).map_err(log_down)? else { continue };
        if *child_name(&row.run.arn, index) != *name {
            continue;
        }
        let outcome = record::outcomes(store, place, index, 1).map_err(log_down)?.into_iter().next();
        let outcome = outcome.filter(|(of, _)| *of == index);
        let outcome = outcome.and_then(|(_, outcome)| Some((outcome.status, outcome.items, outcome.express?)));
        return Ok(Some((row.run, index, outcome)));
    }
    Ok(None)
}

fn ended(status: StatusName, express: &ExpressOutcome) -> Status {
    let (stop_ms, failure) = (express.stop_ms, express.failure.clone());
    match status {
        StatusName::Running => Status::Running,
        StatusName::Succeeded => {
            let output = express.output.clone().unwrap_or_else(|| "null".into());
            Status::Succeeded { output: Payload::from_checked_text(output), stop_ms }
        }
        StatusName::Failed => Status::Failed { failure, stop_ms },
        StatusName::TimedOut => Status::TimedOut { failure, stop_ms },
        StatusName::Aborted => Status::Aborted { failure, stop_ms },
    }
}
