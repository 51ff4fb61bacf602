//! The blocks of a state machine or activity: logging, tracing, encryption.
//!
//! Each is read in two moves: the members (with the request's other constraints), then their rules once all
//! constraints hold. What comes out is the block as the API shows it, defaults filled in.

use std::sync::Arc;

use stepwell_expr::Value;

use crate::{
    error::Error,
    fields::{ARN, Fields, KEY_ID},
};

/// Bounds of `kmsDataKeyReusePeriodSeconds`. Source: API model.
const KEY_REUSE_SECONDS: (i64, i64) = (60, 900);
/// Source: API reference (not confirmed by a recording).
const KEY_REUSE_SECONDS_DEFAULT: i64 = 300;

/// Source: recorded answers.
pub(crate) const LOG_DESTINATION_NOT_FOUND: &str = "Log Destination not found.";

pub(crate) struct Logging {
    level: Option<&'static str>,
    include_data: Option<bool>,
    /// The log group ARN of each destination.
    destinations: Option<Vec<Option<Arc<str>>>>,
}

impl Logging {
    pub(crate) fn read(fields: &mut Fields<'_>) -> Result<Option<Logging>, Error> {
        const LEVELS: [(&str, &str); 4] = [("ALL", "ALL"), ("ERROR", "ERROR"), ("FATAL", "FATAL"), ("OFF", "OFF")];
        fields.optional_object("loggingConfiguration", |block| {
            Ok(Logging {
                level: block.optional_choice("level", &LEVELS)?,
                include_data: block.optional_bool("includeExecutionData")?,
                destinations: block.optional_objects("destinations", |destination| {
                    let group = destination
                        .optional_object("cloudWatchLogsLogGroup", |group| group.optional_text("logGroupArn", &ARN))?;
                    Ok(group.flatten())
                })?,
            })
        })
    }

    /// The block as it is described. Of the log group its ARN's form is checked; `log_group.rs` asks whether it is there.
    pub(crate) fn checked(&self) -> Result<Value, Error> {
        let level = self.level.unwrap_or("OFF");
        let destinations = self.destinations.as_deref().unwrap_or_default();
        let exactly_one = Error::InvalidLoggingConfiguration("Must specify exactly one Log Destination.");
        if destinations.len() > 1 || (level != "OFF" && destinations.is_empty()) {
            return Err(exactly_one);
        }
        let mut groups = Vec::with_capacity(destinations.len());
        for destination in destinations {
            let Some(arn) = destination else {
                return Err(exactly_one);
            };
            if !is_log_group(arn) {
                return Err(Error::InvalidLoggingConfiguration(LOG_DESTINATION_NOT_FOUND));
            }
            let group = Value::object([("logGroupArn", Value::String(arn.clone()))]);
            groups.push(Value::object([("cloudWatchLogsLogGroup", group)]));
        }
        let mut members = vec![
            ("level", Value::from(level)),
            ("includeExecutionData", Value::Bool(self.include_data.unwrap_or(false))),
        ];
        if self.destinations.is_some() {
            members.push(("destinations", Value::array(groups)));
        }
        Ok(Value::object(members))
    }

    /// What a state machine gets that was created without the block.
    pub(crate) fn default_block() -> Value {
        Value::object([("level", Value::from("OFF")), ("includeExecutionData", Value::Bool(false))])
    }
}

/// `arn:PARTITION:logs:REGION:ACCOUNT:log-group:NAME:*`. Source: CreateStateMachine, `logGroupArn`.
fn is_log_group(arn: &str) -> bool {
    let parts: Vec<&str> = arn.split(':').collect();
    matches!(parts.as_slice(), ["arn", _, "logs", _, _, "log-group", name, "*"] if !name.is_empty())
}

pub(crate) struct Tracing {
    enabled: Option<bool>,
}

impl Tracing {
    pub(crate) fn read(fields: &mut Fields<'_>) -> Result<Option<Tracing>, Error> {
        fields.optional_object("tracingConfiguration", |block| Ok(Tracing { enabled: block.optional_bool("enabled")? }))
    }

    pub(crate) fn block(&self) -> Value {
        Value::object([("enabled", Value::Bool(self.enabled.unwrap_or(false)))])
    }

    /// What a state machine gets that was created without the block.
    pub(crate) fn default_block() -> Value {
        Tracing { enabled: None }.block()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum EncryptionType {
    AwsOwnedKey,
    CustomerManagedKey,
}

pub(crate) struct Encryption {
    kind: Option<EncryptionType>,
    key: Option<Arc<str>>,
    reuse_seconds: Option<i64>,
}

impl Encryption {
    pub(crate) fn read(fields: &mut Fields<'_>) -> Result<Option<Encryption>, Error> {
        const TYPES: [(&str, EncryptionType); 2] = [
            ("AWS_OWNED_KEY", EncryptionType::AwsOwnedKey),
            ("CUSTOMER_MANAGED_KMS_KEY", EncryptionType::CustomerManagedKey),
        ];
        let (min, max) = KEY_REUSE_SECONDS;
        fields.optional_object("encryptionConfiguration", |block| {
            Ok(Encryption {
                key: block.optional_text("kmsKeyId", &KEY_ID)?,
                reuse_seconds: block.optional_integer("kmsDataKeyReusePeriodSeconds", min, max)?,
                kind: block.required_choice("type", &TYPES)?,
            })
        })
    }

    /// The block as it is described. The sentences are ours.
    ///
    /// Differs from AWS: all data are encrypted with the one key of the server. Where it has none, customer managed keys
    /// are refused: what is asked to be encrypted must not be stored in the clear.
    pub(crate) fn checked(&self, encrypts: bool) -> Result<Value, Error> {
        match self.kind {
            Some(EncryptionType::CustomerManagedKey) => {
                let Some(key) = &self.key else {
                    let text = "kmsKeyId is required for type CUSTOMER_MANAGED_KMS_KEY";
                    return Err(Error::InvalidEncryptionConfiguration(text));
                };
                if !encrypts {
                    return Err(Error::Unsupported("a customer managed key without --encryption-key-file"));
                }
                let reuse_seconds = self.reuse_seconds.unwrap_or(KEY_REUSE_SECONDS_DEFAULT);
                Ok(Value::object([
                    ("kmsKeyId", Value::String(key.clone())),
                    ("kmsDataKeyReusePeriodSeconds", Value::from(reuse_seconds)),
                    ("type", Value::from("CUSTOMER_MANAGED_KMS_KEY")),
                ]))
            }
            Some(EncryptionType::AwsOwnedKey) | None => {
                if self.key.is_some() || self.reuse_seconds.is_some() {
                    return Err(Error::InvalidEncryptionConfiguration(
                        "kmsKeyId and kmsDataKeyReusePeriodSeconds are for type CUSTOMER_MANAGED_KMS_KEY only",
                    ));
                }
                Ok(Encryption::default_block())
            }
        }
    }

    /// What a state machine or activity gets that was created without the block.
    pub(crate) fn default_block() -> Value {
        Value::object([("type", Value::from("AWS_OWNED_KEY"))])
    }
}

#[cfg(test)]
mod tests {
    use stepwell_expr::json;

    use super::*;

    fn logging(block: &str) -> Result<String, String> {
        let body = json::parse(&format!(r#"{{"loggingConfiguration":{block}}}"#)).unwrap();
        let mut fields = Fields::of(&body).unwrap();
        let block = Logging::read(&mut fields).unwrap().unwrap();
        fields.check().map_err(|error| error.to_string())?;
        block.checked().map(|value| value.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn logging_blocks() {
        let arn = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/g:*";
        let destination = format!(r#"{{"cloudWatchLogsLogGroup":{{"logGroupArn":"{arn}"}}}}"#);
        let one = "Invalid Logging Configuration: Must specify exactly one Log Destination.";
        let not_found = "Invalid Logging Configuration: Log Destination not found.";
        let cases = [
            ("{}".to_string(), Ok(r#"{"level":"OFF","includeExecutionData":false}"#.to_string())),
            (
                r#"{"destinations":[]}"#.into(),
                Ok(r#"{"level":"OFF","includeExecutionData":false,"destinations":[]}"#.into()),
            ),
            (
                format!(r#"{{"level":"ALL","includeExecutionData":true,"destinations":[{destination}]}}"#),
                Ok(format!(r#"{{"level":"ALL","includeExecutionData":true,"destinations":[{destination}]}}"#)),
            ),
            (r#"{"level":"ALL"}"#.into(), Err(one)),
            (format!(r#"{{"destinations":[{destination},{destination}]}}"#), Err(one)),
            (r#"{"level":"ERROR","destinations":[{}]}"#.into(), Err(one)),
            (format!(r#"{{"destinations":[{}]}}"#, destination.replace(":*", "")), Err(not_found)),
            (
                r#"{"level":"all"}"#.into(),
                Err("1 validation error detected: Value 'all' at 'loggingConfiguration.level' failed to satisfy \
                     constraint: Member must satisfy enum value set: [ALL, ERROR, FATAL, OFF]"),
            ),
        ];
        for (block, expected) in cases {
            assert_eq!(logging(&block), expected.map_err(str::to_string), "{block}");
        }
    }

    #[test]
    fn encryption_blocks() {
        let read_by = |encrypts: bool, block: &str| {
            let body = json::parse(&format!(r#"{{"encryptionConfiguration":{block}}}"#)).unwrap();
            let mut fields = Fields::of(&body).unwrap();
            let block = Encryption::read(&mut fields).unwrap().unwrap();
            fields.check()?;
            block.checked(encrypts).map(|value| value.to_string())
        };
        let read = |block: &str| read_by(false, block);
        let shown = r#"{"kmsKeyId":"k","kmsDataKeyReusePeriodSeconds":300,"type":"CUSTOMER_MANAGED_KMS_KEY"}"#;
        assert_eq!(read_by(true, r#"{"type":"CUSTOMER_MANAGED_KMS_KEY","kmsKeyId":"k"}"#), Ok(shown.to_string()));
        assert_eq!(read(r#"{"type":"AWS_OWNED_KEY"}"#), Ok(r#"{"type":"AWS_OWNED_KEY"}"#.to_string()));
        for (block, code) in [
            (r#"{"type":"AWS_OWNED_KEY","kmsKeyId":"k"}"#, "InvalidEncryptionConfiguration"),
            (r#"{"type":"CUSTOMER_MANAGED_KMS_KEY"}"#, "InvalidEncryptionConfiguration"),
            (r#"{"type":"CUSTOMER_MANAGED_KMS_KEY","kmsKeyId":"k"}"#, "UnsupportedOperationException"),
            (r#"{"type":"x"}"#, "ValidationException"),
            (r#"{}"#, "ValidationException"),
            (r#"{"type":"AWS_OWNED_KEY","kmsDataKeyReusePeriodSeconds":59}"#, "ValidationException"),
        ] {
            assert_eq!(read(block).unwrap_err().code(), code, "{block}");
        }
    }
}
