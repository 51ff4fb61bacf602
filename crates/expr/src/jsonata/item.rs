//! What an evaluation works on: JSON as it came, and what expressions make of it.
//!
//! JSON of the input stays what it is: an [`Item`] points to it. Arrays and objects that an expression builds may hold
//! what JSON cannot (functions), and arrays carry marks of JSONata, so they have types of their own. Items live within
//! one evaluation, on one thread.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::{Number, Object, Value};

use super::function::Function;

/// A value of JSONata. A clone is a pointer.
///
/// The tag is a whole word, so that a value is moved as words: with a byte of it beside a `bool`, each move is four
/// stores of odd sizes, and the processor waits for them when the words are read again.
#[derive(Clone, Default)]
#[repr(u64)]
pub(super) enum Item {
    #[default]
    Undefined,
    Null,
    Bool(bool),
    /// May be infinite or no number at all, as JavaScript's are.
    Number(f64),
    Text(Arc<str>),
    /// An array of JSON, as it came.
    Array(Arc<Vec<Value>>),
    /// An object of JSON, as it came.
    Object(Arc<Object>),
    /// An array that was built.
    List(Rc<List>),
    /// An object that was built.
    Record(Rc<Record>),
    Function(Rc<Function>),
    /// Items of a path together with what the path has bound (`@`, `#`, `%`). To all else an array of the items.
    Tuples(Rc<Vec<Tuple>>),
}

/// An array that an expression has built.
pub(super) struct List {
    pub(super) items: Items,
    pub(super) marks: Marks,
}

pub(super) enum Items {
    Own(Vec<Item>),
    /// `first`, `first + 1` and so on: only counted until somebody takes them one by one.
    Range {
        first: f64,
        count: usize,
    },
}

/// What JSONata notes about an array.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    /// The result of a path or a function: one item stands for itself, none for undefined.
    pub(super) sequence: bool,
    /// One item stays an array (`[]`).
    pub(super) keep: bool,
    /// Made by an array constructor within a path: not flattened.
    pub(super) cons: bool,
    /// Stands around an input that is an array, so that it is taken for one item.
    pub(super) wrapper: bool,
}

impl Marks {
    pub(super) const ARRAY: Marks = Marks { sequence: false, keep: false, cons: false, wrapper: false };
    pub(super) const SEQUENCE: Marks = Marks { sequence: true, ..Marks::ARRAY };
}

/// One item of a path, with what the path has bound on the way to it.
#[derive(Clone)]
pub(super) struct Tuple {
    pub(super) item: Item,
    pub(super) bound: Rc<Vec<(Symbol, Item)>>,
}

/// A name of the expression, by its number.
pub(super) type Symbol = u32;

/// Members of an object that an expression has built, in order.
#[derive(Default)]
pub(super) struct Record {
    members: Vec<(Arc<str>, Item)>,
    /// Where each name is, of many members.
    places: Option<HashMap<Arc<str>, usize, foldhash::quality::RandomState>>,
}

/// So many members are found by looking at each.
const FEW: usize = 8;

impl Record {
    pub(super) fn with_capacity(capacity: usize) -> Record {
        Record { members: Vec::with_capacity(capacity), places: None }
    }

    pub(super) fn place(&self, name: &str) -> Option<usize> {
        match &self.places {
            None => self.members.iter().position(|(own, _)| &**own == name),
            Some(places) => places.get(name).copied(),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Item> {
        self.place(name).map(|place| &self.members[place].1)
    }

    /// The last one wins, in the place of the first.
    pub(super) fn insert(&mut self, name: Arc<str>, item: Item) {
        match self.place(&name) {
            Some(place) => self.members[place].1 = item,
            None => {
                if self.members.len() == FEW {
                    let places = self.members.iter().enumerate().map(|(place, (name, _))| (name.clone(), place));
                    self.places = Some(places.collect());
                }
                if let Some(places) = &mut self.places {
                    places.insert(name.clone(), self.members.len());
                }
                self.members.push((name, item));
            }
        }
    }

    /// Adds all members of an object.
    pub(super) fn add(&mut self, members: Members<'_>) {
        if self.members.is_empty() && members.len() <= FEW {
            // Their names differ. A member or two are what is mostly added to an object.
            self.members.reserve(members.len() + 2);
            match members {
                Members::Json(object) => {
                    self.members.extend(object.iter().map(|(name, value)| (name.clone(), Item::from(value))));
                }
                Members::Own(record) => self.members.extend_from_slice(&record.members),
            }
            return;
        }
        self.members.reserve(members.len());
        members.iter().for_each(|(name, item)| self.insert(name.clone(), item));
    }

    /// Sets the member at a place that there is.
    pub(super) fn set(&mut self, place: usize, item: Item) {
        if let Some((_, own)) = self.members.get_mut(place) {
            *own = item;
        }
    }

    pub(super) fn without_undefined(mut self) -> Record {
        let members = std::mem::take(&mut self.members);
        let mut record = Record::default();
        for (name, item) in members {
            if !item.is_undefined() {
                record.insert(name, item);
            }
        }
        record
    }

    pub(super) fn without(mut self, unwanted: &[Arc<str>]) -> Record {
        let members = std::mem::take(&mut self.members);
        let mut record = Record::default();
        for (name, item) in members {
            if !unwanted.contains(&name) {
                record.insert(name, item);
            }
        }
        record
    }

    pub(super) fn into_members(mut self) -> Vec<(Arc<str>, Item)> {
        std::mem::take(&mut self.members)
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &(Arc<str>, Item)> {
        self.members.iter()
    }
}

impl Item {
    pub(super) fn text(text: impl Into<Arc<str>>) -> Item {
        Item::Text(text.into())
    }

    pub(super) fn list(items: Vec<Item>, marks: Marks) -> Item {
        Item::List(Rc::new(List { items: Items::Own(items), marks }))
    }

    pub(super) fn array(items: Vec<Item>) -> Item {
        Item::list(items, Marks::ARRAY)
    }

    pub(super) fn sequence(items: Vec<Item>) -> Item {
        Item::list(items, Marks::SEQUENCE)
    }

    pub(super) fn record(record: Record) -> Item {
        Item::Record(Rc::new(record))
    }

    pub(super) fn is_undefined(&self) -> bool {
        matches!(self, Item::Undefined)
    }

    pub(super) fn is_array(&self) -> bool {
        matches!(self, Item::Array(_) | Item::List(_) | Item::Tuples(_))
    }

    pub(super) fn is_object(&self) -> bool {
        matches!(self, Item::Object(_) | Item::Record(_))
    }

    pub(super) fn as_text(&self) -> Option<&Arc<str>> {
        match self {
            Item::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn marks(&self) -> Marks {
        match self {
            Item::List(list) => list.marks,
            _ => Marks::ARRAY,
        }
    }

    pub(super) fn elements(&self) -> Option<Elements<'_>> {
        match self {
            Item::Array(items) => Some(Elements::Json(items)),
            Item::List(list) => Some(list.elements()),
            Item::Tuples(tuples) => Some(Elements::Tuples(tuples)),
            _ => None,
        }
    }

    pub(super) fn members(&self) -> Option<Members<'_>> {
        match self {
            Item::Object(object) => Some(Members::Json(object)),
            Item::Record(record) => Some(Members::Own(record)),
            _ => None,
        }
    }

    /// The elements of an array; any other item is the one element.
    pub(super) fn as_elements(&self) -> Elements<'_> {
        self.elements().unwrap_or(Elements::Own(std::slice::from_ref(self)))
    }

    /// Whether both are the same thing: scalars by value, all else by where it is.
    pub(super) fn is_same(&self, other: &Item) -> bool {
        match (self, other) {
            (Item::Undefined, Item::Undefined) | (Item::Null, Item::Null) => true,
            (Item::Bool(a), Item::Bool(b)) => a == b,
            (Item::Number(a), Item::Number(b)) => a == b,
            (Item::Text(a), Item::Text(b)) => a == b,
            (Item::Array(a), Item::Array(b)) => Arc::ptr_eq(a, b),
            (Item::Object(a), Item::Object(b)) => Arc::ptr_eq(a, b),
            (Item::List(a), Item::List(b)) => Rc::ptr_eq(a, b),
            (Item::Record(a), Item::Record(b)) => Rc::ptr_eq(a, b),
            (Item::Function(a), Item::Function(b)) => Rc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// Where its parts are; the same for two items that share them.
    pub(super) fn address(&self) -> Option<usize> {
        match self {
            Item::Array(items) => Some(Arc::as_ptr(items).addr()),
            Item::Object(object) => Some(Arc::as_ptr(object).addr()),
            Item::List(list) => Some(Rc::as_ptr(list).addr()),
            Item::Record(record) => Some(Rc::as_ptr(record).addr()),
            _ => None,
        }
    }
}

impl From<&Value> for Item {
    fn from(value: &Value) -> Item {
        match value {
            Value::Null => Item::Null,
            Value::Bool(bool) => Item::Bool(*bool),
            Value::Number(Number::Int(int)) => Item::Number(*int as f64),
            Value::Number(number) => Item::Number(number.as_f64()),
            Value::String(text) => Item::Text(text.clone()),
            Value::Array(items) => Item::Array(items.clone()),
            Value::Object(object) => Item::Object(object.clone()),
        }
    }
}

impl From<Option<&Value>> for Item {
    fn from(value: Option<&Value>) -> Item {
        value.map_or(Item::Undefined, Item::from)
    }
}

impl From<Vec<Tuple>> for Item {
    fn from(tuples: Vec<Tuple>) -> Item {
        Item::Tuples(Rc::new(tuples))
    }
}

impl List {
    pub(super) fn into_own(mut self) -> Items {
        std::mem::replace(&mut self.items, Items::Own(Vec::new()))
    }

    pub(super) fn elements(&self) -> Elements<'_> {
        match &self.items {
            Items::Own(items) => Elements::Own(items),
            Items::Range { first, count } => Elements::Range { first: *first, count: *count },
        }
    }
}

/// The elements of an array, whoever made it.
#[derive(Clone, Copy)]
pub(super) enum Elements<'a> {
    Json(&'a [Value]),
    Own(&'a [Item]),
    Tuples(&'a [Tuple]),
    Range { first: f64, count: usize },
}

impl<'a> Elements<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Elements::Json(values) => values.len(),
            Elements::Own(items) => items.len(),
            Elements::Tuples(tuples) => tuples.len(),
            Elements::Range { count, .. } => *count,
        }
    }

    pub(super) fn get(&self, index: usize) -> Item {
        match self {
            Elements::Json(values) => Item::from(values.get(index)),
            Elements::Own(items) => items.get(index).cloned().unwrap_or_default(),
            Elements::Tuples(tuples) => tuples.get(index).map(|tuple| tuple.item.clone()).unwrap_or_default(),
            Elements::Range { first, count } if index < *count => Item::Number(first + index as f64),
            Elements::Range { .. } => Item::Undefined,
        }
    }

    pub(super) fn iter(self) -> impl ExactSizeIterator<Item = Item> + use<'a> {
        (0..self.len()).map(move |index| self.get(index))
    }

    pub(super) fn extend(self, items: &mut Vec<Item>) {
        match self {
            Elements::Json(values) => items.extend(values.iter().map(Item::from)),
            Elements::Own(own) => items.extend_from_slice(own),
            other => items.extend(other.iter()),
        }
    }
}

/// The members of an object, whoever made it.
#[derive(Clone, Copy)]
pub(super) enum Members<'a> {
    Json(&'a Object),
    Own(&'a Record),
}

impl<'a> Members<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Members::Json(object) => object.len(),
            Members::Own(record) => record.len(),
        }
    }

    pub(super) fn get(&self, name: &str) -> Item {
        match self {
            Members::Json(object) => Item::from(object.get(name)),
            Members::Own(record) => record.get(name).cloned().unwrap_or_default(),
        }
    }

    pub(super) fn at(&self, index: usize) -> Option<(&'a Arc<str>, Item)> {
        match self {
            Members::Json(object) => object.get_index(index).map(|(name, value)| (name, Item::from(value))),
            Members::Own(record) => record.members.get(index).map(|(name, item)| (name, item.clone())),
        }
    }

    pub(super) fn iter(self) -> impl Iterator<Item = (&'a Arc<str>, Item)> {
        (0..self.len()).filter_map(move |index| self.at(index))
    }
}

/// Names and what they are bound to. Most functions have one or two parameters.
pub(super) type Bindings = SmallVec<[(Symbol, Item); 2]>;

/// What is bound in a scope: a block with assignments, a call of a function, an item of a path that binds.
pub(super) struct Frame {
    pub(super) outer: Option<Rc<Frame>>,
    pub(super) bound: RefCell<Bindings>,
    /// A function that was made in it holds it, so that it may hold itself.
    pub(super) is_held: Cell<bool>,
}

impl Frame {
    pub(super) fn new(outer: Option<Rc<Frame>>, bound: Bindings) -> Rc<Frame> {
        Rc::new(Frame { outer, bound: RefCell::new(bound), is_held: Cell::new(false) })
    }

    /// Binds `symbol` in this scope, over what it was bound to here.
    pub(super) fn bind(&self, symbol: Symbol, item: Item) {
        let mut bound = self.bound.borrow_mut();
        let replaced = match bound.iter_mut().find(|(own, _)| *own == symbol) {
            Some((_, own)) => std::mem::replace(own, item),
            None => {
                bound.push((symbol, item));
                return;
            }
        };
        // What is dropped may hold this very frame.
        drop(bound);
        drop(replaced);
    }
}

// Items nest as deep as an evaluation makes them, which is deeper than a stack: what lies deep is dropped later, from
// the top.

const DROP_DEPTH_MAX: usize = 64;

thread_local! {
    static DROP_DEPTH: Cell<usize> = const { Cell::new(0) };
    static DROPPED: RefCell<Vec<Box<dyn std::any::Any>>> = const { RefCell::new(Vec::new()) };
}

/// Drops `parts`, now or from the outermost of the calls that are under way.
pub(super) fn drop_deep<T: 'static>(parts: T) {
    let depth = DROP_DEPTH.get();
    if depth >= DROP_DEPTH_MAX {
        DROPPED.with_borrow_mut(|dropped| dropped.push(Box::new(parts)));
        return;
    }
    DROP_DEPTH.set(depth + 1);
    drop(parts);
    if depth == 0 {
        while let Some(parts) = DROPPED.with_borrow_mut(Vec::pop) {
            drop(parts);
        }
    }
    DROP_DEPTH.set(depth);
}

fn may_nest(item: &Item) -> bool {
    matches!(item, Item::List(_) | Item::Record(_) | Item::Function(_) | Item::Tuples(_))
}

impl Drop for List {
    fn drop(&mut self) {
        if let Items::Own(items) = &mut self.items
            && items.iter().any(may_nest)
        {
            drop_deep(std::mem::take(items));
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if self.members.iter().any(|(_, item)| may_nest(item)) {
            drop_deep(std::mem::take(&mut self.members));
        }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        let bound = std::mem::take(self.bound.get_mut());
        let outer = self.outer.take();
        if outer.is_some() || bound.iter().any(|(_, item)| may_nest(item)) {
            drop_deep((bound, outer));
        }
    }
}
