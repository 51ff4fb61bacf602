//! `SdkHttpMetadata` and `SdkResponseMetadata`, which results of optimised integrations carry.

use std::{borrow::Cow, sync::Arc};

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

/// All values of each header, and the last one of each, by the names that services give them.
pub(crate) fn headers(headers: &HeaderMap) -> (Value, Value) {
    let mut all = Object::default();
    let mut last = Object::default();
    for name in headers.keys() {
        let values = headers.get_all(name).iter();
        let values: Vec<Value> =
            values.map(|value| Value::from(String::from_utf8_lossy(value.as_bytes()).into_owned())).collect();
        let name: Arc<str> = spelt(name.as_str()).into();
        if let Some(value) = values.last() {
            last.insert(name.clone(), value.clone());
        }
        all.insert(name, Value::array(values));
    }
    (Value::Object(all.into()), Value::Object(last.into()))
}

/// A header's name as services write it, which is lost on the way: the HTTP library has names in small letters.
///
/// Source: recordings; definitions select headers by these names.
fn spelt(name: &str) -> Cow<'_, str> {
    const KNOWN: [&str; 6] = [
        "ETag",
        "X-Amz-Executed-Version",
        "X-Amz-Log-Result",
        "X-Amzn-Trace-Id",
        "x-amzn-Remapped-Content-Length",
        "x-amzn-RequestId",
    ];
    if let Some(known) = KNOWN.iter().find(|known| known.eq_ignore_ascii_case(name)) {
        return Cow::Borrowed(known);
    }
    if name.starts_with("x-") {
        return Cow::Borrowed(name);
    }
    let mut begins = true;
    let spelt = name.chars().map(|char| {
        let spelt = if begins { char.to_ascii_uppercase() } else { char };
        begins = char == '-';
        spelt
    });
    Cow::Owned(spelt.collect())
}

pub(crate) fn request_id(headers: &HeaderMap) -> &str {
    headers.get("x-amzn-RequestId").and_then(|value| value.to_str().ok()).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn headers_have_the_names_that_services_give_them() {
        let mut map = HeaderMap::new();
        for (name, value) in [("content-type", "a"), ("x-amzn-requestid", "r"), ("x-amz-crc32", "1"), ("via", "b")] {
            map.append(name, HeaderValue::from_static(value));
        }
        map.append("via", HeaderValue::from_static("c"));
        let (all, last) = headers(&map);
        assert_eq!(
            all.to_string(),
            r#"{"Content-Type":["a"],"x-amzn-RequestId":["r"],"x-amz-crc32":["1"],"Via":["b","c"]}"#
        );
        assert_eq!(last.to_string(), r#"{"Content-Type":"a","x-amzn-RequestId":"r","x-amz-crc32":"1","Via":"c"}"#);
    }
}
