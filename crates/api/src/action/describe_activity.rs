//! DescribeActivity.

use crate::{action::Request, arn, error::Error, fields::ARN, writer::Writer};

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let mut fields = request.fields()?;
    let arn = fields.required_text("activityArn", &ARN)?;
    fields.check()?;
    arn::activity(&arn)?;
    let activity = request.engine.activity(&arn).ok_or(Error::ActivityDoesNotExist(arn))?;
    let mut answer = Writer::object();
    answer.string("activityArn", &activity.arn);
    answer.string("name", &activity.name);
    answer.timestamp("creationDate", activity.created_ms);
    answer.value("encryptionConfiguration", &activity.encryption);
    Ok(answer.end())
}
