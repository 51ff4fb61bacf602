//! Base64 and hashes.

use std::fmt::Write;

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{
        DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig,
        general_purpose::{self},
    },
};
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

/// Takes whatever bits the last character has left over.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

pub(super) fn base64_encode(text: &str) -> String {
    general_purpose::STANDARD.encode(text)
}

/// Decodes as AWS was seen to: other characters are skipped, the first `=` ends it, both alphabets are known, missing
/// padding does not matter, and what is no UTF-8 becomes U+FFFD.
pub(super) fn base64_decode(text: &str) -> String {
    let mut letters: Vec<u8> = Vec::with_capacity(text.len());
    for byte in text.bytes().take_while(|byte| *byte != b'=') {
        match byte {
            b'-' => letters.push(b'+'),
            b'_' => letters.push(b'/'),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => letters.push(byte),
            _ => {}
        }
    }
    if letters.len() % 4 == 1 {
        letters.pop();
    }
    let bytes = LENIENT.decode(&letters).expect("only letters of the alphabet, in a possible number");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Lower-case hex; `None` for an algorithm of another name.
pub(super) fn hash(text: &str, algorithm: &str) -> Option<String> {
    let digest = match algorithm {
        "MD5" => Md5::digest(text).to_vec(),
        "SHA-1" => Sha1::digest(text).to_vec(),
        "SHA-256" => Sha256::digest(text).to_vec(),
        "SHA-384" => Sha384::digest(text).to_vec(),
        "SHA-512" => Sha512::digest(text).to_vec(),
        _ => return None,
    };
    let mut hex = String::with_capacity(digest.len() * 2);
    for byte in digest {
        write!(hex, "{byte:02x}").expect("writing to a String does not fail");
    }
    Some(hex)
}
