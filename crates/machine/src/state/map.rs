//! Map, inline: runs its item processor once for each item.

use crate::{
    program::{Field, ScopeId, Template, Transition},
    retry::{Catcher, Retrier},
};

#[derive(Clone, Debug)]
pub struct Map {
    pub items: Items,
    /// `ItemSelector`, or `Parameters` of old.
    pub selector: Option<Template>,
    pub max_concurrency: Option<Field<u64>>,
    /// Evaluated and checked also where the Map is inline, as AWS does.
    pub tolerated_failure_count: Option<Field<u64>>,
    pub tolerated_failure_percentage: Option<Field<f64>>,
    pub processor: ScopeId,
    /// A distributed Map: not supported yet, fails when it is entered.
    pub distributed: bool,
    pub retry: Vec<Retrier>,
    pub catch: Vec<Catcher>,
    pub transition: Transition,
}

#[derive(Clone, Debug)]
pub enum Items {
    /// No `ItemsPath`, no `Items`: the whole effective input.
    Input,
    Path(stepwell_expr::jsonpath::Path),
    /// JSONata `Items`: an array with templates inside, or one expression.
    Template(Template),
}
