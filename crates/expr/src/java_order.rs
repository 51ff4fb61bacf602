//! The order in which Java's `HashMap` iterates over texts.
//!
//! Members of a CSV row come in it, those members of a payload template that are evaluated, and those of merged objects. Source:
//! recordings of rows with the columns `H1` and none, and `0`, `True` and `{}`, of parameters of tasks and of Pass states.

use std::sync::Arc;

/// Places of the names, in the order of a `HashMap` into which they are put one after the other.
pub fn of<Name: AsRef<str>>(names: &[Name]) -> Vec<usize> {
    // Capacity doubles whenever more than three quarters are full; within a bucket the order of insertion stays.
    let mut buckets = 16_usize;
    while names.len() > buckets / 4 * 3 {
        buckets *= 2;
    }
    let mut places: Vec<usize> = (0..names.len()).collect();
    places.sort_by_key(|place| spread(names[*place].as_ref()) as usize & (buckets - 1));
    places
}

/// Members in this order.
pub fn ordered<Member>(
    members: impl IntoIterator<Item = (Arc<str>, Member)>,
) -> impl Iterator<Item = (Arc<str>, Member)> {
    let mut members: Vec<Option<(Arc<str>, Member)>> = members.into_iter().map(Some).collect();
    let names: Vec<&str> = members.iter().flatten().map(|(name, _)| &**name).collect();
    let order = of(&names);
    order.into_iter().filter_map(move |place| members[place].take())
}

/// `String.hashCode`, with its upper half mixed into the lower one as `HashMap` does.
fn spread(text: &str) -> u32 {
    let hash = text.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_order<'a>(names: &[&'a str]) -> Vec<&'a str> {
        of(names).into_iter().map(|place| names[place]).collect()
    }

    #[test]
    fn recorded_orders() {
        assert_eq!(in_order(&["H1", ""]), ["", "H1"]);
        assert_eq!(in_order(&["0", "True", "{}"]), ["0", "{}", "True"]);
        assert_eq!(in_order(&["Col1", "Col2", "Col3"]), ["Col1", "Col2", "Col3"]);
        assert_eq!(in_order(&["TaskToken", "arg1", "arg2"]), ["arg2", "arg1", "TaskToken"]);
        assert_eq!(in_order(&["StateMachineArn", "Input", "Name"]), ["Input", "StateMachineArn", "Name"]);
        // More than three quarters of sixteen.
        let many = "context_object execution execution_id execution_input execution_name execution_rolearn execution_starttime \
                    state state_enteredtime state_name statemachine statemachine_id statemachine_name";
        let many: Vec<&str> = many.split(' ').collect();
        let recorded = "execution execution_rolearn execution_name statemachine_id execution_id execution_input \
                        execution_starttime state_name state_enteredtime statemachine state context_object statemachine_name";
        assert_eq!(in_order(&many).join(" "), recorded);
    }
}
