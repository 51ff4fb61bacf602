//! Signatures of functions: `<s-(sf)n?:s>`. What is given is checked, arrays are made where they should be, and the
//! context item stands in for what is missing.

use super::fault::Fault;
use super::item::{Elements, Item};
use crate::Value;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Signature {
    parameters: Vec<Parameter>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Parameter {
    /// The types that it takes, by their letters; missing is always fine.
    types: String,
    is_array: bool,
    /// What an array must hold.
    items: Option<String>,
    /// `-`: the context item stands in.
    context: bool,
    optional: bool,
    many: bool,
}

/// Letters of the types that any value has: array, text, number, boolean, null, function, object, missing.
const ANY: &str = "asnblfom";

impl Signature {
    /// `text`: with its angle brackets.
    pub(super) fn parse(text: &str) -> Result<Signature, Fault> {
        let letters: Vec<char> = text.chars().collect();
        let mut parameters: Vec<Parameter> = Vec::new();
        let mut at = 1;
        while at < letters.len() {
            let letter = letters[at];
            match letter {
                ':' => break,
                's' | 'n' | 'b' | 'l' | 'o' => {
                    parameters.push(Parameter { types: format!("{letter}m"), ..Parameter::default() });
                }
                'a' => parameters.push(Parameter { types: ANY.into(), is_array: true, ..Parameter::default() }),
                'f' => parameters.push(Parameter { types: "f".into(), ..Parameter::default() }),
                'j' => parameters.push(Parameter { types: "asnblom".into(), ..Parameter::default() }),
                'x' => parameters.push(Parameter { types: ANY.into(), ..Parameter::default() }),
                '-' | '?' | '+' => {
                    if let Some(last) = parameters.last_mut() {
                        match letter {
                            '-' => (last.context, last.optional) = (true, true),
                            '?' => last.optional = true,
                            _ => last.many = true,
                        }
                    }
                }
                '(' => {
                    let end = closing(&letters, at, '(', ')');
                    let choice: String = letters[at + 1..end.min(letters.len())].iter().collect();
                    if choice.contains('<') {
                        return Err(Fault::new("S0402").text(&choice));
                    }
                    parameters.push(Parameter { types: format!("{choice}m"), ..Parameter::default() });
                    at = end;
                }
                '<' => {
                    let end = closing(&letters, at, '<', '>');
                    match parameters.last_mut() {
                        Some(last) if last.is_array || last.types == "f" => {
                            last.items = Some(letters[at + 1..end.min(letters.len())].iter().collect());
                        }
                        _ => return Err(Fault::new("S0401")),
                    }
                    at = end;
                }
                _ => {}
            }
            at += 1;
        }
        Ok(Signature { parameters })
    }

    /// What fitting costs, in ticks: the items of arrays are looked at where the signature says what they must be.
    pub(super) fn cost(&self, arguments: &[Item]) -> usize {
        let looked_at = |item: &Item| item.elements().map_or(0, |elements| elements.len());
        match self.parameters.iter().any(|parameter| parameter.items.is_some()) {
            true => 4 + arguments.iter().map(looked_at).sum::<usize>() / 2,
            false => 4,
        }
    }

    /// Fits `arguments` to the parameters.
    pub(super) fn fit(&self, arguments: Vec<Item>, context: &Item) -> Result<Vec<Item>, Fault> {
        let Some(counts) = self.counts_at_once(&arguments) else {
            let given: String = arguments.iter().map(letter).collect();
            return match self.counts(given.as_bytes()) {
                Some(counts) => self.fit_by(&counts, arguments, context),
                None => Err(self.misfit(&given, &arguments)),
            };
        };
        let parameters = self.parameters.len();
        if arguments.len() == parameters && counts[..parameters].iter().all(|count| *count == 1) {
            let mut arguments = arguments;
            for (index, parameter) in self.parameters.iter().enumerate().filter(|(_, parameter)| parameter.is_array) {
                let argument = std::mem::take(&mut arguments[index]);
                arguments[index] = parameter.array(argument, index + 1)?;
            }
            return Ok(arguments);
        }
        self.fit_by(&counts[..parameters], arguments, context)
    }

    fn fit_by(&self, counts: &[usize], arguments: Vec<Item>, context: &Item) -> Result<Vec<Item>, Fault> {
        let mut fitted = Vec::with_capacity(self.parameters.len());
        let mut given = arguments.into_iter();
        let mut number = 1;
        for (parameter, count) in self.parameters.iter().zip(counts) {
            if *count == 0 {
                if !parameter.context {
                    fitted.push(Item::Undefined);
                } else if parameter.types.contains(letter(context)) {
                    fitted.push(context.clone());
                } else {
                    return Err(Fault::new("T0411").value(context).argument(number));
                }
                continue;
            }
            for argument in given.by_ref().take(*count) {
                fitted.push(match parameter.is_array {
                    true => parameter.array(argument, number)?,
                    false => argument,
                });
                number += 1;
            }
        }
        Ok(fitted)
    }

    /// How many arguments each parameter takes, where it is enough to go through both once. The regular expression
    /// over the letters (see [`Signature::counts`]) would find the same.
    fn counts_at_once(&self, arguments: &[Item]) -> Option<[usize; AT_ONCE]> {
        let mut counts = [0; AT_ONCE];
        if self.parameters.len() > AT_ONCE {
            return None;
        }
        let mut given = arguments.iter().peekable();
        for (parameter, count) in self.parameters.iter().zip(&mut counts) {
            let fits = given.peek().is_some_and(|argument| parameter.types.contains(letter(argument)));
            if parameter.many {
                return None;
            }
            if fits {
                given.next();
                *count = 1;
            } else if !parameter.optional {
                return None;
            }
        }
        given.next().is_none().then_some(counts)
    }

    /// How many arguments each parameter takes: as many as it can, as long as the rest still fits, like a regular
    /// expression over the letters.
    fn counts(&self, given: &[u8]) -> Option<Vec<usize>> {
        let mut search = Search { given, counts: Vec::new(), failed: Vec::new() };
        let places = (self.parameters.len() + 1).checked_mul(given.len() + 1)?;
        if places > SEARCH_MAX {
            return None;
        }
        search.failed = vec![false; places];
        search.fill(&self.parameters, 0).then_some(search.counts)
    }

    /// Which argument does not fit.
    fn misfit(&self, given: &str, arguments: &[Item]) -> Fault {
        let mut good = 0;
        for length in 1..=self.parameters.len() {
            let part = Signature { parameters: self.parameters[..length].to_vec() };
            // The longest beginning of what is given that these parameters take.
            match (0..=given.len()).rev().find(|end| part.counts(&given.as_bytes()[..*end]).is_some()) {
                Some(end) => good = end,
                None => break,
            }
        }
        let value = arguments.get(good).cloned().unwrap_or_default();
        Fault::new("T0410").value(&value).argument(good + 1)
    }
}

/// Most parameters that are fitted without searching.
const AT_ONCE: usize = 8;
/// Most places that a search may go through; beyond it nothing fits.
const SEARCH_MAX: usize = 10_000;

struct Search<'g> {
    given: &'g [u8],
    counts: Vec<usize>,
    /// By how many parameters and letters are left: the rest does not fit.
    failed: Vec<bool>,
}

impl Search<'_> {
    fn fill(&mut self, parameters: &[Parameter], from: usize) -> bool {
        let Some((parameter, rest)) = parameters.split_first() else {
            return from == self.given.len();
        };
        let place = parameters.len() * (self.given.len() + 1) + from;
        if self.failed[place] {
            return false;
        }
        let fits = |letter: &&u8| parameter.types.as_bytes().contains(letter);
        let most = if parameter.many { self.given.len() } else { 1 };
        let run = self.given[from..].iter().take(most).take_while(fits).count();
        let least = usize::from(!parameter.optional);
        for count in (least..=run).rev() {
            self.counts.push(count);
            if self.fill(rest, from + count) {
                return true;
            }
            self.counts.pop();
        }
        self.failed[place] = true;
        false
    }
}

impl Parameter {
    /// An argument as an array of what it should hold.
    fn array(&self, argument: Item, number: usize) -> Result<Item, Fault> {
        let own = letter(&argument);
        if own == 'm' {
            return Ok(argument);
        }
        if let Some(items) = &self.items {
            let wanted = items.chars().next().unwrap_or_default();
            let is_fine = match argument.elements() {
                Some(elements) => all_are(elements, wanted),
                None => items.len() == 1 && own == wanted,
            };
            if !is_fine {
                let plural = match items.as_str() {
                    "a" => "arrays",
                    "b" => "booleans",
                    "f" => "functions",
                    "n" => "numbers",
                    "o" => "objects",
                    "s" => "strings",
                    _ => "undefined",
                };
                let fault = Fault::new("T0412").value(&argument).argument(number);
                return Err(fault.raw_other(format!("\"{plural}\"")));
            }
        }
        Ok(match argument.is_array() {
            true => argument,
            false => Item::array(vec![argument]),
        })
    }
}

fn closing(letters: &[char], start: usize, open: char, close: char) -> usize {
    let mut depth = 1;
    let mut at = start;
    while at < letters.len() {
        at += 1;
        match letters.get(at) {
            Some(letter) if *letter == close => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            Some(letter) if *letter == open => depth += 1,
            _ => {}
        }
    }
    at
}

fn all_are(elements: Elements<'_>, wanted: char) -> bool {
    match elements {
        Elements::Json(values) => values.iter().all(|value| {
            let letter = match value {
                Value::Null => 'l',
                Value::Bool(_) => 'b',
                Value::Number(_) => 'n',
                Value::String(_) => 's',
                Value::Array(_) => 'a',
                Value::Object(_) => 'o',
            };
            letter == wanted
        }),
        Elements::Own(items) => items.iter().all(|item| letter(item) == wanted),
        Elements::Tuples(tuples) => tuples.iter().all(|tuple| letter(&tuple.item) == wanted),
        Elements::Range { count, .. } => count == 0 || wanted == 'n',
    }
}

/// The letter of an item's type.
fn letter(item: &Item) -> char {
    match item {
        Item::Undefined => 'm',
        Item::Null => 'l',
        Item::Bool(_) => 'b',
        Item::Number(_) => 'n',
        Item::Text(_) => 's',
        Item::Array(_) | Item::List(_) | Item::Tuples(_) => 'a',
        Item::Object(_) | Item::Record(_) => 'o',
        Item::Function(_) => 'f',
    }
}
