//! Checks of the whole: names that must be unique, an end that must exist, states that must be reached.

use std::{collections::BTreeMap, sync::Arc};

use stepwell_expr::Value;

use crate::{
    definition::{
        compiler::{Compiler, shown},
        place::Place,
    },
    diagnostic::Code,
    program::{ScopeId, StateId},
};

/// Runs after all states are compiled.
///
/// Where fields or values are wrong, transitions may be missing that were meant: then neither ends nor ways are
/// looked for.
pub(crate) fn check(compiler: &mut Compiler) {
    let sound = !compiler.has_errors();
    check_names(compiler);
    check_variables(compiler);
    if sound && check_end(compiler) {
        check_ways(compiler);
    }
}

/// Names are unique through all scopes.
fn check_names(compiler: &mut Compiler) {
    let outline = compiler.outline;
    let mut seen = std::collections::BTreeSet::new();
    for state in &outline.states {
        if !seen.insert(&*state.name) {
            let message = format!("Duplicate State name: {}", shown(&state.name));
            compiler.late_error(Code::DuplicateStateName, Some(&state.place), message);
        }
    }
}

/// An inner scope may not assign what an outer one assigns; the processor of a distributed Map has no outer one.
///
/// Source: Amazon States Language, "Variables"; the wording is ours. That a variable is read which no state in sight
/// assigns is no error on AWS (it fails when it is read), so it is advice.
fn check_variables(compiler: &mut Compiler) {
    let outline = compiler.outline;
    let assigned = std::mem::take(&mut compiler.assigned);
    let mut scopes_of: BTreeMap<&str, Vec<ScopeId>> = BTreeMap::new();
    for (scope, name, _) in &assigned {
        let scopes = scopes_of.entry(name).or_default();
        if scopes.last() != Some(scope) {
            scopes.push(*scope);
        }
    }
    for scopes in scopes_of.values_mut() {
        scopes.sort_unstable();
        scopes.dedup();
    }
    let outer = |scope: ScopeId| {
        let written = &outline.scopes[scope.0 as usize];
        let owner = written.owner.filter(|_| !written.distributed)?;
        Some(outline.states[owner.0 as usize].scope)
    };
    // At most `SCOPE_DEPTH_MAX` steps outwards.
    let assigns = |from: Option<ScopeId>, name: &str| {
        let scopes = scopes_of.get(name);
        std::iter::successors(from, |scope| outer(*scope))
            .any(|scope| scopes.is_some_and(|scopes| scopes.binary_search(&scope).is_ok()))
    };
    for (scope, name, place) in &assigned {
        if assigns(outer(*scope), name) {
            let message = format!("Variable '{}' is already assigned in an outer scope.", shown(name));
            compiler.late_error(Code::InvalidVariableName, Some(place), message);
        }
    }
    for (scope, name, place) in std::mem::take(&mut compiler.referenced) {
        if !assigns(Some(scope), &name) {
            let message = format!("No state here or in an outer scope assigns variable '${}'.", shown(&name));
            compiler.advise(Code::UnassignedVariable, &place, message);
        }
    }
}

/// True if the top level has a state that ends it; inner scopes are not asked, as AWS does.
fn check_end(compiler: &mut Compiler) -> bool {
    let ends = |value: &Value| {
        value.get("End").and_then(Value::as_bool) == Some(true)
            || matches!(value.get("Type").and_then(Value::as_str), Some("Succeed" | "Fail"))
    };
    let top = compiler.outline.states.iter().filter(|state| state.scope == ScopeId(0));
    let found = top.into_iter().any(|state| ends(state.value));
    if !found {
        compiler.late_error(Code::MissingEndState, None, "Workflow has no terminal state");
    }
    found
}

/// Every state of a scope is reached from its start.
fn check_ways(compiler: &mut Compiler) {
    let outline = compiler.outline;
    let mut next: Vec<Vec<StateId>> = vec![Vec::new(); outline.states.len()];
    for (from, to) in &compiler.edges {
        next[from.0 as usize].push(*to);
    }
    let mut reached = vec![false; outline.states.len()];
    let mut open: Vec<StateId> = Vec::new();
    for scope in &outline.scopes {
        let start = scope.members.get("StartAt").and_then(Value::as_str);
        open.extend(start.and_then(|name| scope.names.get(name)));
    }
    while let Some(state) = open.pop() {
        if !std::mem::replace(&mut reached[state.0 as usize], true) {
            open.extend(&next[state.0 as usize]);
        }
    }
    let unreached: Vec<(Arc<str>, Place)> = outline
        .states
        .iter()
        .zip(reached)
        .filter(|(_, reached)| !reached)
        .map(|(state, _)| (state.name.clone(), state.place.clone()))
        .collect();
    for (name, place) in unreached {
        let message = format!("State \"{}\" is not reachable.", shown(&name));
        compiler.late_error(Code::MissingTransitionTarget, Some(&place), message);
    }
}
