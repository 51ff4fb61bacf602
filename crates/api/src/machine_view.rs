//! What is shown of a state machine in more than one answer.

use stepwell_engine::{Qualifier, StateMachine};
use stepwell_machine::definition::MachineType;

use crate::{error::Error, fields::Fields, writer::Writer};

/// `STANDARD` and `EXPRESS`, in the order in which AWS lists them.
pub(crate) const MACHINE_TYPES: [(&str, MachineType); 2] =
    [("STANDARD", MachineType::Standard), ("EXPRESS", MachineType::Express)];

/// The member `includedData` of the Describe actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IncludedData {
    All,
    MetadataOnly,
}

impl IncludedData {
    pub(crate) fn read(fields: &mut Fields<'_>) -> Result<IncludedData, Error> {
        const CHOICES: [(&str, IncludedData); 2] =
            [("ALL_DATA", IncludedData::All), ("METADATA_ONLY", IncludedData::MetadataOnly)];
        Ok(fields.optional_choice("includedData", &CHOICES)?.unwrap_or(IncludedData::All))
    }
}

pub(crate) fn machine_type_name(machine_type: MachineType) -> &'static str {
    match machine_type {
        MachineType::Standard => "STANDARD",
        MachineType::Express => "EXPRESS",
    }
}

/// Writes the version and the alias through which an execution was started, if it was.
pub(crate) fn write_qualifier(answer: &mut Writer, state_machine_arn: &str, qualifier: Option<&Qualifier>) {
    let Some(qualifier) = qualifier else { return };
    let (version, alias) = qualifier.arns(state_machine_arn);
    answer.string("stateMachineVersionArn", &version);
    answer.optional_string("stateMachineAliasArn", alias.as_deref());
}

/// Writes name, definition, role, configuration, revision and variable references.
///
/// Without data the definition is `{}` and the references are left out. Source: API reference, `includedData`.
pub(crate) fn write(answer: &mut Writer, machine: &StateMachine, included: IncludedData) {
    let with_data = included == IncludedData::All;
    answer.string("name", &machine.name);
    answer.string("definition", if with_data { &machine.definition } else { "{}" });
    answer.string("roleArn", &machine.role_arn);
    answer.value("loggingConfiguration", &machine.logging);
    answer.value("tracingConfiguration", &machine.tracing);
    answer.value("encryptionConfiguration", &machine.encryption);
    answer.optional_string("revisionId", machine.revision_id.as_deref());
    let references = &machine.program.variable_references;
    if with_data && !references.is_empty() {
        answer.member_object("variableReferences", |states| {
            for (state, variables) in references {
                states.strings(state, variables.iter().map(|variable| &**variable));
            }
        });
    }
}
