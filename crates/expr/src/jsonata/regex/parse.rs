//! The text of a pattern to a tree.

use std::iter::Peekable;
use std::str::Chars;

/// Deepest nesting of groups.
const DEPTH_MAX: usize = 200;
/// Largest number in a quantifier.
const REPEAT_MAX: u32 = 1000;

#[derive(Clone, Debug)]
pub(super) enum Tree {
    Empty,
    Char(char),
    Any,
    Class(super::Class),
    TextStart,
    TextEnd,
    Boundary {
        is_negated: bool,
    },
    /// A capture group, by its number from 1.
    Group(usize, Box<Tree>),
    Look {
        is_behind: bool,
        is_negated: bool,
        inner: Box<Tree>,
    },
    BackReference(usize),
    All(Vec<Tree>),
    Either(Vec<Tree>),
    Repeat {
        inner: Box<Tree>,
        min: u32,
        max: Option<u32>,
        is_greedy: bool,
        groups: std::ops::Range<usize>,
    },
}

pub(super) struct Parsed {
    pub(super) tree: Tree,
    pub(super) groups: usize,
    pub(super) has_back_references: bool,
}

pub(super) fn parse(pattern: &str) -> Result<Parsed, String> {
    let (total, names) = groups_of(pattern);
    let mut parser =
        Parser { chars: pattern.chars().peekable(), groups: 0, total, names, depth: 0, has_back_references: false };
    let tree = parser.either()?;
    match parser.chars.next() {
        None => Ok(Parsed { tree, groups: parser.groups, has_back_references: parser.has_back_references }),
        Some(_) => Err("Unmatched ')'".to_owned()),
    }
}

/// How many capture groups there are, and their names, by number.
fn groups_of(pattern: &str) -> (usize, Vec<(String, usize)>) {
    let (mut count, mut names) = (0, Vec::new());
    let mut in_class = false;
    let mut chars = pattern.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '\\' => _ = chars.next(),
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => {
                let rest = &pattern[at + 1..];
                let name = rest.strip_prefix("?<").filter(|rest| !rest.starts_with(['=', '!']));
                if name.is_some() || !rest.starts_with('?') {
                    count += 1;
                }
                if let Some((name, _)) = name.and_then(|name| name.split_once('>')) {
                    names.push((name.to_owned(), count));
                }
            }
            _ => {}
        }
    }
    (count, names)
}

struct Parser<'p> {
    chars: Peekable<Chars<'p>>,
    groups: usize,
    total: usize,
    names: Vec<(String, usize)>,
    depth: usize,
    has_back_references: bool,
}

/// What an escape stands for.
enum Escape {
    Char(char),
    Class(super::Class),
}

impl Parser<'_> {
    fn takes(&mut self, char: char) -> bool {
        self.chars.next_if_eq(&char).is_some()
    }

    fn takes_all(&mut self, text: &str) -> bool {
        let mut ahead = self.chars.clone();
        if text.chars().all(|char| ahead.next() == Some(char)) {
            self.chars = ahead;
            return true;
        }
        false
    }

    fn either(&mut self) -> Result<Tree, String> {
        let mut branches = vec![self.all()?];
        while self.takes('|') {
            branches.push(self.all()?);
        }
        Ok(if branches.len() == 1 { branches.remove(0) } else { Tree::Either(branches) })
    }

    fn all(&mut self) -> Result<Tree, String> {
        let mut parts = Vec::new();
        while let Some(char) = self.chars.peek() {
            if matches!(char, '|' | ')') {
                break;
            }
            let before = self.groups;
            let part = self.one()?;
            parts.push(self.repeated(part, before)?);
        }
        Ok(match parts.len() {
            0 => Tree::Empty,
            1 => parts.remove(0),
            _ => Tree::All(parts),
        })
    }

    fn one(&mut self) -> Result<Tree, String> {
        let Some(char) = self.chars.next() else {
            return Ok(Tree::Empty);
        };
        Ok(match char {
            '.' => Tree::Any,
            '^' => Tree::TextStart,
            '$' => Tree::TextEnd,
            '(' => return self.group(),
            '[' => Tree::Class(self.class()?),
            '\\' => return self.escaped(),
            '*' | '+' | '?' => return Err("Nothing to repeat".to_owned()),
            '{' if self.bounds().is_some() => return Err("Nothing to repeat".to_owned()),
            other => Tree::Char(other),
        })
    }

    fn group(&mut self) -> Result<Tree, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("Regular expression too deep".to_owned());
        }
        let look = [("?=", false, false), ("?!", false, true), ("?<=", true, false), ("?<!", true, true)];
        let look = look.into_iter().find(|(sign, ..)| self.takes_all(sign));
        let mut number = None;
        if look.is_none() && !self.takes_all("?:") {
            self.groups += 1;
            number = Some(self.groups);
            if self.takes_all("?<") {
                let mut is_named = false;
                for char in self.chars.by_ref() {
                    if char == '>' {
                        break;
                    }
                    if !(char.is_alphanumeric() || matches!(char, '_' | '$')) {
                        return Err("Invalid capture group name".to_owned());
                    }
                    is_named = true;
                }
                if !is_named {
                    return Err("Invalid capture group name".to_owned());
                }
            } else if self.chars.peek() == Some(&'?') {
                return Err("Invalid group".to_owned());
            }
        }
        let inner = Box::new(self.either()?);
        if !self.takes(')') {
            return Err("Unterminated group".to_owned());
        }
        self.depth -= 1;
        Ok(match (look, number) {
            (Some((_, is_behind, is_negated)), _) => Tree::Look { is_behind, is_negated, inner },
            (None, Some(number)) => Tree::Group(number, inner),
            (None, None) => *inner,
        })
    }

    /// A quantifier behind `part`, if there is one. `groups`: how many there were before the part.
    fn repeated(&mut self, part: Tree, groups: usize) -> Result<Tree, String> {
        let (min, max) = match self.chars.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => {
                let mut ahead = self.chars.clone();
                ahead.next();
                let rest = std::mem::replace(&mut self.chars, ahead);
                match self.bounds() {
                    Some(bounds) => return self.repeat(part, bounds, groups),
                    None => {
                        self.chars = rest;
                        return Ok(part);
                    }
                }
            }
            _ => return Ok(part),
        };
        self.chars.next();
        self.repeat(part, (min, max), groups)
    }

    fn repeat(&mut self, part: Tree, bounds: (u32, Option<u32>), groups: usize) -> Result<Tree, String> {
        let (min, max) = bounds;
        if max.is_some_and(|max| max < min) {
            return Err("numbers out of order in {} quantifier".to_owned());
        }
        if min > REPEAT_MAX || max.is_some_and(|max| max > REPEAT_MAX) {
            return Err("Regular expression too large".to_owned());
        }
        if matches!(part, Tree::TextStart | Tree::TextEnd | Tree::Boundary { .. } | Tree::Look { is_behind: true, .. })
        {
            return Err("Nothing to repeat".to_owned());
        }
        let is_greedy = !self.takes('?');
        if matches!(self.chars.peek(), Some('*' | '+' | '?')) {
            return Err("Nothing to repeat".to_owned());
        }
        let groups = groups..self.groups;
        Ok(Tree::Repeat { inner: Box::new(part), min, max, is_greedy, groups })
    }

    /// The rest of `{n}`, `{n,}` or `{n,m}`; nothing is taken where it is none of them.
    fn bounds(&mut self) -> Option<(u32, Option<u32>)> {
        let mut ahead = self.chars.clone();
        let number = |ahead: &mut Peekable<Chars<'_>>| {
            let mut number = None;
            while let Some(digit) = ahead.peek().and_then(|char| char.to_digit(10)) {
                ahead.next();
                number = Some(number.unwrap_or(0_u32).saturating_mul(10).saturating_add(digit));
            }
            number
        };
        let min = number(&mut ahead)?;
        let max = match ahead.next()? {
            '}' => Some(min),
            ',' => {
                let max = number(&mut ahead);
                if ahead.next()? != '}' {
                    return None;
                }
                max
            }
            _ => return None,
        };
        self.chars = ahead;
        Some((min, max))
    }

    fn escaped(&mut self) -> Result<Tree, String> {
        match self.chars.peek() {
            Some('b') => {
                self.chars.next();
                return Ok(Tree::Boundary { is_negated: false });
            }
            Some('B') => {
                self.chars.next();
                return Ok(Tree::Boundary { is_negated: true });
            }
            Some('k') if !self.names.is_empty() => {
                self.chars.next();
                let mut name = String::new();
                if self.takes('<') {
                    while let Some(char) = self.chars.next_if(|char| *char != '>') {
                        name.push(char);
                    }
                }
                let number = self.names.iter().find(|(own, _)| *own == name).map(|(_, number)| *number);
                return match (self.takes('>'), number) {
                    (true, Some(number)) => {
                        self.has_back_references = true;
                        Ok(Tree::BackReference(number))
                    }
                    _ => Err("Invalid named reference".to_owned()),
                };
            }
            Some('1'..='9') => {
                let mut ahead = self.chars.clone();
                let mut number = 0_usize;
                while let Some(digit) = ahead.peek().and_then(|char| char.to_digit(10)) {
                    ahead.next();
                    number = number.saturating_mul(10).saturating_add(digit as usize);
                }
                if number <= self.total {
                    self.chars = ahead;
                    self.has_back_references = true;
                    return Ok(Tree::BackReference(number));
                }
            }
            _ => {}
        }
        Ok(match self.escape(false)? {
            Escape::Char(char) => Tree::Char(char),
            Escape::Class(class) => Tree::Class(class),
        })
    }

    fn escape(&mut self, in_class: bool) -> Result<Escape, String> {
        let Some(char) = self.chars.next() else {
            return Err("\\ at end of pattern".to_owned());
        };
        Ok(Escape::Char(match char {
            'd' => return Ok(class(&[('0', '9')], false)),
            'D' => return Ok(class(&[('0', '9')], true)),
            'w' => return Ok(class(WORD, false)),
            'W' => return Ok(class(WORD, true)),
            's' => return Ok(class(SPACE, false)),
            'S' => return Ok(class(SPACE, true)),
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'f' => '\u{c}',
            'b' if in_class => '\u{8}',
            '0'..='7' => {
                let mut code = char.to_digit(8).unwrap_or_default();
                while let Some(digit) = self.chars.peek().and_then(|char| char.to_digit(8)) {
                    if code * 8 + digit > 0o377 {
                        break;
                    }
                    code = code * 8 + digit;
                    self.chars.next();
                }
                char::from_u32(code).unwrap_or_default()
            }
            'c' => match self.chars.next_if(char::is_ascii_alphabetic) {
                Some(letter) => char::from(letter as u8 % 32),
                None => 'c',
            },
            'x' => self.hex(2).unwrap_or('x'),
            'u' => match self.unit() {
                Some(high @ 0xD800..=0xDBFF) => {
                    let before = self.chars.clone();
                    let low = if self.takes_all("\\u") { self.unit() } else { None };
                    match low {
                        Some(low @ 0xDC00..=0xDFFF) => {
                            char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00)).unwrap_or_default()
                        }
                        _ => {
                            self.chars = before;
                            char::REPLACEMENT_CHARACTER
                        }
                    }
                }
                Some(unit) => char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER),
                None => 'u',
            },
            other => other,
        }))
    }

    fn hex(&mut self, digits: usize) -> Option<char> {
        self.code(digits).and_then(char::from_u32)
    }

    fn unit(&mut self) -> Option<u32> {
        self.code(4)
    }

    fn code(&mut self, digits: usize) -> Option<u32> {
        let mut ahead = self.chars.clone();
        let mut code = 0;
        for _ in 0..digits {
            code = code * 16 + ahead.next()?.to_digit(16)?;
        }
        self.chars = ahead;
        Some(code)
    }

    /// What stands in brackets.
    fn class(&mut self) -> Result<super::Class, String> {
        let is_negated = self.takes('^');
        let mut ranges = Vec::new();
        loop {
            let Some(char) = self.chars.next() else {
                return Err("Unterminated character class".to_owned());
            };
            if char == ']' {
                return Ok(super::Class { ranges, is_negated, ascii: [0; 2] });
            }
            let first = self.class_char(char, &mut ranges)?;
            // A hyphen between two characters makes a range; a kind of characters makes none.
            let mut ahead = self.chars.clone();
            let is_range = ahead.next() == Some('-') && !matches!(ahead.peek(), None | Some(']'));
            let Some(first) = first else {
                continue;
            };
            if !is_range {
                ranges.push((first, first));
                continue;
            }
            self.chars = ahead;
            let Some(char) = self.chars.next() else {
                continue;
            };
            match self.class_char(char, &mut ranges)? {
                Some(last) if last < first => return Err("Range out of order in character class".to_owned()),
                Some(last) => ranges.push((first, last)),
                None => ranges.extend([(first, first), ('-', '-')]),
            }
        }
    }

    /// A character in brackets; a kind of characters is put among the ranges.
    fn class_char(&mut self, char: char, ranges: &mut Vec<(char, char)>) -> Result<Option<char>, String> {
        if char != '\\' {
            return Ok(Some(char));
        }
        match self.escape(true)? {
            Escape::Char(char) => Ok(Some(char)),
            Escape::Class(class) if class.is_negated => {
                let mut next = '\0';
                for (first, last) in class.ranges {
                    if first > next {
                        ranges.push((next, before(first)));
                    }
                    next = after(last);
                }
                ranges.push((next, char::MAX));
                Ok(None)
            }
            Escape::Class(class) => {
                ranges.extend(class.ranges);
                Ok(None)
            }
        }
    }
}

fn class(ranges: &[(char, char)], is_negated: bool) -> Escape {
    Escape::Class(super::Class { ranges: ranges.to_vec(), is_negated, ascii: [0; 2] })
}

/// The character before; those below ours are never at the gap of the surrogates.
fn before(char: char) -> char {
    char::from_u32(u32::from(char).saturating_sub(1)).unwrap_or('\u{d7ff}')
}

fn after(char: char) -> char {
    char::from_u32(u32::from(char) + 1).unwrap_or('\u{e000}')
}

const WORD: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
/// Blanks and line ends, in order.
const SPACE: &[(char, char)] = &[
    ('\t', '\r'),
    (' ', ' '),
    ('\u{a0}', '\u{a0}'),
    ('\u{1680}', '\u{1680}'),
    ('\u{2000}', '\u{200a}'),
    ('\u{2028}', '\u{2029}'),
    ('\u{202f}', '\u{202f}'),
    ('\u{205f}', '\u{205f}'),
    ('\u{3000}', '\u{3000}'),
    ('\u{feff}', '\u{feff}'),
];
