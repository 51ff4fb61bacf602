//! What executions cost the store, in bytes.

use std::sync::Arc;

use stepwell_engine::Bounds;
use stepwell_store::{Store, faulty::Faulty, memory::Memory};

use crate::world::{World, function};

/// What the rows of one execution take beside its payload, at most.
const ROWS_BYTES: u64 = 16 * 1024;

fn chain(count: usize) -> String {
    let state = |number: usize| format!(r#""S{number}":{{"Type":"Pass","Next":"S{}"}}"#, number + 1);
    let states: Vec<String> = (1..count).map(state).collect();
    format!(r#"{{"StartAt":"S1","States":{{{},"S{count}":{{"Type":"Pass","End":true}}}}}}"#, states.join(","))
}

#[test]
fn an_unchanged_payload_is_stored_once() {
    let faulty = Arc::new(Faulty::new(Arc::new(Memory::new()), None));
    let store: Arc<dyn Store> = faulty.clone();
    let world = World::with(store, Bounds::default(), 1);
    let branch =
        |name: &str| format!(r#"{{"StartAt":"{name}","States":{{"{name}":{{"Type":"Pass","Result":1,"End":true}}}}}}"#);
    let branches = [branch("B"), branch("C")].join(",");
    let machines = [
        ("ten states in one commit", chain(10)),
        ("several commits, and out of memory in between", {
            let wait = |name: &str, next: &str| format!(r#""{name}":{{"Type":"Wait","Seconds":100,{next}}}"#);
            let states = [wait("A", r#""Next":"B""#), wait("B", r#""Next":"C""#), wait("C", r#""End":true"#)];
            format!(r#"{{"StartAt":"A","States":{{{}}}}}"#, states.join(","))
        }),
        ("through a task", function("echo")),
        (
            "through branches",
            format!(
                r#"{{"StartAt":"P","States":{{"P":{{"Type":"Parallel","Branches":[{branches}],"ResultPath":null,"End":true}}}}}}"#
            ),
        ),
    ];
    let text = format!(r#"{{"text":"{}"}}"#, "x".repeat(200_000));
    for (number, (what, definition)) in machines.iter().enumerate() {
        let name = format!("m{number}");
        world.create(&name, definition);
        let before = faulty.bytes();
        let arn = world.start(&name, "x", &text);
        assert_eq!(world.end(&arn), format!("SUCCEEDED {text}"), "{what}");
        let written = faulty.bytes() - before;
        let payload = text.len() as u64;
        assert!((payload..payload + ROWS_BYTES).contains(&written), "{what}: {written} bytes");
    }
}
