//! What must hold for any bytes that are a definition, a path or JSON. Shared by the fuzz targets and by the test that replays their corpora on stable
//! (crates/stepwell/tests/fuzz_corpus.rs), so each includes this file.

use std::cell::Cell;

use stepwell_expr::intrinsic::Call;
use stepwell_expr::jsonpath::Path;
use stepwell_expr::{Environment, Fuel, Value, json};
use stepwell_machine::definition::{MachineType, compile};

/// Fuel of one evaluation: enough for anything sensible, little enough for thousands of runs a second.
const FUEL: u64 = 20_000;

/// A definition compiles, or says what is wrong with it; twice the same.
pub(crate) fn definition(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for machine_type in [MachineType::Standard, MachineType::Express] {
        let compiled = compile(text, machine_type);
        assert!(compiled.program.is_some() || !compiled.diagnostics.is_empty(), "refused without a reason");
        for diagnostic in &compiled.diagnostics {
            assert!(!diagnostic.message.is_empty(), "a diagnostic says nothing");
        }
        assert_eq!(compile(text, machine_type).diagnostics, compiled.diagnostics, "the second time differs");
    }
}

/// The first line is a path or an intrinsic call, the rest a document that it is read from.
pub(crate) fn jsonpath(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (path, document) = text.split_once('\n').unwrap_or((text, "{}"));
    let Ok(input) = json::parse(document) else { return };
    if let Ok(path) = Path::parse(path) {
        let _ = path.variables();
        let _ = path.reads_context();
        let _ = path.read(&Given::new(input.clone()));
        if path.is_reference()
            && !path.reads_context()
            && path.variables().is_empty()
            && let Ok(written) = path.write(&input, Value::string("here"))
        {
            let read = path.read(&Given::new(written)).expect("what was written can be read");
            assert_eq!(read, Value::string("here"), "another value was read than was written");
        }
    }
    if let Ok(call) = Call::parse(path) {
        let _ = call.variables();
        let _ = call.evaluate(&Given::new(input));
    }
}

/// Any text is JSON or not; what is read and written is read as the same value again.
pub(crate) fn json(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(value) = json::parse(text) else {
        assert!(json::check(text).is_err(), "checked as JSON, yet not read");
        return;
    };
    assert!(json::check(text).is_ok(), "read as JSON, yet not so checked");
    let written = json::to_text(&value);
    assert_eq!(json::parse(&written), Ok(value), "another value was read than was written");
}

/// An environment in which `input` is everything there is.
struct Given {
    input: Value,
    random: Cell<u64>,
    fuel: Fuel,
}

impl Given {
    fn new(input: Value) -> Given {
        Given { input, random: Cell::new(0), fuel: Fuel::new(FUEL) }
    }
}

impl Environment for Given {
    fn input(&self) -> &Value {
        &self.input
    }

    fn context(&self) -> &Value {
        &self.input
    }

    fn result(&self) -> Option<&Value> {
        None
    }

    fn error_output(&self) -> Option<&Value> {
        None
    }

    fn variable(&self, name: &str) -> Option<Value> {
        (name == "var").then(|| self.input.clone())
    }

    fn random_u64(&self) -> u64 {
        self.random.set(self.random.get().wrapping_add(0x9E37_79B9_7F4A_7C15));
        self.random.get()
    }

    fn now_ms(&self) -> i64 {
        0
    }

    fn fuel(&self) -> &Fuel {
        &self.fuel
    }
}
