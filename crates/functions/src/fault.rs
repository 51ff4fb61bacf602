//! What Lambda answers when a function's process fails instead of the function.
//!
//! Source: answers of Lambda and of its Runtime Interface Emulator.

use std::{process::ExitStatus, time::Duration};

use bytes::Bytes;
use stepwell_expr::Value;

/// A payload with `errorType` and `errorMessage`.
pub(crate) fn payload(error_type: &str, message: &str) -> Bytes {
    Value::object([("errorType", Value::from(error_type)), ("errorMessage", Value::from(message))]).to_string().into()
}

pub(crate) fn timed_out(id: &str, after: Duration) -> Bytes {
    let text = format!("RequestId: {id} Error: Task timed out after {:.2} seconds", after.as_secs_f64());
    payload("Sandbox.Timedout", &text)
}

pub(crate) fn init_timed_out(id: &str, after: Duration) -> Bytes {
    let text = format!("RequestId: {id} Error: Init timed out after {:.2} seconds", after.as_secs_f64());
    payload("Sandbox.Timedout", &text)
}

/// The keeper tells a signal as a shell does: 128 more than its number.
pub(crate) fn exited(id: &str, status: Option<ExitStatus>) -> Bytes {
    let reason = match status.and_then(|status| status.code()) {
        Some(0) => "Runtime exited without providing a reason".to_owned(),
        Some(137) => "Runtime exited with error: signal: killed".to_owned(),
        Some(code @ 129..=192) => format!("Runtime exited with error: signal: {}", code - 128),
        Some(code) => format!("Runtime exited with error: exit status {code}"),
        None => "Runtime exited with error: signal: killed".to_owned(),
    };
    payload("Runtime.ExitError", &format!("RequestId: {id} Error: {reason}"))
}

pub(crate) fn not_started(id: &str, reason: &str) -> Bytes {
    payload("Runtime.InvalidEntrypoint", &format!("RequestId: {id} Error: {reason}"))
}

pub(crate) fn too_large() -> Bytes {
    let max = crate::limits::RESPONSE_BYTES_MAX;
    let text = format!("Response payload size exceeded maximum allowed payload size ({max} bytes).");
    payload("Function.ResponseSizeTooLarge", &text)
}
