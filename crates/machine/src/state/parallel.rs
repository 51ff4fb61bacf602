//! Parallel: runs its branches side by side on one input.

use stepwell_expr::Payload;

use crate::{
    data::{Fault, Scene},
    definition::compiler::{BOTH, Compiler, FieldTable, JSON_PATH, JSONATA},
    program::{DataFlow, ScopeId, Transition},
    retry::{Catcher, Retrier},
    state::{Ran, Source, State},
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

pub(crate) const FIELDS: &FieldTable = &[
    ("Branches", BOTH),
    ("Parameters", JSON_PATH),
    ("ResultSelector", JSON_PATH),
    ("ResultPath", JSON_PATH),
    ("Arguments", JSONATA),
    ("Assign", BOTH),
    ("Retry", BOTH),
    ("Catch", BOTH),
];

/// Fields of a branch.
pub(crate) const BRANCH_FIELDS: &FieldTable = &[("StartAt", BOTH), ("States", BOTH), ("Comment", BOTH)];

impl Parallel {
    pub(crate) fn compile(source: &Source, compiler: &mut Compiler) -> Option<Parallel> {
        source.fields.require(&["Branches"], compiler);
        let place = source.fields.at("Branches");
        let branches = source.fields.array("Branches", true, compiler).and_then(|branches| {
            let scopes: Vec<Option<ScopeId>> = branches
                .iter()
                .enumerate()
                .map(|(index, branch)| source.nested_scope(index, branch, &place.index(index), compiler))
                .collect();
            scopes.into_iter().collect::<Option<Vec<_>>>()
        });
        let retry = Retrier::compile_all(source, compiler);
        let catch = Catcher::compile_all(source, compiler);
        let transition = source.transition(compiler);
        Some(Parallel { branches: branches?, retry: retry?, catch: catch?, transition: transition? })
    }
}
