//! Map Runs: describe, list, update.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use stepwell_expr::Payload;
use stepwell_machine::{
    Child, Failure, Redrives, Status, TaskId, definition::MachineType, map_run::child_name, program::ScopeId,
};
use tokio::sync::oneshot;

use super::{Cursor, Engine, ExecutionError, ListExecutions, ListedExecution, Page, StatusName, Summary, Unavailable};
use crate::{
    limits::PAGE_MAX,
    map_runs::{
        Mail, OpenChild,
        express_arn::{self, Whence},
    },
    record::{self, ChildOutcome, ExecutionId, ExpressOutcome, ExpressOutcomes, MapRunPlace},
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
        let found = self.reading(1, move |shared| found(shared, &wanted)).await??;
        let (place, run, index) = found.ok_or(ExecutionError::DoesNotExist)?;
        // Asked before the row is read: one that ends meanwhile is met twice rather than never.
        let open = self.open_children(&run.arn, index..index.saturating_add(1)).await.remove(&index);
        let outcome = self.reading(1, move |shared| outcome(shared, place, index)).await??;
        let open = open.filter(|open| open.arn == arn);
        let (status, input, start_ms, items) = match (outcome.filter(|(_, express)| express.arn == arn), open) {
            (Some((outcome, express)), _) => {
                let ended = ended(outcome.status, &express);
                (ended, Payload::from_checked_text(express.input), express.start_ms, outcome.items)
            }
            (None, Some(open)) => (Status::Running, open.input, open.start_ms, open.items),
            (None, None) => return Err(ExecutionError::DoesNotExist),
        };
        Ok(Summary {
            name: child_name(&run.arn, index),
            state_machine_arn: run.child_machine_arn().into(),
            status,
            start_ms,
            input,
            trace_header: None,
            qualifier: None,
            events: 0,
            redrives: Redrives::default(),
            child: Some(Arc::new(Child { map_run_arn: run.arn, index, items, scope: ScopeId(0) })),
            arn,
        })
    }

    /// The child executions of a Map Run, newest first. A page may be short though more follow.
    ///
    /// Those of Express have rows once they have ended, by their numbers, which is the order in which they were first
    /// started; those that run are in memory alone.
    pub async fn map_run_children(&self, list: ListExecutions) -> Result<Page<ListedExecution>, MapRunError> {
        let ListExecutions { state_machine_arn: arn, status, limit, after } = list.clone();
        let wanted = arn.clone();
        let found = self.reading(1, move |shared| whose(shared, &wanted)).await??;
        let (place, run, ended) = found.ok_or(MapRunError::DoesNotExist)?;
        let before = match after.as_ref().map(Cursor::number) {
            // Made by the list of Standard ones, or by nobody.
            Some(None) => return Ok(self.list_executions(list).await?),
            Some(Some(before)) => before,
            None => u64::MAX,
        };
        // Asked before the rows are read: one that ends meanwhile is met twice rather than never.
        let open = self.open_children(&arn, 0..before).await;
        if ended == Some(MachineType::Standard) || (ended.is_none() && open.is_empty()) {
            return Ok(self.list_executions(list).await?);
        }
        let limit = limit.clamp(1, PAGE_MAX);
        let page = self.blocking(move |shared| {
            let outcomes = match status {
                Some(StatusName::Running) => Ok(ExpressOutcomes::default()),
                _ => record::express_outcomes(shared.store.as_ref(), place, before, status, limit + 1),
            };
            outcomes.map(|outcomes| express_page(&run, open, outcomes, status, limit)).map_err(log_down)
        });
        Ok(page.await??)
    }

    /// Those Express ones that run.
    async fn open_children(&self, map_run_arn: &str, children: Range<u64>) -> BTreeMap<u64, OpenChild> {
        let (to, answer) = oneshot::channel();
        match self.0.shared.map_runs.tell(map_run_arn, Mail::Look { children, to }) {
            true => answer.await.unwrap_or_default(),
            false => BTreeMap::new(),
        }
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

/// Where a Map Run is kept, the Map Run, and of which type its child executions are, as far as one has ended.
fn whose(shared: &Shared, arn: &str) -> Result<Option<(MapRunPlace, MapRun, Option<MachineType>)>, Unavailable> {
    let store = shared.store.as_ref();
    let Some(place) = record::map_run_place(store, arn).map_err(log_down)? else { return Ok(None) };
    let Some(row) = record::map_run(store, place).map_err(log_down)? else { return Ok(None) };
    let first = record::outcomes(store, place, 0, 1).map_err(log_down)?.into_iter().next();
    let ended = first.map(|(_, outcome)| match outcome.express {
        Some(_) => MachineType::Express,
        None => MachineType::Standard,
    });
    Ok(Some((place, row.run, ended)))
}

/// What runs and what has ended, in one order.
fn express_page(
    run: &MapRun,
    open: BTreeMap<u64, OpenChild>,
    outcomes: ExpressOutcomes,
    status: Option<StatusName>,
    limit: usize,
) -> Page<ListedExecution> {
    let listed = |index, arn, status, start_ms, stop_ms, items| ListedExecution {
        arn,
        name: child_name(&run.arn, index),
        status,
        start_ms,
        stop_ms,
        qualifier: None,
        redrives: Redrives::default(),
        items: Some(items),
    };
    let ExpressOutcomes { found, from } = outcomes;
    let mut merged = BTreeMap::new();
    for (index, (outcome, express)) in found {
        let ExpressOutcome { arn, start_ms, stop_ms, .. } = express;
        merged.insert(index, listed(index, arn, outcome.status, start_ms, Some(stop_ms), outcome.items));
    }
    for (index, OpenChild { arn, items, start_ms, .. }) in open.into_iter().filter(|(index, _)| *index >= from) {
        // What has ended may be an attempt before a redrive.
        let has_ended = merged.get(&index).is_some_and(|ended| ended.arn == arn);
        if !has_ended {
            merged.remove(&index);
            if status.is_none_or(|status| status == StatusName::Running) {
                merged.insert(index, listed(index, arn, StatusName::Running, start_ms, None, items));
            }
        }
    }
    let mut newest = merged.into_iter().rev();
    let page: Vec<(u64, ListedExecution)> = newest.by_ref().take(limit).collect();
    let next = match newest.next() {
        Some(_) => page.last().map(|(index, _)| *index),
        None => (from > 0).then_some(from),
    };
    Page { items: page.into_iter().map(|(_, listed)| listed).collect(), next: next.map(Cursor::of_number) }
}

/// The Map Run of an Express child execution, where it is kept, and the child's number there.
fn found(shared: &Shared, arn: &str) -> Result<Option<(MapRunPlace, MapRun, u64)>, Unavailable> {
    let Some((name, Whence { map_run, index })) = express_arn::parse(arn) else { return Ok(None) };
    let store = shared.store.as_ref();
    for place in record::map_run_places(store, &map_run).map_err(log_down)? {
        let row = record::map_run(store, place).map_err(log_down)?;
        if let Some(row) = row.filter(|row| *child_name(&row.run.arn, index) == *name) {
            return Ok(Some((place, row.run, index)));
        }
    }
    Ok(None)
}

/// How an Express child execution ended, if it has.
fn outcome(
    shared: &Shared,
    place: MapRunPlace,
    index: u64,
) -> Result<Option<(ChildOutcome, ExpressOutcome)>, Unavailable> {
    let before = index.saturating_add(1);
    let mut outcomes = record::express_outcomes(shared.store.as_ref(), place, before, None, 1).map_err(log_down)?;
    Ok(outcomes.found.remove(&index))
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
