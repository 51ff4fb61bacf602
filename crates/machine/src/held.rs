//! Tasks whose token somebody outside holds: they end when it is answered.

use std::sync::Arc;

use crate::{
    execution::{Execution, Phase, TaskWait},
    program::Program,
    state::{Kind, task::Resource},
};

/// A task that an answer with its token would end.
#[derive(Clone, Copy, Debug)]
pub struct HeldTask<'e> {
    /// The state that waits.
    pub state: &'e Arc<str>,
    /// When that state was entered, in milliseconds since 1970.
    pub entered_ms: i64,
    pub resource: &'e Resource,
    pub wait: &'e TaskWait,
}

impl Program {
    /// Whether any of its tasks gives its token away: callbacks, and activities.
    pub fn gives_tokens(&self) -> bool {
        self.states.iter().any(|state| matches!(&state.kind, Kind::Task(task) if is_held(&task.resource)))
    }
}

impl Execution {
    /// Its tasks that wait for an answer with their token: callbacks, and activities that a worker took.
    pub fn held_tasks<'e>(&'e self, program: &'e Program) -> impl Iterator<Item = HeldTask<'e>> {
        let frames = self.frames.values().filter(|_| self.is_running());
        frames.filter_map(move |frame| {
            let (Phase::Task(wait), Some(state)) = (&frame.phase, program.states.get(frame.state.0 as usize)) else {
                return None;
            };
            let Kind::Task(task) = &state.kind else { return None };
            let is_given = wait.under_way || task.resource.waits_for_token();
            let is_held = is_held(&task.resource) && is_given && wait.early_answer.is_none();
            is_held.then_some(HeldTask {
                state: &state.name,
                entered_ms: frame.entered_ms,
                resource: &task.resource,
                wait,
            })
        })
    }
}

fn is_held(resource: &Resource) -> bool {
    matches!(resource, Resource::Activity { .. }) || resource.waits_for_token()
}
