//! The functions that AWS adds to JSONata's own.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::super::budget::{Outcome, Stop};
use super::super::evaluate::Evaluator;
use super::super::fault::Fault;
use super::super::item::{Item, Items, List, Marks};
use super::super::{number, print};
use super::{SPLITMIX_STEP, argument, fraction, number_of, splitmix, text_of};
use crate::json;

/// `D3137` is the code of JSONata's own `$error`. AWS's codes for these failures are not recorded.
fn failure(message: String) -> Stop {
    Fault::new("D3137").message(message).into()
}

/// `$partition(array, size)`: arrays of `size` items; the last may be shorter. Undefined without an array.
pub(super) fn partition(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let array = argument(arguments, 0);
    let (Some(elements), Some(size)) = (array.elements(), number_of(arguments, 1)) else {
        return Ok(Item::Undefined);
    };
    let size = size.floor();
    if size < 1.0 {
        let size = number::to_text(size);
        return Err(failure(format!("the size of the parts of $partition must be at least 1, not {size}")));
    }
    // A size beyond `usize` saturates: one part.
    let size = size as usize;
    evaluator.budget.make_items(elements.len())?;
    evaluator.budget.make_items(4 * elements.len().div_ceil(size))?;
    let items: Vec<Item> = elements.iter().collect();
    Ok(Item::array(items.chunks(size).map(|part| Item::array(part.to_vec())).collect()))
}

/// `$range(first, last, step)`: like any sequence of JSONata, one item is that item and none is undefined.
pub(super) fn range(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let (Some(first), Some(last), Some(step)) =
        (number_of(arguments, 0), number_of(arguments, 1), number_of(arguments, 2))
    else {
        return Ok(Item::Undefined);
    };
    let (first, last, step) = (first.floor(), last.floor(), step.floor());
    if step == 0.0 {
        return Err(failure("the step of $range must not be 0".into()));
    }
    let steps = ((last - first) / step).floor();
    if steps < 0.0 || steps.is_nan() {
        return Ok(Item::Undefined);
    }
    let count = (steps as usize).saturating_add(1);
    if step == 1.0 && count <= crate::limits::JSONATA_RANGE_ITEMS_MAX as usize {
        let items = Items::Range { first, count };
        return Ok(Item::List(std::rc::Rc::new(List { items, marks: Marks::SEQUENCE })));
    }
    // More than there is memory for is refused before it is made.
    evaluator.budget.make_bytes(count.saturating_mul(size_of::<Item>()))?;
    evaluator.budget.burn(count)?;
    Ok(Item::sequence((0..count).map(|index| Item::Number(first + index as f64 * step)).collect()))
}

/// `$hash(text, algorithm)`: lower-case hex. What is no text is hashed as its JSON.
pub(super) fn hash(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let (data, Some(algorithm)) = (argument(arguments, 0), text_of(arguments, 1)) else {
        return Ok(Item::Undefined);
    };
    let data = match &data {
        Item::Undefined => return Ok(Item::Undefined),
        Item::Text(text) => text.to_string(),
        other => print::string(other, false, &mut evaluator.budget)?,
    };
    evaluator.budget.burn(64 + data.len())?;
    let hex = match &**algorithm {
        "MD5" => hex(&Md5::digest(data)),
        "SHA-1" => hex(&Sha1::digest(data)),
        "SHA-256" => hex(&Sha256::digest(data)),
        "SHA-384" => hex(&Sha384::digest(data)),
        "SHA-512" => hex(&Sha512::digest(data)),
        other => {
            return Err(failure(format!(
                "the algorithm of $hash must be one of MD5, SHA-1, SHA-256, SHA-384 and SHA-512, not {other}"
            )));
        }
    };
    evaluator.budget.make_text(hex.len())?;
    Ok(Item::text(hex))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or_default());
        }
        text
    })
}

/// `$parse(text)`: the JSON value of the text.
pub(super) fn parse(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let Some(text) = text_of(arguments, 0) else {
        return Ok(Item::Undefined);
    };
    // About what reading costs, and the most that its values take.
    evaluator.budget.burn(16 + 3 * text.len())?;
    evaluator.budget.make_bytes(24 * text.len())?;
    match json::parse(text) {
        Ok(value) => Ok(Item::from(&value)),
        Err(error) => Err(failure(format!("the text given to $parse is not JSON: {error}"))),
    }
}

/// `$random([seed])`: at least 0 and below 1; the same whole seed gives the same number.
pub(super) fn random(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    Ok(Item::Number(match number_of(arguments, 0) {
        Some(seed) => fraction(splitmix((seed.floor() as i64).cast_unsigned().wrapping_add(SPLITMIX_STEP))),
        None => evaluator.draw_fraction(),
    }))
}

/// `$uuid()`: version 4, so 122 bits of chance.
pub(super) fn uuid(evaluator: &mut Evaluator<'_>, _: &[Item]) -> Outcome {
    let version = (evaluator.draw() & 0xFFFF_FFFF_FFFF_0FFF) | 0x4000;
    let variant = (evaluator.draw() & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000;
    evaluator.budget.burn(40)?;
    evaluator.budget.make_text(36)?;
    Ok(Item::text(format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        version >> 32,
        (version >> 16) & 0xFFFF,
        version & 0xFFFF,
        variant >> 48,
        variant & 0xFFFF_FFFF_FFFF
    )))
}
