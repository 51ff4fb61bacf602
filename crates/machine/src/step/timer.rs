//! What is due fires, in the order in which it became due.

use crate::{
    execution::{FrameId, Phase, Status},
    failure::Failure,
    history::Detail,
    step::work::{Flow, Work},
};

impl Work<'_> {
    /// Fires every timer that is due at or before the moment's `now`, each stamped with its due time.
    pub(super) fn time_passed(&mut self) -> Flow<()> {
        while self.is_running() && !self.is_spent() && self.header.ready.is_empty() {
            let due_ms = self.next_due_ms();
            let Some(due_ms) = due_ms.filter(|due_ms| *due_ms <= self.moment.now_ms) else { break };
            self.now_ms = due_ms.max(self.header.last_event_ms);
            if self.header.deadline_ms == Some(due_ms) {
                let failure = Failure::named("States.Timeout");
                let detail = Detail::ExecutionTimedOut(failure.clone());
                self.end_execution(0, detail, |_| Status::TimedOut { failure, stop_ms: due_ms });
                break;
            }
            for id in self.frame_ids() {
                if self.has_frame(id) && self.frame(id).deadline_ms().is_some_and(|at_ms| at_ms <= due_ms) {
                    self.fire(id, due_ms)?;
                    self.end_on_overflow();
                }
                if !self.is_running() {
                    return Ok(());
                }
            }
            self.drain()?;
        }
        self.now_ms = self.moment.now_ms.max(self.header.last_event_ms);
        Ok(())
    }

    fn next_due_ms(&self) -> Option<i64> {
        let frames = self.frame_ids().into_iter().filter_map(|id| self.frame(id).deadline_ms());
        frames.chain(self.header.deadline_ms).min()
    }

    fn fire(&mut self, id: FrameId, due_ms: i64) -> Flow<()> {
        match &self.frame(id).phase {
            Phase::Backoff { .. } => {
                self.make_ready(id, Phase::Run);
                Ok(())
            }
            Phase::Wait { .. } => self.wait_is_over(id),
            Phase::Task(wait) => {
                let timed_out = wait.deadline_ms.is_some_and(|deadline_ms| deadline_ms <= due_ms);
                self.task_timed_out(id, timed_out)
            }
            Phase::Enter | Phase::Run | Phase::Parallel(_) | Phase::Map(_) | Phase::Failed { .. } => Ok(()),
        }
    }
}
