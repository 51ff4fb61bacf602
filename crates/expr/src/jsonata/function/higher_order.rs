//! Functions that call a function for each item.

use super::super::budget::Outcome;
use super::super::compare;
use super::super::evaluate::Evaluator;
use super::super::fault::Fault;
use super::super::item::{Item, Record};
use super::{argument, whole};

/// A function, and how many of the arguments it takes.
struct Callee {
    function: Item,
    arity: usize,
}

impl Callee {
    fn of(item: &Item) -> Callee {
        let arity = match item {
            Item::Function(function) => function.arity(),
            _ => 0,
        };
        Callee { function: item.clone(), arity }
    }

    /// Calls with an item, then its position or name, then the whole; as many as it takes, but at least the item.
    fn call(&self, evaluator: &mut Evaluator<'_>, item: Item, place: impl FnOnce() -> Item, whole: &Item) -> Outcome {
        let mut arguments = Vec::with_capacity(self.arity.clamp(1, 3));
        arguments.push(item);
        if self.arity >= 2 {
            arguments.push(place());
        }
        if self.arity >= 3 {
            arguments.push(whole.clone());
        }
        evaluator.apply(self.function.clone(), arguments, &Item::Null)
    }
}

pub(super) fn map(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let (array, callee) = (argument(arguments, 0), Callee::of(&argument(arguments, 1)));
    let Some(elements) = array.elements() else {
        return Ok(Item::Undefined);
    };
    let mut made = Vec::new();
    for (index, element) in elements.iter().enumerate() {
        let item = callee.call(evaluator, element, || whole(index), &array)?;
        evaluator.budget.make_items(1)?;
        if !item.is_undefined() {
            made.push(item);
        }
    }
    Ok(Item::sequence(made))
}

pub(super) fn filter(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let (array, callee) = (argument(arguments, 0), Callee::of(&argument(arguments, 1)));
    let Some(elements) = array.elements() else {
        return Ok(Item::Undefined);
    };
    let mut kept = Vec::new();
    for (index, element) in elements.iter().enumerate() {
        let verdict = callee.call(evaluator, element.clone(), || whole(index), &array)?;
        if evaluator.is_true(&verdict)? {
            evaluator.budget.make_items(1)?;
            kept.push(element);
        }
    }
    Ok(Item::sequence(kept))
}

pub(super) fn single(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let (array, function) = (argument(arguments, 0), argument(arguments, 1));
    let Some(elements) = array.elements() else {
        return Ok(Item::Undefined);
    };
    let callee = (!function.is_undefined()).then(|| Callee::of(&function));
    let mut found = None;
    for (index, element) in elements.iter().enumerate() {
        evaluator.budget.burn(2)?;
        let is_wanted = match &callee {
            Some(callee) => {
                let verdict = callee.call(evaluator, element.clone(), || whole(index), &array)?;
                evaluator.is_true(&verdict)?
            }
            None => true,
        };
        if is_wanted && found.replace(element).is_some() {
            return Err(Fault::new("D3138").into());
        }
    }
    found.ok_or_else(|| Fault::new("D3139").into())
}

pub(super) fn reduce(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let (array, function) = (argument(arguments, 0), argument(arguments, 1));
    let Some(elements) = array.elements() else {
        return Ok(Item::Undefined);
    };
    let callee = Callee::of(&function);
    if callee.arity < 2 {
        return Err(Fault::new("D3050").into());
    }
    let initial = argument(arguments, 2);
    let starts_with_first = initial.is_undefined() && elements.len() > 0;
    let (mut result, start) = if starts_with_first { (elements.get(0), 1) } else { (initial, 0) };
    for index in start..elements.len() {
        let mut given = vec![std::mem::take(&mut result), elements.get(index)];
        if callee.arity >= 3 {
            given.push(whole(index));
        }
        if callee.arity >= 4 {
            given.push(array.clone());
        }
        result = evaluator.apply(callee.function.clone(), given, &Item::Null)?;
    }
    Ok(result)
}

pub(super) fn each(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let (object, callee) = (argument(arguments, 0), Callee::of(&argument(arguments, 1)));
    let mut made = Vec::new();
    for (name, member) in object.members().into_iter().flat_map(|members| members.iter()) {
        let item = callee.call(evaluator, member, || Item::Text(name.clone()), &object)?;
        evaluator.budget.make_items(1)?;
        if !item.is_undefined() {
            made.push(item);
        }
    }
    Ok(Item::sequence(made))
}

pub(super) fn sift(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let (object, callee) = (argument(arguments, 0), Callee::of(&argument(arguments, 1)));
    let mut kept = Record::default();
    for (name, member) in object.members().into_iter().flat_map(|members| members.iter()) {
        let verdict = callee.call(evaluator, member.clone(), || Item::Text(name.clone()), &object)?;
        if evaluator.is_true(&verdict)? {
            evaluator.budget.make_members(1)?;
            kept.insert(name.clone(), member);
        }
    }
    Ok(if kept.len() == 0 { Item::Undefined } else { Item::record(kept) })
}

pub(super) fn sort(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let (array, function) = (argument(arguments, 0), argument(arguments, 1));
    let Some(elements) = array.elements().filter(|elements| elements.len() > 1) else {
        return Ok(array);
    };
    let count = elements.len();
    evaluator.budget.make_items(3 * count)?;
    let items: Vec<Item> = elements.iter().collect();
    if function.is_undefined() {
        return sort_scalars(evaluator, items);
    }
    let order = evaluator.sorted(count, &mut |evaluator, left, right| {
        let given = vec![items[left].clone(), items[right].clone()];
        let verdict = evaluator.apply(function.clone(), given, &Item::Null)?;
        // Anything that JavaScript takes for true.
        Ok(match verdict {
            Item::Undefined | Item::Null | Item::Bool(false) => false,
            Item::Number(number) => number != 0.0 && !number.is_nan(),
            Item::Text(text) => !text.is_empty(),
            _ => true,
        })
    })?;
    Ok(Item::array(order.into_iter().map(|index| items[index].clone()).collect()))
}

/// Numbers alone, or texts alone.
fn sort_scalars(evaluator: &mut Evaluator<'_>, items: Vec<Item>) -> Outcome {
    let mut items = items;
    // About as many comparisons as sorting takes.
    let levels = usize::BITS as usize - items.len().leading_zeros() as usize;
    evaluator.budget.burn(items.len().saturating_mul(2 * levels))?;
    if items.iter().all(|item| matches!(item, Item::Number(number) if !number.is_nan())) {
        items.sort_by(|a, b| match (a, b) {
            (Item::Number(a), Item::Number(b)) => a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal),
            _ => std::cmp::Ordering::Equal,
        });
    } else if items.iter().all(|item| matches!(item, Item::Text(_))) {
        let longest = items.iter().filter_map(Item::as_text).map(|text| text.len()).max().unwrap_or_default();
        evaluator.budget.burn(items.len().saturating_mul(levels).saturating_mul(1 + longest / 16))?;
        items.sort_by(|a, b| match (a, b) {
            (Item::Text(a), Item::Text(b)) => compare::texts(a, b),
            _ => std::cmp::Ordering::Equal,
        });
    } else {
        return Err(Fault::new("D3070").into());
    }
    Ok(Item::array(items))
}
