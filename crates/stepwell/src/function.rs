//! `stepwell function`: functions on this machine, as stepwell.toml has them.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{HeaderMap, Request, Response};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use stepwell_expr::Value;
use stepwell_functions::{Function, Functions, Host, Part, Runtime, keeper, limits::RESPONSE_BYTES_MAX};
use toml_edit::{Array, DocumentMut, Item, Table, value};

use crate::{
    argument::read_json,
    cli::{AddOptions, FunctionCommand, FunctionFile, InvokeOptions, ListOptions, LogsOptions, RemoveOptions},
    config::{Config, FILE, Identity},
    exit::{BadInput, Exit},
    serve::runtime,
    trace::{BOLD, DIM},
    validate,
};

pub(crate) fn function(command: FunctionCommand) -> anyhow::Result<Exit> {
    match command {
        FunctionCommand::Add(options) => add(&options),
        FunctionCommand::List(options) => list(&options),
        FunctionCommand::Invoke(options) => invoke(&options),
        FunctionCommand::Logs(options) => logs(&options),
        FunctionCommand::Remove(options) => remove(&options),
        FunctionCommand::Keep { memory_mb, command } => std::process::exit(keeper::keep(memory_mb, &command)),
    }
}

/// The functions of a configuration, with this program as their keeper.
pub(crate) fn host(identity: &Identity, functions: Vec<Function>) -> Functions {
    let host = Host {
        account: identity.account.as_str().into(),
        region: identity.region.as_str().into(),
        // This very program, even if its file has been replaced.
        keeper: ["/proc/self/exe", "function", "keep"].map(OsString::from).into(),
        environment: BTreeMap::new(),
    };
    Functions::new(functions, host)
}

fn file(given: &FunctionFile) -> PathBuf {
    given.config.clone().unwrap_or_else(|| PathBuf::from(FILE))
}

fn document(file: &Path) -> anyhow::Result<DocumentMut> {
    let text = if file.exists() { validate::read(file)? } else { String::new() };
    Ok(text.parse().map_err(|error| BadInput(format!("{}: {error}", file.display())))?)
}

/// The changed file is read as the server would before it takes the place of the old one.
fn write(file: &Path, document: &DocumentMut) -> anyhow::Result<()> {
    let half = file.with_extension("toml.writing");
    std::fs::write(&half, document.to_string()).with_context(|| format!("cannot write `{}`", half.display()))?;
    if let Err(error) = Config::read(Some(&half)) {
        let _ = std::fs::remove_file(&half);
        let shown = format!("{error:#}").replace(&half.display().to_string(), &file.display().to_string());
        return Err(BadInput(shown).into());
    }
    std::fs::rename(&half, file).with_context(|| format!("cannot write `{}`", file.display()))
}

fn add(options: &AddOptions) -> anyhow::Result<Exit> {
    let file = file(&options.file);
    let mut document = document(&file)?;
    let functions = document.entry("functions").or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let functions = functions.as_table_like_mut().ok_or_else(|| BadInput("`functions` is no table".to_owned()))?;
    if functions.contains_key(&options.name) && !options.replace {
        let text = format!("the function `{}` is there already: replace it with --replace", options.name);
        return Err(BadInput(text).into());
    }
    let mut table = Table::new();
    let path = |path: &PathBuf| value(path.to_string_lossy().into_owned());
    if let Some(python) = &options.python {
        table["python"] = path(python);
    }
    if let Some(node) = &options.node {
        table["node"] = path(node);
    }
    if let Some(url) = &options.url {
        table["url"] = value(url);
    }
    if !options.command.is_empty() {
        table["command"] = value(options.command.iter().collect::<Array>());
    }
    if let Some(handler) = &options.handler {
        table["handler"] = value(handler);
    }
    let number = |number: u64| value(i64::try_from(number).unwrap_or(i64::MAX));
    if let Some(seconds) = options.timeout_seconds {
        table["timeout_seconds"] = number(seconds);
    }
    if let Some(mb) = options.memory_mb {
        table["memory_mb"] = number(mb);
    }
    if let Some(processes) = options.concurrency {
        table["concurrency"] = number(processes);
    }
    for pair in &options.environment {
        let (name, text) = pair.split_once('=').ok_or_else(|| BadInput(format!("`{pair}` is no NAME=VALUE")))?;
        let variables = table.entry("environment").or_insert_with(|| value(toml_edit::InlineTable::new()));
        variables[name] = value(text);
    }
    functions.insert(&options.name, Item::Table(table));
    write(&file, &document)?;
    anstream::println!(
        "{}: `{}` is there; a running server takes it when it starts anew",
        file.display(),
        options.name
    );
    Ok(Exit::Done)
}

fn remove(options: &RemoveOptions) -> anyhow::Result<Exit> {
    let file = file(&options.file);
    let mut document = document(&file)?;
    let functions = document.get_mut("functions").and_then(Item::as_table_like_mut);
    if functions.and_then(|functions| functions.remove(&options.name)).is_none() {
        return Err(BadInput(format!("{}: there is no function `{}`", file.display(), options.name)).into());
    }
    write(&file, &document)?;
    anstream::println!("{}: `{}` is gone; a running server keeps it until it ends", file.display(), options.name);
    Ok(Exit::Done)
}

fn list(options: &ListOptions) -> anyhow::Result<Exit> {
    let config = Config::read(options.file.config.as_deref())?;
    for function in &config.functions {
        let (kind, what) = match &function.runtime {
            Runtime::Command { command, .. } => ("command", command.join(" ")),
            Runtime::Python { file, handler } => ("python", format!("{} {handler}", file.display())),
            Runtime::Node { file, handler } => ("node", format!("{} {handler}", file.display())),
            Runtime::Url { url } => ("url", url.clone()),
        };
        if options.json {
            let members = [("name", function.name.as_str()), ("kind", kind), ("what", what.as_str())];
            anstream::println!("{}", Value::object(members.map(|(name, text)| (name, Value::from(text)))));
        } else {
            anstream::println!("{BOLD}{:<24}{BOLD:#} {kind:<8} {DIM}{what}{DIM:#}", function.name);
        }
    }
    Ok(Exit::Done)
}

/// Prints the payload; of a function of this configuration also its log, to standard error.
fn invoke(options: &InvokeOptions) -> anyhow::Result<Exit> {
    let payload = read_json("payload", &options.payload)?;
    let body = Bytes::copy_from_slice(payload.text().as_bytes());
    let answer = runtime()?.block_on(async {
        let part = Part::Invoke { function: options.name.clone() };
        match &options.endpoint {
            Some(endpoint) => {
                let path = format!("/2015-03-31/functions/{}/invocations", options.name);
                let request = Request::post(format!("{}{path}", endpoint.trim_end_matches('/')));
                send(request.body(Full::new(body)).map_err(|error| BadInput(error.to_string()))?).await
            }
            None => {
                let config = Config::read(options.identity.config.as_deref())?;
                let functions = host(&Identity::decide(&options.identity, &config)?, config.functions);
                let request = stepwell_functions::Request { part, query: None, headers: HeaderMap::new(), body };
                let answer = functions.answer(request).await;
                let logs = Part::Logs { function: options.name.clone() };
                let request = stepwell_functions::Request {
                    part: logs,
                    query: None,
                    headers: HeaderMap::new(),
                    body: Bytes::new(),
                };
                let log = functions.answer(request).await;
                if log.status().is_success() {
                    anstream::eprint!("{}", String::from_utf8_lossy(log.body()));
                }
                Ok(answer)
            }
        }
    })?;
    let text = String::from_utf8_lossy(answer.body());
    if !answer.status().is_success() {
        return Err(BadInput(message(&text)).into());
    }
    anstream::println!("{text}");
    Ok(if answer.headers().contains_key("X-Amz-Function-Error") { Exit::Failed } else { Exit::Done })
}

fn logs(options: &LogsOptions) -> anyhow::Result<Exit> {
    let url = format!("{}/stepwell/functions/{}/logs", options.endpoint.trim_end_matches('/'), options.name);
    let request = Request::get(url).body(Full::default()).map_err(|error| BadInput(error.to_string()))?;
    let answer = runtime()?.block_on(send(request))?;
    let text = String::from_utf8_lossy(answer.body());
    if !answer.status().is_success() {
        return Err(BadInput(message(&text)).into());
    }
    anstream::print!("{text}");
    Ok(Exit::Done)
}

/// Asks a running server.
async fn send(request: Request<Full<Bytes>>) -> anyhow::Result<Response<Bytes>> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let answer = client.request(request).await.context("the server cannot be reached")?;
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, RESPONSE_BYTES_MAX).collect().await;
    let body = body.map_err(|error| anyhow::anyhow!("the answer of the server cannot be read: {error}"))?;
    Ok(Response::from_parts(head, body.to_bytes()))
}

/// What an error answer of Lambda's API says.
fn message(text: &str) -> String {
    let value = stepwell_expr::json::parse(text).unwrap_or_default();
    let message = value.get("Message").or_else(|| value.get("message")).and_then(Value::as_str);
    message.map_or_else(|| text.to_owned(), str::to_owned)
}
