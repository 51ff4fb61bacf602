//! Objects compressed by gzip or zstd, recognised by how they begin.

use std::io::Write;

use flate2::write::MultiGzDecoder;
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

use crate::{DataError, limits};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    Gzip,
    Zstd,
}

impl Compression {
    /// By the first bytes of an object, of which four suffice; no CSV and no JSON begins so.
    pub fn of(first: &[u8]) -> Option<Compression> {
        match first {
            [0x1F, 0x8B, ..] => Some(Compression::Gzip),
            [0x28, 0xB5, 0x2F, 0xFD, ..] => Some(Compression::Zstd),
            _ => None,
        }
    }
}

/// Undoes a compression piece by piece.
pub struct Inflater(Kind);

enum Kind {
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    Zstd {
        decoder: Decoder<'static>,
        /// A frame has begun that has not ended.
        is_within: bool,
    },
}

impl Inflater {
    pub fn new(compression: Compression) -> Result<Inflater, DataError> {
        Ok(Inflater(match compression {
            Compression::Gzip => Kind::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))),
            Compression::Zstd => {
                let decoder = Decoder::new().map_err(|error| DataError::new(error.to_string()))?;
                Kind::Zstd { decoder, is_within: false }
            }
        }))
    }

    /// Adds to `plain` what the next bytes of `packed` say, and tells how many of them that were. A small part of an object
    /// may say much: what is added is bounded, and nothing may be.
    pub fn inflate(&mut self, packed: &[u8], plain: &mut Vec<u8>) -> Result<usize, DataError> {
        match &mut self.0 {
            Kind::Gzip(decoder) => {
                let packed = &packed[..packed.len().min(limits::GZIP_STEP_BYTES)];
                decoder.write_all(packed).map_err(|error| damaged("gzip", &error))?;
                plain.append(decoder.get_mut());
                Ok(packed.len())
            }
            Kind::Zstd { decoder, is_within } => {
                let mut input = InBuffer::around(packed);
                let start = plain.len();
                plain.resize(start + limits::ZSTD_STEP_BYTES, 0);
                let mut output = OutBuffer::around_pos(plain, start);
                let left = decoder.run(&mut input, &mut output).map_err(|error| damaged("zstd", &error))?;
                let end = output.pos();
                plain.truncate(end);
                // Without any input the decoder says what a new frame would need.
                if input.pos() > 0 || end > start {
                    *is_within = left > 0;
                }
                Ok(input.pos())
            }
        }
    }

    /// Adds what is left to `plain` once all is packed in; false: there may be more, ask again.
    pub fn finish(&mut self, plain: &mut Vec<u8>) -> Result<bool, DataError> {
        match &mut self.0 {
            Kind::Gzip(decoder) => {
                decoder.try_finish().map_err(|error| damaged("gzip", &error))?;
                plain.append(decoder.get_mut());
                Ok(true)
            }
            Kind::Zstd { .. } => {
                let before = plain.len();
                self.inflate(&[], plain)?;
                match &self.0 {
                    Kind::Zstd { is_within: true, .. } if plain.len() == before => {
                        Err(DataError::new("the data compressed by zstd ends too early"))
                    }
                    Kind::Zstd { is_within: true, .. } => Ok(false),
                    _ => Ok(true),
                }
            }
        }
    }
}

fn damaged(name: &str, error: &std::io::Error) -> DataError {
    DataError::new(format!("the data compressed by {name} is damaged: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain_of(packed: &[u8], step: usize) -> Result<Vec<u8>, DataError> {
        let mut inflater = Inflater::new(Compression::of(packed).unwrap())?;
        let mut plain = Vec::new();
        for piece in packed.chunks(step) {
            let mut rest = piece;
            while !rest.is_empty() {
                let taken = inflater.inflate(rest, &mut plain)?;
                rest = &rest[taken..];
            }
        }
        while !inflater.finish(&mut plain)? {}
        Ok(plain)
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn any_pieces_give_the_same() {
        let text: Vec<u8> = (0..100_000_u32).flat_map(|number| (number % 1_000).to_le_bytes()).collect();
        let zstd = zstd::bulk::compress(&text, 3).unwrap();
        let twice = |packed: &[u8]| [packed, packed].concat();
        for packed in [gzip(&text), zstd.clone()] {
            for step in [1, 7, 4096, packed.len()] {
                assert_eq!(plain_of(&packed, step).unwrap(), text);
            }
            assert_eq!(
                plain_of(&twice(&packed), 1_000).unwrap(),
                twice(&text),
                "members and frames may follow each other"
            );
            let error = plain_of(&packed[..packed.len() - 9], 1_000).unwrap_err();
            assert!(error.0.contains("compressed by"), "{error}");
        }
        assert_eq!(Compression::of(b"[1]"), None);
    }

    #[test]
    fn what_says_much_is_given_bit_by_bit() {
        let packed = zstd::bulk::compress(&vec![0; 64 << 20], 19).unwrap();
        assert!(packed.len() < 16 * 1024);
        let mut inflater = Inflater::new(Compression::Zstd).unwrap();
        let mut plain = Vec::new();
        inflater.inflate(&packed, &mut plain).unwrap();
        assert!(plain.len() <= limits::ZSTD_STEP_BYTES);
    }
}
