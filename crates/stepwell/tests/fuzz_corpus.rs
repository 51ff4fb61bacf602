//! Replays the inputs that the fuzz targets start from and those that once broke something, on the stable toolchain.

#[path = "../../../fuzz/src/checks.rs"]
mod checks;
#[path = "../../../fuzz/src/requests.rs"]
mod requests;

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file of the corpus, by name, so that a failure says which one it was.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = root().join("fuzz/corpus").join(target);
    let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(&folder)
        .expect("the corpus is there")
        .map(|entry| {
            let path = entry.expect("the corpus can be listed").path();
            (path.display().to_string(), fs::read(&path).expect("a file of the corpus can be read"))
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no corpus for {target}");
    files
}

/// Runs `check` on every input and on every cut of the short ones: torn input is the most common broken input.
fn replay(target: &str, check: fn(&[u8])) {
    for (name, data) in corpus(target) {
        eprintln!("{name}");
        check(&data);
        if data.len() <= 1024 {
            for end in 0..data.len() {
                check(&data[..end]);
            }
        }
    }
}

#[test]
fn definitions() {
    replay("definition", checks::definition);
    for sample in fs::read_dir(root().join("samples")).expect("the samples are there") {
        let folder = sample.expect("the samples can be listed").path();
        let Some(name) = folder.file_name().and_then(|name| name.to_str()) else { continue };
        if let Ok(text) = fs::read(folder.join(format!("{name}.asl.json"))) {
            checks::definition(&text);
        }
    }
}

#[test]
fn paths_and_intrinsic_calls() {
    replay("jsonpath", checks::jsonpath);
}

#[test]
fn json_texts() {
    replay("json", checks::json);
}

#[test]
fn whole_requests() {
    replay("request", requests::request);
}
