//! The line of a text where something is wrong, with a caret under the place.

use std::ops::Range;

use crate::trace::{DIM, RED};

/// Most characters of a line that are shown.
const SHOWN_CHARS_MAX: usize = 100;
/// Characters that are shown before the place, where the line is longer than that.
const CHARS_BEFORE: usize = 60;

/// Line and column, both from 1, in characters, of the byte `at`.
pub(super) fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
}

/// The first line of `place`, and carets under it.
pub(super) fn excerpt(text: &str, place: &Range<usize>) -> String {
    let (number, column) = position(text, place.start);
    let line = text.split('\n').nth(number - 1).unwrap_or_default().trim_end_matches('\r');
    let (before, length) = (column - 1, line.chars().count());
    let marked = text.get(place.clone()).unwrap_or_default().split('\n').next().unwrap_or_default().chars().count();
    let skipped = if length > SHOWN_CHARS_MAX { before.saturating_sub(CHARS_BEFORE) } else { 0 };
    let shown: String = line.chars().skip(skipped).take(SHOWN_CHARS_MAX).collect();
    let (left, right) = (if skipped > 0 { "…" } else { "" }, if length > skipped + SHOWN_CHARS_MAX { "…" } else { "" });
    // A tab stays one, so that the carets stand where the terminal puts the text.
    let blanks: String = (left.chars().chain(line.chars().skip(skipped).take(before - skipped)))
        .map(|char| if char == '\t' { '\t' } else { ' ' })
        .collect();
    let carets = "^".repeat(marked.clamp(1, SHOWN_CHARS_MAX.saturating_sub(before - skipped).max(1)));
    let margin = " ".repeat(number.to_string().len());
    format!("{DIM}{number} |{DIM:#} {left}{shown}{right}\n{DIM}{margin} |{DIM:#} {blanks}{RED}{carets}{RED:#}\n")
}
