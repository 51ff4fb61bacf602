//! A definition, compiled: ids instead of names, expressions instead of text.
//!
//! Ids are positions in document order and part of the record format: a stored execution names states by id.

use std::{collections::BTreeMap, sync::Arc};

use stepwell_expr::{Value, intrinsic::Call, jsonata::Expression, jsonpath::Path};

use crate::{
    definition::MachineType,
    state::{Kind, State},
};

/// A state of a [`Program`], in document order through all nested scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StateId(pub u32);

/// A `States` object of a [`Program`]: the top level is 0, then in document order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeId(pub u32);

#[derive(Clone, Debug)]
pub struct Program {
    pub states: Vec<State>,
    pub scopes: Vec<Scope>,
    /// `TimeoutSeconds` of the whole execution.
    pub timeout_seconds: Option<u64>,
    /// State name -> names of the variables that it references, sorted; states without any are left out.
    pub variable_references: BTreeMap<Arc<str>, Vec<Arc<str>>>,
}

/// The top level, a Parallel branch or a Map's item processor.
#[derive(Clone, Debug)]
pub struct Scope {
    pub start_at: StateId,
    /// The Parallel or Map state that it belongs to; `None` at the top level.
    pub owner: Option<StateId>,
}

impl Program {
    pub fn state(&self, id: StateId) -> &State {
        &self.states[id.0 as usize]
    }

    pub fn scope(&self, id: ScopeId) -> &Scope {
        &self.scopes[id.0 as usize]
    }

    /// Of which type the child executions of the distributed Map with this label are; `None`: no Map has it.
    pub fn child_type(&self, label: &str) -> Option<MachineType> {
        let mut maps = self.states.iter().filter_map(|state| match &state.kind {
            Kind::Map(map) => map.distributed.as_deref(),
            _ => None,
        });
        maps.find(|map| &*map.label == label).map(|map| map.child_type)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryLanguage {
    JsonPath,
    Jsonata,
}

/// Where a state leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    Next(StateId),
    End,
}

/// How data flows through a state, by its query language.
#[derive(Clone, Debug)]
pub enum DataFlow {
    JsonPath(Box<JsonPathFlow>),
    Jsonata(JsonataFlow),
}

/// `InputPath` → `Parameters` → work → `ResultSelector` → `ResultPath` → `OutputPath`.
#[derive(Clone, Debug)]
pub struct JsonPathFlow {
    pub input_path: Selection,
    /// `Parameters`; also of a Pass. Not of a Map, whose `Parameters` are its item selector.
    pub parameters: Option<Template>,
    pub result_selector: Option<Template>,
    pub result_path: ResultPath,
    pub output_path: Selection,
}

/// `Arguments` → work → `Output`.
#[derive(Clone, Debug)]
pub struct JsonataFlow {
    pub arguments: Option<Template>,
    pub output: Option<Template>,
}

/// `InputPath`, `OutputPath`.
#[derive(Clone, Debug)]
pub enum Selection {
    /// `$`, also by default: everything.
    All,
    /// `null`: an empty object.
    Nothing,
    Path(Path),
}

/// `ResultPath`, also of a catcher.
#[derive(Clone, Debug)]
pub enum ResultPath {
    /// `$`, also by default: the result replaces the input.
    Replace,
    /// `null`: the result is dropped.
    Discard,
    At(Path),
}

/// A payload template of either language: `Parameters`, `ResultSelector`, `Arguments`, `Output`, `Assign`, ...
#[derive(Clone, Debug)]
pub enum Template {
    /// Nothing inside is to be evaluated.
    Literal(Value),
    Leaf(Leaf),
    Object(Vec<(Arc<str>, Template)>),
    Array(Vec<Template>),
}

/// An expression inside a template, with the field name that error texts show.
///
/// JSONPath: the key with its `.$`, e.g. `value.$`. JSONata: the way from the state's field, e.g. `Output/error`.
#[derive(Clone, Debug)]
pub struct Leaf {
    pub expression: Expr,
    pub field: Arc<str>,
}

#[derive(Clone, Debug)]
pub enum Expr {
    Path(Path),
    Call(Call),
    Jsonata(Expression),
}

/// `Assign`: variable name -> template.
pub type Assign = Vec<(Arc<str>, Template)>;

/// A field that is a constant of type `T`, a reference path (JSONPath `…Path` fields) or a JSONata expression.
#[derive(Clone, Debug)]
pub enum Field<T> {
    Constant(T),
    Path(Path),
    /// An intrinsic call, in `ErrorPath` and `CausePath` alone.
    Call(Call),
    Jsonata(Expression),
}

impl<T> Field<T> {
    /// The same field with another type of constants.
    pub(crate) fn map<U>(self, convert: impl FnOnce(T) -> U) -> Field<U> {
        match self {
            Field::Constant(constant) => Field::Constant(convert(constant)),
            Field::Path(path) => Field::Path(path),
            Field::Call(call) => Field::Call(call),
            Field::Jsonata(expression) => Field::Jsonata(expression),
        }
    }
}

/// How a service integration is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServicePattern {
    RequestResponse,
    /// `.sync`
    Sync,
    /// `.sync:2`
    Sync2,
    /// `.waitForTaskToken`
    WaitForTaskToken,
}
