//! The ARN of an Express child execution: `...:express:NAME/LABEL:CHILD:WHENCE`.
//!
//! `WHENCE` looks like a UUID that was drawn, and says which child execution of which Map Run it is, so that DescribeExecution
//! finds it without a row of its own: the first bytes of the Map Run's id and the child's number, masked by the
//! hash of its name. An attempt after a redrive has another ARN than the one before.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::record::ExecutionId;

/// First bytes of a Map Run's id (the hash of its ARN): enough to find the row that names it.
pub(crate) const MAP_RUN_BYTES: usize = 7;
/// What a UUID of version 4 leaves of byte 6, and of byte 8.
const FREE_OF_VERSION: u8 = 0x0f;
const FREE_OF_VARIANT: u8 = 0x3f;

/// Which child execution of which Map Run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Whence {
    pub(crate) map_run: [u8; MAP_RUN_BYTES],
    pub(crate) index: u64,
}

/// `prefix`: `arn:aws:states:REGION:ACCOUNT`; `machine`: with its label.
pub(crate) fn express_arn(
    prefix: &str,
    machine: &str,
    name: &str,
    (map_run_arn, index): (&str, u64),
    redrives: u64,
) -> Arc<str> {
    let id = ExecutionId::of_arn(map_run_arn).0;
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&id[..6]);
    bytes[6] = redrives.to_be_bytes()[7] & FREE_OF_VERSION;
    bytes[7] = id[6];
    bytes[8..].copy_from_slice(&index.to_be_bytes());
    bytes[8] &= FREE_OF_VARIANT;
    for (byte, mask) in bytes.iter_mut().zip(mask(name)) {
        *byte ^= mask;
    }
    bytes[6] |= 0x40;
    bytes[8] |= 0x80;
    format!("{prefix}:express:{machine}:{name}:{}", Uuid::from_bytes(bytes)).into()
}

/// The name of the child execution and whence it is. `None`: no ARN of one.
pub(crate) fn parse(arn: &str) -> Option<(&str, Whence)> {
    let mut parts = arn.rsplitn(3, ':');
    let (whence, name) = (parts.next()?, parts.next()?);
    let mut bytes = Uuid::try_parse(whence).ok()?.into_bytes();
    bytes[6] &= FREE_OF_VERSION;
    bytes[8] &= FREE_OF_VARIANT;
    for (byte, mask) in bytes.iter_mut().zip(mask(name)) {
        *byte ^= mask;
    }
    let mut map_run = [0; MAP_RUN_BYTES];
    map_run[..6].copy_from_slice(&bytes[..6]);
    map_run[6] = bytes[7];
    let mut index = [0; 8];
    index.copy_from_slice(&bytes[8..]);
    Some((name, Whence { map_run, index: u64::from_be_bytes(index) }))
}

/// So that numbers in a row do not look alike.
fn mask(name: &str) -> [u8; 16] {
    let mut mask = [0; 16];
    mask.copy_from_slice(&Sha256::digest(name.as_bytes())[..16]);
    mask[6] &= FREE_OF_VERSION;
    mask[8] &= FREE_OF_VARIANT;
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP_RUN: &str = "arn:aws:states:r:a:mapRun:m/l:u";

    #[test]
    fn an_arn_tells_whence_it_is() {
        for index in [0, 1, 255, 10_000_000, u64::MAX >> 2] {
            for redrives in [0, 1, 15] {
                let arn = express_arn("arn:aws:states:r:a", "m/l", "child", (MAP_RUN, index), redrives);
                let (name, whence) = parse(&arn).unwrap();
                let mut map_run = [0; MAP_RUN_BYTES];
                map_run.copy_from_slice(&ExecutionId::of_arn(MAP_RUN).0[..MAP_RUN_BYTES]);
                assert_eq!((name, whence), ("child", Whence { map_run, index }), "{arn}");
                let uuid = Uuid::try_parse(arn.rsplit(':').next().unwrap()).unwrap();
                assert_eq!(uuid.get_version_num(), 4);
            }
        }
    }

    #[test]
    fn each_attempt_has_an_arn_of_its_own() {
        let arn = |redrives| express_arn("p", "m/l", "child", (MAP_RUN, 7), redrives);
        assert_ne!(arn(0), arn(1));
        assert_eq!(parse("arn:aws:states:r:a:express:m/l:child:none"), None);
        assert_eq!(parse("x"), None);
    }
}
