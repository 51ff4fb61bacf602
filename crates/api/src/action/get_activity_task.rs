//! GetActivityTask: waits until the activity has a task, or the engine's patience ends.

use stepwell_engine::ActivityError;

use crate::{
    action::{Request, empty},
    arn,
    error::Error,
    fields::{ARN, NAME},
    race::{First, race},
    writer::Writer,
};

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let mut fields = request.fields()?;
    let arn = fields.required_text("activityArn", &ARN)?;
    let worker = fields.optional_text("workerName", &NAME)?;
    fields.check()?;
    arn::activity(&arn)?;
    let mut stopping = request.stopping.clone();
    // Ends also when the sender is gone.
    let stopped = async move { drop(stopping.wait_for(|stopping| *stopping).await) };
    let task = match race(request.engine.activity_task(&arn, worker), stopped).await {
        First::Left(found) => found.map_err(|error| match error {
            ActivityError::DoesNotExist => Error::ActivityDoesNotExist(arn.clone()),
            ActivityError::TooManyPollers => Error::ActivityWorkerLimitExceeded,
            ActivityError::Unavailable(unavailable) => unavailable.into(),
        })?,
        First::Right(()) => None,
    };
    let Some(task) = task else {
        return Ok(empty());
    };
    let mut answer = Writer::object();
    answer.string("taskToken", &task.token);
    answer.string("input", task.input.text());
    Ok(answer.end())
}
