//! JSON Lines: each line is an item. Lines of nothing but blanks are none.

use memchr::memchr;
use stepwell_expr::{Payload, json};

use crate::{DataError, Item, Taken, Window};

/// Takes the next line's item.
pub fn next(window: &mut Window) -> Result<Taken, DataError> {
    window.skip_byte_order_mark();
    loop {
        let rest = window.rest();
        let (line, taken) = match memchr(b'\n', rest) {
            Some(end) => (&rest[..end], end + 1),
            None if window.is_whole() && rest.is_empty() => return Ok(Taken::End),
            None if window.is_whole() => (rest, rest.len()),
            None => return window.hungry(),
        };
        let line = line.trim_ascii();
        if line.is_empty() {
            window.take(taken);
            continue;
        }
        let value = value_of(line, window.offset())?;
        window.take(taken);
        return Ok(Taken::Item(Item { value, key: None }));
    }
}

/// One JSON document that stands at `offset`.
pub(crate) fn value_of(bytes: &[u8], offset: u64) -> Result<Payload, DataError> {
    let wrong = |what: &dyn std::fmt::Display| DataError::new(format!("the item at byte {offset} is no JSON: {what}"));
    let text = std::str::from_utf8(bytes).map_err(|error| wrong(&error))?;
    let value = json::parse(text).map_err(|error| wrong(&error))?;
    Ok(Payload::from_value(value))
}
