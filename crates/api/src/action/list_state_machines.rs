//! ListStateMachines, in creation order.

use stepwell_engine::Cursor;
use stepwell_machine::definition::MachineType;

use crate::{
    action::Request,
    error::Error,
    fields::PAGE_TOKEN,
    machine_view::machine_type_name,
    page::{Call, PageFields},
    writer::Writer,
};

const CALL: Call<'static> = Call { action: "ListStateMachines", arguments: ["", ""] };

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let mut fields = request.fields()?;
    let page = PageFields::read(&mut fields, &PAGE_TOKEN)?;
    fields.check()?;
    let after = page.cursor(&CALL)?.map(Cursor);
    let found = request.engine.list_state_machines(&request.owner(), page.limit(), after.as_ref());
    let mut answer = Writer::object();
    answer.objects("stateMachines", &found.items, |machine, listed| {
        machine.string("stateMachineArn", &listed.arn);
        machine.string("name", &listed.name);
        machine.string("type", machine_type_name(listed.machine_type.unwrap_or(MachineType::Standard)));
        machine.timestamp("creationDate", listed.created_ms);
    });
    if let Some(Cursor(next)) = &found.next {
        answer.string("nextToken", &CALL.token(next));
    }
    Ok(answer.end())
}
