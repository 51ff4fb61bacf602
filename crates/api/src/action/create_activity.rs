//! CreateActivity.

use std::sync::Arc;

use stepwell_engine::{CreateActivityError, Tags};
use stepwell_expr::Value;

use crate::{
    action::Request,
    configuration::Encryption,
    error::Error,
    fields::{Fields, NAME},
    kms_key, name, tags,
    writer::Writer,
};

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let asked = read(request.fields()?, request.engine.quotas().tags, request.encrypts)?;
    let arn = format!("{}:activity:{}", request.owner().arn_prefix(), asked.name);
    kms_key::check(request.engine, &asked.encryption, kms_key::Of { arn: &arn, role_arn: None }).await?;
    let owner = request.owner();
    let created = request.engine.create_activity(&owner, &asked.name, asked.encryption, asked.tags).await;
    let activity = created.map_err(|error| match error {
        CreateActivityError::AlreadyExists { arn } => Error::ActivityAlreadyExists(arn),
        CreateActivityError::TooMany => Error::ActivityLimitExceeded,
        CreateActivityError::Unavailable(unavailable) => unavailable.into(),
    })?;
    let mut answer = Writer::object();
    answer.string("activityArn", &activity.arn);
    answer.timestamp("creationDate", activity.created_ms);
    Ok(answer.end())
}

struct Asked {
    name: Arc<str>,
    encryption: Value,
    tags: Tags,
}

fn read(mut fields: Fields<'_>, tags_max: usize, encrypts: bool) -> Result<Asked, Error> {
    let name = fields.required_text("name", &NAME)?;
    let tags = fields.optional_objects("tags", tags::read)?;
    let encryption = Encryption::read(&mut fields)?;
    fields.check()?;
    name::check(&name)?;
    let encryption = encryption.map_or_else(|| Ok(Encryption::default_block()), |block| block.checked(encrypts))?;
    let tags = tags::checked(tags.unwrap_or_default())?;
    if tags.len() > tags_max {
        return Err(Error::TooManyTags { resource: None, most: tags_max });
    }
    Ok(Asked { name, encryption, tags })
}
