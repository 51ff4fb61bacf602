//! Paths: steps, filters, what they bind, order-by.

use std::rc::Rc;
use std::sync::Arc;

use super::ast::{Kind, Node, Path, Stage, Term};
use super::budget::{Budgeted, Outcome};
use super::compare;
use super::evaluate::{Evaluator, marked, normal, out_of_range};
use super::fault::Fault;
use super::item::{Elements, Frame, Item, Marks, Symbol, Tuple};
use crate::Value;

/// What a step costs for each item, in ticks.
const STEP: usize = 4;

impl Evaluator<'_> {
    /// A path of names, the first of which may be a variable. It gives what [`Evaluator::path`] would, and makes no
    /// arrays where there are none.
    pub(super) fn plain_path(&mut self, path: &Path, input: &Item, frame: &Rc<Frame>) -> Outcome {
        let Some((first, rest)) = path.steps.split_first() else {
            return Ok(Item::Undefined);
        };
        let start = match &first.kind {
            Kind::Variable(_, variable) => normal(self.variable(*variable, input, frame)?, false),
            Kind::Name(name) => match input {
                Item::Object(_) | Item::Record(_) => self.member(input, name)?,
                Item::Array(_) | Item::List(_) | Item::Tuples(_) => return self.names(input.clone(), &path.steps),
                _ => return Ok(Item::Undefined),
            },
            _ => return Ok(Item::Undefined),
        };
        self.names(start, rest)
    }

    fn member(&mut self, item: &Item, name: &str) -> Outcome {
        self.budget.burn(STEP)?;
        Ok(item.members().map(|members| members.get(name)).unwrap_or_default())
    }

    /// Goes from `start` through `steps`, which are names.
    fn names(&mut self, start: Item, steps: &[Node]) -> Outcome {
        let mut item = start;
        let mut steps = steps;
        while let Some((step, rest)) = steps.split_first() {
            let Kind::Name(name) = &step.kind else {
                return Ok(Item::Undefined);
            };
            match &item {
                Item::Object(object) => {
                    // As far as there are objects within objects, nothing has to be taken hold of on the way.
                    let mut value = object.get(name);
                    self.budget.burn(STEP)?;
                    steps = rest;
                    while let (Some(Value::Object(inner)), Some((Node { kind: Kind::Name(name), .. }, rest))) =
                        (value, steps.split_first())
                    {
                        value = inner.get(name);
                        steps = rest;
                        self.budget.burn(STEP)?;
                    }
                    item = Item::from(value);
                }
                Item::Record(_) => {
                    item = self.member(&item, name)?;
                    steps = rest;
                }
                Item::Array(_) | Item::List(_) | Item::Tuples(_) => {
                    let found = self.name_of_each(&item, name, rest.is_empty())?;
                    match found.elements() {
                        Some(elements) if elements.len() == 0 && found.marks().sequence => return Ok(Item::Undefined),
                        _ if rest.is_empty() => return Ok(normal(found, false)),
                        _ => item = found,
                    }
                    steps = rest;
                }
                _ => return Ok(Item::Undefined),
            }
        }
        Ok(item)
    }

    /// One step, which is a name, of each item.
    fn name_of_each(&mut self, items: &Item, name: &Arc<str>, is_last: bool) -> Outcome {
        let elements = match items {
            Item::List(list) if list.marks.cons => Elements::Own(std::slice::from_ref(items)),
            _ => items.as_elements(),
        };
        self.budget.burn(elements.len().saturating_mul(STEP))?;
        let mut found = Vec::new();
        match elements {
            // The most common one: each is an object, and what it holds no array.
            Elements::Json(values) => {
                for value in values {
                    match value {
                        Value::Object(object) => found.extend(object.get(name).map(Item::from)),
                        Value::Array(_) => {
                            let item = normal(self.lookup(&Item::from(value), name)?, false);
                            if !item.is_undefined() {
                                found.push(item);
                            }
                        }
                        _ => {}
                    }
                }
            }
            other => {
                for element in other.iter() {
                    let item = normal(self.lookup(&element, name)?, false);
                    if !item.is_undefined() {
                        found.push(item);
                    }
                }
            }
        }
        self.flattened(found, is_last)
    }

    /// The results of a step as one sequence.
    fn flattened(&mut self, mut found: Vec<Item>, is_last: bool) -> Outcome {
        let is_flat = |item: &Item| !item.is_array() || item.marks().cons;
        if is_last
            && let [one] = found.as_slice()
            && one.is_array()
            && !one.marks().sequence
        {
            return Ok(found.pop().unwrap_or_default());
        }
        if found.iter().all(is_flat) {
            self.budget.make_items(found.len())?;
            return Ok(Item::sequence(found));
        }
        let mut items = Vec::new();
        for item in found {
            match item.elements() {
                Some(elements) if !item.marks().cons => {
                    self.budget.make_items(elements.len())?;
                    elements.extend(&mut items);
                }
                _ => items.push(item),
            }
        }
        self.budget.make_items(items.len())?;
        Ok(Item::sequence(items))
    }

    /// The member `name` of an object, or of each object of an array.
    pub(super) fn lookup(&mut self, item: &Item, name: &str) -> Outcome {
        self.budget.burn(STEP)?;
        if let Some(members) = item.members() {
            return Ok(members.get(name));
        }
        let Some(elements) = item.elements() else {
            return Ok(Item::Undefined);
        };
        self.deeper(|evaluator| {
            let mut found = Vec::new();
            for element in elements.iter() {
                let inner = evaluator.lookup(&element, name)?;
                match inner.elements() {
                    Some(inner) => {
                        evaluator.budget.make_items(inner.len())?;
                        inner.extend(&mut found);
                    }
                    None if inner.is_undefined() => {}
                    None => found.push(inner),
                }
            }
            evaluator.budget.make_items(found.len())?;
            Ok(Item::sequence(found))
        })
    }

    pub(super) fn path(&mut self, node: &Node, path: &Path, input: &Item, frame: &Rc<Frame>) -> Outcome {
        let starts_absolute = matches!(path.steps.first(), Some(Node { kind: Kind::Variable(..), .. }));
        let mut items = match input.is_array() && !starts_absolute {
            true => input.clone(),
            false => {
                self.budget.make_items(1)?;
                Item::sequence(vec![input.clone()])
            }
        };
        let mut result = Item::Undefined;
        let mut tuples: Option<Rc<Vec<Tuple>>> = None;
        let mut is_tuples = false;
        let last = path.steps.len() - 1;
        for (index, step) in path.steps.iter().enumerate() {
            is_tuples |= step.tuple;
            // An array constructor at the start is evaluated once, not for each item.
            if index == 0 && step.cons {
                result = self.eval(step, &items, frame)?;
                if is_tuples && index < last {
                    items = std::mem::take(&mut result);
                    if items.is_undefined() {
                        return Ok(items);
                    }
                }
            } else if is_tuples {
                tuples = Some(self.tuple_step(step, &items, tuples, frame)?);
            } else {
                result = self.step(step, &items, index == last, frame)?;
            }
            if !is_tuples && (result.is_undefined() || result.elements().is_some_and(|elements| elements.len() == 0)) {
                break;
            }
            if step.focus.is_none() && !is_tuples {
                items = std::mem::take(&mut result);
                if index == last {
                    result = items;
                    break;
                }
                if !items.is_array() {
                    // A step takes its items from an array, and there is none.
                    items = Item::array(Vec::new());
                }
            }
        }
        if let Some(tuples) = &tuples {
            result = match node.tuple {
                true => Item::Tuples(tuples.clone()),
                false => {
                    self.budget.make_items(tuples.len())?;
                    Item::sequence(tuples.iter().map(|tuple| tuple.item.clone()).collect())
                }
            };
        }
        if path.keep_singleton {
            let marks = result.marks();
            if marks.cons && !marks.sequence {
                result = Item::sequence(vec![result]);
            }
            let marks = Marks { keep: true, ..result.marks() };
            if marks.sequence {
                result = marked(result, marks);
            }
        }
        if let Some(group) = &node.group {
            let grouped = match tuples {
                Some(tuples) => Item::Tuples(tuples),
                None => result,
            };
            return self.group(group, &grouped, frame);
        }
        Ok(result)
    }

    fn step(&mut self, step: &Node, items: &Item, is_last: bool, frame: &Rc<Frame>) -> Outcome {
        if let Kind::Sort(terms) = &step.kind {
            let sorted = self.sort_by(terms, step, items, frame)?;
            return self.stages(&step.stages, sorted, frame);
        }
        let elements = items.as_elements();
        let mut found = Vec::with_capacity(elements.len().min(1024));
        self.budget.make_items(elements.len())?;
        for index in 0..elements.len() {
            self.budget.burn(STEP)?;
            let mut item = self.eval(step, &elements.get(index), frame)?;
            for stage in &step.stages {
                if let Stage::Filter(filter) = stage {
                    item = self.filter(filter, item, frame)?;
                }
            }
            if !item.is_undefined() {
                found.push(item);
            }
        }
        self.flattened(found, is_last)
    }

    fn stages(&mut self, stages: &[Stage], items: Item, frame: &Rc<Frame>) -> Outcome {
        let mut items = items;
        for stage in stages {
            match stage {
                Stage::Filter(filter) => items = self.filter(filter, items, frame)?,
                Stage::Index(symbol) => {
                    if let Item::Tuples(tuples) = &items {
                        let mut numbered = Vec::with_capacity(tuples.len());
                        for (position, tuple) in tuples.iter().enumerate() {
                            numbered.push(self.with(tuple, *symbol, Item::Number(position as f64))?);
                        }
                        items = numbered.into();
                    }
                }
            }
        }
        Ok(items)
    }

    /// `tuple` with one more binding.
    fn with(&mut self, tuple: &Tuple, symbol: Symbol, item: Item) -> Outcome<Tuple> {
        self.budget.make_items(tuple.bound.len() + 2)?;
        let mut bound = Vec::with_capacity(tuple.bound.len() + 1);
        bound.extend(tuple.bound.iter().filter(|(own, _)| *own != symbol).cloned());
        bound.push((symbol, item));
        Ok(Tuple { item: tuple.item.clone(), bound: Rc::new(bound) })
    }

    /// The scope of what a tuple binds.
    pub(super) fn tuple_frame(&mut self, tuple: &Tuple, frame: &Rc<Frame>) -> Outcome<Rc<Frame>> {
        if tuple.bound.is_empty() {
            return Ok(frame.clone());
        }
        self.budget.burn(8 + tuple.bound.len())?;
        Ok(Frame::new(Some(frame.clone()), tuple.bound.iter().cloned().collect()))
    }

    fn tuple_step(
        &mut self,
        step: &Node,
        items: &Item,
        tuples: Option<Rc<Vec<Tuple>>>,
        frame: &Rc<Frame>,
    ) -> Outcome<Rc<Vec<Tuple>>> {
        let plain = |item: Item| Tuple { item, bound: Rc::default() };
        if let Kind::Sort(terms) = &step.kind {
            let sorted = match tuples {
                Some(tuples) => self.sort_by(terms, step, &Item::Tuples(tuples), frame)?,
                None => {
                    let sorted = self.sort_by(terms, step, items, frame)?;
                    let mut tuples = Vec::new();
                    for (position, item) in sorted.as_elements().iter().enumerate() {
                        let tuple = plain(item);
                        tuples.push(match step.index {
                            Some(symbol) => self.with(&tuple, symbol, Item::Number(position as f64))?,
                            None => tuple,
                        });
                    }
                    tuples.into()
                }
            };
            return self.stages(&step.stages, sorted, frame).map(into_tuples);
        }
        let tuples = match tuples {
            Some(tuples) => tuples,
            None => {
                self.budget.make_items(2 * items.as_elements().len())?;
                Rc::new(items.as_elements().iter().map(plain).collect())
            }
        };
        let mut found = Vec::new();
        for tuple in tuples.iter() {
            self.budget.burn(STEP)?;
            let scope = self.tuple_frame(tuple, frame)?;
            let item = self.eval(step, &tuple.item, &scope)?;
            if let Item::Tuples(inner) = &item {
                // A path within the step hands on what it has bound.
                for inner in inner.iter() {
                    let mut whole = Tuple { item: inner.item.clone(), bound: tuple.bound.clone() };
                    for (symbol, item) in inner.bound.iter() {
                        whole = self.with(&whole, *symbol, item.clone())?;
                    }
                    found.push(whole);
                }
                continue;
            }
            if item.is_undefined() {
                continue;
            }
            for (position, element) in item.as_elements().iter().enumerate() {
                self.budget.make_items(2)?;
                let mut made = match step.focus {
                    Some(symbol) => self.with(tuple, symbol, element)?,
                    None => Tuple { item: element, bound: tuple.bound.clone() },
                };
                if let Some(symbol) = step.index {
                    made = self.with(&made, symbol, Item::Number(position as f64))?;
                }
                if let Some(symbol) = step.ancestor {
                    made = self.with(&made, symbol as Symbol, tuple.item.clone())?;
                }
                found.push(made);
            }
        }
        self.stages(&step.stages, found.into(), frame).map(into_tuples)
    }

    /// The items for which `filter` is true, or whose positions it gives.
    pub(super) fn filter(&mut self, filter: &Node, items: Item, frame: &Rc<Frame>) -> Outcome {
        if let Kind::Number(number) = filter.kind {
            return self.at_position(number, items);
        }
        if let Item::Tuples(tuples) = &items {
            let mut found = Vec::new();
            for (position, tuple) in tuples.iter().enumerate() {
                self.budget.burn(STEP)?;
                let scope = self.tuple_frame(tuple, frame)?;
                let verdict = self.eval(filter, &tuple.item, &scope)?;
                for _ in 0..self.times(&verdict, position, tuples.len())? {
                    found.push(tuple.clone());
                }
            }
            self.budget.make_items(2 * found.len())?;
            return Ok(found.into());
        }
        let elements = items.as_elements();
        let count = elements.len();
        let mut found = Vec::new();
        for position in 0..count {
            self.budget.burn(STEP)?;
            let element = elements.get(position);
            let verdict = self.eval(filter, &element, frame)?;
            match verdict {
                Item::Bool(true) => found.push(element),
                Item::Bool(false) => {}
                verdict => {
                    for _ in 0..self.times(&verdict, position, count)? {
                        self.budget.make_items(1)?;
                        found.push(element.clone());
                    }
                }
            }
        }
        self.budget.make_items(found.len())?;
        Ok(Item::sequence(found))
    }

    fn at_position(&mut self, number: f64, items: Item) -> Outcome {
        let count = items.as_elements().len();
        let Some(place) = place(number, count) else {
            return Ok(match items {
                Item::Tuples(_) => Vec::new().into(),
                _ => Item::sequence(Vec::new()),
            });
        };
        if let Item::Tuples(tuples) = &items {
            return Ok(vec![tuples[place].clone()].into());
        }
        let item = items.as_elements().get(place);
        self.budget.make_items(1)?;
        Ok(match item.is_array() {
            true => item,
            false if item.is_undefined() => Item::sequence(Vec::new()),
            false => Item::sequence(vec![item]),
        })
    }

    /// How often a filter takes the item at `position` of `count`.
    fn times(&mut self, verdict: &Item, position: usize, count: usize) -> Outcome<usize> {
        match verdict {
            Item::Number(number) if number.is_infinite() => return Err(out_of_range(*number).into()),
            Item::Number(number) if !number.is_nan() => {
                return Ok(usize::from(place(*number, count) == Some(position)));
            }
            _ => {}
        }
        if let Some(elements) = verdict.elements() {
            self.budget.burn(2 * elements.len())?;
            let is_number = |item: Item| matches!(item, Item::Number(number) if !number.is_nan());
            if elements.iter().all(is_number) {
                let is_here =
                    |item: &Item| matches!(item, Item::Number(number) if place(*number, count) == Some(position));
                return Ok(elements.iter().filter(is_here).count());
            }
        }
        Ok(usize::from(self.is_true(verdict)?))
    }

    /// `*`
    pub(super) fn wildcard(&mut self, input: &Item) -> Outcome {
        let inner;
        let input = match input {
            Item::List(list) if list.marks.wrapper => {
                inner = list.elements().get(0);
                &inner
            }
            _ => input,
        };
        let mut found = Vec::new();
        // Arrays are appended, after which the result is an array like any other.
        let mut marks = Marks::SEQUENCE;
        let count = input.members().map(|members| members.len()).or_else(|| input.elements().map(|own| own.len()));
        for index in 0..count.unwrap_or_default() {
            self.budget.burn(STEP)?;
            let item = match input.members() {
                Some(members) => members.at(index).map(|(_, item)| item).unwrap_or_default(),
                None => input.as_elements().get(index),
            };
            match item.is_array() {
                true => {
                    marks = Marks::ARRAY;
                    self.flatten(&item, &mut found)?;
                }
                false => found.push(item),
            }
        }
        self.budget.make_items(found.len())?;
        Ok(Item::list(found, marks))
    }

    fn flatten(&mut self, item: &Item, found: &mut Vec<Item>) -> Outcome<()> {
        self.budget.burn(STEP)?;
        if !item.is_array() {
            self.budget.make_items(1)?;
            found.push(item.clone());
            return Ok(());
        }
        self.deeper(|evaluator| item.as_elements().iter().try_for_each(|element| evaluator.flatten(&element, found)))
    }

    /// `**`
    pub(super) fn descendants(&mut self, input: &Item) -> Outcome {
        if input.is_undefined() {
            return Ok(Item::Undefined);
        }
        let mut found = Vec::new();
        self.descend(input, &mut found)?;
        Ok(match found.len() {
            1 => found.pop().unwrap_or_default(),
            _ => Item::sequence(found),
        })
    }

    fn descend(&mut self, item: &Item, found: &mut Vec<Item>) -> Outcome<()> {
        self.budget.burn(STEP)?;
        if !item.is_array() {
            self.budget.make_items(1)?;
            found.push(item.clone());
        }
        if !item.is_array() && !item.is_object() {
            return Ok(());
        }
        self.deeper(|evaluator| {
            if let Some(members) = item.members() {
                return members.iter().try_for_each(|(_, member)| evaluator.descend(&member, found));
            }
            item.as_elements().iter().try_for_each(|element| evaluator.descend(&element, found))
        })
    }

    /// `^(…)`
    fn sort_by(&mut self, terms: &[Term], step: &Node, items: &Item, frame: &Rc<Frame>) -> Outcome {
        let count = items.as_elements().len();
        if count <= 1 {
            return Ok(items.clone());
        }
        // What each term gives for each item, once it was asked for.
        let mut keys: Vec<Option<Item>> = Vec::new();
        self.budget.make_items(count.saturating_mul(terms.len() + 2))?;
        keys.resize(count * terms.len(), None);
        let order = self.sorted(count, &mut |evaluator, left, right| {
            for (number, term) in terms.iter().enumerate() {
                let left =
                    evaluator.sort_key(&mut keys[left * terms.len() + number], &term.node, items, left, frame)?;
                let right =
                    evaluator.sort_key(&mut keys[right * terms.len() + number], &term.node, items, right, frame)?;
                match evaluator.compare_keys(&left, &right, step)? {
                    std::cmp::Ordering::Equal => {}
                    // Undefined comes last either way.
                    order if left.is_undefined() || right.is_undefined() => return Ok(order.is_gt()),
                    order => return Ok(if term.descending { order.is_lt() } else { order.is_gt() }),
                }
            }
            Ok(false)
        })?;
        Ok(match items {
            Item::Tuples(tuples) => order.into_iter().map(|index| tuples[index].clone()).collect::<Vec<_>>().into(),
            _ => Item::array(order.into_iter().map(|index| items.as_elements().get(index)).collect()),
        })
    }

    fn sort_key(
        &mut self,
        known: &mut Option<Item>,
        term: &Node,
        items: &Item,
        index: usize,
        frame: &Rc<Frame>,
    ) -> Outcome {
        if let Some(key) = known {
            return Ok(key.clone());
        }
        let key = match items {
            Item::Tuples(tuples) => {
                let scope = self.tuple_frame(&tuples[index], frame)?;
                self.eval(term, &tuples[index].item, &scope)?
            }
            _ => self.eval(term, &items.as_elements().get(index), frame)?,
        };
        *known = Some(key.clone());
        Ok(key)
    }

    fn compare_keys(&mut self, left: &Item, right: &Item, step: &Node) -> Outcome<std::cmp::Ordering> {
        use std::cmp::Ordering;
        match (left, right) {
            (Item::Undefined, Item::Undefined) => Ok(Ordering::Equal),
            (Item::Undefined, _) => Ok(Ordering::Greater),
            (_, Item::Undefined) => Ok(Ordering::Less),
            (Item::Number(a), Item::Number(b)) => Ok(a.partial_cmp(b).unwrap_or(Ordering::Greater)),
            (Item::Text(a), Item::Text(b)) => {
                self.budget.read(a.len().min(b.len()))?;
                Ok(compare::texts(a, b))
            }
            _ => {
                let is_key = |item: &Item| matches!(item, Item::Number(_) | Item::Text(_));
                let fault = match (is_key(left), is_key(right)) {
                    (true, true) => Fault::new("T2007").value(left).other(right),
                    (false, _) => Fault::new("T2008").value(left),
                    _ => Fault::new("T2008").value(right),
                };
                Err(fault.at(step.at.clone()).into())
            }
        }
    }

    /// Sorts `count` items by their positions. `swaps(left, right)`: the right one comes first. Stable, and in the order
    /// of comparisons that JSONata has, for functions that do not compare.
    pub(super) fn sorted(
        &mut self,
        count: usize,
        swaps: &mut dyn FnMut(&mut Self, usize, usize) -> Outcome<bool>,
    ) -> Outcome<Vec<usize>> {
        self.budget.make_bytes(2 * size_of::<usize>() * count)?;
        let mut order: Vec<usize> = (0..count).collect();
        self.merge_sort(&mut order, &mut Vec::with_capacity(count.div_ceil(2)), swaps)?;
        Ok(order)
    }

    /// `left`: room for half of the items.
    fn merge_sort(
        &mut self,
        items: &mut [usize],
        left: &mut Vec<usize>,
        swaps: &mut dyn FnMut(&mut Self, usize, usize) -> Outcome<bool>,
    ) -> Outcome<()> {
        if items.len() <= 1 {
            return Ok(());
        }
        let middle = items.len() / 2;
        self.merge_sort(&mut items[..middle], left, swaps)?;
        self.merge_sort(&mut items[middle..], left, swaps)?;
        left.clear();
        left.extend_from_slice(&items[..middle]);
        let (mut first, mut second) = (0, middle);
        for place in 0..items.len() {
            // Once the right ones are all in their places, or the left ones, the rest is in order.
            let (Some(left), Some(right)) = (left.get(first), items.get(second)) else {
                items[place..second].copy_from_slice(&left[first..]);
                break;
            };
            self.budget.burn(STEP)?;
            if swaps(self, *left, *right)? {
                items[place] = *right;
                second += 1;
            } else {
                items[place] = *left;
                first += 1;
            }
        }
        Ok(())
    }
}

/// Where a number points to in an array of `count`; negative ones count from the end.
fn place(number: f64, count: usize) -> Option<usize> {
    let position = number.floor();
    let position = if position < 0.0 { position + count as f64 } else { position };
    (position >= 0.0 && position < count as f64).then_some(position as usize)
}

fn into_tuples(item: Item) -> Rc<Vec<Tuple>> {
    match item {
        Item::Tuples(tuples) => tuples,
        other => Rc::new(other.as_elements().iter().map(|item| Tuple { item, bound: Rc::default() }).collect()),
    }
}
