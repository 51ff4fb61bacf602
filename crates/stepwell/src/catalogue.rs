//! What tasks can call, for the console's palette: below `/console/api/services`, beside the rest of its API.
//!
//! | GET | answer |
//! |---|---|
//! | `services` | `{"s3": {"title": "S3", "actions": ["getObject", …]}, …}`: what `aws-sdk:SERVICE:ACTION` can name |
//! | `services/{service}/{action}` | `{"parameters": [{"name", "type", "required"}], "skeleton": {…}}`: both names as they stand in a resource's ARN |
//!
//! Both are what the binary holds, so a browser that has them asks only whether it is still the same binary.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH},
};
use sha2::{Digest, Sha256};
use stepwell_api::{Answering, Beside};
use stepwell_expr::Value;
use stepwell_integrations::{Catalogue, Parameters};

use crate::services::as_json;

const PATH: &str = "/console/api/services";

pub(crate) struct CatalogueApi {
    catalogue: Arc<Catalogue>,
    /// All names, written when they are first asked for.
    all: std::sync::OnceLock<String>,
}

impl CatalogueApi {
    pub(crate) fn of(catalogue: Arc<Catalogue>) -> Arc<CatalogueApi> {
        Arc::new(CatalogueApi { catalogue, all: std::sync::OnceLock::new() })
    }

    fn answer(&self, path: &str) -> Option<String> {
        let Some(rest) = path.strip_prefix(PATH)?.strip_prefix('/') else {
            return Some(self.all.get_or_init(|| self.names()).clone());
        };
        let (service, action) = rest.split_once('/')?;
        // A damaged model is one that cannot be called.
        let Parameters { fields, skeleton } = Parameters::of(&self.catalogue, service, action).ok()??;
        let parameters = Value::array(fields.iter().map(as_json).collect());
        Some(Value::object([("parameters", parameters), ("skeleton", skeleton)]).to_string())
    }

    fn names(&self) -> String {
        let services = self.catalogue.services().map(|service| {
            let actions = self.catalogue.actions(service).into_iter().flatten().map(Value::from).collect();
            let title = self.catalogue.title(service).unwrap_or(service);
            (service, Value::object([("title", title.into()), ("actions", Value::array(actions))]))
        });
        Value::object(services).to_string()
    }
}

impl Beside for CatalogueApi {
    fn takes(&self, method: &Method, path: &str) -> bool {
        method == Method::GET && path.strip_prefix(PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    fn answer(&self, request: Request<Incoming>) -> Answering {
        let known = request.headers().get(IF_NONE_MATCH).cloned();
        let answer = respond(self.answer(request.uri().path()), known.as_ref());
        Box::pin(async move { answer })
    }
}

fn respond(found: Option<String>, known: Option<&HeaderValue>) -> Response<Full<Bytes>> {
    let text = found.as_deref().unwrap_or(r#"{"__type":"NotFoundException","message":"tasks cannot call this"}"#);
    let digest = Sha256::digest(text);
    let tag = format!("\"{}\"", digest[..16].iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    let is_known = known.is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = Response::new(if is_known { Bytes::new() } else { Bytes::copy_from_slice(text.as_bytes()) });
    *response.status_mut() = match (found.is_some(), is_known) {
        (false, _) => StatusCode::NOT_FOUND,
        (true, true) => StatusCode::NOT_MODIFIED,
        (true, false) => StatusCode::OK,
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(ETAG, HeaderValue::from_str(&tag).expect("hexadecimal digits in quotes are a header's text"));
    response.map(Full::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says more where models were made.
    #[test]
    fn names_and_parameters() {
        let api = CatalogueApi::of(Arc::new(Catalogue::embedded()));
        let answer = |path: &str| CatalogueApi::answer(&api, &format!("{PATH}{path}"));
        let lambda = answer("/lambda/invoke").unwrap();
        assert!(lambda.ends_with(r#""skeleton":{"FunctionName":""}}"#), "{lambda}");
        assert_eq!(answer("/lambda/nothing"), None);
        assert_eq!(answer("/lambda"), None);
        let all = answer("").unwrap();
        if all != "{}" {
            assert!(all.contains(r#""s3":{"title":"S3","actions":["abortMultipartUpload","#), "{}", &all[..200]);
        }
        assert!(api.takes(&Method::GET, PATH) && !api.takes(&Method::POST, PATH));
        assert!(!api.takes(&Method::GET, "/console/api/servicesX"));
    }

    #[test]
    fn what_a_browser_has_is_not_sent_again() {
        let first = respond(Some("{}".to_owned()), None);
        assert_eq!(first.status(), StatusCode::OK);
        let again = respond(Some("{}".to_owned()), Some(&first.headers()[ETAG]));
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(respond(Some("[]".to_owned()), Some(&first.headers()[ETAG])).status(), StatusCode::OK);
        assert_eq!(respond(None, None).status(), StatusCode::NOT_FOUND);
    }
}
