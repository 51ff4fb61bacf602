//! Writes the results of a Map Run: files of each kind, then the manifest that names them.

use bytes::Bytes;
use stepwell_expr::Value;
use stepwell_items::results::{self, Group, Outcome, ResultFile, WriterConfig};
use stepwell_machine::Failure;

use super::{
    Problem, WriteSpec,
    bucket::{self, Bucket, Upload},
};
use crate::limits::{RESULT_BUFFER_BYTES, RESULT_FILE_BYTES};

/// Takes outcomes in the order of their items. The same outcomes give the same files, whatever was written before.
pub struct ResultSink {
    bucket: Bucket,
    config: WriterConfig,
    map_run_arn: String,
    /// What all keys begin with: `PREFIX/UUID/`.
    folder: String,
    /// Open files, by kind.
    open: [Option<OpenFile>; Group::ALL.len()],
    /// How many there are of each kind.
    counts: [usize; Group::ALL.len()],
    written: Vec<ResultFile>,
    file_bytes_max: u64,
}

struct OpenFile {
    upload: Upload,
    key: String,
    /// What is not handed on yet.
    buffer: String,
    /// Handed on already.
    size: u64,
}

impl ResultSink {
    pub(super) fn new(bucket: Bucket, spec: WriteSpec) -> Result<ResultSink, Problem> {
        let WriteSpec { arguments, config, map_run_arn, uuid, .. } = spec;
        let prefix = bucket::text(&arguments, "Prefix")?;
        let prefix = prefix.as_deref().unwrap_or("").trim_end_matches('/');
        let slash = if prefix.is_empty() { "" } else { "/" };
        Ok(ResultSink {
            bucket,
            config,
            map_run_arn,
            folder: format!("{prefix}{slash}{uuid}/"),
            open: Default::default(),
            counts: Default::default(),
            written: Vec::new(),
            file_bytes_max: RESULT_FILE_BYTES,
        })
    }

    #[cfg(test)]
    pub(super) fn split_at(self, file_bytes_max: u64) -> ResultSink {
        ResultSink { file_bytes_max, ..self }
    }

    /// Adds an outcome to the files of its kind. Fails with `States.ResultWriterFailed`.
    pub async fn add(&mut self, outcome: &Outcome) -> Result<(), Failure> {
        self.try_add(outcome).await.map_err(Problem::of_writing)
    }

    /// Writes what is left and the manifest, and tells what the state's output is. Fails with `States.ResultWriterFailed`.
    pub async fn finish(mut self) -> Result<Value, Failure> {
        self.try_finish().await.map_err(Problem::of_writing)
    }

    async fn try_add(&mut self, outcome: &Outcome) -> Result<(), Problem> {
        let group = outcome.status.group();
        let (before, between, _) = self.config.output_type.around();
        let mut text = String::new();
        results::entries(outcome, self.config.transformation, |entry| {
            text.push_str(between);
            text.push_str(entry);
        });
        if text.is_empty() {
            return Ok(());
        }
        let file = match self.open[group as usize].take() {
            Some(mut file) => {
                file.buffer.push_str(&text);
                file
            }
            None => {
                let number = self.counts[group as usize];
                self.counts[group as usize] += 1;
                let extension = self.config.output_type.extension();
                let key = format!("{}{}_{number}.{extension}", self.folder, group.name());
                let upload = self.bucket.create(&key).await?;
                OpenFile { upload, key, buffer: format!("{before}{}", &text[between.len()..]), size: 0 }
            }
        };
        self.keep(group, file).await
    }

    /// Hands on what has gathered, and ends a file that is large enough.
    async fn keep(&mut self, group: Group, mut file: OpenFile) -> Result<(), Problem> {
        if file.buffer.len() >= RESULT_BUFFER_BYTES {
            file.size += file.buffer.len() as u64;
            file.upload.write(std::mem::take(&mut file.buffer).into()).await?;
        }
        if file.size + file.buffer.len() as u64 >= self.file_bytes_max {
            return self.close(group, file).await;
        }
        self.open[group as usize] = Some(file);
        Ok(())
    }

    async fn close(&mut self, group: Group, mut file: OpenFile) -> Result<(), Problem> {
        let (_, _, after) = self.config.output_type.around();
        file.buffer.push_str(after);
        let size = file.size + file.buffer.len() as u64;
        file.upload.finish(file.buffer.into()).await?;
        self.written.push(ResultFile { group, key: file.key, size });
        Ok(())
    }

    async fn try_finish(&mut self) -> Result<Value, Problem> {
        for group in Group::ALL {
            if let Some(file) = self.open[group as usize].take() {
                self.close(group, file).await?;
            }
        }
        let key = format!("{}manifest.json", self.folder);
        let manifest = results::manifest(self.bucket.name(), &self.map_run_arn, &self.written);
        self.bucket.create(&key).await?.finish(Bytes::from(manifest)).await?;
        let details = Value::object([("Bucket", Value::from(self.bucket.name())), ("Key", key.into())]);
        Ok(Value::object([("MapRunArn", Value::from(&*self.map_run_arn)), ("ResultWriterDetails", details)]))
    }
}
