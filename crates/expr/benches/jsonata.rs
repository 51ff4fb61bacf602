//! What JSONata costs: microseconds for one evaluation of typical expressions, and the fuel it burned.
//!
//! `cargo bench -p stepwell-expr`. Full fuel is 1,000,000 units and should be about a second, so in the last two
//! columns a unit should be near a microsecond.

#![expect(clippy::print_stdout, reason = "what it measured is printed")]

use std::time::{Duration, Instant};

use stepwell_expr::jsonata::Expression;
use stepwell_expr::{Environment, Fuel, Value, json};

struct Bench {
    input: Value,
    context: Value,
    fuel: Fuel,
}

impl Environment for Bench {
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
        (name == "total").then(|| Value::from(3))
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

const FUEL: u64 = 1_000_000;

const EXPRESSIONS: [&str; 22] = [
    "$states.input.x",
    "$states.input",
    "$states.input.x = 1",
    "$states.input.x + 1",
    "$states.input.x < 10 and $states.input.name = 'order'",
    "$merge([$states.input.one, {'n': $total + 1}])",
    "{'id': $states.input.name & '-' & $total, 'n': $states.input.x}",
    "$uuid()",
    "$sum($states.input.few.(price * qty))",
    "$states.input.few[qty > 2].{'sku': sku, 'sum': price * qty}",
    "$count($states.input.items)",
    "$sum($states.input.items.(price * qty))",
    "$states.input.items[qty > 2].sku",
    "$map($states.input.items, function($i) { $merge([$i, {'total': $i.price * $i.qty}]) })",
    "$states.input.items{sku: $sum(price)} ~> $keys() ~> $count()",
    "$string($states.input) ~> $length()",
    "$distinct($states.input.items.sku) ~> $count()",
    "$sum($map([1..100000], function($v) { $v % 7 }))",
    "($f := function($n) { $n > 300000 ? $n : $f($n + 1) }; $f(0))",
    "$count($distinct([1..8000]))",
    "($s := $pad('', 100000, 'x'); $count($map([1..2000], function($v) { $s & 'y' })))",
    "($f := function($n) { $f($n + 1) }; $f(0))",
];

fn main() {
    let items = |count: i64| {
        let item = |n: i64| {
            Value::object([
                ("sku", Value::from(format!("sku-{}", n % 500))),
                ("price", Value::from(n % 100)),
                ("qty", Value::from(n % 5)),
                ("note", Value::from("to be sent by the quickest way")),
            ])
        };
        Value::array((0..count).map(item).collect())
    };
    let input = Value::object([
        ("x", Value::from(1)),
        ("name", Value::from("order")),
        ("one", json::parse(r#"{"a": 1, "b": {"c": [1, 2]}}"#).expect("JSON")),
        ("few", items(10)),
        ("items", items(2_000)),
    ]);
    println!("{:>12} {:>10} {:>10}  expression", "us", "fuel", "fuel/us");
    for text in EXPRESSIONS {
        let expression = Expression::parse(text).expect("an expression");
        let mut environment = Bench { input: input.clone(), context: Value::empty_object(), fuel: Fuel::new(FUEL) };
        let _ = expression.evaluate(&environment);
        let burned = FUEL - environment.fuel.left();
        let (mut rounds, start) = (0, Instant::now());
        while start.elapsed() < Duration::from_millis(200) {
            environment.fuel = Fuel::new(FUEL);
            let _ = std::hint::black_box(expression.evaluate(&environment));
            rounds += 1;
        }
        let micros = start.elapsed().as_secs_f64() * 1e6 / f64::from(rounds);
        println!("{micros:>12.2} {burned:>10} {:>10.2}  {text}", burned as f64 / micros);
    }
}
