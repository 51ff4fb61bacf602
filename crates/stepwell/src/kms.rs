//! Data keys that AWS KMS guards: the file holds one that is encrypted, and KMS opens it at every start.
//!
//! Endpoint and credentials are those of the environment and of profiles, as for the AWS SDKs.

use anyhow::{Context, bail};
use stepwell_expr::{Value, json};
use stepwell_machine::{TaskOutcome, TaskRequest};

use crate::{
    config::{Config, Identity},
    exit::BadInput,
    function,
    serve::runtime,
    tasks::Tasks,
};

const KEY_ID: &str = "kmsKeyId";
const CIPHERTEXT: &str = "ciphertextBlob";

/// A new data key as a key file holds it: `{"kmsKeyId": ARN, "ciphertextBlob": BASE64}`.
///
/// `key`: an id, an ARN, or an alias of a symmetric key.
pub(crate) fn new_key(key: &str, region: &str) -> anyhow::Result<String> {
    let parameters = Value::object([("KeyId", Value::from(key)), ("KeySpec", Value::from("AES_256"))]);
    let answer = call("generateDataKeyWithoutPlaintext", parameters, region)?;
    let member = |name| answer.get(name).cloned().with_context(|| format!("KMS has answered without {name}"));
    let members = [(KEY_ID, member("KeyId")?), (CIPHERTEXT, member("CiphertextBlob")?)];
    Ok(format!("{}\n", Value::object(members)))
}

/// The data key, in base64, of a file that [`new_key`] made; `None`: it is no such file.
pub(crate) fn open(text: &str) -> Option<anyhow::Result<String>> {
    let file = json::parse(text).ok()?;
    let (key, blob) = (file.get(KEY_ID)?.as_str()?, file.get(CIPHERTEXT)?.clone());
    Some(decrypt(key, blob))
}

fn decrypt(key: &str, blob: Value) -> anyhow::Result<String> {
    let Some(region) = key.split(':').nth(3) else {
        return Err(BadInput(format!("`{key}` is no ARN of a key")).into());
    };
    let parameters = Value::object([("KeyId", Value::from(key)), ("CiphertextBlob", blob)]);
    let answer = call("decrypt", parameters, region)?;
    let plain = answer.get("Plaintext").and_then(Value::as_str).context("KMS has answered without Plaintext")?;
    Ok(plain.to_owned())
}

fn call(action: &str, parameters: Value, region: &str) -> anyhow::Result<Value> {
    let identity =
        Identity { account: String::new(), region: region.to_owned(), lambda_endpoint: None, assume_roles: false };
    let functions = function::host(&identity, Vec::new());
    let tasks = Tasks::new(&identity, &Config::default(), functions);
    let request = TaskRequest::of_server("aws-sdk:kms", action, parameters, "".into(), region);
    match runtime()?.block_on(tasks.call(request)) {
        TaskOutcome::Succeeded { output } => Ok(output.value().clone()),
        TaskOutcome::Failed(failure) => {
            let (error, cause) = (failure.error.unwrap_or_default(), failure.cause.unwrap_or_default());
            bail!("KMS does not {action}: {error} {cause}")
        }
    }
}
