//! CSV and other delimited text: each row is an object of texts.
//!
//! Source of the rules: Step Functions guide, "How Step Functions parses input CSV files", and recordings.

use memchr::memchr3;
use stepwell_expr::{Payload, java_order, json};

use crate::{DataError, Item, Taken, Window, limits};

/// What stands between fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delimiter {
    #[default]
    Comma,
    Pipe,
    Semicolon,
    Space,
    Tab,
}

impl Delimiter {
    /// By AWS's name, `COMMA`.
    pub fn named(name: &str) -> Option<Delimiter> {
        Some(match name {
            "COMMA" => Delimiter::Comma,
            "PIPE" => Delimiter::Pipe,
            "SEMICOLON" => Delimiter::Semicolon,
            "SPACE" => Delimiter::Space,
            "TAB" => Delimiter::Tab,
            _ => return None,
        })
    }

    fn byte(self) -> u8 {
        match self {
            Delimiter::Comma => b',',
            Delimiter::Pipe => b'|',
            Delimiter::Semicolon => b';',
            Delimiter::Space => b' ',
            Delimiter::Tab => b'\t',
        }
    }
}

/// Reads rows.
#[derive(Debug)]
pub struct Csv {
    delimiter: u8,
    /// `None`: the first row is not read yet, which names them.
    columns: Option<Vec<Column>>,
    /// Cells of the row that is read, used again for each.
    cells: Cells,
}

/// A member of each item.
#[derive(Debug)]
struct Column {
    /// Of the cell in its row.
    place: usize,
    /// `"name":`
    label: Box<str>,
}

impl Csv {
    /// With the names of the columns, or with the first row to name them.
    pub fn new(delimiter: Delimiter, names: Option<&[String]>) -> Result<Csv, DataError> {
        let columns = names.map(columns).transpose()?;
        Ok(Csv { delimiter: delimiter.byte(), columns, cells: Cells::default() })
    }

    /// True once the columns have names: reading may go on at the end of any item.
    pub fn knows_columns(&self) -> bool {
        self.columns.is_some()
    }

    /// Reads the first row if it names the columns; false: more bytes are needed.
    pub fn read_head(&mut self, window: &mut Window) -> Result<bool, DataError> {
        if self.knows_columns() {
            return Ok(true);
        }
        window.skip_byte_order_mark();
        let row = self.cells.read(window.rest(), self.delimiter, window.is_whole());
        let row = row.map_err(|Unclosed| unclosed(window.offset()))?;
        if row.unwrap_or(window.rest().len()) > limits::CSV_HEADER_BYTES_MAX {
            return Err(DataError::new(format!(
                "CSV headers cannot be larger than {} bytes.",
                limits::CSV_HEADER_BYTES_MAX
            )));
        }
        let Some(length) = row else { return Ok(false) };
        let names: Vec<String> = (0..self.cells.count()).map(|place| self.cells.text(place).into_owned()).collect();
        self.columns = Some(columns(&names)?);
        window.take(length);
        Ok(true)
    }

    /// Takes the next row.
    pub fn next(&mut self, window: &mut Window) -> Result<Taken, DataError> {
        if !self.read_head(window)? {
            return window.hungry();
        }
        window.skip_byte_order_mark();
        if window.is_whole() && window.rest().is_empty() {
            return Ok(Taken::End);
        }
        let row = self.cells.read(window.rest(), self.delimiter, window.is_whole());
        match row.map_err(|Unclosed| unclosed(window.offset()))? {
            Some(length) => {
                let value = self.item();
                window.take(length);
                Ok(Taken::Item(Item { value, key: None }))
            }
            None => window.hungry(),
        }
    }

    /// Missing cells are empty, surplus ones are dropped.
    fn item(&self) -> Payload {
        let columns = self.columns.as_deref().unwrap_or_default();
        let labels: usize = columns.iter().map(|column| column.label.len() + 3).sum();
        let mut text = String::with_capacity(labels + self.cells.bytes.len() + 2);
        text.push('{');
        for (number, column) in columns.iter().enumerate() {
            if number > 0 {
                text.push(',');
            }
            text.push_str(&column.label);
            json::write_string(&mut text, &self.cells.text(column.place));
        }
        text.push('}');
        Payload::from_checked_text(text)
    }
}

fn unclosed(offset: u64) -> DataError {
    DataError::new(format!("a quoted field of the CSV row at byte {offset} is not closed"))
}

fn columns(names: &[String]) -> Result<Vec<Column>, DataError> {
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        // Source: a recording.
        return Err(DataError::new("CSV headers cannot contain duplicates."));
    }
    let labelled = |place: usize| {
        let mut label = String::new();
        json::write_string(&mut label, &names[place]);
        label.push(':');
        Column { place, label: label.into() }
    };
    Ok(java_order::of(names).into_iter().map(labelled).collect())
}

/// The cells of one row, without quotes and escapes.
#[derive(Debug, Default)]
struct Cells {
    bytes: Vec<u8>,
    /// Of each cell in `bytes`.
    ends: Vec<usize>,
}

/// The data ended within quotes.
struct Unclosed;

/// Where in a field the parser is.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    Start,
    Plain,
    Quotes,
}

impl Cells {
    fn count(&self) -> usize {
        self.ends.len()
    }

    /// Empty where there is no such cell. What is no UTF-8 becomes U+FFFD, as Java reads it.
    fn text(&self, place: usize) -> std::borrow::Cow<'_, str> {
        let Some(end) = self.ends.get(place) else { return "".into() };
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        String::from_utf8_lossy(&self.bytes[start..*end])
    }

    /// Reads a row and tells its length with its end of line; `None`: it does not end in `bytes`.
    ///
    /// A backslash takes the special meaning of a quote, the delimiter and a backslash; before anything else it vanishes.
    /// Quotes that do not begin a field stand for themselves, two of them for one.
    fn read(&mut self, bytes: &[u8], delimiter: u8, is_whole: bool) -> Result<Option<usize>, Unclosed> {
        self.bytes.clear();
        self.ends.clear();
        let mut within = Within::Start;
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let next = bytes.get(at + 1).copied();
            let is_last = next.is_none() && !is_whole;
            match (byte, within) {
                // What they mean depends on what follows.
                (b'"' | b'\\' | b'\r', _) if is_last => return Ok(None),
                (b'"', Within::Start) => within = Within::Quotes,
                (b'"', _) if next == Some(b'"') => {
                    self.bytes.push(b'"');
                    at += 1;
                }
                (b'"', Within::Quotes) => within = Within::Plain,
                (b'\\', _) => {
                    if let Some(escaped) = next.filter(|next| matches!(next, b'"' | b'\\') || *next == delimiter) {
                        self.bytes.push(escaped);
                        at += 1;
                    }
                    if within == Within::Start {
                        within = Within::Plain;
                    }
                }
                (byte, Within::Start | Within::Plain) if byte == delimiter => {
                    self.ends.push(self.bytes.len());
                    within = Within::Start;
                }
                (b'\n' | b'\r', Within::Start | Within::Plain) => {
                    self.ends.push(self.bytes.len());
                    let length = if byte == b'\r' && next == Some(b'\n') { 2 } else { 1 };
                    return Ok(Some(at + length));
                }
                (_, Within::Quotes) => {
                    let rest = &bytes[at..];
                    let run = memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
                    self.bytes.extend_from_slice(&rest[..run]);
                    at += run;
                    continue;
                }
                (_, Within::Start | Within::Plain) => {
                    let rest = &bytes[at + 1..];
                    let run = plain_run(rest, delimiter);
                    self.bytes.push(byte);
                    self.bytes.extend_from_slice(&rest[..run]);
                    at += run;
                    within = Within::Plain;
                }
            }
            at += 1;
        }
        if !is_whole {
            return Ok(None);
        }
        if within == Within::Quotes {
            return Err(Unclosed);
        }
        self.ends.push(self.bytes.len());
        Ok(Some(at))
    }
}

/// How many bytes stand for themselves.
fn plain_run(bytes: &[u8], delimiter: u8) -> usize {
    let ends_at = memchr3(delimiter, b'\n', b'\r', bytes).unwrap_or(bytes.len());
    memchr::memchr2(b'"', b'\\', &bytes[..ends_at]).unwrap_or(ends_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(delimiter: Delimiter, names: Option<&[&str]>, text: &str) -> Result<Vec<String>, DataError> {
        let names = names.map(|names| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        let mut csv = Csv::new(delimiter, names.as_deref())?;
        let mut window = Window::default();
        window.push(text.as_bytes());
        window.end();
        let mut rows = Vec::new();
        while let Taken::Item(item) = csv.next(&mut window)? {
            rows.push(item.value.text().to_string());
        }
        Ok(rows)
    }

    fn first_row(text: &str) -> Vec<String> {
        rows(Delimiter::Comma, None, text).unwrap()
    }

    #[test]
    fn recorded_rows() {
        let text = "Col1,Col2,Col3\nValue1,Value2,Value3\n,,,\ntrue,1,'HelloWorld'\nNull,None,\n   \n";
        let expected = [
            r#"{"Col1":"Value1","Col2":"Value2","Col3":"Value3"}"#,
            r#"{"Col1":"","Col2":"","Col3":""}"#,
            r#"{"Col1":"true","Col2":"1","Col3":"'HelloWorld'"}"#,
            r#"{"Col1":"Null","Col2":"None","Col3":""}"#,
            r#"{"Col1":"   ","Col2":"","Col3":""}"#,
        ];
        assert_eq!(first_row(text), expected);
        assert_eq!(first_row("H1,\na,b,c"), [r#"{"":"b","H1":"a"}"#]);
        assert_eq!(rows(Delimiter::Comma, Some(&["H1"]), "a,b\n,").unwrap(), [r#"{"H1":"a"}"#, r#"{"H1":""}"#]);
    }

    #[test]
    fn quotes_and_backslashes() {
        // Source: the example of the guide.
        let text = "abc,\"commas, (\"\"), and a newline (\n)\",{\"\"MyKey\"\":\"\"MyValue\"\"},\"[1,2,3]\"";
        let row = rows(Delimiter::Comma, Some(&["a", "b", "c", "d"]), text).unwrap();
        let expected =
            r#"{"a":"abc","b":"commas, (\"), and a newline (\n)","c":"{\"MyKey\":\"MyValue\"}","d":"[1,2,3]"}"#;
        assert_eq!(row, [expected]);
        let rows = first_row("path,size\nC:\\\\Program Files\\\\MyApp.exe,6534512\na\\,b\\c,\"d\\\"e\"\n");
        assert_eq!(
            rows,
            [r#"{"path":"C:\\Program Files\\MyApp.exe","size":"6534512"}"#, r#"{"path":"a,bc","size":"d\"e"}"#]
        );
        assert_eq!(first_row("a,b\nx\"y,\"z\"w\n"), [r#"{"a":"x\"y","b":"zw"}"#]);
        let error = super::tests::rows(Delimiter::Comma, None, "a\n\"b\n").unwrap_err();
        assert_eq!(error.0, "a quoted field of the CSV row at byte 2 is not closed");
    }

    #[test]
    fn ends_of_lines_and_blank_lines() {
        let expected = [r#"{"a":"1"}"#, r#"{"a":""}"#, r#"{"a":"2"}"#];
        for text in ["a\n1\n\n2", "a\r\n1\r\n\r\n2\r\n", "a\r1\r\r2\r", "\u{feff}a\n1\n\n2\n"] {
            assert_eq!(first_row(text), expected, "{text:?}");
        }
        assert!(first_row("a,b\n").is_empty());
        assert!(first_row("").is_empty());
    }

    #[test]
    fn delimiters() {
        for (name, text) in
            [("PIPE", "a|b\n1|,\n"), ("SEMICOLON", "a;b\n1;,"), ("SPACE", "a b\n1 ,"), ("TAB", "a\tb\n1\t,")]
        {
            let delimiter = Delimiter::named(name).unwrap();
            assert_eq!(rows(delimiter, None, text).unwrap(), [r#"{"a":"1","b":","}"#], "{name}");
        }
        assert_eq!(Delimiter::named("COLON"), None);
    }

    #[test]
    fn headers_that_are_refused() {
        let error = rows(Delimiter::Comma, None, "a,b,a\n").unwrap_err();
        assert_eq!(error.0, "CSV headers cannot contain duplicates.");
        let error = rows(Delimiter::Comma, Some(&["x", "x"]), "").unwrap_err();
        assert_eq!(error.0, "CSV headers cannot contain duplicates.");
        let error = rows(Delimiter::Comma, None, &format!("{}\n", "a".repeat(10 * 1024 + 1))).unwrap_err();
        assert_eq!(error.0, "CSV headers cannot be larger than 10240 bytes.");
    }
}
