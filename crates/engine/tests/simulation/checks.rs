//! What must hold after every crash and at the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::Arc,
};

use stepwell_engine::{
    GetHistory, MapRun, MapRunStatus, StatusName,
    record::{self, ExecutionId, MapRunPlace, Shards},
};
use stepwell_expr::{Payload, Value};
use stepwell_machine::{
    Event, Execution, Frame, HistoryEvent, Moment, Program, Status, Stepped, TaskId,
    definition::{self, MachineType},
    execution::Phase,
    history::Detail,
    limits::{FUEL_SLICE, Limits},
    map_run::child_name,
    state::StateType,
    step,
};
use stepwell_store::{Direction, Space, Store, prefix_end};

use crate::journal::{Entry, Journal};

/// An execution as its events make it, apart from what the engine stored.
struct Replay {
    execution: Execution,
    history: Vec<HistoryEvent>,
    /// The last entry of the journal that went into it.
    entry: u64,
    /// Its history as the check before saw it.
    seen: Vec<String>,
}

/// What is known from outside, through all lives.
pub(crate) struct Checks {
    /// By name.
    programs: BTreeMap<&'static str, Program>,
    replays: BTreeMap<Arc<str>, Replay>,
    /// Every start that was tried, with the machine's name.
    pub(crate) attempted: BTreeMap<Arc<str>, &'static str>,
    pub(crate) started: BTreeSet<Arc<str>>,
    pub(crate) stopped: BTreeSet<Arc<str>>,
    /// Those that were old enough to be removed at some time, and may be.
    pub(crate) expired: BTreeSet<Arc<str>>,
    /// Child executions that are known, with their Map Runs. They are among those that were attempted, too.
    pub(crate) children: BTreeMap<Arc<str>, Arc<str>>,
    /// A redrive of these was tried.
    pub(crate) redriven: BTreeSet<Arc<str>>,
    /// Tasks whose answer was acknowledged.
    pub(crate) answered: BTreeSet<(Arc<str>, TaskId)>,
    /// Tasks that a worker got.
    pub(crate) taken: BTreeSet<(Arc<str>, TaskId)>,
}

impl Checks {
    pub(crate) fn new(machines: &[(&'static str, String)]) -> Checks {
        let compiled = |text: &str| {
            let compiled = definition::compile(text, MachineType::Standard);
            compiled.program.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics))
        };
        Checks {
            programs: machines.iter().map(|(name, text)| (*name, compiled(text))).collect(),
            replays: BTreeMap::new(),
            attempted: BTreeMap::new(),
            started: BTreeSet::new(),
            stopped: BTreeSet::new(),
            expired: BTreeSet::new(),
            children: BTreeMap::new(),
            redriven: BTreeSet::new(),
            answered: BTreeSet::new(),
            taken: BTreeSet::new(),
        }
    }

    /// Everything, of all executions.
    pub(crate) fn run(&mut self, store: &dyn Store, journal: &Journal) -> Result<(), String> {
        self.find_children(store)?;
        // What is stored now stays.
        self.started.extend(self.children.keys().cloned());
        let mut statuses = BTreeMap::new();
        for (arn, machine) in self.attempted.clone() {
            let id = ExecutionId::of_arn(&arn);
            let loaded = record::load_wrecked(store, id).and_then(|ended| match ended {
                Some(ended) => Ok(Some(ended)),
                None => record::load(store, id),
            });
            let loaded = loaded.map_err(|error| format!("{arn}: {error}"))?;
            let Some(loaded) = loaded else {
                // Not started as far as anybody knows, or gone with everything that it had.
                if self.started.contains(&arn) && !self.expired.contains(&arn) {
                    return Err(format!("{arn}: an acknowledged start is lost"));
                }
                nothing_is_left(store, &arn)?;
                continue;
            };
            if !self.expired.contains(&arn) {
                // Otherwise its history and texts may be on their way out.
                let input = payloads(&loaded.execution);
                record::fill(store, id, &input).map_err(|error| format!("{arn}: {error}"))?;
                self.follow(&arn, machine, &loaded.execution, journal).map_err(|why| format!("{arn}: {why}"))?;
                self.compare(store, &arn, &loaded.execution).map_err(|why| format!("{arn}: {why}"))?;
            }
            let status = &loaded.execution.header.status;
            if self.stopped.contains(&arn) && matches!(status, Status::Running) {
                return Err(format!("{arn}: it runs after an acknowledged stop"));
            }
            statuses.insert(arn, loaded.execution);
        }
        self.acknowledged_tasks(journal)?;
        queues(store, &statuses)?;
        self.map_runs(store, &statuses)?;
        self.listings(store, &statuses)
    }

    /// Looks for the child executions of all Map Runs, by the names that follow from theirs.
    pub(crate) fn find_children(&mut self, store: &dyn Store) -> Result<(), String> {
        let spreads = |(arn, machine): &(&Arc<str>, &&'static str)| {
            matches!(**machine, "spread" | "read") && !self.children.contains_key(*arn)
        };
        let parents = self.attempted.iter().filter(spreads).map(|(arn, machine)| (arn.clone(), *machine));
        for (parent, machine) in parents.collect::<Vec<_>>() {
            for (_, run) in map_runs(store, &parent)? {
                for index in 0..ITEMS_MAX {
                    let child = child_arn(&run.arn, index);
                    let summary = record::summary(store, ExecutionId::of_arn(&child));
                    if !self.children.contains_key(&child) && summary.map_err(|error| error.to_string())?.is_some() {
                        self.attempted.insert(child.clone(), machine);
                        self.children.insert(child, run.arn.clone());
                    }
                }
            }
        }
        // One that began and ended after the last look, whose parent has gone since, is listed beside those that are known.
        let known: BTreeMap<Arc<str>, &'static str> =
            self.children.iter().map(|(child, run)| (run.clone(), self.attempted[child])).collect();
        for (run, machine) in known {
            for child in listed(store, &run)?.into_keys() {
                self.attempted.insert(child.clone(), machine);
                self.children.insert(child, run.clone());
            }
        }
        Ok(())
    }

    /// Each is under way as long as its execution waits for it; its counts are those of its rows, and these tell how the
    /// child executions ended; its result has each of their outputs once.
    fn map_runs(&self, store: &dyn Store, executions: &BTreeMap<Arc<str>, Execution>) -> Result<(), String> {
        let marks = record::map_run_marks(store).map_err(|error| error.to_string())?;
        let redriven =
            |place: MapRunPlace| marks.iter().filter(|mark| mark.place == place).map(|mark| mark.redrives).max();
        let marked = |place: MapRunPlace| redriven(place).is_some();
        for (arn, execution) in executions {
            let id = ExecutionId::of_arn(arn);
            for wait in execution.map_runs() {
                if !marked(MapRunPlace { execution: id, task: wait.task }) {
                    return Err(format!("{arn}: its Map Run {} is not under way", wait.arn));
                }
            }
            if self.expired.contains(arn) {
                continue;
            }
            let mut last = None;
            for (task, run) in map_runs(store, arn)? {
                let place = MapRunPlace { execution: id, task };
                let outcomes = record::outcomes(store, place, 0, usize::MAX).map_err(|error| error.to_string())?;
                let wrong = |what: String| Err(format!("{}: {what}: {run:?}, {outcomes:?}", run.arn));
                let counted = |status| {
                    let of = outcomes.iter().filter(|(_, outcome)| outcome.status == status);
                    let now =
                        of.filter(|(_, outcome)| status == StatusName::Succeeded || outcome.redrives == run.redrives);
                    now.count() as u64
                };
                let counts = &run.executions;
                let expected = [StatusName::Succeeded, StatusName::Failed, StatusName::TimedOut, StatusName::Aborted];
                if [counts.succeeded, counts.failed, counts.timed_out, counts.aborted] != expected.map(counted) {
                    return wrong("its counts are not those of its rows".to_owned());
                }
                if run.status == MapRunStatus::Running && !marked(place) {
                    return wrong("it runs and is not under way".to_owned());
                }
                if run.status == MapRunStatus::Succeeded && outcomes.len() as u64 != counts.total {
                    return wrong("it has succeeded without all of its child executions".to_owned());
                }
                for (index, outcome) in &outcomes {
                    let child = child_arn(&run.arn, *index);
                    let is = executions.get(&child).map(|child| name(&child.header.status));
                    let fits = is == Some(outcome.status)
                        // Redriven, and not at its end again yet.
                        || (outcome.status != StatusName::Succeeded && redriven(place).max(Some(run.redrives)) > Some(outcome.redrives))
                        || self.expired.contains(&child);
                    if !fits {
                        return wrong(format!("child execution {index} is {is:?}"));
                    }
                }
                last.get_or_insert((run.status.clone(), outcomes));
            }
            let output = match &execution.header.status {
                Status::Succeeded { output, .. }
                    if self.attempted[arn] == "spread" && !self.children.contains_key(arn) =>
                {
                    output
                }
                _ => continue,
            };
            let Some((MapRunStatus::Succeeded, outcomes)) = last else {
                return Err(format!("{arn}: it has succeeded without its Map Run"));
            };
            // Of an item that failed there is what is known of its child execution.
            let told = |result: &Value| result.get("Input").and_then(Value::as_str).map(str::to_owned);
            let results = output.value().as_array().unwrap_or_default();
            let results: Vec<_> = results.iter().map(|result| (told(result), result.as_i64())).collect();
            let expected = outcomes.iter().map(|(index, outcome)| match outcome.status {
                StatusName::Succeeded => (None, Some(index.cast_signed() + 1)),
                _ => (Some((index + 1).to_string()), None),
            });
            let expected: Vec<_> = expected.collect();
            if results != expected {
                return Err(format!("{arn}: its result is {}, not {expected:?}", output.text()));
            }
        }
        Ok(())
    }

    /// Plays what the journal has beyond what was played before.
    fn follow(&mut self, arn: &Arc<str>, machine: &str, stored: &Execution, journal: &Journal) -> Result<(), String> {
        let program = &self.programs[machine];
        let replay = self.replays.entry(arn.clone()).or_insert_with(|| Replay {
            execution: Execution::new(stored.identity.clone()),
            history: Vec::new(),
            entry: 0,
            seen: Vec::new(),
        });
        for (number, entry) in journal.of(ExecutionId::of_arn(arn), replay.entry) {
            replay.entry = number;
            match entry {
                Entry::Renewed { opened_ms } => renew(&mut replay.execution, opened_ms),
                Entry::Took { event, granted } => {
                    let moment = Moment {
                        now_ms: granted.now_ms,
                        activity_exists: &|_| true,
                        parameters_problem: &|_, _, _| None,
                        limits: &Limits::default(),
                        transitions_max: granted.transitions_max,
                    };
                    match step(program, &replay.execution, event, moment, FUEL_SLICE) {
                        Stepped::Done(step) => {
                            replay.execution.apply(&step);
                            replay.history.extend(step.history);
                        }
                        other => return Err(format!("the replay does not go on: {other:?}")),
                    }
                }
            }
        }
        Ok(())
    }

    /// The record is what the replay says, and its history is sound by itself.
    fn compare(&mut self, store: &dyn Store, arn: &Arc<str>, stored: &Execution) -> Result<(), String> {
        let replay = self.replays.get_mut(arn).ok_or("it has no events")?;
        let (is, should) = (picture(stored), picture(&replay.execution));
        if is != should {
            return Err(format!("the record is not what its events give\n   is {is}\n  not {should}"));
        }
        let events = history(store, arn)?;
        check_history(&events, &stored.header.status)?;
        let lines = texts(&events);
        let replayed = texts(&replay.history);
        if lines != replayed {
            let at = lines.iter().zip(&replayed).position(|(is, should)| is != should);
            let at = at.unwrap_or(lines.len().min(replayed.len()));
            let (is, should) = (lines.get(at), replayed.get(at));
            return Err(format!("the history is not what its events give\n   is {is:?}\n  not {should:?}"));
        }
        if lines.len() < replay.seen.len() || lines[..replay.seen.len()] != replay.seen[..] {
            return Err("what was seen in its history has changed".to_owned());
        }
        replay.seen = lines;
        Ok(())
    }

    fn acknowledged_tasks(&self, journal: &Journal) -> Result<(), String> {
        for (arn, task) in &self.answered {
            let took = |event: &Event| matches!(event, Event::TaskAnswered { task: of, .. } if of == task);
            if !has_taken(journal, arn, took) {
                return Err(format!("{arn}: an acknowledged answer to task {} is lost", task.0));
            }
        }
        for (arn, task) in &self.taken {
            let took = |event: &Event| matches!(event, Event::TaskStarted { task: of, .. } if of == task);
            if !has_taken(journal, arn, took) {
                return Err(format!("{arn}: a worker has task {}, which has not started", task.0));
            }
        }
        Ok(())
    }

    /// Each execution is listed once, as what it is.
    fn listings(&self, store: &dyn Store, executions: &BTreeMap<Arc<str>, Execution>) -> Result<(), String> {
        let machines =
            self.programs.keys().map(|name| format!("arn:aws:states:us-east-1:123456789012:stateMachine:{name}"));
        let map_runs: BTreeSet<String> = self.children.values().map(|arn| arn.to_string()).collect();
        let mut all = BTreeMap::new();
        for machine in machines.chain(map_runs) {
            for (arn, status) in listed(store, &machine)? {
                if all.insert(arn.clone(), status).is_some() {
                    return Err(format!("{arn}: it is listed twice"));
                }
            }
        }
        let expected = executions.iter().map(|(arn, execution)| (arn.clone(), name(&execution.header.status)));
        let expected: BTreeMap<Arc<str>, StatusName> = expected.collect();
        if all != expected {
            let only = |these: &BTreeMap<Arc<str>, StatusName>, those: &BTreeMap<Arc<str>, StatusName>| {
                let only = these.iter().filter(|(arn, status)| those.get(*arn) != Some(*status));
                format!("{:?}", only.collect::<Vec<_>>())
            };
            return Err(format!("the listing has {}, not {}", only(&all, &expected), only(&expected, &all)));
        }
        Ok(())
    }
}

/// More items than any Map Run here has.
const ITEMS_MAX: u64 = 10;

fn map_runs(store: &dyn Store, execution: &str) -> Result<Vec<(TaskId, MapRun)>, String> {
    record::map_runs(store, ExecutionId::of_arn(execution), None, usize::MAX).map_err(|error| error.to_string())
}

/// What is listed under a machine or a Map Run.
fn listed(store: &dyn Store, arn: &str) -> Result<BTreeMap<Arc<str>, StatusName>, String> {
    let (mut found, mut after) = (BTreeMap::new(), None);
    loop {
        let page = record::list(store, None, arn, None, 7, after.as_ref()).map_err(|error| error.to_string())?;
        for item in page.items {
            if found.insert(item.arn.clone(), item.status).is_some() {
                return Err(format!("{}: it is listed twice", item.arn));
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}

/// `arn:...:execution:MACHINE/LABEL:NAME`
fn child_arn(map_run_arn: &str, index: u64) -> Arc<str> {
    let (labelled, _) = map_run_arn.rsplit_once(':').unwrap();
    format!("{}:{}", labelled.replacen(":mapRun:", ":execution:", 1), child_name(map_run_arn, index)).into()
}

fn nothing_is_left(store: &dyn Store, arn: &str) -> Result<(), String> {
    let id = ExecutionId::of_arn(arn).0;
    for space in [Space::History, Space::Frames] {
        let mut left = 0;
        let scanned = store.scan(space, &id, &prefix_end(&id), Direction::Forward, &mut |_, _| {
            left += 1;
            ControlFlow::Continue(())
        });
        scanned.map_err(|error| error.to_string())?;
        if left > 0 {
            return Err(format!("{arn}: it is gone, but for {left} rows in {space:?}"));
        }
    }
    Ok(())
}

fn has_taken(journal: &Journal, arn: &str, took: impl Fn(&Event) -> bool) -> bool {
    let entries = journal.of(ExecutionId::of_arn(arn), 0);
    entries.iter().any(|(_, entry)| matches!(entry, Entry::Took { event, .. } if took(event)))
}

/// What the engine does to the tasks of an execution that it reads: beats cost no write, so the last are unknown.
fn renew(execution: &mut Execution, opened_ms: i64) {
    for frame in execution.frames.values_mut() {
        let Phase::Task(wait) = &frame.phase else { continue };
        let Some((seconds, Some(due_ms))) = wait.heartbeat else { continue };
        let renewed_ms = opened_ms + i64::try_from(seconds).unwrap() * 1000;
        if due_ms < renewed_ms {
            let mut renewed = Frame::clone(frame);
            if let Phase::Task(wait) = &mut renewed.phase {
                wait.heartbeat = Some((seconds, Some(renewed_ms)));
            }
            *frame = Arc::new(renewed);
        }
    }
}

/// Everything of an execution that its record must have, but for heartbeats, which move in memory alone.
fn picture(execution: &Execution) -> String {
    let header = &execution.header;
    let status = match &header.status {
        Status::Succeeded { output, stop_ms } => format!("Succeeded {} {stop_ms}", output.text()),
        other => format!("{other:?}"),
    };
    if !execution.is_running() {
        return format!("{status}, next event {}, next frame {}", header.next_event, header.next_frame);
    }
    for payload in payloads(execution) {
        payload.text();
    }
    let frames = execution.frames.iter().map(|(id, frame)| {
        let mut frame = Frame::clone(frame);
        if let Phase::Task(wait) = &mut frame.phase {
            wait.heartbeat = wait.heartbeat.map(|(seconds, due)| (seconds, due.map(|_| 0)));
        }
        format!("{id:?} {frame:?}")
    });
    let frames: Vec<String> = frames.collect();
    let results: Vec<String> = execution.results.iter().map(|(key, chunk)| format!("{key:?} {chunk:?}")).collect();
    format!(
        "{status}, next event {}, next frame {}, last event {}, deadline {:?}, ready {:?}, frames {frames:#?}, results {results:#?}",
        header.next_event, header.next_frame, header.last_event_ms, header.deadline_ms, header.ready
    )
}

fn payloads(execution: &Execution) -> Vec<Payload> {
    let mut found = vec![execution.identity.input.clone()];
    if let Status::Succeeded { output, .. } = &execution.header.status {
        found.push(output.clone());
    }
    for frame in execution.frames.values() {
        found.push(frame.input.clone());
        found.extend(frame.variables.values().cloned());
        match &frame.phase {
            Phase::Task(wait) => found.push(wait.input.clone()),
            Phase::Map(wait) => found.extend([wait.items.clone(), wait.effective_input.clone()]),
            _ => {}
        }
    }
    found.extend(execution.results.values().flat_map(|chunk| chunk.iter().flatten().cloned()));
    found
}

fn history(store: &dyn Store, arn: &Arc<str>) -> Result<Vec<HistoryEvent>, String> {
    let (mut events, mut after) = (Vec::new(), None);
    loop {
        let get = GetHistory { execution_arn: arn.clone(), reverse: false, with_data: true, limit: 100, after };
        let page = record::history(store, &get).map_err(|error| error.to_string())?.ok_or("its history is lost")?;
        events.extend(page.events);
        after = page.last;
        if after.is_none() {
            return Ok(events);
        }
    }
}

/// One line for each event. Texts made of values read as texts do.
fn texts(events: &[HistoryEvent]) -> Vec<String> {
    events.iter().map(|event| format!("{event:?}")).collect()
}

/// Numbered without gaps; ends once, or not yet; timers fired once, and not early.
fn check_history(events: &[HistoryEvent], status: &Status) -> Result<(), String> {
    let mut fired = BTreeSet::new();
    let (mut ends, mut redrives) = (0, 0);
    for (index, event) in events.iter().enumerate() {
        if event.id != index as u64 + 1 || event.previous >= event.id {
            return Err(format!("event {} with previous {} stands at place {}", event.id, event.previous, index + 1));
        }
        let before = index.checked_sub(1).map(|before| &events[before]);
        if before.is_some_and(|before| before.timestamp_ms > event.timestamp_ms) {
            return Err(format!("event {} is older than the one before", event.id));
        }
        match &event.detail {
            Detail::ExecutionSucceeded { .. }
            | Detail::ExecutionFailed(_)
            | Detail::ExecutionAborted(_)
            | Detail::ExecutionTimedOut(_) => ends += 1,
            Detail::ExecutionRedriven { count } => {
                redrives += 1;
                if ends != 1 || *count != redrives {
                    return Err(format!("redrive {count} at event {} comes after {ends} ends", event.id));
                }
                ends = 0;
            }
            Detail::StateExited { kind: StateType::Wait, name, .. } => {
                let entered = usize::try_from(event.previous - 1).ok().and_then(|index| events.get(index));
                let seconds: i64 = name.trim_start_matches('W').parse().map_err(|_| "a Wait has a wrong name")?;
                let early = entered.is_none_or(|entered| event.timestamp_ms < entered.timestamp_ms + seconds * 1000);
                // Those that a redrive begins anew all follow its event.
                let redriven = entered.is_some_and(|event| matches!(event.detail, Detail::ExecutionRedriven { .. }));
                if early || (!fired.insert(event.previous) && !redriven) {
                    return Err(format!("the timer of {name} fired early or twice, at event {}", event.id));
                }
            }
            Detail::ActivityTimedOut(_) | Detail::LambdaFunctionTimedOut(_) | Detail::TaskTimedOut { .. }
                if !fired.insert(event.previous) =>
            {
                return Err(format!("a task timed out twice, at event {}", event.id));
            }
            _ => {}
        }
    }
    let last = events.last().map(|event| &event.detail);
    let fits = match (status, last) {
        (Status::Running, _) => ends == 0,
        (Status::Succeeded { output, .. }, Some(Detail::ExecutionSucceeded { output: told })) => {
            ends == 1 && output.text() == told.text()
        }
        (Status::Failed { failure, .. }, Some(Detail::ExecutionFailed(told)))
        | (Status::Aborted { failure, .. }, Some(Detail::ExecutionAborted(told)))
        | (Status::TimedOut { failure, .. }, Some(Detail::ExecutionTimedOut(told))) => ends == 1 && failure == told,
        _ => false,
    };
    if fits { Ok(()) } else { Err(format!("it is {status:?} after {ends} ends and {last:?}")) }
}

/// The queues over open executions hold what these wait for, and nothing else.
fn queues(store: &dyn Store, executions: &BTreeMap<Arc<str>, Execution>) -> Result<(), String> {
    let error = |error: record::RecordError| error.to_string();
    let mut timers: BTreeMap<ExecutionId, usize> = BTreeMap::new();
    for timer in record::timers(store, Shards::ALL, None, i64::MAX, usize::MAX).map_err(error)? {
        *timers.entry(timer.execution).or_default() += 1;
    }
    let mut tasks: BTreeSet<(ExecutionId, TaskId)> = BTreeSet::new();
    tasks.extend(record::intents(store, Shards::ALL).map_err(error)?.iter().map(|row| (row.execution, row.task)));
    tasks.extend(record::offers(store, Shards::ALL).map_err(error)?.iter().map(|row| (row.execution, row.task)));
    let mut runnable = record::runnable(store, Shards::ALL, None, usize::MAX).map_err(error)?;
    runnable.sort();
    let (mut timed, mut queued, mut ready) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
    for (arn, execution) in executions.iter().filter(|(_, execution)| execution.is_running()) {
        let id = ExecutionId::of_arn(arn);
        if execution.deadline_ms().is_some() {
            timed.insert(id, 1);
        }
        queued.extend(execution.tasks().filter(|wait| !wait.under_way).map(|wait| (id, wait.task)));
        if execution.is_ready() {
            ready.push(id);
        }
    }
    ready.sort();
    match (timers == timed, tasks == queued, runnable == ready) {
        (true, true, true) => Ok(()),
        (false, ..) => Err(format!("the timers are {timers:?}, not {timed:?}")),
        (_, false, _) => Err(format!("the queued tasks are {tasks:?}, not {queued:?}")),
        (.., false) => Err(format!("what goes on by itself is {runnable:?}, not {ready:?}")),
    }
}

fn name(status: &Status) -> StatusName {
    match status {
        Status::Running => StatusName::Running,
        Status::Succeeded { .. } => StatusName::Succeeded,
        Status::Failed { .. } => StatusName::Failed,
        Status::TimedOut { .. } => StatusName::TimedOut,
        Status::Aborted { .. } => StatusName::Aborted,
    }
}
