//! RedriveExecution: what had not succeeded is done once more.

use std::collections::BTreeMap;

use crate::{
    execution::{FrameId, Phase, Redrives, Status, Wreck},
    history::Detail,
    state::StateType,
    step::work::Work,
};

impl Work<'_> {
    /// Goes on from the wrecks of an execution that ended unsuccessfully; nothing happens to another one.
    ///
    /// Branches and iterations that had succeeded keep their results, retries are counted anew, and the execution's
    /// time-out begins again. Source: Step Functions guide, "Redriving executions".
    pub(super) fn redrive(&mut self) {
        if !self.base.is_redrivable() {
            return;
        }
        let count = self.header.redrives.count + 1;
        self.header.status = Status::Running;
        self.header.redrives = Redrives { count, last_ms: Some(self.now_ms) };
        // It follows the event that ended the execution.
        let redriven = self.emit(self.header.next_event - 1, Detail::ExecutionRedriven { count });
        self.header.deadline_ms = Some(self.timeout_from(self.now_ms));
        let wrecks: BTreeMap<FrameId, Wreck> =
            self.base.frames.iter().map(|(id, frame)| (*id, frame.phase.wreck())).collect();
        for (id, wreck) in wrecks {
            let last = self.iteration_begins_again(id, redriven);
            let now_ms = self.now_ms;
            let state = self.state_of(id);
            let (retriers, waits) = (state.retriers().len(), state.kind_type() == StateType::Wait);
            let works = self.keeps_its_entry(id);
            let frame = self.frame_mut(id);
            frame.last_event = last;
            frame.before_entered = last;
            frame.retries = vec![0; retriers];
            if waits {
                // Its seconds are counted anew. Ours: no recording has a redriven Wait.
                frame.entered_ms = now_ms;
            }
            match wreck {
                Wreck::Run if works => self.make_ready(id, Phase::Run),
                Wreck::Enter | Wreck::Run => self.make_ready(id, Phase::Enter),
                Wreck::Parallel(wait) => frame.phase = Phase::Parallel(wait),
                Wreck::Map(wait) => frame.phase = Phase::Map(wait),
                Wreck::MapRun(wait) => self.redrive_map_run(id, *wait),
            }
        }
    }

    /// The iteration of a Map is told to begin once more. Ours: no recording has a redriven Map.
    fn iteration_begins_again(&mut self, id: FrameId, redriven: u64) -> u64 {
        let Some((parent, index)) = self.frame(id).parent else { return redriven };
        let state = self.state_of(parent);
        if state.kind_type() != StateType::Map {
            return redriven;
        }
        let detail = Detail::MapIterationStarted { name: state.name.clone(), index: u64::from(index) };
        self.emit(redriven, detail)
    }

    /// True for states that work or wait: they go on, as in a retry. The others are entered once more.
    fn keeps_its_entry(&self, id: FrameId) -> bool {
        match self.state_of(id).kind_type() {
            StateType::Task | StateType::Wait | StateType::Parallel | StateType::Map => true,
            StateType::Pass | StateType::Choice | StateType::Succeed | StateType::Fail => false,
        }
    }
}
