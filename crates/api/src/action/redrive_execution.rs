//! RedriveExecution.

use stepwell_engine::RedriveError;

use crate::{
    action::Request,
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
