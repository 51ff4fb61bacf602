//! What the console reads beyond AWS's API, below `/console/api/`. Ours in shape; no part of the API's compatibility.
//!
//! | path | answer |
//! |---|---|
//! | `executions/{arn}/events?after=ID` | `{"events": […], "more": bool}`: events behind that id (0 unless told), oldest first |
//! | `executions/{arn}/events/{id}` | `{"event": {…}}` with all its data |
//! | `executions/{arn}/stream` | the events and those to come as server-sent events, see [`stream`] |
//! | POST `evaluate` | what an expression gives, see [`evaluate`] |
//!
//! Events have AWS's shape. Where they come in numbers, payloads too large to stand in the history's own rows (over
//! 4 KiB) are left out, which their `…Details` say by `truncated`: a history of 25,000 events stays a few megabytes.

mod evaluate;
pub(crate) mod stream;

use std::sync::Arc;

use hyper::http::request::Parts;
use percent_encoding::percent_decode_str;
use stepwell_engine::{ExecutionError, GetHistory, HistoryPage};
use stepwell_expr::Value;
use tokio::sync::watch;

use crate::{
    arn, browser,
    error::Error,
    history_event::{self, Data},
    http::Api,
    limits,
    writer::Writer,
};

pub(crate) const PREFIX: &str = "/console/api/";

pub(crate) enum Answer {
    Json(String),
    Events(stream::Events),
}

/// Answers a GET of a path that begins with [`PREFIX`].
pub(crate) async fn answer(api: &Api, head: &Parts, stopping: watch::Receiver<bool>) -> Result<Answer, Error> {
    browser::check_read(&head.headers)?;
    let path = head.uri.path();
    let not_found = || Error::PathNotFound { path: path.to_string() };
    let steps: Vec<&str> = path.strip_prefix(PREFIX).ok_or_else(not_found)?.split('/').collect();
    match steps.as_slice() {
        ["executions", execution, "events"] => {
            let after = query(head, "after").map_or(Ok(0), event_id)?;
            let page = page(api, execution_arn(execution)?, after).await?;
            Ok(Answer::Json(events_text(&page)))
        }
        ["executions", execution, "events", id] => {
            let id = event_id(id)?;
            Ok(Answer::Json(event(api, execution_arn(execution)?, id).await?.ok_or_else(not_found)?))
        }
        ["executions", execution, "stream"] => {
            let after = stream::resumes_after(&head.headers)?;
            Ok(Answer::Events(stream::open(api, execution_arn(execution)?, after, stopping).await?))
        }
        _ => Err(not_found()),
    }
}

/// Answers a POST of a path that begins with [`PREFIX`], from our own pages.
pub(crate) async fn answer_post(api: &Api, path: &str, body: &Value) -> Result<String, Error> {
    match path.strip_prefix(PREFIX) {
        Some("evaluate") => evaluate::answer(api, body).await,
        _ => Err(Error::PathNotFound { path: path.to_string() }),
    }
}

fn execution_arn(step: &str) -> Result<Arc<str>, Error> {
    let text = percent_decode_str(step).decode_utf8().map_err(|_| Error::InvalidArn(step.to_string()))?;
    arn::execution(&text)?;
    Ok(text.into())
}

fn event_id(text: &str) -> Result<u64, Error> {
    text.parse().map_err(|_| Error::validation("the id of an event is a number"))
}

fn query<'h>(head: &'h Parts, name: &str) -> Option<&'h str> {
    let pairs = head.uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
}

async fn page(api: &Api, arn: Arc<str>, after: u64) -> Result<HistoryPage, Error> {
    let limit = limits::STREAM_EVENTS_MAX;
    // An id that nothing lies before, so that an execution that does not exist is told.
    let after = Some(after).filter(|after| *after > 0);
    history(api, GetHistory { execution_arn: arn, reverse: false, with_data: false, limit, after }).await
}

async fn event(api: &Api, arn: Arc<str>, id: u64) -> Result<Option<String>, Error> {
    let after = id.checked_sub(1).filter(|after| *after > 0);
    let asked = GetHistory { execution_arn: arn, reverse: false, with_data: true, limit: 1, after };
    let page = history(api, asked).await?;
    Ok(page.events.first().filter(|event| event.id == id).map(|event| {
        let mut answer = Writer::object();
        answer.member_object("event", |writer| history_event::write(writer, event, Data::All));
        answer.end()
    }))
}

async fn history(api: &Api, asked: GetHistory) -> Result<HistoryPage, Error> {
    let arn = asked.execution_arn.clone();
    api.engine.history(asked).await.map_err(|error| match error {
        ExecutionError::DoesNotExist => Error::ExecutionDoesNotExist(arn),
        ExecutionError::Unavailable(unavailable) => unavailable.into(),
    })
}

fn events_text(page: &HistoryPage) -> String {
    let mut answer = Writer::object();
    answer.objects("events", &page.events, |writer, event| history_event::write(writer, event, Data::Here));
    answer.bool("more", page.last.is_some());
    answer.end()
}
