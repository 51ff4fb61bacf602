//! One process of a function, from its start to its end.

use std::{
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use tokio::{
    io::AsyncRead,
    process::{ChildStdin, Command},
    sync::watch,
    time::{sleep, timeout},
};

use crate::{
    desk::{Desk, Event, Signal},
    fault,
    function::{Function, Host, Runtime},
    limits::INIT_TIME_MAX,
    log::Log,
};

/// Variables that this process hands on: where programs are, how text is read, and what AWS SDKs look for.
const INHERITED: &[&str] = &["PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "NODE_PATH", "PYTHONPATH"];
const INHERITED_PREFIX: &str = "AWS_";

/// Dropped, it closes the lifeline: the process is killed with all that it started.
pub(crate) struct Worker {
    /// Nothing is ever written to it.
    _lifeline: Option<ChildStdin>,
    desk: Desk,
    exit: watch::Receiver<Option<ExitStatus>>,
    /// Since when it has had nothing to do.
    pub(crate) idle_since: Instant,
    /// When its code was last changed as of its start.
    pub(crate) code_time: Option<SystemTime>,
}

/// How an invocation ended, with its payload.
pub(crate) enum Done {
    Succeeded(Bytes),
    /// The function failed, or its process; the worker may go on only after the former.
    Failed {
        payload: Bytes,
        reusable: bool,
    },
    /// The process had ended before it took the invocation: another one may.
    NotTaken(Option<ExitStatus>),
}

impl Worker {
    /// Starts a process and waits until it asks for its first invocation. The error is the payload of invocation `id`.
    pub(crate) async fn start(
        function: &Function,
        host: &Host,
        log: &Arc<Log>,
        code_time: Option<SystemTime>,
        id: &str,
    ) -> Result<Worker, Bytes> {
        let not_started = |error: std::io::Error| fault::not_started(id, &error.to_string());
        let mut desk = Desk::open().await.map_err(not_started)?;
        let mut child = command(function, host, &desk).spawn().map_err(not_started)?;
        let lifeline = child.stdin.take();
        let outputs = (child.stdout.take(), child.stderr.take());
        let (told, mut exit) = watch::channel(None);
        let log = log.clone();
        tokio::spawn(async move {
            let end = async {
                told.send_replace(Some(child.wait().await.unwrap_or_default()));
            };
            // What it started may hold the outputs open for longer than it lives.
            tokio::join!(end, follow(&log, outputs.0), follow(&log, outputs.1));
        });
        let ready = async {
            loop {
                tokio::select! {
                    biased;
                    signal = desk.signals.recv() => match signal {
                        Some(Signal::Ready) => return Ok(()),
                        Some(Signal::InitError(body)) => return Err(body),
                        Some(_) => {}
                        None => return Err(fault::exited(id, None)),
                    },
                    status = exited(&mut exit) => return Err(fault::exited(id, status)),
                }
            }
        };
        timeout(INIT_TIME_MAX, ready).await.unwrap_or_else(|_| Err(fault::init_timed_out(id, INIT_TIME_MAX)))?;
        Ok(Worker { _lifeline: lifeline, desk, exit, idle_since: Instant::now(), code_time })
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.exit.borrow().is_some()
    }

    /// Runs one invocation to its end, at most for `time_max`.
    pub(crate) async fn invoke(&mut self, event: Event, time_max: Duration) -> Done {
        let id = event.id.clone();
        if self.desk.events.send(event).await.is_err() {
            return Done::NotTaken(None);
        }
        let mut taken = false;
        let limit = sleep(time_max);
        tokio::pin!(limit);
        loop {
            tokio::select! {
                biased;
                signal = self.desk.signals.recv() => match signal {
                    Some(Signal::Taken) => taken = true,
                    Some(Signal::Response { id: answered, body }) if answered == id => return Done::Succeeded(body),
                    Some(Signal::Error { id: answered, body }) if answered == id => {
                        return Done::Failed { payload: body, reusable: true };
                    }
                    Some(Signal::TooLarge { id: answered }) if answered == id => {
                        return Done::Failed { payload: fault::too_large(), reusable: true };
                    }
                    // Of no invocation that is waited for.
                    Some(_) => {}
                    None => return Done::Failed { payload: fault::exited(&id, None), reusable: false },
                },
                status = exited(&mut self.exit) => {
                    return match taken {
                        true => Done::Failed { payload: fault::exited(&id, status), reusable: false },
                        false => Done::NotTaken(status),
                    };
                }
                () = &mut limit => return Done::Failed { payload: fault::timed_out(&id, time_max), reusable: false },
            }
        }
    }
}

async fn follow(log: &Log, output: Option<impl AsyncRead + Unpin>) {
    if let Some(output) = output {
        log.follow(output).await;
    }
}

/// Waits for the end of a process.
async fn exited(exit: &mut watch::Receiver<Option<ExitStatus>>) -> Option<ExitStatus> {
    match exit.wait_for(Option::is_some).await {
        Ok(status) => *status,
        Err(_) => None,
    }
}

/// The keeper with the function's command behind it.
fn command(function: &Function, host: &Host, desk: &Desk) -> Command {
    let (program, arguments) = host.keeper.split_first().expect("a host names its keeper");
    let mut command = Command::new(program);
    command.args(arguments);
    if let Some(mb) = function.memory_mb {
        command.arg("--memory-mb").arg(mb.to_string());
    }
    command.arg("--").args(function.runtime.command().expect("a function behind a URL has no process"));
    // A Ctrl-C in the terminal is the server's; it ends the functions by their lifelines.
    command.process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.current_dir(function.runtime.folder()).env_clear();
    let inherited = std::env::vars_os().filter(|(name, _)| {
        name.to_str().is_some_and(|name| INHERITED.contains(&name) || name.starts_with(INHERITED_PREFIX))
    });
    command.envs(inherited).envs(&host.environment);
    // Source: Lambda guide, "Defined runtime environment variables".
    let stream = format!("{}/[$LATEST]{}", function.name, desk.address.port());
    let defined = [
        ("AWS_LAMBDA_RUNTIME_API", desk.address.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mb.unwrap_or(128).to_string()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", function.name)),
        ("AWS_LAMBDA_LOG_STREAM_NAME", stream),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_REGION", host.region.to_string()),
        ("AWS_DEFAULT_REGION", host.region.to_string()),
        ("_HANDLER", function.runtime.handler().to_owned()),
    ];
    command.envs(defined).env("LAMBDA_TASK_ROOT", function.runtime.folder()).envs(&function.environment);
    if let Runtime::Python { file, .. } | Runtime::Node { file, .. } = &function.runtime {
        command.env("STEPWELL_FUNCTION_FILE", file);
    }
    command
}

/// When an invocation that begins now has to be done, in milliseconds since 1970.
pub(crate) fn deadline_ms(time_max: Duration) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from((now + time_max).as_millis()).unwrap_or(i64::MAX)
}
