//! Whether a browser sends a request for a page of our own.
//!
//! There is no sign-in yet, so any page that somebody visits could talk to a server on their machine. Browsers tell who
//! asks: `Sec-Fetch-Site` towards https and loopback, `Origin` towards the rest. Scripts can forge neither. What is no
//! browser sends neither. Source: W3C Fetch Metadata Request Headers.

use std::net::IpAddr;

use hyper::header::{HOST, HeaderMap, HeaderName, ORIGIN};

use crate::error::Error;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses what a browser sends on behalf of another site.
///
/// A name that is not `localhost` is refused to browsers that send `Origin` alone: it may be a foreign name that was
/// made to lead here after its page was loaded (DNS rebinding).
pub(crate) fn check(headers: &HeaderMap) -> Result<(), Error> {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    match (text(&SEC_FETCH_SITE), text(&ORIGIN)) {
        (Some("same-origin" | "none"), _) | (None, None) => Ok(()),
        (Some(_), _) => Err(Error::Forbidden("another site asks for this")),
        (None, Some(origin)) => {
            let host = text(&HOST).unwrap_or("");
            let own = origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host));
            if own && is_plain(host) {
                Ok(())
            } else {
                Err(Error::Forbidden("the origin is not this server by its address, `localhost` or https"))
            }
        }
    }
}

/// As [`check`], for reads that are meant for browsers alone: those send no `Origin`.
pub(crate) fn check_read(headers: &HeaderMap) -> Result<(), Error> {
    check(headers)?;
    if headers.contains_key(SEC_FETCH_SITE) || is_at_plain_host(headers) {
        return Ok(());
    }
    Err(Error::Forbidden("the host is not this server by its address, `localhost` or https"))
}

/// Whether the server was asked by its address or as `localhost`.
pub(crate) fn is_at_plain_host(headers: &HeaderMap) -> bool {
    is_plain(headers.get(HOST).map_or("", |host| host.to_str().unwrap_or("")))
}

/// An address or `localhost`, with or without a port: what no foreign name server decides.
fn is_plain(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn who_may_call() {
        let cases: [(&[(&str, &str)], bool); 10] = [
            (&[("host", "stepwell.example")], true),
            (&[("host", "127.0.0.1:8083"), ("origin", "http://127.0.0.1:8083")], true),
            (&[("host", "localhost:8083"), ("origin", "http://localhost:8083")], true),
            (&[("host", "[::1]:8083"), ("origin", "http://[::1]:8083")], true),
            (&[("host", "a.example"), ("origin", "https://a.example"), ("sec-fetch-site", "same-origin")], true),
            (&[("host", "127.0.0.1:8083"), ("sec-fetch-site", "none")], true),
            (&[("host", "127.0.0.1:8083"), ("sec-fetch-site", "cross-site")], false),
            (&[("host", "127.0.0.1:8083"), ("sec-fetch-site", "same-site")], false),
            (&[("host", "127.0.0.1:8083"), ("origin", "null")], false),
            (&[("host", "rebound.example:8083"), ("origin", "http://rebound.example:8083")], false),
        ];
        for (lines, may) in cases {
            assert_eq!(check(&headers(lines)).is_ok(), may, "{lines:?}");
        }
    }

    #[test]
    fn who_may_read() {
        let cases: [(&[(&str, &str)], bool); 4] = [
            (&[("host", "127.0.0.1:8083")], true),
            (&[("host", "rebound.example:8083")], false),
            (&[("host", "a.example"), ("sec-fetch-site", "same-origin")], true),
            (&[("host", "127.0.0.1"), ("sec-fetch-site", "cross-site")], false),
        ];
        for (lines, may) in cases {
            assert_eq!(check_read(&headers(lines)).is_ok(), may, "{lines:?}");
        }
    }
}
