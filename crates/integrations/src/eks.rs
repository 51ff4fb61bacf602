//! EKS: `eks:call` and `eks:runJob` call the Kubernetes API of a cluster; its other actions are plain calls of AWS.
//!
//! Source: Step Functions guide, "Create and manage Amazon EKS clusters with Step Functions", and the Kubernetes API
//! reference. Members keep the names that Kubernetes gives them.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::StatusCode;
use percent_encoding::utf8_percent_encode;
use stepwell_expr::{Object, Payload, Value, json};
use stepwell_machine::Failure;
use tokio::time::sleep;

use crate::{
    Work,
    apigateway::{invalid, lists},
    aws::{
        CallError,
        node::ParameterError,
        protocol::{Call, UNRESERVED},
    },
    http::{Answer, HttpClient},
    limits::{EKS_PODS_MAX, JOB_POLL_FIRST_MS, JOB_POLL_MAX_MS},
    metadata,
};

const METHODS: &[&str] = &["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"];
const CALL_FIELDS: &[&str] =
    &["ClusterName", "CertificateAuthority", "Endpoint", "Method", "Path", "QueryParameters", "RequestBody"];
const JOB_FIELDS: &[&str] = &["ClusterName", "CertificateAuthority", "Endpoint", "Namespace", "Job", "LogOptions"];

/// `eks:call`.
pub(crate) async fn call(work: &Work<'_>) -> Result<Payload, Failure> {
    let given = known(work, CALL_FIELDS)?;
    let cluster = Cluster::of(work)?;
    let method = required(work, "Method")?;
    if !METHODS.contains(&method) {
        return Err(invalid("Method"));
    }
    let path = required(work, "Path")?;
    if !path.starts_with('/') {
        return Err(invalid("Path"));
    }
    let query = lists("QueryParameters", given.get("QueryParameters"))?;
    let body = given.get("RequestBody").filter(|body| !body.is_null());
    let answer = cluster.ask(method, path.to_owned(), query, body).await?;
    Ok(Payload::from_value(shown(&answer)))
}

/// `eks:runJob`: creates the job; with `.sync` this is its submission.
pub(crate) async fn run_job(work: &Work<'_>) -> Result<Payload, Failure> {
    let given = known(work, JOB_FIELDS)?;
    let cluster = Cluster::of(work)?;
    let job = given.get("Job").filter(|job| !job.is_null());
    let job = job.ok_or_else(|| work.parameter_failure(&ParameterError::Missing("Job".to_owned())))?;
    let answer = cluster.ask("POST", jobs_of(namespace(given)), Vec::new(), Some(job)).await?;
    Ok(Payload::from_value(shown(&answer)))
}

/// Waits for the end of the job that was created. Its result is the job, with the logs that were asked for.
pub(crate) async fn watch(work: &Work<'_>, submitted: &Value) -> Result<Payload, Failure> {
    let given = work.parameters().value();
    let cluster = Cluster::of(work)?;
    let created = submitted.get("ResponseBody").and_then(|job| job.get("metadata"));
    let name = created.and_then(|metadata| metadata.get("name")).and_then(Value::as_str).unwrap_or_default();
    let path = format!("{}/{}", jobs_of(namespace(given)), encoded(name));
    let mut pause = Duration::from_millis(JOB_POLL_FIRST_MS);
    loop {
        sleep(pause).await;
        pause = (pause * 3 / 2).min(Duration::from_millis(JOB_POLL_MAX_MS));
        let job = match cluster.try_ask("GET", path.clone(), Vec::new(), None).await {
            Ok(answer) if answer.status.is_success() => body(&answer),
            // The job goes on whatever becomes of one question: only a refusal for good ends the watch.
            Ok(answer) if is_passing(answer.status) => continue,
            Ok(answer) => return Err(refused(&answer)),
            Err(CallError::Client(_)) => continue,
            Err(error) => return Err(cluster.failure(&error)),
        };
        if has_condition(&job, "Failed") {
            return Err(Failure::new("States.TaskFailed", cluster.with_logs(job, name).await.to_string()));
        }
        if has_condition(&job, "Complete") {
            return Ok(Payload::from_value(cluster.with_logs(job, name).await));
        }
    }
}

/// One cluster, as the task names it.
struct Cluster<'a> {
    work: &'a Work<'a>,
    name: &'a str,
    endpoint: String,
    http: HttpClient,
}

impl<'a> Cluster<'a> {
    fn of(work: &'a Work<'a>) -> Result<Cluster<'a>, Failure> {
        let name = required(work, "ClusterName")?;
        let authority = required(work, "CertificateAuthority")?;
        let endpoint = required(work, "Endpoint")?.trim_end_matches('/');
        let endpoint = if endpoint.contains("://") { endpoint.to_owned() } else { format!("https://{endpoint}") };
        if !endpoint.starts_with("https://") {
            return Err(invalid("Endpoint"));
        }
        let pem = STANDARD.decode(authority.trim()).ok();
        let http = pem.and_then(|pem| HttpClient::of_authority(&pem)).ok_or_else(|| invalid("CertificateAuthority"))?;
        Ok(Cluster { work, name, endpoint, http })
    }

    /// An answer of success. Source of `EKS.STATUS`: Step Functions guide.
    async fn ask(
        &self,
        method: &str,
        path: String,
        query: Vec<(String, String)>,
        body: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let answer = self.try_ask(method, path, query, body).await.map_err(|error| self.failure(&error))?;
        if answer.status.is_success() { Ok(answer) } else { Err(refused(&answer)) }
    }

    async fn try_ask(
        &self,
        method: &str,
        path: String,
        query: Vec<(String, String)>,
        body: Option<&Value>,
    ) -> Result<Answer, CallError> {
        let aws = self.work.aws();
        let token = aws.eks_token(&self.work.caller(), self.name).await?;
        let mut headers = vec![("Accept".to_owned(), "application/json".to_owned())];
        let body = body.map(|body| body.as_str().map_or_else(|| body.to_string(), str::to_owned));
        if body.is_some() {
            let kind = if method == "PATCH" { "application/strategic-merge-patch+json" } else { "application/json" };
            headers.push(("Content-Type".to_owned(), kind.to_owned()));
        }
        let body = body.unwrap_or_default().into();
        let call = Call { method: method.to_owned(), path, query, headers, body, ..Call::default() };
        aws.send_by(&self.http, &self.endpoint, &token, call).await
    }

    fn failure(&self, error: &CallError) -> Failure {
        match error {
            CallError::Client(_) | CallError::NoCredentials | CallError::Unreadable => {
                Failure::new("EKS.SdkClientException", error.to_string())
            }
            error => self.work.any_failure(error),
        }
    }

    /// The job, with `logs` where they were asked for.
    async fn with_logs(&self, job: Value, name: &str) -> Value {
        let given = self.work.parameters().value();
        let options = given.get("LogOptions").cloned().unwrap_or_default();
        let is_set = |name: &str| options.get(name).and_then(Value::as_bool) == Some(true);
        if !is_set("RetrieveLogs") {
            return job;
        }
        let logs = self.logs(namespace(given), name, &options, is_set("RawLogs")).await;
        let mut job = job.as_object().cloned().unwrap_or_default();
        job.insert("logs".into(), logs);
        Value::Object(job.into())
    }

    /// Those of each container of each pod. What cannot be had is told in its place. Source: Step Functions guide.
    async fn logs(&self, namespace: &str, job: &str, options: &Value, raw: bool) -> Value {
        let pods = format!("/api/v1/namespaces/{}/pods", encoded(namespace));
        let query = vec![
            ("labelSelector".to_owned(), format!("job-name={job}")),
            ("limit".to_owned(), EKS_PODS_MAX.to_string()),
        ];
        let listed = match self.ask("GET", pods.clone(), query, None).await {
            Ok(answer) => body(&answer),
            Err(failure) => return told(failure),
        };
        let mut shown = Object::default();
        let items = listed.get("items").and_then(Value::as_array).unwrap_or_default();
        for pod in items.iter().take(EKS_PODS_MAX) {
            let named = pod.get("metadata").and_then(|metadata| metadata.get("name")).and_then(Value::as_str);
            let Some(name) = named else { continue };
            let containers = pod.get("spec").and_then(|spec| spec.get("containers")).and_then(Value::as_array);
            let mut of_pod = Object::default();
            for container in containers.unwrap_or_default() {
                let Some(container) = container.get("name").and_then(Value::as_str) else { continue };
                let log = self.log(format!("{pods}/{}/log", encoded(name)), container, options, raw).await;
                of_pod.insert(container.into(), log);
            }
            shown.insert(name.into(), Value::object([("containers", Value::Object(of_pod.into()))]));
        }
        Value::object([("pods", Value::Object(shown.into()))])
    }

    async fn log(&self, path: String, container: &str, options: &Value, raw: bool) -> Value {
        let mut query = match lists("LogParameters", options.get("LogParameters")) {
            Ok(query) => query,
            Err(failure) => return told(failure),
        };
        query.push(("container".to_owned(), container.to_owned()));
        match self.ask("GET", path, query, None).await {
            Ok(answer) => {
                let text = String::from_utf8_lossy(&answer.body);
                let parsed = if raw { None } else { json::parse(&text).ok() };
                Value::object([("log", parsed.unwrap_or_else(|| Value::from(&*text)))])
            }
            Err(failure) => told(failure),
        }
    }
}

fn told(failure: Failure) -> Value {
    let text = |text: Option<std::sync::Arc<str>>| text.map_or(Value::Null, Value::String);
    Value::object([("error", text(failure.error)), ("cause", text(failure.cause))])
}

fn known<'a>(work: &'a Work<'_>, fields: &[&str]) -> Result<&'a Value, Failure> {
    let given = work.parameters().value();
    match given.as_object().and_then(|members| members.keys().find(|name| !fields.contains(&&***name))) {
        Some(name) => Err(work.parameter_failure(&ParameterError::Unknown(name.to_string()))),
        None => Ok(given),
    }
}

fn required<'a>(work: &'a Work<'_>, name: &str) -> Result<&'a str, Failure> {
    let text = work.parameters().value().get(name).and_then(Value::as_str);
    text.ok_or_else(|| work.parameter_failure(&ParameterError::Missing(name.to_owned())))
}

fn namespace(given: &Value) -> &str {
    given.get("Namespace").and_then(Value::as_str).unwrap_or("default")
}

fn jobs_of(namespace: &str) -> String {
    format!("/apis/batch/v1/namespaces/{}/jobs", encoded(namespace))
}

fn encoded(part: &str) -> impl std::fmt::Display {
    utf8_percent_encode(part, UNRESERVED)
}

fn body(answer: &Answer) -> Value {
    let text = String::from_utf8_lossy(&answer.body);
    json::parse(&text).unwrap_or_else(|_| Value::from(&*text))
}

fn shown(answer: &Answer) -> Value {
    let (headers, _) = metadata::headers(&answer.headers);
    Value::object([
        ("Headers", headers),
        ("ResponseBody", body(answer)),
        ("StatusCode", Value::from(i64::from(answer.status.as_u16()))),
        ("StatusText", Value::from(answer.status.canonical_reason().unwrap_or(""))),
    ])
}

fn refused(answer: &Answer) -> Failure {
    let cause = String::from_utf8_lossy(&answer.body).into_owned();
    Failure::new(format!("EKS.{}", answer.status.as_u16()), cause)
}

/// True of answers that a later question may not meet.
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}

/// True if the job has a condition of this type. Source: Kubernetes API reference, JobCondition.
fn has_condition(job: &Value, kind: &str) -> bool {
    let conditions = job.get("status").and_then(|status| status.get("conditions")).and_then(Value::as_array);
    let is = |condition: &Value, name: &str, text: &str| condition.get(name).and_then(Value::as_str) == Some(text);
    conditions
        .unwrap_or_default()
        .iter()
        .any(|condition| is(condition, "type", kind) && is(condition, "status", "True"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_end_a_job() {
        let job = |status: &str| {
            json::parse(&format!(r#"{{"status":{{"conditions":[{{"type":"Complete","status":"{status}"}}]}}}}"#))
                .unwrap()
        };
        assert!(has_condition(&job("True"), "Complete"));
        assert!(!has_condition(&job("True"), "Failed"));
        assert!(!has_condition(&job("False"), "Complete"));
        assert!(!has_condition(&Value::empty_object(), "Complete"));
    }
}
