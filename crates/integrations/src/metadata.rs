//! `SdkHttpMetadata` and `SdkResponseMetadata`, which results of optimised integrations carry.

use hyper::HeaderMap;
use stepwell_expr::{Object, Value};

use crate::http::Answer;

/// Adds both to a result.
pub(crate) fn add(to: &mut Object, answer: &Answer) {
    to.insert("SdkHttpMetadata".into(), http_metadata(answer));
    to.insert("SdkResponseMetadata".into(), Value::object([("RequestId", Value::from(request_id(&answer.headers)))]));
}

fn http_metadata(answer: &Answer) -> Value {
    let (all, last) = headers(&answer.headers);
    Value::object([
        ("AllHttpHeaders", all),
        ("HttpHeaders", last),
        ("HttpStatusCode", Value::from(i64::from(answer.status.as_u16()))),
    ])
}

/// All values of each header, and the last one of each.
pub(crate) fn headers(headers: &HeaderMap) -> (Value, Value) {
    let mut all = Object::default();
    let mut last = Object::default();
    for name in headers.keys() {
        let values = headers.get_all(name).iter();
        let values: Vec<Value> =
            values.map(|value| Value::from(String::from_utf8_lossy(value.as_bytes()).into_owned())).collect();
        if let Some(value) = values.last() {
            last.insert(name.as_str().into(), value.clone());
        }
        all.insert(name.as_str().into(), Value::array(values));
    }
    (Value::Object(all.into()), Value::Object(last.into()))
}

pub(crate) fn request_id(headers: &HeaderMap) -> &str {
    headers.get("x-amzn-RequestId").and_then(|value| value.to_str().ok()).unwrap_or("")
}
