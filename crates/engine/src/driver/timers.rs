//! The deadlines of one driver's executions: the near ones in memory, the others as rows.

use std::collections::{BTreeSet, HashMap};

use crate::{
    record::{ExecutionId, Timer},
    timeline::NEVER,
};

/// One deadline per execution.
///
/// Invariant: every timer up to the horizon is in memory; beyond it there are only rows. Without a horizon all are.
pub(crate) struct Timers {
    near: BTreeSet<Timer>,
    due: HashMap<ExecutionId, i64>,
    horizon: Option<Timer>,
    max: usize,
}

impl Timers {
    /// All timers are rows. At most `max` are kept in memory.
    pub(crate) fn new(max: usize) -> Timers {
        let beginning = Timer { due_ms: i64::MIN, execution: ExecutionId([0; 16]) };
        Timers { near: BTreeSet::new(), due: HashMap::new(), horizon: Some(beginning), max: max.max(1) }
    }

    /// The deadline of an execution, as it is from now on.
    pub(crate) fn set(&mut self, execution: ExecutionId, due_ms: Option<i64>) {
        if due_ms.is_some() && self.due.get(&execution) == due_ms.as_ref() {
            return;
        }
        if let Some(due_ms) = self.due.remove(&execution) {
            self.near.remove(&Timer { due_ms, execution });
        }
        let Some(due_ms) = due_ms else { return };
        let timer = Timer { due_ms, execution };
        if self.horizon.is_some_and(|horizon| timer > horizon) {
            return;
        }
        self.near.insert(timer);
        self.due.insert(execution, due_ms);
        if self.near.len() > self.max
            && let Some(last) = self.near.pop_last()
        {
            self.due.remove(&last.execution);
            self.horizon = self.near.last().copied();
        }
    }

    /// The earliest timer, if it is due.
    pub(crate) fn due(&self, now_ms: i64) -> Option<ExecutionId> {
        self.near.first().filter(|timer| timer.due_ms <= now_ms).map(|timer| timer.execution)
    }

    /// When something is to be done: a timer fires, or rows are to be read. [`NEVER`] without any.
    pub(crate) fn next_ms(&self) -> i64 {
        self.near.first().or(self.horizon.as_ref()).map_or(NEVER, |timer| timer.due_ms)
    }

    /// Behind which timer rows are to be read on, if fewer than `below` timers are in memory.
    pub(crate) fn wants(&self, below: usize) -> Option<Timer> {
        self.horizon.filter(|_| self.near.len() < below.min(self.max))
    }

    /// Takes over what was read behind the horizon; `all` if nothing is left behind it.
    ///
    /// `current` tells the deadlines of executions in memory, which may differ from their rows.
    pub(crate) fn extend(
        &mut self,
        rows: &[Timer],
        all: bool,
        current: impl Fn(ExecutionId) -> Option<Option<i64>>,
        in_memory: impl Iterator<Item = (ExecutionId, Option<i64>)>,
    ) {
        self.horizon = if all { None } else { rows.last().copied().or(self.horizon) };
        for timer in rows {
            let due_ms = current(timer.execution).unwrap_or(Some(timer.due_ms));
            self.set(timer.execution, due_ms);
        }
        for (execution, due_ms) in in_memory {
            self.set(execution, due_ms);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.near.clear();
        self.due.clear();
        self.horizon = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> ExecutionId {
        ExecutionId([number; 16])
    }

    fn timer(due_ms: i64, number: u8) -> Timer {
        Timer { due_ms, execution: id(number) }
    }

    #[test]
    fn the_far_ones_are_left_to_their_rows_and_come_back() {
        let mut timers = Timers::new(2);
        assert_eq!(timers.wants(10), Some(timer(i64::MIN, 0)));
        timers.extend(&[], true, |_| None, std::iter::empty());
        assert_eq!(timers.next_ms(), NEVER);
        timers.set(id(3), Some(300));
        timers.set(id(1), Some(100));
        timers.set(id(2), Some(200));
        assert_eq!(timers.due(99), None);
        assert_eq!(timers.due(100), Some(id(1)));
        timers.set(id(4), Some(400));
        timers.set(id(1), None);
        assert_eq!(timers.wants(2), Some(timer(200, 2)), "3 and 4 are rows now");
        timers.extend(&[timer(300, 3), timer(400, 4)], true, |_| None, std::iter::empty());
        timers.set(id(2), None);
        assert_eq!(timers.next_ms(), 300);
        timers.set(id(3), None);
        assert_eq!(timers.next_ms(), 300, "the horizon: rows are to be read then, at the latest");
    }

    #[test]
    fn an_execution_in_memory_knows_its_deadline_better_than_its_row() {
        let mut timers = Timers::new(10);
        let current = |execution| (execution == id(1)).then_some(Some(500));
        let in_memory = [(id(1), Some(500)), (id(2), None)];
        timers.extend(&[timer(100, 1), timer(200, 3)], true, current, in_memory.into_iter());
        assert_eq!(timers.next_ms(), 200);
        timers.set(id(3), Some(600));
        assert_eq!(timers.due(500), Some(id(1)));
    }
}
