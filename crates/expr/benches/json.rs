//! What JSON costs beside `serde_json`: `cargo bench -p stepwell-expr --bench json`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use stepwell_expr::json;

const ROW: &str =
    r#"{"sku":"A-100-200-300","qty":3,"price":12.5,"tags":["red","large","new"],"note":"left at the door"}"#;

/// About as many KiB of rows as are asked for, as a payload has them.
fn document(kib: usize) -> String {
    format!(r#"{{"n":0,"rows":[{}]}}"#, vec![ROW; kib * 1024 / (ROW.len() + 1)].join(","))
}

fn documents(criterion: &mut Criterion) {
    for kib in [1, 200] {
        let text = document(kib);
        let mut group = criterion.benchmark_group(format!("json, {kib} KiB"));
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function("check", |bencher| bencher.iter(|| json::check(black_box(&text)).is_ok()));
        group.bench_function("parse", |bencher| bencher.iter(|| json::parse(black_box(&text)).expect("it is JSON")));
        let value = json::parse(&text).expect("it is JSON");
        group.bench_function("write", |bencher| bencher.iter(|| black_box(&value).to_string()));
        group.bench_function("serde_json: parse and write", |bencher| {
            bencher.iter(|| {
                let value: serde_json::Value = serde_json::from_str(black_box(&text)).expect("it is JSON");
                value.to_string()
            });
        });
        group.finish();
    }
}

criterion_group!(benches, documents);
criterion_main!(benches);
