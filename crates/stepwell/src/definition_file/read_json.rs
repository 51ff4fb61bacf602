//! JSON text to a [`Tree`].

use stepwell_expr::json;

use crate::definition_file::tree::{
    Format, Key, KeyStyle, Kind, Layout, Mark, Member, Node, NodeId, Refusal, TextStyle, Tree,
};

/// Reads a JSON text; where it is none, with Jackson's sentence and place.
pub(crate) fn read(source: &str) -> Result<Tree, Refusal> {
    json::check(source).map_err(|error| {
        Refusal::at(Mark { offset: 0, line: error.line, column: error.column.max(1) }, error.message)
    })?;
    let mut reader =
        Reader { source, at: 0, seen: Mark { offset: 0, line: 1, column: 1 }, nodes: Vec::new(), duplicate: None };
    let root = reader.value();
    let Reader { nodes, duplicate, .. } = reader;
    Ok(Tree { format: Format::Json, nodes, root, comments: Vec::new(), opened_at: None, duplicate })
}

/// Walks over a text that was checked: what it expects is there. Recursion is bounded by the check's `DEPTH_MAX`.
struct Reader<'s> {
    source: &'s str,
    at: usize,
    /// The last place that was asked for.
    seen: Mark,
    nodes: Vec<Node>,
    duplicate: Option<(String, Mark)>,
}

impl Reader<'_> {
    fn value(&mut self) -> NodeId {
        let start = self.mark();
        let id = NodeId(self.nodes.len() as u32);
        let word = Kind::Word { written: String::new(), json: String::new() };
        self.nodes.push(Node { start, end: 0, end_line: 0, anchor: None, tag: None, kind: word });
        let kind = match self.peek() {
            Some(b'{') => Kind::Object { members: self.members(), layout: Layout::Flow },
            Some(b'[') => Kind::Array { items: self.items(), layout: Layout::Flow },
            Some(b'"') => {
                let (text, written) = self.string();
                Kind::Text { text, style: TextStyle::Json { written } }
            }
            _ => {
                let rest = &self.source[self.at..];
                let end = rest.find([',', ']', '}', ' ', '\t', '\r', '\n']).unwrap_or(rest.len());
                self.at += end;
                Kind::Word { written: rest[..end].to_owned(), json: rest[..end].to_owned() }
            }
        };
        let end = self.at;
        let end_line = self.mark_here().line;
        let node = &mut self.nodes[id.0 as usize];
        (node.end, node.end_line, node.kind) = (end, end_line, kind);
        id
    }

    fn members(&mut self) -> Vec<Member> {
        let mut members = Vec::new();
        let mut names = std::collections::HashSet::new();
        self.at += 1;
        loop {
            let start = self.mark();
            if self.peek() != Some(b'"') {
                self.at += 1;
                return members;
            }
            let (text, _) = self.string();
            if !names.insert(text.clone()) && self.duplicate.is_none() {
                self.duplicate = Some((text.clone(), start));
            }
            self.skip(b':');
            let value = self.value();
            members.push(Member { key: Key { start, text, style: KeyStyle::Json }, value });
            self.skip(b',');
        }
    }

    fn items(&mut self) -> Vec<NodeId> {
        let mut items = Vec::new();
        self.at += 1;
        loop {
            self.blanks();
            if matches!(self.peek(), Some(b']') | None) {
                self.at += 1;
                return items;
            }
            items.push(self.value());
            self.skip(b',');
        }
    }

    /// A string, unescaped, and as it stands between its quotes.
    fn string(&mut self) -> (String, String) {
        let rest = &self.source[self.at..];
        let mut escaped = false;
        let end = rest.bytes().skip(1).position(|byte| {
            let closes = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            closes
        });
        let end = end.map_or(rest.len(), |inner| inner + 2);
        self.at += end;
        let written = rest.get(1..end.saturating_sub(1)).unwrap_or_default();
        let text = if written.contains('\\') {
            json::parse(&rest[..end]).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
        } else {
            written.to_owned()
        };
        (text, written.to_owned())
    }

    fn peek(&self) -> Option<u8> {
        self.source.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// Moves over blanks and `byte`, if it is there.
    fn skip(&mut self, byte: u8) {
        self.blanks();
        if self.peek() == Some(byte) {
            self.at += 1;
        }
    }

    /// The place of the next byte that is no blank.
    fn mark(&mut self) -> Mark {
        self.blanks();
        self.mark_here()
    }

    /// Counts on from the last place, so that all places together cost one walk over the text.
    fn mark_here(&mut self) -> Mark {
        let end = self.at.min(self.source.len());
        for char in self.source[self.seen.offset..end].chars() {
            if char == '\n' {
                self.seen.line += 1;
                self.seen.column = 1;
            } else {
                self.seen.column += 1;
            }
        }
        self.seen.offset = end;
        self.seen
    }
}
