//! Pass: hands its input on, shaped or replaced.

use stepwell_expr::Payload;

use crate::{
    data::{self, Fault, Scene},
    program::{DataFlow, Transition},
    state::{Ran, State},
};

#[derive(Clone, Debug)]
pub struct Pass {
    /// JSONPath `Result`, compact.
    pub result: Option<Payload>,
    pub transition: Transition,
}

impl Pass {
    /// The result is `Result`, else the effective input.
    pub(crate) fn run(&self, state: &State, input: &Payload, scene: &Scene<'_>) -> Result<Ran, Fault> {
        let (output, assigned) = match &state.flow {
            DataFlow::JsonPath(flow) => {
                let result = match &self.result {
                    Some(result) => result.clone(),
                    None => flow.effective_input(input, scene)?,
                };
                let assigned = data::assign(&state.assign, &scene.view(&result))?;
                (flow.after_result(input, &result, scene)?, assigned)
            }
            DataFlow::Jsonata(flow) => flow.output(&state.assign, input, None, scene)?,
        };
        Ok(Ran::Exits { output, assigned, transition: self.transition })
    }
}
