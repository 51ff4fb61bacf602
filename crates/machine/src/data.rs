//! How data flows through a state, in both languages.
