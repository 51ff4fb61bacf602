//! Runs the program of a pattern over a text.

use super::super::budget::{Budget, Outcome, Stop};
use super::{Found, Instruction, Regex, Scratch, Single, bit, folded, is_line_end, is_word};

/// Most ways back that are kept, and most words of notes: what a search may hold in memory.
const BACKS_MAX: usize = 2 << 20;
const NOTES_MAX: usize = 4 << 20;
/// Steps that are paid for at once.
const STEPS_AT_ONCE: usize = 256;

/// What to do when it does not go on.
#[derive(Clone, Debug)]
pub(super) enum Back {
    /// Go on there.
    Branch {
        at: usize,
        position: usize,
    },
    /// Go on there with one character less, down to `least`.
    Shorter {
        at: usize,
        least: usize,
        position: usize,
    },
    /// Put a slot back.
    Slot {
        slot: usize,
        before: Option<usize>,
    },
    Register {
        register: usize,
        before: usize,
    },
}

pub(super) fn find(
    regex: &Regex,
    text: &str,
    from: usize,
    scratch: &mut Scratch,
    budget: &mut Budget,
) -> Outcome<Option<Found>> {
    scratch.seen.clear();
    scratch.stack.clear();
    let mut run = Run {
        regex,
        text,
        origin: from,
        slots: vec![None; 2 * (regex.groups + 1)],
        registers: vec![usize::MAX; regex.loops],
        scratch,
        budget,
        steps: 0,
        within_look: regex.forgets,
    };
    let mut start = from;
    loop {
        if let Some(first) = &regex.first {
            let rest = &text.as_bytes()[start..];
            let is_possible = |byte: &u8| if *byte < 128 { bit(&first.ascii, u32::from(*byte)) } else { first.others };
            let skipped = rest.iter().position(is_possible).unwrap_or(rest.len());
            run.budget.burn(skipped / 4)?;
            start += skipped;
            // Within a character.
            while !text.is_char_boundary(start) {
                start += 1;
            }
            if start >= text.len() {
                break;
            }
        }
        run.pay(1)?;
        if let Some(end) = run.from(0, start, None)? {
            run.pay_rest()?;
            let slots = &run.slots;
            let group = |group: usize| Some(slots[2 * group]?..slots[2 * group + 1]?);
            let groups = (1..=regex.groups).map(group).collect();
            return Ok(Some(Found { at: start..end, groups }));
        }
        match text[start..].chars().next() {
            Some(char) => start += char.len_utf8(),
            None => break,
        }
        let is_anchored = matches!(regex.program.first(), Some(Instruction::TextStart)) && !regex.is_multiline;
        if is_anchored {
            break;
        }
    }
    run.pay_rest()?;
    Ok(None)
}

struct Run<'r> {
    regex: &'r Regex,
    text: &'r str,
    /// Where the search began; notes are kept from there.
    origin: usize,
    slots: Vec<Option<usize>>,
    registers: Vec<usize>,
    scratch: &'r mut Scratch,
    budget: &'r mut Budget,
    /// Done, but not paid for.
    steps: usize,
    /// Choices are not noted.
    within_look: bool,
}

impl Run<'_> {
    fn pay(&mut self, steps: usize) -> Outcome<()> {
        self.steps += steps;
        if self.steps >= STEPS_AT_ONCE { self.pay_rest() } else { Ok(()) }
    }

    fn pay_rest(&mut self) -> Outcome<()> {
        self.budget.burn(std::mem::take(&mut self.steps))
    }

    /// Whether this choice was made before with this rest of the text. Then it came to nothing.
    fn was_here(&mut self, choice: usize, position: usize) -> Outcome<bool> {
        if self.within_look {
            return Ok(false);
        }
        let note = (position - self.origin) * self.regex.choices + choice;
        let (word, bit) = (note / 64, note % 64);
        if word >= self.scratch.seen.len() {
            if word >= NOTES_MAX {
                return Err(Stop::OutOfMemory);
            }
            let length = (word + 1).max(self.scratch.seen.len() * 3 / 2).min(NOTES_MAX);
            self.pay(length - self.scratch.seen.len())?;
            self.scratch.seen.resize(length, 0);
        }
        let seen = &mut self.scratch.seen[word];
        let was_here = *seen >> bit & 1 == 1;
        *seen |= 1 << bit;
        Ok(was_here)
    }

    fn push(&mut self, back: Back) -> Outcome<()> {
        if self.scratch.stack.len() >= BACKS_MAX {
            return Err(Stop::OutOfMemory);
        }
        self.scratch.stack.push(back);
        Ok(())
    }

    fn is_single(&self, single: &Single, char: char) -> bool {
        match single {
            Single::Char(wanted) if self.regex.ignores_case => folded(char) == *wanted,
            Single::Char(wanted) => char == *wanted,
            Single::Any => !is_line_end(char),
            Single::Class(class) => self.regex.classes[*class].contains(char, self.regex.ignores_case),
        }
    }

    /// Matches from the instruction `at`; gives the end of the match. `end`: where it must end.
    fn from(&mut self, at: usize, position: usize, end: Option<usize>) -> Outcome<Option<usize>> {
        let bottom = self.scratch.stack.len();
        let (mut at, mut position) = (at, position);
        loop {
            self.pay(1)?;
            let goes_on = match &self.regex.program[at] {
                Instruction::Match => match end {
                    Some(end) if end != position => false,
                    _ => {
                        self.scratch.stack.truncate(bottom);
                        return Ok(Some(position));
                    }
                },
                Instruction::Char(wanted) => self.step(&Single::Char(*wanted), &mut position),
                Instruction::Any => self.step(&Single::Any, &mut position),
                Instruction::Class(class) => self.step(&Single::Class(*class), &mut position),
                Instruction::Jump(next) => {
                    at = *next;
                    continue;
                }
                Instruction::Split { first, second, choice } => {
                    let (first, second, choice) = (*first, *second, *choice);
                    match self.was_here(choice, position)? {
                        true => false,
                        false => {
                            self.push(Back::Branch { at: second, position })?;
                            at = first;
                            continue;
                        }
                    }
                }
                Instruction::Run { of, choice } => {
                    let (of, choice) = (of.clone(), *choice);
                    match self.run(&of, choice, position)? {
                        Some(longest) => {
                            if longest > position {
                                self.push(Back::Shorter { at: at + 1, least: position, position: longest })?;
                            }
                            position = longest;
                            true
                        }
                        None => false,
                    }
                }
                Instruction::Save(slot) => {
                    let slot = *slot;
                    let before = self.slots[slot].replace(position);
                    self.push(Back::Slot { slot, before })?;
                    true
                }
                Instruction::Clear(slots) => {
                    for slot in slots.clone() {
                        if let Some(before) = self.slots[slot].take() {
                            self.push(Back::Slot { slot, before: Some(before) })?;
                        }
                    }
                    true
                }
                Instruction::Begin(register) => {
                    let register = *register;
                    let before = std::mem::replace(&mut self.registers[register], position);
                    self.push(Back::Register { register, before })?;
                    true
                }
                Instruction::End(register) => self.registers[*register] != position,
                Instruction::TextStart => {
                    let before = self.text[..position].chars().next_back();
                    before.is_none_or(|char| self.regex.is_multiline && is_line_end(char))
                }
                Instruction::TextEnd => {
                    let next = self.text[position..].chars().next();
                    next.is_none_or(|char| self.regex.is_multiline && is_line_end(char))
                }
                Instruction::Boundary { is_negated } => {
                    let before = self.text[..position].chars().next_back().is_some_and(is_word);
                    let next = self.text[position..].chars().next().is_some_and(is_word);
                    (before != next) != *is_negated
                }
                Instruction::BackReference(group) => self.same_again(*group, &mut position)?,
                Instruction::Look { is_behind, is_negated, next } => {
                    let (is_behind, is_negated, next) = (*is_behind, *is_negated, *next);
                    let found = self.look(at + 1, position, is_behind, is_negated)?;
                    if found != is_negated {
                        at = next;
                        continue;
                    }
                    false
                }
            };
            if goes_on {
                at += 1;
                continue;
            }
            match self.back(bottom)? {
                Some((next, there)) => (at, position) = (next, there),
                None => return Ok(None),
            }
        }
    }

    fn step(&self, single: &Single, position: &mut usize) -> bool {
        match self.text[*position..].chars().next() {
            Some(char) if self.is_single(single, char) => {
                *position += char.len_utf8();
                true
            }
            _ => false,
        }
    }

    /// The end of the longest run from `position`, as far as it was not tried before.
    fn run(&mut self, of: &Single, choice: usize, position: usize) -> Outcome<Option<usize>> {
        if self.was_here(choice, position)? {
            return Ok(None);
        }
        let mut longest = position;
        while let Some(char) = self.text[longest..].chars().next() {
            self.pay(1)?;
            let next = longest + char.len_utf8();
            if !self.is_single(of, char) || self.was_here(choice, next)? {
                break;
            }
            longest = next;
        }
        Ok(Some(longest))
    }

    fn same_again(&mut self, group: usize, position: &mut usize) -> Outcome<bool> {
        let (Some(start), Some(end)) = (self.slots[2 * group], self.slots[2 * group + 1]) else {
            // A group that took no part matches nothing, anywhere.
            return Ok(true);
        };
        let (text, rest) = (&self.text[start..end], &self.text[*position..]);
        self.pay(1 + text.len() / 4)?;
        if !self.regex.ignores_case {
            let is_same = rest.starts_with(text);
            *position += if is_same { text.len() } else { 0 };
            return Ok(is_same);
        }
        let mut chars = rest.chars();
        for wanted in text.chars() {
            if chars.next().map(folded) != Some(folded(wanted)) {
                return Ok(false);
            }
        }
        *position = self.text.len() - chars.as_str().len();
        Ok(true)
    }

    fn look(&mut self, at: usize, position: usize, is_behind: bool, is_negated: bool) -> Outcome<bool> {
        let (slots, registers) = (self.slots.clone(), self.registers.clone());
        self.pay(slots.len() + registers.len())?;
        let outer = std::mem::replace(&mut self.within_look, true);
        let mut found = false;
        if is_behind {
            let mut start = position;
            loop {
                if self.from(at, start, Some(position))?.is_some() {
                    found = true;
                    break;
                }
                match self.text[..start].chars().next_back() {
                    Some(char) => start -= char.len_utf8(),
                    None => break,
                }
            }
        } else {
            found = self.from(at, position, None)?.is_some();
        }
        self.within_look = outer;
        self.registers = registers;
        if found && !is_negated {
            // What it has captured stays; going back undoes it.
            for (slot, before) in slots.into_iter().enumerate() {
                if self.slots[slot] != before {
                    self.push(Back::Slot { slot, before })?;
                }
            }
        } else {
            self.slots = slots;
        }
        Ok(found)
    }

    /// Undoes until there is another way to go on.
    fn back(&mut self, bottom: usize) -> Outcome<Option<(usize, usize)>> {
        while self.scratch.stack.len() > bottom {
            self.pay(1)?;
            match self.scratch.stack.pop() {
                Some(Back::Branch { at, position }) => return Ok(Some((at, position))),
                Some(Back::Shorter { at, least, position }) => {
                    let char = self.text[..position].chars().next_back();
                    let position = position - char.map_or(0, char::len_utf8);
                    if position > least {
                        self.scratch.stack.push(Back::Shorter { at, least, position });
                    }
                    return Ok(Some((at, position)));
                }
                Some(Back::Slot { slot, before }) => self.slots[slot] = before,
                Some(Back::Register { register, before }) => self.registers[register] = before,
                None => break,
            }
        }
        Ok(None)
    }
}
