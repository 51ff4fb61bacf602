//! What is written comes back, and no row is left or written without need.

use std::sync::Arc;

use stepwell_expr::Payload;
use stepwell_machine::{
    Effect, Execution, Failure, Frame, FrameId, Status, Step, TaskId,
    execution::{Phase, TaskWait},
    history::Detail,
};
use stepwell_store::{Batch, Memory, Space, Store};

use super::samples::{
    Run, START_MS, count, details, everything, frame, identity, json, long, payloads, phases, picture, rows, run_task,
    succeeded, task,
};
use crate::record::{
    ExecutionId, Intent, Offer, Shards, Timer, intents, load, load_wrecked, offers, record_start, record_step,
    runnable, summary, timers,
};

fn assert_comes_back(run: &Run<'_>) {
    let loaded = run.loaded();
    assert_eq!(picture(run.store, &loaded.execution), picture(run.store, &run.execution));
    let mut books = loaded.books;
    // Only what a load can know of: texts of the history alone are not in it.
    assert!(books.texts.is_subset(&run.books.texts));
    books.texts = run.books.texts.clone();
    books.queued.retain(|task| run.books.queued.contains(task));
    assert_eq!(format!("{books:?}"), format!("{:?}", run.books));
}

#[test]
fn every_phase_comes_back() {
    for phase in phases() {
        let store = Memory::new();
        let mut run = Run::new(&store, identity("e", START_MS, json("{}")));
        let mut step = run.next();
        step.frames.insert(FrameId(0), Some(Arc::new(frame(phase))));
        run.step(&step);
        assert_comes_back(&run);
    }
}

#[test]
fn an_execution_that_holds_everything_comes_back_and_goes_on() {
    let store = Memory::new();
    let mut run = Run::new(&store, identity("e", START_MS, long('x')));
    run.step(&everything(&run));
    assert_comes_back(&run);

    // It goes on from what was loaded, as after a restart.
    let loaded = run.loaded();
    assert!(payloads(&loaded.execution).iter().any(Payload::is_absent));
    let mut run = Run { store: &store, execution: loaded.execution, books: loaded.books };
    let mut step = run.events(vec![Detail::TaskStateAborted]);
    let top = Frame { state: stepwell_machine::StateId(9), ..Frame::clone(&run.execution.frames[&FrameId(0)]) };
    step.frames.insert(FrameId(0), Some(Arc::new(top)));
    step.frames.insert(FrameId(4), None);
    let mut results = Vec::clone(&run.execution.results[&(FrameId(10), 0)]);
    results[1] = Some(json("1"));
    step.results.insert((FrameId(10), 0), Some(Arc::new(results)));
    step.results.insert((FrameId(10), 1), None);
    step.effects.push(Effect::DropTask { task: TaskId(20) });
    // Chunk, frame, frame gone, two results, intent gone, header.
    assert_eq!(run.step(&step), 7);
    assert_comes_back(&run);
}

#[test]
fn the_only_frame_is_part_of_the_summary_row_or_with_a_long_input_of_the_headers() {
    for (input, header) in [(json("{}"), 0), (long('x'), 1)] {
        the_only_frame_is_beside_the_header(input, header);
    }
}

/// `header`: rows of it while there is one frame from the start on.
fn the_only_frame_is_beside_the_header(input: Payload, header: usize) {
    let store = Memory::new();
    let mut run = Run::new(&store, identity("e", START_MS, input));
    let mut step = run.next();
    let top = Frame { parent: None, ..frame(Phase::Run) };
    step.frames.insert(FrameId(0), Some(Arc::new(top.clone())));
    run.step(&step);
    let variables = usize::from(!top.variables.is_empty());
    assert_eq!(count(&store, Space::Frames), header + variables);
    assert_comes_back(&run);

    // It changes alone, in a step without events.
    let mut step = run.next();
    step.header.next_event = run.execution.header.next_event;
    step.frames.insert(FrameId(0), Some(Arc::new(Frame { phase: Phase::Enter, ..top.clone() })));
    assert_eq!(run.step(&step), 1);
    assert_eq!(count(&store, Space::Frames), header + variables);
    assert_comes_back(&run);

    // Another one comes: both have rows, also the one that did not change.
    let mut step = run.next();
    step.frames.insert(FrameId(1), Some(Arc::new(frame(Phase::Run))));
    run.step(&step);
    assert_eq!(count(&store, Space::Frames), 3 + 2 * variables);
    assert_comes_back(&run);

    // It goes again, after a restart.
    let loaded = run.loaded();
    let mut run = Run { store: &store, execution: loaded.execution, books: loaded.books };
    let mut step = run.next();
    step.frames.insert(FrameId(1), None);
    run.step(&step);
    assert_eq!(count(&store, Space::Frames), 1 + variables);
    assert_comes_back(&run);

    // What is left of one that failed is a frame without a header.
    let failed = Status::Failed { failure: Failure::new("Error", "cause"), stop_ms: START_MS + 9 };
    let mut step = run.next();
    step.header.status = failed;
    run.step(&step);
    assert_eq!(count(&store, Space::Frames), 1 + variables);
    let left = load_wrecked(&store, run.id()).unwrap().unwrap().execution;
    assert_eq!(left.frames.len(), 1);
}

#[test]
fn the_end_leaves_summary_history_and_listing() {
    let failure = Failure::new("Error", "cause");
    let stop_ms = START_MS + 9;
    let ends = [
        succeeded(long('o')),
        Status::Failed { failure: failure.clone(), stop_ms },
        Status::TimedOut { failure: failure.clone(), stop_ms },
        Status::Aborted { failure, stop_ms },
    ];
    for status in ends {
        let store = Memory::new();
        let mut run = Run::new(&store, identity("e", START_MS, json("{}")));
        run.step(&everything(&run));
        assert!(count(&store, Space::Frames) > 0 && count(&store, Space::Open) > 0);
        // Tasks that begin in the ending step are not written.
        let mut step = run.end(status);
        step.effects.push(run_task(&run, TaskId(70)));
        run.step(&step);
        assert_eq!((count(&store, Space::Frames), count(&store, Space::Open)), (0, 0));
        assert_eq!((count(&store, Space::Summary), count(&store, Space::Listing)), (1, 1));

        let loaded = run.loaded().execution;
        assert!(loaded.frames.is_empty() && loaded.results.is_empty());
        assert_eq!(loaded.header.next_event, run.execution.header.next_event);
        assert_eq!(loaded.header.next_frame, run.execution.header.next_frame);
        let ended = Execution { frames: loaded.frames.clone(), ..run.execution.clone() };
        let ended = Execution { results: loaded.results.clone(), ..ended };
        let without_times = |execution: &Execution| {
            let mut execution = execution.clone();
            execution.header.last_event_ms = 0;
            execution.header.deadline_ms = None;
            execution.header.ready.clear();
            picture(&store, &execution)
        };
        assert_eq!(without_times(&loaded), without_times(&ended));
        // Nothing happens to it any more.
        assert_eq!(run.step(&run.next()), 0);
    }
}

#[test]
fn a_pure_execution_writes_three_rows_and_its_long_texts_once() {
    let store = Memory::new();
    let mut run = Run::new(&store, identity("short", START_MS, json("{}")));
    assert_eq!(run.step(&run.end(succeeded(json("{}")))), 3);
    assert_eq!(rows(&store).len(), 3);

    let store = Memory::new();
    let input = long('x');
    let mut run = Run::new(&store, identity("long", START_MS, input.clone()));
    let mut step = run.events(vec![
        Detail::ExecutionStarted { input: input.clone(), role_arn: "r".into(), version_arn: None, alias_arn: None },
        Detail::ExecutionStarted {
            input: input.clone(),
            role_arn: "r".into(),
            version_arn: Some("m:7".into()),
            alias_arn: Some("m:PROD".into()),
        },
        Detail::ExecutionStarted {
            input: input.clone(),
            role_arn: "r".into(),
            version_arn: Some("m:7".into()),
            alias_arn: None,
        },
        Detail::ExecutionSucceeded { output: input.clone() },
    ]);
    step.header.status = succeeded(input);
    assert_eq!(run.step(&step), 4);
}

#[test]
fn pure_steps_in_one_batch_leave_what_one_step_would() {
    let store = Memory::new();
    let first = Execution::new(Arc::new(identity("e", START_MS, json("{}"))));
    let mut books = record_start(&first, 1, None);
    let mut batch = Batch::default();
    let mut step = Run::new(&store, identity("e", START_MS, json("{}"))).next();
    step.frames.insert(FrameId(0), Some(Arc::new(frame(Phase::Run))));
    step.header.ready.push_back(FrameId(0));
    let mut second = first.clone();
    second.apply(&step);
    record_step(&mut books, &first, &step, &second, &mut batch);
    let mut step = Step { header: second.header.clone(), ..step };
    step.frames.insert(FrameId(0), None);
    step.header.status = succeeded(json("1"));
    step.header.ready.clear();
    let mut third = second.clone();
    third.apply(&step);
    record_step(&mut books, &second, &step, &third, &mut batch);
    store.commit(batch).unwrap();
    assert_eq!(rows(&store).len(), 2, "summary and listing; it has no history");
    assert!(runnable(&store, Shards::ALL, None, usize::MAX).unwrap().is_empty());
}

#[test]
fn a_step_writes_what_it_changed() {
    let store = Memory::new();
    let mut run = Run::new(&store, identity("e", START_MS, json("{}")));
    run.step(&everything(&run));
    assert_eq!(run.step(&run.next()), 0);
    // One event: chunk and header.
    assert_eq!(run.step(&run.events(vec![Detail::LambdaFunctionStarted])), 2);
    // A frame that keeps its variables: the frame alone.
    let mut step = run.next();
    let old = run.execution.frames[&FrameId(0)].clone();
    step.frames.insert(FrameId(0), Some(Arc::new(Frame { last_event: 50, ..Frame::clone(&old) })));
    assert_eq!(run.step(&step), 1);
    // With others: the frame and its variables. Without: the same, to delete them.
    for variables in [[("v".into(), json("2"))].into_iter().collect(), Default::default()] {
        let mut step = run.next();
        let frame = Frame { variables: Arc::new(variables), ..Frame::clone(&old) };
        step.frames.insert(FrameId(0), Some(Arc::new(frame)));
        assert_eq!(run.step(&step), 2);
        assert_comes_back(&run);
    }
}

#[test]
fn a_text_is_stored_once_under_each_execution() {
    let store = Memory::new();
    let texts = || rows(&store).iter().filter(|(space, key, _)| *space == Space::History && key[16] == 1).count();
    let shared = long('s');
    let entered = |input: &Payload| {
        vec![Detail::StateEntered {
            kind: stepwell_machine::state::StateType::Pass,
            name: "P".into(),
            input: input.clone(),
        }]
    };
    let mut one = Run::new(&store, identity("one", START_MS, json("1")));
    one.step(&one.events(entered(&shared)));
    one.step(&one.events(entered(&shared)));
    // The same text in another payload is the same row.
    one.step(&one.events(entered(&long('s'))));
    assert_eq!(texts(), 1);
    // A constant of the program is one payload in memory for both.
    let mut two = Run::new(&store, identity("two", START_MS, json("2")));
    two.step(&two.events(entered(&shared)));
    assert_eq!(texts(), 2);
    let mut step = two.next();
    step.frames.insert(FrameId(0), Some(Arc::new(Frame { input: shared.clone(), ..frame(Phase::Run) })));
    two.step(&step);
    assert_eq!(texts(), 2);
    assert_comes_back(&two);
    // An absent payload is handed on without being read.
    let mut two = Run { store: &store, execution: two.loaded().execution, books: two.loaded().books };
    let input = two.execution.frames[&FrameId(0)].input.clone();
    assert!(input.is_absent());
    two.step(&two.events(entered(&input)));
    assert!(input.is_absent());
    assert_eq!(texts(), 2);
}

#[test]
fn there_is_one_timer_row_for_the_earliest_deadline() {
    let store = Memory::new();
    let mut run = Run::new(&store, identity("e", START_MS, json("{}")));
    let id = run.id();
    let due = |run: &Run<'_>| -> Vec<Timer> { timers(run.store, Shards::ALL, None, i64::MAX, 9).unwrap() };
    for until in [Some(5), Some(-3), Some(900), None, Some(7)] {
        let mut step = run.next();
        let phase = until.map_or(Phase::Run, |until_ms| Phase::Wait { until_ms });
        step.frames.insert(FrameId(0), Some(Arc::new(frame(phase))));
        run.step(&step);
        assert_comes_back(&run);
        let expected: Vec<Timer> = until.map(|due_ms| Timer { due_ms, execution: id }).into_iter().collect();
        assert_eq!(due(&run), expected);
    }
    // A heartbeat moved a deadline in memory only; the row is still found when another step is recorded. Of an only frame
    // that step would also write the deadline.
    let mut step = run.next();
    step.frames.insert(FrameId(1), Some(Arc::new(frame(Phase::Run))));
    run.step(&step);
    let Phase::Wait { until_ms } = &mut Arc::make_mut(run.execution.frames.get_mut(&FrameId(0)).unwrap()).phase else {
        panic!("it waits")
    };
    *until_ms = 70;
    run.step(&run.events(vec![Detail::TaskStateAborted]));
    assert_eq!(due(&run), [Timer { due_ms: 70, execution: id }]);
    let mut run = Run { store: &store, execution: run.loaded().execution, books: run.loaded().books };
    run.step(&run.events(vec![Detail::TaskStateAborted]));
    assert_eq!(due(&run), [Timer { due_ms: 7, execution: id }]);
}

#[test]
fn timers_come_in_order_by_pages_and_shards() {
    let store = Memory::new();
    let mut all = Vec::new();
    for number in 0..40_i64 {
        let mut run = Run::new(&store, identity(&format!("e{number}"), START_MS, json("{}")));
        let due_ms = (number * 7 % 10) * 100 - 300;
        let mut step = run.next();
        step.frames.insert(FrameId(0), Some(Arc::new(frame(Phase::Wait { until_ms: due_ms }))));
        run.step(&step);
        all.push(Timer { due_ms, execution: run.id() });
    }
    all.sort_unstable();
    let by_pages = |shards: Shards, until_ms: i64, limit: usize| {
        let mut found: Vec<Timer> = Vec::new();
        loop {
            let page = timers(&store, shards, found.last().copied(), until_ms, limit).unwrap();
            assert!(page.len() <= limit);
            if page.is_empty() {
                return found;
            }
            found.extend(page);
        }
    };
    for limit in [1, 3, 100] {
        assert_eq!(by_pages(Shards::ALL, i64::MAX, limit), all);
        for until_ms in [i64::MIN, -300, 0, 250] {
            let expected: Vec<Timer> = all.iter().copied().filter(|timer| timer.due_ms <= until_ms).collect();
            assert_eq!(by_pages(Shards::ALL, until_ms, limit), expected);
        }
        let mut of_drivers: Vec<Timer> =
            (0..3).flat_map(|driver| by_pages(Shards::of_driver(driver, 3), i64::MAX, limit)).collect();
        of_drivers.sort_unstable();
        assert_eq!(of_drivers, all);
    }
    assert!(timers(&store, Shards::ALL, None, i64::MAX, 0).unwrap().is_empty());
}

#[test]
fn a_task_is_queued_until_it_is_under_way_or_dropped() {
    let store = Memory::new();
    let mut run = Run::new(&store, identity("e", START_MS, json("{}")));
    let execution = run.id();
    let activity_arn: Arc<str> = "arn:aws:states:us-east-1:123456789012:activity:a".into();
    let offer = |task: u64| Effect::OfferTask {
        task: TaskId(task),
        activity_arn: "arn:aws:states:us-east-1:123456789012:activity:a".into(),
        input: json("{}"),
    };
    let mut step = run.events(vec![Detail::LambdaFunctionStarted]);
    step.effects = vec![run_task(&run, TaskId(5)), offer(3), run_task(&run, TaskId(4)), offer(6), offer(7)];
    step.effects.push(Effect::DropTask { task: TaskId(7) });
    run.step(&step);
    let since_ms = START_MS + 1;
    let intent = |task: u64| Intent { since_ms, execution, task: TaskId(task) };
    let offered = |task: u64| Offer { since_ms, execution, task: TaskId(task), activity_arn: activity_arn.clone() };
    assert_eq!(intents(&store, Shards::ALL).unwrap(), [intent(4), intent(5)]);
    assert_eq!(offers(&store, Shards::ALL).unwrap(), [offered(3), offered(6)]);
    let mine = execution.shard() % 2;
    assert_eq!(intents(&store, Shards::of_driver(mine, 2)).unwrap().len(), 2);
    assert_eq!(offers(&store, Shards::of_driver(1 - mine, 2)).unwrap(), []);

    // A worker took 3, the call of 4 came back with a token out, 5 ended.
    let mut step = run.next();
    for number in [3, 4] {
        let wait = TaskWait { under_way: true, ..task(number) };
        step.frames.insert(FrameId(number as u32), Some(Arc::new(frame(Phase::Task(wait)))));
    }
    step.effects.push(Effect::DropTask { task: TaskId(5) });
    run.step(&step);
    assert_eq!(intents(&store, Shards::ALL).unwrap(), []);
    assert_eq!(offers(&store, Shards::ALL).unwrap(), [offered(6)]);
}

#[test]
fn what_yielded_is_runnable() {
    let store = Memory::new();
    let mut run = Run::new(&store, identity("e", START_MS, json("{}")));
    for ready in [true, true, false, true] {
        let mut step = run.next();
        step.header.ready = if ready { [FrameId(0)].into() } else { [].into() };
        run.step(&step);
        let expected: Vec<ExecutionId> = ready.then(|| run.id()).into_iter().collect();
        assert_eq!(runnable(&store, Shards::ALL, None, usize::MAX).unwrap(), expected);
        assert_comes_back(&run);
    }
    assert_eq!(runnable(&store, Shards::of_driver((run.id().shard() + 1) % 2, 2), None, 9).unwrap(), []);
}

#[test]
fn a_summary_says_how_it_began_and_ended() {
    let store = Memory::new();
    let mut run = Run::new(&store, identity("e", START_MS, long('x')));
    assert!(summary(&store, run.id()).unwrap().is_none());
    assert!(load(&store, run.id()).unwrap().is_none());
    run.step(&run.events(details()));
    let row = summary(&store, run.id()).unwrap().unwrap();
    assert_eq!((row.summary.name.as_ref(), row.summary.start_ms, row.revision), ("e", START_MS, 42));
    assert_eq!(row.summary.trace_header.as_deref(), Some("Root=1-2-3"));
    assert!(matches!(row.summary.status, Status::Running));
    assert!(row.same_input(&long('x')) && !row.same_input(&long('y')));
    assert!(run.books.same_input(&long('x')) && !run.books.same_input(&long('y')));
    assert_eq!(row.absent().len(), 1);
    run.step(&run.end(succeeded(long('o'))));
    let row = summary(&store, run.id()).unwrap().unwrap();
    assert_eq!(row.absent().len(), 2);
    crate::record::fill(&store, run.id(), &row.absent()).unwrap();
    assert!(row.absent().is_empty());
    let Status::Succeeded { output, stop_ms } = row.summary.status else { panic!("it succeeded") };
    assert_eq!((output.text(), stop_ms), (long('o').text(), START_MS + 9));
}
