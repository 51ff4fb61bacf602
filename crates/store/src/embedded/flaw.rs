//! What the checks before an open find wrong with a file.

use std::io;
use std::path::Path;

#[derive(Debug)]
pub(super) enum Flaw {
    /// The disk did not let us look.
    Io(io::Error),
    /// The file is not as this program left it, or as a crash of it could have left it.
    Damaged(String),
}

impl Flaw {
    /// What is not there, or is no file (or no folder), was changed by somebody: damage, not an error of the disk.
    pub(super) fn of(path: &Path, error: io::Error) -> Flaw {
        use io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
        match error.kind() {
            NotFound | IsADirectory | NotADirectory => Flaw::Damaged(format!("`{}`: {error}", path.display())),
            _ => Flaw::Io(error),
        }
    }
}
