//! Parallel: runs its branches side by side on one input.

use crate::{
    program::{ScopeId, Transition},
    retry::{Catcher, Retrier},
};

#[derive(Clone, Debug)]
pub struct Parallel {
    pub branches: Vec<ScopeId>,
    pub retry: Vec<Retrier>,
    pub catch: Vec<Catcher>,
    pub transition: Transition,
}
