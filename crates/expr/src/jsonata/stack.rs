//! Room for recursion: more stack where little is left, whatever thread an evaluation runs on.

/// Less than this left, and a new piece of stack is taken.
const LEFT_MIN: usize = 128 * 1024;
const PIECE: usize = 1024 * 1024;

pub(super) fn grow<T>(inner: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(LEFT_MIN, PIECE, inner)
}
