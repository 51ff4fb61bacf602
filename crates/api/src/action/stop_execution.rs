//! StopExecution.

use stepwell_machine::Failure;

use crate::{
    action::{Request, describe_execution::refusal},
    arn,
    error::Error,
    fields::{ARN, CAUSE, ERROR},
    writer::Writer,
};

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let mut fields = request.fields()?;
    let arn = fields.required_text("executionArn", &ARN)?;
    let error = fields.optional_text("error", &ERROR)?;
    let cause = fields.optional_text("cause", &CAUSE)?;
    fields.check()?;
    arn::execution(&arn)?;
    let stopped = request.engine.stop_execution(&arn, Failure { error, cause }).await;
    let stop_ms = stopped.map_err(|error| refusal(error, arn))?;
    let mut answer = Writer::object();
    answer.timestamp("stopDate", stop_ms);
    Ok(answer.end())
}
