//! Gives the crate the models of AWS services, if they were made: `include_bytes!` wants a file in any case.
//!
//! They are made by `scripts/services`, which `scripts/setup` runs. Without them everything builds and every test runs;
//! only calls to AWS services answer that the models are missing.

use std::{env, fs, path::Path};

fn main() {
    println!("cargo::rerun-if-changed=services.bin");
    println!("cargo::rerun-if-changed=build.rs");
    let models = fs::read("services.bin").unwrap_or_else(|_| {
        println!("cargo::warning=services.bin is missing, so AWS services cannot be called: run scripts/setup");
        Vec::new()
    });
    let folder = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&folder).join("services.bin"), models).expect("OUT_DIR can be written");
}
