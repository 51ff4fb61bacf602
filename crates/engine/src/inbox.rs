//! What reaches a driver, and in which order.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::Mutex;
use stepwell_expr::Payload;
use stepwell_machine::{Child, Failure, MapRunOutcome, TaskId, TaskOutcome, TestCase, root::Root};
use tokio::sync::oneshot::Sender;

use crate::{
    activities::{Offered, Poller},
    bounds::Bounds,
    handle::{ExecutionError, Qualifier, RedriveError, StartExecutionError, StartedExecution, TokenError, Unavailable},
    map_runs::Order,
    record::{ExecutionId, Removal},
    registry::Revision,
    slow::Thought,
    timeline::{Bell, Timeline, UnderWay},
};

/// Something for a driver to do.
pub(crate) enum Letter {
    To(ExecutionId, Errand),
    /// A step that was run away from the driver has come back.
    Thought(Box<Thought>),
    /// An execution that ended before `before_ms` is to be removed.
    Expire {
        execution: ExecutionId,
        before_ms: i64,
        to: Sender<Result<Removal, Unavailable>>,
    },
    /// Answered once everything that came before it is durable.
    Fence(Sender<Result<(), Unavailable>>),
}

/// Something that one execution is to be told.
pub(crate) enum Errand {
    Start(Box<Start>),
    Stop {
        failure: Failure,
        to: Sender<Result<i64, ExecutionError>>,
    },
    Redrive {
        /// The client's own; the same one within some time answers the same redrive.
        token: Option<Arc<str>>,
        to: Sender<Result<i64, RedriveError>>,
    },
    Answer {
        token: Token,
        outcome: TaskOutcome,
        to: Sender<Result<(), TokenError>>,
    },
    Heartbeat {
        token: Token,
        to: Sender<Result<(), TokenError>>,
    },
    /// A worker polls for a task that was offered.
    Take {
        offered: Offered,
        poller: Poller,
    },
    /// There is room to run this task, whose request is no longer in memory.
    Run {
        task: TaskId,
    },
    Returned {
        task: TaskId,
        outcome: TaskOutcome,
    },
    /// The actor of a Map Run asks what it is to do.
    MapRunAsked {
        task: TaskId,
        to: Sender<Option<Box<Order>>>,
    },
    /// A Map Run has come to its end; answered once the execution need not be told again.
    MapRunEnded {
        task: TaskId,
        redrives: u64,
        outcome: MapRunOutcome,
        to: Sender<Result<(), Unavailable>>,
    },
    /// No worker will ever take this task: its activity has gone.
    Orphaned {
        task: TaskId,
        activity_arn: Arc<str>,
    },
}

pub(crate) struct Start {
    pub(crate) arn: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) revision: Revision,
    pub(crate) input: Payload,
    pub(crate) trace_header: Option<Arc<str>>,
    pub(crate) test_case: Option<Arc<TestCase>>,
    pub(crate) qualifier: Option<Qualifier>,
    /// The root that it gets; a start that comes again with it finds its execution.
    pub(crate) origin: Option<Root>,
    /// Of a child execution of a Map Run.
    pub(crate) child: Option<Arc<Child>>,
    pub(crate) to: Starter,
}

/// Who starts an execution.
pub(crate) enum Starter {
    Caller(Sender<Result<StartedExecution, StartExecutionError>>),
    /// Is told what becomes of the execution. After a redrive of the Map Run its token is given, which the execution is
    /// taken to have been redriven with.
    MapRun(Option<Arc<str>>),
}

/// What a task token says; its secret is compared by who holds the execution.
#[derive(Clone, Copy)]
pub(crate) struct Token {
    pub(crate) task: TaskId,
    pub(crate) secret: [u8; 16],
}

/// A letter, and the mark that it is under way.
pub(crate) struct Envelope {
    pub(crate) letter: Letter,
    pub(crate) under_way: UnderWay,
    /// Of a call from outside, which counts against the bounds.
    bytes: Option<usize>,
}

/// The inbox of one driver. Calls from outside are bounded by count and bytes; what rows and permits bound is not.
pub(crate) struct Inbox {
    queue: Mutex<Queue>,
    bell: Arc<Bell>,
    calls_max: usize,
    bytes_max: usize,
}

#[derive(Default)]
struct Queue {
    letters: VecDeque<Envelope>,
    calls: usize,
    bytes: usize,
    closed: bool,
}

impl Inbox {
    pub(crate) fn new(bell: Arc<Bell>, bounds: &Bounds) -> Inbox {
        Inbox { queue: Mutex::default(), bell, calls_max: bounds.inbox_calls, bytes_max: bounds.inbox_bytes }
    }

    /// A call from outside, of about `bytes` bytes.
    pub(crate) fn call(&self, letter: Letter, bytes: usize, under_way: UnderWay) -> Result<(), Unavailable> {
        {
            let mut queue = self.queue.lock();
            if queue.closed {
                return Err(Unavailable::Down);
            }
            if queue.calls >= self.calls_max || queue.bytes.saturating_add(bytes) > self.bytes_max {
                return Err(Unavailable::Throttled);
            }
            queue.calls += 1;
            queue.bytes += bytes;
            queue.letters.push_back(Envelope { letter, under_way, bytes: Some(bytes) });
        }
        self.bell.ring();
        Ok(())
    }

    /// Something that the engine itself has to say. Dropped once the inbox is closed: its row, if it matters, remains.
    pub(crate) fn post(&self, letter: Letter, under_way: UnderWay) {
        {
            let mut queue = self.queue.lock();
            if queue.closed {
                return;
            }
            queue.letters.push_back(Envelope { letter, under_way, bytes: None });
        }
        self.bell.ring();
    }

    pub(crate) fn take(&self) -> Option<Envelope> {
        let mut queue = self.queue.lock();
        let envelope = queue.letters.pop_front()?;
        if let Some(bytes) = envelope.bytes {
            queue.calls -= 1;
            queue.bytes -= bytes;
        }
        Some(envelope)
    }

    /// Letters that wait.
    pub(crate) fn len(&self) -> usize {
        self.queue.lock().letters.len()
    }

    /// Refuses all further letters and drops those that wait; their callers learn that the engine is down.
    pub(crate) fn close(&self) {
        let dropped = {
            let mut queue = self.queue.lock();
            queue.closed = true;
            queue.calls = 0;
            queue.bytes = 0;
            std::mem::take(&mut queue.letters)
        };
        drop(dropped);
        self.bell.ring();
    }
}

/// The inboxes of all drivers; knows which driver owns which execution.
pub(crate) struct Inboxes {
    inboxes: Vec<Inbox>,
    timeline: Arc<Timeline>,
}

impl Inboxes {
    /// One inbox for each bell.
    pub(crate) fn new(bells: &[Arc<Bell>], timeline: Arc<Timeline>, bounds: &Bounds) -> Inboxes {
        Inboxes { inboxes: bells.iter().map(|bell| Inbox::new(bell.clone(), bounds)).collect(), timeline }
    }

    pub(crate) fn of_driver(&self, driver: usize) -> &Inbox {
        &self.inboxes[driver]
    }

    /// The driver `d` owns the shards with `shard % drivers == d`.
    fn of(&self, execution: ExecutionId) -> &Inbox {
        &self.inboxes[execution.shard() as usize % self.inboxes.len()]
    }

    /// A call from outside, of about `bytes` bytes.
    pub(crate) fn call(&self, execution: ExecutionId, errand: Errand, bytes: usize) -> Result<(), Unavailable> {
        self.of(execution).call(Letter::To(execution, errand), bytes, self.timeline.begin())
    }

    /// Something that the engine itself has to say.
    pub(crate) fn post(&self, execution: ExecutionId, errand: Errand) {
        self.of(execution).post(Letter::To(execution, errand), self.timeline.begin());
    }

    pub(crate) fn post_thought(&self, thought: Thought) {
        self.of(thought.execution).post(Letter::Thought(Box::new(thought)), self.timeline.begin());
    }

    /// Asks for the removal of an execution; answered once it is durable, or nothing was to be done.
    pub(crate) fn expire(
        &self,
        execution: ExecutionId,
        before_ms: i64,
    ) -> tokio::sync::oneshot::Receiver<Result<Removal, Unavailable>> {
        let (to, answer) = tokio::sync::oneshot::channel();
        self.of(execution).post(Letter::Expire { execution, before_ms, to }, self.timeline.begin());
        answer
    }

    /// One fence for each driver.
    pub(crate) fn fence(&self) -> Vec<tokio::sync::oneshot::Receiver<Result<(), Unavailable>>> {
        let raise = |inbox: &Inbox| {
            let (to, answer) = tokio::sync::oneshot::channel();
            inbox.post(Letter::Fence(to), self.timeline.begin());
            answer
        };
        self.inboxes.iter().map(raise).collect()
    }

    pub(crate) fn close(&self) {
        self.inboxes.iter().for_each(Inbox::close);
    }
}
