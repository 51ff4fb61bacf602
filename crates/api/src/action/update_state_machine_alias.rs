//! UpdateStateMachineAlias.

use std::sync::Arc;

use stepwell_engine::{AliasError, UpdateAlias};

use crate::{
    action::{Request, describe_state_machine_alias::alias_arn},
    error::{Error, Reason},
    fields::{ARN, DESCRIPTION, Fields},
    routing::RoutingFields,
    writer::Writer,
};

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let (arn, asked) = read(request.fields()?)?;
    let updated_ms = request.engine.update_alias(asked).await.map_err(|error| refusal(error, arn))?;
    let mut answer = Writer::object();
    answer.timestamp("updateDate", updated_ms);
    Ok(answer.end())
}

/// The alias's ARN and what is to change. The sentences are ours.
fn read(mut fields: Fields<'_>) -> Result<(Arc<str>, UpdateAlias), Error> {
    let arn = fields.required_text("stateMachineAliasArn", &ARN)?;
    let description = fields.optional_text("description", &DESCRIPTION)?;
    let routing = RoutingFields::optional(&mut fields)?;
    fields.check()?;
    let (machine, name) = alias_arn(&arn)?;
    if description.is_none() && routing.is_none() {
        return Err(Error::Validation {
            message: "Either the description or the RoutingConfiguration must be specified".into(),
            reason: Some(Reason::MissingRequiredParameter),
        });
    }
    let routing = routing.map(|routing| routing.checked()).transpose()?;
    if routing.as_ref().is_some_and(|routing| &*routing.state_machine_arn != machine) {
        return Err(Error::Validation {
            message: format!("Routing configuration must contain versions of the state machine {machine}"),
            reason: Some(Reason::InvalidRoutingConfiguration),
        });
    }
    let asked = UpdateAlias {
        state_machine_arn: machine.into(),
        name: name.into(),
        description,
        routes: routing.map(|routing| routing.routes),
    };
    Ok((arn, asked))
}

fn refusal(error: AliasError, arn: Arc<str>) -> Error {
    match error {
        AliasError::ResourceNotFound => Error::ReferencedResourceNotFound(arn),
        AliasError::Deleting => Error::StateMachineDeleting(arn),
        AliasError::Unavailable(unavailable) => unavailable.into(),
    }
}
