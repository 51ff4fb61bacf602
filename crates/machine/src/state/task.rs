//! Task: has work done outside.

use std::sync::Arc;

use stepwell_expr::{Payload, Value};

use crate::{
    data::{self, Fault, FieldValue, Scene, View},
    definition::{
        MachineType,
        compiler::{BOTH, Compiler, FieldTable, JSON_PATH, JSONATA, expected, shown},
        expression::Available,
    },
    effect::TaskTarget,
    history::ServiceResource,
    limits::{self, SECONDS_MAX},
    program::{DataFlow, Expr, Field, Leaf, QueryLanguage, ServicePattern, Template, Transition},
    retry::{Catcher, Retrier},
    state::{Ran, Source, State, resource::ResourceError},
};

#[derive(Clone, Debug)]
pub struct Task {
    pub resource: Resource,
    /// `TimeoutSeconds`, `TimeoutSecondsPath`.
    pub timeout: Option<Field<u64>>,
    /// `HeartbeatSeconds`, `HeartbeatSecondsPath`.
    pub heartbeat: Option<Field<u64>>,
    /// `Credentials.RoleArn`: a literal or one leaf.
    pub credentials: Option<Template>,
    pub retry: Vec<Retrier>,
    pub catch: Vec<Catcher>,
    pub transition: Transition,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    Activity {
        arn: Arc<str>,
    },
    LambdaFunction {
        arn: Arc<str>,
    },
    /// `arn:aws:states:::SERVICE:ACTION[.PATTERN]`; `service` is `lambda`, `sqs`, `aws-sdk:s3`, `http`, ...
    Service {
        service: Arc<str>,
        action: Arc<str>,
        pattern: ServicePattern,
    },
}

/// A task, evaluated and about to be scheduled.
#[derive(Clone, Debug)]
pub(crate) struct Scheduling {
    pub(crate) input: Payload,
    pub(crate) timeout_seconds: Option<u64>,
    pub(crate) heartbeat_seconds: Option<u64>,
    pub(crate) credentials_role: Option<Arc<str>>,
}

impl Task {
    pub(crate) fn run(&self, state: &State, input: &Payload, scene: &Scene<'_>) -> Result<Ran, Fault> {
        let (effective, arguments) = match &state.flow {
            DataFlow::JsonPath(flow) => {
                let selected = flow.selected_input(input, scene)?;
                let arguments = flow.parameters(&selected, scene)?;
                (selected, arguments)
            }
            DataFlow::Jsonata(flow) => (input.clone(), flow.arguments(input, scene)?),
        };
        let view = scene.view(&effective);
        let seconds = |field: &Option<Field<u64>>, name: &str| {
            field.as_ref().map(|field| positive_seconds(field, name, &view)).transpose()
        };
        let credentials_role = match &self.credentials {
            Some(template) => Some(role(template, &view)?),
            None => None,
        };
        Ok(Ran::Task(Scheduling {
            timeout_seconds: seconds(&self.timeout, "TimeoutSeconds")?,
            heartbeat_seconds: seconds(&self.heartbeat, "HeartbeatSeconds")?,
            credentials_role,
            input: arguments,
        }))
    }
}

impl Resource {
    /// A task with a token can be answered by SendTaskSuccess: `$$.Task.Token`.
    pub(crate) fn has_token(&self) -> bool {
        match self {
            Resource::Activity { .. } => true,
            Resource::LambdaFunction { .. } => false,
            Resource::Service { pattern, .. } => *pattern != ServicePattern::RequestResponse,
        }
    }

    /// True for the pattern `.waitForTaskToken`: the call's return only submits.
    pub(crate) fn waits_for_token(&self) -> bool {
        matches!(self, Resource::Service { pattern: ServicePattern::WaitForTaskToken, .. })
    }

    /// True where the call's return only submits, and the end comes later.
    pub(crate) fn submits(&self) -> bool {
        matches!(self, Resource::Service { pattern, .. } if *pattern != ServicePattern::RequestResponse)
    }

    /// What runs it; `None` for an activity, which workers poll.
    pub(crate) fn target(&self) -> Option<TaskTarget> {
        match self {
            Resource::Activity { .. } => None,
            Resource::LambdaFunction { arn } => Some(TaskTarget::LambdaFunction { arn: arn.clone() }),
            Resource::Service { service, action, pattern } => {
                Some(TaskTarget::Service { service: service.clone(), action: action.clone(), pattern: *pattern })
            }
        }
    }

    /// How history names it; `None` for what has event types of its own.
    pub(crate) fn service(&self) -> Option<ServiceResource> {
        match self {
            Resource::Activity { .. } | Resource::LambdaFunction { .. } => None,
            Resource::Service { service, action, pattern } => {
                let action = match pattern {
                    ServicePattern::RequestResponse => action.clone(),
                    ServicePattern::Sync => format!("{action}.sync").into(),
                    ServicePattern::Sync2 => format!("{action}.sync:2").into(),
                    ServicePattern::WaitForTaskToken => format!("{action}.waitForTaskToken").into(),
                };
                Some(ServiceResource { kind: service.clone(), action })
            }
        }
    }

    /// How the text of a too large result names it. Source: recordings.
    pub(crate) fn short_name(&self) -> &str {
        match self {
            Resource::Activity { arn } | Resource::LambdaFunction { arn } => arn,
            Resource::Service { service, .. } => service,
        }
    }
}

fn role(template: &Template, view: &View<'_>) -> Result<Arc<str>, Fault> {
    match (data::evaluate(template, view)?, template) {
        (Value::String(role), _) => Ok(role),
        (other, Template::Leaf(Leaf { expression: Expr::Jsonata(expression), field })) => {
            Err(data::unexpected_type(expression.text(), field, "string", &other))
        }
        (other, _) => Err(Fault::Runtime(format!("The field 'RoleArn' must be a string but was: {other}"))),
    }
}

fn positive_seconds(field: &Field<u64>, name: &str, view: &View<'_>) -> Result<u64, Fault> {
    let within =
        |seconds: i64| u64::try_from(seconds).ok().filter(|seconds| (1..=limits::SECONDS_MAX).contains(seconds));
    match data::field(field, &name.into(), view)? {
        FieldValue::Constant(seconds) => Ok(seconds),
        FieldValue::AtPath(path, value) => value.as_i64().and_then(within).ok_or_else(|| {
            Fault::Runtime(format!("The {name}Path parameter does not reference a positive integer: {path} == {value}"))
        }),
        FieldValue::Evaluated(value) => match value.as_i64() {
            Some(seconds) => within(seconds).ok_or_else(|| Fault::Query {
                cause: format!("The {name} field must be a positive integer but was: {value}"),
                location: Some(name.into()),
            }),
            None => Err(data::no_whole_number(field, name, &value)),
        },
    }
}

pub(crate) const FIELDS: &FieldTable = &[
    ("Resource", BOTH),
    ("Parameters", JSON_PATH),
    ("ResultSelector", JSON_PATH),
    ("ResultPath", JSON_PATH),
    ("Arguments", JSONATA),
    ("Assign", BOTH),
    ("TimeoutSeconds", BOTH),
    ("TimeoutSecondsPath", JSON_PATH),
    ("HeartbeatSeconds", BOTH),
    ("HeartbeatSecondsPath", JSON_PATH),
    ("Credentials", BOTH),
    ("Retry", BOTH),
    ("Catch", BOTH),
];

impl Task {
    pub(crate) fn compile(source: &Source, compiler: &mut Compiler) -> Option<Task> {
        let (fields, language) = (&source.fields, source.language);
        fields.require(&["Resource"], compiler);
        let resource = compile_resource(source, compiler);
        let timeout = fields.integer_field("TimeoutSeconds", 1, SECONDS_MAX, language, compiler);
        let heartbeat = fields.integer_field("HeartbeatSeconds", 1, SECONDS_MAX, language, compiler);
        if let (Some(Some(Field::Constant(timeout))), Some(Some(Field::Constant(heartbeat)))) = (&timeout, &heartbeat)
            && heartbeat >= timeout
        {
            // Source: Amazon States Language; AWS's own wording is not known.
            compiler.schema(&fields.at("HeartbeatSeconds"), "HeartbeatSeconds must be smaller than TimeoutSeconds");
        }
        let credentials = credentials(source, compiler);
        let retry = Retrier::compile_all(source, compiler);
        let catch = Catcher::compile_all(source, compiler);
        let transition = source.transition(compiler);
        Some(Task {
            resource: resource?,
            timeout: timeout?,
            heartbeat: heartbeat?,
            credentials: credentials?,
            retry: retry?,
            catch: catch?,
            transition: transition?,
        })
    }
}

/// `Resource`, and what it asks of the type of the machine and of the task's parameters.
fn compile_resource(source: &Source, compiler: &mut Compiler) -> Option<Resource> {
    let fields = &source.fields;
    let text = fields.string("Resource", compiler)?;
    let place = fields.at("Resource");
    let is_known = |resource: &Resource| {
        resource.sdk_action().is_none_or(|(service, action)| (compiler.is_known_action)(service, action))
    };
    let resource = match Resource::parse(&text) {
        Ok(resource) if is_known(&resource) => resource,
        Ok(_) => {
            compiler.schema(&place, ResourceError::NotRecognized(shown(&text).to_owned()).to_string());
            return None;
        }
        Err(error) => {
            compiler.schema(&place, error.to_string());
            return None;
        }
    };
    if compiler.machine_type_of(source.scope) == MachineType::Express {
        let unsupported = match &resource {
            Resource::Activity { .. } => Some("Activity ARN"),
            Resource::LambdaFunction { .. } => None,
            Resource::Service { pattern, .. } => match pattern {
                ServicePattern::RequestResponse => None,
                ServicePattern::Sync | ServicePattern::Sync2 => Some("'.sync' service integration"),
                // The blank at the end is AWS's.
                ServicePattern::WaitForTaskToken => Some("'.waitForTaskToken' service integration "),
            },
        };
        if let Some(unsupported) = unsupported {
            compiler.schema(&place, format!("Express state machine does not support {unsupported}"));
        }
    }
    if matches!(resource, Resource::Service { .. }) {
        let field = match source.language {
            QueryLanguage::JsonPath => "Parameters",
            QueryLanguage::Jsonata => "Arguments",
        };
        let expression = |value: &Value| source.language == QueryLanguage::Jsonata && value.as_str().is_some();
        if fields.get(field).is_some_and(|value| value.as_object().is_none() && !expression(value)) {
            expected(compiler, &fields.at(field), "OBJECT");
        }
    }
    Some(resource)
}

/// `Credentials`: its `RoleArn`. The outer `None`: broken. The inner one: absent.
fn credentials(source: &Source, compiler: &mut Compiler) -> Option<Option<Template>> {
    if !source.fields.has("Credentials") {
        return Some(None);
    }
    let fields = source.fields.object("Credentials", compiler)?;
    let role = match source.language {
        QueryLanguage::JsonPath => fields.get("RoleArn").or_else(|| fields.get("RoleArn.$")),
        QueryLanguage::Jsonata => fields.get("RoleArn"),
    };
    let Some(role) = role else {
        compiler.schema(&fields.place, "The field 'RoleArn' is required but was missing");
        return None;
    };
    if role.as_str().is_none() {
        expected(compiler, &fields.at("RoleArn"), "STRING");
        return None;
    }
    let value = source.fields.get("Credentials")?;
    let template = compiler.template(value, source.language, Available::default(), &fields.place)?;
    match template {
        Template::Literal(literal) => Some(literal.get("RoleArn").cloned().map(Template::Literal)),
        Template::Object(fields) => Some(fields.into_iter().find(|(name, _)| &**name == "RoleArn").map(|(_, t)| t)),
        // An object compiles to one of the two above.
        Template::Leaf(_) | Template::Array(_) => None,
    }
}
