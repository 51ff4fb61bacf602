//! ListStateMachineVersions, newest first.

use stepwell_engine::Cursor;

use crate::{
    action::Request,
    arn::{self, StateMachineArn},
    error::Error,
    fields::{ARN, PAGE_TOKEN},
    page::{Call, PageFields},
    writer::Writer,
};

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let mut fields = request.fields()?;
    let arn = fields.required_text("stateMachineArn", &ARN)?;
    let page = PageFields::read(&mut fields, &PAGE_TOKEN)?;
    fields.check()?;
    // The API models no StateMachineDoesNotExist here; the sentences are ours.
    let unknown = || Error::InvalidArn(format!("State Machine Does Not Exist: {arn}"));
    match arn::state_machine(&arn)? {
        StateMachineArn::Plain => {}
        StateMachineArn::Version { .. } | StateMachineArn::Alias { .. } => return Err(unknown()),
        StateMachineArn::Labelled => return Err(arn::labelled_not_supported(&arn)),
    }
    let call = Call { action: "ListStateMachineVersions", arguments: [&arn, ""] };
    let after = page.cursor(&call)?.map(Cursor);
    let found = request.engine.list_versions(&arn, page.limit(), after.as_ref()).ok_or_else(unknown)?;
    let mut answer = Writer::object();
    answer.objects("stateMachineVersions", &found.items, |version, listed| {
        version.string("stateMachineVersionArn", &listed.arn);
        version.timestamp("creationDate", listed.created_ms);
    });
    if let Some(Cursor(next)) = &found.next {
        answer.string("nextToken", &call.token(next));
    }
    Ok(answer.end())
}
