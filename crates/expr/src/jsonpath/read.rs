//! Reading: from a document to the values that the steps select.

use std::sync::Arc;

use crate::{
    Environment, Number, Object, OutOfFuel, Value,
    jsonpath::{
        Head, Path,
        step::{Step, canonical, fragments},
    },
    limits::PATH_RESULTS_MAX,
};

/// Looks at so many values for one unit of fuel.
const LOOKS_PER_FUEL: u32 = 16;

/// Why reading ended early.
pub(super) enum Stop {
    /// Something is not there; an indefinite path then gives `[]`.
    Missing(String),
    /// The path does not fit the data, e.g. a sum of no numbers.
    Invalid(String),
    UndefinedVariable(String),
    OutOfFuel,
}

impl From<OutOfFuel> for Stop {
    fn from(_: OutOfFuel) -> Stop {
        Stop::OutOfFuel
    }
}

/// The value at a path of names and indexes alone.
pub(super) fn reference<'v>(steps: &[Step], document: &'v Value) -> Result<&'v Value, Stop> {
    let mut at = document;
    for (index, step) in steps.iter().enumerate() {
        let last = index + 1 == steps.len();
        at = match step {
            Step::Name(name) => match object_at(steps, index, at)?.get(name) {
                Some(member) => member,
                None if last => return Err(no_results(steps)),
                None => return Err(missing(steps, index)),
            },
            Step::Index(number) => match item(array_at(steps, index, at)?, *number) {
                Some(item) => item,
                None => return Err(no_results(steps)),
            },
            _ => return Err(Stop::Invalid(format!("`{}` is not a reference path", canonical(steps)))),
        };
    }
    Ok(at)
}

fn no_results(steps: &[Step]) -> Stop {
    Stop::Missing(format!("No results for path: {}", canonical(steps)))
}

fn missing(steps: &[Step], index: usize) -> Stop {
    Stop::Missing(format!("Missing property in path {}", canonical(&steps[..=index])))
}

/// The members of the object that step `index` is applied to.
fn object_at<'v>(steps: &[Step], index: usize, at: &'v Value) -> Result<&'v Object, Stop> {
    at.as_object().ok_or_else(|| {
        Stop::Missing(format!(
            "Expected to find an object with property {} in path {} but found '{}'. This is not a json object \
             according to the JsonProvider: 'com.jayway.jsonpath.spi.json.JacksonJsonProvider'.",
            fragments(&steps[index..=index]),
            canonical(&steps[..index]),
            java_class(at)
        ))
    })
}

/// The items of the array that step `index` is applied to.
fn array_at<'v>(steps: &[Step], index: usize, at: &'v Value) -> Result<&'v [Value], Stop> {
    match at {
        Value::Array(items) => Ok(items),
        Value::Null => Err(Stop::Missing(format!("The path {} is null", canonical(&steps[..index])))),
        other => Err(Stop::Missing(format!(
            "Filter: {} can only be applied to arrays. Current context is: {}",
            fragments(&steps[index..]),
            other.to_java_text()
        ))),
    }
}

fn item(items: &[Value], index: i64) -> Option<&Value> {
    let index = if index < 0 { index.checked_add(items.len() as i64)? } else { index };
    items.get(usize::try_from(index).ok()?)
}

/// How Java names the type of a value.
fn java_class(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "java.lang.Boolean",
        Value::Number(Number::Int(int)) if i32::try_from(*int).is_ok() => "java.lang.Integer",
        Value::Number(Number::Int(_)) => "java.lang.Long",
        Value::Number(Number::Double(_)) => "java.lang.Double",
        Value::Number(Number::Text(text)) if text.contains(['.', 'e', 'E']) => "java.lang.Double",
        Value::Number(Number::Text(_)) => "java.math.BigInteger",
        Value::String(_) => "java.lang.String",
        Value::Array(_) => "java.util.ArrayList",
        Value::Object(_) => "java.util.LinkedHashMap",
    }
}

/// Reads paths against one document.
#[derive(Clone, Copy)]
pub(super) struct Reader<'e> {
    pub(super) environment: &'e dyn Environment,
    /// What `$` means within filters and function arguments.
    pub(super) document: &'e Value,
    /// Every named member must be there, also after an indefinite step: how a filter tests existence.
    required: bool,
}

/// The matches of one path, and the work done for them.
struct Walk<'s> {
    steps: &'s [Step],
    results: Vec<Value>,
    looks: u32,
}

impl<'e> Reader<'e> {
    pub(super) fn new(environment: &'e dyn Environment, document: &'e Value) -> Reader<'e> {
        Reader { environment, document, required: false }
    }

    pub(super) fn requiring(self) -> Reader<'e> {
        Reader { required: true, ..self }
    }

    /// The value of a path within a filter or as a function's argument; `item` is its `@`.
    pub(super) fn inner(&self, path: &Path, item: &Value) -> Result<Value, Stop> {
        match &path.head {
            Head::Item => self.value_of(path, item),
            Head::Input => self.value_of(path, self.document),
            Head::Context => self.value_of(path, self.environment.context()),
            Head::Variable(name) => match self.environment.variable(name) {
                Some(value) => self.value_of(path, &value),
                None => Err(Stop::UndefinedVariable(name.to_string())),
            },
        }
    }

    /// One value where `path` is definite, else the array of all matches. `start` is what its head means.
    pub(super) fn value_of(&self, path: &Path, start: &Value) -> Result<Value, Stop> {
        let (selecting, functions) = path.steps.split_at(path.selecting);
        let mut walk = Walk { steps: selecting, results: Vec::new(), looks: 0 };
        // A name that functions follow is not the last step: it must be there.
        let leaf = functions.is_empty();
        self.visit(&mut walk, 0, start, leaf, true)?;
        let mut value = if path.definite {
            walk.results.into_iter().next().ok_or_else(|| no_results(&path.steps))?
        } else {
            Value::array(walk.results)
        };
        for step in functions {
            if let Step::Function(function) = step {
                value = function.call(self, value)?;
            }
        }
        Ok(value)
    }

    /// Applies the steps from `index` on to `at`. `leaf`: the last step ends the path. `definite`: so far.
    fn visit(&self, walk: &mut Walk<'_>, index: usize, at: &Value, leaf: bool, definite: bool) -> Result<(), Stop> {
        walk.looks += 1;
        if walk.looks.is_multiple_of(LOOKS_PER_FUEL) {
            self.environment.fuel().burn(1)?;
        }
        let steps = walk.steps;
        let Some(step) = steps.get(index) else {
            if walk.results.len() >= PATH_RESULTS_MAX {
                return Err(Stop::OutOfFuel);
            }
            walk.results.push(at.clone());
            return Ok(());
        };
        let last = leaf && index + 1 == steps.len();
        match step {
            Step::Name(name) => {
                let members = match object_at(steps, index, at) {
                    Ok(members) => members,
                    Err(stop) if definite || self.required => return Err(stop),
                    Err(_) => return Ok(()),
                };
                match members.get(name) {
                    Some(member) => self.visit(walk, index + 1, member, leaf, definite),
                    None if self.required => Err(missing(steps, index)),
                    None if last || !definite => Ok(()),
                    None => Err(missing(steps, index)),
                }
            }
            Step::Names(names) => {
                let members = match object_at(steps, index, at) {
                    Ok(members) => members,
                    Err(stop) if definite || self.required => return Err(stop),
                    Err(_) => return Ok(()),
                };
                if self.required && names.iter().any(|name| !members.contains_key(name)) {
                    return Err(missing(steps, index));
                }
                let found = names.iter().filter_map(|name| Some((name.clone(), members.get(name)?)));
                if index + 1 == steps.len() {
                    let merged: Object = found.map(|(name, member)| (name, member.clone())).collect();
                    return self.visit(walk, index + 1, &Value::Object(Arc::new(merged)), leaf, definite);
                }
                for (_, member) in found {
                    self.visit(walk, index + 1, member, leaf, false)?;
                }
                Ok(())
            }
            Step::Index(_) | Step::Indexes(_) | Step::Slice { .. } => {
                let items = match array_at(steps, index, at) {
                    Ok(items) => items,
                    Err(stop) if definite => return Err(stop),
                    Err(_) => return Ok(()),
                };
                match step {
                    Step::Index(number) => match item(items, *number) {
                        Some(item) => self.visit(walk, index + 1, item, leaf, definite),
                        None => Ok(()),
                    },
                    Step::Indexes(numbers) => {
                        for item in numbers.iter().filter_map(|number| item(items, *number)) {
                            self.visit(walk, index + 1, item, leaf, false)?;
                        }
                        Ok(())
                    }
                    _ => {
                        for item in slice(step, items) {
                            self.visit(walk, index + 1, item, leaf, false)?;
                        }
                        Ok(())
                    }
                }
            }
            Step::Wildcard => {
                for child in children(at) {
                    self.visit(walk, index + 1, child, leaf, false)?;
                }
                Ok(())
            }
            Step::Filter(filter) => match at {
                Value::Array(items) => {
                    for item in items.iter() {
                        if filter.holds(self, item)? {
                            self.visit(walk, index + 1, item, leaf, false)?;
                        }
                    }
                    Ok(())
                }
                Value::Object(_) => {
                    if filter.holds(self, at)? {
                        self.visit(walk, index + 1, at, leaf, false)?;
                    }
                    Ok(())
                }
                _ if definite => Err(Stop::Invalid(format!(
                    "Filter: {} can not be applied to primitives. Current context is: {}",
                    fragments(&steps[index..]),
                    at.to_java_text()
                ))),
                _ => Ok(()),
            },
            Step::Descend => self.descend(walk, index + 1, at, leaf),
            Step::Function(_) => Ok(()),
        }
    }

    /// Applies step `index` to `at` and to everything below it, where it fits; parents before children.
    fn descend(&self, walk: &mut Walk<'_>, index: usize, at: &Value, leaf: bool) -> Result<(), Stop> {
        walk.looks += 1;
        if walk.looks.is_multiple_of(LOOKS_PER_FUEL) {
            self.environment.fuel().burn(1)?;
        }
        let fits = match (walk.steps.get(index), at) {
            (Some(Step::Name(name)), Value::Object(members)) => members.contains_key(name),
            (Some(Step::Names(names)), Value::Object(members)) => {
                index + 1 < walk.steps.len() || names.iter().all(|name| members.contains_key(name))
            }
            (Some(Step::Index(_) | Step::Indexes(_) | Step::Slice { .. }), Value::Array(_)) => true,
            (Some(Step::Wildcard), Value::Array(_) | Value::Object(_)) => true,
            (Some(Step::Filter(filter)), Value::Array(_) | Value::Object(_)) => filter.holds(self, at)?,
            _ => false,
        };
        if fits {
            self.visit(walk, index, at, leaf, false)?;
        }
        for child in children(at) {
            self.descend(walk, index, child, leaf)?;
        }
        Ok(())
    }
}

fn children(at: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match at {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(members) => Box::new(members.values()),
        _ => Box::new(std::iter::empty()),
    }
}

/// The items that a slice selects.
///
/// Source: Jayway. `[from:]` and `[:to]` count negative bounds from the end; in `[from:to]` a negative `to` selects
/// nothing, and a negative `from` begins with the last items before it goes on with the first.
fn slice<'v>(step: &Step, items: &'v [Value]) -> impl Iterator<Item = &'v Value> {
    let length = items.len() as i64;
    let (from, to) = match step {
        Step::Slice { from: Some(from), to: Some(to) } => ((*from).max(-length), (*to).min(length)),
        Step::Slice { from: Some(from), to: None } => {
            let from = if *from < 0 { from.saturating_add(length) } else { *from };
            (from.max(0), length)
        }
        Step::Slice { from: None, to: Some(to) } => {
            let to = if *to < 0 { to.saturating_add(length) } else { *to };
            (0, to.min(length))
        }
        _ => (0, 0),
    };
    (from..to).filter_map(|index| item(items, index))
}
