//! Pass: hands its input on, shaped or replaced.

use stepwell_expr::Payload;

use crate::program::Transition;

#[derive(Clone, Debug)]
pub struct Pass {
    /// JSONPath `Result`, compact.
    pub result: Option<Payload>,
    pub transition: Transition,
}
