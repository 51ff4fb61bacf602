//! SendTaskSuccess.

use stepwell_engine::Answer;
use stepwell_expr::{Payload, json};
use stepwell_machine::root;

use crate::{
    action::{Request, empty, send_task_failure::refusal},
    error::Error,
    fields::{PAYLOAD, TASK_TOKEN},
};

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let mut fields = request.fields()?;
    let token = fields.required_text("taskToken", &TASK_TOKEN)?;
    let output = fields.required_text("output", &PAYLOAD)?;
    fields.check()?;
    // Of both, the token is what AWS complains of. Source: recordings.
    if root::parse_token(&token).is_none() {
        return Err(Error::InvalidToken);
    }
    json::check(&output).map_err(|error| Error::InvalidOutput(error.message))?;
    let output = Payload::from_checked_text(output);
    request.engine.answer_task(&token, Answer::Success(output)).await.map_err(refusal)?;
    Ok(empty())
}
