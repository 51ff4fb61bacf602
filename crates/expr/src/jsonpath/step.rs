//! The steps of a compiled path.

use std::{fmt::Write, sync::Arc};

use crate::jsonpath::{filter::Filter, function::Function};

/// One step from a value to its children.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// `.name`, `['name']`
    Name(Arc<str>),
    /// `['a','b']`: as the last step one object with those that exist, else each in turn.
    Names(Vec<Arc<str>>),
    /// `[n]`, from the end where negative.
    Index(i64),
    /// `[0,1]`
    Indexes(Vec<i64>),
    /// `[from:to]`; not both are absent.
    Slice { from: Option<i64>, to: Option<i64> },
    /// `.*`, `[*]`
    Wildcard,
    /// `..`: what follows is looked for at every depth.
    Descend,
    /// `[?(...)]`
    Filter(Arc<Filter>),
    /// `.length()` and others; only at the end.
    Function(Arc<Function>),
}

impl Step {
    /// True if it selects one value at most. `last`: no selecting step follows it.
    pub(super) fn is_definite(&self, last: bool) -> bool {
        match self {
            Step::Name(_) | Step::Index(_) | Step::Function(_) => true,
            Step::Names(_) => last,
            Step::Indexes(_) | Step::Slice { .. } | Step::Wildcard | Step::Descend | Step::Filter(_) => false,
        }
    }

    pub(super) fn collect_variables(&self, names: &mut Vec<Arc<str>>) {
        match self {
            Step::Filter(filter) => filter.collect_variables(names),
            Step::Function(function) => function.collect_variables(names),
            Step::Name(_)
            | Step::Names(_)
            | Step::Index(_)
            | Step::Indexes(_)
            | Step::Slice { .. }
            | Step::Wildcard
            | Step::Descend => {}
        }
    }

    /// Appends the step as Jayway prints it in messages: `['a']`, `[0]`, `[?]`.
    fn print(&self, out: &mut String) {
        let number = |number: &Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
        match self {
            Step::Name(name) => print_names(out, std::slice::from_ref(name)),
            Step::Names(names) => print_names(out, names),
            Step::Index(index) => print(out, format_args!("[{index}]")),
            Step::Indexes(indexes) => {
                let indexes: Vec<String> = indexes.iter().map(i64::to_string).collect();
                print(out, format_args!("[{}]", indexes.join(",")));
            }
            Step::Slice { from, to } => print(out, format_args!("[{}:{}]", number(from), number(to))),
            Step::Wildcard => out.push_str("[*]"),
            Step::Descend => out.push_str(".."),
            Step::Filter(_) => out.push_str("[?]"),
            Step::Function(function) => {
                let arguments = if function.arguments.is_empty() { "" } else { "..." };
                print(out, format_args!(".{}({arguments})", function.name.text()));
            }
        }
    }
}

fn print(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to a String does not fail");
}

fn print_names(out: &mut String, names: &[Arc<str>]) {
    let quoted: Vec<String> =
        names.iter().map(|name| format!("'{}'", name.replace('\\', "\\\\").replace('\'', "\\'"))).collect();
    print(out, format_args!("[{}]", quoted.join(",")));
}

/// The steps as Jayway prints a path: `$['a'][0]`.
pub(super) fn canonical(steps: &[Step]) -> String {
    let mut text = String::from("$");
    for step in steps {
        step.print(&mut text);
    }
    text
}

/// The steps alone, e.g. `[0]['a']`.
pub(super) fn fragments(steps: &[Step]) -> String {
    canonical(steps).split_off(1)
}
