//! Has the console embedded anew when it was built anew. Builds nothing itself: that takes Node, `scripts/console` does.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../../console/dist");
    println!("cargo::rerun-if-env-changed=STEPWELL_REQUIRE_CONSOLE");
    let required = std::env::var_os("STEPWELL_REQUIRE_CONSOLE").is_some();
    if required && !Path::new("../../console/dist/site/index.html").exists() {
        println!("cargo::error=the console is not built: run scripts/console");
    }
}
