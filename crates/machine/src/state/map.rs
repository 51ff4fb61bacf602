//! Map: runs its item processor once for each item, inline or (with [`Distributed`]) as executions of their own.

use std::sync::Arc;

use stepwell_expr::{Payload, Value};

use crate::{
    data::{self, Fault, FieldValue, Scene, View},
    definition::{
        MachineType,
        compiler::{BOTH, Compiler, FieldTable, Fields, JSON_PATH, JSONATA, expected},
        expression::{Available, Jsonata},
    },
    diagnostic::Code,
    limits::{self, LABEL_CHARS_MAX},
    program::{DataFlow, Expr, Field, Leaf, QueryLanguage, ScopeId, Template, Transition},
    retry::{Catcher, Retrier},
    state::{
        Ran, Source, State,
        distributed::{self, Distributed},
    },
};

#[derive(Clone, Debug)]
pub struct Map {
    pub items: Items,
    /// `ItemSelector`, or `Parameters` of old.
    pub selector: Option<Template>,
    pub max_concurrency: Option<Field<u64>>,
    /// Evaluated and checked also where the Map is inline, as AWS does.
    pub tolerated_failure_count: Option<Field<u64>>,
    pub tolerated_failure_percentage: Option<Field<f64>>,
    pub processor: ScopeId,
    /// Its items are child executions of a Map Run.
    pub distributed: Option<Box<Distributed>>,
    pub retry: Vec<Retrier>,
    pub catch: Vec<Catcher>,
    pub transition: Transition,
}

#[derive(Clone, Debug)]
pub enum Items {
    /// No `ItemsPath`, no `Items`: the whole effective input.
    Input,
    Path(stepwell_expr::jsonpath::Path),
    /// JSONata `Items`: an array with templates inside, or one expression.
    Template(Template),
}

/// What a Map is about to run.
#[derive(Clone, Debug)]
pub(crate) struct Iterations {
    /// A JSON array.
    pub(crate) items: Payload,
    pub(crate) effective_input: Payload,
    pub(crate) length: u32,
    /// At least 1.
    pub(crate) concurrency: u32,
}

/// What a distributed Map is about to run; its bounds are looked at once `MapStateStarted` is told. Source: recordings.
#[derive(Clone, Debug)]
pub(crate) struct Beginning {
    /// A JSON array or object; `None`: a reader gives them.
    pub(crate) items: Option<Payload>,
    pub(crate) effective_input: Payload,
}

/// How many iterations may run at a time, and how many may fail.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// 0: as many as there are.
    pub(crate) max_concurrency: u64,
    pub(crate) failures: Option<u64>,
    pub(crate) failures_percentage: Option<f64>,
}

impl Map {
    pub(crate) fn run(&self, state: &State, input: &Payload, scene: &Scene<'_>) -> Result<Ran, Fault> {
        let effective_input = match &state.flow {
            DataFlow::JsonPath(flow) => flow.selected_input(input, scene)?,
            DataFlow::Jsonata(_) => input.clone(),
        };
        let view = scene.view(&effective_input);
        if let Some(distributed) = &self.distributed {
            let items = match &distributed.reader {
                // Also an `ItemsPath` that finds nothing is ignored then. Source: recordings.
                Some(_) => None,
                None => Some(self.items(&state.flow, &effective_input, &view)?),
            };
            return Ok(Ran::MapRun(Beginning { items, effective_input }));
        }
        let limit = self.bounds(&view)?.max_concurrency;
        let items = self.items(&state.flow, &effective_input, &view)?;
        let length = items.value().as_array().map_or(0, <[Value]>::len);
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        let concurrency = match u32::try_from(limit).unwrap_or(u32::MAX) {
            0 => limits::MAP_CONCURRENCY_MAX,
            limit => limit.min(limits::MAP_CONCURRENCY_MAX),
        };
        Ok(Ran::Iterations(Iterations { items, effective_input, length, concurrency }))
    }

    /// `MaxConcurrency`, `ToleratedFailureCount` and `ToleratedFailurePercentage`, evaluated and checked.
    pub(crate) fn bounds(&self, view: &View<'_>) -> Result<Bounds, Fault> {
        let max_concurrency = self.max_concurrency.as_ref();
        let failures = self.tolerated_failure_count.as_ref();
        let failures_percentage = self.tolerated_failure_percentage.as_ref();
        Ok(Bounds {
            max_concurrency: max_concurrency.map_or(Ok(0), |field| count(field, "MaxConcurrency", view))?,
            failures: failures.map(|field| count(field, "ToleratedFailureCount", view)).transpose()?,
            failures_percentage: failures_percentage.map(|field| percentage(field, view)).transpose()?,
        })
    }

    pub(crate) fn items(&self, flow: &DataFlow, effective_input: &Payload, view: &View<'_>) -> Result<Payload, Fault> {
        match &self.items {
            Items::Input => match effective_input.value() {
                Value::Array(_) => Ok(effective_input.clone()),
                Value::Object(_) if self.distributed.is_some() => Ok(effective_input.clone()),
                value => Err(match flow {
                    DataFlow::JsonPath(_) => no_array("$"),
                    DataFlow::Jsonata(_) => Fault::Query {
                        cause: format!("Map state input must be an array but was: {value}"),
                        location: None,
                    },
                }),
            },
            Items::Path(path) => match data::read_path(path, view)? {
                value @ Value::Array(_) => Ok(Payload::from_value(value)),
                value @ Value::Object(_) if self.distributed.is_some() => Ok(Payload::from_value(value)),
                _ => Err(no_array(path.text())),
            },
            Items::Template(template) => match data::evaluate(template, view)? {
                value @ Value::Array(_) => Ok(Payload::from_value(value)),
                value @ Value::Object(_) if self.distributed.is_some() => Ok(Payload::from_value(value)),
                value => {
                    let text = match template {
                        Template::Leaf(Leaf { expression: Expr::Jsonata(expression), .. }) => expression.text().clone(),
                        _ => value.to_string().into(),
                    };
                    Err(data::unexpected_type(&text, &"Items".into(), "array", &value))
                }
            },
        }
    }
}

fn no_array(path: &str) -> Fault {
    Fault::Runtime(format!("Reference path \"{path}\" must point to array."))
}

/// A count that is not negative; a text of digits counts. Source: recordings.
///
/// `place`: the field's way inside the state, e.g. `ItemBatcher/MaxItemsPerBatch`.
pub(super) fn count(field: &Field<u64>, place: &str, view: &View<'_>) -> Result<u64, Fault> {
    let name = place.rsplit('/').next().unwrap_or(place);
    let negative = || format!("{name} cannot be negative.");
    match data::field(field, &place.into(), view)? {
        FieldValue::Constant(count) => Ok(count),
        FieldValue::AtPath(path, value) => match data::whole_number(&value) {
            Some(count) => u64::try_from(count).map_err(|_| Fault::Runtime(negative())),
            None => {
                let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                Err(Fault::Runtime(format!(
                    "The {name}Path field refers to value \"{shown}\" which is not a valid integer: {path}"
                )))
            }
        },
        FieldValue::Evaluated(value) => match value.as_i64() {
            Some(count) => {
                u64::try_from(count).map_err(|_| Fault::Query { cause: negative(), location: Some(place.into()) })
            }
            None => Err(data::no_whole_number(field, place, &value)),
        },
    }
}

fn percentage(field: &Field<f64>, view: &View<'_>) -> Result<f64, Fault> {
    let name = "ToleratedFailurePercentage";
    let outside = || format!("{name} must be between 0 and 100.");
    let inside = |number: f64| (0.0..=100.0).contains(&number);
    match data::field(field, &name.into(), view)? {
        FieldValue::Constant(number) => Ok(number),
        FieldValue::AtPath(path, value) => {
            let number = match &value {
                Value::String(text) => text.parse().ok(),
                value => value.as_f64(),
            };
            match number {
                Some(number) if inside(number) => Ok(number),
                Some(_) => Err(Fault::Runtime(outside())),
                None => {
                    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    Err(Fault::Runtime(format!(
                        "The {name}Path field refers to value \"{shown}\" which is not a valid float: {path}"
                    )))
                }
            }
        }
        FieldValue::Evaluated(value) => match value.as_f64() {
            Some(number) if inside(number) => Ok(number),
            Some(_) => Err(Fault::Query { cause: outside(), location: Some(name.into()) }),
            None => Err(data::unexpected_type(data::expression_text(field), &name.into(), "number", &value)),
        },
    }
}

pub(crate) const FIELDS: &FieldTable = &[
    ("ItemProcessor", BOTH),
    ("Iterator", BOTH),
    ("ItemsPath", JSON_PATH),
    ("Items", JSONATA),
    ("ItemSelector", BOTH),
    ("Parameters", JSON_PATH),
    ("ItemReader", BOTH),
    ("ItemBatcher", BOTH),
    ("ResultWriter", BOTH),
    ("MaxConcurrency", BOTH),
    ("MaxConcurrencyPath", JSON_PATH),
    ("ToleratedFailureCount", BOTH),
    ("ToleratedFailureCountPath", JSON_PATH),
    ("ToleratedFailurePercentage", BOTH),
    ("ToleratedFailurePercentagePath", JSON_PATH),
    ("Label", BOTH),
    ("ResultSelector", JSON_PATH),
    ("ResultPath", JSON_PATH),
    ("Assign", BOTH),
    ("Retry", BOTH),
    ("Catch", BOTH),
];

/// Fields of an item processor, also under its old name `Iterator`.
pub(crate) const PROCESSOR_FIELDS: &FieldTable =
    &[("StartAt", BOTH), ("States", BOTH), ("Comment", BOTH), ("ProcessorConfig", BOTH)];

const CONFIG_FIELDS: &FieldTable = &[("Mode", BOTH), ("ExecutionType", BOTH)];

/// No bound of AWS's own: what is too great is cut when the Map runs.
pub(super) const ANY_COUNT: u64 = i64::MAX as u64;

impl Map {
    pub(crate) fn compile(source: &Source, compiler: &mut Compiler) -> Option<Map> {
        let (fields, language) = (&source.fields, source.language);
        let processor = processor(source, compiler);
        let items = Items::compile(source, compiler);
        let selector = selector(source, compiler);
        let max_concurrency = fields.integer_field("MaxConcurrency", 0, ANY_COUNT, language, compiler);
        let failures = fields.integer_field("ToleratedFailureCount", 0, ANY_COUNT, language, compiler);
        let percentage = fields.number_field("ToleratedFailurePercentage", 0.0, 100.0, language, compiler);
        let label = label(fields, compiler);
        let reader = distributed::Reader::compile(source, compiler);
        let batcher = distributed::Batcher::compile(source, compiler);
        let writer = distributed::Writer::compile(source, compiler);
        let retry = Retrier::compile_all(source, compiler);
        let catch = Catcher::compile_all(source, compiler);
        let transition = source.transition(compiler);
        let (processor, child_type) = processor?;
        let distributed = match child_type {
            Some(child_type) => Some(Box::new(Distributed {
                label: label.unwrap_or_else(|| distributed::generated_label(&fields.place)),
                child_type,
                reader: reader?,
                batcher: batcher?,
                writer: writer?,
            })),
            None => None,
        };
        Some(Map {
            items: items?,
            selector: selector?,
            max_concurrency: max_concurrency?,
            tolerated_failure_count: failures?,
            tolerated_failure_percentage: percentage?,
            processor,
            distributed,
            retry: retry?,
            catch: catch?,
            transition: transition?,
        })
    }
}

impl Items {
    fn compile(source: &Source, compiler: &mut Compiler) -> Option<Items> {
        let fields = &source.fields;
        match source.language {
            QueryLanguage::JsonPath => match fields.get("ItemsPath") {
                None => Some(Items::Input),
                Some(_) => fields.path_field("ItemsPath", compiler).map(Items::Path),
            },
            QueryLanguage::Jsonata => {
                let place = fields.at("Items");
                match fields.get("Items") {
                    None => Some(Items::Input),
                    Some(value @ (Value::Array(_) | Value::Object(_))) => compiler
                        .template(value, QueryLanguage::Jsonata, Available::default(), &place)
                        .map(Items::Template),
                    Some(Value::String(text)) => match compiler.jsonata(text, Available::default(), &place)? {
                        Jsonata::Expression(expression) => {
                            let expression = Expr::Jsonata(expression);
                            Some(Items::Template(Template::Leaf(Leaf { expression, field: place.field() })))
                        }
                        Jsonata::Literal => {
                            compiler.schema(&place, "JSONata string must start with {% and end with %}");
                            None
                        }
                    },
                    Some(_) => {
                        expected(compiler, &place, "ARRAY, OBJECT, STRING");
                        None
                    }
                }
            }
        }
    }
}

/// The item processor's scope, and the type of its executions where it is distributed.
fn processor(source: &Source, compiler: &mut Compiler) -> Option<(ScopeId, Option<MachineType>)> {
    let fields = &source.fields;
    fields.at_most_one(&["ItemProcessor", "Iterator"], compiler);
    let field = match fields.has("Iterator") && !fields.has("ItemProcessor") {
        true => "Iterator",
        false => "ItemProcessor",
    };
    fields.require(&[field], compiler);
    let value = fields.get(field)?;
    let scope = source.nested_scope(0, value, &fields.at(field), compiler);
    let processor = Fields { members: value.as_object().filter(|_| scope.is_some())?, place: fields.at(field) };
    let distributed = match processor.object("ProcessorConfig", compiler) {
        Some(config) => processor_config(&config, compiler),
        None => None,
    };
    if distributed.is_some() && compiler.machine_type_of(source.scope) == MachineType::Express {
        // Source: Step Functions guide; AWS's own wording is not known.
        compiler.schema(&fields.place, "Express state machine does not support Distributed Map");
    }
    Some((scope?, distributed))
}

fn processor_config(config: &Fields, compiler: &mut Compiler) -> Option<MachineType> {
    config.check(CONFIG_FIELDS, None, compiler);
    let mode = config.one_of("Mode", &["INLINE", "DISTRIBUTED"], compiler);
    if mode.as_deref() == Some("DISTRIBUTED") {
        config.require(&["ExecutionType"], compiler);
        return Some(match config.one_of("ExecutionType", &["STANDARD", "EXPRESS"], compiler).as_deref() {
            Some("EXPRESS") => MachineType::Express,
            _ => MachineType::Standard,
        });
    }
    if config.has("ExecutionType") {
        compiler.schema(&config.place, "Field 'ExecutionType' is not supported");
    }
    None
}

/// `ItemSelector`, or `Parameters` of old. The outer `None`: broken. The inner one: absent.
fn selector(source: &Source, compiler: &mut Compiler) -> Option<Option<Template>> {
    let available = Available::default();
    match source.language {
        QueryLanguage::JsonPath => {
            source.fields.at_most_one(&["ItemSelector", "Parameters"], compiler);
            let field = if source.fields.has("ItemSelector") { "ItemSelector" } else { "Parameters" };
            source.template(field, available, compiler)
        }
        QueryLanguage::Jsonata => source.template("ItemSelector", available, compiler),
    }
}

/// Source: Step Functions guide; the characters are those that no name may have.
fn label(fields: &Fields, compiler: &mut Compiler) -> Option<Arc<str>> {
    let label = fields.string("Label", compiler)?;
    let place = fields.at("Label");
    if label.chars().count() > LABEL_CHARS_MAX {
        let message = format!(
            "Label name '{}' exceeds the {LABEL_CHARS_MAX}-character limit allowed by the service",
            crate::definition::compiler::shown(&label)
        );
        compiler.error(Code::InvalidLabelName, &place, message);
    } else if label.is_empty() || !label.chars().all(is_name_char) {
        compiler.error(Code::InvalidLabelName, &place, format!("Invalid Label name: {label}"));
    } else if !compiler.labels.insert(label.clone()) {
        compiler.error(Code::DuplicateLabelName, &place, format!("Duplicate Label name: {label}"));
    }
    Some(label)
}

/// Source: API documentation, "name" of CreateStateMachine.
fn is_name_char(char: char) -> bool {
    let forbidden = "<>{}[]?*\"#%\\^|~`$&,;:/";
    let noncharacter = matches!(char, '\u{fffe}' | '\u{ffff}' | '\u{10ffff}');
    !char.is_whitespace() && !char.is_control() && !forbidden.contains(char) && !noncharacter
}
