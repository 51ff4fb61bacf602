//! Functions that match texts, by a regular expression or by a function that does as one does.

use std::rc::Rc;
use std::sync::Arc;

use super::super::budget::{Outcome, Stop};
use super::super::evaluate::Evaluator;
use super::super::fault::Fault;
use super::super::item::{Item, Record};
use super::super::regex::{Found, Regex, Scratch};
use super::{Function, argument, number_of, text_of, whole};

/// What finds matches, one after the other.
enum Matcher {
    Regex {
        regex: Arc<Regex>,
        text: Arc<str>,
        from: usize,
        is_first: bool,
        scratch: Scratch,
        units: Units,
    },
    /// A function of the expression: called with the text, it gives a match, which holds the function to call next.
    Own {
        next: Item,
        text: Option<Arc<str>>,
        of: Arc<str>,
    },
}

/// A match.
struct Hit {
    /// In bytes of the text.
    start: usize,
    end: usize,
    matched: Item,
    groups: Vec<Item>,
    /// As the function that replaces it sees it.
    item: Item,
}

/// Positions as JavaScript counts them: in UTF-16 units.
struct Units {
    is_ascii: bool,
    /// So many units come before this byte.
    byte: usize,
    units: usize,
}

impl Units {
    fn of(text: &str) -> Units {
        Units { is_ascii: text.is_ascii(), byte: 0, units: 0 }
    }

    /// The units before `byte`, which comes behind all that were asked for before.
    fn before(&mut self, text: &str, byte: usize) -> usize {
        if self.is_ascii {
            return byte;
        }
        if byte < self.byte {
            (self.byte, self.units) = (0, 0);
        }
        self.units += text[self.byte..byte].encode_utf16().count();
        self.byte = byte;
        self.units
    }
}

/// The byte at which the UTF-16 unit `unit` begins.
fn byte_of(text: &str, unit: f64) -> usize {
    let mut units = 0.0;
    let before = text.char_indices().find(|(_, char)| {
        let reached = units >= unit;
        units += char.len_utf16() as f64;
        reached
    });
    before.map_or(text.len(), |(byte, _)| byte)
}

impl Matcher {
    fn new(evaluator: &mut Evaluator<'_>, function: &Item, text: &Arc<str>) -> Outcome<Matcher> {
        if let Item::Function(own) = function
            && let Function::Regex(regex) = &**own
        {
            evaluator.budget.read(text.len())?;
            let (regex, text, units) = (regex.clone(), text.clone(), Units::of(text));
            return Ok(Matcher::Regex { regex, text, from: 0, is_first: true, scratch: Scratch::default(), units });
        }
        Ok(Matcher::Own { next: function.clone(), text: Some(text.clone()), of: text.clone() })
    }

    fn next(&mut self, evaluator: &mut Evaluator<'_>) -> Outcome<Option<Hit>> {
        match self {
            Matcher::Regex { regex, text, from, is_first, scratch, units } => {
                if !*is_first && *from >= text.len() {
                    return Ok(None);
                }
                evaluator.budget.burn(16)?;
                let Some(found) = regex.find(text, *from, scratch, &mut evaluator.budget)? else {
                    return Ok(None);
                };
                if !*is_first && found.at.is_empty() {
                    return Err(endless());
                }
                *is_first = false;
                *from = found.at.end;
                hit(evaluator, text, &found, units).map(Some)
            }
            Matcher::Own { next, text, of } => {
                let arguments = text.take().map(Item::Text).into_iter().collect();
                let item = evaluator.apply(next.clone(), arguments, &Item::Null)?;
                let Some(members) = item.members() else {
                    return match item {
                        Item::Undefined | Item::Null | Item::Bool(false) => Ok(None),
                        _ => Err(Fault::new("T1010").into()),
                    };
                };
                evaluator.budget.read(of.len())?;
                let matched = members.get("match");
                let length = matched.as_text().map_or(0, |matched| matched.encode_utf16().count()) as f64;
                let (start, end, groups) = match (members.get("start"), members.get("end"), members.get("groups")) {
                    (Item::Number(start), end, groups) => {
                        let end = if let Item::Number(end) = end { end } else { start + length };
                        (start, end, groups)
                    }
                    _ => return Err(Fault::new("T1010").into()),
                };
                *next = members.get("next");
                if !matches!(next, Item::Function(_)) {
                    return Err(Fault::new("T1010").into());
                }
                let (start, end) = (byte_of(of, start), byte_of(of, end));
                let groups = groups.elements().map(|groups| groups.iter().collect()).unwrap_or_default();
                Ok(Some(Hit { start, end: end.max(start), matched, groups, item: item.clone() }))
            }
        }
    }
}

/// An empty match would come again and again.
fn endless() -> Stop {
    Fault::new("D1004").into()
}

fn hit(evaluator: &mut Evaluator<'_>, text: &Arc<str>, found: &Found, units: &mut Units) -> Outcome<Hit> {
    let part = |evaluator: &mut Evaluator<'_>, at: std::ops::Range<usize>| -> Outcome {
        evaluator.budget.make_text(at.len())?;
        Ok(Item::text(&text[at]))
    };
    let matched = part(evaluator, found.at.clone())?;
    evaluator.budget.make_items(found.groups.len())?;
    let mut groups = Vec::with_capacity(found.groups.len());
    for group in &found.groups {
        groups.push(match group {
            Some(at) => part(evaluator, at.clone())?,
            None => Item::Undefined,
        });
    }
    let start = units.before(text, found.at.start);
    let end = units.before(text, found.at.end);
    evaluator.budget.make_members(4)?;
    let mut record = Record::with_capacity(4);
    record.insert("match".into(), matched.clone());
    record.insert("start".into(), whole(start));
    record.insert("end".into(), whole(end));
    record.insert("groups".into(), Item::array(groups.clone()));
    let item = Item::record(record);
    Ok(Hit { start: found.at.start, end: found.at.end, matched, groups, item })
}

impl Evaluator<'_> {
    /// A regular expression that is called: the first match, with the function that gives the next.
    pub(in super::super) fn match_once(&mut self, function: &Rc<Function>, arguments: &[Item]) -> Outcome {
        let (regex, text, from, is_first) = match &**function {
            Function::Regex(regex) => {
                let Some(text) = text_of(arguments, 0) else {
                    return Ok(Item::Undefined);
                };
                let from = number_of(arguments, 1).map_or(0, |unit| byte_of(text, unit));
                (regex.clone(), text.clone(), from, true)
            }
            Function::Next { regex, text, from } => (regex.clone(), text.clone(), *from, false),
            _ => return Ok(Item::Undefined),
        };
        if !is_first && from >= text.len() {
            return Ok(Item::Undefined);
        }
        self.budget.read(text.len())?;
        let Some(found) = regex.find(&text, from, &mut Scratch::default(), &mut self.budget)? else {
            return Ok(Item::Undefined);
        };
        if !is_first && found.at.is_empty() {
            return Err(endless());
        }
        let hit = hit(self, &text, &found, &mut Units::of(&text))?;
        let next = Function::Next { regex, text, from: found.at.end };
        let mut record = Record::with_capacity(5);
        for (name, member) in hit.item.members().into_iter().flat_map(|members| members.iter()) {
            record.insert(name.clone(), member);
        }
        record.insert("next".into(), Item::Function(Rc::new(next)));
        Ok(Item::record(record))
    }
}

/// Most matches that are wanted; a fault with `code` for a negative number.
fn limit(arguments: &[Item], index: usize, code: &'static str) -> Outcome<f64> {
    match number_of(arguments, index) {
        Some(limit) if limit < 0.0 => Err(Fault::new(code).value(&Item::Number(limit)).into()),
        Some(limit) => Ok(limit),
        None => Ok(f64::INFINITY),
    }
}

pub(super) fn contains(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let Some(text) = text_of(arguments, 0).cloned() else {
        return Ok(Item::Undefined);
    };
    match argument(arguments, 1) {
        Item::Undefined => Ok(Item::Undefined),
        Item::Text(part) => {
            evaluator.budget.read(2 * text.len())?;
            Ok(Item::Bool(text.contains(&*part)))
        }
        function => {
            if let Item::Function(own) = &function
                && let Function::Regex(regex) = &**own
            {
                let found = regex.find(&text, 0, &mut Scratch::default(), &mut evaluator.budget)?;
                return Ok(Item::Bool(found.is_some()));
            }
            let hit = Matcher::new(evaluator, &function, &text)?.next(evaluator)?;
            Ok(Item::Bool(hit.is_some()))
        }
    }
}

pub(super) fn find_all(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let Some(text) = text_of(arguments, 0).cloned() else {
        return Ok(Item::Undefined);
    };
    let limit = limit(arguments, 2, "D3040")?;
    let mut found = Vec::new();
    if limit > 0.0 {
        let mut matcher = Matcher::new(evaluator, &argument(arguments, 1), &text)?;
        while (found.len() as f64) < limit {
            let Some(hit) = matcher.next(evaluator)? else {
                break;
            };
            evaluator.budget.make_members(3)?;
            let mut record = Record::with_capacity(3);
            record.insert("match".into(), hit.matched);
            record.insert("index".into(), hit.item.members().map(|members| members.get("start")).unwrap_or_default());
            record.insert("groups".into(), Item::array(hit.groups));
            found.push(Item::record(record));
        }
    }
    evaluator.budget.make_items(found.len())?;
    Ok(Item::sequence(found))
}

pub(super) fn split(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let Some(text) = text_of(arguments, 0).cloned() else {
        return Ok(Item::Undefined);
    };
    let limit = limit(arguments, 2, "D3020")?;
    let mut parts = Vec::new();
    if limit <= 0.0 {
        return Ok(Item::array(parts));
    }
    let mut add = |evaluator: &mut Evaluator<'_>, part: &str| -> Outcome<()> {
        evaluator.budget.make_text(part.len())?;
        evaluator.budget.make_items(1)?;
        parts.push(Item::text(part));
        Ok(())
    };
    match argument(arguments, 1) {
        Item::Text(separator) => {
            evaluator.budget.read(2 * text.len())?;
            let most = if limit.is_finite() { limit as usize } else { usize::MAX };
            if separator.is_empty() {
                for (start, char) in text.char_indices().take(most) {
                    add(evaluator, &text[start..start + char.len_utf8()])?;
                }
            } else {
                for part in text.split(&*separator).take(most) {
                    add(evaluator, part)?;
                }
            }
        }
        // As JavaScript splits by nothing.
        Item::Undefined => add(evaluator, &text)?,
        function => {
            let mut matcher = Matcher::new(evaluator, &function, &text)?;
            let (mut start, mut count) = (0, 0.0);
            let mut is_whole = true;
            while count < limit {
                let Some(hit) = matcher.next(evaluator)? else {
                    break;
                };
                is_whole = false;
                add(evaluator, text.get(start..hit.start).unwrap_or_default())?;
                start = hit.end;
                count += 1.0;
            }
            if is_whole || count < limit {
                add(evaluator, &text[start..])?;
            }
        }
    }
    Ok(Item::array(parts))
}

pub(super) fn replace(evaluator: &mut Evaluator<'_>, arguments: &[Item]) -> Outcome {
    let Some(text) = text_of(arguments, 0).cloned() else {
        return Ok(Item::Undefined);
    };
    let (pattern, replacement) = (argument(arguments, 1), argument(arguments, 2));
    if matches!(&pattern, Item::Text(pattern) if pattern.is_empty()) {
        return Err(Fault::new("D3010").value(&pattern).into());
    }
    let limit = limit(arguments, 3, "D3011")?;
    if limit <= 0.0 {
        return Ok(Item::Text(text));
    }
    let mut result = Replaced { text: String::new(), paid: 0 };
    let mut count = 0.0;
    let mut position = 0;
    if let Item::Text(pattern) = &pattern {
        evaluator.budget.read(2 * text.len())?;
        let replacement = match &replacement {
            Item::Text(replacement) => replacement.clone(),
            // As JavaScript prints what is no text.
            Item::Undefined => "undefined".into(),
            _ => return Err(Fault::new("D3012").value(&replacement).into()),
        };
        while count < limit
            && let Some(found) = text[position..].find(&**pattern)
        {
            result.add(evaluator, &text[position..position + found])?;
            result.add(evaluator, &replacement)?;
            position += found + pattern.len();
            count += 1.0;
        }
    } else {
        let mut matcher = Matcher::new(evaluator, &pattern, &text)?;
        while count < limit
            && let Some(hit) = matcher.next(evaluator)?
        {
            result.add(evaluator, text.get(position..hit.start).unwrap_or_default())?;
            match &replacement {
                Item::Text(template) => result.add_template(evaluator, template, &hit)?,
                Item::Function(_) => {
                    let item = evaluator.apply(replacement.clone(), vec![hit.item.clone()], &Item::Null)?;
                    match &item {
                        Item::Text(part) => result.add(evaluator, part)?,
                        other => return Err(Fault::new("D3012").value(other).into()),
                    }
                }
                other => return Err(Fault::new("D3012").value(other).into()),
            }
            let length = hit.matched.as_text().map_or(0, |matched| matched.len());
            position = (hit.start + length).min(text.len());
            count += 1.0;
        }
    }
    result.add(evaluator, text.get(position..).unwrap_or_default())?;
    Ok(Item::text(result.text))
}

/// A text that grows, and is paid for as it does.
struct Replaced {
    text: String,
    paid: usize,
}

impl Replaced {
    fn add(&mut self, evaluator: &mut Evaluator<'_>, part: &str) -> Outcome<()> {
        let length = self.text.len() + part.len();
        evaluator.budget.burn(4 + part.len() / 16)?;
        if length > self.paid {
            // As much again, so that paying does not add up.
            let ahead = (2 * length).clamp(64, crate::limits::JSONATA_STRING_BYTES_MAX.max(length));
            evaluator.budget.make_text(ahead)?;
            self.paid = ahead;
        }
        self.text.push_str(part);
        Ok(())
    }

    /// `$1` and so on stand for what the groups captured, `$0` for the match, `$$` for a dollar.
    fn add_template(&mut self, evaluator: &mut Evaluator<'_>, template: &str, hit: &Hit) -> Outcome<()> {
        let groups = hit.groups.len();
        let most_digits = if groups == 0 { 1 } else { groups.ilog10() as usize + 1 };
        let mut rest = template;
        while let Some(dollar) = rest.find('$') {
            self.add(evaluator, &rest[..dollar])?;
            rest = &rest[dollar + 1..];
            if let Some(behind) = rest.strip_prefix('$') {
                self.add(evaluator, "$")?;
                rest = behind;
                continue;
            }
            if let Some(behind) = rest.strip_prefix('0') {
                self.add(evaluator, hit.matched.as_text().map_or("", |matched| matched))?;
                rest = behind;
                continue;
            }
            let digits = rest.bytes().take(most_digits).take_while(u8::is_ascii_digit).count();
            let mut number: Option<usize> = rest[..digits].parse().ok();
            if most_digits > 1 && number.is_some_and(|number| number > groups) {
                number = rest[..digits.min(most_digits - 1)].parse().ok();
            }
            match number {
                Some(number) => {
                    if let Some(Item::Text(group)) = number.checked_sub(1).and_then(|index| hit.groups.get(index)) {
                        self.add(evaluator, group)?;
                    }
                    rest = &rest[number.to_string().len().min(digits)..];
                }
                None => self.add(evaluator, "$")?,
            }
        }
        self.add(evaluator, rest)
    }
}
