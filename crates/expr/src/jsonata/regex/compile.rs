//! The tree of a pattern to a program.

use super::parse::{Parsed, Tree};
use super::{Class, First, Instruction, Regex, Single, folded, folds};

/// Longest program. Each of its choices is noted for each character of a text.
const PROGRAM_MAX: usize = 5_000;

pub(super) fn compile(pattern: &str, parsed: Parsed, ignores_case: bool, is_multiline: bool) -> Result<Regex, String> {
    let first = first_of(&parsed.tree, ignores_case);
    let mut compiler = Compiler { program: Vec::new(), classes: Vec::new(), choices: 0, loops: 0, ignores_case };
    compiler.add(&parsed.tree)?;
    compiler.push(Instruction::Match)?;
    Ok(Regex {
        source: pattern.to_owned(),
        program: compiler.program,
        classes: compiler.classes,
        groups: parsed.groups,
        choices: compiler.choices,
        loops: compiler.loops,
        ignores_case,
        is_multiline,
        forgets: parsed.has_back_references,
        first: first.filter(|(_, may_be_empty)| !may_be_empty).map(|(first, _)| first),
    })
}

struct Compiler {
    program: Vec<Instruction>,
    classes: Vec<Class>,
    choices: usize,
    loops: usize,
    ignores_case: bool,
}

type Compiled = Result<(), String>;

impl Compiler {
    fn push(&mut self, instruction: Instruction) -> Compiled {
        if self.program.len() >= PROGRAM_MAX {
            return Err("Regular expression too large".to_owned());
        }
        self.program.push(instruction);
        Ok(())
    }

    fn choice(&mut self) -> usize {
        self.choices += 1;
        self.choices - 1
    }

    fn single(&mut self, tree: &Tree) -> Option<Single> {
        Some(match tree {
            Tree::Char(char) if self.ignores_case => Single::Char(folded(*char)),
            Tree::Char(char) => Single::Char(*char),
            Tree::Any => Single::Any,
            Tree::Class(class) => {
                self.classes.push(class.clone().with_table(self.ignores_case));
                Single::Class(self.classes.len() - 1)
            }
            _ => return None,
        })
    }

    fn add(&mut self, tree: &Tree) -> Compiled {
        if let Some(single) = self.single(tree) {
            return self.push(match single {
                Single::Char(char) => Instruction::Char(char),
                Single::Any => Instruction::Any,
                Single::Class(class) => Instruction::Class(class),
            });
        }
        match tree {
            Tree::Empty | Tree::Char(_) | Tree::Any | Tree::Class(_) => Ok(()),
            Tree::TextStart => self.push(Instruction::TextStart),
            Tree::TextEnd => self.push(Instruction::TextEnd),
            Tree::Boundary { is_negated } => self.push(Instruction::Boundary { is_negated: *is_negated }),
            Tree::BackReference(group) => self.push(Instruction::BackReference(*group)),
            Tree::Group(number, inner) => {
                self.push(Instruction::Save(2 * number))?;
                self.add(inner)?;
                self.push(Instruction::Save(2 * number + 1))
            }
            Tree::Look { is_behind, is_negated, inner } => {
                let at = self.program.len();
                self.push(Instruction::Match)?;
                self.add(inner)?;
                self.push(Instruction::Match)?;
                let next = self.program.len();
                self.program[at] = Instruction::Look { is_behind: *is_behind, is_negated: *is_negated, next };
                Ok(())
            }
            Tree::All(parts) => parts.iter().try_for_each(|part| self.add(part)),
            Tree::Either(branches) => self.either(branches),
            Tree::Repeat { inner, min, max, is_greedy, groups } => self.repeat(inner, *min, *max, *is_greedy, groups),
        }
    }

    fn either(&mut self, branches: &[Tree]) -> Compiled {
        let mut jumps = Vec::new();
        for (index, branch) in branches.iter().enumerate() {
            if index + 1 == branches.len() {
                self.add(branch)?;
                break;
            }
            let split = self.program.len();
            self.push(Instruction::Match)?;
            self.add(branch)?;
            jumps.push(self.program.len());
            self.push(Instruction::Match)?;
            let choice = self.choice();
            self.program[split] = Instruction::Split { first: split + 1, second: self.program.len(), choice };
        }
        let end = self.program.len();
        for jump in jumps {
            self.program[jump] = Instruction::Jump(end);
        }
        Ok(())
    }

    fn repeat(
        &mut self,
        inner: &Tree,
        min: u32,
        max: Option<u32>,
        is_greedy: bool,
        groups: &std::ops::Range<usize>,
    ) -> Compiled {
        for _ in 0..min {
            self.iteration(inner, groups)?;
        }
        let Some(max) = max else {
            if is_greedy && let Some(of) = self.single(inner) {
                let choice = self.choice();
                return self.push(Instruction::Run { of, choice });
            }
            return self.endless(inner, is_greedy, groups);
        };
        let mut splits = Vec::new();
        for _ in min..max {
            splits.push(self.program.len());
            self.push(Instruction::Match)?;
            self.guarded(inner, groups)?;
        }
        let end = self.program.len();
        for split in splits {
            self.program[split] = self.split(split + 1, end, is_greedy);
        }
        Ok(())
    }

    fn endless(&mut self, inner: &Tree, is_greedy: bool, groups: &std::ops::Range<usize>) -> Compiled {
        let split = self.program.len();
        self.push(Instruction::Match)?;
        self.guarded(inner, groups)?;
        self.push(Instruction::Jump(split))?;
        let end = self.program.len();
        self.program[split] = self.split(split + 1, end, is_greedy);
        Ok(())
    }

    fn split(&mut self, inside: usize, behind: usize, is_greedy: bool) -> Instruction {
        let choice = self.choice();
        match is_greedy {
            true => Instruction::Split { first: inside, second: behind, choice },
            false => Instruction::Split { first: behind, second: inside, choice },
        }
    }

    /// One iteration that must not be empty.
    fn guarded(&mut self, inner: &Tree, groups: &std::ops::Range<usize>) -> Compiled {
        let is_guarded = first_of(inner, self.ignores_case).is_none_or(|(_, may_be_empty)| may_be_empty);
        if !is_guarded {
            return self.iteration(inner, groups);
        }
        let register = self.loops;
        self.loops += 1;
        self.push(Instruction::Begin(register))?;
        self.iteration(inner, groups)?;
        self.push(Instruction::End(register))
    }

    /// What groups had captured in the iteration before is forgotten.
    fn iteration(&mut self, inner: &Tree, groups: &std::ops::Range<usize>) -> Compiled {
        if !groups.is_empty() {
            self.push(Instruction::Clear(2 * groups.start + 2..2 * groups.end + 2))?;
        }
        self.add(inner)
    }
}

/// What a match of `tree` may begin with, and whether it may be empty. `None` where that is not worth knowing.
fn first_of(tree: &Tree, ignores_case: bool) -> Option<(First, bool)> {
    let mut first = First::default();
    let may_be_empty = match tree {
        Tree::Char(char) => {
            for char in [*char].into_iter().chain(if ignores_case { folds(*char) } else { [*char; 2] }) {
                match u32::from(char) {
                    code @ 0..128 => first.ascii[(code / 64) as usize] |= 1 << (code % 64),
                    _ => first.others = true,
                }
            }
            false
        }
        Tree::Any => {
            first = First { ascii: [u64::MAX; 2], others: true };
            false
        }
        Tree::Class(class) => {
            let class = class.clone().with_table(ignores_case);
            first = First { ascii: class.ascii, others: true };
            false
        }
        Tree::Empty | Tree::TextStart | Tree::TextEnd | Tree::Boundary { .. } | Tree::Look { .. } => true,
        Tree::BackReference(_) => return None,
        Tree::Group(_, inner) => return first_of(inner, ignores_case),
        Tree::All(parts) => {
            let mut may_be_empty = true;
            for part in parts {
                let (own, own_may_be_empty) = first_of(part, ignores_case)?;
                first.add(&own);
                if !own_may_be_empty {
                    may_be_empty = false;
                    break;
                }
            }
            may_be_empty
        }
        Tree::Either(branches) => {
            let mut may_be_empty = false;
            for branch in branches {
                let (own, own_may_be_empty) = first_of(branch, ignores_case)?;
                first.add(&own);
                may_be_empty |= own_may_be_empty;
            }
            may_be_empty
        }
        Tree::Repeat { inner, min, .. } => {
            let (own, may_be_empty) = first_of(inner, ignores_case)?;
            first = own;
            may_be_empty || *min == 0
        }
    };
    Some((first, may_be_empty))
}

impl First {
    fn add(&mut self, other: &First) {
        self.ascii[0] |= other.ascii[0];
        self.ascii[1] |= other.ascii[1];
        self.others |= other.others;
    }
}
