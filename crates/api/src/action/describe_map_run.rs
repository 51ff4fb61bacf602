//! DescribeMapRun.

use std::sync::Arc;

use stepwell_engine::{Counts, MapRun, MapRunError, MapRunStatus};

use crate::{action::Request, arn, error::Error, fields::LONG_ARN, writer::Writer};

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let mut fields = request.fields()?;
    let arn = fields.required_text("mapRunArn", &LONG_ARN)?;
    fields.check()?;
    arn::map_run(&arn)?;
    let run = request.engine.map_run(&arn).await.map_err(|error| refusal(error, arn))?;
    Ok(describe(&run))
}

pub(super) fn refusal(error: MapRunError, arn: Arc<str>) -> Error {
    match error {
        MapRunError::DoesNotExist => Error::ResourceNotFound(arn),
        // The sentence is ours.
        MapRunError::Ended => Error::Validation {
            message: format!("Map Run is not RUNNING and cannot be updated: '{arn}'"),
            reason: Some(crate::error::Reason::CannotUpdateCompletedMapRun),
        },
        MapRunError::Unavailable(unavailable) => unavailable.into(),
    }
}

fn describe(run: &MapRun) -> String {
    let mut answer = Writer::object();
    answer.string("mapRunArn", &run.arn);
    answer.string("executionArn", &run.execution_arn);
    answer.string("status", status_name(&run.status));
    answer.timestamp("startDate", run.start_ms);
    if let Some(stop_ms) = run.stop_ms {
        answer.timestamp("stopDate", stop_ms);
    }
    answer.number("maxConcurrency", run.max_concurrency);
    answer.float("toleratedFailurePercentage", run.tolerated_failure_percentage.unwrap_or(0.0));
    answer.number("toleratedFailureCount", run.tolerated_failure_count.unwrap_or(0));
    answer.member_object("itemCounts", |counts| write_counts(counts, &run.items, run.redrives));
    answer.member_object("executionCounts", |counts| write_counts(counts, &run.executions, run.redrives));
    // Only once it was redriven, as recorded.
    if run.redrives > 0 {
        answer.number("redriveCount", run.redrives);
    }
    if let Some(redrive_ms) = run.redrive_ms {
        answer.timestamp("redriveDate", redrive_ms);
    }
    answer.end()
}

fn write_counts(counts: &mut Writer, of: &Counts, redrives: u64) {
    counts.number("pending", of.pending());
    counts.number("running", of.running);
    counts.number("succeeded", of.succeeded);
    counts.number("failed", of.failed);
    counts.number("timedOut", of.timed_out);
    counts.number("aborted", of.aborted);
    counts.number("total", of.total);
    counts.number("resultsWritten", of.results_written);
    if redrives > 0 {
        counts.number("failuresNotRedrivable", of.not_redrivable);
        counts.number("pendingRedrive", of.pending_redrive);
    }
}

pub(super) fn status_name(status: &MapRunStatus) -> &'static str {
    match status {
        MapRunStatus::Running => "RUNNING",
        MapRunStatus::Succeeded => "SUCCEEDED",
        MapRunStatus::Failed(_) => "FAILED",
        MapRunStatus::Aborted => "ABORTED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_runs() {
        let counts = Counts { running: 2, succeeded: 3, failed: 1, total: 10, results_written: 3, ..Counts::default() };
        let run = MapRun {
            arn: "arn:r".into(),
            execution_arn: "arn:e".into(),
            status: MapRunStatus::Running,
            start_ms: 1_000,
            stop_ms: None,
            max_concurrency: 2,
            tolerated_failure_count: None,
            tolerated_failure_percentage: Some(12.5),
            items: counts,
            executions: Counts::default(),
            redrives: 0,
            redrive_ms: None,
        };
        let text = describe(&run);
        let zeros = r#"{"pending":0,"running":0,"succeeded":0,"failed":0,"timedOut":0,"aborted":0,"total":0,"resultsWritten":0}"#;
        let expected = format!(
            r#"{{"mapRunArn":"arn:r","executionArn":"arn:e","status":"RUNNING","startDate":1.000,"maxConcurrency":2,"toleratedFailurePercentage":12.5,"toleratedFailureCount":0,"itemCounts":{{"pending":4,"running":2,"succeeded":3,"failed":1,"timedOut":0,"aborted":0,"total":10,"resultsWritten":3}},"executionCounts":{zeros}}}"#
        );
        assert_eq!(text, expected);
    }
}
