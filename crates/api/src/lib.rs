//! The AWS Step Functions API: AWS JSON 1.0 over HTTP.
//!
//! A request walks through `http` (bytes to text, within limits), `action` (the target names one of 37 actions),
//! one file of `action/` (its members, checked, become a request of the engine) and back as JSON text. Errors are
//! one enum, mapped once to AWS's codes, statuses and sentences. See the README beside this folder.

mod action;
mod arn;
mod browser;
mod configuration;
mod console;
mod error;
mod fields;
mod history_event;
mod http;
mod kms_key;
pub mod limits;
mod log_group;
mod log_record;
mod machine_view;
mod mocks;
mod name;
mod page;
mod race;
mod result_shapes;
mod routing;
mod scope;
mod status_event;
mod tags;
mod throttle;
mod writer;

pub use http::{Answering, Api, Beside, Options, Pages, serve};
pub use log_record::{log_gap, log_record};
pub use status_event::status_event_detail;
pub use throttle::Throttles;
