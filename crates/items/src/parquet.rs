//! Parquet: each row is an object of its columns.
//!
//! The file is read where its footer says, by whoever has its bytes ([`Ranges`]); that may block. Source of what values become:
//! ours, as no recording shows it.

use std::{
    collections::VecDeque,
    io::{self, Read},
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::{Buf, Bytes};
use jiff::Timestamp;
use parquet::{
    errors::{ParquetError, Result as ParquetResult},
    file::{
        reader::{ChunkReader, FileReader, Length, SerializedFileReader},
        serialized_reader::ReadOptionsBuilder,
    },
    record::{Field, Row, reader::RowIter},
};
use stepwell_expr::{Payload, Value, json};

use crate::{DataError, Item, limits};

/// A file that can be read anywhere.
pub trait Ranges: Send + Sync {
    /// In bytes.
    fn size(&self) -> u64;

    /// Exactly `length` bytes from `at` on; both lie within the file. An error is a sentence. May block.
    fn read(&self, at: u64, length: usize) -> Result<Bytes, String>;
}

/// Reads rows.
pub struct Rows {
    rows: RowIter<'static>,
    /// Rows of the groups from `at.group` on that were not entered yet, and of the one that was.
    sizes: VecDeque<u64>,
    at: Place,
}

/// Where the next row is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub group: usize,
    /// Within its group.
    pub row: u64,
}

/// What stands at the end of each file, behind the length of its footer.
const MAGIC: &[u8] = b"PAR1";
/// Bytes of both.
const TAIL_BYTES: usize = 8;

impl Rows {
    /// Reads the footer, and moves to a row: groups before it are not read, rows of its own group are.
    pub fn open(file: Arc<dyn Ranges>, from: Place) -> Result<Rows, DataError> {
        check_footer(&*file)?;
        // Groups are numbered before any is left out.
        let options = ReadOptionsBuilder::new().with_predicate(Box::new(move |_, number| number >= from.group)).build();
        let reader = SerializedFileReader::new_with_options(Blocks::new(file), options).map_err(damaged)?;
        let groups = reader.metadata().row_groups();
        let sizes = groups.iter().map(|group| u64::try_from(group.num_rows()).unwrap_or(0)).collect();
        let mut rows =
            Rows { rows: RowIter::from_file_into(Box::new(reader)), sizes, at: Place { group: from.group, row: 0 } };
        while rows.at.row < from.row && rows.next_row()?.is_some() {}
        Ok(rows)
    }

    /// Where the next row is.
    pub fn place(&self) -> Place {
        self.at
    }

    /// The next row.
    pub fn next_item(&mut self) -> Result<Option<Item>, DataError> {
        let Some(row) = self.next_row()? else { return Ok(None) };
        let value = Payload::from_value(object(row.into_columns()));
        Ok(Some(Item { value, key: None }))
    }

    fn next_row(&mut self) -> Result<Option<Row>, DataError> {
        let Some(row) = self.rows.next() else { return Ok(None) };
        let row = row.map_err(damaged)?;
        // Groups may be empty.
        while self.sizes.front().is_some_and(|size| self.at.row >= *size) {
            self.sizes.pop_front();
            self.at = Place { group: self.at.group + 1, row: 0 };
        }
        self.at.row += 1;
        Ok(Some(row))
    }
}

fn check_footer(file: &dyn Ranges) -> Result<(), DataError> {
    let no_parquet = || DataError::new("the object is no Parquet file");
    let at = file.size().checked_sub(TAIL_BYTES as u64).ok_or_else(no_parquet)?;
    let mut tail = file.read(at, TAIL_BYTES).map_err(DataError)?;
    if tail.len() != TAIL_BYTES || !tail.ends_with(MAGIC) {
        return Err(no_parquet());
    }
    match tail.get_u32_le() as usize {
        length if length > limits::PARQUET_FOOTER_BYTES_MAX => {
            let max = limits::PARQUET_FOOTER_BYTES_MAX;
            Err(DataError::new(format!("the footer of the Parquet file is larger than {max} bytes")))
        }
        length if length as u64 > at => Err(no_parquet()),
        _ => Ok(()),
    }
}

fn damaged(error: ParquetError) -> DataError {
    DataError::new(format!("the Parquet file cannot be read: {error}"))
}

fn object(columns: Vec<(String, Field)>) -> Value {
    Value::object(columns.into_iter().map(|(name, field)| (name, value(field))))
}

/// Texts, numbers and booleans as they are; times in ISO 8601, in UTC; bytes that are no UTF-8 in base64.
fn value(field: Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(bool) => Value::Bool(bool),
        Field::Byte(number) => i64::from(number).into(),
        Field::Short(number) => i64::from(number).into(),
        Field::Int(number) => i64::from(number).into(),
        Field::Long(number) => number.into(),
        Field::UByte(number) => i64::from(number).into(),
        Field::UShort(number) => i64::from(number).into(),
        Field::UInt(number) => i64::from(number).into(),
        Field::ULong(number) => number_of(&number.to_string()),
        Field::Float16(number) => fraction(number.to_f64().is_finite(), format!("{:?}", number.to_f32())),
        Field::Float(number) => fraction(number.is_finite(), format!("{number:?}")),
        Field::Double(number) => fraction(number.is_finite(), format!("{number:?}")),
        Field::Decimal(_) => number_of(&field.to_string()),
        Field::Str(text) => text.into(),
        Field::Bytes(bytes) => match std::str::from_utf8(bytes.data()) {
            Ok(text) => text.into(),
            Err(_) => STANDARD.encode(bytes.data()).into(),
        },
        Field::Date(days) => moment(Timestamp::from_second(i64::from(days) * 86_400), "%Y-%m-%d", days),
        Field::TimeMillis(ms) => moment(Timestamp::from_millisecond(ms.into()), "%H:%M:%S%.3f", ms),
        Field::TimeMicros(us) => moment(Timestamp::from_microsecond(us), "%H:%M:%S%.6f", us),
        Field::TimestampMillis(ms) => moment(Timestamp::from_millisecond(ms), "%Y-%m-%dT%H:%M:%S%.3fZ", ms),
        Field::TimestampMicros(us) => moment(Timestamp::from_microsecond(us), "%Y-%m-%dT%H:%M:%S%.6fZ", us),
        Field::Group(row) => object(row.into_columns()),
        Field::ListInternal(list) => Value::array(list.elements().iter().cloned().map(value).collect()),
        Field::MapInternal(map) => Value::object(map.entries().iter().map(|(key, of)| (name(key), value(of.clone())))),
    }
}

fn number_of(text: &str) -> Value {
    Value::Number(json::number_from_text(text))
}

/// JSON has neither infinity nor what is not a number.
fn fraction(is_finite: bool, text: String) -> Value {
    if is_finite { number_of(&text) } else { Value::Null }
}

/// The number itself where it is beyond the calendar.
fn moment(time: Result<Timestamp, jiff::Error>, format: &str, number: impl Into<i64>) -> Value {
    match time {
        Ok(time) => time.strftime(format).to_string().into(),
        Err(_) => number.into().into(),
    }
}

/// Names of members are texts.
fn name(key: &Field) -> Arc<str> {
    match value(key.clone()) {
        Value::String(text) => text,
        other => json::to_text(&other).into(),
    }
}

/// The file in blocks, of which the last ones used are kept: columns are read side by side, each in its order.
#[derive(Clone)]
struct Blocks(Arc<Cache>);

struct Cache {
    file: Arc<dyn Ranges>,
    /// By number; the last used at the end.
    kept: Mutex<VecDeque<(u64, Bytes)>>,
}

const BLOCK_BYTES: u64 = limits::PARQUET_BLOCK_BYTES as u64;

impl Blocks {
    fn new(file: Arc<dyn Ranges>) -> Blocks {
        Blocks(Arc::new(Cache { file, kept: Mutex::default() }))
    }

    /// What is from `at` on to the end of its block; nothing at the end of the file.
    fn from(&self, at: u64) -> io::Result<Bytes> {
        let number = at / BLOCK_BYTES;
        let start = number * BLOCK_BYTES;
        let left = self.0.file.size().saturating_sub(start);
        let mut kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().position(|(kept, _)| *kept == number);
        let block = match found.and_then(|place| kept.remove(place)) {
            Some((_, block)) => block,
            None => {
                let length = left.min(BLOCK_BYTES) as usize;
                self.0.file.read(start, length).map_err(io::Error::other)?
            }
        };
        if kept.len() >= limits::PARQUET_BLOCKS_MAX {
            kept.pop_front();
        }
        kept.push_back((number, block.clone()));
        Ok(block.slice(block.len().min((at - start) as usize)..))
    }
}

impl Length for Blocks {
    fn len(&self) -> u64 {
        self.0.file.size()
    }
}

impl ChunkReader for Blocks {
    type T = BlockReader;

    fn get_read(&self, start: u64) -> ParquetResult<BlockReader> {
        Ok(BlockReader { blocks: self.clone(), at: start })
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        let is_within = start.checked_add(length as u64).is_some_and(|end| end <= self.len());
        if !is_within || length > limits::PARQUET_PAGE_BYTES_MAX {
            return Err(ParquetError::EOF(format!("{length} bytes at {start} cannot be read")));
        }
        let block = self.from(start)?;
        if block.len() >= length {
            return Ok(block.slice(..length));
        }
        let mut bytes = vec![0; length];
        self.get_read(start)?.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

struct BlockReader {
    blocks: Blocks,
    at: u64,
}

impl Read for BlockReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let block = self.blocks.from(self.at)?;
        let count = block.len().min(into.len());
        into[..count].copy_from_slice(&block[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use parquet::{
        basic::Compression,
        data_type::{ByteArrayType, DoubleType, Int32Type, Int64Type},
        file::{properties::WriterProperties, writer::SerializedFileWriter},
        schema::parser::parse_message_type,
    };

    use super::*;

    struct Memory(Bytes);

    impl Ranges for Memory {
        fn size(&self) -> u64 {
            self.0.len() as u64
        }

        fn read(&self, at: u64, length: usize) -> Result<Bytes, String> {
            Ok(self.0.slice(at as usize..at as usize + length))
        }
    }

    const SCHEMA: &str = "message rows {
        required int64 id;
        optional binary name (STRING);
        required double share;
        required int64 at (TIMESTAMP(MILLIS, true));
        required int32 day (DATE);
        required int32 price (DECIMAL(9, 2));
        required binary raw;
    }";

    /// Groups of so many rows, numbered through.
    fn file(groups: &[i64], compression: Compression) -> Bytes {
        let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
        let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
        let mut writer = SerializedFileWriter::new(Vec::new(), schema, properties).unwrap();
        let mut first = 0;
        for count in groups {
            let rows = first..first + count;
            let mut group = writer.next_row_group().unwrap();
            macro_rules! column {
                ($type:ty, $levels:expr, $values:expr) => {
                    let mut column = group.next_column().unwrap().unwrap();
                    let values: Vec<_> = $values.collect();
                    column.typed::<$type>().write_batch(&values, $levels, None).unwrap();
                    column.close().unwrap();
                };
            }
            // Every third has no name.
            let has_name = |row: &i64| row % 3 != 2;
            let levels: Vec<i16> = rows.clone().map(|row| i16::from(has_name(&row))).collect();
            column!(Int64Type, None, rows.clone());
            column!(
                ByteArrayType,
                Some(&levels),
                rows.clone().filter(has_name).map(|row| format!("n{row}").as_str().into())
            );
            column!(DoubleType, None, rows.clone().map(|row| row as f64 / 4.0));
            column!(Int64Type, None, rows.clone().map(|row| 1_773_480_413_000 + row));
            column!(Int32Type, None, rows.clone().map(|row| 20_000 + row as i32));
            column!(Int32Type, None, rows.clone().map(|row| 100 + row as i32));
            column!(ByteArrayType, None, rows.clone().map(|_| vec![0xFF_u8, 0].into()));
            group.close().unwrap();
            first += count;
        }
        writer.into_inner().unwrap().into()
    }

    fn rows(file: &Bytes, from: Place) -> Result<Vec<(Place, String)>, DataError> {
        let mut rows = Rows::open(Arc::new(Memory(file.clone())), from)?;
        let mut found = Vec::new();
        while let Some(item) = rows.next_item()? {
            found.push((rows.place(), item.value.text().to_string()));
        }
        Ok(found)
    }

    #[test]
    fn rows_are_objects() {
        let zstd = Compression::ZSTD(parquet::basic::ZstdLevel::default());
        let gzip = Compression::GZIP(parquet::basic::GzipLevel::default());
        for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY, gzip, zstd] {
            let found = rows(&file(&[2, 1], compression), Place::default()).unwrap();
            let texts: Vec<&str> = found.iter().map(|(_, text)| &**text).collect();
            let expected = [
                concat!(
                    r#"{"id":0,"name":"n0","share":0.0,"at":"2026-03-14T09:26:53.000Z","day":"2024-10-04","#,
                    r#""price":1.0,"raw":"/wA="}"#
                ),
                concat!(
                    r#"{"id":1,"name":"n1","share":0.25,"at":"2026-03-14T09:26:53.001Z","day":"2024-10-05","#,
                    r#""price":1.01,"raw":"/wA="}"#
                ),
                concat!(
                    r#"{"id":2,"name":null,"share":0.5,"at":"2026-03-14T09:26:53.002Z","day":"2024-10-06","#,
                    r#""price":1.02,"raw":"/wA="}"#
                ),
            ];
            assert_eq!(texts, expected, "{compression}");
        }
    }

    #[test]
    fn any_place_gives_the_rest() {
        let file = file(&[3, 0, 1, 4], Compression::SNAPPY);
        let all = rows(&file, Place::default()).unwrap();
        assert_eq!(all.len(), 8);
        for (number, (place, _)) in all.iter().enumerate() {
            assert_eq!(rows(&file, *place).unwrap(), all[number + 1..], "{place:?}");
        }
    }

    #[test]
    fn what_is_no_parquet_is_refused() {
        let good = file(&[3], Compression::SNAPPY);
        let cause = |bytes: &[u8]| rows(&Bytes::copy_from_slice(bytes), Place::default()).unwrap_err().0;
        assert_eq!(cause(b""), "the object is no Parquet file");
        assert_eq!(cause(b"a,b,c,d,e,f\n"), "the object is no Parquet file");
        assert_eq!(cause(b"PAR1\x10\0\0\0PAR1"), "the object is no Parquet file");
        assert_eq!(cause(b"\xff\xff\xff\xffPAR1"), "the footer of the Parquet file is larger than 5242880 bytes");
        assert!(cause(&[&good[..20], &good[60..]].concat()).starts_with("the Parquet file cannot be read: "));
    }
}
