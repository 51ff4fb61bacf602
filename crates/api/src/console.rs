//! What the console reads and does beyond AWS's API, below `/console/api/`. Ours in shape; no part of the API's compatibility.
//!
//! | GET | answer |
//! |---|---|
//! | `session` | `{"token": …}`, and a cookie: what a POST needs, see [`session`] |
//! | `state` | how the server is, and how much there is of what is bounded, see [`state`] |
//! | `search?…` | executions of all state machines, see [`search`] |
//! | `counts?machine=ARN&…` | how many executions of these state machines have which status |
//! | `tasks?after=CURSOR` | tasks that wait for an answer with their token, see [`tasks`] |
//! | `activities`, `activities/{arn}` | tasks that wait for workers, workers that wait for tasks, see [`activities`] |
//! | `express/{arn}` | an Express execution that runs or has ended, see [`express`] |
//! | `executions/{arn}/events?after=ID` | `{"events": […], "more": bool}`: events behind that id (0 unless told), oldest first; of an Express execution also `ended` |
//! | `executions/{arn}/events/{id}` | `{"event": {…}}` with all its data |
//! | `executions/{arn}/stream` | the events and those to come as server-sent events, see [`stream`] |
//! | `executions/{arn}/tasks` | as `tasks`, of one execution |
//! | `services`, `services/{service}/{action}` | what tasks can call, and with which parameters: the binary answers it beside this |
//!
//! | POST | what it does |
//! |---|---|
//! | `executions/{arn}/tasks/{id}` | answers that task, in the place of whoever holds its token |
//! | `evaluate` | nothing; answers what an expression gives, see [`evaluate`] |
//!
//! `state`, `search`, `tasks` and `activities` are those of an account in a region, which the header `x-stepwell-owner` chooses
//! (`REGION/ACCOUNT`, by default the server's own), as it does for AWS's actions that no signature scopes.
//!
//! Events have AWS's shape, also those of Express executions. Where they come in numbers, payloads too large to stand in the
//! history's own rows (over 4 KiB) are left out, which their `…Details` say by `truncated`: a history of 25,000 events stays
//! a few megabytes.

mod activities;
mod evaluate;
mod express;
mod search;
pub(crate) mod session;
mod state;
pub(crate) mod stream;
mod tasks;

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hyper::{
    header::{HeaderMap, HeaderValue},
    http::request::Parts,
};
use percent_encoding::percent_decode_str;
use stepwell_engine::{Cursor, ExecutionError, GetHistory, HistoryPage};
use stepwell_expr::Value;
use tokio::sync::watch;

use crate::{
    arn, browser,
    error::Error,
    history_event::{self, Data},
    http::Api,
    limits,
    scope::Scope,
    writer::Writer,
};

pub(crate) const PREFIX: &str = "/console/api/";

pub(crate) enum Answer {
    Json(String),
    /// With the cookie to be set.
    Session(String, Option<HeaderValue>),
    Events(stream::Events),
}

/// Answers a GET of a path that begins with [`PREFIX`].
pub(crate) async fn answer(api: &Api, head: &Parts, stopping: watch::Receiver<bool>) -> Result<Answer, Error> {
    browser::check_read(&head.headers)?;
    let not_found = || Error::PathNotFound { path: head.uri.path().to_string() };
    let query = Query::of(head);
    let owner = || {
        let scope = Scope::of(&head.headers, &head.uri, api.scoped)?;
        Ok::<_, Error>(api.engine.owner_of(scope.region, scope.account))
    };
    let json = match steps(head).ok_or_else(not_found)?.as_slice() {
        ["session"] => {
            let session = api.sessions()?.open(&head.headers)?;
            let mut answer = Writer::object();
            answer.string("token", &session.token);
            return Ok(Answer::Session(answer.end(), session.cookie));
        }
        ["state"] => state::answer(api, &owner()?),
        ["search"] => search::answer(api, &owner()?, &query).await?,
        ["counts"] => search::counts(api, &query).await?,
        ["tasks"] => tasks::list(api, &owner()?, &query).await?,
        ["activities"] => activities::list(api, &owner()?),
        ["activities", activity] => activities::one(api, &decoded(activity)?).await?,
        ["express", execution] => express::describe(api, &decoded(execution)?)?,
        ["executions", execution, "events"] => {
            let after = query.get("after").map_or(Ok(0), |id| event_id(&id))?;
            let arn = decoded(execution)?;
            match express::is(&arn) {
                true => express::events(api, &arn, after)?,
                false => events_text(&page(api, execution_arn(&arn)?, after).await?, None),
            }
        }
        ["executions", execution, "events", id] => {
            let (arn, id) = (decoded(execution)?, event_id(id)?);
            let event = match express::is(&arn) {
                true => express::event(api, &arn, id)?,
                false => event(api, execution_arn(&arn)?, id).await?,
            };
            event.ok_or_else(not_found)?
        }
        ["executions", execution, "stream"] => {
            let after = stream::resumes_after(&head.headers)?;
            let arn = execution_arn(&decoded(execution)?)?;
            return Ok(Answer::Events(stream::open(api, arn, after, stopping).await?));
        }
        ["executions", execution, "tasks"] => tasks::of_one(api, execution_arn(&decoded(execution)?)?).await?,
        _ => return Err(not_found()),
    };
    Ok(Answer::Json(json))
}

/// Whether a POST may be looked at: it comes from a page of ours, with its session.
pub(crate) fn check_write(api: &Api, headers: &HeaderMap) -> Result<(), Error> {
    browser::check_read(headers)?;
    api.sessions()?.check(headers)
}

/// Answers a POST of a path that begins with [`PREFIX`], once [`check_write`] has let it pass.
pub(crate) async fn write(api: &Api, head: &Parts, body: &Value) -> Result<String, Error> {
    let not_found = || Error::PathNotFound { path: head.uri.path().to_string() };
    match steps(head).ok_or_else(not_found)?.as_slice() {
        ["executions", execution, "tasks", task] => {
            tasks::answer(api, execution_arn(&decoded(execution)?)?, event_id(task)?, body).await
        }
        ["evaluate"] => evaluate::answer(api, body).await,
        _ => Err(not_found()),
    }
}

fn steps(head: &Parts) -> Option<Vec<&str>> {
    Some(head.uri.path().strip_prefix(PREFIX)?.split('/').collect())
}

fn decoded(step: &str) -> Result<String, Error> {
    let text = percent_decode_str(step).decode_utf8().map_err(|_| Error::InvalidArn(step.to_string()))?;
    Ok(text.into_owned())
}

fn execution_arn(text: &str) -> Result<Arc<str>, Error> {
    arn::execution(text)?;
    Ok(text.into())
}

fn event_id(text: &str) -> Result<u64, Error> {
    text.parse().map_err(|_| Error::validation("the id of an event is a number"))
}

/// What stands behind the `?`, as forms write it.
struct Query<'h>(Option<&'h str>);

impl Query<'_> {
    fn of(head: &Parts) -> Query<'_> {
        Query(head.uri.query())
    }

    /// The first value of that name that is not empty.
    fn get(&self, name: &str) -> Option<String> {
        self.all(name).into_iter().next()
    }

    fn all(&self, name: &str) -> Vec<String> {
        let pairs = self.0.unwrap_or("").split('&').filter_map(|pair| pair.split_once('='));
        let values = pairs.filter(|(key, value)| *key == name && !value.is_empty());
        let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        values.map(|(_, value)| decoded(value)).collect()
    }

    /// Where a list goes on; what no list of ours gave begins it anew.
    fn after(&self) -> Option<Cursor> {
        self.get("after").and_then(|text| BASE64_URL_SAFE_NO_PAD.decode(text).ok()).map(Cursor)
    }
}

fn write_next(answer: &mut Writer, next: Option<&Cursor>) {
    answer.optional_string("next", next.map(|Cursor(bytes)| BASE64_URL_SAFE_NO_PAD.encode(bytes)).as_deref());
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
    Ok(page.events.first().filter(|event| event.id == id).map(event_text))
}

async fn history(api: &Api, asked: GetHistory) -> Result<HistoryPage, Error> {
    let arn = asked.execution_arn.clone();
    api.engine.history(asked).await.map_err(|error| refusal(error, arn))
}

fn refusal(error: ExecutionError, arn: Arc<str>) -> Error {
    match error {
        ExecutionError::DoesNotExist => Error::ExecutionDoesNotExist(arn),
        ExecutionError::Unavailable(unavailable) => unavailable.into(),
    }
}

fn event_text(event: &stepwell_machine::HistoryEvent) -> String {
    let mut answer = Writer::object();
    answer.member_object("event", |writer| history_event::write(writer, event, Data::All));
    answer.end()
}

/// `ended`: whether more can come, where its events alone do not tell it.
fn events_text(page: &HistoryPage, ended: Option<bool>) -> String {
    let mut answer = Writer::object();
    answer.objects("events", &page.events, |writer, event| history_event::write(writer, event, Data::Here));
    answer.bool("more", page.last.is_some());
    if let Some(ended) = ended {
        answer.bool("ended", ended);
    }
    answer.end()
}
