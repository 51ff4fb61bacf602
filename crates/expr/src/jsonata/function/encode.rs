//! Base64 and URLs.

use std::sync::Arc;

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

use super::super::budget::Outcome;
use super::super::evaluate::Evaluator;
use super::super::fault::Fault;
use super::super::item::Item;
use super::text_of;

/// As Node decodes: padding may be missing, and what is left over is dropped.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Each character is a byte, as of Latin-1; of others the lower byte.
pub(super) fn base64_encode(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let Some(text) = text_of(arguments, 0) else {
        return Ok(Item::Undefined);
    };
    evaluator.budget.burn(text.len() / 2)?;
    evaluator.budget.make_text(2 * text.len())?;
    let bytes: Vec<u8> = text.encode_utf16().map(|unit| (unit & 0xFF) as u8).collect();
    Ok(Item::text(STANDARD.encode(bytes)))
}

pub(super) fn base64_decode(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let Some(text) = text_of(arguments, 0) else {
        return Ok(Item::Undefined);
    };
    evaluator.budget.burn(text.len() / 2)?;
    evaluator.budget.make_text(2 * text.len())?;
    let text = text.split('=').next().unwrap_or_default();
    let standard = |byte: u8| match byte {
        b'-' => Some(b'+'),
        b'_' => Some(b'/'),
        b'+' | b'/' => Some(byte),
        _ => byte.is_ascii_alphanumeric().then_some(byte),
    };
    let mut digits: Vec<u8> = text.bytes().filter_map(standard).collect();
    if digits.len() % 4 == 1 {
        digits.pop();
    }
    let bytes = LENIENT.decode(digits).unwrap_or_default();
    Ok(Item::text(bytes.into_iter().map(char::from).collect::<String>()))
}

/// Characters that a component of a URL may hold. Source: ECMAScript, `encodeURIComponent`.
const COMPONENT: &str = "-_.!~*'()";
/// Those that a whole URL may hold besides.
const URL: &str = ";/?:@&=+$,#";

fn encode(evaluator: &mut Evaluator<'_>, arguments: &[Item], name: &str, kept: &[&str]) -> Outcome {
    let Some(text) = text_of(arguments, 0).cloned() else {
        return Ok(Item::Undefined);
    };
    evaluator.budget.burn(text.len())?;
    // Half a character, which texts cannot hold, has become this on the way.
    if text.contains(char::REPLACEMENT_CHARACTER) {
        return Err(malformed(&text, name).into());
    }
    evaluator.budget.make_text(3 * text.len())?;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let char = char::from(byte);
        if char.is_ascii_alphanumeric() || kept.iter().any(|kept| kept.contains(char)) {
            encoded.push(char);
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(Item::text(encoded))
}

/// `kept`: characters whose escapes stay.
fn decode(evaluator: &mut Evaluator<'_>, arguments: &[Item], name: &str, kept: &str) -> Outcome {
    let Some(text) = text_of(arguments, 0).cloned() else {
        return Ok(Item::Undefined);
    };
    evaluator.budget.burn(text.len())?;
    evaluator.budget.make_text(text.len())?;
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) else {
            return Err(malformed(&text, name).into());
        };
        if kept.contains(char::from(byte)) {
            bytes.push(b'%');
            continue;
        }
        bytes.push(byte);
        rest = &behind[2..];
    }
    match String::from_utf8(bytes) {
        Ok(decoded) => Ok(Item::text(decoded)),
        Err(_) => Err(malformed(&text, name).into()),
    }
}

fn malformed(text: &Arc<str>, name: &str) -> Fault {
    Fault::new("D3140").value(&Item::Text(text.clone())).token(name)
}

pub(super) fn encode_url_component(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    encode(evaluator, arguments, "encodeUrlComponent", &[COMPONENT])
}

pub(super) fn encode_url(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    encode(evaluator, arguments, "encodeUrl", &[COMPONENT, URL])
}

pub(super) fn decode_url_component(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    decode(evaluator, arguments, "decodeUrlComponent", "")
}

pub(super) fn decode_url(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    decode(evaluator, arguments, "decodeUrl", URL)
}
