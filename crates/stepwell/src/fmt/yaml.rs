//! A tree as YAML, with its comments, anchors and single blank lines.
//!
//! Entries are written in the order of the source, and comments come out of one list in that same order: each before the
//! first entry that stands behind it, or at the end of the line that it stood in. So none can be lost.

use crate::{
    definition_file::tree::{Format, Key, KeyStyle, Kind, Layout, Mark, Node, NodeId, TextStyle, Tree},
    fmt::text::{self, Where},
    limits::{FORMATTED_BYTES_MAX, LINE_CHARS_MAX, SIMPLE_KEY_CHARS_MAX},
};

/// The formatted text, with a line break at its end; `None` beyond `FORMATTED_BYTES_MAX`.
pub(crate) fn to_yaml(tree: &Tree, source: &str) -> Option<String> {
    let blank_lines = match tree.format {
        Format::Yaml => source.lines().map(|line| line.trim().is_empty()).collect(),
        Format::Json => Vec::new(),
    };
    let mut writer = Writer { tree, blank_lines, out: String::new(), comment: 0, opening: true, after_breaks: false };
    writer.document();
    (writer.out.len() <= FORMATTED_BYTES_MAX).then_some(writer.out)
}

struct Writer<'t> {
    tree: &'t Tree,
    /// Of the source, from its first line on.
    blank_lines: Vec<bool>,
    out: String,
    /// The next comment to write.
    comment: usize,
    /// Nothing has been written yet of the block that is open: no blank line comes first.
    opening: bool,
    /// A text that keeps its line breaks came last: a blank line would be one more of them.
    after_breaks: bool,
}

/// One entry of a collection.
#[derive(Clone, Copy)]
enum Entry<'t> {
    Member(&'t Key, NodeId),
    Item(NodeId),
}

/// Where a block ends: the next thing of the source behind it.
#[derive(Clone, Copy)]
struct Limit {
    offset: usize,
    /// The column that entries stand in there; 0: none does.
    column: usize,
}

/// How a value is written.
enum Rendering {
    /// Behind its key or dash.
    Line(String),
    /// A header behind its key or dash, and lines below.
    Lines(&'static str, Vec<String>),
    /// Entries below.
    Block,
}

impl<'t> Writer<'t> {
    fn document(&mut self) {
        if let Some(opened_at) = self.tree.opened_at {
            self.comments_before(opened_at.offset, 0);
            self.out.push_str("---");
            self.end_line();
        }
        let root = self.tree.node(self.tree.root);
        match self.rendering(self.tree.root, 0, false) {
            Rendering::Line(text) => {
                self.comments_before(root.start.offset, 0);
                let properties = properties(root);
                self.out.push_str(format!("{properties} {text}").trim_start());
                self.comment_behind(root.end_line);
                self.end_line();
            }
            Rendering::Lines(..) | Rendering::Block => {
                let properties = properties(root);
                if !properties.is_empty() {
                    self.out.push_str(properties.trim_start());
                    self.end_line();
                }
                self.block(self.tree.root, 0, Limit { offset: usize::MAX, column: 0 }, false);
            }
        }
        self.comments_before(usize::MAX, 0);
    }

    /// The entries of a collection, each at `indent`; of the first, the `indent` stands already if it is `compact`.
    fn block(&mut self, id: NodeId, indent: usize, limit: Limit, compact: bool) {
        let tree = self.tree;
        let node = tree.node(id);
        let (entries, layout): (Vec<Entry<'t>>, Layout) = match &node.kind {
            Kind::Object { members, layout } => {
                (members.iter().map(|member| Entry::Member(&member.key, member.value)).collect(), *layout)
            }
            Kind::Array { items, layout } => (items.iter().map(|item| Entry::Item(*item)).collect(), *layout),
            Kind::Text { .. } | Kind::Word { .. } | Kind::Alias { .. } => return,
        };
        // Within brackets no column says where a comment belongs; the closing bracket does.
        let (column, limit) = match layout {
            Layout::Block { column } => (column, limit),
            Layout::Flow => (1, Limit { offset: node.end, column: 0 }),
        };
        for (index, entry) in entries.iter().enumerate() {
            if self.out.len() > FORMATTED_BYTES_MAX {
                return;
            }
            let next = entries.get(index + 1).map(|next| Limit { offset: self.start(*next).offset, column });
            self.entry(*entry, indent, next.unwrap_or(limit), compact && index == 0);
        }
        while let Some(comment) = tree.comments.get(self.comment) {
            let inside = comment.at.column >= column && comment.at.column > limit.column;
            if comment.at.offset >= limit.offset || !inside {
                break;
            }
            self.own_line_comment(indent);
        }
    }

    fn entry(&mut self, entry: Entry<'t>, indent: usize, limit: Limit, compact: bool) {
        let start = self.start(entry);
        let (lead, value) = match entry {
            Entry::Item(value) => ("-".to_owned(), value),
            Entry::Member(key, value) => (lead(key, indent), value),
        };
        let lead_chars = lead.rsplit('\n').next().unwrap_or_default().trim_start().chars().count();
        let rendering = self.rendering(value, indent + lead_chars + 1, true);
        let node = self.tree.node(value);
        if !compact {
            self.comments_before(start.offset, indent);
            // What stands between a key and its value goes above both; a comment behind a `|` stays there.
            let stays = match &rendering {
                Rendering::Line(_) => false,
                Rendering::Lines(..) => self.tree.comments.get(self.comment).is_some_and(|comment| !comment.own_line),
                Rendering::Block => true,
            };
            if !stays {
                self.comments_before(node.start.offset, indent);
            }
            self.gap(start.line);
            self.indent(indent);
        }
        self.out.push_str(&lead);
        self.out.push_str(&properties(node));
        match rendering {
            Rendering::Line(text) => {
                self.out.push(' ');
                self.out.push_str(&text);
                self.comment_behind(node.end_line);
                self.end_line();
            }
            Rendering::Lines(header, lines) => {
                self.out.push(' ');
                self.out.push_str(header);
                self.comment_before(node.start.offset);
                self.end_line();
                for line in lines {
                    if self.out.len() > FORMATTED_BYTES_MAX {
                        return;
                    }
                    if !line.is_empty() {
                        self.indent(indent + 2);
                    }
                    self.out.push_str(&line);
                    self.end_line();
                }
                self.after_breaks = header == "|+";
            }
            Rendering::Block if matches!(entry, Entry::Item(_)) && properties(node).is_empty() => {
                self.out.push(' ');
                self.block(value, indent + 2, limit, true);
            }
            Rendering::Block => {
                self.comment_before(self.first_start(value).offset);
                self.end_line();
                self.opening = true;
                self.block(value, indent + 2, limit, false);
            }
        }
    }

    /// How the value is written from `column` on; `may_take_lines`: texts may be blocks of lines.
    fn rendering(&self, id: NodeId, column: usize, may_take_lines: bool) -> Rendering {
        let node = self.tree.node(id);
        if let Kind::Text { text, style } = &node.kind
            && may_take_lines
            && let Some((header, lines)) = text::in_lines(text, style)
        {
            return Rendering::Lines(header, lines);
        }
        if has_entries(node) && !self.stays_in_brackets(node) {
            return Rendering::Block;
        }
        let chars_max =
            if has_entries(node) { LINE_CHARS_MAX.saturating_sub(column + properties(node).len()) } else { usize::MAX };
        let mut line = String::new();
        if self.write_flow(&mut line, id, chars_max, Where::Value) { Rendering::Line(line) } else { Rendering::Block }
    }

    /// Whether a collection with entries may be written in brackets: as it was, and no comment is in it.
    fn stays_in_brackets(&self, node: &Node) -> bool {
        match &node.kind {
            Kind::Object { layout: Layout::Flow, .. } | Kind::Array { layout: Layout::Flow, .. } => {}
            _ => return false,
        }
        if self.tree.format == Format::Json {
            // JSON has nothing but brackets; lists of scalars keep them.
            let scalar = |item: &NodeId| matches!(self.tree.node(*item).kind, Kind::Text { .. } | Kind::Word { .. });
            return matches!(&node.kind, Kind::Array { items, .. } if items.iter().all(scalar));
        }
        let first = self.tree.comments.partition_point(|comment| comment.at.offset < node.start.offset);
        self.tree.comments.get(first).is_none_or(|comment| comment.at.offset >= node.end)
    }

    /// Writes a value in one line; false if it does not fit, or needs lines of its own.
    fn write_flow(&self, out: &mut String, id: NodeId, chars_max: usize, place: Where) -> bool {
        let node = self.tree.node(id);
        if place == Where::Flow {
            let properties = properties(node);
            if !properties.is_empty() {
                out.push_str(properties.trim_start());
                out.push(' ');
            }
        }
        match &node.kind {
            Kind::Word { written, .. } => out.push_str(written),
            Kind::Alias { name, .. } => out.push_str(&format!("*{name}")),
            Kind::Text { text, style } => {
                if place == Where::Flow && text.contains('\n') {
                    return false;
                }
                out.push_str(&text::in_one_line(text, matches!(style, TextStyle::Quoted), place));
            }
            Kind::Array { items, .. } => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index > 0 { ", " } else { "" });
                    if !self.write_flow(out, *item, chars_max, Where::Flow) {
                        return false;
                    }
                }
                out.push(']');
            }
            Kind::Object { members, .. } => {
                out.push('{');
                for (index, member) in members.iter().enumerate() {
                    out.push_str(if index > 0 { ", " } else { "" });
                    out.push_str(&key_text(&member.key, Where::Flow));
                    out.push_str(": ");
                    if !self.write_flow(out, member.value, chars_max, Where::Flow) {
                        return false;
                    }
                }
                out.push('}');
            }
        }
        // Counted in bytes first: most lines are short.
        out.len() <= chars_max || out.chars().count() <= chars_max
    }

    fn start(&self, entry: Entry<'_>) -> Mark {
        match entry {
            Entry::Member(key, _) => key.start,
            Entry::Item(item) => self.tree.node(item).start,
        }
    }

    /// Where the first entry of a collection begins.
    fn first_start(&self, id: NodeId) -> Mark {
        match &self.tree.node(id).kind {
            Kind::Object { members, .. } => members.first().map(|member| member.key.start),
            Kind::Array { items, .. } => items.first().map(|item| self.tree.node(*item).start),
            _ => None,
        }
        .unwrap_or_default()
    }

    /// Comments before `offset` that are not yet written, a line for each.
    fn comments_before(&mut self, offset: usize, indent: usize) {
        while self.tree.comments.get(self.comment).is_some_and(|comment| comment.at.offset < offset) {
            self.own_line_comment(indent);
        }
    }

    fn own_line_comment(&mut self, indent: usize) {
        let comment = &self.tree.comments[self.comment];
        if comment.own_line {
            self.gap(comment.at.line);
        }
        self.indent(indent);
        self.out.push('#');
        self.out.push_str(&comment.text);
        self.comment += 1;
        self.end_line();
    }

    /// The next comment, if it stood behind something in a line up to `line`: behind what was just written.
    fn comment_behind(&mut self, line: usize) {
        if self.tree.comments.get(self.comment).is_some_and(|comment| !comment.own_line && comment.at.line <= line) {
            self.push_comment();
        }
    }

    /// The next comment, if it stood behind something and before `offset`.
    fn comment_before(&mut self, offset: usize) {
        if self.tree.comments.get(self.comment).is_some_and(|comment| !comment.own_line && comment.at.offset < offset) {
            self.push_comment();
        }
    }

    fn push_comment(&mut self) {
        self.out.push_str(" #");
        self.out.push_str(&self.tree.comments[self.comment].text);
        self.comment += 1;
    }

    /// One blank line, where the source has some above `line`.
    fn gap(&mut self, line: usize) {
        let blank = line >= 2 && self.blank_lines.get(line - 2).copied().unwrap_or(false);
        if blank && !self.opening && !self.after_breaks {
            self.out.push('\n');
        }
    }

    fn indent(&mut self, indent: usize) {
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    fn end_line(&mut self) {
        self.out.push('\n');
        self.opening = false;
        self.after_breaks = false;
    }
}

fn has_entries(node: &Node) -> bool {
    match &node.kind {
        Kind::Object { members, .. } => !members.is_empty(),
        Kind::Array { items, .. } => !items.is_empty(),
        Kind::Text { .. } | Kind::Word { .. } | Kind::Alias { .. } => false,
    }
}

/// What comes before a member's value: its key and a colon, if need be on a line of its own.
fn lead(key: &Key, indent: usize) -> String {
    let key = key_text(key, Where::Key);
    if key.chars().count() <= SIMPLE_KEY_CHARS_MAX { format!("{key}:") } else { format!("? {key}\n{:indent$}:", "") }
}

fn key_text(key: &Key, place: Where) -> String {
    if key.is_merge() { key.text.clone() } else { text::in_one_line(&key.text, key.style == KeyStyle::Quoted, place) }
}

/// ` &anchor !!tag`, with a blank before each.
fn properties(node: &Node) -> String {
    let mut text = String::new();
    if let Some(anchor) = &node.anchor {
        text.push_str(&format!(" &{anchor}"));
    }
    if let Some(tag) = &node.tag {
        text.push_str(&format!(" {tag}"));
    }
    text
}
