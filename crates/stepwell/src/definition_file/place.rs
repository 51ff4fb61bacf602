//! Where in a text the things stand that AWS's JSON pointers name.

use crate::{
    definition_file::tree::{Kind, Mark, NodeId, Tree},
    limits::LOOKUP_NODES_MAX,
};

/// The place of what `pointer` leads to (of a member: its key), or of the innermost thing around it that is there.
///
/// `pointer` is written as AWS writes it: `/States/X/Retry[0]/ErrorEquals`, with names as they are. A name that holds
/// `/` or `[` makes it ambiguous; the longest reading that the text allows is taken.
pub(crate) fn find(tree: &Tree, pointer: &str) -> Mark {
    let rest = if pointer == "/" { "" } else { pointer };
    let start = tree.node(tree.root).start;
    let mut search = Search { tree, nodes_left: LOOKUP_NODES_MAX, rest_min: usize::MAX, best: start };
    search.node(tree.root, rest, start);
    search.best
}

struct Search<'t> {
    tree: &'t Tree,
    nodes_left: usize,
    /// Bytes of the pointer that `best` leaves.
    rest_min: usize,
    best: Mark,
}

impl Search<'_> {
    /// True if all of `rest` was found below `id`, which stands at `at`. Recursion goes at most as deep as the tree with
    /// its aliases, for whose value there is a bound.
    fn node(&mut self, id: NodeId, rest: &str, at: Mark) -> bool {
        if rest.len() < self.rest_min {
            (self.rest_min, self.best) = (rest.len(), at);
        }
        if rest.is_empty() {
            return true;
        }
        let tree = self.tree;
        match &tree.target(id).kind {
            Kind::Object { members, .. } => {
                let Some(name) = rest.strip_prefix('/') else {
                    return false;
                };
                for member in members {
                    if !self.spend() {
                        return false;
                    }
                    let found = match name.strip_prefix(member.key.text.as_str()) {
                        Some(rest) if rest.is_empty() || rest.starts_with(['/', '[']) => {
                            self.node(member.value, rest, member.key.start)
                        }
                        _ => false,
                    };
                    if found || (member.key.is_merge() && self.merged(member.value, rest, at)) {
                        return true;
                    }
                }
                false
            }
            Kind::Array { items, .. } => {
                let Some((index, rest)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) else {
                    return false;
                };
                let item = index.parse::<usize>().ok().and_then(|index| items.get(index)).copied();
                item.is_some_and(|item| self.spend() && self.node(item, rest, tree.node(item).start))
            }
            Kind::Text { .. } | Kind::Word { .. } | Kind::Alias { .. } => false,
        }
    }

    /// Looks in what a `<<` takes over.
    fn merged(&mut self, id: NodeId, rest: &str, at: Mark) -> bool {
        match &self.tree.target(id).kind {
            Kind::Array { items, .. } => items.iter().any(|item| self.spend() && self.node(*item, rest, at)),
            Kind::Object { .. } => self.spend() && self.node(id, rest, at),
            _ => false,
        }
    }

    fn spend(&mut self) -> bool {
        self.nodes_left = self.nodes_left.saturating_sub(1);
        self.nodes_left > 0
    }
}
