//! One client for every AWS service: models say how a call is written, this file makes it.
//!
//! Calls are not repeated: a workflow's own Retry says when. Only a kept-alive connection that turns out to be closed
//! before anything was sent is replaced.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use parking_lot::Mutex;
use percent_encoding::utf8_percent_encode;
use stepwell_expr::Value;

use self::{
    catalogue::{Catalogue, CatalogueError},
    credentials::{Chain, Credentials, Found},
    endpoint::Endpoints,
    gate::{Gates, Pace},
    model::{Kind, Operation, Service},
    node::{Node, ParameterError, Spelling},
    protocol::{Call, ServiceError},
    sign::Signer,
};
use crate::{
    http::{Answer, HttpClient},
    limits::{CALL_SECONDS_MAX, EKS_TOKEN_SECONDS, LONG_CALL_SECONDS_MAX, ROLE_SESSIONS_MAX},
};

pub mod catalogue;
pub(crate) mod credentials;
pub mod endpoint;
pub mod gate;
pub(crate) mod model;
pub(crate) mod node;
mod profile;
pub(crate) mod protocol;
mod sign;
mod sso;
mod time;

/// In whose name and where a call is made.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) region: Arc<str>,
    /// That of the last role, else of the execution; empty of what the server calls for itself.
    pub(crate) account: Arc<str>,
    /// Assumed one over the other, the first with the server's own credentials.
    pub(crate) roles: Vec<Arc<str>>,
    /// The same whenever the same task is run again: what makes a repeated submit the same one.
    pub(crate) token: Arc<str>,
}

/// Twelve digits.
fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl Caller {
    /// An execution, by its ARN or as much of it as there is; `region` is for one that names none.
    pub(crate) fn of_execution(arn: &str, region: &Arc<str>, roles: Vec<Arc<str>>, token: Arc<str>) -> Caller {
        let mut parts = arn.split(':');
        let region = parts.nth(3).map_or_else(|| region.clone(), Arc::from);
        let of_role = roles.last().and_then(|role| role.split(':').nth(4)).filter(|account| is_account(account));
        let account = of_role.or(parts.next()).unwrap_or_default().into();
        Caller { region, account, roles, token }
    }
}

/// What a service answered.
pub(crate) struct Reply {
    pub(crate) answer: Answer,
    /// As Step Functions shows it.
    pub(crate) result: Value,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("{0}")]
    Parameters(#[from] ParameterError),
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// It could not be sent, or the answer could not be received.
    #[error("Unable to execute HTTP request: Unable to load credentials from any of the providers in the chain")]
    NoCredentials,
    #[error("Unable to execute HTTP request: {0}")]
    Client(String),
    #[error("the role {role} cannot be assumed: {why}")]
    Role { role: Arc<str>, why: String },
    #[error("{}", .error.message.as_deref().unwrap_or("null"))]
    Service {
        error: ServiceError,
        /// What the SDK calls it, if the model knows it.
        exception: Option<Box<str>>,
    },
    #[error("the answer of the service cannot be read")]
    Unreadable,
}

/// Where a call goes.
struct Destination {
    url: String,
    region: String,
    kind: DestinationKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum DestinationKind {
    /// AWS itself: host prefixes count.
    Public,
    /// What somebody configured.
    Configured,
    /// This very server, which takes the account from the access key.
    Own,
}

impl Destination {
    fn is_public(&self) -> bool {
        self.kind == DestinationKind::Public
    }
}

type Sessions = BTreeMap<Vec<Arc<str>>, Arc<tokio::sync::Mutex<Option<Credentials>>>>;

pub(crate) struct Aws {
    catalogue: Arc<Catalogue>,
    http: HttpClient,
    endpoints: Endpoints,
    gates: Gates,
    chain: Chain,
    /// Where this server answers the Step Functions API itself.
    own_address: OnceLock<String>,
    /// The server's own credentials; `None`: there were none when they were looked for.
    base: tokio::sync::Mutex<Option<(Option<Credentials>, Instant)>>,
    sessions: Mutex<Sessions>,
}

/// How long the absence of credentials is remembered.
const ABSENCE: Duration = Duration::from_secs(60);
/// What sessions of assumed roles are called.
const SESSION_NAME: &str = "stepwell";

impl Aws {
    pub(crate) fn new(
        catalogue: Arc<Catalogue>,
        http: HttpClient,
        endpoints: Endpoints,
        pace: Pace,
        chain: Chain,
    ) -> Aws {
        Aws {
            catalogue,
            http,
            endpoints,
            gates: Gates::new(pace),
            chain,
            own_address: OnceLock::new(),
            base: tokio::sync::Mutex::default(),
            sessions: Mutex::default(),
        }
    }

    pub(crate) fn answer_states_at(&self, url: String) {
        // Said once, when the server listens.
        drop(self.own_address.set(url));
    }

    /// The service's name in errors.
    pub(crate) fn prefix(&self, service: &str) -> Box<str> {
        self.catalogue.service(service).map_or_else(|_| service.into(), |service| service.prefix.clone())
    }

    /// Calls `aws-sdk:SERVICE:ACTION`.
    pub(crate) async fn call(
        &self,
        caller: &Caller,
        service: &str,
        action: &str,
        parameters: &Value,
        spelling: Spelling,
    ) -> Result<Reply, CallError> {
        self.call_with_body(caller, service, action, parameters, spelling, None).await
    }

    /// [`Aws::call`] with the bytes of its body, which are sent as they are.
    pub(crate) async fn call_with_body(
        &self,
        caller: &Caller,
        service: &str,
        action: &str,
        parameters: &Value,
        spelling: Spelling,
        body: Option<Bytes>,
    ) -> Result<Reply, CallError> {
        let service = self.catalogue.service(service)?;
        let (name, operation) = named_operation(&service, action)?;
        let answer = self.answer(caller, &service, name, operation, parameters, body).await?;
        if service.is_rest_xml() && protocol::is_error_in_disguise(&answer.body) {
            return Err(service_error(&service, name, &answer));
        }
        let result = service.result(operation, answer.status, &answer.headers, &answer.body);
        let result = result.ok_or(CallError::Unreadable)?;
        let result =
            operation.output.as_ref().map_or_else(Value::empty_object, |of| service.shown(of, &result, spelling));
        let result = if &*service.name == "route53" { with_bare_ids(&result) } else { result };
        Ok(Reply { answer, result })
    }

    /// Calls an action whose body is an object of S3 or the like, in or out: it is no JSON, and stays as it is.
    pub(crate) async fn transfer(
        &self,
        caller: &Caller,
        service: &str,
        action: &str,
        parameters: &Value,
        body: Option<Bytes>,
    ) -> Result<Answer, CallError> {
        let service = self.catalogue.service(service)?;
        let (name, operation) = named_operation(&service, action)?;
        self.answer(caller, &service, name, operation, parameters, body).await
    }

    /// False if the service's model has to be read before its parameters can be looked at.
    pub(crate) fn has_read(&self, service: &str) -> bool {
        self.catalogue.has_read(service)
    }

    /// What is wrong with parameters by the model; `None` also of an action that is not in the models.
    pub(crate) fn problem(&self, service: &str, action: &str, parameters: &Value) -> Option<ParameterError> {
        let service = self.catalogue.service(service).ok()?;
        let (_, operation) = service.operation(action)?;
        match service.parameters(operation.input.as_ref(), parameters) {
            Ok(mut input) => {
                // A token that stands in the address is made when the call is.
                add_idempotency_tokens(&service, operation, &mut input, "token");
                service.missing_in_address(operation, &input)
            }
            Err(error) => Some(error),
        }
    }

    /// A value that is no text where the model has one, but for the members `any_json`.
    pub(crate) fn no_text(
        &self,
        service: &str,
        action: &str,
        parameters: &Value,
        any_json: &[&str],
    ) -> Option<ParameterError> {
        let service = self.catalogue.service(service).ok()?;
        let (_, operation) = service.operation(action)?;
        service.texts(operation.input.as_ref()?, parameters, "", any_json).err()
    }

    /// The answer of a call; `body` goes before the one that the parameters make.
    async fn answer(
        &self,
        caller: &Caller,
        service: &Service,
        name: &str,
        operation: &Operation,
        parameters: &Value,
        body: Option<Bytes>,
    ) -> Result<Answer, CallError> {
        let placed = with_place(service, name, parameters, &caller.region);
        let mut input = service.parameters(operation.input.as_ref(), placed.as_ref().unwrap_or(parameters))?;
        add_idempotency_tokens(service, operation, &mut input, &caller.token);
        let mut call = service.call(name, operation, &input)?;
        call.body = body.unwrap_or(call.body);
        complete(service, operation, &mut call);
        let destination = match bare_queue_address(service, operation, &input) {
            Some(url) => Destination { url, region: caller.region.to_string(), kind: DestinationKind::Configured },
            None => self.destination(service, &caller.region),
        };
        let signing = (!operation.is_unsigned).then_some(&*service.signing);
        let limit = limit_of(service);
        let answer = Box::pin(self.send(caller, &destination, signing, call, limit)).await?;
        match answer.status.is_success() {
            true => Ok(answer),
            false => Err(service_error(service, name, &answer)),
        }
    }

    fn destination(&self, service: &Service, region: &str) -> Destination {
        let to = |url: &str, kind| Destination { url: url.to_owned(), region: region.to_owned(), kind };
        if &*service.name == "sfn"
            && let (None, Some(url)) = (self.endpoints.own("sfn"), self.own_address.get())
        {
            return to(url, DestinationKind::Own);
        }
        match self.endpoints.of(service) {
            Some(url) => to(url, DestinationKind::Configured),
            None => {
                let (url, region) = service.public_endpoint(region);
                Destination { url, region, kind: DestinationKind::Public }
            }
        }
    }

    /// Calls Lambda, which is called without a model too: functions are there in every build.
    pub(crate) async fn send_to_lambda(&self, caller: &Caller, call: Call) -> Result<Answer, CallError> {
        let configured = self.endpoints.of_id("lambda");
        let region = caller.region.to_string();
        let destination = match configured {
            Some(url) => Destination { url: url.to_owned(), region, kind: DestinationKind::Configured },
            None => {
                let url = format!("https://lambda.{region}.amazonaws.com");
                Destination { url, region, kind: DestinationKind::Public }
            }
        };
        let limit = Duration::from_secs(LONG_CALL_SECONDS_MAX);
        self.send(caller, &destination, Some("lambda"), call, limit).await
    }

    /// Calls an address that is no service of AWS, signed where `signing` names a service.
    pub(crate) async fn send_to(
        &self,
        caller: &Caller,
        url: String,
        signing: Option<&str>,
        call: Call,
    ) -> Result<Answer, CallError> {
        let destination = Destination { url, region: caller.region.to_string(), kind: DestinationKind::Public };
        self.send(caller, &destination, signing, call, Duration::from_secs(CALL_SECONDS_MAX)).await
    }

    /// Calls an API that has its own authority and takes a token, such as a Kubernetes cluster's.
    pub(crate) async fn send_by(
        &self,
        http: &HttpClient,
        url: &str,
        token: &str,
        call: Call,
    ) -> Result<Answer, CallError> {
        let destination = Destination { url: url.to_owned(), region: String::new(), kind: DestinationKind::Public };
        let mut request = request(&destination, call).map_err(CallError::Client)?;
        let token = format!("Bearer {token}").parse();
        let mut token: hyper::header::HeaderValue = token.map_err(|_| CallError::Unreadable)?;
        token.set_sensitive(true);
        request.headers_mut().insert(hyper::header::AUTHORIZATION, token);
        let _permit = self.gates.enter(url).await;
        http.send(request, Duration::from_secs(CALL_SECONDS_MAX)).await.map_err(CallError::Client)
    }

    /// Who the caller is, for an EKS cluster: a call of STS that is signed and not made, as a token.
    ///
    /// Source: EKS user guide and aws-iam-authenticator, "API Authorization from Outside a Cluster".
    pub(crate) async fn eks_token(&self, caller: &Caller, cluster: &str) -> Result<String, CallError> {
        let region = caller.region.to_string();
        let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
        let url = format!("https://sts.{region}.amazonaws.com{suffix}");
        let destination = Destination { url, region, kind: DestinationKind::Public };
        let credentials = self.credentials(caller, &destination).await?.ok_or(CallError::NoCredentials)?;
        let call = Call {
            method: "GET".to_owned(),
            path: "/".to_owned(),
            query: vec![
                ("Action".to_owned(), "GetCallerIdentity".to_owned()),
                ("Version".to_owned(), "2011-06-15".to_owned()),
            ],
            headers: vec![("x-k8s-aws-id".to_owned(), cluster.to_owned())],
            ..Call::default()
        };
        let mut request = request(&destination, call).map_err(CallError::Client)?;
        let signer = Signer { credentials: &credentials, service: "sts", region: &destination.region };
        let lifetime = Duration::from_secs(EKS_TOKEN_SECONDS);
        signer.presign(&mut request, lifetime).map_err(CallError::Client)?;
        Ok(format!("k8s-aws-v1.{}", URL_SAFE_NO_PAD.encode(request.uri().to_string())))
    }

    async fn send(
        &self,
        caller: &Caller,
        destination: &Destination,
        signing: Option<&str>,
        call: Call,
        limit: Duration,
    ) -> Result<Answer, CallError> {
        let body = call.body.clone();
        let mut request = request(destination, call).map_err(CallError::Client)?;
        let place = signing.unwrap_or(&destination.url);
        let _permit = self.gates.enter(place).await;
        if let Some(service) = signing {
            let mut credentials = self.credentials(caller, destination).await?;
            if destination.kind == DestinationKind::Own && !caller.account.is_empty() {
                credentials = Some(Credentials::of_account(&caller.account));
            }
            // Without any credentials a service that somebody configured is called unsigned, AWS itself is not.
            if let Some(credentials) = credentials {
                let signer = Signer { credentials: &credentials, service, region: &destination.region };
                signer.sign(&mut request, &body).map_err(CallError::Client)?;
            }
        }
        self.http.send(request, limit).await.map_err(CallError::Client)
    }

    async fn credentials(&self, caller: &Caller, destination: &Destination) -> Result<Option<Credentials>, CallError> {
        if caller.roles.is_empty() {
            let with_network = destination.url.starts_with("https:");
            let found = self.base_credentials(&caller.region, with_network).await.map_err(CallError::Client)?;
            return match found {
                None if destination.is_public() => Err(CallError::NoCredentials),
                found => Ok(found),
            };
        }
        self.session(caller).await.map(Some)
    }

    /// The server's own credentials, renewed before they end.
    async fn base_credentials(&self, region: &Arc<str>, with_network: bool) -> Result<Option<Credentials>, String> {
        let mut base = self.base.lock().await;
        match &*base {
            Some((Some(credentials), _)) if credentials.is_fresh() => return Ok(Some(credentials.clone())),
            Some((None, since)) if since.elapsed() < ABSENCE => return Ok(None),
            _ => {}
        }
        let found = self.chain.find(&self.http, with_network).await?;
        let found = self.obtain(region, found).await?;
        *base = Some((found.clone(), Instant::now()));
        Ok(found)
    }

    /// Assumes what the chain says has to be assumed.
    async fn obtain(&self, region: &Arc<str>, found: Found) -> Result<Option<Credentials>, String> {
        match found {
            Found::Nothing => Ok(None),
            Found::Credentials(credentials) => Ok(Some(credentials)),
            Found::Role { over, role, external_id } => {
                let over = Box::pin(self.obtain(region, *over)).await?;
                let over = over.ok_or_else(|| format!("there is nothing to assume the role {role} with"))?;
                self.assume(region, &over, &role, external_id.as_deref())
                    .await
                    .map(Some)
                    .map_err(|error| error.to_string())
            }
            Found::WebIdentity { role, token_file } => {
                let token = tokio::fs::read_to_string(&token_file).await;
                let token = token.map_err(|error| format!("the web identity token cannot be read: {error}"))?;
                let parameters = Value::object([
                    ("RoleArn", Value::from(role)),
                    ("RoleSessionName", SESSION_NAME.into()),
                    ("WebIdentityToken", token.trim().into()),
                ]);
                let credentials = self.ask_sts(region, None, "assumeRoleWithWebIdentity", &parameters).await;
                credentials.map(Some).map_err(|error| error.to_string())
            }
        }
    }

    /// The session of the caller's last role, kept until it ends.
    async fn session(&self, caller: &Caller) -> Result<Credentials, CallError> {
        let Some((role, before)) = caller.roles.split_last() else {
            return Err(CallError::Client("there is no role to assume".into()));
        };
        let kept = {
            let mut sessions = self.sessions.lock();
            if sessions.len() >= ROLE_SESSIONS_MAX && !sessions.contains_key(&caller.roles) {
                // Those in use are asked for again.
                sessions.clear();
            }
            sessions.entry(caller.roles.clone()).or_default().clone()
        };
        let mut kept = kept.lock().await;
        if let Some(credentials) = kept.as_ref().filter(|credentials| credentials.is_fresh()) {
            return Ok(credentials.clone());
        }
        let failed = |why: String| CallError::Role { role: role.clone(), why };
        let over = Caller { roles: before.to_vec(), ..caller.clone() };
        let over = match before.is_empty() {
            true => self.base_credentials(&caller.region, true).await.map_err(failed)?,
            false => Some(Box::pin(self.session(&over)).await?),
        };
        let over = over.ok_or_else(|| failed("the server has no credentials".to_owned()))?;
        let credentials =
            self.assume(&caller.region, &over, role, None).await.map_err(|error| failed(error.to_string()))?;
        *kept = Some(credentials.clone());
        Ok(credentials)
    }

    async fn assume(
        &self,
        region: &Arc<str>,
        over: &Credentials,
        role: &str,
        external_id: Option<&str>,
    ) -> Result<Credentials, CallError> {
        let mut parameters = vec![("RoleArn", Value::from(role)), ("RoleSessionName", SESSION_NAME.into())];
        parameters.extend(external_id.map(|id| ("ExternalId", id.into())));
        self.ask_sts(region, Some(over), "assumeRole", &Value::object(parameters)).await
    }

    async fn ask_sts(
        &self,
        region: &Arc<str>,
        over: Option<&Credentials>,
        action: &str,
        parameters: &Value,
    ) -> Result<Credentials, CallError> {
        let service = self.catalogue.service("sts")?;
        let Some((name, operation)) = service.operation(action) else { return Err(CallError::Unreadable) };
        let input = service.parameters(operation.input.as_ref(), parameters)?;
        let call = service.call(name, operation, &input)?;
        let destination = self.destination(&service, region);
        let body = call.body.clone();
        let mut request = request(&destination, call).map_err(CallError::Client)?;
        if let Some(credentials) = over {
            let signer = Signer { credentials, service: &service.signing, region: &destination.region };
            signer.sign(&mut request, &body).map_err(CallError::Client)?;
        }
        let answer = self.http.send(request, limit_of(&service)).await.map_err(CallError::Client)?;
        if !answer.status.is_success() {
            let (error, exception) = service.service_error(answer.status, &answer.headers, &answer.body);
            return Err(CallError::Service { error, exception });
        }
        let result = service.result(operation, answer.status, &answer.headers, &answer.body);
        let result =
            result.zip(operation.output.as_ref()).map(|(result, of)| service.shown(of, &result, Spelling::Sdk));
        let credentials = result.as_ref().and_then(|result| Credentials::of_value(result.get("Credentials")?));
        credentials.ok_or(CallError::Unreadable)
    }
}

fn limit_of(service: &Service) -> Duration {
    let is_slow = ["lambda", "bedrockruntime", "bedrockagentruntime", "sagemakerruntime"].contains(&&*service.name);
    Duration::from_secs(if is_slow { LONG_CALL_SECONDS_MAX } else { CALL_SECONDS_MAX })
}

/// The parameters of S3's CreateBucket with the region of the call, which the SDK for Java fills in: S3 makes a bucket in
/// us-east-1 where none is named, and refuses to from anywhere else.
fn with_place(service: &Service, operation: &str, parameters: &Value, region: &str) -> Option<Value> {
    const PLACE: &str = "CreateBucketConfiguration";
    let is_placeless = parameters.get(PLACE).is_none_or(Value::is_null);
    let wants_place = &*service.name == "s3" && operation == "CreateBucket" && region != "us-east-1";
    (wants_place && is_placeless).then(|| {
        let mut members = parameters.as_object().cloned().unwrap_or_default();
        members.insert(PLACE.into(), Value::object([("LocationConstraint", Value::from(region))]));
        Value::Object(members.into())
    })
}

/// A result of Route 53 with ids that its other actions take: it answers `/hostedzone/Z1`, and wants `Z1`.
///
/// Source: the SDK for Java, which takes these beginnings off. Recursion is bounded by the depth of the model's shapes.
fn with_bare_ids(result: &Value) -> Value {
    const BEGINNINGS: [&str; 3] = ["/hostedzone/", "/change/", "/delegationset/"];
    match result {
        Value::Object(members) => Value::object(members.iter().map(|(name, value)| {
            let bare = value.as_str().filter(|_| &**name == "Id");
            let bare = bare.and_then(|id| BEGINNINGS.iter().find_map(|beginning| id.strip_prefix(beginning)));
            (name.clone(), bare.map_or_else(|| with_bare_ids(value), Value::from))
        })),
        Value::Array(items) => Value::array(items.iter().map(with_bare_ids).collect()),
        other => other.clone(),
    }
}

/// The queue URL of a call to SQS that is an address alone, without a queue: the SDKs call what it says.
///
/// Any other queue URL names a queue of the SQS that is configured.
fn bare_queue_address(service: &Service, operation: &Operation, input: &Node) -> Option<String> {
    let of = operation.input.as_ref().filter(|_| &*service.name == "sqs")?;
    let index = service.members(of).iter().position(|member| &*member.name == "QueueUrl")?;
    let url = input.member(index)?.as_text()?.trim_end_matches('/');
    let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"))?;
    (!host.is_empty() && !host.contains('/')).then(|| url.to_owned())
}

fn named_operation<'s>(service: &'s Service, action: &str) -> Result<(&'s str, &'s Operation), CallError> {
    let unknown = || CatalogueError::UnknownService(format!("{}:{action}", service.name)).into();
    service.operation(action).ok_or_else(unknown)
}

/// `operation`: its name in the API.
fn service_error(service: &Service, operation: &str, answer: &Answer) -> CallError {
    let (error, exception) = service.service_error(answer.status, &answer.headers, &answer.body);
    let exception = exception.or_else(|| absence(&service.name, operation, error.status).map(Into::into));
    CallError::Service { error, exception }
}

/// What the SDK for Java calls an answer that has no body to name its error: what was asked for is not there.
fn absence(service: &str, operation: &str, status: u16) -> Option<&'static str> {
    match (service, operation, status) {
        ("s3", "HeadObject", 404) => Some("NoSuchKeyException"),
        ("s3", "HeadBucket", 404) => Some("NoSuchBucketException"),
        _ => None,
    }
}

/// Members that the SDKs fill in by themselves.
fn add_idempotency_tokens(service: &Service, operation: &Operation, input: &mut Node, token: &str) {
    let (Some(of), Node::Structure(nodes)) = (&operation.input, input) else { return };
    for (index, member) in service.members(of).iter().enumerate() {
        let is_text = matches!(service.kind(&member.of), Kind::Text);
        if member.of.traits.is_idempotency_token && is_text && !nodes.iter().any(|(at, _)| *at == index) {
            nodes.push((index, Node::Text(token.into())));
        }
    }
}

/// What the SDK for Java adds to a call: the type of a plain body, the checksum that S3 wants, and that API Gateway is to
/// answer plain JSON.
fn complete(service: &Service, operation: &Operation, call: &mut Call) {
    let has = |call: &Call, prefix: &str| {
        call.headers
            .iter()
            .any(|(name, _)| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)))
    };
    let streams = operation.input.as_ref().and_then(|of| service.payload(of));
    let streams = streams.is_some_and(|(_, member)| matches!(service.kind(&member.of), Kind::Blob));
    if streams && !call.body.is_empty() && !has(call, "content-type") {
        // Source: recordings of S3's PutObject.
        call.headers.push(("Content-Type".into(), "text/plain; charset=UTF-8".into()));
    }
    if &*service.name == "apigateway" && !has(call, "accept") {
        call.headers.push(("Accept".into(), "application/json".into()));
    }
    let wants_checksum = operation.needs_checksum || operation.checksum_member.is_some();
    if wants_checksum && !has(call, "x-amz-checksum-") && !has(call, "content-md5") {
        let sum = crc32fast::hash(&call.body).to_be_bytes();
        call.headers.push(("x-amz-checksum-crc32".into(), STANDARD.encode(sum)));
        if !has(call, "x-amz-sdk-checksum-algorithm") {
            call.headers.push(("x-amz-sdk-checksum-algorithm".into(), "CRC32".into()));
        }
    }
}

/// The request without its signature. An error is a plain sentence.
fn request(destination: &Destination, call: Call) -> Result<Request<Full<Bytes>>, String> {
    let mut url = destination.url.clone();
    if let Some(prefix) = call.host_prefix.filter(|_| destination.is_public()) {
        url = url.replacen("://", &format!("://{prefix}"), 1);
    }
    url.push_str(&call.path);
    for (number, (name, value)) in call.query.iter().enumerate() {
        url.push(if number == 0 && !call.path.contains('?') { '?' } else { '&' });
        url.extend(utf8_percent_encode(name, protocol::UNRESERVED));
        url.push('=');
        url.extend(utf8_percent_encode(value, protocol::UNRESERVED));
    }
    let mut request = Request::builder().method(&*call.method).uri(&*url);
    for (name, value) in &call.headers {
        request = request.header(name, value);
    }
    let mut request = request.body(Full::new(call.body)).map_err(|error| error.to_string())?;
    let host = request.uri().authority().map(|authority| authority.as_str().to_owned());
    let host = host.and_then(|host| host.parse().ok()).ok_or_else(|| format!("`{}` is no address", destination.url))?;
    request.headers_mut().insert(hyper::header::HOST, host);
    request.headers_mut().insert(hyper::header::USER_AGENT, USER_AGENT);
    Ok(request)
}

const USER_AGENT: hyper::header::HeaderValue =
    hyper::header::HeaderValue::from_static(concat!("stepwell/", env!("CARGO_PKG_VERSION")));
