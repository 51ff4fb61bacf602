//! The 18 intrinsic functions of JSONPath states.
//!
//! A call is parsed once ([`parse`]) and evaluated by [`function`], inner calls first. Where the Developer Guide and what
//! AWS was seen to do disagree, this does what AWS does; the tests name those cases.

mod codec;
mod format;
mod function;
mod parse;

use std::sync::Arc;

use crate::{
    Environment, OutOfFuel, Value,
    jsonpath::{Path, PathError},
    limits::{DEPTH_MAX, RESULT_BYTES_MAX},
};
use function::Function;

/// A compiled call such as `States.Format('{}', $.a)`; calls may nest to depth 10.
#[derive(Clone, Debug)]
pub struct Call {
    text: Arc<str>,
    node: Arc<Node>,
}

/// One call and its arguments.
#[derive(Debug)]
struct Node {
    /// As it was written; named in failures.
    text: Arc<str>,
    function: Function,
    arguments: Vec<Argument>,
}

#[derive(Debug)]
enum Argument {
    /// `'text'`: without its escapes, and as it was written (which a template needs).
    Text {
        value: Value,
        written: Arc<str>,
    },
    /// A number, `null`, `true` or `false`.
    Value(Value),
    Path(Path),
    Call(Node),
}

/// Why a text is no intrinsic call.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct CallSyntaxError {
    pub message: String,
    /// The byte of the text at which reading ended.
    pub at: usize,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CallError {
    /// A path argument could not be read: the call that it stands in, its own text, and why. AWS's cause is
    /// [`missing_argument`].
    #[error("{error}")]
    Path { call: Arc<str>, path: Arc<str>, error: PathError },
    /// The function refuses its arguments. AWS's cause, after the usual beginning: `There was an error while evaluating
    /// the intrinsic function: CALL. Invalid arguments in States.NAME`.
    #[error("{0}")]
    Failed(String),
    #[error(transparent)]
    OutOfFuel(#[from] OutOfFuel),
}

/// What is said of a path argument that finds nothing in the text of the input. Source: seen on AWS.
pub fn missing_argument(call: &str, path: &str, input: &str) -> String {
    let detail = format!("The JsonPath argument for the field '{path}' could not be found in the input '{input}'");
    failed(call, &detail)
}

/// Source: causes of `States.Runtime` seen on AWS.
fn failed(call: &str, detail: &str) -> String {
    format!("There was an error while evaluating the intrinsic function: {call}. {detail}")
}

impl Call {
    pub fn parse(text: &str) -> Result<Call, CallSyntaxError> {
        let node = parse::call(text)?;
        Ok(Call { text: text.into(), node: Arc::new(node) })
    }

    /// The text as it was written.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// The variables that its path arguments read, without `$`.
    pub fn variables(&self) -> Vec<Arc<str>> {
        let mut names = Vec::new();
        self.node.collect_variables(&mut names);
        names
    }

    pub fn evaluate(&self, environment: &dyn Environment) -> Result<Value, CallError> {
        self.node.evaluate(environment)
    }
}

impl Node {
    fn collect_variables(&self, names: &mut Vec<Arc<str>>) {
        for argument in &self.arguments {
            match argument {
                Argument::Path(path) => path.collect_variables(names),
                Argument::Call(node) => node.collect_variables(names),
                Argument::Text { .. } | Argument::Value(_) => {}
            }
        }
    }

    fn evaluate(&self, environment: &dyn Environment) -> Result<Value, CallError> {
        environment.fuel().burn(1)?;
        let mut arguments = Vec::with_capacity(self.arguments.len());
        for argument in &self.arguments {
            arguments.push(match argument {
                Argument::Text { value, .. } | Argument::Value(value) => value.clone(),
                Argument::Call(node) => node.evaluate(environment)?,
                Argument::Path(path) => path.read(environment).map_err(|error| match error {
                    PathError::OutOfFuel(out) => CallError::OutOfFuel(out),
                    error => CallError::Path { call: self.text.clone(), path: path.text().clone(), error },
                })?,
            });
        }
        let template = match self.arguments.first() {
            Some(Argument::Text { written, .. }) => Some(&**written),
            _ => None,
        };
        match self.function.call(&arguments, template, environment) {
            Ok(result) if result.is_larger_than(RESULT_BYTES_MAX) => Err(self.failed("The result is too large")),
            Ok(result) if result.is_deeper_than(DEPTH_MAX) => Err(self.failed("The result is nested too deeply")),
            Ok(result) => Ok(result),
            Err(function::Refusal::Arguments) => {
                Err(self.failed(&format!("Invalid arguments in {}", self.function.name())))
            }
            Err(function::Refusal::Because(detail)) => Err(self.failed(&detail)),
            Err(function::Refusal::OutOfFuel) => Err(CallError::OutOfFuel(OutOfFuel)),
        }
    }

    fn failed(&self, detail: &str) -> CallError {
        CallError::Failed(failed(&self.text, detail))
    }
}

#[cfg(test)]
mod tests;
