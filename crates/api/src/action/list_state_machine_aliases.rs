//! ListStateMachineAliases, oldest first (recorded answers; the API reference says newest first).

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
    let unknown = || Error::StateMachineDoesNotExist(arn.clone());
    let (machine, version) = match arn::state_machine(&arn)? {
        StateMachineArn::Plain => (&*arn, None),
        StateMachineArn::Version { machine, number } => (machine, Some(number)),
        StateMachineArn::Alias { .. } | StateMachineArn::Labelled => return Err(unknown()),
    };
    let call = Call { action: "ListStateMachineAliases", arguments: [&arn, ""] };
    let after = page.cursor(&call)?.map(Cursor);
    let found = request.engine.list_aliases(machine, version, page.limit(), after.as_ref());
    let found = found.ok_or_else(unknown)?;
    let mut answer = Writer::object();
    answer.objects("stateMachineAliases", &found.items, |alias, listed| {
        alias.string("stateMachineAliasArn", &listed.arn);
        alias.timestamp("creationDate", listed.created_ms);
    });
    if let Some(Cursor(next)) = &found.next {
        answer.string("nextToken", &call.token(next));
    }
    Ok(answer.end())
}
