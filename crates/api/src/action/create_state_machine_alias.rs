//! CreateStateMachineAlias.

use std::sync::Arc;

use stepwell_engine::{CreateAlias, CreateAliasError};

use crate::{
    action::Request,
    error::Error,
    fields::{ALIAS_NAME, DESCRIPTION, Fields},
    routing::RoutingFields,
    writer::Writer,
};

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let asked = read(request.fields()?)?;
    let machine = asked.state_machine_arn.clone();
    let alias = request.engine.create_alias(asked).await.map_err(|error| refusal(error, machine))?;
    let mut answer = Writer::object();
    answer.string("stateMachineAliasArn", &alias.arn);
    answer.timestamp("creationDate", alias.created_ms);
    Ok(answer.end())
}

fn read(mut fields: Fields<'_>) -> Result<CreateAlias, Error> {
    let description = fields.optional_text("description", &DESCRIPTION)?;
    let name = fields.required_text("name", &ALIAS_NAME)?;
    let routing = RoutingFields::required(&mut fields)?;
    fields.check()?;
    let routing = routing.checked()?;
    Ok(CreateAlias { state_machine_arn: routing.state_machine_arn, name, description, routes: routing.routes })
}

/// The sentence on a conflict is AWS's (recorded answers).
fn refusal(error: CreateAliasError, machine: Arc<str>) -> Error {
    match error {
        CreateAliasError::ResourceNotFound => Error::ReferencedResourceNotFound(machine),
        CreateAliasError::Deleting => Error::StateMachineDeleting(machine),
        CreateAliasError::Conflict => Error::Conflict(
            "Failed to create alias because an alias with the same name and a different routing configuration already \
             exists."
                .into(),
        ),
        CreateAliasError::TooMany => {
            Error::ServiceQuotaExceeded("The maximum number of aliases of the state machine has been reached.")
        }
        CreateAliasError::Unavailable(unavailable) => unavailable.into(),
    }
}
