//! The member `context`: a Context object in place of that of an execution.
//!
//! Source of the sentences: recorded answers; where none shows one, it is ours.

use stepwell_expr::{Value, json};
use stepwell_machine::{
    definition::Lone,
    program::ServicePattern,
    state::{Kind, task::Resource},
};

use crate::error::Error;

#[derive(Clone, Copy)]
enum Type {
    Text,
    Number,
    Any,
}

/// What a Context object may hold. Source: Step Functions guide, "Context object".
const MEMBERS: [(&str, &[(&str, Type)]); 4] = [
    (
        "Execution",
        &[
            ("Id", Type::Text),
            ("Input", Type::Any),
            ("Name", Type::Text),
            ("RoleArn", Type::Text),
            ("StartTime", Type::Text),
            ("RedriveCount", Type::Number),
            ("RedriveTime", Type::Text),
        ],
    ),
    ("State", &[("EnteredTime", Type::Text), ("Name", Type::Text), ("RetryCount", Type::Number)]),
    ("StateMachine", &[("Id", Type::Text), ("Name", Type::Text)]),
    ("Task", &[("Token", Type::Text)]),
];

pub(super) fn checked(text: &str, lone: &Lone) -> Result<Value, Error> {
    let invalid = |why: String| Error::validation(format!("Invalid Context object provided: {why}"));
    let context = json::parse(text).map_err(|error| invalid(error.message))?;
    let members = context.as_object().ok_or_else(|| invalid("it must be a JSON object".into()))?;
    for (name, member) in members.iter() {
        let allowed = match MEMBERS.iter().find(|(known, _)| *known == &**name) {
            Some((_, allowed)) => *allowed,
            None if &**name == "Map" => {
                return Err(invalid("'Map' field is not supported when mocking a Context object".into()));
            }
            None => return Err(invalid(format!("Field '{name}' is not allowed"))),
        };
        if &**name == "Task" && !has_token(lone) {
            return Err(invalid(
                "Context object contains 'Task' when state is not a Task state with a '.sync' or '.waitForTaskToken' \
                 service integration pattern"
                    .into(),
            ));
        }
        let inner = member.as_object().ok_or_else(|| invalid(format!("{name} must be an object")))?;
        for (field, value) in inner.iter() {
            let Some((_, kind)) = allowed.iter().find(|(known, _)| *known == &**field) else {
                return Err(invalid(format!("Field '{field}' is not allowed")));
            };
            match (kind, value) {
                (Type::Any, _) | (Type::Text, Value::String(_)) | (Type::Number, Value::Number(_)) => {}
                (Type::Text, _) => return Err(invalid(format!("{name}.{field} must be a string"))),
                (Type::Number, _) => return Err(invalid(format!("{name}.{field} must be a number"))),
            }
        }
    }
    Ok(context)
}

fn has_token(lone: &Lone) -> bool {
    match &lone.program.state(lone.state).kind {
        Kind::Task(task) => {
            matches!(&task.resource, Resource::Service { pattern, .. } if *pattern != ServicePattern::RequestResponse)
        }
        _ => false,
    }
}
