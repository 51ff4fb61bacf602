//! From parameters to an HTTP call, and from an HTTP answer to a result: one file for each way of writing.
//!
//! awsJson is `json`; restJson is `rest` with `json`; restXml is `rest` with `xml`; Query and ec2Query write `query` and
//! read `xml`; rpcv2Cbor is `cbor`. Source: the Smithy protocol definitions; tests compare with botocore.

use bytes::Bytes;
use hyper::{HeaderMap, StatusCode};
use stepwell_expr::Value;

use super::{
    model::{Operation, Protocol, Ref, Service},
    node::{Node, ParameterError, parse_json},
};

mod cbor;
mod json;
mod query;
mod rest;
mod xml;

pub(crate) use rest::UNRESERVED;

/// A call before it has a host and a signature.
#[derive(Debug, Default)]
pub(crate) struct Call {
    pub(crate) method: String,
    /// Encoded; begins with `/`.
    pub(crate) path: String,
    /// Not encoded.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    /// Before the host's name.
    pub(crate) host_prefix: Option<String>,
}

/// What a service answered instead of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceError {
    /// As the service names it; empty if it does not.
    pub(crate) code: String,
    pub(crate) message: Option<String>,
    pub(crate) status: u16,
    pub(crate) request_id: String,
    /// Of S3.
    pub(crate) extended_request_id: Option<String>,
}

impl Service {
    /// The call of an operation with these parameters.
    pub(crate) fn call(&self, name: &str, operation: &Operation, input: &Node) -> Result<Call, ParameterError> {
        let mut call = match self.protocol {
            Protocol::Json => json::call(self, name, operation, input),
            Protocol::Query | Protocol::Ec2 => query::call(self, name, operation, input),
            Protocol::Cbor => cbor::call(self, name, operation, input),
            Protocol::RestJson | Protocol::RestXml => rest::call(self, operation, input)?,
        };
        if let Some(prefix) = &operation.host_prefix {
            call.host_prefix = Some(self.host_prefix(prefix, operation, input)?);
        }
        Ok(call)
    }

    /// What is missing of the parameters that stand in the address of a call.
    pub(crate) fn missing_in_address(&self, operation: &Operation, input: &Node) -> Option<ParameterError> {
        let host = operation.host_prefix.as_ref().map(|prefix| self.host_prefix(prefix, operation, input));
        let path = self.is_rest().then(|| rest::path(self, operation, input));
        path.into_iter().chain(host).find_map(Result::err)
    }

    /// `{AccountId}.` with the member's value.
    fn host_prefix(&self, template: &str, operation: &Operation, input: &Node) -> Result<String, ParameterError> {
        let mut prefix = template.to_owned();
        let members = operation.input.as_ref().map_or(&[][..], |of| self.members(of));
        for (index, member) in members.iter().enumerate().filter(|(_, member)| member.of.traits.is_host_label) {
            let label = format!("{{{}}}", member.name);
            if !prefix.contains(&label) {
                continue;
            }
            let value = input.member(index).and_then(Node::as_text).filter(|text| is_host_label(text));
            let value = value.ok_or_else(|| ParameterError::Missing(member.shown.to_string()))?;
            prefix = prefix.replace(&label, value);
        }
        Ok(prefix)
    }

    /// The result in an answer that is no error. `None`: it cannot be read.
    pub(crate) fn result(
        &self,
        operation: &Operation,
        status: StatusCode,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Option<Node> {
        let Some(output) = &operation.output else { return Some(Node::Structure(Vec::new())) };
        match self.protocol {
            Protocol::Json => json::result(self, output, body),
            Protocol::Query => xml::query_result(self, operation, output, body),
            Protocol::Ec2 => xml::result(self, output, body),
            Protocol::Cbor => cbor::result(self, output, body),
            Protocol::RestJson | Protocol::RestXml => rest::result(self, output, status, headers, body),
        }
    }

    fn is_rest(&self) -> bool {
        matches!(self.protocol, Protocol::RestJson | Protocol::RestXml)
    }

    pub(crate) fn is_rest_xml(&self) -> bool {
        self.protocol == Protocol::RestXml
    }

    /// The error in an answer that is one.
    ///
    /// With it, what the SDK calls it, if the model knows it.
    pub(crate) fn service_error(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
    ) -> (ServiceError, Option<Box<str>>) {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let found = match self.protocol {
            Protocol::Json | Protocol::RestJson => json::error(body),
            Protocol::Query | Protocol::Ec2 | Protocol::RestXml => xml::error(body),
            Protocol::Cbor => cbor::error(body),
        };
        // `x-amzn-query-error: Code;Sender` goes before the body, `x-amzn-errortype: Code:http://…` too.
        let of_query = header("x-amzn-query-error").filter(|_| self.has_query_errors).map(|text| before(text, ';'));
        let of_type = header("x-amzn-errortype").map(|text| after(before(text, ':'), '#'));
        // Where the header has the code of old, the body may have the name that the model knows.
        let names = [of_query, of_type, found.code.as_deref()];
        let exception =
            names.into_iter().flatten().find_map(|name| self.error(name)).map(|error| error.exception.clone());
        let code = of_query.or(of_type).map(str::to_owned).or(found.code).unwrap_or_default();
        let request_id = ["x-amzn-requestid", "x-amz-request-id", "x-amz-requestid"].into_iter().find_map(header);
        let error = ServiceError {
            code,
            message: found.message,
            status: status.as_u16(),
            request_id: request_id.map(str::to_owned).or(found.request_id).unwrap_or_default(),
            extended_request_id: header("x-amz-id-2").map(str::to_owned).or(found.host_id),
        };
        (error, exception)
    }
}

/// True of an error that came with a status of success: S3 says so after it has begun to answer.
pub(crate) fn is_error_in_disguise(body: &[u8]) -> bool {
    xml::is_error(body)
}

/// What the body of an error says.
#[derive(Default)]
struct FoundError {
    code: Option<String>,
    message: Option<String>,
    request_id: Option<String>,
    host_id: Option<String>,
}

fn is_host_label(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    !text.is_empty() && text.len() <= 63 && text.bytes().all(allowed)
}

fn before(text: &str, mark: char) -> &str {
    text.split(mark).next().unwrap_or(text)
}

fn after(text: &str, mark: char) -> &str {
    text.rsplit(mark).next().unwrap_or(text)
}

/// The name that a member, an item or an entry has on the wire.
fn wire_name<'a>(of: &'a Ref, name: &'a str) -> &'a str {
    of.traits.name.as_deref().unwrap_or(name)
}

/// A text member that is JSON by its model: its value's own text.
fn json_text(value: &Node) -> Option<Value> {
    value.as_text().and_then(|text| parse_json(text.as_bytes()))
}
