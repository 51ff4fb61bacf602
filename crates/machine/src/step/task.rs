//! A task's life: scheduled, started, submitted, and its end.

use std::sync::Arc;

use stepwell_expr::{Payload, Value};

use crate::{
    data::{self, too_large, too_large_input},
    effect::{Effect, TaskOutcome},
    execution::{FrameId, Phase, TaskId, TaskWait},
    failure::Failure,
    history::Detail,
    state::{
        Kind,
        task::{Resource, Scheduling},
    },
    step::{
        visit::{How, Stage},
        work::{Flow, Work},
    },
};

impl<'a> Work<'a> {
    fn resource(&self, id: FrameId) -> Option<&'a Resource> {
        match &self.state_of(id).kind {
            Kind::Task(task) => Some(&task.resource),
            _ => None,
        }
    }

    pub(super) fn schedule(&mut self, id: FrameId, scheduling: Scheduling) -> Flow<()> {
        let Some(resource) = self.resource(id) else { return Ok(()) };
        let Scheduling { input, timeout_seconds, heartbeat_seconds, credentials_role } = scheduling;
        self.made_bytes(input.bytes());
        if self.is_too_large(input.bytes()) {
            return self.fail(id, too_large_input(&self.state_of(id).name), How::Plain);
        }
        if let Resource::Activity { arn } = resource
            && !(self.moment.activity_exists)(arn)
        {
            let frame = self.frame(id);
            let text = format!("The activity {arn} does not exist.");
            let cause = data::cause(&self.state_of(id).name, frame.entered, &text);
            return self.fail(id, Failure::new("States.Runtime", cause), How::Plain);
        }
        if let Resource::Service { service, action, .. } = resource
            && self.mocked(id).is_none()
            && let Some(problem) = (self.moment.parameters_problem)(service, action, &input)
        {
            let failure = data::unsendable(&self.state_of(id).name, self.frame(id).entered, &input, &problem);
            return self.fail(id, failure, How::Plain);
        }
        let detail = match resource {
            Resource::Activity { arn } => Detail::ActivityScheduled {
                resource: arn.clone(),
                input: input.clone(),
                timeout_seconds,
                heartbeat_seconds,
            },
            Resource::LambdaFunction { arn } => Detail::LambdaFunctionScheduled {
                resource: arn.clone(),
                input: input.clone(),
                timeout_seconds,
                credentials_role: credentials_role.clone(),
            },
            Resource::Service { .. } => Detail::TaskScheduled {
                resource: resource.service().expect("a service names itself"),
                region: self.base.identity.region.clone(),
                parameters: input.clone(),
                timeout_seconds,
                heartbeat_seconds,
                credentials_role: credentials_role.clone(),
            },
        };
        let task = TaskId(self.emit_on(id, detail));
        match resource {
            Resource::Activity { .. } => {}
            Resource::LambdaFunction { .. } => _ = self.emit_on(id, Detail::LambdaFunctionStarted),
            Resource::Service { .. } => {
                let resource = resource.service().expect("a service names itself");
                self.emit_on(id, Detail::TaskStarted { resource });
            }
        }
        let seconds_ms = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000);
        let deadline_ms = timeout_seconds.map(|seconds| self.now_ms.saturating_add(seconds_ms(seconds)));
        self.frame_mut(id).phase = Phase::Task(TaskWait {
            task,
            input: input.clone(),
            credentials_role,
            deadline_ms,
            heartbeat: heartbeat_seconds.map(|seconds| (seconds, None)),
            under_way: false,
            submitted: None,
            early_answer: None,
        });
        if let Some(outcome) = self.mocked(id) {
            return self.answer_by_mock(id, outcome);
        }
        let effect = match resource {
            Resource::Activity { arn } => Effect::OfferTask { task, activity_arn: arn.clone(), input },
            Resource::LambdaFunction { .. } | Resource::Service { .. } => {
                Effect::RunTask(self.task_request(id).expect("a task that was just scheduled can be run"))
            }
        };
        self.effects.push(effect);
        Ok(())
    }

    /// The outcome that the execution's test case has for this run of the state's task.
    fn mocked(&self, id: FrameId) -> Option<TaskOutcome> {
        let attempt = self.frame(id).retries.iter().sum();
        let outcome = self.base.identity.test_case.as_ref()?.outcome(&self.state_of(id).name, attempt)?;
        // A mock answers as the service does: of Lambda's answer, a function named by `Resource` gives the payload alone.
        match (self.resource(id), outcome) {
            (Some(Resource::LambdaFunction { .. }), TaskOutcome::Succeeded { output }) => {
                let payload = output.value().get("Payload").cloned();
                let output = payload.map_or(output, Payload::from_value);
                Some(TaskOutcome::Succeeded { output })
            }
            (_, outcome) => Some(outcome),
        }
    }

    /// The task's life goes on as if its call, its job or its worker had answered at once.
    ///
    /// Source: recordings of mocked tasks; the output of `TaskSubmitted`, which no mock can give, is ours.
    fn answer_by_mock(&mut self, id: FrameId, outcome: TaskOutcome) -> Flow<()> {
        match self.resource(id) {
            Some(Resource::Activity { .. }) => _ = self.emit_on(id, Detail::ActivityStarted { worker: None }),
            Some(resource @ Resource::Service { .. }) if resource.has_token() => {
                let resource = resource.service().expect("a service names itself");
                let output = Payload::from_value(Value::empty_object());
                self.emit_on(id, Detail::TaskSubmitted { resource, output });
            }
            _ => {}
        }
        self.begin_turn(id);
        self.end_task(id, outcome)
    }

    fn task_request(&self, id: FrameId) -> Option<crate::effect::TaskRequest> {
        self.frame(id).task_request(self.program, &self.base.identity)
    }

    fn wait_mut(&mut self, id: FrameId) -> Option<&mut TaskWait> {
        match &mut self.frame_mut(id).phase {
            Phase::Task(wait) => Some(wait),
            _ => None,
        }
    }

    /// The heartbeat clock begins, or begins anew.
    fn beat(&mut self, id: FrameId) {
        let now_ms = self.now_ms;
        if let Some(TaskWait { heartbeat: Some((seconds, due_ms)), .. }) = self.wait_mut(id) {
            let interval_ms = i64::try_from(*seconds).unwrap_or(i64::MAX).saturating_mul(1_000);
            *due_ms = Some(now_ms.saturating_add(interval_ms));
        }
    }

    pub(super) fn task_started(&mut self, task: TaskId, worker: Option<Arc<str>>) {
        let Some(id) = self.task_frame(task) else { return };
        let is_waiting = matches!(&self.frame(id).phase, Phase::Task(wait) if !wait.under_way);
        if !is_waiting || !matches!(self.resource(id), Some(Resource::Activity { .. })) {
            return;
        }
        self.emit_on(id, Detail::ActivityStarted { worker });
        if let Some(wait) = self.wait_mut(id) {
            wait.under_way = true;
        }
        self.beat(id);
    }

    pub(super) fn task_heartbeat(&mut self, task: TaskId) {
        let Some(id) = self.task_frame(task) else { return };
        let beats = matches!(
            &self.frame(id).phase,
            Phase::Task(TaskWait { heartbeat: Some((_, Some(due_ms))), .. }) if *due_ms > self.now_ms
        );
        if beats {
            self.beat(id);
        }
    }

    /// The call came back: the end of the task, or with a token or a job only its submission.
    ///
    /// A call that is made again after a crash may come back twice: after the submission that means nothing. What comes
    /// back after the submission of a job is the job's end.
    pub(super) fn task_returned(&mut self, task: TaskId, outcome: TaskOutcome) -> Flow<()> {
        let Some(id) = self.task_frame(task) else { return Ok(()) };
        let Some(resource) = self.resource(id) else { return Ok(()) };
        let is_submitted = matches!(&self.frame(id).phase, Phase::Task(wait) if wait.under_way);
        if matches!(resource, Resource::Activity { .. }) || (resource.waits_for_token() && is_submitted) {
            return Ok(());
        }
        self.begin_turn(id);
        let output = match outcome {
            TaskOutcome::Succeeded { output } if resource.submits() && !is_submitted => output,
            outcome => return self.end_task(id, outcome),
        };
        if self.is_too_large(output.bytes()) {
            return self.end_task(id, TaskOutcome::Succeeded { output });
        }
        let waits_for_token = resource.waits_for_token();
        let resource = resource.service().expect("only services are submitted");
        let submitted = (!waits_for_token).then(|| output.clone());
        self.emit_on(id, Detail::TaskSubmitted { resource, output });
        let early_answer = self.wait_mut(id).and_then(|wait| {
            wait.under_way = true;
            wait.submitted = submitted;
            wait.early_answer.take()
        });
        self.beat(id);
        if let Some(outcome) = early_answer {
            return self.end_task(id, outcome);
        }
        if !waits_for_token {
            let request = self.task_request(id).expect("a job that was just submitted can be watched");
            self.effects.push(Effect::RunTask(request));
        }
        Ok(())
    }

    /// SendTaskSuccess, SendTaskFailure. One that comes before the call is back waits for that.
    pub(super) fn task_answered(&mut self, task: TaskId, outcome: TaskOutcome) -> Flow<()> {
        let Some(id) = self.task_frame(task) else { return Ok(()) };
        let Some(resource) = self.resource(id) else { return Ok(()) };
        if !resource.has_token() {
            return Ok(());
        }
        self.begin_turn(id);
        let Some(wait) = self.wait_mut(id) else { return Ok(()) };
        if wait.under_way || !resource.submits() {
            return self.end_task(id, outcome);
        }
        wait.early_answer.get_or_insert(outcome);
        Ok(())
    }

    fn end_task(&mut self, id: FrameId, outcome: TaskOutcome) -> Flow<()> {
        let Some(resource) = self.resource(id) else { return Ok(()) };
        let outcome = match outcome {
            TaskOutcome::Succeeded { output } if self.is_too_large(output.bytes()) => {
                TaskOutcome::Failed(too_large(resource.short_name()))
            }
            TaskOutcome::Failed(failure) => TaskOutcome::Failed(failure.bounded()),
            outcome => outcome,
        };
        match outcome {
            TaskOutcome::Succeeded { output } => {
                self.made_bytes(output.bytes());
                self.emit_on(id, succeeded(resource, &output));
                // Before it is dropped: the task's token can still be seen.
                let ran = self.conclusion(id, &output)?;
                self.drop_task(id);
                self.settle(id, ran, Stage::Afterwards)
            }
            TaskOutcome::Failed(failure) => {
                self.emit_on(id, failed(resource, &failure));
                self.drop_task(id);
                self.fail(id, failure, How::Task)
            }
        }
    }

    /// Its time-out (`timed_out`) or its heartbeat passed; both are `States.Timeout`. Source: recordings.
    pub(super) fn task_timed_out(&mut self, id: FrameId, timed_out: bool) -> Flow<()> {
        let Some(resource) = self.resource(id) else { return Ok(()) };
        let failure = Failure::named("States.Timeout");
        let detail = match resource {
            Resource::Activity { .. } => Detail::ActivityTimedOut(failure.clone()),
            Resource::LambdaFunction { .. } => Detail::LambdaFunctionTimedOut(failure.clone()),
            Resource::Service { .. } => Detail::TaskTimedOut {
                resource: resource.service().expect("a service names itself"),
                failure: failure.clone(),
            },
        };
        self.emit_on(id, detail);
        self.stop_job(id);
        self.drop_task(id);
        self.fail(id, failure, if timed_out { How::Task } else { How::Heartbeat })
    }

    /// The job that a task submitted goes on without anyone to wait for it: it is to be stopped.
    pub(super) fn stop_job(&mut self, id: FrameId) {
        if let Some(request) = self.task_request(id).filter(|request| request.submitted.is_some()) {
            self.effects.push(Effect::StopJob(request));
        }
    }

    fn drop_task(&mut self, id: FrameId) {
        if let Phase::Task(wait) = &self.frame(id).phase {
            let task = wait.task;
            self.effects.push(Effect::DropTask { task });
            self.frame_mut(id).phase = Phase::Run;
        }
    }
}

fn succeeded(resource: &Resource, output: &Payload) -> Detail {
    let output = output.clone();
    match resource {
        Resource::Activity { .. } => Detail::ActivitySucceeded { output },
        Resource::LambdaFunction { .. } => Detail::LambdaFunctionSucceeded { output },
        Resource::Service { .. } => {
            Detail::TaskSucceeded { resource: resource.service().expect("a service names itself"), output }
        }
    }
}

fn failed(resource: &Resource, failure: &Failure) -> Detail {
    let failure = failure.clone();
    match resource {
        Resource::Activity { .. } => Detail::ActivityFailed(failure),
        Resource::LambdaFunction { .. } => Detail::LambdaFunctionFailed(failure),
        Resource::Service { .. } => {
            Detail::TaskFailed { resource: resource.service().expect("a service names itself"), failure }
        }
    }
}
