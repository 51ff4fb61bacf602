//! One state to be tested: alone, or found by its name in a whole definition.

use std::sync::Arc;

use stepwell_expr::{Object, Value};

use super::{Built, KnownAction, MachineType, build_value, not_an_object, parse};
use crate::{Diagnostic, Program, Severity, diagnostic::Code, program::StateId};

/// The name of a state that is tested: whatever it was called, expressions and errors show this.
///
/// Source: recordings of TestState.
pub const LONE_STATE: &str = "StateName";

/// The beginning of the places of everything in a state that stands alone.
const LONE_PLACE: &str = "/States/StateName";

/// A state with the program around it.
#[derive(Clone, Debug)]
pub struct Lone {
    pub program: Arc<Program>,
    pub state: StateId,
    /// A Map with a `ResultWriter`.
    pub has_result_writer: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoneError {
    InvalidDefinition(Vec<Diagnostic>),
    /// The definition has no state of this name.
    StateNotFound,
}

/// Compiles a definition of one state, or, with `name`, a whole one to find the state in.
///
/// The states that a state alone leads to need not be there. `aws-sdk` resources that `is_known` does not know are refused.
pub fn compile_lone(text: &str, name: Option<&str>, is_known: KnownAction<'_>) -> Result<Lone, LoneError> {
    let invalid = |diagnostic| LoneError::InvalidDefinition(vec![diagnostic]);
    let value = parse(text).map_err(invalid)?;
    let members = value.as_object().ok_or_else(|| invalid(not_an_object()))?;
    let (whole, name) = match name {
        Some(name) => (None, name),
        None => (Some(around(members, &value)), LONE_STATE),
    };
    let is_alone = whole.is_some();
    let definition = whole.as_ref().unwrap_or(&value);
    let Some(members) = definition.as_object() else { return Err(invalid(not_an_object())) };
    let (Built { program, diagnostics, .. }, written) =
        build_value(members, MachineType::Standard, is_known, |outline| {
            let (index, state) = outline.states.iter().enumerate().find(|(_, state)| &*state.name == name)?;
            Some((StateId(u32::try_from(index).ok()?), state.value.get("ResultWriter").is_some()))
        });
    let counts = |problem: &Diagnostic| problem.severity == Severity::Error && (!is_alone || is_of_lone(problem));
    let problems: Vec<Diagnostic> = diagnostics.into_iter().filter(counts).collect();
    let program = match program {
        Some(program) if problems.is_empty() => program,
        _ => return Err(LoneError::InvalidDefinition(problems)),
    };
    let (state, has_result_writer) = written.ok_or(LoneError::StateNotFound)?;
    Ok(Lone { program: Arc::new(program), state, has_result_writer })
}

/// A definition around a state: every state that it leads to is an end.
fn around(members: &Object, state: &Value) -> Value {
    let mut states = Object::default();
    states.insert(LONE_STATE.into(), state.clone());
    for target in targets(members) {
        if !states.contains_key(&target) {
            states.insert(target, Value::object([("Type", Value::from("Succeed"))]));
        }
    }
    Value::object([("StartAt", Value::from(LONE_STATE)), ("States", Value::Object(states.into()))])
}

/// The names of the states that a state leads to, as they are written.
fn targets(state: &Object) -> Vec<Arc<str>> {
    let list = |field: &str| state.get(field).and_then(Value::as_array).unwrap_or_default();
    let of_entries = ["Choices", "Catch"].into_iter().flat_map(list).filter_map(|entry| entry.get("Next"));
    let own = ["Next", "Default"].into_iter().filter_map(|field| state.get(field));
    let names = own.chain(of_entries).filter_map(|name| match name {
        Value::String(name) => Some(name.clone()),
        _ => None,
    });
    names.collect()
}

/// Problems of what was put around it are none.
fn is_of_lone(problem: &Diagnostic) -> bool {
    let of_state =
        |place: &str| place.strip_prefix(LONE_PLACE).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    problem.code != Code::MissingEndState && problem.location.as_deref().is_none_or(of_state)
}
