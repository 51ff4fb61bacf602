//! What the JSONata of a typical workflow costs, beside the bare engine: microseconds to compile and to evaluate each
//! expression of `typical.json`, on an input of 1 KiB and on one of 200 KiB.
//!
//! `cargo bench -p stepwell-expr --bench typical`; with `-- --json` one JSON object, which `compat/bench_jsonata` sets
//! beside the npm package. The bare engine is measured twice: given its input and variables ready-made, and making them
//! of ours, as a state's input is another one each time.

#![expect(clippy::print_stdout, reason = "what it measured is printed")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use jlens_core::{Bindings, Expression as Engine, Options};
use stepwell_expr::jsonata::Expression;
use stepwell_expr::{Environment, Fuel, Value, json};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Rounds of one measurement; the fastest counts, as what slows the others down is not ours.
const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_millis(10);
const FUEL: u64 = 1_000_000;

struct State {
    input: Value,
    context: Value,
    variables: Value,
    fuel: Fuel,
}

impl Environment for State {
    fn input(&self) -> &Value {
        &self.input
    }
    fn context(&self) -> &Value {
        &self.context
    }
    fn result(&self) -> Option<&Value> {
        None
    }
    fn error_output(&self) -> Option<&Value> {
        None
    }
    fn variable(&self, name: &str) -> Option<Value> {
        self.variables.get(name).cloned()
    }
    fn random_u64(&self) -> u64 {
        7
    }
    fn now_ms(&self) -> i64 {
        1_700_000_000_000
    }
    fn fuel(&self) -> &Fuel {
        &self.fuel
    }
}

/// Microseconds of one call, in the fastest round.
fn micros(mut call: impl FnMut()) -> f64 {
    let round = |_| {
        let (start, mut calls) = (Instant::now(), 0.0);
        while start.elapsed() < ROUND {
            (0..16).for_each(|_| call());
            calls += 16.0;
        }
        start.elapsed().as_secs_f64() * 1e6 / calls
    };
    (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
}

/// `input` with copies of its items beside them.
fn large(input: &Value, copies: i64) -> Value {
    let archive = (0..copies).filter_map(|_| input.get("items").cloned()).collect();
    let members = input.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone()));
    Value::object(members.chain([("archive".into(), Value::array(archive))]))
}

/// As the bare engine takes it.
fn converted(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(bool) => (*bool).into(),
        Value::Number(number) => number.as_f64().into(),
        Value::String(text) => text.to_string().into(),
        Value::Array(items) => items.iter().map(converted).collect(),
        Value::Object(members) => {
            serde_json::Value::Object(members.iter().map(|(key, value)| (key.to_string(), converted(value))).collect())
        }
    }
}

struct Row {
    name: &'static str,
    input_bytes: usize,
    text: String,
    /// Ours; the bare engine.
    compile: [f64; 2],
    /// Ours; the bare engine; the bare engine and the conversion.
    evaluate: [f64; 3],
}

fn measure(name: &'static str, text: &str, input: &Value, variables: &Value) -> Row {
    let ours = Expression::parse(text).expect("an expression");
    let bare = Engine::compile(text).expect("an expression");
    let bindings = || {
        let states = serde_json::json!({"input": converted(input), "context": {}});
        let variables = variables.as_object().into_iter().flatten();
        variables.fold(Bindings::new().var("states", states), |bindings, (name, value)| {
            bindings.var(&**name, converted(value))
        })
    };
    let ready = bindings();
    let options = Options::new().now(0).seed(7);
    let mut state = State {
        input: input.clone(),
        context: Value::empty_object(),
        variables: variables.clone(),
        fuel: Fuel::new(FUEL),
    };
    let found = ours.evaluate(&state).expect("it has a value");
    let wanted = bare.evaluate_with(None, &ready, &options).expect("it has a value").expect("it is defined");
    assert_eq!(found, json::parse(&wanted.to_string()).expect("JSON"), "{text}");
    Row {
        name,
        input_bytes: json::to_text(input).len(),
        text: text.to_owned(),
        compile: [
            micros(|| _ = black_box(Expression::parse(black_box(text)))),
            micros(|| _ = black_box(Engine::compile(black_box(text)))),
        ],
        evaluate: [
            micros(|| {
                state.fuel = Fuel::new(FUEL);
                let _ = black_box(ours.evaluate(&state));
            }),
            micros(|| _ = black_box(bare.evaluate_with(None, &ready, &options))),
            micros(|| _ = black_box(bare.evaluate_with(None, &bindings(), &options))),
        ],
    }
}

fn main() {
    let typical: &'static Value =
        Box::leak(Box::new(json::parse(include_str!("typical.json")).expect("the file is JSON")));
    let member = |name: &str| typical.get(name).expect("the file has the member");
    let small = member("input");
    let large = large(small, member("archive_copies").as_i64().expect("a number"));
    let mut rows = Vec::new();
    for input in [small, &large] {
        for pair in member("expressions").as_array().unwrap_or_default() {
            let [Value::String(name), Value::String(text)] = pair.as_array().unwrap_or_default() else {
                panic!("an expression is a name and a text");
            };
            rows.push(measure(name, text, input, member("variables")));
        }
    }
    if std::env::args().any(|argument| argument == "--json") {
        let rows = rows.iter().map(|row| {
            Value::object([
                ("name", Value::from(row.name)),
                ("inputBytes", Value::from(row.input_bytes as i64)),
                ("expression", Value::from(row.text.as_str())),
                ("compile", Value::array(row.compile.map(micros_value).to_vec())),
                ("evaluate", Value::array(row.evaluate.map(micros_value).to_vec())),
            ])
        });
        println!("{}", Value::array(rows.collect()));
        return;
    }
    println!("{:>28}{:>42}", "compile, us", "evaluate, us");
    println!("{:>8} {:>9}{:>10}{:>14}{:>14}{:>14}  expression", "bytes", "ours", "bare", "ours", "bare", "converting");
    for row in rows {
        let ([compile, bare_compile], [evaluate, bare, converting]) = (row.compile, row.evaluate);
        println!(
            "{:>8} {compile:>9.2}{bare_compile:>10.2}{evaluate:>14.2}{bare:>14.2}{converting:>14.2}  {}",
            row.input_bytes, row.text
        );
    }
}

fn micros_value(micros: f64) -> Value {
    Value::Number(stepwell_expr::Number::Double(micros))
}
