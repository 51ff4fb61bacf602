//! JSON given as an option: text, or `@FILE`.

use stepwell_expr::{Payload, json};

use crate::{exit::BadInput, validate};

/// `what` names it in errors, e.g. `input`.
pub(crate) fn read_json(what: &str, argument: &str) -> anyhow::Result<Payload> {
    let text = match argument.strip_prefix('@') {
        Some(file) => validate::read(file.as_ref())?,
        None => argument.to_owned(),
    };
    json::check(&text).map_err(|error| {
        BadInput(format!("the {what} is not JSON: {error} (line {}, column {})", error.line, error.column))
    })?;
    Ok(Payload::from_checked_text(text))
}
