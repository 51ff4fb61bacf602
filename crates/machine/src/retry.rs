//! Retriers and catchers.

use std::sync::Arc;

use stepwell_expr::Value;

use crate::{
    definition::{
        compiler::{BOTH, Compiler, FieldTable, Fields, JSON_PATH, JSONATA, expected},
        expression::Available,
    },
    failure::Failure,
    limits::{RETRY_DELAY_SECONDS_END, SECONDS_MAX},
    program::{Assign, QueryLanguage, ResultPath, StateId, Template},
    state::Source,
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

const RETRIER_FIELDS: &FieldTable = &[
    ("ErrorEquals", BOTH),
    ("IntervalSeconds", BOTH),
    ("MaxAttempts", BOTH),
    ("BackoffRate", BOTH),
    ("MaxDelaySeconds", BOTH),
    ("JitterStrategy", BOTH),
    ("Comment", BOTH),
];

const CATCHER_FIELDS: &FieldTable = &[
    ("ErrorEquals", BOTH),
    ("Next", BOTH),
    ("ResultPath", JSON_PATH),
    ("Output", JSONATA),
    ("Assign", BOTH),
    ("Comment", BOTH),
];

impl Retrier {
    /// The field `Retry`. `None` where an entry is broken.
    pub(crate) fn compile_all(source: &Source, compiler: &mut Compiler) -> Option<Vec<Retrier>> {
        compile_entries(source, "Retry", compiler, Retrier::compile)
    }

    fn compile(fields: &Fields, source: &Source, last: bool, compiler: &mut Compiler) -> Option<Retrier> {
        fields.check(RETRIER_FIELDS, Some(source.language), compiler);
        fields.require(&["ErrorEquals"], compiler);
        let errors = error_names(fields, last, compiler);
        let interval_seconds = fields.integer("IntervalSeconds", 1, SECONDS_MAX, compiler).unwrap_or(1);
        let attempts_max = fields.integer("MaxAttempts", 0, SECONDS_MAX, compiler).unwrap_or(3);
        let backoff_rate = backoff_rate(fields, compiler);
        let delay_max_seconds = fields.integer("MaxDelaySeconds", 1, RETRY_DELAY_SECONDS_END - 1, compiler);
        let jitter = fields.one_of("JitterStrategy", &["NONE", "FULL"], compiler).as_deref() == Some("FULL");
        fields.string("Comment", compiler);
        Some(Retrier { errors: errors?, interval_seconds, attempts_max, backoff_rate, delay_max_seconds, jitter })
    }
}

fn backoff_rate(fields: &Fields, compiler: &mut Compiler) -> f64 {
    const DEFAULT: f64 = 2.0;
    let Some(value) = fields.get("BackoffRate") else {
        return DEFAULT;
    };
    match value.as_f64() {
        Some(rate) if rate >= 1.0 => rate,
        Some(_) => {
            compiler.schema(&fields.at("BackoffRate"), "Minimum value is 1.0");
            1.0
        }
        None => {
            expected(compiler, &fields.at("BackoffRate"), "NUMBER");
            DEFAULT
        }
    }
}

impl Catcher {
    /// The field `Catch`. `None` where an entry is broken.
    pub(crate) fn compile_all(source: &Source, compiler: &mut Compiler) -> Option<Vec<Catcher>> {
        compile_entries(source, "Catch", compiler, Catcher::compile)
    }

    fn compile(fields: &Fields, source: &Source, last: bool, compiler: &mut Compiler) -> Option<Catcher> {
        fields.check(CATCHER_FIELDS, Some(source.language), compiler);
        fields.require(&["ErrorEquals", "Next"], compiler);
        let errors = error_names(fields, last, compiler);
        let next = source.target(fields, "Next", compiler);
        let available = Available { result: false, error_output: true };
        let (result_path, output) = match source.language {
            QueryLanguage::JsonPath => (fields.result_path(compiler), Some(None)),
            QueryLanguage::Jsonata => {
                (Some(ResultPath::Replace), source.template_in(fields, "Output", available, compiler))
            }
        };
        let assign = compiler.assign(fields, source.scope, source.language, available);
        fields.string("Comment", compiler);
        Some(Catcher { errors: errors?, next: next?, result_path: result_path?, output: output?, assign: assign? })
    }
}

fn compile_entries<T>(
    source: &Source,
    field: &str,
    compiler: &mut Compiler,
    compile: impl Fn(&Fields, &Source, bool, &mut Compiler) -> Option<T>,
) -> Option<Vec<T>> {
    if !source.fields.has(field) {
        return Some(Vec::new());
    }
    let entries = source.fields.array(field, false, compiler)?;
    let place = source.fields.at(field);
    let compiled: Vec<Option<T>> = entries
        .iter()
        .enumerate()
        .map(|(index, entry)| {
            let fields = Fields::of(entry, place.index(index), compiler)?;
            compile(&fields, source, index + 1 == entries.len(), compiler)
        })
        .collect();
    compiled.into_iter().collect()
}

/// `ErrorEquals`; `States.ALL` must stand alone, and in the last entry.
fn error_names(fields: &Fields, last: bool, compiler: &mut Compiler) -> Option<Vec<Arc<str>>> {
    let names = fields.array("ErrorEquals", true, compiler)?;
    let place = fields.at("ErrorEquals");
    let mut errors = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        match name {
            Value::String(name) => {
                if &**name == "States.ALL" && (names.len() > 1 || !last) {
                    let message = "States.ALL must appear alone and at end of list";
                    compiler.schema(&place.index(index), message);
                }
                errors.push(name.clone());
            }
            _ => expected(compiler, &place.index(index), "STRING"),
        }
    }
    (errors.len() == names.len()).then_some(errors)
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
