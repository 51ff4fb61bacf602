//! Writing at a reference path.

use std::sync::Arc;

use crate::{
    Object, Value,
    jsonpath::{PathError, step::Step},
    limits::DEPTH_MAX,
};

/// `into` with `value` at `steps`; what is not on the way is shared with `into`.
pub(super) fn write(steps: &[Step], into: &Value, value: Value) -> Result<Value, PathError> {
    if !steps.is_empty() && value.is_deeper_than(DEPTH_MAX.saturating_sub(steps.len())) {
        return Err(PathError::Unwritable(format!("the result would be nested deeper than {DEPTH_MAX} levels")));
    }
    put(steps, Some(into), value)
}

/// `at` with `value` at `steps`; `None` where there is nothing yet.
fn put(steps: &[Step], at: Option<&Value>, value: Value) -> Result<Value, PathError> {
    let Some((step, rest)) = steps.split_first() else {
        return Ok(value);
    };
    match (step, at) {
        (Step::Name(name), None) => {
            let inner = put(rest, None, value)?;
            Ok(Value::Object(Arc::new(Object::from_iter([(name.clone(), inner)]))))
        }
        (Step::Name(name), Some(Value::Object(members))) => {
            let inner = put(rest, members.get(name), value)?;
            let mut members = Object::clone(members);
            members.insert(name.clone(), inner);
            Ok(Value::Object(Arc::new(members)))
        }
        (Step::Index(index), Some(Value::Array(items))) => {
            let place = if *index < 0 { index.saturating_add(items.len() as i64) } else { *index };
            let place = usize::try_from(place).ok().filter(|place| *place < items.len());
            let Some(place) = place else {
                return Err(unwritable(step, at));
            };
            let inner = put(rest, Some(&items[place]), value)?;
            let mut items = Vec::clone(items);
            items[place] = inner;
            Ok(Value::array(items))
        }
        _ => Err(unwritable(step, at)),
    }
}

fn unwritable(step: &Step, at: Option<&Value>) -> PathError {
    let step = match step {
        Step::Name(name) => name.to_string(),
        Step::Index(index) => index.to_string(),
        _ => String::new(),
    };
    let at = at.map_or("nothing", Value::type_name);
    PathError::Unwritable(format!("step `{step}` cannot be applied to {at}"))
}
