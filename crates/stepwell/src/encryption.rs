//! Encryption at rest: the key in a file, and stores that are opened with it.

use std::{fs::OpenOptions, io::Write, os::unix::fs::OpenOptionsExt, path::Path, sync::Arc};

use anyhow::Context;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use stepwell_store::{
    Store,
    sealed::{KEY_BYTES, SealError, Sealed, is_sealed},
};

use crate::{exit::BadInput, kms};

/// What a store is without the key that opens it.
const NEEDS_KEY: &str = "the data is encrypted: name the file of its key by --encryption-key-file";

/// The store as its rows are meant: decrypted with the key in the file, where there is one.
pub(crate) fn open(store: Arc<dyn Store>, key_file: Option<&Path>) -> anyhow::Result<Arc<dyn Store>> {
    let Some(file) = key_file else {
        return match is_sealed(store.as_ref())? {
            true => Err(BadInput(NEEDS_KEY.to_owned()).into()),
            false => Ok(store),
        };
    };
    match Sealed::open(store, &read(file)?) {
        Ok(sealed) => Ok(Arc::new(sealed)),
        Err(SealError::Store(error)) => Err(error.into()),
        Err(error @ SealError::NotSealed) => {
            let way = "`stepwell data export` it, and `import` it with the key into a new folder";
            Err(BadInput(format!("{error}: {way}")).into())
        }
        Err(error) => Err(BadInput(format!("{error} (`{}`)", file.display())).into()),
    }
}

/// Makes a key file that only its owner can read: a key that KMS guards where one of its keys is named.
pub(crate) fn make_key(file: &Path, kms_key: Option<&str>, region: &str) -> anyhow::Result<()> {
    let cannot = || format!("cannot make the key file `{}`", file.display());
    // Its place is taken first, so that KMS is not asked for a key that has none.
    let mut opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).with_context(cannot)?;
    let text = match kms_key {
        Some(key) => kms::new_key(key, region),
        None => random_key(),
    };
    let written =
        text.and_then(|text| opened.write_all(text.as_bytes()).and_then(|()| opened.sync_all()).with_context(cannot));
    if written.is_err() {
        // What is left of it holds no key.
        let _ = std::fs::remove_file(file);
    }
    written
}

fn random_key() -> anyhow::Result<String> {
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key).context("the system gives no random bytes")?;
    Ok(format!("{}\n", STANDARD.encode(key)))
}

/// 32 bytes: as they are, as 64 hexadecimal digits, in base64, or guarded by KMS.
fn read(file: &Path) -> anyhow::Result<[u8; KEY_BYTES]> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read the key file `{}`", file.display()))?;
    let guarded = std::str::from_utf8(&bytes).ok().and_then(kms::open).transpose();
    let guarded = guarded.with_context(|| format!("the key in `{}` cannot be opened", file.display()))?;
    let bytes = guarded.map_or(bytes, String::into_bytes);
    key(&bytes).ok_or_else(|| {
        let ways = "32 bytes, 64 hexadecimal digits, 32 bytes in base64, or what `stepwell data key` made";
        BadInput(format!("`{}` holds no key: it must be {ways}", file.display())).into()
    })
}

fn key(bytes: &[u8]) -> Option<[u8; KEY_BYTES]> {
    if let Ok(key) = bytes.try_into() {
        return Some(key);
    }
    let text = std::str::from_utf8(bytes).ok()?.trim();
    if text.len() == 2 * KEY_BYTES && text.is_ascii() {
        let digits = (0..KEY_BYTES).map(|at| u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok());
        return digits.collect::<Option<Vec<u8>>>()?.try_into().ok();
    }
    STANDARD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_three_forms() {
        let bytes: [u8; KEY_BYTES] = std::array::from_fn(|at| at as u8);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(key(&bytes), Some(bytes));
        assert_eq!(key(format!("{hex}\n").as_bytes()), Some(bytes));
        assert_eq!(key(STANDARD.encode(bytes).as_bytes()), Some(bytes));
        for wrong in [&b""[..], b"short", &hex.as_bytes()[2..], format!("{}zz", &hex[2..]).as_bytes()] {
            assert_eq!(key(wrong), None);
        }
    }
}
