//! Filters: `[?(@.price < 10 && @.tags anyof ['a'])]`.

use std::sync::Arc;

use regex::Regex;

use crate::{
    Value,
    jsonpath::{
        Path, compare,
        read::{Reader, Stop},
    },
};

/// What a filter tests of each item.
#[derive(Clone, Debug)]
pub(crate) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    /// `@.a`: something is there, be it `null`.
    Exists(Path),
    Compare {
        left: Operand,
        operator: Operator,
        right: Operand,
    },
}

#[derive(Clone, Debug)]
pub(crate) enum Operand {
    Value(Value),
    Pattern(Regex),
    Path(Path),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    SameTypeEqual,
    SameTypeNotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Matches,
    In,
    NotIn,
    SubsetOf,
    AnyOf,
    NoneOf,
    All,
    Contains,
    Size,
    Empty,
}

/// An operand when it is evaluated; a path that finds nothing is undefined.
pub(super) enum Side<'f> {
    Undefined,
    Value(Value),
    Pattern(&'f Regex),
}

impl Filter {
    /// Tests `item`. A comparison that Jayway refuses at run time does not hold.
    pub(super) fn holds(&self, reader: &Reader<'_>, item: &Value) -> Result<bool, Stop> {
        reader.environment.fuel().burn(u64::from(self.is_costly()))?;
        match self {
            Filter::And(all) => {
                for one in all {
                    if !one.holds(reader, item)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Filter::Or(any) => {
                for one in any {
                    if one.holds(reader, item)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Filter::Not(inner) => Ok(!inner.holds(reader, item)?),
            Filter::Exists(path) => match reader.requiring().inner(path, item) {
                Ok(_) => Ok(true),
                Err(Stop::Missing(_) | Stop::Invalid(_)) => Ok(false),
                Err(stop) => Err(stop),
            },
            Filter::Compare { left, operator, right } => {
                let left = left.side(reader, item)?;
                let right = right.side(reader, item)?;
                compare::holds(reader, &left, *operator, &right)
            }
        }
    }

    /// True for what takes about a microsecond or more.
    fn is_costly(&self) -> bool {
        matches!(self, Filter::Compare { .. } | Filter::Exists(_))
    }

    pub(super) fn collect_variables(&self, names: &mut Vec<Arc<str>>) {
        match self {
            Filter::And(filters) | Filter::Or(filters) => {
                for filter in filters {
                    filter.collect_variables(names);
                }
            }
            Filter::Not(filter) => filter.collect_variables(names),
            Filter::Exists(path) => path.collect_variables(names),
            Filter::Compare { left, right, .. } => {
                for operand in [left, right] {
                    if let Operand::Path(path) = operand {
                        path.collect_variables(names);
                    }
                }
            }
        }
    }
}

impl Operand {
    fn side(&self, reader: &Reader<'_>, item: &Value) -> Result<Side<'_>, Stop> {
        match self {
            Operand::Value(value) => Ok(Side::Value(value.clone())),
            Operand::Pattern(pattern) => Ok(Side::Pattern(pattern)),
            Operand::Path(path) => match reader.inner(path, item) {
                Ok(value) => Ok(Side::Value(value)),
                Err(Stop::Missing(_) | Stop::Invalid(_)) => Ok(Side::Undefined),
                Err(stop) => Err(stop),
            },
        }
    }
}
