//! Where execution logs go: files, standard output, CloudWatch Logs, several of them, or nowhere.

mod cloudwatch;

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    future::Future,
    io::{self, Write},
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
};

use parking_lot::Mutex;
use stepwell_api::{log_gap, log_record};
use stepwell_engine::{Clock, LogEntry, LogError, LogSink, Owner, SystemClock, TaskRunner};

use self::cloudwatch::CloudWatch;
use crate::limits::{LOG_FILE_BYTES_MAX, LOG_FILES_MAX};

type Taking<'a> = Pin<Box<dyn Future<Output = Result<(), LogError>> + Send + 'a>>;

/// Of the option `--execution-logs`: CloudWatch Logs.
pub(crate) const CLOUDWATCH: &str = "cloudwatch";

/// Of the option `--execution-logs`; by default files in the folder `logs` of the data. `own`: whose the server is.
pub(crate) fn sink(options: &[String], data: &str, runner: &Arc<dyn TaskRunner>, own: &Owner) -> Arc<dyn LogSink> {
    let of = |option: &String| -> Option<Arc<dyn LogSink>> {
        match option.as_str() {
            "off" => None,
            "-" => Some(Arc::new(StandardOutput)),
            CLOUDWATCH => Some(Arc::new(CloudWatch::new(runner.clone(), SystemClock.now_ms()))),
            folder => Some(Arc::new(Files { folder: folder.into(), own: own.clone() })),
        }
    };
    let usual = || -> Arc<dyn LogSink> { Arc::new(Files { folder: Path::new(data).join("logs"), own: own.clone() }) };
    let sinks = match options {
        [] if data == ":memory:" => Vec::new(),
        [] => vec![usual()],
        options => options.iter().filter_map(of).collect(),
    };
    Arc::new(Sinks { sinks, halfway: Mutex::default() })
}

/// One after the other.
struct Sinks {
    sinks: Vec<Arc<dyn LogSink>>,
    /// Entries that were not taken by all, and by how many they were: those are not given them again.
    halfway: Mutex<Option<(Arc<[LogEntry]>, usize)>>,
}

impl LogSink for Sinks {
    fn take(&self, entries: Arc<[LogEntry]>) -> Taking<'_> {
        let halfway = self.halfway.lock().take().filter(|(given, _)| Arc::ptr_eq(given, &entries));
        let taken = halfway.map_or(0, |(_, taken)| taken);
        Box::pin(async move {
            for (number, sink) in self.sinks.iter().enumerate().skip(taken) {
                if let Err(error) = sink.take(entries.clone()).await {
                    *self.halfway.lock() = Some((entries, number));
                    return Err(error);
                }
            }
            Ok(())
        })
    }
}

struct StandardOutput;

impl LogSink for StandardOutput {
    fn take(&self, entries: Arc<[LogEntry]>) -> Taking<'_> {
        Box::pin(blocking(move || {
            let text: String = entries.iter().map(line).collect();
            let mut out = io::stdout().lock();
            out.write_all(text.as_bytes()).and_then(|()| out.flush())
        }))
    }
}

/// One file for each log group; a full one is put aside, and the oldest one removed. What others log into a group has a
/// file of its own.
struct Files {
    folder: PathBuf,
    own: Owner,
}

impl LogSink for Files {
    fn take(&self, entries: Arc<[LogEntry]>) -> Taking<'_> {
        let (folder, own) = (self.folder.clone(), self.own.clone());
        Box::pin(blocking(move || write_files(&folder, &own, &entries)))
    }
}

async fn blocking(write: impl FnOnce() -> io::Result<()> + Send + 'static) -> Result<(), LogError> {
    let written = tokio::task::spawn_blocking(write).await.map_err(io::Error::other).and_then(|written| written);
    written.map_err(|error| LogError(error.to_string()))
}

fn line(entry: &LogEntry) -> String {
    let mut line = match entry {
        LogEntry::Event(logged) => log_record(logged),
        LogEntry::Gap { dropped } => log_gap(*dropped),
    };
    line.push('\n');
    line
}

/// Of a gap nobody knows in which group it is.
const GAPS: &str = "gaps";

/// Synced: what has been taken is not given again.
fn write_files(folder: &Path, own: &Owner, entries: &[LogEntry]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for entry in entries {
        let name = match entry {
            LogEntry::Event(logged) => file_name(own, &logged.about.execution_arn, &logged.logging.log_group_arn),
            LogEntry::Gap { .. } => GAPS.to_owned(),
        };
        texts.entry(name).or_default().push_str(&line(entry));
    }
    for (name, text) in texts {
        let mut file = open(folder, &name)?;
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
    }
    Ok(())
}

fn group_name(log_group_arn: &str) -> &str {
    log_group_arn.split(":log-group:").nth(1).unwrap_or(log_group_arn).trim_end_matches(":*")
}

/// The name of a log group, with what file systems would take for something else replaced; before it region and account
/// of an execution that is not the server's own.
fn file_name(own: &Owner, execution_arn: &str, log_group_arn: &str) -> String {
    let name = group_name(log_group_arn);
    let safe = |char: char| if char.is_ascii_alphanumeric() || "-_#".contains(char) { char } else { '.' };
    let name = name.trim_start_matches('/').chars().map(safe).collect::<String>().trim_start_matches('.').to_owned();
    match Owner::of_arn(execution_arn).filter(|owner| owner != own) {
        Some(other) => format!("{}.{}.{name}", other.region(), other.account()),
        None => name,
    }
}

fn open(folder: &Path, name: &str) -> io::Result<File> {
    let path = folder.join(format!("{name}.log"));
    let file = OpenOptions::new().create(true).append(true).open(&path)?;
    if file.metadata()?.len() < LOG_FILE_BYTES_MAX {
        return Ok(file);
    }
    drop(file);
    let aside = |number: usize| folder.join(format!("{name}.log.{number}"));
    for number in (1..LOG_FILES_MAX - 1).rev() {
        if aside(number).exists() {
            fs::rename(aside(number), aside(number + 1))?;
        }
    }
    fs::rename(&path, aside(1))?;
    OpenOptions::new().create(true).append(true).open(&path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_groups_stay_in_the_folder() {
        let arn = |name: &str| format!("arn:aws:logs:us-east-1:123456789012:log-group:{name}:*");
        let cases = [
            ("/aws/vendedlogs/states/a-b_c", "aws.vendedlogs.states.a-b_c"),
            ("../../etc/x", "etc.x"),
            ("plain", "plain"),
        ];
        let own = Owner::new("us-east-1", "123456789012");
        let execution_arn = "arn:aws:states:us-east-1:123456789012:execution:m:e";
        for (name, expected) in cases {
            assert_eq!(file_name(&own, execution_arn, &arn(name)), expected);
        }
        let others = "arn:aws:states:eu-west-1:111122223333:execution:m:e";
        assert_eq!(file_name(&own, others, &arn("/plain")), "eu-west-1.111122223333.plain");
    }

    #[test]
    fn full_files_are_put_aside_and_the_oldest_goes() {
        let folder = std::env::temp_dir().join(format!("stepwell-logs-{}", std::process::id()));
        let gap = [LogEntry::Gap { dropped: 7 }];
        for _ in 0..LOG_FILES_MAX + 2 {
            write_files(&folder, &Owner::new("us-east-1", "123456789012"), &gap).unwrap();
            let full = OpenOptions::new().write(true).open(folder.join("gaps.log")).unwrap();
            full.set_len(LOG_FILE_BYTES_MAX).unwrap();
        }
        let files = fs::read_dir(&folder).unwrap().count();
        let first = fs::read(folder.join("gaps.log")).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(files, LOG_FILES_MAX);
        assert!(first.starts_with(br#"{"type":"LogGap","details":{"dropped_events":"7"}}"#));
    }
}
