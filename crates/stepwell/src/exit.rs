//! Exit codes, the same in all commands.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: it did what it was asked to.
    Done,
    /// 1: the execution failed, a definition has problems, or the server could not go on.
    Failed,
    /// 2: the input could not be used: options, files, JSON.
    BadInput,
}

/// What the user gave cannot be used.
#[derive(Debug)]
pub(crate) struct BadInput(pub(crate) String);

impl std::fmt::Display for BadInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadInput {}

impl Exit {
    pub(crate) fn of(error: &anyhow::Error) -> Exit {
        if error.is::<BadInput>() { Exit::BadInput } else { Exit::Failed }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        match exit {
            Exit::Done => ExitCode::from(0),
            Exit::Failed => ExitCode::from(1),
            Exit::BadInput => ExitCode::from(2),
        }
    }
}
