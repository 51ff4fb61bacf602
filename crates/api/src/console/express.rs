//! Express executions: the last that ended, from memory. Source of the shape: DescribeExecution, which AWS lacks for them.

use std::sync::Arc;

use stepwell_engine::{ExpressExecution, HistoryPage};
use stepwell_machine::Status;

use super::{Query, event_text, events_text};
use crate::{
    action::{status_text, write_express},
    error::Error,
    http::Api,
    limits,
    machine_view::IncludedData,
    writer::Writer,
};

/// Whether this is the ARN of an Express execution, by its form.
pub(super) fn is(arn: &str) -> bool {
    arn.split(':').nth(5) == Some("express")
}

/// `{"executions": […]}`, of one state machine or all, without data, those that ended last first.
pub(super) fn list(api: &Api, query: &Query<'_>) -> String {
    let ended = api.engine.ended_express_executions(query.get("machine").as_deref());
    let mut answer = Writer::object();
    answer.objects("executions", &ended, |execution, of| {
        execution.string("executionArn", &of.arn);
        execution.string("stateMachineArn", &of.state_machine_arn);
        execution.string("name", &of.name);
        execution.string("status", status_text(&of.status));
        execution.timestamp("startDate", of.start_ms);
        execution.timestamp("stopDate", of.stop_ms);
        if let Status::Failed { failure, .. } | Status::TimedOut { failure, .. } | Status::Aborted { failure, .. } =
            &of.status
        {
            execution.optional_string("error", failure.error.as_deref());
        }
    });
    answer.end()
}

pub(super) fn describe(api: &Api, arn: &str) -> Result<String, Error> {
    Ok(write_express(find(api, arn)?.as_ref(), IncludedData::All))
}

pub(super) fn events(api: &Api, arn: &str, after: u64) -> Result<String, Error> {
    let execution = find(api, arn)?;
    let behind = execution.history.iter().filter(|event| event.id > after);
    let events: Vec<_> = behind.take(limits::STREAM_EVENTS_MAX + 1).cloned().collect();
    let more = events.len() > limits::STREAM_EVENTS_MAX;
    let mut page = HistoryPage { events, last: None };
    page.events.truncate(limits::STREAM_EVENTS_MAX);
    page.last = page.events.last().map(|event| event.id).filter(|_| more);
    Ok(events_text(&page))
}

pub(super) fn event(api: &Api, arn: &str, id: u64) -> Result<Option<String>, Error> {
    Ok(find(api, arn)?.history.iter().find(|event| event.id == id).map(event_text))
}

fn find(api: &Api, arn: &str) -> Result<Arc<ExpressExecution>, Error> {
    let all = api.engine.ended_express_executions(None);
    let found = all.into_iter().find(|execution| *execution.arn == *arn);
    found.ok_or_else(|| Error::ExecutionDoesNotExist(arn.into()))
}
