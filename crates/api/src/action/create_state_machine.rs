//! CreateStateMachine.

use stepwell_engine::{CreateStateMachine, CreateStateMachineError, Owner, Publish};
use stepwell_machine::definition::MachineType;

use crate::{
    action::Request,
    arn,
    configuration::{Encryption, Logging, Tracing},
    error::Error,
    fields::{ARN, DEFINITION, DESCRIPTION, Fields, NAME},
    kms_key, log_group,
    machine_view::MACHINE_TYPES,
    name, tags,
    writer::Writer,
};

/// Source: recorded answers.
pub(super) const DESCRIPTION_WITHOUT_PUBLISH: &str = "Version description can only be set when publish is true";

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let asked = read(request.fields()?, request.owner(), request.engine.quotas().tags, request.encrypts)?;
    if request.asks_for_log_groups {
        log_group::check(request.engine, &asked.logging, &asked.role_arn).await?;
    }
    let arn = format!("{}:stateMachine:{}", asked.owner.arn_prefix(), asked.name);
    let of = kms_key::Of { arn: &arn, role_arn: Some(&asked.role_arn) };
    kms_key::check(request.engine, &asked.encryption, of).await?;
    let created = request.engine.create_state_machine(asked).await.map_err(refusal)?;
    let mut answer = Writer::object();
    answer.string("stateMachineArn", &created.machine.arn);
    answer.timestamp("creationDate", created.machine.created_ms);
    answer.optional_string("stateMachineVersionArn", created.version_arn.as_deref());
    Ok(answer.end())
}

fn read(mut fields: Fields<'_>, owner: Owner, tags_max: usize, encrypts: bool) -> Result<CreateStateMachine, Error> {
    let name = fields.required_text("name", &NAME)?;
    let definition = fields.required_text("definition", &DEFINITION)?;
    let role_arn = fields.required_text("roleArn", &ARN)?;
    let machine_type = fields.optional_choice("type", &MACHINE_TYPES)?.unwrap_or(MachineType::Standard);
    let logging = Logging::read(&mut fields)?;
    let tags = fields.optional_objects("tags", tags::read)?;
    let tracing = Tracing::read(&mut fields)?;
    let publish = fields.optional_bool("publish")?.unwrap_or(false);
    let description = fields.optional_text("versionDescription", &DESCRIPTION)?;
    let encryption = Encryption::read(&mut fields)?;
    fields.check()?;

    name::check(&name)?;
    arn::role(&role_arn)?;
    if description.is_some() && !publish {
        return Err(Error::validation(DESCRIPTION_WITHOUT_PUBLISH));
    }
    let tags = tags::checked(tags.unwrap_or_default())?;
    if tags.len() > tags_max {
        return Err(Error::TooManyTags { resource: None, most: tags_max });
    }
    Ok(CreateStateMachine {
        name,
        owner,
        machine_type,
        definition,
        role_arn,
        logging: logging.map_or_else(|| Ok(Logging::default_block()), |block| block.checked())?,
        tracing: tracing.map_or_else(Tracing::default_block, |block| block.block()),
        encryption: encryption.map_or_else(|| Ok(Encryption::default_block()), |block| block.checked(encrypts))?,
        tags,
        publish: publish.then_some(Publish { description }),
    })
}

fn refusal(error: CreateStateMachineError) -> Error {
    match error {
        CreateStateMachineError::AlreadyExists { arn } => Error::StateMachineAlreadyExists(arn),
        CreateStateMachineError::Deleting { arn } => Error::StateMachineDeleting(arn),
        CreateStateMachineError::InvalidDefinition(diagnostics) => Error::invalid_definition(&diagnostics),
        CreateStateMachineError::TooMany => Error::StateMachineLimitExceeded,
        CreateStateMachineError::Unavailable(unavailable) => unavailable.into(),
    }
}

#[cfg(test)]
mod tests {
    use stepwell_expr::json;

    use super::*;

    fn read_text(members: &str) -> Result<CreateStateMachine, String> {
        let body = json::parse(&format!(r#"{{"name":"M","definition":"{{}}","roleArn":"arn:r"{members}}}"#)).unwrap();
        let found =
            Fields::of(&body).and_then(|fields| read(fields, Owner::new("us-east-1", "123456789012"), 50, false));
        found.map_err(|error| format!("{}: {error}", error.code()))
    }

    #[test]
    fn defaults() {
        let asked = read_text("").unwrap();
        assert_eq!(asked.machine_type, MachineType::Standard);
        assert_eq!(asked.logging.to_string(), r#"{"level":"OFF","includeExecutionData":false}"#);
        assert_eq!(asked.tracing.to_string(), r#"{"enabled":false}"#);
        assert_eq!(asked.encryption.to_string(), r#"{"type":"AWS_OWNED_KEY"}"#);
        assert!(asked.tags.is_empty());
    }

    #[test]
    fn refusals() {
        let many_tags: Vec<String> = (0..51).map(|index| format!(r#"{{"key":"k{index}","value":""}}"#)).collect();
        let cases = [
            (r#","name":"a b""#.to_string(), "InvalidName: Invalid Name: 'a b'"),
            (r#","roleArn":"role""#.into(), "InvalidArn: Invalid Arn: 'Invalid ARN prefix: role'"),
            (
                r#","versionDescription":"d""#.into(),
                "ValidationException: Version description can only be set when publish is true",
            ),
            (
                r#","type":"express","definition":"""#.into(),
                "ValidationException: 2 validation errors detected: Value at 'definition' failed to satisfy \
                 constraint: Member must have length greater than or equal to 1; Value 'express' at 'type' failed to \
                 satisfy constraint: Member must satisfy enum value set: [STANDARD, EXPRESS]",
            ),
            (
                format!(r#","tags":[{}]"#, many_tags.join(",")),
                "TooManyTags: Too many tags: a resource has at most 50 tags",
            ),
        ];
        for (members, expected) in cases {
            assert_eq!(read_text(&members).unwrap_err(), expected, "{members}");
        }
    }
}
