//! The Amazon States Language: a definition compiled once, an execution stepped by events.
