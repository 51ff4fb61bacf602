//! One Map Run as it is carried out.

use std::{
    collections::{BTreeMap, VecDeque},
    future::{Future, pending},
    ops::Range,
    pin::Pin,
    sync::Arc,
};

use stepwell_expr::Payload;
use stepwell_machine::{Failure, MapRunOutcome, Status, definition::MachineType};
use stepwell_store::Batch;
use tokio::{
    sync::{
        AcquireError, OwnedSemaphorePermit,
        mpsc::UnboundedReceiver,
        oneshot::{self, Receiver, Sender},
    },
    task::{JoinHandle, JoinSet},
};

use super::{
    ChildState, Letter, Mail, OpenChild, Order,
    results::{self, NoResult},
    source::{Fed, NewChild, Source},
};
use crate::{
    committer::{Message, Submission},
    express::ExpressExecution,
    handle::{MapRunError, MapRunStatus, StatusName, Unavailable, UpdateMapRun},
    inbox::{Errand, Start, Starter},
    limits::{
        MAP_RUN_CONCURRENCY_MAX, MAP_RUN_FEED_BELOW, MAP_RUN_LETTERS_MAX, MAP_RUN_OPEN_BYTES_MAX, MAP_RUN_STARTS_MAX,
        MAP_RUN_THROTTLE_PAUSE, SWEEP_PAGE,
    },
    record::{self, ChildOutcome, ExecutionId, ExpressOutcome, ItemCursor, MapRunMark, MapRunRow},
    registry::log_down,
    reply::Reply,
    shared::Shared,
    timeline::UnderWay,
};

/// The engine stops, or its store has failed: nothing goes on.
struct Down;

impl From<Unavailable> for Down {
    fn from(_: Unavailable) -> Down {
        Down
    }
}

pub(super) struct Actor {
    shared: Arc<Shared>,
    mark: MapRunMark,
    /// Of redrives before, which a crash has left.
    older_marks: Vec<MapRunMark>,
    arn: Arc<str>,
    letters: UnboundedReceiver<Letter>,
    row: MapRunRow,
    /// Time stands still while it is held: there is something to do.
    busy: Option<UnderWay>,
    /// A redrive that came before this life was over.
    redriven: Option<u64>,
    /// Rows that wait for the next commit.
    batch: Batch,
    /// The row is not what is stored.
    changed: bool,
    /// Whoever changed it waits for the next commit.
    updaters: Vec<Sender<Result<(), MapRunError>>>,
}

/// A child execution that runs, or is being started.
struct Open {
    items: u64,
    /// `None`: it is redriven.
    cursor: Option<Arc<ItemCursor>>,
    begun: bool,
    express: Option<OpenChild>,
}

/// How it is to end, once no child execution runs any more.
enum Ending {
    Failed(Failure),
    Aborted,
}

/// Work in progress.
struct Life {
    order: Arc<Order>,
    source: Option<Source>,
    feeding: Option<JoinHandle<Result<(Source, Fed), Failure>>>,
    queue: VecDeque<NewChild>,
    open: BTreeMap<u64, Open>,
    open_items: u64,
    /// Bytes of the inputs of open Express ones.
    open_bytes: usize,
    /// Those that were asked to start and have not begun.
    starting: usize,
    express: JoinSet<(u64, Option<Arc<ExpressExecution>>)>,
    /// No place for a further Express one just now.
    throttled: bool,
    /// All items were read.
    all_read: bool,
    ending: Option<Ending>,
    committing: Option<Receiver<Result<(), Unavailable>>>,
    /// Express ones that have ended; the rows that say so wait for the next commit.
    ended: Vec<(u64, OpenChild)>,
    /// The same; the rows are being committed.
    committing_ended: Vec<(u64, OpenChild)>,
    committed_updaters: Vec<Sender<Result<(), MapRunError>>>,
    finishing: Option<JoinHandle<Result<Arc<str>, NoResult>>>,
    /// Its place among the open Map Runs; until there is one, no item is read.
    place: Option<OwnedSemaphorePermit>,
    turn: Option<Turn>,
}

/// A place to come.
type Turn = Pin<Box<dyn Future<Output = Result<OwnedSemaphorePermit, AcquireError>> + Send>>;

/// What an actor was woken by.
enum Woken {
    Letters(Vec<Letter>),
    Committed(Result<(), Unavailable>),
    Fed(Result<Box<(Source, Fed)>, Failure>),
    Ended(u64, Option<Arc<ExpressExecution>>),
    Finished(Result<Arc<str>, NoResult>),
    Placed(OwnedSemaphorePermit),
    Rested,
}

impl Actor {
    /// Carries a Map Run out, to its end and through all its redrives.
    pub(super) async fn run(
        shared: Arc<Shared>,
        mut marks: Vec<MapRunMark>,
        arn: Arc<str>,
        letters: UnboundedReceiver<Letter>,
        under_way: UnderWay,
    ) {
        let Some(mark) = marks.pop() else { return };
        let Ok(row) = read_row(&shared, mark).await else { return };
        let mut actor = Actor {
            shared,
            mark,
            older_marks: marks,
            arn,
            letters,
            row,
            busy: Some(under_way),
            redriven: None,
            batch: Batch::default(),
            changed: false,
            updaters: Vec::new(),
        };
        loop {
            if actor.live().await.is_err() {
                return;
            }
            while let Ok((mail, _)) = actor.letters.try_recv() {
                actor.take_late(mail);
            }
            if let Some(redrives) = actor.redriven.take() {
                actor.mark.redrives = redrives;
                continue;
            }
            if actor.shared.map_runs.leave(&actor.arn, &mut actor.letters) {
                return;
            }
        }
    }

    fn now_ms(&self) -> i64 {
        self.shared.timeline.now_ms()
    }

    fn has_ended(&self) -> bool {
        self.row.run.status != MapRunStatus::Running
    }

    /// Mail to one that has come to its end.
    fn take_late(&mut self, mail: Mail) {
        match mail {
            Mail::Redriven(redrives) if redrives > self.mark.redrives => self.redriven = Some(redrives),
            Mail::Update { to, .. } => drop(to.send(Err(MapRunError::Ended))),
            Mail::Look { to, .. } => drop(to.send(BTreeMap::new())),
            Mail::Redriven(_) | Mail::Stop | Mail::Child { .. } => {}
        }
    }

    /// From the beginning, from where a restart cut it off or from a redrive, to the end that its execution was told.
    async fn live(&mut self) -> Result<(), Down> {
        let is_new_redrive = self.mark.redrives > self.row.run.redrives;
        if !self.has_ended() || is_new_redrive {
            match self.ask().await? {
                Some(order) => {
                    if is_new_redrive {
                        self.begin_redrive();
                    }
                    self.work(order).await?;
                }
                None if self.has_ended() => {}
                None => self.clear_away().await?,
            }
        }
        self.tell().await
    }

    /// What is to be done; `None`: the execution no longer waits for it.
    async fn ask(&mut self) -> Result<Option<Arc<Order>>, Down> {
        let (to, answer) = oneshot::channel();
        let place = self.mark.place;
        self.shared.inboxes.post(place.execution, Errand::MapRunAsked { task: place.task, to });
        match answer.await {
            Ok(order) => {
                let redrives = self.mark.redrives;
                let order = order.filter(|order| order.request.wait.redrives == redrives);
                Ok(order.map(|order| Arc::new(*order)))
            }
            Err(_) => Err(Down),
        }
    }

    /// What had not succeeded is to be done once more.
    fn begin_redrive(&mut self) {
        let now_ms = self.now_ms();
        let run = &mut self.row.run;
        run.status = MapRunStatus::Running;
        run.redrives = self.mark.redrives;
        run.redrive_ms = Some(now_ms);
        run.stop_ms = None;
        for counts in [&mut run.items, &mut run.executions] {
            counts.pending_redrive = counts.unsuccessful();
            (counts.failed, counts.timed_out, counts.aborted, counts.results_written) = (0, 0, 0, 0);
        }
        self.row.output = None;
        self.changed = true;
    }

    async fn work(&mut self, order: Arc<Order>) -> Result<(), Down> {
        let all_read = order.request.wait.items.is_some();
        let source = Source::new(self.shared.clone(), order.clone(), self.mark.place, &self.row);
        let places = &self.shared.map_runs.places;
        let place = places.clone().try_acquire_owned().ok();
        let turn: Option<Turn> = place.is_none().then(|| Box::pin(places.clone().acquire_owned()) as Turn);
        let mut life = Life {
            order,
            source: Some(source),
            feeding: None,
            queue: VecDeque::new(),
            open: BTreeMap::new(),
            open_items: 0,
            open_bytes: 0,
            starting: 0,
            express: JoinSet::new(),
            throttled: false,
            all_read,
            ending: None,
            committing: None,
            ended: Vec::new(),
            committing_ended: Vec::new(),
            committed_updaters: Vec::new(),
            finishing: None,
            place,
            turn,
        };
        loop {
            self.advance(&mut life);
            if life.is_over() {
                self.end(&mut life);
            }
            if self.has_ended() && life.committing.is_none() && !self.changed {
                return Ok(());
            }
            if life.committing.is_none() && self.changed {
                life.committing = Some(self.submit(&mut life)?);
            }
            if life.waits_for_others() {
                self.busy = None;
            }
            let woken = self.wait(&mut life).await?;
            if self.busy.is_none() {
                self.busy = Some(self.shared.timeline.begin());
            }
            self.take(woken, &mut life)?;
        }
    }

    /// Reads on and starts what there is room for.
    fn advance(&mut self, life: &mut Life) {
        if life.ending.is_some() || self.has_ended() || life.place.is_none() {
            return;
        }
        if self.breached(life) {
            let text = "The specified tolerated failure threshold was exceeded";
            return self.give_up(life, Ending::Failed(Failure::new("States.ExceedToleratedFailureThreshold", text)));
        }
        if life.queue.len() < MAP_RUN_FEED_BELOW
            && let Some(source) = life.source.take()
        {
            life.feeding = Some(tokio::spawn(source.next()));
        }
        let most = match self.row.run.max_concurrency {
            0 => MAP_RUN_CONCURRENCY_MAX,
            most => most.min(MAP_RUN_CONCURRENCY_MAX),
        };
        life.throttled = false;
        while (life.open.len() as u64) < most && life.starting < MAP_RUN_STARTS_MAX {
            let full = life.open_bytes > MAP_RUN_OPEN_BYTES_MAX;
            let Some(child) = (if full { None } else { life.queue.pop_front() }) else { break };
            if let Err(child) = self.start(life, child) {
                life.queue.push_front(child);
                life.throttled = true;
                break;
            }
        }
    }

    /// True if more items have failed than may.
    fn breached(&self, life: &Life) -> bool {
        let run = &self.row.run;
        let failed = run.items.unsuccessful();
        if failed == 0 {
            return false;
        }
        let (count, percentage) = (run.tolerated_failure_count, run.tolerated_failure_percentage);
        let total = run.items.total as f64;
        let too_many = count.is_some_and(|most| failed > most);
        // Of how many is known at the end of the items; of none too many at once.
        let too_great =
            percentage.is_some_and(|most| most == 0.0 || (life.all_read && failed as f64 * 100.0 > most * total));
        too_many || too_great || (count.is_none() && percentage.is_none())
    }

    /// Starts a child execution; gives it back if there is no place for it.
    fn start(&mut self, life: &mut Life, child: NewChild) -> Result<(), NewChild> {
        let order = &life.order;
        let (index, items) = (child.index, child.items);
        let express = match order.request.child_type() {
            MachineType::Standard => {
                self.start_standard(order, &child);
                life.starting += 1;
                None
            }
            MachineType::Express => {
                let begun = self.shared.express.begin_child(
                    &self.shared,
                    order,
                    self.row.run.redrives,
                    index,
                    items,
                    child.input.clone(),
                );
                let Ok(run) = begun else { return Err(child) };
                let started = run.started();
                life.express.spawn(async move { (index, run.end().await) });
                life.open_bytes += child.input.bytes();
                Some(OpenChild { arn: started.arn, items, input: child.input.clone(), start_ms: started.start_ms })
            }
        };
        if child.redriven {
            let run = &mut self.row.run;
            run.items.pending_redrive = run.items.pending_redrive.saturating_sub(items);
            run.executions.pending_redrive = run.executions.pending_redrive.saturating_sub(1);
        }
        let begun = express.is_some();
        life.open_items += items;
        life.open.insert(index, Open { items, cursor: child.cursor, begun, express });
        self.changed = true;
        Ok(())
    }

    fn start_standard(&self, order: &Arc<Order>, child: &NewChild) {
        let request = &order.request;
        let name = request.child_name(child.index);
        let arn = order.child_arn(&name);
        let id = ExecutionId::of_arn(&arn);
        let redrives = self.row.run.redrives;
        let token: Option<Arc<str>> = (redrives > 0).then(|| format!("{}/{redrives}", self.arn).into());
        if token.is_some() {
            // Also of one whose end a crash kept from being recorded. By the token it knows whether it ended before the
            // redrive or in it, however often this is sent.
            let (to, _) = oneshot::channel();
            self.shared.inboxes.post(id, Errand::Redrive { token: token.clone(), to });
        }
        // Of one that is there already this only asks how it is.
        let start = Start {
            arn,
            name,
            revision: order.revision.clone(),
            input: child.input.clone(),
            trace_header: None,
            test_case: request.identity.test_case.clone(),
            qualifier: None,
            origin: Some(request.child_root(child.index)),
            child: Some(Arc::new(request.child(child.index, child.items))),
            to: Starter::MapRun(token),
        };
        self.shared.inboxes.post(id, Errand::Start(Box::new(start)));
    }

    /// Starts no more, and stops what runs.
    fn give_up(&mut self, life: &mut Life, ending: Ending) {
        life.ending = Some(ending);
        life.queue.clear();
        life.source = None;
        if let Some(feeding) = life.feeding.take() {
            feeding.abort();
        }
        if let Some(finishing) = life.finishing.take() {
            finishing.abort();
        }
        let request = &life.order.request;
        let mut express = Vec::new();
        for (index, open) in &life.open {
            if open.express.is_some() {
                express.push(*index);
                continue;
            }
            let id = ExecutionId::of_arn(&life.order.child_arn(&request.child_name(*index)));
            let (to, _) = oneshot::channel();
            self.shared.inboxes.post(id, Errand::Stop { failure: Failure { error: None, cause: None }, to });
        }
        life.express.abort_all();
        life.express.detach_all();
        for index in express {
            self.child_ended(life, index, StatusName::Aborted, None);
        }
    }

    fn child_begun(&mut self, life: &mut Life, index: u64) {
        if let Some(open) = life.open.get_mut(&index)
            && !open.begun
        {
            open.begun = true;
            life.starting -= 1;
            self.changed = true;
        }
    }

    fn child_ended(
        &mut self,
        life: &mut Life,
        index: u64,
        status: StatusName,
        execution: Option<Arc<ExpressExecution>>,
    ) {
        self.child_begun(life, index);
        // What is told twice counts once.
        let Some(open) = life.open.remove(&index) else { return };
        life.open_items -= open.items;
        let express = open.express.map(|express| {
            life.open_bytes -= express.input.bytes();
            life.ended.push((index, express.clone()));
            express_outcome(express, execution.as_deref(), self.now_ms())
        });
        self.record_outcome(index, open.items, status, express);
    }

    fn record_outcome(&mut self, index: u64, items: u64, status: StatusName, express: Option<ExpressOutcome>) {
        let run = &mut self.row.run;
        for (counts, by) in [(&mut run.items, items), (&mut run.executions, 1)] {
            match status {
                StatusName::Running => {}
                StatusName::Succeeded => {
                    counts.succeeded += by;
                    counts.results_written = counts.succeeded;
                }
                StatusName::Failed => counts.failed += by,
                StatusName::TimedOut => counts.timed_out += by,
                StatusName::Aborted => counts.aborted += by,
            }
        }
        let outcome = ChildOutcome { status, items, redrives: run.redrives, express };
        record::put_outcome(self.mark.place, index, &outcome, &mut self.batch);
        self.changed = true;
    }

    /// Puts the row, and what else waits, on its way.
    fn submit(&mut self, life: &mut Life) -> Result<Receiver<Result<(), Unavailable>>, Down> {
        let run = &mut self.row.run;
        run.items.running = life.open_items;
        run.executions.running = life.open.len() as u64;
        // Behind nothing that has not ended.
        let first = life.open.values().find_map(|open| open.cursor.as_ref());
        let first = first.or_else(|| life.queue.iter().find_map(|child| child.cursor.as_ref()));
        if let Some(cursor) = first {
            self.row.cursor = (**cursor).clone();
        }
        life.committed_updaters.append(&mut self.updaters);
        life.committing_ended.append(&mut life.ended);
        record::put_map_run(self.mark.place, &self.row, &mut self.batch);
        self.changed = false;
        self.commit()
    }

    fn commit(&mut self) -> Result<Receiver<Result<(), Unavailable>>, Down> {
        let (to, answer) = oneshot::channel();
        let submission =
            Submission::of_rows(std::mem::take(&mut self.batch), vec![Reply::Done(to)], self.shared.timeline.begin());
        self.shared.queue.send(Message::Commit(Box::new(submission))).map_err(|_| Down)?;
        Ok(answer)
    }

    async fn wait(&mut self, life: &mut Life) -> Result<Woken, Down> {
        let mut letters = Vec::new();
        Ok(tokio::select! {
            // The same order each time, as simulations need it. Letters cannot keep out what stands behind them: they come from
            // child executions, which run out when no items are read.
            biased;
            committed = wait_for(&mut life.committing) => {
                life.committing = None;
                Woken::Committed(committed.unwrap_or(Err(Unavailable::Down)))
            }
            count = self.letters.recv_many(&mut letters, MAP_RUN_LETTERS_MAX) => {
                if count == 0 {
                    return Err(Down);
                }
                Woken::Letters(letters)
            }
            fed = wait_for(&mut life.feeding) => {
                life.feeding = None;
                Woken::Fed(fed.map(|fed| fed.map(Box::new)).unwrap_or_else(|_| Err(Failure::new("States.Runtime", "The items could not be read."))))
            }
            Some(ended) = life.express.join_next(), if !life.express.is_empty() => match ended {
                Ok((index, execution)) => Woken::Ended(index, execution),
                // Nothing but the end of the engine cancels one.
                Err(_) => return Err(Down),
            },
            finished = wait_for(&mut life.finishing) => {
                life.finishing = None;
                Woken::Finished(finished.unwrap_or(Err(NoResult::Unavailable)))
            }
            placed = wait_for(&mut life.turn) => {
                life.turn = None;
                // Nothing but the end of the engine closes the semaphore.
                Woken::Placed(placed.map_err(|_| Down)?)
            }
            () = tokio::time::sleep(MAP_RUN_THROTTLE_PAUSE), if life.throttled => Woken::Rested,
        })
    }

    fn take(&mut self, woken: Woken, life: &mut Life) -> Result<(), Down> {
        match woken {
            Woken::Rested => {}
            Woken::Placed(place) => life.place = Some(place),
            Woken::Committed(Ok(())) => {
                life.committing_ended.clear();
                for to in life.committed_updaters.drain(..) {
                    let _: Result<(), _> = to.send(Ok(()));
                }
            }
            Woken::Committed(Err(_)) => return Err(Down),
            Woken::Fed(Ok(fed)) => {
                let (source, Fed { children, items_read, end }) = *fed;
                self.count(life, &children, items_read);
                life.queue.extend(children);
                life.all_read |= end;
                life.source = (!end).then_some(source);
            }
            Woken::Fed(Err(failure)) => {
                if life.ending.is_none() {
                    self.give_up(life, Ending::Failed(failure));
                }
            }
            Woken::Ended(index, Some(execution)) => {
                let ChildState::Ended(status) = ChildState::of(&execution.status) else { return Ok(()) };
                self.child_ended(life, index, status, Some(execution));
            }
            // The engine stops.
            Woken::Ended(_, None) => return Err(Down),
            Woken::Finished(Ok(text)) => self.finished(life, Some(text)),
            Woken::Finished(Err(NoResult::Failed(failure))) => {
                // What did not succeed anyway keeps its reason.
                if life.ending.is_none() {
                    life.ending = Some(Ending::Failed(failure));
                }
                self.finished(life, None);
            }
            Woken::Finished(Err(NoResult::Unavailable)) => return Err(Down),
            Woken::Letters(letters) => {
                for (mail, _under_way) in letters {
                    self.take_mail(mail, life);
                }
            }
        }
        Ok(())
    }

    fn take_mail(&mut self, mail: Mail, life: &mut Life) {
        match mail {
            Mail::Child { index, state: ChildState::Running, .. } => self.child_begun(life, index),
            Mail::Child { index, state: ChildState::Ended(status), .. } => self.child_ended(life, index, status, None),
            Mail::Stop if self.has_ended() || matches!(life.ending, Some(Ending::Aborted)) => {}
            Mail::Stop => self.give_up(life, Ending::Aborted),
            Mail::Look { children, to } => drop(to.send(life.express_children(&children))),
            Mail::Redriven(_) => self.take_late(mail),
            Mail::Update { update, to } if !self.has_ended() => self.update(update, to),
            Mail::Update { .. } => self.take_late(mail),
        }
    }

    fn update(&mut self, update: UpdateMapRun, to: Sender<Result<(), MapRunError>>) {
        let UpdateMapRun { max_concurrency, tolerated_failure_count, tolerated_failure_percentage } = update;
        let run = &mut self.row.run;
        run.max_concurrency = max_concurrency.unwrap_or(run.max_concurrency);
        run.tolerated_failure_count = tolerated_failure_count.or(run.tolerated_failure_count);
        run.tolerated_failure_percentage = tolerated_failure_percentage.or(run.tolerated_failure_percentage);
        self.updaters.push(to);
        self.changed = true;
    }

    /// How many there are, as far as it is known now.
    fn count(&mut self, life: &Life, children: &[NewChild], items_read: u64) {
        let run = &mut self.row.run;
        let total = run.items.total.max(items_read);
        let executions = match life.order.request.is_batched() {
            true => children.last().map_or(0, |child| child.index + 1).max(run.executions.total),
            false => total,
        };
        self.changed |= (run.items.total, run.executions.total) != (total, executions);
        (run.items.total, run.executions.total) = (total, executions);
    }

    /// No child execution runs any more, and none is to come: the result is made, or there is none.
    fn end(&mut self, life: &mut Life) {
        if self.has_ended() || life.finishing.is_some() {
            return;
        }
        let wants_result = match &life.ending {
            None => true,
            Some(Ending::Failed(_)) => results::exports(&life.order) && self.row.run.executions.total > 0,
            Some(Ending::Aborted) => false,
        };
        // Results are read from rows: all of them must be there.
        if wants_result && (self.changed || life.committing.is_some()) {
            return;
        }
        if !wants_result {
            return self.finished(life, None);
        }
        let (shared, order, place) = (self.shared.clone(), life.order.clone(), self.mark.place);
        let failed = matches!(life.ending, Some(Ending::Failed(_)));
        let unstarted = failed.then(|| Source::new(shared.clone(), order.clone(), place, &self.row));
        life.finishing = Some(tokio::spawn(async move { results::result(&shared, &order, place, unstarted).await }));
    }

    fn finished(&mut self, life: &mut Life, output: Option<Arc<str>>) {
        let now_ms = self.now_ms();
        let run = &mut self.row.run;
        run.stop_ms = Some(now_ms);
        run.status = match life.ending.take() {
            None => MapRunStatus::Succeeded,
            Some(Ending::Failed(failure)) => MapRunStatus::Failed(failure),
            Some(Ending::Aborted) => MapRunStatus::Aborted,
        };
        self.row.output = output.filter(|_| run.status == MapRunStatus::Succeeded);
        self.changed = true;
    }

    /// After a restart the execution no longer waits: what runs is stopped.
    async fn clear_away(&mut self) -> Result<(), Down> {
        let nothing = || Failure { error: None, cause: None };
        loop {
            let arn = self.arn.clone();
            let list = self.shared.away(move |shared| {
                let (store, running) = (shared.store.as_ref(), Some(&shared.committer.running));
                record::list(store, running, &arn, Some(StatusName::Running), SWEEP_PAGE, None).map_err(log_down)
            });
            let page = list.await??;
            if page.items.is_empty() {
                break;
            }
            let mut answers = Vec::new();
            for child in &page.items {
                let (to, answer) = oneshot::channel();
                let id = ExecutionId::of_arn(&child.arn);
                self.shared.inboxes.post(id, Errand::Stop { failure: nothing(), to });
                answers.push(answer);
            }
            for answer in answers {
                // Of one that has ended meanwhile, too.
                let _: Result<_, _> = answer.await.map_err(|_| Down)?;
            }
        }
        while let Ok((mail, _)) = self.letters.try_recv() {
            match mail {
                Mail::Child { index, items, state: ChildState::Ended(status) } => {
                    self.record_outcome(index, items, status, None);
                }
                mail => self.take_late(mail),
            }
        }
        let now_ms = self.now_ms();
        let run = &mut self.row.run;
        (run.items.running, run.executions.running) = (0, 0);
        run.status = MapRunStatus::Aborted;
        run.stop_ms = Some(now_ms);
        record::put_map_run(self.mark.place, &self.row, &mut self.batch);
        self.changed = false;
        self.committed().await
    }

    async fn committed(&mut self) -> Result<(), Down> {
        Ok(self.commit()?.await.map_err(|_| Down)??)
    }

    /// Tells the execution, which waits or no longer does; then nothing is left to be done.
    async fn tell(&mut self) -> Result<(), Down> {
        let outcome = match &self.row.run.status {
            MapRunStatus::Succeeded => {
                let text = self.row.output.clone().unwrap_or_else(|| "[]".into());
                Some(MapRunOutcome::Succeeded { output: Payload::from_checked_text(text) })
            }
            MapRunStatus::Failed(failure) => Some(MapRunOutcome::Failed(failure.clone())),
            MapRunStatus::Running | MapRunStatus::Aborted => None,
        };
        let redrives = self.mark.redrives;
        if let Some(outcome) = outcome {
            let (to, answer) = oneshot::channel();
            let place = self.mark.place;
            let errand = Errand::MapRunEnded { task: place.task, redrives, outcome, to };
            self.shared.inboxes.post(place.execution, errand);
            answer.await.map_err(|_| Down)??;
        }
        if self.row.output.take().is_some() {
            record::put_map_run(self.mark.place, &self.row, &mut self.batch);
        }
        for mark in self.older_marks.drain(..).chain([self.mark]) {
            record::unmark_map_run(mark, &mut self.batch);
        }
        self.committed().await
    }
}

impl Life {
    /// True if nothing runs and nothing is to come.
    fn is_over(&self) -> bool {
        let fed = self.source.is_none() && self.feeding.is_none() && self.queue.is_empty();
        (fed || self.ending.is_some()) && self.open.is_empty()
    }

    /// The Express ones of `children` of which nobody may know yet that they have ended.
    fn express_children(&self, children: &Range<u64>) -> BTreeMap<u64, OpenChild> {
        let ended = self.committing_ended.iter().chain(&self.ended).filter(|(index, _)| children.contains(index));
        let open = self.open.range(children.clone());
        let open = open.filter_map(|(index, open)| Some((*index, open.express.clone()?)));
        ended.cloned().chain(open).collect()
    }

    /// True if only child executions, or other Map Runs, are waited for.
    fn waits_for_others(&self) -> bool {
        let works = self.feeding.is_some() || self.committing.is_some() || self.finishing.is_some() || self.throttled;
        !works && (!self.open.is_empty() || self.turn.is_some())
    }
}

/// What `future` comes to; without one, nothing ever.
async fn wait_for<F: Future + Unpin>(future: &mut Option<F>) -> F::Output {
    match future {
        Some(future) => future.await,
        None => pending().await,
    }
}

async fn read_row(shared: &Arc<Shared>, mark: MapRunMark) -> Result<MapRunRow, Down> {
    let read = shared.away(move |shared| record::map_run(shared.store.as_ref(), mark.place).map_err(log_down));
    read.await??.ok_or(Down)
}

fn express_outcome(open: OpenChild, execution: Option<&ExpressExecution>, now_ms: i64) -> ExpressOutcome {
    let OpenChild { arn, items: _, input, start_ms } = open;
    let status = execution.map(|execution| &execution.status);
    let (output, failure) = match status {
        Some(Status::Succeeded { output, .. }) => (Some(output.text().clone()), None),
        Some(Status::Failed { failure, .. } | Status::TimedOut { failure, .. } | Status::Aborted { failure, .. }) => {
            (None, Some(failure.clone()))
        }
        Some(Status::Running) | None => (None, None),
    };
    ExpressOutcome {
        arn,
        input: input.text().clone(),
        output,
        failure: failure.unwrap_or(Failure { error: None, cause: None }),
        start_ms,
        stop_ms: execution.map_or(now_ms, |execution| execution.stop_ms),
    }
}
