//! UpdateMapRun.

use stepwell_engine::UpdateMapRun;

use super::describe_map_run::refusal;
use crate::{
    action::Request,
    arn,
    error::{Error, Reason},
    fields::LONG_ARN,
    limits::MAX_CONCURRENCY_MAX,
};

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let mut fields = request.fields()?;
    let arn = fields.required_text("mapRunArn", &LONG_ARN)?;
    let concurrency = fields.optional_integer("maxConcurrency", 0, MAX_CONCURRENCY_MAX)?;
    let percentage = fields.optional_float("toleratedFailurePercentage", 0.0, 100.0)?;
    let count = fields.optional_integer("toleratedFailureCount", 0, i64::MAX)?;
    fields.check()?;
    arn::map_run(&arn)?;
    if concurrency.is_none() && percentage.is_none() && count.is_none() {
        // The sentence is ours.
        let message = "either maxConcurrency, toleratedFailurePercentage or toleratedFailureCount must be specified";
        return Err(Error::Validation { message: message.into(), reason: Some(Reason::MissingRequiredParameter) });
    }
    let whole = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
    let update = UpdateMapRun {
        max_concurrency: whole(concurrency),
        tolerated_failure_count: whole(count),
        tolerated_failure_percentage: percentage,
    };
    request.engine.update_map_run(&arn, update).await.map_err(|error| refusal(error, arn))?;
    Ok(super::empty())
}
