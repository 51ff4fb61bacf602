//! The member `mock`: a result or an error that stands in for what a state would have done outside.
//!
//! Source of the sentences: recorded answers.

use std::sync::Arc;

use stepwell_expr::{Payload, Value, json};
use stepwell_machine::{
    Failure,
    definition::Lone,
    program::ServicePattern,
    state::{Kind, StateType, task::Resource},
};

use crate::{
    error::Error,
    fields::{CAUSE, ERROR, Fields, PAYLOAD},
    result_shapes::{self, Mode},
};

/// As it was sent.
pub(super) struct MockFields {
    result: Option<Arc<str>>,
    error_output: Option<Failure>,
    mode: Mode,
}

/// What the state's work is taken to have come to.
pub(super) type Mock = Result<Payload, Failure>;

impl MockFields {
    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Option<MockFields>, Error> {
        const MODES: [(&str, Mode); 3] = [("STRICT", Mode::Strict), ("PRESENT", Mode::Present), ("NONE", Mode::None)];
        fields.optional_object("mock", |mock| {
            Ok(MockFields {
                result: mock.optional_text("result", &PAYLOAD)?,
                error_output: mock.optional_object("errorOutput", |output| {
                    Ok(Failure {
                        error: output.optional_text("error", &ERROR)?,
                        cause: output.optional_text("cause", &CAUSE)?,
                    })
                })?,
                mode: mock.optional_choice("fieldValidationMode", &MODES)?.unwrap_or(Mode::Strict),
            })
        })
    }

    /// The mock of a state, once it fits.
    pub(super) fn checked(self, lone: &Lone) -> Result<Mock, Error> {
        let state = lone.program.state(lone.state);
        match state.kind_type() {
            StateType::Task | StateType::Parallel | StateType::Map => {}
            other => {
                let message = format!("State type '{}' is not supported when a mock is specified", other.as_str());
                return Err(Error::validation(message));
            }
        }
        let text = match (self.result, self.error_output) {
            (Some(text), None) => text,
            (None, Some(failure)) => return Ok(Err(failure)),
            (Some(_), Some(_)) | (None, None) => {
                return Err(Error::validation(
                    "A test mock should have only one of the following fields: [result, errorOutput].",
                ));
            }
        };
        let value = json::parse(&text).map_err(|_| Error::validation("Mocked result must be valid JSON"))?;
        if let Some(problem) = misfit(&state.kind, &value, lone.has_result_writer, self.mode) {
            return Err(Error::validation(problem));
        }
        Ok(Ok(Payload::from_checked_text(text)))
    }
}

/// Why a result is none that the state could have.
fn misfit(kind: &Kind, result: &Value, written: bool, mode: Mode) -> Option<String> {
    const NO_ARRAY: &str = "Mocked result must be an array.";
    match kind {
        Kind::Task(task) => match &task.resource {
            // What a job or a caller of `SendTaskSuccess` answers is in no model.
            Resource::Service { service, action, pattern: ServicePattern::RequestResponse } => {
                let problem = result_shapes::problem(service, action, result, mode);
                problem.map(|problem| format!("Mock result schema validation error: {problem}"))
            }
            Resource::Service { .. } | Resource::LambdaFunction { .. } | Resource::Activity { .. } => None,
        },
        Kind::Map(_) if written => match result {
            Value::Object(_) => None,
            _ => Some("Mocked result must be a JSON object.".into()),
        },
        Kind::Map(_) => result.as_array().is_none().then(|| NO_ARRAY.into()),
        Kind::Parallel(parallel) => match result.as_array() {
            None => Some(NO_ARRAY.into()),
            Some(items) => (items.len() != parallel.branches.len())
                .then(|| "Mocked result must contain the same number of items as number of Parallel branches.".into()),
        },
        Kind::Wait(_) | Kind::Pass(_) | Kind::Succeed(_) | Kind::Fail(_) | Kind::Choice(_) => None,
    }
}
