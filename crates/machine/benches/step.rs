//! What steps cost: `cargo bench -p stepwell-machine`.

use std::{hint::black_box, sync::Arc};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use stepwell_expr::Payload;
use stepwell_machine::{
    Event, Execution, Identity, Moment, Program, Step, Stepped,
    definition::{MachineType, compile},
    limits::{FUEL_SLICE, Limits},
    root::Root,
    step,
};

const INPUT: &str =
    r#"{"order":"o-1","customer":"c-2","total":129.95,"items":[{"sku":"A-1","qty":2},{"sku":"B-7","qty":1}]}"#;
const LAMBDA: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";

fn program(definition: &str) -> Program {
    let compiled = compile(definition, MachineType::Standard);
    compiled.program.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics))
}

fn execution(input: &str) -> Execution {
    Execution::new(Arc::new(Identity {
        arn: "arn:aws:states:us-east-1:123456789012:execution:m:x".into(),
        name: "x".into(),
        state_machine_arn: "arn:aws:states:us-east-1:123456789012:stateMachine:m".into(),
        state_machine_name: "m".into(),
        role_arn: "arn:aws:iam::123456789012:role/r".into(),
        region: "us-east-1".into(),
        id: [7; 16],
        root: Root([1; 32]),
        start_ms: 1_700_000_000_000,
        input: Payload::from_checked_text(input),
        workflow: stepwell_machine::Workflow::Standard,
        child: None,
        qualifier: None,
        test_case: None,
    }))
}

fn start(program: &Program, execution: &Execution) -> Step {
    let moment = Moment {
        now_ms: 1_700_000_000_000,
        activity_exists: &|_| true,
        parameters_problem: &|_, _, _| None,
        limits: &Limits::default(),
        transitions_max: u32::MAX,
    };
    match step(program, execution, Event::Started, moment, FUEL_SLICE) {
        Stepped::Done(step) => step,
        Stepped::Needs(_) | Stepped::Slow => panic!("nothing is absent and nothing is slow"),
    }
}

fn chain(count: usize) -> String {
    let state = |number: usize| match number + 1 == count {
        true => format!(r#""S{number}":{{"Type":"Pass","End":true}}"#),
        false => format!(r#""S{number}":{{"Type":"Pass","Next":"S{}"}}"#, number + 1),
    };
    format!(r#"{{"StartAt":"S0","States":{{{}}}}}"#, (0..count).map(state).collect::<Vec<_>>().join(","))
}

fn counter_loop() -> String {
    r#"{"StartAt":"Init","States":{"Init":{"Type":"Pass","Result":{"i":0},"Next":"Step"},
    "Step":{"Type":"Pass","Parameters":{"i.$":"States.MathAdd($.i, 1)"},"Next":"More"},
    "More":{"Type":"Choice","Choices":[{"Variable":"$.i","NumericLessThan":100,"Next":"Step"}],"Default":"Done"},
    "Done":{"Type":"Succeed"}}}"#
        .to_owned()
}

fn map() -> String {
    format!(r#"{{"StartAt":"M","States":{{"M":{{"Type":"Map","ItemProcessor":{},"End":true}}}}}}"#, chain(3))
}

fn task() -> String {
    format!(r#"{{"StartAt":"T","States":{{"T":{{"Type":"Task","Resource":"{LAMBDA}","End":true}}}}}}"#)
}

fn steps(criterion: &mut Criterion) {
    let items = format!("[{}]", vec!["1"; 100].join(","));
    let cases: [(&str, String, &str, u64); 4] = [
        ("10 Pass states", chain(10), INPUT, 10),
        ("loop of Pass and Choice, 100 turns", counter_loop(), "{}", 200),
        ("inline Map, 100 items of 3 Pass states", map(), &items, 300),
        ("schedule a task", task(), INPUT, 1),
    ];
    let mut group = criterion.benchmark_group("step");
    for (name, definition, input, transitions) in cases {
        let program = program(&definition);
        group.throughput(Throughput::Elements(transitions));
        group.bench_function(name, |bencher| {
            bencher.iter_batched_ref(
                || execution(input),
                |execution| black_box(start(&program, execution)),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, steps);
criterion_main!(benches);
