//! What a commit costs: `cargo bench -p stepwell-store`. That of the embedded store includes one sync of the disk that
//! holds the temporary folder.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use stepwell_store::{Batch, Embedded, Memory, Space, Store};

/// Rows as a short execution leaves them: summary, history chunk, listing.
fn executions(first: u64, count: u64) -> Batch {
    let mut batch = Batch::default();
    for number in first..first + count {
        // Spread over the keys, as hashes are.
        let id = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
        batch.put(Space::Summary, [id, id].concat(), vec![1; 480]);
        batch.put(Space::History, [id, id, 1u64.to_be_bytes()].concat(), vec![2; 400]);
        batch.put(Space::Listing, [&[1; 17][..], &number.to_be_bytes(), &id].concat(), vec![3; 60]);
    }
    batch
}

fn commits(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let embedded = Embedded::open(folder.path().join("data")).expect("the store opens");
    let memory = Memory::new();
    let stores: [(&str, &dyn Store); 2] = [("memory", &memory), ("embedded", &embedded)];
    for (name, store) in stores {
        let mut group = criterion.benchmark_group(format!("commit, {name}"));
        let mut next = 0;
        for count in [1, 16, 256] {
            group.throughput(Throughput::Elements(count));
            group.bench_function(format!("{count} executions"), |bencher| {
                let batch = || {
                    next += count;
                    executions(next, count)
                };
                bencher.iter_batched(batch, |batch| store.commit(batch), BatchSize::PerIteration);
            });
        }
        group.finish();
    }
}

criterion_group!(benches, commits);
criterion_main!(benches);
