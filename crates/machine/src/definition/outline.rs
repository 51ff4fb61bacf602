//! The outline of a definition: every scope and state gets its id, in document order, before anything is compiled.

use std::{collections::BTreeMap, sync::Arc};

use stepwell_expr::{Object, Value};

use crate::{
    definition::place::Place,
    limits::SCOPE_DEPTH_MAX,
    program::{ScopeId, StateId},
};

/// All scopes and states as they were written; a position in a list is the id.
pub(crate) struct Outline<'d> {
    pub(crate) scopes: Vec<WrittenScope<'d>>,
    pub(crate) states: Vec<WrittenState<'d>>,
    /// Sub-machines that are nested too deeply to be looked at.
    pub(crate) too_deep: Vec<Place>,
}

/// A `States` object with the fields beside it.
pub(crate) struct WrittenScope<'d> {
    pub(crate) members: &'d Object,
    pub(crate) place: Place,
    pub(crate) owner: Option<StateId>,
    pub(crate) names: BTreeMap<&'d str, StateId>,
    /// The processor of a distributed Map: its variables are its own.
    pub(crate) distributed: bool,
    /// It runs in Express children of a distributed Map.
    pub(crate) express: bool,
}

pub(crate) struct WrittenState<'d> {
    pub(crate) name: Arc<str>,
    pub(crate) scope: ScopeId,
    pub(crate) value: &'d Value,
    pub(crate) place: Place,
    /// The scopes of a Parallel's branches or of a Map's processor; `None` where there is no object.
    pub(crate) nested: Vec<Option<ScopeId>>,
}

impl WrittenState<'_> {
    pub(crate) fn nested_in_map(&self) -> bool {
        self.value.get("Type").and_then(Value::as_str) == Some("Map")
    }
}

impl<'d> Outline<'d> {
    pub(crate) fn of(definition: &'d Object) -> Outline<'d> {
        let mut outline = Outline { scopes: Vec::new(), states: Vec::new(), too_deep: Vec::new() };
        outline.scope(definition, Place::default(), None, 0);
        outline
    }

    pub(crate) fn scope_of(&self, state: StateId) -> &WrittenScope<'d> {
        &self.scopes[self.states[state.0 as usize].scope.0 as usize]
    }

    /// Depth first: a state, then all that is nested in it, then the next state. Recursion is bounded by
    /// `SCOPE_DEPTH_MAX`.
    fn scope(&mut self, members: &'d Object, place: Place, owner: Option<StateId>, depth: usize) -> Option<ScopeId> {
        if depth > SCOPE_DEPTH_MAX {
            self.too_deep.push(place);
            return None;
        }
        let id = ScopeId(self.scopes.len() as u32);
        let config = members.get("ProcessorConfig");
        let says = |field: &str, text: &str| {
            config.and_then(|config| config.get(field)).is_some_and(|value| value.as_str() == Some(text))
        };
        let distributed = says("Mode", "DISTRIBUTED");
        let express =
            distributed && says("ExecutionType", "EXPRESS") || owner.is_some_and(|owner| self.scope_of(owner).express);
        let names = BTreeMap::new();
        self.scopes.push(WrittenScope { members, place: place.clone(), owner, names, distributed, express });
        let states = members.get("States").and_then(Value::as_object);
        let place = place.key("States");
        for (name, value) in states.into_iter().flatten() {
            let state = StateId(self.states.len() as u32);
            let place = place.state(name.clone());
            let (name_text, name) = (&**name, name.clone());
            self.states.push(WrittenState { name, scope: id, value, place: place.clone(), nested: Vec::new() });
            self.scopes[id.0 as usize].names.insert(name_text, state);
            let nested = self.nested(state, value, &place, depth);
            self.states[state.0 as usize].nested = nested;
        }
        Some(id)
    }

    fn nested(&mut self, owner: StateId, state: &'d Value, place: &Place, depth: usize) -> Vec<Option<ScopeId>> {
        match state.get("Type").and_then(Value::as_str) {
            Some("Parallel") => {
                let branches = state.get("Branches").and_then(Value::as_array).unwrap_or_default();
                let place = place.key("Branches");
                let mut nested = Vec::with_capacity(branches.len());
                for (index, branch) in branches.iter().enumerate() {
                    let members = branch.as_object();
                    nested.push(members.and_then(|m| self.scope(m, place.index(index), Some(owner), depth + 1)));
                }
                nested
            }
            Some("Map") => {
                let field = if state.get("ItemProcessor").is_some() { "ItemProcessor" } else { "Iterator" };
                let members = state.get(field).and_then(Value::as_object);
                vec![members.and_then(|m| self.scope(m, place.key(field), Some(owner), depth + 1))]
            }
            _ => Vec::new(),
        }
    }
}
