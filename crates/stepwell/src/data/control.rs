//! A socket in the data folder, through which a running server hands out its rows.
//!
//! Who may use the folder may use the socket, and nobody else: it is a file of mode 0600 beside the rows. There is one
//! request, a line `export`; the answer is the portable form of all rows as of one commit (`rows.rs`). The server
//! writes no file for it: what is to become of the rows is the caller's business.

use std::{
    fs,
    io::{BufRead, BufReader, BufWriter, ErrorKind, Read, Write},
    os::{
        fd::AsRawFd,
        unix::{
            fs::PermissionsExt,
            net::{UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::Context;
use stepwell_store::{Space, Store, Visit};

use super::rows::Writer;
use crate::limits::{CONTROL_CONNECTIONS_MAX, CONTROL_READ_MAX, CONTROL_WRITE_MAX};

const NAME: &str = "control";
const EXPORT: &str = "export";

/// Bytes of a path that a socket takes, on every system that we know.
const SOCKET_PATH_BYTES_MAX: usize = 100;

/// The socket of a server; its file is gone when this is dropped.
pub(crate) struct Control {
    file: PathBuf,
}

impl Control {
    /// Listens, on a thread of its own. Whoever has the folder locked calls this, so a socket that is there is stale.
    pub(crate) fn listen(data: &Path, store: Arc<dyn Store>) -> anyhow::Result<Control> {
        let file = data.join(NAME);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error).context("a stale socket stays"),
            _ => {}
        }
        let (_folder, path) = reachable(data)?;
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
        let open = Arc::new(AtomicUsize::new(0));
        let accept = move || {
            for stream in listener.incoming().flatten() {
                if open.fetch_add(1, Ordering::SeqCst) >= CONTROL_CONNECTIONS_MAX {
                    open.fetch_sub(1, Ordering::SeqCst);
                    continue;
                }
                let (store, open) = (store.clone(), open.clone());
                let answer = move || {
                    if let Err(error) = answer(&stream, store.as_ref()) {
                        tracing::warn!(error = format!("{error:#}"), "an export broke off");
                    }
                    open.fetch_sub(1, Ordering::SeqCst);
                };
                if std::thread::Builder::new().name("stepwell-export".to_owned()).spawn(answer).is_err() {
                    tracing::warn!("no thread for an export");
                }
            }
        };
        std::thread::Builder::new().name("stepwell-control".to_owned()).spawn(accept)?;
        Ok(Control { file })
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // The next server removes it if this one cannot.
        let _stays = fs::remove_file(&self.file);
    }
}

fn answer(stream: &UnixStream, store: &dyn Store) -> anyhow::Result<()> {
    stream.set_read_timeout(Some(CONTROL_READ_MAX))?;
    stream.set_write_timeout(Some(CONTROL_WRITE_MAX))?;
    let mut request = String::new();
    BufReader::new(stream).take(64).read_line(&mut request)?;
    anyhow::ensure!(request.trim_end() == EXPORT, "an unknown request");
    export(store, stream, &mut |_| {})?;
    Ok(())
}

/// Writes all rows of a store as of one commit; answers how many.
pub(crate) fn export(store: &dyn Store, out: impl Write, progress: &mut dyn FnMut(u64)) -> anyhow::Result<u64> {
    let mut writer = Writer::begin(BufWriter::with_capacity(1 << 16, out))?;
    let mut failed = None;
    store.snapshot(&mut |space: Space, key: &[u8], value: &[u8]| match writer.row(space, key, value) {
        Ok(rows) => {
            progress(rows);
            Visit::Continue(())
        }
        Err(error) => {
            failed = Some(error);
            Visit::Break(())
        }
    })?;
    failed.map_or(Ok(()), Err)?;
    Ok(writer.end()?)
}

/// Asks the server that has the folder open for its rows. `None`: there is none.
pub(crate) fn ask(data: &Path) -> anyhow::Result<Option<BufReader<UnixStream>>> {
    if !data.join(NAME).exists() {
        return Ok(None);
    }
    let (_folder, path) = reachable(data)?;
    let mut stream = match UnixStream::connect(path) {
        Ok(stream) => stream,
        // Nobody listens: a server that was killed left it.
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => return Ok(None),
        Err(error) => return Err(error).context("the server does not answer at the socket in the data folder"),
    };
    stream.set_read_timeout(Some(CONTROL_WRITE_MAX))?;
    stream.write_all(EXPORT.as_bytes())?;
    stream.write_all(b"\n")?;
    Ok(Some(BufReader::with_capacity(1 << 16, stream)))
}

/// A path of the socket that is short enough for one; the folder must stay open while it is used.
fn reachable(data: &Path) -> anyhow::Result<(fs::File, PathBuf)> {
    let folder = fs::File::open(data)?;
    let path = data.join(NAME);
    if path.as_os_str().len() <= SOCKET_PATH_BYTES_MAX {
        return Ok((folder, path));
    }
    let path = PathBuf::from(format!("/proc/self/fd/{}/{NAME}", folder.as_raw_fd()));
    Ok((folder, path))
}
