//! Where credentials come from: the usual AWS chain, up to calls of STS, which the client makes.
//!
//! In order: environment variables; the profile (keys, a role over another profile, a web identity, IAM Identity Center, a
//! process); a web identity named by the environment; the container's endpoint; the instance's metadata service. Source: AWS SDKs and
//! Tools reference guide, "Standardized credential providers".

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request};
use jiff::Timestamp;
use stepwell_expr::{Value, json};
use tokio::sync::Mutex;

use super::{
    profile::Profiles,
    sso::{self, SsoProfile},
};
use crate::{
    http::HttpClient,
    limits::{CREDENTIALS_SECONDS_MAX, METADATA_SECONDS_MAX, PROFILES_CHAINED_MAX},
};

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    pub(crate) session_token: Option<String>,
    /// `None`: they stay.
    pub(crate) expires: Option<SystemTime>,
}

impl Credentials {
    /// Of an account, for a server that takes the account from the access key and verifies nothing.
    pub(crate) fn of_account(account: &str) -> Credentials {
        let secret_key = "none".to_owned();
        Credentials { access_key: account.to_owned(), secret_key, session_token: None, expires: None }
    }
}

/// Secrets are never shown.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(secret)")
    }
}

impl Credentials {
    /// Credentials are renewed some minutes before they end.
    pub(crate) fn is_fresh(&self) -> bool {
        self.expires.is_none_or(|expires| expires > SystemTime::now() + Duration::from_secs(300))
    }

    /// `AccessKeyId`, `SecretAccessKey`, `Token` or `SessionToken`, `Expiration`: as every source writes them.
    pub(crate) fn of_value(value: &Value) -> Option<Credentials> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let expires = text("Expiration").and_then(|time| time.parse::<Timestamp>().ok());
        Some(Credentials {
            access_key: text("AccessKeyId")?,
            secret_key: text("SecretAccessKey")?,
            session_token: text("SessionToken").or_else(|| text("Token")),
            expires: expires.map(SystemTime::from),
        })
    }
}

/// What the chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Credentials(Credentials),
    /// Assume `role` with what was found before.
    Role {
        over: Box<Found>,
        role: String,
        external_id: Option<String>,
    },
    /// Assume `role` with the token in a file.
    WebIdentity {
        role: String,
        token_file: String,
    },
    Nothing,
}

/// Environment and profiles, as they were when the server started.
pub(crate) struct Chain {
    variables: BTreeMap<String, String>,
    profiles: Profiles,
    /// Where the AWS CLI keeps the tokens of IAM Identity Center.
    sso_cache: Option<PathBuf>,
    /// Held by whoever reads a token there and may renew it.
    renewing: Mutex<()>,
}

const METADATA: &str = "http://169.254.169.254";
const CONTAINER: &str = "http://169.254.170.2";

impl Chain {
    pub(crate) fn from_environment() -> Chain {
        let variables = std::env::vars_os();
        let variables =
            variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let variables = variables.filter(|(name, value)| name.starts_with("AWS_") && !value.is_empty()).collect();
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let sso_cache = home.map(|home| home.join(".aws").join("sso").join("cache"));
        Chain { variables, profiles: Profiles::from_environment(), sso_cache, renewing: Mutex::default() }
    }

    #[cfg(test)]
    pub(crate) fn of(variables: &[(&str, &str)], config: &str) -> Chain {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let profiles = Profiles::read(config, "", "default");
        Chain { variables: variables.collect(), profiles, sso_cache: None, renewing: Mutex::default() }
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    /// The first source that has something. An error is a plain sentence.
    ///
    /// `with_network`: also asks the container's endpoint and the metadata service.
    pub(crate) async fn find(&self, http: &HttpClient, with_network: bool) -> Result<Found, String> {
        if let Some(found) = self.of_variables() {
            return Ok(found);
        }
        let is_chosen = self.variables.contains_key("AWS_PROFILE");
        match self.of_profile(http, self.profiles.chosen(), 0).await? {
            Found::Nothing if is_chosen => {
                return Err(format!("the AWS profile `{}` has no credentials", self.profiles.chosen()));
            }
            Found::Nothing => {}
            found => return Ok(found),
        }
        if let (Some(token_file), Some(role)) =
            (self.variable("AWS_WEB_IDENTITY_TOKEN_FILE"), self.variable("AWS_ROLE_ARN"))
        {
            return Ok(Found::WebIdentity { role, token_file });
        }
        if !with_network {
            return Ok(Found::Nothing);
        }
        if let Some(credentials) = self.of_container(http).await? {
            return Ok(Found::Credentials(credentials));
        }
        match self.variable("AWS_EC2_METADATA_DISABLED") {
            Some(disabled) if disabled.eq_ignore_ascii_case("true") => Ok(Found::Nothing),
            _ => Ok(of_instance(http).await.map_or(Found::Nothing, Found::Credentials)),
        }
    }

    fn of_variables(&self) -> Option<Found> {
        Some(Found::Credentials(Credentials {
            access_key: self.variable("AWS_ACCESS_KEY_ID")?,
            secret_key: self.variable("AWS_SECRET_ACCESS_KEY")?,
            session_token: self.variable("AWS_SESSION_TOKEN"),
            expires: None,
        }))
    }

    async fn of_profile(&self, http: &HttpClient, profile: &str, depth: usize) -> Result<Found, String> {
        if depth > PROFILES_CHAINED_MAX {
            return Err(format!("the AWS profile `{profile}` is part of a circle, or of too long a chain"));
        }
        let get = |key: &str| self.profiles.get(profile, key).map(str::to_owned);
        // A profile that names itself as its source has keys beside its role.
        let names_itself = depth > 0 && get("source_profile").as_deref() == Some(profile);
        if let Some(role) = get("role_arn").filter(|_| !names_itself) {
            if let Some(token_file) = get("web_identity_token_file") {
                return Ok(Found::WebIdentity { role, token_file });
            }
            let over = match get("source_profile") {
                Some(source) if !self.profiles.has(&source) => {
                    return Err(format!("the AWS profile `{profile}` names the profile `{source}`, which is missing"));
                }
                Some(source) => Box::pin(self.of_profile(http, &source, depth + 1)).await?,
                None => self.of_variables().unwrap_or(Found::Nothing),
            };
            return match over {
                Found::Nothing => Err(format!("the AWS profile `{profile}` has a role but nothing to assume it with")),
                over => Ok(Found::Role { over: Box::new(over), role, external_id: get("external_id") }),
            };
        }
        if let (Some(access_key), Some(secret_key)) = (get("aws_access_key_id"), get("aws_secret_access_key")) {
            let session_token = get("aws_session_token");
            return Ok(Found::Credentials(Credentials { access_key, secret_key, session_token, expires: None }));
        }
        if let Some(sso) = SsoProfile::of(&self.profiles, profile)? {
            return self.of_sso(http, &sso).await.map(Found::Credentials);
        }
        match get("credential_process") {
            Some(command) => of_process(&command).await.map(Found::Credentials),
            None => Ok(Found::Nothing),
        }
    }

    /// What the portal of IAM Identity Center gives for the token of a log-in.
    async fn of_sso(&self, http: &HttpClient, sso: &SsoProfile) -> Result<Credentials, String> {
        let token = self.sso_token(http, sso).await?;
        let url = sso.url(self.endpoint("sso").as_deref());
        let text = get(http, Method::GET, &url, Some(("x-amz-sso_bearer_token", &token))).await;
        let text = text.map_err(|why| format!("IAM Identity Center gives no credentials: {why}"))?;
        sso::credentials_of(&text).ok_or_else(|| "the credentials of IAM Identity Center cannot be read".to_owned())
    }

    /// The token of a log-in, renewed where it soon ends.
    async fn sso_token(&self, http: &HttpClient, sso: &SsoProfile) -> Result<String, String> {
        let cache = self.sso_cache.as_deref().ok_or("there is no folder for the tokens of IAM Identity Center")?;
        // One at a time: a token may be renewed once.
        let _renewing = self.renewing.lock().await;
        let token = sso.token(cache).await?;
        let Some(asked) = sso.renewal(&token) else { return sso.good(token) };
        let request =
            Request::builder().method(Method::POST).uri(sso.renewal_url(self.endpoint("sso_oidc").as_deref()));
        let request = request.header("content-type", "application/json").body(Full::new(Bytes::from(asked)));
        let answer = send(http, request.map_err(|error| error.to_string())?).await;
        let renewed =
            answer.and_then(|answer| sso.renewed(&token, &answer).ok_or_else(|| "it cannot be read".to_owned()));
        match renewed {
            Ok(renewed) => {
                let (session, cache, kept) = (sso.clone(), cache.to_owned(), renewed.clone());
                let kept = tokio::task::spawn_blocking(move || session.keep(&cache, &kept)).await;
                if let Ok(Err(error)) = kept {
                    tracing::warn!(error = error.to_string(), "the renewed token of IAM Identity Center is not kept");
                }
                sso.good(renewed)
            }
            // It may still be good.
            Err(why) => {
                tracing::warn!(why, "the token of IAM Identity Center is not renewed");
                sso.good(token)
            }
        }
    }

    /// Where a service is called that gives credentials, if not at its own address.
    fn endpoint(&self, service: &str) -> Option<String> {
        let variable = format!("AWS_ENDPOINT_URL_{}", service.to_ascii_uppercase());
        let named = self.variable(&variable).or_else(|| self.variable("AWS_ENDPOINT_URL"));
        named.or_else(|| self.profiles.service_endpoints().remove(service)).or_else(|| self.profiles.endpoint())
    }

    /// `AWS_CONTAINER_CREDENTIALS_…`: ECS and EKS.
    async fn of_container(&self, http: &HttpClient) -> Result<Option<Credentials>, String> {
        let relative = self.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").map(|path| format!("{CONTAINER}{path}"));
        let Some(url) = relative.or_else(|| self.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI")) else {
            return Ok(None);
        };
        let token = match self.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
            Some(file) => Some(tokio::fs::read_to_string(&file).await.map_err(|error| {
                format!("the file of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE cannot be read: {error}")
            })?),
            None => self.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
        };
        let token = token.as_deref().map(|token| ("Authorization", token.trim()));
        let text = get(http, Method::GET, &url, token).await?;
        let credentials = json::parse(&text).ok().and_then(|value| Credentials::of_value(&value));
        credentials.map(Some).ok_or_else(|| "the container's credentials cannot be read".to_owned())
    }
}

/// What a process of the profile prints. Source: AWS SDKs and Tools reference guide, "Process credential provider".
async fn of_process(command: &str) -> Result<Credentials, String> {
    let mut process = tokio::process::Command::new("sh");
    process.arg("-c").arg(command).kill_on_drop(true);
    let limit = Duration::from_secs(CREDENTIALS_SECONDS_MAX);
    let output = tokio::time::timeout(limit, process.output()).await;
    let output = output.map_err(|_| "the credential process takes too long".to_owned())?;
    let output = output.map_err(|error| format!("the credential process cannot be started: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let credentials = json::parse(&text).ok().and_then(|value| Credentials::of_value(&value));
    credentials.filter(|_| output.status.success()).ok_or_else(|| "the credential process failed".to_owned())
}

/// The role of an EC2 instance, by IMDSv2. `None` wherever there is no such service.
async fn of_instance(http: &HttpClient) -> Option<Credentials> {
    let limit = Duration::from_secs(METADATA_SECONDS_MAX);
    let ask = async {
        let lifetime = ("X-aws-ec2-metadata-token-ttl-seconds", "300");
        let token = get(http, Method::PUT, &format!("{METADATA}/latest/api/token"), Some(lifetime)).await.ok()?;
        let token = Some(("X-aws-ec2-metadata-token", token.as_str()));
        let roles = format!("{METADATA}/latest/meta-data/iam/security-credentials/");
        let role = get(http, Method::GET, &roles, token).await.ok()?;
        let role = role.lines().next()?.trim();
        let text = get(http, Method::GET, &format!("{roles}{role}"), token).await.ok()?;
        Credentials::of_value(&json::parse(&text).ok()?)
    };
    tokio::time::timeout(limit, ask).await.ok().flatten()
}

/// The text that an address answers.
async fn get(http: &HttpClient, method: Method, url: &str, header: Option<(&str, &str)>) -> Result<String, String> {
    let mut request = Request::builder().method(method).uri(url);
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    send(http, request.body(Full::new(Bytes::new())).map_err(|error| error.to_string())?).await
}

async fn send(http: &HttpClient, request: Request<Full<Bytes>>) -> Result<String, String> {
    let answer = http.send(request, Duration::from_secs(CREDENTIALS_SECONDS_MAX)).await?;
    match answer.status.is_success() {
        true => Ok(String::from_utf8_lossy(&answer.body).into_owned()),
        false => Err(format!("the source of credentials answers {}", answer.status)),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn find(variables: &[(&str, &str)], config: &str) -> Result<Found, String> {
        Chain::of(variables, config).find(&HttpClient::new(), false).await
    }

    fn keys(access_key: &str) -> Found {
        let secret_key = "s".to_owned();
        Found::Credentials(Credentials {
            access_key: access_key.to_owned(),
            secret_key,
            session_token: None,
            expires: None,
        })
    }

    #[tokio::test]
    async fn the_environment_goes_before_the_profile() {
        let config = "[default]\naws_access_key_id = p\naws_secret_access_key = s\n";
        assert_eq!(find(&[], config).await, Ok(keys("p")));
        assert_eq!(find(&[("AWS_ACCESS_KEY_ID", "e"), ("AWS_SECRET_ACCESS_KEY", "s")], config).await, Ok(keys("e")));
        assert_eq!(find(&[], "").await, Ok(Found::Nothing));
    }

    #[tokio::test]
    async fn a_role_stands_over_its_source() {
        let config = "[default]\nrole_arn = r\nsource_profile = base\nexternal_id = x\n\
                      [profile base]\naws_access_key_id = b\naws_secret_access_key = s\n";
        let role = Found::Role { over: Box::new(keys("b")), role: "r".to_owned(), external_id: Some("x".to_owned()) };
        assert_eq!(find(&[], config).await, Ok(role));
        let circle =
            "[default]\nrole_arn = r\nsource_profile = b\n[profile b]\nrole_arn = r\nsource_profile = default\n";
        assert!(find(&[], circle).await.unwrap_err().contains("circle"));
    }

    #[tokio::test]
    async fn a_process_prints_credentials() {
        let config =
            "[default]\ncredential_process = echo '{\"Version\":1,\"AccessKeyId\":\"q\",\"SecretAccessKey\":\"s\"}'\n";
        assert_eq!(find(&[], config).await, Ok(keys("q")));
        assert_eq!(
            find(&[], "[default]\ncredential_process = false\n").await,
            Err("the credential process failed".into())
        );
    }

    /// A portal that answers one call, and what it was asked.
    async fn portal(status: &str) -> (String, tokio::task::JoinHandle<String>) {
        let body = r#"{"roleCredentials":{"accessKeyId":"k","secretAccessKey":"s","expiration":32503680000000}}"#;
        answering(status, body).await
    }

    /// A server that answers one call, and what it was asked.
    async fn answering(status: &str, body: &str) -> (String, tokio::task::JoinHandle<String>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let asked = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = String::new();
            loop {
                let mut read = vec![0; 4_096];
                let length = stream.read(&mut read).await.unwrap();
                asked.push_str(&String::from_utf8_lossy(&read[..length]));
                let Some((head, body)) = asked.split_once("\r\n\r\n") else { continue };
                let expected = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
                if body.len() >= expected.map_or(0, |length| length.parse().unwrap()) {
                    break;
                }
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            asked
        });
        (url, asked)
    }

    #[tokio::test]
    async fn a_log_in_to_iam_identity_center_gives_credentials() {
        let config = "[default]\nsso_session = my\nsso_account_id = 1\nsso_role_name = r\n\
                      [sso-session my]\nsso_region = eu-west-1\n";
        let folder = tempfile::tempdir().unwrap();
        let token = r#"{"accessToken":"secret","expiresAt":"2999-01-01T00:00:00Z"}"#;
        std::fs::write(folder.path().join("3ece1471f44f63177cbc35ba0b904e0c096b6783.json"), token).unwrap();
        for (status, expected) in [
            ("200 OK", Ok("k")),
            (
                "401 Unauthorized",
                Err("IAM Identity Center gives no credentials: the source of credentials answers 401 Unauthorized"),
            ),
        ] {
            let (url, asked) = portal(status).await;
            let mut chain = Chain::of(&[("AWS_ENDPOINT_URL_SSO", &url)], config);
            chain.sso_cache = Some(folder.path().to_path_buf());
            let found = chain.find(&HttpClient::new(), false).await;
            let found = found.map(|found| match found {
                Found::Credentials(credentials) if credentials.is_fresh() => credentials.access_key,
                other => panic!("{other:?}"),
            });
            assert_eq!(found, expected.map(str::to_owned).map_err(str::to_owned));
            let asked = asked.await.unwrap();
            assert!(asked.starts_with("GET /federation/credentials?account_id=1&role_name=r HTTP/1.1\r\n"), "{asked}");
            assert!(asked.contains("x-amz-sso_bearer_token: secret\r\n"), "{asked}");
        }
    }

    #[tokio::test]
    async fn the_token_of_a_session_is_renewed_before_it_ends() {
        let config = "[default]\nsso_session = my\nsso_account_id = 1\nsso_role_name = r\n\
                      [sso-session my]\nsso_region = eu-west-1\nsso_start_url = https://x\n";
        let new = r#"{"accessToken":"new","expiresIn":3600,"refreshToken":"r2"}"#;
        let refused = "no longer good is the token of IAM Identity Center";
        for (status, expected) in [("200 OK", Ok("k")), ("400 Bad Request", Err(refused))] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("3ece1471f44f63177cbc35ba0b904e0c096b6783.json");
            let token = r#"{"accessToken":"old","expiresAt":"2020-01-01T00:00:00Z","clientId":"c","clientSecret":"s",
                "refreshToken":"r","registrationExpiresAt":"2999-01-01T00:00:00Z"}"#;
            std::fs::write(&file, token).unwrap();
            let (oidc, renewal) = answering(status, new).await;
            let (portal, asked) = portal("200 OK").await;
            let variables = [("AWS_ENDPOINT_URL_SSO", &*portal), ("AWS_ENDPOINT_URL_SSO_OIDC", &*oidc)];
            let mut chain = Chain::of(&variables, config);
            chain.sso_cache = Some(folder.path().to_path_buf());
            let found = match chain.find(&HttpClient::new(), false).await {
                Ok(Found::Credentials(credentials)) => Ok(credentials.access_key),
                Ok(other) => panic!("{other:?}"),
                Err(why) => Err(why),
            };
            match expected {
                Ok(key) => assert_eq!(found.as_deref(), Ok(key)),
                Err(why) => assert!(found.unwrap_err().starts_with(why)),
            }
            let renewal = renewal.await.unwrap();
            assert!(renewal.starts_with("POST /token HTTP/1.1\r\n"), "{renewal}");
            let body = r#"{"grantType":"refresh_token","clientId":"c","clientSecret":"s","refreshToken":"r"}"#;
            assert!(renewal.ends_with(body), "{renewal}");
            let kept = std::fs::read_to_string(&file).unwrap();
            if expected.is_ok() {
                let asked = asked.await.unwrap();
                assert!(asked.contains("x-amz-sso_bearer_token: new\r\n"), "{asked}");
                assert!(kept.contains(r#""refreshToken":"r2""#), "{kept}");
            } else {
                assert_eq!(kept, token);
            }
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        assert_eq!(format!("{:?}", keys("a")), "Credentials(Credentials(secret))");
    }
}
