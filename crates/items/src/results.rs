//! What a ResultWriter writes: entries of result files, and the manifest that names the files.
//!
//! Source: Step Functions guide, "ResultWriter".

use jiff::Timestamp;
use stepwell_expr::{Payload, Value, json};

/// How outcomes are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriterConfig {
    pub transformation: Transformation,
    pub output_type: OutputType,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transformation {
    /// With what is known of the child execution.
    #[default]
    None,
    /// The output alone.
    Compact,
    /// The output alone; of an array, its elements.
    Flatten,
}

impl Transformation {
    /// By AWS's name, `COMPACT`.
    pub fn named(name: &str) -> Option<Transformation> {
        Some(match name {
            "NONE" => Transformation::None,
            "COMPACT" => Transformation::Compact,
            "FLATTEN" => Transformation::Flatten,
            _ => return None,
        })
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputType {
    /// An array in each file.
    #[default]
    Json,
    /// A line for each entry.
    JsonLines,
}

impl OutputType {
    /// By AWS's name, `JSONL`.
    pub fn named(name: &str) -> Option<OutputType> {
        Some(match name {
            "JSON" => OutputType::Json,
            "JSONL" => OutputType::JsonLines,
            _ => return None,
        })
    }

    /// What names of files end with.
    pub fn extension(self) -> &'static str {
        match self {
            OutputType::Json => "json",
            OutputType::JsonLines => "jsonl",
        }
    }

    /// What stands before the first entry, between two, and after the last.
    pub fn around(self) -> (&'static str, &'static str, &'static str) {
        match self {
            OutputType::Json => ("[", ",", "]"),
            OutputType::JsonLines => ("", "\n", "\n"),
        }
    }
}

/// How a child execution ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Succeeded,
    Failed,
    TimedOut,
    Aborted,
    /// It was not started before the Map Run ended.
    Pending,
}

impl Status {
    /// AWS's name.
    pub fn name(self) -> &'static str {
        match self {
            Status::Succeeded => "SUCCEEDED",
            Status::Failed => "FAILED",
            Status::TimedOut => "TIMED_OUT",
            Status::Aborted => "ABORTED",
            Status::Pending => "PENDING",
        }
    }

    /// Which files it is written to.
    pub fn group(self) -> Group {
        match self {
            Status::Succeeded => Group::Succeeded,
            Status::Failed | Status::TimedOut | Status::Aborted => Group::Failed,
            Status::Pending => Group::Pending,
        }
    }
}

/// Result files of one kind; in the order in which the manifest names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Failed,
    Pending,
    Succeeded,
}

impl Group {
    pub const ALL: [Group; 3] = [Group::Failed, Group::Pending, Group::Succeeded];

    /// What names of files begin with.
    pub fn name(self) -> &'static str {
        match self {
            Group::Failed => "FAILED",
            Group::Pending => "PENDING",
            Group::Succeeded => "SUCCEEDED",
        }
    }
}

/// How one child execution ended, with all that a result file may say of it. Times are milliseconds since 1970.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub status: Status,
    /// `None` where no execution was started.
    pub execution_arn: Option<String>,
    pub name: Option<String>,
    pub state_machine_arn: String,
    pub input: Payload,
    /// Of one that succeeded.
    pub output: Option<Payload>,
    pub error: Option<String>,
    pub cause: Option<String>,
    pub start_ms: Option<i64>,
    pub stop_ms: Option<i64>,
    pub redrive: Option<Redrive>,
}

#[derive(Clone, Debug)]
pub struct Redrive {
    pub count: u32,
    /// `NOT_REDRIVABLE`, `REDRIVABLE`, ...
    pub status: String,
    pub reason: Option<String>,
}

/// Writes the entries of an outcome: one, or with `FLATTEN` as many as its output has elements.
///
/// What did not succeed is written unchanged, as with `NONE`.
pub fn entries(outcome: &Outcome, transformation: Transformation, mut entry: impl FnMut(&str)) {
    match (&outcome.output, transformation, outcome.status) {
        (Some(output), Transformation::Compact, Status::Succeeded) => entry(output.text()),
        (Some(output), Transformation::Flatten, Status::Succeeded) => match output.value().as_array() {
            Some(items) => items.iter().for_each(|item| entry(&json::to_text(item))),
            None => entry(output.text()),
        },
        _ => entry(&described(outcome)),
    }
}

/// Members come in the order of their names.
fn described(outcome: &Outcome) -> String {
    let mut text =
        String::with_capacity(512 + outcome.input.bytes() + outcome.output.as_ref().map_or(0, Payload::bytes));
    let mut members = Members { text: &mut text, is_first: true };
    members.text("Cause", outcome.cause.as_deref());
    members.text("Error", outcome.error.as_deref());
    members.text("ExecutionArn", outcome.execution_arn.as_deref());
    members.text("Input", Some(outcome.input.text()));
    members.plain("InputDetails", Some(r#"{"Included":true}"#));
    members.text("Name", outcome.name.as_deref());
    members.text("Output", outcome.output.as_ref().map(|output| &**output.text()));
    members.plain("OutputDetails", outcome.output.as_ref().map(|_| r#"{"Included":true}"#));
    if let Some(Redrive { count, status, reason }) = &outcome.redrive {
        members.plain("RedriveCount", Some(&count.to_string()));
        members.text("RedriveStatus", Some(status));
        members.text("RedriveStatusReason", reason.as_deref());
    }
    members.text("StartDate", outcome.start_ms.map(date).as_deref());
    members.text("StateMachineArn", Some(&outcome.state_machine_arn));
    members.text("Status", Some(outcome.status.name()));
    members.text("StopDate", outcome.stop_ms.map(date).as_deref());
    text.push('}');
    text
}

struct Members<'t> {
    text: &'t mut String,
    is_first: bool,
}

impl Members<'_> {
    fn text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.begin(name);
            json::write_string(self.text, value);
        }
    }

    /// JSON as it is.
    fn plain(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.begin(name);
            self.text.push_str(value);
        }
    }

    fn begin(&mut self, name: &str) {
        self.text.push(if self.is_first { '{' } else { ',' });
        self.is_first = false;
        json::write_string(self.text, name);
        self.text.push(':');
    }
}

/// `2026-03-14T09:26:53.589Z`.
fn date(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |time| format!("{time:.3}"))
}

/// A result file that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultFile {
    pub group: Group,
    pub key: String,
    /// In bytes.
    pub size: u64,
}

/// The text of `manifest.json`.
pub fn manifest(bucket: &str, map_run_arn: &str, files: &[ResultFile]) -> String {
    let of_group = |group: Group| {
        let files = files.iter().filter(|file| file.group == group);
        let entry = |file: &ResultFile| {
            let size = i64::try_from(file.size).unwrap_or(i64::MAX);
            Value::object([("Key", Value::from(&*file.key)), ("Size", Value::from(size))])
        };
        (group.name(), Value::array(files.map(entry).collect()))
    };
    let manifest = Value::object([
        ("DestinationBucket", Value::from(bucket)),
        ("MapRunArn", Value::from(map_run_arn)),
        ("ResultFiles", Value::object(Group::ALL.map(of_group))),
    ]);
    json::to_text(&manifest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(output: &str) -> Outcome {
        Outcome {
            status: Status::Succeeded,
            execution_arn: Some("arn:e".to_owned()),
            name: Some("n".to_owned()),
            state_machine_arn: "arn:m".to_owned(),
            input: Payload::from_checked_text(r#"{"a": 1}"#),
            output: Some(Payload::from_checked_text(output)),
            error: None,
            cause: None,
            start_ms: Some(1_773_480_413_010),
            stop_ms: Some(1_773_480_414_000),
            redrive: Some(Redrive { count: 0, status: "NOT_REDRIVABLE".to_owned(), reason: Some("Why".to_owned()) }),
        }
    }

    fn written(outcome: &Outcome, transformation: Transformation) -> Vec<String> {
        let mut written = Vec::new();
        entries(outcome, transformation, |entry| written.push(entry.to_owned()));
        written
    }

    #[test]
    fn each_transformation() {
        let none = concat!(
            r#"{"ExecutionArn":"arn:e","Input":"{\"a\": 1}","InputDetails":{"Included":true},"Name":"n","#,
            r#""Output":"[1,[2]]","OutputDetails":{"Included":true},"RedriveCount":0,"RedriveStatus":"NOT_REDRIVABLE","#,
            r#""RedriveStatusReason":"Why","StartDate":"2026-03-14T09:26:53.010Z","StateMachineArn":"arn:m","#,
            r#""Status":"SUCCEEDED","StopDate":"2026-03-14T09:26:54.000Z"}"#
        );
        assert_eq!(written(&outcome("[1,[2]]"), Transformation::None), [none]);
        assert_eq!(written(&outcome("[1,[2]]"), Transformation::Compact), ["[1,[2]]"]);
        assert_eq!(written(&outcome("[1,[2]]"), Transformation::Flatten), ["1", "[2]"]);
        assert_eq!(written(&outcome("7"), Transformation::Flatten), ["7"]);
        assert!(written(&outcome("[]"), Transformation::Flatten).is_empty());
    }

    #[test]
    fn what_failed_is_written_unchanged() {
        let failed = Outcome {
            status: Status::Failed,
            output: None,
            error: Some("E".to_owned()),
            cause: Some("C".to_owned()),
            redrive: None,
            ..outcome("1")
        };
        let expected = concat!(
            r#"{"Cause":"C","Error":"E","ExecutionArn":"arn:e","Input":"{\"a\": 1}","InputDetails":{"Included":true},"#,
            r#""Name":"n","StartDate":"2026-03-14T09:26:53.010Z","StateMachineArn":"arn:m","Status":"FAILED","#,
            r#""StopDate":"2026-03-14T09:26:54.000Z"}"#
        );
        for transformation in [Transformation::None, Transformation::Compact, Transformation::Flatten] {
            assert_eq!(written(&failed, transformation), [expected]);
        }
    }

    #[test]
    fn a_manifest_names_the_files() {
        let file = ResultFile { group: Group::Succeeded, key: "p/u/SUCCEEDED_0.json".to_owned(), size: 12 };
        let expected = concat!(
            r#"{"DestinationBucket":"b","MapRunArn":"arn:r","ResultFiles":{"FAILED":[],"PENDING":[],"#,
            r#""SUCCEEDED":[{"Key":"p/u/SUCCEEDED_0.json","Size":12}]}}"#
        );
        assert_eq!(manifest("b", "arn:r", &[file]), expected);
    }
}
