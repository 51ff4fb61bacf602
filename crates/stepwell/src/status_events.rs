//! Status changes of executions to EventBridge, through the client that runs tasks.

use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc};

use stepwell_api::status_event_detail;
use stepwell_engine::{LogError, StatusChange, StatusSink, TaskRunner};
use stepwell_expr::Value;
use stepwell_machine::{TaskOutcome, TaskRequest, limits::Limits, timestamp};

use crate::{
    config::Events,
    limits::{PUT_EVENTS_BYTES_MAX, PUT_EVENTS_MAX},
};

const DETAIL_TYPE: &str = "Step Functions Execution Status Change";

pub(crate) struct EventBridge {
    pub(crate) runner: Arc<dyn TaskRunner>,
    pub(crate) events: Events,
    /// What the machine keeps executions within: it says which can be redriven.
    pub(crate) limits: Limits,
}

impl EventBridge {
    async fn announce(&self, changes: &[StatusChange]) -> Result<(), LogError> {
        // Each goes to the EventBridge of its region, in order there.
        let mut regions: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for change in changes {
            let region = change.execution.arn.split(':').nth(3).unwrap_or_default();
            regions.entry(region).or_default().push(self.entry(change));
        }
        for (region, entries) in regions {
            let mut rest = entries.as_slice();
            while !rest.is_empty() {
                let mut bytes = 0;
                let fits = |entry: &&Value| {
                    bytes += entry.to_string().len();
                    bytes <= PUT_EVENTS_BYTES_MAX
                };
                let count = rest.iter().take(PUT_EVENTS_MAX).take_while(fits).count().max(1);
                self.put(region, &rest[..count]).await?;
                rest = &rest[count..];
            }
        }
        Ok(())
    }

    /// Source: EventBridge API, `PutEventsRequestEntry`.
    fn entry(&self, change: &StatusChange) -> Value {
        let detail = status_event_detail(change, &self.limits);
        Value::object([
            ("EventBusName", Value::from(self.events.bus.as_str())),
            ("Source", Value::from(self.events.source.as_str())),
            ("DetailType", Value::from(DETAIL_TYPE)),
            ("Time", Value::from(timestamp::format(change.at_ms))),
            ("Resources", Value::array(vec![Value::String(change.execution.arn.clone())])),
            ("Detail", Value::from(detail.to_string())),
        ])
    }

    /// Entries that are refused for themselves are dropped: they would be again.
    async fn put(&self, region: &str, entries: &[Value]) -> Result<(), LogError> {
        let parameters = Value::object([("Entries", Value::array(entries.to_vec()))]);
        // AWS tells EventBridge in its own name, not in that of the state machine.
        let request = TaskRequest::of_server("aws-sdk:eventbridge", "putEvents", parameters, "".into(), region);
        let output = match self.runner.run(request).await {
            TaskOutcome::Succeeded { output } => output,
            TaskOutcome::Failed(failure) => {
                let texts = [failure.error.as_deref(), failure.cause.as_deref()];
                return Err(LogError(texts.into_iter().flatten().collect::<Vec<_>>().join(": ")));
            }
        };
        let answers = output.value().get("Entries").and_then(Value::as_array).unwrap_or_default();
        for answer in answers {
            let Some(code) = answer.get("ErrorCode").and_then(Value::as_str) else { continue };
            if is_passing(code) {
                return Err(LogError(format!("EventBridge answers {code}")));
            }
            let message = answer.get("ErrorMessage").and_then(Value::as_str);
            tracing::warn!(code, message, "EventBridge refuses a status change: it is dropped");
        }
        Ok(())
    }
}

/// Whether an entry may be taken another time. Source: EventBridge API, `PutEventsResultEntry`.
fn is_passing(code: &str) -> bool {
    matches!(code, "InternalFailure" | "InternalException" | "ThrottlingException" | "ServiceUnavailable")
}

impl StatusSink for EventBridge {
    fn take(&self, changes: Arc<[StatusChange]>) -> Pin<Box<dyn Future<Output = Result<(), LogError>> + Send + '_>> {
        Box::pin(async move { self.announce(&changes).await })
    }
}
