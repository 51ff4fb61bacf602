//! What compiling a definition gathers on its way: problems, edges between states, names that must be unique.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use stepwell_expr::{Object, Value};

use crate::{
    definition::{KnownAction, MachineType, outline::Outline, place::Place},
    diagnostic::{Code, Diagnostic, Severity},
    limits::DIAGNOSTICS_MAX,
    program::{QueryLanguage, ScopeId, StateId},
};

/// The fields that an object may have; those of one language alone name it.
pub(crate) type FieldTable = [(&'static str, Option<QueryLanguage>)];

/// Shorthand for field tables: a field of both languages, of JSONPath alone, of JSONata alone.
pub(crate) const BOTH: Option<QueryLanguage> = None;
pub(crate) const JSON_PATH: Option<QueryLanguage> = Some(QueryLanguage::JsonPath);
pub(crate) const JSONATA: Option<QueryLanguage> = Some(QueryLanguage::Jsonata);

pub(crate) struct Compiler<'d> {
    pub(crate) outline: &'d Outline<'d>,
    pub(crate) machine_type: MachineType,
    pub(crate) is_known_action: KnownAction<'d>,
    /// Problems of fields and values, in document order.
    problems: Vec<Diagnostic>,
    /// Problems of the whole (names, transitions), which AWS reports after all others.
    late_problems: Vec<Diagnostic>,
    /// Transitions, by the state that they leave.
    pub(crate) edges: Vec<(StateId, StateId)>,
    /// `Label`s of Maps.
    pub(crate) labels: BTreeSet<Arc<str>>,
    /// Variables that states assign: the scope, the name, the place.
    pub(crate) assigned: Vec<(ScopeId, Arc<str>, Place)>,
    /// Variables that the state being compiled references, each with its first place.
    pub(crate) references: BTreeMap<Arc<str>, Place>,
    /// The same of all states before it: the scope, the name, the place.
    pub(crate) referenced: Vec<(ScopeId, Arc<str>, Place)>,
    /// Warnings that are ours, not AWS's.
    pub(crate) advice: Vec<Diagnostic>,
}

impl<'d> Compiler<'d> {
    pub(crate) fn new(
        outline: &'d Outline<'d>,
        machine_type: MachineType,
        is_known_action: KnownAction<'d>,
    ) -> Compiler<'d> {
        Compiler {
            outline,
            machine_type,
            is_known_action,
            problems: Vec::new(),
            late_problems: Vec::new(),
            edges: Vec::new(),
            assigned: Vec::new(),
            references: BTreeMap::new(),
            referenced: Vec::new(),
            advice: Vec::new(),
            labels: BTreeSet::new(),
        }
    }

    /// The type of the executions that run the states of `scope`.
    pub(crate) fn machine_type_of(&self, scope: ScopeId) -> MachineType {
        match self.outline.scopes[scope.0 as usize].express {
            true => MachineType::Express,
            false => self.machine_type,
        }
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }

    pub(crate) fn into_diagnostics(mut self) -> Vec<Diagnostic> {
        self.problems.append(&mut self.late_problems);
        self.problems
    }

    /// A problem of a field or value; reports nothing once there are `DIAGNOSTICS_MAX`.
    pub(crate) fn error(&mut self, code: Code, place: &Place, message: impl Into<String>) {
        report(&mut self.problems, Severity::Error, code, Some(place), message.into());
    }

    /// `SCHEMA_VALIDATION_FAILED`.
    pub(crate) fn schema(&mut self, place: &Place, message: impl Into<String>) {
        self.error(Code::SchemaValidationFailed, place, message);
    }

    pub(crate) fn warn(&mut self, code: Code, place: &Place, message: impl Into<String>) {
        report(&mut self.problems, Severity::Warning, code, Some(place), message.into());
    }

    /// A warning of ours, which AWS does not give.
    pub(crate) fn advise(&mut self, code: Code, place: &Place, message: String) {
        report(&mut self.advice, Severity::Warning, code, Some(place), message);
    }

    /// Notes the variables that the expression at `place` reads.
    pub(crate) fn reference(&mut self, names: impl IntoIterator<Item = Arc<str>>, place: &Place) {
        for name in names {
            self.references.entry(name).or_insert_with(|| place.clone());
        }
    }

    /// A problem of the definition as a whole; `None`: it has no place.
    pub(crate) fn late_error(&mut self, code: Code, place: Option<&Place>, message: impl Into<String>) {
        report(&mut self.late_problems, Severity::Error, code, place, message.into());
    }

    /// The state that a transition at `place` names; notes the edge, or that there is none.
    pub(crate) fn target(&mut self, from: StateId, name: &str, place: &Place) -> Option<StateId> {
        match self.outline.scope_of(from).names.get(name).copied() {
            Some(to) => {
                self.edges.push((from, to));
                Some(to)
            }
            None => {
                self.missing_target(name, place);
                None
            }
        }
    }

    /// There is no such state in the scope; AWS says `Next` whatever the field is called.
    pub(crate) fn missing_target(&mut self, name: &str, place: &Place) {
        let message = format!("Missing 'Next' target: {}", shown(name));
        self.late_error(Code::MissingTransitionTarget, Some(place), message);
    }
}

/// Longest part of a user's text that a message repeats, in characters. Ours.
const SHOWN_CHARS_MAX: usize = 1_000;

/// A user's text for a message, cut where it is absurdly long.
pub(crate) fn shown(text: &str) -> &str {
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

fn report(to: &mut Vec<Diagnostic>, severity: Severity, code: Code, place: Option<&Place>, message: String) {
    if to.len() < DIAGNOSTICS_MAX {
        to.push(Diagnostic { severity, code, message, location: place.map(Place::pointer) });
    }
}

/// A JSON object of the definition with its place: the fields of a state, a retrier, a processor's configuration.
#[derive(Clone)]
pub(crate) struct Fields<'d> {
    pub(crate) members: &'d Object,
    pub(crate) place: Place,
}

impl<'d> Fields<'d> {
    /// `value` as an object, or a problem.
    pub(crate) fn of(value: &'d Value, place: Place, compiler: &mut Compiler) -> Option<Fields<'d>> {
        match value.as_object() {
            Some(members) => Some(Fields { members, place }),
            None => {
                expected(compiler, &place, "OBJECT");
                None
            }
        }
    }

    pub(crate) fn get(&self, field: &str) -> Option<&'d Value> {
        self.members.get(field)
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.members.contains_key(field)
    }

    pub(crate) fn at(&self, field: &str) -> Place {
        self.place.key(field)
    }

    /// Reports what `table` does not allow in `language`, fields of the other language first; with `None` the
    /// languages are not compared.
    pub(crate) fn check(&self, table: &FieldTable, language: Option<QueryLanguage>, compiler: &mut Compiler) {
        let rule = |field: &str| table.iter().find(|(name, _)| *name == field).map(|(_, only)| *only);
        self.check_by(rule, language, compiler);
    }

    /// As [`Fields::check`], with the table as a function: the inner `None` stands for both languages, the outer one
    /// for a field that is not allowed.
    pub(crate) fn check_by(
        &self,
        rule: impl Fn(&str) -> Option<Option<QueryLanguage>>,
        language: Option<QueryLanguage>,
        compiler: &mut Compiler,
    ) {
        if let Some(language) = language {
            for (field, _) in self.members {
                if let Some(Some(only)) = rule(field)
                    && only != language
                {
                    let message = format!(
                        "The QueryLanguage is set to '{}', but field '{field}' is only supported for the '{}' \
                         QueryLanguage",
                        language.as_str(),
                        only.as_str()
                    );
                    compiler.schema(&self.place, message);
                }
            }
        }
        for (field, _) in self.members {
            if rule(field).is_none() {
                compiler.schema(&self.place, format!("Field '{}' is not supported", shown(field)));
            }
        }
    }

    /// Reports which of `fields` are missing, in one sentence; true if all are there.
    pub(crate) fn require(&self, fields: &[&str], compiler: &mut Compiler) -> bool {
        let missing: Vec<&str> = fields.iter().copied().filter(|field| !self.has(field)).collect();
        if !missing.is_empty() {
            compiler.schema(&self.place, format!("These fields are required: [{}]", missing.join(", ")));
        }
        missing.is_empty()
    }

    /// Reports it if more than one of `fields` is there; true if not.
    pub(crate) fn at_most_one(&self, fields: &[&str], compiler: &mut Compiler) -> bool {
        let one = fields.iter().filter(|field| self.has(field)).count() <= 1;
        if !one {
            let message = format!("There should only be one of the following fields: [{}]", fields.join(", "));
            compiler.schema(&self.place, message);
        }
        one
    }

    /// Reports it unless exactly one of `fields` is there.
    pub(crate) fn exactly_one(&self, fields: &[&str], compiler: &mut Compiler) -> bool {
        if fields.iter().any(|field| self.has(field)) {
            return self.at_most_one(fields, compiler);
        }
        let message = format!("This object should have only one of the following fields: [{}]", fields.join(", "));
        compiler.schema(&self.place, message);
        false
    }

    /// A string field; `None` if it is absent or another type, which is reported.
    pub(crate) fn string(&self, field: &str, compiler: &mut Compiler) -> Option<Arc<str>> {
        match self.get(field)? {
            Value::String(text) => Some(text.clone()),
            _ => {
                expected(compiler, &self.at(field), "STRING");
                None
            }
        }
    }

    /// A string field that must be one of `values`.
    pub(crate) fn one_of(&self, field: &str, values: &[&str], compiler: &mut Compiler) -> Option<Arc<str>> {
        let text = self.string(field, compiler)?;
        if values.contains(&&*text) {
            return Some(text);
        }
        let message = format!("Value should be one of the following: [{}]", values.join(", "));
        compiler.schema(&self.at(field), message);
        None
    }

    pub(crate) fn boolean(&self, field: &str, compiler: &mut Compiler) -> Option<bool> {
        match self.get(field)? {
            Value::Bool(bool) => Some(*bool),
            _ => {
                expected(compiler, &self.at(field), "BOOLEAN");
                None
            }
        }
    }

    /// A whole number; one out of range is reported and cut to it.
    pub(crate) fn integer(&self, field: &str, min: u64, max: u64, compiler: &mut Compiler) -> Option<u64> {
        let value = self.get(field)?;
        integer(value, &self.at(field), min, max, compiler)
    }

    /// An array's items; an empty one is reported where `filled`.
    pub(crate) fn array(&self, field: &str, filled: bool, compiler: &mut Compiler) -> Option<&'d [Value]> {
        match self.get(field)?.as_array() {
            Some([]) if filled => {
                compiler.schema(&self.at(field), "Value cannot be empty");
                None
            }
            Some(items) => Some(items),
            None => {
                expected(compiler, &self.at(field), "ARRAY");
                None
            }
        }
    }

    /// An object field with its place.
    pub(crate) fn object(&self, field: &str, compiler: &mut Compiler) -> Option<Fields<'d>> {
        Fields::of(self.get(field)?, self.at(field), compiler)
    }
}

/// A whole number within `min..=max`; one out of range is reported and cut to it.
pub(crate) fn integer(value: &Value, place: &Place, min: u64, max: u64, compiler: &mut Compiler) -> Option<u64> {
    let Some(number) = value.as_number() else {
        expected(compiler, place, "INTEGER");
        return None;
    };
    let size = number.as_f64();
    if size.trunc() != size {
        expected(compiler, place, "INTEGER");
        return None;
    }
    if size < min as f64 {
        compiler.schema(place, format!("Minimum value is {min}"));
        return Some(min);
    }
    if size > max as f64 {
        compiler.schema(place, format!("Maximum value is {max}"));
        return Some(max);
    }
    // Beyond i64 only where the caller allows all of u64: the greatest number stands for them.
    Some(number.as_i64().map_or(max, |whole| whole.max(0) as u64))
}

/// `Expected value of type [STRING]`
pub(crate) fn expected(compiler: &mut Compiler, place: &Place, kind: &str) {
    compiler.schema(place, format!("Expected value of type [{kind}]"));
}

impl QueryLanguage {
    /// As the field `QueryLanguage` spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            QueryLanguage::JsonPath => "JSONPath",
            QueryLanguage::Jsonata => "JSONata",
        }
    }

    /// What the value of a `QueryLanguage` field selects: JSONPath by its exact name alone, JSONata by anything else
    /// (AWS reports a wrong name, and resolves it so).
    pub(crate) fn of(value: &Value) -> QueryLanguage {
        if value.as_str() == Some("JSONPath") { QueryLanguage::JsonPath } else { QueryLanguage::Jsonata }
    }
}
