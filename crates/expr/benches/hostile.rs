//! What an evaluation costs that was written to cost as much as it can: processor seconds and peak memory of each
//! hostile expression, each in a process of its own.
//!
//! The first column is what it costs with the fuel of a driver's slice, before it goes to the slow lane.
//!
//! `cargo bench -p stepwell-expr --bench hostile [-- WORD]`: all cases, or those whose expression holds WORD. The goal is at most
//! 1.5 s and 256 MiB for any of them.

#![expect(clippy::print_stdout, reason = "what it measured is printed")]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use stepwell_expr::jsonata::Expression;
use stepwell_expr::{Environment, Fuel, Value};

/// Expressions of JSONata. `$states.input` is [`input`].
const EXPRESSIONS: &str = include_str!("hostile.txt");
/// After that long by the clock a process is ended: the case has failed. The machine may have other work.
const PROCESS_SECONDS_MAX: u64 = 40;

struct Hostile {
    input: Value,
    fuel: Fuel,
}

impl Environment for Hostile {
    fn input(&self) -> &Value {
        &self.input
    }
    fn context(&self) -> &Value {
        &Value::Null
    }
    fn result(&self) -> Option<&Value> {
        None
    }
    fn error_output(&self) -> Option<&Value> {
        None
    }
    fn variable(&self, _: &str) -> Option<Value> {
        None
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

/// 240 kB of `a`, 30,000 numbers, 4,000 objects.
fn input() -> Value {
    let object = |n: i64| Value::object([("id", Value::from(n)), ("name", Value::from(format!("name {n}")))]);
    Value::object([
        ("a", Value::from("a".repeat(240_000))),
        ("numbers", Value::array((0..30_000).map(Value::from).collect())),
        ("objects", Value::array((0..4_000).map(object).collect())),
    ])
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if let [flag, expression] = arguments.as_slice()
        && flag == "one"
    {
        return one(expression);
    }
    println!("{:>8} {:>8} {:>8} {:>9}  outcome  expression", "slice ms", "cpu s", "MiB", "fuel");
    let word = arguments.first().map_or("", String::as_str);
    for expression in EXPRESSIONS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if expression.contains(word) {
            println!("{}", in_process(expression));
        }
    }
}

fn in_process(expression: &str) -> String {
    let program = std::env::current_exe().expect("this program has a path");
    let child = Command::new(program).args(["one", expression]).stdout(Stdio::piped()).spawn();
    let mut child = child.expect("this program can be started");
    let start = Instant::now();
    while child.try_wait().expect("a child can be waited for").is_none() {
        if start.elapsed() > Duration::from_secs(PROCESS_SECONDS_MAX) {
            child.kill().expect("a child can be ended");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let output = child.wait_with_output().expect("a child can be waited for");
    match String::from_utf8_lossy(&output.stdout).trim_end() {
        "" => format!("{:>8} {:>8} {:>8} {:>9}  ENDED BY {}  {expression}", "-", "-", "-", "-", output.status),
        line => line.to_owned(),
    }
}

fn one(text: &str) {
    let slice_ms = slice_ms(text);
    let environment = Hostile { input: input(), fuel: Fuel::new(1_000_000) };
    let (kib, cpu) = (peak_kib(), cpu_seconds());
    let outcome = match Expression::parse(text) {
        Ok(expression) => match expression.evaluate(&environment) {
            Ok(value) => {
                let text = value.to_string();
                text.get(..20).unwrap_or(&text).to_owned()
            }
            Err(error) => {
                let text = error.to_string();
                text.get(..60).unwrap_or(&text).to_owned()
            }
        },
        Err(error) => format!("refused: {error}"),
    };
    let cpu = cpu_seconds() - cpu;
    let mib = (peak_kib() - kib) as f64 / 1024.0;
    println!("{slice_ms:>8.1} {cpu:>8.3} {mib:>8.1} {:>9}  {outcome}  {text}", 1_000_000 - environment.fuel.left());
}

/// Milliseconds of an evaluation with the fuel of a slice (5,000 units).
fn slice_ms(text: &str) -> f64 {
    let environment = Hostile { input: input(), fuel: Fuel::new(5_000) };
    let cpu = cpu_seconds();
    if let Ok(expression) = Expression::parse(text) {
        drop(expression.evaluate(&environment));
    }
    (cpu_seconds() - cpu) * 1e3
}

/// Seconds of processor time of this process.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanos: f64 = text.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(f64::NAN);
    nanos / 1e9
}

/// The most memory that this process has held.
fn peak_kib() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}
