//! UpdateStateMachine.

use std::sync::Arc;

use stepwell_engine::{Publish, UpdateStateMachine, UpdateStateMachineError};

use crate::{
    action::{Request, create_state_machine::DESCRIPTION_WITHOUT_PUBLISH},
    arn::{self, StateMachineArn},
    configuration::{Encryption, Logging, Tracing},
    error::Error,
    fields::{ARN, DEFINITION, DESCRIPTION, Fields},
    kms_key, log_group,
    writer::Writer,
};

/// Source: recorded answers.
const NOTHING_TO_CHANGE: &str =
    "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified";

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let asked = read(request.fields()?, request.encrypts)?;
    let arn = asked.arn.clone();
    let role_arn = || {
        let role_arn = asked.role_arn.clone().or_else(|| Some(request.engine.state_machine(&arn)?.role_arn.clone()));
        role_arn.unwrap_or_default()
    };
    if let (true, Some(logging)) = (request.asks_for_log_groups, &asked.logging) {
        log_group::check(request.engine, logging, &role_arn()).await?;
    }
    if let Some(encryption) = &asked.encryption {
        let of = kms_key::Of { arn: &arn, role_arn: Some(&role_arn()) };
        kms_key::check(request.engine, encryption, of).await?;
    }
    let updated = request.engine.update_state_machine(asked).await.map_err(|error| refusal(error, arn))?;
    let mut answer = Writer::object();
    answer.timestamp("updateDate", updated.updated_ms);
    answer.optional_string("revisionId", updated.revision_id.as_deref());
    answer.optional_string("stateMachineVersionArn", updated.version_arn.as_deref());
    Ok(answer.end())
}

fn read(mut fields: Fields<'_>, encrypts: bool) -> Result<UpdateStateMachine, Error> {
    let arn = fields.required_text("stateMachineArn", &ARN)?;
    let definition = fields.optional_text("definition", &DEFINITION)?;
    let role_arn = fields.optional_text("roleArn", &ARN)?;
    let logging = Logging::read(&mut fields)?;
    let tracing = Tracing::read(&mut fields)?;
    let publish = fields.optional_bool("publish")?.unwrap_or(false);
    let description = fields.optional_text("versionDescription", &DESCRIPTION)?;
    let encryption = Encryption::read(&mut fields)?;
    fields.check()?;

    match arn::state_machine(&arn)? {
        StateMachineArn::Plain => {}
        StateMachineArn::Version { .. } | StateMachineArn::Alias { .. } => {
            return Err(Error::StateMachineDoesNotExist(arn));
        }
        StateMachineArn::Labelled => return Err(arn::labelled_not_supported(&arn)),
    }
    if description.is_some() && !publish {
        return Err(Error::validation(DESCRIPTION_WITHOUT_PUBLISH));
    }
    // To publish alone is no change: PublishStateMachineVersion does that.
    let configured = logging.is_some() || tracing.is_some() || encryption.is_some();
    if definition.is_none() && role_arn.is_none() && !configured {
        return Err(Error::MissingRequiredParameter(NOTHING_TO_CHANGE));
    }
    role_arn.as_deref().map_or(Ok(()), arn::role)?;
    Ok(UpdateStateMachine {
        arn,
        definition,
        role_arn,
        logging: logging.map(|block| block.checked()).transpose()?,
        tracing: tracing.map(|block| block.block()),
        encryption: encryption.map(|block| block.checked(encrypts)).transpose()?,
        publish: publish.then_some(Publish { description }),
    })
}

fn refusal(error: UpdateStateMachineError, arn: Arc<str>) -> Error {
    match error {
        UpdateStateMachineError::DoesNotExist => Error::StateMachineDoesNotExist(arn),
        UpdateStateMachineError::Deleting => Error::StateMachineDeleting(arn),
        UpdateStateMachineError::InvalidDefinition(diagnostics) => Error::invalid_definition(&diagnostics),
        UpdateStateMachineError::TooManyVersions => Error::too_many_versions(),
        UpdateStateMachineError::Unavailable(unavailable) => unavailable.into(),
    }
}

#[cfg(test)]
mod tests {
    use stepwell_expr::json;

    use super::*;

    fn read_text(arn_tail: &str, members: &str) -> Result<UpdateStateMachine, String> {
        let arn = format!("arn:aws:states:us-east-1:123456789012:{arn_tail}");
        let body = json::parse(&format!(r#"{{"stateMachineArn":"{arn}"{members}}}"#)).unwrap();
        let found = Fields::of(&body).and_then(|fields| read(fields, false));
        found.map_err(|error| format!("{}: {error}", error.code()))
    }

    #[test]
    fn absent_members_stay_as_they_are() {
        let asked = read_text("stateMachine:M", r#","tracingConfiguration":{}"#).unwrap();
        assert_eq!(asked.tracing.map(|block| block.to_string()).as_deref(), Some(r#"{"enabled":false}"#));
        assert!(asked.definition.is_none() && asked.role_arn.is_none() && asked.logging.is_none());
    }

    #[test]
    fn refusals() {
        let cases = [
            (
                "stateMachine:M",
                "",
                "MissingRequiredParameter: Either the definition, the role ARN, the LoggingConfiguration, or the \
                 TracingConfiguration must be specified",
            ),
            (
                "stateMachine:M",
                r#","publish":true,"versionDescription":"d""#,
                "MissingRequiredParameter: Either the definition, the role ARN, the LoggingConfiguration, or the \
                 TracingConfiguration must be specified",
            ),
            (
                "stateMachine:M:2",
                r#","definition":"{}""#,
                "StateMachineDoesNotExist: State Machine Does Not Exist: \
                 'arn:aws:states:us-east-1:123456789012:stateMachine:M:2'",
            ),
            ("stateMachine:M", r#","roleArn":"x""#, "InvalidArn: Invalid Arn: 'Invalid ARN prefix: x'"),
            (
                "stateMachine:M",
                r#","definition":"{}","versionDescription":"d""#,
                "ValidationException: Version description can only be set when publish is true",
            ),
        ];
        for (arn_tail, members, expected) in cases {
            assert_eq!(read_text(arn_tail, members).unwrap_err(), expected, "{arn_tail} {members}");
        }
    }
}
