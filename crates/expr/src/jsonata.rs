//! JSONata as AWS runs it: 2.0.6 without `$eval`, with AWS's own functions.

use std::sync::Arc;

use crate::{Environment, OutOfFuel, Value};

/// A compiled JSONata expression: the text between `{%` and `%}`, trimmed.
#[derive(Clone)]
pub struct Expression {
    text: Arc<str>,
}

/// Why a text is no expression that AWS would take.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ExpressionSyntaxError {
    /// JSONata's code, e.g. `S0203`, where it has one.
    pub code: Option<String>,
    pub message: String,
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

/// What an expression reads; used for checks at creation and for handing over no more than that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// Workflow variables, without `$`, in order of first use, `states` and functions left out.
    pub variables: Vec<Arc<str>>,
    pub result: bool,
    pub error_output: bool,
    pub context: bool,
    pub input: bool,
}

impl Expression {
    pub fn parse(_text: &str) -> Result<Expression, ExpressionSyntaxError> {
        unimplemented!()
    }

    /// The text as it was written, trimmed.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    pub fn reads(&self) -> &Reads {
        unimplemented!()
    }

    pub fn evaluate(&self, _environment: &dyn Environment) -> Result<Value, EvaluationError> {
        unimplemented!()
    }
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Expression({})", self.text)
    }
}
