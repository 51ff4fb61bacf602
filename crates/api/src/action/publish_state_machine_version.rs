//! PublishStateMachineVersion.

use stepwell_engine::{PublishVersion, PublishVersionError};

use crate::{
    action::Request,
    arn::{self, StateMachineArn},
    error::Error,
    fields::{ARN, DESCRIPTION, Fields, REVISION_ID},
    writer::Writer,
};

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let asked = read(request.fields()?)?;
    let published = request.engine.publish_version(asked.clone()).await.map_err(|error| refusal(error, asked))?;
    let mut answer = Writer::object();
    answer.string("stateMachineVersionArn", &published.arn);
    answer.timestamp("creationDate", published.created_ms);
    Ok(answer.end())
}

fn read(mut fields: Fields<'_>) -> Result<PublishVersion, Error> {
    let arn = fields.required_text("stateMachineArn", &ARN)?;
    let revision_id = fields.optional_text("revisionId", &REVISION_ID)?;
    let description = fields.optional_text("description", &DESCRIPTION)?;
    fields.check()?;
    match arn::state_machine(&arn)? {
        StateMachineArn::Plain => {}
        StateMachineArn::Version { .. } | StateMachineArn::Alias { .. } => {
            return Err(Error::StateMachineDoesNotExist(arn));
        }
        StateMachineArn::Labelled => return Err(arn::labelled_not_supported(&arn)),
    }
    Ok(PublishVersion { state_machine_arn: arn, revision_id, description })
}

/// The sentence on another revision is AWS's (recorded answers).
fn refusal(error: PublishVersionError, asked: PublishVersion) -> Error {
    match error {
        PublishVersionError::DoesNotExist => Error::StateMachineDoesNotExist(asked.state_machine_arn),
        PublishVersionError::Deleting => Error::StateMachineDeleting(asked.state_machine_arn),
        PublishVersionError::OtherRevision { current } => Error::Conflict(format!(
            "Failed to publish the State Machine version for revision {}. The current State Machine revision is {current}.",
            asked.revision_id.as_deref().unwrap_or_default()
        )),
        PublishVersionError::TooMany => Error::too_many_versions(),
        PublishVersionError::Unavailable(unavailable) => unavailable.into(),
    }
}
