//! YAML text to a [`Tree`].

use std::collections::{BTreeMap, HashSet};

use granit_parser::{Event, Marker, Parser, ScalarStyle, Span, StructureStyle, Tag, options};
use stepwell_expr::limits::DEPTH_MAX;

use crate::{
    definition_file::{
        tree::{Comment, Format, Key, KeyStyle, Kind, Layout, Mark, Member, Node, NodeId, Refusal, TextStyle, Tree},
        word::Word,
    },
    limits::COMMENTS_IN_A_ROW_MAX,
};

/// Reads one YAML document that JSON could hold: keys are scalars, no name comes twice, tags are those of JSON's types.
pub(crate) fn read(source: &str) -> Result<Tree, Refusal> {
    let options = options! {
        disallow_directives: true,
        emit_anchor_events: true,
        max_buffered_comment_events: COMMENTS_IN_A_ROW_MAX,
    };
    let mut builder = Builder::new(source);
    for next in Parser::new_from_str_with_options(source, options) {
        let (event, span) = next.map_err(|error| Refusal::at(mark(error.marker()), error.info()))?;
        builder.take(event, span)?;
    }
    Ok(builder.finish())
}

fn mark(marker: &Marker) -> Mark {
    Mark { offset: marker.byte_offset().unwrap_or(0), line: marker.line().max(1), column: marker.col() + 1 }
}

struct Builder<'s> {
    source: &'s str,
    nodes: Vec<Node>,
    /// The collections that are not complete, outermost first.
    open: Vec<Open>,
    /// Which node each anchor of the parser is.
    anchors: BTreeMap<usize, NodeId>,
    comments: Vec<Comment>,
    root: Option<NodeId>,
    documents: usize,
    opened_at: Option<Mark>,
}

struct Open {
    id: NodeId,
    /// In an object, the key whose value comes next.
    key: Option<Key>,
    names: HashSet<String>,
}

impl<'s> Builder<'s> {
    fn new(source: &'s str) -> Builder<'s> {
        Builder {
            source,
            nodes: Vec::new(),
            open: Vec::new(),
            anchors: BTreeMap::new(),
            comments: Vec::new(),
            root: None,
            documents: 0,
            opened_at: None,
        }
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Refusal> {
        let start = mark(&span.start);
        match event {
            Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(explicit, _) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(Refusal::at(start, "a second document begins here; a file holds one definition"));
                }
                self.opened_at = explicit.then_some(start);
                Ok(())
            }
            Event::Comment(text, _) => {
                self.comment(start, &text);
                Ok(())
            }
            Event::Anchor(_, name) => {
                if let Some(node) = self.nodes.last_mut() {
                    node.anchor = Some(name.into_owned());
                }
                Ok(())
            }
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::Scalar(text, style, anchor, tag) => self.scalar(&text, style, anchor, tag.as_deref(), span),
            Event::SequenceStart(style, anchor, tag) => {
                check_tag(tag.as_deref(), "seq", start)?;
                let layout = self.layout(style, start);
                self.collection(Kind::Array { items: Vec::new(), layout }, anchor, span)
            }
            Event::MappingStart(style, anchor, tag) => {
                check_tag(tag.as_deref(), "map", start)?;
                let layout = match style {
                    StructureStyle::Block => Layout::Block { column: start.column },
                    StructureStyle::Flow => Layout::Flow,
                };
                self.collection(Kind::Object { members: Vec::new(), layout }, anchor, span)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.close(span);
                Ok(())
            }
            _ => Err(Refusal::at(start, "this part of YAML is not known here")),
        }
    }

    /// Which column the dashes of a list stand in. The parser gives the first item's where they are not indented.
    fn layout(&self, style: StructureStyle, start: Mark) -> Layout {
        if style == StructureStyle::Flow {
            return Layout::Flow;
        }
        let rest = &self.source[start.offset.min(self.source.len())..];
        let dash = rest.strip_prefix('-').is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
        let outer = self.open.last().map(|open| &self.nodes[open.id.0 as usize].kind);
        match outer {
            Some(Kind::Object { layout, .. }) if !dash => *layout,
            _ => Layout::Block { column: start.column },
        }
    }

    fn comment(&mut self, at: Mark, text: &str) {
        let before = self.source[..at.offset].rsplit(['\n', '\r']).next().unwrap_or_default();
        let own_line = before.trim_matches('\u{feff}').trim().is_empty();
        self.comments.push(Comment { at, text: text.trim_end().to_owned(), own_line });
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Refusal> {
        let start = mark(&span.start);
        let name = span.slice(self.source).unwrap_or_default().trim_start_matches('*').to_owned();
        let Some(target) = self.anchors.get(&anchor).copied() else {
            return Err(Refusal::at(start, format!("no anchor `{name}` comes before this")));
        };
        if self.open.iter().any(|open| open.id == target) {
            return Err(Refusal::at(start, format!("`*{name}` stands inside what it names")));
        }
        if self.awaits_key() {
            return Err(Refusal::at(start, "an alias cannot be a key"));
        }
        let node = self.node(Kind::Alias { name, target }, span);
        self.add(node, 0)?;
        Ok(())
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        span: Span,
    ) -> Result<(), Refusal> {
        let start = mark(&span.start);
        let absent = style == ScalarStyle::Plain && span.is_empty();
        if self.awaits_key() {
            let reason = match (absent, anchor, tag) {
                (true, ..) => "a key is missing",
                (_, 0, None) => return self.key(text, style, start),
                _ => "a key has neither anchor nor tag",
            };
            return Err(Refusal::at(start, reason));
        }
        let kind = match scalar_kind(if absent { "" } else { text }, style, tag, start)? {
            Kind::Text { text, style: TextStyle::Folded { .. } } => {
                let style = folded(&text, self.source, &span);
                Kind::Text { text, style }
            }
            kind => kind,
        };
        let node = self.node(kind, span);
        self.add(node, anchor)?;
        Ok(())
    }

    fn key(&mut self, text: &str, style: ScalarStyle, start: Mark) -> Result<(), Refusal> {
        let Some(open) = self.open.last_mut() else {
            return Ok(());
        };
        if !open.names.insert(text.to_owned()) {
            return Err(Refusal::at(start, format!("the key `{text}` comes twice")));
        }
        let style = if style == ScalarStyle::Plain { KeyStyle::Plain } else { KeyStyle::Quoted };
        open.key = Some(Key { start, text: text.to_owned(), style });
        Ok(())
    }

    fn collection(&mut self, kind: Kind, anchor: usize, span: Span) -> Result<(), Refusal> {
        let start = mark(&span.start);
        if self.open.len() >= DEPTH_MAX {
            return Err(Refusal::at(start, format!("lists and objects are nested more than {DEPTH_MAX} deep")));
        }
        if self.awaits_key() {
            return Err(Refusal::at(start, "a key must be a scalar"));
        }
        let node = self.node(kind, span);
        let id = self.add(node, anchor)?;
        self.open.push(Open { id, key: None, names: HashSet::new() });
        Ok(())
    }

    fn close(&mut self, span: Span) {
        let Some(open) = self.open.pop() else {
            return;
        };
        let end = mark(&span.end);
        let node = &mut self.nodes[open.id.0 as usize];
        if matches!(node.kind, Kind::Array { layout: Layout::Flow, .. } | Kind::Object { layout: Layout::Flow, .. }) {
            node.end = end.offset;
            node.end_line = end.line;
        }
    }

    /// The next scalar or collection would be a key.
    fn awaits_key(&self) -> bool {
        self.open.last().is_some_and(|open| {
            open.key.is_none() && matches!(self.nodes[open.id.0 as usize].kind, Kind::Object { .. })
        })
    }

    fn node(&self, kind: Kind, span: Span) -> Node {
        let start = mark(&span.start);
        let end = mark(&span.end);
        // A block scalar ends where the next line begins.
        let end_line = if end.line > start.line && end.column == 1 { end.line - 1 } else { end.line };
        let tag = span.tag_span().and_then(|tag| tag.slice(self.source)).map(str::to_owned);
        Node { start, end: end.offset, end_line, anchor: None, tag, kind }
    }

    /// Puts a node where the innermost open collection waits for one.
    fn add(&mut self, node: Node, anchor: usize) -> Result<NodeId, Refusal> {
        let start = node.start;
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(node);
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        match self.open.last_mut() {
            None => self.root = Some(id),
            Some(open) => {
                let key = open.key.take();
                match (&mut self.nodes[open.id.0 as usize].kind, key) {
                    (Kind::Array { items, .. }, _) => items.push(id),
                    (Kind::Object { members, .. }, Some(key)) => members.push(Member { key, value: id }),
                    _ => return Err(Refusal::at(start, "a value stands where none may")),
                }
            }
        }
        Ok(id)
    }

    fn finish(mut self) -> Tree {
        self.comments.sort_by_key(|comment| comment.at.offset);
        let root = self.root.unwrap_or_else(|| {
            // Nothing but comments: YAML calls that null.
            let kind = Kind::Word { written: "null".to_owned(), json: "null".to_owned() };
            let start = Mark { offset: self.source.len(), line: 1, column: 1 };
            self.nodes.push(Node { start, end: start.offset, end_line: 1, anchor: None, tag: None, kind });
            NodeId(0)
        });
        Tree {
            format: Format::Yaml,
            nodes: self.nodes,
            root,
            comments: self.comments,
            opened_at: self.opened_at,
            duplicate: None,
        }
    }
}

fn check_tag(tag: Option<&Tag>, expected: &str, start: Mark) -> Result<(), Refusal> {
    match tag {
        Some(tag) if !tag.is_yaml_core_schema_tag(expected) => Err(no_such_tag(tag, start)),
        _ => Ok(()),
    }
}

fn no_such_tag(tag: &Tag, start: Mark) -> Refusal {
    Refusal::at(start, format!("the tag `{}` means nothing in JSON here", tag.original()))
}

/// A string, or the word that a plain scalar is; a tag may ask for either.
fn scalar_kind(text: &str, style: ScalarStyle, tag: Option<&Tag>, start: Mark) -> Result<Kind, Refusal> {
    let word = match (style, tag) {
        (ScalarStyle::Plain, None) => Word::of(text),
        (_, None) => None,
        (_, Some(tag)) if tag.is_yaml_core_schema_tag("str") || tag.original() == "!" => None,
        (ScalarStyle::Plain, Some(tag)) => {
            let word = Word::of(text);
            let fits = match (&word, tag.core_suffix()) {
                (Some(Word::Null), Some("null")) | (Some(Word::Bool(_)), Some("bool")) => true,
                (Some(Word::Int(_)), Some("int")) | (Some(Word::Float(_) | Word::NotFinite), Some("float")) => true,
                _ => false,
            };
            if !fits {
                return Err(no_such_tag(tag, start));
            }
            word
        }
        (_, Some(tag)) => return Err(no_such_tag(tag, start)),
    };
    let Some(word) = word else {
        let style = match style {
            ScalarStyle::Plain => TextStyle::Plain,
            ScalarStyle::Literal => TextStyle::Literal,
            ScalarStyle::Folded => TextStyle::Folded { lines: Vec::new() },
            _ => TextStyle::Quoted,
        };
        return Ok(Kind::Text { text: text.to_owned(), style });
    };
    match word.json() {
        Some(json) => Ok(Kind::Word { written: if text.is_empty() { json.clone() } else { text.to_owned() }, json }),
        None => Err(Refusal::at(start, format!("JSON has no number `{text}`"))),
    }
}

/// The lines of a `>` text without their indent; `Quoted` where they could not be written again as they are.
fn folded(text: &str, source: &str, span: &Span) -> TextStyle {
    let indent = span.start.col();
    let Some(slice) = span.slice(source) else {
        return TextStyle::Quoted;
    };
    let mut lines: Vec<String> = Vec::new();
    for (index, line) in slice.trim_end().lines().enumerate() {
        let line = if index == 0 { line } else { line.get(indent..).unwrap_or(line.trim_start()) };
        lines.push(line.to_owned());
    }
    let again =
        format!("{}\n", folded_header(text)) + &lines.iter().map(|line| format!("  {line}\n")).collect::<String>();
    let same = Parser::new_from_str(&again)
        .any(|event| matches!(event, Ok((Event::Scalar(read, ScalarStyle::Folded, ..), _)) if read == text));
    if same { TextStyle::Folded { lines } } else { TextStyle::Quoted }
}

/// `>` for a text that ends in a line break, else `>-`.
pub(crate) fn folded_header(text: &str) -> &'static str {
    if text.ends_with('\n') { ">" } else { ">-" }
}
