//! Items as JSON text, as JavaScript's `JSON.stringify` writes it.

use std::fmt::Write;

use super::budget::{Budget, Budgeted, Outcome, Stop};
use super::fault::Fault;
use super::item::Item;
use super::number;
use crate::limits::{JSONATA_ERROR_BYTES_MAX, JSONATA_STRING_BYTES_MAX};

/// What `$string` gives for anything but a text. Pays for the work, not for the text.
pub(super) fn string(item: &Item, pretty: bool, budget: &mut Budget) -> Outcome<String> {
    match item {
        Item::Function(_) => return Ok(String::new()),
        Item::Number(number) if !number.is_finite() => return Err(Fault::new("D3001").into()),
        _ => {}
    }
    let mut printer = Printer { out: String::new(), pretty, level: 0, budget };
    // What stands around an input that is an array is not there.
    match item {
        Item::List(list) if list.marks.wrapper => printer.item(&list.elements().get(0))?,
        _ => printer.item(item)?,
    }
    Ok(printer.out)
}

struct Printer<'b> {
    out: String,
    pretty: bool,
    level: usize,
    budget: &'b mut Budget,
}

impl Budgeted for Printer<'_> {
    fn budget(&mut self) -> &mut Budget {
        self.budget
    }
}

impl Printer<'_> {
    fn item(&mut self, item: &Item) -> Outcome<()> {
        let before = self.out.len();
        match item {
            Item::Undefined | Item::Null => self.out.push_str("null"),
            Item::Bool(bool) => self.out.push_str(if *bool { "true" } else { "false" }),
            Item::Number(number) if number.is_infinite() => {
                return Err(Fault::new("D1001").value(item).into());
            }
            Item::Number(number) => write_number(&mut self.out, number::rounded(*number)),
            Item::Text(text) => write_text(&mut self.out, text),
            Item::Function(_) => self.out.push_str("\"\""),
            Item::Array(_) | Item::List(_) | Item::Tuples(_) => return self.deeper(|printer| printer.array(item)),
            Item::Object(_) | Item::Record(_) => return self.deeper(|printer| printer.object(item)),
        }
        self.check(self.out.len() - before)
    }

    /// `bytes`: so many were written since the last check.
    fn check(&mut self, bytes: usize) -> Outcome<()> {
        self.budget.burn(4 + bytes / 8)?;
        if self.out.len() > JSONATA_STRING_BYTES_MAX { Err(Stop::OutOfMemory) } else { Ok(()) }
    }

    fn array(&mut self, item: &Item) -> Outcome<()> {
        let elements = item.as_elements();
        self.out.push('[');
        self.level += 1;
        for (index, element) in elements.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            self.new_line();
            self.item(&element)?;
        }
        self.level -= 1;
        if elements.len() > 0 {
            self.new_line();
        }
        self.out.push(']');
        self.check(2)
    }

    fn object(&mut self, item: &Item) -> Outcome<()> {
        let Some(members) = item.members() else {
            return Ok(());
        };
        self.out.push('{');
        self.level += 1;
        let mut is_first = true;
        for (name, member) in members.iter() {
            if !is_first {
                self.out.push(',');
            }
            is_first = false;
            self.new_line();
            write_text(&mut self.out, name);
            self.out.push_str(if self.pretty { ": " } else { ":" });
            self.check(name.len())?;
            self.item(&member)?;
        }
        self.level -= 1;
        if !is_first {
            self.new_line();
        }
        self.out.push('}');
        self.check(2)
    }

    fn new_line(&mut self) {
        if self.pretty {
            self.out.push('\n');
            (0..self.level).for_each(|_| self.out.push_str("  "));
        }
    }
}

fn write_number(out: &mut String, number: f64) {
    if number.is_nan() {
        out.push_str("null");
    } else if number.fract() == 0.0 && number.abs() < 1e15 {
        write!(out, "{}", number as i64).expect("writing to a String does not fail");
    } else {
        out.push_str(&number::to_text(number));
    }
}

/// JavaScript's escapes: lower-case hex digits.
fn write_text(out: &mut String, text: &str) {
    out.push('"');
    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&text[plain_from..at]);
        plain_from = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x08 => out.push_str("\\b"),
            0x0c => out.push_str("\\f"),
            _ => write!(out, "\\u{byte:04x}").expect("writing to a String does not fail"),
        }
    }
    out.push_str(&text[plain_from..]);
    out.push('"');
}

/// An item as an error's sentence shows it: JSON, cut where it gets long.
pub(super) fn shown(item: &Item) -> String {
    let mut out = String::new();
    let written = show(item, &mut out, 0);
    if !written {
        out.truncate(out.floor_char_boundary(JSONATA_ERROR_BYTES_MAX));
    }
    out
}

/// Levels that an error shows.
const SHOWN_DEPTH_MAX: usize = 100;

/// False once there is enough.
fn show(item: &Item, out: &mut String, depth: usize) -> bool {
    if out.len() > JSONATA_ERROR_BYTES_MAX || depth > SHOWN_DEPTH_MAX {
        return false;
    }
    match item {
        Item::Undefined => out.push_str("undefined"),
        Item::Null => out.push_str("null"),
        Item::Bool(bool) => out.push_str(if *bool { "true" } else { "false" }),
        Item::Number(number) if !number.is_finite() => out.push_str("null"),
        Item::Number(number) => write_number(out, *number),
        Item::Text(text) => write_text(out, &text[..text.floor_char_boundary(JSONATA_ERROR_BYTES_MAX)]),
        Item::Function(_) => out.push_str("{}"),
        Item::Array(_) | Item::List(_) | Item::Tuples(_) => {
            out.push('[');
            for (index, element) in item.as_elements().iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                if !show(&element, out, depth + 1) {
                    return false;
                }
            }
            out.push(']');
        }
        Item::Object(_) | Item::Record(_) => {
            out.push('{');
            let mut is_first = true;
            for (name, member) in item.members().into_iter().flat_map(|members| members.iter()) {
                if !is_first {
                    out.push(',');
                }
                is_first = false;
                write_text(out, name);
                out.push(':');
                if !show(&member, out, depth + 1) {
                    return false;
                }
            }
            out.push('}');
        }
    }
    true
}
