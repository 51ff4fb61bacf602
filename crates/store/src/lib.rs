//! Durable rows.
//!
//! A [`Store`] keeps ordered byte keys in a few named [`Space`]s. One [`Batch`] is one atomic, durable commit. Two
//! stores implement the trait: [`memory`] (keeps nothing) and [`embedded`] (fjall); both pass [`contract`].
//! Absent on purpose: transactions that read, secondary indexes, any knowledge of executions.
