//! Express executions: started to be waited for or not; those that run, and the last that ended.

use std::sync::Arc;

use stepwell_expr::Payload;
use stepwell_machine::{ExpressStart, Qualifier, TestCase, definition::MachineType};

use super::{Engine, StartExecution, StartExecutionError, StartedExecution, Unavailable};
use crate::{express::ExpressExecution, registry::Revision};

#[derive(Clone, Debug, thiserror::Error)]
pub enum StartSyncExecutionError {
    #[error(transparent)]
    Start(#[from] StartExecutionError),
    #[error("only express state machines can be started and waited for")]
    TypeNotSupported,
}

impl Engine {
    /// Runs an Express execution to its end, in the task that awaits this; dropping it ends the execution.
    pub async fn start_sync_execution(
        &self,
        start: StartExecution,
    ) -> Result<Arc<ExpressExecution>, StartSyncExecutionError> {
        let StartExecution { state_machine_arn, name, input, trace_header, test_case, .. } = start;
        let (revision, qualifier) = self.startable(&state_machine_arn).await?;
        match revision.machine.machine_type {
            MachineType::Express => {}
            MachineType::Standard => return Err(StartSyncExecutionError::TypeNotSupported),
        }
        if let Some(test_case) = &test_case {
            test_case.check(&revision.machine.program).map_err(StartExecutionError::from)?;
        }
        let how = ExpressStart::Synchronous;
        let run = self.0.shared.express.begin(&self.0.shared, &revision, how, name, input, trace_header);
        let run = run.map_err(StartExecutionError::from)?.qualified(qualifier).mocked(test_case);
        let ended = run.end().await;
        Ok(ended.ok_or(StartExecutionError::from(Unavailable::Down))?)
    }

    /// Answers as soon as it runs.
    pub(super) fn start_express(
        &self,
        revision: Revision,
        qualifier: Option<Qualifier>,
        name: Option<Arc<str>>,
        input: Payload,
        trace_header: Option<Arc<str>>,
        test_case: Option<Arc<TestCase>>,
    ) -> Result<StartedExecution, StartExecutionError> {
        let how = ExpressStart::Asynchronous;
        let express = &self.0.shared.express;
        let run = express.begin(&self.0.shared, &revision, how, name, input, trace_header)?;
        let run = run.qualified(qualifier).mocked(test_case);
        let started = run.started();
        express.spawn(run, &self.0.runtime);
        Ok(started)
    }

    /// Express executions, of one state machine or of all: those that run, newest start first and without their histories, then
    /// those that have ended, as [`Engine::ended_express_executions`]. A bounded number of each.
    pub fn express_executions(&self, state_machine_arn: Option<&str>) -> Vec<Arc<ExpressExecution>> {
        self.0.shared.express.all(state_machine_arn)
    }

    /// One that runs, as it is just now, or has ended and is still in memory.
    pub fn express_execution(&self, arn: &str) -> Option<Arc<ExpressExecution>> {
        self.0.shared.express.one(arn)
    }

    /// Ended Express executions that are still in memory, those that ended last first: a bounded number, of one state
    /// machine or of all. They are lost with the process.
    pub fn ended_express_executions(&self, state_machine_arn: Option<&str>) -> Vec<Arc<ExpressExecution>> {
        self.0.shared.express.ended(state_machine_arn)
    }
}
