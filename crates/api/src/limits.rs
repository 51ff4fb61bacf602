//! Every bound of this crate.

use std::time::Duration;

/// Largest body of a request, in bytes. Ours: AWS takes 1 MB; a definition of 1 MiB grows when written as a JSON string.
pub const REQUEST_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How many times its own length a payload is taken to have in a request, where it is the text of a JSON string. Ours.
pub const JSON_GROWTH_MAX: usize = 4;
/// Bytes past the largest body that are read and dropped, so that a client gets to read why it was refused.
pub const REFUSED_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bodies up to this are taken as they come: those of all connections together are 256 MiB.
pub const SMALL_BODY_BYTES: usize = 16 * 1024;
/// Bytes of the larger bodies of all requests under way; past it the caller is throttled. Ours.
pub const LARGE_BODIES_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Largest head of a request, in bytes: the buffer that a head must fit in.
pub const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Headers of one request.
pub const HEADERS_MAX: usize = 100;
/// Time in which the head of a request must have come; also how long an idle connection is kept.
pub const HEAD_TIME_MAX: Duration = Duration::from_secs(60);
/// Time in which the body of a request must have come.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(30);
/// Connections at once; further ones wait to be accepted.
pub const CONNECTIONS_MAX: usize = 16_384;
/// Time that requests under way get when the server stops.
pub const STOP_TIME_MAX: Duration = Duration::from_secs(10);
/// Pause after a connection could not be accepted (no free file handles), before the next try.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Largest input, output or result, in bytes of UTF-8. Source: Step Functions quotas.
pub const PAYLOAD_BYTES_MAX: usize = stepwell_machine::limits::PAYLOAD_BYTES_MAX;
/// Largest definition, in bytes of UTF-8. Source: Step Functions API model.
pub const DEFINITION_BYTES_MAX: usize = stepwell_machine::limits::DEFINITION_BYTES_MAX;
/// Longest name of a state machine, execution, activity or worker, in characters. Source: API model.
pub const NAME_CHARS_MAX: usize = 80;
/// Longest ARN, in characters. Source: API model, shape `Arn`.
pub const ARN_CHARS_MAX: usize = 256;
/// Longest ARN of a Map Run or a version, in characters. Source: API model, shape `LongArn`.
pub const LONG_ARN_CHARS_MAX: usize = 2_000;
/// Longest error name that a caller gives, in characters. Source: API model.
pub const ERROR_CHARS_MAX: usize = stepwell_machine::limits::ERROR_CHARS_MAX;
/// Longest cause that a caller gives, in characters. Source: API model.
pub const CAUSE_CHARS_MAX: usize = stepwell_machine::limits::CAUSE_CHARS_MAX;
/// Longest task token, in characters. Source: API model.
pub const TASK_TOKEN_CHARS_MAX: usize = 2_048;
/// Longest `traceHeader`, in characters. Source: API model.
pub const TRACE_HEADER_CHARS_MAX: usize = 256;
/// Longest description of a version, in characters. Source: API model.
pub const DESCRIPTION_CHARS_MAX: usize = 256;
/// Longest page token, in characters. Source: API model.
pub const PAGE_TOKEN_CHARS_MAX: usize = 1_024;
/// Longest page token of ListExecutions, in characters. Source: API model.
pub const EXECUTIONS_PAGE_TOKEN_CHARS_MAX: usize = 3_096;
/// Owners that have token buckets; past it, and while none of theirs is full again, others are throttled. Ours.
pub const OWNERS_THROTTLED_MAX: usize = 10_000;
/// Rows in one page. Source: API model.
pub const PAGE_MAX: i64 = 1_000;
/// Rows in one page unless told. Source: API reference.
pub const PAGE_DEFAULT: usize = 100;
/// Diagnostics in one answer of ValidateStateMachineDefinition. Source: API model.
pub const DIAGNOSTICS_MAX: i64 = 100;
/// How long a page token lives. Source: API reference.
pub const PAGE_TOKEN_SECONDS_MAX: u64 = 24 * 60 * 60;
/// Longest tag key, in characters. Source: API model.
pub const TAG_KEY_CHARS_MAX: usize = 128;
/// Longest tag value, in characters. Source: API model.
pub const TAG_VALUE_CHARS_MAX: usize = 256;
/// Longest id of an encryption key, in characters. Source: API model.
pub const KEY_ID_CHARS_MAX: usize = 2_048;
/// Longest client token, in characters. Source: API model.
pub const CLIENT_TOKEN_CHARS_MAX: usize = 64;
/// Milliseconds that Express executions are billed by. Source: Step Functions pricing.
pub const BILLED_MS: u64 = 100;
/// Megabytes that Express executions are billed by. Source: Step Functions pricing.
pub const BILLED_MB: u64 = 64;
/// Most bytes of data in one record of an execution log. Source: Step Functions guide (248 KB).
pub const LOG_DATA_BYTES_MAX: usize = 248 * 1024;
/// Most bytes of an execution's data in an event of EventBridge. Source: Step Functions guide (248 KiB).
pub const EVENT_DATA_BYTES_MAX: usize = 248 * 1024;
/// How long CloudWatch Logs may take to say whether a log group is there, in seconds. Ours.
pub const LOG_GROUP_SECONDS_MAX: u64 = 5;
/// How long AWS KMS may take to say whether a key can be used, in seconds. Ours.
pub const KMS_KEY_SECONDS_MAX: u64 = 5;
/// How long the test of one state may take, in seconds. Source: API reference, TestState.
pub const TEST_SECONDS_MAX: u64 = 5 * 60;
/// Bytes of the shapes of one service's answers, as text: several times what the largest has. Ours.
pub const SHAPES_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Rows of one answer to the console: found executions, waiting tasks. Ours.
pub const CONSOLE_PAGE: usize = 50;
/// Activities that one answer to the console tells of. Ours.
pub const CONSOLE_ACTIVITIES_MAX: usize = 1_000;
/// Streams of history events open at once. Ours: each reads the store a few times a second.
pub const STREAMS_MAX: usize = 64;
/// Batches that wait in one stream for a client that reads slowly. Ours.
pub const STREAM_BATCHES_MAX: usize = 2;
/// Events in one batch of a stream, and in one answer that stands in for it. Ours.
pub const STREAM_EVENTS_MAX: usize = 500;
/// Pause of a stream between two reads while events come. Ours.
pub const STREAM_PAUSE_MIN: Duration = Duration::from_millis(100);
/// Pause of a stream between two reads while none come. Ours.
pub const STREAM_PAUSE_MAX: Duration = Duration::from_millis(800);
/// Silence after which a stream says that it is still there. Ours: proxies cut what is silent for a minute.
pub const STREAM_HEARTBEAT: Duration = Duration::from_secs(15);
/// Expressions that the console has evaluated at once; further ones wait. Ours: each may take a core for a second.
pub const EVALUATIONS_MAX: usize = 2;
/// Greatest `maxConcurrency` of a Map Run that a call may give: an integer of 32 bits. Source: Step Functions API model.
pub const MAX_CONCURRENCY_MAX: i64 = i32::MAX as i64;
/// Pages that one call reads whose rows a filter passes over. Ours.
pub const FILTERED_PAGES_MAX: usize = 20;
