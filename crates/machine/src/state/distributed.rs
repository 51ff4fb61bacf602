//! What a distributed Map has beside other Maps: a label, and how its items are read, batched and their results written.

use std::{fmt::Write as _, sync::Arc};

use sha2::{Digest, Sha256};
use stepwell_expr::{Payload, Value};

use crate::{
    data::{self, Fault, FieldValue, View},
    definition::{
        MachineType,
        compiler::{BOTH, Compiler, FieldTable, Fields, JSON_PATH, JSONATA, expected},
        expression::Available,
        place::Place,
    },
    limits::{BATCH_BYTES_MAX, MAP_RUN_ITEMS_MAX},
    map_run::Settings,
    program::{Field, QueryLanguage, Template},
    state::{
        Source,
        map::{ANY_COUNT, Bounds, count},
    },
};

#[derive(Clone, Debug)]
pub struct Distributed {
    /// Part of the ARNs of its Map Runs and their executions; generated where none was given.
    pub label: Arc<str>,
    /// Of the child executions.
    pub child_type: MachineType,
    pub reader: Option<Reader>,
    pub batcher: Option<Batcher>,
    pub writer: Option<Writer>,
}

/// `ItemReader`
#[derive(Clone, Debug)]
pub struct Reader {
    /// `getObject` or `listObjectsV2`.
    pub resource: Arc<str>,
    /// `Bucket`, `Key`, `Prefix`, ...
    pub arguments: Option<Template>,
    pub config: ReaderConfig,
    /// 0: all. Negative ones fail the Map Run. Source: recordings.
    pub max_items: Option<Field<i64>>,
}

/// `ReaderConfig`, as written, without `MaxItems`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReaderConfig {
    pub input_type: Option<Arc<str>>,
    pub manifest_type: Option<Arc<str>>,
    pub transformation: Option<Arc<str>>,
    pub csv_header_location: Option<Arc<str>>,
    pub csv_headers: Vec<Arc<str>>,
    pub csv_delimiter: Option<Arc<str>>,
    pub items_pointer: Option<Arc<str>>,
}

/// `ItemBatcher`
#[derive(Clone, Debug)]
pub struct Batcher {
    pub max_items: Option<Field<u64>>,
    pub max_bytes: Option<Field<u64>>,
    pub input: Option<Template>,
}

/// `ResultWriter`
#[derive(Clone, Debug)]
pub struct Writer {
    /// `Bucket` and `Prefix`; `None`: the results are not exported.
    pub arguments: Option<Template>,
    pub transformation: Option<Arc<str>>,
    pub output_type: Option<Arc<str>>,
}

/// What the fields of a distributed Map come to.
pub(crate) struct Evaluated {
    pub(crate) settings: Settings,
    pub(crate) reader_arguments: Option<Payload>,
    pub(crate) batch_input: Option<Payload>,
    pub(crate) writer_arguments: Option<Payload>,
}

impl Distributed {
    /// `bounds`: those of the Map, which are evaluated before.
    pub(crate) fn evaluate(&self, bounds: Bounds, view: &View<'_>) -> Result<Evaluated, Fault> {
        let template = |template: Option<&Template>| -> Result<Option<Payload>, Fault> {
            template.map(|template| data::evaluate(template, view).map(Payload::from_value)).transpose()
        };
        let size = |field: Option<&Field<u64>>, place: &str| field.map(|field| count(field, place, view)).transpose();
        let (reader, batcher) = (self.reader.as_ref(), self.batcher.as_ref());
        let max_items = reader.and_then(|reader| reader.max_items.as_ref());
        let max_items = max_items.map_or(Ok(0), |field| max_items_of(field, view))?;
        let settings = Settings {
            max_concurrency: bounds.max_concurrency,
            tolerated_failure_count: bounds.failures,
            tolerated_failure_percentage: bounds.failures_percentage,
            max_items: max_items.min(MAP_RUN_ITEMS_MAX),
            batch_items: size(batcher.and_then(|batcher| batcher.max_items.as_ref()), "ItemBatcher/MaxItemsPerBatch")?,
            batch_bytes: size(
                batcher.and_then(|batcher| batcher.max_bytes.as_ref()),
                "ItemBatcher/MaxInputBytesPerBatch",
            )?,
        };
        Ok(Evaluated {
            settings,
            reader_arguments: template(reader.and_then(|reader| reader.arguments.as_ref()))?,
            batch_input: template(batcher.and_then(|batcher| batcher.input.as_ref()))?,
            writer_arguments: template(self.writer.as_ref().and_then(|writer| writer.arguments.as_ref()))?,
        })
    }
}

/// Negative ones are the Map Run's to refuse. Source: recordings.
fn max_items_of(field: &Field<i64>, view: &View<'_>) -> Result<i64, Fault> {
    let (name, place) = ("MaxItems", "ItemReader/ReaderConfig/MaxItems");
    match data::field(field, &place.into(), view)? {
        FieldValue::Constant(max) => Ok(max),
        FieldValue::AtPath(path, value) => data::whole_number(&value).ok_or_else(|| {
            let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Fault::Runtime(format!(
                "The {name}Path field refers to value \"{shown}\" which is not a valid integer: {path}"
            ))
        }),
        FieldValue::Evaluated(value) => value.as_i64().ok_or_else(|| data::no_whole_number(field, place, &value)),
    }
}

/// Bytes of the hash that a generated label shows.
const LABEL_HASH_BYTES: usize = 16;

/// The same for the same place, so that it outlives changes of the definition.
pub(super) fn generated_label(place: &Place) -> Arc<str> {
    let hash = Sha256::digest(place.pointer().as_bytes());
    let mut label = String::with_capacity(2 * LABEL_HASH_BYTES);
    for byte in &hash[..LABEL_HASH_BYTES] {
        // Writing to a string does not fail.
        let _ = write!(label, "{byte:02x}");
    }
    label.into()
}

const READER_FIELDS: &FieldTable =
    &[("Resource", BOTH), ("Parameters", JSON_PATH), ("Arguments", JSONATA), ("ReaderConfig", BOTH)];

const READER_CONFIG_FIELDS: &FieldTable = &[
    ("InputType", BOTH),
    ("Transformation", BOTH),
    ("ManifestType", BOTH),
    ("CSVHeaderLocation", BOTH),
    ("CSVHeaders", BOTH),
    ("CSVDelimiter", BOTH),
    ("ItemsPointer", BOTH),
    ("MaxItems", BOTH),
    ("MaxItemsPath", JSON_PATH),
];

const BATCHER_FIELDS: &FieldTable = &[
    ("MaxItemsPerBatch", BOTH),
    ("MaxItemsPerBatchPath", JSON_PATH),
    ("MaxInputBytesPerBatch", BOTH),
    ("MaxInputBytesPerBatchPath", JSON_PATH),
    ("BatchInput", BOTH),
];

const WRITER_FIELDS: &FieldTable =
    &[("Resource", BOTH), ("Parameters", JSON_PATH), ("Arguments", JSONATA), ("WriterConfig", BOTH)];

const WRITER_CONFIG_FIELDS: &FieldTable = &[("Transformation", BOTH), ("OutputType", BOTH)];

impl Reader {
    /// The outer `None`: broken. The inner one: absent.
    pub(super) fn compile(source: &Source, compiler: &mut Compiler) -> Option<Option<Reader>> {
        if !source.fields.has("ItemReader") {
            return Some(None);
        }
        let reader = source.fields.object("ItemReader", compiler)?;
        reader.check(READER_FIELDS, Some(source.language), compiler);
        reader.require(&["Resource"], compiler);
        let resource = s3_action(&reader, &["getObject", "listObjectsV2"], compiler);
        let arguments = s3_parameters(source, &reader, compiler);
        let config = match reader.object("ReaderConfig", compiler) {
            Some(config) => reader_config(source, &config, resource, compiler),
            None => Some((ReaderConfig::default(), None)),
        };
        let (config, max_items) = config?;
        Some(Some(Reader { resource: resource?.into(), arguments: arguments?, config, max_items }))
    }
}

/// The configuration, and its `MaxItems`.
fn reader_config(
    source: &Source,
    config: &Fields,
    resource: Option<&str>,
    compiler: &mut Compiler,
) -> Option<(ReaderConfig, Option<Field<i64>>)> {
    config.check(READER_CONFIG_FIELDS, Some(source.language), compiler);
    let input_type = config.one_of("InputType", &["CSV", "JSON", "JSONL", "PARQUET", "MANIFEST"], compiler);
    let manifest = config.one_of("ManifestType", &["S3_INVENTORY", "ATHENA_DATA"], compiler);
    let transformation = config.one_of("Transformation", &["NONE", "LOAD_AND_FLATTEN"], compiler);
    let headers = config.one_of("CSVHeaderLocation", &["FIRST_ROW", "GIVEN"], compiler);
    let delimiter = config.one_of("CSVDelimiter", &["COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"], compiler);
    let items_pointer = config.string("ItemsPointer", compiler);
    let mut csv_headers = Vec::new();
    for (index, header) in config.array("CSVHeaders", false, compiler).unwrap_or_default().iter().enumerate() {
        match header {
            Value::String(header) => csv_headers.push(header.clone()),
            _ => expected(compiler, &config.at("CSVHeaders").index(index), "STRING"),
        }
    }
    // A negative `MaxItems` fails when the Map runs, as AWS's does; those above the greatest are cut then.
    let max_items = match config.get("MaxItems").and_then(Value::as_i64) {
        Some(max) => {
            config.at_most_one(&["MaxItems", "MaxItemsPath"], compiler);
            Some(Some(Field::Constant(max)))
        }
        None => {
            let field = config.integer_field("MaxItems", 0, ANY_COUNT, source.language, compiler);
            field.map(|field| field.map(|field| field.map(|max| i64::try_from(max).unwrap_or(i64::MAX))))
        }
    };
    let lists = resource == Some("listObjectsV2");
    if resource == Some("getObject") && manifest.is_none() && !config.has("InputType") {
        config.require(&["InputType"], compiler);
    }
    if lists && transformation.as_deref() == Some("LOAD_AND_FLATTEN") {
        config.require(&["InputType"], compiler);
    }
    match input_type.as_deref() {
        Some("CSV") if manifest.is_none() && !config.has("CSVHeaderLocation") => {
            compiler.schema(&config.place, "The field 'CSVHeaderLocation' is required");
        }
        Some("JSON" | "JSONL" | "PARQUET") => {
            for field in ["CSVHeaderLocation", "CSVHeaders", "CSVDelimiter"] {
                if config.has(field) {
                    compiler.schema(&config.place, format!("Field '{field}' is not supported"));
                }
            }
        }
        _ => {}
    }
    if headers.as_deref() == Some("GIVEN") {
        config.require(&["CSVHeaders"], compiler);
    }
    let config = ReaderConfig {
        input_type,
        manifest_type: manifest,
        transformation,
        csv_header_location: headers,
        csv_headers,
        csv_delimiter: delimiter,
        items_pointer,
    };
    Some((config, max_items?))
}

/// `Resource` of a reader or writer: an action of the optimised S3 integration.
fn s3_action(fields: &Fields, actions: &[&'static str], compiler: &mut Compiler) -> Option<&'static str> {
    let text = fields.string("Resource", compiler)?;
    let action = text
        .strip_prefix("arn:")
        .and_then(|rest| rest.split_once(":states:::s3:"))
        .filter(|(partition, _)| !partition.is_empty() && !partition.contains(':'))
        .and_then(|(_, action)| actions.iter().copied().find(|known| *known == action));
    if action.is_none() {
        compiler.schema(&fields.at("Resource"), "The field 'Resource' does not match any of the allowed values");
    }
    action
}

/// `Parameters` or `Arguments` of a reader or writer. The outer `None`: broken. The inner one: absent.
fn s3_parameters(source: &Source, fields: &Fields, compiler: &mut Compiler) -> Option<Option<Template>> {
    let field = match source.language {
        QueryLanguage::JsonPath => "Parameters",
        QueryLanguage::Jsonata => "Arguments",
    };
    source.template_in(fields, field, Available::default(), compiler)
}

impl Batcher {
    /// The outer `None`: broken. The inner one: absent.
    pub(super) fn compile(source: &Source, compiler: &mut Compiler) -> Option<Option<Batcher>> {
        if !source.fields.has("ItemBatcher") {
            return Some(None);
        }
        let batcher = source.fields.object("ItemBatcher", compiler)?;
        batcher.check(BATCHER_FIELDS, Some(source.language), compiler);
        const SIZES: [&str; 4] =
            ["MaxItemsPerBatch", "MaxItemsPerBatchPath", "MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath"];
        if !SIZES.iter().any(|field| batcher.has(field)) {
            // Source: Step Functions guide; AWS's own wording is not known.
            let message =
                format!("This object should have at least one of the following fields: [{}]", SIZES.join(", "));
            compiler.schema(&batcher.place, message);
        }
        let max_items = batcher.integer_field("MaxItemsPerBatch", 1, ANY_COUNT, source.language, compiler);
        let max_bytes = batcher.integer_field("MaxInputBytesPerBatch", 1, BATCH_BYTES_MAX, source.language, compiler);
        let input = source.template_in(&batcher, "BatchInput", Available::default(), compiler);
        Some(Some(Batcher { max_items: max_items?, max_bytes: max_bytes?, input: input? }))
    }
}

impl Writer {
    /// The outer `None`: broken. The inner one: absent.
    pub(super) fn compile(source: &Source, compiler: &mut Compiler) -> Option<Option<Writer>> {
        if !source.fields.has("ResultWriter") {
            return Some(None);
        }
        let writer = source.fields.object("ResultWriter", compiler)?;
        writer.check(WRITER_FIELDS, Some(source.language), compiler);
        let parameters = match source.language {
            QueryLanguage::JsonPath => "Parameters",
            QueryLanguage::Jsonata => "Arguments",
        };
        if writer.has("Resource") || writer.has(parameters) {
            writer.require(&["Resource", parameters], compiler);
            s3_action(&writer, &["putObject"], compiler);
        } else if !writer.has("WriterConfig") {
            compiler.schema(&writer.place, "Value cannot be empty");
        }
        let arguments = s3_parameters(source, &writer, compiler);
        let (mut transformation, mut output_type) = (None, None);
        if let Some(config) = writer.object("WriterConfig", compiler) {
            config.check(WRITER_CONFIG_FIELDS, None, compiler);
            config.require(&["Transformation", "OutputType"], compiler);
            transformation = config.one_of("Transformation", &["NONE", "COMPACT", "FLATTEN"], compiler);
            output_type = config.one_of("OutputType", &["JSON", "JSONL"], compiler);
        }
        Some(Some(Writer { arguments: arguments?, transformation, output_type }))
    }
}
