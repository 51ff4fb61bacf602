//! Where in a definition something stands.

use std::{rc::Rc, sync::Arc};

use crate::limits::PLACE_BYTES_MAX;

/// A way from the root of a definition; a clone is a pointer, the text is made only where it is shown.
#[derive(Clone, Default)]
pub(crate) struct Place(Option<Rc<Node>>);

struct Node {
    parent: Place,
    step: Step,
}

enum Step {
    Key(Arc<str>),
    /// A key that is a state's name: what follows is the way inside that state.
    State(Arc<str>),
    Index(usize),
}

impl Place {
    pub(crate) fn key(&self, key: impl Into<Arc<str>>) -> Place {
        self.then(Step::Key(key.into()))
    }

    pub(crate) fn state(&self, name: Arc<str>) -> Place {
        self.then(Step::State(name))
    }

    pub(crate) fn index(&self, index: usize) -> Place {
        self.then(Step::Index(index))
    }

    fn then(&self, step: Step) -> Place {
        Place(Some(Rc::new(Node { parent: self.clone(), step })))
    }

    /// `/States/X/Retry[0]/ErrorEquals`; `/` for the root. Names are not escaped, as AWS does not either.
    pub(crate) fn pointer(&self) -> String {
        let pointer = self.text(false);
        if pointer.is_empty() { "/".to_string() } else { pointer }
    }

    /// The way inside the state, without a leading slash: `Output/error`, `Choices[0]/Condition`.
    pub(crate) fn field(&self) -> Arc<str> {
        self.text(true).trim_start_matches('/').into()
    }

    /// At most `PLACE_BYTES_MAX` bytes, rounded up to whole steps, and one step of any length.
    fn text(&self, inside_state: bool) -> String {
        let mut steps = Vec::new();
        let mut bytes = 0;
        let mut at = &self.0;
        while let Some(node) = at {
            match &node.step {
                Step::State(_) if inside_state => break,
                Step::Key(key) | Step::State(key) => bytes += key.len(),
                Step::Index(_) => bytes += 2,
            }
            steps.push(&node.step);
            if bytes > PLACE_BYTES_MAX {
                break;
            }
            at = &node.parent.0;
        }
        let mut text = String::new();
        for step in steps.into_iter().rev() {
            match step {
                Step::Key(key) | Step::State(key) => {
                    text.push('/');
                    text.extend(key.chars().take(PLACE_BYTES_MAX));
                }
                Step::Index(index) => text.push_str(&format!("[{index}]")),
            }
        }
        text
    }
}

/// As `Place::pointer` shows it.
impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.pointer())
    }
}
