//! `stepwell serve`: the API on one port, until a signal ends it.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use stepwell_api::Api;
use stepwell_engine::{Config, Engine, SystemClock, TaskRunner};
use stepwell_functions::Functions;
use stepwell_store::{Store, embedded::Embedded, memory::Memory};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
    signal::unix::{SignalKind, signal},
};
use tracing_subscriber::EnvFilter;

use crate::{
    beside::LambdaApi, catalogue::CatalogueApi, cli::ServeOptions, config::ServeSettings, console,
    data::control::Control, encryption, exit::Exit, function, logs, status_events::EventBridge, tasks::Tasks,
};

pub(crate) fn serve(options: ServeOptions) -> anyhow::Result<Exit> {
    let mut settings = ServeSettings::decide(options)?;
    log_to_stderr(settings.json);
    let runtime = runtime()?;
    let rows = open_store(&settings.data)?;
    let store = encryption::open(rows.clone(), settings.encryption_key_file.as_deref())?;
    let config = Config {
        account: settings.identity.account.as_str().into(),
        region: settings.identity.region.as_str().into(),
        // The other half is for connections and tasks. Fewer drivers share each commit among more callers.
        drivers: settings.drivers.map_or_else(half_of_the_cores, usize::from),
        clock: Arc::new(SystemClock),
        announces_status: settings.config.events.on,
        quotas: settings.config.limits.quotas,
    };
    let functions = function::host(&settings.identity, std::mem::take(&mut settings.config.functions));
    runtime.spawn(functions.end_idle());
    let tasks = Arc::new(Tasks::new(&settings.identity, &settings.config, functions.clone()));
    // Backups and exports get the rows as they are stored.
    let control = control(&settings.data, &rows);
    let engine = Engine::open(store, config, tasks.clone(), runtime.handle().clone());
    let engine = engine.context("the engine cannot start")?;
    let runner: Arc<dyn TaskRunner> = tasks.clone();
    engine.log_to(logs::sink(&settings.execution_logs, &settings.data, &runner, engine.owner()));
    if settings.config.events.on {
        let (events, limits) = (settings.config.events.clone(), settings.config.limits.quotas.limits);
        engine.announce_to(Arc::new(EventBridge { runner, events, limits }));
    }
    if settings.retention_days > 0 {
        let retention = Duration::from_secs(u64::from(settings.retention_days) * 86_400);
        engine.remove_closed_after(retention).context("no thread to remove what ended long ago")?;
    }
    runtime.block_on(listen(&settings, engine, functions, &tasks))?;
    drop(control);
    Ok(Exit::Done)
}

/// One thread for every two cores: tasks and connections are light, executions have threads of their own, and threads that
/// are idle most of the time cost more by waking up than by what they do.
pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(half_of_the_cores()).enable_all().build().context("no threads to run on")
}

fn half_of_the_cores() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1))
}

/// `STEPWELL_LOG` filters, e.g. `debug` or `stepwell_engine=trace`; `info` by default.
fn log_to_stderr(json: bool) {
    let filter = EnvFilter::try_from_env("STEPWELL_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if json {
        log.json().init();
    } else {
        log.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()) && std::env::var_os("NO_COLOR").is_none())
            .init();
    }
}

fn open_store(data: &str) -> anyhow::Result<Arc<dyn Store>> {
    if data == ":memory:" {
        return Ok(Arc::new(Memory::new()));
    }
    Ok(Arc::new(Embedded::open(Path::new(data))?))
}

/// The socket for backups. A server without it serves all the same.
fn control(data: &str, store: &Arc<dyn Store>) -> Option<Control> {
    let folder = Path::new(data);
    if !folder.is_dir() {
        return None;
    }
    Control::listen(folder, store.clone())
        .inspect_err(|error| tracing::warn!(error = format!("{error:#}"), "no backup while the server runs"))
        .ok()
}

async fn listen(settings: &ServeSettings, engine: Engine, functions: Functions, tasks: &Tasks) -> anyhow::Result<()> {
    let wanted = settings.listen;
    let listener = TcpListener::bind(wanted).await.with_context(|| format!("cannot listen on {wanted}"))?;
    let address = listener.local_addr().context("the listener has no address")?;
    let mut terminated = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut interrupted = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "anyone who reaches this address may do anything: there is no sign-in yet");
    }
    tasks.begin(&engine, Some(own_address(address)));
    announce(settings, address)?;
    let stop = async move {
        tokio::select! {
            _ = terminated.recv() => tracing::info!("SIGTERM: stopping"),
            _ = interrupted.recv() => tracing::info!("SIGINT: stopping"),
        }
    };
    let throttles = settings.config.limits.throttles().map_err(anyhow::Error::msg)?;
    let api = Api::new(engine.clone()).with_pages(console::page).with_mocks(settings.mock_config.clone());
    let api = api.with_scopes(!settings.single_region);
    let api = api.with_throttles(throttles).with_search_of_values(settings.config.console.search_values);
    let api = api.with_encryption(settings.encryption_key_file.is_some());
    let api = api.with_log_groups(settings.execution_logs.iter().any(|to| to == logs::CLOUDWATCH));
    let api = api.with_beside(LambdaApi::of(functions)).with_beside(CatalogueApi::of(tasks.catalogue()));
    stepwell_api::serve(listener, api, stop).await;
    engine.shut_down().await;
    tracing::info!("stopped");
    Ok(())
}

/// Where this process reaches itself.
fn own_address(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{address}")
}

/// Tells where the server listens: on standard output, and in the port file once it answers.
fn announce(settings: &ServeSettings, address: SocketAddr) -> anyhow::Result<()> {
    let endpoint = format!("http://{address}");
    if settings.json {
        let port = i64::from(address.port()).into();
        anstream::println!(
            "{}",
            stepwell_expr::Value::object([("endpoint", endpoint.as_str().into()), ("port", port)])
        );
    } else {
        anstream::println!("listening on {endpoint}");
    }
    if let Some(file) = &settings.port_file {
        // Whoever waits for the file must never read half of it.
        let half = file.with_extension("writing");
        let write = std::fs::write(&half, format!("{}\n", address.port())).and_then(|()| std::fs::rename(&half, file));
        write.with_context(|| format!("cannot write the port to `{}`", file.display()))?;
    }
    Ok(())
}
