//! Fail: ends its scope with an error.

use std::sync::Arc;

use stepwell_expr::{Payload, Value};

use crate::{
    data::{self, Fault, Scene},
    failure::Failure,
    program::{Expr, Field, Leaf, Template},
    state::Ran,
};

#[derive(Clone, Debug)]
pub struct Fail {
    /// `Error` or `ErrorPath`.
    pub error: Option<Field<Arc<str>>>,
    /// `Cause` or `CausePath`.
    pub cause: Option<Field<Arc<str>>>,
}

impl Fail {
    pub(crate) fn run(&self, input: &Payload, scene: &Scene<'_>) -> Result<Ran, Fault> {
        let error = text(self.error.as_ref(), ["Error", "ErrorPath"], input, scene)?;
        let cause = text(self.cause.as_ref(), ["Cause", "CausePath"], input, scene)?;
        Ok(Ran::Fails(Failure { error, cause }))
    }
}

/// `names`: the field as it is called with a text, and with a path.
fn text(
    field: Option<&Field<Arc<str>>>,
    names: [&str; 2],
    input: &Payload,
    scene: &Scene<'_>,
) -> Result<Option<Arc<str>>, Fault> {
    let Some(field) = field else { return Ok(None) };
    let view = scene.view(input);
    let name: Arc<str> = match field {
        Field::Constant(text) => return Ok(Some(text.clone())),
        Field::Jsonata(_) => names[0].into(),
        Field::Path(_) | Field::Call(_) => names[1].into(),
    };
    // The same texts as for a template value. Source: recordings.
    let expression = match field {
        Field::Path(path) => Expr::Path(path.clone()),
        Field::Call(call) => Expr::Call(call.clone()),
        Field::Jsonata(expression) => Expr::Jsonata(expression.clone()),
        Field::Constant(_) => unreachable!("answered above"),
    };
    match data::evaluate(&Template::Leaf(Leaf { expression, field: name.clone() }), &view)? {
        Value::String(text) => Ok(Some(text)),
        value => match field {
            Field::Jsonata(expression) => Err(data::unexpected_type(expression.text(), &name, "string", &value)),
            field => Err(Fault::Runtime(format!(
                "The {name} parameter does not reference a string value: {} == {value}",
                data::expression_text(field)
            ))),
        },
    }
}
