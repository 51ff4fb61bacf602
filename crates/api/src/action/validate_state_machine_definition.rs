//! ValidateStateMachineDefinition.

use stepwell_machine::{Diagnostic, Severity, definition::MachineType};

use crate::{
    action::Request, error::Error, fields::DEFINITION, limits::DIAGNOSTICS_MAX, machine_view::MACHINE_TYPES,
    writer::Writer,
};

const SEVERITIES: [(&str, Severity); 2] = [("ERROR", Severity::Error), ("WARNING", Severity::Warning)];

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let mut fields = request.fields()?;
    let definition = fields.required_text("definition", &DEFINITION)?;
    let machine_type = fields.optional_choice("type", &MACHINE_TYPES)?.unwrap_or(MachineType::Standard);
    let least = fields.optional_choice("severity", &SEVERITIES)?.unwrap_or(Severity::Error);
    let limit = fields.optional_integer("maxResults", 0, DIAGNOSTICS_MAX)?;
    fields.check()?;
    let limit = limit.filter(|limit| *limit > 0).unwrap_or(DIAGNOSTICS_MAX);
    let limit = usize::try_from(limit).map_err(|_| Error::Internal)?;
    // A definition of 1 MiB takes a while: not on a thread that serves other connections.
    let engine = request.engine.clone();
    let compiled = tokio::task::spawn_blocking(move || engine.check_definition(&definition, machine_type));
    let compiled = compiled.await.map_err(|_| Error::Internal)?;
    Ok(report(&compiled.diagnostics, least, limit))
}

fn report(diagnostics: &[Diagnostic], least: Severity, limit: usize) -> String {
    let failed = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    let shown: Vec<&Diagnostic> = diagnostics
        .iter()
        .filter(|diagnostic| least == Severity::Warning || diagnostic.severity == Severity::Error)
        .collect();
    let mut answer = Writer::object();
    answer.string("result", if failed { "FAIL" } else { "OK" });
    answer.objects("diagnostics", shown.iter().take(limit), |shown, diagnostic| {
        shown.string("severity", severity_name(diagnostic.severity));
        shown.string("code", diagnostic.code.as_str());
        shown.string("message", &diagnostic.message);
        shown.optional_string("location", diagnostic.location.as_deref());
    });
    answer.bool("truncated", shown.len() > limit);
    answer.end()
}

fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "ERROR",
        Severity::Warning => "WARNING",
    }
}

#[cfg(test)]
mod tests {
    use stepwell_machine::diagnostic::Code;

    use super::*;

    #[test]
    fn reports() {
        let error = |message: &str| Diagnostic {
            severity: Severity::Error,
            code: Code::SchemaValidationFailed,
            message: message.into(),
            location: Some("/States/X".into()),
        };
        let warning =
            Diagnostic { severity: Severity::Warning, code: Code::NoDollar, message: "w".into(), location: None };
        let cases = [
            (vec![], Severity::Error, r#"{"result":"OK","diagnostics":[],"truncated":false}"#),
            (vec![warning.clone()], Severity::Error, r#"{"result":"OK","diagnostics":[],"truncated":false}"#),
            (
                vec![warning.clone()],
                Severity::Warning,
                r#"{"result":"OK","diagnostics":[{"severity":"WARNING","code":"NO_DOLLAR","message":"w"}],"truncated":false}"#,
            ),
            (
                vec![error("a"), warning, error("b")],
                Severity::Error,
                concat!(
                    r#"{"result":"FAIL","diagnostics":[{"severity":"ERROR","code":"SCHEMA_VALIDATION_FAILED","#,
                    r#""message":"a","location":"/States/X"}],"truncated":true}"#
                ),
            ),
        ];
        for (diagnostics, least, expected) in cases {
            assert_eq!(report(&diagnostics, least, 1), expected);
        }
    }
}
