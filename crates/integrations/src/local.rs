//! Lambda functions on this machine, which are tried before any endpoint.

use bytes::Bytes;
use stepwell_functions::{Functions, Invocation, InvocationType, Name};

use crate::http::Answer;

/// Invokes the function if it is on this machine. `None`: it is not, and Lambda's endpoint is to be asked.
pub(crate) async fn call(
    functions: &Functions,
    function: &str,
    qualifier: Option<&str>,
    headers: &[(&'static str, String)],
    payload: &Bytes,
) -> Option<Answer> {
    let name = Name::parse(function).filter(|name| functions.has(&name.function))?;
    let header =
        |wanted: &str| headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| &**value);
    let kind = match header("X-Amz-Invocation-Type") {
        Some("Event") => InvocationType::Event,
        Some("DryRun") => InvocationType::DryRun,
        _ => InvocationType::RequestResponse,
    };
    let answered = functions.call(Invocation {
        name: Name { qualifier: qualifier.map(str::to_owned).or(name.qualifier), ..name },
        kind,
        client_context: header("X-Amz-Client-Context").map(str::to_owned),
        with_log: header("X-Amz-Log-Type") == Some("Tail"),
        payload: payload.clone(),
    });
    let (head, body) = answered.await?.into_parts();
    Some(Answer { status: head.status, headers: head.headers, body })
}
