//! Pairs the tasks of activities with the workers that poll for them.
//!
//! Soft state: what is offered is a row of its execution, and comes back from there after a restart, and when there was
//! no room for its id. First come, first served on both sides. A pair goes to the driver of the task's execution as
//! [`Errand::Take`]; only once the driver has committed that the task has started does the worker get it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use stepwell_machine::TaskId;
use stepwell_store::Store;
use tokio::{runtime::Handle, sync::oneshot};

use crate::{
    handle::{ActivityError, ActivityTask},
    inbox::{Errand, Inboxes},
    limits::{ACTIVITY_POLL_SECONDS, OFFERS_READ_MAX, QUEUE_SHOWN_MAX},
    record::{self, ExecutionId, RecordError, Waiting},
    timeline::Timeline,
};

/// A worker that waits for a task; gone once `to` is closed.
pub(crate) struct Poller {
    activity: Arc<str>,
    place: u64,
    until: Instant,
    pub(crate) worker: Option<Arc<str>>,
    pub(crate) to: oneshot::Sender<Polled>,
}

/// What a worker is told: `None` if no task came in time.
pub(crate) type Polled = Result<Option<ActivityTask>, ActivityError>;

/// A task that waits for a worker, and its place in the queue.
pub(crate) struct Offered {
    activity: Arc<str>,
    place: u64,
    pub(crate) execution: ExecutionId,
    pub(crate) task: TaskId,
}

/// A worker's place: where to wait, and what to give back to [`Activities::leave`].
pub(crate) struct Place {
    activity: Arc<str>,
    place: u64,
    pub(crate) until: Instant,
}

pub(crate) struct Activities {
    inboxes: Arc<Inboxes>,
    matcher: Mutex<Matcher>,
    rows: Rows,
}

/// How the queue of an activity stands.
pub(crate) struct Look {
    /// Tasks that wait for a worker and are known here.
    pub(crate) waiting: usize,
    /// There may be others, as rows alone.
    pub(crate) more: bool,
    /// The first of them, in their order.
    pub(crate) first: Vec<(ExecutionId, TaskId)>,
    /// Workers that wait for a task.
    pub(crate) polling: usize,
    /// The names of the first of them; `None`: it gave none.
    pub(crate) workers: Vec<Option<Arc<str>>>,
}

/// Where the tasks are that wait for workers and find no room in memory.
pub(crate) struct Rows {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) runtime: Handle,
    pub(crate) timeline: Arc<Timeline>,
    /// Most ids of tasks in memory, over all activities.
    pub(crate) offers_max: usize,
    /// Workers that may poll one activity at once.
    pub(crate) pollers_max: usize,
}

/// Invariant: there is a queue for each activity that exists, and no other.
#[derive(Default)]
struct Matcher {
    queues: HashMap<Arc<str>, Queue>,
    /// Where each offered task stands.
    places: HashMap<(ExecutionId, TaskId), (Arc<str>, u64)>,
    next: u64,
}

/// Invariant: never both offers and connected pollers, once [`Activities::pair`] has run.
#[derive(Default)]
struct Queue {
    offers: BTreeMap<u64, (ExecutionId, TaskId)>,
    pollers: BTreeMap<u64, Poller>,
    /// There may be tasks that wait as rows alone.
    more: bool,
    /// Behind which the rows are read on; `None`: from the beginning.
    read_to: Option<(ExecutionId, TaskId)>,
    reading: bool,
}

impl Activities {
    pub(crate) fn new(inboxes: Arc<Inboxes>, rows: Rows) -> Activities {
        Activities { inboxes, matcher: Mutex::default(), rows }
    }

    /// After a start: the tasks that wait in rows, oldest first as far as there is room for their ids. Answers those
    /// whose activity is gone.
    pub(crate) fn resume(self: &Arc<Self>) -> Result<Vec<Waiting>, RecordError> {
        let max = self.rows.offers_max;
        let (mut rows, more) = record::waiting(self.rows.store.as_ref(), None, max, &|offer| offer.is_some())?;
        rows.sort_by_key(|row| row.since_ms);
        rows.retain(|row| {
            let offered = |arn: &Arc<str>| self.offer(arn, row.execution, row.task);
            !row.activity_arn.as_ref().is_some_and(offered)
        });
        if more.is_some() {
            // Those of activities that are gone are met when the rows are read for nobody: now.
            let (rest, _) = record::waiting(self.rows.store.as_ref(), more, usize::MAX, &|offer| {
                offer.is_some_and(|arn| !self.exists(arn))
            })?;
            rows.extend(rest);
            self.matcher.lock().queues.values_mut().for_each(|queue| queue.more = true);
        }
        Ok(rows)
    }

    /// The activity exists from now on.
    pub(crate) fn create(&self, arn: Arc<str>) {
        self.matcher.lock().queues.entry(arn).or_default();
    }

    pub(crate) fn exists(&self, arn: &str) -> bool {
        self.matcher.lock().queues.contains_key(arn)
    }

    /// The activity is gone: its workers are told, the tasks that waited for one are handed back.
    pub(crate) fn delete(&self, arn: &str) -> Vec<(ExecutionId, TaskId)> {
        let queue = {
            let mut matcher = self.matcher.lock();
            let Some(queue) = matcher.queues.remove(arn) else { return Vec::new() };
            for offer in queue.offers.values() {
                matcher.places.remove(offer);
            }
            queue
        };
        for poller in queue.pollers.into_values() {
            drop(poller.to.send(Err(ActivityError::DoesNotExist)));
        }
        let mut left: Vec<(ExecutionId, TaskId)> = queue.offers.into_values().collect();
        if queue.more {
            let rows = record::waiting(self.rows.store.as_ref(), None, usize::MAX, &|offer| {
                offer.is_some_and(|of| of.as_ref() == arn)
            });
            match rows {
                Ok((rows, _)) => left.extend(rows.iter().map(|row| (row.execution, row.task))),
                Err(error) => tracing::error!(error = error.to_string(), "cannot read the tasks of an activity"),
            }
            left.sort_unstable();
            left.dedup();
        }
        left
    }

    /// False if there is no such activity.
    ///
    /// Without room for its id the task stays a row, which is read when a worker waits.
    pub(crate) fn offer(self: &Arc<Self>, arn: &Arc<str>, execution: ExecutionId, task: TaskId) -> bool {
        let mut matcher = self.matcher.lock();
        let is_full = matcher.places.len() >= self.rows.offers_max;
        matcher.next += 1;
        let place = matcher.next;
        let Some(queue) = matcher.queues.get_mut(arn) else { return false };
        if is_full {
            queue.more = true;
            self.pair(&mut matcher, arn);
            return true;
        }
        queue.offers.insert(place, (execution, task));
        matcher.places.insert((execution, task), (arn.clone(), place));
        self.pair(&mut matcher, arn);
        true
    }

    /// A worker that waits now, for a task that is about to be offered: it need not be offered then. Tasks that were
    /// offered before come first, so there is none while such wait.
    pub(crate) fn claim(&self, arn: &str) -> Option<Poller> {
        let mut matcher = self.matcher.lock();
        let queue = matcher.queues.get_mut(arn).filter(|queue| queue.offers.is_empty())?;
        while let Some((_, poller)) = queue.pollers.pop_first() {
            if !poller.to.is_closed() {
                return Some(poller);
            }
        }
        None
    }

    /// Puts a task back at its place: the worker it was meant for has gone.
    pub(crate) fn offer_again(self: &Arc<Self>, offered: Offered) {
        let mut matcher = self.matcher.lock();
        let Offered { activity, place, execution, task } = offered;
        let Some(queue) = matcher.queues.get_mut(&activity) else { return };
        queue.offers.insert(place, (execution, task));
        matcher.places.insert((execution, task), (activity.clone(), place));
        self.pair(&mut matcher, &activity);
    }

    /// The task no longer waits for a worker.
    pub(crate) fn withdraw(&self, execution: ExecutionId, task: TaskId) {
        let mut matcher = self.matcher.lock();
        let Some((activity, place)) = matcher.places.remove(&(execution, task)) else { return };
        if let Some(queue) = matcher.queues.get_mut(&activity) {
            queue.offers.remove(&place);
        }
    }

    /// A worker begins to wait.
    pub(crate) fn poll(
        self: &Arc<Self>,
        arn: &str,
        worker: Option<Arc<str>>,
    ) -> Result<(Place, oneshot::Receiver<Polled>), ActivityError> {
        let mut matcher = self.matcher.lock();
        matcher.next += 1;
        let place = matcher.next;
        let Some((activity, queue)) = matcher.queues.get_key_value(arn) else {
            return Err(ActivityError::DoesNotExist);
        };
        if queue.pollers.len() >= self.rows.pollers_max {
            return Err(ActivityError::TooManyPollers);
        }
        let activity = activity.clone();
        let until = Instant::now() + Duration::from_secs(ACTIVITY_POLL_SECONDS);
        let (to, answer) = oneshot::channel();
        let poller = Poller { activity: activity.clone(), place, until, worker, to };
        if let Some(queue) = matcher.queues.get_mut(arn) {
            queue.pollers.insert(place, poller);
        }
        self.pair(&mut matcher, &activity);
        Ok((Place { activity, place, until }, answer))
    }

    /// Lets a worker wait on at its place: the task it was meant to get is no longer there.
    pub(crate) fn poll_again(self: &Arc<Self>, poller: Poller) {
        if Instant::now() >= poller.until {
            drop(poller.to.send(Ok(None)));
            return;
        }
        let mut matcher = self.matcher.lock();
        let activity = poller.activity.clone();
        match matcher.queues.get_mut(&activity) {
            Some(queue) => {
                queue.pollers.insert(poller.place, poller);
                self.pair(&mut matcher, &activity);
            }
            None => drop(poller.to.send(Err(ActivityError::DoesNotExist))),
        }
    }

    /// Takes the worker away. False if it was not waiting any more: it is being given a task.
    pub(crate) fn leave(&self, place: &Place) -> bool {
        let mut matcher = self.matcher.lock();
        matcher.queues.get_mut(&place.activity).is_some_and(|queue| queue.pollers.remove(&place.place).is_some())
    }

    /// How the queue of an activity stands; `None`: there is no such activity.
    pub(crate) fn look(&self, arn: &str) -> Option<Look> {
        let matcher = self.matcher.lock();
        let queue = matcher.queues.get(arn)?;
        let workers = queue.pollers.values().filter(|poller| !poller.to.is_closed());
        Some(Look {
            waiting: queue.offers.len(),
            more: queue.more,
            first: queue.offers.values().take(QUEUE_SHOWN_MAX).copied().collect(),
            polling: workers.clone().count(),
            workers: workers.map(|poller| poller.worker.clone()).take(QUEUE_SHOWN_MAX).collect(),
        })
    }

    /// Sends all workers away: the engine stops.
    pub(crate) fn close(&self) {
        for queue in self.matcher.lock().queues.values_mut() {
            queue.pollers.clear();
        }
    }

    /// Reads tasks of an activity that wait as rows alone.
    ///
    /// One that a worker is just being given is met again; its execution then sends the second worker back.
    fn read(self: &Arc<Self>, arn: &Arc<str>) {
        let after = self.matcher.lock().queues.get(arn).and_then(|queue| queue.read_to);
        let of_it = |offer: Option<&Arc<str>>| offer.is_some_and(|of| of == arn);
        let read = record::waiting(self.rows.store.as_ref(), after, OFFERS_READ_MAX, &of_it);
        let mut matcher = self.matcher.lock();
        let matcher = &mut *matcher;
        let Some(queue) = matcher.queues.get_mut(arn) else { return };
        queue.reading = false;
        match read {
            Ok((rows, more)) => {
                // Rows may have come in before `after` since: only one look from end to end tells that none are left.
                queue.more = after.is_some() || more.is_some();
                queue.read_to = more;
                for row in rows {
                    let key = (row.execution, row.task);
                    if !matcher.places.contains_key(&key) {
                        matcher.next += 1;
                        queue.offers.insert(matcher.next, key);
                        matcher.places.insert(key, (arn.clone(), matcher.next));
                    }
                }
                self.pair(matcher, arn);
            }
            Err(error) => tracing::error!(error = error.to_string(), "cannot read the tasks that wait for workers"),
        }
    }

    fn pair(self: &Arc<Self>, matcher: &mut Matcher, arn: &str) {
        let Some(queue) = matcher.queues.get_mut(arn) else { return };
        if queue.offers.is_empty() && queue.more && !queue.reading && !queue.pollers.is_empty() {
            queue.reading = true;
            let (activities, arn) = (self.clone(), Arc::<str>::from(arn));
            let under_way = self.rows.timeline.begin();
            self.rows.runtime.spawn_blocking(move || {
                activities.read(&arn);
                drop(under_way);
            });
        }
        while !queue.offers.is_empty() {
            let Some((_, poller)) = queue.pollers.pop_first() else { return };
            if poller.to.is_closed() {
                continue;
            }
            let Some((place, (execution, task))) = queue.offers.pop_first() else { return };
            matcher.places.remove(&(execution, task));
            let offered = Offered { activity: poller.activity.clone(), place, execution, task };
            self.inboxes.post(execution, Errand::Take { offered, poller });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bounds::Bounds,
        config::SystemClock,
        inbox::Letter,
        timeline::{Bell, Timeline},
    };

    fn activities() -> Arc<Activities> {
        let bells = [Arc::new(Bell::default())];
        let timeline = Arc::new(Timeline::new(Arc::new(SystemClock), bells.to_vec()));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let rows = Rows {
            store: Arc::new(stepwell_store::Memory::new()),
            runtime: runtime.handle().clone(),
            timeline: timeline.clone(),
            offers_max: 10,
            pollers_max: crate::limits::ACTIVITY_POLLERS_MAX,
        };
        let activities = Arc::new(Activities::new(Arc::new(Inboxes::new(&bells, timeline, &Bounds::default())), rows));
        activities.create("a".into());
        activities
    }

    fn taken(activities: &Arc<Activities>) -> Option<(Offered, Poller)> {
        match activities.inboxes.of_driver(0).take()?.letter {
            Letter::To(_, Errand::Take { offered, poller }) => Some((offered, poller)),
            _ => None,
        }
    }

    const FIRST: ExecutionId = ExecutionId([1; 16]);
    const SECOND: ExecutionId = ExecutionId([2; 16]);

    #[test]
    fn first_come_first_served_on_both_sides() {
        let activities = activities();
        assert!(activities.offer(&"a".into(), FIRST, TaskId(1)));
        assert!(activities.offer(&"a".into(), SECOND, TaskId(2)));
        let _first = activities.poll("a", Some("one".into())).unwrap();
        let _second = activities.poll("a", Some("two".into())).unwrap();
        let (offered, poller) = taken(&activities).unwrap();
        assert_eq!((offered.execution, poller.worker.as_deref()), (FIRST, Some("one")));
        let (offered, poller) = taken(&activities).unwrap();
        assert_eq!((offered.execution, poller.worker.as_deref()), (SECOND, Some("two")));
        assert!(taken(&activities).is_none());
    }

    #[test]
    fn a_worker_is_claimed_only_where_no_task_waits() {
        let activities = activities();
        assert!(activities.claim("a").is_none());
        let (_, gone) = activities.poll("a", Some("gone".into())).unwrap();
        drop(gone);
        let _first = activities.poll("a", Some("one".into())).unwrap();
        let _second = activities.poll("a", Some("two".into())).unwrap();
        assert_eq!(activities.claim("a").unwrap().worker.as_deref(), Some("one"));
        assert!(activities.offer(&"a".into(), FIRST, TaskId(1)));
        assert_eq!(taken(&activities).unwrap().1.worker.as_deref(), Some("two"));
        assert!(activities.offer(&"a".into(), SECOND, TaskId(2)));
        assert!(activities.claim("a").is_none() && activities.claim("b").is_none());
    }

    #[test]
    fn a_worker_that_left_gets_nothing_and_a_withdrawn_task_is_given_to_nobody() {
        let activities = activities();
        let (place, answer) = activities.poll("a", None).unwrap();
        assert!(activities.leave(&place));
        assert!(!activities.leave(&place));
        drop(answer);
        let (_, gone) = activities.poll("a", None).unwrap();
        drop(gone);
        assert!(activities.offer(&"a".into(), FIRST, TaskId(1)));
        assert!(taken(&activities).is_none());
        activities.withdraw(FIRST, TaskId(1));
        let _waiting = activities.poll("a", None).unwrap();
        assert!(taken(&activities).is_none());
    }

    #[test]
    fn what_is_put_back_keeps_its_place() {
        let activities = activities();
        let _one = activities.poll("a", Some("one".into())).unwrap();
        assert!(activities.offer(&"a".into(), FIRST, TaskId(1)));
        assert!(activities.offer(&"a".into(), SECOND, TaskId(2)));
        let (offered, poller) = taken(&activities).unwrap();
        activities.offer_again(offered);
        activities.poll_again(poller);
        let (offered, poller) = taken(&activities).unwrap();
        assert_eq!((offered.execution, poller.worker.as_deref()), (FIRST, Some("one")));
    }

    #[test]
    fn a_deleted_activity_hands_back_its_tasks_and_tells_its_workers() {
        let activities = activities();
        assert!(activities.offer(&"a".into(), FIRST, TaskId(1)));
        assert_eq!(activities.delete("a"), [(FIRST, TaskId(1))]);
        assert!(!activities.exists("a"));
        assert!(!activities.offer(&"a".into(), FIRST, TaskId(1)));
        assert!(matches!(activities.poll("a", None), Err(ActivityError::DoesNotExist)));
        activities.create("a".into());
        let (_, mut answer) = activities.poll("a", None).unwrap();
        assert!(activities.delete("a").is_empty());
        assert!(matches!(answer.try_recv(), Ok(Err(ActivityError::DoesNotExist))));
    }
}
