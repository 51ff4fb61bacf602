//! Credentials of IAM Identity Center: a profile names account and role, and `aws sso login` has left a token for them.
//!
//! The token is read anew for each set of credentials and never renewed here: who logs in again, or has the AWS CLI renew
//! it, is heard of. Source: AWS SDKs and Tools reference guide, "IAM Identity Center credential provider"; API of the
//! portal, GetRoleCredentials.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::{Digest, Sha1};
use stepwell_expr::{Value, json};

use super::{credentials::Credentials, profile::Profiles};
use crate::limits::PROFILE_BYTES_MAX;

/// What a profile says of IAM Identity Center.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SsoProfile {
    pub(crate) region: String,
    account: String,
    role: String,
    /// What the token's file is named after: the session's name, or the address where one logs in.
    token_name: String,
}

impl SsoProfile {
    /// `None`: the profile says nothing of it. Both forms are read, with a section `sso-session` and without.
    pub(crate) fn of(profiles: &Profiles, profile: &str) -> Result<Option<SsoProfile>, String> {
        let get = |key: &str| profiles.get(profile, key).map(str::to_owned);
        let (session, start_url) = (get("sso_session"), get("sso_start_url"));
        if session.is_none() && start_url.is_none() {
            return Ok(None);
        }
        let missing = |key: &str| format!("the AWS profile `{profile}` has no `{key}` for IAM Identity Center");
        let of_session =
            |session: &String, key: &str| profiles.get(&format!("sso-session {session}"), key).map(str::to_owned);
        let region = match &session {
            Some(session) => of_session(session, "sso_region"),
            None => get("sso_region"),
        };
        Ok(Some(SsoProfile {
            region: region.ok_or_else(|| missing("sso_region"))?,
            account: get("sso_account_id").ok_or_else(|| missing("sso_account_id"))?,
            role: get("sso_role_name").ok_or_else(|| missing("sso_role_name"))?,
            token_name: session.or(start_url).ok_or_else(|| missing("sso_start_url"))?,
        }))
    }

    /// The token that was left by a log-in, as long as it is good.
    pub(crate) async fn token(&self, cache: Option<&PathBuf>) -> Result<String, String> {
        let name: String = Sha1::digest(&self.token_name).iter().map(|byte| format!("{byte:02x}")).collect();
        let log_in =
            |why: &str| format!("{why} IAM Identity Center for `{}`: log in with `aws sso login`", self.token_name);
        let absent = || log_in("there is no token of");
        let file = cache.ok_or_else(absent)?.join(format!("{name}.json"));
        let length = tokio::fs::metadata(&file).await.map_err(|_| absent())?.len();
        let text = if length <= PROFILE_BYTES_MAX { tokio::fs::read_to_string(&file).await.ok() } else { None };
        let token = text.and_then(|text| json::parse(&text).ok());
        let member = |name: &str| token.as_ref().and_then(|token| token.get(name)).and_then(Value::as_str);
        let (Some(access), Some(expires)) = (member("accessToken"), member("expiresAt")) else {
            return Err(log_in("nobody can read the token of"));
        };
        // Older versions of the CLI end the time with `UTC`.
        let expires = expires.replace("UTC", "Z").parse::<Timestamp>();
        match expires {
            Ok(expires) if SystemTime::from(expires) > SystemTime::now() => Ok(access.to_owned()),
            _ => Err(log_in("no longer good is the token of")),
        }
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
        assert_eq!((&*found.region, &*found.token_name), ("eu-west-1", "my"));
        assert_eq!(
            found.url(None),
            "https://portal.sso.eu-west-1.amazonaws.com/federation/credentials?account_id=1&role_name=a%2Fb"
        );
        let old = "[profile p]\nsso_start_url = https://x\nsso_region = r\nsso_account_id = 1\nsso_role_name = b\n";
        assert_eq!(profile(old).unwrap().unwrap().token_name, "https://x");
        assert_eq!(profile("[profile p]\nregion = r\n"), Ok(None));
        let incomplete = profile("[profile p]\nsso_start_url = https://x\nsso_region = r\n").unwrap_err();
        assert_eq!(incomplete, "the AWS profile `p` has no `sso_account_id` for IAM Identity Center");
    }

    #[tokio::test]
    async fn a_token_is_good_for_some_time() {
        let found = profile(SESSION).unwrap().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().to_path_buf();
        let token = || async { found.token(Some(&cache)).await };
        assert!(token().await.unwrap_err().contains("aws sso login"));
        // The file is named by the SHA-1 of `my`.
        let file = cache.join("3ece1471f44f63177cbc35ba0b904e0c096b6783.json");
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
    fn answers_of_the_portal() {
        let answer =
            r#"{"roleCredentials":{"accessKeyId":"k","secretAccessKey":"s","sessionToken":"t","expiration":1000}}"#;
        let credentials = credentials_of(answer).unwrap();
        assert_eq!((&*credentials.access_key, credentials.session_token.as_deref()), ("k", Some("t")));
        assert_eq!(credentials.expires, Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1)));
        assert_eq!(credentials_of("{}"), None);
    }
}
