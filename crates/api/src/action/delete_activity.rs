//! DeleteActivity. Succeeds also for an activity that is not there.

use crate::{
    action::{Request, empty},
    arn,
    error::Error,
    fields::ARN,
};

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let mut fields = request.fields()?;
    let arn = fields.required_text("activityArn", &ARN)?;
    fields.check()?;
    arn::activity(&arn)?;
    request.engine.delete_activity(&arn).await?;
    Ok(empty())
}
