//! Amazon Resource Names: which kind one is, and what it names.
//!
//! `arn:PARTITION:states:REGION:ACCOUNT:TYPE:REST`. An ARN names its resource whoever asks: an account and region in
//! which there is nothing have nothing of that name.
//!
//! Differs from AWS: there, what is in another region, or in another account without a role of it, is not reached.

use std::sync::Arc;

use crate::error::{Error, Reason};

/// An ARN of the service: its resource type and what follows it.
struct Resource<'t> {
    kind: &'t str,
    /// The parts after the type, up to the next colon each.
    parts: Vec<&'t str>,
}

/// A state machine's ARN, and what it is qualified by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StateMachineArn<'t> {
    Plain,
    /// `...:NAME:1`
    Version {
        machine: &'t str,
        number: u64,
    },
    /// `...:NAME:PROD`
    Alias {
        machine: &'t str,
        name: &'t str,
    },
    /// `...:NAME/LABEL`: the children of a distributed Map.
    Labelled,
}

/// Checks the ARN of a state machine, also a qualified one.
pub(crate) fn state_machine(arn: &str) -> Result<StateMachineArn<'_>, Error> {
    let resource = parse(arn)?;
    resource.expect_kind(&["stateMachine"])?;
    match resource.parts.as_slice() {
        [name] if name.contains('/') => Ok(StateMachineArn::Labelled),
        [_] => Ok(StateMachineArn::Plain),
        [_, qualifier] => {
            let machine = &arn[..arn.len() - qualifier.len() - 1];
            let number = qualifier.parse().ok().filter(|number: &u64| number.to_string() == **qualifier);
            Ok(match number {
                Some(number) => StateMachineArn::Version { machine, number },
                None => StateMachineArn::Alias { machine, name: qualifier },
            })
        }
        _ => Err(malformed(arn)),
    }
}

/// The state machine whose ARN a label may follow.
pub(crate) fn unlabelled(arn: &str) -> &str {
    arn.split_once('/').map_or(arn, |(machine, _)| machine)
}

/// The answer of calls that refuse the ARN of a distributed Map's children. The sentence is ours.
pub(crate) fn labelled_not_supported(arn: &str) -> Error {
    Error::Validation {
        message: format!("This API does not support labeled state machine ARNs: '{arn}'"),
        reason: Some(Reason::ApiDoesNotSupportLabeledArns),
    }
}

/// Checks the ARN of a Standard execution.
pub(crate) fn execution(arn: &str) -> Result<(), Error> {
    let resource = parse(arn)?;
    resource.expect_kind(&["execution"])?;
    if resource.parts.len() == 2 { Ok(()) } else { Err(malformed(arn)) }
}

/// Checks the ARN of an execution that DescribeExecution knows: a Standard one, or an Express child execution of a Map Run
/// (`...:express:NAME/LABEL:NAME:UUID`), of which it answers true. Source: API reference, DescribeExecution.
pub(crate) fn described_execution(arn: &str) -> Result<bool, Error> {
    let resource = parse(arn)?;
    match resource.parts.as_slice() {
        [machine, _, _] if resource.kind == "express" && machine.contains('/') => Ok(true),
        _ => execution(arn).map(|()| false),
    }
}

/// Checks the ARN of a Map Run: `...:mapRun:NAME/LABEL:UUID`.
pub(crate) fn map_run(arn: &str) -> Result<(), Error> {
    let resource = parse(arn)?;
    resource.expect_kind(&["mapRun"])?;
    match resource.parts.as_slice() {
        [labelled, _] if labelled.contains('/') => Ok(()),
        _ => Err(malformed(arn)),
    }
}

/// Checks the ARN of an activity.
pub(crate) fn activity(arn: &str) -> Result<(), Error> {
    let resource = parse(arn)?;
    resource.expect_kind(&["activity"])?;
    if resource.parts.len() == 1 { Ok(()) } else { Err(malformed(arn)) }
}

/// Checks the ARN of something that has tags: a state machine (not a version or alias) or an activity.
pub(crate) fn taggable(arn: &Arc<str>) -> Result<(), Error> {
    let resource = parse(arn)?;
    resource.expect_kind(&["stateMachine", "activity"])?;
    if resource.parts.len() == 1 { Ok(()) } else { Err(Error::ResourceNotFound(arn.clone())) }
}

/// Checks the ARN of a role, which is of another service: it need only be an ARN.
pub(crate) fn role(arn: &str) -> Result<(), Error> {
    if arn.starts_with("arn:") { Ok(()) } else { Err(bad_prefix(arn)) }
}

fn parse(arn: &str) -> Result<Resource<'_>, Error> {
    let Some(rest) = arn.strip_prefix("arn:") else {
        return Err(bad_prefix(arn));
    };
    let mut parts = rest.split(':');
    let head = [parts.next(), parts.next(), parts.next(), parts.next(), parts.next()];
    let [Some(partition), Some("states"), Some(region), Some(account), Some(kind)] = head else {
        return Err(malformed(arn));
    };
    let parts: Vec<&str> = parts.collect();
    if [partition, region, account, kind].contains(&"") || parts.is_empty() || parts.contains(&"") {
        return Err(malformed(arn));
    }
    Ok(Resource { kind, parts })
}

impl Resource<'_> {
    fn expect_kind(&self, kinds: &[&str]) -> Result<(), Error> {
        if kinds.contains(&self.kind) {
            return Ok(());
        }
        Err(Error::InvalidArn(format!("Resource type not valid in this context: {}", self.kind)))
    }
}

fn bad_prefix(arn: &str) -> Error {
    Error::InvalidArn(format!("Invalid ARN prefix: {arn}"))
}

/// The sentence is ours.
fn malformed(arn: &str) -> Error {
    Error::InvalidArn(format!("Invalid ARN: {arn}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFIX: &str = "arn:aws:states:us-east-1:123456789012";

    #[test]
    fn state_machines() {
        let machine = format!("{PREFIX}:stateMachine:M");
        let cases = [
            ("stateMachine:M", Ok(StateMachineArn::Plain)),
            ("stateMachine:M:1", Ok(StateMachineArn::Version { machine: &machine, number: 1 })),
            ("stateMachine:M:PROD", Ok(StateMachineArn::Alias { machine: &machine, name: "PROD" })),
            ("stateMachine:M:01", Ok(StateMachineArn::Alias { machine: &machine, name: "01" })),
            ("stateMachine:M/L", Ok(StateMachineArn::Labelled)),
            ("execution:M:E", Err("Invalid Arn: 'Resource type not valid in this context: execution'")),
            ("activity:A", Err("Invalid Arn: 'Resource type not valid in this context: activity'")),
        ];
        for (tail, expected) in cases {
            let arn = format!("{PREFIX}:{tail}");
            let found = state_machine(&arn);
            assert_eq!(found.map_err(|error| error.to_string()), expected.map_err(str::to_string), "{tail}");
        }
    }

    #[test]
    fn other_kinds() {
        let express = "Invalid Arn: 'Resource type not valid in this context: express'";
        type Check = fn(&str) -> Result<(), Error>;
        let cases: [(Check, &str, Option<&str>); 8] = [
            (execution, "execution:M:E", None),
            (execution, "execution:M/L:E", None),
            (execution, "express:M:E:U", Some(express)),
            (execution, "mapRun:M/L:U", Some("Invalid Arn: 'Resource type not valid in this context: mapRun'")),
            (activity, "activity:A", None),
            (activity, "stateMachine:A", Some("Invalid Arn: 'Resource type not valid in this context: stateMachine'")),
            (|arn| taggable(&arn.into()), "stateMachine:M", None),
            (|arn| taggable(&arn.into()), "activity:A", None),
        ];
        for (check, tail, expected) in cases {
            let found = check(&format!("{PREFIX}:{tail}")).err().map(|error| error.to_string());
            assert_eq!(found.as_deref(), expected, "{tail}");
        }
    }

    #[test]
    fn what_is_no_arn() {
        for text in ["", "x", "no_an_activity_arn", "Arn:aws:states:r:a:activity:A"] {
            let expected = format!("Invalid Arn: 'Invalid ARN prefix: {text}'");
            assert_eq!(activity(text).unwrap_err().to_string(), expected);
        }
        for text in [
            "arn:",
            "arn:aws:states",
            "arn:aws:lambda:us-east-1:123456789012:function:f",
            "arn:aws:states:us-east-1:123456789012:activity",
            "arn:aws:states:us-east-1:123456789012:activity:",
            "arn:aws:states:us-east-1:123456789012:activity:a:b",
            "arn:aws:states::123456789012:activity:a",
        ] {
            assert_eq!(activity(text).unwrap_err().to_string(), format!("Invalid Arn: 'Invalid ARN: {text}'"));
        }
    }

    #[test]
    fn a_version_has_no_tags() {
        let arn: Arc<str> = format!("{PREFIX}:stateMachine:M:1").into();
        assert_eq!(taggable(&arn), Err(Error::ResourceNotFound(arn.clone())));
    }
}
