//! DescribeStateMachineAlias.

use crate::{
    action::Request,
    arn::{self, StateMachineArn},
    error::Error,
    fields::ARN,
    writer::Writer,
};

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let mut fields = request.fields()?;
    let arn = fields.required_text("stateMachineAliasArn", &ARN)?;
    fields.check()?;
    let (machine, name) = alias_arn(&arn)?;
    let alias = request.engine.alias(machine, name);
    let alias = alias.ok_or_else(|| Error::ReferencedResourceNotFound(arn.clone()))?;
    let mut answer = Writer::object();
    answer.string("stateMachineAliasArn", &alias.arn);
    answer.string("name", &alias.name);
    answer.optional_string("description", alias.description.as_deref());
    answer.objects("routingConfiguration", &alias.routes, |item, route| {
        item.string("stateMachineVersionArn", &format!("{machine}:{}", route.version));
        item.number("weight", route.weight.into());
    });
    answer.timestamp("creationDate", alias.created_ms);
    answer.timestamp("updateDate", alias.updated_ms);
    Ok(answer.end())
}

/// The machine's own ARN and the alias's name.
pub(super) fn alias_arn(arn: &str) -> Result<(&str, &str), Error> {
    match arn::state_machine(arn)? {
        StateMachineArn::Alias { machine, name } => Ok((machine, name)),
        // The sentence is ours.
        StateMachineArn::Plain | StateMachineArn::Version { .. } | StateMachineArn::Labelled => {
            Err(Error::InvalidArn(format!("The ARN is not that of a state machine alias: {arn}")))
        }
    }
}
