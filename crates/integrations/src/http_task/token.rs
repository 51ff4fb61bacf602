//! The authorisation of a call, and tokens of OAuth that are used until they end.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Request,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue},
};
use stepwell_expr::{Value, json};
use stepwell_machine::Failure;

use super::request::pair;
use crate::{
    connection::{self, Authorization, Connection, HttpParameter, OAuth, Secret},
    http::HttpClient,
    limits,
};

/// The token of one connection.
#[derive(Default)]
pub(crate) struct Tokens {
    held: Mutex<Option<Token>>,
    /// One asks at a time; the others use what it gets.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Token {
    value: Secret,
    until: Instant,
}

impl Tokens {
    pub(crate) async fn authorise(
        &self,
        http: &HttpClient,
        connection: &Connection,
        headers: &mut HeaderMap,
    ) -> Result<(), Failure> {
        let (name, value) = match &connection.authorization {
            Authorization::Basic { username, password } => {
                let pair = STANDARD.encode(format!("{}:{}", username.reveal(), password.reveal()));
                (AUTHORIZATION, Secret::new(format!("Basic {pair}")))
            }
            Authorization::ApiKey(key) => {
                let name: Result<HeaderName, _> = key.name.parse();
                (name.map_err(|_| invalid(connection, "its key has no header's name"))?, key.value.clone())
            }
            Authorization::OAuth(oauth) => {
                let token = self.token(http, connection, oauth).await?;
                (AUTHORIZATION, Secret::new(format!("Bearer {}", token.reveal())))
            }
        };
        let value: Result<HeaderValue, _> = value.reveal().parse();
        let mut value = value.map_err(|_| invalid(connection, "its secret cannot be sent in a header"))?;
        value.set_sensitive(true);
        headers.insert(name, value);
        Ok(())
    }

    /// The token is not used any more.
    pub(crate) fn forget(&self) {
        *self.locked() = None;
    }

    async fn token(&self, http: &HttpClient, connection: &Connection, oauth: &OAuth) -> Result<Secret, Failure> {
        if let Some(token) = self.fresh() {
            return Ok(token);
        }
        let _asking = self.asking.lock().await;
        if let Some(token) = self.fresh() {
            return Ok(token);
        }
        let token = ask(http, oauth).await.map_err(|reason| invalid(connection, &reason))?;
        *self.locked() = Some(token.clone());
        Ok(token.value)
    }

    fn fresh(&self) -> Option<Secret> {
        let held = self.locked();
        held.as_ref().filter(|token| Instant::now() < token.until).map(|token| token.value.clone())
    }

    fn locked(&self) -> MutexGuard<'_, Option<Token>> {
        // A token is never half changed.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks the authorisation server: `grant_type`, `client_id` and `client_secret` as a form, in the query of a GET.
///
/// The error is a sentence without anything that was sent or answered.
async fn ask(http: &HttpClient, oauth: &OAuth) -> Result<Token, String> {
    let own = [
        ("grant_type", "client_credentials"),
        ("client_id", oauth.client_id.reveal()),
        ("client_secret", oauth.client_secret.reveal()),
    ];
    let given = |parameters: &[HttpParameter]| -> Vec<String> {
        parameters.iter().map(|parameter| pair((&parameter.key, parameter.value.reveal()))).collect()
    };
    let own = own.into_iter().filter(|(name, _)| !oauth.body.iter().any(|parameter| parameter.key == *name));
    let form: Vec<String> = own.map(pair).chain(given(&oauth.body)).collect();
    let mut query = given(&oauth.query);
    let method = oauth.http_method();
    let body = if method == Method::GET {
        query.extend(form);
        Bytes::new()
    } else {
        form.join("&").into()
    };
    let separator = if oauth.endpoint.contains('?') { "&" } else { "?" };
    let target = if query.is_empty() { String::new() } else { format!("{separator}{}", query.join("&")) };
    let request = Request::builder()
        .method(&method)
        .uri(format!("{}{target}", oauth.endpoint))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::new(body));
    let mut request = request.map_err(|_| "its authorization endpoint is no URL".to_owned())?;
    request.headers_mut().extend(connection::headers(&oauth.headers)?);
    let time_max = Duration::from_secs(limits::HTTP_TASK_SECONDS_MAX);
    let answer = http.send(request, time_max).await;
    let answer = answer.map_err(|_| "its authorization endpoint cannot be reached".to_owned())?;
    if !answer.status.is_success() {
        return Err(format!("its authorization endpoint answered with status {}", answer.status.as_u16()));
    }
    let value = json::parse(&String::from_utf8_lossy(&answer.body)).unwrap_or_default();
    let token = value.get("access_token").and_then(Value::as_str);
    let token = token.ok_or("its authorization endpoint gave no `access_token`")?;
    let seconds = value.get("expires_in").and_then(|seconds| {
        seconds.as_i64().or_else(|| seconds.as_str()?.parse().ok()).and_then(|seconds| u64::try_from(seconds).ok())
    });
    let seconds = seconds.unwrap_or(limits::TOKEN_SECONDS_DEFAULT).min(limits::TOKEN_SECONDS_MAX);
    let until = Instant::now() + Duration::from_secs(seconds.saturating_sub(limits::TOKEN_SECONDS_SPARE));
    Ok(Token { value: Secret::new(token), until })
}

fn invalid(connection: &Connection, reason: &str) -> Failure {
    let text = format!("Connection {} cannot be used: {reason}.", connection.name);
    Failure::new("Events.ConnectionResource.InvalidConnectionState", text)
}
