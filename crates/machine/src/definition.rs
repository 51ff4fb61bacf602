//! Definition text to [`Program`], or to every problem; the only file that sees raw definitions.

use crate::{Diagnostic, Program};

/// The type of a state machine; Express forbids callbacks, `.sync` and activities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MachineType {
    Standard,
    Express,
}

/// What a definition gave: a program if no diagnostic is an error; warnings may come with it.
#[derive(Clone, Debug)]
pub struct Compiled {
    pub program: Option<Program>,
    pub diagnostics: Vec<Diagnostic>,
}

/// Parses, checks and compiles a definition; reports every problem, not only the first.
pub fn compile(_text: &str, _machine_type: MachineType) -> Compiled {
    unimplemented!()
}
