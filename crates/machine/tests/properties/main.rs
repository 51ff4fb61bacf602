//! What must hold for every program and every order of events.

mod programs;
mod runs;

use proptest::{collection::vec, option, prelude::*};
use stepwell_machine::{
    Program,
    definition::{self, MachineType},
};

use programs::{Shape, chain};
use runs::{Manner, run, script};

fn compile(chain: &[Shape], timeout_seconds: Option<u8>) -> Program {
    let text = programs::definition(chain, timeout_seconds);
    let compiled = definition::compile(&text, MachineType::Standard);
    compiled.program.unwrap_or_else(|| panic!("{:?} in {text}", compiled.diagnostics))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// No event makes a step panic; histories, frames, results and tasks stay whole (see `Run::check`); a step taken
    /// again is the same.
    #[test]
    fn every_step_is_sound(chain in chain(), timeout in option::weighted(0.2, 5..40_u8), script in script()) {
        run(&compile(&chain, timeout), &script, Manner { twice: true, ..Manner::plain() });
    }

    /// An execution cut into steps of any size has one history; timestamps too, if each step is taken in time.
    #[test]
    fn slices_make_no_difference(chain in chain(), script in script(), fuel in vec(1..60_u64, 1..5)) {
        let program = compile(&chain, None);
        let sliced = run(&program, &script, Manner { fuel, punctual: true, ..Manner::plain() });
        prop_assert_eq!(sliced, run(&program, &script, Manner { punctual: true, ..Manner::plain() }));
    }

    /// What a step needs and is absent, it asks for, and nothing has happened before it has it.
    #[test]
    fn absent_payloads_make_no_difference(chain in chain(), script in script()) {
        let program = compile(&chain, None);
        let hollow = run(&program, &script, Manner { absent: true, ..Manner::plain() });
        prop_assert_eq!(hollow, run(&program, &script, Manner::plain()));
    }
}
