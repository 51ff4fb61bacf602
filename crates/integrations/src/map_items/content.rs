//! The items that one object holds: of text as it comes, of Parquet where its footer says.

use std::sync::Arc;

use bytes::{Buf, Bytes};
use stepwell_items::{
    Item, Taken, Window,
    csv::{Csv, Delimiter},
    inflate::{Compression, Inflater},
    json::{Container, Json, Pointer},
    json_lines,
};

use super::{
    Problem,
    bucket::Bucket,
    position::{Mark, Within},
    rows::RowContent,
};

/// How objects are read.
#[derive(Clone, Debug)]
pub(super) enum Format {
    Csv {
        delimiter: Delimiter,
        /// `None`: the first row names them.
        columns: Option<Arc<[String]>>,
    },
    Json {
        pointer: Option<Pointer>,
    },
    JsonLines,
    Parquet,
}

/// An object that is read.
pub(super) enum Content {
    Text(Box<TextContent>),
    Rows(Box<RowContent>),
}

impl Content {
    /// Opens an object, at its first item or where reading stopped.
    pub(super) async fn open(
        bucket: Bucket,
        key: Arc<str>,
        format: &Format,
        from: Option<Within>,
    ) -> Result<Content, Problem> {
        let elsewhere = || Problem::new("the position in the items is one of another format");
        let reader = match format {
            Format::Csv { delimiter, columns } => Reader::Csv(Csv::new(*delimiter, columns.as_deref())?),
            Format::Json { pointer } => Reader::Json(Json::new(pointer.clone())),
            Format::JsonLines => Reader::JsonLines,
            Format::Parquet => {
                let from = match from {
                    None => None,
                    Some(Within { version, mark: Mark::Row(place) }) => Some((version, place)),
                    Some(Within { mark: Mark::Text { .. }, .. }) => return Err(elsewhere()),
                };
                return Ok(Content::Rows(Box::new(RowContent::open(bucket, key, from).await?)));
            }
        };
        let mut content = TextContent::new(bucket, key, reader);
        match from {
            None => content.begin().await?,
            Some(Within { version, mark: Mark::Text { offset, is_compressed, container } }) => {
                content.resume(version, offset, is_compressed, container).await?;
            }
            Some(Within { mark: Mark::Row(_), .. }) => return Err(elsewhere()),
        }
        Ok(Content::Text(Box::new(content)))
    }

    /// What `Map.Item.Source` says.
    pub(super) fn source(&self) -> &Arc<str> {
        match self {
            Content::Text(content) => &content.source,
            Content::Rows(content) => content.source(),
        }
    }

    /// The next item, and where the one after it begins.
    pub(super) async fn next(&mut self) -> Result<Option<(Item, Within)>, Problem> {
        match self {
            Content::Text(content) => Ok(content.next().await?.map(|item| (item, content.within()))),
            Content::Rows(content) => content.next().await,
        }
    }
}

/// An object of text.
pub(super) struct TextContent {
    bucket: Bucket,
    key: Arc<str>,
    source: Arc<str>,
    /// Of the object; known once something of it was read.
    version: Option<Arc<str>>,
    /// The byte of the object that is fetched next.
    fetch_at: u64,
    /// Nothing is left to be fetched.
    is_fetched: bool,
    /// Fetched, and not in the window yet.
    packed: Bytes,
    inflater: Option<Inflater>,
    window: Window,
    reader: Reader,
}

enum Reader {
    Csv(Csv),
    Json(Json),
    JsonLines,
}

impl TextContent {
    fn new(bucket: Bucket, key: Arc<str>, reader: Reader) -> TextContent {
        TextContent {
            source: bucket.source(Some(&key)),
            bucket,
            key,
            version: None,
            fetch_at: 0,
            is_fetched: false,
            packed: Bytes::new(),
            inflater: None,
            window: Window::default(),
            reader,
        }
    }

    async fn next(&mut self) -> Result<Option<Item>, Problem> {
        loop {
            let taken = match &mut self.reader {
                Reader::Csv(csv) => csv.next(&mut self.window)?,
                Reader::Json(json) => json.next(&mut self.window)?,
                Reader::JsonLines => json_lines::next(&mut self.window)?,
            };
            match taken {
                Taken::Item(item) => return Ok(Some(item)),
                Taken::End => return Ok(None),
                Taken::Hungry => self.feed().await?,
            }
        }
    }

    /// Where the next item begins.
    fn within(&self) -> Within {
        let container = match &self.reader {
            Reader::Json(json) => json.container(),
            Reader::Csv(_) | Reader::JsonLines => None,
        };
        let (offset, is_compressed) = (self.window.offset(), self.inflater.is_some());
        let version = self.version.clone().unwrap_or_else(|| "".into());
        Within { version, mark: Mark::Text { offset, is_compressed, container } }
    }

    /// Fetches the first bytes, which tell whether the object is compressed.
    async fn begin(&mut self) -> Result<(), Problem> {
        self.fetch().await?;
        self.inflater = Compression::of(&self.packed).map(Inflater::new).transpose()?;
        Ok(())
    }

    /// Goes on at a mark: at once in a plain object, behind all that stands before it in a compressed one.
    async fn resume(
        &mut self,
        version: Arc<str>,
        offset: u64,
        is_compressed: bool,
        container: Option<Container>,
    ) -> Result<(), Problem> {
        self.version = Some(version);
        let names_columns = matches!(&self.reader, Reader::Csv(csv) if !csv.knows_columns());
        if is_compressed || names_columns {
            self.begin().await?;
            self.read_head().await?;
        }
        if let (Some(container), Reader::Json(json)) = (container, &mut self.reader) {
            *json = Json::resumed(container);
        }
        if is_compressed {
            while !self.window.skip_to(offset) {
                self.feed().await?;
            }
        } else {
            self.window = Window::starting_at(offset);
            self.packed = Bytes::new();
            (self.fetch_at, self.is_fetched) = (offset, false);
        }
        Ok(())
    }

    /// Reads the row that names the columns.
    async fn read_head(&mut self) -> Result<(), Problem> {
        loop {
            let is_read = match &mut self.reader {
                Reader::Csv(csv) => csv.read_head(&mut self.window)?,
                Reader::Json(_) | Reader::JsonLines => true,
            };
            if is_read {
                return Ok(());
            }
            self.feed().await?;
        }
    }

    /// Puts more of the object into the window.
    async fn feed(&mut self) -> Result<(), Problem> {
        if self.window.is_whole() {
            return Err(Problem::new(format!("the object `{}` ends where its items do not", self.key)));
        }
        if self.packed.is_empty() && !self.is_fetched {
            self.fetch().await?;
        }
        let Some(inflater) = &mut self.inflater else {
            self.window.push(&std::mem::take(&mut self.packed));
            if self.is_fetched {
                self.window.end();
            }
            return Ok(());
        };
        let mut plain = Vec::new();
        while !self.packed.is_empty() && plain.len() < crate::limits::FILE_PIECE_BYTES {
            let taken = inflater.inflate(&self.packed, &mut plain)?;
            self.packed.advance(taken);
        }
        let is_finished = self.packed.is_empty() && self.is_fetched && inflater.finish(&mut plain)?;
        self.window.push(&plain);
        if is_finished {
            self.window.end();
        }
        Ok(())
    }

    async fn fetch(&mut self) -> Result<(), Problem> {
        let length = self.bucket.piece_bytes();
        let piece = self.bucket.read(&self.key, self.fetch_at, length, self.version.as_deref()).await?;
        self.fetch_at += piece.bytes.len() as u64;
        self.is_fetched = piece.bytes.is_empty() || self.fetch_at >= piece.size;
        self.version.get_or_insert(piece.version);
        self.packed = piece.bytes;
        Ok(())
    }
}
