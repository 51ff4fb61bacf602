//! Connections of HTTP Tasks: how a call is authorised, and what is added to it.
//!
//! Source: EventBridge API reference, CreateConnection. Here they come from the configuration; nothing of them gets
//! into history, logs or errors.

use std::sync::Arc;

use hyper::{HeaderMap, Method, header::HeaderName};

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    pub fn new(text: impl Into<Arc<str>>) -> Secret {
        Secret(text.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("secret")
    }
}

/// `[connections.NAME]`.
#[derive(Clone, Debug)]
pub struct Connection {
    pub name: String,
    pub authorization: Authorization,
    pub headers: Vec<HttpParameter>,
    pub query: Vec<HttpParameter>,
    pub body: Vec<HttpParameter>,
}

/// A key and its value: a header, a query parameter or a member of the body.
#[derive(Clone, Debug)]
pub struct HttpParameter {
    pub key: String,
    pub value: Secret,
}

#[derive(Clone, Debug)]
pub enum Authorization {
    Basic {
        username: Secret,
        password: Secret,
    },
    ApiKey(ApiKey),
    /// Client credentials: the token that an authorisation server gives for them.
    OAuth(Box<OAuth>),
}

/// A header with a key.
#[derive(Clone, Debug)]
pub struct ApiKey {
    pub name: String,
    pub value: Secret,
}

#[derive(Clone, Debug)]
pub struct OAuth {
    pub endpoint: String,
    /// GET, POST or PUT.
    pub method: String,
    pub client_id: Secret,
    pub client_secret: Secret,
    pub headers: Vec<HttpParameter>,
    pub query: Vec<HttpParameter>,
    pub body: Vec<HttpParameter>,
}

impl Connection {
    /// The same, adding nothing to a request.
    pub(crate) fn bare(&self) -> Connection {
        Connection { headers: Vec::new(), query: Vec::new(), body: Vec::new(), ..self.clone() }
    }

    /// Why it cannot be used; a sentence without secrets.
    pub fn check(&self) -> Result<(), String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        if self.name.is_empty() || self.name.len() > 64 || !self.name.bytes().all(plain) {
            return Err("the name of a connection has up to 64 letters, digits, `.`, `-` and `_`".to_owned());
        }
        headers(&self.headers)?;
        match &self.authorization {
            Authorization::Basic { .. } => Ok(()),
            Authorization::ApiKey(key) => {
                headers(&[HttpParameter { key: key.name.clone(), value: key.value.clone() }]).map(drop)
            }
            Authorization::OAuth(oauth) => {
                headers(&oauth.headers)?;
                match oauth.method.as_str() {
                    "GET" | "POST" | "PUT" => Ok(()),
                    _ => Err("`method` must be GET, POST or PUT".to_owned()),
                }
            }
        }
    }
}

impl OAuth {
    pub(crate) fn http_method(&self) -> Method {
        match self.method.as_str() {
            "GET" => Method::GET,
            "PUT" => Method::PUT,
            _ => Method::POST,
        }
    }
}

/// Parameters as headers; the error names the header alone.
pub(crate) fn headers(parameters: &[HttpParameter]) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for HttpParameter { key, value } in parameters {
        let name: HeaderName = key.parse().map_err(|_| format!("`{key}` cannot be the name of a header"))?;
        let mut value: hyper::header::HeaderValue =
            value.reveal().parse().map_err(|_| format!("the value of the header `{key}` cannot be sent"))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}
