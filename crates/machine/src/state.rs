//! A state: what all have in common, and the eight types.

use std::sync::Arc;

use crate::program::{Assign, DataFlow, QueryLanguage, ScopeId};

pub mod choice;
pub mod fail;
pub mod map;
pub mod parallel;
pub mod pass;
pub mod succeed;
pub mod task;
pub mod wait;

#[derive(Clone, Debug)]
pub struct State {
    pub name: Arc<str>,
    pub scope: ScopeId,
    pub language: QueryLanguage,
    pub flow: DataFlow,
    pub assign: Assign,
    pub kind: Kind,
}

/// The state's type with its own fields.
#[derive(Clone, Debug)]
pub enum Kind {
    Task(task::Task),
    Wait(wait::Wait),
    Pass(pass::Pass),
    Succeed(succeed::Succeed),
    Fail(fail::Fail),
    Choice(choice::Choice),
    Parallel(parallel::Parallel),
    Map(map::Map),
}

/// The state's type alone, as event names begin with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StateType {
    Task,
    Wait,
    Pass,
    Succeed,
    Fail,
    Choice,
    Parallel,
    Map,
}

impl State {
    pub fn kind_type(&self) -> StateType {
        match &self.kind {
            Kind::Task(_) => StateType::Task,
            Kind::Wait(_) => StateType::Wait,
            Kind::Pass(_) => StateType::Pass,
            Kind::Succeed(_) => StateType::Succeed,
            Kind::Fail(_) => StateType::Fail,
            Kind::Choice(_) => StateType::Choice,
            Kind::Parallel(_) => StateType::Parallel,
            Kind::Map(_) => StateType::Map,
        }
    }
}

impl StateType {
    /// `Task`, `Wait`, ... as the field `Type` spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            StateType::Task => "Task",
            StateType::Wait => "Wait",
            StateType::Pass => "Pass",
            StateType::Succeed => "Succeed",
            StateType::Fail => "Fail",
            StateType::Choice => "Choice",
            StateType::Parallel => "Parallel",
            StateType::Map => "Map",
        }
    }
}
