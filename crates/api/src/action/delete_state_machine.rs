//! DeleteStateMachine. Succeeds also for a state machine, or a version of one, that is not there.

use crate::{
    action::{Request, empty},
    arn::{self, StateMachineArn},
    error::Error,
    fields::ARN,
};

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let mut fields = request.fields()?;
    let arn = fields.required_text("stateMachineArn", &ARN)?;
    fields.check()?;
    match arn::state_machine(&arn)? {
        StateMachineArn::Plain => request.engine.delete_state_machine(&arn).await?,
        StateMachineArn::Version { .. } | StateMachineArn::Alias { .. } => {}
        StateMachineArn::Labelled => return Err(arn::labelled_not_supported(&arn)),
    }
    Ok(empty())
}
