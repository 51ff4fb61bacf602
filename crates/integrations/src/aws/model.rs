//! The model of one AWS service: its operations and the shapes of what they take and give.

use std::collections::BTreeMap;

use stepwell_expr::{Value, json};

use super::catalogue::Field;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Json,
    RestJson,
    RestXml,
    Query,
    Ec2,
    Cbor,
}

pub(crate) struct Service {
    /// As in `aws-sdk:NAME`.
    pub(crate) name: Box<str>,
    /// The name in errors: `DynamoDb`.
    pub(crate) prefix: Box<str>,
    /// The name in environment variables, before it is made one: `Lex Runtime V2`.
    pub(crate) id: Box<str>,
    pub(crate) protocol: Protocol,
    /// Of awsJson.
    pub(crate) json_version: Box<str>,
    /// Before the operation in `X-Amz-Target`; the service's name in rpcv2Cbor.
    pub(crate) target: Box<str>,
    pub(crate) api_version: Box<str>,
    /// Where AWS answers; may hold `{region}`.
    pub(crate) endpoint: Box<str>,
    /// The name in signatures.
    pub(crate) signing: Box<str>,
    /// The region that signs, of services that are in one place only; else empty.
    pub(crate) signed_in: Box<str>,
    /// Errors have the codes of the Query protocol, in a header.
    pub(crate) has_query_errors: bool,
    /// By their names with a small first letter.
    operations: BTreeMap<Box<str>, (Box<str>, Operation)>,
    shapes: Vec<Shape>,
}

pub(crate) struct Operation {
    pub(crate) method: Box<str>,
    pub(crate) uri: Box<str>,
    pub(crate) input: Option<Ref>,
    pub(crate) output: Option<Ref>,
    /// The element around a result of the Query protocol.
    pub(crate) result_wrapper: Option<Box<str>>,
    /// Before the host's name; may hold labels.
    pub(crate) host_prefix: Option<Box<str>>,
    pub(crate) is_unsigned: bool,
    /// S3 refuses it without a checksum of the body.
    pub(crate) needs_checksum: bool,
    /// The member that names the checksum's algorithm; such a body gets one.
    pub(crate) checksum_member: Option<Box<str>>,
}

pub(crate) struct Shape {
    pub(crate) kind: Kind,
    traits: Traits,
    /// Of an exception.
    pub(crate) error: Option<ErrorShape>,
}

pub(crate) struct ErrorShape {
    /// What answers call it.
    pub(crate) code: Box<str>,
    /// The shape's own name, by which some answers call it.
    pub(crate) name: Box<str>,
    /// What Step Functions calls it: ends in `Exception`.
    pub(crate) exception: Box<str>,
}

pub(crate) enum Kind {
    Structure { members: Vec<Member>, payload: Option<usize> },
    List(Ref),
    Map(Ref, Ref),
    Text,
    Integer,
    Float,
    Boolean,
    Blob,
    Timestamp,
    Document,
    EventStream,
}

pub(crate) struct Member {
    /// The API's name.
    pub(crate) name: Box<str>,
    /// The name in parameters and results.
    pub(crate) shown: Box<str>,
    pub(crate) is_required: bool,
    pub(crate) of: Ref,
}

/// A shape where it is used; the traits of the place hide those of the shape.
pub(crate) struct Ref {
    pub(crate) shape: usize,
    pub(crate) traits: Traits,
}

/// How a value is written. Source: botocore's names for the traits of AWS models.
#[derive(Clone, Default)]
pub(crate) struct Traits {
    pub(crate) location: Option<Location>,
    /// `locationName`.
    pub(crate) name: Option<Box<str>>,
    /// Of ec2Query.
    pub(crate) query_name: Option<Box<str>>,
    pub(crate) time_format: Option<TimeFormat>,
    pub(crate) is_flattened: bool,
    /// A text that is JSON, and base64 in a header.
    pub(crate) is_json: bool,
    pub(crate) is_attribute: bool,
    pub(crate) is_idempotency_token: bool,
    pub(crate) is_host_label: bool,
    pub(crate) namespace: Option<Box<str>>,
    pub(crate) namespace_prefix: Option<Box<str>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    Uri,
    Query,
    Header,
    /// Each entry of a map is a header of its own.
    Headers,
    StatusCode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeFormat {
    Iso8601,
    Rfc822,
    Epoch,
}

impl Service {
    /// Reads what `scripts/services` wrote; `None` if it is something else.
    pub(crate) fn read(name: &str, prefix: &str, text: &str) -> Option<Service> {
        let value = json::parse(text).ok()?;
        let text = |key: &str| Some(Box::<str>::from(value.get(key)?.as_str()?));
        let shapes = value.get("shapes")?.as_array()?.iter().map(Shape::read).collect::<Option<Vec<Shape>>>()?;
        let mut operations = BTreeMap::new();
        for (name, operation) in value.get("operations")?.as_object()? {
            let mut action = name.to_string();
            action[..1].make_ascii_lowercase();
            operations.insert(action.into(), (Box::from(&**name), Operation::read(operation, shapes.len())?));
        }
        let mut service = Service {
            name: name.into(),
            prefix: prefix.into(),
            id: text("id")?,
            protocol: match value.get("protocol")?.as_str()? {
                "json" => Protocol::Json,
                "rest-json" => Protocol::RestJson,
                "rest-xml" => Protocol::RestXml,
                "query" => Protocol::Query,
                "ec2" => Protocol::Ec2,
                "smithy-rpc-v2-cbor" => Protocol::Cbor,
                _ => return None,
            },
            json_version: text("version")?,
            target: text("target")?,
            api_version: text("api")?,
            endpoint: text("endpoint")?,
            signing: text("signing")?,
            signed_in: text("signedIn")?,
            has_query_errors: value.get("queryErrors")?.as_bool()?,
            operations,
            shapes,
        };
        service.merge_traits()?;
        Some(service)
    }

    /// Gives every reference the traits of its shape that it does not hide.
    fn merge_traits(&mut self) -> Option<()> {
        let of_shapes: Vec<Traits> = self.shapes.iter().map(|shape| shape.traits.clone()).collect();
        let merge = |of: &mut Ref| {
            of.traits.add(of_shapes.get(of.shape)?);
            Some(())
        };
        for shape in &mut self.shapes {
            match &mut shape.kind {
                Kind::Structure { members, .. } => {
                    for member in members {
                        merge(&mut member.of)?;
                    }
                }
                Kind::List(item) => merge(item)?,
                Kind::Map(key, value) => {
                    merge(key)?;
                    merge(value)?;
                }
                _ => {}
            }
        }
        for (_, operation) in self.operations.values_mut() {
            for of in [&mut operation.input, &mut operation.output].into_iter().flatten() {
                merge(of)?;
            }
        }
        Some(())
    }

    /// The API's name of an action, and its model.
    pub(crate) fn operation(&self, action: &str) -> Option<(&str, &Operation)> {
        self.operations.get(action).map(|(name, operation)| (&**name, operation))
    }

    pub(crate) fn kind(&self, of: &Ref) -> &Kind {
        &self.shapes[of.shape].kind
    }

    /// The members of a structure; none of anything else.
    pub(crate) fn members(&self, of: &Ref) -> &[Member] {
        match self.kind(of) {
            Kind::Structure { members, .. } => members,
            _ => &[],
        }
    }

    /// The member that is the body of a REST call or answer.
    pub(crate) fn payload(&self, of: &Ref) -> Option<(usize, &Member)> {
        match self.kind(of) {
            Kind::Structure { members, payload: Some(index) } => Some((*index, &members[*index])),
            _ => None,
        }
    }

    /// The modelled error with that code.
    pub(crate) fn error(&self, code: &str) -> Option<&ErrorShape> {
        let errors = || self.shapes.iter().filter_map(|shape| shape.error.as_ref());
        errors().find(|error| *error.code == *code).or_else(|| errors().find(|error| *error.name == *code))
    }

    /// The members of a structure, for people to read.
    pub(crate) fn fields(&self, of: Option<&Ref>) -> Vec<Field> {
        let members = of.map_or(&[][..], |of| self.members(of));
        let field = |member: &Member| Field {
            name: member.shown.to_string(),
            kind: self.kind_name(&member.of, 0),
            required: member.is_required,
        };
        members.iter().map(field).collect()
    }

    fn kind_name(&self, of: &Ref, depth: usize) -> String {
        match self.kind(of) {
            Kind::Structure { .. } => "structure".to_owned(),
            // Lists of lists of lists are named no further.
            Kind::List(_) | Kind::Map(..) if depth > 2 => "...".to_owned(),
            Kind::List(item) => format!("list of {}", self.kind_name(item, depth + 1)),
            Kind::Map(_, value) => format!("map of {}", self.kind_name(value, depth + 1)),
            Kind::Text => "string".to_owned(),
            Kind::Integer => "integer".to_owned(),
            Kind::Float => "number".to_owned(),
            Kind::Boolean => "boolean".to_owned(),
            Kind::Blob => "blob".to_owned(),
            Kind::Timestamp => "timestamp".to_owned(),
            Kind::Document => "any JSON".to_owned(),
            Kind::EventStream => "event stream".to_owned(),
        }
    }
}

impl Operation {
    fn read(value: &Value, shapes: usize) -> Option<Operation> {
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(Box::<str>::from);
        let reference = |key: &str| match value.get(key) {
            None => Some(None),
            Some(of) => Ref::read(of.as_array()?).filter(|of| of.shape < shapes).map(Some),
        };
        Some(Operation {
            method: text("m")?,
            uri: text("u")?,
            input: reference("i")?,
            output: reference("o")?,
            result_wrapper: text("w"),
            host_prefix: text("h"),
            is_unsigned: value.get("n").is_some(),
            needs_checksum: value.get("c").is_some(),
            checksum_member: text("a"),
        })
    }
}

impl Shape {
    fn read(value: &Value) -> Option<Shape> {
        let parts = value.as_array()?;
        let traits = parts.get(1).map_or_else(|| Some(Traits::default()), Traits::read)?;
        let reference = |index: usize| Ref::read(parts.get(index)?.as_array()?);
        let kind = match parts.first()?.as_str()? {
            "structure" => {
                let members = parts.get(2)?.as_array()?.iter().map(Member::read).collect::<Option<Vec<Member>>>()?;
                let payload = match parts[1].get("b") {
                    None => None,
                    Some(name) => Some(members.iter().position(|member| Some(&*member.name) == name.as_str())?),
                };
                Kind::Structure { members, payload }
            }
            "list" => Kind::List(reference(2)?),
            "map" => Kind::Map(reference(2)?, reference(3)?),
            "string" | "character" => Kind::Text,
            "integer" | "long" | "short" | "byte" | "biginteger" => Kind::Integer,
            "float" | "double" | "bigdecimal" => Kind::Float,
            "boolean" => Kind::Boolean,
            "blob" => Kind::Blob,
            "timestamp" => Kind::Timestamp,
            "document" => Kind::Document,
            "eventstream" => Kind::EventStream,
            _ => return None,
        };
        let text = |key: &str| parts.get(1)?.get(key)?.as_str();
        let error = text("e").map(|code| {
            let name = text("S").unwrap_or(code);
            ErrorShape { code: code.into(), name: name.into(), exception: text("E").unwrap_or(name).into() }
        });
        Some(Shape { kind, traits, error })
    }
}

impl Member {
    fn read(value: &Value) -> Option<Member> {
        let parts = value.as_array()?;
        let name = parts.first()?.as_str()?;
        let trait_of = |key: &str| parts.get(2)?.get(key);
        Some(Member {
            name: name.into(),
            shown: trait_of("P").and_then(Value::as_str).unwrap_or(name).into(),
            is_required: trait_of("r").is_some(),
            of: Ref::read(&parts[1..])?,
        })
    }
}

impl Ref {
    fn read(parts: &[Value]) -> Option<Ref> {
        let shape = usize::try_from(parts.first()?.as_i64()?).ok()?;
        let traits = parts.get(1).map_or_else(|| Some(Traits::default()), Traits::read)?;
        Some(Ref { shape, traits })
    }
}

impl Traits {
    fn read(value: &Value) -> Option<Traits> {
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(Box::<str>::from);
        let flag = |key: &str| value.get(key).is_some();
        Some(Traits {
            location: match value.get("l").and_then(Value::as_str) {
                None => None,
                Some("uri") => Some(Location::Uri),
                Some("querystring") => Some(Location::Query),
                Some("header") => Some(Location::Header),
                Some("headers") => Some(Location::Headers),
                Some("statusCode") => Some(Location::StatusCode),
                Some(_) => return None,
            },
            name: text("n"),
            query_name: text("q"),
            time_format: match value.get("t").and_then(Value::as_str) {
                None => None,
                Some("iso8601") => Some(TimeFormat::Iso8601),
                Some("rfc822") => Some(TimeFormat::Rfc822),
                Some("unixTimestamp") => Some(TimeFormat::Epoch),
                Some(_) => return None,
            },
            is_flattened: flag("f"),
            is_json: flag("j"),
            is_attribute: flag("a"),
            is_idempotency_token: flag("i"),
            is_host_label: flag("h"),
            namespace: text("x"),
            namespace_prefix: text("p"),
        })
    }

    /// Takes over what it has not itself.
    fn add(&mut self, other: &Traits) {
        self.location = self.location.or(other.location);
        self.name = self.name.take().or_else(|| other.name.clone());
        self.query_name = self.query_name.take().or_else(|| other.query_name.clone());
        self.time_format = self.time_format.or(other.time_format);
        self.is_flattened |= other.is_flattened;
        self.is_json |= other.is_json;
        self.is_attribute |= other.is_attribute;
        self.is_idempotency_token |= other.is_idempotency_token;
        self.is_host_label |= other.is_host_label;
        self.namespace = self.namespace.take().or_else(|| other.namespace.clone());
        self.namespace_prefix = self.namespace_prefix.take().or_else(|| other.namespace_prefix.clone());
    }
}
