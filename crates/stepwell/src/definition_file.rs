//! A definition in a file, as JSON or as YAML; the machine and the API take JSON alone.

pub(crate) mod place;
mod read_json;
mod read_yaml;
pub(crate) mod resolve;
pub(crate) mod tree;
pub(crate) mod word;

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use stepwell_machine::{Diagnostic, Severity, diagnostic::Code};

use crate::{
    definition_file::{
        resolve::Resolved,
        tree::{Format, Kind, Mark, Refusal, Tree},
    },
    exit::BadInput,
    limits::FILE_BYTES_MAX,
};

pub(crate) use read_yaml::folded_header;

/// The code of a problem of YAML itself; AWS has none, it takes JSON.
const INVALID_YAML: &str = "INVALID_YAML";
/// The code of a text that looks like an expression and is none; a warning of ours.
const NOT_AN_EXPRESSION: &str = "NOT_AN_EXPRESSION";

/// A file that holds a definition, as text.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) format: Format,
    pub(crate) text: String,
}

/// A definition as the machine takes it, and where its parts stand in its file.
pub(crate) struct Definition {
    pub(crate) json: String,
    /// `None`: the file is the JSON text.
    yaml: Option<Tree>,
}

/// Something wrong in a definition file, as `stepwell validate` tells it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Problem {
    pub(crate) severity: Severity,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// As AWS gives it: a JSON pointer, or Jackson's place.
    pub(crate) location: Option<String>,
    pub(crate) at: Option<Mark>,
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        Problem {
            severity: Severity::Error,
            code: INVALID_YAML,
            message: refusal.message,
            location: None,
            at: refusal.at,
        }
    }
}

impl Source {
    /// Reads a file; `-` is standard input.
    pub(crate) fn read(path: &Path) -> Result<Source, BadInput> {
        let shown = path.display();
        let failed = |error: std::io::Error| BadInput(format!("cannot read `{shown}`: {error}"));
        let mut bytes = Vec::new();
        let limit = FILE_BYTES_MAX as u64 + 1;
        match path.to_str() {
            Some("-") => std::io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(failed)?,
            _ => File::open(path).map_err(failed)?.take(limit).read_to_end(&mut bytes).map_err(failed)?,
        };
        if bytes.len() > FILE_BYTES_MAX {
            return Err(BadInput(format!("`{shown}` is longer than {FILE_BYTES_MAX} bytes")));
        }
        let text = String::from_utf8(bytes).map_err(|_| BadInput(format!("`{shown}` is not UTF-8 text")))?;
        Ok(Source::new(path, text))
    }

    /// The name tells the form (.json, .yaml, .yml); else the text: what begins with a bracket or a quote is JSON.
    pub(crate) fn new(path: &Path, text: String) -> Source {
        let format = match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => Format::Json,
            Some("yaml" | "yml") => Format::Yaml,
            _ if text.trim_start().starts_with(['{', '[', '"']) => Format::Json,
            _ => Format::Yaml,
        };
        Source { path: path.to_owned(), format, text }
    }

    pub(crate) fn tree(&self) -> Result<Tree, Refusal> {
        read(self.format, &self.text)
    }

    /// Fails only for YAML: what is wrong with JSON, the machine says, as AWS does.
    pub(crate) fn definition(&self) -> Result<Definition, Refusal> {
        match self.format {
            Format::Json => Ok(Definition { json: self.text.clone(), yaml: None }),
            Format::Yaml => {
                let tree = self.tree()?;
                let json = resolve::resolve(&tree)?.to_json();
                Ok(Definition { json, yaml: Some(tree) })
            }
        }
    }
}

/// Reads a text of the given form.
pub(crate) fn read(format: Format, text: &str) -> Result<Tree, Refusal> {
    match format {
        Format::Json => read_json::read(text),
        Format::Yaml => read_yaml::read(text),
    }
}

/// The value that a tree says, where every text may be written again.
pub(crate) fn value_of(tree: &Tree) -> Result<Resolved, Refusal> {
    match &tree.duplicate {
        Some((name, at)) => Err(Refusal::at(*at, format!("the name `{name}` comes twice"))),
        None => resolve::resolve(tree),
    }
}

impl Refusal {
    /// `FILE:3:5: sentence`
    pub(crate) fn in_file(&self, file: &Path) -> BadInput {
        let place = self.at.map(|at| format!(":{at}")).unwrap_or_default();
        BadInput(format!("{}{place}: {}", file.display(), self.message))
    }
}

impl Definition {
    /// The machine's diagnostics with their places in the file, and our own warnings.
    pub(crate) fn problems(&self, diagnostics: &[Diagnostic]) -> Vec<Problem> {
        let read;
        let tree = match &self.yaml {
            Some(tree) => Ok(tree),
            None if diagnostics.is_empty() => return Vec::new(),
            None => {
                read = read_json::read(&self.json);
                read.as_ref()
            }
        };
        let problems = diagnostics.iter().map(|diagnostic| Problem {
            severity: diagnostic.severity,
            code: diagnostic.code.as_str(),
            message: diagnostic.message.clone(),
            location: diagnostic.location.clone(),
            at: match (tree, &diagnostic.location) {
                (Err(refusal), _) => refusal.at.filter(|_| diagnostic.code == Code::InvalidJsonDescription),
                (Ok(tree), Some(location)) => Some(place::find(tree, location)),
                (Ok(_), None) => None,
            },
        });
        problems.chain(self.yaml.iter().flat_map(broken_expressions)).collect()
    }
}

/// In YAML, a `|` text ends in a line break, and what ends in one is a plain string to AWS.
fn broken_expressions(tree: &Tree) -> impl Iterator<Item = Problem> {
    tree.nodes.iter().filter_map(|node| {
        let Kind::Text { text, .. } = &node.kind else {
            return None;
        };
        let trimmed = text.trim();
        let meant = trimmed.starts_with("{%") && trimmed.ends_with("%}") && trimmed.len() < text.len();
        meant.then(|| Problem {
            severity: Severity::Warning,
            code: NOT_AN_EXPRESSION,
            message: "a text with blanks around `{% %}` is no expression; `|-` instead of `|` leaves the last line \
                      break out"
                .to_owned(),
            location: None,
            at: Some(node.start),
        })
    })
}

#[cfg(test)]
mod tests;
