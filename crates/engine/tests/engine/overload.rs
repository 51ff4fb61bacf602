//! More calls than the store takes: they are refused, not gathered.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use stepwell_engine::{
    Bounds, ExecutionError, StartExecutionError, StartedExecution, Unavailable,
    limits::{COMMIT_STEPS_MAX, COMMITS_OUTSTANDING_MAX},
};
use stepwell_store::{Store, faulty::Faulty, memory::Memory};

use crate::world::{PASS, World, start};

type Call<'a> = Pin<Box<dyn Future<Output = Result<StartedExecution, StartExecutionError>> + 'a>>;

/// More calls than can be taken in any case.
const TOO_MANY: usize = 300;

/// Numbers that a seed decides. Source: SplitMix64.
fn scrambled(seed: u64, number: u64) -> u64 {
    let mut bits = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(number.wrapping_mul(0xd1b5_4a32_d192_ed03));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[test]
fn a_store_that_hangs_throttles_callers_and_loses_none_of_the_others() {
    for seed in 1..=4 {
        eprintln!("seed {seed}");
        let drivers = if seed % 2 == 0 { 2 } else { 1 };
        let bounds = Bounds {
            inbox_calls: 10 + usize::try_from(scrambled(seed, 0) % 100).unwrap(),
            inbox_bytes: 50_000 + usize::try_from(scrambled(seed, 1) % 100_000).unwrap(),
            ..Bounds::default()
        };
        flood(seed, drivers, bounds);
    }
}

fn flood(seed: u64, drivers: usize, bounds: Bounds) {
    let faulty = Arc::new(Faulty::new(Arc::new(Memory::new()), None));
    let store: Arc<dyn Store> = faulty.clone();
    let world = World::with(store, bounds, drivers);
    world.create("m", PASS);
    world.start("m", "before", "{}");
    faulty.hold();
    let most = drivers * (bounds.inbox_calls + COMMITS_OUTSTANDING_MAX * COMMIT_STEPS_MAX);
    let (mut taken, mut throttled): (Vec<(usize, Call<'_>)>, Vec<usize>) = (Vec::new(), Vec::new());
    for number in 0..most + TOO_MANY {
        let bytes = usize::try_from(scrambled(seed, number as u64 + 2) % 4_096).unwrap();
        let input = format!("\"{}\"", "x".repeat(bytes));
        let start = start(&world.engine, "m", &format!("x{number}"), &input);
        let mut call: Call<'_> = Box::pin(world.engine.start_execution(start));
        match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => taken.push((number, call)),
            Poll::Ready(Err(StartExecutionError::Unavailable(Unavailable::Throttled))) => throttled.push(number),
            Poll::Ready(other) => panic!("seed {seed}: {other:?}"),
        }
    }
    assert!(taken.len() <= most, "seed {seed}: {} calls wait, {most} may", taken.len());
    assert!(throttled.len() >= TOO_MANY, "seed {seed}");
    faulty.release();
    let arn = |number: usize| format!("{}:execution:m:x{number}", world.engine.arn_prefix());
    for (number, call) in taken {
        let started = world.run(call).unwrap_or_else(|error| panic!("seed {seed}, {number}: {error}"));
        assert_eq!(*started.arn, *arn(number));
        assert!(world.end(&started.arn).starts_with("SUCCEEDED"), "seed {seed}, {number}");
    }
    for number in throttled {
        let found = world.run(world.engine.execution(&arn(number)));
        assert!(matches!(found, Err(ExecutionError::DoesNotExist)), "seed {seed}, {number}: {found:?}");
    }
    world.start("m", "after", "{}");
    assert_eq!(world.engine.health().open_executions, 0);
}
