//! Tasks that wait for an answer with their token: those of callbacks, and those of activities that a worker took.
//!
//! The list walks over what runs (`engine/src/handle/survey.rs`): an answer may hold no task and still a `next`. Tokens are
//! not shown (but where the task's own input carries one): who answers here names the execution and the task.

use std::sync::Arc;

use stepwell_engine::{self as engine, Owner, WaitingTask};
use stepwell_expr::{Payload, Value, json};
use stepwell_machine::{Failure, TaskId, program::ServicePattern, state::task::Resource};

use super::{Query, refusal, write_next};
use crate::{
    action::send_task_refusal,
    error::Error,
    fields::{CAUSE, ERROR, Fields, PAYLOAD},
    http::Api,
    limits,
    writer::Writer,
};

/// `{"tasks": […], "examined": n, "next": cursor}`
pub(super) async fn list(api: &Api, owner: &Owner, query: &Query<'_>) -> Result<String, Error> {
    let found = api.engine.waiting_tasks(owner, limits::CONSOLE_PAGE, query.after()).await?;
    let mut answer = Writer::object();
    answer.objects("tasks", &found.tasks, write);
    answer.number("examined", found.examined);
    write_next(&mut answer, found.next.as_ref());
    Ok(answer.end())
}

pub(super) async fn of_one(api: &Api, arn: Arc<str>) -> Result<String, Error> {
    let tasks = api.engine.waiting_tasks_of(&arn).await.map_err(|error| refusal(error, arn))?;
    let mut answer = Writer::object();
    answer.objects("tasks", &tasks, write);
    Ok(answer.end())
}

fn write(task: &mut Writer, of: &WaitingTask) {
    task.string("executionArn", &of.execution_arn);
    task.string("stateMachineArn", &of.state_machine_arn);
    task.number("task", of.task.0);
    task.string("state", &of.state);
    task.string("kind", if matches!(of.resource, Resource::Activity { .. }) { "activity" } else { "callback" });
    task.string("resource", &resource_text(&of.resource));
    task.timestamp("since", of.since_ms);
    if let Some(deadline_ms) = of.deadline_ms {
        task.timestamp("timesOut", deadline_ms);
    }
    if let Some(seconds) = of.heartbeat_seconds {
        task.number("heartbeatSeconds", seconds);
    }
    if !of.input.is_absent() && of.input.bytes() <= engine::limits::HELD_INPUT_BYTES_MAX {
        task.string("input", of.input.text());
    }
}

fn resource_text(resource: &Resource) -> String {
    match resource {
        Resource::Activity { arn } | Resource::LambdaFunction { arn } => arn.to_string(),
        Resource::Service { service, action, pattern } => {
            let pattern = match pattern {
                ServicePattern::RequestResponse => "",
                ServicePattern::Sync => ".sync",
                ServicePattern::Sync2 => ".sync:2",
                ServicePattern::WaitForTaskToken => ".waitForTaskToken",
            };
            format!("arn:aws:states:::{service}:{action}{pattern}")
        }
    }
}

/// `{"output": JSON text}`, or `{"error": …, "cause": …}`, both of which may be left out.
pub(super) async fn answer(api: &Api, arn: Arc<str>, task: u64, body: &Value) -> Result<String, Error> {
    let mut fields = Fields::of(body)?;
    let output = fields.optional_text("output", &PAYLOAD)?;
    let error = fields.optional_text("error", &ERROR)?;
    let cause = fields.optional_text("cause", &CAUSE)?;
    fields.check()?;
    let answer = match output {
        Some(output) => {
            json::check(&output).map_err(|error| Error::InvalidOutput(error.message))?;
            engine::Answer::Success(Payload::from_checked_text(output))
        }
        None => engine::Answer::Failure(Failure { error, cause }),
    };
    api.engine.answer_waiting(&arn, TaskId(task), answer).await.map_err(send_task_refusal)?;
    Ok(Writer::object().end())
}
