//! Functions by name, and the processes of each: started on demand, one invocation at a time, used again.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Instant, SystemTime},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::{
    desk::Event,
    fault,
    function::{Function, Host, Runtime},
    limits::{ASYNC_MAX, IDLE_LOOK, IDLE_TIME_MAX, WAITING_MAX},
    log::Log,
    name::Name,
    remote::Remote,
    worker::{Done, Worker, deadline_ms},
};

/// How Invoke is asked to run a function. Source: Lambda's API model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvocationType {
    RequestResponse,
    /// The answer comes at once; what the function answers is not kept.
    Event,
    /// Nothing is run.
    DryRun,
}

/// One call of a function.
#[derive(Clone, Debug)]
pub struct Invocation {
    pub name: Name,
    pub kind: InvocationType,
    /// In base64, as it was sent.
    pub client_context: Option<String>,
    /// Whether the answer is to carry the end of the log.
    pub with_log: bool,
    /// A JSON text.
    pub payload: Bytes,
}

/// What a function answered.
#[derive(Clone, Debug)]
pub(crate) struct Invoked {
    pub(crate) request_id: String,
    pub(crate) failed: bool,
    pub(crate) payload: Bytes,
    /// In base64.
    pub(crate) log: Option<String>,
}

/// Too many invocations of a function wait or run already.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("Rate Exceeded.")]
pub(crate) struct TooMany;

/// All functions of a server. A clone is a pointer; when the last one is dropped, all processes end.
#[derive(Clone)]
pub struct Functions(Arc<Inner>);

struct Inner {
    host: Host,
    pools: BTreeMap<String, Arc<Pool>>,
}

pub(crate) struct Pool {
    pub(crate) function: Function,
    pub(crate) arn: String,
    pub(crate) log: Arc<Log>,
    host: Host,
    slots: Semaphore,
    waiting: AtomicUsize,
    asynchronous: Arc<Semaphore>,
    idle: Mutex<Vec<Worker>>,
    remote: Remote,
}

impl Functions {
    /// `functions` have been [checked](Function::check); no process is started yet.
    pub fn new(functions: Vec<Function>, host: Host) -> Functions {
        let remote = Remote::new();
        let pools = functions.into_iter().map(|function| {
            let pool = Pool {
                arn: function.arn(&host),
                log: Arc::new(Log::new(&function.name)),
                host: host.clone(),
                slots: Semaphore::new(function.concurrency),
                waiting: AtomicUsize::new(0),
                asynchronous: Arc::new(Semaphore::new(ASYNC_MAX)),
                idle: Mutex::default(),
                remote: remote.clone(),
                function,
            };
            (pool.function.name.clone(), Arc::new(pool))
        });
        Functions(Arc::new(Inner { pools: pools.collect(), host }))
    }

    /// Ends processes that have had nothing to do for [`IDLE_TIME_MAX`], until all clones are dropped.
    pub fn end_idle(&self) -> impl Future<Output = ()> + Send + 'static {
        end_idle(Arc::downgrade(&self.0))
    }

    pub fn is_empty(&self) -> bool {
        self.0.pools.is_empty()
    }

    pub(crate) fn host(&self) -> &Host {
        &self.0.host
    }

    pub(crate) fn pool(&self, function: &str) -> Option<&Arc<Pool>> {
        self.0.pools.get(function)
    }

    pub(crate) fn pools(&self) -> impl Iterator<Item = &Arc<Pool>> {
        self.0.pools.values()
    }
}

async fn end_idle(inner: Weak<Inner>) {
    loop {
        tokio::time::sleep(IDLE_LOOK).await;
        let Some(inner) = inner.upgrade() else { return };
        for pool in inner.pools.values() {
            pool.idle().retain(|worker| worker.idle_since.elapsed() < IDLE_TIME_MAX);
        }
    }
}

impl Pool {
    /// Runs the function to its end. Dropping the future kills the process that runs it.
    pub(crate) async fn invoke(&self, invocation: &Invocation) -> Result<Invoked, TooMany> {
        if self.waiting.fetch_add(1, Ordering::SeqCst) >= WAITING_MAX {
            self.waiting.fetch_sub(1, Ordering::SeqCst);
            return Err(TooMany);
        }
        let place = Place(&self.waiting);
        let _slot = self.slots.acquire().await.map_err(|_| TooMany)?;
        drop(place);
        let request_id = Uuid::new_v4().to_string();
        let mark = self.log.mark();
        self.log.push(format!("START RequestId: {request_id} Version: $LATEST"));
        let begun = Instant::now();
        let (failed, payload) = match self.run(&request_id, invocation).await {
            Ok(payload) => (false, payload),
            Err(payload) => (true, payload),
        };
        self.log.push(format!("END RequestId: {request_id}"));
        let duration_ms = begun.elapsed().as_secs_f64() * 1_000.0;
        self.log.push(format!("REPORT RequestId: {request_id} Duration: {duration_ms:.2} ms"));
        let log = invocation.with_log.then(|| self.log.tail(mark));
        Ok(Invoked { request_id, failed, payload, log })
    }

    /// [`InvocationType::Event`].
    pub(crate) fn invoke_later(self: &Arc<Self>, invocation: Invocation) -> Result<(), TooMany> {
        let permit = self.asynchronous.clone().try_acquire_owned().map_err(|_| TooMany)?;
        let pool = self.clone();
        tokio::spawn(async move {
            if let Ok(Invoked { failed: true, payload, .. }) = pool.invoke(&invocation).await {
                pool.log.push(format!("[ERROR] {}", String::from_utf8_lossy(&payload)));
            }
            drop(permit);
        });
        Ok(())
    }

    /// The function's answer, or the payload of its failure.
    async fn run(&self, id: &str, invocation: &Invocation) -> Result<Bytes, Bytes> {
        let time_max = self.function.timeout;
        if let Runtime::Url { url } = &self.function.runtime {
            return self.remote.call(url, id, invocation.payload.clone(), time_max).await;
        }
        let code_time = self.code_time();
        loop {
            let used = self.take(code_time);
            let is_new = used.is_none();
            let mut worker = match used {
                Some(worker) => worker,
                None => Worker::start(&self.function, &self.host, &self.log, code_time, id).await?,
            };
            let event = Event {
                id: id.to_owned(),
                payload: invocation.payload.clone(),
                deadline_ms: deadline_ms(time_max),
                function_arn: self.arn.clone(),
                client_context: invocation.client_context.as_deref().and_then(decoded),
            };
            match worker.invoke(event, time_max).await {
                Done::Succeeded(payload) => {
                    self.put_back(worker);
                    return Ok(payload);
                }
                Done::Failed { payload, reusable } => {
                    if reusable {
                        self.put_back(worker);
                    }
                    return Err(payload);
                }
                // A used process may have ended by itself in the meantime; a new one that does so always would.
                Done::NotTaken(status) if is_new => return Err(fault::exited(id, status)),
                Done::NotTaken(_) => {}
            }
        }
    }

    /// An idle process, the last one used first; those that have ended or run old code are dropped.
    fn take(&self, code_time: Option<SystemTime>) -> Option<Worker> {
        let mut idle = self.idle();
        idle.retain(|worker| !worker.has_ended() && worker.code_time == code_time);
        idle.pop()
    }

    fn put_back(&self, mut worker: Worker) {
        worker.idle_since = Instant::now();
        self.idle().push(worker);
    }

    fn code_time(&self) -> Option<SystemTime> {
        std::fs::metadata(self.function.runtime.code()?).ok()?.modified().ok()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Worker>> {
        // The list is never half changed.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A client context as a process gets it: the text that was sent in base64. What no header can carry is left out.
fn decoded(context: &str) -> Option<String> {
    let text = String::from_utf8(STANDARD.decode(context).ok()?).ok()?;
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte)).then_some(text)
}

/// A place among those that wait for a process, given back however the waiting ends.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
