//! Functions on texts that match nothing.

use super::super::budget::Outcome;
use super::super::evaluate::Evaluator;
use super::super::item::Item;
use super::super::print;
use super::{argument, number_of, text_of, whole};

pub(super) fn string(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let item = argument(arguments, 0);
    match &item {
        Item::Undefined | Item::Text(_) => Ok(item),
        _ => {
            let pretty = matches!(arguments.get(1), Some(Item::Bool(true)));
            let text = print::string(&item, pretty, &mut evaluator.budget)?;
            made(evaluator, text)
        }
    }
}

fn made(evaluator: &mut Evaluator<'_>, text: String) -> Outcome {
    evaluator.budget.make_text(text.len())?;
    Ok(Item::text(text))
}

/// A part of a text of ours.
fn part(evaluator: &mut Evaluator<'_>, part: &str) -> Outcome {
    evaluator.budget.make_text(part.len())?;
    Ok(Item::text(part))
}

/// Counted in characters.
pub(super) fn substring(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let Some(text) = text_of(arguments, 0) else {
        return Ok(Item::Undefined);
    };
    evaluator.budget.read(text.len())?;
    let is_ascii = text.is_ascii();
    let length = if is_ascii { text.len() } else { text.chars().count() } as f64;
    let start = number_of(arguments, 1).unwrap_or_default();
    let start = if length + start < 0.0 { 0.0 } else { start };
    let end = match number_of(arguments, 2) {
        Some(count) if count <= 0.0 => return part(evaluator, ""),
        Some(count) if start >= 0.0 => start + count,
        Some(count) => length + start + count,
        None => length,
    };
    // As JavaScript's `slice` takes its ends.
    let place = |position: f64| {
        let position = position.trunc();
        let position = if position < 0.0 { (length + position).max(0.0) } else { position.min(length) };
        position as usize
    };
    let (start, end) = (place(start), place(end));
    if start >= end {
        return part(evaluator, "");
    }
    let byte = |place: usize| match is_ascii {
        true => place,
        false => text.char_indices().nth(place).map_or(text.len(), |(byte, _)| byte),
    };
    let text = text.clone();
    part(evaluator, &text[byte(start)..byte(end)])
}

pub(super) fn substring_before(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let (Some(text), chars) = (text_of(arguments, 0), argument(arguments, 1)) else {
        return Ok(Item::Undefined);
    };
    evaluator.budget.read(2 * text.len())?;
    match chars.as_text().and_then(|chars| text.find(&**chars)) {
        Some(at) => part(evaluator, &text[..at]),
        None => Ok(Item::Text(text.clone())),
    }
}

pub(super) fn substring_after(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let (Some(text), chars) = (text_of(arguments, 0), argument(arguments, 1)) else {
        return Ok(Item::Undefined);
    };
    evaluator.budget.read(2 * text.len())?;
    let Some(chars) = chars.as_text() else {
        return Ok(Item::Text(text.clone()));
    };
    match text.find(&**chars) {
        Some(at) => part(evaluator, &text[at + chars.len()..]),
        None => Ok(Item::Text(text.clone())),
    }
}

pub(super) fn lowercase(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let Some(text) = text_of(arguments, 0) else {
        return Ok(Item::Undefined);
    };
    evaluator.budget.burn(text.len() / 2)?;
    made(evaluator, text.to_lowercase())
}

pub(super) fn uppercase(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let Some(text) = text_of(arguments, 0) else {
        return Ok(Item::Undefined);
    };
    evaluator.budget.burn(text.len() / 2)?;
    made(evaluator, text.to_uppercase())
}

pub(super) fn length(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let Some(text) = text_of(arguments, 0) else {
        return Ok(Item::Undefined);
    };
    evaluator.budget.read(text.len())?;
    Ok(whole(text.chars().count()))
}

/// Blanks at the ends go, those within become one each.
pub(super) fn trim(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let Some(text) = text_of(arguments, 0) else {
        return Ok(Item::Undefined);
    };
    evaluator.budget.burn(text.len() / 2)?;
    let words = text.split([' ', '\t', '\n', '\r']).filter(|word| !word.is_empty());
    let mut trimmed = String::with_capacity(text.len());
    for word in words {
        if !trimmed.is_empty() {
            trimmed.push(' ');
        }
        trimmed.push_str(word);
    }
    made(evaluator, trimmed)
}

pub(super) fn pad(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let Some(text) = text_of(arguments, 0) else {
        return Ok(Item::Undefined);
    };
    evaluator.budget.read(text.len())?;
    let width = number_of(arguments, 1).unwrap_or_default().trunc();
    let chars = text_of(arguments, 2).filter(|chars| !chars.is_empty());
    let chars = chars.map_or(" ", |chars| chars);
    let missing = width.abs() - text.chars().count() as f64;
    if missing <= 0.0 || missing.is_nan() {
        return Ok(Item::Text(text.clone()));
    }
    // A float cast saturates; such a length is beyond any bound.
    let missing = missing as usize;
    let bytes = (missing / chars.chars().count()).saturating_add(1).saturating_mul(chars.len());
    evaluator.budget.make_text(text.len().saturating_add(missing.min(bytes)))?;
    let mut padded = String::with_capacity(text.len() + bytes.min(missing.saturating_mul(4)));
    if width > 0.0 {
        padded.push_str(text);
    }
    evaluator.budget.burn(missing / 2)?;
    padded.extend(chars.chars().cycle().take(missing));
    if width < 0.0 {
        padded.push_str(text);
    }
    Ok(Item::text(padded))
}

pub(super) fn join(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let array = argument(arguments, 0);
    let Some(elements) = array.elements() else {
        return Ok(Item::Undefined);
    };
    let separator = text_of(arguments, 1).map_or("", |separator| separator);
    let texts = || elements.iter().filter_map(|element| element.as_text().cloned());
    evaluator.budget.burn(2 * elements.len())?;
    let bytes = texts().map(|text| text.len()).fold(0_usize, usize::saturating_add);
    let bytes = bytes.saturating_add(separator.len().saturating_mul(elements.len().saturating_sub(1)));
    evaluator.budget.make_text(bytes)?;
    let mut joined = String::with_capacity(bytes);
    for (index, text) in texts().enumerate() {
        if index > 0 {
            joined.push_str(separator);
        }
        joined.push_str(&text);
    }
    Ok(Item::text(joined))
}
