//! Objects of S3, by ranges: each call is short, however slowly the items are used up.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use hyper::{HeaderMap, StatusCode};
use stepwell_expr::{Object, Value};

use super::{
    Problem,
    bucket::{Listed, Piece},
};
use crate::{
    Inner,
    aws::{CallError, Caller, node::Spelling},
    failure::{self, Names},
    http::Answer,
    limits::{S3_PAUSE_FIRST_MS, S3_TRIES_MAX, UPLOAD_PART_BYTES, UPLOAD_PARTS_MAX},
    map_items::bucket,
};

/// A bucket and in whose name it is used.
#[derive(Clone)]
pub(super) struct S3(Arc<Access>);

struct Access {
    inner: Arc<Inner>,
    caller: Caller,
    name: Arc<str>,
    /// As they were given: `ExpectedBucketOwner`, `VersionId`, `RequestPayer`, ...
    arguments: Value,
}

/// How errors of S3 are written. Source: the texts of the SDK for Java 1, which optimised integrations show.
const NAMES: Names = Names { prefix: "S3", service: "Amazon S3", base: "AmazonS3Exception" };

/// What the arguments of a reader or a writer may hold that each of these calls takes.
const SHARED: [&str; 2] = ["ExpectedBucketOwner", "RequestPayer"];

impl S3 {
    pub(super) fn new(inner: Arc<Inner>, caller: Caller, name: Arc<str>, arguments: Value) -> S3 {
        S3(Arc::new(Access { inner, caller, name, arguments }))
    }

    pub(super) fn name(&self) -> &str {
        &self.0.name
    }

    /// The same access to another bucket, of which a manifest speaks.
    pub(super) fn sibling(&self, name: &str) -> S3 {
        let Access { inner, caller, arguments, .. } = &*self.0;
        let mut arguments = arguments.as_object().cloned().unwrap_or_default();
        arguments.shift_remove("VersionId");
        S3::new(inner.clone(), caller.clone(), name.into(), Value::Object(arguments.into()))
    }

    pub(super) async fn read(
        &self,
        key: &str,
        at: u64,
        length: usize,
        version: Option<&str>,
    ) -> Result<Piece, Problem> {
        let last = at + length.max(1) as u64 - 1;
        let mut more = vec![("Key", Value::from(key)), ("Range", format!("bytes={at}-{last}").into())];
        more.extend(version.map(|version| ("IfMatch", Value::from(version))));
        let parameters =
            self.parameters(&["VersionId", "SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5"], more);
        let answer = match self.transfer("getObject", &parameters, None).await {
            Ok(answer) => answer,
            Err(error) => return self.unreadable(key, at, version, &error),
        };
        let version = header(&answer.headers, "etag").unwrap_or_default().into();
        if answer.status == StatusCode::PARTIAL_CONTENT {
            let range = header(&answer.headers, "content-range").unwrap_or_default();
            let size = range.rsplit('/').next().and_then(|size| size.parse().ok());
            let size = size.ok_or_else(|| Problem::new(format!("S3 tells no size of the object `{key}`")))?;
            return Ok(Piece { bytes: answer.body, size, version });
        }
        // Without ranges the whole object came.
        let size = answer.body.len() as u64;
        let start = usize::try_from(at).unwrap_or(usize::MAX).min(answer.body.len());
        let end = start.saturating_add(length).min(answer.body.len());
        Ok(Piece { bytes: answer.body.slice(start..end), size, version })
    }

    fn unreadable(&self, key: &str, at: u64, version: Option<&str>, error: &CallError) -> Result<Piece, Problem> {
        if let CallError::Service { error, .. } = error {
            // No byte is there: the object is empty, or ends here.
            if error.status == StatusCode::RANGE_NOT_SATISFIABLE.as_u16() {
                return Ok(Piece { bytes: Bytes::new(), size: at, version: version.unwrap_or_default().into() });
            }
            if error.status == StatusCode::PRECONDITION_FAILED.as_u16() {
                return Err(changed(self.name(), key));
            }
        }
        Err(self.problem(error))
    }

    async fn call(&self, action: &str, parameters: &Value) -> Result<Value, Problem> {
        let Access { inner, caller, .. } = &*self.0;
        let reply = repeated(|| inner.aws.call(caller, "s3", action, parameters, Spelling::Sdk)).await;
        reply.map(|reply| reply.result).map_err(|error| self.problem(&error))
    }

    async fn transfer(&self, action: &str, parameters: &Value, body: Option<Bytes>) -> Result<Answer, CallError> {
        let Access { inner, caller, .. } = &*self.0;
        repeated(|| inner.aws.transfer(caller, "s3", action, parameters, body.clone())).await
    }

    /// The bucket, what was given with it, and more.
    fn parameters<'n>(&self, kept: &[&str], more: impl IntoIterator<Item = (&'n str, Value)>) -> Value {
        let mut parameters = Object::default();
        parameters.insert("Bucket".into(), Value::String(self.0.name.clone()));
        for name in SHARED.iter().chain(kept) {
            if let Some(value) = self.0.arguments.get(name) {
                parameters.insert((*name).into(), value.clone());
            }
        }
        parameters.extend(more.into_iter().map(|(name, value)| (name.into(), value)));
        Value::Object(parameters.into())
    }

    fn problem(&self, error: &CallError) -> Problem {
        match error {
            CallError::Service { error, .. } => Problem::new(failure::optimised_cause(&NAMES, error)),
            error => Problem::new(error.to_string()),
        }
    }
}

/// Calls again what failed for a reason that passes: a Map Run makes thousands of calls, and each of them can be repeated.
async fn repeated<T, F: Future<Output = Result<T, CallError>>>(call: impl Fn() -> F) -> Result<T, CallError> {
    let mut pause = Duration::from_millis(S3_PAUSE_FIRST_MS);
    for _ in 1..S3_TRIES_MAX {
        match call().await {
            Err(error) if passes(&error) => tracing::debug!(%error, "a call of S3 is made again"),
            done => return done,
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    call().await
}

fn passes(error: &CallError) -> bool {
    match error {
        CallError::Client(_) | CallError::Unreadable => true,
        CallError::Service { error, .. } => {
            error.status >= 500
                || error.status == StatusCode::TOO_MANY_REQUESTS.as_u16()
                || error.code == "RequestTimeout"
        }
        CallError::Parameters(_) | CallError::Catalogue(_) | CallError::NoCredentials | CallError::Role { .. } => false,
    }
}

/// What is told when an object is not what it was when its reading began.
pub(super) fn changed(bucket: &str, key: &str) -> Problem {
    Problem::new(format!("the object `{key}` of the bucket `{bucket}` has changed while its items were read"))
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// A listing, page by page.
pub(super) struct S3Listing {
    bucket: S3,
    prefix: Arc<str>,
    next: Next,
}

/// Where the next page of a listing begins.
enum Next {
    After(Option<Arc<str>>),
    Token(Value),
    End,
}

impl S3Listing {
    pub(super) fn new(bucket: S3, prefix: &str, after: Option<&str>) -> S3Listing {
        S3Listing { bucket, prefix: prefix.into(), next: Next::After(after.map(Arc::from)) }
    }

    /// The next objects; none at the end.
    pub(super) async fn page(&mut self) -> Result<Vec<Listed>, Problem> {
        loop {
            let mut more = vec![("Prefix", Value::String(self.prefix.clone()))];
            match &self.next {
                Next::After(None) => {}
                Next::After(Some(key)) => more.push(("StartAfter", Value::String(key.clone()))),
                Next::Token(token) => more.push(("ContinuationToken", token.clone())),
                Next::End => return Ok(Vec::new()),
            }
            if self.prefix.is_empty() {
                more.remove(0);
            }
            let kept = ["Delimiter", "MaxKeys", "FetchOwner", "OptionalObjectAttributes"];
            let page = self.bucket.call("listObjectsV2", &self.bucket.parameters(&kept, more)).await?;
            let token =
                page.get("NextContinuationToken").filter(|_| page.get("IsTruncated") == Some(&Value::Bool(true)));
            self.next = token.map_or(Next::End, |token| Next::Token(token.clone()));
            let objects = page.get("Contents").and_then(Value::as_array).unwrap_or_default();
            let objects: Vec<Listed> = objects.iter().filter_map(listed).collect();
            if !objects.is_empty() {
                return Ok(objects);
            }
        }
    }
}

fn listed(object: &Value) -> Option<Listed> {
    let text = |name: &str| bucket::text(object, name).ok().flatten();
    let last_modified = text("LastModified").and_then(|text| text.parse::<jiff::Timestamp>().ok());
    Some(Listed {
        key: text("Key")?,
        etag: text("ETag").unwrap_or_default(),
        last_modified: last_modified.map_or(0, jiff::Timestamp::as_second),
        size: object.get("Size").and_then(Value::as_i64).unwrap_or(0),
        storage_class: text("StorageClass").unwrap_or_else(|| "STANDARD".into()),
    })
}

/// An object that is being written: at once if it is small, else by parts.
pub(super) struct S3Upload {
    bucket: S3,
    key: Box<str>,
    /// What is not sent yet; less than a part.
    buffer: BytesMut,
    /// Of the upload by parts, once there is one.
    id: Option<Value>,
    parts: Vec<Value>,
}

impl S3Upload {
    pub(super) fn new(bucket: S3, key: &str) -> S3Upload {
        S3Upload { bucket, key: key.into(), buffer: BytesMut::new(), id: None, parts: Vec::new() }
    }

    pub(super) async fn write(&mut self, bytes: Bytes) -> Result<(), Problem> {
        self.buffer.extend_from_slice(&bytes);
        while self.buffer.len() >= UPLOAD_PART_BYTES {
            let part = self.buffer.split_to(UPLOAD_PART_BYTES).freeze();
            self.send_part(part).await?;
        }
        Ok(())
    }

    pub(super) async fn finish(mut self, bytes: Bytes) -> Result<(), Problem> {
        self.write(bytes).await?;
        let rest = self.buffer.split().freeze();
        if self.id.is_none() {
            let more = [("Key", Value::from(&*self.key)), ("ContentType", CONTENT_TYPE.into())];
            let parameters = self.bucket.parameters(&[], more);
            let put = self.bucket.transfer("putObject", &parameters, Some(rest)).await;
            return put.map(|_| ()).map_err(|error| self.bucket.problem(&error));
        }
        if !rest.is_empty() {
            self.send_part(rest).await?;
        }
        let parts = Value::object([("Parts", Value::array(std::mem::take(&mut self.parts)))]);
        let parameters = self.of_upload([("MultipartUpload", parts)]);
        let completed = self.bucket.call("completeMultipartUpload", &parameters).await;
        if completed.is_err() {
            self.abort().await;
        }
        completed.map(|_| ())
    }

    async fn send_part(&mut self, part: Bytes) -> Result<(), Problem> {
        let sent = self.try_part(part).await;
        if sent.is_err() {
            self.abort().await;
        }
        sent
    }

    async fn try_part(&mut self, part: Bytes) -> Result<(), Problem> {
        if self.parts.len() >= UPLOAD_PARTS_MAX {
            return Err(Problem::new(format!("the object `{}` has more than {UPLOAD_PARTS_MAX} parts", self.key)));
        }
        if self.id.is_none() {
            let more = [
                ("Key", Value::from(&*self.key)),
                ("ContentType", CONTENT_TYPE.into()),
                ("ChecksumAlgorithm", "CRC32".into()),
            ];
            let created = self.bucket.call("createMultipartUpload", &self.bucket.parameters(&[], more)).await?;
            let id = created.get("UploadId").cloned();
            self.id = Some(id.ok_or_else(|| Problem::new("S3 answers no `UploadId`"))?);
        }
        let number = Value::from(self.parts.len() as i64 + 1);
        let parameters = self.of_upload([("PartNumber", number.clone())]);
        let answer = self.bucket.transfer("uploadPart", &parameters, Some(part)).await;
        let answer = answer.map_err(|error| self.bucket.problem(&error))?;
        let told = [("ETag", "etag"), ("ChecksumCRC32", "x-amz-checksum-crc32")];
        let told = told.into_iter().filter_map(|(name, of)| Some((name, Value::from(header(&answer.headers, of)?))));
        self.parts.push(Value::object(told.chain([("PartNumber", number)])));
        Ok(())
    }

    /// Parts that nobody completes would be kept, and paid for. That it fails changes nothing of what is told.
    async fn abort(&self) {
        if self.id.is_some() {
            let parameters = self.of_upload([]);
            if let Err(problem) = self.bucket.call("abortMultipartUpload", &parameters).await {
                tracing::warn!(bucket = self.bucket.name(), key = &*self.key, %problem, "an upload cannot be given up");
            }
        }
    }

    fn of_upload<const N: usize>(&self, more: [(&str, Value); N]) -> Value {
        let own = [("Key", Value::from(&*self.key)), ("UploadId", self.id.clone().unwrap_or(Value::Null))];
        self.bucket.parameters(&[], own.into_iter().chain(more))
    }
}

const CONTENT_TYPE: &str = "application/json";
