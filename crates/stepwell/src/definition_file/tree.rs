//! A JSON or YAML text as a tree whose nodes know where they stand.

use std::fmt;

/// The two forms of a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    Json,
    Yaml,
}

/// A place in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Bytes before it.
    pub(crate) offset: usize,
    /// From 1.
    pub(crate) line: usize,
    /// From 1, in characters.
    pub(crate) column: usize,
}

/// Why a text is no tree, or a tree no JSON value.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refusal {
    pub(crate) message: String,
    pub(crate) at: Option<Mark>,
}

impl Refusal {
    pub(crate) fn at(mark: Mark, message: impl Into<String>) -> Refusal {
        Refusal { message: message.into(), at: Some(mark) }
    }
}

/// `3:14`
impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A node's place in [`Tree::nodes`]; a parent comes before its children, an anchor before its aliases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeId(pub(crate) u32);

/// Invariant: nested at most `DEPTH_MAX` deep, aliases not counted; no alias stands inside what it names.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) format: Format,
    pub(crate) nodes: Vec<Node>,
    pub(crate) root: NodeId,
    /// In the order of the text.
    pub(crate) comments: Vec<Comment>,
    /// Where a `---` opens the document.
    pub(crate) opened_at: Option<Mark>,
    /// A name that a JSON object has twice, and where it stands again. YAML forbids it.
    pub(crate) duplicate: Option<(String, Mark)>,
}

#[derive(Debug)]
pub(crate) struct Node {
    /// Where its content begins, behind anchor and tag.
    pub(crate) start: Mark,
    /// The byte after its last one; of block collections, the same as `start`.
    pub(crate) end: usize,
    /// The line that it ends in.
    pub(crate) end_line: usize,
    /// Without `&`.
    pub(crate) anchor: Option<String>,
    /// As it is written: `!!str`.
    pub(crate) tag: Option<String>,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Text {
        text: String,
        style: TextStyle,
    },
    /// A number, true, false or null: as it is written, and as JSON writes it.
    Word {
        written: String,
        json: String,
    },
    Array {
        items: Vec<NodeId>,
        layout: Layout,
    },
    Object {
        members: Vec<Member>,
        layout: Layout,
    },
    /// `*name`
    Alias {
        name: String,
        target: NodeId,
    },
}

#[derive(Debug)]
pub(crate) enum TextStyle {
    /// A JSON string: the text between its quotes, escapes and all.
    Json {
        written: String,
    },
    Plain,
    Quoted,
    /// `|`
    Literal,
    /// `>`: its lines without their indent.
    Folded {
        lines: Vec<String>,
    },
}

/// How the entries of a collection stand in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// One below the other by indent; the column of the entries.
    Block { column: usize },
    /// In brackets.
    Flow,
}

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) key: Key,
    pub(crate) value: NodeId,
}

#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) start: Mark,
    pub(crate) text: String,
    pub(crate) style: KeyStyle,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyStyle {
    Json,
    Plain,
    Quoted,
}

impl Key {
    /// `<<`: the member takes over the members of other objects.
    pub(crate) fn is_merge(&self) -> bool {
        self.style == KeyStyle::Plain && self.text == "<<"
    }
}

#[derive(Debug)]
pub(crate) struct Comment {
    pub(crate) at: Mark,
    /// What follows the `#`.
    pub(crate) text: String,
    /// Nothing but blanks stands before it in its line.
    pub(crate) own_line: bool,
}

impl Tree {
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// The node itself, or the one that an alias names; a target is never an alias.
    pub(crate) fn target(&self, id: NodeId) -> &Node {
        match self.node(id).kind {
            Kind::Alias { target, .. } => self.node(target),
            _ => self.node(id),
        }
    }
}
