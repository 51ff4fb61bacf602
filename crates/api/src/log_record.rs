//! Events of execution logs, in AWS's record format.
//!
//! Source: recorded log streams; numbers are texts there, and `details` is always an object.

use stepwell_engine::logs::LoggedEvent;

use crate::{history_event, limits::LOG_DATA_BYTES_MAX, writer::Writer};

/// One line of a log, without its end.
///
/// Data of more than [`LOG_DATA_BYTES_MAX`] bytes are left out, and the details say `truncated`.
pub fn log_record(logged: &LoggedEvent) -> String {
    let event = &logged.event;
    let mut bytes = 0;
    let data = match logged.logging.include_data {
        false => history_event::Data::None,
        true => {
            event.detail.for_each_payload(&mut |payload| bytes += payload.bytes());
            if bytes > LOG_DATA_BYTES_MAX { history_event::Data::Truncated } else { history_event::Data::All }
        }
    };
    let mut record = Writer::object();
    record.string("id", &event.id.to_string());
    record.string("type", history_event::type_name(&event.detail));
    record.member_object("details", |details| history_event::write_details(details, &event.detail, data));
    record.string("previous_event_id", &event.previous.to_string());
    record.string("event_timestamp", &event.timestamp_ms.to_string());
    record.string("execution_arn", &logged.about.execution_arn);
    record.string("redrive_count", &logged.about.redrive_count.to_string());
    // No recording shows one.
    record.optional_string("map_run_arn", logged.about.map_run_arn.as_deref());
    record.end()
}

/// The line that says that events are missing. Ours: AWS loses them in silence.
pub fn log_gap(dropped: u64) -> String {
    let mut record = Writer::object();
    record.string("type", "LogGap");
    record.member_object("details", |details| details.string("dropped_events", &dropped.to_string()));
    record.end()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use stepwell_engine::logs::{About, LogLevel, Logging};
    use stepwell_expr::Payload;
    use stepwell_machine::{HistoryEvent, history::Detail, state::StateType};

    use super::*;

    fn record(detail: Detail, include_data: bool) -> String {
        let logging = Logging { level: LogLevel::All, include_data, log_group_arn: "arn:g:*".into() };
        let about = About {
            execution_arn: "arn:e".into(),
            state_machine_name: "m".into(),
            role_arn: "arn:r".into(),
            start_ms: 0,
            redrive_count: 1,
            map_run_arn: None,
        };
        let event = HistoryEvent { id: 3, previous: 2, timestamp_ms: 1_700_000_000_123, detail };
        log_record(&LoggedEvent { logging: Arc::new(logging), about: Arc::new(about), event })
    }

    fn exited(output: &str) -> Detail {
        let output = Payload::from_checked_text(output);
        Detail::StateExited { kind: StateType::Pass, name: "S".into(), output, assigned: Arc::new([]) }
    }

    #[test]
    fn as_recorded() {
        let rest =
            r#""previous_event_id":"2","event_timestamp":"1700000000123","execution_arn":"arn:e","redrive_count":"1"}"#;
        let head = r#"{"id":"3","type":"PassStateExited","details":"#;
        assert_eq!(
            record(exited("{ }"), true),
            format!(r#"{head}{{"name":"S","output":"{{ }}","outputDetails":{{"truncated":false}}}},{rest}"#)
        );
        assert_eq!(record(exited("{ }"), false), format!(r#"{head}{{"name":"S"}},{rest}"#));
        let large = format!("\"{}\"", "x".repeat(LOG_DATA_BYTES_MAX));
        assert_eq!(
            record(exited(&large), true),
            format!(r#"{head}{{"name":"S","outputDetails":{{"truncated":true}}}},{rest}"#)
        );
        let started = record(Detail::LambdaFunctionStarted, true);
        assert!(started.starts_with(r#"{"id":"3","type":"LambdaFunctionStarted","details":{},"#), "{started}");
    }
}
