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
    let execution = request.engine.execution(&arn).await.map_err(|error| refusal(error, arn.clone()))?;
    let mut machine = request.engine.state_machine_of(&arn).await.map_err(|error| refusal(error, arn))?;
    let label = execution.state_machine_arn.split_once('/').map(|(_, label)| label);
    if let Some(label) = label {
        machine.name = format!("{}/{label}", machine.name).into();
    }
    let mut answer = Writer::object();
    answer.string("stateMachineArn", &execution.state_machine_arn);
    answer.optional_string("mapRunArn", execution.child.as_ref().map(|child| &*child.map_run_arn));
    answer.optional_string("label", label);
    machine_view::write(&mut answer, &machine, included);
    answer.timestamp("updateDate", machine.updated_ms);
    Ok(answer.end())
}
