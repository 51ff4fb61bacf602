//! Whose a call is: the region and the account that it names.
//!
//! Nothing is verified. The region is that of the signature's credential scope, `AKID/DATE/REGION/SERVICE/aws4_request`, and
//! an access key id of twelve digits names the account, as emulators of AWS agree. What is not named is the server's own.
//! Source of the scope: AWS Signature Version 4, "Elements of a request signature".

use hyper::{
    HeaderMap, Uri,
    header::{AUTHORIZATION, HeaderName},
};
use stepwell_engine::{is_account, is_region};

use crate::error::Error;

/// What pages of the console choose, since they do not sign: `REGION/ACCOUNT`.
const CHOSEN: HeaderName = HeaderName::from_static("x-stepwell-owner");
const CREDENTIAL: &str = "Credential=";
const QUERY_CREDENTIAL: &str = "X-Amz-Credential=";

/// `None`: the server's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scope<'r> {
    pub(crate) region: Option<&'r str>,
    pub(crate) account: Option<&'r str>,
}

impl<'r> Scope<'r> {
    /// `by_signature`: false if signatures name nobody, so that all is the server's own that the console does not choose.
    pub(crate) fn of(headers: &'r HeaderMap, uri: &'r Uri, by_signature: bool) -> Result<Scope<'r>, Error> {
        let signed = by_signature.then(|| in_header(headers).or_else(|| in_query(uri))).flatten();
        match signed {
            Some(scope) => scope.checked(),
            None => match headers.get(CHOSEN).and_then(|chosen| chosen.to_str().ok()) {
                Some(chosen) => Scope::chosen(chosen),
                None => Ok(Scope::default()),
            },
        }
    }

    /// Of a credential's parts: the access key id and its scope.
    fn of_credential(mut parts: impl Iterator<Item = &'r str>) -> Scope<'r> {
        let account = parts.next().filter(|key| is_account(key));
        // Behind the date. Signatures of version 4A have no region in their scope.
        let region = match [parts.nth(1), parts.next(), parts.next(), parts.next()] {
            [region @ Some(_), Some(_), Some("aws4_request"), None] => region,
            _ => None,
        };
        Scope { region, account }
    }

    fn chosen(chosen: &'r str) -> Result<Scope<'r>, Error> {
        match chosen.split_once('/') {
            Some((region, account)) if is_region(region) && is_account(account) => {
                Ok(Scope { region: Some(region), account: Some(account) })
            }
            _ => Err(Error::validation(format!("`{CHOSEN}` is a region, a slash and an account"))),
        }
    }

    fn checked(self) -> Result<Scope<'r>, Error> {
        match self.region.filter(|region| !is_region(region)) {
            Some(region) => Err(Error::InvalidRegion { region: region.to_owned() }),
            None => Ok(self),
        }
    }
}

fn in_header(headers: &HeaderMap) -> Option<Scope<'_>> {
    let (_, rest) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(CREDENTIAL)?;
    let credential = rest.split([',', ' ']).next()?;
    Some(Scope::of_credential(credential.split('/')))
}

/// Of a presigned request, where slashes may be written as `%2F`.
fn in_query(uri: &Uri) -> Option<Scope<'_>> {
    let credential = uri.query()?.split('&').find_map(|pair| pair.strip_prefix(QUERY_CREDENTIAL))?;
    let separator = if credential.contains('%') { '%' } else { '/' };
    // Behind a percent sign stand its two digits.
    let parts =
        credential.split(separator).map(|part| part.strip_prefix("2F").or(part.strip_prefix("2f")).unwrap_or(part));
    Some(Scope::of_credential(parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        [(name, value.parse().unwrap())].into_iter().collect()
    }

    fn read(headers: &HeaderMap, path: &str) -> Result<(Option<String>, Option<String>), String> {
        let uri: Uri = path.parse().unwrap();
        let scope = Scope::of(headers, &uri, true).map_err(|error| format!("{}: {error}", error.code()))?;
        Ok((scope.region.map(str::to_owned), scope.account.map(str::to_owned)))
    }

    fn named(region: &str, account: Option<&str>) -> (Option<String>, Option<String>) {
        (Some(region.to_owned()), account.map(str::to_owned))
    }

    #[test]
    fn a_signature_names_the_region_and_perhaps_the_account() {
        let signed = |credential: &str| {
            let value = format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=00");
            read(&headers(AUTHORIZATION, &value), "/")
        };
        assert_eq!(signed("AKID/20260314/eu-west-1/states/aws4_request"), Ok(named("eu-west-1", None)));
        assert_eq!(signed("111122223333/20260314/local/states/aws4_request"), Ok(named("local", Some("111122223333"))));
        for without in ["AKID", "", "AKID/20260314/states/aws4_request", "a/b/c/d/e/f/g"] {
            assert_eq!(signed(without), Ok((None, None)), "{without}");
        }
        for (region, shown) in [("", ""), ("x:y", "x:y"), ("eu_west", "eu_west")] {
            let expected =
                format!("InvalidSignatureException: Credential should be scoped to a valid region, not '{shown}'.");
            assert_eq!(signed(&format!("AKID/20260314/{region}/states/aws4_request")), Err(expected));
        }
    }

    #[test]
    fn so_does_a_presigned_query() {
        let none = HeaderMap::new();
        for slash in ["/", "%2F", "%2f"] {
            let credential = ["111122223333", "20260314", "eu-west-1", "states", "aws4_request"].join(slash);
            let found = read(&none, &format!("/?X-Amz-Date=0&X-Amz-Credential={credential}&X-Amz-Signature=0"));
            assert_eq!(found, Ok(named("eu-west-1", Some("111122223333"))), "{slash}");
        }
        assert_eq!(read(&none, "/?X-Amz-Credential=a%2"), Ok((None, None)));
        assert_eq!(read(&none, "/?x=y"), Ok((None, None)));
    }

    #[test]
    fn the_console_chooses_where_nothing_is_signed() {
        assert_eq!(read(&headers(CHOSEN, "eu-west-1/111122223333"), "/"), Ok(named("eu-west-1", Some("111122223333"))));
        for chosen in ["eu-west-1", "eu-west-1/1", "/111122223333", "a b/111122223333"] {
            assert!(read(&headers(CHOSEN, chosen), "/").is_err(), "{chosen}");
        }
        let mut both = headers(CHOSEN, "eu-west-1/111122223333");
        let signed = "AWS4-HMAC-SHA256 Credential=AKID/20260314/us-west-2/states/aws4_request, Signature=0";
        both.insert(AUTHORIZATION, signed.parse().unwrap());
        assert_eq!(read(&both, "/"), Ok(named("us-west-2", None)));
        let uri = Uri::from_static("/");
        let chosen = Scope::of(&both, &uri, false).unwrap();
        assert_eq!((chosen.region, chosen.account), (Some("eu-west-1"), Some("111122223333")));
        assert_eq!(read(&headers(AUTHORIZATION, "Bearer x"), "/"), Ok((None, None)));
    }
}
