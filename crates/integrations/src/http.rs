//! Calls over HTTP/1.1, plain or by TLS, with kept-alive connections, a time limit and bounded answers.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{HeaderMap, Request, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::limits;

#[derive(Clone)]
pub(crate) struct HttpClient {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl HttpClient {
    /// The system's certificates are trusted; on a machine without any, calls by TLS fail.
    pub(crate) fn new() -> HttpClient {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        HttpClient::trusting(roots)
    }

    /// Trusts the certificates of a PEM text alone. `None`: there are none in it.
    pub(crate) fn of_authority(pem: &[u8]) -> Option<HttpClient> {
        let mut roots = RootCertStore::empty();
        let (added, _) = roots.add_parsable_certificates(CertificateDer::pem_slice_iter(pem).filter_map(Result::ok));
        (added > 0).then(|| HttpClient::trusting(roots))
    }

    fn trusting(roots: RootCertStore) -> HttpClient {
        let provider = rustls::crypto::ring::default_provider().into();
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has the default versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(Duration::from_secs(limits::CONNECT_SECONDS_MAX)));
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(limits::IDLE_SECONDS_MAX))
            .pool_max_idle_per_host(limits::IDLE_CONNECTIONS_MAX)
            .build(connector);
        HttpClient { client }
    }

    /// Sends it and reads the whole answer, at most `RESPONSE_BYTES_MAX` of it, within `limit`. An error is a plain
    /// sentence.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>, limit: Duration) -> Result<Answer, String> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let send = async {
            let answer = self.client.request(request).await.map_err(|error| unsent(&error, &host))?;
            let (parts, body) = answer.into_parts();
            let body = Limited::new(body, limits::RESPONSE_BYTES_MAX).collect().await;
            let body = body.map_err(|error| with_sources(error.as_ref()))?;
            Ok(Answer { status: parts.status, headers: parts.headers, body: body.to_bytes() })
        };
        let seconds = limit.as_secs();
        tokio::time::timeout(limit, send).await.unwrap_or_else(|_| Err(format!("no answer within {seconds} seconds")))
    }
}

/// Why there is no answer: of a host that is not known as the SDKs for Java say it, else in our words.
fn unsent(error: &dyn std::error::Error, host: &str) -> String {
    // The type of this error is the library's own.
    let is_unknown_host = |error: &dyn std::error::Error| error.to_string() == "dns error";
    let mut cause = Some(error);
    while let Some(error) = cause {
        if is_unknown_host(error) {
            return format!("{host}: Name or service not known");
        }
        cause = error.source();
    }
    with_sources(error)
}

/// An error with the reasons below it: `connection error: connection refused`.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
