//! Values as the engine reads them: one level at a time, and only what the expression reaches.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;

use jlens_core::input::{Sink, Source, Sources};
use jlens_core::reads::Read;
use serde_json::Value as Json;

use crate::{Environment, Object, Value};

use super::analysis::STATES;

/// The arrays and objects that one evaluation has met so far, each known to the engine by its number.
pub(super) struct Store {
    met: RefCell<Vec<Value>>,
    /// How many values were read, or given back as they were.
    values: Cell<u64>,
    itself: Weak<Store>,
}

impl Store {
    pub(super) fn new() -> Rc<Store> {
        Rc::new_cyclic(|itself| Store { met: RefCell::default(), values: Cell::new(0), itself: itself.clone() })
    }

    /// The array or object with that number. `Null` for a number that was not given out.
    pub(super) fn met(&self, index: u32) -> Value {
        self.met.borrow().get(index as usize).cloned().unwrap_or_default()
    }

    pub(super) fn values(&self) -> u64 {
        self.values.get()
    }

    pub(super) fn touch(&self, values: u64) {
        self.values.set(self.values.get().saturating_add(values));
    }

    /// Writes `value`; an array or object only as its number.
    pub(super) fn write<'a>(&self, value: &Value, sink: &mut Sink<'_, 'a>) {
        self.touch(1);
        match value {
            Value::Null => sink.null(),
            Value::Bool(bool) => sink.bool(*bool),
            Value::Number(number) => match number.as_f64() {
                finite if finite.is_finite() => sink.number(finite),
                _ => sink.null(),
            },
            Value::String(text) => sink.string(text),
            Value::Array(_) | Value::Object(_) => {
                let Some(itself) = self.itself.upgrade() else {
                    return;
                };
                let mut met = self.met.borrow_mut();
                let Ok(index) = u32::try_from(met.len()) else {
                    return;
                };
                met.push(value.clone());
                match value {
                    Value::Array(_) => sink.array_of(&itself, index),
                    _ => sink.object_of(&itself, index),
                }
            }
        }
    }
}

impl<'a> Sources<'a> for Store {
    fn read(&self, index: u32, sink: &mut Sink<'_, 'a>) -> Result<(), String> {
        match self.met(index) {
            Value::Array(items) => {
                sink.reserve(items.len());
                items.iter().for_each(|item| self.write(item, sink));
            }
            Value::Object(members) => {
                sink.reserve(members.len());
                for (key, value) in members.iter() {
                    sink.key(key);
                    self.write(value, sink);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn read_field(&self, index: u32, key: &str, sink: &mut Sink<'_, 'a>) -> Result<bool, String> {
        if let Value::Object(members) = self.met(index)
            && let Some(value) = members.get(key)
        {
            self.write(value, sink);
        }
        Ok(true)
    }

    fn length(&self, index: u32) -> Option<usize> {
        self.met(index).as_array().map(<[Value]>::len)
    }

    fn read_item(&self, index: u32, item: usize, sink: &mut Sink<'_, 'a>) -> Result<bool, String> {
        if let Value::Array(items) = self.met(index)
            && let Some(value) = items.get(item)
        {
            self.write(value, sink);
        }
        Ok(true)
    }
}

/// The engine's input in place of the document that AWS does not have: an object of `states` and the variables.
pub(super) struct Root<'a> {
    pub(super) environment: &'a dyn Environment,
    pub(super) store: Rc<Store>,
}

impl<'a> Source<'a> for Root<'a> {
    fn read(&self, sink: &mut Sink<'_, 'a>) -> Result<(), String> {
        sink.object(Names { environment: self.environment, store: Rc::clone(&self.store) });
        Ok(())
    }
}

struct Names<'a> {
    environment: &'a dyn Environment,
    store: Rc<Store>,
}

impl<'a> Source<'a> for Names<'a> {
    /// Never asked: each name is read alone, and nothing else can see this object.
    fn read(&self, _: &mut Sink<'_, 'a>) -> Result<(), String> {
        Ok(())
    }

    fn read_field(&self, key: &str, sink: &mut Sink<'_, 'a>) -> Result<bool, String> {
        if key == STATES {
            sink.object(States { environment: self.environment, store: Rc::clone(&self.store) });
        } else if let Some(value) = self.environment.variable(key) {
            self.store.write(&value, sink);
        }
        Ok(true)
    }
}

/// `$states`: the members that there are.
struct States<'a> {
    environment: &'a dyn Environment,
    store: Rc<Store>,
}

/// The members of `$states`, in the order in which AWS prints them.
pub(super) const STATES_MEMBERS: [&str; 4] = ["input", "context", "result", "errorOutput"];

/// The member `name` of `$states`, where there is one.
pub(super) fn states_member<'e>(environment: &'e dyn Environment, name: &str) -> Option<&'e Value> {
    match name {
        "input" => Some(environment.input()),
        "context" => Some(environment.context()),
        "result" => environment.result(),
        "errorOutput" => environment.error_output(),
        _ => None,
    }
}

impl<'a> Source<'a> for States<'a> {
    fn read(&self, sink: &mut Sink<'_, 'a>) -> Result<(), String> {
        for name in STATES_MEMBERS {
            if let Some(value) = states_member(self.environment, name) {
                sink.key(name);
                self.store.write(value, sink);
            }
        }
        Ok(())
    }

    fn read_field(&self, key: &str, sink: &mut Sink<'_, 'a>) -> Result<bool, String> {
        if let Some(value) = states_member(self.environment, key) {
            self.store.write(value, sink);
        }
        Ok(true)
    }
}

/// A document as input: only the official test cases have one.
pub(super) struct DocumentRoot {
    pub(super) document: Option<Value>,
    pub(super) store: Rc<Store>,
}

impl<'a> Source<'a> for DocumentRoot {
    fn read(&self, sink: &mut Sink<'_, 'a>) -> Result<(), String> {
        if let Some(document) = &self.document {
            self.store.write(document, sink);
        }
        Ok(())
    }
}

/// `$states` as a whole value, cut to what `read` says.
pub(super) fn states_json(environment: &dyn Environment, read: &Read) -> Json {
    let wanted = |name: &str| match read {
        Read::Whole => Some(&Read::Whole),
        Read::Fields(fields) => fields.get(name),
    };
    let members = STATES_MEMBERS.into_iter().filter_map(|name| {
        // Asked first: what is not read may not even be made.
        let read = wanted(name)?;
        Some((name.to_owned(), cut_json(states_member(environment, name)?, read)))
    });
    Json::Object(members.collect())
}

/// `value` as `serde_json` has it, without the members that `read` leaves out. Recursion is bounded by the depth of
/// a [`Value`].
pub(super) fn cut_json(value: &Value, read: &Read) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(bool) => Json::Bool(*bool),
        Value::Number(number) => json_number(number.as_f64()),
        Value::String(text) => Json::String(text.to_string()),
        Value::Array(items) => Json::Array(items.iter().map(|item| cut_json(item, read)).collect()),
        Value::Object(members) => Json::Object(cut_members(members, read)),
    }
}

fn cut_members(members: &Arc<Object>, read: &Read) -> serde_json::Map<String, Json> {
    match read {
        Read::Whole => members.iter().map(|(key, value)| (key.to_string(), cut_json(value, read))).collect(),
        Read::Fields(fields) => members
            .iter()
            .filter_map(|(key, value)| Some((key.to_string(), cut_json(value, fields.get(&**key)?))))
            .collect(),
    }
}

/// How many values `json` is made of.
pub(super) fn count_values(json: &Json) -> u64 {
    match json {
        Json::Array(items) => 1 + items.iter().map(count_values).sum::<u64>(),
        Json::Object(members) => 1 + members.values().map(count_values).sum::<u64>(),
        _ => 1,
    }
}

fn json_number(double: f64) -> Json {
    serde_json::Number::from_f64(double).map_or(Json::Null, Json::Number)
}
