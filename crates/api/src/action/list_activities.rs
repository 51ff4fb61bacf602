//! ListActivities, in creation order.

use stepwell_engine::Cursor;

use crate::{
    action::Request,
    error::Error,
    fields::PAGE_TOKEN,
    page::{Call, PageFields},
    writer::Writer,
};

const CALL: Call<'static> = Call { action: "ListActivities", arguments: ["", ""] };

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let mut fields = request.fields()?;
    let page = PageFields::read(&mut fields, &PAGE_TOKEN)?;
    fields.check()?;
    let after = page.cursor(&CALL)?.map(Cursor);
    let found = request.engine.list_activities(&request.owner(), page.limit(), after.as_ref());
    let mut answer = Writer::object();
    answer.objects("activities", &found.items, |activity, listed| {
        activity.string("activityArn", &listed.arn);
        activity.string("name", &listed.name);
        activity.timestamp("creationDate", listed.created_ms);
    });
    if let Some(Cursor(next)) = &found.next {
        answer.string("nextToken", &CALL.token(next));
    }
    Ok(answer.end())
}
