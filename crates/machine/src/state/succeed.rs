//! Succeed: ends its scope with its input as output.

#[derive(Clone, Debug)]
pub struct Succeed {}

use stepwell_expr::Payload;

use crate::{
    data::{self, Fault, Scene},
    program::{DataFlow, Transition},
    state::{Ran, State},
};

impl Succeed {
    pub(crate) fn run(&self, state: &State, input: &Payload, scene: &Scene<'_>) -> Result<Ran, Fault> {
        let (output, assigned) = match &state.flow {
            DataFlow::JsonPath(flow) => {
                let effective = data::select(&flow.input_path, input, scene)?;
                (
                    data::select(&flow.output_path, &effective, scene)?,
                    data::assign(&state.assign, &scene.view(&effective))?,
                )
            }
            DataFlow::Jsonata(flow) => flow.output(&state.assign, input, None, scene)?,
        };
        Ok(Ran::Exits { output, assigned, transition: Transition::End })
    }
}
