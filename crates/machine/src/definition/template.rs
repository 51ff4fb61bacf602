//! Payload templates of both languages, and `Assign`.

use std::{collections::BTreeSet, sync::Arc};

use stepwell_expr::{Object, Value, intrinsic::Call, java_order, jsonpath::Path};

use crate::{
    definition::{
        compiler::{Compiler, Fields, expected, shown},
        expression::{Available, Jsonata},
        place::Place,
    },
    diagnostic::Code,
    limits::VARIABLE_NAME_CHARS_MAX,
    program::{Assign, Expr, Leaf, QueryLanguage, ScopeId, Template},
};

impl Compiler<'_> {
    /// A template in `language`; `None` where something inside is broken.
    ///
    /// Recursion is bounded by the depth of a JSON value.
    pub(crate) fn template(
        &mut self,
        value: &Value,
        language: QueryLanguage,
        available: Available,
        place: &Place,
    ) -> Option<Template> {
        match language {
            QueryLanguage::JsonPath => self.json_path_template(value, place),
            QueryLanguage::Jsonata => self.jsonata_template(value, available, place),
        }
    }

    /// JSONPath: keys that end in `.$` hold a path or an intrinsic call; all else is literal, and comes first.
    ///
    /// Source of the order: recordings of parameters, item selectors and results; JSONata keeps that of the definition.
    fn json_path_template(&mut self, value: &Value, place: &Place) -> Option<Template> {
        match value {
            Value::Object(members) => {
                let mut broken = !self.no_twins(members, place);
                let mut fields = Vec::with_capacity(members.len());
                let mut evaluated = Vec::new();
                for (key, value) in members.iter() {
                    match key.strip_suffix(".$") {
                        Some(name) => match self.json_path_leaf(key, value, place) {
                            Some(leaf) => evaluated.push((name.into(), Template::Leaf(leaf))),
                            None => broken = true,
                        },
                        None => {
                            let place = place.key(key.clone());
                            self.warn_of_no_dollar(value, &place);
                            match self.json_path_template(value, &place) {
                                Some(template) => fields.push((key.clone(), template)),
                                None => broken = true,
                            }
                        }
                    }
                }
                fields.extend(java_order::ordered(evaluated));
                (!broken).then(|| object_template(value, fields))
            }
            Value::Array(items) => {
                let templates: Vec<Option<Template>> = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.json_path_template(item, &place.index(index)))
                    .collect();
                templates.into_iter().collect::<Option<Vec<_>>>().map(|items| array_template(value, items))
            }
            _ => Some(Template::Literal(value.clone())),
        }
    }

    fn json_path_leaf(&mut self, key: &Arc<str>, value: &Value, object: &Place) -> Option<Leaf> {
        let expression = value.as_str().and_then(|text| {
            if text.starts_with('$') {
                Path::parse(text).ok().map(Expr::Path)
            } else {
                Call::parse(text).ok().map(Expr::Call)
            }
        });
        match &expression {
            Some(Expr::Path(path)) => self.reference(path.variables(), &object.key(key.clone())),
            Some(Expr::Call(call)) => self.reference(call.variables(), &object.key(key.clone())),
            Some(Expr::Jsonata(_)) | None => {}
        }
        if expression.is_none() {
            let message = format!(
                "The value for the field '{}' must be a valid JSONPath or a valid intrinsic function call",
                shown(key)
            );
            self.schema(object, message);
        }
        Some(Leaf { expression: expression?, field: key.clone() })
    }

    /// Reports `x` beside `x.$`; true if there are none. Source: Amazon States Language; the wording is ours.
    fn no_twins(&mut self, members: &Object, place: &Place) -> bool {
        let mut one = true;
        for key in members.keys() {
            if let Some(name) = key.strip_suffix(".$")
                && members.contains_key(name)
            {
                let name = shown(name);
                self.schema(place, format!("There should only be one of the following fields: [{name}, {name}.$]"));
                one = false;
            }
        }
        one
    }

    fn warn_of_no_dollar(&mut self, value: &Value, place: &Place) {
        if value.as_str().is_some_and(looks_like_expression) {
            self.warn(Code::NoDollar, place, "No .$ on a field that appears to be a JSONPath or Intrinsic Function.");
        }
    }

    /// JSONata: every string `{% ... %}` is an expression, at any depth; keys never are.
    fn jsonata_template(&mut self, value: &Value, available: Available, place: &Place) -> Option<Template> {
        match value {
            Value::String(text) => match self.jsonata(text, available, place)? {
                Jsonata::Literal => Some(Template::Literal(value.clone())),
                Jsonata::Expression(expression) => {
                    Some(Template::Leaf(Leaf { expression: Expr::Jsonata(expression), field: place.field() }))
                }
            },
            Value::Object(members) => {
                let fields: Vec<Option<(Arc<str>, Template)>> = members
                    .iter()
                    .map(|(key, value)| {
                        let template = self.jsonata_template(value, available, &place.key(key.clone()))?;
                        Some((key.clone(), template))
                    })
                    .collect();
                fields.into_iter().collect::<Option<Vec<_>>>().map(|fields| object_template(value, fields))
            }
            Value::Array(items) => {
                let templates: Vec<Option<Template>> = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.jsonata_template(item, available, &place.index(index)))
                    .collect();
                templates.into_iter().collect::<Option<Vec<_>>>().map(|items| array_template(value, items))
            }
            _ => Some(Template::Literal(value.clone())),
        }
    }

    /// `Assign`; its top-level keys are names of variables of `scope`.
    pub(crate) fn assign(
        &mut self,
        fields: &Fields,
        scope: ScopeId,
        language: QueryLanguage,
        available: Available,
    ) -> Option<Assign> {
        let Some(value) = fields.get("Assign") else {
            return Some(Assign::new());
        };
        let place = fields.at("Assign");
        let Some(members) = value.as_object() else {
            expected(self, &place, "OBJECT");
            return None;
        };
        let mut names_hold = true;
        let mut seen = BTreeSet::new();
        for key in members.keys() {
            let name = match language {
                QueryLanguage::JsonPath => key.strip_suffix(".$").unwrap_or(key),
                QueryLanguage::Jsonata => key,
            };
            let place = place.key(key.clone());
            names_hold &= self.check_variable_name(name, &place);
            if seen.insert(name) {
                self.assigned.push((scope, name.into(), place));
            }
        }
        let template = self.template(value, language, available, &place)?;
        names_hold.then(|| match template {
            Template::Object(fields) => fields,
            Template::Literal(literal) => literal
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, value)| (name.clone(), Template::Literal(value.clone())))
                .collect(),
            // An object compiles to one of the two above.
            Template::Leaf(_) | Template::Array(_) => Assign::new(),
        })
    }

    /// Source: Amazon States Language (UAX 31, at most 80 characters, `states` is reserved).
    fn check_variable_name(&mut self, name: &str, place: &Place) -> bool {
        let shown = shown(name);
        if name == "states" {
            self.error(Code::ReservedVariableName, place, "Cannot assign to reserved variable '$states'.");
            return false;
        }
        let mut chars = name.chars();
        let starts = chars.next().is_some_and(unicode_ident::is_xid_start);
        if !starts || !chars.all(unicode_ident::is_xid_continue) {
            let message = format!("Invalid variable name '{shown}': the variable name contains invalid characters.");
            self.error(Code::InvalidVariableName, place, message);
            return false;
        }
        if name.chars().count() > VARIABLE_NAME_CHARS_MAX {
            let message = format!(
                "Invalid variable name '{shown}': the variable name exceeds the {VARIABLE_NAME_CHARS_MAX}-character \
                 limit allowed by the service."
            );
            self.error(Code::InvalidVariableName, place, message);
            return false;
        }
        true
    }
}

/// An object without anything to evaluate inside is a literal.
fn object_template(value: &Value, fields: Vec<(Arc<str>, Template)>) -> Template {
    if fields.iter().all(|(_, template)| matches!(template, Template::Literal(_))) {
        return Template::Literal(value.clone());
    }
    Template::Object(fields)
}

fn array_template(value: &Value, items: Vec<Template>) -> Template {
    if items.iter().all(|template| matches!(template, Template::Literal(_))) {
        return Template::Literal(value.clone());
    }
    Template::Array(items)
}

/// A path or an intrinsic call by its first letters. Prices such as `$5` do not look like one.
pub(crate) fn looks_like_expression(text: &str) -> bool {
    looks_like_path(text) || (text.starts_with("States.") && text.ends_with(')'))
}

/// `$`, `$.x`, `$[0]`, `$$.Execution`.
pub(crate) fn looks_like_path(text: &str) -> bool {
    text == "$" || ["$.", "$[", "$$."].iter().any(|beginning| text.starts_with(beginning))
}

/// True if any string inside, at any depth, looks like a path.
pub(crate) fn holds_path(value: &Value) -> bool {
    match value {
        Value::String(text) => looks_like_path(text),
        Value::Array(items) => items.iter().any(holds_path),
        Value::Object(members) => members.values().any(holds_path),
        _ => false,
    }
}
