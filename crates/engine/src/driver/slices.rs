//! Executions that go on by themselves with a further slice, in turn.

use std::collections::{HashSet, VecDeque};

use crate::{record::ExecutionId, timeline::UnderWay};

/// Each at most once. Beyond a bound they are rows alone, which are read when the others have had their turn.
pub(crate) struct Slices {
    turns: VecDeque<(ExecutionId, Option<UnderWay>)>,
    /// Those of `turns`.
    here: HashSet<ExecutionId>,
    max: usize,
    unread: Unread,
}

/// Which rows are of executions that are not in memory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unread {
    None,
    /// Some of all of them.
    Some,
    /// The same; those up to this one were read.
    Behind(ExecutionId),
}

impl Slices {
    /// All are rows. At most `max` are kept in memory.
    pub(crate) fn new(max: usize) -> Slices {
        Slices { turns: VecDeque::new(), here: HashSet::new(), max: max.max(1), unread: Unread::Some }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.turns.len()
    }

    /// The last turn is this execution's, unless it waits for one already.
    pub(crate) fn push(&mut self, execution: ExecutionId, under_way: Option<UnderWay>) {
        if self.turns.len() >= self.max {
            if self.unread == Unread::None {
                self.unread = Unread::Some;
            }
        } else if self.here.insert(execution) {
            self.turns.push_back((execution, under_way));
        }
    }

    /// Whose turn it is, with what keeps time from going on until that is over.
    pub(crate) fn pop(&mut self) -> Option<(ExecutionId, Option<UnderWay>)> {
        let next = self.turns.pop_front()?;
        self.here.remove(&next.0);
        Some(next)
    }

    /// Behind which row to read on, and how many; `None`: there is nothing to be read now.
    pub(crate) fn wants(&self) -> Option<(Option<ExecutionId>, usize)> {
        let after = match self.unread {
            Unread::None => return None,
            Unread::Some => None,
            Unread::Behind(execution) => Some(execution),
        };
        self.turns.is_empty().then_some((after, self.max))
    }

    /// Takes over what was read of the rows as they all are, no step being on its way to them.
    pub(crate) fn extend(&mut self, rows: Vec<(ExecutionId, Option<UnderWay>)>) {
        let (began, last) = (self.unread, rows.last().map(|(execution, _)| *execution));
        let more = rows.len() >= self.max;
        for (execution, under_way) in rows {
            self.push(execution, under_way);
        }
        self.unread = match last {
            Some(last) if more => Unread::Behind(last),
            // Read from the beginning to the end: that were all.
            _ if began == Unread::Some => Unread::None,
            _ => Unread::Some,
        };
    }

    pub(crate) fn clear(&mut self) {
        self.turns.clear();
        self.here.clear();
        self.unread = Unread::None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> ExecutionId {
        ExecutionId([number; 16])
    }

    fn rows<const N: usize>(numbers: [u8; N]) -> Vec<(ExecutionId, Option<UnderWay>)> {
        numbers.map(|number| (id(number), None)).into()
    }

    fn turns(slices: &mut Slices) -> Vec<ExecutionId> {
        std::iter::from_fn(|| slices.pop().map(|(execution, _)| execution)).collect()
    }

    #[test]
    fn each_waits_once_and_in_turn() {
        let mut slices = Slices::new(10);
        slices.extend(rows([]));
        assert_eq!(slices.wants(), None);
        for number in [1, 2, 1, 3, 2] {
            slices.push(id(number), None);
        }
        assert_eq!(slices.pop().map(|(execution, _)| execution), Some(id(1)));
        slices.push(id(1), None);
        assert_eq!(turns(&mut slices), [2, 3, 1].map(id));
    }

    #[test]
    fn those_beyond_the_bound_come_from_their_rows_round_and_round() {
        let mut slices = Slices::new(2);
        assert_eq!(slices.wants(), Some((None, 2)));
        slices.extend(rows([1, 2]));
        assert_eq!(slices.wants(), None, "those in memory first");
        assert_eq!(turns(&mut slices), [1, 2].map(id));
        assert_eq!(slices.wants(), Some((Some(id(2)), 2)));
        slices.extend(rows([3]));
        slices.push(id(1), None);
        slices.push(id(2), None);
        assert_eq!(turns(&mut slices), [3, 1].map(id));
        assert_eq!(slices.wants(), Some((None, 2)), "2 is a row alone");
        slices.extend(rows([2]));
        assert_eq!(turns(&mut slices), [2].map(id));
        assert_eq!(slices.wants(), None);
    }
}
