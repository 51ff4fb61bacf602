//! Executions of all state machines of an owner (or of one that is named, whosever it is) by what they are and what they carry.
//!
//! `?type=EXPRESS&machine=ARN&status=…&status=…&name=…&from=…&until=…&error=…&input=…&output=…&after=…`, all optional: `name` and `error`
//! are parts, in any case; times are seconds since 1970. `input` and `output` are part of the JSON text, in any case, or
//! `$.order.id=A-1`: a member by its path, which goes into arrays. One answer looks at a bounded number of executions:
//! `{"executions": […], "examined": n, "reached": time, "next": cursor}` may be empty and still have a `next`. Of type `EXPRESS`
//! are those that run and the last that ended, all in one answer: newest start first, then those that ended last first.

use std::sync::Arc;

use stepwell_engine::{ExpressExecution, FoundExecution, Needle, Owner, Search, StatusName, limits as engine_limits};

use super::{Query, write_next};
use crate::{
    action::{status_text, write_listed},
    error::Error,
    http::Api,
    limits,
    writer::Writer,
};

const STATUSES: [(&str, StatusName); 5] = [
    ("RUNNING", StatusName::Running),
    ("SUCCEEDED", StatusName::Succeeded),
    ("FAILED", StatusName::Failed),
    ("TIMED_OUT", StatusName::TimedOut),
    ("ABORTED", StatusName::Aborted),
];

pub(super) async fn answer(api: &Api, owner: &Owner, query: &Query<'_>) -> Result<String, Error> {
    let search = read(query)?;
    if !api.searches_values && (search.input.is_some() || search.output.is_some()) {
        return Err(Error::validation("the search in inputs and outputs is switched off (`search_values`)"));
    }
    if query.get("type").as_deref() == Some("EXPRESS") {
        return Ok(express(&api.engine.search_express(owner, &search)));
    }
    let found = api.engine.search(owner, search, limits::CONSOLE_PAGE, query.after()).await?;
    let mut answer = Writer::object();
    answer.objects("executions", &found.executions, write);
    answer.number("examined", found.examined);
    if let Some(reached_ms) = found.reached_ms {
        answer.timestamp("reached", reached_ms);
    }
    write_next(&mut answer, found.next.as_ref());
    Ok(answer.end())
}

/// `counts?machine=ARN&machine=ARN…`: `{"machines": [{"stateMachineArn", "RUNNING": n, …}]}`, each counted up to a bound.
pub(super) async fn counts(api: &Api, query: &Query<'_>) -> Result<String, Error> {
    let mut all = Vec::new();
    for machine in query.all("machine").into_iter().take(limits::CONSOLE_PAGE) {
        let statuses = STATUSES.iter().map(|(_, status)| *status).collect();
        let counts = api.engine.execution_counts(machine.as_str().into(), statuses).await?;
        all.push((machine, counts));
    }
    let mut answer = Writer::object();
    answer.number("countedTo", engine_limits::COUNTED_MAX as u64);
    answer.objects("machines", &all, |machine, (arn, counts)| {
        machine.string("stateMachineArn", arn);
        for ((name, _), count) in STATUSES.iter().zip(counts) {
            machine.number(name, *count as u64);
        }
    });
    Ok(answer.end())
}

fn express(found: &[Arc<ExpressExecution>]) -> String {
    let mut answer = Writer::object();
    answer.objects("executions", found, |execution, of| {
        execution.string("executionArn", &of.arn);
        execution.string("stateMachineArn", &of.state_machine_arn);
        execution.string("name", &of.name);
        execution.string("status", status_text(&of.status));
        execution.timestamp("startDate", of.start_ms);
        if !of.is_running() {
            execution.timestamp("stopDate", of.stop_ms);
        }
        execution.optional_string("error", of.status.failure().and_then(|failure| failure.error.as_deref()));
        execution.number("eventsMissing", of.history_missing);
    });
    answer.number("examined", found.len() as u64);
    answer.end()
}

fn write(execution: &mut Writer, found: &FoundExecution) {
    write_listed(execution, &found.state_machine_arn, &found.listed);
    execution.optional_string("error", found.error.as_deref());
}

fn read(query: &Query<'_>) -> Result<Search, Error> {
    let lower = |name: &str| query.get(name).map(|text| Arc::from(text.to_lowercase()));
    let status = |text: String| {
        let known = STATUSES.iter().find(|(name, _)| *name == text).map(|(_, status)| *status);
        known.ok_or_else(|| Error::validation(format!("there is no status `{text}`")))
    };
    Ok(Search {
        state_machine_arn: query.get("machine").map(Arc::from),
        statuses: query.all("status").into_iter().map(status).collect::<Result<_, _>>()?,
        name: lower("name"),
        from_ms: time(query, "from")?,
        until_ms: time(query, "until")?,
        error: lower("error"),
        input: query.get("input").map(|text| needle(&text)),
        output: query.get("output").map(|text| needle(&text)),
    })
}

fn time(query: &Query<'_>, name: &str) -> Result<Option<i64>, Error> {
    let Some(text) = query.get(name) else { return Ok(None) };
    let seconds: i64 = text.parse().map_err(|_| Error::validation(format!("`{name}` is a number of seconds")))?;
    Ok(Some(seconds.saturating_mul(1_000)))
}

/// `$.a.b=value`, else a part of the text.
fn needle(text: &str) -> Needle {
    let member = text.strip_prefix("$.").and_then(|rest| rest.split_once('='));
    match member {
        Some((path, value)) => {
            Needle::Member { path: path.trim().split('.').map(Arc::from).collect(), value: value.trim().into() }
        }
        None => Needle::Text(text.to_lowercase().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needles() {
        assert_eq!(needle("Ada L"), Needle::Text("ada l".into()));
        assert_eq!(
            needle("$.order.id = A-1"),
            Needle::Member { path: vec!["order".into(), "id".into()], value: "A-1".into() }
        );
        assert_eq!(needle("$.order"), Needle::Text("$.order".into()));
    }

    #[test]
    fn queries() {
        let search = read(&Query(Some("name=A+b%21&status=FAILED&status=ABORTED&from=5&machine=arn&input="))).unwrap();
        assert_eq!(search.name.as_deref(), Some("a b!"));
        assert_eq!(search.statuses, [StatusName::Failed, StatusName::Aborted]);
        assert_eq!((search.from_ms, search.until_ms, search.input), (Some(5_000), None, None));
        assert!(read(&Query(Some("status=failed"))).is_err());
        assert!(read(&Query(Some("until=soon"))).is_err());
    }
}
