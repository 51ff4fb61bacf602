//! A state: what all have in common, and the eight types.

use std::sync::Arc;

use stepwell_expr::Payload;

use crate::{
    data::{Fault, Scene},
    failure::Failure,
    history::Assigned,
    program::{Assign, DataFlow, QueryLanguage, ScopeId, Transition},
    retry::{Catcher, Retrier},
};

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

/// What a state's work came to.
#[derive(Clone, Debug)]
pub(crate) enum Ran {
    /// It is left.
    Exits { output: Payload, assigned: Assigned, transition: Transition },
    /// A Wait state sleeps.
    Waits { until_ms: i64 },
    /// A Fail state.
    Fails(Failure),
    /// A task is to be scheduled.
    Task(task::Scheduling),
    /// The branches begin, on this input.
    Branches { input: Payload },
    /// The iterations begin.
    Iterations(map::Iterations),
}

impl State {
    /// Does the state's work on its raw input, as far as it needs nothing from outside.
    pub(crate) fn run(&self, input: &Payload, scene: &Scene<'_>) -> Result<Ran, Fault> {
        match &self.kind {
            Kind::Task(task) => task.run(self, input, scene),
            Kind::Wait(wait) => wait.run(self, input, scene),
            Kind::Pass(pass) => pass.run(self, input, scene),
            Kind::Succeed(succeed) => succeed.run(self, input, scene),
            Kind::Fail(fail) => fail.run(input, scene),
            Kind::Choice(choice) => choice.run(self, input, scene),
            Kind::Parallel(parallel) => parallel.run(self, input, scene),
            Kind::Map(map) => map.run(self, input, scene),
        }
    }

    /// What the result of a task, of branches or of iterations becomes.
    pub(crate) fn conclude(&self, input: &Payload, result: &Payload, scene: &Scene<'_>) -> Result<Ran, Fault> {
        let (output, assigned) = match &self.flow {
            DataFlow::JsonPath(flow) => flow.conclude(&self.assign, input, result, scene)?,
            DataFlow::Jsonata(flow) => flow.output(&self.assign, input, Some(result), scene)?,
        };
        Ok(Ran::Exits { output, assigned, transition: self.transition() })
    }

    fn transition(&self) -> Transition {
        match &self.kind {
            Kind::Task(task) => task.transition,
            Kind::Wait(wait) => wait.transition,
            Kind::Pass(pass) => pass.transition,
            Kind::Parallel(parallel) => parallel.transition,
            Kind::Map(map) => map.transition,
            Kind::Choice(_) | Kind::Succeed(_) | Kind::Fail(_) => Transition::End,
        }
    }

    pub(crate) fn retriers(&self) -> &[Retrier] {
        match &self.kind {
            Kind::Task(task) => &task.retry,
            Kind::Parallel(parallel) => &parallel.retry,
            Kind::Map(map) => &map.retry,
            Kind::Wait(_) | Kind::Pass(_) | Kind::Choice(_) | Kind::Succeed(_) | Kind::Fail(_) => &[],
        }
    }

    pub(crate) fn catchers(&self) -> &[Catcher] {
        match &self.kind {
            Kind::Task(task) => &task.catch,
            Kind::Parallel(parallel) => &parallel.catch,
            Kind::Map(map) => &map.catch,
            Kind::Wait(_) | Kind::Pass(_) | Kind::Choice(_) | Kind::Succeed(_) | Kind::Fail(_) => &[],
        }
    }

    /// Task and Map states show `State.RetryCount`; a Pass does not. Source: recordings.
    pub(crate) fn counts_retries(&self) -> bool {
        matches!(self.kind, Kind::Task(_) | Kind::Map(_) | Kind::Parallel(_))
    }

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
