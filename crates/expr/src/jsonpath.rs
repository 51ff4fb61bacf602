//! JSONPath in Jayway's dialect: its semantics and its messages.
//!
//! A path is parsed once ([`parse`]) into [`step::Step`]s and read ([`read`]) against an [`Environment`]. A definite
//! path gives one value, an indefinite one the array of all matches. What differs from RFC 9535 and from Jayway is
//! listed in the crate's README.

mod compare;
mod filter;
mod function;
pub(crate) mod parse;
mod read;
mod step;
mod write;

use std::sync::Arc;

use crate::{
    Environment, OutOfFuel, Value,
    limits::{DEPTH_MAX, RESULT_BYTES_MAX},
};
use read::{Reader, Stop};
use step::Step;

/// A compiled path. What it reads is told by its head: `$` the input, `$$` the Context object, `$name` a variable.
#[derive(Clone, Debug)]
pub struct Path {
    text: Arc<str>,
    head: Head,
    steps: Arc<[Step]>,
    /// How many of `steps` come before the functions at the end.
    selecting: usize,
    /// The steps before the functions select one value at most.
    definite: bool,
}

/// What a path begins at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Head {
    /// `$`: what the path is applied to; within a filter, the document that the outer path reads.
    Input,
    /// `$$`
    Context,
    /// `$name`
    Variable(Arc<str>),
    /// `@`: the item that a filter tests.
    Item,
}

/// Why a text is no path.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct PathSyntaxError {
    pub message: String,
    /// The byte of the text at which reading ended.
    pub at: usize,
}

/// Why a path could not be read or written.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PathError {
    /// Jayway's message, e.g. `No results for path: $['x']` or `Missing property in path $['a']`.
    #[error("{0}")]
    NotFound(String),
    /// The head is a variable that has no value; its name, without `$`.
    #[error("undefined variable {0}")]
    UndefinedVariable(String),
    /// A reference path that cannot be written: it leads through a scalar, or to an array item that is not there.
    #[error("{0}")]
    Unwritable(String),
    #[error(transparent)]
    OutOfFuel(#[from] OutOfFuel),
}

impl From<Stop> for PathError {
    fn from(stop: Stop) -> PathError {
        match stop {
            Stop::Missing(message) | Stop::Invalid(message) => PathError::NotFound(message),
            Stop::UndefinedVariable(name) => PathError::UndefinedVariable(name),
            Stop::OutOfFuel => PathError::OutOfFuel(OutOfFuel),
        }
    }
}

impl Path {
    pub fn parse(text: &str) -> Result<Path, PathSyntaxError> {
        parse::path(text)
    }

    fn new(text: Arc<str>, head: Head, steps: Vec<Step>) -> Path {
        let selecting = steps.iter().position(|step| matches!(step, Step::Function(_))).unwrap_or(steps.len());
        let definite =
            steps[..selecting].iter().enumerate().all(|(index, step)| step.is_definite(index + 1 == selecting));
        Path { text, head, steps: steps.into(), selecting, definite }
    }

    /// The text as it was written.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// `$` alone.
    pub fn is_root(&self) -> bool {
        self.head == Head::Input && self.steps.is_empty()
    }

    /// Its head is `$$`.
    pub fn reads_context(&self) -> bool {
        self.head == Head::Context
    }

    /// The variables that it reads, without `$`: as its head and inside filters and function arguments.
    pub fn variables(&self) -> Vec<Arc<str>> {
        let mut names = Vec::new();
        self.collect_variables(&mut names);
        names
    }

    pub(crate) fn collect_variables(&self, names: &mut Vec<Arc<str>>) {
        if let Head::Variable(name) = &self.head
            && !names.contains(name)
        {
            names.push(name.clone());
        }
        for step in self.steps.iter() {
            step.collect_variables(names);
        }
    }

    /// One value at most: no filters, slices, unions, wildcards or `..`. A function at the end gives one value.
    pub fn is_definite(&self) -> bool {
        self.definite || self.selecting < self.steps.len()
    }

    /// Only `.name`, `['name']` and `[n]`: no filters, slices, unions, wildcards, `..` or functions.
    pub fn is_reference(&self) -> bool {
        self.steps.iter().all(|step| matches!(step, Step::Name(_) | Step::Index(_)))
    }

    /// One value where it is definite (or an error when nothing is there), else the array of all matches.
    ///
    /// An indefinite path whose beginning is missing gives `[]`, as recorded from AWS (Jayway itself fails).
    pub fn read(&self, environment: &dyn Environment) -> Result<Value, PathError> {
        let variable;
        let document = match &self.head {
            Head::Input | Head::Item => environment.input(),
            Head::Context => environment.context(),
            Head::Variable(name) => match environment.variable(name) {
                Some(value) => {
                    variable = value;
                    &variable
                }
                None => return Err(PathError::UndefinedVariable(name.to_string())),
            },
        };
        if self.is_reference() {
            return Ok(read::reference(&self.steps, document)?.clone());
        }
        let result = match Reader::new(environment, document).value_of(self, document) {
            Err(Stop::Missing(_)) if !self.is_definite() => Value::array(Vec::new()),
            other => other?,
        };
        if result.is_deeper_than(DEPTH_MAX) {
            return Err(PathError::NotFound(format!("result is nested deeper than {DEPTH_MAX} levels")));
        }
        if result.is_larger_than(RESULT_BYTES_MAX) {
            return Err(PathError::NotFound(format!("result is larger than {RESULT_BYTES_MAX} bytes")));
        }
        Ok(result)
    }

    /// Like [`read`](Path::read), but an index past the end of its array, as the last step of a reference path, gives
    /// `null`.
    ///
    /// Source: measured on AWS for the paths of payload templates.
    pub fn read_or_null_past_end(&self, environment: &dyn Environment) -> Result<Value, PathError> {
        match self.read(environment) {
            Err(PathError::NotFound(_)) if self.is_reference() && self.ends_past_array(environment) => Ok(Value::Null),
            other => other,
        }
    }

    fn ends_past_array(&self, environment: &dyn Environment) -> bool {
        let Some((Step::Index(_), before)) = self.steps.split_last() else {
            return false;
        };
        let up_to = Path::new(self.text.clone(), self.head.clone(), before.to_vec());
        matches!(up_to.read(environment), Ok(Value::Array(_)))
    }

    /// `into` with `value` at this reference path; makes missing objects on the way.
    ///
    /// Source: Amazon States Language, `ResultPath`. The head must be `$`; the path must be a reference path.
    pub fn write(&self, into: &Value, value: Value) -> Result<Value, PathError> {
        if self.head != Head::Input || !self.is_reference() {
            return Err(PathError::Unwritable(format!("`{}` is not a reference path of the input", self.text)));
        }
        write::write(&self.steps, into, value)
    }
}

#[cfg(test)]
mod tests;
