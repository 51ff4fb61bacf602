//! Retriers and catchers.

use std::sync::Arc;

use crate::program::{Assign, ResultPath, StateId, Template};

/// One entry of `Retry`.
#[derive(Clone, Debug)]
pub struct Retrier {
    pub errors: Vec<Arc<str>>,
    /// Delay before the first retry, in seconds; at least 1.
    pub interval_seconds: u64,
    /// 0: never.
    pub attempts_max: u64,
    /// Each further delay is the last one times this; at least 1.0.
    pub backoff_rate: f64,
    /// No delay is longer than this.
    pub delay_max_seconds: Option<u64>,
    /// `FULL`: a delay is drawn evenly from zero to its value, after the cap.
    pub jitter: bool,
}

/// One entry of `Catch`.
#[derive(Clone, Debug)]
pub struct Catcher {
    pub errors: Vec<Arc<str>>,
    pub next: StateId,
    /// JSONPath.
    pub result_path: ResultPath,
    /// JSONata; by default the error output.
    pub output: Option<Template>,
    pub assign: Assign,
}
