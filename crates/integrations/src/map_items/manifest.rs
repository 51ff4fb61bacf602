//! Manifests: objects that name the objects whose rows are the items.
//!
//! Source: Step Functions guide, "ItemReader"; S3 guide, "Amazon S3 Inventory"; Athena guide, "UNLOAD".

use std::sync::Arc;

use bytes::Buf;
use stepwell_expr::{Value, json};
use stepwell_items::{
    csv::Delimiter,
    inflate::{Compression, Inflater},
};

use super::{Problem, bucket::Bucket, content::Format};
use crate::limits::{MANIFEST_BYTES_MAX, MANIFEST_FILES_MAX};

/// The objects of a manifest, in its order, and how they are read.
pub(super) struct Manifest {
    pub(super) files: Vec<(Bucket, Arc<str>)>,
    pub(super) format: Format,
}

#[derive(Clone, Debug)]
pub(super) enum ManifestType {
    /// `manifest.json` of an inventory: CSV files, whose columns it names.
    S3Inventory,
    /// A line for each file, in the format that the reader names.
    AthenaData(Format),
}

impl Manifest {
    pub(super) async fn read(bucket: &Bucket, key: &str, kind: &ManifestType) -> Result<Manifest, Problem> {
        let text = whole(bucket, key).await?;
        let manifest = match kind {
            ManifestType::S3Inventory => Manifest::of_inventory(bucket, &text)?,
            ManifestType::AthenaData(format) => Manifest::of_lines(bucket, &text, format.clone())?,
        };
        match manifest.files.len() > MANIFEST_FILES_MAX {
            true => Err(Problem::new(format!("the manifest `{key}` names more than {MANIFEST_FILES_MAX} files"))),
            false => Ok(manifest),
        }
    }

    fn of_inventory(bucket: &Bucket, text: &str) -> Result<Manifest, Problem> {
        let wrong = |what: &str| Problem::new(format!("the manifest of the S3 inventory {what}"));
        let manifest = json::parse(text).map_err(|error| wrong(&format!("is no JSON: {error}")))?;
        let member = |name: &str| manifest.get(name).and_then(Value::as_str);
        match member("fileFormat") {
            Some("CSV") => {}
            format => return Err(wrong(&format!("has files of the format `{}`, not `CSV`", format.unwrap_or("")))),
        }
        let schema = member("fileSchema").ok_or_else(|| wrong("has no `fileSchema`"))?;
        let columns = schema.split(',').map(|name| name.trim().to_owned()).collect();
        let destination = member("destinationBucket").map(|arn| arn.rsplit(":::").next().unwrap_or(arn));
        let bucket = destination.map_or_else(|| bucket.clone(), |name| bucket.sibling(name));
        let files = manifest.get("files").and_then(Value::as_array).ok_or_else(|| wrong("has no `files`"))?;
        let key = |file: &Value| file.get("key").and_then(Value::as_str).map(|key| (bucket.clone(), key.into()));
        let files = files.iter().map(key).collect::<Option<_>>().ok_or_else(|| wrong("names a file without `key`"))?;
        Ok(Manifest { files, format: Format::Csv { delimiter: Delimiter::Comma, columns: Some(columns) } })
    }

    fn of_lines(bucket: &Bucket, text: &str, format: Format) -> Result<Manifest, Problem> {
        let lines = text.lines().map(|line| line.trim().trim_matches('"')).filter(|line| !line.is_empty());
        let file = |line: &str| {
            let wrong = || Problem::new(format!("the manifest names `{line}`, which is no object that can be read"));
            bucket.at_uri(line).ok_or_else(wrong)
        };
        Ok(Manifest { files: lines.map(file).collect::<Result<_, _>>()?, format })
    }
}

/// The text of a small object.
async fn whole(bucket: &Bucket, key: &str) -> Result<String, Problem> {
    let too_large = || Problem::new(format!("the manifest `{key}` is larger than {MANIFEST_BYTES_MAX} bytes"));
    let mut bytes = Vec::new();
    let mut version = None;
    loop {
        let piece = bucket.read(key, bytes.len() as u64, bucket.piece_bytes(), version.as_deref()).await?;
        bytes.extend_from_slice(&piece.bytes);
        if piece.size > MANIFEST_BYTES_MAX as u64 {
            return Err(too_large());
        }
        version = Some(piece.version);
        if piece.bytes.is_empty() || bytes.len() as u64 >= piece.size {
            break;
        }
    }
    if let Some(compression) = Compression::of(&bytes) {
        let mut inflater = Inflater::new(compression)?;
        let mut plain = Vec::new();
        let mut packed = bytes.as_slice();
        while !packed.is_empty() || !inflater.finish(&mut plain)? {
            let taken = inflater.inflate(packed, &mut plain)?;
            packed.advance(taken);
            if plain.len() > MANIFEST_BYTES_MAX {
                return Err(too_large());
            }
        }
        bytes = plain;
    }
    String::from_utf8(bytes).map_err(|_| Problem::new(format!("the manifest `{key}` is no UTF-8")))
}
