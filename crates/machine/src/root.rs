//! Chance, made recomputable: everything random in an execution is derived from one secret root.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::execution::TaskId;

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

    /// The secret part of the token of `task`: who presents it has been given it.
    pub fn token_secret(&self, task: TaskId) -> [u8; 16] {
        let bytes = self.derive(b"token", task.0);
        let mut secret = [0; 16];
        secret.copy_from_slice(&bytes[..16]);
        secret
    }
}
