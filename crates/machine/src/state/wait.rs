//! Wait: sleeps for a time or until a time.

use std::sync::Arc;

use crate::program::{Field, Transition};

#[derive(Clone, Debug)]
pub struct Wait {
    pub until: Until,
    pub transition: Transition,
}

#[derive(Clone, Debug)]
pub enum Until {
    /// `Seconds`, `SecondsPath`.
    Seconds(Field<u64>),
    /// `Timestamp`, `TimestampPath`: RFC 3339 with `T` and an offset.
    Timestamp(Field<Arc<str>>),
}
