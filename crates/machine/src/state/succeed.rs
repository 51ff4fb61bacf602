//! Succeed: ends its scope with its input as output.

use stepwell_expr::Payload;

use crate::{
    data::{self, Fault, Scene},
    definition::compiler::FieldTable,
    program::{DataFlow, Transition},
    state::{Ran, State},
};

#[derive(Clone, Debug)]
pub struct Succeed {}

impl Succeed {
    pub(crate) fn run(&self, state: &State, input: &Payload, scene: &Scene<'_>) -> Result<Ran, Fault> {
        let (output, assigned) = match &state.flow {
            DataFlow::JsonPath(flow) => {
                let effective = flow.selected_input(input, scene)?;
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

pub(crate) const FIELDS: &FieldTable = &[];
