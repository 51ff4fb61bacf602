//! Paths, intrinsic calls and JSONata expressions of a definition.

use std::sync::Arc;

use stepwell_expr::{Value, intrinsic::Call, jsonata::Expression, jsonpath::Path};

use crate::{
    definition::{
        compiler::{Compiler, Fields, expected, integer},
        place::Place,
    },
    diagnostic::Code,
    program::{Field, QueryLanguage, ResultPath, Selection},
};

/// Which members of `$states` an expression may read besides `input` and `context`.
#[derive(Clone, Copy, Default)]
pub(crate) struct Available {
    pub(crate) result: bool,
    pub(crate) error_output: bool,
}

/// What a string of a JSONata field is.
enum Text<'t> {
    Literal,
    /// The text between `{%` and `%}`, trimmed.
    Expression(&'t str),
    /// Only one of the two delimiters.
    Torn,
}

fn text_of(text: &str) -> Text<'_> {
    let inside = text.strip_prefix("{%").and_then(|rest| rest.strip_suffix("%}"));
    match inside {
        Some(inside) => Text::Expression(inside.trim()),
        None if text.starts_with("{%") || text.ends_with("%}") => Text::Torn,
        None => Text::Literal,
    }
}

/// A string that must be read as a template: a literal, or an expression.
pub(crate) enum Jsonata {
    Literal,
    Expression(Expression),
}

impl Compiler<'_> {
    /// A string of a field that takes JSONata; `None` where it is broken, which is reported.
    pub(crate) fn jsonata(&mut self, text: &str, available: Available, place: &Place) -> Option<Jsonata> {
        match text_of(text) {
            Text::Literal => Some(Jsonata::Literal),
            Text::Torn => {
                self.schema(place, "JSONata string must start with {% and end with %}");
                None
            }
            Text::Expression(inside) => self.expression(inside, available, place).map(Jsonata::Expression),
        }
    }

    fn expression(&mut self, text: &str, available: Available, place: &Place) -> Option<Expression> {
        let expression = match Expression::parse(text) {
            Ok(expression) => expression,
            Err(error) => {
                // What JSONata itself does not refuse, but AWS: references to an input document that is not there.
                let code = match error.code {
                    Some(_) => Code::InvalidJsonataExpression,
                    None => Code::UnsupportedJsonataExpression,
                };
                for message in std::iter::once(error.message).chain(error.further) {
                    self.error(code, place, message);
                }
                return None;
            }
        };
        let reads = expression.reads();
        for (read, allowed, name) in
            [(reads.result, available.result, "result"), (reads.error_output, available.error_output, "errorOutput")]
        {
            if read && !allowed {
                let message = format!("Field '$states.{name}' does not exist.");
                self.error(Code::UnsupportedJsonataExpression, place, message);
            }
        }
        self.reference(reads.variables.iter().cloned(), place);
        Some(expression)
    }

    /// A path on the state's data, the Context object or a variable.
    pub(crate) fn path(&mut self, text: &str, place: &Place) -> Option<Path> {
        match Path::parse(text) {
            Ok(path) => {
                self.reference(path.variables(), place);
                Some(path)
            }
            Err(_) => {
                self.schema(place, "Value must be a valid JSONPath.");
                None
            }
        }
    }

    /// A path that names one value: no filters, slices, wildcards.
    pub(crate) fn reference_path(&mut self, text: &str, place: &Place) -> Option<Path> {
        let path = self.path(text, place)?;
        if !path.is_reference() {
            self.schema(place, "Value is not a Reference Path");
            return None;
        }
        Some(path)
    }
}

impl Fields<'_> {
    /// `InputPath`, `OutputPath`. `None` where it is broken.
    pub(crate) fn selection(&self, field: &str, compiler: &mut Compiler) -> Option<Selection> {
        match self.get(field) {
            None => Some(Selection::All),
            Some(Value::Null) => Some(Selection::Nothing),
            Some(Value::String(text)) => {
                let path = compiler.path(text, &self.at(field))?;
                Some(if path.is_root() { Selection::All } else { Selection::Path(path) })
            }
            Some(_) => {
                expected(compiler, &self.at(field), "STRING");
                None
            }
        }
    }

    /// `ResultPath`. `None` where it is broken.
    pub(crate) fn result_path(&self, compiler: &mut Compiler) -> Option<ResultPath> {
        let place = self.at("ResultPath");
        match self.get("ResultPath") {
            None => Some(ResultPath::Replace),
            Some(Value::Null) => Some(ResultPath::Discard),
            Some(Value::String(text)) => {
                let path = compiler.reference_path(text, &place)?;
                if path.is_root() {
                    return Some(ResultPath::Replace);
                }
                if path.reads_context() || !path.variables().is_empty() {
                    // Source: Amazon States Language; AWS's own wording is not known.
                    compiler.schema(&place, "Value is not a Reference Path: ResultPath must begin with '$'");
                    return None;
                }
                Some(ResultPath::At(path))
            }
            Some(_) => {
                expected(compiler, &place, "STRING");
                None
            }
        }
    }

    /// A `...Path` field: a reference path.
    pub(crate) fn path_field(&self, field: &str, compiler: &mut Compiler) -> Option<Path> {
        let text = self.string(field, compiler)?;
        compiler.reference_path(&text, &self.at(field))
    }

    /// A whole number that may be given as `field`, as a path in `{field}Path` or as an expression.
    ///
    /// The outer `None`: broken. The inner one: absent.
    pub(crate) fn integer_field(
        &self,
        field: &str,
        min: u64,
        max: u64,
        language: QueryLanguage,
        compiler: &mut Compiler,
    ) -> Option<Option<Field<u64>>> {
        self.flexible(field, language, compiler, |value, place, compiler| integer(value, place, min, max, compiler))
    }

    /// A number that may be given as `field`, as a path in `{field}Path` or as an expression.
    pub(crate) fn number_field(
        &self,
        field: &str,
        min: f64,
        max: f64,
        language: QueryLanguage,
        compiler: &mut Compiler,
    ) -> Option<Option<Field<f64>>> {
        self.flexible(field, language, compiler, |value, place, compiler| {
            let Some(number) = value.as_f64() else {
                expected(compiler, place, "NUMBER");
                return None;
            };
            if number < min {
                compiler.schema(place, format!("Minimum value is {min}"));
            }
            if number > max {
                compiler.schema(place, format!("Maximum value is {max}"));
            }
            Some(number.clamp(min, max))
        })
    }

    /// A string that may be given as `field`, as a path (or a call, where `calls`) in `{field}Path`, or as an
    /// expression.
    pub(crate) fn string_field(
        &self,
        field: &str,
        calls: bool,
        language: QueryLanguage,
        compiler: &mut Compiler,
    ) -> Option<Option<Field<Arc<str>>>> {
        let path_field = format!("{field}Path");
        if calls
            && language == QueryLanguage::JsonPath
            && let Some(Value::String(text)) = self.get(&path_field)
            && !text.starts_with('$')
        {
            self.at_most_one(&[field, &path_field], compiler);
            return match Call::parse(text) {
                Ok(call) => {
                    compiler.reference(call.variables(), &self.at(&path_field));
                    Some(Some(Field::Call(call)))
                }
                Err(_) => {
                    let message = format!(
                        "The value for the field '{path_field}' must be a valid JSONPath or a valid intrinsic \
                         function call"
                    );
                    compiler.schema(&self.place, message);
                    None
                }
            };
        }
        self.flexible(field, language, compiler, |value, place, compiler| match value {
            Value::String(text) => Some(text.clone()),
            _ => {
                expected(compiler, place, "STRING");
                None
            }
        })
    }

    fn flexible<T>(
        &self,
        field: &str,
        language: QueryLanguage,
        compiler: &mut Compiler,
        constant: impl FnOnce(&Value, &Place, &mut Compiler) -> Option<T>,
    ) -> Option<Option<Field<T>>> {
        let path_field = format!("{field}Path");
        let place = self.at(field);
        match language {
            QueryLanguage::JsonPath => {
                self.at_most_one(&[field, &path_field], compiler);
                if self.has(&path_field) {
                    return self.path_field(&path_field, compiler).map(|path| Some(Field::Path(path)));
                }
            }
            QueryLanguage::Jsonata => {
                if let Some(Value::String(text)) = self.get(field)
                    && let Jsonata::Expression(expression) = compiler.jsonata(text, Available::default(), &place)?
                {
                    return Some(Some(Field::Jsonata(expression)));
                }
            }
        }
        match self.get(field) {
            None => Some(None),
            Some(value) => constant(value, &place, compiler).map(|value| Some(Field::Constant(value))),
        }
    }
}
