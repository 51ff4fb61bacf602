//! The Context object: `$$`, `$states.context`.
