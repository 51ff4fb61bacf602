//! `stepwell.toml`: what the server and `stepwell run` are told by a file.
//!
//! The command line wins over the environment, which wins over the file. What the file does not know is an error, with
//! its line and column. Relative paths are seen from the file's folder.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Component, Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use serde::Deserialize;
use stepwell_functions::{Function, Runtime, limits};
use stepwell_integrations::{ApiKey, Authorization, Connection, HttpParameter, OAuth, Secret};
use toml::Spanned;

use crate::{
    cli::{IdentityOptions, RunOptions, ServeOptions},
    exit::BadInput,
    quotas::{Limits, LimitsTable},
    validate,
};

/// Read where no other file is named, if it is there.
pub(crate) const FILE: &str = "stepwell.toml";

const ACCOUNT: &str = "123456789012";
pub(crate) const REGION: &str = "us-east-1";
const DATA: &str = "stepwell-data";
const PORT: u16 = 8083;

/// A configuration file, and where it is.
#[derive(Debug, Default)]
pub(crate) struct Config {
    pub(crate) server: Server,
    pub(crate) aws: Aws,
    pub(crate) functions: Vec<Function>,
    pub(crate) connections: Vec<Connection>,
    /// Hosts, with or without a port, that HTTP Tasks may call without TLS.
    pub(crate) plain_hosts: Vec<String>,
    pub(crate) limits: Limits,
    pub(crate) encryption_key_file: Option<PathBuf>,
    /// Folders whose files distributed Maps may read and write; absolute.
    pub(crate) file_roots: Vec<PathBuf>,
    pub(crate) console: Console,
    pub(crate) events: Events,
}

/// `[console]`: the web console.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Console {
    /// Whether executions can be found by what is in their inputs and outputs.
    pub(crate) search_values: bool,
}

impl Default for Console {
    fn default() -> Console {
        Console { search_values: true }
    }
}

/// `[events]`: status changes of executions, to EventBridge.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Events {
    /// As `--status-events`.
    pub(crate) on: bool,
    /// Name or ARN of the event bus.
    pub(crate) bus: String,
    /// The events' source. AWS itself takes no event from others whose source begins with `aws.`; stand-ins of it do.
    pub(crate) source: String,
}

impl Default for Events {
    fn default() -> Events {
        Events { on: false, bus: "default".to_owned(), source: "aws.states".to_owned() }
    }
}

/// `[server]`: the options of `stepwell serve`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Server {
    pub(crate) data: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) port_file: Option<PathBuf>,
    pub(crate) account: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) single_region: Option<bool>,
    pub(crate) drivers: Option<u16>,
    pub(crate) json: Option<bool>,
    pub(crate) mock_config: Option<PathBuf>,
    /// `off` alone, or folders, `-` and `cloudwatch`.
    pub(crate) execution_logs: Option<Vec<String>>,
}

/// `[aws]`: where AWS services are called. The AWS SDKs' own environment variables win.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Aws {
    /// For all services, as `AWS_ENDPOINT_URL`.
    pub(crate) endpoint_url: Option<String>,
    /// By service, as `AWS_ENDPOINT_URL_<SERVICE>`: `sqs`, `dynamodb`, `lambda`, ...
    #[serde(default)]
    pub(crate) endpoints: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    server: Option<Spanned<Server>>,
    #[serde(default)]
    aws: Aws,
    #[serde(default)]
    http: Http,
    map: Option<Spanned<Map>>,
    #[serde(default)]
    console: Console,
    #[serde(default)]
    events: Events,
    #[serde(default)]
    limits: Option<Spanned<LimitsTable>>,
    #[serde(default)]
    encryption: Encryption,
    #[serde(default)]
    functions: BTreeMap<String, Spanned<FunctionTable>>,
    #[serde(default)]
    connections: BTreeMap<String, Spanned<ConnectionTable>>,
}

/// `[encryption]`: of data at rest.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Encryption {
    key_file: Option<PathBuf>,
}

/// `[http]`: HTTP Tasks.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Http {
    #[serde(default)]
    plain_hosts: Vec<String>,
}

/// `[map]`: distributed Maps.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Map {
    #[serde(default)]
    file_roots: Vec<PathBuf>,
}

/// `[functions.NAME]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FunctionTable {
    command: Option<Vec<String>>,
    /// Where the command runs.
    folder: Option<PathBuf>,
    python: Option<PathBuf>,
    node: Option<PathBuf>,
    handler: Option<String>,
    url: Option<String>,
    timeout_seconds: Option<u64>,
    memory_mb: Option<u64>,
    concurrency: Option<usize>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
}

/// `[connections.NAME]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConnectionTable {
    basic: Option<Basic>,
    api_key: Option<ApiKeyTable>,
    oauth: Option<OAuthTable>,
    #[serde(default)]
    headers: BTreeMap<String, SecretValue>,
    #[serde(default)]
    query: BTreeMap<String, SecretValue>,
    #[serde(default)]
    body: BTreeMap<String, SecretValue>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Basic {
    username: SecretValue,
    password: SecretValue,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApiKeyTable {
    /// The header that carries it.
    name: String,
    value: SecretValue,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OAuthTable {
    endpoint: String,
    method: Option<String>,
    client_id: SecretValue,
    client_secret: SecretValue,
    #[serde(default)]
    headers: BTreeMap<String, SecretValue>,
    #[serde(default)]
    query: BTreeMap<String, SecretValue>,
    #[serde(default)]
    body: BTreeMap<String, SecretValue>,
}

/// A text, or where it is kept.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a text, { env = \"NAME\" } or { file = \"PATH\" }")]
enum SecretValue {
    Text(String),
    Kept(Kept),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Kept {
    Env(String),
    File(PathBuf),
}

/// What is secret is never shown.
impl std::fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("secret")
    }
}

/// The options of `stepwell serve`, decided.
#[derive(Debug)]
pub(crate) struct ServeSettings {
    pub(crate) data: String,
    pub(crate) listen: SocketAddr,
    pub(crate) port_file: Option<PathBuf>,
    pub(crate) drivers: Option<u16>,
    pub(crate) encryption_key_file: Option<PathBuf>,
    /// Days after which ended executions are removed; 0 keeps them.
    pub(crate) retention_days: u32,
    pub(crate) json: bool,
    pub(crate) mock_config: Option<PathBuf>,
    pub(crate) execution_logs: Vec<String>,
    /// Signatures do not say whose a call is.
    pub(crate) single_region: bool,
    pub(crate) identity: Identity,
    pub(crate) config: Config,
}

/// The server's own account and region, and where Lambda functions are called that are not on this machine.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) account: String,
    pub(crate) region: String,
    /// As the command line says; environment, profiles and file are asked where it does not.
    pub(crate) lambda_endpoint: Option<String>,
    /// AWS services are called by the role of the state machine.
    pub(crate) assume_roles: bool,
}

impl ServeSettings {
    pub(crate) fn decide(options: ServeOptions) -> anyhow::Result<ServeSettings> {
        let mut config = Config::read(options.identity.config.as_deref())?;
        config.events.on |= options.status_events;
        let identity = Identity::decide(&options.identity, &config)?;
        let server = &config.server;
        let on_loopback = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        let given = options.listen.or_else(|| options.port.map(on_loopback));
        let listen = given.or(server.listen).unwrap_or_else(|| on_loopback(server.port.unwrap_or(PORT)));
        Ok(ServeSettings {
            data: options.data.or_else(|| server.data.clone()).unwrap_or_else(|| DATA.to_owned()),
            listen,
            port_file: options.port_file.or_else(|| server.port_file.clone()),
            drivers: options.drivers.or(server.drivers),
            encryption_key_file: options.encryption_key_file.or_else(|| config.encryption_key_file.clone()),
            single_region: options.single_region || server.single_region.unwrap_or(false),
            retention_days: options.retention_days,
            json: options.json || server.json.unwrap_or(false),
            mock_config: options.mock_config.or_else(|| server.mock_config.clone()),
            execution_logs: match options.execution_logs.is_empty() {
                true => server.execution_logs.clone().unwrap_or_default(),
                false => options.execution_logs,
            },
            identity,
            config,
        })
    }
}

impl Identity {
    pub(crate) fn of_run(options: &RunOptions) -> anyhow::Result<(Identity, Config)> {
        let config = Config::read(options.identity.config.as_deref())?;
        Ok((Identity::decide(&options.identity, &config)?, config))
    }

    pub(crate) fn decide(options: &IdentityOptions, config: &Config) -> anyhow::Result<Identity> {
        let server = &config.server;
        Ok(Identity {
            account: options.account.clone().or_else(|| server.account.clone()).unwrap_or_else(|| ACCOUNT.to_owned()),
            region: options.region.clone().or_else(|| server.region.clone()).unwrap_or_else(|| REGION.to_owned()),
            lambda_endpoint: options.lambda_endpoint.clone(),
            assume_roles: options.assume_roles,
        })
    }
}

impl Config {
    /// Reads the file that is named, else [`FILE`] if it is there.
    pub(crate) fn read(named: Option<&Path>) -> anyhow::Result<Config> {
        let file = match named {
            Some(file) => file,
            None if Path::new(FILE).exists() => Path::new(FILE),
            None => return Ok(Config::default()),
        };
        let text = validate::read(file)?;
        let folder = std::path::absolute(file).context("the current folder cannot be told")?;
        let folder = folder.parent().unwrap_or(Path::new("/")).to_owned();
        let config = Config::parse(&text, &folder);
        Ok(config.map_err(|problem| BadInput(format!("{}:{problem}", file.display())))?)
    }

    /// The error begins with `LINE:COLUMN: `.
    fn parse(text: &str, folder: &Path) -> Result<Config, String> {
        let file: File = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            problem(text, at, error.message())
        })?;
        let mut config = Config {
            aws: file.aws,
            plain_hosts: file.http.plain_hosts,
            console: file.console,
            events: file.events,
            ..Config::default()
        };
        if let Some(server) = file.server {
            let at = server.span().start;
            config.server = server.into_inner().checked(folder).map_err(|reason| problem(text, at, &reason))?;
        }
        config.encryption_key_file = file.encryption.key_file.map(|key_file| folder.join(key_file));
        if let Some(limits) = file.limits {
            let at = limits.span().start;
            config.limits = limits.into_inner().limits().map_err(|reason| problem(text, at, &reason))?;
        }
        if let Some(map) = file.map {
            let at = map.span().start;
            config.file_roots = map.into_inner().checked(folder).map_err(|reason| problem(text, at, &reason))?;
        }
        if file.functions.len() > limits::FUNCTIONS_MAX {
            return Err(problem(text, 0, &format!("at most {} functions can be hosted", limits::FUNCTIONS_MAX)));
        }
        for (name, table) in file.functions {
            let at = table.span().start;
            let function = table.into_inner().function(&name, folder);
            let function = function.map_err(|reason| problem(text, at, &format!("function `{name}`: {reason}")))?;
            config.functions.push(function);
        }
        for (name, table) in file.connections {
            let at = table.span().start;
            let connection = table.into_inner().connection(&name, folder);
            let connection =
                connection.map_err(|reason| problem(text, at, &format!("connection `{name}`: {reason}")))?;
            config.connections.push(connection);
        }
        Ok(config)
    }
}

impl Server {
    fn checked(mut self, folder: &Path) -> Result<Server, String> {
        if let Some(account) = &self.account {
            crate::cli::account(account)?;
        }
        if let Some(region) = &self.region {
            crate::cli::region(region)?;
        }
        if self.drivers.is_some_and(|drivers| !(1..=256).contains(&drivers)) {
            return Err("`drivers` must be from 1 to 256".to_owned());
        }
        if self.port.is_some() && self.listen.is_some() {
            return Err("`port` and `listen` exclude each other".to_owned());
        }
        self.data = self.data.map(|data| match data.as_str() {
            ":memory:" => data,
            path => folder.join(path).to_string_lossy().into_owned(),
        });
        self.port_file = self.port_file.map(|file| folder.join(file));
        self.mock_config = self.mock_config.map(|file| folder.join(file));
        Ok(self)
    }
}

impl Map {
    fn checked(self, folder: &Path) -> Result<Vec<PathBuf>, String> {
        let root = |root: PathBuf| match root.components().any(|part| part == Component::ParentDir) {
            true => Err(format!("the folder `{}` of `file_roots` must be named without `..`", root.display())),
            false => Ok(folder.join(root).components().collect()),
        };
        self.file_roots.into_iter().map(root).collect()
    }
}

impl FunctionTable {
    fn function(self, name: &str, folder: &Path) -> Result<Function, String> {
        let has_handler = self.handler.is_some();
        let handler = |default: &str| self.handler.clone().unwrap_or_else(|| default.to_owned());
        let runtime = match (self.command, self.python, self.node, self.url) {
            (Some(command), None, None, None) => Runtime::Command {
                command,
                folder: self.folder.as_ref().map_or(folder.to_owned(), |own| folder.join(own)),
            },
            (None, Some(file), None, None) => {
                Runtime::Python { file: folder.join(file), handler: handler("lambda_handler") }
            }
            (None, None, Some(file), None) => Runtime::Node { file: folder.join(file), handler: handler("handler") },
            (None, None, None, Some(url)) => Runtime::Url { url },
            _ => return Err("exactly one of `command`, `python`, `node` and `url` is needed".to_owned()),
        };
        let has_file = matches!(runtime, Runtime::Python { .. } | Runtime::Node { .. });
        if has_handler && !has_file {
            return Err("`handler` goes with `python` and `node`".to_owned());
        }
        if self.folder.is_some() && !matches!(runtime, Runtime::Command { .. }) {
            return Err("`folder` goes with `command`".to_owned());
        }
        let function = Function {
            name: name.to_owned(),
            runtime,
            timeout: Duration::from_secs(self.timeout_seconds.unwrap_or(limits::TIMEOUT_SECONDS_DEFAULT)),
            memory_mb: self.memory_mb,
            concurrency: self.concurrency.unwrap_or(limits::CONCURRENCY_DEFAULT),
            environment: self.environment,
        };
        function.check().map_err(|error| error.to_string())?;
        Ok(function)
    }
}

impl ConnectionTable {
    fn connection(self, name: &str, folder: &Path) -> Result<Connection, String> {
        let secret = |value: SecretValue| value.read(folder);
        let authorization = match (self.basic, self.api_key, self.oauth) {
            (Some(basic), None, None) => {
                Authorization::Basic { username: secret(basic.username)?, password: secret(basic.password)? }
            }
            (None, Some(key), None) => Authorization::ApiKey(ApiKey { name: key.name, value: secret(key.value)? }),
            (None, None, Some(oauth)) => Authorization::OAuth(Box::new(OAuth {
                endpoint: oauth.endpoint,
                method: oauth.method.unwrap_or_else(|| "POST".to_owned()),
                client_id: secret(oauth.client_id)?,
                client_secret: secret(oauth.client_secret)?,
                headers: parameters(oauth.headers, folder)?,
                query: parameters(oauth.query, folder)?,
                body: parameters(oauth.body, folder)?,
            })),
            _ => return Err("exactly one of `basic`, `api_key` and `oauth` is needed".to_owned()),
        };
        let connection = Connection {
            name: name.to_owned(),
            authorization,
            headers: parameters(self.headers, folder)?,
            query: parameters(self.query, folder)?,
            body: parameters(self.body, folder)?,
        };
        connection.check()?;
        Ok(connection)
    }
}

fn parameters(values: BTreeMap<String, SecretValue>, folder: &Path) -> Result<Vec<HttpParameter>, String> {
    values.into_iter().map(|(key, value)| Ok(HttpParameter { key, value: value.read(folder)? })).collect()
}

impl SecretValue {
    fn read(self, folder: &Path) -> Result<Secret, String> {
        match self {
            SecretValue::Text(text) => Ok(Secret::new(text)),
            SecretValue::Kept(Kept::Env(name)) => {
                let text = std::env::var(&name).map_err(|_| format!("the environment has no text `{name}`"))?;
                Ok(Secret::new(text))
            }
            SecretValue::Kept(Kept::File(file)) => {
                let file = folder.join(file);
                let text = std::fs::read_to_string(&file)
                    .map_err(|error| format!("the secret in `{}` cannot be read: {error}", file.display()))?;
                Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
            }
        }
    }
}

/// `LINE:COLUMN: reason`, both counted from 1, columns in characters.
fn problem(text: &str, at: usize, reason: &str) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    format!("{line}:{column}: {}", reason.trim_end().replace('\n', ": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("/folder"))
    }

    #[test]
    fn everything_that_a_file_may_hold() {
        let config = parse(
            r#"
            [server]
            data = "kept"
            listen = "127.0.0.1:9000"
            account = "210987654321"
            region = "eu-west-1"
            drivers = 2
            json = true
            mock_config = "/mocks.json"
            [aws]
            endpoint_url = "http://127.0.0.1:4566"
            endpoints = { sqs = "http://127.0.0.1:9324" }
            [http]
            plain_hosts = ["inner.example"]
            [map]
            file_roots = ["./data", "/srv/data"]
            [console]
            search_values = false
            [functions.price]
            python = "code/price.py"
            handler = "price"
            timeout_seconds = 5
            memory_mb = 256
            concurrency = 3
            environment = { RATE = "1.2" }
            [functions.native]
            command = ["./bootstrap", "--fast"]
            folder = "native"
            [connections.shop]
            oauth = { endpoint = "https://a.example/token", client_id = "id", client_secret = "s", body = { scope = "x" } }
            headers = { X-Tenant = "t" }
            "#,
        );
        let config = config.unwrap();
        assert_eq!(config.server.data.as_deref(), Some("/folder/kept"));
        assert_eq!(config.server.mock_config.as_deref(), Some(Path::new("/mocks.json")));
        assert_eq!(config.aws.endpoints["sqs"], "http://127.0.0.1:9324");
        assert_eq!(config.file_roots, [Path::new("/folder/data"), Path::new("/srv/data")]);
        assert!(!config.console.search_values);
        let [native, price] = config.functions.as_slice() else { panic!("{:?}", config.functions) };
        assert!(matches!(&native.runtime, Runtime::Command { folder, .. } if folder == Path::new("/folder/native")));
        assert!(matches!(&price.runtime, Runtime::Python { file, handler }
            if file == Path::new("/folder/code/price.py") && handler == "price"));
        assert_eq!((price.timeout.as_secs(), price.memory_mb, price.concurrency), (5, Some(256), 3));
        let shown = format!("{:?}", config.connections);
        assert!(shown.contains("a.example") && !shown.contains("\"s\""), "secrets are not shown: {shown}");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let cases = [
            ("[server]\nprot = 1\n", "2:1: unknown field `prot`"),
            ("[server\n", "1:8: "),
            ("[server]\nport = \"x\"\n", "2:8: invalid type"),
            ("\n[server]\naccount = \"1\"\n", "2:1: an account has twelve digits"),
            (
                "[map]\nfile_roots = [\"../data\"]\n",
                "1:1: the folder `../data` of `file_roots` must be named without `..`",
            ),
            ("[functions.f]\n", "1:1: function `f`: exactly one of `command`"),
            ("[functions.f]\npython = \"a\"\nnode = \"b\"\n", "1:1: function `f`: exactly one of `command`"),
            ("[functions.\"a b\"]\npython = \"a\"\n", "1:1: function `a b`: the name of a function"),
            ("[functions.f]\nurl = \"https://x\"\n", "1:1: function `f`: `url` must begin with `http://`"),
            ("[functions.f]\nurl = \"http://x\"\nhandler = \"h\"\n", "1:1: function `f`: `handler` goes with"),
            ("[functions.f]\npython = \"a\"\ntimeout_seconds = 0\n", "function `f`: `timeout_seconds` must be"),
            ("[connections.c]\n", "1:1: connection `c`: exactly one of `basic`"),
            ("[connections.c.basic]\nusername = \"u\"\n", "missing field `password`"),
            (
                "[connections.c.basic]\nusername = 5\npassword = \"p\"\n",
                "expected a text, { env = \"NAME\" } or { file = \"PATH\" }",
            ),
            (
                "[connections.c]\nbasic = { username = \"u\", password = { env = \"STEPWELL_NO_SUCH_VARIABLE\" } }\n",
                "connection `c`: the environment has no text `STEPWELL_NO_SUCH_VARIABLE`",
            ),
            ("[other]\n", "1:2: unknown field `other`"),
        ];
        for (text, expected) in cases {
            let problem = parse(text).unwrap_err();
            assert!(problem.contains(expected), "{text}: {problem}");
        }
    }
}
