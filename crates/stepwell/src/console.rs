//! The console's pages, as they were embedded when this binary was built.
//!
//! `scripts/console` leaves `index.html` as it is, and of everything else two precompressed forms, `NAME.br` and
//! `NAME.gz`. Files below `assets/` carry a digest in their name, so they are kept for a year; the page that names them
//! is asked for each time. Any other path is the page: its router knows what to show.

use std::borrow::Cow;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
    header::{
        ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
        LOCATION, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
    },
    request::Parts,
};
use rust_embed::{Embed, EmbeddedFile};

#[derive(Embed)]
#[folder = "../../console/dist/site"]
#[allow_missing = true]
struct Site;

const HOME: &str = "/console/";
const PAGE: &str = "index.html";
const YEAR: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_EACH_TIME: HeaderValue = HeaderValue::from_static("no-cache");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// Nothing from elsewhere, no inline script, in nobody's frame. Styles that scripts set are what the components need.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; \
     img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);

/// Shown where the binary was built without it.
const NOT_BUILT: &str = "<!doctype html><html lang=en><title>Stepwell</title><h1>The console is not in this binary</h1>\
    <p>Run <code>scripts/console</code> (it needs Node), build again, and reload. <code>make run</code> does all of it.\n";

/// Answers a GET or HEAD below `/console`.
pub(crate) fn page(head: &Parts) -> Response<Bytes> {
    let mut response = match head.uri.path().strip_prefix(HOME) {
        None => to_home(),
        Some(path) => match find(path, &head.headers) {
            Found::File(file) => file.answer(&head.headers),
            Found::NotAcceptable => plain(StatusCode::NOT_ACCEPTABLE, "this is kept as br and gzip alone\n"),
            Found::Nothing if path.starts_with("assets/") => plain(StatusCode::NOT_FOUND, "there is no such file\n"),
            Found::Nothing => match Site::get(PAGE) {
                Some(page) => File { name: PAGE, coding: None, file: page }.answer(&head.headers),
                None => not_built(),
            },
        },
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
    response
}

fn to_home() -> Response<Bytes> {
    let mut response = plain(StatusCode::PERMANENT_REDIRECT, "");
    response.headers_mut().insert(LOCATION, HeaderValue::from_static(HOME));
    response
}

fn not_built() -> Response<Bytes> {
    let mut response = plain(StatusCode::NOT_FOUND, NOT_BUILT);
    response.headers_mut().insert(CONTENT_TYPE, HTML);
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(text.as_bytes()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

enum Found<'p> {
    File(File<'p>),
    NotAcceptable,
    Nothing,
}

struct File<'p> {
    name: &'p str,
    coding: Option<&'static str>,
    file: EmbeddedFile,
}

fn find<'p>(name: &'p str, headers: &HeaderMap) -> Found<'p> {
    // Compressed forms are asked for by the name of what they hold.
    if name.ends_with(".br") || name.ends_with(".gz") {
        return Found::Nothing;
    }
    if let Some(file) = Site::get(name) {
        return Found::File(File { name, coding: None, file });
    }
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    let mut exists = false;
    for (coding, ending) in [("br", "br"), ("gzip", "gz")] {
        if let Some(file) = Site::get(&format!("{name}.{ending}")) {
            exists = true;
            if accepts(accepted, coding) {
                return Found::File(File { name, coding: Some(coding), file });
            }
        }
    }
    if exists { Found::NotAcceptable } else { Found::Nothing }
}

/// Whether a client takes this coding; one that names none takes gzip. Source: RFC 9110, section 12.5.3.
fn accepts(accepted: Option<&str>, coding: &str) -> bool {
    let Some(accepted) = accepted else { return coding == "gzip" };
    accepted.split(',').any(|item| {
        let (name, weight) = item.split_once(';').unwrap_or((item, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
        (name.trim().eq_ignore_ascii_case(coding) || name.trim() == "*") && !refused
    })
}

impl File<'_> {
    fn answer(self, asked: &HeaderMap) -> Response<Bytes> {
        let digest = self.file.metadata.sha256_hash();
        let tag = format!("\"{}\"", digest[..16].iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        let known = asked.get(IF_NONE_MATCH).is_some_and(|tags| tags.as_bytes() == tag.as_bytes());
        let content = match self.file.data {
            Cow::Borrowed(embedded) => Bytes::from_static(embedded),
            Cow::Owned(read) => read.into(),
        };
        let mut response = Response::new(if known { Bytes::new() } else { content });
        if known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, content_type(self.name));
        headers.insert(ETAG, HeaderValue::from_str(&tag).expect("hexadecimal digits in quotes are a header's text"));
        headers.insert(CACHE_CONTROL, if self.name.starts_with("assets/") { YEAR } else { ASK_EACH_TIME });
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if let Some(coding) = self.coding {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        response
    }
}

fn content_type(name: &str) -> HeaderValue {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => HTML,
        "js" => HeaderValue::from_static("text/javascript; charset=utf-8"),
        "css" => HeaderValue::from_static("text/css; charset=utf-8"),
        "json" => HeaderValue::from_static("application/json"),
        "svg" => HeaderValue::from_static("image/svg+xml"),
        _ => HeaderValue::from_static("application/octet-stream"),
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn get(path: &str) -> Response<Bytes> {
        let (head, ()) = Request::get(path).body(()).expect("a request").into_parts();
        page(&head)
    }

    /// Holds with and without a built console.
    #[test]
    fn pages() {
        assert_eq!(get("/console").status(), StatusCode::PERMANENT_REDIRECT);
        assert_eq!(get("/console/assets/nothing.js").status(), StatusCode::NOT_FOUND);
        assert_eq!(get("/console/../Cargo.toml").headers()[CONTENT_TYPE], HTML);
        let home = get("/console/state-machines");
        assert_eq!(home.headers()[CONTENT_TYPE], HTML);
        assert_eq!(home.headers()[CONTENT_SECURITY_POLICY], POLICY);
        let built = Site::get(PAGE).is_some();
        assert_eq!(home.status(), if built { StatusCode::OK } else { StatusCode::NOT_FOUND });
        assert_eq!(home.headers().contains_key(ETAG), built);
    }

    #[test]
    fn codings() {
        let cases = [
            (None, "gzip", true),
            (None, "br", false),
            (Some("gzip, deflate, br"), "br", true),
            (Some("gzip"), "br", false),
            (Some("br;q=0, *"), "gzip", true),
            (Some("identity, gzip;q=0"), "gzip", false),
        ];
        for (accepted, coding, expected) in cases {
            assert_eq!(accepts(accepted, coding), expected, "{accepted:?} {coding}");
        }
    }
}
