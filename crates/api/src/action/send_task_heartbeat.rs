//! SendTaskHeartbeat.

use crate::{
    action::{Request, empty, send_task_failure::refusal},
    error::Error,
    fields::TASK_TOKEN,
};

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let mut fields = request.fields()?;
    let token = fields.required_text("taskToken", &TASK_TOKEN)?;
    fields.check()?;
    request.engine.heartbeat(&token).await.map_err(refusal)?;
    Ok(empty())
}
