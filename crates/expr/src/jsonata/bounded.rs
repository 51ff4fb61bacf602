//! Functions of JSONata in place of the engine's own, which make what they give before its size is looked at, or compare
//! everything with everything.

use std::collections::BTreeSet;

use jlens_core::{Error, HostCall, Result};
use serde_json::Value as Json;

use crate::limits::JSONATA_STRING_BYTES_MAX;

use super::functions::{Args, number, text, too_large};

/// The longest padding. Source: jsonata-js fails beyond what its `repeat` takes; the engine draws the line here.
const PADDING_CHARS_MAX: f64 = 1e7;
/// Most bytes that one `$replace` may make on its way, as estimated before it begins.
const REPLACED_BYTES_MAX: usize = 64 * JSONATA_STRING_BYTES_MAX;

/// Whether `name` is one of these.
pub(super) fn has(name: &str) -> bool {
    matches!(name, "join" | "keys" | "pad" | "zip")
}

/// `$join(texts, separator)`.
pub(super) fn join(args: Args<'_>) -> Result<Option<Json>> {
    let Some(Some(Json::Array(items))) = args.first() else {
        return Ok(None);
    };
    let separator = text(args, 1).unwrap_or_default();
    let mut joined = String::new();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            joined.push_str(separator);
        }
        joined.push_str(item.as_str().unwrap_or_default());
        check(joined.len())?;
    }
    Ok(Some(Json::String(joined)))
}

/// `$pad(text, width, fill)`: behind the text for a positive width, else before it.
pub(super) fn pad(args: Args<'_>) -> Result<Option<Json>> {
    let Some(text_) = text(args, 0) else {
        return Ok(None);
    };
    let fill = text(args, 2).filter(|fill| !fill.is_empty()).unwrap_or(" ");
    let width = number(args, 1).unwrap_or_default().trunc();
    let missing = width.abs() - text_.chars().count() as f64;
    if missing <= 0.0 {
        return Ok(Some(Json::from(text_)));
    }
    if missing > PADDING_CHARS_MAX {
        return Err(Error::new("D2016").with("value", missing));
    }
    // Each character is at least a byte long.
    check(missing as usize)?;
    let padding: String = fill.chars().cycle().take(missing as usize).collect();
    check(text_.len() + padding.len())?;
    Ok(Some(Json::String(if width > 0.0 { format!("{text_}{padding}") } else { format!("{padding}{text_}") })))
}

/// `$keys(object)`: the names in an object or in all objects of an array, each once, in order. Like any sequence of
/// JSONata, one name is that name and none is undefined.
pub(super) fn keys(args: Args<'_>) -> Option<Json> {
    let mut known = BTreeSet::new();
    let mut names = Vec::new();
    collect_keys(args.first()?.as_ref()?, &mut known, &mut names);
    if names.len() > 1 { Some(Json::Array(names)) } else { names.pop() }
}

/// Recursion is bounded by the depth of an argument.
fn collect_keys<'a>(json: &'a Json, known: &mut BTreeSet<&'a str>, names: &mut Vec<Json>) {
    match json {
        Json::Array(items) => items.iter().for_each(|item| collect_keys(item, known, names)),
        Json::Object(members) => {
            let new = members.keys().filter(|name| known.insert(name.as_str()));
            names.extend(new.map(|name| Json::String(name.clone())));
        }
        _ => {}
    }
}

/// `$zip(arrays…)`: the first items of all, then the second ones, as far as the shortest goes.
pub(super) fn zip(args: Args<'_>) -> Option<Json> {
    let arrays: Vec<&[Json]> =
        args.iter().map(|arg| arg.as_ref().and_then(Json::as_array).map_or(&[][..], Vec::as_slice)).collect();
    let count = arrays.iter().map(|items| items.len()).min().unwrap_or_default();
    let tuples = (0..count).map(|index| Json::Array(arrays.iter().map(|items| items[index].clone()).collect()));
    Some(Json::Array(tuples.collect()))
}

/// How many times `$replace(text, pattern, replacement, limit)` may replace: after more of them the text would be too
/// long anyway. Fails where even that might be too much on the way.
pub(super) fn room(args: &[Option<Json>], call: &HostCall<'_>) -> Result<Option<Json>> {
    let limit = number(args, 3);
    let (Some(source), Some(replacement)) = (text(args, 0), text(args, 2)) else {
        return Ok(limit.map(Json::from));
    };
    let groups = replacement.matches('$').count();
    if call.function(1).is_some() && groups > 0 {
        let longest = (source.len() + 1).saturating_mul(replacement.len() + groups);
        return if longest > REPLACED_BYTES_MAX { Err(too_large()) } else { Ok(limit.map(Json::from)) };
    }
    if replacement.is_empty() {
        return Ok(limit.map(Json::from));
    }
    let most = (JSONATA_STRING_BYTES_MAX / replacement.len() + 1) as f64;
    Ok(Some(Json::from(limit.map_or(most, |limit| limit.min(most)))))
}

/// Whether the argument is a function.
pub(super) fn is_function(_: &[Option<Json>], call: &HostCall<'_>) -> Result<Option<Json>> {
    Ok(Some(Json::from(call.function(0).is_some())))
}

fn check(bytes: usize) -> Result<()> {
    if bytes > JSONATA_STRING_BYTES_MAX { Err(too_large()) } else { Ok(()) }
}
