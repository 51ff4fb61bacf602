//! The items of a reader, in batches: those of one object, of many, or a listing itself.

use std::{collections::VecDeque, sync::Arc};

use stepwell_expr::{Payload, Value};
use stepwell_items::{csv::Delimiter, json::Pointer};
use stepwell_machine::Failure;

use super::{
    Problem, ReadResource, ReadSpec, ReaderConfig,
    bucket::{self, Bucket, Listed, Listing},
    content::{Content, Format},
    position::{Place, Position},
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
    /// The items are in one object.
    Object { content: Content },
}

/// What an `ItemReader` asks for, checked.
pub(super) struct Reading {
    what: What,
    max: u64,
}

enum What {
    Listing { prefix: Arc<str>, start_after: Option<Arc<str>> },
    Object { key: Arc<str>, format: Format },
}

impl Reading {
    pub(super) fn new(spec: &ReadSpec) -> Result<Reading, Problem> {
        let max = match spec.config.max_items {
            // Source: a recording.
            Some(..0) => return Err(Problem::new("field MaxItems must be positive")),
            None | Some(0) => ITEMS_MAX,
            Some(max) => max.unsigned_abs().min(ITEMS_MAX),
        };
        let text = |name: &str| bucket::text(&spec.arguments, name);
        let what = match spec.resource {
            ReadResource::ListObjectsV2 => {
                let prefix = text("Prefix")?.unwrap_or_else(|| "".into());
                What::Listing { prefix, start_after: text("StartAfter")? }
            }
            ReadResource::GetObject => {
                let key = text("Key")?.ok_or_else(|| Problem::new("The field 'Key' is required but was missing"))?;
                What::Object { key, format: Format::new(&spec.config)? }
            }
        };
        Ok(Reading { what, max })
    }
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
            Some(other) => Err(Problem::new(format!("The InputType '{other}' is not supported"))),
            None => Err(Problem::new("The field 'InputType' is required but was missing")),
        }
    }

    fn csv(config: &ReaderConfig) -> Result<Format, Problem> {
        let name = config.csv_delimiter.as_deref().unwrap_or("COMMA");
        let delimiter = Delimiter::named(name);
        let delimiter = delimiter.ok_or_else(|| Problem::new(format!("The CSVDelimiter '{name}' is not supported")))?;
        let columns = match (config.csv_header_location.as_deref(), &config.csv_headers) {
            (Some("FIRST_ROW"), _) => None,
            (Some("GIVEN"), Some(columns)) => Some(columns.as_slice().into()),
            (Some("GIVEN"), None) => return Err(Problem::new("The field 'CSVHeaders' is required but was missing")),
            (Some(other), _) => return Err(Problem::new(format!("The CSVHeaderLocation '{other}' is not supported"))),
            (None, _) => return Err(Problem::new("The field 'CSVHeaderLocation' is required but was missing")),
        };
        Ok(Format::Csv { delimiter, columns })
    }
}

impl ItemStream {
    pub(super) async fn open(reading: Reading, bucket: Bucket, from: Option<Position>) -> Result<ItemStream, Problem> {
        let place = from.map(|position| Place::read(&position)).transpose()?.unwrap_or_default();
        let source = match reading.what {
            What::Listing { prefix, start_after } => {
                let after = place.object.clone().or(start_after);
                let listing = bucket.list(&prefix, after.as_deref()).await?;
                Source::Listing { bucket, listing, page: VecDeque::new() }
            }
            What::Object { key, format } => {
                let content = Content::open(bucket, key, &format, place.within.clone()).await?;
                Source::Object { content }
            }
        };
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
                if page.is_empty() {
                    page.extend(listing.page().await?);
                }
                let Some(listed) = page.pop_front() else { return Ok(None) };
                let place = Place { given, object: Some(listed.key.clone()), within: None };
                let item = Item { value: told(&listed), key: None, source: bucket.source(None) };
                Ok(Some((item, place)))
            }
            Source::Object { content } => {
                let Some(found) = content.next().await? else { return Ok(None) };
                let item = Item { value: found.value, key: found.key, source: content.source().clone() };
                let place = Place { given, object: None, within: Some(content.within()) };
                Ok(Some((item, place)))
            }
        }
    }
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
