//! What a function is, checked once.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use crate::{
    limits::{CONCURRENCY_MAX, MEMORY_MB_MAX, MEMORY_MB_MIN, TIMEOUT_SECONDS_MAX},
    name::is_name,
};

const PYTHON_BOOTSTRAP: &str = include_str!("../runtimes/bootstrap.py");
const NODE_BOOTSTRAP: &str = include_str!("../runtimes/bootstrap.cjs");

/// A function on this machine.
#[derive(Clone, Debug)]
pub struct Function {
    pub name: String,
    pub runtime: Runtime,
    /// At most so long runs one invocation.
    pub timeout: Duration,
    /// At most so much memory has each of its processes, in MiB.
    pub memory_mb: Option<u64>,
    /// At most so many processes, each with one invocation at a time.
    pub concurrency: usize,
    pub environment: BTreeMap<String, String>,
}

/// How a function runs.
#[derive(Clone, Debug)]
pub enum Runtime {
    /// A program that speaks the Lambda Runtime API: the `bootstrap` of a custom runtime. It runs in `folder`.
    Command { command: Vec<String>, folder: PathBuf },
    /// A Python file and the name of a function in it.
    Python { file: PathBuf, handler: String },
    /// A Node module (`.mjs`, `.cjs`, `.js`) and the name of what it exports.
    Node { file: PathBuf, handler: String },
    /// An `http://` address that takes the payload by POST and answers the result.
    Url { url: String },
}

/// What all functions of a server have in common.
#[derive(Clone, Debug)]
pub struct Host {
    pub account: Arc<str>,
    pub region: Arc<str>,
    /// The program, with its first arguments, that calls [`crate::keeper::keep`].
    pub keeper: Vec<OsString>,
    /// Variables that every function gets, below its own.
    pub environment: BTreeMap<OsString, OsString>,
}

/// Why a function is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FunctionError {
    #[error("the name of a function has up to 64 letters, digits, `-` and `_`")]
    Name,
    #[error("`timeout_seconds` must be from 1 to {TIMEOUT_SECONDS_MAX}")]
    Timeout,
    #[error("`memory_mb` must be from {MEMORY_MB_MIN} to {MEMORY_MB_MAX}")]
    Memory,
    #[error("`concurrency` must be from 1 to {CONCURRENCY_MAX}")]
    Concurrency,
    #[error("`command` must name a program")]
    Command,
    #[error("`url` must begin with `http://`: it is a function on this machine")]
    Url,
}

impl Function {
    /// Whether it can be hosted; its files are looked at only when it runs.
    pub fn check(&self) -> Result<(), FunctionError> {
        if !is_name(&self.name) {
            return Err(FunctionError::Name);
        }
        if !(1..=TIMEOUT_SECONDS_MAX).contains(&self.timeout.as_secs()) {
            return Err(FunctionError::Timeout);
        }
        if self.memory_mb.is_some_and(|mb| !(MEMORY_MB_MIN..=MEMORY_MB_MAX).contains(&mb)) {
            return Err(FunctionError::Memory);
        }
        if !(1..=CONCURRENCY_MAX).contains(&self.concurrency) {
            return Err(FunctionError::Concurrency);
        }
        match &self.runtime {
            Runtime::Command { command, .. } if command.first().is_none_or(String::is_empty) => {
                Err(FunctionError::Command)
            }
            Runtime::Url { url } if !url.starts_with("http://") => Err(FunctionError::Url),
            _ => Ok(()),
        }
    }

    pub(crate) fn arn(&self, host: &Host) -> String {
        format!("arn:aws:lambda:{}:{}:function:{}", host.region, host.account, self.name)
    }
}

impl Runtime {
    /// The program and its arguments; `None` for a URL. The bootstraps are given as text: nothing of them is on disk.
    pub(crate) fn command(&self) -> Option<Vec<OsString>> {
        let words = |words: &[&str]| words.iter().map(OsString::from).collect();
        match self {
            Runtime::Command { command, .. } => Some(command.iter().map(OsString::from).collect()),
            Runtime::Python { .. } => Some(words(&["python3", "-u", "-c", PYTHON_BOOTSTRAP])),
            Runtime::Node { .. } => Some(words(&["node", "-e", NODE_BOOTSTRAP])),
            Runtime::Url { .. } => None,
        }
    }

    /// Where it runs: for a file, the file's folder.
    pub(crate) fn folder(&self) -> &Path {
        match self {
            Runtime::Command { folder, .. } => folder,
            Runtime::Python { file, .. } | Runtime::Node { file, .. } => file.parent().unwrap_or(Path::new("/")),
            Runtime::Url { .. } => Path::new("/"),
        }
    }

    /// The file whose change makes running processes stale.
    pub(crate) fn code(&self) -> Option<PathBuf> {
        match self {
            Runtime::Command { command, folder } => command.first().map(|program| folder.join(program)),
            Runtime::Python { file, .. } | Runtime::Node { file, .. } => Some(file.clone()),
            Runtime::Url { .. } => None,
        }
    }

    /// As GetFunction names it.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Runtime::Command { .. } | Runtime::Url { .. } => "provided.al2023",
            Runtime::Python { .. } => "python3.11",
            Runtime::Node { .. } => "nodejs20.x",
        }
    }

    pub(crate) fn handler(&self) -> &str {
        match self {
            Runtime::Command { .. } => "bootstrap",
            Runtime::Python { handler, .. } | Runtime::Node { handler, .. } => handler,
            Runtime::Url { url } => url,
        }
    }
}
