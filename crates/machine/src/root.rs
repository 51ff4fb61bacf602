//! Chance, made recomputable: everything random in an execution is derived from one secret root.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::execution::{Identity, TaskId};

/// 256 bits drawn when the execution started, kept with it, never shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Root(pub [u8; 32]);

impl std::fmt::Debug for Root {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Root(secret)")
    }
}

impl Root {
    fn derive(&self, purpose: &[u8], number: u64) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(purpose);
        mac.update(&number.to_be_bytes());
        mac.finalize().into_bytes().into()
    }

    /// The seed of the random sequence of the evaluation that runs when `event` is the next event id.
    pub fn seed(&self, event: u64) -> u64 {
        let bytes = self.derive(b"seed", event);
        u64::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]])
    }

    /// What executions and jobs are known by that `task` starts: an execution that it starts has it as its root.
    pub fn origin(&self, task: TaskId) -> Root {
        Root(self.derive(b"origin", task.0))
    }

    /// What the Map Run is named by that begins with the event `task`.
    pub(crate) fn map_run(&self, task: TaskId) -> [u8; 16] {
        let mut name = [0; 16];
        name.copy_from_slice(&self.derive(b"map run", task.0)[..16]);
        name
    }

    /// The root of a child execution, if this is the origin of its Map Run.
    pub(crate) fn child(&self, index: u64) -> Root {
        Root(self.derive(b"child", index))
    }

    /// The secret part of the token of `task`: who presents it has been given it.
    pub fn token_secret(&self, task: TaskId) -> [u8; 16] {
        let bytes = self.derive(b"token", task.0);
        let mut secret = [0; 16];
        secret.copy_from_slice(&bytes[..16]);
        secret
    }
}

/// Version of the token's layout: version, execution id, task id (big endian), secret.
const TOKEN_VERSION: u8 = 1;
const TOKEN_BYTES: usize = 1 + 16 + 8 + 16;

/// The task token that a worker answers with: always the same for the same attempt.
pub fn token(identity: &Identity, task: TaskId) -> String {
    let mut bytes = Vec::with_capacity(TOKEN_BYTES);
    bytes.push(TOKEN_VERSION);
    bytes.extend_from_slice(&identity.id);
    bytes.extend_from_slice(&task.0.to_be_bytes());
    bytes.extend_from_slice(&identity.root.token_secret(task));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The execution id, the task and the secret that a token names; `None` if it has not the form of one.
///
/// Whether the secret is right is for the holder of the execution to say, by comparing it with
/// [`Root::token_secret`].
pub fn parse_token(token: &str) -> Option<([u8; 16], TaskId, [u8; 16])> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let bytes: &[u8; TOKEN_BYTES] = bytes.as_slice().try_into().ok()?;
    if bytes[0] != TOKEN_VERSION {
        return None;
    }
    let execution = bytes[1..17].try_into().ok()?;
    let task = u64::from_be_bytes(bytes[17..25].try_into().ok()?);
    let secret = bytes[25..].try_into().ok()?;
    Some((execution, TaskId(task), secret))
}
