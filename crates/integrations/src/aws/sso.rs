//! Credentials of IAM Identity Center: a profile names account and role, and `aws sso login` has left a token for them.
//!
//! The token is read anew for each set of credentials, so who logs in again is heard of. One of a session (`sso_session`)
//! that soon ends is renewed, and written back, as AWS's own tools do it: they find what was renewed here, and the reverse.
//! Source: AWS SDKs and Tools reference guide, "IAM Identity Center credential provider"; API of the portal,
//! GetRoleCredentials; API of the OIDC service, CreateToken; the file is written as botocore writes it.

use std::{
    fs::OpenOptions,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::{Digest, Sha1};
use stepwell_expr::{Value, json};

use super::{credentials::Credentials, profile::Profiles};
use crate::limits::{PROFILE_BYTES_MAX, SSO_TOKEN_RENEWED_SECONDS};

/// What a profile says of IAM Identity Center.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SsoProfile {
    pub(crate) region: String,
    account: String,
    role: String,
    /// Where one logs in; `None` in a session that does not say it.
    start_url: Option<String>,
    session: Option<String>,
}

/// A token as its file holds it.
#[derive(Clone, PartialEq)]
pub(crate) struct Token {
    pub(crate) access: String,
    expires: SystemTime,
    /// All members of the file.
    members: Value,
}

impl SsoProfile {
    /// `None`: the profile says nothing of it. Both forms are read, with a section `sso-session` and without.
    pub(crate) fn of(profiles: &Profiles, profile: &str) -> Result<Option<SsoProfile>, String> {
        let get = |key: &str| profiles.get(profile, key).map(str::to_owned);
        let (session, mut start_url) = (get("sso_session"), get("sso_start_url"));
        if session.is_none() && start_url.is_none() {
            return Ok(None);
        }
        let missing = |key: &str| format!("the AWS profile `{profile}` has no `{key}` for IAM Identity Center");
        let of_session =
            |session: &String, key: &str| profiles.get(&format!("sso-session {session}"), key).map(str::to_owned);
        let region = match &session {
            Some(session) => {
                start_url = of_session(session, "sso_start_url");
                of_session(session, "sso_region")
            }
            None => get("sso_region"),
        };
        Ok(Some(SsoProfile {
            region: region.ok_or_else(|| missing("sso_region"))?,
            account: get("sso_account_id").ok_or_else(|| missing("sso_account_id"))?,
            role: get("sso_role_name").ok_or_else(|| missing("sso_role_name"))?,
            start_url,
            session,
        }))
    }

    /// What the token's file is named after: the session's name, or the address where one logs in.
    fn token_name(&self) -> &str {
        self.session.as_ref().or(self.start_url.as_ref()).map_or("", |name| name)
    }

    fn log_in(&self, why: &str) -> String {
        format!("{why} IAM Identity Center for `{}`: log in with `aws sso login`", self.token_name())
    }

    fn file(&self, cache: &Path) -> PathBuf {
        let name: String = Sha1::digest(self.token_name()).iter().map(|byte| format!("{byte:02x}")).collect();
        cache.join(format!("{name}.json"))
    }

    /// The token that was left by a log-in or a renewal.
    pub(crate) async fn token(&self, cache: &Path) -> Result<Token, String> {
        let file = self.file(cache);
        let length = tokio::fs::metadata(&file).await.map_err(|_| self.log_in("there is no token of"))?.len();
        let text = if length <= PROFILE_BYTES_MAX { tokio::fs::read_to_string(&file).await.ok() } else { None };
        let token = text.and_then(|text| json::parse(&text).ok()).and_then(Token::of);
        token.ok_or_else(|| self.log_in("nobody can read the token of"))
    }

    /// The token, as long as it is good.
    pub(crate) fn good(&self, token: Token) -> Result<String, String> {
        match token.expires > SystemTime::now() {
            true => Ok(token.access),
            false => Err(self.log_in("no longer good is the token of")),
        }
    }

    /// What CreateToken is to be sent for a token that soon ends. `None`: it is good for long, or cannot be renewed.
    pub(crate) fn renewal(&self, token: &Token) -> Option<String> {
        let now = SystemTime::now();
        if self.session.is_none() || token.expires > now + Duration::from_secs(SSO_TOKEN_RENEWED_SECONDS) {
            return None;
        }
        let registered = time(token.text("registrationExpiresAt")?)?;
        let member = |name| Some(Value::from(token.text(name)?));
        let asked = [
            ("grantType", Value::from("refresh_token")),
            ("clientId", member("clientId")?),
            ("clientSecret", member("clientSecret")?),
            ("refreshToken", member("refreshToken")?),
        ];
        (registered > now).then(|| json::to_text(&Value::object(asked)))
    }

    /// The token that CreateToken has answered in place of `old`.
    pub(crate) fn renewed(&self, old: &Token, answer: &str) -> Option<Token> {
        let answer = json::parse(answer).ok()?;
        let seconds = u64::try_from(answer.get("expiresIn")?.as_i64()?).ok()?;
        let ends = SystemTime::now().checked_add(Duration::from_secs(seconds))?;
        let ends = Timestamp::try_from(ends).ok()?.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let own = |text: &Option<String>| text.as_deref().map(Value::from);
        let members = [
            ("startUrl", own(&self.start_url)),
            ("region", Some(Value::from(&*self.region))),
            ("accessToken", answer.get("accessToken").cloned()),
            ("expiresAt", Some(Value::from(ends))),
            ("clientId", old.members.get("clientId").cloned()),
            ("clientSecret", old.members.get("clientSecret").cloned()),
            ("registrationExpiresAt", old.members.get("registrationExpiresAt").cloned()),
            ("refreshToken", answer.get("refreshToken").cloned()),
        ];
        Token::of(Value::object(members.into_iter().filter_map(|(name, value)| Some((name, value?)))))
    }

    /// Writes a token for all who read the cache: wholly or not at all, and readable by its owner alone. Blocks.
    pub(crate) fn keep(&self, cache: &Path, token: &Token) -> std::io::Result<()> {
        let file = self.file(cache);
        let new = file.with_extension(format!("{}.tmp", std::process::id()));
        // Of a process of the same number that was killed.
        let _: std::io::Result<()> = std::fs::remove_file(&new);
        let mut opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        opened.write_all(json::to_text(&token.members).as_bytes())?;
        opened.sync_all()?;
        std::fs::rename(&new, &file)
    }

    /// Where CreateToken is called; `endpoint` in place of the region's own.
    pub(crate) fn renewal_url(&self, endpoint: Option<&str>) -> String {
        let own = || format!("https://oidc.{}.amazonaws.com", self.region);
        let endpoint = endpoint.map_or_else(own, |endpoint| endpoint.trim_end_matches('/').to_owned());
        format!("{endpoint}/token")
    }

    /// The call that gives credentials for a token; `endpoint` in place of the region's own.
    pub(crate) fn url(&self, endpoint: Option<&str>) -> String {
        let own = || format!("https://portal.sso.{}.amazonaws.com", self.region);
        let endpoint = endpoint.map_or_else(own, |endpoint| endpoint.trim_end_matches('/').to_owned());
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        format!(
            "{endpoint}/federation/credentials?account_id={}&role_name={}",
            encoded(&self.account),
            encoded(&self.role)
        )
    }
}

impl Token {
    fn of(members: Value) -> Option<Token> {
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let (access, expires) = (text("accessToken")?.to_owned(), time(text("expiresAt")?)?);
        Some(Token { access, expires, members })
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str)
    }
}

/// Older versions of the CLI end a time with `UTC`.
fn time(text: &str) -> Option<SystemTime> {
    text.replace("UTC", "Z").parse::<Timestamp>().ok().map(SystemTime::from)
}

/// What the portal answers: `roleCredentials`, whose end is in milliseconds since 1970.
pub(crate) fn credentials_of(answer: &str) -> Option<Credentials> {
    let answer = json::parse(answer).ok()?;
    let role = answer.get("roleCredentials")?;
    let text = |name: &str| role.get(name).and_then(Value::as_str).map(str::to_owned);
    let expires_ms = role.get("expiration").and_then(Value::as_i64).and_then(|ms| u64::try_from(ms).ok());
    Some(Credentials {
        access_key: text("accessKeyId")?,
        secret_key: text("secretAccessKey")?,
        session_token: text("sessionToken"),
        expires: expires_ms.and_then(|ms| SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(ms))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: &str = "[profile p]\nsso_session = my\nsso_account_id = 1\nsso_role_name = a/b\n\
                           [sso-session my]\nsso_region = eu-west-1\nsso_start_url = https://x\n";

    fn profile(config: &str) -> Result<Option<SsoProfile>, String> {
        SsoProfile::of(&Profiles::read(config, "", "p"), "p")
    }

    #[test]
    fn both_forms_of_profiles() {
        let found = profile(SESSION).unwrap().unwrap();
        assert_eq!((&*found.region, found.token_name()), ("eu-west-1", "my"));
        assert_eq!(
            found.url(None),
            "https://portal.sso.eu-west-1.amazonaws.com/federation/credentials?account_id=1&role_name=a%2Fb"
        );
        let old = "[profile p]\nsso_start_url = https://x\nsso_region = r\nsso_account_id = 1\nsso_role_name = b\n";
        assert_eq!(profile(old).unwrap().unwrap().token_name(), "https://x");
        assert_eq!(profile("[profile p]\nregion = r\n"), Ok(None));
        let incomplete = profile("[profile p]\nsso_start_url = https://x\nsso_region = r\n").unwrap_err();
        assert_eq!(incomplete, "the AWS profile `p` has no `sso_account_id` for IAM Identity Center");
    }

    #[tokio::test]
    async fn a_token_is_good_for_some_time() {
        let found = profile(SESSION).unwrap().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let token = || async { found.token(folder.path()).await.and_then(|token| found.good(token)) };
        assert!(token().await.unwrap_err().contains("aws sso login"));
        // The file is named by the SHA-1 of `my`.
        let file = folder.path().join("3ece1471f44f63177cbc35ba0b904e0c096b6783.json");
        let write = |expires: &str| {
            std::fs::write(&file, format!(r#"{{"accessToken":"t","expiresAt":"{expires}"}}"#)).unwrap();
        };
        write("2999-01-01T00:00:00UTC");
        assert_eq!(token().await, Ok("t".to_owned()));
        write("2020-01-01T00:00:00Z");
        assert!(token().await.unwrap_err().starts_with("no longer good"));
        std::fs::write(&file, "{").unwrap();
        assert!(token().await.unwrap_err().starts_with("nobody can read"));
    }

    #[test]
    fn what_can_be_renewed() {
        let token = |expires: &str, registered: &str, more: &str| {
            let text = format!(
                r#"{{"accessToken":"t","expiresAt":"{expires}","clientId":"c","clientSecret":"s",
                "registrationExpiresAt":"{registered}"{more}}}"#
            );
            Token::of(json::parse(&text).unwrap()).unwrap()
        };
        const REFRESH: &str = r#","refreshToken":"r""#;
        let of_session = profile(SESSION).unwrap().unwrap();
        let ended = token("2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z", REFRESH);
        let asked = r#"{"grantType":"refresh_token","clientId":"c","clientSecret":"s","refreshToken":"r"}"#;
        assert_eq!(of_session.renewal(&ended).as_deref(), Some(asked));
        assert_eq!(of_session.renewal(&token("2999-01-01T00:00:00Z", "2999-01-01T00:00:00Z", REFRESH)), None);
        assert_eq!(of_session.renewal(&token("2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z", REFRESH)), None);
        assert_eq!(of_session.renewal(&token("2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "")), None);
        let old = "[profile p]\nsso_start_url = https://x\nsso_region = r\nsso_account_id = 1\nsso_role_name = b\n";
        assert_eq!(profile(old).unwrap().unwrap().renewal(&ended), None, "without a session there is no renewal");
    }

    #[test]
    fn a_renewed_token_is_kept_whole_and_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let found = profile(SESSION).unwrap().unwrap();
        let old = r#"{"accessToken":"t","expiresAt":"2020-01-01T00:00:00Z","clientId":"c","clientSecret":"s",
            "registrationExpiresAt":"2999-01-01T00:00:00Z","refreshToken":"r","other":1}"#;
        let old = Token::of(json::parse(old).unwrap()).unwrap();
        assert!(found.renewed(&old, r#"{"accessToken":"n"}"#).is_none());
        let new = found.renewed(&old, r#"{"accessToken":"n","expiresIn":3600,"refreshToken":"r2"}"#).unwrap();
        let folder = tempfile::tempdir().unwrap();
        found.keep(folder.path(), &new).unwrap();
        found.keep(folder.path(), &new).unwrap();
        let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()).collect();
        assert_eq!(files, [found.file(folder.path())]);
        assert_eq!(files[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let kept = json::parse(&std::fs::read_to_string(&files[0]).unwrap()).unwrap();
        let text = |name: &str| kept.get(name).and_then(Value::as_str).map(str::to_owned);
        assert_eq!((text("accessToken").as_deref(), text("refreshToken").as_deref()), (Some("n"), Some("r2")));
        assert_eq!((text("startUrl").as_deref(), text("region").as_deref()), (Some("https://x"), Some("eu-west-1")));
        assert_eq!((text("clientSecret").as_deref(), text("other")), (Some("s"), None));
        assert!(found.good(new).is_ok());
    }

    #[test]
    fn answers_of_the_portal() {
        let answer =
            r#"{"roleCredentials":{"accessKeyId":"k","secretAccessKey":"s","sessionToken":"t","expiration":1000}}"#;
        let credentials = credentials_of(answer).unwrap();
        assert_eq!((&*credentials.access_key, credentials.session_token.as_deref()), ("k", Some("t")));
        assert_eq!(credentials.expires, Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1)));
        assert_eq!(credentials_of("{}"), None);
    }
}
