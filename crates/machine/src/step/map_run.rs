//! A distributed Map: its Map Run begins, ends, is given up or redriven.

use crate::{
    data::Fault,
    effect::Effect,
    execution::{FrameId, Phase, TaskId},
    failure::Failure,
    history::Detail,
    map_run::{self, MapRunOutcome, MapRunWait},
    state::{
        Kind,
        distributed::{Distributed, Evaluated},
        map::{Beginning, Map},
    },
    step::{
        visit::{How, Stage},
        work::{Flow, Work, require},
    },
};

impl<'a> Work<'a> {
    fn distributed(&self, id: FrameId) -> Option<(&'a Map, &'a Distributed)> {
        match &self.state_of(id).kind {
            Kind::Map(map) => Some((map, map.distributed.as_deref()?)),
            _ => None,
        }
    }

    /// `MapStateStarted` comes first: also a bound that is no number fails after it. Source: recordings.
    pub(super) fn begin_map_run(&mut self, id: FrameId, beginning: Beginning) -> Flow<()> {
        let Some((map, distributed)) = self.distributed(id) else { return Ok(()) };
        let Beginning { items, effective_input } = beginning;
        let length = items.as_ref().map_or(0, |items| map_run::state_items(items.value()));
        let bytes = items.as_ref().map_or(0, |items| items.bytes());
        if self.is_too_large(bytes) {
            return self.fault(id, Fault::InputTooLarge, Stage::OnEntry);
        }
        self.made_bytes(bytes);
        self.emit_on(id, Detail::MapStateStarted { length: length as u64 });
        let evaluated = {
            let scene = self.scene(id)?;
            let view = scene.view(&effective_input);
            map.bounds(&view).and_then(|bounds| distributed.evaluate(bounds, &view))
        };
        let Evaluated { settings, reader_arguments, batch_input, writer_arguments } = match evaluated {
            Ok(evaluated) => evaluated,
            Err(fault) => return self.fault(id, fault, Stage::Afterwards),
        };
        let task = TaskId(self.header.next_event);
        let arn = map_run::map_run_arn(&self.base.identity, &distributed.label, task);
        self.emit_on(id, Detail::MapRunStarted { arn: arn.clone() });
        let wait = MapRunWait {
            task,
            arn,
            redrives: 0,
            settings,
            items,
            effective_input,
            reader_arguments,
            batch_input,
            writer_arguments,
        };
        let composed: usize = wait.payloads().skip(1).map(|payload| payload.bytes()).sum();
        self.made_bytes(composed - bytes);
        self.run_map_run(id, wait);
        Ok(())
    }

    pub(super) fn map_run_ended(&mut self, task: TaskId, redrives: u64, outcome: MapRunOutcome) -> Flow<()> {
        let waits =
            |phase: &Phase| matches!(phase, Phase::MapRun(wait) if (wait.task, wait.redrives) == (task, redrives));
        let found = self.open_frames().find(|(_, frame)| waits(&frame.phase)).map(|(id, _)| id);
        let Some(id) = found else { return Ok(()) };
        self.begin_turn(id);
        match outcome {
            MapRunOutcome::Failed(failure) => self.map_run_failed(id, failure.bounded()),
            MapRunOutcome::Succeeded { output } => self.map_run_succeeded(id, &output),
        }
    }

    fn map_run_succeeded(&mut self, id: FrameId, output: &stepwell_expr::Payload) -> Flow<()> {
        require([output].into_iter())?;
        self.made_bytes(output.bytes());
        let succeeded = self.emit(self.frame(id).last_event, Detail::MapRunSucceeded);
        self.frame_mut(id).phase = Phase::Run;
        if self.is_too_large(output.bytes()) {
            return self.fault(id, Fault::ResultTooLarge, Stage::Afterwards);
        }
        self.emit(succeeded, Detail::MapStateSucceeded);
        let ran = self.conclusion(id, output)?;
        self.settle(id, ran, Stage::Afterwards)
    }

    fn map_run_failed(&mut self, id: FrameId, failure: Failure) -> Flow<()> {
        self.emit_on(id, Detail::MapRunFailed(failure.clone()));
        // The phase stays: a redrive goes on with the Map Run.
        self.fail(id, failure, How::Plain)
    }

    /// The Map Run of a frame that is given up is to stop.
    pub(super) fn drop_map_run_of(&mut self, id: FrameId) {
        if let Phase::MapRun(wait) = &self.frame(id).phase {
            let (task, arn) = (wait.task, wait.arn.clone());
            self.effects.push(Effect::StopMapRun { task, arn });
        }
    }

    /// A redrive goes on with the items that had not succeeded.
    pub(super) fn redrive_map_run(&mut self, id: FrameId, mut wait: MapRunWait) {
        wait.redrives += 1;
        self.emit_on(id, Detail::MapRunRedriven { arn: wait.arn.clone(), count: wait.redrives });
        self.run_map_run(id, wait);
    }

    fn run_map_run(&mut self, id: FrameId, wait: MapRunWait) {
        let wait = Box::new(wait);
        self.effects.push(Effect::RunMapRun(wait.clone()));
        self.frame_mut(id).phase = Phase::MapRun(wait);
    }
}
