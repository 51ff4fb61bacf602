//! Functions behind a URL: the payload by POST, the result as its answer.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, StatusCode};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use stepwell_expr::json;
use tokio::time::timeout;

use crate::{
    fault,
    limits::{IDLE_CONNECTIONS_MAX, RESPONSE_BYTES_MAX},
};

#[derive(Clone)]
pub(crate) struct Remote(Client<HttpConnector, Full<Bytes>>);

impl Remote {
    pub(crate) fn new() -> Remote {
        let mut builder = Client::builder(TokioExecutor::new());
        Remote(builder.pool_max_idle_per_host(IDLE_CONNECTIONS_MAX).build_http())
    }

    /// The answer of status 2xx; else the payload of the failure, which is the answer's own where it has an `errorType`.
    pub(crate) async fn call(&self, url: &str, id: &str, payload: Bytes, time_max: Duration) -> Result<Bytes, Bytes> {
        let request = Request::post(url)
            .header("Content-Type", "application/json")
            .header("x-amzn-RequestId", id)
            .body(Full::new(payload));
        let request = request.map_err(|error| fault::payload("Runtime.InvalidUrl", &error.to_string()))?;
        let answer = timeout(time_max, self.send(request)).await.map_err(|_| fault::timed_out(id, time_max))?;
        let (status, failed, body) = answer.map_err(|error| fault::payload("Runtime.Unreachable", &error))?;
        if status.is_success() && !failed {
            return Ok(body);
        }
        let text = String::from_utf8_lossy(&body);
        let names_its_type = json::parse(&text).is_ok_and(|value| value.get("errorType").is_some());
        match names_its_type {
            true => Err(body),
            false => Err(fault::payload(&format!("Runtime.HttpStatus{}", status.as_u16()), &text)),
        }
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<(StatusCode, bool, Bytes), String> {
        let answer = self.0.request(request).await.map_err(|error| error.to_string())?;
        let failed = answer.headers().contains_key("X-Amz-Function-Error");
        let status = answer.status();
        let body = Limited::new(answer.into_body(), RESPONSE_BYTES_MAX).collect().await;
        Ok((status, failed, body.map_err(|error| error.to_string())?.to_bytes()))
    }
}
