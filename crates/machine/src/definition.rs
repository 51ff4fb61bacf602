//! Definition text to [`Program`], or to every problem; only this folder and the `compile` of each state see raw
//! definitions.

use std::{collections::BTreeMap, sync::Arc};

use stepwell_expr::{Object, Value, json};

use crate::{
    Diagnostic, Program, Severity,
    diagnostic::Code,
    limits::{DEFINITION_BYTES_MAX, SECONDS_MAX, STATE_NAME_CHARS_MAX},
    program::{QueryLanguage, Scope, ScopeId, StateId},
    state::{State, map::PROCESSOR_FIELDS, parallel::BRANCH_FIELDS},
};

pub(crate) mod compiler;
pub(crate) mod expression;
mod graph;
mod lone;
pub(crate) mod outline;
pub(crate) mod place;
pub(crate) mod template;

pub use lone::{LONE_STATE, Lone, LoneError, compile_lone};

use compiler::{BOTH, Compiler, FieldTable, Fields};
use outline::{Outline, WrittenScope};

/// The type of a state machine; Express forbids callbacks, `.sync` and activities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MachineType {
    Standard,
    Express,
}

/// What a definition gave: a program if no diagnostic is an error; warnings may come with it.
#[derive(Clone, Debug)]
pub struct Compiled {
    pub program: Option<Program>,
    pub diagnostics: Vec<Diagnostic>,
}

/// Fields of a definition's top level.
const FIELDS: &FieldTable = &[
    ("Comment", BOTH),
    ("StartAt", BOTH),
    ("States", BOTH),
    ("Version", BOTH),
    ("TimeoutSeconds", BOTH),
    ("QueryLanguage", BOTH),
];

/// Parses, checks and compiles a definition; reports every problem, not only the first.
///
/// Problems of fields and values come in document order, then those of names and transitions, as AWS has it.
pub fn compile(text: &str, machine_type: MachineType) -> Compiled {
    let Built { program, diagnostics, .. } = build(text, machine_type);
    let fails = diagnostics.iter().any(|problem| problem.severity == Severity::Error);
    Compiled { program: program.filter(|_| !fails), diagnostics }
}

/// The program of a definition that was accepted once, maybe by an older release: no check that came later refuses
/// it. `None` only where no program can be made of the text.
pub fn load(text: &str, machine_type: MachineType) -> Option<Program> {
    build(text, machine_type).program
}

/// What AWS would not say of a definition, yet its author may want to know: warnings of ours.
///
/// For tools that people look at; the API must not answer with them.
pub fn advice(text: &str, machine_type: MachineType) -> Vec<Diagnostic> {
    build(text, machine_type).advice
}

struct Built {
    program: Option<Program>,
    diagnostics: Vec<Diagnostic>,
    advice: Vec<Diagnostic>,
}

fn build(text: &str, machine_type: MachineType) -> Built {
    let refused = |diagnostic| Built { program: None, diagnostics: vec![diagnostic], advice: Vec::new() };
    let value = match parse(text) {
        Ok(value) => value,
        Err(diagnostic) => return refused(diagnostic),
    };
    let Some(members) = value.as_object() else {
        return refused(not_an_object());
    };
    build_value(members, machine_type, |_| ()).0
}

/// As [`build`], of a definition that is JSON already; `look` is shown what was written where.
fn build_value<T>(members: &Object, machine_type: MachineType, look: impl FnOnce(&Outline<'_>) -> T) -> (Built, T) {
    let outline = Outline::of(members);
    let looked = look(&outline);
    let mut compiler = Compiler::new(&outline, machine_type);
    let program = compile_program(members, &mut compiler);
    graph::check(&mut compiler);
    let advice = std::mem::take(&mut compiler.advice);
    (Built { program, diagnostics: compiler.into_diagnostics(), advice }, looked)
}

fn parse(text: &str) -> Result<Value, Diagnostic> {
    if text.trim().is_empty() || text.len() > DEFINITION_BYTES_MAX {
        return Err(not_an_object());
    }
    json::parse(text).map_err(|error| {
        let place = error.place(text);
        Diagnostic {
            severity: Severity::Error,
            code: Code::InvalidJsonDescription,
            message: format!("{}\n at {place}", error.message),
            location: Some(place),
        }
    })
}

fn not_an_object() -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        code: Code::SchemaValidationFailed,
        message: "Definition must be a valid JSON object".to_string(),
        location: None,
    }
}

fn compile_program<'d>(members: &'d Object, compiler: &mut Compiler<'d>) -> Option<Program> {
    let outline = compiler.outline;
    let top = Fields { members, place: place::Place::default() };
    top.check(FIELDS, None, compiler);
    top.one_of("QueryLanguage", &["JSONPath", "JSONata"], compiler);
    top.one_of("Version", &["1.0"], compiler);
    let timeout_seconds = top.integer("TimeoutSeconds", 1, SECONDS_MAX, compiler);
    let language = top.get("QueryLanguage").map_or(QueryLanguage::JsonPath, QueryLanguage::of);
    let mut start_ats = vec![None; outline.scopes.len()];
    start_ats[0] = compile_scope(&outline.scopes[0], &top, compiler);

    let mut states = Vec::with_capacity(outline.states.len());
    let mut variable_references = BTreeMap::new();
    for (index, written) in outline.states.iter().enumerate() {
        let id = StateId(index as u32);
        check_name(&written.name, &written.place, compiler);
        states.push(State::compile(id, written, language, compiler));
        let references = std::mem::take(&mut compiler.references);
        if !references.is_empty() {
            variable_references.insert(written.name.clone(), references.keys().cloned().collect());
        }
        let referenced = references.into_iter().map(|(name, place)| (written.scope, name, place));
        compiler.referenced.extend(referenced);
        for ScopeId(nested) in written.nested.iter().copied().flatten() {
            let scope = &outline.scopes[nested as usize];
            let fields = Fields { members: scope.members, place: scope.place.clone() };
            let table = if written.nested_in_map() { PROCESSOR_FIELDS } else { BRANCH_FIELDS };
            fields.check(table, None, compiler);
            start_ats[nested as usize] = compile_scope(scope, &fields, compiler);
        }
    }
    for place in &outline.too_deep {
        compiler.error(Code::TooDeeplyNested, place, "The states are too deeply nested.");
    }
    let scopes = outline.scopes.iter().zip(start_ats);
    Some(Program {
        states: states.into_iter().collect::<Option<Vec<_>>>()?,
        scopes: scopes
            .map(|(written, start_at)| Some(Scope { start_at: start_at?, owner: written.owner }))
            .collect::<Option<Vec<_>>>()?,
        timeout_seconds,
        variable_references,
    })
}

/// `StartAt` and `States` of any scope; answers the state to start at.
fn compile_scope(scope: &WrittenScope, fields: &Fields, compiler: &mut Compiler) -> Option<StateId> {
    fields.require(&["States", "StartAt"], compiler);
    fields.string("Comment", compiler);
    if let Some(states) = fields.object("States", compiler)
        && states.members.is_empty()
    {
        compiler.schema(&states.place, "Value cannot be empty");
    }
    let name = fields.string("StartAt", compiler)?;
    let start = scope.names.get(&*name).copied();
    if start.is_none() {
        compiler.missing_target(&name, &fields.at("StartAt"));
    }
    start
}

/// Source: Amazon States Language.
fn check_name(name: &Arc<str>, place: &place::Place, compiler: &mut Compiler) {
    if name.chars().count() > STATE_NAME_CHARS_MAX {
        let message = format!(
            "State name '{}' exceeds the {STATE_NAME_CHARS_MAX}-character limit allowed by the service",
            compiler::shown(name)
        );
        compiler.error(Code::InvalidStateName, place, message);
    } else if name.is_empty() {
        compiler.error(Code::InvalidStateName, place, "State name cannot be empty");
    }
}
