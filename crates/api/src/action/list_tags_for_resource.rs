//! ListTagsForResource.

use std::sync::Arc;

use stepwell_engine::TagError;

use crate::{action::Request, arn, error::Error, fields::ARN, writer::Writer};

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let mut fields = request.fields()?;
    let arn = fields.required_text("resourceArn", &ARN)?;
    fields.check()?;
    arn::taggable(&arn)?;
    let tags = request.engine.tags(&arn).map_err(|error| refusal(error, arn))?;
    let mut answer = Writer::object();
    answer.objects("tags", &tags, |tag, (key, value)| {
        tag.string("key", key);
        tag.string("value", value);
    });
    Ok(answer.end())
}

/// What all three actions on tags answer.
pub(super) fn refusal(error: TagError, arn: Arc<str>) -> Error {
    match error {
        TagError::ResourceNotFound => Error::ResourceNotFound(arn),
        TagError::TooMany { most } => Error::TooManyTags { resource: Some(arn), most },
        TagError::Unavailable(unavailable) => unavailable.into(),
    }
}
