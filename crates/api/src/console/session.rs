//! Sessions of the console: a cookie that no script reads, and a token that no other site can send.
//!
//! A browser gets both by `GET /console/api/session`. What changes something below `/console/api/` must carry the cookie
//! and, as a header, the token that belongs to it: another page can make the browser send the first, never the second.
//! While there is no sign-in a session proves nothing else. Nothing is kept: the token is a MAC of the cookie under a key
//! of this process, so after a restart a session is asked for anew.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use hyper::header::{COOKIE, HeaderMap, HeaderName, HeaderValue};
use sha2::Sha256;

use crate::{browser, error::Error};

const NAME: &str = "stepwell-session";
/// Where the token of a session stands in requests that change something.
const TOKEN: HeaderName = HeaderName::from_static("x-stepwell-token");
const ID_BYTES: usize = 32;

/// What tells own sessions from others: drawn when the process starts.
#[derive(Clone)]
pub(crate) struct Sessions {
    key: [u8; 32],
}

/// The session that a browser goes on with.
pub(crate) struct Session {
    pub(crate) token: String,
    /// Of a new session alone.
    pub(crate) cookie: Option<HeaderValue>,
}

impl Sessions {
    /// Without random numbers of the system there are no sessions that can be told from guessed ones.
    pub(crate) fn new() -> Option<Sessions> {
        random().map(|key| Sessions { key })
    }

    /// The session of a request's cookie, else a new one.
    pub(crate) fn open(&self, headers: &HeaderMap) -> Result<Session, Error> {
        if let Some(id) = id_of(headers) {
            return Ok(Session { token: self.token(&id), cookie: None });
        }
        let id: [u8; ID_BYTES] = random().ok_or(Error::Internal)?;
        // A name that is none of this machine is reached by https: else its pages were refused.
        let secure = if browser::is_at_plain_host(headers) { "" } else { "; Secure" };
        let text = BASE64_URL_SAFE_NO_PAD.encode(id);
        let cookie = format!("{NAME}={text}; Path=/console/api/; HttpOnly; SameSite=Strict{secure}");
        let cookie = HeaderValue::from_str(&cookie).map_err(|_| Error::Internal)?;
        Ok(Session { token: self.token(&id), cookie: Some(cookie) })
    }

    /// Whether a request that changes something comes from a page of ours.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Error> {
        let id = id_of(headers).ok_or(Error::Forbidden("there is no session: GET /console/api/session begins one"))?;
        let token = headers.get(TOKEN).and_then(|token| BASE64_URL_SAFE_NO_PAD.decode(token.as_bytes()).ok());
        // Compared in constant time.
        let own = token.is_some_and(|token| self.mac(&id).verify_slice(&token).is_ok());
        if own { Ok(()) } else { Err(Error::Forbidden("the token is not that of the session")) }
    }

    fn token(&self, id: &[u8]) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.mac(id).finalize().into_bytes())
    }

    fn mac(&self, id: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(id);
        mac
    }
}

fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let drawn = getrandom::fill(&mut bytes);
    drawn.inspect_err(|error| tracing::error!(%error, "the system gives no random numbers")).ok().map(|()| bytes)
}

fn id_of(headers: &HeaderMap) -> Option<[u8; ID_BYTES]> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
    let mut pairs = cookies.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, text) = pairs.find(|(name, _)| *name == NAME)?;
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let line = |(name, value): &(&'static str, &str)| (HeaderName::from_static(name), value.parse().unwrap());
        lines.iter().map(line).collect()
    }

    #[test]
    fn a_write_needs_the_cookie_and_its_token() {
        let sessions = Sessions::new().unwrap();
        let opened = sessions.open(&headers(&[("host", "localhost:8083")])).unwrap();
        let set = opened.cookie.unwrap();
        let set = set.to_str().unwrap();
        assert!(set.ends_with("; Path=/console/api/; HttpOnly; SameSite=Strict"), "{set}");
        let cookie = format!("other=1; {}", set.split(';').next().unwrap());
        let again = sessions.open(&headers(&[("host", "localhost"), ("cookie", &cookie)])).unwrap();
        assert!(again.cookie.is_none() && again.token == opened.token);
        let other = sessions.open(&headers(&[("host", "a.example")])).unwrap();
        assert!(other.cookie.unwrap().to_str().unwrap().ends_with("; Secure"));

        let may = |lines: &[(&'static str, &str)]| sessions.check(&headers(lines)).is_ok();
        assert!(may(&[("cookie", &cookie), ("x-stepwell-token", &opened.token)]));
        assert!(!may(&[("cookie", &cookie)]));
        assert!(!may(&[("x-stepwell-token", &opened.token)]));
        assert!(!may(&[("cookie", &cookie), ("x-stepwell-token", &other.token)]));
        assert!(!may(&[("cookie", "stepwell-session=short"), ("x-stepwell-token", &opened.token)]));
        assert!(
            Sessions::new()
                .unwrap()
                .check(&headers(&[("cookie", &cookie), ("x-stepwell-token", &opened.token)]))
                .is_err()
        );
    }
}
