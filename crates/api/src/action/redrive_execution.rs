//! RedriveExecution.

use stepwell_engine::{NotRedrivable, RedriveError};

use crate::{
    action::{Request, describe_execution::refusal},
    arn,
    error::Error,
    fields::{ARN, CLIENT_TOKEN},
    writer::Writer,
};

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let mut fields = request.fields()?;
    let arn = fields.required_text("executionArn", &ARN)?;
    let token = fields.optional_text("clientToken", &CLIENT_TOKEN)?;
    fields.check()?;
    arn::execution(&arn)?;
    if arn.contains('/') {
        // A child execution of a Map Run; the execution that waits for that is to be redriven.
        request.engine.execution(&arn).await.map_err(|error| refusal(error, arn.clone()))?;
        return Err(Error::ExecutionNotRedrivable { arn, reason: NotRedrivable::ByMapRun });
    }
    let redriven = request.engine.redrive_execution(&arn, token).await;
    let redrive_ms = redriven.map_err(|error| match error {
        RedriveError::DoesNotExist => Error::ExecutionDoesNotExist(arn),
        RedriveError::NotRedrivable(reason) => Error::ExecutionNotRedrivable { arn, reason },
        RedriveError::Unavailable(unavailable) => unavailable.into(),
    })?;
    let mut answer = Writer::object();
    answer.timestamp("redriveDate", redrive_ms);
    Ok(answer.end())
}
