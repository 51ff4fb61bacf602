//! What an evaluation gives, as a [`Value`] again.
//!
//! JSONata's numbers are doubles, printed as JavaScript prints them: a whole number below 10^21 has no fraction. So
//! a number that passes through an expression becomes what its double says, wherever it stands. All else that nothing
//! touched is handed on, not copied.

use std::rc::Rc;
use std::sync::Arc;

use super::budget::{Budget, Budgeted, Outcome, Stop};
use super::fault::Fault;
use super::item::{Elements, Item, Items, List, Record};
use super::number;
use crate::limits::{DEPTH_MAX, JSONATA_RESULT_BYTES_MAX};
use crate::{Object, Value};

/// `None` for what is no JSON value: undefined and functions.
pub(super) fn to_value(item: Item, budget: &mut Budget) -> Outcome<Option<Value>> {
    Writer { budget, depth: 0, bytes_left: JSONATA_RESULT_BYTES_MAX }.item(item)
}

struct Writer<'b> {
    budget: &'b mut Budget,
    depth: usize,
    /// Of the result's text, about.
    bytes_left: usize,
}

impl Budgeted for Writer<'_> {
    fn budget(&mut self) -> &mut Budget {
        self.budget
    }
}

impl Writer<'_> {
    fn count(&mut self, bytes: usize) -> Outcome<()> {
        self.budget.burn(1)?;
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or(Stop::OutOfMemory)?;
        Ok(())
    }

    fn within<T>(&mut self, inner: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        if self.depth >= DEPTH_MAX {
            return Err(Stop::TooDeep);
        }
        self.depth += 1;
        let outcome = self.deeper(inner);
        self.depth -= 1;
        outcome
    }

    /// What nobody else holds is taken apart, not copied.
    fn item(&mut self, item: Item) -> Outcome<Option<Value>> {
        Ok(Some(match item {
            Item::Undefined | Item::Function(_) => return Ok(None),
            Item::Null => self.scalar(Value::Null)?,
            Item::Bool(bool) => self.scalar(Value::Bool(bool))?,
            Item::Number(number) if number.is_infinite() => return Err(Fault::new("D1001").value(&item).into()),
            Item::Number(number) => self.scalar(number::to_value(number))?,
            Item::Text(text) => {
                self.count(text.len() + 2)?;
                Value::String(text)
            }
            Item::Array(items) => {
                let value = Value::Array(items);
                self.handed_on(&value)?.unwrap_or(value)
            }
            Item::Object(object) => {
                let value = Value::Object(object);
                self.handed_on(&value)?.unwrap_or(value)
            }
            Item::List(list) => {
                let own = Rc::try_unwrap(list).map(List::into_own);
                match own {
                    Ok(Items::Own(items)) => self.array(items.into_iter())?,
                    Ok(Items::Range { first, count }) => self.array(Elements::Range { first, count }.iter())?,
                    Err(shared) => self.array(shared.elements().iter())?,
                }
            }
            Item::Tuples(tuples) => self.array(Elements::Tuples(&tuples).iter())?,
            Item::Record(record) => {
                let own = Rc::try_unwrap(record).map(Record::into_members);
                match own {
                    Ok(members) => self.object(members.into_iter())?,
                    Err(shared) => self.object(shared.iter().cloned())?,
                }
            }
        }))
    }

    fn array(&mut self, elements: impl ExactSizeIterator<Item = Item>) -> Outcome<Value> {
        self.within(|writer| {
            writer.count(elements.len() + 1)?;
            let mut values = Vec::with_capacity(elements.len());
            for element in elements {
                // As JavaScript prints an array with a function in it.
                values.push(writer.item(element)?.unwrap_or_default());
            }
            Ok(Value::array(values))
        })
    }

    fn object(&mut self, members: impl ExactSizeIterator<Item = (Arc<str>, Item)>) -> Outcome<Value> {
        self.within(|writer| {
            let mut object = Object::with_capacity_and_hasher(members.len(), Default::default());
            for (name, member) in members {
                writer.count(name.len() + 4)?;
                if let Some(value) = writer.item(member)? {
                    object.insert(name, value);
                }
            }
            Ok(Value::Object(Arc::new(object)))
        })
    }

    fn scalar(&mut self, value: Value) -> Outcome<Value> {
        self.count(6)?;
        Ok(value)
    }

    /// JSON of the input as JSONata would give it back: `None` where that is itself.
    fn handed_on(&mut self, value: &Value) -> Outcome<Option<Value>> {
        match value {
            Value::String(text) => {
                self.count(text.len() + 2)?;
                Ok(None)
            }
            Value::Number(inner) => {
                self.count(8)?;
                Ok((!number::is_plain(inner)).then(|| number::to_value(inner.as_f64())))
            }
            Value::Null | Value::Bool(_) => {
                self.count(5)?;
                Ok(None)
            }
            Value::Array(items) => self.within(|writer| {
                writer.count(items.len() + 1)?;
                let mut changed: Option<Vec<Value>> = None;
                for (index, item) in items.iter().enumerate() {
                    if let Some(other) = writer.handed_on(item)? {
                        changed.get_or_insert_with(|| items.to_vec())[index] = other;
                    }
                }
                Ok(changed.map(Value::array))
            }),
            Value::Object(members) => self.within(|writer| {
                let mut changed: Option<Object> = None;
                for (name, member) in members.iter() {
                    writer.count(name.len() + 4)?;
                    if let Some(other) = writer.handed_on(member)? {
                        changed.get_or_insert_with(|| Object::clone(members)).insert(name.clone(), other);
                    }
                }
                Ok(changed.map(|object| Value::Object(Arc::new(object))))
            }),
        }
    }
}
