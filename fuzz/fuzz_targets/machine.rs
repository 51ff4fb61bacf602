//! Definitions that bytes choose from a grammar, and what happens to their executions: the property tests of the
//! machine, with coverage to guide the choices.
#![no_main]

#[path = "../../crates/machine/tests/properties/grammar.rs"]
mod grammar;
#[expect(dead_code, reason = "the property tests draw their programs here; this target needs the input alone")]
#[path = "../../crates/machine/tests/properties/programs.rs"]
mod programs;
#[expect(dead_code, reason = "the scripts of the property tests are drawn otherwise")]
#[path = "../../crates/machine/tests/properties/runs.rs"]
mod runs;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    grammar::check(data);
});
