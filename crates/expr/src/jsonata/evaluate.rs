//! Evaluates a compiled expression: everything but paths ([`super::path`]) and calls ([`super::call`]).

use std::rc::{Rc, Weak};
use std::sync::Arc;

use super::ast::{Group, Kind, Member, Node, Operator, Stage, Variable};
use super::budget::{Budget, Budgeted, Outcome};
use super::fault::Fault;
use super::function::{self, Chance, Function};
use super::item::{Bindings, Elements, Frame, Item, Items, List, Marks, Record, Symbol, Tuple};
use super::{Dialect, compare, print};
use crate::Environment;
use crate::limits::JSONATA_RANGE_ITEMS_MAX;

/// One evaluation of one expression.
pub(super) struct Evaluator<'e> {
    pub(super) environment: &'e dyn Environment,
    dialect: Dialect,
    pub(super) budget: Budget,
    /// The names that come from outside, by their numbers; those that were asked for.
    names: &'e [Arc<str>],
    globals: Vec<Option<Item>>,
    /// `$$`
    root: Item,
    pub(super) chance: Chance,
    /// Scopes that functions hold, which may so hold themselves: they are emptied in the end.
    held: Vec<Weak<Frame>>,
    held_max: usize,
}

impl Budgeted for Evaluator<'_> {
    fn budget(&mut self) -> &mut Budget {
        &mut self.budget
    }
}

impl Drop for Evaluator<'_> {
    fn drop(&mut self) {
        for frame in self.held.drain(..).filter_map(|frame| frame.upgrade()) {
            let bound = frame.bound.take();
            drop(bound);
        }
    }
}

/// What evaluating a node costs at least, in ticks.
const NODE: usize = 4;
/// About the bytes of a scope, and of what it binds.
const FRAME_BYTES: usize = 144;
const BOUND_BYTES: usize = 40;

impl<'e> Evaluator<'e> {
    /// `root`: the input document; undefined on AWS.
    pub(super) fn new(
        environment: &'e dyn Environment,
        dialect: Dialect,
        names: &'e [Arc<str>],
        root: Item,
        budget: Budget,
    ) -> Evaluator<'e> {
        let globals = vec![None; names.len()];
        let chance = Chance::default();
        let (held, held_max) = (Vec::new(), 64);
        Evaluator { environment, dialect, budget, names, globals, root, chance, held, held_max }
    }

    /// Evaluates a whole expression.
    pub(super) fn run(&mut self, node: &Node) -> Outcome {
        let frame = Frame::new(None, Bindings::new());
        let input = match self.root.is_array() {
            // So that a document that is an array is taken for one item.
            true => Item::list(vec![self.root.clone()], Marks { wrapper: true, ..Marks::SEQUENCE }),
            false => self.root.clone(),
        };
        self.eval(node, &input, &frame)
    }

    /// Notes a scope that a function holds, and those around it.
    pub(super) fn hold(&mut self, frame: &Rc<Frame>) -> Outcome<()> {
        let mut frame = frame;
        while !frame.is_held.replace(true) {
            let bound = frame.bound.borrow().len();
            self.budget.burn(NODE)?;
            self.budget.make_bytes(FRAME_BYTES + BOUND_BYTES * bound)?;
            if self.held.len() >= self.held_max {
                self.held.retain(|frame| frame.strong_count() > 0);
                self.held_max = 2 * self.held.len() + 64;
            }
            self.held.push(Rc::downgrade(frame));
            match &frame.outer {
                Some(outer) => frame = outer,
                None => break,
            }
        }
        Ok(())
    }

    pub(super) fn eval(&mut self, node: &Node, input: &Item, frame: &Rc<Frame>) -> Outcome {
        if node.predicate.is_empty() {
            match &node.kind {
                Kind::Number(number) => return Ok(Item::Number(*number)),
                Kind::Text(text) => return Ok(Item::Text(text.clone())),
                Kind::Bool(bool) => return Ok(Item::Bool(*bool)),
                Kind::Null => return Ok(Item::Null),
                Kind::Path(path) if path.is_plain && node.group.is_none() => {
                    self.budget.burn(NODE)?;
                    return self.plain_path(path, input, frame);
                }
                Kind::Variable(_, variable) if node.group.is_none() && !node.keep_array => {
                    self.budget.burn(NODE)?;
                    let item = self.variable(*variable, input, frame)?;
                    return Ok(normal(item, false));
                }
                _ => {}
            }
        }
        self.budget.burn(NODE)?;
        self.deeper(|evaluator| evaluator.eval_here(node, input, frame))
    }

    fn eval_here(&mut self, node: &Node, input: &Item, frame: &Rc<Frame>) -> Outcome {
        let mut item = self.kind(node, input, frame)?;
        for stage in &node.predicate {
            if let Stage::Filter(filter) = stage {
                item = self.filter(filter, item, frame)?;
            }
        }
        if let Some(group) = &node.group
            && !matches!(node.kind, Kind::Path(_))
        {
            item = self.group(group, &item, frame)?;
        }
        Ok(normal(item, node.keep_array))
    }

    fn kind(&mut self, node: &Node, input: &Item, frame: &Rc<Frame>) -> Outcome {
        match &node.kind {
            Kind::Null => Ok(Item::Null),
            Kind::Bool(bool) => Ok(Item::Bool(*bool)),
            Kind::Number(number) => Ok(Item::Number(*number)),
            Kind::Text(text) => Ok(Item::Text(text.clone())),
            Kind::Regex(regex) => {
                self.budget.make_bytes(64)?;
                Ok(Item::Function(Rc::new(Function::Regex(regex.clone()))))
            }
            Kind::Name(name) => self.lookup(input, name),
            Kind::Wildcard => self.wildcard(input),
            Kind::Descendant => self.descendants(input),
            Kind::Parent(symbol) => Ok(self.find(*symbol as Symbol, frame)?.unwrap_or_default()),
            Kind::Variable(_, variable) => self.variable(*variable, input, frame),
            Kind::Path(path) => self.path(node, path, input, frame),
            // A step, which only paths evaluate.
            Kind::Sort(_) | Kind::Placeholder => Ok(Item::Undefined),
            Kind::Negate(inner) => match self.eval(inner, input, frame)? {
                Item::Undefined => Ok(Item::Undefined),
                Item::Number(number) if number.is_finite() => Ok(Item::Number(-number)),
                Item::Number(number) if number.is_infinite() => Err(out_of_range(number).at(node.at.clone()).into()),
                other => Err(Fault::new("D1002").at(node.at.clone()).token("-").value(&other).into()),
            },
            Kind::Binary(operator, pair) => {
                let left = self.eval(&pair.0, input, frame)?;
                let right = self.eval(&pair.1, input, frame)?;
                self.binary(*operator, left, right).map_err(|stop| located(stop, node, operator.sign()))
            }
            Kind::And(pair) => {
                let left = self.eval(&pair.0, input, frame)?;
                let both = self.is_true(&left)? && {
                    let right = self.eval(&pair.1, input, frame)?;
                    self.is_true(&right)?
                };
                Ok(Item::Bool(both))
            }
            Kind::Or(pair) => {
                let left = self.eval(&pair.0, input, frame)?;
                let either = self.is_true(&left)? || {
                    let right = self.eval(&pair.1, input, frame)?;
                    self.is_true(&right)?
                };
                Ok(Item::Bool(either))
            }
            Kind::Coalesce(pair) => match self.eval(&pair.0, input, frame)? {
                Item::Undefined => self.eval(&pair.1, input, frame),
                item => Ok(item),
            },
            Kind::Default(pair) => {
                let left = self.eval(&pair.0, input, frame)?;
                if self.is_true(&left)? { Ok(left) } else { self.eval(&pair.1, input, frame) }
            }
            Kind::Array(items) => self.array(items, node.cons, input, frame),
            Kind::Object(group) => self.group(group, input, frame),
            Kind::Condition(parts) => {
                let (condition, then, otherwise) = &**parts;
                let condition = self.eval(condition, input, frame)?;
                match (self.is_true(&condition)?, otherwise) {
                    (true, _) => self.eval(then, input, frame),
                    (false, Some(otherwise)) => self.eval(otherwise, input, frame),
                    (false, None) => Ok(Item::Undefined),
                }
            }
            Kind::Block { nodes, binds } => {
                let own = if *binds { Some(self.frame(frame)?) } else { None };
                let frame = own.as_ref().unwrap_or(frame);
                let mut item = Item::Undefined;
                for node in nodes {
                    item = self.eval(node, input, frame)?;
                }
                Ok(item)
            }
            Kind::Bind(symbol, value) => {
                let item = self.eval(value, input, frame)?;
                self.bind(frame, *symbol, item.clone())?;
                Ok(item)
            }
            Kind::Call(call) => self.call(call, node, None, input, frame),
            Kind::Partial(call) => self.partial(call, node, input, frame),
            Kind::Lambda(lambda) => {
                self.budget.make_bytes(96)?;
                self.hold(frame)?;
                let function = Function::Lambda { lambda: lambda.clone(), frame: frame.clone(), input: input.clone() };
                Ok(Item::Function(Rc::new(function)))
            }
            Kind::Apply(pair) => self.apply_operator(&pair.0, &pair.1, node, input, frame),
            Kind::Transform(transform) => {
                self.budget.make_bytes(64)?;
                self.hold(frame)?;
                let function = Function::Transform { transform: transform.clone(), frame: frame.clone() };
                Ok(Item::Function(Rc::new(function)))
            }
        }
    }

    /// A scope within `outer`.
    pub(super) fn frame(&mut self, outer: &Rc<Frame>) -> Outcome<Rc<Frame>> {
        self.budget.burn(NODE)?;
        Ok(Frame::new(Some(outer.clone()), Bindings::new()))
    }

    pub(super) fn bind(&mut self, frame: &Rc<Frame>, symbol: Symbol, item: Item) -> Outcome<()> {
        self.budget.burn(1 + frame.bound.borrow().len() / 8)?;
        // A scope that nobody holds goes when it is left.
        if frame.is_held.get() {
            self.budget.make_bytes(BOUND_BYTES)?;
        }
        frame.bind(symbol, item);
        Ok(())
    }

    pub(super) fn variable(&mut self, variable: Variable, input: &Item, frame: &Rc<Frame>) -> Outcome {
        match variable {
            Variable::Context => Ok(match input {
                Item::List(list) if list.marks.wrapper => list.elements().get(0),
                _ => input.clone(),
            }),
            Variable::Root => Ok(self.root.clone()),
            Variable::Bound(symbol, global) => match self.find(symbol, frame)? {
                Some(item) => Ok(item),
                None => Ok(self.global(global)),
            },
            Variable::Free(global) => Ok(self.global(global)),
            Variable::States(member) => Ok(match member {
                Member::Input => Item::from(self.environment.input()),
                Member::Context => Item::from(self.environment.context()),
                Member::Result => Item::from(self.environment.result()),
                Member::ErrorOutput => Item::from(self.environment.error_output()),
                Member::Other => Item::Undefined,
            }),
            Variable::Unknown => Ok(Item::Undefined),
        }
    }

    /// What `symbol` is bound to in the innermost scope that binds it.
    fn find(&mut self, symbol: Symbol, frame: &Rc<Frame>) -> Outcome<Option<Item>> {
        let mut frame = frame;
        let mut seen = 0;
        let found = loop {
            let bound = frame.bound.borrow();
            if let Some((_, item)) = bound.iter().find(|(own, _)| *own == symbol) {
                break Some(item.clone());
            }
            seen += 1 + bound.len();
            match &frame.outer {
                Some(outer) => frame = outer,
                None => break None,
            }
        };
        self.budget.burn(seen / 4)?;
        Ok(found)
    }

    /// A name that the expression does not bind: a workflow variable, which takes the place of a function of its name.
    fn global(&mut self, global: usize) -> Item {
        if let Some(item) = &self.globals[global] {
            return item.clone();
        }
        let name = &self.names[global];
        let is_states = self.dialect == Dialect::Aws && &**name == "states";
        let variable = if is_states { None } else { self.environment.variable(name) };
        let item = match variable {
            Some(value) => Item::from(&value),
            None if is_states => self.states(),
            None => function::native(name),
        };
        self.globals[global] = Some(item.clone());
        item
    }

    /// `$states` as a whole.
    fn states(&self) -> Item {
        let mut states = Record::with_capacity(4);
        states.insert("input".into(), Item::from(self.environment.input()));
        states.insert("context".into(), Item::from(self.environment.context()));
        for (name, value) in [("result", self.environment.result()), ("errorOutput", self.environment.error_output())] {
            if let Some(value) = value {
                states.insert(name.into(), Item::from(value));
            }
        }
        Item::record(states)
    }

    /// The names in scope that a name without a `$` may have been meant for.
    pub(super) fn is_known_name(&mut self, name: &str) -> Outcome<bool> {
        let global = self.names.iter().position(|known| &**known == name);
        let item = global.map(|global| self.global(global)).unwrap_or_default();
        Ok(!matches!(item, Item::Undefined | Item::Null | Item::Bool(false)))
    }

    fn binary(&mut self, operator: Operator, left: Item, right: Item) -> Outcome {
        let item = match operator {
            Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Modulo => {
                arithmetic(operator, &left, &right)?
            }
            Operator::Equal | Operator::NotEqual => {
                if left.is_undefined() || right.is_undefined() {
                    return Ok(Item::Bool(false));
                }
                Item::Bool(compare::equal(&left, &right, &mut self.budget)? == (operator == Operator::Equal))
            }
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
                self.ordered(operator, &left, &right)?
            }
            Operator::Concatenate => self.concatenate(&left, &right)?,
            Operator::Range => range(&left, &right)?,
            Operator::In => {
                if left.is_undefined() || right.is_undefined() {
                    return Ok(Item::Bool(false));
                }
                let elements = right.as_elements();
                self.budget.burn(elements.len() * 2)?;
                Item::Bool(match (&left, elements) {
                    (Item::Text(text), Elements::Json(values)) => {
                        values.iter().any(|value| value.as_str() == Some(&**text))
                    }
                    _ => elements.iter().any(|element| element.is_same(&left)),
                })
            }
        };
        Ok(item)
    }

    fn ordered(&mut self, operator: Operator, left: &Item, right: &Item) -> Outcome {
        let is_comparable = |item: &Item| matches!(item, Item::Undefined | Item::Text(_) | Item::Number(_));
        if !is_comparable(left) || !is_comparable(right) {
            let wrong = if matches!(left, Item::Text(_) | Item::Number(_)) { right } else { left };
            return Err(Fault::new("T2010").value(wrong).into());
        }
        let order = match (left, right) {
            (Item::Undefined, _) | (_, Item::Undefined) => return Ok(Item::Undefined),
            (Item::Number(a), Item::Number(b)) => a.partial_cmp(b),
            (Item::Text(a), Item::Text(b)) => {
                self.budget.read(a.len().min(b.len()))?;
                Some(compare::texts(a, b))
            }
            _ => return Err(Fault::new("T2009").value(left).other(right).into()),
        };
        Ok(Item::Bool(match operator {
            Operator::Less => order.is_some_and(|order| order.is_lt()),
            Operator::LessOrEqual => order.is_some_and(|order| order.is_le()),
            Operator::Greater => order.is_some_and(|order| order.is_gt()),
            _ => order.is_some_and(|order| order.is_ge()),
        }))
    }

    fn concatenate(&mut self, left: &Item, right: &Item) -> Outcome {
        let mut text = String::new();
        for item in [left, right] {
            match item {
                Item::Undefined => {}
                Item::Text(part) => {
                    self.budget.make_text(text.len() + part.len())?;
                    text.push_str(part);
                }
                other => text.push_str(&print::string(other, false, &mut self.budget)?),
            }
        }
        self.budget.make_text(text.len())?;
        Ok(Item::text(text))
    }

    fn array(&mut self, nodes: &[Node], cons: bool, input: &Item, frame: &Rc<Frame>) -> Outcome {
        let marks = Marks { cons, ..Marks::ARRAY };
        let mut items = Vec::with_capacity(nodes.len().min(1024));
        self.budget.make_items(nodes.len())?;
        for node in nodes {
            let item = self.eval(node, input, frame)?;
            if item.is_undefined() {
                continue;
            }
            match item.elements() {
                Some(Elements::Range { first, count }) if nodes.len() == 1 && !matches!(node.kind, Kind::Array(_)) => {
                    // Nobody has looked at its numbers yet.
                    return Ok(Item::List(Rc::new(List { items: Items::Range { first, count }, marks })));
                }
                Some(elements) if !matches!(node.kind, Kind::Array(_)) => {
                    self.budget.make_items(elements.len())?;
                    elements.extend(&mut items);
                }
                _ => items.push(item),
            }
        }
        Ok(Item::list(items, marks))
    }

    /// An object of the items of `input`, each put under the keys that the pairs give it.
    pub(super) fn group(&mut self, group: &Group, input: &Item, frame: &Rc<Frame>) -> Outcome {
        if !input.is_array() {
            return self.object(group, input, frame);
        }
        let tuples = match input {
            Item::Tuples(tuples) => Some(tuples.clone()),
            _ => None,
        };
        let mut elements = input.as_elements();
        let nothing = [Item::Undefined];
        if elements.len() == 0 && tuples.is_none() {
            elements = Elements::Own(&nothing);
        }
        let mut places = Record::default();
        let mut groups: Vec<Grouped> = Vec::new();
        for index in 0..elements.len() {
            let item = elements.get(index);
            let tuple = tuples.as_ref().map(|tuples| tuples[index].clone());
            let scope = match &tuple {
                Some(tuple) => self.tuple_frame(tuple, frame)?,
                None => frame.clone(),
            };
            for (pair, (key, _)) in group.pairs.iter().enumerate() {
                let Some(key) = self.key(key, &item, &scope, group)? else {
                    continue;
                };
                match places.get(&key) {
                    Some(Item::Number(place)) => {
                        let grouped = &mut groups[*place as usize];
                        if grouped.pair != pair {
                            return Err(twice(group, &key).into());
                        }
                        self.budget.make_items(item.elements().map_or(1, |elements| elements.len()))?;
                        grouped.add(item.clone(), tuple.clone());
                    }
                    _ => {
                        self.budget.make_members(1)?;
                        places.insert(key.clone(), Item::Number(groups.len() as f64));
                        groups.push(Grouped {
                            key,
                            pair,
                            items: Gathered::One(item.clone()),
                            tuples: tuple.clone().into_iter().collect(),
                        });
                    }
                }
            }
        }
        let mut record = Record::with_capacity(groups.len().min(1024));
        self.budget.make_members(groups.len())?;
        for grouped in groups {
            let (context, scope) = match tuples {
                Some(_) => {
                    let tuple = self.merged(grouped.tuples)?;
                    (tuple.item.clone(), self.tuple_frame(&tuple, frame)?)
                }
                None => (grouped.items.into_item(), frame.clone()),
            };
            let item = self.eval(&group.pairs[grouped.pair].1, &context, &scope)?;
            if !item.is_undefined() {
                record.insert(grouped.key, item);
            }
        }
        Ok(Item::record(record))
    }

    /// An object of one item.
    fn object(&mut self, group: &Group, input: &Item, frame: &Rc<Frame>) -> Outcome {
        self.budget.make_members(group.pairs.len())?;
        let mut record = Record::with_capacity(group.pairs.len());
        for (key, _) in &group.pairs {
            // All keys come first, so that the order of failures is JSONata's.
            let Some(key) = self.key(key, input, frame, group)? else {
                continue;
            };
            if record.place(&key).is_some() {
                return Err(twice(group, &key).into());
            }
            record.insert(key, Item::Undefined);
        }
        if record.len() < group.pairs.len() {
            return self.sparse_object(group, input, frame);
        }
        let mut has_gaps = false;
        for (index, (_, value)) in group.pairs.iter().enumerate() {
            let item = self.eval(value, input, frame)?;
            has_gaps |= item.is_undefined();
            record.set(index, item);
        }
        Ok(Item::record(if has_gaps { record.without_undefined() } else { record }))
    }

    /// An object some of whose keys are undefined.
    fn sparse_object(&mut self, group: &Group, input: &Item, frame: &Rc<Frame>) -> Outcome {
        let mut record = Record::default();
        for (key, value) in &group.pairs {
            if let Some(key) = self.key(key, input, frame, group)? {
                let item = self.eval(value, input, frame)?;
                if !item.is_undefined() {
                    record.insert(key, item);
                }
            }
        }
        Ok(Item::record(record))
    }

    fn key(&mut self, node: &Node, item: &Item, frame: &Rc<Frame>, group: &Group) -> Outcome<Option<Arc<str>>> {
        match self.eval(node, item, frame)? {
            Item::Text(key) => Ok(Some(key)),
            Item::Undefined => Ok(None),
            other => Err(Fault::new("T1003").at(group.at.clone()).value(&other).into()),
        }
    }

    /// The tuples of a group as one: what each binds, and their items, side by side.
    fn merged(&mut self, tuples: Vec<Tuple>) -> Outcome<Tuple> {
        let mut tuples = tuples.into_iter();
        let Some(mut merged) = tuples.next() else {
            return Ok(Tuple { item: Item::Undefined, bound: Rc::default() });
        };
        if tuples.len() == 0 {
            return Ok(merged);
        }
        let mut items = Joined::new(std::mem::take(&mut merged.item));
        let mut bound: Vec<(Symbol, Joined)> =
            merged.bound.iter().map(|(symbol, item)| (*symbol, Joined::new(item.clone()))).collect();
        for tuple in tuples {
            self.budget.make_items(1 + tuple.bound.len())?;
            items.add(tuple.item, &mut self.budget)?;
            for (symbol, item) in tuple.bound.iter() {
                match bound.iter_mut().find(|(own, _)| own == symbol) {
                    Some((_, joined)) => joined.add(item.clone(), &mut self.budget)?,
                    None => bound.push((*symbol, Joined::new(item.clone()))),
                }
            }
        }
        let bound = bound.into_iter().map(|(symbol, joined)| (symbol, joined.into_item())).collect();
        Ok(Tuple { item: items.into_item(), bound: Rc::new(bound) })
    }

    /// JSONata's truth; undefined is not true.
    pub(super) fn is_true(&mut self, item: &Item) -> Outcome<bool> {
        match item {
            Item::Bool(bool) => Ok(*bool),
            Item::Undefined | Item::Null | Item::Function(_) => Ok(false),
            Item::Text(text) => Ok(!text.is_empty()),
            Item::Number(number) if number.is_infinite() => Err(out_of_range(*number).into()),
            Item::Number(number) => Ok(*number != 0.0 && !number.is_nan()),
            Item::Object(object) => Ok(!object.is_empty()),
            Item::Record(record) => Ok(record.len() > 0),
            Item::Array(_) | Item::List(_) | Item::Tuples(_) => self.deeper(|evaluator| {
                for element in item.as_elements().iter() {
                    evaluator.budget.burn(4)?;
                    if evaluator.is_true(&element)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }),
        }
    }
}

/// The items of one key.
struct Grouped {
    key: Arc<str>,
    pair: usize,
    items: Gathered,
    tuples: Vec<Tuple>,
}

enum Gathered {
    One(Item),
    Many(Vec<Item>),
}

impl Grouped {
    fn add(&mut self, item: Item, tuple: Option<Tuple>) {
        self.tuples.extend(tuple);
        let gathered = std::mem::replace(&mut self.items, Gathered::Many(Vec::new()));
        let mut items = match gathered {
            Gathered::Many(items) => items,
            Gathered::One(first) => {
                let mut items = Vec::new();
                first.as_elements().extend(&mut items);
                items
            }
        };
        item.as_elements().extend(&mut items);
        self.items = Gathered::Many(items);
    }
}

impl Gathered {
    fn into_item(self) -> Item {
        match self {
            Gathered::One(item) => item,
            Gathered::Many(items) => Item::array(items),
        }
    }
}

/// Items appended one by one, as `$append` does.
struct Joined(Gathered);

impl Joined {
    fn new(item: Item) -> Joined {
        Joined(Gathered::One(item))
    }

    fn add(&mut self, item: Item, budget: &mut Budget) -> Outcome<()> {
        if item.is_undefined() {
            return Ok(());
        }
        budget.make_items(item.as_elements().len())?;
        let gathered = std::mem::replace(&mut self.0, Gathered::Many(Vec::new()));
        self.0 = match gathered {
            Gathered::One(Item::Undefined) => Gathered::One(item),
            Gathered::One(first) => {
                let mut items = Vec::new();
                first.as_elements().extend(&mut items);
                item.as_elements().extend(&mut items);
                Gathered::Many(items)
            }
            Gathered::Many(mut items) => {
                item.as_elements().extend(&mut items);
                Gathered::Many(items)
            }
        };
        Ok(())
    }

    fn into_item(self) -> Item {
        self.0.into_item()
    }
}

fn twice(group: &Group, key: &str) -> Fault {
    Fault::new("D1009").at(group.at.clone()).text(key)
}

pub(super) fn out_of_range(number: f64) -> Fault {
    Fault::new("D1001").value(&Item::Number(number))
}

/// A sequence of one item is that item, one of none is undefined.
#[inline]
pub(super) fn normal(item: Item, keep_array: bool) -> Item {
    match item {
        Item::List(_) => normal_list(item, keep_array),
        _ => item,
    }
}

fn normal_list(item: Item, keep_array: bool) -> Item {
    let Item::List(list) = &item else {
        return item;
    };
    if !list.marks.sequence {
        return item;
    }
    let keep = list.marks.keep || keep_array;
    match list.elements().len() {
        0 => Item::Undefined,
        1 if !keep => list.elements().get(0),
        _ if keep && !list.marks.keep => {
            let marks = Marks { keep: true, ..list.marks };
            marked(item, marks)
        }
        _ => item,
    }
}

/// The same array with other marks. Its items are only copied where somebody else holds it too.
pub(super) fn marked(item: Item, marks: Marks) -> Item {
    let Item::List(list) = item else {
        return item;
    };
    match Rc::try_unwrap(list) {
        Ok(mut list) => {
            let items = std::mem::replace(&mut list.items, Items::Own(Vec::new()));
            Item::List(Rc::new(List { items, marks }))
        }
        Err(shared) => {
            let items = match &shared.items {
                Items::Own(items) => Items::Own(items.clone()),
                Items::Range { first, count } => Items::Range { first: *first, count: *count },
            };
            Item::List(Rc::new(List { items, marks }))
        }
    }
}

/// Says where a failure is, if it does not know yet.
pub(super) fn located(stop: super::budget::Stop, node: &Node, token: &str) -> super::budget::Stop {
    match stop {
        super::budget::Stop::Fault(fault) => fault.at(node.at.clone()).token(token).into(),
        other => other,
    }
}

fn arithmetic(operator: Operator, left: &Item, right: &Item) -> Result<Item, Fault> {
    let mut numbers = [f64::NAN; 2];
    let mut is_undefined = false;
    for ((item, code), number) in [(left, "T2001"), (right, "T2002")].into_iter().zip(&mut numbers) {
        match item {
            Item::Undefined => is_undefined = true,
            Item::Number(own) if own.is_infinite() => return Err(out_of_range(*own)),
            Item::Number(own) if !own.is_nan() => *number = *own,
            other => return Err(Fault::new(code).value(other)),
        }
    }
    if is_undefined {
        return Ok(Item::Undefined);
    }
    let [left, right] = numbers;
    Ok(Item::Number(match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide => left / right,
        _ => left % right,
    }))
}

fn range(left: &Item, right: &Item) -> Result<Item, Fault> {
    let mut ends = [0.0; 2];
    let mut is_undefined = false;
    for ((item, code), end) in [(left, "T2003"), (right, "T2004")].into_iter().zip(&mut ends) {
        match item {
            Item::Undefined => is_undefined = true,
            Item::Number(number) if number.is_finite() && number.fract() == 0.0 => *end = *number,
            other => return Err(Fault::new(code).value(other)),
        }
    }
    let [first, last] = ends;
    if is_undefined || first > last {
        return Ok(Item::Undefined);
    }
    let count = last - first + 1.0;
    if count > JSONATA_RANGE_ITEMS_MAX {
        return Err(Fault::new("D2014").value(&Item::Number(count)));
    }
    let items = Items::Range { first, count: count as usize };
    Ok(Item::List(Rc::new(List { items, marks: Marks::SEQUENCE })))
}
