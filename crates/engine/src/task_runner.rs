//! How the engine has tasks run, without knowing who runs them.

use std::{future::Future, pin::Pin, sync::Arc};

use stepwell_expr::Payload;
use stepwell_machine::{TaskOutcome, TaskRequest, effect::Exchange};

/// What [`TaskRunner::run_shown`] gives.
pub type Shown = Pin<Box<dyn Future<Output = (TaskOutcome, Option<Box<Exchange>>)> + Send + 'static>>;

use crate::map_items::{MapItems, Nowhere};

/// Runs one task to its outcome, or watches the job that a task submitted. Dropping the future cancels the run.
///
/// A run may be repeated after a crash (at least once): the request carries the execution and the task id, from which
/// an idempotent submit can be made.
pub trait TaskRunner: Send + Sync + 'static {
    fn run(&self, request: TaskRequest) -> Pin<Box<dyn Future<Output = TaskOutcome> + Send + 'static>>;

    /// As [`TaskRunner::run`]; of an HTTP Task also tells what was sent and answered, secrets where that is asked for.
    fn run_shown(&self, request: TaskRequest, _reveals_secrets: bool) -> Shown {
        let run = self.run(request);
        Box::pin(async move { (run.await, None) })
    }

    /// Stops the job that a request names as submitted: nobody waits for it any more. It may be asked more than once.
    ///
    /// `Ok` also of a job that has ended, or can never be stopped. An error says why it is to be tried again.
    fn stop_job(&self, _request: TaskRequest) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'static>> {
        Box::pin(async { Ok(()) })
    }

    /// Who reads the items of Map Runs and writes their results.
    fn map_items(&self) -> Arc<dyn MapItems> {
        Arc::new(Nowhere)
    }

    /// False of an action that `aws-sdk:SERVICE:ACTION` cannot name: definitions with one are refused.
    fn knows(&self, _service: &str, _action: &str) -> bool {
        true
    }

    /// False if [`TaskRunner::parameters_problem`] would have to read a file of the service's first, for example: then it is
    /// asked on a thread that may wait.
    fn knows_parameters(&self, _service: &str, _action: &str) -> bool {
        true
    }

    /// Why a task of a service cannot be started with these parameters. Called by whoever steps: where
    /// [`TaskRunner::knows_parameters`], it may take no longer than it takes to read them.
    fn parameters_problem(&self, _service: &str, _action: &str, _parameters: &Payload) -> Option<String> {
        None
    }
}
