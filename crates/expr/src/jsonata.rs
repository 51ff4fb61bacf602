//! JSONata as AWS runs it: 2.0.6 without `$eval`, with AWS's own functions.
//!
//! A text goes one way: [`lexer`] → [`parse`] → [`order`] (paths become steps) → [`resolve`] (what each name is, and
//! what AWS refuses) gives a compiled [`ast`]. [`evaluate`] runs it on the values of an execution as they are, within a
//! [`budget`] of work, memory and depth; [`result`] makes a [`Value`] of what comes out.

mod ast;
mod budget;
mod call;
mod compare;
mod evaluate;
mod fault;
mod function;
mod item;
mod lexer;
mod number;
mod order;
mod parse;
mod path;
pub mod place;
mod print;
mod regex;
mod resolve;
mod result;
mod signature;
mod stack;
pub mod suite;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

use crate::limits::{JSONATA_ERROR_BYTES_MAX, JSONATA_TEXT_BYTES_MAX};
use crate::{Environment, OutOfFuel, Value};

use budget::{Budget, Stop};
use evaluate::Evaluator;
use fault::Fault;
use item::Item;

/// A compiled JSONata expression: the text between `{%` and `%}`, trimmed. A clone is a pointer.
#[derive(Clone)]
pub struct Expression {
    compiled: Arc<Compiled>,
}

/// Why a text is no expression that AWS would take.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ExpressionSyntaxError {
    /// JSONata's code, e.g. `S0203`, where it has one.
    pub code: Option<String>,
    pub message: String,
    /// More of the same kind: AWS reports each name that refers to a document that is not there.
    pub further: Vec<String>,
    /// The bytes of the expression that `message` is about, where that is known.
    pub place: Option<Range<usize>>,
}

impl From<Fault> for ExpressionSyntaxError {
    fn from(fault: Fault) -> ExpressionSyntaxError {
        let code = (!fault.code.is_empty()).then(|| fault.code.to_owned());
        ExpressionSyntaxError { code, message: fault.sentence(), further: Vec::new(), place: fault.at.clone() }
    }
}

/// Why an evaluation failed. `machine` turns each into AWS's `States.QueryEvaluationError` text.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EvaluationError {
    /// The expression gave nothing: `returned nothing (undefined).`
    #[error("returned nothing (undefined).")]
    Undefined,
    /// A function or a regular expression: `returned an unsupported result type.`
    #[error("returned an unsupported result type.")]
    Unsupported,
    /// JSONata's own code and message: `threw an error during evaluation. T1006: Attempted ...`
    #[error("threw an error during evaluation. {0}")]
    Thrown(String),
    /// A bound of ours other than fuel was met, e.g. memory or depth; the text is AWS's.
    #[error("{0}")]
    Limit(&'static str),
    #[error(transparent)]
    OutOfFuel(#[from] OutOfFuel),
}

/// AWS's text for an evaluation that needs too much memory. Source: the developer guide, query language errors.
const OUT_OF_MEMORY: EvaluationError = EvaluationError::Limit("Expression evaluation memory limit exceeded");
/// AWS's text for an evaluation that nests too deep. Source: as above.
const TOO_DEEP: EvaluationError = EvaluationError::Limit("Stack overflow error");

impl From<Stop> for EvaluationError {
    fn from(stop: Stop) -> EvaluationError {
        match stop {
            Stop::Fault(fault) => EvaluationError::Thrown(told(&fault)),
            Stop::OutOfFuel => OutOfFuel.into(),
            Stop::OutOfMemory => OUT_OF_MEMORY,
            Stop::TooDeep => TOO_DEEP,
        }
    }
}

/// Code and sentence.
fn told(fault: &Fault) -> String {
    let mut text = match fault.code {
        "" => fault.sentence(),
        code => format!("{code}: {}", fault.sentence()),
    };
    text.truncate(text.floor_char_boundary(JSONATA_ERROR_BYTES_MAX));
    text
}

/// What an expression reads; used for checks at creation and for handing over no more than that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// Workflow variables, without `$`, in order of first use, `states` and functions left out.
    pub variables: Vec<Arc<str>>,
    /// `$states.result` is named. Where `$states` is read as a whole, this and the next stay false: the whole is
    /// allowed everywhere, and holds what there is.
    pub result: bool,
    /// `$states.errorOutput` is named.
    pub error_output: bool,
    /// `$states.context` is named, or `$states` read as a whole.
    pub context: bool,
    /// `$states.input` is named, or `$states` read as a whole.
    pub input: bool,
}

/// Which JSONata a text is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    /// No input document: `$states` and the variables come in its place.
    Aws,
    /// As in the official test cases: there is a document, and the operators that came after 2.0.6.
    Plain,
}

impl Expression {
    pub fn parse(text: &str) -> Result<Expression, ExpressionSyntaxError> {
        let compiled = Compiled::new(text.trim(), Dialect::Aws)?;
        Ok(Expression { compiled: Arc::new(compiled) })
    }

    /// The text as it was written, trimmed.
    pub fn text(&self) -> &Arc<str> {
        &self.compiled.text
    }

    pub fn reads(&self) -> &Reads {
        &self.compiled.reads
    }

    /// Evaluates the expression. Outcome and fuel burned are the same each time.
    pub fn evaluate(&self, environment: &dyn Environment) -> Result<Value, EvaluationError> {
        let fuel = environment.fuel();
        fuel.burn(1)?;
        let (outcome, burned) = self.compiled.evaluate(environment, Item::Undefined, Budget::new(fuel.left()));
        match outcome {
            // All of it: what is left would not have been enough.
            Err(Stop::OutOfFuel) => fuel.burn(fuel.left())?,
            _ => fuel.burn(burned)?,
        }
        match outcome? {
            Given::Value(value) => Ok(value),
            Given::Undefined => Err(EvaluationError::Undefined),
            Given::Function => Err(EvaluationError::Unsupported),
        }
    }
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Expression({})", self.compiled.text)
    }
}

/// What an evaluation comes to.
#[derive(Debug)]
enum Given {
    Value(Value),
    Undefined,
    Function,
}

struct Compiled {
    text: Arc<str>,
    dialect: Dialect,
    root: ast::Node,
    reads: Reads,
    /// The names that come from outside, by their numbers.
    globals: Vec<Arc<str>>,
}

impl Compiled {
    fn new(text: &str, dialect: Dialect) -> Result<Compiled, ExpressionSyntaxError> {
        if text.len() > JSONATA_TEXT_BYTES_MAX {
            return Err(ExpressionSyntaxError {
                code: None,
                message: format!("an expression must be at most {JSONATA_TEXT_BYTES_MAX} bytes long"),
                further: Vec::new(),
                place: None,
            });
        }
        let mut ordered = order::order(parse::parse(text, dialect)?)?;
        let findings = resolve::resolve(&mut ordered, dialect)?;
        let (reads, globals) = (findings.reads, findings.globals);
        Ok(Compiled { text: text.into(), dialect, root: ordered.root, reads, globals })
    }

    /// `document`: what `$` is at the top; undefined on AWS. With the outcome come the units of fuel that were burned.
    fn evaluate(&self, environment: &dyn Environment, document: Item, budget: Budget) -> (Result<Given, Stop>, u64) {
        let mut evaluator = Evaluator::new(environment, self.dialect, &self.globals, document, budget);
        let outcome = evaluator.run(&self.root).and_then(|item| match item {
            Item::Undefined => Ok(Given::Undefined),
            Item::Function(_) => Ok(Given::Function),
            item => Ok(result::to_value(item, &mut evaluator.budget)?.map_or(Given::Undefined, Given::Value)),
        });
        (outcome, evaluator.budget.burned())
    }
}
