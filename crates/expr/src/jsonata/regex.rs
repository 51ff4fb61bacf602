//! Regular expressions as JavaScript has them, in time that is counted.
//!
//! A pattern is compiled to a small program, which is run with backtracking. It notes at which choices it has been with
//! which rest of the text, so no choice is tried twice: the work is at most the length of the text times that of the
//! program, however quantifiers are nested. Back references and look-around are not noted, as what they come to depends
//! on more; there the fuel ends what goes on for too long.
//!
//! Source of syntax and semantics: ECMAScript, with its additions for the web (annex B), without the flag `u`; texts
//! are characters, not UTF-16 units.

mod compile;
mod parse;
mod run;

use std::ops::Range;

use super::budget::{Budget, Outcome};

/// A compiled regular expression.
#[derive(Debug)]
pub(super) struct Regex {
    source: String,
    program: Vec<Instruction>,
    classes: Vec<Class>,
    /// Capture groups, without the match itself.
    groups: usize,
    /// Choices that are noted, numbered from 0.
    choices: usize,
    /// Registers that hold where the iteration of a loop began.
    loops: usize,
    ignores_case: bool,
    is_multiline: bool,
    /// Choices are not noted.
    forgets: bool,
    /// What a match may begin with; none where it may be empty.
    first: Option<First>,
}

#[derive(Clone, Debug)]
enum Instruction {
    Char(char),
    Any,
    Class(usize),
    /// Tries the first, then the second.
    Split {
        first: usize,
        second: usize,
        choice: usize,
    },
    /// As many characters of a kind as there are, then fewer.
    Run {
        of: Single,
        choice: usize,
    },
    Jump(usize),
    /// Notes the position: the beginning or end of a group.
    Save(usize),
    /// Forgets the groups of a range of slots.
    Clear(Range<usize>),
    /// Begins an iteration of a loop, which must not be empty.
    Begin(usize),
    End(usize),
    TextStart,
    TextEnd,
    Boundary {
        is_negated: bool,
    },
    BackReference(usize),
    /// What follows up to its own `Match` is looked for here, then it goes on at `next`.
    Look {
        is_behind: bool,
        is_negated: bool,
        next: usize,
    },
    Match,
}

/// A single character of some kind.
#[derive(Clone, Debug)]
enum Single {
    Char(char),
    Any,
    Class(usize),
}

/// A set of characters.
#[derive(Clone, Debug, Default)]
struct Class {
    ranges: Vec<(char, char)>,
    is_negated: bool,
    /// For the first 128 characters, with negation and case.
    ascii: [u64; 2],
}

/// The characters that a match may begin with.
#[derive(Clone, Debug, Default)]
struct First {
    ascii: [u64; 2],
    /// Any beyond ASCII.
    others: bool,
}

/// A match, in bytes of the text.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) at: Range<usize>,
    /// `None` for a group that took no part.
    pub(super) groups: Vec<Option<Range<usize>>>,
}

/// Memory for searches, used again for the next one.
#[derive(Default)]
pub(super) struct Scratch {
    seen: Vec<u64>,
    stack: Vec<run::Back>,
}

impl Regex {
    /// `flags`: of `i` and `m`. Fails with a reason.
    pub(super) fn new(pattern: &str, flags: &str) -> Result<Regex, String> {
        let parsed = parse::parse(pattern)?;
        compile::compile(pattern, parsed, flags.contains('i'), flags.contains('m'))
    }

    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// The first match that begins at byte `from` or later.
    pub(super) fn find(
        &self,
        text: &str,
        from: usize,
        scratch: &mut Scratch,
        budget: &mut Budget,
    ) -> Outcome<Option<Found>> {
        run::find(self, text, from, scratch, budget)
    }
}

impl Class {
    fn contains(&self, char: char, ignores_case: bool) -> bool {
        let code = u32::from(char);
        if code < 128 {
            return bit(&self.ascii, code);
        }
        self.holds(char, ignores_case)
    }

    /// Without the table.
    fn holds(&self, char: char, ignores_case: bool) -> bool {
        let within = |char: char| self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&char));
        let found = within(char) || ignores_case && folds(char).into_iter().any(within);
        found != self.is_negated
    }

    fn with_table(mut self, ignores_case: bool) -> Class {
        for code in 0..128_u8 {
            if self.holds(char::from(code), ignores_case) {
                self.ascii[usize::from(code / 64)] |= 1 << (code % 64);
            }
        }
        self
    }
}

fn bit(table: &[u64; 2], code: u32) -> bool {
    table[(code / 64) as usize] >> (code % 64) & 1 == 1
}

/// The other cases of a character, where each is one character; beyond ASCII none is within it.
fn folds(char: char) -> [char; 2] {
    let one = |mut chars: Box<dyn Iterator<Item = char>>| match (chars.next(), chars.next()) {
        (Some(folded), None) if folded.is_ascii() == char.is_ascii() => folded,
        _ => char,
    };
    if char.is_ascii() {
        return [char.to_ascii_lowercase(), char.to_ascii_uppercase()];
    }
    [one(Box::new(char.to_lowercase())), one(Box::new(char.to_uppercase()))]
}

/// As JavaScript compares characters regardless of case: by their upper case.
fn folded(char: char) -> char {
    folds(char)[1]
}

fn is_word(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_'
}

fn is_line_end(char: char) -> bool {
    matches!(char, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests;
