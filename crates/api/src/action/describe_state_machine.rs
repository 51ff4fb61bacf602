//! DescribeStateMachine.

use crate::{
    action::Request,
    arn,
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
    arn::existing_state_machine(&arn)?;
    let machine = request.engine.state_machine(&arn).ok_or(Error::StateMachineDoesNotExist(arn))?;
    let mut answer = Writer::object();
    machine_view::write(&mut answer, &machine, included);
    answer.string("status", if machine.deleting { "DELETING" } else { "ACTIVE" });
    answer.string("type", machine_type_name(machine.machine_type));
    answer.timestamp("creationDate", machine.created_ms);
    Ok(answer.end())
}
