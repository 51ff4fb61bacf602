//! The Context object: `$$`, `$states.context`.

use stepwell_expr::{Object, Value};

use crate::{
    data::{ItemFrom, MapItem, Scene},
    execution::{ExpressStart, Workflow},
    root, timestamp,
};

/// Builds it for a state. Source: Step Functions guide and recordings (reference asl.md §8).
pub(crate) fn build(scene: &Scene<'_>) -> Value {
    let identity = scene.identity;
    let mut context = Object::default();
    let mut execution = vec![
        ("Id", Value::String(identity.arn.clone())),
        ("Input", identity.input.value().clone()),
        ("Name", Value::String(identity.name.clone())),
        ("RoleArn", Value::String(identity.role_arn.clone())),
    ];
    let start = ("StartTime", timestamp::format(identity.start_ms).into());
    // Where it stands depends on the workflow. Source: recordings.
    match identity.workflow {
        Workflow::Standard => execution.insert(2, start),
        Workflow::Express(_) => execution.push(start),
    }
    if identity.workflow != Workflow::Express(ExpressStart::Synchronous) {
        execution.push(("RedriveCount", Value::from(i64::try_from(scene.redrives.count).unwrap_or(i64::MAX))));
    }
    if let Some(last_ms) = scene.redrives.last_ms {
        execution.push(("RedriveTime", timestamp::format(last_ms).into()));
    }
    context.insert("Execution".into(), Value::object(execution));
    context.insert(
        "StateMachine".into(),
        Value::object([
            ("Id", Value::String(identity.state_machine_arn.clone())),
            ("Name", Value::String(identity.state_machine_name.clone())),
        ]),
    );
    let mut state = Object::default();
    state.insert("Name".into(), scene.state_name.into());
    state.insert("EnteredTime".into(), timestamp::format(scene.entered_ms).into());
    if let Some(count) = scene.retry_count {
        state.insert("RetryCount".into(), Value::from(i64::try_from(count).unwrap_or(i64::MAX)));
    }
    context.insert("State".into(), Value::Object(state.into()));
    if let Some(task) = scene.token_of {
        let token = root::token(identity, task);
        context.insert("Task".into(), Value::object([("Token", Value::from(token))]));
    }
    if let Some(item) = &scene.map_item {
        context.insert("Map".into(), Value::object([("Item", map_item(item))]));
    }
    Value::Object(context.into())
}

/// `Key` is there for the entries of objects alone. Source: Step Functions guide.
fn map_item(item: &MapItem) -> Value {
    let index = ("Index", Value::from(i64::try_from(item.index).unwrap_or(i64::MAX)));
    match &item.from {
        ItemFrom::Array(items) => {
            let at = usize::try_from(item.index).unwrap_or(usize::MAX);
            let value = items.value().as_array().and_then(|items| items.get(at)).cloned();
            Value::object([index, ("Value", value.unwrap_or_default()), ("Source", STATE_DATA.into())])
        }
        ItemFrom::Stream { key, value, source } => {
            let mut members = vec![index];
            members.extend(key.clone().map(|key| ("Key", Value::String(key))));
            members.push(("Value", value.clone()));
            members.push(("Source", Value::String(source.clone())));
            Value::object(members)
        }
    }
}

/// `Map.Item.Source` of items that came with the state's input. Source: Step Functions guide.
pub(crate) const STATE_DATA: &str = "STATE_DATA";
