//! `[limits]` of `stepwell.toml`: AWS's quotas, each of which may be raised, lowered or lifted; and `stepwell limits`.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use stepwell_api::Throttles;
use stepwell_engine::{Quotas, Rate};
use stepwell_expr::Value;
use stepwell_integrations::limits::HTTP_TASK_SECONDS_MAX;

use crate::{
    cli::LimitsOptions,
    config::Config,
    exit::Exit,
    limits::{HTTP_TASK_SECONDS_LARGEST, LIMIT_SMALLEST, PAYLOAD_BYTES_LARGEST, VARIABLES_BYTES_LARGEST},
    trace::BOLD,
};

/// `[limits]` as it is written. What is missing is as on AWS.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitsTable {
    payload_bytes: Option<u64>,
    variables_bytes: Option<u64>,
    history_events: Option<Amount>,
    execution_seconds: Option<Amount>,
    express_seconds: Option<Amount>,
    open_executions: Option<Amount>,
    open_map_runs: Option<Amount>,
    state_machines: Option<Amount>,
    activities: Option<Amount>,
    versions: Option<Amount>,
    aliases: Option<Amount>,
    tags: Option<Amount>,
    activity_pollers: Option<Amount>,
    http_task_seconds: Option<u64>,
    #[serde(default)]
    throttle: BTreeMap<String, RateTable>,
}

/// Beside actions, what `[limits.throttle]` may name. Source: Step Functions quotas.
const STATE_TRANSITION: &str = "StateTransition";

/// A number, or none.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged, expecting = "expected a number from 1 on, or \"off\"")]
enum Amount {
    AtMost(u64),
    Off(Off),
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Off {
    Off,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RateTable {
    bucket: u32,
    refill: u32,
}

/// `[limits]`, decided.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) quotas: Quotas,
    /// How long an HTTP Task may wait for its answer.
    pub(crate) http_task_time: Duration,
    /// Of calls of the API, by action.
    rates: BTreeMap<String, Rate>,
}

impl Default for Limits {
    fn default() -> Limits {
        let http_task_time = Duration::from_secs(HTTP_TASK_SECONDS_MAX);
        Limits { quotas: Quotas::default(), http_task_time, rates: BTreeMap::new() }
    }
}

impl LimitsTable {
    /// The error is a sentence.
    pub(crate) fn limits(self) -> Result<Limits, String> {
        let mut limits = Limits::default();
        let quotas = &mut limits.quotas;
        let machine = &mut quotas.limits;
        bytes("payload_bytes", self.payload_bytes, PAYLOAD_BYTES_LARGEST, &mut machine.payload_bytes)?;
        bytes("variables_bytes", self.variables_bytes, VARIABLES_BYTES_LARGEST, &mut machine.variables_bytes)?;
        amount("history_events", self.history_events, &mut machine.history_events)?;
        amount("execution_seconds", self.execution_seconds, &mut machine.execution_seconds)?;
        amount("express_seconds", self.express_seconds, &mut machine.express_seconds)?;
        amount("open_executions", self.open_executions, &mut quotas.open_executions)?;
        count("open_map_runs", self.open_map_runs, &mut quotas.open_map_runs)?;
        count("state_machines", self.state_machines, &mut quotas.state_machines)?;
        count("activities", self.activities, &mut quotas.activities)?;
        count("versions", self.versions, &mut quotas.versions)?;
        count("aliases", self.aliases, &mut quotas.aliases)?;
        count("tags", self.tags, &mut quotas.tags)?;
        count("activity_pollers", self.activity_pollers, &mut quotas.activity_pollers)?;
        if let Some(seconds) = self.http_task_seconds {
            if !(1..=HTTP_TASK_SECONDS_LARGEST).contains(&seconds) {
                return Err(format!("`http_task_seconds` must be from 1 to {HTTP_TASK_SECONDS_LARGEST}"));
            }
            limits.http_task_time = Duration::from_secs(seconds);
        }
        for (action, RateTable { bucket, refill }) in self.throttle {
            if bucket == 0 {
                return Err(format!("throttle `{action}`: `bucket` must be at least 1"));
            }
            let rate = Rate { bucket, refill };
            if action != STATE_TRANSITION {
                limits.rates.insert(action, rate);
            } else if refill == 0 {
                return Err(format!(
                    "throttle `{action}`: `refill` must be at least 1, or executions would wait for ever"
                ));
            } else {
                limits.quotas.state_transitions = Some(rate);
            }
        }
        limits.throttles()?;
        Ok(limits)
    }
}

fn bytes(name: &str, given: Option<u64>, largest: u64, limit: &mut usize) -> Result<(), String> {
    let Some(bytes) = given else { return Ok(()) };
    if !(LIMIT_SMALLEST..=largest).contains(&bytes) {
        return Err(format!("`{name}` must be from {LIMIT_SMALLEST} to {largest}"));
    }
    *limit = usize::try_from(bytes).map_err(|_| format!("`{name}` is more than this machine can address"))?;
    Ok(())
}

/// Lifted is the largest number there is.
fn amount(name: &str, given: Option<Amount>, limit: &mut u64) -> Result<(), String> {
    match given {
        None => {}
        Some(Amount::Off(Off::Off)) => *limit = u64::MAX,
        Some(Amount::AtMost(0)) => return Err(format!("`{name}` must be at least 1, or \"off\"")),
        Some(Amount::AtMost(most)) => *limit = most,
    }
    Ok(())
}

fn count(name: &str, given: Option<Amount>, limit: &mut usize) -> Result<(), String> {
    let mut wide = *limit as u64;
    amount(name, given, &mut wide)?;
    *limit = usize::try_from(wide).unwrap_or(usize::MAX);
    Ok(())
}

impl Limits {
    /// Buckets that are full. The error names an action that there is not.
    pub(crate) fn throttles(&self) -> Result<Throttles, String> {
        let rates = self.rates.iter().map(|(action, rate)| (action.clone(), *rate));
        Throttles::new(rates).map_err(|action| format!("throttle `{action}`: there is no such action"))
    }

    /// What is throttled, and how.
    fn throttled(&self) -> impl Iterator<Item = (&str, Rate)> {
        let transitions = self.quotas.state_transitions.map(|rate| (STATE_TRANSITION, rate));
        self.rates.iter().map(|(action, rate)| (action.as_str(), *rate)).chain(transitions)
    }

    /// Each limit by its key, with what it counts; `None`: lifted.
    fn rows(&self) -> Vec<(&'static str, &'static str, Option<u64>)> {
        let Quotas {
            state_machines,
            activities,
            versions,
            aliases,
            open_executions,
            open_map_runs,
            tags,
            activity_pollers,
            state_transitions: _,
            limits,
        } = self.quotas;
        let lifted = |limit: u64| (limit != u64::MAX).then_some(limit);
        let counted = |limit: usize| (limit != usize::MAX).then_some(limit as u64);
        vec![
            ("payload_bytes", "of an input, output or result", counted(limits.payload_bytes)),
            ("variables_bytes", "of all variables of an execution", counted(limits.variables_bytes)),
            ("history_events", "of an execution", lifted(limits.history_events)),
            ("execution_seconds", "of a Standard execution", lifted(limits.execution_seconds)),
            ("express_seconds", "of an Express execution", lifted(limits.express_seconds)),
            ("open_executions", "of the server", lifted(open_executions)),
            ("open_map_runs", "of the server", counted(open_map_runs)),
            ("state_machines", "of a region and account", counted(state_machines)),
            ("activities", "of a region and account", counted(activities)),
            ("versions", "of a state machine", counted(versions)),
            ("aliases", "of a state machine", counted(aliases)),
            ("tags", "of a state machine or activity", counted(tags)),
            ("activity_pollers", "of an activity", counted(activity_pollers)),
            ("http_task_seconds", "of a call", Some(self.http_task_time.as_secs())),
        ]
    }
}

/// `stepwell limits`: what holds, and what AWS has.
pub(crate) fn limits(options: &LimitsOptions) -> anyhow::Result<Exit> {
    let limits = Config::read(options.config.as_deref())?.limits;
    let rows = limits.rows().into_iter().zip(Limits::default().rows());
    if options.json {
        let number =
            |limit: Option<u64>| limit.and_then(|limit| i64::try_from(limit).ok()).map_or(Value::Null, Value::from);
        let rows = rows.map(|((key, _, limit), (_, _, aws))| {
            (key, Value::object([("limit", number(limit)), ("aws", number(aws))]))
        });
        let rates = limits.throttled().map(|(name, rate)| {
            let rate = [("bucket", i64::from(rate.bucket).into()), ("refill", i64::from(rate.refill).into())];
            (name.to_owned(), Value::object(rate))
        });
        let throttle = Value::object(rates);
        anstream::println!("{}", Value::object(rows.chain([("throttle", throttle)])));
        return Ok(Exit::Done);
    }
    let shown = |limit: Option<u64>| limit.map_or_else(|| "off".to_owned(), |limit| limit.to_string());
    for ((key, what, limit), (_, _, aws)) in rows {
        let limit_text = shown(limit);
        if limit == aws {
            anstream::println!("{key:<18} {limit_text:>12}  {what}");
        } else {
            anstream::println!("{key:<18} {BOLD}{limit_text:>12}{BOLD:#}  {what} (AWS: {})", shown(aws));
        }
    }
    if limits.throttled().next().is_none() {
        anstream::println!("throttle                    off  calls of each action, state transitions");
    }
    for (name, Rate { bucket, refill }) in limits.throttled() {
        anstream::println!("throttle.{name}: {bucket} at once, {refill} a second");
    }
    Ok(Exit::Done)
}
