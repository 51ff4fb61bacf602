//! Execution logs to CloudWatch Logs, through the client that runs tasks.
//!
//! A log group is never made here: what is meant for one that is not there is dropped, as on AWS. Streams are named as
//! AWS names them, `states/MACHINE/DATE/HASH`, one for each machine and process.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use parking_lot::Mutex;
use stepwell_api::{log_gap, log_record};
use stepwell_engine::{LogEntry, LogError, LogSink, TaskRunner};
use stepwell_expr::Value;
use stepwell_machine::{Failure, TaskOutcome, TaskRequest, timestamp};

use super::Taking;
use crate::limits::{LOG_EVENT_OVERHEAD_BYTES, LOG_PUT_BYTES_MAX, LOG_PUT_EVENTS_MAX};

/// How an AWS SDK task names the service.
const SERVICE: &str = "aws-sdk:cloudwatchlogs";

pub(crate) struct CloudWatch {
    runner: Arc<dyn TaskRunner>,
    /// The end of every stream's name.
    hash: String,
    /// When this process began, as AWS writes it in a stream's name.
    minute: String,
    streams: Mutex<BTreeSet<Stream>>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Stream {
    /// Where its log group is.
    region: String,
    group: String,
    name: String,
}

/// What goes into one stream, in order.
struct Lines {
    role_arn: Arc<str>,
    /// Milliseconds since 1970, and the text.
    lines: Vec<(i64, String)>,
}

impl CloudWatch {
    pub(crate) fn new(runner: Arc<dyn TaskRunner>, now_ms: i64) -> CloudWatch {
        let minute: String = timestamp::format(now_ms).chars().take("2026-03-14T09:26".len()).collect();
        CloudWatch {
            runner,
            hash: format!("{:08x}", std::process::id()),
            minute: minute.replace(['T', ':'], "-"),
            streams: Mutex::default(),
        }
    }

    async fn deliver(&self, entries: &[LogEntry]) -> Result<(), LogError> {
        let mut streams: BTreeMap<Stream, Lines> = BTreeMap::new();
        let mut dropped = 0;
        for entry in entries {
            let logged = match entry {
                LogEntry::Event(logged) => logged,
                LogEntry::Gap { dropped: so_many } => {
                    dropped += so_many;
                    continue;
                }
            };
            let log_group_arn = &logged.logging.log_group_arn;
            let stream = Stream {
                region: log_group_arn.split(':').nth(3).unwrap_or_default().to_owned(),
                group: super::group_name(log_group_arn).to_owned(),
                name: format!("states/{}/{}/{}", logged.about.state_machine_name, self.minute, self.hash),
            };
            let new = || Lines { role_arn: logged.about.role_arn.clone(), lines: Vec::new() };
            let lines = &mut streams.entry(stream).or_insert_with(new).lines;
            if dropped > 0 {
                lines.push((logged.event.timestamp_ms, log_gap(dropped)));
                dropped = 0;
            }
            lines.push((logged.event.timestamp_ms, log_record(logged)));
        }
        for (stream, lines) in streams {
            self.put(&stream, lines).await?;
        }
        Ok(())
    }

    async fn put(&self, stream: &Stream, of: Lines) -> Result<(), LogError> {
        if !self.streams.lock().contains(stream) {
            if !self.make(stream, &of.role_arn).await? {
                return Ok(());
            }
            self.streams.lock().insert(stream.clone());
        }
        let Lines { role_arn, mut lines } = of;
        // Source: PutLogEvents; events of one call are in the order of their times.
        lines.sort_by_key(|(timestamp_ms, _)| *timestamp_ms);
        let mut rest = lines.as_slice();
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = |(_, line): &&(i64, String)| {
                bytes += line.len() + LOG_EVENT_OVERHEAD_BYTES;
                bytes <= LOG_PUT_BYTES_MAX
            };
            let count = rest.iter().take(LOG_PUT_EVENTS_MAX).take_while(fits).count().max(1);
            let events = rest[..count].iter().map(|(timestamp_ms, line)| {
                Value::object([("Timestamp", Value::from(*timestamp_ms)), ("Message", Value::from(line.as_str()))])
            });
            let parameters = [("LogEvents", Value::array(events.collect()))];
            match self.call("putLogEvents", stream, parameters, &role_arn).await {
                Ok(()) => {}
                Err(failure) if is_for_good(&failure) => tell(stream, &failure),
                Err(failure) => return Err(log_error(&failure)),
            }
            rest = &rest[count..];
        }
        Ok(())
    }

    /// False: its group is not there.
    async fn make(&self, stream: &Stream, role_arn: &Arc<str>) -> Result<bool, LogError> {
        match self.call("createLogStream", stream, [], role_arn).await {
            Ok(()) => Ok(true),
            Err(failure) if has_name(&failure, "ResourceAlreadyExistsException") => Ok(true),
            Err(failure) if is_for_good(&failure) => {
                tell(stream, &failure);
                Ok(false)
            }
            Err(failure) => Err(log_error(&failure)),
        }
    }

    async fn call<const N: usize>(
        &self,
        action: &str,
        Stream { region, group, name }: &Stream,
        parameters: [(&str, Value); N],
        role_arn: &Arc<str>,
    ) -> Result<(), Failure> {
        let names = [("LogGroupName", Value::from(group.as_str())), ("LogStreamName", Value::from(name.as_str()))];
        let parameters = Value::object(names.into_iter().chain(parameters));
        let request = TaskRequest::of_server(SERVICE, action, parameters, role_arn.clone(), region);
        match self.runner.run(request).await {
            TaskOutcome::Succeeded { .. } => Ok(()),
            TaskOutcome::Failed(failure) => Err(failure),
        }
    }
}

impl LogSink for CloudWatch {
    fn take(&self, entries: Arc<[LogEntry]>) -> Taking<'_> {
        Box::pin(async move { self.deliver(&entries).await })
    }
}

fn has_name(failure: &Failure, name: &str) -> bool {
    failure.error.as_deref().is_some_and(|error| error.rsplit('.').next() == Some(name))
}

/// True if it would be refused as well another time.
fn is_for_good(failure: &Failure) -> bool {
    let names =
        ["ResourceNotFoundException", "InvalidParameterException", "AccessDeniedException", "NotSupported", "Runtime"];
    names.iter().any(|name| has_name(failure, name))
}

fn tell(Stream { group, .. }: &Stream, failure: &Failure) {
    let Failure { error, cause } = failure;
    tracing::warn!(group, error = error.as_deref(), cause = cause.as_deref(), "an execution log is dropped");
}

fn log_error(failure: &Failure) -> LogError {
    let texts = [failure.error.as_deref(), failure.cause.as_deref()];
    LogError(texts.into_iter().flatten().collect::<Vec<_>>().join(": "))
}

#[cfg(test)]
mod tests {
    use std::{future::Future, pin::Pin};

    use stepwell_engine::logs::{About, LogLevel, LoggedEvent, Logging};
    use stepwell_expr::Payload;
    use stepwell_machine::{HistoryEvent, effect::TaskTarget, history::Detail};

    use super::*;

    /// Notes what it is asked, and knows one log group.
    #[derive(Default)]
    struct Service(Mutex<Vec<String>>);

    impl TaskRunner for Service {
        fn run(&self, request: TaskRequest) -> Pin<Box<dyn Future<Output = TaskOutcome> + Send + 'static>> {
            let TaskTarget::Service { action, .. } = &request.target else { unreachable!("only services are called") };
            let text = request.input.text();
            self.0.lock().push(format!("{action} {text}"));
            let outcome = match text.contains(r#""LogGroupName":"/there""#) {
                true => TaskOutcome::Succeeded { output: Payload::from_checked_text("{}") },
                false => TaskOutcome::Failed(Failure::named("CloudWatchLogs.ResourceNotFoundException")),
            };
            Box::pin(async move { outcome })
        }
    }

    fn event(group: &str, timestamp_ms: i64) -> LogEntry {
        let log_group_arn = format!("arn:aws:logs:us-east-1:123456789012:log-group:{group}:*").into();
        LogEntry::Event(LoggedEvent {
            logging: Arc::new(Logging { level: LogLevel::All, include_data: false, log_group_arn }),
            about: Arc::new(About {
                execution_arn: "arn:e".into(),
                state_machine_name: "m".into(),
                role_arn: "arn:r".into(),
                start_ms: 0,
                redrive_count: 0,
                map_run_arn: None,
            }),
            event: HistoryEvent { id: 1, previous: 0, timestamp_ms, detail: Detail::LambdaFunctionStarted },
        })
    }

    #[test]
    fn a_stream_is_made_once_and_a_group_that_is_not_there_is_passed_over() {
        let service = Arc::new(Service::default());
        let sink = CloudWatch::new(service.clone(), 0);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let entries = [event("/there", 2), event("/gone", 1), event("/there", 1)];
        for _ in 0..2 {
            runtime.block_on(sink.take(entries.to_vec().into())).unwrap();
        }
        let calls = service.0.lock().clone();
        let actions: Vec<&str> = calls.iter().filter_map(|call| call.split(' ').next()).collect();
        // `/gone` is asked for again each time: it may have been made.
        assert_eq!(
            actions,
            ["createLogStream", "createLogStream", "putLogEvents", "createLogStream", "putLogEvents"],
            "{calls:?}"
        );
        let put = calls.iter().find(|call| call.starts_with("putLogEvents")).unwrap();
        assert!(put.contains(r#""LogStreamName":"states/m/1970-01-01-00-00/"#), "{put}");
        let (first, second) = (put.find(r#""Timestamp":1,"#), put.find(r#""Timestamp":2,"#));
        assert!(first.is_some() && first < second, "{put}");
    }
}
