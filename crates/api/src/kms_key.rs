//! Whether the customer managed key of an `encryptionConfiguration` can be used, asked of AWS KMS.

use std::{sync::Arc, time::Duration};

use stepwell_engine::Engine;
use stepwell_expr::Value;
use stepwell_machine::{Failure, TaskOutcome, TaskRequest};

use crate::{error::Error, limits::KMS_KEY_SECONDS_MAX};

const NOT_FOUND: &str = "the KMS key does not exist";
const NOT_ENABLED: &str = "the KMS key is not enabled";
const NOT_SYMMETRIC: &str = "the KMS key is not a symmetric encryption key";

/// The state machine or activity whose data the key is to encrypt.
#[derive(Clone, Copy)]
pub(crate) struct Of<'a> {
    pub(crate) arn: &'a str,
    /// In whose name KMS is asked, where roles are assumed; of an activity nobody's.
    pub(crate) role_arn: Option<&'a Arc<str>>,
}

/// Refuses a block whose key KMS does not know, or does not let be used. `block` has been checked.
///
/// One of which KMS says nothing, since it cannot be reached, is accepted, and logged: the data are encrypted with the
/// server's own key, which does not depend on it. Source of what is asked: Step Functions guide, data at rest encryption
/// (`kms:DescribeKey`, `kms:GenerateDataKey`, the encryption context); API reference, `InvalidEncryptionConfiguration`.
pub(crate) async fn check(engine: &Engine, block: &Value, of: Of<'_>) -> Result<(), Error> {
    let Some(key) = block.get("kmsKeyId").and_then(Value::as_str) else { return Ok(()) };
    let asked = async {
        let described = ask(engine, "describeKey", Value::object([("KeyId", Value::from(key))]), key, of).await?;
        usable(&described)?;
        let parameters =
            [("KeyId", Value::from(key)), ("KeySpec", Value::from("AES_256")), ("EncryptionContext", of.context())];
        ask(engine, "generateDataKeyWithoutPlaintext", Value::object(parameters), key, of).await
    };
    match tokio::time::timeout(Duration::from_secs(KMS_KEY_SECONDS_MAX), asked).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(Refused::By(error))) => Err(error),
        Ok(Err(Refused::NotAsked(Failure { error, cause }))) => {
            let (error, cause) = (error.as_deref(), cause.as_deref());
            tracing::warn!(key, error, cause, "whether a KMS key can be used cannot be told");
            Ok(())
        }
        Err(_) => {
            tracing::warn!(key, "whether a KMS key can be used cannot be told in time");
            Ok(())
        }
    }
}

enum Refused {
    By(Error),
    /// KMS did not answer, or nothing that tells of the key.
    NotAsked(Failure),
}

async fn ask(engine: &Engine, action: &str, parameters: Value, key: &str, of: Of<'_>) -> Result<Value, Refused> {
    // That of the key's ARN; an id or an alias is of the region of whom it is for.
    let arn = if key.starts_with("arn:") { key } else { of.arn };
    let region = arn.split(':').nth(3).unwrap_or_default();
    let request =
        TaskRequest::of_server("aws-sdk:kms", action, parameters, of.role_arn.cloned().unwrap_or_default(), region);
    match engine.run_task(request).await {
        TaskOutcome::Succeeded { output } => Ok(output.value().clone()),
        TaskOutcome::Failed(failure) => Err(match failure.error.as_deref().and_then(refusal) {
            Some(error) => Refused::By(error),
            None => Refused::NotAsked(failure),
        }),
    }
}

/// What an error of KMS means to the caller; `None`: nothing about the key.
fn refusal(error: &str) -> Option<Error> {
    match error.strip_prefix("Kms.")? {
        "AccessDeniedException" => Some(Error::KmsAccessDenied),
        "ThrottlingException" | "LimitExceededException" => Some(Error::KmsThrottling),
        "NotFoundException" | "InvalidArnException" => Some(Error::InvalidEncryptionConfiguration(NOT_FOUND)),
        "DisabledException" | "KmsInvalidStateException" | "KeyUnavailableException" => {
            Some(Error::InvalidEncryptionConfiguration(NOT_ENABLED))
        }
        "InvalidKeyUsageException" => Some(Error::InvalidEncryptionConfiguration(NOT_SYMMETRIC)),
        _ => None,
    }
}

fn usable(described: &Value) -> Result<(), Refused> {
    let is = |member: &str, wanted: &str| {
        let found = described.get("KeyMetadata").and_then(|key| key.get(member)).and_then(Value::as_str);
        found.is_none_or(|found| found == wanted)
    };
    let refused = |why| Err(Refused::By(Error::InvalidEncryptionConfiguration(why)));
    match (is("KeyState", "Enabled"), is("KeyUsage", "ENCRYPT_DECRYPT") && is("KeySpec", "SYMMETRIC_DEFAULT")) {
        (true, true) => Ok(()),
        (false, _) => refused(NOT_ENABLED),
        (true, false) => refused(NOT_SYMMETRIC),
    }
}

impl Of<'_> {
    fn context(self) -> Value {
        let member = match self.arn.split(':').nth(5) {
            Some("activity") => "aws:states:activityArn",
            _ => "aws:states:stateMachineArn",
        };
        Value::object([(member, Value::from(self.arn))])
    }
}

#[cfg(test)]
mod tests {
    use stepwell_expr::json;

    use super::*;

    #[test]
    fn errors_of_kms() {
        let cases = [
            ("Kms.AccessDeniedException", Some("KmsAccessDeniedException")),
            ("Kms.ThrottlingException", Some("KmsThrottlingException")),
            ("Kms.NotFoundException", Some("InvalidEncryptionConfiguration")),
            ("Kms.DisabledException", Some("InvalidEncryptionConfiguration")),
            ("Kms.InvalidKeyUsageException", Some("InvalidEncryptionConfiguration")),
            ("Kms.SdkClientException", None),
            ("Kms.KmsInternalException", None),
            ("States.TaskFailed", None),
        ];
        for (error, code) in cases {
            assert_eq!(refusal(error).map(|error| error.code()), code, "{error}");
        }
    }

    #[test]
    fn keys_that_are_described() {
        let cases = [
            (r#"{"KeyState":"Enabled","KeyUsage":"ENCRYPT_DECRYPT","KeySpec":"SYMMETRIC_DEFAULT"}"#, None),
            (r#"{"KeyState":"PendingDeletion"}"#, Some(NOT_ENABLED)),
            (r#"{"KeyState":"Enabled","KeyUsage":"ENCRYPT_DECRYPT","KeySpec":"RSA_2048"}"#, Some(NOT_SYMMETRIC)),
            (r#"{"KeyState":"Enabled","KeyUsage":"SIGN_VERIFY"}"#, Some(NOT_SYMMETRIC)),
            ("{}", None),
        ];
        for (key, expected) in cases {
            let described = json::parse(&format!(r#"{{"KeyMetadata":{key}}}"#)).unwrap();
            let refused = match usable(&described) {
                Ok(()) => None,
                Err(Refused::By(Error::InvalidEncryptionConfiguration(why))) => Some(why),
                Err(_) => panic!("another error"),
            };
            assert_eq!(refused, expected, "{key}");
        }
    }
}
