//! UntagResource. Keys that the resource does not have are no error.

use crate::{
    action::{Request, empty, list_tags_for_resource::refusal},
    arn,
    error::Error,
    fields::{ARN, TAG_KEY},
};

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let mut fields = request.fields()?;
    let arn = fields.required_text("resourceArn", &ARN)?;
    let keys = fields.required_texts("tagKeys", &TAG_KEY)?;
    fields.check()?;
    arn::taggable(&arn)?;
    request.engine.untag(&arn, &keys).await.map_err(|error| refusal(error, arn))?;
    Ok(empty())
}
