//! DeleteStateMachineAlias. Succeeds also for an alias that is not there.

use crate::{
    action::{Request, describe_state_machine_alias::alias_arn, empty},
    error::Error,
    fields::ARN,
};

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let mut fields = request.fields()?;
    let arn = fields.required_text("stateMachineAliasArn", &ARN)?;
    fields.check()?;
    let (machine, name) = alias_arn(&arn)?;
    request.engine.delete_alias(machine, name).await?;
    Ok(empty())
}
