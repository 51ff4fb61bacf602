//! DeleteStateMachineVersion. Succeeds also for a version that is not there.

use stepwell_engine::DeleteVersionError;

use crate::{
    action::{Request, empty},
    arn::{self, StateMachineArn},
    error::Error,
    fields::LONG_ARN,
};

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let mut fields = request.fields()?;
    let arn = fields.required_text("stateMachineVersionArn", &LONG_ARN)?;
    fields.check()?;
    let StateMachineArn::Version { machine, number } = arn::state_machine(&arn)? else {
        // The sentence is ours.
        return Err(Error::InvalidArn(format!("The ARN is not that of a state machine version: {arn}")));
    };
    request.engine.delete_version(machine, number).await.map_err(refusal)?;
    Ok(empty())
}

/// The sentence is AWS's (recorded answers).
fn refusal(error: DeleteVersionError) -> Error {
    match error {
        DeleteVersionError::Referenced { aliases } => Error::Conflict(format!(
            "Version to be deleted must not be referenced by an alias. Current list of aliases referencing this \
             version: [{}]",
            aliases.join(", ")
        )),
        DeleteVersionError::Unavailable(unavailable) => unavailable.into(),
    }
}
