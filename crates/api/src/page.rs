//! Page tokens: where a list goes on, given to the caller as opaque text.
//!
//! A token is versioned, expires, and is bound to the call that it continues. It carries a digest, not a signature:
//! it protects from mistakes, and a forged one reads nothing that the call itself could not (the list to be read
//! is named by the call's own arguments, never by the token).

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use stepwell_engine::{Clock, SystemClock};

use crate::{
    error::Error,
    fields::{Fields, Text},
    limits::{PAGE_DEFAULT, PAGE_MAX, PAGE_TOKEN_SECONDS_MAX},
};

/// First byte of every token; another format gets another.
const VERSION: u8 = 1;
const EXPIRY_BYTES: usize = 8;
const DIGEST_BYTES: usize = 16;

/// `maxResults` and `nextToken` of a call, as they were sent.
pub(crate) struct PageFields {
    limit: Option<i64>,
    token: Option<Arc<str>>,
}

impl PageFields {
    pub(crate) fn read(fields: &mut Fields<'_>, token: &Text) -> Result<PageFields, Error> {
        Ok(PageFields {
            limit: fields.optional_integer("maxResults", 0, PAGE_MAX)?,
            token: fields.optional_text("nextToken", token)?,
        })
    }

    /// Rows in this page: 0 and absent mean the default.
    pub(crate) fn limit(&self) -> usize {
        match self.limit.and_then(|limit| usize::try_from(limit).ok()) {
            None | Some(0) => PAGE_DEFAULT,
            Some(limit) => limit,
        }
    }

    /// Where this page begins; `None` for the first one.
    pub(crate) fn cursor(&self, call: &Call<'_>) -> Result<Option<Vec<u8>>, Error> {
        self.token.as_deref().map(|token| call.cursor(token, now_seconds())).transpose()
    }
}

/// The call that a token continues: the action, and all arguments that choose or order the rows.
///
/// Differs from AWS: `maxResults` is none of them, so a caller may go on with pages of another size.
pub(crate) struct Call<'a> {
    pub(crate) action: &'static str,
    pub(crate) arguments: [&'a str; 2],
}

impl Call<'_> {
    /// The token for the page that begins at `cursor`.
    pub(crate) fn token(&self, cursor: &[u8]) -> String {
        self.token_expiring(cursor, now_seconds() + PAGE_TOKEN_SECONDS_MAX)
    }

    fn token_expiring(&self, cursor: &[u8], expiry: u64) -> String {
        let mut bytes = Vec::with_capacity(1 + EXPIRY_BYTES + DIGEST_BYTES + cursor.len());
        bytes.push(VERSION);
        bytes.extend(expiry.to_be_bytes());
        bytes.extend(self.digest(expiry, cursor));
        bytes.extend(cursor);
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    fn cursor(&self, token: &str, now: u64) -> Result<Vec<u8>, Error> {
        self.open(token, now).ok_or(Error::InvalidToken)
    }

    fn open(&self, token: &str, now: u64) -> Option<Vec<u8>> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (expiry, rest) = rest.split_first_chunk::<EXPIRY_BYTES>()?;
        let (digest, cursor) = rest.split_first_chunk::<DIGEST_BYTES>()?;
        let expiry = u64::from_be_bytes(*expiry);
        let good = *version == VERSION && now < expiry && *digest == self.digest(expiry, cursor);
        good.then(|| cursor.to_vec())
    }

    fn digest(&self, expiry: u64, cursor: &[u8]) -> [u8; DIGEST_BYTES] {
        let mut hash = Sha256::new();
        hash.update([VERSION]);
        hash.update(expiry.to_be_bytes());
        for part in std::iter::once(self.action).chain(self.arguments) {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.update(cursor);
        let digest: [u8; 32] = hash.finalize().into();
        let (first, _) = digest.split_first_chunk().expect("a digest is longer than its part");
        *first
    }
}

fn now_seconds() -> u64 {
    u64::try_from(SystemClock.now_ms() / 1_000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: Call<'static> = Call { action: "ListExecutions", arguments: ["arn:a", "RUNNING"] };

    #[test]
    fn a_token_gives_its_cursor_back_to_the_same_call() {
        for cursor in [&b""[..], b"\x00\xff row", &[7; 600]] {
            let token = CALL.token_expiring(cursor, 100);
            assert_eq!(CALL.cursor(&token, 99), Ok(cursor.to_vec()));
            assert!(token.len() <= 1024, "{}", token.len());
        }
    }

    #[test]
    fn other_calls_and_later_times_are_refused() {
        let token = CALL.token_expiring(b"row", 100);
        assert_eq!(CALL.cursor(&token, 100), Err(Error::InvalidToken));
        for call in [
            Call { action: "ListActivities", arguments: CALL.arguments },
            Call { action: CALL.action, arguments: ["arn:b", "RUNNING"] },
            Call { action: CALL.action, arguments: ["arn:a", "FAILED"] },
            Call { action: CALL.action, arguments: ["arn:a", ""] },
            Call { action: CALL.action, arguments: ["arn:aRUNNING", ""] },
        ] {
            assert_eq!(call.cursor(&token, 99), Err(Error::InvalidToken));
        }
    }

    #[test]
    fn changed_tokens_are_refused() {
        let token = CALL.token_expiring(b"row", 100);
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&token).unwrap();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            let changed = BASE64_URL_SAFE_NO_PAD.encode(changed);
            assert_eq!(CALL.cursor(&changed, 99), Err(Error::InvalidToken), "byte {index}");
        }
        for text in ["", "x", "Invalid token", "AQ", "====", "é"] {
            assert_eq!(CALL.cursor(text, 99), Err(Error::InvalidToken), "{text}");
        }
    }
}
