#![no_main]

#[expect(dead_code, reason = "this target is one of the three checks")]
#[path = "../src/checks.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::json(data));
