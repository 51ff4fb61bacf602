//! Where objects are: a bucket of S3, or a folder of this machine.

use std::sync::Arc;

use bytes::Bytes;
use stepwell_expr::Value;

use super::{
    FileRoots, Problem,
    folder::{Folder, FolderListing, FolderUpload},
    s3::{S3, S3Listing, S3Upload},
};
use crate::{Inner, aws::Caller};

#[derive(Clone)]
pub(super) enum Bucket {
    S3(S3),
    Folder(Folder),
}

/// Part of an object.
pub(super) struct Piece {
    pub(super) bytes: Bytes,
    /// Size of the object, in bytes.
    pub(super) size: u64,
    /// Changes whenever the object does.
    pub(super) version: Arc<str>,
}

/// An object as a listing tells it.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) key: Arc<str>,
    pub(super) etag: Arc<str>,
    /// Seconds since 1970.
    pub(super) last_modified: i64,
    pub(super) size: i64,
    pub(super) storage_class: Arc<str>,
}

/// What `file://` buckets begin with.
const FILE: &str = "file://";

impl Bucket {
    /// The bucket that arguments name; what else they hold is added to each call of S3.
    pub(super) fn new(
        inner: Arc<Inner>,
        caller: Caller,
        roots: &FileRoots,
        arguments: &Value,
    ) -> Result<Bucket, Problem> {
        let name =
            text(arguments, "Bucket")?.ok_or_else(|| Problem::new("The field 'Bucket' is required but was missing"))?;
        match name.strip_prefix(FILE) {
            Some(path) => Folder::new(roots, &name, path).map(Bucket::Folder),
            None => Ok(Bucket::S3(S3::new(inner, caller, name, arguments.clone()))),
        }
    }

    /// Its name in arguments.
    pub(super) fn name(&self) -> &str {
        match self {
            Bucket::S3(s3) => s3.name(),
            Bucket::Folder(folder) => folder.name(),
        }
    }

    /// Another bucket, of which a manifest speaks; a folder has its own alone.
    pub(super) fn sibling(&self, name: &str) -> Bucket {
        match self {
            Bucket::S3(s3) => Bucket::S3(s3.sibling(name)),
            Bucket::Folder(folder) => Bucket::Folder(folder.clone()),
        }
    }

    /// The object that `s3://BUCKET/KEY` names; in a folder `file:///FOLDER/KEY`, or the key alone.
    pub(super) fn at_uri(&self, uri: &str) -> Option<(Bucket, Arc<str>)> {
        match self {
            Bucket::S3(s3) => {
                let (name, key) = uri.strip_prefix("s3://")?.split_once('/')?;
                Some((Bucket::S3(s3.sibling(name)), key.into()))
            }
            Bucket::Folder(folder) => {
                let below = uri.strip_prefix(folder.name()).map(|rest| rest.trim_start_matches('/'));
                let key = below.or((!uri.contains("://")).then_some(uri))?;
                Some((self.clone(), key.into()))
            }
        }
    }

    /// What `Map.Item.Source` is for items of an object, or of the listing. Source: Step Functions guide.
    pub(super) fn source(&self, key: Option<&str>) -> Arc<str> {
        let bucket = match self {
            Bucket::S3(s3) => format!("S3://{}", s3.name()),
            Bucket::Folder(folder) => folder.name().trim_end_matches('/').to_owned(),
        };
        key.map_or_else(|| bucket.as_str().into(), |key| format!("{bucket}/{key}").into())
    }

    /// Reads up to `length` bytes from `at` on; fewer only where the object ends. Of a `version` alone, if one is given.
    pub(super) async fn read(
        &self,
        key: &str,
        at: u64,
        length: usize,
        version: Option<&str>,
    ) -> Result<Piece, Problem> {
        match self {
            Bucket::S3(s3) => s3.read(key, at, length, version).await,
            Bucket::Folder(folder) => folder.read(key, at, length, version).await,
        }
    }

    /// The bytes that one read asks for.
    pub(super) fn piece_bytes(&self) -> usize {
        match self {
            Bucket::S3(_) => crate::limits::OBJECT_PIECE_BYTES,
            Bucket::Folder(_) => crate::limits::FILE_PIECE_BYTES,
        }
    }

    /// Objects whose keys begin with `prefix` and come after `after`, in the order of their keys.
    pub(super) async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Listing, Problem> {
        Ok(match self {
            Bucket::S3(s3) => Listing::S3(S3Listing::new(s3.clone(), prefix, after)),
            Bucket::Folder(folder) => Listing::Folder(folder.list(prefix, after).await?),
        })
    }

    /// Begins to write an object, in place of any that has its key.
    pub(super) async fn create(&self, key: &str) -> Result<Upload, Problem> {
        Ok(match self {
            Bucket::S3(s3) => Upload::S3(S3Upload::new(s3.clone(), key)),
            Bucket::Folder(folder) => Upload::Folder(folder.create(key).await?),
        })
    }
}

pub(super) enum Listing {
    S3(S3Listing),
    Folder(FolderListing),
}

impl Listing {
    /// The next objects; none at the end.
    pub(super) async fn page(&mut self) -> Result<Vec<Listed>, Problem> {
        match self {
            Listing::S3(listing) => listing.page().await,
            Listing::Folder(listing) => listing.page().await,
        }
    }
}

/// An object that is being written.
pub(super) enum Upload {
    S3(S3Upload),
    Folder(FolderUpload),
}

impl Upload {
    /// Adds to the object.
    pub(super) async fn write(&mut self, bytes: Bytes) -> Result<(), Problem> {
        match self {
            Upload::S3(upload) => upload.write(bytes).await,
            Upload::Folder(upload) => upload.write(bytes).await,
        }
    }

    /// The object is there, whole and durable, once this has answered. `bytes` are its last.
    pub(super) async fn finish(self, bytes: Bytes) -> Result<(), Problem> {
        match self {
            Upload::S3(upload) => upload.finish(bytes).await,
            Upload::Folder(upload) => upload.finish(bytes).await,
        }
    }
}

/// A text among arguments.
pub(super) fn text(arguments: &Value, name: &str) -> Result<Option<Arc<str>>, Problem> {
    match arguments.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Problem::new(format!("The value for the field '{name}' must be a STRING"))),
    }
}
