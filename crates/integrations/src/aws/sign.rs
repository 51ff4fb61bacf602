//! Signatures of calls: SigV4, by AWS's own crate.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials as Identity;
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;

use super::credentials::Credentials;

/// In whose name, for which service and where a call is signed.
pub(crate) struct Signer<'a> {
    pub(crate) credentials: &'a Credentials,
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
}

impl Signer<'_> {
    /// Adds the headers of the signature. An error is a plain sentence.
    pub(crate) fn sign(&self, request: &mut Request<Full<Bytes>>, body: &[u8]) -> Result<(), String> {
        let mut settings = SigningSettings::default();
        // S3 takes paths as they are, all others want them normalised and encoded twice.
        if self.service == "s3" {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        self.sign_with(settings, request, body)
    }

    /// Adds the signature to the address, which whoever has it may call for a while. An error is a plain sentence.
    pub(crate) fn presign(&self, request: &mut Request<Full<Bytes>>, lifetime: Duration) -> Result<(), String> {
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(lifetime);
        self.sign_with(settings, request, b"")
    }

    fn sign_with(
        &self,
        settings: SigningSettings,
        request: &mut Request<Full<Bytes>>,
        body: &[u8],
    ) -> Result<(), String> {
        let Credentials { access_key, secret_key, session_token, .. } = self.credentials;
        let identity = Identity::new(access_key, secret_key, session_token.clone(), None, "stepwell").into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let uri = request.uri().to_string();
        let headers = request.headers().iter();
        let headers: Vec<(String, String)> =
            headers.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned()))).collect();
        let signable = SignableRequest::new(
            request.method().as_str(),
            uri,
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())),
            SignableBody::Bytes(body),
        );
        let signable = signable.map_err(|error| error.to_string())?;
        let (instructions, _) = sign(signable, &parameters).map_err(|error| error.to_string())?.into_parts();
        instructions.apply_to_request_http1x(request);
        Ok(())
    }
}
