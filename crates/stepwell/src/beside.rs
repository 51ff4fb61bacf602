//! Functions on this machine on the server's port: the part of Lambda's API that is here.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request, Response, StatusCode, body::Incoming};
use stepwell_api::{Answering, Beside};
use stepwell_functions::{Functions, Part, limits::PAYLOAD_BYTES_MAX};
use tokio::time::timeout;

use crate::limits::BODY_SECONDS_MAX;

pub(crate) struct LambdaApi(Functions);

impl LambdaApi {
    pub(crate) fn of(functions: Functions) -> Arc<LambdaApi> {
        Arc::new(LambdaApi(functions))
    }
}

impl Beside for LambdaApi {
    fn takes(&self, method: &Method, path: &str) -> bool {
        Part::of(path, method).is_some()
    }

    fn answer(&self, request: Request<Incoming>) -> Answering {
        let functions = self.0.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let Some(part) = Part::of(head.uri.path(), &head.method) else {
                return refusal(StatusCode::NOT_FOUND);
            };
            // One byte more than a payload may have is told from a payload that is too large.
            let whole = Limited::new(body, PAYLOAD_BYTES_MAX + 1).collect();
            let body = match timeout(Duration::from_secs(BODY_SECONDS_MAX), whole).await {
                Ok(Ok(body)) => body.to_bytes(),
                Ok(Err(_)) => return refusal(StatusCode::PAYLOAD_TOO_LARGE),
                Err(_) => return refusal(StatusCode::REQUEST_TIMEOUT),
            };
            let query = head.uri.query().map(str::to_owned);
            let asked = stepwell_functions::Request { part, query, headers: head.headers, body };
            functions.answer(asked).await.map(Full::new)
        })
    }
}

/// The rest of the body is not read.
fn refusal(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response.headers_mut().insert("Connection", hyper::header::HeaderValue::from_static("close"));
    response
}
