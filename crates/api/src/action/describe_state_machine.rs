//! DescribeStateMachine: the current revision, or the one that a version names; also what a label names, the state machine
//! of a distributed Map's child executions.

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
            Ok(describe(&machine, &arn, machine.created_ms, Described::Machine, included))
        }
        StateMachineArn::Version { machine, number } => {
            let version = request.engine.version(machine, number).await?;
            let version = version.ok_or_else(|| Error::StateMachineDoesNotExist(arn.clone()))?;
            let described = Described::Version { description: version.description.as_deref() };
            Ok(describe(&version.machine, &arn, version.created_ms, described, included))
        }
        StateMachineArn::Labelled => labelled(&request, &arn).ok_or(Error::StateMachineDoesNotExist(arn)),
        StateMachineArn::Alias { .. } => Err(Error::StateMachineDoesNotExist(arn)),
    }
}

/// As DescribeStateMachineForExecution shows it for a child execution.
///
/// Its definition cannot be left out. Source: API reference, `includedData`.
fn labelled(request: &Request<'_>, arn: &str) -> Option<String> {
    let (machine, label) = arn.split_once('/')?;
    let mut machine = StateMachine::clone(&*request.engine.state_machine(machine)?);
    machine.machine_type = machine.program.child_type(label)?;
    machine.name = format!("{}/{label}", machine.name).into();
    Some(describe(&machine, arn, machine.created_ms, Described::Label(label), IncludedData::All))
}

/// What is told of a version or a label besides.
enum Described<'a> {
    Machine,
    Version { description: Option<&'a str> },
    Label(&'a str),
}

/// A machine, or a version or label of one, under its ARN.
fn describe(
    machine: &StateMachine,
    arn: &str,
    created_ms: i64,
    described: Described<'_>,
    included: IncludedData,
) -> String {
    let mut answer = Writer::object();
    answer.string("stateMachineArn", arn);
    machine_view::write(&mut answer, machine, included);
    match described {
        Described::Machine => {}
        Described::Version { description } => {
            answer.optional_string("description", description.filter(|_| included == IncludedData::All));
        }
        Described::Label(label) => answer.string("label", label),
    }
    answer.string("status", if machine.deleting { "DELETING" } else { "ACTIVE" });
    answer.string("type", machine_type_name(machine.machine_type));
    answer.timestamp("creationDate", created_ms);
    answer.end()
}
