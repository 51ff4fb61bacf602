//! Parallel: runs its branches side by side on one input.

use stepwell_expr::Payload;

use crate::{
    data::{Fault, Scene},
    program::{DataFlow, ScopeId, Transition},
    retry::{Catcher, Retrier},
    state::{Ran, State},
};

#[derive(Clone, Debug)]
pub struct Parallel {
    pub branches: Vec<ScopeId>,
    pub retry: Vec<Retrier>,
    pub catch: Vec<Catcher>,
    pub transition: Transition,
}

impl Parallel {
    /// All branches begin with the effective input.
    pub(crate) fn run(&self, state: &State, input: &Payload, scene: &Scene<'_>) -> Result<Ran, Fault> {
        let input = match &state.flow {
            DataFlow::JsonPath(flow) => flow.effective_input(input, scene)?,
            DataFlow::Jsonata(flow) => flow.arguments(input, scene)?,
        };
        Ok(Ran::Branches { input })
    }
}
