//! What is due fires, in the order in which it became due.

use crate::{
    execution::{FrameId, Phase, Status},
    failure::Failure,
    history::Detail,
    step::work::{Flow, Work},
};

impl Work<'_> {
    /// Fires every timer that is due at or before the moment's `now`, each stamped with its due time.
    ///
    /// Timers come before frames that were ready: an execution that is busy in one place still times out in another.
    /// Whatever is due first fires in any case, so that to ask again always leads on.
    pub(super) fn time_passed(&mut self) -> Flow<()> {
        while self.is_running() {
            let Some(due_ms) = self.next_due_ms().filter(|due_ms| *due_ms <= self.moment.now_ms) else { break };
            self.now_ms = due_ms.max(self.header.last_event_ms);
            if self.header.deadline_ms == Some(due_ms) {
                let failure = Failure::named("States.Timeout");
                let detail = Detail::ExecutionTimedOut(failure.clone());
                self.end_execution(0, detail, |stop_ms| Status::TimedOut { failure, stop_ms });
                break;
            }
            self.fire_all(due_ms)?;
            self.drain()?;
            if self.is_spent() {
                break;
            }
        }
        self.now_ms = self.moment.now_ms.max(self.header.last_event_ms);
        Ok(())
    }

    fn next_due_ms(&self) -> Option<i64> {
        let frames = self.open_frames().filter_map(|(_, frame)| frame.deadline_ms());
        frames.chain(self.header.deadline_ms).min()
    }

    /// Fires what is due at one time, in order of the frames' making.
    fn fire_all(&mut self, due_ms: i64) -> Flow<()> {
        let is_due = |at_ms: Option<i64>| at_ms.is_some_and(|at_ms| at_ms <= due_ms);
        let due = self.open_frames().filter(|(_, frame)| is_due(frame.deadline_ms())).map(|(id, _)| id);
        let mut due: Vec<FrameId> = due.collect();
        due.sort_unstable();
        for id in due {
            // One that fired before may have ended it, or the execution.
            if self.is_running() && self.has_frame(id) && is_due(self.frame(id).deadline_ms()) {
                self.begin_turn(id);
                self.fire(id, due_ms)?;
                self.end_on_overflow();
            }
        }
        Ok(())
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
            Phase::Enter
            | Phase::Run
            | Phase::Parallel(_)
            | Phase::Map(_)
            | Phase::MapRun(_)
            | Phase::Failed { .. }
            | Phase::Wrecked(_) => Ok(()),
        }
    }
}
