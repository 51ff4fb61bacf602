//! The stored formats: rows to and from the machine's types. Versioned, apart from the types in memory.
