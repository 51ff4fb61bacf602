//! Calls of functions: those of the expression, in a loop where one ends with calling the next, and those of JSONata.

use std::collections::HashMap;
use std::rc::Rc;

use super::ast::{Call, Kind, Node, Transform};
use super::budget::{Budgeted, Outcome};
use super::evaluate::{Evaluator, located};
use super::fault::Fault;
use super::function::{Function, Native};
use super::item::{Frame, Item, Record};
use super::number;

/// What a function comes to.
enum Flow {
    Item(Item),
    /// It ends with a call, which is made when it has been left.
    Call(Item, Vec<Item>),
}

/// What a call costs at least, in ticks.
const CALL: usize = 8;
/// The most bytes that a change takes, besides the object: tables grow to twice what they hold.
const CHANGE_BYTES: usize = 192;

impl Evaluator<'_> {
    /// `first`: what stands before `~>`.
    pub(super) fn call(
        &mut self,
        call: &Call,
        node: &Node,
        first: Option<Item>,
        input: &Item,
        frame: &Rc<Frame>,
    ) -> Outcome {
        let (function, arguments) = self.called(call, node, first, input, frame)?;
        let outcome = self.apply(function, arguments, input);
        outcome.map_err(|stop| located(stop, node, name_of(call)))
    }

    fn called(
        &mut self,
        call: &Call,
        node: &Node,
        first: Option<Item>,
        input: &Item,
        frame: &Rc<Frame>,
    ) -> Outcome<(Item, Vec<Item>)> {
        let function = self.eval(&call.procedure, input, frame)?;
        self.check_for_forgotten_sign(&function, call, node, "T1005")?;
        let mut arguments = Vec::with_capacity(call.arguments.len() + usize::from(first.is_some()));
        arguments.extend(first);
        for argument in &call.arguments {
            arguments.push(self.eval(argument, input, frame)?);
        }
        Ok((function, arguments))
    }

    /// `sum(1)` where `$sum(1)` was meant.
    fn check_for_forgotten_sign(
        &mut self,
        function: &Item,
        call: &Call,
        node: &Node,
        code: &'static str,
    ) -> Outcome<()> {
        if function.is_undefined()
            && let Kind::Path(path) = &call.procedure.kind
            && let Some(Node { kind: Kind::Name(name), .. }) = path.steps.first()
            && self.is_known_name(name)?
        {
            return Err(Fault::new(code).at(node.at.clone()).token(&**name).into());
        }
        Ok(())
    }

    /// Calls `function`. `context`: the item that stands in for an argument that is missing.
    pub(super) fn apply(&mut self, function: Item, arguments: Vec<Item>, context: &Item) -> Outcome {
        let (mut function, mut arguments) = (function, arguments);
        loop {
            self.budget.burn(CALL)?;
            let flow = match &function {
                Item::Function(callee) => {
                    self.deeper(|evaluator| evaluator.enter_function(callee, arguments, context))?
                }
                _ => return Err(Fault::new("T1006").into()),
            };
            match flow {
                Flow::Item(item) => return Ok(item),
                Flow::Call(next, given) => (function, arguments) = (next, given),
            }
        }
    }

    fn enter_function(&mut self, function: &Rc<Function>, arguments: Vec<Item>, context: &Item) -> Outcome<Flow> {
        match &**function {
            Function::Native(native) => self.native(native, arguments, context).map(Flow::Item),
            Function::Lambda { lambda, frame, input } => {
                let arguments = match &lambda.signature {
                    Some(signature) => {
                        self.budget.burn(signature.cost(&arguments))?;
                        signature.fit(arguments, context)?
                    }
                    None => arguments,
                };
                self.budget.burn(lambda.parameters.len())?;
                let mut arguments = arguments.into_iter();
                let bound = lambda.parameters.iter().map(|symbol| (*symbol, arguments.next().unwrap_or_default()));
                let frame = Frame::new(Some(frame.clone()), bound.collect());
                self.tail(&lambda.body, input, &frame)
            }
            Function::Partial { function, arguments: fixed } => {
                self.budget.make_items(fixed.len())?;
                let mut given = arguments.into_iter();
                let whole = fixed.iter().map(|own| own.clone().unwrap_or_else(|| given.next().unwrap_or_default()));
                Ok(Flow::Call(function.clone(), whole.collect()))
            }
            Function::Chain(first, second) => {
                let item = self.apply(first.clone(), arguments, &Item::Null)?;
                Ok(Flow::Call(second.clone(), vec![item]))
            }
            Function::Regex(_) | Function::Next { .. } => self.match_once(function, &arguments).map(Flow::Item),
            Function::Transform { transform, frame } => {
                let given = arguments.into_iter().next().unwrap_or_default();
                self.transform(transform, given, frame).map(Flow::Item)
            }
        }
    }

    fn native(&mut self, native: &'static Native, arguments: Vec<Item>, context: &Item) -> Outcome {
        self.budget.burn(native.signature.cost(&arguments))?;
        let arguments = native.signature.fit(arguments, context)?;
        (native.run)(self, &arguments)
    }

    /// The body of a function: what it ends with is not called here.
    fn tail(&mut self, node: &Node, input: &Item, frame: &Rc<Frame>) -> Outcome<Flow> {
        let is_bare = node.predicate.is_empty() && node.group.is_none() && !node.keep_array;
        match &node.kind {
            Kind::Call(call) if is_bare => {
                self.budget.burn(CALL)?;
                let (function, arguments) = self.called(call, node, None, input, frame)?;
                // JSONata's own are called at once, so that a failure knows where it is.
                match &function {
                    Item::Function(callee)
                        if matches!(**callee, Function::Lambda { .. } | Function::Partial { .. }) =>
                    {
                        Ok(Flow::Call(function, arguments))
                    }
                    _ => {
                        let outcome = self.apply(function, arguments, input);
                        outcome.map(Flow::Item).map_err(|stop| located(stop, node, name_of(call)))
                    }
                }
            }
            Kind::Condition(parts) if is_bare => {
                self.budget.burn(CALL)?;
                let (condition, then, otherwise) = &**parts;
                let condition = self.eval(condition, input, frame)?;
                match (self.is_true(&condition)?, otherwise) {
                    (true, _) => self.deeper(|evaluator| evaluator.tail(then, input, frame)),
                    (false, Some(otherwise)) => self.deeper(|evaluator| evaluator.tail(otherwise, input, frame)),
                    (false, None) => Ok(Flow::Item(Item::Undefined)),
                }
            }
            Kind::Block { nodes, binds } if is_bare => {
                self.budget.burn(CALL)?;
                let Some((last, before)) = nodes.split_last() else {
                    return Ok(Flow::Item(Item::Undefined));
                };
                let own = if *binds { Some(self.frame(frame)?) } else { None };
                let frame = own.as_ref().unwrap_or(frame);
                for node in before {
                    self.eval(node, input, frame)?;
                }
                self.deeper(|evaluator| evaluator.tail(last, input, frame))
            }
            _ => self.eval(node, input, frame).map(Flow::Item),
        }
    }

    /// A call with `?` among its arguments: a function of these.
    pub(super) fn partial(&mut self, call: &Call, node: &Node, input: &Item, frame: &Rc<Frame>) -> Outcome {
        let mut arguments = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            arguments.push(match argument.kind {
                Kind::Placeholder => None,
                _ => Some(self.eval(argument, input, frame)?),
            });
        }
        let function = self.eval(&call.procedure, input, frame)?;
        self.check_for_forgotten_sign(&function, call, node, "T1007")?;
        if !matches!(function, Item::Function(_)) {
            return Err(Fault::new("T1008").at(node.at.clone()).token(name_of(call)).into());
        }
        self.budget.make_items(2 + arguments.len())?;
        Ok(Item::Function(Rc::new(Function::Partial { function, arguments })))
    }

    /// `~>`
    pub(super) fn apply_operator(
        &mut self,
        left: &Node,
        right: &Node,
        node: &Node,
        input: &Item,
        frame: &Rc<Frame>,
    ) -> Outcome {
        let given = self.eval(left, input, frame)?;
        if let Kind::Call(call) = &right.kind {
            return self.call(call, right, Some(given), input, frame);
        }
        let function = self.eval(right, input, frame)?;
        if !matches!(function, Item::Function(_)) {
            return Err(Fault::new("T2006").at(node.at.clone()).value(&function).into());
        }
        if matches!(given, Item::Function(_)) {
            self.budget.make_bytes(96)?;
            return Ok(Item::Function(Rc::new(Function::Chain(given, function))));
        }
        self.apply(function, vec![given], &Item::Null).map_err(|stop| located(stop, right, "~>"))
    }

    /// `| pattern | update, delete |`: a copy of `given` in which what the pattern finds is changed.
    fn transform(&mut self, transform: &Transform, given: Item, frame: &Rc<Frame>) -> Outcome {
        if given.is_undefined() {
            return Ok(given);
        }
        let clone = self.variable(transform.clone, &Item::Undefined, frame)?;
        if !matches!(clone, Item::Function(_)) {
            return Err(Fault::new("T2013").at(transform.at.clone()).into());
        }
        let root = self.apply(clone, vec![given], &Item::Null)?;
        let found = self.eval(&transform.pattern, &root, frame)?;
        let mut changes = Changes::default();
        for item in found.as_elements().iter().filter(|_| !found.is_undefined()) {
            let before = changes.applied(&item, self)?;
            let update = self.eval(&transform.update, &before, frame)?;
            let mut record = before.members().map(|_| copied(&before, self)).transpose()?;
            match (&mut record, update.members()) {
                (_, None) if update.is_undefined() => {}
                (_, None) => {
                    return Err(Fault::new("T2011").at(transform.update.at.clone()).value(&update).into());
                }
                (Some(record), Some(members)) => {
                    self.budget.make_members(members.len())?;
                    members.iter().for_each(|(name, member)| record.insert(name.clone(), member));
                }
                (None, Some(_)) => {}
            }
            if let Some(delete) = &transform.delete {
                let context = changes.applied(&item, self)?;
                let names = self.eval(delete, &context, frame)?;
                if !names.is_undefined() {
                    let mut unwanted = Vec::new();
                    for name in names.as_elements().iter() {
                        match name {
                            Item::Text(name) => unwanted.push(name),
                            _ => return Err(Fault::new("T2012").at(delete.at.clone()).value(&names).into()),
                        }
                    }
                    if let Some(kept) = &mut record {
                        self.budget.burn(kept.len().saturating_mul(1 + unwanted.len()))?;
                        *kept = std::mem::take(kept).without(&unwanted);
                    }
                }
            }
            if let (Some(record), Some(address)) = (record, item.address()) {
                self.budget.make_bytes(CHANGE_BYTES)?;
                changes.put(address, item, Item::record(record));
            }
        }
        changes.applied(&root, self)
    }

    /// A copy that shares no array and no object with `item`; numbers as `$string` prints them.
    pub(super) fn cloned(&mut self, item: &Item) -> Outcome {
        self.budget.burn(4)?;
        Ok(match item {
            Item::Number(number) if number.is_infinite() => {
                return Err(super::evaluate::out_of_range(*number).into());
            }
            Item::Number(number) if number.is_nan() => Item::Null,
            Item::Number(number) => Item::Number(number::rounded(*number)),
            Item::Function(_) => Item::text(""),
            Item::Undefined => Item::Null,
            Item::Array(_) | Item::List(_) | Item::Tuples(_) => self.deeper(|evaluator| {
                let elements = item.as_elements();
                evaluator.budget.make_items(elements.len())?;
                let mut copies = Vec::with_capacity(elements.len());
                for element in elements.iter() {
                    copies.push(evaluator.cloned(&element)?);
                }
                Ok(Item::array(copies))
            })?,
            Item::Object(_) | Item::Record(_) => self.deeper(|evaluator| {
                let count = item.members().map_or(0, |members| members.len());
                evaluator.budget.make_members(count)?;
                let mut record = Record::with_capacity(count);
                for (name, member) in item.members().into_iter().flat_map(|members| members.iter()) {
                    record.insert(name.clone(), evaluator.cloned(&member)?);
                }
                Ok(Item::record(record))
            })?,
            scalar => scalar.clone(),
        })
    }
}

/// The name of what is called, for error sentences.
fn name_of(call: &Call) -> &str {
    match &call.procedure.kind {
        Kind::Variable(name, _) => name,
        Kind::Path(path) => match path.steps.first() {
            Some(Node { kind: Kind::Name(name), .. }) => name,
            _ => "undefined",
        },
        Kind::Call(_) | Kind::Block { .. } => "(",
        _ => "undefined",
    }
}

fn copied(item: &Item, evaluator: &mut Evaluator<'_>) -> Outcome<Record> {
    let count = item.members().map_or(0, |members| members.len());
    evaluator.budget.make_members(count)?;
    let mut record = Record::with_capacity(count);
    for (name, member) in item.members().into_iter().flat_map(|members| members.iter()) {
        record.insert(name.clone(), member);
    }
    Ok(record)
}

/// Objects of a tree that others have taken the place of, by where they are.
#[derive(Default)]
struct Changes {
    by_address: HashMap<usize, Item>,
    /// Kept, so that nothing else comes to be where they are.
    replaced: Vec<Item>,
    /// Those that are being applied: an object that was put into itself is there as it was before.
    open: std::cell::RefCell<Vec<usize>>,
}

impl Changes {
    fn put(&mut self, address: usize, before: Item, after: Item) {
        self.replaced.push(before);
        self.by_address.insert(address, after);
    }

    /// `item` with all changes within it.
    fn applied(&self, item: &Item, evaluator: &mut Evaluator<'_>) -> Outcome {
        if self.by_address.is_empty() {
            return Ok(item.clone());
        }
        Ok(self.changed(item, evaluator)?.unwrap_or_else(|| item.clone()))
    }

    /// `None` where nothing changes.
    fn changed(&self, item: &Item, evaluator: &mut Evaluator<'_>) -> Outcome<Option<Item>> {
        evaluator.budget.burn(4)?;
        let address = item.address();
        let own = address.and_then(|address| self.by_address.get(&address));
        let Some(own) = own else {
            return self.changed_within(item, None, evaluator);
        };
        let address = address.unwrap_or_default();
        evaluator.budget.burn(self.open.borrow().len() / 8)?;
        if self.open.borrow().contains(&address) {
            return Ok(None);
        }
        self.open.borrow_mut().push(address);
        let changed = self.changed_within(own, Some(own), evaluator);
        self.open.borrow_mut().pop();
        changed
    }

    /// `own`: what has taken the place of the item, if anything did.
    fn changed_within(&self, base: &Item, own: Option<&Item>, evaluator: &mut Evaluator<'_>) -> Outcome<Option<Item>> {
        if !matches!(base, Item::Record(_) | Item::List(_)) {
            return Ok(own.cloned());
        }
        evaluator.deeper(|evaluator| {
            if let Item::Record(record) = base {
                let mut made: Option<Record> = None;
                for (name, member) in record.iter() {
                    if let Some(other) = self.changed(member, evaluator)? {
                        if made.is_none() {
                            made = Some(copied(base, evaluator)?);
                        }
                        if let Some(made) = &mut made {
                            made.insert(name.clone(), other);
                        }
                    }
                }
                return Ok(made.map(Item::record).or_else(|| own.cloned()));
            }
            let elements = base.as_elements();
            let mut made: Option<Vec<Item>> = None;
            for (index, element) in elements.iter().enumerate() {
                if let Some(other) = self.changed(&element, evaluator)? {
                    if made.is_none() {
                        evaluator.budget.make_items(elements.len())?;
                        made = Some(elements.iter().collect());
                    }
                    if let Some(made) = &mut made {
                        made[index] = other;
                    }
                }
            }
            Ok(made.map(|items| Item::list(items, base.marks())).or_else(|| own.cloned()))
        })
    }
}
