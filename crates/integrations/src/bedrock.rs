//! Bedrock: `bedrock:invokeModel`, whose request may be read from S3 and whose answer may be written there.
//!
//! Source: Step Functions guide, "Invoke and customize Amazon Bedrock models with Step Functions".

use stepwell_expr::{Payload, Value};
use stepwell_machine::Failure;

use crate::{
    Work,
    aws::node::ParameterError,
    optimised::{Action, with, without},
};

pub(crate) async fn invoke_model(work: &Work<'_>, action: &Action) -> Result<Payload, Failure> {
    let given = action.given(work)?;
    let source = place(given, "Input")?;
    let target = place(given, "Output")?;
    let parameters = without(given, &["Input", "Output"]);
    let mut reply = match source {
        None => action.call(work, &parameters).await?,
        // One of them alone may be given.
        Some(_) if given.get("Body").is_some_and(|body| !body.is_null()) => {
            return Err(action.failure(work, &ParameterError::Unknown("Input".to_owned()).into()));
        }
        Some(source) => {
            let object = action.call_other(work, "s3", "getObject", &source.parameters(), None).await?;
            let (service, call) = action.calls;
            action.call_other(work, service, call, &parameters, Some(object.answer.body)).await?
        }
    };
    if let Some(target) = target {
        let body = Some(reply.answer.body.clone());
        action.call_other(work, "s3", "putObject", &target.parameters(), body).await?;
        reply.result = with(&reply.result, &[("Body", Value::from(target.uri))]);
    }
    action.output(work, given, &reply)
}

/// An object of S3.
struct Place<'a> {
    uri: &'a str,
    bucket: &'a str,
    key: &'a str,
}

impl Place<'_> {
    fn parameters(&self) -> Value {
        Value::object([("Bucket", Value::from(self.bucket)), ("Key", Value::from(self.key))])
    }
}

/// `{"S3Uri": "s3://BUCKET/KEY"}`, where it is given.
fn place<'a>(given: &'a Value, name: &str) -> Result<Option<Place<'a>>, Failure> {
    let Some(member) = given.get(name).filter(|member| !member.is_null()) else { return Ok(None) };
    let uri = member.get("S3Uri").and_then(Value::as_str);
    let parts = uri.and_then(|uri| Some((uri, uri.strip_prefix("s3://")?.split_once('/')?)));
    match parts {
        Some((uri, (bucket, key))) if !bucket.is_empty() && !key.is_empty() => Ok(Some(Place { uri, bucket, key })),
        _ => Err(crate::apigateway::invalid(&format!("{name}.S3Uri"))),
    }
}
