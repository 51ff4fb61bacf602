//! The keeper: a small process between this server and one process of a function.
//!
//! Its standard input is the lifeline. As soon as that closes, for whatever reason, the function's process and all that
//! it started are killed, since they are a group of processes of their own. So no function outlives its server, even
//! one that is killed, and ending a function needs no process id, which might be another's by then. It also sets the
//! memory limit, which the function inherits.
//!
//! What a function starts in yet another group (`setsid`) gets away, as from any supervisor without control groups.

use std::{
    ffi::OsString,
    io::{self, Read},
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Command, ExitStatus, Stdio},
};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process_group, prlimit};

/// The exit code when the command cannot be started. As shells do.
const NOT_FOUND: i32 = 127;

/// Runs `command` until it ends or standard input closes; answers its exit code, 128 more than the signal that killed it.
pub fn keep(memory_mb: Option<u64>, command: &[OsString]) -> i32 {
    let Some((program, arguments)) = command.split_first() else { return NOT_FOUND };
    let spawned = Command::new(program).args(arguments).stdin(Stdio::null()).process_group(0).spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => {
            report(&format!("`{}` cannot be started: {error}", program.to_string_lossy()));
            return NOT_FOUND;
        }
    };
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(mb) = memory_mb {
        limit_memory(group, mb);
    }
    std::thread::spawn(move || {
        await_end_of_input();
        kill(group);
    });
    let status = child.wait();
    kill(group);
    status.map_or(NOT_FOUND, exit_code)
}

/// Of data alone, since interpreters reserve address space that they never use. Set from outside and right after the
/// start: this program's own memory may be past the limit. A process that has ended needs none.
fn limit_memory(process: Option<Pid>, mb: u64) {
    let bytes = mb.saturating_mul(1024 * 1024);
    if let Err(error) = prlimit(process, Resource::Data, Rlimit { current: Some(bytes), maximum: Some(bytes) })
        && error != rustix::io::Errno::SRCH
    {
        report(&format!("the memory limit cannot be set: {error}"));
        kill(process);
    }
}

fn await_end_of_input() {
    let mut buffer = [0; 64];
    let mut input = io::stdin().lock();
    loop {
        match input.read(&mut buffer) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// A group without processes is fine: all have ended.
fn kill(group: Option<Pid>) {
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

fn exit_code(status: ExitStatus) -> i32 {
    status.code().or_else(|| Some(128 + status.signal()?)).unwrap_or(NOT_FOUND)
}

/// Standard error is the function's log.
fn report(text: &str) {
    use io::Write;
    let _ = writeln!(io::stderr(), "{text}");
}
