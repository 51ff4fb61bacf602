//! A history as lines for people.

use std::sync::Arc;

use anstyle::{AnsiColor, Style};
use stepwell_expr::Payload;
use stepwell_machine::{
    Failure, HistoryEvent,
    history::{Detail, ServiceResource},
};

pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const RED: Style = AnsiColor::Red.on_default();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default();
pub(crate) const CYAN: Style = AnsiColor::Cyan.on_default();

/// Longest text of a payload in a line, in characters.
const TEXT_CHARS_MAX: usize = 160;

/// Prints an event as a line: time since the start, what happened, to which state, with what.
pub(crate) fn print(event: &HistoryEvent, start_ms: i64) {
    let seconds = (event.timestamp_ms - start_ms) as f64 / 1_000.0;
    let Line { style, what, name, text } = line(&event.detail);
    anstream::println!(
        "{DIM}{seconds:>9.3}s{DIM:#}  {style}{what:<24}{style:#} {BOLD}{name}{BOLD:#} {DIM}{text}{DIM:#}"
    );
}

struct Line {
    style: Style,
    what: String,
    name: Arc<str>,
    text: String,
}

fn line(detail: &Detail) -> Line {
    let plain = |what: &str| Line { style: Style::new(), what: what.to_owned(), name: "".into(), text: String::new() };
    let good = |what: &str, output: &Payload| Line { style: GREEN, text: short(output), ..plain(what) };
    let bad = |what: &str, failure: &Failure| Line { style: RED, text: reason(failure), ..plain(what) };
    let step =
        |what: &str, name: &Arc<str>, text: String| Line { style: CYAN, name: name.clone(), text, ..plain(what) };
    match detail {
        Detail::ExecutionStarted { input, .. } => Line { text: short(input), ..plain("execution started") },
        Detail::ExecutionSucceeded { output } => good("execution succeeded", output),
        Detail::ExecutionFailed(failure) => bad("execution failed", failure),
        Detail::ExecutionAborted(failure) => bad("execution aborted", failure),
        Detail::ExecutionTimedOut(failure) => bad("execution timed out", failure),
        Detail::ExecutionRedriven { count } => Line { text: format!("[{count}]"), ..plain("execution redriven") },
        Detail::StateEntered { kind, name, input } => step(&format!("→ {}", kind.as_str()), name, short(input)),
        Detail::StateExited { kind, name, output, assigned } => {
            let assigned = assigned.iter().map(|(name, value)| format!(" ${name}={}", short(value)));
            step(&format!("← {}", kind.as_str()), name, short(output) + &assigned.collect::<String>())
        }
        Detail::LambdaFunctionScheduled { resource, input, .. } => step("  function scheduled", resource, short(input)),
        Detail::LambdaFunctionStarted => plain("  function started"),
        Detail::LambdaFunctionSucceeded { output } => good("  function succeeded", output),
        Detail::LambdaFunctionFailed(failure) => bad("  function failed", failure),
        Detail::LambdaFunctionTimedOut(failure) => bad("  function timed out", failure),
        Detail::ActivityScheduled { resource, input, .. } => step("  activity scheduled", resource, short(input)),
        Detail::ActivityStarted { worker } => {
            Line { name: worker.clone().unwrap_or_default(), ..plain("  activity started") }
        }
        Detail::ActivitySucceeded { output } => good("  activity succeeded", output),
        Detail::ActivityFailed(failure) => bad("  activity failed", failure),
        Detail::ActivityTimedOut(failure) => bad("  activity timed out", failure),
        Detail::TaskScheduled { resource, parameters, .. } => {
            step("  task scheduled", &named(resource), short(parameters))
        }
        Detail::TaskStarted { resource } => step("  task started", &named(resource), String::new()),
        Detail::TaskSubmitted { resource, output } => step("  task submitted", &named(resource), short(output)),
        Detail::TaskSucceeded { output, .. } => good("  task succeeded", output),
        Detail::TaskFailed { failure, .. } => bad("  task failed", failure),
        Detail::TaskTimedOut { failure, .. } => bad("  task timed out", failure),
        Detail::TaskStateAborted => plain("  task aborted"),
        Detail::WaitStateAborted => plain("  wait aborted"),
        Detail::ParallelStateStarted => plain("  branches started"),
        Detail::ParallelStateSucceeded => plain("  branches succeeded"),
        Detail::ParallelStateFailed => Line { style: RED, ..plain("  branches failed") },
        Detail::ParallelStateAborted => plain("  branches aborted"),
        Detail::MapStateStarted { length } => Line { text: format!("{length} items"), ..plain("  map started") },
        Detail::MapStateSucceeded => plain("  map succeeded"),
        Detail::MapStateFailed => Line { style: RED, ..plain("  map failed") },
        Detail::MapStateAborted => plain("  map aborted"),
        Detail::MapIterationStarted { name, index } => step("  item started", name, format!("[{index}]")),
        Detail::MapIterationSucceeded { name, index } => step("  item succeeded", name, format!("[{index}]")),
        Detail::MapIterationFailed { name, index } => {
            Line { style: RED, ..step("  item failed", name, format!("[{index}]")) }
        }
        Detail::MapIterationAborted { name, index } => step("  item aborted", name, format!("[{index}]")),
        Detail::MapRunStarted { arn } => step("  map run started", arn, String::new()),
        Detail::MapRunSucceeded => plain("  map run succeeded"),
        Detail::MapRunFailed(failure) => bad("  map run failed", failure),
        Detail::MapRunAborted => plain("  map run aborted"),
        Detail::MapRunRedriven { arn, count } => step("  map run redriven", arn, format!("{count}. time")),
        Detail::EvaluationFailed { failure, state, .. } => {
            Line { name: state.clone(), ..bad("  evaluation failed", failure) }
        }
    }
}

fn named(resource: &ServiceResource) -> Arc<str> {
    format!("{}:{}", resource.kind, resource.action).into()
}

fn reason(failure: &Failure) -> String {
    let parts = [failure.error.as_deref(), failure.cause.as_deref()];
    cut(&parts.into_iter().flatten().collect::<Vec<_>>().join(": "))
}

fn short(payload: &Payload) -> String {
    cut(payload.text())
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
