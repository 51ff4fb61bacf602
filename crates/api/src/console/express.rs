//! Express executions: those that run and the last that ended, from memory; [`search`](super::search) lists them. Source of the shape: DescribeExecution, which AWS lacks for them.

use std::sync::Arc;

use stepwell_engine::{ExpressExecution, HistoryPage};

use super::{event_text, events_text};
use crate::{action::write_express, error::Error, http::Api, limits, machine_view::IncludedData};

/// Whether this is the ARN of an Express execution, by its form.
pub(super) fn is(arn: &str) -> bool {
    arn.split(':').nth(5) == Some("express")
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
    Ok(events_text(&page, Some(!execution.is_running())))
}

pub(super) fn event(api: &Api, arn: &str, id: u64) -> Result<Option<String>, Error> {
    Ok(find(api, arn)?.history.iter().find(|event| event.id == id).map(event_text))
}

fn find(api: &Api, arn: &str) -> Result<Arc<ExpressExecution>, Error> {
    api.engine.express_execution(arn).ok_or_else(|| Error::ExecutionDoesNotExist(arn.into()))
}
