"""What `aws-sdk` tasks send, and make of answers, against botocore: the same call by both must be the same request, and
the same answer must give the same result. Samples are made from the models: every member, nested ones too."""

import base64
import datetime
import importlib.machinery
import importlib.util
import http.server
import json
import threading
import urllib.parse
import xml.etree.ElementTree as ElementTree

import boto3
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.serialize import RpcV2CBORSerializer

from server import REGION, ROLE, ROOT, Server, wait_until

TIME = datetime.datetime(2026, 3, 14, 9, 26, 53, tzinfo=datetime.timezone.utc)
SHOWN_TIME = "2026-03-14T09:26:53Z"
DEPTH_MAX = 4

# boto3's name of a service, Step Functions' name, operation, members to leave out: those that boto3 changes on its own.
SAMPLES = [
    # awsJson 1.0 and 1.1
    ("sqs", "sqs", "SendMessage", []),
    ("dynamodb", "dynamodb", "Query", []),
    ("kms", "kms", "Encrypt", []),
    ("secretsmanager", "secretsmanager", "CreateSecret", []),
    ("logs", "cloudwatchlogs", "PutLogEvents", []),
    ("ecs", "ecs", "RegisterTaskDefinition", []),
    ("events", "eventbridge", "PutRule", []),
    # restJson
    ("lambda", "lambda", "CreateFunction", []),
    ("batch", "batch", "SubmitJob", []),
    ("eks", "eks", "CreateNodegroup", []),
    ("mediaconvert", "mediaconvert", "ListJobs", []),
    ("pinpoint", "pinpoint", "CreateApp", []),
    ("iot", "iot", "CreateThing", []),
    ("xray", "xray", "GetTraceSummaries", []),
    # restXml
    ("route53", "route53", "ListResourceRecordSets", []),
    ("route53", "route53", "CreateHealthCheck", []),
    ("cloudfront", "cloudfront", "CreateInvalidation", []),
    ("s3", "s3", "PutObjectTagging", ["ContentMD5", "ChecksumAlgorithm"]),
    ("s3", "s3", "ListObjectsV2", []),
    ("s3", "s3", "PutBucketCors", ["ContentMD5", "ChecksumAlgorithm"]),
    # Query
    ("sns", "sns", "Publish", []),
    ("iam", "iam", "CreateRole", []),
    ("cloudformation", "cloudformation", "CreateStack", []),
    ("autoscaling", "autoscaling", "CreateAutoScalingGroup", []),
    ("elbv2", "elasticloadbalancingv2", "CreateListener", []),
    ("rds", "rds", "CreateDBInstance", []),
    ("sts", "sts", "GetCallerIdentity", []),
    # ec2Query
    ("ec2", "ec2", "DescribeInstances", []),
    ("ec2", "ec2", "CreateSecurityGroup", []),
    ("ec2", "ec2", "AuthorizeSecurityGroupIngress", []),
    # rpcv2Cbor
    ("CBOR", "CBOR", "CBOR", []),
]


def script():
    """scripts/services, which knows how Step Functions names things."""
    loader = importlib.machinery.SourceFileLoader("services", str(ROOT / "scripts" / "services"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("services", loader))
    loader.exec_module(module)
    return module


NAMES = script()


class Peer(http.server.ThreadingHTTPServer):
    """Keeps the last request and answers what it was told to answer."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.request = None
        self.answer = (200, {}, b"")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        self.server.request = (self.command, self.path, dict(self.headers.items()), body)
        status, headers, body = self.server.answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_any

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def peer():
    peer = Peer()
    threading.Thread(target=peer.serve_forever, daemon=True).start()
    yield peer
    peer.shutdown()


@pytest.fixture(scope="module")
def sfn(peer, tmp_path_factory):
    environment = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{peer.server_address[1]}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    server = Server(tmp_path_factory.mktemp("server"), environment=environment).start()
    yield server.connect()
    server.stop()


def client(peer, service):
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=f"http://127.0.0.1:{peer.server_address[1]}",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}, parameter_validation=False),
    )


def sample(shape, place="", depth=0, leave_out=()):
    """A value of the shape: as boto3 takes it, and as a task does."""
    kind = shape.type_name
    location = shape.serialization.get("location", place)
    if getattr(shape, "is_document_type", False):
        return {"any": [1, "x"]}, {"any": [1, "x"]}
    if kind == "structure":
        theirs, ours = {}, {}
        for name, member in shape.members.items():
            if name in leave_out or (depth >= DEPTH_MAX and name not in shape.required_members):
                continue
            if member.type_name == "structure" and getattr(member, "is_eventstream", False):
                continue
            is_body = shape.serialization.get("payload") == name
            theirs[name], ours[NAMES.shown(name)] = sample(member, "body" if is_body else "", depth + 1)
            if getattr(shape, "is_tagged_union", False):
                break
        return theirs, ours
    if kind == "list":
        items = [sample(shape.member, location, depth + 1) for _ in range(2 if depth < DEPTH_MAX else 0)]
        return [theirs for theirs, _ in items], [ours for _, ours in items]
    if kind == "map":
        theirs, ours = sample(shape.value, location, depth + 1)
        return {"key.1": theirs}, {"key.1": ours}
    if shape.serialization.get("jsonvalue"):
        return {"k": 1}, {"k": 1}
    if kind in ("string", "character"):
        if getattr(shape, "enum", None):
            return shape.enum[0], shape.enum[0]
        text = {"uri": "u:v w", "header": "h v", "headers": "h v"}.get(location, "a \"b\" & <ü>/'c'")
        text = "label" if shape.serialization.get("hostLabel") or shape.name == "BucketName" else text
        return text, text
    if kind in ("integer", "long", "short", "byte", "biginteger"):
        return 7, 7
    if kind in ("float", "double", "bigdecimal"):
        return 1.5, 1.5
    if kind == "boolean":
        return True, True
    if kind == "timestamp":
        return TIME, SHOWN_TIME
    assert kind == "blob", kind
    if place == "body":
        return b'"body"', "body"
    return b"\x00bytes\xff", base64.b64encode(b"\x00bytes\xff").decode()


def canonical(request, protocol):
    """What of a request counts."""
    method, path, headers, body = request
    path, _, query = path.partition("?")
    headers = {name.lower(): value for name, value in headers.items()}
    kept = {
        name: value
        for name, value in headers.items()
        if name in ("content-type", "x-amz-target", "smithy-protocol", "accept") or name.startswith("x-amz-tagging")
    }
    kept.setdefault("content-type", "")
    for name in ("accept",) if protocol != "smithy-rpc-v2-cbor" else ():
        kept.pop(name, None)
    if protocol in ("rest-xml", "query", "ec2"):
        # boto3 says none of XML, and the encoding of a form.
        kept.pop("content-type")
    if protocol in ("json", "rest-json"):
        body = json.loads(body or b"{}")
    elif protocol in ("query", "ec2"):
        body = sorted(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
    elif protocol == "rest-xml" and body:
        body = ElementTree.canonicalize(body.decode())
    return method, urllib.parse.unquote(path), sorted(urllib.parse.parse_qsl(query, keep_blank_values=True)), kept, body


def text_of(value, format_name):
    if isinstance(value, datetime.datetime):
        if format_name == "unixTimestamp":
            return str(int(value.timestamp()))
        if format_name == "rfc822":
            return value.strftime("%a, %d %b %Y %H:%M:%S GMT")
        return SHOWN_TIME
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value).lower() if isinstance(value, bool) else str(value)


def as_json(shape, value):
    kind = shape.type_name
    if getattr(shape, "is_document_type", False):
        return value
    if kind == "structure":
        members = ((name, shape.members[name], item) for name, item in value.items())
        return {
            member.serialization.get("name", name): as_json(member, item)
            for name, member, item in members
            if "location" not in member.serialization
        }
    if kind == "list":
        return [as_json(shape.member, item) for item in value]
    if kind == "map":
        return {key: as_json(shape.value, item) for key, item in value.items()}
    if kind == "timestamp":
        format_name = shape.serialization.get("timestampFormat", "unixTimestamp")
        return value.timestamp() if format_name == "unixTimestamp" else text_of(value, format_name)
    if kind == "blob":
        return base64.b64encode(value).decode()
    if shape.serialization.get("jsonvalue"):
        return json.dumps(value)
    return value


def as_xml(parent, shape, value, name):
    kind, serialization = shape.type_name, shape.serialization
    if kind == "list":
        flat = serialization.get("flattened")
        items = parent if flat else ElementTree.SubElement(parent, name)
        item_name = shape.member.serialization.get("name", name if flat else "member")
        for item in value:
            as_xml(items, shape.member, item, item_name)
        return
    if kind == "map":
        flat = serialization.get("flattened")
        entries = parent if flat else ElementTree.SubElement(parent, name)
        for key, item in value.items():
            entry = ElementTree.SubElement(entries, name if flat else "entry")
            as_xml(entry, shape.key, key, shape.key.serialization.get("name", "key"))
            as_xml(entry, shape.value, item, shape.value.serialization.get("name", "value"))
        return
    element = ElementTree.SubElement(parent, name)
    if kind == "structure":
        add_members(element, shape, value)
    else:
        element.text = text_of(value, serialization.get("timestampFormat", "iso8601"))


def add_members(element, shape, value):
    for member_name, item in value.items():
        member = shape.members[member_name]
        wire = member.serialization.get("name", member_name)
        if member.serialization.get("xmlAttribute"):
            element.set(wire.split(":")[-1], str(item))
        elif "location" not in member.serialization:
            as_xml(element, member, item, wire)


def answer_of(model, operation):
    """An answer with every member, as a service would write it."""
    protocol = chosen_protocol(model)
    shape = operation.output_shape
    if shape is None:
        return (200, {}, b"<Empty/>" if protocol in ("query", "ec2") else b""), {}
    theirs, _ = sample(shape)
    headers, body = {}, b""
    if protocol == "smithy-rpc-v2-cbor":
        written = bytearray()
        RpcV2CBORSerializer()._serialize_data_item(written, theirs, shape)
        return (200, {"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"}, bytes(written)), theirs
    for name, item in theirs.items():
        member = shape.members[name]
        location, wire = member.serialization.get("location"), member.serialization.get("name", name)
        if location == "header":
            if isinstance(item, list):
                headers[wire] = ",".join(str(one) for one in item)
            elif member.serialization.get("jsonvalue"):
                headers[wire] = base64.b64encode(json.dumps(item).encode()).decode()
            else:
                headers[wire] = text_of(item, member.serialization.get("timestampFormat", "rfc822"))
        elif location == "headers":
            headers |= {wire + key: text for key, text in item.items()}
    payload = shape.serialization.get("payload")
    target, value = (shape.members[payload], theirs[payload]) if payload else (shape, theirs)
    if protocol in ("json", "rest-json"):
        body = value if isinstance(value, bytes) else json.dumps(as_json(target, value)).encode()
        headers["Content-Type"] = "application/json"
    else:
        root = ElementTree.Element(f"{operation.name}Response" if not payload else payload)
        inside = root
        if protocol == "query" and shape.serialization.get("resultWrapper"):
            inside = ElementTree.SubElement(root, shape.serialization["resultWrapper"])
        add_members(inside, target, value)
        body = ElementTree.tostring(root)
        headers["Content-Type"] = "text/xml"
    return (200, headers, body), theirs


def chosen_protocol(model):
    return next(known for known in NAMES.PROTOCOLS if known in (model.metadata.get("protocols") or [model.metadata["protocol"]]))


def shown(shape, value):
    """A result of boto3 as Step Functions shows it."""
    if isinstance(value, datetime.datetime):
        value = value.astimezone(datetime.timezone.utc)
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if shape.serialization.get("jsonvalue"):
        return json.dumps(value) if not isinstance(value, str) else value
    if isinstance(value, dict) and shape.type_name == "structure" and not getattr(shape, "is_document_type", False):
        members = value.items()
        return {NAMES.shown(name): shown(shape.members[name], item) for name, item in members if name in shape.members}
    if isinstance(value, dict) and shape.type_name == "map":
        return {name: shown(shape.value, item) for name, item in value.items()}
    if isinstance(value, list):
        return [shown(shape.member, item) for item in value]
    return value


def run_task(sfn, service, operation, parameters):
    action = operation[0].lower() + operation[1:]
    states = {"T": {"Type": "Task", "Resource": f"arn:aws:states:::aws-sdk:{service}:{action}", "End": True}}
    definition = json.dumps({"StartAt": "T", "States": states})
    name = f"{service}-{action}"[:70]
    machine = sfn.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"]
    execution = sfn.start_execution(stateMachineArn=machine, input=json.dumps(parameters))["executionArn"]

    def ended():
        described = sfn.describe_execution(executionArn=execution)
        return described if described["status"] != "RUNNING" else None

    return wait_until(f"{name} has ended", ended)


def a_cbor_service():
    """A service that offers nothing else, and an operation with parameters and results."""
    loader = boto3.session.Session()._session.get_component("data_loader")
    for name in sorted(loader.list_available_services("service-2")):
        model = loader.load_service_model(name, "service-2")
        if model["metadata"].get("protocols") == ["smithy-rpc-v2-cbor"]:
            members = lambda of: len(model["shapes"][of["shape"]].get("members", {})) if of else 0  # noqa: E731
            operations = model["operations"].items()
            best = max(operations, key=lambda item: min(members(item[1].get("input")), members(item[1].get("output"))))
            return name, NAMES.service_prefix(model["metadata"]["serviceId"]).lower(), best[0]
    raise AssertionError("no service of the pinned package speaks CBOR alone: choose the sample otherwise")


@pytest.mark.parametrize("service, sdk, operation, leave_out", SAMPLES, ids=lambda value: str(value)[:40])
def test_requests_and_results_are_those_of_botocore(peer, sfn, service, sdk, operation, leave_out):
    if service == "CBOR":
        service, sdk, operation = a_cbor_service()
    boto = client(peer, service)
    model = boto.meta.service_model
    described = model.operation_model(operation)
    protocol = chosen_protocol(model)
    theirs, ours = sample(described.input_shape, leave_out=leave_out) if described.input_shape else ({}, {})
    peer.answer, _ = answer_of(model, described)
    result = getattr(boto, xform_name(operation))(**theirs)
    expected = canonical(peer.request, protocol)
    peer.request = None
    ended = run_task(sfn, sdk, operation, ours)
    assert peer.request is not None, ended
    assert canonical(peer.request, protocol) == expected
    assert "AWS4-HMAC-SHA256 Credential=key/" in peer.request[2].get("authorization", peer.request[2].get("Authorization", ""))
    assert ended["status"] == "SUCCEEDED", ended
    result.pop("ResponseMetadata")
    expected = shown(described.output_shape, result) if described.output_shape else {}
    assert json.loads(ended["output"]) == expected


ERRORS = [
    ("dynamodb", "getItem", "DynamoDb.ResourceNotFoundException", {}, b'{"__type":"com.amazonaws#ResourceNotFoundException","message":"m"}'),
    ("dynamodb", "getItem", "DynamoDb.DynamoDbException", {}, b'{"__type":"ValidationException","Message":"m"}'),
    ("lambda", "getFunction", "Lambda.ResourceNotFoundException", {"x-amzn-ErrorType": "ResourceNotFoundException:http://x/"}, b'{"Message":"m"}'),
    ("sqs", "getQueueUrl", "Sqs.QueueDoesNotExistException", {"x-amzn-query-error": "AWS.SimpleQueueService.NonExistentQueue;Sender"}, b'{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"m"}'),
    ("iam", "getRole", "Iam.NoSuchEntityException", {}, b"<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>m</Message></Error><RequestId>r</RequestId></ErrorResponse>"),
    ("ec2", "describeInstances", "Ec2.Ec2Exception", {}, b"<Response><Errors><Error><Code>InvalidInstanceID.NotFound</Code><Message>m</Message></Error></Errors><RequestID>r</RequestID></Response>"),
    ("s3", "getObject", "S3.NoSuchKeyException", {"x-amz-request-id": "r", "x-amz-id-2": "x"}, b"<Error><Code>NoSuchKey</Code><Message>m</Message></Error>"),
    ("rds", "startDBInstance", "Rds.DbInstanceNotFoundException", {}, b"<ErrorResponse><Error><Code>DBInstanceNotFound</Code><Message>m</Message></Error></ErrorResponse>"),
]
REQUIRED = {
    "getItem": {"TableName": "t", "Key": {}},
    "getFunction": {"FunctionName": "f"},
    "getQueueUrl": {"QueueName": "q"},
    "getRole": {"RoleName": "r"},
    "describeInstances": {},
    "getObject": {"Bucket": "b", "Key": "k"},
    "startDBInstance": {"DbInstanceIdentifier": "d"},
}


@pytest.mark.parametrize("service, action, error, headers, body", ERRORS, ids=lambda value: str(value)[:40])
def test_errors_are_named_and_told(peer, sfn, service, action, error, headers, body):
    peer.answer = (400, headers, body)
    ended = run_task(sfn, service, action, REQUIRED[action])
    assert (ended["status"], ended["error"]) == ("FAILED", error)
    assert ended["cause"].startswith(f"m (Service: {error.split('.')[0]}, Status Code: 400, Request ID: ")


def test_api_gateway_is_asked_for_plain_json(peer, sfn):
    """It answers another form of JSON otherwise; boto3 and the SDK for Java ask so too."""
    peer.answer = (200, {"Content-Type": "application/json"}, b"{}")
    assert run_task(sfn, "apigateway", "getRestApis", {})["status"] == "SUCCEEDED"
    headers = {name.lower(): value for name, value in peer.request[2].items()}
    assert headers["accept"] == "application/json"


def test_an_unknown_parameter_is_refused(peer, sfn):
    ended = run_task(sfn, "kms", "Decrypt", {"Nonsense": 1})
    assert ended["error"] == "States.Runtime"
    assert 'The field "Nonsense" is not supported by Step Functions' in ended["cause"]


def test_an_action_that_tasks_may_not_call_is_refused_at_creation(sfn):
    for resource in ["sts:assumeRole", "s3:selectObjectContent", "nothing:getItem", "s3:getObjekt"]:
        states = {"T": {"Type": "Task", "Resource": f"arn:aws:states:::aws-sdk:{resource}", "End": True}}
        definition = json.dumps({"StartAt": "T", "States": states})
        with pytest.raises(sfn.exceptions.InvalidDefinition, match="is not recognized"):
            sfn.create_state_machine(name="refused", definition=definition, roleArn=ROLE)
