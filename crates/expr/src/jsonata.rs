//! JSONata as AWS runs it: 2.0.6 without `$eval`, with AWS's own functions.
//!
//! The engine is `jlens-core`; this module is what Step Functions needs around it. [`Expression::parse`] refuses what
//! AWS refuses ([`analysis`]) and compiles. [`Expression::evaluate`] takes the cheapest way that gives the answer:
//! a plain path is read in place ([`direct`]); else the engine reads the environment lazily ([`source`]) under small
//! bounds; else, with all the fuel there is, under a [`meter`].

mod analysis;
mod bounded;
mod direct;
mod functions;
mod meter;
pub mod place;
mod result;
mod source;
pub mod suite;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use jlens_core::ast::{Node, NodeKind};
use jlens_core::input::Source;
use jlens_core::{Bindings, Error, Expression as Engine, Options};
use serde_json::Value as Json;

use crate::limits::{
    JSONATA_ALLOCATED_BYTES_MAX, JSONATA_ERROR_BYTES_MAX, JSONATA_SLOW_FUEL_MIN, JSONATA_TEXT_BYTES_MAX,
};
use crate::{Environment, OutOfFuel, Value};

use analysis::{Findings, STATES};
use direct::{Direct, Found};
use functions::{OURS, Shared, Way};
use meter::{Bounds, Meter, Pace, QUICK_BYTES, QUICK_COST, Stop};
use result::Writer;
use source::{Root, Store};

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

impl Expression {
    pub fn parse(text: &str) -> Result<Expression, ExpressionSyntaxError> {
        let compiled = Compiled::new(text.trim(), Document::None)?;
        Ok(Expression { compiled: Arc::new(compiled) })
    }

    /// The text as it was written, trimmed.
    pub fn text(&self) -> &Arc<str> {
        &self.compiled.text
    }

    pub fn reads(&self) -> &Reads {
        &self.compiled.findings.reads
    }

    /// Evaluates the expression. Outcome and fuel burned are the same each time, but for an expression that the clock
    /// ends ([`crate::limits::JSONATA_WALL_MS_MAX`]).
    pub fn evaluate(&self, environment: &dyn Environment) -> Result<Value, EvaluationError> {
        let fuel = environment.fuel();
        fuel.burn(1)?;
        if let Some(direct) = &self.compiled.direct {
            match direct.find(environment) {
                Found::Value { value, values } => {
                    fuel.burn(meter::units_of_values(values))?;
                    return Ok(value);
                }
                Found::Nothing => return Err(EvaluationError::Undefined),
                Found::Unclear => {}
            }
        }
        let evaluation = Evaluation::new(&self.compiled, environment);
        match evaluation.run()? {
            Some(value) => Ok(value),
            None if evaluation.is_function() => Err(EvaluationError::Unsupported),
            None => Err(EvaluationError::Undefined),
        }
    }
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Expression({})", self.compiled.text)
    }
}

/// Whether the engine's input is the input document of JSONata.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Document {
    /// As on AWS: `$states` and the variables come in its place.
    None,
    /// As in the official test cases.
    Some,
}

struct Compiled {
    text: Arc<str>,
    findings: Findings,
    /// For an expression that only names a value.
    direct: Option<Direct>,
    /// Reads the environment lazily. None where the expression could tell [`Root`] from no document, and where its steps
    /// do not bound what it does.
    quick: Option<Engine>,
    /// Reads the environment as JSON; made when first needed.
    metered: OnceLock<Result<Metered, Error>>,
    /// A function that draws a number is named.
    draws: bool,
    /// The result may be a function, for all that the syntax tells.
    may_be_function: bool,
}

struct Metered {
    engine: Engine,
    reads: jlens_core::reads::Reads,
}

impl Compiled {
    fn new(text: &str, document: Document) -> Result<Compiled, ExpressionSyntaxError> {
        if text.len() > JSONATA_TEXT_BYTES_MAX {
            return Err(ExpressionSyntaxError {
                code: None,
                message: format!("an expression must be at most {JSONATA_TEXT_BYTES_MAX} bytes long"),
                further: Vec::new(),
                place: None,
            });
        }
        let plain = compile(text)?;
        let root = &plain.ast().root;
        let findings = analysis::analyse(root, document == Document::Some)?;
        let quick = match document {
            _ if !findings.is_tame() => None,
            Document::None if findings.reads_context_item => None,
            Document::None => Some(compile(&behind(&names_from_root(&findings), text))?),
            Document::Some => Some(compile(&behind(&functions::prelude(&findings, Way::Quick, |_| false), text))?),
        };
        Ok(Compiled {
            direct: Direct::of(root).filter(|_| document == Document::None),
            quick,
            metered: OnceLock::new(),
            draws: functions::draw(&findings.functions),
            may_be_function: may_be_function(root),
            text: text.into(),
            findings,
        })
    }

    fn metered(&self) -> Result<&Metered, EvaluationError> {
        let made = self.metered.get_or_init(|| Metered::new(self, |_| false));
        made.as_ref().map_err(thrown)
    }
}

impl Metered {
    /// `hidden`: the names of functions whose place variables take.
    fn new(compiled: &Compiled, hidden: impl Fn(&str) -> bool) -> Result<Metered, Error> {
        let findings = &compiled.findings;
        let engine = Engine::compile(&behind(&functions::prelude(findings, Way::Metered, hidden), &compiled.text))?;
        let functions = functions::bindings(findings, &Shared::new(0, 0, 0));
        Ok(Metered { reads: engine.reads_with(&functions), engine })
    }
}

fn compile(text: &str) -> Result<Engine, ExpressionSyntaxError> {
    let compiled = catch_unwind(|| Engine::compile(text));
    let (code, message, place) = match compiled {
        Ok(Ok(engine)) => return Ok(engine),
        Ok(Err(error)) => (Some(error.code().into()), error.message(), place::of(&error, text)),
        Err(_) => (None, "the JSONata engine cannot take this expression".into(), None),
    };
    Err(ExpressionSyntaxError { code, message, further: Vec::new(), place })
}

/// Bindings that take `$states` and the variables from the engine's input ([`Root`]), and those of the functions.
fn names_from_root(findings: &Findings) -> String {
    let mut text = String::new();
    let states = findings.states.then_some(STATES);
    for name in states.into_iter().chain(findings.reads.variables.iter().map(|name| &**name)) {
        // Nothing else can be the name of a variable, so it is left unbound.
        if name.chars().all(|char| char.is_alphanumeric() || char == '_') {
            text.push_str(&format!("${name}:=$$.`{name}`;"));
        }
    }
    text.push_str(&functions::prelude(findings, Way::Quick, |_| false));
    text
}

/// `expression` in the scope of `bindings`, each of which ends with a semicolon. (Right behind a parenthesis JSONata
/// takes a `/` for a division, so no other ones are added.)
fn behind(bindings: &str, expression: &str) -> String {
    match bindings {
        "" => expression.to_owned(),
        bindings => format!("({bindings}\n{expression}\n)"),
    }
}

/// Whether the result of `root` may be a function, for all that its form tells: what it names is data. JSONata leaves
/// functions out of a result, just as undefined.
fn may_be_function(root: &Node) -> bool {
    let is_data = |node: &Node| matches!(&node.kind, NodeKind::Variable { name } if !functions::exists(name));
    let is_name = |step: &Node| matches!(step.kind, NodeKind::Name { .. });
    match &root.kind {
        _ if !root.attrs.predicate.is_empty() => true,
        NodeKind::Variable { .. } => !is_data(root),
        NodeKind::Path { steps, .. } => match steps.split_first() {
            Some((first, rest)) => !is_data(first) || !rest.iter().all(is_name),
            None => true,
        },
        NodeKind::Binary { .. } | NodeKind::Negate { .. } => false,
        _ => true,
    }
}

/// One evaluation of one expression, by the engine.
struct Evaluation<'e> {
    compiled: &'e Compiled,
    environment: &'e dyn Environment,
    seed: u64,
}

/// What an attempt with small bounds came to.
enum Attempt {
    Done(Option<Value>),
    /// A bound was met: try again with wider ones.
    Wider,
    Failed(EvaluationError),
}

impl<'e> Evaluation<'e> {
    fn new(compiled: &'e Compiled, environment: &'e dyn Environment) -> Evaluation<'e> {
        let seed = if compiled.draws { environment.random_u64() } else { 0 };
        Evaluation { compiled, environment, seed }
    }

    /// The result; `None` for undefined and for a function.
    fn run(&self) -> Result<Option<Value>, EvaluationError> {
        let fuel = self.environment.fuel();
        if self.is_shadowed() {
            let hidden = |name: &str| self.environment.variable(name).is_some();
            let metered = Metered::new(self.compiled, hidden).map_err(|error| thrown(&error))?;
            return self.metered(&metered);
        }
        if let Some(engine) = self.compiled.quick.as_ref().filter(|_| fuel.left() >= QUICK_COST) {
            let store = Store::new();
            let attempt = self.quick(engine, &store);
            fuel.burn(QUICK_COST + meter::units_of_values(store.values()))?;
            match attempt {
                Attempt::Done(value) => return Ok(value),
                Attempt::Failed(error) => return Err(error),
                Attempt::Wider => {}
            }
        }
        self.metered(self.compiled.metered()?)
    }

    /// A workflow variable has the name of a function that the expression names; it takes its place, as any binding
    /// does in JSONata.
    fn is_shadowed(&self) -> bool {
        self.compiled.findings.functions.iter().any(|name| self.environment.variable(name).is_some())
    }

    fn options(&self, bounds: &Bounds) -> Options {
        bounds.options(self.environment.now_ms(), self.seed)
    }

    fn quick(&self, engine: &Engine, store: &Rc<Store>) -> Attempt {
        let shared = Shared::new(self.seed, QUICK_COST, QUICK_BYTES);
        let functions = functions::bindings(&self.compiled.findings, &shared);
        let root = Root { environment: self.environment, store: Rc::clone(store) };
        quick(engine, &root, store, &functions, &self.options(&meter::quick(self.compiled.findings.pace)))
    }

    /// Evaluates with all the fuel that is left, and burns what was used.
    fn metered(&self, metered: &Metered) -> Result<Option<Value>, EvaluationError> {
        let fuel = self.environment.fuel();
        if self.compiled.findings.may_hold_up() && fuel.left() < JSONATA_SLOW_FUEL_MIN {
            fuel.burn(fuel.left())?;
            return Err(OutOfFuel.into());
        }
        let shared = Shared::new(self.seed, fuel.left(), JSONATA_ALLOCATED_BYTES_MAX);
        let bindings = self.bindings(metered, functions::bindings(&self.compiled.findings, &shared));
        let values = bindings.iter().map(|(_, json)| source::count_values(json)).sum();
        fuel.burn(meter::units_of_values(values))?;
        let pace = self.compiled.findings.pace;
        let options = self.options(&meter::full(fuel.left(), pace));
        let before = shared.fuel_left();
        let meter = Meter::new(fuel.left());
        let (outcome, cost) = run_metered(&metered.engine, None, &bindings, options, pace, meter);
        if let Err(EvaluationError::OutOfFuel(out)) = outcome {
            // All of it: what is left would not have been enough.
            fuel.burn(fuel.left())?;
            return Err(out.into());
        }
        let burned = fuel.burn(cost.saturating_add(before - shared.fuel_left()));
        let value = outcome?;
        burned?;
        Ok(value)
    }

    /// What the expression reads, as the engine's own values.
    fn bindings(&self, metered: &Metered, functions: Bindings) -> Bindings {
        let findings = &self.compiled.findings;
        let states = metered.reads.binding(STATES).filter(|_| findings.states);
        let bindings = match states {
            Some(read) => functions.var(STATES, source::states_json(self.environment, read)),
            None => functions,
        };
        let whole = jlens_core::reads::Read::Whole;
        findings.reads.variables.iter().chain(&findings.functions).fold(bindings, |bindings, name| {
            // The engine's list does not hold its own functions.
            let read = metered.reads.binding(name).unwrap_or(&whole);
            match self.environment.variable(name) {
                Some(value) => bindings.var(&**name, source::cut_json(&value, read)),
                None => bindings,
            }
        })
    }

    /// Whether the result, which came out as nothing, is a function: an array constructor leaves undefined out, and
    /// prints a function as `null`.
    fn is_function(&self) -> bool {
        if !self.compiled.may_be_function {
            return false;
        }
        let text = format!("[{}]", behind("0;", &self.compiled.text));
        let Ok(compiled) = Compiled::new(&text, Document::None) else {
            return false;
        };
        let again = Evaluation { compiled: &compiled, environment: self.environment, seed: self.seed };
        matches!(again.run(), Ok(Some(Value::Array(items))) if !items.is_empty())
    }
}

/// An attempt that reads its input lazily from `source`, under small bounds.
fn quick<'a>(
    engine: &Engine,
    source: &dyn Source<'a>,
    store: &Rc<Store>,
    functions: &'a Bindings,
    options: &Options,
) -> Attempt {
    let evaluated = catch_unwind(AssertUnwindSafe(|| {
        engine.evaluate_source_to(source, functions, options, |output| {
            let mut writer = Writer::new(Rc::clone(store));
            let value = output.write(&mut writer)?;
            Ok((value, writer.excess))
        })
    }));
    match evaluated {
        Ok(Ok((value, None))) => Attempt::Done(value),
        Ok(Ok((_, Some(_)))) => Attempt::Wider,
        Ok(Err(error)) => match error.code() {
            "U1001" | "U1006" | "D1012" => Attempt::Wider,
            _ => Attempt::Failed(failure(&error)),
        },
        Err(_) => Attempt::Failed(panicked()),
    }
}

/// An attempt whose input and variables are the engine's own values, under a [`Meter`]. With the outcome comes what
/// it cost, in units of fuel.
fn run_metered(
    engine: &Engine,
    input: Option<&Json>,
    bindings: &Bindings,
    options: Options,
    pace: Pace,
    mut meter: Meter,
) -> (Result<Option<Value>, EvaluationError>, u64) {
    let options = options.cancel_token(meter.token());
    let evaluated = catch_unwind(AssertUnwindSafe(|| engine.evaluate_traced(input, bindings, &options, &mut meter)));
    let outcome = match evaluated {
        Ok(Ok(None)) => Ok(None),
        Ok(Ok(Some(json))) => result::from_json(&json, 0).map(Some).map_err(|_| TOO_DEEP),
        Ok(Err(_)) if meter.is_overdue() => Err(OutOfFuel.into()),
        Ok(Err(error)) => Err(failure(&error)),
        Err(unwound) if unwound.is::<Stop>() => Err(OUT_OF_MEMORY),
        Err(_) => Err(panicked()),
    };
    (outcome, meter.cost(pace))
}

/// The engine's error as AWS would tell it.
fn failure(error: &Error) -> EvaluationError {
    match error.code() {
        "U1006" | "D1012" => OutOfFuel.into(),
        // Sizes, and the meter's token.
        "U1001" | "U1003" => OUT_OF_MEMORY,
        "D1011" => TOO_DEEP,
        _ => thrown(error),
    }
}

fn thrown(error: &Error) -> EvaluationError {
    let mut text = format!("{}: {}", error.code(), error.message()).replace(OURS, "");
    if text.len() > JSONATA_ERROR_BYTES_MAX {
        text.truncate(text.floor_char_boundary(JSONATA_ERROR_BYTES_MAX));
    }
    EvaluationError::Thrown(text)
}

/// A mistake in the engine ends the evaluation, not the server.
fn panicked() -> EvaluationError {
    EvaluationError::Thrown("the JSONata engine failed on this expression".into())
}
