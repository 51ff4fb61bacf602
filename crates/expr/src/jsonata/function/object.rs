//! Functions on objects, and on anything.

use std::sync::Arc;

use super::super::budget::{Budgeted, Outcome};
use super::super::evaluate::Evaluator;
use super::super::fault::Fault;
use super::super::item::{Item, Marks, Record};
use super::{argument, text_of};

pub(super) fn boolean(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let item = argument(arguments, 0);
    Ok(if item.is_undefined() { item } else { Item::Bool(evaluator.is_true(&item)?) })
}

pub(super) fn not(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let item = argument(arguments, 0);
    Ok(if item.is_undefined() { item } else { Item::Bool(!evaluator.is_true(&item)?) })
}

pub(super) fn exists(_: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    Ok(Item::Bool(!argument(arguments, 0).is_undefined()))
}

pub(super) fn keys(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let mut names = Record::default();
    collect_keys(evaluator, &argument(arguments, 0), &mut names)?;
    evaluator.budget.make_items(names.len())?;
    Ok(Item::sequence(names.iter().map(|(name, _)| Item::Text(name.clone())).collect()))
}

fn collect_keys(evaluator: &mut Evaluator<'_>, item: &Item, names: &mut Record) -> Outcome<()> {
    evaluator.budget.burn(2)?;
    if let Some(members) = item.members() {
        for (name, _) in members.iter() {
            evaluator.budget.burn(4 + name.len() / 16)?;
            if names.place(name).is_none() {
                evaluator.budget.make_members(1)?;
                names.insert(name.clone(), Item::Null);
            }
        }
    }
    match item.elements() {
        Some(elements) => evaluator
            .deeper(|evaluator| elements.iter().try_for_each(|element| collect_keys(evaluator, &element, names))),
        None => Ok(()),
    }
}

pub(super) fn lookup(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    match text_of(arguments, 1) {
        Some(name) => evaluator.lookup(&argument(arguments, 0), &name.clone()),
        None => Ok(Item::Undefined),
    }
}

pub(super) fn spread(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let item = argument(arguments, 0);
    if !item.is_array() && !item.is_object() {
        return Ok(item);
    }
    let mut spread = Vec::new();
    collect_spread(evaluator, &item, &mut spread)?;
    // Appending makes an array like any other.
    let is_joined = item.elements().is_some_and(|elements| elements.len() > 0);
    Ok(Item::list(spread, if is_joined { Marks::ARRAY } else { Marks::SEQUENCE }))
}

fn collect_spread(evaluator: &mut Evaluator<'_>, item: &Item, spread: &mut Vec<Item>) -> Outcome<()> {
    evaluator.budget.burn(2)?;
    if let Some(members) = item.members() {
        for (name, member) in members.iter() {
            evaluator.budget.make_members(1)?;
            evaluator.budget.make_bytes(2 * size_of::<Item>())?;
            let mut record = Record::with_capacity(1);
            record.insert(name.clone(), member);
            spread.push(Item::record(record));
        }
        return Ok(());
    }
    match item.elements() {
        Some(elements) => evaluator
            .deeper(|evaluator| elements.iter().try_for_each(|element| collect_spread(evaluator, &element, spread))),
        None => {
            evaluator.budget.make_items(1)?;
            spread.push(item.clone());
            Ok(())
        }
    }
}

pub(super) fn merge(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let array = argument(arguments, 0);
    let Some(elements) = array.elements() else {
        return Ok(Item::Undefined);
    };
    let mut merged = Record::default();
    for element in elements.iter() {
        evaluator.budget.burn(2)?;
        if let Some(members) = element.members() {
            evaluator.budget.make_members(members.len())?;
            merged.add(members);
        }
    }
    Ok(Item::record(merged))
}

pub(super) fn type_name(_: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let name = match argument(arguments, 0) {
        Item::Undefined => return Ok(Item::Undefined),
        Item::Null => "null",
        Item::Bool(_) => "boolean",
        Item::Number(number) if number.is_infinite() => {
            return Err(super::super::evaluate::out_of_range(number).into());
        }
        Item::Number(_) => "number",
        Item::Text(_) => "string",
        Item::Array(_) | Item::List(_) | Item::Tuples(_) => "array",
        Item::Object(_) | Item::Record(_) => "object",
        Item::Function(_) => "function",
    };
    Ok(Item::text(name))
}

pub(super) fn clone(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let item = argument(arguments, 0);
    if item.is_undefined() { Ok(item) } else { evaluator.cloned(&item) }
}

pub(super) fn error(_: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    Err(failure("D3137", text_of(arguments, 0), "$error() function evaluated").into())
}

pub(super) fn assert(_: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    match argument(arguments, 0) {
        Item::Bool(true) => Ok(Item::Undefined),
        _ => Err(failure("D3141", text_of(arguments, 1), "$assert() statement failed").into()),
    }
}

fn failure(code: &'static str, message: Option<&Arc<str>>, default: &str) -> Fault {
    let message = message.map(|message| &**message).filter(|message| !message.is_empty());
    Fault::new(code).message(message.unwrap_or(default))
}
