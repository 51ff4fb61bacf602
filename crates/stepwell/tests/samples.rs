//! The state machines in samples/ are free of errors and warnings.

use std::fs;
use std::path::Path;

use stepwell_machine::definition::{MachineType, compile};

#[test]
fn every_sample_compiles_without_a_word() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples");
    let mut compiled = 0;
    for entry in fs::read_dir(samples).expect("the samples are there") {
        let folder = entry.expect("the samples can be listed").path();
        let Some(name) = folder.file_name().and_then(|name| name.to_str()) else { continue };
        let Ok(text) = fs::read_to_string(folder.join(format!("{name}.asl.json"))) else { continue };
        let result = compile(&text, MachineType::Standard);
        assert_eq!(result.diagnostics, [], "{name}");
        assert!(result.program.is_some(), "{name}");
        compiled += 1;
    }
    assert_eq!(compiled, 7, "one of the samples was not found");
}
