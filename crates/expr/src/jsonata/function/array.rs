//! Functions on arrays that call no other function.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::super::budget::Outcome;
use super::super::compare;
use super::super::evaluate::Evaluator;
use super::super::item::{Elements, Item, Marks};
use super::{argument, whole};

/// The numbers of an array, which the signature has checked.
fn numbers(evaluator: &mut Evaluator<'_>, item: &Item, mut each: impl FnMut(f64)) -> Outcome<Option<usize>> {
    let Some(elements) = item.elements() else {
        return Ok(None);
    };
    evaluator.budget.burn(elements.len())?;
    for element in elements.iter() {
        if let Item::Number(number) = element {
            each(number);
        }
    }
    Ok(Some(elements.len()))
}

pub(super) fn sum(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let mut sum = 0.0;
    let count = numbers(evaluator, &argument(arguments, 0), |number| sum += number)?;
    Ok(count.map(|_| Item::Number(sum)).unwrap_or_default())
}

pub(super) fn count(_: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    Ok(whole(argument(arguments, 0).elements().map_or(0, |elements| elements.len())))
}

pub(super) fn max(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let mut max = f64::NEG_INFINITY;
    let count = numbers(evaluator, &argument(arguments, 0), |number| max = max.max(number))?;
    Ok(count.filter(|count| *count > 0).map(|_| Item::Number(max)).unwrap_or_default())
}

pub(super) fn min(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let mut min = f64::INFINITY;
    let count = numbers(evaluator, &argument(arguments, 0), |number| min = min.min(number))?;
    Ok(count.filter(|count| *count > 0).map(|_| Item::Number(min)).unwrap_or_default())
}

pub(super) fn average(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let mut sum = 0.0;
    let count = numbers(evaluator, &argument(arguments, 0), |number| sum += number)?;
    Ok(count.filter(|count| *count > 0).map(|count| Item::Number(sum / count as f64)).unwrap_or_default())
}

pub(super) fn zip(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let length = |item: &Item| item.elements().map_or(0, |elements| elements.len());
    let count = arguments.iter().map(length).min().unwrap_or_default();
    evaluator.budget.make_items(count.saturating_mul(4 + arguments.len()))?;
    let rows = (0..count).map(|index| {
        let row = arguments.iter().map(|array| array.as_elements().get(index));
        Item::array(row.collect())
    });
    Ok(Item::array(rows.collect()))
}

pub(super) fn append(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let (first, second) = (argument(arguments, 0), argument(arguments, 1));
    if first.is_undefined() {
        return Ok(second);
    }
    if second.is_undefined() {
        return Ok(first);
    }
    let (left, right) = (first.as_elements(), second.as_elements());
    evaluator.budget.make_items(left.len() + right.len())?;
    let mut items = Vec::with_capacity(left.len() + right.len());
    left.extend(&mut items);
    right.extend(&mut items);
    Ok(Item::array(items))
}

pub(super) fn reverse(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let array = argument(arguments, 0);
    let Some(elements) = array.elements().filter(|elements| elements.len() > 1) else {
        return Ok(array);
    };
    evaluator.budget.make_items(elements.len())?;
    Ok(Item::array((0..elements.len()).rev().map(|index| elements.get(index)).collect()))
}

/// The inside-out variant of the algorithm of Fisher and Yates.
pub(super) fn shuffle(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let array = argument(arguments, 0);
    let Some(elements) = array.elements().filter(|elements| elements.len() > 1) else {
        return Ok(array);
    };
    evaluator.budget.make_items(elements.len())?;
    evaluator.budget.burn(4 * elements.len())?;
    let mut items: Vec<Item> = Vec::with_capacity(elements.len());
    for (index, element) in elements.iter().enumerate() {
        let place = (evaluator.draw_fraction() * (index as f64 + 1.0)) as usize;
        items.push(element);
        items.swap(index, place.min(index));
    }
    Ok(Item::array(items))
}

pub(super) fn distinct(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let array = argument(arguments, 0);
    let Some(elements) = array.elements().filter(|elements| elements.len() > 1) else {
        return Ok(array);
    };
    if let Elements::Range { .. } = elements {
        return Ok(array);
    }
    // The kept items of each hash, by their places.
    let mut places: HashMap<u64, Vec<usize>> = HashMap::new();
    let mut kept: Vec<Item> = Vec::new();
    'items: for element in elements.iter() {
        let hash = compare::hash(&element, &mut evaluator.budget)?;
        evaluator.budget.make_items(3)?;
        match places.entry(hash) {
            Entry::Vacant(vacant) => {
                vacant.insert(vec![kept.len()]);
            }
            Entry::Occupied(mut occupied) => {
                for place in occupied.get() {
                    if compare::equal(&element, &kept[*place], &mut evaluator.budget)? {
                        continue 'items;
                    }
                }
                occupied.get_mut().push(kept.len());
            }
        }
        kept.push(element);
    }
    let marks = Marks { sequence: array.marks().sequence, ..Marks::ARRAY };
    Ok(Item::list(kept, marks))
}
