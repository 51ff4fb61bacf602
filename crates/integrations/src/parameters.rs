//! What service integrations take as parameters, for those who write a definition.

use stepwell_expr::Value;

use crate::{
    aws::{
        catalogue::{Catalogue, CatalogueError, Field},
        model::{Kind, Ref, Service},
        node::{ParameterError, only_known},
    },
    limits::SKELETON_DEPTH_MAX,
    optimised::Action,
};

/// The parameters of an action.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters {
    pub fields: Vec<Field>,
    /// Those that are required, with values to be replaced: `""`, 0, false, `[]`, `{}`.
    pub skeleton: Value,
}

/// A parameter of an action that is not described by a model: name, kind, whether it is required.
type Own = (&'static str, &'static str, bool);

const CLUSTER: [Own; 3] =
    [("ClusterName", "string", true), ("CertificateAuthority", "string", true), ("Endpoint", "string", true)];

/// Actions that are more than a call of AWS, or take other parameters than it. Source: Step Functions guide.
const OWN: &[((&str, &str), &[Own])] = &[
    (
        ("apigateway", "invoke"),
        &[
            ("ApiEndpoint", "string", true),
            ("Method", "string", true),
            ("Headers", "map of list of string", false),
            ("Stage", "string", false),
            ("Path", "string", false),
            ("QueryParameters", "map of list of string", false),
            ("RequestBody", "any JSON", false),
            ("AllowNullValues", "boolean", false),
            ("AuthType", "string", false),
        ],
    ),
    (
        ("eks", "call"),
        &[
            CLUSTER[0],
            CLUSTER[1],
            CLUSTER[2],
            ("Method", "string", true),
            ("Path", "string", true),
            ("QueryParameters", "map of list of string", false),
            ("RequestBody", "any JSON", false),
        ],
    ),
    (
        ("eks", "runJob"),
        &[
            CLUSTER[0],
            CLUSTER[1],
            CLUSTER[2],
            ("Job", "structure", true),
            ("Namespace", "string", false),
            ("LogOptions", "structure", false),
        ],
    ),
    (("elasticmapreduce", "terminateCluster"), &[("ClusterId", "string", true)]),
    (
        ("elasticmapreduce", "setClusterTerminationProtection"),
        &[("ClusterId", "string", true), ("TerminationProtected", "boolean", true)],
    ),
    (
        ("elasticmapreduce", "addStep"),
        &[("ClusterId", "string", true), ("Step", "structure", true), ("ExecutionRoleArn", "string", false)],
    ),
    (("elasticmapreduce", "cancelStep"), &[("ClusterId", "string", true), ("StepId", "string", true)]),
    (
        ("elasticmapreduce", "modifyInstanceFleetByName"),
        &[("ClusterId", "string", true), ("InstanceFleetName", "string", true), ("InstanceFleet", "structure", true)],
    ),
    (
        ("elasticmapreduce", "modifyInstanceGroupByName"),
        &[("ClusterId", "string", true), ("InstanceGroupName", "string", true), ("InstanceGroup", "structure", true)],
    ),
    (
        ("http", "invoke"),
        &[
            ("ApiEndpoint", "string", true),
            ("Method", "string", true),
            ("Authentication", "structure", true),
            ("Headers", "map of string", false),
            ("QueryParameters", "map of string", false),
            ("RequestBody", "any JSON", false),
            ("Transform", "structure", false),
        ],
    ),
    (
        ("lambda", "invoke"),
        &[
            ("FunctionName", "string", true),
            ("Payload", "any JSON", false),
            ("InvocationType", "string", false),
            ("Qualifier", "string", false),
            ("ClientContext", "string", false),
            ("LogType", "string", false),
        ],
    ),
    (
        ("states", "startExecution"),
        &[
            ("StateMachineArn", "string", true),
            ("Input", "any JSON", false),
            ("Name", "string", false),
            ("TraceHeader", "string", false),
        ],
    ),
];

/// What is wrong with the parameters of an action that no model describes: one that there is not, that is missing, or is
/// no text or Boolean where one is wanted. `null` is the same as absent.
pub(crate) fn own_problem(service: &str, action: &str, given: &Value) -> Result<(), ParameterError> {
    let own = OWN.iter().find(|(of, _)| *of == (service, action)).map_or(&[][..], |(_, own)| own);
    only_known(given, &own.iter().map(|(name, ..)| *name).collect::<Vec<_>>())?;
    for (name, kind, is_required) in own {
        let wrong = |expected| Err(ParameterError::WrongType { field: (*name).to_owned(), expected });
        match (*kind, given.get(name).filter(|value| !value.is_null())) {
            (_, None) if *is_required => return Err(ParameterError::Missing((*name).to_owned())),
            (_, None) | ("string", Some(Value::String(_))) | ("boolean", Some(Value::Bool(_))) => {}
            ("string", Some(_)) => return wrong("a STRING"),
            ("boolean", Some(_)) => return wrong("a BOOLEAN"),
            (_, Some(_)) => {}
        }
    }
    Ok(())
}

impl Parameters {
    /// Of an action as it stands in `arn:aws:states:::SERVICE:ACTION`; `None`: tasks cannot call it.
    pub fn of(catalogue: &Catalogue, service: &str, action: &str) -> Result<Option<Parameters>, CatalogueError> {
        if let Some((_, own)) = OWN.iter().find(|(of, _)| *of == (service, action)) {
            return Ok(Some(Parameters::own(own)));
        }
        if let Some(service) = service.strip_prefix("aws-sdk:") {
            return match catalogue.is_present() && catalogue.knows(service, action) {
                true => Parameters::modelled(&*catalogue.service(service)?, action, &[]),
                false => Ok(None),
            };
        }
        let Some(Action { calls: (service, action), fields, .. }) = Action::of(service, action) else {
            return Ok(None);
        };
        Parameters::modelled(&*catalogue.service(service)?, action, fields)
    }

    fn own(own: &[Own]) -> Parameters {
        let field = |(name, kind, required): &Own| Field {
            name: (*name).to_owned(),
            kind: (*kind).to_owned(),
            required: *required,
        };
        let required = own.iter().filter(|(_, _, required)| *required);
        let skeleton = required.map(|(name, kind, _)| {
            let value = match *kind {
                "string" => Value::from(""),
                "boolean" => Value::from(false),
                _ => Value::empty_object(),
            };
            (*name, value)
        });
        Parameters { fields: own.iter().map(field).collect(), skeleton: Value::object(skeleton) }
    }

    /// `only`: the members that are taken; empty: all.
    fn modelled(service: &Service, action: &str, only: &[&str]) -> Result<Option<Parameters>, CatalogueError> {
        let Some((_, operation)) = service.operation(action) else { return Ok(None) };
        let input = operation.input.as_ref();
        let is_taken = |name: &str| only.is_empty() || only.contains(&name);
        let mut fields = service.fields(input);
        fields.retain(|field| is_taken(&field.name));
        // What must be given first.
        fields.sort_by_key(|field| !field.required);
        let skeleton = input.map_or_else(Value::empty_object, |input| skeleton(service, input, 0));
        Ok(Some(Parameters { fields, skeleton }))
    }
}

/// A value of a shape that has what is required, at any depth.
fn skeleton(service: &Service, of: &Ref, depth: usize) -> Value {
    match service.kind(of) {
        Kind::Structure { .. } if depth < SKELETON_DEPTH_MAX => {
            // The client fills in tokens that make a call idempotent.
            let members = service.members(of).iter();
            let required = members.filter(|member| member.is_required && !member.of.traits.is_idempotency_token);
            let value = |member: &crate::aws::model::Member| skeleton(service, &member.of, depth + 1);
            Value::object(required.map(|member| (&*member.shown, value(member))))
        }
        // One item shows what it must have.
        Kind::List(item) if service.members(item).iter().any(|member| member.is_required) => {
            Value::array(vec![skeleton(service, item, depth + 1)])
        }
        Kind::List(_) => Value::array(Vec::new()),
        Kind::Structure { .. } | Kind::Map(..) | Kind::Document | Kind::EventStream => Value::empty_object(),
        Kind::Text | Kind::Blob | Kind::Timestamp => Value::from(""),
        Kind::Integer | Kind::Float => Value::from(0),
        Kind::Boolean => Value::from(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skeleton_of(catalogue: &Catalogue, service: &str, action: &str) -> Option<String> {
        Parameters::of(catalogue, service, action).unwrap().map(|parameters| parameters.skeleton.to_string())
    }

    #[test]
    fn own_parameters_need_no_model() {
        let without = Catalogue::without_models();
        assert_eq!(skeleton_of(&without, "lambda", "invoke").as_deref(), Some(r#"{"FunctionName":""}"#));
        assert_eq!(
            skeleton_of(&without, "elasticmapreduce", "setClusterTerminationProtection").as_deref(),
            Some(r#"{"ClusterId":"","TerminationProtected":false}"#)
        );
        assert_eq!(skeleton_of(&without, "aws-sdk:s3", "putObject"), None);
        assert_eq!(skeleton_of(&without, "glue", "anything"), None);
    }

    #[test]
    fn own_parameters_have_their_types() {
        let cases = [
            (("lambda", "invoke"), r#"{"FunctionName":"f","Payload":1,"Qualifier":null}"#, ""),
            (("lambda", "invoke"), "[1]", "The field 'FunctionName' is required but was missing"),
            (
                ("lambda", "invoke"),
                r#"{"FunctionName":"f","Qualifier":1}"#,
                "The value for the field 'Qualifier' must be a STRING",
            ),
            (("lambda", "invoke"), r#"{"Foo":1}"#, "The field \"Foo\" is not supported by Step Functions"),
            (
                ("apigateway", "invoke"),
                r#"{"ApiEndpoint":"a","Method":"GET","AllowNullValues":"true"}"#,
                "The value for the field 'AllowNullValues' must be a BOOLEAN",
            ),
        ];
        for ((service, action), given, expected) in cases {
            let found = own_problem(service, action, &stepwell_expr::json::parse(given).unwrap());
            assert_eq!(found.map_or_else(|error| error.to_string(), |()| String::new()), expected, "{given}");
        }
    }

    /// Says so only where models were made.
    #[test]
    fn what_is_required_is_filled_in_at_any_depth() {
        let catalogue = Catalogue::embedded();
        if !catalogue.is_present() {
            return;
        }
        let of = |service: &str, action: &str| skeleton_of(&catalogue, service, action);
        assert_eq!(of("aws-sdk:s3", "putObject").as_deref(), Some(r#"{"Bucket":"","Key":""}"#));
        assert_eq!(of("aws-sdk:s3", "listBuckets").as_deref(), Some("{}"));
        assert_eq!(of("glue", "startJobRun").as_deref(), Some(r#"{"JobName":""}"#));
        assert_eq!(of("aws-sdk:s3", "PutObject"), None);
        assert_eq!(
            of("aws-sdk:dynamodb", "transactWriteItems").as_deref(),
            Some(r#"{"TransactItems":[]}"#),
            "its token is not asked for"
        );
        assert_eq!(
            of("aws-sdk:s3", "deleteObjects").as_deref(),
            Some(r#"{"Bucket":"","Delete":{"Objects":[{"Key":""}]}}"#)
        );
        let sqs = Parameters::of(&catalogue, "sqs", "sendMessage").unwrap().unwrap();
        assert!(sqs.fields[0].required && sqs.fields.iter().all(|field| field.name != "MessageSystemAttributes"));
    }

    /// Every skeleton of every action ends.
    #[test]
    fn every_action_has_a_skeleton() {
        let catalogue = Catalogue::embedded();
        for service in catalogue.services().map(str::to_owned).collect::<Vec<_>>() {
            let sdk = format!("aws-sdk:{service}");
            for action in catalogue.actions(&service).unwrap() {
                assert!(skeleton_of(&catalogue, &sdk, action).is_some(), "{service}:{action}");
            }
        }
    }
}
