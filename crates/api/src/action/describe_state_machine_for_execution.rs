//! DescribeStateMachineForExecution: the revision that an execution runs.

use crate::{
    action::{Request, describe_execution::refusal},
    arn,
    error::Error,
    fields::ARN,
    machine_view::{self, IncludedData},
    writer::Writer,
};

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let mut fields = request.fields()?;
    let arn = fields.required_text("executionArn", &ARN)?;
    let included = IncludedData::read(&mut fields)?;
    fields.check()?;
    arn::execution(&arn)?;
    let machine = request.engine.state_machine_of(&arn).await.map_err(|error| refusal(error, arn))?;
    let mut answer = Writer::object();
    answer.string("stateMachineArn", &machine.arn);
    machine_view::write(&mut answer, &machine, included);
    answer.timestamp("updateDate", machine.updated_ms);
    Ok(answer.end())
}
