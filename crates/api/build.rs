//! Gives the crate the shapes of AWS services' answers, if they were made: `include_bytes!` wants a file in any case.
//!
//! They are made by `scripts/result-shapes`, which `scripts/setup` runs. Without them everything builds; only TestState
//! takes any JSON as the result that stands in for a service's.

use std::{env, fs, path::Path};

fn main() {
    // A file that is not there would count as changed, at every build: then it is the folder that may change.
    let watched = if Path::new("results.bin").exists() { "results.bin" } else { "." };
    println!("cargo::rerun-if-changed={watched}");
    println!("cargo::rerun-if-changed=build.rs");
    let shapes = fs::read("results.bin").unwrap_or_default();
    let folder = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&folder).join("results.bin"), shapes).expect("OUT_DIR can be written");
}
