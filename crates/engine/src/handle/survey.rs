//! What is looked at over all executions: a search, and the tasks whose tokens wait for an answer.
//!
//! There is no index: both walk over the listing rows, newest start first, and read an execution's own rows only where
//! its listing does not decide. So an execution costs nothing more for being found later, and each call looks at a
//! bounded number of rows and says how far it came.

use std::sync::Arc;

use stepwell_expr::{Payload, Value};
use stepwell_machine::{Execution, Program, Status, TaskId, definition::MachineType, root, state::task::Resource};
use stepwell_store::Visit;

use super::{Answer, Cursor, Engine, ExecutionError, ListedExecution, StatusName, TokenError, Unavailable};
use crate::{
    express::ExpressExecution,
    limits::{
        COUNTED_MAX, HELD_EXAMINED_MAX, HELD_INPUT_BYTES_MAX, HELD_OF_ONE_MAX, PAGE_MAX, SEARCH_EXAMINED_MAX,
        SEARCH_MACHINES_MAX, SEARCH_READ_BYTES_MAX, SEARCH_READ_MAX,
    },
    owner::Owner,
    record::{self, ExecutionId, RecordError, status_name},
    registry::log_down,
    shared::Shared,
};

/// What an execution must be to be found; what is absent, or empty, does not matter.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// The ARN of its state machine.
    pub state_machine_arn: Option<Arc<str>>,
    pub statuses: Vec<StatusName>,
    /// Part of its name, in any case.
    pub name: Option<Arc<str>>,
    /// When it started, in milliseconds since 1970, both ends included.
    pub from_ms: Option<i64>,
    pub until_ms: Option<i64>,
    /// Part of the name of its error, in any case.
    pub error: Option<Arc<str>>,
    pub input: Option<Needle>,
    pub output: Option<Needle>,
}

/// What is looked for in an input or output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Needle {
    /// Part of its JSON text, in any case; kept in lower case.
    Text(Arc<str>),
    /// A member by the names on the way to it; arrays are walked into. Its value is this string, or has this JSON text.
    Member { path: Vec<Arc<str>>, value: Arc<str> },
}

/// How far one call of a search came.
#[derive(Clone, Debug)]
pub struct Found {
    pub executions: Vec<FoundExecution>,
    /// Executions that were looked at.
    pub examined: u64,
    /// The start of the last of them, in milliseconds since 1970.
    pub reached_ms: Option<i64>,
    /// `None`: that were all.
    pub next: Option<Cursor>,
}

#[derive(Clone, Debug)]
pub struct FoundExecution {
    pub listed: ListedExecution,
    pub state_machine_arn: Arc<str>,
    /// Of one that did not succeed.
    pub error: Option<Arc<str>>,
}

/// A task that an answer with its token would end.
#[derive(Clone, Debug)]
pub struct WaitingTask {
    pub execution_arn: Arc<str>,
    pub state_machine_arn: Arc<str>,
    pub task: TaskId,
    pub state: Arc<str>,
    pub resource: Resource,
    /// When its state was entered, in milliseconds since 1970.
    pub since_ms: i64,
    /// When it times out.
    pub deadline_ms: Option<i64>,
    /// Seconds between heartbeats.
    pub heartbeat_seconds: Option<u64>,
    /// Its payload or parameters; absent if it is larger than [`HELD_INPUT_BYTES_MAX`].
    pub input: Payload,
}

/// How far one call for waiting tasks came.
#[derive(Clone, Debug)]
pub struct WaitingTasks {
    pub tasks: Vec<WaitingTask>,
    /// Executions that run and were looked at.
    pub examined: u64,
    pub next: Option<Cursor>,
}

const ALL: [StatusName; 5] =
    [StatusName::Running, StatusName::Succeeded, StatusName::Failed, StatusName::TimedOut, StatusName::Aborted];

impl Engine {
    /// Up to `limit` executions of `owner`, or of the state machine that is named, whosever that is; newest start first
    /// within each [`SEARCH_MACHINES_MAX`] state machines.
    pub async fn search(
        &self,
        owner: &Owner,
        search: Search,
        limit: usize,
        after: Option<Cursor>,
    ) -> Result<Found, Unavailable> {
        let (owner, limit) = (owner.clone(), limit.clamp(1, PAGE_MAX));
        self.blocking(move |shared| find(shared, &owner, &search, limit, after.as_ref()).map_err(log_down)).await?
    }

    /// How many executions in each of these statuses a state machine has; each is counted up to [`COUNTED_MAX`].
    pub async fn execution_counts(
        &self,
        state_machine_arn: Arc<str>,
        statuses: Vec<StatusName>,
    ) -> Result<Vec<usize>, Unavailable> {
        self.blocking(move |shared| {
            let (store, running) = (shared.store.as_ref(), Some(&shared.committer.running));
            let count = |status| record::count(store, running, &state_machine_arn, status, COUNTED_MAX);
            statuses.into_iter().map(count).collect::<Result<_, _>>().map_err(log_down)
        })
        .await?
    }

    /// Express executions in memory: those that run, newest start first, then those that ended last first.
    pub fn search_express(&self, owner: &Owner, search: &Search) -> Vec<Arc<ExpressExecution>> {
        let named = search.state_machine_arn.as_deref();
        let mut found = self.express_executions(named);
        found.retain(|execution| (named.is_some() || owner.has(&execution.arn)) && search.is_express(execution));
        found
    }

    /// About `limit` tasks (at most [`HELD_OF_ONE_MAX`] of one execution) whose token somebody holds, of the owner's executions that run and the
    /// child executions of Map Runs, newest start first.
    pub async fn waiting_tasks(
        &self,
        owner: &Owner,
        limit: usize,
        after: Option<Cursor>,
    ) -> Result<WaitingTasks, Unavailable> {
        let (owner, limit) = (owner.clone(), limit.clamp(1, PAGE_MAX));
        self.blocking(move |shared| waiting(shared, &owner, limit, after.as_ref()).map_err(log_down)).await?
    }

    /// Those of one execution, at most [`HELD_OF_ONE_MAX`].
    pub async fn waiting_tasks_of(&self, execution_arn: &str) -> Result<Vec<WaitingTask>, ExecutionError> {
        let id = ExecutionId::of_arn(execution_arn);
        self.blocking(move |shared| {
            record::summary(shared.store.as_ref(), id).map_err(log_down)?.ok_or(ExecutionError::DoesNotExist)?;
            Ok(waiting_of(shared, id).map_err(log_down)?)
        })
        .await?
    }

    /// Answers a task by its execution and id, in the place of whoever holds its token.
    pub async fn answer_waiting(&self, execution_arn: &str, task: TaskId, answer: Answer) -> Result<(), TokenError> {
        let id = ExecutionId::of_arn(execution_arn);
        let token = self
            .blocking(move |shared| {
                let Some(loaded) = record::load(shared.store.as_ref(), id).map_err(log_down)? else {
                    return Err(TokenError::Invalid);
                };
                let Some(program) = program_of(shared, loaded.books.revision) else {
                    return Err(Unavailable::Down.into());
                };
                let is_held = loaded.execution.held_tasks(&program).any(|held| held.wait.task == task);
                let token = is_held.then(|| root::token(&loaded.execution.identity, task));
                token.ok_or(TokenError::TaskTimedOut)
            })
            .await??;
        self.answer_task(&token, answer).await
    }
}

/// The state machines that one call looks at, and the cursor of the machines behind them.
///
/// A cursor is that of the machines before these (8 bytes, 0: none), then, if some of their executions have been shown,
/// the place of the last of those.
struct Group {
    before: u64,
    machines: Vec<Arc<str>>,
    behind: Option<u64>,
}

impl Group {
    fn read(
        shared: &Shared,
        owner: &Owner,
        only: Option<&Arc<str>>,
        after: Option<&Cursor>,
    ) -> (Group, Option<Cursor>) {
        let (before, place) = match after.and_then(|cursor| cursor.0.split_first_chunk::<8>()) {
            Some((before, place)) => (u64::from_be_bytes(*before), Some(place).filter(|place| !place.is_empty())),
            None => (0, None),
        };
        let place = place.map(|place| Cursor(place.to_vec()));
        if let Some(only) = only {
            return (Group { before, machines: vec![only.clone()], behind: None }, place);
        }
        let page = shared.registry.list_machines(owner, SEARCH_MACHINES_MAX, Some(&Cursor::of_number(before)));
        let standard = page.items.iter().filter(|machine| machine.machine_type != Some(MachineType::Express));
        let machines = standard.map(|machine| machine.arn.clone()).collect();
        (Group { before, machines, behind: page.next.and_then(|next| next.number()) }, place)
    }

    /// The cursor behind an execution of the group.
    fn behind(&self, place: &Cursor) -> Cursor {
        Cursor(self.before.to_be_bytes().iter().chain(&place.0).copied().collect())
    }

    /// The cursor behind the group.
    fn end(&self) -> Option<Cursor> {
        self.behind.map(Cursor::of_number)
    }
}

fn find(
    shared: &Shared,
    owner: &Owner,
    search: &Search,
    limit: usize,
    after: Option<&Cursor>,
) -> Result<Found, RecordError> {
    let store = shared.store.as_ref();
    let (group, place) = Group::read(shared, owner, search.state_machine_arn.as_ref(), after);
    let from = place.or_else(|| search.until_ms.map(record::from_start));
    let statuses: Vec<StatusName> = ALL.into_iter().filter(|status| search.may_be(*status)).collect();
    let mut found = Found { executions: Vec::new(), examined: 0, reached_ms: None, next: group.end() };
    let mut reader = Reader { shared, reads_left: SEARCH_READ_MAX, bytes_left: SEARCH_READ_BYTES_MAX };
    let running = Some(&shared.committer.running);
    record::newest(store, running, &group.machines, &statuses, from.as_ref(), &mut |place, machine_arn, listed| {
        if search.from_ms.is_some_and(|from_ms| listed.start_ms < from_ms) {
            return Ok(Visit::Break(()));
        }
        found.examined += 1;
        found.reached_ms = Some(listed.start_ms);
        if search.admits(&listed)
            && let Some(error) = reader.look(search, &listed)?
        {
            let state_machine_arn = machine_arn.clone();
            found.executions.push(FoundExecution { listed, state_machine_arn, error });
        }
        let is_enough = found.executions.len() >= limit || found.examined >= SEARCH_EXAMINED_MAX || reader.is_spent();
        if is_enough {
            found.next = Some(group.behind(&place));
            return Ok(Visit::Break(()));
        }
        Ok(Visit::Continue(()))
    })?;
    Ok(found)
}

impl Search {
    /// Whether an execution in this status can be found at all.
    fn may_be(&self, status: StatusName) -> bool {
        let fits = match status {
            StatusName::Running => self.error.is_none() && self.output.is_none(),
            StatusName::Succeeded => self.error.is_none(),
            StatusName::Failed | StatusName::TimedOut | StatusName::Aborted => self.output.is_none(),
        };
        fits && (self.statuses.is_empty() || self.statuses.contains(&status))
    }

    fn is_express(&self, execution: &ExpressExecution) -> bool {
        let (error, output) = outcome(&execution.status);
        let is_in = |needle: &Option<Needle>, payload: Option<&Payload>| {
            needle.as_ref().is_none_or(|needle| payload.is_some_and(|payload| needle.is_in(payload)))
        };
        self.may_be(status_name(&execution.status))
            && self.name.as_ref().is_none_or(|name| contains(&execution.name, name))
            && self.from_ms.is_none_or(|from_ms| execution.start_ms >= from_ms)
            && self.until_ms.is_none_or(|until_ms| execution.start_ms <= until_ms)
            && self.error.as_ref().is_none_or(|wanted| error.is_some_and(|error| contains(error, wanted)))
            && is_in(&self.input, Some(&execution.input))
            && is_in(&self.output, output)
    }

    /// As far as the listing tells.
    fn admits(&self, listed: &ListedExecution) -> bool {
        self.name.as_ref().is_none_or(|name| contains(&listed.name, name))
    }
}

/// What one call may still read of executions.
struct Reader<'a> {
    shared: &'a Shared,
    reads_left: usize,
    bytes_left: usize,
}

impl Reader<'_> {
    fn is_spent(&self) -> bool {
        self.reads_left == 0 || self.bytes_left == 0
    }

    /// Its error, if it has one; `None` if the search does not fit its summary.
    fn look(&mut self, search: &Search, listed: &ListedExecution) -> Result<Option<Option<Arc<str>>>, RecordError> {
        let has_error = !matches!(listed.status, StatusName::Running | StatusName::Succeeded);
        if search.input.is_none() && search.output.is_none() && !has_error {
            return Ok(Some(None));
        }
        self.reads_left = self.reads_left.saturating_sub(1);
        let store = self.shared.store.as_ref();
        let id = ExecutionId::of_arn(&listed.arn);
        // It may have been removed in the meantime.
        let Some(row) = record::summary(store, id)? else { return Ok(None) };
        let (error, output) = outcome(&row.summary.status);
        if let Some(wanted) = &search.error
            && !error.is_some_and(|error| contains(error, wanted))
        {
            return Ok(None);
        }
        for (needle, payload) in [(&search.input, Some(&row.summary.input)), (&search.output, output)] {
            let Some(needle) = needle else { continue };
            let Some(payload) = payload else { return Ok(None) };
            if payload.is_absent() {
                record::fill(store, id, std::slice::from_ref(payload))?;
            }
            self.bytes_left = self.bytes_left.saturating_sub(payload.bytes());
            if !needle.is_in(payload) {
                return Ok(None);
            }
        }
        Ok(Some(error.cloned()))
    }
}

/// The error, or the output, that it ended with.
fn outcome(status: &Status) -> (Option<&Arc<str>>, Option<&Payload>) {
    let output = match status {
        Status::Succeeded { output, .. } => Some(output),
        Status::Running | Status::Failed { .. } | Status::TimedOut { .. } | Status::Aborted { .. } => None,
    };
    (status.failure().and_then(|failure| failure.error.as_ref()), output)
}

/// `part` is in lower case.
fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(part)
}

impl Needle {
    fn is_in(&self, payload: &Payload) -> bool {
        match self {
            Needle::Text(part) => contains(payload.text(), part),
            Needle::Member { path, value } => is_member(payload.value(), path, value),
        }
    }
}

fn is_member(of: &Value, path: &[Arc<str>], wanted: &str) -> bool {
    match (of, path) {
        (Value::Array(items), _) => items.iter().any(|item| is_member(item, path, wanted)),
        (of, []) => of.as_str().map_or_else(|| of.to_string() == wanted, |text| text == wanted),
        (of, [name, rest @ ..]) => of.get(name).is_some_and(|member| is_member(member, rest, wanted)),
    }
}

fn waiting(shared: &Shared, owner: &Owner, limit: usize, after: Option<&Cursor>) -> Result<WaitingTasks, RecordError> {
    let store = shared.store.as_ref();
    let (mut group, place) = Group::read(shared, owner, None, after);
    if group.before == 0 {
        // Child executions stand in the list of their Map Run.
        group.machines.extend(shared.map_runs.arns(owner, SEARCH_MACHINES_MAX));
    }
    let mut found = WaitingTasks { tasks: Vec::new(), examined: 0, next: group.end() };
    let running = Some(&shared.committer.running);
    record::newest(
        store,
        running,
        &group.machines,
        &[StatusName::Running],
        place.as_ref(),
        &mut |place, _, listed| {
            found.examined += 1;
            found.tasks.extend(waiting_of(shared, ExecutionId::of_arn(&listed.arn))?);
            if found.tasks.len() >= limit || found.examined >= HELD_EXAMINED_MAX {
                found.next = Some(group.behind(&place));
                return Ok(Visit::Break(()));
            }
            Ok(Visit::Continue(()))
        },
    )?;
    Ok(found)
}

fn waiting_of(shared: &Shared, id: ExecutionId) -> Result<Vec<WaitingTask>, RecordError> {
    let store = shared.store.as_ref();
    let Some(row) = record::summary(store, id)? else { return Ok(Vec::new()) };
    let program = program_of(shared, row.revision).filter(|program| program.gives_tokens());
    // Most state machines have no such task, so most executions are not read.
    let Some(program) = program else { return Ok(Vec::new()) };
    let Some(loaded) = record::load(store, id)? else { return Ok(Vec::new()) };
    let tasks = tasks_of(&loaded.execution, &program);
    let absent: Vec<Payload> = tasks.iter().map(|task| task.input.clone()).filter(is_told).collect();
    record::fill(store, id, &absent)?;
    Ok(tasks)
}

fn is_told(input: &Payload) -> bool {
    input.is_absent() && input.bytes() <= HELD_INPUT_BYTES_MAX
}

/// A definition that cannot be read is told by whoever runs it.
fn program_of(shared: &Shared, revision: u64) -> Option<Arc<Program>> {
    shared.registry.revision(revision).map_err(log_down).ok().map(|machine| machine.program.clone())
}

fn tasks_of(execution: &Execution, program: &Program) -> Vec<WaitingTask> {
    let identity = &execution.identity;
    let tasks = execution.held_tasks(program).map(|held| WaitingTask {
        execution_arn: identity.arn.clone(),
        state_machine_arn: identity.state_machine_arn.clone(),
        task: held.wait.task,
        state: held.state.clone(),
        resource: held.resource.clone(),
        since_ms: held.entered_ms,
        deadline_ms: held.wait.deadline_ms,
        heartbeat_seconds: held.wait.heartbeat.map(|(seconds, _)| seconds),
        input: held.wait.input.clone(),
    });
    tasks.take(HELD_OF_ONE_MAX).collect()
}

#[cfg(test)]
mod tests {
    use stepwell_expr::json;

    use super::*;

    #[test]
    fn members_by_path() {
        let value = json::parse(r#"{"order":{"id":"A-1","lines":[{"n":1},{"n":2}],"paid":true}}"#).unwrap();
        let is = |path: &str, wanted: &str| {
            let path: Vec<Arc<str>> = path.split('.').map(Arc::from).collect();
            is_member(&value, &path, wanted)
        };
        assert!(is("order.id", "A-1") && is("order.lines.n", "2") && is("order.paid", "true"));
        assert!(!is("order.id", "A") && !is("order.lines.n", "3") && !is("id", "A-1") && !is("order", "A-1"));
    }
}
