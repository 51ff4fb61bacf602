//! Pass: hands its input on, shaped or replaced.

use stepwell_expr::Payload;

use crate::{
    data::{self, Fault, Scene},
    definition::{
        compiler::{BOTH, Compiler, FieldTable, JSON_PATH},
        template::holds_path,
    },
    diagnostic::Code,
    program::{DataFlow, QueryLanguage, Transition},
    state::{Ran, Source, State},
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
                    Some(result) => {
                        scene.saw(|stages| stages.result = Some(result.clone()));
                        result.clone()
                    }
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

pub(crate) const FIELDS: &FieldTable =
    &[("Result", JSON_PATH), ("Parameters", JSON_PATH), ("ResultPath", JSON_PATH), ("Assign", BOTH)];

impl Pass {
    pub(crate) fn compile(source: &Source, compiler: &mut Compiler) -> Option<Pass> {
        let result = match source.language {
            QueryLanguage::JsonPath => source.fields.get("Result"),
            QueryLanguage::Jsonata => None,
        };
        if result.is_some_and(holds_path) {
            let message = "Attempt to use a path in the result of a pass state.";
            compiler.warn(Code::PassResultIsStatic, &source.fields.at("Result"), message);
        }
        let transition = source.transition(compiler)?;
        Some(Pass { result: result.cloned().map(Payload::from_value), transition })
    }
}
