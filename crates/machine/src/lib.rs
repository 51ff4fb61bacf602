//! The Amazon States Language: a definition compiled once, an execution stepped by events.
//!
//! [`definition::compile`] turns text into a [`Program`], or into every [`Diagnostic`]. [`step()`] advances an
//! [`Execution`] by one [`Event`] and answers with a [`Step`]: changed frames, history events and [`Effect`]s.
//! Pure: what it may know is given to it, what it wants done is returned. Time comes in a [`Moment`], chance from the
//! execution's own root; recursion, loops and payloads are bounded in [`limits`].

mod chance;
mod context;
mod data;
pub mod definition;
pub mod diagnostic;
pub mod effect;
pub mod event;
pub mod execution;
pub mod failure;
pub mod held;
pub mod history;
pub mod limits;
pub mod map_run;
pub mod mock;
pub mod program;
pub mod retry;
pub mod root;
pub mod state;
pub mod step;
pub mod timestamp;
pub mod trial;

pub use diagnostic::{Diagnostic, Severity};
pub use effect::{Effect, TaskOutcome, TaskRequest};
pub use event::{Event, Moment};
pub use execution::{
    Child, Execution, ExpressStart, Frame, FrameId, Header, Identity, Qualifier, Redrives, Status, TaskId, Workflow,
};
pub use failure::Failure;
pub use held::HeldTask;
pub use history::{EventId, HistoryEvent};
pub use map_run::{MapRunItem, MapRunOutcome, MapRunRequest, MapRunWait};
pub use mock::TestCase;
pub use program::{Program, StateId};
pub use step::{Step, Stepped, step};
