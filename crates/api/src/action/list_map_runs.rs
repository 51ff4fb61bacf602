//! ListMapRuns, newest first.

use stepwell_engine::Cursor;

use super::describe_execution::refusal;
use crate::{
    action::Request,
    arn,
    error::Error,
    fields::{ARN, PAGE_TOKEN},
    page::{Call, PageFields},
    writer::Writer,
};

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let mut fields = request.fields()?;
    let arn = fields.required_text("executionArn", &ARN)?;
    let page = PageFields::read(&mut fields, &PAGE_TOKEN)?;
    fields.check()?;
    arn::execution(&arn)?;
    let call = Call { action: "ListMapRuns", arguments: [&arn, ""] };
    let after = page.cursor(&call)?.map(Cursor);
    let listed = request.engine.list_map_runs(&arn, page.limit(), after).await;
    let listed = listed.map_err(|error| refusal(error, arn.clone()))?;
    let mut answer = Writer::object();
    answer.objects("mapRuns", &listed.items, |run, listed| {
        run.string("executionArn", &listed.execution_arn);
        run.string("mapRunArn", &listed.arn);
        run.string("stateMachineArn", &listed.child_machine_arn());
        run.timestamp("startDate", listed.start_ms);
        if let Some(stop_ms) = listed.stop_ms {
            run.timestamp("stopDate", stop_ms);
        }
    });
    if let Some(Cursor(next)) = &listed.next {
        answer.string("nextToken", &call.token(next));
    }
    Ok(answer.end())
}
