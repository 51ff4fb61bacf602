//! Fail: ends its scope with an error.

use std::sync::Arc;

use stepwell_expr::{Payload, Value};

use crate::{
    data::{self, Fault, Scene},
    definition::{
        compiler::{BOTH, Compiler, FieldTable, JSON_PATH},
        template::looks_like_path,
    },
    diagnostic::Code,
    failure::Failure,
    program::{Expr, Field, Leaf, QueryLanguage, Template},
    state::{Ran, Source},
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

pub(crate) const FIELDS: &FieldTable =
    &[("Error", BOTH), ("ErrorPath", JSON_PATH), ("Cause", BOTH), ("CausePath", JSON_PATH)];

impl Fail {
    pub(crate) fn compile(source: &Source, compiler: &mut Compiler) -> Option<Fail> {
        let error = field(source, "Error", compiler);
        let cause = field(source, "Cause", compiler);
        Some(Fail { error: error?, cause: cause? })
    }
}

fn field(source: &Source, name: &str, compiler: &mut Compiler) -> Option<Option<Field<Arc<str>>>> {
    let field = source.fields.string_field(name, true, source.language, compiler);
    if let Some(Some(Field::Constant(text))) = &field
        && source.language == QueryLanguage::JsonPath
        && looks_like_path(text)
    {
        let message = "Field value looks like a path, but field name does not end with 'Path'.";
        compiler.warn(Code::NoPath, &source.fields.at(name), message);
    }
    field
}
