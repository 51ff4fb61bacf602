//! A state: what all have in common, and the eight types.

use std::sync::Arc;

use stepwell_expr::{Payload, Value};

use crate::{
    data::{self, Fault, Scene},
    definition::{
        compiler::{BOTH, Compiler, FieldTable, Fields, JSON_PATH, JSONATA, expected},
        expression::Available,
        outline::WrittenState,
        place::Place,
    },
    failure::Failure,
    history::Assigned,
    program::{
        Assign, DataFlow, JsonPathFlow, JsonataFlow, QueryLanguage, ResultPath, ScopeId, Selection, StateId, Template,
        Transition,
    },
    retry::{Catcher, Retrier},
};

pub mod choice;
pub mod distributed;
pub mod fail;
pub mod map;
pub mod parallel;
pub mod pass;
pub mod resource;
pub mod succeed;
pub mod task;
pub mod wait;

#[derive(Clone, Debug)]
pub struct State {
    pub name: Arc<str>,
    pub scope: ScopeId,
    pub language: QueryLanguage,
    pub flow: DataFlow,
    pub assign: Assign,
    pub kind: Kind,
}

/// The state's type with its own fields.
#[derive(Clone, Debug)]
pub enum Kind {
    Task(task::Task),
    Wait(wait::Wait),
    Pass(pass::Pass),
    Succeed(succeed::Succeed),
    Fail(fail::Fail),
    Choice(choice::Choice),
    Parallel(parallel::Parallel),
    Map(map::Map),
}

/// The state's type alone, as event names begin with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StateType {
    Task,
    Wait,
    Pass,
    Succeed,
    Fail,
    Choice,
    Parallel,
    Map,
}

/// What a state's work came to.
#[derive(Clone, Debug)]
pub(crate) enum Ran {
    /// It is left.
    Exits { output: Payload, assigned: Assigned, transition: Transition },
    /// A Wait state sleeps.
    Waits { until_ms: i64 },
    /// A Fail state.
    Fails(Failure),
    /// A task is to be scheduled.
    Task(task::Scheduling),
    /// The branches begin, on this input.
    Branches { input: Payload },
    /// The iterations begin.
    Iterations(map::Iterations),
    /// A Map Run begins.
    MapRun(map::Beginning),
}

impl State {
    /// Does the state's work on its raw input, as far as it needs nothing from outside.
    pub(crate) fn run(&self, input: &Payload, scene: &Scene<'_>) -> Result<Ran, Fault> {
        match &self.kind {
            Kind::Task(task) => task.run(self, input, scene),
            Kind::Wait(wait) => wait.run(self, input, scene),
            Kind::Pass(pass) => pass.run(self, input, scene),
            Kind::Succeed(succeed) => succeed.run(self, input, scene),
            Kind::Fail(fail) => fail.run(input, scene),
            Kind::Choice(choice) => choice.run(self, input, scene),
            Kind::Parallel(parallel) => parallel.run(self, input, scene),
            Kind::Map(map) => map.run(self, input, scene),
        }
    }

    /// What the result of a task, of branches or of iterations becomes.
    pub(crate) fn conclude(&self, input: &Payload, result: &Payload, scene: &Scene<'_>) -> Result<Ran, Fault> {
        scene.saw(|stages| stages.result = Some(result.clone()));
        let (output, assigned) = match &self.flow {
            DataFlow::JsonPath(flow) => flow.conclude(&self.assign, input, result, scene)?,
            DataFlow::Jsonata(flow) => flow.output(&self.assign, input, Some(result), scene)?,
        };
        Ok(Ran::Exits { output, assigned, transition: self.transition() })
    }

    /// What a catcher makes of the failure: the output, and the variables that it assigns.
    pub(crate) fn caught(
        &self,
        catcher: &Catcher,
        input: &Payload,
        failure: &Failure,
        scene: &Scene<'_>,
    ) -> Result<(Payload, Assigned), Fault> {
        let error_output = data::error_output(failure);
        let error_payload = Payload::from_value(error_output.clone());
        match self.language {
            QueryLanguage::JsonPath => {
                let assigned = data::assign(&catcher.assign, &scene.view(&error_payload))?;
                Ok((data::place(&catcher.result_path, input, &error_payload)?, assigned))
            }
            QueryLanguage::Jsonata => {
                let view = scene.view(input).with_error_output(&error_output);
                let assigned = data::assign(&catcher.assign, &view)?;
                match &catcher.output {
                    Some(output) => Ok((Payload::from_value(data::evaluate(output, &view)?), assigned)),
                    None => Ok((error_payload.clone(), assigned)),
                }
            }
        }
    }

    fn transition(&self) -> Transition {
        match &self.kind {
            Kind::Task(task) => task.transition,
            Kind::Wait(wait) => wait.transition,
            Kind::Pass(pass) => pass.transition,
            Kind::Parallel(parallel) => parallel.transition,
            Kind::Map(map) => map.transition,
            Kind::Choice(_) | Kind::Succeed(_) | Kind::Fail(_) => Transition::End,
        }
    }

    pub(crate) fn retriers(&self) -> &[Retrier] {
        match &self.kind {
            Kind::Task(task) => &task.retry,
            Kind::Parallel(parallel) => &parallel.retry,
            Kind::Map(map) => &map.retry,
            Kind::Wait(_) | Kind::Pass(_) | Kind::Choice(_) | Kind::Succeed(_) | Kind::Fail(_) => &[],
        }
    }

    pub(crate) fn catchers(&self) -> &[Catcher] {
        match &self.kind {
            Kind::Task(task) => &task.catch,
            Kind::Parallel(parallel) => &parallel.catch,
            Kind::Map(map) => &map.catch,
            Kind::Wait(_) | Kind::Pass(_) | Kind::Choice(_) | Kind::Succeed(_) | Kind::Fail(_) => &[],
        }
    }

    /// Task and Map states show `State.RetryCount`; a Pass does not. Source: recordings.
    pub(crate) fn counts_retries(&self) -> bool {
        matches!(self.kind, Kind::Task(_) | Kind::Map(_) | Kind::Parallel(_))
    }

    pub fn kind_type(&self) -> StateType {
        match &self.kind {
            Kind::Task(_) => StateType::Task,
            Kind::Wait(_) => StateType::Wait,
            Kind::Pass(_) => StateType::Pass,
            Kind::Succeed(_) => StateType::Succeed,
            Kind::Fail(_) => StateType::Fail,
            Kind::Choice(_) => StateType::Choice,
            Kind::Parallel(_) => StateType::Parallel,
            Kind::Map(_) => StateType::Map,
        }
    }
}

impl StateType {
    /// `Task`, `Wait`, ... as the field `Type` spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            StateType::Task => "Task",
            StateType::Wait => "Wait",
            StateType::Pass => "Pass",
            StateType::Succeed => "Succeed",
            StateType::Fail => "Fail",
            StateType::Choice => "Choice",
            StateType::Parallel => "Parallel",
            StateType::Map => "Map",
        }
    }
}

/// A state as it was written, with what its fields depend on.
pub(crate) struct Source<'d> {
    pub(crate) id: StateId,
    pub(crate) scope: ScopeId,
    pub(crate) language: QueryLanguage,
    pub(crate) fields: Fields<'d>,
    pub(crate) nested: &'d [Option<ScopeId>],
}

/// Fields of every state.
const COMMON: &FieldTable = &[("Type", BOTH), ("Comment", BOTH), ("QueryLanguage", BOTH)];

/// Both ways to leave a state that may have them.
const TRANSITION: &FieldTable = &[("Next", BOTH), ("End", BOTH)];

/// Paths of every state but Fail, in JSONPath, and what stands for them in JSONata.
const FLOW: &FieldTable = &[("InputPath", JSON_PATH), ("OutputPath", JSON_PATH), ("Output", JSONATA)];

impl StateType {
    const ALL: [StateType; 8] = [
        StateType::Task,
        StateType::Wait,
        StateType::Pass,
        StateType::Succeed,
        StateType::Fail,
        StateType::Choice,
        StateType::Parallel,
        StateType::Map,
    ];

    fn named(name: &str) -> Option<StateType> {
        StateType::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The fields of this type alone.
    fn own_fields(self) -> &'static FieldTable {
        match self {
            StateType::Task => task::FIELDS,
            StateType::Wait => wait::FIELDS,
            StateType::Pass => pass::FIELDS,
            StateType::Succeed => succeed::FIELDS,
            StateType::Fail => fail::FIELDS,
            StateType::Choice => choice::FIELDS,
            StateType::Parallel => parallel::FIELDS,
            StateType::Map => map::FIELDS,
        }
    }

    /// Ends its scope or leads on by rules: neither `Next` nor `End`.
    fn has_transition(self) -> bool {
        !matches!(self, StateType::Choice | StateType::Succeed | StateType::Fail)
    }

    /// Has a result of its own, which `$states.result` and `ResultSelector` see.
    fn has_result(self) -> bool {
        matches!(self, StateType::Task | StateType::Parallel | StateType::Map)
    }

    fn fields(self) -> Vec<(&'static str, Option<QueryLanguage>)> {
        let flow = if self == StateType::Fail { &[] } else { FLOW };
        let transition = if self.has_transition() { TRANSITION } else { &[] };
        [COMMON, flow, transition, self.own_fields()].concat()
    }
}

impl State {
    /// Compiles one state of a machine whose top level is in `machine_language`.
    ///
    /// `None`: it is too broken to run, which is reported.
    pub(crate) fn compile<'d>(
        id: StateId,
        written: &'d WrittenState<'d>,
        machine_language: QueryLanguage,
        compiler: &mut Compiler<'d>,
    ) -> Option<State> {
        let fields = Fields::of(written.value, written.place.clone(), compiler)?;
        if !fields.require(&["Type"], compiler) {
            return None;
        }
        let named = fields.get("Type").and_then(Value::as_str).and_then(StateType::named);
        let Some(kind) = named else {
            let names: Vec<&str> = StateType::ALL.into_iter().map(StateType::as_str).collect();
            let message = format!("The field 'Type' should have one of these values: [{}]", names.join(", "));
            compiler.schema(&fields.at("Type"), message);
            return None;
        };
        let language = fields.get("QueryLanguage").map_or(machine_language, QueryLanguage::of);
        let downgraded = machine_language == QueryLanguage::Jsonata && language == QueryLanguage::JsonPath;
        if downgraded {
            let message = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine";
            compiler.schema(&fields.place, message);
        }
        let compared = (!downgraded).then_some(language);
        fields.check(&kind.fields(), compared, compiler);
        fields.one_of("QueryLanguage", &["JSONPath", "JSONata"], compiler);
        fields.string("Comment", compiler);

        let source = Source { id, scope: written.scope, language, fields, nested: &written.nested };
        let flow = source.flow(kind, compiler);
        let assign = source.assign(kind, compiler);
        let kind = match kind {
            StateType::Task => task::Task::compile(&source, compiler).map(Kind::Task),
            StateType::Wait => wait::Wait::compile(&source, compiler).map(Kind::Wait),
            StateType::Pass => pass::Pass::compile(&source, compiler).map(Kind::Pass),
            StateType::Succeed => Some(Kind::Succeed(succeed::Succeed {})),
            StateType::Fail => fail::Fail::compile(&source, compiler).map(Kind::Fail),
            StateType::Choice => choice::Choice::compile(&source, compiler).map(Kind::Choice),
            StateType::Parallel => parallel::Parallel::compile(&source, compiler).map(Kind::Parallel),
            StateType::Map => map::Map::compile(&source, compiler).map(Kind::Map),
        };
        let name = written.name.clone();
        Some(State { name, scope: written.scope, language, flow: flow?, assign: assign?, kind: kind? })
    }
}

impl<'d> Source<'d> {
    /// A template field in the state's language. The outer `None`: broken. The inner one: absent.
    pub(crate) fn template(
        &self,
        field: &str,
        available: Available,
        compiler: &mut Compiler,
    ) -> Option<Option<Template>> {
        self.template_in(&self.fields, field, available, compiler)
    }

    /// A template field of an object inside the state.
    pub(crate) fn template_in(
        &self,
        fields: &Fields,
        field: &str,
        available: Available,
        compiler: &mut Compiler,
    ) -> Option<Option<Template>> {
        match fields.get(field) {
            None => Some(None),
            Some(value) => compiler.template(value, self.language, available, &fields.at(field)).map(Some),
        }
    }

    fn flow(&self, kind: StateType, compiler: &mut Compiler) -> Option<DataFlow> {
        let available = Available { result: kind.has_result(), error_output: false };
        let fields = &self.fields;
        let has = |name: &str| kind.own_fields().iter().any(|(field, _)| *field == name);
        let own = |field: &str, available: Available, compiler: &mut Compiler| {
            if has(field) { self.template(field, available, compiler) } else { Some(None) }
        };
        match self.language {
            QueryLanguage::JsonPath if kind == StateType::Fail => Some(DataFlow::JsonPath(Box::new(JsonPathFlow {
                input_path: Selection::All,
                parameters: None,
                result_selector: None,
                result_path: ResultPath::Replace,
                output_path: Selection::All,
            }))),
            QueryLanguage::JsonPath => {
                let input_path = fields.selection("InputPath", compiler);
                // A Map's `Parameters` are its item selector.
                let parameters =
                    if kind == StateType::Map { Some(None) } else { own("Parameters", available, compiler) };
                let result_selector = own("ResultSelector", available, compiler);
                let result_path =
                    if has("ResultPath") { fields.result_path(compiler) } else { Some(ResultPath::Replace) };
                let output_path = fields.selection("OutputPath", compiler);
                Some(DataFlow::JsonPath(Box::new(JsonPathFlow {
                    input_path: input_path?,
                    parameters: parameters?,
                    result_selector: result_selector?,
                    result_path: result_path?,
                    output_path: output_path?,
                })))
            }
            QueryLanguage::Jsonata => {
                let arguments = own("Arguments", Available::default(), compiler);
                let output =
                    if kind == StateType::Fail { Some(None) } else { self.template("Output", available, compiler) };
                Some(DataFlow::Jsonata(JsonataFlow { arguments: arguments?, output: output? }))
            }
        }
    }

    fn assign(&self, kind: StateType, compiler: &mut Compiler) -> Option<Assign> {
        if !kind.own_fields().iter().any(|(field, _)| *field == "Assign") {
            return Some(Assign::new());
        }
        let available = Available { result: kind.has_result(), error_output: false };
        compiler.assign(&self.fields, self.scope, self.language, available)
    }

    /// `Next` or `End`, exactly one of them.
    pub(crate) fn transition(&self, compiler: &mut Compiler) -> Option<Transition> {
        let fields = &self.fields;
        let next = fields.string("Next", compiler);
        let end = fields.boolean("End", compiler);
        if fields.has("Next") && end != Some(false) && fields.has("End") {
            fields.at_most_one(&["Next", "End"], compiler);
        }
        match next {
            Some(next) => self.next(&next, &fields.at("Next"), compiler).map(Transition::Next),
            None if end == Some(true) => Some(Transition::End),
            None => {
                if !fields.has("Next") && (end == Some(false) || !fields.has("End")) {
                    let message = "This object should have only one of the following fields: [Next, End]";
                    compiler.schema(&fields.place, message);
                }
                None
            }
        }
    }

    /// The state of the same scope that `name` names.
    pub(crate) fn next(&self, name: &str, place: &Place, compiler: &mut Compiler) -> Option<StateId> {
        compiler.target(self.id, name, place)
    }

    /// A field with the name of a state of the same scope. `None`: absent or broken.
    pub(crate) fn target(&self, fields: &Fields, field: &str, compiler: &mut Compiler) -> Option<StateId> {
        let name = fields.string(field, compiler)?;
        self.next(&name, &fields.at(field), compiler)
    }

    /// The scope of the sub-machine `value`; `None` if it is no object, or nested too deeply.
    pub(crate) fn nested_scope(
        &self,
        index: usize,
        value: &Value,
        place: &Place,
        compiler: &mut Compiler,
    ) -> Option<ScopeId> {
        if value.as_object().is_none() {
            expected(compiler, place, "OBJECT");
        }
        self.nested.get(index).copied().flatten()
    }
}
