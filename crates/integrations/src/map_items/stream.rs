//! The items of a reader, in batches: those of one object, of many, or a listing itself.

use std::{collections::VecDeque, sync::Arc};

use stepwell_expr::{Payload, Value};
use stepwell_items::{csv::Delimiter, json::Pointer};
use stepwell_machine::Failure;

use super::{
    Problem, ReadResource, ReadSpec, ReaderConfig,
    bucket::{self, Bucket, Listed, Listing},
    content::{Content, Format},
    manifest::{Manifest, ManifestType},
    position::{Place, Position, Within},
};
use crate::limits::ITEMS_MAX;

/// An item with where it came from.
#[derive(Clone, Debug)]
pub struct Item {
    pub value: Payload,
    /// The member's name, of an item of a JSON object.
    pub key: Option<Arc<str>>,
    /// What `Map.Item.Source` says.
    pub source: Arc<str>,
}

/// Items that follow each other.
#[derive(Clone, Debug)]
pub struct Batch {
    pub items: Vec<Item>,
    /// Behind the last of them.
    pub position: Position,
    /// Nothing follows. It may turn out only with the next batch, which then is empty.
    pub end: bool,
}

/// Items that are read, in their order.
pub struct ItemStream {
    source: Source,
    /// Items that are given in all at most.
    max: u64,
    /// Behind the last item that was given.
    place: Place,
    /// An item that had no room in the last batch, and the place behind it.
    held: Option<(Item, Place)>,
}

enum Source {
    /// Each object of the listing is an item.
    Listing { bucket: Bucket, listing: Listing, page: VecDeque<Listed> },
    /// The items are in objects.
    Contents(Box<Contents>),
}

/// Items of objects, one after the other.
struct Contents {
    objects: Objects,
    format: Format,
    /// The one that is read, and what it is called in positions.
    open: Option<(Option<Arc<str>>, Content)>,
}

/// Objects that are still to be read.
enum Objects {
    One(Option<(Bucket, Arc<str>)>),
    Listed {
        bucket: Bucket,
        listing: Listing,
        page: VecDeque<Listed>,
    },
    /// By a manifest; called by their numbers.
    Named {
        files: Vec<(Bucket, Arc<str>)>,
        next: usize,
    },
}

/// What an `ItemReader` asks for, checked.
pub(super) struct Reading {
    what: What,
    max: u64,
}

enum What {
    /// The objects of a listing, or with a format the items that they hold.
    Listing {
        prefix: Arc<str>,
        start_after: Option<Arc<str>>,
        contents: Option<Format>,
    },
    Object {
        key: Arc<str>,
        format: Format,
    },
    Manifest {
        key: Arc<str>,
        kind: ManifestType,
    },
}

impl Reading {
    pub(super) fn new(spec: &ReadSpec) -> Result<Reading, Problem> {
        let config = &spec.config;
        let max = match config.max_items {
            // Source: a recording.
            Some(..0) => return Err(Problem::new("field MaxItems must be positive")),
            None | Some(0) => ITEMS_MAX,
            Some(max) => max.unsigned_abs().min(ITEMS_MAX),
        };
        let text = |name: &str| bucket::text(&spec.arguments, name);
        let what = match spec.resource {
            ReadResource::ListObjectsV2 => What::Listing {
                prefix: text("Prefix")?.unwrap_or_else(|| "".into()),
                start_after: text("StartAfter")?,
                contents: match config.transformation.as_deref() {
                    None | Some("NONE") => None,
                    Some("LOAD_AND_FLATTEN") => Some(Format::new(config)?),
                    Some(other) => return Err(unsupported("Transformation", other)),
                },
            },
            ReadResource::GetObject => {
                let key = text("Key")?.ok_or_else(|| missing("Key"))?;
                match (config.manifest_type.as_deref(), config.input_type.as_deref()) {
                    (Some("S3_INVENTORY"), _) | (None, Some("MANIFEST")) => {
                        What::Manifest { key, kind: ManifestType::S3Inventory }
                    }
                    (Some("ATHENA_DATA"), _) => {
                        What::Manifest { key, kind: ManifestType::AthenaData(Format::new(config)?) }
                    }
                    (Some(other), _) => return Err(unsupported("ManifestType", other)),
                    (None, _) => What::Object { key, format: Format::new(config)? },
                }
            }
        };
        Ok(Reading { what, max })
    }
}

fn unsupported(field: &str, value: &str) -> Problem {
    Problem::new(format!("The {field} '{value}' is not supported"))
}

fn missing(field: &str) -> Problem {
    Problem::new(format!("The field '{field}' is required but was missing"))
}

impl Format {
    fn new(config: &ReaderConfig) -> Result<Format, Problem> {
        match config.input_type.as_deref() {
            Some("CSV") => Format::csv(config),
            Some("JSON") => {
                let pointer = config.items_pointer.as_deref().map(Pointer::parse).transpose()?;
                Ok(Format::Json { pointer })
            }
            Some("JSONL") => Ok(Format::JsonLines),
            Some("PARQUET") => Ok(Format::Parquet),
            Some(other) => Err(unsupported("InputType", other)),
            None => Err(missing("InputType")),
        }
    }

    fn csv(config: &ReaderConfig) -> Result<Format, Problem> {
        let name = config.csv_delimiter.as_deref().unwrap_or("COMMA");
        let delimiter = Delimiter::named(name).ok_or_else(|| unsupported("CSVDelimiter", name))?;
        let columns = match (config.csv_header_location.as_deref(), &config.csv_headers) {
            (Some("FIRST_ROW"), _) => None,
            (Some("GIVEN"), Some(columns)) => Some(columns.as_slice().into()),
            (Some("GIVEN"), None) => return Err(missing("CSVHeaders")),
            (Some(other), _) => return Err(unsupported("CSVHeaderLocation", other)),
            (None, _) => return Err(missing("CSVHeaderLocation")),
        };
        Ok(Format::Csv { delimiter, columns })
    }
}

impl ItemStream {
    pub(super) async fn open(reading: Reading, bucket: Bucket, from: Option<Position>) -> Result<ItemStream, Problem> {
        let place = from.map(|position| Place::read(&position)).transpose()?.unwrap_or_default();
        let source = Source::open(reading.what, bucket, &place).await?;
        Ok(ItemStream { source, max: reading.max, place, held: None })
    }

    /// The next items: at most `max_items`, and, but for the first, no more than `max_bytes` of their values' texts.
    ///
    /// Fails with `States.ItemReaderFailed`; the same position gives the same items again.
    pub async fn next(&mut self, max_items: usize, max_bytes: usize) -> Result<Batch, Failure> {
        let mut items = Vec::new();
        let mut room = max_bytes;
        let mut end = false;
        while items.len() < max_items.max(1) {
            let next = match self.held.take() {
                Some(held) => Some(held),
                None => self.item().await.map_err(Problem::of_reading)?,
            };
            let Some((item, place)) = next else {
                end = true;
                break;
            };
            let bytes = item.value.bytes();
            if bytes > room && !items.is_empty() {
                self.held = Some((item, place));
                break;
            }
            room = room.saturating_sub(bytes);
            items.push(item);
            self.place = place;
        }
        Ok(Batch { items, position: self.place.position(), end })
    }

    /// The next item and the place behind it.
    async fn item(&mut self) -> Result<Option<(Item, Place)>, Problem> {
        if self.place.given >= self.max {
            return Ok(None);
        }
        let given = self.place.given + 1;
        match &mut self.source {
            Source::Listing { bucket, listing, page } => {
                let Some(listed) = next_listed(listing, page).await? else { return Ok(None) };
                let place = Place { given, object: Some(listed.key.clone()), within: None };
                let item = Item { value: told(&listed), key: None, source: bucket.source(None) };
                Ok(Some((item, place)))
            }
            Source::Contents(contents) => {
                let Some((item, object, within)) = contents.next().await? else { return Ok(None) };
                Ok(Some((item, Place { given, object, within: Some(within) })))
            }
        }
    }
}

impl Source {
    /// Opens what is to be read, behind a place.
    async fn open(what: What, bucket: Bucket, place: &Place) -> Result<Source, Problem> {
        let (objects, format) = match what {
            What::Listing { prefix, start_after, contents } => {
                let after = place.object.clone().or(start_after);
                let listing = bucket.list(&prefix, after.as_deref()).await?;
                match contents {
                    None => return Ok(Source::Listing { bucket, listing, page: VecDeque::new() }),
                    Some(format) => {
                        let objects = Objects::Listed { bucket: bucket.clone(), listing, page: VecDeque::new() };
                        (objects, format)
                    }
                }
            }
            What::Object { key, format } => (Objects::One(Some((bucket.clone(), key))), format),
            What::Manifest { key, kind } => {
                let Manifest { files, format } = Manifest::read(&bucket, &key, &kind).await?;
                let next = place.object.as_deref().and_then(|number| number.parse().ok()).unwrap_or(0);
                (Objects::Named { files, next }, format)
            }
        };
        let mut contents = Contents { objects, format, open: None };
        contents.resume(&bucket, place).await?;
        Ok(Source::Contents(Box::new(contents)))
    }
}

impl Contents {
    /// Opens the object in which the place is.
    async fn resume(&mut self, bucket: &Bucket, place: &Place) -> Result<(), Problem> {
        let Some(within) = &place.within else { return Ok(()) };
        let object = match (&self.objects, &place.object) {
            // The listing goes on behind it.
            (Objects::Listed { .. }, Some(key)) => Some((Some(key.clone()), bucket.clone(), key.clone())),
            _ => self.objects.next().await?,
        };
        if let Some((name, bucket, key)) = object {
            self.open = Some((name, Content::open(bucket, key, &self.format, Some(within.clone())).await?));
        }
        Ok(())
    }

    /// The next item, what its object is called in positions, and where in that the one after it begins.
    async fn next(&mut self) -> Result<Option<(Item, Option<Arc<str>>, Within)>, Problem> {
        loop {
            if let Some((name, content)) = &mut self.open
                && let Some((item, within)) = content.next().await?
            {
                let item = Item { value: item.value, key: item.key, source: content.source().clone() };
                return Ok(Some((item, name.clone(), within)));
            }
            let Some((name, bucket, key)) = self.objects.next().await? else { return Ok(None) };
            self.open = Some((name, Content::open(bucket, key, &self.format, None).await?));
        }
    }
}

impl Objects {
    /// The next object, and what it is called in positions.
    async fn next(&mut self) -> Result<Option<(Option<Arc<str>>, Bucket, Arc<str>)>, Problem> {
        match self {
            Objects::One(object) => Ok(object.take().map(|(bucket, key)| (None, bucket, key))),
            Objects::Listed { bucket, listing, page } => {
                while let Some(Listed { key, size, .. }) = next_listed(listing, page).await? {
                    // Consoles make folders by empty objects, which hold no items.
                    if size > 0 || !key.ends_with('/') {
                        return Ok(Some((Some(key.clone()), bucket.clone(), key)));
                    }
                }
                Ok(None)
            }
            Objects::Named { files, next } => {
                let Some((bucket, key)) = files.get(*next).cloned() else { return Ok(None) };
                let name = next.to_string().into();
                *next += 1;
                Ok(Some((Some(name), bucket, key)))
            }
        }
    }
}

async fn next_listed(listing: &mut Listing, page: &mut VecDeque<Listed>) -> Result<Option<Listed>, Problem> {
    if page.is_empty() {
        page.extend(listing.page().await?);
    }
    Ok(page.pop_front())
}

/// Source: Step Functions guide, "ItemReader"; the names differ from those of S3.
fn told(listed: &Listed) -> Payload {
    Payload::from_value(Value::object([
        ("Etag", Value::String(listed.etag.clone())),
        ("Key", Value::String(listed.key.clone())),
        ("LastModified", Value::from(listed.last_modified)),
        ("Size", Value::from(listed.size)),
        ("StorageClass", Value::String(listed.storage_class.clone())),
    ]))
}
