//! Rows whose values are encrypted, over any store.
//!
//! Each value is sealed by XChaCha20-Poly1305 with a nonce of its own; space and key of its row are authenticated with
//! it, so that a value can be neither read nor changed, nor put elsewhere. Keys stay readable: they order the rows. Most
//! are hashes and numbers; those of the registry have names of state machines and activities. Damage underneath is found
//! by the store underneath, as ever.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};

use crate::{Batch, Direction, Error, RowVisitor, Space, Store, Visit};

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;

const NONCE_BYTES: usize = 24;
/// What a process draws of its nonces; the rest it counts.
const DRAWN_BYTES: usize = 16;

/// The row, in `Space::Meta`, that says that the others are sealed. Nobody above sees it.
const SEAL: &[u8] = b"\xffseal";
const SEAL_VALUE: &[u8] = b"stepwell";

/// Why a sealed store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error(transparent)]
    Store(#[from] Error),
    #[error("the data was encrypted with another key")]
    WrongKey,
    #[error("the data is there already and is not encrypted")]
    NotSealed,
    #[error("no random numbers can be had from the system")]
    NoRandomness,
}

pub struct Sealed {
    inner: Arc<dyn Store>,
    cipher: XChaCha20Poly1305,
    drawn: [u8; DRAWN_BYTES],
    count: AtomicU64,
}

/// True if the rows of a store are sealed.
pub fn is_sealed(store: &dyn Store) -> Result<bool, Error> {
    Ok(store.get(Space::Meta, SEAL)?.is_some())
}

impl Sealed {
    /// Opens what was sealed with the same key, or seals a store that has no rows yet.
    pub fn open(inner: Arc<dyn Store>, key: &[u8; KEY_BYTES]) -> Result<Sealed, SealError> {
        let mut drawn = [0; DRAWN_BYTES];
        getrandom::fill(&mut drawn).map_err(|_| SealError::NoRandomness)?;
        let cipher = XChaCha20Poly1305::new(key.into());
        let sealed = Sealed { inner, cipher, drawn, count: AtomicU64::new(0) };
        match sealed.inner.get(Space::Meta, SEAL)? {
            Some(seal) => match sealed.opened(Space::Meta, SEAL, &seal) {
                Ok(_) => Ok(sealed),
                Err(_) => Err(SealError::WrongKey),
            },
            None => {
                if has_rows(sealed.inner.as_ref())? {
                    return Err(SealError::NotSealed);
                }
                let mut batch = Batch::default();
                batch.put(Space::Meta, SEAL, sealed.sealed(Space::Meta, SEAL, SEAL_VALUE)?);
                sealed.inner.commit(batch)?;
                Ok(sealed)
            }
        }
    }

    fn nonce(&self) -> [u8; NONCE_BYTES] {
        let mut nonce = [0; NONCE_BYTES];
        nonce[..DRAWN_BYTES].copy_from_slice(&self.drawn);
        nonce[DRAWN_BYTES..].copy_from_slice(&self.count.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        nonce
    }

    fn sealed(&self, space: Space, key: &[u8], value: &[u8]) -> Result<Vec<u8>, Error> {
        let nonce = self.nonce();
        let place = place(space, key);
        let hidden = self.cipher.encrypt(&XNonce::from(nonce), Payload { msg: value, aad: &place });
        let hidden = hidden.map_err(|_| Error::Failed { reason: "a row cannot be encrypted".to_owned() })?;
        Ok([nonce.as_slice(), &hidden].concat())
    }

    fn opened(&self, space: Space, key: &[u8], value: &[u8]) -> Result<Vec<u8>, Error> {
        let foreign = || Error::Failed {
            reason: format!("a row of `{}` cannot be decrypted: it was changed, or belongs elsewhere", space.name()),
        };
        let (nonce, hidden) = value.split_first_chunk::<NONCE_BYTES>().ok_or_else(foreign)?;
        let place = place(space, key);
        let value = self.cipher.decrypt(&XNonce::from(*nonce), Payload { msg: hidden, aad: &place });
        value.map_err(|_| foreign())
    }
}

/// What is authenticated beside a value.
fn place(space: Space, key: &[u8]) -> Vec<u8> {
    [space.name().as_bytes(), b"\0", key].concat()
}

fn is_seal(space: Space, key: &[u8]) -> bool {
    space == Space::Meta && key == SEAL
}

fn has_rows(store: &dyn Store) -> Result<bool, Error> {
    let mut found = false;
    for space in Space::ALL {
        store.scan(space, b"", b"", Direction::Forward, &mut |_, _| {
            found = true;
            Visit::Break(())
        })?;
    }
    Ok(found)
}

impl Store for Sealed {
    fn commit(&self, batch: Batch) -> Result<(), Error> {
        batch.check()?;
        let mut hidden = Batch::default();
        for write in batch.into_writes() {
            if is_seal(write.space, &write.key) {
                return Err(Error::Failed { reason: "the rows are encrypted already".to_owned() });
            }
            match write.value {
                Some(value) => {
                    let value = self.sealed(write.space, &write.key, &value)?;
                    hidden.put(write.space, write.key, value);
                }
                None => hidden.delete(write.space, write.key),
            }
        }
        self.inner.commit(hidden)
    }

    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        if is_seal(space, key) {
            return Ok(None);
        }
        self.inner.get(space, key)?.map(|value| self.opened(space, key, &value)).transpose()
    }

    fn scan(
        &self,
        space: Space,
        from: &[u8],
        to: &[u8],
        direction: Direction,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> Visit,
    ) -> Result<(), Error> {
        let mut failed = None;
        self.inner.scan(space, from, to, direction, &mut |key, value| {
            if is_seal(space, key) {
                return Visit::Continue(());
            }
            match self.opened(space, key, value) {
                Ok(value) => visit(key, &value),
                Err(error) => {
                    failed = Some(error);
                    Visit::Break(())
                }
            }
        })?;
        failed.map_or(Ok(()), Err)
    }

    fn snapshot(&self, visit: &mut RowVisitor<'_>) -> Result<(), Error> {
        let mut failed = None;
        self.inner.snapshot(&mut |space, key, value| {
            if is_seal(space, key) {
                return Visit::Continue(());
            }
            match self.opened(space, key, value) {
                Ok(value) => visit(space, key, &value),
                Err(error) => {
                    failed = Some(error);
                    Visit::Break(())
                }
            }
        })?;
        failed.map_or(Ok(()), Err)
    }

    fn poisoned(&self) -> Option<String> {
        self.inner.poisoned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Memory;

    const KEY: [u8; KEY_BYTES] = [7; KEY_BYTES];

    fn row(key: &[u8], value: &[u8]) -> Batch {
        let mut batch = Batch::default();
        batch.put(Space::Summary, key, value);
        batch
    }

    #[test]
    fn keeps_the_contract() {
        crate::contract::check(|| Box::new(Sealed::open(Arc::new(Memory::new()), &KEY).unwrap()));
    }

    #[test]
    fn only_its_key_opens_it() {
        let inner: Arc<dyn Store> = Arc::new(Memory::new());
        assert!(!is_sealed(inner.as_ref()).unwrap());
        let sealed = Sealed::open(inner.clone(), &KEY).unwrap();
        sealed.commit(row(b"k", b"a secret text")).unwrap();
        assert!(is_sealed(inner.as_ref()).unwrap());
        let hidden = inner.get(Space::Summary, b"k").unwrap().unwrap();
        assert!(!hidden.windows(6).any(|window| window == b"secret"));
        let again = Sealed::open(inner.clone(), &KEY).unwrap();
        assert_eq!(again.get(Space::Summary, b"k").unwrap().as_deref(), Some(&b"a secret text"[..]));
        assert!(matches!(Sealed::open(inner, &[8; KEY_BYTES]), Err(SealError::WrongKey)));
        let plain: Arc<dyn Store> = Arc::new(Memory::new());
        plain.commit(row(b"k", b"v")).unwrap();
        assert!(matches!(Sealed::open(plain, &KEY), Err(SealError::NotSealed)));
    }

    #[test]
    fn what_was_changed_or_moved_is_refused() {
        let inner: Arc<dyn Store> = Arc::new(Memory::new());
        let sealed = Sealed::open(inner.clone(), &KEY).unwrap();
        sealed.commit(row(b"k", b"value")).unwrap();
        let hidden = inner.get(Space::Summary, b"k").unwrap().unwrap();
        inner.commit(row(b"other", &hidden)).unwrap();
        assert!(sealed.get(Space::Summary, b"other").is_err());
        let mut changed = hidden.clone();
        changed[NONCE_BYTES] ^= 1;
        inner.commit(row(b"k", &changed)).unwrap();
        assert!(sealed.get(Space::Summary, b"k").is_err());
        assert!(sealed.snapshot(&mut |_, _, _| Visit::Continue(())).is_err());
        inner.commit(row(b"k", b"short")).unwrap();
        assert!(sealed.get(Space::Summary, b"k").is_err());
    }

    #[test]
    fn equal_values_look_unlike() {
        let inner: Arc<dyn Store> = Arc::new(Memory::new());
        let sealed = Sealed::open(inner.clone(), &KEY).unwrap();
        sealed.commit(row(b"k", b"value")).unwrap();
        let first = inner.get(Space::Summary, b"k").unwrap();
        sealed.commit(row(b"k", b"value")).unwrap();
        assert_ne!(inner.get(Space::Summary, b"k").unwrap(), first);
    }
}
