//! Whose a state machine or an activity is: an account in a region.

use std::sync::Arc;

use crate::limits::REGION_BYTES_MAX;

/// An account in a region. A clone is a pointer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner(Arc<Parts>);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Parts {
    arn_prefix: Box<str>,
    region: Arc<str>,
    account: Box<str>,
}

impl Owner {
    /// An account in a region, in the partition of that region.
    pub fn new(region: &str, account: &str) -> Owner {
        Owner::within(partition(region), region, account)
    }

    pub(crate) fn within(partition: &str, region: &str, account: &str) -> Owner {
        let arn_prefix = format!("arn:{partition}:states:{region}:{account}").into();
        Owner(Arc::new(Parts { arn_prefix, region: region.into(), account: account.into() }))
    }

    /// Whose a resource is. `None`: it is no ARN of Step Functions.
    pub fn of_arn(arn: &str) -> Option<Owner> {
        let mut parts = arn.split(':');
        match [parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?] {
            ["arn", partition, "states", region, account] => Some(Owner::within(partition, region, account)),
            _ => None,
        }
    }

    /// `arn:PARTITION:states:REGION:ACCOUNT`, the beginning of its ARNs.
    pub fn arn_prefix(&self) -> &str {
        &self.0.arn_prefix
    }

    pub fn region(&self) -> &Arc<str> {
        &self.0.region
    }

    /// Twelve digits.
    pub fn account(&self) -> &str {
        &self.0.account
    }

    pub fn partition(&self) -> &str {
        self.0.arn_prefix.split(':').nth(1).unwrap_or_default()
    }

    /// Whether an ARN is of this owner.
    pub fn has(&self, arn: &str) -> bool {
        arn.strip_prefix(self.arn_prefix()).is_some_and(|rest| rest.starts_with(':'))
    }
}

/// Whether a text can be the name of a region: AWS's own, and those that people make up for their emulators.
pub fn is_region(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !text.is_empty() && text.len() <= REGION_BYTES_MAX && text.bytes().all(plain)
}

/// Whether a text can be an account: twelve digits.
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Source: the AWS SDKs' `partitions.json`.
fn partition(region: &str) -> &'static str {
    const PARTITIONS: [(&str, &str); 7] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-isof-", "aws-iso-f"),
        ("eusc-", "aws-eusc"),
    ];
    PARTITIONS.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or(USUAL_PARTITION, |(_, name)| name)
}

/// The partition of most regions.
pub(crate) const USUAL_PARTITION: &str = "aws";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_what_arns_begin_with() {
        let owner = Owner::new("eu-west-1", "111122223333");
        assert_eq!(owner.arn_prefix(), "arn:aws:states:eu-west-1:111122223333");
        assert_eq!((&**owner.region(), owner.account(), owner.partition()), ("eu-west-1", "111122223333", "aws"));
        assert_eq!(Owner::of_arn("arn:aws:states:eu-west-1:111122223333:activity:a"), Some(owner.clone()));
        assert!(owner.has("arn:aws:states:eu-west-1:111122223333:stateMachine:m"));
        assert!(!owner.has("arn:aws:states:eu-west-1:1111222233334:stateMachine:m"));
        assert!(!owner.has("arn:aws:states:eu-west-2:111122223333:stateMachine:m"));
        for arn in ["", "arn:aws:states:eu-west-1", "arn:aws:lambda:eu-west-1:111122223333:function:f"] {
            assert_eq!(Owner::of_arn(arn), None, "{arn}");
        }
    }

    #[test]
    fn some_regions_have_partitions_of_their_own() {
        let of = |region| Owner::new(region, "1").partition().to_owned();
        assert_eq!(
            ["us-east-1", "cn-north-1", "us-gov-west-1", "local"].map(of),
            ["aws", "aws-cn", "aws-us-gov", "aws"]
        );
    }

    #[test]
    fn regions_and_accounts_are_bounded() {
        assert!(["us-east-1", "local", "Antarctica1", &"r".repeat(32)].into_iter().all(is_region));
        assert!(!["", "us east", "eu_west", "a:b", "ü", &"r".repeat(33)].into_iter().any(is_region));
        assert!(is_account("000000000000"));
        assert!(!["", "12345678901", "1234567890123", "12345678901a"].into_iter().any(is_account));
    }
}
