//! A JSON document as text and as value, each made from the other only when asked for.

use std::sync::{Arc, OnceLock};

use crate::{Value, json};

/// A JSON document that flows through an execution. A clone is a pointer.
///
/// It keeps the text it came with, so that what nothing touched is written back letter by letter (as AWS does),
/// and a state that only hands its input on never parses it. A payload read back from a store may be *absent*:
/// known by its id and size alone, until the engine [`fill`](Payload::fill)s it.
#[derive(Clone)]
pub struct Payload(Arc<Inner>);

struct Inner {
    /// Unique within its execution, given when it is first stored in a row of its own.
    id: OnceLock<u64>,
    bytes: OnceLock<usize>,
    text: OnceLock<Arc<str>>,
    value: OnceLock<Value>,
}

impl Payload {
    /// From text that is known to be valid JSON within [`crate::limits::DEPTH_MAX`], e.g. by [`json::check`].
    pub fn from_checked_text(text: impl Into<Arc<str>>) -> Payload {
        let payload = Payload::empty();
        payload.set_text(text.into());
        payload
    }

    pub fn from_value(value: Value) -> Payload {
        let payload = Payload::empty();
        let _ = payload.0.value.set(value);
        payload
    }

    /// A payload that is stored elsewhere: only its id and size in bytes are known.
    pub fn absent(id: u64, bytes: usize) -> Payload {
        let payload = Payload::empty();
        let _ = payload.0.id.set(id);
        let _ = payload.0.bytes.set(bytes);
        payload
    }

    fn empty() -> Payload {
        Payload(Arc::new(Inner {
            id: OnceLock::new(),
            bytes: OnceLock::new(),
            text: OnceLock::new(),
            value: OnceLock::new(),
        }))
    }

    /// True if neither text nor value is here: [`fill`](Payload::fill) it before reading.
    pub fn is_absent(&self) -> bool {
        self.0.text.get().is_none() && self.0.value.get().is_none()
    }

    /// Gives an absent payload its text. Does nothing to one that is present.
    pub fn fill(&self, text: Arc<str>) {
        if self.is_absent() {
            self.set_text(text);
        }
    }

    fn set_text(&self, text: Arc<str>) {
        let _ = self.0.bytes.set(text.len());
        let _ = self.0.text.set(text);
    }

    /// The id under which an execution's store keeps it, if it has been given one.
    pub fn id(&self) -> Option<u64> {
        self.0.id.get().copied()
    }

    /// Gives it an id, once; answers the id it has.
    pub fn assign_id(&self, id: u64) -> u64 {
        *self.0.id.get_or_init(|| id)
    }

    /// The text; compact where it is made from a value. Panics if absent.
    pub fn text(&self) -> &Arc<str> {
        self.0.text.get_or_init(|| {
            let value = self.0.value.get().expect("a payload is filled before it is read");
            let text: Arc<str> = json::to_text(value).into();
            let _ = self.0.bytes.set(text.len());
            text
        })
    }

    /// The value, parsed on first use. Panics if absent.
    pub fn value(&self) -> &Value {
        self.0.value.get_or_init(|| {
            let text = self.0.text.get().expect("a payload is filled before it is read");
            json::parse(text).expect("text was checked at the border")
        })
    }

    /// Bytes of UTF-8.
    pub fn bytes(&self) -> usize {
        match self.0.bytes.get() {
            Some(bytes) => *bytes,
            None => self.text().len(),
        }
    }

    /// True if both are the same payload in memory.
    pub fn is(&self, other: &Payload) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The array of these payloads; each keeps its own text.
    pub fn array_of(items: &[Payload]) -> Payload {
        let mut text = String::with_capacity(2 + items.iter().map(|item| item.bytes() + 1).sum::<usize>());
        text.push('[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            text.push_str(item.text());
        }
        text.push(']');
        Payload::from_checked_text(text)
    }
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.0.text.get(), self.0.value.get()) {
            (Some(text), _) => write!(f, "Payload({text})"),
            (None, Some(value)) => write!(f, "Payload({value})"),
            (None, None) => write!(f, "Payload(absent {:?})", self.0.id.get()),
        }
    }
}
