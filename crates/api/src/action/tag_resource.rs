//! TagResource.

use crate::{
    action::{Request, empty, list_tags_for_resource::refusal},
    arn,
    error::Error,
    fields::ARN,
    tags,
};

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let mut fields = request.fields()?;
    let arn = fields.required_text("resourceArn", &ARN)?;
    let list = fields.required_objects("tags", tags::read)?;
    fields.check()?;
    arn::taggable(&arn)?;
    let tags = tags::checked(list)?;
    request.engine.tag(&arn, tags).await.map_err(|error| refusal(error, arn))?;
    Ok(empty())
}
