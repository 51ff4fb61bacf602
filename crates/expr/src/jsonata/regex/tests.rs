//! Regular expressions against JavaScript's. A line of `cases.jsonl` is a pattern, its flags, a text, and what V8 finds
//! in it: the bytes where the match begins and ends, then what each group captured.

use super::{Regex, Scratch};
use crate::jsonata::budget::{Budget, Stop};
use crate::{Value, json};

fn budget() -> Budget {
    Budget::new(1_000_000)
}

fn found(pattern: &str, flags: &str, text: &str) -> Value {
    let regex = Regex::new(pattern, flags).unwrap_or_else(|why| panic!("/{pattern}/: {why}"));
    let found = regex.find(text, 0, &mut Scratch::default(), &mut budget()).unwrap();
    let Some(found) = found else {
        return Value::Null;
    };
    let bound = |byte: usize| Value::from(byte as i64);
    let groups = found.groups.into_iter().map(|group| group.map_or(Value::Null, |at| Value::from(&text[at])));
    Value::array([bound(found.at.start), bound(found.at.end)].into_iter().chain(groups).collect())
}

#[test]
fn as_javascript_matches() {
    let mut wrong = Vec::new();
    for line in include_str!("cases.jsonl").lines() {
        let case = json::parse(line).unwrap();
        let [Value::String(pattern), Value::String(flags), Value::String(text), expected] = case.as_array().unwrap()
        else {
            panic!("a case has four parts: {line}");
        };
        let found = found(pattern, flags, text);
        if found != *expected {
            wrong.push(format!("{line} gave {found}"));
        }
    }
    assert!(wrong.is_empty(), "{} cases: {wrong:#?}", wrong.len());
}

#[test]
fn what_is_no_pattern_is_refused() {
    for pattern in
        ["(", ")", "[", "a**", "*", "+", "a{2,1}", "[b-a]", "\\", "(?a)", "(?<>a)", "(?<a", "a{1001}", "(?<a>b)\\k<c>"]
    {
        assert!(Regex::new(pattern, "").is_err(), "{pattern}");
    }
    let deep = "(".repeat(10_000) + "a" + &")".repeat(10_000);
    assert!(Regex::new(&deep, "").is_err(), "too deep");
    assert!(Regex::new(&"(?:a{1000}){1000}".repeat(3), "").is_err(), "too large");
}

/// However quantifiers are nested, the work is bounded by the lengths of text and pattern.
#[test]
fn work_is_linear() {
    let text = "a".repeat(20_000) + "c";
    let units = |pattern: &str, text: &str| {
        let mut budget = budget();
        let regex = Regex::new(pattern, "").unwrap();
        regex.find(text, 0, &mut Scratch::default(), &mut budget).unwrap();
        budget.burned()
    };
    for pattern in
        ["^(a+)+b", "(a*)*b", "(a|a)*b", "(a|aa)+b", "a*a*a*a*b", "(.*)(.*)(.*)x", "(?:(?:a+)+)+b", "(a?){20}b"]
    {
        let (half, whole) = (units(pattern, &text[10_000..]), units(pattern, &text));
        assert!(whole < 3 * half, "{pattern}: {half} units for half the text, {whole} for all of it");
        assert!(whole < 100_000, "{pattern}: {whole} units");
    }
}

#[test]
fn what_cannot_be_linear_ends() {
    let mut budget = Budget::new(10_000);
    let regex = Regex::new("(a+)+\\1b", "").unwrap();
    let stopped = regex.find(&"a".repeat(1_000), 0, &mut Scratch::default(), &mut budget);
    assert!(matches!(stopped, Err(Stop::OutOfFuel)));
}
