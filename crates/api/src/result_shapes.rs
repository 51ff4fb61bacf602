//! What AWS services answer: the shapes that a result which stands in for a service's is compared with.
//!
//! The embedded file is made by `scripts/result-shapes`: a line that names its version, the length of the index (four
//! bytes, lowest first), the index, then one document for each service, compressed by zlib. A line of the index: the
//! service, the offset and the length of its document. A document: `actions`, from a name to the number of its answer's
//! shape, and `shapes`. A shape: `t`, its type (`o` object, `l` list, `m` map, `s` text, `n` number, `b` boolean,
//! `a` anything); `m`, members of an object (name, shape, 1 if it is always there, the name that the SDK for Java has if
//! that is another); `i`, the shape of items or values; `l` and `h`, the least and the greatest value or length; `e`,
//! the words that a text may be.
//!
//! Source: API models of botocore. Source of the sentences: recorded answers.

use std::io::Read;

use flate2::read::ZlibDecoder;
use stepwell_expr::{Value, json};

use crate::limits::SHAPES_BYTES_MAX;

static EMBEDDED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/results.bin"));

/// How closely a result is looked at. Source: API model, `MockResponseValidationMode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// What is there is checked, and what must be there.
    Strict,
    /// What is there is checked.
    Present,
    /// Anything goes.
    None,
}

/// Members that an optimised integration shows as the JSON that they hold, where the service's own are blobs.
const PARSED: [(&str, &str, &str); 2] = [("lambda", "invoke", "Payload"), ("bedrock", "invokeModel", "Body")];

/// What is wrong with `result` as the answer of a service's action; `None` also where the action is not known.
///
/// `service` and `action` as a Task's resource spells them, e.g. `aws-sdk:s3` and `getObject`.
pub(crate) fn problem(service: &str, action: &str, result: &Value, mode: Mode) -> Option<String> {
    if mode == Mode::None {
        return None;
    }
    let result = unparsed(service, action, result);
    let service = document(sdk_service(service))?;
    let shapes = service.get("shapes")?.as_array()?;
    let shape = service.get("actions")?.get(action)?;
    Check { shapes, mode }.problem(shape, "result", &result, 0)
}

/// A result with a text in place of what an optimised integration has parsed.
fn unparsed(service: &str, action: &str, result: &Value) -> Value {
    let parsed = PARSED.iter().find(|(of, does, _)| (*of, *does) == (service, action));
    match (result, parsed) {
        (Value::Object(members), Some((.., parsed))) if members.contains_key(*parsed) => {
            let mut members = members.as_ref().clone();
            members.insert((*parsed).into(), Value::from(""));
            Value::Object(members.into())
        }
        _ => result.clone(),
    }
}

/// The SDK's name of a service: optimised integrations have names of their own.
fn sdk_service(service: &str) -> &str {
    match service {
        "states" => "sfn",
        "events" => "eventbridge",
        "elasticmapreduce" => "emr",
        "emr-containers" => "emrcontainers",
        "emr-serverless" => "emrserverless",
        "bedrock" => "bedrockruntime",
        other => other.strip_prefix("aws-sdk:").unwrap_or(other),
    }
}

fn document(service: &str) -> Option<Value> {
    let line = EMBEDDED.iter().position(|byte| *byte == b'\n')?;
    let (length, rest) = EMBEDDED.get(line + 1..)?.split_first_chunk::<4>()?;
    let (index, documents) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let index = std::str::from_utf8(index).ok()?;
    let found = index.lines().find_map(|line| line.strip_prefix(service)?.strip_prefix('\t'))?;
    let (offset, length) = found.split_once('\t')?;
    let offset: usize = offset.parse().ok()?;
    let length: usize = length.parse().ok()?;
    let mut text = String::new();
    let compressed = documents.get(offset..offset.checked_add(length)?)?;
    ZlibDecoder::new(compressed).take(SHAPES_BYTES_MAX).read_to_string(&mut text).ok()?;
    json::parse(&text).ok()
}

struct Check<'s> {
    shapes: &'s [Value],
    mode: Mode,
}

impl Check<'_> {
    /// Recursion is bounded by the depth of the value, which a parser has bounded.
    fn problem(&self, shape: &Value, field: &str, value: &Value, depth: usize) -> Option<String> {
        let shape = self.shapes.get(usize::try_from(shape.as_i64()?).ok()?)?;
        let wrong = |expected: &str| Some(format!("Field '{field}' must be {expected}"));
        match (shape.get("t")?.as_str()?, value) {
            // An absent member and one that is null are the same.
            (_, Value::Null) if depth > 0 => None,
            ("o", Value::Object(_)) => self.members(shape, value, depth),
            ("o", _) => wrong("an object"),
            ("l", Value::Array(items)) => {
                items.iter().find_map(|item| self.problem(shape.get("i")?, field, item, depth + 1))
            }
            ("l", _) => wrong("an array"),
            ("m", Value::Object(members)) => {
                members.iter().find_map(|(name, member)| self.problem(shape.get("i")?, name, member, depth + 1))
            }
            ("m", _) => wrong("an object"),
            ("s", Value::String(text)) => text_problem(shape, field, text),
            ("s", _) => wrong("a string"),
            ("n", Value::Number(number)) => number_problem(shape, field, number.as_f64()),
            ("n", _) => wrong("a number"),
            ("b", Value::Bool(_)) => None,
            ("b", _) => wrong("a boolean"),
            _ => None,
        }
    }

    fn members(&self, shape: &Value, value: &Value, depth: usize) -> Option<String> {
        let members = shape.get("m")?.as_array()?;
        let given = |member: &Value| {
            let names = [0, 3].into_iter().filter_map(|at| member.as_array()?.get(at)?.as_str());
            names.filter_map(|name| Some((name.to_owned(), value.get(name)?))).next()
        };
        if self.mode == Mode::Strict {
            let required = |member: &&Value| member.as_array().and_then(|parts| parts.get(2)?.as_i64()) == Some(1);
            let missing = members.iter().filter(required).find(|member| given(member).is_none());
            if let Some(name) = missing.and_then(|member| member.as_array()?.first()?.as_str()) {
                return Some(format!("Required field '{name}' is missing"));
            }
        }
        members.iter().find_map(|member| {
            let (name, value) = given(member)?;
            self.problem(member.as_array()?.get(1)?, &name, value, depth + 1)
        })
    }
}

fn text_problem(shape: &Value, field: &str, text: &str) -> Option<String> {
    let words = shape.get("e").and_then(Value::as_array);
    if words.is_some_and(|words| !words.iter().any(|word| word.as_str() == Some(text))) {
        return Some(format!("Field '{field}' is not an expected value"));
    }
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    if shape.get("l").and_then(Value::as_i64).is_some_and(|least| length < least) {
        return Some(format!("Field '{field}' is smaller than the minimum length"));
    }
    if shape.get("h").and_then(Value::as_i64).is_some_and(|greatest| length > greatest) {
        return Some(format!("Field '{field}' exceeds the maximum length"));
    }
    None
}

fn number_problem(shape: &Value, field: &str, number: f64) -> Option<String> {
    if shape.get("l").and_then(Value::as_f64).is_some_and(|least| number < least) {
        return Some(format!("Field '{field}' is less than the minimum value"));
    }
    if shape.get("h").and_then(Value::as_f64).is_some_and(|greatest| number > greatest) {
        return Some(format!("Field '{field}' exceeds the maximum value"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shapes of a made-up service.
    fn check(result: &str, mode: Mode) -> Option<String> {
        let shapes = json::parse(
            r#"[{"t":"o","m":[["Name",1,1],["Count",2,0],["CRC32",3,0,"Crc32"],["Items",4,0],["Tags",5,0]]},
                {"t":"s","l":2,"h":3,"e":["ab","abc","x"]},{"t":"n","l":1,"h":9.5},{"t":"b"},
                {"t":"l","i":0},{"t":"m","i":1}]"#,
        )
        .unwrap();
        let check = Check { shapes: shapes.as_array().unwrap(), mode };
        check.problem(&Value::from(0), "result", &json::parse(result).unwrap(), 0)
    }

    #[test]
    fn results_are_compared_with_shapes() {
        let cases = [
            (r#"{"Name":"ab","Count":1,"Crc32":true,"Items":[],"Tags":{"a":"ab"},"Other":1}"#, ""),
            (r#"{"Name":"ab","Count":null}"#, ""),
            ("1", "Field 'result' must be an object"),
            ("{}", "Required field 'Name' is missing"),
            (r#"{"Name":["ab"]}"#, "Field 'Name' must be a string"),
            (r#"{"Name":"abcd"}"#, "Field 'Name' is not an expected value"),
            (r#"{"Name":"x"}"#, "Field 'Name' is smaller than the minimum length"),
            (r#"{"Name":"ab","Count":"1"}"#, "Field 'Count' must be a number"),
            (r#"{"Name":"ab","Count":0}"#, "Field 'Count' is less than the minimum value"),
            (r#"{"Name":"ab","Count":10}"#, "Field 'Count' exceeds the maximum value"),
            (r#"{"Name":"ab","CRC32":1}"#, "Field 'CRC32' must be a boolean"),
            (r#"{"Name":"ab","Crc32":1}"#, "Field 'Crc32' must be a boolean"),
            (r#"{"Name":"ab","Items":{}}"#, "Field 'Items' must be an array"),
            (r#"{"Name":"ab","Items":[{"Name":"ab"},{}]}"#, "Required field 'Name' is missing"),
            (r#"{"Name":"ab","Tags":{"key":"z"}}"#, "Field 'key' is not an expected value"),
        ];
        for (result, expected) in cases {
            assert_eq!(check(result, Mode::Strict).unwrap_or_default(), expected, "{result}");
        }
        assert_eq!(check(r#"{"Items":[{}]}"#, Mode::Present), None);
        assert_eq!(check(r#"{"Count":"1"}"#, Mode::Present).as_deref(), Some("Field 'Count' must be a number"));
    }

    #[test]
    fn what_an_optimised_integration_has_parsed_may_be_any_json() {
        let of = |service: &str, result: &str| {
            problem(service, "invoke", &json::parse(result).unwrap(), Mode::Strict).unwrap_or_default()
        };
        // The shapes are those of this build, if it has any.
        for result in [r#"{"Payload":{"a":1},"StatusCode":200}"#, r#"{"Payload":[1]}"#, r#"{"Payload":null}"#] {
            assert_eq!(of("lambda", result), "");
        }
        let has_shapes = !of("lambda", r#"{"StatusCode":""}"#).is_empty();
        let expected = if has_shapes { "Field 'Payload' must be a string" } else { "" };
        assert_eq!(of("aws-sdk:lambda", r#"{"Payload":{"a":1}}"#), expected);
    }

    #[test]
    fn unknown_services_and_actions_take_anything() {
        assert_eq!(problem("http", "invoke", &Value::from(1), Mode::Strict), None);
        assert_eq!(problem("aws-sdk:sfn", "noSuchAction", &Value::from(1), Mode::Strict), None);
    }
}
