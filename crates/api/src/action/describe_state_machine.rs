//! DescribeStateMachine: the current revision, or the one that a version names.

use stepwell_engine::StateMachine;

use crate::{
    action::Request,
    arn::{self, StateMachineArn},
    error::Error,
    fields::ARN,
    machine_view::{self, IncludedData, machine_type_name},
    writer::Writer,
};

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let mut fields = request.fields()?;
    let arn = fields.required_text("stateMachineArn", &ARN)?;
    let included = IncludedData::read(&mut fields)?;
    fields.check()?;
    match arn::state_machine(&arn)? {
        StateMachineArn::Plain => {
            let machine =
                request.engine.state_machine(&arn).ok_or_else(|| Error::StateMachineDoesNotExist(arn.clone()))?;
            Ok(describe(&machine, &arn, machine.created_ms, None, included))
        }
        StateMachineArn::Version { machine, number } => {
            let version = request.engine.version(machine, number).await?;
            let version = version.ok_or_else(|| Error::StateMachineDoesNotExist(arn.clone()))?;
            Ok(describe(&version.machine, &arn, version.created_ms, version.description.as_deref(), included))
        }
        StateMachineArn::Alias { .. } | StateMachineArn::Labelled => Err(Error::StateMachineDoesNotExist(arn)),
    }
}

/// A machine, or a version of one, under its ARN.
fn describe(
    machine: &StateMachine,
    arn: &str,
    created_ms: i64,
    description: Option<&str>,
    included: IncludedData,
) -> String {
    let mut answer = Writer::object();
    answer.string("stateMachineArn", arn);
    machine_view::write(&mut answer, machine, included);
    answer.optional_string("description", description.filter(|_| included == IncludedData::All));
    answer.string("status", if machine.deleting { "DELETING" } else { "ACTIVE" });
    answer.string("type", machine_type_name(machine.machine_type));
    answer.timestamp("creationDate", created_ms);
    answer.end()
}
