//! Succeed: ends its scope with its input as output.

#[derive(Clone, Debug)]
pub struct Succeed {}
