//! ListExecutions, newest first.

use std::sync::Arc;

use stepwell_engine::{Cursor, ListExecutions, ListedExecution, StatusName};
use stepwell_machine::definition::MachineType;

use super::{describe_execution::write_redrives, describe_map_run};
use crate::{
    action::Request,
    arn::{self, StateMachineArn},
    error::{Error, Reason},
    fields::{ARN, EXECUTIONS_PAGE_TOKEN, Fields, LONG_ARN},
    limits::FILTERED_PAGES_MAX,
    machine_view,
    page::{Call, PageFields},
    writer::Writer,
};

/// In the order in which AWS lists them. Source: recorded answers.
const STATUSES: [(&str, Filter); 6] = [
    ("SUCCEEDED", Filter::Status(StatusName::Succeeded)),
    ("TIMED_OUT", Filter::Status(StatusName::TimedOut)),
    ("PENDING_REDRIVE", Filter::PendingRedrive),
    ("ABORTED", Filter::Status(StatusName::Aborted)),
    ("FAILED", Filter::Status(StatusName::Failed)),
    ("RUNNING", Filter::Status(StatusName::Running)),
];

#[derive(Clone, Copy, Debug)]
enum Filter {
    Status(StatusName),
    /// Only children of a Map Run are ever in it.
    PendingRedrive,
}

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let asked = read(request.fields()?)?;
    if let Some(map_run_arn) = asked.map_run_arn {
        return of_map_run(request, map_run_arn, asked.filter, asked.redriven, asked.list).await;
    }
    let asked = asked.list;
    let arn = asked.state_machine_arn.clone();
    let status = asked.status;
    let machine_type = request.engine.machine_type(&arn);
    let machine_type = machine_type.ok_or_else(|| Error::StateMachineDoesNotExist(arn.clone()))?;
    if machine_type == MachineType::Express {
        return Err(Error::StateMachineTypeNotSupported);
    }
    let page = request.engine.list_executions(asked).await?;
    let machine_arn = match arn::state_machine(&arn)? {
        StateMachineArn::Plain | StateMachineArn::Labelled => &*arn,
        StateMachineArn::Version { machine, .. } | StateMachineArn::Alias { machine, .. } => machine,
    };
    let mut answer = Writer::object();
    answer.objects("executions", &page.items, |execution, listed| {
        write_listed(execution, machine_arn, listed);
    });
    if let Some(Cursor(next)) = &page.next {
        answer.string("nextToken", &call(&arn, filter_name(status.map(Filter::Status)), "").token(next));
    }
    Ok(answer.end())
}

/// One row, also of the console's search.
pub(crate) fn write_listed(execution: &mut Writer, machine_arn: &str, listed: &ListedExecution) {
    execution.string("executionArn", &listed.arn);
    execution.string("stateMachineArn", machine_arn);
    execution.string("name", &listed.name);
    execution.string("status", status_name(listed.status));
    execution.timestamp("startDate", listed.start_ms);
    if let Some(stop_ms) = listed.stop_ms {
        execution.timestamp("stopDate", stop_ms);
    }
    machine_view::write_qualifier(execution, machine_arn, listed.qualifier.as_ref());
    write_redrives(execution, &listed.redrives);
}

/// The child executions of a Map Run.
async fn of_map_run(
    request: Request<'_>,
    arn: Arc<str>,
    filter: Option<Filter>,
    redriven: Option<bool>,
    list: ListExecutions,
) -> Result<String, Error> {
    let run = request.engine.map_run(&arn).await.map_err(|error| describe_map_run::refusal(error, arn.clone()))?;
    let limit = list.limit;
    let mut after = list.after.clone();
    let mut found: Vec<ListedExecution> = Vec::new();
    // What a filter passes over costs a page all the same: after some of them the answer is short.
    for _ in 0..FILTERED_PAGES_MAX {
        let list = ListExecutions { after: after.take(), limit: limit - found.len(), ..list.clone() };
        let page = request.engine.map_run_children(list).await;
        let page = page.map_err(|error| describe_map_run::refusal(error, arn.clone()))?;
        let wanted = |listed: &ListedExecution| {
            let pending = run.awaits_redrive(listed.status, listed.stop_ms);
            let status = match filter {
                None => true,
                Some(Filter::PendingRedrive) => pending,
                Some(Filter::Status(_)) => !pending,
            };
            status && redriven.is_none_or(|redriven| redriven == (listed.redrives.count > 0))
        };
        found.extend(page.items.into_iter().filter(wanted));
        after = page.next;
        if after.is_none() || found.len() >= limit {
            break;
        }
    }
    let machine_arn = run.child_machine_arn();
    let mut answer = Writer::object();
    answer.objects("executions", &found, |execution, listed| {
        let pending = run.awaits_redrive(listed.status, listed.stop_ms);
        execution.string("executionArn", &listed.arn);
        execution.string("stateMachineArn", &machine_arn);
        execution.string("name", &listed.name);
        execution.string("status", if pending { PENDING_REDRIVE } else { status_name(listed.status) });
        execution.timestamp("startDate", listed.start_ms);
        if let Some(stop_ms) = listed.stop_ms {
            execution.timestamp("stopDate", stop_ms);
        }
        execution.string("mapRunArn", &arn);
        execution.number("itemCount", listed.items.unwrap_or(0));
        write_redrives(execution, &listed.redrives);
    });
    if let Some(Cursor(next)) = &after {
        answer.string("nextToken", &call(&arn, filter_name(filter), redriven_name(redriven)).token(next));
    }
    Ok(answer.end())
}

/// What is asked for.
#[derive(Debug)]
struct Asked {
    list: ListExecutions,
    /// `None`: the executions of a state machine.
    map_run_arn: Option<Arc<str>>,
    filter: Option<Filter>,
    redriven: Option<bool>,
}

fn read(mut fields: Fields<'_>) -> Result<Asked, Error> {
    const REDRIVEN: [(&str, bool); 2] = [("REDRIVEN", true), ("NOT_REDRIVEN", false)];
    let machine = fields.optional_text("stateMachineArn", &ARN)?;
    let filter = fields.optional_choice("statusFilter", &STATUSES)?;
    let page = PageFields::read(&mut fields, &EXECUTIONS_PAGE_TOKEN)?;
    let map_run = fields.optional_text("mapRunArn", &LONG_ARN)?;
    let redriven = fields.optional_choice("redriveFilter", &REDRIVEN)?;
    fields.check()?;
    let arn = exactly_one(machine, map_run.clone())?;
    if redriven.is_some() && map_run.is_none() {
        return Err(Error::validation("redriveFilter can only be specified together with mapRunArn"));
    }
    let status = match filter {
        None => None,
        Some(Filter::Status(status)) => Some(status),
        Some(Filter::PendingRedrive) if map_run.is_some() => None,
        Some(Filter::PendingRedrive) => {
            return Err(Error::validation(
                "statusFilter PENDING_REDRIVE can only be specified together with mapRunArn",
            ));
        }
    };
    match &map_run {
        Some(map_run) => arn::map_run(map_run)?,
        None => _ = arn::state_machine(&arn)?,
    }
    let after = page.cursor(&call(&arn, filter_name(filter), redriven_name(redriven)))?.map(Cursor);
    let list = ListExecutions { state_machine_arn: arn, status, limit: page.limit(), after };
    Ok(Asked { list, map_run_arn: map_run, filter, redriven })
}

/// The one of the two ARNs that is there. The sentences are ours.
fn exactly_one(machine: Option<Arc<str>>, map_run: Option<Arc<str>>) -> Result<Arc<str>, Error> {
    match (machine, map_run) {
        (Some(machine), None) => Ok(machine),
        (None, Some(map_run)) => Ok(map_run),
        (Some(_), Some(_)) => Err(Error::validation("only one of stateMachineArn and mapRunArn can be specified")),
        (None, None) => Err(Error::Validation {
            message: "either stateMachineArn or mapRunArn must be specified".into(),
            reason: Some(Reason::MissingRequiredParameter),
        }),
    }
}

fn call<'a>(arn: &'a str, filter: &'static str, redriven: &'static str) -> Call<'a> {
    let filter = if filter.is_empty() { redriven } else { filter };
    Call { action: "ListExecutions", arguments: [arn, filter] }
}

const PENDING_REDRIVE: &str = "PENDING_REDRIVE";

fn filter_name(filter: Option<Filter>) -> &'static str {
    match filter {
        None => "",
        Some(Filter::Status(status)) => status_name(status),
        Some(Filter::PendingRedrive) => PENDING_REDRIVE,
    }
}

fn redriven_name(redriven: Option<bool>) -> &'static str {
    match redriven {
        None => "",
        Some(true) => "REDRIVEN",
        Some(false) => "NOT_REDRIVEN",
    }
}

fn status_name(status: StatusName) -> &'static str {
    match status {
        StatusName::Running => "RUNNING",
        StatusName::Succeeded => "SUCCEEDED",
        StatusName::Failed => "FAILED",
        StatusName::TimedOut => "TIMED_OUT",
        StatusName::Aborted => "ABORTED",
    }
}

#[cfg(test)]
mod tests {
    use stepwell_expr::json;

    use super::*;

    const MACHINE: &str = r#""stateMachineArn":"arn:aws:states:us-east-1:123456789012:stateMachine:M""#;

    fn refusal(body: &str) -> String {
        let body = json::parse(body).unwrap();
        let error = Fields::of(&body).and_then(read).unwrap_err();
        format!("{}: {error}", error.code())
    }

    #[test]
    fn refusals() {
        let cases = [
            ("{}".to_string(), "ValidationException: either stateMachineArn or mapRunArn must be specified"),
            (
                format!(r#"{{{MACHINE},"statusFilter":"succeeded"}}"#),
                "ValidationException: 1 validation error detected: Value 'succeeded' at 'statusFilter' failed to \
                 satisfy constraint: Member must satisfy enum value set: [SUCCEEDED, TIMED_OUT, PENDING_REDRIVE, \
                 ABORTED, FAILED, RUNNING]",
            ),
            (
                format!(r#"{{{MACHINE},"statusFilter":"PENDING_REDRIVE"}}"#),
                "ValidationException: statusFilter PENDING_REDRIVE can only be specified together with mapRunArn",
            ),
            (
                r#"{"mapRunArn":"arn:aws:states:us-east-1:123456789012:mapRun:M:U"}"#.into(),
                "InvalidArn: Invalid Arn: 'Invalid ARN: arn:aws:states:us-east-1:123456789012:mapRun:M:U'",
            ),
            (format!(r#"{{{MACHINE},"nextToken":"x"}}"#), "InvalidToken: Invalid Token: 'Invalid token'"),
        ];
        for (body, expected) in cases {
            assert_eq!(refusal(&body), expected, "{body}");
        }
    }

    #[test]
    fn a_token_is_bound_to_the_filter() {
        let arn = "arn:aws:states:us-east-1:123456789012:stateMachine:M";
        let token = call(arn, "RUNNING", "").token(b"row");
        let body = json::parse(&format!(r#"{{{MACHINE},"statusFilter":"RUNNING","nextToken":"{token}"}}"#)).unwrap();
        let asked = Fields::of(&body).and_then(read).unwrap();
        assert_eq!((asked.list.after, asked.list.limit), (Some(Cursor(b"row".to_vec())), 100));
        assert_eq!(
            refusal(&format!(r#"{{{MACHINE},"nextToken":"{token}"}}"#)),
            "InvalidToken: Invalid Token: 'Invalid token'"
        );
    }
}
