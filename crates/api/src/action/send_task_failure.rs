//! SendTaskFailure. Without error and cause, the event and the Catch have none.

use stepwell_engine::{Answer, TokenError};
use stepwell_machine::Failure;

use crate::{
    action::{Request, empty},
    error::Error,
    fields::{CAUSE, ERROR, TASK_TOKEN},
};

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let mut fields = request.fields()?;
    let token = fields.required_text("taskToken", &TASK_TOKEN)?;
    let error = fields.optional_text("error", &ERROR)?;
    let cause = fields.optional_text("cause", &CAUSE)?;
    fields.check()?;
    request.engine.answer_task(&token, Answer::Failure(Failure { error, cause })).await.map_err(refusal)?;
    Ok(empty())
}

/// What all three SendTask actions answer, and the console.
pub(crate) fn refusal(error: TokenError) -> Error {
    match error {
        TokenError::Invalid => Error::InvalidToken,
        TokenError::TaskTimedOut => Error::TaskTimedOut,
        TokenError::Unavailable(unavailable) => unavailable.into(),
    }
}
