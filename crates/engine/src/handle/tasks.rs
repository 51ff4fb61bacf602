//! Answers and heartbeats of whoever holds a task token.

use stepwell_expr::Payload;
use stepwell_machine::{
    Failure, TaskOutcome, TaskRequest,
    effect::{Exchange, TaskTarget},
    root,
};
use tokio::sync::oneshot;

use super::{Engine, Unavailable, executions::CALL_BYTES};
use crate::{
    inbox::{Errand, Token},
    record::ExecutionId,
};

/// Why a task token was refused.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum TokenError {
    /// Not a token that this server gave out.
    #[error("invalid token")]
    Invalid,
    /// Its task has ended, timed out or been dropped.
    #[error("the task does not exist anymore")]
    TaskTimedOut,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// How an answer with a task token ends the task.
#[derive(Clone, Debug)]
pub enum Answer {
    Success(Payload),
    Failure(Failure),
}

impl Engine {
    pub async fn answer_task(&self, token: &str, answer: Answer) -> Result<(), TokenError> {
        let (execution, token) = parse(token)?;
        let (outcome, bytes) = match answer {
            Answer::Success(output) => {
                let bytes = output.bytes();
                (TaskOutcome::Succeeded { output }, bytes)
            }
            Answer::Failure(failure) => {
                let texts = [&failure.error, &failure.cause];
                let bytes = texts.iter().filter_map(|text| text.as_ref()).map(|text| text.len()).sum();
                (TaskOutcome::Failed(failure), bytes)
            }
        };
        let (to, reply) = oneshot::channel();
        self.0.shared.inboxes.call(execution, Errand::Answer { token, outcome, to }, CALL_BYTES + bytes)?;
        reply.await.unwrap_or(Err(Unavailable::Down.into()))
    }

    /// Why a task cannot be started with the parameters that it has.
    pub fn parameters_problem(&self, request: &TaskRequest) -> Option<String> {
        let TaskTarget::Service { service, action, .. } = &request.target else { return None };
        self.0.shared.surroundings.runner.parameters_problem(service, action, &request.input)
    }

    /// Runs a task that belongs to no execution, to its outcome. Dropping the future cancels it.
    pub async fn run_task(&self, request: TaskRequest) -> TaskOutcome {
        let _under_way = self.0.shared.timeline.begin();
        self.0.shared.tasks.run_alone(request).await
    }

    /// [`Engine::run_task`], with what an HTTP Task sent and was answered; its secrets where `reveals_secrets`.
    pub async fn run_task_shown(
        &self,
        request: TaskRequest,
        reveals_secrets: bool,
    ) -> (TaskOutcome, Option<Box<Exchange>>) {
        let _under_way = self.0.shared.timeline.begin();
        self.0.shared.tasks.run_shown(request, reveals_secrets).await
    }

    pub async fn heartbeat(&self, token: &str) -> Result<(), TokenError> {
        let (execution, token) = parse(token)?;
        let (to, reply) = oneshot::channel();
        self.0.shared.inboxes.call(execution, Errand::Heartbeat { token, to }, CALL_BYTES)?;
        reply.await.unwrap_or(Err(Unavailable::Down.into()))
    }
}

fn parse(token: &str) -> Result<(ExecutionId, Token), TokenError> {
    let (execution, task, secret) = root::parse_token(token).ok_or(TokenError::Invalid)?;
    Ok((ExecutionId(execution), Token { task, secret }))
}
