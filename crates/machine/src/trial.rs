//! One state on its own, as TestState runs it: by the code that runs states, with every stage of the data noted.
//!
//! Nothing is recorded, scheduled or waited for: [`Trial::begin`] says what the state wants done, and
//! [`Trial::conclude`] what the result of that leads to.

use std::{cell::RefCell, collections::BTreeMap, sync::Arc};

use stepwell_expr::{Fuel, Payload, Value};

use crate::{
    chance::Chance,
    context,
    data::{self, Fault, MapItem, Scene, too_large, too_large_input},
    definition::{LONE_STATE, Lone},
    effect::TaskRequest,
    execution::{FrameId, Identity, Redrives, TaskId},
    failure::Failure,
    history::Assigned,
    limits::{self, Limits},
    program::{QueryLanguage, Transition},
    retry::{self, Cause},
    state::{Kind, Ran, State, StateType, task::Scheduling},
};

mod map;

/// What the data of a state was at each stage; `None`: the state has no such stage, or did not get there.
///
/// Source: API model, `InspectionData`.
#[derive(Clone, Debug, Default)]
pub struct Stages {
    pub after_input_path: Option<Payload>,
    pub after_parameters: Option<Payload>,
    pub after_arguments: Option<Payload>,
    pub after_items_path: Option<Payload>,
    pub after_items_pointer: Option<Payload>,
    pub after_item_selector: Option<Payload>,
    pub after_item_batcher: Option<Payload>,
    pub result: Option<Payload>,
    pub after_result_selector: Option<Payload>,
    pub after_result_path: Option<Payload>,
    pub max_concurrency: Option<u64>,
    pub tolerated_failure_count: Option<u64>,
    pub tolerated_failure_percentage: Option<f64>,
    /// Those that were there and those that the state assigned.
    pub variables: BTreeMap<Arc<str>, Payload>,
    pub handler: Option<Handler>,
}

/// The entry of `Retry` or `Catch` that a failure met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handler {
    /// `backoff_seconds`: before the next attempt; `None`: there is none left.
    Retrier {
        index: usize,
        backoff_seconds: Option<u64>,
    },
    Catcher {
        index: usize,
    },
}

/// Where [`Stages`] are noted while a state runs.
pub(crate) struct Seen(RefCell<Stages>);

impl Seen {
    pub(crate) fn note(&self, note: impl FnOnce(&mut Stages)) {
        note(&mut self.0.borrow_mut());
    }
}

/// A state about to be tested.
pub struct Trial {
    lone: Lone,
    identity: Arc<Identity>,
    /// Retries made so far.
    retries: u64,
    now_ms: i64,
    /// The Context object that was given instead of our own.
    context: Option<Value>,
    variables: Arc<BTreeMap<Arc<str>, Payload>>,
    reader_data: Option<Arc<str>>,
    limits: Limits,
    seen: Seen,
}

/// With what a state is tested.
pub struct Conditions {
    /// Its input is the state's; an empty role is none. AWS tests states as Express executions that are waited for.
    pub identity: Identity,
    pub retries: u64,
    pub now_ms: i64,
    pub context: Option<Value>,
    pub variables: BTreeMap<Arc<str>, Payload>,
    /// What the `ItemReader` of a Map is taken to have read, as it stands in its source.
    pub reader_data: Option<Arc<str>>,
    pub limits: Limits,
}

/// What a state wants done.
pub enum Begun {
    /// Nothing: it has ended.
    Ended(Ending),
    /// Time has to pass; then [`Trial::wait_is_over`].
    Waits { until_ms: i64 },
    /// A task that an integration can run; then [`Trial::conclude`].
    Task { request: Option<TaskRequest>, timeout_seconds: Option<u64> },
    /// A Parallel, whose result has one item for each branch.
    Branches { count: usize },
    /// A Map; `length`: the items, where it is known what they are.
    Iterations { length: Option<usize> },
}

/// How a state ended.
#[derive(Clone, Debug)]
pub enum Ending {
    Succeeded {
        output: Payload,
        next: Option<Arc<str>>,
    },
    /// A retrier would run it again.
    Retriable {
        failure: Failure,
    },
    /// A catcher leads on.
    Caught {
        failure: Failure,
        output: Payload,
        next: Arc<str>,
    },
    Failed {
        failure: Failure,
    },
}

/// The event that the state was entered with, as error texts show it: the first one follows `ExecutionStarted`.
const ENTERED: u64 = 2;
/// The event that its task would be scheduled with.
const SCHEDULED: TaskId = TaskId(3);

impl Trial {
    pub fn new(lone: Lone, conditions: Conditions) -> Trial {
        let Conditions { identity, retries, now_ms, context, variables, reader_data, limits } = conditions;
        let stages = Stages { variables: variables.clone(), ..Stages::default() };
        Trial {
            lone,
            identity: Arc::new(identity),
            retries,
            now_ms,
            context,
            variables: Arc::new(variables),
            reader_data,
            limits,
            seen: Seen(RefCell::new(stages)),
        }
    }

    fn state(&self) -> &State {
        self.lone.program.state(self.lone.state)
    }

    pub fn kind(&self) -> StateType {
        self.state().kind_type()
    }

    /// The stages that the state has gone through, as far as TestState shows them for its type.
    ///
    /// Source: recordings.
    pub fn stages(&self) -> Stages {
        let mut stages = self.seen.0.borrow().clone();
        match self.kind() {
            StateType::Parallel => {
                stages.after_input_path = None;
                stages.after_parameters = None;
                stages.after_arguments = None;
                stages.result = None;
            }
            StateType::Map => stages.result = None,
            StateType::Task
            | StateType::Wait
            | StateType::Pass
            | StateType::Succeed
            | StateType::Fail
            | StateType::Choice => {}
        }
        stages
    }

    /// Runs the state as far as it needs nothing from outside.
    pub fn begin(&self) -> Begun {
        let state = self.state();
        let input = &self.identity.input;
        let tools = Tools::new(self, ENTERED);
        let context = self.context(&tools, None);
        let scene = self.scene(&tools, &context);
        if let Kind::Map(map) = &state.kind {
            return match self.begin_map(map, &scene) {
                Ok(begun) => begun,
                Err(fault) => Begun::Ended(self.fault(fault)),
            };
        }
        if matches!((&state.kind, state.language), (Kind::Fail(_), QueryLanguage::JsonPath)) {
            scene.saw(|stages| stages.after_input_path = Some(input.clone()));
        }
        match state.run(input, &scene) {
            Ok(Ran::Waits { until_ms }) => Begun::Waits { until_ms },
            Ok(Ran::Task(scheduling)) => self.begin_task(scheduling),
            Ok(Ran::Branches { .. } | Ran::Iterations(_) | Ran::MapRun(_)) => {
                Begun::Branches { count: self.branches() }
            }
            ran => Begun::Ended(self.settle(ran)),
        }
    }

    fn branches(&self) -> usize {
        match &self.state().kind {
            Kind::Parallel(parallel) => parallel.branches.len(),
            _ => 0,
        }
    }

    fn begin_task(&self, scheduling: Scheduling) -> Begun {
        let Kind::Task(task) = &self.state().kind else {
            return Begun::Task { request: None, timeout_seconds: None };
        };
        let Scheduling { input, timeout_seconds, credentials_role, .. } = scheduling;
        if input.bytes() > self.limits.payload_bytes {
            return Begun::Ended(self.fail(too_large_input(LONE_STATE)));
        }
        let request = task.resource.target().map(|target| TaskRequest {
            task: SCHEDULED,
            target,
            input,
            submitted: None,
            origin: self.identity.root.origin(SCHEDULED),
            credentials_role,
            execution_arn: self.identity.arn.clone(),
            state_machine_arn: self.identity.state_machine_arn.clone(),
            role_arn: self.identity.role_arn.clone(),
        });
        Begun::Task { request, timeout_seconds }
    }

    /// The task cannot be started with these parameters.
    pub fn unsendable(&self, parameters: &Payload, problem: &str) -> Ending {
        self.fail(data::unsendable(LONE_STATE, ENTERED, parameters, problem))
    }

    /// A Wait state is over.
    pub fn wait_is_over(&self) -> Ending {
        let state = self.state();
        let Kind::Wait(wait) = &state.kind else { return self.conclude(Ok(self.identity.input.clone())) };
        let tools = Tools::new(self, ENTERED + 1);
        let context = self.context(&tools, None);
        self.settle(wait.conclude(state, &self.identity.input, &self.scene(&tools, &context)))
    }

    /// What the result of the task, the branches or the iterations leads to, or their failure.
    pub fn conclude(&self, result: Result<Payload, Failure>) -> Ending {
        let state = self.state();
        let result = match result {
            Ok(result) => result,
            Err(failure) => return self.fail(failure.bounded()),
        };
        if result.bytes() > self.limits.payload_bytes {
            let name = match &state.kind {
                Kind::Task(task) => task.resource.short_name(),
                _ => LONE_STATE,
            };
            return self.fail(too_large(name));
        }
        let tools = Tools::new(self, SCHEDULED.0 + 1);
        let context = self.context(&tools, None);
        self.settle(state.conclude(&self.identity.input, &result, &self.scene(&tools, &context)))
    }

    fn settle(&self, ran: Result<Ran, Fault>) -> Ending {
        match ran {
            Ok(Ran::Exits { output, assigned, transition }) => match self.refused(&output) {
                Some(failure) => self.fail(failure),
                None => {
                    self.assign(&assigned);
                    Ending::Succeeded { output, next: self.next(transition) }
                }
            },
            Ok(Ran::Fails(failure)) => self.fail(failure.bounded()),
            // Nothing else comes of a state that has run, but for what `begin` takes.
            Ok(Ran::Waits { .. } | Ran::Task(_) | Ran::Branches { .. } | Ran::Iterations(_) | Ran::MapRun(_)) => {
                self.fail(Failure::new("States.Runtime", "The state cannot be tested."))
            }
            Err(fault) => self.fault(fault),
        }
    }

    fn refused(&self, output: &Payload) -> Option<Failure> {
        let large = !output.is(&self.identity.input) && output.bytes() > self.limits.payload_bytes;
        large.then(|| too_large(LONE_STATE))
    }

    fn assign(&self, assigned: &Assigned) {
        self.seen.note(|stages| stages.variables.extend(assigned.iter().cloned()));
    }

    fn next(&self, transition: Transition) -> Option<Arc<str>> {
        match transition {
            Transition::Next(next) => Some(self.lone.program.state(next).name.clone()),
            Transition::End => None,
        }
    }

    fn fault(&self, fault: Fault) -> Ending {
        self.fail(self.failure_of(fault))
    }

    fn failure_of(&self, fault: Fault) -> Failure {
        match fault {
            // Without the usual beginning. Source: recordings (reference asl.md §3, Map).
            Fault::NoArray(text) => Failure::new("States.Runtime", text).bounded(),
            fault => fault.explained(self.state().language, LONE_STATE, ENTERED).failure,
        }
    }

    /// The state failed: a retry, a catch, or its end.
    pub fn fail(&self, failure: Failure) -> Ending {
        let state = self.state();
        let met = |errors: &[Arc<str>]| retry::matches(errors, &failure, Cause::Named);
        if let Some((index, retrier)) = state.retriers().iter().enumerate().find(|(_, each)| met(&each.errors)) {
            let random = Chance::new(self.identity.root, SCHEDULED.0, FrameId(0), self.retries).draw();
            let delay_seconds = u64::try_from(retrier.delay_ms(self.retries, random) / 1_000).unwrap_or(0);
            let backoff_seconds = (self.retries < retrier.attempts_max).then_some(delay_seconds);
            self.seen.note(|stages| stages.handler = Some(Handler::Retrier { index, backoff_seconds }));
            if backoff_seconds.is_some() {
                return Ending::Retriable { failure };
            }
        }
        let Some((index, catcher)) = state.catchers().iter().enumerate().find(|(_, each)| met(&each.errors)) else {
            return Ending::Failed { failure };
        };
        self.seen.note(|stages| stages.handler = Some(Handler::Catcher { index }));
        let tools = Tools::new(self, SCHEDULED.0 + 1);
        let context = self.context(&tools, None);
        match state.caught(catcher, &self.identity.input, &failure, &self.scene(&tools, &context)) {
            Ok((output, assigned)) => match self.refused(&output) {
                Some(failure) => Ending::Failed { failure },
                None => {
                    self.assign(&assigned);
                    let next = self.lone.program.state(catcher.next).name.clone();
                    Ending::Caught { failure, output, next }
                }
            },
            // A catcher does not catch what it did itself.
            Err(fault) => Ending::Failed { failure: self.failure_of(fault) },
        }
    }

    fn scene<'a>(&'a self, tools: &'a Tools, context: &'a Value) -> Scene<'a> {
        Scene { given_context: Some(context), seen: Some(&self.seen), ..self.bare_scene(tools) }
    }

    /// As an execution would give it, but for the Context object.
    fn bare_scene<'a>(&'a self, tools: &'a Tools) -> Scene<'a> {
        let state = self.state();
        let has_token = matches!(&state.kind, Kind::Task(task) if task.resource.has_token());
        Scene {
            identity: &self.identity,
            state_name: LONE_STATE,
            entered_ms: self.now_ms,
            retry_count: state.counts_retries().then_some(self.retries),
            token_of: has_token.then_some(SCHEDULED),
            map_item: None,
            variables: vec![self.variables.clone()],
            redrives: Redrives::default(),
            chance: &tools.chance,
            now_ms: self.now_ms,
            fuel: &tools.fuel,
            limits: &self.limits,
            given_context: None,
            seen: None,
        }
    }

    /// The Context object: the given one, else that of an execution, in which a role is null where there is none.
    ///
    /// Source: recordings.
    fn context(&self, tools: &Tools, map_item: Option<MapItem>) -> Value {
        if let Some(given) = &self.context {
            return given.clone();
        }
        let mut context = context::build(&Scene { map_item, ..self.bare_scene(tools) });
        if self.identity.role_arn.is_empty()
            && let Value::Object(members) = &mut context
            && let Some(Value::Object(execution)) = Arc::make_mut(members).get_mut("Execution")
        {
            Arc::make_mut(execution).insert("RoleArn".into(), Value::Null);
        }
        context
    }
}

/// Chance and fuel of one evaluation.
struct Tools {
    chance: Chance,
    fuel: Fuel,
}

impl Tools {
    fn new(trial: &Trial, event: u64) -> Tools {
        Tools {
            chance: Chance::new(trial.identity.root, event, FrameId(0), trial.retries),
            fuel: Fuel::new(limits::FUEL_EVALUATION),
        }
    }
}
