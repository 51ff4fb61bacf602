//! Steps of the machine, as text: see the files in `tests/steps/`.
//!
//! A case begins with a line `# title`, then the definition in JSON. `<` lines go in:
//!
//! ```text
//! < mock TEST_CASE         before the start: answers of tasks, as `TestCase::restore` takes them
//! < start INPUT            the execution begins, at time 0
//! < at 30.5                time passes to 30.5 s after the start
//! < started TASK           a worker took an activity's task
//! < returned TASK OUTPUT   the call came back (`returned TASK ! ERROR CAUSE`: it failed)
//! < answered TASK OUTPUT   SendTaskSuccess (`answered TASK ! ERROR CAUSE`: SendTaskFailure)
//! < heartbeat TASK
//! < stop ERROR CAUSE
//! < slices FUEL            from here on, each line gives one step, with so much fuel
//! < continued              the next step of frames that are ready
//! ```
//!
//! `{{x*1000}}` stands for a thousand letters x, on both sides. What comes out follows: `ID<PREVIOUS TYPE what` for each
//! history event (of very many at once, the middle is left out), `>` for each effect, `due` when the earliest timer
//! fires, `ready` if frames can go on, `=` for the status of an execution that has ended. With STEPWELL_BLESS set the files are written anew: read the
//! difference before it is committed.

use std::{fmt::Write, path::Path, sync::Arc};

use stepwell_expr::{Payload, json};
use stepwell_machine::{
    Effect, Event, Execution, Failure, Identity, MapRunOutcome, Moment, Program, Status, Stepped, TaskId, TaskOutcome,
    TestCase,
    definition::{self, MachineType},
    execution::Phase,
    history::{Detail, HistoryEvent},
    limits::{self, Limits},
    root::Root,
};

const START_MS: i64 = 1_700_000_000_000;

/// More history events than these, from one line, are not all shown: only this many at the beginning and at the end.
const EVENTS_SHOWN_MAX: usize = 100;
const EVENTS_SHOWN: usize = 8;

/// Runs of a letter from this length on are written short.
const RUN_SHOWN_MAX: usize = 50;

/// Replaces `{{x*1000}}` by the letters that it stands for.
fn unfold(text: &str) -> String {
    let mut pieces = text.split("{{");
    let mut out = pieces.next().expect("a text has a first piece").to_owned();
    for piece in pieces {
        let run = piece.split_once("}}").and_then(|(run, rest)| {
            let (letter, count) = run.split_once('*')?;
            Some((letter.repeat(count.parse().ok()?), rest))
        });
        match run {
            Some((run, rest)) => out.extend([run.as_str(), rest]),
            None => out.extend(["{{", piece]),
        }
    }
    out
}

/// The opposite of [`unfold`].
fn fold(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let run = rest.len() - rest.trim_start_matches(letter).len();
        let count = run / letter.len_utf8();
        if count >= RUN_SHOWN_MAX {
            let _ = write!(out, "{{{{{letter}*{count}}}}}");
        } else {
            out.push_str(&rest[..run]);
        }
        rest = &rest[run..];
    }
    out
}

#[test]
fn cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/steps");
    let bless = std::env::var_os("STEPWELL_BLESS").is_some();
    let mut failures = String::new();
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let got = run_file(&text);
        if bless {
            std::fs::write(&file, &got).unwrap();
        } else if got != text {
            let at = got.lines().zip(text.lines()).position(|(got, expected)| got != expected);
            let line = at.unwrap_or(got.lines().count().min(text.lines().count()));
            let show = |text: &str| text.lines().nth(line).unwrap_or("(end)").to_owned();
            let _ = writeln!(
                failures,
                "{}:{}\n  expected {}\n  got      {}",
                file.display(),
                line + 1,
                show(&text),
                show(&got)
            );
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

struct Case {
    program: Program,
    execution: Execution,
    now_ms: i64,
    /// Fuel of steps that are not continued by themselves.
    slices: Option<u64>,
}

/// Keeps titles, definitions and `<` lines, and writes everything else anew.
fn run_file(text: &str) -> String {
    let mut out = String::new();
    let mut definition = String::new();
    let mut case: Option<Case> = None;
    let mut mocks: Option<TestCase> = None;
    for line in text.lines() {
        if line.starts_with('#') {
            if !out.is_empty() && !out.ends_with("\n\n") {
                out.push('\n');
            }
            (case, definition, mocks) = (None, String::new(), None);
            let _ = writeln!(out, "{line}");
        } else if let Some(input) = line.strip_prefix("< ") {
            let _ = writeln!(out, "{line}");
            if let Some(text) = input.strip_prefix("mock ") {
                mocks = Some(TestCase::restore(text).expect("a test case"));
                continue;
            }
            if case.is_none() {
                case = Some(begin(&unfold(&definition), &unfold(input), mocks.take()));
            }
            let mut given = String::new();
            feed(case.as_mut().expect("it has begun"), &unfold(input), &mut given);
            out.push_str(&fold(&given));
        } else if case.is_none() && !line.is_empty() {
            definition.push_str(line);
            definition.push('\n');
            let _ = writeln!(out, "{line}");
        }
    }
    out
}

fn begin(text: &str, first: &str, test_case: Option<TestCase>) -> Case {
    let compiled = definition::compile(text, MachineType::Standard);
    let program = compiled.program.unwrap_or_else(|| panic!("{:?} in {text}", compiled.diagnostics));
    let input = first.strip_prefix("start ").expect("a case begins with `< start INPUT`");
    json::check(input).expect("the input is JSON");
    let prefix = "arn:aws:states:us-east-1:123456789012";
    let identity = Identity {
        arn: format!("{prefix}:execution:machine:run").into(),
        name: "run".into(),
        state_machine_arn: format!("{prefix}:stateMachine:machine").into(),
        state_machine_name: "machine".into(),
        role_arn: "arn:aws:iam::123456789012:role/role".into(),
        region: "us-east-1".into(),
        id: [7; 16],
        root: Root([1; 32]),
        start_ms: START_MS,
        input: Payload::from_checked_text(input),
        test_case: test_case.map(Arc::new),
        workflow: stepwell_machine::Workflow::Standard,
        child: None,
        qualifier: None,
    };
    Case { program, execution: Execution::new(Arc::new(identity)), now_ms: START_MS, slices: None }
}

fn feed(case: &mut Case, line: &str, out: &mut String) {
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let task = || TaskId(rest.split(' ').next().unwrap_or_default().parse().expect("a task id"));
    let outcome = || {
        let (_, outcome) = rest.split_once(' ').expect("an outcome");
        match outcome.strip_prefix("! ") {
            Some(failure) => TaskOutcome::Failed(failure_of(failure)),
            None => TaskOutcome::Succeeded { output: Payload::from_checked_text(outcome) },
        }
    };
    let event = match verb {
        "start" => Event::Started,
        "at" => {
            let seconds: f64 = rest.parse().expect("seconds");
            case.now_ms = START_MS + (seconds * 1_000.0) as i64;
            Event::TimePassed
        }
        "started" => Event::TaskStarted { task: task(), worker: None },
        "returned" => Event::TaskReturned { task: task(), outcome: outcome() },
        "answered" => Event::TaskAnswered { task: task(), outcome: outcome() },
        "heartbeat" => Event::TaskHeartbeat { task: task() },
        // The id of MapRunStarted, the redrives of it, and the result.
        "mapended" => {
            let (redrives, outcome) =
                rest.split_once(' ').and_then(|(_, rest)| rest.split_once(' ')).expect("an outcome");
            let outcome = match outcome.strip_prefix("! ") {
                Some(failure) => MapRunOutcome::Failed(failure_of(failure)),
                None => MapRunOutcome::Succeeded { output: Payload::from_checked_text(outcome) },
            };
            Event::MapRunEnded { task: task(), redrives: redrives.parse().expect("redrives"), outcome }
        }
        "redrive" => Event::Redriven,
        "stop" => Event::Stopped(failure_of(rest)),
        "slices" => {
            case.slices = Some(rest.parse().expect("fuel"));
            return;
        }
        "continued" => Event::Continued,
        other => panic!("unknown event {other}"),
    };
    let mut events = vec![event];
    let mut effects = Vec::new();
    let mut history = Vec::new();
    let was_running = case.execution.is_running();
    while let Some(event) = events.pop() {
        let exists = |arn: &str| !arn.ends_with(":gone");
        let problem = |_: &str, _: &str, parameters: &Payload| {
            parameters.value().get("Unknown").map(|_| "The field \"Unknown\" is not supported by Step Functions".into())
        };
        let moment = Moment {
            now_ms: case.now_ms,
            activity_exists: &exists,
            parameters_problem: &problem,
            limits: &Limits::default(),
            transitions_max: u32::MAX,
        };
        let fuel = case.slices.unwrap_or(limits::FUEL_EVALUATION);
        let step = match stepwell_machine::step(&case.program, &case.execution, event, moment, fuel) {
            Stepped::Done(step) => step,
            other => panic!("the step did not end: {other:?}"),
        };
        case.execution.apply(&step);
        history.extend(step.history);
        effects.extend(step.effects);
        if case.execution.is_ready() && case.slices.is_none() {
            events.push(Event::Continued);
        }
    }
    let left_out = if history.len() > EVENTS_SHOWN_MAX { EVENTS_SHOWN..history.len() - EVENTS_SHOWN } else { 0..0 };
    for (at, event) in history.iter().enumerate() {
        if !left_out.contains(&at) {
            let _ = writeln!(out, "  {}", show(event));
        } else if at == left_out.start {
            let _ = writeln!(out, "  ... {} more", left_out.len());
        }
    }
    for effect in effects {
        let _ = match effect {
            Effect::RunTask(request) => match &request.submitted {
                Some(submitted) => writeln!(out, "> watch {} {}", request.task.0, submitted.text()),
                None => writeln!(out, "> run {} {}", request.task.0, request.input.text()),
            },
            Effect::OfferTask { task, input, .. } => writeln!(out, "> offer {} {}", task.0, input.text()),
            Effect::DropTask { task } => writeln!(out, "> drop {}", task.0),
            Effect::StopJob(request) => writeln!(out, "> stop job {}", request.task.0),
            Effect::RunMapRun(wait) => writeln!(out, "> map run {} redrives {}", wait.task.0, wait.redrives),
            Effect::StopMapRun { task, .. } => writeln!(out, "> stop map run {}", task.0),
        };
    }
    if case.execution.is_ready() {
        let _ = writeln!(out, "ready {}", case.execution.header.ready.len());
    }
    let year_ms = 1_000 * i64::try_from(limits::EXECUTION_SECONDS_MAX).expect("a year is few seconds");
    if let Some(due_ms) = case.execution.deadline_ms().filter(|due_ms| *due_ms != START_MS + year_ms) {
        let _ = writeln!(out, "due {}", (due_ms - START_MS) as f64 / 1_000.0);
    }
    if was_running || verb == "redrive" {
        let _ = match &case.execution.header.status {
            Status::Running => Ok(()),
            Status::Succeeded { output, .. } => writeln!(out, "= SUCCEEDED {}", output.text()),
            Status::Failed { failure, .. } => writeln!(out, "= FAILED {}", show_failure(failure)),
            Status::TimedOut { failure, .. } => writeln!(out, "= TIMED_OUT {}", show_failure(failure)),
            Status::Aborted { failure, .. } => writeln!(out, "= ABORTED {}", show_failure(failure)),
        };
        if !case.execution.is_running() {
            let wrecks =
                case.execution.frames.values().filter(|frame| matches!(frame.phase, Phase::Wrecked(_))).count();
            assert_eq!(wrecks, case.execution.frames.len(), "an ended execution has only wrecks");
            assert!(wrecks == 0 || case.execution.is_redrivable(), "and those only for a redrive");
            assert!(wrecks > 0 || case.execution.results.is_empty(), "without them it keeps no results");
        }
    }
}

fn failure_of(text: &str) -> Failure {
    match text.split_once(' ') {
        Some((error, cause)) => Failure::new(error, cause),
        None if text.is_empty() => Failure { error: None, cause: None },
        None => Failure::named(text),
    }
}

fn show_failure(failure: &Failure) -> String {
    format!("{} | {}", failure.error.as_deref().unwrap_or("-"), failure.cause.as_deref().unwrap_or("-"))
}

fn show(event: &HistoryEvent) -> String {
    let at = (event.timestamp_ms - START_MS) as f64 / 1_000.0;
    let at = if at == 0.0 { String::new() } else { format!(" @{at}") };
    format!("{}<{} {}{at}", event.id, event.previous, show_detail(&event.detail))
}

fn show_detail(detail: &Detail) -> String {
    let seconds = |timeout: &Option<u64>, heartbeat: &Option<u64>| {
        let timeout = timeout.map(|seconds| format!(" timeout {seconds}")).unwrap_or_default();
        let heartbeat = heartbeat.map(|seconds| format!(" heartbeat {seconds}")).unwrap_or_default();
        timeout + &heartbeat
    };
    match detail {
        Detail::ExecutionStarted { input, .. } => format!("ExecutionStarted {}", input.text()),
        Detail::ExecutionSucceeded { output } => format!("ExecutionSucceeded {}", output.text()),
        Detail::ExecutionFailed(failure) => format!("ExecutionFailed {}", show_failure(failure)),
        Detail::ExecutionAborted(failure) => format!("ExecutionAborted {}", show_failure(failure)),
        Detail::ExecutionTimedOut(failure) => format!("ExecutionTimedOut {}", show_failure(failure)),
        Detail::StateEntered { kind, name, input } => format!("{}StateEntered {name} {}", kind.as_str(), input.text()),
        Detail::StateExited { kind, name, output, assigned } => {
            let assigned: String = assigned.iter().map(|(name, value)| format!(" ${name}={}", value.text())).collect();
            format!("{}StateExited {name} {}{assigned}", kind.as_str(), output.text())
        }
        Detail::LambdaFunctionScheduled { input, timeout_seconds, .. } => {
            format!("LambdaFunctionScheduled {}{}", input.text(), seconds(timeout_seconds, &None))
        }
        Detail::LambdaFunctionSucceeded { output } => format!("LambdaFunctionSucceeded {}", output.text()),
        Detail::LambdaFunctionFailed(failure) => format!("LambdaFunctionFailed {}", show_failure(failure)),
        Detail::LambdaFunctionTimedOut(failure) => format!("LambdaFunctionTimedOut {}", show_failure(failure)),
        Detail::ActivityScheduled { input, timeout_seconds, heartbeat_seconds, .. } => {
            format!("ActivityScheduled {}{}", input.text(), seconds(timeout_seconds, heartbeat_seconds))
        }
        Detail::ActivitySucceeded { output } => format!("ActivitySucceeded {}", output.text()),
        Detail::ActivityFailed(failure) => format!("ActivityFailed {}", show_failure(failure)),
        Detail::ActivityTimedOut(failure) => format!("ActivityTimedOut {}", show_failure(failure)),
        Detail::TaskScheduled { resource, parameters, timeout_seconds, heartbeat_seconds, .. } => format!(
            "TaskScheduled {}:{} {}{}",
            resource.kind,
            resource.action,
            parameters.text(),
            seconds(timeout_seconds, heartbeat_seconds)
        ),
        Detail::TaskSubmitted { output, .. } => format!("TaskSubmitted {}", output.text()),
        Detail::TaskSucceeded { output, .. } => format!("TaskSucceeded {}", output.text()),
        Detail::TaskFailed { failure, .. } => format!("TaskFailed {}", show_failure(failure)),
        Detail::TaskTimedOut { failure, .. } => format!("TaskTimedOut {}", show_failure(failure)),
        Detail::TaskStarted { .. } => "TaskStarted".to_owned(),
        Detail::MapStateStarted { length } => format!("MapStateStarted {length}"),
        Detail::MapRunStarted { arn } => format!("MapRunStarted {}", arn.rsplit_once(':').map_or("", |(arn, _)| arn)),
        Detail::MapRunRedriven { count, .. } => format!("MapRunRedriven {count}"),
        Detail::MapRunFailed(failure) => format!("MapRunFailed {}", show_failure(failure)),
        Detail::MapIterationStarted { index, .. } => format!("MapIterationStarted {index}"),
        Detail::MapIterationSucceeded { index, .. } => format!("MapIterationSucceeded {index}"),
        Detail::MapIterationFailed { index, .. } => format!("MapIterationFailed {index}"),
        Detail::MapIterationAborted { index, .. } => format!("MapIterationAborted {index}"),
        Detail::EvaluationFailed { failure, location, .. } => {
            format!("EvaluationFailed {} {}", location.as_deref().unwrap_or("-"), show_failure(failure))
        }
        Detail::ActivityStarted { .. } => "ActivityStarted".to_owned(),
        other => format!("{other:?}"),
    }
}
