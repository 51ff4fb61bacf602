//! What functions print: kept to a bound, and told to the server's own log.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::limits::{LOG_LINE_BYTES_MAX, LOG_LINES_MAX, LOG_TAIL_BYTES_MAX};

/// The last lines of one function, of all its processes.
#[derive(Debug)]
pub(crate) struct Log {
    function: String,
    lines: Mutex<Lines>,
}

#[derive(Debug, Default)]
struct Lines {
    kept: VecDeque<String>,
    /// How many lines there have been before those that are kept.
    gone: u64,
}

impl Log {
    pub(crate) fn new(function: &str) -> Log {
        Log { function: function.to_owned(), lines: Mutex::default() }
    }

    pub(crate) fn push(&self, line: String) {
        tracing::info!(target: "stepwell_functions::log", function = self.function, "{line}");
        let mut lines = self.locked();
        if lines.kept.len() >= LOG_LINES_MAX {
            lines.kept.pop_front();
            lines.gone += 1;
        }
        lines.kept.push_back(line);
    }

    /// All lines that are kept, each with an end of line.
    pub(crate) fn text(&self) -> String {
        self.locked().kept.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }

    /// A mark for [`Log::tail`]: how many lines there have been.
    pub(crate) fn mark(&self) -> u64 {
        let lines = self.locked();
        lines.gone + lines.kept.len() as u64
    }

    /// The end of what was printed since the mark, in base64, as Lambda's answers carry it.
    pub(crate) fn tail(&self, mark: u64) -> String {
        let lines = self.locked();
        let skipped = usize::try_from(mark.saturating_sub(lines.gone)).unwrap_or(usize::MAX);
        let text: String = lines.kept.iter().skip(skipped).flat_map(|line| [line.as_str(), "\n"]).collect();
        let bytes = text.as_bytes();
        STANDARD.encode(&bytes[bytes.len().saturating_sub(LOG_TAIL_BYTES_MAX)..])
    }

    /// Reads a process's output to its end, line by line.
    pub(crate) async fn follow(&self, mut output: impl AsyncRead + Unpin) {
        let mut chunk = [0; 4096];
        let mut line = Vec::new();
        // An error means that the process has gone, as the end does.
        while let Ok(count @ 1..) = output.read(&mut chunk).await {
            for byte in &chunk[..count] {
                if *byte == b'\n' || line.len() >= LOG_LINE_BYTES_MAX {
                    self.push(String::from_utf8_lossy(&line).into_owned());
                    line.clear();
                }
                if *byte != b'\n' {
                    line.push(*byte);
                }
            }
        }
        if !line.is_empty() {
            self.push(String::from_utf8_lossy(&line).into_owned());
        }
    }

    fn locked(&self) -> MutexGuard<'_, Lines> {
        // Lines are never half changed.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_log_is_bounded_in_lines_and_in_their_length() {
        let log = Log::new("f");
        let long = "x".repeat(LOG_LINE_BYTES_MAX + 1);
        log.follow(format!("{long}\nshort\nopen").as_bytes()).await;
        let lines: Vec<usize> = log.text().lines().map(str::len).collect();
        assert_eq!(lines, [LOG_LINE_BYTES_MAX, 1, 5, 4]);
        let mark = log.mark();
        for number in 0..LOG_LINES_MAX {
            log.push(number.to_string());
        }
        assert_eq!(log.text().lines().count(), LOG_LINES_MAX);
        assert!(log.text().starts_with("0\n"));
        let tail = STANDARD.decode(log.tail(mark)).unwrap();
        assert_eq!(tail.len(), LOG_TAIL_BYTES_MAX);
        assert!(tail.ends_with(b"1999\n"));
    }
}
