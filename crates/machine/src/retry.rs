//! Retriers and catchers.

use std::sync::Arc;

use crate::{
    failure::Failure,
    program::{Assign, ResultPath, StateId, Template},
};

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

/// Why a state failed, as Retry and Catch see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Anything that has its own error name.
    Named,
    /// A heartbeat was missed: `States.HeartbeatTimeout` matches as well as `States.Timeout`.
    Heartbeat,
}

/// True if one of `errors` names this failure. Source: Amazon States Language, reserved error names.
pub(crate) fn matches(errors: &[Arc<str>], failure: &Failure, cause: Cause) -> bool {
    let error = failure.error.as_deref().unwrap_or("");
    if error == "States.Runtime" {
        return false;
    }
    errors.iter().any(|name| match &**name {
        "States.ALL" => true,
        "States.TaskFailed" => error != "States.Timeout",
        "States.HeartbeatTimeout" => cause == Cause::Heartbeat || error == "States.HeartbeatTimeout",
        name => name == error,
    })
}

impl Retrier {
    /// The delay before retry number `made` (counted from 0), in milliseconds; `random` is an even draw.
    ///
    /// Source: recordings and the Step Functions guide: the cap comes before the jitter.
    pub(crate) fn delay_ms(&self, made: u64, random: u64) -> i64 {
        let growth = self.backoff_rate.powf(made as f64);
        let seconds = self.interval_seconds as f64 * growth;
        let capped = self.delay_max_seconds.map_or(seconds, |max| seconds.min(max as f64));
        let ms = (capped * 1_000.0).min(crate::limits::EXECUTION_SECONDS_MAX as f64 * 1_000.0) as i64;
        if self.jitter { (random % (ms as u64 + 1)) as i64 } else { ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retrier(jitter: bool, delay_max_seconds: Option<u64>) -> Retrier {
        Retrier {
            errors: vec!["States.ALL".into()],
            interval_seconds: 3,
            attempts_max: 3,
            backoff_rate: 2.0,
            delay_max_seconds,
            jitter,
        }
    }

    #[test]
    fn delays_grow_to_their_cap() {
        let plain = retrier(false, None);
        assert_eq!([0, 1, 2].map(|made| plain.delay_ms(made, 7)), [3_000, 6_000, 12_000]);
        let capped = retrier(false, Some(5));
        assert_eq!([0, 1, 2].map(|made| capped.delay_ms(made, 7)), [3_000, 5_000, 5_000]);
        assert!(plain.delay_ms(10_000, 0) > 0, "saturates");
    }

    #[test]
    fn jitter_draws_from_zero_to_the_delay() {
        let jittered = retrier(true, None);
        assert_eq!(jittered.delay_ms(0, 3_000), 3_000);
        assert_eq!(jittered.delay_ms(0, 3_001), 0);
    }

    #[test]
    fn reserved_names_match_what_they_stand_for() {
        let cases = [
            ("States.ALL", "Custom", true),
            ("States.ALL", "States.Timeout", true),
            ("States.ALL", "States.Runtime", false),
            ("States.Runtime", "States.Runtime", false),
            ("States.TaskFailed", "Custom", true),
            ("States.TaskFailed", "States.Timeout", false),
            ("Custom", "Custom", true),
            ("custom", "Custom", false),
            ("States.HeartbeatTimeout", "States.Timeout", false),
        ];
        for (name, error, expected) in cases {
            let got = matches(&[name.into()], &Failure::named(error), Cause::Named);
            assert_eq!(got, expected, "{name} for {error}");
        }
        assert!(matches(&["States.HeartbeatTimeout".into()], &Failure::named("States.Timeout"), Cause::Heartbeat));
        assert!(matches(&["States.ALL".into()], &Failure { error: None, cause: None }, Cause::Named));
    }
}
