//! What must hold for every program and every order of events.

mod grammar;
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
    fn slices_make_no_difference(chain in chain(), script in script(), fuel in vec(1..60_u64, 1..5), transitions in vec(0..4_u32, 1..5)) {
        let program = compile(&chain, None);
        let sliced = run(&program, &script, Manner { fuel, transitions, punctual: true, ..Manner::plain() });
        prop_assert_eq!(sliced, run(&program, &script, Manner { punctual: true, ..Manner::plain() }));
    }

    /// What a step needs and is absent, it asks for, and nothing has happened before it has it.
    #[test]
    fn absent_payloads_make_no_difference(chain in chain(), script in script()) {
        let program = compile(&chain, None);
        let hollow = run(&program, &script, Manner { absent: true, ..Manner::plain() });
        prop_assert_eq!(hollow, run(&program, &script, Manner::plain()));
    }

    /// Any definition of the grammar, valid or not, is judged without a panic; what is valid runs as above.
    #[test]
    fn any_definition_is_judged_and_runs(bytes in vec(any::<u8>(), 0..1_000)) {
        grammar::check(&bytes);
    }
}

/// What the fuzz target of this grammar found, and what it starts from.
#[test]
fn the_corpus_of_the_fuzzer_is_judged_and_runs() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/machine");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        eprintln!("{}", file.display());
        grammar::check(&std::fs::read(&file).unwrap());
    }
}

/// Else the property above would say little.
#[test]
fn most_definitions_of_the_grammar_compile() {
    const TRIES: usize = 400;
    let mut state = 1_u64;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let ran = (0..TRIES).filter(|_| grammar::check(&(0..500).map(|_| byte()).collect::<Vec<_>>())).count();
    assert!(ran > TRIES / 2, "only {ran} of {TRIES}");
}
